import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

import funnelkit as fk

DAY = dt.date(2024, 5, 1)


def orders(**columns):
    base = {
        "order_id": [1, 2],
        "ordered_at": [DAY, DAY],
        "status": ["paid", "paid"],
        "gross_amount": [10.0, 30.0],
        "discount_amount": [0.0, 0.0],
    }
    return pl.DataFrame({name: values for name, values in (base | columns).items() if values})


def aov(shop, **question):
    return fk.evaluate(shop, "aov", **question).frame.get_column("average_order_value").to_list()


def test_all_faults_of_all_tables_are_reported_at_once():
    with pytest.raises(fk.ContractError) as caught:
        fk.Shop(
            orders=orders(ordered_at=["2024-05-01"] * 2, gross_amount=["x", "y"]),
            sessions=pl.DataFrame({"session_id": [1.5], "is_bot": [1]}),
        )
    places = {(fault.table, fault.column) for fault in caught.value.faults}
    assert places == {
        ("orders", "ordered_at"),
        ("orders", "gross_amount"),
        ("sessions", "session_id"),
        ("sessions", "is_bot"),
    }
    assert "str.to_date(" in str(caught.value)


@pytest.mark.parametrize(
    "amounts",
    [
        pl.Series([10, 30], dtype=pl.Int8),
        pl.Series([10, 30], dtype=pl.UInt64),
        pl.Series([Decimal("10.00"), Decimal("30.00")]),
        pl.Series([10.0, 30.0], dtype=pl.Float32),
    ],
    ids=str,
)
def test_amounts_may_be_of_any_numeric_type(amounts):
    frame = orders().with_columns(amounts.alias("gross_amount"))
    assert aov(fk.Shop(orders=frame)) == [20.0]


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["paid"]), pl.String])
def test_a_category_may_be_of_any_type_of_words(kind):
    frame = orders().with_columns(pl.col("status").cast(kind))
    result = fk.evaluate(fk.Shop(orders=frame), "orders", by="status")
    assert result.frame.rows() == [("paid", 2)]


def test_pandas_and_pyarrow_tables_bind_as_they_are():
    arrow = orders().to_arrow()
    assert aov(fk.Shop(orders=arrow)) == [20.0]


@pytest.mark.parametrize("suffix", ["parquet", "csv", "ndjson", "ipc"])
def test_a_file_binds_by_its_path(tmp_path, suffix):
    path = tmp_path / f"orders.{suffix}"
    getattr(orders(), f"write_{suffix}")(path)
    frame = pl.scan_ndjson(path).with_columns(pl.col("ordered_at").str.to_date())
    source = frame if suffix == "ndjson" else str(path)
    assert aov(fk.Shop(orders=source)) == [20.0]


def test_a_glob_binds_all_its_files(tmp_path):
    for number, part in enumerate(orders().iter_slices(1)):
        part.write_parquet(tmp_path / f"part-{number}.parquet")
    assert aov(fk.Shop(orders=tmp_path / "part-*.parquet")) == [20.0]


def test_a_file_that_is_missing_empty_or_not_what_its_name_says_is_named(tmp_path):
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "wrong.parquet").write_text("order_id\n1\n")
    for name, message in (
        ("nowhere.csv", "there is no file"),
        ("empty.csv", "is empty"),
        ("wrong.parquet", "cannot be read"),
        ("orders.xlsx", "is not a supported file"),
    ):
        with pytest.raises(fk.DataError, match=message):
            fk.Shop(orders=tmp_path / name)


def test_a_thing_that_is_no_table_is_refused():
    with pytest.raises(fk.DataError, match="a int is not a table"):
        fk.Shop(orders=3)


def test_an_unknown_table_policy_or_zone_comes_with_the_nearest_names():
    with pytest.raises(fk.UnknownNameError, match="did you mean 'orders'"):
        fk.Shop(order=orders())
    with pytest.raises(fk.UnknownNameError, match="'shopify'"):
        fk.Shop(orders=orders(), order_policy="shopfy")
    with pytest.raises(fk.UnknownNameError, match="Europe/Warsaw"):
        fk.Shop(orders=orders(), time_zone="Europe/Warsw")


def test_a_rename_that_finds_nothing_or_makes_a_second_column_is_a_fault():
    with pytest.raises(fk.ContractError, match="is renamed but does not exist"):
        fk.Shop(orders=orders(), rename={"orders": {"totl": "gross_amount"}})
    with pytest.raises(fk.ContractError, match="second column"):
        fk.Shop(orders=orders(total=[1.0, 2.0]), rename={"orders": {"total": "gross_amount"}})


def test_keys_that_point_to_each_other_have_one_type():
    sessions = pl.DataFrame({"session_id": ["1"], "started_at": [DAY], "channel": ["paid"]})
    with pytest.raises(fk.ContractError, match=r"orders\.session_id: is Int64, but sessions"):
        fk.Shop(orders=orders(session_id=[1, 1]), sessions=sessions)


def test_missing_inputs_are_all_named_with_who_wants_them():
    with pytest.raises(fk.MissingInputError) as caught:
        fk.evaluate(fk.Shop(orders=orders(status=None)), ["aov", "cr", "roas"])
    assert caught.value.missing == {
        "orders.status": ("average_order_value",),
        "sessions": ("session_conversion_rate",),
        "campaign_performance": ("return_on_ad_spend",),
    }
    assert "order_policy='all'" in str(caught.value)


def test_a_table_assumed_empty_gives_zero_and_no_error():
    shop = fk.Shop(orders=orders(), assume_empty=("returns",))
    assert fk.evaluate(shop, "net_sales").frame.rows() == [(40.0,)]
    with pytest.raises(fk.MissingInputError, match="returns"):
        fk.evaluate(fk.Shop(orders=orders()), "net_sales")


def test_an_order_policy_decides_which_orders_count():
    frame = orders(
        order_id=[1, 2, 3],
        ordered_at=[DAY] * 3,
        status=["paid", "pending", "cancelled"],
        gross_amount=[1.0, 1.0, 1.0],
        discount_amount=[0.0] * 3,
    )
    counts = {
        policy: fk.evaluate(fk.Shop(orders=frame, order_policy=policy), "orders").frame.item()
        for policy in ("default", "shopify", "captured", "all")
    }
    assert counts == {"default": 2, "shopify": 3, "captured": 1, "all": 3}
    own = fk.OrderPolicy(
        name="own",
        counted_orders=fk.Orders.status.eq("pending"),
        counted_returns=fk.Returns.kind.eq("return"),
    )
    assert fk.evaluate(fk.Shop(orders=frame, order_policy=own), "orders").frame.item() == 1


def test_a_column_that_is_supplied_wins_over_its_rule():
    shop = fk.Shop(orders=orders(is_counted=[True, False]))
    assert fk.evaluate(shop, "orders").frame.item() == 1


def test_repeated_and_null_keys_are_refused_with_a_sample():
    with pytest.raises(fk.ContractError, match=r"orders.order_id: is not unique.*7"):
        fk.evaluate(fk.Shop(orders=orders(order_id=[7, 7])), "orders")
    with pytest.raises(fk.ContractError, match="is null, and identifies the row, in 1 row"):
        fk.evaluate(fk.Shop(orders=orders(order_id=[7, None])), "orders")
    loose = fk.Shop(orders=orders(order_id=[7, 7]), guards=False)
    assert fk.evaluate(loose, "orders").frame.item() == 2


def test_amounts_in_several_currencies_are_never_added():
    shop = fk.Shop(orders=orders(currency=["EUR", "PLN"]))
    with pytest.raises(fk.ContractError, match="holds EUR and PLN"):
        fk.evaluate(shop, "aov")
    assert fk.evaluate(shop, "orders").frame.item() == 2
    assert aov(shop, by="currency") == [10.0, 30.0]
    assert aov(shop, where="currency == 'EUR'") == [10.0]


def test_a_status_that_is_null_is_refused_where_the_policy_needs_it():
    frame = orders(status=["paid", None])
    with pytest.raises(fk.ContractError, match="unknown whether the order counts"):
        fk.evaluate(fk.Shop(orders=frame), "orders")
    assert fk.evaluate(fk.Shop(orders=frame, order_policy="all"), "orders").frame.item() == 2


def test_a_dimension_is_the_tables_own_column_then_the_nearest_parents():
    sessions = pl.DataFrame(
        {"session_id": [1, 2], "started_at": [DAY] * 2, "country": ["PL", "DE"]}
    )
    customers = pl.DataFrame({"customer_id": [5], "country": ["FR"]})
    frame = orders(session_id=[1, 2], customer_id=[5, None])
    shop = fk.Shop(orders=frame, sessions=sessions)
    assert fk.evaluate(shop, "orders", by="country").frame.rows() == [("DE", 1), ("PL", 1)]
    both = fk.Shop(orders=frame, sessions=sessions, customers=customers)
    with pytest.raises(fk.UnknownNameError, match=r"could be .*sessions.country or customers"):
        fk.evaluate(both, "orders", by="country")
    mapped = fk.Dimension("country", orders="customers.country")
    assert fk.evaluate(both, "orders", by=mapped).frame.rows() == [("FR", 1), (None, 1)]


def test_a_dimension_that_is_not_reached_names_the_metric_and_the_candidates():
    with pytest.raises(fk.UnknownNameError, match="average_order_value needs it there") as caught:
        aov(fk.Shop(orders=orders()), by="chanel")
    assert "gross_amount" in caught.value.known


def test_a_closing_balance_is_not_ready_without_the_key_of_what_is_counted():
    """A stock without locations was listed as ready, and asked for them when it was computed."""
    stock = {"snapshot_date": [dt.date(2024, 5, 1)], "product_id": ["p"], "on_hand_units": [10]}
    shop = fk.Shop(inventory_snapshots=pl.DataFrame(stock))
    assert shop.missing("stock_on_hand") == {"inventory_snapshots.location_id"}
    with pytest.raises(fk.MissingInputError, match=r"needed by stock_on_hand \(of one"):
        fk.evaluate(shop, "stock_on_hand")
    of_one = pl.DataFrame(stock).with_columns(location_id=pl.lit("one"))
    assert fk.evaluate(fk.Shop(inventory_snapshots=of_one), "stock_on_hand").frame.item() == 10


@pytest.mark.parametrize(
    ("metric", "table", "column"),
    [
        ("time_to_first_purchase", "sessions", "session_id"),
        ("stock_on_hand", "inventory_snapshots", "location_id"),
        ("stock_on_hand", "inventory_snapshots", "snapshot_date"),
    ],
)
def test_what_is_listed_as_missing_is_what_is_asked_for(metric, table, column):
    frames = {name: frame.collect().head(9) for name, frame in fk.demo().frames.items()}
    shop = fk.Shop(**{**frames, table: frames[table].drop(column)})
    with pytest.raises(fk.MissingInputError) as caught:
        fk.plan(shop, metric)
    assert set(caught.value.missing) == shop.missing(metric) == {f"{table}.{column}"}


def test_metrics_lists_what_is_ready_and_what_the_rest_needs():
    listed = fk.Shop(orders=orders()).metrics()
    ready = listed.filter("is_ready").get_column("metric").to_list()
    assert {"orders", "gross_sales", "discounts", "average_order_value"} <= set(ready)
    missing = dict(listed.select("metric", "missing").iter_rows())
    assert missing["net_sales"] == ["returns"]
    assert missing["customers"] == ["orders.customer_id"]


def test_what_is_missing_comes_with_what_would_do_instead():
    frame = orders().drop("discount_amount")
    with pytest.raises(fk.MissingInputError) as caught:
        fk.evaluate(fk.Shop(orders=frame), ["aov", "customers"])
    text = str(caught.value)
    assert "order_lines: needed by average_order_value (or supply orders.discount_amount)" in text
    assert "orders.customer_id: needed by customers (or supply orders.customer_key" in text


def test_a_column_name_may_be_anything():
    name = 'gift "wrap" ✨ fee.x'
    frame = orders().with_columns(pl.Series(name, [1.0, 2.0]))
    fee = fk.Metric(name="fees", formula=fk.Sum(fk.Orders.column(name, fk.Money)))
    assert fk.evaluate(fk.Shop(orders=frame), fee).frame.item() == 3.0
    assert fk.parse(str(fee.formula)) == fee.formula


def test_a_table_of_ones_own_binds_and_folds():
    class Bills(fk.Table, table="bills", key="bill_id", time="billed_at"):
        """Bills."""

        bill_id = fk.Key()
        billed_at = fk.Time()
        mrr = fk.Money()

    frame = pl.DataFrame({"bill_id": [1, 2], "billed_at": [DAY, DAY], "mrr": [5.0, 6.0]})
    shop = fk.Shop(bills=frame, tables=(Bills,))
    mrr = fk.Metric(name="mrr", formula=fk.Sum(Bills.mrr))
    assert fk.evaluate(shop, mrr, every="1mo").frame.rows() == [(dt.date(2024, 5, 1), 11.0)]
    assert fk.parse(str(mrr.formula), tables=[Bills]) == mrr.formula

"""Cohorts against plain loops, the catalogue's KPIs and published figures."""

import datetime as dt
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk
from data.sql import REAL

SEEDS = st.integers(0, 10_000)
DAY = dt.timedelta(days=1)
FIRST = dt.datetime(2024, 1, 1)


def drawn(seed):
    draw = Random(seed)
    rows = [
        (who, FIRST + draw.randrange(150) * DAY + dt.timedelta(hours=draw.randrange(24)),
         draw.choice("pq"), draw.randrange(100), draw.choice(["paid", "paid", "cancelled"]))
        for who in [*range(12), None]
        for _ in range(draw.randint(1, 5))
    ]  # fmt: skip
    draw.shuffle(rows)
    schema = ["customer_id", "ordered_at", "channel", "gross_amount", "status"]
    return (
        pl.DataFrame(rows, schema, orient="row")
        .with_row_index("order_id")
        .with_columns(pl.lit(0.0).alias("discount_amount"), pl.col("gross_amount").cast(pl.Float64))
    )


def shop_of(orders, **settings):
    return fk.Shop(orders=orders, assume_empty=["returns"], as_of="2024-06-01", **settings)


def histories(orders):
    """The counted orders of each customer, in time."""
    rows = orders.filter(pl.col("status") == "paid", pl.col("customer_id").is_not_null())
    found = {}
    for row in rows.sort("ordered_at", "channel").iter_rows(named=True):
        found.setdefault(row["customer_id"], []).append(row)
    return found


def month(time):
    return time.year * 12 + time.month - 1


def plain_cells(orders, age_of, seen_of):
    """Cells by cohort and age, by a loop over customers."""
    cells = {}
    for history in histories(orders).values():
        first = history[0]["ordered_at"]
        ages = [age_of(first, row["ordered_at"]) for row in history]
        for age in range(seen_of(first) + 1):
            cell = cells.setdefault((first.date().replace(day=1) if age_of is months_since
                                     else label_of(first), age), [0, 0, 0, 0, 0, 0.0])  # fmt: skip
            cell[0] += 1
            cell[1] += age in ages
            cell[2] += max(ages) >= age
            cell[3] += len(ages) > 1 and ages[1] <= age
            cell[4] += ages.count(age)
            cell[5] += sum(row["gross_amount"] for row, own in zip(history, ages, strict=True)
                           if own == age)  # fmt: skip
    return cells


def months_since(first, time):
    return month(time) - month(first)


def thirties_since(first, time):
    return (time - first) // (30 * DAY)


def label_of(first):
    day = (first - dt.datetime(1970, 1, 1)) // DAY
    return dt.date(1970, 1, 1) + (day - day % 30) * DAY


def rows_of(found):
    frame = found.frame
    return {
        (row["cohort"], row["age"]): [
            row["observed"], row["customers"], row["on_or_after"] * row["observed"],
            row["repurchased"] * row["observed"], row["orders"], row["revenue"],
        ]
        for row in frame.iter_rows(named=True)
    }  # fmt: skip


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for key, cell in expected.items():
        assert found[key] == pytest.approx(cell), key


@settings(max_examples=100)
@given(SEEDS)
def test_calendar_cohorts_are_what_a_loop_over_customers_gives(seed):
    orders = drawn(seed)
    found = fk.cohorts(shop_of(orders), every="1mo")
    until = dt.datetime(2024, 5, 31)
    assert_same(rows_of(found), plain_cells(orders, months_since, lambda f: months_since(f, until)))


@settings(max_examples=100)
@given(SEEDS)
def test_rolling_cohorts_count_only_customers_who_have_an_age_behind_them(seed):
    orders = drawn(seed)
    found = fk.cohorts(shop_of(orders), every="30d", periods="rolling")
    until = dt.datetime(2024, 6, 1)
    seen = plain_cells(orders, thirties_since, lambda f: thirties_since(f, until) - 1)
    assert_same(rows_of(found), seen)


@settings(max_examples=30)
@given(SEEDS)
def test_sizes_add_up_to_customers_also_by_acquisition_channel(seed):
    orders = drawn(seed)
    shop = shop_of(orders)
    for by in ((), "channel"):
        found = fk.cohorts(shop, by=by)
        sizes = found.frame.filter(pl.col("age") == 0)["size"].sum()
        assert sizes == fk.evaluate(shop, "customers").frame.item()
    first = {row["customer_id"]: history[0]["channel"] for history in histories(orders).values()
             for row in history}  # fmt: skip
    counted = found.frame.filter(pl.col("age") == 0).group_by("channel").agg(pl.col("size").sum())
    own = list(first.values())
    assert dict(counted.rows()) == {channel: own.count(channel) for channel in set(own)}


def months(name):
    return pl.col(name).dt.year().cast(pl.Int64) * 12 + pl.col(name).dt.month()


def test_the_kpis_of_the_catalogue_give_the_same_numbers():
    names = {
        "cohort_retention": "retention",
        "cohort_retention.on_or_after": "on_or_after",
        "cohort_retention.repurchased": "repurchased",
        "identified_net_sales": "revenue",
        "identified_gross_profit": "margin",
    }
    asked = fk.evaluate(fk.demo(), list(names), by="cohort", every="1mo").frame
    found = fk.cohorts(fk.demo(), every="1mo").frame
    joined = (
        asked.rename(names)
        .drop_nulls("cohort")
        .with_columns(age=(months("period") - months("cohort")).cast(pl.Int64))
    )
    both = found.join(joined, on=["cohort", "age"], how="inner")
    assert both.height == joined.height
    for name in names.values():
        assert both[name].to_list() == pytest.approx(both[f"{name}_right"].to_list()), name


def test_an_amount_that_is_null_adds_nothing_and_a_cost_that_is_leaves_the_margin_open():
    orders = pl.DataFrame(
        {
            "order_id": [1, 2, 3],
            "customer_id": 1,
            "ordered_at": [FIRST, FIRST + 40 * DAY, FIRST + 41 * DAY],
            "gross_amount": [10.0, None, 30.0],
            "discount_amount": [None, 1.0, 2.0],
        }
    )
    lines = pl.DataFrame({"order_line_id": [1, 2, 3], "order_id": [1, 2, 3], "quantity": 1,
                          "unit_cost": [1.0, None, 3.0]})  # fmt: skip
    shop = fk.Shop(orders=orders, order_lines=lines, order_policy="all", assume_empty=["returns"])
    found = fk.cohorts(shop).frame
    names = ["identified_net_sales", "identified_gross_profit"]
    asked = fk.evaluate(shop, names, every="1mo").frame
    assert found["revenue"].to_list() == asked[names[0]].to_list() == [10.0, 27.0]
    assert found["margin"].to_list() == asked[names[1]].to_list() == [9.0, None]


def test_cells_whose_time_has_not_come_are_null_and_the_average_is_weighted():
    found = fk.cohorts(fk.demo(), every="1q")
    triangle = found.triangle()
    assert [triangle[age].null_count() for age in ("0", "1", "2", "3")] == [0, 1, 2, 3]
    sizes, ones = triangle["size"][:-1], triangle["1"][:-1]
    mean = found.average()["retention"][1]
    assert mean == pytest.approx((sizes * ones).sum() / sizes.sum())


def test_an_open_period_is_marked_and_kept_out_of_the_average():
    orders = drawn(1)
    found = fk.cohorts(fk.Shop(orders=orders, assume_empty=["returns"], as_of="2024-05-15"))
    open_cells = found.frame.filter("is_incomplete")
    last = open_cells["cohort"].dt.month().cast(pl.Int64) + open_cells["age"]
    assert set(last) == {5}
    assert found.average()["age"].max() == 3
    note = "The last period is not over"
    assert note in repr(found)
    assert note not in repr(fk.cohorts(shop_of(orders)))


def test_periods_after_the_as_of_moment_are_open_too():
    found = fk.cohorts(fk.Shop(orders=drawn(1), assume_empty=["returns"], as_of="2024-03-15"))
    is_open = found.frame.select(
        (pl.col("cohort").dt.month().cast(pl.Int64) + pl.col("age") >= 3) == pl.col("is_incomplete")
    )
    assert is_open.to_series().all()
    assert found.average()["age"].max() == 1


def test_bad_questions():
    shop = shop_of(drawn(1))
    for measure in (None, 5, ["retention"]):
        with pytest.raises(fk.DefinitionError, match="measure is a"):
            fk.cohorts(shop).triangle(measure=measure)
    for arguments in ({"periods": "odd"}, {"periods": "rolling"}, {"every": "6h"}):
        with pytest.raises(fk.DefinitionError):
            fk.cohorts(shop, **arguments)
    with pytest.raises(fk.UnknownNameError, match="retention"):
        fk.cohorts(shop).triangle(measure="retenton")
    with pytest.raises(fk.DefinitionError, match="revenue_per_customer"):
        fk.cohorts(shop).average(measure="revenue")
    with pytest.raises(fk.DefinitionError, match="bind the frames"):
        fk.cohorts(drawn(1))
    with pytest.raises(fk.MissingInputError, match="orders"):
        fk.cohorts(fk.Shop(events=pl.DataFrame({"visitor_id": [1]})))


def test_amounts_of_two_currencies_are_not_added():
    orders = drawn(1).with_columns(pl.Series("currency", ["PLN", "EUR"]).sample(
        drawn(1).height, with_replacement=True, seed=1))  # fmt: skip
    with pytest.raises(fk.ContractError, match="currenc"):
        fk.cohorts(shop_of(orders, currency="PLN"))


def test_no_orders_give_no_cohorts():
    found = fk.cohorts(shop_of(drawn(1).filter(pl.col("order_id") > 1000)))
    assert found.frame.is_empty()
    assert "no rows" in repr(found)


def test_december_2010_of_online_retail_as_published():
    path = REAL / "online_retail_uci.parquet"
    if not path.exists():
        pytest.skip("the real data sets are not here")
    rows = pl.read_parquet(path).drop_nulls("CustomerID")
    orders = rows.group_by("InvoiceNo").agg(
        ordered_at=pl.col("InvoiceDate").min(), customer_id=pl.col("CustomerID").max()
    )
    shop = fk.Shop(orders=orders.rename({"InvoiceNo": "order_id"}), order_policy="all")
    found = fk.cohorts(shop, every="1mo").frame.filter(pl.col("cohort") == dt.date(2010, 12, 1))
    assert found["customers"].to_list() == [
        948, 362, 317, 367, 341, 376, 360, 336, 336, 374, 354, 474, 260,
    ]  # fmt: skip
    assert found["is_incomplete"].to_list() == [False] * 12 + [True]


def test_the_customers_of_cdnow():
    path = REAL / "cdnow_master_transactions.parquet"
    if not path.exists():
        pytest.skip("the real data sets are not here")
    rows = pl.read_parquet(path)
    names = dict(zip(rows.columns[:2], ["customer_id", "ordered_at"], strict=True))
    orders = rows.rename(names).select(*names.values()).with_row_index("order_id")
    if orders["ordered_at"].dtype not in (pl.Date, pl.Datetime("us")):
        orders = orders.with_columns(pl.col("ordered_at").cast(pl.String).str.to_date("%Y%m%d"))
    found = fk.cohorts(fk.Shop(orders=orders, order_policy="all"), every="1q")
    assert found.frame.filter(pl.col("age") == 0)["size"].to_list() == [23_570]


def test_an_order_after_exactly_one_rolling_period_is_in_the_next():
    times = [FIRST, FIRST + 30 * DAY - dt.timedelta(microseconds=1), FIRST + 30 * DAY]
    orders = pl.DataFrame({"order_id": [1, 2, 3], "customer_id": 1, "ordered_at": times})
    shop = fk.Shop(orders=orders, order_policy="all", as_of="2024-06-01")
    found = fk.cohorts(shop, every="30d", periods="rolling").frame
    assert found["orders"].to_list()[:2] == [2, 1]


def test_orders_dated_by_the_day_roll_in_days_and_do_not_meet_returns_with_times():
    times = [dt.date(2024, 3, 1), dt.date(2024, 3, 31), dt.date(2024, 4, 30)]
    orders = pl.DataFrame({"order_id": [1, 2, 3], "customer_id": 1, "ordered_at": times,
                           "gross_amount": 10.0, "discount_amount": 0.0})  # fmt: skip
    settings = {"order_policy": "all", "as_of": "2024-06-01", "time_zone": "Europe/Warsaw"}
    shop = fk.Shop(orders=orders, assume_empty=["returns"], **settings)
    found = fk.cohorts(shop, every="30d", periods="rolling").frame
    assert found["orders"].to_list() == [1, 1, 1]
    returns = pl.DataFrame({"return_id": [1], "order_id": [1], "returned_at": [FIRST + 70 * DAY],
                            "refund_amount": [1.0]})  # fmt: skip
    mixed = fk.Shop(orders=orders, returns=returns, **settings)
    with pytest.raises(fk.DefinitionError, match="one has days and the other times"):
        fk.cohorts(mixed, every="30d", periods="rolling")
    assert fk.cohorts(mixed).frame["revenue"].sum() == 29.0

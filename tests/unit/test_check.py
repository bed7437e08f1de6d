"""What `Shop.check` finds in data, and what refuses a number."""

import datetime as dt
import math

import polars as pl
import pytest

import funnelkit as fk

DAY = dt.datetime(2024, 5, 1)


def orders(**columns):
    rows = len(next(iter(columns.values()), [1, 2, 3]))
    plain = {
        "order_id": list(range(1, rows + 1)),
        "ordered_at": [DAY] * rows,
        "status": ["paid"] * rows,
        "gross_amount": [10.0] * rows,
        "discount_amount": [0.0] * rows,
    }
    return pl.DataFrame({**plain, **columns})


def lines(**columns):
    plain = {
        "order_line_id": [1, 2],
        "order_id": [1, 1],
        "quantity": [1, 1],
        "unit_price": [5.0, 5.0],
    }
    return pl.DataFrame({**plain, **columns})


def returns(**columns):
    plain = {"return_id": [1], "order_id": [1], "returned_at": [DAY], "refund_amount": [1.0]}
    return pl.DataFrame({**plain, **columns})


CASES = {
    "double": ({"orders": orders(order_id=[1, 2, 2])}, "error", "order_id is not unique", "2"),
    "null key": ({"orders": orders(order_id=[1, 2, None])}, "error", "order_id is null", ""),
    "status": (
        {"orders": orders(status=["paid", "shipped"])},
        "error",
        "status is not a known word",
        "'shipped' (1)",
    ),
    "no status": ({"orders": orders(status=["paid", None])}, "error", "status is null", "None"),
    "nan": ({"orders": orders(gross_amount=[1.0, math.nan])}, "warning", "NaN or infinite", "nan"),
    "infinite": ({"orders": orders(gross_amount=[1.0, math.inf])}, "warning", "infinite", "inf"),
    "below zero": ({"orders": orders(gross_amount=[1.0, -2.0])}, "warning", "below zero", "-2.0"),
    "discount": ({"orders": orders(discount_amount=[0.0, 11.0])}, "warning", "above gross", "11.0"),
    "line discount": (
        {"order_lines": lines(discount_amount=[0.0, 6.0])},
        "warning",
        "discount_amount is above quantity × unit_price",
        "6.0",
    ),
    "currencies": (
        {"orders": orders(currency=["PLN", "PLN", "EUR"])},
        "error",
        "currency is mixed",
        "PLN, EUR",
    ),
    "orphan": (
        {"orders": orders(), "order_lines": lines(order_id=[1, 9])},
        "warning",
        "order_id points to no row of orders",
        "9",
    ),
    "returned": (
        {"order_lines": lines(), "returns": returns(order_line_id=[2], quantity=[2])},
        "warning",
        "quantity returned is more than was sold of a order_line_id",
        "(2, 2.0, 1.0)",
    ),
    "returned of an order": (
        {"order_lines": lines(), "returns": returns(quantity=[4])},
        "warning",
        "quantity returned is more than was sold of a order_id",
        "(1, 4.0, 2.0)",
    ),
    "cost": (
        {
            "marketing_costs": pl.DataFrame(
                {
                    "cost_id": [1],
                    "period_start": [DAY],
                    "period_end": [DAY - dt.timedelta(days=1)],
                    "amount": [5.0],
                }
            )
        },
        "error",
        "period_end lies before period_start",
        "2024, 4, 30",
    ),
    "parcel": (
        {
            "orders": orders(),
            "shipments": pl.DataFrame(
                {"shipment_id": [1], "order_id": [1], "shipped_at": [DAY - dt.timedelta(days=1)]}
            ),
        },
        "warning",
        "shipped_at lies before the order",
        "2024, 4, 30",
    ),
    "end of a session": (
        {
            "sessions": pl.DataFrame(
                {
                    "session_id": [1],
                    "visitor_id": ["v"],
                    "started_at": [DAY],
                    "ended_at": [DAY - dt.timedelta(days=1)],
                }
            )
        },
        "warning",
        "ended_at lies before started_at",
        "2024, 4, 30",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_found_with_its_severity_and_a_sample(case):
    frames, severity, check, sample = CASES[case]
    found = fk.Shop.bind(frames).check()
    assert found.columns == ["table", "check", "severity", "rows", "sample", "remedy"]
    (row,) = found.filter(pl.col("check").str.contains(check, literal=True)).rows(named=True)
    assert (row["severity"], row["rows"]) == (severity, 1)
    assert sample in row["sample"]
    assert row["remedy"]


def test_a_shop_without_faults_has_no_findings():
    whole = {"orders": orders(), "order_lines": lines(), "returns": returns()}
    assert fk.Shop.bind(whole).check().is_empty()
    assert fk.demo().check().is_empty()


@pytest.mark.parametrize(("gross", "found"), [(10.05, 0), (12.3, 1), (9.0, 1)])
@pytest.mark.parametrize("kinds", [{}, {"line_type": ["product", None]}])
def test_an_amount_that_is_not_the_sum_of_its_lines_is_told(gross, found, kinds):
    frames = {"orders": orders(gross_amount=[gross, 1.0, 1.0]), "order_lines": lines(**kinds)}
    rows = fk.Shop.bind(frames).check().select("check", "rows", "sample").rows()
    told = "gross_amount is not the sum of quantity × unit_price of its product lines"
    assert rows == [(told, 1, f"(1, {gross}, 10.0)")] * found


def test_a_column_under_nearly_its_name_is_told():
    visits = {"session_id": [1], "visitor_id": ["v"], "started_at": [DAY], "isBot": [True]}
    shop = fk.Shop(sessions=pl.DataFrame(visits))
    (row,) = shop.check().rows(named=True)
    assert row["check"] == "is_bot is not supplied, but 'isBot' is, which is not read"
    assert row["remedy"] == "rename it: rename={'sessions': {'isBot': 'is_bot'}}"
    named = fk.Shop(sessions=pl.DataFrame(visits), rename={"sessions": {"isBot": "is_bot"}})
    assert named.check().is_empty()


@pytest.mark.parametrize(
    ("table", "columns", "told"),
    [
        ("orders", orders(is_counted=[True, None]), "is_counted is null, and read as false"),
        (
            "search_interest",
            pl.DataFrame({"date": [DAY.date()], "brand_queries": [9], "category_queries": [5]}),
            "brand_queries is above category_queries",
        ),
    ],
)
def test_what_makes_a_number_doubtful_is_told(table, columns, told):
    (row,) = fk.Shop.bind({table: columns}).check().rows(named=True)
    assert row["check"].startswith(told)


def test_everything_is_found_at_once_and_errors_come_first():
    frame = orders(order_id=[1, 1, 3], gross_amount=[-1.0, 1.0, math.nan])
    found = fk.Shop(orders=frame).check()
    assert found["severity"].to_list() == ["error", *["warning"] * 4]


def test_the_worst_is_shown_first_with_what_to_do():
    frame = orders(order_id=[1, 1, 3], gross_amount=[-1.0, -2.0, math.nan], status=["<b>"] * 3)
    report = fk.Shop(orders=frame).check()
    lines = repr(report).splitlines()
    assert lines[0].startswith("2 errors and 4 warnings; errors prevent numbers")
    assert lines[1].startswith("error    orders.status is not a known word")
    assert lines[1].endswith("in 3 rows, such as '<b>'") or "in 3 rows" in lines[1] + lines[2]
    assert any(line.startswith("         → ") for line in lines)
    rows = report["rows"].to_list()
    assert rows[:2] == sorted(rows[:2], reverse=True)
    html = report._repr_html_()
    assert html.count('<th scope="row"') == len(report) == 6
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert repr(fk.demo().check()) == "no errors or warnings"


def test_findings_that_are_warnings_do_not_refuse_a_number():
    shop = fk.Shop(orders=orders(gross_amount=[10.0, -2.0], discount_amount=[0.0, 0.0]))
    assert fk.evaluate(shop, "gross_sales").frame.item() == 8.0


def test_an_unknown_status_is_refused_unless_the_policy_has_its_own_words():
    frame = orders(status=["paid", "shipped", "canceled"])
    with pytest.raises(
        fk.ContractError, match=r"orders.status: is not a known word.*'shipped' \(1\)"
    ):
        fk.evaluate(fk.Shop(orders=frame), "orders")
    own = fk.OrderPolicy(
        name="own",
        counted_orders=~fk.Orders.status.eq("canceled"),
        counted_returns=fk.Returns.return_id.is_not_null(),
    )
    assert fk.evaluate(fk.Shop(orders=frame, order_policy=own), "orders").frame.item() == 2
    assert fk.evaluate(fk.Shop(orders=frame, order_policy="all"), "orders").frame.item() == 3
    counted = frame.with_columns(is_counted=pl.Series([True, False, True]))
    assert fk.evaluate(fk.Shop(orders=counted), "orders").frame.item() == 2


# --- currencies ----------------------------------------------------------------------------------

MIXED = pl.DataFrame(
    {
        "order_id": [1, 2, 3, 4],
        "ordered_at": [dt.datetime(2024, 1, day) for day in (1, 2, 6, 9)],
        "status": ["paid"] * 4,
        "gross_amount": [10.0] * 4,
        "discount_amount": [0.0, 0.0, 1.0, 0.0],
        "currency": ["PLN", "EUR", "EUR", "USD"],
    }
)
RATES = pl.DataFrame(
    {
        "date": [dt.date(2024, 1, 1), dt.date(2024, 1, 5), dt.date(2024, 1, 8)],
        "currency": ["EUR", "EUR", "USD"],
        "rate": [4.3, 4.5, 3.9],
    }
)


def test_each_amount_is_converted_at_the_rate_of_its_own_day():
    back = pl.DataFrame(
        {
            "return_id": [1],
            "order_id": [2],
            "returned_at": [MIXED["ordered_at"][2]],
            "refund_amount": 5.0,
        }
    )
    shop = fk.Shop(orders=MIXED, returns=back, exchange_rates=RATES, currency="PLN")
    by = fk.evaluate(shop, ["gross_sales", "discounts", "returns_value"], by="currency").frame
    assert by["gross_sales"].to_list() == pytest.approx([43.0 + 45.0, 10.0, 39.0])
    assert by["discounts"].to_list() == pytest.approx([4.5, 0.0, 0.0])
    assert by["returns_value"].to_list() == pytest.approx([5 * 4.5, 0.0, 0.0])
    assert fk.evaluate(shop, "gross_sales").frame.item() == pytest.approx(137.0)


def test_a_rate_beside_the_amount_wins():
    beside = MIXED.with_columns(fx_rate=pl.Series([1.0, 2.0, 2.0, 3.0]))
    shop = fk.Shop(orders=beside, exchange_rates=RATES, currency="PLN")
    assert fk.evaluate(shop, "gross_sales").frame.item() == pytest.approx(80.0)


def test_lines_are_converted_as_their_orders_are():
    bare = MIXED.drop("gross_amount", "discount_amount")
    rows = lines(order_id=[1, 2], quantity=[1, 2])
    shop = fk.Shop(orders=bare, order_lines=rows, exchange_rates=RATES, currency="PLN")
    assert fk.evaluate(shop, "gross_sales").frame.item() == pytest.approx(5.0 + 10.0 * 4.3)


@pytest.mark.parametrize(
    ("orders", "rates"),
    [
        (MIXED, RATES.head(2)),
        (MIXED, RATES.with_columns(pl.col("date") - dt.timedelta(days=8))),
        (MIXED.with_columns(fx_rate=pl.Series([1.0, None, 2.0, 3.0])), None),
    ],
)
def test_an_amount_without_a_rate_is_refused(orders, rates):
    tables = {"orders": orders} if rates is None else {"orders": orders, "exchange_rates": rates}
    shop = fk.Shop.bind(tables, currency="PLN")
    with pytest.raises(fk.ContractError, match=r"orders.fx_rate: is null in \d row"):
        fk.evaluate(shop, "gross_sales")


def test_mixed_currencies_without_rates_are_refused_but_by_currency():
    shop = fk.Shop(orders=MIXED, currency="PLN")
    with pytest.raises(fk.ContractError, match="holds EUR and USD"):
        fk.evaluate(shop, "gross_sales")
    assert fk.evaluate(shop, "gross_sales", by="currency").frame["gross_sales"].sum() == 40


def test_amounts_of_seven_digits_are_found_and_added_with_sixteen():
    amounts = pl.Series([29.99, 0.01, 16_777.25] * 1_000, dtype=pl.Float32)
    shop = fk.Shop(orders=orders(gross_amount=amounts))
    (row,) = shop.check().filter(pl.col("check").str.contains("29.99")).rows(named=True)
    assert (row["table"], row["severity"], row["rows"]) == ("orders", "warning", 3_000)
    total = fk.evaluate(shop, "gross_sales").frame.item()
    assert total == pytest.approx(amounts.cast(pl.Float64).sum(), rel=1e-15)


def test_decimals_are_read_as_the_nearest_floats():
    amounts = pl.Series(["29.99", "0.01"]).str.to_decimal(scale=2)
    shop = fk.Shop(orders=orders(gross_amount=amounts))
    assert fk.evaluate(shop, "gross_sales").frame.item() == 29.99 + 0.01
    assert shop.check().is_empty()


def test_an_order_of_which_it_is_unknown_whether_it_counts_does_not_and_is_found():
    shop = fk.Shop(orders=orders(is_counted=[True, None, None]))
    assert fk.evaluate(shop, "orders").frame.item() == 1
    (found,) = shop.check().filter(pl.col("check").str.starts_with("is_counted")).rows(named=True)
    assert (found["severity"], found["rows"]) == ("warning", 2)


def test_orders_of_an_unknown_channel_are_found_and_listed_where_they_are_left_out():
    sessions = pl.DataFrame({"session_id": [1, 2], "started_at": [DAY] * 2})
    placed = orders(sales_channel=["online", None, "pos"])
    shop = fk.Shop(orders=placed, sessions=sessions)
    result = fk.evaluate(shop, ("orders_per_session", "orders"), exclusions=True)
    assert result.frame.row(0) == (0.5, 3)
    left_out = result.exclusions.drop_nulls("rows").select("metric", "reason", "rows", "of")
    assert left_out.rows() == [("orders_per_session", "no orders.sales_channel", 1, 3)]
    assert shop.check().select("table", "severity", "rows").rows() == [("orders", "warning", 1)]
    told = fk.Shop(orders=placed.with_columns(session_id=pl.lit(1)), sessions=sessions)
    assert told.check().is_empty()
    assert fk.evaluate(told, "orders_per_session").frame.item() == 1.5

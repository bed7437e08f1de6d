"""What is not supplied counts as a constant, and every number names what it takes for granted."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk
from funnelkit.formula.derived import Default
from funnelkit.schema.derivations import RULES
from funnelkit.schema.tables import TABLES

DAY = dt.datetime(2024, 1, 1)
ASSUMED = {
    column: rule.value
    for column, rules in RULES.items()
    for rule in rules
    if isinstance(rule, Default) and column in rule.absent
}


def shop(**returns):
    orders = pl.DataFrame(
        {
            "order_id": range(1, 6),
            "ordered_at": [DAY + dt.timedelta(days=n) for n in range(5)],
            "status": "paid",
            "is_gift_card_only": False,
            **dict.fromkeys(("gross_amount", "tax_amount", "shipping_amount"), [20.0] * 5),
            **dict.fromkeys(("discount_amount", "duties_amount", "fees_amount"), [0.0] * 5),
        }
    )
    refund = {"return_id": [1], "order_id": [5], "returned_at": [DAY], "refund_amount": [20.0]}
    rest = {"kind": ["return"], "is_of_product": [True], "refund_shipping": [0.0]}
    return fk.Shop(orders=orders, returns=pl.DataFrame(refund | rest | returns))


def holds(column, value):
    return column.eq(value) if not isinstance(value, bool) else column if value else ~column


def assumed(result, metric):
    found = result.exclusions.filter(pl.col("metric") == metric, pl.col("rows").is_null())
    return found.select("table", "reason").rows()


def test_a_refunded_tax_that_is_not_supplied_is_0_and_is_named_for_the_metrics_that_read_it():
    result = fk.evaluate(shop(), ["total_sales", "net_sales", "orders"], exclusions=True)
    assert result.frame.row(0) == (280.0, 80.0, 5)
    assert assumed(result, "total_sales") == [("returns", "assumed: returns.refund_tax is 0.0")]
    assert assumed(result, "net_sales") == assumed(result, "orders") == []
    assert "assumed: returns.refund_tax is 0.0 (total_sales)" in repr(result)
    assert "returns.refund_tax is 0.0: assumed for total_sales" in result.explain()
    assert "assumes       returns.refund_tax is 0.0" in str(result.card("total_sales"))
    assert "assumes" not in str(result.card("net_sales"))
    with pytest.raises(fk.UnknownNameError, match="metric of the result named 'aov'"):
        result.card("aov")


def test_a_refunded_tax_that_is_supplied_is_deducted_and_nothing_is_assumed():
    result = fk.evaluate(shop(refund_tax=[5.0]), "total_sales", exclusions=True)
    assert result.frame.item() == 275.0
    assert assumed(result, "total_sales") == []


def test_a_table_that_is_assumed_empty_is_named():
    orders = shop().tables["orders"].frame
    result = fk.evaluate(fk.Shop(orders=orders, assume_empty=["returns"]), "net_sales")
    assert list(result.plan.assumptions()) == ["returns has no rows"]
    assert result.frame.item() == 100.0


def test_what_is_assumed_far_away_is_named_too():
    """The gross amount of an order is that of its lines, which are all products if none says so."""
    orders = pl.DataFrame({"order_id": [1], "ordered_at": [DAY], "status": "paid"})
    line = {"order_line_id": [1], "order_id": [1], "quantity": [1], "unit_price": [100.0]}
    found = fk.evaluate(fk.Shop(orders=orders, order_lines=pl.DataFrame(line)), "discounts")
    assert found.frame.item() == 0
    assert set(found.plan.assumptions()) >= {
        "order_lines.discount_amount is 0.0",
        "order_lines.line_type is 'product'",
    }


@pytest.mark.parametrize("column", ASSUMED, ids=str)
def test_a_column_that_is_not_supplied_counts_as_if_it_held_what_is_assumed(column):
    value, table = ASSUMED[column], TABLES[column.table]
    frame = pl.DataFrame({name: [f"{name} {n}" for n in range(3)] for name in table.key})
    metric = fk.Metric(name="m", formula=fk.Count(table, where=holds(column, value)))
    for supplied, assumptions in (
        (frame, [f"{column} is {value!r}"]),
        (frame.with_columns(pl.lit(value).alias(column.name)), []),
    ):
        result = fk.evaluate(fk.Shop.bind({column.table: supplied}), metric)
        assert result.frame.item() == 3
        assert list(result.plan.assumptions()) == assumptions

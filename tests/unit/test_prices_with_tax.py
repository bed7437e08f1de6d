"""Prices that include tax: what is not tax is found by the tax of the line, else of the order.

23 % of tax is in them: 1.23 paid are 1.00 of price and 0.23 of tax.
"""

import datetime as dt

import duckdb
import polars as pl
import pytest

import funnelkit as fk

DAY = dt.datetime(2024, 5, 1)
ORDERS = pl.DataFrame(
    {
        "order_id": ["a", "b"],
        "ordered_at": [DAY, DAY],
        "status": ["paid", "paid"],
        "shipping_amount": [12.3, 5.0],
        "discount_amount": [12.3, 0.0],
        "tax_amount": [(123 - 12.3 + 12.3) * 23 / 123, 0.0],
    }
)
LINES = pl.DataFrame(
    {
        "order_line_id": [1, 2, 3],
        "order_id": ["a", "a", "b"],
        "product_id": ["x", "y", "x"],
        "quantity": [1, 1, 2],
        "price": [61.5, 61.5, 10.0],
    }
)
RETURNS = pl.DataFrame(
    {
        "return_id": [1],
        "order_id": ["a"],
        "returned_at": [DAY],
        "quantity": [1],
        "refund_amount": [24.6],
    }
)
FRAMES = {"orders": ORDERS, "order_lines": LINES, "returns": RETURNS}
RENAME = {"order_lines": {"price": "unit_price"}}
HAND = {
    "gross_sales": 50 + 50 + 2 * 10,  # b is not taxed
    "discounts": 10,
    "returns_value": 20,
    "net_sales": 120 - 10 - 20,
    "average_order_value": (120 - 10) / 2,
}


def values(shop, names=HAND, **question):
    row = fk.evaluate(shop, list(names), **question).frame.row(0, named=True)
    return {name: row[name] for name in names}


def test_tax_of_orders_is_taken_out_of_all_their_amounts():
    shop = fk.Shop(**FRAMES, rename=RENAME, prices_include_tax=True)
    assert values(shop) == pytest.approx(HAND)
    shipping = fk.Metric(name="shipping", formula=fk.Sum(fk.Orders.shipping_amount))
    assert fk.evaluate(shop, shipping).frame.item() == pytest.approx(10 + 5)


def test_a_database_computes_the_same():
    database = fk.DuckDB(duckdb.connect())
    shop = fk.Shop.on(database, **FRAMES, rename=RENAME, prices_include_tax=True)
    assert values(shop) == pytest.approx(HAND)


def test_tax_of_lines_is_that_of_each():
    lines = LINES.with_columns(tax_amount=pl.Series([11.5, 61.5 * 8 / 108, 0.0]))
    orders = ORDERS.select("order_id", "ordered_at", "status")
    returns = RETURNS.with_columns(refund_tax=pl.lit(4.6))
    frames = {"orders": orders, "order_lines": lines, "returns": returns}
    shop = fk.Shop(**frames, rename=RENAME, prices_include_tax=True)
    gross = 50 + 61.5 / 1.08 + 20
    expected = {"gross_sales": gross, "discounts": 0, "returns_value": 20, "net_sales": gross - 20}
    assert values(shop, expected) == pytest.approx(expected)


def test_categories_add_up_to_the_total():
    shop = fk.Shop(**FRAMES, rename=RENAME, prices_include_tax=True)
    found = fk.evaluate(shop, ["gross_sales", "discounts"], by="product_id").frame
    assert found.get_column("gross_sales").to_list() == pytest.approx([50 + 20, 50])
    assert found.get_column("discounts").to_list() == pytest.approx([5, 5])


def test_an_unknown_tax_is_an_error():
    orders = ORDERS.with_columns(tax_amount=pl.Series([None, 0.0]))
    shop = fk.Shop(**{**FRAMES, "orders": orders}, rename=RENAME, prices_include_tax=True)
    with pytest.raises(fk.ContractError, match="how much of the price is tax"):
        fk.evaluate(shop, "gross_sales")


@pytest.mark.parametrize("tax", [-23.0, 230.0])
@pytest.mark.parametrize("more", [["shipping_amount"], []])
def test_a_tax_that_is_no_part_of_the_price_is_refused(tax, more):
    """A tax with a minus before it would be added to sales."""
    orders = ORDERS.with_columns(tax_amount=pl.Series([tax, 0.0])).drop(more)
    shop = fk.Shop(**{**FRAMES, "orders": orders}, rename=RENAME, prices_include_tax=True)
    with pytest.raises(fk.ContractError, match=r"orders.tax_amount: is not a part of the price"):
        fk.evaluate(shop, "gross_sales")


def test_a_refund_of_an_unknown_order_is_not_left_out():
    """Without the order, its share of tax is not known: the refund used to count 0."""
    lost = RETURNS.with_columns(order_id=pl.lit("?"))
    shop = fk.Shop(**{**FRAMES, "returns": lost}, rename=RENAME, prices_include_tax=True)
    with pytest.raises(fk.ContractError, match="holds an unknown share of tax"):
        fk.evaluate(shop, "returns_value")
    taxed = lost.with_columns(refund_tax=pl.lit(4.6))
    shop = fk.Shop(**{**FRAMES, "returns": taxed}, rename=RENAME, prices_include_tax=True)
    assert values(shop, ["returns_value"]) == {"returns_value": pytest.approx(20)}


def test_without_a_tax_it_is_missing():
    orders = ORDERS.drop("tax_amount")
    shop = fk.Shop(**{**FRAMES, "orders": orders}, rename=RENAME, prices_include_tax=True)
    with pytest.raises(fk.MissingInputError, match="tax_amount"):
        fk.evaluate(shop, "gross_sales")


def test_without_the_setting_amounts_are_taken_as_they_are():
    assert values(fk.Shop(**FRAMES, rename=RENAME))["gross_sales"] == pytest.approx(143)


def test_a_setting_that_is_no_flag_is_an_error():
    with pytest.raises(fk.DefinitionError, match="prices_include_tax='yes'"):
        fk.Shop(**FRAMES, prices_include_tax="yes")

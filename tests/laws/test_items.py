"""What is of orders, by what their lines have: divided amounts, and orders in each group."""

import datetime as dt
from collections import defaultdict

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funnelkit as fk

NOON = dt.datetime(2024, 5, 1, 12)
CATEGORY = {"a": "bags", "b": "bags", "c": "shoes", "d": None}
CENTS = st.integers(0, 5_000).map(lambda cents: cents / 100)

lines = st.fixed_dictionaries(
    {
        "product_id": st.sampled_from([*CATEGORY, "unknown"]),
        "quantity": st.integers(0, 3),
        "unit_price": CENTS,
        "discount_amount": CENTS,
        "line_type": st.sampled_from(["product", "Product ", None, "gift_card"]),
    }
)
orders = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["paid", "paid", "cancelled"]),
        "customer_id": st.sampled_from(["x", "y", None]),
        "discount_amount": CENTS,
        "lines": st.lists(lines, min_size=1, max_size=4),
    }
)
ORDER_TYPES = {
    "order_id": pl.Int64,
    "ordered_at": pl.Datetime("us"),
    "status": pl.String,
    "customer_id": pl.String,
    "discount_amount": pl.Float64,
}
LINE_TYPES = {
    "order_line_id": pl.Int64,
    "order_id": pl.Int64,
    "product_id": pl.String,
    "quantity": pl.Int64,
    "unit_price": pl.Float64,
    "discount_amount": pl.Float64,
    "line_type": pl.String,
}


def rows_of(drawn):
    placed = [
        {"order_id": number, "ordered_at": NOON, **order} for number, order in enumerate(drawn)
    ]
    sold = [{"order_id": order["order_id"], **line} for order in placed for line in order["lines"]]
    return placed, [{"order_line_id": number, **line} for number, line in enumerate(sold)]


def shop_of(drawn):
    placed, sold = rows_of(drawn)
    products = {"product_id": [*CATEGORY], "category": [*CATEGORY.values()]}
    return fk.Shop(
        orders=pl.DataFrame(placed, schema=ORDER_TYPES),
        order_lines=pl.DataFrame(sold, schema=LINE_TYPES),
        products=pl.DataFrame(products),
    )


def is_product(line):
    return line["line_type"] != "gift_card"


def shares(of_order):
    """What part of an order-level amount each line takes: by value, or alike if worth nothing."""
    values = [line["quantity"] * line["unit_price"] for line in of_order]
    if sum(values) == 0:
        return [1 / len(of_order) for _ in of_order]
    return [value / sum(values) for value in values]


def by_hand(drawn):
    found = defaultdict(lambda: {"gross": 0.0, "less": 0.0, "orders": set(), "customers": set()})
    for number, order in enumerate(drawn):
        goods = [line for line in order["lines"] if is_product(line)]
        if order["status"] == "cancelled" or not goods:
            continue
        rest = order["discount_amount"] - sum(line["discount_amount"] for line in goods)
        for line, share in zip(goods, shares(goods), strict=True):
            group = found[CATEGORY.get(line["product_id"])]
            group["gross"] += line["quantity"] * line["unit_price"]
            group["less"] += line["discount_amount"] + rest * share
            group["orders"].add(number)
            group["customers"] |= {order["customer_id"]} - {None}
    return found


@given(drawn=st.lists(orders, min_size=1, max_size=5))
def test_categories_are_as_by_hand_and_their_amounts_add_up(drawn):
    shop = shop_of(drawn)
    names = ["gross_sales", "discounts", "orders", "customers"]
    by_category = fk.evaluate(shop, names, by="category").frame
    hand = by_hand(drawn)
    assert set(by_category["category"]) == set(hand)
    for category, gross, less, count, customers in by_category.rows():
        group = hand[category]
        assert gross == pytest.approx(group["gross"])
        assert less == pytest.approx(group["less"], abs=1e-9)
        assert (count, customers) == (len(group["orders"]), len(group["customers"]))
    whole = fk.evaluate(shop, names).frame.row(0, named=True)
    of_goods = sum(
        order["discount_amount"]
        for order in drawn
        if order["status"] == "paid" and any(map(is_product, order["lines"]))
    )
    assert by_category["gross_sales"].sum() == pytest.approx(whole["gross_sales"])
    assert by_category["discounts"].sum() == pytest.approx(of_goods, abs=1e-9)
    assert max(by_category["orders"], default=0) <= whole["orders"]


@given(drawn=st.lists(orders, min_size=1, max_size=5))
def test_a_condition_on_lines_is_the_group_of_them(drawn):
    shop, names = shop_of(drawn), ["gross_sales", "discounts", "orders"]
    groups = fk.evaluate(shop, names, by="category").frame.filter(category="bags").drop("category")
    alone = fk.evaluate(shop, names, where="category == 'bags'").frame
    (found,) = alone.rows()
    assert found == pytest.approx(groups.row(0) if groups.height else (0.0, 0.0, 0))


LINE = {"product_id": "a", "quantity": 1, "unit_price": 10.0, "discount_amount": 0.0}
GOODS = LINE | {"line_type": "product"}
ORDER = {"status": "paid", "customer_id": "x", "discount_amount": 3.0}


def test_an_order_is_in_each_of_its_categories_and_is_never_added_up():
    shop = shop_of([ORDER | {"lines": [GOODS, GOODS, GOODS | {"product_id": "c"}]}])
    result = fk.evaluate(shop, ["orders", "gross_sales", "discounts"], by="category")
    assert result.frame.rows() == [("bags", 1, 20.0, 2.0), ("shoes", 1, 10.0, 1.0)]
    with pytest.raises(fk.UnsupportedError, match="orders cannot be rolled up over category"):
        result.rollup()
    amounts = fk.evaluate(shop, ["gross_sales", "discounts"], by="category")
    assert amounts.rollup().frame.rows() == [(30.0, 3.0)]
    with pytest.raises(fk.DefinitionError, match="no part of a whole"):
        fk.evaluate(
            shop, fk.Metric(name="m", formula=fk.ShareOfTotal(fk.Count(fk.Orders))), by="category"
        )


def test_amounts_that_lines_supply_are_those_of_their_orders_too():
    placed, sold = rows_of([ORDER | {"lines": [GOODS, GOODS | {"product_id": "c"}]}])
    shop = fk.Shop(
        orders=pl.DataFrame(placed).drop("lines"),
        order_lines=pl.DataFrame(sold).with_columns(gross_amount=pl.Series([7.0, 2.0])),
        products=pl.DataFrame({"product_id": ["a", "c"], "category": ["bags", "shoes"]}),
    )
    by_category = fk.evaluate(shop, "gross_sales", by="category").frame
    assert by_category.rows() == [("bags", 7.0), ("shoes", 2.0)]
    assert fk.evaluate(shop, "gross_sales").frame.item() == 9.0


@pytest.mark.parametrize(
    "formula", ["sum(orders.shipping_amount)", "max(orders.gross_amount)", "max(orders.tax_amount)"]
)
def test_what_is_not_of_lines_is_not_divided(formula):
    given = [ORDER | {"lines": [GOODS], "shipping_amount": 1.0, "tax_amount": 1.0}]
    placed, sold = rows_of(given)
    shop = fk.Shop(
        orders=pl.DataFrame(placed).drop("lines"),
        order_lines=pl.DataFrame(sold),
        products=pl.DataFrame({"product_id": ["a"], "category": ["bags"]}),
    )
    with pytest.raises(fk.UnknownNameError, match="no dimension of orders named 'category'"):
        fk.evaluate(shop, fk.Metric(name="m", formula=formula), by="category")


def test_amounts_of_lines_are_converted_once():
    placed, sold = rows_of([ORDER | {"lines": [GOODS, GOODS | {"product_id": "c"}]}])
    shop = fk.Shop(
        orders=pl.DataFrame(placed).drop("lines").with_columns(fx_rate=2.0, currency=pl.lit("EUR")),
        order_lines=pl.DataFrame(sold),
        products=pl.DataFrame({"product_id": ["a", "c"], "category": ["bags", "shoes"]}),
        currency="PLN",
    )
    names = ["gross_sales", "discounts"]
    assert fk.evaluate(shop, names, by="category").frame.rows() == [
        ("bags", 20.0, 3.0),
        ("shoes", 20.0, 3.0),
    ]
    assert fk.evaluate(shop, names).frame.rows() == [(40.0, 6.0)]

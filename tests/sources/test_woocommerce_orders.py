"""The orders export of WooCommerce: the sample's numbers are computed by hand from its rows.

Counted are 201, 202, 204 and 206: 203 is cancelled, 205 failed. 202 and 206 are of one guest.
"""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk
from sources.hand import SAMPLES, assert_values, notes_of

FILE = SAMPLES / "woocommerce_orders.csv"
ROWS = pl.read_csv(FILE, infer_schema=False)
HAND = {
    "orders": 4,
    "units_sold": (2 + 1) + 1 + 1 + 1,
    "gross_sales": (80 + 28) + 50 + 40 + 40,
    "discounts": 10 + 2,
    "net_sales": 238 - 12,
    "total_sales": 226 + (23 + 11.5 + 9.2) + (10 + 5) + 4,
    "average_order_value": 226 / 4,
    "units_per_transaction": 6 / 4,
    "customers": 2,
    "new_customers": 2,
    "repeat_purchase_rate": 2 / 2,
    "cancellation_rate": 1 / 6,
}


def shop_of(orders=FILE):
    return fk.sources.woocommerce_orders(orders, time_zone="Europe/Warsaw")


def test_its_numbers_are_those_computed_by_hand():
    assert_values(shop_of(), HAND)
    assert_values(shop_of(ROWS), HAND)
    found = fk.evaluate(shop_of(), "orders", by="country", every="1mo").frame
    assert found.rows() == [
        (dt.date(2024, 4, 1), "PL", 2),
        (dt.date(2024, 5, 1), "DE", 1),
        (dt.date(2024, 5, 1), "PL", 1),
    ]


def test_refunds_are_missing_where_there_are_some():
    some = ROWS.with_columns(refunded_total=pl.lit("10.00"))
    shop = shop_of(some)
    assert "not split" in notes_of(shop, "missing")["returns"]
    with pytest.raises(fk.MissingInputError, match="returns"):
        fk.evaluate(shop, "net_sales")


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("status", "shipped", "row 2: 'shipped' is none of wc-pending"),
        ("item_id", "11", "item_id: row 3: '11' is in it twice, and in 5 more rows"),
        ("order_total", "1.00", "row 2: 1.0 is not the sum of the items, the shipping"),
        ("shipping_total", pl.int_range(pl.len()).cast(pl.String), "row 3: 1.0 is not that of"),
        ("date", "05/01/2024", "'05/01/2024' is not a time without an offset"),
    ],
)
def test_faults_are_told(column, value, words):
    value = pl.lit(value) if isinstance(value, str) else value
    with pytest.raises(fk.ContractError) as caught:
        shop_of(ROWS.with_columns(value.alias(column)))
    assert words in str(caught.value)

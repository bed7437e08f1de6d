"""The lookup tables of WooCommerce: the sample's numbers are computed by hand from its rows.

Counted are 101, 102, 104 and 105: 103 is cancelled, 106 failed, 107 a draft; 108 to 111 are
refunds. Order 101 has a fee of 4: its lines are worth 108 of 112.
"""

import polars as pl
import pytest

import funnelkit as fk
from sources.hand import SAMPLES, assert_values

FOLDER = SAMPLES / "woocommerce"
TABLES = {
    name: pl.read_csv(FOLDER / f"wp_{name}.csv", infer_schema=False)
    for name in ("wc_order_stats", "wc_order_product_lookup", "wc_customer_lookup")
}
HAND = {
    "orders": 4,
    "units_sold": 3 + 1 + 1 + 2,
    "gross_sales": (100 + 20) + 50 + 50 + 40,
    "discounts": 10 + 2,
    "returns_value": 45 + 50 + 5,
    "net_sales": 260 - 12 - 100,
    "total_sales": 148 + (10 - 10) + (28.06 + 11.5 + 11.5 + 9.2 - 10.35 - 11.5 - 2.3) + 4,
    "average_order_value": (260 - 12) / 4,
    "units_per_transaction": 7 / 4,
    "customers": 2,  # 7 and 9; 102 is of a guest
    "repeat_purchase_rate": 1 / 2,  # 7 again, in May
    "units_sold.net": 7 - 2,
    "cancellation_rate": 1 / 7,  # 103
    "cancellation_rate.placed": 1 / 6,  # the draft was never placed
}


def shop_of(tables=FOLDER, **settings):
    return fk.sources.woocommerce(tables, time_zone="Europe/Warsaw", **settings)


def test_its_numbers_are_those_computed_by_hand():
    assert_values(shop_of(), HAND)
    assert_values(shop_of(TABLES), HAND)


def test_orders_are_of_local_months_with_and_without_gmt():
    stats = TABLES["wc_order_stats"].drop("date_created_gmt")
    for tables in (TABLES, {**TABLES, "wc_order_stats": stats}):
        found = fk.evaluate(shop_of(tables), "orders", every="1mo").frame
        assert found.get_column("orders").to_list() == [3, 1]


def test_customers_have_countries_and_guests_among_them_no_account():
    found = fk.evaluate(shop_of(), "orders", by="country").frame
    assert dict(found.select("country", "orders").rows()) == {"PL": 3, None: 1}


def test_a_status_of_an_extension_and_a_lacking_table_are_faults():
    stats = TABLES["wc_order_stats"].with_columns(status=pl.lit("wc-shipped"))
    with pytest.raises(fk.ContractError, match="row 2: 'wc-shipped' is none of wc-pending"):
        shop_of({**TABLES, "wc_order_stats": stats})
    with pytest.raises(fk.ContractError, match="has no table wc_order_product_lookup"):
        shop_of({"wc_order_stats": stats})
    with pytest.raises(fk.ContractError, match="has no table wc_order_stats"):
        shop_of("nowhere")


def test_values_that_are_no_numbers_are_faults():
    stats = TABLES["wc_order_stats"].with_columns(net_total=pl.lit("1.234,56"))
    with pytest.raises(fk.ContractError, match=r"net_total: row 2: '1\.234,56' is not a number"):
        shop_of({**TABLES, "wc_order_stats": stats})

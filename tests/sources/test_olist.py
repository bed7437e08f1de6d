"""The tables of Olist: counted are o1, o2 and o4; o3 is cancelled, o5 unavailable."""

import polars as pl
import pytest

import funnelkit as fk
from sources.hand import SAMPLES, assert_values

FOLDER = SAMPLES / "olist"
HAND = {
    "orders": 3,
    "units_sold": 3 + 1 + 1,
    "gross_sales": 240 + 40 + 120,
    "average_order_value": 400 / 3,
    "median_order_value": 120,
    "units_per_transaction": 5 / 3,
    "customers": 2,  # u1 twice, u2
    "repeat_purchase_rate": 1 / 2,
    "cancellation_rate": 1 / 5,
    "on_time_delivery_rate": 1 / 2,  # o1, of the two that were delivered
    "customer_satisfaction_score": 1 / 2,  # the latest of u1 is 4, that of u2 is 2
}


def test_its_numbers_are_those_computed_by_hand():
    assert_values(fk.sources.olist(FOLDER), HAND)


def test_the_customer_is_the_person_and_the_category_that_of_the_product():
    found = fk.evaluate(fk.sources.olist(FOLDER), "gross_sales", by="category").frame
    assert dict(found.rows()) == {"cama_mesa_banho": 320, None: 80}
    found = fk.evaluate(fk.sources.olist(FOLDER), "orders", by="state").frame
    assert dict(found.rows()) == {"SP": 2, "RJ": 1}


def test_returns_are_not_in_it():
    with pytest.raises(fk.MissingInputError, match="returns"):
        fk.evaluate(fk.sources.olist(FOLDER), "net_sales")


def tables_of():
    return {
        path.stem.removeprefix("olist_"): pl.read_csv(path, infer_schema=False)
        for path in FOLDER.iterdir()
    }


def test_orders_of_no_customer_and_prices_below_zero_are_told_at_once():
    tables = tables_of()
    tables["customers_dataset"] = tables["customers_dataset"][1:]
    price = pl.lit("-5.00").alias("price")
    tables["order_items_dataset"] = tables["order_items_dataset"].with_columns(price)
    with pytest.raises(fk.ContractError) as caught:
        fk.sources.olist(tables)
    assert [fault.column for fault in caught.value.faults] == ["customer_id", "price"]


def test_faults_are_told_with_their_file():
    tables = tables_of()
    orders = tables["orders_dataset"].with_columns(order_status=pl.lit("entregue"))
    with pytest.raises(fk.ContractError, match="'entregue' is none of created"):
        fk.sources.olist({**tables, "orders_dataset": orders})
    del tables["customers_dataset"]
    with pytest.raises(fk.ContractError, match="has no table customers_dataset"):
        fk.sources.olist(tables)

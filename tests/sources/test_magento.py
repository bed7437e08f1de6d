"""The sales tables of Magento: the sample's numbers are computed by hand from its rows.

Counted are 1, 2, 4 and 5: 3 is cancelled, 6 a gift card alone. Credit memo 3 is cancelled. A
shirt is two items, and the tea set three: each is one product.
"""

import shutil

import polars as pl
import pytest

import funnelkit as fk
from sources.hand import SAMPLES, assert_values

FOLDER = SAMPLES / "magento"
TABLES = {path.stem: pl.read_csv(path, infer_schema=False) for path in FOLDER.iterdir()}
HAND = {
    "orders": 4,
    "units_sold": 2 + 1 + 1 + 1 + 1,
    "gross_sales": 120 + 50 + 50 + 80,
    "discounts": (12.3 - 2.3) + (2.46 - 0.46),
    "returns_value": (50 - 6.15 + 1.15) + (50 - 5),
    "net_sales": 300 - 12 - 90,
    "total_sales": 198 + (10 - 10) + (27.14 + 11.5 + 11.5 + 18.4 - 12.65 - 11.5),
    "average_order_value": (300 - 12) / 4,
    "units_per_transaction": 6 / 4,
    "customers": 3,  # 7 twice, 9, and the guest by the e-mail address
    "repeat_purchase_rate": 1 / 3,
    "units_sold.net": 6 - 2,
    # shirts 2 x 20, tea 8, mugs 2 x 10, the set 10 + 2 x 8
    "cost_of_goods_sold": 40 + 8 + 10 + 10 + 26,
    "cancellation_rate": 1 / 6,
}


def shop_of(tables=FOLDER, **settings):
    return fk.sources.magento(tables, time_zone="Europe/Warsaw", **settings)


def test_its_numbers_are_those_computed_by_hand():
    assert_values(shop_of(), HAND)
    assert_values(shop_of(TABLES), HAND)


def test_times_are_in_utc():
    found = fk.evaluate(shop_of(), "orders", every="1mo").frame
    assert found.get_column("orders").to_list() == [3, 1]  # 5, at 23:30 UTC, is of May in Warsaw


def test_without_items_of_credit_memos_the_units_returned_are_missing():
    tables = {name: table for name, table in TABLES.items() if name != "sales_creditmemo_item"}
    shop = shop_of(tables)
    assert_values(shop, {"net_sales": 198, "returns_value": 90})
    with pytest.raises(fk.MissingInputError, match="sales_creditmemo_item"):
        fk.evaluate(shop, "units_sold.net")


def test_amounts_are_in_the_currency_of_the_shop():
    assert fk.evaluate(shop_of(), "net_sales", by="currency").frame.rows() == [("PLN", 198)]


def test_faults_of_several_tables_are_told_at_once():
    orders = TABLES["sales_order"].drop("base_tax_amount")
    items = TABLES["sales_order_item"].with_columns(qty_ordered=pl.lit("two"))
    with pytest.raises(fk.ContractError) as caught:
        shop_of({**TABLES, "sales_order": orders, "sales_order_item": items})
    assert [fault.column for fault in caught.value.faults] == ["base_tax_amount", "qty_ordered"]


def changed(table, row, **values):
    frame = TABLES[table]
    is_it = pl.int_range(pl.len()) == row
    cells = [
        pl.when(is_it).then(pl.lit(value, pl.String)).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    ]
    return {**TABLES, table: frame.with_columns(cells)}


@pytest.mark.parametrize(
    ("table", "row", "values", "words"),
    [
        ("sales_order_item", 2, {"qty_ordered": "0"}, "qty_ordered: row 4: 0.0 is not above zero"),
        ("sales_order_item", 2, {"base_row_total": None}, "row 4: None is the price of an item"),
        ("sales_order_item", 2, {"parent_item_id": "0"}, "row 4: '0' is no item of the table"),
        ("sales_creditmemo", 0, {"state": "canceled"}, "row 2: 'canceled' is none of 1, 2, 3"),
        ("sales_creditmemo", 0, {"base_subtotal": "-50"}, "row 2: -50.0 is below zero"),
        ("sales_creditmemo", 0, {"base_discount_amount": "6.15"}, "row 2: 6.15 is above zero"),
        ("sales_creditmemo_item", 1, {"entity_id": "1"}, "entity_id: row 3: '1' is there twice"),
    ],
)
def test_values_that_would_change_sales_silently_are_told(table, row, values, words):
    with pytest.raises(fk.ContractError) as caught:
        shop_of(changed(table, row, **values))
    assert words in str(caught.value)


def test_units_that_were_cancelled_of_an_order_that_stays_are_not_sold():
    """Of order 2, one of two mugs, its tax and all shipping; order 3 is cancelled as a whole."""
    gone = pl.DataFrame(
        {
            "entity_id": ["2", "3"],
            "base_tax_amount": ["23", "11.5"],
            "base_tax_canceled": ["11.5", "11.5"],
            "base_shipping_amount": ["8", "0"],
            "base_shipping_canceled": ["8", "0"],
            "base_shipping_discount_amount": ["2", "0"],
        }
    )
    orders = TABLES["sales_order"].with_columns(
        pl.lit(None, pl.String).alias(name) for name in gone.columns if "cancel" in name
    )
    items = changed("sales_order_item", 3, qty_ordered="2", base_row_total="100")
    is_gone = pl.col("item_id").is_in(["21", "31"])
    items = items["sales_order_item"].with_columns(qty_canceled=pl.when(is_gone).then(pl.lit("1")))
    tables = {
        **TABLES,
        "sales_order": orders.update(gone, on="entity_id"),
        "sales_order_item": items,
    }
    assert_values(shop_of(tables), HAND)
    tables["sales_order_item"] = items.with_columns(qty_canceled=pl.lit("9"))
    with pytest.raises(fk.ContractError, match=r"row 2: 9\.0 is not within qty_ordered"):
        shop_of(tables)


def test_blanks_around_the_state_of_a_credit_memo_do_not_matter():
    assert_values(shop_of(changed("sales_creditmemo", 2, state=" 3 ")), {"net_sales": 198})


def test_two_files_of_one_table_are_a_fault(tmp_path):
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    shutil.copy(FOLDER / "sales_order.csv", tmp_path / "sales_order_2.csv")
    assert_values(shop_of(tmp_path), {"orders": 4})
    shutil.copy(FOLDER / "sales_order.csv", tmp_path / "2023_sales_order.csv")
    with pytest.raises(fk.ContractError, match=r"in 2023_sales_order\.csv and sales_order\.csv"):
        shop_of(tmp_path)


def test_an_unknown_state_is_a_fault():
    orders = TABLES["sales_order"].with_columns(state=pl.lit("shipped"))
    with pytest.raises(fk.ContractError, match="'shipped' is none of new"):
        shop_of({**TABLES, "sales_order": orders})

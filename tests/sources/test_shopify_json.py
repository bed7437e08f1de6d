"""Orders of the Shopify Admin API: the sample's numbers are computed by hand from its values.

Prices include 23 % of tax. Counted are 1, 5 and 6: 2 is cancelled, 3 a gift card alone, 4 a test.
"""

import json

import pytest

import funnelkit as fk
from sources.hand import SAMPLES, assert_values

ORDERS = SAMPLES / "shopify_orders.json"
HAND = {
    "orders": 3,
    "units_sold": 3 + 1 + 2,
    "gross_sales": (2 * 50 + 20) + 20 + 2 * 20,
    "discounts": 12,  # (12.30 + 2.46) / 1.23
    "returns_value": 45 + 5,  # a mug with its share of the discount; 5 given back without goods
    "net_sales": 180 - 12 - 50,
    "total_sales": 118 + (10 - 10) + (27.14 + 4.60 + 9.20 - 10.35 - 2.30),
    "average_order_value": (180 - 12) / 3,
    "units_per_transaction": 6 / 3,
    "cancellation_rate": 1 / 5,
    "customers": 1,  # anna; 6 is of a guest at the till
    "repeat_purchase_rate": 1,
    "units_sold.net": 6 - 1,
    "average_order_value.without_free": 168 / 3,
}


def shop_of(path=ORDERS):
    return fk.sources.shopify_json(path, time_zone="Europe/Warsaw")


def orders():
    return json.loads(ORDERS.read_text())["orders"]


def written(path, found):
    path.write_text(json.dumps(found))
    return path


def test_its_numbers_are_those_computed_by_hand():
    assert_values(shop_of(), HAND)


def test_pages_lists_and_lines_are_read_alike(tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    for number, order in enumerate(orders()):
        written(pages / f"{number}.json", {"orders": [order]})
    assert_values(shop_of(pages), HAND)
    assert_values(shop_of(written(tmp_path / "list.json", orders())), HAND)
    lines = tmp_path / "lines.jsonl"
    lines.write_text("\n".join(map(json.dumps, orders())))
    assert_values(shop_of(lines), HAND)


def test_a_refund_counts_on_its_own_day():
    found = fk.evaluate(shop_of(), "net_sales", every="1mo").frame.get_column("net_sales")
    assert found.to_list() == [(120 - 12) + 20 - 5, 40 - 45]


def test_a_cancelled_order_is_not_taken_back_twice():
    shop = fk.sources.shopify_json(ORDERS, order_policy="shopify")
    assert_values(shop, {"orders": 4, "gross_sales": 230, "returns_value": 100})


def test_prices_without_tax_are_taken_as_they_are(tmp_path):
    found = [{**order, "taxes_included": False} for order in orders()]
    shop = shop_of(written(tmp_path / "orders.json", found))
    assert_values(shop, {"gross_sales": 180 * 1.23, "discounts": 14.76})


def test_no_refunds_are_no_returns(tmp_path):
    found = [{**order, "refunds": []} for order in orders()]
    shop = shop_of(written(tmp_path / "orders.json", found))
    assert_values(shop, {"net_sales": 180 - 12, "returns_value": 0})


def test_faults_of_all_levels_are_told_at_once(tmp_path):
    found = orders()
    found[0]["created_at"] = "yesterday"
    found[1]["line_items"][0]["price"] = "61,50"
    found[4]["refunds"][0]["order_adjustments"][0]["amount"] = None
    with pytest.raises(fk.ContractError) as caught:
        shop_of(written(tmp_path / "orders.json", found))
    told = [str(fault) for fault in caught.value.faults]
    assert len(told) == 3
    assert told[0].startswith("orders.json.created_at: row 2: 'yesterday' is not a time")
    assert told[1].startswith("orders.json.line.price: row 4: '61,50' is not a number")
    assert told[2].startswith("orders.json.line.amount: row 3: None")


@pytest.mark.parametrize("text", ['{"orders": [', "[1, 2]", "", '{"orders": {"id": 1}}', "null"])
def test_a_file_of_another_kind_is_a_fault(tmp_path, text):
    path = tmp_path / "orders.json"
    path.write_text(text)
    with pytest.raises(fk.ContractError):
        shop_of(path)


def test_the_orders_must_have_lines(tmp_path):
    found = [{"id": 1, "total_tax": "1.00"}]
    with pytest.raises(fk.ContractError, match="created_at"):
        shop_of(written(tmp_path / "orders.json", found))

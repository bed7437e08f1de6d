"""Events of Segment: S1 was delivered and sent twice, S3 is cancelled; sessions end after a pause.

Sessions are those of a1 (10:00 and 12:00), of a2 (11:00 and the next day) and of a3 (10:00 and
11:00), and that of the refund, which has a user alone.
"""

import json

import pytest

import funnelkit as fk
from sources.hand import SAMPLES, assert_values, notes_of

EVENTS = SAMPLES / "segment_events.jsonl"
HAND = {
    "orders": 2,
    "units_sold": 3 + 1,
    "gross_sales": 120 + 20,
    "discounts": 12,
    "returns_value": 55.35 - 10.35,
    "net_sales": 140 - 12 - 45,
    "average_order_value": (140 - 12) / 2,
    "sessions": 2 + 2 + 2 + 1,
    "unique_visitors": 4,
    "page_views": 4,
    "session_conversion_rate": 2 / 7,
    "add_to_cart_rate": 1 / 7,
    "reached_checkout_rate": 1 / 7,
    "cart_to_view_rate": 1,
    "customers": 2,
    "cancellation_rate": 1 / 3,
}


def shop_of(path=EVENTS):
    return fk.sources.segment(path, time_zone="Europe/Warsaw")


def test_its_numbers_are_those_computed_by_hand():
    assert_values(shop_of(), HAND)


def test_channels_are_those_of_campaigns():
    found = fk.evaluate(shop_of(), "session_conversion_rate", by="channel").frame
    assert dict(found.rows()) == {"Direct": 1 / 6, "Email": 1}


def changed(tmp_path, name, event=None, **properties):
    found = [json.loads(line) for line in EVENTS.read_text().splitlines()]
    its = [each for each in found if each["event"] == name]
    its[0]["event"] = event or name
    its[0]["properties"] |= properties
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(map(json.dumps, found)))
    return path


@pytest.mark.parametrize(
    "event", ["order_completed", "orderCompleted", " ORDER  COMPLETED", "Completed Order"]
)
def test_names_of_events_are_read_in_any_spelling(tmp_path, event):
    shop = shop_of(changed(tmp_path, "Order Completed", event))
    assert_values(shop, {**HAND, "average_order_value.purchase_events": (108 + 20 + 50) / 3})


def test_an_order_is_cancelled_in_american_too(tmp_path):
    assert_values(shop_of(changed(tmp_path, "Order Cancelled", "Order Canceled")), HAND)


@pytest.mark.parametrize(
    ("name", "properties", "words"),
    [
        ("Order Completed", {"products": None}, "'S1' is an order without a list of products"),
        ("Order Completed", {"products": "[]"}, "'S1' is an order without a list of products"),
        ("Order Refunded", {"total": None}, "None is the total of a refund"),
        ("Order Refunded", {"total": -55.35}, "-55.35 is the total of a refund, and below zero"),
        (
            "Order Completed",
            {"products": [{"sku": "A", "price": -5, "quantity": 0}]},
            "row 6: 0.0 is the quantity of a product sold",
        ),
    ],
)
def test_events_that_would_change_sales_silently_are_told(tmp_path, name, properties, words):
    with pytest.raises(fk.ContractError) as caught:
        shop_of(changed(tmp_path, name, **properties))
    assert words in str(caught.value)


def test_purchases_without_an_order_are_told(tmp_path):
    shop = shop_of(changed(tmp_path, "Order Completed", order_id=None))
    assert "1 of Order Completed without one" in notes_of(shop, "ignored")["order_id"]


def test_what_was_assumed_is_described():
    assert "30 minutes" in notes_of(shop_of(), "assumed")["sessions"]
    assert notes_of(shop_of(), "ignored")["messageId"] == "1 events that were delivered twice"


def test_faults_are_told_at_once(tmp_path):
    found = [json.loads(line) for line in EVENTS.read_text().splitlines()]
    found[0]["timestamp"] = "1714557600"
    found[4]["properties"]["products"][0]["price"] = "fifty"
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(map(json.dumps, found)))
    with pytest.raises(fk.ContractError) as caught:
        shop_of(path)
    assert "timestamp: row 2: '1714557600' is not a time with an offset" in str(caught.value)
    assert "product.price: row" in str(caught.value)

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

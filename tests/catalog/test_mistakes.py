"""Mistakes of the trade that the definitions prevent, each by the rows that would show it."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk

DAY = dt.datetime(2024, 5, 1, 12)
LATER = DAY + dt.timedelta(days=2)


def value(shop, name):
    return fk.evaluate(shop, name).frame.item()


def emails():
    """Three messages: one bounced, one was opened, one was clicked with the opening unseen."""
    rows = {
        "message_id": [1, 1, 1],
        "recipient_id": [1, 2, 3],
        "sent_at": [DAY] * 3,
        "bounce_type": ["hard", None, None],
        "first_opened_at": [None, DAY, None],
        "first_clicked_at": [None, None, DAY],
    }
    return fk.Shop(email_sends=pl.DataFrame(rows))


def test_openings_are_of_delivered_messages_and_a_click_tells_of_one():
    assert value(emails(), "email_open_rate") == 0.5
    assert value(emails(), "email_open_rate.of_sent") == pytest.approx(1 / 3)
    assert value(emails(), "email_click_to_open_rate") == 0.5


def test_bounces_are_of_sent_messages_and_told_apart():
    assert value(emails(), "email_bounce_rate") == pytest.approx(1 / 3)
    assert value(emails(), "email_bounce_rate.hard") == pytest.approx(1 / 3)
    assert value(emails(), "email_bounce_rate.soft") == 0.0


def parcels():
    """One order arrived late and whole, one in time and in part, one has not left."""
    orders = pl.DataFrame({"order_id": [1, 2, 3], "ordered_at": [DAY] * 3, "status": ["paid"] * 3})
    lines = pl.DataFrame(
        {
            "order_line_id": [1, 2, 3],
            "order_id": [1, 2, 3],
            "quantity": [2, 2, 2],
            "unit_price": [5.0] * 3,
        }
    )
    shipments = pl.DataFrame(
        {
            "shipment_id": [1, 2],
            "order_id": [1, 2],
            "shipped_at": [LATER, DAY + dt.timedelta(hours=6)],
            "delivered_at": [LATER + dt.timedelta(days=2), LATER],
            "promised_at": [LATER, LATER],
            "units_shipped": [2, 1],
        }
    )
    as_of = LATER + dt.timedelta(days=9)
    return fk.Shop(orders=orders, order_lines=lines, shipments=shipments, as_of=as_of)


def test_on_time_in_full_is_joint_in_each_order_and_no_product_of_shares():
    assert value(parcels(), "on_time_delivery_rate") == 0.5
    assert value(parcels(), "otif_rate") == 0.0


def test_what_waits_is_counted_beside_the_time_of_what_has_left():
    assert value(parcels(), "fulfilment_time") == pytest.approx((48 + 6) / 2 * 3600)
    assert value(parcels(), "fulfilment_time.orders_waiting") == 1


def test_a_lifetime_value_is_set_against_a_cost_that_is_not_rounded():
    names = ["customer_lifetime_value", "customer_acquisition_cost", "clv_cac_ratio"]
    rows = fk.evaluate(fk.demo(), names, every="1q").frame.drop_nulls().select(names).rows()
    assert rows
    for worth, cost, ratio in rows:
        assert ratio == pytest.approx(worth / cost, rel=1e-12)

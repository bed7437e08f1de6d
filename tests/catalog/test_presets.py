"""Vendors' definitions under the common names."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk

PRESETS = {"ga4": fk.presets.ga4, "shopify": fk.presets.shopify}
DAY = dt.datetime(2024, 5, 1, 12)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_defines_kpis_of_the_catalogue_under_their_own_names(name):
    assert set(PRESETS[name]) <= set(fk.registry())
    assert not any(metric.variant_of for metric in PRESETS[name].values())


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_a_number_for_everything_on_the_demo_shop(name):
    frame = fk.evaluate(fk.demo(), PRESETS[name]).frame
    assert frame.width == len(PRESETS[name])
    assert None not in frame.row(0)


@pytest.mark.parametrize("name", PRESETS)
def test_what_a_vendor_defines_in_its_own_way_has_a_source_and_words_of_its_own(name):
    own = [m for m in PRESETS[name].values() if m.formula != fk.registry()[m.name].formula]
    assert own
    for metric in own:
        assert metric.references
        assert metric.fingerprint != fk.registry()[metric.name].fingerprint
        assert metric.includes != fk.registry()[metric.name].includes


def visits(**columns):
    rows = {
        "session_id": [1, 2, 3],
        "visitor_id": ["a", "a", "b"],
        "started_at": [DAY - dt.timedelta(days=40), DAY, DAY],
        "page_views": [1, 1, 1],
        "engaged_s": [1.0, 1.0, 1.0],
    }
    return pl.DataFrame(rows | columns)


def test_an_active_user_is_engaged_or_new():
    """Of two visitors in May, one came back and left at once, one came for the first time."""
    shop = fk.Shop(sessions=visits())
    active = fk.evaluate(shop, fk.presets.ga4["users"], every="1mo").frame
    everyone = fk.evaluate(shop, "users", every="1mo").frame
    assert active["unique_visitors"].to_list()[-1] == 1
    assert everyone["unique_visitors"].to_list()[-1] == 2


def test_a_visit_converts_by_its_purchase_event_alone():
    events = pl.DataFrame(
        {
            "event_id": [1, 2],
            "session_id": [2, 2],
            "visitor_id": ["a", "a"],
            "event_name": ["purchase", "purchase"],
            "occurred_at": [DAY, DAY],
            "value": [10.0, 10.0],
        }
    )
    orders = pl.DataFrame(
        {"order_id": [1], "session_id": [3], "ordered_at": [DAY], "status": ["paid"]}
    )
    shop = fk.Shop(sessions=visits(), events=events, orders=orders)
    rate = fk.presets.ga4["conversion_rate"]
    assert fk.evaluate(shop, rate).frame.item() == pytest.approx(1 / 3)
    assert fk.evaluate(shop, fk.presets.ga4["aov"]).frame.item() == 10.0
    assert fk.evaluate(shop, fk.presets.ga4["average_revenue_per_user"]).frame.item() == 10.0


def test_no_visit_is_longer_than_half_an_hour():
    shop = fk.Shop(sessions=visits(duration_s=[60.0, 1800.0, 9000.0]))
    mean = fk.presets.shopify["average_session_duration"]
    assert fk.evaluate(shop, mean).frame.item() == pytest.approx((60 + 1800 + 1800) / 3)

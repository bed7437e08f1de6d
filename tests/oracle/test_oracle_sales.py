"""Sales, offers and returns against the plain-Python functions of their words."""

from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.catalog.offers import attach_rate_of, cross_sell_rate_of
from funnelkit.catalog.returns import return_rate_over
from oracle.comparing import Area, Kpi, Span
from oracle.shops import MONTHS, part_by_channel, part_by_sales_channel
from oracle.shops_more import frames, shops_more
from oracle.test_oracle import CHANNEL, SALES_CHANNEL, Key, any_range, few, more, whole_months
from oracle.words import Tables, as_of
from oracle.words_sales import (
    SALES_ORACLES,
    attach_rate_of_products,
    cross_sell_rate_of_product,
    order_return_rate,
    return_rate,
    value_return_rate,
)

TABLES = ("sessions", "events", "orders", "order_lines", "returns")
WEEK = timedelta(days=7)


def part_of_sales(tables: Tables, channel: str | None) -> Tables:
    """Give the orders of a channel with their returns, in a shop known up to the same moment."""
    now = [{"event_id": 0, "occurred_at": as_of(tables)}]
    return {**part_by_sales_channel(tables, channel), "events": now}


def part_of_visits(tables: Tables, channel: str | None) -> Tables:
    """Give the visits of a channel, the orders placed in them, and the returns of these."""
    channels = {row["session_id"]: row["channel"] for row in tables["sessions"]}
    of_order = {row["order_id"]: channels.get(row["session_id"]) for row in tables["orders"]}
    returns = [row for row in tables["returns"] if of_order.get(row["order_id"]) == channel]
    return {**part_by_channel(tables, channel), "returns": returns}


def part_of_events(tables: Tables, offer: str | None) -> Tables:
    """Give the events of an offer, with all visits."""
    return {**tables, "events": [row for row in tables["events"] if row["offer_id"] == offer]}


OF_SALES = Key("sales_channel", part_of_sales, SALES_CHANNEL.values, ("sales_channel",))
OF_VISITS = Key("channel", part_of_visits, CHANNEL.values, ("session_id",))
OF_OFFERS = Key("offer_id", part_of_events, ("f1", "f2", None))
KEYS = {
    "average_revenue_per_user": OF_VISITS,
    **dict.fromkeys(
        ("upsell_rate", "cross_sell_rate.offers", "average_order_value.purchase_events"), OF_OFFERS
    ),
}
PARAMETERS = [
    (attach_rate_of(primary=["p1"], attached=["p2"]), attach_rate_of_products),
    (cross_sell_rate_of(products=["p1"]), cross_sell_rate_of_product),
    (return_rate_over(days=7), partial(return_rate, window=WEEK)),
    (return_rate_over(days=7, of="orders"), partial(order_return_rate, window=WEEK)),
    (return_rate_over(days=7, of="value"), partial(value_return_rate, window=WEEK)),
]
BY_HAND = {"sales_growth_rate"}
"""KPIs that compare an open period like for like, of which a period alone does not know."""

WITH_PARAMETERS = {"attach_rate.of_products", "cross_sell_rate.product"}

AREA = Area(
    kpis={
        **{
            name: Kpi(
                metric=fk.registry()[name],
                oracle=SALES_ORACLES[name],
                key=KEYS.get(name, OF_SALES),
            )
            for name in SALES_ORACLES
            if name in fk.registry() and name not in BY_HAND
        },
        **{m.name: Kpi(metric=m, oracle=oracle, key=OF_SALES) for m, oracle in PARAMETERS},
    },
    frames=frames,
)


def shops(name: str) -> st.SearchStrategy[Tables]:
    return shops_more(TABLES, keep=AREA.kpis[name].key.keep)


def test_every_oracle_of_sales_has_a_metric():
    assert set(SALES_ORACLES) - set(fk.registry()) == WITH_PARAMETERS


@pytest.mark.slow
@pytest.mark.parametrize("name", AREA.of_ranges)
@few
@given(data=st.data(), span=any_range)
def test_a_kpi_by_key_of_a_range_is_what_its_words_say(name: str, data: st.DataObject, span: Span):
    AREA.check_range_by_key(name, data.draw(shops(name)), span)


@pytest.mark.slow
@pytest.mark.parametrize("name", AREA.kpis)
@few
@given(data=st.data(), span=whole_months())
def test_a_kpi_by_month_is_what_its_words_say(name: str, data: st.DataObject, span: Span):
    AREA.check_months(name, data.draw(shops(name)), span)


@pytest.mark.parametrize("name", AREA.kpis)
@few
@given(data=st.data(), span=whole_months())
def test_a_kpi_by_key_and_month_is_what_its_words_say(name: str, data: st.DataObject, span: Span):
    AREA.check_months_by_key(name, data.draw(shops(name)), span)


@more
@given(tables=shops_more(TABLES), span=any_range)
def test_kpis_asked_together_are_what_their_words_say(tables: Tables, span: Span):
    AREA.check_together(tables, span)


# --- Rarely met by chance ------------------------------------------------------------------------


def some_orders(*statuses: str) -> list[dict[str, object]]:
    """Give orders of the first of January, numbered from 0."""
    return [
        {"order_id": f"o{n}", "ordered_at": MONTHS[0], "status": status}
        for n, status in enumerate(statuses)
    ]


def line(order: int, product: str, quantity: int, *, across: bool | None) -> dict[str, object]:
    return {
        "order_id": f"o{order}",
        "product_id": product,
        "quantity": quantity,
        "unit_price": 1.0,
        "is_cross_sell": across,
    }


def test_orders_with_something_attached_are_a_share_of_those_with_something_primary():
    lines = [
        line(0, "p1", 1, across=False),
        line(0, "p2", 3, across=True),
        line(1, "p1", 2, across=False),
        line(2, "p2", 5, across=True),
        line(3, "p1", 1, across=None),
        line(4, "p1", 9, across=False),
        line(4, "p2", 9, across=True),
    ]
    numbered = [{"order_line_id": n, **row} for n, row in enumerate(lines)]
    tables = {"orders": some_orders(*["paid"] * 4, "cancelled"), "order_lines": numbered}
    names = ("attach_rate", "attach_rate.units", "cross_sell_rate", "attach_rate.of_p2_to_p1")
    values = {"attach_rate": 1 / 2, "attach_rate.units": 1.0, "cross_sell_rate": 1 / 2}
    expected = {**values, "attach_rate.of_p2_to_p1": pytest.approx(1 / 3)}
    assert AREA.ask(tables, *names) == [expected]


def test_cancelled_orders_are_a_share_of_all_but_tests():
    statuses = ("cancelled", "paid", "test", "draft", "deleted", "voided")
    names = ("cancellation_rate", "cancellation_rate.placed")
    expected = {"cancellation_rate": 0.2, "cancellation_rate.placed": pytest.approx(1 / 3)}
    assert AREA.ask({"orders": some_orders(*statuses)}, *names) == [expected]

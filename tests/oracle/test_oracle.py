"""Every KPI against a plain-Python function that was written from its words alone."""

import datetime as dt
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import funnelkit as fk
from oracle.shops import (
    MOMENTS,
    MONTHS,
    SCHEMAS,
    frames,
    part_by,
    part_by_channel,
    part_by_channel_of_cart,
    part_by_market,
    part_by_sales_channel,
    shops,
)
from oracle.words import ORACLES, Period, Tables, Value
from oracle.words_carts import CART_ORACLES
from oracle.words_cohorts import COHORT_ORACLES, SCORE_ORACLES
from oracle.words_customers import CUSTOMER_ORACLES
from oracle.words_email import EMAIL_ORACLES
from oracle.words_fulfilment import FULFILMENT_ORACLES
from oracle.words_funnel import FUNNEL_ORACLES
from oracle.words_inventory import INVENTORY_ORACLES
from oracle.words_profit import PROFIT_ORACLES
from oracle.words_replenishment import REPLENISHMENT_ORACLES
from oracle.words_sales import SALES_ORACLES
from oracle.words_traffic import TRAFFIC_ORACLES

PARTS = {
    "identified_net_sales",
    "identified_gross_profit",
    "identified_contribution_margin",
    "engaged_sessions",
    "traffic_source_share",
}
"""Metrics that are parts of others, and have no function of their own."""

ELSEWHERE = {
    *TRAFFIC_ORACLES,
    *EMAIL_ORACLES,
    *FUNNEL_ORACLES,
    *CART_ORACLES,
    *SALES_ORACLES,
    *PROFIT_ORACLES,
    *CUSTOMER_ORACLES,
    *INVENTORY_ORACLES,
    *FULFILMENT_ORACLES,
    *COHORT_ORACLES,
    *SCORE_ORACLES,
    *REPLENISHMENT_ORACLES,
}
"""KPIs that are compared in modules of their own."""

KPIS = [name for name in ORACLES if name in fk.registry()]
OF_RANGES = [name for name in KPIS if not fk.registry()[name].compares_periods]

LOOKING_BACK = {
    *(name for name in KPIS if name not in OF_RANGES),
    "repeat_purchase_rate",
    "customer_lifetime_revenue",
}
"""KPIs of which a month without rows has a value all the same, from the months before it."""

SOURCES = {
    "sessions": ("orders", "order_lines"),
    "orders": ("order_lines",),
    "order_lines": ("orders",),
    "returns": ("orders", "order_lines"),
    "carts": ("sessions", "events", "orders", "order_lines"),
}
"""What else a table draws on for its derived columns."""

EMPTY = {name: ORACLES[name]({}, Period(*MONTHS[1:3], Period(*MONTHS[:2]))) for name in KPIS}
"""The value of each KPI where nothing ever happened."""

UNHURRIED = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
few = settings(UNHURRIED, max_examples=7)
more = settings(UNHURRIED, max_examples=20)


@dataclass(frozen=True, slots=True)
class Key:
    """A dimension, and how to take the part of a shop that has one value of it."""

    name: str
    part: Callable[[Tables, str | None], Tables]
    values: tuple[str | None, ...]
    keep: tuple[str, ...] = ()


CHANNEL = Key("channel", part_by_channel, ("email", "paid", None), ("session_id",))
SALES_CHANNEL = Key(
    "sales_channel", part_by_sales_channel, ("online", "pos", "phone", None), ("sales_channel",)
)
KEYS = {
    **dict.fromkeys(KPIS, SALES_CHANNEL),
    **dict.fromkeys(
        (
            "sessions",
            "unique_visitors",
            "engagement_rate",
            "bounce_rate",
            "session_conversion_rate",
            "orders_per_session",
            "revenue_per_visitor",
            "revenue_per_session",
        ),
        CHANNEL,
    ),
    "cart_abandonment_rate": Key("channel", part_by_channel_of_cart, CHANNEL.values),
    **dict.fromkeys(
        ("ad_spend", "click_through_rate", "return_on_ad_spend"),
        Key("platform", part_by("platform"), ("google", "meta")),
    ),
    **dict.fromkeys(
        ("customer_acquisition_cost", "clv_cac_ratio"),
        Key("market", part_by_market, ("PL", "DE", None)),
    ),
    **dict.fromkeys(
        ("net_promoter_score", "customer_satisfaction_score"),
        Key("store", part_by("store"), ("north", "south", None)),
    ),
}


def tables_of(name: str) -> list[str]:
    """Name the tables that a KPI reads, and those that their derived columns rest on."""
    read = list(fk.registry()[name].inputs)
    return list(
        dict.fromkeys([*read, *(more for table in read for more in SOURCES.get(table, ()))])
    )


def ask(tables: Tables, names: str | list[str], **question: Any) -> list[dict[str, Any]]:
    """Ask a shop that may be younger than the range asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fk.TruncatedHistoryWarning)
        return fk.evaluate(fk.Shop.bind(frames(tables)), names, **question).frame.to_dicts()


def months(start: dt.datetime, end: dt.datetime) -> Iterator[Period]:
    """Give the calendar months of a range, the last cut to it, each with the one before."""
    edges = [dt.datetime(2023, 12, 1), *MONTHS]
    for before, first, after in zip(edges, edges[1:], edges[2:], strict=False):
        if start <= first < end:
            yield Period(first, min(after, end), Period(before, first))


def agree(found: Value, expected: Value) -> bool:
    """Say whether a value is the expected one, to the last digits of its sum."""
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)


def is_beyond(name: str, month: dt.date, rows: list[dict[str, Any]]) -> bool:
    """Say whether a month lies after the last one answered, of a KPI that looks back.

    Of every other KPI a month without a row is one in which nothing happened.
    """
    return name in LOOKING_BACK and all(row["period"] < month for row in rows)


@st.composite
def whole_months(draw: st.DrawFn) -> dict[str, dt.datetime]:
    """Give a range that starts with a month; it may end within one."""
    start = draw(st.sampled_from(MONTHS[:-1]))
    later = [moment for moment in MOMENTS if moment > start]
    return {"start": start, "end": draw(st.sampled_from([MONTHS[-1], *later]))}


any_range = (
    st.lists(st.sampled_from((*MOMENTS, MONTHS[-1])), min_size=2, max_size=2, unique=True)
    .map(sorted)
    .map(lambda ends: {"start": ends[0], "end": ends[1]})
)


def test_every_registered_kpi_has_an_oracle():
    assert set(fk.registry()) - set(ORACLES) - ELSEWHERE <= PARTS


def test_every_oracle_is_of_a_registered_kpi():
    assert set(ORACLES) <= set(fk.registry())


@pytest.mark.slow
@pytest.mark.parametrize("name", KPIS)
@few
@given(data=st.data())
def test_a_kpi_by_month_is_what_its_words_say(name: str, data: st.DataObject):
    tables = data.draw(shops(tables_of(name)), "tables")
    span = data.draw(whole_months(), "span")
    rows = ask(tables, name, every="1mo", **span)
    values = {row["period"]: row[name] for row in rows}
    periods = {period.start.date(): period for period in months(**span)}
    assert len(values) == len(rows)
    assert set(values) <= set(periods)
    for month, period in periods.items():
        if not is_beyond(name, month, rows):
            value, expected = values.get(month, EMPTY[name]), ORACLES[name](tables, period)
            assert agree(value, expected), (month, value, expected)


@pytest.mark.parametrize("name", KPIS)
@few
@given(data=st.data())
def test_a_kpi_by_key_and_month_is_what_its_words_say(name: str, data: st.DataObject):
    key = KEYS[name]
    tables = data.draw(shops(tables_of(name), keep=key.keep), "tables")
    span = data.draw(whole_months(), "span")
    rows = ask(tables, name, by=key.name, every="1mo", **span)
    values = {(row["period"], row[key.name]): row[name] for row in rows}
    periods = {period.start.date(): period for period in months(**span)}
    assert len(values) == len(rows)
    assert set(values) <= {(month, group) for month in periods for group in key.values}
    for group in key.values:
        part = key.part(tables, group)
        for month, period in periods.items():
            if not is_beyond(name, month, rows):
                value = values.get((month, group), EMPTY[name])
                expected = ORACLES[name](part, period)
                assert agree(value, expected), (month, group, value, expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_RANGES)
@few
@given(data=st.data())
def test_a_kpi_by_key_of_a_range_is_what_its_words_say(name: str, data: st.DataObject):
    key = KEYS[name]
    tables = data.draw(shops(tables_of(name), keep=key.keep), "tables")
    span = data.draw(any_range, "span")
    rows = ask(tables, name, by=key.name, **span)
    values = {row[key.name]: row[name] for row in rows}
    assert len(values) == len(rows)
    assert set(values) <= set(key.values)
    for group in key.values:
        value = values.get(group, EMPTY[name])
        expected = ORACLES[name](key.part(tables, group), Period(**span))
        assert agree(value, expected), (group, value, expected)


# --- Asked together ------------------------------------------------------------------------------


@more
@given(tables=shops(tuple(SCHEMAS)), span=any_range)
def test_kpis_of_a_range_asked_together_are_what_their_words_say(
    tables: Tables, span: dict[str, dt.datetime]
):
    (row,) = ask(tables, OF_RANGES, **span)
    assert wrong_values(tables, row, Period(**span), OF_RANGES) == {}


@more
@given(tables=shops(tuple(SCHEMAS)))
def test_kpis_of_the_whole_history_asked_together_are_what_their_words_say(tables: Tables):
    (row,) = ask(tables, OF_RANGES)
    ever = Period(dt.datetime.min, dt.datetime.max)
    assert wrong_values(tables, row, ever, OF_RANGES) == {}


@more
@given(tables=shops(tuple(SCHEMAS)), span=whole_months())
def test_kpis_by_month_asked_together_are_what_their_words_say(
    tables: Tables, span: dict[str, dt.datetime]
):
    rows = ask(tables, KPIS, every="1mo", **span)
    values = {row["period"]: row for row in rows}
    for period in months(**span):
        month = period.start.date()
        names = [name for name in KPIS if not is_beyond(name, month, rows)]
        assert wrong_values(tables, values.get(month, EMPTY), period, names) == {}, month


def wrong_values(
    tables: Tables, found: dict[str, Value], period: Period, names: list[str]
) -> dict[str, tuple[Value, Value]]:
    """Give the KPIs that are not what their words say: what was found, and what was expected."""
    expected = {name: ORACLES[name](tables, period) for name in names}
    return {
        name: (found[name], value)
        for name, value in expected.items()
        if not agree(found[name], value)
    }


# --- Found by the above, and kept ----------------------------------------------------------------


def orders(*placed: tuple[int, str], **columns: Any) -> list[dict[str, Any]]:
    """Give orders of 10 on the first of a month, each of a customer."""
    return [
        {
            "order_id": f"o{number}",
            "ordered_at": dt.datetime(2024, month, 1),
            "status": "paid",
            "customer_key": customer,
            "gross_amount": 10.0,
            "discount_amount": 0.0,
            **columns,
        }
        for number, (month, customer) in enumerate(placed)
    ]


def by_month(tables: Tables, *names: str, **question: Any) -> dict[int, tuple[Value, ...]]:
    """Give the values by the number of the month."""
    rows = ask(tables, list(names), every="1mo", **question)
    return {row["period"].month: tuple(row[name] for name in names) for row in rows}


def test_a_visit_that_is_not_known_to_be_a_bots_counts():
    visit = {"session_id": "s1", "started_at": MOMENTS[0], "is_bot": None}
    assert ask({"sessions": [visit]}, "sessions") == [{"sessions": 1}]


def test_the_return_of_an_order_that_is_not_known_to_count_does_not_count():
    returned = {
        "return_id": "t1",
        "order_id": "o0",
        "returned_at": MOMENTS[1],
        "refund_amount": 4.0,
    }
    tables = {"orders": orders((1, "a"), is_counted=None), "returns": [returned]}
    assert ask(tables, ["orders", "returns_value"]) == [{"orders": 0, "returns_value": 0}]


def test_a_customer_with_two_orders_said_to_be_the_first_is_new_once():
    tables = {"orders": orders((1, "a"), (1, "a"), order_number=1)}
    assert ask(tables, "new_customers") == [{"new_customers": 1}]
    assert ask(tables, ["customers", "new_customers"]) == [{"customers": 1, "new_customers": 1}]


def test_a_cost_without_an_end_is_refused():
    cost = {
        "cost_id": "m1",
        "period_start": dt.date(2024, 1, 1),
        "period_end": None,
        "amount": 9.0,
        "purpose": "acquisition",
    }
    tables = {"orders": orders((1, "a")), "campaign_performance": [], "marketing_costs": [cost]}
    with pytest.raises(fk.ContractError, match="over which days"):
        ask(tables, "customer_acquisition_cost")


def test_a_month_with_orders_has_a_retention_rate_though_nobody_came_back():
    tables = {"orders": orders((1, "a"), (2, "b"))}
    expected = {1: (None,), 2: (0.0,)}
    assert by_month(tables, "customer_retention_rate") == expected
    assert by_month(tables, "customer_retention_rate", start=MONTHS[0]) == expected


def test_months_around_one_without_orders_have_a_retention_rate():
    tables = {"orders": orders((1, "a"), (3, "a"), (4, "a"))}
    expected = {1: (None,), 2: (0.0,), 3: (None,), 4: (1.0,)}
    assert by_month(tables, "customer_retention_rate") == expected


def test_lifetime_revenue_goes_on_in_a_month_without_new_customers():
    tables = {"orders": orders((1, "a"), (2, "a")), "returns": [], "order_lines": []}
    assert by_month(tables, "customer_lifetime_revenue") == {1: (10.0,), 2: (20.0,)}


def test_lifetime_revenue_goes_on_in_a_month_with_returns_alone():
    returned = {
        "return_id": "t1",
        "order_id": "o0",
        "returned_at": dt.datetime(2024, 3, 1),
        "refund_amount": 4.0,
    }
    tables = {"orders": orders((1, "a")), "returns": [returned], "order_lines": []}
    expected = {1: (10.0,), 2: (10.0,), 3: (6.0,)}
    assert by_month(tables, "customer_lifetime_revenue") == expected


def test_values_to_date_go_on_in_the_months_of_other_tables():
    visit = {"session_id": "s1", "started_at": dt.datetime(2024, 3, 1)}
    tables = {"orders": orders((1, "a"), (1, "a")), "sessions": [visit]}
    expected = {1: (0, 1.0), 2: (0, 1.0), 3: (1, 1.0)}
    assert by_month(tables, "sessions", "repeat_purchase_rate") == expected

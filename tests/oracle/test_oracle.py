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
    frames,
    part_by,
    part_by_channel,
    part_by_channel_of_cart,
    part_by_market,
    part_by_sales_channel,
    shops,
)
from oracle.words import ORACLES, Number, Period, Tables, Value

PARTS = {"identified_net_sales", "identified_gross_profit", "engaged_sessions"}
"""Metrics that are parts of others, and have no function of their own."""

KPIS = [name for name in ORACLES if name in fk.registry()]

SOURCES = {
    "sessions": ("orders", "order_lines"),
    "orders": ("order_lines",),
    "returns": ("orders", "order_lines"),
    "carts": ("sessions", "events", "orders", "order_lines"),
}
"""What else a table draws on for its derived columns."""

few = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


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
MARKET = Key("market", part_by_market, ("PL", "DE", None))
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
    **dict.fromkeys(("customer_acquisition_cost", "clv_cac_ratio"), MARKET),
    **dict.fromkeys(
        ("net_promoter_score", "customer_satisfaction_score"),
        Key("store", part_by("store"), ("north", "south", None)),
    ),
}


def tables_of(name: str) -> list[str]:
    """Name the tables that a KPI reads, and those that their derived columns rest on."""
    read = list(fk.registry()[name].inputs)
    return list(
        dict.fromkeys([*read, *(other for table in read for other in SOURCES.get(table, ()))])
    )


def ask(shop: fk.Shop, names: str | list[str], **question: Any) -> list[dict[str, Any]]:
    """Ask a shop that may be younger than the range asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fk.HistoryWarning)
        return fk.evaluate(shop, names, **question).frame.to_dicts()


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


def empty_value(name: str) -> Number | None:
    """Give the value of a KPI where nothing ever happened."""
    return ORACLES[name]({}, Period(MONTHS[0], MONTHS[1], Period(MONTHS[0], MONTHS[1])))


@st.composite
def whole_months(draw: st.DrawFn) -> tuple[dt.datetime, dt.datetime]:
    """Give a range that starts with a month; it may end within one."""
    start = draw(st.sampled_from(MONTHS[:-1]))
    later = [moment for moment in (*MOMENTS, MONTHS[-1]) if moment > start]
    end = draw(st.sampled_from([MONTHS[-1], *later]))
    return start, end


any_range = st.lists(
    st.sampled_from((*MOMENTS, MONTHS[-1])), min_size=2, max_size=2, unique=True
).map(sorted)


def test_every_registered_kpi_has_an_oracle():
    assert set(fk.registry()) - set(ORACLES) <= PARTS


def test_every_oracle_is_of_a_registered_kpi():
    assert set(ORACLES) <= set(fk.registry())


@pytest.mark.parametrize(
    "name", [name for name in KPIS if not fk.registry()[name].compares_periods]
)
@few
@given(data=st.data())
def test_a_kpi_of_a_whole_range_is_what_its_words_say(name: str, data: st.DataObject):
    tables = data.draw(shops(tables_of(name)), "tables")
    start, end = data.draw(any_range, "range")
    expected = ORACLES[name](tables, Period(start, end))
    (row,) = ask(fk.Shop(**frames(tables)), name, start=start, end=end)
    assert agree(row[name], expected), (row[name], expected)


@pytest.mark.parametrize(
    "name", [name for name in KPIS if not fk.registry()[name].compares_periods]
)
@few
@given(data=st.data())
def test_a_kpi_of_the_whole_history_is_what_its_words_say(name: str, data: st.DataObject):
    tables = data.draw(shops(tables_of(name)), "tables")
    expected = ORACLES[name](tables, Period(dt.datetime.min, dt.datetime.max))
    (row,) = ask(fk.Shop(**frames(tables)), name)
    assert agree(row[name], expected), (row[name], expected)


@pytest.mark.parametrize("name", KPIS)
@few
@given(data=st.data())
def test_a_kpi_by_month_is_what_its_words_say(name: str, data: st.DataObject):
    tables = data.draw(shops(tables_of(name)), "tables")
    start, end = data.draw(whole_months(), "range")
    found = ask(fk.Shop(**frames(tables)), name, every="1mo", start=start, end=end)
    values = {row["period"]: row[name] for row in found}
    periods = list(months(start, end))
    assert set(values) <= {period.start.date() for period in periods}
    for period in periods:
        value = values.get(period.start.date(), empty_value(name))
        expected = ORACLES[name](tables, period)
        assert agree(value, expected), (period.start.date(), value, expected)


@pytest.mark.parametrize("name", KPIS)
@few
@given(data=st.data())
def test_a_kpi_by_key_and_month_is_what_its_words_say(name: str, data: st.DataObject):
    key = KEYS[name]
    tables = data.draw(shops(tables_of(name), keep=key.keep), "tables")
    start, end = data.draw(whole_months(), "range")
    question = {"by": key.name, "every": "1mo", "start": start, "end": end}
    found = ask(fk.Shop(**frames(tables)), name, **question)
    values = {(row["period"], row[key.name]): row[name] for row in found}
    assert len(values) == len(found)
    grid = {
        (period.start.date(), value): period
        for period in months(start, end)
        for value in key.values
    }
    assert set(values) <= set(grid)
    parts = {value: key.part(tables, value) for value in key.values}
    for cell, period in grid.items():
        value = values.get(cell, empty_value(name))
        expected = ORACLES[name](parts[cell[1]], period)
        assert agree(value, expected), (cell, value, expected)

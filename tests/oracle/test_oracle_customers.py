"""Customers, loyalty and surveys against the plain-Python functions of their words."""

import datetime as dt
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.catalog.customers import (
    customer_lifetime_value_discounted_at,
    customer_lifetime_value_over,
)
from funnelkit.catalog.loyalty import repeat_order_probability_after, repeat_purchase_rate_within
from oracle.comparing import Area, Kpi, Oracle, Span
from oracle.shops import MONTHS, part_by
from oracle.shops_busy import busy_shops
from oracle.shops_operations import operation_frames, operation_shops, part_of_orders
from oracle.test_oracle import Key, any_range, few, more, whole_months
from oracle.words import Period, Tables, Value
from oracle.words_customers import (
    CUSTOMER_ORACLES,
    lifetime_value_discounted,
    lifetime_value_over,
    repeat_order_probability,
    repeat_purchase_rate_nd,
)

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

TABLES = ("orders", "order_lines", "returns", "surveys")
DAY_S = 86_400


def in_seconds(kpi: Oracle) -> Oracle:
    """Give a duration in seconds instead of days."""

    def found(tables: Tables, period: Period) -> Value:
        days = kpi(tables, period)
        return None if days is None else days * DAY_S

    return found


def part_of_market(tables: Tables, market: str | None) -> Tables:
    return part_of_orders(tables, "market", market)


def part_of_store(tables: Tables, store: str | None) -> Tables:
    return part_by("store")({"surveys": tables["surveys"]}, store)


OF_MARKETS = Key("market", part_of_market, ("PL", "DE", None))
OF_STORES = Key("store", part_of_store, ("north", "south", None))
KEYS = {
    name: OF_STORES
    for name in CUSTOMER_ORACLES
    if name.startswith(("net_promoter_score", "customer_satisfaction_score"))
}
ORACLES = {
    **CUSTOMER_ORACLES,
    **{
        name: in_seconds(CUSTOMER_ORACLES[name])
        for name in ("days_between_orders", "days_between_orders.mean")
    },
}
LOOKING_BACK = {"repeat_purchase_rate.by_days", "repeat_order_probability"}
PARAMETERS: list[tuple[fk.Metric, Oracle]] = [
    (repeat_purchase_rate_within(days=14), partial(repeat_purchase_rate_nd, window_days=14)),
    (repeat_order_probability_after(orders=2), partial(repeat_order_probability, n=2)),
    (
        customer_lifetime_value_discounted_at(discount_rate=0.02),
        partial(lifetime_value_discounted, rate=0.02),
    ),
    (customer_lifetime_value_over(lifespan_years=3), lifetime_value_over),
]
WITH_PARAMETERS = {"customer_lifetime_value.over"}


def looks_back(metric: fk.Metric) -> bool:
    return metric.compares_periods or metric.name.startswith(tuple(LOOKING_BACK))


AREA = Area(
    kpis={
        **{
            name: Kpi(
                metric=fk.registry()[name],
                oracle=ORACLES[name],
                key=KEYS.get(name, OF_MARKETS),
                looks_back=looks_back(fk.registry()[name]),
            )
            for name in ORACLES
            if name in fk.registry()
        },
        **{
            metric.name: Kpi(
                metric=metric, oracle=oracle, key=OF_MARKETS, looks_back=looks_back(metric)
            )
            for metric, oracle in ((m.resolved(fk.registry()), oracle) for m, oracle in PARAMETERS)
        },
    },
    frames=operation_frames,
)

any_shop = st.one_of(operation_shops(TABLES), busy_shops(TABLES))


def test_every_oracle_of_customers_has_a_metric():
    assert set(CUSTOMER_ORACLES) - set(fk.registry()) == WITH_PARAMETERS


@pytest.mark.slow
@pytest.mark.parametrize("name", AREA.of_ranges)
@few
@given(tables=any_shop, span=any_range)
def test_a_kpi_by_key_of_a_range_is_what_its_words_say(name: str, tables: Tables, span: Span):
    AREA.check_range_by_key(name, tables, span)


@pytest.mark.slow
@pytest.mark.parametrize("name", AREA.kpis)
@few
@given(tables=any_shop, span=whole_months())
def test_a_kpi_by_month_is_what_its_words_say(name: str, tables: Tables, span: Span):
    AREA.check_months(name, tables, span)


@pytest.mark.parametrize("name", AREA.kpis)
@few
@given(tables=any_shop, span=whole_months())
def test_a_kpi_by_key_and_month_is_what_its_words_say(name: str, tables: Tables, span: Span):
    AREA.check_months_by_key(name, tables, span)


@more
@given(tables=any_shop, span=any_range)
def test_kpis_asked_together_are_what_their_words_say(tables: Tables, span: Span):
    AREA.check_together(tables, span)


# --- Edges, by hand ------------------------------------------------------------------------------


def placed(*orders: tuple[dt.datetime, int]) -> list[dict[str, object]]:
    """Give paid orders by their times and customers."""
    return [
        {"order_id": f"o{n}", "ordered_at": at, "status": "paid", "customer_id": who}
        for n, (at, who) in enumerate(orders)
    ]


def test_an_order_at_the_last_moment_of_the_window_is_within_it():
    first, window, late = MONTHS[0], dt.timedelta(days=14), dt.timedelta(seconds=1)
    rows = placed((first, 1), (first + window, 1), (first, 2), (first + window + late, 2))
    name = "repeat_purchase_rate_nd.within_14_days"
    assert AREA.ask({"orders": rows}, name, end=MONTHS[1]) == [{name: 0.5}]
    assert AREA.ask({"orders": rows[:2]}, name) == [{name: 1.0}]


def test_who_is_known_for_less_than_the_window_does_not_enter():
    first, almost = MONTHS[0], dt.timedelta(days=14, microseconds=-1)
    rows = placed((first, 1), (first, 2), (first + almost, 2))
    name = "repeat_purchase_rate_nd.within_14_days"
    assert AREA.ask({"orders": rows}, name) == [{name: None}]


def test_customers_are_the_new_the_retained_and_the_resurrected():
    january, february, march = MONTHS[:3]
    rows = placed((january, 1), (january, 2), (february, 2), (march, 1), (march, 2), (march, 3))
    names = ("retained_customers", "resurrected_customers", "churned_customers")
    found = AREA.ask({"orders": rows}, *names, "growth_quick_ratio", every="1mo")
    assert [tuple(row.values())[1:] for row in found] == [
        (0, 0, 0, None),
        (1, 0, 1, 0.0),
        (1, 1, 0, None),
    ]


def test_two_orders_of_one_day_are_one_by_days():
    noon = dt.timedelta(hours=12)
    rows = placed((MONTHS[0], 1), (MONTHS[0] + noon, 1), (MONTHS[0], 2), (MONTHS[1], 2))
    name = "repeat_purchase_rate.by_days"
    assert AREA.ask({"orders": rows}, name) == [{name: 0.5}]

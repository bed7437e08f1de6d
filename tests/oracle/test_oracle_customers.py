"""Customers, loyalty and surveys against the plain-Python functions of their words."""

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
from oracle.shops import part_by
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
LATER = {
    "customer_churn_rate.annual",
    "customer_churn_rate.inactivity",
    "customer_retention_rate.trailing",
    "customer_satisfaction_score.mean",
}
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
    assert set(CUSTOMER_ORACLES) - set(fk.registry()) == LATER | WITH_PARAMETERS


@pytest.mark.parametrize("name", AREA.of_ranges)
@few
@given(tables=any_shop, span=any_range)
def test_a_kpi_of_a_range_is_what_its_words_say(name: str, tables: Tables, span: Span):
    AREA.check_range(name, tables, span)


@pytest.mark.parametrize("name", AREA.of_ranges)
@few
@given(tables=any_shop, span=any_range)
def test_a_kpi_by_key_of_a_range_is_what_its_words_say(name: str, tables: Tables, span: Span):
    AREA.check_range_by_key(name, tables, span)


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

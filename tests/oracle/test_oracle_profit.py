"""Profit and marketing against the plain-Python functions of their words."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.catalog.marketing import paid_cac_of, return_on_ad_spend_order_attributed_of
from oracle.comparing import Area, Kpi, Span
from oracle.shops import part_by
from oracle.shops_busy import busy_shops
from oracle.shops_operations import operation_frames, operation_shops, part_of_orders
from oracle.test_oracle import Key, any_range, few, more, whole_months
from oracle.words import Tables
from oracle.words_profit import PROFIT_ORACLES, order_attributed_return_on_ad_spend, paid_cac

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

TABLES = (
    "orders",
    "order_lines",
    "returns",
    "shipments",
    "products",
    "campaign_performance",
    "marketing_costs",
)
CHANNELS = ("email", "Paid Search")


def part_of_market(tables: Tables, market: str | None) -> Tables:
    """Give the orders of a market, what follows them, and its costs."""
    costs = {
        name: [row for row in tables[name] if row["market"] == market]
        for name in ("campaign_performance", "marketing_costs")
    }
    return {**part_of_orders(tables, "market", market), **costs}


def part_of_platform(tables: Tables, platform: str | None) -> Tables:
    """Give the campaigns of a platform."""
    campaigns = {"campaign_performance": tables["campaign_performance"]}
    return part_by("platform")(campaigns, platform)


OF_MARKETS = Key("market", part_of_market, ("PL", "DE", None))
OF_PLATFORMS = Key("platform", part_of_platform, ("google", "meta"))
KEYS = dict.fromkeys(("advertising_cost_of_sales", "cost_per_acquisition"), OF_PLATFORMS)
PARAMETERS = [
    (paid_cac_of(channels=CHANNELS), partial(paid_cac, paid_channels=CHANNELS)),
    (
        return_on_ad_spend_order_attributed_of(channels=CHANNELS),
        partial(order_attributed_return_on_ad_spend, paid_channels=CHANNELS),
    ),
]
OF_COHORTS = {"cac_payback_period"}
"""Told of each cohort, and compared with the other KPIs of cohorts."""

AREA = Area(
    kpis={
        **{
            name: Kpi(
                metric=fk.registry()[name],
                oracle=PROFIT_ORACLES[name],
                key=KEYS.get(name, OF_MARKETS),
                looks_back=name.startswith("cac_payback_period"),
            )
            for name in PROFIT_ORACLES
            if name not in OF_COHORTS
        },
        **{m.name: Kpi(metric=m, oracle=oracle, key=OF_MARKETS) for m, oracle in PARAMETERS},
    },
    frames=operation_frames,
)

any_shop = st.one_of(operation_shops(TABLES), busy_shops(TABLES))


def test_every_oracle_of_profit_has_a_metric():
    assert set(PROFIT_ORACLES) <= set(fk.registry())


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

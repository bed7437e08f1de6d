"""More KPIs of exports, compared to 1e-9 with SQL written from their definitions in words.

As a whole, by month and by a key where there is one: the numbers are those of the modules
`expected_…`.
"""

import datetime as dt
from collections.abc import Callable

import polars as pl
import pytest

import funnelkit as fk
from data import (
    expected_customers,
    expected_marketing,
    expected_pages,
    expected_sales,
    expected_visits,
    shops,
)
from data.agreement import KEYS, agree, ask, the_same

Expected = Callable[..., pl.DataFrame]

PERIOD = [(), ("period",)]
PERIOD_OR_COUNTRY = [*PERIOD, ("country",), ("period", "country")]
PERIOD_OR_PLATFORM = [*PERIOD, ("platform",), ("period", "platform")]
PERIOD_CHANNEL_OR_DEVICE = [*PERIOD, ("channel",), ("period", "device")]
AGE_OR_GENDER = [(), ("age",), ("gender",), ("age", "gender")]
MESSAGE_OR_PLACE = [(), ("message_id",), ("zip_code",), ("message_id", "zip_code")]


# --- Visits --------------------------------------------------------------------------------


@pytest.mark.parametrize("by", PERIOD_CHANNEL_OR_DEVICE)
@pytest.mark.parametrize(
    "expected",
    [
        expected_visits.clickstream_visits,
        expected_visits.clickstream_funnel,
        expected_visits.clickstream_events,
        expected_visits.clickstream_purchases,
    ],
)
def test_the_visits_of_the_clickstream_agree(
    clickstream: fk.Shop, expected: Expected, by: tuple[str, ...]
) -> None:
    agree(clickstream, expected(*by))


@pytest.mark.parametrize("by", PERIOD)
@pytest.mark.parametrize(
    "expected", [expected_visits.clickstream_traffic_sources, expected_visits.clickstream_carts]
)
def test_the_sources_and_carts_of_the_clickstream_agree(
    clickstream: fk.Shop, expected: Expected, by: tuple[str, ...]
) -> None:
    agree(clickstream, expected(*by))


@pytest.mark.parametrize("by", PERIOD)
@pytest.mark.parametrize(
    "expected",
    [
        expected_pages.maven_funnel,
        expected_pages.maven_products,
        expected_pages.maven_carts,
        expected_pages.maven_visitor_value,
    ],
)
def test_the_pages_of_the_toy_store_agree(
    maven_pages: fk.Shop, expected: Expected, by: tuple[str, ...]
) -> None:
    agree(maven_pages, expected(*by))


@pytest.mark.parametrize("by", PERIOD_CHANNEL_OR_DEVICE)
def test_the_visits_to_the_generated_shop_agree(dbtie: fk.Shop, by: tuple[str, ...]) -> None:
    agree(dbtie, expected_pages.dbtie_visits(*by))


@pytest.mark.parametrize("by", PERIOD)
@pytest.mark.parametrize(
    "expected", [expected_pages.dbtie_traffic_sources, expected_pages.dbtie_visitor_value]
)
def test_the_sources_and_the_value_of_visits_to_the_generated_shop_agree(
    dbtie: fk.Shop, expected: Expected, by: tuple[str, ...]
) -> None:
    agree(dbtie, expected(*by))


# --- Sales ---------------------------------------------------------------------------------


@pytest.mark.parametrize("by", PERIOD_OR_COUNTRY)
@pytest.mark.parametrize(
    "expected",
    [
        expected_sales.dbtie_orders,
        expected_sales.dbtie_returns,
        expected_sales.dbtie_revenue,
        expected_sales.dbtie_profit,
    ],
)
def test_orders_returns_and_profit_of_the_generated_shop_agree(
    dbtie: fk.Shop, expected: Expected, by: tuple[str, ...]
) -> None:
    agree(dbtie, expected(*by))


@pytest.mark.parametrize("by", PERIOD)
def test_the_baskets_of_the_toy_store_agree(maven: fk.Shop, by: tuple[str, ...]) -> None:
    agree(maven, expected_sales.maven_baskets(*by))


def test_the_lifetime_value_of_two_shops_agrees_by_month(maven: fk.Shop, dbtie: fk.Shop) -> None:
    agree(maven, expected_sales.maven_lifetime_value_monthly())
    agree(dbtie, expected_sales.dbtie_lifetime_value_monthly())


@pytest.mark.parametrize("by", PERIOD_OR_COUNTRY)
def test_the_invoices_of_two_years_agree(two_years: fk.Shop, by: tuple[str, ...]) -> None:
    agree(two_years, expected_customers.two_years_invoices(*by))


def test_an_open_month_grows_against_the_same_days_of_the_one_before(two_years: fk.Shop) -> None:
    agree(two_years, expected_customers.two_years_growth_monthly())


# --- Customers -----------------------------------------------------------------------------


@pytest.mark.parametrize("by", PERIOD_OR_COUNTRY)
def test_the_buyers_of_two_years_agree(two_years: fk.Shop, by: tuple[str, ...]) -> None:
    """In some countries guests alone have bought."""
    agree(two_years, expected_customers.two_years_buyers(*by))


@pytest.mark.parametrize("by", PERIOD)
def test_the_buyers_of_cdnow_agree(cdnow: fk.Shop, by: tuple[str, ...]) -> None:
    agree(cdnow, expected_customers.cdnow_buyers(*by))


def test_customers_kept_lost_and_won_back_agree(two_years: fk.Shop, cdnow: fk.Shop) -> None:
    agree(two_years, expected_customers.two_years_comings_and_goings_monthly())
    agree(cdnow, expected_customers.cdnow_comings_and_goings_monthly())


def test_what_customers_have_done_so_far_agrees(two_years: fk.Shop, cdnow: fk.Shop) -> None:
    agree(two_years, expected_customers.two_years_to_date_monthly())
    agree(cdnow, expected_customers.cdnow_to_date_monthly())


# --- Marketing -----------------------------------------------------------------------------


@pytest.mark.parametrize("by", AGE_OR_GENDER)
def test_the_costs_of_facebook_ads_agree(by: tuple[str, ...]) -> None:
    agree(fk.Shop.bind(shops.facebook()), expected_marketing.facebook_costs(*by))


@pytest.mark.parametrize("by", PERIOD_OR_PLATFORM)
def test_a_report_over_three_platforms_agrees(by: tuple[str, ...]) -> None:
    agree(fk.Shop.bind(shops.ad_report()), expected_marketing.ad_report(*by))


def test_what_several_platforms_claim_is_never_added() -> None:
    claims = ["ad_conversion_rate", "cost_per_acquisition", "return_on_ad_spend", "acos"]
    found = fk.evaluate(fk.Shop.bind(shops.ad_report()), claims).frame
    assert found.row(0) == (None,) * 4


@pytest.mark.parametrize("by", PERIOD_OR_PLATFORM)
def test_the_ads_of_the_generated_shop_agree(dbtie: fk.Shop, by: tuple[str, ...]) -> None:
    agree(dbtie, expected_marketing.dbtie_ads(*by))


@pytest.mark.parametrize("by", PERIOD)
def test_revenue_over_all_of_marketing_agrees(by: tuple[str, ...]) -> None:
    """Weekly costs are spread over their days, some of which lie in the next month."""
    shop = fk.Shop.bind(shops.media_mix(), order_policy="all", assume_empty=("returns",))
    agree(shop, expected_marketing.media_mix(*by))


@pytest.mark.parametrize("by", PERIOD)
@pytest.mark.parametrize(
    "expected", [expected_marketing.dbtie_acquisition, expected_marketing.dbtie_contribution]
)
def test_the_cost_of_a_new_customer_and_the_margin_after_it_agree(
    dbtie_with_costs: fk.Shop, expected: Expected, by: tuple[str, ...]
) -> None:
    agree(dbtie_with_costs, expected(*by))


def test_what_a_customer_is_worth_over_the_cost_of_a_new_one_agrees(
    dbtie_with_costs: fk.Shop,
) -> None:
    agree(dbtie_with_costs, expected_marketing.dbtie_value_over_cost_monthly())


@pytest.mark.parametrize("by", MESSAGE_OR_PLACE)
def test_the_e_mails_of_hillstrom_agree(by: tuple[str, ...]) -> None:
    shop = fk.Shop.bind(shops.hillstrom(), order_policy="all")
    agree(shop, expected_marketing.hillstrom_emails(*by))


# --- Ranges and totals ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "expected",
    [
        expected_customers.two_years_comings_and_goings_monthly,
        expected_customers.two_years_to_date_monthly,
        expected_customers.two_years_growth_monthly,
        lambda: expected_customers.two_years_buyers("period"),
        lambda: expected_customers.two_years_invoices("period"),
    ],
)
def test_a_range_gives_the_months_that_the_whole_history_gives(
    two_years: fk.Shop, expected: Expected
) -> None:
    """What came before the range is looked at, and what came after is left alone."""
    start, end = dt.date(2010, 5, 1), dt.date(2011, 2, 1)
    months = expected().filter(pl.col("period").is_between(start, end, closed="left"))
    agree(two_years, months, start=start, end=end)


@pytest.mark.parametrize("by", [("channel",), ("device",), ("channel", "device")])
@pytest.mark.parametrize(
    "expected",
    [
        expected_visits.clickstream_visits,
        expected_visits.clickstream_funnel,
        expected_visits.clickstream_events,
        expected_visits.clickstream_purchases,
    ],
)
def test_the_total_over_groups_of_visits_is_computed_anew(
    clickstream: fk.Shop, expected: Expected, by: tuple[str, ...]
) -> None:
    has_its_total(clickstream, expected(*by), expected())


@pytest.mark.parametrize(
    "expected",
    [
        expected_sales.dbtie_orders,
        expected_sales.dbtie_returns,
        expected_sales.dbtie_revenue,
        expected_sales.dbtie_profit,
    ],
)
def test_the_total_over_countries_of_sales_is_computed_anew(
    dbtie: fk.Shop, expected: Expected
) -> None:
    has_its_total(dbtie, expected("country"), expected())


def test_the_total_over_countries_of_buyers_is_computed_anew(two_years: fk.Shop) -> None:
    """A customer who buys in two countries is one customer."""
    expected = expected_customers.two_years_buyers
    has_its_total(two_years, expected("country"), expected())


def has_its_total(shop: fk.Shop, groups: pl.DataFrame, total: pl.DataFrame) -> None:
    """Assert that a question by groups gives them, and beside them the number of the whole."""
    found = ask(shop, groups, totals=True).frame
    keys = [name for name in groups.columns if name in KEYS]
    the_same(found.filter("is_total").drop("is_total", *keys), total)
    the_same(found.filter(~pl.col("is_total")).drop("is_total"), groups)

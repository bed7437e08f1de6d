"""Real data sets give the numbers that SQL written apart from the library gives.

The numbers are those of `expected`, compared to 1e-9 of their size. `the_same` says in words
where the two roads differ on purpose.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from data import expected, shops
from polars.testing import assert_frame_equal

import funnelkit as fk
from funnelkit.cli import main

pytestmark = pytest.mark.skipif(not shops.DATA.is_dir(), reason="the real data sets are not here")

KEYS = {"period", "channel", "country", "platform", "age", "gender", "market"}
PERIOD_OR_CHANNEL = [(), ("period",), ("channel",), ("period", "channel")]
PERIOD_OR_COUNTRY = [(), ("period",), ("country",), ("period", "country")]
PERIOD_OR_PLATFORM = [(), ("period",), ("platform",), ("period", "platform")]
PERIOD_OR_MARKET = [(), ("period",), ("market",), ("period", "market")]
AGE_OR_GENDER = [(), ("age",), ("gender",), ("age", "gender")]


@pytest.fixture(scope="module")
def online_retail() -> fk.Shop:
    """Orders without a status, all of which count; their amounts derive from their lines."""
    return fk.Shop.bind(shops.online_retail(), order_policy="all", currency="GBP")


@pytest.fixture(scope="module")
def maven() -> fk.Shop:
    return fk.Shop.bind(shops.maven(), order_policy="all", currency="USD")


@pytest.fixture(scope="module")
def maven_part() -> fk.Shop:
    return fk.Shop.bind(shops.maven_part(), order_policy="all", currency="USD")


@pytest.fixture(scope="module")
def dbtie() -> fk.Shop:
    return fk.Shop.bind(shops.dbtie(), currency="USD")


def ask(shop: fk.Shop, wanted: pl.DataFrame, **question: object) -> fk.Result:
    """Evaluate every metric of an expected frame by its keys."""
    keys = [name for name in wanted.columns if name in KEYS]
    metrics = [name for name in wanted.columns if name not in KEYS]
    every = "1mo" if "period" in keys else None
    by = [key for key in keys if key != "period"]
    return fk.evaluate(shop, metrics, by=by, every=every, **question)


def the_same(found: pl.DataFrame, wanted: pl.DataFrame) -> None:
    """Assert that two frames hold the same keys and, to 1e-9 of their size, the same values."""
    keys = [name for name in wanted.columns if name in KEYS]
    assert found.columns == wanted.columns
    assert found.schema.get("period", pl.Date()) == pl.Date()
    ordered = wanted.sort(keys, nulls_last=True) if keys else wanted
    assert_frame_equal(found, ordered.cast(found.schema), rel_tol=1e-9, abs_tol=0)


def agree(shop: fk.Shop, wanted: pl.DataFrame, **question: object) -> None:
    the_same(ask(shop, wanted, **question).frame, wanted)


def with_rows(wanted: pl.DataFrame, counts: Sequence[str]) -> pl.DataFrame:
    """Drop the groups whose every row lies outside the conditions: they are no groups."""
    return wanted.filter(pl.any_horizontal(pl.col(name) != 0 for name in counts))


def test_online_retail_agrees_as_a_whole(online_retail: fk.Shop) -> None:
    agree(online_retail, expected.online_retail_total())


def test_online_retail_agrees_by_country(online_retail: fk.Shop) -> None:
    agree(online_retail, expected.online_retail_by_country())


def test_online_retail_agrees_by_month(online_retail: fk.Shop) -> None:
    agree(online_retail, expected.online_retail_monthly())


def test_the_total_over_countries_is_computed_anew(online_retail: fk.Shop) -> None:
    result = ask(online_retail, expected.online_retail_by_country(), totals=True)
    total = result.frame.filter("is_total").drop("is_total", "country")
    the_same(total, expected.online_retail_total())


def test_a_range_agrees_with_its_months_and_looks_back_before_its_start(
    online_retail: fk.Shop,
) -> None:
    start, end = dt.date(2011, 3, 1), dt.date(2011, 7, 1)
    months = expected.online_retail_monthly()
    months = months.filter(pl.col("period").is_between(start, end, closed="left"))
    agree(online_retail, months, start=start, end=end)


def test_maven_agrees_by_month(maven: fk.Shop) -> None:
    wanted = expected.maven_monthly()
    has_sales = pl.col("net_sales") > 0
    wanted = wanted.with_columns(pl.when(has_sales).then("gross_margin"))
    agree(maven, wanted)


def test_maven_agrees_on_the_sessions_that_are_there(maven_part: fk.Shop) -> None:
    agree(maven_part, expected.maven_part().drop("single_page_bounce_rate"))


def test_the_published_rates_of_maven_come_out(maven_part: fk.Shop) -> None:
    result = fk.evaluate(maven_part, ["cr", "bounce_rate"])
    conversion, bounce = result.frame.row(0)
    assert f"{conversion:.4%}" == "3.3921%"
    assert f"{bounce:.3%}" == "55.379%"


@pytest.mark.parametrize("by", PERIOD_OR_CHANNEL)
def test_dbtie_sessions_agree(dbtie: fk.Shop, by: tuple[str, ...]) -> None:
    agree(dbtie, expected.dbtie_sessions(*by))


@pytest.mark.parametrize("by", PERIOD_OR_COUNTRY)
def test_dbtie_sales_agree_by_the_country_of_the_customer(
    dbtie: fk.Shop, by: tuple[str, ...]
) -> None:
    wanted = expected.dbtie_sales(*by)
    agree(dbtie, with_rows(wanted, ["orders", "returns_value"]) if "country" in by else wanted)


@pytest.mark.parametrize("by", [(), ("period",)])
def test_dbtie_satisfaction_agrees(dbtie: fk.Shop, by: tuple[str, ...]) -> None:
    agree(dbtie, expected.dbtie_satisfaction(*by))


@pytest.mark.parametrize("by", PERIOD_OR_PLATFORM)
def test_dbtie_campaigns_agree(dbtie: fk.Shop, by: tuple[str, ...]) -> None:
    agree(dbtie, expected.dbtie_campaigns(*by))


@pytest.mark.parametrize("by", AGE_OR_GENDER)
def test_facebook_ads_agree(by: tuple[str, ...]) -> None:
    agree(fk.Shop.bind(shops.facebook()), expected.facebook_ads(*by))


@pytest.mark.parametrize("by", PERIOD_OR_MARKET)
def test_the_survey_of_the_bank_agrees(by: tuple[str, ...]) -> None:
    agree(fk.Shop.bind(shops.nps()), expected.nps_survey(*by))

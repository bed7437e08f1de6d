"""Exports give the numbers that SQL written apart from the library gives.

The numbers are those of `expected`, compared to 1e-9 of their size. Made exports are always there;
the real ones are read where they are, and left out of a quick run.
"""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import funnelkit as fk
from data import expected, shops, shops_dbtie
from data.agreement import KEYS, agree, ask, the_same
from funnelkit.cli import main

PERIOD_OR_CHANNEL = [(), ("period",), ("channel",), ("period", "channel")]
PERIOD_OR_COUNTRY = [(), ("period",), ("country",), ("period", "country")]
PERIOD_OR_PLATFORM = [(), ("period",), ("platform",), ("period", "platform")]
PERIOD_OR_MARKET = [(), ("period",), ("market",), ("period", "market")]
AGE_OR_GENDER = [(), ("age",), ("gender",), ("age", "gender")]


def test_a_number_that_is_off_by_little_is_noticed(online_retail: fk.Shop) -> None:
    wanted = expected.online_retail_total().with_columns(pl.col("net_sales") * (1 + 1e-8))
    with pytest.raises(AssertionError, match="net_sales"):
        agree(online_retail, wanted)


MISTAKES = {
    "what came back is sold": (
        "online_retail",
        expected.online_retail_total,
        {"returns": -pl.col("refund_amount")},
    ),
    "an unknown country is one of those known": (
        "dbtie",
        lambda: expected.dbtie_sales("country"),
        {"customers": pl.col("country").fill_null("PL")},
    ),
    "cancelled orders count": (
        "dbtie",
        lambda: expected.dbtie_sales("period"),
        {"orders": pl.col("status").replace("cancelled", "fulfilled")},
    ),
    "discounts are not taken off": (
        "dbtie",
        expected.dbtie_sales,
        {"orders": pl.lit(0.0).alias("discount_amount")},
    ),
    "a visit of unknown source is none": (
        "dbtie",
        lambda: expected.dbtie_sessions("channel"),
        {"sessions": pl.col("channel").fill_null("direct")},
    ),
    "the last minute of a month is of the next one": (
        "maven",
        expected.maven_monthly,
        {"orders": pl.col("ordered_at").dt.offset_by("1m")},
    ),
}


@pytest.mark.parametrize(("name", "wanted", "mistake"), MISTAKES.values(), ids=MISTAKES)
def test_data_that_is_read_wrongly_is_noticed(
    request: pytest.FixtureRequest,
    name: str,
    wanted: Callable[[], pl.DataFrame],
    mistake: dict[str, pl.Expr],
) -> None:
    shop = request.getfixturevalue(name)
    frames = {table: bound.frame for table, bound in shop.tables.items()}
    wrong = {table: frames[table].with_columns(change) for table, change in mistake.items()}
    if "[real" in request.node.name and not any(changes(frames[t], wrong[t]) for t in mistake):
        pytest.skip("the real export has nothing that could be read so")
    policy = "all" if name != "dbtie" else "default"
    noticed = "DataFrames are different|is below zero"
    with pytest.raises((AssertionError, fk.ContractError), match=noticed):
        agree(fk.Shop.bind({**frames, **wrong}, order_policy=policy), wanted())


def changes(one: pl.LazyFrame, two: pl.LazyFrame) -> bool:
    return not one.collect().equals(two.collect())


def test_guests_are_not_taken_for_one_customer(online_retail: fk.Shop) -> None:
    frames = {table: bound.frame for table, bound in online_retail.tables.items()}
    orders = frames["orders"].with_columns(pl.col("customer_id").fill_null(0))
    shop = fk.Shop.bind({**frames, "orders": orders}, order_policy="all")
    with pytest.raises(fk.ContractError, match="in far more rows than any other"):
        fk.evaluate(shop, "customers")


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
    """A month of returns without sales has a negative ratio in SQL, and no margin here."""
    wanted = expected.maven_monthly()
    has_sales = pl.col("net_sales") > 0
    wanted = wanted.with_columns(pl.when(has_sales).then("gross_margin"))
    agree(maven, wanted)


def test_maven_agrees_on_the_sessions_that_are_there(maven_part: fk.Shop) -> None:
    agree(maven_part, expected.maven_part())


@pytest.mark.slow
@pytest.mark.parametrize("bind", ["real"], indirect=True)
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
    agree(dbtie, expected.dbtie_sales(*by))


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


def test_tables_asked_together_keep_the_numbers_that_they_have_alone(dbtie: fk.Shop) -> None:
    """Sessions, orders and answers meet by month and country; none multiplies another."""
    sales, answers = expected.dbtie_sales("period", "country"), "customer_satisfaction_score"
    names = [*(name for name in sales.columns if name not in KEYS), "sessions", answers]
    together = fk.evaluate(dbtie, names, by="country", every="1mo").frame
    keys = ["period", "country"]
    the_same(
        together.join(sales, on=keys, how="semi", nulls_equal=True).select(sales.columns), sales
    )

    others = together.join(sales, on=keys, how="anti", nulls_equal=True)
    assert others.select("orders", "gross_sales", "returns_value").sum().row(0) == (0, 0, 0)
    assert others["average_order_value"].null_count() == others.height > 0

    visits = together.group_by("period").agg(pl.col("sessions").sum()).sort("period")
    wanted = expected.dbtie_sessions("period").select("period", "sessions")
    the_same(visits.filter(pl.col("sessions") > 0), wanted)


def test_a_dimension_can_have_another_name_in_another_table(dbtie: fk.Shop) -> None:
    channel = fk.Dimension("channel", campaign_performance="platform")
    names = ["sessions", "ad_spend", "click_through_rate"]
    found = fk.evaluate(dbtie, names, by=channel).frame
    visits = expected.dbtie_sessions("channel").select("channel", "sessions")
    costs = expected.dbtie_campaigns("platform").rename({"platform": "channel"})
    # a source is "google" and a platform "Google": one word, written as one of them
    assert set(found["channel"]) <= {*visits["channel"], *costs["channel"]}
    word = pl.col("channel").str.to_lowercase()
    both = visits.with_columns(word).join(
        costs.with_columns(word), on="channel", how="full", coalesce=True
    )
    the_same(
        found.with_columns(word).sort("channel", nulls_last=True),
        both.with_columns(pl.col("sessions", "ad_spend").fill_null(0)).select(found.columns),
    )


@pytest.fixture(scope="module")
def folder(dbtie: fk.Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a warehouse exports it: other names, and instants in UTC."""
    path = tmp_path_factory.mktemp("shop")
    (path / "funnelkit.toml").write_text(SETTINGS, "utf-8")
    tables = {name: bound.frame.collect() for name, bound in dbtie.tables.items()}
    tables["orders"] = tables["orders"].rename({"ordered_at": "Placed", "gross_amount": "Subtotal"})
    for name, frame in tables.items():
        times = pl.selectors.datetime().dt.replace_time_zone("America/Phoenix")
        frame.with_columns(times.dt.convert_time_zone("UTC")).write_parquet(
            path / f"{name}.parquet"
        )
    (path / "notes.txt").write_text("not a table", "utf-8")
    return path


SETTINGS = """
currency = "USD"
time_zone = "America/Phoenix"
order_policy = "all"

[rename.orders]
Placed = "ordered_at"
Subtotal = "gross_amount"
"""


def test_a_folder_is_bound_with_its_settings(folder: Path) -> None:
    shop = fk.Shop.scan(folder)
    assert set(shop.tables) == set(shops_dbtie.dbtie())
    agree(shop, expected.dbtie_sessions("period", "channel"))
    result = fk.evaluate(shop, ["orders", "gross_sales"])
    placed = shops_dbtie.dbtie()["orders"]
    assert result.currency == "USD"
    assert result.frame["orders"].item() == placed.height
    assert result.frame["gross_sales"].item() == pytest.approx(
        placed["gross_amount"].sum(), rel=1e-9
    )


def test_settings_that_are_passed_win_over_those_of_the_folder(folder: Path) -> None:
    shop = fk.Shop.scan(folder, order_policy="default")
    agree(shop, expected.dbtie_sales("period", "country"))
    elsewhere = fk.Shop.scan(folder, time_zone="UTC")
    found = fk.evaluate(elsewhere, "sessions", every="1mo").frame
    assert not found.equals(expected.dbtie_sessions("period").select("period", "sessions"))


def test_the_command_line_reports_a_folder(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    question = ["--every", "1mo", "--by", "channel", "--metrics", "cr,sessions"]
    assert main(["report", str(folder), *question, "--format", "csv"]) == 0
    printed = capsys.readouterr()
    found = pl.read_csv(printed.out.encode(), try_parse_dates=True)
    columns = ["period", "channel", "session_conversion_rate", "sessions"]
    the_same(found, expected.dbtie_sessions("period", "channel").select(columns))
    assert not printed.err

"""Experiments of others: equal to tea-tasting on their own frames, and to plain Python."""

import datetime as dt
import os
from math import sqrt
from pathlib import Path
from statistics import NormalDist, fmean, variance

import polars as pl
import pytest

import funnelkit as fk

pytestmark = pytest.mark.slow
NEAR = Path(__file__).resolve().parents[3] / "shared" / "data"
DATA = Path(os.environ.get("FUNNELKIT_DATA") or NEAR)
NOON = dt.datetime(2024, 5, 10, 12)
MAY = {"start": "2024-05-01", "end": "2024-06-01", "unit": "visitor_id"}


def read(name):
    path = DATA / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{name} is not here")
    return pl.read_parquet(path)


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def rows_of(users, count):
    """As many rows of each user as a column says."""
    rows = users.select(pl.col("visitor_id"), pl.int_ranges(0, count).alias("row"), "amount")
    rows = rows.explode("row", keep_nulls=False, empty_as_null=False)
    return rows.with_row_index("id").with_columns(pl.lit(NOON).alias("at"))


def shop_of(users, sessions, orders, amount):
    """A shop of users with so many sessions, and orders of which each has its part of an amount."""
    users = users.with_columns((pl.col(amount) / pl.col(orders).clip(1)).alias("amount"))
    visits = rows_of(users, sessions).rename({"id": "session_id", "at": "started_at"})
    bought = rows_of(users, orders).rename({"id": "order_id", "at": "ordered_at"})
    bought = bought.with_columns(
        pl.col("visitor_id").alias("customer_id"),
        pl.lit(value=True).alias("is_counted"),
        pl.lit("online").alias("sales_channel"),
        pl.lit(0.0).alias("discount_amount"),
    ).rename({"amount": "gross_amount"})
    return fk.Shop(sessions=visits.drop("row", "amount"), orders=bought.drop("row"), currency="USD")


def test_users_of_tea_tasting_are_compared_as_tea_tasting_does():
    tt = pytest.importorskip("tea_tasting")
    users = read("tea_tasting_users")
    shop = shop_of(users.rename({"user": "visitor_id"}), "sessions", "orders", "revenue")
    asked = ["orders_per_session", "sessions", "orders", "gross_sales"]
    assignment = users.rename({"user": "visitor_id"})
    found = fk.experiment(shop, asked, assignment=assignment, control=0, **MAY).frame
    theirs = tt.Experiment(
        orders_per_session=tt.RatioOfMeans("orders", "sessions"),
        sessions=tt.Mean("sessions"),
        orders=tt.Mean("orders"),
        gross_sales=tt.Mean("revenue"),
    ).analyze(users)
    for name in asked:
        row = found.row(by_predicate=pl.col("metric") == name, named=True)
        own = theirs[name]
        assert (row["reference"], row["value"]) == close((own.control, own.treatment))
        assert (row["low"], row["high"], row["p_value"]) == close(
            (own.effect_size_ci_lower, own.effect_size_ci_upper, own.pvalue)
        )
    published = found.select("difference", "low", "high").row(0)
    assert published == pytest.approx((0.0233050, -0.0024594, 0.0490694), abs=5e-8)


def test_what_was_before_explains_ratios_as_in_tea_tasting():
    """Before May, users did half of what they do in May, and of what another user does."""
    tt = pytest.importorskip("tea_tasting")
    users = read("tea_tasting_users").rename({"user": "visitor_id"})
    names = ["sessions", "orders", "revenue"]
    others = [pl.col(name).shift(1, fill_value=0) + pl.col(name) for name in names]
    before = users.with_columns(other // 2 for other in others)
    before = before.with_columns(pl.when(pl.col("orders") > 0).then("revenue").otherwise(0.0))
    shops = [shop_of(each, "sessions", "orders", "revenue") for each in (users, before)]
    frames = {
        "sessions": ("session_id", "started_at"),
        "orders": ("order_id", "ordered_at"),
    }
    tables = {}
    for table, (key, clock) in frames.items():
        now, then = (shop.frames[table].lazy().collect() for shop in shops)
        then = then.with_columns(pl.col(key) + 1_000_000, pl.col(clock) - dt.timedelta(days=20))
        tables[table] = pl.concat([now, then])
    shop = fk.Shop(**tables, currency="USD")
    asked = ["orders_per_session", "sessions", "average_order_value"]
    question = {"assignment": users, "control": 0, "covariates_from": "4w", **MAY}
    found = fk.experiment(shop, asked, **question).frame
    both = users.with_columns(before.get_column(name).alias(f"{name}_before") for name in names)
    theirs = tt.Experiment(
        orders_per_session=tt.RatioOfMeans(
            "orders", "sessions", "orders_before", "sessions_before"
        ),
        sessions=tt.Mean("sessions", "sessions_before"),
        average_order_value=tt.RatioOfMeans("revenue", "orders", "revenue_before", "orders_before"),
    ).analyze(both)
    for name in asked:
        row, own = found.row(by_predicate=pl.col("metric") == name, named=True), theirs[name]
        assert (row["difference"], row["low"], row["high"], row["p_value"]) == close(
            (own.effect_size, own.effect_size_ci_lower, own.effect_size_ci_upper, own.pvalue)
        )
    plain = fk.experiment(shop, asked[0], **(question | {"covariates_from": None})).frame
    assert found["se"][0] < 0.95 * plain["se"][0]


def test_three_arms_of_hillstrom_are_compared_as_in_plain_python():
    stats = pytest.importorskip("scipy.stats")
    pytest.importorskip("tea_tasting")
    people = read("hillstrom_email").with_row_index("visitor_id")
    shop = shop_of(people, "visit", "conversion", "spend")
    columns = {"sessions": "visit", "orders": "conversion", "gross_sales": "spend"}
    found = fk.experiment(
        shop, list(columns), assignment=people, variant="segment", control="No E-Mail", **MAY
    )
    assert found.frame.height == 6
    for row in found.frame.iter_rows(named=True):
        own, theirs = (
            people.filter(pl.col("segment") == arm)[columns[row["metric"]]].to_list()
            for arm in (row["variant"], "No E-Mail")
        )
        assert (row["value"], row["reference"]) == close((fmean(own), fmean(theirs)))
        assert row["difference"] == close(fmean(own) - fmean(theirs))
        assert row["se"] == close(sqrt(variance(own) / len(own) + variance(theirs) / len(theirs)))
        assert row["p_value"] == close(stats.ttest_ind(own, theirs, equal_var=False).pvalue)
    assert not found.sample_ratio.is_mismatch


def test_players_of_cookie_cats_come_back_as_in_plain_python():
    players = read("cookie_cats_ab")
    z = NormalDist().inv_cdf(0.975)
    for day in ("retention_1", "retention_7"):
        sessions = players.select(
            pl.col("userid").alias("session_id"),
            pl.col("userid").alias("visitor_id"),
            pl.lit(NOON).alias("started_at"),
            pl.col(day).alias("has_key_event"),
            pl.col("version").alias("device"),
        )
        shop = fk.Shop(sessions=sessions)
        frame = fk.intervals(shop, "goal_conversion_rate", by="device").frame
        for row in frame.iter_rows(named=True):
            kept = players.filter(pl.col("version") == row["device"])[day]
            share, size = kept.mean(), kept.len() - 1
            centre = (share + z * z / 2 / size) / (1 + z * z / size)
            half = sqrt(share * (1 - share) / size + (z / 2 / size) ** 2) * z / (1 + z * z / size)
            assert (row["low"], row["high"]) == close((centre - half, centre + half))
    control, treated = (
        players.filter(pl.col("version") == name).height for name in ("gate_30", "gate_40")
    )
    pytest.importorskip("tea_tasting")
    assignment = players.select(pl.col("userid").alias("visitor_id"), "version")
    found = fk.experiment(
        shop, "goal_conversion_rate", assignment=assignment, variant="version",
        control="gate_30", **MAY,
    )  # fmt: skip
    distance = (control - treated) ** 2 / (control + treated)
    assert found.sample_ratio.p_value == close(2 * NormalDist().cdf(-sqrt(distance)))

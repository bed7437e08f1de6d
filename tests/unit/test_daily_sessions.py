"""Totals of sessions by day: they stand for sessions where these are not bound."""

import datetime as dt

import duckdb
import polars as pl
import pytest

import funnelkit as fk
from funnelkit.formula.reason import Reason

DAYS = [dt.date(2024, 5, 1), dt.date(2024, 5, 1), dt.date(2024, 5, 2)]
TOTALS = pl.DataFrame(
    {
        "date": DAYS,
        "channel": ["Direct", "Email", "Direct"],
        "sessions": [100, 50, 80],
        "visitors": [90, 40, 70],
        "engaged_sessions": [60, 30, 40],
        "converted_sessions": [4, 2, 1],
        "page_views": [300, 100, 160],
        "orders": [5, 2, 1],
    }
)
HAND = {
    "sessions": 100 + 50 + 80,
    "session_conversion_rate": (4 + 2 + 1) / 230,
    "session_conversion_rate.orders": (5 + 2 + 1) / 230,
    "engagement_rate": (60 + 30 + 40) / 230,
    "bounce_rate": 1 - 130 / 230,
    "pages_per_session": 560 / 230,
}


def values(shop, names, **question):
    row = fk.evaluate(shop, list(names), **question).frame.row(0, named=True)
    return {name: row[name] for name in names}


def test_totals_stand_for_sessions():
    shop = fk.Shop(daily_sessions=TOTALS)
    assert values(shop, HAND) == pytest.approx(HAND)
    database = fk.Shop.on(fk.DuckDB(duckdb.connect()), daily_sessions=TOTALS)
    assert values(database, HAND) == pytest.approx(HAND)


def test_they_are_divided_by_what_they_have():
    shop = fk.Shop(daily_sessions=TOTALS)
    found = fk.evaluate(shop, ["sessions", "cr"], by="channel", totals=True)
    assert found.frame.get_column("sessions").to_list() == [180, 50, 230]
    assert found.frame.get_column("session_conversion_rate").to_list() == pytest.approx(
        [5 / 180, 2 / 50, 7 / 230]
    )
    daily = fk.evaluate(shop, ["sessions", "cr"], by="channel", every="1d")
    assert daily.rollup(by=()).frame.get_column("sessions").to_list() == [230]


def test_visitors_of_several_rows_are_refused():
    shop = fk.Shop(daily_sessions=TOTALS)
    by_row = fk.evaluate(shop, "unique_visitors", by="channel", every="1d")
    assert by_row.frame.get_column("unique_visitors").to_list() == [90, 40, 70]
    whole = fk.evaluate(shop, "unique_visitors")
    assert whole.frame.item() is None
    assert whole.tidy().get_column("reason")[0].startswith(str(Reason.SEVERAL_ROWS_OF)[:12])


def test_what_totals_cannot_show_is_missing():
    shop = fk.Shop(daily_sessions=TOTALS)
    assert not shop.missing("sessions")
    assert shop.missing("average_session_duration") == {"sessions"}
    with pytest.raises(fk.MissingInputError, match="converted_sessions"):
        fk.evaluate(fk.Shop(daily_sessions=TOTALS.drop("converted_sessions")), "cr")
    with pytest.raises(fk.MissingInputError, match="sessions"):
        fk.evaluate(shop, "new_visitor_rate")


def test_sessions_that_are_bound_win():
    sessions = pl.DataFrame(
        {"session_id": [1], "started_at": [dt.datetime(2024, 5, 1)], "visitor_id": [1]}
    )
    assert values(fk.Shop(sessions=sessions, daily_sessions=TOTALS), ["sessions"]) == {
        "sessions": 1
    }


def test_exclusions_and_explanations_are_given():
    shop = fk.Shop(daily_sessions=TOTALS)
    result = fk.evaluate(shop, ["sessions", "cr"], exclusions=True)
    assert result.exclusions is not None
    assert "daily_sessions" in str(result.explain())

"""Periods by hand: where each begins, which there are, and what is no period."""

import datetime as dt

import pytest

import funnelkit as fk
from small_frames import of, orders_of

ORDERS = of(fk.Count(fk.Orders))
EARLIER = of(fk.Shift(fk.Count(fk.Orders), 1), "before")


SETTINGS = {"time_zone", "week_start", "fiscal_year", "as_of"}


def labels(times, every, **question):
    """The periods of orders at some times, as text, and how many orders each has."""
    moments = [dt.datetime.fromisoformat(time) for time in times]
    settings = {name: question.pop(name) for name in SETTINGS & question.keys()}
    shop = fk.Shop(orders=orders_of(ordered_at=moments), **settings)
    frame = fk.evaluate(shop, ORDERS, every=every, **question).frame
    return {str(period): count for period, count in frame.rows()}


@pytest.mark.parametrize(
    ("times", "every", "question", "found"),
    [
        (["2024-01-31T23:59", "2024-02-01"], "1mo", {}, {"2024-01-01": 1, "2024-02-01": 1}),
        (
            ["2024-01-05", "2024-03-05"],
            "month",
            {},
            {"2024-01-01": 1, "2024-02-01": 0, "2024-03-01": 1},
        ),
        (["2024-03-31", "2024-04-01"], "1q", {}, {"2024-01-01": 1, "2024-04-01": 1}),
        (["2024-03-31", "2024-05-01"], "2mo", {}, {"2024-03-01": 1, "2024-05-01": 1}),
        (["2024-06-30", "2024-07-01"], "6mo", {}, {"2024-01-01": 1, "2024-07-01": 1}),
        (["2023-12-31", "2024-01-01"], "1y", {}, {"2023-01-01": 1, "2024-01-01": 1}),
        (["2023-12-31", "2024-01-01"], "2y", {}, {"2022-01-01": 1, "2024-01-01": 1}),
        (["2024-05-05T23:59", "2024-05-06"], "1w", {}, {"2024-04-29": 1, "2024-05-06": 1}),
        (
            ["2024-05-04", "2024-05-05"],
            "1w",
            {"week_start": "sunday"},
            {"2024-04-28": 1, "2024-05-05": 1},
        ),
        (
            ["2024-05-07", "2024-05-08"],
            "week",
            {"week_start": "wednesday"},
            {"2024-05-01": 1, "2024-05-08": 1},
        ),
        (
            ["2024-05-01", "2024-05-03"],
            "1d",
            {},
            {"2024-05-01": 1, "2024-05-02": 0, "2024-05-03": 1},
        ),
        (
            ["2024-05-01", "2024-05-09"],
            "7d",
            {"start": "2024-05-01"},
            {"2024-05-01": 1, "2024-05-08": 1},
        ),
        (
            ["2024-05-02", "2024-05-16"],
            "2w",
            {"start": "2024-05-02"},
            {"2024-04-29": 1, "2024-05-13": 1},
        ),
        (
            ["2024-03-31", "2024-04-01"],
            "1y",
            {"fiscal_year": "04-01"},
            {"2023-04-01": 1, "2024-04-01": 1},
        ),
        (
            ["2024-06-30", "2024-07-01"],
            "1q",
            {"fiscal_year": "04-01"},
            {"2024-04-01": 1, "2024-07-01": 1},
        ),
        (
            ["2024-05-15", "2024-05-16"],
            "1mo",
            {"fiscal_year": "04-16"},
            {"2024-04-16": 1, "2024-05-16": 1},
        ),
        (
            ["2024-05-01T05:59", "2024-05-01T06:00"],
            "6h",
            {},
            {"2024-05-01 00:00:00+00:00": 1, "2024-05-01 06:00:00+00:00": 1},
        ),
        (["2024-01-05"], "1mo", {"start": "2024-01-01", "end": "2024-03-01"}, {"2024-01-01": 1}),
        (["2024-01-05", "2024-01-20"], "1mo", {"start": "2024-01-10"}, {"2024-01-01": 1}),
        (["2024-01-05", "2024-02-20"], "1mo", {"end": "2024-02-20"}, {"2024-01-01": 1}),
        (
            ["2024-01-05", "2024-02-20"],
            ["2024-01-01", "2024-02-01", "2024-02-21"],
            {},
            {"2024-01-01": 1, "2024-02-01": 1},
        ),
        (
            ["2024-01-05", "2024-02-20"],
            ["2024-01-06", "2024-02-01", "2024-02-21"],
            {},
            {"2024-01-06": 0, "2024-02-01": 1},
        ),
    ],
)
def test_a_row_is_in_the_period_that_has_begun(times, every, question, found):
    assert labels(times, every, **question) == found


@pytest.mark.parametrize(
    ("zone", "time", "every", "found"),
    [
        ("Europe/Warsaw", "2024-03-31T22:30+00:00", "1d", "2024-04-01"),
        ("Europe/Warsaw", "2024-10-27T22:30+00:00", "1d", "2024-10-27"),
        ("Europe/Warsaw", "2024-10-27T23:30+00:00", "1d", "2024-10-28"),
        ("America/New_York", "2024-01-01T04:59+00:00", "1mo", "2023-12-01"),
        ("Asia/Kolkata", "2023-12-31T18:30+00:00", "1y", "2024-01-01"),
        ("Asia/Kathmandu", "2024-05-01T18:20+00:00", "1h", "2024-05-02 00:00:00+05:45"),
        ("Europe/Warsaw", "2024-10-27T00:30+00:00", "1h", "2024-10-27 02:00:00+02:00"),
        ("Europe/Warsaw", "2024-10-27T01:30+00:00", "1h", "2024-10-27 02:00:00+01:00"),
        ("Europe/Warsaw", "2024-10-27T01:30+00:00", "2h", "2024-10-27 02:00:00+02:00"),
    ],
)
def test_an_instant_is_in_the_period_of_the_clock_of_the_shop(zone, time, every, found):
    assert labels([time], every, time_zone=zone) == {found: 1}


RETAIL = fk.RetailCalendar()
LAST_SATURDAY = fk.RetailCalendar(pattern=(4, 4, 5), last_month=12, is_nearest=False)


@pytest.mark.parametrize(
    ("year", "every", "time", "found"),
    [
        (RETAIL, "1y", "2024-02-03", "2023-01-29"),  # 53 weeks: it ends on 3 February
        (RETAIL, "1y", "2024-02-04", "2024-02-04"),
        (RETAIL, "1mo", "2024-03-02", "2024-02-04"),
        (RETAIL, "1mo", "2024-03-03", "2024-03-03"),
        (RETAIL, "1q", "2024-05-04", "2024-02-04"),
        (RETAIL, "1q", "2024-05-05", "2024-05-05"),
        (LAST_SATURDAY, "1y", "2023-12-31", "2023-12-31"),
        (LAST_SATURDAY, "1y", "2023-12-30", "2023-01-01"),
        (LAST_SATURDAY, "1mo", "2024-01-28", "2024-01-28"),
    ],
)
def test_a_year_of_whole_weeks_ends_on_its_weekday(year, every, time, found):
    assert labels([time], every, fiscal_year=year) == {found: 1}


@pytest.mark.parametrize(
    ("every", "found"),
    [
        ("1mo", [0, 2, 0, 1]),
        ("1q", [0, 3]),
        ("1w", [0, 1, 1, 0]),
    ],
)
def test_the_period_before_is_the_one_before_across_gaps(every, found):
    times = ["2024-01-05", "2024-01-12", "2024-03-22", "2024-04-05"]
    moments = [dt.datetime.fromisoformat(time) for time in times]
    frame = fk.evaluate(fk.Shop(orders=orders_of(ordered_at=moments)), EARLIER, every=every).frame
    kept = frame["before"].to_list()
    assert kept[: len(found)] == found


@pytest.mark.parametrize(
    ("question", "told"),
    [
        (
            {"every": "fortnight"},
            "every='fortnight' is not a valid period; use a number and a unit",
        ),
        ({"every": "0d"}, "is not a valid period"),
        ({"every": "5h"}, "does not divide a day; use 1, 2, 3, 4, 6, 8 or 12 hours"),
        ({"every": "5mo"}, "does not divide a year; use 1, 2, 3, 4 or 6 months"),
        ({"every": "3q"}, "does not divide a year"),
        ({"every": "1mo", "start": "yesterday"}, "start='yesterday'"),
        ({"every": "1mo", "start": "2024-02-01", "end": "2024-02-01"}, "end"),
        ({"every": "1mo", "start": "2024-02-02", "end": "2024-02-01"}, "end"),
        ({"every": ["2024-01-01"]}, "every="),
        ({"every": ["2024-01-01", "2024-01-01"]}, "every="),
        ({"every": ["2024-02-01", "2024-01-01"]}, "every="),
        (
            {"every": ["2024-01-01", "2024-02-01"], "start": "2024-02-01"},
            "they reach from 2024-01-01 00:00:00 to 2024-02-01 00:00:00",
        ),
    ],
)
def test_what_is_no_period_or_range_is_told(question, told):
    with pytest.raises(fk.DefinitionError) as caught:
        labels(["2024-01-05"], **question)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"time_zone": "Europe/Krakow"}, "Europe/Krakow"),
        ({"week_start": "mon"}, "week_start='mon' is not a day of the week; use one of monday"),
        ({"fiscal_year": "4-1"}, "fiscal_year='4-1' is not a valid first day of a year"),
        ({"fiscal_year": "02-29"}, "with a day up to 28"),
        ({"fiscal_year": "13-01"}, "is not a valid first day"),
    ],
)
def test_a_clock_that_does_not_exist_is_told(settings, told):
    with pytest.raises(fk.FunnelkitError) as caught:
        labels(["2024-01-05"], "1mo", **settings)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"pattern": (4, 4, 4)}, "does not add up to a quarter of 13 weeks"),
        ({"last_month": 0}, "last_month=0 is not a month; use 1 to 12"),
        ({"last_month": 13}, "last_month=13 is not a month"),
        ({"last_weekday": "sat"}, "last_weekday='sat' is not a day of the week"),
    ],
)
def test_a_year_of_weeks_that_cannot_be_is_told(fields, told):
    with pytest.raises(fk.DefinitionError, match=told):
        fk.RetailCalendar(**fields)


def test_every_year_of_weeks_has_52_or_53_and_none_is_lost():
    for year in (RETAIL, LAST_SATURDAY):
        starts = year.starts(12)
        lengths = {(late - early).days for early, late in zip(starts, starts[1:], strict=False)}
        assert lengths == {364, 371}
        assert {start.weekday() for start in starts} == {6}
        assert len(year.starts(1)) == 12 * len(starts)


def test_a_moment_before_all_boundaries_is_told_with_the_first_of_them():
    edges = ["2024-01-01", "2024-02-01", "2024-03-01"]
    asked = fk.evaluate(
        fk.Shop(orders=orders_of(ordered_at=[dt.datetime(2024, 2, 5)])),
        [EARLIER, ORDERS],
        every=edges,
        start="2024-02-01",
    )
    assert asked.frame.rows() == [(dt.date(2024, 2, 1), 0, 1)]
    with pytest.raises(fk.DefinitionError, match="has no boundary 1 periods before 2024-01-01"):
        fk.evaluate(fk.Shop(orders=orders_of()), EARLIER, every=edges)


def test_a_range_with_start_and_end_is_shown_whole_as_far_as_the_data_is_known():
    """Orders in February and April; the data is known up to June."""
    times = ["2024-02-10", "2024-04-10"]
    silent = {"2024-01-01": 0, "2024-02-01": 1, "2024-03-01": 0, "2024-04-01": 1}
    whole = {"start": "2024-01-01", "end": "2024-12-01"}
    assert labels(times, "1mo", **whole) == silent
    assert labels(times, "1mo", **whole, as_of="2024-06-01") == silent | {"2024-05-01": 0}
    assert labels(times, "1mo", **whole, as_of="2024-06-02") == silent | {
        "2024-05-01": 0,
        "2024-06-01": 0,
    }
    assert labels(times, "1mo", start="2024-05-01", end="2024-07-01", as_of="2024-06-01") == {
        "2024-05-01": 0
    }
    assert labels(times, "1mo", start="2024-07-01", end="2024-08-01") == {}
    assert labels(times, "1mo", start="2024-01-01") == {
        "2024-02-01": 1,
        "2024-03-01": 0,
        "2024-04-01": 1,
    }


def test_a_total_to_date_stands_in_silent_months_too():
    total = fk.Metric(name="total", formula=fk.Cumulative(fk.Count(fk.Orders)))
    shop = fk.Shop(orders=orders_of(ordered_at=[dt.datetime(2024, 1, 10)]), as_of="2024-05-01")
    found = fk.evaluate(shop, total, every="1mo", start="2024-02-01", end="2024-07-01")
    assert found.frame["total"].to_list() == [1, 1, 1]


def test_a_range_after_all_that_is_known_has_no_rows_though_its_history_is_read():
    total = fk.Metric(name="total", formula=fk.Cumulative(fk.Count(fk.Orders)))
    shop = fk.Shop(orders=orders_of(ordered_at=[dt.datetime(2024, 1, 10)]))
    found = fk.evaluate(shop, total, every="1mo", start="2024-02-01", end="2024-05-01")
    assert found.frame.height == 0

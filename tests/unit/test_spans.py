"""What a range of time is compared with: counterparts, and ranges that do not overlap."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnelkit.calendar.calendar import Calendar
from funnelkit.calendar.fiscal import RetailCalendar
from funnelkit.calendar.spans import (
    Alignment,
    Stretch,
    boundaries,
    layers,
    previous_period,
    previous_year,
    previous_year_faults,
)

ONE_DAY = dt.timedelta(days=1)
WEEKS = Calendar().divided("1w", None, None)[0]
MONTHS = Calendar().divided("1mo", None, None)[0]


def through(first, last):
    """Return a range from its first to its last day."""
    return Stretch(dt.datetime.fromisoformat(first), dt.datetime.fromisoformat(last) + ONE_DAY)


def days_of(stretch):
    """Return the first and the last day of a range."""
    if stretch is None:
        return None
    return str(stretch.start.date()), str((stretch.end - ONE_DAY).date())


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2023-03-01", "2023-03-02", ("2023-02-27", "2023-02-28")),
        ("2023-02-01", "2023-02-28", ("2023-01-04", "2023-01-31")),
    ],
)
def test_the_period_before_has_as_many_days_and_ends_the_day_before(first, last, expected):
    assert days_of(previous_period(through(first, last), Calendar())) == expected


def test_a_month_by_weekday_goes_back_by_whole_weeks_until_nothing_overlaps():
    january = through("2023-01-01", "2023-01-31")
    before = previous_period(january, Calendar(), alignment=Alignment.WEEKDAY)
    assert days_of(before) == ("2022-11-27", "2022-12-27")


def test_a_period_of_the_calendar_is_preceded_by_the_one_before():
    march = through("2024-03-01", "2024-03-31")
    assert days_of(previous_period(march, MONTHS)) == ("2024-02-01", "2024-02-29")
    listed = Calendar().divided(["2024-03-01", "2024-04-01"], None, None)[0]
    assert previous_period(march, listed) is None


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2023-02-01", "2023-02-28", ("2022-02-01", "2022-02-28")),
        ("2023-01-01", "2023-03-01", ("2022-01-01", "2022-03-01")),
        ("2024-02-29", "2024-02-29", ("2023-02-28", "2023-02-28")),
        ("2025-02-01", "2025-02-28", ("2024-02-01", "2024-02-29")),
        ("2024-01-01", "2024-03-01", ("2023-01-01", "2023-03-02")),
    ],
)
def test_the_year_before_by_date(first, last, expected):
    assert days_of(previous_year(through(first, last), Calendar())) == expected


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2023-01-01", "2023-03-01", ("2022-01-02", "2022-03-02")),
        ("2024-11-01", "2024-11-30", ("2023-11-03", "2023-12-02")),
        ("2023-11-14", "2023-11-14", ("2022-11-15", "2022-11-15")),
    ],
)
def test_the_year_before_by_weekday_is_364_days_back(first, last, expected):
    found = previous_year(through(first, last), Calendar(), alignment=Alignment.WEEKDAY)
    assert days_of(found) == expected


@pytest.mark.parametrize(
    ("monday", "expected"),
    [
        ("2020-12-28", None),  # week 53; 2019 has 52
        ("2021-01-04", ("2019-12-30", "2020-01-05")),
        ("2022-01-03", ("2021-01-04", "2021-01-10")),
        ("2024-02-26", ("2023-02-27", "2023-03-05")),
    ],
)
def test_a_week_has_the_week_of_the_same_number_a_year_before(monday, expected):
    start = dt.datetime.fromisoformat(monday)
    week = Stretch(start, start + 7 * ONE_DAY)
    assert days_of(previous_year(week, WEEKS, alignment=Alignment.WEEK_NUMBER)) == expected


def test_weeks_of_a_retail_year_are_numbered_from_its_first_day():
    # the year of 2023 has 53 weeks: it begins on 2023-01-29, the next on 2024-02-04
    retail = Calendar(fiscal_year=RetailCalendar(), week_start="sunday")
    weeks = retail.divided("1w", None, None)[0]
    first = Stretch(dt.datetime(2024, 2, 4), dt.datetime(2024, 2, 11))
    found = previous_year(first, weeks, alignment=Alignment.WEEK_NUMBER)
    assert days_of(found) == ("2023-01-29", "2023-02-04")
    last = Stretch(dt.datetime(2024, 1, 28), dt.datetime(2024, 2, 4))
    assert previous_year(last, weeks, alignment=Alignment.WEEK_NUMBER) is None


@pytest.mark.parametrize(
    ("every", "alignment", "first", "last", "told"),
    [
        ("2w", "date", "2024-01-01", "2024-01-14", "align='weekday'"),
        ("2y", "date", "2024-01-01", "2025-12-31", "longer than a year"),
        (None, "date", "2023-01-01", "2024-12-31", "overlaps"),
        (None, "weekday", "2024-01-01", "2024-12-31", "overlaps"),
        (None, "week_number", "2024-01-02", "2024-01-08", "not whole weeks from a monday"),
    ],
)
def test_what_has_no_counterpart_is_refused(every, alignment, first, last, told):
    calendar = Calendar().divided(every, None, None)[0]
    faults = previous_year_faults([through(first, last)], calendar, Alignment(alignment))
    assert told in "; ".join(faults)


def test_an_hour_that_the_clock_skips_is_no_counterpart():
    hours = Calendar(time_zone="Europe/Warsaw").divided("1h", None, None)[0]
    hour = Stretch(dt.datetime(2025, 3, 30, 2), dt.datetime(2025, 3, 30, 3))
    skipped = previous_year(hour.moved(365), hours, alignment=Alignment.DATE)
    assert skipped is None


RANGES = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), min_size=1, max_size=12)


@settings(max_examples=50)
@given(RANGES)
def test_layers_hold_every_range_once_and_none_that_overlap(ranges):
    start = dt.datetime(2024, 1, 1)
    stretches = [
        Stretch(start + first * ONE_DAY, start + (first + count) * ONE_DAY)
        for first, count in ranges
    ]
    found = layers(stretches, lambda moment: moment)
    assert sorted(one for layer in found for one in layer) == sorted(set(stretches))
    for layer in found:
        edges = boundaries(layer)
        assert edges == sorted(set(edges))
        assert all(one.start in edges and one.end in edges for one in layer)
    deepest = max(
        sum(one.start <= moment < one.end for one in set(stretches))
        for moment in (start + number * ONE_DAY for number in range(40))
    )
    assert len(found) == deepest

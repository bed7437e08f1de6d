"""Where a clock skips more than an hour, a row lies in a period that starts before it."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk

HOUR = dt.timedelta(hours=1)
BY_TWO, BY_THREE = "Antarctica/Troll", "Antarctica/Casey"
BAHIA, CHATHAM = "America/Bahia_Banderas", "Pacific/Chatham"
CHANGES = {
    BY_TWO: dt.datetime(2024, 3, 31, 1, tzinfo=dt.UTC),
    BY_THREE: dt.datetime(2009, 10, 17, 18, tzinfo=dt.UTC),
    BAHIA: dt.datetime(2010, 4, 4, 9, tzinfo=dt.UTC),
    CHATHAM: dt.datetime(2000, 9, 30, 14, tzinfo=dt.UTC),
}
"""When clocks go from 1 to 3, from 2 to 5, from 2 to 4, and from a quarter to 3 to one to 4."""


def label_of(instant, zone, every, *, earlier=5):
    times = [instant - earlier * HOUR, instant]
    shop = fk.Shop(
        sessions=pl.DataFrame({"session_id": [1, 2], "started_at": times}), time_zone=zone
    )
    labels = fk.evaluate(shop, "sessions", every=every).frame["period"]
    return labels.dt.convert_time_zone("UTC").to_list()[-1]


@pytest.mark.parametrize(
    ("zone", "every", "start"),
    [
        (BY_TWO, "2h", dt.timedelta()),
        (BY_THREE, "4h", dt.timedelta()),
        (BAHIA, "3h", dt.timedelta()),
        (CHATHAM, "1h", dt.timedelta()),
        (CHATHAM, "3h", dt.timedelta()),
        (CHATHAM, "2h", -3 * HOUR / 4),
        (BY_TWO, "1h", dt.timedelta()),
        (BY_TWO, "3h", dt.timedelta()),
        (BY_TWO, "4h", -HOUR),
        (BY_THREE, "1h", dt.timedelta()),
        (BY_THREE, "8h", -2 * HOUR),
        (BAHIA, "2h", dt.timedelta()),
        ("Europe/Warsaw", "2h", None),
    ],
)
def test_a_period_of_which_the_clock_skips_the_start_starts_with_the_change(zone, every, start):
    change = CHANGES.get(zone, dt.datetime(2024, 3, 31, 1, tzinfo=dt.UTC))
    expected = change if start is None else change + start
    assert label_of(change + HOUR / 6, zone, every) == expected


def test_the_change_may_lie_before_all_of_the_rows():
    change = CHANGES[BY_TWO]
    assert label_of(change + HOUR / 6, BY_TWO, "2h", earlier=0) == change

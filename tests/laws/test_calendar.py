"""Laws of the calendar: every row in the period that an almanac of plain Python gives it."""

import datetime as dt
import random
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import polars as pl
import pytest
from hypothesis import example, given, note, settings
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.calendar.calendar import Calendar
from laws.almanac import DAY, UTC, WEEKDAYS, Almanac, Clock, Own, counted, week_year_start

lawful = settings(max_examples=60, deadline=None)
ORDERS = fk.Metric(name="m", formula=fk.Count(fk.Orders))
ZONES = (
    "UTC",
    "Europe/Warsaw",
    "America/New_York",
    "America/Caracas",
    "America/Sao_Paulo",
    "America/Havana",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Asia/Beirut",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Australia/Eucla",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
)
"""Quarters of hours; days whose midnight is skipped or comes twice; a day that was skipped;
summer time of half an hour, of two hours, and one that pauses; rules that were changed."""
YEARS = st.sampled_from(["01-01", "04-06", "04-01", "07-15", "12-28", "02-01"]) | st.builds(
    fk.RetailCalendar,
    pattern=st.sampled_from([(4, 4, 5), (4, 5, 4), (5, 4, 4)]),
    last_month=st.integers(1, 12),
    last_weekday=st.sampled_from(WEEKDAYS),
    is_nearest=st.booleans(),
)
GRAINS = st.sampled_from(
    ["1d", "3d", "10d", "1w", "2w", "5w", "1mo", "2mo", "3mo", "4mo", "6mo", "1q", "2q", "1y"]
)
HOURS = st.sampled_from(["1h", "2h", "3h", "4h", "6h", "8h", "12h", "24h"])
KINDS = st.sampled_from(["naive", "own", "utc", "far", "date"])


def column(moments: Sequence[dt.datetime], kind: str, zone: str, unit: Any = "us") -> pl.Series:
    """Give instants as a column of one of the kinds that a shop may have."""
    utc = pl.Series("ordered_at", moments, dtype=pl.Datetime("us", "UTC"))
    match kind:
        case "naive" | "date":
            shown = [Clock(zone).wall(moment) for moment in moments]
            local = pl.Series("ordered_at", shown, dtype=pl.Datetime("us"))
            return local.dt.cast_time_unit(unit) if kind == "naive" else local.cast(pl.Date)
        case "own":
            return utc.dt.convert_time_zone(zone).dt.cast_time_unit(unit)
        case "far":
            return utc.dt.convert_time_zone("Asia/Kolkata").dt.cast_time_unit(unit)
        case _:
            return utc.dt.cast_time_unit(unit)


def bound(ordered_at: Any, zone: str = "UTC", *, customers: Any = 1, **rest: Any) -> fk.Shop:
    times = pl.Series("ordered_at", ordered_at)
    orders = times.to_frame().with_columns(
        pl.int_range(pl.len()).alias("order_id"),
        customer_id=pl.lit(pl.Series(customers)) if isinstance(customers, list) else customers,
        status=pl.lit("paid"),
    )
    return fk.Shop(orders=orders, time_zone=zone, **rest)


def ask(shop: fk.Shop, metric: Any = ORDERS, **question: Any) -> dict[dt.date, Any]:
    """Give a metric's values by period, hours as instants."""
    result = fk.evaluate(shop, [metric], **question)
    labels, values = result.frame["period"], result.frame[result.metrics[0].name]
    assert labels.null_count() == 0
    assert labels.is_sorted()
    assert labels.is_unique().all()
    if labels.dtype != pl.Date:
        labels = labels.dt.convert_time_zone("UTC")
    return dict(zip(labels.to_list(), values.to_list(), strict=True))


def assert_counted(shop: fk.Shop, periods: Almanac | Own, moments: Sequence[dt.date]) -> None:
    """Assert that every row is where the almanac puts it, the first time and the second."""
    start = periods.start if isinstance(periods, Almanac) else None
    every = periods.every if isinstance(periods, Almanac) else list(periods.edges)
    wanted = counted(periods, [m for m in moments if _is_from(periods.clock, m, start)])
    if isinstance(periods, Own):
        wanted = {label: wanted.get(label, 0) for label in periods.known(max(moments))} | wanted
    for _ in range(2):
        assert ask(shop, every=every, start=start) == wanted


def _is_from(clock: Clock, moment: dt.date, start: dt.date | None) -> bool:
    return start is None or clock.wall(moment) >= clock.wall(start)


@st.composite
def times(draw: st.DrawFn, zone: str, first: int = 1975, last: int = 2025) -> list[dt.datetime]:
    """Give instants within some years of each other, many next to a change of the clock."""
    year = draw(st.integers(first, last))
    january = dt.datetime(year, 1, 1, tzinfo=UTC)
    near = Clock(zone).changes(year, year + 1) or [january]
    seconds = st.integers(-7200, 7200) | st.sampled_from([0, -1, 1800, 3599, 3600])
    close = st.builds(lambda at, n: at + dt.timedelta(seconds=n), st.sampled_from(near), seconds)
    plain = st.builds(lambda n: january + dt.timedelta(minutes=n), st.integers(0, 1_000_000))
    return draw(st.lists(close | plain, min_size=1, max_size=12))


# --- which period --------------------------------------------------------------------------------


@lawful
@given(st.data(), st.sampled_from(ZONES), GRAINS, YEARS, st.sampled_from(WEEKDAYS), KINDS)
def test_a_row_lies_in_the_period_of_the_almanac(data, zone, every, year, week_start, kind):  # noqa: PLR0917
    moments = data.draw(times(zone))
    unit = data.draw(st.sampled_from(["ms", "us", "ns"]))
    rows = column(moments, kind, zone, unit)
    start = data.draw(st.none() | st.sampled_from([Clock(zone).wall(m).date() for m in moments]))
    almanac = Almanac(zone, every, week_start, year, start)
    note(f"{almanac}, {rows.to_list()}")
    shop = bound(rows, zone, fiscal_year=year, week_start=week_start)
    assert_counted(shop, almanac, rows.to_list())


@lawful
@given(st.data(), st.sampled_from(ZONES), HOURS, st.sampled_from(["own", "utc", "far"]))
def test_a_row_lies_in_the_hours_of_the_almanac(data, zone, every, kind):
    if (zone, every) == ("Antarctica/Troll", "2h"):
        return
    change = data.draw(st.sampled_from(Clock(zone).changes(1995, 2026) or [_utc(2024, 3, 1)]))
    minutes = st.integers(-1500, 1500) | st.integers(-150, 150)
    moments = [change + dt.timedelta(minutes=n) for n in data.draw(st.lists(minutes, min_size=1))]
    unit = data.draw(st.sampled_from(["ms", "us", "ns"]))
    assert_counted(bound(column(moments, kind, zone, unit), zone), Almanac(zone, every), moments)


def _utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [("Europe/Warsaw", 1914, 1946), ("Europe/Paris", 1940, 1945), ("Africa/Monrovia", 1972, 1972)],
)
def test_no_hour_is_lost_where_the_clock_is_moved_by_odd_minutes(zone, first, last):
    for change in Clock(zone).changes(first, last):
        moments = [change + dt.timedelta(minutes=12 * n - 180) for n in range(31)]
        for every in ("1h", "1d"):
            assert_counted(bound(moments, zone), Almanac(zone, every), moments)


@pytest.mark.slow
def test_every_zone_keeps_the_periods_of_its_clock():
    """One shop per clock: moments around its changes since 1996, and far from any.

    Zones that have changed at the same instants to the same offsets are one clock.
    """
    draw, clocks = random.Random(7), {}
    for zone in sorted(available_timezones() - {"localtime", "Factory"}):
        if zone.startswith(("posix/", "right/")):
            continue
        near = Clock(zone).changes(1996, 2026) or [_utc(2000, 1, 1)]
        offsets = tuple((at, at.astimezone(ZoneInfo(zone)).utcoffset()) for at in near)
        clocks.setdefault(offsets, (zone, near))
    assert len(clocks) > 100
    for zone, near in clocks.values():
        around = [draw.choice(near) for _ in range(2)]
        moments = [at + dt.timedelta(minutes=15 * n - 60) for at in around for n in range(9)]
        every = draw.choice(["1d", "1h", "6h"])
        if every != "1d":
            moments = [moment for moment in moments if abs(moment - around[0]) < DAY]
        assert_counted(bound(moments, zone), Almanac(zone, every), moments)


@pytest.mark.parametrize("year", [1, 2900, 9999])
@pytest.mark.parametrize("every", ["1y", "1mo"])
def test_a_mistaken_year_neither_stops_nor_moves_the_other_rows(year, every):
    moments = [_utc(2024, 3, 30, 23, 30), _utc(2024, 7, 31, 22, 30), _utc(year, 6, 1)]
    shop = bound(moments, "Europe/Warsaw", as_of="2024-09-01")
    found = {label: n for label, n in ask(shop, every=every).items() if n}
    again = {label: n for label, n in ask(shop, every=every).items() if n}
    assert found == again
    known = {label: n for label, n in found.items() if label.year == 2024}
    wanted = counted(Almanac("Europe/Warsaw", every), moments[:2])
    assert known == {label: n for label, n in wanted.items() if n}


def test_the_same_hour_of_yesterday_is_found_over_any_number_of_hours():
    first = _utc(2024, 10, 26, 0)
    moments = [first + dt.timedelta(hours=n) for n in range(72) for _ in range(n + 1)]
    shop, shift = bound(moments, "Europe/Warsaw"), fk.Shift(fk.Count(fk.Orders), 24)
    found = ask(shop, fk.Metric(name="then", formula=shift), every="1h")
    assert list(found.values()) == [0] * 24 + list(range(1, 49))


# --- boundaries of one's own ---------------------------------------------------------------------


@lawful
@given(st.data(), st.sampled_from(ZONES), st.booleans(), KINDS)
def test_own_boundaries_divide_as_they_say(data, zone, has_times, kind):
    clock = Clock(zone)
    kind = "own" if has_times and kind in {"date", "naive"} else kind
    rows = column(data.draw(times(zone)), kind, zone)
    around = [clock.wall(m) for m in data.draw(times(zone))] + [clock.wall(m) for m in rows]
    if not has_times:
        around = [dt.datetime.combine(edge.date(), dt.time()) for edge in around]
    found = {clock.instant(edge) if has_times else edge: edge for edge in around}
    edges = tuple(found[place] for place in sorted(found))
    if len(edges) < 2:
        return
    note(f"{edges}, {rows.to_list()}")
    assert_counted(bound(rows, zone), Own(zone, edges), rows.to_list())


def test_a_boundary_may_lie_in_the_second_of_two_hours_of_one_name():
    zone = ZoneInfo("Europe/Warsaw")
    twice = [dt.datetime(2024, 10, 27, 2, 30, tzinfo=zone, fold=fold) for fold in (0, 1)]
    edges = [dt.datetime(2024, 10, 26, 2), *twice, dt.datetime(2024, 12, 1)]
    moments = [_utc(2024, 10, 26, 23, 59), _utc(2024, 10, 27, 0, 30), _utc(2024, 10, 27, 1, 30)]
    shop = bound([*moments, _utc(2024, 11, 5)], zone.key)
    assert list(ask(shop, every=edges).values()) == [1, 1, 2]
    then = fk.Shift(fk.Count(fk.Orders))
    then = fk.Metric(name="then", formula=then)
    assert list(ask(shop, then, every=edges, start=twice[0]).values()) == [1, 1]


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"every": "5h"}, "does not divide a day"),
        ({"every": "0d"}, "is not a valid period"),
        ({"every": "7mo"}, "does not divide a year"),
        ({"every": "13mo"}, "does not divide a year"),
        ({"every": "-1d"}, "is not a valid period"),
        ({"every": ""}, "is not a valid period"),
        ({"every": []}, "gives 0 boundaries"),
        ({"every": ["2024-01-01"]}, "gives 1 boundaries"),
        ({"every": ["2024-02-01", "2024-01-01"]}, "sort them"),
        ({"every": ["2024-02-01", "2024-02-01"]}, "sort them"),
        ({"every": ["2024-03-31T02:30", "2024-03-31T03:00"]}, "sort them"),
        ({"every": ["2024-02-01", "soon"]}, "is not a valid date"),
        ({"every": ["2024-01-01", "2024-02-01"], "start": "2024-02-01"}, "outside the boundaries"),
        ({"every": ["2024-01-01", "2024-02-01"], "end": "2024-01-01"}, "outside the boundaries"),
    ],
)
def test_periods_that_are_none_are_refused(question, message):
    with pytest.raises(fk.DefinitionError, match=message):
        ask(bound([_utc(2024, 1, 5)], "Europe/Warsaw"), **question)


@pytest.mark.parametrize("year", ["13-01", "00-10", "02-30", "01-29", "4-6", "april", ""])
def test_a_fiscal_year_that_begins_on_no_day_of_every_month_is_refused(year):
    with pytest.raises(fk.DefinitionError, match="is not a valid first day of a year"):
        bound([_utc(2024, 1, 5)], fiscal_year=year)


@pytest.mark.parametrize(
    "settings_of",
    [{"pattern": (5, 5, 3)}, {"last_month": 13}, {"last_month": 0}, {"last_weekday": "Sat"}],
)
def test_a_year_of_weeks_that_is_none_is_refused(settings_of):
    with pytest.raises(fk.DefinitionError):
        fk.RetailCalendar(**settings_of)


# --- known facts ---------------------------------------------------------------------------------


def test_the_retail_years_are_those_that_the_trade_published():
    days = [dt.datetime(2022, 1, 30) + n * DAY for n in range(1100)]
    shop = bound(days, fiscal_year=fk.RetailCalendar(pattern=[4, 5, 4]))
    years = ask(shop, every="1y", end="2025-02-02")
    assert years == {
        dt.date(2022, 1, 30): 364,
        dt.date(2023, 1, 29): 371,
        dt.date(2024, 2, 4): 364,
    }
    months = ask(shop, every="1mo", start="2023-01-29", end="2024-02-04")
    assert [count // 7 for count in months.values()] == [4, 5, 4, 4, 5, 4, 4, 5, 4, 4, 5, 5]
    assert [number for number in range(1990, 2030) if _has_53(fk.RetailCalendar(), number)] == [
        1995,
        2000,
        2006,
        2012,
        2017,
        2023,
        2028,
    ]


def _has_53(year: fk.RetailCalendar, number: int) -> bool:
    return week_year_start(year, number + 1) - week_year_start(year, number) == 371 * DAY


def test_the_british_tax_year_begins_on_the_sixth_of_april():
    days = [dt.datetime(2024, 4, 5), dt.datetime(2024, 4, 6), dt.datetime(2024, 7, 5)]
    shop = bound(days, "Europe/London", fiscal_year="04-06")
    assert ask(shop, every="1y") == {dt.date(2023, 4, 6): 1, dt.date(2024, 4, 6): 2}
    assert list(ask(shop, every="1q")) == [dt.date(2024, 1, 6), dt.date(2024, 4, 6)]
    assert list(ask(shop, every="1mo"))[-1] == dt.date(2024, 6, 6)


# --- periods among themselves --------------------------------------------------------------------


@lawful
@given(st.data(), st.sampled_from(ZONES), GRAINS | HOURS | st.sampled_from(["2y", "3y"]), YEARS)
def test_periods_partition_the_range(data, zone, every, year):
    moments = data.draw(times(zone))
    if every.endswith("h"):
        moments = [moment for moment in moments if abs(moment - moments[0]) < 40 * DAY]
    shop = bound(moments, zone, fiscal_year=year)
    assert sum(ask(shop, every=every).values()) == len(moments)


@lawful
@given(st.data(), st.sampled_from(ZONES), GRAINS | HOURS, YEARS, st.integers(1, 14))
def test_labels_that_are_moved_are_moved_back_by_earlier(data, zone, every, year, periods):
    if (zone, every) in {("Antarctica/Troll", "2h"), ("Pacific/Chatham", "1h")}:
        return
    almanac = Almanac(zone, every, "sunday", year)
    calendar = Calendar(time_zone=zone, week_start="sunday", fiscal_year=year)
    calendar = calendar.divided(every, None, None)[0]
    label = almanac.period(data.draw(times(zone, 1995, 2026))[0])
    later = label
    for _ in range(periods):
        later = almanac.after(later)
    frame = pl.DataFrame({"label": [label]}, schema={"label": calendar.label_type})
    moved = frame.with_columns(calendar.moved(pl.col("label"), periods))
    assert moved.columns == ["label"]
    found = moved["label"]
    assert (found.dt.convert_time_zone("UTC") if almanac.has_hours else found).item() == later
    shown = calendar.shown(later) if almanac.has_hours else calendar.local(later, "start")
    assert calendar.floor(shown) == shown
    back = calendar.earlier(shown, periods)
    assert (calendar.instant(back) if almanac.has_hours else back.date()) == label
    assert back == calendar.floor(back)


# --- earlier periods -----------------------------------------------------------------------------


def retained(
    periods: Almanac, moments: Sequence[dt.datetime], owners: Sequence[int], shift: int
) -> dict[dt.date, int]:
    """Count the customers of each period who also bought in the one so many before."""
    of: dict[dt.date | None, set[int]] = {}
    for moment, owner in zip(moments, owners, strict=True):
        of.setdefault(periods.period(moment), set()).add(owner)
    return {
        label: len(of.get(label, set()) & of.get(periods.before(label, shift), set()))
        for label in counted(periods, moments)
    }


@lawful
@given(st.data(), st.sampled_from(["1mo", "1q", "2w"]), YEARS, st.integers(1, 3))
def test_who_is_retained_over_periods_of_any_calendar_was_in_both(data, every, year, shift):
    days = data.draw(st.lists(st.integers(0, 400), min_size=2, max_size=30))
    moments = [_utc(2023, 3, 20, 22) + n * DAY for n in days]
    owners = [n % 4 for n in data.draw(st.permutations(range(len(days))))]
    zone = data.draw(st.sampled_from(ZONES))
    almanac = Almanac(zone, every, fiscal_year=year)
    shop = bound(moments, zone, customers=owners, fiscal_year=year)
    wanted = retained(almanac, moments, owners, shift)
    metric = fk.Metric(name="kept", formula=fk.CountRetained(fk.Orders.customer_id, periods=shift))
    result = fk.evaluate(shop, [ORDERS, metric], every=every).frame
    assert dict(result.select("period", "kept").iter_rows()) == wanted


@lawful
@given(st.data(), st.sampled_from(ZONES), HOURS | GRAINS, YEARS, st.integers(1, 3))
def test_an_earlier_period_is_read_from_before_the_start(data, zone, every, year, shift):
    has_odd_hours = (zone, every) in {("Antarctica/Troll", "2h"), ("Pacific/Chatham", "1h")}
    if has_odd_hours or every in {"3d", "10d", "2w", "5w"}:
        return
    change = data.draw(st.sampled_from(Clock(zone).changes(2000, 2026) or [_utc(2024, 3, 1)]))
    step = dt.timedelta(minutes=20) if every.endswith("h") else dt.timedelta(days=9)
    moments = [change + n * step for n in range(-50, 50)]
    almanac = Almanac(zone, every, fiscal_year=year)
    counts = counted(almanac, moments)
    start = data.draw(st.sampled_from(list(counts)))
    note(f"{start}")
    shop = bound(moments, zone, fiscal_year=year)
    then = fk.Metric(name="then", formula=fk.Shift(fk.Count(fk.Orders), shift))
    for label, value in ask(shop, then, every=every, start=start).items():
        assert label >= start
        assert value == counts.get(almanac.before(label, shift), 0), label


def test_hours_whose_start_the_clock_skips_are_read_from_their_first_moment():
    """In Chatham the clock went from 02:45 to 03:45: the hours from 03:00 began at 14:00 UTC."""
    moments = [_utc(2000, 9, 30, hour, minute) for hour, minute in ((14, 0), (14, 20), (17, 0))]
    shop = bound(moments, "Pacific/Chatham")
    then = fk.Metric(name="then", formula=fk.Shift(fk.Count(fk.Orders), 1))
    found = ask(shop, then, every="3h", start=_utc(2000, 9, 30, 16, 15))
    assert list(found.values()) == [2]


def like_for_like(
    periods: Almanac | Own, shown: Sequence[dt.datetime], known: dt.datetime, shift: int
) -> dict[dt.date, int]:
    """Count rows of the earlier period, and of the open one's only the part that has passed."""
    wanted: dict[dt.date, int] = {}
    now = periods.period(known)
    past = counted(periods, [moment for moment in shown if moment < known])
    for label in periods.known(known) if isinstance(periods, Own) else past:
        then = periods.before(label, shift)
        rows = [moment for moment in shown if periods.period(moment) == then is not None]
        if label == now and then is not None:
            passed = known - dt.datetime.combine(label, dt.time())
            rows = [row for row in rows if row - dt.datetime.combine(then, dt.time()) < passed]
        wanted[label] = len(rows)
    return wanted


LIKE = [
    fk.Metric(name=f"like_{n}", formula=fk.Shift(fk.Count(fk.Orders), n, like_for_like=True))
    for n in (1, 2, 3)
]


@lawful
@given(st.data(), st.sampled_from(["1w", "1mo", "1q", "1y"]), YEARS, st.integers(1, 3))
def test_an_open_period_is_set_against_the_same_part_of_the_earlier_one(data, every, year, shift):
    zone = data.draw(st.sampled_from(ZONES))
    hours = data.draw(st.lists(st.integers(0, 24 * 800), min_size=2, max_size=60))
    shown = [dt.datetime(2022, 11, 2) + dt.timedelta(hours=n) for n in hours]
    known = dt.datetime(2022, 11, 3) + dt.timedelta(hours=data.draw(st.integers(0, 24 * 800)))
    almanac = Almanac(zone, every, fiscal_year=year)
    if known == dt.datetime.combine(almanac.first_day(known.date()), dt.time()):
        return
    wanted = like_for_like(almanac, shown, known, shift)
    kind = data.draw(st.sampled_from(["end", "as_of"]))
    settings_of = {"as_of": known} if kind == "as_of" else {"as_of": "2030-01-01"}
    rows = [row for row in shown if row < known] if kind == "as_of" else shown
    shop = bound(rows, zone, fiscal_year=year, **settings_of)
    question = {} if kind == "as_of" else {"end": known}
    found = ask(shop, LIKE[shift - 1], every=every, **question)
    assert {label: found.get(label) for label in wanted} == wanted


def test_the_whole_of_a_shorter_month_is_set_against_the_end_of_a_longer_one():
    days = [dt.datetime(2023, 2, 1) + n * DAY for n in range(59)]
    shop = bound(days, as_of="2023-03-30T12:00")
    assert ask(shop, LIKE[0], every="1mo")[dt.date(2023, 3, 1)] == 28
    part = bound(days[:38], as_of="2023-03-10T12:00")
    assert ask(part, LIKE[0], every="1mo")[dt.date(2023, 3, 1)] == 10


@example([3, 40], 45)
@lawful
@given(st.lists(st.integers(0, 89), min_size=1), st.integers(31, 89))
def test_own_periods_are_compared_like_for_like(days, until):
    first = dt.datetime(2024, 1, 1)
    edges = (first, first + 31 * DAY, first + 60 * DAY, first + 91 * DAY)
    shown, known = [first + n * DAY for n in days], first + (until + 0.5) * DAY
    periods = Own("UTC", edges)
    wanted = like_for_like(periods, shown, known, 1)
    start = edges[1]
    shop = bound(shown, as_of="2030-01-01")
    found = ask(shop, LIKE[0], every=edges, start=start, end=known)
    assert found == {label: n for label, n in wanted.items() if label >= start.date()}

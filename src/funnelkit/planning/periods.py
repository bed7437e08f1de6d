"""Periods of a calendar as scalars: in which period a time lies, and which number it has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from funnelkit.calendar.calendar import EPOCH, UTC_EPOCH, Calendar
from funnelkit.calendar.fiscal import WEEKDAYS, parse_fiscal_start
from funnelkit.calendar.grain import ONE_DAY, Span, TimeUnit
from funnelkit.calendar.zones import skipped_starts
from funnelkit.errors import UnsupportedError
from funnelkit.formula.values import Column, Lookup
from funnelkit.formula.walk import end_of
from funnelkit.planning.lowering import Lowering
from funnelkit.planning.relations import (
    Kind,
    Lit,
    Op,
    Scalar,
    call,
    piecewise,
    when,
    whole,
)

__all__ = ["Ordinal", "first_label", "label_kind", "ordinal_of", "period_of"]

FROM_1900 = 840
"""How many months there are from 1900, where fiscal periods begin, to 1970."""

FIRST_DAY = Lit(EPOCH.date(), "day")
SECOND_YEAR = dt.datetime(2, 1, 1, tzinfo=dt.UTC)
AT_MOST = UTC_EPOCH, dt.datetime(2040, 1, 1, tzinfo=dt.UTC)
"""The times between which changes of a clock are looked at where those of the rows are unknown."""


@dataclass(frozen=True, slots=True)
class Ordinal:
    """The number of a period.

    Attributes:
        value: A whole number that grows by `step` from one period to the next.
        step: By how much it grows.
    """

    value: Scalar
    step: int


def label_kind(calendar: Calendar) -> Kind:
    """Return the kind of the labels of periods."""
    return "instant" if calendar.has_hours else "day"


def first_label(calendar: Calendar) -> Lit:
    """Return the label of the first period of those whose boundaries are given."""
    first = calendar.boundaries[0]
    if calendar.has_hours:
        return Lit(calendar.instant(first), "instant")
    return Lit(first.date(), "day")


def period_of(lowering: Lowering, time: Column | Lookup, calendar: Calendar) -> Scalar:
    """Return the label of the period that a time lies in: a day, or an instant."""
    if calendar.has_hours:
        return _hours(lowering, time, calendar)
    day = lowering.day(time)
    if (shift := _fiscal_shift(calendar)) is not None:
        return _fiscal(day, calendar, *shift)
    if calendar.edges:
        return call(Op.FLOOR_AMONG, day, *_edges(lowering, time, calendar))
    if calendar.every is None:
        raise AssertionError(calendar)
    if calendar.every.months:
        return call(Op.FLOOR_MONTHS, day, whole(calendar.every.months))
    length = calendar.every.days
    return day if length == 1 else call(Op.FLOOR_DAYS, day, whole(length), _anchor(calendar))


def ordinal_of(
    lowering: Lowering, label: Scalar, clock: Column, calendar: Calendar, span: Span
) -> Ordinal:
    """Return the number of the period of a label.

    Args:
        lowering: The columns of the relation.
        label: The label.
        clock: The time by which rows enter a period.
        calendar: How time is divided.
        span: The range that is read.
    """
    every = calendar.every
    if every is None or (calendar.edges and _fiscal_shift(calendar) is None):
        return Ordinal(call(Op.POSITION, label, *_edges(lowering, clock, calendar)), 1)
    if every.unit is TimeUnit.HOUR:
        value = _number_of_hour(label, calendar, _known_range(lowering, clock, span))
        return Ordinal(value, every.count)
    if every.months:
        return Ordinal(call(Op.MONTHS_BETWEEN, FIRST_DAY, label), every.months)
    return Ordinal(call(Op.DAYS_BETWEEN, FIRST_DAY, label), every.days)


def _fiscal_shift(calendar: Calendar) -> tuple[int, int] | None:
    """Return how many months and days late a year begins, where periods are whole months."""
    is_divided = calendar.every is not None and bool(calendar.edges)
    if not is_divided or calendar.every is None or not isinstance(calendar.fiscal_year, str):
        return None
    month, day = parse_fiscal_start(calendar.fiscal_year)
    return (month - 1, day - 1) if FROM_1900 % calendar.every.months == 0 else None


def _fiscal(day: Scalar, calendar: Calendar, months: int, days: int) -> Scalar:
    """Return the start of a fiscal period: that of the calendar's, moved to the year's start."""
    if calendar.every is None:
        raise AssertionError(calendar)
    earlier = call(Op.SHIFT_MONTHS, call(Op.SHIFT_DAYS, day, whole(-days)), whole(-months))
    start = call(Op.FLOOR_MONTHS, earlier, whole(calendar.every.months))
    return call(Op.SHIFT_DAYS, call(Op.SHIFT_MONTHS, start, whole(months)), whole(days))


def _edges(lowering: Lowering, time: Column | Lookup, calendar: Calendar) -> list[Lit]:
    """Return the boundaries of periods; of those of three centuries only what the data needs."""
    edges = calendar.edges
    if calendar.has_hours:
        return [Lit(calendar.instant(edge), "instant") for edge in edges]
    extent = None if calendar.boundaries else lowering.data.extent(end_of(time))
    if extent is not None:
        low, high = (calendar.shown(moment) for moment in extent)
        begin = max((edge for edge in edges if edge <= low), default=edges[0])
        end = min((edge for edge in edges if edge > high), default=edges[-1])
        edges = tuple(edge for edge in edges if begin <= edge <= end)
    return [Lit(edge.date(), "day") for edge in edges]


def _anchor(calendar: Calendar) -> Lit:
    """Return a day on which a period begins that is counted in days."""
    day = (calendar.anchor or EPOCH).date()
    if calendar.every is not None and calendar.every.unit is TimeUnit.WEEK:
        day -= ONE_DAY * ((day.weekday() - WEEKDAYS.index(calendar.week_start)) % 7)
    return Lit(day, "day")


def _hours(lowering: Lowering, time: Column | Lookup, calendar: Calendar) -> Scalar:
    """Return the start of the hours that the clock of the zone shows at a time.

    Where the clock skips that start, it is the moment at which it is changed.
    The hour that the clock shows twice is two periods where a period is an hour, and
    one where it is several: only then is it asked which of the two a time lies in.
    """
    instant = lowering.instant(time)
    if calendar.every is None:
        return call(Op.FLOOR_AMONG, instant, *_edges(lowering, time, calendar))
    local = call(Op.LOCAL_TIME, instant, lowering.zone)
    start = call(Op.FLOOR_HOURS, local, whole(calendar.every.count))
    first = lowering.first_instant(start)
    low, high = lowering.data.extent(end_of(time)) or AT_MOST
    ahead = calendar.offsets(max(low, SECOND_YEAR) - ONE_DAY, high)
    for skipped, change in skipped_starts(ahead, calendar.every.count):
        is_skipped = call(Op.EQ, start, Lit(skipped, "local"))
        first = when(is_skipped, Lit(change, "instant"), otherwise=first)
    if calendar.every.count > 1:
        return first
    is_first = call(Op.EQ, lowering.first_instant(local), instant)
    last = call(Op.LAST_INSTANT, start, lowering.zone)
    return when(is_first, first, otherwise=last)


def _known_range(
    lowering: Lowering, clock: Column, span: Span
) -> tuple[dt.datetime, dt.datetime] | None:
    """Return from when to when rows are read; None where the table has none with a time."""
    data, calendar = lowering.data, lowering.data.calendar
    extent = data.extent(clock)
    if extent is not None:
        return extent
    if span.start is not None and span.end is not None:
        return calendar.instant(span.start), calendar.instant(span.end)
    seen = data.seen.get(clock.table)
    if seen is None or seen.latest is not None:
        problem = f"periods of hours in which rows of {clock.table} are numbered"
        raise UnsupportedError(problem, "give start= and end=")
    return None


def _number_of_hour(
    label: Scalar, calendar: Calendar, known: tuple[dt.datetime, dt.datetime] | None
) -> Scalar:
    """Return the number of a period of hours, counted in hours.

    Periods are as long as their hours, save where the clock is changed: from one such
    place to the next they are counted by their distance.
    """
    if known is None:
        return whole(0)
    pieces = [
        (start, number * (1 if calendar.every is None else calendar.every.count))
        for start, number in _regular(calendar, *known)
    ]
    counted = [
        (start, call(Op.ADD, _float(call(Op.HOURS_BETWEEN, start, label)), Lit(float(n), "float")))
        for start, n in pieces
    ]
    first, *others = [(start, call(Op.TO_INT, number)) for start, number in counted]
    return piecewise(label, others, first[1])


def _regular(calendar: Calendar, low: dt.datetime, high: dt.datetime) -> Sequence[tuple[Lit, int]]:
    """Return the starts from which on periods follow at equal distances, with their numbers."""
    near = (low - ONE_DAY, high + ONE_DAY)
    ends = [calendar.label(calendar.floor(calendar.shown(at))).item() for at in near]
    starts = [start.astimezone(dt.UTC) for start in calendar.starts(*ends).to_list()]
    length = dt.timedelta(hours=1 if calendar.every is None else calendar.every.count)
    return [
        (Lit(start, "instant"), number)
        for number, start in enumerate(starts)
        if number == 0 or start - starts[number - 1] != length
    ]


def _float(value: Scalar) -> Scalar:
    return call(Op.TO_FLOAT, value)

"""Which ranges of time are compared with which: periods and their counterparts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from funnelkit.calendar.calendar import Calendar
from funnelkit.calendar.day_pairs import DayPairs
from funnelkit.calendar.grain import INSTANT, ONE_DAY
from funnelkit.calendar.spans import Stretch, year_back

__all__ = ["Pair", "pair_of", "pair_of_days", "periods_within"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A period and what it is compared with.

    Attributes:
        label: Where the whole period begins.
        value: What of it is compared.
        reference: What it is compared with; None where there is none.
        parts: The days of the value and of the reference, where days are paired one by one.
        unpaired: How many days of the value are left out because they have no partner.
    """

    label: dt.datetime
    value: Stretch
    reference: Stretch | None
    parts: tuple[tuple[Stretch, Stretch], ...] = ()
    unpaired: int = 0

    @property
    def days(self) -> int:
        """How many days enter the value."""
        return len(self.parts) or self.value.days - self.unpaired

    @property
    def reference_days(self) -> int | None:
        """How many days enter the reference."""
        if self.reference is None:
            return None
        return len(self.parts) or self.reference.days

    @property
    def reference_start(self) -> dt.datetime | None:
        """The first moment of what it is compared with."""
        return None if self.reference is None else self.reference.start

    @property
    def reference_end(self) -> dt.datetime | None:
        """The first moment after what it is compared with."""
        return None if self.reference is None else self.reference.end

    @property
    def values(self) -> list[Stretch]:
        """The ranges that make up the value."""
        whole = [] if self.unpaired else [self.value]
        return [value for value, _ in self.parts] or whole

    @property
    def references(self) -> list[Stretch]:
        """The ranges that make up the reference."""
        if self.reference is None:
            return []
        return [reference for _, reference in self.parts] or [self.reference]


def periods_within(calendar: Calendar, low: dt.datetime, high: dt.datetime) -> list[Stretch]:
    """Return the whole periods of a calendar that lie in a range, if only in part.

    Args:
        calendar: A calendar with periods.
        low: The first moment.
        high: The first moment after it.
    """
    if calendar.edges:
        low, high = max(low, calendar.edges[0]), min(high, calendar.edges[-1])
    if high <= low:
        return []
    first, last = (calendar.label(calendar.floor(at))[0] for at in (low, high - INSTANT))
    starts = calendar.starts(first, last).alias("start")
    ends = starts.to_frame().select(calendar.moved(pl.col("start"), 1)).to_series()
    pairs = zip(starts, ends, strict=True)
    return [Stretch(calendar.begins(start), calendar.begins(end)) for start, end in pairs]


def pair_of(
    period: Stretch,
    value: Stretch,
    counterpart: Callable[[Stretch], Stretch | None],
    *,
    by_date: bool = False,
) -> Pair:
    """Return a period with its counterpart; of a part of it, the same part of the counterpart.

    Args:
        period: The whole period.
        value: What of it is compared.
        counterpart: What returns the counterpart of a whole period.
        by_date: Whether the part begins on the same date a year before, rather than as long
            after the start of the period: after a leap day, the two differ.
    """
    whole = counterpart(period)
    if whole is None or value == period:
        return Pair(period.start, value, whole)
    is_later = by_date and value.start > period.start
    first = year_back(value.start) - whole.start if is_later else value.start - period.start
    part = whole.part(first, value.end - value.start)
    return Pair(period.start, value, part)


def pair_of_days(period: Stretch, value: Stretch, days: DayPairs) -> Pair:
    """Return a period whose days are compared one by one with others.

    Args:
        period: The whole period.
        value: What of it is compared.
        days: Which day is compared with which.
    """
    parts = tuple(
        (_day(day), _day(reference))
        for day, reference in days.pairs
        if value.start.date() <= day < value.end.date()
    )
    if not parts:
        return Pair(period.start, value, None, unpaired=value.days)
    reference = _hull(reference for _, reference in parts)
    return Pair(period.start, value, reference, parts, value.days - len(parts))


def _day(day: dt.date) -> Stretch:
    start = dt.datetime.combine(day, dt.time())
    return Stretch(start, start + ONE_DAY)


def _hull(stretches: Iterable[Stretch]) -> Stretch:
    found = sorted(stretches)
    return Stretch(found[0].start, max(one.end for one in found))

"""Calendars: how a question divides time into periods.

A period is half-open, in one declared zone, and labelled by its start: a Date
for a day and coarser, a Datetime in the zone for hours and for boundaries that
are no midnights. Most periods are found by truncating the local time; those
that no truncation expresses (fiscal months, retail weeks, a user's own list)
by their boundaries.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl

from funnelkit.calendar.fiscal import (
    FIRST_YEAR,
    LAST_YEAR,
    WEEKDAYS,
    RetailCalendar,
    fiscal_starts,
    parse_fiscal_start,
)
from funnelkit.calendar.grain import INSTANT, ONE_DAY, Grain, Span, TimeUnit
from funnelkit.calendar.zones import Offsets, check_zone, localised, offsets, skipped_starts
from funnelkit.errors import DefinitionError, shortened

__all__ = ["EPOCH", "UTC_EPOCH", "Calendar", "Moment"]

Moment = str | dt.date | dt.datetime
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  # local time, as every time without a zone here
UTC_EPOCH = EPOCH.replace(tzinfo=dt.UTC)
LONGEST_GAP = dt.timedelta(days=1)
"""No clock skips more than the day that places which changed the side of the date line skipped."""
CENTURY = dt.timedelta(days=36_525)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """How time is divided.

    Attributes:
        every: The grain, or None where the whole range is one period or the
            boundaries are given.
        boundaries: The starts of the periods and, last, the end of the last
            one, as local time.
        time_zone: The zone whose clock decides.
        week_start: The first day of the week.
        fiscal_year: When the year begins: month and day as `"04-01"`, or a year
            of whole weeks.
        anchor: A day on which a period of several days or weeks begins.
    """

    every: Grain | None = None
    boundaries: tuple[dt.datetime, ...] = ()
    time_zone: str = "UTC"
    week_start: str = "monday"
    fiscal_year: str | RetailCalendar = "01-01"
    anchor: dt.datetime | None = None

    def __post_init__(self) -> None:
        check_zone(self.time_zone)
        if self.week_start not in WEEKDAYS:
            raise DefinitionError(
                f"week_start={self.week_start!r} is not a day of the week",
                "use one of " + ", ".join(WEEKDAYS),
            )
        if not isinstance(self.fiscal_year, RetailCalendar):
            parse_fiscal_start(self.fiscal_year)

    def divided(
        self, every: str | Sequence[Moment] | None, start: Moment | None, end: Moment | None
    ) -> tuple[Calendar, Span]:
        """Return the calendar and the range of a question.

        Args:
            every: The length of a period, or the boundaries of all of them.
            start: The first moment of the range.
            end: The first moment after it.

        Raises:
            DefinitionError: A moment cannot be read, the range ends before it
                starts, or the periods are none.
        """
        span = self.span(start, end)
        if every is None:
            return self, span
        if not isinstance(every, str):
            edges = self._edges(every)
            first = edges[0] if span.start is None else max(span.start, edges[0])
            last = edges[-1] if span.end is None else min(span.end, edges[-1])
            if last <= first:
                raise DefinitionError(
                    "the range lies outside the boundaries given as every=",
                    f"they reach from {edges[0]} to {edges[-1]}",
                )
            return replace(self, boundaries=edges), Span(first, last)
        grain = Grain.parse(every)
        if grain.count > 1 and grain.days and span.start is not None:
            return replace(self, every=grain, anchor=span.start), span
        return replace(self, every=grain), span

    def _edges(self, given: Sequence[Moment]) -> tuple[dt.datetime, ...]:
        read = [self.local(moment, "every") for moment in given]
        edges = tuple(moment for moment in read if moment is not None)
        if len(edges) < 2 or len(edges) < len(given):
            raise DefinitionError(
                f"every= gives {len(edges)} boundaries",
                "give the start of each period and, last, the end",
            )
        place = self.instant if replace(self, boundaries=edges).has_hours else _itself
        for one, two in pairwise(edges):
            if place(two) <= place(one):
                raise DefinitionError(
                    f"in every=, the boundary {two} comes after {one}", "sort them, each once"
                )
        return edges

    @property
    def whole(self) -> Calendar:
        """The same calendar without periods."""
        return replace(self, every=None, boundaries=())

    @property
    def has_periods(self) -> bool:
        """Whether time is divided into periods."""
        return self.every is not None or bool(self.boundaries)

    @property
    def has_hours(self) -> bool:
        """Whether periods begin at times of day, so that their labels are instants."""
        if self.every is not None:
            return self.every.unit is TimeUnit.HOUR
        return any(edge.time() != dt.time() for edge in self.boundaries)

    @property
    def edges(self) -> tuple[dt.datetime, ...]:
        """The boundaries of periods that no truncation of the local time expresses."""
        if self.every is None or not self.every.months or self.fiscal_year == "01-01":
            return self.boundaries
        return fiscal_starts(self.fiscal_year, self.every.months)

    @property
    def label_type(self) -> pl.DataType:
        """The type of a period's label."""
        return pl.Datetime("us", self.time_zone) if self.has_hours else pl.Date()

    def __str__(self) -> str:
        return str(self.every) if self.every is not None else f"{len(self.boundaries) - 1} periods"

    def span(self, start: Moment | None, end: Moment | None) -> Span:
        """Read the range of a question.

        Raises:
            DefinitionError: A moment cannot be read, or the range ends before it starts.
        """
        span = Span(self.local(start, "start"), self.local(end, "end"))
        start_at, end_at = (at and self.instant(at) for at in (span.start, span.end))
        if start_at is not None and end_at is not None and end_at <= start_at:
            raise DefinitionError(
                f"end={end!s} is not after start={start!s}", "the range is [start, end)"
            )
        return span

    def local(self, moment: Moment | None, name: str) -> dt.datetime | None:
        """Return a time as local time; with a zone it is converted, without one it is local."""
        if moment is None:
            return None
        if isinstance(moment, str):
            try:
                moment = dt.datetime.fromisoformat(moment)
            except ValueError:
                raise DefinitionError(
                    f"{name}={shortened(repr(moment))} is not a valid date",
                    "write 2024-12-31 or 2024-12-31T23:59",
                ) from None
        if not isinstance(moment, dt.datetime):
            return dt.datetime.combine(moment, dt.time())
        if moment.tzinfo is not None:
            return self.shown(moment)
        return moment

    def moment(self, given: Moment | None, name: str) -> dt.datetime | None:
        """Return a time as an instant; a time without a zone is local.

        Raises:
            DefinitionError: It cannot be read, or lies outside of the years with periods.
        """
        found: dt.datetime | None = None
        try:
            if isinstance(given, dt.datetime) and given.tzinfo is not None:
                found = given.astimezone(dt.UTC)
            else:
                local = self.local(given, name)
                found = local and self.instant(local)
            is_possible = found is None or FIRST_YEAR <= found.year < LAST_YEAR
        except OverflowError:
            is_possible = False
        if not is_possible:
            problem = f"{name}={given!s} lies outside of the years {FIRST_YEAR} to {LAST_YEAR - 1}"
            raise DefinitionError(problem, "pass the moment before which rows count, or none")
        return found

    def shown(self, instant: dt.datetime) -> dt.datetime:
        """Return the local time that the clock shows at an instant."""
        return instant.astimezone(ZoneInfo(self.time_zone)).replace(tzinfo=None)

    def begins(self, label: dt.date) -> dt.datetime:
        """Return the local time at which the period with a label begins."""
        if isinstance(label, dt.datetime):
            return self.shown(label)
        return dt.datetime.combine(label, dt.time())

    def instant(self, local: dt.datetime) -> dt.datetime:
        """Return the instant of a local time; the first of two where the clock is set back."""
        return local.replace(tzinfo=ZoneInfo(self.time_zone)).astimezone(dt.UTC)

    def first_day(self, instant: dt.datetime) -> dt.date:
        """Return the first day that begins at an instant or after it.

        A day begins at midnight; where the clock skips that, when it is changed.
        """
        day = dt.datetime.combine(self.shown(instant), dt.time())
        return (day if self.instant(day) >= instant else day + ONE_DAY).date()

    def offsets(self, low: dt.datetime, high: dt.datetime) -> Offsets:
        """Return the offsets of the clock from UTC and when each begins, between two instants.

        Nothing is given over more than a century: such times hold a mistaken one,
        whose thousands of changes would only cost time.

        Args:
            low: The first instant; the first entry holds for everything before.
            high: The last instant.
        """
        return offsets(self.time_zone, low, high) if high - low <= CENTURY else ()

    def floor(self, local: dt.datetime) -> dt.datetime:
        """Return the start of the period that contains a local time.

        Raises:
            DefinitionError: It lies before the first boundary.
        """
        if self.edges:
            return self.edges[self._index(local)]
        day = local.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.every is None:
            return day
        if self.every.unit is TimeUnit.HOUR:
            is_later = local.fold if self.every.count == 1 else 0
            hour = local.hour - local.hour % self.every.count
            return self._start(day.replace(hour=hour, fold=is_later))
        if self.every.days:
            return day - (day - self._anchor) % dt.timedelta(days=self.every.days)
        first = _month_count(EPOCH)
        return _month(_month_count(day) - (_month_count(day) - first) % self.every.months)

    def _start(self, hour: dt.datetime) -> dt.datetime:
        """Return the first time that the clock shows of hours: that of a change that skips it."""
        instant = self.instant(hour)
        shown = self.shown(instant)
        if shown == hour:
            return shown
        changes = offsets(self.time_zone, instant - LONGEST_GAP, instant)
        return self.shown(changes[-1][0])

    def earlier(self, start: dt.datetime, periods: int) -> dt.datetime:
        """Return the start of the period that lies `periods` before the one that begins at `start`.

        Raises:
            DefinitionError: The boundaries do not go back that far.
        """
        if self.edges:
            index = self._index(start) - periods
            if index < 0:
                raise DefinitionError(
                    f"every= has no boundary {periods} periods before {start}",
                    "begin the list earlier, and ask from start= on",
                )
            return self.edges[index]
        first = self.floor(start)
        if self.every is None:
            return first - dt.timedelta(days=periods)
        if self.every.unit is TimeUnit.HOUR:
            for _ in range(periods):
                first = self.floor(self.shown(self.instant(first) - INSTANT))
            return first
        if self.every.days:
            return first - dt.timedelta(days=periods * self.every.days)
        return _month(_month_count(first) - periods * self.every.months)

    def moved(self, label: pl.Expr, periods: int) -> pl.Expr:
        """Return the labels of the periods that lie `periods` after the given ones, or before."""
        if self.edges:
            starts = self.labels(self.edges)
            places = pl.lit(starts).search_sorted(label, side="right").cast(pl.Int64) + periods - 1
            is_there = label.is_not_null() & places.is_between(0, len(starts) - 1)
            later = pl.lit(starts).gather(pl.when(is_there).then(places))
            return later.alias(label.meta.output_name())
        if self.every is None:
            return label
        if self.every.unit is TimeUnit.HOUR:
            return label.map_batches(
                lambda labels: self._hours_later(labels, periods), return_dtype=self.label_type
            )
        months, days = self.every.months * periods, self.every.days * periods
        return label.dt.offset_by(f"{months}mo" if months else f"{days}d")

    def starts(self, low: object, high: object) -> pl.Series:
        """Return the labels of every period from one label to another."""
        if self.edges:
            starts = self.labels(self.edges)
            return starts.filter(starts.is_between(pl.lit(low), pl.lit(high)))
        if isinstance(low, dt.datetime) and isinstance(high, dt.datetime):
            return self._hours(low, high)
        if self.every is None:
            raise AssertionError(self)
        step = f"{self.every.months}mo" if self.every.months else f"{self.every.days}d"
        return pl.select(pl.date_range(pl.lit(low), pl.lit(high), step)).to_series()

    def label(self, local: dt.datetime) -> pl.Series:
        """Return the label of the period that begins at a local time, as a series of one."""
        return self.labels([local])

    def labels(self, starts: Sequence[dt.datetime | None]) -> pl.Series:
        """Return the labels of the periods that begin at local times, null where there is none."""
        if not self.has_hours:
            return pl.Series([start and start.date() for start in starts], dtype=pl.Date)
        instants = [start and self.instant(start) for start in starts]
        utc = pl.Series(instants, dtype=pl.Datetime("us", "UTC"))
        return utc.dt.convert_time_zone(self.time_zone)

    def _hour(self, instant: pl.Expr, ahead: Offsets) -> pl.Expr:
        """Return the start of the period of hours that the zone's clock shows at an instant.

        Where the clock goes back by less than an hour, that hour is longer; where it
        skips the start, the period starts with the change.

        Args:
            instant: The instant.
            ahead: The offsets of the clock around all of the instants.
        """
        count = self._hours_each
        local = instant.dt.convert_time_zone(self.time_zone).dt.replace_time_zone(None)
        floor = local.dt.truncate(f"{count}h")
        first = localised(floor, self.time_zone)
        for skipped, change in skipped_starts(ahead, count):
            at = pl.lit(change).dt.convert_time_zone(self.time_zone)
            first = pl.when(floor == pl.lit(skipped)).then(at).otherwise(first)
        if count > 1:
            return first
        is_first = localised(local, self.time_zone) == instant.dt.convert_time_zone(self.time_zone)
        later = floor.dt.replace_time_zone(self.time_zone, ambiguous="latest", non_existent="null")
        return pl.when(is_first).then(first).otherwise(later)

    @property
    def _hours_each(self) -> int:
        """How many hours a period has."""
        if self.every is None:
            raise AssertionError(self)
        return self.every.count

    @property
    def _anchor(self) -> dt.datetime:
        """A day on which a period begins that is counted in days."""
        if self.anchor is not None:
            day = self.anchor.replace(hour=0, minute=0, second=0, microsecond=0)
        else:
            day = EPOCH
        if self.every is None or self.every.unit is not TimeUnit.WEEK:
            return day
        return day - dt.timedelta(days=(day.weekday() - WEEKDAYS.index(self.week_start)) % 7)

    def _index(self, local: dt.datetime) -> int:
        place = self.instant if self.has_hours else _itself
        found = bisect_right(self.edges, place(local), key=place) - 1
        if found < 0:
            raise DefinitionError(
                f"{local} lies before the first period", f"they begin at {self.edges[0]}"
            )
        return found

    def _hours(self, low: dt.datetime, high: dt.datetime) -> pl.Series:
        """Return the start of every period of hours from one instant to another."""
        first, last, hour = low.astimezone(dt.UTC), high.astimezone(dt.UTC), dt.timedelta(hours=1)
        pieces = offsets(self.time_zone, first, last)
        changes = [since for since, _ in pieces]
        whole = [
            pl.datetime_range(since - (since - UTC_EPOCH + ahead) % hour, until, hour, eager=True)
            for (since, ahead), until in zip(pieces, [*changes[1:], last], strict=True)
        ]
        instants = pl.lit(pl.concat([pl.Series(changes, dtype=whole[0].dtype), *whole]))
        before = offsets(self.time_zone, first - LONGEST_GAP, last)
        starts = pl.select(self._hour(instants, before)).to_series()
        ends = pl.select(pl.lit(low).append(pl.lit(high))).to_series()
        return starts.filter(starts.is_between(ends[0], ends[1])).append(ends).unique().sort()

    def _hours_later(self, labels: pl.Series, periods: int) -> pl.Series:
        """Move labels step by step: as one expression it would grow with every step."""
        ends = [end for end in (labels.min(), labels.max()) if isinstance(end, dt.datetime)]
        if not ends:
            return labels
        reach = LONGEST_GAP + dt.timedelta(hours=abs(periods) * self._hours_each)
        low, high = (end.astimezone(dt.UTC) for end in ends)
        ahead = offsets(self.time_zone, low - reach, high + reach)
        for _ in range(abs(periods)):
            label = pl.lit(labels)
            before = self._hour(label - INSTANT, ahead)
            later = self._next_hour(label, ahead) if periods > 0 else before
            labels = pl.select(later).to_series()
        return labels

    def _next_hour(self, label: pl.Expr, ahead: Offsets) -> pl.Expr:
        """Return the start of the next period; it may lie later where the clock is set back."""
        count = self._hours_each
        within = label + dt.timedelta(hours=count)
        local = within.dt.convert_time_zone(self.time_zone).dt.replace_time_zone(None)
        rest = local.dt.truncate(f"{count}h") + dt.timedelta(hours=count) - local
        after = self._hour(within, ahead)
        return pl.when(after > label).then(after).otherwise(self._hour(within + rest, ahead))


def _month_count(day: dt.datetime) -> int:
    return day.year * 12 + day.month - 1


def _month(count: int) -> dt.datetime:
    if count < 12:
        raise OverflowError
    return dt.datetime(count // 12, count % 12 + 1, 1)  # noqa: DTZ001  # local time


def _itself(local: dt.datetime) -> dt.datetime:
    return local

"""Calendars: how a question divides time into periods.

A period is half-open, in one declared zone, and labelled by its start: a Date
for a day and coarser, a Datetime in the zone for hours.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import polars as pl

from funnelkit.errors import DefinitionError, UnknownNameError

__all__ = ["Calendar", "Grain", "Moment", "Span", "check_zone", "localised"]

Moment = str | dt.date | dt.datetime
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Grain(StrEnum):
    """How long a period is."""

    HOUR = "1h"
    DAY = "1d"
    WEEK = "1w"
    MONTH = "1mo"
    QUARTER = "1q"
    YEAR = "1y"

    @classmethod
    def parse(cls, text: str) -> Grain:
        """Read a grain: `"1mo"`, or a word such as `"month"`.

        Raises:
            DefinitionError: It is none of the grains.
        """
        words = {grain.name.lower(): grain for grain in cls} | {str(grain): grain for grain in cls}
        if text not in words:
            raise DefinitionError(
                f"every={text!r} is no period", "use one of " + ", ".join(map(repr, words))
            )
        return words[text]


def check_zone(name: str) -> str:
    """Give back the name of a time zone.

    Raises:
        UnknownNameError: There is no such zone.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownNameError("time zone", name, sorted(available_timezones())) from None
    return name


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of time, as local time in the shop's zone.

    Attributes:
        start: The first moment, or None for as far back as the data goes.
        end: The first moment after it, or None for as far as the data goes.
    """

    start: dt.datetime | None = None
    end: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """How time is divided.

    Attributes:
        every: The grain, or None where the whole range is one period.
        time_zone: The zone whose clock decides.
        week_start: The first day of the week.
    """

    every: Grain | None = None
    time_zone: str = "UTC"
    week_start: str = "monday"

    def __post_init__(self) -> None:
        check_zone(self.time_zone)
        if self.week_start not in WEEKDAYS:
            raise DefinitionError(
                f"week_start={self.week_start!r} is no day of the week",
                "use one of " + ", ".join(WEEKDAYS),
            )

    @property
    def label_type(self) -> pl.DataType:
        """The type of a period's label."""
        if self.every is Grain.HOUR:
            return pl.Datetime("us", self.time_zone)
        return pl.Date()

    @property
    def week_offset(self) -> int:
        """How many days after Monday the week starts."""
        return WEEKDAYS.index(self.week_start)

    def span(self, start: Moment | None, end: Moment | None) -> Span:
        """Read the range of a question.

        Raises:
            DefinitionError: A moment cannot be read, or the range ends before it starts.
        """
        span = Span(self.local(start, "start"), self.local(end, "end"))
        if span.start is not None and span.end is not None and span.end <= span.start:
            raise DefinitionError(
                f"end={end!s} is not after start={start!s}", "the range is [start, end)"
            )
        return span

    def local(self, moment: Moment | None, name: str) -> dt.datetime | None:
        """Give a moment as local time; one with a zone is converted, one without is local."""
        if moment is None:
            return None
        if isinstance(moment, str):
            try:
                moment = dt.datetime.fromisoformat(moment)
            except ValueError:
                raise DefinitionError(
                    f"{name}={moment!r} is no date", "write 2024-12-31 or 2024-12-31T23:59"
                ) from None
        if not isinstance(moment, dt.datetime):
            return dt.datetime.combine(moment, dt.time())
        if moment.tzinfo is not None:
            return self.shown(moment)
        return moment

    def moment(self, given: Moment | None, name: str) -> dt.datetime | None:
        """Give a moment as an instant; one without a zone is local."""
        if isinstance(given, dt.datetime) and given.tzinfo is not None:
            return given.astimezone(dt.UTC)
        local = self.local(given, name)
        return None if local is None else self.instant(local)

    def shown(self, instant: dt.datetime) -> dt.datetime:
        """Give the local time that the clock shows at an instant."""
        return instant.astimezone(ZoneInfo(self.time_zone)).replace(tzinfo=None)

    def instant(self, local: dt.datetime) -> dt.datetime:
        """Give the instant of a local time; the first of two where the clock goes back."""
        return local.replace(tzinfo=ZoneInfo(self.time_zone)).astimezone(dt.UTC)

    def floor(self, local: dt.datetime) -> dt.datetime:
        """Give the start of the period that a local time lies in."""
        day = local.replace(hour=0, minute=0, second=0, microsecond=0)
        match self.every:
            case Grain.HOUR:
                return local.replace(minute=0, second=0, microsecond=0)
            case Grain.WEEK:
                return day - dt.timedelta(days=(day.weekday() - self.week_offset) % 7)
            case Grain.MONTH:
                return day.replace(day=1)
            case Grain.QUARTER:
                return day.replace(month=day.month - (day.month - 1) % 3, day=1)
            case Grain.YEAR:
                return day.replace(month=1, day=1)
            case Grain.DAY | None:
                return day

    def earlier(self, start: dt.datetime, periods: int) -> dt.datetime:
        """Give the start of the period that lies `periods` before the one of `start`."""
        first = self.floor(start)
        match self.every:
            case Grain.HOUR:
                back = self.instant(first) - dt.timedelta(hours=periods)
                return self.shown(back)
            case Grain.DAY | None:
                return first - dt.timedelta(days=periods)
            case Grain.WEEK:
                return first - dt.timedelta(weeks=periods)
            case Grain.MONTH | Grain.QUARTER | Grain.YEAR:
                months = {Grain.MONTH: 1, Grain.QUARTER: 3}.get(self.every, 12) * periods
                count = first.year * 12 + first.month - 1 - months
                return first.replace(year=count // 12, month=count % 12 + 1)

    def moved(self, label: pl.Expr, periods: int) -> pl.Expr:
        """Give the labels of the periods that lie `periods` after the given ones."""
        if self.every is None:
            return label
        if self.every is Grain.HOUR:
            for _ in range(periods):
                label = self._next_hour(label)
            return label
        number, unit = re.fullmatch(r"(\d+)(\w+)", self.every).groups()  # type: ignore[union-attr]  # every grain matches
        return label.dt.offset_by(f"{int(number) * periods}{unit}")

    def hour(self, instant: pl.Expr) -> pl.Expr:
        """Give the start of the hour that the clock of the zone shows at an instant.

        Where the clock goes back by less than an hour, that hour is longer.
        """
        local = instant.dt.convert_time_zone(self.time_zone).dt.replace_time_zone(None)
        floor = local.dt.truncate("1h")
        is_first = localised(local, self.time_zone) == instant.dt.convert_time_zone(self.time_zone)
        later = floor.dt.replace_time_zone(self.time_zone, ambiguous="latest", non_existent="null")
        return pl.when(is_first).then(localised(floor, self.time_zone)).otherwise(later)

    def hours(self, low: dt.datetime, high: dt.datetime) -> pl.Series:
        """Give the start of every hour from one instant to another."""
        quarters = pl.datetime_range(low, high, "15m", time_unit="us", eager=True)
        name = quarters.name
        return quarters.to_frame().select(self.hour(pl.col(name))).to_series().unique().sort()

    def _next_hour(self, label: pl.Expr) -> pl.Expr:
        after = self.hour(label + dt.timedelta(hours=1))
        return pl.when(after > label).then(after).otherwise(label + dt.timedelta(minutes=90))


def localised(local: pl.Expr, zone: str) -> pl.Expr:
    """Give the instant of a local time.

    A local time that the clock shows twice is the first of the two; one that it
    skips is read as if the clock had not been changed yet.
    """
    if zone == "UTC":
        return local.dt.replace_time_zone("UTC")
    known = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    day = dt.timedelta(days=1)
    before = (local - day).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return pl.coalesce(known, before + day)

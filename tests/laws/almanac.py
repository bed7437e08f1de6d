"""Which period a moment lies in, from the words of the documentation alone.

Nothing here is fast and nothing is taken from the library: periods of days are found by
counting days, years of weeks by looking at every day near a month's end, hours by asking
`zoneinfo` what the clock shows.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

UTC = dt.UTC
DAY = dt.timedelta(days=1)
FIXED = dt.date(1970, 1, 1)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = {"mo": 1, "q": 3, "y": 12}


@dataclass(frozen=True)
class Clock:
    """What a zone's clock shows, and when it shows it."""

    zone: str

    @property
    def info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def instant(self, moment: dt.date) -> dt.datetime:
        """Give the instant; of a clock time that comes twice, the first."""
        if not isinstance(moment, dt.datetime):
            moment = dt.datetime.combine(moment, dt.time())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.info, fold=0)
        return moment.astimezone(UTC)

    def wall(self, moment: dt.date) -> dt.datetime:
        """Give what the clock shows; a time without a zone is what it shows."""
        if not isinstance(moment, dt.datetime):
            return dt.datetime.combine(moment, dt.time())
        if moment.tzinfo is None:
            return moment
        return moment.astimezone(self.info).replace(tzinfo=None, fold=0)

    def changes(self, first: int, last: int) -> list[dt.datetime]:
        """Give the instants at which the clock is changed, found by halving weeks."""
        return list(_changes(self.zone, first, last))


@cache
def _changes(zone: str, first: int, last: int) -> tuple[dt.datetime, ...]:
    info, found = ZoneInfo(zone), []
    at, end = dt.datetime(first, 1, 1, tzinfo=UTC), dt.datetime(last + 1, 1, 1, tzinfo=UTC)
    while at < end:
        low, high = at, at + 7 * DAY
        at = high
        if low.astimezone(info).utcoffset() == high.astimezone(info).utcoffset():
            continue
        while high - low > dt.timedelta(seconds=1):
            middle = (low + (high - low) / 2).replace(microsecond=0)
            is_same = middle.astimezone(info).utcoffset() == low.astimezone(info).utcoffset()
            low, high = (middle, high) if is_same else (low, middle)
        found.append(high)
    return tuple(found)


def split(every: str) -> tuple[int, str]:
    """Give the number and the unit of a period."""
    number = every.rstrip("hdwmoqy")
    return int(number), every[len(number) :]


def week_year_start(year: Any, number: int) -> dt.date:
    """Give the day after the end of the year that ends in or near a calendar year's month."""
    month_end = dt.date(number + year.last_month // 12, year.last_month % 12 + 1, 1) - DAY
    near = [month_end + n * DAY for n in range(-10, 11)]
    ends = [day for day in near if WEEKDAYS[day.weekday()] == year.last_weekday]
    if year.is_nearest:
        return min(ends, key=lambda day: abs(day - month_end)) + DAY
    return max(day for day in ends if day <= month_end) + DAY


@cache
def week_months(year: Any, number: int) -> tuple[dt.date, ...]:
    """Give the first days of the twelve months of a year of weeks."""
    day, starts = week_year_start(year, number), []
    for weeks in [*year.pattern, *year.pattern, *year.pattern, *year.pattern]:
        starts.append(day)
        day += 7 * weeks * DAY
    assert week_year_start(year, number + 1) - day in {0 * DAY, 7 * DAY}
    return tuple(starts)


@dataclass(frozen=True)
class Almanac:
    """How time is divided into periods of one length."""

    zone: str
    every: str
    week_start: str = "monday"
    fiscal_year: Any = "01-01"
    start: dt.date | None = None

    @property
    def clock(self) -> Clock:
        return Clock(self.zone)

    @property
    def has_hours(self) -> bool:
        return self.every.endswith("h")

    def period(self, moment: dt.date) -> dt.date:
        """Give the label: the first day, or the first instant of a number of hours."""
        if not self.has_hours:
            return self.first_day(self.clock.wall(moment).date())
        count = split(self.every)[0]
        shown = self.clock.instant(moment).astimezone(self.clock.info)
        begun = shown.replace(hour=shown.hour // count * count, minute=0, second=0, microsecond=0)
        if count > 1:
            begun = begun.replace(fold=0)
        return self._changed(begun, shown)

    def _changed(self, begun: dt.datetime, shown: dt.datetime) -> dt.datetime:
        """Give the instant of a start; the first one after it where the clock skips it."""
        found = begun.astimezone(UTC)
        if found.astimezone(self.clock.info).replace(tzinfo=None) == begun.replace(tzinfo=None):
            return found
        at, step = shown.astimezone(UTC), dt.timedelta(seconds=30)
        at = at.replace(second=at.second // 30 * 30, microsecond=0)
        while self.clock.wall(at - step).replace(tzinfo=None) > begun.replace(tzinfo=None):
            at -= step
        return at

    def first_day(self, day: dt.date) -> dt.date:
        return _first_day(self, day)

    def found_first_day(self, day: dt.date) -> dt.date:
        count, unit = split(self.every)
        if unit in MONTHS:
            return self._first_of_months(day, count * MONTHS[unit])
        if unit == "d":
            origin = FIXED if count == 1 or self.start is None else self.start
        else:
            origin = FIXED if count == 1 or self.start is None else self.start
            while WEEKDAYS[origin.weekday()] != self.week_start:
                origin -= DAY
        length = count * (7 if unit == "w" else 1)
        return origin + ((day - origin).days // length) * length * DAY

    def _first_of_months(self, day: dt.date, months: int) -> dt.date:
        if not isinstance(self.fiscal_year, str):
            firsts = [
                first
                for number in range(day.year - 2, day.year + 2)
                for first in week_months(self.fiscal_year, number)[::months]
            ]
            return max(first for first in firsts if first <= day)
        month, number = map(int, self.fiscal_year.split("-"))
        firsts = [
            dt.date(year + (month - 1 + n) // 12, (month - 1 + n) % 12 + 1, number)
            for year in range(day.year - 2, day.year + 2)
            for n in range(0, 12, months)
        ]
        return max(first for first in firsts if first <= day)

    def after(self, label: dt.date) -> dt.date:
        """Give the next period, which is where this one ends, in steps shorter than any."""
        at, step = label, dt.timedelta(minutes=12) if self.has_hours else DAY
        while (found := self._of(at)) <= label:
            at += step
        return found

    def before(self, label: dt.date, periods: int = 1) -> dt.date:
        """Give the period that lies some periods earlier."""
        for _ in range(periods):
            label = self._before(label)
        return label

    def _before(self, label: dt.date) -> dt.date:
        """Give the period before."""
        return self._of(label - (dt.timedelta(microseconds=1) if self.has_hours else DAY))

    def _of(self, at: dt.date) -> dt.date:
        return self.period(at) if self.has_hours else self.first_day(at)


@cache
def _first_day(almanac: Almanac, day: dt.date) -> dt.date:
    return almanac.found_first_day(day)


@dataclass(frozen=True)
class Own:
    """Periods by boundaries of one's own: their starts and, last, the end."""

    zone: str
    edges: tuple[dt.date, ...]

    @property
    def clock(self) -> Clock:
        return Clock(self.zone)

    @property
    def has_hours(self) -> bool:
        return any(self.clock.wall(edge).time() != dt.time() for edge in self.edges)

    @property
    def labels(self) -> list[dt.date]:
        """Give the starts, and the end of the last period."""
        if self.has_hours:
            return [self.clock.instant(edge) for edge in self.edges]
        return [self.clock.wall(edge).date() for edge in self.edges]

    def period(self, moment: dt.date) -> dt.date | None:
        """Give the label; none of a moment that lies outside."""
        clock = self.clock
        at = clock.instant(moment) if self.has_hours else clock.wall(moment).date()
        begun = [label for label in self.labels if label <= at]
        return begun[-1] if 0 < len(begun) < len(self.edges) else None

    def known(self, until: dt.date) -> list[dt.date]:
        """Give the labels of the periods that have begun before a moment."""
        clock = self.clock
        end = clock.instant(until) if self.has_hours else clock.wall(until)
        return [label for label in self.labels[:-1] if self._start(label) < end]

    def _start(self, label: dt.date) -> dt.date:
        return label if self.has_hours else dt.datetime.combine(label, dt.time())

    def after(self, label: dt.date) -> dt.date:
        return self.labels[self.labels.index(label) + 1]

    def before(self, label: dt.date, periods: int = 1) -> dt.date | None:
        found = self.labels.index(label) - periods
        return self.labels[found] if found >= 0 else None


def counted(periods: Almanac | Own, moments: Sequence[dt.date]) -> dict[dt.date, int]:
    """Count moments by period, and give every period between the first and the last."""
    found: dict[dt.date, int] = {}
    for moment in moments:
        label = periods.period(moment)
        if label is not None:
            found[label] = found.get(label, 0) + 1
    if found:
        at, last = min(found), max(found)
        while at < last:
            found.setdefault(at, 0)
            at = periods.after(at)
    return dict(sorted(found.items()))

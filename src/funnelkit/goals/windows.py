"""The windows of goals: half-open ranges of days, their parts, and the windows before them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from funnelkit.calendar.calendar import Calendar
from funnelkit.calendar.grain import ONE_DAY, Grain, TimeUnit
from funnelkit.errors import DefinitionError

__all__ = ["Plan", "Window", "earlier_windows", "parts_of"]

WEEK_DAYS, SHORTEST_MONTH = 7, 28


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A half-open range of days.

    Attributes:
        start: The first day.
        end: The first day after it.
    """

    start: dt.date
    end: dt.date

    def __str__(self) -> str:
        return f"{self.start} to {self.end}"

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days

    @property
    def months(self) -> int:
        """How many whole months it has, each from one day of a month to the same; else 0."""
        if self.start.day != self.end.day or self.start.day > SHORTEST_MONTH:
            return 0
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month

    def is_as_long_as(self, other: Window) -> bool:
        """Return whether both have as many whole months, or as many days."""
        return self.days == other.days or 0 < self.months == other.months

    def overlaps(self, other: Window) -> bool:
        """Return whether both have a day in common."""
        return self.start < other.end and other.start < self.end

    def until(self, end: dt.date) -> Window:
        """Return the part before a day."""
        return Window(self.start, min(self.end, end))

    def share(self, gone: int, days: int) -> Window:
        """Return the first part of the same share as `gone` of `days`, at least a day of it."""
        own = (2 * self.days * gone + days) // (2 * days)
        return Window(self.start, self.start + min(max(own, 1), self.days - 1) * ONE_DAY)


def parts_of(window: Window, *, count: int | None = None) -> list[Window]:
    """Return the months of a window; of one without whole months its weeks, else its days.

    Args:
        window: The window.
        count: How many parts are wanted, of whichever length; none are returned if no length
            gives as many.
    """
    starts = [_month_later(window.start, number) for number in range(window.months + 1)]
    months = [Window(one, two) for one, two in pairwise(starts)]
    weeks = _pieces(window, WEEK_DAYS) if window.days % WEEK_DAYS == 0 else []
    lengths = [parts for parts in (months, weeks, _pieces(window, 1)) if parts]
    if count is None:
        return lengths[0]
    return next((parts for parts in lengths if len(parts) == count), list[Window]())


def _pieces(window: Window, days: int) -> list[Window]:
    starts = [window.start + at * ONE_DAY for at in range(0, window.days + 1, days)]
    return [Window(one, two) for one, two in pairwise(starts)]


def _month_later(day: dt.date, months: int) -> dt.date:
    count = day.year * 12 + day.month - 1 + months
    return day.replace(year=count // 12, month=count % 12 + 1)


@dataclass(frozen=True, slots=True)
class Plan:
    """How the target of a window is spread over its days.

    Attributes:
        window: The window.
        weights: The weights of its parts, each spread evenly; empty for all days alike.
    """

    window: Window
    weights: tuple[float, ...] = ()

    def gone(self, until: dt.date) -> float:
        """Return how many planned days lie before a day: days, each weighing as much as planned."""
        if not self.weights:
            return float(max(self.window.until(until).days, 0))
        scale = self.window.days / sum(self.weights)
        parts = parts_of(self.window, count=len(self.weights))
        shares = (max(part.until(until).days, 0) / part.days for part in parts)
        return sum(w * share for w, share in zip(self.weights, shares, strict=True)) * scale

    def day(self, gone: float) -> dt.date:
        """Return the day in which a number of planned days is over."""
        ends = [window.end for window in _pieces(self.window, 1)]
        after = (day for day in ends if self.gone(day) > gone)
        return next(after, self.window.end + ONE_DAY) - ONE_DAY


def earlier_windows(calendar: Calendar, window: Window, first: dt.date) -> Sequence[Window]:
    """Return the windows of the same length back to back before a window, the oldest first.

    A window of whole months of the calendar has as many months before it, any other as
    many days.

    Args:
        calendar: The shop's calendar.
        window: The window.
        first: The first day of which anything is known.
    """
    months = _whole_months(calendar, window)
    monthly = _monthly(calendar)
    found = list[Window]()
    end = window.start
    while True:
        try:
            start = (
                monthly.earlier(_midnight(end), months).date()
                if months
                else end - window.days * ONE_DAY
            )
        except (OverflowError, DefinitionError):
            break
        if start < first:
            break
        found.append(Window(start, end))
        end = start
    return found[::-1]


def _monthly(calendar: Calendar) -> Calendar:
    return replace(calendar, every=Grain(1, TimeUnit.MONTH), boundaries=())


def _whole_months(calendar: Calendar, window: Window) -> int:
    """Return how many months of a calendar a window has; 0 where it does not have whole ones."""
    monthly = _monthly(calendar)
    ends = (window.start, window.end)
    if any(monthly.floor(_midnight(day)) != _midnight(day) for day in ends):
        return 0
    return len(monthly.starts(*ends)) - 1


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time())

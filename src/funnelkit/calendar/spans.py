"""Ranges of time and what they are compared with: the period before, or the year before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from funnelkit.calendar.calendar import Calendar
from funnelkit.calendar.fiscal import WEEKDAYS, RetailCalendar
from funnelkit.errors import DefinitionError

__all__ = [
    "Alignment",
    "Stretch",
    "boundaries",
    "layers",
    "previous_period",
    "previous_year",
    "previous_year_faults",
    "year_back",
]

WEEK = dt.timedelta(days=7)
DAYS_OF_52_WEEKS, MONTHS_OF_A_YEAR = 364, 12
LEAP_DAY = (2, 29)


class Alignment(StrEnum):
    """What a day of the year before, or of the period before, has in common with a day."""

    DATE = "date"
    WEEKDAY = "weekday"
    WEEK_NUMBER = "week_number"


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """A half-open range of time with both ends, as local time.

    Attributes:
        start: The first moment.
        end: The first moment after it.
    """

    start: dt.datetime
    end: dt.datetime

    @property
    def days(self) -> int:
        """How many days of the calendar it has; a day of 23 or 25 hours is one."""
        return (self.end.date() - self.start.date()).days

    @property
    def is_whole_months(self) -> bool:
        """Whether it begins and ends with a month of the calendar."""
        return all(edge.day == 1 and edge.time() == dt.time() for edge in (self.start, self.end))

    @property
    def months(self) -> int:
        """How many months of the calendar lie between the months of its ends."""
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month

    def moved(self, days: int) -> Stretch:
        """Return it so many days later, or earlier."""
        by = dt.timedelta(days=days)
        return Stretch(self.start + by, self.end + by)

    def part(self, first: dt.timedelta, length: dt.timedelta) -> Stretch | None:
        """Return what lies within it of so long a part that begins so long after its start."""
        start = self.start + first
        end = min(start + length, self.end)
        return Stretch(start, end) if start < end else None

    def overlaps(self, other: Stretch) -> bool:
        """Return whether the two have a moment in common."""
        return self.start < other.end and other.start < self.end


def previous_period(
    stretch: Stretch, calendar: Calendar, *, alignment: Alignment = Alignment.DATE
) -> Stretch | None:
    """Return the period before one, or None where there is none.

    By date it is the period of the calendar before; where the calendar has no periods, as
    many days, which end where it begins. By weekday it lies back by the least number of whole
    weeks that does not overlap.

    Args:
        stretch: A period of the calendar, or any range where it has none.
        calendar: How time is divided.
        alignment: By date or by weekday.
    """
    if alignment is Alignment.WEEKDAY:
        return _real(stretch.moved(-7 * -(-_whole_days(stretch) // 7)), calendar)
    if not calendar.has_periods:
        return Stretch(stretch.start - (stretch.end - stretch.start), stretch.start)
    try:
        return Stretch(calendar.earlier(stretch.start, 1), stretch.start)
    except DefinitionError:  # the boundaries begin with this period
        return None


def _whole_days(stretch: Stretch) -> int:
    return -(-(stretch.end - stretch.start) // dt.timedelta(days=1))


def previous_year(
    stretch: Stretch, calendar: Calendar, *, alignment: Alignment = Alignment.DATE
) -> Stretch | None:
    """Return the counterpart of a period in the year before, or None where there is none.

    By date its start lies one year back, the 29th of February on the 28th; whole months keep
    their months, anything else its length. By weekday it lies 364 days back. By week number it
    is the week of the same number, of ISO weeks or of a retail year.

    Args:
        stretch: A period of the calendar, or any range where it has none.
        calendar: How time is divided.
        alignment: By what.

    Raises:
        DefinitionError: The calendar has no such counterparts, as `previous_year_faults` tells.
    """
    if alignment is Alignment.WEEKDAY:
        return _real(stretch.moved(-DAYS_OF_52_WEEKS), calendar)
    if alignment is Alignment.WEEK_NUMBER:
        return _same_weeks(stretch, calendar)
    every = calendar.every
    if every is not None and every.months:
        return Stretch(
            *(
                calendar.earlier(edge, MONTHS_OF_A_YEAR // every.months)
                for edge in (stretch.start, stretch.end)
            )
        )
    start = year_back(stretch.start)
    if stretch.is_whole_months:
        return Stretch(start, year_back(stretch.end))
    return _real(Stretch(start, start + (stretch.end - stretch.start)), calendar)


def year_back(day: dt.datetime) -> dt.datetime:
    """Return the same date a year before; of the 29th of February the 28th.

    Raises:
        OverflowError: There is no such year.
    """
    if day.year == 1:
        raise OverflowError
    is_leap_day = (day.month, day.day) == LEAP_DAY
    return day.replace(year=day.year - 1, day=28 if is_leap_day else day.day)


def _real(stretch: Stretch, calendar: Calendar) -> Stretch | None:
    """Return it, or None where the clock skips all of it."""
    start, end = (calendar.instant(edge) for edge in (stretch.start, stretch.end))
    return stretch if start < end else None


def _same_weeks(stretch: Stretch, calendar: Calendar) -> Stretch | None:
    """Return the weeks of the same numbers, or None where they are not there in a row."""
    count = stretch.days // 7
    weeks = [_same_week(stretch.start + number * WEEK, calendar) for number in range(count)]
    first, last = weeks[0], weeks[-1]
    if first is None or last is None or last - first != (count - 1) * WEEK:
        return None
    return Stretch(first, last + WEEK)


def _same_week(start: dt.datetime, calendar: Calendar) -> dt.datetime | None:
    year = calendar.fiscal_year
    if isinstance(year, RetailCalendar):
        number = start.year + 1
        while year.first_day(number) > start:
            number -= 1
        first, end = year.first_day(number - 1), year.first_day(number)
        found = first + (start - end)
        return found if found < end else None
    number, week, _ = start.isocalendar()
    try:
        return dt.datetime.fromisocalendar(number - 1, week, 1)
    except ValueError:  # the year before has no week 53
        return None


def previous_year_faults(
    stretches: Sequence[Stretch], calendar: Calendar, alignment: Alignment
) -> list[str]:
    """Return why ranges have no counterparts in the year before.

    Args:
        stretches: The ranges.
        calendar: How time is divided.
        alignment: By what they are to be aligned.
    """
    if alignment is Alignment.WEEK_NUMBER:
        return _week_number_faults(stretches, calendar)
    every = calendar.every
    if alignment is Alignment.DATE and every is not None and every.days and not every.days % 7:
        return ["weeks have no dates in common with those of another year: use align='weekday'"]
    if alignment is Alignment.DATE and every is not None and every.months > MONTHS_OF_A_YEAR:
        return [f"every={str(every)!r} is longer than a year: compare with the previous period"]
    for one in stretches:
        counterpart = previous_year(one, calendar, alignment=alignment)
        if counterpart is not None and counterpart.overlaps(one):
            return [f"{_shown(one)} is so long that it overlaps its counterpart in the year before"]
    return []


def _week_number_faults(stretches: Sequence[Stretch], calendar: Calendar) -> list[str]:
    year, first = calendar.fiscal_year, WEEKDAYS[0]
    if isinstance(year, RetailCalendar):
        first = WEEKDAYS[(WEEKDAYS.index(year.last_weekday) + 1) % 7]
    if calendar.every is not None and calendar.week_start != first:
        problem = f"week_start={calendar.week_start!r}, but numbered weeks begin on {first}"
        return [f"{problem}: bind the shop with week_start={first!r}"]
    for one in stretches:
        if one.days % 7 or not one.days or WEEKDAYS[one.start.weekday()] != first:
            return [f"{_shown(one)} has no week number: it is not whole weeks from a {first}"]
    return []


def _shown(stretch: Stretch) -> str:
    return f"{stretch.start:%Y-%m-%d} to {stretch.end:%Y-%m-%d}"


def layers(
    stretches: Iterable[Stretch], place: Callable[[dt.datetime], dt.datetime]
) -> list[list[Stretch]]:
    """Divide ranges into as few lists as it takes for those of a list not to overlap.

    Args:
        stretches: The ranges, in any order; one that occurs twice is taken once.
        place: What orders moments, such as the instant of a local time.
    """
    found: list[list[Stretch]] = []
    for one in sorted(set(stretches), key=lambda each: (place(each.start), place(each.end))):
        free = (layer for layer in found if place(layer[-1].end) <= place(one.start))
        layer = next(free, None)
        if layer is None:
            found.append([one])
        else:
            layer.append(one)
    return found


def boundaries(layer: Sequence[Stretch]) -> list[dt.datetime]:
    """Return the boundaries of periods among which are ranges that do not overlap, in order."""
    found: list[dt.datetime] = []
    for one in layer:
        if not found or found[-1] != one.start:
            found.append(one.start)
        found.append(one.end)
    return found

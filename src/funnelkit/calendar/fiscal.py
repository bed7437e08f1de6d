"""Years that do not begin on the first of January: fiscal years, and years of whole weeks."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache

from funnelkit.arguments import check_flags, check_kind, is_whole
from funnelkit.errors import DefinitionError

__all__ = [
    "FIRST_YEAR",
    "LAST_YEAR",
    "WEEKDAYS",
    "RetailCalendar",
    "fiscal_starts",
    "parse_fiscal_start",
]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIRST_YEAR, LAST_YEAR = 1900, 2200
PATTERNS = "use (4, 4, 5), (4, 5, 4) or (5, 4, 4)"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetailCalendar:
    """A year of 52 or 53 whole weeks, in four quarters of three months of whole weeks.

    It ends on one weekday near the end of one month. A 53rd week belongs to the
    last month. With the values by default it is the 4-5-4 year of American
    retail: it ends on the Saturday nearest to the end of January.

    Attributes:
        pattern: How many weeks the months of a quarter have; they make 13.
        last_month: The month near whose end the year ends, 1 to 12.
        last_weekday: The weekday on which it ends.
        is_nearest: Whether that is the weekday nearest to the month's end; if
            not, the last one within the month.

    Examples:
        >>> weeks = RetailCalendar(pattern=(4, 4, 5), last_month=12, is_nearest=False)
        >>> weeks.starts(12)[123].date()
        datetime.date(2023, 12, 31)
    """

    pattern: tuple[int, int, int] = (4, 5, 4)
    last_month: int = 1
    last_weekday: str = "saturday"
    is_nearest: bool = True

    def __post_init__(self) -> None:
        check_flags(is_nearest=self.is_nearest)
        check_kind("pattern", self.pattern, (tuple, list), PATTERNS)
        object.__setattr__(self, "pattern", tuple(self.pattern))
        if self.pattern not in {(4, 4, 5), (4, 5, 4), (5, 4, 4)}:
            problem = f"pattern={self.pattern} does not add up to a quarter of 13 weeks"
            raise DefinitionError(problem, PATTERNS)
        if not (is_whole(self.last_month) and 1 <= self.last_month <= 12):
            raise DefinitionError(f"last_month={self.last_month!r} is not a month", "use 1 to 12")
        if self.last_weekday not in WEEKDAYS:
            raise DefinitionError(
                f"last_weekday={self.last_weekday!r} is not a day of the week",
                "use one of " + ", ".join(WEEKDAYS),
            )

    def starts(self, months: int) -> tuple[dt.datetime, ...]:
        """Return the starts of all periods of a number of months, from 1900 to 2200.

        Args:
            months: The length of a period: a divisor or a multiple of 12.
        """
        return _week_starts(self, months)

    def first_day(self, year: int) -> dt.datetime:
        """Return the day after the end of the year that ends in or near the given one."""
        after = dt.datetime(  # noqa: DTZ001  # local time
            year + self.last_month // 12, self.last_month % 12 + 1, 1
        )
        weekday = WEEKDAYS.index(self.last_weekday)
        last = after - dt.timedelta(days=1)
        end = last - dt.timedelta(days=(last.weekday() - weekday) % 7)
        if self.is_nearest and (last - end).days > 3:
            end += dt.timedelta(days=7)
        return end + dt.timedelta(days=1)


def parse_fiscal_start(text: str) -> tuple[int, int]:
    """Read month and day of the first day of a year: `"04-01"`.

    Raises:
        DefinitionError: It is not a valid day, or not every month has it.
    """
    found = re.fullmatch(r"(\d\d)-(\d\d)", text, re.ASCII)
    month, day = (int(found[1]), int(found[2])) if found else (0, 0)
    if not (1 <= month <= 12 and 1 <= day <= 28):
        raise DefinitionError(
            f"fiscal_year={text!r} is not a valid first day of a year",
            "write month and day, such as 04-01, with a day up to 28, or pass an fk.RetailCalendar",
        )
    return month, day


@lru_cache(maxsize=64)
def fiscal_starts(year: str | RetailCalendar, months: int) -> tuple[dt.datetime, ...]:
    """Return the starts of all periods of a number of months, from 1900 to 2200.

    Args:
        year: When the year begins.
        months: The length of a period: a divisor or a multiple of 12.
    """
    if isinstance(year, RetailCalendar):
        return year.starts(months)
    month, day = parse_fiscal_start(year)
    counts = range(FIRST_YEAR * 12 + month - 1, LAST_YEAR * 12 + month, months)
    return tuple(dt.datetime(n // 12, n % 12 + 1, day) for n in counts)  # noqa: DTZ001  # local


@lru_cache(maxsize=64)
def _week_starts(year: RetailCalendar, months: int) -> tuple[dt.datetime, ...]:
    starts: list[dt.datetime] = []
    for number in range(FIRST_YEAR, LAST_YEAR):
        day = year.first_day(number)
        for weeks in year.pattern * 4:
            starts.append(day)
            day += dt.timedelta(weeks=weeks)
    return tuple(starts[::months])

"""How long a period is, and the range of a question."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum

from funnelkit.errors import DefinitionError, shortened

__all__ = ["INSTANT", "ONE_DAY", "Grain", "Span", "TimeUnit"]

INSTANT, ONE_DAY = dt.timedelta(microseconds=1), dt.timedelta(days=1)
"""The shortest time there is, by which the last moment lies before an end; and a day."""


class TimeUnit(StrEnum):
    """What the length of a period is counted in."""

    HOUR = "h"
    DAY = "d"
    WEEK = "w"
    MONTH = "mo"
    QUARTER = "q"
    YEAR = "y"


_MONTHS = {TimeUnit.MONTH: 1, TimeUnit.QUARTER: 3, TimeUnit.YEAR: 12}


_DAYS = {TimeUnit.DAY: 1, TimeUnit.WEEK: 7}


@dataclass(frozen=True, slots=True)
class Grain:
    """How long a period is: `2w`, `6h`, `1mo`.

    Attributes:
        count: How many of the unit.
        unit: The unit.
    """

    count: int
    unit: TimeUnit

    @classmethod
    def parse(cls, text: str, *, name: str = "every") -> Grain:
        """Read a grain: `"1mo"`, `"2w"`, or a word such as `"month"`.

        Args:
            text: The grain.
            name: The argument that it was given as, for errors.

        Raises:
            DefinitionError: It is not a valid grain, or its periods would not fill a day
                or a year.
        """
        words = {unit.name.lower(): cls(1, unit) for unit in TimeUnit}
        if text in words:
            return words[text]
        found = re.fullmatch(r"([1-9]\d{0,3})(h|d|w|mo|q|y)", text, re.ASCII)
        if found is None:
            raise DefinitionError(
                f"{name}={shortened(repr(text))} is not a valid period",
                "use a number and a unit, such as 1h, 6h, 1d, 2w, 1mo, 1q, 1y, or one of "
                + ", ".join(map(repr, words)),
            )
        grain = cls(int(found[1]), TimeUnit(found[2]))
        if grain.unit is TimeUnit.HOUR and 24 % grain.count:
            raise DefinitionError(
                f"{name}={text!r} does not divide a day", "use 1, 2, 3, 4, 6, 8 or 12 hours"
            )
        if grain.months % 12 and 12 % grain.months:
            raise DefinitionError(
                f"{name}={text!r} does not divide a year", "use 1, 2, 3, 4 or 6 months"
            )
        return grain

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def months(self) -> int:
        """How many months it is long; 0 where it is counted in days or hours."""
        return self.count * _MONTHS.get(self.unit, 0)

    @property
    def days(self) -> int:
        """How many days it is long; 0 where it is counted in months or hours."""
        return self.count * _DAYS.get(self.unit, 0)


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of time, as local time in the shop's zone.

    Attributes:
        start: The first moment, or None for as far back as the data goes.
        end: The first moment after it, or None for as far as the data goes.
    """

    start: dt.datetime | None = None
    end: dt.datetime | None = None

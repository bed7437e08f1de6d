"""Parts of a statement that dialects of SQL write so differently that they have a node each."""

from __future__ import annotations

from typing import ClassVar

from sqlglot import exp
from sqlglot.expressions.core import Expression

__all__ = [
    "AsMuchEarlier",
    "ByCodePoint",
    "ByValue",
    "ClockText",
    "CountWhere",
    "DaysBetween",
    "DaysEarlier",
    "EachDate",
    "HourStart",
    "IsFinite",
    "Later",
    "MonthStart",
    "Nearest",
    "SecondsLater",
    "SecondsOf",
    "UtcClock",
    "UtcInstant",
    "ZoneClock",
]


class _One(Expression, exp.Func):
    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class _Two(Expression, exp.Func):
    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expression": True}


class UtcClock(_One):
    """What the clock of UTC shows at an instant."""


class UtcInstant(_One):
    """The instant at which the clock of UTC shows a local time."""


class ClockText(_One):
    """A local time as text, with microseconds."""


class HourStart(_One):
    """A local time without what has passed of its hour."""


class MonthStart(_One):
    """The first day of the month of a day, as a day or a local time."""


class IsFinite(_One):
    """Whether a float is neither NaN nor infinite."""


class CountWhere(_One):
    """How many rows a condition is true of."""


class SecondsOf(_One):
    """The seconds of an interval."""


class ByCodePoint(_One):
    """A text that is ordered by its code points, whatever the language of the database."""


class ByValue(_One):
    """A float that is compared, ordered or grouped: NaN is one number, above all; 0 is -0."""


class ZoneClock(_Two):
    """What the clock of a zone shows at an instant."""


class SecondsLater(_Two):
    """The local time a number of seconds later."""


class DaysEarlier(_Two):
    """The day a number of days earlier."""


class DaysBetween(_Two):
    """How many days after the second day the first one is."""


class AsMuchEarlier(Expression, exp.Func):
    """The local time as much earlier as one local time is after another."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "late": True, "early": True}


class Later(Expression, exp.Func):
    """The day, or local time, a number of days, months or hours later, or earlier if below 0."""

    arg_types: ClassVar[dict[str, bool]] = {
        "this": True,
        "expression": True,
        "unit": True,
        "is_day": True,
    }


class EachDate(Expression):
    """A table of the days from one to another, a step apart; without any where there are none."""

    arg_types: ClassVar[dict[str, bool]] = {"start": True, "end": True, "step": True, "alias": True}


class Nearest(Expression, exp.Func):
    """The nearest value that is not null in a window: before a row, or after."""

    arg_types: ClassVar[dict[str, bool]] = {
        "this": True,
        "partition_by": True,
        "order": True,
        "is_next": True,
    }

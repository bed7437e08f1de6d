"""Constants of formulas: numbers that a column can hold, and lengths of time with their unit."""

from __future__ import annotations

import datetime as dt
import sys

from funnelkit.errors import DefinitionError
from funnelkit.units import DAY_S, HOUR_S, MINUTE_S

__all__ = ["LENGTHS", "Scalar", "check_finite", "constant_text", "length_of"]

Scalar = str | int | float | bool | dt.date | dt.timedelta

LENGTHS = {"days": DAY_S, "hours": HOUR_S, "minutes": MINUTE_S, "seconds": 1}
"""The units in which the text form writes lengths of time, in seconds."""

_TICK = dt.timedelta(microseconds=1)
_MOST_TICKS = 2**53
"""How many microseconds a float tells apart: about 285 years."""


def check_finite(number: float) -> None:
    """Raise if a number does not fit into a numeric column.

    Raises:
        DefinitionError: It is infinite, not a number, or too large.
    """
    if not abs(number) <= sys.float_info.max:
        raise DefinitionError(f"a formula cannot hold {str(number)[:20]}", "use a smaller number")


def length_of(unit: str, number: float) -> dt.timedelta:
    """Return a length of time.

    Args:
        unit: One of `LENGTHS`.
        number: How many of them it is.

    Raises:
        DefinitionError: It is longer than about 285 years.
    """
    check_finite(number)
    if abs(number) * LENGTHS[unit] > _MOST_TICKS * _TICK.total_seconds():
        raise DefinitionError(f"{unit}({number}) is too long", "use a shorter length of time")
    return dt.timedelta(**{unit: number})


def constant_text(constant: Scalar) -> str:
    """Return the text form of a constant; of a length, in the largest unit that divides it."""
    match constant:
        case dt.timedelta():
            ticks = constant // _TICK
            sizes = ((unit, size * 10**6) for unit, size in LENGTHS.items())
            whole = (f"{unit}({ticks // size})" for unit, size in sizes if ticks % size == 0)
            return next(whole, f"seconds({constant.total_seconds()!r})")
        case dt.date():
            return f"date({constant.isoformat()!r})"
        case _:
            return repr(constant)

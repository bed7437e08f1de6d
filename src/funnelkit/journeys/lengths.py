"""Lengths of time: windows and gaps, as text or as a timedelta."""

from __future__ import annotations

import datetime as dt
import re

from funnelkit.arguments import check_kind
from funnelkit.errors import DefinitionError, shortened
from funnelkit.units import DAY_S, HOUR_S, MINUTE_S

__all__ = ["Length", "check_length", "length_text"]

Length = str | dt.timedelta
"""A length of time: `"30m"`, `"7d"`, or a timedelta."""

_SECONDS = {"s": 1, "m": MINUTE_S, "h": HOUR_S, "d": DAY_S, "w": 7 * DAY_S}
_WORDS = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
_LONGEST = dt.timedelta(days=36_525)


def check_length(name: str, given: Length) -> dt.timedelta:
    """Return a length of time; a day is 24 hours, whatever the clock does.

    Args:
        name: The argument.
        given: The length: a number and s, m, h, d or w, or a timedelta.

    Raises:
        DefinitionError: It cannot be read, is not above zero, or exceeds a century.
    """
    remedy = "write a number and s, m, h, d or w, such as '30m' or '7d', or pass a timedelta"
    check_kind(name, given, (str, dt.timedelta), remedy)
    length = _read(given) if isinstance(given, str) else given
    if length is None:
        problem = f"{name}={shortened(repr(given))} is not a length of time"
        raise DefinitionError(problem, remedy)
    if not dt.timedelta() < length <= _LONGEST:
        problem = f"{name}={shortened(given)} is not above zero and at most a century"
        raise DefinitionError(problem, remedy)
    return length


def _read(text: str) -> dt.timedelta | None:
    found = re.fullmatch(r"(-?\d{1,9})([smhdw])", text.strip(), re.ASCII)
    return None if found is None else dt.timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def length_text(length: dt.timedelta) -> str:
    """Return a length of time in words: `7 days`, `30 minutes`."""
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(length, dt.timedelta(seconds=_SECONDS[unit]))
        if not rest:
            return f"{count} {_WORDS[unit]}{'' if count == 1 else 's'}"
    return f"{length.total_seconds():f} seconds"

"""How a report names periods and ranges of time."""

from __future__ import annotations

import datetime as dt

from funnelkit.calendar.calendar import Moment
from funnelkit.calendar.grain import Grain

__all__ = ["period_word", "range_words"]


def period_word(every: str) -> str:
    """Return what a period is called: "month", or "period of 2 weeks"."""
    grain = Grain.parse(every)
    unit = grain.unit.name.lower()
    return unit if grain.count == 1 else f"period of {grain.count} {unit}s"


def range_words(start: Moment | None, end: Moment | None) -> str:
    """Return a range from its first moment and the first after it: of days, with the last day."""
    if end is None:
        return "" if start is None else f"from {start}"
    if isinstance(end, dt.date) and not isinstance(end, dt.datetime):
        last = end - dt.timedelta(days=1)
        return f"until {last}" if start is None else " to ".join(map(str, _ends(start, last)))
    return f"until before {end}" if start is None else f"from {start} until before {end}"


def _ends(first: Moment, last: Moment) -> list[Moment]:
    return [first] if first == last else [first, last]

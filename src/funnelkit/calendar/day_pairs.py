"""Custom calendars of comparisons: which day is set against which."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import polars as pl

from funnelkit.arguments import check_kind
from funnelkit.errors import DefinitionError

__all__ = ["DayPairs"]

COLUMNS = ("day", "reference")


@dataclass(frozen=True, slots=True, init=False)
class DayPairs:
    """Days with the days that they are compared with: for Easter, Black Friday, or sales.

    Args:
        frame: The columns `day` and `reference`, dates; each day is paired once.

    Raises:
        DefinitionError: A column is missing or holds no dates, or a day occurs twice.

    Examples:
        >>> import datetime as dt
        >>> import polars as pl
        >>> black_friday = {"day": [dt.date(2024, 11, 29)], "reference": [dt.date(2023, 11, 24)]}
        >>> DayPairs(pl.DataFrame(black_friday))
        DayPairs(1 day from 2024-11-29 to 2024-11-29)
    """

    pairs: tuple[tuple[dt.date, dt.date], ...]

    def __init__(self, frame: pl.DataFrame) -> None:
        check_kind("frame", frame, (pl.DataFrame,), "pass a frame of day and reference")
        if faults := list(_faults(frame)):
            raise DefinitionError("; ".join(faults), "give each day once, with its reference")
        days = frame.select(pl.col(COLUMNS).cast(pl.Date)).sort("day")
        object.__setattr__(self, "pairs", tuple(cast("list[tuple[dt.date, dt.date]]", days.rows())))

    def __repr__(self) -> str:
        days = "1 day" if len(self.pairs) == 1 else f"{len(self.pairs)} days"
        return f"DayPairs({days} from {self.pairs[0][0]} to {self.pairs[-1][0]})"


def _faults(frame: pl.DataFrame) -> Iterator[str]:
    """Return what is wrong with a frame of pairs."""
    if frame.is_empty():
        yield "the frame has no rows"
    for name in COLUMNS:
        if name not in frame.columns:
            yield f"the frame has no column {name!r}, only {', '.join(frame.columns) or 'none'}"
            continue
        days = frame.get_column(name)
        if not isinstance(days.dtype, pl.Date | pl.Datetime):
            yield f"{name} is {days.dtype}, not dates"
            continue
        if days.dtype != pl.Date and (days.dt.truncate("1d") != days).any():
            yield f"{name} has times of day"
        if count := days.null_count():
            yield f"{name} has {count} nulls"
        days = days.drop_nulls().cast(pl.Date)
        if days.is_duplicated().any():
            yield f"{name} has {days.filter(days.is_duplicated())[0]} more than once"

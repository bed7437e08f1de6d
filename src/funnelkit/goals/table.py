"""Goals as rows of a frame: a targets table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from math import isnan
from typing import Any

import polars as pl

from funnelkit.calendar.calendar import Calendar
from funnelkit.calendar.grain import Grain, TimeUnit
from funnelkit.errors import DefinitionError, UnknownNameError, nearest
from funnelkit.goals.goal import Goal
from funnelkit.goals.target import Lift

__all__ = ["goals_of_table"]

TEXTS = ("metric", "where", "better", "owner", "objective", "supports", "name")
NUMBERS = ("target", "low", "high", "lift", "baseline", "planned_denominator")
DAYS = ("start", "deadline", "period")
MOST_FAULTS = 20

Row = dict[str, Any]


def goals_of_table(
    table: pl.DataFrame, calendar: Calendar, *, every: str | None = None
) -> tuple[Goal, ...]:
    """Return the goals of a targets table, one per row.

    Args:
        table: Columns are the parts of a goal, with `low` and `high` for a band and `lift`
            for a change of the baseline. `period`, the start of a period of the calendar,
            may stand in place of `start` and `deadline`. Any other column is a dimension,
            and the row is the goal of its value; null stands for all values.
        calendar: The shop's calendar.
        every: The length of the periods.

    Raises:
        DefinitionError: Columns or rows are invalid, or two rows are of the same metric,
            days and values; lists all of them.
    """
    reader = _Table(table, calendar, every)
    goals = list(reader.goals())
    if faults := reader.faults:
        shown = [f"  {fault}" for fault in faults[:MOST_FAULTS]]
        more = [f"  and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        raise DefinitionError("\n".join(["the targets table is not valid:", *shown, *more]))
    return tuple(goals)


class _Table:
    """A targets table being read."""

    def __init__(self, table: pl.DataFrame, calendar: Calendar, every: str | None) -> None:
        self.table = table
        self.grain = None if every is None else Grain.parse(every)
        self.calendar = replace(calendar, every=self.grain, boundaries=())
        self.faults = list(self._column_faults())

    def goals(self) -> Iterator[Goal]:
        """Return the goal of each row; the rows that are none are added to the faults."""
        if self.faults:
            return
        seen: dict[object, int] = {}
        for number, row in enumerate(self.table.iter_rows(named=True), 1):
            try:
                goal = Goal(**self._fields(row))
            except (DefinitionError, UnknownNameError) as error:
                self.faults.append(f"row {number}: {error}")
                continue
            first = seen.setdefault((goal.subject, goal.window), number)
            if first != number:
                problem = f"rows {first} and {number} are both of {goal.subject} in {goal.window}"
                self.faults.append(f"{problem}: keep one")
            yield goal

    def _column_faults(self) -> Iterator[str]:
        known, has = (*TEXTS, *NUMBERS, *DAYS), self.table.columns
        if "metric" not in has:
            yield f"there is no column metric; it has {', '.join(has) or 'none'}"
        if "period" in has and self.grain is None:
            yield "the column period needs every=, such as every='1mo'"
        if self.grain is not None and self.grain.unit is TimeUnit.HOUR:
            yield f"every={str(self.grain)!r}: a goal counts whole days"
        if self.grain is not None and "period" not in has:
            yield f"every={str(self.grain)!r} needs a column period"
        if both := [name for name in ("start", "deadline") if name in has and "period" in has]:
            yield f"it has the columns period and {', '.join(both)}: keep one of both"
        for name in self._dimensions():
            if name not in known and (likely := nearest(name, known)) and likely[0] not in has:
                yield f"the column {name} is not a part of a goal; did you mean {likely[0]}?"

    def _dimensions(self) -> list[str]:
        return [name for name in self.table.columns if name not in {*TEXTS, *NUMBERS, *DAYS}]

    def _fields(self, row: Row) -> Row:
        """Return the parts of a goal as `Goal` takes them.

        Raises:
            DefinitionError: The period is none, or there are several targets.
        """
        fields: Row = {name: row[name] for name in (*TEXTS, *DAYS) if row.get(name) is not None}
        fields |= {
            name: number for name in NUMBERS if (number := _number(row.get(name))) is not None
        }
        fields |= _target(fields)
        if "period" in fields:
            fields |= self._period(fields.pop("period"))
        keys = {name: row[name] for name in self._dimensions() if row[name] is not None}
        return {**fields, "keys": keys}

    def _period(self, label: object) -> Row:
        if not isinstance(label, str | dt.date):
            raise DefinitionError(f"period={label!r} is not a day")
        start = self.calendar.local(label, "period")
        if start is None or self.calendar.floor(start) != start:
            remedy = "give the first day of a period"
            raise DefinitionError(f"period={label} is not the start of a period", remedy)
        day = start.date()
        end = pl.select(self.calendar.moved(pl.lit(day), 1)).item()
        return {"start": day, "deadline": end}


def _number(value: object) -> object:
    """Return a number of a table: NaN is none, and a decimal one is a float."""
    if isinstance(value, Decimal):
        return float(value)
    return None if isinstance(value, float) and isnan(value) else value


def _target(fields: Row) -> Row:
    """Return the target of a row: its value, its band, or its lift.

    Raises:
        DefinitionError: It has several.
    """
    low, high, lift = (fields.pop(name, None) for name in ("low", "high", "lift"))
    given: Sequence[object] = [
        *([fields["target"]] if "target" in fields else []),
        *([] if lift is None else [Lift(lift)]),
        *([] if low is None and high is None else [(low, high)]),
    ]
    if len(given) > 1:
        raise DefinitionError("it has several of target, lift, and low with high", "give one")
    return {"target": given[0]} if given else {}

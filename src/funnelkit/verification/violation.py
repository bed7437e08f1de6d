"""A promise that data breaks, and the rows that show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from funnelkit.data.findings import Finding
from funnelkit.errors import DataIssue, rows_text
from funnelkit.planning.relations import Agg, AggOp, Aggregate, Col, Head, Rel, Select

__all__ = ["FEW", "ROWS", "Read", "Violation", "counted", "only", "sample_of"]

FEW = 3
"""How many rows are shown."""

ROWS = Agg(AggOp.ROWS)

Read = Callable[[Sequence[Rel]], list[pl.DataFrame]]
"""Reads relations."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise, and what shows it.

    Attributes:
        table: The table.
        column: The column, or several.
        finding: What is wrong with it.
        rows: How many rows break it.
        sample: A few of them.
    """

    table: str
    column: str
    finding: Finding
    rows: int
    sample: str

    @property
    def issue(self) -> DataIssue:
        """The violation as an issue of an error."""
        such = f", such as {self.sample}" if self.sample else ""
        problem = f"{self.finding.problem}, in {rows_text(self.rows)}{such}"
        return DataIssue(self.table, self.column, problem, self.finding.remedy)


def only(rel: Rel, names: Iterable[str]) -> Rel:
    """Return a relation with some of its columns."""
    return Select(rel, tuple((name, Col(name)) for name in names))


def counted(rel: Rel, shown: Sequence[str], read: Read) -> tuple[int, str]:
    """Return how many rows there are, and a sample of the columns that are shown."""
    count, few = Aggregate(rel, (), (("row_count", ROWS),)), only(rel, shown)
    found, sample = read([count, Head(few, tuple(map(Col, shown)), FEW)])
    return int(found.item()), sample_of(sample.select(shown))


def sample_of(few: pl.DataFrame) -> str:
    """Return rows as text."""
    return ", ".join(_written(row) for row in few.rows())


def _written(row: Sequence[object]) -> str:
    return ", ".join(map(repr, row)) if len(row) == 1 else str(tuple(row))

"""A promise that data breaks."""

from __future__ import annotations

from dataclasses import dataclass

from funnelkit.data.schema import Severity
from funnelkit.errors import DataIssue

__all__ = ["Violation"]


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise, and what shows it.

    Attributes:
        table: The table.
        column: The column, or several.
        problem: What is wrong with a row.
        remedy: What to do about it.
        severity: Whether numbers are refused because of it.
        rows: How many rows break it.
        sample: A few of them.
    """

    table: str
    column: str
    problem: str
    remedy: str
    severity: Severity
    rows: int
    sample: str

    @property
    def issue(self) -> DataIssue:
        """The violation as an issue of an error."""
        such = f", such as {self.sample}" if self.sample else ""
        problem = f"{self.problem}, in {self.rows:,} rows{such}"
        return DataIssue(self.table, self.column, problem, self.remedy)

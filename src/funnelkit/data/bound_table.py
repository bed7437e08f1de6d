"""What is known of a table that is bound, wherever its rows are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import polars as pl

from funnelkit.data.findings import Finding
from funnelkit.errors import DataIssue
from funnelkit.formula.table import Table
from funnelkit.formula.values import Column

__all__ = ["BoundTable", "ReadOtherwise"]


@dataclass(frozen=True, slots=True)
class ReadOtherwise:
    """Values of a column that were read as null, or as another value.

    Attributes:
        column: The column.
        finding: What they are.
        rows: How many there are.
        sample: A few of them.
    """

    column: str
    finding: Finding
    rows: int
    sample: tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundTable(ABC):
    """What is known of a table that is bound, wherever its rows are.

    Attributes:
        table: The table's declaration.
        columns: The supplied columns, by canonical name, with their types.
        rows: The number of rows, where it is known without reading.
        rename: How its columns were renamed.
        untyped: The columns that came without a type, all of them null.
        loose: The keys that are written in a file as whole numbers are: they may be
            read as words too, and none is lost.
        is_assumed_empty: Whether nothing was supplied, and it is taken to have no rows.
    """

    table: type[Table]
    columns: Mapping[str, pl.DataType]
    rows: int | None
    rename: Mapping[str, str] = field(default_factory=dict[str, str])
    untyped: frozenset[str] = frozenset()
    loose: frozenset[str] = frozenset()
    is_assumed_empty: bool = False

    @property
    def supplied_key(self) -> tuple[str, ...]:
        """The columns of its key, if all of them were supplied; else none."""
        return self.table.key if all(name in self.columns for name in self.table.key) else ()

    @abstractmethod
    def bound_anew(self, faults: list[DataIssue]) -> BoundTable:
        """Bind the same source again; problems are added to `faults`."""

    @abstractmethod
    def read_otherwise(self) -> Iterator[ReadOtherwise]:
        """Yield the values that are not read as they are, column by column."""

    @abstractmethod
    def type_fault(self, column: Column, remedy: str) -> DataIssue:
        """Return the issue that a column that was supplied is of the wrong type."""

    @abstractmethod
    def cast_to_text(self, name: str) -> str:
        """Return the code that reads a column as words."""

    def word_in(self, name: str) -> str | None:
        """Return a word of a key that is not written as a number is, where one is easily had."""
        del name
        return None

    def with_types(self, kinds: Mapping[str, pl.DataType]) -> Self:
        """Return the table with some of its columns read as other types."""
        return replace(self, columns={**self.columns, **kinds})

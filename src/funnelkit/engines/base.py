"""What is asked of an engine, the rows of relations, and of the place where tables are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import polars as pl

from funnelkit.data.bound_table import BoundTable
from funnelkit.data.shop_data import ShopData
from funnelkit.engines.supports import Support
from funnelkit.errors import DataIssue
from funnelkit.formula.table import Table
from funnelkit.planning.relations import Rel

__all__ = ["Database", "Engine"]


class Engine(Protocol):
    """Reads relations over the tables of one shop."""

    @property
    def supports(self) -> Support:
        """What it can do."""
        ...

    def run(self, relations: Sequence[Rel]) -> list[pl.DataFrame]:
        """Return the rows of relations, read together.

        Args:
            relations: The relations.

        Returns:
            For each a frame with the columns of the relation, in order.

        Raises:
            DataError: A table cannot be read.
            UnsupportedError: A relation needs what the engine cannot do.
        """
        ...


@runtime_checkable
class Database(Protocol):
    """Where tables are: in memory and files, or in a database."""

    def bind(
        self,
        known: Mapping[str, type[Table]],
        sources: Mapping[str, object],
        rename: Mapping[str, Mapping[str, str]],
        faults: list[DataIssue],
    ) -> dict[str, BoundTable]:
        """Bind tables; problems are added to `faults`.

        Args:
            known: Every table that could be bound, by name.
            sources: What is bound, by table.
            rename: By table: the name of a column, and its canonical name.
            faults: The problems.
        """
        ...

    def changed(self, tables: Mapping[str, BoundTable]) -> list[str]:
        """Return the tables that are not as they were when they were bound.

        Raises:
            DataError: They cannot be looked at any more.
        """
        ...

    def engine(self, data: ShopData) -> Engine:
        """Return what reads the tables of a shop that is bound here."""
        ...

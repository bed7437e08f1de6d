"""An engine that writes the relational plan as SQL, and leaves the data where it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl

from funnelkit.calendar.calendar import UTC_EPOCH
from funnelkit.calendar.grain import INSTANT
from funnelkit.data.shop_data import ShopData
from funnelkit.engines.sql.connection import Connection, answering
from funnelkit.engines.sql.results import of_kinds
from funnelkit.engines.sql.tables import SqlTable, source_of
from funnelkit.engines.sql.translate import Translator
from funnelkit.engines.supports import SUPPORTS, Support
from funnelkit.planning.offsets import with_offsets
from funnelkit.planning.relations import Rel
from funnelkit.planning.traversal import tables_of

__all__ = ["SqlEngine"]

EARLIEST, LATEST = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (1900, 2100))
"""Between which times a zone is written as constants; the database knows zones beyond."""

MARGIN = dt.timedelta(days=4 * 366)
"""How far from the times of the data a plan looks at most."""


@dataclass(frozen=True, slots=True)
class SqlEngine:
    """Reads the tables of one shop where they are.

    Attributes:
        data: The shop's data.
        connection: How they are read.
    """

    data: ShopData
    connection: Connection

    @property
    def supports(self) -> Support:
        """What it can do."""
        return SUPPORTS[self.connection.dialect]

    def run(self, relations: Sequence[Rel]) -> list[pl.DataFrame]:
        """Return the rows of relations; see `Engine.run`."""
        translator = Translator.of(self.connection.dialect, partial(source_of, self.data))
        statements = [translator.statement(self._without_zones(one)) for one in relations]
        with answering(self.connection.dialect):
            return [of_kinds(self.connection.run(query), kinds) for query, kinds in statements]

    def _without_zones(self, relation: Rel) -> Rel:
        """Return a relation with the shop's zone as constants, where its times are near enough.

        That is ten times as fast as to ask the database, and does not rest on its zones.
        """
        if self.data.calendar.time_zone == "UTC":
            return relation
        bound = (self.data.tables[name] for name in tables_of([relation]))
        states = (table.state[1:] for table in bound if isinstance(table, SqlTable))
        ends = [end for state in states for end in state if end is not None]
        if not ends or min(ends) < _micros(EARLIEST) or max(ends) > _micros(LATEST):
            return relation
        low, high = (UTC_EPOCH + end * INSTANT for end in (min(ends), max(ends)))
        return with_offsets(relation, low - MARGIN, high + MARGIN)


def _micros(moment: dt.datetime) -> int:
    return (moment - UTC_EPOCH) // INSTANT

"""The embedded engine: the relational plan as lazy Polars queries, collected together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import polars as pl

from funnelkit.data.binding import BoundFrame
from funnelkit.data.shop_data import ShopData
from funnelkit.engines.polars.translate import Translator, first_line
from funnelkit.engines.supports import SUPPORTS, Support
from funnelkit.errors import DataError, shortened
from funnelkit.planning.relations import Rel, columns_of
from funnelkit.planning.traversal import tables_of

__all__ = ["PolarsEngine"]

SMALL = 100_000
"""Below this many rows the in-memory engine is faster than the streaming one."""


@dataclass(frozen=True, slots=True)
class PolarsEngine:
    """Reads the frames of one shop with Polars.

    Attributes:
        data: The shop's data.
        most_in_memory: Up to how many rows of each table the in-memory engine is
            used; the streaming one above.
    """

    data: ShopData
    most_in_memory: int = SMALL

    @property
    def supports(self) -> Support:
        """What it can do: everything."""
        return SUPPORTS["polars"]

    def run(self, relations: Sequence[Rel]) -> list[pl.DataFrame]:
        """Return the rows of relations; see `Engine.run`.

        A shared scan is read once, but without the filters of those that share
        it: that pays only where relations read the same table.
        """
        read = [tables_of([relation]) for relation in relations]
        share = len({next(iter(tables), "") for tables in read}) < len(relations)
        tables = list(dict.fromkeys(chain.from_iterable(read)))
        return self._collect(self._queries(relations, tables), tables, share=share)

    def queries(self, relations: Sequence[Rel]) -> list[pl.LazyFrame]:
        """Return a lazy query for each relation."""
        return self._queries(relations, tables_of(relations))

    def _queries(self, relations: Sequence[Rel], tables: Sequence[str]) -> list[pl.LazyFrame]:
        """Return the queries, which are kept unless rows were read to write them."""
        has_read = False

        def collect(query: pl.LazyFrame) -> pl.DataFrame:
            nonlocal has_read
            has_read = True
            return self._collect([query], tables)[0]

        def write() -> list[pl.LazyFrame]:
            frames = {name: self._frame(name) for name in tables}
            sizes = {name: self.data.size(name) for name in tables}
            translator = Translator(frames, sizes, collect)
            return [translator.frame(one).select(columns_of(one)) for one in relations]

        return self.data.derived("queries", relations, write, is_kept=lambda: not has_read)

    def _frame(self, table: str) -> pl.LazyFrame:
        match self.data.tables[table]:
            case BoundFrame(frame=frame):
                return frame
            case other:
                raise AssertionError(other)

    def _collect(
        self, queries: Sequence[pl.LazyFrame], tables: Sequence[str], *, share: bool = False
    ) -> list[pl.DataFrame]:
        """Run queries on tables together."""
        if not queries:
            return []
        rows = [self.data.size(table) for table in tables]
        is_small = all(count is not None and count <= self.most_in_memory for count in rows)
        try:
            return pl.collect_all(
                queries,
                engine="in-memory" if is_small else "streaming",
                optimizations=pl.QueryOptFlags(comm_subplan_elim=share),
            )
        except pl.exceptions.PanicException as error:
            reason = shortened(str(error).splitlines()[0], most=120)
            problem, remedy = f"could not be read: {reason}", "check that its file is whole"
        except (pl.exceptions.PolarsError, OSError) as error:
            problem, remedy = f"could not be read: {first_line(error)}", ""
        place = self._unreadable(tables)
        raise DataError(f"{place}: the data {problem}" if place else f"the data {problem}", remedy)

    def _unreadable(self, tables: Sequence[str]) -> str:
        """Return the first table that cannot be read by itself; empty where all can."""
        for name in tables:
            try:
                self._frame(name).select(pl.all().count()).collect(engine="streaming")
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
                return name
        return ""

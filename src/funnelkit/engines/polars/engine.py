"""The embedded engine: the relational plan as lazy Polars queries, collected together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Sequence
from dataclasses import dataclass

import polars as pl

from funnelkit.data.schema import Severity
from funnelkit.data.shop_data import ShopData
from funnelkit.engines.base import Report
from funnelkit.engines.polars.translate import Translator, first_line
from funnelkit.errors import DataError
from funnelkit.planning.checks import check, overviews
from funnelkit.planning.derive import Relations
from funnelkit.planning.plan import PERIOD, Step, group_column
from funnelkit.planning.promises import check_promises
from funnelkit.planning.relations import Answer, Rel
from funnelkit.planning.traversal import columns_read, tables_of
from funnelkit.planning.vocabulary_checks import check_words, word_counts

__all__ = ["PolarsEngine"]

SMALL = 100_000
"""Below this many rows the in-memory engine is faster than the streaming one."""


@dataclass(slots=True)
class PolarsEngine:
    """Folds the frames of one shop with Polars.

    Attributes:
        data: The shop's data.
        most_in_memory: Up to how many rows of each table the in-memory engine is
            used; the streaming one above.
    """

    data: ShopData
    most_in_memory: int = SMALL

    def fold(self, steps: Sequence[Step], *, report: Report | None = None) -> list[pl.DataFrame]:
        """Answer every step; see `Engine.fold`."""
        self._verify(steps)
        queries, tables = self.queries(steps)
        if report is None:
            share = len({step.table for step in steps}) < len(steps)
            return self._collect(queries, tables, share=share)
        found: list[pl.DataFrame] = []
        for query, step in zip(queries, steps, strict=True):
            found += self._collect([query], tables)
            report(step)
        return found

    def queries(self, steps: Sequence[Step]) -> tuple[list[pl.LazyFrame], list[str]]:
        """Return a query for each step, and the tables that they read."""
        given = next((step.as_of for step in steps if step.as_of), None)
        answers = Relations.of(self.data, lambda: given or self.as_of()).answers(steps)
        relations = [answer.relation for answer in answers]
        tables = tables_of(relations)
        columns = columns_read(relations)
        self.read_words(columns=columns)
        if self.data.guards:
            check_words(self.data, columns)
            check_promises(self.data, steps, columns, self.read)
        translator = self._translator(tables)
        queries = [
            _labelled(step, answer, translator.frame(answer.relation))
            for step, answer in zip(steps, answers, strict=True)
        ]
        return queries, tables

    def _verify(self, steps: Sequence[Step]) -> None:
        """Check keys and rows of the tables that are read, once per table."""
        if all(name in self.data.seen for name in self.data.tables):
            return
        read = Relations.of(self.data, lambda: None).tables_of(steps)
        fresh = [name for name in read if name not in self.data.seen]
        severities = [Severity.ERROR] if self.data.guards else []
        found = overviews(self.data, fresh, severities, self.read)
        check(self.data, found, self.read)
        self.data.seen |= {overview.table: overview.stats for overview in found}

    def read_words(self, *, columns: Container[tuple[str, str]] | None = None) -> None:
        """Learn which words columns hold, all by default; once per column."""
        unread = self.data.unread_words()
        if columns is not None:
            unread = [column for column in unread if (column.table, column.name) in columns]
        if not unread:
            return
        counts = [word_counts(self.data, column) for column in unread]
        found = self._read(counts)
        rows = (dict(frame.drop_nulls().rows()) for frame in found)
        self.data.settle_words(dict(zip(unread, rows, strict=True)))

    def as_of(self) -> dt.datetime | None:
        """Return the latest time of the rows that count, remembered."""
        if self.data.given_as_of is None and self.data.seen_as_of is None:
            answers = self.read(Relations.of(self.data, lambda: None).latest())
            moments = (moment for answer in answers if (moment := answer.item()) is not None)
            self.data.seen_as_of = max(moments, default=None)
        return self.data.given_as_of or self.data.seen_as_of

    def earliest(self, table: str) -> dt.datetime | None:
        """Return the time of a table's first row, in the shop's zone."""
        declared = self.data.known[table]
        clock = declared.get(declared.time)
        if self.data.missing_for(clock):
            return None
        extent = self.data.extent(clock)
        if extent is not None:
            return self.data.calendar.shown(extent[0])
        first = Relations.of(self.data, lambda: None).first(clock)
        found = self.read([first])[0].item()
        return self.data.calendar.shown(found) if isinstance(found, dt.datetime) else None

    def read(self, relations: Sequence[Rel]) -> list[pl.DataFrame]:
        """Return the rows of relations, read together."""
        self.read_words(columns=columns_read(relations))
        return self._read(relations)

    def _read(self, relations: Sequence[Rel]) -> list[pl.DataFrame]:
        tables = tables_of(relations)
        translator = self._translator(tables)
        return self._collect([translator.frame(relation) for relation in relations], tables)

    def _translator(self, tables: Sequence[str]) -> Translator:
        frames = {name: self.data.tables[name].frame for name in tables}
        sizes = {name: self.data.size(name) for name in tables}
        return Translator(frames, sizes, lambda query: self._collect([query], tables)[0])

    def _collect(
        self, queries: Sequence[pl.LazyFrame], tables: Sequence[str], *, share: bool = False
    ) -> list[pl.DataFrame]:
        """Run queries on tables together.

        A shared scan is read once, but without the filters of those that share
        it: that pays only where steps fold the same table.
        """
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
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(f"the data could not be read: {first_line(error)}") from None


def _labelled(step: Step, answer: Answer, folded: pl.LazyFrame) -> pl.LazyFrame:
    """Return an answer with its columns named, and periods of the type of their labels."""
    names = {} if answer.period is None else {answer.period: PERIOD}
    periods = [*names, *(k for k, g in zip(answer.keys, step.groups, strict=True) if g.is_period)]
    groups = (group_column(group.name) for group in step.groups)
    names |= dict(zip(answer.keys, groups, strict=True))
    names |= dict(zip(answer.folds, (fold.name for fold in step.folds), strict=True))
    if periods and step.calendar.has_hours:
        folded = folded.with_columns(pl.col(periods).cast(step.calendar.label_type))
    return folded.select(pl.col(old).alias(new) for old, new in names.items())

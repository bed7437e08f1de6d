"""The embedded engine: the relational plan as lazy Polars queries, collected together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from funnelkit.data.schema import Severity
from funnelkit.data.shop_data import ShopData, TableStats
from funnelkit.engines.base import Report
from funnelkit.engines.polars.translate import Translator, first_line
from funnelkit.engines.polars.verify import TableChecks
from funnelkit.errors import ContractError, DataError
from funnelkit.formula.values import Column
from funnelkit.planning.derive import Relations
from funnelkit.planning.plan import PERIOD, Step, group_column
from funnelkit.planning.relations import AggOp, Answer, Scan
from funnelkit.planning.traversal import walk

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
        tables = _tables(answers)
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
        promises = [TableChecks.of(self.data, name, severities) for name in fresh]
        answers = self._collect([promise.query() for promise in promises], fresh)
        counts = [answer.row(0, named=True) for answer in answers]
        found = [
            finding
            for promise, count in zip(promises, counts, strict=True)
            for finding in promise.findings(count, promise.double_keys(self._collect_one))
        ]
        if found:
            raise ContractError([finding.fault for finding in found])
        for promise, count in zip(promises, counts, strict=True):
            self.data.seen[promise.table] = TableStats(
                rows=count["rows"],
                earliest=count.get("earliest"),
                latest=count.get("latest"),
                untimed=count.get("untimed"),
            )

    def as_of(self) -> dt.datetime | None:
        """Return the latest time of any session, event, order or cart, remembered."""
        if self.data.given_as_of is not None:
            return self.data.given_as_of
        latest = self.data.seen_as_of
        if latest is None:
            clocks = [clock for clock in self.data.schema.clocks if self.data.is_supplied(clock)]
            seen = [moment for clock in clocks if (moment := self._extreme(clock, AggOp.MAX))]
            latest = max(seen, default=None)
            self.data.seen_as_of = latest
        return latest

    def earliest(self, table: str) -> dt.datetime | None:
        """Return the time of a table's first row, in the shop's zone."""
        declared = self.data.known[table]
        clock = declared.get(declared.time)
        if self.data.missing_for(clock):
            return None
        extent = self.data.extent(clock)
        first = extent[0] if extent else self._extreme(clock, AggOp.MIN)
        return None if first is None else self.data.calendar.shown(first)

    def _extreme(self, clock: Column, op: AggOp) -> dt.datetime | None:
        relation = Relations.of(self.data, lambda: None).extreme(clock, op)
        tables = [rel.table for rel in walk(relation) if isinstance(rel, Scan)]
        (answer,) = self._collect([self._translator(tables).frame(relation)], tables)
        found = answer.item()
        return found if isinstance(found, dt.datetime) else None

    def _translator(self, tables: Sequence[str]) -> Translator:
        frames = {name: self.data.tables[name].frame for name in tables}
        sizes = {name: self.data.size(name) for name in tables}
        return Translator(frames, sizes, lambda query: self._collect([query], tables)[0])

    def _collect_one(self, query: pl.LazyFrame) -> pl.DataFrame:
        return self._collect([query], list(self.data.tables))[0]

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


def _tables(answers: Sequence[Answer]) -> list[str]:
    rels = (rel for answer in answers for rel in walk(answer.relation))
    return list(dict.fromkeys(rel.table for rel in rels if isinstance(rel, Scan)))


def _labelled(step: Step, answer: Answer, folded: pl.LazyFrame) -> pl.LazyFrame:
    """Name the columns of an answer, and give periods the type of their labels."""
    names = {} if answer.period is None else {answer.period: PERIOD}
    periods = [*names, *(k for k, g in zip(answer.keys, step.groups, strict=True) if g.is_period)]
    groups = (group_column(group.name) for group in step.groups)
    names |= dict(zip(answer.keys, groups, strict=True))
    names |= dict(zip(answer.folds, (fold.name for fold in step.folds), strict=True))
    if periods and step.calendar.has_hours:
        folded = folded.with_columns(pl.col(periods).cast(step.calendar.label_type))
    return folded.select(pl.col(old).alias(new) for old, new in names.items())

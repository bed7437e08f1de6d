"""The embedded engine: steps as lazy Polars queries, collected together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from funnelkit.calendar.grain import Span
from funnelkit.data.schema import Severity
from funnelkit.data.shop_data import ShopData, TableStats
from funnelkit.engines.base import Report
from funnelkit.engines.polars.expressions import Compiler
from funnelkit.engines.polars.prepare import TablePreparer
from funnelkit.engines.polars.runs import KEY, ActivePeriods, read_runs
from funnelkit.engines.polars.verify import TableChecks
from funnelkit.errors import ContractError, DataError, DefinitionError
from funnelkit.formula.formulas import (
    Aggregate,
    ClosingBalance,
    Count,
    CountDistinct,
    CountRetained,
    Max,
    Min,
    PerKey,
    PolarsExpr,
    Sum,
)
from funnelkit.formula.table import Rows
from funnelkit.formula.values import Column, Lookup, Time
from funnelkit.formula.walk import conjuncts, leaves
from funnelkit.planning.plan import PERIOD, Fold, Step, group_column

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
    frames: TablePreparer = field(init=False)
    compiler: Compiler = field(init=False)
    runs: dict[object, ActivePeriods] = field(init=False, default_factory=dict)
    asked_as_of: dt.datetime | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.compiler = Compiler(self.data, lambda: self.asked_as_of or self.as_of())
        self.frames = TablePreparer(self.data, self.compiler, self._collect_one)

    def fold(self, steps: Sequence[Step], *, report: Report | None = None) -> list[pl.DataFrame]:
        """Answer every step; see `Engine.fold`."""
        self.asked_as_of = next((step.as_of for step in steps if step.as_of), None)
        rows = [self._rows(step) for step in steps]
        if self._verify():
            rows = [self._rows(step) for step in steps]
        self.runs.clear()
        queries = (
            _labelled(step, self._fold(step, entered))
            for step, entered in zip(steps, rows, strict=True)
        )
        if report is not None:
            both = zip(queries, steps, strict=True)
            return [self._reported(query, step, report) for query, step in both]
        tables = {step.table for step in steps}
        return self._collect(list(queries), share=len(tables) < len(steps))

    def _reported(self, query: pl.LazyFrame, step: Step, report: Report) -> pl.DataFrame:
        answer = self._collect_one(query)
        report(step)
        return answer

    def _verify(self) -> bool:
        """Check keys and rows of the tables that are read, once per table.

        Returns:
            Whether anything was learnt that makes for better queries.
        """
        fresh = [name for name in self.frames.used if name not in self.data.seen]
        if not fresh:
            return False
        severities = [Severity.ERROR] if self.data.guards else []
        promises = [TableChecks.of(self.data, name, severities) for name in fresh]
        answers = self._collect([promise.query() for promise in promises])
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
        return True

    def as_of(self) -> dt.datetime | None:
        """Give the latest time of any session, event, order or cart, remembered."""
        if self.data.given_as_of is not None:
            return self.data.given_as_of
        latest = self.data.seen_as_of
        if latest is None:
            clocks = [clock for clock in self.data.schema.clocks if self.data.is_supplied(clock)]
            seen = [moment for clock in clocks if (moment := self._extreme(clock, latest=True))]
            latest = max(seen, default=None)
            self.data.seen_as_of = latest
        return latest

    def earliest(self, table: str) -> dt.datetime | None:
        """Give the time of a table's first row, in the shop's zone."""
        declared = self.data.known[table]
        clock = declared.get(declared.time)
        if self.data.missing_for(clock):
            return None
        extent = self.data.extent(clock)
        first = extent[0] if extent else self._extreme(clock, latest=False)
        return None if first is None else self.data.calendar.shown(first)

    def _extreme(self, clock: Column, *, latest: bool) -> dt.datetime | None:
        moment = self.compiler.instant(clock)
        frame = self.frames.prepare(clock.table, (clock,))
        (answer,) = self._collect([frame.select(moment.max() if latest else moment.min())])
        found = answer.item()
        return found if isinstance(found, dt.datetime) else None

    def _collect(
        self, queries: Sequence[pl.LazyFrame], *, share: bool = False
    ) -> list[pl.DataFrame]:
        """Run queries together.

        A shared scan is read once, but without the filters of those that share
        it: that pays only where steps fold the same table.
        """
        if not queries:
            return []
        rows = [self.data.size(table) for table in self.frames.used]
        is_small = all(count is not None and count <= self.most_in_memory for count in rows)
        try:
            return pl.collect_all(
                queries,
                engine="in-memory" if is_small else "streaming",
                optimizations=pl.QueryOptFlags(comm_subplan_elim=share),
            )
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(f"the data could not be read: {_first_line(error)}") from None

    def _fold(self, step: Step, rows: pl.LazyFrame) -> pl.LazyFrame:
        if step.first_of is not None:
            return self._first_of(rows, step, step.first_of)
        keys = _keys(step)
        folded = [fold.aggregate for fold in step.folds]
        is_grown = step.to_date and step.calendar.has_periods
        if any(isinstance(fold, CountRetained) for fold in folded):
            return self._of_runs(rows, step)
        match folded[0]:
            case ClosingBalance() as last if self.data.known[step.table].entity_key:
                return self._stock(rows, step, last)
            case ClosingBalance() as last:
                name = step.folds[0].name
                value = self.compiler.value(last.value).cast(pl.Float64)
                total = pl.when(value.count() > 0).then(value.sum()).alias(name)
                return _grouped(rows.filter(pl.col(_LAST)), keys, [total])
            case CountDistinct() if is_grown:
                return self._of_runs(rows, step)
            case PolarsExpr():
                natives = [
                    _native(rows, fold.aggregate).alias(fold.name)
                    for fold in step.folds
                    if isinstance(fold.aggregate, PolarsExpr)
                ]
                return _grouped(rows, keys, natives)
            case Sum() | Count() if is_grown and (rollup := folded[0].of):
                if all(isinstance(fold, Count) for fold in folded) and _counts_rows(rollup):
                    return self._counts_grown(rows, step, rollup)
                return self._grown(rows, step, rollup)
            case _:
                source = rows if folded[0].of is None else self._rollup(rows, folded[0].of, keys)
                return _grouped(source, keys, self._aggregates(step.folds))

    def _aggregates(self, folds: Iterable[Fold]) -> list[pl.Expr]:
        return [
            self.compiler.aggregate(fold.aggregate, is_unique=fold.is_unique).alias(fold.name)
            for fold in folds
            if not isinstance(fold.aggregate, PolarsExpr)
        ]

    def _rows(self, step: Step) -> pl.LazyFrame:
        """Give the rows that enter a step, with their period and keys."""
        table = self.data.known[step.table]
        clock = table.get(table.time)
        has_clock = not self.data.missing_for(clock)
        wants = [*step.reads, *([clock] if has_clock else []), *self._tie_breakers(step)]
        has_stock = any(isinstance(fold.aggregate, ClosingBalance) for fold in step.folds)
        if has_stock:
            wants += [table.get(name) for name in table.entity_key]
        rows = self.frames.prepare(step.table, wants, prorate=step.is_prorated)
        if step.first_of is not None:
            return rows.filter(pl.col(clock.name).is_not_null(), *self._entering(step))
        if has_clock and not (step.span == Span() and self.data.has_times(step.table)):
            rows = rows.filter(*self.compiler.within(clock, step.span))
        named = {
            group_column(group.name): self.compiler.period(group.value, step.calendar)
            if group.is_period
            else self.compiler.value(group.value)
            for group in step.groups
        }
        if step.calendar.has_periods:
            named[PERIOD] = self.compiler.period(clock, step.calendar)
        if step.to_date and step.calendar.boundaries:
            first = step.calendar.label(step.calendar.boundaries[0]).item()
            named[PERIOD] = named[PERIOD].fill_null(first)
        rows = rows.with_columns(**named)
        if has_stock and not table.entity_key:
            moment = self.compiler.value(clock)
            latest = moment.max().over(PERIOD) if step.calendar.has_periods else moment.max()
            rows = rows.with_columns((moment == latest).alias(_LAST))
        return rows.filter(*self._entering(step))

    def _entering(self, step: Step) -> list[pl.Expr]:
        return [] if step.where is None else [self.compiler.predicate(step.where)]

    def _tie_breakers(self, step: Step) -> list[Column]:
        table = self.data.known[step.table]
        rollups = [
            fold.aggregate.of for fold in step.folds if not isinstance(fold.aggregate, PolarsExpr)
        ]
        inner = [fold for rollup in rollups if rollup for _, fold in rollup.columns]
        if not any(isinstance(fold, ClosingBalance) for fold in inner):
            return []
        return [
            column for name in table.key if not self.data.missing_for(column := table.get(name))
        ]

    def _rollup(self, rows: pl.LazyFrame, rollup: PerKey, keys: Sequence[str]) -> pl.LazyFrame:
        """Fold rows to one per key within the groups; rows without the key are left out."""
        kept = rows.filter(*self._rollup_filter(rollup))
        key = self.compiler.value(rollup.key).alias(KEY)
        folds = [self._inner(fold).alias(name) for name, fold in rollup.columns]
        return kept.group_by(*keys, key).agg(folds)

    def _rollup_filter(self, rollup: PerKey) -> list[pl.Expr]:
        has_key = self.compiler.value(rollup.key).is_not_null()
        where = [] if rollup.where is None else [self.compiler.predicate(rollup.where)]
        return [has_key, *where]

    def _inner(self, fold: Aggregate) -> pl.Expr:
        if isinstance(fold, Min | Max) and isinstance(fold.value, Time):
            return self._moment(fold, fold.value)
        if not isinstance(fold, ClosingBalance):
            return self.compiler.aggregate(fold)
        (leaf, *_) = leaves(fold.value)
        table = self.data.known[leaf.key.table if isinstance(leaf, Lookup) else leaf.table]
        order = [pl.col(name) for name in (table.time, *table.key)]
        value = self.compiler.value(fold.value)
        kept = value.is_not_null()
        if fold.where is not None:
            kept = kept & self.compiler.predicate(fold.where)
        return value.filter(kept).sort_by([key.filter(kept) for key in order]).last()

    def _moment(self, fold: Min | Max, clock: Time) -> pl.Expr:
        """Give the first or last moment of a key, as an instant."""
        moment = self.compiler.instant(clock)
        if fold.where is not None:
            moment = pl.when(self.compiler.predicate(fold.where)).then(moment)
        return moment.min() if isinstance(fold, Min) else moment.max()

    def _stock(self, rows: pl.LazyFrame, step: Step, last: ClosingBalance) -> pl.LazyFrame:
        """Give what each period adds to the stock: of each thing its last value less the last.

        Without periods that is the stock itself.
        """
        name, keys, table = step.folds[0].name, _keys(step), self.data.known[step.table]
        owner = [*(key for key in keys if key != PERIOD), *table.entity_key]
        value = self.compiler.value(last.value).cast(pl.Float64)
        known = value.is_not_null()
        if last.where is not None:
            value = pl.when(self.compiler.predicate(last.where)).then(value).otherwise(0.0)
        latest = value.sort_by(table.time).last().alias(name)
        held = rows.filter(known).group_by([*keys, *table.entity_key]).agg(latest)
        if step.calendar.has_periods:
            before = pl.col(name).shift(1, fill_value=0.0).over(owner, order_by=PERIOD)
            held = held.with_columns(pl.col(name) - before)
        total = pl.when(pl.len() > 0).then(pl.col(name).sum()).alias(name)
        return _grouped(held, keys, [total])

    def _of_runs(self, rows: pl.LazyFrame, step: Step) -> pl.LazyFrame:
        """Count values of a key by the periods in which they occur, occur again, or begin."""
        runs = self._runs(rows, step, step.folds[0].aggregate)
        counted = runs.frame.lazy().with_columns(_of_run(runs, step, fold) for fold in step.folds)
        return _grouped(counted, _keys(step), [pl.col(fold.name).sum() for fold in step.folds])

    def _runs(self, rows: pl.LazyFrame, step: Step, fold: Aggregate | PolarsExpr) -> ActivePeriods:
        """Give in which periods each value of a fold's key occurs; read once for all steps."""
        if isinstance(fold, CountRetained | CountDistinct):
            key, where = fold.value, None
        elif isinstance(fold, Count | Sum) and fold.of is not None:
            key, where = fold.of.key, fold.of.where
        else:
            raise AssertionError(fold)
        conditions = frozenset((*conjuncts(step.where), *conjuncts(where)))
        place = (step.table, step.groups, step.span, step.calendar, key, conditions)
        if place not in self.runs:
            value = self.compiler.value(key).alias(KEY)
            kept = rows if where is None else rows.filter(self.compiler.predicate(where))
            kept = kept.filter(value.is_not_null()).with_columns(value)
            groups = [group_column(group.name) for group in step.groups]
            self.runs[place] = read_runs(kept, groups, step.calendar, self._collect_one)
        return self.runs[place]

    def _collect_one(self, query: pl.LazyFrame) -> pl.DataFrame:
        (answer,) = self._collect([query])
        return answer

    def _first_of(self, rows: pl.LazyFrame, step: Step, key: Column) -> pl.LazyFrame:
        """Fold the first row of each key, which is at its earliest time, whichever row that is."""
        table = self.data.known[step.table]
        clock = table.get(table.time)
        earliest = pl.col(clock.name).min()
        first = rows.filter(pl.col(key.name).is_not_null()).group_by(key.name).agg(earliest)
        entered = first.filter(*self.compiler.within(clock, step.span))
        if step.calendar.has_periods:
            period = self.compiler.period(clock, step.calendar)
            entered = entered.with_columns(period.alias(PERIOD))
        return _grouped(entered, _keys(step), self._aggregates(step.folds))

    def _counts_grown(self, rows: pl.LazyFrame, step: Step, rollup: PerKey) -> pl.LazyFrame:
        """Give what each period adds to counts of keys, by how many rows they have had so far."""
        runs = self._runs(rows, step, step.folds[0].aggregate)
        columns = [runs.rows_to_date().alias(name) for name, _ in rollup.columns]
        added = [runs.change(self._holds(fold)).alias(fold.name) for fold in step.folds]
        changes = runs.frame.lazy().with_columns(columns).with_columns(added)
        return _grouped(changes, _keys(step), [pl.col(fold.name).sum() for fold in step.folds])

    def _grown(self, rows: pl.LazyFrame, step: Step, rollup: PerKey) -> pl.LazyFrame:
        """Give what each period adds to a fold over a rollup of the history so far.

        Each key's columns are grown period by period; the fold over the rollup
        changes by the key's new contribution less its old one.
        """
        keys = _keys(step)
        groups = [key for key in keys if key != PERIOD]
        parts = self._rollup(rows, rollup, keys).sort(*groups, KEY, PERIOD, nulls_last=True)
        owner = [*groups, KEY]
        grown = parts.with_columns(
            _running(fold, pl.col(name)).over(owner) for name, fold in rollup.columns
        )
        contributions = [self._contribution(fold).alias(fold.name) for fold in step.folds]
        added = [
            pl.col(fold.name) - pl.col(fold.name).shift(1, fill_value=0).over(owner)
            for fold in step.folds
        ]
        changes = grown.with_columns(contributions).with_columns(added)
        return _grouped(changes, keys, [pl.col(fold.name).sum() for fold in step.folds])

    def _contribution(self, fold: Fold) -> pl.Expr:
        """Give what one key adds to a count or sum over a rollup."""
        holds = self._holds(fold)
        if isinstance(fold.aggregate, Sum):
            value = self.compiler.value(fold.aggregate.value).cast(pl.Float64).fill_null(0.0)
            return pl.when(holds).then(value).otherwise(0.0)
        return holds.cast(pl.Int64)

    def _holds(self, fold: Fold) -> pl.Expr:
        """Say whether a key satisfies the condition of a fold over a rollup."""
        if isinstance(fold.aggregate, PolarsExpr) or fold.aggregate.where is None:
            return pl.lit(value=True)
        return self.compiler.predicate(fold.aggregate.where).fill_null(value=False)


_LAST = "#last"


def _labelled(step: Step, folded: pl.LazyFrame) -> pl.LazyFrame:
    """Give periods the type of their labels, on the few rows that are left."""
    if not step.calendar.has_periods:
        return folded
    periods = [PERIOD, *(group_column(group.name) for group in step.groups if group.is_period)]
    return folded.with_columns(pl.col(periods).cast(step.calendar.label_type))


def _keys(step: Step) -> list[str]:
    period = [PERIOD] if step.calendar.has_periods else []
    return [*period, *(group_column(group.name) for group in step.groups)]


def _grouped(rows: pl.LazyFrame, keys: Sequence[str], folds: Sequence[pl.Expr]) -> pl.LazyFrame:
    return rows.group_by(keys).agg(folds) if keys else rows.select(folds)


def _of_run(runs: ActivePeriods, step: Step, fold: Fold) -> pl.Expr:
    """Say whether a fold counts a run: 1 or 0."""
    if isinstance(fold.aggregate, CountRetained):
        counts = runs.is_retained(fold.aggregate.periods)
    else:
        counts = runs.is_first() if step.to_date else pl.lit(value=True)
    return counts.cast(pl.Int64).alias(fold.name)


def _counts_rows(rollup: PerKey) -> bool:
    """Whether a rollup holds nothing of a key but how many rows it has."""
    return all(
        isinstance(fold, Count) and isinstance(fold.rows, Rows) and fold.where is None
        for _, fold in rollup.columns
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]


def _native(rows: pl.LazyFrame, asked: PolarsExpr) -> pl.Expr:
    """Give an expression of the user's, which must give one number per group.

    Raises:
        DefinitionError: It does not.
    """
    try:
        folded = rows.group_by(pl.lit(1)).agg(asked.expression.alias("asked"))
        found = folded.collect_schema()["asked"]
    except pl.exceptions.PolarsError as error:
        raise DefinitionError(f"{asked} cannot be computed: {_first_line(error)}") from None
    if isinstance(found, pl.List):
        problem = f"{asked} gives several values per group"
        raise DefinitionError(problem, "fold them to one, as with .sum(), .mean() or .first()")
    if not (found.is_numeric() or isinstance(found, pl.Boolean | pl.Null)):
        problem = f"{asked} gives {found}, not a number"
        raise DefinitionError(problem, "count it, or cast it, as with .dt.total_seconds()")
    return asked.expression.cast(pl.Float64)


def _running(fold: Aggregate, column: pl.Expr) -> pl.Expr:
    match fold:
        case Min():
            return column.cum_min().forward_fill()
        case Max():
            return column.cum_max().forward_fill()
        case _:
            return column.cum_sum()

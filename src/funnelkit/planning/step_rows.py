"""The rows that enter a step, with their period and keys, and what they are named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from funnelkit.calendar.grain import Span
from funnelkit.data.shop_data import ShopData
from funnelkit.formula.formulas import Aggregate as Aggregated
from funnelkit.formula.formulas import (
    ClosingBalance,
    Max,
    Min,
    PerKey,
    PolarsExpr,
)
from funnelkit.formula.values import Column, Lookup, Time
from funnelkit.formula.walk import leaves
from funnelkit.planning.lowering import FALSE, Folded, Lowering, lowering_of
from funnelkit.planning.magnitude import settled_aggregate
from funnelkit.planning.periods import first_label, period_of
from funnelkit.planning.plan import Fold, Step
from funnelkit.planning.prepared import Tables, aggregated
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Col,
    Op,
    Over,
    OverOp,
    Rel,
    Scalar,
    call,
    conjunction,
    extend,
    filtered,
    whole,
)

__all__ = ["StepRows", "cols"]


@dataclass(frozen=True, slots=True)
class StepRows:
    """Writes the rows that enter the steps of one plan.

    Attributes:
        data: The data of the shop.
        lowering: How the values of rows are written.
        tables: The prepared tables.
        period: The column of the period.
        key: The column of the key of a rollup, or of what is counted.
    """

    data: ShopData
    lowering: Lowering
    tables: Tables
    period: str
    key: str

    @classmethod
    def of(cls, data: ShopData, as_of: Callable[[], dt.datetime | None]) -> StepRows:
        """Return the rows of a shop's data, in columns named unlike all of its own.

        Args:
            data: The data.
            as_of: Returns the instant up to which it is known, where that is named.
        """
        lowering = lowering_of(data, as_of=as_of)
        names = lowering.names
        period, key = names.of("the period", "period"), names.of("the key", "entity")
        return cls(data, lowering, Tables(lowering), period, key)

    def column(self, fold: Fold) -> str:
        """Return the column of a fold."""
        return self.lowering.names.of(("the fold", fold.name), fold.name)

    def fresh(self, step: Step, wanted: str) -> str:
        """Return a name of a step's own."""
        return self.lowering.names.of((step, wanted), wanted)

    def groups(self, step: Step) -> tuple[str, ...]:
        """Return the columns of the groups of a step."""
        names = self.lowering.names
        return tuple(names.of(("the group", g.name), f"by_{g.name}") for g in step.groups)

    def keys(self, step: Step) -> tuple[str, ...]:
        """Return the columns that a step folds by: the period, where there is one, and groups."""
        period = (self.period,) if step.calendar.has_periods else ()
        return (*period, *self.groups(step))

    def clock(self, step: Step) -> Column:
        """Return the time by which the rows of a step enter a period."""
        return self.data.clock_of(step.table)

    def rows(self, step: Step) -> Rel:
        """Return the rows that enter a step, with their period and keys."""
        table, clock = self.data.known[step.table], self.clock(step)
        has_stock = any(isinstance(fold.aggregate, ClosingBalance) for fold in step.folds)
        has_clock = not self.data.missing_for(clock)
        wants = [*step.reads, *([clock] if has_clock else []), *self._tie_breakers(step)]
        wants += map(table.get, step.entity_key)
        rows = self.tables.prepare(step.table, wants, prorate=step.is_prorated)
        has_all = step.span == Span() and self.data.given_as_of is None
        if has_clock and not (has_all and self.data.has_times(step.table)):
            rows = filtered(rows, self.lowering.within(clock, step.span))
        where = self.lowering.condition(step.where)
        if has_stock and not step.entity_key:
            return self._at_last(extend(rows, **self._named(step)), step, where)
        return extend(filtered(rows, where), **self._named(step))

    def _named(self, step: Step) -> dict[str, Scalar]:
        """Return the period and the keys of a row."""
        calendar, named = step.calendar, dict[str, Scalar]()
        if calendar.has_periods:
            period = period_of(self.lowering, self.clock(step), calendar)
            if step.to_date and calendar.boundaries:
                period = call(Op.COALESCE, period, first_label(calendar))
            named[self.period] = period
        for name, group in zip(self.groups(step), step.groups, strict=True):
            if group.is_period:
                named[name] = period_of(self.lowering, group.value, calendar)
            else:
                named[name] = self.lowering.value(group.value)
        return named

    def _at_last(self, rows: Rel, step: Step, where: Scalar | None) -> Rel:
        """Return the rows at the last moment of their period, of all rows that there are."""
        partition = (Col(self.period),) if step.calendar.has_periods else ()
        moment, latest = self.lowering.column(self.clock(step)), self.fresh(step, "latest")
        rows = extend(rows, **{latest: Over(OverOp.MAX, moment, partition)})
        return filtered(rows, conjunction(call(Op.EQ, moment, Col(latest)), where))

    def _tie_breakers(self, step: Step) -> list[Column]:
        table = self.data.known[step.table]
        inner = [
            fold
            for outer in step.folds
            if not isinstance(outer.aggregate, PolarsExpr) and outer.aggregate.of is not None
            for _, fold in outer.aggregate.of.columns
        ]
        if not any(isinstance(fold, ClosingBalance) for fold in inner):
            return []
        return [
            column for name in table.key if not self.data.missing_for(column := table.get(name))
        ]

    def of_rollup(self, rollup: PerKey) -> Lowering:
        """Return how the values of the rows of a rollup are written."""
        return self.lowering.having(
            {rollup[name]: self.inner_name(rollup, name) for name, _ in rollup.columns}
        )

    def inner_name(self, rollup: PerKey, name: str) -> str:
        """Return the column of a fold of a rollup."""
        return self.lowering.names.of((rollup, name), name)

    def rollup(self, rows: Rel, rollup: PerKey, keys: Sequence[str]) -> Rel:
        """Fold rows to one per key within the groups; rows without the key are left out."""
        known = self.lowering.known(rollup.key)
        kept = filtered(rows, conjunction(known, self.lowering.condition(rollup.where)))
        kept = extend(kept, **{self.key: self.lowering.value(rollup.key)})
        owner, ranks, folds = (*keys, self.key), dict[str, Scalar](), list[Folded]()
        for inner, fold in rollup.columns:
            name = self.inner_name(rollup, inner)
            if isinstance(fold, ClosingBalance):
                rank = self.lowering.names.of((rollup, inner, "rank"), f"{inner}_rank")
                ranks[rank], enters = self._rank(fold, owner)
                last = conjunction(enters, call(Op.EQ, Col(rank), whole(1)))
                value = self.lowering.value(fold.value)
                folds.append(Folded(name, {name: Agg(AggOp.MAX, value, last)}, Col(name)))
            else:
                folds.append(self._inner(fold, name))
        return aggregated(extend(kept, **ranks), owner, folds)

    def _inner(self, fold: Aggregated, name: str) -> Folded:
        """Return a fold inside a rollup; the first or last moment of a key is an instant."""
        if not (isinstance(fold, Min | Max) and isinstance(fold.value, Time)):
            return settled_aggregate(self.lowering, fold, name)
        op = AggOp.MIN if isinstance(fold, Min) else AggOp.MAX
        where = self.lowering.condition(fold.where)
        agg = Agg(op, self.lowering.instant(fold.value), where)
        return Folded(name, {name: agg}, Col(name))

    def _rank(self, fold: ClosingBalance, owner: Sequence[str]) -> tuple[Over, Scalar]:
        """Number the rows of a key from the last, and say which take part."""
        (leaf, *_) = leaves(fold.value)
        table = self.data.known[leaf.key.table if isinstance(leaf, Lookup) else leaf.table]
        order = [table.get(name) for name in (table.time, *table.key)]
        columns = [self.lowering.column(c) for c in order if not self.data.missing_for(c)]
        where = self.lowering.condition(fold.where)
        enters = conjunction(self.lowering.known(fold.value), where) or FALSE
        enters = call(Op.COALESCE, enters, FALSE)
        partition = (*cols(owner), enters)
        rank = Over(OverOp.ROW_NUMBER, None, partition, tuple(columns), is_descending=True)
        return rank, enters


def cols(names: Iterable[str]) -> tuple[Scalar, ...]:
    """Return columns by their names."""
    return tuple(map(Col, names))

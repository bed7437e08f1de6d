"""Steps as relations: everything that an engine would otherwise have to know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from funnelkit.calendar.grain import Span
from funnelkit.data.shop_data import ShopData
from funnelkit.errors import UnsupportedError
from funnelkit.formula.formulas import Aggregate as Aggregated
from funnelkit.formula.formulas import (
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
from funnelkit.formula.values import Column, Lookup, Time, Value
from funnelkit.formula.walk import leaves
from funnelkit.planning.lowering import FALSE, ZERO, Folded, Lowering, Names
from funnelkit.planning.periods import first_label, ordinal_of, period_of
from funnelkit.planning.plan import Fold, Step
from funnelkit.planning.prepared import Tables, aggregated
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Answer,
    Call,
    Col,
    Filter,
    Lit,
    Named,
    Op,
    Over,
    OverOp,
    Rel,
    Scalar,
    Select,
    call,
    conjunction,
    extend,
    when,
    whole,
)

__all__ = ["Relations", "to_relations"]


def to_relations(
    data: ShopData, steps: Sequence[Step], *, as_of: dt.datetime | None = None
) -> list[Answer]:
    """Return for each step the relation that answers it.

    Args:
        data: The data of the shop.
        steps: The steps.
        as_of: The instant up to which the data is known; else what was given or found.

    Raises:
        UnsupportedError: A step folds what only one engine understands.
    """
    known = as_of or data.given_as_of or data.seen_as_of
    relations = Relations.of(data, known)
    return [relations.answer(step, number) for number, step in enumerate(steps, 1)]


@dataclass(slots=True)
class Relations:
    """Writes the steps of one plan as relations.

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
    def of(cls, data: ShopData, as_of: dt.datetime | None) -> Relations:
        """Return the relations of a shop's data, named unlike all of its columns."""
        bound = {name for table in data.tables.values() for name in table.columns}
        declared = {name for table in data.known.values() for name in table.columns}
        names = Names({name.lower() for name in bound | declared})
        lowering = Lowering(data, as_of, names)
        period, key = names.of("the period", "period"), names.of("the key", "entity")
        return cls(data, lowering, Tables(lowering), period, key)

    def answer(self, step: Step, number: int) -> Answer:
        """Return the relation that answers a step.

        Args:
            step: The step.
            number: Its number in the plan.
        """
        name = self.lowering.names.of(("the step", number), f"step_{number}")
        period = self.period if step.calendar.has_periods else None
        return Answer(
            Named(name, self._answer(step), str(step)),
            period,
            self._groups(step),
            tuple(map(self._column, step.folds)),
        )

    def _answer(self, step: Step) -> Rel:
        if any(isinstance(fold.aggregate, PolarsExpr) for fold in step.folds):
            problem = "a Polars expression, which is no part of the relational plan"
            raise UnsupportedError(problem, "write it with the nodes of a formula")
        if step.first_of is not None:
            return self._first_of(step, step.first_of)
        rows, keys, first = self._rows(step), self._keys(step), step.folds[0].aggregate
        is_grown = step.to_date and step.calendar.has_periods
        if any(isinstance(fold.aggregate, CountRetained) for fold in step.folds):
            return self._occurrences(rows, step)
        match first:
            case ClosingBalance() if self.data.known[step.table].entity_key:
                return self._stock(rows, step, first)
            case ClosingBalance(value):
                name, total = self._column(step.folds[0]), self.lowering.number(value)
                return Aggregate(rows, keys, ((name, Agg(AggOp.SUM, total)),))
            case CountDistinct() if is_grown:
                return self._occurrences(rows, step)
            case Sum() | Count() if is_grown and first.of is not None:
                return self._grown(rows, step, first.of)
            case _:
                return self._folded(rows, step)

    def _folded(self, rows: Rel, step: Step) -> Rel:
        """Fold rows, or the rows of a rollup of them, by the keys."""
        first, keys, lowering = step.folds[0].aggregate, self._keys(step), self.lowering
        if not isinstance(first, PolarsExpr) and first.of is not None:
            rows = Named(self._fresh(step, "by_key"), self._rollup(rows, first.of, keys))
            lowering = self._of_rollup(first.of)
        return aggregated(rows, keys, self._folds(step.folds, lowering))

    def _folds(self, folds: Iterable[Fold], lowering: Lowering) -> list[Folded]:
        return [
            lowering.aggregate(fold.aggregate, self._column(fold), is_unique=fold.is_unique)
            for fold in folds
            if not isinstance(fold.aggregate, PolarsExpr)
        ]

    def _column(self, fold: Fold) -> str:
        return self.lowering.names.of(("the fold", fold.name), fold.name)

    def _fresh(self, step: Step, wanted: str) -> str:
        return self.lowering.names.of((step, wanted), wanted)

    def _groups(self, step: Step) -> tuple[str, ...]:
        names = self.lowering.names
        return tuple(names.of(("the group", g.name), f"by_{g.name}") for g in step.groups)

    def _keys(self, step: Step) -> tuple[str, ...]:
        period = (self.period,) if step.calendar.has_periods else ()
        return (*period, *self._groups(step))

    def _clock(self, step: Step) -> Column:
        table = self.data.known[step.table]
        return table.get(table.time)

    def _rows(self, step: Step) -> Rel:
        """Return the rows that enter a step, with their period and keys."""
        table, clock = self.data.known[step.table], self._clock(step)
        has_stock = any(isinstance(fold.aggregate, ClosingBalance) for fold in step.folds)
        has_clock = not self.data.missing_for(clock)
        wants = [*step.reads, *([clock] if has_clock else []), *self._tie_breakers(step)]
        wants += [table.get(name) for name in table.entity_key] if has_stock else []
        rows = self.tables.prepare(step.table, wants, prorate=step.is_prorated)
        if has_clock and not (step.span == Span() and self.data.has_times(step.table)):
            rows = _filtered(rows, self.lowering.within(clock, step.span))
        where = self.lowering.condition(step.where)
        if has_stock and not table.entity_key:
            return self._at_last(extend(rows, **self._named(step)), step, where)
        return extend(_filtered(rows, where), **self._named(step))

    def _named(self, step: Step) -> dict[str, Scalar]:
        """Return the period and the keys of a row."""
        calendar, named = step.calendar, dict[str, Scalar]()
        if calendar.has_periods:
            period = period_of(self.lowering, self._clock(step), calendar)
            if step.to_date and calendar.boundaries:
                period = call(Op.COALESCE, period, first_label(calendar))
            named[self.period] = period
        for name, group in zip(self._groups(step), step.groups, strict=True):
            is_period, value = group.is_period, group.value
            named[name] = (
                period_of(self.lowering, value, calendar)
                if is_period
                else self.lowering.value(value)
            )
        return named

    def _at_last(self, rows: Rel, step: Step, where: Scalar | None) -> Rel:
        """Return the rows at the last moment of their period, of all rows that there are."""
        partition = (Col(self.period),) if step.calendar.has_periods else ()
        moment, latest = self.lowering.column(self._clock(step)), self._fresh(step, "latest")
        rows = extend(rows, **{latest: Over(OverOp.MAX, moment, partition)})
        return _filtered(rows, conjunction(call(Op.EQ, moment, Col(latest)), where))

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

    def _of_rollup(self, rollup: PerKey) -> Lowering:
        """Return how the values of the rows of a rollup are written."""
        return self.lowering.having(
            {rollup[name]: self._inner_name(rollup, name) for name, _ in rollup.columns}
        )

    def _inner_name(self, rollup: PerKey, name: str) -> str:
        return self.lowering.names.of((rollup, name), name)

    def _rollup(self, rows: Rel, rollup: PerKey, keys: Sequence[str]) -> Rel:
        """Fold rows to one per key within the groups; rows without the key are left out."""
        known = self.lowering.known(rollup.key)
        kept = _filtered(rows, conjunction(known, self.lowering.condition(rollup.where)))
        kept = extend(kept, **{self.key: self.lowering.value(rollup.key)})
        owner, ranks, folds = (*keys, self.key), dict[str, Scalar](), list[Folded]()
        for inner, fold in rollup.columns:
            name = self._inner_name(rollup, inner)
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
            return self.lowering.aggregate(fold, name)
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
        partition = (*_cols(owner), enters)
        rank = Over(OverOp.ROW_NUMBER, None, partition, tuple(columns), is_descending=True)
        return rank, enters

    def _stock(self, rows: Rel, step: Step, last: ClosingBalance) -> Rel:
        """Return what each period adds to a stock: by how much the last value of each entity grew.

        Without periods that is the stock itself.
        """
        name, keys = self._column(step.folds[0]), self._keys(step)
        entity_key = [n for n in self.data.known[step.table].entity_key if n not in keys]
        rank, value = self._fresh(step, "rank"), self.lowering.number(last.value)
        if last.where is not None:
            value = when(self.lowering.predicate(last.where), value, otherwise=ZERO)
        moment = self.lowering.column(self._clock(step))
        owner = (*keys, *entity_key)
        number = Over(OverOp.ROW_NUMBER, None, _cols(owner), (moment,), is_descending=True)
        rows = _filtered(rows, self.lowering.known(last.value))
        named = tuple((column, Col(column)) for column in owner)
        held: Rel = Select(rows, (*named, (name, value), (rank, number)))
        held = _filtered(held, call(Op.EQ, Col(rank), whole(1)))
        if step.calendar.has_periods:
            entity = _cols((*self._groups(step), *entity_key))
            held = Select(held, (*named, (name, self._change(Col(name), entity))))
        return Aggregate(held, keys, ((name, Agg(AggOp.SUM, Col(name))),))

    def _change(self, value: Scalar, owner: tuple[Scalar, ...]) -> Call:
        """Return by how much a number has grown since the period before of the same owner."""
        before = Over(OverOp.PREVIOUS, value, owner, (Col(self.period),))
        return call(Op.SUBTRACT, value, call(Op.COALESCE, before, ZERO))

    def _occurrences(self, rows: Rel, step: Step) -> Rel:
        """Count values of a key by the periods in which they occur, occur again, or begin."""
        keys, counted = self._keys(step), self.lowering.value(_counted(step.folds[0]))
        kept = _filtered(rows, call(Op.NOT, call(Op.IS_NULL, counted)))
        kept = extend(kept, **{self.key: counted})
        name = self._fresh(step, "occurrences")
        runs: Rel = Named(name, Aggregate(kept, (*keys, self.key), ()))
        owner = _cols((*self._groups(step), self.key))
        conditions = {self._column(fold): self._counts(step, fold, owner) for fold in step.folds}
        marks = {name: mark for name, mark in conditions.items() if mark is not None}
        folds = ((n, Agg(AggOp.ROWS, None, Col(n) if n in marks else None)) for n in conditions)
        return Aggregate(extend(runs, **marks), keys, tuple(folds))

    def _counts(self, step: Step, fold: Fold, owner: tuple[Scalar, ...]) -> Scalar | None:
        """Return the condition that a value counts in a period in which it occurs.

        Periods whose numbers leave the same rest are as far apart as is looked back, or
        a multiple of that: the nearest earlier one among them need only be compared.
        """
        if not isinstance(fold.aggregate, CountRetained):
            number = Over(OverOp.ROW_NUMBER, None, owner, (Col(self.period),))
            return call(Op.EQ, number, whole(1)) if step.to_date else None
        ordinal = ordinal_of(
            self.lowering, Col(self.period), self._clock(step), step.calendar, step.span
        )
        back = fold.aggregate.periods * ordinal.step
        rest = () if back == ordinal.step else (call(Op.MODULO, ordinal.value, whole(back)),)
        before = Over(OverOp.PREVIOUS, ordinal.value, (*owner, *rest), (Col(self.period),))
        gap = call(Op.SUBTRACT, *(call(Op.TO_FLOAT, n) for n in (ordinal.value, before)))
        return call(Op.EQ, gap, Lit(float(back), "float"))

    def _first_of(self, step: Step, key: Column) -> Rel:
        """Fold the first row of each key, which is at its earliest time, whichever row that is."""
        clock, lowering = self._clock(step), self.lowering
        rows = self.tables.prepare(step.table, [*step.reads, clock])
        where = lowering.condition(step.where)
        rows = _filtered(rows, conjunction(lowering.known(clock), where, lowering.known(key)))
        earliest = Agg(AggOp.MIN, lowering.column(clock))
        by_key = Aggregate(rows, (lowering.name(key),), ((lowering.name(clock), earliest),))
        first: Rel = Named(self._fresh(step, "firsts"), by_key)
        first = _filtered(first, lowering.within(clock, step.span))
        if step.calendar.has_periods:
            period = period_of(lowering, clock, step.calendar)
            first = extend(first, **{self.period: period})
        return aggregated(first, self._keys(step), self._folds(step.folds, lowering))

    def _grown(self, rows: Rel, step: Step, rollup: PerKey) -> Rel:
        """Return what each period adds to a fold over a rollup of the history so far.

        Each key's columns are grown period by period; the fold over the rollup
        changes by the key's new contribution less its old one.
        """
        keys, lowering = self._keys(step), self._of_rollup(rollup)
        owner, order = _cols((*self._groups(step), self.key)), (Col(self.period),)
        parts = Named(self._fresh(step, "by_key"), self._rollup(rows, rollup, keys))
        base = tuple((column, Col(column)) for column in (*keys, self.key))
        grown = tuple(
            (name, Over(_growth(fold), Col(name), owner, order))
            for inner, fold in rollup.columns
            for name in [self._inner_name(rollup, inner)]
        )
        shares = tuple((self._column(f), _contribution(lowering, f)) for f in step.folds)
        held = Select(Select(parts, (*base, *grown)), (*base, *shares))
        added = tuple((name, self._change(Col(name), owner)) for name, _ in shares)
        folds = tuple((name, Agg(AggOp.SUM, Col(name))) for name, _ in shares)
        total = Aggregate(Select(held, (*base, *added)), keys, folds)
        counts = {
            self._column(fold): call(Op.TO_INT, Col(self._column(fold)))
            for fold in step.folds
            if isinstance(fold.aggregate, Count)
        }
        return extend(total, **counts)


def _contribution(lowering: Lowering, fold: Fold) -> Scalar:
    """Return what one key adds to a count or sum over a rollup."""
    match fold.aggregate:
        case Sum(value, where=where):
            share: Scalar = call(Op.COALESCE, lowering.number(value), ZERO)
        case Count(_, where):
            share = Lit(1.0, "float")
        case _:
            raise AssertionError(fold)
    holds = lowering.condition(where)
    return share if holds is None else when(holds, share, otherwise=ZERO)


def _growth(fold: Aggregated) -> OverOp:
    if isinstance(fold, Min):
        return OverOp.MIN
    return OverOp.MAX if isinstance(fold, Max) else OverOp.SUM


def _counted(fold: Fold) -> Value:
    match fold.aggregate:
        case CountRetained(value) | CountDistinct(value):
            return value
        case _:
            raise AssertionError(fold)


def _filtered(rel: Rel, where: Scalar | None) -> Rel:
    return rel if where is None else Filter(rel, where)


def _cols(names: Iterable[str]) -> tuple[Scalar, ...]:
    return tuple(map(Col, names))

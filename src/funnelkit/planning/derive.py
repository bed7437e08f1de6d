"""Steps as relations: everything that an engine would otherwise have to know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from funnelkit.calendar.grain import Span
from funnelkit.data.shop_data import ShopData
from funnelkit.formula.formulas import Aggregate as Aggregated
from funnelkit.formula.formulas import (
    ClosingBalance,
    Count,
    CountDistinct,
    CountRetained,
    Max,
    Mean,
    Min,
    PerKey,
    PolarsExpr,
    StdDev,
    Sum,
)
from funnelkit.formula.table import Rows
from funnelkit.formula.values import Column, Flag, Lookup, Predicate, Time, Value
from funnelkit.formula.walk import conjuncts, leaves
from funnelkit.planning.lowering import FALSE, ZERO, Folded, Lowering, lowering_of
from funnelkit.planning.magnitude import grown, magnitude, magnitude_of, settled_aggregate
from funnelkit.planning.periods import Ordinal, first_label, ordinal_of, period_of
from funnelkit.planning.plan import Fold, Group, Step
from funnelkit.planning.prepared import Tables, aggregated
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Answer,
    Call,
    Col,
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
    filtered,
    when,
    whole,
)
from funnelkit.planning.spelling import spellings_of_groups

__all__ = ["Relations", "to_relations"]


def to_relations(
    data: ShopData, steps: Sequence[Step], *, as_of: dt.datetime | None = None
) -> list[Answer]:
    """Return for each step the relation that answers it.

    Args:
        data: The data of the shop.
        steps: The steps.
        as_of: The instant up to which the data is known; else what was given or found.
    """
    known = as_of or data.given_as_of or data.seen_as_of
    return Relations.of(data, lambda: known).answers(steps)


@dataclass(slots=True)
class Relations:
    """Writes the steps of one plan as relations.

    Attributes:
        data: The data of the shop.
        lowering: How the values of rows are written.
        tables: The prepared tables.
        period: The column of the period.
        key: The column of the key of a rollup, or of what is counted.
        count: The column of the number of rows that a key has in a period.
        spellings: By group: how the data writes the words of its vocabulary.
        active: In which periods keys have rows, by what is asked.
    """

    data: ShopData
    lowering: Lowering
    tables: Tables
    period: str
    key: str
    count: str
    spellings: dict[Group, dict[str, str]] = field(default_factory=dict[Group, dict[str, str]])
    active: dict[object, Rel] = field(default_factory=dict[object, Rel])

    @classmethod
    def of(cls, data: ShopData, as_of: Callable[[], dt.datetime | None]) -> Relations:
        """Return the relations of a shop's data, named unlike all of its columns.

        Args:
            data: The data.
            as_of: Returns the instant up to which it is known, where that is named.
        """
        lowering = lowering_of(data, as_of=as_of)
        names = lowering.names
        period, key = names.of("the period", "period"), names.of("the key", "entity")
        count = names.of("the count", "row_count")
        return cls(data, lowering, Tables(lowering), period, key, count)

    def answers(self, steps: Sequence[Step]) -> list[Answer]:
        """Return for each step the relation that answers it."""
        self.spellings = spellings_of_groups(self.data, [g for step in steps for g in step.groups])
        return [self._answered(step, number) for number, step in enumerate(steps, 1)]

    def rows(self, steps: Iterable[Step]) -> list[Rel]:
        """Return for each step the rows that enter it."""
        return [self._rows(step) for step in steps]

    def first(self, clock: Column) -> Aggregate:
        """Return the relation of the first instant of a time."""
        rows = self.tables.prepare(clock.table, [clock])
        moment = self.lowering.instant(clock)
        return Aggregate(rows, (), ((self.period, Agg(AggOp.MIN, moment)),))

    def latest(self) -> list[Aggregate]:
        """Return the relations of the last instants of the times up to which data is known."""
        return [
            self._latest(clock, flag)
            for clock, flag in self.data.clocks().items()
            if self.data.is_supplied(clock)
        ]

    def _latest(self, clock: Column, flag: Flag | None) -> Aggregate:
        rows = self.tables.prepare(clock.table, [clock, *([] if flag is None else [flag])])
        agg = Agg(AggOp.MAX, self.lowering.instant(clock), self.lowering.condition(flag))
        return Aggregate(rows, (), ((self.period, agg),))

    def _answered(self, step: Step, number: int) -> Answer:
        name = self.lowering.names.of(("the step", number), f"step_{number}")
        period = self.period if step.calendar.has_periods else None
        keys = self._groups(step)
        spelled = zip(keys, map(self.spellings.get, step.groups), strict=True)
        return Answer(
            Named(name, self._answer(step), str(step)),
            period,
            keys,
            tuple(map(self._column, step.folds)),
            tuple((key, tuple(texts.items())) for key, texts in spelled if texts),
        )

    def _answer(self, step: Step) -> Rel:
        if step.first_of is not None:
            return self._first_of(step, step.first_of)
        first = step.folds[0].aggregate
        if any(isinstance(fold.aggregate, CountRetained) for fold in step.folds):
            return self._occurrences(step)
        match first:
            case ClosingBalance() if step.entity_key:
                return self._stock(step, first)
            case ClosingBalance(value):
                sums = [self._balance(value, fold) for fold in step.folds]
                return aggregated(self._rows(step), self._keys(step), sums)
            case CountDistinct() if step.is_grown:
                return self._occurrences(step)
            case Sum() | Count() if step.is_grown and first.of is not None:
                return self._grown(step, first.of)
            case _:
                return self._folded(step)

    def _folded(self, step: Step) -> Rel:
        """Fold rows, or the rows of a rollup of them, by the keys."""
        first, keys, lowering = step.folds[0].aggregate, self._keys(step), self.lowering
        rows = self._rows(step)
        if not isinstance(first, PolarsExpr) and first.of is not None:
            rows = Named(self._fresh(step, "by_key"), self._rollup(rows, first.of, keys))
            lowering = self._of_rollup(first.of)
        return aggregated(rows, keys, self._folds(step.folds, lowering))

    def _folds(self, folds: Iterable[Fold], lowering: Lowering) -> list[Folded]:
        return [_folded(lowering, fold, self._column(fold)) for fold in folds]

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
        wants += map(table.get, step.entity_key)
        rows = self.tables.prepare(step.table, wants, prorate=step.is_prorated)
        if has_clock and not (step.span == Span() and self.data.has_times(step.table)):
            rows = filtered(rows, self.lowering.within(clock, step.span))
        where = self.lowering.condition(step.where)
        if has_stock and not step.entity_key:
            return self._at_last(extend(rows, **self._named(step)), step, where)
        return extend(filtered(rows, where), **self._named(step))

    def _named(self, step: Step) -> dict[str, Scalar]:
        """Return the period and the keys of a row."""
        calendar, named = step.calendar, dict[str, Scalar]()
        if calendar.has_periods:
            period = period_of(self.lowering, self._clock(step), calendar)
            if step.to_date and calendar.boundaries:
                period = call(Op.COALESCE, period, first_label(calendar))
            named[self.period] = period
        for name, group in zip(self._groups(step), step.groups, strict=True):
            if group.is_period:
                named[name] = period_of(self.lowering, group.value, calendar)
            else:
                named[name] = self.lowering.value(group.value)
        return named

    def _at_last(self, rows: Rel, step: Step, where: Scalar | None) -> Rel:
        """Return the rows at the last moment of their period, of all rows that there are."""
        partition = (Col(self.period),) if step.calendar.has_periods else ()
        moment, latest = self.lowering.column(self._clock(step)), self._fresh(step, "latest")
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
        kept = filtered(rows, conjunction(known, self.lowering.condition(rollup.where)))
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
        partition = (*_cols(owner), enters)
        rank = Over(OverOp.ROW_NUMBER, None, partition, tuple(columns), is_descending=True)
        return rank, enters

    def _balance(self, value: Value, fold: Fold) -> Folded:
        """Return the sum of a value that was counted last, or of its absolute parts."""
        name, lowering = self._column(fold), self.lowering
        is_size = fold.is_magnitude
        total = magnitude(lowering, value) if is_size else lowering.number(value)
        return Folded(name, {name: Agg(AggOp.SUM, total)}, Col(name))

    def _stock(self, step: Step, last: ClosingBalance) -> Rel:
        """Return what each period adds to a stock: by how much the last value of each entity grew.

        Without periods that is the stock itself.
        """
        name, keys = self._column(step.folds[0]), self._keys(step)
        entity_key = [name for name in step.entity_key if name not in keys]
        rank, value = self._fresh(step, "rank"), self.lowering.number(last.value)
        if last.where is not None:
            value = when(self.lowering.predicate(last.where), value, otherwise=ZERO)
        moment = self.lowering.column(self._clock(step))
        owner = (*keys, *entity_key)
        number = Over(OverOp.ROW_NUMBER, None, _cols(owner), (moment,), is_descending=True)
        rows = filtered(self._rows(step), self.lowering.known(last.value))
        named = tuple((column, Col(column)) for column in owner)
        held: Rel = Select(rows, (*named, (name, value), (rank, number)))
        held = filtered(held, call(Op.EQ, Col(rank), whole(1)))
        if step.calendar.has_periods:
            entity = _cols((*self._groups(step), *entity_key))
            held = Select(held, (*named, (name, self._change(Col(name), entity))))
        folds = ((self._column(fold), _added(fold, Col(name))) for fold in step.folds)
        return Aggregate(held, keys, tuple(folds))

    def _change(self, value: Scalar, owner: tuple[Scalar, ...]) -> Call:
        """Return by how much a number has grown since the period before of the same owner."""
        before = Over(OverOp.PREVIOUS, value, owner, (Col(self.period),))
        return call(Op.SUBTRACT, value, call(Op.COALESCE, before, ZERO))

    def _active_periods(self, step: Step, key: Value, where: Predicate | None = None) -> Rel:
        """Return how many rows a key has in each group and period in which it has any.

        Steps that ask that of the same rows share it.
        """
        conditions = frozenset((*conjuncts(step.where), *conjuncts(where)))
        question = (step.table, step.groups, step.span, step.calendar, step.is_prorated)
        place = (question, key, conditions)
        if place not in self.active:
            has_key = conjunction(self.lowering.known(key), self.lowering.condition(where))
            kept = filtered(self._rows(step), has_key)
            kept = extend(kept, **{self.key: self.lowering.value(key)})
            rows = ((self.count, Agg(AggOp.ROWS)),)
            name = self.lowering.names.of(place, "active_periods")
            self.active[place] = Named(name, Aggregate(kept, (*self._keys(step), self.key), rows))
        return self.active[place]

    def _occurrences(self, step: Step) -> Rel:
        """Count values of a key by the periods in which they occur, occur again, or begin."""
        keys, runs = self._keys(step), self._active_periods(step, _counted(step.folds[0]))
        owner, ordinal = _cols((*self._groups(step), self.key)), self._ordinal(step)
        if ordinal is not None:
            number = self._fresh(step, "ordinal")
            runs = extend(runs, **{number: ordinal.value})
            ordinal = Ordinal(Col(number), ordinal.step)
        conditions = {self._column(f): self._counts(step, f, owner, ordinal) for f in step.folds}
        marks = {name: mark for name, mark in conditions.items() if mark is not None}
        folds = ((n, Agg(AggOp.ROWS, None, Col(n) if n in marks else None)) for n in conditions)
        return Aggregate(extend(runs, **marks), keys, tuple(folds))

    def _ordinal(self, step: Step) -> Ordinal | None:
        """Return the number of a row's period, where periods are looked back on."""
        if not any(isinstance(fold.aggregate, CountRetained) for fold in step.folds):
            return None
        period, clock = Col(self.period), self._clock(step)
        return ordinal_of(self.lowering, period, clock, step.calendar, step.span)

    def _counts(
        self, step: Step, fold: Fold, owner: tuple[Scalar, ...], ordinal: Ordinal | None
    ) -> Scalar | None:
        """Return the condition that a value counts in a period in which it occurs.

        Periods whose numbers leave the same rest are as far apart as is looked back, or
        a multiple of that: the nearest earlier one among them need only be compared.
        """
        order = (Col(self.period),)
        if not isinstance(fold.aggregate, CountRetained) or ordinal is None:
            first = call(Op.EQ, Over(OverOp.ROW_NUMBER, None, owner, order), whole(1))
            return first if step.to_date else None
        back = fold.aggregate.periods * ordinal.step
        rest = () if back == ordinal.step else (call(Op.MODULO, ordinal.value, whole(back)),)
        before = Over(OverOp.PREVIOUS, ordinal.value, (*owner, *rest), order)
        return call(Op.EQ, call(Op.SUBTRACT, ordinal.value, before), whole(back))

    def _first_of(self, step: Step, key: Column) -> Rel:
        """Fold the first row of each key, which is at its earliest time, whichever row that is."""
        clock, lowering = self._clock(step), self.lowering
        rows = self.tables.prepare(step.table, [*step.reads, clock])
        where = lowering.condition(step.where)
        rows = filtered(rows, conjunction(lowering.known(clock), where, lowering.known(key)))
        earliest = Agg(AggOp.MIN, lowering.column(clock))
        by_key = Aggregate(rows, (lowering.name(key),), ((lowering.name(clock), earliest),))
        first: Rel = Named(self._fresh(step, "firsts"), by_key)
        first = filtered(first, lowering.within(clock, step.span))
        if step.calendar.has_periods:
            period = period_of(lowering, clock, step.calendar)
            first = extend(first, **{self.period: period})
        return aggregated(first, self._keys(step), self._folds(step.folds, lowering))

    def _grown(self, step: Step, rollup: PerKey) -> Rel:
        """Return what each period adds to a fold over a rollup of the history so far.

        Each key's columns are grown period by period; the fold over the rollup
        changes by the key's new contribution less its old one.
        """
        keys, lowering = self._keys(step), self._of_rollup(rollup)
        owner, order = _cols((*self._groups(step), self.key)), (Col(self.period),)
        base = tuple((column, Col(column)) for column in (*keys, self.key))
        if all(_counts_rows(fold) for _, fold in rollup.columns):
            columns = (self._inner_name(rollup, name) for name, _ in rollup.columns)
            rows = tuple((name, Col(self.count)) for name in columns)
            active = self._active_periods(step, rollup.key, rollup.where)
            parts: Rel = Select(active, (*base, *rows))
        else:
            by_key = self._rollup(self._rows(step), rollup, keys)
            parts = Named(self._fresh(step, "by_key"), by_key)
        totals = tuple(
            (name, grown(self.data, fold, Over(_growth(fold), Col(name), owner, order)))
            for inner, fold in rollup.columns
            for name in [self._inner_name(rollup, inner)]
        )
        shares = tuple((self._column(f), _contribution(lowering, f)) for f in step.folds)
        held = Select(Select(parts, (*base, *totals)), (*base, *shares))
        added = tuple((name, self._change(Col(name), owner)) for name, _ in shares)
        folds = tuple((self._column(f), _added(f, Col(self._column(f)))) for f in step.folds)
        total = Aggregate(Select(held, (*base, *added)), keys, folds)
        counts = {
            self._column(fold): call(Op.TO_INT, Col(self._column(fold)))
            for fold in step.folds
            if isinstance(fold.aggregate, Count)
        }
        return extend(total, **counts)


def _folded(lowering: Lowering, fold: Fold, name: str) -> Folded:
    if isinstance(fold.aggregate, PolarsExpr):
        agg = Agg(AggOp.CUSTOM, custom=fold.aggregate)
        return Folded(name, {name: agg}, Col(name))
    if fold.is_magnitude and isinstance(fold.aggregate, Sum):
        return magnitude_of(lowering, fold.aggregate, name)
    if isinstance(fold.aggregate, Mean | StdDev):
        return settled_aggregate(lowering, fold.aggregate, name)
    return lowering.aggregate(fold.aggregate, name, is_unique=fold.is_unique)


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


def _counts_rows(fold: Aggregated) -> bool:
    return isinstance(fold, Count) and isinstance(fold.rows, Rows) and fold.where is None


def _growth(fold: Aggregated) -> OverOp:
    if isinstance(fold, Min):
        return OverOp.MIN
    return OverOp.MAX if isinstance(fold, Max) else OverOp.SUM


def _added(fold: Fold, change: Scalar) -> Agg:
    """Return the sum of what is added, or of its absolute values."""
    return Agg(AggOp.SUM, call(Op.ABS, change) if fold.is_magnitude else change)


def _counted(fold: Fold) -> Value:
    match fold.aggregate:
        case CountRetained(value) | CountDistinct(value):
            return value
        case _:
            raise AssertionError(fold)


def _cols(names: Iterable[str]) -> tuple[Scalar, ...]:
    return tuple(map(Col, names))

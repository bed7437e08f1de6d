"""What keys do period by period: in which they have rows, have them again, begin, and grow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from funnelkit.formula.formulas import Aggregate as Aggregated
from funnelkit.formula.formulas import (
    Count,
    CountDistinct,
    CountRetained,
    Max,
    Min,
    PerKey,
    Sum,
)
from funnelkit.formula.table import Rows
from funnelkit.formula.values import Column, Predicate, Value
from funnelkit.formula.walk import conjuncts
from funnelkit.planning.lowering import ZERO, Lowering
from funnelkit.planning.magnitude import grown
from funnelkit.planning.periods import Ordinal, ordinal_of
from funnelkit.planning.plan import Fold, Step
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Call,
    Col,
    Lit,
    Named,
    Op,
    Over,
    OverOp,
    Rel,
    Scalar,
    call,
    conjunction,
    extend,
    filtered,
    when,
    whole,
)
from funnelkit.planning.step_rows import StepRows, cols

__all__ = ["KeyHistories", "KeyHistory", "added", "change", "folded_together"]

Columns = Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """What a step folds of rows of which a key has one in each period in which it has any.

    Attributes:
        rows: The rows.
        keys: The columns that are folded by.
        layers: Columns that are made of the rows, each layer of the columns before it; what
            looks at other rows of the key stands in the last layers.
        folds: What is folded.
        last: What is made of the folds in the end.
    """

    rows: Named
    keys: tuple[str, ...]
    layers: tuple[Columns, ...]
    folds: Mapping[str, Agg]
    last: Columns


def folded_together(histories: Sequence[KeyHistory]) -> Rel:
    """Return the folds of histories of the same rows, each row looked at once."""
    rel: Rel = histories[0].rows
    for back in range(max(len(one.layers) for one in histories), 0, -1):
        layers = [one.layers[-back] for one in histories if len(one.layers) >= back]
        rel = extend(rel, **dict(chain.from_iterable(layer.items() for layer in layers)))
    folds = chain.from_iterable(one.folds.items() for one in histories)
    total = Aggregate(rel, histories[0].keys, tuple(folds))
    return extend(total, **dict(chain.from_iterable(one.last.items() for one in histories)))


@dataclass(frozen=True, slots=True)
class KeyHistories:
    """Finds the steps of one plan that fold what keys do period by period.

    Attributes:
        entering: The rows that enter the steps.
        count: The column of the number of rows that a key has in a period.
        active: In which periods keys have rows, by what is asked.
    """

    entering: StepRows
    count: str
    active: dict[object, Named] = field(default_factory=dict[object, Named])

    @classmethod
    def of(cls, entering: StepRows) -> KeyHistories:
        """Return the histories of the keys of rows."""
        return cls(entering, entering.lowering.names.of("the count", "row_count"))

    def found(self, steps: Sequence[Step]) -> list[KeyHistory | None]:
        """Return for each step what it folds of the history of keys; None where it does not.

        The first rows of keys are of their history too, where that is looked at anyway.
        """
        found = [None if step.first_of else self._history(step) for step in steps]
        return [
            one if step.first_of is None else self._firsts(step, step.first_of)
            for step, one in zip(steps, found, strict=True)
        ]

    def _history(self, step: Step) -> KeyHistory | None:
        first = step.folds[0].aggregate
        if any(isinstance(fold.aggregate, CountRetained) for fold in step.folds):
            return self._occurrences(step)
        match first:
            case CountDistinct() if step.is_grown:
                return self._occurrences(step)
            case Sum() | Count() if step.is_grown and first.of is not None:
                return self._grown(step, first.of)
            case _:
                return None

    def _place(self, step: Step, key: Value, where: Predicate | None = None) -> object:
        """Return what tells the periods of keys from others: which rows enter, and how."""
        conditions = {*conjuncts(step.where), *conjuncts(where)} - {key.is_not_null()}
        question = (step.table, step.groups, step.span, step.calendar, step.is_prorated)
        return question, key, frozenset(conditions)

    def _active_periods(self, step: Step, key: Value, where: Predicate | None = None) -> Named:
        """Return how many rows a key has in each group and period in which it has any.

        Steps that ask that of the same rows share it.
        """
        entering, place = self.entering, self._place(step, key, where)
        if place not in self.active:
            lowering = entering.lowering
            has_key = conjunction(lowering.known(key), lowering.condition(where))
            kept = filtered(entering.rows(step), has_key)
            kept = extend(kept, **{entering.key: lowering.value(key)})
            rows = ((self.count, Agg(AggOp.ROWS)),)
            name = lowering.names.of(place, "active_periods")
            by = (*entering.keys(step), entering.key)
            self.active[place] = Named(name, Aggregate(kept, by, rows))
        return self.active[place]

    def _firsts(self, step: Step, key: Column) -> KeyHistory | None:
        """Count keys in the period of their first row, where their periods are looked at anyway."""
        rows = self.active.get(self._place(step, key))
        if rows is None or not step.calendar.has_periods or step.span.start is not None:
            return None
        marks = {self.entering.column(fold): self._is_first(step) for fold in step.folds}
        return KeyHistory(rows, self.entering.keys(step), (marks,), _marked(marks, marks), {})

    def _occurrences(self, step: Step) -> KeyHistory:
        """Count values of a key by the periods in which they occur, occur again, or begin."""
        numbered, ordinal = dict[str, Scalar](), self._ordinal(step)
        if ordinal is not None:
            number = self.entering.fresh(step, "ordinal")
            numbered[number] = ordinal.value
            ordinal = Ordinal(Col(number), ordinal.step)
        conditions = {self.entering.column(f): self._counts(step, f, ordinal) for f in step.folds}
        marks = {name: mark for name, mark in conditions.items() if mark is not None}
        rows = self._active_periods(step, _counted(step.folds[0]))
        folds = _marked(conditions, marks)
        return KeyHistory(rows, self.entering.keys(step), (numbered, marks), folds, {})

    def _ordinal(self, step: Step) -> Ordinal | None:
        """Return the number of a row's period, where periods are looked back on."""
        if not any(isinstance(fold.aggregate, CountRetained) for fold in step.folds):
            return None
        entering = self.entering
        period, clock = Col(entering.period), entering.clock(step)
        return ordinal_of(entering.lowering, period, clock, step.calendar, step.span)

    def _counts(self, step: Step, fold: Fold, ordinal: Ordinal | None) -> Scalar | None:
        """Return the condition that a value counts in a period in which it occurs.

        Periods whose numbers leave the same rest are as far apart as is looked back, or
        a multiple of that: the nearest earlier one among them need only be compared.
        """
        if not isinstance(fold.aggregate, CountRetained) or ordinal is None:
            return self._is_first(step) if step.to_date else None
        back = fold.aggregate.periods * ordinal.step
        rest = () if back == ordinal.step else (call(Op.MODULO, ordinal.value, whole(back)),)
        owner = (*self._owner(step), *rest)
        before = Over(OverOp.PREVIOUS, ordinal.value, owner, (Col(self.entering.period),))
        return call(Op.EQ, call(Op.SUBTRACT, ordinal.value, before), whole(back))

    def _is_first(self, step: Step) -> Scalar:
        """Return the condition that a period is the first in which a key has rows."""
        order = (Col(self.entering.period),)
        number = Over(OverOp.ROW_NUMBER, None, self._owner(step), order)
        return call(Op.EQ, number, whole(1))

    def _owner(self, step: Step) -> tuple[Scalar, ...]:
        return cols((*self.entering.groups(step), self.entering.key))

    def _grown(self, step: Step, rollup: PerKey) -> KeyHistory:
        """Return what each period adds to a fold over a rollup of the history so far.

        Each key's columns are grown period by period; the fold over the rollup
        changes by the key's new contribution less its old one.
        """
        entering, owner, period = self.entering, self._owner(step), self.entering.period
        keys, column = entering.keys(step), entering.column
        counts_rows = all(_counts_rows(fold) for _, fold in rollup.columns)
        if counts_rows:
            rows = self._active_periods(step, rollup.key, rollup.where)
        else:
            by_key = entering.rollup(entering.rows(step), rollup, keys)
            rows = Named(entering.fresh(step, "by_key"), by_key)
        totals = dict[str, Scalar]()
        for inner, fold in rollup.columns:
            name = entering.inner_name(rollup, inner)
            part = Col(self.count if counts_rows else name)
            total = Over(_growth(fold), part, owner, (Col(period),))
            totals[name] = grown(entering.data, fold, total)
        lowering = entering.of_rollup(rollup)
        shares = {column(fold): _contribution(lowering, fold) for fold in step.folds}
        changes = {name: change(Col(name), owner, period) for name in shares}
        folds = {column(fold): added(fold, Col(column(fold))) for fold in step.folds}
        last = {
            column(fold): call(Op.TO_INT, Col(column(fold)))
            for fold in step.folds
            if isinstance(fold.aggregate, Count)
        }
        return KeyHistory(rows, keys, (totals, shares, changes), folds, last)


def change(value: Scalar, owner: Sequence[Scalar], period: str) -> Call:
    """Return by how much a number has grown since the period before of the same owner."""
    before = Over(OverOp.PREVIOUS, value, tuple(owner), (Col(period),))
    return call(Op.SUBTRACT, value, call(Op.COALESCE, before, ZERO))


def added(fold: Fold, value: Scalar) -> Agg:
    """Return the sum of what is added, or of its absolute values."""
    return Agg(AggOp.SUM, call(Op.ABS, value) if fold.is_magnitude else value)


def _marked(folds: Iterable[str], marks: Iterable[str]) -> dict[str, Agg]:
    """Return the counts of the rows that are marked; of all rows where there is no mark."""
    return {name: Agg(AggOp.ROWS, None, Col(name) if name in marks else None) for name in folds}


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


def _counted(fold: Fold) -> Value:
    match fold.aggregate:
        case CountRetained(value) | CountDistinct(value):
            return value
        case _:
            raise AssertionError(fold)

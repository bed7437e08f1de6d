"""Steps as relations: everything that an engine would otherwise have to know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from funnelkit.data.shop_data import ShopData
from funnelkit.formula.formulas import (
    ClosingBalance,
    Count,
    CountDistinct,
    Mean,
    PolarsExpr,
    StdDev,
    Sum,
)
from funnelkit.formula.values import Column, Flag, Value
from funnelkit.planning.key_history import KeyHistories, added, change, folded_together
from funnelkit.planning.lowering import ZERO, Folded, Lowering
from funnelkit.planning.magnitude import magnitude, magnitude_of, settled_aggregate
from funnelkit.planning.periods import period_of
from funnelkit.planning.plan import Fold, Group, Step
from funnelkit.planning.prepared import Tables, aggregated
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Answer,
    Col,
    Named,
    Op,
    Over,
    OverOp,
    Rel,
    Select,
    call,
    conjunction,
    extend,
    filtered,
    is_known,
    when,
    whole,
)
from funnelkit.planning.spelling import spellings_of_groups
from funnelkit.planning.step_rows import StepRows, cols

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
        entering: The rows that enter the steps.
        histories: What keys do period by period.
        spellings: By group: how the data writes the words of its vocabulary.
    """

    entering: StepRows
    histories: KeyHistories
    spellings: dict[Group, dict[str, str]] = field(default_factory=dict[Group, dict[str, str]])

    @classmethod
    def of(cls, data: ShopData, as_of: Callable[[], dt.datetime | None]) -> Relations:
        """Return the relations of a shop's data, named unlike all of its columns.

        Args:
            data: The data.
            as_of: Returns the instant up to which it is known, where that is named.
        """
        entering = StepRows.of(data, as_of)
        return cls(entering, KeyHistories.of(entering))

    @property
    def data(self) -> ShopData:
        """The data of the shop."""
        return self.entering.data

    @property
    def lowering(self) -> Lowering:
        """How the values of rows are written."""
        return self.entering.lowering

    @property
    def tables(self) -> Tables:
        """The prepared tables."""
        return self.entering.tables

    def answers(self, steps: Sequence[Step]) -> list[Answer]:
        """Return for each step the relation that answers it; some may share one."""
        self.spellings = spellings_of_groups(self.data, [g for step in steps for g in step.groups])
        pairs = zip(steps, self._relations(steps), strict=True)
        return [self._answer(step, relation) for step, relation in pairs]

    def _relations(self, steps: Sequence[Step]) -> list[Named]:
        """Return for each step what answers it; steps of the same histories share that."""
        histories, shared = self.histories.found(steps), dict[int | str, list[int]]()
        for place, history in enumerate(histories):
            # a step that has no history shares nothing
            shared.setdefault(place if history is None else history.rows.name, []).append(place)
        found = dict[int, Named]()
        for places in shared.values():
            alike = [history for place in places if (history := histories[place])]
            rel = folded_together(alike) if alike else self._folded(steps[places[0]])
            name = self.lowering.names.of(("the step", places[0]), f"step_{places[0] + 1}")
            note = "\n".join(str(steps[place]) for place in places)
            found |= dict.fromkeys(places, Named(name, rel, note))
        return [found[place] for place, _ in enumerate(steps)]

    def rows(self, steps: Iterable[Step]) -> list[Rel]:
        """Return for each step the rows that enter it."""
        return [self.entering.rows(step) for step in steps]

    def first(self, clock: Column) -> Aggregate:
        """Return the relation of the first instant of a time."""
        rows = self.tables.prepare(clock.table, [clock])
        moment = self.lowering.instant(clock)
        return Aggregate(rows, (), ((self.entering.period, Agg(AggOp.MIN, moment)),))

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
        return Aggregate(rows, (), ((self.entering.period, agg),))

    def _answer(self, step: Step, relation: Named) -> Answer:
        keys = self.entering.groups(step)
        spelled = zip(keys, map(self.spellings.get, step.groups), strict=True)
        return Answer(
            relation,
            self.entering.period if step.calendar.has_periods else None,
            keys,
            tuple(map(self.entering.column, step.folds)),
            tuple((key, tuple(texts.items())) for key, texts in spelled if texts),
            None if step.unit is None else self._of_alike(step),
        )

    def _of_alike(self, step: Step) -> tuple[str, str]:
        """Return the columns of whether units are named, and of how many there are."""
        return self.entering.fresh(step, "is_named"), self.entering.fresh(step, "units")

    def _folded(self, step: Step) -> Rel:
        """Return what a step folds by itself."""
        if step.unit is not None:
            return self._alike(step, step.unit)
        if step.first_of is not None:
            return self._first_of(step, step.first_of)
        match step.folds[0].aggregate:
            case ClosingBalance() as last if step.entity_key:
                return self._stock(step, last)
            case ClosingBalance(value):
                sums = [self._balance(value, fold) for fold in step.folds]
                return aggregated(self.entering.rows(step), self.entering.keys(step), sums)
            case _:
                return self._folded_rows(step)

    def _alike(self, step: Step, unit: Group) -> Rel:
        """Fold rows by unit, and count the units that have the same in all folds."""
        by_unit = replace(step, groups=(*step.groups, unit), unit=None)
        *keys, owner = self.entering.keys(by_unit)
        folds = [self._of_unit(fold, unit) for fold in step.folds]
        found = aggregated(self.entering.rows(by_unit), (*keys, owner), folds)
        each = Named(self.entering.fresh(step, "by_unit"), found)
        is_named, units = self._of_alike(step)
        same = [*keys, *map(self.entering.column, step.folds)]
        named = tuple((name, Col(name)) for name in same)
        known = is_known(Col(owner))
        rows = Select(each, (*named, (is_named, known)))
        return Aggregate(rows, (*same, is_named), ((units, Agg(AggOp.ROWS)),))

    def _of_unit(self, fold: Fold, unit: Group) -> Folded:
        """Return a count of the rows of a unit, or of the unit itself: 1 where it has some."""
        name, asked = self.entering.column(fold), fold.aggregate
        if not isinstance(asked, CountDistinct) or asked.value != unit.value:
            return _folded(self.lowering, fold, name)
        counted = self.lowering.aggregate(Count(asked.value, where=asked.where), name)
        is_seen = call(Op.GE, Col(name), whole(1))
        return replace(counted, last=when(is_seen, whole(1), otherwise=whole(0)))

    def _folded_rows(self, step: Step) -> Rel:
        """Fold rows, or the rows of a rollup of them, by the keys."""
        first, keys, lowering = step.folds[0].aggregate, self.entering.keys(step), self.lowering
        rows = self.entering.rows(step)
        if not isinstance(first, PolarsExpr) and first.of is not None:
            by_key = self.entering.rollup(rows, first.of, keys)
            rows = Named(self.entering.fresh(step, "by_key"), by_key)
            lowering = self.entering.of_rollup(first.of)
        return aggregated(rows, keys, self._folds(step.folds, lowering))

    def _folds(self, folds: Iterable[Fold], lowering: Lowering) -> list[Folded]:
        return [_folded(lowering, fold, self.entering.column(fold)) for fold in folds]

    def _balance(self, value: Value, fold: Fold) -> Folded:
        """Return the sum of a value that was counted last, or of its absolute parts."""
        name, lowering = self.entering.column(fold), self.lowering
        is_size = fold.is_magnitude
        total = magnitude(lowering, value) if is_size else lowering.number(value)
        return Folded(name, {name: Agg(AggOp.SUM, total)}, Col(name))

    def _stock(self, step: Step, last: ClosingBalance) -> Rel:
        """Return what each period adds to a stock: by how much the last value of each entity grew.

        Without periods that is the stock itself.
        """
        name, keys = self.entering.column(step.folds[0]), self.entering.keys(step)
        entity_key = [name for name in step.entity_key if name not in keys]
        rank, value = self.entering.fresh(step, "rank"), self.lowering.number(last.value)
        if last.where is not None:
            value = when(self.lowering.predicate(last.where), value, otherwise=ZERO)
        moment = self.lowering.column(self.entering.clock(step))
        owner = (*keys, *entity_key)
        number = Over(OverOp.ROW_NUMBER, None, cols(owner), (moment,), is_descending=True)
        rows = filtered(self.entering.rows(step), self.lowering.known(last.value))
        named = tuple((column, Col(column)) for column in owner)
        held: Rel = Select(rows, (*named, (name, value), (rank, number)))
        held = filtered(held, call(Op.EQ, Col(rank), whole(1)))
        if step.calendar.has_periods:
            entity = cols((*self.entering.groups(step), *entity_key))
            held = Select(held, (*named, (name, change(Col(name), entity, self.entering.period))))
        folds = ((self.entering.column(fold), added(fold, Col(name))) for fold in step.folds)
        return Aggregate(held, keys, tuple(folds))

    def _first_of(self, step: Step, key: Column) -> Rel:
        """Fold the first row of each key, which is at its earliest time, whichever row that is."""
        clock, lowering = self.entering.clock(step), self.lowering
        rows = self.tables.prepare(step.table, [*step.reads, clock])
        where = lowering.condition(step.where)
        rows = filtered(rows, conjunction(lowering.known(clock), where, lowering.known(key)))
        earliest = Agg(AggOp.MIN, lowering.column(clock))
        by_key = Aggregate(rows, (lowering.name(key),), ((lowering.name(clock), earliest),))
        first: Rel = Named(self.entering.fresh(step, "firsts"), by_key)
        first = filtered(first, lowering.within(clock, step.span))
        if step.calendar.has_periods:
            period = period_of(lowering, clock, step.calendar)
            first = extend(first, **{self.entering.period: period})
        return aggregated(first, self.entering.keys(step), self._folds(step.folds, lowering))


def _folded(lowering: Lowering, fold: Fold, name: str) -> Folded:
    if isinstance(fold.aggregate, PolarsExpr):
        agg = Agg(AggOp.CUSTOM, custom=fold.aggregate)
        return Folded(name, {name: agg}, Col(name))
    if fold.is_magnitude and isinstance(fold.aggregate, Sum):
        return magnitude_of(lowering, fold.aggregate, name)
    if isinstance(fold.aggregate, Mean | StdDev):
        return settled_aggregate(lowering, fold.aggregate, name)
    return lowering.aggregate(fold.aggregate, name, is_unique=fold.is_unique)

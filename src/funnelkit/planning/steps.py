"""From folds to steps: what is folded of one table goes into one, where it can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from funnelkit.calendar.grain import Span
from funnelkit.data.shop_data import ShopData
from funnelkit.data.value_types import ValueType, value_type
from funnelkit.errors import DefinitionError, MissingInputError, UnknownNameError
from funnelkit.formula.derived import NumberOver, PeriodOf
from funnelkit.formula.formulas import (
    ClosingBalance,
    Count,
    CountDistinct,
    CountRetained,
    PolarsExpr,
    Sum,
)
from funnelkit.formula.values import (
    Column,
    Comparison,
    Dimension,
    Flag,
    Predicate,
    Value,
)
from funnelkit.formula.walk import conjuncts, end_of
from funnelkit.planning.currency import with_guards
from funnelkit.planning.dimensions import (
    check_lookup,
    conjunction,
    dimensions_in,
    ending_in,
    resolve_dimension,
    resolve_predicate,
)
from funnelkit.planning.missing import (
    enters_by_time,
    missing_hints,
    missing_inputs,
    table_of,
)
from funnelkit.planning.needed_folds import NeededFolds
from funnelkit.planning.plan import Fold, Group, Question, Step, split_where

__all__ = ["steps_of"]


def steps_of(needed: NeededFolds) -> tuple[Step, ...]:
    """Put folds into steps: one per table and kind of folding.

    Raises:
        MissingInputError: Tables or columns are missing; names them all.
        UnknownNameError: A dimension cannot be reached from a table.
        DefinitionError: A fold and the question contradict each other.
    """
    return _Steps(needed.data, needed.question, needed).steps()


@dataclass(frozen=True, slots=True)
class _FirstOf:
    """The rows that are the first in time of their key, among those that satisfy a predicate."""

    key: Column
    where: Predicate


@dataclass(frozen=True, slots=True)
class _Steps:
    """Puts the folds of a question into steps."""

    data: ShopData
    question: Question
    needed: NeededFolds
    conditions: dict[str, Predicate] = field(default_factory=dict[str, Predicate])

    def steps(self) -> tuple[Step, ...]:
        """Return the steps."""
        self._check_inputs()
        buckets: dict[tuple[object, ...], list[Fold]] = {}
        for (_, to_date, _), fold in self.needed.folds.items():
            bucket = (table_of(fold), to_date, self._is_spread(fold), self._kind(fold, to_date))
            buckets.setdefault(bucket, []).append(fold)
        return tuple(
            self._first_step(folds, kind)
            if isinstance(kind, _FirstOf)
            else self._step(folds, to_date=bool(to_date), is_prorated=bool(is_prorated))
            for (_, to_date, is_prorated, kind), folds in buckets.items()
        )

    def _kind(self, fold: Fold, to_date: bool) -> object:  # noqa: FBT001  # a key of the folds
        """Return what folds of one table have in common that share a step."""
        aggregate = fold.aggregate
        match aggregate:
            case PolarsExpr():
                return PolarsExpr
            case CountRetained(value, where=where):
                return (value, where)
            case CountDistinct(value, where=where) if to_date or self._is_retained(value, where):
                return (value, where)
            case CountDistinct(of=None):
                return self._first_of(aggregate)
            case ClosingBalance():
                return aggregate
            case _:
                return aggregate.of

    def _is_retained(self, value: Value, where: Predicate | None) -> bool:
        """Whether retention of the same values is asked too, which reads what they occur in."""
        return any(
            isinstance(other, CountRetained) and (other.value, other.where) == (value, where)
            for other, _, _ in self.needed.folds
        )

    def _first_of(self, fold: CountDistinct) -> _FirstOf | None:
        """Return of which rows a fold counts those that are the first in time of their key."""
        key, data = fold.value, self.data
        if not isinstance(key, Column) or self._dimensions() or fold.of:
            return None
        if self.question.where is not None:
            return None
        for flag in conjuncts(fold.where):
            rule = None if not isinstance(flag, Flag) or data.is_supplied(flag) else data.rule(flag)
            if not isinstance(rule, Comparison) or rule != rule.left.eq(1):
                continue
            number = rule.left
            if not isinstance(number, Column) or data.is_supplied(number):
                continue
            order = data.rule(number)
            if isinstance(order, NumberOver) and order.key == key:
                implied = {flag, *conjuncts(order.where)}
                return _FirstOf(key, order.where) if implied >= {*conjuncts(fold.where)} else None
        return None

    def _first_step(self, folds: list[Fold], kind: _FirstOf) -> Step:
        table = self.data.known[kind.key.table]
        counted = tuple(replace(fold, aggregate=Count(table)) for fold in folds)
        span = self._span(folds, to_date=False)
        calendar = self.question.calendar
        return Step(table.table, counted, (), kind.where, calendar, span, first_of=kind.key)

    def _is_spread(self, fold: Fold) -> bool:
        """Whether a fold adds amounts that are shared out over the days of their rows."""
        table = table_of(fold)
        prorate = self.data.known[table].prorate
        if prorate is None or not enters_by_time(self.data, self.question, table):
            return False
        is_amount = any(isinstance(c, Column) and c.name in prorate.amounts for c in fold.reads)
        return is_amount and isinstance(fold.aggregate, Sum)

    def _step(self, folds: list[Fold], *, to_date: bool, is_prorated: bool) -> Step:
        table = table_of(folds[0])
        groups = tuple(self._group(table, dimension) for dimension in self.question.by)
        unit = self.question.unit
        where = self._where(table)
        self._check_hours(table)
        is_stock = to_date and isinstance(folds[0].aggregate, ClosingBalance)
        folds, shared = (folds, None) if is_stock else split_where(folds)
        step = Step(
            table,
            tuple(folds),
            groups,
            conjunction((where, shared)),
            self.question.calendar,
            self._span(folds, to_date=to_date),
            to_date=to_date,
            is_prorated=is_prorated,
            entity_key=self.data.known[table].entity_key if is_stock else (),
            unit=None if unit is None else self._group(table, unit),
        )
        return with_guards(self.data, step)

    def _where(self, table: str) -> Predicate | None:
        """Return what rows of a table must satisfy, resolved once however many steps read it."""
        where = self.question.where
        if where is not None and table not in self.conditions:
            self.conditions[table] = resolve_predicate(self.data, table, where)
        return self.conditions.get(table)

    def _dimensions(self) -> tuple[Dimension, ...]:
        """Return the dimensions that rows are folded by."""
        unit = self.question.unit
        return (*self.question.by, *(() if unit is None else (unit,)))

    def _group(self, table: str, dimension: Dimension) -> Group:
        found = resolve_dimension(self.data, table, dimension)
        column = end_of(found)
        rule = None if self.data.is_supplied(column) else self.data.rule(column)
        if not isinstance(rule, PeriodOf):
            return Group(dimension.name, found)
        if not self.question.calendar.has_periods:
            problem = f"{dimension.name} is the period in which {rule.time} lies"
            raise DefinitionError(problem, "give periods: every='1mo'")
        return Group(dimension.name, ending_in(found, rule.time), is_period=True)

    def _check_hours(self, table: str) -> None:
        clock = self.data.clock_of(table)
        is_day = value_type(self.data, clock) is ValueType.DAY
        if is_day and self.question.calendar.has_hours:
            raise DefinitionError(
                f"{clock} holds whole days, which have no hours",
                "use every='1d' or longer, or bind times",
            )

    def _span(self, folds: Sequence[Fold], *, to_date: bool) -> Span:
        span, calendar = self.question.span, self.question.calendar
        if to_date:
            return Span(None, span.end)
        back = max(
            self.needed.reach[fold.name]
            + (fold.aggregate.periods if isinstance(fold.aggregate, CountRetained) else 0)
            for fold in folds
        )
        if span.start is None or not back:
            return span
        if calendar.floor(span.start) != span.start:
            raise DefinitionError(
                f"start={span.start} is not the start of a period of {calendar}",
                f"metrics that compare periods need whole ones: start={calendar.floor(span.start)}",
            )
        return Span(calendar.earlier(span.start, back), span.end)

    def _check_inputs(self) -> None:
        """Report every table and column that is missing, and who wants it."""
        missing: dict[str, list[str]] = {}
        instead: dict[str, dict[str, None]] = {}
        for fold in self.needed.folds.values():
            for column in map(end_of, fold.reads):
                for name in self.data.missing_for(column) - {str(column), column.table}:
                    instead.setdefault(name, {})[str(column)] = None
            for name in missing_inputs(self.data, fold, has_time=self.question.has_time):
                users = missing.setdefault(name, [])
                users += [user for user in self.needed.wanted[fold.name] if user not in users]
        if missing:
            raise MissingInputError(missing, missing_hints(self.data, missing, instead))
        for fold in self.needed.folds.values():
            for item in fold.reads:
                check_lookup(self.data, item)
        self._check_dimensions()

    def _check_dimensions(self) -> None:
        """Check that every dimension can be reached from the tables that metrics read."""
        where = self.question.where
        named = (*self._dimensions(), *(() if where is None else dimensions_in(where)))
        folds = {table_of(fold): fold for fold in reversed([*self.needed.folds.values()])}
        unknown: dict[str, tuple[UnknownNameError, str]] = {}
        for (table, fold), dimension in product(reversed(folds.items()), named):
            try:
                resolve_dimension(self.data, table, dimension)
            except UnknownNameError as error:
                users = f"{', '.join(self.needed.wanted[fold.name])} needs it there"
                unknown.setdefault(dimension.name, (error, users))
        if unknown:
            (first, users), *others = unknown.values()
            also = (f"nor is there {error.name!r}" for error, _ in others)
            remedy = "; ".join(filter(None, (users, first.remedy, *also)))
            raise UnknownNameError(first.kind, first.name, first.known, remedy)

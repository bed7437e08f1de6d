"""From metrics and a question to steps: which table is folded by what, once each.

A formula is lowered to arithmetic on leaves. A leaf is one aggregate of one
source in one period, perhaps an earlier one, or over the history to date.
Leaves that two metrics share are folded once; aggregates of one table go into
one step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from funnelkit.calendar.grain import Span
from funnelkit.data.schema import Items
from funnelkit.data.shop_data import ShopData
from funnelkit.data.value_types import ValueType, is_unique, value_type
from funnelkit.errors import DefinitionError, MissingInputError, UnknownNameError
from funnelkit.formula.derived import NumberOver, PeriodOf
from funnelkit.formula.formulas import (
    Aggregate,
    Arithmetic,
    ClosingBalance,
    Constant,
    Count,
    CountDistinct,
    CountRetained,
    Cumulative,
    Formula,
    Max,
    Mean,
    Name,
    PeriodDays,
    PolarsExpr,
    Reference,
    ShareOfTotal,
    Shift,
    Sum,
    Transform,
    source_of,
)
from funnelkit.formula.functions import function_of
from funnelkit.formula.operators import Operator
from funnelkit.formula.properties import check_grows, inputs, tally_of
from funnelkit.formula.reason import Reason
from funnelkit.formula.table import Rows
from funnelkit.formula.values import (
    Column,
    Comparison,
    Dimension,
    Flag,
    Predicate,
    Score,
    Value,
)
from funnelkit.formula.walk import conjuncts, end_of
from funnelkit.metrics.metric import Metric
from funnelkit.planning.assumptions import assumptions_of
from funnelkit.planning.currency import guard_steps, with_guards
from funnelkit.planning.dimensions import (
    check_lookup,
    conjunction,
    dimensions_in,
    ending_in,
    resolve_dimension,
    resolve_predicate,
)
from funnelkit.planning.expression import (
    BinaryOp,
    Expression,
    FoldRef,
    NullIf,
    PeriodLength,
    Transformed,
)
from funnelkit.planning.items import fold_of_items, items_of
from funnelkit.planning.magnitude import may_cancel
from funnelkit.planning.missing import missing_hints, missing_inputs, table_of
from funnelkit.planning.plan import (
    Fold,
    Group,
    Plan,
    PlannedMetric,
    Question,
    Step,
    columns_read_by,
    split_where,
)
from funnelkit.planning.validation import (
    check_cohorts,
    check_length,
    check_natives,
    check_per,
    check_reads,
    check_share,
    check_turned,
)

__all__ = ["make_plan"]


@dataclass(frozen=True, slots=True)
class PeriodOffset:
    """How many periods earlier a formula is taken, and whether like for like."""

    periods: int
    like_for_like: bool


NOW = PeriodOffset(0, like_for_like=False)


@dataclass(frozen=True, slots=True)
class _FirstOf:
    """The rows that are the first in time of their key, among those that satisfy a predicate."""

    key: Column
    where: Predicate


@dataclass(slots=True)
class _Planner:
    """Collects the folds that formulas need, each once, by the step they go into."""

    data: ShopData
    question: Question
    folds: dict[tuple[Aggregate | PolarsExpr, bool, bool], Fold] = field(default_factory=dict)
    numbered: int = 0
    reach: dict[str, int] = field(default_factory=dict)
    wanted: dict[str, list[str]] = field(default_factory=dict)
    metric: str = ""
    conditions: dict[str, Predicate] = field(default_factory=dict)
    items: dict[str, Items | None] = field(default_factory=dict)

    def lower(
        self, formula: Formula, back: PeriodOffset = NOW, *, to_date: bool = False
    ) -> Expression:
        match formula:
            case Constant():
                return formula
            case PeriodDays():
                return self._lower_length(back, to_date=to_date)
            case Name(name):
                raise UnknownNameError("metric", name)
            case Reference(_, inner):
                return self.lower(inner, back, to_date=to_date)
            case Shift(inner, periods, like_for_like=like_for_like):
                further = PeriodOffset(back.periods + periods, back.like_for_like or like_for_like)
                return self.lower(inner, further, to_date=to_date)
            case Cumulative(inner):
                return self.lower(inner, back, to_date=True)
            case Transform():
                check_turned(self.metric, formula, self.question, back.periods)
                is_grown = to_date or function_of(formula).is_to_date
                value = self.lower(formula.formula, back, to_date=is_grown)
                if isinstance(formula, ShareOfTotal):
                    check_share(formula, value, self.folds.values(), self.question)
                return Transformed(formula, value)
            case Arithmetic(operator, left, right):
                return BinaryOp(
                    operator,
                    self.lower(left, back, to_date=to_date),
                    self.lower(right, back, to_date=to_date),
                )
            case _:
                return self._lower_fold(formula, back, to_date=to_date)

    def sides(
        self, formula: Formula, value: Expression, ratio: tuple[Formula, Formula]
    ) -> tuple[Expression, Expression]:
        """Return the numerator and denominator of a formula that was lowered to a value."""
        match formula, value:
            case Arithmetic(left=left, right=right), BinaryOp(left=above, right=below) if (
                ratio[0] is left and ratio[1] is right
            ):
                return above, below
            case _:
                return self.lower(ratio[0]), self.lower(ratio[1])

    def _lower_length(self, back: PeriodOffset, *, to_date: bool) -> PeriodLength:
        """Return the length of a period; neither a history nor a part of a period has one."""
        if to_date or back.like_for_like:
            what = "a running total" if to_date else "a part of a period"
            problem = f"{self.metric} asks for period_days() of {what}"
            remedy = (
                "take it outside of cumulative(), periods_to_break_even() and like_for_like=True"
            )
            raise DefinitionError(problem, remedy)
        return PeriodLength(back.periods)

    def _lower_fold(
        self, fold: Aggregate | PolarsExpr, back: PeriodOffset, *, to_date: bool
    ) -> Expression:
        if isinstance(fold, PolarsExpr) and fold.table not in self.data.known:
            raise UnknownNameError("table", fold.table, list(self.data.known))
        fold = fold if isinstance(fold, PolarsExpr) else self.data.total_of(fold)
        self._check_prorated(fold)
        match fold:
            case Mean(value, where=where, of=None) if not isinstance(value, Score):
                above = self._leaf(Sum(value, where=where), back, to_date=to_date)
                below = self._leaf(Count(value, where=where), back, to_date=to_date)
                return BinaryOp(Operator.DIVIDE, above, below)
            case Sum(value, where=where, of=of, skip_nulls=False):
                rows = of or self.data.known[source_of(fold)]
                exclusions_of = Count(rows, where=conjunction((where, value.is_null())))
                count = self._leaf(exclusions_of, back, to_date=to_date)
                total = self._lower_fold(replace(fold, skip_nulls=True), back, to_date=to_date)
                return NullIf(total, count, 0, Reason.MISSING_VALUES)
            case Sum(value, where=where, of=None, require_single=Rows() as rows):
                count = self._leaf(Count(rows, where=where), back, to_date=to_date)
                only = self._leaf(Max(value, where=where), back, to_date=to_date)
                return NullIf(only, count, 1, Reason.SEVERAL_ROWS_OF.about(rows))
            case Sum(value, where=where, of=None, require_single=Column() as within):
                kinds = CountDistinct(within, where=conjunction((where, value.is_not_null())))
                count = self._leaf(kinds, back, to_date=to_date)
                total = self._leaf(replace(fold, require_single=None), back, to_date=to_date)
                return NullIf(total, count, 1, Reason.MIXED.about(within.name))
            case _:
                return self._leaf(fold, back, to_date=to_date)

    def _leaf(
        self, aggregate: Aggregate | PolarsExpr, back: PeriodOffset, *, to_date: bool
    ) -> FoldRef:
        if not isinstance(aggregate, PolarsExpr) and (items := self._items(source_of(aggregate))):
            aggregate = fold_of_items(self.data, items, aggregate)
        if (
            isinstance(aggregate, ClosingBalance)
            and aggregate.carry_forward
            and self.data.known[source_of(aggregate)].entity_key
        ):
            to_date = True
        elif to_date:
            check_grows(aggregate)
        if back.like_for_like and (to_date or isinstance(aggregate, CountRetained)):
            raise DefinitionError(
                f"{self.metric} compares {aggregate} like for like, which looks back itself",
                "compare whole periods: shift(…) without like_for_like=True",
            )
        found = self.folds.get((aggregate, to_date, False))
        if found is None:
            is_once = isinstance(aggregate, CountDistinct) and is_unique(self.data, aggregate)
            found = Fold(f"f{self.numbered}", aggregate, aggregate, is_once)
            self.folds[aggregate, to_date, False] = found
            self.numbered += 1
        self._use(found, back)
        return FoldRef(
            found.name, back.periods, back.like_for_like, self._magnitude(found, back, to_date)
        )

    def _magnitude(self, fold: Fold, back: PeriodOffset, to_date: bool) -> str:  # noqa: FBT001  # a key of the folds
        """Return the name of the fold of the absolute values that a fold adds; empty for none."""
        if not may_cancel(self.data, fold.aggregate):
            return ""
        place = (fold.aggregate, to_date, True)
        size = self.folds.get(place) or replace(fold, name=f"{fold.name}_size", is_magnitude=True)
        self.folds[place] = size
        self._use(size, back)
        return size.name

    def _use(self, fold: Fold, back: PeriodOffset) -> None:
        """Note which metric uses a fold, and how many periods back."""
        self.reach[fold.name] = max(self.reach.get(fold.name, 0), back.periods)
        users = self.wanted.setdefault(fold.name, [])
        if self.metric not in users:
            users.append(self.metric)

    def _items(self, table: str) -> Items | None:
        """Return the items among which folds of a table are divided, found once per table."""
        if table not in self.items:
            self.items[table] = items_of(self.data, self.question, table)
        return self.items[table]

    def steps(self) -> tuple[Step, ...]:
        """Put the folds into steps: one per table and kind of folding."""
        self._check_inputs()
        buckets: dict[tuple[object, ...], list[Fold]] = {}
        for (_, to_date, _), fold in self.folds.items():
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
            for other, _, _ in self.folds
        )

    def _first_of(self, fold: CountDistinct) -> _FirstOf | None:
        """Return of which rows a fold counts those that are the first in time of their key."""
        key, data = fold.value, self.data
        if not isinstance(key, Column) or self.question.by or fold.of:
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

    def reads_prorated(self, formula: Formula) -> bool:
        """Whether a formula reads rows that cover several days, of which none enters whole."""
        return self._has_time and any(self.data.known[table].prorate for table in inputs(formula))

    def _is_spread(self, fold: Fold) -> bool:
        """Whether a fold adds amounts that are shared out over the days of their rows."""
        prorate = self.data.known[table_of(fold)].prorate
        if prorate is None or not self._has_time:
            return False
        is_amount = any(isinstance(c, Column) and c.name in prorate.amounts for c in fold.reads)
        return is_amount and isinstance(fold.aggregate, Sum)

    def _check_prorated(self, fold: Aggregate | PolarsExpr) -> None:
        """Check that amounts of rows that cover several days are folded by sums alone."""
        table = fold.table if isinstance(fold, PolarsExpr) else source_of(fold)
        prorate = self.data.known[table].prorate
        if prorate is None or not self._has_time or isinstance(fold, Sum | Count):
            return
        read = columns_read_by(fold)
        if any(isinstance(c, Column) and c.name in prorate.amounts for c in read):
            raise DefinitionError(
                f"{fold} folds amounts that are prorated over the days of their rows",
                "only their sum is defined in a period: ask for it, or for the whole history",
            )

    @property
    def _has_time(self) -> bool:
        return self.question.calendar.has_periods or self.question.span != Span()

    def _step(self, folds: list[Fold], *, to_date: bool, is_prorated: bool) -> Step:
        table = table_of(folds[0])
        groups = tuple(self._group(table, dimension) for dimension in self.question.by)
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
        )
        return with_guards(self.data, step)

    def _where(self, table: str) -> Predicate | None:
        """Return what rows of a table must satisfy, resolved once however many steps read it."""
        where = self.question.where
        if where is not None and table not in self.conditions:
            self.conditions[table] = resolve_predicate(self.data, table, where)
        return self.conditions.get(table)

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
        clock = self.data.known[table].get(self.data.known[table].time)
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
            self.reach[fold.name]
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
        for fold in self.folds.values():
            for column in map(end_of, fold.reads):
                for name in self.data.missing_for(column) - {str(column), column.table}:
                    instead.setdefault(name, {})[str(column)] = None
            for name in missing_inputs(self.data, fold, has_time=self._has_time):
                users = missing.setdefault(name, [])
                users += [user for user in self.wanted[fold.name] if user not in users]
        if missing:
            raise MissingInputError(missing, missing_hints(self.data, missing, instead))
        for fold in self.folds.values():
            for item in fold.reads:
                check_lookup(self.data, item)
        self._check_dimensions()

    def _check_dimensions(self) -> None:
        """Check that every dimension can be reached from the tables that metrics read."""
        where = self.question.where
        named = (*self.question.by, *(() if where is None else dimensions_in(where)))
        folds = {table_of(fold): fold for fold in reversed([*self.folds.values()])}
        unknown: dict[str, tuple[UnknownNameError, str]] = {}
        for (table, fold), dimension in product(reversed(folds.items()), named):
            try:
                resolve_dimension(self.data, table, dimension)
            except UnknownNameError as error:
                users = f"{', '.join(self.wanted[fold.name])} needs it there"
                unknown.setdefault(dimension.name, (error, users))
        if unknown:
            (first, users), *others = unknown.values()
            also = (f"nor is there {error.name!r}" for error, _ in others)
            remedy = "; ".join(filter(None, (users, first.remedy, *also)))
            raise UnknownNameError(first.kind, first.name, first.known, remedy)


def make_plan(data: ShopData, metrics: Sequence[Metric], question: Question) -> Plan:
    """Plan the answer to a question.

    Raises:
        MissingInputError: Tables or columns are missing; names them all.
        UnknownNameError: A dimension cannot be reached from a table.
        DefinitionError: The metrics and the question contradict each other.
    """
    planner = _Planner(data, question)
    lowered: list[PlannedMetric] = []
    for metric in metrics:
        if metric.compares_periods and not question.calendar.has_periods:
            raise DefinitionError(
                f"{metric.name} compares a period with the one before it",
                "; ".join(filter(None, ("give periods: every='1mo'", metric.period_hint))),
            )
        check_per(metric, question)
        planner.metric = metric.name
        ratio = metric.ratio
        value = planner.lower(metric.formula)
        sides = None if ratio is None else planner.sides(metric.formula, value, ratio)
        tally = tally_of(metric.formula if ratio is None else ratio[1])
        n = None if tally is None or planner.reads_prorated(tally) else planner.lower(tally)
        lowered.append(PlannedMetric(metric, value, sides, n))
    check_length(lowered, question)
    steps = planner.steps()
    check_reads(lowered, steps, question)
    check_natives(data, steps)
    check_cohorts(data, lowered, steps, question)
    assumed = assumptions_of(data, steps, lowered)
    return Plan(question, tuple(lowered), steps, guards=guard_steps(data, steps), assumed=assumed)

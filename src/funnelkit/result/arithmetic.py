"""Arithmetic on aligned folds, and why a value is null."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import assert_never

import polars as pl

from funnelkit.calendar.calendar import Calendar
from funnelkit.formula.formulas import (
    Abs,
    Constant,
    Count,
    CountDistinct,
    CountRetained,
    PositiveOrNull,
    Sum,
    Transform,
)
from funnelkit.formula.functions import function_of
from funnelkit.formula.operators import Operator
from funnelkit.formula.reason import Reason
from funnelkit.planning.expression import (
    BinaryOp,
    Expression,
    FoldRef,
    NullIf,
    PeriodLength,
    Transformed,
    leaves_of,
)
from funnelkit.planning.plan import PERIOD, Fold, Plan, Question
from funnelkit.result.transforms import TRANSFORMS, Argument, settled
from funnelkit.units import DAY_S

__all__ = [
    "Arithmetic",
    "Computed",
    "counted_folds",
    "is_counted",
    "leaf_column",
]


def leaf_column(leaf: FoldRef) -> str:
    """Return the column of an aligned frame that holds a fold."""
    return f"{leaf.name}@{leaf.shift}" + ("~" if leaf.like_for_like else "")


def counted_folds(plan: Plan) -> Iterator[str]:
    """Return the names of the folds that are 0 where there are no rows."""
    return (fold.name for step in plan.steps for fold in step.folds if is_counted(fold))


def is_counted(fold: Fold) -> bool:
    """Return whether a fold is 0, and not null, where there is nothing."""
    return isinstance(fold.aggregate, Sum | Count | CountDistinct | CountRetained)


LONGEST = 200
"""How many columns an expression may name before it becomes a column of its own."""

Written = Callable[[], pl.Expr]
"""An expression that is written only where it is used: a value without its reason is not."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A value as an expression on aligned folds, and why it is null.

    Attributes:
        total: The value as it comes out of the arithmetic.
        reason: Writes the reason where the value is null; null elsewhere, and where the value
            is null for want of a number that can be held.
        size: Writes the sum of the absolute parts that the value is made of.
        is_exact: Whether it is made of counts alone, which lose nothing.
        is_float: Whether it is known to be a Float64.
        is_rounded: Whether it is a sum or difference that may be what rounding left.
        weight: How many columns the expressions name, at most.
    """

    total: pl.Expr
    reason: Written
    size: Written
    is_exact: bool = False
    is_float: bool = False
    is_rounded: bool = False
    weight: int = 1

    @property
    def value(self) -> pl.Expr:
        """The value; 0 where only the rounding of its parts is left of them."""
        return settled(self.total, self.size()) if self.is_rounded else self.total

    @property
    def as_float(self) -> Computed:
        """The same as a number that cannot wrap around, as whole numbers of few bits do."""
        if self.is_float:
            return self
        total = self.total.cast(pl.Float64)
        return replace(self, total=total, is_exact=False, is_float=True)


class Arithmetic:
    """The arithmetic of a plan on its aligned folds: expressions, then the columns they need."""

    def __init__(self, plan: Plan, frame: pl.DataFrame) -> None:
        folds = [fold for step in plan.steps for fold in step.folds]
        counts = Count | CountDistinct | CountRetained
        self._question, self._frame = plan.question, frame
        self._counted = frozenset(counted_folds(plan))
        self._whole = frozenset(fold.name for fold in folds if isinstance(fold.aggregate, counts))
        self._floats = {name for name, kind in frame.schema.items() if kind == pl.Float64}
        self._columns: list[list[pl.Expr]] = []

    def select(self, columns: Sequence[pl.Expr]) -> pl.LazyFrame:
        """Return columns made of what was computed."""
        rows = self._frame.lazy()
        for added in self._columns:
            rows = rows.with_columns(added)
        return rows.select(columns)

    def compute(self, expression: Expression) -> Computed:
        """Return the arithmetic of an expression on aligned folds, and why it gives null."""
        computed = self._compute(expression)
        return computed if computed.weight <= LONGEST else self._as_columns(computed)

    def _compute(self, expression: Expression) -> Computed:
        match expression:
            case FoldRef(name):
                own, size = leaf_column(expression), leaf_column(expression.size)
                column, is_float = pl.col(own), own in self._floats
                is_rounded = bool(expression.magnitude)
                return Computed(
                    column,
                    partial(_no_rows, column),
                    _size(pl.col(size)),
                    is_exact=name in self._whole,
                    is_float=is_float,
                    is_rounded=is_rounded,
                    weight=3 if is_rounded else 1,
                )
            case Constant(value):
                given = pl.lit(value)
                return Computed(given, _none, _size(given), is_exact=isinstance(value, int))
            case PeriodLength(shift):
                days = _period_days(self._question, shift)
                return Computed(days, _none, _size(days))
            case NullIf(value):
                return _null_if(expression, self.compute(value))
            case Transformed(by, value):
                return self._transformed(by, value)
            case BinaryOp(operator, left, right):
                return _binary(operator, self.compute(left), self.compute(right))
            case _:
                assert_never(expression)

    def _as_columns(self, computed: Computed) -> Computed:
        """Return a long expression as columns: to name it twice is not to write it twice."""
        parts = (computed.total, computed.reason(), computed.size())
        names = [f"#{len(self._columns)} {part}" for part in ("total", "reason", "size")]
        self._columns.append([part.alias(name) for part, name in zip(parts, names, strict=True)])
        total, *others = map(pl.col, names)
        reason, size = (partial(_itself, column) for column in others)
        return replace(computed, total=total, reason=reason, size=size, weight=1)

    def _transformed(self, by: Transform, inner: Expression) -> Computed:
        """Return what a function of a formula makes of a value, and why it makes nothing of it."""
        computed, reason = self.compute(inner).as_float, function_of(by).reason
        argument = Argument(computed.value, computed.size, self._has_rows(inner), self._question)
        applied = TRANSFORMS[type(by)](by, argument)
        size = computed.size if isinstance(by, Abs | PositiveOrNull) else _size(applied.value)
        why = computed.reason
        if applied.is_undefined is not None and reason is not None:
            why = _first_reason(applied.is_undefined, reason, computed.reason)
        return Computed(applied.value, why, size, weight=4 * computed.weight)

    def _has_rows(self, expression: Expression) -> pl.Expr:
        """Return whether a fold found any row: a count is 0 where there is none."""
        columns = ((leaf, pl.col(leaf_column(leaf))) for leaf in leaves_of(expression))
        found = [
            column != 0 if leaf.name in self._counted else column.is_not_null()
            for leaf, column in columns
        ]
        return pl.any_horizontal(found) if found else pl.lit(value=True)


def _itself(expression: pl.Expr) -> pl.Expr:
    return expression


def _none() -> pl.Expr:
    return pl.lit(None, dtype=pl.String)


def _no_rows(column: pl.Expr) -> pl.Expr:
    return _where(column.is_null(), Reason.NO_ROWS)


def _where(condition: pl.Expr, reason: str) -> pl.Expr:
    return pl.when(condition).then(pl.lit(str(reason)))


def _size(value: pl.Expr) -> Written:
    return lambda: value.cast(pl.Float64).abs()


def _first_reason(condition: pl.Expr, reason: str, other: Written) -> Written:
    """Return a reason where a condition holds, and another elsewhere."""
    return lambda: pl.coalesce(_where(condition, reason), other())


def _null_if(expression: NullIf, inner: Computed) -> Computed:
    is_over = pl.col(leaf_column(expression.count)) > expression.above
    reason = _first_reason(is_over, expression.reason, inner.reason)
    value = pl.when(~is_over).then(inner.value)
    weight = 3 * inner.weight + 1
    return replace(inner, total=value, reason=reason, is_rounded=False, weight=weight)


def _binary(operator: Operator, left: Computed, right: Computed) -> Computed:
    """Return two values added, subtracted, multiplied or divided.

    Where sums are added they are taken as they come out: what rounding left of the
    whole is settled once, by the size of all its parts.
    """
    is_exact = left.is_exact and right.is_exact and operator is not Operator.DIVIDE
    is_sum = operator in {Operator.ADD, Operator.SUBTRACT}
    if not is_exact:
        left, right = left.as_float, right.as_float
    return Computed(
        _operated(operator, left, right),
        partial(_reason_of_binary, operator, left, right),
        partial(_size_of_binary, operator, left, right),
        is_exact=is_exact,
        is_float=not is_exact,
        is_rounded=is_sum and not is_exact,
        weight=2 * (left.weight + right.weight),
    )


def _operated(operator: Operator, left: Computed, right: Computed) -> pl.Expr:
    match operator:
        case Operator.ADD:
            return left.total + right.total
        case Operator.SUBTRACT:
            return left.total - right.total
        case Operator.MULTIPLY:
            return left.value * right.value
        case Operator.DIVIDE:
            by = right.value
            return pl.when(by != 0).then(left.value / by)
        case _:
            assert_never(operator)


def _reason_of_binary(operator: Operator, left: Computed, right: Computed) -> pl.Expr:
    reason = pl.coalesce(left.reason(), right.reason())
    if operator is not Operator.DIVIDE:
        return reason
    return pl.coalesce(_where(right.value == 0, Reason.EMPTY_DENOMINATOR), reason)


def _size_of_binary(operator: Operator, left: Computed, right: Computed) -> pl.Expr:
    match operator:
        case Operator.ADD | Operator.SUBTRACT:
            return left.size() + right.size()
        case Operator.MULTIPLY:
            return left.size() * right.size()
        case Operator.DIVIDE:
            return left.size() / right.value.abs()
        case _:
            assert_never(operator)


def _period_days(question: Question, shift: int) -> pl.Expr:
    """Return a period's length in days: the current one, cut to the range, or an earlier one."""
    calendar, span = question.calendar, question.span
    if not calendar.has_periods:
        if span.start is None or span.end is None:
            return pl.lit(None, dtype=pl.Float64)
        return pl.lit((span.end - span.start).total_seconds() / DAY_S)
    start, end = (calendar.moved(pl.col(PERIOD), number - shift) for number in (0, 1))
    sort = calendar.label_type if calendar.has_hours else pl.Datetime("us")
    begun, ended = start.cast(sort), end.cast(sort)
    if not shift and span.start is not None:
        begun = pl.max_horizontal(begun, _moment(calendar, span.start, sort))
    if not shift and span.end is not None:
        ended = pl.min_horizontal(ended, _moment(calendar, span.end, sort))
    return (ended - begun).dt.total_microseconds() / (DAY_S * 1e6)


def _moment(calendar: Calendar, local: dt.datetime, sort: pl.DataType) -> pl.Expr:
    """Return an end of the range in the type of the labels: an instant for periods of hours."""
    return pl.lit(calendar.instant(local) if calendar.has_hours else local).cast(sort)

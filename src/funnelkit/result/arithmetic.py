"""Arithmetic on aligned folds, and why a value is null."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import assert_never

import polars as pl

from funnelkit.calendar.calendar import Calendar
from funnelkit.formula.formulas import (
    Abs,
    Constant,
    Count,
    CountDistinct,
    CountRetained,
    PeriodsToBreakEven,
    PositiveOrNull,
    QuantileBucket,
    ShareOfTotal,
    Sqrt,
    Sum,
)
from funnelkit.formula.values import Operator
from funnelkit.planning.expression import (
    BinaryOp,
    Expression,
    FoldRef,
    NullIf,
    PeriodLength,
    Transform,
    Transformed,
    leaves_of,
)
from funnelkit.planning.plan import PERIOD, Fold, Plan, Question, group_column
from funnelkit.planning.reason import Reason

__all__ = [
    "AGE",
    "Computed",
    "Context",
    "compute",
    "context_of",
    "counted_folds",
    "is_counted",
    "leaf_column",
]


AGE = "#age"
"""How many periods a row lies after that of its cohort."""


def leaf_column(leaf: FoldRef) -> str:
    """Return the column of an aligned frame that holds a fold."""
    return f"{leaf.name}@{leaf.shift}" + ("~" if leaf.like_for_like else "")


def counted_folds(plan: Plan) -> Iterator[str]:
    """Return the names of the folds that are 0 where there are no rows."""
    return (fold.name for step in plan.steps for fold in step.folds if is_counted(fold))


def is_counted(fold: Fold) -> bool:
    """Return whether a fold is 0, and not null, where there is nothing."""
    return isinstance(fold.aggregate, Sum | Count | CountDistinct | CountRetained)


@dataclass(frozen=True, slots=True)
class Context:
    """What arithmetic needs besides the folds.

    Attributes:
        question: The question.
        groups: The key columns besides the period.
        counted: The folds that are 0 where there is nothing.
        whole: The folds that are counts.
    """

    question: Question
    groups: tuple[str, ...]
    counted: frozenset[str]
    whole: frozenset[str]

    def over_groups(self, folded: pl.Expr) -> pl.Expr:
        """Return an expression computed over all groups of the same period."""
        return folded.over(PERIOD) if self.question.calendar.has_periods else folded


@dataclass(frozen=True, slots=True)
class Computed:
    """A value as an expression on aligned folds, and why it is null.

    Attributes:
        value: The value.
        reason: The reason where the value is null; null elsewhere, and where the value
            is null for want of a number that can be held.
    """

    value: pl.Expr
    reason: pl.Expr


NO_REASON = pl.lit(None, dtype=pl.String)


def _where(condition: pl.Expr, reason: str) -> pl.Expr:
    return pl.when(condition).then(pl.lit(str(reason)))


def compute(expression: Expression, context: Context) -> Computed:
    """Return the arithmetic of an expression on aligned folds, and why it gives null."""
    match expression:
        case FoldRef():
            column = pl.col(leaf_column(expression))
            return Computed(column, _where(column.is_null(), Reason.NO_ROWS))
        case Constant(value):
            return Computed(pl.lit(value), NO_REASON)
        case PeriodLength(shift):
            return Computed(_period_days(context.question, shift), NO_REASON)
        case NullIf():
            return _null_if(expression, context)
        case Transformed(by, value):
            return _transformed(by, value, context)
        case BinaryOp(operator, left, right):
            if _is_exact(expression, context):
                return _binary(operator, compute(left, context), compute(right, context))
            if operator in {Operator.ADD, Operator.SUBTRACT}:
                total = _unsettled(expression, context)
                return replace(total, value=_settled(total.value, _size(expression, context)))
            sides = (_as_float(compute(side, context)) for side in (left, right))
            return _binary(operator, *sides)
        case _:
            assert_never(expression)


RESIDUE = 1e-9
"""What is left of amounts that cancel out, as a part of them: less than this is nothing."""


def _settled(value: pl.Expr, size: pl.Expr) -> pl.Expr:
    """Return a difference; 0 where only the rounding of its parts is left of them."""
    return pl.when(value.abs() < RESIDUE * size).then(0.0).otherwise(value)


def _unsettled(expression: Expression, context: Context) -> Computed:
    """Return a sum or difference as it comes out; it is settled once, at its root.

    Settling names a value twice, so that parts settled one in another would double
    with every term.
    """
    match expression:
        case BinaryOp(Operator.ADD | Operator.SUBTRACT as operator, left, right):
            return _binary(operator, _unsettled(left, context), _unsettled(right, context))
        case _:
            return _as_float(compute(expression, context))


def _size(expression: Expression, context: Context) -> pl.Expr:
    """Return the sum of the absolute parts of which a value is the difference."""
    match expression:
        case BinaryOp(Operator.ADD | Operator.SUBTRACT, left, right):
            return _size(left, context) + _size(right, context)
        case BinaryOp(Operator.MULTIPLY, left, right):
            return _size(left, context) * _size(right, context)
        case BinaryOp(_, left, right):
            return _size(left, context) / compute(right, context).value.abs()
        case NullIf(inner) | Transformed(Abs() | PositiveOrNull(), inner):
            return _size(inner, context)
        case _:
            return compute(expression, context).value.cast(pl.Float64).abs()


def _is_exact(expression: Expression, context: Context) -> bool:
    """Return whether a value is made of counts alone, which lose nothing."""
    match expression:
        case FoldRef(name):
            return name in context.whole
        case Constant(value):
            return isinstance(value, int)
        case BinaryOp(operator, left, right):
            is_exact = _is_exact(left, context) and _is_exact(right, context)
            return is_exact and operator is not Operator.DIVIDE
        case NullIf(inner):
            return _is_exact(inner, context)
        case _:
            return False


def _as_float(computed: Computed) -> Computed:
    """Return a number that cannot wrap around, as whole numbers of few bits do."""
    return replace(computed, value=computed.value.cast(pl.Float64))


def _null_if(expression: NullIf, context: Context) -> Computed:
    inner = compute(expression.value, context)
    is_over = pl.col(leaf_column(expression.count)) > expression.above
    value = pl.when(~is_over).then(inner.value)
    return Computed(value, pl.coalesce(_where(is_over, expression.reason), inner.reason))


def _binary(operator: Operator, left: Computed, right: Computed) -> Computed:
    reason = pl.coalesce(left.reason, right.reason)
    match operator:
        case Operator.ADD:
            return Computed(left.value + right.value, reason)
        case Operator.SUBTRACT:
            return Computed(left.value - right.value, reason)
        case Operator.MULTIPLY:
            return Computed(left.value * right.value, reason)
        case Operator.DIVIDE:
            value = pl.when(right.value != 0).then(left.value / right.value)
            is_empty = _where(right.value == 0, Reason.EMPTY_DENOMINATOR)
            return Computed(value, pl.coalesce(is_empty, reason))
        case _:
            assert_never(operator)


def _transformed(by: Transform, inner: Expression, context: Context) -> Computed:
    """Return what a function of a formula makes of a value, and why it makes nothing of it."""
    computed = _as_float(compute(inner, context))
    value, why = computed.value, computed.reason
    match by:
        case Abs():
            return Computed(value.abs(), why)
        case PositiveOrNull():
            not_positive = _where(value <= 0, Reason.NOT_POSITIVE)
            return Computed(pl.when(value > 0).then(value), pl.coalesce(not_positive, why))
        case Sqrt():
            negative = _where(value < 0, Reason.NEGATIVE)
            return Computed(pl.when(value >= 0).then(value.sqrt()), pl.coalesce(negative, why))
        case ShareOfTotal():
            whole = context.over_groups(value.sum())
            whole = _settled(whole, context.over_groups(_size(inner, context).sum()))
            is_empty = _where(whole == 0, Reason.EMPTY_DENOMINATOR)
            share = pl.when(whole != 0).then(value / whole)
            return Computed(share, pl.coalesce(is_empty, why))
        case QuantileBucket():
            is_there = _has_any(inner, context)
            bucket = _bucket(by, pl.when(is_there).then(value), context)
            return Computed(bucket, pl.coalesce(_where(~is_there, Reason.NO_ROWS), why))
        case PeriodsToBreakEven():
            first = pl.when(value >= 0).then(pl.col(AGE)).min().over(context.groups)
            reached = pl.when(pl.col(AGE) >= first).then(first)
            is_early = reached.is_null() & value.is_not_null()
            return Computed(reached, pl.coalesce(_where(is_early, Reason.NOT_REACHED), why))
        case _:
            assert_never(by)


def _bucket(by: QuantileBucket, value: pl.Expr, context: Context) -> pl.Expr:
    """Return the part into which a group falls, by the share of groups below it."""
    value = value.cast(pl.Float64).round_sig_figs(12)  # sums of the same amounts are equal
    below = context.over_groups(value.rank("dense" if by.dense else "min")) - 1
    ranked = value.drop_nulls().n_unique() if by.dense else value.count()
    return 1 + (by.parts * below.cast(pl.Int64)) // context.over_groups(ranked)


def _has_any(expression: Expression, context: Context) -> pl.Expr:
    """Return whether a fold found anything: what counts 0 may not be there at all."""
    found = [
        pl.col(leaf_column(leaf)) != 0
        if leaf.name in context.counted
        else pl.col(leaf_column(leaf)).is_not_null()
        for leaf in leaves_of(expression)
    ]
    return pl.any_horizontal(found) if found else pl.lit(value=True)


def context_of(plan: Plan) -> Context:
    """Return what the arithmetic of a plan needs besides the folds."""
    groups = tuple(group_column(dimension.name) for dimension in plan.question.by)
    folds = [fold for step in plan.steps for fold in step.folds]
    whole = (
        f.name for f in folds if isinstance(f.aggregate, Count | CountDistinct | CountRetained)
    )
    return Context(plan.question, groups, frozenset(counted_folds(plan)), frozenset(whole))


def _period_days(question: Question, shift: int) -> pl.Expr:
    """Return a period's length in days: the current one, cut to the range, or an earlier one."""
    calendar, span = question.calendar, question.span
    if not calendar.has_periods:
        if span.start is None or span.end is None:
            return pl.lit(None, dtype=pl.Float64)
        return pl.lit((span.end - span.start).total_seconds() / 86_400)
    start, end = (calendar.moved(pl.col(PERIOD), number - shift) for number in (0, 1))
    sort = calendar.label_type if calendar.has_hours else pl.Datetime("us")
    begun, ended = start.cast(sort), end.cast(sort)
    if not shift and span.start is not None:
        begun = pl.max_horizontal(begun, _moment(calendar, span.start, sort))
    if not shift and span.end is not None:
        ended = pl.min_horizontal(ended, _moment(calendar, span.end, sort))
    return (ended - begun).dt.total_microseconds() / 86_400e6


def _moment(calendar: Calendar, local: dt.datetime, sort: pl.DataType) -> pl.Expr:
    """Return an end of the range in the type of the labels: an instant for periods of hours."""
    return pl.lit(calendar.instant(local) if calendar.has_hours else local).cast(sort)

"""Arithmetic on aligned folds, and why a value is null."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
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

__all__ = [
    "AGE",
    "Context",
    "compute",
    "context_of",
    "counted_folds",
    "is_counted",
    "leaf_column",
    "reason_of",
]


AGE = "#age"
"""How many periods a row lies after that of its cohort."""


def leaf_column(leaf: FoldRef) -> str:
    """Give the column of an aligned frame that holds a leaf."""
    return f"{leaf.name}@{leaf.shift}" + ("~" if leaf.like_for_like else "")


def counted_folds(plan: Plan) -> Iterator[str]:
    """Give the names of the folds that are 0 where there is nothing."""
    return (fold.name for step in plan.steps for fold in step.folds if is_counted(fold))


def is_counted(fold: Fold) -> bool:
    """Return whether a fold is 0, and not null, where there is nothing."""
    return isinstance(fold.aggregate, Sum | Count | CountDistinct | CountRetained)


@dataclass(frozen=True, slots=True)
class Context:
    """What arithmetic needs to know besides the leaves.

    Attributes:
        question: The question.
        groups: The key columns besides the period.
        counted: The folds that are 0 where there is nothing.
    """

    question: Question
    groups: tuple[str, ...]
    counted: frozenset[str]

    def over_groups(self, folded: pl.Expr) -> pl.Expr:
        """Give what is folded of all groups of the same period."""
        return folded.over(PERIOD) if self.question.calendar.has_periods else folded


def compute(lowered: Expression, asked: Context) -> pl.Expr:
    """Give the arithmetic of a lowered formula as an expression on aligned leaves."""
    match lowered:
        case FoldRef():
            return pl.col(leaf_column(lowered))
        case Constant(value):
            return pl.lit(value)
        case PeriodLength(shift):
            return _period_days(asked.question, shift)
        case NullIf(value, count, above, _):
            return pl.when(pl.col(leaf_column(count)) <= above).then(compute(value, asked))
        case Transformed(QuantileBucket() as by, value):
            return _turned(by, pl.when(_has_any(value, asked)).then(compute(value, asked)), asked)
        case Transformed(by, value):
            return _turned(by, compute(value, asked), asked)
        case BinaryOp(operator, left, right):
            one, two = compute(left, asked), compute(right, asked)
            match operator:
                case Operator.ADD:
                    return one + two
                case Operator.SUBTRACT:
                    return one - two
                case Operator.MULTIPLY:
                    return one * two
                case Operator.DIVIDE:
                    return pl.when(two != 0).then(one / two)
                case _:
                    assert_never(operator)
        case _:
            assert_never(lowered)


def reason_of(lowered: Expression, asked: Context) -> pl.Expr:
    """Give the reason why a value is null, as a word; null where it is not."""
    match lowered:
        case FoldRef():
            return pl.when(pl.col(leaf_column(lowered)).is_null()).then(pl.lit("no_rows"))
        case Constant() | PeriodLength():
            return pl.lit(None, dtype=pl.String)
        case NullIf(value, count, above, reason):
            is_over = pl.col(leaf_column(count)) > above
            return pl.when(is_over).then(pl.lit(reason)).otherwise(reason_of(value, asked))
        case Transformed(QuantileBucket(), value):
            is_there = pl.when(_has_any(value, asked))
            return is_there.then(reason_of(value, asked)).otherwise(pl.lit("no_rows"))
        case Transformed(by, value):
            why = _why_not_turned(by, compute(value, asked), asked)
            return pl.coalesce(why, reason_of(value, asked))
        case BinaryOp(operator, left, right):
            inner = pl.coalesce(reason_of(left, asked), reason_of(right, asked))
            if operator is not Operator.DIVIDE:
                return inner
            is_empty = compute(right, asked) == 0
            return pl.when(is_empty).then(pl.lit("empty_denominator")).otherwise(inner)
        case _:
            assert_never(lowered)


def _has_any(lowered: Expression, asked: Context) -> pl.Expr:
    """Say whether a fold of a formula has found anything: what counts 0 may not be there at all."""
    found = [
        pl.col(leaf_column(leaf)) != 0
        if leaf.name in asked.counted
        else pl.col(leaf_column(leaf)).is_not_null()
        for leaf in leaves_of(lowered)
    ]
    return pl.any_horizontal(found) if found else pl.lit(value=True)


def _turned(by: Transform, value: pl.Expr, asked: Context) -> pl.Expr:
    """Give what a formula makes of the value of another."""
    match by:
        case PositiveOrNull():
            return pl.when(value > 0).then(value)
        case Abs():
            return value.abs()
        case Sqrt():
            return pl.when(value >= 0).then(value.sqrt())
        case ShareOfTotal():
            whole = asked.over_groups(value.sum())
            return pl.when(whole != 0).then(value / whole)
        case QuantileBucket(_, parts, dense=is_dense):
            value = value.cast(pl.Float64).round_sig_figs(12)  # sums of the same amounts are equal
            below = asked.over_groups(value.rank("dense" if is_dense else "min")) - 1
            ranked = value.drop_nulls().n_unique() if is_dense else value.count()
            return 1 + (parts * below.cast(pl.Int64)) // asked.over_groups(ranked)
        case PeriodsToBreakEven():
            first = pl.when(value >= 0).then(pl.col(AGE)).min().over(asked.groups)
            return pl.when(pl.col(AGE) >= first).then(first)
        case _:
            assert_never(by)


def _why_not_turned(by: Transform, value: pl.Expr, asked: Context) -> pl.Expr:
    """Give the reason why nothing could be made of a value; null where something was."""
    match by:
        case PositiveOrNull():
            return pl.when(value <= 0).then(pl.lit("not_positive"))
        case Sqrt():
            return pl.when(value < 0).then(pl.lit("negative"))
        case ShareOfTotal():
            is_nothing = asked.over_groups(value.sum()) == 0
            return pl.when(is_nothing).then(pl.lit("empty_denominator"))
        case PeriodsToBreakEven():
            is_early = _turned(by, value, asked).is_null() & value.is_not_null()
            return pl.when(is_early).then(pl.lit("not_reached"))
        case Abs() | QuantileBucket():
            return pl.lit(None, dtype=pl.String)
        case _:
            assert_never(by)


def context_of(plan: Plan) -> Context:
    """Give what the arithmetic of a plan needs to know besides the leaves."""
    groups = tuple(group_column(dimension.name) for dimension in plan.question.by)
    return Context(plan.question, groups, frozenset(counted_folds(plan)))


def _period_days(question: Question, shift: int) -> pl.Expr:
    """Give the length of a period in days: the present one, cut to the range, or an earlier one."""
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
    """Give an end of the range as labels are: an instant where they have hours."""
    return pl.lit(calendar.instant(local) if calendar.has_hours else local).cast(sort)

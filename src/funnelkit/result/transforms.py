"""What the functions of formulas make of values: square roots, shares, buckets and others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from funnelkit.formula.formulas import (
    Abs,
    PeriodsToBreakEven,
    PositiveOrNull,
    QuantileBucket,
    ShareOfTotal,
    Sqrt,
    Transform,
)
from funnelkit.planning.magnitude import RESIDUE
from funnelkit.planning.plan import PERIOD, Question, group_column

__all__ = ["AGE", "TRANSFORMS", "Argument", "TransformedValue", "settled"]

AGE = "#age"
"""How many periods a row lies after that of its cohort."""


def settled(total: pl.Expr, size: pl.Expr) -> pl.Expr:
    """Return a sum or difference; 0 where only the rounding of its parts is left of them.

    Args:
        total: The sum or difference.
        size: The sum of the absolute values of its parts.
    """
    return pl.when(total.abs() < RESIDUE * size).then(0.0).otherwise(total)


@dataclass(frozen=True, slots=True)
class Argument:
    """The argument of a function.

    Attributes:
        value: Its value.
        size: Writes the sum of the absolute values of its parts.
        has_rows: Whether any fold found a row: a count is 0 where there is none.
        question: The question.
    """

    value: pl.Expr
    size: Callable[[], pl.Expr]
    has_rows: pl.Expr
    question: Question

    def over_groups(self, folded: pl.Expr) -> pl.Expr:
        """Return an expression computed over all groups of the same period."""
        return folded.over(PERIOD) if self.question.calendar.has_periods else folded

    def over_periods(self, folded: pl.Expr) -> pl.Expr:
        """Return an expression computed over all periods of the same group."""
        return folded.over(group_column(dimension.name) for dimension in self.question.by)


@dataclass(frozen=True, slots=True)
class TransformedValue:
    """What a function makes of a value.

    Attributes:
        value: The value.
        is_undefined: Where it is null for the reason of the function; None for nowhere.
    """

    value: pl.Expr
    is_undefined: pl.Expr | None = None


def _abs(_: Abs, argument: Argument) -> TransformedValue:
    return TransformedValue(argument.value.abs())


def _positive_or_null(_: PositiveOrNull, argument: Argument) -> TransformedValue:
    value = argument.value
    return TransformedValue(pl.when(value > 0).then(value), value <= 0)


def _sqrt(_: Sqrt, argument: Argument) -> TransformedValue:
    value = argument.value
    return TransformedValue(pl.when(value >= 0).then(value.sqrt()), value < 0)


def _share_of_total(_: ShareOfTotal, argument: Argument) -> TransformedValue:
    parts = (argument.value, argument.size())
    whole = settled(*(argument.over_groups(part.sum()) for part in parts))
    return TransformedValue(pl.when(whole != 0).then(argument.value / whole), whole == 0)


def _quantile_bucket(by: QuantileBucket, argument: Argument) -> TransformedValue:
    present = pl.when(argument.has_rows).then(argument.value)
    value = present.round_sig_figs(12)  # sums of the same amounts are equal
    below = argument.over_groups(value.rank("dense" if by.dense else "min")) - 1
    ranked = argument.over_groups(value.drop_nulls().n_unique() if by.dense else value.count())
    bucket = 1 + (by.parts * below.cast(pl.Int64)) // ranked
    return TransformedValue(bucket, ~argument.has_rows)


def _periods_to_break_even(_: PeriodsToBreakEven, argument: Argument) -> TransformedValue:
    value, age = argument.value, pl.col(AGE)
    first = argument.over_periods(pl.when(value >= 0).then(age).min())
    reached = pl.when(age >= first).then(first)
    return TransformedValue(reached, reached.is_null() & value.is_not_null())


TRANSFORMS: dict[type[Transform], Callable[..., TransformedValue]] = {
    Abs: _abs,
    PositiveOrNull: _positive_or_null,
    Sqrt: _sqrt,
    ShareOfTotal: _share_of_total,
    QuantileBucket: _quantile_bucket,
    PeriodsToBreakEven: _periods_to_break_even,
}
"""What each function of a formula makes of itself and its `Argument`."""

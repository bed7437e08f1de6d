"""The folds: aggregates over the rows of one table, by the names that the text form calls.

Their classes are in `formulas`, since folds and formulas are one recursive type. `count` and
`quantile`, which take something else than a value, are read in `parsing`.
"""

from __future__ import annotations

from collections.abc import Callable

from funnelkit.formula.formulas import (
    ClosingBalance,
    CountDistinct,
    CountRetained,
    Formula,
    Max,
    Mean,
    Min,
    StdDev,
    Sum,
)

__all__ = ["FOLDS"]

FOLDS: dict[str, Callable[..., Formula]] = {
    "sum": Sum,
    "count_distinct": CountDistinct,
    "count_retained": CountRetained,
    "mean": Mean,
    "min": Min,
    "max": Max,
    "std_dev": StdDev,
    "closing_balance": ClosingBalance,
}

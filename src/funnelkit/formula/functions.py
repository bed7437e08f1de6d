"""The functions that the text form of a formula may call."""

from __future__ import annotations

from collections.abc import Callable

from funnelkit.formula.formulas import (
    Abs,
    ClosingBalance,
    CountDistinct,
    CountRetained,
    Cumulative,
    Formula,
    Max,
    Mean,
    Min,
    PeriodsToBreakEven,
    PositiveOrNull,
    QuantileBucket,
    ShareOfTotal,
    Shift,
    Sqrt,
    StdDev,
    Sum,
)
from funnelkit.formula.values import (
    AsOf,
    Category,
    Coalesce,
    Column,
    ConcatKey,
    Duration,
    Elapsed,
    Flag,
    Key,
    Lookup,
    Lower,
    Money,
    Quantity,
    Score,
    Time,
    Value,
    text_name,
)

__all__ = ["CALLS", "COUNTED", "FOLDS", "KINDS", "TAKES", "UNARY"]


KINDS: dict[str, type[Column]] = {
    kind.__name__.lower(): kind
    for kind in (Key, Category, Money, Quantity, Time, Duration, Score, Flag)
}


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


UNARY: dict[str, Callable[[Formula], Formula]] = {
    text_name(kind): kind
    for kind in (Cumulative, PositiveOrNull, PeriodsToBreakEven, Abs, Sqrt, ShareOfTotal)
}


COUNTED: dict[str, Callable[..., Formula]] = {
    text_name(kind): kind for kind in (Shift, QuantileBucket)
}


TAKES = {
    **{name: set[str]() for name in ("period_days", *UNARY)},
    "shift": {"like_for_like"},
    "quantile_bucket": {"dense"},
}


CALLS: dict[str, tuple[Callable[..., Value] | None, int | None]] = {
    "coalesce": (Coalesce, None),
    "concat_key": (ConcatKey, None),
    "elapsed": (Elapsed, 2),
    "lookup": (Lookup, 2),
    "lower": (Lower, 1),
    "as_of": (AsOf, 0),
    "if_else": (None, 3),
    "date": (None, 1),
}

"""Membership of long lists: the same answer as comparing with each, at the cost of a look-up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import polars as pl

__all__ = ["among_numbers", "moments"]

_WIDEST = 2**126
"""Whole numbers beyond this are in no column of whole numbers."""


def among_numbers(expr: pl.Expr, options: Sequence[float]) -> pl.Expr:
    """Say whether a number is one of many.

    Whole numbers are looked up in the column's own type, so that the largest keep
    every digit; fractions as fractions, which no whole number equals.
    """
    whole = [o for o in options if isinstance(o, int) and abs(o) < _WIDEST]
    others = [float(o) for o in options if not isinstance(o, int) or abs(o) >= _WIDEST]
    is_wide = bool(whole) and not -(2**63) <= min(whole) <= max(whole) < 2**63
    kept = pl.Series(whole, dtype=pl.Int128 if is_wide else pl.Int64)
    own = pl.lit(kept).cast(pl.dtype_of(expr), strict=False).implode()
    found = expr.is_in(own) if whole else pl.lit(value=False)
    return found | expr.cast(pl.Float64).is_in(others) if others else found


def moments(days: Iterable[dt.date]) -> pl.Series:
    """Give days, by their midnight, and moments as one column without a zone."""
    local = [_local(day) for day in days]
    return pl.Series(local, dtype=pl.Datetime("us"))


def _local(day: dt.date) -> dt.datetime:
    if not isinstance(day, dt.datetime):
        return dt.datetime.combine(day, dt.time())
    return day if day.tzinfo is None else day.astimezone(dt.UTC).replace(tzinfo=None)

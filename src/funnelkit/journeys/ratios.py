"""Ratios of columns."""

from __future__ import annotations

import polars as pl

__all__ = ["ratio"]


def ratio(above: pl.Expr, below: pl.Expr) -> pl.Expr:
    """Return a ratio of two columns; null where the lower one is 0 or null.

    Polars multiplies by the inverse of a column that holds one value throughout, which
    makes 2005 / 2005 a little less than 1: this column is never taken for such a one.
    """
    return pl.when(below != 0).then(above / (below + above * 0))

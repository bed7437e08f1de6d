"""Intervals from moments over units: of shares, ratios, totals and quantiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from funnelkit.sampling.moments import ABOVE, BELOW, Moments, moments_over, wilson

__all__ = ["Bounds", "Interval", "of_quantile", "of_ratio", "of_share", "of_total"]

Bounds = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where a value may lie.

    Attributes:
        low: The lower end.
        high: The upper end.
        se: The standard error.
        effective_n: How many independent observations a share is worth.
        design_effect: The variance over that of independent rows, where that is known.
    """

    low: float
    high: float
    se: float
    effective_n: float | None = None
    design_effect: float | None = None


def of_share(moments: Moments, z: float) -> Interval:
    """Return the interval of a share: Wilson's, with the effective size of the delta method."""
    share, se = moments.ratio, moments.ratio_se
    spread = share * (1 - share)
    if spread <= 0:
        low, high = wilson(round(share), moments.units, z)
        return Interval(low=low, high=high, se=se, effective_n=float(moments.units))
    if se == 0:
        return Interval(low=share, high=share, se=se, design_effect=0.0)
    size = spread / (se * se)
    low, high = wilson(share, size, z)
    return Interval(low=low, high=high, se=se, effective_n=size, design_effect=moments.below / size)


def of_ratio(moments: Moments, bounds: Bounds, z: float) -> Interval:
    """Return the interval of a ratio of sums, by the delta method, cut at its bounds."""
    low, high = _within(moments.ratio, z * moments.ratio_se, bounds)
    return Interval(low=low, high=high, se=moments.ratio_se)


def of_total(moments: Moments, value: float, bounds: Bounds, z: float) -> Interval:
    """Return the interval of a sum over units of which there might have been more or fewer.

    Args:
        moments: The moments of the units.
        value: The sum; larger than that of the units where a few rows name none.
        bounds: The bounds of the metric.
        z: How many standard errors the interval reaches.
    """
    scale = value / moments.above if moments.above else 1.0
    se = moments.total_se * abs(scale)
    floor = 0.0 if moments.lowest >= 0 else None
    lowest = floor if bounds[0] is None else bounds[0]
    low, high = _within(value, z * se, (lowest, bounds[1]))
    return Interval(low=low, high=high, se=se)


def _within(value: float, half: float, bounds: Bounds) -> tuple[float, float]:
    """Return an interval around a value, cut at the bounds that the value keeps."""
    low, high = value - half, value + half
    if bounds[0] is not None and value >= bounds[0]:
        low = max(low, bounds[0])
    if bounds[1] is not None and value <= bounds[1]:
        high = min(high, bounds[1])
    return low, high


def of_quantile(rows: pl.DataFrame, value: float, q: float, z: float) -> tuple[Moments, Interval]:
    """Return the interval of a quantile: quantiles farther down and up (Woodruff 1952).

    How far follows from the share of rows at or below the value, whose standard error is that
    of a ratio over units.

    Args:
        rows: One row per value, with its unit (`unit`) and the value (`value`).
        value: The quantile.
        q: Which one it is.
        z: How many standard errors the interval reaches.

    Returns:
        The moments of the share, and the interval.
    """
    is_below = (pl.col("value") <= value).cast(pl.Float64).sum()
    units = rows.group_by("unit").agg(is_below.alias(ABOVE), pl.len().cast(pl.Float64).alias(BELOW))
    moments = moments_over(units, (ABOVE, BELOW))
    if moments.units < 2:
        return moments, Interval(low=value, high=value, se=0.0)
    reach, values = z * moments.ratio_se, rows.get_column("value").to_numpy()
    low, high = (
        float(np.quantile(values, each)) for each in (max(q - reach, 0), min(q + reach, 1))
    )
    low, high = min(low, value), max(high, value)
    return moments, Interval(low=low, high=high, se=(high - low) / (2 * z))

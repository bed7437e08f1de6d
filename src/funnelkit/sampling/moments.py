"""Moments over units: the sums that the uncertainty of a ratio or a total follows from.

They are centred, so that large amounts that differ little do not cancel out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import pi, sqrt
from statistics import NormalDist
from typing import Any

import polars as pl

from funnelkit.planning.plan import UNITS

__all__ = [
    "ABOVE",
    "BELOW",
    "FEWEST",
    "MEANS",
    "MOMENTS",
    "ONCE",
    "Moments",
    "moments_of",
    "moments_over",
    "quantile_of_normal",
    "summed",
    "wilson",
]

ABOVE, BELOW = "#above", "#below"
"""The columns of a unit's part in the numerator and in the denominator."""

ONCE = pl.lit(1, dtype=pl.Int64).alias(UNITS)
"""The column of how many units a row is of, where each is of one."""

MEANS = ("#mean above", "#mean below")

FEWEST = 20
"""The fewest units for which the delta method is to be trusted: below, it holds far too little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The moments of the numerator and the denominator of a metric over units.

    Attributes:
        units: How many units there are.
        above: The sum of the numerators.
        below: The sum of the denominators.
        rest_squares: The sum of the squares of what the ratio of the sums leaves of the
            numerators: of how far each lies from the ratio times its denominator.
        raw_squares: The sum of the squared numerators.
        lowest: The lowest numerator.
        is_share: Whether each numerator lies between 0 and its denominator.
    """

    units: int
    above: float
    below: float
    rest_squares: float
    raw_squares: float
    lowest: float
    is_share: bool

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Moments:
        """Return the moments in a row of `moments_of`."""
        return cls(**{name.removeprefix("#"): row[name] for name in MOMENTS})

    @property
    def ratio(self) -> float:
        """The numerator over the denominator."""
        return self.above / self.below

    @property
    def ratio_variance(self) -> float:
        """The variance of one unit's part in the ratio, by the delta method."""
        mean = self.below / self.units
        return self.rest_squares / (self.units - 1) / mean**2

    @property
    def ratio_se(self) -> float:
        """The standard error of the ratio: that of a mean of independent units."""
        return sqrt(self.ratio_variance / self.units)

    @property
    def total_se(self) -> float:
        """The standard error of the sum of numerators, where chance picks their number too."""
        return sqrt(self.raw_squares)


MOMENTS = tuple(f"#{name}" for name in Moments.__dataclass_fields__)
"""The columns of `moments_of`, in the order of the fields of `Moments`."""


def moments_of(units: pl.DataFrame | pl.LazyFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return the moments of each group, as columns named like the fields of `Moments`.

    Args:
        units: One row per unit and group, or for several that have the same, with the columns
            of their two sides and of how many they are.
        keys: The columns of a group.
    """
    above, below, many = pl.col(ABOVE), pl.col(BELOW), pl.col(UNITS)
    rows = units.lazy().select(*keys, above, below, many)
    sides = zip((above, below), MEANS, strict=True)
    means = summed(
        rows, keys, [((side * many).sum() / many.sum()).alias(name) for side, name in sides]
    )
    off_above, off_below = above - pl.col(MEANS[0]), below - pl.col(MEANS[1])
    rest = off_above - pl.col(MEANS[0]) / pl.col(MEANS[1]) * off_below
    sums = (
        many.sum(),
        (above * many).sum(),
        (below * many).sum(),
        (rest.pow(2) * many).sum(),
        (above.pow(2) * many).sum(),
        above.min(),
        ((above >= 0) & (above <= below)).all(),
    )
    named = [each.alias(name) for each, name in zip(sums, MOMENTS, strict=True)]
    if keys:
        rows = rows.join(means.lazy(), on=keys, nulls_equal=True)
    else:
        rows = rows.with_columns(
            pl.lit(means[name].item(), dtype=pl.Float64).alias(name) for name in MEANS
        )
    return summed(rows, keys, named)


def moments_over(units: pl.DataFrame, sides: Sequence[str]) -> Moments:
    """Return the moments over units, of which each row is one.

    Args:
        units: The units.
        sides: The columns of their numerators and, where there are such, their denominators.
    """
    above, *below = map(pl.col, sides)
    both = above.alias(ABOVE), (below[0] if below else pl.lit(1.0)).alias(BELOW)
    return Moments.of_row(moments_of(units.select(*both, ONCE), ()).row(0, named=True))


def summed(rows: pl.LazyFrame, keys: Sequence[str], sums: Sequence[pl.Expr]) -> pl.DataFrame:
    """Return sums of each group: part by part, so that no column of many units is written."""
    query = rows.group_by(keys).agg(sums) if keys else rows.select(sums)
    return query.collect(engine="streaming")


def wilson(share: float, size: float, z: float) -> tuple[float, float]:
    """Return the score interval of a share, without correction for continuity (Wilson 1927).

    Args:
        share: The share that was seen.
        size: How many independent observations it is worth.
        z: How many standard errors the interval reaches.
    """
    shrunk = z * z / size
    centre = (share + shrunk / 2) / (1 + shrunk)
    half = z * sqrt(share * (1 - share) / size + shrunk / size / 4) / (1 + shrunk)
    return min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share)


def quantile_of_normal(level: float) -> float:
    """Return how many standard errors an interval of a level reaches to each side."""
    found = -NormalDist().inv_cdf((1 - level) / 2)
    return found or level * sqrt(pi / 2)  # a level so low that half of the rest is rounded to 1/2

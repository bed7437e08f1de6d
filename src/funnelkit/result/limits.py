"""Process limits: what a series of values does by itself, and what stands out of it.

The chart is the individuals chart with denominators (I', Taylor); with equal denominators it
is Wheeler's XmR chart. The rules are Wheeler's three.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import pi, sqrt
from statistics import median

__all__ = ["FEWEST", "FIRM", "WIDTH", "ProcessLimits", "Signals", "process_limits", "signals"]

FEWEST, FIRM = 6, 12
"""The fewest values that give limits, and how many make them firm (Wheeler)."""

WIDTH = 3.0
"""How many sigma the limits lie from the centre."""

RUN, NEAR_WIDTH, NEAR, NEAR_OF = 8, 1.5, 3, 4
RANGE_TO_SIGMA = sqrt(pi / 2)
MEDIAN_TO_MEAN_RANGE = 3.145 / 2.660
"""Wheeler's constants for the median of the moving ranges and for their mean."""


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """Where a process lies and how far it varies by itself.

    Attributes:
        centre: The mean of the values, weighted by their denominators.
        unit_sigma: The standard deviation of a value whose denominator is 1.
        points: How many values it rests on.
    """

    centre: float
    unit_sigma: float
    points: int

    def sigma(self, weight: float) -> float:
        """Return the standard deviation of a value with a denominator."""
        return self.unit_sigma / sqrt(weight)


@dataclass(frozen=True, slots=True)
class Signals:
    """Which values break which rule, in the order of the values.

    Attributes:
        outside: More than three sigma from the centre.
        run: Among eight or more successive values on one side.
        near: Among three of four successive values beyond 1.5 sigma on one side.
    """

    outside: list[bool]
    run: list[bool]
    near: list[bool]


def process_limits(
    values: Sequence[float | None], weights: Sequence[float], *, robust: bool = False
) -> ProcessLimits | None:
    """Return the limits of successive values, or None where no two of them are successive.

    Args:
        values: The values in order; None is a gap, over which nothing is successive.
        weights: The denominator of each value, greater than 0; 1 where there is none.
        robust: Medians in place of means.
    """
    pairs = list(zip(values, weights, strict=True))
    known = [(value, weight) for value, weight in pairs if value is not None]
    spreads = [
        abs(value - before) * RANGE_TO_SIGMA / sqrt(1 / weight + 1 / weight_before)
        for (before, weight_before), (value, weight) in pairwise(pairs)
        if value is not None and before is not None
    ]
    if not spreads:
        return None
    spread = MEDIAN_TO_MEAN_RANGE * median(spreads) if robust else sum(spreads) / len(spreads)
    centre = _weighted_median(known) if robust else _weighted_mean(known)
    return ProcessLimits(centre, spread, len(known))


def _weighted_mean(known: Sequence[tuple[float, float]]) -> float:
    if len({value for value, _ in known}) == 1:
        return known[0][0]
    return sum(value * weight for value, weight in known) / sum(weight for _, weight in known)


def _weighted_median(known: Sequence[tuple[float, float]]) -> float:
    """Return the value with half of the weight on each side, the mean of two where two have it."""
    half, passed = sum(weight for _, weight in known) / 2, 0.0
    rows = sorted(known)
    for place, (value, weight) in enumerate(rows):
        passed += weight
        if passed == half:
            return (value + rows[place + 1][0]) / 2
        if passed > half:
            return value
    return rows[-1][0]


def signals(distances: Sequence[float | None]) -> Signals:
    """Return which values break a rule.

    Args:
        distances: How many sigma each value lies above the centre, infinite where sigma is 0;
            None is a gap, over which nothing is successive.
    """
    outside = [each is not None and abs(each) > WIDTH for each in distances]
    run, near = ([False] * len(distances) for _ in range(2))
    for side in (1, -1):
        for first, last in _stretches([each is not None and each * side > 0 for each in distances]):
            if last - first >= RUN:
                run[first:last] = [True] * (last - first)
        for places in _windows(distances):
            far = [at for at in places if (distances[at] or 0.0) * side > NEAR_WIDTH]
            if len(far) >= NEAR:
                for at in far:
                    near[at] = True
    return Signals(outside, run, near)


def _stretches(marks: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Return the first place of each stretch of marks, and the place after its last."""
    first = None
    for at, mark in enumerate([*marks, False]):
        if mark and first is None:
            first = at
        elif not mark and first is not None:
            yield first, at
            first = None


def _windows(distances: Sequence[float | None]) -> Iterator[range]:
    """Return every three or four successive places without a gap."""
    known = [each is not None for each in distances]
    for size in (NEAR, NEAR_OF):
        for first in range(len(distances) - size + 1):
            if all(known[first : first + size]):
                yield range(first, first + size)

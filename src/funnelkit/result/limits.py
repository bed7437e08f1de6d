"""Process limits: what a series of values does by itself, and what stands out of it.

The chart is the individuals chart with denominators (I', Taylor); with equal denominators it
is Wheeler's XmR chart. The rules are Wheeler's three.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import pi, sqrt
from statistics import median

__all__ = [
    "FEWEST",
    "FIRM",
    "RULES",
    "WIDTH",
    "Episode",
    "ProcessLimits",
    "Rule",
    "Signals",
    "process_limits",
    "signals",
]

FEWEST, FIRM = 6, 12
"""The fewest values that give limits, and how many make them firm (Wheeler)."""

WIDTH = 3.0
"""How many sigma the limits lie from the centre."""

RUN, NEAR_WIDTH, NEAR, NEAR_OF = 8, 1.5, 3, 4
RULES = (
    f"outside: more than {WIDTH:g} sigma from what is expected. "
    f"run: {RUN} or more in a row on one side. "
    f"near: {NEAR} of {NEAR_OF} in a row beyond {NEAR_WIDTH:g} sigma on one side."
)
RANGE_TO_SIGMA = sqrt(pi / 2)
MEDIAN_TO_SIGMA = 3.145 / WIDTH * 2 / sqrt(pi)
"""Wheeler's constant: the limits of medians lie 3.145 median moving ranges from the centre."""


class Rule(StrEnum):
    """The rules by which a value stands out, the one with most weight first."""

    OUTSIDE = "outside"
    RUN = "run"
    NEAR = "near"


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
class Episode:
    """What one cause may have done: the values that break a rule together, on one side.

    Attributes:
        rule: The rule.
        places: The places of the values, in order.
        detected: The place of the value with which the rule is first broken.
    """

    rule: Rule
    places: tuple[int, ...]
    detected: int


@dataclass(frozen=True, slots=True)
class Signals:
    """Which values break which rule.

    Attributes:
        count: How many values there are.
        episodes: What breaks a rule, in the order of the rules.
    """

    count: int
    episodes: tuple[Episode, ...]

    def marks(self, rule: Rule) -> list[bool]:
        """Return whether each value breaks a rule."""
        marked = {at for each in self.episodes if each.rule is rule for at in each.places}
        return [at in marked for at in range(self.count)]

    def by_place(self) -> dict[int, Episode]:
        """Return what each value that breaks a rule belongs to, by the first of its rules."""
        return {at: each for each in reversed(self.episodes) for at in each.places}


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
    spread = MEDIAN_TO_SIGMA * median(spreads) if robust else sum(spreads) / len(spreads)
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
    sides = [[None if each is None else each * side for each in distances] for side in (1, -1)]
    outside = [
        Episode(Rule.OUTSIDE, tuple(range(first, last)), first)
        for above in sides
        for first, last in _stretches([each is not None and each > WIDTH for each in above])
    ]
    runs = [
        Episode(Rule.RUN, tuple(range(first, last)), first + RUN - 1)
        for above in sides
        for first, last in _stretches([each is not None and each > 0 for each in above])
        if last - first >= RUN
    ]
    near = [episode for above in sides for episode in _near(above)]
    return Signals(len(distances), (*outside, *runs, *near))


def _near(above: Sequence[float | None]) -> Iterator[Episode]:
    """Return what lies near a limit: windows that share a value are one episode."""
    places, detected = set[int](), 0
    for window in _windows(above):
        far = [at for at in window if (above[at] or 0.0) > NEAR_WIDTH]
        if len(far) < NEAR:
            continue
        if places and places.isdisjoint(far):
            yield Episode(Rule.NEAR, tuple(sorted(places)), detected)
            places = set[int]()
        detected = detected if places else far[NEAR - 1]
        places.update(far)
    if places:
        yield Episode(Rule.NEAR, tuple(sorted(places)), detected)


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
    """Return every three or four successive places without a gap, in order of the first."""
    known = [each is not None for each in distances]
    for first in range(len(distances)):
        for last in (first + NEAR, first + NEAR_OF):
            if last <= len(distances) and all(known[first:last]):
                yield range(first, last)

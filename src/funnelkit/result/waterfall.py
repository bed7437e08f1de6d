"""Contributions as bars of text, each beginning where the one before ends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

__all__ = ["waterfall"]

WIDTH, MARGIN = 32, 0.1
TOTAL, RISE, FALL, EMPTY = "█", "+", "-", "·"


def waterfall(before: float, contributions: Sequence[float]) -> list[str]:
    """Return a bar for the value before, for each contribution, and for the value after.

    The bars are cut off below what moves: they show the steps, not the size of the whole.

    Args:
        before: The value before.
        contributions: The steps from it, in order.
    """
    levels = list(accumulate(contributions, initial=before))
    low, high = min(levels), max(levels)
    low -= MARGIN * (high - low)

    def place(level: float) -> int:
        return round((level - low) / (high - low) * WIDTH) if high > low else 0

    steps = [_step(place(one), place(two)) for one, two in pairwise(levels)]
    return [TOTAL * place(levels[0]), *steps, TOTAL * place(levels[-1])]


def _step(start: int, end: int) -> str:
    mark = RISE if end > start else FALL
    return EMPTY * min(start, end) + mark * abs(end - start)

"""The ages at which customers do something, counted from the first time of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from funnelkit.journeys.timeline import Block, Codes, Timeline

__all__ = ["Lifetimes", "lifetimes_of"]

EMPTY = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """What each entity does, from its first time on.

    Attributes:
        owners: The entities.
        first: When each was there first, in microseconds since 1970.
        label: The label of each then.
        count: At how many ages each is there.
        ages: These ages, those of one entity after those of another.
        rows: How many rows each entity has at each of these ages.
    """

    owners: pl.Series
    first: Codes
    label: Codes
    count: Codes
    ages: Codes
    rows: Codes

    @property
    def last(self) -> Codes:
        """The last age at which each entity is there."""
        return self.ages[np.cumsum(self.count) - 1]

    @property
    def second(self) -> Codes:
        """The age of the second row of each entity; -1 where there is none."""
        begun = np.cumsum(self.count) - self.count
        following = self.ages[np.minimum(begun + 1, len(self.ages) - 1)]
        again = np.where(self.count > 1, following, -1)
        return np.where(self.rows[begun] > 1, 0, again)


def lifetimes_of(timeline: Timeline, *, groups: int, length: int | None) -> Lifetimes:
    """Return what each entity does at which age.

    Args:
        timeline: The rows; their label is `period * groups + group`.
        groups: How many groups there are.
        length: How many microseconds an age lasts; None where it is a period.
    """
    columns = timeline.each(lambda block: _of_block(block, groups, length)) or [EMPTY] * 6
    return Lifetimes(timeline.owners.named(columns[0]), *columns[1:])


def _of_block(block: Block, groups: int, length: int | None) -> list[Codes]:
    """Return the columns of `Lifetimes`."""
    numbers = block.numbers_of(block.codes)
    begun = np.flatnonzero(np.diff(numbers, prepend=-1))
    sizes = np.diff(begun, append=len(numbers))
    since = block.labels // groups if length is None else block.times_of(block.codes)
    ages = since - np.repeat(since[begun], sizes)
    if length is not None:
        ages //= length
    is_new = np.diff(ages, prepend=-1) != 0
    is_new[begun] = True
    new, codes = np.flatnonzero(is_new), block.codes[begun]
    return [
        block.entities_of(codes),
        block.times_of(codes),
        block.labels_of(codes),
        np.add.reduceat(is_new, begun, dtype=np.int64),
        ages[new],
        np.diff(new, append=len(numbers)),
    ]

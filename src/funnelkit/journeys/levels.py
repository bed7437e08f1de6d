"""How far each entity gets through the steps of a funnel.

For each step is carried the latest start from which a chain has reached it: of all chains it
leaves the most of the window. A chain gets one step farther at a row of the next step, if the
start that is carried lies within the window. That is linear in rows times steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from funnelkit.journeys.instants import Chains, chains_of_instants
from funnelkit.journeys.rows import ENTITY, GROUP
from funnelkit.journeys.timeline import NONE, Block, Codes, Flags, Timeline

__all__ = ["LATEST", "LEVEL", "Order", "StepTable", "Ties", "levels_of"]

Order = Literal["ordered", "strict", "any"]
Ties = Literal["chain", "increase"]

LEVEL, LATEST = "#level", "#latest"
EMPTY = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTable:
    """What the labels of rows mean, and how steps may follow one another.

    Attributes:
        kinds: For each step, of which kinds of rows it may be.
        groups: How many labels there are of each kind: the label is
            `kind * groups + group`.
        order: Whether other rows may lie between two steps, or the order does not matter.
        ties: Whether a step may be at the same instant as the one before.
    """

    kinds: Flags
    groups: int
    order: Order
    ties: Ties

    @property
    def shares(self) -> bool:
        """Whether a row may be of several steps."""
        return bool((self.kinds.sum(axis=0) > 1).any())

    def matching(self, block: Block) -> Callable[[int], Flags]:
        """Return what finds the rows of a block that a step may be."""
        kinds = block.labels // self.groups if self.groups > 1 else block.labels
        if self.shares:
            return lambda step: self.kinds[step][kinds]
        number = [int(np.flatnonzero(row)[0]) if row.any() else -1 for row in self.kinds]
        return lambda step: kinds == number[step]


def levels_of(timeline: Timeline, table: StepTable) -> pl.DataFrame:
    """Return how far each entity gets that takes the first step.

    Of the chains that get farthest it is the one that gets there first, and of these the
    one that starts last; each step of it is the first that can follow the one before.

    Args:
        timeline: The rows.
        table: What they mean.

    Returns:
        A frame with the entity (`#entity`), the `#level` from 1, the `#group` of the first
        step, when the latest first step was (`#latest`), and for each step when it was
        taken (`0`, `1`, …), in microseconds since 1970; null where it was not.
    """
    find = _in_any_order if table.order == "any" else _in_order
    parts = [find(block, table, timeline.window) for block in timeline.blocks]
    names = [ENTITY, LEVEL, GROUP, LATEST, *map(str, range(len(table.kinds)))]
    columns = [np.concatenate(some) for some in zip(*parts, strict=True)] if parts else []
    found = dict(zip(names, columns, strict=True)) if parts else dict.fromkeys(names, EMPTY)
    owners = timeline.owners.named(found.pop(names[0]))
    frame = pl.DataFrame({names[0]: owners, **found})
    steps = pl.col(names[4:])
    return frame.with_columns(pl.when(steps != NONE).then(steps))


def _in_order(block: Block, table: StepTable, window: int) -> list[Codes]:
    """Return the columns of `levels_of` for chains in the order of the steps."""
    chains = _chains(block, table, window)
    count = int(block.numbers_of(block.codes[-1:])[0]) + 1
    level, start, end = np.zeros(count, np.int64), np.full(count, NONE), np.zeros(count, np.int64)
    reached = [np.flatnonzero(some != NONE) for some in chains.starts]
    owners = [block.numbers_of(chains.codes[rows]) for rows in reached]
    for step, (rows, owner) in enumerate(zip(reached, owners, strict=True)):
        first = _firsts(owner)
        level[owner[first]], end[owner[first]] = step + 1, rows[first]
        start[owner[first]] = chains.starts[step][rows[first]]
    taken = np.full((len(reached), count), NONE)
    for step, (rows, owner) in enumerate(zip(reached, owners, strict=True)):
        if table.order == "strict":
            its = np.flatnonzero(level > step)
            taken[step, its] = block.times_of(chains.codes[end[its] - level[its] + 1 + step])
            continue
        # a later start that gets there as early could be replaced by the earlier one
        its = np.flatnonzero(chains.starts[step][rows] >= start[owner])
        first = its[_firsts(owner[its])]
        taken[step, owner[first]] = block.times_of(chains.codes[rows[first]])
    return _columns(block, table, _Best(level, start, taken))


@dataclass(frozen=True, slots=True)
class _Best:
    """The best chain of each entity of a block, by its number.

    Attributes:
        level: How far it gets.
        start: The code of its first step.
        taken: For each step when it is taken.
    """

    level: Codes
    start: Codes
    taken: Codes


def _columns(block: Block, table: StepTable, best: _Best) -> list[Codes]:
    """Return the columns of `levels_of` for the entities that take the first step."""
    firsts = block.codes[table.matching(block)(0)]
    latest = np.full(len(best.level), NONE)
    latest[block.numbers_of(firsts)] = block.times_of(firsts)
    kept = np.flatnonzero(best.level)
    start = best.start[kept]
    group = block.labels_of(start) % table.groups
    columns = [block.entities_of(start), best.level[kept], group, latest[kept]]
    return [*columns, *best.taken[:, kept]]


def _firsts(owners: Codes) -> Codes:
    """Return the places at which a run of equal numbers begins."""
    return np.flatnonzero(np.diff(owners, prepend=-1))


def _in_any_order(block: Block, table: StepTable, window: int) -> list[Codes]:
    """Return the columns of `levels_of` where the first steps may be taken in any order.

    Of each step is carried when it was last taken: the first so many steps lie within a
    window where the earliest of these times does.
    """
    matches, earliest = table.matching(block), block.earliest(window)
    count = int(block.numbers_of(block.codes[-1:])[0]) + 1
    level, start = np.zeros(count, np.int64), np.full(count, NONE)
    taken = np.full((len(table.kinds), count), NONE)
    last, low = list[Codes](), np.full(len(block.codes), -(NONE + 1))
    for step in range(len(table.kinds)):
        last.append(_carried(np.where(matches(step), block.codes, NONE)))
        low = np.minimum(low, last[-1])
        rows = np.flatnonzero(low >= earliest)
        owner = block.numbers_of(block.codes[rows])
        first = _firsts(owner)
        rows, owner = block.ends_of_instants(rows[first]), owner[first]
        level[owner], start[owner] = step + 1, last[0][rows]
        for number, before in enumerate(last):
            taken[number, owner] = block.times_of(before[rows])
    return _columns(block, table, _Best(level, start, taken))


def _carried(codes: Codes) -> Codes:
    """Return for each row the highest code so far."""
    return np.maximum.accumulate(codes)


def _chains(block: Block, table: StepTable, window: int) -> Chains:
    if table.order == "ordered" and table.ties == "chain" and table.shares:
        return chains_of_instants(block, table.kinds, table.groups, window)
    matches, earliest = table.matching(block), block.earliest(window)
    before = _strictly_before(block, table)
    starts = [np.where(matches(0), block.codes, NONE)]
    for step in range(1, len(table.kinds)):
        carried = before(starts[-1])
        starts.append(np.where(matches(step) & (carried >= earliest), carried, NONE))
    return Chains(block.codes, starts)


def _strictly_before(block: Block, table: StepTable) -> Callable[[Codes], Codes]:
    """Return what finds the start that is carried to each row.

    A row is of one step alone, or rows of one instant do not follow each other: no row
    follows itself.
    """
    if table.order == "strict":
        return _next_to(block, table.ties)
    if table.ties == "chain":
        return _carried
    new = np.flatnonzero(np.diff(block.moments, prepend=-1))
    place = np.repeat(new, np.diff(new, append=len(block.codes))) - 1

    def carried(starts: Codes) -> Codes:
        return np.where(place < 0, NONE, _carried(starts)[place])

    return carried


def _next_to(block: Block, ties: Ties) -> Callable[[Codes], Codes]:
    """Return what finds the start that the row right before carries."""
    is_later = np.diff(block.moments, prepend=-1) > 0

    def carried(starts: Codes) -> Codes:
        before = np.concatenate(([NONE], starts[:-1]))
        return before if ties == "chain" else np.where(is_later, before, NONE)

    return carried

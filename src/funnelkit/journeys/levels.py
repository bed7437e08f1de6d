"""How far each entity gets through the steps of a funnel.

For each step is carried the latest start from which a chain has reached it: of all chains it
leaves the most of the window. A chain gets one step farther at a row of the next step, if the
start that is carried lies within the window. That is linear in rows times steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from funnelkit.journeys.instants import Chains, chains_of_instants, firsts_of_instants
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

    @property
    def is_matched(self) -> bool:
        """Whether the rows of one instant are matched with the steps that they may be."""
        return self.order == "ordered" and self.ties == "chain" and self.shares

    def rows_of(self, block: Block) -> list[Codes]:
        """Return for each step which rows of a block it may be."""
        labels = block.labels // self.groups if self.groups > 1 else block.labels
        kinds = labels.astype(np.min_scalar_type(self.kinds.shape[1]))  # small numbers compare fast
        if (self.kinds.sum(axis=1) > 1).any():
            return [np.flatnonzero(own[kinds]) for own in self.kinds]
        return [
            np.flatnonzero(kinds == int(own.argmax())) if own.any() else EMPTY for own in self.kinds
        ]

    def begun(self, block: Block, codes: Codes) -> Codes:
        """Return codes as starts: by time, of one instant the lowest group last."""
        if self.groups == 1:
            return codes
        return block.with_labels(codes, self.reversed(block.labels_of(codes)))

    def reversed(self, labels: Codes) -> Codes:
        """Return the groups of labels, the lowest one as the highest number; and back."""
        return self.groups - 1 - labels % self.groups if self.groups > 1 else np.zeros_like(labels)


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
    names = [ENTITY, LEVEL, GROUP, LATEST, *map(str, range(len(table.kinds)))]
    columns = timeline.each(lambda block: find(block, table, timeline.window))
    found = dict(zip(names, columns or [EMPTY] * len(names), strict=True))
    owners = timeline.owners.named(found.pop(names[0]))
    frame = pl.DataFrame({names[0]: owners, **found})
    steps = pl.col(names[4:])
    return frame.with_columns(pl.when(steps != NONE).then(steps))


def _in_order(block: Block, table: StepTable, window: int) -> list[Codes]:
    """Return the columns of `levels_of` for chains in the order of the steps."""
    chains = _chains(block, table, window)
    count = int(block.numbers_of(block.codes[-1:])[0]) + 1
    best = _Best.of(count, len(chains.rows))
    owners = list(map(block.numbers_of, chains.codes))
    begins = list(map(_firsts, owners))
    for step, (owner, first) in enumerate(zip(owners, begins, strict=True)):
        its = owner[first]
        best.level[its], best.end[its] = step + 1, chains.rows[step][first]
        best.start[its] = chains.starts[step][first]
    if table.order == "strict":
        _take_neighbours(block, chains, best)
    else:
        _take_first(block, chains, best, owners)
        if table.shares and table.groups > 1:
            _find_groups(block, table, best)
    return _columns(block, chains.codes[0], begins[0], best, table)


@dataclass(frozen=True, slots=True)
class _Best:
    """The best chain of each entity of a block, by its number.

    Attributes:
        level: How far it gets.
        start: Its first step, as `StepTable.begun` has it.
        end: The row of its last step.
        taken: For each step when it is taken.
    """

    level: Codes
    start: Codes
    end: Codes
    taken: Codes

    @classmethod
    def of(cls, count: int, steps: int) -> _Best:
        """Return the chains of so many entities, of which none has begun."""
        level, end = np.zeros(count, np.int64), np.zeros(count, np.int64)
        return cls(level, np.full(count, NONE), end, np.full((steps, count), NONE))


def _take_first(block: Block, chains: Chains, best: _Best, owners: Sequence[Codes]) -> None:
    """Note when each step of the best chains is taken: as soon as it can be."""
    begun = np.flatnonzero(best.level)
    best.taken[0, begun] = block.times_of(best.start[begun])
    for step in range(1, len(owners)):
        # a later start that gets there as early could be replaced by the earlier one
        its = np.flatnonzero(chains.starts[step] >= best.start[owners[step]])
        first = its[_firsts(owners[step][its])]
        best.taken[step, owners[step][first]] = block.times_of(chains.codes[step][first])


def _take_neighbours(block: Block, chains: Chains, best: _Best) -> None:
    """Note when each step of the best chains is taken: in successive rows."""
    for step in range(len(chains.rows)):
        its = np.flatnonzero(best.level > step)
        rows = best.end[its] - best.level[its] + 1 + step
        best.taken[step, its] = block.times_of(block.codes[rows])


def _find_groups(block: Block, table: StepTable, best: _Best) -> None:
    """Note of which group the first steps of the best chains are, where rows are of several."""
    its = np.flatnonzero(best.level)
    at_start = best.taken[:, its] == best.taken[0, its]
    labels = firsts_of_instants(
        block, table.kinds, table.groups, best.start[its], at_start.sum(axis=0)
    )
    best.start[its] = block.with_labels(best.start[its], table.reversed(labels))


def _columns(
    block: Block, firsts: Codes, begins: Codes, best: _Best, table: StepTable
) -> list[Codes]:
    """Return the columns of `levels_of` for the entities that take the first step.

    Args:
        block: The rows.
        firsts: The rows that are first steps.
        begins: At which of these each entity begins.
        best: The best chains.
        table: What the labels of rows mean.
    """
    last = firsts[np.append(begins[1:], len(firsts)) - 1] if len(firsts) else EMPTY
    latest = np.full(len(best.level), NONE)
    latest[block.numbers_of(last)] = block.times_of(last)
    kept = np.flatnonzero(best.level)
    start = best.start[kept]
    group = table.reversed(block.labels_of(start))
    columns = [block.entities_of(start), best.level[kept], group, latest[kept]]
    return [*columns, *best.taken.take(kept, axis=1)]


def _firsts(owners: Codes) -> Codes:
    """Return the places at which a run of equal numbers begins."""
    is_first = np.ones(len(owners), np.bool_)
    np.not_equal(owners[1:], owners[:-1], out=is_first[1:])
    return np.flatnonzero(is_first)


def _in_any_order(block: Block, table: StepTable, window: int) -> list[Codes]:
    """Return the columns of `levels_of` where the first steps may be taken in any order.

    Of each step is carried when it was last taken: the first so many steps lie within a
    window where the earliest of these times does.
    """
    of_step, earliest = table.rows_of(block), block.earliest(block.codes, window)
    count = int(block.numbers_of(block.codes[-1:])[0]) + 1
    best, last = _Best.of(count, len(of_step)), list[Codes]()
    low = np.full(len(block.codes), -(NONE + 1))
    for step, own in enumerate(of_step):
        codes = block.codes[own]
        starts = codes if step else table.begun(block, codes)
        last.append(_carried(len(block.codes), own, starts))
        low = np.minimum(low, last[-1])
        rows = np.flatnonzero(low >= earliest)
        owner = block.numbers_of(block.codes[rows])
        first = _firsts(owner)
        rows, owner = block.ends_of_instants(rows[first]), owner[first]
        best.level[owner], best.start[owner] = step + 1, last[0][rows]
        for number, before in enumerate(last):
            best.taken[number, owner] = block.times_of(before[rows])
    firsts = block.codes[of_step[0]]
    return _columns(block, firsts, _firsts(block.numbers_of(firsts)), best, table)


def _carried(count: int, rows: Codes, codes: Codes) -> Codes:
    """Return for each of so many rows the highest code that some of them have had so far."""
    carried = np.full(count, NONE)
    carried[rows] = codes
    return np.maximum.accumulate(carried, out=carried)


def _chains(block: Block, table: StepTable, window: int) -> Chains:
    if table.is_matched:
        return chains_of_instants(block, table.kinds, table.groups, window)
    of_step, before = table.rows_of(block), _before(block, table)
    rows, codes = [of_step[0]], [block.codes[of_step[0]]]
    starts = [table.begun(block, codes[0])]
    for own in of_step[1:]:
        carried, its_codes = before(own, rows[-1], starts[-1]), block.codes[own]
        its = np.flatnonzero(carried >= block.earliest(its_codes, window))
        rows.append(own[its])
        codes.append(its_codes[its])
        starts.append(carried[its])
    return Chains(rows, codes, starts)


Before = Callable[[Codes, Codes, Codes], Codes]
"""Finds for some rows the start that they may carry on: of which rows were reached from which."""


def _before(block: Block, table: StepTable) -> Before:
    """Return what finds the start that is carried to a row.

    A row is of one step alone, or rows of one instant do not follow each other: no row
    follows itself.
    """
    count = len(block.codes)
    if table.order == "strict":
        return _next_to(block, table.ties)
    if table.ties == "chain":
        return lambda own, rows, starts: _carried(count, rows, starts)[own]
    new = np.flatnonzero(np.diff(block.moments, prepend=-1))
    place = np.repeat(new, np.diff(new, append=count)) - 1

    def earlier(own: Codes, rows: Codes, starts: Codes) -> Codes:
        its = place[own]
        return np.where(its < 0, NONE, _carried(count, rows, starts)[its])

    return earlier


def _next_to(block: Block, ties: Ties) -> Before:
    """Return what finds the start that the row right before has been reached from."""
    is_later = np.diff(block.moments, prepend=-1) > 0

    def neighbour(own: Codes, rows: Codes, starts: Codes) -> Codes:
        reached = np.full(len(block.codes) + 1, NONE)
        reached[rows + 1] = starts
        return reached[own] if ties == "chain" else np.where(is_later[own], reached[own], NONE)

    return neighbour

"""How far each entity gets through the steps of a funnel.

For each step is carried the latest start from which a chain has reached it: of all chains it
leaves the most of the window. A chain gets one step farther at a row of the next step, if the
start that is carried lies within the window. That is linear in rows times steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
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

    def kinds_of(self, block: Block) -> Codes:
        """Return of which kind each row of a block is."""
        return block.labels // self.groups if self.groups > 1 else block.labels

    def rows_of(self, kinds: Codes) -> list[Codes]:
        """Return for each step which rows it may be, by the kinds of all rows."""
        small = kinds.astype(np.min_scalar_type(self.kinds.shape[1]))  # small numbers compare fast
        if (self.kinds.sum(axis=1) > 1).any():
            return [np.flatnonzero(own[small]) for own in self.kinds]
        return [
            np.flatnonzero(small == int(own.argmax())) if own.any() else EMPTY for own in self.kinds
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
        its = owner.take(first)
        best.level[its], best.start[its] = step + 1, chains.starts[step].take(first)
    if table.order == "strict":
        _take_neighbours(block, chains, best, owners, begins)
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
        taken: For each step when it is taken.
    """

    level: Codes
    start: Codes
    taken: Codes

    @classmethod
    def of(cls, count: int, steps: int) -> _Best:
        """Return the chains of so many entities, of which none has begun."""
        level, start = np.zeros(count, np.int64), np.full(count, NONE)
        return cls(level, start, np.full((steps, count), NONE))


def _take_first(block: Block, chains: Chains, best: _Best, owners: Sequence[Codes]) -> None:
    """Note when each step of the best chains is taken: as soon as it can be."""
    begun = np.flatnonzero(best.level)
    best.taken[0, begun] = block.times_of(best.start.take(begun))
    for step in range(1, len(owners)):
        # a later start that gets there as early could be replaced by the earlier one
        owner = owners[step]
        its = np.flatnonzero(chains.starts[step] >= best.start.take(owner))
        first = its.take(_firsts(owner.take(its)))
        best.taken[step, owner.take(first)] = block.times_of(chains.codes[step].take(first))


def _take_neighbours(
    block: Block,
    chains: Chains,
    best: _Best,
    owners: Sequence[Codes],
    begins: Sequence[Codes],
) -> None:
    """Note when each step of the best chains is taken: in successive rows."""
    begin = np.zeros(len(best.level), np.int64)
    for step, first in enumerate(begins):
        begin[owners[step][first]] = chains.rows[step][first] - step
    for step in range(len(begins)):
        its = np.flatnonzero(best.level > step)
        best.taken[step, its] = block.times_of(block.codes[begin[its] + step])


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
    kept = np.flatnonzero(best.level)  # those of the first steps: each is a chain
    latest = firsts.take(np.append(begins[1:], len(firsts)) - 1) if len(firsts) else EMPTY
    start = best.start.take(kept)
    group = table.reversed(block.labels_of(start))
    columns = [block.entities_of(start), best.level.take(kept), group, block.times_of(latest)]
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
    of_step = table.rows_of(table.kinds_of(block))
    earliest = block.earliest(block.codes, window)
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
    kinds = table.kinds_of(block)
    of_step, places = table.rows_of(kinds), _places(block, kinds, table)
    rows, codes = [of_step[0]], [block.codes.take(of_step[0])]
    starts = [table.begun(block, codes[0])]
    its: slice | Codes = slice(None)
    for step, (before, own) in enumerate(pairwise(of_step)):
        left = np.full(len(before) + 1, NONE)  # to rows that follow, by the place of a row from 1
        left[1:][its] = starts[-1]
        if table.order != "strict" and (step or table.groups > 1):  # else each start is later
            np.maximum.accumulate(left, out=left)
        its_codes, carried = block.codes.take(own), left.take(places(step, own))
        its = np.flatnonzero(carried >= block.earliest(its_codes, window))
        rows.append(own.take(its))
        codes.append(its_codes.take(its))
        starts.append(carried.take(its))
    return Chains(rows, codes, starts)


Places = Callable[[int, Codes], Codes]
"""Finds which row of a step some rows follow: its place among the rows of the step, from 1."""


def _places(block: Block, kinds: Codes, table: StepTable) -> Places:
    """Return what finds the row of a step that rows of the next follow: 0 where it is none.

    A row is of one step alone, or rows of one instant do not follow each other: no row
    follows itself.
    """
    before = _Counts.of(kinds, table.kinds[:-1]).before
    if table.order == "ordered" and table.ties == "chain":
        return before
    is_new = np.diff(block.moments, prepend=-1) > 0
    if table.order == "strict":
        is_later = is_new if table.ties == "increase" else np.ones_like(is_new)

        def right_before(step: int, own: Codes) -> Codes:
            is_next = is_later[own] & table.kinds[step][kinds[own - 1]]
            return np.where(is_next, before(step, own), 0)

        return right_before
    new = np.flatnonzero(is_new)
    first = np.repeat(new, np.diff(new, append=len(kinds)))
    return lambda step, own: before(step, first[own])


@dataclass(frozen=True, slots=True)
class _Counts:
    """How many rows of each step lie before each row.

    Counts of several steps are held in one number, as many as fit: the rows are gone through
    once for all of them.

    Attributes:
        held: For each row, and the end, the counts of some steps.
        bits: How many bits a count takes.
    """

    held: Sequence[Codes]
    bits: int

    @classmethod
    def of(cls, kinds: Codes, of_step: Flags) -> _Counts:
        """Count rows.

        Args:
            kinds: Of which kind each row is.
            of_step: For each step, of which kinds of rows it may be.
        """
        bits = len(kinds).bit_length()
        held = list[Codes]()
        for own in np.split(of_step, range(63 // bits, len(of_step), 63 // bits)):
            ones = own.astype(np.int64) << (bits * np.arange(len(own)))[:, None]
            counts = np.zeros(len(kinds) + 1, np.int64)
            np.cumsum(ones.sum(axis=0).take(kinds), out=counts[1:])
            held.append(counts)
        return cls(held, bits)

    def before(self, step: int, rows: Codes) -> Codes:
        """Return how many rows of a step lie before some rows."""
        number, place = divmod(step, 63 // self.bits)
        return (self.held[number].take(rows) >> (place * self.bits)) & ((1 << self.bits) - 1)

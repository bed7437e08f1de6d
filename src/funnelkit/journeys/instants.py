"""Chains through rows that may be of several steps: instant by instant.

Rows of one instant have no order, and one row serves one step. So what an instant adds is
found by matching: from each level, to which one its rows lead if each of them is used once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from funnelkit.journeys.timeline import NONE, Block, Codes, Flags

__all__ = ["Chains", "chains_of_instants", "firsts_of_instants"]


@dataclass(frozen=True, slots=True)
class Chains:
    """The chains that reach each step.

    Attributes:
        rows: For each step which rows are reached.
        codes: Their codes.
        starts: For each of these the start of the latest chain that reaches it.
    """

    rows: Sequence[Codes]
    codes: Sequence[Codes]
    starts: Sequence[Codes]


def chains_of_instants(block: Block, kinds: Flags, groups: int, window: int) -> Chains:
    """Return the chains that reach each step, where rows may be of several steps.

    Args:
        block: The rows.
        kinds: For each step, of which kinds of rows it may be.
        groups: How many labels there are of each kind.
        window: How far is looked back.
    """
    new = np.flatnonzero(np.diff(block.moments, prepend=-1))
    rows, leads = block.labels // groups, _leads(block.labels // groups, new, kinds)
    codes = block.moments[new] << block.bits
    earliest = block.earliest(codes, window)
    own = np.where(np.logical_or.reduceat(kinds[0][rows], new), codes, NONE)
    starts, before = list[Codes](), list[Codes]()
    for step in range(len(kinds)):
        found = np.where(leads[:, 0] > step, own, NONE)
        for level, carried in enumerate(before, 1):
            is_reached = (leads[:, level] > step) & (carried >= earliest)
            found = np.maximum(found, np.where(is_reached, carried, NONE))
        starts.append(found)
        latest = np.maximum.accumulate(found)
        before.append(np.concatenate(([NONE], latest[:-1])))
    reached = [np.flatnonzero(found != NONE) for found in starts]
    begun = [own[its] for own, its in zip(starts, reached, strict=True)]
    return Chains(reached, [codes[its] for its in reached], begun)


def firsts_of_instants(
    block: Block, kinds: Flags, groups: int, starts: Codes, counts: Codes
) -> Codes:
    """Return the label of the first step of some chains: of the lowest group that it can be.

    Args:
        block: The rows.
        kinds: For each step, of which kinds of rows it may be.
        groups: How many labels there are of each kind.
        starts: A code of the instant at which each chain begins.
        counts: How many of its steps are at that instant.
    """
    labels = block.labels
    new = np.flatnonzero(np.diff(block.moments, prepend=-1))
    places = np.searchsorted(block.moments[new], starts >> block.bits)
    able = np.where(kinds[0][labels // groups], labels % groups, groups)
    found = np.minimum.reduceat(able, new)[places]
    ends = np.append(new[1:], len(labels))
    for chain in np.flatnonzero(counts > 1).tolist():
        its = labels[new[places[chain]] : ends[places[chain]]]
        by_group = its[np.argsort(its % groups, kind="stable")]
        rows = (by_group // groups).tolist()
        steps = range(1, counts[chain])
        first = next(row for row in range(len(rows)) if _is_first(row, rows, kinds, steps))
        found[chain] = by_group[first]
    return found


def _is_first(row: int, its: Sequence[int], kinds: Flags, steps: Sequence[int]) -> bool:
    """Return whether a row can be the first step, and others the further steps."""
    used: dict[int, int] = {}
    rest = (_is_placed(step, its, kinds, used, {row}) for step in steps)
    return bool(kinds[0, its[row]]) and all(rest)


def _leads(rows: Codes, new: Codes, kinds: Flags) -> Codes:
    """Return for each instant to which level its rows lead from each level."""
    sizes = np.diff(new, append=len(rows))
    one = np.array([_led((kind,), kinds) for kind in range(kinds.shape[1])])
    leads, known = one[rows[new]], dict[tuple[int, ...], list[int]]()
    for instant in np.flatnonzero(sizes > 1).tolist():
        its = tuple(rows[new[instant] : new[instant] + sizes[instant]].tolist())
        if its not in known:
            known[its] = _led(its, kinds)
        leads[instant] = known[its]
    return leads


def _led(its: Sequence[int], kinds: Flags) -> list[int]:
    """Return to which level rows of some kinds lead from each level, each used once."""
    found = list[int]()
    for level in range(len(kinds)):
        used: dict[int, int] = {}
        reached = level
        while reached < len(kinds) and _is_placed(reached, its, kinds, used, set()):
            reached += 1
        found.append(reached)
    return found


def _is_placed(
    step: int, its: Sequence[int], kinds: Flags, used: dict[int, int], tried: set[int]
) -> bool:
    """Return whether a step finds a row, perhaps one whose step finds another."""
    for row, kind in enumerate(its):
        if kinds[step, kind] and row not in tried:
            tried.add(row)
            if row not in used or _is_placed(used[row], its, kinds, used, tried):
                used[row] = step
                return True
    return False

"""Work on several things at a time, where it lets other threads go on, as that of NumPy does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import polars as pl

__all__ = ["side_by_side"]

Given = TypeVar("Given")
Found = TypeVar("Found")


def side_by_side(work: Callable[[Given], Found], given: Sequence[Given]) -> list[Found]:
    """Return what a work gives of each of some things, in their order."""
    if len(given) < 2:
        return list(map(work, given))
    with ThreadPoolExecutor(min(len(given), pl.thread_pool_size())) as pool:
        return list(pool.map(work, given))

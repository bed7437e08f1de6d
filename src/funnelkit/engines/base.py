"""What an engine is asked: fold a source by keys with aggregates, and little else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Protocol

import polars as pl

from funnelkit.planning.plan import Step

__all__ = ["Engine", "Report"]

Report = Callable[[Step], None]
"""Is told of each step that is done."""


class Engine(Protocol):
    """Carries out the steps of a plan on the data of one shop."""

    def fold(self, steps: Sequence[Step], *, report: Report | None = None) -> list[pl.DataFrame]:
        """Answer every step; the promises of each table that is read are checked once.

        Args:
            steps: The steps.
            report: Called after each step; steps then follow one another.

        Returns:
            For each step a frame with the period (where the calendar has
            one), a column per key and a column per fold, one row per group.

        Raises:
            ContractError: The data breaks a promise; names every one.
        """
        ...

    def as_of(self) -> dt.datetime | None:
        """Return the instant up to which the data is known."""
        ...

    def earliest(self, table: str) -> dt.datetime | None:
        """Return the time of a table's first row, in the shop's zone."""
        ...

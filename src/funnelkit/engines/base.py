"""What is asked of an engine: the rows of relations, and nothing that has to be decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from funnelkit.planning.relations import Rel

__all__ = ["Engine"]


class Engine(Protocol):
    """Reads relations over the tables of one shop."""

    def run(self, relations: Sequence[Rel]) -> list[pl.DataFrame]:
        """Return the rows of relations, read together.

        Args:
            relations: The relations.

        Returns:
            For each a frame with the columns of the relation, in order.

        Raises:
            DataError: A table cannot be read.
        """
        ...

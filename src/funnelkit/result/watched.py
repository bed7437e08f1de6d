"""What can be watched: results of analyses with a frame in which some rows need an answer."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import polars as pl

from funnelkit.metrics.metric import Metric

__all__ = ["Watched"]


@runtime_checkable
class Watched(Protocol):
    """A result whose frame has a row per metric, with signals or with the status of goals."""

    @property
    def frame(self) -> pl.DataFrame:
        """The rows, with `metric` and a column per key."""
        ...

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of the rows."""
        ...

    @property
    def currency(self) -> str:
        """The code of the currency of amounts."""
        ...

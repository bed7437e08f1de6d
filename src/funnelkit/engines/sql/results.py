"""What a database gives back, as the kinds of the relational plan."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from funnelkit.errors import DataError
from funnelkit.planning.kinds import DTYPES
from funnelkit.planning.relations import Kind

__all__ = ["of_kinds"]


def of_kinds(frame: pl.DataFrame, kinds: Mapping[str, Kind]) -> pl.DataFrame:
    """Return a frame whose columns have the types of their kinds.

    Args:
        frame: The frame, as the database gave it.
        kinds: The kinds of its columns.

    Raises:
        DataError: It cannot be told at which instant a time is.
    """
    return frame.select(_typed(name, kind, frame.schema[name]) for name, kind in kinds.items())


def _typed(name: str, kind: Kind, found: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if kind == "instant" and isinstance(found, pl.Datetime):
        if found.time_zone is None:
            raise DataError(
                f"the driver gives {name}, a time of a zone, without its zone",
                "use a driver that gives both",
            )
        column = column.dt.convert_time_zone("UTC")
    return column.cast(DTYPES[kind]) if kind in DTYPES else column

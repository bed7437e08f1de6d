"""Frames and files as the tables of a shop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from funnelkit.data.binding import BoundFrame, bind_frame
from funnelkit.data.bound_table import BoundTable
from funnelkit.data.shop_data import ShopData
from funnelkit.data.sources import Source
from funnelkit.engines.polars.engine import PolarsEngine
from funnelkit.errors import DataIssue
from funnelkit.formula.table import Table

__all__ = ["Frames"]


class Frames:
    """Frames and files, read by Polars."""

    def bind(
        self,
        known: Mapping[str, type[Table]],
        sources: Mapping[str, object],
        rename: Mapping[str, Mapping[str, str]],
        faults: list[DataIssue],
    ) -> dict[str, BoundTable]:
        """Bind frames; see `Database.bind`."""
        return {
            name: bind_frame(known[name], cast("Source", source), rename.get(name, {}), faults)
            for name, source in sources.items()
        }

    def changed(self, tables: Mapping[str, BoundTable]) -> list[str]:
        """Return the tables whose files have changed since they were bound."""
        return [
            name
            for name, bound in tables.items()
            if isinstance(bound, BoundFrame) and bound.has_changed()
        ]

    def engine(self, data: ShopData) -> PolarsEngine:
        """Return the embedded engine."""
        return PolarsEngine(data)

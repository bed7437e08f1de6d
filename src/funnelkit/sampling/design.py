"""The units of an experiment with what they did, and what they did before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from funnelkit.data.binding import TEXT_TYPES
from funnelkit.errors import DataError
from funnelkit.formula.values import Dimension
from funnelkit.sampling.assignment import EXPOSED, Assignment
from funnelkit.sampling.per_unit import Asked
from funnelkit.sampling.sides import Sides
from funnelkit.sampling.unit_table import AT, columns_of, rows_in_time, sums_in_time, unit_table

__all__ = ["BEFORE", "SEEN", "Design"]

BEFORE = "before_"
"""The prefix of the columns of what units did before: the covariates."""

SEEN = "#seen"
"""The column of whether a unit was seen at all."""


@dataclass(frozen=True, slots=True)
class Design:
    """What is compared.

    Attributes:
        asked: The question about the shop.
        group: The metrics.
        unit: What was assigned.
        assigned: The assignment.
        span: The range of the experiment, as local time.
        back: How far back before the start, or the exposure, units are looked at.
    """

    asked: Asked
    group: Sequence[Sides]
    unit: Dimension
    assigned: Assignment
    span: tuple[dt.datetime, dt.datetime]
    back: dt.timedelta | None

    @property
    def columns(self) -> list[str]:
        """The columns of the sides of all metrics."""
        return [name for sides in self.group for name in columns_of(sides)]

    def units(self, *, in_time: bool) -> tuple[pl.DataFrame, int]:
        """Return the assigned units with what they did, now and before, and how many others did.

        Args:
            in_time: Whether rows count since the unit was exposed, in place of the start.

        Raises:
            DataError: No assigned unit did anything.
        """
        now, before = self._in_time() if in_time else self._in_range()
        found = self._joined(now.with_columns(pl.lit(value=True).alias(SEEN)))
        seen = int(found.get_column(SEEN).sum())
        if not seen:
            raise DataError(
                f"none of the {found.height:,} assigned units was seen in the range",
                f"give the same {self.unit.name} as the tables of the shop have",
            )
        others = now.height - seen
        if before is None:
            return found, others
        named = {name: f"{BEFORE}{name}" for name in self.columns}
        earlier = self._joined(before.rename(named)).select(self.unit.name, *named.values())
        return found.join(earlier, on=self.unit.name), others

    def _in_range(self) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        now = unit_table(self.asked, self.group, self.unit)
        if self.back is None:
            return now, None
        start, _ = self.span
        earlier = replace(self.asked, start=start - self.back, end=start)
        return now, unit_table(earlier, self.group, self.unit)

    def _in_time(self) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        start, _ = self.span
        first = start if self.back is None else start - self.back
        rows = rows_in_time(replace(self.asked, start=first), self.group, self.unit)
        exposed = self._exposed()
        own, rows = self._alike(exposed, rows)
        rows = rows.join(own, on=self.unit.name, how="left")
        if rows.schema[AT] == pl.Date():
            rows = rows.with_columns(pl.col(EXPOSED).dt.date())
        else:
            rows = rows.with_columns(self._local(AT, rows.schema[AT]))
        is_after = (pl.col(AT) >= pl.col(EXPOSED)).fill_null(value=True)
        now = sums_in_time(rows.filter(is_after), self.group, self.unit)
        if self.back is None:
            return now, None
        is_before = ~is_after & (pl.col(AT) >= pl.col(EXPOSED) - self.back)
        return now, sums_in_time(rows.filter(is_before), self.group, self.unit)

    def _exposed(self) -> pl.DataFrame:
        """Return since when the rows of units count, as local time.

        Raises:
            DataError: Some were exposed outside the range, or not before a given as-of moment.
        """
        frame, (start, end) = self.assigned.frame, self.span
        data = self.asked.shop.data
        frame = frame.with_columns(self._local(EXPOSED, frame.schema[EXPOSED]))
        outside = frame.filter(~pl.col(EXPOSED).is_between(start, end, closed="left"))
        if outside.height:
            example = outside.get_column(EXPOSED).item(0)
            raise DataError(
                f"{outside.height:,} of {frame.height:,} units were exposed outside the range "
                f"from {start:%Y-%m-%d} to {end:%Y-%m-%d}, such as at {example}",
                "give the range in which units were exposed, or leave these units out",
            )
        if data.given_as_of is not None:
            until = data.calendar.shown(data.given_as_of)
            if later := frame.filter(pl.col(EXPOSED) >= until).height:
                raise DataError(
                    f"{later:,} of {frame.height:,} units were not exposed before as_of={until}",
                    "leave these units out: nothing is known of them",
                )
        return frame

    def _local(self, name: str, kind: pl.DataType) -> pl.Expr:
        """Return a column of times as local time."""
        zone = self.asked.shop.data.calendar.time_zone
        column = pl.col(name)
        if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
            column = column.dt.convert_time_zone(zone).dt.replace_time_zone(None)
        return column.cast(pl.Datetime("us"))

    def _joined(self, found: pl.DataFrame) -> pl.DataFrame:
        """Return every assigned unit with what was found of it, 0 where that is nothing."""
        own, found = self._alike(self.assigned.frame, found)
        rows = own.join(found, on=self.unit.name, how="left", maintain_order="left")
        return rows.with_columns(
            pl.col(pl.Float64).fill_null(0.0), pl.col(pl.Boolean).fill_null(value=False)
        )

    def _alike(self, own: pl.DataFrame, found: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return two frames with units of one type.

        Raises:
            DataError: They are of different types, and so none would be the same.
        """
        kinds = [frame.schema[self.unit.name] for frame in (own, found)]
        if kinds[0] == kinds[1]:
            return own, found
        common = next((to for to, fits in _ALIKE.items() if all(map(fits, kinds))), None)
        if common is None:
            raise DataError(
                f"{self.unit.name} is {kinds[0]} in the assignment and {kinds[1]} in the shop",
                "cast the column of the assignment",
            )
        both = (frame.with_columns(pl.col(self.unit.name).cast(common)) for frame in (own, found))
        one, two = both
        return one, two


_ALIKE: Mapping[type[pl.DataType], Callable[[pl.DataType], bool]] = {
    pl.Int128: lambda kind: kind.is_integer(),
    pl.String: lambda kind: isinstance(kind, TEXT_TYPES),
}

"""From when until when the data of a shop is known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from funnelkit.calendar.calendar import Calendar
from funnelkit.calendar.spans import Stretch
from funnelkit.formula.formulas import Formula, source_of
from funnelkit.formula.properties import aggregates, natives
from funnelkit.journeys.purchases import known_until
from funnelkit.metrics.metric import Metric
from funnelkit.shop.shop import Shop

__all__ = ["KnownDays"]


@dataclass(frozen=True, slots=True)
class KnownDays:
    """From when until when the data of metrics is known, as local time.

    Attributes:
        since: By metric, the day of the first row of any table that it adds up; of a ratio,
            the later of those of its two sides: what one side lacks makes a wrong ratio. Where
            a column that it reads is derived from the rows of another table, not before the
            first of those. None where there are no rows.
        through: The end of the last complete day, or hour; None where there are no rows.
    """

    since: Mapping[str, dt.datetime | None]
    through: dt.datetime | None

    @classmethod
    def of(cls, shop: Shop, metrics: Iterable[Metric], calendar: Calendar) -> KnownDays:
        """Return what is known of metrics.

        Args:
            shop: The shop.
            metrics: The metrics.
            calendar: Whether time is divided into hours.
        """
        sides = {metric.name: _sides(shop, metric) for metric in metrics}
        read = set[str]().union(*(tables for each in sides.values() for tables in each))
        firsts = {table: first for table in sorted(read) if (first := shop.runner.earliest(table))}
        since = {name: _latest(each, firsts) for name, each in sides.items()}
        return cls(since, _through(shop, calendar))

    @property
    def first(self) -> dt.datetime | None:
        """The first day of which anything is known."""
        return min((day for day in self.since.values() if day is not None), default=None)

    def holds(self, metric: Metric, stretches: Sequence[Stretch]) -> bool:
        """Return whether all of some ranges is known."""
        since = self.since[metric.name]
        if since is None or self.through is None:
            return False
        return all(since <= one.start and one.end <= self.through for one in stretches)


def _through(shop: Shop, calendar: Calendar) -> dt.datetime | None:
    if not calendar.has_hours:
        until = known_until(shop)
        return until and dt.datetime.combine(shop.data.calendar.shown(until), dt.time())
    as_of = shop.runner.as_of()
    return as_of and calendar.shown(as_of).replace(minute=0, second=0, microsecond=0)


def _sides(shop: Shop, metric: Metric) -> list[set[str]]:
    """Return sets of tables, of each of which one has to have begun."""
    sides = [_tables(shop, side) for side in metric.ratio or (metric.formula,)]
    counted = shop.data.counted_for(metric.formula).difference(*sides)
    return [*sides, *({table} for table in sorted(counted) if shop.runner.earliest(table))]


def _tables(shop: Shop, formula: Formula) -> set[str]:
    folded = {source_of(shop.data.total_of(fold)) for fold in aggregates(formula)}
    return folded | {native.table for native in natives(formula)}


def _latest(sides: Iterable[set[str]], firsts: Mapping[str, dt.datetime]) -> dt.datetime | None:
    """Return the first day on which every side has data, or None where one never has."""
    days = [
        min((firsts[table] for table in tables if table in firsts), default=None)
        for tables in sides
        if tables
    ]
    known = [day for day in days if day is not None]
    if not known or len(known) < len(days):
        return None
    return dt.datetime.combine(max(known), dt.time())

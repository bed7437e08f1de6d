"""From when until when the data of a shop is known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from funnelkit.calendar.calendar import Calendar
from funnelkit.calendar.spans import Stretch
from funnelkit.evaluation.history import known_since
from funnelkit.journeys.purchases import known_until
from funnelkit.metrics.metric import Metric
from funnelkit.shop.shop import Shop

__all__ = ["KnownDays"]


@dataclass(frozen=True, slots=True)
class KnownDays:
    """From when until when the data of metrics is known, as local time.

    Attributes:
        since: By metric, the day from which it is known, see `known_since`.
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
        return cls(known_since(shop.runner, [*metrics]), _through(shop, calendar))

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

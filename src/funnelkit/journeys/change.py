"""A change of a metric between two ranges of time: its values, and whether they are unusual."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType

from funnelkit.arguments import check_kind
from funnelkit.calendar.calendar import Calendar, Moment
from funnelkit.calendar.counterparts import periods_within
from funnelkit.calendar.grain import INSTANT
from funnelkit.calendar.spans import Stretch, previous_period
from funnelkit.errors import DataError, DefinitionError
from funnelkit.evaluation.over_stretches import STRETCH, measure
from funnelkit.formula.accumulation import ADDS_UP
from funnelkit.journeys.known_days import KnownDays
from funnelkit.journeys.pairing import is_as_long, range_of
from funnelkit.metrics.metric import Metric
from funnelkit.planning.plan import Question
from funnelkit.result.limits import FEWEST, WIDTH, process_limits
from funnelkit.shop.shop import Shop

__all__ = ["AFTER", "BEFORE", "Change", "Point", "Usual", "Values", "stretch_of"]

BEFORE, AFTER = "before", "after"
MOST_EARLIER = 24
"""How many earlier periods show what a metric varies by itself."""


def stretch_of(calendar: Calendar, given: Moment | tuple[Moment, Moment], name: str) -> Stretch:
    """Return the range that two moments, or the label of a period, stand for.

    Args:
        calendar: How time is divided.
        given: The moments, or the label.
        name: What it is the range of.

    Raises:
        DefinitionError: It is neither.
    """
    check_kind(name, given, (str, dt.date, tuple, list, NoneType), "give (start, end)")
    if isinstance(given, tuple | list):
        return range_of(calendar, given, name)
    start = calendar.local(given, name)
    if start is None or not calendar.has_periods:
        raise DefinitionError(
            f"{name}={given!r} is not a range", "give (start, end), or every= and a label"
        )
    period = periods_within(calendar, start, start + INSTANT)[0]
    if period.start != start:
        problem = f"{name}={given!r} is not the start of a period of {calendar}"
        raise DefinitionError(problem, f"that is {period.start:%Y-%m-%d}")
    return period


@dataclass(frozen=True, slots=True)
class Usual:
    """What a metric varies by itself, by its earlier periods.

    Attributes:
        points: How many earlier periods there are.
        lower: The lower limit of the value after.
        upper: The upper limit of the value after.
        outside: Which of the values lie outside of their limits: before, after.
    """

    points: int
    lower: float
    upper: float
    outside: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Two ranges of time between which a metric changed.

    Attributes:
        shop: The shop.
        metric: The metric.
        question: The condition on rows, and how time is divided.
        before: The earlier range, usually.
        after: The later one.
    """

    shop: Shop
    metric: Metric
    question: Question
    before: Stretch
    after: Stretch

    def faults(self, *, is_labelled: bool) -> Iterator[str]:
        """Return why the two cannot be set against each other, apart from the data.

        Args:
            is_labelled: Whether they are periods of the calendar.
        """
        ranges = {BEFORE: self.before, AFTER: self.after}
        yield from (
            f"{name}: {edge} is not the beginning of a day, and only complete days enter"
            for name, one in ranges.items()
            for edge in (one.start, one.end)
            if edge.time() != dt.time()
        )
        if self.before == self.after:
            yield "before and after are the same range"
        is_sibling = is_labelled or is_as_long(self.before, self.after)
        if self.metric.kind in ADDS_UP and not is_sibling:
            yield (
                f"{self.metric.name} is larger of a longer range, and before has "
                f"{self.before.days} days, after {self.after.days}: give ranges of one length"
            )

    def known(self) -> KnownDays:
        """Return what is known of the metric.

        Raises:
            DefinitionError: A range is not known whole; names both.
        """
        metric = self.metric
        known = KnownDays.of(self.shop, [metric], self.question.calendar)
        faults = [
            f"{name}: of {metric.name} the data is {_extent(known, metric)}, not all of "
            f"{one.start:%Y-%m-%d} to before {one.end:%Y-%m-%d}"
            for name, one in ((BEFORE, self.before), (AFTER, self.after))
            if not known.holds(metric, [one])
        ]
        if faults:
            raise DefinitionError("; ".join(faults), "give ranges of complete days")
        return known

    def earlier(self, known: KnownDays) -> list[Stretch]:
        """Return the periods as long as after that lead up to it, in order.

        Args:
            known: What is known of the metric.
        """
        found, one = list[Stretch](), self._period_before(self.after)
        while one and len(found) < MOST_EARLIER and known.holds(self.metric, [one]):
            found.append(one)
            one = self._period_before(one)
        return found[::-1]

    def _period_before(self, one: Stretch) -> Stretch | None:
        calendar = self.question.calendar
        if calendar.has_periods or not one.is_whole_months:
            return previous_period(one, calendar)
        months = one.start.year * 12 + one.start.month - 1 - one.months
        start = one.start.replace(year=months // 12, month=months % 12 + 1)
        return Stretch(start, one.start)

    def measure(self, metrics: Sequence[Metric], earlier: Sequence[Stretch]) -> Values:
        """Return the values of metrics before and after, and in earlier periods.

        Args:
            metrics: The metrics.
            earlier: The earlier periods.
        """
        stretches = list(dict.fromkeys([self.before, self.after, *earlier]))
        measured = measure(self.shop, metrics, stretches, where=self.question.where)
        names = ("metric", STRETCH, "value", "denominator", "reason")
        rows = measured.frame.select(names).iter_rows()
        points: dict[tuple[str, Stretch], Point] = {
            (str(metric), stretches[int(place)]): Point(value, weight, reason)
            for metric, place, value, weight, reason in rows
        }
        return Values(self, points, tuple(earlier), measured.currency)


@dataclass(frozen=True, slots=True)
class Point:
    """A value of a metric.

    Attributes:
        value: The value, or None.
        denominator: What it is divided by, where it is a ratio.
        reason: Why it is None.
    """

    value: float | None = None
    denominator: float | None = None
    reason: str | None = None

    @property
    def weight(self) -> float | None:
        """How much it weighs; None for one that does not."""
        if self.denominator is None:
            return 1.0
        return self.denominator if self.denominator > 0 else None


@dataclass(frozen=True, slots=True)
class Values:
    """Values of metrics before and after, and in earlier periods.

    Attributes:
        change: The two ranges.
        points: The values, by metric and range.
        earlier: The earlier periods, in order.
        currency: The code of the currency of amounts.
    """

    change: Change
    points: Mapping[tuple[str, Stretch], Point]
    earlier: tuple[Stretch, ...]
    currency: str

    def ends(self, metric: Metric) -> tuple[Point, Point]:
        """Return the values of a metric before and after."""
        ranges = (self.change.before, self.change.after)
        before, after = (self.points.get((metric.name, one), Point()) for one in ranges)
        return before, after

    def both(self) -> tuple[float, float]:
        """Return the values of the metric that changed.

        Raises:
            DataError: One of them is null; names the reason.
        """
        metric = self.change.metric
        before, after = self.ends(metric)
        if before.value is None or after.value is None:
            ends = {BEFORE: before, AFTER: after}
            why = " and ".join(f"{n} ({p.reason})" for n, p in ends.items() if p.value is None)
            raise DataError(f"{metric.name} is null {why}", "choose other ranges")
        return before.value, after.value

    def usual(self) -> Usual | None:
        """Return what the metric varies by itself, or None where too few periods are known."""
        name = self.change.metric.name
        series = [self.points.get((name, one), Point()) for one in self.earlier]
        values = [None if point.weight is None else point.value for point in series]
        limits = process_limits(values, [point.weight or 1.0 for point in series])
        if limits is None or limits.points < FEWEST:
            return None
        ends = dict(zip((BEFORE, AFTER), self.ends(self.change.metric), strict=True))
        outside = [
            end
            for end, point in ends.items()
            if point.value is not None
            and abs(point.value - limits.centre) > WIDTH * limits.sigma(point.weight or 1.0)
        ]
        reach = WIDTH * limits.sigma(ends[AFTER].weight or 1.0)
        return Usual(limits.points, limits.centre - reach, limits.centre + reach, tuple(outside))


def _extent(known: KnownDays, metric: Metric) -> str:
    since = known.since[metric.name]
    if since is None or known.through is None:
        return "nothing"
    return f"of {since:%Y-%m-%d} to before {known.through:%Y-%m-%d}"

"""What is compared with what: the periods of a question and their counterparts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import NoneType

from funnelkit.arguments import check_kind, check_none, not_chosen
from funnelkit.calendar.calendar import EPOCH, Calendar, Moment
from funnelkit.calendar.counterparts import Pair, pair_of, pair_of_days, periods_within
from funnelkit.calendar.day_pairs import DayPairs
from funnelkit.calendar.fiscal import RetailCalendar
from funnelkit.calendar.spans import (
    Alignment,
    Stretch,
    previous_period,
    previous_year,
    previous_year_faults,
)
from funnelkit.errors import DefinitionError
from funnelkit.evaluation.arguments import representable
from funnelkit.evaluation.paired import PairQuestion
from funnelkit.formula.accumulation import ADDS_UP, MetricKind, kind_of
from funnelkit.formula.properties import is_of_each_group
from funnelkit.journeys.known_days import KnownDays
from funnelkit.metrics.metric import Metric

__all__ = [
    "Against",
    "PairRequest",
    "check_words",
    "is_as_long",
    "metric_faults",
    "range_of",
]


class Against(StrEnum):
    """What metrics are compared with, apart from a range or pairs of days."""

    PREVIOUS_PERIOD = "previous_period"
    PREVIOUS_YEAR = "previous_year"
    REST = "rest"


WORDS: Mapping[tuple[Against, Alignment], str] = {
    (Against.PREVIOUS_PERIOD, Alignment.DATE): "the period before",
    (Against.PREVIOUS_PERIOD, Alignment.WEEKDAY): "the period before, on the same weekdays",
    (Against.PREVIOUS_YEAR, Alignment.DATE): "the same dates a year before",
    (Against.PREVIOUS_YEAR, Alignment.WEEKDAY): "the same weekdays, 364 days before",
    (Against.PREVIOUS_YEAR, Alignment.WEEK_NUMBER): "the week of the same number a year before",
    (Against.REST, Alignment.DATE): "everything outside of the group",
}


def check_words(metrics: Sequence[Metric], to: object, align: object, *, per_day: object) -> None:
    """Check what the arguments are, and that the metrics can be compared.

    Raises:
        DefinitionError: One is not; names all of them.
    """
    check_kind("to", to, (str, tuple, list, DayPairs), "write to='previous_year'")
    check_kind("align", align, (str,), "write align='weekday'")
    check_kind("per_day", per_day, (bool,), "write per_day=True")
    of_to = not_chosen("to", to, Against) if isinstance(to, str) else ""
    check_none([of_to, not_chosen("align", align, Alignment), *metric_faults(metrics)])


def metric_faults(metrics: Sequence[Metric]) -> list[str]:
    """Return which metrics have no value of a range by itself."""
    faults = [
        f"{m.name} compares periods itself: evaluate it" for m in metrics if m.compares_periods
    ]
    return faults + [
        f"{metric.name} is a number of each {metric.required_dimension or 'group'}: evaluate it"
        for metric in metrics
        if metric.required_dimension or is_of_each_group(metric.formula)
    ]


def is_as_long(one: Stretch, other: Stretch) -> bool:
    """Return whether two ranges have as many days, or are as many whole months."""
    if one.is_whole_months and other.is_whole_months and one.months == other.months:
        return True
    return one.end - one.start == other.end - other.start


def _target(
    calendar: Calendar, to: str | tuple[Moment, Moment] | DayPairs
) -> Against | Stretch | DayPairs:
    """Return what is compared with, read."""
    if isinstance(to, str):
        return Against(to)
    if isinstance(to, DayPairs):
        return to
    return range_of(calendar, to, "to")


def range_of(calendar: Calendar, given: Sequence[Moment | None], name: str) -> Stretch:
    """Return the range between two moments.

    Args:
        calendar: The zone.
        given: The moments.
        name: What it is the range of.

    Raises:
        DefinitionError: They are not two moments, or not in order.
    """
    for moment in given:
        check_kind(f"a moment of {name}", moment, (str, dt.date, NoneType), "write '2024-12-31'")
    if len(given) != 2:
        raise DefinitionError(f"{name}={given!r} has {len(given)} moments", "give start and end")
    with representable():
        span = calendar.span(*given)
    if span.start is None or span.end is None:
        raise DefinitionError(f"{name}={given!r} has an open end", "give start and end")
    return Stretch(span.start, span.end)


@dataclass(frozen=True, slots=True)
class PairRequest:
    """What is compared with what.

    Attributes:
        asked: The metrics, keys and condition.
        to: What they are compared with.
        alignment: By what periods are aligned.
        per_day: Whether flows are divided by the days.
    """

    asked: PairQuestion
    to: Against | Stretch | DayPairs
    alignment: Alignment
    per_day: bool

    @classmethod
    def read(
        cls,
        asked: PairQuestion,
        to: str | tuple[Moment, Moment] | DayPairs,
        align: str,
        *,
        per_day: bool,
    ) -> PairRequest:
        """Read the arguments of a comparison, whose words are checked."""
        target = _target(asked.question.calendar, to)
        return cls(asked, target, Alignment(align), per_day)

    @property
    def calendar(self) -> Calendar:
        """How time is divided."""
        return self.asked.question.calendar

    @property
    def to_measure(self) -> PairQuestion:
        """What is measured."""
        return PairQuestion(
            self.asked.shop,
            self.asked.metrics,
            self.asked.question,
            is_rest=self.to is Against.REST,
            is_daily=isinstance(self.to, DayPairs),
        )

    @property
    def words(self) -> str:
        """What is compared with, in words."""
        match self.to:
            case Against():
                return WORDS[self.to, self.alignment]
            case Stretch(start, end):
                return f"the range from {start:%Y-%m-%d} to before {end:%Y-%m-%d}"
            case DayPairs():
                return "the days that are given, day by day"

    def is_divided(self, metric: Metric) -> bool:
        """Return whether values of a metric are divided by the days."""
        return self.per_day and metric.kind is MetricKind.FLOW

    def pairs(self) -> tuple[KnownDays, list[Pair]]:
        """Return what is known, and the periods with what each is compared with.

        Raises:
            DefinitionError: Something is wrong with the request; names everything.
        """
        span, faults = self.asked.question.span, list(self._faults())
        if span.start is not None and span.end is not None:
            faults += self._period_faults(self._periods(span.start, span.end))
        if faults:
            raise DefinitionError("; ".join(faults))
        known = KnownDays.of(self.asked.shop, self.asked.metrics, self.calendar)
        low, high = self._window(known)
        whole = self._periods(low, span.end or high) if low < high else []
        if faults := self._period_faults(whole):
            raise DefinitionError("; ".join(faults))
        cut = [(one, Stretch(max(one.start, low), min(one.end, high))) for one in whole]
        pairs = [self._pair(one, part) for one, part in cut if part.start < part.end]
        if not (pairs or self.calendar.has_periods):
            until = "nothing" if known.through is None else f"days before {known.through:%Y-%m-%d}"
            raise DefinitionError(f"the range has no complete day: the data is of {until}")
        return known, pairs

    def _faults(self) -> Iterator[str]:
        """Return what is wrong with it, apart from its periods."""
        to, calendar, span = self.to, self.calendar, self.asked.question.span
        if self.alignment is Alignment.WEEK_NUMBER and to is not Against.PREVIOUS_YEAR:
            yield "align='week_number' goes with to='previous_year'"
        elif self.alignment is not Alignment.DATE and to not in set(Against) - {Against.REST}:
            yield f"align={str(self.alignment)!r} is for the period or the year before"
        if to is Against.REST and not self.asked.groups:
            yield "to='rest' sets each group against the others: give by="
        needs_start = not (calendar.has_periods or to is Against.REST or isinstance(to, DayPairs))
        if needs_start and span.start is None:
            yield "the range has no start: give start=, or every= to compare each period"
        if not calendar.has_hours:
            moments = (
                span.start,
                span.end,
                *((to.start, to.end) if isinstance(to, Stretch) else ()),
            )
            yield from (
                f"{moment} is not the beginning of a day, and only complete days enter"
                for moment in moments
                if moment is not None and moment.time() != dt.time()
            )
        yield from self._kind_faults()

    def _kind_faults(self) -> Iterator[str]:
        """Return which metrics cannot be compared in this way."""
        is_daily, has_hours = isinstance(self.to, DayPairs), self.calendar.has_hours
        if is_daily and has_hours:
            yield "DayPairs pairs days, and every= divides them: give whole days"
        if self.per_day and has_hours:
            yield "per_day=True is for periods of whole days"
        for metric in self.asked.metrics:
            if self.per_day and metric.kind is MetricKind.DISTINCT:
                yield f"per_day=True: {metric.name} counts different ones, which days do not divide"
            sides = [metric.formula] if metric.kind is MetricKind.FLOW else metric.ratio or ()
            if is_daily and {kind_of(side) for side in sides} != {MetricKind.FLOW}:
                yield f"{metric.name}: neither a flow nor a ratio of flows, so days do not add up"

    def _period_faults(self, periods: Sequence[Stretch]) -> list[str]:
        """Return which periods cannot be compared with what is requested."""
        to = self.to
        if to is Against.PREVIOUS_YEAR:
            return previous_year_faults(periods, self.calendar, self.alignment)
        if not isinstance(to, Stretch):
            return []
        faults = ["the range is compared with itself"] if to in periods else []
        flows = [metric.name for metric in self.asked.metrics if metric.kind in ADDS_UP]
        other = next((one for one in periods if not is_as_long(one, to)), None)
        if flows and other is not None and not self.per_day:
            faults.append(
                f"{', '.join(flows)}: {other.days} days are compared with {to.days}; "
                "give a range as long, or for flows per_day=True"
            )
        return faults

    def _window(self, known: KnownDays) -> tuple[dt.datetime, dt.datetime]:
        """Return the range of the complete days that are compared."""
        span, last = self.asked.question.span, known.through
        low = span.start
        if low is None and isinstance(self.to, DayPairs):
            low = dt.datetime.combine(self.to.pairs[0][0], dt.time())
        if low is None:
            low = known.first
        if low is None or last is None:
            return EPOCH, EPOCH
        return low, last if span.end is None else min(span.end, last)

    def _periods(self, low: dt.datetime, high: dt.datetime) -> list[Stretch]:
        if self.calendar.has_periods:
            return periods_within(self.calendar, low, high)
        return [Stretch(low, high)]

    def _counterpart(self, period: Stretch) -> Stretch | None:
        if isinstance(self.to, Stretch):
            return self.to
        if self.to is Against.PREVIOUS_YEAR:
            return previous_year(period, self.calendar, alignment=self.alignment)
        if self.to is Against.PREVIOUS_PERIOD:
            return previous_period(period, self.calendar, alignment=self.alignment)
        return period

    @property
    def _has_dates(self) -> bool:
        """Whether counterparts are the same dates; the months of a retail year are weeks."""
        is_retail = isinstance(self.calendar.fiscal_year, RetailCalendar)
        return (self.to, self.alignment, is_retail) == (
            Against.PREVIOUS_YEAR,
            Alignment.DATE,
            False,
        )

    def _pair(self, period: Stretch, value: Stretch) -> Pair:
        if isinstance(self.to, DayPairs):
            return pair_of_days(period, value, self.to)
        if isinstance(self.to, Stretch) and self.per_day:
            return Pair(period.start, value, self.to)
        return pair_of(period, value, self._counterpart, by_date=self._has_dates)

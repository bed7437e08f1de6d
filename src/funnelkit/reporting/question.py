"""What a report is about: its metrics, its periods, and their values, computed once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from funnelkit.analysis.tracking import Progress, track
from funnelkit.arguments import check_kind
from funnelkit.calendar.calendar import Moment
from funnelkit.errors import DataError, FunnelkitError, MissingInputError
from funnelkit.evaluation.arguments import Asked, ask, requested_metrics
from funnelkit.evaluation.evaluate import answer_question
from funnelkit.goals.goal import Goal
from funnelkit.metrics.metric import Metric
from funnelkit.reporting.words import period_word
from funnelkit.result.known import complete_periods
from funnelkit.result.result import Result
from funnelkit.shop.shop import Shop

__all__ = ["NOTHING", "ReportQuestion", "answers", "asked", "one_line"]

USUAL = (
    *("sessions", "ad_spend", "click_through_rate", "engagement_rate", "email_click_rate"),
    *("session_conversion_rate", "cart_abandonment_rate", "orders", "average_order_value"),
    *("net_sales", "gross_margin", "returning_customer_rate", "repeat_purchase_rate"),
    *("returns_value", "net_promoter_score"),
)
"""What is reported where no metrics are named: of these, all that the shop's data gives."""

NOTHING = "no metric can be computed from this data"

T = TypeVar("T")
Goals = Goal | Iterable[Goal] | pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuestion:
    """What a report is about; sections read from it what is computed already.

    Attributes:
        metrics: The metrics that have values.
        every: The length of a period.
        start: The first moment of the range, as given.
        end: The first moment after it, as given.
        results: Their values per period: one result, or several where not all can be
            computed together.
        periods: The first day or hour of each complete period, in order.
        after: The first day or hour after the last complete period.
        progress: How the goals stand, where there are goals.
        left_out: Why a metric, or the goals, are not in the report.
    """

    metrics: tuple[Metric, ...]
    every: str
    start: Moment | None
    end: Moment | None
    results: tuple[Result, ...]
    periods: tuple[dt.date, ...]
    after: dt.date | None
    progress: Progress | None
    left_out: Mapping[str, str]

    @property
    def last(self) -> tuple[dt.date, dt.date]:
        """The last complete period: its first day or hour, and the first after it.

        Raises:
            DataError: No metric can be computed, or no period is complete.
        """
        if not self.metrics:
            raise DataError(NOTHING)
        if self.after is None:
            raise DataError(f"no {period_word(self.every)} is complete")
        return self.periods[-1], self.after

    def values(self, metric: Metric) -> list[float | None]:
        """Return the values of a metric in the complete periods, in order of time."""
        for result in self.results:
            if metric.name in result.frame.columns:
                pairs = result.frame.select("period", metric.name).iter_rows()
                known = dict(pairs)
                return [known.get(period) for period in self.periods]
        return []


def asked(  # noqa: PLR0913  # as report
    shop: Shop,
    metrics: Asked | None,
    *,
    every: str,
    goals: Goals,
    start: Moment | None,
    end: Moment | None,
) -> ReportQuestion:
    """Return what a report is about, with the values of its metrics.

    Raises:
        UnknownNameError: A metric or dimension does not exist.
        DefinitionError: An argument is not valid.
    """
    question = ask(shop, every=every, start=start, end=end)
    chosen = requested_metrics(USUAL if metrics is None else metrics)
    progress, left_out = _progress(shop, goals)
    chosen = list(dict.fromkeys([*chosen, *(progress.metrics if progress else ())]))
    ready, faults = _ready(shop, chosen)
    results, failed = answers(lambda some: answer_question(shop, some, question), ready)
    if metrics is not None:
        left_out |= faults
    left_out |= failed
    periods, after = _periods(results)
    return ReportQuestion(
        metrics=tuple(metric for metric in ready if metric.name not in failed),
        every=every,
        start=start,
        end=end,
        results=tuple(results),
        periods=periods,
        after=after,
        progress=progress,
        left_out=left_out,
    )


def _progress(shop: Shop, goals: Goals) -> tuple[Progress | None, dict[str, str]]:
    """Return how goals stand, or why that is not known."""
    check_kind("goals", goals, (Iterable, Goal, pl.DataFrame), "pass fk.Goal objects")
    given = goals if isinstance(goals, Goal | pl.DataFrame) else tuple(goals)
    if isinstance(given, tuple) and not given:
        return None, {}
    try:
        return track(shop, given), {}
    except DataError as error:
        return None, {"goals": one_line(error)}


def _ready(shop: Shop, metrics: Sequence[Metric]) -> tuple[list[Metric], dict[str, str]]:
    """Return the metrics that have all their inputs, and what the others lack."""
    ready, faults = list[Metric](), dict[str, str]()
    for metric in metrics:
        if lacking := sorted(shop.missing(metric)):
            faults[metric.name] = f"needs {', '.join(lacking)}"
        elif metric.required_dimension:
            faults[metric.name] = f"is a number of each {metric.required_dimension}"
        else:
            ready.append(metric)
    return ready, faults


def answers(
    answer: Callable[[Sequence[Metric]], T], metrics: Sequence[Metric]
) -> tuple[list[T], dict[str, str]]:
    """Return the answer for metrics together; where that fails, for each alone.

    Returns:
        The answers, and by the name of a metric why it has none.
    """
    if not metrics:
        return [], {}
    try:
        return [answer(metrics)], {}
    except FunnelkitError as error:
        if len(metrics) == 1:
            return [], {metrics[0].name: one_line(error)}
    parts = [answers(answer, [metric]) for metric in metrics]
    return [each for found, _ in parts for each in found], {
        name: why for _, faults in parts for name, why in faults.items()
    }


def one_line(error: FunnelkitError) -> str:
    """Return what is wrong in one line."""
    if isinstance(error, MissingInputError):
        return f"needs {', '.join(error.missing)}"
    return " ".join(str(error).split())


def _periods(results: Sequence[Result]) -> tuple[tuple[dt.date, ...], dt.date | None]:
    """Return the complete periods of results, and what follows the last."""
    spans = [found for result in results if (found := complete_periods(result))]
    if not spans:
        return (), None
    last = max(span[-1] for span in spans)
    periods = sorted({start for span in spans for start, _ in span})
    return tuple(periods), last[1]

"""The rows of a result of which the data tells everything: none from before it begins."""

from __future__ import annotations

import datetime as dt

import polars as pl

from funnelkit.formula.accumulation import ADDS_UP
from funnelkit.formula.reason import Reason
from funnelkit.result.display import IS_TOTAL
from funnelkit.result.result import Result
from funnelkit.result.rollup import PERIOD_NAME

__all__ = ["complete_periods", "known_rows"]

NUMBERS, SINCE = ("value", "numerator", "denominator", "n"), "#since"


def known_rows(result: Result) -> pl.DataFrame:
    """Return the long form of a result, without numbers from before the data begins.

    A period that ends before the first row of what a metric reads has neither a value nor
    sides, and the reason `no_rows`; nor has, of what adds up, one before the first value of
    its group other than 0. A period within which the data begins is an incomplete one, and so
    is, of what compares periods, one that rests on such a period.

    Args:
        result: The result.
    """
    tidy = result.tidy()
    calendar = result.plan.question.calendar
    if not calendar.has_periods:
        return tidy
    starts = {name: day for name, day in result.since.items() if day is not None}
    labels = calendar.labels(list(starts.values()))
    sinces = pl.DataFrame([pl.Series("metric", [*starts], dtype=pl.String), labels.alias(SINCE)])
    keys = [name for name in result.keys if name != PERIOD_NAME]
    groups = ["metric", *keys, *([IS_TOTAL] if result.has_totals else [])]
    additive = [metric.name for metric in result.metrics if metric.kind in ADDS_UP]
    period, end = pl.col(PERIOD_NAME), calendar.moved(pl.col(PERIOD_NAME), 1)
    first = period.filter(pl.col("value") != 0).min().over(groups)
    is_new = (period < first) & pl.col("metric").is_in(additive) & bool(keys)
    is_before = ((end <= pl.col(SINCE)) | is_new).fill_null(value=False)
    is_cut = (_begin(result) < pl.col(SINCE)) & pl.col("value").is_not_null()
    why = (
        pl.when(is_before)
        .then(pl.lit(str(Reason.NO_ROWS)))
        .when(is_cut.fill_null(value=False))
        .then(pl.lit(str(Reason.INCOMPLETE_PERIOD)))
    )
    numbers = [pl.when(~is_before).then(name).alias(name) for name in NUMBERS]
    return (
        tidy.join(sinces, on="metric", how="left", maintain_order="left")
        .with_columns(*numbers, pl.coalesce(why, "reason").alias("reason"))
        .drop(SINCE)
    )


def _begin(result: Result) -> pl.Expr:
    """Return where the first period begins that a value rests on, of those that compare periods."""
    begin = period = pl.col(PERIOD_NAME)
    of_shift: dict[int, list[str]] = {}
    for planned in result.plan.metrics:
        back = max((leaf.shift for leaf in planned.leaves), default=0)
        of_shift.setdefault(max(back, planned.metric.compares_periods), []).append(
            planned.metric.name
        )
    for shift, names in of_shift.items():
        earlier = result.plan.question.calendar.moved(period, -shift)
        begin = pl.when(pl.col("metric").is_in(names)).then(earlier).otherwise(begin)
    return begin


def complete_periods(result: Result) -> list[tuple[dt.date, dt.date]]:
    """Return the periods from the first row of a result that are over, in order.

    Returns:
        The first day or hour of each, and the first after it. Of a question with a range, only
        periods that lie in it whole.
    """
    question, as_of = result.plan.question, result.as_of
    if as_of is None or result.frame.is_empty():
        return []
    calendar, span = question.calendar, question.span
    until = min(filter(None, (calendar.shown(as_of), span.end)))
    first = result.frame.get_column("period").min()
    last = max(first, calendar.label(calendar.floor(until)).item())
    starts = calendar.starts(first, last).alias("period").to_frame()
    ends = starts.select("period", end=calendar.moved(pl.col("period"), 1))
    return [
        (start, end)
        for start, end in ends.iter_rows()
        if end is not None  # the end of boundaries begins no period
        and calendar.begins(end) <= until
        and (span.start is None or calendar.begins(start) >= span.start)
    ]

"""The headline: a card per KPI, by stage of the purchase funnel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import polars as pl

from funnelkit.analysis.comparison import compare
from funnelkit.analysis.intervals import intervals
from funnelkit.errors import DataError
from funnelkit.metrics.metric import Metric, Stage
from funnelkit.reporting.markup import Html, element, joined, paragraph, sparkline
from funnelkit.reporting.question import NOTHING, ReportQuestion, answers
from funnelkit.reporting.words import period_word, range_words
from funnelkit.result.view import as_points, as_text
from funnelkit.sampling.sides import common_name, tables_of
from funnelkit.schema.units_of_analysis import UNITS
from funnelkit.shop.shop import Shop
from funnelkit.units import RATIO, Display

__all__ = ["headline"]

LEVEL = 0.95
WHOLE = 100
"""From which amount on the ends of an interval have no decimals."""
ARROWS: Mapping[bool, str] = {True: "▲", False: "▼"}
Row = Mapping[str, object]


def headline(shop: Shop, question: ReportQuestion) -> str:
    """Return a card per metric, by stage of the purchase funnel.

    Each has the value of the last complete period, the change to the period before, whether
    that is for the better, its interval, its goals, and a line of all complete periods.
    """
    if not question.metrics:
        reasons = [f"{name}: {why}" for name, why in question.left_out.items()]
        raise DataError("; ".join([NOTHING, *reasons]))
    first, after = question.last
    changes = _changes(shop, question)
    sure = _intervals(shop, question)
    parts = list[Html]()
    for stage, metrics in _by_stage(question.metrics):
        cards = [
            _card(shop, question, metric, changes.get(metric.name, {}), sure.get(metric.name, {}))
            for metric in metrics
        ]
        parts += [element("h3", stage.capitalize()), element("div", joined(cards), kind="cards")]
    period = period_word(question.every)
    told = (
        f"{range_words(first, after)}, the last complete {period}, beside the one before; "
        f"lines go back over all {len(question.periods)}."
    )
    return joined([paragraph(told, kind="soft"), *parts, *_left_out(question)])


def _left_out(question: ReportQuestion) -> Iterator[Html]:
    for name, why in question.left_out.items():
        yield paragraph(f"{name} is left out: {why}", kind="note")


def _by_stage(metrics: Sequence[Metric]) -> Iterator[tuple[str, list[Metric]]]:
    """Return the metrics of each stage, in the order of the funnel; those of none come last."""
    for stage in (*Stage, None):
        if found := [metric for metric in metrics if metric.stage == stage]:
            yield str(stage or "other"), found


def _changes(shop: Shop, question: ReportQuestion) -> dict[str, Row]:
    """Return how each metric differs from the period before."""
    start, end = question.last

    def answer(metrics: Sequence[Metric]) -> pl.DataFrame:
        return compare(shop, metrics, every=question.every, start=start, end=end).frame

    return _rows(answers(answer, question.metrics)[0])


def _intervals(shop: Shop, question: ReportQuestion) -> dict[str, Row]:
    """Return the interval of each metric whose rows name a unit."""
    start, end = question.last

    def answer(metrics: Sequence[Metric]) -> pl.DataFrame:
        every = question.every
        return intervals(shop, metrics, level=LEVEL, every=every, start=start, end=end).frame

    named = [
        metric
        for metric in question.metrics
        if common_name(shop.data, tables_of(metric), UNITS) is not None
    ]
    return _rows(answers(answer, named)[0])


def _rows(frames: Sequence[pl.DataFrame]) -> dict[str, Row]:
    return {row["metric"]: row for frame in frames for row in frame.iter_rows(named=True)}


def _card(shop: Shop, question: ReportQuestion, metric: Metric, change: Row, interval: Row) -> Html:
    """Return the card of a metric."""
    values = question.values(metric)
    value = values[-1] if values else None
    currency = shop.data.currency

    def said(number: float | None) -> str:
        return _unbroken("–" if number is None else metric.unit.format(number, currency=currency))

    lines = [element("h4", metric.title), paragraph(said(value), kind="value")]
    lines += [_change(metric, change, currency)]
    if interval.get("low") is not None:
        low, high = (cast("float", interval[end]) for end in ("low", "high"))
        lines.append(paragraph(_between(metric, low, high, currency), kind="soft"))
    lines += _goals(question, metric)
    known = [value for value in values if value is not None]
    label = f"{metric.title} in {len(values)} periods"
    if known:
        label += f": from {said(min(known))} to {said(max(known))}, at last {said(value)}"
    return element("div", joined([*lines, sparkline(values, label)]), kind="card")


def _change(metric: Metric, row: Row, currency: str) -> Html:
    """Return in a line how a metric differs from the period before."""
    change = cast("float | None", row.get("change"))
    if change is None:
        why = str(row.get("reason") or "not comparable").replace("_", " ")
        return paragraph(f"no change to the period before: {why}", kind="soft")
    numbers = pl.Series([change])
    if metric.unit.display is Display.PERCENT:
        size = as_points(numbers).item()
    elif row["relative"] is not None:
        size = as_text(pl.Series([row["relative"]]), RATIO, is_signed=True).item()
    else:
        size = as_text(numbers, metric.unit, currency=currency, is_signed=True).item()
    before = metric.unit.format(cast("float", row["reference"]), currency=currency)
    verdict = str(row["verdict"] or "neutral")
    arrow = ARROWS[change > 0] if change else "="
    word = "" if verdict == "neutral" else f" {verdict}"
    strong = element("strong", f"{arrow} {_unbroken(size)}{word}", kind=_kind(verdict))
    return element("p", joined([strong, f" {_unbroken(f'from {before}')}"]))


def _between(metric: Metric, low: float, high: float, currency: str) -> str:
    """Return an interval; of counts and of large amounts it is in whole numbers."""
    is_money = ("money", 1) in metric.unit.powers
    if metric.unit.is_tally or (is_money and min(abs(low), abs(high)) >= WHOLE):
        said = f"{low:,.0f} to {high:,.0f} {currency if is_money else ''}".rstrip()
    else:
        said = " to ".join(metric.unit.format(end, currency=currency) for end in (low, high))
    return f"{LEVEL * 100:g}\N{NO-BREAK SPACE}% interval {_unbroken(said)}"


def _unbroken(said: str) -> str:
    """Return a number and its unit so that they stay on one line."""
    return said.replace(" ", "\N{NO-BREAK SPACE}")


def _kind(verdict: str) -> str:
    return verdict if verdict in {"better", "worse"} else "neutral"


def _goals(question: ReportQuestion, metric: Metric) -> Iterator[Html]:
    """Return a line per goal of a metric for all of its rows."""
    if question.progress is None:
        return
    goals = zip(question.progress.goals, question.progress.frame.iter_rows(named=True), strict=True)
    for goal, row in goals:
        if goal.metric == metric and not goal.subject.names and goal.where is None:
            status = str(row["status"] or "no status").replace("_", " ")
            yield paragraph(f"Goal before {goal.deadline}: {status}")

"""Comparisons: how a metric differs from before, from a year ago, or from the rest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from funnelkit.arguments import check_key_names
from funnelkit.calendar.calendar import Calendar, Moment
from funnelkit.calendar.counterparts import Pair
from funnelkit.calendar.day_pairs import DayPairs
from funnelkit.charts.paired import dumbbells, two_lines
from funnelkit.charts.spec import Spec, below_each_other
from funnelkit.evaluation.arguments import Asked, ask, representable, requested_metrics
from funnelkit.evaluation.paired import (
    FIRST,
    HAS_REFERENCE,
    HAS_VALUE,
    PAIR,
    PairQuestion,
    measure_pairs,
)
from funnelkit.formula.accumulation import ADDS_UP
from funnelkit.formula.values import Dimension, Predicate
from funnelkit.journeys.known_days import KnownDays
from funnelkit.journeys.pairing import Against, PairRequest, check_words
from funnelkit.metrics.metric import Direction, Metric
from funnelkit.result.differences import ComparisonReason, with_difference
from funnelkit.result.picture import group_names, measure_of
from funnelkit.result.rollup import PERIOD_NAME
from funnelkit.result.view import Plotted, Shown, as_points, as_text, flush_right
from funnelkit.shop.shop import Shop
from funnelkit.units import DAY, RATIO, Display, Unit

__all__ = ["Comparison", "compare"]

NUMBERS = ("value", "reference", "change", "relative")
COLUMNS = (
    *(*NUMBERS, "unit", "verdict", "start", "end", "reference_start", "reference_end"),
    *("days", "reference_days", "reason"),
)
RULE = "change = value - reference; relative = change / reference, where the reference is above 0."


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Comparison(Plotted):
    """How metrics differ from what they are compared with.

    Attributes:
        rule: What is compared with what, in sentences.
        currency: The code of the currency of amounts.
    """

    rule: str
    currency: str
    _frame: pl.DataFrame
    _keys: tuple[str, ...]
    _units: Mapping[str, Unit]
    _metrics: tuple[Metric, ...]

    @property
    def frame(self) -> pl.DataFrame:
        """One row per metric, period and group; groups that are new come last.

        `change` is `value` - `reference`, of a fraction in fractions. `relative` is `change` /
        `reference`, where the reference is above 0. `verdict`: whether the change is for the
        `better`, the `worse`, or none (`same`); null for a neutral metric. `start` to `end` is
        what of the period is compared, `reference_start` to `reference_end` with what; the ends
        are the first days after. `days` and `reference_days`: how many days that is.

        `reason` is why something is null: `no_counterpart`, `incomplete_reference` and
        `incomplete_period` (the data begins later, or ends before), `no_value`, `no_reference`
        (nothing was there before), `zero_reference`, `negative_reference`, `interval_scale` (a
        score has no ratios), `not_finite`; or what is left out: `unpaired_days_3`.
        """
        return self._frame.clone()

    def picture(self) -> Spec:
        """Return values beside their references, as a Vega-Lite specification; see `plot`."""
        return below_each_other([self._pictured(metric) for metric in self._metrics])

    def _pictured(self, metric: Metric) -> Spec:
        """Return two lines over time, and else a dumbbell per group."""
        own = measure_of(metric, currency=self.currency)
        source = f"{self.rule} {own.source}"
        measure = replace(own, unit=self._units[metric.name], source=source)
        rows = self._frame.filter(pl.col("metric") == metric.name)
        change = as_text(rows.get_column("relative"), RATIO, is_signed=True).alias("change")
        rows = rows.select(*self._keys, "value", "reference", "verdict", change)
        by = [key for key in self._keys if key != PERIOD_NAME]
        rows = group_names(rows, by) if by else rows
        if PERIOD_NAME in self._keys:
            return two_lines(rows, measure)
        return dumbbells(rows if by else rows.with_columns(group=pl.lit("")), measure)

    def _shown(self) -> Shown:
        several = ["metric"] if len(self._units) > 1 else []
        texts = [self._text(rows) for (_,), rows in self._by_metric()]
        words = [pl.col(name).cast(pl.String).fill_null("") for name in ("verdict", "reason")]
        rows = (
            pl.concat(texts) if texts else self._frame.with_columns(pl.col(NUMBERS).cast(pl.String))
        )
        frame = flush_right(rows.with_columns(words), NUMBERS)
        return Shown(
            frame=frame,
            figures=[],
            keys=[*several, *self._keys, *NUMBERS, "verdict", "reason"],
            notes=self._notes(),
            currency=self.currency,
        )

    def _by_metric(self) -> Iterator[tuple[tuple[object, ...], pl.DataFrame]]:
        return iter(self._frame.group_by("metric", maintain_order=True))

    def _text(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of a metric with its numbers as text in its unit."""
        unit = self._units[str(rows.item(0, "metric"))]
        is_share = unit.display is Display.PERCENT
        return rows.with_columns(
            as_text(rows.get_column("value"), unit, currency=self.currency),
            as_text(rows.get_column("reference"), unit, currency=self.currency),
            as_points(rows.get_column("change"))
            if is_share
            else as_text(rows.get_column("change"), unit, currency=self.currency, is_signed=True),
            as_text(rows.get_column("relative"), RATIO, is_signed=True),
        )

    def _notes(self) -> list[str]:
        spans = self._frame.select("start", "end", "reference_start", "reference_end").unique()
        notes = [self.rule, RULE]
        start, end, reference_start, reference_end = (
            spans.row(0) if spans.height == 1 else [None] * 4
        )
        if reference_start is not None and start != reference_start:
            notes.insert(0, f"[{start}, {end}) against [{reference_start}, {reference_end})")
        if self._frame.filter(pl.col("days") != pl.col("reference_days")).height:
            notes.append("the two have different numbers of days: see days and reference_days")
        return notes


def compare(  # noqa: PLR0913  # the question, every part of it by keyword
    shop: Shop,
    metrics: Asked,
    *,
    start: Moment | None = None,
    end: Moment | None = None,
    to: str | tuple[Moment, Moment] | DayPairs = "previous_period",
    align: str = "date",
    by: str | Dimension | Sequence[str | Dimension] = (),
    every: str | Sequence[Moment] | None = None,
    where: Predicate | str | None = None,
    per_day: bool = False,
) -> Comparison:
    """Compare metrics with before, with a year ago, with a range, or with the rest.

    Only complete days enter: a period that is not over is compared through its last complete
    day, with as many days of the reference.

    Args:
        shop: The shop.
        metrics: As for `evaluate`.
        start: The first day of the range.
        end: The first day after it; by default, after the last complete day.
        to: `"previous_period"`, `"previous_year"`, a range such as
            `("2024-01-01", "2024-02-01")`, `"rest"` (of each group, all other groups), or
            `DayPairs`.
        align: `"date"`, `"weekday"` (the same weekdays) or `"week_number"`.
        by: As for `evaluate`.
        every: As for `evaluate`: each period is compared.
        where: As for `evaluate`.
        per_day: Divide what adds up over time by the days, to compare ranges of other lengths.

    Raises:
        DefinitionError: The question contradicts itself; names all that is wrong.
        FunnelkitError: As for `evaluate`.

    Examples:
        >>> import funnelkit as fk
        >>> december = fk.compare(
        ...     fk.demo(), "orders", start="2024-12-01", end="2025-01-01", to="previous_year"
        ... )
        >>> december.frame.select("value", "reference", "change", "verdict").row(0)
        (127.0, 110.0, 17.0, 'better')
    """
    chosen = tuple(requested_metrics(metrics))
    question = ask(shop, by=by, every=every, start=start, end=end, where=where)
    check_words(chosen, to, align, per_day=per_day)
    check_key_names((each.name for each in question.by), {*COLUMNS, "metric", "period"})
    request = PairRequest.read(PairQuestion(shop, chosen, question), to, align, per_day=per_day)
    with representable():
        known, pairs = request.pairs()
    measured = measure_pairs(request.to_measure, pairs)
    period = ["period"] if request.calendar.has_periods else []
    return Comparison(
        rule=f"Compared with {request.words}.",
        currency=measured.currency,
        _frame=_judged(request, pairs, known, measured.frame),
        _keys=(*period, *request.asked.groups),
        _units={metric.name: _unit(request, metric) for metric in chosen},
        _metrics=chosen,
    )


FACTS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(("metric", "unit", "why"), pl.String),
    **dict.fromkeys(("adds_up", "is_known", "is_interval"), pl.Boolean),
    **dict.fromkeys(("#order", PAIR, "direction", "unpaired", "days"), pl.Int64),
    **dict.fromkeys(("reference_days", "divisor", "reference_divisor"), pl.Int64),
    "#start": pl.Datetime("us"),
}
SIGNS = {Direction.UP: 1, Direction.DOWN: -1, Direction.NEUTRAL: 0}


def _judged(
    request: PairRequest, pairs: Sequence[Pair], known: KnownDays, measured: pl.DataFrame
) -> pl.DataFrame:
    """Return the rows with what is said of each, in order."""
    metrics, groups = request.asked.metrics, request.asked.groups
    facts = [
        _facts(request, known, metric, place, pair) | {"#order": order}
        for order, metric in enumerate(metrics)
        for place, pair in enumerate(pairs)
    ]
    rows = measured.join(pl.DataFrame(facts, schema=FACTS), on=["metric", PAIR])
    rows = with_difference(_filled(request, rows))
    rows = rows.join(_labels(request.calendar, pairs), on=PAIR)
    is_new = pl.col("reason").eq_missing(str(ComparisonReason.NO_REFERENCE))
    rows = rows.sort(["#order", PAIR, is_new, *groups], nulls_last=True)
    period = ["period"] if request.calendar.has_periods else []
    return rows.select("metric", *period, *groups, *COLUMNS)


def _facts(
    request: PairRequest, known: KnownDays, metric: Metric, place: int, pair: Pair
) -> dict[str, object]:
    """Return what is to be known of a metric and a pair to judge their numbers."""
    has_hours = request.calendar.has_hours
    is_divided = request.is_divided(metric)
    return {
        "metric": metric.name,
        PAIR: place,
        "unit": str(_unit(request, metric)),
        "adds_up": metric.kind in ADDS_UP,
        "is_known": bool(pair.values) and known.holds(metric, pair.values),
        "is_interval": metric.unit.display is Display.SCORE,
        "direction": SIGNS[metric.direction],
        "unpaired": pair.unpaired,
        "days": None if has_hours else pair.days,
        "reference_days": None if has_hours else pair.reference_days,
        "divisor": pair.days if is_divided else 1,
        "reference_divisor": pair.reference_days if is_divided else 1,
        "#start": pair.value.start,
        "why": _why(request, known, metric, pair),
    }


def _why(request: PairRequest, known: KnownDays, metric: Metric, pair: Pair) -> str | None:
    """Return why the two are not compared, or None where they are."""
    if pair.reference is None:
        return str(ComparisonReason.NO_COUNTERPART)
    if request.to is Against.REST:
        return None
    if not known.holds(metric, pair.references):
        return str(ComparisonReason.INCOMPLETE_REFERENCE)
    if not known.holds(metric, pair.values):
        return str(ComparisonReason.INCOMPLETE_PERIOD)
    return None


def _filled(request: PairRequest, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with what is silent as 0, and nothing where nothing is known.

    A group is new where what adds up has never been other than 0 before.
    """
    value, reference = pl.col("value"), pl.col("reference")
    unknown = [str(ComparisonReason.INCOMPLETE_REFERENCE), str(ComparisonReason.NO_COUNTERPART)]
    is_hidden = pl.col("why").is_in(unknown).fill_null(value=False)
    adds_up = pl.col("adds_up") & pl.col("is_known")
    rows = rows.with_columns(
        pl.when(adds_up & pl.col(HAS_VALUE).is_null()).then(0.0).otherwise(value).alias("value"),
        pl.when(is_hidden)
        .then(None)
        .when(adds_up & pl.col(HAS_REFERENCE).is_null())
        .then(0.0)
        .otherwise(reference)
        .alias("reference"),
    )
    if request.asked.groups and request.to is not Against.REST:
        is_new = adds_up & (value != 0) & (reference == 0)
        is_new = is_new & (pl.col(FIRST) >= pl.col("#start"))
        rows = rows.with_columns(
            pl.when(~is_new.fill_null(value=False)).then(reference).alias("reference")
        )
    return rows.with_columns(value / pl.col("divisor"), reference / pl.col("reference_divisor"))


def _labels(calendar: Calendar, pairs: Sequence[Pair]) -> pl.DataFrame:
    """Return the days of each pair, as the frame has them."""
    columns: Mapping[str, list[dt.datetime | None]] = {
        "period": [pair.label for pair in pairs],
        "start": [pair.value.start for pair in pairs],
        "end": [pair.value.end for pair in pairs],
        "reference_start": [pair.reference_start for pair in pairs],
        "reference_end": [pair.reference_end for pair in pairs],
    }
    labels = {name: calendar.labels(moments) for name, moments in columns.items()}
    return pl.DataFrame({PAIR: pl.Series(range(len(pairs)), dtype=pl.Int64), **labels})


def _unit(request: PairRequest, metric: Metric) -> Unit:
    return metric.unit / DAY if request.is_divided(metric) else metric.unit

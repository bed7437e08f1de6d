"""Trends: whether a metric does more than it does by itself."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import copysign, inf, isfinite
from types import NoneType
from typing import cast

import polars as pl

from funnelkit.calendar.calendar import Calendar, Moment
from funnelkit.charts.spec import Spec
from funnelkit.errors import DefinitionError, check_kind
from funnelkit.formula.accumulation import MetricKind
from funnelkit.formula.reason import Reason
from funnelkit.metrics.metric import Direction, Metric
from funnelkit.result.display import IS_TOTAL
from funnelkit.result.limits import (
    FEWEST,
    FIRM,
    WIDTH,
    ProcessLimits,
    process_limits,
    signals,
)
from funnelkit.result.picture import control_charts
from funnelkit.result.result import Result
from funnelkit.result.view import Figure, Plotted, Shown
from funnelkit.units import NUMBER

__all__ = ["Trend", "TrendReason", "trend"]

RULES = (
    "outside: more than 3 sigma from what is expected. run: eight or more in a row on one side. "
    "near: three of four in a row beyond 1.5 sigma on one side."
)
SEASONS: Mapping[str, tuple[str, int, int]] = {
    "weekday": ("1d", 7, 3),
    "hour_of_week": ("1h", 168, 4),
}
"""The grain of each season, how many positions a cycle has, and the fewest whole cycles."""


class TrendReason(StrEnum):
    """Why a period has no limits, or only some of what goes with them."""

    FEW_PERIODS = "few_periods"
    FEW_CYCLES = "few_cycles"
    MOSTLY_ZERO = "mostly_zero"
    NO_SEASON = "no_season"
    NO_VARIATION = "no_variation"
    NO_WEIGHT = "no_weight"
    AT_BOUND = "at_bound"


SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(("expected", "sigma", "lower", "upper", "z"), pl.Float64),
    **dict.fromkeys(("outside", "run", "near"), pl.Boolean),
    "signal": pl.Enum(["outside", "run", "near"]),
    "verdict": pl.Enum(["better", "worse"]),
    "limits": pl.Enum(["firm", "provisional"]),
    "segment": pl.Int64,
    "assurance": pl.Enum(["consistent_pass", "inconsistent", "consistent_fail"]),
    "why": pl.String,
}
Row = dict[str, float | bool | str | int | None]


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Trend(Plotted):
    """Which periods differ from the others by more than the metric varies by itself.

    Attributes:
        rule: The rules, in sentences.
        charts: How many series were looked at.
        currency: The code of the currency of amounts.
    """

    rule: str
    charts: int
    currency: str
    _frame: pl.DataFrame
    _keys: tuple[str, ...]
    _metrics: tuple[Metric, ...]

    @property
    def frame(self) -> pl.DataFrame:
        """One row per metric, group and period, in order of time.

        `value`, `numerator`, `denominator` and `unit` as in `Result.tidy`. `expected` is the
        centre, with the season where there is one; `sigma` how far the value varies by itself;
        `lower` and `upper` are three sigma from `expected`, null where the metric cannot get
        there; `z` is how many sigma the value lies above. `outside`, `run`, `near`: the rules
        that mark it; `signal` is the first of them, null where none does, and `verdict`
        whether that is for the `better` or `worse`, null for a neutral metric. `limits` are
        `provisional` with fewer than 12 periods. `segment` counts the stretches between
        breaks. `assurance`: whether the process as it is reaches the target.

        `reason` is why something is null: a reason of the value (see `Reason`), or `few_periods`
        (fewer than 6), `few_cycles`, `mostly_zero`, `no_season` (the season is 0 or less
        there), `no_variation` (all equal), `no_weight` (a denominator of 0 or less),
        `at_bound` (a limit that the metric cannot reach).
        """
        return self._frame.clone()

    def picture(self) -> Spec:
        """Return a control chart per metric, as a Vega-Lite specification; see `plot`."""
        return control_charts(self._frame, self._metrics, self._keys[1:], self.currency)

    def _shown(self) -> Shown:
        several = ["metric"] if len(self._metrics) > 1 else []
        keys = [*several, *self._keys, "value", "expected", "lower", "upper", "signal", "verdict"]
        count = self._frame.get_column("signal").count()
        charts = "1 chart" if self.charts == 1 else f"{self.charts} charts"
        noted = f"{count} marked in {charts}; stable ones too are marked at times"
        return Shown(
            frame=pl.concat(map(self._marked, self._metrics)),
            figures=[Figure("z", NUMBER)],
            keys=keys,
            notes=[noted, self.rule],
            currency=self.currency,
        )

    def _marked(self, metric: Metric) -> pl.DataFrame:
        """Return the rows of a metric with its numbers as text in its unit."""
        rows, unit = self._frame.filter(pl.col("metric") == metric.name), metric.unit
        known = {name: rows.get_column(name) for name in ("value", "expected", "lower", "upper")}
        numbers = {
            name: ["" if v is None else unit.format(v, currency=self.currency) for v in column]
            for name, column in known.items()
        }
        words = [pl.col(name).cast(pl.String).fill_null("") for name in ("signal", "verdict")]
        texts = pl.DataFrame(numbers, schema=dict.fromkeys(numbers, pl.String))
        return rows.with_columns(*texts, *words)


def trend(  # noqa: PLR0913  # what is wanted of it, every part by keyword
    result: Result,
    *,
    baseline: tuple[Moment, Moment] | None = None,
    breaks: Sequence[Moment] = (),
    season: str | None = None,
    robust: bool = False,
    target: float | None = None,
) -> Trend:
    """Find the periods in which a metric does more than it does by itself.

    Only complete periods enter. Each is judged by the limits of the individuals chart with
    denominators, I'; with equal denominators this is the XmR chart.

    Args:
        result: The values, evaluated with `every=`.
        baseline: The range whose periods give the limits of all; by default every period.
        breaks: Moments from which new limits hold.
        season: `"weekday"` for days or `"hour_of_week"` for hours: what repeats each week is
            taken out first, by the mean of each position over whole weeks.
        robust: Use medians in place of means, which single enormous values do not move.
        target: The value to be reached, for a result of one metric.

    Raises:
        DefinitionError: An argument is not valid.

    Examples:
        >>> import funnelkit as fk
        >>> weeks = fk.evaluate(fk.demo(), "session_conversion_rate", every="1w")
        >>> fk.trend(weeks).frame.filter("outside").get_column("period").to_list()
        [datetime.date(2024, 10, 14)]
    """
    _check_kinds(result, season, baseline, breaks, target)
    calendar = result.plan.question.calendar
    faults = list(_faults(result, season, baseline, breaks, target))
    if faults:
        raise DefinitionError("; ".join(faults), "see the arguments of trend")
    span = None
    if baseline is not None:
        span = (_local(calendar, baseline[0]), _local(calendar, baseline[1]))
        if span[1] <= span[0]:
            raise DefinitionError(f"baseline={baseline!r} ends before it begins")
    edges = tuple(sorted({_local(calendar, each) for each in breaks}))
    charts = [
        _Chart(metric, calendar, span, edges, season, robust, target) for metric in result.metrics
    ]
    groups = result.keys[1:]
    parts = list(_parts(result, charts, groups))
    return Trend(
        rule=RULES,
        charts=len(parts),
        currency=result.currency,
        _frame=_named(result, parts),
        _keys=("period", *groups),
        _metrics=result.metrics,
    )


def _check_kinds(result: object, *options: object) -> None:
    """Check what the arguments are, before anything is read from them."""
    season, baseline, breaks, target = options
    check_kind("result", result, (Result,), "evaluate metrics: fk.evaluate(shop, …, every='1w')")
    check_kind("season", season, (str, NoneType), "write season='weekday'")
    check_kind("baseline", baseline, (tuple, list, NoneType), "write ('2024-01-01', '2024-04-01')")
    if isinstance(baseline, tuple | list):
        count = len(cast(Sequence[object], baseline))
        if count != 2:
            raise DefinitionError(
                f"baseline={baseline!r} has {count} moments", "give its start and its end"
            )
    check_kind("breaks", breaks, (tuple, list), "give a list: breaks=['2024-07-01']")
    check_kind("target", target, (int, float, NoneType), "give a number")


def _faults(
    result: Result,
    season: str | None,
    baseline: object,
    breaks: Sequence[Moment],
    target: float | None,
) -> Iterator[str]:
    """Return what is wrong with the arguments."""
    calendar = result.plan.question.calendar
    if not calendar.has_periods:
        yield "the result has no periods: evaluate it with every='1w'"
    if season is not None and season not in SEASONS:
        yield f"season={season!r} is not one of {', '.join(map(repr, SEASONS))}"
    elif season is not None and str(calendar) != SEASONS[season][0]:
        yield f"season={season!r} is for every={SEASONS[season][0]!r}, not {calendar}"
    if baseline is not None and breaks:
        yield "baseline= gives the same limits throughout, breaks= new ones: give one of them"
    if target is None:
        return
    if len(result.metrics) > 1:
        yield f"target={target!r} is for one metric, and the result has {len(result.metrics)}"
    yield from (
        f"target={target!r}: for {metric.name} neither direction is better"
        for metric in result.metrics
        if metric.direction is Direction.NEUTRAL
    )
    if not isfinite(target):
        yield f"target={target!r} is not a finite number"


def _local(calendar: Calendar, moment: Moment) -> dt.datetime:
    local = calendar.local(moment, "a moment of trend")
    if local is None:
        raise DefinitionError("a moment of trend is None", "write 2024-12-31")
    return local


def _parts(
    result: Result, charts: Sequence[_Chart], groups: Sequence[str]
) -> Iterator[pl.DataFrame]:
    """Return the rows of each metric and group, judged."""
    tidy = result.tidy()
    if result.has_totals:
        tidy = tidy.filter(~pl.col(IS_TOTAL)).drop(IS_TOTAL)
    if tidy.is_empty():
        return
    periods = tidy.get_column("period")
    calendar = result.plan.question.calendar
    every = calendar.starts(periods.min(), periods.max()).alias("period").to_frame()
    is_open = pl.col("reason") == str(Reason.INCOMPLETE_PERIOD)
    opened = tidy.filter(is_open).get_column("period").unique().implode()
    every = every.with_columns(pl.col("period").is_in(opened).alias("is_open"))
    for chart in charts:
        own = tidy.filter(pl.col("metric") == chart.metric.name)
        series = own.partition_by(groups, maintain_order=True) if groups else [own]
        for rows in series:
            yield _judged(_every_period(rows, every, chart.metric, groups), chart)


def _every_period(
    rows: pl.DataFrame, every: pl.DataFrame, metric: Metric, groups: Sequence[str]
) -> pl.DataFrame:
    """Return a row for every period: where there is none, what adds up is 0."""
    adds_up = metric.kind in {MetricKind.FLOW, MetricKind.DISTINCT}
    first = rows.row(0, named=True)
    marked = rows.with_columns(pl.lit(value=True).alias("is_there"))
    filled = every.join(marked, on="period", how="left").sort("period")
    is_there = pl.col("is_there").is_not_null()
    silent = pl.lit(None if adds_up else str(Reason.NO_ROWS), dtype=pl.String)
    opened = pl.when("is_open").then(pl.lit(str(Reason.INCOMPLETE_PERIOD)))
    return filled.select(
        pl.lit(metric.name).alias("metric"),
        "period",
        *(pl.lit(first[name], dtype=rows.schema[name]).alias(name) for name in groups),
        pl.when(is_there).then("value").otherwise(0.0 if adds_up else None).alias("value"),
        "numerator",
        "denominator",
        pl.lit(first["unit"]).alias("unit"),
        pl.when(is_there).then("reason").otherwise(pl.coalesce(silent, opened)).alias("reason"),
    )


@dataclass(frozen=True, slots=True)
class _Chart:
    """What was requested, of one metric."""

    metric: Metric
    calendar: Calendar
    baseline: tuple[dt.datetime, dt.datetime] | None
    breaks: tuple[dt.datetime, ...]
    season: str | None
    robust: bool
    target: float | None


@dataclass(frozen=True, slots=True)
class _Series:
    """The periods of one metric and group, with None where a period does not enter."""

    values: list[float | None]
    weights: list[float]
    starts: list[dt.datetime]
    why: list[str | None]


def _series(rows: pl.DataFrame, calendar: Calendar) -> _Series:
    values, weights, why = list[float | None](), list[float](), list[str | None]()
    wanted = rows.select("value", "denominator", "reason")
    for value, weight, reason in wanted.iter_rows():
        is_weightless = weight is not None and weight <= 0
        enters = value is not None and reason is None and not is_weightless
        values.append(value if enters else None)
        weights.append(weight if enters and weight is not None else 1.0)
        why.append(reason or (str(TrendReason.NO_WEIGHT) if is_weightless else None))
    starts = [
        calendar.shown(label)
        if isinstance(label, dt.datetime)
        else dt.datetime.combine(label, dt.time())
        for label in rows.get_column("period")
    ]
    return _Series(values, weights, starts, why)


def _judged(rows: pl.DataFrame, chart: _Chart) -> pl.DataFrame:
    """Return the rows of one series with what is expected of them and what marks them."""
    series = _series(rows, chart.calendar)
    segments = [bisect_right(chart.breaks, start) for start in series.starts]
    judged = list[Row]()
    for segment in sorted(set(segments)):
        first, count = segments.index(segment), segments.count(segment)
        part = slice(first, first + count)
        own = _Series(
            series.values[part], series.weights[part], series.starts[part], series.why[part]
        )
        judged += [{**row, "segment": segment} for row in _segment(own, chart)]
    frame = pl.DataFrame(judged, schema=SCHEMA)
    return pl.concat([rows, frame], how="horizontal").with_columns(reason=pl.col("why")).drop("why")


def _segment(series: _Series, chart: _Chart) -> list[Row]:
    """Return the judgement of the periods between two breaks."""
    span = chart.baseline
    is_base = [span is None or span[0] <= at < span[1] for at in series.starts]
    base = [value if within else None for value, within in zip(series.values, is_base, strict=True)]
    relatives = _relatives(base, series, chart)
    if isinstance(relatives, TrendReason):
        return _unlimited(series, relatives)
    charted, calm = (
        [
            None if value is None or relative <= 0 else value / relative
            for value, relative in zip(values, relatives, strict=True)
        ]
        for values in (series.values, base)
    )
    known = [value for value in calm if value is not None]
    limits = process_limits(calm, series.weights, robust=chart.robust)
    if len(known) < FEWEST or limits is None:
        return _unlimited(series, TrendReason.FEW_PERIODS)
    if 2 * known.count(0) > len(known):
        return _unlimited(series, TrendReason.MOSTLY_ZERO)
    return _limited(series, charted, relatives, limits, chart)


def _unlimited(series: _Series, reason: TrendReason) -> list[Row]:
    marks: Row = dict.fromkeys(("outside", "run", "near"), False)
    return [{**dict.fromkeys(SCHEMA), **marks, "why": why or str(reason)} for why in series.why]


def _relatives(
    base: Sequence[float | None], series: _Series, chart: _Chart
) -> list[float] | TrendReason:
    """Return the season of each period: the mean of its position by that of all."""
    if chart.season is None:
        return [1.0] * len(base)
    _, size, fewest = SEASONS[chart.season]
    known = [at for at, value in enumerate(base) if value is not None]
    whole = (known[-1] + 1 - known[0]) // size if known else 0
    if whole < fewest:
        return TrendReason.FEW_CYCLES
    sums = {position: [0.0, 0.0] for position in range(size)}
    for at in range(known[0], known[0] + whole * size):
        value, weight = base[at], series.weights[at]
        if value is not None:
            own = sums[_position(series.starts[at], size)]
            own[0], own[1] = own[0] + value * weight, own[1] + weight
    total, weights = (sum(pair[side] for pair in sums.values()) for side in (0, 1))
    if total <= 0 or not all(weight for _, weight in sums.values()):
        return TrendReason.NO_SEASON
    means = {
        position: (above / below) / (total / weights) for position, (above, below) in sums.items()
    }
    return [means[_position(start, size)] for start in series.starts]


def _position(start: dt.datetime, size: int) -> int:
    return start.weekday() if size == SEASONS["weekday"][1] else start.weekday() * 24 + start.hour


def _limited(
    series: _Series,
    charted: Sequence[float | None],
    relatives: Sequence[float],
    limits: ProcessLimits,
    chart: _Chart,
) -> list[Row]:
    distances = [
        None if value is None else _distance(value - limits.centre, limits.sigma(weight))
        for value, weight in zip(charted, series.weights, strict=True)
    ]
    marks = signals(distances)
    rows = list[Row]()
    for at, distance in enumerate(distances):
        flags: Row = {
            "outside": marks.outside[at],
            "run": marks.run[at],
            "near": marks.near[at],
        }
        if distance is None:
            why = series.why[at] or str(TrendReason.NO_SEASON)
            rows.append({**dict.fromkeys(SCHEMA), **flags, "why": why})
            continue
        sigma = limits.sigma(series.weights[at]) * relatives[at]
        row = _row(limits.centre * relatives[at], sigma, distance, chart)
        signal = next((name for name in flags if flags[name]), None)
        verdict = None if signal is None else _verdict(chart.metric.direction, distance)
        firm = "firm" if limits.points >= FIRM else "provisional"
        rows.append({**row, **flags, "signal": signal, "verdict": verdict, "limits": firm})
    return rows


def _distance(difference: float, sigma: float) -> float:
    if sigma:
        return difference / sigma
    return copysign(inf, difference) if difference else 0.0


def _row(expected: float, sigma: float, distance: float, chart: _Chart) -> Row:
    """Return the limits of a period, cut at the bounds of the metric."""
    lower, upper = expected - WIDTH * sigma, expected + WIDTH * sigma
    low, high = chart.metric.bounds
    has_lower = low is None or lower > low
    has_upper = high is None or upper < high
    why = None
    if not sigma:
        why = str(TrendReason.NO_VARIATION)
    elif not (has_lower and has_upper):
        why = str(TrendReason.AT_BOUND)
    return {
        "expected": expected,
        "sigma": sigma,
        "lower": lower if has_lower else None,
        "upper": upper if has_upper else None,
        "z": distance if sigma else None,
        "assurance": _assurance(chart, lower, upper),
        "why": why,
    }


def _assurance(chart: _Chart, lower: float, upper: float) -> str | None:
    """Return whether the process reaches a target always, never or at times."""
    target = chart.target
    if target is None:
        return None
    if lower <= target <= upper:
        return "inconsistent"
    is_up = chart.metric.direction is Direction.UP
    return "consistent_fail" if (target > upper) == is_up else "consistent_pass"


def _verdict(direction: Direction, distance: float) -> str | None:
    if direction is Direction.NEUTRAL:
        return None
    return "better" if (distance > 0) == (direction is Direction.UP) else "worse"


def _named(result: Result, parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return all rows with the columns in the order in which they are documented."""
    last = [name for name in SCHEMA if name != "why"]
    names = ["metric", *result.keys, "value", "numerator", "denominator", *last, "unit", "reason"]
    if not parts:
        tidy = result.tidy()
        empty = [pl.lit(None, dtype=SCHEMA[name]).alias(name) for name in last]
        return tidy.clear().with_columns(*empty).select(names)
    return pl.concat(parts).select(names)

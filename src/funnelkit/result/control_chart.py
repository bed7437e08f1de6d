"""Control charts: what is expected of each period of a series, and which rules mark it."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import copysign, inf

import polars as pl

from funnelkit.calendar.calendar import Calendar
from funnelkit.metrics.metric import Direction, Metric
from funnelkit.result.limits import (
    FEWEST,
    FIRM,
    WIDTH,
    Episode,
    ProcessLimits,
    Rule,
    process_limits,
    signals,
)

__all__ = ["MARKS", "PLACES", "SEASONS", "ControlChart", "TrendReason", "judged"]

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


MARKS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(("expected", "sigma", "lower", "upper", "z"), pl.Float64),
    **dict.fromkeys(map(str, Rule), pl.Boolean),
    "signal": pl.Enum(Rule),
    **dict.fromkeys(("onset", "detected"), pl.Int64),
    "verdict": pl.Enum(["better", "worse"]),
    "limits": pl.Enum(["firm", "provisional"]),
    "phase": pl.Int64,
    "assurance": pl.Enum(["consistent_pass", "inconsistent", "consistent_fail"]),
    "why": pl.String,
}
PLACES = ("onset", "detected")
"""The columns that name another period of the series."""

Row = dict[str, float | bool | str | int | None]


@dataclass(frozen=True, slots=True)
class ControlChart:
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
    places: range


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
    return _Series(values, weights, starts, why, range(rows.height))


def judged(rows: pl.DataFrame, chart: ControlChart) -> pl.DataFrame:
    """Return the rows of one series with what is expected of them and what marks them."""
    series = _series(rows, chart.calendar)
    phases = [bisect_right(chart.breaks, start) for start in series.starts]
    marks = list[Row]()
    for phase in sorted(set(phases)):
        first, count = phases.index(phase), phases.count(phase)
        own = _part(series, slice(first, first + count))
        marks += [{**row, "phase": phase} for row in _phase(own, chart)]
    frame = pl.DataFrame(marks, schema=MARKS)
    return (
        pl.concat([rows, frame], how="horizontal")
        .with_columns(pl.col("period").gather(pl.col(name)).alias(name) for name in PLACES)
        .with_columns(reason=pl.col("why"))
        .drop("why")
    )


def _part(series: _Series, part: slice) -> _Series:
    return _Series(
        series.values[part],
        series.weights[part],
        series.starts[part],
        series.why[part],
        series.places[part],
    )


def _phase(series: _Series, chart: ControlChart) -> list[Row]:
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
    marks: Row = dict.fromkeys(map(str, Rule), False)
    return [{**dict.fromkeys(MARKS), **marks, "why": why or str(reason)} for why in series.why]


def _relatives(
    base: Sequence[float | None], series: _Series, chart: ControlChart
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
    chart: ControlChart,
) -> list[Row]:
    distances = [
        None if value is None else _distance(value - limits.centre, limits.sigma(weight))
        for value, weight in zip(charted, series.weights, strict=True)
    ]
    found = signals(distances)
    marks = {str(rule): found.marks(rule) for rule in Rule}
    episodes = found.by_place()
    rows = list[Row]()
    for at, distance in enumerate(distances):
        flags: Row = {rule: marked[at] for rule, marked in marks.items()}
        if distance is None:
            why = series.why[at] or str(TrendReason.NO_SEASON)
            rows.append({**dict.fromkeys(MARKS), **flags, "why": why})
            continue
        sigma = limits.sigma(series.weights[at]) * relatives[at]
        row = _row(limits.centre * relatives[at], sigma, distance, chart)
        firm = "firm" if limits.points >= FIRM else "provisional"
        signal = _signal(episodes.get(at), series.places, chart.metric.direction, distance)
        rows.append({**row, **flags, **signal, "limits": firm})
    return rows


def _signal(episode: Episode | None, places: range, direction: Direction, distance: float) -> Row:
    """Return what a period belongs to that breaks a rule."""
    if episode is None:
        return dict.fromkeys(("signal", "verdict", *PLACES))
    return {
        "signal": str(episode.rule),
        "verdict": _verdict(direction, distance),
        "onset": places[episode.places[0]],
        "detected": places[episode.detected],
    }


def _distance(difference: float, sigma: float) -> float:
    if sigma:
        return difference / sigma
    return copysign(inf, difference) if difference else 0.0


def _row(expected: float, sigma: float, distance: float, chart: ControlChart) -> Row:
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


def _assurance(chart: ControlChart, lower: float, upper: float) -> str | None:
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

"""Trends: whether a metric does more than it does by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from types import NoneType
from typing import cast

import polars as pl

from funnelkit.arguments import check_flags, check_key_names, check_kind, is_finite, not_chosen
from funnelkit.calendar.calendar import Calendar, Moment
from funnelkit.charts.spec import Spec
from funnelkit.errors import DefinitionError
from funnelkit.formula.accumulation import ADDS_UP
from funnelkit.formula.reason import Reason
from funnelkit.metrics.metric import Direction, Metric
from funnelkit.result.control_chart import MARKS, PLACES, SEASONS, ControlChart, judged
from funnelkit.result.display import IS_TOTAL
from funnelkit.result.known import complete_periods, known_rows
from funnelkit.result.limits import RULES
from funnelkit.result.picture import control_charts
from funnelkit.result.result import Result
from funnelkit.result.view import Figure, Plotted, Shown
from funnelkit.units import NUMBER

__all__ = ["Trend", "trend"]


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Trend(Plotted):
    """Which periods differ from the others by more than the metric varies by itself.

    Attributes:
        rule: The rules, in sentences.
        charts: How many series were looked at.
        metrics: The metrics.
        currency: The code of the currency of amounts.
    """

    rule: str
    charts: int
    metrics: tuple[Metric, ...]
    currency: str
    _frame: pl.DataFrame
    _keys: tuple[str, ...]

    @property
    def frame(self) -> pl.DataFrame:
        """One row per metric, group and period, in order of time.

        `value`, `numerator`, `denominator` and `unit` as in `Result.tidy`. `expected` is the
        centre, with the season where there is one; `sigma` how far the value varies by itself;
        `lower` and `upper` are three sigma from `expected`, null where the metric cannot get
        there; `z` is how many sigma the value lies above. `outside`, `run`, `near`: the rules
        that mark it; `signal` is the first of them, null where none does, and `verdict`
        whether that is for the `better` or `worse`, null for a neutral metric. `onset` is the
        first period of the signal that a period belongs to, `detected` the one in which it
        could first be seen: of a run the eighth. `limits` are
        `provisional` with fewer than 12 periods. `phase` counts the stretches between
        breaks. `assurance`: whether the process as it is reaches the target.

        A period without rows of a group is a 0 of what adds up, until the last period that is
        over; but not before the first row of the tables that are read, or before the first
        value of the group other than 0: what there was then is not known, so there is no value.
        The period in which the first row of the tables lies does not enter.

        `reason` is why something is null: a reason of the value (see `Reason`), or `few_periods`
        (fewer than 6), `few_cycles`, `mostly_zero`, `no_season` (the season is 0 or less
        there), `no_variation` (all equal), `no_weight` (a denominator of 0 or less),
        `at_bound` (a limit that the metric cannot reach).
        """
        return self._frame.clone()

    def picture(self) -> Spec:
        """Return a control chart per metric, as a Vega-Lite specification; see `plot`."""
        return control_charts(self._frame, self.metrics, self._keys[1:], self.currency)

    def _shown(self) -> Shown:
        several = ["metric"] if len(self.metrics) > 1 else []
        keys = [*several, *self._keys, "value", "expected", "lower", "upper", "signal", "verdict"]
        count = self._frame.get_column("signal").count()
        charts = "1 chart" if self.charts == 1 else f"{self.charts} charts"
        noted = f"{count} marked in {charts}; stable ones too are marked at times"
        return Shown(
            frame=pl.concat(map(self._marked, self.metrics)),
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
    check_kind("result", result, (Result,), "evaluate metrics: fk.evaluate(shop, …, every='1w')")
    check_flags(robust=robust)
    faults = list(_kind_faults(season, baseline, breaks, target))
    _raise_all(faults)
    check_key_names(result.keys[1:], MARKS)
    calendar = result.plan.question.calendar
    span = () if baseline is None else _moments(calendar, "baseline", baseline, faults)
    edges = _moments(calendar, "breaks", breaks, faults)
    faults += _faults(result, season, target)
    faults += _baseline_faults(baseline, span, breaks)
    _raise_all(faults)
    chart = partial(
        ControlChart,
        calendar=calendar,
        baseline=(span[0], span[1]) if span else None,
        breaks=tuple(sorted(set(edges))),
        season=season,
        robust=robust,
        target=target,
    )
    charts = [chart(metric) for metric in result.metrics]
    parts = list(_parts(result, charts))
    return Trend(
        rule=RULES,
        charts=len(parts),
        currency=result.currency,
        _frame=_named(result, parts),
        _keys=result.keys,
        metrics=result.metrics,
    )


def _baseline_faults(
    baseline: object, span: Sequence[dt.datetime], breaks: Sequence[Moment]
) -> Iterator[str]:
    if baseline is not None and breaks:
        yield "baseline= gives the same limits throughout, breaks= new ones: give one"
    if len(span) == 2 and span[1] <= span[0]:
        yield f"baseline={baseline!r} ends before it begins"


def _raise_all(faults: Sequence[str]) -> None:
    if faults:
        raise DefinitionError("; ".join(faults), "see the arguments of trend")


def _kind_faults(*options: object) -> Iterator[str]:
    """Return which arguments are of another kind, before anything is read from them."""
    season, baseline, breaks, target = options
    yield from _other_kind("season", season, (str, NoneType), "write season='weekday'")
    remedy = "write ('2024-01-01', '2024-04-01')"
    yield from _other_kind("baseline", baseline, (tuple, list, NoneType), remedy)
    if isinstance(baseline, tuple | list):
        count = len(cast(Sequence[object], baseline))
        if count != 2:
            yield f"baseline={baseline!r} has {count} moments: give its start and its end"
    remedy = "give a list: breaks=['2024-07-01']"
    yield from _other_kind("breaks", breaks, (tuple, list), remedy)
    yield from _other_kind("target", target, (int, float, NoneType), "give a number")


def _other_kind(name: str, thing: object, kinds: tuple[type, ...], remedy: str) -> Iterator[str]:
    try:
        check_kind(name, thing, kinds, remedy)
    except DefinitionError as error:
        yield str(error)


def _moments(
    calendar: Calendar, name: str, given: Sequence[Moment], faults: list[str]
) -> list[dt.datetime]:
    """Return moments as local time, and add those that cannot be read to the faults."""
    read = list[dt.datetime]()
    for moment in given:
        try:
            check_kind(name, moment, (str, dt.date), "write 2024-12-31")
            local = calendar.local(moment, name)
        except DefinitionError as error:
            faults.append(str(error))
        else:
            read += [] if local is None else [local]
    return read


def _faults(result: Result, season: str | None, target: float | None) -> Iterator[str]:
    """Return what does not fit the result."""
    calendar = result.plan.question.calendar
    if not calendar.has_periods:
        yield "the result has no periods: evaluate it with every='1w'"
    if season is not None and (fault := not_chosen("season", season, SEASONS)):
        yield fault
    elif season is not None and str(calendar) != SEASONS[season][0]:
        yield f"season={season!r} is for every={SEASONS[season][0]!r}, not {calendar}"
    if target is None:
        return
    if len(result.metrics) > 1:
        yield f"target={target!r} is for one metric, and the result has {len(result.metrics)}"
    yield from (
        f"target={target!r}: for {metric.name} neither direction is better"
        for metric in result.metrics
        if metric.direction is Direction.NEUTRAL
    )
    if not is_finite(target):
        yield f"target={target!r} is not a finite number"


def _parts(result: Result, charts: Sequence[ControlChart]) -> Iterator[pl.DataFrame]:
    """Return the rows of each metric and group, judged."""
    rows, groups = known_rows(result), result.keys[1:]
    if result.has_totals:
        rows = rows.filter(~pl.col(IS_TOTAL)).drop(IS_TOTAL)
    if rows.is_empty():
        return
    every = _periods(result, rows)
    for chart in charts:
        own = rows.filter(pl.col("metric") == chart.metric.name)
        series = own.partition_by(groups, maintain_order=True) if groups else [own]
        for each in series:
            yield judged(_every_period(each, every, chart.metric, groups), chart)


def _periods(result: Result, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the periods from the first row to the last, or to the last that is over.

    `is_open` marks those that are not over.
    """
    calendar, labels = result.plan.question.calendar, rows.get_column("period")
    over = [start for start, _ in complete_periods(result)]
    last = labels.append(pl.Series(over, dtype=labels.dtype)).max()
    every = calendar.starts(labels.min(), last).alias("period").to_frame()
    is_open = pl.col("period") > over[-1] if over else pl.lit(result.as_of is not None)
    return every.with_columns(is_open.alias("is_open"))


def _every_period(
    rows: pl.DataFrame, every: pl.DataFrame, metric: Metric, groups: Sequence[str]
) -> pl.DataFrame:
    """Return a row for every period: where there is none after a known one, what adds up is 0."""
    adds_up = metric.kind in ADDS_UP
    first, since = rows.row(0, named=True), pl.lit(rows.drop_nulls("value")["period"].min())
    marked = rows.with_columns(pl.lit(value=True).alias("is_there"))
    filled = every.join(marked, on="period", how="left").sort("period")
    is_there = pl.col("is_there").is_not_null()
    is_zero = pl.lit(adds_up) & (pl.col("period") > since).fill_null(value=False)
    silent = pl.when(~is_zero).then(pl.lit(str(Reason.NO_ROWS)))
    opened = pl.when("is_open").then(pl.lit(str(Reason.INCOMPLETE_PERIOD)))
    return filled.select(
        pl.lit(metric.name).alias("metric"),
        "period",
        *(pl.lit(first[name], dtype=rows.schema[name]).alias(name) for name in groups),
        pl.when(is_there).then("value").otherwise(pl.when(is_zero).then(0.0)).alias("value"),
        "numerator",
        "denominator",
        pl.lit(first["unit"]).alias("unit"),
        pl.when(is_there).then("reason").otherwise(pl.coalesce(silent, opened)).alias("reason"),
    )


def _named(result: Result, parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return all rows with the columns in the order in which they are documented."""
    last = [name for name in MARKS if name != "why"]
    names = ["metric", *result.keys, "value", "numerator", "denominator", *last, "unit", "reason"]
    if not parts:
        tidy = result.tidy()
        labels = dict.fromkeys(PLACES, tidy.schema["period"])
        empty = [pl.lit(None, dtype={**MARKS, **labels}[name]).alias(name) for name in last]
        return tidy.clear().with_columns(*empty).select(names)
    return pl.concat(parts).select(names)

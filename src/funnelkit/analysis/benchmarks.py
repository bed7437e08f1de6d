"""How values stand against benchmarks: those of others, or of one's earlier periods."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

import polars as pl

from funnelkit.arguments import check_key_names, check_kind, check_names
from funnelkit.calendar.grain import INSTANT
from funnelkit.catalog.default import registry
from funnelkit.charts.published import beside_published
from funnelkit.charts.spec import Spec, below_each_other
from funnelkit.errors import DataError, DefinitionError
from funnelkit.exchange.benchmarks import (
    OWN_DATA,
    Benchmark,
    Benchmarks,
    misfits,
    percentile,
)
from funnelkit.exchange.benchmarks import benchmarks as shipped
from funnelkit.formula.reason import Reason
from funnelkit.metrics.metric import Direction, Metric, Stage
from funnelkit.result.display import IS_TOTAL
from funnelkit.result.known import known_rows
from funnelkit.result.picture import group_names, measure_of
from funnelkit.result.result import Result
from funnelkit.result.rollup import PERIOD_NAME
from funnelkit.result.view import Plotted, Shown
from funnelkit.units import Display

__all__ = ["BenchmarkComparison", "against", "own_benchmark"]

OLD_YEARS = 3.0
"""From which age on a benchmark is marked as old."""

FEWEST = 8
"""How many values a benchmark of own data needs."""

OWN_POINTS = ("p10", "p25", "median", "p75", "p90")
DAYS_OF_YEAR = 365.25


class BenchmarkReason(StrEnum):
    """Why a value is not compared with a benchmark, or with care."""

    OTHER_DEFINITION = "other_definition"
    DIFFERS = "differs"
    OTHER_CURRENCY = "other_currency"
    NO_AVERAGE = "no_average"
    OLD = "old"


SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "stage": pl.Enum(Stage),
    "benchmark": pl.String,
    **dict.fromkeys(("below", "above"), pl.String),
    **dict.fromkeys(("below_value", "above_value", "average"), pl.Float64),
    "point": pl.Enum(["median", "average"]),
    **dict.fromkeys(("difference", "ratio"), pl.Float64),
    "standing": pl.Enum(["better", "worse", "same"]),
    "rank": pl.Float64,
    "comparable": pl.Boolean,
    "age_years": pl.Float64,
    **dict.fromkeys(("publisher", "url", "caution"), pl.String),
}


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class BenchmarkComparison(Plotted):
    """How the values of metrics stand against benchmarks.

    Attributes:
        notes: Which definition to evaluate for a benchmark of another one, which metrics have
            no benchmark, and what to keep in mind of each benchmark.
        currency: The code of the currency of amounts.
    """

    notes: tuple[str, ...]
    currency: str
    _frame: pl.DataFrame
    _keys: tuple[str, ...]
    _metrics: tuple[Metric, ...]
    _points: Mapping[str, Mapping[str, float]]

    @property
    def frame(self) -> pl.DataFrame:
        """One row per metric, period, group and benchmark.

        `value` and `unit` as in `Result.tidy`; `stage` of the metric; `benchmark` by name.
        `below` and `above` are the published points between which the value lies, null at an
        end, and `below_value` and `above_value` their values; an average is no such point.
        `average` is the value of `point`: the median, or the average where there is no median;
        `difference` is the value less that, and `ratio` the value divided by it; `standing` is
        whether that is `better`, `worse` or the `same`, null for a neutral metric. `rank` is
        the share of the values of own data that are below. `comparable` is whether definition
        and currency are those of the benchmark; without that there is no number but the value.
        `age_years` is how long the benchmark's own time ended before the as-of time of the
        result, or before the end of its range, or before today, whichever is known first.

        `reason` is a reason of the value (see `Reason`), or `other_definition`, `differs` (the
        publisher's definition fits none of the catalogue), `other_currency`, `no_average`
        (neither median nor average was published), or, with numbers, `old` (more than three
        years).
        """
        return self._frame.clone()

    def picture(self) -> Spec:
        """Return values beside the published points, as a Vega-Lite specification; see `plot`.

        Benchmarks that are not comparable are left out, and so are metrics without others.
        """
        compared = self._frame.filter("comparable").get_column("metric").unique()
        shown = [metric for metric in self._metrics if metric.name in compared]
        return below_each_other([self._pictured(metric) for metric in shown or self._metrics[:1]])

    def _pictured(self, metric: Metric) -> Spec:
        rows = self._frame.filter(pl.col("metric") == metric.name, "comparable")
        named = group_names(rows, ["benchmark", *self._keys])
        named = named.with_columns(rows.get_column("benchmark"))
        points = pl.DataFrame(
            [
                (group, name, at)
                for group, benchmark in named.select("group", "benchmark").rows()
                for name, at in self._points[benchmark].items()
            ],
            schema={"group": pl.String, "point": pl.String, "value": pl.Float64},
            orient="row",
        )
        measure = measure_of(metric, currency=self.currency)
        return beside_published(named.select("group", "value", "standing"), points, measure)

    def _shown(self) -> Shown:
        several = ["metric"] if len(self._metrics) > 1 else []
        numbers = ["value", "benchmark", "between", "point", "average", "difference"]
        return Shown(
            frame=pl.concat([self._worded(metric) for metric in self._metrics]),
            figures=[],
            keys=[*several, *self._keys, *numbers, "standing", "reason"],
            notes=self.notes,
            currency=self.currency,
        )

    def _worded(self, metric: Metric) -> pl.DataFrame:
        """Return the rows of a metric with its numbers as text in its unit."""
        rows = self._frame.filter(pl.col("metric") == metric.name, "comparable")
        is_percent = metric.unit.display is Display.PERCENT

        def text(value: float | None) -> str:
            return "" if value is None else metric.unit.format(value, currency=self.currency)

        def signed(value: float | None) -> str:
            if value is None:
                return ""
            return f"{value * 100:+.2f} pp" if is_percent else "+"[: value > 0] + text(value)

        forms = {"value": text, "average": text, "difference": signed}
        columns = [
            pl.Series(name, [form(value) for value in rows.get_column(name)], dtype=pl.String)
            for name, form in forms.items()
        ]
        words = [
            pl.col(name).cast(pl.String).fill_null("") for name in ("point", "standing", "reason")
        ]
        ends = [
            pl.concat_str("below", pl.lit(" – "), "above"),
            pl.lit("from ") + pl.col("below"),
            pl.lit("below ") + pl.col("above"),
        ]
        between = pl.coalesce(*ends, pl.lit("")).alias("between")
        return rows.with_columns(between, *words).with_columns(columns)


Given = Benchmark | Iterable[Benchmark] | Mapping[str, Benchmark]


def against(
    result: Result, benchmarks: Given | None = None, *, include_different: bool = False
) -> BenchmarkComparison:
    """Hold the values of a result against benchmarks of the same definitions.

    A value is compared with the median where one was published, else with the average, and
    placed between published points; nothing is interpolated or converted.

    Args:
        result: The values.
        benchmarks: What to hold them against; by default `fk.benchmarks()`.
        include_different: Also list benchmarks whose definition fits none of the catalogue;
            there is no difference from them.

    Raises:
        DefinitionError: An argument is not valid, or a benchmark does not fit the metric that
            it names.

    Examples:
        >>> import funnelkit as fk
        >>> year = fk.evaluate(fk.demo(), "add_to_cart_rate", start="2024-01-01", end="2025-01-01")
        >>> fk.against(year).frame.select("below", "above", "standing", "reason").row(0)
        ('p90', None, 'better', 'old')
    """
    check_kind("result", result, (Result,), "evaluate metrics: fk.evaluate(shop, …)")
    check_key_names(result.keys, SCHEMA)
    known = _given(benchmarks)
    if faults := [fault for each in known for fault in misfits(each)]:
        raise DefinitionError("; ".join(faults))
    kept = [each for each in known if include_different or each.match != "differs"]
    tidy = known_rows(result).drop("numerator", "denominator", "n")
    parts, notes = list[pl.DataFrame](), list[str]()
    for metric in result.metrics:
        rows = tidy.filter(pl.col("metric") == metric.name)
        related = [each for each in kept if _is_related(metric, each)]
        parts += [_compared(rows, metric, each, result) for each in related]
        notes += _notes(metric, related, result.currency)
    marks = [IS_TOTAL] if result.has_totals else []
    names = ["metric", *result.keys, *marks, "value", *SCHEMA, "unit", "reason"]
    nothing = [pl.lit(None, dtype=SCHEMA[name]).alias(name) for name in SCHEMA]
    empty = tidy.clear().with_columns(nothing)
    return BenchmarkComparison(
        notes=tuple(notes),
        currency=result.currency,
        _frame=pl.concat([part.select(names) for part in [empty, *parts]]),
        _keys=(*result.keys, *marks),
        _metrics=result.metrics,
        _points={each.name: each.points for each in kept},
    )


def _given(benchmarks: Given | None) -> tuple[Benchmark, ...]:
    """Return the benchmarks of whatever holds them, in order."""
    if benchmarks is None:
        return tuple(shipped().values())
    if isinstance(benchmarks, Benchmark):
        return (benchmarks,)
    remedy = "give fk.load_benchmarks(…), or fk.Benchmark objects"
    check_kind("benchmarks", benchmarks, (Iterable,), remedy)
    if isinstance(benchmarks, Mapping):
        benchmarks = list(cast(Mapping[str, Benchmark], benchmarks).values())
    found = tuple(benchmarks)
    for one in found:
        check_kind("a benchmark", one, (Benchmark,), remedy)
    return tuple(Benchmarks(found).values())


def _is_related(metric: Metric, benchmark: Benchmark) -> bool:
    """Return whether a benchmark is of a metric, or of another definition of its KPI."""
    root = benchmark.metric.partition(".")[0]
    return (metric.variant_of or metric.name) == root or _is_same(metric, benchmark)


def _is_same(metric: Metric, benchmark: Benchmark) -> bool:
    own = benchmark.fingerprint or registry()[benchmark.metric].fingerprint
    return metric.fingerprint == own


def _notes(metric: Metric, related: Sequence[Benchmark], currency: str) -> Iterator[str]:
    """Return what there is to know of the benchmarks of a metric."""
    if not related:
        yield f"{metric.name}: no benchmark"
    for each in related:
        match _obstacle(metric, each, currency):
            case BenchmarkReason.OTHER_DEFINITION:
                yield f"{metric.name}: compare {each.metric} with {each.name}"
            case BenchmarkReason.OTHER_CURRENCY:
                yield f"{each.name}: is in {each.currency}, the values in {currency}"
            case BenchmarkReason.DIFFERS:
                yield f"{each.name}: not comparable with {metric.name}: {each.definition}"
            case _ if each.caution:
                yield f"{each.name}: {each.caution}"
            case _:
                pass


def _compared(
    rows: pl.DataFrame, metric: Metric, benchmark: Benchmark, result: Result
) -> pl.DataFrame:
    """Return the rows of a metric beside a benchmark."""
    years = (_known_until(result) - benchmark.last_day).days / DAYS_OF_YEAR
    obstacle = _obstacle(metric, benchmark, result.currency)
    point = next((name for name in ("median", "average") if name in benchmark.points), None)
    is_open = (pl.col("reason") == str(Reason.INCOMPLETE_PERIOD)).fill_null(value=False)
    enters = pl.lit(obstacle is None) & pl.col("value").is_not_null() & ~is_open
    value = pl.when(enters).then("value")
    average = None if point is None else benchmark.points[point]
    flaws = [
        obstacle,
        BenchmarkReason.NO_AVERAGE if point is None else None,
        BenchmarkReason.OLD if years > OLD_YEARS else None,
    ]
    flaw = next((str(each) for each in flaws if each is not None), None)
    found = {
        "stage": pl.lit(metric.stage),
        "benchmark": pl.lit(benchmark.name),
        **_between(benchmark, value),
        "average": pl.when(enters).then(average),
        "point": pl.when(enters).then(pl.lit(point)),
        "difference": value - average,
        "ratio": value / average if average else pl.lit(None),
        "standing": _standing(metric.direction, value, average),
        "rank": _share_below(benchmark.values, value),
        "comparable": pl.lit(obstacle is None),
        "age_years": pl.lit(years),
        "publisher": pl.lit(benchmark.publisher),
        "url": pl.lit(benchmark.url),
        "caution": pl.lit(benchmark.caution),
    }
    return rows.with_columns(
        *(each.cast(SCHEMA[name]).alias(name) for name, each in found.items()),
        pl.coalesce("reason", pl.lit(flaw, dtype=pl.String)).alias("reason"),
    )


def _obstacle(metric: Metric, benchmark: Benchmark, currency: str) -> BenchmarkReason | None:
    """Return why no value of a metric can be compared with a benchmark, if none can."""
    if benchmark.match == "differs":
        return BenchmarkReason.DIFFERS
    if not _is_same(metric, benchmark):
        return BenchmarkReason.OTHER_DEFINITION
    is_amount = ("money", 1) in metric.unit.powers
    if is_amount and benchmark.currency.upper() != currency.upper():
        return BenchmarkReason.OTHER_CURRENCY
    return None


def _between(benchmark: Benchmark, value: pl.Expr) -> dict[str, pl.Expr]:
    """Return the points next to a value, and what they are; an average is not one of them."""
    points = sorted((at, name) for name, at in benchmark.points.items() if name != "average")
    none, number = pl.lit(None, dtype=pl.String), pl.lit(None, dtype=pl.Float64)
    found = {"below": none, "below_value": number, "above": none, "above_value": number}
    for at, name in points:
        reached = value >= at
        found["below"] = pl.when(reached).then(pl.lit(name)).otherwise(found["below"])
        found["below_value"] = pl.when(reached).then(at).otherwise(found["below_value"])
    for at, name in reversed(points):
        short = value < at
        found["above"] = pl.when(short).then(pl.lit(name)).otherwise(found["above"])
        found["above_value"] = pl.when(short).then(at).otherwise(found["above_value"])
    return found


def _standing(direction: Direction, value: pl.Expr, average: float | None) -> pl.Expr:
    if average is None or direction is Direction.NEUTRAL:
        return pl.lit(None)
    above, below = ("better", "worse") if direction is Direction.UP else ("worse", "better")
    return (
        pl.when(value > average)
        .then(pl.lit(above))
        .when(value < average)
        .then(pl.lit(below))
        .when(value == average)
        .then(pl.lit("same"))
    )


def _share_below(values: Sequence[float], value: pl.Expr) -> pl.Expr:
    if not values:
        return pl.lit(None)
    count = pl.lit(pl.Series(sorted(values), dtype=pl.Float64))
    below = count.search_sorted(value, side="left") / len(values)
    return pl.when(value.is_not_null()).then(below)


def own_benchmark(result: Result, *, points: Sequence[str] = OWN_POINTS) -> tuple[Benchmark, ...]:
    """Return a benchmark of each metric from a result: of earlier periods, or of segments.

    Only complete periods enter, and values that are known; there must be at least 8.

    Args:
        result: The values, evaluated with `every=` or with `by=`.
        points: `"median"`, `"average"` and quantiles such as `"p10"`, which lie between two
            values in proportion, as the quantiles of formulas do.

    Raises:
        DefinitionError: The result has both periods and groups, or neither; or a point is not
            valid.
        DataError: A metric has fewer than 8 values.

    Examples:
        >>> import funnelkit as fk
        >>> weeks = fk.evaluate(fk.demo(), "add_to_cart_rate", every="1w")
        >>> (own,) = fk.own_benchmark(weeks, points=["p25", "p75"])
        >>> own.n, own.publisher
        (108, 'own data')
    """
    check_kind("result", result, (Result,), "evaluate metrics: fk.evaluate(shop, …, every='1w')")
    points = check_names("points", points)
    wrong = [point for point in points if not _is_own(point)]
    faults = [f"{point!r} is not average, median or p1 to p99" for point in wrong]
    if len(result.keys) != 1:
        faults.append(
            f"the result has {len(result.keys)} keys: its values must be of periods, "
            "every='1w', or of segments, by='country'"
        )
    if not points:
        faults.append("points= is empty")
    if faults:
        raise DefinitionError("; ".join(faults))
    tidy = known_rows(result)
    if result.has_totals:
        tidy = tidy.filter(~pl.col(IS_TOTAL))
    known = tidy.filter(pl.col("value").is_not_null() & pl.col("reason").is_null())
    of_metric = {m: known.filter(pl.col("metric") == m.name) for m in result.metrics}
    few = [f"{m.name} has {rows.height}" for m, rows in of_metric.items() if rows.height < FEWEST]
    if few:
        raise DataError(
            f"a benchmark needs {FEWEST} complete values: {', '.join(few)}", "take a longer range"
        )
    return tuple(_own(metric, rows, result, points) for metric, rows in of_metric.items())


def _is_own(point: str) -> bool:
    return point == "average" or percentile(point) is not None


def _own(metric: Metric, rows: pl.DataFrame, result: Result, points: Sequence[str]) -> Benchmark:
    """Return the benchmark that the values of a metric are."""
    (key,) = result.keys
    period, values = _period(rows, result), rows.get_column("value")
    about = (key,) if period is None or key != PERIOD_NAME else period
    return Benchmark(
        name="-".join(("own", metric.name, *about)),
        metric=metric.name,
        points={point: _at(values, point) for point in points},
        match="same",
        definition=metric.description,
        publisher=OWN_DATA,
        url="",
        published=_known_until(result).isoformat(),
        period=period,
        population=f"values of {key}",
        n=rows.height,
        currency=result.currency if ("money", 1) in metric.unit.powers else "",
        values=tuple(values),
        fingerprint=metric.fingerprint,
    )


def _known_until(result: Result) -> dt.date:
    """Return the as-of time of a result, else the end of its range, else today."""
    known = result.as_of or result.plan.question.span.end or dt.datetime.now(dt.UTC)
    return known.date()


def _at(values: pl.Series, point: str) -> float:
    rank = percentile(point)
    number = values.mean() if rank is None else values.quantile(rank / 100, "linear")
    return cast(float, number)


def _period(rows: pl.DataFrame, result: Result) -> tuple[str, str] | None:
    """Return the first and the last day that values are about, where that is known."""
    question = result.plan.question
    first, end = question.span.start, question.span.end
    if question.calendar.has_periods:
        labels = rows.select(first="period", end=question.calendar.moved(pl.col("period"), 1))
        days = labels.select(pl.col("first").min(), pl.col("end").max()).cast(pl.Date).row(0)
        first, end = (dt.datetime.combine(day, dt.time()) for day in days)
    if first is None or end is None:
        return None
    last = end - INSTANT
    return first.date().isoformat(), last.date().isoformat()

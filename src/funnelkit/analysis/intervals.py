"""Intervals: how sure a number is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import NoneType
from typing import Any

import polars as pl

from funnelkit.arguments import check_key_names, check_kind, check_none, not_between
from funnelkit.calendar.calendar import Moment
from funnelkit.charts.error_bars import error_bars
from funnelkit.charts.lines import lines
from funnelkit.charts.spec import Spec, below_each_other
from funnelkit.data.shop_data import ShopData
from funnelkit.errors import DataError, DefinitionError
from funnelkit.evaluation.arguments import Asked as Metrics
from funnelkit.evaluation.arguments import ask, requested_metrics
from funnelkit.evaluation.evaluate import plan_question
from funnelkit.formula.accumulation import MetricKind
from funnelkit.formula.formulas import Formula, Quantile, Reference
from funnelkit.formula.properties import is_count
from funnelkit.formula.reason import Reason
from funnelkit.formula.values import Dimension, Predicate
from funnelkit.metrics.metric import Metric
from funnelkit.planning.plan import Question
from funnelkit.result.picture import group_names, measure_of
from funnelkit.result.result import Result
from funnelkit.result.rollup import PERIOD_NAME
from funnelkit.result.view import Figure, Plotted, Shown
from funnelkit.sampling.interval import Interval, of_quantile, of_ratio, of_share, of_total
from funnelkit.sampling.moments import FEWEST, Moments, quantile_of_normal
from funnelkit.sampling.per_unit import (
    TAKEN,
    TOLERANCE,
    WITHOUT,
    Asked,
    Way,
    joined,
    values_and_sums,
    values_of,
)
from funnelkit.sampling.sides import DAY, check_reached, common_name, sides_of, tables_of
from funnelkit.schema.units_of_analysis import ROWS, UNITS
from funnelkit.shop.shop import Shop
from funnelkit.units import NUMBER

__all__ = ["IntervalReason", "Intervals", "intervals"]

MOST_WITHOUT_UNIT = 0.05
"""The largest part of a value that may rest on rows that name no unit."""


class IntervalReason(StrEnum):
    """Why a value has no interval."""

    FEW_UNITS = "few_units"
    ROWS_WITHOUT_UNIT = "rows_without_unit"
    NOT_COVERED = "not_covered"


class Method(StrEnum):
    """How an interval is computed."""

    WILSON = "wilson"
    DELTA = "delta"
    TOTAL = "total"
    DISTINCT = "distinct"
    QUANTILE = "quantile"


NUMBERS = ("low", "high", "se")
SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(NUMBERS, pl.Float64),
    "level": pl.Float64,
    "units": pl.Int64,
    "effective_n": pl.Float64,
    "design_effect": pl.Float64,
    "method": pl.Enum([str(each) for each in Method]),
    "unit_of": pl.String,
    "without_unit": pl.Float64,
}
COLUMNS = ("metric", "period", "value", *SCHEMA, "unit", "reason")


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Intervals(Plotted):
    """How sure the values of metrics are.

    Attributes:
        rule: What an interval means, in a sentence.
        level: How often intervals hold the true value.
        currency: The code of the currency of amounts.
    """

    rule: str
    level: float
    currency: str
    _frame: pl.DataFrame
    _keys: tuple[str, ...]
    _metrics: tuple[Metric, ...]

    @property
    def frame(self) -> pl.DataFrame:
        """One row per metric, period and group.

        `value` and `unit` as in `Result.tidy`; `low` and `high`: the interval; `se`: the
        standard error; `level`; `units`: how many units entered; `effective_n`: how many
        independent rows a share is worth; `design_effect`: how many times larger the
        variance is than that of independent rows, for shares and counts; `method`; `unit_of`:
        what the units are; `without_unit`: the part of the value that rests on rows that
        name no unit and have no key of their own.

        `method` is `wilson` for shares, `delta` for other ratios and means, `total` for sums
        and counts, `distinct` for counts of the unit itself, `quantile` for quantiles.

        `reason` is why there is no interval: a reason of the value (see `Reason`), or
        `few_units` (fewer than 20), `rows_without_unit` (more than 5 %), or `not_covered`
        (no method here is right for such a metric).
        """
        return self._frame.clone()

    def picture(self) -> Spec:
        """Return values in their intervals, as a Vega-Lite specification; see `plot`."""
        return below_each_other([self._pictured(metric) for metric in self._metrics])

    def _pictured(self, metric: Metric) -> Spec:
        """Return bands over time, and else error bars by group."""
        own = measure_of(metric, currency=self.currency)
        measure = replace(own, source=f"{self.rule} · {own.source}")
        ends = (pl.col("low").alias("lower"), pl.col("high").alias("upper"))
        is_open = pl.col("reason").eq_missing(str(Reason.INCOMPLETE_PERIOD)).alias("is_open")
        rows = self._frame.filter(pl.col("metric") == metric.name)
        rows = rows.select(*self._keys, "value", *ends, is_open)
        by = [key for key in self._keys if key != PERIOD_NAME]
        rows = group_names(rows, by) if by else rows
        if PERIOD_NAME in self._keys:
            return lines(rows.drop_nulls(PERIOD_NAME), measure)
        named = rows if by else rows.with_columns(group=pl.lit(""))
        return error_bars(named.drop("is_open"), measure)

    def _shown(self) -> Shown:
        several = ["metric"] if len(self._metrics) > 1 else []
        keys = [*several, *self._keys, "value", "±", "low", "high", "method", "unit_of", "reason"]
        return Shown(
            frame=pl.concat([self._in_words(metric) for metric in self._metrics]),
            figures=[Figure("units", NUMBER)],
            keys=keys if self._frame.get_column("reason").count() else keys[:-1],
            notes=[self.rule],
            currency=self.currency,
        )

    def _in_words(self, metric: Metric) -> pl.DataFrame:
        """Return the rows of a metric with its numbers as text in its unit."""

        def text(value: float | None) -> str:
            return "" if value is None else metric.unit.format(value, currency=self.currency)

        rows = self._frame.filter(pl.col("metric") == metric.name)
        rows = rows.with_columns(((pl.col("high") - pl.col("low")) / 2).alias("±"))
        numbers = [
            pl.Series(name, [text(value) for value in rows.get_column(name)], dtype=pl.String)
            for name in ("value", "±", "low", "high")
        ]
        words = (pl.col(name).cast(pl.String).fill_null("") for name in _WORDS)
        return rows.with_columns(*numbers, *words)


_WORDS = ("method", "unit_of", "reason")


def intervals(  # noqa: PLR0913  # the question, every part of it by keyword
    shop: Shop,
    metrics: Metrics,
    *,
    unit: str | Dimension | None = None,
    level: float = 0.95,
    by: str | Dimension | Sequence[str | Dimension] = (),
    every: str | Sequence[Moment] | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    where: Predicate | str | None = None,
) -> Intervals:
    """Return how sure values are: an interval around each that chance would rarely leave.

    Rows of one visitor or customer are not independent, so everything is folded to the unit
    that chance picks first, and the spread between units says how sure the value is.

    Args:
        shop: The shop.
        metrics: As for `evaluate`.
        unit: What chance picks: a dimension such as `"visitor_id"`, or `"day"`. By default
            visitors for sessions, events and carts, customers for orders, lines, returns and
            parcels, recipients for e-mails, respondents for surveys, viewers for
            advertisements; where a metric reads several, the coarsest that all name.
            An order of a guest is a unit of its own.
        level: How often intervals hold the true value.
        by: As for `evaluate`.
        every: As for `evaluate`.
        start: As for `evaluate`.
        end: As for `evaluate`.
        where: As for `evaluate`.

    Raises:
        DefinitionError: An argument is not valid, or the tables of a metric name no unit.
        DataError: The values of units do not add up to the value of the whole.
        FunnelkitError: As for `evaluate`.

    Examples:
        >>> import funnelkit as fk
        >>> import polars as pl
        >>> sure = fk.intervals(fk.demo(), "average_order_value")
        >>> sure.frame.select(pl.col("low", "value", "high").round(2)).row(0)
        (605.2, 622.94, 640.68)
    """
    question = ask(shop, by=by, every=every, start=start, end=end, where=where)
    named = Dimension(unit) if isinstance(unit, str) else unit
    _check(level, named, question)
    chosen = requested_metrics(metrics)
    plan_question(shop, chosen, question)
    if named is not None and named.name == DAY:
        days = ask(shop, by=by, every="1d", start=start, end=end, where=where)
        plan_question(shop, chosen, days)
    ways = _ways(shop.data, chosen, named)
    asked = Asked(
        shop=shop, by=question.by, every=every, start=start, end=end, where=question.where
    )
    values, sums = values_and_sums(asked, ways)
    keys, found = values.keys, _found(asked, ways, values, sums, level)
    return Intervals(
        rule=_rule(level, ways),
        level=level,
        currency=values.currency,
        _frame=found.select("metric", *keys, "value", *SCHEMA, "unit", "reason"),
        _keys=keys,
        _metrics=values.metrics,
    )


def _check(level: object, unit: object, question: Question) -> None:
    """Check the arguments that are not those of `evaluate`."""
    check_kind("unit", unit, (Dimension, NoneType), "name a column: unit='visitor_id'")
    check_none([not_between("level", level, 0, 1)], remedy="write level=0.95")
    names = [dimension.name for dimension in question.by]
    if isinstance(unit, Dimension) and unit.name == DAY and question.calendar.has_hours:
        raise DefinitionError("unit='day' is longer than a period", "give every='1d' or longer")
    if isinstance(unit, Dimension) and unit.name in names:
        raise DefinitionError(
            f"unit={unit.name!r} is also in by: each group is then one unit",
            "group by something else",
        )
    check_key_names(names, (*COLUMNS, *TAKEN, "why"))


def _ways(data: ShopData, metrics: Sequence[Metric], unit: Dimension | None) -> list[Way]:
    """Return how the interval of each metric is found.

    Raises:
        DefinitionError: The rows of tables name no unit in common.
    """
    ways, faults = list[Way](), list[str]()
    for metric in metrics:
        quantile = _quantile_of(metric.formula)
        if metric.required_dimension or not (quantile or sides_of(metric, data, None)):
            ways.append(Way(metric))
            continue
        tables = tables_of(metric)
        own = unit or _default_unit(data, tables)
        if own is None:
            faults.append(_without_unit(metric, tables))
            continue
        check_reached(data, tables, own)
        row = common_name(data, tables, {table: (name,) for table, name in ROWS.items()})
        sides = None if quantile else sides_of(metric, data, own)
        ways.append(Way(metric, own, row, sides, quantile))
    if faults:
        raise DefinitionError("; ".join(faults), "pass unit=, or look at fk.trend for such numbers")
    return ways


def _default_unit(data: ShopData, tables: Sequence[str]) -> Dimension | None:
    name = common_name(data, tables, UNITS)
    return None if name is None else Dimension(name)


def _without_unit(metric: Metric, tables: Sequence[str]) -> str:
    """Return why a metric has no unit that is used by default."""
    named = {table: UNITS.get(table, ()) for table in tables}
    if lacking := [table for table, names in named.items() if not names]:
        return f"{metric.name}: the rows of {' and '.join(lacking)} name nobody"
    words = (f"{table} by {' or '.join(names)}" for table, names in named.items())
    return f"{metric.name}: its tables name no unit in common ({', '.join(words)})"


def _quantile_of(formula: Formula) -> Quantile | None:
    """Return the quantile that a formula is."""
    match formula:
        case Reference(_, inner):
            return _quantile_of(inner)
        case Quantile():
            return formula
        case _:
            return None


def _found(
    asked: Asked,
    ways: Sequence[Way],
    values: Result,
    sums: Mapping[str, pl.DataFrame],
    level: float,
) -> pl.DataFrame:
    """Return the values with their intervals."""
    tidy, keys, z = values.tidy(), values.keys, quantile_of_normal(level)
    parts = list[pl.DataFrame]()
    for way in ways:
        rows = tidy.filter(pl.col("metric") == way.metric.name)
        if way.quantile is not None:
            found = _quantiles(rows, values_of(asked, way, values), way, keys, z)
        elif way.sides is not None:
            found = _sums(way, rows, sums[way.metric.name], keys, z)
        else:
            found = [_Row(reason=IntervalReason.NOT_COVERED)] * rows.height
        parts.append(_framed(rows, found, way, level))
    return pl.concat(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What is found out about one value."""

    interval: Interval | None = None
    units: int | None = None
    method: Method | None = None
    without: float | None = None
    reason: str | None = None


def _framed(rows: pl.DataFrame, found: Sequence[_Row], way: Way, level: float) -> pl.DataFrame:
    """Return the rows of a metric with their intervals."""
    unit_of = None if way.unit is None else way.unit.name
    columns = {
        **{
            name: [None if one.interval is None else getattr(one.interval, name) for one in found]
            for name in ("low", "high", "se", "effective_n", "design_effect")
        },
        "level": [level] * len(found),
        "units": [one.units for one in found],
        "method": [None if one.method is None else str(one.method) for one in found],
        "unit_of": [unit_of] * len(found),
        "without_unit": [one.without for one in found],
        "why": [one.reason for one in found],
    }
    frame = pl.DataFrame(columns, schema_overrides={**SCHEMA, "why": pl.String})
    both = pl.concat([rows, frame], how="horizontal")
    has_value = pl.col("value").is_not_null()
    why = pl.when(has_value).then(pl.coalesce("why", "reason")).otherwise("reason")
    return both.with_columns(why.alias("reason"))


def _sums(
    way: Way, rows: pl.DataFrame, units: pl.DataFrame, keys: Sequence[str], z: float
) -> list[_Row]:
    """Return the intervals of a metric that is made of sums over units."""
    cells = joined(rows, units, keys)
    return [_of_sums(way, row, z) for row in cells.iter_rows(named=True)]


def _of_sums(way: Way, row: Mapping[str, Any], z: float) -> _Row:
    value, units, without = row["value"], row["#units"] or 0, row[WITHOUT] or 0.0
    known = _Row(units=units, without=without)
    if value is None:
        return replace(known, reason=row["reason"])
    if units < FEWEST:
        return replace(known, reason=IntervalReason.FEW_UNITS)
    if without > MOST_WITHOUT_UNIT:
        return replace(known, reason=IntervalReason.ROWS_WITHOUT_UNIT)
    moments, bounds = Moments.of_row(row), way.metric.bounds
    if way.sides is None or way.sides.below is None:
        interval = of_total(moments, value, bounds, z)
        if is_count(way.metric.formula) and value > 0:
            interval = replace(interval, design_effect=interval.se**2 / value)
        kind = way.metric.kind
        method = Method.DISTINCT if kind is MetricKind.DISTINCT else Method.TOTAL
    elif bounds == (0, 1) and moments.is_share:
        interval, method = of_share(moments, z), Method.WILSON
        if not is_count(way.sides.below.formula):
            interval = replace(interval, design_effect=None)
    else:
        interval, method = of_ratio(moments, bounds, z), Method.DELTA
    return replace(known, interval=interval, method=method)


def _quantiles(
    rows: pl.DataFrame, values: pl.DataFrame | None, way: Way, keys: Sequence[str], z: float
) -> list[_Row]:
    """Return the intervals of a quantile."""
    if values is None or way.quantile is None:
        return [_Row(reason=IntervalReason.NOT_COVERED)] * rows.height
    cells = {(): values} if not keys else values.partition_by(keys, as_dict=True)
    return [
        _of_quantile(row, cells.get(tuple(row[key] for key in keys)), way.quantile.q, z)
        for row in rows.iter_rows(named=True)
    ]


def _of_quantile(row: Mapping[str, Any], values: pl.DataFrame | None, q: float, z: float) -> _Row:
    value = row["value"]
    if value is None or values is None:
        return _Row(units=0, reason=row["reason"])
    ranked = values.get_column("value").quantile(q, "linear") or 0.0
    if abs(ranked - value) > TOLERANCE * max(abs(ranked), abs(value)):
        raise DataError(
            f"{row['metric']}: its rows have the quantile {ranked:.12g}, the whole {value:.12g}",
            "give each row a key of its own",
        )
    moments, interval = of_quantile(values, value, q, z)
    if moments.units < FEWEST:
        return _Row(units=moments.units, without=0.0, reason=IntervalReason.FEW_UNITS)
    return _Row(units=moments.units, without=0.0, interval=interval, method=Method.QUANTILE)


def _rule(level: float, ways: Sequence[Way]) -> str:
    """Return the sentence that states what an interval means."""
    names = sorted({way.unit.name for way in ways if way.unit is not None})
    of_units = f"; units of chance: {', '.join(names)}" if names else ""
    return f"{100 * level:g} % of such intervals hold the true value{of_units}"

"""One row per unit with both sides of metrics, as other libraries of statistics take it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import polars as pl

from funnelkit.arguments import check_kind
from funnelkit.calendar.calendar import Moment
from funnelkit.data.shop_data import ShopData
from funnelkit.errors import DataError, DefinitionError
from funnelkit.evaluation.arguments import Asked as Metrics
from funnelkit.evaluation.arguments import ask, requested_metrics
from funnelkit.evaluation.evaluate import plan_question
from funnelkit.formula.formulas import CountDistinct, Formula, Reference
from funnelkit.formula.properties import additivity, aggregates
from funnelkit.formula.values import Dimension, Predicate
from funnelkit.metrics.metric import Metric
from funnelkit.sampling.per_unit import Asked, check_whole
from funnelkit.sampling.sides import Sides, check_reached, sides_of, tables_of
from funnelkit.shop.shop import Shop

__all__ = [
    "AT",
    "columns_of",
    "question_of",
    "rows_in_time",
    "sums_in_time",
    "unit_table",
]

AT = "row_time"
"""The column of the time of rows."""


def question_of(  # noqa: PLR0913  # the question, every part of it by keyword
    shop: Shop,
    metrics: Metrics,
    *,
    unit: str | Dimension,
    start: Moment | None,
    end: Moment | None,
    where: Predicate | str | None,
) -> tuple[Asked, list[Sides], Dimension]:
    """Return a question about metrics that are sums over units, with them and the unit.

    Args:
        shop: The shop.
        metrics: As for `evaluate`.
        unit: What there is a row for.
        start: As for `evaluate`.
        end: As for `evaluate`.
        where: As for `evaluate`.

    Raises:
        DefinitionError: A metric is not made of sums over units.
        FunnelkitError: As for `evaluate`.
    """
    question = ask(shop, start=start, end=end, where=where)
    check_kind("unit", unit, (str, Dimension), "name a column: unit='visitor_id'")
    named = Dimension(unit) if isinstance(unit, str) else unit
    chosen = requested_metrics(metrics)
    plan_question(shop, chosen, question)
    group = _sides_or_refuse(shop.data, chosen, named)
    return Asked(shop=shop, start=start, end=end, where=question.where), group, named


def _sides_or_refuse(data: ShopData, metrics: Iterable[Metric], unit: Dimension) -> list[Sides]:
    """Return metrics as sums over units.

    Raises:
        DefinitionError: Some are not; names them all.
    """
    chosen = list(metrics)
    for metric in chosen:
        check_reached(data, tables_of(metric), unit)
    found = {metric.name: sides_of(metric, data, unit) for metric in chosen}
    if refused := [name for name, sides in found.items() if sides is None]:
        raise DefinitionError(
            f"{', '.join(refused)}: not a sum over units, nor a ratio or mean of such; quantiles, "
            f"stocks, comparisons of periods and counts of things other than {unit.name} are none",
            "ask for counts, sums, means and ratios of them",
        )
    return [sides for sides in found.values() if sides is not None]


def columns_of(sides: Sides) -> tuple[str, ...]:
    """Return the columns of a metric in a table of units: one, or two for a ratio."""
    return tuple(part.name for part in sides.parts)


def unit_table(asked: Asked, group: Sequence[Sides], unit: Dimension) -> pl.DataFrame:
    """Return one row per unit that is named, with the sides of each metric.

    Raises:
        DataError: The units do not add up to the whole, or a side is not known.
    """
    found = _as_sums(asked.evaluate(_parts(group), unit).frame, group, (unit.name,))
    check_whole(asked, [replace(each, is_mean=False) for each in group], unit, found)
    return found.filter(pl.col(unit.name).is_not_null())


def _parts(group: Sequence[Sides]) -> list[Metric]:
    return [part for sides in group for part in sides.parts]


def _as_sums(frame: pl.DataFrame, group: Sequence[Sides], keys: Sequence[str]) -> pl.DataFrame:
    """Return the sides of metrics as sums, in columns with the names of their parts.

    Raises:
        DataError: A side is not known for some rows; names every such metric.
    """
    columns, faults = list[pl.Expr](), list[str]()
    for sides in group:
        both = zip(sides.columns, columns_of(sides), strict=False)
        named = [column.alias(name) for column, name in both]
        nulls = frame.select(pl.any_horizontal(each.is_null() for each in named).sum()).item()
        if nulls:
            faults.append(f"{sides.metric.name} is not known for {nulls:,} of {frame.height:,}")
        columns += named
    if faults:
        raise DataError("; ".join(faults), "supply the values that are missing")
    return frame.select(*keys, *columns)


def rows_in_time(asked: Asked, group: Sequence[Sides], unit: Dimension) -> pl.DataFrame:
    """Return the sides of metrics per unit and time of rows.

    Raises:
        DefinitionError: A metric is not a sum over rows.
        DataError: As for `unit_table`.
    """
    once = [each.metric.name for each in group if any(map(_is_per_group, each.parts))]
    if once:
        raise DefinitionError(
            f"{', '.join(once)} counts entities by all their rows, which cannot be cut at the "
            "time of exposure",
            "leave out exposed_at=, or ask for metrics of single rows",
        )
    known = asked.shop.data.known
    tables = {table for sides in group for table in tables_of(sides.metric)}
    at = Dimension(AT, **{table: known[table].time for table in sorted(tables)})
    found = _as_sums(asked.evaluate(_parts(group), unit, at).frame, group, (unit.name, AT))
    whole = sums_in_time(found, group, unit)
    check_whole(asked, [replace(each, is_mean=False) for each in group], unit, whole)
    return found.filter(pl.col(unit.name).is_not_null())


def _is_per_group(part: Metric) -> bool:
    """Return whether a side is not made of rows, save for a count of the unit by itself."""
    folds = list(aggregates(part.formula))
    if any(fold.of is not None for fold in folds):
        return True
    is_mixed = any(isinstance(f, CountDistinct) and not additivity(f).over_keys for f in folds)
    return is_mixed and not _is_once(part)


def _is_once(part: Metric) -> bool:
    """Return whether a side is a count of the unit by itself: 1 for each, whatever its rows."""
    formula: Formula = part.formula
    while isinstance(formula, Reference):
        formula = formula.formula
    return isinstance(formula, CountDistinct) and not additivity(formula).over_keys


def sums_in_time(rows: pl.DataFrame, group: Sequence[Sides], unit: Dimension) -> pl.DataFrame:
    """Return the sides of metrics per unit, from those of some of its rows."""
    folds = [
        (pl.col(part.name).max() if _is_once(part) else pl.col(part.name).sum())
        for part in _parts(group)
    ]
    return rows.group_by(unit.name).agg(folds)

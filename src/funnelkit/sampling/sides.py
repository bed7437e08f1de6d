"""The sides of a metric per unit: what each unit adds to its numerator and its denominator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from funnelkit.data.shop_data import ShopData
from funnelkit.errors import UnknownNameError
from funnelkit.formula.formulas import (
    Arithmetic,
    Constant,
    Count,
    CountDistinct,
    Formula,
    Mean,
    PositiveOrNull,
    Reference,
    Sum,
    source_of,
)
from funnelkit.formula.operators import Operator
from funnelkit.formula.properties import additivity, aggregates, split_ratio
from funnelkit.formula.values import (
    Column,
    Dimension,
    Lookup,
    Value,
)
from funnelkit.metrics.metric import Metric
from funnelkit.planning.dimensions import resolve_dimension
from funnelkit.sampling.moments import ABOVE, BELOW

__all__ = ["DAY", "Sides", "check_reached", "common_name", "is_unit", "sides_of", "tables_of"]

DAY = "day"
"""The unit that is not a dimension: all that happens on one day together."""


@dataclass(frozen=True, slots=True)
class Sides:
    """A metric as sums over units.

    Attributes:
        metric: The metric.
        above: Its numerator, or the metric itself where it is a sum.
        below: Its denominator, where it has one.
        is_mean: Whether `above` is a mean, still to be weighted with the denominator.
    """

    metric: Metric
    above: Metric
    below: Metric | None
    is_mean: bool = False

    @property
    def parts(self) -> tuple[Metric, ...]:
        """The metrics that are evaluated per unit."""
        return (self.above,) if self.below is None else (self.above, self.below)

    @property
    def columns(self) -> tuple[pl.Expr, pl.Expr]:
        """The two sides of each unit, from a frame of these metrics."""
        above = pl.col(self.above.name).cast(pl.Float64)
        if self.below is None:
            return above.alias(ABOVE), pl.lit(0.0).alias(BELOW)
        below = pl.col(self.below.name).cast(pl.Float64)
        if self.is_mean:
            above = pl.when(below == 0).then(0.0).otherwise(above * below)
        return above.alias(ABOVE), below.alias(BELOW)


def sides_of(metric: Metric, data: ShopData, unit: Dimension | None) -> Sides | None:
    """Return a metric as sums over units; None where it is not one of sums that add up.

    Args:
        metric: The metric.
        data: The shop's data.
        unit: The unit; None for whichever would do.
    """
    if metric.required_dimension:
        return None
    mean, ratio = _mean_of(metric.formula), split_ratio(metric.formula)
    if mean is not None and ratio is None:
        count = Count(mean.value, where=mean.where)
        above, below = _part("num", metric, mean), _part("den", metric, count)
        return Sides(metric, above, below, is_mean=True)
    sides = (metric.formula,) if ratio is None else (ratio[0], _without_guard(ratio[1]))
    if not all(_adds_up(side, data, unit) for side in sides):
        return None
    above, *below_ = (
        _part(prefix, metric, side) for prefix, side in zip(("num", "den"), sides, strict=False)
    )
    return Sides(metric, above, below_[0] if below_ else None)


def _part(prefix: str, metric: Metric, formula: Formula) -> Metric:
    return Metric(name=f"{prefix}_{metric.name}", formula=formula)


def _mean_of(formula: Formula) -> Mean | None:
    """Return the mean of rows of a table that a formula is."""
    match formula:
        case Reference(_, inner):
            return _mean_of(inner)
        case Mean() if formula.of is None:
            return formula
        case _:
            return None


def _without_guard(formula: Formula) -> Formula:
    """Return a denominator without the rule that it is positive, which is for the whole."""
    match formula:
        case Reference(_, inner) if isinstance(inner, Reference | PositiveOrNull):
            return _without_guard(inner)
        case PositiveOrNull(inner):
            return inner
        case _:
            return formula


def _adds_up(formula: Formula, data: ShopData, unit: Dimension | None) -> bool:
    """Return whether the values of units add up to the value of all of them."""
    match formula:
        case Reference(_, inner):
            return _adds_up(inner, data, unit)
        case Arithmetic(operator, left, right):
            if operator.binds == 1:
                return all(_adds_up(side, data, unit) for side in (left, right))
            if isinstance(right, Constant):
                return _adds_up(left, data, unit)
            is_scaled = operator is Operator.MULTIPLY and isinstance(left, Constant)
            return is_scaled and _adds_up(right, data, unit)
        case Sum():
            return formula.require_single is None
        case Count():
            return True
        case CountDistinct():
            is_once = additivity(formula).over_keys
            return is_once or unit is None or is_unit(formula.value, data, unit)
        case _:
            return False


def is_unit(value: Value, data: ShopData, unit: Dimension) -> bool:
    """Return whether a value of a table's rows is the unit."""
    if not isinstance(value, Column | Lookup):
        return False
    table = value.table if isinstance(value, Column) else value.key.table
    return _found(data, table, unit) == value


def tables_of(metric: Metric) -> tuple[str, ...]:
    """Return the tables whose rows a metric folds."""
    return tuple(dict.fromkeys(source_of(fold) for fold in aggregates(metric.formula)))


def check_reached(data: ShopData, tables: Iterable[str], unit: Dimension) -> None:
    """Check that the rows of tables name a unit; all have a day.

    Raises:
        UnknownNameError: Those of one do not.
    """
    for table in tables:
        if unit.name != DAY and table in data.tables:
            resolve_dimension(data, table, unit)


def common_name(
    data: ShopData, tables: Iterable[str], names: Mapping[str, Sequence[str]]
) -> str | None:
    """Return the first name that every table is known by and for which each has values.

    Args:
        data: The shop's data.
        tables: The tables.
        names: By table, the names of columns to choose from.
    """
    places = list(tables)
    shared = names.get(places[0], ()) if places else ()
    for name in shared:
        if all(name in names.get(table, ()) and _has(data, table, name) for table in places):
            return name
    return None


def _has(data: ShopData, table: str, name: str) -> bool:
    """Return whether the rows of a table have values of a dimension."""
    column = _found(data, table, Dimension(name))
    return column is not None and not data.missing_for(column)


def _found(data: ShopData, table: str, dimension: Dimension) -> Column | Lookup | None:
    """Return the column that a dimension is on a table; None where there is none."""
    if table not in data.tables:
        return None
    try:
        return resolve_dimension(data, table, dimension)
    except UnknownNameError:
        return None

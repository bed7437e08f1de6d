"""The sides of metrics per unit, evaluated by the kernel with all its checks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from funnelkit.calendar.calendar import Calendar, Moment
from funnelkit.data.shop_data import ShopData
from funnelkit.errors import DataError
from funnelkit.evaluation.arguments import ask
from funnelkit.evaluation.evaluate import answer_of_units, answer_question, evaluate
from funnelkit.formula.formulas import Count, CountDistinct, PerKey, Quantile, source_of
from funnelkit.formula.properties import aggregates
from funnelkit.formula.values import Dimension, Predicate
from funnelkit.metrics.metric import Metric
from funnelkit.planning.plan import IS_NAMED, UNITS
from funnelkit.result.result import Result
from funnelkit.sampling.moments import ABOVE, BELOW, MEANS, MOMENTS, ONCE, moments_of, summed
from funnelkit.sampling.sides import DAY, Sides, is_unit
from funnelkit.shop.shop import Shop

__all__ = [
    "TAKEN",
    "TOLERANCE",
    "WITHOUT",
    "Asked",
    "Way",
    "check_whole",
    "joined",
    "values_and_sums",
    "values_of",
]

WITHOUT = "#without"
"""The column of the part of a value that rests on rows that name no unit."""

TOLERANCE = 1e-9
"""How far the sum over units may lie from the whole, as a part of the sum of their sizes."""

DAY_OF = "#day"
TAKEN = (
    *(IS_NAMED, UNITS, WITHOUT, DAY_OF, *MEANS, *MOMENTS),
    *(f"{name}{what}" for name in (ABOVE, BELOW) for what in ("", " sum", " size")),
)
"""The names that no key may have, as they are those of columns in between."""

_REMEDY = "give a unit such that each row, and each thing that is counted, belongs to one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question to a shop, as by the arguments of `evaluate`.

    Attributes:
        shop: The shop.
        by: The dimensions to group by.
        every: How time is divided.
        start: The first moment of the range.
        end: The first moment after it.
        where: Which rows enter.
    """

    shop: Shop
    by: tuple[Dimension, ...] = ()
    every: str | Sequence[Moment] | None = None
    start: Moment | None = None
    end: Moment | None = None
    where: Predicate | None = None

    def evaluate(self, metrics: Iterable[Metric], *more: Dimension) -> Result:
        """Evaluate metrics, grouped by more dimensions than those of the question."""
        return evaluate(
            self.shop,
            list(metrics),
            by=(*self.by, *more),
            every=self.every,
            start=self.start,
            end=self.end,
            where=self.where,
        )

    def of_units(
        self, metrics: Sequence[Metric], parts: Sequence[Metric], unit: Dimension
    ) -> tuple[Result | None, pl.DataFrame]:
        """Return metrics of all units together, where they are found on the way, and of each.

        Args:
            metrics: The metrics of all units together.
            parts: The metrics of each unit.
            unit: The unit.

        Returns:
            The result of the metrics, or None. And the parts by the dimensions of the question:
            a row per unit, or for several that have the same, in any order, with whether they
            are named, and their number.
        """
        question = ask(
            self.shop,
            by=self.by,
            every=self.every,
            start=self.start,
            end=self.end,
            where=self.where,
        )
        if unit.name not in {dimension.name for dimension in question.by}:
            found = answer_of_units(self.shop, metrics, parts, replace(question, unit=unit))
            if found is not None:
                return found
            question = replace(question, by=(*question.by, unit))
        frame = answer_question(self.shop, parts, question, is_sorted=False).frame
        return None, _one_by_one(frame, unit.name)

    def without(self, unit: Dimension) -> Asked:
        """Return the question about the rows that do not name a unit."""
        is_unnamed = unit.is_null()
        where = is_unnamed if self.where is None else self.where & is_unnamed
        return replace(self, where=where)


@dataclass(frozen=True, slots=True)
class Way:
    """How the interval of a metric is found.

    Attributes:
        metric: The metric.
        unit: What chance picks; None where no way is known.
        row: The dimension that stands for itself in rows that name no unit.
        sides: The metric as sums over units.
        quantile: The quantile that it is.
    """

    metric: Metric
    unit: Dimension | None = None
    row: str | None = None
    sides: Sides | None = None
    quantile: Quantile | None = None


@dataclass(frozen=True, slots=True)
class _Group:
    """Metrics of one unit that are evaluated together.

    Attributes:
        unit: The unit.
        row: The dimension that stands for itself in rows that name no unit.
        sides: The metrics.
    """

    unit: Dimension
    row: str | None
    sides: list[Sides]

    @property
    def parts(self) -> list[Metric]:
        """What is evaluated per unit."""
        return [part for sides in self.sides for part in sides.parts]


def values_and_sums(asked: Asked, ways: Sequence[Way]) -> tuple[Result, dict[str, pl.DataFrame]]:
    """Return metrics, and of those that are sums over units the moments over these.

    Args:
        asked: The question.
        ways: The metrics.

    Returns:
        The values, and by metric the moments: one row per period and group.

    Raises:
        DataError: The units do not add up to the whole; names every such metric.
    """
    metrics, groups = [way.metric for way in ways], _groups(asked, ways)
    whole, units = None, None
    if len(groups) == 1 and groups[0].unit.name != DAY and all(way.sides for way in ways):
        whole, units = asked.of_units(metrics, groups[0].parts, groups[0].unit)
    whole = whole or asked.evaluate(metrics)
    found, faults, tidy = dict[str, pl.DataFrame](), list[str](), whole.tidy()
    for group in groups:
        frame = _with_unnamed(asked, whole, group, units)
        for sides in group.sides:
            sums = _sums(frame, sides, whole.keys)
            name = sides.metric.name
            found[name] = sums
            faults += _differences(
                tidy.filter(pl.col("metric") == name), sums, whole.keys, sides, group.unit
            )
    if faults:
        raise DataError("; ".join(faults), _REMEDY)
    return whole, found


def _groups(asked: Asked, ways: Sequence[Way]) -> list[_Group]:
    """Return the metrics that are evaluated together: those of one unit.

    Where a metric counts rows of a table alone, together with those that do so as well.
    """
    groups = dict[tuple[object, ...], _Group]()
    for way in ways:
        if way.unit is not None and way.sides is not None:
            key = (way.unit, way.row, _counted_table(asked.shop.data, way.sides, way.unit))
            groups.setdefault(key, _Group(way.unit, way.row, [])).sides.append(way.sides)
    return list(groups.values())


def _counted_table(data: ShopData, sides: Sides, unit: Dimension) -> str | None:
    """Return the table of which a metric counts rows or units, where it does nothing else."""
    folds = [fold for part in sides.parts for fold in aggregates(part.formula)]
    for fold in folds:
        match fold:
            case Count(of=None):
                continue
            case CountDistinct(value) if is_unit(value, data, unit):
                continue
            case _:
                return None
    tables = {source_of(fold) for fold in folds}
    return tables.pop() if len(tables) == 1 else None


def _with_unnamed(
    asked: Asked, whole: Result, group: _Group, found: pl.DataFrame | None
) -> pl.DataFrame:
    """Return the sides of metrics per unit, whether the unit is named, and how many there are.

    A row that names none is a unit of its own where it has a key.
    """
    unit, row = group.unit, group.row
    if unit.name == DAY:
        return _days(asked, whole, group.parts).with_columns(ONCE)
    if found is None:
        _, found = asked.of_units((), group.parts, unit)
    is_all = found.get_column(IS_NAMED).all()
    if is_all or row is None or row in {unit.name, *whole.keys}:
        return found
    _, alone = asked.without(unit).of_units((), group.parts, Dimension(row))
    wanted = [*whole.keys, IS_NAMED, UNITS, *(part.name for part in group.parts)]
    return pl.concat(each.select(wanted) for each in (found.filter(IS_NAMED), alone))


def _one_by_one(frame: pl.DataFrame, unit: str) -> pl.DataFrame:
    """Return rows of units with whether these are named, and that each is one."""
    return frame.with_columns(_is_named(unit), ONCE)


def _is_named(name: str) -> pl.Expr:
    return pl.col(name).is_not_null().alias(IS_NAMED)


def _days(asked: Asked, whole: Result, parts: Sequence[Metric], *rows: Dimension) -> pl.DataFrame:
    """Return metrics per day, in the periods of the question."""
    calendar, span = whole.plan.question.calendar, whole.plan.question.span
    days = replace(asked, every="1d", start=span.start, end=span.end)
    found = days.evaluate(parts, *rows).frame
    found = found.with_columns(_is_named("period"), pl.col("period").alias(DAY_OF))
    if not calendar.has_periods:
        return found.drop("period")
    labels = {day: _label(calendar, day) for day in found.get_column("period").unique()}
    period = pl.col("period").replace_strict(labels, return_dtype=calendar.label_type)
    return found.with_columns(period)


def _label(calendar: Calendar, day: dt.date) -> object:
    return calendar.label(calendar.floor(dt.datetime.combine(day, dt.time()))).item()


def _sums(frame: pl.DataFrame, sides: Sides, keys: Sequence[str]) -> pl.DataFrame:
    """Return the moments over named units, and what there is of all rows together.

    A unit enters where either of its sides is not 0, so that what else is asked changes nothing.
    """
    rows = frame.lazy().select(*keys, IS_NAMED, UNITS, *sides.columns)
    rows = rows.with_columns(pl.col(ABOVE, BELOW).fill_null(0.0))
    rows = rows.filter((pl.col(ABOVE) != 0) | (pl.col(BELOW) != 0))
    if all(frame.schema[part.name].is_integer() for part in sides.parts):
        same = [*keys, IS_NAMED, ABOVE, BELOW]
        rows = summed(rows, same, [pl.col(UNITS).sum()]).sort(same).lazy()
    units = pl.col(UNITS)
    weight = pl.col(ABOVE if sides.below is None else BELOW).abs() * units
    unnamed = weight.filter(~pl.col(IS_NAMED)).sum() / weight.sum()
    totals = [
        *((pl.col(name) * units).sum().alias(f"{name} sum") for name in (ABOVE, BELOW)),
        *((pl.col(name).abs() * units).sum().alias(f"{name} size") for name in (ABOVE, BELOW)),
        pl.when(weight.sum() > 0).then(unnamed).otherwise(0.0).alias(WITHOUT),
    ]
    moments = moments_of(rows.filter(IS_NAMED), keys)
    of_all = summed(rows, keys, totals)
    if not keys:
        return pl.concat([moments, of_all], how="horizontal")
    return of_all.join(moments, on=keys, how="left", nulls_equal=True)


def _differences(
    tidy: pl.DataFrame, sums: pl.DataFrame, keys: Sequence[str], sides: Sides, unit: Dimension
) -> Iterator[str]:
    """Return where the units do not add up to the whole."""
    above, below = (pl.col(f"{name} sum").fill_null(0.0) for name in (ABOVE, BELOW))
    expected, size = pl.col("value"), pl.col(f"{ABOVE} size").fill_null(0.0)
    if sides.below is not None:
        expected = pl.coalesce("numerator", pl.col("value") * below)
    wrong = (above - expected).abs() > TOLERANCE * pl.max_horizontal(size, expected.abs())
    if sides.below is not None:
        wrong |= (below - pl.col("denominator")).abs() > TOLERANCE * pl.col(f"{BELOW} size")
    cells = joined(tidy, sums, keys).with_columns(above.alias("#sum"), expected.alias("#whole"))
    first = cells.filter(pl.col("value").is_not_null() & wrong.fill_null(value=False))
    for row in first.head(1).iter_rows(named=True):
        yield (
            f"{row['metric']} by {unit.name}: the units add up to {row['#sum']:.12g}, "
            f"the whole is {row['#whole']:.12g}"
        )


def joined(cells: pl.DataFrame, sums: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return the values of cells with the sums over their units."""
    if not keys:
        return pl.concat([cells, sums], how="horizontal")
    return cells.join(sums, on=keys, how="left", nulls_equal=True, maintain_order="left")


def values_of(asked: Asked, way: Way, whole: Result) -> pl.DataFrame | None:
    """Return the values that a quantile ranks, each with its unit; None where they have no key.

    A row that names no unit is one of its own.
    """
    quantile, unit, keys = way.quantile, way.unit, whole.keys
    if quantile is None or unit is None:
        return None
    names = _row_keys(asked, quantile, unit)
    if names is None:
        return None
    rows = [Dimension(name) for name in names if name not in {unit.name, *keys}]
    if unit.name == DAY:
        found, owner = _days(asked, whole, [way.metric], *rows), pl.col(DAY_OF)
    else:
        found, owner = asked.evaluate([way.metric], unit, *rows).frame, pl.col(unit.name)
    found = found.with_row_index("#row")
    alone, named = pl.format("row {}", "#row"), pl.format("unit {}", owner.cast(pl.String))
    return found.select(
        *keys,
        pl.when(owner.is_null()).then(alone).otherwise(named).alias("unit"),
        pl.col(way.metric.name).alias("value"),
    ).drop_nulls("value")


def _row_keys(asked: Asked, quantile: Quantile, unit: Dimension) -> tuple[str, ...] | None:
    """Return the columns that tell the ranked rows of a unit apart; None where one is lacking."""
    data = asked.shop.data
    if isinstance(quantile.of, PerKey):
        return () if is_unit(quantile.of.key, data, unit) else None
    table = data.known[source_of(quantile)]
    is_lacking = any(data.missing_for(table.get(name)) for name in table.key)
    return None if is_lacking else table.key


def check_whole(asked: Asked, group: Sequence[Sides], unit: Dimension, found: pl.DataFrame) -> None:
    """Check that the units of a question without groups add up to the whole.

    Raises:
        DataError: They do not; names every such metric.
    """
    tidy = asked.evaluate(sides.metric for sides in group).tidy()
    named, faults = _one_by_one(found, unit.name), list[str]()
    for sides in group:
        own = tidy.filter(pl.col("metric") == sides.metric.name)
        faults += _differences(own, _sums(named, sides, ()), (), sides, unit)
    if faults:
        raise DataError("; ".join(faults), _REMEDY)

"""Values, predicates and aggregates as Polars expressions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import assert_never

import polars as pl

from funnelkit.calendar import Calendar, Span, localised
from funnelkit.data import ShopData
from funnelkit.errors import DefinitionError, UnsupportedError
from funnelkit.formula.formulas import (
    Aggregate,
    Count,
    CountDistinct,
    CountRetained,
    LastOverTime,
    Max,
    Mean,
    Min,
    Native,
    Quantile,
    Rollup,
    Rows,
    StdDev,
    Sum,
)
from funnelkit.formula.properties import conjuncts, leaves
from funnelkit.formula.values import (
    And,
    AsOf,
    Case,
    Category,
    Coalesce,
    Column,
    Comparison,
    Dimension,
    Elapsed,
    Flag,
    IsBetween,
    IsIn,
    IsNull,
    IsTrue,
    Joined,
    Key,
    Literal,
    Lookup,
    Not,
    Operation,
    Operator,
    Or,
    Predicate,
    Relation,
    RollupColumn,
    Scalar,
    Time,
    Value,
)
from funnelkit.rules import FirstOver, FromChildren, NextOver, NumberOver, PreviousOver

MOST_COMPARISONS = 8
SEPARATOR = "\x1f"
"""What keeps the parts of a key apart: the unit separator, which no word holds."""

__all__ = ["Compiler", "column_name"]


def column_name(item: Column | Lookup) -> str:
    """Give the name of a column or lookup in a prepared frame."""
    return item.name if isinstance(item, Column) else str(item)


@dataclass(frozen=True, slots=True)
class Compiler:
    """Writes Polars expressions for the columns of one data."""

    data: ShopData

    @property
    def calendar(self) -> Calendar:
        """The shop's calendar; only its zone matters here."""
        return self.data.calendar

    def value(self, value: Value) -> pl.Expr:
        """Give the expression of a value."""
        match value:
            case Column() | Lookup():
                return pl.col(column_name(value))
            case RollupColumn(name):
                return pl.col(name)
            case Literal(constant):
                return pl.lit(constant)
            case Operation():
                return self._operation(value)
            case Coalesce(values):
                return self._coalesce(values)
            case Joined(values):
                return pl.concat_str(map(self._word, values), separator=SEPARATOR)
            case Elapsed(start, end):
                passed = self.instant(end) - self.instant(start)
                return passed.dt.total_microseconds() / 1e6
            case Case(condition, then, otherwise):
                chosen = pl.when(self.predicate(condition)).then(self.value(then))
                return chosen.otherwise(self.value(otherwise))
            case AsOf() | Dimension():
                raise UnsupportedError(str(value), "it has no value of its own here")
            case _:
                assert_never(value)

    def predicate(self, predicate: Predicate) -> pl.Expr:
        """Give the expression of a predicate; unknown is null."""
        match predicate:
            case Flag():
                return pl.col(predicate.name)
            case Comparison():
                return self._comparison(predicate)
            case IsIn(value, options):
                return self._is_in(value, options)
            case IsBetween(value, low, high):
                above = Comparison(Relation.GE, value, low)
                return self._comparison(above) & self._comparison(
                    Comparison(Relation.LE, value, high)
                )
            case IsNull(value):
                return self.value(value).is_null()
            case IsTrue(value):
                return self.value(value)
            case Not(inner):
                return ~self.predicate(inner)
            case And(left, right):
                return self.predicate(left) & self.predicate(right)
            case Or(left, right):
                return self.predicate(left) | self.predicate(right)
            case _:
                assert_never(predicate)

    def aggregate(self, aggregate: Aggregate, *, is_unique: bool = False) -> pl.Expr:
        """Give the expression of an aggregate, its condition included.

        Args:
            aggregate: The aggregate.
            is_unique: Whether no two of its rows hold the same value.
        """
        where = None if aggregate.where is None else self.predicate(aggregate.where)
        match aggregate:
            case Count(Rows() | Rollup()):
                return (pl.len() if where is None else where.sum()).cast(pl.Int64)
            case Count(rows):
                counted = self.value(rows)  # type: ignore[arg-type]  # rows and rollups are above
                return _where(counted, where).count().cast(pl.Int64)
            case CountDistinct(value):
                kept = _where(self.value(value), where)
                if is_unique:
                    return kept.count().cast(pl.Int64)
                return kept.n_unique().cast(pl.Int64) - kept.is_null().any().cast(pl.Int64)
            case Sum():
                return self._sum(aggregate, where)
            case Mean(value):
                return _where(self.value(value).cast(pl.Float64), where).mean()
            case StdDev(value):
                return _where(self.value(value).cast(pl.Float64), where).std()
            case Quantile(value, q):
                kept = _where(self.value(value).cast(pl.Float64), where)
                return kept.quantile(q, "linear")
            case Min(value):
                return _where(self.value(value), where).min()
            case Max(value):
                return _where(self.value(value), where).max()
            case LastOverTime() | CountRetained():
                raise UnsupportedError(str(aggregate), "it is folded by a step of its own")
            case _:
                assert_never(aggregate)

    def _sum(self, fold: Sum, where: pl.Expr | None) -> pl.Expr:
        """Give a sum; null where a value is missing, or of several kinds, that must not be."""
        value = self.value(fold.value)
        total = _where(value.cast(pl.Float64), where).sum()
        if not fold.skip_nulls:
            gaps = value.is_null() if where is None else where & value.is_null()
            total = pl.when(~gaps.any()).then(total)
        if fold.within is not None:
            kinds = _where(_where(self.value(fold.within), value.is_not_null()), where)
            total = pl.when(kinds.drop_nulls().n_unique() <= 1).then(total)
        return total

    def is_unique(self, aggregate: Aggregate | Native) -> bool:
        """Whether no two rows hold the same value, so that counting them is enough.

        So it is for a table's verified key, and where a derived flag marks at
        most one row per value.
        """
        if not isinstance(aggregate, CountDistinct) or aggregate.of is not None:
            return False
        value = aggregate.value
        if not isinstance(value, Column):
            return False
        if (value.name,) == self.data.known[value.table].key:
            return self.data.guards
        flags = [part for part in conjuncts(aggregate.where) if isinstance(part, Flag)]
        return any(flag.once_per == value.name and self._is_derived(flag) for flag in flags)

    def _is_derived(self, column: Column) -> bool:
        """Whether nothing of a column was supplied but what its window is made of."""
        if self.data.supplies(column):
            return False
        rule = self.data.rule(column)
        if isinstance(rule, NumberOver):
            return True
        return isinstance(rule, Comparison) and all(
            isinstance(leaf, Column) and self._is_derived(leaf) for leaf in leaves(rule)
        )

    def time_type(self, value: Value) -> pl.DataType:
        """Give the type of a time: date, local datetime, or datetime with a zone."""
        match value:
            case RollupColumn():
                return pl.Datetime("us", "UTC")
            case Lookup():
                return self.time_type(value.value)
            case Column() if self.data.supplies(value):
                return self.data.tables[value.table].columns[value.name]
            case Column():
                rule = self.data.rule(value)
                if isinstance(rule, FirstOver | PreviousOver | NextOver):
                    return self.time_type(rule.value)
                if isinstance(rule, FromChildren) and isinstance(rule.aggregate, Min | Max):
                    return self.time_type(rule.aggregate.value)
                return pl.Datetime("us") if not isinstance(rule, Lookup) else self.time_type(rule)
            case _:
                return pl.Datetime("us")

    def local(self, value: Value) -> pl.Expr:
        """Give a time as the clock of the shop's zone shows it, without a zone."""
        expr, found = self.value(value), self.time_type(value)
        if isinstance(found, pl.Datetime) and found.time_zone:
            if offsets := self._offsets(value):
                utc = expr.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
                return _shown(utc.cast(pl.Datetime("us")), offsets)
            local = expr.dt.convert_time_zone(self.calendar.time_zone).dt.replace_time_zone(None)
            return local.cast(pl.Datetime("us"))
        return expr.cast(pl.Datetime("us"))

    def instant(self, value: Value) -> pl.Expr:
        """Give a time as an instant in UTC."""
        if isinstance(value, AsOf):
            known = self.data.given_as_of or self.data.seen_as_of
            return pl.lit(known, dtype=pl.Datetime("us", "UTC"))
        expr, found = self.value(value), self.time_type(value)
        if isinstance(found, pl.Datetime) and found.time_zone:
            return expr.dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC"))
        local = expr.cast(pl.Datetime("us"))
        return localised(local, self.calendar.time_zone).dt.convert_time_zone("UTC")

    def period(self, value: Value, calendar: Calendar) -> pl.Expr:
        """Give the start of the period that a time lies in; days may still be datetimes."""
        if calendar.has_hours:
            return calendar.period(self.instant(value))
        is_day = self.time_type(value) == pl.Date
        return calendar.period(self.value(value) if is_day else self.local(value))

    def _offsets(self, value: Value) -> tuple[tuple[dt.datetime, dt.timedelta], ...]:
        """Give how far ahead of UTC the clock was over the times of a column, where known.

        Adding that is several times as fast as converting every time to the zone.
        """
        extent = self.data.extent(_end(value)) if isinstance(value, Column | Lookup) else None
        return self.calendar.offsets(*extent) if extent else ()

    def within(self, value: Value, span: Span) -> list[pl.Expr]:
        """Give the conditions that a time lies in a range."""
        expr, found = self.value(value), self.time_type(value)
        if span == Span():
            return [expr.is_not_null()]
        conditions: list[pl.Expr] = []
        if span.start is not None:
            conditions.append(self._compared(expr, found) >= self._bound(span.start, found))
        if span.end is not None:
            conditions.append(self._compared(expr, found) < self._bound(span.end, found))
        return conditions

    def _compared(self, expr: pl.Expr, found: pl.DataType) -> pl.Expr:
        return expr.cast(pl.Datetime("us")) if found == pl.Date else expr

    def _bound(self, local: dt.datetime, found: pl.DataType) -> pl.Expr:
        if isinstance(found, pl.Datetime) and found.time_zone:
            instant = pl.lit(self.calendar.instant(local), dtype=pl.Datetime("us", "UTC"))
            return instant.dt.convert_time_zone(found.time_zone)
        return pl.lit(local, dtype=pl.Datetime("us"))

    def _operation(self, operation: Operation) -> pl.Expr:
        left = self.value(operation.left).cast(pl.Float64)
        right = self.value(operation.right).cast(pl.Float64)
        match operation.operator:
            case Operator.ADD:
                return left + right
            case Operator.SUBTRACT:
                return left - right
            case Operator.MULTIPLY:
                return left * right
            case Operator.DIVIDE:
                return pl.when(right != 0).then(left / right)
            case _:
                assert_never(operation.operator)

    def _coalesce(self, values: tuple[Value, ...]) -> pl.Expr:
        parts = [self.value(value) for value in values]
        columns = [value for value in values if isinstance(value, Column)]
        types = {self.data.tables[c.table].columns.get(c.name) for c in columns}
        has_words = any(isinstance(value, Joined) for value in values)
        if any(isinstance(c, Key) for c in columns) and (len(types) > 1 or has_words):
            parts = [part.cast(pl.String) for part in parts]
        return pl.coalesce(parts)

    def _word(self, value: Value) -> pl.Expr:
        """Give a part of a key as a word; a time by its local day."""
        is_time = isinstance(value, Column | Lookup) and isinstance(_end(value), Time)
        part = self.local(value).cast(pl.Date) if is_time else self.value(value)
        return part.cast(pl.String)

    def _is_in(self, value: Value, options: tuple[Scalar, ...]) -> pl.Expr:
        """Say whether a value is one of a few; none of none, even where it is unknown."""
        equal = [self._comparison(Comparison(Relation.EQ, value, Literal(o))) for o in options]
        if len(equal) > MOST_COMPARISONS and all(isinstance(o, str) for o in options):
            return self.value(value).is_in(list(options))
        return reduce(pl.Expr.__or__, equal) if equal else pl.lit(value=False)

    def _family(self, value: Value) -> str:
        """Say what a value can be compared with: number, word, flag or time; or unknown."""
        match value:
            case Literal(constant):
                return _family_of(constant)
            case Lookup():
                return self._family(value.value)
            case Column():
                found = self.data.tables[value.table].columns.get(value.name)
                return _family_of_type(found) if found is not None else _family_of_kind(value)
            case Operation() | Elapsed() | RollupColumn():
                return "number"
            case AsOf():
                return "time"
            case _:
                return "unknown"

    def _comparison(self, comparison: Comparison) -> pl.Expr:
        families = {self._family(comparison.left), self._family(comparison.right)} - {"unknown"}
        if len(families) > 1:
            raise DefinitionError(
                f"{comparison} compares a {' with a '.join(sorted(families))}",
                "write numbers plain, words in quotes, days as date('2024-12-31')",
            )
        left, right = self.value(comparison.left), self.value(comparison.right)
        times = [leaf for side in (comparison.left, comparison.right) for leaf in leaves(side)]
        if times and all(isinstance(_end(leaf), Time) for leaf in times):
            sides = (comparison.left, comparison.right)
            left, right = (side_time(self, side) for side in sides)
        match str(comparison.relation):
            case "==":
                return left == right
            case "!=":
                return left != right
            case "<":
                return left < right
            case "<=":
                return left <= right
            case ">":
                return left > right
            case _:
                return left >= right


def _family_of(constant: Scalar) -> str:
    match constant:
        case bool():
            return "flag"
        case str():
            return "word"
        case int() | float():
            return "number"
        case _:
            return "time"


def _family_of_type(found: pl.DataType) -> str:
    if found.is_numeric():
        return "number"
    if found.is_temporal():
        return "time"
    if found == pl.Boolean:
        return "flag"
    return "word" if found == pl.String else "unknown"


def _family_of_kind(column: Column) -> str:
    match column:
        case Flag():
            return "flag"
        case Time():
            return "time"
        case Key():
            return "unknown"
        case Category():
            return "word"
        case _:
            return "number"


def side_time(compiler: Compiler, side: Value) -> pl.Expr:
    """Give one side of a comparison of times, as local time."""
    if isinstance(side, Literal):
        return pl.lit(side.value).cast(pl.Datetime("us"))
    return compiler.local(side)


def _shown(utc: pl.Expr, offsets: Sequence[tuple[dt.datetime, dt.timedelta]]) -> pl.Expr:
    """Give the local time of a time in UTC, by the offset that held."""
    (_, first), *changes = offsets
    ahead = pl.lit(first)
    for since, after in changes:
        is_before = utc < pl.lit(since.replace(tzinfo=None))
        ahead = pl.when(is_before).then(ahead).otherwise(pl.lit(after))
    return utc + ahead


def _end(item: Column | Lookup) -> Column:
    while isinstance(item, Lookup):
        item = item.value
    return item


def _where(expr: pl.Expr, where: pl.Expr | None) -> pl.Expr:
    return expr if where is None else pl.when(where).then(expr)

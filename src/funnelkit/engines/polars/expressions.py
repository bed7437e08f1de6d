"""Values, predicates and aggregates as Polars expressions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import assert_never

import polars as pl

from funnelkit.calendar.calendar import Calendar
from funnelkit.calendar.grain import Span
from funnelkit.calendar.zones import localised
from funnelkit.data.shop_data import ShopData
from funnelkit.data.value_types import TIMES, ValueType, value_type
from funnelkit.engines.polars.membership import among_numbers, moments
from funnelkit.errors import DefinitionError, UnsupportedError
from funnelkit.formula.formulas import (
    Aggregate,
    ClosingBalance,
    Count,
    CountDistinct,
    CountRetained,
    Max,
    Mean,
    Min,
    PerKey,
    Quantile,
    StdDev,
    Sum,
)
from funnelkit.formula.table import Rows
from funnelkit.formula.values import (
    And,
    AsOf,
    Coalesce,
    Column,
    Comparison,
    ConcatKey,
    Dimension,
    Elapsed,
    Flag,
    If,
    IsBetween,
    IsIn,
    IsNull,
    IsTrue,
    Literal,
    Lookup,
    Lower,
    Not,
    Operation,
    Operator,
    Or,
    PerKeyColumn,
    Predicate,
    Relation,
    Scalar,
    Value,
)
from funnelkit.formula.walk import end_of

MOST_COMPARISONS = 8
SEPARATOR = "\x1f"
"""What keeps the parts of a key apart: the unit separator, which no word holds."""

__all__ = ["Compiler", "column_name"]


def column_name(item: Column | Lookup) -> str:
    """Give the name of a column or lookup in a prepared frame."""
    return item.name if isinstance(item, Column) else str(item)


@dataclass(frozen=True, slots=True)
class Compiler:
    """Writes Polars expressions for the columns of one shop.

    Attributes:
        data: The shop's data.
        as_of: Gives the instant that `as_of()` stands for, where it is named.
    """

    data: ShopData
    as_of: Callable[[], dt.datetime | None] = lambda: None

    @property
    def calendar(self) -> Calendar:
        """The shop's calendar; only its zone matters here."""
        return self.data.calendar

    def value(self, value: Value) -> pl.Expr:
        """Give the expression of a value."""
        match value:
            case Column() | Lookup():
                return pl.col(column_name(value))
            case PerKeyColumn(name):
                return pl.col(name)
            case Literal(constant):
                return pl.lit(constant)
            case Operation():
                return self._operation(value)
            case Coalesce(values):
                return self._coalesce(values)
            case ConcatKey(values):
                return pl.concat_str(map(self._word, values), separator=SEPARATOR)
            case Lower(word):
                return self.value(word).cast(pl.String).str.to_lowercase()
            case Elapsed(start, end):
                passed = self.instant(end) - self.instant(start)
                return passed.dt.total_microseconds() / 1e6
            case If(condition, then, otherwise):
                chosen = pl.when(self.predicate(condition)).then(self.value(then))
                return chosen.otherwise(self.value(otherwise))
            case AsOf():
                return self.instant(value)
            case Dimension():
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
            case Count(Rows() | PerKey()):
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
            case ClosingBalance() | CountRetained():
                raise UnsupportedError(str(aggregate), "it is folded by a step of its own")
            case _:
                assert_never(aggregate)

    def _sum(self, fold: Sum, where: pl.Expr | None) -> pl.Expr:
        """Give a sum; null where a value is missing, or of several kinds, that must not be."""
        value = self.value(fold.value)
        total = _where(value.cast(pl.Float64), where).sum()
        if not fold.skip_nulls:
            exclusions_of = value.is_null() if where is None else where & value.is_null()
            total = pl.when(~exclusions_of.any()).then(total)
        if isinstance(fold.require_single, Rows):
            total = pl.when(_where(value, where).count() <= 1).then(total)
        elif isinstance(fold.require_single, Column):
            kinds = _where(_where(self.value(fold.require_single), value.is_not_null()), where)
            total = pl.when(kinds.drop_nulls().n_unique() <= 1).then(total)
        return total

    def local(self, value: Value) -> pl.Expr:
        """Give a time as the clock of the shop's zone shows it, without a zone."""
        if isinstance(value, AsOf):
            return self._shown(self.instant(value), ())
        expr = self.value(value)
        if value_type(self.data, value) is ValueType.INSTANT:
            return self._shown(expr, self._offsets(value))
        return expr.cast(pl.Datetime("us"))

    def instant(self, value: Value) -> pl.Expr:
        """Give a time as an instant in UTC."""
        if isinstance(value, AsOf):
            return pl.lit(self.as_of(), dtype=pl.Datetime("us", "UTC"))
        expr = self.value(value)
        if isinstance(value, PerKeyColumn) or value_type(self.data, value) is ValueType.INSTANT:
            return expr
        local = expr.cast(pl.Datetime("us"))
        return localised(local, self.calendar.time_zone).dt.convert_time_zone("UTC")

    def period(self, value: Value, calendar: Calendar) -> pl.Expr:
        """Give the start of the period that a time lies in; days may still be datetimes."""
        if calendar.has_hours:
            return calendar.period(self.instant(value))
        is_day = value_type(self.data, value) is ValueType.DAY
        return calendar.period(self.value(value) if is_day else self.local(value))

    def _offsets(self, value: Value) -> tuple[tuple[dt.datetime, dt.timedelta], ...]:
        """Give how far ahead of UTC the clock was over the times of a column, where known.

        Adding that is several times as fast as converting every time to the zone.
        """
        extent = self.data.extent(end_of(value)) if isinstance(value, Column | Lookup) else None
        return self.calendar.offsets(*extent) if extent else ()

    def _shown(
        self, instant: pl.Expr, offsets: Sequence[tuple[dt.datetime, dt.timedelta]]
    ) -> pl.Expr:
        """Give the local time of an instant, by the offsets that held where they are known."""
        if not offsets:
            return instant.dt.convert_time_zone(self.calendar.time_zone).dt.replace_time_zone(None)
        utc = instant.dt.replace_time_zone(None)
        (_, first), *changes = offsets
        ahead = pl.lit(first)
        for since, after in changes:
            is_before = utc < pl.lit(since.replace(tzinfo=None))
            ahead = pl.when(is_before).then(ahead).otherwise(pl.lit(after))
        return utc + ahead

    def within(self, value: Value, span: Span) -> list[pl.Expr]:
        """Give the conditions that a time lies in a range."""
        expr, sort = self.value(value), value_type(self.data, value)
        if span == Span():
            return [expr.is_not_null()]
        if sort is ValueType.DAY:
            expr = expr.cast(pl.Datetime("us"))
        conditions: list[pl.Expr] = []
        if span.start is not None:
            conditions.append(expr >= self._bound(span.start, sort))
        if span.end is not None:
            conditions.append(expr < self._bound(span.end, sort))
        return conditions

    def _bound(self, local: dt.datetime, sort: ValueType) -> pl.Expr:
        if sort is ValueType.INSTANT:
            return pl.lit(self.calendar.instant(local), dtype=pl.Datetime("us", "UTC"))
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
        sorts = {value_type(self.data, value) for value in values} - {ValueType.UNKNOWN}
        if len(sorts) == 1:
            return pl.coalesce([self.value(value) for value in values])
        if sorts <= TIMES:
            return pl.coalesce([self.instant(value) for value in values])
        return pl.coalesce([self.value(value).cast(pl.String) for value in values])

    def _word(self, value: Value) -> pl.Expr:
        """Give a part of a key as a word; a time by its local day."""
        is_time = value_type(self.data, value) in TIMES
        part = self.local(value).cast(pl.Date) if is_time else self.value(value)
        return part.cast(pl.String)

    def _is_in(self, value: Value, options: tuple[Scalar, ...]) -> pl.Expr:
        """Say whether a value is one of a few; none of none, even where it is unknown."""
        if not options:  # false of every row, which a constant would be of one
            expr = self.value(value)
            return expr.is_null() & expr.is_not_null()
        if len(options) <= MOST_COMPARISONS:
            return reduce(pl.Expr.__or__, [self._equals(value, option) for option in options])
        kinds = {type(option): option for option in options}
        sorts = {kind: value_type(self.data, Literal(option)) for kind, option in kinds.items()}
        alike = {sort: [o for o in options if sorts[type(o)] is sort] for sort in sorts.values()}
        # comparing with one of each sort refuses what cannot be compared
        found = [self._equals(value, some[0]) for some in alike.values()]
        found += [self._among(value, sort, some) for sort, some in alike.items()]
        return reduce(pl.Expr.__or__, found)

    def _equals(self, value: Value, option: Scalar) -> pl.Expr:
        return self._comparison(Comparison(Relation.EQ, value, Literal(option)))

    def _among(self, value: Value, sort: ValueType, options: Sequence[Scalar]) -> pl.Expr:
        """Say whether a value is one of many of one sort: looked up, not compared with each."""
        expr = self.value(value)
        if sort is ValueType.FLAG:
            return reduce(pl.Expr.__or__, [self._equals(value, o) for o in set(options)])
        if sort is ValueType.NUMBER:
            return among_numbers(expr, [o for o in options if isinstance(o, int | float)])
        if sort is ValueType.WORD:
            return expr.is_in(list(options))
        if value_type(self.data, value) in TIMES:
            expr = self.local(value)
        return expr.is_in(moments([o for o in options if isinstance(o, dt.date)]).implode())

    def _comparison(self, comparison: Comparison) -> pl.Expr:
        sides = comparison.left, comparison.right
        sorts = [value_type(self.data, side) for side in sides]
        known = {"time" if sort in TIMES else str(sort) for sort in sorts if sort}
        if len(known) > 1:
            raise DefinitionError(
                f"{comparison} compares a {' with a '.join(sorted(known))}",
                "write numbers plain, words in quotes, days as date('2024-12-31')",
            )
        left, right = map(self.value, sides)
        if known == {"time"} and ValueType.UNKNOWN not in sorts:
            is_exact = sorts == [ValueType.INSTANT, ValueType.INSTANT]
            left, right = map(self.instant if is_exact else self.local, sides)
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


def _where(expr: pl.Expr, where: pl.Expr | None) -> pl.Expr:
    return expr if where is None else pl.when(where).then(expr)

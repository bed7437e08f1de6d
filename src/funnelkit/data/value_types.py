"""The type of a value in the data of one shop: number, text, flag, day or time."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import assert_never

import polars as pl

from funnelkit.data.shop_data import ShopData
from funnelkit.formula.derived import (
    Default,
    Everywhere,
    FirstOver,
    FromChildren,
    NextOver,
    NumberOver,
    PeriodOf,
    PreviousOver,
    RateOn,
)
from funnelkit.formula.formulas import CountDistinct, Max, Min
from funnelkit.formula.values import (
    AsOf,
    Coalesce,
    Column,
    Comparison,
    ConcatKey,
    Dimension,
    Elapsed,
    Flag,
    If,
    Literal,
    Lookup,
    Lower,
    Operation,
    PerKeyColumn,
    PredicateNode,
    Scalar,
    Value,
)
from funnelkit.formula.walk import conjuncts, leaves

__all__ = ["TIMES", "ValueType", "is_unique", "value_type", "value_type_of_dtype"]


class ValueType(StrEnum):
    """The type of a value; values of different types cannot be compared."""

    NUMBER = "number"
    WORD = "word"
    FLAG = "flag"
    DAY = "day"
    LOCAL = "local time"
    INSTANT = "instant"
    CLOCK = "time of day"
    UNKNOWN = ""


TIMES = frozenset({ValueType.DAY, ValueType.LOCAL, ValueType.INSTANT})
"""The types that are points in time, and can be compared with each other."""


def value_type(data: ShopData, value: Value) -> ValueType:
    """Return the type of a value, from the bound columns and the rules that derive others."""
    match value:
        case Column():
            return _of_column(data, value)
        case Lookup(_, inner):
            return value_type(data, inner)
        case Literal(constant):
            return _of_constant(constant)
        case Operation() | Elapsed():
            return ValueType.NUMBER
        case AsOf():
            return ValueType.INSTANT
        case ConcatKey() | Lower():
            return ValueType.WORD
        case Coalesce(values):
            return _common({value_type(data, part) for part in values})
        case If(_, then, otherwise):
            return _common({value_type(data, then), value_type(data, otherwise)})
        case PerKeyColumn() | Dimension():
            return ValueType.UNKNOWN
        case _:
            assert_never(value)


def value_type_of_dtype(found: pl.DataType) -> ValueType:
    """Return the type of the values of a bound column."""
    if isinstance(found, pl.Time):
        return ValueType.CLOCK
    if isinstance(found, pl.Date):
        return ValueType.DAY
    if isinstance(found, pl.Datetime):
        return ValueType.LOCAL if found.time_zone is None else ValueType.INSTANT
    if found.is_numeric():
        return ValueType.NUMBER
    if isinstance(found, pl.String):
        return ValueType.WORD
    return ValueType.FLAG if isinstance(found, pl.Boolean) else ValueType.UNKNOWN


def is_unique(data: ShopData, fold: CountDistinct) -> bool:
    """Return whether included rows hold distinct values, so that counting rows is enough.

    This holds for a table's verified key, and where a derived flag marks at most
    one row per value.
    """
    if fold.of is not None or not isinstance(fold.value, Column):
        return False
    if (fold.value.name,) == data.known[fold.value.table].key:
        return data.guards
    flags = [part for part in conjuncts(fold.where) if isinstance(part, Flag)]
    return any(flag.unique_within == fold.value.name and _is_numbered(data, flag) for flag in flags)


def _is_numbered(data: ShopData, column: Column) -> bool:
    """Return whether a column is derived from a window over supplied columns only."""
    if data.is_supplied(column):
        return False
    rule = data.rule(column)
    if isinstance(rule, NumberOver):
        return True
    return isinstance(rule, Comparison) and all(
        isinstance(leaf, Column) and _is_numbered(data, leaf) for leaf in leaves(rule)
    )


def _of_column(data: ShopData, column: Column) -> ValueType:
    if data.is_supplied(column):
        return value_type_of_dtype(data.tables[column.table].columns[column.name])
    rule = data.rule(column)
    match rule:
        case None:
            return ValueType.UNKNOWN
        case FirstOver(_, value) | PreviousOver(_, value) | NextOver(_, value) | PeriodOf(value):
            return value_type(data, value)
        case FromChildren(_, Min(value) | Max(value), None):
            return value_type(data, value)
        case FromChildren(_, _, above):
            return ValueType.NUMBER if above is None else ValueType.FLAG
        case Everywhere() | PredicateNode():
            return ValueType.FLAG
        case NumberOver() | RateOn():
            return ValueType.NUMBER
        case Default(constant):
            return _of_constant(constant)
        case _:
            return value_type(data, rule)


def _of_constant(constant: Scalar) -> ValueType:
    match constant:
        case bool():
            return ValueType.FLAG
        case str():
            return ValueType.WORD
        case int() | float() | dt.timedelta():
            return ValueType.NUMBER
        case dt.datetime() if constant.tzinfo is not None:
            return ValueType.INSTANT
        case dt.datetime():
            return ValueType.LOCAL
        case _:
            return ValueType.DAY


def _common(sorts: set[ValueType]) -> ValueType:
    """Return the common type of several types: times become instants."""
    known = sorts - {ValueType.UNKNOWN}
    if len(known) == 1:
        return known.pop()
    return ValueType.INSTANT if known and known <= TIMES else ValueType.WORD

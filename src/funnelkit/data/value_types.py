"""What a value is on the data of one shop: a number, a word, a flag, a day, a moment."""

from __future__ import annotations

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
from funnelkit.formula.properties import conjuncts, leaves
from funnelkit.formula.values import (
    AsOf,
    Case,
    Coalesce,
    Column,
    Comparison,
    Dimension,
    Elapsed,
    Flag,
    Joined,
    Literal,
    Lookup,
    Lower,
    Operation,
    PredicateNode,
    RollupColumn,
    Scalar,
    Value,
)

__all__ = ["TIMES", "Sort", "is_unique", "sort_of", "sort_of_type"]


class Sort(StrEnum):
    """What a value is; what is of different sorts cannot be compared."""

    NUMBER = "number"
    WORD = "word"
    FLAG = "flag"
    DAY = "day"
    LOCAL = "local time"
    INSTANT = "instant"
    CLOCK = "time of day"
    UNKNOWN = ""


TIMES = frozenset({Sort.DAY, Sort.LOCAL, Sort.INSTANT})
"""The sorts that are moments, and can be compared with one another."""


def sort_of(data: ShopData, value: Value) -> Sort:
    """Say what a value is, by what was bound and by the rules that derive the rest."""
    match value:
        case Column():
            return _of_column(data, value)
        case Lookup(_, inner):
            return sort_of(data, inner)
        case Literal(constant):
            return _of_constant(constant)
        case Operation() | Elapsed():
            return Sort.NUMBER
        case AsOf():
            return Sort.INSTANT
        case Joined() | Lower():
            return Sort.WORD
        case Coalesce(values):
            return _common({sort_of(data, part) for part in values})
        case Case(_, then, otherwise):
            return _common({sort_of(data, then), sort_of(data, otherwise)})
        case RollupColumn() | Dimension():
            return Sort.UNKNOWN
        case _:
            assert_never(value)


def sort_of_type(found: pl.DataType) -> Sort:
    """Say what the values of a bound column are."""
    if isinstance(found, pl.Time):
        return Sort.CLOCK
    if isinstance(found, pl.Date):
        return Sort.DAY
    if isinstance(found, pl.Datetime):
        return Sort.LOCAL if found.time_zone is None else Sort.INSTANT
    if found.is_numeric():
        return Sort.NUMBER
    if isinstance(found, pl.String):
        return Sort.WORD
    return Sort.FLAG if isinstance(found, pl.Boolean) else Sort.UNKNOWN


def is_unique(data: ShopData, fold: CountDistinct) -> bool:
    """Whether no two of the rows that enter hold the same value, so that counting them is enough.

    So it is for a table's verified key, and where a derived flag marks at most
    one row per value.
    """
    if fold.of is not None or not isinstance(fold.value, Column):
        return False
    if (fold.value.name,) == data.known[fold.value.table].key:
        return data.guards
    flags = [part for part in conjuncts(fold.where) if isinstance(part, Flag)]
    return any(flag.once_per == fold.value.name and _is_numbered(data, flag) for flag in flags)


def _is_numbered(data: ShopData, column: Column) -> bool:
    """Whether nothing of a column was supplied but what its window is made of."""
    if data.supplies(column):
        return False
    rule = data.rule(column)
    if isinstance(rule, NumberOver):
        return True
    return isinstance(rule, Comparison) and all(
        isinstance(leaf, Column) and _is_numbered(data, leaf) for leaf in leaves(rule)
    )


def _of_column(data: ShopData, column: Column) -> Sort:
    if data.supplies(column):
        return sort_of_type(data.tables[column.table].columns[column.name])
    rule = data.rule(column)
    match rule:
        case None:
            return Sort.UNKNOWN
        case FirstOver(_, value) | PreviousOver(_, value) | NextOver(_, value) | PeriodOf(value):
            return sort_of(data, value)
        case FromChildren(_, Min(value) | Max(value), None):
            return sort_of(data, value)
        case FromChildren(_, _, above):
            return Sort.NUMBER if above is None else Sort.FLAG
        case Everywhere() | PredicateNode():
            return Sort.FLAG
        case NumberOver() | RateOn():
            return Sort.NUMBER
        case Default(constant):
            return _of_constant(constant)
        case _:
            return sort_of(data, rule)


def _of_constant(constant: Scalar) -> Sort:
    match constant:
        case bool():
            return Sort.FLAG
        case str():
            return Sort.WORD
        case int() | float():
            return Sort.NUMBER
        case _:
            return Sort.LOCAL


def _common(sorts: set[Sort]) -> Sort:
    """Give what values of several sorts are together: moments become instants."""
    known = sorts - {Sort.UNKNOWN}
    if len(known) == 1:
        return known.pop()
    return Sort.INSTANT if known and known <= TIMES else Sort.WORD

"""The kinds of constants, columns and values in the relational plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl

from funnelkit.data.shop_data import ShopData
from funnelkit.data.value_types import ValueType, value_type, value_type_of_dtype
from funnelkit.formula.derived import FromChildren, NumberOver
from funnelkit.formula.formulas import Count, CountDistinct, Max, Min
from funnelkit.formula.values import Coalesce, Column, If, Literal, Lookup, PredicateNode, Value
from funnelkit.formula.values import Scalar as Constant
from funnelkit.planning.relations import Kind, Lit

__all__ = ["DTYPES", "kind_of", "kind_of_dtype", "literal"]

DTYPES: Mapping[Kind, pl.DataType] = {
    "int": pl.Int64(),
    "float": pl.Float64(),
    "str": pl.String(),
    "bool": pl.Boolean(),
    "day": pl.Date(),
    "local": pl.Datetime("us"),
    "instant": pl.Datetime("us", "UTC"),
}
"""The types in Polars of values of a kind."""

_KINDS: Mapping[ValueType, Kind] = {
    ValueType.NUMBER: "float",
    ValueType.WORD: "str",
    ValueType.FLAG: "bool",
    ValueType.DAY: "day",
    ValueType.LOCAL: "local",
    ValueType.INSTANT: "instant",
    ValueType.CLOCK: "other",
    ValueType.UNKNOWN: "other",
}
_LARGEST = 2**63


def literal(constant: Constant) -> Lit:
    """Return a constant; a number that is too large as a float."""
    match constant:
        case bool():
            return Lit(constant, "bool")
        case int():
            is_large = not -_LARGEST <= constant < _LARGEST
            return Lit(float(constant), "float") if is_large else Lit(constant, "int")
        case float():
            return Lit(constant, "float")
        case str():
            return Lit(constant, "str")
        case dt.datetime():
            is_local = constant.tzinfo is None
            return Lit(constant, "local") if is_local else Lit(_utc(constant), "instant")
        case dt.timedelta():
            return Lit(constant.total_seconds(), "float")
        case _:
            return Lit(constant, "day")


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC)


def kind_of(data: ShopData, value: Value) -> Kind:
    """Return the kind of a value: its sort, and of numbers whether they are whole."""
    match value:
        case Column():
            is_whole = _is_whole(data, value)
        case Lookup(_, inner):
            return kind_of(data, inner)
        case Literal(constant):
            return literal(constant).kind
        case Coalesce(values):
            is_whole = all(kind_of(data, part) == "int" for part in values)
        case If(_, then, otherwise):
            is_whole = kind_of(data, then) == kind_of(data, otherwise) == "int"
        case _:
            is_whole = False
    sort = value_type(data, value)
    return "int" if is_whole and sort is ValueType.NUMBER else _KINDS[sort]


def kind_of_dtype(found: pl.DataType) -> Kind:
    """Return the kind of the values of a bound column."""
    sort = value_type_of_dtype(found)
    return "int" if sort is ValueType.NUMBER and found.is_integer() else _KINDS[sort]


def _is_whole(data: ShopData, column: Column) -> bool:
    found = data.type_of(column)
    if found is not None:
        return found.is_integer()
    match rule := data.rule(column):
        case NumberOver() | FromChildren(_, Count() | CountDistinct()):
            return True
        case FromChildren(_, Min(value) | Max(value)):
            return kind_of(data, value) == "int"
        case None | PredicateNode():
            return False
        case Column() | Lookup() | Coalesce() | If():
            return kind_of(data, rule) == "int"
        case _:
            return False

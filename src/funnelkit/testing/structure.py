"""What a formula is made of, as far as laws ask."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import polars as pl

from funnelkit.formula.formulas import (
    Abs,
    Aggregate,
    Applied,
    Arithmetic,
    Constant,
    Count,
    CountDistinct,
    CountRetained,
    Formula,
    PeriodDays,
    PeriodsToBreakEven,
    PositiveOrNull,
    QuantileBucket,
    Reference,
    ShareOfTotal,
    Sqrt,
    Sum,
    source_of,
)
from funnelkit.formula.operators import Operator
from funnelkit.formula.properties import additivity, aggregates, has_node, natives, parts_of, walk
from funnelkit.formula.table import Rows, Table
from funnelkit.formula.values import (
    Category,
    Coalesce,
    Comparison,
    Elapsed,
    If,
    IsBetween,
    IsNull,
    Key,
    Literal,
    Money,
    Predicate,
    Time,
    Value,
    unit_of,
)
from funnelkit.formula.walk import nodes_in
from funnelkit.metrics.metric import Metric
from funnelkit.testing.inputs import nodes_of

__all__ = [
    "adds_over_keys",
    "compares_money",
    "expressions_of_keys",
    "has",
    "has_length",
    "money_columns",
    "references_of",
    "sets_groups_apart",
    "takes_any_row",
    "value_of_nothing",
]


def has(metric: Metric, *kinds: type) -> bool:
    """Return whether a formula has a node of a kind."""
    return has_node(metric.formula, *kinds)


def has_length(metric: Metric) -> bool:
    """Return whether the value depends on the length of the range."""
    return has(metric, PeriodDays)


def sets_groups_apart(metric: Metric) -> bool:
    """Return whether a group's value depends on the other groups."""
    return has(metric, ShareOfTotal, QuantileBucket)


def adds_over_keys(formula: Formula) -> bool:
    """Return whether a formula adds up over groups."""
    return additivity(formula).over_keys


def references_of(metric: Metric) -> dict[str, Metric]:
    """Return the metrics that a formula refers to, as metrics."""
    return {
        node.name: Metric(name=node.name, formula=node.formula, unit=node.unit)
        for node in walk(metric.formula)
        if isinstance(node, Reference)
    }


def takes_any_row(metric: Metric, table: str) -> bool:
    """Return whether a row with only a new key and a time may be included in a fold."""
    return any(_takes_in(fold) for fold in aggregates(metric.formula) if source_of(fold) == table)


def _takes_in(fold: Aggregate) -> bool:
    nodes = [node for part in parts_of(fold) for node in nodes_in(part)]
    if any(isinstance(node, IsNull | Time | Elapsed | Coalesce | If) for node in nodes):
        return True
    where = fold.where if fold.of is None else fold.of.where
    return where is None or (isinstance(fold, Sum) and not fold.skip_nulls)


def expressions_of_keys(
    metric: Metric, declared: Mapping[str, type[Table]]
) -> Iterator[tuple[pl.Expr, Key | Category]]:
    """Yield the parts of Polars expressions that read a key or category first, with that column.

    Left out are the columns of a table's own key, which are not null.
    """
    for native in natives(metric.formula):
        table = declared[native.table]
        for part in _parts_of(native.expression.meta.undo_aliases()):
            name = part.meta.output_name(raise_if_undetermined=False)
            column = None if name is None or name in table.key else table.columns.get(name)
            if isinstance(column, Key | Category):
                yield part, column


def _parts_of(expression: pl.Expr) -> Iterator[pl.Expr]:
    yield expression
    for inner in expression.meta.pop():
        yield from _parts_of(inner)


def money_columns(metric: Metric, table: str) -> set[str]:
    """Return the amount columns that a metric reads from a table."""
    return {
        node.name for node in nodes_of(metric) if isinstance(node, Money) and node.table == table
    }


def compares_money(metric: Metric) -> bool:
    """Return whether amounts are compared with a constant other than 0."""
    return any(_sets_against(node) for node in nodes_of(metric))


def _sets_against(node: Value | Predicate) -> bool:
    match node:
        case Comparison(_, left, right):
            sides: tuple[Value, ...] = (left, right)
        case IsBetween(value, low, high):
            sides = (value, low, high)
        case If(_, then, otherwise):
            sides = (then, otherwise)
        case Coalesce(values):
            sides = values
        case _:
            return False
    constants = [side.value for side in sides if isinstance(side, Literal)]
    has_money = any(
        ("money", 1) in unit_of(side).powers for side in sides if not isinstance(side, Literal)
    )
    return has_money and any(constant != 0 for constant in constants)


def value_of_nothing(formula: Formula) -> float | None:
    """Return the value of a formula over no rows, as the semantics define it."""
    match formula:
        case Constant(value):
            return value
        case Reference(_, inner):
            return value_of_nothing(inner)
        case Sum(require_single=Rows()):
            return None
        case Sum() | Count() | CountDistinct() | CountRetained():
            return 0
        case Arithmetic(operator, left, right):
            return _computed(operator, value_of_nothing(left), value_of_nothing(right))
        case ShareOfTotal() | QuantileBucket() | PeriodsToBreakEven():
            return None
        case Abs(inner) | Sqrt(inner) | PositiveOrNull(inner):
            inside = value_of_nothing(inner)
            return None if inside is None else _turned(formula, inside)
        case Applied(inner):
            return value_of_nothing(inner)
        case _:
            return None


def _turned(formula: Abs | Sqrt | PositiveOrNull, value: float) -> float | None:
    match formula:
        case Abs():
            return abs(value)
        case Sqrt():
            return math.sqrt(value) if value >= 0 else None
        case _:
            return value if value > 0 else None


def _computed(operator: Operator, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    match operator:
        case Operator.ADD:
            return left + right
        case Operator.SUBTRACT:
            return left - right
        case Operator.MULTIPLY:
            return left * right
        case _:
            return None if right == 0 else left / right

"""Folds of rows as folds of the items that they are made of, where a question divides them.

An order belongs to no category: its lines do. By category an amount of orders is that
of their lines, and an order counts in every category that it has a line of.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from funnelkit.data.schema import Items
from funnelkit.data.shop_data import ShopData
from funnelkit.formula.formulas import (
    Aggregate,
    Count,
    CountDistinct,
    Sum,
)
from funnelkit.formula.table import Rows
from funnelkit.formula.values import Column, Dimension, Lookup, Predicate, Value, ValueNode
from funnelkit.planning.dimensions import (
    conjunction,
    dimensions_in,
    nearest,
    value_with_leaves,
    with_leaves,
)
from funnelkit.planning.plan import Question

__all__ = ["fold_of_items", "items_of"]


def items_of(data: ShopData, question: Question, table: str) -> Items | None:
    """Return the items of a table where only these have the dimensions of the question."""
    items, where = data.schema.items.get(table), question.where
    if items is None or items.key.table not in data.tables:
        return None
    named = (*question.by, *(() if where is None else dimensions_in(where)))
    lacking = [dimension for dimension in named if not _paths(data, table, dimension)]
    if not lacking or any(_paths(data, items.key.table, each) != 1 for each in named):
        return None
    return items


def fold_of_items(data: ShopData, items: Items, fold: Aggregate) -> Aggregate:
    """Return a fold of rows as one of their items; one that cannot be divided as it is."""
    return fold if fold.of is not None else _Divided(data, items).fold(fold)


def _paths(data: ShopData, table: str, dimension: Dimension) -> int:
    """Return how many ways lead from a table to a dimension."""
    is_mapped = table in dict(dimension.columns)
    return 1 if is_mapped else len(nearest(data, table, dimension.name))


class _Divided:
    """Writes folds of rows as folds of their items."""

    def __init__(self, data: ShopData, items: Items) -> None:
        self._data, self._items = data, items

    def fold(self, fold: Aggregate) -> Aggregate:
        match fold:
            case Sum(Column() as amount, where=where, require_single=None) if (
                amount in self._items.amounts
            ):
                return replace(
                    fold, value=self._items.amounts[amount], where=self._condition(where)
                )
            case Count(Rows(), where=where):
                return CountDistinct(self._items.key, where=self._condition(where))
            case Count(ValueNode() as value, where=where):
                present = conjunction((where, value.is_not_null()))
                return CountDistinct(self._items.key, where=self._condition(present))
            case CountDistinct(value, where=where):
                return CountDistinct(self._value(value), where=self._condition(where))
            case _:
                return fold

    def _leaf(self, node: Column | Lookup | Dimension) -> Column | Lookup:
        return Lookup(self._items.key, cast("Column | Lookup", node))  # folds name no dimension

    def _value(self, value: Value) -> Value:
        return value_with_leaves(self._data, value, self._leaf)

    def _condition(self, where: Predicate | None) -> Predicate | None:
        of_row = None if where is None else with_leaves(self._data, where, self._leaf)
        return conjunction((of_row, self._items.where))

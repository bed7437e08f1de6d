"""Where a dimension is found on a table: its own column, or one of a parent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import TypeVar, assert_never, cast

import polars as pl

from funnelkit.data.shop_data import ShopData
from funnelkit.data.value_types import TIMES, ValueType, value_type
from funnelkit.errors import (
    ContractError,
    DataIssue,
    DefinitionError,
    MissingInputError,
    UnknownNameError,
    shortened,
)
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
    Or,
    PerKeyColumn,
    Predicate,
    Value,
)
from funnelkit.formula.walk import end_of, nodes_in
from funnelkit.planning.vocabulary import WRITTEN, in_words

__all__ = [
    "Leaf",
    "can_reach",
    "check_lookup",
    "conjunction",
    "dimensions_in",
    "ending_in",
    "nearest",
    "path_name",
    "resolve_dimension",
    "resolve_predicate",
    "value_with_leaves",
    "with_leaves",
]


Node = TypeVar("Node")


def conjunction(parts: Iterable[Predicate | None]) -> Predicate | None:
    """Return the conjunction of the predicates that there are; None if there is none."""
    found = [part for part in parts if part is not None]
    return reduce(And, found) if found else None


def resolve_dimension(data: ShopData, table: str, dimension: Dimension) -> Column | Lookup:
    """Return the column or lookup that a dimension is on a table.

    The table's own column comes first, then the nearest parent's.

    Raises:
        UnknownNameError: It cannot be reached, or two parents are equally near.
        ContractError: Rows cannot be grouped or compared by it.
    """
    found = _found(data, table, dimension)
    column = end_of(found)
    if isinstance(kind := data.tables[column.table].columns.get(column.name), _NO_DIMENSIONS):
        problem = f"holds {kind}, by which rows cannot be grouped or compared"
        remedy = "give a column of words, numbers, days or flags made of it"
        raise ContractError([DataIssue(column.table, column.name, problem, remedy)])
    return found


_NO_DIMENSIONS = (pl.Object, pl.Binary, pl.List, pl.Array, pl.Struct)


def _found(data: ShopData, table: str, dimension: Dimension) -> Column | Lookup:
    mapped = dict(dimension.columns).get(table)
    if mapped is not None:
        return _mapped(data, table, dimension, mapped)
    found = nearest(data, table, dimension.name)
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownNameError(
            f"single dimension of {table}",
            dimension.name,
            [],
            f"it could be {' or '.join(map(path_name, found))}: say which with "
            f"fk.Dimension({dimension.name!r}, {table}={path_name(found[0])!r})",
        )
    raise UnknownNameError(
        f"dimension of {table}",
        dimension.name,
        reachable(data, table),
        f"map one with fk.Dimension({shortened(dimension.name)!r}, {table}='column')",
    )


def reachable(data: ShopData, table: str) -> list[str]:
    """Return the names of the dimensions that a table has or reaches, nearest first."""
    names: dict[str, None] = {}
    paths: list[tuple[Lookup | None, str]] = [(None, table)]
    for _ in range(len(data.tables) + 1):
        for _, at in paths:
            names |= dict.fromkeys(data.tables[at].columns)
        paths = [step for path, at in paths for step in _parents(data, path, at)]
    return list(names)


def can_reach(data: ShopData, table: str, name: str) -> bool:
    """Return whether a table has or reaches a dimension, without doubt."""
    return len(nearest(data, table, name)) == 1


def nearest(data: ShopData, table: str, name: str) -> list[Column | Lookup]:
    """Return the column of that name of a table, else those of its nearest parents."""
    if (own := _own(data, table, name)) is not None:
        return [own]
    paths: list[tuple[Lookup | None, str]] = [(None, table)]
    for _ in range(len(data.tables)):
        paths = [step for path, at in paths for step in _parents(data, path, at)]
        found: list[Column | Lookup] = [
            _extended(path, own)
            for path, at in paths
            if path is not None and (own := _own(data, at, name)) is not None
        ]
        if found:
            return found
    return []


Leaf = Callable[[Column | Lookup | Dimension], Column | Lookup]
"""Returns what takes the place of a column, lookup or dimension."""


def resolve_predicate(data: ShopData, table: str, predicate: Predicate) -> Predicate:
    """Return a predicate over dimensions as one over a table's columns and lookups.

    Raises:
        UnknownNameError: A dimension cannot be reached.
        DefinitionError: It compares or adds up what cannot be.
    """

    def leaf(node: Column | Lookup | Dimension) -> Column | Lookup:
        if isinstance(node, Dimension):
            return resolve_dimension(data, table, node)
        return _of_table(data, table, node)

    return with_leaves(data, predicate, leaf)


def with_leaves(data: ShopData, predicate: Predicate, leaf: Leaf) -> Predicate:
    """Return a predicate with its columns, lookups and dimensions replaced.

    Raises:
        DefinitionError: It compares or adds up what cannot be.
    """

    def value(node: Value) -> Value:
        return value_with_leaves(data, node, leaf)

    match predicate:
        case Comparison(relation, left, right):
            sides = value(left), value(right)
            in_words(data, *sides)
            return _alike(data, Comparison(relation, *sides), sides)
        case IsIn(inner, options):
            found = value(inner)
            in_words(data, found, *map(Literal, options))
            one_of_each = {type(option): option for option in options}
            kept = IsIn(found, options)
            return _alike(data, kept, (found, *map(Literal, one_of_each.values())))
        case IsNull(inner):
            return IsNull(value(inner))
        case IsBetween(inner, low, high):
            parts = value(inner), value(low), value(high)
            return _alike(data, IsBetween(*parts), parts)
        case Not(inner):
            return Not(with_leaves(data, inner, leaf))
        case And(left, right):
            return And(*(with_leaves(data, side, leaf) for side in (left, right)))
        case Or(left, right):
            return Or(*(with_leaves(data, side, leaf) for side in (left, right)))
        case Flag():
            flag = leaf(predicate)
            return flag if isinstance(flag, Flag) else IsTrue(cast("Lookup", flag))
        case IsTrue(inner):
            return IsTrue(cast("Lookup | Coalesce", value(inner)))
        case _:
            assert_never(predicate)


def value_with_leaves(data: ShopData, node: Value, leaf: Leaf) -> Value:
    """Return a value with its columns, lookups and dimensions replaced.

    Raises:
        DefinitionError: It compares or adds up what cannot be.
    """

    def value(node: Value) -> Value:
        return value_with_leaves(data, node, leaf)

    match node:
        case Dimension() | Column() | Lookup():
            return leaf(node)
        case Operation(operator, left, right):
            sides = value(left), value(right)
            return _alike(data, Operation(operator, *sides), (*sides, Literal(0)))
        case Coalesce(values):
            parts = tuple(map(value, values))
            return _alike(data, Coalesce(*parts), parts)
        case If(condition, then, otherwise):
            sides = value(then), value(otherwise)
            return _alike(data, If(with_leaves(data, condition, leaf), *sides), sides)
        case Elapsed(start, end):
            sides = value(start), value(end)
            return _alike(data, Elapsed(*sides), (*sides, AsOf()))
        case ConcatKey(values):
            return ConcatKey(*map(value, values))
        case Lower(word):
            return Lower(value(word))
        case Literal() | AsOf() | PerKeyColumn():
            return node
        case _:
            assert_never(node)


def _alike(data: ShopData, node: Node, parts: Iterable[Value]) -> Node:
    """Check that values of one kind are compared: an engine would cast one, or fail late."""
    sorts = {value_type(data, part) for part in parts} - {ValueType.UNKNOWN}
    kinds = sorted({"time" if sort in TIMES else str(sort) for sort in sorts})
    if len(kinds) > 1:
        raise DefinitionError(
            f"{shortened(node, most=200)} compares a {' with a '.join(kinds)}",
            WRITTEN,
        )
    return node


def _of_table(data: ShopData, table: str, item: Column | Lookup) -> Column | Lookup:
    """Check that a column is one of the table whose rows are read."""
    column = item.key if isinstance(item, Lookup) else item
    if column.table != table:
        raise DefinitionError(
            f"where names {column}, and rows of {table} are asked, too",
            f"name a dimension: fk.Dimension({end_of(item).name!r})",
        )
    if lacking := data.missing_for(item):
        raise MissingInputError(dict.fromkeys(sorted(lacking), ("where",)))
    return item


def ending_in(item: Column | Lookup, end: Column | Lookup) -> Column | Lookup:
    """Return a column, or what a lookup ends in, replaced by something else of the same table."""
    return Lookup(item.key, ending_in(item.value, end)) if isinstance(item, Lookup) else end


def check_lookup(data: ShopData, item: Column | Lookup) -> None:
    """Check that a lookup leads from a key to the one row that it identifies.

    Raises:
        DefinitionError: The key points elsewhere, or the parent is known by
            several columns, or the two are of different types.
    """
    if not isinstance(item, Lookup):
        return
    parent = item.value.key.table if isinstance(item.value, Lookup) else item.value.table
    first, *others = data.known[parent].key
    declared = data.known[item.key.table].parents.get(item.key.name, parent)
    if declared != parent and item.key.name != first:
        raise DefinitionError(
            f"{item} looks into {parent}, and {item.key} points to {declared}",
            f"look up a column of {declared}",
        )
    if others:
        raise DefinitionError(
            f"{item} looks into {parent}, where {first}, {', '.join(others)} identify a row",
            "fold that table by itself and divide, or look into a table with a single key",
        )
    one, two = (data.type_of(side) for side in (item.key, data.known[parent].get(first)))
    if one is not None and two is not None and one != two:
        raise DefinitionError(
            f"{item}: {item.key} is {one}, and {parent}.{first} is {two}",
            "cast one of them so that they match",
        )
    check_lookup(data, item.value)


def dimensions_in(node: Predicate | Value) -> tuple[Dimension, ...]:
    """Return the dimensions that a predicate names."""
    return tuple(found for found in nodes_in(node) if isinstance(found, Dimension))


def _own(data: ShopData, table: str, name: str) -> Column | None:
    declared = data.known[table].columns.get(name)
    if name not in data.tables[table].columns and declared is None:
        return None
    column = data.column(table, name)
    return None if data.missing_for(column) else column


def _parents(data: ShopData, path: Lookup | None, table: str) -> list[tuple[Lookup | None, str]]:
    """Return the paths to the parents of the table at the end of a path."""
    steps: list[tuple[Lookup | None, str]] = []
    for key_name, parent in data.known[table].parents.items():
        key = data.known[table].columns[key_name]
        if parent not in data.tables or data.missing_for(key) or len(data.known[parent].key) > 1:
            continue
        target = data.key_of(parent)
        if not data.missing_for(target):
            steps.append((_extended(path, Lookup(key, target)), parent))
    return steps


def _extended(path: Lookup | None, end: Column | Lookup) -> Lookup:
    """Return the path with its last column replaced by what lies beyond it."""
    if path is not None:
        return Lookup(path.key, ending_in(path.value, end))
    if isinstance(end, Lookup):
        return end
    raise AssertionError(end)


def path_name(item: Column | Lookup) -> str:
    """Return the name of a column, or of that which a lookup ends in."""
    inner = end_of(item)
    return str(inner) if inner.is_declared else f"{inner.table}.{inner.name}"


def _mapped(data: ShopData, table: str, dimension: Dimension, mapped: str) -> Column | Lookup:
    owner, _, name = mapped.rpartition(".")
    if not owner or owner == table:
        if (found := _own(data, table, name)) is not None:
            return found
        raise UnknownNameError(f"column of {table}", name, list(data.tables[table].columns))
    paths: list[tuple[Lookup | None, str]] = [(None, table)]
    for _ in range(len(data.tables)):
        paths = [step for path, at in paths for step in _parents(data, path, at)]
        for path, at in paths:
            if at == owner and path is not None and (own := _own(data, at, name)):
                return _extended(path, own)
    raise UnknownNameError(
        f"dimension of {table}", mapped, reachable(data, table), f"given for {dimension.name!r}"
    )

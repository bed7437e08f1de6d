"""Where a dimension is found on a table: its own column, or one of a parent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from typing import assert_never

from funnelkit.errors import UnknownNameError
from funnelkit.formula.values import (
    And,
    AsOf,
    Case,
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
    Literal,
    Lookup,
    Not,
    Operation,
    Or,
    Predicate,
    Prefixed,
    RollupColumn,
    Value,
    children,
)
from funnelkit.shop import Shop

__all__ = ["can_reach", "dimensions_in", "joined", "resolve_dimension", "resolve_predicate"]


def joined(parts: Iterable[Predicate | None]) -> Predicate | None:
    """Give the conjunction of the predicates that there are; None if there is none."""
    found = [part for part in parts if part is not None]
    return reduce(And, found) if found else None


def resolve_dimension(shop: Shop, table: str, dimension: Dimension) -> Column | Lookup:
    """Give the column or lookup that a dimension is on a table.

    The table's own column comes first, then the nearest parent's.

    Raises:
        UnknownNameError: It cannot be reached, or two parents are equally near.
    """
    mapped = dict(dimension.columns).get(table)
    if mapped is not None:
        return _mapped(shop, table, dimension, mapped)
    if own := _own(shop, table, dimension.name):
        return own
    paths: list[tuple[Lookup | None, str]] = [(None, table)]
    for _ in range(len(shop.tables)):
        paths = [step for path, at in paths for step in _parents(shop, path, at)]
        found = [
            _extended(path, own)
            for path, at in paths
            if path is not None and (own := _own(shop, at, dimension.name)) is not None
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownNameError(
                f"single dimension of {table}",
                dimension.name,
                [],
                f"it could be {' or '.join(map(_path_name, found))}: say which with "
                f"fk.Dimension({dimension.name!r}, {table}={_path_name(found[0])!r})",
            )
    raise UnknownNameError(
        f"dimension of {table}",
        dimension.name,
        reachable(shop, table),
        f"map one with fk.Dimension({dimension.name!r}, {table}='column')",
    )


def reachable(shop: Shop, table: str) -> list[str]:
    """Give the names of the dimensions that a table has or reaches, nearest first."""
    names: dict[str, None] = {}
    paths: list[tuple[Lookup | None, str]] = [(None, table)]
    for _ in range(len(shop.tables) + 1):
        for _, at in paths:
            names |= dict.fromkeys(shop.tables[at].columns)
        paths = [step for path, at in paths for step in _parents(shop, path, at)]
    return list(names)


def can_reach(shop: Shop, table: str, name: str) -> bool:
    """Say whether a table has or reaches a dimension, without doubt."""
    try:
        resolve_dimension(shop, table, Dimension(name))
    except UnknownNameError:
        return False
    return True


def resolve_predicate(shop: Shop, table: str, predicate: Predicate) -> Predicate:
    """Give a predicate over dimensions as one over a table's columns and lookups."""

    def value(node: Value) -> Value:
        match node:
            case Dimension():
                return resolve_dimension(shop, table, node)
            case Operation(operator, left, right):
                return Operation(operator, value(left), value(right))
            case Coalesce(values):
                return Coalesce(*map(value, values))
            case Case(condition, then, otherwise):
                return Case(walk(condition), value(then), value(otherwise))
            case Elapsed(start, end):
                return Elapsed(value(start), value(end))
            case Column() | Lookup() | Literal() | AsOf() | RollupColumn() | Prefixed():
                return node
            case _:
                assert_never(node)

    def walk(node: Predicate) -> Predicate:
        match node:
            case Comparison():
                return replace(node, left=value(node.left), right=value(node.right))
            case IsIn() | IsNull():
                return replace(node, value=value(node.value))
            case IsBetween(inner, low, high):
                return IsBetween(value(inner), value(low), value(high))
            case Not(inner):
                return Not(walk(inner))
            case And() | Or():
                return replace(node, left=walk(node.left), right=walk(node.right))
            case Flag() | IsTrue():
                return node
            case _:
                assert_never(node)

    return walk(predicate)


def dimensions_in(node: Predicate | Value) -> tuple[Dimension, ...]:
    """Give the dimensions that a predicate names."""
    if isinstance(node, Dimension):
        return (node,)
    return tuple(found for child in children(node) for found in dimensions_in(child))


def _own(shop: Shop, table: str, name: str) -> Column | None:
    declared = shop.known[table].columns.get(name)
    if name not in shop.tables[table].columns and declared is None:
        return None
    column = shop.column(table, name)
    return None if shop.lacks(column) else column


def _parents(shop: Shop, path: Lookup | None, table: str) -> list[tuple[Lookup | None, str]]:
    """Give the paths to the parents of the table at the end of a path."""
    steps: list[tuple[Lookup | None, str]] = []
    for key_name, parent in shop.known[table].parents.items():
        key = shop.known[table].columns[key_name]
        if parent not in shop.tables or shop.lacks(key):
            continue
        target = shop.known[parent].columns[shop.known[parent].key[0]]
        if not shop.lacks(target):
            steps.append((_extended(path, Lookup(key, target)), parent))
    return steps


def _extended(path: Lookup | None, end: Column | Lookup) -> Lookup:
    """Give the path with its last column replaced by what lies beyond it."""
    if path is None:
        if isinstance(end, Lookup):
            return end
        raise AssertionError(end)
    inner = path.value
    if isinstance(inner, Lookup):
        return Lookup(path.key, _extended(inner, end))
    return Lookup(path.key, end)


def _path_name(path: Lookup) -> str:
    inner: Column | Lookup = path
    while isinstance(inner, Lookup):
        inner = inner.value
    return str(inner) if inner.is_declared else f"{inner.table}.{inner.name}"


def _mapped(shop: Shop, table: str, dimension: Dimension, mapped: str) -> Column | Lookup:
    owner, _, name = mapped.rpartition(".")
    if not owner or owner == table:
        if found := _own(shop, table, name):
            return found
        raise UnknownNameError(f"column of {table}", name, list(shop.tables[table].columns))
    paths: list[tuple[Lookup | None, str]] = [(None, table)]
    for _ in range(len(shop.tables)):
        paths = [step for path, at in paths for step in _parents(shop, path, at)]
        for path, at in paths:
            if at == owner and path is not None and (own := _own(shop, at, name)):
                return _extended(path, own)
    raise UnknownNameError(
        f"dimension of {table}", mapped, reachable(shop, table), f"given for {dimension.name!r}"
    )

"""What values and predicates are made of: walks over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never, cast

from funnelkit.errors import DefinitionError
from funnelkit.formula.values import (
    And,
    AsOf,
    Coalesce,
    Column,
    Comparison,
    ConcatKey,
    Dimension,
    Elapsed,
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
    PerKeySource,
    Predicate,
    PredicateNode,
    Value,
    ValueNode,
)

__all__ = ["children", "conjuncts", "end_of", "leaves", "nodes_in", "per_key_of"]


def children(node: Value | Predicate) -> Iterator[Value | Predicate]:
    """Return the nodes directly inside a value or predicate."""
    match node:
        case Column() | PerKeyColumn() | Dimension() | Literal() | AsOf():
            return
        case Operation() | Comparison() | And() | Or():
            yield from (node.left, node.right)
        case Coalesce(values) | ConcatKey(values):
            yield from values
        case Elapsed(start, end):
            yield from (start, end)
        case If(condition, then, otherwise):
            yield from (condition, then, otherwise)
        case Lookup(key, value):
            yield from (key, value)
        case IsIn() | IsNull() | IsTrue() | Lower():
            yield node.value
        case IsBetween(value, low, high):
            yield from (value, low, high)
        case Not(predicate):
            yield predicate
        case _:
            assert_never(node)


def nodes_in(node: Value | Predicate) -> Iterator[Value | Predicate]:
    """Return a value or predicate and everything in it."""
    yield node
    for child in children(node):
        yield from nodes_in(child)


def leaves(node: Value | Predicate) -> Iterator[Column | Lookup]:
    """Return every column and lookup inside a value or predicate."""
    if isinstance(node, Column | Lookup):
        yield node
        return
    for child in children(node):
        yield from leaves(child)


def end_of(item: Column | Lookup) -> Column:
    """Return the column itself, or the one that a lookup ends in."""
    while isinstance(item, Lookup):
        item = item.value
    return item


def conjuncts(predicate: Predicate | None) -> tuple[Predicate, ...]:
    """Return the predicates that must all hold, in reading order."""
    if predicate is None:
        return ()
    if isinstance(predicate, And):
        return (*conjuncts(predicate.left), *conjuncts(predicate.right))
    return (predicate,)


def per_key_of(*parts: object) -> PerKeySource | None:
    """Return the source of the columns in parts of an aggregate, where it is a table per key.

    Raises:
        DefinitionError: They are columns of several such sources.
    """
    nodes = (
        node
        for part in parts
        if isinstance(part, ValueNode | PredicateNode)
        for node in nodes_in(cast("Value | Predicate", part))
    )
    found = {node.source: None for node in nodes if isinstance(node, PerKeyColumn) and node.source}
    if len(found) > 1:
        problem = "an aggregate reads columns of several tables folded per key"
        raise DefinitionError(problem, "fold the columns of one")
    return next(iter(found), None)

"""Validation of the arguments of nodes: text forms may contain anything."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from funnelkit.arguments import is_number, is_whole
from funnelkit.errors import DefinitionError
from funnelkit.formula.values import (
    Category,
    Column,
    Dimension,
    Flag,
    Key,
    Lookup,
    PerKeyColumn,
    PredicateNode,
    Score,
    Time,
    Value,
    ValueNode,
)
from funnelkit.formula.walk import children
from funnelkit.units import Unit

__all__ = [
    "DEEPEST",
    "check_key",
    "check_native",
    "check_number",
    "check_parts",
    "check_periods",
    "check_share",
    "check_where",
    "tables_of",
]

DEEPEST, MOST_PERIODS = 150, 10_000

_NEVER_NUMBERS = (Key, Category, Flag, Time, Score)


def check_number(value: Value, verb: str, *, allowed: tuple[type, ...] = ()) -> None:
    """Raise if a value that is to be added or averaged is not numeric.

    Raises:
        DefinitionError: It is.
    """
    node = value.value if isinstance(value, Lookup) else value
    if isinstance(node, _NEVER_NUMBERS) and not isinstance(node, allowed):
        kind = type(node).__name__.lower()
        raise DefinitionError(
            f"{value} is a {kind}: it cannot be {verb}",
            "count it, or count the rows where it holds"
            if not isinstance(node, Score)
            else "take its mean, a quantile, or count the rows above a mark",
        )


def check_where(where: object) -> None:
    """Raise if a condition is not a predicate.

    Raises:
        DefinitionError: It is.
    """
    if where is not None and not isinstance(where, PredicateNode):
        raise DefinitionError(
            f"where={where!r} is a {type(where).__name__}, not true or false of a row",
            "compare a column, or use a flag",
        )


def check_periods(periods: object) -> None:
    """Raise if a number of periods is not a whole number, is below one or exceeds any calendar.

    Raises:
        DefinitionError: It is.
    """
    if not (is_whole(periods) and periods >= 1):
        raise DefinitionError(
            f"{periods!r} periods earlier is not earlier", "use a whole number, 1 or more"
        )
    if periods > MOST_PERIODS:
        raise DefinitionError(f"{periods} periods is too far back", f"use at most {MOST_PERIODS:,}")


def check_share(share: object) -> None:
    """Raise if a share is not between 0 and 1.

    Raises:
        DefinitionError: It is.
    """
    if not (is_number(share) and 0 <= share <= 1):
        raise DefinitionError(f"quantile {share!r} is not between 0 and 1")


def check_key(key: object) -> None:
    """Raise if a key is neither a column nor a lookup.

    Raises:
        DefinitionError: It is.
    """
    if not isinstance(key, Column | Lookup):
        problem = f"a PerKey by {key!r} has no key"
        raise DefinitionError(problem, "pass a column, such as fk.Orders.customer_id")


def check_native(table: object, expression: object, unit: object) -> None:
    """Raise if a Polars expression, its unit or its table is not valid.

    Raises:
        DefinitionError: One of them is.
    """
    if not isinstance(expression, pl.Expr):
        raise DefinitionError(f"{expression!r} is not a Polars expression", "write pl.col(…).sum()")
    if not isinstance(table, str):
        raise DefinitionError(f"{table!r} is not a table name", "write PolarsExpr('orders', …)")
    if not isinstance(unit, Unit):
        raise DefinitionError(f"unit={unit!r} is not a unit", "use fk.MONEY, fk.NUMBER or another")


def check_parts(parts: object) -> None:
    """Raise if a number of parts is not a whole number of at least two.

    Raises:
        DefinitionError: It is.
    """
    if not (is_whole(parts) and parts >= 2):
        raise DefinitionError(
            f"{parts!r} is not a valid number of parts", "use 2 parts or more: 5 is usual"
        )


def tables_of(node: object) -> Iterator[str]:
    """Return the table of every column that a part of an aggregate reads; "" for a `PerKey`.

    Raises:
        DefinitionError: It is not a value of a row, or it is a dimension, which belongs to no
            single table.
    """
    match node:
        case Column():
            yield node.table
        case PerKeyColumn():
            yield ""
        case Lookup(key):
            yield key.table
        case Dimension(name):
            remedy = f"write table.column, or quote it if it is a text: {name!r}"
            raise DefinitionError(f"{node} is not a column", remedy)
        case ValueNode() | PredicateNode():
            for child in children(node):  # type: ignore[arg-type]  # every such node is one of them
                yield from tables_of(child)
        case _:
            what = f"{node.__name__} as a whole" if isinstance(node, type) else repr(node)
            problem = f"{what} is not a value of a row"
            raise DefinitionError(problem, "fold a column; count(table) counts rows")

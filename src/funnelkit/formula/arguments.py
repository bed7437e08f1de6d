"""What the arguments of nodes must be: text forms can say anything."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

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
    "check_flag",
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
    """Refuse to add or average what is no number.

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


def check_flag(name: str, thing: object) -> None:
    """Refuse what is neither true nor false.

    Raises:
        DefinitionError: It is.
    """
    if not isinstance(thing, bool):
        raise DefinitionError(f"{name}={thing!r} is not True or False")


def check_where(where: object) -> None:
    """Refuse a condition that is none.

    Raises:
        DefinitionError: It is.
    """
    if where is not None and not isinstance(where, PredicateNode):
        raise DefinitionError(
            f"where={where!r} is a {type(where).__name__}, not true or false of a row",
            "compare a column, or use a flag",
        )


def check_periods(periods: object) -> None:
    """Refuse a number of periods below one, beyond all calendars, and what is no whole number.

    Raises:
        DefinitionError: It is.
    """
    if isinstance(periods, bool) or not isinstance(periods, int) or periods < 1:
        raise DefinitionError(
            f"{periods!r} periods earlier is not earlier", "use a whole number, 1 or more"
        )
    if periods > MOST_PERIODS:
        raise DefinitionError(f"{periods} periods is too far back", f"use at most {MOST_PERIODS:,}")


def check_share(share: object) -> None:
    """Refuse a share that is not between 0 and 1.

    Raises:
        DefinitionError: It is.
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise DefinitionError(f"quantile {share!r} is not between 0 and 1")


def check_key(key: object) -> None:
    """Refuse to fold by what is no column.

    Raises:
        DefinitionError: It is.
    """
    if not isinstance(key, Column):
        problem = f"a rollup by {key!r} has no key"
        raise DefinitionError(problem, "give a column, such as fk.Orders.customer_id")


def check_native(table: object, expression: object, unit: object) -> None:
    """Refuse a Polars expression that is none, and a unit or table that is none.

    Raises:
        DefinitionError: One of them is.
    """
    if not isinstance(expression, pl.Expr):
        raise DefinitionError(f"{expression!r} is no Polars expression", "write pl.col(…).sum()")
    if not isinstance(table, str):
        raise DefinitionError(f"{table!r} is no name of a table", "write PolarsExpr('orders', …)")
    if not isinstance(unit, Unit):
        raise DefinitionError(f"unit={unit!r} is no unit", "use fk.MONEY, fk.NUMBER or another")


def check_parts(parts: object) -> None:
    """Refuse a number of parts below two, and what is no whole number.

    Raises:
        DefinitionError: It is.
    """
    if isinstance(parts, bool) or not isinstance(parts, int) or parts < 2:
        raise DefinitionError(f"{parts!r} parts are no division", "use 2 parts or more: 5 is usual")


def tables_of(node: object) -> Iterator[str]:
    """Give the table of every column that a part of an aggregate reads; "" for a rollup's.

    Raises:
        DefinitionError: It is no value of a row, or a dimension, which is none of one table.
    """
    match node:
        case Column():
            yield node.table
        case PerKeyColumn():
            yield ""
        case Lookup(key):
            yield key.table
        case Dimension(name):
            remedy = f"write table.column, or quote it if it is a word: {name!r}"
            raise DefinitionError(f"{node} is no column", remedy)
        case ValueNode() | PredicateNode():
            for child in children(node):  # type: ignore[arg-type]  # every such node is one of them
                yield from tables_of(child)
        case _:
            what = f"{node.__name__} as a whole" if isinstance(node, type) else repr(node)
            problem = f"{what} is not a value of a row"
            raise DefinitionError(problem, "fold a column; count(table) counts rows")

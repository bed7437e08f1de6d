"""Floats where NaN is not equal to itself, or 0 differs from -0: as they are in every engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sqlglot import exp
from sqlglot.generator import Generator

from funnelkit.engines.sql.nodes import ByValue

__all__ = ["one_zero", "writes"]

Sql = exp.Expr
Write = Callable[[Any, Any], str]


def one_zero(node: ByValue) -> Sql:
    """Return a float that is told from others: 0 where it is -0."""
    found = exp.Add(this=exp.paren(node.this), expression=exp.Literal.number("0e0"))
    return exp.paren(found, copy=False)


def writes(is_nan: str) -> Mapping[type[Sql], Write]:
    """Return how floats are compared and ordered, with NaN as one number above all others.

    Args:
        is_nan: The name of the function that says whether a float is NaN.
    """
    compared, ordered = partial(_compared, is_nan), partial(_ordered, is_nan)

    def write_compared(self: Generator, node: exp.Binary) -> str:
        return compared(self, node)

    def write_ordered(self: Generator, node: exp.Ordered) -> str:
        return ordered(self, node)

    return {**dict.fromkeys(COMPARED, write_compared), exp.Ordered: write_ordered}


def _number(value: Sql) -> Sql:
    """Return a number that is compared with a float as one."""
    if not isinstance(value, ByValue):
        return exp.cast(value, exp.DType.DOUBLE)
    number: Sql = value.this
    return number


def _nan(is_nan: str, value: Sql) -> Sql | None:
    """Return whether a number is NaN; None of a constant, which is not."""
    inner = value.this if isinstance(value, ByValue) else value
    if isinstance(inner, exp.Literal | exp.Neg):
        return None
    return exp.Anonymous(this=is_nan, expressions=[_number(value)])


def _more(is_nan: str, one: Sql, two: Sql) -> Sql:
    """Return whether a number is above another; NaN is above all others."""
    found = exp.GT(this=_number(one), expression=_number(two))
    one_is, two_is = _nan(is_nan, one), _nan(is_nan, two)
    if one_is is None:
        return found
    return exp.or_(found, one_is if two_is is None else exp.and_(one_is, exp.not_(two_is)))


def _equal(is_nan: str, one: Sql, two: Sql) -> Sql:
    """Return whether two numbers are the same; NaN is one number."""
    found = exp.EQ(this=_number(one), expression=_number(two))
    one_is, two_is = _nan(is_nan, one), _nan(is_nan, two)
    return found if one_is is None or two_is is None else exp.or_(found, exp.and_(one_is, two_is))


COMPARED: Mapping[type[Sql], tuple[str, Callable[[str, Sql, Sql], Sql]]] = {
    exp.EQ: ("=", _equal),
    exp.NEQ: ("<>", lambda is_nan, one, two: exp.not_(_equal(is_nan, one, two))),
    exp.GT: (">", _more),
    exp.GTE: (">=", lambda is_nan, one, two: exp.not_(_more(is_nan, two, one))),
    exp.LT: ("<", lambda is_nan, one, two: _more(is_nan, two, one)),
    exp.LTE: ("<=", lambda is_nan, one, two: exp.not_(_more(is_nan, one, two))),
}
"""How values are compared: by a sign, and, if they are floats, so that NaN is a number."""


def _compared(is_nan: str, self: Generator, node: exp.Binary) -> str:
    sign, of_floats = COMPARED[type(node)]
    if any(isinstance(side, ByValue) for side in (node.left, node.right)):
        return self.sql(exp.paren(of_floats(is_nan, node.left, node.right)))
    return self.binary(node, sign)


def _ordered(is_nan: str, self: Generator, node: exp.Ordered) -> str:
    """Write an order in full; NaN, which may come beside nulls, is put above all numbers."""
    direction = "DESC" if node.args.get("desc") else "ASC"
    nulls = "FIRST" if node.args.get("nulls_first") else "LAST"
    is_float = isinstance(node.this, ByValue)
    keys = [exp.Anonymous(this=is_nan, expressions=[node.this]), node.this]
    written = (self.sql(key) for key in (keys if is_float else keys[1:]))
    return ", ".join(f"{key} {direction} NULLS {nulls}" for key in written)

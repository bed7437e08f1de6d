"""The depth limit of formulas: what is accepted can be written, read back and copied."""

from __future__ import annotations

from collections.abc import Iterable

from funnelkit.errors import DefinitionError
from funnelkit.formula.arguments import DEEPEST
from funnelkit.formula.formulas import (
    Aggregate,
    Applied,
    Arithmetic,
    Constant,
    Formula,
    Name,
    PeriodDays,
    PolarsExpr,
    Reference,
)
from funnelkit.formula.properties import parts_of
from funnelkit.formula.values import Predicate, Value
from funnelkit.formula.walk import children

__all__ = ["check_depth"]


_ENDS = 3
"""Levels that the text of an aggregate may have more than its nodes: their calls and constants."""


def check_depth(formula: Formula) -> None:
    """Raise if a formula is nested too deeply to be written and read back.

    Raises:
        DefinitionError: It is.
    """
    level: list[Formula | Value | Predicate] = [formula]
    for _ in range(DEEPEST - _ENDS):
        below = (inner for node in level for inner in _inside(node))
        level = list({id(inner): inner for inner in below}.values())
    if level:
        problem = f"a formula has more than {DEEPEST} levels or terms"
        raise DefinitionError(problem, "make metrics of its parts; compare with a list: is_in([…])")


def _inside(node: Formula | Value | Predicate) -> Iterable[Formula | Value | Predicate]:
    match node:
        case Arithmetic(_, left, right):
            return (left, right)
        case Applied():
            return (node.formula,)
        case Constant() | Name() | Reference() | PeriodDays() | PolarsExpr():
            return ()
        case _:
            return parts_of(node) if isinstance(node, Aggregate) else children(node)

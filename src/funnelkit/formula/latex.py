"""Formulas as LaTeX, for cards and pages; and spelled out, without metric names."""

from __future__ import annotations

from dataclasses import replace

from funnelkit.formula.formulas import (
    Applied,
    Arithmetic,
    Constant,
    Formula,
    Name,
    PeriodDays,
    Reference,
)
from funnelkit.formula.functions import function_of
from funnelkit.formula.operators import Operator

__all__ = ["expand", "to_latex"]


def to_latex(formula: Formula) -> str:
    r"""Typeset a formula; metrics and folds are set as upright text.

    Examples:
        >>> from funnelkit import Count, Orders, Sessions
        >>> to_latex(Count(Orders) / Count(Sessions))
        '\\frac{\\mathtt{count(orders)}}{\\mathtt{count(sessions)}}'
    """
    match formula:
        case Constant(value):
            return f"{value:g}"
        case Reference(name) | Name(name):
            return rf"\mathrm{{{_escaped(name)}}}"
        case PeriodDays():
            return r"\mathrm{days}"
        case Applied(inner):
            return function_of(formula).to_latex(formula, to_latex(inner))
        case Arithmetic(Operator.DIVIDE, left, right):
            return rf"\frac{{{to_latex(left)}}}{{{to_latex(right)}}}"
        case Arithmetic(operator, left, right):
            sign = {"*": r"\cdot"}.get(operator.value, operator.value)
            is_sum = isinstance(right, Arithmetic) and right.operator.binds == 1
            below = isinstance(left, Arithmetic) and left.operator.binds < operator.binds
            one = rf"\left({to_latex(left)}\right)" if below else to_latex(left)
            two = rf"\left({to_latex(right)}\right)" if is_sum else to_latex(right)
            return f"{one} {sign} {two}"
        case _:
            return rf"\mathtt{{{_escaped(str(formula))}}}"


def expand(formula: Formula) -> str:
    """Return the text of a formula with every metric replaced by its formula."""
    match formula:
        case Reference(_, inner):
            return f"({expand(inner)})"
        case Arithmetic(operator, left, right):
            return f"({expand(left)} {operator} {expand(right)})"
        case Applied(inner):
            return str(replace(formula, formula=Name(expand(inner))))
        case _:
            return str(formula)


def _escaped(text: str) -> str:
    return text.replace("_", r"\_").replace("%", r"\%").replace("&", r"\&").replace(" ", r"\ ")

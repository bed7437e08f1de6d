"""Formulas brought down to arithmetic on folded numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from funnelkit.formula.formulas import (
    Abs,
    Constant,
    Name,
    PeriodDays,
    Positive,
    Share,
    Sqrt,
    Tile,
    Until,
)
from funnelkit.formula.values import Operator

__all__ = [
    "Leaf",
    "Lowered",
    "Operated",
    "Turned",
    "TurnedBy",
    "Unless",
    "has_period_length",
    "leaves_of",
    "sets_groups_apart",
    "show",
]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One folded number.

    Attributes:
        name: The column of the answer.
        shift: How many periods earlier.
        like_for_like: Whether only the part is taken that of the present period
            is known.
    """

    name: str
    shift: int = 0
    like_for_like: bool = False


@dataclass(frozen=True, slots=True)
class Operated:
    """Arithmetic on lowered formulas."""

    operator: Operator
    left: Lowered
    right: Lowered


@dataclass(frozen=True, slots=True)
class Unless:
    """A value that is null where a count is above a limit, with the reason."""

    value: Lowered
    count: Leaf
    above: int
    reason: str


TurnedBy = Positive | Abs | Sqrt | Share | Tile | Until


@dataclass(frozen=True, slots=True)
class Turned:
    """What a formula makes of the value of another.

    Attributes:
        by: The formula that says what is made of it.
        value: The value.
    """

    by: TurnedBy
    value: Lowered


Lowered = Leaf | Constant | PeriodDays | Operated | Unless | Turned


def show(lowered: Lowered) -> str:
    """Write a lowered formula."""
    match lowered:
        case Leaf(name, shift, like_for_like):
            part = ", like for like" if like_for_like else ""
            return name if not shift else f"{name}[{-shift} periods{part}]"
        case Constant() | PeriodDays():
            return str(lowered)
        case Operated(operator, left, right):
            return f"({show(left)} {operator} {show(right)})"
        case Unless(value, count, above, _):
            return f"({show(value)} unless {show(count)} > {above})"
        case Turned(by, value):
            return str(replace(by, formula=Name(show(value))))
        case _:
            assert_never(lowered)


def has_period_length(lowered: Lowered) -> bool:
    """Say whether a lowered formula uses the length of the period."""
    match lowered:
        case PeriodDays():
            return True
        case Operated(_, left, right):
            return has_period_length(left) or has_period_length(right)
        case Unless(value) | Turned(_, value):
            return has_period_length(value)
        case _:
            return False


def leaves_of(lowered: Lowered) -> tuple[Leaf, ...]:
    """Give the leaves of a lowered formula."""
    match lowered:
        case Leaf():
            return (lowered,)
        case Operated(_, left, right):
            return (*leaves_of(left), *leaves_of(right))
        case Unless(value, count):
            return (*leaves_of(value), count)
        case Turned(_, value):
            return leaves_of(value)
        case _:
            return ()


def sets_groups_apart(lowered: Lowered) -> bool:
    """Say whether a value ranks its group among others, or counts from the period in its key."""
    match lowered:
        case Turned(by, value):
            return isinstance(by, Tile | Until) or sets_groups_apart(value)
        case Operated(_, left, right):
            return sets_groups_apart(left) or sets_groups_apart(right)
        case Unless(value):
            return sets_groups_apart(value)
        case _:
            return False

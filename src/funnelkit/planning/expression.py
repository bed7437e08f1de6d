"""Formulas brought down to arithmetic on folded numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import assert_never

from funnelkit.formula.formulas import (
    Abs,
    Constant,
    Name,
    Positive,
    Share,
    Sqrt,
    Tile,
    Until,
)
from funnelkit.formula.values import Operator

__all__ = [
    "Leaf",
    "Length",
    "Lowered",
    "Operated",
    "Turned",
    "TurnedBy",
    "Unless",
    "has_period_length",
    "is_turned_by",
    "leaves_of",
    "show",
    "walk",
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
class Length:
    """The number of days of a period.

    Attributes:
        shift: How many periods earlier.
    """

    shift: int = 0


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


Lowered = Leaf | Constant | Length | Operated | Unless | Turned


def show(lowered: Lowered) -> str:
    """Write a lowered formula."""
    match lowered:
        case Leaf(name, shift, like_for_like):
            part = ", like for like" if like_for_like else ""
            return name if not shift else f"{name}[{-shift} periods{part}]"
        case Constant():
            return str(lowered)
        case Length(shift):
            return "period_days()" if not shift else f"period_days()[{-shift} periods]"
        case Operated(operator, left, right):
            return f"({show(left)} {operator} {show(right)})"
        case Unless(value, count, above, _):
            return f"({show(value)} unless {show(count)} > {above})"
        case Turned(by, value):
            return str(replace(by, formula=Name(show(value))))
        case _:
            assert_never(lowered)


def walk(lowered: Lowered) -> Iterator[Lowered]:
    """Give a lowered formula and every one in it, in reading order."""
    yield lowered
    match lowered:
        case Operated(_, left, right):
            yield from walk(left)
            yield from walk(right)
        case Unless(value, count):
            yield from walk(value)
            yield count
        case Turned(_, value):
            yield from walk(value)
        case _:
            return


def leaves_of(lowered: Lowered) -> tuple[Leaf, ...]:
    """Give the leaves of a lowered formula."""
    return tuple(node for node in walk(lowered) if isinstance(node, Leaf))


def has_period_length(lowered: Lowered) -> bool:
    """Say whether a lowered formula uses the length of the period."""
    return any(isinstance(node, Length) for node in walk(lowered))


def is_turned_by(lowered: Lowered, *kinds: type[TurnedBy]) -> bool:
    """Say whether a lowered formula has a node of one of the kinds that turn a value."""
    return any(isinstance(node, Turned) and isinstance(node.by, kinds) for node in walk(lowered))

"""Formulas brought down to arithmetic on folded numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import assert_never

from funnelkit.formula.formulas import Constant, Name, Transform
from funnelkit.formula.functions import function_of
from funnelkit.formula.operators import Operator

__all__ = [
    "BinaryOp",
    "Expression",
    "FoldRef",
    "NullIf",
    "PeriodLength",
    "Transformed",
    "has_period_length",
    "is_of_each_group",
    "is_turned_by",
    "leaves_of",
    "show",
    "walk",
]


@dataclass(frozen=True, slots=True)
class FoldRef:
    """One folded number.

    Attributes:
        name: The column of the answer.
        shift: How many periods earlier.
        like_for_like: Whether only the part is taken that of the present period
            is known.
        magnitude: The column of the sum of the absolute values that it adds up; empty
            where nothing is left of numbers that cancel out.
    """

    name: str
    shift: int = 0
    like_for_like: bool = False
    magnitude: str = ""

    @property
    def size(self) -> FoldRef:
        """The sum of the absolute values that it adds up; itself where that is not folded."""
        if not self.magnitude:
            return self
        return FoldRef(self.magnitude, self.shift, self.like_for_like)


@dataclass(frozen=True, slots=True)
class PeriodLength:
    """The number of days of a period.

    Attributes:
        shift: How many periods earlier.
    """

    shift: int = 0


@dataclass(frozen=True, slots=True)
class BinaryOp:
    """Arithmetic on lowered formulas."""

    operator: Operator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class NullIf:
    """A value that is null where a count is above a limit, with the reason."""

    value: Expression
    count: FoldRef
    above: int
    reason: str


@dataclass(frozen=True, slots=True)
class Transformed:
    """What a formula makes of the value of another.

    Attributes:
        by: The formula that says what is made of it.
        value: The value.
    """

    by: Transform
    value: Expression


Expression = FoldRef | Constant | PeriodLength | BinaryOp | NullIf | Transformed


def show(lowered: Expression) -> str:
    """Return the text of a lowered formula."""
    match lowered:
        case FoldRef(name, shift, like_for_like):
            part = ", like for like" if like_for_like else ""
            return name if not shift else f"{name}[{-shift} periods{part}]"
        case Constant():
            return str(lowered)
        case PeriodLength(shift):
            return "period_days()" if not shift else f"period_days()[{-shift} periods]"
        case BinaryOp(operator, left, right):
            return f"({show(left)} {operator} {show(right)})"
        case NullIf(value, count, above, _):
            return f"({show(value)} unless {show(count)} > {above})"
        case Transformed(by, value):
            return str(replace(by, formula=Name(show(value))))
        case _:
            assert_never(lowered)


def walk(lowered: Expression) -> Iterator[Expression]:
    """Return a lowered formula and every one in it, in reading order."""
    yield lowered
    match lowered:
        case BinaryOp(_, left, right):
            yield from walk(left)
            yield from walk(right)
        case NullIf(value, count):
            yield from walk(value)
            yield count
        case Transformed(_, value):
            yield from walk(value)
        case _:
            return


def leaves_of(lowered: Expression) -> tuple[FoldRef, ...]:
    """Return the leaves of a lowered formula."""
    found = [node for node in walk(lowered) if isinstance(node, FoldRef)]
    return (*found, *(node.size for node in found if node.magnitude))


def has_period_length(lowered: Expression) -> bool:
    """Return whether a lowered formula uses the length of the period."""
    return any(isinstance(node, PeriodLength) for node in walk(lowered))


def is_turned_by(lowered: Expression, *kinds: type[Transform]) -> bool:
    """Return whether a lowered formula has a node of one of the kinds that turn a value."""
    return any(
        isinstance(node, Transformed) and isinstance(node.by, kinds) for node in walk(lowered)
    )


def is_of_each_group(lowered: Expression) -> bool:
    """Return whether a lowered formula has no value for all groups together."""
    return any(
        isinstance(node, Transformed) and function_of(node.by).is_of_each_group
        for node in walk(lowered)
    )

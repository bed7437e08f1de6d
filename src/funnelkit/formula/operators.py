"""The operators of formulas: arithmetic, and how values compare."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Operator", "Relation"]


class Operator(StrEnum):
    """The four operations of arithmetic."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"

    @property
    def binds(self) -> int:
        """How tightly it binds; more is tighter."""
        return 1 if self in {Operator.ADD, Operator.SUBTRACT} else 2


class Relation(StrEnum):
    """How two values can compare."""

    EQ = "=="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="

"""The functions of formulas, and what else their text form may call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import StrEnum

from funnelkit.formula.constants import LENGTHS
from funnelkit.formula.formulas import (
    Abs,
    Cumulative,
    PeriodsToBreakEven,
    PositiveOrNull,
    QuantileBucket,
    ShareOfTotal,
    Shift,
    Sqrt,
    Transform,
)
from funnelkit.formula.reason import Reason
from funnelkit.formula.values import (
    AsOf,
    Category,
    Coalesce,
    Column,
    ConcatKey,
    Duration,
    Elapsed,
    Flag,
    Key,
    Lookup,
    Lower,
    Money,
    Quantity,
    Score,
    Time,
    Value,
    text_name,
)
from funnelkit.units import NUMBER, RATIO, Unit

__all__ = [
    "CALLS",
    "FUNCTIONS",
    "KINDS",
    "AnyApplied",
    "Function",
    "Sample",
    "function_named",
    "function_of",
]


KINDS: dict[str, type[Column]] = {
    kind.__name__.lower(): kind
    for kind in (Key, Category, Money, Quantity, Time, Duration, Score, Flag)
}


class Sample(StrEnum):
    """How the sample size of a function follows from that of its argument."""

    OF_ARGUMENT = "of_argument"
    APPLIED = "applied"
    NONE = "none"


AnyApplied = Shift | Cumulative | Transform


@dataclass(frozen=True, slots=True)
class Function:
    r"""What is known of a function of a formula; its arithmetic is in `result.transforms`.

    Attributes:
        node: Its class. The text form and the parameters are those of the class.
        unit: Its unit, or how that follows from the unit of the argument.
        latex: How it is typeset: a format of the typeset `formula` and the parameters;
            empty for its name, upright.
        reason: Why its value is null where that of its argument is not.
        adds_over_groups: Whether its values add up over groups where those of the argument do.
        keeps_counts: Whether its value is a count where that of its argument is one.
        is_whole: Whether its value is a whole number whatever the argument.
        sample: How its sample size follows from that of its argument.
        is_to_date: Whether its argument is taken over the history to date.
        is_of_each_group: Whether it has no value for all groups together.
        compares_groups: Whether the value of a group depends on the other groups.
        compares_periods: Whether the value of a period depends on other periods.
        name: Its name in the text form.
    """

    node: type[AnyApplied]
    unit: Unit | Callable[[Unit], Unit]
    latex: str = ""
    reason: Reason | None = None
    adds_over_groups: bool = False
    keeps_counts: bool = False
    is_whole: bool = False
    sample: Sample = Sample.NONE
    is_to_date: bool = False
    is_of_each_group: bool = False
    compares_groups: bool = False
    compares_periods: bool = False
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", text_name(self.node))

    @property
    def keywords(self) -> frozenset[str]:
        """The parameters that are given by keyword."""
        return frozenset(entry.name for entry in fields(self.node) if entry.kw_only)

    def takes(self, count: int) -> bool:
        """Return whether so many arguments may be given by position."""
        return count <= sum(not entry.kw_only for entry in fields(self.node))

    def to_latex(self, formula: AnyApplied, argument: str) -> str:
        """Typeset a formula of this function, given its typeset argument."""
        word = self.name.replace("_", r"\_")
        layout = self.latex or rf"\mathrm{{{{{word}}}}}\left({{formula}}\right)"
        given = {entry.name: getattr(formula, entry.name) for entry in fields(formula)}
        return layout.format(**given | {"formula": argument})


def _same(unit: Unit) -> Unit:
    return unit


def _root(unit: Unit) -> Unit:
    return unit.root


FUNCTIONS: dict[type[AnyApplied], Function] = {
    function.node: function
    for function in (
        Function(
            Shift,
            _same,
            r"\left({formula}\right)_{{t-{periods}}}",
            adds_over_groups=True,
            keeps_counts=True,
            sample=Sample.APPLIED,
            compares_periods=True,
        ),
        Function(
            Cumulative,
            _same,
            r"\left({formula}\right)_{{\le t}}",
            adds_over_groups=True,
            keeps_counts=True,
            sample=Sample.APPLIED,
        ),
        Function(
            PositiveOrNull,
            _same,
            r"\left({formula}\right)^{{+}}",
            Reason.NOT_POSITIVE,
            keeps_counts=True,
            sample=Sample.OF_ARGUMENT,
        ),
        Function(
            Abs, _same, r"\left|{formula}\right|", keeps_counts=True, sample=Sample.OF_ARGUMENT
        ),
        Function(Sqrt, _root, r"\sqrt{{{formula}}}", Reason.NEGATIVE),
        Function(
            ShareOfTotal,
            RATIO,
            reason=Reason.EMPTY_DENOMINATOR,
            sample=Sample.OF_ARGUMENT,
            compares_groups=True,
        ),
        Function(
            QuantileBucket,
            NUMBER,
            r"\mathrm{{bucket}}_{{{parts}}}\left({formula}\right)",
            Reason.NO_ROWS,
            is_whole=True,
            is_of_each_group=True,
            compares_groups=True,
        ),
        Function(
            PeriodsToBreakEven,
            NUMBER,
            reason=Reason.NOT_REACHED,
            is_whole=True,
            is_to_date=True,
            is_of_each_group=True,
            compares_periods=True,
        ),
    )
}
"""The functions of a formula. A new one is a class, a row here and its arithmetic."""


def function_of(formula: AnyApplied) -> Function:
    """Return what is known of the function that a formula applies."""
    return FUNCTIONS[type(formula)]


def function_named(name: str) -> Function | None:
    """Return the function that the text form calls by a name; None where there is none."""
    return next((function for function in FUNCTIONS.values() if function.name == name), None)


CALLS: dict[str, tuple[Callable[..., Value] | None, int | None]] = {
    "coalesce": (Coalesce, None),
    "concat_key": (ConcatKey, None),
    "elapsed": (Elapsed, 2),
    "lookup": (Lookup, 2),
    "lower": (Lower, 1),
    "as_of": (AsOf, 0),
    "if_else": (None, 3),
    "date": (None, 1),
    **dict.fromkeys(LENGTHS, (None, 1)),
}

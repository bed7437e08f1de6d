"""How a column that was not supplied is derived from those that were.

A rule is a value or predicate of the same row (with lookups in parents), or
one of the nodes below. Rules are data: each engine carries them out.
"""

from __future__ import annotations

from dataclasses import dataclass

from funnelkit.formula.formulas import Aggregate, Count
from funnelkit.formula.properties import columns_of
from funnelkit.formula.table import Rows
from funnelkit.formula.values import Column, Lookup, Predicate, Scalar, Value
from funnelkit.formula.walk import leaves

__all__ = [
    "RATE_DAYS",
    "Default",
    "Everywhere",
    "FirstOver",
    "FromChildren",
    "NextOver",
    "NumberOver",
    "PeriodOf",
    "PreviousOver",
    "RateOn",
    "Rule",
    "dependencies",
]


@dataclass(frozen=True, slots=True)
class Default:
    """A constant, for a column whose absence has one safe meaning.

    Attributes:
        value: The constant.
        absent: The columns that must not be supplied for it to apply.
    """

    value: Scalar
    absent: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class FromChildren:
    """An aggregate over the rows of a finer table that point to this row.

    A row that nothing points to is a fold over no rows: sums and counts are 0.

    Attributes:
        key: The column of the finer table that points here.
        aggregate: What is folded.
        above: If given, the rule says whether the aggregate is above it.
        everywhere: If given, what every row that points here must satisfy; where
            one does not, or none points here, the value is null.
    """

    key: Column
    aggregate: Aggregate
    above: int | None = None
    everywhere: Predicate | None = None

    @property
    def says_any(self) -> bool:
        """Whether its only condition is that some row points here."""
        counts_rows = isinstance(self.aggregate, Count) and isinstance(self.aggregate.rows, Rows)
        return self.above == 0 and counts_rows and self.everywhere is None


@dataclass(frozen=True, slots=True)
class Everywhere:
    """True where rows of a finer table point here and all of them satisfy a predicate."""

    key: Column
    predicate: Predicate


@dataclass(frozen=True, slots=True)
class NumberOver:
    """The row's number, from 1, among the rows of one key in order of time.

    Attributes:
        key: Whose rows are numbered.
        order: The columns that order them; ties are settled by the later ones.
        where: Which rows are numbered; the others are null.
    """

    key: Column
    order: tuple[Column, ...]
    where: Predicate


@dataclass(frozen=True, slots=True)
class FirstOver:
    """The earliest of the times of one key among its rows that satisfy a predicate."""

    key: Column
    value: Column
    where: Predicate


@dataclass(frozen=True, slots=True)
class PreviousOver:
    """The value of a column in the row before, among those of one key, in order of time."""

    key: Column
    value: Column
    order: tuple[Column, ...]
    where: Predicate


@dataclass(frozen=True, slots=True)
class NextOver:
    """The value of a column in the row after, among those of one key, in order of time."""

    key: Column
    value: Column
    order: tuple[Column, ...]
    where: Predicate


@dataclass(frozen=True, slots=True)
class PeriodOf:
    """The period of the question in which a time lies: something to group by, and no more."""

    time: Column


RATE_DAYS = 7
"""For how many days after its own a rate remains valid."""


@dataclass(frozen=True, slots=True)
class RateOn:
    """What a currency was worth on a day: the last known rate that still holds.

    Attributes:
        currency: The currency.
        day: The day.
        rates: The columns of the rates: day, currency, rate.
    """

    currency: Column | Lookup
    day: Column
    rates: tuple[Column, Column, Column]


Rule = (
    Value
    | Predicate
    | Default
    | FromChildren
    | Everywhere
    | NumberOver
    | FirstOver
    | PreviousOver
    | NextOver
    | PeriodOf
    | RateOn
)


def dependencies(rule: Rule) -> tuple[Column | Lookup, ...]:
    """Return the columns and lookups that a rule reads."""
    match rule:
        case Default():
            return ()
        case FromChildren(key, aggregate, _, everywhere):
            held = () if everywhere is None else tuple(leaves(everywhere))
            return (key, *columns_of(aggregate), *held)
        case Everywhere(key, predicate):
            return (key, *leaves(predicate))
        case NumberOver(key, order, where):
            return (key, *order, *leaves(where))
        case FirstOver(key, value, where):
            return (key, value, *leaves(where))
        case PreviousOver(key, value, order, where) | NextOver(key, value, order, where):
            return (key, value, *order, *leaves(where))
        case PeriodOf(time):
            return (time,)
        case RateOn(currency, day, rates):
            return (currency, day, *rates)
        case _:
            return tuple(leaves(rule))

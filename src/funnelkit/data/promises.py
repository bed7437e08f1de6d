"""Promises about keys and about several rows, that a number rests on where it reads a column."""

from __future__ import annotations

from dataclasses import dataclass

from funnelkit.formula.values import Column, Predicate

__all__ = [
    "DailyCheck",
    "OnceCheck",
    "OneOwnerCheck",
    "Promise",
    "ScaleCheck",
    "SpellingCheck",
    "StandInCheck",
    "WithinCheck",
]


@dataclass(frozen=True, slots=True)
class StandInCheck:
    """A promise that a key names one of many, and never stands in for those that are not known.

    Attributes:
        column: The key.
        words: Texts, in lower case, that name nobody.
        numbers: Whole numbers that name nobody where they are frequent.
        enough: In how many rows a number must be to be told from one that was given out.
    """

    column: Column
    words: tuple[str, ...]
    numbers: tuple[int, ...]
    enough: int


@dataclass(frozen=True, slots=True)
class SpellingCheck:
    """A promise that texts of a key that differ in case alone are not meant to be one.

    Attributes:
        column: The key.
        remedy: What to do about it.
    """

    column: Column
    remedy: str


@dataclass(frozen=True, slots=True)
class OneOwnerCheck:
    """A promise that all rows of a key are of one owner: an oddity otherwise.

    Attributes:
        column: The key.
        owner: Whose the rows are.
        problem: What is wrong with a key of several owners.
        remedy: What to do about it.
    """

    column: Column
    owner: Column
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class OnceCheck:
    """A promise that of the rows of a key at most one is of a kind.

    Attributes:
        column: The key.
        where: Which rows are of the kind.
        read_with: The column of which numbers are wrong where it is broken.
        problem: What is wrong with a key of several such rows.
        remedy: What to do about it.
    """

    column: Column
    where: Predicate
    read_with: Column
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class WithinCheck:
    """A promise that an amount does not hold a part that is told apart from it in finer rows.

    Attributes:
        column: The amount.
        key: The column of the finer table that points to its row.
        value: The worth of a finer row, and the columns that it is the product of.
        inside: Which finer rows make up the amount.
        outside: Which finer rows do not.
        problem: What is wrong with an amount that is the sum of both.
        remedy: What to do about it.
    """

    column: Column
    key: Column
    value: tuple[Column, Column]
    inside: Predicate
    outside: Predicate
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class DailyCheck:
    """A promise that a table has at most one row of each of its entities on a day.

    Attributes:
        column: The time of the rows.
        problem: What is wrong with several rows on a day.
        remedy: What to do about it.
    """

    column: Column
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ScaleCheck:
    """A promise that values of a kind are on one scale, where a fold does not look at the scale.

    Attributes:
        column: The scale.
        kind: Which rows are of the kind, as folds say it.
        value: The value.
        scale: What the scale must be.
        problem: What is wrong with another.
        remedy: What to do about it.
    """

    column: Column
    kind: Predicate
    value: Column
    scale: int
    problem: str
    remedy: str

    @property
    def broken(self) -> Predicate:
        """Which rows break it."""
        return self.kind & self.column.ne(self.scale)


Promise = (
    StandInCheck | SpellingCheck | OneOwnerCheck | OnceCheck | WithinCheck | DailyCheck | ScaleCheck
)

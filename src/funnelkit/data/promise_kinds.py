"""Promises about keys and about several rows, that a number rests on where it reads a column."""

from __future__ import annotations

from dataclasses import dataclass

from funnelkit.data.findings import Finding, Severity
from funnelkit.formula.values import Column, Predicate

__all__ = [
    "AboveCheck",
    "DailyCheck",
    "DayCheck",
    "DeadlineCheck",
    "OnceCheck",
    "OneOwnerCheck",
    "OwnRateCheck",
    "Promise",
    "ScaleCheck",
    "SignCheck",
    "SpellingCheck",
    "SpreadsheetCheck",
    "StandInCheck",
    "TotalCheck",
]


_FREQUENT = "is in far more rows than any other"


@dataclass(frozen=True, slots=True)
class StandInCheck:
    """A promise that a key names one of many, and never stands in for those that are not known.

    Attributes:
        column: The key.
        words: Texts that name nobody, in any case, their words joined in any way.
        never: Whole numbers that name nobody.
        numbers: Whole numbers that name nobody where they are frequent.
        enough: In how many rows a number must be to be told from one that was given out.
        times: By how much it must outdo the others to be taken for a stand-in.
        doubtful: By how much it must outdo the others to be odd.
    """

    column: Column
    words: tuple[str, ...]
    never: tuple[int, ...]
    numbers: tuple[int, ...]
    enough: int
    times: int
    doubtful: int

    @property
    def word(self) -> Finding:
        """What is wrong with a word that names nobody."""
        return self._finding(f"names one {self._unit}", "is a word for nobody", Severity.ERROR)

    @property
    def number(self) -> Finding:
        """What is wrong with a number for nobody that is in enough rows."""
        numbers = " or ".join(map(str, self.numbers))
        return self._finding(
            f"names one {self._unit}, also where it is {numbers}", _FREQUENT, Severity.ERROR
        )

    @property
    def frequent(self) -> Finding:
        """What is odd about a key in too many rows, be it a number for nobody in few."""
        return self._finding("is in a plausible share of the rows", _FREQUENT, Severity.WARNING)

    @property
    def _unit(self) -> str:
        return self.column.unit.label

    def _finding(self, promise: str, problem: str, severity: Severity) -> Finding:
        name = f"pl.col({self.column.name!r})"
        told = f"{problem}, and is counted as one {self._unit}"
        remedy = f"make it null: pl.when(~{name}.is_in({{keys!r}})).then({name})"
        return Finding(promise, told, remedy, severity)


@dataclass(frozen=True, slots=True)
class SpellingCheck:
    """A promise that texts of a key that differ in case alone are not meant to be one.

    Attributes:
        column: The key.
        remedy: What to do about it.
        holds: What a text must hold for that to be promised; empty for any.
    """

    column: Column
    remedy: str
    holds: str = ""

    @property
    def cases(self) -> Finding:
        """What is wrong with a key that is written in several ways."""
        problem = "is written in capital and in small letters, and counted as several"
        return Finding("is written in one way", problem, self.remedy)

    @property
    def address(self) -> Finding | None:
        """What is odd about a key that is an address itself, and should be a hash."""
        if self.holds:
            return None
        problem = "is an e-mail address in plain text"
        return Finding("is a hash", problem, self.remedy, Severity.WARNING)


@dataclass(frozen=True, slots=True)
class SpreadsheetCheck:
    """A promise that ids are texts as they were given out, not what a spreadsheet made of them.

    Attributes:
        column: The key.
    """

    column: Column

    @property
    def rounded(self) -> Finding:
        """What is wrong with an id that was written as a rounded number."""
        return Finding(
            "is no rounded number",
            "is a number that a spreadsheet has rounded: several ids are now the same",
            "export the ids anew, as text: format the column as text before it is filled",
        )

    @property
    def decimal(self) -> Finding:
        """What is wrong with an id that was written as a decimal number."""
        return Finding(
            "has no decimals",
            "is a whole number with decimals, and matches no id without them",
            f"remove them: pl.col({self.column.name!r}).str.replace(r'[.,]00?$', '')",
        )

    @property
    def zeros(self) -> Finding:
        """What is odd about an id that is there with and without zeros before it."""
        return Finding(
            "is always written with as many digits",
            "is there with and without zeros before it, and counted as several",
            "if they are one, a spreadsheet has removed the zeros: export the ids as text, or"
            f" remove all of them: pl.col({self.column.name!r}).str.strip_chars_start('0')",
            Severity.WARNING,
        )


@dataclass(frozen=True, slots=True)
class OneOwnerCheck:
    """A promise that all rows of a key are of one owner: an oddity otherwise.

    Attributes:
        column: The key.
        owner: Whose the rows are.
        finding: What is promised, and what is odd about a key of several owners.
    """

    column: Column
    owner: Column
    finding: Finding


@dataclass(frozen=True, slots=True)
class OnceCheck:
    """A promise that of the rows of a key at most one is of a kind.

    Attributes:
        column: The key.
        where: Which rows are of the kind.
        read_with: The column of which numbers are wrong where it is broken.
        finding: What is promised, and what is wrong with a key of several such rows.
    """

    column: Column
    where: Predicate
    read_with: Column
    finding: Finding


@dataclass(frozen=True, slots=True)
class TotalCheck:
    """A promise that an amount is the sum of the finer rows that make it up, but for roundings.

    Attributes:
        column: The amount.
        key: The column of the finer table that points to its row.
        value: The columns that the worth of a finer row is the product of.
        inside: Which finer rows make up the amount.
        outside: Which do not, and are told apart from it.
        within: What is promised, and what is odd about an amount that is the sum of both.
        total: What is promised, and what is odd about another amount.
    """

    column: Column
    key: Column
    value: tuple[Column, Column]
    inside: Predicate
    outside: Predicate
    within: Finding
    total: Finding


@dataclass(frozen=True, slots=True)
class DailyCheck:
    """A promise that a table has at most one row of each of its entities on a day.

    Attributes:
        column: The time of the rows.
        finding: What is promised, and what is wrong with several rows on a day.
    """

    column: Column
    finding: Finding


@dataclass(frozen=True, slots=True)
class DayCheck:
    """A promise that days are not written as midnights of UTC, which may lie in the day before.

    Attributes:
        column: The days.
        finding: What is promised, and what is wrong with such midnights.
    """

    column: Column
    finding: Finding


@dataclass(frozen=True, slots=True)
class DeadlineCheck:
    """A promise that deadlines which are days are dates: a midnight leaves out the day itself.

    Attributes:
        column: The deadlines.
        beside: The times that have to keep them.
        finding: What is promised, and what is wrong with midnights.
    """

    column: Column
    beside: Column
    finding: Finding


@dataclass(frozen=True, slots=True)
class ScaleCheck:
    """A promise that values of a kind are on one scale, where a fold does not look at the scale.

    Attributes:
        column: The scale.
        kind: Which rows are of the kind, as folds say it.
        value: The value.
        scale: What the scale must be.
        finding: What is promised, and what is wrong with another.
    """

    column: Column
    kind: Predicate
    value: Column
    scale: int
    finding: Finding

    @property
    def broken(self) -> Predicate:
        """Which rows break it."""
        return self.kind & self.column.ne(self.scale)


@dataclass(frozen=True, slots=True)
class AboveCheck:
    """A promise that an amount is not above one of the row that it points to, as both were paid.

    Attributes:
        column: The amount.
        key: The column that points to the other row.
        limit: The amount there.
        finding: What is promised, and what is odd about an amount that is above.
    """

    column: Column
    key: Column
    limit: Column
    finding: Finding


@dataclass(frozen=True, slots=True)
class SignCheck:
    """A promise that an amount which is subtracted is not below zero as a rule.

    Attributes:
        column: The amount.
        finding: What is promised, and what is wrong with one that is below zero more often.
    """

    column: Column
    finding: Finding


@dataclass(frozen=True, slots=True)
class OwnRateCheck:
    """A promise that one unit of the shop's own currency is worth one.

    Attributes:
        column: The rate.
        currency: Of which currency it is.
        finding: What is promised, and what is wrong with another rate.
    """

    column: Column
    currency: Column
    finding: Finding


Promise = (
    AboveCheck
    | DailyCheck
    | DayCheck
    | DeadlineCheck
    | OnceCheck
    | OneOwnerCheck
    | OwnRateCheck
    | ScaleCheck
    | SignCheck
    | SpellingCheck
    | SpreadsheetCheck
    | StandInCheck
    | TotalCheck
)

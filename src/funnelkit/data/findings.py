"""What may be found wrong with data, in words, and what every table must keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

__all__ = [
    "COLUMN_NAMED",
    "CURRENCY_KNOWN",
    "CURRENCY_NAMED",
    "CURRENCY_OWN",
    "CURRENCY_RATED",
    "CURRENCY_SINGLE",
    "CURRENCY_SPELT",
    "EVERY_TABLE",
    "KEY_KNOWN",
    "KEY_SUPPLIED",
    "KEY_UNIQUE",
    "KEY_WHOLE",
    "MONEY_PRECISE",
    "NUMBER_FINITE",
    "PARENT_BOUND",
    "TEXT_PADDED",
    "TEXT_WRITTEN",
    "TIME_KNOWN",
    "TIME_PAST",
    "TIME_WRITTEN",
    "Finding",
    "Severity",
]


class Severity(StrEnum):
    """The effect of a failed check: an error prevents a number, a warning accompanies it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise about a column, and how it is found to be broken.

    Attributes:
        promise: What must hold of the column.
        problem: What is wrong with it where that does not hold.
        remedy: What to do about it.
        severity: Whether numbers are refused because of it.
    """

    promise: str
    problem: str
    remedy: str
    severity: Severity = Severity.ERROR

    def about(self, **names: object) -> Finding:
        """Return the finding with what it names in braces."""
        problem, remedy = self.problem.format(**names), self.remedy.format(**names)
        return replace(self, problem=problem, remedy=remedy)


_LOOK = "look where it comes from"

KEY_KNOWN = Finding(
    "is known", "is null, and identifies the row", "drop those rows or give them ids"
)
KEY_UNIQUE = Finding(
    "is unique",
    "is not unique: a key is repeated",
    "remove the repeated rows, or they would be counted twice",
)
KEY_SUPPLIED = Finding(
    "is supplied",
    "is not supplied, so that repeated rows would be counted again",
    "supply it, or make sure that no row is there twice",
    Severity.WARNING,
)
KEY_WHOLE = Finding(
    "is supplied whole",
    "is not supplied, and {key} repeats without it",
    KEY_SUPPLIED.remedy,
    Severity.WARNING,
)
TIME_KNOWN = Finding(
    "is known",
    "is null, so that the row is in no period",
    "fill it, or leave those rows out",
    Severity.WARNING,
)
TIME_PAST = Finding(
    "is not after today in a row that counts, or as_of= is given",
    "lies after today",
    "correct the time, or say what is known: as_of=",
)
TIME_WRITTEN = Finding(
    "is known",
    "lies on 1 January 1970 or before, as unknown times are often written",
    "make it null where it is unknown",
    Severity.WARNING,
)
PARENT_BOUND = Finding(
    "points to a row of its table",
    "points to no row of {parent}",
    "supply the {parent} too",
    Severity.WARNING,
)
NUMBER_FINITE = Finding(
    "is finite", "is NaN or infinite, and read as null", _LOOK, Severity.WARNING
)
TEXT_WRITTEN = Finding(
    "is not blank", "is an empty text, and read as null", _LOOK, Severity.WARNING
)
MONEY_PRECISE = Finding(
    "is stored with more than seven digits",
    "is stored as 32-bit floats, which keep seven digits: 29.99 is read as 29.98999977",
    "supply 64-bit floats or decimals from where it comes",
    Severity.WARNING,
)
TEXT_PADDED = Finding(
    "has no blanks around it",
    "has blanks around it, and is read without them",
    _LOOK,
    Severity.WARNING,
)
CURRENCY_SINGLE = Finding(
    "is one, or there are rates",
    "is mixed, and there are no rates",
    "bind exchange_rates, or fx_rate",
)
CURRENCY_SPELT = Finding(
    "is written in one way",
    "is written in several ways, each of which is read as a currency of its own",
    "write it in one way, such as pl.col({currency!r}).str.strip_chars().str.to_uppercase(),"
    " and fk.Shop(currency=…) too",
)
CURRENCY_OWN = Finding(
    "is that of the shop, or there are rates",
    "is not that of the shop, and there are no rates",
    "bind exchange_rates, or pass the currency of the data: fk.Shop(currency=…)",
)
COLUMN_NAMED = Finding(
    "is bound under its name",
    "is not supplied, but {other!r} is, which is not read",
    "rename it: rename={{{table!r}: {{{other!r}: {column!r}}}}}",
    Severity.WARNING,
)
CURRENCY_KNOWN = Finding(
    "is known, or is in no row",
    "is null in some rows, and known in others",
    "fill it, or filter by it",
)
CURRENCY_RATED = Finding(
    "has a rate, where there are rates",
    "has no rate on the day of the row or in the week before",
    "supply the rate, or leave those rows out",
)
CURRENCY_NAMED = Finding(
    "is bound under this name",
    "is not supplied, but {other!r} is: amounts are taken to be of one {currency}",
    "rename it: rename={{{table!r}: {{{other!r}: {currency!r}}}}}",
    Severity.WARNING,
)

EVERY_TABLE: Mapping[str, tuple[Finding, ...]] = {
    "every column": (COLUMN_NAMED,),
    "the key of the rows": (KEY_KNOWN, KEY_UNIQUE, KEY_SUPPLIED, KEY_WHOLE),
    "the time of the rows": (TIME_KNOWN,),
    "a time that tells up to when the data is known": (TIME_PAST, TIME_WRITTEN),
    "a key of another table": (PARENT_BOUND,),
    "a key of text": (TEXT_WRITTEN, TEXT_PADDED),
    "a number": (NUMBER_FINITE,),
    "an amount": (MONEY_PRECISE,),
    "the currency": (
        CURRENCY_SINGLE,
        CURRENCY_SPELT,
        CURRENCY_OWN,
        CURRENCY_KNOWN,
        CURRENCY_RATED,
        CURRENCY_NAMED,
    ),
}
"""What holds of columns by what they are, whatever the table."""

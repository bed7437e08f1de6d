"""Every error and warning of funnelkit.

Each error is also the built-in exception that Python programmers expect, carries its
details as attributes, survives pickling, and builds its own message: what is
wrong, with which value, where, and what to do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import wraps
from typing import ParamSpec, TypeVar

__all__ = [
    "ContractError",
    "DataError",
    "DataIssue",
    "DefinitionError",
    "FunnelkitError",
    "MissingInputError",
    "MissingPackageError",
    "PluginWarning",
    "TruncatedHistoryWarning",
    "UncomparedDialectWarning",
    "UnitError",
    "UnknownNameError",
    "UnsupportedError",
    "with_short_traceback",
]


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return up to three known names that look like `name` or contain it, best first."""
    names = list(known)
    close = get_close_matches(name, names, n=3, cutoff=0.6)
    lower = name.lower()
    return tuple(close or [one for one in names if len(lower) > 2 and lower in one.lower()][:3])


def rows_text(count: int) -> str:
    """Return a number of rows as a message says it."""
    return f"{count:,} row{'' if count == 1 else 's'}"


def shortened(thing: object, *, most: int = 60) -> str:
    """Return a value as text short enough for a message."""
    text = str(thing)
    return text if len(text) <= most else text[: most - 1] + "…"


class FunnelkitError(Exception):
    """Base of every error that funnelkit raises on purpose."""


class DefinitionError(FunnelkitError, ValueError):
    """A table, formula, metric or question is invalid or contradicts itself.

    Attributes:
        problem: What is wrong, with the value.
        remedy: What to do about it.
        position: For text, the column (from 0) at which it stopped making sense.
    """

    def __init__(self, problem: str, remedy: str = "", position: int | None = None) -> None:
        super().__init__(problem, remedy, position)
        self.problem = problem
        self.remedy = remedy
        self.position = position

    def __str__(self) -> str:
        where = "" if self.position is None else f" (at column {self.position})"
        return f"{self.problem}{where}" + (f"; {self.remedy}" if self.remedy else "")


class UnitError(DefinitionError):
    """Two units are incompatible.

    Attributes:
        left: The unit found on the left, or declared.
        right: The unit found on the right, or derived.
    """

    def __init__(self, context: str, left: str, right: str) -> None:
        super().__init__(f"{context}: {left} and {right} do not fit together")
        self.args = (context, left, right)
        self.context = context
        self.left = left
        self.right = right


class UnknownNameError(FunnelkitError, LookupError):
    """A name is unknown.

    Attributes:
        kind: What was looked up: "metric", "table", "dimension", …
        name: The unknown name.
        nearest: Known names that look like it, best first.
        known: Every name that would have been accepted.
    """

    def __init__(self, kind: str, name: str, known: Sequence[str] = (), remedy: str = "") -> None:
        super().__init__(kind, name, tuple(known), remedy)
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        self.nearest = nearest(name, known)
        self.remedy = remedy

    def __str__(self) -> str:
        text = f"there is no {self.kind} named {shortened(self.name)!r}"
        if self.nearest:
            text += "; did you mean " + " or ".join(repr(n) for n in self.nearest) + "?"
        elif self.known and len(self.known) <= 20:
            text += "; known: " + ", ".join(self.known)
        return text + (f" ({self.remedy})" if self.remedy else "")


class DataError(FunnelkitError, ValueError):
    """The requested number cannot be computed from the data.

    Attributes:
        problem: What is wrong, where, and with which value.
        remedy: What to do about it.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return self.problem + (f"; {self.remedy}" if self.remedy else "")


class MissingInputError(DataError):
    """Tables or columns that the requested metrics need are not bound.

    Attributes:
        missing: Each missing input, `"table"` or `"table.column"`, with the
            metrics that need it.
        hints: For some of them, the columns found that look alike.
    """

    def __init__(
        self, missing: Mapping[str, Sequence[str]], hints: Mapping[str, str] | None = None
    ) -> None:
        self.missing = {name: tuple(wanted) for name, wanted in missing.items()}
        self.hints = dict(hints or {})
        lines = [
            f"  {name}: needed by {some(wanted)}"
            + (f" ({self.hints[name]})" if name in self.hints else "")
            for name, wanted in self.missing.items()
        ]
        super().__init__(
            "inputs are missing:\n" + "\n".join(lines),
            "bind them in fk.Shop(…), rename columns with rename=, or list tables that are "
            "truly empty in assume_empty=",
        )
        self.args = (self.missing, self.hints)

    def __str__(self) -> str:
        return f"{self.problem}\n{self.remedy}"


@dataclass(frozen=True, slots=True)
class DataIssue:
    """One problem with one bound table.

    Attributes:
        table: The canonical table.
        column: The column, or an empty string for the table as a whole.
        problem: What was found and what is expected.
        remedy: What to do about it.
    """

    table: str
    column: str
    problem: str
    remedy: str = ""

    def __str__(self) -> str:
        place = f"{self.table}.{self.column}" if self.column else self.table
        return f"{place}: {self.problem}" + (f"; {self.remedy}" if self.remedy else "")


class ContractError(DataError):
    """The data fails a check that a number depends on.

    Attributes:
        faults: Every issue that was found, not only the first.
    """

    def __init__(self, faults: Sequence[DataIssue]) -> None:
        self.faults = tuple(faults)
        many = f"{len(self.faults)} problems in the data:\n  " if len(self.faults) > 1 else ""
        super().__init__(many + "\n  ".join(str(fault) for fault in self.faults))
        self.args = (self.faults,)


class UnsupportedError(FunnelkitError, NotImplementedError):
    """Something is well defined but not supported, in this place or at all.

    Attributes:
        what: What was requested.
        why: Why it cannot be done, and what can.
    """

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what, why)
        self.what = what
        self.why = why

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


class MissingPackageError(FunnelkitError, ImportError):
    """An optional package is required but not installed.

    Attributes:
        package: The package.
        extra: The extra of funnelkit that installs it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(package, extra)
        self.package = package
        self.extra = extra

    def __str__(self) -> str:
        return f"{self.package} is not installed; pip install 'funnelkit[{self.extra}]'"


P = ParamSpec("P")
R = TypeVar("R")


def with_short_traceback(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function whose errors show the line that calls it, not the frames inside it.

    In development mode, `python -X dev`, every frame is shown.
    """

    @wraps(function)
    def called(*args: P.args, **options: P.kwargs) -> R:
        __tracebackhide__ = True
        try:
            return function(*args, **options)
        except FunnelkitError as error:
            if sys.flags.dev_mode:
                raise
            raise error.with_traceback(None) from error.__cause__

    return called


class PluginWarning(UserWarning):
    """A plug-in cannot be loaded, or uses a name that is taken; it is skipped."""


class TruncatedHistoryWarning(UserWarning):
    """The supplied history starts inside the requested range.

    A customer whose earlier orders were not supplied looks new.
    """


class UncomparedDialectWarning(UserWarning):
    """The numbers of a dialect of SQL have not been compared with those of another engine."""


def some(names: Sequence[str], *, most: int = 4) -> str:
    """Return the first names, and how many there are more."""
    shown = ", ".join(names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")

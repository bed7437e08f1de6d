"""What is asked of a connection: what its tables look like, and statements that read them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Protocol

import polars as pl
from sqlglot import exp
from sqlglot.errors import SqlglotError

from funnelkit.engines.sql.names import quoted
from funnelkit.engines.supports import SUPPORTS
from funnelkit.errors import DataError, FunnelkitError, shortened
from funnelkit.planning.relations import Kind

__all__ = [
    "Connection",
    "Found",
    "answering",
    "binding",
    "message",
    "named_table",
    "refused",
    "registered",
]

NUMBERS = count(1)
"""The numbers of frames that are registered."""


@dataclass(frozen=True, slots=True)
class Found:
    """A column as a database reports it.

    Attributes:
        name: Its name.
        type: Its type, in the database's words.
        dtype: The type that its values have in Polars.
        exact: The kind as which its values need no cast, if any.
    """

    name: str
    type: str
    dtype: pl.DataType
    exact: Kind | None


class Connection(Protocol):
    """A connection that statements use one after the other."""

    @property
    def dialect(self) -> str:
        """The dialect of its statements."""
        ...

    def run(self, query: exp.Select) -> pl.DataFrame:
        """Return the rows of a statement.

        Raises:
            DataError: The database cannot run it; with its message.
        """
        ...

    def place(self, name: str, source: object) -> exp.Table:
        """Return where a source is.

        Args:
            name: The table that it is bound to.
            source: The name of a table, or what else can be bound there.

        Raises:
            DataError: It is none of these.
        """
        ...

    def columns(self, place: exp.Table) -> list[Found]:
        """Return the columns of a table.

        Raises:
            DataError: It cannot be read.
        """
        ...

    def names(self) -> list[str]:
        """Return the names of the tables and views of the current schema."""
        ...


def named_table(name: str, dialect: str) -> exp.Table:
    """Return the table of a name such as `schema.table`; parts in quotes may hold anything.

    Raises:
        DataError: It is not the name of a table.
    """
    try:
        parts = exp.to_table(name, dialect=dialect).parts
    except SqlglotError:
        parts = [exp.to_identifier(name)]
    if len(parts) > 3 or not all(isinstance(part, exp.Identifier) for part in parts):
        raise DataError(f"{shortened(name)!r} is not the name of a table", "write schema.table")
    names = [quoted(part.name) for part in reversed(parts)]
    return exp.Table(**dict(zip(("this", "db", "catalog"), names, strict=False)))


def registered(name: str) -> str:
    """Return a name of its own for a frame that is bound to a table."""
    return f"funnelkit_{name}_{next(NUMBERS)}"


def refused(dialect: str, error: Exception) -> DataError:
    """Return the error that a database did not run a statement, with its message."""
    return DataError(
        f"{SUPPORTS[dialect].title} could not answer: {message(error)}",
        "if tables have changed, bind the shop anew: fk.Shop.on(…)",
    )


@contextmanager
def answering(dialect: str) -> Generator[None, None, None]:
    """Raise what a database raises as an error that has its message.

    Drivers raise errors of their own, which cannot be known here.
    """
    try:
        yield
    except FunnelkitError:
        raise
    except Exception as error:  # noqa: BLE001
        raise refused(dialect, error) from None


@contextmanager
def binding(dialect: str) -> Generator[None, None, None]:
    """Raise what a database raises as an error that a table cannot be read."""
    try:
        with answering(dialect):
            yield
    except DataError as error:
        raise DataError(f"it cannot be read: {error.problem}", "check its name") from None


def message(error: Exception) -> str:
    """Return the message of a database in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return shortened(" ".join(lines) or type(error).__name__, most=300)

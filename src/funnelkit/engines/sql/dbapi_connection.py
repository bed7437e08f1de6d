"""A connection of the Python Database API, or of ADBC, to a database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import takewhile
from operator import itemgetter
from threading import RLock
from typing import Any, Protocol
from uuid import UUID

import polars as pl
from sqlglot import exp

from funnelkit.engines.sql.column_types import found_column
from funnelkit.engines.sql.connection import Found, answering, binding, named_table
from funnelkit.engines.sql.described import DESCRIBED
from funnelkit.engines.sql.dialects import WITHOUT_CLOCKS, text
from funnelkit.engines.sql.warehouses import plain_name
from funnelkit.errors import UnsupportedError

__all__ = ["DbApi", "DbApiConnection"]


class Cursor(Protocol):
    """A cursor of the Python Database API."""

    @property
    def description(self) -> Sequence[Sequence[Any]] | None:
        """The columns of the rows, each with its name first."""
        ...

    def execute(self, operation: Any, /) -> object:
        """Run a statement."""
        ...

    def fetchall(self) -> Sequence[Any]:
        """Return the rows."""
        ...

    def close(self) -> object:
        """Close the cursor."""
        ...


class DbApi(Protocol):
    """A connection of the Python Database API 2.0."""

    def cursor(self) -> Any:
        """Return a cursor."""
        ...

    def rollback(self) -> object:
        """End the transaction."""
        ...


@dataclass(frozen=True, slots=True)
class DbApiConnection:
    """A connection that statements use one after the other; see `Connection`.

    Attributes:
        connection: The connection.
        dialect: The dialect of its statements.
        percent: How its driver is given a percent sign: some read one as the place of a
            parameter, even where there are none.
        lock: Held while a statement runs.
    """

    connection: DbApi
    dialect: str
    percent: str = "%"
    lock: RLock = field(default_factory=RLock)

    @classmethod
    def of(cls, given: DbApi, dialect: str) -> DbApiConnection:
        """Return a connection that was given.

        Raises:
            DataError: It cannot be used.
        """
        # psycopg prepares what is run often, and a plan that is kept does not see a changed table
        if hasattr(given, "prepare_threshold"):
            driver: Any = given
            driver.prepare_threshold = None
        connection = cls(given, dialect)
        _, [(shown,)] = connection._fetch("SELECT '%%'")
        return replace(connection, percent="%%" if shown == "%" else "%")

    def run(self, query: exp.Select) -> pl.DataFrame:
        """Return the rows of a statement; see `Connection.run`."""
        names, rows = self._fetch(text(query, self.dialect))
        # some databases, and drivers, change the case of names
        names = names if query.is_star else query.named_selects
        columns = zip(*rows, strict=True) if rows else ((),) * len(names)
        with answering(self.dialect):
            found = pl.DataFrame(
                [_series(name, column) for name, column in zip(names, columns, strict=True)]
            )
            if self.dialect in WITHOUT_CLOCKS:
                local = pl.selectors.datetime(time_zone=None)
                found = found.with_columns(local.dt.replace_time_zone("UTC"))
            return found

    def place(self, name: str, source: object) -> exp.Table:
        """Return the table of a name; frames are not sent to the database.

        Raises:
            UnsupportedError: It is not a name.
        """
        if isinstance(source, str):
            return named_table(source, self.dialect)
        raise UnsupportedError(
            f"{name} bound to a {type(source).__name__}",
            "nothing is written to the database; load it as a table, and bind its name",
        )

    def columns(self, place: exp.Table) -> list[Found]:
        """Return the columns of a table; see `Connection.columns`."""
        with binding(self.dialect):
            self._fetch(text(exp.select("*").from_(place).limit(0), self.dialect))
            _, rows = self._fetch(DESCRIBED[self.dialect].columns(place))
        # what follows the columns has no type
        columns = takewhile(itemgetter(1), rows)
        return [
            found_column(plain_name(name, self.dialect), kind, self.dialect)
            for name, kind, *_ in columns
        ]

    def names(self) -> list[str]:
        """Return the names of the tables and views of the current schema."""
        described = DESCRIBED[self.dialect]
        found = (row[described.name] for row in self._fetch(described.tables)[1])
        return sorted(plain_name(name, self.dialect) for name in found)

    def _fetch(self, statement: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows; nothing is left open behind."""
        with self.lock, answering(self.dialect):
            cursor: Cursor = self.connection.cursor()
            try:
                cursor.execute(statement.replace("%", self.percent))
                rows = [tuple(row) for row in cursor.fetchall()]
                return [str(column[0]) for column in cursor.description or ()], rows
            finally:
                for end in (cursor.close, self.connection.rollback):
                    with suppress(Exception):
                        end()


def _series(name: str, values: Iterable[Any]) -> pl.Series:
    """Return a column of values as drivers give them."""
    return pl.Series(name, list(map(_plain, values)), strict=False)


def _plain(value: Any) -> Any:
    match value:
        case dt.datetime(tzinfo=dt.tzinfo()):
            # each may have an offset of its own
            return value.astimezone(dt.UTC)
        case memoryview():
            return value.tobytes()
        case UUID():
            return str(value)
        case _:
            return value

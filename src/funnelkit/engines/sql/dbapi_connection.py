"""A connection of the Python Database API to PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, Protocol

import polars as pl
from sqlglot import exp

from funnelkit.engines.sql.connection import Found, answering, binding, named_table
from funnelkit.engines.sql.dialects import text
from funnelkit.engines.sql.names import quoted_column, quoted_table
from funnelkit.errors import UnsupportedError
from funnelkit.planning.relations import Kind

__all__ = ["DbApi", "DbApiConnection"]

_DTYPES: Mapping[str, pl.DataType] = {
    "smallint": pl.Int16(),
    "integer": pl.Int32(),
    "bigint": pl.Int64(),
    "real": pl.Float32(),
    "double precision": pl.Float64(),
    "numeric": pl.Float64(),
    "text": pl.String(),
    "character varying": pl.String(),
    "character": pl.String(),
    "bpchar": pl.String(),
    "name": pl.String(),
    "uuid": pl.String(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "time without time zone": pl.Time(),
    "interval": pl.Duration("us"),
    "timestamp without time zone": pl.Datetime("us"),
    "timestamp with time zone": pl.Datetime("us", "UTC"),
}
"""The types of values by the types of PostgreSQL; all others are only compared with each other."""

_EXACT: Mapping[str, Kind] = {
    "bigint": "int",
    "double precision": "float",
    "text": "str",
    "character varying": "str",
    "boolean": "bool",
    "date": "day",
    "timestamp without time zone": "local",
    "timestamp with time zone": "instant",
}
"""The types that need no cast."""


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

    prepare_threshold: int | None

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
        lock: Held while a statement runs.
    """

    connection: DbApi
    dialect: str
    lock: RLock = field(default_factory=RLock)

    def __post_init__(self) -> None:
        # psycopg prepares what is run often, and a plan that is kept does not see a changed table
        if hasattr(self.connection, "prepare_threshold"):
            self.connection.prepare_threshold = None

    def run(self, query: exp.Select) -> pl.DataFrame:
        """Return the rows of a statement; see `Connection.run`."""
        names, rows = self._fetch(text(query, self.dialect))
        columns = zip(*rows, strict=True) if rows else ((),) * len(names)
        with answering(self.dialect):
            return pl.DataFrame(
                [pl.Series(n, c, strict=False) for n, c in zip(names, columns, strict=True)]
            )

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
            _, rows = self._fetch(text(_described(place), self.dialect))
        return [
            Found(name, kind, pl.String() if is_enum else _dtype(kind), _EXACT.get(kind))
            for name, kind, is_enum in rows
        ]

    def names(self) -> list[str]:
        """Return the names of the tables and views of the current schema."""
        _, rows = self._fetch(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_catalog = current_database() AND table_schema = current_schema()"
        )
        return sorted(name for (name,) in rows)

    def _fetch(self, statement: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows; nothing is left open behind."""
        with self.lock, answering(self.dialect):
            cursor: Cursor = self.connection.cursor()
            try:
                cursor.execute(statement)
                rows = [tuple(row) for row in cursor.fetchall()]
                return [str(column[0]) for column in cursor.description or ()], rows
            finally:
                cursor.close()
                with suppress(Exception):
                    self.connection.rollback()


def _dtype(kind: str) -> pl.DataType:
    return _DTYPES.get(kind, pl.Binary())


def _described(place: exp.Table) -> exp.Select:
    """Return the statement that reads the names and types of the columns of a table."""
    name = exp.Literal.string(place.sql("postgres"))
    attribute, kind = quoted_table("pg_attribute"), quoted_table("pg_type")

    def column(of: str) -> exp.Column:
        return quoted_column(of, "pg_attribute")

    def call(function: str, *args: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this=function, expressions=list(args))

    shown = call("FORMAT_TYPE", column("atttypid"), exp.Null())
    is_enum = exp.EQ(this=quoted_column("typtype", "pg_type"), expression=exp.Literal.string("e"))
    same = exp.EQ(this=quoted_column("oid", "pg_type"), expression=column("atttypid"))
    return (
        exp.select(exp.cast(column("attname"), "text"), shown, is_enum)
        .from_(attribute)
        .join(kind, on=same)
        .where(exp.EQ(this=column("attrelid"), expression=call("TO_REGCLASS", name)))
        .where(exp.GT(this=column("attnum"), expression=exp.Literal.number(0)))
        .where(exp.Not(this=column("attisdropped")))
        .order_by(column("attnum"))
    )

"""A connection to DuckDB: what its tables look like, and statements that read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import RLock

import duckdb
import polars as pl
from sqlglot import exp
from sqlglot.errors import SqlglotError

from funnelkit.data.sources import SupportsArrow
from funnelkit.engines.sql.dialects import text
from funnelkit.engines.sql.names import quoted, quoted_table
from funnelkit.errors import DataError, shortened

__all__ = ["Connection", "Found"]

NUMBERS = count(1)
"""The numbers of frames that are registered."""

_DTYPES: Mapping[str, pl.DataType] = {
    "tinyint": pl.Int8(),
    "smallint": pl.Int16(),
    "integer": pl.Int32(),
    "bigint": pl.Int64(),
    "hugeint": pl.Int128(),
    "utinyint": pl.UInt8(),
    "usmallint": pl.UInt16(),
    "uinteger": pl.UInt32(),
    "ubigint": pl.UInt64(),
    "uhugeint": pl.UInt128(),
    "float": pl.Float32(),
    "double": pl.Float64(),
    "decimal": pl.Decimal(38, 9),
    "varchar": pl.String(),
    "enum": pl.String(),
    "uuid": pl.String(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "time": pl.Time(),
    "time_ns": pl.Time(),
    "interval": pl.Duration("us"),
    "timestamp": pl.Datetime("us"),
    "timestamp_s": pl.Datetime("us"),
    "timestamp_ms": pl.Datetime("us"),
    "timestamp_ns": pl.Datetime("us"),
    "timestamp with time zone": pl.Datetime("us", "UTC"),
    "timestamptz_ns": pl.Datetime("us", "UTC"),
    "null": pl.Null(),
}
"""The types of values by the types of DuckDB; all others are only compared with each other."""


@dataclass(frozen=True, slots=True)
class Found:
    """A column as a database reports it.

    Attributes:
        name: Its name.
        type: Its type, in the database's words.
        dtype: The type that its values have in Polars.
    """

    name: str
    type: str
    dtype: pl.DataType


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that statements use one after the other.

    Attributes:
        connection: The connection.
        lock: Held while a statement runs.
    """

    connection: duckdb.DuckDBPyConnection
    lock: RLock = field(default_factory=RLock)

    @classmethod
    def of(cls, given: duckdb.DuckDBPyConnection | str | Path) -> Connection:
        """Return a connection that was given, or one to a database that only reads it."""
        if not isinstance(given, str | Path):
            return cls(given)
        try:
            return cls(duckdb.connect(str(given), read_only=True))
        except duckdb.Error as error:
            raise DataError(f"{str(given)!r} cannot be opened: {_message(error)}") from None

    def run(self, query: exp.Select) -> pl.DataFrame:
        """Return the rows of a statement; see `read`."""
        return self.read(text(query, "duckdb"))

    def read(self, statement: str) -> pl.DataFrame:
        """Return the rows of a statement that only reads.

        Raises:
            DataError: The database cannot run it; with its message.
        """
        try:
            with self.lock:
                return pl.DataFrame(self.connection.sql(statement))
        except (duckdb.Error, pl.exceptions.PolarsError) as error:
            raise DataError(
                f"DuckDB could not answer: {_message(error)}",
                "if tables have changed, bind the shop anew: fk.Shop.on(…)",
            ) from None

    def place(self, name: str, source: object) -> exp.Table:
        """Return where a source is; a frame or relation is registered under a name.

        Args:
            name: The table that it is bound to.
            source: The name of a table, the path of files, a relation, or a frame.

        Raises:
            DataError: It is none of these.
        """
        if isinstance(source, str):
            return _named(source)
        if isinstance(source, Path):
            return quoted_table(str(source))
        frame = source.collect() if isinstance(source, pl.LazyFrame) else source
        if not isinstance(frame, duckdb.DuckDBPyRelation | SupportsArrow):
            raise DataError(
                f"a {type(source).__name__} is not a table",
                "pass the name of a table, a relation of the connection, a frame, or a Path",
            )
        registered = f"funnelkit_{name}_{next(NUMBERS)}"
        try:
            with self.lock:
                self.connection.register(registered, frame)
        except duckdb.Error as error:
            raise DataError(f"the {type(source).__name__} is refused: {_message(error)}") from None
        return quoted_table(registered)

    def columns(self, place: exp.Table) -> list[Found]:
        """Return the columns of a table.

        Raises:
            DataError: It cannot be read.
        """
        query = exp.select("*").from_(place).limit(0)
        try:
            with self.lock:
                relation = self.connection.sql(text(query, "duckdb"))
                named = list(zip(relation.columns, relation.types, strict=True))
        except duckdb.Error as error:
            raise DataError(f"it cannot be read: {_message(error)}", "check its name") from None
        return [
            Found(name, str(kind), _DTYPES.get(str(kind.id), pl.Binary())) for name, kind in named
        ]


def _named(name: str) -> exp.Table:
    """Return the table of a name such as `schema.table`; parts in quotes may hold anything."""
    try:
        parts = exp.to_table(name, dialect="duckdb").parts
    except SqlglotError:
        parts = [exp.to_identifier(name)]
    if len(parts) > 3 or not all(isinstance(part, exp.Identifier) for part in parts):
        raise DataError(f"{shortened(name)!r} is not the name of a table", "write schema.table")
    names = [quoted(part.name) for part in reversed(parts)]
    return exp.Table(**dict(zip(("this", "db", "catalog"), names, strict=False)))


def _message(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return shortened(" ".join(lines) or type(error).__name__, most=300)

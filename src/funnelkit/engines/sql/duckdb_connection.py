"""A connection to DuckDB."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock

import duckdb
import polars as pl
from sqlglot import exp

from funnelkit.data.sources import SupportsArrow
from funnelkit.engines.sql.column_types import found_column
from funnelkit.engines.sql.connection import Found, message, named_table, refused, registered
from funnelkit.engines.sql.dialects import text
from funnelkit.engines.sql.names import quoted_table
from funnelkit.errors import DataError

__all__ = ["DuckDBConnection"]


@dataclass(frozen=True, slots=True)
class DuckDBConnection:
    """A connection to DuckDB that statements use one after the other; see `Connection`.

    Attributes:
        connection: The connection.
        lock: Held while a statement runs.
    """

    connection: duckdb.DuckDBPyConnection
    lock: RLock = field(default_factory=RLock)

    @property
    def dialect(self) -> str:
        """The dialect of its statements."""
        return "duckdb"

    @classmethod
    def of(cls, given: duckdb.DuckDBPyConnection | str | Path) -> DuckDBConnection:
        """Return a connection that was given, or one to a database that only reads it."""
        if not isinstance(given, str | Path):
            return cls(given)
        try:
            return cls(duckdb.connect(str(given), read_only=True))
        except duckdb.Error as error:
            raise DataError(f"{str(given)!r} cannot be opened: {message(error)}") from None

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
            raise refused(self.dialect, error) from None

    def place(self, name: str, source: object) -> exp.Table:
        """Return where a source is; a frame or relation is registered under a name.

        Args:
            name: The table that it is bound to.
            source: The name of a table, the path of files, a relation, or a frame.

        Raises:
            DataError: It is none of these.
        """
        if isinstance(source, str):
            return named_table(source, self.dialect)
        if isinstance(source, Path):
            return quoted_table(str(source))
        frame = source.collect() if isinstance(source, pl.LazyFrame) else source
        if not isinstance(frame, duckdb.DuckDBPyRelation | SupportsArrow):
            raise DataError(
                f"a {type(source).__name__} is not a table",
                "pass the name of a table, a relation of the connection, a frame, or a Path",
            )
        place = registered(name)
        try:
            with self.lock:
                self.connection.register(place, frame)
        except duckdb.Error as error:
            raise DataError(f"the {type(source).__name__} is refused: {message(error)}") from None
        return quoted_table(place)

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
            raise DataError(f"it cannot be read: {message(error)}", "check its name") from None
        return [found_column(name, str(kind), self.dialect) for name, kind in named]

    def names(self) -> list[str]:
        """Return the names of the tables and views of the current schema."""
        found = self.read(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_catalog = current_database() AND table_schema = current_schema()"
        )
        return sorted(found.to_series())

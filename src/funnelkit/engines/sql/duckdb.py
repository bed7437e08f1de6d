"""DuckDB as a place where the tables of a shop are: `fk.DuckDB`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from funnelkit.engines.sql.database import SqlDatabase, check_packages

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["DuckDB"]


class DuckDB(SqlDatabase):
    """Tables of DuckDB: `fk.Shop.on(fk.DuckDB(…), orders="schema.table")`.

    Statements only read; nothing but aggregated rows, and a few rows that show what is
    wrong with the data, leaves the database. Frames that are bound beside its tables are
    registered with the connection under names of their own.

    Args:
        connection: A connection, or the path of a database, which is then opened to be read.

    Raises:
        MissingPackageError: DuckDB or sqlglot is not installed.
        DataError: The database cannot be opened.
    """

    def __init__(self, connection: DuckDBPyConnection | str | Path) -> None:
        check_packages("duckdb")
        from funnelkit.engines.sql.duckdb_connection import (  # noqa: PLC0415  # an extra
            DuckDBConnection,
        )

        self._connection = DuckDBConnection.of(connection)

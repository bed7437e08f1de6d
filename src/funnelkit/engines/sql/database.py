"""A database as a place where the tables of a shop are: `fk.SqlDatabase`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from warnings import warn

from funnelkit.data.bound_table import BoundTable
from funnelkit.data.shop_data import ShopData
from funnelkit.engines.base import Engine
from funnelkit.engines.supports import DIALECTS, SUPPORTS
from funnelkit.errors import (
    DataError,
    DataIssue,
    MissingPackageError,
    UncomparedDialectWarning,
    UnknownNameError,
)
from funnelkit.formula.table import Table

if TYPE_CHECKING:
    from funnelkit.engines.sql.connection import Connection
    from funnelkit.engines.sql.dbapi_connection import DbApi

__all__ = ["SqlDatabase", "check_packages"]

_UNCOMPARED = (
    "{}: statements follow its documentation, and their numbers have not been compared on such a"
    " database: compare some with those of the same rows in fk.Shop(…) before relying on them"
)


def check_packages(*packages: str, extra: str = "sql") -> None:
    """Check that packages of an extra are installed, and sqlglot.

    Raises:
        MissingPackageError: One is not.
    """
    for package in ("sqlglot", *packages):
        if find_spec(package) is None:
            raise MissingPackageError(package, extra)


class SqlDatabase:
    """Tables of a database: `fk.Shop.on(fk.SqlDatabase(…), orders="schema.table")`.

    Statements only read; nothing but aggregated rows, and a few rows that show what is
    wrong with the data, leaves the database. Give it a connection of its own: every
    statement ends with a rollback, so that no table stays locked.

    Args:
        connection: A connection as the Python Database API 2.0 has it, of psycopg or of ADBC
            for example.
        dialect: The dialect of SQL that it reads: bigquery, clickhouse, duckdb, postgres,
            redshift, snowflake, spark or trino.

    Raises:
        MissingPackageError: sqlglot is not installed.
        UnknownNameError: There is no such dialect.
        DataError: The connection does not answer.

    Warns:
        UncomparedDialectWarning: The numbers of the dialect have not been compared with those
            of frames: compare them once.
    """

    def __init__(self, connection: DbApi, *, dialect: str) -> None:
        check_packages()
        from funnelkit.engines.sql.dbapi_connection import (  # noqa: PLC0415  # an extra
            DbApiConnection,
        )

        if dialect not in DIALECTS:
            raise UnknownNameError("dialect", dialect, DIALECTS)
        if not SUPPORTS[dialect].is_run:
            warn(
                _UNCOMPARED.format(SUPPORTS[dialect].title), UncomparedDialectWarning, stacklevel=2
            )
        self._connection: Connection = DbApiConnection.of(connection, dialect)

    def bind(
        self,
        known: Mapping[str, type[Table]],
        sources: Mapping[str, object],
        rename: Mapping[str, Mapping[str, str]],
        faults: list[DataIssue],
    ) -> dict[str, BoundTable]:
        """Bind tables; see `Database.bind`."""
        from funnelkit.engines.sql.tables import bind_table  # noqa: PLC0415  # an extra

        bound: dict[str, BoundTable] = {}
        for name, source in sources.items():
            try:
                place = self._connection.place(name, source)
            except DataError as error:
                faults.append(DataIssue(name, "", error.problem, error.remedy))
                continue
            names = rename.get(name, {})
            table = bind_table(known[name], self._connection, place, names, faults)
            bound[name] = table.of_files(source) if isinstance(source, Path) else table
        return bound

    def names(self) -> list[str]:
        """Return the names of the tables and views of the current schema."""
        return self._connection.names()

    def changed(self, tables: Mapping[str, BoundTable]) -> list[str]:
        """Return the tables that have changed since they were bound."""
        from funnelkit.engines.sql.tables import changed_in  # noqa: PLC0415  # an extra

        return changed_in(self._connection, tables)

    def engine(self, data: ShopData) -> Engine:
        """Return what reads the tables of a shop that is bound here."""
        from funnelkit.engines.sql.engine import SqlEngine  # noqa: PLC0415  # an extra

        return SqlEngine(data, self._connection)

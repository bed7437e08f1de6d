"""DuckDB as a place where the tables of a shop are: `fk.DuckDB`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from funnelkit.data.bound_table import BoundTable
from funnelkit.data.shop_data import ShopData
from funnelkit.engines.base import Engine
from funnelkit.errors import DataError, DataIssue, MissingPackageError
from funnelkit.formula.table import Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["DuckDB", "check_packages"]


def check_packages() -> None:
    """Check that what the extra `sql` installs is there.

    Raises:
        MissingPackageError: It is not.
    """
    for package in ("duckdb", "sqlglot"):
        if find_spec(package) is None:
            raise MissingPackageError(package, "sql")


class DuckDB:
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
        check_packages()
        from funnelkit.engines.sql.connection import Connection  # noqa: PLC0415  # an extra

        self._connection = Connection.of(connection)

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
        found = self._connection.read(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_catalog = current_database() AND table_schema = current_schema()"
        )
        return sorted(found.to_series())

    def changed(self, tables: Mapping[str, BoundTable]) -> list[str]:
        """Return the tables that have changed since they were bound."""
        from funnelkit.engines.sql.tables import changed_in  # noqa: PLC0415  # an extra

        return changed_in(self._connection, tables)

    def engine(self, data: ShopData) -> Engine:
        """Return what reads the tables of a shop that is bound here."""
        from funnelkit.engines.sql.engine import SqlEngine  # noqa: PLC0415  # an extra

        return SqlEngine(data, self._connection)

"""How a database is asked what its tables look like: one entry for each dialect of SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sqlglot import exp

from funnelkit.engines.sql.dialects import text
from funnelkit.engines.sql.names import quoted_column, quoted_table

__all__ = ["DESCRIBED", "Described"]


@dataclass(frozen=True, slots=True)
class Described:
    """How a database is asked what is there.

    Attributes:
        columns: Returns the statement that gives the name and the type of each column of a
            table, in their order; what follows them has no type.
        tables: The statement that gives the names of the tables and views of the current
            schema.
        name: Which of its columns holds the names.
    """

    columns: Callable[[exp.Table], str]
    tables: str
    name: int = 0


def _by_name(dialect: str, place: exp.Table) -> str:
    return f"DESCRIBE TABLE {place.sql(dialect)}"


def _by_catalog(place: exp.Table) -> str:
    """Return the statement that reads the catalog of PostgreSQL, along its search path."""
    name = exp.Literal.string(place.sql("postgres"))
    attribute, kind = quoted_table("pg_attribute"), quoted_table("pg_type")

    def column(of: str) -> exp.Column:
        return quoted_column(of, "pg_attribute")

    def call(function: str, *args: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this=function, expressions=list(args))

    is_enum = exp.EQ(this=quoted_column("typtype", "pg_type"), expression=exp.Literal.string("e"))
    word = call("FORMAT_TYPE", column("atttypid"), exp.Null())
    shown = exp.Case(ifs=[exp.If(this=is_enum, true=exp.Literal.string("enum"))], default=word)
    same = exp.EQ(this=quoted_column("oid", "pg_type"), expression=column("atttypid"))
    found = (
        exp.select(exp.cast(column("attname"), "text"), shown)
        .from_(attribute)
        .join(kind, on=same)
        .where(exp.EQ(this=column("attrelid"), expression=call("TO_REGCLASS", name)))
        .where(exp.GT(this=column("attnum"), expression=exp.Literal.number(0)))
        .where(exp.Not(this=column("attisdropped")))
        .order_by(column("attnum"))
    )
    return text(found, "postgres")


_TABLES = (
    "SELECT table_name FROM information_schema.tables "
    "WHERE table_catalog = current_database() AND table_schema = current_schema()"
)

DESCRIBED: Mapping[str, Described] = {
    "duckdb": Described(partial(_by_name, "duckdb"), _TABLES),
    "postgres": Described(_by_catalog, _TABLES),
    "spark": Described(partial(_by_name, "spark"), "SHOW TABLES", name=1),
}
"""How the databases are asked of which tables can be read."""

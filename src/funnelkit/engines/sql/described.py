"""How a database is asked what its tables look like: one entry for each dialect of SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sqlglot import exp

from funnelkit.engines.sql.dialects import part_text, text
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


def _by_name(words: str, dialect: str, place: exp.Table) -> str:
    return f"{words} {part_text(place, dialect)}"


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


def _of_redshift(place: exp.Table) -> str:
    """Return the statement that reads a view in which all tables are, late-bound views too."""
    name, *around = reversed(place.parts)
    schema = exp.Literal.string(around[0].name) if around else exp.func("CURRENT_SCHEMA")
    catalog = [_is("table_catalog", part.name) for part in around[1:]]
    in_schema = exp.EQ(this=exp.column("table_schema"), expression=schema)
    return _listed(exp.to_table("svv_columns"), "redshift", name, in_schema, *catalog)


def _of_bigquery(place: exp.Table) -> str:
    """Return the statement that reads the view of a dataset; what is hidden has no place in it."""
    *around, name = place.parts
    path = ".".join([*(part.sql("bigquery") for part in around), "INFORMATION_SCHEMA.COLUMNS"])
    is_shown = exp.column("ordinal_position").is_(exp.Null()).not_()
    return _listed(exp.to_table(path, dialect="bigquery"), "bigquery", name, is_shown)


def _listed(view: exp.Table, dialect: str, name: exp.Expr, *where: exp.Expr) -> str:
    columns = exp.select("column_name", "data_type").from_(view)
    columns = columns.where(_is("table_name", name.name), *where)
    return text(columns.order_by("ordinal_position"), dialect)


def _is(column: str, name: str) -> exp.EQ:
    return exp.EQ(this=exp.column(column), expression=exp.Literal.string(name))


_TABLES = (
    "SELECT table_name FROM information_schema.tables "
    "WHERE table_catalog = current_database() AND table_schema = current_schema()"
)

DESCRIBED: Mapping[str, Described] = {
    "bigquery": Described(_of_bigquery, "SELECT table_name FROM INFORMATION_SCHEMA.TABLES"),
    "clickhouse": Described(partial(_by_name, "DESCRIBE TABLE", "clickhouse"), "SHOW TABLES"),
    "duckdb": Described(partial(_by_name, "DESCRIBE TABLE", "duckdb"), _TABLES),
    "postgres": Described(_by_catalog, _TABLES),
    "redshift": Described(
        _of_redshift, "SELECT table_name FROM svv_tables WHERE table_schema = current_schema()"
    ),
    "snowflake": Described(
        partial(_by_name, "DESCRIBE TABLE", "snowflake"),
        "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()",
    ),
    "spark": Described(partial(_by_name, "DESCRIBE TABLE", "spark"), "SHOW TABLES", name=1),
    "trino": Described(partial(_by_name, "DESCRIBE", "trino"), "SHOW TABLES"),
}
"""How the databases are asked."""

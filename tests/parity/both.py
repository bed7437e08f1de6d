"""Small relations evaluated twice: by the translator of an engine, and in plain Python."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from types import MappingProxyType
from typing import Any

import duckdb
import polars as pl
import pytest
from sqlglot import exp

from funnelkit.engines.polars.translate import Translator
from funnelkit.engines.sql.dbapi_connection import DbApiConnection
from funnelkit.engines.sql.dialects import text
from funnelkit.engines.sql.results import of_kinds
from funnelkit.engines.sql.translate import Translator as SqlTranslator
from funnelkit.engines.supports import SUPPORTS
from funnelkit.planning.relations import Rel, Scan, columns_of
from parity.googlesql import googlesql
from parity.plain import Plain, keys_of
from parity.servers import clickhouse, load, load_clickhouse, postgres, spark

Row = tuple[Any, ...]
Frames = Mapping[str, pl.DataFrame]
Sizes = Mapping[str, int | None]


def by_polars(frames: Frames, rel: Rel, sizes: Sizes) -> list[Row]:
    lazy = {name: frame.lazy() for name, frame in frames.items()}
    query = Translator(lazy, sizes, lambda asked: asked.collect()).frame(rel)
    return query.collect().select(columns_of(rel)).rows()


@cache
def database() -> duckdb.DuckDBPyConnection:
    """A database with settings of its own, which no number may depend on."""
    return with_settings(duckdb.connect())


def with_settings(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute("SET TimeZone = 'Asia/Kolkata'")
    connection.execute("SET default_order = 'DESC'")
    connection.execute("SET default_null_order = 'nulls_first'")
    connection.execute("SET integer_division = true")
    return connection


def by_duckdb(frames: Frames, rel: Rel, _sizes: Sizes, *, dialect: str = "duckdb") -> list[Row]:
    for name, frame in frames.items():
        database().register(name, frame)
    query, kinds = SqlTranslator.of(dialect, _source).statement(rel)
    found = pl.DataFrame(database().sql(text(query, "duckdb")))
    return of_kinds(found, kinds).select(columns_of(rel)).rows()


def by_postgres(frames: Frames, rel: Rel, _sizes: Sizes) -> list[Row]:
    for name, frame in frames.items():
        load(postgres(), name, frame, kind="TEMP TABLE")
    query, kinds = SqlTranslator.of("postgres", _source).statement(rel)
    found = DbApiConnection.of(postgres(), "postgres").run(query)
    return of_kinds(found, kinds).select(columns_of(rel)).rows()


def by_spark(frames: Frames, rel: Rel, _sizes: Sizes) -> list[Row]:
    from funnelkit.engines.sql.spark_connection import SparkConnection

    connection = SparkConnection(spark())
    places = {name: connection.place(name, frame) for name, frame in frames.items()}
    query, kinds = SqlTranslator.of("spark", partial(_source, places=places)).statement(rel)
    return of_kinds(connection.run(query), kinds).select(columns_of(rel)).rows()


def by_clickhouse(frames: Frames, rel: Rel, _sizes: Sizes) -> list[Row]:
    connection = clickhouse()
    for name, frame in frames.items():
        load_clickhouse(connection, name, frame)
    query, kinds = SqlTranslator.of("clickhouse", _source).statement(rel)
    found = DbApiConnection.of(connection, "clickhouse").run(query)
    return of_kinds(found, kinds).select(columns_of(rel)).rows()


def by_bigquery(frames: Frames, rel: Rel, _sizes: Sizes) -> list[Row]:
    for name, frame in frames.items():
        googlesql().load(name, frame)
    query, kinds = SqlTranslator.of("bigquery", _source).statement(rel)
    found = DbApiConnection.of(googlesql(), "bigquery").run(query)
    return of_kinds(found, kinds).select(columns_of(rel)).rows()


def _source(
    scan: Scan, place: str, places: Mapping[str, exp.Table] = MappingProxyType({})
) -> tuple[exp.Expr, Mapping[str, exp.Expr]]:
    named = places.get(scan.table, exp.to_table(scan.table, quoted=True))
    table = exp.alias_(named, place, table=True)
    return table, {name: exp.column(name, place, quoted=True) for name, _ in scan.columns}


TRANSLATORS: Mapping[str, Callable[[Frames, Rel, Sizes], list[Row]]] = {
    "polars": by_polars,
    "duckdb": by_duckdb,
    "duckdb as for postgres": partial(by_duckdb, dialect="postgres"),
    "postgres": by_postgres,
    "spark": by_spark,
    "clickhouse": by_clickhouse,
    "bigquery": by_bigquery,
}
RUN = [name for name, support in SUPPORTS.items() if support.is_run]
every_engine = pytest.mark.parametrize(
    "engine",
    [
        pytest.param(
            name, marks=pytest.mark.slow if name in {"clickhouse", "postgres", "spark"} else ()
        )
        for name in RUN
    ],
)
"""Every engine of which numbers are promised; those that have to be started first are slow."""


def by_words(frames: Frames, rel: Rel) -> list[Row]:
    rows = Plain({name: frame.lazy() for name, frame in frames.items()}).rows(rel)
    return keys_of(rows, list(columns_of(rel)))


def assert_alike(
    engine: str,
    frames: Frames,
    rel: Rel,
    *,
    sizes: Sizes | None = None,
    digits: int = 17,
    names: Sequence[str] = (),
) -> None:
    """Check that an engine gives the rows that the words say, in whatever order.

    Args:
        engine: The engine.
        frames: The tables.
        rel: The relation.
        sizes: What is said of the sizes of tables; what they are by default.
        digits: In how many digits floats must agree.
        names: The columns that are compared; all by default.
    """
    heights = {name: frame.height for name, frame in frames.items()}
    found = TRANSLATORS[engine](frames, rel, heights if sizes is None else sizes)
    places = [columns_of(rel).index(name) for name in names or columns_of(rel)]
    one, two = (
        Counter(tuple(shown(row[place], digits) for place in places) for row in rows)
        for rows in (found, by_words(frames, rel))
    )
    assert one == two, f"only by {engine}: {list(one - two)}, only by words: {list(two - one)}"


def shown(value: Any, digits: int) -> str:
    match value:
        case float():
            return f"{value + 0.0:.{digits}g} float"
        case dt.datetime(tzinfo=dt.tzinfo()):
            return str(value.astimezone(dt.UTC))
        case _:
            return f"{value!r}"

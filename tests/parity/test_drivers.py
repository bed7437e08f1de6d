"""Other drivers than those that the engines are tested with: their numbers are those of frames."""

import datetime as dt
import tempfile
from contextlib import suppress
from functools import partial
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import funnelkit as fk
from funnelkit.demo_shop.shop import demo_frames
from parity.servers import address, load, postgres, spark
from parity.shops import some_of, with_nulls
from parity.test_databases import (
    METRICS,
    OF_SHOPS,
    WARSAW,
    answerable,
    assert_few_alike,
    assert_same,
)
from parity.test_servers import ORDERS, WORDS, view

slow = pytest.mark.slow
EVERY_FOURTH = METRICS[::4]
"""Metrics of every area; all their variants are further on in the catalogue."""


pytestmark = pytest.mark.usefixtures("_no_warnings_of_history")


def by_psycopg2(**options: str):
    driver = pytest.importorskip("psycopg2", reason="psycopg2 is not installed")
    postgres()
    return driver.connect(**{**address(), **options})


def by_pg8000(**options: str):
    driver = pytest.importorskip("pg8000.dbapi", reason="pg8000 is not installed")
    postgres()
    found = {**address(), **options}
    socket = f"{found['host']}/.s.PGSQL.5432"
    return driver.connect(found["user"], unix_sock=socket, database=found["dbname"])


def by_adbc(**options: str):
    driver = pytest.importorskip("adbc_driver_postgresql.dbapi", reason="ADBC is not installed")
    postgres()
    found = {**address(), **options}
    parts = "&".join(f"{name}={found[name]}" for name in ("host", "user"))
    return driver.connect(f"postgresql:///{found['dbname']}?{parts}")


POSTGRES = {"psycopg2": by_psycopg2, "pg8000": by_pg8000, "adbc": by_adbc}


def by_adbc_of_duckdb():
    pytest.importorskip("adbc_driver_manager", reason="ADBC is not installed")
    from adbc_driver_duckdb import dbapi

    return dbapi.connect(tempfile.mkdtemp(prefix="funnelkit_duckdb_") + "/shop.duckdb")


class OfSpark:
    """A session of Spark as a connection of the Python Database API."""

    description: list[tuple[str]]
    rows: list[Any]

    def cursor(self) -> "OfSpark":
        return self

    def execute(self, statement: str) -> None:
        found = spark().sql(statement)
        self.description = [(name,) for name in found.columns]
        self.rows = pl.DataFrame(found.toArrow()).rows()

    def fetchall(self) -> list[Any]:
        return self.rows

    def close(self) -> None:
        self.rows = []

    def rollback(self) -> None:
        raise NotImplementedError


@pytest.fixture(name="opened")
def connections():
    """What opens connections, which are closed."""
    found = []

    def opened(driver: str, **options: str):
        if driver == "duckdb":
            found.append(duckdb.connect())
        elif driver == "adbc of duckdb":
            found.append(by_adbc_of_duckdb())
        elif driver == "spark":
            found.append(OfSpark())
        else:
            found.append(POSTGRES[driver](**options))
        return found[-1]

    yield opened
    for connection in found:
        with suppress(Exception):
            connection.close()
        # pg8000 does not close the socket of a connection that was dropped
        if socket := getattr(connection, "_usock", None):
            socket.close()


def shops(connection: Any, driver: str, frames: Any, **settings: Any) -> tuple[fk.Shop, fk.Shop]:
    for name, frame in frames.items():
        if driver == "duckdb":
            connection.register("frame", frame)
            connection.execute(f"CREATE OR REPLACE TABLE {name} AS FROM frame")
        elif driver == "adbc of duckdb":
            with connection.cursor() as cursor:
                cursor.adbc_ingest(name, frame.to_arrow(), mode="replace")
            connection.commit()
        else:
            (view if driver == "spark" else partial(load, postgres()))(name, frame)
    dialect = "postgres" if driver in POSTGRES else driver.removeprefix("adbc of ")
    database = fk.SqlDatabase(connection, dialect=dialect)
    named = {name: name for name in frames}
    return fk.Shop.bind(frames, **settings), fk.Shop.on(database, **named, **settings)


every_driver = pytest.mark.parametrize(
    "driver",
    [
        "duckdb",
        *(pytest.param(name, marks=slow) for name in (*POSTGRES, "adbc of duckdb", "spark")),
    ],
)
every_postgres = pytest.mark.parametrize("driver", POSTGRES)


@every_driver
def test_a_few_orders_are_answered_alike(driver, opened):
    assert_few_alike(partial(shops, opened(driver), driver))


@slow
@every_postgres
def test_every_fourth_metric_is_answered_alike(driver, opened):
    frames = with_nulls(some_of(demo_frames()))
    pair = shops(opened(driver), driver, frames, guards=False, **WARSAW)
    question = {"every": "1mo", "by": "channel"}
    metrics = [metric for metric in answerable(pair[0], question) if metric in EVERY_FOURTH]
    assert len(metrics) >= 30
    assert_same(pair, metrics, question)
    assert_frame_equal(pair[0].check(), pair[1].check())


@slow
@pytest.mark.parametrize("asked", OF_SHOPS, ids=str)
@every_postgres
def test_the_catalogue_is_answered_alike(driver, asked, opened):
    question, settings = asked
    pair = shops(opened(driver), driver, some_of(demo_frames()), **settings)
    assert_same(pair, answerable(pair[0], question), question)


SIGNS = [*WORDS, "100%", "100%%", "%s", "%(x)s", "?", ":a", "$1", "{x}"]
OF_SIGNS = pl.DataFrame({"order_id": range(len(SIGNS)), "status": SIGNS}).with_columns(
    ordered_at=dt.datetime(2024, 3, 1), gross_amount=1.0, discount_amount=0.0
)


@every_driver
def test_words_are_never_read_as_sql_or_as_the_places_of_parameters(driver, opened):
    settings: dict[str, Any] = {"guards": False, "order_policy": "all"}
    pair = shops(opened(driver), driver, {"orders": OF_SIGNS}, **settings)
    of_words = [
        fk.Metric(name=f"m_{n}", formula=fk.Count(fk.Orders, where=fk.Orders.status.eq(word)))
        for n, word in enumerate(SIGNS)
    ]
    one, two = (fk.evaluate(shop, [*of_words, "orders"], by="status") for shop in pair)
    assert_frame_equal(one.tidy(), two.tidy())


class Reading:
    """A driver that reads percent signs although there are no parameters."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def cursor(self) -> "Reading":
        return type(self)(self.connection.cursor())

    def execute(self, statement: str) -> None:
        self.connection.execute(statement % ())

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)


class Naive(Reading):
    """A driver that gives instants without their zone."""

    def fetchall(self) -> list[Any]:
        return [tuple(map(bare, row)) for row in self.connection.fetchall()]


def bare(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, dt.datetime) else value


def on(driver: Any, frame: pl.DataFrame) -> fk.Shop:
    driver.connection.register("frame", frame)
    driver.connection.execute("CREATE TABLE orders AS FROM frame")
    database = fk.SqlDatabase(driver, dialect="duckdb")
    return fk.Shop.on(database, orders="orders", guards=False, order_policy="all")


def test_percent_signs_are_doubled_for_a_driver_that_reads_them():
    shop = on(Reading(duckdb.connect()), OF_SIGNS)
    for word in ("100%", "100%%", "%s"):
        where = fk.Orders.status.eq(word)
        assert fk.evaluate(shop, "orders", where=where).frame.item() == 1


# --- What a driver refuses --------------------------------------------------------------------


@slow
@every_postgres
def test_what_goes_wrong_is_told_in_the_words_of_the_database(driver, opened):
    load(postgres(), "lost", ORDERS)
    postgres().execute("DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN")
    connection = opened(driver)
    database = fk.SqlDatabase(connection, dialect="postgres")
    shop = fk.Shop.on(database, orders="lost", order_policy="all")
    assert fk.evaluate(shop, "orders").frame.item() == len(WORDS)
    postgres().execute("ALTER TABLE lost RENAME gross_amount TO gross")
    with pytest.raises(fk.DataError, match=r"PostgreSQL could not answer: .*gross_amount.*anew"):
        fk.evaluate(shop, "gross_sales")
    with pytest.raises(fk.ContractError, match=r"gross_amount: expected money, found text"):
        fk.Shop.on(database, orders="lost", rename={"orders": {"status": "gross_amount"}})
    guest = fk.SqlDatabase(opened(driver, user="guest"), dialect="postgres")
    with pytest.raises(fk.ContractError, match=r"cannot be read: .*permission denied for table"):
        fk.Shop.on(guest, orders="lost")
    # nothing is locked
    postgres().execute("SET lock_timeout = '2s'; DROP TABLE lost")
    with pytest.raises(fk.DataError, match=r'could not answer: .*relation "lost" does not exist'):
        fk.evaluate(shop, "orders")
    with pytest.raises(fk.ContractError, match=r'cannot be read: .*"lost" does not exist'):
        fk.Shop.on(database, orders="lost")
    own = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    postgres().execute(f"{own} AND datname = 'postgres' AND query LIKE '%lost%'")
    with pytest.raises(fk.DataError, match=r"PostgreSQL could not answer: "):
        fk.evaluate(shop, "orders")
    connection.close()
    with pytest.raises(fk.DataError, match=r"PostgreSQL could not answer: .*(closed|Init)"):
        fk.evaluate(shop, "orders")


def test_a_time_of_a_zone_without_its_zone_is_refused():
    orders = OF_SIGNS.with_columns(pl.col("ordered_at").dt.replace_time_zone("UTC"))
    shop = on(Naive(duckdb.connect()), orders)
    with pytest.raises(fk.DataError, match="a time of a zone, without its zone"):
        fk.evaluate(shop, "orders", every="1mo")


def test_a_closed_connection_is_told_at_once():
    connection = duckdb.connect()
    assert fk.SqlDatabase(connection, dialect="duckdb").names() == []
    connection.close()
    with pytest.raises(fk.DataError, match=r"DuckDB could not answer: .*closed"):
        fk.SqlDatabase(connection, dialect="duckdb")

"""The catalogue on databases that have to be installed: PostgreSQL, ClickHouse, Spark."""

import datetime as dt
import warnings
from functools import cache, partial
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import funnelkit as fk
from funnelkit.demo_shop.shop import demo_frames
from funnelkit.engines.sql import dialects, nodes, operations
from funnelkit.engines.sql.spark_connection import SparkConnection
from funnelkit.engines.sql.tables import source_of
from funnelkit.engines.sql.translate import Translator
from funnelkit.engines.supports import SUPPORTS
from funnelkit.errors import TruncatedHistoryWarning
from funnelkit.formula.values import ConcatKey
from funnelkit.planning.relations import Agg, AggOp, Aggregate, Col, Lit, Op, Scan, Select, call
from parity.both import assert_alike as assert_same_relation
from parity.servers import (
    clickhouse,
    connect,
    is_connect,
    load,
    load_clickhouse,
    postgres,
    spark,
)
from parity.shops import as_instants, some_of, with_currencies, with_nulls
from parity.test_databases import OF_SHOPS, WARSAW, assert_alike, assert_few_alike
from parity.test_to_sql import LEAST, assert_same_rows, writable
from parity.test_to_sql import QUESTIONS as WRITTEN

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncatedHistoryWarning)
        # Spark Connect says that it is deprecated
        warnings.filterwarnings("ignore", ".*escapedStringLiterals")
        yield


def on_postgres(frames: Any, **settings: Any) -> fk.Shop:
    for name, frame in frames.items():
        load(postgres(), name, frame)
    database = fk.SqlDatabase(postgres(), dialect="postgres")
    return fk.Shop.on(database, **{name: name for name in frames}, **settings)


def on_spark(frames: Any, **settings: Any) -> fk.Shop:
    return fk.Shop.on(fk.Spark(spark()), **frames, **settings)


def on_clickhouse(frames: Any, **settings: Any) -> fk.Shop:
    for name, frame in frames.items():
        load_clickhouse(clickhouse(), name, frame)
    database = fk.SqlDatabase(clickhouse(), dialect="clickhouse")
    return fk.Shop.on(database, **{name: name for name in frames}, **settings)


SERVERS = {"postgres": on_postgres, "spark": on_spark, "clickhouse": on_clickhouse}
every_server = pytest.mark.parametrize("server", SERVERS)
of_databases = pytest.mark.parametrize("server", ["postgres", "clickhouse"])


def shops(server: str, frames: Any, **settings: Any) -> tuple[fk.Shop, fk.Shop]:
    if server == "clickhouse":
        # which has no other times
        clocks = pl.selectors.datetime(time_zone=None).dt.replace_time_zone("UTC")
        frames = {name: frame.with_columns(clocks) for name, frame in frames.items()}
    return fk.Shop.bind(frames, **settings), SERVERS[server](frames, **settings)


@cache
def some():
    return some_of(demo_frames())


def test_every_engine_that_is_said_to_be_run_is_run():
    assert {*SERVERS, "polars", "duckdb"} == {s.name for s in SUPPORTS.values() if s.is_run}


# --- The catalogue ----------------------------------------------------------------------------


@of_databases
@pytest.mark.parametrize("asked", OF_SHOPS, ids=str)
def test_the_catalogue_is_answered_alike(server, asked):
    question, settings = asked
    assert_alike(shops(server, some(), **settings), question)


CHANGES = {"instants": as_instants, "nulls": with_nulls, "currencies": with_currencies}


@of_databases
@pytest.mark.parametrize("change", CHANGES)
def test_shops_with_nulls_currencies_and_instants_are_answered_alike(server, change):
    frames = CHANGES[change](some())
    pair = shops(server, frames, **WARSAW, guards=change != "nulls")
    assert_alike(pair, {"every": "1mo", "by": "channel"})
    assert_frame_equal(pair[0].check(), pair[1].check())


def test_months_in_a_zone_are_answered_alike_on_spark():
    frames, settings = some(), {"time_zone": "America/St_Johns", "currency": "PLN"}
    assert_alike(shops("spark", frames, **settings), {"every": "1mo", "by": "channel"})


@every_server
def test_a_few_orders_are_answered_alike(server):
    assert_few_alike(partial(shops, server))


# --- One statement ----------------------------------------------------------------------------


def rows_of(server: str, statement: str) -> pl.DataFrame:
    if server == "spark":
        return pl.DataFrame(spark().sql(statement).toArrow())
    cursor = (clickhouse() if server == "clickhouse" else postgres()).cursor()
    cursor.execute(statement)
    names = [column[0] for column in cursor.description]
    return pl.DataFrame(cursor.fetchall(), schema=names, orient="row", infer_schema_length=None)


@pytest.mark.parametrize(
    ("server", "name"),
    [("postgres", "months"), ("postgres", "weeks by channel"), ("spark", "months")],
)
def test_one_statement_of_everything_gives_the_numbers_of_evaluate(server, name):
    question, frames = WRITTEN[name], some()
    plain = fk.Shop.bind(frames, **WARSAW)
    metrics = list(writable(plain, question, dialect=server))
    assert len(metrics) >= LEAST[name]
    for table, frame in frames.items():
        load(postgres(), table, frame) if server == "postgres" else view(table, frame)
    statement = fk.to_sql(plain, metrics, **question, dialect=server)
    assert_same_rows(rows_of(server, statement), fk.evaluate(plain, metrics, **question))


def view(name: str, frame: pl.DataFrame) -> None:
    """Make a temporary view of a frame in Spark, as `fk.Spark` does."""
    SparkConnection(spark())._frame(frame).createOrReplaceTempView(name)


# --- Safety -----------------------------------------------------------------------------------

ODD = 'x"; drop table orders; --'
WORDS = ["it's", ODD, "'; drop table orders; --", "\\'; drop table orders; --", "`", "/* */", "$$"]
ORDERS = pl.DataFrame(
    {
        "order_id": range(7),
        "ordered_at": [dt.datetime(2024, 3, day) for day in range(1, 8)],
        "status": WORDS,
        ODD: WORDS[::-1],
        "gross_amount": [1.0, 2.0, None, 4.0, 5.0, 6.0, 7.0],
        "discount_amount": [0.0] * 7,
    }
)


@every_server
def test_names_and_words_are_never_read_as_sql(server):
    pair = shops(server, {"orders": ORDERS}, guards=False, order_policy="all")
    column = fk.Orders.column(ODD, fk.Category)
    for word in WORDS:
        value = fk.Count(fk.Orders, where=column.eq(word) | fk.Orders.status.eq(word))
        one = fk.Metric(name="one", formula=value)
        for question in ({"by": [ODD, "status"]}, {"where": column.ne(word)}):
            results = [fk.evaluate(shop, [one, "orders"], **question) for shop in pair]
            assert_frame_equal(*(result.tidy() for result in results))
    statement = fk.to_sql(pair[1], "orders", by=ODD, where=column.ne(WORDS[3]), dialect=server)
    assert rows_of(server, statement).height == len(WORDS) - 1
    assert fk.evaluate(pair[1], "orders").frame.item() == len(WORDS)


# --- What a database refuses ------------------------------------------------------------------


@pytest.fixture(name="own")
def connections():
    """Databases by connections of their own, which are closed."""
    opened = []

    def own(**settings):
        opened.append(connect(**settings))
        return fk.SqlDatabase(opened[-1], dialect="postgres")

    yield own
    for connection in opened:
        connection.close()


def test_a_lost_table_a_changed_one_and_a_dropped_connection_are_told_on_postgres(own):
    load(postgres(), "lost", ORDERS)
    database = own()
    connection = database._connection.connection
    shop = fk.Shop.on(database, orders="lost")
    postgres().execute("ALTER TABLE lost RENAME gross_amount TO gross")
    with pytest.raises(fk.DataError, match=r"PostgreSQL could not answer: .*gross_amount.*anew"):
        fk.evaluate(shop, "gross_sales")
    postgres().execute("DROP TABLE lost")
    with pytest.raises(fk.DataError, match=r'PostgreSQL could not answer: relation "lost" does'):
        fk.evaluate(shop, "orders")
    with pytest.raises(fk.ContractError, match=r'orders: it cannot be read: .*"lost" does not'):
        fk.Shop.on(own(), orders="lost")
    postgres().execute(f"SELECT pg_terminate_backend({connection.info.backend_pid})")
    with pytest.raises(fk.DataError, match=r"PostgreSQL could not answer: .*terminat"):
        fk.evaluate(shop, "orders")
    connection.close()
    with pytest.raises(fk.DataError, match=r"PostgreSQL could not answer: .*closed"):
        fk.evaluate(shop, "orders")


def test_a_denied_permission_is_told_on_postgres(own):
    load(postgres(), "orders", ORDERS)
    postgres().execute("DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN")
    with pytest.raises(fk.ContractError, match=r"cannot be read: .*permission denied for table"):
        fk.Shop.on(own(user="guest"), orders="orders")


def test_a_statement_leaves_no_lock_behind(own):
    load(postgres(), "orders", ORDERS)
    shop = fk.Shop.on(own(), orders="orders", order_policy="all")
    assert fk.evaluate(shop, "orders").frame.item() == len(WORDS)
    postgres().execute("SET lock_timeout = '2s'; DROP TABLE orders")


def test_what_is_not_a_table_of_the_database_is_refused_by_name(own):
    with pytest.raises(fk.UnsupportedError, match="orders bound to a DataFrame: nothing is writt"):
        fk.Shop.on(own(), orders=ORDERS)
    long = pl.DataFrame({**ORDERS.to_dict(), "\u017c" * 31: WORDS})
    load(postgres(), "long", long)
    shop = fk.Shop.on(own(), orders="long", order_policy="all")
    assert fk.evaluate(shop, "orders", by="\u017c" * 31).frame.height == len(WORDS)
    metric = fk.Metric(name="m" * 64, formula=fk.Count(fk.Orders))
    with pytest.raises(fk.UnsupportedError, match="63 bytes of a name"):
        fk.to_sql(shop, metric, dialect="postgres")


def test_a_number_beyond_a_float_is_told_on_postgres(own):
    load(postgres(), "orders", ORDERS.with_columns(gross_amount=pl.lit(1e308)))
    shop = fk.Shop.on(own(), orders="orders", order_policy="all")
    with pytest.raises(fk.DataError, match="PostgreSQL could not answer: value out of range"):
        fk.evaluate(shop, "gross_sales")


def test_a_text_of_a_float_is_refused_by_name(own):
    orders = ORDERS.with_columns(number=pl.col("gross_amount"))
    load(postgres(), "orders", orders)
    shop = fk.Shop.on(own(), orders="orders", order_policy="all")
    key = ConcatKey(fk.Orders.column("number", fk.Quantity), fk.Orders.status)
    pairs = fk.Metric(name="pairs", formula=fk.CountDistinct(key))
    with pytest.raises(fk.UnsupportedError, match="pairs on PostgreSQL: the operation to_str of"):
        fk.evaluate(shop, ["orders", pairs])


def test_a_lost_table_and_one_that_is_not_there_are_told_on_spark():
    view("lost", ORDERS)
    shop = fk.Shop.on(fk.Spark(spark()), orders="lost", order_policy="all")
    assert fk.evaluate(shop, "orders").frame.item() == len(WORDS)
    spark().catalog.dropTempView("lost")
    with pytest.raises(fk.DataError, match=r"Spark could not answer: \[TABLE_OR_VIEW_NOT_FOUND\]"):
        fk.evaluate(shop, "orders")
    with pytest.raises(fk.ContractError, match=r"orders: it cannot be read: .*NOT_FOUND"):
        fk.Shop.on(fk.Spark(spark()), orders="lost")
    with pytest.raises(fk.ContractError, match="orders: a int is not a table; pass the name"):
        fk.Shop.on(fk.Spark(spark()), orders=7)


def test_a_setting_that_changes_texts_is_refused_on_spark():
    name = "spark.sql.parser.escapedStringLiterals"
    spark().conf.set(name, "true")
    try:
        with pytest.raises(fk.UnsupportedError, match="escapedStringLiterals=true"):
            fk.Spark(spark())
    finally:
        spark().conf.unset(name)


# --- Spark's plan -----------------------------------------------------------------------------


@pytest.mark.skipif(is_connect(), reason="Spark Connect does not show its plan")
def test_spark_reads_a_table_once_with_the_filter_pushed_and_the_columns_it_needs(tmp_path):
    demo_frames()["sessions"].write_parquet(tmp_path / "sessions.parquet")
    frame = spark().read.parquet(str(tmp_path / "sessions.parquet"))
    shop = fk.Shop.on(fk.Spark(spark()), sessions=frame)
    question = {"every": "1mo", "start": "2024-03-01", "end": "2024-06-01", "by": "channel"}
    steps = fk.plan(shop, ["sessions", "visitors"], **question).steps
    (answer,) = shop.runner.lasting(steps)
    query, _ = Translator.of("spark", partial(source_of, shop.data)).statement(answer.relation)
    mode = spark()._jvm.org.apache.spark.sql.execution.ExplainMode.fromString("formatted")
    asked = spark().sql(dialects.text(query, "spark"))
    plan = asked._jdf.queryExecution().explainString(mode)
    scans = [
        part for part in plan.split("\n\n") if ") Scan parquet" in part and "ReadSchema" in part
    ]
    assert len(scans) == 1
    assert "PushedFilters: [IsNotNull(started_at), GreaterThanOrEqual" in scans[0]
    (read,) = (line for line in scans[0].splitlines() if line.startswith("ReadSchema"))
    assert {part.split(":")[0] for part in read.split("struct<")[1].split(",")} <= {
        "visitor_id", "started_at", "channel", "is_bot"
    }  # fmt: skip


# --- Faults -----------------------------------------------------------------------------------

UTC = Lit("UTC", "str")
CLOCK = Select(Scan("t", (("at", "instant"),)), (("clock", call(Op.LOCAL_TIME, Col("at"), UTC)),))
LEAST_WORD = Aggregate(Scan("t", (("word", "str"),)), (), (("m", Agg(AggOp.MIN, Col("word"))),))
NUMBERS = Aggregate(Scan("t", (("number", "float"),)), ("number",), (("n", Agg(AggOp.ROWS)),))
FAULTS = {
    "postgres": (
        (dialects.POSTGRES, nodes.ByCodePoint, lambda node: node.this),
        (pl.DataFrame({"word": ["a", "B"]}), LEAST_WORD),
    ),
    "clickhouse": (
        (dialects.clickhouse.CHANGES, nodes.ByValue, lambda node: node.this),
        (pl.DataFrame({"number": [0.0, -0.0]}), NUMBERS),
    ),
    "spark": (
        (dialects.SPARK, nodes.UtcClock, lambda node: operations.cast(node.this, "local")),
        (pl.DataFrame({"at": [dt.datetime(2024, 3, 1, tzinfo=dt.UTC)]}), CLOCK),
    ),
}


@every_server
def test_a_fault_of_a_dialect_is_found(server, monkeypatch):
    (table, node, wrong), (frame, rel) = FAULTS[server]
    assert_same_relation(server, {"t": frame}, rel)
    monkeypatch.setitem(table, node, wrong)
    dialects._generator.cache_clear()
    with pytest.raises(AssertionError):
        assert_same_relation(server, {"t": frame}, rel)
    monkeypatch.undo()
    dialects._generator.cache_clear()

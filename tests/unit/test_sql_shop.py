"""A shop whose tables are in a database: bound, checked and asked as one of frames is."""

import datetime as dt

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import funnelkit as fk
from funnelkit.demo_shop.shop import demo_frames
from funnelkit.engines.sql.duckdb_connection import DuckDBConnection
from funnelkit.engines.sql.spark_connection import SparkConnection

ORDERS = pl.DataFrame(
    {
        "order_id": [1, 2, 3, 4],
        "ordered_at": [dt.datetime(2024, 3, 30, 23), dt.datetime(2024, 3, 31, 5), None, None],
        "status": ["Paid ", "paid", "cancelled", "paid"],
        "customer_id": ["ann", " ", "bob", "ann"],
        "country": ["PL", None, "it's", "PL"],
        "gross_amount": [50.0, 70.0, float("nan"), 10.0],
        "discount_amount": [0.0, 5.0, 0.0, 0.0],
    }
).with_columns(pl.col("ordered_at").fill_null(dt.datetime(2024, 4, 2)))
METRICS = ["orders", "gross_sales", "aov", "customers", "new_customers"]
WARSAW = {"time_zone": "Europe/Warsaw", "currency": "PLN"}


@pytest.fixture(name="connection")
def database():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'Asia/Kolkata'; CREATE SCHEMA shop")
    connection.register("frame", ORDERS)
    connection.execute("CREATE TABLE shop.orders AS SELECT * FROM frame")
    connection.unregister("frame")
    yield connection
    connection.close()


def on(connection, orders="shop.orders", **settings):
    return fk.Shop.on(fk.DuckDB(connection), orders=orders, **{**WARSAW, **settings})


def assert_same_numbers(one, two, metrics=METRICS, **question):
    found = [fk.evaluate(shop, metrics, **question).tidy() for shop in (one, two)]
    assert_frame_equal(*found, rel_tol=1e-9)


QUESTIONS = [
    {},
    {"every": "1mo"},
    {"every": "1d", "by": "country"},
    {"where": """country == "it's" """},
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_numbers_are_those_of_the_frame(connection, question):
    assert_same_numbers(fk.Shop(orders=ORDERS, **WARSAW), on(connection), **question)


def sources(connection, folder):
    ORDERS.write_parquet(folder / "part-1.parquet")
    connection.execute('CREATE VIEW "an odd; name" AS SELECT * FROM shop.orders')
    return {
        "a table": "shop.orders",
        "a table in a catalogue": "memory.shop.orders",
        "a view": '"an odd; name"',
        "a relation": connection.sql("SELECT * FROM shop.orders"),
        "a frame": ORDERS,
        "a lazy frame": ORDERS.lazy(),
        "an Arrow table": ORDERS.to_arrow(),
        "files": folder / "part-*.parquet",
    }


def test_tables_are_bound_by_name_relation_frame_or_path(connection, tmp_path):
    plain = fk.Shop(orders=ORDERS, **WARSAW)
    for name, source in sources(connection, tmp_path).items():
        shop = on(connection, source)
        assert_same_numbers(plain, shop, every="1d"), name


def test_a_database_can_be_given_by_its_path_and_is_only_read(tmp_path):
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(path) as connection:
        connection.register("frame", ORDERS)
        connection.execute("CREATE TABLE orders AS SELECT * FROM frame")
    shop = fk.Shop.on(fk.DuckDB(path), orders="orders", **WARSAW)
    assert_same_numbers(fk.Shop(orders=ORDERS, **WARSAW), shop)
    with pytest.raises(fk.DataError, match="read-only"):
        DuckDBConnection.of(path).read("CREATE TABLE x AS SELECT 1")
    with pytest.raises(fk.DataError, match=r"shop'? cannot be opened: IO Error"):
        fk.DuckDB(tmp_path / "no such folder" / "shop")


@pytest.mark.parametrize("zone", [None, "Pacific/Auckland"])
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_times_of_every_precision_are_read(connection, unit, zone):
    time = pl.col("ordered_at").cast(pl.Datetime(unit)).dt.replace_time_zone(zone)
    orders = ORDERS.with_columns(time, clock=pl.lit(dt.time(9)))
    assert_same_numbers(fk.Shop(orders=orders, **WARSAW), on(connection, orders), every="1d")


def test_settings_are_those_of_any_shop(connection):
    renamed = ORDERS.rename({"order_id": "id"})
    rename = {"orders": {"id": "order_id"}}
    settings = {"rename": rename, "assume_empty": ["returns"], "fiscal_year": "04-06"}
    one, two = fk.Shop(orders=renamed, **WARSAW, **settings), on(connection, renamed, **settings)
    metrics = [*METRICS, "net_sales"]
    assert_same_numbers(one, two, metrics, every="1y")
    assert [f"{name}: {list(b.columns)}" for name, b in one.tables.items()] == [
        f"{name}: {list(b.columns)}" for name, b in two.tables.items()
    ]


def test_what_is_wrong_is_found_alike(connection):
    one, two = fk.Shop(orders=ORDERS, **WARSAW), on(connection)
    assert_frame_equal(one.check(), two.check())
    assert "is an empty text" in str(two.check()["check"].to_list())
    assert "is NaN or infinite" in str(two.check()["check"].to_list())
    double = pl.concat([ORDERS, ORDERS[:1]])
    for shop in (fk.Shop(orders=double), on(connection, double)):
        with pytest.raises(fk.ContractError, match=r"order_id: is not unique.*1 row, such as 1"):
            fk.evaluate(shop, "orders")


def test_columns_of_the_wrong_type_are_told_with_the_cast(connection):
    connection.execute(
        "CREATE TABLE odd AS SELECT 1.5 AS order_id, '2024' AS ordered_at, 'paid' AS status"
    )
    with pytest.raises(fk.ContractError) as caught:
        on(connection, "odd")
    remedy = "cast it in a view or a query, and bind that: CAST(… AS"
    assert [str(issue) for issue in caught.value.faults] == [
        f"orders.order_id: expected key, found DECIMAL(2,1); {remedy} VARCHAR)",
        f"orders.ordered_at: expected time, found VARCHAR; {remedy} TIMESTAMP)",
    ]
    customers = pl.DataFrame({"customer_id": [1], "registered_at": [dt.date(2024, 1, 1)]})
    with pytest.raises(fk.ContractError, match=r"to words, CAST\(customer_id AS VARCHAR\)"):
        on(connection, customers=customers)


REFUSED = {
    "no such": r"orders: it cannot be read: Catalog Error.*no such.*does not exist",
    "orders; DROP TABLE shop.orders": r"orders: it cannot be read: Catalog Error",
    "read_csv('x')": r"is not the name of a table; write schema.table",
    "a.b.c.d": r"is not the name of a table; write schema.table",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_table_that_is_not_there_is_told_with_the_words_of_the_database(connection, name):
    with pytest.raises(fk.ContractError, match=REFUSED[name]):
        on(connection, name)
    assert connection.sql("FROM shop.orders").fetchall()


def test_what_is_no_table_is_refused(connection):
    with pytest.raises(fk.ContractError, match="orders: a int is not a table; pass the name"):
        on(connection, 7)
    with pytest.raises(fk.UnknownNameError, match="table or setting named 'order'"):
        fk.Shop.on(fk.DuckDB(connection), order="shop.orders")
    with pytest.raises(fk.DefinitionError, match="engine is"):
        fk.Shop.on(connection, orders="shop.orders")


def test_a_table_that_changes_is_looked_at_anew(connection):
    shop = on(connection)
    assert fk.evaluate(shop, "orders").frame.item() == 3
    connection.execute(
        "INSERT INTO shop.orders SELECT * REPLACE (5 AS order_id, 'PAID' AS status, "
        "ordered_at + INTERVAL 1 YEAR AS ordered_at) FROM shop.orders WHERE order_id = 2"
    )
    assert fk.evaluate(shop, "orders").frame.item() == 4
    connection.execute("INSERT INTO shop.orders SELECT * FROM shop.orders WHERE order_id = 2")
    with pytest.raises(fk.ContractError, match="order_id: is not unique"):
        fk.evaluate(shop, "orders")


def test_files_that_change_are_looked_at_anew(connection, tmp_path, statements):
    file = tmp_path / "orders.parquet"
    ORDERS.write_parquet(file)
    shop = on(connection, file)
    assert fk.evaluate(shop, "orders").frame.item() == 3
    before = len(statements)
    assert fk.evaluate(shop, "orders").frame.item() == 3
    assert len(statements) == before + 1
    ORDERS[:1].write_parquet(file)
    assert fk.evaluate(shop, "orders").frame.item() == 1


def test_a_lost_table_a_changed_one_and_a_closed_connection_are_told(connection):
    shop = on(connection)
    connection.execute("ALTER TABLE shop.orders RENAME gross_amount TO gross")
    with pytest.raises(fk.DataError, match=r"DuckDB could not answer: Binder Error.*bind the shop"):
        fk.evaluate(shop, "gross_sales")
    connection.execute("DROP TABLE shop.orders")
    with pytest.raises(fk.DataError, match=r"DuckDB could not answer: Catalog Error.*orders"):
        fk.evaluate(shop, "orders")
    connection.close()
    with pytest.raises(fk.DataError, match=r"DuckDB could not answer: Connection Error"):
        fk.evaluate(shop, "orders")


def test_an_expression_of_polars_is_refused_before_anything_is_read(connection, statements):
    odd = fk.Metric(name="odd", formula=fk.PolarsExpr("orders", pl.col("gross_amount").skew()))
    shop = on(connection)
    before = len(statements)
    with pytest.raises(fk.UnsupportedError, match=r"odd on DuckDB: the aggregate custom.*frames"):
        fk.evaluate(shop, ["aov", odd], every="1mo")
    # whether tables have changed is all that was read
    assert all("gross_amount" not in statement for statement, _ in statements[before:])
    assert len(statements) <= before + 1


@pytest.fixture(name="statements")
def recorded(monkeypatch):
    """Every statement, with the number of rows that it gave."""
    seen = []
    read = DuckDBConnection.read

    def recording(self, statement):
        found = read(self, statement)
        seen.append((statement, found.height))
        return found

    monkeypatch.setattr(DuckDBConnection, "read", recording)
    return seen


ODD = 'x"; drop table shop.orders; --'
WORDS = ["it's", ODD, "'; drop table shop.orders; --", "\\'; --", "/* */", "--", "$$", "\u2019"]


def test_names_and_words_are_never_read_as_sql(connection, statements):
    words = pl.Series(WORDS[:4])
    frame = ORDERS.rename({"country": ODD}).with_columns(status=words)
    shop = on(connection, frame, guards=False)
    plain = fk.Shop(orders=frame, guards=False, **WARSAW)
    column = fk.Orders.column(ODD, fk.Category)
    for word in WORDS:
        value = fk.Count(fk.Orders, where=column.eq(word) | fk.Orders.status.eq(word))
        one = fk.Metric(name="one", formula=value)
        assert_same_numbers(plain, shop, [one, "orders"], by=[ODD, "status"])
        assert_same_numbers(plain, shop, [one], where=column.ne(word))
    assert connection.sql("FROM shop.orders").shape == ORDERS.shape
    assert len(statements) > 20
    assert all(statement.startswith(("SELECT ", "WITH ")) for statement, _ in statements)


def test_only_aggregated_rows_leave_the_database(connection, statements):
    shop = fk.Shop.on(fk.DuckDB(connection), **demo_frames(), time_zone="Europe/Warsaw")
    metrics = ["conversion_rate", "aov", "cohort_retention", "new_customers"]
    months, channels = 27, 9
    fk.evaluate(shop, metrics[:2], every="1mo", by="channel")
    fk.evaluate(shop, metrics[2:], every="1mo", by="cohort")
    assert len(statements) > 10
    assert max(rows for _, rows in statements) <= months * max(months, channels)
    shop.check()
    assert max(rows for _, rows in statements) <= 1_000


def test_an_unknown_dialect_is_refused(connection):
    with pytest.raises(fk.UnknownNameError, match="dialect named 'postgre'; did you mean"):
        fk.SqlDatabase(connection, dialect="postgre")


class Session:
    """A session that says it is of Spark 4, as Sail's does, and what answers it."""

    version = "4.2.0"

    def __init__(self, answer: str) -> None:
        self.conf, self.answer = {"spark.sql.parser.escapedStringLiterals": "false"}, answer

    def sql(self, _: str) -> "Session":
        return self

    def head(self) -> tuple[str]:
        return (self.answer,)


def test_what_only_speaks_as_spark_does_is_refused():
    assert SparkConnection.of(Session("4.2.0 98bc0212")).dialect == "spark"
    with pytest.raises(fk.UnsupportedError, match=r"Spark 4\.2\.0 that is answered by .* 0\.7\.2"):
        SparkConnection.of(Session("0.7.2"))

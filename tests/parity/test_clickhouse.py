"""One statement on ClickHouse, where chdb is installed, gives the numbers of `evaluate`."""

import datetime as dt

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import funnelkit as fk
from funnelkit.demo_shop.shop import demo_frames
from parity.servers import clickhouse
from parity.shops import as_instants, some_of, with_nulls
from parity.test_to_sql import QUESTIONS, WARSAW, assert_same_rows, writable

slow = pytest.mark.slow
CHANGES = {
    "as it is": lambda frames: frames,
    "instants": as_instants,
    "nulls": lambda frames: with_nulls(as_instants(frames)),
}

SOME = 25
"""Of how many metrics a statement is: the database reads 256 KiB of one."""


pytestmark = pytest.mark.usefixtures("_no_warnings_of_history")


@pytest.fixture(name="run", scope="module")
def database(tmp_path_factory):
    """What runs a statement over frames, on a server that is not in UTC."""
    driver = pytest.importorskip("chdb.dbapi", reason="chdb is not installed")
    folder = tmp_path_factory.mktemp("clickhouse")
    connection = driver.connect()

    def rows_of(statement):
        cursor = connection.cursor()
        cursor.execute(statement)
        rows, names = cursor.fetchall(), [column[0] for column in cursor.description or ()]
        cursor.close()
        return pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)

    def run(frames, statement):
        for name, frame in frames.items():
            file = folder / f"{name}.parquet"
            frame.write_parquet(file)
            rows_of(f"DROP TABLE IF EXISTS {name}")
            rows_of(f"CREATE TABLE {name} ENGINE = Memory AS SELECT * FROM file('{file}', Parquet)")
        return rows_of(statement)

    rows_of("SET session_timezone = 'Asia/Kolkata'")
    yield run
    connection.close()


@slow
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["months", "weeks by channel", "quarters by country and channel"])
def test_one_statement_of_everything_gives_the_numbers_of_evaluate(run, name, change):
    question, frames = QUESTIONS[name], CHANGES[change](some_of(demo_frames()))
    shop = fk.Shop.bind(frames, **WARSAW, guards=change != "nulls")
    metrics = list(writable(shop, question, dialect="clickhouse"))
    assert len(metrics) >= 120
    for start in range(0, len(metrics), SOME):
        some = metrics[start : start + SOME]
        statement = fk.to_sql(shop, some, **question, dialect="clickhouse")
        assert_same_rows(run(frames, statement), fk.evaluate(shop, some, **question))


ODD = ["it's", "\\", "\\'", "100%", "a\nb", " \u00e0", "\u00c0 ", "\u017b", "{x}", "`", '"']
WORDS = pl.DataFrame(
    {
        "order_id": range(len(ODD)),
        "ordered_at": [dt.datetime(1912, 3, 1, 23, 59, 59, 999_999)] * len(ODD),
        "status": ODD,
        "customer_id": ODD,
        "gross_amount": [float(place) for place in range(len(ODD))],
        "discount_amount": [0.0] * len(ODD),
    }
)


@slow
def test_words_and_early_times_are_read_as_they_are(run):
    shop = fk.Shop.bind({"orders": WORDS}, order_policy="all", guards=False)
    of_words = [
        fk.Metric(name=f"m_{n}", formula=fk.Count(fk.Orders, where=fk.Orders.status.eq(word)))
        for n, word in enumerate(ODD)
    ]
    metrics = [*of_words, "orders", "customers", "gross_sales", "median_order_value"]
    for question in ({"every": "1w"}, {"every": "1d", "by": "status"}):
        statement = fk.to_sql(shop, metrics, **question, dialect="clickhouse")
        found = run({"orders": WORDS}, statement)
        assert_same_rows(found, fk.evaluate(shop, metrics, **question))


OF_TYPES = """
CREATE TABLE of_types (
    order_id UInt32, ordered_at DateTime, paid_at Nullable(DateTime('Asia/Kolkata')),
    shipped_at DateTime64(3), status LowCardinality(String),
    country LowCardinality(Nullable(String)), sales_channel Enum8('online' = 1, 'pos' = 2),
    customer_id Int64, gross_amount Decimal(10, 2), discount_amount Float32, born Date, died Date32
) ENGINE = Memory AS SELECT
    order_id, toDateTime('2024-01-31 21:30:00', 'UTC') + order_id * 3600, NULL,
    '2024-02-01 00:00:00.5', 'paid', if(order_id = 1, NULL, 'PL'),
    if(order_id = 1, 'online', 'pos'), 7, order_id + 0.25, 0.5, '2024-01-31', '1912-03-01'
FROM (SELECT arrayJoin([1, 2, 3]) AS order_id)
"""

DIED, BORN = (fk.Orders.column(name, fk.Time) for name in ("died", "born"))
AGE = fk.Mean(fk.Elapsed(DIED, BORN))


@slow
def test_columns_of_every_type_are_read_as_what_they_are():
    clickhouse().cursor().execute("DROP TABLE IF EXISTS of_types")
    clickhouse().cursor().execute(OF_TYPES)
    database = fk.SqlDatabase(clickhouse(), dialect="clickhouse")
    warsaw = {"order_policy": "all", **WARSAW}
    there = fk.Shop.on(database, orders="of_types", **warsaw)
    hours = [dt.datetime(2024, 1, 31, hour, 30, tzinfo=dt.UTC) for hour in (22, 23)]
    frame = pl.DataFrame(
        {
            "order_id": [1, 2, 3],
            "ordered_at": [*hours, dt.datetime(2024, 2, 1, 0, 30, tzinfo=dt.UTC)],
            "status": ["paid"] * 3,
            "country": [None, "PL", "PL"],
            "sales_channel": ["online", "pos", "pos"],
            "customer_id": [7] * 3,
            "gross_amount": [1.25, 2.25, 3.25],
            "discount_amount": [0.5] * 3,
            "born": [dt.date(2024, 1, 31)] * 3,
            "died": [dt.date(1912, 3, 1)] * 3,
        }
    )
    here = fk.Shop(orders=frame, **warsaw)
    metrics = ["orders", "aov", "gross_sales", "new_customers", "repeat_purchase_rate"]
    age = fk.Metric(name="age", formula=AGE)
    for question in ({"every": "1d"}, {"by": ["country", "sales_channel"]}, {"by": "gross_amount"}):
        one, two = (fk.evaluate(shop, [*metrics, age], **question) for shop in (here, there))
        assert_frame_equal(one.tidy(), two.tidy(), rel_tol=1e-9)
    by_day = fk.evaluate(there, "orders", every="1d").frame
    assert by_day["orders"].to_list() == [1, 2]


def test_what_clickhouse_would_read_otherwise_is_not_written():
    shop = fk.Shop.bind(as_instants(some_of(demo_frames())), **WARSAW)
    metrics = ["aov", "average_session_duration", "median_order_value", "sessions"]
    statement = fk.to_sql(shop, metrics, every="1w", by="channel", dialect="clickhouse")
    assert statement.endswith("session_timezone = 'UTC'")
    for wrong in ("LOGICAL_AND", "UNIX_MICROS", "PERCENTILE_CONT", "(DateTime)", "(DATE)"):
        assert wrong not in statement
    assert "ARRAY JOIN" in fk.to_sql(shop, "marketing_roi", every="1mo", dialect="clickhouse")

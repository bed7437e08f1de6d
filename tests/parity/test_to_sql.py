"""One statement gives the numbers that `evaluate` gives: run on DuckDB, parsed back elsewhere."""

import datetime as dt

import duckdb
import polars as pl
import pytest
import sqlglot
from polars.testing import assert_frame_equal

import funnelkit as fk
from funnelkit.demo_shop.shop import demo_frames
from funnelkit.engines.sql import dialects
from funnelkit.engines.supports import DIALECTS, SUPPORTS
from parity.both import with_settings
from parity.shops import some_of

METRICS = tuple(fk.registry().values())
WARSAW = {"time_zone": "Europe/Warsaw", "currency": "PLN"}
QUESTIONS = {
    "nothing": {},
    "months": {"every": "1mo"},
    "weeks by channel": {"every": "1w", "by": "channel", "end": "2024-12-01"},
    "quarters by country and channel": {"every": "1q", "by": ["country", "channel"]},
    "a range with silent months": {"every": "1mo", "start": "2023-10-01", "end": "2024-06-01"},
    "customers": {"by": "customer_key", "where": "country == 'PL'"},
}
LEAST = dict(zip(QUESTIONS, (193, 212, 155, 155, 212, 104), strict=True))
"""Of how many metrics there is a statement, at least."""


pytestmark = pytest.mark.usefixtures("_no_warnings_of_history")


@pytest.fixture(name="shop", scope="module")
def some_of_the_demo_shop():
    return fk.Shop.bind(some_of(demo_frames()), **WARSAW)


@pytest.fixture(name="connection", scope="module")
def database():
    connection = with_settings(duckdb.connect())
    for name, frame in some_of(demo_frames()).items():
        connection.register(name, frame)
    yield connection
    connection.close()


def writable(shop, question, **dialect):
    """Every metric of which there is a statement, with it."""
    found = {}
    for metric in METRICS:
        try:
            found[metric] = fk.to_sql(shop, metric, **question, **dialect)
        except fk.FunnelkitError:
            continue
    return found


def assert_same(connection, statement, result):
    assert_same_rows(pl.DataFrame(connection.sql(statement)), result)


def assert_same_rows(found, result):
    wanted = result.frame
    keys = [name for name in wanted.columns if name in {"period", *result.keys}]
    found = found.sort(keys, nulls_last=True) if keys else found
    assert_frame_equal(wanted, found, rel_tol=1e-9, abs_tol=1e-9, check_dtypes=False)


NET = fk.parse("sum(orders.gross_amount) - sum(orders.discount_amount)")
LOOKING_BACK = [
    *("retained_customers", "resurrected_customers", "orders", "churn", "repeat_purchase_rate"),
    fk.Metric(name="net_two_before", formula=fk.Shift(NET, 2)),
    fk.Metric(name="net_to_date", formula=fk.Cumulative(NET)),
    fk.Metric(name="net_to_date_before", formula=fk.Shift(fk.Cumulative(NET), 1)),
    fk.Metric(name="net_a_day", formula=NET / fk.PeriodDays()),
    fk.Metric(name="net_a_day_before", formula=fk.Shift(NET / fk.PeriodDays(), 1)),
]


@pytest.mark.parametrize("by", [[], ["country"]])
@pytest.mark.parametrize("start", ["2023-10-01", "2024-11-01", "2024-12-01"])
@pytest.mark.parametrize("end", [None, "2024-12-15"])
def test_rows_before_the_range_are_looked_back_on_and_not_shown(connection, shop, by, start, end):
    question = {"every": "1mo", "start": start, "end": end, "by": by}
    result = fk.evaluate(shop, LOOKING_BACK, **question)
    assert_same(connection, fk.to_sql(shop, LOOKING_BACK, **question), result)


@pytest.mark.parametrize("metric", ["retained_customers", "churn"])
@pytest.mark.parametrize("start", ["2023-10-01", "2024-12-01"])
def test_a_metric_alone_looks_back_as_far(connection, shop, metric, start):
    question = {"every": "1mo", "start": start, "by": ["country"]}
    result = fk.evaluate(shop, metric, **question)
    assert_same(connection, fk.to_sql(shop, metric, **question), result)


@pytest.mark.parametrize("every", ["1w", "1q", "10d"])
def test_earlier_periods_and_totals_to_date_are_those_of_other_calendars(connection, shop, every):
    question = {"every": every, "by": "channel", "start": None, "end": "2024-12-15"}
    result = fk.evaluate(shop, LOOKING_BACK, **question)
    assert_same(connection, fk.to_sql(shop, LOOKING_BACK, **question), result)


def test_a_total_to_date_begins_with_the_first_row_of_its_group(connection):
    first, last = dt.datetime(2024, 1, 5), dt.datetime(2024, 3, 5)
    rows = [("a", first, 2.0), ("a", last, 3.0), ("b", last, None), (None, last, 5.0)]
    frame = pl.DataFrame(rows, schema=["country", "ordered_at", "gross_amount"], orient="row")
    orders = frame.with_row_index("order_id").with_columns(status=pl.lit("paid"))
    shop = fk.Shop.on(fk.DuckDB(connection), orders=orders)
    metrics = [fk.Metric(name="to_date", formula=fk.Cumulative(fk.Sum(fk.Orders.gross_amount)))]
    statement = fk.to_sql(shop, metrics, every="1mo", by="country")
    assert_same(connection, statement, fk.evaluate(shop, metrics, every="1mo", by="country"))
    found = [row[1:] for row in connection.sql(statement).fetchall()]
    assert found == [("a", 2.0), ("a", 2.0), ("a", 5.0), ("b", 0.0), (None, 5.0)]


WITHOUT_KEY = [
    metric
    for metric in METRICS
    if not metric.required_dimension and metric.name != "sales_growth_rate"
]
"""All but one, which sets an open period beside the same part of an earlier one."""


def test_one_statement_of_everything_gives_the_numbers_of_evaluate(shop, connection):
    question = QUESTIONS["a range with silent months"]
    result = fk.evaluate(shop, WITHOUT_KEY, **question)
    assert_same(connection, fk.to_sql(shop, WITHOUT_KEY, **question), result)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["months", "weeks by channel"])
def test_one_statement_of_all_that_can_be_asked_gives_the_numbers_of_evaluate(
    shop, connection, name
):
    question = QUESTIONS[name]
    metrics = list(writable(shop, question))
    assert len(metrics) >= LEAST[name]
    result = fk.evaluate(shop, metrics, **question)
    assert_same(connection, fk.to_sql(shop, metrics, **question), result)


@pytest.mark.slow
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_statement_of_each_metric_gives_its_numbers(shop, connection, name):
    statements = writable(shop, QUESTIONS[name])
    assert len(statements) >= LEAST[name]
    for metric, statement in statements.items():
        assert_same(connection, statement, fk.evaluate(shop, metric, **QUESTIONS[name]))


@pytest.mark.parametrize("by", [(), ("channel",)])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_statement_is_read_back_in_its_dialect(shop, dialect, by):
    metrics = ["conversion_rate", "aov", "net_sales", "churn", "repeat_purchase_rate"]
    if not any(feature.name == "quantile" for feature in SUPPORTS[dialect].lacks):
        metrics.append("median_order_value")
    statement = fk.to_sql(shop, metrics, every="1mo", by=by, dialect=dialect)
    assert "GENERATE_DATE_ARRAY" not in statement or dialect == "bigquery"
    (found,) = sqlglot.parse(statement, dialect=dialect)
    names = ["period", *by, *(fk.describe(metric).metric.name for metric in metrics)]
    assert [name.lower() for name in found.named_selects] == names
    assert all(fk.describe(name).metric.fingerprint in statement for name in metrics)


@pytest.mark.parametrize("start", [None, "2024-11-01"])
def test_periods_are_counted_up_where_there_are_no_series(shop, connection, monkeypatch, start):
    monkeypatch.setattr(dialects, "WITHOUT_SERIES", frozenset({"duckdb"}))
    for by in ((), ("channel",)):
        question = {"every": "1mo", "start": start, "by": by}
        statement = fk.to_sql(shop, LOOKING_BACK, **question)
        assert "WITH RECURSIVE" in statement
        assert_same(connection, statement, fk.evaluate(shop, LOOKING_BACK, **question))


ORDERS = pl.DataFrame(
    {
        "order_id": [1, 2, 3],
        "ordered_at": [dt.date(2024, 1, 31), dt.date(2024, 1, 31), dt.date(2024, 4, 1)],
        "status": ["Paid ", "cancelled", "PAID"],
        "gross_amount": [0.3, 0.0, 0.5],
        "discount_amount": [0.1 + 0.2, 0.0, 0.25],
        'x"; --': ["it's", None, "'; DROP TABLE orders; --"],
    }
)


def test_what_is_nearly_nothing_is_nothing_and_nothing_divides_to_null(connection):
    shop = fk.Shop.on(fk.DuckDB(connection), orders=ORDERS)
    per_day = fk.Metric(name="ratio", formula=fk.parse("sum(orders.discount_amount)") / NET)
    metrics = ["gross_sales", fk.Metric(name="net", formula=NET), per_day, "orders"]
    for question in ({"every": "1mo"}, {"by": 'x"; --'}):
        statement = fk.to_sql(shop, metrics, **question)
        assert_same(connection, statement, fk.evaluate(shop, metrics, **question))
    rows = connection.sql(fk.to_sql(shop, metrics, every="1mo")).fetchall()
    assert rows[0][1:] == (0.3, 0.0, None, 1)
    assert [row[-1] for row in rows] == [1, 0, 0, 1]
    assert connection.sql("FROM orders").fetchall()


def test_what_leaves_the_numbers_is_null(connection):
    amounts = pl.Series([1e308, 1e308, 1e-308])
    shop = fk.Shop.on(fk.DuckDB(connection), orders=ORDERS.with_columns(gross_amount=amounts))
    gross = fk.Sum(fk.Orders.gross_amount)
    formulas = {"gross": gross, "nothing": gross - gross, "squared": gross * gross}
    metrics = ["orders", *(fk.Metric(name=name, formula=f) for name, f in formulas.items())]
    for question in ({}, {"every": "1mo"}):
        statement = fk.to_sql(shop, metrics, **question)
        assert_same(connection, statement, fk.evaluate(shop, metrics, **question))
    assert connection.sql(fk.to_sql(shop, metrics)).fetchall() == [(2, None, None, None)]


def test_a_frame_without_rows_is_read_by_its_name():
    shop = fk.Shop(orders=ORDERS.clear(), assume_empty=["returns"])
    statement = fk.to_sql(shop, ["gross_sales", "net_sales"], dialect="postgres")
    assert 'FROM "orders"' in statement
    assert 'FROM "returns"' not in statement


REFUSED = [
    ("orders", {"every": "6h"}, "periods of hours"),
    ("orders", {"every": ["2024-01-01", "2024-02-03"]}, "need a key"),
    ("sales_growth_rate", {"every": "1mo"}, "rate: an open period is set beside the same part"),
    (
        "churn",
        {
            "every": ["2024-01-01", "2024-02-03", "2024-03-01"],
            "start": "2024-02-03",
            "by": "channel",
        },
        "rate: it looks back",
    ),
    ("daily_demand", {"every": "1mo", "start": "2024-01-01T12:00"}, "demand: it divides by the da"),
    ("rfm_score", {"by": "customer_key"}, "QuantileBucket"),
    (fk.Metric(name="m", formula=fk.PolarsExpr("orders", pl.len())), {}, "m on DuckDB: .*custom"),
]


@pytest.mark.parametrize(("metric", "question", "why"), REFUSED, ids=lambda part: str(part)[:20])
def test_what_needs_more_than_one_statement_is_refused_by_name(shop, metric, question, why):
    with pytest.raises(fk.UnsupportedError, match=why):
        fk.to_sql(shop, metric, **question)
    with pytest.raises(fk.UnknownNameError, match="dialect named 'duck'; did you mean 'duckdb'"):
        fk.to_sql(shop, metric, dialect="duck")


@pytest.mark.parametrize("dialect", ["trino", "bigquery"])
def test_what_a_dialect_does_not_have_is_refused_by_name(shop, dialect):
    with pytest.raises(fk.UnsupportedError, match=r"median_order_value on \w+: the aggregate quan"):
        fk.to_sql(shop, ["aov", "median_order_value"], dialect=dialect)


def test_times_keep_their_microseconds_on_trino():
    last = pl.lit(dt.datetime(2024, 1, 1, 23, 59, 59, 999_999))
    shop = fk.Shop(orders=ORDERS.with_columns(last.alias("ordered_at")))
    noon = dt.datetime(2024, 1, 1, 12)
    statement = fk.to_sql(shop, "orders", start=noon, end="2024-01-02", dialect="trino")
    assert "CAST('2024-01-01 12:00:00' AS TIMESTAMP(6))" in statement
    assert "AS TIMESTAMP)" not in statement


def test_clocks_and_instants_are_kept_apart_on_bigquery():
    at = pl.col("ordered_at").cast(pl.Datetime("us", "UTC"))
    shop = fk.Shop(orders=ORDERS.with_columns(at), time_zone="Asia/Kolkata")
    noon = dt.datetime(2024, 1, 1, 12)
    statement = fk.to_sql(shop, "orders", start=noon, every="1w", dialect="bigquery")
    assert "DATETIME(`o3`.`ordered_at`, 'Asia/Kolkata')" in statement
    assert "TIMESTAMP(DATETIME(" not in statement

"""A connection of any dialect: what is asked of it, and what its columns are read as."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
import sqlglot
from sqlglot import exp

import funnelkit as fk
from funnelkit.engines.sql import nodes
from funnelkit.engines.sql.column_types import found_column
from funnelkit.engines.sql.dialects import part_text
from funnelkit.engines.sql.names import quoted, quoted_column
from funnelkit.engines.sql.operations import BINARY, CONSTANT, distinct
from funnelkit.engines.supports import DIALECTS, SUPPORTS
from funnelkit.errors import UncomparedDialectWarning
from funnelkit.planning.relations import Op, whole

INSTANT, LOCAL = pl.Datetime("us", "UTC"), pl.Datetime("us")
ODD = 'x"; `drop'


class Driver:
    """A connection that is asked, and answers what it is told to."""

    def __init__(self, columns: Sequence[tuple[str, str]], times: int = 1) -> None:
        self.columns, self.times = columns, times
        self.statements: list[str] = []
        self.description: list[tuple[str]] = []
        self.rows: Sequence[Any] = []
        self.fault: Exception | None = None

    def cursor(self) -> "Driver":
        return self

    def execute(self, statement: str) -> None:
        self.statements.append(statement)
        if self.fault is not None:
            raise self.fault
        if any(word in statement for word in ("column_name", "pg_attribute", "DESCRIBE")):
            self.description, self.rows = [("name",), ("type",)], self.columns
        elif "COUNT(*)" in statement:
            ends = [f"orders.{place}" for place in range(1 + 2 * self.times)]
            self.description, self.rows = [(name,) for name in ends], [(7, *[0] * 2 * self.times)]
        else:
            self.description, self.rows = [("c",)], [("%%",)]

    def fetchall(self) -> Sequence[Any]:
        return self.rows

    def close(self) -> None:
        self.rows = []

    def rollback(self) -> None:
        raise NotImplementedError


TEXT = {"bigquery": "STRING", "clickhouse": "Nullable(String)", "snowflake": "VARCHAR(16777216)"}
NUMBER = {"bigquery": "FLOAT64", "clickhouse": "Float64", "snowflake": "FLOAT"}
CLOCK = {"bigquery": "DATETIME", "clickhouse": "DateTime", "snowflake": "TIMESTAMP_NTZ(9)"}


def driver_of(dialect: str) -> Driver:
    text, number, clock = (
        of.get(dialect, other)
        for of, other in ((TEXT, "varchar"), (NUMBER, "double precision"), (CLOCK, "timestamp"))
    )
    if dialect in {"trino", "spark"}:
        number = "double"
    names = ("order_id", "status", ODD, "ordered_at", "gross_amount")
    if dialect == "snowflake":
        names = tuple(name.upper() if name != ODD else name for name in names)
    return Driver(list(zip(names, (text, text, text, clock, number), strict=True)))


def database(driver: Any, dialect: str) -> fk.SqlDatabase:
    if SUPPORTS[dialect].is_run:
        return fk.SqlDatabase(driver, dialect=dialect)
    with pytest.warns(UncomparedDialectWarning, match=f"^{SUPPORTS[dialect].title}: .*compare"):
        return fk.SqlDatabase(driver, dialect=dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_database_is_only_read_by_quoted_names_and_its_errors_are_told(dialect):
    driver = driver_of(dialect)
    shop = fk.Shop.on(database(driver, dialect), orders="web.orders", order_policy="all")
    assert sorted(shop.data.tables["orders"].columns) == sorted(
        ["order_id", "status", ODD, "ordered_at", "gross_amount"]
    )
    driver.fault = ValueError("no warehouse is running")
    with pytest.raises(fk.DataError, match=rf"{SUPPORTS[dialect].title} could not answer: no ware"):
        fk.evaluate(shop, ["orders", "gross_sales"], by=ODD, where="status == 'it''s \"'")
    assert len(driver.statements) >= 5
    for statement in driver.statements:
        assert statement.startswith(("SELECT ", "WITH ", "DESCRIBE "))
        if statement.startswith("DESCRIBE"):
            continue
        (parsed,) = sqlglot.parse(statement, dialect=dialect)
        assert parsed is not None
        places = [n for n in parsed.find_all(exp.Identifier) if n.name.lower() == "web"]
        assert all(place.quoted for place in places)


def test_names_of_snowflake_are_those_that_nobody_put_in_quotes():
    driver = driver_of("snowflake")
    shop = fk.Shop.on(database(driver, "snowflake"), orders="web.orders", order_policy="all")
    assert driver.statements[1:3] == [
        'SELECT * FROM "WEB"."ORDERS" LIMIT 0',
        'DESCRIBE TABLE "WEB"."ORDERS"',
    ]
    statement = fk.to_sql(shop, "orders", by=ODD, dialect="snowflake")
    assert '"O1"."ORDERED_AT"' in statement
    assert '"x""; `drop"' in statement
    assert '"ordered_at"' not in statement


DESCRIBED: dict[str, tuple[str, str]] = {
    "bigquery": (
        "my-project.web.orders",
        "SELECT column_name, data_type FROM `my-project`.`web`.`INFORMATION_SCHEMA.COLUMNS`",
    ),
    "redshift": ("web.orders", "SELECT column_name, data_type FROM svv_columns"),
    "trino": ("lake.web.orders", 'DESCRIBE "lake"."web"."orders"'),
    "clickhouse": ("web.orders", 'DESCRIBE TABLE "web"."orders"'),
}


@pytest.mark.parametrize("dialect", DESCRIBED)
def test_columns_are_read_from_the_database_itself(dialect):
    driver = driver_of(dialect)
    name, asked = DESCRIBED[dialect]
    fk.Shop.on(database(driver, dialect), orders=name, order_policy="all")
    assert driver.statements[2].startswith(asked)
    if dialect in {"bigquery", "redshift"}:
        assert "table_name = 'orders'" in driver.statements[2]


TYPES: dict[str, dict[str, Any]] = {
    "clickhouse": {
        "LowCardinality(Nullable(String))": pl.String(),
        "Enum8('a' = 1, 'b' = 2)": pl.String(),
        "Nullable(Decimal(10, 2))": pl.Decimal(38, 9),
        "UInt64": pl.UInt64(),
        "Int256": pl.Int128(),
        "Date32": pl.Date(),
        "DateTime": INSTANT,
        "Nullable(DateTime('Europe/Warsaw'))": INSTANT,
        "DateTime64(3)": INSTANT,
        "DateTime64(6, 'UTC')": INSTANT,
        "FixedString(3)": pl.Binary(),
        "SimpleAggregateFunction(sum, UInt64)": pl.Binary(),
    },
    "bigquery": {
        "INT64": pl.Int64(),
        "BIGNUMERIC(40, 2)": pl.Decimal(38, 9),
        "DATETIME": LOCAL,
        "TIMESTAMP": INSTANT,
        "ARRAY<INT64>": pl.Binary(),
    },
    "snowflake": {
        "NUMBER(38,0)": pl.Int64(),
        "NUMBER(10,2)": pl.Decimal(38, 9),
        "TIMESTAMP_NTZ(9)": LOCAL,
        "TIMESTAMP_LTZ(9)": INSTANT,
        "TIMESTAMP_TZ(9)": INSTANT,
        "VARIANT": pl.Binary(),
    },
    "trino": {
        "timestamp(3)": LOCAL,
        "timestamp(6) with time zone": INSTANT,
        "decimal(10,2)": pl.Decimal(38, 9),
        "unknown": pl.Null(),
        "row(a bigint)": pl.Binary(),
    },
    "redshift": {
        "character varying": pl.String(),
        "timestamp without time zone": LOCAL,
        "timestamp with time zone": INSTANT,
        "super": pl.Binary(),
    },
    "duckdb": {'"NULL"': pl.Null(), "TIMESTAMPTZ_NS": INSTANT, "DECIMAL(18,3)[]": pl.Binary()},
    "spark": {"void": pl.Null(), "interval day to second": pl.Duration("us"), "timestamp": INSTANT},
    "postgres": {"numeric(10,2)": pl.Float64(), "citext": pl.Binary(), "integer[]": pl.Binary()},
}


@pytest.mark.parametrize("dialect", TYPES)
def test_types_are_read_as_the_dialect_means_them(dialect):
    found = {kind: found_column("c", kind, dialect).dtype for kind in TYPES[dialect]}
    assert found == TYPES[dialect]


def test_what_needs_a_cast_is_not_read_as_it_is():
    of_clickhouse = {"Date": None, "Date32": "day", "LowCardinality(String)": None, "String": "str"}
    found = {kind: found_column("c", kind, "clickhouse").exact for kind in of_clickhouse}
    assert found == of_clickhouse
    assert found_column("c", "timestamp(3)", "trino").exact is None
    assert found_column("c", "NUMBER(38,0)", "snowflake").exact is None


X, N = (quoted_column(name, "") for name in "xn")
PARTS: dict[str, exp.Expr] = {
    "micros": exp.UnixMicros(this=X),
    "clock": nodes.UtcClock(this=X),
    "instant": nodes.UtcInstant(this=X),
    "days": CONSTANT[Op.SHIFT_DAYS](X, whole(-13)),
    "months": CONSTANT[Op.FLOOR_MONTHS](X, whole(1)),
    "seconds": nodes.SecondsLater(this=X, expression=N),
    "hours": exp.IntDiv(this=X, expression=exp.Literal.number(24)),
    "keys": exp.NullSafeEQ(this=X, expression=N),
    "more": BINARY[Op.GT](distinct(X, "float"), N),
}
WRITTEN: dict[str, tuple[str, ...]] = {
    "bigquery": (
        "UNIX_MICROS(`x`)",
        "DATETIME(`x`, 'UTC')",
        "TIMESTAMP(`x`, 'UTC')",
        "CAST(DATE_ADD(`x`, INTERVAL (-13) DAY) AS DATE)",
        "CAST(DATE_TRUNC(`x`, MONTH) AS DATE)",
        "DATETIME_ADD(`x`, INTERVAL `n` SECOND)",
        "DIV(`x`, 24)",
        "`x` IS NOT DISTINCT FROM `n`",
        "`x` > `n`",
    ),
    "redshift": (
        "DATEDIFF(MICROSECOND, CAST('1970-01-01 00:00:00' AS TIMESTAMP), \"x\" AT TIME ZONE 'UTC')",
        "(\"x\" AT TIME ZONE 'UTC')",
        "(\"x\" AT TIME ZONE 'UTC')",
        'CAST(DATEADD(DAY, CAST(-13 AS INTEGER), "x") AS DATE)',
        "CAST(DATE_TRUNC('MONTH', CAST(\"x\" AS TIMESTAMP)) AS DATE)",
        'DATEADD(SECOND, CAST("n" AS INTEGER), "x")',
        '"x" / 24',
        '("x" = "n" OR ("x" IS NULL AND "n" IS NULL))',
        '"x" > "n"',
    ),
    "snowflake": (
        'DATE_PART(EPOCH_MICROSECOND, "X")',
        "CAST(CONVERT_TIMEZONE('UTC', \"X\") AS TIMESTAMPNTZ)",
        'TO_TIMESTAMP_TZ(DATE_PART(EPOCH_MICROSECOND, "X"), 6)',
        'CAST(DATEADD(DAY, (-13), "X") AS DATE)',
        "CAST(DATE_TRUNC('MONTH', \"X\") AS DATE)",
        'DATEADD(SECOND, "N", "X")',
        'CAST(("X" - "X" % 24) / 24 AS BIGINT)',
        '"X" IS NOT DISTINCT FROM "N"',
        '"X" > "N"',
    ),
    "trino": (
        'CAST(ROUND(TO_UNIXTIME("x") * 1e6) AS BIGINT)',
        "CAST(AT_TIMEZONE(\"x\", 'UTC') AS TIMESTAMP(6))",
        "WITH_TIMEZONE(\"x\", 'UTC')",
        "CAST(DATE_ADD('DAY', (-13), \"x\") AS DATE)",
        "CAST(DATE_TRUNC('MONTH', \"x\") AS DATE)",
        'DATE_ADD(\'SECOND\', CAST("n" AS BIGINT), "x")',
        '"x" / 24',
        '"x" IS NOT DISTINCT FROM "n"',
        '("x" > CAST("n" AS DOUBLE) OR (IS_NAN("x") AND NOT IS_NAN(CAST("n" AS DOUBLE))))',
    ),
}


@pytest.mark.parametrize("dialect", WRITTEN)
def test_parts_are_written_as_the_documentation_has_them(dialect):
    found = {name: part_text(part.copy(), dialect) for name, part in PARTS.items()}
    assert found == dict(zip(PARTS, WRITTEN[dialect], strict=True))


def test_days_are_rows_that_have_a_name_where_there_are_any():
    names = exp.TableAlias(this=quoted("each"), columns=[quoted("day")])
    step = exp.Interval(this=exp.Literal.string("1"), unit=exp.var("DAY"))
    days = nodes.EachDate(start=X, end=N, step=step, alias=names)
    assert part_text(days.copy(), "bigquery") == (
        "UNNEST(ARRAY(SELECT AS STRUCT `day` FROM "
        "UNNEST(GENERATE_DATE_ARRAY(`x`, `n`, INTERVAL '1' DAY)) AS `day`)) AS `each`"
    )
    assert part_text(days.copy(), "trino").startswith('UNNEST(CASE WHEN "x" <= "n" THEN SEQUENCE(')
    lacking = {d for d in DIALECTS for f in SUPPORTS[d].lacks if f.name == "EachDay"}
    assert lacking == {"redshift", "snowflake"}

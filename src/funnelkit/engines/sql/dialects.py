"""The dialects in which statements are run, and how the rest of them are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import new_class
from typing import Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.generator import Generator

from funnelkit.engines.sql import clickhouse, nodes, warehouses
from funnelkit.errors import UnsupportedError, shortened

__all__ = [
    "WITHOUT_CLOCKS",
    "WITHOUT_IGNORE_NULLS",
    "WITHOUT_SERIES",
    "WITH_FAST_IN",
    "part_text",
    "text",
]

Sql = exp.Expr
Write = Callable[[Any, Any], str]
"""Returns the text of a node, by a generator."""

UTC = exp.Literal.string("UTC")
MICROSECONDS = exp.cast(exp.Literal.number(1_000_000), exp.DType.BIGINT)
EPOCH = exp.cast(exp.Literal.string("1970-01-01 00:00:00"), exp.DType.TIMESTAMPNTZ)
INFINITY = exp.cast(exp.Literal.string("Infinity"), exp.DType.DOUBLE)
CLOCK = exp.Literal.string("%Y-%m-%d %H:%M:%S.%f")

LONGEST_NAME = 63
"""How many bytes of a name PostgreSQL reads."""

WITHOUT_IGNORE_NULLS = frozenset({"clickhouse", "postgres"})
"""The dialects in which no window passes over nulls."""

WITH_FAST_IN = frozenset({"duckdb"})
"""The dialects in which IN finds the keys of a subquery faster than a join does."""

WITHOUT_CLOCKS = frozenset({"clickhouse"})
"""The dialects in which every time is an instant, which statements read in UTC."""

WITHOUT_SERIES = frozenset({"clickhouse", "redshift", "snowflake"})
"""The dialects that make no rows of a series of days."""


def _call(name: str, *args: Sql) -> Sql:
    return exp.Anonymous(this=name, expressions=list(args))


def _interval(unit: str, size: str = "1") -> Sql:
    return exp.Interval(this=exp.Literal.string(size), unit=exp.var(unit))


def _local(value: Sql) -> Sql:
    return exp.cast(value, exp.DType.TIMESTAMPNTZ, copy=False)


def _times(number: Sql, unit: str) -> Sql:
    return exp.Mul(this=number, expression=_interval(unit))


def _as(change: Callable[[Any], Sql]) -> Write:
    """Return what writes a node as another expression."""

    def write(self: Generator, node: Sql) -> str:
        return self.sql(change(node))

    return write


def _ordered(self: Generator, ordered: exp.Ordered) -> str:
    direction = "DESC" if ordered.args.get("desc") else "ASC"
    nulls = "FIRST" if ordered.args.get("nulls_first") else "LAST"
    return f"{self.sql(ordered, 'this')} {direction} NULLS {nulls}"


def _quantile(self: Generator, node: exp.PercentileCont) -> str:
    share, value = self.sql(node, "expression"), self.sql(node, "this")
    return f"PERCENTILE_CONT({share}) WITHIN GROUP (ORDER BY {value})"


def _unnested(table: nodes.EachDate) -> Sql:
    start, end, step = (table.args[name] for name in ("start", "end", "step"))
    days = exp.GenerateDateArray(start=start, end=end, step=step)
    return exp.Unnest(expressions=[days], alias=table.args["alias"])


def _hour_start(node: nodes.HourStart) -> Sql:
    return exp.TimestampTrunc(this=node.this, unit=exp.var("HOUR"))


def _month_start(node: nodes.MonthStart) -> Sql:
    return exp.TimestampTrunc(this=node.this, unit=exp.var("MONTH"))


def _clock_text(node: nodes.ClockText) -> Sql:
    return exp.TimeToStr(this=node.this, format=CLOCK)


def _zone_clock(node: nodes.ZoneClock) -> Sql:
    return exp.AtTimeZone(this=_operand(node.this), zone=node.expression)


def _days_between(node: nodes.DaysBetween) -> Sql:
    return exp.DateDiff(this=node.this, expression=node.expression, unit=exp.var("DAY"))


def _count_where(node: nodes.CountWhere) -> Sql:
    counted = exp.If(this=node.this, true=exp.Literal.number(1))
    return exp.Count(this=exp.Case(ifs=[counted]))


def _is_finite(node: nodes.IsFinite) -> Sql:
    return _call("ISFINITE", node.this)


def _nearest(node: nodes.Nearest) -> Sql:
    is_next = bool(node.args["is_next"])
    side, kind = ("FOLLOWING", exp.FirstValue) if is_next else ("PRECEDING", exp.LastValue)
    ends: list[Any] = [exp.Literal.number(1), "UNBOUNDED"]
    start, end = ends if is_next else reversed(ends)
    spec = exp.WindowSpec(kind="ROWS", start=start, start_side=side, end=end, end_side=side)
    found = exp.IgnoreNulls(this=kind(this=node.this))
    return exp.Window(this=found, spec=spec, **_rows_of(node))


def _beside(node: nodes.Nearest) -> Sql:
    kind = exp.Lead if node.args["is_next"] else exp.Lag
    return exp.Window(this=kind(this=node.this), **_rows_of(node))


def _rows_of(node: nodes.Nearest) -> dict[str, Any]:
    return {name: node.args[name] for name in ("partition_by", "order")}


def _operand(value: Sql) -> Sql:
    return value if isinstance(value, exp.Column | exp.Func) else exp.paren(value, copy=False)


def _inner(node: nodes.ByCodePoint | nodes.ByValue) -> Sql:
    found: Sql = node.this
    return found


def _as_much_earlier(node: nodes.AsMuchEarlier) -> Sql:
    passed = exp.Sub(this=_operand(node.args["late"]), expression=_operand(node.args["early"]))
    found = exp.Sub(this=_operand(node.this), expression=exp.paren(passed, copy=False))
    return exp.paren(found, copy=False)


def _later(node: nodes.Later) -> Sql:
    value, number, unit = node.this, node.expression, node.args["unit"].name
    is_back = isinstance(number, exp.Neg)
    size = number.this if is_back else number
    literal = isinstance(size, exp.Literal)
    length = _interval(unit, size.name) if literal else _times(_operand(size), unit)
    kind = exp.Sub if is_back else exp.Add
    step = length if literal else exp.paren(length, copy=False)
    return exp.paren(kind(this=_operand(value), expression=step), copy=False)


_SHARED: Mapping[type[Sql], Callable[[Any], Sql]] = {
    nodes.AsMuchEarlier: _as_much_earlier,
    nodes.ByCodePoint: _inner,
    nodes.ByValue: _inner,
    nodes.ClockText: _clock_text,
    nodes.CountWhere: _count_where,
    nodes.DaysBetween: _days_between,
    nodes.EachDate: _unnested,
    nodes.HourStart: _hour_start,
    nodes.IsFinite: _is_finite,
    nodes.Later: _later,
    nodes.MonthStart: _month_start,
    nodes.Nearest: _nearest,
    nodes.ZoneClock: _zone_clock,
}
"""How nodes are written where nothing else is said."""


# DuckDB: times by their microseconds, as zones and intervals take ten times as long; counts of
# rows by a filter, as CASE takes a tenth of the query more ------------------------------------


def _count_filtered(node: nodes.CountWhere) -> Sql:
    rows = exp.Count(this=exp.Star())
    return exp.Filter(this=rows, expression=exp.Where(this=node.this))


def _micros(time: Sql) -> Sql:
    return _call("EPOCH_US", time)


def _duckdb_later(later: nodes.SecondsLater) -> Sql:
    shift = exp.Mul(this=later.expression, expression=MICROSECONDS)
    return _call("MAKE_TIMESTAMP", exp.Add(this=_micros(later.this), expression=shift))


def _days_earlier(earlier: nodes.DaysEarlier) -> Sql:
    number = exp.cast(earlier.expression, exp.DType.INT, copy=False)
    return exp.paren(exp.Sub(this=earlier.this, expression=number), copy=False)


DUCKDB: Mapping[type[Sql], Callable[[Any], Sql]] = {
    **_SHARED,
    nodes.CountWhere: _count_filtered,
    nodes.DaysEarlier: _days_earlier,
    nodes.SecondsLater: _duckdb_later,
    nodes.SecondsOf: lambda node: _call("EPOCH", node.this),
    nodes.UtcClock: lambda clock: _call("MAKE_TIMESTAMP", _micros(clock.this)),
    nodes.UtcInstant: lambda instant: _call("MAKE_TIMESTAMPTZ", _micros(instant.this)),
}


# PostgreSQL: a day is cast before it is cut, as the database would read it in a zone ----------


def _at_utc(node: Sql) -> Sql:
    return exp.AtTimeZone(this=_operand(node.this), zone=UTC)


def _epoch(value: Sql) -> Sql:
    return exp.Extract(this=exp.var("EPOCH"), expression=value)


def _postgres_micros(node: exp.UnixMicros) -> Sql:
    micros = exp.Mul(this=_epoch(node.this), expression=exp.Literal.number(1_000_000))
    return exp.cast(micros, exp.DType.BIGINT, copy=False)


def _postgres_later(later: nodes.SecondsLater) -> Sql:
    shift = _times(later.expression, "SECOND")
    return exp.paren(exp.Add(this=later.this, expression=shift), copy=False)


def _postgres_days(table: nodes.EachDate) -> Sql:
    ends = (_local(table.args[name]) for name in ("start", "end"))
    place, each = table.args["alias"], exp.to_identifier("each_time", quoted=True)
    series = _call("GENERATE_SERIES", *ends, table.args["step"])
    names = exp.TableAlias(this=exp.to_identifier("series", quoted=True), columns=[each])
    day = exp.cast(exp.Column(this=each), exp.DType.DATE)
    named = exp.Alias(this=day, alias=place.columns[0])
    rows = exp.Select(expressions=[named]).from_(exp.Table(this=series, alias=names), copy=False)
    return exp.Lateral(this=exp.Subquery(this=rows), alias=place)


def _below_infinity(node: nodes.IsFinite) -> Sql:
    # NaN is above all numbers here
    return exp.LT(this=exp.Abs(this=node.this), expression=INFINITY)


def _by_code_point(node: nodes.ByCodePoint) -> Sql:
    return exp.Collate(this=_operand(node.this), expression=exp.to_identifier("C", quoted=True))


def _postgres_lower(node: exp.Lower) -> Sql:
    rules = exp.to_identifier("und-x-icu", quoted=True)
    return _call("LOWER", exp.Collate(this=_operand(node.this), expression=rules))


def _postgres_clock(node: nodes.ClockText) -> Sql:
    return _call("TO_CHAR", node.this, exp.Literal.string("YYYY-MM-DD HH24:MI:SS.US"))


def _extracted(self: Generator, node: exp.Extract) -> str:
    unit = self.sql(node, "this")
    found = f"EXTRACT({unit} FROM {self.sql(node, 'expression')})"
    return found if unit == "EPOCH" else f"CAST({found} AS BIGINT)"


def _number(self: Generator, node: exp.Literal) -> str:
    """Write a float as one: the database takes it for a decimal."""
    is_float = not node.is_string and "e" in node.name
    return f"CAST({node.name} AS DOUBLE PRECISION)" if is_float else self.literal_sql(node)


def _postgres_literal(self: Generator, node: exp.Literal) -> str:
    """Write a text that has a backslash so that no setting changes how it is read."""
    if not (node.is_string and "\\" in node.name):
        return _number(self, node)
    inside = node.name.replace("\\", "\\\\").replace("'", "''")
    return f"E'{inside}'"


def _postgres_name(self: Generator, node: exp.Identifier) -> str:
    if len(node.name.encode()) > LONGEST_NAME:
        why = f"PostgreSQL reads {LONGEST_NAME} bytes of a name; shorten it"
        raise UnsupportedError(f"the name {shortened(node.name)!r}", why)
    return self.identifier_sql(node)


POSTGRES: Mapping[type[Sql], Callable[[Any], Sql]] = {
    **_SHARED,
    exp.Lower: _postgres_lower,
    exp.UnixMicros: _postgres_micros,
    nodes.ByCodePoint: _by_code_point,
    nodes.ClockText: _postgres_clock,
    nodes.DaysBetween: lambda node: exp.paren(
        exp.Sub(this=_operand(node.this), expression=_operand(node.expression)), copy=False
    ),
    nodes.DaysEarlier: _days_earlier,
    nodes.EachDate: _postgres_days,
    nodes.IsFinite: _below_infinity,
    nodes.MonthStart: lambda node: exp.TimestampTrunc(
        this=_local(node.this), unit=exp.var("MONTH")
    ),
    nodes.Nearest: _beside,
    nodes.SecondsLater: _postgres_later,
    nodes.SecondsOf: lambda node: exp.cast(_epoch(node.this), exp.DType.DOUBLE, copy=False),
    nodes.UtcClock: _at_utc,
    nodes.UtcInstant: _at_utc,
}


# Spark: local times are never cast to instants, which would be read in the session's zone -----


def _spark_clock(node: nodes.UtcClock | nodes.ZoneClock) -> Sql:
    return _call("TIMESTAMPADD", exp.var("MICROSECOND"), exp.UnixMicros(this=node.this), EPOCH)


def _spark_instant(node: nodes.UtcInstant) -> Sql:
    passed = _call("TIMESTAMPDIFF", exp.var("MICROSECOND"), EPOCH, node.this)
    return _call("TIMESTAMP_MICROS", passed)


def _spark_zone(node: nodes.ZoneClock) -> Sql:
    return _call("CONVERT_TIMEZONE", UTC, node.expression, _spark_clock(node))


def _spark_hour(node: nodes.HourStart) -> Sql:
    hour = exp.Extract(this=exp.var("HOUR"), expression=node.this)
    midnight = _local(exp.cast(node.this, exp.DType.DATE, copy=False))
    return exp.paren(exp.Add(this=midnight, expression=_times(hour, "HOUR")), copy=False)


def _spark_text(node: nodes.ClockText) -> Sql:
    """Return a local time as text: the database leaves out what is 0 of its fraction."""
    shown = exp.cast(node.this, exp.DType.VARCHAR, copy=False)
    is_short = exp.EQ(this=_call("LENGTH", shown), expression=exp.Literal.number(19))
    whole = _call("CONCAT", shown, exp.Literal.string("."))
    pointed = exp.Case(ifs=[exp.If(this=is_short, true=whole)], default=shown)
    return _call("RPAD", pointed, exp.Literal.number(26), exp.Literal.string("0"))


def _spark_days(table: nodes.EachDate) -> Sql:
    start, end, step = (table.args[name] for name in ("start", "end", "step"))
    is_any = exp.LTE(this=start, expression=end)
    days = exp.Case(ifs=[exp.If(this=is_any, true=_call("SEQUENCE", start, end, step))])
    return exp.Lateral(this=_call("EXPLODE", days), alias=table.args["alias"])


def _spark_lateral(self: Generator, node: exp.Lateral) -> str:
    place = node.args["alias"]
    names = ", ".join(self.sql(name) for name in place.columns)
    return f"LATERAL {self.sql(node, 'this')} AS {self.sql(place, 'this')}({names})"


SPARK: Mapping[type[Sql], Callable[[Any], Sql]] = {
    **_SHARED,
    nodes.ClockText: _spark_text,
    nodes.DaysBetween: lambda node: _call("DATEDIFF", node.this, node.expression),
    nodes.DaysEarlier: lambda node: _call(
        "DATE_SUB", node.this, exp.cast(node.expression, exp.DType.INT, copy=False)
    ),
    nodes.EachDate: _spark_days,
    nodes.HourStart: _spark_hour,
    nodes.IsFinite: _below_infinity,
    nodes.MonthStart: lambda node: _call("TRUNC", node.this, exp.Literal.string("MONTH")),
    nodes.SecondsLater: lambda later: _call(
        "TIMESTAMPADD", exp.var("SECOND"), later.expression, later.this
    ),
    nodes.SecondsOf: lambda node: exp.cast(_epoch(node.this), exp.DType.DOUBLE, copy=False),
    nodes.UtcClock: _spark_clock,
    nodes.UtcInstant: _spark_instant,
    nodes.ZoneClock: _spark_zone,
}


# The generators --------------------------------------------------------------------------------

_CHANGES: Mapping[str, Mapping[type[Sql], Callable[[Any], Sql]]] = {
    "clickhouse": clickhouse.CHANGES,
    "duckdb": DUCKDB,
    "postgres": POSTGRES,
    "spark": SPARK,
    **{name: {**_SHARED, **changes} for name, changes in warehouses.CHANGES.items()},
}
_KEEPING = frozenset({"duckdb", "postgres", "spark"})
"""The dialects of which the generators change nothing of the tree that they write."""

_WRITES: Mapping[str, Mapping[type[Sql], Write]] = {
    "clickhouse": clickhouse.WRITES,
    # orders in full, as what is meant without is a setting of the connection
    "duckdb": {exp.Ordered: _ordered},
    "postgres": {
        exp.Extract: _extracted,
        exp.Identifier: _postgres_name,
        exp.IntDiv: lambda self, node: self.binary(node, "/"),
        exp.Literal: _postgres_literal,
        exp.Ordered: _ordered,
        exp.PercentileCont: _quantile,
    },
    "spark": {
        exp.Lateral: _spark_lateral,
        exp.Ordered: _ordered,
        exp.PercentileCont: _quantile,
    },
    **warehouses.WRITES,
}


@cache
def _generator(dialect: str) -> type[Generator]:
    """Return what writes a dialect, the nodes of this package among them."""
    base = Dialect.get_or_raise(dialect).generator_class
    changes = _CHANGES[dialect]
    written = {node: _as(change) for node, change in changes.items()}
    transforms = {**base.TRANSFORMS, **written, **_WRITES.get(dialect, {})}
    name, parts = f"Funnelkit{base.__name__}", {"TRANSFORMS": transforms}
    return new_class(name, (base,), exec_body=lambda space: space.update(parts))


def text(query: Sql, dialect: str, *, pretty: bool = False) -> str:
    """Return a statement in a dialect.

    Args:
        query: The statement.
        dialect: The name of the dialect.
        pretty: Whether it is laid out for readers.

    Raises:
        UnsupportedError: The dialect cannot hold one of its names.
    """
    found = part_text(query, dialect, pretty=pretty)
    return f"{found}\n{clickhouse.SETTINGS}" if dialect == "clickhouse" else found


def part_text(part: Sql, dialect: str, *, pretty: bool = False) -> str:
    """Return a part of a statement in a dialect; see `text`."""
    generator = _generator(dialect)(dialect=dialect, pretty=pretty)
    return generator.generate(part, copy=dialect not in _KEEPING)

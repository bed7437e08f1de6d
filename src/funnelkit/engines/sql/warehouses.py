"""How BigQuery, Redshift, Snowflake and Trino are written: as their documentation has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp
from sqlglot.generator import Generator

from funnelkit.engines.sql import floats, nodes

__all__ = ["CHANGES", "WRITES", "plain_name"]

Sql = exp.Expr
Changes = Mapping[type[Sql], Callable[[Any], Sql]]
Write = Callable[[Any, Any], str]

UTC = exp.Literal.string("UTC")
EPOCH = exp.cast(exp.Literal.string("1970-01-01 00:00:00"), exp.DType.TIMESTAMPNTZ)
INFINITY = exp.cast(exp.Literal.string("Infinity"), exp.DType.DOUBLE)
ZERO = exp.Literal.number("0e0")


def _call(name: str, *args: Sql) -> Sql:
    return exp.Anonymous(this=name, expressions=list(args))


def _paren(value: Sql) -> Sql:
    is_whole = isinstance(value, exp.Column | exp.Func | exp.Literal | exp.Paren)
    return value if is_whole else exp.paren(value, copy=False)


def _local(value: Sql) -> Sql:
    return exp.cast(value, exp.DType.TIMESTAMPNTZ, copy=False)


def _day(value: Sql) -> Sql:
    return exp.cast(value, exp.DType.DATE, copy=False)


def _below_infinity(node: nodes.IsFinite) -> Sql:
    # NaN is not below it either
    return exp.LT(this=exp.Abs(this=node.this), expression=INFINITY)


def _nearest(node: nodes.Nearest) -> Sql:
    kind = exp.Lead if node.args["is_next"] else exp.Lag
    rows = {name: node.args[name] for name in ("partition_by", "order")}
    return exp.Window(this=exp.IgnoreNulls(this=kind(this=node.this)), **rows)


def _later(node: nodes.Later) -> Sql:
    return exp.DateAdd(this=node.this, expression=_paren(node.expression), unit=node.args["unit"])


def _seconds_later(node: nodes.SecondsLater) -> Sql:
    number, unit = _paren(node.expression), exp.var("SECOND")
    return exp.DateAdd(this=node.this, expression=number, unit=unit)


def _as_much_earlier(node: nodes.AsMuchEarlier) -> Sql:
    # zones are whole seconds ahead
    early, late = node.args["early"], node.args["late"]
    passed = exp.DateDiff(this=early, expression=late, unit=exp.var("SECOND"))
    return nodes.SecondsLater(this=node.this, expression=passed)


def _days_earlier(node: nodes.DaysEarlier) -> Sql:
    number = exp.Neg(this=exp.paren(node.expression, copy=False))
    return _day(exp.DateAdd(this=node.this, expression=_paren(number), unit=exp.var("DAY")))


def _null_safe(node: exp.NullSafeEQ) -> Sql:
    one, two = _paren(node.left), _paren(node.right)
    are_null = (part.copy().is_(exp.Null()) for part in (one, two))
    return exp.paren(exp.or_(exp.EQ(this=one, expression=two), exp.and_(*are_null)), copy=False)


SHARED: Changes = {
    nodes.AsMuchEarlier: _as_much_earlier,
    nodes.DaysEarlier: _days_earlier,
    nodes.IsFinite: _below_infinity,
    nodes.Later: _later,
    nodes.Nearest: _nearest,
    nodes.SecondsLater: _seconds_later,
}


# BigQuery: days and times have functions of their own -------------------------------------------


def _bigquery_later(node: nodes.Later) -> Sql:
    kind = exp.DateAdd if node.args["is_day"] else exp.DatetimeAdd
    return kind(this=node.this, expression=_paren(node.expression), unit=node.args["unit"])


def _bigquery_seconds_later(node: nodes.SecondsLater) -> Sql:
    number, unit = _paren(node.expression), exp.var("SECOND")
    return exp.DatetimeAdd(this=node.this, expression=number, unit=unit)


def _bigquery_as_much_earlier(node: nodes.AsMuchEarlier) -> Sql:
    early, late = node.args["early"], node.args["late"]
    passed = _call("DATETIME_DIFF", early, late, exp.var("SECOND"))
    return nodes.SecondsLater(this=node.this, expression=passed)


def _bigquery_nearest(node: nodes.Nearest) -> Sql:
    """Return the nearest value by a frame: no other window passes over nulls."""
    is_next = bool(node.args["is_next"])
    side, kind = ("FOLLOWING", exp.FirstValue) if is_next else ("PRECEDING", exp.LastValue)
    ends: list[Any] = [exp.Literal.number(1), "UNBOUNDED"]
    start, end = ends if is_next else reversed(ends)
    spec = exp.WindowSpec(kind="ROWS", start=start, start_side=side, end=end, end_side=side)
    rows = {name: node.args[name] for name in ("partition_by", "order")}
    return exp.Window(this=exp.IgnoreNulls(this=kind(this=node.this)), spec=spec, **rows)


def _bigquery_text(node: nodes.ClockText) -> Sql:
    return _call("FORMAT_DATETIME", exp.Literal.string("%F %H:%M:%E6S"), node.this)


def _bigquery_days(self: Generator, table: nodes.EachDate) -> str:
    """Write the days as rows that have a name: those of an array of days have none."""
    start, end, step = (self.sql(table, name) for name in ("start", "end", "step"))
    place = table.args["alias"]
    (name,) = (self.sql(column) for column in place.columns)
    days = f"UNNEST(GENERATE_DATE_ARRAY({start}, {end}, {step})) AS {name}"
    rows = f"SELECT AS STRUCT {name} FROM {days}"  # noqa: S608  # all of these are generated
    return f"UNNEST(ARRAY({rows})) AS {self.sql(place, 'this')}"


def _bigquery_ordered(self: Generator, node: exp.Ordered) -> str:
    """Write an order; in windows nulls come first of all, and the periods of sums are not null."""
    direction = "DESC" if node.args.get("desc") else "ASC"
    found = f"{self.sql(node, 'this')} {direction}"
    if node.find_ancestor(exp.Window):
        return found
    return f"{found} NULLS {'FIRST' if node.args.get('nulls_first') else 'LAST'}"


BIGQUERY: Changes = {
    **SHARED,
    nodes.AsMuchEarlier: _bigquery_as_much_earlier,
    nodes.ClockText: _bigquery_text,
    nodes.HourStart: lambda node: _call("DATETIME_TRUNC", node.this, exp.var("HOUR")),
    nodes.Later: _bigquery_later,
    nodes.MonthStart: lambda node: _call("DATE_TRUNC", node.this, exp.var("MONTH")),
    nodes.Nearest: _bigquery_nearest,
    nodes.SecondsLater: _bigquery_seconds_later,
    nodes.UtcClock: lambda node: _call("DATETIME", node.this, UTC),
    nodes.UtcInstant: lambda node: _call("TIMESTAMP", node.this, UTC),
    nodes.ZoneClock: lambda node: _call("DATETIME", node.this, node.expression),
}


# Redshift: as PostgreSQL, with functions of dates ------------------------------------------------


def _at_utc(node: Sql) -> Sql:
    return exp.paren(exp.AtTimeZone(this=_paren(node.this), zone=UTC), copy=False)


def _redshift_micros(node: exp.UnixMicros) -> Sql:
    clock = exp.AtTimeZone(this=_paren(node.this), zone=UTC)
    return _call("DATEDIFF", exp.var("MICROSECOND"), EPOCH, clock)


def _redshift_zone(node: nodes.ZoneClock) -> Sql:
    clock = exp.AtTimeZone(this=_paren(node.this), zone=node.expression)
    return exp.paren(clock, copy=False)


def _redshift_later(node: nodes.Later) -> Sql:
    number = exp.cast(node.expression, exp.DType.INT, copy=False)
    return exp.DateAdd(this=node.this, expression=number, unit=node.args["unit"])


def _redshift_seconds_later(node: nodes.SecondsLater) -> Sql:
    number = exp.cast(node.expression, exp.DType.INT, copy=False)
    return exp.DateAdd(this=node.this, expression=number, unit=exp.var("SECOND"))


REDSHIFT: Changes = {
    **SHARED,
    exp.NullSafeEQ: _null_safe,
    exp.UnixMicros: _redshift_micros,
    nodes.Later: _redshift_later,
    nodes.MonthStart: lambda node: exp.TimestampTrunc(
        this=_local(node.this), unit=exp.var("MONTH")
    ),
    nodes.SecondsLater: _redshift_seconds_later,
    nodes.UtcClock: _at_utc,
    nodes.UtcInstant: _at_utc,
    nodes.ZoneClock: _redshift_zone,
}


# Snowflake: a name that nobody put in quotes is in capital letters -------------------------------

PLAIN = re.compile("[a-z_][a-z0-9_$]*")


def plain_name(name: str, dialect: str) -> str:
    """Return the name of a column of a database as statements write it."""
    is_plain = dialect == "snowflake" and name.isupper() and PLAIN.fullmatch(name.lower())
    return name.lower() if is_plain else name


def _snowflake_name(self: Generator, node: exp.Identifier) -> str:
    is_plain = node.quoted and PLAIN.fullmatch(node.name)
    return f'"{node.name.upper()}"' if is_plain else self.identifier_sql(node)


def _snowflake_micros(node: exp.UnixMicros) -> Sql:
    return _call("DATE_PART", exp.var("EPOCH_MICROSECOND"), node.this)


def _snowflake_instant(node: nodes.UtcInstant) -> Sql:
    micros = _snowflake_micros(exp.UnixMicros(this=node.this))
    return _call("TO_TIMESTAMP_TZ", micros, exp.Literal.number(6))


def _whole_division(node: exp.IntDiv) -> Sql:
    """Return a division without a rest: others keep six digits."""
    one, two = _paren(node.left), _paren(node.right)
    whole = exp.Sub(this=one, expression=exp.Mod(this=one.copy(), expression=two))
    found = exp.Div(
        this=exp.paren(whole, copy=False), expression=two.copy(), typed=True, safe=False
    )
    return exp.cast(found, exp.DType.BIGINT, copy=False)


SNOWFLAKE: Changes = {
    **SHARED,
    exp.IntDiv: _whole_division,
    exp.UnixMicros: _snowflake_micros,
    nodes.UtcClock: lambda node: _local(_call("CONVERT_TIMEZONE", UTC, node.this)),
    nodes.UtcInstant: _snowflake_instant,
    nodes.ZoneClock: lambda node: _local(_call("CONVERT_TIMEZONE", node.expression, node.this)),
}


# Trino: times hold thousandths of a second where no digits are given -----------------------------

MICROSECONDS_OF: Mapping[exp.DType, str] = {
    exp.DType.TIMESTAMPNTZ: "TIMESTAMP(6)",
    exp.DType.TIMESTAMPTZ: "TIMESTAMP(6) WITH TIME ZONE",
}


def _trino_cast(self: Generator, node: exp.Cast) -> str:
    name = MICROSECONDS_OF.get(node.to.this)
    return f"CAST({self.sql(node, 'this')} AS {name})" if name else self.cast_sql(node)


def _trino_micros(node: exp.UnixMicros) -> Sql:
    seconds = _call("TO_UNIXTIME", node.this)
    micros = exp.Mul(this=seconds, expression=exp.Literal.number("1e6"))
    return exp.cast(_call("ROUND", micros), exp.DType.BIGINT, copy=False)


def _trino_days(table: nodes.EachDate) -> Sql:
    """Return a table of days; a series that ends before it begins is an error there."""
    start, end, step = (table.args[name] for name in ("start", "end", "step"))
    is_any = exp.LTE(this=start.copy(), expression=end.copy())
    days = exp.Case(ifs=[exp.If(this=is_any, true=_call("SEQUENCE", start, end, step))])
    return exp.Unnest(expressions=[days], alias=table.args["alias"])


TRINO: Changes = {
    **SHARED,
    exp.UnixMicros: _trino_micros,
    nodes.ByValue: floats.one_zero,
    nodes.ClockText: lambda node: exp.cast(_local(node.this), exp.DType.VARCHAR, copy=False),
    nodes.EachDate: _trino_days,
    nodes.UtcClock: lambda node: _local(_call("AT_TIMEZONE", node.this, UTC)),
    nodes.UtcInstant: lambda node: _call("WITH_TIMEZONE", node.this, UTC),
    nodes.ZoneClock: lambda node: _local(_call("AT_TIMEZONE", node.this, node.expression)),
}


def _divided(self: Generator, node: exp.IntDiv) -> str:
    return self.binary(node, "/")


CHANGES: Mapping[str, Changes] = {
    "bigquery": BIGQUERY,
    "redshift": REDSHIFT,
    "snowflake": SNOWFLAKE,
    "trino": TRINO,
}
WRITES: Mapping[str, Mapping[type[Sql], Write]] = {
    "bigquery": {exp.Ordered: _bigquery_ordered, nodes.EachDate: _bigquery_days},
    "redshift": {exp.IntDiv: _divided},
    "snowflake": {exp.Identifier: _snowflake_name},
    "trino": {**floats.writes("IS_NAN"), exp.Cast: _trino_cast, exp.IntDiv: _divided},
}

"""How ClickHouse is written: every value may be null, and every time is an instant of UTC."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp
from sqlglot.generator import Generator

from funnelkit.calendar.calendar import EPOCH
from funnelkit.engines.sql import floats, nodes

__all__ = ["CHANGES", "SETTINGS", "WRITES"]

Sql = exp.Expr
Write = Callable[[Any, Any], str]

SETTINGS = (
    "SETTINGS join_use_nulls = 1, aggregate_functions_null_for_empty = 1, "
    "prefer_column_name_to_alias = 1, session_timezone = 'UTC'"
)
"""What ends every statement: a row or an aggregate of nothing is null, as elsewhere in SQL.

Times without a zone, which the database takes for instants, are what the clock of UTC shows.
"""

HOUR = 3_600_000_000
"""The microseconds of an hour."""

_NAMES: Mapping[exp.DType, str] = {
    exp.DType.BIGINT: "Int64",
    exp.DType.INT: "Int32",
    exp.DType.DOUBLE: "Float64",
    exp.DType.VARCHAR: "String",
    exp.DType.TEXT: "String",
    exp.DType.BOOLEAN: "Bool",
    exp.DType.DATE: "Date32",
    exp.DType.TIMESTAMPNTZ: "DateTime64(6, 'UTC')",
    exp.DType.TIMESTAMPTZ: "DateTime64(6, 'UTC')",
}
"""The types; by default, sqlglot writes times without fractions, and days from 1970 on."""


def _call(name: str, *args: Sql) -> Sql:
    return exp.Anonymous(this=name, expressions=list(args))


def _number(value: int) -> Sql:
    return exp.Literal.number(value)


def _same(node: Any) -> Sql:
    found: Sql = node.this
    return found


def _micros(time: Sql) -> Sql:
    return _call("toUnixTimestamp64Micro", time)


def _moment(micros: Sql) -> Sql:
    return _call("fromUnixTimestamp64Micro", micros, exp.Literal.string("UTC"))


def _sum(one: Sql, two: Sql) -> Sql:
    return exp.paren(exp.Add(this=one, expression=two), copy=False)


def _later(node: nodes.SecondsLater) -> Sql:
    shift = exp.Mul(this=exp.paren(node.expression), expression=_number(1_000_000))
    return _moment(_sum(_micros(node.this), _call("toInt64", shift)))


def _later_by(node: nodes.Later) -> Sql:
    return _call(f"add{node.args['unit'].name.capitalize()}s", node.this, node.expression)


def _zone_clock(node: nodes.ZoneClock) -> Sql:
    offset = _call("timezoneOffset", _call("toTimeZone", node.this, node.expression))
    return _call("addSeconds", node.this, offset)


def _hour_start(node: nodes.HourStart) -> Sql:
    micros = _micros(node.this)
    passed = _call("positiveModulo", micros.copy(), _number(HOUR))
    return _moment(exp.Sub(this=micros, expression=passed))


def _month_start(node: nodes.MonthStart) -> Sql:
    passed = exp.Sub(this=_call("toDayOfMonth", node.this), expression=_number(1))
    return _call("subtractDays", node.this.copy(), passed)


def _days_earlier(node: nodes.DaysEarlier) -> Sql:
    return _call("subtractDays", node.this, node.expression)


def _days_between(node: nodes.DaysBetween) -> Sql:
    found = exp.Sub(this=_day_number(node.this), expression=_day_number(node.expression))
    return exp.paren(found, copy=False)


def _day_number(day: Sql) -> Sql:
    """Return the days since 1970; days before 1900 are constants, which the database cuts off."""
    match day:
        case exp.Cast(this=exp.Literal(this=str() as text)):
            return _number((dt.date.fromisoformat(text) - EPOCH.date()).days)
        case _:
            return _call("toInt64", _call("toInt32", day))


def _as_much_earlier(node: nodes.AsMuchEarlier) -> Sql:
    passed = exp.Sub(this=_micros(node.args["late"]), expression=_micros(node.args["early"]))
    return _moment(exp.Sub(this=_micros(node.this), expression=exp.paren(passed, copy=False)))


def _clock_text(node: nodes.ClockText) -> Sql:
    return _call("formatDateTime", node.this, exp.Literal.string("%F %H:%i:%S.%f"))


def _nearest(node: nodes.Nearest) -> Sql:
    kind = exp.Lead if node.args["is_next"] else exp.Lag
    rows = {name: node.args[name] for name in ("partition_by", "order")}
    return exp.Window(this=kind(this=_call("toNullable", node.this)), **rows)


def _trim(node: exp.Trim) -> Sql:
    # TRIM would cut the bytes of a letter
    inside = "".join(f"\\x{{{ord(blank):X}}}" for blank in node.expression.name)
    ends = exp.Literal.string(f"^[{inside}]+|[{inside}]+$")
    return _call("replaceRegexpAll", node.this, ends, exp.Literal.string(""))


def _std(node: exp.StddevSamp) -> Sql:
    # of one number, the database says that it is no number
    is_any = exp.GT(this=exp.Count(this=node.this.copy()), expression=_number(1))
    return exp.Case(ifs=[exp.If(this=is_any, true=_call("stddevSampStable", node.this))])


def _each_day(self: Generator, node: nodes.EachDate) -> str:
    """Write the days from one to another as what each row is repeated for."""
    start, place = self.sql(node, "start"), node.args["alias"]
    (name,) = place.columns
    later = nodes.DaysBetween(this=node.args["end"], expression=node.args["start"])
    count = f"range(toUInt64(ifNull(greatest({self.sql(later)} + 1, 0), 0)))"
    kind = self.sql(exp.Literal.string(f"Tuple({self.sql(name)} Nullable(Date32))"))
    day = f"CAST(tuple(addDays({start}, `day number`)), {kind})"
    return f"arrayMap(`day number` -> {day}, {count}) AS {self.sql(place, 'this')}"


def _join(self: Generator, node: exp.Join) -> str:
    if isinstance(node.this, nodes.EachDate):
        return f"{self.seg('ARRAY JOIN')} {self.sql(node, 'this')}"
    return self.join_sql(node)


def _quantile(self: Generator, node: exp.PercentileCont) -> str:
    share, value = self.sql(node, "expression"), self.sql(node, "this")
    return f"quantileExactInclusive({share})({value})"


def _cast(self: Generator, node: exp.Cast) -> str:
    return f"CAST({self.sql(node, 'this')} AS Nullable({_NAMES[node.to.this]}))"


CHANGES: Mapping[type[Sql], Callable[[Any], Sql]] = {
    exp.IntDiv: lambda node: _call("intDiv", node.this, node.expression),
    exp.LogicalAnd: lambda node: exp.Min(this=node.this),
    exp.LogicalOr: lambda node: exp.Max(this=node.this),
    exp.Lower: lambda node: _call("lowerUTF8", node.this),
    exp.StddevSamp: _std,
    exp.Trim: _trim,
    exp.UnixMicros: lambda node: _micros(node.this),
    nodes.AsMuchEarlier: _as_much_earlier,
    nodes.ByCodePoint: _same,
    nodes.ByValue: floats.one_zero,
    nodes.ClockText: _clock_text,
    nodes.CountWhere: lambda node: _call("countIf", node.this),
    nodes.DaysBetween: _days_between,
    nodes.DaysEarlier: _days_earlier,
    nodes.HourStart: _hour_start,
    nodes.IsFinite: lambda node: _call("isFinite", node.this),
    nodes.Later: _later_by,
    nodes.MonthStart: _month_start,
    nodes.Nearest: _nearest,
    nodes.SecondsLater: _later,
    nodes.UtcClock: _same,
    nodes.UtcInstant: _same,
    nodes.ZoneClock: _zone_clock,
}
WRITES: Mapping[type[Sql], Write] = {
    **floats.writes("isNaN"),
    exp.Cast: _cast,
    exp.Join: _join,
    exp.PercentileCont: _quantile,
    nodes.EachDate: _each_day,
    # the columns of a CTE have the names that its query gives them
    exp.TableAlias: lambda self, node: self.sql(node, "this"),
}

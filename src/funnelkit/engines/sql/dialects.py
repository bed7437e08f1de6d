"""What dialects of SQL write so differently that they have an expression of their own."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.expressions.core import Expression
from sqlglot.generators.duckdb import DuckDBGenerator

__all__ = ["DaysEarlier", "SecondsLater", "UtcClock", "UtcInstant", "text"]

UTC = exp.Literal.string("UTC")
MICROSECONDS = exp.cast(exp.Literal.number(1_000_000), exp.DType.BIGINT)


class UtcClock(Expression, exp.Func):
    """What the clock of UTC shows at an instant."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class UtcInstant(Expression, exp.Func):
    """The instant at which the clock of UTC shows a local time."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class SecondsLater(Expression, exp.Func):
    """The local time a number of seconds later."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expression": True}


class DaysEarlier(Expression, exp.Func):
    """The day a number of days earlier."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expression": True}


def _micros(time: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="EPOCH_US", expressions=[time])


def _utc_clock(self: DuckDBGenerator, clock: UtcClock) -> str:
    return self.func("MAKE_TIMESTAMP", _micros(clock.this))


def _utc_instant(self: DuckDBGenerator, instant: UtcInstant) -> str:
    return self.func("MAKE_TIMESTAMPTZ", _micros(instant.this))


def _seconds_later(self: DuckDBGenerator, later: SecondsLater) -> str:
    shift = exp.Mul(this=later.expression, expression=MICROSECONDS)
    return self.func("MAKE_TIMESTAMP", exp.Add(this=_micros(later.this), expression=shift))


def _days_earlier(self: DuckDBGenerator, earlier: DaysEarlier) -> str:
    number = exp.cast(earlier.expression, exp.DType.INT, copy=False)
    return f"({self.sql(earlier, 'this')} - {self.sql(number)})"


def _ordered(self: DuckDBGenerator, ordered: exp.Ordered) -> str:
    direction = "DESC" if ordered.args.get("desc") else "ASC"
    nulls = "FIRST" if ordered.args.get("nulls_first") else "LAST"
    return f"{self.sql(ordered, 'this')} {direction} NULLS {nulls}"


class _Generator(DuckDBGenerator):
    """Writes times by their microseconds: zones, and intervals, take ten times as long.

    Orders are written in full, as what is meant without is a setting of the connection.
    """

    TRANSFORMS: ClassVar[dict[type[exp.Expr], Any]] = {
        **DuckDBGenerator.TRANSFORMS,
        UtcClock: _utc_clock,
        UtcInstant: _utc_instant,
        SecondsLater: _seconds_later,
        DaysEarlier: _days_earlier,
        exp.Ordered: _ordered,
    }


class FunnelkitDuckDB(DuckDB):
    """DuckDB, with what the plan needs of times."""

    Generator = _Generator


def text(query: exp.Expr, dialect: str, *, pretty: bool = False) -> str:
    """Return a statement in a dialect.

    Args:
        query: The statement.
        dialect: The name of the dialect.
        pretty: Whether it is laid out for readers.
    """
    if dialect == "duckdb":
        return query.sql(FunnelkitDuckDB, copy=False, pretty=pretty)
    return query.transform(_standard).sql(dialect, pretty=pretty)


def _standard(node: exp.Expr) -> exp.Expr:
    """Return what is written as other dialects have it."""
    match node:
        case UtcClock() | UtcInstant():
            return exp.AtTimeZone(this=node.this, zone=UTC)
        case SecondsLater(this=local, expression=number):
            second = exp.Interval(this=exp.Literal.string("1"), unit=exp.var("SECOND"))
            return exp.Add(this=local, expression=exp.Mul(this=number, expression=second))
        case DaysEarlier(this=day, expression=number):
            earlier = exp.DateSub(this=day, expression=exp.paren(number), unit=exp.var("DAY"))
            return exp.cast(earlier, exp.DType.DATE)
        case _:
            return node

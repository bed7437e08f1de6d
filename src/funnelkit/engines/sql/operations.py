"""The operations, windows and aggregates of the relational plan as expressions of SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from typing import Any

from sqlglot import exp

from funnelkit.engines.sql.nodes import (
    AsMuchEarlier,
    ByCodePoint,
    ByValue,
    ClockText,
    CountWhere,
    DaysBetween,
    DaysEarlier,
    HourStart,
    Later,
    MonthStart,
    Nearest,
    SecondsLater,
    UtcClock,
    UtcInstant,
    ZoneClock,
)
from funnelkit.planning.relations import Agg, AggOp, Kind, Lit, Op, OverOp

__all__ = [
    "BINARY",
    "CONSTANT",
    "FOLDS",
    "MANY",
    "UNARY",
    "cast",
    "comparable",
    "distinct",
    "folded",
    "literal",
    "text_of",
    "to_float",
    "window",
]

Sql = exp.Expr

TYPES: Mapping[Kind, exp.DType] = {
    "int": exp.DType.BIGINT,
    "float": exp.DType.DOUBLE,
    "str": exp.DType.VARCHAR,
    "bool": exp.DType.BOOLEAN,
    "day": exp.DType.DATE,
    "local": exp.DType.TIMESTAMPNTZ,
    "instant": exp.DType.TIMESTAMPTZ,
}
FIRST_DAY = Lit(dt.date(1, 1, 1), "day")
WHOLE = (
    exp.Column,
    exp.Interval,
    exp.Literal,
    exp.Func,
    exp.Paren,
    exp.Null,
    exp.Boolean,
    exp.Case,
)
"""What is an operand without parentheses."""


def cast(value: Sql, kind: Kind) -> Sql:
    """Return a value as one of a kind."""
    return exp.cast(value, TYPES[kind], copy=False) if kind in TYPES else value


def literal(constant: Lit) -> Sql:
    """Return a constant; never as text that could be read as anything else."""
    match constant.value:
        case None:
            return cast(exp.Null(), constant.kind)
        case bool():
            return exp.Boolean(this=constant.value)
        case int() if constant.kind == "int":
            return _whole(constant.value)
        case int() | float():
            return _float(constant.value + 0.0)
        case str():
            return exp.Literal.string(constant.value)
        case dt.datetime() if constant.kind == "instant":
            utc = constant.value.astimezone(dt.UTC)
            return cast(exp.Literal.string(utc.isoformat(" ")), constant.kind)
        case dt.date():
            return cast(exp.Literal.string(str(constant.value)), constant.kind)


def _whole(number: int) -> Sql:
    return exp.Literal.number(number)


def _float(number: float) -> Sql:
    """Return a float; with an exponent, as numbers without are decimals."""
    text = repr(number)
    if "n" in text:
        return cast(exp.Literal.string(text), "float")
    size = exp.Literal.number(f"{text.lstrip('-')}{'' if 'e' in text else 'e0'}")
    return exp.Neg(this=size) if text.startswith("-") else size


def _operand(value: Sql) -> Sql:
    # AND and OR are functions too, to sqlglot
    is_whole = isinstance(value, WHOLE) and not isinstance(value, exp.Binary)
    return value if is_whole else exp.paren(value, copy=False)


def _binary(kind: Callable[..., Sql], one: Sql, two: Sql) -> Sql:
    return kind(this=_operand(one), expression=_operand(two))


_add, _subtract, _multiply = (partial(_binary, kind) for kind in (exp.Add, exp.Sub, exp.Mul))


def _divide(one: Sql, two: Sql) -> Sql:
    divisor = two if _is_other_than_zero(two) else exp.Nullif(this=two, expression=_float(0.0))
    return exp.Div(this=_operand(one), expression=divisor, typed=True, safe=False)


def _is_other_than_zero(value: Sql) -> bool:
    return isinstance(value, exp.Literal) and float(value.name) != 0


def _rest(number: Sql, length: Sql) -> Sql:
    """Return a rest that has the sign of the number."""
    return exp.Mod(this=_operand(number), expression=_operand(length))


def _modulo(one: Sql, two: Sql) -> Sql:
    return _rest(_add(_rest(one, two), two), two)


def _chosen(condition: Sql, then: Sql, otherwise: Sql | None = None) -> Sql:
    case = exp.Case(ifs=[exp.If(this=condition, true=then)])
    case.set("default", otherwise)
    return case


def _first_known(one: Sql, *more: Sql) -> Sql:
    return exp.Coalesce(this=one, expressions=list(more))


def _concatenated(first: Sql, *more: Sql) -> Sql:
    return reduce(partial(_binary, exp.DPipe), more, first)


def _lower(text: Sql) -> Sql:
    """Return a text in small letters; databases map letter by letter, which loses a dot."""
    dotted = (exp.Literal.string(letter) for letter in ("\u0130", "i\u0307"))
    return exp.Lower(this=_replaced(text, *dotted))


def _replaced(text: Sql, old: Sql, new: Sql) -> Sql:
    return exp.Replace(this=text, expression=old, replacement=new)


def text_of(value: Sql, kind: Kind) -> Sql:
    """Return the text of a value of a kind."""
    match kind:
        case "float":
            padded = (exp.Literal.string(exponent) for exponent in ("e-0", "e-"))
            return _replaced(cast(value, "str"), *padded)
        case "local":
            return ClockText(this=value)
        case "instant":
            shown = text_of(UtcClock(this=value), "local")
            return _concatenated(shown, exp.Literal.string("+00:00"))
        case _:
            return value if kind == "str" else cast(value, "str")


# Times --------------------------------------------------------------------------------------


def _seconds_later(local: Sql, number: Sql) -> Sql:
    return SecondsLater(this=_operand(local), expression=_operand(number))


def _later(value: Sql, number: Sql, unit: str, *, is_day: bool = True) -> Sql:
    return Later(this=value, expression=number, unit=exp.var(unit), is_day=is_day)


def _earlier(value: Sql, number: Sql, unit: str, *, is_day: bool = True) -> Sql:
    return _later(value, exp.Neg(this=_operand(number)), unit, is_day=is_day)


def _at_zone(instant: Sql, zone: Sql) -> Sql:
    """Return what the clock of a zone shows at an instant."""
    return ZoneClock(this=instant, expression=zone)


def _local_time(instant: Sql, zone: Lit) -> Sql:
    return UtcClock(this=instant) if zone.value == "UTC" else _at_zone(instant, literal(zone))


def _readings(local: Sql, zone: Sql) -> tuple[tuple[Sql, Sql], tuple[Sql, Sql]]:
    """Return what UTC shows at a local time by the clock of the day before, and of the day after.

    Each with whether the zone shows the local time then.
    """

    def read(days: int) -> tuple[Sql, Sql]:
        near = _later(local, _whole(days), "DAY", is_day=False)
        shown = _at_zone(UtcInstant(this=near), zone)
        utc = AsMuchEarlier(this=local, late=shown, early=near)
        return utc, _binary(exp.EQ, _at_zone(UtcInstant(this=utc), zone), local)

    return read(-1), read(1)


def _first_instant(local: Sql, zone: Lit) -> Sql:
    if zone.value == "UTC":
        return UtcInstant(this=local)
    (before, fits_before), (after, fits_after) = _readings(local, literal(zone))
    is_after = exp.And(this=_operand(fits_after), expression=exp.Not(this=_operand(fits_before)))
    return UtcInstant(this=_chosen(is_after, after, before))


def _last_instant(local: Sql, zone: Lit) -> Sql:
    if zone.value == "UTC":
        return UtcInstant(this=local)
    (before, fits_before), (after, fits_after) = _readings(local, literal(zone))
    return UtcInstant(this=_chosen(fits_after, after, _chosen(fits_before, before)))


def _micros(instant: Sql) -> Sql:
    return exp.UnixMicros(this=instant)


def _between(one: Sql, two: Sql) -> Sql:
    return _subtract(_micros(two), _micros(one))


def _seconds_between(one: Sql, two: Sql) -> Sql:
    return _divide(cast(_between(one, two), "float"), _float(1e6))


def _hours_between(one: Sql, two: Sql) -> Sql:
    return _binary(exp.IntDiv, _between(one, two), _whole(3_600_000_000))


def _days_between(one: Sql, two: Sql) -> Sql:
    return DaysBetween(this=two, expression=one)


def _part(value: Sql, unit: str) -> Sql:
    return exp.Extract(this=exp.var(unit), expression=value)


def _months(day: Sql) -> Sql:
    return _add(_multiply(_part(day, "YEAR"), _whole(12)), _part(day, "MONTH"))


def _months_between(one: Sql, two: Sql) -> Sql:
    return _subtract(_months(two), _months(one))


def _shift(unit: str, day: Sql, number: Lit) -> Sql:
    return cast(_later(day, literal(number), unit), "day")


def _floor_days(day: Sql, length: Lit, anchor: Lit) -> Sql:
    # counted from before year 1, from a day on which a period begins: no rest is below 0
    number, ordinal = int(str(length.value)), dt.date.fromisoformat(str(anchor.value)).toordinal()
    since = _add(_days_between(literal(FIRST_DAY), day), _whole(number + (1 - ordinal) % number))
    back = _rest(since, _whole(number))
    return DaysEarlier(this=day, expression=back)


def _floor_months(day: Sql, length: Lit) -> Sql:
    start = MonthStart(this=day)
    if length.value == 1:
        return cast(start, "day")
    since = _subtract(_months(day), _whole(1))
    if length.value != 12:
        # of the months since year 0, when 1970 begins
        since = _add(since, _whole(-1970 * 12 % int(str(length.value))))
    back = _rest(since, literal(length))
    return cast(_earlier(start, back, "MONTH"), "day")


def _floor_hours(local: Sql, length: Lit) -> Sql:
    start = HourStart(this=local)
    if length.value == 1:
        return start
    back = _rest(_part(local, "HOUR"), literal(length))
    return _earlier(start, back, "HOUR", is_day=False)


def _is_in(value: Sql, *options: Lit) -> Sql:
    return exp.In(this=_operand(value), expressions=list(map(literal, options)))


def _contains(text: Sql, part: Lit) -> Sql:
    place = exp.StrPosition(this=text, substr=literal(part))
    return _binary(exp.GT, place, _whole(0))


UNARY: Mapping[Op, Callable[[Sql], Sql]] = {
    Op.NOT: lambda value: exp.Not(this=value if isinstance(value, exp.Is) else _operand(value)),
    Op.IS_NULL: lambda value: exp.Is(this=_operand(value), expression=exp.Null()),
    Op.ABS: lambda value: exp.Abs(this=value),
    Op.LOWER: _lower,
    Op.TO_INT: lambda value: cast(value, "int"),
    Op.TO_DAY: lambda local: cast(local, "day"),
    Op.MIDNIGHT: lambda day: cast(day, "local"),
}
BINARY: Mapping[Op, Callable[[Sql, Sql], Sql]] = {
    Op.ADD: _add,
    Op.SUBTRACT: _subtract,
    Op.MULTIPLY: _multiply,
    Op.DIVIDE: _divide,
    Op.MODULO: _modulo,
    Op.EQ: partial(_binary, exp.EQ),
    Op.NE: partial(_binary, exp.NEQ),
    Op.LT: partial(_binary, exp.LT),
    Op.LE: partial(_binary, exp.LTE),
    Op.GT: partial(_binary, exp.GT),
    Op.GE: partial(_binary, exp.GTE),
    Op.AND: partial(_binary, exp.And),
    Op.OR: partial(_binary, exp.Or),
    Op.SECONDS_BETWEEN: _seconds_between,
    Op.HOURS_BETWEEN: _hours_between,
    Op.DAYS_BETWEEN: _days_between,
    Op.MONTHS_BETWEEN: _months_between,
    Op.SHIFT_SECONDS: _seconds_later,
}
MANY: Mapping[Op, Callable[..., Sql]] = {
    Op.COALESCE: _first_known,
    Op.IF: _chosen,
    Op.CONCAT: _concatenated,
}
CONSTANT: Mapping[Op, Callable[..., Sql]] = {
    Op.IN: _is_in,
    Op.CONTAINS: _contains,
    Op.LOCAL_TIME: _local_time,
    Op.FIRST_INSTANT: _first_instant,
    Op.LAST_INSTANT: _last_instant,
    Op.SHIFT_DAYS: partial(_shift, "DAY"),
    Op.SHIFT_MONTHS: partial(_shift, "MONTH"),
    Op.FLOOR_DAYS: _floor_days,
    Op.FLOOR_MONTHS: _floor_months,
    Op.FLOOR_HOURS: _floor_hours,
}
"""What takes constants after its first argument."""


# Aggregates and windows ---------------------------------------------------------------------


def _count_distinct(this: Sql) -> Sql:
    return exp.Count(this=exp.Distinct(expressions=[this]))


FOLDS: Mapping[AggOp | OverOp, Callable[..., Sql]] = {
    AggOp.COUNT: exp.Count,
    AggOp.COUNT_DISTINCT: _count_distinct,
    AggOp.SUM: exp.Sum,
    AggOp.MEAN: exp.Avg,
    AggOp.MIN: exp.Min,
    AggOp.MAX: exp.Max,
    AggOp.STD: exp.StddevSamp,
    OverOp.SUM: exp.Sum,
    OverOp.MIN: exp.Min,
    OverOp.MAX: exp.Max,
}


def folded(agg: Agg, kind: Kind, arg: Sql | None, where: Sql | None) -> Sql:
    """Return an aggregate of a kind, of the rows of which a condition is true."""
    if arg is None:
        return exp.Count(this=exp.Star()) if where is None else CountWhere(this=where)
    if agg.op is AggOp.ALL:
        arg = exp.Coalesce(this=arg, expressions=[exp.false()])
    kept = arg if where is None else _chosen(where, arg)
    match agg.op:
        case AggOp.QUANTILE:
            return exp.PercentileCont(this=kept, expression=exp.Literal.number(agg.q))
        case AggOp.ALL:
            return exp.Coalesce(this=exp.LogicalAnd(this=kept), expressions=[exp.true()])
        case AggOp.MIN | AggOp.MAX as op:
            return _extreme(op, kept, kind)
        case op:
            return FOLDS[op](this=kept)


EITHER: Mapping[AggOp | OverOp, Callable[..., Sql]] = {
    AggOp.MIN: exp.LogicalAnd,
    AggOp.MAX: exp.LogicalOr,
}
"""The least and the greatest of what is true or false."""


def _extreme(op: AggOp | OverOp, value: Sql, kind: Kind) -> Sql:
    """Return the least or greatest value of a kind."""
    return EITHER[op](this=value) if kind == "bool" else FOLDS[op](this=comparable(value, kind))


def comparable(value: Sql, kind: Kind) -> Sql:
    """Return a value of a kind as it is ordered: a text by its code points."""
    return ByCodePoint(this=value) if kind == "str" else distinct(value, kind)


def distinct(value: Sql, kind: Kind) -> Sql:
    """Return a value of a kind as it is told from others: a float by its value, not its bits."""
    return ByValue(this=value) if kind == "float" else value


def to_float(value: Sql, kind: Kind) -> Sql:
    """Return a value of a kind as a float; true is 1."""
    number = exp.cast(value, exp.DType.INT, copy=False) if kind == "bool" else value
    return cast(number, "float")


def window(
    op: OverOp, arg: Sql | None, kind: Kind, partition: Sequence[Sql], order: exp.Order | None
) -> Sql:
    """Return a window over the rows that share a partition."""
    rows: dict[str, Any] = {"partition_by": list(partition), "order": order}
    if op in {OverOp.PREVIOUS, OverOp.NEXT}:
        return Nearest(this=arg, is_next=op is OverOp.NEXT, **rows)
    if arg is None:
        return exp.Window(this=exp.RowNumber(), **rows)
    upto = {"start": "UNBOUNDED", "start_side": "PRECEDING", "end": "CURRENT ROW"}
    spec = None if order is None else exp.WindowSpec(kind="ROWS", **upto)
    this = FOLDS[op](this=arg) if op is OverOp.SUM else _extreme(op, arg, kind)
    found = exp.Window(this=this, spec=spec, **rows)
    return cast(found, "int") if (op, kind) == (OverOp.SUM, "int") else found

"""The relational plan on Polars, node by node: nothing is decided here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from funnelkit.calendar.zones import localised
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Call,
    Col,
    EachDay,
    Filter,
    Kind,
    LeftJoin,
    Lit,
    Named,
    Op,
    Over,
    OverOp,
    Rel,
    Scalar,
    Scan,
    Select,
)

__all__ = ["Translator"]

EPOCH = dt.date(1970, 1, 1)
DTYPES: Mapping[Kind, pl.DataType] = {
    "int": pl.Int64(),
    "float": pl.Float64(),
    "str": pl.String(),
    "bool": pl.Boolean(),
    "day": pl.Date(),
    "local": pl.Datetime("us"),
    "instant": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True, slots=True)
class Translator:
    """Writes relations as lazy frames; one that is named is written once.

    Attributes:
        frames: The bound frames, by table.
        written: The named relations that were written.
    """

    frames: Mapping[str, pl.LazyFrame]
    written: dict[str, pl.LazyFrame] = field(default_factory=dict[str, pl.LazyFrame])

    def frame(self, rel: Rel) -> pl.LazyFrame:
        """Return the lazy frame of a relation."""
        match rel:
            case Scan(table, columns):
                return self.frames[table].select(name for name, _ in columns)
            case Select(inner, named):
                made = [scalar(s).alias(name) for name, s in named if s != Col(name)]
                return self.frame(inner).with_columns(made).select(name for name, _ in named)
            case Filter(inner, where):
                return self.frame(inner).filter(scalar(where))
            case LeftJoin():
                return self._join(rel)
            case Aggregate(inner, keys, folds):
                made = [aggregate(agg).alias(name) for name, agg in folds]
                rows = self.frame(inner)
                return rows.group_by(keys).agg(made) if keys else rows.select(made)
            case EachDay(inner, name, first, last):
                days = pl.date_ranges(scalar(first), scalar(last)).alias(name)
                return self.frame(inner).with_columns(days).explode(name).drop_nulls(name)
            case Named(name, inner):
                if name not in self.written:
                    self.written[name] = self.frame(inner)
                return self.written[name]

    def _join(self, join: LeftJoin) -> pl.LazyFrame:
        keys = [left for left, _ in join.on]
        found = [pl.col(right).alias(left) for left, right in join.on]
        taken = [pl.col(column).alias(name) for name, column in join.take]
        right = self.frame(join.right).select(*found, *taken)
        return self.frame(join.left).join(right, on=keys, how="left")


def scalar(value: Scalar) -> pl.Expr:
    """Return the expression of a scalar."""
    match value:
        case Col(name):
            return pl.col(name)
        case Lit(constant, kind):
            return pl.lit(constant, dtype=DTYPES[kind])
        case Call(Op.FLOOR_AMONG | Op.POSITION as op, (inner, *edges)):
            return AMONG[op](scalar(inner), _series(edges))
        case Call(op, (inner, *constants)) if op in CONSTANT:
            return CONSTANT[op](scalar(inner), *map(_constant, constants))
        case Call(op, (one,)) if op in UNARY:
            return UNARY[op](scalar(one))
        case Call(op, (one, two)) if op in BINARY:
            return BINARY[op](scalar(one), scalar(two))
        case Call(op, args):
            return MANY[op](*map(scalar, args))
        case Over():
            return _over(value)


def aggregate(agg: Agg) -> pl.Expr:
    """Return the expression of an aggregate."""
    where = None if agg.where is None else scalar(agg.where)
    if agg.arg is None:
        return (pl.len() if where is None else where.sum()).cast(pl.Int64)
    kept = scalar(agg.arg) if where is None else pl.when(where).then(scalar(agg.arg))
    if agg.op is AggOp.QUANTILE:
        return kept.quantile(agg.q, "linear")
    return AGGREGATES[agg.op](kept)


def _over(window: Over) -> pl.Expr:
    found = WINDOWS[window.op, bool(window.order)](
        pl.lit(1) if window.arg is None else scalar(window.arg)
    )
    if not window.partition and not window.order:
        return found
    last = window.is_descending
    return found.over(
        [scalar(part) for part in window.partition] or pl.lit(1),
        order_by=[scalar(part) for part in window.order] or None,
        descending=last,
        nulls_last=last,
    )


def _series(constants: Sequence[Scalar]) -> pl.Series:
    dtypes = {DTYPES[constant.kind] for constant in constants if isinstance(constant, Lit)}
    dtype = dtypes.pop() if len(dtypes) == 1 else pl.Float64()
    return pl.Series([_constant(constant) for constant in constants], dtype=dtype)


def _constant(constant: Scalar) -> object:
    return constant.value if isinstance(constant, Lit) else None


def _among(value: pl.Expr, edges: pl.Series) -> pl.Expr:
    outside = edges.clear(1)
    labels = pl.concat([outside, edges[:-1], outside])
    return pl.lit(labels).gather(pl.lit(edges).search_sorted(value, side="right"))


def _position(value: pl.Expr, edges: pl.Series) -> pl.Expr:
    return pl.lit(edges).search_sorted(value, side="right").cast(pl.Int64)


def _either(condition: pl.Expr, then: pl.Expr, otherwise: pl.Expr | None = None) -> pl.Expr:
    chosen = pl.when(condition).then(then)
    return chosen if otherwise is None else chosen.otherwise(otherwise)


def _local_time(instant: pl.Expr, zone: str) -> pl.Expr:
    return instant.dt.convert_time_zone(zone).dt.replace_time_zone(None)


def _first_instant(local: pl.Expr, zone: str) -> pl.Expr:
    return localised(local, zone).dt.convert_time_zone("UTC")


def _last_instant(local: pl.Expr, zone: str) -> pl.Expr:
    last = local.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    return last.dt.convert_time_zone("UTC")


def _months(day: pl.Expr) -> pl.Expr:
    return day.dt.year().cast(pl.Int64) * 12 + day.dt.month().cast(pl.Int64)


def _is_in(value: pl.Expr, *options: object) -> pl.Expr:
    return value.is_in(options)


def _shift_seconds(local: pl.Expr, seconds: int) -> pl.Expr:
    return local + dt.timedelta(seconds=seconds)


def _shift_days(day: pl.Expr, days: int) -> pl.Expr:
    return day + dt.timedelta(days=days)


def _shift_months(day: pl.Expr, months: int) -> pl.Expr:
    return day.dt.offset_by(f"{months}mo")


def _floor_months(day: pl.Expr, length: int) -> pl.Expr:
    return day.dt.truncate(f"{length}mo")


def _floor_hours(local: pl.Expr, length: int) -> pl.Expr:
    return local.dt.truncate(f"{length}h")


def _floor_days(day: pl.Expr, length: int, anchor: dt.date) -> pl.Expr:
    since = (anchor - EPOCH) % dt.timedelta(days=length)
    return (day - since).dt.truncate(f"{length}d") + since


def _sum(values: pl.Expr) -> pl.Expr:
    return pl.when(values.count() > 0).then(values.sum())


UNARY: Mapping[Op, Callable[[pl.Expr], pl.Expr]] = {
    Op.NOT: lambda value: ~value,
    Op.IS_NULL: lambda value: value.is_null(),
    Op.LOWER: lambda text: text.str.to_lowercase(),
    Op.TO_FLOAT: lambda value: value.cast(pl.Float64),
    Op.TO_INT: lambda value: value.cast(pl.Int64),
    Op.TO_STR: lambda value: value.cast(pl.String),
    Op.TO_DAY: lambda local: local.cast(pl.Date),
    Op.MIDNIGHT: lambda day: day.cast(pl.Datetime("us")),
}
BINARY: Mapping[Op, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    Op.ADD: lambda one, two: one + two,
    Op.SUBTRACT: lambda one, two: one - two,
    Op.MULTIPLY: lambda one, two: one * two,
    Op.DIVIDE: lambda one, two: pl.when(two != 0).then(one / two),
    Op.MODULO: lambda one, two: one % two,
    Op.EQ: lambda one, two: one == two,
    Op.NE: lambda one, two: one != two,
    Op.LT: lambda one, two: one < two,
    Op.LE: lambda one, two: one <= two,
    Op.GT: lambda one, two: one > two,
    Op.GE: lambda one, two: one >= two,
    Op.AND: lambda one, two: one & two,
    Op.OR: lambda one, two: one | two,
    Op.SECONDS_BETWEEN: lambda one, two: (two - one).dt.total_microseconds() / 1e6,
    Op.HOURS_BETWEEN: lambda one, two: (two - one).dt.total_hours(),
    Op.DAYS_BETWEEN: lambda one, two: (two - one).dt.total_days(),
    Op.MONTHS_BETWEEN: lambda one, two: _months(two) - _months(one),
}
MANY: Mapping[Op, Callable[..., pl.Expr]] = {
    Op.COALESCE: pl.coalesce,
    Op.IF: _either,
    Op.CONCAT: pl.concat_str,
}
CONSTANT: Mapping[Op, Callable[..., pl.Expr]] = {
    Op.IN: _is_in,
    Op.LOCAL_TIME: _local_time,
    Op.FIRST_INSTANT: _first_instant,
    Op.LAST_INSTANT: _last_instant,
    Op.SHIFT_SECONDS: _shift_seconds,
    Op.SHIFT_DAYS: _shift_days,
    Op.SHIFT_MONTHS: _shift_months,
    Op.FLOOR_DAYS: _floor_days,
    Op.FLOOR_MONTHS: _floor_months,
    Op.FLOOR_HOURS: _floor_hours,
}
"""What takes constants after its first argument."""

AMONG: Mapping[Op, Callable[[pl.Expr, pl.Series], pl.Expr]] = {
    Op.FLOOR_AMONG: _among,
    Op.POSITION: _position,
}
AGGREGATES: Mapping[AggOp, Callable[[pl.Expr], pl.Expr]] = {
    AggOp.COUNT: lambda kept: kept.count().cast(pl.Int64),
    AggOp.COUNT_DISTINCT: lambda kept: (kept.n_unique() - kept.is_null().any()).cast(pl.Int64),
    AggOp.SUM: _sum,
    AggOp.MEAN: lambda kept: kept.mean(),
    AggOp.MIN: lambda kept: kept.min(),
    AggOp.MAX: lambda kept: kept.max(),
    AggOp.STD: lambda kept: kept.std(),
    AggOp.ALL: lambda kept: kept.fill_null(value=False).all(),
}
WINDOWS: Mapping[tuple[OverOp, bool], Callable[[pl.Expr], pl.Expr]] = {
    (OverOp.ROW_NUMBER, True): lambda _: pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
    (OverOp.PREVIOUS, True): lambda value: value.forward_fill().shift(1),
    (OverOp.NEXT, True): lambda value: value.backward_fill().shift(-1),
    (OverOp.SUM, True): lambda value: value.cum_sum().forward_fill(),
    (OverOp.MIN, True): lambda value: value.cum_min().forward_fill(),
    (OverOp.MAX, True): lambda value: value.cum_max().forward_fill(),
    (OverOp.SUM, False): _sum,
    (OverOp.MIN, False): lambda value: value.min(),
    (OverOp.MAX, False): lambda value: value.max(),
}

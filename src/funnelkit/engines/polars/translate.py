"""The relational plan on Polars, node by node: nothing is decided here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise, takewhile

import polars as pl

from funnelkit.calendar.calendar import EPOCH
from funnelkit.calendar.zones import localised
from funnelkit.engines.polars.alike import Alike
from funnelkit.engines.polars.ordered import Ordered, with_windows
from funnelkit.engines.polars.packed import count_pairs
from funnelkit.engines.polars.sorted_units import count_alike
from funnelkit.errors import DefinitionError
from funnelkit.formula.formulas import PolarsExpr
from funnelkit.planning.kinds import DTYPES
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Call,
    Col,
    EachDay,
    Exists,
    Filter,
    Head,
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
    columns_of,
)
from funnelkit.planning.traversal import base_of, source_of

__all__ = ["Translator", "first_line", "scalar"]

PACKED_FROM = 100_000
"""From so many rows on it pays to read pairs of numbers before they are counted."""

MOST_OF_BYTE = 255


@dataclass(frozen=True, slots=True)
class Translator:
    """Writes relations as lazy frames; one that is named is written once.

    Attributes:
        frames: The bound frames, by table.
        sizes: How many rows they have, where that is known.
        collect: Reads a frame.
        written: The named relations that were written.
    """

    frames: Mapping[str, pl.LazyFrame]
    sizes: Mapping[str, int | None]
    collect: Callable[[pl.LazyFrame], pl.DataFrame]
    written: dict[str, Ordered] = field(default_factory=dict[str, Ordered])

    def frame(self, rel: Rel) -> pl.LazyFrame:
        """Return the lazy frame of a relation."""
        return self._ordered(rel).frame

    def _ordered(self, rel: Rel) -> Ordered:
        match rel:
            case Scan(table):
                return Ordered(self.frames[table])
            case Select():
                return self._select(rel)
            case Filter(inner, where):
                rows = self._ordered(inner)
                return Ordered(rows.frame.filter(scalar(where)), rows.by)
            case LeftJoin():
                return Ordered(self._join(rel))
            case Exists():
                return Ordered(self._exists(rel))
            case Aggregate():
                return self._aggregate(rel)
            case EachDay(inner, name, first, last):
                days = pl.date_ranges(scalar(first), scalar(last)).alias(name)
                frame = self.frame(inner).with_columns(days)
                return Ordered(frame.explode(name).drop_nulls(name))
            case Head(inner, order, count, is_last):
                by = [column.name for column in order]
                frame = self.frame(inner).sort(by, descending=is_last, nulls_last=is_last)
                return Ordered(frame.head(count))
            case Named(name, inner):
                if name not in self.written:
                    self.written[name] = self._ordered(inner)
                return self.written[name]

    def _select(self, select: Select) -> Ordered:
        source, names = self._ordered(select.input), dict(select.named)
        rows, named = with_windows(source, select, scalar)
        made = {name: value for name, value in named if value != Col(name)}
        frame = rows.frame.with_columns(scalar(value).alias(name) for name, value in made.items())
        if rows is not source or any(name not in names for name in columns_of(select.input)):
            frame = frame.select(list(names))
        kept = takewhile(lambda name: name in names and name not in made, rows.by)
        return Ordered(frame, tuple(kept))

    def _aggregate(self, rel: Aggregate) -> Ordered:
        if (alike := self._alike(rel)) is not None:
            return Ordered(alike)
        rows = self.frame(rel.input)
        if (paired := self._paired(rel, rows)) is not None:
            return paired
        if (counted := self._distinct(rel, rows)) is not None:
            return Ordered(counted)
        made = [
            (_custom(rows, agg.custom) if agg.custom else aggregate(agg)).alias(name)
            for name, agg in rel.folds
        ]
        return Ordered(rows.group_by(rel.keys).agg(made) if rel.keys else rows.select(made))

    def _alike(self, rel: Aggregate) -> pl.LazyFrame | None:
        """Count the units that have the same counts by sorting their rows, where that is all."""
        asked = Alike.of(rel)
        if asked is None or (self.sizes.get(base_of(asked.rows) or "") or 0) < PACKED_FROM:
            return None
        wheres = [*map(scalar, asked.wheres)]
        found = count_alike(self.frame(asked.rows), asked, wheres, self.collect)
        if found is None:
            return None
        made = [scalar(value).alias(name) for name, value in asked.made]
        rows = found.lazy().select(*made, asked.is_named, asked.number)
        return rows.group_by(rel.keys).agg(pl.col(asked.number).sum())

    def _paired(self, rel: Aggregate, rows: pl.LazyFrame) -> Ordered | None:
        """Count pairs of a day and a number by themselves, where nothing else is folded."""
        rows_of = self.sizes.get(base_of(rel) or "") or 0
        counts_only = all(agg == Agg(AggOp.ROWS) for _, agg in rel.folds)
        if len(rel.keys) != 2 or not counts_only or rows_of < PACKED_FROM:
            return None
        day, number = rel.keys
        counts = [name for name, _ in rel.folds]
        pairs = count_pairs(rows, day, number, counts, self.collect)
        return None if pairs is None else Ordered(pairs.lazy(), (number, day))

    def _distinct(self, rel: Aggregate, rows: pl.LazyFrame) -> pl.LazyFrame | None:
        """Count the different whole numbers of a column by sorting them, where that is all.

        That takes a third of the memory of a hash table, and no time where they are sorted.
        """
        match rel:
            case Aggregate(
                Scan(),
                (),
                (
                    (one, Agg(AggOp.COUNT, Col(name), None)),
                    (two, Agg(AggOp.COUNT_DISTINCT, arg, None)),
                ),
            ) if arg == Col(name) and rows.collect_schema()[name].is_integer():
                values = self.collect(rows.select(name).drop_nulls()).to_series()
                ordered = values if values.is_sorted() else values.sort()
                return pl.LazyFrame({one: [len(values)], two: [len(values) - repeats(ordered)]})
            case _:
                return None

    def _join(self, join: LeftJoin) -> pl.LazyFrame:
        keys = [left for left, _ in join.on]
        found = [pl.col(right).alias(left) for left, right in join.on]
        taken = [pl.col(column).alias(name) for name, column in join.take]
        left, right = self.frame(join.left), self.frame(join.right)
        if (few := self._few_keys(join)) is not None:
            right = right.filter(pl.col(join.on[0][1]).is_in(few))
        return left.join(right.select(*found, *taken), on=keys, how="left")

    def _few_keys(self, join: LeftJoin) -> pl.Expr | None:
        """Read the keys that are looked up, where they are few: a scan can be filtered by them."""
        (key, _), *others = join.on
        source = source_of(join.left, key)
        if others or source is None or not self._is_smaller(join.left, join.right):
            return None
        table, name = source
        return self._values(self.frames[table].select(name), name)

    def _exists(self, rel: Exists) -> pl.LazyFrame:
        key, found = rel.on
        left, right = self.frame(rel.left), self.frame(rel.right).select(found)
        if self._is_smaller(rel.right, rel.left):
            is_there = pl.col(key).is_in(self._values(right, found))
            return left.with_columns(is_there.fill_null(value=False).alias(rel.name))
        marks = right.unique().select(pl.col(found).alias(key), pl.lit(value=True).alias(rel.name))
        joined = left.join(marks, on=key, how="left")
        return joined.with_columns(pl.col(rel.name).fill_null(value=False))

    def _is_smaller(self, one: Rel, two: Rel) -> bool:
        """Whether a relation has few rows beside another: a join would hash all of both."""
        sizes = [self.sizes.get(base_of(rel) or "") for rel in (one, two)]
        return sizes[0] is not None and sizes[1] is not None and 2 * sizes[0] < sizes[1]

    def _values(self, rows: pl.LazyFrame, name: str) -> pl.Expr:
        values = self.collect(rows.drop_nulls(name)).get_column(name).unique()
        return pl.lit(values).implode()


def repeats(ordered: pl.Series) -> int:
    """Return how many values of an ordered series are equal to the one before.

    Chunk by chunk: two slices of several chunks are copied before they are compared.
    """
    chunks = [chunk for chunk in ordered.get_chunks() if len(chunk)]
    within = sum(int((chunk[1:] == chunk[:-1]).sum()) for chunk in chunks)
    return within + sum(bool(one[-1] == two[0]) for one, two in pairwise(chunks))


def _custom(rows: pl.LazyFrame, asked: PolarsExpr) -> pl.Expr:
    """Return an expression that is not of the plan, which must give one number per group.

    Raises:
        DefinitionError: It does not.
    """
    try:
        folded = rows.group_by(pl.lit(1)).agg(asked.expression.alias("asked"))
        found = folded.collect_schema()["asked"]
    except pl.exceptions.PolarsError as error:
        raise DefinitionError(f"{asked} cannot be computed: {first_line(error)}") from None
    if isinstance(found, pl.List):
        problem = f"{asked} gives several values per group"
        raise DefinitionError(problem, "fold them to one, as with .sum(), .mean() or .first()")
    if not (found.is_numeric() or isinstance(found, pl.Boolean | pl.Null)):
        problem = f"{asked} gives {found}, not a number"
        raise DefinitionError(problem, "count it, or cast it, as with .dt.total_seconds()")
    return asked.expression.cast(pl.Float64)


def first_line(error: Exception) -> str:
    """Return the first line of what an error says."""
    return (str(error).splitlines() or [""])[0][:200]


def scalar(value: Scalar) -> pl.Expr:
    """Return the expression of a scalar."""
    match value:
        case Col(name):
            return pl.col(name)
        case Lit():
            return _literal(value)
        case Call(Op.FLOOR_AMONG | Op.POSITION as op, (inner, *edges)):
            return AMONG[op](scalar(inner), _series(edges))
        case Call(op, (inner, *constants)) if op in CONSTANT:
            return CONSTANT[op](scalar(inner), *map(_constant, constants))
        case Call(op, (one,)) if op in UNARY:
            return UNARY[op](scalar(one))
        case Call(op, (one, two)) if op in BINARY:
            return BINARY[op](scalar(one), scalar(two))
        case Call(Op.IF) if (chosen := _small(value)) is not None:
            return chosen.cast(pl.Int64)
        case Call(op, args):
            return MANY[op](*map(scalar, args))
        case Over():
            return _over(value)


def _small(value: Scalar) -> pl.Expr | None:
    """Return a choice among small numbers in bytes; None where it is among others.

    Each choice within a choice writes a column of its own: a short one is written faster.
    """
    match value:
        case Lit(int() as number, "int") if 0 <= number <= MOST_OF_BYTE:
            return pl.lit(number, dtype=pl.UInt8)
        case Call(Op.IF, (condition, *choices)):
            small = [found for choice in choices if (found := _small(choice)) is not None]
            return _either(scalar(condition), *small) if len(small) == len(choices) else None
        case _:
            return None


@lru_cache(maxsize=1024)
def _literal(constant: Lit) -> pl.Expr:
    """Return a constant; plans hold few different ones, and Polars takes long to make each."""
    return pl.lit(constant.value, dtype=DTYPES[constant.kind])


def aggregate(agg: Agg) -> pl.Expr:
    """Return the expression of an aggregate."""
    where = None if agg.where is None else scalar(agg.where)
    if agg.arg is None:
        return (pl.len() if where is None else where.sum()).cast(pl.Int64)
    value = scalar(agg.arg)
    if agg.op is AggOp.ALL:
        value = value.fill_null(value=False)
    kept = value if where is None else pl.when(where).then(value)
    if agg.op is AggOp.QUANTILE:
        return kept.quantile(agg.q, "linear")
    return AGGREGATES[agg.op](kept)


def _over(window: Over) -> pl.Expr:
    """Return a window over all rows of a partition; ordered ones are columns by now."""
    if window.arg is None or window.order:
        raise AssertionError(window)
    found = WINDOWS[window.op](scalar(window.arg))
    owner = [scalar(part) for part in window.partition]
    return found.over(owner) if owner else found


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
    place = pl.lit(edges).search_sorted(value, side="right").cast(pl.Int64)
    return pl.when(value.is_not_null()).then(place)


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
    # a list as such is taken apart value by value each time, which takes ten times as long
    return value.is_in(pl.lit(pl.Series(options, strict=False)).implode())


def _shift_days(day: pl.Expr, days: int) -> pl.Expr:
    return day + dt.timedelta(days=days)


def _shift_months(day: pl.Expr, months: int) -> pl.Expr:
    return day.dt.offset_by(f"{months}mo")


def _floor_months(day: pl.Expr, length: int) -> pl.Expr:
    return day.dt.truncate(f"{length}mo")


def _floor_hours(local: pl.Expr, length: int) -> pl.Expr:
    return local.dt.truncate(f"{length}h")


def _contains(text: pl.Expr, part: str) -> pl.Expr:
    return text.str.contains(part, literal=True)


def _floor_days(day: pl.Expr, length: int, anchor: dt.date) -> pl.Expr:
    # whole numbers of days: adding durations to days takes twice as long
    number, first = day.to_physical(), (anchor - EPOCH.date()).days
    return (number - (number - first) % length).cast(pl.Date)


def _sum(values: pl.Expr) -> pl.Expr:
    return pl.when(values.count() > 0).then(values.sum())


UNARY: Mapping[Op, Callable[[pl.Expr], pl.Expr]] = {
    Op.NOT: lambda value: ~value,
    Op.ABS: lambda value: value.abs(),
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
    Op.SHIFT_SECONDS: lambda local, seconds: local + pl.duration(seconds=seconds),
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
    Op.CONTAINS: _contains,
    Op.LOCAL_TIME: _local_time,
    Op.FIRST_INSTANT: _first_instant,
    Op.LAST_INSTANT: _last_instant,
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
    AggOp.ALL: lambda kept: kept.all(),
}
WINDOWS: Mapping[OverOp, Callable[[pl.Expr], pl.Expr]] = {
    OverOp.SUM: _sum,
    OverOp.MIN: lambda value: value.min(),
    OverOp.MAX: lambda value: value.max(),
}

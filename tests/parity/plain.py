"""The relational plan in plain Python, written from the words of `planning/relations.py` alone.

A relation is a list of values per column. Polars reads the bound frames and holds the
answers; it evaluates nothing but expressions in its own language.
"""

import calendar
import datetime as dt
import math
import operator
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

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

Values = list[Any]

DTYPES: Mapping[Kind, Any] = {
    "int": pl.Int64,
    "float": pl.Float64,
    "str": pl.String,
    "bool": pl.Boolean,
    "day": pl.Date,
    "local": pl.Datetime("us"),
    "instant": pl.Datetime("us", "UTC"),
    "other": None,
}


@dataclass(frozen=True)
class Column:
    values: Values
    kind: Kind

    def take(self, places: Sequence[int | None]) -> "Column":
        """The values at places; null where there is no place."""
        return Column([None if i is None else self.values[i] for i in places], self.kind)


@dataclass(frozen=True)
class Rows:
    size: int
    columns: Mapping[str, Column]
    known: dict[Scalar, Column] = field(default_factory=dict)

    def take(self, places: Sequence[int | None]) -> "Rows":
        return Rows(len(places), {name: c.take(places) for name, c in self.columns.items()})

    def also(self, **columns: Column) -> "Rows":
        return Rows(self.size, {**self.columns, **columns})

    def frame(self) -> pl.DataFrame:
        made = [
            pl.Series(name, column.values, DTYPES[column.kind])
            for name, column in self.columns.items()
        ]
        return pl.DataFrame(made)


@dataclass
class Plain:
    """Evaluates relations over bound frames; what has a name is evaluated once."""

    frames: Mapping[str, pl.LazyFrame]
    named: dict[str, tuple[Rel, Rows]] = field(default_factory=dict)
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)

    def rows(self, rel: Rel) -> Rows:
        match rel:
            case Scan():
                return self._scan(rel)
            case Select(inner, named):
                rows = self.rows(inner)
                return Rows(rows.size, {name: value_of(rows, s) for name, s in named})
            case Filter(inner, where):
                rows = self.rows(inner)
                return rows.take(places_where(rows, where))
            case LeftJoin():
                return self._joined(rel)
            case Exists(left, right, (mine, theirs), name):
                rows = self.rows(left)
                there = set(self.rows(right).columns[theirs].values) - {None}
                found = [key in there for key in rows.columns[mine].values]
                return rows.also(**{name: Column(found, "bool")})
            case Aggregate(inner, keys, folds):
                return aggregated(self.rows(inner), keys, folds)
            case EachDay():
                return self._each_day(rel)
            case Head(inner, order, count, is_descending):
                rows = self.rows(inner)
                columns = [rows.columns[column.name].values for column in order]
                places = sorted(
                    range(rows.size),
                    key=lambda place: [_rank(column[place]) for column in columns],
                    reverse=is_descending,
                )
                return rows.take(places[:count])
            case Named(name, inner):
                if name not in self.named:
                    self.named[name] = rel, self.rows(inner)
                known, rows = self.named[name]
                assert known == rel, f"two relations are named {name}"
                return rows

    def _scan(self, scan: Scan) -> Rows:
        if scan.table not in self.tables:
            self.tables[scan.table] = self.frames[scan.table].collect()
        frame = self.tables[scan.table]
        found = {name: Column(_read(frame[name], kind), kind) for name, kind in scan.columns}
        return Rows(frame.height, found)

    def _joined(self, join: LeftJoin) -> Rows:
        rows, other = self.rows(join.left), self.rows(join.right)
        places: dict[Hashable, int] = {}
        for place, key in enumerate(keys_of(other, [name for _, name in join.on])):
            if None not in key:
                assert key not in places, f"two rows have the key {key}"
                places[key] = place
        found = [places.get(key) for key in keys_of(rows, [name for name, _ in join.on])]
        return rows.also(**{new: other.columns[old].take(found) for new, old in join.take})

    def _each_day(self, rel: EachDay) -> Rows:
        rows = self.rows(rel.input)
        ends = zip(value_of(rows, rel.first).values, value_of(rows, rel.last).values, strict=True)
        found = [
            (place, first + dt.timedelta(days=number))
            for place, (first, last) in enumerate(ends)
            if first is not None and last is not None
            for number in range((last - first).days + 1)
        ]
        days = Column([day for _, day in found], "day")
        return rows.take([place for place, _ in found]).also(**{rel.name: days})


def _read(column: pl.Series, kind: Kind) -> Values:
    values = column.to_list()
    if kind == "instant":
        return [None if at is None else at.astimezone(dt.UTC) for at in values]
    return values


def keys_of(rows: Rows, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """The values of columns, row by row."""
    columns = [rows.columns[name].values for name in names]
    return list(zip(*columns, strict=True)) if columns else [()] * rows.size


def places_where(rows: Rows, where: Scalar) -> list[int]:
    return [i for i, holds in enumerate(value_of(rows, where).values) if holds is True]


def value_of(rows: Rows, scalar: Scalar) -> Column:
    if scalar not in rows.known:
        rows.known[scalar] = _value_of(rows, scalar)
    return rows.known[scalar]


def _value_of(rows: Rows, scalar: Scalar) -> Column:
    match scalar:
        case Col(name):
            return rows.columns[name]
        case Lit(value, kind):
            return Column([value] * rows.size, kind)
        case Call(op, args) if op in AMONG:
            return _among(op, value_of(rows, args[0]), [constant(arg) for arg in args[1:]])
        case Call(op, args):
            rule = RULES[op]
            columns = [value_of(rows, arg) for arg in args]
            kinds = [column.kind for column in columns]
            assert rule.takes(kinds), f"{op} of {kinds}"
            values = zip(*(column.values for column in columns), strict=True)
            return Column([rule.of(*row) for row in values], rule.gives(kinds))
        case Over():
            return window(rows, scalar)


def constant(scalar: Scalar) -> Any:
    assert isinstance(scalar, Lit), f"{scalar} is not a constant"
    return scalar.value


# Operations ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """An operation: of what kinds, of what kind it is itself, and what it is of values."""

    takes: Callable[[Sequence[Kind]], bool]
    gives: Callable[[Sequence[Kind]], Kind]
    of: Callable[..., Any]


def strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """Null where an argument is null."""

    def found(*args: Any) -> Any:
        return None if None in args else function(*args)

    return found


def rule(takes: str, gives: Kind, function: Callable[..., Any]) -> Rule:
    """A rule of fixed kinds, such as `day, int`; `any` is any; null where an argument is."""
    wanted = takes.split(", ")

    def fits(kinds: Sequence[Kind]) -> bool:
        return len(kinds) == len(wanted) and all(
            one in ("any", two) for one, two in zip(wanted, kinds, strict=True)
        )

    return Rule(fits, lambda _: gives, strict(function))


def comparable(kinds: Sequence[Kind]) -> bool:
    return len(kinds) == 2 and (len(set(kinds)) == 1 or set(kinds) == {"int", "float"})


def ordering(number: float) -> tuple[bool, float]:
    """What a float is compared by: NaN is the largest, and equal to itself."""
    return (True, 0.0) if math.isnan(number) else (False, float(number))


def compared(function: Callable[..., bool]) -> Rule:
    """A comparison; of a whole number and another both are floats."""

    def found(one: Any, two: Any) -> bool:
        is_mixed = isinstance(one, float) or isinstance(two, float)
        return function(*map(ordering, (one, two))) if is_mixed else function(one, two)

    return Rule(comparable, lambda _: "bool", strict(found))


def are_bool(kinds: Sequence[Kind]) -> bool:
    return set(kinds) == {"bool"}


def both(one: bool | None, two: bool | None) -> bool | None:
    if one is False or two is False:
        return False
    return None if one is None or two is None else True


def negated(one: bool | None) -> bool | None:
    return None if one is None else not one


def either(one: bool | None, two: bool | None) -> bool | None:
    return negated(both(negated(one), negated(two)))


def same_kind(kinds: Sequence[Kind]) -> bool:
    return len(set(kinds)) == 1


def first_there(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def one_of_two(condition: bool | None, then: Any, otherwise: Any = None) -> Any:
    return then if condition is True else otherwise


@cache
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local_time(instant: dt.datetime, name: str) -> dt.datetime:
    return instant.astimezone(zone(name)).replace(tzinfo=None, fold=0)


def first_instant(local: dt.datetime, name: str) -> dt.datetime:
    return local.replace(tzinfo=zone(name), fold=0).astimezone(dt.UTC)


def last_instant(local: dt.datetime, name: str) -> dt.datetime | None:
    found = local.replace(tzinfo=zone(name), fold=1).astimezone(dt.UTC)
    return found if local_time(found, name) == local else None


def hours_between(first: dt.datetime, second: dt.datetime) -> int:
    whole = abs(second - first) // dt.timedelta(hours=1)
    return whole if second >= first else -whole


def months(day: dt.date) -> int:
    return day.year * 12 + day.month - 1


def at_month(number: int, day: int) -> dt.date:
    """The day of a month, or its last where it is shorter."""
    year, month = number // 12, number % 12 + 1
    return dt.date(year, month, min(day, calendar.monthrange(year, month)[1]))


def floor_days(day: dt.date, length: int, anchor: dt.date) -> dt.date:
    return day - dt.timedelta(days=(day - anchor).days % length)


def floor_months(day: dt.date, length: int) -> dt.date:
    since = months(day) - 1970 * 12
    year, month = divmod(months(day) - since % length, 12)
    return dt.date(year, month + 1, 1)


def floor_hours(local: dt.datetime, length: int) -> dt.datetime:
    return local.replace(hour=local.hour - local.hour % length, minute=0, second=0, microsecond=0)


def text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return str(value).replace("e-0", "e-")
        case dt.datetime():
            zone = "" if value.tzinfo is None else "+00:00"
            return f"{value:%Y-%m-%d %H:%M:%S.%f}{zone}"
        case _:
            return str(value)


def subtracts(kinds: Sequence[Kind]) -> bool:
    return list(kinds) in (["float", "float"], ["int", "int"])


def is_concat(kinds: Sequence[Kind]) -> bool:
    return set(kinds) == {"str"}


def is_if(kinds: Sequence[Kind]) -> bool:
    return kinds[0] == "bool" and len(kinds) in (2, 3) and same_kind(kinds[1:])


def is_float(kinds: Sequence[Kind]) -> bool:
    return len(kinds) == 1 and kinds[0] in ("int", "float", "bool")


RULES: Mapping[Op, Rule] = {
    Op.ADD: rule("float, float", "float", operator.add),
    Op.MULTIPLY: rule("float, float", "float", operator.mul),
    Op.SUBTRACT: Rule(subtracts, lambda kinds: kinds[0], strict(operator.sub)),
    Op.DIVIDE: rule("float, float", "float", lambda one, two: None if two == 0 else one / two),
    Op.ABS: rule("float", "float", abs),
    Op.MODULO: rule("int, int", "int", operator.mod),
    Op.EQ: compared(operator.eq),
    Op.NE: compared(operator.ne),
    Op.LT: compared(operator.lt),
    Op.LE: compared(operator.le),
    Op.GT: compared(operator.gt),
    Op.GE: compared(operator.ge),
    Op.AND: Rule(are_bool, lambda _: "bool", both),
    Op.OR: Rule(are_bool, lambda _: "bool", either),
    Op.NOT: rule("bool", "bool", operator.not_),
    Op.IS_NULL: Rule(lambda _: True, lambda _: "bool", lambda value: value is None),
    Op.COALESCE: Rule(same_kind, lambda kinds: kinds[0], first_there),
    Op.IF: Rule(is_if, lambda kinds: kinds[1], one_of_two),
    Op.LOWER: rule("str", "str", str.lower),
    Op.CONTAINS: rule("str, str", "bool", str.__contains__),
    Op.CONCAT: Rule(is_concat, lambda _: "str", strict(lambda *parts: "".join(parts))),
    Op.TO_FLOAT: Rule(is_float, lambda _: "float", strict(float)),
    Op.TO_INT: rule("float", "int", int),
    Op.TO_STR: rule("any", "str", text),
    Op.TO_DAY: rule("local", "day", dt.datetime.date),
    Op.MIDNIGHT: rule("day", "local", lambda day: dt.datetime.combine(day, dt.time())),
    Op.LOCAL_TIME: rule("instant, str", "local", local_time),
    Op.FIRST_INSTANT: rule("local, str", "instant", first_instant),
    Op.LAST_INSTANT: rule("local, str", "instant", last_instant),
    Op.SECONDS_BETWEEN: rule("instant, instant", "float", lambda a, b: (b - a).total_seconds()),
    Op.HOURS_BETWEEN: rule("instant, instant", "int", hours_between),
    Op.DAYS_BETWEEN: rule("day, day", "int", lambda a, b: (b - a).days),
    Op.MONTHS_BETWEEN: rule("day, day", "int", lambda a, b: months(b) - months(a)),
    Op.SHIFT_SECONDS: rule("local, int", "local", lambda at, n: at + dt.timedelta(seconds=n)),
    Op.SHIFT_DAYS: rule("day, int", "day", lambda day, n: day + dt.timedelta(days=n)),
    Op.SHIFT_MONTHS: rule("day, int", "day", lambda day, n: at_month(months(day) + n, day.day)),
    Op.FLOOR_DAYS: rule("day, int, day", "day", floor_days),
    Op.FLOOR_MONTHS: rule("day, int", "day", floor_months),
    Op.FLOOR_HOURS: rule("local, int", "local", floor_hours),
}  # fmt: skip


def is_in(value: Any, constants: Sequence[Any]) -> bool:
    return value in constants


def floor_among(value: Any, constants: Sequence[Any]) -> Any:
    count = position(value, constants)
    return constants[count - 1] if 0 < count < len(constants) else None


def position(value: Any, constants: Sequence[Any]) -> int:
    return bisect_right(constants, value)


AMONG: Mapping[Op, Callable[[Any, Sequence[Any]], Any]] = {
    Op.IN: is_in,
    Op.FLOOR_AMONG: floor_among,
    Op.POSITION: position,
}


def _among(op: Op, column: Column, constants: Sequence[Any]) -> Column:
    gives: dict[Op, Kind] = {Op.IN: "bool", Op.POSITION: "int"}
    found = [None if value is None else AMONG[op](value, constants) for value in column.values]
    return Column(found, gives.get(op, column.kind))


# Windows ------------------------------------------------------------------------------------


def window(rows: Rows, over: Over) -> Column:
    partition = [value_of(rows, part).values for part in over.partition]
    order = [value_of(rows, part).values for part in over.order]
    arg = None if over.arg is None else value_of(rows, over.arg)
    found: Values = [None] * rows.size
    for places in grouped(partition, range(rows.size)).values():
        if order:
            places.sort(key=lambda i: [_rank(c[i]) for c in order], reverse=over.is_descending)
        values = [None] * len(places) if arg is None else [arg.values[i] for i in places]
        made = ordered(over.op, values) if order else unordered(over.op, values)
        for place, value in zip(places, made, strict=True):
            found[place] = value
    return Column(found, "int" if arg is None else arg.kind)


def _rank(value: Any) -> tuple[Any, ...]:
    """What orders a value: null first."""
    return () if value is None else (value,)


def ordered(op: OverOp, values: Values) -> Values:
    match op:
        case OverOp.ROW_NUMBER:
            return list(range(1, len(values) + 1))
        case OverOp.PREVIOUS:
            return before(values)
        case OverOp.NEXT:
            return before(values[::-1])[::-1]
        case _:
            return list(accumulate(values, lambda one, two: summary(op, [one, two])))


def before(values: Values) -> Values:
    """For each value the nearest before it that is not null."""
    upto = list(accumulate(values, lambda one, two: one if two is None else two))
    return [None, *upto][: len(values)]


def unordered(op: OverOp, values: Values) -> Values:
    return [summary(op, values)] * len(values)


def summary(op: OverOp, values: Values) -> Any:
    there = [value for value in values if value is not None]
    return {OverOp.SUM: sum, OverOp.MIN: min, OverOp.MAX: max}[op](there) if there else None


# Aggregates ---------------------------------------------------------------------------------


def grouped(columns: Sequence[Values], places: Iterable[int]) -> dict[Hashable, list[int]]:
    """The places of rows that hold the same; null is a value like any other."""
    found = defaultdict[Hashable, list[int]](list)
    for place in places:
        found[tuple([column[place] for column in columns])].append(place)
    return found


def aggregated(rows: Rows, keys: Sequence[str], folds: Sequence[tuple[str, Agg]]) -> Rows:
    columns = [rows.columns[key].values for key in keys]
    groups = list(grouped(columns, range(rows.size)).values()) if keys else [[*range(rows.size)]]
    found = {key: rows.columns[key].take([places[0] for places in groups]) for key in keys}
    for name, agg in folds:
        found[name] = folded(rows, groups, agg)
    return Rows(len(groups), found)


def folded(rows: Rows, groups: Sequence[Sequence[int]], agg: Agg) -> Column:
    if agg.where is not None:
        holds = value_of(rows, agg.where).values
        groups = [[i for i in places if holds[i] is True] for places in groups]
    if agg.op is AggOp.ROWS:
        return Column([len(places) for places in groups], "int")
    if agg.custom is not None:
        frame, expression = rows.frame(), agg.custom.expression
        found = [frame[list(places)].select(expression).item() for places in groups]
        return Column(found, "float")
    assert agg.arg is not None
    arg = value_of(rows, agg.arg)
    values = [[arg.values[i] for i in places] for places in groups]
    if agg.op is AggOp.ALL:
        return Column([all(v is True for v in group) for group in values], "bool")
    there = [[v for v in group if v is not None] for group in values]
    return Column([fold(agg, group) for group in there], kind_of_fold(agg.op, arg.kind))


def kind_of_fold(op: AggOp, kind: Kind) -> Kind:
    if op in (AggOp.COUNT, AggOp.COUNT_DISTINCT):
        return "int"
    return kind if op in (AggOp.MIN, AggOp.MAX) else "float"


def fold(agg: Agg, values: Values) -> Any:
    match agg.op:
        case AggOp.COUNT:
            return len(values)
        case AggOp.COUNT_DISTINCT:
            return len({ordering(v) if isinstance(v, float) else v for v in values})
        case _ if not values:
            return None
        case AggOp.SUM:
            return float(sum(values))
        case AggOp.MEAN:
            return float(sum(values)) / len(values)
        case AggOp.MIN:
            return min(values)
        case AggOp.MAX:
            return max(values)
        case AggOp.STD:
            return deviation(values)
        case AggOp.QUANTILE:
            return quantile(values, agg.q)
    raise AssertionError(agg)


def deviation(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def quantile(values: Sequence[float], q: float) -> float:
    ranked, place = sorted(values), q * (len(values) - 1)
    low, high = ranked[math.floor(place)], ranked[math.ceil(place)]
    return float(low + (high - low) * (place - math.floor(place)))

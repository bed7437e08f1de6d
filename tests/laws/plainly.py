"""What formulas mean, in plain Python: a slow second opinion with no frames in it.

Rows are dictionaries; null is None, NaN is read as null; a predicate is true, false or None.
Times are compared with `zoneinfo`. Nothing is taken from the library but the nodes of formulas.
"""

import datetime as dt
import itertools
import math
import statistics
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import funnelkit as fk
from funnelkit.formula.formulas import (
    Arithmetic,
    Constant,
    Reference,
    measured,
    source_of,
)
from funnelkit.formula.values import (
    And,
    Column,
    Comparison,
    ConcatKey,
    IsBetween,
    IsIn,
    IsNull,
    IsTrue,
    Literal,
    Not,
    Operation,
    Or,
    PerKeyColumn,
)
from strategies import World

Row = dict[str, Any]
UTC = dt.UTC
EVENT_TIMES = {"sessions": "started_at", "orders": "ordered_at"}
KEYS = {"sessions": "session_id", "orders": "order_id"}
PARENTS = {"session_id": "sessions", "order_id": "orders"}
CLOCKS = (("sessions", "started_at"), ("orders", "ordered_at"), ("carts", "created_at"))
NOT_COUNTED = {"cancelled", "voided", "draft", "test", "deleted"}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


# --- time ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Almanac:
    """How a zone's clock divides time into periods."""

    zone: str
    every: str | None = None
    week_start: str = "monday"

    @property
    def info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def instant(self, moment: dt.date) -> dt.datetime:
        """Give the instant; of a clock time that comes twice, the first."""
        if not isinstance(moment, dt.datetime):
            moment = dt.datetime.combine(moment, dt.time())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.info, fold=0)
        return moment.astimezone(UTC)

    def wall(self, moment: dt.date) -> dt.datetime:
        """Give what the clock shows; a time without a zone is what it shows."""
        if not isinstance(moment, dt.datetime):
            return dt.datetime.combine(moment, dt.time())
        if moment.tzinfo is None:
            return moment
        return moment.astimezone(self.info).replace(tzinfo=None)

    def period(self, moment: dt.date) -> dt.date:
        """Give the start of the period: a day, or an instant for hours."""
        if self.every in {"1h", "hour"}:
            shown = self.instant(moment).astimezone(self.info)
            return shown.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        return self.first_day(self.wall(moment).date())

    def first_day(self, day: dt.date) -> dt.date:
        match self.every:
            case "1d" | "day":
                return day
            case "1w" | "week":
                return day - dt.timedelta(
                    days=(day.weekday() - WEEKDAYS.index(self.week_start)) % 7
                )
            case "1mo" | "month":
                return day.replace(day=1)
            case "1q" | "quarter":
                return day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)
            case "1y" | "year":
                return day.replace(month=1, day=1)
            case _:
                raise AssertionError(self.every)

    def before(self, label: dt.date, periods: int = 1) -> dt.date:
        """Give the period that lies some periods earlier."""
        for _ in range(periods):
            if isinstance(label, dt.datetime):
                label = self.period(label - dt.timedelta(microseconds=1))
            else:
                label = self.first_day(label - dt.timedelta(days=1))
        return label

    def after(self, label: dt.date) -> dt.date:
        """Give the next period, which is where this one ends."""
        step: dt.timedelta = dt.timedelta(days=1)
        if isinstance(label, dt.datetime):
            step = dt.timedelta(minutes=15)
        at = label
        while self.period_of_label(at) == label:
            at += step
        return self.period_of_label(at)

    def period_of_label(self, label: dt.date) -> dt.date:
        return self.period(label) if isinstance(label, dt.datetime) else self.first_day(label)


# --- tables --------------------------------------------------------------------------------------


def clean(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


@dataclass
class Plain:
    """The tables of a world as rows, with what derives from them."""

    world: World
    almanac: Almanac
    tables: dict[str, list[Row]] = field(init=False)
    largest: float = 1.0
    """The largest number met on the way: rounding errors are of its size."""

    def __post_init__(self) -> None:
        self.tables = {
            name: [{key: clean(value) for key, value in row.items()} for row in frame.to_dicts()]
            for name, frame in self.world.tables.items()
        }
        for row in self.tables.get("orders", []):
            self._derive_order(row)
        for row in self.tables.get("sessions", []):
            is_deep = compare("ge", row.get("page_views"), 2)
            is_long = compare("gt", row.get("engaged_s"), 10)
            row["is_engaged"] = either(either(is_long, row.get("has_key_event")), is_deep)
            row["is_bounce"] = negated(row["is_engaged"])
        self._number_orders()

    def _derive_order(self, row: Row) -> None:
        key = row.get("customer_id")
        row["customer_key"] = row.get("email_hash") if key is None else key
        if isinstance(row["customer_key"], int):
            row["customer_key"] = str(row["customer_key"])
        row["is_counted"] = row["status"] not in NOT_COUNTED
        row["is_online"] = row.get("session_id") is not None or (
            row.get("sales_channel") == "online"
        )

    def _number_orders(self) -> None:
        numbered = [
            row
            for row in self.tables.get("orders", [])
            if row["is_counted"]
            and row["customer_key"] is not None
            and row["ordered_at"] is not None
        ]
        for row in self.tables.get("orders", []):
            row["order_number"] = row["is_first_order"] = None
        numbered.sort(key=lambda row: (row["ordered_at"], row["order_id"]))
        seen: dict[Hashable, int] = {}
        for row in numbered:
            seen[row["customer_key"]] = seen.get(row["customer_key"], 0) + 1
            row["order_number"] = seen[row["customer_key"]]
            row["is_first_order"] = row["order_number"] == 1

    @property
    def as_of(self) -> dt.datetime | None:
        seen = [
            self.almanac.instant(row[name])
            for table, name in CLOCKS
            for row in self.tables.get(table, [])
            if row[name] is not None and row.get("is_counted", not row.get("is_bot"))
        ]
        return max(seen, default=None)

    def parent(self, row: Row, key: Column) -> Row | None:
        table = PARENTS[key.name]
        wanted = self.worth(key, row)
        found = [r for r in self.tables[table] if r[KEYS[table]] == wanted and wanted is not None]
        return found[0] if found else None

    # --- values of a row ---

    def worth(self, value: Any, row: Row) -> Any:
        match value:
            case Column() | PerKeyColumn():
                return row[value.name]
            case Literal(dt.timedelta() as length):
                return length.total_seconds()
            case Literal(constant):
                return constant
            case fk.AsOf():
                return self.as_of
            case Operation(operator, left, right):
                found = self.worth(left, row), self.worth(right, row)
                return self.note(reckon(str(operator), *found))
            case fk.Coalesce(values):
                return next((w for v in values if (w := self.worth(v, row)) is not None), None)
            case fk.If(condition, then, otherwise):
                return self.worth(then if self.holds(condition, row) else otherwise, row)
            case fk.Elapsed(start, end):
                first, last = self.worth(start, row), self.worth(end, row)
                if first is None or last is None:
                    return None
                if is_day(first) or is_day(last):
                    passed = self.almanac.wall(last).date() - self.almanac.wall(first).date()
                else:
                    passed = self.almanac.instant(last) - self.almanac.instant(first)
                return self.note(passed / dt.timedelta(seconds=1))
            case fk.Lookup(key, inner):
                found = self.parent(row, key)
                return None if found is None else self.worth(inner, found)
            case ConcatKey(values):
                parts = [self.worth(part, row) for part in values]
                return None if None in parts else tuple(parts)
            case _:
                raise AssertionError(value)

    def note(self, number: float | None) -> float | None:
        if number is not None:
            self.largest = max(self.largest, abs(number))
        return number

    # --- predicates ---

    def holds(self, predicate: Any, row: Row) -> bool | None:
        match predicate:
            case None:
                return True
            case fk.Flag():
                return row[predicate.name]
            case Comparison(relation, left, right):
                return compare(relation.name.lower(), *self.sides(row, left, right))
            case IsIn(value, options):
                found = [self.sides(row, value, Literal(option)) for option in options]
                return None if found[0][0] is None else any(a == b for a, b in found)
            case IsBetween(value, low, high):
                above = compare("ge", *self.sides(row, value, low))
                return both(above, compare("le", *self.sides(row, value, high)))
            case IsNull(value):
                return self.worth(value, row) is None
            case IsTrue(value):
                return self.worth(value, row)
            case Not(inner):
                return negated(self.holds(inner, row))
            case And(left, right):
                return both(self.holds(left, row), self.holds(right, row))
            case Or(left, right):
                return either(self.holds(left, row), self.holds(right, row))
            case _:
                raise AssertionError(predicate)

    def sides(self, row: Row, *values: Any) -> list[Any]:
        found = [self.worth(value, row) for value in values]
        if any(map(is_day, found)):
            return [None if value is None else self.almanac.wall(value).date() for value in found]
        if any(isinstance(value, dt.date) for value in found):
            return [None if value is None else self.almanac.wall(value) for value in found]
        return found

    # --- folds ---

    def fold(self, aggregate: Any, rows: Sequence[Row]) -> Any:
        """Fold rows that are already those of one period and group."""
        if aggregate.of is not None:
            rows = self.rolled_up(aggregate.of, rows)
        kept = [row for row in rows if self.holds(aggregate.where, row)]
        value = measured(aggregate)
        if value is None:
            return len(kept)
        found = [self.worth(value, row) for row in kept]
        given = [item for item in found if item is not None]
        match aggregate:
            case fk.Count():
                return len(given)
            case fk.CountDistinct():
                return len(set(given))
            case fk.Sum():
                if not aggregate.skip_nulls and len(given) < len(found):
                    return None
                if aggregate.require_single is not None:
                    pairs = zip(kept, found, strict=True)
                    kinds = {
                        self.worth(aggregate.require_single, r) for r, v in pairs if v is not None
                    }
                    if len(kinds - {None}) > 1:
                        return None
                return self.note(sum(map(self.note, given), 0.0))
            case fk.Mean():
                return sum(given) / len(given) if given else None
            case fk.Min():
                return min(given, default=None)
            case fk.Max():
                return max(given, default=None)
            case fk.Quantile(_, q):
                return quantile(given, q)
            case fk.StdDev():
                return statistics.stdev(given) if len(given) > 1 else None
            case _:
                raise AssertionError(aggregate)

    def last(self, aggregate: Any, rows: Sequence[Row], everyone: Sequence[Row]) -> float | None:
        """Fold the rows at the last moment that any of a period's rows has."""
        clock = EVENT_TIMES[source_of(aggregate)]
        moments = [row[clock] for row in everyone]
        kept = [
            row for row in rows if self.holds(aggregate.where, row) and row[clock] == max(moments)
        ]
        found = [self.worth(aggregate.value, row) for row in kept]
        known = [item for item in found if item is not None]
        return sum(known, 0.0) if known else None

    def rolled_up(self, rollup: fk.PerKey, rows: Sequence[Row]) -> list[Row]:
        owners: dict[Hashable, list[Row]] = {}
        for row in rows:
            key = self.worth(rollup.key, row)
            if key is not None and self.holds(rollup.where, row):
                owners.setdefault(key, []).append(row)
        table = rollup.key.table
        return [
            {
                name: self.last_of_one(fold, own, table)
                if isinstance(fold, fk.ClosingBalance)
                else self.fold(fold, own)
                for name, fold in rollup.columns
            }
            for own in owners.values()
        ]

    def last_of_one(self, fold: Any, rows: Sequence[Row], table: str) -> Any:
        kept = [
            row
            for row in rows
            if self.holds(fold.where, row) and self.worth(fold.value, row) is not None
        ]
        kept.sort(key=lambda row: (row[EVENT_TIMES[table]], row[KEYS[table]]))
        return self.worth(fold.value, kept[-1]) if kept else None

    # --- formulas ---

    def value(self, formula: Any, at: "Cell") -> float | None:
        """Give the value of a formula for one period and group."""
        match formula:
            case Constant(constant):
                return self.note(constant)
            case Reference(_, inner):
                return self.value(inner, at)
            case fk.Shift(inner, periods):
                return self.value(inner, at.earlier(periods))
            case fk.Cumulative(inner):
                return self.value(inner, at.to_date())
            case fk.PositiveOrNull(inner):
                found = self.value(inner, at)
                return found if found is not None and found > 0 else None
            case fk.Abs(inner):
                found = self.value(inner, at)
                return None if found is None else abs(found)
            case fk.Sqrt(inner):
                found = self.value(inner, at)
                return None if found is None or found < 0 else self.note(math.sqrt(found))
            case fk.ShareOfTotal(inner):
                found = [self.value(inner, part) for part in (at, *at.others())]
                whole = self.note(math.fsum(part for part in found if part is not None))
                return None if found[0] is None or not whole else self.note(found[0] / whole)
            case fk.PeriodDays():
                return self.note(at.days())
            case Arithmetic(operator, left, right):
                found = self.value(left, at), self.value(right, at)
                return self.note(reckon(str(operator), *found))
            case fk.CountRetained():
                now, then = at, at.earlier(formula.periods)
                sets = [
                    {
                        self.worth(formula.value, row)
                        for row in cell.rows(source_of(formula))
                        if self.holds(formula.where, row)
                    }
                    for cell in (now, then)
                ]
                return len((sets[0] & sets[1]) - {None})
            case fk.ClosingBalance():
                table = source_of(formula)
                return self.note(self.last(formula, at.rows(table), at.rows(table, anyone=True)))
            case _:
                return self.note(self.fold(formula, at.rows(source_of(formula))))


@dataclass(frozen=True)
class Cell:
    """One cell of a result: a period, perhaps an earlier one or all up to it, and a group."""

    plain: Plain
    label: dt.date | None
    group: tuple[Any, ...] = ()
    by: Callable[[str, Row], tuple[Any, ...]] = lambda _table, _row: ()
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    is_to_date: bool = False
    is_earlier: bool = False

    def earlier(self, periods: int) -> "Cell":
        assert self.label is not None
        label = self.plain.almanac.before(self.label, periods)
        return replace(self, label=label, is_earlier=True)

    def others(self) -> Iterable["Cell"]:
        """Give the cells of the other groups, of the same period."""
        groups = {self.by(name, row) for name, rows in self.plain.tables.items() for row in rows}
        return (replace(self, group=group) for group in groups - {self.group})

    def days(self) -> float:
        """Give the length of the period, by the clock where it is days, cut to the range."""
        assert self.label is not None
        start, end = self.label, self.plain.almanac.after(self.label)
        if isinstance(start, dt.datetime):
            return (end - start) / dt.timedelta(days=1)
        midnights = [dt.datetime.combine(day, dt.time()) for day in (start, end)]
        if not self.is_earlier:
            midnights[0] = max(midnights[0], self.start or midnights[0])
            midnights[1] = min(midnights[1], self.end or midnights[1])
        return (midnights[1] - midnights[0]) / dt.timedelta(days=1)

    def to_date(self) -> "Cell":
        return replace(self, is_to_date=True)

    def rows(self, table: str, *, anyone: bool = False) -> list[Row]:
        clock = EVENT_TIMES[table]
        return [
            row
            for row in self.plain.tables[table]
            if row[clock] is not None
            and (anyone or self.by(table, row) == self.group)
            and self.enters(row[clock])
        ]

    def enters(self, moment: dt.date) -> bool:
        almanac = self.plain.almanac
        if self.end is not None and not is_before(almanac, moment, self.end):
            return False
        is_free = self.is_to_date or self.is_earlier
        if not is_free and self.start is not None and is_before(almanac, moment, self.start):
            return False
        if self.label is None:
            return True
        found = almanac.period(moment)
        return found <= self.label if self.is_to_date else found == self.label


def is_before(almanac: Almanac, moment: dt.date, bound: dt.datetime) -> bool:
    """Say whether an event lies before a clock time; one without a zone is compared as shown."""
    if isinstance(moment, dt.datetime) and moment.tzinfo is not None:
        return moment < almanac.instant(bound)
    return almanac.wall(moment) < bound


# --- arithmetic with nulls -----------------------------------------------------------------------


def reckon(operator: str, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case _:
            return left / right if right else None


def is_day(value: Any) -> bool:
    return isinstance(value, dt.date) and not isinstance(value, dt.datetime)


def compare(relation: str, left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        return None
    match relation:
        case "eq":
            return left == right
        case "ne":
            return left != right
        case "lt":
            return left < right
        case "le":
            return left <= right
        case "gt":
            return left > right
        case _:
            return left >= right


def both(one: bool | None, two: bool | None) -> bool | None:
    if one is False or two is False:
        return False
    return None if one is None or two is None else True


def either(one: bool | None, two: bool | None) -> bool | None:
    return negated(both(negated(one), negated(two)))


def negated(one: bool | None) -> bool | None:
    return None if one is None else not one


def quantile(values: Iterable[float], q: float) -> float | None:
    """Interpolate linearly between the two nearest ranks."""
    ranked = sorted(values)
    if not ranked:
        return None
    place = q * (len(ranked) - 1)
    low, high = math.floor(place), math.ceil(place)
    return ranked[low] + (ranked[high] - ranked[low]) * (place - low)


def same(one: float | None, two: float | None, largest: float = 1.0) -> bool:
    """Say whether two numbers are equal but for rounding; null equals null alone."""
    if one is None or two is None:
        return one is two
    return math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-9 * largest)


def sums(groups: Iterable[Sequence[Any]]) -> dict[Any, float]:
    """Add up pairs of key and number; null adds nothing."""
    ordered = sorted(groups, key=lambda pair: repr(pair[0]))
    return {
        key: math.fsum(number for _, number in pairs if number is not None)
        for key, pairs in itertools.groupby(ordered, key=lambda pair: pair[0])
    }

"""Values, predicates and aggregates of formulas as scalars of the relational plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import assert_never

from funnelkit.calendar.grain import ONE_DAY, Span
from funnelkit.data.shop_data import ShopData
from funnelkit.data.value_types import TIMES, ValueType, value_type
from funnelkit.errors import DefinitionError, UnsupportedError
from funnelkit.formula.formulas import (
    Aggregate,
    ClosingBalance,
    Count,
    CountDistinct,
    CountRetained,
    Max,
    Mean,
    Min,
    PerKey,
    Quantile,
    StdDev,
    Sum,
)
from funnelkit.formula.operators import Operator, Relation
from funnelkit.formula.table import Rows
from funnelkit.formula.values import (
    And,
    AsOf,
    Coalesce,
    Column,
    Comparison,
    ConcatKey,
    Dimension,
    Elapsed,
    Flag,
    If,
    IsBetween,
    IsIn,
    IsNull,
    IsTrue,
    Literal,
    Lookup,
    Lower,
    Not,
    Operation,
    Or,
    PerKeyColumn,
    Predicate,
    Value,
)
from funnelkit.formula.values import Scalar as Constant
from funnelkit.formula.walk import end_of
from funnelkit.planning.kinds import kind_of, literal
from funnelkit.planning.names import Names
from funnelkit.planning.offsets import shown_by
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Call,
    Col,
    Kind,
    Lit,
    Op,
    Scalar,
    call,
    conjunction,
    is_known,
    negate,
    when,
    whole,
)
from funnelkit.planning.vocabulary import WRITTEN, in_words
from funnelkit.units import DAY_S

__all__ = [
    "ARITHMETIC",
    "FALSE",
    "TRUE",
    "ZERO",
    "Folded",
    "Lowering",
    "Source",
    "lowering_of",
]

Source = Column | Lookup | PerKeyColumn
"""What is a column of a relation."""

TRUE, FALSE, ZERO = Lit(value=True, kind="bool"), Lit(value=False, kind="bool"), Lit(0.0, "float")
SEPARATOR = Lit("\x1f", "str")
"""What keeps the parts of a key apart: the unit separator, which no text holds."""

ARITHMETIC = {
    Operator.ADD: Op.ADD,
    Operator.SUBTRACT: Op.SUBTRACT,
    Operator.MULTIPLY: Op.MULTIPLY,
    Operator.DIVIDE: Op.DIVIDE,
}
_RELATIONS = {
    Relation.EQ: Op.EQ,
    Relation.NE: Op.NE,
    Relation.LT: Op.LT,
    Relation.LE: Op.LE,
    Relation.GT: Op.GT,
    Relation.GE: Op.GE,
}


@dataclass(frozen=True, slots=True)
class Folded:
    """A fold: its aggregates, and what is made of them after.

    Attributes:
        name: The column of the fold.
        folds: The aggregates, by column.
        last: The value of the fold, of the columns of the aggregates.
    """

    name: str
    folds: Mapping[str, Agg]
    last: Scalar


@dataclass(frozen=True, slots=True)
class Lowering:
    """Writes what formulas say of the rows of one relation.

    Attributes:
        data: The data of the shop.
        as_of: Returns the instant up to which the data is known, if any.
        names: Names for columns.
        found: In which column of the relation a source is, where it is not named as such.
    """

    data: ShopData
    as_of: Callable[[], dt.datetime | None]
    names: Names
    found: Mapping[Source, str] = field(default_factory=dict[Source, str])

    @property
    def zone(self) -> Lit:
        """The shop's time zone."""
        return Lit(self.data.calendar.time_zone, "str")

    def having(self, found: Mapping[Source, str]) -> Lowering:
        """Return the same for a relation with further columns."""
        return replace(self, found={**self.found, **found})

    def name(self, source: Source) -> str:
        """Return the name of the column that holds a source."""
        if source in self.found:
            return self.found[source]
        if isinstance(source, Column):
            return source.name
        wanted = source.name if isinstance(source, PerKeyColumn) else _path(source)
        return self.names.of(source, wanted)

    def column(self, source: Source) -> Col:
        """Return the column that holds a source."""
        return Col(self.name(source))

    def value(self, value: Value) -> Scalar:
        """Return the scalar of a value."""
        match value:
            case Column() | Lookup() | PerKeyColumn():
                return self.column(value)
            case Literal(constant):
                return literal(constant)
            case Operation(operator, left, right):
                return call(ARITHMETIC[operator], self.number(left), self.number(right))
            case Coalesce(values):
                return call(Op.COALESCE, *self._alike(values))
            case ConcatKey(values):
                return self._concatenated(values)
            case Lower(text):
                return call(Op.LOWER, call(Op.TO_STR, self.value(text)))
            case Elapsed(start, end):
                return self._elapsed(start, end)
            case If(condition, then, otherwise):
                one, two = self._alike((then, otherwise))
                return when(self.predicate(condition), one, otherwise=two)
            case AsOf():
                return self.instant(value)
            case Dimension():
                raise UnsupportedError(str(value), "it has no value of its own here")
            case _:
                assert_never(value)

    def number(self, value: Value) -> Scalar:
        """Return the scalar of a number: whole numbers must not overflow, so all are floats."""
        sort = value_type(self.data, value)
        if sort in TIMES or sort is ValueType.WORD:
            problem = f"{value} is of type {sort}, and no number"
            raise DefinitionError(problem, "write elapsed(start, end) for the time between two")
        found = self.value(value)
        if isinstance(found, Lit) and isinstance(found.value, int):
            return Lit(float(found.value), "float")
        is_float = isinstance(value, Operation | Elapsed) or found == ZERO
        return found if is_float else call(Op.TO_FLOAT, found)

    def _alike(self, values: Sequence[Value]) -> list[Scalar]:
        """Return values of several kinds as values of one."""
        sorts = {value_type(self.data, value) for value in values} - {ValueType.UNKNOWN}
        kinds = {kind_of(self.data, value) for value in values}
        if sorts == {ValueType.NUMBER} and len(kinds) > 1:
            return [self.number(value) for value in values]
        if len(sorts) <= 1:
            return [self.value(value) for value in values]
        if sorts <= TIMES:
            return [self.instant(value) for value in values]
        return [call(Op.TO_STR, self.value(value)) for value in values]

    def _concatenated(self, values: Sequence[Value]) -> Scalar:
        parts = [part for value in values for part in (SEPARATOR, self._text(value))]
        return call(Op.CONCAT, *parts[1:])

    def _text(self, value: Value) -> Scalar:
        """Return a part of a key as a text; a time by its local day."""
        is_time = value_type(self.data, value) in TIMES
        return call(Op.TO_STR, self.day(value) if is_time else self.value(value))

    def predicate(self, predicate: Predicate) -> Scalar:
        """Return the scalar of a predicate; unknown is null."""
        match predicate:
            case Flag():
                return self.column(predicate)
            case Comparison(relation, left, right):
                return self._comparison(relation, *in_words(self.data, left, right))
            case IsIn(value, options):
                words = in_words(self.data, value, *map(Literal, options))[1:]
                return self._is_in(value, [w.value for w in words if isinstance(w, Literal)])
            case IsBetween(value, low, high):
                above = self._comparison(Relation.GE, value, low)
                return call(Op.AND, above, self._comparison(Relation.LE, value, high))
            case IsNull(value):
                return call(Op.IS_NULL, self.value(value))
            case IsTrue(value):
                return self.value(value)
            case Not(inner):
                return negate(self.predicate(inner))
            case And(left, right):
                return call(Op.AND, self.predicate(left), self.predicate(right))
            case Or(left, right):
                return call(Op.OR, self.predicate(left), self.predicate(right))
            case _:
                assert_never(predicate)

    def condition(self, predicate: Predicate | None) -> Scalar | None:
        """Return the scalar of a predicate, where there is one."""
        return None if predicate is None else self.predicate(predicate)

    def known(self, value: Value) -> Scalar:
        """Return the condition that a value is not null."""
        return is_known(self.value(value))

    def _is_in(self, value: Value, options: Sequence[Constant]) -> Scalar:
        """Return whether a value is one of a few; false of none, even where it is unknown."""
        if not options:
            found = self.value(value)
            return call(Op.AND, call(Op.IS_NULL, found), self.known(value))
        sorts = {value_type(self.data, item) for item in (value, *map(Literal, options))}
        if sorts <= {ValueType.WORD}:
            return call(Op.IN, self.value(value), *map(literal, options))
        if sorts <= {ValueType.NUMBER}:
            numbers = (literal(option).value for option in options)
            return self._among_numbers(value, [n for n in numbers if isinstance(n, int | float)])
        if sorts <= TIMES:
            return self._among_times(value, [literal(option) for option in options])
        equal = {self._comparison(Relation.EQ, value, Literal(option)) for option in options}
        return reduce(lambda one, two: call(Op.OR, one, two), sorted(equal, key=str))

    def _among_times(self, value: Value, options: Sequence[Lit]) -> Scalar:
        """Return whether a time is among constants: days, instants, or what the clock shows."""
        sort = value_type(self.data, value)
        kept: dict[Kind, list[Lit]] = {}
        for option in options:
            known = option if sort is ValueType.INSTANT else self._as_local(option)
            if sort is ValueType.DAY or known.kind == "day":
                known = self._as_day(known)
            kept.setdefault(known.kind, []).append(known)
        read = {"day": self.day, "instant": self.value, "local": self.local}
        found = [call(Op.IN, read[kind](value), *some) for kind, some in kept.items()]
        return reduce(lambda one, two: call(Op.OR, one, two), found)

    def _as_local(self, time: Lit) -> Lit:
        if time.kind != "instant" or not isinstance(time.value, dt.datetime):
            return time
        return Lit(self.data.calendar.shown(time.value), "local")

    def _as_day(self, time: Lit) -> Lit:
        return Lit(time.value.date(), "day") if isinstance(time.value, dt.datetime) else time

    def _among_numbers(self, value: Value, options: Sequence[float]) -> Scalar:
        """Return whether a number is among constants, each looked up among those of its kind."""
        is_whole = kind_of(self.data, value) == "int"
        looked_up = [(option, is_whole and literal(option).kind == "int") for option in options]
        alike = [literal(option) for option, is_alike in looked_up if is_alike]
        floats = [Lit(float(option), "float") for option, is_alike in looked_up if not is_alike]
        found = [call(Op.IN, self.value(value), *alike)] if alike else []
        found += [call(Op.IN, self.number(value), *floats)] if floats else []
        return reduce(lambda one, two: call(Op.OR, one, two), found)

    def _comparison(self, relation: Relation, left: Value, right: Value) -> Scalar:
        sides = left, right
        sorts = [value_type(self.data, side) for side in sides]
        known = {"time" if sort in TIMES else str(sort) for sort in sorts if sort}
        if len(known) > 1:
            raise DefinitionError(
                f"{left} {relation} {right} compares a {' with a '.join(sorted(known))}",
                WRITTEN,
            )
        if not set(sorts) <= TIMES:
            one, two = map(self.value, sides)
        elif ValueType.DAY in sorts:
            one, two = map(self.day, sides)
        else:
            is_exact = sorts == [ValueType.INSTANT, ValueType.INSTANT]
            one, two = map(self.instant if is_exact else self.local, sides)
        return call(_RELATIONS[relation], one, two)

    def _elapsed(self, start: Value, end: Value) -> Scalar:
        """Return the seconds between two moments; whole days where one of them is a day."""
        if ValueType.DAY not in {value_type(self.data, start), value_type(self.data, end)}:
            return call(Op.SECONDS_BETWEEN, self.instant(start), self.instant(end))
        days = call(Op.TO_FLOAT, call(Op.DAYS_BETWEEN, self.day(start), self.day(end)))
        return call(Op.MULTIPLY, days, Lit(float(DAY_S), "float"))

    def local(self, value: Value) -> Scalar:
        """Return a time as the clock of the shop's zone shows it."""
        if isinstance(value, AsOf):
            as_of = self.as_of()
            shown = None if as_of is None else self.data.calendar.shown(as_of)
            return Lit(shown, "local")
        found, sort = self.value(value), value_type(self.data, value)
        if isinstance(found, Lit) and sort is ValueType.INSTANT:
            return self._as_local(found)
        if sort is ValueType.INSTANT:
            return self._shown(value, found)
        return call(Op.MIDNIGHT, found) if sort is ValueType.DAY else found

    def _shown(self, value: Value, instant: Scalar) -> Scalar:
        """Return what the clock shows at an instant; by its offsets, where its range is known.

        Adding an offset is several times as fast as converting every time to the zone.
        """
        extent = self.data.extent(end_of(value)) if isinstance(value, Column | Lookup) else None
        ahead = self.data.calendar.offsets(*extent) if extent else ()
        return shown_by(instant, ahead) if ahead else call(Op.LOCAL_TIME, instant, self.zone)

    def instant(self, value: Value) -> Scalar:
        """Return a time as an instant; the first of two where the clock goes back."""
        if isinstance(value, AsOf):
            return Lit(self.as_of(), "instant")
        found, sort = self.value(value), value_type(self.data, value)
        if isinstance(value, PerKeyColumn) or sort is ValueType.INSTANT:
            return found
        return self.first_instant(call(Op.MIDNIGHT, found) if sort is ValueType.DAY else found)

    def first_instant(self, local: Scalar) -> Call:
        """Return the instant of a local time."""
        return call(Op.FIRST_INSTANT, local, self.zone)

    def day(self, value: Value) -> Scalar:
        """Return the local day of a time."""
        if value_type(self.data, value) is ValueType.DAY:
            return self.value(value)
        local = self.local(value)
        return self._as_day(local) if isinstance(local, Lit) else call(Op.TO_DAY, local)

    def within(self, clock: Column, span: Span) -> Scalar | None:
        """Return the condition that a time lies in a range; over all time, that there is one.

        It lies before a given as-of moment too.
        """
        known = self.before_as_of(clock)
        if span == Span():
            return self.known(clock) if known is None else known
        bounds = ((Op.GE, span.start), (Op.LT, span.end))
        found, sort = self.value(clock), value_type(self.data, clock)
        ranged = (call(op, found, self._bound(at, sort)) for op, at in bounds if at is not None)
        return conjunction(*ranged, known)

    def before_as_of(self, clock: Column) -> Scalar | None:
        """Return the condition that a time lies before the as-of moment, where one was given.

        Nothing is known of that moment and what follows. A day is known that begins before it.
        """
        given, calendar = self.data.given_as_of, self.data.calendar
        if given is None:
            return None
        if value_type(self.data, clock) is ValueType.DAY:
            return call(Op.LT, self.value(clock), Lit(calendar.first_day(given), "day"))
        is_changed = len(calendar.offsets(given - ONE_DAY, given + ONE_DAY)) > 1
        if is_changed or value_type(self.data, clock) is ValueType.INSTANT:
            # near a change of the clock local times are not in the order of what happened
            return call(Op.LT, self.instant(clock), Lit(given, "instant"))
        return call(Op.LT, self.value(clock), Lit(calendar.shown(given), "local"))

    def _bound(self, at: dt.datetime, sort: ValueType) -> Lit:
        """Return the bound of a range as a time of a sort; a day stands for its midnight."""
        if sort is ValueType.INSTANT:
            return Lit(self.data.calendar.instant(at), "instant")
        if sort is not ValueType.DAY:
            return Lit(at, "local")
        is_midnight = at.time() == dt.time()
        return Lit(at.date() + dt.timedelta(days=0 if is_midnight else 1), "day")

    def aggregate(self, fold: Aggregate, name: str, *, is_unique: bool = False) -> Folded:
        """Return an aggregate, its condition included.

        Args:
            fold: The aggregate.
            name: The name of its column.
            is_unique: Whether no two of its rows hold the same value.
        """
        where = self.condition(fold.where)
        match fold:
            case Count(Rows() | PerKey()):
                agg = Agg(AggOp.ROWS, None, where)
            case Count(rows):
                agg = Agg(AggOp.COUNT, self.value(rows), where)  # type: ignore[arg-type]  # rows and rollups are above
            case CountDistinct(value):
                op = AggOp.COUNT if is_unique else AggOp.COUNT_DISTINCT
                agg = Agg(op, self.value(value), where)
            case Sum():
                return self._sum(fold, name, where)
            case Mean(value):
                agg = Agg(AggOp.MEAN, self.number(value), where)
            case StdDev(value):
                agg = Agg(AggOp.STD, self.number(value), where)
            case Quantile(value, q):
                agg = Agg(AggOp.QUANTILE, self.number(value), where, q)
            case Min(value):
                agg = Agg(AggOp.MIN, self.value(value), where)
            case Max(value):
                agg = Agg(AggOp.MAX, self.value(value), where)
            case ClosingBalance() | CountRetained():
                raise UnsupportedError(str(fold), "it is folded by a step of its own")
            case _:
                assert_never(fold)
        return Folded(name, {name: agg}, Col(name))

    def _sum(self, fold: Sum, name: str, where: Scalar | None) -> Folded:
        """Return a sum; null where a value is missing, or of several kinds, that must not be."""
        value = self.value(fold.value)
        folds = {name: Agg(AggOp.SUM, self.number(fold.value), where)}
        total: Scalar = call(Op.COALESCE, Col(name), ZERO)
        limits: list[tuple[str, int, Agg]] = []
        if not fold.skip_nulls:
            exclusions_of = conjunction(where, call(Op.IS_NULL, value))
            limits.append((f"{name}_gaps", 0, Agg(AggOp.ROWS, None, exclusions_of)))
        if isinstance(fold.require_single, Rows):
            limits.append((f"{name}_values", 1, Agg(AggOp.COUNT, value, where)))
        elif isinstance(fold.require_single, Column):
            has_value = conjunction(where, self.known(fold.value))
            different = Agg(AggOp.COUNT_DISTINCT, self.column(fold.require_single), has_value)
            limits.append((f"{name}_owners", 1, different))
        for wanted, most, agg in limits:
            extra = self.names.of((name, wanted), wanted)
            folds[extra] = agg
            total = when(call(Op.LE, Col(extra), whole(most)), total)
        return Folded(name, folds, total)


def lowering_of(
    data: ShopData, *, as_of: Callable[[], dt.datetime | None] = lambda: None
) -> Lowering:
    """Return how the values of a shop's rows are written, with names unlike all columns.

    Args:
        data: The data of the shop.
        as_of: Returns the instant up to which it is known, where that is named.
    """
    bound = {name for table in data.tables.values() for name in table.columns}
    declared = {name for table in data.tables for name in data.known[table].columns}
    return Lowering(data, as_of, Names({name.lower() for name in bound | declared}))


def _path(item: Lookup) -> str:
    """Return a name for what a lookup finds: the key, and the column that it leads to."""
    inner = item.value.name if isinstance(item.value, Column) else _path(item.value)
    return f"{item.key.name}__{inner}"

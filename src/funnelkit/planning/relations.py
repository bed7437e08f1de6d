"""The relational plan: nine relations and a closed list of operations on the values of a row.

Whatever is particular to a business, a shop or a calendar is settled before a node of
this module is made: derived columns are joins and windows, periods are operations on
constants, and empty groups, nulls and zero division are written out. An engine
translates nodes one by one and decides nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from funnelkit.formula.formulas import PolarsExpr

__all__ = [
    "Agg",
    "AggOp",
    "Aggregate",
    "Answer",
    "Call",
    "Col",
    "EachDay",
    "Exists",
    "Filter",
    "Head",
    "Kind",
    "LeftJoin",
    "Lit",
    "Named",
    "Op",
    "Over",
    "OverOp",
    "Rel",
    "Scalar",
    "Scan",
    "Select",
    "call",
    "columns_of",
    "conjunction",
    "extend",
    "filtered",
    "is_known",
    "negate",
    "piecewise",
    "when",
    "whole",
]

Kind = Literal["int", "float", "str", "bool", "day", "local", "instant", "other"]
"""What a value is: `local` is a time as a clock on the wall shows it, `instant` one in UTC.

Of a column of another kind a plan asks only whether it is null, and which rows hold the same.
No float of a table is NaN or infinite. Arithmetic may give such: NaN is then equal to itself
and above all other numbers, a sum or mean with it is NaN, and what max, std and quantile
give of numbers that are not finite is left open. No whole number leaves 64 bits.
"""

Constant = str | int | float | bool | dt.date | dt.datetime | None


class Op(StrEnum):
    """The operations on values of one row.

    An operation gives null where an argument is null, unless the table says otherwise.
    Zones, lengths, anchors and numbers of days and months are constants.

    | operation | arguments | result |
    | --- | --- | --- |
    | add, multiply | float, float | float |
    | subtract | float, float, or int, int | of that kind |
    | divide | float, float | float; null where the divisor is 0 |
    | abs | float | float |
    | modulo | int, int > 0 | int, never below 0 |
    | eq, ne, lt, le, gt, ge | two of one kind, or int and float | bool; numbers of two kinds are compared as floats |
    | and, or, not | bool | bool, in three-valued logic: false and null is false |
    | is_null | any | bool, never null |
    | in | any, constants of its kind | bool |
    | coalesce | several of one kind | the first that is not null |
    | if | bool, any, any of that kind | the second where the first is true, else the third, or null if there is none |
    | lower | str | str, in the small letters of Unicode: `İ` is `i` and a dot above; whether a `Σ` that ends a word is `ς` or `σ` is left open |
    | contains | str, constant str | bool: whether the second is a part of the first |
    | concat | several str | str |
    | to_float | int, float, bool | float |
    | to_int | float | int, of a number that is whole |
    | to_str | any but other | str: a float in the fewest digits that read back as it, such as `2.0`, `1e+20` and `1e-7`; `true` and `false`; `2024-01-31`; a local time with microseconds after a space, such as `2024-01-31 13:05:00.000000`, and an instant with `+00:00` at the end as well |
    | to_day | local | day |
    | midnight | day | local |
    | local_time | instant, zone | local: what the clock of the zone shows |
    | first_instant | local, zone | instant: the first of two where the clock goes back; of a time that the clock skips, as if it had not been changed yet |
    | last_instant | local, zone | instant: the second of two; null for a time that is skipped |
    | seconds_between | instant, instant | float: from the first to the second |
    | hours_between | instant, instant | int: whole hours from the first to the second, the rest left off; below 0 where the second is earlier |
    | days_between | day, day | int |
    | months_between | day, day | int: from the month of the first to that of the second |
    | shift_seconds | local, int | local |
    | shift_days | day, int | day |
    | shift_months | day, int | day; the last of the month where that is shorter |
    | floor_days | day, length, anchor | day: the start of the period of so many days, of which one starts on the anchor |
    | floor_months | day, length | day: the start of the period of so many months, of which one starts in January 1970 |
    | floor_hours | local, length that divides 24 | local: the start of the period of so many hours, of which one starts at midnight |
    | floor_among | any, ascending constants of its kind | the last constant that is not above; null below the first, and from the last on |
    | position | any, ascending constants of its kind | int: how many constants are not above |
    """  # noqa: E501  # a table has one line per row

    ADD = "add"
    SUBTRACT = "subtract"
    MULTIPLY = "multiply"
    DIVIDE = "divide"
    ABS = "abs"
    MODULO = "modulo"
    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    AND = "and"
    OR = "or"
    NOT = "not"
    IS_NULL = "is_null"
    IN = "in"
    COALESCE = "coalesce"
    IF = "if"
    LOWER = "lower"
    CONTAINS = "contains"
    CONCAT = "concat"
    TO_FLOAT = "to_float"
    TO_INT = "to_int"
    TO_STR = "to_str"
    TO_DAY = "to_day"
    MIDNIGHT = "midnight"
    LOCAL_TIME = "local_time"
    FIRST_INSTANT = "first_instant"
    LAST_INSTANT = "last_instant"
    SECONDS_BETWEEN = "seconds_between"
    HOURS_BETWEEN = "hours_between"
    DAYS_BETWEEN = "days_between"
    MONTHS_BETWEEN = "months_between"
    SHIFT_SECONDS = "shift_seconds"
    SHIFT_DAYS = "shift_days"
    SHIFT_MONTHS = "shift_months"
    FLOOR_DAYS = "floor_days"
    FLOOR_MONTHS = "floor_months"
    FLOOR_HOURS = "floor_hours"
    FLOOR_AMONG = "floor_among"
    POSITION = "position"


class OverOp(StrEnum):
    """The windows: values of the rows that share a partition; null is a partition of its own.

    A row number is an int, all else of the kind of the value. Which of the rows comes
    first that tie in their order is left open: a plan orders by what tells rows apart
    wherever that matters. Of all rows, too, a sum is null where none has a value.

    | window | with an order | without |
    | --- | --- | --- |
    | row_number | the number of the row, from 1 | |
    | previous | the nearest value before the row that is not null | |
    | next | the nearest value after the row that is not null | |
    | sum, min, max | of the rows up to this one; null as long as none has a value | of all rows |
    """

    ROW_NUMBER = "row_number"
    PREVIOUS = "previous"
    NEXT = "next"
    SUM = "sum"
    MIN = "min"
    MAX = "max"


class AggOp(StrEnum):
    """The aggregates of the rows of a group; null is passed over.

    | aggregate | result | over no values |
    | --- | --- | --- |
    | rows | int: the number of rows | 0 |
    | count, count_distinct | int: the number of values, of different values | 0 |
    | sum, mean of floats | float | null |
    | min, max | of the kind of the value | null |
    | std of floats | float: the sample standard deviation | null, for one value as well |
    | quantile of floats | float, interpolated linearly | null |
    | all | bool: whether no row is false or null | true |
    | custom | a float: what an expression in the language of one engine gives of the rows | |
    """

    ROWS = "rows"
    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    SUM = "sum"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    STD = "std"
    QUANTILE = "quantile"
    ALL = "all"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Col:
    """A column of the relation below."""

    name: str


@dataclass(frozen=True, slots=True)
class Lit:
    """A constant of a kind; None is null of that kind."""

    value: Constant
    kind: Kind


@dataclass(frozen=True, slots=True)
class Call:
    """An operation on values of one row."""

    op: Op
    args: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Over:
    """A window over the rows that share a partition.

    Attributes:
        op: What is found of them.
        arg: The value; None for row_number.
        partition: What the rows share.
        order: The columns that order them: null first, or last where descending.
        is_descending: Whether the largest comes first.
    """

    op: OverOp
    arg: Scalar | None
    partition: tuple[Scalar, ...]
    order: tuple[Scalar, ...] = ()
    is_descending: bool = False


Scalar = Col | Lit | Call | Over


@dataclass(frozen=True, slots=True)
class Agg:
    """An aggregate of the rows of which a condition is true.

    Attributes:
        op: What is found of them.
        arg: The value; None for rows.
        where: The condition; None for all rows.
        q: Of a quantile, the share of values below it.
        custom: The expression of one engine's own; of no other aggregate.
    """

    op: AggOp
    arg: Scalar | None = None
    where: Scalar | None = None
    q: float = 0.0
    custom: PolarsExpr | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """A bound table: the columns that are read of it, with their kinds."""

    table: str
    columns: tuple[tuple[str, Kind], ...]


@dataclass(frozen=True, slots=True)
class Select:
    """Columns made of each row, and no others; windows may be among them."""

    input: Rel
    named: tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """The rows of which a condition is true."""

    input: Rel
    where: Scalar


@dataclass(frozen=True, slots=True)
class LeftJoin:
    """Every row once, with columns of the one row of another relation that has its keys.

    A null key has no such row. The keys identify the rows of the other relation, so
    that rows cannot be multiplied.

    Attributes:
        left: The relation whose rows are kept.
        right: The relation that is looked into.
        on: Column of the left and column of the right that must be equal.
        take: New name and column of the right.
    """

    left: Rel
    right: Rel
    on: tuple[tuple[str, str], ...]
    take: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Exists:
    """Every row once, with whether another relation has a row of its key; false of a null key.

    Attributes:
        left: The relation whose rows are kept.
        right: The relation that is looked into; of a key it may have several rows.
        on: Column of the left and column of the right that must be equal.
        name: The new column.
    """

    left: Rel
    right: Rel
    on: tuple[str, str]
    name: str


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One row per key, where null is a key like any other; one row where there are no keys."""

    input: Rel
    keys: tuple[str, ...]
    folds: tuple[tuple[str, Agg], ...]


@dataclass(frozen=True, slots=True)
class EachDay:
    """A row for each day from one to another, both included.

    There is none where either is null, or the last is before the first.

    Attributes:
        input: The relation.
        name: The new column that holds the day.
        first: The first day.
        last: The last day.
    """

    input: Rel
    name: str
    first: Scalar
    last: Scalar


@dataclass(frozen=True, slots=True)
class Head:
    """The first rows in an order, of which null comes first, or last where descending.

    Attributes:
        input: The relation.
        order: By what rows are ordered.
        count: How many rows there are at most.
        is_descending: Whether the largest comes first.
    """

    input: Rel
    order: tuple[Col, ...]
    count: int
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """A relation with a name: what is shared, or worth a reader's look.

    In the relations of one plan a name is always of the same relation.
    """

    name: str
    input: Rel
    note: str = ""


Rel = Scan | Select | Filter | LeftJoin | Exists | Aggregate | EachDay | Head | Named


@dataclass(frozen=True, slots=True)
class Answer:
    """A relation that answers a step, and what its columns are.

    Attributes:
        relation: The relation: one row per period and group; several steps may share one.
        period: The column of the period; None where there are no periods.
        keys: The columns of the keys, in the order of the step's groups.
        folds: The columns of the folds, in the order of the step's folds.
        spellings: By key: how its words are written in the end, where not as they are.
        alike: Where units are counted that have the same folds, the columns of whether they
            are named, and of their number.
    """

    relation: Named
    period: str | None
    keys: tuple[str, ...]
    folds: tuple[str, ...]
    spellings: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    alike: tuple[str, str] | None = None


def columns_of(rel: Rel) -> tuple[str, ...]:
    """Return the names of the columns of a relation."""
    match rel:
        case Scan(_, columns):
            return tuple(name for name, _ in columns)
        case Select(_, named):
            return tuple(name for name, _ in named)
        case LeftJoin(left, _, _, take):
            return (*columns_of(left), *(name for name, _ in take))
        case Exists(left, _, _, name):
            return (*columns_of(left), name)
        case Aggregate(_, keys, folds):
            return (*keys, *(name for name, _ in folds))
        case EachDay(inner, name):
            return (*columns_of(inner), name)
        case Filter() | Head() | Named():
            return columns_of(rel.input)


def call(op: Op, *args: Scalar) -> Call:
    """Return an operation on its arguments."""
    return Call(op, args)


def whole(number: int) -> Lit:
    """Return a whole number as a constant."""
    return Lit(number, "int")


def conjunction(*conditions: Scalar | None) -> Scalar | None:
    """Return the conjunction of the conditions that are there; None if there is none."""
    found: Scalar | None = None
    for condition in conditions:
        if condition is not None:
            found = condition if found is None else call(Op.AND, found, condition)
    return found


def negate(condition: Scalar) -> Call:
    """Return the opposite of a condition."""
    return call(Op.NOT, condition)


def is_known(value: Scalar) -> Call:
    """Return the condition that a value is not null."""
    return negate(call(Op.IS_NULL, value))


def when(condition: Scalar, then: Scalar, *, otherwise: Scalar | None = None) -> Call:
    """Return one value where a condition is true, and another, or null, elsewhere."""
    return call(Op.IF, condition, then, *(() if otherwise is None else (otherwise,)))


def filtered(rel: Rel, where: Scalar | None) -> Rel:
    """Return the rows of a relation for which a condition holds; all without one."""
    return rel if where is None else Filter(rel, where)


def extend(rel: Rel, /, **new: Scalar) -> Rel:
    """Return a relation with columns added or replaced; the others stay."""
    kept = [(name, Col(name)) for name in columns_of(rel) if name not in new]
    return Select(rel, (*kept, *new.items())) if new else rel


def piecewise(value: Scalar, pieces: Sequence[tuple[Lit, Scalar]], below: Scalar) -> Scalar:
    """Return the scalar of the last piece that begins at or below a value.

    Written as a tree of comparisons, so that the depth is the logarithm of the
    number of pieces.

    Args:
        value: The value.
        pieces: Where each piece begins, in ascending order, and its scalar.
        below: The scalar below the first piece.
    """
    if not pieces:
        return below
    middle = len(pieces) // 2
    limit, above = pieces[middle]
    low = piecewise(value, pieces[:middle], below)
    high = piecewise(value, pieces[middle + 1 :], above)
    return when(call(Op.LT, value, limit), low, otherwise=high)

"""Aggregates and formulas: rows folded into numbers, and arithmetic on the numbers.

A source is a table, or a `PerKey`: a table folded to one row per key. Columns of
two tables never meet in one aggregate; each table is folded alone and the
folds are aligned after, so a join can never multiply what is summed.
"""

from __future__ import annotations

import keyword
from dataclasses import dataclass, field, fields
from functools import partial
from itertools import chain
from typing import ClassVar, Protocol, cast, runtime_checkable

import polars as pl

from funnelkit.arguments import check_flags, is_number
from funnelkit.errors import DefinitionError
from funnelkit.formula.arguments import (
    check_key,
    check_native,
    check_number,
    check_parts,
    check_periods,
    check_share,
    check_where,
    tables_of,
)
from funnelkit.formula.constants import check_finite
from funnelkit.formula.operators import Operator
from funnelkit.formula.table import Rows, Table, rows_of
from funnelkit.formula.values import (
    Category,
    Coalesce,
    Column,
    If,
    Key,
    Literal,
    Lookup,
    PerKeyColumn,
    Predicate,
    Score,
    Time,
    Value,
    text_name,
    unit_of,
)
from funnelkit.formula.walk import per_key_of
from funnelkit.units import NUMBER, Unit

__all__ = [
    "Abs",
    "Aggregate",
    "Applied",
    "Arithmetic",
    "ClosingBalance",
    "Constant",
    "Count",
    "CountDistinct",
    "CountRetained",
    "Cumulative",
    "Formula",
    "FormulaNode",
    "Max",
    "Mean",
    "Median",
    "Min",
    "Name",
    "PerKey",
    "PeriodDays",
    "PeriodsToBreakEven",
    "PolarsExpr",
    "PositiveOrNull",
    "Quantile",
    "QuantileBucket",
    "Reference",
    "ShareOfTotal",
    "Shift",
    "Sqrt",
    "StdDev",
    "Sum",
    "SupportsFormula",
    "Transform",
    "as_formula",
    "measured",
    "source_of",
    "unit_of_aggregate",
]


@runtime_checkable
class SupportsFormula(Protocol):
    """Anything that can be used as a formula: a metric."""

    def to_formula(self) -> Reference:
        """Return the reference to it for use in formulas."""
        ...


class FormulaNode:
    """Operators that aggregates, metrics and formulas answer to: arithmetic."""

    __slots__ = ()

    def __add__(self, other: Operand) -> Arithmetic:
        return Arithmetic(Operator.ADD, as_formula(self), as_formula(other))

    def __sub__(self, other: Operand) -> Arithmetic:
        return Arithmetic(Operator.SUBTRACT, as_formula(self), as_formula(other))

    def __mul__(self, other: Operand) -> Arithmetic:
        return Arithmetic(Operator.MULTIPLY, as_formula(self), as_formula(other))

    def __truediv__(self, other: Operand) -> Arithmetic:
        return Arithmetic(Operator.DIVIDE, as_formula(self), as_formula(other))

    def __radd__(self, other: float) -> Arithmetic:
        return Arithmetic(Operator.ADD, as_formula(other), as_formula(self))

    def __rsub__(self, other: float) -> Arithmetic:
        return Arithmetic(Operator.SUBTRACT, as_formula(other), as_formula(self))

    def __rmul__(self, other: float) -> Arithmetic:
        return Arithmetic(Operator.MULTIPLY, as_formula(other), as_formula(self))

    def __rtruediv__(self, other: float) -> Arithmetic:
        return Arithmetic(Operator.DIVIDE, as_formula(other), as_formula(self))


@dataclass(frozen=True, slots=True)
class PerKey:
    """A table folded to one row per key, used as a source.

    The keys of the question are pushed below it: "by channel" folds the rows
    of each customer *within the channel*. Rows without the key are left out.

    Attributes:
        key: What there is one row for: a column, or one of a parent, such as the
            account of an order's customer.
        columns: Name and aggregate of each column.
        where: Which rows of the table enter.

    Examples:
        >>> from funnelkit import Count, Orders, PerKey
        >>> buyers = PerKey(Orders.customer_key, n=Count(Orders))
        >>> str(Count(buyers, where=buyers["n"] >= 2))
        'count(per_key(orders.customer_key, n=count(orders)), where=n >= 2)'
    """

    key: Column | Lookup
    columns: tuple[tuple[str, Aggregate], ...] = ()
    where: Predicate | None = None

    def __init__(
        self, key: Column | Lookup, /, *, where: Predicate | None = None, **columns: Aggregate
    ) -> None:
        check_key(key)
        check_where(where)
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "where", where)
        object.__setattr__(self, "columns", tuple(columns.items()))
        for name, aggregate in columns.items():
            if not name.isidentifier() or keyword.iskeyword(name) or name == "where":
                raise DefinitionError(f"{name!r} is not a valid column name", "use an identifier")
            _check_aggregate(name, aggregate)
            if aggregate.of is not None:
                raise DefinitionError(f"{aggregate} is over a PerKey", "use a table")
            if source_of(aggregate) != self.table:
                raise DefinitionError(
                    f"{aggregate} is not over {self.table}", f"roll up columns of {self.table}"
                )

    @property
    def table(self) -> str:
        """The table that is folded."""
        return (self.key.key if isinstance(self.key, Lookup) else self.key).table

    def __reduce__(self) -> tuple[object, ...]:
        return (partial(PerKey, self.key, where=self.where, **dict(self.columns)), ())

    def __getitem__(self, name: str) -> PerKeyColumn:
        for known, aggregate in self.columns:
            if known == name:
                return PerKeyColumn(name, unit_of_aggregate(aggregate), self)
        names = ", ".join(known for known, _ in self.columns)
        raise DefinitionError(f"the PerKey has no column {name!r}", f"it has {names}")

    def __str__(self) -> str:
        parts = [str(self.key), *(f"{name}={fold}" for name, fold in self.columns)]
        if self.where is not None:
            parts.append(f"where={self.where}")
        return f"per_key({', '.join(parts)})"


@dataclass(frozen=True, slots=True)
class Sum(FormulaNode):
    """The sum of a value; 0 over no rows.

    Attributes:
        value: What is added.
        where: Which rows enter.
        of: The source whose columns are added, where it is a table folded per key.
        skip_nulls: Whether rows without the value are passed over; if not,
            one such row makes the sum null.
        require_single: A column of which the rows must share one value, or the sum is
            null, such as the platform of conversion values. The table itself, where
            nothing may be added to the value of a single row.
    """

    value: Value
    where: Predicate | None = field(default=None, kw_only=True)
    of: PerKey | None = field(init=False, compare=False, repr=False)
    skip_nulls: bool = field(default=True, kw_only=True)
    require_single: Column | Rows | type[Table] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", per_key_of(self.value, self.where))
        check_number(self.value, "added")
        check_flags(skip_nulls=self.skip_nulls)
        if not isinstance(self.require_single, Column | Rows | None):
            object.__setattr__(self, "require_single", rows_of(self.require_single))
        table = check_source(self)
        if isinstance(self.require_single, Rows) and self.require_single.table != table:
            raise DefinitionError(
                f"{self} is within {self.require_single}", f"write require_single={table}"
            )

    def __str__(self) -> str:
        extra = "" if self.skip_nulls else ", skip_nulls=False"
        extra += "" if self.require_single is None else f", require_single={self.require_single}"
        return _call("sum", str(self.value), self, extra)


@dataclass(frozen=True, slots=True)
class Count(FormulaNode):
    """The number of rows, or of values that are not null; 0 over no rows.

    Attributes:
        rows: A table or `PerKey` to count the rows of, or a value to count.
        where: Which rows enter.
    """

    rows: Rows | PerKey | Value
    where: Predicate | None = None

    def __init__(
        self, rows: type[Table] | Rows | PerKey | Value, *, where: Predicate | None = None
    ) -> None:
        counted = rows_of(rows) if isinstance(rows, type) else rows
        object.__setattr__(self, "rows", counted)
        object.__setattr__(self, "where", where)
        check_source(self)

    def __reduce__(self) -> tuple[object, ...]:
        return (partial(Count, self.rows, where=self.where), ())

    @property
    def of(self) -> PerKey | None:
        """The `PerKey` whose rows are counted, if any."""
        return self.rows if isinstance(self.rows, PerKey) else None

    def __str__(self) -> str:
        where = "" if self.where is None else f", where={self.where}"
        return f"count({self.rows}{where})"


@dataclass(frozen=True, slots=True)
class CountDistinct(FormulaNode):
    """The number of different values, null left out; 0 over no rows."""

    value: Value
    where: Predicate | None = field(default=None, kw_only=True)
    of: PerKey | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", per_key_of(self.value, self.where))
        check_source(self)

    def __str__(self) -> str:
        return _call("count_distinct", str(self.value), self)


@dataclass(frozen=True, slots=True)
class CountRetained(FormulaNode):
    """The number of different values seen in a period and in an earlier one too.

    Attributes:
        value: What is looked for in both periods.
        where: Which rows enter, in both periods.
        periods: How many periods earlier.
    """

    value: Column
    where: Predicate | None = field(default=None, kw_only=True)
    periods: int = field(default=1, kw_only=True)

    def __post_init__(self) -> None:
        check_periods(self.periods)
        check_source(self)

    @property
    def of(self) -> PerKey | None:
        """No `PerKey`: both periods are read from the table itself."""
        return None

    def __str__(self) -> str:
        extra = "" if self.periods == 1 else f", periods={self.periods}"
        return _call("count_retained", str(self.value), self, extra)


@dataclass(frozen=True, slots=True)
class Measured(FormulaNode):
    """A statistic of the values of the rows; the subclasses define which."""

    word: ClassVar[str]
    verb: ClassVar[str] = "averaged"
    allowed: ClassVar[tuple[type, ...]] = (Score,)

    value: Value
    where: Predicate | None = field(default=None, kw_only=True)
    of: PerKey | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", per_key_of(self.value, self.where))
        check_number(self.value, self.verb, allowed=self.allowed)
        check_source(self._known)

    def __str__(self) -> str:
        return _call(self.word, str(self.value), self._known)

    @property
    def _known(self) -> Aggregate:
        return cast("Aggregate", self)


class Mean(Measured):
    """The arithmetic mean of a value; null over no rows."""

    __slots__ = ()
    word = "mean"


class Min(Measured):
    """The smallest value; null over no rows."""

    __slots__ = ()
    word = "min"
    verb = "compared in size"
    allowed = (Score, Key, Time, Category)


class Max(Measured):
    """The largest value; null over no rows."""

    __slots__ = ()
    word = "max"
    verb = "compared in size"
    allowed = (Score, Key, Time, Category)


class StdDev(Measured):
    """The sample standard deviation; null for fewer than two values."""

    __slots__ = ()
    word = "std_dev"


@dataclass(frozen=True, slots=True)
class Quantile(FormulaNode):
    """The value below which the share `q` of values lies, interpolated linearly."""

    value: Value
    q: float
    where: Predicate | None = field(default=None, kw_only=True)
    of: PerKey | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", per_key_of(self.value, self.where))
        check_share(self.q)
        check_number(self.value, "ranked", allowed=(Score,))
        check_source(self)

    def __str__(self) -> str:
        return _call("quantile", f"{self.value}, {self.q!r}", self)


def Median(  # noqa: N802  # reads as the node that it gives
    value: Value, *, where: Predicate | None = None
) -> Quantile:
    """Return the median: the 0.5 quantile."""
    return Quantile(value, 0.5, where=where)


@dataclass(frozen=True, slots=True)
class ClosingBalance(FormulaNode):
    """The sum of a value at the last moment of the period: a stock.

    In a `PerKey`, where there is one entity per key, the value at its last moment;
    of rows at the same moment, the one with the largest key counts.

    Attributes:
        value: What is held.
        where: Which rows enter.
        carry_forward: Whether an entity keeps its last value until it has another row; if
            not, only rows at the last moment of the period enter, and an entity without
            one has ended.
    """

    value: Value
    where: Predicate | None = field(default=None, kw_only=True)
    carry_forward: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        check_number(self.value, "kept", allowed=(Score,))
        check_flags(carry_forward=self.carry_forward)
        check_source(self)

    @property
    def of(self) -> PerKey | None:
        """No `PerKey`: moments belong to the table itself."""
        return None

    def __str__(self) -> str:
        extra = "" if self.carry_forward else ", carry_forward=False"
        return _call("closing_balance", str(self.value), self, extra)


Aggregate = (
    Sum
    | Count
    | CountDistinct
    | CountRetained
    | Mean
    | Min
    | Max
    | Quantile
    | StdDev
    | ClosingBalance
)


@dataclass(frozen=True, slots=True)
class Constant(FormulaNode):
    """A plain number."""

    value: float

    def __post_init__(self) -> None:
        check_finite(self.value)

    def __str__(self) -> str:
        return repr(self.value)


@dataclass(frozen=True, slots=True)
class Name(FormulaNode):
    """A metric by its name, not yet looked up in a registry."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Reference(FormulaNode):
    """A metric inside the formula of another: its name stays, its formula is at hand."""

    name: str
    formula: Formula
    unit: Unit = field(default=NUMBER, compare=False)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Arithmetic(FormulaNode):
    """Arithmetic on folded numbers; dividing by zero or by null gives null."""

    operator: Operator
    left: Formula
    right: Formula

    def __str__(self) -> str:
        left = _operand(self.left, self.operator.binds)
        return f"{left} {self.operator} {_operand(self.right, self.operator.binds + 1)}"


@dataclass(frozen=True, slots=True)
class Applied(FormulaNode):
    """A function of one formula; the subclasses define which. The text form shows the fields."""

    formula: Formula

    def __post_init__(self) -> None:
        object.__setattr__(self, "formula", as_formula(self.formula))

    def __str__(self) -> str:
        shown = [(entry, getattr(self, entry.name)) for entry in fields(self)]
        given = [str(value) for entry, value in shown if not entry.kw_only]
        words = [(e.name, value) for e, value in shown if e.kw_only and value != e.default]
        given += [f"{name}={value!r}" for name, value in words]
        return f"{text_name(type(self))}({', '.join(given)})"


@dataclass(frozen=True, slots=True)
class Shift(Applied):
    """A formula in an earlier period, shown in this one.

    Attributes:
        formula: The formula.
        periods: How many periods earlier.
        like_for_like: Whether a period that is still open is set against the
            same part of the earlier one: the first 22 days against the first 22.
    """

    periods: int = 1
    like_for_like: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        Applied.__post_init__(self)
        check_periods(self.periods)
        check_flags(like_for_like=self.like_for_like)


class Cumulative(Applied):
    """A formula over the whole history up to the end of the period.

    Its folds must grow row by row: sums, counts and distinct counts.
    """

    __slots__ = ()


class Transform(Applied):
    """A function of the value of a formula in the same period; the subclasses define which."""

    __slots__ = ()


class PeriodsToBreakEven(Transform):
    """How many periods after that in a group's key a formula, to date, is first not below zero.

    The key is itself a period, as a cohort is. Null as long as the formula is below zero.
    """

    __slots__ = ()


class PositiveOrNull(Transform):
    """A formula's value where it is above zero, and null elsewhere."""

    __slots__ = ()


class Abs(Transform):
    """A formula's value without its sign."""

    __slots__ = ()


class Sqrt(Transform):
    """The square root of a formula; null where it is below zero."""

    __slots__ = ()


class ShareOfTotal(Transform):
    """A group's part of what all groups of the same period have together.

    The formula must add up over groups. Without groups the share is one.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class QuantileBucket(Transform):
    """Into which part of all groups of the same period a group falls, from 1 for the lowest.

    That is told by the share of groups below it: of 5 parts, the third begins where two
    fifths are below. Equal values share a part; groups without a value have none, nor do
    those of which every count and sum is 0: they may come from another table of the question.

    Attributes:
        formula: What the groups are ranked by.
        parts: How many parts: 5 for fifths.
        dense: Whether the share is that of the different values below, and not of the groups.
    """

    parts: int
    dense: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        Applied.__post_init__(self)
        check_parts(self.parts)
        check_flags(dense=self.dense)


@dataclass(frozen=True, slots=True)
class PeriodDays(FormulaNode):
    """The length of the period in days, cut to the range; an earlier period has its own length."""

    def __str__(self) -> str:
        return "period_days()"


@dataclass(frozen=True, slots=True)
class PolarsExpr(FormulaNode):
    """An aggregated Polars expression on one table: the way out of the algebra.

    Its inputs are read off the expression. Other engines reject it by name,
    and no text can bring it back.
    """

    table: str
    expression: pl.Expr = field(compare=False)
    unit: Unit = NUMBER
    text: str = field(init=False)

    def __post_init__(self) -> None:
        check_native(self.table, self.expression, self.unit)
        object.__setattr__(self, "text", str(self.expression))

    def __str__(self) -> str:
        return f"polars_expr({self.table!r}, {self.text!r})"


Formula = (
    Aggregate
    | Constant
    | Name
    | Reference
    | Arithmetic
    | Shift
    | Cumulative
    | Transform
    | PeriodDays
    | PolarsExpr
)
Operand = FormulaNode | SupportsFormula | float


def as_formula(thing: Operand) -> Formula:
    """Take a formula, a metric or a number as a formula.

    Raises:
        DefinitionError: It is not a formula.
    """
    if isinstance(thing, SupportsFormula) and not isinstance(thing, type):
        return thing.to_formula()
    if isinstance(thing, FormulaNode):
        return thing  # type: ignore[return-value]  # every FormulaNode is one of Formula
    if not is_number(thing):
        problem = f"{thing!r} is a {type(thing).__name__}, not a formula"
        raise DefinitionError(problem, "use metrics, numbers, Sum, Count, …: columns are folded")
    return Constant(thing)


def _operand(formula: Formula, binds: int) -> str:
    is_loose = isinstance(formula, Arithmetic) and formula.operator.binds < binds
    return f"({formula})" if is_loose else str(formula)


def measured(aggregate: Aggregate) -> Value | None:
    """Return the value that an aggregate folds; None where it counts rows."""
    if isinstance(aggregate, Count):
        return None if isinstance(aggregate.rows, Rows | PerKey) else aggregate.rows
    return aggregate.value


def source_of(aggregate: Aggregate) -> str:
    """Return the name of the one table that an aggregate reads."""
    if aggregate.of is not None:
        return aggregate.of.table
    if isinstance(aggregate, Count) and isinstance(aggregate.rows, Rows):
        return aggregate.rows.table
    return next(chain(tables_of(measured(aggregate)), tables_of(aggregate.where)))


def check_source(aggregate: Aggregate) -> str:
    """Return the name of the one table that an aggregate is to read.

    Raises:
        DefinitionError: It reads several tables, or none, or mixes the
            columns of a `PerKey` with those of a table.
    """
    check_where(aggregate.where)
    parts = [part for part in (measured(aggregate), aggregate.where) if part is not None]
    if isinstance(aggregate, Sum) and isinstance(aggregate.require_single, Column):
        parts.append(aggregate.require_single)
    tables = {table for part in parts for table in tables_of(part)}
    if aggregate.of is not None:
        if tables - {""}:
            raise DefinitionError(
                f"{aggregate} mixes a PerKey with columns of {', '.join(sorted(tables - {''}))}",
                "use the columns of the PerKey",
            )
        return aggregate.of.table
    if "" in tables:
        raise DefinitionError(
            f"{aggregate} uses a column of a PerKey", "in text, name it with of=per_key(…)"
        )
    if isinstance(aggregate, Count) and isinstance(aggregate.rows, Rows):
        tables.add(aggregate.rows.table)
    if len(tables) != 1:
        raise DefinitionError(
            f"{aggregate} reads {', '.join(sorted(tables)) or 'no table'}",
            "an aggregate folds one table; reach a parent's column with Lookup(key, column)",
        )
    return tables.pop()


def unit_of_aggregate(aggregate: Aggregate) -> Unit:
    """Return the unit of what an aggregate returns."""
    match aggregate:
        case Count():
            return _unit_of_counted(aggregate.rows)
        case CountDistinct() | CountRetained():
            return _unit_of_counted(aggregate.value)
        case _:
            return unit_of(aggregate.value)


def _unit_of_counted(value: Value | Rows | PerKey) -> Unit:
    """Return the unit of rows or keys; a count of amounts or texts is a plain number."""
    match value:
        case Rows() | Key():
            return value.unit
        case PerKey(Column() as key):
            return key.unit
        case PerKey(key):
            return _unit_of_counted(key)
        case PerKeyColumn() if value.unit.is_tally:
            return value.unit
        case Lookup():
            return _unit_of_counted(value.value)
        case Coalesce(values):
            return _unit_of_counted(values[0])
        case If(_, then, otherwise):
            return _unit_of_counted(otherwise if isinstance(then, Literal) else then)
        case _:
            return NUMBER


def _call(name: str, inside: str, aggregate: Aggregate, extra: str = "") -> str:
    of = "" if aggregate.of is None else f", of={aggregate.of}"
    where = "" if aggregate.where is None else f", where={aggregate.where}"
    return f"{name}({inside}{of}{where}{extra})"


def _check_aggregate(name: str, thing: object) -> None:
    if not isinstance(thing, Aggregate):
        raise DefinitionError(f"{name}={thing} is not an aggregate", "use Sum, Count, …")

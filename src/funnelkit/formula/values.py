"""Values and predicates: what can be said about one row of one table.

Nodes are frozen, hashable and structurally equal; `str(node)` is the text form
that `parse` reads back. Comparison is by named methods, with the method names of Polars
(`Orders.status.eq("paid")`), because `==` between nodes asks whether they are
the same definition.
"""

from __future__ import annotations

import datetime as dt
import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, assert_never

from funnelkit.errors import DefinitionError, UnitError, shortened
from funnelkit.formula.constants import LENGTHS, Scalar, check_finite, constant_text
from funnelkit.formula.operators import Operator, Relation
from funnelkit.formula.vocabulary import check_vocabulary, dictionary, folded
from funnelkit.units import MONEY, NUMBER, SECOND, Unit

__all__ = [
    "And",
    "AsOf",
    "Category",
    "Coalesce",
    "Column",
    "Comparison",
    "ConcatKey",
    "Dimension",
    "Duration",
    "Elapsed",
    "Flag",
    "If",
    "IsBetween",
    "IsIn",
    "IsNull",
    "IsTrue",
    "Key",
    "Literal",
    "Lookup",
    "Lower",
    "Money",
    "Not",
    "Operation",
    "Or",
    "PerKeyColumn",
    "PerKeySource",
    "Predicate",
    "PredicateNode",
    "Quantity",
    "Scalar",
    "Score",
    "Time",
    "Value",
    "ValueNode",
    "text_name",
    "unit_of",
]


class ValueNode:
    """Operators that every value answers to: arithmetic and comparison."""

    __slots__ = ()

    def __add__(self, other: Value | float) -> Operation:
        return Operation(Operator.ADD, _value(self), _value(other))

    def __sub__(self, other: Value | float) -> Operation:
        return Operation(Operator.SUBTRACT, _value(self), _value(other))

    def __mul__(self, other: Value | float) -> Operation:
        return Operation(Operator.MULTIPLY, _value(self), _value(other))

    def __truediv__(self, other: Value | float) -> Operation:
        return Operation(Operator.DIVIDE, _value(self), _value(other))

    def __radd__(self, other: float) -> Operation:
        return Operation(Operator.ADD, _value(other), _value(self))

    def __rsub__(self, other: float) -> Operation:
        return Operation(Operator.SUBTRACT, _value(other), _value(self))

    def __rmul__(self, other: float) -> Operation:
        return Operation(Operator.MULTIPLY, _value(other), _value(self))

    def __rtruediv__(self, other: float) -> Operation:
        return Operation(Operator.DIVIDE, _value(other), _value(self))

    def __lt__(self, other: Value | Scalar) -> Comparison:
        return Comparison(Relation.LT, _value(self), _value(other))

    def __le__(self, other: Value | Scalar) -> Comparison:
        return Comparison(Relation.LE, _value(self), _value(other))

    def __gt__(self, other: Value | Scalar) -> Comparison:
        return Comparison(Relation.GT, _value(self), _value(other))

    def __ge__(self, other: Value | Scalar) -> Comparison:
        return Comparison(Relation.GE, _value(self), _value(other))

    def eq(self, other: Value | Scalar) -> Comparison:
        """Return the predicate that it equals `other`; unknown where either is null."""
        return Comparison(Relation.EQ, _value(self), _value(other))

    def ne(self, other: Value | Scalar) -> Comparison:
        """Return the predicate that it differs from `other`; unknown where either is null."""
        return Comparison(Relation.NE, _value(self), _value(other))

    def is_in(self, options: Sequence[Scalar]) -> IsIn:
        """Return the predicate that it is one of `options`; unknown where it is null.

        Raises:
            DefinitionError: The options are a text, whose letters would be taken, or no list.
        """
        if isinstance(options, str | bytes) or not hasattr(options, "__iter__"):
            problem = f"is_in({shortened(repr(options))}) is not of a list"
            raise DefinitionError(problem, f"write is_in([{options!r}])")
        return IsIn(_value(self), tuple(options))

    def is_between(self, low: Scalar, high: Scalar) -> IsBetween:
        """Return the predicate that it lies between `low` and `high`, both inclusive."""
        return IsBetween(_value(self), Literal(low), Literal(high))

    def is_null(self) -> IsNull:
        """Return the predicate that it is null."""
        return IsNull(_value(self))

    def is_not_null(self) -> Not:
        """Return the predicate that it is not null."""
        return Not(IsNull(_value(self)))


class PredicateNode:
    """Operators that every predicate answers to: and, or, not."""

    __slots__ = ()

    def __and__(self, other: Predicate) -> And:
        return And(_predicate(self), other)

    def __or__(self, other: Predicate) -> Or:
        return Or(_predicate(self), other)

    def __invert__(self) -> Not:
        return Not(_predicate(self))

    def __bool__(self) -> bool:
        """Raise an error: Python would drop one of two conditions without a word."""
        raise DefinitionError(
            f"whether {shortened(self, most=100)} holds is known of a row, not of a definition",
            "join conditions with &, | and ~, in parentheses; write .is_between() for a range",
        )


@dataclass(frozen=True, slots=True)
class Column(ValueNode):
    """A column of a table. Its kind determines how it may be used.

    Attributes:
        description: What the column holds.
        unit: What one unit of it is.
        table: The table it belongs to; filled in by the table's declaration.
        name: Its name; filled in by the table's declaration.
        is_declared: Whether the table declares it, rather than a formula naming it.
        unique_within: The key of which at most one row can be flagged; for the table's own
            key, itself.
    """

    description: str = field(default="", compare=False)
    unit: Unit = NUMBER
    table: str = ""
    name: str = ""
    is_declared: bool = True
    unique_within: str = field(default="", compare=False)

    def __str__(self) -> str:
        if self.is_declared:
            return f"{self.table}.{self.name}"
        kind = type(self).__name__.lower()
        unit = "" if self.unit == type(self)().unit else f", {self.unit.label!r}"
        return f"{self.table}.column({self.name!r}, {kind!r}{unit})"


class Key(Column):
    """An identifier: counted, compared and looked up, never added."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Category(Column):
    """A text or code to group by.

    Attributes:
        values: The words of its vocabulary; empty where any word will do.
        synonyms: Other words, each with the one that it stands for.
        is_open: Whether other words are allowed, read without regard to case and outer blanks.
    """

    values: tuple[str, ...] = field(default=(), compare=False)
    synonyms: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)
    is_open: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        """Raise if the vocabulary is not one of words, or leaves open what a word stands for."""
        check_vocabulary(self.values, self.synonyms, is_open=self.is_open)

    def word(self, text: str) -> str:
        """Return the word of the vocabulary that a text stands for; the text itself if none."""
        return self.meanings([text])[text]

    def meanings(self, texts: Iterable[str]) -> dict[str, str]:
        """Return the word that each text stands for; the text itself if none."""
        words = dictionary(self.values, self.synonyms)
        return {text: words.get(folded(text), text) for text in texts}


@dataclass(frozen=True, slots=True)
class Money(Column):
    """An amount in the shop's currency."""

    unit: Unit = MONEY


class Quantity(Column):
    """A quantity."""

    __slots__ = ()


class Time(Column):
    """A moment, or a whole day."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Duration(Column):
    """A length of time, in seconds."""

    unit: Unit = SECOND


class Score(Column):
    """A mark on a scale: compared, ranked and averaged, never added."""

    __slots__ = ()


class Flag(Column, PredicateNode):
    """True, false or unknown; can be used directly as a predicate."""

    __slots__ = ()


class PerKeySource(Protocol):
    """A table folded to one row per key."""

    @property
    def key(self) -> Column | Lookup:
        """What there is one row for."""
        ...


@dataclass(frozen=True, slots=True)
class PerKeyColumn(ValueNode):
    """A column of a table folded per key: what an aggregate gave for one key.

    Attributes:
        name: The name of the column.
        unit: Its unit.
        source: What it is a column of.
    """

    name: str
    unit: Unit = field(default=NUMBER, compare=False)
    source: PerKeySource | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Dimension(ValueNode):
    """A category to group or filter by, found on each table by name.

    Attributes:
        name: The name of the dimension and of its column in the result.
        columns: For tables where it is called something else: table and
            column, or table and `other_table.column` for a column of a parent.

    Examples:
        >>> str(Dimension("channel").eq("paid"))
        "channel == 'paid'"
    """

    name: str
    columns: tuple[tuple[str, str], ...] = ()

    def __init__(self, name: str, /, **columns: str) -> None:
        if not all(_is(text, str) for text in (name, *columns.values())):
            raise DefinitionError(
                f"dimension {name!r} has a name that is not text", "quote the names"
            )
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "columns", tuple(sorted(columns.items())))

    def __reduce__(self) -> tuple[object, ...]:
        return (_dimension, (self.name, self.columns))

    def __str__(self) -> str:
        is_word = self.name.isidentifier() and not keyword.iskeyword(self.name)
        if is_word and not self.columns:
            return self.name
        named = "".join(f", {table}={column!r}" for table, column in self.columns)
        return f"dimension({self.name!r}{named})"


def _dimension(name: str, columns: tuple[tuple[str, str], ...]) -> Dimension:
    return Dimension(name, **dict(columns))


@dataclass(frozen=True, slots=True)
class Literal(ValueNode):
    """A constant: a number, a text, a boolean, a day or a length of time."""

    value: Scalar

    def __post_init__(self) -> None:
        if isinstance(self.value, int | float):
            check_finite(self.value)

    def __str__(self) -> str:
        return constant_text(self.value)


@dataclass(frozen=True, slots=True)
class AsOf(ValueNode):
    """The moment up to which the data is known: the shop's as-of time."""

    def __str__(self) -> str:
        return "as_of()"


@dataclass(frozen=True, slots=True)
class Operation(ValueNode):
    """Arithmetic on two values of a row; division by zero gives null."""

    operator: Operator
    left: Value
    right: Value

    def __post_init__(self) -> None:
        if self.operator.binds == 1:
            _check_fits(self, self.left, self.right)

    def __str__(self) -> str:
        return f"{_operand(self.left, self)} {self.operator} {_operand(self.right, self, 1)}"


@dataclass(frozen=True, slots=True)
class Coalesce(ValueNode):
    """The first of several values that is not null."""

    values: tuple[Value, ...]

    def __init__(self, *values: Value | Scalar) -> None:
        if not values:
            raise DefinitionError("coalesce() has no values", "pass at least one")
        object.__setattr__(self, "values", tuple(_value(value) for value in values))
        for value in self.values[1:]:
            _check_fits(self, self.values[0], value)

    def __reduce__(self) -> tuple[object, ...]:
        return (Coalesce, self.values)

    def __str__(self) -> str:
        return f"coalesce({', '.join(map(str, self.values))})"


@dataclass(frozen=True, slots=True)
class ConcatKey(ValueNode):
    """Several values as one key; null where one of them is. Times enter by their local day."""

    values: tuple[Value, ...]

    def __init__(self, *values: Value | Scalar) -> None:
        if not values:
            raise DefinitionError("concat_key() has no values", "pass at least one")
        object.__setattr__(self, "values", tuple(_value(value) for value in values))

    def __reduce__(self) -> tuple[object, ...]:
        return (ConcatKey, self.values)

    def __str__(self) -> str:
        return f"concat_key({', '.join(map(str, self.values))})"


@dataclass(frozen=True, slots=True)
class Lower(ValueNode):
    """A text in lower case."""

    value: Value

    def __str__(self) -> str:
        return f"lower({self.value})"


@dataclass(frozen=True, slots=True)
class Elapsed(ValueNode):
    """Seconds from one moment to another, exact over daylight saving."""

    start: Value
    end: Value

    def __str__(self) -> str:
        return f"elapsed({self.start}, {self.end})"


@dataclass(frozen=True, slots=True)
class If(ValueNode):
    """One value where a predicate is true, another where it is false or unknown."""

    condition: Predicate
    then: Value
    otherwise: Value

    def __init__(
        self, condition: Predicate, then: Value | Scalar, otherwise: Value | Scalar
    ) -> None:
        object.__setattr__(self, "condition", condition)
        object.__setattr__(self, "then", _value(then))
        object.__setattr__(self, "otherwise", _value(otherwise))
        if not _is(condition, PredicateNode):
            problem = f"{condition} is a {type(condition).__name__}, not true or false of a row"
            raise DefinitionError(problem, "compare a column, or use a flag")
        _check_fits(self, self.then, self.otherwise)

    def __str__(self) -> str:
        return f"if_else({self.condition}, {self.then}, {self.otherwise})"


@dataclass(frozen=True, slots=True)
class Lookup(ValueNode):
    """A value of the parent row that `key` points to; null where there is no parent row.

    Many rows may point to one parent, never one row to many parents: a lookup
    cannot multiply rows.
    """

    key: Column
    value: Column | Lookup

    def __post_init__(self) -> None:
        if not (_is(self.key, Column) and _is(self.value, Column, Lookup)):
            raise DefinitionError(f"{self} does not look up a column", "write lookup(key, column)")

    def __str__(self) -> str:
        return f"lookup({self.key}, {self.value})"


Value = (
    Column
    | PerKeyColumn
    | Dimension
    | Literal
    | AsOf
    | Operation
    | Coalesce
    | ConcatKey
    | Lower
    | Elapsed
    | If
    | Lookup
)


@dataclass(frozen=True, slots=True)
class Comparison(PredicateNode):
    """One value compared with another; unknown where either is null."""

    relation: Relation
    left: Value
    right: Value

    def __post_init__(self) -> None:
        _check_fits(self, self.left, self.right)

    def __str__(self) -> str:
        return f"{self.left} {self.relation} {self.right}"


@dataclass(frozen=True, slots=True)
class IsIn(PredicateNode):
    """A value is one of a few constants; unknown where it is null."""

    value: Value
    options: tuple[Scalar, ...]

    def __post_init__(self) -> None:
        for option in self.options:  # there may be many: no node for each
            if isinstance(option, int | float):
                check_finite(option)
            elif not _is(option, str, dt.date):
                _value(option)
            if isinstance(option, dt.timedelta) or _is_elapsed(self.value):
                _check_fits(self, self.value, Literal(option))

    def __str__(self) -> str:
        return f"{_compared(self.value)} in [{', '.join(map(constant_text, self.options))}]"


@dataclass(frozen=True, slots=True)
class IsBetween(PredicateNode):
    """A value lies between two others, both included."""

    value: Value
    low: Value
    high: Value

    def __post_init__(self) -> None:
        for bound in (self.low, self.high):
            _check_fits(self, self.value, bound)

    def __str__(self) -> str:
        return f"between({self.value}, {self.low}, {self.high})"


@dataclass(frozen=True, slots=True)
class IsNull(PredicateNode):
    """A value is missing."""

    value: Value

    def __str__(self) -> str:
        return f"is_null({self.value})"


@dataclass(frozen=True, slots=True)
class IsTrue(PredicateNode):
    """A flag that was looked up or coalesced, used as a predicate."""

    value: Lookup | Coalesce

    def __str__(self) -> str:
        return f"is_true({self.value})"


@dataclass(frozen=True, slots=True)
class Not(PredicateNode):
    """The opposite; unknown stays unknown."""

    predicate: Predicate

    def __str__(self) -> str:
        is_word = isinstance(self.predicate, Flag | IsNull | IsTrue | IsBetween)
        return f"not {self.predicate}" if is_word else f"not ({self.predicate})"


@dataclass(frozen=True, slots=True)
class And(PredicateNode):
    """Both are true."""

    left: Predicate
    right: Predicate

    def __str__(self) -> str:
        right = f"({self.right})" if isinstance(self.right, And | Or) else str(self.right)
        left = f"({self.left})" if isinstance(self.left, Or) else str(self.left)
        return f"{left} and {right}"


@dataclass(frozen=True, slots=True)
class Or(PredicateNode):
    """Either is true."""

    left: Predicate
    right: Predicate

    def __str__(self) -> str:
        right = f"({self.right})" if isinstance(self.right, Or) else str(self.right)
        return f"{self.left} or {right}"


Predicate = Flag | Comparison | IsIn | IsBetween | IsNull | IsTrue | Not | And | Or


def unit_of(value: Value) -> Unit:
    """Return the unit of a value; constants, texts and times are plain numbers."""
    match value:
        case Column() | PerKeyColumn():
            return value.unit
        case Literal(constant):
            return SECOND if isinstance(constant, dt.timedelta) else NUMBER
        case Dimension() | AsOf() | ConcatKey() | Lower():
            return NUMBER
        case Operation(operator, left, right):
            if operator is Operator.MULTIPLY:
                return unit_of(left) * unit_of(right)
            if operator is Operator.DIVIDE:
                return unit_of(left) / unit_of(right)
            return unit_of(right if isinstance(left, Literal) else left)
        case Coalesce(values):
            return unit_of(values[0])
        case Elapsed():
            return SECOND
        case If(_, then, otherwise):
            return unit_of(otherwise if isinstance(then, Literal) else then)
        case Lookup():
            return unit_of(value.value)
        case _:
            assert_never(value)


def _check_fits(whole: object, left: Value, right: Value) -> None:
    """Raise if two values have different units; a number takes any unit but that of `elapsed`.

    Keys are identifiers: a key of one unit may be used in place of another.
    """
    for value, other in ((left, right), (right, left)):
        if isinstance(other, Literal) and _is_elapsed(value):
            _check_length(whole, other)
    if any(map(_takes_any_unit, (left, right))):
        return
    one, two = unit_of(left), unit_of(right)
    if not one.fits(two):
        raise UnitError(str(whole), str(one), str(two))


def _takes_any_unit(side: Value) -> bool:
    is_length = isinstance(side, Literal) and isinstance(side.value, dt.timedelta)
    return isinstance(side, Literal | Key | ConcatKey | Dimension | AsOf | Time) and not is_length


def _is_elapsed(value: Value) -> bool:
    """Return whether a value is a length of time, of which nothing written says the unit."""
    match value:
        case Elapsed():
            return True
        case PerKeyColumn():
            return value.unit == SECOND
        case Operation(operator, left, right) if operator.binds == 1:
            return _is_elapsed(left) or _is_elapsed(right)
        case Coalesce(values):
            return any(map(_is_elapsed, values))
        case If(_, then, otherwise):
            return _is_elapsed(then) or _is_elapsed(otherwise)
        case _:
            return False


def _check_length(whole: object, constant: Literal) -> None:
    """Raise if a number that meets a length of time has no unit; 0 needs none."""
    number = constant.value
    if isinstance(number, int | float) and number:
        raise DefinitionError(
            f"{shortened(whole)}: {number} meets a length of time, and has no unit",
            f"write {', '.join(f'{unit}({number})' for unit in LENGTHS)}; "
            f"in Python, datetime.timedelta(hours={number})",
        )


def text_name(kind: type) -> str:
    """Return the name by which the text form calls a class: `ShareOfTotal` is `share_of_total`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()


def _is(thing: object, *kinds: type) -> bool:
    """Return whether an argument matches its annotation: text forms may contain anything."""
    return isinstance(thing, kinds)


def _value(thing: object) -> Value:
    if isinstance(thing, ValueNode):
        return thing  # type: ignore[return-value]  # every ValueNode is one of Value
    if isinstance(thing, Scalar):
        return Literal(thing)
    raise DefinitionError(
        f"{thing!r} is a {type(thing).__name__}, not a value of a row",
        "use a column, a number, a text, a boolean, a date or a timedelta",
    )


def _predicate(thing: PredicateNode) -> Predicate:
    return thing  # type: ignore[return-value]  # every PredicateNode is one of Predicate


def _operand(value: Value, parent: Operation, tighter: int = 0) -> str:
    if isinstance(value, Operation) and value.operator.binds < parent.operator.binds + tighter:
        return f"({value})"
    return str(value)


def _compared(value: Value) -> str:
    return f"({value})" if isinstance(value, Operation) else str(value)

"""What an expression of SQL would repeat becomes a column of the relation below.

SQL has no names for parts of an expression: what an operation writes several times, or
what several values share, is bound to a column first. That changes no number.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from itertools import count

from funnelkit.planning.relations import (
    Aggregate,
    Call,
    Col,
    EachDay,
    Filter,
    Lit,
    Op,
    Over,
    Rel,
    Scalar,
    Select,
    columns_of,
    extend,
)
from funnelkit.planning.traversal import parts_of, with_agg_parts, with_parts

__all__ = ["hoisted", "hoisted_aggregate"]

REPEATED = frozenset(
    {
        Op.FIRST_INSTANT,
        Op.LAST_INSTANT,
        Op.FLOOR_DAYS,
        Op.FLOOR_MONTHS,
        Op.FLOOR_HOURS,
        Op.FLOOR_AMONG,
        Op.POSITION,
    }
)
"""The operations that name their first argument several times."""

LEAST = 6
"""How many nodes a value has at least that is worth a column of its own."""


def hoisted(rel: Rel) -> Rel:
    """Return a relation of which the scalars repeat nothing."""
    match rel:
        case Select(inner, named):
            bound = _Bound.of(inner, [value for _, value in named])
            return Select(bound.below(), tuple((name, bound.new(value)) for name, value in named))
        case Filter(inner, where):
            bound = _Bound.of(inner, [where])
            return _only(Filter(bound.below(), bound.new(where)), rel)
        case EachDay(inner, name, first, last):
            bound = _Bound.of(inner, [first, last])
            return _only(EachDay(bound.below(), name, bound.new(first), bound.new(last)), rel)
        case _:
            return rel


def hoisted_aggregate(rel: Aggregate) -> Aggregate:
    """Return an aggregate of which the scalars repeat nothing."""
    bound = _Bound.of(rel.input, [s for _, agg in rel.folds for s in (agg.arg, agg.where) if s])
    folds = tuple((name, with_agg_parts(agg, bound.new)) for name, agg in rel.folds)
    return replace(rel, input=bound.below(), folds=folds)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Numbers of scalars: the same for those that are equal.

    To hash a scalar is to walk all of it, and what it shares again wherever that stands: a
    scalar is therefore known by its number, which is found from those of its parts.

    Attributes:
        known: The scalar and number of each that was seen, by its address.
        numbers: The number of each, by what it is made of.
    """

    known: dict[int, tuple[Scalar, int]] = field(default_factory=dict[int, tuple[Scalar, int]])
    numbers: dict[Hashable, int] = field(default_factory=dict[Hashable, int])

    def of(self, value: Scalar) -> int:
        """Return the number of a scalar."""
        if id(value) not in self.known:
            number = self.numbers.setdefault(self._key(value), len(self.numbers))
            self.known[id(value)] = value, number
        return self.known[id(value)][1]

    def _key(self, value: Scalar) -> Hashable:
        match value:
            case Col(name):
                return name
            case Lit(constant, kind):
                return kind, repr(constant)
            case Call(op, args):
                return str(op), *map(self.of, args)
            case Over(op, arg, partition, order, is_descending):
                found = None if arg is None else self.of(arg)
                parts = (tuple(map(self.of, some)) for some in (partition, order))
                return op, found, *parts, is_descending


@dataclass(frozen=True, slots=True)
class _Bound:
    """Scalars that become columns of a relation.

    Attributes:
        inner: The relation.
        names: The columns, by the number of the scalar that each holds.
        values: The scalars, by their columns.
        numbers: The numbers.
    """

    inner: Rel
    names: Mapping[int, str]
    values: Mapping[str, Scalar]
    numbers: _Numbers

    @classmethod
    def of(cls, inner: Rel, scalars: Sequence[Scalar]) -> _Bound:
        numbers = _Numbers()
        chosen = _outermost(scalars, _repeated(scalars, numbers), numbers)
        taken = {name.lower() for name in columns_of(inner)}
        free = (name for number in count(1) if (name := f"part_{number}") not in taken)
        names = dict(zip(chosen, free, strict=False))
        values = {name: chosen[number] for number, name in names.items()}
        return cls(inner, names, values, numbers)

    def below(self) -> Rel:
        return extend(self.inner, **self.values)

    def new(self, value: Scalar) -> Scalar:
        if not self.names or isinstance(value, Col | Lit):
            return value
        name = self.names.get(self.numbers.of(value))
        return with_parts(value, self.new) if name is None else Col(name)


def _outermost(
    scalars: Iterable[Scalar], chosen: AbstractSet[int], numbers: _Numbers
) -> dict[int, Scalar]:
    """Return what is worth a column, by number, without what only lies inside of that."""
    found, seen = dict[int, Scalar](), set[int]()

    def visit(value: Scalar) -> None:
        number = numbers.of(value)
        if number in chosen:
            found[number] = value
        elif number not in seen:
            seen.add(number)
            for part in parts_of(value):
                visit(part)

    for value in scalars:
        visit(value)
    return found


def _repeated(scalars: Iterable[Scalar], numbers: _Numbers) -> AbstractSet[int]:
    """Return the numbers of values that occur several times, or would be written so."""
    seen, found = set[int](), set[int]()

    def visit(value: Scalar) -> int:
        if isinstance(value, Col | Lit):
            return 1
        number = numbers.of(value)
        if number in seen:
            found.add(number)
            return 0
        size = 1 + sum(map(visit, parts_of(value)))
        if size >= LEAST:
            seen.add(number)
        match value:
            case Call(op, (Call() | Over() as first, *_)) if op in REPEATED:
                found.add(numbers.of(first))
            case _:
                pass
        return size

    for value in scalars:
        visit(value)
    return found


def _only(found: Rel, wanted: Rel) -> Rel:
    """Return the columns that a relation is to have, where it has others too."""
    names = columns_of(wanted)
    is_same = columns_of(found) == names
    return found if is_same else Select(found, tuple((name, Col(name)) for name in names))

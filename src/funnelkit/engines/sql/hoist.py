"""What an expression of SQL would repeat becomes a column of the relation below.

SQL has no names for parts of an expression: what an operation writes several times, or
what several values share, is bound to a column first. That changes no number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
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
class _Bound:
    """Scalars that become columns of a relation.

    Attributes:
        inner: The relation.
        names: The columns, by the scalar that each holds.
    """

    inner: Rel
    names: Mapping[Scalar, str]

    @classmethod
    def of(cls, inner: Rel, scalars: Iterable[Scalar]) -> _Bound:
        taken = {name.lower() for name in columns_of(inner)}
        free = (name for number in count(1) if (name := f"part_{number}") not in taken)
        return cls(inner, dict(zip(_outermost(scalars), free, strict=False)))

    def below(self) -> Rel:
        return extend(self.inner, **{name: value for value, name in self.names.items()})

    def new(self, value: Scalar) -> Scalar:
        if value in self.names:
            return Col(self.names[value])
        return with_parts(value, self.new)


def _outermost(scalars: Iterable[Scalar]) -> list[Scalar]:
    """Return what is worth a column, without what only lies inside of that."""
    chosen, found = _repeated(scalars), dict[Scalar, None]()

    def visit(value: Scalar) -> None:
        if value in chosen:
            found[value] = None
            return
        for part in parts_of(value):
            visit(part)

    for value in scalars:
        visit(value)
    return list(found)


def _repeated(scalars: Iterable[Scalar]) -> set[Scalar]:
    """Return the values that occur several times, or would be written so."""
    seen, found = set[Scalar](), set[Scalar]()

    def visit(value: Scalar) -> int:
        if isinstance(value, Col | Lit):
            return 1
        if value in seen:
            found.add(value)
            return 0
        size = 1 + sum(map(visit, parts_of(value)))
        if size >= LEAST:
            seen.add(value)
        match value:
            case Call(op, (Call() | Over() as first, *_)) if op in REPEATED:
                found.add(first)
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

"""Walks over the relational plan: what a relation rests on, and the same with other scalars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from funnelkit.planning.relations import (
    Agg,
    Aggregate,
    Call,
    Col,
    EachDay,
    Exists,
    Filter,
    Head,
    LeftJoin,
    Named,
    Over,
    Rel,
    Scalar,
    Scan,
    Select,
    columns_of,
)

__all__ = [
    "Change",
    "base_of",
    "columns_read",
    "columns_used",
    "mapped",
    "mapped_scalar",
    "parts_of",
    "source_of",
    "tables_of",
    "walk",
    "with_agg_parts",
    "with_names_apart",
    "with_parts",
    "with_scans",
]

Change = Callable[[Scalar], Scalar]


def base_of(rel: Rel) -> str | None:
    """Return the table of which a relation has at most one row per row; None if there is none."""
    match rel:
        case Scan(table):
            return table
        case EachDay():
            return None
        case LeftJoin(left) | Exists(left):
            return base_of(left)
        case _:
            return base_of(rel.input)


def source_of(rel: Rel, name: str) -> tuple[str, str] | None:
    """Return the table and column of which a column holds the values as they are, if any.

    There may be nulls besides, where a join found no row.
    """
    match rel:
        case Scan(table):
            return table, name
        case Select(inner, named):
            found = dict(named)[name]
            return source_of(inner, found.name) if isinstance(found, Col) else None
        case LeftJoin(left, right, _, take):
            taken = dict(take)
            return source_of(right, taken[name]) if name in taken else source_of(left, name)
        case Exists(left):
            return None if name == rel.name else source_of(left, name)
        case Aggregate(inner, keys):
            return source_of(inner, name) if name in keys else None
        case EachDay(inner):
            return None if name == rel.name else source_of(inner, name)
        case Filter(inner) | Head(inner) | Named(_, inner):
            return source_of(inner, name)


def columns_used(rel: Rel) -> set[tuple[str, str]]:
    """Return the columns of tables of which more is made than that they are carried along."""
    found = set[tuple[str, str] | None]()
    for one in walk(rel):
        match one:
            case Select(inner, named):
                scalars = [value for _, value in named if not isinstance(value, Col)]
                found |= _sources(inner, scalars)
            case Filter(inner, where):
                found |= _sources(inner, [where])
            case LeftJoin(left, right, on):
                found |= {source_of(left, name) for name, _ in on}
                found |= {source_of(right, name) for _, name in on}
            case Exists(left, right, (name, other)):
                found |= {source_of(left, name), source_of(right, other)}
            case Aggregate(inner, _, folds):
                parts = [part for _, agg in folds for part in (agg.arg, agg.where)]
                found |= _sources(inner, [part for part in parts if part is not None])
                if any(agg.custom for _, agg in folds):  # nobody knows what it reads
                    found |= {source_of(inner, name) for name in columns_of(inner)}
            case EachDay(inner, _, first, last):
                found |= _sources(inner, [first, last])
            case Head(inner, order):
                found |= _sources(inner, order)
            case Scan() | Named():
                pass
    return {source for source in found if source is not None}


def _sources(rel: Rel, values: Iterable[Scalar]) -> set[tuple[str, str] | None]:
    """Return the columns of tables that values are made of."""
    pending, found = list(values), set[tuple[str, str] | None]()
    while pending:
        value = pending.pop()
        pending += parts_of(value)
        if isinstance(value, Col):
            found.add(source_of(rel, value.name))
    return found


def tables_of(relations: Iterable[Rel]) -> list[str]:
    """Return the tables that relations read, each once."""
    rels = (rel for relation in relations for rel in walk(relation))
    return list(dict.fromkeys(rel.table for rel in rels if isinstance(rel, Scan)))


def columns_read(relations: Iterable[Rel]) -> set[tuple[str, str]]:
    """Return the columns that relations read, each with its table."""
    rels = (rel for relation in relations for rel in walk(relation))
    scans = (rel for rel in rels if isinstance(rel, Scan))
    return {(scan.table, name) for scan in scans for name, _ in scan.columns}


def walk(rel: Rel) -> Iterator[Rel]:
    """Yield a relation and all below it."""
    yield rel
    match rel:
        case Scan():
            return
        case LeftJoin(left, right) | Exists(left, right):
            yield from walk(left)
            yield from walk(right)
        case _:
            yield from walk(rel.input)


def parts_of(value: Scalar) -> tuple[Scalar, ...]:
    """Return what a value is directly made of."""
    match value:
        case Call(_, args):
            return args
        case Over(_, arg, partition, order):
            return (*(() if arg is None else (arg,)), *partition, *order)
        case _:
            return ()


def with_scans(rel: Rel, change: Callable[[Scan], Rel]) -> Rel:
    """Return a relation with every scan replaced."""

    def below(inner: Rel) -> Rel:
        return with_scans(inner, change)

    match rel:
        case Scan():
            return change(rel)
        case LeftJoin(left, right) | Exists(left, right):
            return replace(rel, left=below(left), right=below(right))
        case _:
            return replace(rel, input=below(rel.input))


def with_names_apart(relations: Sequence[Rel]) -> list[Rel]:
    """Return relations in which a name is always of one relation, though they are of many plans.

    Where it is not, each relation has names of its own, and shares nothing.
    """
    known: dict[str, Rel] = {}
    named = (one for rel in relations for one in walk(rel) if isinstance(one, Named))
    if all(known.setdefault(one.name, one.input) == one.input for one in named):
        return list(relations)
    return [_with_names(rel, f"of_{number}_") for number, rel in enumerate(relations, 1)]


def _with_names(rel: Rel, before: str) -> Rel:
    """Return a relation with something before each name in it."""
    match rel:
        case Scan():
            return rel
        case LeftJoin(left, right) | Exists(left, right):
            return replace(rel, left=_with_names(left, before), right=_with_names(right, before))
        case Named(name, inner):
            return replace(rel, name=f"{before}{name}", input=_with_names(inner, before))
        case _:
            return replace(rel, input=_with_names(rel.input, before))


def mapped(rel: Rel, change: Change) -> Rel:
    """Return a relation with every scalar changed, the innermost first."""

    def below(inner: Rel) -> Rel:
        return mapped(inner, change)

    def new(scalar: Scalar) -> Scalar:
        return mapped_scalar(scalar, change)

    match rel:
        case Scan():
            return rel
        case Select(inner, named):
            return Select(below(inner), tuple((name, new(scalar)) for name, scalar in named))
        case Filter(inner, where):
            return Filter(below(inner), new(where))
        case LeftJoin(left, right) | Exists(left, right):
            return replace(rel, left=below(left), right=below(right))
        case Aggregate(inner, keys, folds):
            return Aggregate(
                below(inner), keys, tuple((n, with_agg_parts(a, new)) for n, a in folds)
            )
        case EachDay(inner, name, first, last):
            return EachDay(below(inner), name, new(first), new(last))
        case Head(inner):
            return replace(rel, input=below(inner))
        case Named(name, inner, note):
            return Named(name, below(inner), note)


def mapped_scalar(scalar: Scalar, change: Change) -> Scalar:
    """Return a scalar with every part of it changed, the innermost first."""
    return change(with_parts(scalar, lambda part: mapped_scalar(part, change)))


def with_parts(scalar: Scalar, change: Change) -> Scalar:
    """Return a scalar with what it is directly made of changed."""
    match scalar:
        case Call(op, args):
            return Call(op, tuple(map(change, args)))
        case Over(_, arg, partition, order):
            return replace(
                scalar,
                arg=None if arg is None else change(arg),
                partition=tuple(map(change, partition)),
                order=tuple(map(change, order)),
            )
        case _:
            return scalar


def with_agg_parts(agg: Agg, change: Change) -> Agg:
    """Return an aggregate with what it folds, and its condition, changed."""
    arg, where = (None if part is None else change(part) for part in (agg.arg, agg.where))
    return replace(agg, arg=arg, where=where)

"""The relational plan as SQL, node by node: nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from sqlglot import exp

from funnelkit.engines.sql.dialects import WITH_FAST_IN, WITHOUT_IGNORE_NULLS
from funnelkit.engines.sql.gaps import windows_of, without_gaps
from funnelkit.engines.sql.hoist import hoisted, hoisted_aggregate
from funnelkit.engines.sql.names import aliased, quoted, quoted_column, quoted_table
from funnelkit.engines.sql.nodes import EachDate
from funnelkit.engines.sql.operations import (
    BINARY,
    CONSTANT,
    MANY,
    UNARY,
    comparable,
    distinct,
    folded,
    literal,
    text_of,
    to_float,
    window,
)
from funnelkit.planning.inference import kind_of_agg, kind_of_scalar
from funnelkit.planning.relations import (
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
    Rel,
    Scalar,
    Scan,
    Select,
    is_known,
    piecewise,
    when,
    whole,
)
from funnelkit.planning.traversal import parts_of

__all__ = ["Sources", "Translator"]

Sql = exp.Expr
Sources = Callable[[Scan, str], tuple[Sql, Mapping[str, Sql]]]
"""Returns what a table is selected from under an alias, and its columns there."""


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT that is being written.

    Attributes:
        source: What is selected from.
        columns: What each column is there.
        kinds: The kinds of the columns.
        joins: What is joined.
        where: The conditions.
        has_windows: Whether one of the columns is a window: rows may then not be left out.
    """

    source: Sql
    columns: Mapping[str, Sql]
    kinds: Mapping[str, Kind]
    joins: tuple[exp.Join, ...] = ()
    where: tuple[Sql, ...] = ()
    has_windows: bool = False

    def rows(self) -> exp.Select:
        """Return the SELECT of its columns."""
        return self.select(self.columns)

    def select(self, columns: Mapping[str, Sql]) -> exp.Select:
        """Return the SELECT of other columns."""
        chosen = [aliased(column, name) for name, column in columns.items()]
        query = exp.Select(expressions=chosen, joins=list(self.joins))
        query.set("from_", exp.From(this=self.source))
        if self.where:
            query.set("where", exp.Where(this=exp.and_(*self.where, copy=False)))
        return query


@dataclass(frozen=True, slots=True)
class Translator:
    """Writes relations as SELECTs; one that is named is written once.

    Attributes:
        sources: Where the tables are.
        has_ignore_nulls: Whether windows of the dialect can pass over nulls.
        prefers_in: Whether a key is found faster by IN than by a join.
        named: The named relations that were written, with what they are called in.
        numbers: The numbers of further aliases.
    """

    sources: Sources
    has_ignore_nulls: bool = True
    prefers_in: bool = False
    named: dict[str, tuple[exp.Select, Mapping[str, Kind]]] = field(
        default_factory=dict[str, tuple[exp.Select, Mapping[str, Kind]]]
    )
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @classmethod
    def of(cls, dialect: str, sources: Sources) -> Translator:
        """Return what writes relations in a dialect."""
        return cls(
            sources,
            has_ignore_nulls=dialect not in WITHOUT_IGNORE_NULLS,
            prefers_in=dialect in WITH_FAST_IN,
        )

    def statement(self, rel: Rel) -> tuple[exp.Select, Mapping[str, Kind]]:
        """Return the statement that reads a relation, and the kinds of its columns."""
        query, kinds = self._rows(rel)
        needed = set(_names_in(rel, set()))
        ctes = [
            exp.CTE(this=cte, alias=exp.TableAlias(this=quoted(name)))
            for name, cte in self.ctes()
            if name in needed
        ]
        if ctes:
            query.set("with_", exp.With(expressions=ctes))
        return query, kinds

    def ctes(self) -> Iterator[tuple[str, exp.Select]]:
        """Yield the named relations that were written, each after those that it rests on."""
        for name, (query, _) in self.named.items():
            yield name, query

    def _rows(self, rel: Rel) -> tuple[exp.Select, Mapping[str, Kind]]:
        """Return the SELECT of a relation, and the kinds of its columns."""
        match rel:
            case Aggregate():
                return self._aggregate(rel)
            case Head():
                return self._head(rel)
            case _:
                query = self._query(rel)
                return query.rows(), query.kinds

    def _query(self, rel: Rel) -> Query:
        """Return a relation as a SELECT to which more can be added."""
        match rel := hoisted(rel):
            case Scan(table, columns):
                place = self._alias(table)
                source, found = self.sources(rel, place)
                return Query(source, found, dict(columns))
            case Select():
                return self._select(rel if self.has_ignore_nulls else without_gaps(rel))
            case Filter(inner, where):
                query = self._ready(self._query(inner), [where], most=0)
                return replace(query, where=(*query.where, scalar(where, query)))
            case LeftJoin():
                return self._join(rel)
            case Exists():
                return self._exists(rel)
            case EachDay():
                return self._each_day(rel)
            case Named(name):
                kinds = self.name(rel)
                return self._source(quoted_table(name), self._alias(name), kinds)
            case Aggregate() | Head():
                return self._nested(*self._rows(rel))

    def _select(self, rel: Select) -> Query:
        scalars = [value for _, value in rel.named]
        query = self._ready(self._query(rel.input), scalars)
        columns = {name: scalar(value, query) for name, value in rel.named}
        kinds = {name: kind_of_scalar(value, query.kinds) for name, value in rel.named}
        has_windows = any(True for value in scalars for _ in windows_of(value))
        return replace(query, columns=columns, kinds=kinds, has_windows=has_windows)

    def _join(self, join: LeftJoin) -> Query:
        left = self._ready(self._query(join.left), [Col(mine) for mine, _ in join.on], most=0)
        right = self._nested_or_named(join.right)
        pairs = (
            exp.EQ(this=left.columns[mine], expression=right.columns[theirs])
            for mine, theirs in join.on
        )
        taken = {name: right.columns[column] for name, column in join.take}
        kinds = {name: right.kinds[column] for name, column in join.take}
        on = exp.Join(this=right.source, side="LEFT", on=exp.and_(*pairs, copy=False))
        return replace(
            left,
            columns={**left.columns, **taken},
            kinds={**left.kinds, **kinds},
            joins=(*left.joins, on),
        )

    def _exists(self, rel: Exists) -> Query:
        mine, theirs = rel.on
        left = self._ready(self._query(rel.left), [Col(mine)], most=0)
        key, joins = left.columns[mine], left.joins
        if self.prefers_in:
            others, _ = self._rows(Select(rel.right, ((theirs, Col(theirs)),)))
            is_among = exp.In(this=key, query=exp.Subquery(this=others))
            is_there: Sql = exp.Is(this=exp.Paren(this=is_among), expression=exp.true())
        else:
            right = self._nested_or_named(Aggregate(rel.right, (theirs,), ()))
            found = right.columns[theirs]
            is_there = exp.Not(this=exp.Is(this=found, expression=exp.Null()))
            is_alike = exp.EQ(this=key, expression=found)
            joins = (*joins, exp.Join(this=right.source, side="LEFT", on=is_alike))
        return replace(
            left,
            columns={**left.columns, rel.name: is_there},
            kinds={**left.kinds, rel.name: "bool"},
            joins=joins,
        )

    def _each_day(self, rel: EachDay) -> Query:
        query, place = (
            self._ready(self._query(rel.input), [rel.first, rel.last]),
            self._alias("day"),
        )
        first, last = scalar(rel.first, query), scalar(rel.last, query)
        step = exp.Interval(this=exp.Literal.string("1"), unit=exp.var("DAY"))
        names = exp.TableAlias(this=quoted(place), columns=[quoted(rel.name)])
        days = EachDate(start=first, end=last, step=step, alias=names)
        joined = exp.Join(this=days, kind="CROSS")
        return replace(
            query,
            columns={**query.columns, rel.name: quoted_column(rel.name, place)},
            kinds={**query.kinds, rel.name: "day"},
            joins=(*query.joins, joined),
        )

    def _aggregate(self, aggregate: Aggregate) -> tuple[exp.Select, Mapping[str, Kind]]:
        rel = hoisted_aggregate(aggregate)
        used = [s for _, agg in rel.folds for s in (agg.arg, agg.where) if s is not None]
        query = self._ready(self._query(rel.input), [*map(Col, rel.keys), *used])
        columns = dict(zip(rel.keys, _distinct(map(Col, rel.keys), query), strict=True))
        kinds: dict[str, Kind] = {key: query.kinds[key] for key in rel.keys}
        for name, agg in rel.folds:
            arg, where = (None if s is None else scalar(s, query) for s in (agg.arg, agg.where))
            kinds[name] = kind_of_agg(agg, query.kinds)
            if agg.arg is not None and agg.op is AggOp.COUNT_DISTINCT:
                (arg,) = _distinct([agg.arg], query)
            columns[name] = folded(agg, kinds[name], arg, where)
        select = query.select(columns)
        if rel.keys:
            places = [exp.Literal.number(place) for place, _ in enumerate(rel.keys, 1)]
            select.set("group", exp.Group(expressions=places))
        return select, kinds

    def _head(self, rel: Head) -> tuple[exp.Select, Mapping[str, Kind]]:
        query = self._ready(self._query(rel.input), list(rel.order))
        select = query.rows()
        select.set("order", _ordered(_sortable(rel.order, query), is_descending=rel.is_descending))
        select.set("limit", exp.Limit(expression=exp.Literal.number(rel.count)))
        return select, query.kinds

    def name(self, rel: Named) -> Mapping[str, Kind]:
        """Write a named relation where that was not done; return the kinds of its columns."""
        if rel.name not in self.named:
            query, kinds = self._rows(rel.input)
            query.add_comments([line for line in rel.note.splitlines() if line.strip()])
            self.named[rel.name] = query, kinds
        return self.named[rel.name][1]

    def _nested_or_named(self, rel: Rel) -> Query:
        """Return a relation as something to join."""
        query = self._query(rel)
        is_plain = not query.joins and not query.where and not query.has_windows
        if is_plain and all(isinstance(c, exp.Column) for c in query.columns.values()):
            return query
        return self._nested(query.rows(), query.kinds)

    def _nested(self, query: exp.Select, kinds: Mapping[str, Kind]) -> Query:
        return self._source(exp.Subquery(this=query), self._alias("q"), kinds)

    def _source(self, source: Sql, place: str, kinds: Mapping[str, Kind]) -> Query:
        source.set("alias", exp.TableAlias(this=quoted(place)))
        return Query(source, {name: quoted_column(name, place) for name in kinds}, kinds)

    def _alias(self, wanted: str) -> str:
        return f"{wanted[0]}{next(self.numbers)}"

    def _ready(self, query: Query, scalars: Sequence[Scalar], *, most: int = 1) -> Query:
        """Return a query in which scalars can be written, and nothing is computed twice.

        Rows must not be left out below a window, and windows are not nested.

        Args:
            query: The query.
            scalars: What is written of its columns.
            most: How often they may name a column that is computed.
        """
        used = _counts(scalars)
        computed = (
            name for name, column in query.columns.items() if not isinstance(column, exp.Column)
        )
        if query.has_windows or any(used.get(name, 0) > most for name in computed):
            return self._nested(query.rows(), query.kinds)
        return query


def scalar(value: Scalar, query: Query) -> Sql:
    """Return the expression of a scalar over the columns of a query."""
    match value:
        case Col(name):
            return query.columns[name]
        case Lit():
            return literal(value)
        case Call(Op.FLOOR_AMONG | Op.POSITION as op, (inner, *edges)):
            constants = [edge for edge in edges if isinstance(edge, Lit)]
            return scalar(AMONG[op](inner, constants), query)
        case Call(Op.TO_STR, (inner,)):
            return text_of(scalar(inner, query), kind_of_scalar(inner, query.kinds))
        case Call(Op.IN, (inner, *constants)):
            return CONSTANT[Op.IN](*_distinct([inner], query), *constants)
        case Call(op, (inner, *constants)) if op in CONSTANT:
            return CONSTANT[op](scalar(inner, query), *constants)
        case Call(Op.TO_FLOAT, (inner,)):
            return to_float(scalar(inner, query), kind_of_scalar(inner, query.kinds))
        case Call(Op.LT | Op.LE | Op.GT | Op.GE as op, args):
            return BINARY[op](*_sortable(args, query))
        case Call(Op.EQ | Op.NE as op, args):
            return BINARY[op](*_distinct(args, query))
        case Call(op, (one,)) if op in UNARY:
            return UNARY[op](scalar(one, query))
        case Call(op, (one, two)) if op in BINARY:
            return BINARY[op](scalar(one, query), scalar(two, query))
        case Call(op, args):
            return MANY[op](*(scalar(arg, query) for arg in args))
        case Over():
            return _over(value, query)


def _floor_among(value: Scalar, edges: Sequence[Lit]) -> Scalar:
    outside = Lit(None, edges[0].kind)
    labels = [*edges[:-1], outside]
    return piecewise(value, list(zip(edges, labels, strict=True)), outside)


def _position(value: Scalar, edges: Sequence[Lit]) -> Scalar:
    places = [(edge, whole(place)) for place, edge in enumerate(edges, 1)]
    return when(is_known(value), piecewise(value, places, whole(0)))


AMONG: Mapping[Op, Callable[[Scalar, Sequence[Lit]], Scalar]] = {
    Op.FLOOR_AMONG: _floor_among,
    Op.POSITION: _position,
}


def _over(value: Over, query: Query) -> Sql:
    arg = None if value.arg is None else scalar(value.arg, query)
    partition = _distinct(value.partition, query)
    order = _sortable(value.order, query)
    by = _ordered(order, is_descending=value.is_descending) if order else None
    return window(value.op, arg, kind_of_scalar(value, query.kinds), partition, by)


def _sortable(values: Sequence[Scalar], query: Query) -> list[Sql]:
    """Return the expressions of scalars that are ordered."""
    return [comparable(scalar(v, query), kind_of_scalar(v, query.kinds)) for v in values]


def _distinct(values: Iterable[Scalar], query: Query) -> list[Sql]:
    """Return the expressions of scalars whose values are told from one another."""
    return [distinct(scalar(v, query), kind_of_scalar(v, query.kinds)) for v in values]


def _ordered(values: Iterable[Sql], *, is_descending: bool) -> exp.Order:
    return exp.Order(
        expressions=[
            exp.Ordered(this=value, desc=is_descending, nulls_first=not is_descending)
            for value in values
        ]
    )


def _names_in(rel: Rel, seen: set[str]) -> Iterator[str]:
    """Yield the names of all named relations below a relation, each once."""
    match rel:
        case Scan():
            return
        case Named(name) if name in seen:
            return
        case Named(name, inner):
            seen.add(name)
            yield name
            yield from _names_in(inner, seen)
        case LeftJoin(left, right) | Exists(left, right):
            yield from _names_in(left, seen)
            yield from _names_in(right, seen)
        case _:
            yield from _names_in(rel.input, seen)


def _counts(scalars: Iterable[Scalar]) -> dict[str, int]:
    """Return how often scalars name each column."""
    found: dict[str, int] = {}
    for value in scalars:
        for name in _columns(value):
            found[name] = found.get(name, 0) + 1
    return found


def _columns(value: Scalar) -> Iterator[str]:
    match value:
        case Col(name):
            yield name
        case Lit():
            return
        case _:
            for part in parts_of(value):
                yield from _columns(part)

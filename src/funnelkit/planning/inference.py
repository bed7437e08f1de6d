"""Of which kind a value of the relational plan is, by the tables of its operations."""

from __future__ import annotations

from collections.abc import Mapping

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
    Rel,
    Scalar,
    Scan,
    Select,
)

__all__ = ["kind_of_agg", "kind_of_scalar", "kinds_of"]

_FIRST = frozenset({Op.SUBTRACT, Op.COALESCE, Op.FLOOR_AMONG})
"""The operations that give the kind of their first argument."""

_GIVES: Mapping[Op, Kind] = {
    **dict.fromkeys((Op.ADD, Op.MULTIPLY, Op.DIVIDE, Op.ABS), "float"),
    **dict.fromkeys((Op.TO_FLOAT, Op.SECONDS_BETWEEN), "float"),
    **dict.fromkeys((Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE), "bool"),
    **dict.fromkeys((Op.AND, Op.OR, Op.NOT, Op.IS_NULL, Op.IN, Op.CONTAINS), "bool"),
    **dict.fromkeys((Op.MODULO, Op.TO_INT, Op.POSITION), "int"),
    **dict.fromkeys((Op.HOURS_BETWEEN, Op.DAYS_BETWEEN, Op.MONTHS_BETWEEN), "int"),
    **dict.fromkeys((Op.LOWER, Op.CONCAT, Op.TO_STR), "str"),
    **dict.fromkeys((Op.TO_DAY, Op.SHIFT_DAYS, Op.SHIFT_MONTHS), "day"),
    **dict.fromkeys((Op.FLOOR_DAYS, Op.FLOOR_MONTHS), "day"),
    **dict.fromkeys((Op.MIDNIGHT, Op.LOCAL_TIME, Op.SHIFT_SECONDS, Op.FLOOR_HOURS), "local"),
    **dict.fromkeys((Op.FIRST_INSTANT, Op.LAST_INSTANT), "instant"),
}


def kind_of_scalar(scalar: Scalar, kinds: Mapping[str, Kind]) -> Kind:
    """Return the kind of a value.

    Args:
        scalar: The value.
        kinds: The kinds of the columns of its relation.
    """
    match scalar:
        case Col(name):
            return kinds[name]
        case Lit(_, kind):
            return kind
        case Call(Op.IF, (_, then, *_)):
            return kind_of_scalar(then, kinds)
        case Call(op, (first, *_)) if op in _FIRST:
            return kind_of_scalar(first, kinds)
        case Call(op):
            return _GIVES[op]
        case Over(_, arg):
            return "int" if arg is None else kind_of_scalar(arg, kinds)


def kind_of_agg(agg: Agg, kinds: Mapping[str, Kind]) -> Kind:
    """Return the kind of an aggregate.

    Args:
        agg: The aggregate.
        kinds: The kinds of the columns of its relation.
    """
    match agg.op:
        case AggOp.ROWS | AggOp.COUNT | AggOp.COUNT_DISTINCT:
            return "int"
        case AggOp.ALL:
            return "bool"
        case AggOp.MIN | AggOp.MAX if agg.arg is not None:
            return kind_of_scalar(agg.arg, kinds)
        case _:
            return "float"


def kinds_of(rel: Rel) -> Mapping[str, Kind]:
    """Return the kinds of the columns of a relation."""
    match rel:
        case Scan(_, columns):
            return dict(columns)
        case Select(inner, named):
            below = kinds_of(inner)
            return {name: kind_of_scalar(value, below) for name, value in named}
        case LeftJoin(left, right, _, take):
            other = kinds_of(right)
            return {**kinds_of(left), **{name: other[column] for name, column in take}}
        case Exists(left, _, _, name):
            return _with(kinds_of(left), name, "bool")
        case Aggregate(inner, keys, folds):
            below = kinds_of(inner)
            found: dict[str, Kind] = {key: below[key] for key in keys}
            found.update((name, kind_of_agg(agg, below)) for name, agg in folds)
            return found
        case EachDay(inner, name):
            return _with(kinds_of(inner), name, "day")
        case Filter() | Head() | Named():
            return kinds_of(rel.input)


def _with(kinds: Mapping[str, Kind], name: str, kind: Kind) -> Mapping[str, Kind]:
    return {**kinds, name: kind}

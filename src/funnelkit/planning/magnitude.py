"""What numbers add up to regardless of their sign: beside it, what rounding leaves is nothing."""

from __future__ import annotations

from dataclasses import replace

from funnelkit.data.shop_data import ShopData
from funnelkit.formula.derived import Default, FromChildren, NumberOver, RateOn, Rule
from funnelkit.formula.formulas import (
    Aggregate,
    ClosingBalance,
    Count,
    CountDistinct,
    Max,
    Mean,
    Min,
    PerKey,
    PolarsExpr,
    StdDev,
    Sum,
)
from funnelkit.formula.operators import Operator
from funnelkit.formula.values import (
    Coalesce,
    Column,
    If,
    Literal,
    Lookup,
    Operation,
    PerKeyColumn,
    Value,
)
from funnelkit.planning.kinds import kind_of
from funnelkit.planning.lowering import ARITHMETIC, ZERO, Folded, Lowering
from funnelkit.planning.relations import Agg, AggOp, Col, Lit, Op, Over, OverOp, Scalar, call, when

__all__ = [
    "RESIDUE",
    "grown",
    "magnitude",
    "magnitude_of",
    "may_cancel",
    "settled_aggregate",
]

RESIDUE = 1e-9
"""What rounding may leave of amounts that cancel out, as a part of them."""


def may_cancel(data: ShopData, fold: Aggregate | PolarsExpr) -> bool:
    """Return whether a fold adds up numbers of which rounding may leave something."""
    return isinstance(fold, Sum | ClosingBalance) and not _is_whole(data, fold.value)


def magnitude_of(lowering: Lowering, fold: Sum, name: str) -> Folded:
    """Return the sum of the absolute values of what a sum adds up."""
    agg = Agg(AggOp.SUM, magnitude(lowering, fold.value), lowering.condition(fold.where))
    return Folded(name, {name: agg}, call(Op.COALESCE, Col(name), ZERO))


def magnitude(lowering: Lowering, value: Value) -> Scalar:
    """Return the sum of the absolute parts of a number; itself where none is below zero."""
    if _is_non_negative(lowering.data, value):
        return lowering.number(value)
    match value:
        case Operation(operator, left, right):
            is_sum = operator in {Operator.ADD, Operator.SUBTRACT}
            op = Op.ADD if is_sum else ARITHMETIC[operator]
            return call(op, magnitude(lowering, left), magnitude(lowering, right))
        case Coalesce(values):
            return call(Op.COALESCE, *(magnitude(lowering, part) for part in values))
        case If(condition, then, otherwise):
            one, two = (magnitude(lowering, part) for part in (then, otherwise))
            return when(lowering.predicate(condition), one, otherwise=two)
        case _:
            return call(Op.ABS, lowering.number(value))


def settled_aggregate(lowering: Lowering, fold: Aggregate, name: str) -> Folded:
    """Return an aggregate; 0 where only the rounding of its parts is left of them."""
    folded = lowering.aggregate(fold, name)
    match fold:
        case Sum(value) | Mean(value) if _may_leave_rest(lowering.data, value):
            op = AggOp.SUM if isinstance(fold, Sum) else AggOp.MEAN
        case StdDev(value):
            op = AggOp.MAX
        case _:
            return folded
    size = lowering.names.of((fold, name, "size"), f"{name}_size")
    agg = Agg(op, magnitude(lowering, value), lowering.condition(fold.where))
    return Folded(name, {**folded.folds, size: agg}, _settled(folded.last, Col(size)))


def grown(data: ShopData, fold: Aggregate, total: Over) -> Scalar:
    """Return a sum of a rollup that grows from period to period; as `settled_aggregate`."""
    if not (isinstance(fold, Sum) and total.arg and _may_leave_rest(data, fold.value)):
        return total
    return _settled(total, replace(total, op=OverOp.SUM, arg=call(Op.ABS, total.arg)))


def _settled(total: Scalar, size: Scalar) -> Scalar:
    limit = call(Op.MULTIPLY, Lit(RESIDUE, "float"), size)
    return when(call(Op.LT, call(Op.ABS, total), limit), ZERO, otherwise=total)


def _may_leave_rest(data: ShopData, value: Value) -> bool:
    return not (_is_whole(data, value) or _is_non_negative(data, value))


def _is_non_negative(data: ShopData, value: Value) -> bool:
    """Return whether no value is below zero, as far as that was learnt of the columns it reads."""
    match value:
        case Literal(number):
            return isinstance(number, int | float) and number >= 0
        case Lookup(_, inner):
            return _is_non_negative(data, inner)
        case Column():
            if data.is_supplied(value):
                return data.seen_non_negative.get(value, False)
            return _derives_non_negative(data, data.rule(value))
        case PerKeyColumn(name, source=PerKey(columns=columns)):
            return _folds_non_negative(data, dict(columns)[name])
        case Operation(operator, left, right):
            parts = (left, right)
            return operator is not Operator.SUBTRACT and _all_non_negative(data, parts)
        case Coalesce(values):
            return _all_non_negative(data, values)
        case If(_, then, otherwise):
            return _all_non_negative(data, (then, otherwise))
        case _:
            return False


def _all_non_negative(data: ShopData, values: tuple[Value, ...]) -> bool:
    return all(_is_non_negative(data, value) for value in values)


def _derives_non_negative(data: ShopData, rule: Rule | None) -> bool:
    match rule:
        case Default(number):
            return isinstance(number, int | float) and number >= 0
        case FromChildren(_, fold):
            return _folds_non_negative(data, fold)
        case NumberOver() | RateOn():
            return True
        case Literal() | Column() | Lookup() | Operation() | Coalesce() | If():
            return _is_non_negative(data, rule)
        case _:
            return False


def _folds_non_negative(data: ShopData, fold: Aggregate) -> bool:
    match fold:
        case Count() | CountDistinct():
            return True
        case Sum(value) | Mean(value) | Min(value) | Max(value):
            return _is_non_negative(data, value)
        case _:
            return False


def _is_whole(data: ShopData, value: Value) -> bool:
    """Return whether a value is a whole number, which adds up exactly."""
    match value:
        case Operation(operator, left, right):
            is_closed = operator is not Operator.DIVIDE
            return is_closed and _is_whole(data, left) and _is_whole(data, right)
        case PerKeyColumn(name, source=PerKey(columns=columns)):
            fold = dict(columns)[name]
            is_sum = isinstance(fold, Sum | Min | Max) and _is_whole(data, fold.value)
            return is_sum or isinstance(fold, Count | CountDistinct)
        case _:
            return kind_of(data, value) == "int"

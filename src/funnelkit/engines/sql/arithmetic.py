"""The arithmetic on folded numbers as expressions of SQL; as `result.arithmetic` has it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from funnelkit.calendar.grain import ONE_DAY
from funnelkit.engines.sql.names import quoted_column
from funnelkit.engines.sql.operations import BINARY, cast, literal
from funnelkit.engines.sql.parts import KEYS, PERIOD, later_label
from funnelkit.errors import UnsupportedError
from funnelkit.formula.formulas import Abs, Constant, PositiveOrNull, ShareOfTotal, Sqrt, Transform
from funnelkit.formula.operators import Operator
from funnelkit.planning.expression import (
    BinaryOp,
    Expression,
    FoldRef,
    NullIf,
    PeriodLength,
    Transformed,
    walk,
)
from funnelkit.planning.lowering import ARITHMETIC
from funnelkit.planning.magnitude import RESIDUE
from funnelkit.planning.plan import PlannedMetric, Question
from funnelkit.planning.relations import Kind, Lit, Op
from funnelkit.result.arithmetic import leaf_column

__all__ = ["Arithmetic"]

Sql = exp.Expr
ZERO = Lit(0.0, "float")
_WRITTEN = Abs | PositiveOrNull | ShareOfTotal | Sqrt


@dataclass(frozen=True, slots=True)
class _Computed:
    """A value, and the sum of the absolute parts that it is made of.

    Attributes:
        total: The value as it comes out of the arithmetic.
        size: Writes the sum.
        is_exact: Whether it is made of counts alone, which lose nothing.
        is_rounded: Whether it is a sum or difference that may be what rounding left.
    """

    total: Sql
    size: Callable[[], Sql]
    is_exact: bool = False
    is_rounded: bool = False

    @property
    def value(self) -> Sql:
        """The value; 0 where only the rounding of its parts is left of them."""
        return _settled(self.total, self.size()) if self.is_rounded else self.total

    @property
    def as_float(self) -> _Computed:
        """The same as a number that is no whole one."""
        if not self.is_exact:
            return self
        total = cast(self.total, "float")
        return replace(self, total=total, is_exact=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Writes the arithmetic of a plan.

    Attributes:
        folds: By the column of a fold, how it is written and of which kind it is.
        groups: What the groups of one period share.
        question: The question.
    """

    folds: Mapping[str, tuple[Sql, Kind]]
    groups: Sequence[Sql]
    question: Question

    @staticmethod
    def check(planned: PlannedMetric, question: Question) -> None:
        """Check that a metric can be written.

        Raises:
            UnsupportedError: It cannot; names it.
        """
        for node in walk(planned.value):
            if isinstance(node, Transformed) and not isinstance(node.by, _WRITTEN):
                why = f"{type(node.by).__name__} ranks or follows rows; evaluate it"
                raise UnsupportedError(planned.metric.name, why)
            if isinstance(node, PeriodLength) and question.calendar.has_periods:
                _check_days(planned, question)

    def value(self, expression: Expression, kind: Kind) -> Sql:
        """Return the value of an expression as one of a kind: a whole number, or any."""
        computed = self._compute(expression)
        is_alike = computed.is_exact == (kind == "int")
        return computed.value if is_alike else cast(computed.value, kind)

    def _compute(self, expression: Expression) -> _Computed:
        match expression:
            case FoldRef():
                column, kind = self.folds[leaf_column(expression)]
                computed = _plain(column, is_exact=kind == "int")
                if not expression.magnitude:
                    return computed
                size, _ = self.folds[leaf_column(expression.size)]
                return replace(computed, size=lambda: size, is_rounded=True)
            case Constant(int(value)):
                return _plain(exp.Literal.number(value), is_exact=True)
            case Constant(value):
                return _plain(literal(Lit(float(value), "float")))
            case PeriodLength(shift):
                return _plain(self._period_days(shift))
            case NullIf(value, count, above):
                computed = self._compute(value)
                counted, _ = self.folds[leaf_column(count)]
                over = exp.GT(this=counted, expression=exp.Literal.number(above))
                kept = _when(exp.Not(this=over), computed.value)
                return replace(computed, total=kept, is_rounded=False)
            case Transformed(by, value):
                return self._transformed(by, self._compute(value).as_float)
            case BinaryOp(operator, left, right):
                return _binary(operator, *map(self._compute, (left, right)))

    def _transformed(self, by: Transform, inner: _Computed) -> _Computed:
        value = inner.value
        match by:
            case Abs():
                return _Computed(exp.Abs(this=value), inner.size)
            case PositiveOrNull():
                return _Computed(_when(BINARY[Op.GT](value, literal(ZERO)), value), inner.size)
            case Sqrt():
                found = _when(BINARY[Op.GE](value, literal(ZERO)), exp.Sqrt(this=value))
                return _plain(found)
            case ShareOfTotal():
                whole = _settled(self._over_groups(value), self._over_groups(inner.size()))
                return _plain(BINARY[Op.DIVIDE](value, whole))
            case _:
                raise AssertionError(by)

    def _period_days(self, shift: int) -> Sql:
        """Return a period's length in days: the current one, cut to the range, or an earlier."""
        calendar, span = self.question.calendar, self.question.span
        if not calendar.has_periods:
            return literal(Lit(_days(self.question), "float"))
        period = quoted_column(PERIOD, KEYS)
        begun, ended = (later_label(period, number - shift, calendar) for number in (0, 1))
        if not shift and span.start is not None:
            start = literal(Lit(span.start.date(), "day"))
            begun = exp.Greatest(this=begun, expressions=[start], ignore_nulls=True)
        if not shift and span.end is not None:
            end = literal(Lit(span.end.date(), "day"))
            ended = exp.Least(this=ended, expressions=[end], ignore_nulls=True)
        return cast(BINARY[Op.DAYS_BETWEEN](begun, ended), "float")

    def _over_groups(self, value: Sql) -> Sql:
        return exp.Window(this=exp.Sum(this=value), partition_by=list(self.groups))


def _check_days(planned: PlannedMetric, question: Question) -> None:
    """Check that periods have whole days, whose labels say how many."""
    ends = [end for end in (question.span.start, question.span.end) if end is not None]
    if question.calendar.edges or any(end.time() != dt.time() for end in ends):
        why = "it divides by the days of periods that are not whole; evaluate it"
        raise UnsupportedError(planned.metric.name, why)


def _days(question: Question) -> float | None:
    start, end = question.span.start, question.span.end
    if start is None or end is None:
        return None
    return (end - start) / ONE_DAY


def _plain(value: Sql, *, is_exact: bool = False) -> _Computed:
    return _Computed(value, lambda: exp.Abs(this=value), is_exact=is_exact)


def _binary(operator: Operator, left: _Computed, right: _Computed) -> _Computed:
    is_sum = operator in {Operator.ADD, Operator.SUBTRACT}
    is_exact = left.is_exact and right.is_exact and operator is not Operator.DIVIDE
    if not is_exact:
        left, right = left.as_float, right.as_float
    one, two = (part.total if is_sum else part.value for part in (left, right))

    def size() -> Sql:
        if operator is Operator.DIVIDE:
            return BINARY[Op.DIVIDE](left.size(), exp.Abs(this=right.value))
        return BINARY[Op.ADD if is_sum else Op.MULTIPLY](left.size(), right.size())

    total = BINARY[ARITHMETIC[operator]](one, two)
    return _Computed(total, size, is_exact=is_exact, is_rounded=is_sum and not is_exact)


def _settled(total: Sql, size: Sql) -> Sql:
    """Return a sum or difference; 0 where only the rounding of its parts is left of them."""
    limit = BINARY[Op.MULTIPLY](literal(Lit(RESIDUE, "float")), size)
    is_nothing = exp.LT(this=exp.Abs(this=total), expression=limit)
    return exp.Case(ifs=[exp.If(this=is_nothing, true=literal(ZERO))], default=total)


def _when(condition: Sql, value: Sql) -> Sql:
    return exp.Case(ifs=[exp.If(this=condition, true=value)])

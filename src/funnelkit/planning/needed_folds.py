"""From formulas to arithmetic on leaves: which folds they need, each of them once.

A leaf is one aggregate of one source in one period, perhaps an earlier one, or over the history
to date. Leaves that two metrics share are folded once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from funnelkit.data.schema import Items
from funnelkit.data.shop_data import ShopData
from funnelkit.data.value_types import is_unique
from funnelkit.errors import DefinitionError, UnknownNameError
from funnelkit.formula.formulas import (
    Aggregate,
    Arithmetic,
    ClosingBalance,
    Constant,
    Count,
    CountDistinct,
    CountRetained,
    Cumulative,
    Formula,
    Max,
    Mean,
    Name,
    PeriodDays,
    PolarsExpr,
    Reference,
    ShareOfTotal,
    Shift,
    Sum,
    Transform,
    source_of,
)
from funnelkit.formula.functions import function_of
from funnelkit.formula.operators import Operator
from funnelkit.formula.properties import check_grows, inputs
from funnelkit.formula.reason import Reason
from funnelkit.formula.table import Rows
from funnelkit.formula.values import Column, Score
from funnelkit.planning.dimensions import conjunction
from funnelkit.planning.expression import (
    BinaryOp,
    Expression,
    FoldRef,
    NullIf,
    PeriodLength,
    Transformed,
)
from funnelkit.planning.items import fold_of_items, items_of
from funnelkit.planning.magnitude import may_cancel
from funnelkit.planning.missing import enters_by_time
from funnelkit.planning.plan import Fold, Question, columns_read_by
from funnelkit.planning.validation import check_share, check_turned

__all__ = ["FoldPlace", "NeededFolds"]


@dataclass(frozen=True, slots=True)
class PeriodOffset:
    """How many periods earlier a formula is taken, and whether like for like."""

    periods: int
    like_for_like: bool


NOW = PeriodOffset(0, like_for_like=False)


class FoldPlace(NamedTuple):
    """What tells one fold of a question from another.

    Attributes:
        aggregate: What is folded.
        to_date: Whether it is folded over the history to date.
        is_magnitude: Whether the absolute values of what is added are added instead.
    """

    aggregate: Aggregate | PolarsExpr
    to_date: bool
    is_magnitude: bool = False


@dataclass(slots=True)
class NeededFolds:
    """Collects the folds that formulas need, each once.

    Attributes:
        data: The shop's data.
        question: The question.
        folds: The folds, by what tells them apart.
        metric: The name of the metric whose formula is lowered.
        reach: By fold, how many periods back it is looked.
        wanted: By fold, the metrics that it is for.
    """

    data: ShopData
    question: Question
    folds: dict[FoldPlace, Fold] = field(default_factory=dict[FoldPlace, Fold])
    metric: str = ""
    reach: dict[str, int] = field(default_factory=dict[str, int])
    wanted: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    _numbered: int = 0
    _items: dict[str, Items | None] = field(default_factory=dict[str, Items | None])

    def lower(
        self, formula: Formula, *, back: PeriodOffset = NOW, to_date: bool = False
    ) -> Expression:
        """Return the arithmetic of a formula on its leaves, whose folds are collected.

        Args:
            formula: The formula.
            back: How many periods earlier it is taken.
            to_date: Whether it is folded over the history to date.
        """
        match formula:
            case Constant():
                return formula
            case PeriodDays():
                return self._lower_length(back, to_date=to_date)
            case Name(name):
                raise UnknownNameError("metric", name)
            case Reference(_, inner):
                return self.lower(inner, back=back, to_date=to_date)
            case Shift(inner, periods, like_for_like=like_for_like):
                further = PeriodOffset(back.periods + periods, back.like_for_like or like_for_like)
                return self.lower(inner, back=further, to_date=to_date)
            case Cumulative(inner):
                return self.lower(inner, back=back, to_date=True)
            case Transform():
                check_turned(self.metric, formula, self.question, back.periods)
                is_grown = to_date or function_of(formula).is_to_date
                value = self.lower(formula.formula, back=back, to_date=is_grown)
                if isinstance(formula, ShareOfTotal):
                    check_share(formula, value, self.folds.values(), self.question)
                return Transformed(formula, value)
            case Arithmetic(operator, left, right):
                return BinaryOp(
                    operator,
                    self.lower(left, back=back, to_date=to_date),
                    self.lower(right, back=back, to_date=to_date),
                )
            case _:
                return self._lower_fold(formula, back, to_date=to_date)

    def sides(
        self, formula: Formula, value: Expression, ratio: tuple[Formula, Formula]
    ) -> tuple[Expression, Expression]:
        """Return the numerator and denominator of a formula that was lowered to a value."""
        match formula, value:
            case Arithmetic(left=left, right=right), BinaryOp(left=above, right=below) if (
                ratio[0] is left and ratio[1] is right
            ):
                return above, below
            case _:
                return self.lower(ratio[0]), self.lower(ratio[1])

    def _lower_length(self, back: PeriodOffset, *, to_date: bool) -> PeriodLength:
        """Return the length of a period; neither a history nor a part of a period has one."""
        if to_date or back.like_for_like:
            what = "a running total" if to_date else "a part of a period"
            problem = f"{self.metric} asks for period_days() of {what}"
            remedy = (
                "take it outside of cumulative(), periods_to_break_even() and like_for_like=True"
            )
            raise DefinitionError(problem, remedy)
        return PeriodLength(back.periods)

    def _lower_fold(
        self, fold: Aggregate | PolarsExpr, back: PeriodOffset, *, to_date: bool
    ) -> Expression:
        if isinstance(fold, PolarsExpr) and fold.table not in self.data.known:
            raise UnknownNameError("table", fold.table, list(self.data.known))
        fold = fold if isinstance(fold, PolarsExpr) else self.data.total_of(fold)
        self._check_prorated(fold)
        match fold:
            case Mean(value, where=where, of=None) if not isinstance(value, Score):
                above = self._leaf(Sum(value, where=where), back, to_date=to_date)
                below = self._leaf(Count(value, where=where), back, to_date=to_date)
                return BinaryOp(Operator.DIVIDE, above, below)
            case Sum(value, where=where, of=of, skip_nulls=False):
                rows = of or self.data.known[source_of(fold)]
                exclusions_of = Count(rows, where=conjunction((where, value.is_null())))
                count = self._leaf(exclusions_of, back, to_date=to_date)
                total = self._lower_fold(replace(fold, skip_nulls=True), back, to_date=to_date)
                return NullIf(total, count, 0, Reason.MISSING_VALUES)
            case Sum(value, where=where, of=None, require_single=Rows() as rows):
                count = self._leaf(Count(rows, where=where), back, to_date=to_date)
                only = self._leaf(Max(value, where=where), back, to_date=to_date)
                return NullIf(only, count, 1, Reason.SEVERAL_ROWS_OF.about(rows))
            case Sum(value, where=where, of=None, require_single=Column() as within):
                kinds = CountDistinct(within, where=conjunction((where, value.is_not_null())))
                count = self._leaf(kinds, back, to_date=to_date)
                total = self._leaf(replace(fold, require_single=None), back, to_date=to_date)
                return NullIf(total, count, 1, Reason.MIXED.about(within.name))
            case _:
                return self._leaf(fold, back, to_date=to_date)

    def _leaf(
        self, aggregate: Aggregate | PolarsExpr, back: PeriodOffset, *, to_date: bool
    ) -> FoldRef:
        if not isinstance(aggregate, PolarsExpr) and (
            items := self._items_of(source_of(aggregate))
        ):
            aggregate = fold_of_items(self.data, items, aggregate)
        if (
            isinstance(aggregate, ClosingBalance)
            and aggregate.carry_forward
            and self.data.known[source_of(aggregate)].entity_key
        ):
            to_date = True
        elif to_date:
            check_grows(aggregate)
        if back.like_for_like and (to_date or isinstance(aggregate, CountRetained)):
            raise DefinitionError(
                f"{self.metric} compares {aggregate} like for like, which looks back itself",
                "compare whole periods: shift(…) without like_for_like=True",
            )
        place = FoldPlace(aggregate, to_date)
        found = self.folds.get(place)
        if found is None:
            is_once = isinstance(aggregate, CountDistinct) and is_unique(self.data, aggregate)
            found = Fold(f"f{self._numbered}", aggregate, aggregate, is_once)
            self.folds[place] = found
            self._numbered += 1
        self._use(found, back)
        return FoldRef(
            found.name, back.periods, back.like_for_like, self._magnitude(found, back, to_date)
        )

    def _magnitude(self, fold: Fold, back: PeriodOffset, to_date: bool) -> str:  # noqa: FBT001  # a key of the folds
        """Return the name of the fold of the absolute values that a fold adds; empty for none."""
        if not may_cancel(self.data, fold.aggregate):
            return ""
        place = FoldPlace(fold.aggregate, to_date, is_magnitude=True)
        size = self.folds.get(place) or replace(fold, name=f"{fold.name}_size", is_magnitude=True)
        self.folds[place] = size
        self._use(size, back)
        return size.name

    def _use(self, fold: Fold, back: PeriodOffset) -> None:
        """Note which metric uses a fold, and how many periods back."""
        self.reach[fold.name] = max(self.reach.get(fold.name, 0), back.periods)
        users = self.wanted.setdefault(fold.name, [])
        if self.metric not in users:
            users.append(self.metric)

    def _items_of(self, table: str) -> Items | None:
        """Return the items among which folds of a table are divided, found once per table."""
        if table not in self._items:
            self._items[table] = items_of(self.data, self.question, table)
        return self._items[table]

    def reads_prorated(self, formula: Formula) -> bool:
        """Whether a formula reads rows that cover several days, of which none enters whole."""
        return any(
            self.data.known[table].prorate and enters_by_time(self.data, self.question, table)
            for table in inputs(formula)
        )

    def _check_prorated(self, fold: Aggregate | PolarsExpr) -> None:
        """Check that amounts of rows that cover several days are folded by sums alone."""
        table = fold.table if isinstance(fold, PolarsExpr) else source_of(fold)
        prorate = self.data.known[table].prorate
        if prorate is None or isinstance(fold, Sum | Count):
            return
        if not enters_by_time(self.data, self.question, table):
            return
        read = columns_read_by(fold)
        if any(isinstance(c, Column) and c.name in prorate.amounts for c in read):
            raise DefinitionError(
                f"{fold} folds amounts that are prorated over the days of their rows",
                "only their sum is defined in a period: ask for it, or for the whole history",
            )

"""What metrics and a question may not ask of one another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from funnelkit.data.shop_data import ShopData
from funnelkit.errors import DefinitionError
from funnelkit.formula.formulas import (
    PeriodsToBreakEven,
    PolarsExpr,
    QuantileBucket,
    ShareOfTotal,
    Transform,
)
from funnelkit.formula.properties import additivity, compares_groups, is_of_each_group
from funnelkit.formula.values import Money
from funnelkit.formula.walk import end_of
from funnelkit.metrics.metric import Metric
from funnelkit.planning.currency import is_money
from funnelkit.planning.dimensions import dimensions_in, resolve_dimension
from funnelkit.planning.expression import (
    Expression,
    has_period_length,
    is_turned_by,
    leaves_of,
)
from funnelkit.planning.plan import Fold, PlannedMetric, Question, Step

__all__ = [
    "check_cohorts",
    "check_length",
    "check_natives",
    "check_per",
    "check_reads",
    "check_share",
    "check_turned",
]


def check_per(metric: Metric, question: Question) -> None:
    """Check that a metric is requested with the dimension that its values belong to.

    Raises:
        DefinitionError: The question does not group by it.
    """
    if metric.required_dimension and metric.required_dimension not in {
        dimension.name for dimension in question.by
    }:
        problem = f"{metric.name} is a number of each {metric.required_dimension}"
        without = "fk.registry().find(required_dimension='')"
        remedy = f"group by it: by={metric.required_dimension!r}, or leave it out: {without}"
        raise DefinitionError(problem, remedy)


def check_cohorts(
    data: ShopData, lowered: Sequence[PlannedMetric], steps: Sequence[Step], question: Question
) -> None:
    """Check that cohorts are grouped only by what does not change within one of their owners.

    Raises:
        DefinitionError: It is, or periods are counted from a cohort and there is none.
    """
    read = [step for step in steps if data.tables[step.table].rows != 0]
    told = {(g.name, g.is_period) for step in read for g in step.groups}
    cohorts = {g.name for step in steps for g in step.groups if g.is_period}
    if mixed := sorted(name for name in cohorts if (name, False) in told):
        problem = f"{mixed[0]} is supplied in one table and derived in another: they do not meet"
        raise DefinitionError(problem, f"supply {mixed[0]} in both, or in none")
    for low in lowered:
        if is_turned_by(low.value, PeriodsToBreakEven) and not cohorts:
            problem = f"{low.metric.name} counts periods from the one of a cohort"
            remedy = "group by the derived one: by='cohort', without a column of that name"
            raise DefinitionError(problem, remedy)
        if low.metric.required_dimension == data.schema.cohort_key:
            tables = [step.table for step in steps if low.rests_on(step)]
            _check_owners(data, low.metric, tables, question)


def _check_owners(
    data: ShopData, metric: Metric, tables: Sequence[str], question: Question
) -> None:
    where = () if question.where is None else dimensions_in(question.where)
    owner = data.schema.cohort_owner
    owners = next((name for name, each in data.known.items() if each.row_unit == owner), "them")
    for dimension in (*question.by, *where):
        for table in tables if dimension.name != metric.required_dimension else ():
            column = end_of(resolve_dimension(data, table, dimension))
            if data.known[column.table].row_unit != owner:
                raise DefinitionError(
                    f"{metric.name} cannot be divided by {dimension.name}: one {owner.label} may "
                    f"have several of {column}",
                    f"bind it as a column of {owners}, or leave {dimension.name} out",
                )


def check_natives(data: ShopData, steps: Sequence[Step]) -> None:
    """Check that Polars expressions over amounts are converted once.

    Raises:
        DefinitionError: There is one; names the column and the rate.
    """
    for step in steps:
        rate = data.rate(step.table)
        for fold in step.folds:
            if rate is None or not isinstance(native := fold.aggregate, PolarsExpr):
                continue
            columns = [data.declared(end_of(item)) for item in fold.reads]
            amounts = [column for column in columns if isinstance(column, Money)]
            has_rate = rate.name in {column.name for column in columns}
            if has_rate and any(data.rate_of(amount) for amount in amounts):
                problem = f"{native} reads {rate}, at which {amounts[0]} is converted already"
                raise DefinitionError(problem, "leave the rate out")
            if columns and is_money(native) and not (amounts or has_rate):
                problem = f"{native} gives an amount, and {columns[0]} is not known to be one"
                remedy = f"multiply it by {rate.name}, or fold Table.column(…, fk.Money) instead"
                raise DefinitionError(problem, remedy)


def check_turned(metric: str, formula: Transform, question: Question, back: int) -> None:
    """Check that a group is compared with groups that answer the same question.

    Args:
        metric: The name of the metric.
        formula: What is made of a value.
        question: The question.
        back: How many periods earlier it is asked for.

    Raises:
        DefinitionError: They do not.
    """
    match formula:
        case ShareOfTotal(inner) if not additivity(inner).over_keys:
            problem = f"{formula} is no part of a whole: {inner} does not add up"
            raise DefinitionError(problem, "take the share of a count or a sum")
        case QuantileBucket() if not question.by:
            problem = f"{metric} ranks groups, and the question has none"
            raise DefinitionError(problem, "give by=: what is to be ranked")
        case QuantileBucket() if len(question.by) > 1:
            problem = f"{metric} ranks the groups of one key among one another"
            raise DefinitionError(problem, "group by that key alone, and filter with where=")
        case PeriodsToBreakEven() if question.span.start is not None:
            problem = f"{metric} counts periods from the one of a cohort"
            raise DefinitionError(problem, "leave out start=: the whole history enters")
        case PeriodsToBreakEven() if back:
            problem = f"{metric} takes {formula} of an earlier period"
            raise DefinitionError(problem, "its values do not change once told: drop shift()")
        case PeriodsToBreakEven(inner) if compares_groups(inner) or is_of_each_group(inner):
            problem = f"{metric} counts periods of a group by what others have"
            raise DefinitionError(
                problem,
                "leave out share_of_total(), quantile_bucket() and the like within it",
            )
        case _:
            return


def check_share(
    formula: ShareOfTotal, value: Expression, folds: Iterable[Fold], question: Question
) -> None:
    """Check that what a group is a share of is the sum of the groups, as they are divided.

    Raises:
        DefinitionError: It is not: what is counted may be in several groups.
    """
    asked = {fold.name: fold.asked for fold in folds}
    for leaf in leaves_of(value):
        if not additivity(asked[leaf.name]).over_keys:
            keys = ", ".join(dimension.name for dimension in question.by)
            problem = f"{formula} by {keys} is no part of a whole: {asked[leaf.name]}"
            remedy = "what is in several groups does not add up: take the share of an amount"
            raise DefinitionError(problem, remedy)


def check_length(lowered: Sequence[PlannedMetric], question: Question) -> None:
    """Check that a metric that depends on the length of the range has a range with ends.

    Raises:
        DefinitionError: It does.
    """
    span = question.span
    if question.calendar.has_periods or (span.start and span.end):
        return
    for low in lowered:
        if has_period_length(low.value):
            problem = f"{low.metric.name} depends on the length of the range"
            raise DefinitionError(problem, "give start= and end=, or every=")


def check_reads(
    lowered: Sequence[PlannedMetric], steps: Sequence[Step], question: Question
) -> None:
    """Check that a metric that is requested by period or group reads rows.

    Raises:
        DefinitionError: No metric reads a table, and the question has periods or keys.
    """
    if lowered and not steps and (question.by or question.calendar.has_periods):
        names = ", ".join(low.metric.name for low in lowered)
        problem = f"{names}: no table is read, so nothing says which periods and groups there are"
        raise DefinitionError(
            problem, "ask together with a metric of a table, or drop by= and every="
        )

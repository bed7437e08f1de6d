"""Evaluate metrics over a shop: plan, fold, align, compute. The one orchestrator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import polars as pl

from funnelkit.arguments import check_flags
from funnelkit.calendar.calendar import Moment
from funnelkit.catalog.default import registry
from funnelkit.data.binding import kind_faults
from funnelkit.errors import ContractError, UnknownNameError
from funnelkit.evaluation import execute
from funnelkit.evaluation.arguments import (
    Asked,
    ask,
    check_column_names,
    representable,
    requested_metrics,
)
from funnelkit.evaluation.exclusions import count_exclusions
from funnelkit.evaluation.supported import check_supported
from funnelkit.formula.properties import is_of_each_group
from funnelkit.formula.values import (
    Dimension,
    Predicate,
)
from funnelkit.metrics.metric import Metric
from funnelkit.planning.plan import Plan, Question
from funnelkit.planning.planner import make_plan
from funnelkit.result.result import Result
from funnelkit.shop.shop import Shop

__all__ = ["answer_of_units", "answer_question", "evaluate", "plan", "plan_question"]


def evaluate(  # noqa: PLR0913  # the question, every part of it by keyword
    shop: Shop,
    metrics: Asked,
    *,
    by: str | Dimension | Sequence[str | Dimension] = (),
    every: str | Sequence[Moment] | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    where: Predicate | str | None = None,
    totals: bool = False,
    exclusions: bool = False,
    progress: bool = False,
) -> Result:
    """Compute metrics of a shop.

    Args:
        shop: The shop.
        metrics: Names, aliases or metrics; one of them, several, or a registry.
        by: Dimensions to group by: columns of the tables or of their parents.
        every: The length of a period: a number and "h", "d", "w", "mo", "q" or
            "y", as in "1mo"; or the boundaries of the periods: their starts
            and, last, the end of the last one.
        start: The first moment of the range, in the shop's zone.
        end: The first moment after the range.
        where: Which rows enter, over dimensions, as a predicate or its text.
        totals: Whether to add rows for all groups together, recomputed from the data.
        exclusions: Whether to count what the numbers leave out, in `Result.exclusions`
            and under the table; that reads the tables once more.
        progress: Whether to write on standard error which steps are done; they
            then follow one another, which takes longer.

    Returns:
        The values, one row per period and group; see `Result`.

    Raises:
        UnknownNameError: A metric or dimension does not exist, or is not reached.
        MissingInputError: Tables or columns are missing; names them all.
        ContractError: The data fails a check that a number depends on.
        DefinitionError: The question contradicts itself, or an argument is not valid.
        UnsupportedError: The database in which the tables are cannot compute it.

    Examples:
        >>> import funnelkit as fk
        >>> result = fk.evaluate(fk.demo(), ["orders", "aov"], every="1q")
        >>> result.frame.columns
        ['period', 'orders', 'average_order_value']
    """
    check_flags(totals=totals, exclusions=exclusions, progress=progress)
    question = ask(shop, by=by, every=every, start=start, end=end, where=where)
    result = answer_question(shop, metrics, question, exclusions=exclusions, progress=progress)
    if not totals:
        return result
    undivided = replace(question, calendar=question.calendar.whole)
    whole = replace(question, by=()) if by else undivided
    chosen = [m for m in result.metrics if _has_total(m) and (by or not m.compares_periods)]
    if not chosen or (whole.calendar.has_periods and not any(m.inputs for m in chosen)):
        return result.with_totals(None)
    return result.with_totals(answer_question(shop, chosen, whole, progress=progress))


def answer_question(  # noqa: PLR0913  # as evaluate, save the question
    shop: Shop,
    metrics: Asked,
    question: Question,
    *,
    exclusions: bool = False,
    progress: bool = False,
    is_sorted: bool = True,
) -> Result:
    """Plan a question, and carry out the plan; as `evaluate`; many rows in any order if wanted."""
    made = plan_question(shop, metrics, question)
    check_supported(shop.runner, made, shop.runner.engine.supports)
    result = execute.answer(shop.runner, made, progress=progress, is_sorted=is_sorted)
    if not exclusions:
        return result
    return result.with_exclusions(count_exclusions(shop.runner, made))


def answer_of_units(
    shop: Shop, metrics: Sequence[Metric], of_each: Sequence[Metric], question: Question
) -> tuple[Result, pl.DataFrame] | None:
    """Answer a question with a unit; None where more is to be done than to count rows.

    Args:
        shop: The shop.
        metrics: The metrics of all units together.
        of_each: The metrics of each unit.
        question: The question.

    Returns:
        The result of the metrics, and those of the units; see `execute.answer_of_units`.
    """
    made = plan_question(shop, [*metrics, *of_each], question)
    if not made.only_counts:
        return None
    check_supported(shop.runner, made, shop.runner.engine.supports)
    return execute.answer_of_units(shop.runner, made, {metric.name for metric in of_each})


def _has_total(metric: Metric) -> bool:
    """Return whether a metric also has a value for all groups together."""
    return not metric.required_dimension and not is_of_each_group(metric.formula)


def plan(  # noqa: PLR0913  # as evaluate
    shop: Shop,
    metrics: Asked,
    *,
    by: str | Dimension | Sequence[str | Dimension] = (),
    every: str | Sequence[Moment] | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    where: Predicate | str | None = None,
) -> Plan:
    """Return the plan by which a question would be answered, without reading data.

    The arguments are those of `evaluate`.

    Returns:
        The plan: each source once, with its folds. It can be printed.

    Raises:
        FunnelkitError: As for `evaluate`, save what only the data can show.
    """
    question = ask(shop, by=by, every=every, start=start, end=end, where=where)
    return plan_question(shop, metrics, question)


def plan_question(shop: Shop, metrics: Asked, question: Question) -> Plan:
    """Return the plan of a question; as `plan`."""
    chosen = requested_metrics(metrics)
    check_column_names(chosen, question.by)
    try:
        with representable(span=question.span):
            make = partial(make_plan, shop.data, chosen, question)
            made = shop.data.derived(repr(question), chosen, make)
    except UnknownNameError as error:
        if error.name not in {item.name for item in question.by} or error.name not in registry():
            raise
        remedy = f"{error.name} is a metric: ask for it, and group by a column"
        raise UnknownNameError(error.kind, error.name, error.known, remedy) from None
    read = (item for step in made.steps for item in step.reads)
    if faults := kind_faults(shop.data.tables, read):
        raise ContractError(faults)
    return made

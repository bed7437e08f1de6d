"""Ask metrics of a shop: plan, fold, align, compute. The one orchestrator."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterable, Iterator, Sequence

from funnelkit.align import align, check_currencies
from funnelkit.calendar import Moment
from funnelkit.engines.base import Engine
from funnelkit.engines.polars import PolarsEngine
from funnelkit.errors import DefinitionError, HistoryWarning
from funnelkit.formula.formulas import Native
from funnelkit.formula.parsing import parse_predicate
from funnelkit.formula.properties import parts_of
from funnelkit.formula.values import (
    AsOf,
    Column,
    Dimension,
    Lookup,
    Predicate,
    PredicateNode,
    Value,
    ValueNode,
    children,
)
from funnelkit.metric import Metric
from funnelkit.plan import make_plan, with_parts
from funnelkit.registry import Registry, find_metric, registry
from funnelkit.result import Result
from funnelkit.rules import FirstOver, NumberOver, PreviousOver, dependencies
from funnelkit.shop import Shop
from funnelkit.steps import Plan, Question

__all__ = ["Asked", "evaluate", "plan"]

Asked = str | Metric | Registry | Iterable[str | Metric]


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
        totals: Whether to add rows for all groups together, computed anew.

    Returns:
        The values, one row per period and group; see `Result`.

    Raises:
        UnknownNameError: A metric or dimension does not exist, or is not reached.
        MissingInputError: Tables or columns are missing; names them all.
        ContractError: The data breaks a promise that a number rests on.
        DefinitionError: The question contradicts itself.

    Examples:
        >>> import funnelkit as fk
        >>> result = fk.evaluate(fk.demo(), ["orders", "aov"], every="1q")
        >>> result.frame.columns
        ['period', 'orders', 'average_order_value']
    """
    made = plan(shop, metrics, by=by, every=every, start=start, end=end, where=where)
    engine = PolarsEngine(shop)
    result = _answer(shop, engine, made)
    if not totals:
        return result
    whole = [m for m in result.metrics if by or not m.compares_periods]
    if not whole:
        return result.with_totals(None)
    every = every if by else None
    made = plan(shop, whole, every=every, start=start, end=end, where=where)
    return result.with_totals(_answer(shop, engine, made))


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
    """Say how a question would be answered, without reading data.

    Args:
        shop: The shop.
        metrics: As for `evaluate`.
        by: As for `evaluate`.
        every: As for `evaluate`.
        start: As for `evaluate`.
        end: As for `evaluate`.
        where: As for `evaluate`.

    Returns:
        The plan: each source, once, with what is folded. Print it.

    Raises:
        FunnelkitError: As for `evaluate`, save what only the data can show.
    """
    chosen = _metrics(metrics)
    calendar, span = shop.calendar.divided(every, start, end)
    dimensions = _dimensions(by, {metric.name for metric in chosen})
    predicate = parse_predicate(where) if isinstance(where, str) else where
    question = Question(dimensions, predicate, calendar, span)
    return make_plan(shop, chosen, question)


def _answer(shop: Shop, engine: Engine, made: Plan) -> Result:
    as_of = _known_until(shop, engine, made)
    _warn_of_history(shop, engine, made)
    if as_of is not None:
        until = shop.calendar.shown(as_of)
        end = made.question.span.end
        made = with_parts(made, until if end is None else min(until, end))
    answers = engine.fold([*made.steps, *(part.step for part in made.parts)])
    check_currencies(made, answers)
    return Result.from_leaves(made, align(made, answers), shop.currency, as_of)


def _metrics(asked: Asked) -> list[Metric]:
    many: Iterable[str | Metric]
    match asked:
        case str() | Metric():
            many = [asked]
        case Registry():
            many = asked.values()
        case _:
            many = asked
    known = registry()
    found = {metric.name: metric for metric in (find_metric(known, item) for item in many)}
    if not found:
        raise DefinitionError("no metric was asked for", "name at least one")
    return list(found.values())


def _dimensions(
    by: str | Dimension | Sequence[str | Dimension], metrics: set[str]
) -> tuple[Dimension, ...]:
    many = [by] if isinstance(by, str | Dimension) else list(by)
    found = {item.name: item for item in (_dimension(item) for item in many)}
    if clash := sorted(set(found) & (metrics | {"period", "is_total"})):
        raise DefinitionError(
            f"by={clash[0]!r} is also the name of a column of the result",
            f"rename it: fk.Dimension('my_{clash[0]}', table={clash[0]!r})",
        )
    return tuple(found.values())


def _dimension(item: str | Dimension) -> Dimension:
    return item if isinstance(item, Dimension) else Dimension(item)


def _known_until(shop: Shop, engine: Engine, made: Plan) -> dt.datetime | None:
    """Give the instant up to which the data is known, where the answer depends on it.

    Where it was not given, a day on which anything happened is taken as known whole.
    """
    calendar = made.question.calendar
    if not calendar.has_periods and not any(_uses_as_of(shop, node) for node in _nodes(made)):
        return None
    as_of = engine.as_of()
    if as_of is None or shop.given_as_of is not None or calendar.has_hours:
        return as_of
    day = dt.datetime.combine(shop.calendar.shown(as_of), dt.time())
    return shop.calendar.instant(day + dt.timedelta(days=1))


def _nodes(made: Plan) -> Iterator[Value | Predicate]:
    for step in made.steps:
        if step.where is not None:
            yield step.where
        for fold in step.folds:
            if not isinstance(fold.aggregate, Native):
                yield from parts_of(fold.aggregate)


def _uses_as_of(shop: Shop, node: Value | Predicate) -> bool:
    """Whether a value rests on the as-of moment, itself or through a derived column."""
    if isinstance(node, AsOf):
        return True
    if isinstance(node, Column) and not shop.supplies(node):
        rule = shop.rule(node)
        if isinstance(rule, ValueNode | PredicateNode) and rule != node:
            return any(_uses_as_of(shop, child) for child in children(rule))
        return False
    return any(_uses_as_of(shop, child) for child in children(node))


def _warn_of_history(shop: Shop, engine: Engine, made: Plan) -> None:
    """Warn where the history that a fold looks back on starts inside the range."""
    start = made.question.span.start
    if start is None:
        return
    for step in made.steps:
        looks_back = step.to_date or step.first_of is not None
        if not (looks_back or any(_looks_back(shop, leaf) for leaf in step.reads)):
            continue
        first = engine.earliest(step.table)
        if first is not None and first >= start:
            warnings.warn(
                f"the history of {step.table} starts on {first:%Y-%m-%d}, inside the range from "
                f"{start:%Y-%m-%d}: whoever bought before looks new",
                HistoryWarning,
                stacklevel=4,
            )
            return


def _looks_back(shop: Shop, item: Column | Lookup) -> bool:
    if isinstance(item, Lookup):
        return _looks_back(shop, item.key) or _looks_back(shop, item.value)
    if shop.supplies(item):
        return False
    rule = shop.rule(item)
    if rule is None:
        return False
    if isinstance(rule, NumberOver | FirstOver | PreviousOver):
        return True
    return any(_looks_back(shop, needed) for needed in dependencies(rule))

"""Up to when the data is known, and where the history that a fold looks back on begins."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from funnelkit.data.shop_data import ShopData
from funnelkit.engines.runner import Runner
from funnelkit.errors import TruncatedHistoryWarning
from funnelkit.formula.derived import FirstOver, NextOver, NumberOver, PreviousOver, dependencies
from funnelkit.formula.formulas import ClosingBalance, Formula, PolarsExpr, source_of
from funnelkit.formula.properties import aggregates, natives, parts_of
from funnelkit.formula.values import (
    AsOf,
    Column,
    Lookup,
    Predicate,
    PredicateNode,
    Value,
    ValueNode,
)
from funnelkit.formula.walk import children
from funnelkit.metrics.metric import Metric
from funnelkit.planning.plan import Plan, Step

__all__ = ["known_since", "known_until", "looks_back", "warn_of_history", "with_as_of"]


def known_since(runner: Runner, metrics: Sequence[Metric]) -> Mapping[str, dt.datetime | None]:
    """Return the day from which each metric is known, by name, as local time.

    That is the day of the first row of any table that it adds up; of a ratio, the later of
    those of its two sides: what one side lacks makes a wrong ratio. Where a column that it
    reads is derived from the rows of another table, not before the first of those. None where
    there are no rows.

    Args:
        runner: What reads the tables.
        metrics: The metrics.
    """
    make = partial(_known_since, runner, metrics)
    return runner.data.derived("known since", metrics, make)


def _known_since(runner: Runner, metrics: Sequence[Metric]) -> dict[str, dt.datetime | None]:
    sides = {metric.name: _sides(runner, metric) for metric in metrics}
    read = set[str]().union(*(tables for each in sides.values() for tables in each))
    firsts = {table: first for table in sorted(read) if (first := runner.earliest(table))}
    return {name: _latest(each, firsts) for name, each in sides.items()}


def _sides(runner: Runner, metric: Metric) -> list[set[str]]:
    """Return sets of tables, of each of which one has to have begun."""
    sides = [_tables(runner, side) for side in metric.ratio or (metric.formula,)]
    counted = runner.data.counted_for(metric.formula).difference(*sides)
    return [*sides, *({table} for table in sorted(counted) if runner.earliest(table))]


def _tables(runner: Runner, formula: Formula) -> set[str]:
    folded = {source_of(runner.data.total_of(fold)) for fold in aggregates(formula)}
    return folded | {native.table for native in natives(formula)}


def _latest(sides: Iterable[set[str]], firsts: Mapping[str, dt.datetime]) -> dt.datetime | None:
    """Return the first day on which every side has data, or None where one never has."""
    days = [
        min((firsts[table] for table in tables if table in firsts), default=None)
        for tables in sides
        if tables
    ]
    known = [day for day in days if day is not None]
    if not known or len(known) < len(days):
        return None
    return dt.datetime.combine(max(known), dt.time())


def known_until(data: ShopData, made: Plan) -> dt.datetime | None:
    """Return the instant up to which the data is known, where the answer depends on it.

    Where it was not given, a day on which anything happened is taken as known whole.
    """
    as_of = made.question.as_of
    if as_of is None or data.given_as_of is not None or made.question.calendar.has_hours:
        return as_of
    day = dt.datetime.combine(data.calendar.shown(as_of), dt.time())
    return data.calendar.instant(day + dt.timedelta(days=1))


def with_as_of(runner: Runner, made: Plan) -> Plan:
    """Return a plan whose question holds the as-of moment, where the answer depends on it.

    Its steps hold it where one of them names it as `as_of()`.
    """
    data = runner.data
    is_named = data.derived("as_of() is named", [made], partial(_names_as_of, data, made))
    if not (is_named or made.question.calendar.has_periods):
        return made
    as_of = runner.as_of(steps=[*made.steps, *made.guards])
    return data.derived("as_of()", [made], partial(_at, made, as_of, is_named=is_named))


def _names_as_of(data: ShopData, made: Plan) -> bool:
    return any(_uses_as_of(data, node) for node in _nodes(made))


def _at(made: Plan, as_of: dt.datetime | None, *, is_named: bool) -> Plan:
    made = replace(made, question=replace(made.question, as_of=as_of))
    if not is_named:
        return made
    steps, guards = (
        tuple(replace(step, as_of=as_of) for step in some) for some in (made.steps, made.guards)
    )
    return replace(made, steps=steps, guards=guards)


def _nodes(made: Plan) -> Iterator[Value | Predicate]:
    for step in made.steps:
        if step.where is not None:
            yield step.where
        yield from (group.value for group in step.groups)
        for fold in step.folds:
            if not isinstance(fold.aggregate, PolarsExpr):
                yield from parts_of(fold.aggregate)


def _uses_as_of(data: ShopData, node: Value | Predicate) -> bool:
    """Return whether a value depends on the as-of time, directly or through a derived column."""
    if isinstance(node, AsOf):
        return True
    if isinstance(node, Column) and not data.is_supplied(node):
        rule = data.rule(node)
        if isinstance(rule, ValueNode | PredicateNode) and rule != node:
            return any(_uses_as_of(data, child) for child in children(rule))
        return False
    return any(_uses_as_of(data, child) for child in children(node))


def warn_of_history(runner: Runner, made: Plan) -> None:
    """Warn where the history that a fold looks back on starts inside the range."""
    start = made.question.span.start
    if start is None:
        return
    for step in made.steps:
        if not _step_looks_back(runner.data, step):
            continue
        first = runner.earliest(step.table)
        if first is not None and first >= start:
            warnings.warn(
                f"the history of {step.table} starts on {first:%Y-%m-%d}, inside the range from "
                f"{start:%Y-%m-%d}: what came before is missing in totals to date, and what is "
                "counted as first may not be",
                TruncatedHistoryWarning,
                stacklevel=7,
            )
            return


def looks_back(data: ShopData, made: Plan) -> bool:
    """Return whether a plan rests on what came before its range."""
    return any(_step_looks_back(data, step) for step in made.steps)


def _step_looks_back(data: ShopData, step: Step) -> bool:
    is_stock = any(isinstance(fold.aggregate, ClosingBalance) for fold in step.folds)
    is_to_date = (step.to_date and not is_stock) or step.first_of is not None
    return is_to_date or any(_looks_back(data, leaf) for leaf in step.reads)


def _looks_back(data: ShopData, item: Column | Lookup) -> bool:
    if isinstance(item, Lookup):
        return _looks_back(data, item.key) or _looks_back(data, item.value)
    if data.is_supplied(item):
        return False
    rule = data.rule(item)
    if rule is None:
        return False
    if isinstance(rule, NumberOver | FirstOver | PreviousOver | NextOver):
        return True
    return any(_looks_back(data, needed) for needed in dependencies(rule))

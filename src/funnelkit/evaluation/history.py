"""Up to when the data is known, and where the history that a fold looks back on begins."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterator
from dataclasses import replace

from funnelkit.data.shop_data import ShopData
from funnelkit.engines.runner import Runner
from funnelkit.errors import TruncatedHistoryWarning
from funnelkit.formula.derived import FirstOver, NextOver, NumberOver, PreviousOver, dependencies
from funnelkit.formula.formulas import ClosingBalance, PolarsExpr
from funnelkit.formula.properties import parts_of
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
from funnelkit.planning.plan import Plan, Step

__all__ = ["known_until", "looks_back", "warn_of_history", "with_as_of"]


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
    is_named = any(_uses_as_of(runner.data, node) for node in _nodes(made))
    if not (is_named or made.question.calendar.has_periods):
        return made
    as_of = runner.as_of(steps=[*made.steps, *made.guards])
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

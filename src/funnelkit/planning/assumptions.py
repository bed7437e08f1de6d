"""What numbers take for granted where the data does not show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from funnelkit.data.shop_data import Assumption, ShopData
from funnelkit.formula.derived import Default, dependencies
from funnelkit.formula.values import Column, Lookup
from funnelkit.formula.walk import leaves
from funnelkit.planning.plan import Fold, PlannedMetric, Step, fold_columns

__all__ = ["assumptions_of"]


def assumptions_of(
    data: ShopData, steps: Iterable[Step], planned: PlannedMetric
) -> tuple[Assumption, ...]:
    """Return what a metric takes for granted.

    Args:
        data: The data of the shop.
        steps: The steps of the plan.
        planned: The metric.
    """
    found, names = dict[Assumption, None](), {leaf.name for leaf in planned.leaves}
    for step in steps:
        folds = [fold for fold in step.folds if fold.name in names]
        for column in _read(step, folds) if folds else ():
            found |= dict.fromkeys(_assumed(data, column))
    return tuple(found)


def _read(step: Step, folds: Iterable[Fold]) -> Iterator[Column | Lookup]:
    """Yield what folds of a step read, and what rows must satisfy."""
    for fold in folds:
        yield from fold_columns(fold)
    yield from () if step.where is None else leaves(step.where)
    for group in step.groups:
        yield from leaves(group.value)


def _assumed(data: ShopData, column: Column | Lookup) -> tuple[Assumption, ...]:
    """Return what a column takes for granted, found once per column."""
    known = data.found_assumed
    if column not in known:
        known[column] = ()
        known[column] = tuple(dict.fromkeys(_looked_up(data, column)))
    return known[column]


def _looked_up(data: ShopData, column: Column | Lookup) -> Iterator[Assumption]:
    if isinstance(column, Lookup):
        yield from _assumed(data, column.key)
        yield from _assumed(data, column.value)
        return
    bound = data.tables.get(column.table)
    if bound is not None and bound.is_assumed_empty:
        yield Assumption(column.table)
        return
    rule = None if data.is_supplied(column) else data.rule(column)
    if isinstance(rule, Default):
        yield Assumption(column.table, column.name, rule.value)
    for needed in () if rule is None else dependencies(rule):
        yield from _assumed(data, needed)

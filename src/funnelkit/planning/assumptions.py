"""What numbers take for granted where the data does not show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from funnelkit.data.shop_data import Assumption, ShopData
from funnelkit.formula.derived import Default, dependencies
from funnelkit.formula.values import Column, Lookup
from funnelkit.formula.walk import leaves
from funnelkit.planning.plan import PlannedMetric, Step

__all__ = ["assumptions_of"]


def assumptions_of(
    data: ShopData, steps: Iterable[Step], metrics: Iterable[PlannedMetric]
) -> dict[str, tuple[Assumption, ...]]:
    """Return what each metric takes for granted, by its name; of those that take anything.

    Args:
        data: The data of the shop.
        steps: The steps of the plan.
        metrics: The metrics.
    """
    assumed: dict[str, dict[Assumption, None]] = {}
    for step in steps:
        common = [each for column in _shared(step) for each in _assumed(data, column)]
        for fold in step.folds:
            own = (each for column in fold.reads for each in _assumed(data, column))
            assumed[fold.name] = dict.fromkeys((*own, *common))
    if not any(assumed.values()):
        return {}
    found = {
        one.metric.name: tuple(dict.fromkeys(each for n in one.leaves for each in assumed[n.name]))
        for one in metrics
    }
    return {name: taken for name, taken in found.items() if taken}


def _shared(step: Step) -> Iterator[Column | Lookup]:
    """Yield what is read of every row of a step: what it must satisfy, and its groups."""
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

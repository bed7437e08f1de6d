"""Which metrics may be rolled up, and over which keys."""

from __future__ import annotations

from collections.abc import Sequence

from funnelkit.errors import UnsupportedError
from funnelkit.formula.formulas import CountDistinct
from funnelkit.formula.properties import additivity
from funnelkit.formula.values import Lookup
from funnelkit.planning.expression import (
    PeriodLength,
    has_period_length,
    is_of_each_group,
    leaves_of,
    walk,
)
from funnelkit.planning.plan import Group, Plan, PlannedMetric, Step

__all__ = ["PERIOD_NAME", "check_adds_up"]

PERIOD_NAME = "period"


def check_adds_up(plan: Plan, lowered: PlannedMetric, gone: Sequence[str]) -> None:
    """Raise if a metric uses a fold that does not add up over the removed keys.

    Raises:
        UnsupportedError: There is one; names the metric and the fold.
    """
    span = plan.question.span
    if PERIOD_NAME in gone and has_period_length(lowered.value) and not (span.start and span.end):
        remedy = "it depends on the length of the range; evaluate again with start= and end="
        raise _refusal(lowered, [PERIOD_NAME], remedy)
    if PERIOD_NAME in gone and any(
        isinstance(n, PeriodLength) and n.shift for n in walk(lowered.value)
    ):
        raise _refusal(lowered, [PERIOD_NAME], "it compares periods; evaluate again")
    if lowered.metric.required_dimension in gone or (gone and is_of_each_group(lowered.value)):
        raise _refusal(lowered, gone, "it is defined per group only; evaluate again")
    folds = {fold.name: (fold.asked, step) for step in plan.steps for fold in step.folds}
    unique = {fold.name for step in plan.steps for fold in step.folds if fold.is_unique}
    groups = [name for name in gone if name != PERIOD_NAME]
    sides = (lowered.value, *(lowered.ratio or ()))
    for leaf in dict.fromkeys(leaf for side in sides for leaf in leaves_of(side)):
        aggregate, step = folds[leaf.name]
        adds, is_past = additivity(aggregate), bool(leaf.shift or step.to_date)
        is_sure = leaf.name in unique or not isinstance(aggregate, CountDistinct)
        stops = [] if adds.over_keys and is_sure else groups
        if step.entity_key:
            stops = [g.name for g in step.groups if g.name in groups and not _of_thing(g, step)]
        if PERIOD_NAME in gone and (is_past or not (adds.over_time and is_sure)):
            stops = [PERIOD_NAME, *stops]
        if stops:
            is_moved = is_past and stops == [PERIOD_NAME]
            what = "is not of the period alone" if is_moved else "does not add up"
            raise _refusal(lowered, stops, f"{aggregate} {what}; evaluate again with fewer keys")


def _of_thing(group: Group, step: Step) -> bool:
    """Return whether each entity stays in one group, so that it is not counted twice."""
    value = group.value
    return (value.key if isinstance(value, Lookup) else value).name in step.entity_key


def _refusal(lowered: PlannedMetric, over: Sequence[str], remedy: str) -> UnsupportedError:
    what = f"{lowered.metric.name} cannot be rolled up over {', '.join(over)}"
    return UnsupportedError(what, remedy)

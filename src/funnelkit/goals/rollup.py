"""Targets and values of several goals together, where they can be added up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import fsum

from funnelkit.errors import UnsupportedError
from funnelkit.formula.accumulation import MetricKind
from funnelkit.goals.assess import Assessed
from funnelkit.goals.goal import Goal
from funnelkit.goals.measure import adds_up
from funnelkit.goals.status import Status, worst
from funnelkit.metrics.metric import Metric

__all__ = ["Together", "check_adds_up", "together"]


@dataclass(frozen=True, slots=True)
class Together:
    """Several goals of one metric as one.

    Attributes:
        target: The target of all.
        value: The value so far.
        planned: What is planned by now, of what adds up.
        status: The worst status.
        reason: Why the value is null.
    """

    target: float | None
    value: float | None
    planned: float | None
    status: Status | None
    reason: str | None


def check_adds_up(groups: Sequence[Sequence[Assessed]]) -> None:
    """Check that the targets of each group of goals of one metric have a common one.

    Raises:
        UnsupportedError: Some do not; names every one.
    """
    faults = dict.fromkeys(fault for group in groups for fault in _faults(group))
    if faults:
        raise UnsupportedError("rollup of these goals", "; ".join(faults))


def _faults(group: Sequence[Assessed]) -> Iterator[str]:
    if len(group) < 2:
        return
    goals = [each.goal for each in group]
    metric = goals[0].metric
    if len({goal.better for goal in goals}) > 1:
        yield f"{metric.name}: some goals are met above their target, others below"
    if any(each.case.target is None for each in group):
        yield f"{metric.name}: a band, or a target that rests on a null baseline, has no sum"
    if why := _why_not(metric, goals):
        yield why
    for one, two in combinations(goals, 2):
        if not _are_disjoint(one, two):
            yield f"{one.name} and {two.name} may count the same rows of the same days"


def _why_not(metric: Metric, goals: Sequence[Goal]) -> str | None:
    """Return why the targets of a metric do not add up."""
    if metric.kind is MetricKind.FLOW:
        return None
    if not adds_up(metric):
        return f"{metric.name} does not add up: set a goal for all together"
    if any(goal.planned_denominator is None for goal in goals):
        return (
            f"{metric.name} is a ratio, and the mean of targets is a wrong number: "
            "give planned_denominator for each goal"
        )
    return None


def _are_disjoint(one: Goal, two: Goal) -> bool:
    """Return whether no row counts for both goals."""
    if not one.window.overlaps(two.window):
        return True
    keys, others = dict(one.keys), dict(two.keys)
    return any(name in others and others[name] != value for name, value in keys.items())


def together(group: Sequence[Assessed]) -> Together:
    """Return goals of one metric, whose targets have a common one, as one."""
    cases = [each.case for each in group]
    status = worst(each.standing.status for each in group)
    reasons = [each.reading.reason for each in group if each.reading.reason]
    started = [case for case in cases if case.gone > 0]
    targets = [case.target for case in cases if case.target is not None]
    if cases[0].kind is MetricKind.FLOW:
        values = [case.value for case in started if case.value is not None]
        is_known = len(values) == len(started) > 0
        value = fsum(values) if is_known else None
        planned = fsum(each.standing.planned or 0 for each in group)
        return Together(fsum(targets), value, planned, status, _joined(reasons))
    if len(group) == 1:
        return Together(cases[0].target, cases[0].value, None, status, _joined(reasons))
    weights = [each.goal.planned_denominator or 0 for each in group]
    target = fsum(t * w for t, w in zip(targets, weights, strict=True)) / fsum(weights)
    return Together(target, _ratio(group), None, status, _joined(reasons))


def _ratio(group: Sequence[Assessed]) -> float | None:
    started = [each.reading for each in group if each.case.gone > 0]
    above = [each.numerator for each in started if each.numerator is not None]
    below = [each.denominator for each in started if each.denominator is not None]
    if not len(above) == len(below) == len(started) or not fsum(below):
        return None
    return fsum(above) / fsum(below)


def _joined(reasons: Sequence[str]) -> str | None:
    return ", ".join(dict.fromkeys(reasons)) or None

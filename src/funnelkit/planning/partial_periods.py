"""What an open period is set against: the same part of an earlier one."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from funnelkit.calendar.grain import Span
from funnelkit.planning.plan import PartialPeriodStep, Plan

__all__ = ["with_partial_periods"]


def with_partial_periods(plan: Plan, known_until: dt.datetime) -> Plan:
    """Add the steps that like-for-like comparisons with an open period need.

    Args:
        plan: The plan.
        known_until: The local time up to which the requested range is known.
    """
    calendar = plan.question.calendar
    alike = {leaf for m in plan.metrics for leaf in m.leaves if leaf.like_for_like}
    if calendar.edges and known_until < calendar.edges[0]:
        return plan
    now = calendar.floor(known_until) if alike else known_until
    parts: list[PartialPeriodStep] = []
    for shift in sorted({leaf.shift for leaf in alike}):
        begin, end = calendar.earlier(now, shift), calendar.earlier(now, shift - 1)
        cut = begin + (known_until - now)
        names = {leaf.name for leaf in alike if leaf.shift == shift}
        for step in plan.steps:
            folds = tuple(fold for fold in step.folds if fold.name in names)
            if folds and begin < cut < end:
                parts.append(
                    PartialPeriodStep(replace(step, folds=folds, span=Span(begin, cut)), shift, now)
                )
    return replace(plan, parts=tuple(parts))

"""From metrics and a question to a plan: arithmetic on leaves, and steps that fold them."""

from __future__ import annotations

from collections.abc import Sequence

from funnelkit.data.shop_data import ShopData
from funnelkit.errors import DefinitionError
from funnelkit.formula.properties import tally_of
from funnelkit.metrics.metric import Metric
from funnelkit.planning.assumptions import assumptions_of
from funnelkit.planning.currency import guard_steps
from funnelkit.planning.needed_folds import NeededFolds
from funnelkit.planning.plan import Plan, PlannedMetric, Question
from funnelkit.planning.steps import steps_of
from funnelkit.planning.validation import (
    check_cohorts,
    check_length,
    check_natives,
    check_per,
    check_reads,
)

__all__ = ["make_plan"]


def make_plan(data: ShopData, metrics: Sequence[Metric], question: Question) -> Plan:
    """Plan the answer to a question.

    Raises:
        MissingInputError: Tables or columns are missing; names them all.
        UnknownNameError: A dimension cannot be reached from a table.
        DefinitionError: The metrics and the question contradict each other.
    """
    needed = NeededFolds(data, question)
    lowered: list[PlannedMetric] = []
    for metric in metrics:
        if metric.compares_periods and not question.calendar.has_periods:
            raise DefinitionError(
                f"{metric.name} compares a period with the one before it",
                "; ".join(filter(None, ("give periods: every='1mo'", metric.period_hint))),
            )
        check_per(metric, question)
        needed.metric = metric.name
        ratio = metric.ratio
        value = needed.lower(metric.formula)
        sides = None if ratio is None else needed.sides(metric.formula, value, ratio)
        tally = tally_of(metric.formula if ratio is None else ratio[1])
        n = None if tally is None or needed.reads_prorated(tally) else needed.lower(tally)
        lowered.append(PlannedMetric(metric, value, sides, n))
    check_length(lowered, question)
    steps = steps_of(needed)
    check_reads(lowered, steps, question)
    check_natives(data, steps)
    check_cohorts(data, lowered, steps, question)
    assumed = assumptions_of(data, steps, lowered)
    return Plan(question, tuple(lowered), steps, guards=guard_steps(data, steps), assumed=assumed)

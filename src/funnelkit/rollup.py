"""Which metrics may be rolled up, and over which keys."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from funnelkit.errors import UnsupportedError
from funnelkit.formula.properties import additivity
from funnelkit.formula.values import Dimension, Money
from funnelkit.lowered import has_period_length, leaves_of
from funnelkit.plan import LOWEST_CURRENCY
from funnelkit.steps import LoweredMetric, Plan, fold_columns

__all__ = ["PERIOD_NAME", "check_adds_up", "check_currency"]

PERIOD_NAME = "period"


def check_adds_up(plan: Plan, lowered: LoweredMetric, gone: Sequence[str]) -> None:
    """Refuse a metric that rests on a fold that does not add up over the keys that go.

    Raises:
        UnsupportedError: There is one; names the metric and the fold.
    """
    span = plan.question.span
    if PERIOD_NAME in gone and has_period_length(lowered.value) and not (span.start and span.end):
        remedy = "it depends on the length of the range; evaluate again with start= and end="
        raise _refusal(lowered, [PERIOD_NAME], remedy)
    folds = {fold.name: (fold.asked, step) for step in plan.steps for fold in step.folds}
    groups = [name for name in gone if name != PERIOD_NAME]
    sides = (lowered.value, *(lowered.ratio or ()))
    for leaf in dict.fromkeys(leaf for side in sides for leaf in leaves_of(side)):
        aggregate, step = folds[leaf.name]
        adds = additivity(aggregate)
        is_past = bool(leaf.shift or step.to_date)
        stops = [] if adds.over_keys else groups
        if PERIOD_NAME in gone and (is_past or not adds.over_time):
            stops = [PERIOD_NAME, *stops]
        if stops:
            is_moved = is_past and stops == [PERIOD_NAME]
            what = "is not of the period alone" if is_moved else "does not add up"
            raise _refusal(lowered, stops, f"{aggregate} {what}; evaluate again with fewer keys")


def check_currency(
    plan: Plan, lowered: LoweredMetric, gone: Sequence[str], frame: pl.DataFrame
) -> None:
    """Refuse to add amounts of groups of which each may have a currency of its own.

    Each group was found to hold one currency; whether all hold the same is
    known only where the currency is itself a key.

    Raises:
        UnsupportedError: Groups of amounts would be added, and their currency is not known.
    """
    currency, by = Dimension("currency"), plan.question.by
    groups = [dimension for dimension in by if dimension.name in gone]
    if currency in by:
        one = frame.get_column(currency.name).drop_nulls().n_unique() <= 1
        groups = [] if one or currency not in groups else groups
    if not groups:
        return
    leaves = {leaf.name for leaf in leaves_of(lowered.value)}
    for step in plan.steps:
        if LOWEST_CURRENCY not in {fold.name for fold in step.folds}:
            continue
        for fold in step.folds:
            amounts = [column for column in fold_columns(fold) if isinstance(column, Money)]
            if fold.name in leaves and amounts:
                remedy = (
                    f"each group of {fold.asked} may be in another currency; "
                    "evaluate again with fewer keys, or keep 'currency' among them"
                )
                raise _refusal(lowered, [dimension.name for dimension in groups], remedy)


def _refusal(lowered: LoweredMetric, over: Sequence[str], remedy: str) -> UnsupportedError:
    what = f"{lowered.metric.name} cannot be rolled up over {', '.join(over)}"
    return UnsupportedError(what, remedy)

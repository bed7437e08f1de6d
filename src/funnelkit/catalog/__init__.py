"""The built-in catalogue: one module of constants per area."""

from __future__ import annotations

from collections.abc import Mapping

from funnelkit.catalog import (
    awareness,
    carts,
    cohorts,
    customers,
    email,
    engagement,
    fulfilment,
    funnel,
    inventory,
    journeys,
    loyalty,
    marketing,
    offers,
    profit,
    replenishment,
    returns,
    sales,
    segments,
    traffic,
)
from funnelkit.metrics.metric import Metric, resolve_all

__all__ = ["BUILT_IN"]


def _constants() -> list[Metric]:
    modules = (
        awareness,
        traffic,
        engagement,
        email,
        funnel,
        carts,
        journeys,
        sales,
        offers,
        returns,
        profit,
        marketing,
        customers,
        loyalty,
        cohorts,
        segments,
        inventory,
        replenishment,
        fulfilment,
    )
    return [
        constant
        for module in modules
        for constant in vars(module).values()
        if isinstance(constant, Metric)
    ]


BUILT_IN: Mapping[str, Metric] = resolve_all(_constants())
"""The built-in metrics by name, in the order of the funnel."""

"""The built-in catalogue: one module of constants per area.

A KPI with parameters is a function here that has the name of the KPI:
`fk.catalog.repeat_purchase_rate(days=90)`.
"""

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
from funnelkit.catalog.carts import cart_abandonment_rate_after as cart_abandonment_rate
from funnelkit.catalog.customers import (
    customer_lifetime_value_discounted_at as customer_lifetime_value_discounted,
)
from funnelkit.catalog.customers import customer_lifetime_value_over as customer_lifetime_value
from funnelkit.catalog.email import email_conversion_rate_within as email_conversion_rate
from funnelkit.catalog.engagement import engagement_rate_over as engagement_rate
from funnelkit.catalog.funnel import goal_conversion_rate_of as goal_conversion_rate
from funnelkit.catalog.funnel import step_conversion_rate as step_conversion_rate
from funnelkit.catalog.loyalty import repeat_order_probability_after as repeat_order_probability
from funnelkit.catalog.loyalty import repeat_purchase_rate_within as repeat_purchase_rate
from funnelkit.catalog.marketing import paid_cac_of as paid_cac
from funnelkit.catalog.marketing import (
    return_on_ad_spend_order_attributed_of as return_on_ad_spend_order_attributed,
)
from funnelkit.catalog.offers import attach_rate_of as attach_rate
from funnelkit.catalog.offers import cross_sell_rate_of as cross_sell_rate
from funnelkit.catalog.replenishment import safety_stock_at as safety_stock
from funnelkit.catalog.returns import return_rate_over as return_rate
from funnelkit.metrics.metric import Metric, resolve_all

__all__ = [
    "BUILT_IN",
    "attach_rate",
    "cart_abandonment_rate",
    "cross_sell_rate",
    "customer_lifetime_value",
    "customer_lifetime_value_discounted",
    "email_conversion_rate",
    "engagement_rate",
    "goal_conversion_rate",
    "paid_cac",
    "repeat_order_probability",
    "repeat_purchase_rate",
    "return_on_ad_spend_order_attributed",
    "return_rate",
    "safety_stock",
    "step_conversion_rate",
]


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

"""A vendor's definitions under the common names, to reproduce the numbers of its reports.

Each preset is a registry: `fk.evaluate(shop, fk.presets.ga4)`, or one metric of
it, `fk.presets.ga4["unique_visitors"]`. Where a vendor's definition is the same
as the catalogue's, the preset contains the metric of the catalogue. What a vendor
does not publish is left out, not guessed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from funnelkit.catalog import BUILT_IN
from funnelkit.formula.formulas import CountDistinct, Mean, Sum
from funnelkit.formula.values import If, Literal
from funnelkit.metrics.metric import Metric
from funnelkit.metrics.registry import Registry
from funnelkit.schema.traffic import Events, Sessions
from funnelkit.units import MONEY, VISITOR

__all__ = ["ga4", "shopify"]

_API = "GA4 Data API, metric descriptions (vendor text, public copy)"
_LONGEST_VISIT_S = 1800.0

_PURCHASE = Events.is_counted & Events.event_name.eq("purchase")
_REVENUE = Sum(Events.value, where=_PURCHASE)


def _same(*names: str) -> tuple[Metric, ...]:
    """Return the KPIs that the catalogue defines as the vendor does."""
    return tuple(BUILT_IN[name] for name in names)


def _as(name: str, variant: str) -> Metric:
    """Return an alternative definition of the catalogue under the name of the KPI itself."""
    return replace(BUILT_IN[variant], name=name, aliases=BUILT_IN[name].aliases, alternatives=())


_active_users = replace(
    BUILT_IN["unique_visitors"],
    title="Active users",
    formula=CountDistinct(
        Sessions.visitor_id,
        where=Sessions.is_counted & (Sessions.is_engaged | Sessions.is_first_session),
    ),
    description="Number of distinct visitors who were active.",
    includes="Visitors with an engaged session in the period, or whose first session ever falls in "
    "it.",
    excludes="Bots; returning visitors without an engaged session.",
    alternatives=("the catalogue's unique_visitors: everyone with a session.",),
    references=(_API,),
)

ga4: Final = Registry(
    (
        _active_users,
        replace(
            BUILT_IN["new_visitor_rate"],
            formula=CountDistinct(
                Sessions.visitor_id, where=Sessions.is_counted & Sessions.is_first_session
            )
            / _active_users,
            includes="Visitors whose first session ever falls in the period, divided by active "
            "users.",
            references=(_API,),
        ),
        *_same(
            "sessions",
            "engaged_sessions",
            "engagement_rate",
            "bounce_rate",
            "average_session_duration",
            "goal_conversion_rate",
            "cart_to_view_rate",
            "purchase_to_view_rate",
            "ad_spend",
        ),
        _as("page_views", "page_views.events"),
        replace(
            BUILT_IN["session_conversion_rate"],
            title="Session key event rate, purchase",
            formula=CountDistinct(Events.session_id, where=_PURCHASE) / BUILT_IN["sessions"],
            includes="Sessions with a purchase event divided by all sessions; each session counts "
            "once.",
            excludes="Bots, from both numerator and denominator; orders that no tag reported.",
            caveats="The event does not reflect a reloaded purchase page, a blocked tag or a "
            "later cancellation.",
            alternatives=("the catalogue's session_conversion_rate: by counted orders.",),
            references=(_API, "GA4 session key event rate (third party)"),
        ),
        replace(
            BUILT_IN["visitor_conversion_rate"],
            title="User key event rate, purchase",
            formula=CountDistinct(Events.visitor_id, where=_PURCHASE) / _active_users,
            includes="Visitors with a purchase event divided by active users.",
            excludes="Bots, from both numerator and denominator; orders that no tag reported.",
            alternatives=(
                "the catalogue's visitor_conversion_rate: by counted orders, of all visitors.",
            ),
            references=(_API, "GA4 user key event rate (third party)"),
        ),
        replace(
            _as("average_order_value", "average_order_value.purchase_events"),
            title="Average purchase revenue",
        ),
        replace(
            BUILT_IN["average_revenue_per_user"],
            formula=_REVENUE / _active_users,
            unit=MONEY / VISITOR,
            includes="Value of purchase events, as the tag sent them, divided by active users.",
            excludes="Bots; revenue from ads and subscriptions; refunds.",
            references=(_API,),
        ),
        replace(
            BUILT_IN["average_revenue_per_customer"],
            title="Average purchase revenue per paying user",
            formula=_REVENUE / CountDistinct(Events.visitor_id, where=_PURCHASE),
            unit=MONEY / VISITOR,
            includes="Value of purchase events, as the tag sent them, divided by their visitors.",
            excludes="Bots; refunds.",
            null_when="There are no purchases.",
            alternatives=("the catalogue's average_revenue_per_customer: net sales of customers.",),
            references=(_API,),
        ),
        replace(
            BUILT_IN["return_on_ad_spend"],
            formula=_REVENUE / BUILT_IN["ad_spend"],
            includes="Value of purchase events, as the tag sent them, divided by ad spend.",
            excludes="What platforms claim; refunds.",
            null_when="There was no ad spend.",
            alternatives=("the catalogue's return_on_ad_spend: what one platform claims.",),
            references=(_API,),
        ),
    )
)
"""Definitions of Google Analytics 4, over sessions, events and campaign_performance."""

shopify: Final = Registry(
    (
        *_same(
            "sessions",
            "unique_visitors",
            "session_conversion_rate",
            "orders",
            "gross_sales",
            "discounts",
            "returns_value",
            "net_sales",
            "total_sales",
            "average_order_value",
            "units_sold",
            "stock_on_hand",
        ),
        _as("units_per_transaction", "units_per_transaction.net"),
        replace(
            BUILT_IN["average_session_duration"],
            formula=Mean(
                If(
                    Sessions.duration_s > _LONGEST_VISIT_S,
                    Literal(_LONGEST_VISIT_S),
                    Sessions.duration_s,
                ),
                where=Sessions.is_counted,
            ),
            includes="The mean duration of sessions, each capped at 1,800 seconds.",
            alternatives=("the catalogue's average_session_duration: uncapped.",),
            references=("Shopify data warehouse, online store sessions (vendor)",),
        ),
    )
)
"""Definitions of Shopify's reports; bind the shop with `order_policy="shopify"`."""

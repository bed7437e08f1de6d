"""How each metric of the catalogue accumulates over time."""

import funnelkit as fk
from funnelkit.formula.accumulation import MetricKind

GOLDEN = {
    MetricKind.FLOW: """
        impressions reach.upper_bound social_engagements sessions page_views page_views.events
        ad_spend engaged_sessions content_interactions emails_delivered abandoned_cart_value
        orders units_sold units_sold.net gross_sales discounts returns_value
        returns_value.by_order_date net_sales total_sales total_sales.with_refunded_charges
        cost_of_goods_sold gross_profit contribution_margin contribution_margin_after_marketing
        new_customers identified_net_sales identified_gross_profit identified_contribution_margin
        fulfilment_time.orders_waiting
    """,
    MetricKind.DISTINCT: """
        reach unique_visitors abandoned_cart_value.visitors customers retained_customers
        resurrected_customers
    """,
    MetricKind.STOCK: "stock_on_hand inventory_value",
}
"""Every other metric is a level."""


def test_no_kind_has_changed_without_this_table():
    for kind, names in GOLDEN.items():
        assert {m.name for m in fk.registry().values() if m.kind is kind} == set(names.split())

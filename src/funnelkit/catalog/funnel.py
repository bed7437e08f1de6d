"""The conversion funnel: from visit and cart to order."""

from __future__ import annotations

from funnelkit.formula.formulas import Count
from funnelkit.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.tables import Carts, Orders, Sessions
from funnelkit.units import ORDER, RATIO, SESSION

__all__ = ["cart_abandonment_rate", "orders_per_session", "session_conversion_rate"]

DAY = 86_400

session_conversion_rate = Metric(
    name="session_conversion_rate",
    title="Session conversion rate",
    aliases=("conversion_rate", "cr", "cvr", "sales_conversion_rate"),
    formula=Count(Sessions, where=Sessions.is_counted & Sessions.has_purchase)
    / Count(Sessions, where=Sessions.is_counted),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.FUNNEL,
    better=Direction.UP,
    bounds=(0, 1),
    description="Which share of visits led to an order.",
    counts="Visits with at least one order that counts, over all visits. A visit with three "
    "orders is one; an order that was refunded later still converted its visit.",
    leaves_out="Bots; orders without a visit (shop floor, phone, blocked tracking); cancelled "
    "orders, by the order policy.",
    null_when="There are no visits.",
    read_with=("orders_per_session", "average_order_value", "revenue_per_session"),
    caveats="Dividing orders by visits and calling it a conversion rate: 520 orders over 8,998 "
    "visits read 5.78 % where 2.46 % of the visits bought.",
    competing=(
        "orders_per_session: orders over visits, as BigCommerce and many blogs have it.",
        "visitor conversion rate: buyers over unique visitors.",
    ),
    references=(
        "GA4 Data API, session key event rate (vendor text, public copy)",
        "ShopifyQL, sessions schema (vendor)",
        "Shopify community, how the conversion rate is calculated (third party)",
    ),
    tags=("ratio", "conversion"),
)

orders_per_session = Metric(
    name="orders_per_session",
    title="Orders per session",
    aliases=("ecommerce_conversion_rate",),
    formula=Count(Orders, where=Orders.is_counted & Orders.is_online)
    / Count(Sessions, where=Sessions.is_counted),
    unit=ORDER / SESSION,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.FUNNEL,
    better=Direction.UP,
    bounds=(0, None),
    description="How many orders a visit brings.",
    counts="Orders of the online shop that count, over visits; each in its own period.",
    leaves_out="Bots, and orders from other channels: they have no visit below the line.",
    null_when="There are no visits.",
    read_with=("session_conversion_rate", "revenue_per_session"),
    caveats="Calling it the conversion rate: it can exceed 1.",
    references=("BigCommerce, Ecommerce Analytics reports (vendor)",),
    tags=("conversion",),
)

_IS_MATURE = Carts.age_s >= DAY
_HAS_ITEMS = Carts.items > 0

cart_abandonment_rate = Metric(
    name="cart_abandonment_rate",
    title="Cart abandonment rate",
    aliases=("car", "cart_abandonment"),
    formula=1
    - Count(Carts, where=_HAS_ITEMS & _IS_MATURE & Carts.is_converted)
    / Count(Carts, where=_HAS_ITEMS & _IS_MATURE),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.FUNNEL,
    better=Direction.DOWN,
    bounds=(0, 1),
    description="Which share of carts did not become an order.",
    counts="Carts begun in the period that held items and had at least 24 hours to become an "
    "order, less those that did. A cart that was recovered later is not abandoned.",
    leaves_out="Emptied carts; carts younger than 24 hours; orders without a cart.",
    null_when="No cart is old enough.",
    read_with=("session_conversion_rate",),
    caveats="Counting carts that are still open. The 24 hours are a judgement: there is no "
    "standard. Averages of published studies mix definitions.",
    competing=(
        "BigCommerce: a cart is abandoned after one hour.",
        "Snowplow: a cart is abandoned when its session ends.",
        "checkout abandonment: of begun checkouts, not of carts.",
    ),
    references=(
        "BigCommerce, Ecommerce Analytics glossary (vendor)",
        "Snowplow, dbt-snowplow-ecommerce carts model (vendor)",
        "Baymard Institute, cart abandonment statistics (research)",
    ),
    tags=("ratio", "cart"),
)

"""The conversion funnel: from visit and cart to order."""

from __future__ import annotations

from dataclasses import replace

from funnelkit.catalog.parameters import words_of
from funnelkit.errors import DefinitionError
from funnelkit.formula.formulas import Count, CountDistinct, Name, PerKey, Sum
from funnelkit.formula.values import Flag, IsTrue, Lookup, Predicate
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.marketing import CampaignPerformance
from funnelkit.schema.sales import Orders
from funnelkit.schema.traffic import Events, Sessions
from funnelkit.units import CLICK, EVENT, ITEM, ORDER, RATIO, SESSION

__all__ = [
    "ad_conversion_rate",
    "add_to_cart_rate",
    "cart_to_checkout_rate",
    "cart_to_view_rate",
    "cart_to_view_rate_quantities",
    "checkout_completion_rate",
    "goal_conversion_rate",
    "goal_conversion_rate_goals",
    "goal_conversion_rate_of",
    "goal_conversion_rate_visitors",
    "orders_per_session",
    "product_page_to_checkout_rate",
    "purchase_to_view_rate",
    "reached_checkout_rate",
    "session_conversion_rate",
    "session_conversion_rate_all_orders",
    "session_conversion_rate_orders",
    "step_conversion_rate",
    "visitor_conversion_rate",
    "visitor_conversion_rate_by_order",
]

_GA4 = "GA4 Data API metric descriptions (vendor text, public copy)"
_SHOPIFY = "ShopifyQL sessions schema (vendor)"
_BIGCOMMERCE = "BigCommerce Ecommerce Analytics reports / Store Overview (vendor)"
_SNOWPLOW = "snowplow/dbt-snowplow-ecommerce: models/sessions, models/carts (vendor)"
_KEY_EVENTS = "GA4 session key event rate (third party)"
_LITTLEDATA = "Littledata: conversion rate in GA4 (third party)"

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
    direction=Direction.UP,
    bounds=(0, 1),
    description="Which share of visits led to an order.",
    includes="Visits with at least one order that counts, over all visits. A visit with three "
    "orders is one; an order that was refunded later still converted its visit.",
    excludes="Bots; orders without a visit (shop floor, phone, blocked tracking); cancelled "
    "orders, by the order policy.",
    null_when="There are no visits.",
    see_also=("orders_per_session", "average_order_value", "revenue_per_session"),
    caveats="Dividing orders by visits and calling it a conversion rate: 520 orders over 8,998 "
    "visits read 5.78 % where 2.46 % of the visits bought.",
    alternatives=(
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
    direction=Direction.UP,
    bounds=(0, None),
    description="How many orders a visit brings.",
    includes="Orders of the online shop that count, over visits; each in its own period.",
    excludes="Bots, and orders from other channels: they have no visit in the denominator.",
    null_when="There are no visits.",
    see_also=("session_conversion_rate", "revenue_per_session"),
    caveats="Calling it the conversion rate: it can exceed 1.",
    references=("BigCommerce, Ecommerce Analytics reports (vendor)",),
    tags=("conversion",),
)

session_conversion_rate_orders = replace(
    orders_per_session,
    name="session_conversion_rate.orders",
    title="Conversion rate, orders over sessions",
    aliases=(),
    formula=Name("orders_per_session"),
    unit=(ORDER / SESSION).percent,
    see_also=("session_conversion_rate", "orders_per_session"),
    caveats="Comparing it with a rate that counts a visit once: this one can exceed 1.",
    alternatives=("session_conversion_rate: a visit with three orders is one.",),
    tags=("ratio", "conversion"),
)

session_conversion_rate_all_orders = replace(
    session_conversion_rate_orders,
    name="session_conversion_rate.all_orders",
    title="Conversion rate, all orders over sessions",
    formula=Name("orders") / Name("sessions"),
    description="How many orders of all channels there are for each visit.",
    includes="Orders of every channel that count, over visits of the online shop.",
    excludes="Bots.",
    caveats="Using it where there is a shop floor or a phone: their orders have no visit in the "
    "denominator, and the online shop looks better than it is.",
    references=("How is the Shopify conversion rate calculated, and why? (third party)",),
)

visitor_conversion_rate = Metric(
    name="visitor_conversion_rate",
    title="Visitor conversion rate",
    aliases=("purchaser_rate", "user_key_event_rate"),
    formula=CountDistinct(Sessions.visitor_id, where=Sessions.is_counted & Sessions.has_purchase)
    / Name("unique_visitors"),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.FUNNEL,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Which share of the visitors bought.",
    includes="Visitors with a visit of the period that led to an order that counts, over all "
    "visitors of the period; each once, however often they came or bought.",
    excludes="Bots and visits without a visitor id, on both sides; orders without a visit.",
    null_when="There are no visitors.",
    see_also=("session_conversion_rate", "unique_visitors", "revenue_per_visitor"),
    caveats="Combining it in one series with the rate of visits. Adding or averaging days: the "
    "longer the period, the more of its visitors have bought.",
    alternatives=(
        "visitor_conversion_rate.by_order: buyers by the time of the order.",
        "GA4 divides by active users.",
        "session_conversion_rate: of visits.",
    ),
    references=(
        _GA4,
        "GA4 user key event rate (third party)",
        "BigCommerce Store Performance report (visitor-based CR) (vendor)",
    ),
    tags=("ratio", "conversion", "distinct"),
)

visitor_conversion_rate_by_order = replace(
    visitor_conversion_rate,
    name="visitor_conversion_rate.by_order",
    title="Visitor conversion rate, by order",
    aliases=(),
    formula=CountDistinct(Orders.visitor_id, where=Orders.is_counted) / Name("unique_visitors"),
    bounds=(0, None),
    description="How many buyers the period had for each of its visitors.",
    includes="Visitors with an order of the period that counts, over visitors with a visit that "
    "began in the period.",
    excludes="From the visitors: bots; orders without a known visitor.",
    see_also=("visitor_conversion_rate",),
    caveats="Short periods: an order after midnight has its visit in the day before, so a day "
    "can have more buyers than visitors.",
    alternatives=("visitor_conversion_rate: buyers by the time of the visit, never above 1.",),
)

goal_conversion_rate = Metric(
    name="goal_conversion_rate",
    title="Goal conversion rate",
    aliases=("micro_conversion_rate", "session_key_event_rate"),
    formula=Count(Sessions, where=Sessions.is_counted & Sessions.has_key_event) / Name("sessions"),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.FUNNEL,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Which share of visits reached a goal.",
    includes="Visits with at least one key event, of any kind, over all visits.",
    excludes="Bots, on both sides; key events without a visit.",
    null_when="There are no visits.",
    see_also=("session_conversion_rate", "engagement_rate"),
    caveats="Adding the rates of several goals: a visit that reached two would count twice. "
    "Where nothing says what is a goal, a purchase is.",
    alternatives=(
        "goal_conversion_rate.goals: goals over visits, which can exceed 1.",
        "goal_conversion_rate.visitors: of visitors.",
        "fk.catalog.goal_conversion_rate(event=…): a single goal.",
    ),
    references=(_GA4, _KEY_EVENTS, _LITTLEDATA),
    tags=("ratio", "conversion", "goal", "cele", "trafienia"),
)


def goal_conversion_rate_of(*, event: str) -> Metric:
    """Return the rate at which visits reach one goal.

    Args:
        event: The name of the event that is the goal.

    Raises:
        DefinitionError: The name has no letter or figure.

    Examples:
        >>> goal_conversion_rate_of(event="sign_up").name
        'goal_conversion_rate.of_sign_up'
    """
    return replace(
        goal_conversion_rate,
        name=f"goal_conversion_rate.of_{words_of('event', [event])}",
        title=f"Goal conversion rate, of {event}",
        aliases=(),
        formula=CountDistinct(
            Events.session_id, where=Events.is_counted & Events.event_name.eq(event)
        )
        / Name("sessions"),
        description=f"Which share of visits reached the goal {event}.",
        includes="Different visits of the events of the period that are the goal, over visits.",
        caveats="A visit over midnight may reach the goal in the next period.",
        alternatives=("goal_conversion_rate: all goals together.",),
    )


goal_conversion_rate_visitors = replace(
    goal_conversion_rate,
    name="goal_conversion_rate.visitors",
    title="Goal conversion rate, of visitors",
    aliases=(),
    formula=CountDistinct(Sessions.visitor_id, where=Sessions.is_counted & Sessions.has_key_event)
    / Name("unique_visitors"),
    description="Which share of the visitors reached a goal.",
    includes="Visitors with a visit of the period that had a key event, over all its visitors.",
    excludes="Bots and visits without a visitor id, on both sides.",
    null_when="There are no visitors.",
    see_also=("goal_conversion_rate", "visitor_conversion_rate"),
    caveats="Combining it in one series with the rate of visits.",
    alternatives=("goal_conversion_rate: of visits.",),
    references=("GA4 user key event rate (third party)", _LITTLEDATA),
)

goal_conversion_rate_goals = replace(
    goal_conversion_rate,
    name="goal_conversion_rate.goals",
    title="Goals per session",
    aliases=("goals_per_session",),
    formula=Count(Events, where=Events.is_counted & Events.is_key_event) / Name("sessions"),
    unit=EVENT / SESSION,
    bounds=(0, None),
    description="How many goals a visit reaches.",
    includes="Key events, every time, also those without a visit, over visits; each in its own "
    "period.",
    excludes="Bots, on both sides.",
    see_also=("goal_conversion_rate",),
    caveats="Reading it as a share of visits: it can exceed 1.",
    alternatives=("goal_conversion_rate: a visit with two goals is one.",),
    references=(_KEY_EVENTS,),
    tags=("conversion", "goal", "cele", "trafienia"),
)

ad_conversion_rate = Metric(
    name="ad_conversion_rate",
    title="Ad conversion rate",
    aliases=("post_click_conversion_rate",),
    formula=Sum(CampaignPerformance.conversions, require_single=CampaignPerformance.platform)
    / Sum(CampaignPerformance.clicks),
    unit=(ORDER / CLICK).percent,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.FUNNEL,
    direction=Direction.UP,
    bounds=(0, None),
    description="How many conversions a platform claims for each click on its ads.",
    includes="Conversions over clicks, as one platform reports them.",
    excludes="Orders that no platform claims.",
    null_when="There are no clicks, or the rows of the group come from several platforms: each "
    "claims the same order, so their conversions are never added. Group by platform.",
    see_also=("click_through_rate", "cost_per_click", "return_on_ad_spend"),
    caveats="Comparing platforms whose windows differ, or of which one credits ads that were "
    "only seen. One click can lead to several conversions.",
    alternatives=("session_conversion_rate by channel: the shop's own orders.",),
    references=("Google Ads terms with examples (third party)",),
    tags=("marketing", "ratio", "attributed"),
)

_COUNTS_OR_UNKNOWN = Lookup(Events.order_id, Orders.order_id).is_null() | IsTrue(
    Lookup(Events.order_id, Orders.is_counted)
)
_VIEWS_AND_CARTS = PerKey(
    Events.visitor_product,
    where=Events.is_counted,
    views=Count(Events, where=Events.event_name.eq("view_item")),
    adds=Count(Events, where=Events.event_name.eq("add_to_cart")),
)
_VIEWS_AND_PURCHASES = PerKey(
    Events.visitor_product,
    where=Events.is_counted,
    views=Count(Events, where=Events.event_name.eq("view_item")),
    purchases=Count(Events, where=Events.event_name.eq("purchase") & _COUNTS_OR_UNKNOWN),
)

cart_to_view_rate = Metric(
    name="cart_to_view_rate",
    title="Cart-to-view rate",
    formula=Count(
        _VIEWS_AND_CARTS, where=(_VIEWS_AND_CARTS["views"] > 0) & (_VIEWS_AND_CARTS["adds"] > 0)
    )
    / Count(_VIEWS_AND_CARTS, where=_VIEWS_AND_CARTS["views"] > 0),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.FUNNEL,
    direction=Direction.UP,
    bounds=(0, 1),
    description="How often a product that a visitor looked at went into the cart.",
    includes="Pairs of a visitor and a product that was seen and put into the cart, over pairs "
    "that were seen; both within the period, in any visits.",
    excludes="Bots; events without a visitor or a product; what went into the cart unseen.",
    null_when="No product was looked at.",
    see_also=("purchase_to_view_rate", "add_to_cart_rate"),
    caveats="Short periods: a product seen today and put into the cart tomorrow is in no day's "
    "rate, and is in the week's.",
    alternatives=(
        "cart_to_view_rate.quantities: units over views, as Mapp has it; it can exceed 1.",
        "add_to_cart_rate: of visits.",
    ),
    references=(_GA4, "Mapp: add to shopping cart rate (vendor)"),
    tags=("funnel", "product", "ratio"),
)

cart_to_view_rate_quantities = replace(
    cart_to_view_rate,
    name="cart_to_view_rate.quantities",
    title="Units into carts per product view",
    aliases=("units_per_product_view",),
    formula=Sum(Events.quantity, where=Events.is_counted & Events.event_name.eq("add_to_cart"))
    / Count(Events, where=Events.is_counted & Events.event_name.eq("view_item")),
    unit=(ITEM / EVENT).percent,
    bounds=(0, None),
    description="How many units go into carts for each product view.",
    includes="Units put into carts over product views, every time.",
    excludes="Bots; of the units, events without a quantity.",
    see_also=("cart_to_view_rate",),
    caveats="Reading it as a share: ten units at once count ten times, and it can exceed 1.",
    alternatives=("cart_to_view_rate: a visitor and a product count once.",),
    references=("Mapp: add to shopping cart rate (vendor)",),
    tags=("funnel", "product"),
)

purchase_to_view_rate = Metric(
    name="purchase_to_view_rate",
    title="Purchase-to-view rate",
    aliases=("product_conversion_rate",),
    formula=Count(
        _VIEWS_AND_PURCHASES,
        where=(_VIEWS_AND_PURCHASES["views"] > 0) & (_VIEWS_AND_PURCHASES["purchases"] > 0),
    )
    / Count(_VIEWS_AND_PURCHASES, where=_VIEWS_AND_PURCHASES["views"] > 0),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.FUNNEL,
    direction=Direction.UP,
    bounds=(0, 1),
    description="How often a product that a visitor looked at was bought.",
    includes="Pairs of a visitor and a product that was seen and bought, over pairs that were "
    "seen; both within the period, in any visits.",
    excludes="Bots; events without a visitor or a product; what was bought unseen, from a "
    "list; purchases whose order is known not to count.",
    null_when="No product was looked at.",
    see_also=("cart_to_view_rate", "session_conversion_rate"),
    caveats="Short periods, as for the cart-to-view rate; and tags that send a purchase without "
    "its products.",
    alternatives=("units bought over views, which can exceed 1.",),
    references=(_GA4,),
    tags=("funnel", "product", "ratio"),
)

add_to_cart_rate = Metric(
    name="add_to_cart_rate",
    title="Add-to-cart rate",
    aliases=("added_to_cart_rate",),
    formula=Count(Sessions, where=Sessions.is_counted & Sessions.has_add_to_cart)
    / Name("sessions"),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.FUNNEL,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Which share of visits put something into a cart.",
    includes="Visits with at least one product put into a cart, over all visits.",
    excludes="Bots, on both sides; carts that were still there from an earlier visit.",
    null_when="There are no visits.",
    see_also=("product_view_rate", "reached_checkout_rate", "cart_to_view_rate"),
    caveats="Comparing it with a rate of product views: the denominator is all visits.",
    alternatives=("cart_to_view_rate: of the products that were looked at.",),
    references=(_SHOPIFY, _BIGCOMMERCE),
    tags=("funnel", "ratio"),
)

reached_checkout_rate = Metric(
    name="reached_checkout_rate",
    title="Reached-checkout rate",
    aliases=("checkout_rate",),
    formula=Count(Sessions, where=Sessions.is_counted & Sessions.has_checkout) / Name("sessions"),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.FUNNEL,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Which share of visits began a checkout.",
    includes="Visits in which a checkout was begun, from a cart or straight from a product, over "
    "all visits.",
    excludes="Bots, on both sides.",
    null_when="There are no visits.",
    see_also=("add_to_cart_rate", "checkout_completion_rate"),
    caveats="Multiplying it with other rates of all visits: the funnel is open, and a visit can "
    "get here without a step before.",
    alternatives=("cart_to_checkout_rate: of the visits with a cart.",),
    references=(_SHOPIFY,),
    tags=("funnel", "ratio"),
)

cart_to_checkout_rate = Metric(
    name="cart_to_checkout_rate",
    title="Cart-to-checkout rate",
    formula=Count(
        Sessions, where=Sessions.is_counted & Sessions.has_add_to_cart & Sessions.has_checkout
    )
    / Count(Sessions, where=Sessions.is_counted & Sessions.has_add_to_cart),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.FUNNEL,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Which share of the visits with a cart went on to the checkout.",
    includes="Visits that put something into a cart and began a checkout, over visits that put "
    "something into a cart.",
    excludes="Bots; checkouts without a cart in the same visit.",
    null_when="No visit put anything into a cart.",
    see_also=("add_to_cart_rate", "checkout_completion_rate"),
    caveats="Dividing all checkouts by all carts: those without a cart would lift it above 1.",
    alternatives=("reached_checkout_rate over add_to_cart_rate: an open funnel.",),
    references=(_SHOPIFY,),
    tags=("funnel", "step", "ratio"),
)

product_page_to_checkout_rate = Metric(
    name="product_page_to_checkout_rate",
    title="Product page to checkout rate",
    formula=Count(
        Sessions, where=Sessions.is_counted & Sessions.has_product_view & Sessions.has_checkout
    )
    / Count(Sessions, where=Sessions.is_counted & Sessions.has_product_view),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.FUNNEL,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Which share of the visits to a product page went on to the checkout.",
    includes="Visits that saw a product page and began a checkout, in whatever order, over visits "
    "that saw a product page.",
    excludes="Bots; checkouts without a product page in the same visit.",
    null_when="No visit saw a product page.",
    see_also=("product_view_rate", "reached_checkout_rate"),
    caveats="Dividing all checkouts by all product views: those without a view would be in it. "
    "Whoever looks at a product after the checkout counts as well.",
    alternatives=("The same, of visits in which the product page came first.",),
    references=(_SHOPIFY,),
    tags=("funnel", "step", "ratio"),
)

checkout_completion_rate = Metric(
    name="checkout_completion_rate",
    title="Checkout completion rate",
    formula=Count(
        Sessions, where=Sessions.is_counted & Sessions.has_checkout & Sessions.has_purchase
    )
    / Count(Sessions, where=Sessions.is_counted & Sessions.has_checkout),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.FUNNEL,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Which share of the visits that began a checkout bought.",
    includes="Visits with a checkout and an order that counts, over visits with a checkout.",
    excludes="Bots; orders without a checkout in the same visit.",
    null_when="No visit began a checkout.",
    see_also=("checkout_abandonment_rate", "reached_checkout_rate"),
    caveats="Payment on another site can begin a new visit on the way back: the checkout and its "
    "order are then in two. By cart, use the checkout abandonment rate.",
    alternatives=("1 less the checkout abandonment rate: of carts, not of visits.",),
    references=(_SHOPIFY, _SNOWPLOW),
    tags=("funnel", "step", "ratio"),
)


def _check_visit_flag(thing: object) -> None:
    if not isinstance(thing, Flag) or thing.table != "sessions":
        raise DefinitionError(f"{thing} is no flag of a visit", "use Sessions.has_checkout, …")


def step_conversion_rate(*, start: Flag, to: Flag) -> Metric:
    """Return the share of the visits with one flag that also have another.

    The funnel is closed: both conditions hold above the line, so it never
    exceeds 1, and steps that follow each other multiply.

    Args:
        start: A flag of a visit, the step to start from.
        to: A flag of a visit, the step to get to.

    Raises:
        DefinitionError: A flag is not one of a visit.

    Examples:
        >>> rate = step_conversion_rate(start=Sessions.has_add_to_cart, to=Sessions.has_purchase)
        >>> rate.name
        'step_conversion_rate.has_add_to_cart_to_has_purchase'
    """
    _check_visit_flag(start)
    _check_visit_flag(to)
    begun: Predicate = Sessions.is_counted & start
    return Metric(
        name=f"step_conversion_rate.{start.name}_to_{to.name}",
        title=f"Step conversion rate, {start.name} to {to.name}",
        formula=Count(Sessions, where=begun & to) / Count(Sessions, where=begun),
        unit=RATIO,
        stage=Stage.CONVERSION,
        aida=AidaStage.DECISION,
        area=Area.FUNNEL,
        direction=Direction.UP,
        bounds=(0, 1),
        description="Which share of the visits at one step reached another.",
        includes=f"Visits with {start.name} and {to.name}, in whatever order, over visits with "
        f"{start.name}.",
        excludes="Bots; visits that reached it without the first step.",
        null_when="No visit reached the first step.",
        see_also=("cart_to_checkout_rate", "checkout_completion_rate"),
        caveats="Multiplying steps that do not follow each other.",
        references=(_SHOPIFY,),
        tags=("funnel", "step", "ratio"),
    )

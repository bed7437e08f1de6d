"""The conversion funnel: from session and cart to order."""

from __future__ import annotations

from dataclasses import replace

from funnelkit.arguments import check_kind
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
    description="Share of sessions with at least one order.",
    includes="Sessions with at least one counted order divided by all sessions. A session with "
    "three orders counts once; an order refunded later still converted its session.",
    excludes="Bots; orders without a session (store, phone, blocked tracking); cancelled orders, "
    "by the order policy.",
    null_when="There are no sessions.",
    see_also=("orders_per_session", "average_order_value", "revenue_per_session"),
    caveats="Orders divided by sessions is not a conversion rate: 520 orders in 8,998 sessions "
    "gave 5.78 % where 2.46 % of the sessions converted.",
    alternatives=(
        "orders_per_session: orders divided by sessions, as BigCommerce and many blogs define it.",
        "visitor_conversion_rate: buyers divided by unique visitors.",
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
    description="Online orders divided by sessions.",
    includes="Counted orders of the online shop, divided by sessions; each in its own period.",
    excludes="Bots, and orders from other channels, which have no session in the denominator.",
    null_when="There are no sessions.",
    see_also=("session_conversion_rate", "revenue_per_session"),
    caveats="Do not call it the conversion rate: it can exceed 1.",
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
    caveats="Do not compare it with a rate that counts a session once: this one can exceed 1.",
    alternatives=("session_conversion_rate: a session with three orders counts once.",),
    tags=("ratio", "conversion"),
)

session_conversion_rate_all_orders = replace(
    session_conversion_rate_orders,
    name="session_conversion_rate.all_orders",
    title="Conversion rate, all orders over sessions",
    formula=Name("orders") / Name("sessions"),
    description="Orders of all channels divided by sessions.",
    includes="Counted orders of every channel, divided by sessions of the online shop.",
    excludes="Bots.",
    caveats="Do not use it where there is a store or phone channel: their orders have no session "
    "in the denominator, and the online shop looks better than it is.",
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
    description="Share of visitors with at least one order.",
    includes="Visitors with a session in the period that led to a counted order, divided by all "
    "visitors of the period; each counts once, however many sessions or orders they have.",
    excludes="Bots and sessions without a visitor id, from both numerator and denominator; orders "
    "without a session.",
    null_when="There are no visitors.",
    see_also=("session_conversion_rate", "unique_visitors", "revenue_per_visitor"),
    caveats="Do not mix it with the session-based rate in one series. Do not sum or average days: "
    "the longer the period, the more of its visitors have bought.",
    alternatives=(
        "visitor_conversion_rate.by_order: buyers by the time of the order.",
        "GA4 divides by active users.",
        "session_conversion_rate: of sessions.",
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
    description="Visitors with an order in the period divided by visitors with a session in the "
    "period.",
    includes="Distinct visitors with a counted order dated in the period, divided by distinct "
    "visitors with a session that began in it.",
    excludes="Bots, from the denominator; orders without a known visitor.",
    see_also=("visitor_conversion_rate",),
    caveats="Beware of short periods: an order after midnight belongs to a session of the day "
    "before, so a day can have more buyers than visitors.",
    alternatives=("visitor_conversion_rate: buyers by the time of the session, never above 1.",),
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
    description="Share of sessions that reached a goal.",
    includes="Sessions with at least one key event, of any kind, divided by all sessions.",
    excludes="Bots, from both numerator and denominator; key events without a session.",
    null_when="There are no sessions.",
    see_also=("session_conversion_rate", "engagement_rate"),
    caveats="Do not sum the rates of several goals: a session that reached two would count twice. "
    "Where no goal is defined, a purchase counts as one.",
    alternatives=(
        "goal_conversion_rate.goals: goals divided by sessions, which can exceed 1.",
        "goal_conversion_rate.visitors: of visitors.",
        "fk.catalog.goal_conversion_rate(event=…): a single goal.",
    ),
    references=(_GA4, _KEY_EVENTS, _LITTLEDATA),
    tags=("ratio", "conversion", "goal", "cele", "trafienia"),
)


def goal_conversion_rate_of(*, event: str) -> Metric:
    """Return the share of sessions that reach one goal.

    Args:
        event: The name of the event that is the goal.

    Raises:
        DefinitionError: The name is not a text, or is empty.

    Examples:
        >>> goal_conversion_rate_of(event="sign_up").name
        'goal_conversion_rate.of_sign_up'
    """
    check_kind("event", event, (str,), "name an event: event='sign_up'")
    return replace(
        goal_conversion_rate,
        name=f"goal_conversion_rate.of_{words_of('event', [event])}",
        title=f"Goal conversion rate, of {event}",
        aliases=(),
        formula=CountDistinct(
            Events.session_id, where=Events.is_counted & Events.event_name.eq(event)
        )
        / Name("sessions"),
        description=f"Share of sessions that reached the goal {event}.",
        includes="Distinct sessions with an event of the goal in the period, divided by sessions.",
        caveats="A session that spans midnight may reach the goal in the next period.",
        alternatives=("goal_conversion_rate: all goals together.",),
    )


goal_conversion_rate_visitors = replace(
    goal_conversion_rate,
    name="goal_conversion_rate.visitors",
    title="Goal conversion rate, of visitors",
    aliases=(),
    formula=CountDistinct(Sessions.visitor_id, where=Sessions.is_counted & Sessions.has_key_event)
    / Name("unique_visitors"),
    description="Share of visitors who reached a goal.",
    includes="Visitors with a session in the period that had a key event, divided by all "
    "visitors of the period.",
    excludes="Bots and sessions without a visitor id, from both numerator and denominator.",
    null_when="There are no visitors.",
    see_also=("goal_conversion_rate", "visitor_conversion_rate"),
    caveats="Do not mix it with the session-based rate in one series.",
    alternatives=("goal_conversion_rate: of sessions.",),
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
    description="Goals reached divided by sessions.",
    includes="All key events, including repeats and those without a session, divided by "
    "sessions; each in its own period.",
    excludes="Bots, from both numerator and denominator.",
    see_also=("goal_conversion_rate",),
    caveats="Do not read it as a share of sessions: it can exceed 1.",
    alternatives=("goal_conversion_rate: a session with two goals counts once.",),
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
    description="Conversions that the ad platform claims, divided by clicks.",
    includes="Conversions of any kind and clicks, as one platform reports them.",
    excludes="Orders that no platform claims.",
    null_when="There are no clicks, or the rows of the group come from several platforms, each "
    "of which may claim the same order, so that their conversions are never added. Group by "
    "platform.",
    see_also=("click_through_rate", "cost_per_click", "return_on_ad_spend"),
    caveats="Do not compare platforms with different attribution windows, or with one that also "
    "credits ads that were only viewed (view-through conversions). One click can lead to several "
    "conversions.",
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
    description="Share of product views that led to an add-to-cart, by visitor and product.",
    includes="Pairs of a visitor and a product that was both viewed and added to a cart, divided "
    "by pairs that were viewed; both within the period, in any session.",
    excludes="Bots; events without a visitor or a product; products added without a view.",
    null_when="No product was viewed.",
    see_also=("purchase_to_view_rate", "add_to_cart_rate"),
    caveats="Beware of short periods: a product viewed today and added tomorrow counts in neither "
    "day's rate, but does count in the week's.",
    alternatives=(
        "cart_to_view_rate.quantities: units divided by views, as Mapp defines it.",
        "add_to_cart_rate: of sessions.",
    ),
    references=(_GA4, "Mapp: add to shopping cart rate (vendor)"),
    tags=("funnel", "product", "ratio"),
)

cart_to_view_rate_quantities = replace(
    cart_to_view_rate,
    name="cart_to_view_rate.quantities",
    title="Units added to carts per product view",
    aliases=("units_per_product_view",),
    formula=Sum(Events.quantity, where=Events.is_counted & Events.event_name.eq("add_to_cart"))
    / Count(Events, where=Events.is_counted & Events.event_name.eq("view_item")),
    unit=(ITEM / EVENT).percent,
    bounds=(0, None),
    description="Units added to carts divided by product views.",
    includes="All units added to carts and all product views, repeats included.",
    excludes="Bots; events without a quantity, from the numerator.",
    see_also=("cart_to_view_rate",),
    caveats="Do not read it as a share: ten units at once count ten times, and it can exceed 1.",
    alternatives=("cart_to_view_rate: each visitor and product counts once.",),
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
    description="Share of product views that led to a purchase, by visitor and product.",
    includes="Pairs of a visitor and a product that was both viewed and bought, divided by pairs "
    "that were viewed; both within the period, in any session.",
    excludes="Bots; events without a visitor or a product; products bought without a view, such "
    "as from a list; purchases whose order is known not to be counted.",
    null_when="No product was viewed.",
    see_also=("cart_to_view_rate", "session_conversion_rate"),
    caveats="Beware of short periods, as for the cart-to-view rate, and of tags that send a "
    "purchase without its products.",
    alternatives=("units bought divided by views, which can exceed 1.",),
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
    description="Share of sessions with an add-to-cart.",
    includes="Sessions in which at least one product was added to a cart, divided by all sessions.",
    excludes="Bots, from both numerator and denominator; carts carried over from an earlier "
    "session.",
    null_when="There are no sessions.",
    see_also=("product_view_rate", "reached_checkout_rate", "cart_to_view_rate"),
    caveats="Do not compare it with a rate of product views: the denominator is all sessions.",
    alternatives=("cart_to_view_rate: of products viewed.",),
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
    description="Share of sessions with a checkout.",
    includes="Sessions in which a checkout was started, from a cart or directly from a product, "
    "divided by all sessions.",
    excludes="Bots, from both numerator and denominator.",
    null_when="There are no sessions.",
    see_also=("add_to_cart_rate", "checkout_completion_rate"),
    caveats="Do not multiply it by other rates of all sessions: the funnel is open, and a "
    "session can get here without an earlier step.",
    alternatives=("cart_to_checkout_rate: of sessions with an add-to-cart.",),
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
    description="Share of sessions with an add-to-cart that also started a checkout.",
    includes="Sessions with an add-to-cart and a checkout, divided by sessions with an "
    "add-to-cart.",
    excludes="Bots; checkouts without an add-to-cart in the same session.",
    null_when="No session has an add-to-cart.",
    see_also=("add_to_cart_rate", "checkout_completion_rate"),
    caveats="Do not divide all checkouts by all carts: checkouts without an add-to-cart could "
    "lift it above 1.",
    alternatives=("reached_checkout_rate divided by add_to_cart_rate: an open funnel.",),
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
    description="Share of sessions with a product page view that also started a checkout.",
    includes="Sessions with a product page view and a checkout, in any order, divided by "
    "sessions with a product page view.",
    excludes="Bots; checkouts without a product page view in the same session.",
    null_when="No session has a product page view.",
    see_also=("product_view_rate", "reached_checkout_rate"),
    caveats="Do not divide all checkouts by all product views: checkouts without a view would be "
    "included. A product viewed after the checkout counts as well.",
    alternatives=("the same, for sessions in which the product page came first.",),
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
    description="Share of sessions with a checkout that led to an order.",
    includes="Sessions with a checkout and a counted order, divided by sessions with a checkout.",
    excludes="Bots; orders without a checkout in the same session.",
    null_when="No session has a checkout.",
    see_also=("checkout_abandonment_rate", "reached_checkout_rate"),
    caveats="Payment on another site can start a new session on the way back, which separates "
    "the checkout from its order. By cart, use the checkout abandonment rate.",
    alternatives=("1 less the checkout abandonment rate: of carts, not of sessions.",),
    references=(_SHOPIFY, _SNOWPLOW),
    tags=("funnel", "step", "ratio"),
)


def _check_visit_flag(thing: object) -> None:
    if not isinstance(thing, Flag) or thing.table != "sessions":
        raise DefinitionError(f"{thing} is no flag of a visit", "use Sessions.has_checkout, …")


def step_conversion_rate(*, start: Flag, to: Flag) -> Metric:
    """Return the share of sessions with one flag that also have another.

    The funnel is closed: the numerator takes both conditions, so it never exceeds 1, and
    consecutive steps can be multiplied.

    Args:
        start: A flag of a session: the first step.
        to: A flag of a session: the step to reach.

    Raises:
        DefinitionError: A flag is not one of a session.

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
        description="Share of sessions at one step that also reached another.",
        includes=f"Sessions with {start.name} and {to.name}, in any order, divided by sessions "
        f"with {start.name}.",
        excludes="Bots; sessions that reached the second step without the first.",
        null_when="No session reached the first step.",
        see_also=("cart_to_checkout_rate", "checkout_completion_rate"),
        caveats="Do not multiply steps that are not consecutive.",
        references=(_SHOPIFY,),
        tags=("funnel", "step", "ratio"),
    )

"""Carts: abandonment, its value, and recovery."""

from __future__ import annotations

from dataclasses import replace

from funnelkit.arguments import check_none, not_above
from funnelkit.catalog.parameters import word_of
from funnelkit.formula.constants import length_of
from funnelkit.formula.formulas import ClosingBalance, Count, Name, PerKey, Sum
from funnelkit.formula.values import AsOf, Elapsed, Predicate
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.derivations import CART_LEFT, CART_RECOVERED
from funnelkit.schema.traffic import Carts, Sessions
from funnelkit.units import MONEY, RATIO

__all__ = [
    "abandoned_cart_value",
    "abandoned_cart_value_visitors",
    "cart_abandonment_rate",
    "cart_abandonment_rate_after",
    "cart_abandonment_rate_one_hour",
    "cart_abandonment_rate_sessions",
    "cart_recovery_rate",
    "checkout_abandonment_rate",
    "checkout_abandonment_rate_sessions",
]

_GLOSSARY = "BigCommerce Ecommerce Analytics glossary (vendor)"
_SNOWPLOW = "snowplow/dbt-snowplow-ecommerce: models/sessions, models/carts (vendor)"

_IS_MATURE = Carts.age_s >= CART_LEFT
_HAS_ITEMS = Carts.items > 0
_IS_LEFT = Carts.is_converted.is_null() | ~Carts.is_converted

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
    direction=Direction.DOWN,
    bounds=(0, 1),
    description="Share of carts that did not become an order.",
    includes="Carts created in the period that held items and are at least 24 hours old; "
    "abandoned are those without a counted order. A cart that was recovered later is not "
    "abandoned.",
    excludes="Emptied carts; carts less than 24 hours old; orders without a cart.",
    null_when="No cart is old enough.",
    see_also=("session_conversion_rate", "checkout_abandonment_rate", "cart_recovery_rate"),
    caveats="Do not count carts that are still open. The 24-hour threshold is a judgement, as "
    "there is no standard. Averages of published studies mix definitions.",
    alternatives=(
        "cart_abandonment_rate.one_hour: carts at least an hour old.",
        "cart_abandonment_rate.sessions: at the end of the session, as Snowplow defines it.",
        "fk.catalog.cart_abandonment_rate(hours=…): carts of another minimum age.",
        "not ordered within a given number of hours: a cart bought later stays abandoned.",
        "checkout_abandonment_rate: of checkouts started, not of carts.",
    ),
    references=(
        "BigCommerce, Ecommerce Analytics glossary (vendor)",
        "Snowplow, dbt-snowplow-ecommerce carts model (vendor)",
        "Baymard Institute, cart abandonment statistics (research)",
    ),
    tags=("ratio", "cart", "wskaźnik porzucenia koszyków"),
)


def cart_abandonment_rate_after(*, hours: float) -> Metric:
    """Return the cart abandonment rate for a custom minimum age of carts.

    Args:
        hours: The minimum age of a cart, in hours.

    Raises:
        DefinitionError: The age is not a number above 0.

    Examples:
        >>> cart_abandonment_rate_after(hours=48).name
        'cart_abandonment_rate.after_48_hours'
    """
    check_none([not_above("hours", hours, 0)], remedy="write hours=48 for carts two days old")
    is_mature = _HAS_ITEMS & (Carts.age_s >= length_of("hours", hours))
    return replace(
        cart_abandonment_rate,
        name=f"cart_abandonment_rate.after_{word_of(hours)}_hours",
        title=f"Cart abandonment rate, carts {hours:g} hours old",
        aliases=(),
        formula=1
        - Count(Carts, where=is_mature & Carts.is_converted) / Count(Carts, where=is_mature),
        includes=f"Carts created in the period that held items and are at least {hours:g} hours "
        "old; abandoned are those without a counted order so far.",
        excludes=f"Emptied carts; carts less than {hours:g} hours old; orders without a cart.",
        see_also=("cart_abandonment_rate",),
        caveats="Do not compare it with a rate of another minimum age: the latest carts are in "
        "only one of the two.",
        alternatives=("cart_abandonment_rate: carts at least 24 hours old.",),
    )


cart_abandonment_rate_one_hour = replace(
    cart_abandonment_rate_after(hours=1),
    name="cart_abandonment_rate.one_hour",
    title="Cart abandonment rate, carts one hour old",
    excludes="Emptied carts; carts less than an hour old; orders without a cart.",
    includes="Carts created in the period that held items and are at least an hour old; "
    "abandoned are those without a counted order so far.",
    references=(_GLOSSARY,),
)

cart_abandonment_rate_sessions = replace(
    cart_abandonment_rate,
    name="cart_abandonment_rate.sessions",
    title="Cart abandonment rate, of sessions",
    aliases=(),
    formula=1
    - Count(Sessions, where=Sessions.is_counted & Sessions.has_add_to_cart & Sessions.has_purchase)
    / Count(Sessions, where=Sessions.is_counted & Sessions.has_add_to_cart),
    description="Share of sessions with an add-to-cart that did not lead to an order.",
    includes="Sessions with an add-to-cart and without a counted order, divided by sessions with "
    "an add-to-cart.",
    excludes="Bots; carts of an earlier session to which nothing was added.",
    null_when="No session has an add-to-cart.",
    see_also=("cart_abandonment_rate", "add_to_cart_rate"),
    caveats="It counts a cart as abandoned even if it was bought in a later session.",
    alternatives=("cart_abandonment_rate: of carts, bought in any session.",),
    references=(_SNOWPLOW,),
)

_HAS_CHECKOUT = Carts.checkout_started_at.is_not_null() & _IS_MATURE

checkout_abandonment_rate = Metric(
    name="checkout_abandonment_rate",
    title="Checkout abandonment rate",
    aliases=("checkout_abandonment",),
    formula=1
    - Count(Carts, where=_HAS_CHECKOUT & Carts.is_converted) / Count(Carts, where=_HAS_CHECKOUT),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.FUNNEL,
    direction=Direction.DOWN,
    bounds=(0, 1),
    description="Share of carts that reached the checkout but did not become an order.",
    includes="Carts created in the period whose checkout was started and that are at least 24 "
    "hours old; abandoned are those without a counted order.",
    excludes="Carts less than 24 hours old; checkouts without a cart.",
    null_when="No cart that is old enough reached the checkout.",
    see_also=("cart_abandonment_rate", "checkout_completion_rate"),
    caveats="Do not confuse it with the cart abandonment rate, which is higher: most carts are "
    "left before the checkout. The 24-hour threshold is a judgement.",
    alternatives=("checkout_abandonment_rate.sessions: of sessions with a checkout.",),
    references=(
        "Cart and checkout abandonment (third party)",
        "Shopify web analytics glossary (third party)",
    ),
    tags=("ratio", "cart", "checkout"),
)

checkout_abandonment_rate_sessions = replace(
    checkout_abandonment_rate,
    name="checkout_abandonment_rate.sessions",
    title="Checkout abandonment rate, of sessions",
    aliases=(),
    formula=1 - Name("checkout_completion_rate"),
    description="Share of sessions with a checkout that did not lead to an order.",
    includes="Sessions with a checkout and without a counted order, divided by sessions with a "
    "checkout: exactly 1 less the checkout completion rate.",
    excludes="Bots; orders without a checkout in the same session.",
    null_when="No session has a checkout.",
    see_also=("checkout_abandonment_rate", "checkout_completion_rate"),
    caveats="It counts a checkout as abandoned even if it was completed in a later session, or "
    "after payment on another site.",
    alternatives=("checkout_abandonment_rate: of carts.",),
    references=(_SNOWPLOW,),
)

_IS_ABANDONED = _HAS_ITEMS & _IS_MATURE & _IS_LEFT

abandoned_cart_value = Metric(
    name="abandoned_cart_value",
    title="Abandoned cart value",
    aliases=("abandoned_revenue",),
    formula=Sum(Carts.value, where=_IS_ABANDONED),
    unit=MONEY,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.FUNNEL,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Value of the items in abandoned carts.",
    includes="The value of carts created in the period that held items, are at least 24 hours "
    "old and did not become an order.",
    excludes="Shipping and tax; emptied carts; carts less than 24 hours old; carts of unknown "
    "value.",
    null_when="Never; it is 0 if no cart was abandoned.",
    see_also=("cart_abandonment_rate", "cart_recovery_rate"),
    caveats="Do not read it as lost sales: many carts were never meant to be bought, and a visitor "
    "who abandoned two carts counts with both.",
    alternatives=("abandoned_cart_value.visitors: only the latest cart of each visitor.",),
    references=(_GLOSSARY,),
    tags=("cart", "money"),
)

_LATEST = PerKey(Carts.visitor_id, where=_IS_ABANDONED, value=ClosingBalance(Carts.value))
_HAS_NO_VISITOR: Predicate = Carts.visitor_id.is_null()

abandoned_cart_value_visitors = replace(
    abandoned_cart_value,
    name="abandoned_cart_value.visitors",
    title="Abandoned cart value, one cart per visitor",
    aliases=(),
    formula=Sum(_LATEST["value"]) + Sum(Carts.value, where=_IS_ABANDONED & _HAS_NO_VISITOR),
    description="Value of the latest abandoned cart of each visitor.",
    includes="For each visitor, the latest of the abandoned carts created in the period; plus "
    "every such cart without a known visitor.",
    excludes="A visitor's earlier carts; shipping and tax; emptied carts; carts less than 24 "
    "hours old; carts of unknown value.",
    see_also=("abandoned_cart_value",),
    caveats="Do not sum days: a visitor who abandons carts on two days counts on both.",
    alternatives=("abandoned_cart_value: every cart.",),
)

_IS_TOLD = Carts.ordered_at.is_not_null() | _IS_LEFT
_IS_WATCHED = (
    _HAS_ITEMS
    & Carts.is_abandoned
    & _IS_TOLD
    & (Elapsed(Carts.last_activity_at, AsOf()) >= CART_RECOVERED)
)

cart_recovery_rate = Metric(
    name="cart_recovery_rate",
    title="Cart recovery rate",
    formula=Count(Carts, where=_IS_WATCHED & Carts.is_recovered) / Count(Carts, where=_IS_WATCHED),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.FUNNEL,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of abandoned carts that were bought later.",
    includes="Carts created in the period that were inactive for a day or longer and became an "
    "order within the 30 days after that day, divided by carts that were inactive for a day or "
    "longer.",
    excludes="Carts whose 30 days are not over; emptied carts; carts whose last activity or "
    "order time is not known.",
    null_when="No abandoned cart has completed its 30 days.",
    see_also=("cart_abandonment_rate", "abandoned_cart_value"),
    caveats="An order after a reminder is not necessarily a recovery: a cart bought within a day "
    "was never abandoned. A recovered cart does not count as abandoned in the abandonment rate.",
    alternatives=("reminder tools: orders after a reminder divided by reminders.",),
    references=("Cart abandonment recovery (third party)",),
    tags=("ratio", "cart"),
)

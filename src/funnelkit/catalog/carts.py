"""Carts: how many are left, what they are worth, and how many come back."""

from __future__ import annotations

from dataclasses import replace

from funnelkit.errors import DefinitionError
from funnelkit.formula.formulas import ClosingBalance, Count, Name, PerKey, Sum
from funnelkit.formula.values import AsOf, Elapsed, Predicate
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
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

HOUR = 3_600
DAY = 86_400
RECOVERY_WINDOW = 31 * DAY

_GLOSSARY = "BigCommerce Ecommerce Analytics glossary (vendor)"
_SNOWPLOW = "snowplow/dbt-snowplow-ecommerce: models/sessions, models/carts (vendor)"

_IS_MATURE = Carts.age_s >= DAY
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
    description="Which share of carts did not become an order.",
    includes="Carts begun in the period that held items and had at least 24 hours to become an "
    "order, less those that did, by an order that counts. A cart that was recovered later is not "
    "abandoned.",
    excludes="Emptied carts; carts younger than 24 hours; orders without a cart.",
    null_when="No cart is old enough.",
    see_also=("session_conversion_rate", "checkout_abandonment_rate", "cart_recovery_rate"),
    caveats="Counting carts that are still open. The 24 hours are a judgement: there is no "
    "standard. Averages of published studies mix definitions.",
    alternatives=(
        "cart_abandonment_rate.one_hour: carts at least an hour old.",
        "cart_abandonment_rate.sessions: when the visit ends, as Snowplow has it.",
        "fk.catalog.cart_abandonment_rate(hours=…): carts of another age.",
        "Not ordered within so many hours: a cart bought later stays abandoned.",
        "checkout_abandonment_rate: of begun checkouts, not of carts.",
    ),
    references=(
        "BigCommerce, Ecommerce Analytics glossary (vendor)",
        "Snowplow, dbt-snowplow-ecommerce carts model (vendor)",
        "Baymard Institute, cart abandonment statistics (research)",
    ),
    tags=("ratio", "cart", "wskaźnik porzucenia koszyków"),
)


def cart_abandonment_rate_after(*, hours: float) -> Metric:
    """Return the cart abandonment rate for a custom abandonment time.

    Args:
        hours: How many hours a cart has to become an order.

    Raises:
        DefinitionError: The time has no length.

    Examples:
        >>> cart_abandonment_rate_after(hours=48).name
        'cart_abandonment_rate.after_48_hours'
    """
    if not hours > 0:
        raise DefinitionError(f"hours={hours} is not above 0", "state the hours a cart has")
    is_mature = _HAS_ITEMS & (Carts.age_s >= hours * HOUR)
    return replace(
        cart_abandonment_rate,
        name="cart_abandonment_rate." + f"after_{hours:g}_hours".replace(".", "p"),
        title=f"Cart abandonment rate, carts {hours:g} hours old",
        aliases=(),
        formula=1
        - Count(Carts, where=is_mature & Carts.is_converted) / Count(Carts, where=is_mature),
        includes=f"Carts begun in the period that held items and had at least {hours:g} hours to "
        "become an order, less those that did, at any time since.",
        excludes=f"Emptied carts; carts younger than {hours:g} hours; orders without a cart.",
        see_also=("cart_abandonment_rate",),
        caveats="Comparing it with a rate of another time: the latest carts are in only one "
        "of the two.",
        alternatives=("cart_abandonment_rate: carts 24 hours old.",),
    )


cart_abandonment_rate_one_hour = replace(
    cart_abandonment_rate_after(hours=1),
    name="cart_abandonment_rate.one_hour",
    title="Cart abandonment rate, carts an hour old",
    excludes="Emptied carts; carts younger than an hour; orders without a cart.",
    includes="Carts begun in the period that held items and had at least an hour to become an "
    "order, less those that did, at any time since.",
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
    description="Which share of the visits that put something into a cart did not buy.",
    includes="Visits with something put into a cart and without an order that counts, over visits "
    "with something put into a cart.",
    excludes="Bots; carts of an earlier visit to which nothing was added.",
    null_when="No visit put anything into a cart.",
    see_also=("cart_abandonment_rate", "add_to_cart_rate"),
    caveats="Calling a cart abandoned that was bought in a later visit.",
    alternatives=("cart_abandonment_rate: of carts, bought in whichever visit.",),
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
    description="Which share of the carts whose checkout was begun did not become an order.",
    includes="Carts begun in the period whose checkout was begun and that had at least 24 hours, "
    "less those that became an order.",
    excludes="Carts younger than 24 hours; checkouts without a cart.",
    null_when="No cart that is old enough got to the checkout.",
    see_also=("cart_abandonment_rate", "checkout_completion_rate"),
    caveats="Taking it for cart abandonment, which is higher: most carts are left before the "
    "checkout. The 24 hours are a judgement.",
    alternatives=("checkout_abandonment_rate.sessions: of visits with a checkout.",),
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
    description="Which share of the visits that began a checkout did not buy.",
    includes="Visits with a checkout and without an order that counts, over visits with a "
    "checkout: exactly one less the checkout completion rate.",
    excludes="Bots; orders without a checkout in the same visit.",
    null_when="No visit began a checkout.",
    see_also=("checkout_abandonment_rate", "checkout_completion_rate"),
    caveats="Calling a checkout abandoned that was finished in a later visit, or after payment "
    "on another site.",
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
    description="What the items in carts that were left are worth.",
    includes="The value of carts begun in the period that held items, had at least 24 hours and "
    "did not become an order.",
    excludes="Shipping and tax; emptied carts; carts younger than 24 hours; carts of unknown "
    "value.",
    null_when="Never: no carts are 0.",
    see_also=("cart_abandonment_rate", "cart_recovery_rate"),
    caveats="Taking it for sales that were lost: many carts are never meant to be bought, and "
    "a visitor who left two is counted with both.",
    alternatives=("abandoned_cart_value.visitors: of each visitor the latest cart alone.",),
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
    description="What the latest cart that each visitor left is worth.",
    includes="Of each visitor's carts that were begun in the period and left, the latest; and "
    "every such cart of which no visitor is known.",
    excludes="A visitor's earlier carts; shipping and tax; emptied carts; carts younger than "
    "24 hours; carts of unknown value.",
    see_also=("abandoned_cart_value",),
    caveats="Adding days: a visitor with a cart in each counts in each.",
    alternatives=("abandoned_cart_value: every cart.",),
)

_IS_TOLD = Carts.ordered_at.is_not_null() | _IS_LEFT
_IS_WATCHED = (
    _HAS_ITEMS
    & Carts.is_abandoned
    & _IS_TOLD
    & (Elapsed(Carts.last_activity_at, AsOf()) >= RECOVERY_WINDOW)
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
    description="Which share of the carts that were left was bought after all.",
    includes="Carts begun in the period that were left for a day or longer and became an order "
    "within the 30 days after that day, over those that were left.",
    excludes="Carts whose 30 days are not over; emptied carts; carts of which the last "
    "activity, or the time of the order, is not known.",
    null_when="No cart that was left has had its 30 days.",
    see_also=("cart_abandonment_rate", "abandoned_cart_value"),
    caveats="Calling every order after a reminder recovered: a cart that was bought within a day "
    "was never left. A cart that was recovered is not abandoned in the abandonment rate.",
    alternatives=("Reminder tools: orders after a reminder over reminders.",),
    references=("Cart abandonment recovery (third party)",),
    tags=("ratio", "cart"),
)

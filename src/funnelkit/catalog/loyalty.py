"""Loyalty: new and returning customers, and changes of the customer base."""

from __future__ import annotations

from funnelkit.arguments import check_none, not_above, not_whole
from funnelkit.catalog.parameters import word_of
from funnelkit.formula.constants import length_of
from funnelkit.formula.formulas import (
    Arithmetic,
    Count,
    CountDistinct,
    CountRetained,
    Cumulative,
    Max,
    Mean,
    Median,
    Min,
    Name,
    PerKey,
    Shift,
)
from funnelkit.formula.values import AsOf, ConcatKey, Elapsed
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.sales import Orders
from funnelkit.units import CUSTOMER, MULTIPLE, RATIO, SECOND

__all__ = [
    "churned_customers",
    "customer_churn_rate_accounting",
    "customer_retention_rate_accounting",
    "days_between_orders",
    "days_between_orders_mean",
    "growth_quick_ratio",
    "new_customer_rate",
    "repeat_order_probability",
    "repeat_order_probability_after",
    "repeat_purchase_rate_by_days",
    "repeat_purchase_rate_in_window",
    "repeat_purchase_rate_nd",
    "repeat_purchase_rate_within",
    "resurrected_customers",
    "retained_customers",
    "returning_customer_rate",
    "returning_customer_rate_any_repeat",
]

_WINDOW = 90

_IS_REPEAT = Orders.is_counted & Orders.customer_key.is_not_null() & (Orders.order_number >= 2)
_GAP = Elapsed(Orders.previous_ordered_at, Orders.ordered_at)
_BUYERS = PerKey(Orders.customer_key, where=Orders.is_counted, orders=Count(Orders))
_BUYERS_BY_DAY = PerKey(
    Orders.customer_key,
    where=Orders.is_counted,
    first=Min(ConcatKey(Orders.ordered_at)),
    last=Max(ConcatKey(Orders.ordered_at)),
)
_HAS_TWO_DAYS = _BUYERS_BY_DAY["first"].ne(_BUYERS_BY_DAY["last"])
_RETAINED = CountRetained(Orders.customer_key, where=Orders.is_counted)

_ECDB = "ecommerceDB, 'Repeat customer rate' (third party)"
_GLEW = "Glew, 'Calculate repeat purchase rate' (third party)"
_VORTEX = "Vortex IQ, repeat customer rate (third party)"
_COHORT = "'Cohort repeat purchase rate' (third party)"
_HSU = "J. Hsu, 'Accounting for user growth', excerpt (third party)"
_IDENTITY = "'Growth accounting identity' (third party)"
_TEXTBOOK = "'(E-N)/S retention' (third party)"
_WITHOUT_PERIODS = "it compares a period with the one before"

new_customer_rate = Metric(
    name="new_customer_rate",
    title="New customer rate",
    formula="new_customers / customers",
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.NEUTRAL,
    bounds=(0, 1),
    description="Share of the period's customers who bought for the first time ever.",
    includes="New customers divided by customers; it and the returning customer rate add up to "
    "exactly 1.",
    excludes="Guests.",
    null_when="There are no customers.",
    see_also=("new_customers", "returning_customer_rate"),
    caveats="Do not read it as growth: it also rises when existing customers stay away. The "
    "longer the period, the more of its customers are new.",
    references=(_ECDB,),
    tags=("customers", "ratio"),
)

returning_customer_rate = Metric(
    name="returning_customer_rate",
    title="Returning customer rate",
    formula="1 - new_customers / customers",
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of the period's customers who had bought before the period.",
    includes="Customers whose first counted order precedes the period, divided by customers: "
    "exactly 1 less the new customer rate.",
    excludes="Guests; a second order of a customer who is new in the period.",
    null_when="There are no customers.",
    see_also=("new_customer_rate", "repeat_purchase_rate"),
    caveats="Do not compare periods of different length. Grouped by a property of orders, such as "
    "the channel, it applies to each group separately: a customer who was new in one channel and "
    "bought in another in the same period is returning in the other.",
    alternatives=(
        "returning_customer_rate.any_repeat: customers with an order that is not their first.",
        "repeat_purchase_rate: the share of all customers so far who came back.",
    ),
    references=(_ECDB, _GLEW),
    tags=("customers", "loyalty", "ratio"),
)

returning_customer_rate_any_repeat = Metric(
    name="returning_customer_rate.any_repeat",
    title="Returning customer rate, any repeat order",
    formula=CountDistinct(Orders.customer_key, where=_IS_REPEAT) / Name("customers"),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of the period's customers who placed an order that was not their first.",
    includes="Customers with a second or later order in the period, divided by customers.",
    excludes="Guests.",
    null_when="There are no customers.",
    see_also=("returning_customer_rate",),
    caveats="Do not add it to the new customer rate: a customer whose first and second orders "
    "both fall in the period counts in both, so the sum exceeds 1.",
    alternatives=("returning_customer_rate: customers who had bought before the period.",),
    references=(_ECDB,),
    tags=("customers", "loyalty", "ratio", "variant"),
)

repeat_purchase_rate_in_window = Metric(
    name="repeat_purchase_rate.in_window",
    title="Repeat purchase rate within the period",
    formula=Count(_BUYERS, where=_BUYERS["orders"] >= 2) / Count(_BUYERS),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of the period's customers who ordered at least twice in it.",
    includes="Customers with two or more orders in the period, divided by customers. Grouped by "
    "channel, only orders in that channel count.",
    excludes="Guests; orders outside the period.",
    null_when="There are no customers.",
    see_also=("repeat_purchase_rate", "purchase_frequency"),
    caveats="Do not compare a month with a year: it grows with the period.",
    alternatives=("repeat_purchase_rate: from the beginning of the history.",),
    references=(_VORTEX, _ECDB),
    tags=("customers", "loyalty", "ratio", "variant"),
)

repeat_purchase_rate_by_days = Metric(
    name="repeat_purchase_rate.by_days",
    title="Repeat purchase rate by days",
    formula=Cumulative(Count(_BUYERS_BY_DAY, where=_HAS_TWO_DAYS))
    / Cumulative(Count(_BUYERS_BY_DAY)),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of all customers so far who have ordered on at least two days.",
    includes="Customers whose first and last orders fall on different days in the shop's time "
    "zone, from the beginning of the history to the end of the period, divided by customers up "
    "to then.",
    excludes="Guests; further orders on the same day, such as a split basket.",
    null_when="Nobody has ordered yet.",
    see_also=("repeat_purchase_rate",),
    caveats="As for the repeat purchase rate: it rises with the age of the shop.",
    alternatives=("repeat_purchase_rate: two orders, even on the same day.",),
    references=(_GLEW, "Field usage (convention)"),
    tags=("customers", "loyalty", "ratio", "variant"),
)


def repeat_purchase_rate_within(*, days: float) -> Metric:
    """Return the N-day repeat purchase rate for a window other than ninety days.

    Args:
        days: The window after the first order, in days, its end included.

    Raises:
        DefinitionError: The window is not above zero.

    Examples:
        >>> repeat_purchase_rate_within(days=365).name
        'repeat_purchase_rate_nd.within_365_days'
    """
    check_none([not_above("days", days, 0)])
    return _repeated_within(f"repeat_purchase_rate_nd.within_{word_of(days)}_days", days)


def _repeated_within(name: str, days: float) -> Metric:
    window = length_of("days", days)
    is_won = Orders.is_counted & Orders.is_first_order
    is_mature = is_won & (Elapsed(Orders.ordered_at, AsOf()) >= window)
    is_back = is_mature & (Elapsed(Orders.ordered_at, Orders.next_ordered_at) <= window)
    key = Orders.customer_key
    return Metric(
        name=name,
        title=f"Repeat purchase rate within {days:g} days",
        formula=CountDistinct(key, where=is_back) / CountDistinct(key, where=is_mature),
        unit=RATIO,
        stage=Stage.RETENTION,
        aida=AidaStage.ACTION,
        area=Area.CUSTOMERS,
        direction=Direction.UP,
        bounds=(0, 1),
        description=f"Share of new customers who ordered again within {days:g} days.",
        includes=f"Customers acquired in the period at least {days:g} days before the end of the "
        "data, and those among them whose second order came within that time, even after the end "
        "of the period.",
        excludes="Guests; customers observed for less time.",
        null_when="No new customer of the period has been observed long enough.",
        see_also=("repeat_purchase_rate", "new_customers"),
        caveats="Do not include recent customers: they have had no time to come back. Grouped by "
        "channel, it is the channel of the first order; the second may come through any.",
        alternatives=("repeat_purchase_rate: at any time so far, however recent the customer.",),
        references=(_VORTEX, _COHORT),
        tags=("customers", "loyalty", "cohort", "ratio"),
    )


repeat_purchase_rate_nd = _repeated_within("repeat_purchase_rate_nd", _WINDOW)


def repeat_order_probability_after(*, orders: int) -> Metric:
    """Return the probability of another order after a given number of orders.

    Args:
        orders: The minimum number of orders of the customers considered.

    Raises:
        DefinitionError: The number is not a whole number above zero.

    Examples:
        >>> repeat_order_probability_after(orders=3).name
        'repeat_order_probability.after_3_orders'
    """
    check_none([not_whole("orders", orders, 1)])
    return _one_more(f"repeat_order_probability.after_{orders}_orders", orders)


def _share_of_buyers(orders: int) -> Arithmetic:
    reached = Cumulative(Count(_BUYERS, where=_BUYERS["orders"] >= orders))
    return Cumulative(Count(_BUYERS, where=_BUYERS["orders"] >= orders + 1)) / reached


def _one_more(name: str, orders: int) -> Metric:
    so_many = "one order" if orders == 1 else f"{orders} orders"
    return Metric(
        name=name,
        title="Repeat order probability",
        formula=_share_of_buyers(orders),
        unit=RATIO,
        stage=Stage.RETENTION,
        aida=AidaStage.ACTION,
        area=Area.CUSTOMERS,
        direction=Direction.UP,
        bounds=(0, 1),
        description=f"Share of customers with at least {so_many} who placed at least one more.",
        includes=f"Customers with more than {so_many} divided by customers with at least "
        f"{so_many}, from the beginning of the history to the end of the period.",
        excludes="Guests.",
        null_when="Nobody has that many orders yet.",
        see_also=("repeat_purchase_rate", "days_between_orders"),
        caveats="Recent customers have had no time for another order. A filter on orders, such as "
        "a region, drops orders from the count: filter by a property of the customer instead. "
        "After one order, it is the repeat purchase rate.",
        references=("Adobe, Repeat Order Probability report (vendor)",),
        tags=("customers", "loyalty", "ratio"),
    )


repeat_order_probability = _one_more("repeat_order_probability", 1)

days_between_orders = Metric(
    name="days_between_orders",
    title="Days between orders",
    aliases=("time_between_purchases", "time_between_orders", "agot"),
    formula=Median(_GAP, where=_IS_REPEAT),
    unit=SECOND,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Median time between two consecutive orders of a customer.",
    includes="The time from a customer's order to the next one, in the period of the later one; "
    "all gaps count. The value is in seconds and shown in days.",
    excludes="Guests; first orders, and customers who have ordered once.",
    null_when="No customer ordered again in the period.",
    see_also=("repeat_purchase_rate", "purchase_frequency"),
    caveats="Do not compute it as 365 divided by purchase frequency: customers who bought once "
    "have no gap. Recent customers can only have short gaps, so it is too low for a shop with a "
    "short history.",
    alternatives=("days_between_orders.mean: the mean of the same gaps.",),
    references=(
        "Klaviyo, analytics glossary (vendor)",
        "Malartu, time between purchases (third party)",
        "Adobe Commerce Intelligence, basic analytics (vendor)",
    ),
    tags=("customers", "loyalty", "duration", "quantile"),
)

days_between_orders_mean = Metric(
    name="days_between_orders.mean",
    title="Mean days between orders",
    formula=Mean(_GAP, where=_IS_REPEAT),
    unit=SECOND,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Mean time between two consecutive orders of a customer.",
    includes="The time from a customer's order to the next one, in the period of the later one; "
    "all gaps count. The value is in seconds and shown in days.",
    excludes="Guests; first orders, and customers who have ordered once.",
    null_when="No customer ordered again in the period.",
    see_also=("days_between_orders",),
    caveats="A few customers who come back after years dominate it; the median is hardly affected.",
    alternatives=("Klaviyo: per customer, and no value for a single order.",),
    references=(
        "Klaviyo, PredictiveAnalytics schema (third-party copy)",
        "Malartu, time between purchases (third party)",
    ),
    tags=("customers", "loyalty", "duration", "variant"),
)

customer_retention_rate_accounting = Metric(
    name="customer_retention_rate.accounting",
    title="Customer retention rate, accounting method",
    formula=(Name("customers") - Name("new_customers")) / Shift(Name("customers")),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, None),
    description="Customers who are not new divided by the previous period's customers.",
    includes="Customers less new customers, divided by the customers of the previous period: the "
    "textbook formula (E − N) / S.",
    excludes="Guests.",
    null_when="Nobody bought in the previous period.",
    see_also=("customer_retention_rate", "resurrected_customers"),
    caveats="Customers who come back after a gap count as retained, so it can exceed 1.",
    alternatives=("customer_retention_rate: only customers who bought in both periods.",),
    period_hint=_WITHOUT_PERIODS,
    references=(_TEXTBOOK,),
    tags=("customers", "loyalty", "ratio", "variant"),
)

customer_churn_rate_accounting = Metric(
    name="customer_churn_rate.accounting",
    title="Customer churn rate, accounting method",
    formula=1 - (Name("customers") - Name("new_customers")) / Shift(Name("customers")),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.DOWN,
    bounds=(None, 1),
    description="1 less the customer retention rate by the accounting method.",
    includes="1 less customers who are not new divided by the customers of the previous period.",
    excludes="Guests.",
    null_when="Nobody bought in the previous period.",
    see_also=("customer_churn_rate", "resurrected_customers"),
    caveats="It is negative if many customers come back after a gap.",
    alternatives=("customer_churn_rate: customers of the previous period who did not buy.",),
    period_hint=_WITHOUT_PERIODS,
    references=(_TEXTBOOK,),
    tags=("customers", "loyalty", "ratio", "variant"),
)

retained_customers = Metric(
    name="retained_customers",
    title="Retained customers",
    formula=_RETAINED,
    unit=CUSTOMER,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, None),
    description="Number of the previous period's customers who bought again in this period.",
    includes="Customers with a counted order in both periods. Retained, new and resurrected "
    "customers add up to customers.",
    excludes="Guests; customers who return after a gap.",
    null_when="Never; it is 0 if nobody was retained.",
    see_also=("churned_customers", "resurrected_customers", "customer_retention_rate"),
    caveats="Do not sum periods: a loyal customer is retained in each of them.",
    period_hint=_WITHOUT_PERIODS,
    references=(_HSU, _IDENTITY),
    tags=("customers", "loyalty", "growth"),
)

resurrected_customers = Metric(
    name="resurrected_customers",
    title="Resurrected customers",
    aliases=("reactivated_customers", "win_backs"),
    formula=Name("customers") - Name("new_customers") - Name("retained_customers"),
    unit=CUSTOMER,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, None),
    description="Number of earlier customers who did not buy in the previous period but bought "
    "in this one.",
    includes="Customers who are neither new nor retained.",
    excludes="Guests.",
    null_when="Never; it is 0 if nobody came back.",
    see_also=("retained_customers", "churned_customers", "growth_quick_ratio"),
    caveats="If the history is cut off, customers who come back look new. Grouped by a property of "
    "orders, such as the channel, it applies to each group separately: a customer who was new in "
    "one channel and bought in another in the same period is resurrected in the other.",
    period_hint=_WITHOUT_PERIODS,
    references=(_HSU, _IDENTITY),
    tags=("customers", "loyalty", "growth"),
)

churned_customers = Metric(
    name="churned_customers",
    title="Churned customers",
    aliases=("lapsed_customers", "lost_customers"),
    formula=Shift(Name("customers")) - Name("retained_customers"),
    unit=CUSTOMER,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Number of the previous period's customers who did not buy in this period.",
    includes="Customers of the previous period less those retained.",
    excludes="Guests; new customers, who cannot leave a period they were not in.",
    null_when="Never; it is 0 if nobody churned.",
    see_also=("retained_customers", "customer_churn_rate", "growth_quick_ratio"),
    caveats="A period that is still open includes customers who have not bought yet; the result "
    "marks it as incomplete.",
    period_hint=_WITHOUT_PERIODS,
    references=(_HSU, _IDENTITY),
    tags=("customers", "loyalty", "growth"),
)

growth_quick_ratio = Metric(
    name="growth_quick_ratio",
    title="Growth quick ratio",
    aliases=("customer_quick_ratio",),
    formula="(new_customers + resurrected_customers) / churned_customers",
    unit=MULTIPLE,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, None),
    description="New and resurrected customers divided by churned customers.",
    includes="Customers who bought for the first time or returned after a gap, and customers of "
    "the previous period who did not buy in this one; above 1, the customer base grows.",
    excludes="Guests; how much customers spend.",
    null_when="Nobody churned.",
    see_also=("churned_customers", "new_customers", "resurrected_customers"),
    caveats="It is not the liquidity ratio of the same name, and it is never negative. It is too "
    "low for a period that is still open.",
    alternatives=("by revenue: new, expanded and resurrected divided by contracted and churned.",),
    period_hint=_WITHOUT_PERIODS,
    references=(_HSU,),
    tags=("customers", "loyalty", "growth", "ratio"),
)

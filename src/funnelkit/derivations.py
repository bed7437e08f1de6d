"""How columns of the canonical tables derive from one another, and what must hold.

A column that is supplied wins over its rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from funnelkit.formula.formulas import Count, Min, Sum
from funnelkit.formula.values import (
    AsOf,
    Case,
    Coalesce,
    Column,
    Duration,
    Elapsed,
    IsTrue,
    Literal,
    Lookup,
    Money,
    Predicate,
    Prefixed,
    Quantity,
    Time,
)
from funnelkit.rules import (
    Default,
    Everywhere,
    FirstOver,
    FromChildren,
    NumberOver,
    PreviousOver,
    RateOn,
    Rule,
)
from funnelkit.tables import (
    CampaignPerformance,
    Carts,
    Events,
    ExchangeRates,
    MarketingCosts,
    OrderLines,
    Orders,
    Returns,
    Sessions,
    Surveys,
)

__all__ = [
    "CHECKS",
    "CLOCKS",
    "POLICIES",
    "RULES",
    "Check",
    "OrderPolicy",
    "Severity",
    "policy_rules",
]

CLOCKS: tuple[Time, ...] = (
    Sessions.started_at,
    Events.occurred_at,
    Orders.ordered_at,
    Carts.created_at,
)
"""The times whose latest is the moment up to which a shop's data is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPolicy:
    """Which orders count, and with them which returns.

    Attributes:
        name: What the policy is called in results.
        orders: Which orders count.
        returns: Which kinds of returns undo a counted sale.
    """

    name: str
    orders: Predicate
    returns: Predicate


_IS_CANCELLATION = Returns.kind.eq("cancellation")
_ANY_RETURN = Returns.return_id.is_not_null()

POLICIES: Mapping[str, OrderPolicy] = {
    policy.name: policy
    for policy in (
        OrderPolicy(
            name="default",
            orders=~Orders.status.is_in(["cancelled", "voided", "draft", "test", "deleted"])
            & ~Orders.is_gift_card_only,
            returns=~_IS_CANCELLATION,
        ),
        OrderPolicy(
            name="shopify",
            orders=~Orders.status.is_in(["draft", "test", "deleted"]) & ~Orders.is_gift_card_only,
            returns=_ANY_RETURN,
        ),
        OrderPolicy(
            name="captured",
            orders=Orders.status.is_in(["paid", "fulfilled"]) & ~Orders.is_gift_card_only,
            returns=~_IS_CANCELLATION,
        ),
        OrderPolicy(name="all", orders=Orders.order_id.is_not_null(), returns=_ANY_RETURN),
    )
}

_IS_PRODUCT = OrderLines.line_type.is_null() | OrderLines.line_type.eq("product")
_IS_NUMBERED = Orders.is_counted & Orders.customer_key.is_not_null()
_IN_TIME = (Orders.ordered_at, Orders.order_id)
_RATES = (ExchangeRates.date, ExchangeRates.currency, ExchangeRates.rate)
_IS_LONG = Sessions.engaged_s > 10
_IS_DEEP = Sessions.page_views >= 2


def _any_event(name: str) -> FromChildren:
    return FromChildren(Events.session_id, Count(Events, where=Events.event_name.eq(name)), above=0)


RULES: Mapping[Column, tuple[Rule, ...]] = {
    Sessions.page_views: (
        FromChildren(Events.session_id, Count(Events, where=Events.event_name.eq("page_view"))),
    ),
    Sessions.is_bot: (Default(value=False, absent=(Sessions.is_bot,)),),
    Sessions.has_key_event: (
        FromChildren(Events.session_id, Count(Events, where=Events.is_key_event), above=0),
        Coalesce(Sessions.has_purchase),
    ),
    Sessions.has_product_view: (_any_event("view_item"),),
    Sessions.has_add_to_cart: (_any_event("add_to_cart"),),
    Sessions.has_checkout: (_any_event("begin_checkout"),),
    Sessions.has_purchase: (
        FromChildren(Orders.session_id, Count(Orders, where=Orders.is_counted), above=0),
        _any_event("purchase"),
    ),
    Sessions.is_engaged: (
        ~Sessions.is_bounce,
        _IS_LONG | Sessions.has_key_event | _IS_DEEP,
        Sessions.has_key_event | _IS_DEEP,
        _IS_LONG | _IS_DEEP,
        _IS_LONG | Sessions.has_key_event,
        _IS_DEEP,
        _IS_LONG,
    ),
    Sessions.is_bounce: (~Sessions.is_engaged,),
    Sessions.is_counted: (Sessions.is_bot.is_null() | ~Sessions.is_bot,),
    Events.is_key_event: (Events.event_name.eq("purchase"),),
    Orders.customer_key: (
        Coalesce(Orders.customer_id, Orders.email_hash),
        Orders.customer_id,
        Orders.email_hash,
    ),
    Orders.visitor_id: (
        Lookup(Orders.session_id, Sessions.visitor_id),
        FromChildren(
            Events.order_id, Min(Events.visitor_id, where=Events.event_name.eq("purchase"))
        ),
    ),
    Orders.is_online: (
        Orders.sales_channel.eq("online") | Orders.session_id.is_not_null(),
        Orders.session_id.is_not_null(),
        Orders.sales_channel.eq("online"),
    ),
    Orders.gross_amount: (
        FromChildren(
            OrderLines.order_id,
            Sum(OrderLines.quantity * OrderLines.unit_price, where=_IS_PRODUCT),
        ),
    ),
    Orders.discount_amount: (
        FromChildren(OrderLines.order_id, Sum(OrderLines.discount_amount, where=_IS_PRODUCT)),
    ),
    Orders.is_gift_card_only: (
        Default(value=False, absent=(OrderLines.line_type,)),
        Everywhere(OrderLines.order_id, OrderLines.line_type.eq("gift_card")),
    ),
    Orders.fx_rate: (RateOn(Orders.currency, Orders.ordered_at, _RATES),),
    Orders.order_number: (NumberOver(Orders.customer_key, _IN_TIME, _IS_NUMBERED),),
    Orders.is_first_order: (Orders.order_number.eq(1),),
    Orders.first_order_at: (FirstOver(Orders.customer_key, Orders.ordered_at, _IS_NUMBERED),),
    Orders.previous_ordered_at: (
        PreviousOver(Orders.customer_key, Orders.ordered_at, _IN_TIME, _IS_NUMBERED),
    ),
    OrderLines.ordered_at: (Lookup(OrderLines.order_id, Orders.ordered_at),),
    OrderLines.discount_amount: (Default(value=0.0, absent=(OrderLines.discount_amount,)),),
    OrderLines.line_type: (Default(value="product", absent=(OrderLines.line_type,)),),
    OrderLines.fx_rate: (Lookup(OrderLines.order_id, Orders.fx_rate),),
    OrderLines.customer_key: (Lookup(OrderLines.order_id, Orders.customer_key),),
    OrderLines.is_counted: (IsTrue(Lookup(OrderLines.order_id, Orders.is_counted)) & _IS_PRODUCT,),
    Returns.kind: (Default(value="return", absent=(Returns.kind,)),),
    Returns.restocked_cost: (
        Default(value=0.0, absent=(Returns.is_restocked,)),
        Case(
            Returns.is_restocked,
            Returns.quantity * Lookup(Returns.order_line_id, OrderLines.unit_cost),
            Literal(0.0),
        ),
    ),
    Returns.fx_rate: (
        RateOn(Lookup(Returns.order_id, Orders.currency), Returns.returned_at, _RATES),
        Lookup(Returns.order_id, Orders.fx_rate),
    ),
    Returns.customer_key: (Lookup(Returns.order_id, Orders.customer_key),),
    Carts.items: (Default(value=1, absent=(Carts.items,)),),
    Carts.age_s: (Elapsed(Carts.created_at, AsOf()),),
    Carts.is_converted: (
        Carts.order_id.is_not_null(),
        FromChildren(Orders.cart_id, Count(Orders, where=Orders.is_counted), above=0),
    ),
    Carts.fx_rate: (RateOn(Carts.currency, Carts.created_at, _RATES),),
    CampaignPerformance.fx_rate: (
        RateOn(CampaignPerformance.currency, CampaignPerformance.date, _RATES),
    ),
    MarketingCosts.fx_rate: (RateOn(MarketingCosts.currency, MarketingCosts.period_start, _RATES),),
    Surveys.respondent: (
        Coalesce(Surveys.customer_id, Prefixed("answer ", Surveys.response_id)),
        Surveys.response_id,
    ),
}
"""How each derivable column is derived: the first rule whose inputs are there."""


def policy_rules(policy: OrderPolicy) -> Mapping[Column, tuple[Rule, ...]]:
    """Give the rules of the columns that an order policy decides."""
    is_of_counted = IsTrue(Lookup(Returns.order_id, Orders.is_counted))
    belongs = is_of_counted | Lookup(Returns.order_id, Orders.order_id).is_null()
    return {
        Orders.is_counted: (policy.orders,),
        Returns.is_counted: ((policy.returns | Returns.kind.is_null()) & belongs,),
    }


class Severity(StrEnum):
    """What a broken promise does: an error refuses a number, a warning stands beside it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Check:
    """A promise about single rows of a table, that numbers rest on.

    Attributes:
        column: The column at fault where it is broken.
        broken: Which rows break it.
        problem: What is wrong with such a row.
        remedy: What to do about it.
        severity: Whether numbers are refused where it is broken.
    """

    column: Column
    broken: Predicate
    problem: str
    remedy: str
    severity: Severity = Severity.ERROR


def _outside(kind: str, low: int, high: int) -> Predicate:
    is_kind = Surveys.survey_type.eq(kind)
    return is_kind & ~Surveys.score.is_between(low, high)


def _suspicious(column: Column, broken: Predicate, problem: str) -> Check:
    return Check(column, broken, problem, "look at these rows", Severity.WARNING)


def _below_zero(column: Money | Quantity | Duration) -> Check:
    return _suspicious(column, column < 0, "is below zero")


STATUSES = ("pending", "paid", "fulfilled", "cancelled", "voided", "draft", "test", "deleted")
"""What the status of an order may be."""

CHECKS: tuple[Check, ...] = (
    Check(
        Orders.status,
        Orders.status.is_null(),
        "is null, so it is unknown whether the order counts",
        "fill it, supply is_counted, or use order_policy='all'",
    ),
    Check(
        Orders.status,
        Orders.status.is_not_null() & ~Orders.status.is_in(STATUSES),
        "is no known status, so it is unknown whether the order counts",
        f"map it to one of {', '.join(STATUSES)}, supply is_counted, or use order_policy='all'",
    ),
    Check(
        Surveys.score,
        _outside("nps", 0, 10),
        "lies outside 0 to 10 in an nps survey",
        "rescale it; net promoter score is defined on 0 to 10 only",
    ),
    Check(
        Surveys.score,
        _outside("csat", 1, 5),
        "lies outside 1 to 5 in a csat survey",
        "rescale it to five points; satisfied is 4 or 5 of 5",
    ),
    Check(
        MarketingCosts.period_end,
        MarketingCosts.period_end.is_null(),
        "is null, so it is unknown over which days the cost is spread",
        "give the last day, included",
    ),
    Check(
        MarketingCosts.period_end,
        MarketingCosts.period_end < MarketingCosts.period_start,
        "lies before period_start",
        "swap the two dates",
    ),
    Check(
        ExchangeRates.rate,
        ExchangeRates.rate.is_null() | (ExchangeRates.rate <= 0),
        "is no rate above zero",
        "give what one unit of the currency is worth in the shop's own",
    ),
    _suspicious(
        Orders.discount_amount,
        Orders.discount_amount > Orders.gross_amount,
        "is above gross_amount",
    ),
    _suspicious(
        OrderLines.discount_amount,
        OrderLines.discount_amount > OrderLines.quantity * OrderLines.unit_price,
        "is above quantity × unit_price",
    ),
    *(
        _below_zero(column)
        for column in (
            Sessions.duration_s,
            Sessions.engaged_s,
            Sessions.page_views,
            Orders.gross_amount,
            Orders.discount_amount,
            OrderLines.quantity,
            OrderLines.unit_price,
            OrderLines.discount_amount,
            OrderLines.unit_cost,
            Returns.quantity,
            Returns.refund_amount,
            Carts.items,
            Carts.value,
            CampaignPerformance.impressions,
            CampaignPerformance.clicks,
            CampaignPerformance.spend,
            MarketingCosts.amount,
        )
    ),
)
"""Promises about rows; those that refuse numbers are verified once, at a table's first use."""

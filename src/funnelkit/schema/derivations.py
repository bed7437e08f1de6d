"""How columns of the canonical tables derive from one another, and what must hold.

A column that is supplied wins over its rule.
"""

from __future__ import annotations

from collections.abc import Mapping

from funnelkit.formula.constants import length_of
from funnelkit.formula.derived import (
    Default,
    Everywhere,
    FirstOver,
    FromChildren,
    NextOver,
    NumberOver,
    PeriodOf,
    PreviousOver,
    RateOn,
    Rule,
)
from funnelkit.formula.formulas import Count, Max, Min, Sum
from funnelkit.formula.values import (
    AsOf,
    Coalesce,
    Column,
    ConcatKey,
    Elapsed,
    Flag,
    If,
    IsTrue,
    Literal,
    Lookup,
    Lower,
    Predicate,
    Time,
)
from funnelkit.schema.channels import CHANNEL
from funnelkit.schema.customers import Customers, Surveys
from funnelkit.schema.marketing import CampaignPerformance, EmailSends, MarketingCosts
from funnelkit.schema.operations import InventorySnapshots, Products, Shipments
from funnelkit.schema.origins import SOCIAL_PLATFORMS
from funnelkit.schema.sales import ExchangeRates, OrderLines, Orders, Returns
from funnelkit.schema.traffic import CONTENT_EVENTS, Carts, DailySessions, Events, Sessions

__all__ = [
    "CART_LEFT",
    "CART_RECOVERED",
    "CLOCKS",
    "IS_PRODUCT",
    "LATE_CLOCKS",
    "PLANNED_CLOCKS",
    "RULES",
]

CLOCKS: Mapping[Time, Flag | None] = {
    Sessions.started_at: Sessions.is_counted,
    Events.occurred_at: Events.is_counted,
    Orders.ordered_at: Orders.is_counted,
    Carts.created_at: None,
    DailySessions.date: None,
}
"""The times whose latest value, over counted rows, is the as-of time of a shop's data."""

LATE_CLOCKS: frozenset[Column] = frozenset(
    {Shipments.shipped_at, Returns.returned_at, Products.created_at, Customers.created_at}
)
"""The times that are null until something happens, or that need not be known."""

PLANNED_CLOCKS: frozenset[Column] = frozenset({Shipments.shipped_at})
"""The times before which their rows are there: a parcel is promised before it is shipped."""


IS_PRODUCT = OrderLines.line_type.is_null() | OrderLines.line_type.eq("product")
"""A product line, not a gift card or fee."""

_IS_NUMBERED = Orders.is_counted & Orders.customer_key.is_not_null()
_IN_TIME = (Orders.ordered_at, Orders.order_id)
_RATES = (ExchangeRates.date, ExchangeRates.currency, ExchangeRates.rate)
_IS_LONG = Sessions.engaged_s > 10
IS_DEEP = Sessions.page_views >= 2
"""A session of several pages is engaged, however short."""


_IS_SEEN = Sessions.is_counted & Sessions.visitor_id.is_not_null()
_VISITS = (Sessions.started_at, Sessions.session_id)
_PLACED_IN_A_VISIT = (
    Orders.is_counted & Orders.visitor_id.is_not_null() & Orders.session_number.is_not_null()
)
CART_LEFT, CART_RECOVERED = length_of("days", 1), length_of("days", 31)
"""After how long a cart counts as left, and up to when an order of it recovers it."""


def _any_event(name: str) -> FromChildren:
    return FromChildren(Events.session_id, Count(Events, where=Events.event_name.eq(name)), above=0)


def _any_line(where: Predicate) -> FromChildren:
    return FromChildren(OrderLines.order_id, Count(OrderLines, where=where), above=0)


def _any_parcel(where: Predicate) -> FromChildren:
    return FromChildren(Shipments.order_id, Count(Shipments, where=where), above=0)


def _worth(price: Column | Lookup) -> If:
    units = InventorySnapshots.on_hand_units
    return If(units <= 0, Literal(0.0), units * price)


def _of_product(flag: Column) -> IsTrue:
    return IsTrue(Lookup(InventorySnapshots.product_id, flag))


def _of_order(column: Column) -> Lookup:
    return Lookup(OrderLines.order_id, column)


_NOT_ON_LINES = _of_order(Orders.discount_amount) - _of_order(Orders.lines_discount)
_SHARE_OF_ORDER = If(
    _of_order(Orders.lines_amount).eq(0),
    1 / _of_order(Orders.product_lines),
    OrderLines.gross_amount / _of_order(Orders.lines_amount),
)
"""The share of an order-level discount allocated to a line; equal where lines have no value."""

_AMOUNTS_OF_LINES = FromChildren(
    OrderLines.order_id, Sum(OrderLines.gross_amount, where=IS_PRODUCT)
)
_DISCOUNTS_OF_LINES = FromChildren(
    OrderLines.order_id, Sum(OrderLines.discount_amount, where=IS_PRODUCT)
)
_LEFT = Elapsed(Carts.last_activity_at, Carts.ordered_at)


RULES: Mapping[Column, tuple[Rule, ...]] = {
    Sessions.page_views: (
        FromChildren(Events.session_id, Count(Events, where=Events.event_name.eq("page_view"))),
    ),
    Sessions.channel: (CHANNEL,),
    Sessions.is_bot: (Default(value=False, absent=(Sessions.is_bot,)),),
    Sessions.has_key_event: (
        FromChildren(Events.session_id, Count(Events, where=Events.is_key_event), above=0),
        Coalesce(Sessions.has_purchase),
    ),
    Sessions.ended_at: (FromChildren(Events.session_id, Max(Events.occurred_at)),),
    Sessions.duration_s: (Elapsed(Sessions.started_at, Sessions.ended_at),),
    Sessions.session_number: (NumberOver(Sessions.visitor_id, _VISITS, _IS_SEEN),),
    Sessions.is_first_session: (Sessions.session_number.eq(1),),
    Sessions.first_seen_at: (FirstOver(Sessions.visitor_id, Sessions.started_at, _IS_SEEN),),
    Sessions.has_content_interaction: (
        FromChildren(Events.session_id, Count(Events, where=Events.is_content), above=0),
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
        _IS_LONG | Sessions.has_key_event | IS_DEEP,
        Sessions.has_key_event | IS_DEEP,
        _IS_LONG | IS_DEEP,
        _IS_LONG | Sessions.has_key_event,
        IS_DEEP,
        _IS_LONG,
    ),
    Sessions.is_bounce: (~Sessions.is_engaged,),
    Sessions.is_counted: (Sessions.is_bot.is_null() | ~Sessions.is_bot,),
    Events.is_key_event: (Events.event_name.eq("purchase"),),
    Events.is_content: (Events.event_name.is_in(CONTENT_EVENTS),),
    Events.visitor_product: (ConcatKey(Events.visitor_id, Events.product_id),),
    Events.is_counted: (
        Lookup(Events.session_id, Sessions.session_id).is_null()
        | IsTrue(Lookup(Events.session_id, Sessions.is_counted)),
        Default(value=True, absent=()),
    ),
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
    Orders.gross_amount: (_AMOUNTS_OF_LINES,),
    Orders.discount_amount: (_DISCOUNTS_OF_LINES,),
    Orders.lines_amount: (_AMOUNTS_OF_LINES,),
    Orders.lines_discount: (_DISCOUNTS_OF_LINES,),
    Orders.product_lines: (FromChildren(OrderLines.order_id, Count(OrderLines, where=IS_PRODUCT)),),
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
    Orders.next_ordered_at: (
        NextOver(Orders.customer_key, Orders.ordered_at, _IN_TIME, _IS_NUMBERED),
    ),
    Orders.cohort: (PeriodOf(Orders.first_order_at),),
    Orders.session_number: (Lookup(Orders.session_id, Sessions.session_number),),
    Orders.previous_session_number: (
        PreviousOver(Orders.visitor_id, Orders.session_number, _IN_TIME, _PLACED_IN_A_VISIT),
    ),
    Orders.units: (FromChildren(OrderLines.order_id, Sum(OrderLines.quantity, where=IS_PRODUCT)),),
    Orders.returned_units: (
        FromChildren(Returns.order_id, Sum(Returns.quantity, where=Returns.goods_returned)),
    ),
    Orders.returned_amount: (
        FromChildren(Returns.order_id, Sum(Returns.refund_amount, where=Returns.is_counted)),
    ),
    Orders.has_return: (
        FromChildren(Returns.order_id, Count(Returns, where=Returns.is_counted), above=0),
    ),
    Orders.has_upsell: (_any_line(OrderLines.is_upsell),),
    Orders.has_cross_sell: (_any_line(OrderLines.is_cross_sell),),
    Orders.has_primary: (_any_line(IS_PRODUCT & ~OrderLines.is_cross_sell),),
    Orders.has_attached: (_any_line(IS_PRODUCT & OrderLines.is_cross_sell),),
    Orders.first_shipped_at: (FromChildren(Shipments.order_id, Min(Shipments.shipped_at)),),
    Orders.last_shipped_at: (
        FromChildren(
            Shipments.order_id,
            Max(Shipments.shipped_at),
            everywhere=Shipments.shipped_at.is_not_null(),
        ),
    ),
    Orders.delivered_at: (
        FromChildren(
            Shipments.order_id,
            Max(Shipments.delivered_at),
            everywhere=Shipments.delivered_at.is_not_null(),
        ),
    ),
    Orders.promised_at: (FromChildren(Shipments.order_id, Max(Shipments.promised_at)),),
    Orders.shipping_cost: (FromChildren(Shipments.order_id, Sum(Shipments.shipping_cost)),),
    Orders.shipped_units: (FromChildren(Shipments.order_id, Sum(Shipments.units_shipped)),),
    Orders.first_shipped_units: (
        FromChildren(
            Shipments.order_id, Sum(Shipments.units_shipped, where=Shipments.is_first_parcel)
        ),
    ),
    Orders.has_item_error: (_any_parcel(Shipments.has_item_error),),
    Orders.is_damaged: (_any_parcel(Shipments.is_damaged),),
    Orders.has_documents: (Everywhere(Shipments.order_id, Shipments.documents_ok),),
    Orders.is_on_time: (Orders.delivered_at <= Orders.promised_at,),
    Orders.cancelled_units: (
        FromChildren(
            Returns.order_id, Sum(Returns.quantity, where=Returns.kind.eq("cancellation"))
        ),
        Default(value=0, absent=()),
    ),
    Orders.is_in_full: (Orders.shipped_units >= Orders.units - Orders.cancelled_units,),
    Orders.is_perfect: (
        Orders.is_on_time & Orders.is_in_full & ~Orders.is_damaged & Orders.has_documents,
    ),
    OrderLines.ordered_at: (Lookup(OrderLines.order_id, Orders.ordered_at),),
    OrderLines.day: (ConcatKey(OrderLines.ordered_at),),
    OrderLines.discount_amount: (Default(value=0.0, absent=(OrderLines.discount_amount,)),),
    OrderLines.gross_amount: (OrderLines.quantity * OrderLines.unit_price,),
    OrderLines.allocated_discount: (
        Coalesce(OrderLines.discount_amount, 0.0) + _NOT_ON_LINES * _SHARE_OF_ORDER,
    ),
    OrderLines.unit_cost: (Lookup(OrderLines.product_id, Products.unit_cost),),
    OrderLines.line_type: (Default(value="product", absent=(OrderLines.line_type,)),),
    OrderLines.fx_rate: (Lookup(OrderLines.order_id, Orders.fx_rate),),
    OrderLines.customer_key: (Lookup(OrderLines.order_id, Orders.customer_key),),
    OrderLines.is_counted: (IsTrue(Lookup(OrderLines.order_id, Orders.is_counted)) & IS_PRODUCT,),
    Returns.is_of_product: (
        Default(value=True, absent=(OrderLines.line_type,)),
        Lookup(Returns.order_line_id, OrderLines.line_type).is_null()
        | Lookup(Returns.order_line_id, OrderLines.line_type).eq("product"),
        Default(value=True, absent=()),
    ),
    Returns.goods_returned: (
        Returns.is_counted & (Returns.kind.is_null() | Returns.kind.ne("refund_only")),
    ),
    Returns.kind: (Default(value="return", absent=(Returns.kind,)),),
    Returns.refund_shipping: (Default(value=0.0, absent=(Returns.refund_shipping,)),),
    Returns.refund_tax: (Default(value=0.0, absent=(Returns.refund_tax,)),),
    Returns.restocked_cost: (
        Default(value=0.0, absent=(Returns.is_restocked,)),
        If(
            Returns.is_restocked,
            Returns.quantity * Lookup(Returns.order_line_id, OrderLines.unit_cost),
            Literal(0.0),
        ),
    ),
    Returns.currency: (Lookup(Returns.order_id, Orders.currency),),
    Returns.fx_rate: (
        RateOn(Returns.currency, Returns.returned_at, _RATES),
        Lookup(Returns.order_id, Orders.fx_rate),
    ),
    Returns.customer_key: (Lookup(Returns.order_id, Orders.customer_key),),
    Carts.items: (Default(value=1, absent=(Carts.items,)),),
    Carts.checkout_started_at: (
        FromChildren(
            Events.cart_id,
            Min(Events.occurred_at, where=Events.event_name.eq("begin_checkout")),
        ),
    ),
    Carts.last_activity_at: (FromChildren(Events.cart_id, Max(Events.occurred_at)),),
    Carts.ordered_at: (
        Lookup(Carts.order_id, Orders.ordered_at),
        FromChildren(Orders.cart_id, Min(Orders.ordered_at, where=Orders.is_counted)),
    ),
    Carts.is_abandoned: (
        (Carts.is_converted & (_LEFT >= CART_LEFT))
        | (~Carts.is_converted & (Elapsed(Carts.last_activity_at, AsOf()) >= CART_LEFT)),
    ),
    Carts.is_recovered: (Carts.is_converted & (_LEFT >= CART_LEFT) & (_LEFT <= CART_RECOVERED),),
    Carts.age_s: (Elapsed(Carts.created_at, AsOf()),),
    Carts.is_converted: (
        Carts.order_id.is_not_null()
        & (
            Lookup(Carts.order_id, Orders.order_id).is_null()
            | IsTrue(Lookup(Carts.order_id, Orders.is_counted))
        ),
        Carts.order_id.is_not_null(),
        FromChildren(Orders.cart_id, Count(Orders, where=Orders.is_counted), above=0),
    ),
    Carts.fx_rate: (RateOn(Carts.currency, Carts.created_at, _RATES),),
    CampaignPerformance.fx_rate: (
        RateOn(CampaignPerformance.currency, CampaignPerformance.date, _RATES),
    ),
    MarketingCosts.fx_rate: (RateOn(MarketingCosts.currency, MarketingCosts.period_start, _RATES),),
    CampaignPerformance.cohort: (PeriodOf(CampaignPerformance.date),),
    MarketingCosts.cohort: (PeriodOf(MarketingCosts.period_start),),
    CampaignPerformance.is_social: (Lower(CampaignPerformance.platform).is_in(SOCIAL_PLATFORMS),),
    EmailSends.is_delivered: (EmailSends.bounce_type.is_null(),),
    EmailSends.is_clicked: (EmailSends.first_clicked_at.is_not_null(),),
    EmailSends.is_opened: (
        EmailSends.first_opened_at.is_not_null() | EmailSends.first_clicked_at.is_not_null(),
        EmailSends.first_opened_at.is_not_null(),
    ),
    InventorySnapshots.unit_cost: (Lookup(InventorySnapshots.product_id, Products.unit_cost),),
    InventorySnapshots.inventory_value: (_worth(InventorySnapshots.unit_cost),),
    InventorySnapshots.retail_value: (
        _worth(Lookup(InventorySnapshots.product_id, Products.list_price)),
    ),
    InventorySnapshots.is_offered: (
        _of_product(Products.is_active) & _of_product(Products.is_tracked),
        _of_product(Products.is_active),
        _of_product(Products.is_tracked),
        Default(value=True, absent=()),
    ),
    InventorySnapshots.day: (ConcatKey(InventorySnapshots.snapshot_date),),
    InventorySnapshots.product_day: (
        ConcatKey(InventorySnapshots.product_id, InventorySnapshots.snapshot_date),
    ),
    Shipments.is_counted: (
        Lookup(Shipments.order_id, Orders.order_id).is_null()
        | IsTrue(Lookup(Shipments.order_id, Orders.is_counted)),
        Default(value=True, absent=()),
    ),
    Shipments.is_first_parcel: (
        Shipments.shipped_at.eq(Lookup(Shipments.order_id, Orders.first_shipped_at)),
    ),
    Surveys.weight: (Default(value=1.0, absent=(Surveys.weight,)),),
    Surveys.respondent: (
        Coalesce(Surveys.customer_id, ConcatKey("answer", Surveys.response_id)),
        Surveys.response_id,
    ),
}
"""How each derivable column is derived: the first rule whose inputs are available."""

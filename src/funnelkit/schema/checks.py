"""What must hold of single rows: promises that results depend on, and suspicious values."""

from __future__ import annotations

from funnelkit.data.findings import Finding, Severity
from funnelkit.data.schema import Check, TotalAboveCheck, WithoutRowsCheck
from funnelkit.formula.values import (
    Coalesce,
    Column,
    Duration,
    Lookup,
    Money,
    Predicate,
    Quantity,
    Value,
)
from funnelkit.schema.customers import Surveys
from funnelkit.schema.marketing import CampaignPerformance, MarketingCosts
from funnelkit.schema.operations import InventorySnapshots, Shipments
from funnelkit.schema.sales import ExchangeRates, OrderLines, Orders, Returns
from funnelkit.schema.traffic import Carts, DailySessions, Events, SearchInterest, Sessions

__all__ = ["CHECKS", "STATUSES", "SURVEYS", "TABLE_CHECKS"]


_LOOK = "look at these rows"


def _outside(kind: str, low: int, high: int) -> Predicate:
    is_kind = Surveys.survey_type.eq(kind)
    return is_kind & ~Surveys.score.is_between(low, high)


def _suspicious(column: Column, broken: Predicate, promise: str, problem: str) -> Check:
    return Check(column, broken, Finding(promise, problem, _LOOK, Severity.WARNING))


def _negative(discount: Money, worth: Value, known: Column) -> tuple[Check, Check]:
    """Check that discounts on goods sold are not below zero, as far as the goods are known."""
    finding = Finding(
        "is zero or above for what is sold",
        "is below zero, and would add to sales",
        "turn its sign: a discount is above zero",
    )
    return (
        Check(discount, (discount < 0) & (worth >= 0), finding),
        Check(discount, discount < 0, finding, unless_supplied=known),
    )


def _unknown(column: Column, broken: Predicate, *, unless: Column | None = None) -> Check:
    """Check that a row says what kind it is: rows of a kind are counted without the others."""
    finding = Finding(
        "is known",
        "is null, so that the row is left out where rows of one kind are counted",
        "fill it where it is known",
        Severity.WARNING,
    )
    return Check(column, broken, finding, unless_supplied=unless)


def _no_rate(rate: Quantity, broken: Predicate) -> Check:
    finding = Finding(
        "is above zero",
        "is not a rate above zero",
        "supply the value of one unit of the currency in the shop's currency",
    )
    return Check(rate, broken, finding)


def _below_zero(column: Money | Quantity | Duration) -> Check:
    return _suspicious(column, column < 0, "is zero or above", "is below zero")


STATUSES = Orders.status.values
"""What the status of an order may be."""

SURVEYS = Surveys.survey_type.values
"""The kinds of survey that KPIs read."""

_RATES = (
    *(Orders.fx_rate, OrderLines.fx_rate, Returns.fx_rate, Carts.fx_rate),
    *(CampaignPerformance.fx_rate, MarketingCosts.fx_rate),
)
"""The rates that stand beside amounts."""

CHECKS: tuple[Check, ...] = (
    Check(
        Orders.status,
        Orders.status.is_null(),
        Finding(
            "is known",
            "is null, so it is unknown whether the order counts",
            "fill it, supply is_counted, or use order_policy='all'",
        ),
    ),
    _unknown(
        Orders.sales_channel,
        Orders.sales_channel.is_null() & Orders.session_id.is_null(),
        unless=Orders.is_online,
    ),
    *(
        _unknown(column, column.is_null(), unless=unless)
        for column, unless in (
            (Orders.sales_channel, Orders.session_id),
            (Orders.is_online, None),
            (Events.event_name, None),
            (Surveys.survey_type, None),
            (MarketingCosts.purpose, None),
        )
    ),
    Check(
        Surveys.score,
        Surveys.survey_type.eq("nps") & ~Surveys.score.is_in(range(11)),
        Finding(
            "is a whole number from 0 to 10 in an nps survey",
            "is not a whole number from 0 to 10 in an nps survey",
            "supply each answer as it was given; a mean of answers, or another scale, has no net "
            "promoter score",
        ),
    ),
    Check(
        Surveys.scale_max,
        Surveys.survey_type.eq("nps") & Surveys.scale_max.ne(10),
        Finding(
            "is 10 in an nps survey",
            "is not 10 in an nps survey",
            "rescale the answers to 0 to 10, or leave them out",
        ),
    ),
    Check(
        Surveys.weight,
        Surveys.weight < 0,
        Finding(
            "is zero or above",
            "is below zero",
            "weigh an answer by 0 or more",
        ),
    ),
    Check(
        Surveys.score,
        _outside("csat", 1, 5),
        Finding(
            "lies within 1 to 5 in a csat survey",
            "lies outside 1 to 5 in a csat survey",
            "rescale it to five points; satisfied is 4 or 5 of 5",
        ),
        unless_supplied=Surveys.scale_max,
    ),
    Check(
        Surveys.score,
        Surveys.survey_type.eq("csat")
        & ((Surveys.score < 1) | (Surveys.score > Coalesce(Surveys.scale_max, 5))),
        Finding(
            "lies within 1 to scale_max in a csat survey",
            "lies outside 1 to scale_max, or 5 where that is null, in a csat survey",
            "rescale it, or state the highest mark of the scale",
        ),
    ),
    *(
        Check(
            day,
            day.is_null(),
            Finding(
                "is known",
                "is null, so it is unknown over which days the cost is spread",
                f"supply the {which} day{inclusive}",
            ),
        )
        for day, which, inclusive in (
            (MarketingCosts.period_start, "first", ""),
            (MarketingCosts.period_end, "last", ", inclusive"),
        )
    ),
    Check(
        MarketingCosts.period_end,
        MarketingCosts.period_end < MarketingCosts.period_start,
        Finding(
            "does not lie before period_start",
            "lies before period_start",
            "swap the two dates",
        ),
    ),
    _no_rate(ExchangeRates.rate, ExchangeRates.rate.is_null() | (ExchangeRates.rate <= 0)),
    *(_no_rate(rate, rate <= 0) for rate in _RATES),
    *_negative(Orders.discount_amount, Orders.gross_amount, Orders.gross_amount),
    *_negative(
        OrderLines.discount_amount,
        OrderLines.quantity * OrderLines.unit_price,
        OrderLines.unit_price,
    ),
    *(
        _suspicious(
            column, column.is_null(), "is known", "is null, and adds 0 to what rows are worth"
        )
        for column in (Orders.gross_amount, OrderLines.quantity, OrderLines.unit_price)
    ),
    *(
        _suspicious(column, column.is_null(), "is known", "is null, and adds 0 to the total")
        for column in (Returns.refund_amount, MarketingCosts.amount, Shipments.shipping_cost)
    ),
    _suspicious(
        InventorySnapshots.on_hand_units,
        InventorySnapshots.on_hand_units.is_null(),
        "is known",
        "is null, so that the last known count stands",
    ),
    _suspicious(
        Returns.returned_at,
        Returns.returned_at < Lookup(Returns.order_id, Orders.ordered_at),
        "does not lie before the order",
        "lies before the order",
    ),
    *(
        _suspicious(
            column,
            column < Lookup(Shipments.order_id, Orders.ordered_at),
            "does not lie before the order",
            "lies before the order",
        )
        for column in (Shipments.shipped_at, Shipments.delivered_at)
    ),
    *(
        _suspicious(
            column,
            column < before,
            f"does not lie before {before.name}",
            f"lies before {before.name}",
        )
        for column, before in (
            (Sessions.ended_at, Sessions.started_at),
            (Shipments.delivered_at, Shipments.shipped_at),
            (Orders.first_shipped_at, Orders.ordered_at),
            (Orders.delivered_at, Orders.ordered_at),
        )
    ),
    _suspicious(
        Orders.is_counted,
        Orders.is_counted.is_null(),
        "is known",
        "is null, and read as false: the order does not count",
    ),
    *(
        _suspicious(
            part,
            part > whole,
            f"is not above {whole.name}",
            f"is above {whole.name}, which includes it",
        )
        for part, whole in (
            (SearchInterest.brand_queries, SearchInterest.category_queries),
            (DailySessions.engaged_sessions, DailySessions.sessions),
            (DailySessions.converted_sessions, DailySessions.sessions),
        )
    ),
    *(
        _suspicious(
            part,
            part / CampaignPerformance.impressions > 1,
            "is not above impressions",
            "is above impressions",
        )
        for part in (CampaignPerformance.clicks, CampaignPerformance.reach)
    ),
    _suspicious(
        Orders.discount_amount,
        Orders.discount_amount > Orders.gross_amount,
        "is not above gross_amount",
        "is above gross_amount",
    ),
    _suspicious(
        OrderLines.discount_amount,
        OrderLines.discount_amount > OrderLines.quantity * OrderLines.unit_price,
        "is not above quantity × unit_price",
        "is above quantity × unit_price",
    ),
    *(
        _below_zero(column)
        for column in (
            Sessions.duration_s,
            Sessions.engaged_s,
            Sessions.page_views,
            Orders.gross_amount,
            OrderLines.quantity,
            OrderLines.unit_price,
            OrderLines.unit_cost,
            Returns.quantity,
            Returns.refund_amount,
            Carts.items,
            Carts.value,
            CampaignPerformance.impressions,
            CampaignPerformance.clicks,
            CampaignPerformance.spend,
            MarketingCosts.amount,
            InventorySnapshots.on_hand_units,
            Shipments.shipping_cost,
            Shipments.units_shipped,
        )
    ),
)
"""Checks of rows; those that are errors run once, when a table is first used."""

TABLE_CHECKS = (
    WithoutRowsCheck(
        Orders.order_id,
        OrderLines.order_id,
        unless_supplied=Orders.gross_amount,
        finding=Finding(
            "has lines",
            "has no lines, and is taken to be worth 0",
            "supply the lines, or amounts",
            Severity.WARNING,
        ),
    ),
    TotalAboveCheck(
        Returns.quantity,
        OrderLines.quantity,
        keys=("order_line_id", "order_id"),
        finding=Finding(
            "returned is not more than was sold",
            "returned is more than was sold of a {key}",
            _LOOK,
            Severity.WARNING,
        ),
    ),
)
"""Promises about whole tables: suspicious values that `Shop.check` lists."""

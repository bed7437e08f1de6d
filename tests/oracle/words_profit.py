"""Profit and marketing efficiency in plain Python, written from their definitions in words.

Functions are of the shape of those in `oracle.words`: the tables and one period give a value.
Names with a dot are competing definitions of the KPI before the dot.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from oracle.words import (
    Number,
    Order,
    Period,
    Row,
    Tables,
    Value,
    ad_spend,
    all_orders,
    as_of,
    campaign_rows,
    cost_of_lines,
    cost_of_restocked,
    counted_orders_to_date,
    counted_returns,
    counted_returns_in,
    customer_keys,
    has_column,
    identified,
    inside,
    is_true,
    midnight,
    minus,
    net_sales,
    new_customers,
    orders,
    ratio,
    revenue_before_returns,
    strict_total,
    table,
    total,
)
from oracle.words import customer_acquisition_cost as fully_loaded_acquisition_cost
from oracle.words import gross_profit as gross_profit_of_lines

DAY = timedelta(days=1)
ADVERTISING = "Paid Search, Paid Shopping, Paid Social, Paid Video, Paid Other, Display, Audio"
PAID_CHANNELS = {
    spelling
    for name in (*ADVERTISING.split(", "), "Cross-network")
    for spelling in (name, name.lower().replace(" ", "_").replace("-", "_"))
}
"""The channels of ads in GA4's default channel group, and their names in snake case."""

Basis = str
"""What a value is made of: "revenue", "gross_profit" or "contribution_margin"."""


# --- what several areas share --------------------------------------------------------------------


def known_until(tables: Tables) -> datetime | None:
    """Until when the data tells all: a day on which anything happened is known whole."""
    now = as_of(tables)
    if now is None:
        return None
    return datetime(now.year, now.month, now.day) + DAY


def days(period: Period) -> float:
    """Length of the period in days."""
    return (period.end - period.start) / DAY


def month_number(moment: datetime) -> int:
    """Number calendar months on end, so that the difference of two is a number of months."""
    return moment.year * 12 + moment.month - 1


def month_start(number: int) -> datetime:
    """Give the first moment of a numbered month."""
    return datetime(number // 12, number % 12 + 1, 1)


def order_rows(tables: Tables) -> list[tuple[Order, Row]]:
    """Pair every order with its own row."""
    return list(zip(all_orders(tables), table(tables, "orders"), strict=True))


def counted_rows_in(tables: Tables, period: Period) -> list[tuple[Order, Row]]:
    """Pick the counted orders placed in the period, each with its row."""
    return [
        (order, row)
        for order, row in order_rows(tables)
        if order.is_counted and inside(order.ordered_at, period)
    ]


def parcels(tables: Tables) -> list[Row]:
    """Pick the parcels that are not of an uncounted order; of an unknown order they stay.

    This is the rule of returns: what the parcel cost was paid, whatever is known of the order.
    """
    counted = {o.order_id: o.is_counted for o in all_orders(tables) if o.order_id is not None}
    return [row for row in table(tables, "shipments") if counted.get(row.get("order_id"), True)]


def parcels_in(tables: Tables, period: Period) -> list[Row]:
    """Pick the parcels that left in the period."""
    return [row for row in parcels(tables) if inside(row.get("shipped_at"), period)]


def product_costs(tables: Tables) -> dict[Any, Value]:
    """The present unit cost of each product."""
    return {
        row["product_id"]: row.get("unit_cost")
        for row in table(tables, "products")
        if row.get("product_id") is not None
    }


def with_known_costs(tables: Tables) -> Tables:
    """Give lines that come without a column of costs the costs of their products."""
    lines = table(tables, "order_lines")
    if "products" not in tables or has_column(lines, "unit_cost"):
        return tables
    cost_of = product_costs(tables)
    filled = [{**line, "unit_cost": cost_of.get(line.get("product_id"))} for line in lines]
    return {**tables, "order_lines": filled}


def gross_profit(tables: Tables, period: Period) -> Value:
    """Net sales less the cost of the goods, costs looked up in the products where need be."""
    return gross_profit_of_lines(with_known_costs(tables), period)


def share_of_net_sales(amount: Value, tables: Tables, period: Period) -> float | None:
    """Divide by net sales; None unless they are above zero.

    The words say so of the gross margin alone. A share of negative sales lies outside the bounds
    that the other shares declare, so the same is done with them.
    """
    net = net_sales(tables, period)
    return ratio(amount, net) if net > 0 else None


# --- profit --------------------------------------------------------------------------------------


def gross_profit_per_order(tables: Tables, period: Period) -> float | None:
    """Gross profit per counted order."""
    return ratio(gross_profit(tables, period), orders(tables, period))


def contribution_margin(tables: Tables, period: Period) -> Value:
    """Gross profit less what it took to deliver, plus what customers paid for delivery.

    Each amount falls on its own day: fees, fulfilment and shipping paid by customers on the day
    of the order, shipping cost when the parcel left, handling when the return came in. An amount
    that is not known is passed over; only an unknown cost of goods makes the value None.
    Shipping that was refunded is not taken off.
    """
    rows = [row for _, row in counted_rows_in(tables, period)]
    costs = (
        total(row.get("shipping_cost") for row in parcels_in(tables, period))
        + total(row.get("fulfilment_cost") for row in rows)
        + total(row.get("payment_fee") for row in rows)
        + total(row.get("handling_cost") for row in counted_returns_in(tables, period))
    )
    paid_for_delivery = total(row.get("shipping_amount") for row in rows)
    return minus(gross_profit(tables, period), costs - paid_for_delivery)


def contribution_margin_after_marketing(tables: Tables, period: Period) -> Value:
    """Contribution margin less ad spend and less marketing costs known to be variable."""
    variable = marketing_costs(tables, period, lambda row: is_true(row.get("is_variable")))
    return minus(contribution_margin(tables, period), ad_spend(tables, period) + variable)


def contribution_margin_ratio(tables: Tables, period: Period) -> float | None:
    """Contribution margin as a share of net sales; None unless these are above zero."""
    return share_of_net_sales(contribution_margin(tables, period), tables, period)


# --- advertising ---------------------------------------------------------------------------------


def marketing_costs(
    tables: Tables, period: Period, keep: Callable[[Row], bool] = lambda _: True
) -> Number:
    """Costs falling on the period's days, each cost spread evenly over its own days."""
    result: Number = 0
    for row in table(tables, "marketing_costs"):
        first, last = midnight(row.get("period_start")), midnight(row.get("period_end"))
        amount = row.get("amount")
        if not keep(row) or first is None or last is None or amount is None or last < first:
            continue
        own_days = [first + n * DAY for n in range((last - first).days + 1)]
        result += amount * len([day for day in own_days if inside(day, period)]) / len(own_days)
    return result


def all_marketing(tables: Tables, period: Period) -> Number:
    """Ad spend and every other marketing cost, whatever its purpose."""
    return ad_spend(tables, period) + marketing_costs(tables, period)


def claimed(tables: Tables, period: Period, column: str) -> Value:
    """Add up what one platform claims for itself; None if several claim something.

    A row of which the number is null claims nothing; a platform that is null is none.
    """
    rows = [row for row in campaign_rows(tables, period) if row.get(column) is not None]
    if len({row.get("platform") for row in rows} - {None}) > 1:
        return None
    return total(row[column] for row in rows)


def paid_orders(tables: Tables, period: Period, paid_channels: Collection[str]) -> list[Order]:
    """Counted orders that the shop's own attribution credits to a channel of advertising."""
    return [
        order
        for order, row in counted_rows_in(tables, period)
        if row.get("attributed_channel") in paid_channels
    ]


def order_attributed_return_on_ad_spend(
    tables: Tables, period: Period, paid_channels: Collection[str] = PAID_CHANNELS
) -> float | None:
    """Sales after discounts that the shop itself credits to advertising, per unit of spend.

    At order time, as the order values: returns stay out. Platforms may be added here, because an
    order is credited once.
    """
    value = revenue_before_returns(paid_orders(tables, period, paid_channels))
    return ratio(value, ad_spend(tables, period))


def marketing_efficiency_ratio(tables: Tables, period: Period) -> float | None:
    """Net sales per unit of all marketing cost; negative where net sales are."""
    return ratio(net_sales(tables, period), all_marketing(tables, period))


def media_efficiency_ratio(tables: Tables, period: Period) -> float | None:
    """Net sales per unit of ad spend alone."""
    return ratio(net_sales(tables, period), ad_spend(tables, period))


def advertising_cost_of_sales(tables: Tables, period: Period) -> float | None:
    """Spend per unit of conversion value; None if several platforms report conversion value."""
    return ratio(ad_spend(tables, period), claimed(tables, period, "conversion_value"))


def total_advertising_cost_of_sales(tables: Tables, period: Period) -> float | None:
    """Spend as a share of all net sales; None unless these are above zero."""
    return share_of_net_sales(ad_spend(tables, period), tables, period)


def attributed_gross_profit(tables: Tables, period: Period) -> Value:
    """Gross profit on counted orders credited to any campaign, advertised or not.

    Returns in the period are taken off where their order is known to be such an order.
    """
    tables = with_known_costs(tables)
    credited = {
        order.order_id
        for order, row in order_rows(tables)
        if order.is_counted and row.get("attributed_campaign") is not None
    } - {None}
    sold = [
        order
        for order, row in counted_rows_in(tables, period)
        if row.get("attributed_campaign") is not None
    ]
    returned = [r for r in counted_returns_in(tables, period) if r.get("order_id") in credited]
    refunds = total(row.get("refund_amount") for row in returned)
    cost = minus(cost_of_lines(sold), cost_of_restocked(tables, returned))
    return minus(revenue_before_returns(sold) - refunds, cost)


def marketing_roi(tables: Tables, period: Period) -> float | None:
    """Profit credited to campaigns, less all marketing cost, per unit of that cost."""
    cost = all_marketing(tables, period)
    return ratio(minus(attributed_gross_profit(tables, period), cost), cost)


def marketing_roi_on_revenue(tables: Tables, period: Period) -> float | None:
    """Return on ad spend less one, with the revenue that the shop itself credits to ads."""
    return minus(order_attributed_return_on_ad_spend(tables, period), 1)


def cost_per_acquisition(tables: Tables, period: Period) -> float | None:
    """Spend per conversion of any kind; None if several platforms report conversions."""
    return ratio(ad_spend(tables, period), claimed(tables, period, "conversions"))


# --- winning customers ---------------------------------------------------------------------------


def acquisition_cost(
    tables: Tables,
    period: Period,
    *,
    is_fully_loaded: bool = True,
    has_discounts: bool = False,
    lag: timedelta = timedelta(0),
) -> float | None:
    """What winning a customer costs.

    Discounts are those on the first orders placed in the period. With a lag, the money was spent
    that much earlier than the orders came in.
    """
    spent = Period(period.start - lag, period.end - lag)
    cost = ad_spend(tables, spent)
    if is_fully_loaded:
        cost += marketing_costs(tables, spent, lambda row: row.get("purpose") == "acquisition")
    if has_discounts:
        firsts = [o for o, _ in counted_rows_in(tables, period) if o.order_number == 1]
        cost += total(order.discount for order in firsts)
    return ratio(cost, new_customers(tables, period))


def media_acquisition_cost(tables: Tables, period: Period) -> float | None:
    """Ad spend alone, per new customer."""
    return acquisition_cost(tables, period, is_fully_loaded=False)


def acquisition_cost_with_discounts(tables: Tables, period: Period) -> float | None:
    """All acquisition cost and the discounts on first orders, per new customer."""
    return acquisition_cost(tables, period, has_discounts=True)


def paid_cac(
    tables: Tables, period: Period, paid_channels: Collection[str] = PAID_CHANNELS
) -> float | None:
    """Ad spend per new customer whose first order is credited to advertising."""
    firsts = [o for o in paid_orders(tables, period, paid_channels) if o.order_number == 1]
    return ratio(ad_spend(tables, period), len(customer_keys(firsts)))


# --- value by customer and time ------------------------------------------------------------------

Entry = tuple[Any, datetime, Value]
"""A customer, a moment and an amount; the amount None is an unknown cost of goods."""


def first_orders(tables: Tables) -> dict[Any, datetime]:
    """When each known customer's first counted order was placed, over the whole history.

    A column of first orders that is supplied wins, as where only part of a shop is looked at.
    """
    supplies = has_column(table(tables, "orders"), "first_order_at")
    firsts: dict[Any, datetime] = {}
    for order, row in order_rows(tables):
        moment = row.get("first_order_at") if supplies else order.ordered_at
        if not order.is_counted or order.customer_key is None or moment is None:
            continue
        firsts[order.customer_key] = min(moment, firsts.get(order.customer_key, moment))
    return firsts


def ledger(tables: Tables, basis: Basis) -> list[Entry]:
    """List all that known customers brought in or cost, each on its own day.

    What has no time falls on no day. Amounts that are null are passed over, costs of goods not.
    """
    tables = with_known_costs(tables)
    customer_of = {
        o.order_id: o.customer_key
        for o in identified(all_orders(tables))
        if o.is_counted and o.order_id is not None
    }
    entries: list[tuple[Any, datetime | None, Value]] = []
    for order, row in order_rows(tables):
        if not order.is_counted or order.customer_key is None:
            continue
        amount: Value = revenue_before_returns([order])
        if basis != "revenue":
            amount = minus(amount, cost_of_lines([order]))
        if basis == "contribution_margin":
            fees = total([row.get("payment_fee"), row.get("fulfilment_cost")])
            amount = minus(amount, fees - total([row.get("shipping_amount")]))
        entries.append((order.customer_key, order.ordered_at, amount))
    for row in counted_returns(tables):
        if row.get("order_id") not in customer_of:
            continue
        amount = -total([row.get("refund_amount")])
        if basis != "revenue":
            amount = strict_total([amount, cost_of_restocked(tables, [row])])
        if basis == "contribution_margin":
            amount = minus(amount, total([row.get("handling_cost")]))
        entries.append((customer_of[row["order_id"]], row.get("returned_at"), amount))
    if basis == "contribution_margin":
        for row in parcels(tables):
            if row.get("order_id") in customer_of:
                cost = total([row.get("shipping_cost")])
                entries.append((customer_of[row["order_id"]], row.get("shipped_at"), -cost))
    return [(key, moment, amount) for key, moment, amount in entries if moment is not None]


def identified_contribution_margin(tables: Tables, period: Period) -> Value:
    """What known customers brought in and cost in the period; null if a cost of goods is."""
    entries = ledger(tables, "contribution_margin")
    return strict_total(amount for _, moment, amount in entries if inside(moment, period))


def cac_payback_period(tables: Tables, period: Period) -> float | None:
    """The first month in which those won in the period have brought in what winning them cost.

    Months are calendar months counted from each customer's own, which is month 0. A month counts
    once it is over for all of them; None if none of these suffices, or if a cost of goods on the
    way is unknown.
    """
    cost = fully_loaded_acquisition_cost(tables, period)
    won = {key: moment for key, moment in first_orders(tables).items() if inside(moment, period)}
    known = known_until(tables)
    if cost is None or not won or known is None:
        return None
    months_after = [
        (month_number(moment) - month_number(won[key]), amount)
        for key, moment, amount in ledger(tables, "contribution_margin")
        if key in won
    ]
    latest = max(month_number(moment) for moment in won.values())
    after = 0
    while month_start(latest + after + 1) <= known:
        so_far = strict_total(amount for month, amount in months_after if month <= after)
        per_customer = ratio(so_far, len(won))
        if per_customer is None:
            return None
        if per_customer >= cost:
            return after
        after += 1
    return None


def cac_payback_quotient(tables: Tables, period: Period) -> float | None:
    """Acquisition cost over what the period brings in per month and customer won so far.

    A month is a twelfth of 365 days, and whoever ever ordered was won, active or not. None where
    customers bring in nothing or less: they never pay back.
    """
    won = customer_keys(counted_orders_to_date(tables, period))
    brought = identified_contribution_margin(tables, period)
    monthly = ratio(ratio(brought, len(won)), days(period) * 12 / 365)
    if monthly is None or monthly <= 0:
        return None
    return ratio(fully_loaded_acquisition_cost(tables, period), monthly)


PROFIT_ORACLES: dict[str, Callable[[Tables, Period], Value]] = {
    "gross_profit_per_order": gross_profit_per_order,
    "contribution_margin": contribution_margin,
    "contribution_margin_after_marketing": contribution_margin_after_marketing,
    "contribution_margin_ratio": contribution_margin_ratio,
    "identified_contribution_margin": identified_contribution_margin,
    "return_on_ad_spend.order_attributed": order_attributed_return_on_ad_spend,
    "marketing_efficiency_ratio": marketing_efficiency_ratio,
    "marketing_efficiency_ratio.media_only": media_efficiency_ratio,
    "advertising_cost_of_sales": advertising_cost_of_sales,
    "advertising_cost_of_sales.total": total_advertising_cost_of_sales,
    "marketing_roi": marketing_roi,
    "marketing_roi.revenue": marketing_roi_on_revenue,
    "cost_per_acquisition": cost_per_acquisition,
    "customer_acquisition_cost.media": media_acquisition_cost,
    "customer_acquisition_cost.with_discounts": acquisition_cost_with_discounts,
    "paid_cac": paid_cac,
    "cac_payback_period": cac_payback_period,
    "cac_payback_period.quotient": cac_payback_quotient,
}

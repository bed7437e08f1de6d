"""Plain-Python second opinion on the KPIs of sales, baskets and returns.

Where the words leave a choice, the docstring says which one was made.
"""

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

from oracle.words import (
    Number,
    Order,
    Period,
    Row,
    Tables,
    Value,
    all_orders,
    as_of,
    counted_orders,
    counted_returns,
    counted_returns_in,
    customers,
    discounts,
    goods_returned,
    gross_sales,
    identified,
    inside,
    is_product_line,
    is_true,
    minus,
    net_sales,
    of_identified_orders,
    orders,
    ratio,
    revenue_before_returns,
    table,
    total,
    unique_visitors,
    units_sold,
)
from oracle.words_visits import events_called, quantile

RETURN_WINDOW = timedelta(days=30)
PRIMARY = frozenset({"p1"})
ATTACHED = frozenset({"p2"})
CHARGES = ("shipping_amount", "tax_amount", "duties_amount", "fees_amount")


def sales_before_returns(tables: Tables, period: Period) -> Number:
    """Gross sales less discounts at order time (a building block, not a KPI)."""
    return gross_sales(tables, period) - discounts(tables, period)


def counted_rows(tables: Tables, period: Period) -> list[Row]:
    """Pick the rows, as supplied, of the counted orders of the period."""
    return [
        row
        for row, order in zip(table(tables, "orders"), all_orders(tables), strict=True)
        if order.is_counted and inside(order.ordered_at, period)
    ]


def product_lines(order: Order) -> list[Row]:
    """Pick an order's lines that sell a product."""
    return [line for line in order.lines if is_product_line(line)]


def share_of_orders(found: list[Order], condition: Callable[[Order], bool]) -> float | None:
    """Share of the orders of which a condition holds."""
    return ratio(len([order for order in found if condition(order)]), len(found))


# --- KPIs: revenue -------------------------------------------------------------------------------


def total_sales_with_refunded_charges(tables: Tables, period: Period) -> Number:
    """Net sales, and what counted orders were charged for shipping, tax, duties and fees."""
    rows = counted_rows(tables, period)
    charges = total(row.get(name) for row in rows for name in CHARGES)
    return net_sales(tables, period) + charges


def total_sales(tables: Tables, period: Period) -> Number:
    """Net sales and charges, less the shipping and tax given back for returns of the period.

    Refunded shipping and tax belong to the lines of shipping and tax; unknown amounts are none.
    """
    returned = counted_returns_in(tables, period)
    refunded = total(row.get(n) for row in returned for n in ("refund_shipping", "refund_tax"))
    return total_sales_with_refunded_charges(tables, period) - refunded


def units_sold_net(tables: Tables, period: Period) -> Number:
    """Pieces sold less pieces that came back during the period, whenever they were sold."""
    returned = total(
        row.get("quantity") for row in goods_returned(counted_returns_in(tables, period))
    )
    return units_sold(tables, period) - returned


def returns_value_by_order_date(tables: Tables, period: Period) -> Number:
    """Refunds of the counted orders placed in the period, whenever they came back."""
    return total(
        row.get("refund_amount") for row in returns_of(tables, period_orders(tables, period))
    )


def period_orders(tables: Tables, period: Period) -> set[Any]:
    """Give the ids of the counted orders of the period."""
    return {order.order_id for order in counted_orders(tables, period)} - {None}


def returns_of(tables: Tables, order_ids: set[Any]) -> list[Row]:
    """Pick the counted returns of orders, whenever they came back, also at an unknown time."""
    return [row for row in counted_returns(tables) if row.get("order_id") in order_ids]


def sales_growth_rate(tables: Tables, period: Period) -> float | None:
    """Change of net sales against the previous period, relative to its size.

    The period that is compared to is the caller's to cut where the later one is not over.
    """
    if period.previous is None:
        return None
    before, now = net_sales(tables, period.previous), net_sales(tables, period)
    return ratio(now - before, abs(before))


def average_revenue_per_user(tables: Tables, period: Period) -> float | None:
    """Net sales, of all channels, per known visitor."""
    return ratio(net_sales(tables, period), unique_visitors(tables, period))


def average_revenue_per_customer(tables: Tables, period: Period) -> float | None:
    """Net sales to known customers per customer with an order in the period.

    Returns that came in during the period are taken off if their order is a known customer's,
    whenever it was placed; returns of orders that are not in the data are not.
    """
    sold = revenue_before_returns(identified(counted_orders(tables, period)))
    returned = of_identified_orders(tables, counted_returns_in(tables, period))
    net = sold - total(row.get("refund_amount") for row in returned)
    return ratio(net, customers(tables, period))


# --- KPIs: order values --------------------------------------------------------------------------


def order_values(tables: Tables, period: Period) -> list[Value]:
    """Give each counted order's value after discounts; unknown if a part of it is."""
    return [minus(order.gross, order.discount) for order in counted_orders(tables, period)]


def median_order_value(tables: Tables, period: Period) -> float | None:
    """Median value after discounts of the counted orders of which it is known, free ones too."""
    return quantile(order_values(tables, period), 0.5)


def average_order_value_of_total_sales(tables: Tables, period: Period) -> float | None:
    """Total sales, less the period's returns, per counted order."""
    return ratio(total_sales(tables, period), orders(tables, period))


def average_order_value_without_returned(tables: Tables, period: Period) -> float | None:
    """Net sales per counted order that was not returned.

    An order is returned if any return of it came in during the period, also of an earlier order.
    Nothing where no order is left.
    """
    returned = {row.get("order_id") for row in counted_returns_in(tables, period)} - {None}
    kept = orders(tables, period) - len(returned)
    return ratio(net_sales(tables, period), kept) if kept > 0 else None


def average_order_value_of_purchase_events(tables: Tables, period: Period) -> float | None:
    """What purchase events say they are worth, per purchase event."""
    events = events_called(tables, period, {"purchase"})
    return ratio(total(event.get("value") for event in events), len(events))


def average_order_value_without_free(tables: Tables, period: Period) -> float | None:
    """Mean value after discounts of the counted orders that cost anything.

    An order of unknown value is no free one, and brings in what is known of it.
    """
    paid = [
        order
        for order in counted_orders(tables, period)
        if (value := minus(order.gross, order.discount)) is None or value > 0
    ]
    return ratio(revenue_before_returns(paid), len(paid))


def average_unit_retail(tables: Tables, period: Period) -> float | None:
    """Sales after discounts per piece sold."""
    return ratio(sales_before_returns(tables, period), units_sold(tables, period))


def units_per_transaction_net(tables: Tables, period: Period) -> float | None:
    """Pieces sold less pieces returned, per counted order."""
    return ratio(units_sold_net(tables, period), orders(tables, period))


def discount_rate(tables: Tables, period: Period) -> float | None:
    """Discounts as a share of gross sales."""
    return ratio(discounts(tables, period), gross_sales(tables, period))


# --- KPIs: offers and baskets --------------------------------------------------------------------


def offer_take_rate(tables: Tables, period: Period, kind: str) -> float | None:
    """Offers of a kind accepted in the period per offer of the kind shown in it.

    Every event counts, not every different offer; an offer of unknown kind is of none.
    """
    shown = [
        e for e in events_called(tables, period, {"offer_shown"}) if e.get("offer_type") == kind
    ]
    accepted = [
        e for e in events_called(tables, period, {"offer_accepted"}) if e.get("offer_type") == kind
    ]
    return ratio(len(accepted), len(shown))


def upsell_rate(tables: Tables, period: Period) -> float | None:
    """Upsell offers accepted per upsell offer shown; without offers nothing, never orders."""
    return offer_take_rate(tables, period, "upsell")


def share_with_line(tables: Tables, period: Period, flag: str) -> float | None:
    """Share of the counted orders with a line of a kind; a line of unknown kind is not."""
    return share_of_orders(
        counted_orders(tables, period),
        lambda order: any(is_true(line.get(flag)) for line in order.lines),
    )


def upsell_rate_of_orders(tables: Tables, period: Period) -> float | None:
    """Share of the counted orders with an upsell line."""
    return share_with_line(tables, period, "is_upsell")


def cross_sell_rate(tables: Tables, period: Period) -> float | None:
    """Share of the counted orders with a cross-sell line: the store's rate, of no product."""
    return share_with_line(tables, period, "is_cross_sell")


def cross_sell_rate_of_offers(tables: Tables, period: Period) -> float | None:
    """Cross-sell offers accepted per cross-sell offer shown."""
    return offer_take_rate(tables, period, "cross_sell")


def products_of(order: Order) -> set[Any]:
    """Collect the known products of an order, whatever their quantity."""
    return {line.get("product_id") for line in product_lines(order)} - {None}


def orders_containing(tables: Tables, period: Period, products: Collection[Any]) -> list[Order]:
    """Pick the counted orders that contain one of the products."""
    return [o for o in counted_orders(tables, period) if products_of(o) & set(products)]


def cross_sell_rate_of_product(
    tables: Tables, period: Period, *, products: Collection[Any] = PRIMARY
) -> float | None:
    """Share of the counted orders with a product that contain another one too."""
    return share_of_orders(
        orders_containing(tables, period, products),
        lambda order: bool(products_of(order) - set(products)),
    )


def is_sold_across(line: Row) -> bool:
    """Tell whether a line is known to be a cross-sell."""
    return is_true(line.get("is_cross_sell"))


def is_not_sold_across(line: Row) -> bool:
    """Tell whether a line is known to be none; of an unknown line neither is known."""
    return line.get("is_cross_sell") is not None and not is_sold_across(line)


def attach_rate(tables: Tables, period: Period) -> float | None:
    """Share of the counted orders with a product of one's own that have a cross-sold one too."""
    found = [
        order
        for order in counted_orders(tables, period)
        if any(map(is_not_sold_across, product_lines(order)))
    ]
    return share_of_orders(found, lambda order: any(map(is_sold_across, product_lines(order))))


def attach_rate_of_units(tables: Tables, period: Period) -> float | None:
    """Cross-sold pieces in counted orders with a line of the customer's own, per piece of those."""
    baskets = [product_lines(order) for order in counted_orders(tables, period)]
    lines = [line for basket in baskets if any(map(is_not_sold_across, basket)) for line in basket]
    added = total(line.get("quantity") for line in lines if is_sold_across(line))
    return ratio(added, total(line.get("quantity") for line in lines if is_not_sold_across(line)))


def attach_rate_of_products(
    tables: Tables,
    period: Period,
    *,
    primary: Collection[Any] = PRIMARY,
    attached: Collection[Any] = ATTACHED,
) -> float | None:
    """Share of the counted orders with a primary product that contain an attached one too."""
    return share_of_orders(
        orders_containing(tables, period, primary),
        lambda order: bool(products_of(order) & set(attached)),
    )


# --- KPIs: returns -------------------------------------------------------------------------------


def returnable_orders(tables: Tables, period: Period, window: timedelta) -> list[Order]:
    """Pick the counted orders of the period whose return window is over by the end of the data."""
    now = as_of(tables)
    return [
        order
        for order in counted_orders(tables, period)
        if order.ordered_at is not None and now is not None and order.ordered_at + window <= now
    ]


def ids_of(found: list[Order]) -> set[Any]:
    """Collect the ids of orders."""
    return {order.order_id for order in found} - {None}


def pieces(found: list[Order]) -> Number:
    """Add up the pieces on the product lines of orders."""
    return total(line.get("quantity") for order in found for line in product_lines(order))


def return_rate(
    tables: Tables, period: Period, *, window: timedelta = RETURN_WINDOW
) -> float | None:
    """Pieces returned of the period's orders, once they had their time, per piece sold in them.

    Returns count whenever they came in, also after the window; refunds and chargebacks count
    with the quantity that they state.
    """
    cohort = returnable_orders(tables, period, window)
    returned = returns_of(tables, ids_of(cohort))
    return ratio(total(row.get("quantity") for row in goods_returned(returned)), pieces(cohort))


def order_return_rate(
    tables: Tables, period: Period, *, window: timedelta = RETURN_WINDOW
) -> float | None:
    """Share of the period's orders, once they had their time, of which anything was returned."""
    cohort = returnable_orders(tables, period, window)
    returned = {row["order_id"] for row in returns_of(tables, ids_of(cohort))}
    return ratio(len(returned), len(cohort))


def value_return_rate(
    tables: Tables, period: Period, *, window: timedelta = RETURN_WINDOW
) -> float | None:
    """Money refunded of the period's orders, once they had their time, per discounted sales."""
    cohort = returnable_orders(tables, period, window)
    refunds = total(row.get("refund_amount") for row in returns_of(tables, ids_of(cohort)))
    return ratio(refunds, revenue_before_returns(cohort))


def value_return_rate_of_gross(
    tables: Tables, period: Period, *, window: timedelta = RETURN_WINDOW
) -> float | None:
    """Money refunded of the period's orders, once they had their time, per gross sales."""
    cohort = returnable_orders(tables, period, window)
    refunds = total(row.get("refund_amount") for row in returns_of(tables, ids_of(cohort)))
    return ratio(refunds, total(order.gross for order in cohort))


def return_rate_flow(tables: Tables, period: Period) -> float | None:
    """Pieces that came back during the period per piece sold in it."""
    returned = counted_returns_in(tables, period)
    back = total(row.get("quantity") for row in goods_returned(returned))
    return ratio(back, units_sold(tables, period))


def order_return_rate_flow(tables: Tables, period: Period) -> float | None:
    """Different orders of which anything came back in the period per order placed in it."""
    returned = {row.get("order_id") for row in counted_returns_in(tables, period)} - {None}
    return ratio(len(returned), orders(tables, period))


def value_return_rate_flow(tables: Tables, period: Period) -> float | None:
    """Money refunded in the period per sales after discounts in it."""
    refunds = total(row.get("refund_amount") for row in counted_returns_in(tables, period))
    return ratio(refunds, sales_before_returns(tables, period))


def cancellation_rate(tables: Tables, period: Period) -> float | None:
    """Share of the orders placed in the period, test orders apart, that were cancelled.

    Voided, deleted and draft orders are not cancelled and stay in the base, as gift cards do. An
    order of unknown status is in neither. No policy has a say.
    """
    placed = [
        row.get("status")
        for row in table(tables, "orders")
        if inside(row.get("ordered_at"), period) and row.get("status") not in (None, "test")
    ]
    return ratio(placed.count("cancelled"), len(placed))


def cancellation_rate_of_placed(tables: Tables, period: Period) -> float | None:
    """The same, but drafts and deleted orders were never placed."""
    placed = [
        row.get("status")
        for row in table(tables, "orders")
        if inside(row.get("ordered_at"), period)
        and row.get("status") not in (None, "test", "draft", "deleted")
    ]
    return ratio(placed.count("cancelled"), len(placed))


SALES_ORACLES: dict[str, Callable[[Tables, Period], Value]] = {
    **{
        kpi.__name__: kpi
        for kpi in (
            total_sales,
            median_order_value,
            average_unit_retail,
            discount_rate,
            average_revenue_per_user,
            average_revenue_per_customer,
            sales_growth_rate,
            upsell_rate,
            cross_sell_rate,
            attach_rate,
            return_rate,
            order_return_rate,
            value_return_rate,
            cancellation_rate,
        )
    },
    "total_sales.with_refunded_charges": total_sales_with_refunded_charges,
    "units_sold.net": units_sold_net,
    "returns_value.by_order_date": returns_value_by_order_date,
    "average_order_value.total_sales": average_order_value_of_total_sales,
    "average_order_value.without_returned": average_order_value_without_returned,
    "average_order_value.purchase_events": average_order_value_of_purchase_events,
    "average_order_value.without_free": average_order_value_without_free,
    "units_per_transaction.net": units_per_transaction_net,
    "upsell_rate.orders": upsell_rate_of_orders,
    "cross_sell_rate.offers": cross_sell_rate_of_offers,
    "cross_sell_rate.product": cross_sell_rate_of_product,
    "attach_rate.of_products": attach_rate_of_products,
    "attach_rate.units": attach_rate_of_units,
    "return_rate.flow": return_rate_flow,
    "order_return_rate.flow": order_return_rate_flow,
    "value_return_rate.flow": value_return_rate_flow,
    "value_return_rate.gross": value_return_rate_of_gross,
    "cancellation_rate.placed": cancellation_rate_of_placed,
}

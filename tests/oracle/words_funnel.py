"""Plain-Python second opinion on the KPIs of the funnel, from the visit to the purchase.

Where the words leave a choice, the docstring says which one was made. Times are in seconds.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any

from oracle.words import (
    Order,
    Period,
    Row,
    Tables,
    Value,
    all_orders,
    campaign_rows,
    counted_orders,
    has_column,
    inside,
    orders_per_session,
    ratio,
    sessions,
    table,
    total,
)
from oracle.words_visits import (
    Visit,
    distinct_visitors,
    distinct_visits,
    events_called,
    human_events,
    human_visits,
    is_key_event,
    mean,
    quantile,
    share_of_visits,
    visit_numbers,
    visits_in,
)

Pair = tuple[Any, Any]


# --- orders and who placed them ------------------------------------------------------------------


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Sort events by time, then id; those of unknown time come last."""
    return sorted(
        rows,
        key=lambda row: (
            row.get("occurred_at") is None,
            row.get("occurred_at") or datetime.min,
            str(row.get("event_id")),
        ),
    )


def orders_with_visitor(tables: Tables) -> list[tuple[Order, Any]]:
    """Pair every order of the history with its visitor.

    The visitor is that of the order's visit, also of a bot's, else that of the first purchase
    event that names the order.
    """
    rows = table(tables, "orders")
    of_session = {row.get("session_id"): row.get("visitor_id") for row in table(tables, "sessions")}
    of_session.pop(None, None)
    of_order: dict[Any, Any] = {}
    for event in in_order(table(tables, "events")):
        if event.get("event_name") == "purchase" and event.get("visitor_id") is not None:
            of_order.setdefault(event.get("order_id"), event["visitor_id"])
    of_order.pop(None, None)
    supplied = has_column(rows, "visitor_id")
    result: list[tuple[Order, Any]] = []
    for row, order in zip(rows, all_orders(tables), strict=True):
        visitor = row.get("visitor_id")
        if not supplied:
            visitor = of_session.get(row.get("session_id"))
            if visitor is None:
                visitor = of_order.get(row.get("order_id"))
        result.append((order, visitor))
    return result


# --- KPIs: conversion ----------------------------------------------------------------------------


def visitor_conversion_rate(tables: Tables, period: Period) -> float | None:
    """Share of the period's visitors with a visit that led to a purchase, whenever paid."""
    visits = visits_in(tables, period)
    buying = [visit for visit in visits if visit.has_purchase]
    return ratio(distinct_visitors(buying), distinct_visitors(visits))


def visitor_conversion_rate_by_order(tables: Tables, period: Period) -> float | None:
    """Visitors with a counted order of the period per visitor with a human visit in the period.

    A buyer without such a visit counts above the line alone.
    """
    buyers = {
        visitor
        for order, visitor in orders_with_visitor(tables)
        if order.is_counted and inside(order.ordered_at, period)
    }
    return ratio(len(buyers - {None}), distinct_visitors(visits_in(tables, period)))


def session_conversion_rate_all_orders(tables: Tables, period: Period) -> float | None:
    """Counted orders of all channels per human visit, as many pages have it."""
    return ratio(len(counted_orders(tables, period)), sessions(tables, period))


def is_goal(tables: Tables, goals: Collection[str] | None) -> Callable[[Row], bool]:
    """Tell the events that are goals: those named, else all key events."""
    if goals is None:
        return is_key_event(tables)
    return lambda row: row.get("event_name") in goals


def goal_visits(visits: list[Visit], goals: Collection[str] | None) -> list[Visit]:
    """Pick the visits with a goal among their events, whenever in the visit it was reached."""
    if goals is None:
        return [visit for visit in visits if visit.has_key_event]
    return [visit for visit in visits if visit.event_names & set(goals)]


def goal_conversion_rate(
    tables: Tables, period: Period, *, goals: Collection[str] | None = None
) -> float | None:
    """Share of the human visits in which a goal was reached; all key events are goals."""
    visits = visits_in(tables, period)
    return ratio(distinct_visits(goal_visits(visits, goals)), distinct_visits(visits))


def goal_conversion_rate_of_visitors(
    tables: Tables, period: Period, *, goals: Collection[str] | None = None
) -> float | None:
    """Share of the known visitors who reached a goal in a visit begun in the period."""
    visits = visits_in(tables, period)
    return ratio(distinct_visitors(goal_visits(visits, goals)), distinct_visitors(visits))


def goal_conversion_rate_of_goals(
    tables: Tables, period: Period, *, goals: Collection[str] | None = None
) -> float | None:
    """Goals reached in the period, every time, per human visit."""
    holds = is_goal(tables, goals)
    reached = [row for row in human_events(tables, period) if holds(row)]
    return ratio(len(reached), sessions(tables, period))


def ad_conversion_rate(tables: Tables, period: Period) -> float | None:
    """Conversions per click; nothing if several platforms report conversions."""
    rows = campaign_rows(tables, period)
    reporting = [row for row in rows if row.get("conversions") is not None]
    if len({row.get("platform") for row in reporting} - {None}) > 1:
        return None
    clicks = total(row.get("clicks") for row in rows)
    return ratio(total(row["conversions"] for row in reporting), clicks)


# --- KPIs: products ------------------------------------------------------------------------------


def pairs(rows: Iterable[Row]) -> set[Pair]:
    """Collect the pairs of visitor and product, both known."""
    found = {(row.get("visitor_id"), row.get("product_id")) for row in rows}
    return {pair for pair in found if None not in pair}


def purchases(tables: Tables, period: Period) -> list[Row]:
    """Pick the purchase events of the period, but those of an order known not to count."""
    is_counted = {order.order_id: order.is_counted for order in all_orders(tables)}
    return [
        row
        for row in events_called(tables, period, {"purchase"})
        if row.get("order_id") is None or is_counted.get(row["order_id"], True)
    ]


def cart_to_view_rate(tables: Tables, period: Period) -> float | None:
    """Share of the pairs of visitor and viewed product that were also put in the cart.

    Both happened in the period, in whatever order, in whichever visits.
    """
    viewed = pairs(events_called(tables, period, {"view_item"}))
    added = pairs(events_called(tables, period, {"add_to_cart"}))
    return ratio(len(viewed & added), len(viewed))


def cart_to_view_rate_of_quantities(tables: Tables, period: Period) -> float | None:
    """Pieces put in the cart per product view; an unknown number of pieces adds none."""
    added = events_called(tables, period, {"add_to_cart"})
    views = events_called(tables, period, {"view_item"})
    return ratio(total(row.get("quantity") for row in added), len(views))


def purchase_to_view_rate(tables: Tables, period: Period) -> float | None:
    """Share of the pairs of visitor and viewed product that were also bought.

    What was bought is read from purchase events that name a product, not from order lines.
    """
    viewed = pairs(events_called(tables, period, {"view_item"}))
    return ratio(len(viewed & pairs(purchases(tables, period))), len(viewed))


# --- KPIs: steps ---------------------------------------------------------------------------------


def step_conversion_rate(
    tables: Tables, period: Period, *, start: str, to: str | None = None
) -> float | None:
    """Share of the human visits with a flag that have another flag too."""
    visits = [visit for visit in visits_in(tables, period) if getattr(visit, start)]
    reached = [visit for visit in visits if to is None or getattr(visit, to)]
    return ratio(distinct_visits(reached), distinct_visits(visits))


def add_to_cart_rate(tables: Tables, period: Period) -> float | None:
    """Share of the human visits in which something was put in the cart."""
    return share_of_visits(tables, period, lambda visit: visit.has_add_to_cart)


def reached_checkout_rate(tables: Tables, period: Period) -> float | None:
    """Share of the human visits that reached the checkout, with a cart or without."""
    return share_of_visits(tables, period, lambda visit: visit.has_checkout)


def cart_to_checkout_rate(tables: Tables, period: Period) -> float | None:
    """Share of the human visits with a cart that reached the checkout."""
    return step_conversion_rate(tables, period, start="has_add_to_cart", to="has_checkout")


def product_page_to_checkout_rate(tables: Tables, period: Period) -> float | None:
    """Share of the human visits with a product view that reached the checkout, in any order."""
    return step_conversion_rate(tables, period, start="has_product_view", to="has_checkout")


def checkout_completion_rate(tables: Tables, period: Period) -> float | None:
    """Share of the human visits with a checkout that led to a purchase."""
    return step_conversion_rate(tables, period, start="has_checkout", to="has_purchase")


# --- KPIs: how long it takes ---------------------------------------------------------------------


def seconds_to_purchase(tables: Tables, period: Period) -> list[float]:
    """Seconds from the start of the visit to each counted order of the period; none negative."""
    started = {v.session_id: v.started_at for v in human_visits(tables)}
    result: list[float] = []
    for order in counted_orders(tables, period):
        start = started.get(order.session_id) if order.session_id is not None else None
        if start is not None and order.ordered_at is not None and order.ordered_at >= start:
            result.append((order.ordered_at - start).total_seconds())
    return result


def purchase_journey_duration(
    tables: Tables, period: Period, *, share: float = 0.5
) -> float | None:
    """Median seconds from the start of a human visit to its order.

    Each order counts, also the second of a visit, in the period in which it was placed.
    """
    return quantile(seconds_to_purchase(tables, period), share)


def purchase_journey_duration_p90(tables: Tables, period: Period) -> float | None:
    """Seconds in which nine of ten orders were placed."""
    return purchase_journey_duration(tables, period, share=0.9)


def purchase_journey_duration_mean(tables: Tables, period: Period) -> float | None:
    """Mean seconds from the start of a human visit to its order."""
    return mean(seconds_to_purchase(tables, period))


def seconds_to_first_purchase(tables: Tables, period: Period) -> list[float]:
    """Seconds from each new customer's first visit to their first order; none negative."""
    seen = {visit.session_id: visit.first_seen_at for visit in human_visits(tables)}
    seen.pop(None, None)
    result: list[float] = []
    for order in counted_orders(tables, period):
        at, start = order.ordered_at, seen.get(order.session_id)
        if order.order_number == 1 and at is not None and start is not None and at >= start:
            result.append((at - start).total_seconds())
    return result


def time_to_first_purchase(tables: Tables, period: Period) -> float | None:
    """Median seconds from first being seen to the first order of customers won in the period.

    A customer is first seen when the visitor of the visit of the first order is, in a human visit.
    """
    return quantile(seconds_to_first_purchase(tables, period), 0.5)


def time_to_first_purchase_mean(tables: Tables, period: Period) -> float | None:
    """Mean seconds from first being seen to the first order of customers won in the period."""
    return mean(seconds_to_first_purchase(tables, period))


def numbers_of_orders(tables: Tables) -> list[tuple[Order, Value, Value]]:
    """Give every order with the number of its visit, and that of the visitor's order before it.

    The order before is the last counted one placed in a numbered visit. A column that is there is
    taken as it is.
    """
    rows, numbers = table(tables, "orders"), visit_numbers(tables)
    found = orders_with_visitor(tables)
    if has_column(rows, "previous_session_number"):
        return [
            (order, row["session_number"], row["previous_session_number"])
            for row, (order, _) in zip(rows, found, strict=True)
        ]
    last: dict[Any, int] = {}
    before: dict[Any, Value] = {}
    timed = [(order, visitor) for order, visitor in found if order.ordered_at is not None]
    for order, visitor in sorted(timed, key=lambda pair: (pair[0].ordered_at, pair[0].order_id)):
        number = numbers.get(order.session_id)
        if order.is_counted and visitor is not None and number is not None:
            before[order.order_id] = last.get(visitor)
            last[visitor] = number
    return [
        (order, numbers.get(order.session_id), before.get(order.order_id)) for order, _ in found
    ]


def sessions_to_purchase(tables: Tables, period: Period) -> float | None:
    """Median number of a visitor's human visits from the previous counted order to an order.

    Visits count that began after that of the previous order and not after this one's, so that
    the second order of a visit took one: its own. An order without such a visit has no value.
    """
    counts = [
        max(1, number - (previous or 0))
        for order, number, previous in numbers_of_orders(tables)
        if order.is_counted and inside(order.ordered_at, period) and number is not None
    ]
    return quantile(counts, 0.5)


FUNNEL_ORACLES: dict[str, Callable[[Tables, Period], Value]] = {
    **{
        kpi.__name__: kpi
        for kpi in (
            visitor_conversion_rate,
            goal_conversion_rate,
            ad_conversion_rate,
            cart_to_view_rate,
            purchase_to_view_rate,
            add_to_cart_rate,
            reached_checkout_rate,
            cart_to_checkout_rate,
            product_page_to_checkout_rate,
            checkout_completion_rate,
            purchase_journey_duration,
            time_to_first_purchase,
            sessions_to_purchase,
        )
    },
    "session_conversion_rate.orders": orders_per_session,
    "session_conversion_rate.all_orders": session_conversion_rate_all_orders,
    "visitor_conversion_rate.by_order": visitor_conversion_rate_by_order,
    "goal_conversion_rate.visitors": goal_conversion_rate_of_visitors,
    "goal_conversion_rate.goals": goal_conversion_rate_of_goals,
    "cart_to_view_rate.quantities": cart_to_view_rate_of_quantities,
    "purchase_journey_duration.p90": purchase_journey_duration_p90,
    "purchase_journey_duration.mean": purchase_journey_duration_mean,
    "time_to_first_purchase.mean": time_to_first_purchase_mean,
}

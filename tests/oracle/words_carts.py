"""Plain-Python second opinion on the KPIs of carts.

A cart enters by its creation, once it had its time by the end of the data.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from oracle.words import (
    CART_GRACE,
    Number,
    Period,
    Row,
    Tables,
    Value,
    all_orders,
    as_of,
    has_column,
    inside,
    is_true,
    minus,
    ratio,
    table,
    total,
)
from oracle.words_funnel import checkout_completion_rate, step_conversion_rate

RECOVERY_WINDOW = timedelta(days=30)


# --- carts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cart:
    """One cart with everything that is derived about it."""

    cart_id: Any
    visitor_id: Any
    created_at: datetime | None
    value: Value
    is_filled: bool
    is_converted: bool
    converted_at: datetime | None
    checkout_started_at: datetime | None
    abandoned_at: datetime | None


def times_of_carts(tables: Tables, names: Collection[str] | None, pick: Any) -> dict[Any, datetime]:
    """Give one moment for each cart that events name."""
    moments: dict[Any, list[datetime]] = {}
    for row in table(tables, "events"):
        is_asked = names is None or row.get("event_name") in names
        if is_asked and row.get("cart_id") is not None and row.get("occurred_at") is not None:
            moments.setdefault(row["cart_id"], []).append(row["occurred_at"])
    return {cart: pick(found) for cart, found in moments.items()}


def orders_of_carts(tables: Tables, rows: list[Row]) -> dict[Any, list[datetime | None]]:
    """Give, by cart, when each of its orders was placed, if known.

    The order that a cart names converts it, unless it is known not to count; else the counted
    orders that name it.
    """
    orders = all_orders(tables)
    if has_column(rows, "order_id"):
        placed = {order.order_id: order.ordered_at for order in orders}
        void = {order.order_id for order in orders if not order.is_counted}
        return {
            row.get("cart_id"): [placed.get(row["order_id"])]
            for row in rows
            if row.get("order_id") is not None and row["order_id"] not in void
        }
    result: dict[Any, list[datetime | None]] = {}
    for order in orders:
        if order.is_counted and order.cart_id is not None:
            result.setdefault(order.cart_id, []).append(order.ordered_at)
    return result


def all_carts(tables: Tables, *, maturity: timedelta = CART_GRACE) -> list[Cart]:
    """Read every cart of the history, with its derived columns.

    A cart was abandoned the maturity after its last activity (that is its latest event, else its
    creation) if nobody knows of an order before then.
    """
    rows, now = table(tables, "carts"), as_of(tables)
    supplied = {name for row in rows for name in row}
    started = times_of_carts(tables, {"begin_checkout"}, min)
    active, ordered = times_of_carts(tables, None, max), orders_of_carts(tables, rows)
    result: list[Cart] = []
    for row in rows:
        cart_id, items = row.get("cart_id"), row.get("items")
        moments = [moment for moment in ordered.get(cart_id, []) if moment is not None]
        converted_at = min(moments, default=None)
        is_converted = cart_id in ordered
        if "is_converted" in supplied:
            is_converted = is_true(row.get("is_converted"))
        last = active.get(cart_id, row.get("created_at"))
        if "last_activity_at" in supplied:
            last = row.get("last_activity_at")
        abandoned_at = None if last is None else last + maturity
        if abandoned_at is not None:
            in_time = is_converted and (converted_at is None or converted_at < abandoned_at)
            if in_time or now is None or abandoned_at > now:
                abandoned_at = None
        result.append(
            Cart(
                cart_id=cart_id,
                visitor_id=row.get("visitor_id"),
                created_at=row.get("created_at"),
                value=row.get("value"),
                is_filled="items" not in supplied or (items is not None and items > 0),
                is_converted=is_converted,
                converted_at=converted_at,
                checkout_started_at=(
                    row.get("checkout_started_at")
                    if "checkout_started_at" in supplied
                    else started.get(cart_id)
                ),
                abandoned_at=(
                    row.get("abandoned_at") if "abandoned_at" in supplied else abandoned_at
                ),
            )
        )
    return result


def matured_carts(tables: Tables, period: Period, maturity: timedelta) -> list[Cart]:
    """Pick the carts created in the period that had their time by the end of the data."""
    now = as_of(tables)
    return [
        cart
        for cart in all_carts(tables, maturity=maturity)
        if inside(cart.created_at, period)
        and cart.created_at is not None
        and now is not None
        and cart.created_at + maturity <= now
    ]


# --- KPIs: carts ---------------------------------------------------------------------------------


def share_not_converted(carts: list[Cart]) -> float | None:
    """Share of the carts without an order."""
    return minus(1, ratio(len([cart for cart in carts if cart.is_converted]), len(carts)))


def cart_abandonment_rate_after(
    tables: Tables, period: Period, *, maturity: timedelta = CART_GRACE
) -> float | None:
    """Share of the filled carts, at least so old, that did not become an order."""
    carts = matured_carts(tables, period, maturity)
    return share_not_converted([cart for cart in carts if cart.is_filled])


def cart_abandonment_rate_one_hour(tables: Tables, period: Period) -> float | None:
    """Share of the filled carts, at least an hour old, that did not become an order."""
    return cart_abandonment_rate_after(tables, period, maturity=timedelta(hours=1))


def cart_abandonment_rate_of_sessions(tables: Tables, period: Period) -> float | None:
    """Share of the human visits with a cart that led to no purchase."""
    return minus(
        1, step_conversion_rate(tables, period, start="has_add_to_cart", to="has_purchase")
    )


def checkout_abandonment_rate(
    tables: Tables, period: Period, *, maturity: timedelta = CART_GRACE
) -> float | None:
    """Share of the carts with a checkout that did not become an order.

    Carts enter by their creation and are as old as those of cart abandonment; whether there are
    items in them is not asked.
    """
    carts = matured_carts(tables, period, maturity)
    return share_not_converted([cart for cart in carts if cart.checkout_started_at is not None])


def checkout_abandonment_rate_of_sessions(tables: Tables, period: Period) -> float | None:
    """Share of the human visits with a checkout that led to no purchase."""
    return minus(1, checkout_completion_rate(tables, period))


def abandoned_cart_value(
    tables: Tables, period: Period, *, maturity: timedelta = CART_GRACE
) -> Number:
    """Value of the filled carts, at least so old, that did not become an order."""
    carts = matured_carts(tables, period, maturity)
    return total(cart.value for cart in carts if cart.is_filled and not cart.is_converted)


def abandoned_cart_value_of_visitors(
    tables: Tables, period: Period, *, maturity: timedelta = CART_GRACE
) -> Number:
    """The same, but of a known visitor's abandoned carts only the latest of known value counts."""
    latest: dict[Any, Cart] = {}
    carts = matured_carts(tables, period, maturity)
    for cart in sorted(carts, key=lambda cart: (cart.created_at, cart.cart_id)):
        if cart.is_filled and not cart.is_converted and cart.value is not None:
            known = cart.visitor_id is not None
            latest[("visitor", cart.visitor_id) if known else ("cart", cart.cart_id)] = cart
    return total(cart.value for cart in latest.values())


def cart_recovery_rate(
    tables: Tables,
    period: Period,
    *,
    maturity: timedelta = CART_GRACE,
    window: timedelta = RECOVERY_WINDOW,
) -> float | None:
    """Share of the filled carts once abandoned that became an order within the window.

    Carts enter by their creation, once their window has closed. The first and the last moment of
    the window belong to it.
    """
    now = as_of(tables)
    abandoned = 0
    recovered = 0
    for cart in all_carts(tables, maturity=maturity):
        left_at = cart.abandoned_at
        if not cart.is_filled or not inside(cart.created_at, period) or left_at is None:
            continue
        if now is None or left_at + window > now:
            continue
        abandoned += 1
        back_at = cart.converted_at
        if cart.is_converted and back_at is not None and left_at <= back_at <= left_at + window:
            recovered += 1
    return ratio(recovered, abandoned)


CART_ORACLES: dict[str, Callable[[Tables, Period], Value]] = {
    **{
        kpi.__name__: kpi
        for kpi in (checkout_abandonment_rate, abandoned_cart_value, cart_recovery_rate)
    },
    "cart_abandonment_rate.one_hour": cart_abandonment_rate_one_hour,
    "cart_abandonment_rate.sessions": cart_abandonment_rate_of_sessions,
    "checkout_abandonment_rate.sessions": checkout_abandonment_rate_of_sessions,
    "abandoned_cart_value.visitors": abandoned_cart_value_of_visitors,
}

"""Shipping and delivery in plain Python, written from their definitions in words.

Functions are of the shape of those in `oracle.words`: the tables and one period give a value.
Names with a dot are competing definitions of the KPI before the dot. Durations are in days.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import prod
from statistics import median
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
    inside,
    is_product_line,
    is_true,
    ratio,
    table,
    total,
)
from oracle.words_customers import quantile
from oracle.words_profit import DAY, parcels_in, share_of_net_sales


@dataclass(frozen=True)
class Delivery:
    """A known, counted order with its parcels, if any."""

    order: Order
    parcels: list[Row]
    cancelled: Number

    @property
    def ordered(self) -> Number:
        """Units on the product lines."""
        return total(line.get("quantity") for line in self.order.lines if is_product_line(line))

    @property
    def promised_at(self) -> datetime | None:
        """When the order was promised: the latest promise, should its parcels disagree."""
        return max(known(self.parcels, "promised_at"), default=None)

    @property
    def shipped_at(self) -> datetime | None:
        """When the first parcel left."""
        return min(known(self.parcels, "shipped_at"), default=None)

    @property
    def complete_at(self) -> datetime | None:
        """When the last parcel left; None as long as one has not."""
        return last_of_all(self.parcels, "shipped_at")

    @property
    def delivered_at(self) -> datetime | None:
        """When the last parcel arrived; None as long as one has not."""
        return last_of_all(self.parcels, "delivered_at")

    @property
    def is_on_time(self) -> bool:
        """Whether all had arrived by the promise; not without a promise."""
        arrived, promised = self.delivered_at, self.promised_at
        return arrived is not None and promised is not None and arrived <= promised

    @property
    def is_in_full(self) -> bool:
        """Whether the parcels have all units ordered, less those the customer cancelled.

        Parcels of unknown content have nothing; an order of nothing is in full.
        """
        sent = total(parcel.get("units_shipped") for parcel in self.parcels)
        return sent >= self.ordered - self.cancelled

    @property
    def is_right(self) -> bool:
        """Whether no parcel is known to have a wrong, missing or extra item."""
        return not any(is_true(parcel.get("has_item_error")) for parcel in self.parcels)

    @property
    def is_undamaged(self) -> bool:
        """Whether no parcel is known to be damaged."""
        return not any(is_true(parcel.get("is_damaged")) for parcel in self.parcels)

    @property
    def is_documented(self) -> bool:
        """Whether the papers of every parcel are known to be right."""
        return all(is_true(parcel.get("documents_ok")) for parcel in self.parcels)


def known(rows: Iterable[Row], column: str) -> list[Any]:
    """The values of a column that are not null."""
    return [row[column] for row in rows if row.get(column) is not None]


def last_of_all(rows: Sequence[Row], column: str) -> datetime | None:
    """The latest moment of rows that all have one; None of no rows, or if one has none."""
    moments = known(rows, column)
    return max(moments) if moments and len(moments) == len(rows) else None


def deliveries(tables: Tables) -> list[Delivery]:
    """Put every counted order together with its parcels; parcels of unknown orders stay out.

    Units that the customer cancelled are those of the returns of that kind.
    """
    parcels_of: dict[Any, list[Row]] = {}
    for row in table(tables, "shipments"):
        parcels_of.setdefault(row.get("order_id"), []).append(row)
    cancelled: dict[Any, Number] = {}
    for row in table(tables, "returns"):
        if row.get("kind") == "cancellation":
            units = total([row.get("quantity")])
            cancelled[row.get("order_id")] = cancelled.get(row.get("order_id"), 0) + units
    return [
        Delivery(order, parcels_of.get(order.order_id, []), cancelled.get(order.order_id, 0))
        for order in all_orders(tables)
        if order.is_counted and order.order_id is not None
    ]


def placed_in(tables: Tables, period: Period) -> list[Delivery]:
    """Orders that were placed in the period."""
    return [one for one in deliveries(tables) if inside(one.order.ordered_at, period)]


def due(tables: Tables, period: Period) -> list[Delivery]:
    """Orders that were placed in the period and promised for a moment that has passed."""
    now = as_of(tables)
    return [
        one
        for one in placed_in(tables, period)
        if now is not None and one.promised_at is not None and one.promised_at < now
    ]


def arrived(tables: Tables, period: Period) -> list[Delivery]:
    """Orders that were placed in the period and have arrived with their last parcel."""
    return [one for one in placed_in(tables, period) if one.delivered_at is not None]


def shipped_in(tables: Tables, period: Period) -> list[Delivery]:
    """Orders of which the first parcel left in the period."""
    return [one for one in deliveries(tables) if inside(one.shipped_at, period)]


def share(found: Sequence[Delivery], holds: Callable[[Delivery], bool]) -> float | None:
    """Share of the orders for which something holds."""
    return ratio(len([one for one in found if holds(one)]), len(found))


# --- units ---------------------------------------------------------------------------------------


def fill_rate(tables: Tables, period: Period) -> float | None:
    """Units that left first, per unit ordered, of the orders placed in the period.

    What leaves at the same moment leaves together, in how many parcels soever. An order is filled
    at most: what it got too much fills no other. Orders that wait are not filled at all, and
    cancelled units were ordered.
    """
    filled: Number = 0
    ordered: Number = 0
    for one in placed_in(tables, period):
        first = [row for row in one.parcels if row.get("shipped_at") == one.shipped_at is not None]
        filled += min(total(row.get("units_shipped") for row in first), one.ordered)
        ordered += one.ordered
    return ratio(filled, ordered)


# --- times ---------------------------------------------------------------------------------------


def elapsed(pairs: Iterable[tuple[datetime | None, datetime | None]]) -> list[float]:
    """Days from the first to the second of each pair, where both are known."""
    return [
        (after - before) / DAY
        for before, after in pairs
        if before is not None and after is not None
    ]


def middle(values: Sequence[float]) -> float | None:
    """Median, the mean of the two in the middle of an even number; None of no values."""
    return median(values) if values else None


def times_to_ship(tables: Tables, period: Period) -> list[float]:
    """Days until the first parcel left, of the orders placed in the period of which one has."""
    return elapsed((one.order.ordered_at, one.shipped_at) for one in placed_in(tables, period))


def fulfilment_time(tables: Tables, period: Period) -> float | None:
    """Median of the days until the first parcel left; orders that wait have none yet."""
    return middle(times_to_ship(tables, period))


def slow_fulfilment_time(tables: Tables, period: Period) -> float | None:
    """Days within which nine of ten first parcels left."""
    return quantile(times_to_ship(tables, period), 0.9)


def complete_fulfilment_time(tables: Tables, period: Period) -> float | None:
    """Median of the days until the last parcel left, of orders of which none waits."""
    found = placed_in(tables, period)
    return middle(elapsed((one.order.ordered_at, one.complete_at) for one in found))


def orders_waiting(tables: Tables, period: Period) -> int:
    """Number of the period's orders of which no parcel has left."""
    return len([one for one in placed_in(tables, period) if one.shipped_at is None])


def delivery_time(tables: Tables, period: Period) -> float | None:
    """Median of the days under way, of the parcels that left in the period and have arrived."""
    rows = parcels_in(tables, period)
    return middle(elapsed((row.get("shipped_at"), row.get("delivered_at")) for row in rows))


def order_cycle_time(tables: Tables, period: Period) -> float | None:
    """Median of the days until all had arrived, of the orders placed in the period."""
    found = placed_in(tables, period)
    return middle(elapsed((one.order.ordered_at, one.delivered_at) for one in found))


# --- promises ------------------------------------------------------------------------------------


def is_on_time_in_full(one: Delivery) -> bool:
    """Whether all units had arrived by the promise."""
    return one.is_on_time and one.is_in_full


def is_perfect(one: Delivery) -> bool:
    """Whether it came on time, in full, undamaged and well documented."""
    return is_on_time_in_full(one) and one.is_undamaged and one.is_documented


def on_time_delivery_rate(tables: Tables, period: Period) -> float | None:
    """Share of the period's orders due by now that had arrived whole by the promise."""
    return share(due(tables, period), lambda one: one.is_on_time)


def otif_rate(tables: Tables, period: Period) -> float | None:
    """Share of the period's orders due by now that had arrived by the promise, nothing missing."""
    return share(due(tables, period), is_on_time_in_full)


def order_accuracy_rate(tables: Tables, period: Period) -> float | None:
    """Share of the orders first shipped in the period of which no item is known to be wrong."""
    return share(shipped_in(tables, period), lambda one: one.is_right)


def perfect_order_rate(tables: Tables, period: Period) -> float | None:
    """Share of the period's orders that arrived: on time, in full, undamaged, well documented."""
    return share(arrived(tables, period), is_perfect)


def perfect_order_rate_as_product(tables: Tables, period: Period) -> float | None:
    """The four shares multiplied, each of the period's orders that have arrived."""
    found = arrived(tables, period)
    if not found:
        return None
    return prod(
        len([one for one in found if holds(one)]) / len(found)
        for holds in (
            lambda one: one.is_on_time,
            lambda one: one.is_in_full,
            lambda one: one.is_undamaged,
            lambda one: one.is_documented,
        )
    )


# --- costs ---------------------------------------------------------------------------------------


def shipping_cost_per_order(tables: Tables, period: Period) -> float | None:
    """Cost of the parcels that left in the period, per different order they are of.

    An order whose parcels left in two periods is one in both. The cost of a parcel without an
    order is paid all the same.
    """
    rows = parcels_in(tables, period)
    cost = total(row.get("shipping_cost") for row in rows)
    return ratio(cost, len({row.get("order_id") for row in rows} - {None}))


def shipping_cost_ratio(tables: Tables, period: Period) -> float | None:
    """Cost of all parcels of the orders placed in the period, as a share of its net sales.

    Both sides by the day of the order; None unless net sales are above zero.
    """
    found = placed_in(tables, period)
    cost = total(row.get("shipping_cost") for one in found for row in one.parcels)
    return share_of_net_sales(cost, tables, period)


def shipping_cost_ratio_by_shipping_day(tables: Tables, period: Period) -> float | None:
    """Cost of the parcels that left in the period, per unit of the net sales booked in it."""
    cost = total(row.get("shipping_cost") for row in parcels_in(tables, period))
    return share_of_net_sales(cost, tables, period)


FULFILMENT_ORACLES: dict[str, Callable[[Tables, Period], Value]] = {
    "fill_rate": fill_rate,
    "fulfilment_time": fulfilment_time,
    "fulfilment_time.p90": slow_fulfilment_time,
    "fulfilment_time.complete": complete_fulfilment_time,
    "fulfilment_time.orders_waiting": orders_waiting,
    "delivery_time": delivery_time,
    "order_cycle_time": order_cycle_time,
    "on_time_delivery_rate": on_time_delivery_rate,
    "otif_rate": otif_rate,
    "order_accuracy_rate": order_accuracy_rate,
    "perfect_order_rate": perfect_order_rate,
    "perfect_order_rate.product": perfect_order_rate_as_product,
    "shipping_cost_per_order": shipping_cost_per_order,
    "shipping_cost_ratio": shipping_cost_ratio,
    "shipping_cost_ratio.by_shipping_day": shipping_cost_ratio_by_shipping_day,
}

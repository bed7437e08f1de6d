"""Inventory and fulfilment in plain Python, written from their definitions in words.

Functions are of the shape of those in `oracle.words`: the tables and one period give a value,
or a dictionary of one per product. Names with a dot are competing definitions of the KPI before
the dot. Durations are in days.
"""

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from statistics import NormalDist, fmean, stdev
from typing import Any

from oracle.words import (
    Number,
    Period,
    Row,
    Tables,
    Value,
    cost_of_goods_sold,
    counted_orders,
    counted_returns_in,
    goods_returned,
    has_column,
    inside,
    is_product_line,
    is_true,
    midnight,
    net_sales,
    ratio,
    table,
    times,
    total,
    units_sold,
)
from oracle.words_profit import (
    DAY,
    days,
    gross_profit,
    product_costs,
    with_known_costs,
)

Measure = Callable[[Row], Value]
"""What is told of a snapshot."""


# --- stock ---------------------------------------------------------------------------------------


def snapshots(tables: Tables) -> list[Row]:
    """Read the snapshots, costs looked up in the products where the column is missing."""
    rows = table(tables, "inventory_snapshots")
    if has_column(rows, "unit_cost"):
        return rows
    cost_of = product_costs(tables)
    return [{**row, "unit_cost": cost_of.get(row.get("product_id"))} for row in rows]


def place(row: Row) -> tuple[Any, Any]:
    """What a snapshot is of: a product at a location."""
    return (row.get("product_id"), row.get("location_id"))


def on_hand(row: Row) -> Value:
    """Units there, below zero where more was sold than there was."""
    return row.get("on_hand_units")


def units_there(row: Row) -> Value:
    """Units there, at least none."""
    units = on_hand(row)
    return None if units is None else max(units, 0)


def worth(units: Value, price: Value) -> Value:
    """Units at a price; no units are worth nothing, whatever the price."""
    return 0 if units == 0 else times(units, price)


def cost_value(row: Row) -> Value:
    """Units there at cost; None if the units or their cost are not known."""
    return worth(units_there(row), row.get("unit_cost"))


def latest(tables: Tables, end: datetime, measure: Measure) -> dict[tuple[Any, Any], Number]:
    """The latest known measure of each product at each location before a moment.

    However old it is, and whatever the latest day of the other places. A snapshot of which the
    measure is not known says nothing.
    """
    found: dict[tuple[Any, Any], tuple[datetime, Number]] = {}
    for row in snapshots(tables):
        day, value = midnight(row.get("snapshot_date")), measure(row)
        if day is None or value is None or day >= end:
            continue
        if place(row) not in found or found[place(row)][0] < day:
            found[place(row)] = (day, value)
    return {key: value for key, (_, value) in found.items()}


def stock_at(tables: Tables, end: datetime, measure: Measure) -> Value:
    """The latest known measures before a moment, added up; None if none is known."""
    found = latest(tables, end, measure)
    return total(found.values()) if found else None


def mean_over(tables: Tables, period: Period, measure: Measure) -> float | None:
    """Mean, over the days of the period with a snapshot, of the measure added up over the day.

    A day's total has only what was counted on that day. A day of which nothing is known is none.
    """
    by_day: dict[datetime, Number] = {}
    for row in snapshots(tables):
        day, value = midnight(row.get("snapshot_date")), measure(row)
        if day is not None and value is not None and inside(day, period):
            by_day[day] = by_day.get(day, 0) + value
    return ratio(total(by_day.values()), len(by_day))


def stock_on_hand(tables: Tables, period: Period) -> Value:
    """Units at the latest snapshot of each place before the period's end; None without any."""
    return stock_at(tables, period.end, on_hand)


def inventory_value(tables: Tables, period: Period) -> Value:
    """Units at cost at the latest snapshot of each place before the period's end.

    Oversold units are worth nothing. Stock of unknown cost is passed over.
    """
    return stock_at(tables, period.end, cost_value)


# --- turnover ------------------------------------------------------------------------------------


def goods_sold_at_cost(tables: Tables, period: Period) -> Value:
    """Cost of the goods sold, costs looked up in the products where need be."""
    return cost_of_goods_sold(with_known_costs(tables), period)


def per_year(value: float | None, period: Period) -> float | None:
    """Bring a value of a period to a year of 365 days."""
    return None if value is None else value * 365 / days(period)


def inventory_turnover(tables: Tables, period: Period) -> float | None:
    """Cost of the goods sold over the mean value of the stock, at cost, as of the period."""
    return ratio(goods_sold_at_cost(tables, period), mean_over(tables, period, cost_value))


def annual_inventory_turnover(tables: Tables, period: Period) -> float | None:
    """The same, brought to a year."""
    return per_year(inventory_turnover(tables, period), period)


def inventory_turnover_at_retail(tables: Tables, period: Period) -> float | None:
    """Net sales over the mean value of the stock at list prices."""
    price_of = {row.get("product_id"): row.get("list_price") for row in table(tables, "products")}

    def retail_value(row: Row) -> Value:
        return worth(units_there(row), price_of.get(row.get("product_id")))

    return ratio(net_sales(tables, period), mean_over(tables, period, retail_value))


def inventory_turnover_in_units(tables: Tables, period: Period) -> float | None:
    """Units sold over mean units in stock, oversold places counted as empty."""
    return ratio(units_sold(tables, period), mean_over(tables, period, units_there))


def days_inventory_outstanding(tables: Tables, period: Period) -> float | None:
    """How many of the period's days the mean stock lasts, at the period's cost of goods sold."""
    stock = times(mean_over(tables, period, cost_value), days(period))
    return ratio(stock, goods_sold_at_cost(tables, period))


def gross_margin_return_on_inventory(tables: Tables, period: Period) -> float | None:
    """Gross profit over the mean value of the stock at cost."""
    return ratio(gross_profit(tables, period), mean_over(tables, period, cost_value))


def annual_gross_margin_return_on_inventory(tables: Tables, period: Period) -> float | None:
    """The same, brought to a year."""
    return per_year(gross_margin_return_on_inventory(tables, period), period)


def in_stock_rate(tables: Tables, period: Period) -> float | None:
    """Share of the days counted on which all places together had some."""
    units_on: dict[date, Number] = {}
    for row in snapshots(tables):
        day, units = row.get("snapshot_date"), on_hand(row)
        if day is not None and units is not None and inside(midnight(day), period):
            units_on[day] = units_on.get(day, 0) + units
    return ratio(len([n for n in units_on.values() if n > 0]), len(units_on))


def days_of_stock_remaining(
    tables: Tables, period: Period, *, lookback_days: float | None = None
) -> float | None:
    """Days that the stock lasts at the pace of the days on which there was stock.

    The pace is that of the period, or of so many days before its end: units sold per day with any
    stock in all places together. Snapshots need not be of every day: the share of their days that
    had stock is taken for that of all days. Oversold stock lasts no day; None if nothing was
    sold, or no day with stock is known.
    """
    if lookback_days is not None:
        period = Period(period.end - lookback_days * DAY, period.end)
    share = in_stock_rate(tables, period)
    pace = ratio(units_sold(tables, period), times(share, days(period)))
    stock = stock_on_hand(tables, period)
    return ratio(None if stock is None else max(stock, 0), pace)


# --- selling out ---------------------------------------------------------------------------------


def net_units_sold(tables: Tables, period: Period) -> Number:
    """Units sold in the period less units of the counted returns that came in during it."""
    returned = total(
        row.get("quantity") for row in goods_returned(counted_returns_in(tables, period))
    )
    return units_sold(tables, period) - returned


def share_sold(units: Number, of: Value) -> float | None:
    """Divide units sold by what there was; None unless there was something."""
    return ratio(units, of) if of is not None and of > 0 else None


def sell_through_rate(tables: Tables, period: Period) -> float | None:
    """Net units sold as a share of these and of the stock at the end; oversold stock is none."""
    units, left = net_units_sold(tables, period), stock_on_hand(tables, period)
    return share_sold(units, None if left is None else units + max(left, 0))


def sell_through_of_received(tables: Tables, period: Period) -> float | None:
    """Net units sold per unit received in the period; above one where old stock sold."""
    received = total(
        row.get("units")
        for row in table(tables, "receipts")
        if inside(row.get("received_at"), period)
    )
    return share_sold(net_units_sold(tables, period), received)


def sell_through_of_beginning(tables: Tables, period: Period) -> float | None:
    """Net units sold per unit of the stock known before the period began."""
    return share_sold(net_units_sold(tables, period), stock_at(tables, period.start, on_hand))


def is_watched(tables: Tables) -> Callable[[Any], bool]:
    """Tell whether a product is active and tracked.

    A flag whose column is missing holds; a flag that is null does not. Where products are given,
    one that is not among them is neither; where none are given, all are watched.
    """
    rows = table(tables, "products")
    flags = [name for name in ("is_active", "is_tracked") if has_column(rows, name)]
    watched = {
        row.get("product_id") for row in rows if all(is_true(row.get(name)) for name in flags)
    }
    return lambda product: "products" not in tables or product in watched


def stockout_rate(tables: Tables, period: Period) -> float | None:
    """Share of a product's snapshot days, of all watched products, without stock anywhere.

    A day's stock of a product is that of all its places together. Days of which nothing is known
    stay out on both sides.
    """
    watched = is_watched(tables)
    units: dict[Any, Number] = {}
    for row in snapshots(tables):
        day, count = row.get("snapshot_date"), on_hand(row)
        if count is None or not inside(midnight(day), period) or not watched(row.get("product_id")):
            continue
        key = (row.get("product_id"), day)
        units[key] = units.get(key, 0) + count
    return ratio(len([count for count in units.values() if count <= 0]), len(units))


def stockout_rate_of_places(tables: Tables, period: Period) -> float | None:
    """Share of the snapshots of watched products without stock, each place for itself."""
    watched = is_watched(tables)
    counts = [
        on_hand(row)
        for row in snapshots(tables)
        if inside(midnight(row.get("snapshot_date")), period) and watched(row.get("product_id"))
    ]
    known = [count for count in counts if count is not None]
    return ratio(len([count for count in known if count <= 0]), len(known))


def units_per_day(tables: Tables, period: Period) -> float | None:
    """Units sold over all days of the period, those without a sale as well."""
    return ratio(units_sold(tables, period), days(period))


# --- planning, per product -----------------------------------------------------------------------


def calendar_days(period: Period) -> list[date]:
    """The days that begin, or are under way, in the period."""
    result: list[date] = []
    day = period.start.date()
    while day < period.end.date() or (
        day == period.end.date() and period.end > datetime(day.year, day.month, day.day)
    ):
        result.append(day)
        day += timedelta(days=1)
    return result


def daily_demand(tables: Tables, period: Period) -> dict[Any, list[Number]]:
    """Units of each listed product on counted orders, day by day; 0 on days without an order.

    Days on which nothing was sold and a snapshot says that no place had stock stay out: on these
    nobody could buy. Returns are not taken off.
    """
    sold: dict[Any, Number] = {}
    for order in counted_orders(tables, period):
        for line in order.lines:
            if is_product_line(line) and order.ordered_at is not None:
                key = (line.get("product_id"), order.ordered_at.date())
                sold[key] = sold.get(key, 0) + total([line.get("quantity")])
    stock: dict[Any, Number] = {}
    for row in snapshots(tables):
        if on_hand(row) is not None:
            key = (row.get("product_id"), row.get("snapshot_date"))
            stock[key] = stock.get(key, 0) + total([on_hand(row)])
    result: dict[Any, list[Number]] = {}
    for row in table(tables, "products"):
        product = row.get("product_id")
        keys = [(product, day) for day in calendar_days(period)]
        result[product] = [
            sold.get(key, 0) for key in keys if sold.get(key, 0) > 0 or stock.get(key, 1) > 0
        ]
    return result


def safety_formula(z: float, deviation: float, lead_time: float) -> float:
    """The units that cover a deviation of daily demand over a lead time in days."""
    return z * deviation * math.sqrt(lead_time)


def reorder_formula(demand: float, lead_time: float, safety: float) -> float:
    """The units at which to order again."""
    return demand * lead_time + safety


def safety_stock(
    tables: Tables, period: Period, *, service_level: float = 0.95
) -> dict[Any, float | None]:
    """Units of each product that cover the usual swings of demand during the lead time.

    The deviation is that of a sample, None of fewer than two days. A column of safety stock that
    is supplied with the products wins. None without a lead time.
    """
    z = NormalDist().inv_cdf(service_level)
    rows, demand = table(tables, "products"), daily_demand(tables, period)
    if has_column(rows, "safety_stock"):
        return {row.get("product_id"): row.get("safety_stock") for row in rows}
    result: dict[Any, float | None] = {}
    for row in rows:
        own, lead = demand[row.get("product_id")], row.get("lead_time_days")
        result[row.get("product_id")] = (
            None if lead is None or len(own) < 2 else safety_formula(z, stdev(own), lead)
        )
    return result


def safety_stock_with_late_supply(
    tables: Tables, period: Period, *, service_level: float = 0.95
) -> dict[Any, float | None]:
    """The same where the lead time swings too; None without its deviation."""
    z, demand = NormalDist().inv_cdf(service_level), daily_demand(tables, period)
    result: dict[Any, float | None] = {}
    for row in table(tables, "products"):
        own = demand[row.get("product_id")]
        lead, swing = row.get("lead_time_days"), row.get("lead_time_sd")
        if lead is None or swing is None or len(own) < 2:
            result[row.get("product_id")] = None
        else:
            spread = lead * stdev(own) ** 2 + fmean(own) ** 2 * swing**2
            result[row.get("product_id")] = z * math.sqrt(spread)
    return result


def safety_stock_by_heuristic(tables: Tables, period: Period) -> dict[Any, float | None]:
    """Demand of the best day above the mean day, for the lead time, the only one on record."""
    demand = daily_demand(tables, period)
    result: dict[Any, float | None] = {}
    for row in table(tables, "products"):
        own, lead = demand[row.get("product_id")], row.get("lead_time_days")
        result[row.get("product_id")] = times(max(own) - fmean(own), lead) if own else None
    return result


def reorder_point(
    tables: Tables, period: Period, *, service_level: float = 0.95
) -> dict[Any, float | None]:
    """Units of each product at which to order again: mean demand of the lead time, and safety."""
    safety = safety_stock(tables, period, service_level=service_level)
    demand = daily_demand(tables, period)
    result: dict[Any, float | None] = {}
    for row in table(tables, "products"):
        product, lead = row.get("product_id"), row.get("lead_time_days")
        own, spare = demand[product], safety[product]
        is_known = bool(own) and lead is not None and spare is not None
        result[product] = reorder_formula(fmean(own), lead, spare) if is_known else None
    return result


INVENTORY_ORACLES: dict[str, Callable[[Tables, Period], Value]] = {
    "daily_demand": units_per_day,
    "stock_on_hand": stock_on_hand,
    "inventory_value": inventory_value,
    "inventory_turnover": inventory_turnover,
    "inventory_turnover.annual": annual_inventory_turnover,
    "inventory_turnover.retail": inventory_turnover_at_retail,
    "inventory_turnover.units": inventory_turnover_in_units,
    "days_inventory_outstanding": days_inventory_outstanding,
    "days_of_stock_remaining": days_of_stock_remaining,
    "in_stock_rate": in_stock_rate,
    "sell_through_rate": sell_through_rate,
    "sell_through_rate.received": sell_through_of_received,
    "sell_through_rate.beginning": sell_through_of_beginning,
    "stockout_rate": stockout_rate,
    "stockout_rate.places": stockout_rate_of_places,
    "gross_margin_return_on_inventory": gross_margin_return_on_inventory,
    "gross_margin_return_on_inventory.annual": annual_gross_margin_return_on_inventory,
}
"""KPIs of one value."""

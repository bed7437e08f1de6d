"""Replenishment in plain Python, written from its definitions in words.

A KPI here is a function of the tables and one period that gives a value per product. Where
`oracle.words_inventory` leaves out days without stock and sales, all days of the period are days
of demand here, and a safety stock that comes with the products is a definition of its own.
"""

import math
from collections.abc import Callable
from datetime import date
from statistics import NormalDist
from typing import Any

from oracle.words import Number, Period, Row, Tables, Value, inside, midnight, table, times, total
from oracle.words_inventory import (
    daily_demand,
    on_hand,
    reorder_formula,
    reorder_point,
    safety_formula,
    safety_stock,
    safety_stock_by_heuristic,
    safety_stock_with_late_supply,
    snapshots,
)
from oracle.words_profit import days

OfProducts = dict[Any, float | None]


def on_all_days(tables: Tables) -> Tables:
    """Forget the stock of each day, and the safety stock that products come with.

    Products that were sold but are not listed are listed, of unknown lead time.
    """
    listed = [
        {name: value for name, value in row.items() if name != "safety_stock"}
        for row in table(tables, "products")
    ]
    known = {row.get("product_id") for row in listed}
    sold = dict.fromkeys(line.get("product_id") for line in table(tables, "order_lines"))
    unlisted: list[Row] = [{"product_id": product} for product in sold if product not in known]
    return {**tables, "products": [*listed, *unlisted], "inventory_snapshots": []}


def safety_stock_on_all_days(
    tables: Tables, period: Period, *, service_level: float = 0.95
) -> OfProducts:
    """Units that cover the usual swings of demand, every day of the period being one of it."""
    return safety_stock(on_all_days(tables), period, service_level=service_level)


def safety_stock_of_varying_lead_time(tables: Tables, period: Period) -> OfProducts:
    """The same where the lead time swings too; None without its deviation."""
    return safety_stock_with_late_supply(on_all_days(tables), period)


def safety_stock_of_largest_day(tables: Tables, period: Period) -> OfProducts:
    """What the largest day sold above the mean day, on every day of the lead time."""
    return safety_stock_by_heuristic(on_all_days(tables), period)


def reorder_point_on_all_days(tables: Tables, period: Period) -> OfProducts:
    """Mean demand over the lead time, and the safety stock."""
    return reorder_point(on_all_days(tables), period)


def days_in_stock(tables: Tables, period: Period, product: Any) -> Value:
    """Days of the period times the share of the days counted on which all places had some together.

    A place that has sold more than it had takes from the others. None if the stock of no day is
    known.
    """
    units_of: dict[date, Number] = {}
    for row in snapshots(tables):
        day, units = row.get("snapshot_date"), on_hand(row)
        if day is None or units is None or row.get("product_id") != product:
            continue
        if inside(midnight(day), period):
            units_of[day] = units_of.get(day, 0) + units
    stocked = [day for day, units in units_of.items() if units > 0]
    return days(period) * len(stocked) / len(units_of) if units_of else None


def deviation_over(units: list[Number], many: float) -> float | None:
    """Deviation, as of a sample, of days of which so many could have sold something.

    None of one day or less, and where more was sold than so many days could tell apart.
    """
    if many <= 1:
        return None
    variance = (total(n * n for n in units) - total(units) ** 2 / many) / (many - 1)
    return math.sqrt(variance) if variance >= 0 else None


def planned_on_days_in_stock(
    tables: Tables, period: Period, plan: Callable[[float, float, float], float]
) -> OfProducts:
    """Plan each product from its demand per day in stock, its deviation, and the lead time."""
    listed = on_all_days(tables)
    demand = daily_demand(listed, period)
    result: OfProducts = {}
    for row in listed["products"]:
        product, lead = row.get("product_id"), row.get("lead_time_days")
        many = days_in_stock(tables, period, product)
        swing = None if many is None else deviation_over(demand[product], many)
        is_known = many is not None and swing is not None and lead is not None
        result[product] = plan(total(demand[product]) / many, swing, lead) if is_known else None
    return result


def safety_stock_of_days_in_stock(tables: Tables, period: Period) -> OfProducts:
    """Units that cover the usual swings of demand on days in stock."""
    z = NormalDist().inv_cdf(0.95)
    return planned_on_days_in_stock(
        tables, period, lambda _, swing, lead: safety_formula(z, swing, lead)
    )


def reorder_point_of_days_in_stock(tables: Tables, period: Period) -> OfProducts:
    """Demand per day in stock over the lead time, and the safety stock of such days."""
    z = NormalDist().inv_cdf(0.95)
    return planned_on_days_in_stock(
        tables,
        period,
        lambda mean, swing, lead: reorder_formula(mean, lead, safety_formula(z, swing, lead)),
    )


def reorder_point_of_own_safety_stock(tables: Tables, period: Period) -> OfProducts:
    """Mean demand over the lead time, and the safety stock that the product comes with."""
    demand = daily_demand(on_all_days(tables), period)
    result: OfProducts = {}
    for row in table(tables, "products"):
        product, own = row.get("product_id"), row.get("safety_stock")
        mean = total(demand[product]) / days(period)
        needed = times(mean, row.get("lead_time_days"))
        result[product] = None if needed is None or own is None else needed + own
    return result


REPLENISHMENT_ORACLES: dict[str, Callable[[Tables, Period], OfProducts]] = {
    "safety_stock": safety_stock_on_all_days,
    "safety_stock.varying_lead_time": safety_stock_of_varying_lead_time,
    "safety_stock.in_stock_days": safety_stock_of_days_in_stock,
    "safety_stock.largest_day": safety_stock_of_largest_day,
    "reorder_point": reorder_point_on_all_days,
    "reorder_point.in_stock_days": reorder_point_of_days_in_stock,
    "reorder_point.own_safety_stock": reorder_point_of_own_safety_stock,
}
"""KPIs of one value per product."""

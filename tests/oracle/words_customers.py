"""Customers, retention and loyalty in plain Python, written from their definitions in words.

Functions are of the shape of those in `oracle.words`: the tables and one period give a value.
Names with a dot are competing definitions of the KPI before the dot. Durations are in days.
"""

import math
from collections.abc import Callable, Sequence
from datetime import date, datetime
from statistics import fmean, median
from typing import Any

from oracle.words import (
    Number,
    Order,
    Period,
    Tables,
    Value,
    as_of,
    counted_orders,
    counted_orders_to_date,
    customer_churn_rate,
    customer_keys,
    customer_retention_rate,
    customers,
    has_column,
    identified,
    identified_gross_profit,
    inside,
    minus,
    new_customers,
    ratio,
    table,
    total,
)
from oracle.words_profit import (
    DAY,
    Basis,
    days,
    ledger,
    order_rows,
    with_known_costs,
)

# --- what several KPIs share ---------------------------------------------------------------------


def orders_of_customers(tables: Tables) -> dict[Any, list[Order]]:
    """Each known customer's counted orders of known time, by time, then id."""
    result: dict[Any, list[Order]] = {}
    for order, _ in order_rows(tables):
        if order.is_counted and order.customer_key is not None and order.ordered_at is not None:
            result.setdefault(order.customer_key, []).append(order)
    for own in result.values():
        own.sort(key=lambda order: (order.ordered_at, order.order_id))
    return result


def order_counts(orders: Sequence[Order]) -> dict[Any, int]:
    """Count the orders of each known customer."""
    counts: dict[Any, int] = {}
    for order in identified(list(orders)):
        counts[order.customer_key] = counts.get(order.customer_key, 0) + 1
    return counts


def share_with(counts: dict[Any, int], many: int, of: int = 1) -> float | None:
    """Share of those who have so many, of those who have at least as many as the base asks."""
    reached = [count for count in counts.values() if count >= many]
    return ratio(len(reached), len([count for count in counts.values() if count >= of]))


def quantile(values: Sequence[float], share: float) -> float | None:
    """Quantile with a straight line drawn between neighbours; None of no values."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low, high = math.floor(place), math.ceil(place)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


# --- new and returning ---------------------------------------------------------------------------


def new_customer_rate(tables: Tables, period: Period) -> float | None:
    """Share of the period's customers whose very first order falls in it."""
    return ratio(new_customers(tables, period), customers(tables, period))


def returning_customer_rate(tables: Tables, period: Period) -> float | None:
    """Share of the period's customers who are not new in it.

    In a part of a shop, who was new in this period in another part is not new here.
    """
    return minus(1, new_customer_rate(tables, period))


def any_repeat_rate(tables: Tables, period: Period) -> float | None:
    """Share of the period's customers with an order in it that is not their first."""
    found = counted_orders(tables, period)
    repeats = [o for o in found if o.order_number is not None and o.order_number > 1]
    return ratio(len(customer_keys(repeats)), len(customer_keys(found)))


def repeat_purchase_rate_in_window(tables: Tables, period: Period) -> float | None:
    """Share of the period's customers who ordered at least twice within it."""
    return share_with(order_counts(counted_orders(tables, period)), 2)


def repeat_purchase_rate_by_days(tables: Tables, period: Period) -> float | None:
    """Share of all customers so far who ordered on at least two days; a day's orders are one."""
    dates: dict[Any, set[date]] = {}
    for order in identified(counted_orders_to_date(tables, period)):
        if order.ordered_at is not None:
            dates.setdefault(order.customer_key, set()).add(order.ordered_at.date())
    return share_with({key: len(own) for key, own in dates.items()}, 2)


def repeat_purchase_rate_nd(
    tables: Tables, period: Period, *, window_days: float = 90
) -> float | None:
    """Share of those won in the period who ordered again within so many days of their first order.

    The window is closed: an order exactly so many days later is within it. Only those count whose
    window is over at the as-of moment; the second order may lie after the period.
    """
    now, window = as_of(tables), window_days * DAY
    second = second_orders(tables)
    cohort = {
        order.customer_key: order
        for order in identified(counted_orders(tables, period))
        if order.order_number == 1
        and order.ordered_at is not None
        and now is not None
        and order.ordered_at + window <= now
    }
    again = [
        order
        for order in cohort.values()
        if order.ordered_at is not None
        and before_or_at(second.get(order.order_id), order.ordered_at + window)
    ]
    return ratio(len(again), len(cohort))


def second_orders(tables: Tables) -> dict[Any, datetime | None]:
    """When each first order's customer ordered next; a column of next orders that is there wins."""
    if has_column(table(tables, "orders"), "next_ordered_at"):
        return {order.order_id: row.get("next_ordered_at") for order, row in order_rows(tables)}
    return {
        own[0].order_id: own[1].ordered_at
        for own in orders_of_customers(tables).values()
        if len(own) > 1
    }


def before_or_at(moment: datetime | None, limit: datetime) -> bool:
    """Tell whether a known moment is not after the limit."""
    return moment is not None and moment <= limit


def repeat_order_probability(tables: Tables, period: Period, *, n: int = 1) -> float | None:
    """Of the customers so far with n orders or more, the share with one more.

    The words name no period; orders are counted to the period's end, as in the repeat rate.
    """
    return share_with(order_counts(counted_orders_to_date(tables, period)), n + 1, of=n)


def gaps(tables: Tables, period: Period) -> list[float]:
    """Days between each order of the period and the same customer's order before it.

    The order before may lie before the period. A column of previous orders that is supplied wins.
    """
    if has_column(table(tables, "orders"), "previous_ordered_at"):
        pairs = [
            (row.get("previous_ordered_at"), order.ordered_at)
            for order, row in order_rows(tables)
            if order.is_counted and order.order_number is not None and order.order_number >= 2
        ]
    else:
        pairs = [
            (before.ordered_at, order.ordered_at)
            for own in orders_of_customers(tables).values()
            for before, order in zip(own, own[1:], strict=False)
        ]
    return [
        (after - before) / DAY
        for before, after in pairs
        if before is not None and after is not None and inside(after, period)
    ]


def days_between_orders(tables: Tables, period: Period) -> float | None:
    """Median of the days between neighbouring orders of a customer, over all orders."""
    found = gaps(tables, period)
    return median(found) if found else None


def mean_days_between_orders(tables: Tables, period: Period) -> float | None:
    """Mean of the same days: of all gaps pooled, not of the customers' means."""
    found = gaps(tables, period)
    return fmean(found) if found else None


# --- retention and growth accounting -------------------------------------------------------------


def then_and_now(tables: Tables, period: Period) -> tuple[set[Any], set[Any]] | None:
    """The customers of the previous period and of this one; None without a previous period."""
    if period.previous is None:
        return None
    then = customer_keys(counted_orders(tables, period.previous))
    return then, customer_keys(counted_orders(tables, period))


def retention_by_accounting(tables: Tables, period: Period) -> float | None:
    """The textbook's (E − N) / S: customers now, less the new ones, over customers before."""
    both = then_and_now(tables, period)
    if both is None:
        return None
    then, now = both
    return ratio(len(now) - new_customers(tables, period), len(then))


def churn_by_accounting(tables: Tables, period: Period) -> float | None:
    """What the textbook's retention rate leaves; below zero where many come back."""
    return minus(1, retention_by_accounting(tables, period))


def retained_customers(tables: Tables, period: Period) -> int | None:
    """Number of customers of the previous period who ordered in this one."""
    both = then_and_now(tables, period)
    return None if both is None else len(both[0] & both[1])


def resurrected_customers(tables: Tables, period: Period) -> int | None:
    """Number of customers who did not order in the previous period and are not new."""
    both = then_and_now(tables, period)
    return None if both is None else len(both[1] - both[0]) - new_customers(tables, period)


def churned_customers(tables: Tables, period: Period) -> int | None:
    """Number of customers of the previous period who did not order in this one.

    In a period that is still open, those who have not ordered so far.
    """
    both = then_and_now(tables, period)
    return None if both is None else len(both[0] - both[1])


def growth_quick_ratio(tables: Tables, period: Period) -> float | None:
    """Customers won and won back per customer lost."""
    back = resurrected_customers(tables, period)
    won = None if back is None else new_customers(tables, period) + back
    return ratio(won, churned_customers(tables, period))


# --- lifetime value ------------------------------------------------------------------------------


def value_per_customer(tables: Tables, period: Period, basis: Basis) -> float | None:
    """What the period's known customers brought in, per customer; revenue is net of returns."""
    tables = with_known_costs(tables)
    if basis == "gross_profit":
        brought = identified_gross_profit(tables, period)
    else:
        brought = total(a for _, at, a in ledger(tables, basis) if inside(at, period))
    return ratio(brought, customers(tables, period))


def lifetime_value_on_revenue(tables: Tables, period: Period) -> float | None:
    """Net sales per known customer, divided by the churn rate."""
    return ratio(value_per_customer(tables, period, "revenue"), customer_churn_rate(tables, period))


def lifetime_value_over(
    tables: Tables, period: Period, *, years: float = 3, basis: Basis = "gross_profit"
) -> float | None:
    """What a known customer brings in a year of 365 days, times a lifespan that is given."""
    value = value_per_customer(tables, period, basis)
    return None if value is None else value * 365 / days(period) * years


def lifetime_value_discounted(tables: Tables, period: Period, *, rate: float = 0.1) -> float | None:
    """Profit per customer m, retention r and a discount rate d per period: m · r / (1 + d − r)."""
    profit = value_per_customer(tables, period, "gross_profit")
    kept = customer_retention_rate(tables, period)
    if profit is None or kept is None:
        return None
    return ratio(profit * kept, 1 + rate - kept)


# --- surveys -------------------------------------------------------------------------------------


def answers(tables: Tables, period: Period, survey_type: str) -> list[tuple[Number, Number | None]]:
    """Every score given in the period to this kind of survey, with its scale."""
    return [
        (row["score"], row.get("scale_max"))
        for row in table(tables, "surveys")
        if row.get("survey_type") == survey_type
        and row.get("score") is not None
        and inside(row.get("responded_at"), period)
    ]


def net_promoter_score_of_all_answers(tables: Tables, period: Period) -> float | None:
    """Promoters less detractors per hundred answers, several of one customer all counted."""
    scores = [score for score, _ in answers(tables, period, "nps")]
    promoters = len([score for score in scores if score >= 9])
    return ratio(100 * (promoters - len([s for s in scores if s <= 6])), len(scores))


def satisfaction_of_all_answers(tables: Tables, period: Period) -> float | None:
    """Share of 4 and 5 among all answers, several of one customer all counted."""
    scores = [score for score, _ in answers(tables, period, "csat")]
    return ratio(len([score for score in scores if score >= 4]), len(scores))


def satisfaction_on_any_scale(tables: Tables, period: Period) -> float | None:
    """Share of all answers in the two highest marks of their own scale; 5 if none is said."""
    given = answers(tables, period, "csat")
    top = [score for score, scale in given if score >= (5 if scale is None else scale) - 1]
    return ratio(len(top), len(given))


CUSTOMER_ORACLES: dict[str, Callable[[Tables, Period], Value]] = {
    "new_customer_rate": new_customer_rate,
    "returning_customer_rate": returning_customer_rate,
    "returning_customer_rate.any_repeat": any_repeat_rate,
    "repeat_purchase_rate.in_window": repeat_purchase_rate_in_window,
    "repeat_purchase_rate.by_days": repeat_purchase_rate_by_days,
    "repeat_purchase_rate_nd": repeat_purchase_rate_nd,
    "repeat_order_probability": repeat_order_probability,
    "days_between_orders": days_between_orders,
    "days_between_orders.mean": mean_days_between_orders,
    "customer_retention_rate.accounting": retention_by_accounting,
    "customer_churn_rate.accounting": churn_by_accounting,
    "retained_customers": retained_customers,
    "resurrected_customers": resurrected_customers,
    "churned_customers": churned_customers,
    "growth_quick_ratio": growth_quick_ratio,
    "customer_lifetime_value.revenue": lifetime_value_on_revenue,
    "customer_lifetime_value.over": lifetime_value_over,
    "customer_lifetime_value.discounted": lifetime_value_discounted,
    "net_promoter_score.all_answers": net_promoter_score_of_all_answers,
    "customer_satisfaction_score.all_answers": satisfaction_of_all_answers,
    "customer_satisfaction_score.any_scale": satisfaction_on_any_scale,
}

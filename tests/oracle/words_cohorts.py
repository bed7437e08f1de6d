"""Cohorts and RFM scores in plain Python, written from their definitions in words.

A KPI here is a function of the tables and one period that gives a dictionary: a value per cohort
and month, per month, or per customer. The cohorts are those that begin in the period.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from oracle.words import (
    Number,
    Period,
    Tables,
    as_of,
    before_end,
    inside,
    ratio,
    strict_total,
    total,
)
from oracle.words_customers import orders_of_customers
from oracle.words_profit import (
    DAY,
    Basis,
    first_orders,
    known_until,
    ledger,
    month_number,
    month_start,
)

Cell = tuple[date, int]
"""The first day of a cohort's month, and the number of a month after it."""


# --- cohorts -------------------------------------------------------------------------------------


def cohorts(tables: Tables, period: Period) -> dict[date, dict[Any, datetime]]:
    """Group the customers won in the period under the month of their first order.

    A month that the period cuts has only those won inside the period.
    """
    result: dict[date, dict[Any, datetime]] = {}
    for key, moment in first_orders(tables).items():
        if inside(moment, period):
            result.setdefault(moment.date().replace(day=1), {})[key] = moment
    return result


def observed_months(tables: Tables, cohort: date) -> list[tuple[int, bool]]:
    """Number the months begun since the cohort's, each with whether it is over."""
    now, known = as_of(tables), known_until(tables)
    if now is None or known is None:
        return []
    first = cohort.year * 12 + cohort.month - 1
    return [
        (month - first, month_start(month + 1) <= known)
        for month in range(first, month_number(now) + 1)
    ]


def months_active(tables: Tables) -> dict[Any, set[int]]:
    """The months in which each known customer placed a counted order."""
    return {
        key: {month_number(o.ordered_at) for o in own if o.ordered_at is not None}
        for key, own in orders_of_customers(tables).items()
    }


def cohort_table(
    tables: Tables, period: Period, *, is_in: Callable[[set[int], int], bool]
) -> dict[Cell, float | None]:
    """Share of each cohort for whom something holds in each month begun; None while it is open.

    What holds is said of a customer's months with orders, counted from the first order's month.
    """
    months_of = months_active(tables)
    result: dict[Cell, float | None] = {}
    for cohort, members in cohorts(tables, period).items():
        after = [
            {month - month_number(first) for month in months_of.get(key, set())}
            for key, first in members.items()
        ]
        for month, is_over in observed_months(tables, cohort):
            held = [own for own in after if is_in(own, month)]
            result[cohort, month] = ratio(len(held), len(members)) if is_over else None
    return result


def cohort_retention(tables: Tables, period: Period) -> dict[Cell, float | None]:
    """Share of each month's new customers with an order in the n-th calendar month after."""
    return cohort_table(tables, period, is_in=lambda own, month: month in own)


def cohort_retention_on_or_after(tables: Tables, period: Period) -> dict[Cell, float | None]:
    """Share of each month's new customers with an order in the n-th month after, or later."""
    return cohort_table(
        tables, period, is_in=lambda own, month: any(later >= month for later in own)
    )


def cohort_retention_rolling(
    tables: Tables, period: Period, *, window: timedelta = 30 * DAY
) -> dict[Cell, float | None]:
    """Share of each month's new customers with an order in the n-th window after their first.

    A customer's windows begin at the full hour of the first order. Windows are listed as long as
    one of the cohort's has begun at the as-of moment; None until the last of them is over.
    """
    now, own = as_of(tables), orders_of_customers(tables)
    result: dict[Cell, float | None] = {}
    for cohort, members in cohorts(tables, period).items():
        starts = {
            key: moment.replace(minute=0, second=0, microsecond=0)
            for key, moment in members.items()
        }
        number = 0
        while now is not None and min(starts.values()) + number * window <= now:
            held = [
                key
                for key, start in starts.items()
                if any(
                    inside(
                        o.ordered_at, Period(start + number * window, start + (number + 1) * window)
                    )
                    for o in own.get(key, [])
                )
            ]
            is_over = max(starts.values()) + (number + 1) * window <= now
            result[cohort, number] = ratio(len(held), len(members)) if is_over else None
            number += 1
    return result


def mean_cohort_retention(tables: Tables, period: Period) -> dict[int, float | None]:
    """The curve of all cohorts that reached a month together, each weighing its size."""
    sizes = {cohort: len(members) for cohort, members in cohorts(tables, period).items()}
    held: dict[int, float] = {}
    reached: dict[int, int] = {}
    for (cohort, month), share in cohort_retention(tables, period).items():
        held.setdefault(month, 0)
        reached.setdefault(month, 0)
        if share is not None:
            held[month] += share * sizes[cohort]
            reached[month] += sizes[cohort]
    return {month: ratio(held[month], reached[month]) for month in held}


def cohort_cumulative_value(
    tables: Tables, period: Period, *, basis: Basis = "gross_profit"
) -> dict[Cell, float | None]:
    """What each month's new customers brought in up to the n-th month after, per one of them all.

    Amounts fall on their own days, returns on the day they came in. None for a month that is not
    over, and from the first unknown cost of goods on.
    """
    entries = ledger(tables, basis)
    result: dict[Cell, float | None] = {}
    for cohort, members in cohorts(tables, period).items():
        after = [
            (month_number(moment) - month_number(members[key]), amount)
            for key, moment, amount in entries
            if key in members
        ]
        for month, is_over in observed_months(tables, cohort):
            so_far = strict_total(amount for when, amount in after if when <= month)
            result[cohort, month] = ratio(so_far, len(members)) if is_over else None
    return result


# --- recency, frequency, monetary ----------------------------------------------------------------


def marks(values: dict[Any, Any]) -> dict[Any, int]:
    """Mark each value 1 to 5 by the share of values below it; equal values get equal marks."""
    return {
        key: 1 + 5 * len([other for other in values.values() if other < value]) // len(values)
        for key, value in values.items()
    }


def rfm_score(tables: Tables, period: Period) -> dict[Any, int]:
    """Three marks of each customer so far, as a number from 111 to 555.

    Everything up to the period's end counts. Recency is the exact time of the last order, so the
    latest are marked best; frequency is all orders; monetary is net sales, returns taken off.
    """
    last: dict[Any, datetime] = {}
    count: dict[Any, int] = {}
    spent: dict[Any, Number] = {}
    for key, own in orders_of_customers(tables).items():
        so_far = [o.ordered_at for o in own if o.ordered_at is not None]
        so_far = [moment for moment in so_far if moment < period.end]
        if so_far:
            last[key], count[key], spent[key] = max(so_far), len(so_far), 0
    for key, moment, amount in ledger(tables, "revenue"):
        if key in spent and before_end(moment, period):
            spent[key] += total([amount])
    recency, frequency, monetary = marks(last), marks(count), marks(spent)
    return {key: 100 * recency[key] + 10 * frequency[key] + monetary[key] for key in last}


TABLE_ORACLES: dict[str, Callable[[Tables, Period], dict[Any, Any]]] = {
    "cohort_retention": cohort_retention,
    "cohort_retention.on_or_after": cohort_retention_on_or_after,
    "cohort_retention.rolling": cohort_retention_rolling,
    "cohort_retention.mean": mean_cohort_retention,
    "cohort_cumulative_value": cohort_cumulative_value,
    "rfm_score": rfm_score,
}
"""KPIs of one value per cohort and month, per month or per customer."""

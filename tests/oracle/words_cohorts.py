"""Cohorts and RFM scores in plain Python, written from their definitions in words.

A KPI here is a function of the tables and one period that gives a dictionary: a value per cohort
and month, per month, or per customer. The cohorts are those that begin in the period. Where it says
months, these may be taken three at a time: then cohorts and their ages are quarters.
"""

from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Any

from oracle.words import (
    Number,
    Period,
    Tables,
    Value,
    acquisition_costs,
    ad_spend,
    as_of,
    has_column,
    inside,
    ratio,
    strict_total,
    table,
    total,
)
from oracle.words_customers import orders_of_customers
from oracle.words_profit import (
    Basis,
    first_orders,
    known_until,
    ledger,
    month_number,
    month_start,
)

Cell = tuple[date, int]
"""The first day of a cohort's month, and the number of a month after it."""

EVER = Period(datetime.min, datetime.max)


# --- cohorts -------------------------------------------------------------------------------------


def step_number(moment: datetime, months: int) -> int:
    """Number stretches of so many calendar months on end."""
    return month_number(moment) // months


def step_start(number: int, months: int) -> datetime:
    """Give the first moment of a numbered stretch."""
    return month_start(number * months)


def cohorts(tables: Tables, period: Period, *, months: int = 1) -> dict[date, dict[Any, datetime]]:
    """Group the customers won in the period under the month of their first order.

    A month that the period cuts has only those won inside the period.
    """
    result: dict[date, dict[Any, datetime]] = {}
    for key, moment in first_orders(tables).items():
        if inside(moment, period):
            first = step_start(step_number(moment, months), months)
            result.setdefault(first.date(), {})[key] = moment
    return result


def size_of(tables: Tables, members: Collection[Any]) -> int:
    """Count the customers of a cohort.

    Where only part of a shop is looked at, those whose first order lies in another part buy here
    as customers of their cohort, but were not won here.
    """
    if not has_column(table(tables, "orders"), "first_order_at"):
        return len(members)
    own = orders_of_customers(tables)
    return len([key for key in members if any(o.order_number == 1 for o in own.get(key, []))])


def observed_months(tables: Tables, cohort: date, *, months: int = 1) -> list[tuple[int, bool]]:
    """Number the months begun since the cohort's, each with whether it is over."""
    now, known = as_of(tables), known_until(tables)
    if now is None or known is None:
        return []
    first = (cohort.year * 12 + cohort.month - 1) // months
    return [
        (month - first, step_start(month + 1, months) <= known)
        for month in range(first, step_number(now, months) + 1)
    ]


def months_active(tables: Tables, *, months: int = 1) -> dict[Any, set[int]]:
    """The months in which each known customer placed a counted order."""
    return {
        key: {step_number(o.ordered_at, months) for o in own if o.ordered_at is not None}
        for key, own in orders_of_customers(tables).items()
    }


def cohort_table(
    tables: Tables, period: Period, *, is_in: Callable[[set[int], int], bool], months: int = 1
) -> dict[Cell, float | None]:
    """Share of each cohort for whom something holds in each month begun; None while it is open.

    What holds is said of a customer's months with orders, counted from the first order's month.
    """
    months_of = months_active(tables, months=months)
    result: dict[Cell, float | None] = {}
    for cohort, members in cohorts(tables, period, months=months).items():
        after = [
            {month - step_number(first, months) for month in months_of.get(key, set())}
            for key, first in members.items()
        ]
        for month, is_over in observed_months(tables, cohort, months=months):
            held = [own for own in after if is_in(own, month)]
            share = ratio(len(held), size_of(tables, members))
            result[cohort, month] = share if is_over else None
    return result


def cohort_retention(
    tables: Tables, period: Period, *, months: int = 1
) -> dict[Cell, float | None]:
    """Share of each month's new customers with an order in the n-th calendar month after."""
    return cohort_table(tables, period, is_in=lambda own, month: month in own, months=months)


def cohort_retention_on_or_after(
    tables: Tables, period: Period, *, months: int = 1
) -> dict[Cell, float | None]:
    """Share of each month's new customers with an order in the n-th month after, or later."""
    return cohort_table(
        tables,
        period,
        is_in=lambda own, month: any(later >= month for later in own),
        months=months,
    )


def cohort_retention_repurchased(
    tables: Tables, period: Period, *, months: int = 1
) -> dict[Cell, float | None]:
    """Share of each month's new customers with a second order by the end of the n-th month after.

    A second order counts whether or not it falls in the month of the first.
    """
    seconds = {
        key: step_number(order.ordered_at, months)
        for key, own in orders_of_customers(tables).items()
        for order in own
        if order.order_number == 2 and order.ordered_at is not None
    }
    result: dict[Cell, float | None] = {}
    for cohort, members in cohorts(tables, period, months=months).items():
        after = [
            seconds[key] - step_number(members[key], months) for key in members & seconds.keys()
        ]
        for month, is_over in observed_months(tables, cohort, months=months):
            again = [own for own in after if own <= month]
            share = ratio(len(again), size_of(tables, members))
            result[cohort, month] = share if is_over else None
    return result


def entries_after(
    tables: Tables, members: dict[Any, datetime], basis: Basis, months: int
) -> list[tuple[int, Value]]:
    """What the customers of a cohort brought in or cost, each by the number of the month after."""
    return [
        (step_number(moment, months) - step_number(members[key], months), amount)
        for key, moment, amount in ledger(tables, basis)
        if key in members
    ]


def cohort_cumulative_value(
    tables: Tables, period: Period, *, basis: Basis = "gross_profit", months: int = 1
) -> dict[Cell, float | None]:
    """What each month's new customers brought in up to the n-th month after, per one of them all.

    Amounts fall on their own days, returns on the day they came in. None for a month that is not
    over, and from the first unknown cost of goods on.
    """
    result: dict[Cell, float | None] = {}
    for cohort, members in cohorts(tables, period, months=months).items():
        after = entries_after(tables, members, basis, months)
        for month, is_over in observed_months(tables, cohort, months=months):
            so_far = strict_total(amount for when, amount in after if when <= month)
            share = ratio(so_far, size_of(tables, members))
            result[cohort, month] = share if is_over else None
    return result


def cohort_payback(tables: Tables, period: Period, *, months: int = 1) -> dict[Cell, int | None]:
    """After how many months each month's new customers had brought in what winning them cost.

    The cost is that of the cohort's own month, and of nobody else. As it is known at the end of the
    n-th month after: None until it is paid back, or if a cost of goods on the way is unknown.
    """
    result: dict[Cell, int | None] = {}
    for cohort, members in cohorts(tables, period, months=months).items():
        number = step_number(datetime(cohort.year, cohort.month, 1), months)
        own = Period(step_start(number, months), step_start(number + 1, months))
        cost = ad_spend(tables, own) + acquisition_costs(tables, own)
        after = entries_after(tables, members, "contribution_margin", months)
        paid: int | None = None
        for month, is_over in observed_months(tables, cohort, months=months):
            so_far = strict_total(amount for when, amount in after if when <= month)
            if paid is None and so_far is not None and so_far >= cost:
                paid = month
            result[cohort, month] = paid if is_over else None
    return result


# --- recency, frequency, monetary ----------------------------------------------------------------


def marks(values: dict[Any, Any]) -> dict[Any, int]:
    """Mark each value 1 to 5 by the share of values below it; equal values get equal marks."""
    return {
        key: 1 + 5 * len([other for other in values.values() if other < value]) // len(values)
        for key, value in values.items()
    }


def dense_marks(values: dict[Any, Any]) -> dict[Any, int]:
    """Mark each value 1 to 5 by its place among the different values, however many have each."""
    places = marks({value: value for value in values.values()})
    return {key: places[value] for key, value in values.items()}


def orders_of_period(tables: Tables, period: Period) -> dict[Any, list[datetime]]:
    """When each known customer ordered in the period; customers without an order are left out."""
    times_of = {
        key: [
            o.ordered_at for o in own if o.ordered_at is not None and inside(o.ordered_at, period)
        ]
        for key, own in orders_of_customers(tables).items()
    }
    return {key: own for key, own in times_of.items() if own}


def recency_score(tables: Tables, period: Period) -> dict[Any, int]:
    """Mark the customers of the period by the exact time of their last order, the latest best."""
    return marks({key: max(own) for key, own in orders_of_period(tables, period).items()})


def orders_per_customer(tables: Tables, period: Period) -> dict[Any, int]:
    """Number of orders of each customer of the period, the first one as well."""
    return {key: len(own) for key, own in orders_of_period(tables, period).items()}


def frequency_score(tables: Tables, period: Period) -> dict[Any, int]:
    """Mark the customers of the period by the number of their orders in it."""
    return marks(orders_per_customer(tables, period))


def monetary_score(tables: Tables, period: Period) -> dict[Any, int]:
    """Mark the customers of the period by its net sales, returns taken off as they come in."""
    spent: dict[Any, Number] = dict.fromkeys(orders_of_period(tables, period), 0)
    for key, moment, amount in ledger(tables, "revenue"):
        if key in spent and inside(moment, period):
            spent[key] += total([amount])
    return marks(spent)


def three_digits(
    recency: dict[Any, int], frequency: dict[Any, int], monetary: dict[Any, int]
) -> dict[Any, int]:
    """Write three marks side by side."""
    return {key: 100 * recency[key] + 10 * frequency[key] + monetary[key] for key in recency}


def rfm_score(tables: Tables, period: Period) -> dict[Any, int]:
    """Three marks of each customer of the period, as a number from 111 to 555."""
    return three_digits(
        recency_score(tables, period),
        frequency_score(tables, period),
        monetary_score(tables, period),
    )


def dense_rfm_score(tables: Tables, period: Period) -> dict[Any, int]:
    """The same, where the numbers of orders are marked among the different ones."""
    return three_digits(
        recency_score(tables, period),
        dense_marks(orders_per_customer(tables, period)),
        monetary_score(tables, period),
    )


CellOracle = Callable[[Tables, Period, int], dict[Cell, Value]]

COHORT_ORACLES: dict[str, CellOracle] = {
    "cohort_retention": lambda t, p, m: cohort_retention(t, p, months=m),
    "cohort_retention.on_or_after": lambda t, p, m: cohort_retention_on_or_after(t, p, months=m),
    "cohort_retention.repurchased": lambda t, p, m: cohort_retention_repurchased(t, p, months=m),
    "cohort_cumulative_value": lambda t, p, m: cohort_cumulative_value(t, p, months=m),
    "cohort_cumulative_value.revenue": lambda t, p, m: cohort_cumulative_value(
        t, p, months=m, basis="revenue"
    ),
    "cohort_cumulative_value.contribution_margin": lambda t, p, m: cohort_cumulative_value(
        t, p, months=m, basis="contribution_margin"
    ),
    "cac_payback_period": lambda t, p, m: cohort_payback(t, p, months=m),
}
"""KPIs of one value per cohort and stretch of so many months."""

SCORE_ORACLES: dict[str, Callable[[Tables, Period], dict[Any, int]]] = {
    "recency_score": recency_score,
    "frequency_score": frequency_score,
    "monetary_score": monetary_score,
    "rfm_score": rfm_score,
    "rfm_score.dense": dense_rfm_score,
}
"""KPIs of one value per customer."""

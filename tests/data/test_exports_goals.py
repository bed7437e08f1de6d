"""Goals on exports are those of a plain computation, and their intervals hold what they promise."""

import datetime as dt
from itertools import pairwise
from statistics import median

import polars as pl
import pytest

import funnelkit as fk
from data.sql import READ, REAL

MONTHS = [dt.date(2009 + at // 12, at % 12 + 1, 1) for at in range(11, 36)]
"""The starts of the whole months, the last of which ends with November 2011."""

METRICS = ("orders", "customers", "average_order_value")
GROWING = METRICS[:2]


@pytest.fixture(scope="module")
def invoices(two_years):
    """The orders alone, with the sum of their lines."""
    tables = {name: two_years.frames[name].collect() for name in ("orders", "order_lines")}
    amount = (pl.col("quantity") * pl.col("unit_price")).sum().alias("gross_amount")
    lines = tables["order_lines"].group_by("order_id").agg(amount)
    orders = tables["orders"].join(lines, on="order_id", how="left")
    return orders.with_columns(discount_amount=0.0)


def tracked(invoices, month, end, days, metrics=METRICS):
    shop = fk.Shop(
        orders=invoices, order_policy="all", currency="GBP", as_of=month + dt.timedelta(days=days)
    )
    goals = [fk.Goal(metric=name, target=300, start=month, deadline=end) for name in metrics]
    return fk.track(shop, goals).frame.rows(named=True)


def plainly(rows, metric, start, days):
    """A metric of some days, from the rows of orders."""
    end = start + dt.timedelta(days=days)
    own = [row for row in rows if start <= row[0].date() < end]
    if metric == "orders":
        return len(own)
    if metric == "customers":
        return len({customer for _, customer, _ in own if customer is not None})
    return sum(amount for *_, amount in own) / len(own) if own else None


def test_a_month_stands_as_plain_python_says(invoices):
    rows = invoices.select("ordered_at", "customer_id", "gross_amount").rows()
    rows_begin = min(at for at, *_ in rows).date()
    month, end, gone = MONTHS[-2], MONTHS[-1], 10
    for found in tracked(invoices, month, end, gone):
        metric, now = found["metric"], plainly(rows, found["metric"], month, gone)
        days, ends = (end - month).days, []
        known = [start for start in MONTHS[:-1] if start >= rows_begin]
        for first, after in pairwise(known):
            length = (after - first).days
            cut = round(length * gone / days)
            by, final = (plainly(rows, metric, first, n) for n in (cut, length))
            if metric in GROWING and by:
                rest = ((final - by) / (length - cut)) / (by / cut)
                ends.append(now + (days - gone) * now / gone * rest)
            elif metric not in GROWING and None not in {by, final}:
                ends.append(now + final - by)
        assert found["actual"] == pytest.approx(now)
        assert found["windows"] == len(ends)
        rank = (len(ends) + 1) // 10
        wanted = (median(ends), sorted(ends)[rank - 1], sorted(ends)[-rank])
        assert (found["projection"], found["low"], found["high"]) == pytest.approx(wanted)
        reached = sum(end >= 300 for end in ends)
        assert found["sufficed"] == reached


@pytest.mark.slow
def test_the_interval_of_the_orders_of_a_month_holds_in_13_of_14_months(invoices):
    if READ.path != REAL:
        pytest.skip("made data is of other months")
    for gone in (7, 10, 15, 20):
        held = 0
        for month, end in pairwise(MONTHS[10:]):
            (found,) = tracked(invoices, month, end, gone, metrics=["orders"])
            final = invoices.filter(
                pl.col("ordered_at").dt.date().is_between(month, end, closed="left")
            ).height
            held += found["low"] <= final <= found["high"]
        assert held == 13

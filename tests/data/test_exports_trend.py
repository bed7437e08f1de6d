"""The weekly chart of Online Retail against one drawn in plain Python from the rows of its file."""

import datetime as dt
from collections import defaultdict
from itertools import pairwise
from math import pi, sqrt

import pytest

import funnelkit as fk
from data.shops import read


def weeks():
    """Sales and invoices of each whole week that has any, from its Monday, without credit notes."""
    sales, invoices, last = defaultdict(float), defaultdict(set), dt.datetime(1, 1, 1)
    wanted = ["InvoiceNo", "InvoiceDate", "Quantity", "UnitPrice"]
    first_of = dict[str, dt.datetime]()
    rows = read("online_retail_uci").select(wanted).rows()
    for number, at, _, _ in rows:
        first_of[number] = min(at, first_of.get(number, at))
        last = max(last, at)
    for number, _, quantity, price in rows:
        if number[0] == "C":
            continue
        day = first_of[number].date()
        monday = day - dt.timedelta(days=day.weekday())
        sales[monday] += quantity * price
        invoices[monday].add(number)
    first = min(first_of.values()).date()
    return {
        monday: (sales[monday], len(invoices[monday]))
        for monday in sorted(sales)
        if monday >= first and monday + dt.timedelta(days=7) <= last.date()
    }


def limits_of(points):
    """The centre and the sigma of one invoice."""
    values = [(monday, above / below, below) for monday, (above, below) in points.items()]
    spreads = [
        sqrt(pi / 2) * abs(value - before) / sqrt(1 / n + 1 / n_before)
        for (monday, before, n_before), (next_monday, value, n) in pairwise(values)
        if next_monday - monday == dt.timedelta(days=7)
    ]
    centre = sum(above for above, _ in points.values()) / sum(n for _, n in points.values())
    return centre, sum(spreads) / len(spreads)


def test_weekly_order_values_have_the_limits_of_a_plain_computation(online_retail: fk.Shop) -> None:
    value = fk.Metric(
        name="gross_order_value", formula=fk.Sum(fk.Orders.gross_amount) / fk.Count(fk.Orders)
    )
    result = fk.evaluate(online_retail, value, every="1w", start=min(weeks()))
    frame = fk.trend(result).frame
    points = weeks()
    centre, sigma = limits_of(points)
    known = frame.drop_nulls("sigma")
    assert known["period"].to_list() == list(points)
    for row, (above, below) in zip(known.iter_rows(named=True), points.values(), strict=True):
        wide = sigma / sqrt(below)
        assert row["expected"] == pytest.approx(centre, rel=1e-9)
        assert row["sigma"] == pytest.approx(wide, rel=1e-9)
        assert row["z"] == pytest.approx((above / below - centre) / wide, rel=1e-6, abs=1e-9)
        assert row["outside"] == (abs(above / below - centre) > 3 * wide)

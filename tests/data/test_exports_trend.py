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


def flagged(series):
    """The Mondays of runs of eight on one side, and of three of four beyond 1.5 sigma."""
    runs, near = set[dt.date](), set[dt.date]()
    mondays = list(series)
    for first, _ in enumerate(mondays):
        for count in (3, 4, 8):
            window = mondays[first : first + count]
            if len(window) < count or (window[-1] - window[0]).days != 7 * (count - 1):
                continue
            for side in (1, -1):
                above = [monday for monday in window if side * series[monday] > 0]
                far = [monday for monday in window if side * series[monday] > 1.5]
                runs |= set(above) if count == 8 == len(above) else set()
                near |= set(far) if count < 8 and len(far) >= 3 else set()
    return runs, near


def test_weekly_order_values_have_the_limits_of_a_plain_computation(online_retail: fk.Shop) -> None:
    value = fk.Metric(
        name="gross_order_value", formula=fk.Sum(fk.Orders.gross_amount) / fk.Count(fk.Orders)
    )
    result = fk.evaluate(online_retail, value, every="1w", start=min(weeks()))
    frame = fk.trend(result).frame
    points = weeks()
    centre, sigma = limits_of(points)
    known = frame.drop_nulls("sigma")
    runs, near = flagged(dict(known.select("period", "z").iter_rows()))
    assert known["period"].to_list() == list(points)
    for row, (above, below) in zip(known.iter_rows(named=True), points.values(), strict=True):
        wide = sigma / sqrt(below)
        assert row["expected"] == pytest.approx(centre, rel=1e-9)
        assert row["sigma"] == pytest.approx(wide, rel=1e-9)
        assert row["z"] == pytest.approx((above / below - centre) / wide, rel=1e-6, abs=1e-9)
        assert row["outside"] == (abs(above / below - centre) > 3 * wide)
        assert row["run"] == (row["period"] in runs)
        assert row["near"] == (row["period"] in near)


def test_weekly_orders_have_the_limits_of_a_plain_computation(online_retail: fk.Shop) -> None:
    """A week without orders between others is a week of 0, and the first stub of one is none."""
    frame = fk.trend(fk.evaluate(online_retail, "orders", every="1w")).frame
    counts = {monday: n for monday, (_, n) in weeks().items()}
    monday, series = min(counts), dict[dt.date, int]()
    while monday <= max(counts):
        series[monday] = counts.get(monday, 0)
        monday += dt.timedelta(days=7)
    centre = sum(series.values()) / len(series)
    spread = sum(abs(two - one) for one, two in pairwise(series.values())) / (len(series) - 1)
    sigma = spread * sqrt(pi) / 2
    known = frame.drop_nulls("sigma")
    assert dict(known.select("period", "value").iter_rows()) == series
    assert known["expected"].to_list() == pytest.approx([centre] * len(series))
    assert known["sigma"].to_list() == pytest.approx([sigma] * len(series))
    runs, near = flagged({day: (count - centre) / sigma for day, count in series.items()})
    for row in known.iter_rows(named=True):
        assert row["outside"] == (abs(row["value"] - centre) > 3 * sigma)
        assert row["run"] == (row["period"] in runs)
        assert row["near"] == (row["period"] in near)

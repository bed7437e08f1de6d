"""Comparisons and drivers of a real export, equal to what plain Python makes of its lines."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from itertools import permutations

import polars as pl
import pytest

import funnelkit as fk
from data.sql import READ, REAL, file_of

OCTOBER, NOVEMBER = (2011, 10), (2011, 11)
Sums = dict[tuple[tuple[int, int], str], float]


@pytest.fixture(scope="module")
def sums(bind: Callable[..., fk.Shop]) -> dict[str, Sums]:  # noqa: ARG001  # it chooses the files
    """Add up the lines by month and country: what was sold, given back, and how many orders."""
    if READ.path is not REAL:
        pytest.skip("the made export does not reach to the end of 2011")
    frame = pl.read_parquet(file_of("online_retail_uci"))
    names = ("InvoiceNo", "InvoiceDate", "Country", "Quantity", "UnitPrice")
    rows = list(frame.select(names).iter_rows())
    placed: dict[str, dt.datetime] = {}
    countries: dict[str, str] = {}
    for invoice, at, country, _, _ in rows:
        placed[invoice] = min(placed.get(invoice, at), at)
        countries.setdefault(invoice, country)
    sold, returned, orders = (defaultdict[tuple[tuple[int, int], str], float](float) for _ in "123")
    for invoice, at, country, quantity, price in rows:
        if invoice.startswith("C"):
            returned[(at.year, at.month), country] -= quantity * price
        else:
            month = (placed[invoice].year, placed[invoice].month)
            sold[month, countries[invoice]] += quantity * price
    for invoice, at in placed.items():
        if not invoice.startswith("C"):
            orders[(at.year, at.month), countries[invoice]] += 1
    return {"sold": sold, "returned": returned, "orders": orders}


def of_month(sums: Sums, month: tuple[int, int]) -> float:
    return sum(value for (own, _), value in sums.items() if own == month)


def test_november_against_october_by_country(sums: dict[str, Sums], online_retail: fk.Shop) -> None:
    found = fk.drivers(
        online_retail,
        "net_sales",
        before="2011-10-01",
        after="2011-11-01",
        every="1mo",
        by="country",
        top=100,
    )
    expected: dict[str, float] = defaultdict(float)
    for sign, month in ((-1, OCTOBER), (1, NOVEMBER)):
        for name, side in (("sold", 1), ("returned", -1)):
            for (own, country), value in sums[name].items():
                if own == month:
                    expected[country] += sign * side * value
    parts = dict(found.frame.select("name", "contribution").iter_rows())
    assert parts == pytest.approx(dict(expected), rel=1e-9, abs=1e-6)
    assert found.change == pytest.approx(sum(expected.values()))
    assert found.check < 1e-9
    cut = fk.drivers(
        online_retail,
        "net_sales",
        before="2011-10-01",
        after="2011-11-01",
        every="1mo",
        by="country",
        top=3,
    ).frame
    assert cut["contribution"].sum() == pytest.approx(found.change)


def test_november_against_october_by_the_tree(
    sums: dict[str, Sums], online_retail: fk.Shop
) -> None:
    points = [
        (
            of_month(sums["orders"], month),
            of_month(sums["sold"], month) / of_month(sums["orders"], month),
            of_month(sums["returned"], month),
        )
        for month in (OCTOBER, NOVEMBER)
    ]
    expected = [0.0, 0.0, 0.0]
    for order in permutations(range(3)):
        point = list(points[0])
        for place in order:
            one = point[0] * point[1] - point[2]
            point[place] = points[1][place]
            expected[place] += (point[0] * point[1] - point[2] - one) / 6
    found = fk.drivers(
        online_retail,
        "net_sales",
        before=("2011-10-01", "2011-11-01"),
        after=("2011-11-01", "2011-12-01"),
        factors="orders * average_order_value - returns_value",
    )
    assert found.frame["contribution"].to_list() == pytest.approx(expected)
    assert found.within_limits is False  # November is the largest month of the year


def test_month_by_month_against_the_month_before(
    sums: dict[str, Sums], online_retail: fk.Shop
) -> None:
    found = fk.compare(online_retail, ["gross_sales", "orders"], every="1mo").frame
    months = [(2010, 12), *((2011, month) for month in range(1, 13))]
    for metric, name in (("gross_sales", "sold"), ("orders", "orders")):
        rows = found.filter(metric=metric)
        values = [of_month(sums[name], month) for month in months]
        assert rows["value"].to_list() == pytest.approx(values)
        references = rows["reference"].to_list()
        assert references[0] is None
        assert references[1:-1] == pytest.approx(values[:-2])
    # the file ends on 9 December, which is compared with nine days of November
    last = found.filter(metric="orders").row(-1, named=True)
    assert (last["days"], last["reference_days"]) == (9, 9)

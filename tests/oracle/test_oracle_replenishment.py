"""Replenishment against the plain-Python functions of its words."""

import datetime as dt
import math
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funnelkit as fk
from oracle.comparing import Span
from oracle.shops import DAYS, MONTHS
from oracle.shops_busy import busy_shops
from oracle.shops_operations import operation_frames, operation_shops, part_of_orders
from oracle.test_oracle import few, months, whole_months
from oracle.words import Period, Row, Tables, Value, counted_orders, midnight
from oracle.words_replenishment import REPLENISHMENT_ORACLES, safety_stock_on_all_days

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

DAY = dt.timedelta(days=1)
TABLES = ("orders", "order_lines", "products", "inventory_snapshots")
AT_99 = fk.catalog.safety_stock(service_level=0.99)
ORACLES = {
    **REPLENISHMENT_ORACLES,
    AT_99.name: partial(safety_stock_on_all_days, service_level=0.99),
}
METRICS = [*REPLENISHMENT_ORACLES, AT_99]
OF_ORDERS = [
    metric
    for metric in METRICS
    if not isinstance(metric, str) or not metric.endswith(".in_stock_days")
]


def with_own_safety_stock(tables: Tables) -> Tables:
    """Give products a safety stock, where they come without one: 5, none, or not known."""
    stocks = {"p1": 5.0, "p2": 0.0, "p3": None}
    rows = [
        {**row, "safety_stock": row.get("safety_stock", stocks.get(row["product_id"]))}
        for row in tables["products"]
    ]
    return {**tables, "products": rows}


any_shop = st.one_of(operation_shops(TABLES), busy_shops(TABLES)).map(with_own_safety_stock)
whole_days = (
    st.lists(st.sampled_from((*DAYS, MONTHS[-1].date())), min_size=2, max_size=2, unique=True)
    .map(sorted)
    .map(lambda ends: {"start": midnight(ends[0]), "end": midnight(ends[1])})
)


def shop_frames(tables: Tables) -> dict[str, pl.DataFrame]:
    """Give the frames; products without a row have the column of a safety stock as well."""
    found = operation_frames(tables)
    if not tables["products"]:
        stocks = pl.Series("safety_stock", [], dtype=pl.Float64())
        found["products"] = found["products"].with_columns(stocks)
    return found


def answer(tables: Tables, metrics: Sequence[str | fk.Metric], **question: Any) -> list[Row]:
    """Ask a shop that may be younger than the range asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fk.TruncatedHistoryWarning)
        return fk.evaluate(fk.Shop.bind(shop_frames(tables)), metrics, **question).frame.to_dicts()


def sold_in(tables: Tables, period: Period) -> set[Any]:
    """Name the products with units on a counted order of the period."""
    return {
        line["product_id"]
        for order in counted_orders(tables, period)
        for line in order.lines
        if line.get("line_type") in (None, "product") and line["quantity"]
    }


def same(found: Value, expected: Value) -> bool:
    """Say whether two amounts are the same; roots of sums of squares lose digits near 0."""
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-6)


def check(tables: Tables, rows: Sequence[Row], period: Period) -> None:
    """Compare all products of an answer; whatever sold something must be among them.

    A product of which only lines that do not count are known may be left out.
    """
    found: Mapping[Any, Row] = {row["product_id"]: row for row in rows}
    assert len(found) == len(rows)
    sold = sold_in(tables, period)
    assert sold <= set(found)
    for name in ORACLES.keys() & rows[0].keys() if rows else ():
        expected = ORACLES[name](tables, period)
        for product, row in found.items():
            value = expected.get(product) if product is not None else None
            is_left_out = product not in sold and row[name] is None
            assert is_left_out or same(row[name], value), (name, product, row[name], value)


@few
@given(tables=any_shop, span=whole_days)
def test_stock_of_a_range_is_what_its_words_say(tables: Tables, span: Span):
    check(tables, answer(tables, METRICS, by="product_id", **span), Period(**span))


@few
@given(tables=any_shop, span=whole_months())
def test_stock_of_each_month_is_what_its_words_say(tables: Tables, span: Span):
    """A range that ends within a day of a month ends with the day before."""
    midnights = {name: dt.datetime(at.year, at.month, at.day) for name, at in span.items()}
    if midnights["start"] == midnights["end"]:
        midnights["end"] += dt.timedelta(days=1)
    rows = answer(tables, METRICS, by="product_id", every="1mo", **midnights)
    for period in months(**midnights):
        check(tables, [row for row in rows if row["period"] == period.start.date()], period)


@few
@given(tables=any_shop, span=whole_days)
def test_stock_of_each_market_is_what_its_words_say(tables: Tables, span: Span):
    """Stock is of no market, so days in stock are not told by one."""
    rows = answer(tables, OF_ORDERS, by=["product_id", "market"], **span)
    for market in ("PL", "DE", None):
        own = [row for row in rows if row["market"] == market]
        check(part_of_orders(tables, "market", market), own, Period(**span))


# --- By hand -------------------------------------------------------------------------------------


def planned(
    units: Sequence[int], name: str | fk.Metric, *, lead_time: float = 9.0, **tables: list[Row]
) -> Value:
    """Give what is told of a product that sells so many units from day to day."""
    sold = [(n, count) for n, count in enumerate(units) if count]
    placed = [
        {"order_id": f"o{n}", "ordered_at": MONTHS[0] + n * DAY, "status": "paid"} for n, _ in sold
    ]
    lines = [
        {"order_line_id": n, "order_id": f"o{n}", "product_id": "p1", "quantity": count}
        for n, count in sold
    ]
    product = {"product_id": "p1", "lead_time_days": lead_time, "safety_stock": 200.0}
    shop = {"orders": placed, "order_lines": lines, "products": [product], **tables}
    span = {"start": MONTHS[0], "end": MONTHS[0] + len(units) * DAY}
    (row,) = answer(shop, [name], by="product_id", **span)
    return row[name if isinstance(name, str) else name.name]


def test_w67_safety_stock_of_a_deviation_of_40_over_nine_days():
    """The page takes 1.65 for 1.645: so many deviations of a day, and three times as much."""
    expected = 198 * 1.6448536269514715 / 1.65
    assert planned([60, 140, 100, 60, 140], "safety_stock") == pytest.approx(expected)
    assert planned([10, 0, 0, 0, 0], AT_99) == pytest.approx(2.326347874 * 20**0.5 * 3)


def test_w69_reorder_point_of_40_a_day():
    name = "reorder_point.own_safety_stock"
    assert planned([0, 80, 40], name, lead_time=10.0) == pytest.approx(600)
    assert planned([0, 80, 40], "daily_demand") == pytest.approx(40)


def test_a_day_that_sold_nothing_is_one_of_demand_unless_it_was_out_of_stock():
    stock = [
        {"snapshot_date": day, "product_id": "p1", "location_id": "north", "on_hand_units": units}
        for day, units in ((dt.date(2024, 1, 1), 5), (dt.date(2024, 1, 2), 0))
    ]
    z = 1.6448536269514715
    found = planned([4, 2, 0, 0], "reorder_point", inventory_snapshots=stock)
    assert found == pytest.approx(1.5 * 9 + z * (11 / 3) ** 0.5 * 3)
    found = planned([4, 2, 0, 0], "reorder_point.in_stock_days", inventory_snapshots=stock)
    assert found == pytest.approx(3 * 9 + z * 2**0.5 * 3)
    assert planned([4, 2, 0, 0], "safety_stock.largest_day") == pytest.approx(2.5 * 9)


@pytest.mark.parametrize("days", [2, 5, 7, 10])
def test_what_sells_alike_every_day_needs_no_safety_stock(days: int):
    assert planned([3] * days, "safety_stock") == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("days", [3, 6, 12])
def test_a_variance_of_zero_is_not_below_zero(days: int):
    assert planned([3] * days, "safety_stock") == pytest.approx(0, abs=1e-6)

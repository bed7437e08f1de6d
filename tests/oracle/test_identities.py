"""Identities between KPIs hold in every month of any shop, wherever both sides have a value."""

import calendar
import itertools
import math
import warnings
from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk
from oracle.shops_busy import busy_shops
from oracle.shops_operations import operation_frames, operation_shops
from oracle.test_oracle import UNHURRIED
from oracle.words import Tables

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

SALES = ("orders", "order_lines", "returns")
ADS = (*SALES, "campaign_performance", "marketing_costs")
STOCK = (*SALES, "products", "inventory_snapshots")
PARCELS = ("orders", "order_lines", "returns", "shipments")
many = settings(UNHURRIED, max_examples=25)


def any_shop(names: Sequence[str]) -> st.SearchStrategy[Tables]:
    return st.one_of(operation_shops(names), busy_shops(names))


def months(tables: Tables, *names: str) -> pl.DataFrame:
    """Ask for KPIs by month; a month in which one of them has no value is left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fk.TruncatedHistoryWarning)
        shop = fk.Shop.bind(operation_frames(tables))
        return fk.evaluate(shop, names, every="1mo").frame.select("period", *names)


def told(tables: Tables, *names: str) -> list[tuple[float, ...]]:
    return [row[1:] for row in months(tables, *names).drop_nulls().rows()]


def near(one: float, two: float) -> bool:
    return math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-9)


@many
@given(tables=any_shop(SALES))
def test_order_value_is_units_per_order_times_price_per_unit(tables: Tables):
    """Amounts of the orders derive from their lines, so that both sides speak of the same goods."""
    orders = [
        {k: v for k, v in row.items() if k not in {"gross_amount", "discount_amount"}}
        for row in tables["orders"]
    ]
    names = ("average_order_value", "units_per_transaction", "average_unit_retail")
    for value, units, price in told({**tables, "orders": orders}, *names):
        assert near(value, units * price)


@many
@given(tables=any_shop(SALES))
def test_new_and_returning_customers_make_one(tables: Tables):
    for new, returning in told(tables, "new_customer_rate", "returning_customer_rate"):
        assert near(new + returning, 1)


@many
@given(tables=any_shop(SALES))
def test_churn_is_what_retention_leaves(tables: Tables):
    for churn, retention in told(tables, "customer_churn_rate", "customer_retention_rate"):
        assert near(churn + retention, 1)


@many
@given(tables=any_shop(SALES))
def test_active_customers_are_those_before_with_the_new_and_the_lost(tables: Tables):
    names = ("customers", "new_customers", "resurrected_customers", "churned_customers")
    rows = months(tables, *names).drop("period").rows()
    for (before, *_), (now, new, back, gone) in itertools.pairwise(rows):
        assert now == before + new + back - gone


@many
@given(tables=any_shop(ADS))
def test_cost_of_sales_is_the_inverse_of_marketing_efficiency(tables: Tables):
    names = ("advertising_cost_of_sales.total", "marketing_efficiency_ratio.media_only")
    for cost, efficiency in told(tables, *names):
        assert near(cost * efficiency, 1) or cost == 0


@many
@given(tables=any_shop(PARCELS))
def test_on_time_in_full_is_at_most_on_time(tables: Tables):
    for joint, on_time in told(tables, "otif_rate", "on_time_delivery_rate"):
        assert joint <= on_time


@many
@given(tables=any_shop(STOCK))
def test_days_of_inventory_are_the_days_of_the_month_over_its_turns(tables: Tables):
    names = ("days_inventory_outstanding", "inventory_turnover")
    for period, days, turns in months(tables, *names).drop_nulls().rows():
        assert near(days * turns, calendar.monthrange(period.year, period.month)[1])


@many
@given(tables=any_shop(STOCK))
def test_return_on_inventory_is_the_margin_times_sales_over_stock(tables: Tables):
    names = (
        "gross_margin_return_on_inventory",
        "gross_profit",
        "cost_of_goods_sold",
        "inventory_turnover",
    )
    for returned, profit, cost, turns in told(tables, *names):
        if cost != 0 and turns != 0:
            assert near(returned, profit / cost * turns)


@many
@given(tables=any_shop(SALES))
def test_customers_of_months_are_never_fewer_than_those_of_all(tables: Tables):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fk.TruncatedHistoryWarning)
        shop = fk.Shop.bind(operation_frames(tables))
        whole = fk.evaluate(shop, "customers", start="2024-01-01", end="2025-01-01").frame.item()
        by_month = fk.evaluate(
            shop, "customers", every="1mo", start="2024-01-01", end="2025-01-01"
        ).frame["customers"]
    assert whole <= by_month.sum()

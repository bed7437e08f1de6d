"""A law: numbers of two decimals that cancel out give nothing, wherever a fold adds them."""

import datetime as dt
from collections import defaultdict
from fractions import Fraction

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk
from small_frames import of, orders_of, value, values

GROSS, LESS = fk.Orders.gross_amount, fk.Orders.discount_amount
BY_CUSTOMER = fk.PerKey(fk.Orders.customer_id, total=fk.Sum(GROSS), rest=fk.Sum(GROSS - LESS))
DAYS = [dt.datetime(2024, 1, 5), dt.datetime(2024, 2, 5), dt.datetime(2024, 3, 5)]
CENTS = st.integers(-40, 40)
ROWS = st.lists(
    st.tuples(st.sampled_from(DAYS), st.integers(1, 2), CENTS, st.integers(0, 40)),
    min_size=1,
    max_size=7,
)


def cancelled(rows):
    """The same rows, and one more that takes back all that they add up to."""
    gross, less = (sum(row[place] for row in rows) for place in (2, 3))
    return [*rows, (DAYS[-1], 1, -gross, less)]


def frame_of(rows):
    days, customers, gross, less = zip(*rows, strict=True)
    return orders_of(
        ordered_at=[*days],
        customer_id=[*customers],
        gross_amount=[cents / 100 for cents in gross],
        discount_amount=[cents / 100 for cents in less],
    )


def on_duckdb(frame):
    connection = duckdb.connect()
    connection.register("given", frame.to_arrow())
    connection.execute("CREATE TABLE orders AS SELECT * FROM given")
    return connection, fk.Shop.on(fk.DuckDB(connection), orders="orders")


def totals(rows, *, place=2):
    """By customer: what the rows add up to, exactly."""
    found = defaultdict(Fraction)
    for row in rows:
        found[row[1]] += Fraction(row[place], 100)
    return found


def exactly(rows):
    """What each formula gives, in whole cents."""
    gross, less = ([Fraction(row[place], 100) for row in rows] for place in (2, 3))
    by_customer = totals(rows)
    weighed = sum(a * b for a, b in zip(gross, less, strict=True))
    apart = sum(a - b for a, b in zip(gross, less, strict=True))
    return {
        fk.Sum(GROSS): sum(gross),
        fk.Mean(GROSS): sum(gross) / len(gross),
        fk.Count(fk.Orders) / fk.Sum(GROSS): len(rows) / sum(gross) if sum(gross) else None,
        fk.Sum(GROSS - LESS): apart,
        fk.Sum(LESS) / fk.Sum(GROSS - LESS): sum(less) / apart if apart else None,
        fk.Sum(GROSS * LESS): weighed,
        fk.Sum(LESS) / fk.Sum(GROSS * LESS): sum(less) / weighed if weighed else None,
        fk.PositiveOrNull(fk.Sum(GROSS)): sum(gross) if sum(gross) > 0 else None,
        fk.Sum(BY_CUSTOMER["total"]): sum(gross),
        fk.Mean(BY_CUSTOMER["total"]): sum(gross) / len(by_customer),
        fk.Count(BY_CUSTOMER, where=BY_CUSTOMER["total"] > 0): sum(
            total > 0 for total in by_customer.values()
        ),
        fk.Count(BY_CUSTOMER, where=BY_CUSTOMER["total"].eq(0)): sum(
            total == 0 for total in by_customer.values()
        ),
    }


def assert_exact(found, wanted):
    assert (found is None, found == 0) == (wanted is None, wanted == 0), (found, wanted)
    if wanted:
        assert found == pytest.approx(float(wanted), rel=1e-7)


def metrics_of(formulas):
    return [of(formula, f"m{number}") for number, formula in enumerate(formulas)]


def assert_row(row, wanted):
    for found, exact in zip(row, wanted.values(), strict=True):
        assert_exact(found, exact)


@settings(max_examples=25)
@given(rows=st.one_of(ROWS, ROWS.map(cancelled)))
def test_what_cancels_out_in_cents_is_nothing(rows):
    wanted = exactly(rows)
    found = fk.evaluate(fk.Shop(orders=frame_of(rows)), metrics_of(wanted))
    assert_row(found.frame.row(0), wanted)


def test_what_cancels_out_in_a_database_is_nothing():
    rows = cancelled([(DAYS[0], 1, 10, 30), (DAYS[1], 2, 20, 10), (DAYS[2], 2, -20, 10)])
    wanted = exactly(rows)
    connection, shop = on_duckdb(frame_of(rows))
    (written,) = connection.execute(fk.to_sql(shop, metrics_of(wanted))).fetchall()
    assert_row(written, wanted)
    assert_row(fk.evaluate(shop, metrics_of(wanted)).frame.row(0), wanted)


@settings(max_examples=20)
@given(rows=ROWS.map(cancelled))
def test_what_cancels_out_over_groups_and_periods_is_nothing(rows):
    shop, metric = fk.Shop(orders=frame_of(rows)), of(fk.Sum(GROSS))
    by_period = fk.evaluate(shop, metric, by="customer_id", every="1mo")
    assert_exact(by_period.rollup().frame.item(), Fraction())
    for number, found in by_period.rollup("customer_id").frame.rows():
        assert_exact(found, totals(rows)[number])
    for of_rows in (fk.Sum(GROSS), fk.Sum(BY_CUSTOMER["total"])):
        to_date = values(shop, fk.Cumulative(of_rows), every="1mo")
        assert_exact(to_date[-1], Fraction())


def test_a_large_sum_takes_what_its_terms_left_with_it():
    shop = fk.Shop(orders=orders_of(gross_amount=[1e9, 0.1, -1e9], discount_amount=[0.1, 0.0, 0.0]))
    assert value(shop, fk.Sum(GROSS) - fk.Sum(LESS)) == 0


def test_whole_amounts_are_exact_however_large_the_terms_are():
    frame = orders_of(gross_amount=[10**12, 1, -(10**12)])
    assert value(fk.Shop(orders=frame), fk.Sum(GROSS)) == 1


def test_a_stock_that_is_sold_out_is_nothing():
    days = [dt.date(2024, month, 20) for month in (1, 2, 3)]
    snapshots = pl.DataFrame(
        {"snapshot_date": days, "product_id": 1, "location_id": 1, "on_hand_units": [0.3, 0.1, 0.0]}
    )
    shop = fk.Shop(inventory_snapshots=snapshots)
    stock = fk.ClosingBalance(fk.InventorySnapshots.on_hand_units)
    assert values(shop, stock, every="1mo") == [0.3, pytest.approx(0.1), 0]


def test_amounts_that_do_not_differ_have_no_deviation():
    shop = fk.Shop(orders=orders_of(gross_amount=[0.1, 0.1, 0.1]))
    assert value(shop, fk.StdDev(GROSS)) == 0
    assert value(shop, fk.Mean(GROSS) / fk.StdDev(GROSS)) is None


def test_a_customer_whose_amounts_cancel_out_period_by_period_has_no_total():
    rows = [(DAYS[0], 1, 10, 0), (DAYS[1], 1, 20, 0), (DAYS[2], 1, -30, 0)]
    buyers = fk.Count(BY_CUSTOMER, where=BY_CUSTOMER["total"] > 0)
    shop = fk.Shop(orders=frame_of(rows))
    assert values(shop, fk.Cumulative(buyers), every="1mo") == [1, 1, 0]

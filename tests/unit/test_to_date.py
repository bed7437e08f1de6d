"""Totals to date: over amounts with a currency, over boundaries of one's own, over nothing."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk

ORDERS = pl.DataFrame(
    {
        "order_id": [1, 2, 3],
        "ordered_at": [dt.datetime(2024, 1, 5), dt.datetime(2024, 2, 5), dt.datetime(2024, 4, 5)],
        "status": ["paid"] * 3,
        "customer_id": ["a", "a", "b"],
        "gross_amount": [10.0, 20.0, 5.0],
        "discount_amount": [0.0] * 3,
        "currency": ["EUR"] * 3,
    }
)
TAKEN = fk.Metric(name="taken", formula=fk.Cumulative(fk.Sum(fk.Orders.gross_amount)))


def test_amounts_to_date_grow_though_they_have_a_currency():
    frame = fk.evaluate(fk.Shop(orders=ORDERS), TAKEN, every="1mo").frame
    assert frame["taken"].to_list() == [10.0, 30.0, 30.0, 35.0]
    both = ORDERS.with_columns(currency=pl.Series(["EUR", "EUR", "PLN"]))
    with pytest.raises(fk.ContractError, match="EUR and PLN"):
        fk.evaluate(fk.Shop(orders=both), TAKEN, every="1mo")


def test_rows_before_the_first_boundary_enter_the_total_of_the_first_period():
    edges = ["2024-02-01", "2024-03-01", "2024-05-01"]
    frame = fk.evaluate(fk.Shop(orders=ORDERS), [TAKEN, "orders"], every=edges).frame
    assert frame["taken"].to_list() == [30.0, 35.0]
    assert frame["orders"].to_list() == [1, 1]


def test_tables_without_rows_may_have_keys_of_different_types():
    orders = ORDERS.clear().with_columns(own=pl.lit(1))
    visits = pl.DataFrame(
        schema={"session_id": pl.Int64, "started_at": pl.Datetime("us"), "own": pl.String}
    )
    result = fk.evaluate(fk.Shop(orders=orders, sessions=visits), ["orders", "sessions"], by="own")
    assert result.frame.is_empty()


def test_a_like_for_like_question_about_a_future_is_empty():
    edges = ["2025-01-01", "2025-02-01", "2025-03-01"]
    growth = fk.Metric(name="more", formula="orders - shift(orders, 1, like_for_like=True)")
    result = fk.evaluate(fk.Shop(orders=ORDERS), growth, every=edges, start="2025-02-01")
    assert result.frame.is_empty()


@pytest.mark.parametrize("name", ["posixrules", "localtime", "Mars/Base"])
def test_a_zone_that_is_no_place_is_unknown(name):
    with pytest.raises(fk.UnknownNameError, match="time zone"):
        fk.Shop(orders=ORDERS, time_zone=name)


def test_a_question_that_looks_back_beyond_the_year_1_is_refused():
    with pytest.raises(fk.DefinitionError, match="years 1 to 9999"):
        fk.evaluate(fk.Shop(orders=ORDERS), "churn", every="1mo", start="0001-01-01")

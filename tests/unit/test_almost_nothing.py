"""What is left of amounts that cancel out is nothing; whole numbers lose nothing."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funnelkit as fk
from small_frames import orders_of, value

CENTS = st.integers(0, 5_000).map(lambda cents: Decimal(cents) / 100)
GROSS, LESS = fk.Sum(fk.Orders.gross_amount), fk.Sum(fk.Orders.discount_amount)


def shop_of(gross, less):
    rows = max(len(gross), len(less))
    padded = [[*map(float, side), *[0.0] * (rows - len(side))] for side in (gross, less)]
    return fk.Shop(orders=orders_of(gross_amount=padded[0], discount_amount=padded[1]))


def test_three_dimes_less_thirty_cents_is_nothing():
    shop = shop_of([0.1, 0.2], [0.3])
    assert value(shop, GROSS - LESS) == 0
    assert value(shop, fk.Count(fk.Orders) / (GROSS - LESS)) is None
    assert value(shop, fk.PositiveOrNull(GROSS - LESS)) is None
    assert fk.evaluate(shop, fk.Metric(name="m", formula=GROSS - LESS)).frame.item() == 0


@given(gross=st.lists(CENTS, min_size=1, max_size=8), less=st.lists(CENTS, max_size=8))
def test_a_difference_of_amounts_is_nothing_where_it_is_nothing_in_cents(gross, less):
    for refunded in (less, gross[::-1]):
        exact = sum(gross, Decimal()) - sum(refunded, Decimal())
        shop = shop_of(gross, refunded)
        found = value(shop, GROSS - LESS)
        assert (found == 0) == (exact == 0)
        assert found == pytest.approx(float(exact), abs=1e-9)
        assert (value(shop, GROSS / (GROSS - LESS)) is None) == (exact == 0)


@given(a=st.integers(0, 2**40), b=st.integers(0, 2**40))
def test_constants_and_counts_are_exact(a, b):
    shop = shop_of([1], [1])
    many = fk.Count(fk.Orders) * a - fk.Count(fk.Orders) * b
    assert value(shop, many) == a - b


def test_a_break_even_is_reached_by_what_adds_up_to_the_cost():
    days = [dt.datetime(2024, 1, 5), dt.datetime(2024, 2, 5)]
    orders = orders_of(
        customer_id=[1, 1], ordered_at=days, gross_amount=[0.1, 0.7], discount_amount=[0.8, 0.0]
    )
    periods = fk.PeriodsToBreakEven(GROSS - LESS)
    metric = fk.Metric(name="m", formula=periods, required_dimension="cohort")
    result = fk.evaluate(fk.Shop(orders=orders), metric, by="cohort", every="1mo")
    assert result.frame["m"].to_list() == [None, 1]


def test_the_variance_of_equal_amounts_is_nothing():
    days = [dt.datetime(2024, 1, day, 12) for day in range(1, 31)]
    shop = fk.Shop(orders=orders_of(ordered_at=days, gross_amount=[0.7] * 30))
    amount = fk.Orders.gross_amount
    variance = fk.Sum(amount * amount) * 30 - GROSS * GROSS
    assert value(shop, variance) == 0


@pytest.mark.parametrize("levels", [1, 3, 40])
def test_a_formula_of_many_levels_is_computed_as_by_hand_and_as_quickly(levels):
    share, hand = LESS / GROSS, 0.25
    for _ in range(levels):
        share, hand = (1 - share) / 2, (1 - hand) / 2
    assert value(shop_of([3, 1], [1]), share) == hand
    metric = fk.Metric(name="m", formula=share / (share - LESS / GROSS))
    row = fk.evaluate(shop_of([0, 0], [0]), metric).tidy().row(0, named=True)
    assert (row["value"], row["reason"]) == (None, fk.Reason.EMPTY_DENOMINATOR)


WHOLE = [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64]
FOLDS = [fk.Sum, fk.Min, fk.Max, fk.Mean]


@pytest.mark.parametrize("dtype", WHOLE)
@given(amounts=st.lists(st.integers(0, 127), min_size=2, max_size=5), data=st.data())
def test_whole_numbers_of_few_bits_do_not_wrap_around(dtype, amounts, data):
    one, two = (data.draw(st.sampled_from(FOLDS)) for _ in range(2))
    less = amounts[::-1]
    frame = orders_of(
        gross_amount=pl.Series(amounts, dtype=dtype), discount_amount=pl.Series(less, dtype=dtype)
    )
    wide = orders_of(gross_amount=[*map(float, amounts)], discount_amount=[*map(float, less)])
    gross, off = one(fk.Orders.gross_amount), two(fk.Orders.discount_amount)
    row = fk.Max(fk.Orders.gross_amount * fk.Orders.discount_amount)
    for formula in (gross - off, off - gross, 100 * gross, gross * off, fk.Abs(off - gross), row):
        small, large = (value(fk.Shop(orders=one), formula) for one in (frame, wide))
        assert small == pytest.approx(large)


def test_a_sum_of_many_terms_costs_no_more_than_its_terms():
    """The text of an expression that doubled with every term would not fit into memory."""
    shop, total = shop_of([40], [1]), GROSS
    for _ in range(40):
        total = total - LESS
    assert value(shop, total) == 0
    assert value(shop, total + GROSS) == 40


def test_python_does_not_drop_a_condition():
    paid, online = fk.Orders.status.eq("paid"), fk.Orders.is_online
    for wrong in (
        lambda: paid and online,
        lambda: paid or online,
        lambda: not paid,
        lambda: 1 < fk.Orders.gross_amount < 3,
        lambda: max(fk.Orders.gross_amount, fk.Orders.discount_amount),
    ):
        with pytest.raises(fk.DefinitionError, match="join conditions with &"):
            wrong()


def test_a_text_is_no_list_of_options():
    with pytest.raises(fk.DefinitionError, match=r"write is_in\(\['paid'\]\)"):
        fk.Orders.status.is_in("paid")


def test_what_a_metric_misses_is_found_by_its_name():
    shop = fk.Shop(orders=orders_of())
    assert shop.missing("bounce_rate") == shop.missing(fk.registry()["bounce_rate"]) == {"sessions"}

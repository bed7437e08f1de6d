"""Payments of Stripe: counted are ch_1, ch_2, ch_4 and ch_5; ch_3 failed, ch_6 is a test."""

import polars as pl
import pytest

import funnelkit as fk
from sources.hand import SAMPLES, assert_values

PAYMENTS = SAMPLES / "stripe_payments.csv"
AS_GOODS = {
    "orders": {"paid_amount": "gross_amount"},
    "returns": {"refunded_amount": "refund_amount"},
}
HAND = {
    "orders": 4,
    "customers": 3,  # anna twice, bob by his address, dora
    "new_customers": 3,
    "repeat_purchase_rate": 1 / 3,
    "purchase_frequency": 4 / 3,
    "cancellation_rate": 0,
}
OF_GOODS = {
    "gross_sales": 1200 + 100 + 300 + 50,
    "returns_value": 40 + 50,
    "net_sales": 1650 - 90,
    "average_order_value": 1650 / 4,
    "median_order_value": (100 + 300) / 2,
    "average_revenue_per_customer": 1560 / 3,
}


def shop_of(payments=PAYMENTS, **settings):
    return fk.sources.stripe(payments, time_zone="Europe/Warsaw", **settings)


def test_its_numbers_are_those_computed_by_hand():
    assert_values(shop_of(), HAND)
    assert_values(shop_of(rename=AS_GOODS), {**HAND, **OF_GOODS})


def test_amounts_of_goods_are_refused_until_they_are_stated():
    with pytest.raises(fk.MissingInputError, match="has tax and shipping in it"):
        fk.evaluate(shop_of(), "gross_sales")


def test_times_are_in_utc_and_refunds_on_their_day():
    shop = shop_of(rename=AS_GOODS)
    found = fk.evaluate(shop, ["orders", "returns_value"], every="1mo").frame
    assert [row[1:] for row in found.rows()] == [(3, 50), (1, 40)]


def test_a_refund_without_a_date_and_an_unknown_status_are_faults():
    frame = pl.read_csv(PAYMENTS, infer_schema=False).drop("Refunded date (UTC)")
    with pytest.raises(fk.ContractError) as caught:
        shop_of(frame.with_columns(Status=pl.lit("payé")))
    assert "row 2: 'payé' is none of paid" in str(caught.value)
    assert "row 3: 40.0 was refunded without a date" in str(caught.value)


def test_words_are_read_with_blanks_around_them_and_unknown_ones_are_refused():
    text = pl.read_csv(PAYMENTS, infer_schema=False)
    padded = text.with_columns((" " + pl.col("Mode", "Status", "Currency") + " ").name.keep())
    shop = fk.sources.stripe(padded, time_zone="Europe/Warsaw")
    assert_values(shop, HAND)
    assert shop.data.currency == "PLN"
    with pytest.raises(fk.ContractError, match="Mode: row 2: 'Sandbox' is none of live, test"):
        fk.sources.stripe(text.with_columns(Mode=pl.lit("Sandbox")))

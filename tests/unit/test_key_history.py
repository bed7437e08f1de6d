"""What keys do period by period is looked at once, however many metrics ask for it."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import funnelkit as fk

METRICS = [
    "new_customers",
    "repeat_purchase_rate",
    "customer_retention_rate",
    "resurrected_customers",
    "customer_lifetime_revenue",
]
ORDERS = st.lists(
    st.tuples(
        st.none() | st.sampled_from(["ann", "bob", "cid", "dee"]),
        st.none() | st.datetimes(dt.datetime(2024, 5, 1), dt.datetime(2024, 8, 31)),
        st.sampled_from(["paid", "cancelled"]),
    ),
    min_size=1,
    max_size=14,
)


def shop_of(orders):
    columns = zip(*orders, strict=True)
    customers, times, statuses = map(list, columns)
    frame = pl.DataFrame(
        {
            "order_id": range(len(orders)),
            "customer_id": pl.Series(customers, dtype=pl.String),
            "ordered_at": pl.Series(times, dtype=pl.Datetime),
            "status": statuses,
            "gross_amount": [10.0 * place for place in range(len(orders))],
            "discount_amount": 0.0,
        }
    )
    return fk.Shop(orders=frame, guards=False, assume_empty=["returns"])


def relations_of(shop, metrics, **question):
    steps = fk.plan(shop, metrics, **question).steps
    return {answer.relation.name for answer in shop.runner.answers(steps)}, len(steps)


def test_steps_that_ask_of_the_same_keys_are_answered_together():
    shop = shop_of([("ann", dt.datetime(2024, 1, 1), "paid")])
    names, steps = relations_of(shop, METRICS[:3], every="1mo")
    assert steps == 3
    assert len(names) == 1


def test_the_first_orders_alone_are_found_without_the_periods_of_keys():
    shop = shop_of([("ann", dt.datetime(2024, 1, 1), "paid")])
    (answer,) = shop.runner.answers(fk.plan(shop, "new_customers", every="1mo").steps)
    assert "row_count" not in str(answer.relation)


@pytest.mark.parametrize("question", [{}, {"start": "2024-07-01"}, {"by": "status"}], ids=str)
@pytest.mark.filterwarnings("ignore::funnelkit.errors.TruncatedHistoryWarning")
@settings(deadline=None)
@given(orders=ORDERS, every=st.sampled_from(["1d", "1w", "1mo"]))
def test_metrics_that_are_asked_together_are_what_each_is_alone(question, orders, every):
    shop = shop_of(orders)
    together = fk.evaluate(shop, METRICS, every=every, **question).frame
    for name in METRICS:
        alone = fk.evaluate(shop, name, every=every, **question).frame
        keys = [column for column in alone.columns if column != name]
        shown = together.select(*keys, name)
        shown = shown.join(alone.select(keys), on=keys, how="semi", nulls_equal=True)
        assert_frame_equal(shown, alone)

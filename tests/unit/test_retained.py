"""Who is retained: what counting them costs, and that they are those of the definition."""

import datetime as dt
import random

import polars as pl
import pytest

import funnelkit as fk
from funnelkit.planning.derive import to_relations
from small_frames import orders_of, values

DAY = dt.datetime(2024, 1, 1, 12)


def lively_orders(*, keys=12, days=800, rows=600):
    draw = random.Random(7)
    picked = [(draw.randrange(keys), draw.randrange(days)) for _ in range(rows)]
    return orders_of(
        order_id=list(range(rows)),
        customer_id=[f"c{key}" for key, _ in picked],
        ordered_at=[DAY + dt.timedelta(days=day) for _, day in picked],
        payment_method=[draw.choice(["card", "cash", None]) for _ in picked],
    )


def retained(periods):
    return fk.CountRetained(fk.Orders.customer_key, periods=periods)


def counted_plainly(orders, periods, key):
    """Of each group and day, the customers who also ordered so many days before."""
    rows = orders.select(group=key, who="customer_id", day=pl.col("ordered_at").dt.date())
    seen = set(rows.iter_rows())
    found = dict.fromkeys(((group, day) for group, _, day in seen), 0)
    for group, who, day in seen:
        found[group, day] += (group, who, day - dt.timedelta(days=periods)) in seen
    return found


@pytest.mark.parametrize("periods", [1, 2, 3, 4, 5, 7, 30, 365])
@pytest.mark.parametrize("by", [(), "payment_method"])
def test_who_is_retained_is_told_alike_however_far_back_one_looks(periods, by):
    orders = lively_orders()
    metric = fk.Metric(name="kept", formula=retained(periods))
    frame = fk.evaluate(fk.Shop(orders=orders), metric, by=by, every="1d").frame
    key = pl.col("payment_method") if by else pl.lit(None)
    expected = counted_plainly(orders, periods, key)
    columns = [by, "period", "kept"] if by else ["period", "kept"]
    for *group, day, kept in frame.select(columns).iter_rows():
        assert (kept or 0) == expected.get((*(group or [None]), day), 0)
    assert frame["kept"].sum() == sum(expected.values())
    assert sum(expected.values()) > 0


def test_what_is_looked_for_does_not_grow_with_the_periods():
    shop, sizes = fk.Shop(orders=lively_orders()), set()
    for periods in (2, 365, 5_000):
        metric = fk.Metric(name="kept", formula=retained(periods))
        (answer,) = to_relations(shop.data, fk.plan(shop, metric, every="1d").steps)
        sizes.add(len(repr(answer.relation)))
    assert max(sizes) - min(sizes) < 10


def test_a_key_is_never_taken_for_the_one_before():
    orders = orders_of(
        customer_id=["a", "b", "b"],
        ordered_at=[DAY, DAY + dt.timedelta(days=10), DAY + dt.timedelta(days=20)],
    )
    for periods in range(1, 25):
        total = sum(v or 0 for v in values(fk.Shop(orders=orders), retained(periods), every="1d"))
        assert total == (periods == 10)


def test_no_rows_have_no_one_retained():
    shop = fk.Shop(orders=orders_of().clear())
    assert [v or 0 for v in values(shop, retained(30), every="1d")] == []

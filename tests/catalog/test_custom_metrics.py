"""Metrics that a company would write: each in a few lines, and each through the law pack."""

import re
from pathlib import Path

import polars as pl
import pytest

import funnelkit as fk
from effort import part
from funnelkit.testing.checking import LawsBrokenError, check_law, check_metric
from funnelkit.testing.laws import LAWS, LawBrokenError

COUNTED = fk.Orders.is_counted
LAW = {law.name: law for law in LAWS}


class Subscriptions(fk.Table, table="subscriptions", key="subscription_id", time="billed_at"):
    """One bill of one subscription."""

    subscription_id = fk.Key("The bill.")
    billed_at = fk.Time("When it was due.")
    mrr = fk.Money("Monthly recurring revenue.")
    is_cancelled = fk.Flag("It was the last one.")


def mrr_churn():
    lost = fk.Sum(Subscriptions.mrr, where=Subscriptions.is_cancelled)
    return fk.Metric(
        name="mrr_churn", formula=lost / fk.Sum(Subscriptions.mrr), unit=fk.RATIO, bounds=(0, 1)
    )


def gift_wrap_rate():
    fee = fk.Orders.column("gift_wrap_fee", fk.Money)
    wrapped = fk.Count(fk.Orders, where=COUNTED & (fee > 0))
    return fk.Metric(
        name="gift_wrap_rate", formula=wrapped / fk.Count(fk.Orders, where=COUNTED), bounds=(0, 1)
    )


def margin_after_returns():
    line = fk.OrderLines
    sold = fk.Sum(line.quantity * line.unit_price, where=line.is_counted)
    cost = fk.Sum(line.quantity * line.unit_cost, where=line.is_counted, skip_nulls=False)
    margin = sold - cost - fk.Sum(fk.Returns.refund_amount, where=fk.Returns.is_counted)
    rate = margin / fk.PositiveOrNull(sold)
    return fk.Metric(name="margin_after_returns", formula=rate)


def free_shipping_rate():
    free = fk.Count(fk.Orders, where=COUNTED & fk.Orders.shipping_amount.eq(0))
    return fk.Metric(
        name="free_shipping_rate", formula=free / fk.Count(fk.Orders, where=COUNTED), bounds=(0, 1)
    )


def p90_basket():
    basket = fk.Orders.gross_amount - fk.Orders.discount_amount
    return fk.Metric(name="p90_basket", formula=fk.Quantile(basket, 0.9, where=COUNTED))


def order_gini():
    x = pl.col("gross_amount").abs()
    gini = 2 * (x.rank() * x).sum() / (x.count() * x.sum()) - (x.count() + 1) / x.count()
    return fk.Metric(name="order_gini", formula=fk.PolarsExpr("orders", gini), bounds=(0, 1))


def weekend_share():
    share = (pl.col("ordered_at").dt.weekday() >= 6).mean()
    return fk.Metric(name="weekend_share", formula=fk.PolarsExpr("orders", share), bounds=(0, 1))


def gold_order_value():
    tier = fk.Lookup(fk.Orders.customer_id, fk.Customers.column("tier", fk.Category))
    is_gold = COUNTED & tier.eq("gold")
    sales = fk.Sum(fk.Orders.gross_amount - fk.Orders.discount_amount, where=is_gold)
    return fk.Metric(name="gold_order_value", formula=sales / fk.Count(fk.Orders, where=is_gold))


def b2b_conversion_rate():
    is_b2b = fk.Sessions.is_counted & fk.Sessions.column("segment", fk.Category).eq("b2b")
    bought = fk.Count(fk.Sessions, where=is_b2b & fk.Sessions.has_purchase)
    rate = bought / fk.Count(fk.Sessions, where=is_b2b)
    return fk.Metric(name="b2b_conversion_rate", formula=rate, bounds=(0, 1))


def stock_cover():
    return fk.Metric(name="stock_cover", formula="stock_on_hand / positive_or_null(daily_demand)")


WRITTEN = [
    mrr_churn,
    gift_wrap_rate,
    margin_after_returns,
    free_shipping_rate,
    p90_basket,
    order_gini,
    weekend_share,
    gold_order_value,
    b2b_conversion_rate,
    stock_cover,
]


@pytest.mark.parametrize("write", WRITTEN, ids=lambda write: write.__name__)
def test_a_metric_of_ones_own_is_short_and_keeps_every_law(write):
    source = Path(__file__).read_text("utf-8")
    body = re.search(rf"def {write.__name__}\(\):\n(.*?)\n\n\n", source, re.DOTALL).group(1)
    assert len(body.splitlines()) <= 6
    metric = write().resolved(dict(fk.registry()))
    check_metric(metric, tables=(Subscriptions,), examples=part(30))


def test_a_metric_of_ones_own_has_a_number_by_the_dimension_that_it_is_for():
    shop = fk.demo()
    assert fk.evaluate(shop, margin_after_returns(), by="category").frame.height > 1
    cover = fk.evaluate(shop, stock_cover(), by="category", every="1q").frame
    assert cover["stock_cover"].null_count() < cover.height
    assert 0 < fk.evaluate(shop, weekend_share()).frame.item() < 1
    amounts = pl.DataFrame({"order_id": [1, 2, 3], "gross_amount": [1.0, 2.0, 3.0]})
    orders = amounts.with_columns(ordered_at=pl.datetime(2024, 5, 1))
    assert fk.evaluate(fk.Shop(orders=orders), order_gini()).frame.item() == pytest.approx(2 / 9)


# --- Wrong metrics: refused when they are written, or caught by a law ----------------------------

WRONG = {
    "adds money to counts": (
        lambda: fk.Metric(name="x", formula="sum(orders.gross_amount) + count(orders)"),
        "money and order do not fit together",
    ),
    "sums a key": (lambda: fk.Sum(fk.Orders.order_id), "is a key: it cannot be added"),
    "averages averages": (
        lambda: fk.Metric(
            name="x",
            formula="mean(value, of=per_key(orders.customer_key, value=mean(orders.gross_amount)))",
        ),
        "averages averages",
    ),
    "joins two tables row by row": (
        lambda: fk.Sum(fk.Orders.gross_amount * fk.Sessions.page_views),
        "reads orders, sessions",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_metric_is_refused_when_it_is_written(what):
    write, told = WRONG[what]
    with pytest.raises(fk.DefinitionError) as caught:
        write()
    assert told in str(caught.value)


def test_what_is_divided_by_nothing_is_null_and_says_so():
    per_return = fk.Metric(name="sales_per_return", formula="gross_sales / count(returns)")
    orders = pl.DataFrame(
        {"order_id": [1], "status": ["paid"], "gross_amount": [9.0]},
    ).with_columns(ordered_at=pl.datetime(2024, 5, 1))
    shop = fk.Shop(orders=orders, assume_empty=("returns",))
    row = fk.evaluate(shop, per_return).tidy().row(0, named=True)
    assert (row["value"], row["reason"]) == (None, "empty_denominator")


def test_whoever_expects_0_there_breaks_a_law():
    """A Polars expression that fills the gap is no way around: it leaves the bounds of a share."""
    filled = (pl.col("gross_amount").sum() / pl.col("shipping_amount").sum()).fill_nan(0)
    metric = fk.Metric(name="filled", formula=fk.PolarsExpr("orders", filled), bounds=(0, 10))
    with pytest.raises(LawBrokenError, match="filled breaks 'bounds'"):
        check_law(metric, LAW["bounds"], examples=10)


def test_bounds_that_do_not_hold_are_caught_with_a_small_shop():
    units = fk.Sum(fk.OrderLines.quantity) / fk.Count(fk.OrderLines)
    metric = fk.Metric(name="units_per_line", formula=units, bounds=(0, 1))
    with pytest.raises(LawsBrokenError) as caught:
        check_metric(metric, examples=10)
    (broken,) = caught.value.broken
    assert broken.law == "bounds"
    assert broken.frames["order_lines"].height == 1
    assert "outside 0 to 1" in str(caught.value)

"""Metrics of what customers belong to: several people order for one account."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk

DAYS = [dt.datetime(2024, 1, day) for day in (1, 2, 9, 10)]
ACCOUNT = fk.Customers.column("account_id", fk.Key, fk.Unit.parse("account"))
OF_ORDER, OF_VISIT = (
    fk.Lookup(key, ACCOUNT) for key in (fk.Orders.customer_id, fk.Sessions.customer_id)
)
BUYERS = fk.PerKey(OF_ORDER, orders=fk.Count(fk.Orders, where=fk.Orders.is_counted))


@pytest.fixture(name="shop")
def shop_of_accounts():
    """Account a: two people, three orders; b: one, who only looks; one person has no account."""
    customers = {"customer_id": [1, 2, 3, 4], "account_id": ["a", "a", "b", None]}
    orders = {
        "order_id": [1, 2, 3, 4],
        "ordered_at": DAYS,
        "status": ["paid", "paid", "cancelled", "paid"],
        "customer_id": [1, 2, 2, 4],
        "gross_amount": [10.0] * 4,
        "discount_amount": [0.0] * 4,
    }
    sessions = {"session_id": [1, 2, 3, 4], "started_at": DAYS, "customer_id": [1, 2, 3, None]}
    return fk.Shop(
        customers=pl.DataFrame(customers),
        orders=pl.DataFrame(orders),
        sessions=pl.DataFrame(sessions),
    )


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (fk.Count(BUYERS), 1),
        (fk.Count(BUYERS, where=BUYERS["orders"] >= 2) / fk.Count(BUYERS), 1.0),
        (fk.Max(BUYERS["orders"]), 2),
        (fk.CountDistinct(OF_ORDER) / fk.CountDistinct(OF_VISIT), 0.5),
    ],
    ids=str,
)
def test_accounts_are_counted_and_folded_as_customers_are(shop, formula, expected):
    metric = fk.Metric(name="m", formula=formula)
    assert fk.evaluate(shop, metric).frame.item() == expected
    assert fk.parse(str(formula)) == formula


def test_conversion_by_account(shop):
    found = fk.evaluate(shop, ["orders", "sessions"], by="account_id").frame
    assert found.rows() == [("a", 2, 2), ("b", 0, 1), (None, 1, 1)]


def test_to_date_by_week(shop):
    metric = fk.Metric(name="m", formula=fk.Cumulative(fk.Count(BUYERS)))
    assert fk.evaluate(shop, metric, every="1w").frame["m"].to_list() == [1, 1]


def test_a_count_of_accounts_is_in_accounts():
    assert str(fk.Metric(name="m", formula=fk.Count(BUYERS)).unit) == "account"
    with pytest.raises(fk.DefinitionError, match="a PerKey by 3 has no key"):
        fk.PerKey(3)

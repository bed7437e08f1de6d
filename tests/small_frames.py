"""Frames of a few rows, and a metric asked of them in one line."""

import datetime as dt

import polars as pl

import funnelkit as fk

NOON = dt.datetime(2024, 5, 1, 12)
BY_DEFAULT = {
    "customer_id": 1,
    "ordered_at": NOON,
    "status": "paid",
    "gross_amount": 100.0,
    "discount_amount": 0.0,
}


def orders_of(**columns):
    """Orders of 100 each, paid by one customer at one noon, save for the columns given."""
    rows = max((len(column) for column in columns.values()), default=1)
    made = {name: [value] * rows for name, value in BY_DEFAULT.items()}
    return pl.DataFrame({"order_id": list(range(1, rows + 1)), **made, **columns})


def of(formula, name="asked"):
    """A metric of a formula."""
    return fk.Metric(name=name, formula=formula)


def value(shop, formula, **question):
    """The one value of a formula over a shop."""
    return fk.evaluate(shop, of(formula), **question).frame.get_column("asked").item()


def values(shop, formula, **question):
    """The values of a formula, in the order of the result."""
    return fk.evaluate(shop, of(formula), **question).frame.get_column("asked").to_list()

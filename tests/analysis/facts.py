"""A table of plain numbers: what worked cases are put into, dated so that exactly they are met."""

import datetime as dt
from math import pi, sqrt

import polars as pl

import funnelkit as fk

DAY = dt.timedelta(days=1)
START, DEADLINE = dt.date(2025, 3, 1), dt.date(2025, 3, 31)
"""A window of 30 days."""
MARCH, APRIL = ("2025-03-01", "2025-04-01"), ("2025-04-01", "2025-05-01")
LETTERS = "abcde"
MEAN_RANGE = 2 / sqrt(pi)
"""The mean moving range of values whose sigma is 1."""


class Facts(fk.Table, table="facts", key="fact_id", time="at"):
    """Numbers on days, of segments and of people."""

    fact_id = fk.Key()
    at = fk.Time()
    segment = fk.Category()
    who = fk.Key()
    a, b, c, d, e = (fk.Quantity() for _ in LETTERS)


def metric(formula, **options):
    return fk.Metric(name="measured", formula=formula, **{"direction": "up", **options})


def ratio(**options):
    return metric("sum(facts.a) / sum(facts.b)", **options)


VALUE, PEOPLE = metric("sum(facts.a)"), metric("count_distinct(facts.who)")


def shop_of(rows, as_of=None):
    """A shop of rows: the day, numbers by letter, the segment and the person where they matter."""
    blank = {"segment": None, "who": 0, **dict.fromkeys(LETTERS, 0.0)}
    types = {"at": pl.Date, "segment": pl.String, "who": pl.Int64}
    types |= dict.fromkeys(LETTERS, pl.Float64)
    frame = pl.DataFrame([{**blank, **row} for row in rows], schema=types)
    frame = frame.with_row_index("fact_id")
    return fk.Shop.bind({"facts": frame}, tables=[Facts], as_of=as_of)

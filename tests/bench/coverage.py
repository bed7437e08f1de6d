"""How often intervals hold the truth, and how often tests of nothing find something.

Run it with tea-tasting installed: `python tests/bench/coverage.py`. It makes its own data, by
runs that are the groups of one question; `--runs` says how many.
"""

import argparse
import datetime as dt

import numpy as np
import polars as pl

import funnelkit as fk
from funnelkit.sampling.assignment import VARIANT
from funnelkit.sampling.comparison import Comparison, always_valid
from funnelkit.sampling.moments import quantile_of_normal, wilson
from funnelkit.sampling.sides import sides_of

NOON = dt.datetime(2024, 5, 1, 12)
RATE, Z = 0.05, quantile_of_normal(0.95)
SIZES = (20, 50, 200, 1000)


def visits(rng, runs, visitors, *, clustered):
    """Sessions of so many visitors in each run: of one each, or of several that are alike."""
    owner = np.arange(runs * visitors)
    rate = rng.beta(0.4, 7.6, len(owner)) if clustered else np.full(len(owner), RATE)
    count = rng.geometric(0.25, len(owner)) if clustered else np.ones(len(owner), np.int64)
    visitor = np.repeat(owner, count)
    return pl.DataFrame(
        {
            "session_id": np.arange(len(visitor)),
            "visitor_id": visitor,
            "started_at": pl.Series([NOON]).extend_constant(NOON, len(visitor) - 1),
            "has_purchase": rng.random(len(visitor)) < np.repeat(rate, count),
            "channel": pl.Series(visitor // visitors).cast(pl.String),
        }
    )


def held(frame, truth):
    """The part of intervals that hold the truth."""
    known = frame.drop_nulls(["low", "high"])
    holds = (pl.col("low") <= truth) & (truth <= pl.col("high"))
    return known.select(holds.mean()).item()


def naive(sessions):
    """Wilson's intervals of sessions taken to be independent."""
    counts = sessions.group_by("channel").agg(pl.col("has_purchase").sum().alias("x"), pl.len())
    ends = [wilson(x / n, n, Z) for _, x, n in counts.rows()]
    return pl.DataFrame(ends, schema=["low", "high"], orient="row")


def conversion(rng, runs):
    print("coverage of 95 % intervals of a conversion rate")
    for clustered in (False, True):
        for visitors in SIZES:
            made = runs if visitors == max(SIZES) else 5 * runs
            sessions = visits(rng, made, visitors, clustered=clustered)
            shop = fk.Shop(sessions=sessions)
            own = fk.intervals(shop, "session_conversion_rate", by="channel").frame
            kind = "several visits each" if clustered else "one visit each"
            print(
                f"  {visitors:5} visitors, {kind}: by visitor {held(own, RATE):.3f}, "
                f"by session {held(naive(sessions), RATE):.3f}"
            )


def sums(rng, runs):
    print("coverage of 95 % intervals of sales")
    for customers in SIZES[1:]:  # of 20 on average, half have too few
        counts = rng.poisson(customers, runs)
        amounts = rng.lognormal(3, 0.8, counts.sum())
        orders = pl.DataFrame(
            {
                "order_id": np.arange(len(amounts)),
                "customer_id": np.arange(len(amounts)),
                "ordered_at": pl.Series([NOON]).extend_constant(NOON, len(amounts) - 1),
                "is_counted": np.ones(len(amounts), bool),
                "gross_amount": amounts,
                "sales_channel_of": np.repeat(np.arange(runs), counts).astype(str),
            }
        )
        shop = fk.Shop(orders=orders, currency="EUR")
        by = fk.Dimension("run", orders="sales_channel_of")
        own = fk.intervals(shop, "gross_sales", by=by).frame
        print(f"  {customers:5} customers: {held(own, float(customers * np.exp(3.32))):.3f}")


def looks(rng, runs, count, *, units=250):
    """Return how often tests of nothing find something: at the last look, at any, always valid."""
    shop = fk.Shop(sessions=visits(rng, 1, 2, clustered=False))
    sides = sides_of(fk.registry()["session_conversion_rate"], shop.data, None)
    assert sides is not None
    last = any_ = valid = 0
    for _ in range(runs):
        size = 2 * units * count
        rate, sessions = rng.beta(0.4, 7.6, size), rng.geometric(0.25, size)
        frame = pl.DataFrame(
            {
                VARIANT: np.tile(["a", "b"], size // 2),
                sides.above.name: rng.binomial(sessions, rate).astype(float),
                sides.below.name: sessions.astype(float),
            }
        )
        seen, holds = [], []
        for look in range(1, count + 1):
            tests = Comparison([sides], frame.head(2 * units * look), 0.95, has_before=False)
            row = tests.row(sides, "a", "b", tests.result("a", "b"))
            seen.append(row["p_value"] < 0.05)
            found = always_valid(row, 5000)
            holds.append(found["low"] <= 0 <= found["high"])
        last, any_, valid = last + seen[-1], any_ + any(seen), valid + (not all(holds))
    return last / runs, any_ / runs, valid / runs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    runs, rng = parser.parse_args().runs, np.random.default_rng(9)
    conversion(rng, runs)
    sums(rng, runs)
    for count in (1, 10, 20):
        last, any_, valid = looks(rng, runs, count)
        print(
            f"{count} looks at nothing: significant at the last {last:.3f}, "
            f"at any {any_:.3f}, always valid {valid:.3f}"
        )


if __name__ == "__main__":
    main()

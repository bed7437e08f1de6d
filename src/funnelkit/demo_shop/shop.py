"""A small seeded shop, for examples, pages and the command line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from funnelkit.data.sources import Source
from funnelkit.demo_shop.frames import (
    DAYS,
    END,
    FIRST,
    PRODUCTS,
    with_more_columns,
    with_more_tables,
)
from funnelkit.shop.shop import Shop
from funnelkit.units import DAY_S

__all__ = ["demo", "demo_frames"]

CHANNELS = ("organic", "paid", "email", "direct", "social")
DEVICES = ("mobile", "desktop", "tablet")
COUNTRIES = ("PL", "DE", "CZ")
SESSIONS = 50_000

WEEK = (0.92, 0.88, 0.9, 0.95, 1.0, 1.15, 1.2)
"""How busy the days of a week are, from Monday on."""

YEAR = (0.9, 0.88, 0.95, 0.96, 1.0, 0.98, 0.88, 0.86, 1.0, 1.08, 1.35, 1.25)
"""How busy the months of a year are."""

GROWTH = 1.15
"""How much busier a day is than the same day a year before."""

FAILURE = (dt.datetime(2024, 10, 14), dt.datetime(2024, 10, 21))  # noqa: DTZ001  # as FIRST
"""The week in which the checkout failed three buyers of four."""

_Ints = npt.NDArray[np.int64]


def demo() -> Shop:
    """Return the demo shop: 25 months of a small shop in Warsaw, identical at every call.

    It is busier at weekends and before Christmas, it grows, and in the week from
    14 October 2024 its checkout fails.

    Examples:
        >>> import funnelkit as fk
        >>> sorted(fk.demo().tables)[:3]
        ['ad_views', 'campaign_performance', 'carts']
    """
    frames: Mapping[str, Source] = demo_frames()
    return Shop.bind(frames, time_zone="Europe/Warsaw", currency="PLN")


@cache
def demo_frames() -> dict[str, pl.DataFrame]:
    """Return the frames of the demo shop, by table."""
    rng = np.random.default_rng(20_240_101)
    sessions = _sessions(rng)
    buyers = _buyers(rng, sessions)
    orders = _orders(rng, buyers.filter("is_served"))
    lines = _lines(rng, orders)
    frames = {
        "sessions": sessions,
        "events": _events(sessions, buyers),
        "orders": orders,
        "order_lines": lines,
        "returns": _returns(rng, lines, orders).filter(pl.col("returned_at") < END),
        "customers": _customers(rng, sessions),
        "carts": _carts(rng, sessions, orders),
        "campaign_performance": _campaigns(rng),
        "marketing_costs": _costs(),
        "surveys": _surveys(rng, orders).filter(pl.col("responded_at") < END),
    }
    return with_more_tables(with_more_columns(frames))


def _sessions(rng: np.random.Generator) -> pl.DataFrame:
    count = SESSIONS
    visitor = 1 + (rng.beta(0.6, 2.4, count) * 6_000).astype(np.int64)
    busy = _busyness()
    day = rng.choice(DAYS, count, p=busy / busy.sum())
    seconds = np.sort(day * DAY_S + rng.integers(0, DAY_S, count))
    channel = rng.choice(CHANNELS, count, p=[0.34, 0.26, 0.12, 0.2, 0.08])
    views = rng.geometric(np.where(channel == "social", 0.5, 0.3))
    return pl.DataFrame(
        {
            "session_id": np.arange(1, count + 1),
            "visitor_id": visitor,
            "started_at": [FIRST + dt.timedelta(seconds=int(s)) for s in seconds],
            "customer_id": visitor,
            "channel": channel,
            "device": rng.choice(DEVICES, count, p=[0.62, 0.31, 0.07]),
            "country": [COUNTRIES[int(v) % 7 % 3] for v in visitor],
            "page_views": views,
            "engaged_s": np.round(rng.exponential(12.0 * views), 1),
            "is_bot": rng.random(count) < 0.03,
        }
    ).with_columns(pl.when(pl.col("visitor_id") % 4 == 0).then("customer_id"))


def _busyness() -> npt.NDArray[np.float64]:
    """Return how busy each day is, next to others."""
    days = [FIRST + dt.timedelta(days=n) for n in range(DAYS)]
    seasons = [WEEK[day.weekday()] * YEAR[day.month - 1] for day in days]
    return np.array(seasons) * GROWTH ** (np.arange(DAYS) / 365)


def _buyers(rng: np.random.Generator, sessions: pl.DataFrame) -> pl.DataFrame:
    """Return the sessions that want to buy, and whether the checkout serves them."""
    lift = {"email": 1.7, "paid": 1.1, "social": 0.5}
    chance = np.array([0.045 * lift.get(c, 1.0) for c in sessions["channel"]])
    buys = (rng.random(sessions.height) < chance) & ~sessions["is_bot"].to_numpy()
    is_down = pl.col("started_at").is_between(*FAILURE, closed="left")
    survives = pl.Series(rng.random(sessions.height) < 0.25)
    return sessions.with_columns(is_served=~is_down | survives).filter(pl.Series(buys))


def _orders(rng: np.random.Generator, bought: pl.DataFrame) -> pl.DataFrame:
    count = bought.height
    minutes = rng.integers(2, 50, count)
    status = rng.choice(
        ["fulfilled", "paid", "pending", "cancelled", "test"], count, p=[0.8, 0.1, 0.04, 0.05, 0.01]
    )
    is_guest = rng.random(count) < 0.1
    return pl.DataFrame(
        {
            "order_id": np.arange(1, count + 1),
            "ordered_at": [
                start + dt.timedelta(minutes=int(m))
                for start, m in zip(bought["started_at"], minutes, strict=True)
            ],
            "status": status,
            "customer_id": bought["visitor_id"].to_numpy(),
            "session_id": bought["session_id"],
            "sales_channel": ["online"] * count,
        }
    ).with_columns(pl.when(~pl.Series(is_guest)).then("customer_id").alias("customer_id"))


def _lines(rng: np.random.Generator, orders: pl.DataFrame) -> pl.DataFrame:
    per_order = rng.integers(1, 5, orders.height)
    owner = np.repeat(orders["order_id"].to_numpy(), per_order)
    product = rng.integers(1, PRODUCTS + 1, owner.size)
    price = np.round(19.0 + product * 7.35, 2)
    quantity = rng.choice([1, 1, 1, 2, 3], owner.size)
    share = rng.choice([0.0, 0.0, 0.0, 0.1, 0.2], owner.size)
    return pl.DataFrame(
        {
            "order_line_id": np.arange(1, owner.size + 1),
            "order_id": owner,
            "product_id": product,
            "quantity": quantity,
            "unit_price": price,
            "discount_amount": np.round(price * quantity * share, 2),
            "unit_cost": np.round(price * 0.55, 2),
            "line_type": np.where(rng.random(owner.size) < 0.01, "gift_card", "product"),
        }
    )


def _returns(rng: np.random.Generator, lines: pl.DataFrame, orders: pl.DataFrame) -> pl.DataFrame:
    back = lines.filter(pl.Series(rng.random(lines.height) < 0.07)).join(orders, on="order_id")
    count = back.height
    days = rng.integers(3, 30, count)
    return pl.DataFrame(
        {
            "return_id": np.arange(1, count + 1),
            "order_id": back["order_id"],
            "order_line_id": back["order_line_id"],
            "returned_at": [
                at + dt.timedelta(days=int(d))
                for at, d in zip(back["ordered_at"], days, strict=True)
            ],
            "quantity": back["quantity"],
            "refund_amount": back["quantity"] * back["unit_price"] - back["discount_amount"],
            "kind": np.where(back["status"].to_numpy() == "cancelled", "cancellation", "return"),
            "is_restocked": rng.random(count) < 0.8,
        }
    )


def _events(sessions: pl.DataFrame, buyers: pl.DataFrame) -> pl.DataFrame:
    """Return the events of every session, 20 seconds apart."""
    wanting = buyers.select("session_id", "is_served")
    known = sessions.join(wanting, on="session_id", how="left", maintain_order="left")
    wants = pl.col("is_served").is_not_null()
    views = pl.lit("page_view").repeat_by("page_views")
    later = (
        pl.when(is_done).then(pl.lit(name))
        for name, is_done in (
            ("view_item", wants | (pl.col("page_views") >= 2)),
            ("add_to_cart", wants | (pl.col("page_views") >= 5)),
            ("begin_checkout", wants | (pl.col("page_views") >= 7)),
            ("purchase", pl.col("is_served")),
        )
    )
    steps = pl.concat_list(views, *later).list.drop_nulls()
    rows = known.select("session_id", "visitor_id", "started_at", event_name=steps)
    rows = rows.with_columns(step=pl.int_ranges(pl.col("event_name").list.len()))
    return (
        rows.explode("event_name", "step")
        .with_columns(occurred_at=pl.col("started_at") + pl.duration(seconds=20 * pl.col("step")))
        .select("session_id", "visitor_id", "event_name", "occurred_at")
        .with_row_index("event_id", offset=1)
    )


def _customers(rng: np.random.Generator, sessions: pl.DataFrame) -> pl.DataFrame:
    known = sessions.group_by("visitor_id").agg(pl.col("started_at").min()).sort("visitor_id")
    return pl.DataFrame(
        {
            "customer_id": known["visitor_id"],
            "created_at": known["started_at"],
            "segment": rng.choice(["new", "regular", "vip"], known.height, p=[0.6, 0.3, 0.1]),
        }
    )


def _carts(rng: np.random.Generator, sessions: pl.DataFrame, orders: pl.DataFrame) -> pl.DataFrame:
    filled = (pl.col("page_views") >= 4) & (pl.col("session_id") % 2 == 0)
    begun = sessions.join(orders.select("session_id", "order_id"), on="session_id", how="left")
    kept = begun.filter(pl.col("order_id").is_not_null() | filled)
    return pl.DataFrame(
        {
            "cart_id": np.arange(1, kept.height + 1),
            "created_at": [at + dt.timedelta(minutes=1) for at in kept["started_at"]],
            "visitor_id": kept["visitor_id"],
            "session_id": kept["session_id"],
            "items": np.where(rng.random(kept.height) < 0.04, 0, rng.integers(1, 6, kept.height)),
            "order_id": kept["order_id"],
        }
    )


def _campaigns(rng: np.random.Generator) -> pl.DataFrame:
    days = [FIRST.date() + dt.timedelta(days=day) for day in range(DAYS)]
    rows = [
        (day, platform, f"{platform}-{number}", scale)
        for day in days
        for platform, scale in (("google", 900), ("meta", 1_400))
        for number in (1, 2)
    ]
    frame = pl.DataFrame(rows, schema=["date", "platform", "campaign_id", "scale"], orient="row")
    impressions = rng.poisson(frame["scale"].to_numpy())
    clicks = rng.binomial(impressions, 0.02)
    spend = np.round(clicks * 0.85, 2)
    return frame.drop("scale").with_columns(
        pl.lit(value=True).alias("is_paid"),
        pl.Series("impressions", impressions),
        pl.Series("clicks", clicks),
        pl.Series("spend", spend),
        pl.Series("conversions", rng.binomial(clicks, 0.03)),
        pl.Series("conversion_value", np.round(spend * rng.uniform(0.5, 5.0, frame.height), 2)),
    )


def _costs() -> pl.DataFrame:
    first, end = FIRST.date(), END.date()
    firsts = pl.date_range(first, end, "1mo", closed="left", eager=True).to_list()
    lasts = [day - dt.timedelta(days=1) for day in [*firsts[1:], end]]
    kinds = (("agency", "acquisition", 600.0), ("tools", "retention", 250.0))
    rows = [
        (f"{kind}-{first:%Y-%m}", first, last, amount, kind, purpose)
        for first, last in zip(firsts, lasts, strict=True)
        for kind, purpose, amount in kinds
    ]
    names = ["cost_id", "period_start", "period_end", "amount", "kind", "purpose"]
    return pl.DataFrame(rows, schema=names, orient="row")


def _surveys(rng: np.random.Generator, orders: pl.DataFrame) -> pl.DataFrame:
    asked = orders.filter(pl.col("status") == "fulfilled")
    answered = asked.filter(pl.Series(rng.random(asked.height) < 0.6))
    is_nps: _Ints = rng.integers(0, 2, answered.height)
    nps = rng.choice(np.arange(11), answered.height, p=_NPS_SHARES)
    csat = rng.choice([1, 2, 3, 4, 5], answered.height, p=[0.04, 0.06, 0.14, 0.4, 0.36])
    return pl.DataFrame(
        {
            "response_id": np.arange(1, answered.height + 1),
            "survey_type": np.where(is_nps == 1, "nps", "csat"),
            "responded_at": [at + dt.timedelta(days=5) for at in answered["ordered_at"]],
            "customer_id": answered["customer_id"],
            "score": np.where(is_nps == 1, nps, csat),
        }
    )


_NPS_SHARES = (0.01, 0.01, 0.01, 0.02, 0.02, 0.04, 0.06, 0.13, 0.2, 0.24, 0.26)

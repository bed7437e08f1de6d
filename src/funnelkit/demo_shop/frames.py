"""What else the demo shop has: prices of its orders, products, stock, parcels, messages, ads."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from funnelkit.units import DAY_S

__all__ = ["DAYS", "END", "FIRST", "PRODUCTS", "with_more_columns", "with_more_tables"]

Frames = dict[str, pl.DataFrame]

FIRST = dt.datetime(2022, 12, 1)  # noqa: DTZ001  # local time in the shop's zone
END = dt.datetime(2025, 1, 1)  # noqa: DTZ001  # as FIRST
DAYS = (END - FIRST).days
CATEGORIES = ("shoes", "shirts", "jackets", "bags", "belts")
PLACES = ("Warsaw", "Poznań")
PRODUCTS = 40
SECONDS = DAYS * DAY_S


def with_more_columns(frames: Frames) -> Frames:
    """Return the frames with additional columns of orders, lines, events and ads.

    Args:
        frames: Orders, order lines, returns, events, carts, ads, costs, surveys.
    """
    rng = np.random.default_rng(20_240_102)
    return {
        **frames,
        "orders": _orders(rng, frames),
        "order_lines": _lines(rng, frames["order_lines"]),
        "returns": frames["returns"].with_columns(
            handling_cost=pl.lit(4.5),
            refund_shipping=pl.when(pl.col("return_id") % 4 == 0).then(9.9).otherwise(0.0),
            refund_tax=(pl.col("refund_amount") * 0.23).round(2),
        ),
        "events": _events(rng, frames),
        "carts": _carts(rng, frames),
        "campaign_performance": _ads(rng, frames["campaign_performance"]),
        "marketing_costs": frames["marketing_costs"].with_columns(
            is_variable=pl.col("kind") == "agency"
        ),
        "surveys": _surveys(rng, frames["surveys"]),
    }


def with_more_tables(frames: Frames) -> Frames:
    """Return the frames with the tables of products, stock, parcels, messages, views and searches.

    Args:
        frames: Orders and order lines.
    """
    rng = np.random.default_rng(20_240_103)
    return {
        **frames,
        "products": _products(),
        "inventory_snapshots": _stock(rng),
        "receipts": _receipts(rng),
        "shipments": _parcels(rng, frames),
        "email_sends": _messages(rng, frames),
        "ad_views": _views(rng),
        "search_interest": _searches(rng),
    }


def _orders(rng: np.random.Generator, frames: Frames) -> pl.DataFrame:
    orders, count = frames["orders"], frames["orders"].height
    channels = frames["sessions"].select("session_id", attributed_channel="channel")
    spent = pl.Series(rng.integers(40, 700, count)).cast(pl.Float64)
    charged = orders.join(channels, on="session_id", how="left", maintain_order="left")
    is_paid = pl.col("attributed_channel") == "paid"
    return charged.with_columns(
        attributed_channel=pl.col("attributed_channel").replace("paid", "paid_search"),
        shipping_amount=pl.Series(rng.choice([0.0, 9.9, 14.9], count)),
        tax_amount=(spent * 0.23).round(2),
        duties_amount=pl.lit(0.0),
        fees_amount=pl.Series(rng.choice([0.0, 0.0, 2.0], count)),
        payment_fee=(spent * 0.014 + 0.3).round(2),
        fulfilment_cost=pl.lit(6.2),
        attributed_campaign=pl.when(is_paid).then(pl.lit("google-1")),
    )


def _lines(rng: np.random.Generator, lines: pl.DataFrame) -> pl.DataFrame:
    return lines.with_columns(
        is_upsell=pl.Series(rng.random(lines.height) < 0.06),
        is_cross_sell=pl.Series(rng.random(lines.height) < 0.15),
    )


def _events(rng: np.random.Generator, frames: Frames) -> pl.DataFrame:
    events, orders = frames["events"], frames["orders"]
    count = events.height
    is_view, is_page = (pl.col("event_name") == n for n in ("view_item", "page_view"))
    is_sale = pl.col("event_name") == "purchase"
    has_product = pl.col("event_name").is_in(["view_item", "add_to_cart", "purchase"])
    product = 1 + pl.col("session_id") % PRODUCTS
    placed = orders.select("session_id", "order_id").unique("session_id", maintain_order=True)
    carts = frames["carts"].select("session_id", "cart_id").unique("session_id")
    in_cart = pl.col("event_name").is_in(["add_to_cart", "begin_checkout", "purchase"])
    rest = events.join(placed, on="session_id", how="left", maintain_order="left")
    rest = rest.join(carts, on="session_id", how="left", maintain_order="left").with_columns(
        product_id=pl.when(has_product).then(product),
        quantity=pl.when(has_product).then(1),
        value=pl.when(is_sale).then(pl.Series(np.round(rng.uniform(60, 900, count), 2))),
        load_ms=pl.when(is_page).then(pl.Series(rng.gamma(4.0, 300.0, count).round())),
        order_id=pl.when(is_sale).then("order_id"),
        cart_id=pl.when(in_cart).then("cart_id"),
        offer_id=pl.lit(None, dtype=pl.String),
        offer_type=pl.lit(None, dtype=pl.String),
    )
    seen = rest.filter(is_view & (pl.col("session_id") % 3 == 0))
    kind = pl.when(pl.col("session_id") % 2 == 0).then(pl.lit("upsell"))
    offered = seen.with_columns(
        event_name=pl.lit("offer_shown"),
        offer_type=kind.otherwise(pl.lit("cross_sell")),
        offer_id=pl.format("offer {}", "session_id"),
    )
    taken = offered.filter(pl.col("session_id") % 5 == 0).with_columns(
        event_name=pl.lit("offer_accepted")
    )
    watched = rest.filter(is_page & (pl.col("event_id") % 11 == 0)).with_columns(
        event_name=pl.lit("scroll_90"), load_ms=pl.lit(None, dtype=pl.Float64)
    )
    everything = pl.concat([rest, offered, taken, watched])
    return everything.drop("event_id").with_row_index("event_id", offset=1)


def _carts(rng: np.random.Generator, frames: Frames) -> pl.DataFrame:
    carts, orders = frames["carts"], frames["orders"]
    bought = carts.join(orders.select("order_id", "ordered_at"), on="order_id", how="left")
    minutes, odds = [1, 2, 5, 1_500, 2_900], [0.5, 0.3, 0.1, 0.06, 0.04]
    waits = pl.Series(rng.choice(minutes, carts.height, p=odds))
    left = pl.col("created_at") + pl.duration(minutes=pl.lit(waits))
    begun = pl.col("order_id").is_not_null() | (pl.col("cart_id") % 3 == 0)
    return bought.with_columns(
        value=pl.Series(np.round(rng.uniform(30, 900, carts.height), 2)),
        last_activity_at=pl.min_horizontal(left, pl.col("ordered_at").fill_null(END)),
        checkout_started_at=pl.when(begun).then(pl.col("created_at") + dt.timedelta(minutes=1)),
    ).drop("ordered_at")


def _ads(rng: np.random.Generator, ads: pl.DataFrame) -> pl.DataFrame:
    share = pl.Series(rng.uniform(0.55, 0.8, ads.height))
    return ads.with_columns(
        reach=(pl.col("impressions") * share).cast(pl.Int64),
        engagements=pl.Series(rng.binomial(ads["impressions"].to_numpy(), 0.015)),
        followers=pl.lit(12_000),
    )


def _surveys(rng: np.random.Generator, surveys: pl.DataFrame) -> pl.DataFrame:
    count = 1_200
    kinds = rng.choice(["brand_unaided", "brand_aided"], count)
    recalled = rng.random(count) < np.where(kinds == "brand_aided", 0.46, 0.18)
    brand = pl.DataFrame(
        {
            "response_id": np.arange(count) + 1 + surveys.height,
            "survey_type": kinds,
            "responded_at": _moments(rng, count),
            "brand_recalled": recalled,
        }
    )
    return pl.concat([surveys, brand], how="diagonal").with_columns(
        scale_max=pl.col("survey_type").replace_strict({"nps": 10, "csat": 5}, default=None)
    )


def _products() -> pl.DataFrame:
    number = np.arange(1, PRODUCTS + 1)
    price = np.round(19.0 + number * 7.35, 2)
    return pl.DataFrame(
        {
            "product_id": number,
            "created_at": [FIRST] * PRODUCTS,
            "sku": [f"SKU-{n:03}" for n in number],
            "category": [CATEGORIES[n % len(CATEGORIES)] for n in number],
            "list_price": price,
            "unit_cost": np.round(price * 0.55, 2),
            "lead_time_days": 7.0 + number % 4 * 5,
            "lead_time_sd": 1.0 + number % 3,
            "safety_stock": 3.0 + number % 4,
            "is_active": number % 13 != 0,
            "is_tracked": [True] * PRODUCTS,
        }
    )


def _stock(rng: np.random.Generator) -> pl.DataFrame:
    days = [FIRST.date() + dt.timedelta(days=day) for day in range(0, DAYS, 7)]
    rows = [(day, product, place) for day in days for product in range(1, 41) for place in PLACES]
    frame = pl.DataFrame(rows, schema=["snapshot_date", "product_id", "location_id"], orient="row")
    units = rng.integers(0, 60, frame.height) * (rng.random(frame.height) > 0.06)
    return frame.with_columns(on_hand_units=pl.Series(units))


def _receipts(rng: np.random.Generator) -> pl.DataFrame:
    count = 800
    return pl.DataFrame(
        {
            "receipt_id": np.arange(1, count + 1),
            "product_id": rng.integers(1, PRODUCTS + 1, count),
            "received_at": _moments(rng, count),
            "units": rng.integers(5, 40, count),
        }
    )


def _parcels(rng: np.random.Generator, frames: Frames) -> pl.DataFrame:
    units = frames["order_lines"].group_by("order_id").agg(pl.col("quantity").sum())
    sent = frames["orders"].filter(pl.col("status").is_in(["fulfilled", "paid"]))
    sent = sent.join(units, on="order_id", how="left", maintain_order="left")
    count = sent.height
    hours, days = rng.gamma(3.0, 9.0, count), rng.gamma(4.0, 0.6, count)
    shipped = pl.col("ordered_at") + pl.duration(
        minutes=pl.lit(pl.Series((hours * 60).astype(int)))
    )
    arrived = shipped + pl.duration(minutes=pl.lit(pl.Series((days * 1_440).astype(int))))
    has_arrived = pl.Series(rng.random(count) < 0.97)
    parcels = sent.select(
        "order_id",
        shipped_at=shipped,
        delivered_at=pl.when(has_arrived).then(arrived),
        promised_at=pl.col("ordered_at") + dt.timedelta(days=5),
        shipping_cost=pl.Series(np.round(rng.normal(11.5, 1.5, count), 2)),
        units_shipped=pl.col("quantity") - pl.Series((rng.random(count) < 0.03).astype(int)),
        has_item_error=pl.Series(rng.random(count) < 0.02),
        is_damaged=pl.Series(rng.random(count) < 0.01),
        documents_ok=pl.Series(rng.random(count) < 0.99),
    ).filter(pl.col("shipped_at") < END)
    known = pl.when(pl.col("delivered_at") < END).then("delivered_at")
    return parcels.with_columns(known.alias("delivered_at")).with_row_index("shipment_id", offset=1)


def _messages(rng: np.random.Generator, frames: Frames) -> pl.DataFrame:
    messages, people = 50, 300
    worth = (pl.col("quantity") * pl.col("unit_price")).sum().round(2)
    lines = frames["order_lines"].group_by("order_id").agg(worth=worth)
    placed = frames["orders"].select("order_id", at="ordered_at").join(lines, on="order_id")
    rows = [(m, r) for m in range(1, messages + 1) for r in range(1, people + 1)]
    frame = pl.DataFrame(rows, schema=["message_id", "recipient_id"], orient="row")
    count = frame.height
    sent = FIRST + pl.duration(days=pl.col("message_id") * 15, hours=9)
    chance = rng.random((4, count))
    fate = pl.Series(rng.choice(["", "soft", "hard"], count, p=[0.96, 0.03, 0.01]))
    opened, clicked = pl.Series(chance[0] < 0.34), pl.Series(chance[1] < 0.12)
    bought = pl.Series(chance[2] < 0.2) & clicked & opened
    waits = pl.Series(rng.integers(4 * 60, 4 * 1_440, count)) * pl.lit(dt.timedelta(minutes=1))
    frame = frame.with_columns(sent_at=sent, bounce_type=fate.replace("", None), at=sent + waits)
    frame = frame.sort("at").join_asof(placed.sort("at"), on="at", strategy="forward")
    is_there = pl.col("bounce_type").is_null()
    wanted = is_there & bought
    has_bought = wanted & pl.col("order_id").is_first_distinct().over(wanted)
    return frame.with_columns(
        first_opened_at=pl.when(is_there & opened).then(sent + dt.timedelta(hours=2)),
        is_machine_open=is_there & opened & pl.Series(chance[3] < 0.3),
        first_clicked_at=pl.when(is_there & opened & clicked).then(sent + dt.timedelta(hours=3)),
        unsubscribed_at=pl.when(is_there & pl.Series(chance[1] > 0.996)).then(sent),
        complained_at=pl.when(is_there & pl.Series(chance[1] > 0.9993)).then(sent),
        order_id=pl.when(has_bought).then("order_id"),
        attributed_revenue=pl.when(has_bought).then("worth"),
    ).drop("at", "worth")


def _views(rng: np.random.Generator) -> pl.DataFrame:
    count = 18_000
    return pl.DataFrame(
        {
            "view_id": np.arange(1, count + 1),
            "viewer_id": rng.integers(1, 3_500, count),
            "campaign_id": rng.choice(["google-1", "google-2", "meta-1", "meta-2"], count),
            "viewed_at": _moments(rng, count),
        }
    )


def _searches(rng: np.random.Generator) -> pl.DataFrame:
    days = [FIRST.date() + dt.timedelta(days=day) for day in range(DAYS)]
    everybody = rng.poisson(900, DAYS)
    own = rng.binomial(everybody, 0.11)
    return pl.DataFrame({"date": days, "brand_queries": own, "category_queries": everybody})


def _moments(rng: np.random.Generator, count: int) -> list[dt.datetime]:
    return [FIRST + dt.timedelta(seconds=int(s)) for s in np.sort(rng.integers(0, SECONDS, count))]

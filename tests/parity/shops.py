"""Shops on which answers are compared: some of the demo shop, as other shops would bind it."""

import datetime as dt
from collections.abc import Mapping
from functools import cache

import polars as pl

import funnelkit as fk
from funnelkit.calendar.zones import localised
from funnelkit.demo_shop.shop import demo_frames

Frames = dict[str, pl.DataFrame]
NEVER_NULL = {
    "status", "weight", "date", "period_start", "period_end", "snapshot_date", "location_id",
    "scale_max", "score", "survey_type", "currency",
}  # fmt: skip


@cache
def shops() -> Mapping[str, fk.Shop]:
    some = some_of(demo_frames())
    frames = as_instants(some)
    warsaw = {"time_zone": "Europe/Warsaw", "currency": "PLN"}
    new_york = {"week_start": "sunday", "fiscal_year": "04-06", "time_zone": "America/New_York"}
    lord_howe = {"time_zone": "Australia/Lord_Howe", "fiscal_year": fk.RetailCalendar()}
    return {
        "demo": fk.Shop.bind(some, **warsaw),
        "instants": fk.Shop.bind(frames, **warsaw),
        "fiscal year": fk.Shop.bind(frames, currency="PLN", **new_york),
        "retail year": fk.Shop.bind(frames, currency="PLN", **lord_howe),
        "nulls": fk.Shop.bind(with_nulls(frames), guards=False, **warsaw),
        "currencies": fk.Shop.bind(with_currencies(frames), **warsaw),
    }


def some_of(frames: Mapping[str, pl.DataFrame]) -> Frames:
    """The same tables with a few percent of the rows: of some visitors, buyers and days."""
    buyers = pl.col("customer_id").fill_null(0)
    orders = frames["orders"].filter(buyers % 10 == 0)
    ordered = pl.col("order_id").is_in(orders["order_id"].to_list())
    is_visitor = pl.col("visitor_id") % 48 == 0
    came = pl.col("session_id").is_in(orders["session_id"].drop_nulls().to_list())
    sessions = frames["sessions"].filter(is_visitor | came)
    lists = {
        "events": pl.col("session_id").is_in(sessions["session_id"].to_list()),
        "carts": is_visitor | ordered,
        "customers": pl.col("customer_id") % 10 == 0,
        "email_sends": pl.col("recipient_id") % 24 == 0,
        "ad_views": pl.col("viewer_id") % 24 == 0,
        "surveys": pl.col("response_id") % 4 == 0,
        "campaign_performance": pl.col("date").dt.day() % 3 == 0,
        "inventory_snapshots": pl.col("product_id") % 8 == 0,
        **dict.fromkeys(("order_lines", "returns", "shipments"), ordered),
    }
    kept = {name: frames[name].filter(where) for name, where in lists.items()}
    return {**frames, **kept, "sessions": sessions, "orders": orders}


def as_instants(frames: Mapping[str, pl.DataFrame]) -> Frames:
    """The local times of Warsaw as instants."""
    return {
        name: frame.with_columns(
            localised(pl.col(column), "Europe/Warsaw").dt.convert_time_zone("UTC")
            for column, kind in frame.schema.items()
            if isinstance(kind, pl.Datetime) and kind.time_zone is None
        )
        for name, frame in frames.items()
    }


def with_nulls(frames: Mapping[str, pl.DataFrame]) -> Frames:
    """Null keys, words, times and amounts here and there."""
    found: Frames = {}
    for number, (name, frame) in enumerate(frames.items()):
        kept = {*NEVER_NULL, frame.columns[0]}
        kept |= {"product_id"} if name == "inventory_snapshots" else set()
        place = pl.int_range(pl.len())
        found[name] = frame.with_columns(
            pl.when((place * (7 + i) + number * 3 + i) % (11 + 2 * i) != 0).then(pl.col(c)).alias(c)
            for i, c in enumerate(column for column in frame.columns if column not in kept)
        )
    return found


def with_currencies(frames: Mapping[str, pl.DataFrame]) -> Frames:
    """Orders in three currencies, and rates every three days."""
    days = pl.date_range(dt.date(2023, 12, 25), dt.date(2025, 1, 2), "3d", eager=True)
    rates = [
        (day, currency, rate + (place % 7) / 100)
        for currency, rate in (("EUR", 4.3), ("CZK", 0.17))
        for place, day in enumerate(days)
    ]
    order = pl.int_range(pl.len()) % 3
    currency = pl.when(order == 0).then(pl.lit("PLN")).when(order == 1).then(pl.lit("EUR"))
    schema = ["date", "currency", "rate"]
    return {
        **frames,
        "orders": frames["orders"].with_columns(currency=currency.otherwise(pl.lit("CZK"))),
        "exchange_rates": pl.DataFrame(rates, schema=schema, orient="row"),
    }

"""Segment: events of its ecommerce specification (JSON, one event a line).

How to get it: the destination AWS S3, Google Cloud Storage or a warehouse; unpack the files into
one folder.

| column | made of |
| --- | --- |
| `events.event_id`, `occurred_at` | `messageId`, once each; `timestamp` |
| `events.visitor_id` | `anonymousId`, otherwise `userId` |
| `events.event_name` | `event`; a call of the type page is a page view |
| `events.session_id` | the visitor's events without a pause of 30 minutes |
| `events.order_id`, `value` | `order_id` and `revenue` of `Order Completed` |
| `sessions` | from the first to the last event; source, medium and campaign of `context` |
| `orders` | the first `Order Completed` of each `order_id`; cancelled by `Order Cancelled` |
| `orders.discount_amount`, `shipping_amount` | `discount`, `shipping` |
| `orders.tax_amount`, `currency` | `tax`, `currency` |
| `order_lines` | its `products`: `product_id`, otherwise `sku`; `price`, `quantity` |
| `returns` | `Order Refunded`: `total`, less `tax` and `shipping` |

What it cannot give: costs, gift cards, time in the foreground.

Traps: an event may be delivered twice; a refund of an order names its `total`; sessions are not
in it. An order without its products, and a refund without its total, cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack, cast

import polars as pl

from funnelkit.shop.description import Topic
from funnelkit.shop.settings import Settings
from funnelkit.shop.shop import Shop
from funnelkit.sources.objects import flat, parts_of, read_objects
from funnelkit.sources.opening import place_of
from funnelkit.sources.reading import Export, Kind, Layout, Reader, with_currency

__all__ = ["EVENT", "segment"]

EVENT = Layout(
    name="events of Segment",
    required={
        "messageId": ("event_id", Kind.TEXT),
        "timestamp": ("occurred_at", Kind.INSTANT),
        "type": ("type", Kind.TEXT),
    },
    optional={
        "event": ("event", Kind.TEXT),
        "anonymousId": ("anonymous_id", Kind.TEXT),
        "userId": ("user_id", Kind.TEXT),
        "context.campaign.source": ("source", Kind.TEXT),
        "context.campaign.medium": ("medium", Kind.TEXT),
        "context.campaign.name": ("campaign", Kind.TEXT),
        "properties.order_id": ("order_id", Kind.TEXT),
        "properties.product_id": ("product_id", Kind.TEXT),
        "properties.quantity": ("quantity", Kind.NUMBER),
        "properties.revenue": ("revenue", Kind.NUMBER),
        "properties.total": ("total", Kind.NUMBER),
        "properties.discount": ("discount_amount", Kind.NUMBER),
        "properties.shipping": ("shipping_amount", Kind.NUMBER),
        "properties.tax": ("tax_amount", Kind.NUMBER),
        "properties.currency": ("currency", Kind.TEXT),
    },
    filled=("messageId", "timestamp", "type"),
)
PRODUCT = Layout(
    name="products of orders in Segment",
    required={
        "event.messageId": ("event_id", Kind.TEXT),
        "product.price": ("unit_price", Kind.NUMBER),
    },
    optional={
        "product.product_id": ("product_id", Kind.TEXT),
        "product.sku": ("sku", Kind.TEXT),
        "product.name": ("product_name", Kind.TEXT),
        "product.quantity": ("quantity", Kind.NUMBER),
    },
    filled=("product.price",),
)
PAUSE_MINUTES = 30
_SOLD, _CANCELLED, _REFUNDED = "order completed", "order cancelled", "order refunded"
_SPELLINGS = {"order canceled": _CANCELLED, "completed order": _SOLD}  # the latter of version 1


def segment(events: str | Path, **settings: Unpack[Settings]) -> Shop:
    """Return the shop in events of Segment.

    Args:
        events: A file, or a folder or glob of files.
        settings: As for `Shop`.

    Raises:
        ContractError: Lists every fault of the files.
    """
    reader, place = Reader(), place_of(events)
    found = read_objects(reader, events, "batch")
    export = reader.typed(flat(found, EVENT), EVENT, place)
    rows = export.rows.with_columns(name=_named(export.rows.get_column("event")))
    once = {str(each.get("messageId")): each for each in reversed(found)}.values()
    products = [{"event": e, "product": p} for e in once if _is_sale(e) for p in _products(e)]
    items = reader.typed(flat(products, PRODUCT), PRODUCT, place)
    reader.settle()
    _check(reader, replace(export, rows=rows), items)
    if again := rows.height - rows.get_column("event_id").n_unique():
        reader.note(Topic.IGNORED, "messageId", f"{again:,} events that were delivered twice")
    reader.note(Topic.ASSUMED, "sessions", f"they end after {PAUSE_MINUTES} minutes of inactivity")
    rows = _in_sessions(rows)
    orders = _orders(rows)
    frames = {"events": _events(rows), "sessions": _sessions(rows), "returns": _returns(rows)}
    frames |= {"orders": orders.drop("event_id"), "order_lines": _lines(items.rows, orders)}
    return reader.prepared(frames).shop(with_currency(settings, orders["currency"]))


def _is_sale(event: Mapping[str, Any]) -> bool:
    return _plain(str(event.get("event"))) == _SOLD


def _plain(event: str) -> str:
    """Return the name of an event as the specification has it, in small letters."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[\s_-]+", " ", event.strip()).lower()
    return _SPELLINGS.get(words, words)


def _named(events: pl.Series) -> pl.Series:
    return events.replace({event: _plain(event) for event in events.drop_nulls().unique()})


def _check(reader: Reader, events: Export, items: Export) -> None:
    """Collect what is wrong with events that can be read."""
    name, order = pl.col("name"), pl.col("order_id").is_not_null()
    has_items = pl.col("event_id").is_in(items.rows.get_column("event_id").implode())
    is_sale, is_refund = (name == _SOLD) & order, (name == _REFUNDED) & order
    total = pl.col("total")
    faults = {
        "order_id": {"is an order without a list of products": is_sale & ~has_items},
        "total": {
            "is the total of a refund": is_refund & total.is_null(),
            "is the total of a refund, and below zero": is_refund & (total < 0),
        },
    }
    reader.faults.extend(events.issues(faults, "send it, or leave out the event"))
    is_zero = pl.col("quantity") <= 0
    faults = {
        "quantity": {"is the quantity of a product sold": is_zero},
        "unit_price": {"is below zero": pl.col("unit_price") < 0},
    }
    reader.faults.extend(items.issues(faults, "leave out the event, and send a refund"))
    if unnamed := events.rows.filter((name == _SOLD) & ~order).height:
        text = f"{unnamed:,} of Order Completed without one are events, and no orders"
        reader.note(Topic.IGNORED, "order_id", text)


def _products(event: Mapping[str, Any]) -> list[Any]:
    properties = event.get("properties")
    known = cast("dict[str, Any]", properties) if isinstance(properties, dict) else {}
    return parts_of(known.get("products"))


def _in_sessions(rows: pl.DataFrame) -> pl.DataFrame:
    """Return each event once, with its visitor and session."""
    visitor, time = pl.col("visitor_id"), pl.col("occurred_at")
    pause = pl.duration(minutes=PAUSE_MINUTES)
    is_new = time.diff().over("visitor_id") > pause
    return (
        rows.unique("event_id", keep="first", maintain_order=True)
        .with_columns(visitor_id=pl.coalesce("anonymous_id", "user_id"))
        .sort("occurred_at", maintain_order=True)
        .with_columns(number=is_new.fill_null(value=False).cum_sum().over("visitor_id"))
        .with_columns(
            session_id=pl.when(visitor.is_not_null()).then(pl.format("{}-{}", visitor, "number"))
        )
    )


def _events(rows: pl.DataFrame) -> pl.DataFrame:
    is_page = pl.col("type") == "page"
    is_sale = pl.col("name") == _SOLD
    is_first = ~is_sale | pl.struct("name", "order_id").is_first_distinct()
    return rows.filter(is_first | pl.col("order_id").is_null()).select(
        *("event_id", "visitor_id", "occurred_at", "session_id", "product_id", "quantity"),
        event_name=pl.when(is_page)
        .then(pl.lit("page_view"))
        .otherwise(pl.when(is_sale).then(pl.lit(_SOLD)).otherwise(pl.col("event"))),
        order_id=pl.when(is_sale).then("order_id"),
        value=pl.when(is_sale).then("revenue"),
    )


def _sessions(rows: pl.DataFrame) -> pl.DataFrame:
    known = rows.filter(pl.col("session_id").is_not_null())
    words = ("source", "medium", "campaign")
    return known.group_by("session_id", maintain_order=True).agg(
        pl.col("visitor_id").first(),
        *(pl.col(name).drop_nulls().first() for name in words),
        customer_id=pl.col("user_id").drop_nulls().first(),
        started_at=pl.col("occurred_at").min(),
        ended_at=pl.col("occurred_at").max(),
        page_views=(pl.col("type") == "page").sum().cast(pl.Int64),
    )


def _orders(rows: pl.DataFrame) -> pl.DataFrame:
    sold = rows.filter((pl.col("name") == _SOLD) & pl.col("order_id").is_not_null())
    cancelled = rows.filter(pl.col("name") == _CANCELLED).get_column("order_id")
    is_cancelled = pl.col("order_id").is_in(cancelled.drop_nulls().implode())
    amounts = pl.col("discount_amount", "shipping_amount", "tax_amount")
    return sold.unique("order_id", keep="first", maintain_order=True).select(
        *("event_id", "order_id", "session_id", "visitor_id", "currency"),
        amounts.fill_null(0.0),
        customer_id="user_id",
        ordered_at="occurred_at",
        status=pl.when(is_cancelled).then(pl.lit("cancelled")).otherwise(pl.lit("paid")),
        sales_channel=pl.lit("online"),
    )


def _lines(items: pl.DataFrame, orders: pl.DataFrame) -> pl.DataFrame:
    sold = items.join(orders.select("event_id", "order_id"), on="event_id")
    return sold.with_row_index("order_line_id").select(
        pl.col("order_line_id").cast(pl.Int64),
        *("order_id", "product_name", "unit_price"),
        product_id=pl.coalesce("product_id", "sku", "product_name"),
        quantity=pl.col("quantity").fill_null(1.0),
    )


def _returns(rows: pl.DataFrame) -> pl.DataFrame:
    back = rows.filter((pl.col("name") == _REFUNDED) & pl.col("order_id").is_not_null())
    tax, shipping = pl.col("tax_amount").fill_null(0.0), pl.col("shipping_amount").fill_null(0.0)
    return back.select(
        "order_id",
        return_id="event_id",
        returned_at="occurred_at",
        kind=pl.lit("return"),
        refund_amount=pl.col("total") - tax - shipping,
        refund_tax=tax,
        refund_shipping=shipping,
    )

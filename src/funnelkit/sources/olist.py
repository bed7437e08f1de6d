"""Olist: the tables of the Brazilian marketplace, a common shape of teaching data.

How to get it: "Brazilian E-Commerce Public Dataset by Olist" on Kaggle; unpack it into a folder.

| column | made of |
| --- | --- |
| `orders.order_id`, `ordered_at` | `order_id`, `order_purchase_timestamp` in local time |
| `orders.status` | `order_status`: canceled, and unavailable as voided |
| `orders.customer_id` | `customer_unique_id`: `customer_id` is another for every order |
| `orders.state`, `city` | those of the customer |
| `orders.shipping_amount` | the sum of `freight_value` |
| `order_lines` | items, each of one unit: `price` |
| `products.category` | `product_category_name` |
| `shipments` | the dates of the carrier, of delivery and of the estimate |
| `surveys` | reviews of 1 to 5 as csat: `review_score`, `review_creation_date` |

What it cannot give: returns, discounts, taxes, costs, sessions.

Traps: an order without items is in it; the same review may be of several orders.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

import polars as pl

from funnelkit.shop.description import Topic
from funnelkit.shop.settings import Settings
from funnelkit.shop.shop import Shop
from funnelkit.sources.reading import Export, Kind, Layout, Reader, Tables, worded

__all__ = ["LAYOUTS", "olist"]

LAYOUTS = {
    "orders_dataset": Layout(
        name="the orders of Olist",
        required={
            "order_id": ("order_id", Kind.TEXT),
            "customer_id": ("customer", Kind.TEXT),
            "order_status": ("status", Kind.TEXT),
            "order_purchase_timestamp": ("ordered_at", Kind.LOCAL),
        },
        optional={
            "order_delivered_carrier_date": ("shipped_at", Kind.LOCAL),
            "order_delivered_customer_date": ("delivered_at", Kind.LOCAL),
            "order_estimated_delivery_date": ("promised_at", Kind.LOCAL),
        },
        filled=("order_id", "customer_id", "order_status", "order_purchase_timestamp"),
    ),
    "order_items_dataset": Layout(
        name="the items of Olist",
        required={
            "order_id": ("order_id", Kind.TEXT),
            "order_item_id": ("item", Kind.TEXT),
            "product_id": ("product_id", Kind.TEXT),
            "price": ("unit_price", Kind.NUMBER),
            "freight_value": ("freight", Kind.NUMBER),
        },
        filled=("order_id", "order_item_id", "price"),
    ),
    "customers_dataset": Layout(
        name="the customers of Olist",
        required={
            "customer_id": ("customer", Kind.TEXT),
            "customer_unique_id": ("customer_id", Kind.TEXT),
        },
        optional={
            "customer_state": ("state", Kind.TEXT),
            "customer_city": ("city", Kind.TEXT),
        },
        filled=("customer_id", "customer_unique_id"),
    ),
    "products_dataset": Layout(
        name="the products of Olist",
        required={
            "product_id": ("product_id", Kind.TEXT),
            "product_category_name": ("category", Kind.TEXT),
        },
        filled=("product_id",),
    ),
    "order_reviews_dataset": Layout(
        name="the reviews of Olist",
        required={
            "review_id": ("review", Kind.TEXT),
            "order_id": ("order_id", Kind.TEXT),
            "review_score": ("score", Kind.NUMBER),
            "review_creation_date": ("responded_at", Kind.LOCAL),
        },
        filled=("review_id", "order_id", "review_score"),
    ),
}
STATUSES = {
    **dict.fromkeys(("created", "approved", "invoiced", "processing"), "paid"),
    **dict.fromkeys(("shipped", "delivered"), "fulfilled"),
    "canceled": "cancelled",
    "unavailable": "voided",
}


def olist(files: Tables, **settings: Unpack[Settings]) -> Shop:
    """Return the shop in the tables of Olist.

    Args:
        files: The folder of the files, or the tables by name.
        settings: As for `Shop`; the time zone is America/Sao_Paulo, the currency BRL.

    Raises:
        ContractError: Lists every fault of the files.
    """
    reader = Reader()
    optional = ("products_dataset", "order_reviews_dataset")
    found = reader.read_tables(files, LAYOUTS, optional=optional)
    reader.settle()
    _check(reader, found)
    orders = found["orders_dataset"].rows.join(
        found["customers_dataset"].rows, on="customer", how="left"
    )
    items = found["order_items_dataset"].rows
    frames = {"orders": _orders(orders, items), "order_lines": _lines(items)}
    frames["shipments"] = _shipments(orders)
    if "products_dataset" in found:
        frames["products"] = found["products_dataset"].rows
    if "order_reviews_dataset" in found:
        frames["surveys"] = _surveys(found["order_reviews_dataset"].rows, orders)
    reader.note(Topic.ASSUMED, "order_lines.unit_price", "as paid: taxes are not known apart")
    own: Settings = {"time_zone": "America/Sao_Paulo", "currency": "BRL"}
    return reader.prepared(frames).shop({**own, **settings})


def _check(reader: Reader, found: Mapping[str, Export]) -> None:
    """Collect what is wrong with tables that can be read."""
    orders, people = found["orders_dataset"], found["customers_dataset"].rows["customer"]
    reader.faults.extend(orders.other_words("status", STATUSES))
    faults = {
        "customer": {"has no row in customers_dataset": ~pl.col("customer").is_in(people.implode())}
    }
    reader.faults.extend(orders.issues(faults, "export both tables of the same time, whole"))
    items, price, freight = found["order_items_dataset"], pl.col("unit_price"), pl.col("freight")
    faults = {"unit_price": {"is below zero": price < 0}, "freight": {"is below zero": freight < 0}}
    reader.faults.extend(items.issues(faults, "export the table again, as Olist wrote it"))


def _orders(orders: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    freight = items.group_by("order_id").agg(shipping_amount=pl.col("freight").sum())
    return orders.join(freight, on="order_id", how="left").select(
        *("order_id", "customer_id", "ordered_at", "state", "city"),
        pl.col("shipping_amount").fill_null(0.0),
        status=worded("status", STATUSES),
    )


def _lines(items: pl.DataFrame) -> pl.DataFrame:
    return items.select(
        *("order_id", "product_id", "unit_price"),
        order_line_id=pl.format("{}-{}", "order_id", "item"),
        quantity=pl.lit(1.0),
    )


def _shipments(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.filter(pl.col("shipped_at").is_not_null()).select(
        *("order_id", "shipped_at", "delivered_at"),
        pl.col("promised_at").dt.date(),
        shipment_id="order_id",
    )


def _surveys(reviews: pl.DataFrame, orders: pl.DataFrame) -> pl.DataFrame:
    people = orders.select("order_id", "customer_id")
    return reviews.join(people, on="order_id", how="left").select(
        *("responded_at", "customer_id", "score"),
        response_id=pl.format("{}-{}", "review", "order_id"),
        survey_type=pl.lit("csat"),
        scale_max=pl.lit(5),
    )

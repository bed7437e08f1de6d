"""WooCommerce: the orders of its extension Customer / Order / Coupon Export (CSV).

How to get it: WooCommerce, Export, Manual Export; Orders, CSV, the format "Default - One Row per
Item".

| column | made of |
| --- | --- |
| `orders.order_id` | `order_id`: an order has a row for each item, and its fields are on each |
| `orders.ordered_at` | `date`, in the shop's zone |
| `orders.status` | `status`; refunded orders stay, failed ones are voided |
| `orders.customer_id`, `email_hash` | `customer_id`, where 0 is a guest; `billing_email`, hashed |
| `orders.shipping_amount`, `tax_amount` | `shipping_total`, `tax_total` |
| `orders.fees_amount`, `currency` | `fee_total`, `order_currency` |
| `orders.country` | `shipping_country`, otherwise `billing_country` |
| `order_lines.product_id`, `product_name` | `item_product_id`, `item_name` |
| `order_lines.sku`, `quantity` | `item_sku`, `item_quantity` |
| `order_lines.unit_price` | `item_subtotal`, which is before discounts and tax, per unit |
| `order_lines.discount_amount`, `tax_amount` | that less `item_total`; `item_total_tax` |

What it cannot give: what of a refund is goods, shipping and tax, and thereby `returns`: net sales,
total sales, profit and return rates. Where nothing was refunded, there are no returns. Sessions and
costs are not in it.

Traps: totals of an order are repeated on each of its rows: added up, they count several times; the
format with one row per order has its items in one text, and is not read; a status of an extension,
such as `shipped`, is not known.
"""

from __future__ import annotations

from typing import Unpack

import polars as pl

from funnelkit.data.sources import Source
from funnelkit.shop.description import Topic
from funnelkit.shop.settings import Settings
from funnelkit.shop.shop import Shop
from funnelkit.sources.reading import (
    CENT,
    Export,
    Kind,
    Layout,
    Reader,
    cents,
    email_hash,
    with_currency,
    worded,
)
from funnelkit.sources.woocommerce_words import STATUSES

__all__ = ["LAYOUT", "woocommerce_orders"]

LAYOUT = Layout(
    name="an orders export of WooCommerce",
    required={
        "order_id": ("order_id", Kind.TEXT),
        "date": ("ordered_at", Kind.LOCAL),
        "status": ("status", Kind.TEXT),
        "shipping_total": ("shipping_amount", Kind.NUMBER),
        "fee_total": ("fees_amount", Kind.NUMBER),
        "tax_total": ("tax_amount", Kind.NUMBER),
        "order_total": ("total", Kind.NUMBER),
        "refunded_total": ("refunded", Kind.NUMBER),
        "order_currency": ("currency", Kind.TEXT),
        "item_id": ("order_line_id", Kind.TEXT),
        "item_product_id": ("product_id", Kind.TEXT),
        "item_quantity": ("quantity", Kind.NUMBER),
        "item_subtotal": ("before", Kind.NUMBER),
        "item_total": ("after", Kind.NUMBER),
    },
    optional={
        "customer_id": ("customer_id", Kind.TEXT),
        "billing_email": ("email", Kind.TEXT),
        "billing_country": ("billing_country", Kind.TEXT),
        "shipping_country": ("shipping_country", Kind.TEXT),
        "item_name": ("product_name", Kind.TEXT),
        "item_sku": ("sku", Kind.TEXT),
        "item_total_tax": ("line_tax", Kind.NUMBER),
    },
    filled=(
        *("order_id", "date", "status", "shipping_total", "fee_total", "tax_total", "order_total"),
        *("order_currency", "item_id", "item_product_id", "item_quantity"),
        *("item_subtotal", "item_total"),
    ),
)

_OF_ORDERS = ("ordered_at", "status", "total", "tax_amount", "shipping_amount", "fees_amount")


def woocommerce_orders(orders: Source, **settings: Unpack[Settings]) -> Shop:
    """Return the shop in an orders export of WooCommerce.

    Args:
        orders: The file, a folder or glob of files, or a frame of it.
        settings: As for `Shop`.

    Raises:
        ContractError: Lists every fault of the export.
    """
    reader = Reader()
    export = reader.read(orders, LAYOUT)
    reader.settle()
    _check(reader, export)
    has_refunds = bool((export.rows.get_column("refunded") > 0).any())
    if has_refunds:
        text = "refunded_total is not split into goods, shipping and tax: bind returns"
        reader.note(Topic.MISSING, "returns", text)
    frames = {"orders": _orders(export.rows), "order_lines": _lines(export.rows)}
    empty = () if has_refunds else ("returns",)
    currencies = export.rows.get_column("currency")
    return reader.prepared(frames, empty=empty).shop(with_currency(settings, currencies))


def _check(reader: Reader, export: Export) -> None:
    """Collect what is wrong with rows that can be read."""
    reader.faults.extend(export.other_words("status", STATUSES))
    remedy = "export the order again, with one row per item and all of its items"
    is_twice = ~pl.col("order_line_id").is_first_distinct()
    reader.faults.extend(export.issue("order_line_id", is_twice, "is in it twice", remedy))
    for name in _OF_ORDERS:
        differs = pl.col(name) != pl.col(name).first().over("order_id")
        problem = "is not that of the first row of its order"
        reader.faults.extend(export.issue(name, differs, problem, remedy))
    parts = ("tax_amount", "shipping_amount", "fees_amount")
    items = (pl.col("after").sum() + pl.sum_horizontal(pl.col(parts).first())).over("order_id")
    is_off = (pl.col("total") - items).abs() > CENT * (1 + pl.len().over("order_id"))
    problem = "is not the sum of the items, the shipping, the fees and the tax of its order"
    reader.faults.extend(export.issue("total", is_off, problem, remedy))


def _orders(rows: pl.DataFrame) -> pl.DataFrame:
    customer = pl.col("customer_id")
    return rows.unique("order_id", keep="first", maintain_order=True).select(
        *("order_id", "ordered_at", "currency", "tax_amount", "shipping_amount", "fees_amount"),
        email_hash("email"),
        status=worded("status", STATUSES),
        customer_id=pl.when(customer != "0").then(customer),
        country=pl.coalesce("shipping_country", "billing_country"),
        duties_amount=pl.lit(0.0),
    )


def _lines(rows: pl.DataFrame) -> pl.DataFrame:
    quantity, before = pl.col("quantity"), pl.col("before")
    return rows.select(
        *("order_line_id", "order_id", "product_id", "product_name", "sku", "quantity"),
        tax_amount="line_tax",
        unit_price=pl.when(quantity != 0).then(before / quantity).otherwise(before),
        discount_amount=cents(before - pl.col("after")),
    )

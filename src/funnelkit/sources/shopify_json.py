"""Shopify: orders of the Admin API (JSON).

How to get it: `GET /admin/api/…/orders.json?status=any`, its pages saved in one folder: each an
object with `orders`, a list, or an order per line.

| column | made of |
| --- | --- |
| `orders.order_id`, `customer_id`, `email_hash` | `id`, `customer.id`, `email` |
| `orders.ordered_at` | `processed_at`, which Shopify's reports use, otherwise `created_at` |
| `orders.status` | `test`, `cancelled_at`, `financial_status`, `fulfillment_status` |
| `orders.sales_channel`, `country` | `source_name`, the code of the shipping or billing address |
| `orders.shipping_amount` | `shipping_lines`: price less discounts, without included tax |
| `orders.tax_amount`, `currency` | `total_tax`, `currency` |
| `orders.duties_amount`, `fees_amount` | original duties and additional fees, otherwise 0 |
| `order_lines.*` | `line_items`; `discount_amount` is the sum of `discount_allocations` |
| `order_lines.line_type` | `gift_card` |
| `returns` | `refund_line_items` of `refunds`; shipping and differences of `order_adjustments` |
| `returns.returned_at` | `processed_at` of the refund, otherwise `created_at` |
| `returns.kind` | a cancellation, where the order is cancelled; `refund_only` for removed items |

What it cannot give: sessions, costs of goods, fees of payments.

Traps: where `taxes_included`, the tax lines of each line are taken out of its price and discount,
and those of a refunded line out of its subtotal. Adjustments are below zero where money was given
back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import polars as pl

from funnelkit.shop.settings import Settings
from funnelkit.shop.shop import Shop
from funnelkit.sources.objects import flat, parts_of, read_objects
from funnelkit.sources.opening import place_of
from funnelkit.sources.reading import (
    Fields,
    Kind,
    Layout,
    Reader,
    cents,
    email_hash,
    with_currency,
    worded,
)
from funnelkit.sources.shopify_words import CHANNELS, order_status

__all__ = ["ORDER", "shopify_json"]


ORDER = Layout(
    name="orders of the Shopify Admin API",
    required={
        "id": ("order_id", Kind.TEXT),
        "created_at": ("created_at", Kind.INSTANT),
        "financial_status": ("financial_status", Kind.TEXT),
        "currency": ("currency", Kind.TEXT),
        "total_tax": ("tax_amount", Kind.NUMBER),
        "taxes_included": ("taxes_included", Kind.FLAG),
    },
    optional={
        "processed_at": ("processed_at", Kind.INSTANT),
        "cancelled_at": ("cancelled_at", Kind.INSTANT),
        "test": ("test", Kind.FLAG),
        "fulfillment_status": ("fulfillment_status", Kind.TEXT),
        "customer.id": ("customer_id", Kind.TEXT),
        "email": ("email", Kind.TEXT),
        "phone": ("phone", Kind.TEXT),
        "source_name": ("source", Kind.TEXT),
        "shipping_address.country_code": ("shipping_country", Kind.TEXT),
        "billing_address.country_code": ("billing_country", Kind.TEXT),
        "shipping_lines[].price": ("shipping", Kind.NUMBER),
        "shipping_lines[].discount_allocations[].amount": ("shipping_discount", Kind.NUMBER),
        "shipping_lines[].tax_lines[].price": ("shipping_tax", Kind.NUMBER),
        "original_total_duties_set.shop_money.amount": ("duties", Kind.NUMBER),
        "original_total_additional_fees_set.shop_money.amount": ("fees", Kind.NUMBER),
    },
    filled=("id", "created_at", "financial_status", "currency", "total_tax", "taxes_included"),
)
LINE = Layout(
    name="line items of Shopify orders",
    required={
        "order.id": ("order_id", Kind.TEXT),
        "order.taxes_included": ("taxes_included", Kind.FLAG),
        "line.id": ("order_line_id", Kind.TEXT),
        "line.quantity": ("quantity", Kind.NUMBER),
        "line.price": ("unit_price", Kind.NUMBER),
        "line.discount_allocations[].amount": ("discount_amount", Kind.NUMBER),
        "line.tax_lines[].price": ("tax_amount", Kind.NUMBER),
    },
    optional={
        "line.product_id": ("product_id", Kind.TEXT),
        "line.sku": ("sku", Kind.TEXT),
        "line.title": ("product_name", Kind.TEXT),
        "line.gift_card": ("gift_card", Kind.FLAG),
    },
    filled=("line.id", "line.quantity", "line.price"),
)
_REFUND: Fields = {
    "order.id": ("order_id", Kind.TEXT),
    "refund.created_at": ("created_at", Kind.INSTANT),
}
_REFUND_OPTIONAL: Fields = {
    "order.cancelled_at": ("cancelled_at", Kind.INSTANT),
    "refund.processed_at": ("processed_at", Kind.INSTANT),
}
REFUNDED_LINE = Layout(
    name="refunded lines of Shopify orders",
    required={
        **_REFUND,
        "order.taxes_included": ("taxes_included", Kind.FLAG),
        "line.id": ("return_id", Kind.TEXT),
        "line.line_item_id": ("order_line_id", Kind.TEXT),
        "line.quantity": ("quantity", Kind.NUMBER),
        "line.subtotal": ("subtotal", Kind.NUMBER),
        "line.total_tax": ("refund_tax", Kind.NUMBER),
    },
    optional={**_REFUND_OPTIONAL, "line.restock_type": ("restock_type", Kind.TEXT)},
    filled=("refund.created_at", "line.id", "line.quantity", "line.subtotal", "line.total_tax"),
)
ADJUSTMENT = Layout(
    name="adjustments of Shopify refunds",
    required={
        **_REFUND,
        "line.id": ("return_id", Kind.TEXT),
        "line.kind": ("adjusted", Kind.TEXT),
        "line.amount": ("amount", Kind.NUMBER),
    },
    optional={**_REFUND_OPTIONAL, "line.tax_amount": ("tax", Kind.NUMBER)},
    filled=("refund.created_at", "line.id", "line.amount"),
)


def shopify_json(orders: str | Path, **settings: Unpack[Settings]) -> Shop:
    """Return the shop in orders of the Shopify Admin API.

    Args:
        orders: A file, or a folder or glob of files.
        settings: As for `Shop`.

    Raises:
        ContractError: Lists every fault of the files.
    """
    reader, place = Reader(), place_of(orders)
    found = read_objects(reader, orders, "orders")
    lines = [{"order": o, "line": line} for o in found for line in parts_of(o.get("line_items"))]
    refunds = [(o, refund) for o in found for refund in parts_of(o.get("refunds"))]
    refunded, adjusted = (
        [
            {"order": o, "refund": r, "line": part}
            for o, r in refunds
            for part in parts_of(r.get(name))
        ]
        for name in ("refund_line_items", "order_adjustments")
    )
    heads, bought, back, adjustments = (
        reader.typed(flat(rows, layout), layout, place).rows
        for rows, layout in (
            (found, ORDER),
            (lines, LINE),
            (refunded, REFUNDED_LINE),
            (adjusted, ADJUSTMENT),
        )
    )
    returns = pl.concat([_refunded(back), _adjusted(adjustments)])
    frames = {"orders": _api_orders(heads), "order_lines": _api_lines(bought), "returns": returns}
    return reader.prepared(frames).shop(with_currency(settings, heads["currency"]))


_REFUNDED_AT = pl.coalesce("processed_at", "created_at").alias("returned_at")


def _api_orders(heads: pl.DataFrame) -> pl.DataFrame:
    is_test = pl.col("test").fill_null(value=False)
    amounts = pl.col("shipping", "shipping_discount", "shipping_tax", "duties", "fees")
    inside = pl.when("taxes_included").then(pl.col("shipping_tax")).otherwise(0.0)
    return heads.with_columns(amounts.fill_null(0.0)).select(
        *("order_id", "customer_id", "currency", "tax_amount"),
        email_hash("email", "phone"),
        ordered_at=pl.coalesce("processed_at", "created_at"),
        status=order_status(is_test),
        sales_channel=worded("source", CHANNELS),
        country=pl.coalesce("shipping_country", "billing_country"),
        shipping_amount=cents(pl.col("shipping") - pl.col("shipping_discount") - inside),
        duties_amount="duties",
        fees_amount="fees",
    )


def _api_lines(lines: pl.DataFrame) -> pl.DataFrame:
    paid = pl.col("quantity") * pl.col("unit_price") - pl.col("discount_amount")
    taxed = pl.when(pl.col("taxes_included") & (paid != 0)).then(pl.col("tax_amount") / paid)
    share = 1 - taxed.fill_null(0.0)
    is_card = pl.col("gift_card").fill_null(value=False)
    return lines.select(
        *("order_line_id", "order_id", "quantity", "tax_amount", "product_name"),
        product_id=pl.coalesce("product_id", "sku", "product_name"),
        unit_price=pl.col("unit_price") * share,
        discount_amount=pl.col("discount_amount") * share,
        line_type=pl.when(is_card).then(pl.lit("gift_card")).otherwise(pl.lit("product")),
    )


def _refunded(lines: pl.DataFrame) -> pl.DataFrame:
    inside = pl.when("taxes_included").then(pl.col("refund_tax")).otherwise(0.0)
    restock = pl.col("restock_type")
    return lines.select(
        *("return_id", "order_id", "order_line_id", _REFUNDED_AT, "quantity"),
        refund_amount=cents(pl.col("subtotal") - inside),
        refund_shipping=pl.lit(0.0),
        refund_tax="refund_tax",
        kind=_kind(pl.when(restock == "cancel").then(pl.lit("refund_only"))),
        is_restocked=restock.is_in(["return", "cancel", "legacy_restock"]).fill_null(value=False),
    )


def _adjusted(adjustments: pl.DataFrame) -> pl.DataFrame:
    amount, is_shipping = -pl.col("amount"), pl.col("adjusted") == "shipping_refund"
    return adjustments.select(
        *("return_id", "order_id", pl.lit(None, pl.String).alias("order_line_id"), _REFUNDED_AT),
        quantity=pl.lit(0.0),
        refund_amount=pl.when(is_shipping).then(0.0).otherwise(amount),
        refund_shipping=pl.when(is_shipping).then(amount).otherwise(0.0),
        refund_tax=-pl.col("tax").fill_null(0.0),
        kind=_kind(pl.lit("refund_only")),
        is_restocked=pl.lit(value=False),
    )


def _kind(of_counted: pl.Expr) -> pl.Expr:
    is_cancelled = pl.col("cancelled_at").is_not_null()
    cancelled = pl.when(is_cancelled).then(pl.lit("cancellation"))
    return pl.coalesce(cancelled, of_counted, pl.lit("return"))

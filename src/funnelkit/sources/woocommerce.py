"""WooCommerce: the lookup tables of its analytics.

How to get it: export the tables `wc_order_stats`, `wc_order_product_lookup` and, if you like,
`wc_customer_lookup` of the database as CSV files with a header (phpMyAdmin, `wp db query`) into
one folder. The prefix of the tables (`wp_`) may be any.

| column | made of |
| --- | --- |
| `orders` | rows of `wc_order_stats` whose `parent_id` is 0 |
| `orders.ordered_at` | `date_created_gmt`, otherwise `date_created` in the shop's zone |
| `orders.status` | `status`, with or without `wc-`; refunded orders stay, failed ones are voided |
| `orders.customer_id` | `customer_id`; 0 is a guest |
| `orders.shipping_amount`, `tax_amount` | `shipping_total`, `tax_total` |
| `orders.fees_amount` | `net_total` less what the lines are worth |
| `order_lines` | rows of `wc_order_product_lookup`: net revenue and coupons are without tax |
| `order_lines.unit_price` | `product_net_revenue` and `coupon_amount`, per unit |
| `returns` | rows whose `parent_id` is an order: their signs are turned |
| `returns.quantity`, `refund_amount` | its lines; the rest of it is money without goods |
| `customers` | `wc_customer_lookup`: guests have a row too, without `date_registered` |

What it cannot give: sessions, costs, gift cards (an extension of WooCommerce), and which line of
an order was refunded, so return rates by product.

Traps: a refund is a row like an order, with amounts below zero: counted with orders, it raises
their number and lowers their average. A status of an extension, such as `wc-shipped`, is not
known.
"""

from __future__ import annotations

from typing import Unpack

import polars as pl

from funnelkit.shop.settings import Settings
from funnelkit.shop.shop import Shop
from funnelkit.sources.reading import (
    Export,
    Kind,
    Layout,
    Reader,
    Tables,
    cents,
    email_hash,
    worded,
)
from funnelkit.sources.woocommerce_words import STATUSES

__all__ = ["LAYOUTS", "woocommerce"]

LAYOUTS = {
    "wc_order_stats": Layout(
        name="the table wc_order_stats of WooCommerce",
        required={
            "order_id": ("order_id", Kind.TEXT),
            "parent_id": ("parent_id", Kind.TEXT),
            "date_created": ("date_created", Kind.LOCAL),
            "total_sales": ("total", Kind.NUMBER),
            "tax_total": ("tax_amount", Kind.NUMBER),
            "shipping_total": ("shipping_amount", Kind.NUMBER),
            "net_total": ("net_total", Kind.NUMBER),
            "status": ("status", Kind.TEXT),
            "customer_id": ("customer_id", Kind.TEXT),
        },
        optional={"date_created_gmt": ("date_created_gmt", Kind.LOCAL)},
        filled=("order_id", "parent_id", "date_created", "net_total", "status"),
        nulls=("NULL", "\\N", "0000-00-00 00:00:00"),
    ),
    "wc_order_product_lookup": Layout(
        name="the table wc_order_product_lookup of WooCommerce",
        required={
            "order_item_id": ("order_line_id", Kind.TEXT),
            "order_id": ("order_id", Kind.TEXT),
            "product_id": ("product_id", Kind.TEXT),
            "product_qty": ("quantity", Kind.NUMBER),
            "product_net_revenue": ("net", Kind.NUMBER),
            "coupon_amount": ("discount_amount", Kind.NUMBER),
            "tax_amount": ("tax_amount", Kind.NUMBER),
        },
        optional={"variation_id": ("variation_id", Kind.TEXT)},
        filled=("order_item_id", "order_id", "product_id", "product_qty", "product_net_revenue"),
        nulls=("NULL", "\\N"),
    ),
    "wc_customer_lookup": Layout(
        name="the table wc_customer_lookup of WooCommerce",
        required={"customer_id": ("customer_id", Kind.TEXT)},
        optional={
            "email": ("email", Kind.TEXT),
            "date_registered": ("created_at", Kind.LOCAL),
            "country": ("country", Kind.TEXT),
        },
        filled=("customer_id",),
        nulls=("NULL", "\\N", "0000-00-00 00:00:00"),
    ),
}


def woocommerce(files: Tables, **settings: Unpack[Settings]) -> Shop:
    """Return the shop in the lookup tables of WooCommerce.

    Args:
        files: The folder of the files, or the tables by name.
        settings: As for `Shop`.

    Raises:
        ContractError: Lists every fault of the files.
    """
    reader = Reader()
    found = reader.read_tables(files, LAYOUTS, optional=("wc_customer_lookup",))
    reader.settle()
    stats, lines = found["wc_order_stats"], found["wc_order_product_lookup"].rows
    reader.faults.extend(stats.other_words("status", STATUSES))
    rows = _rows(stats, lines)
    frames = {
        "orders": _orders(rows.filter(~_IS_REFUND)),
        "order_lines": _lines(lines.join(rows.filter(~_IS_REFUND), on="order_id", how="semi")),
        "returns": _returns(rows, lines),
    }
    if "wc_customer_lookup" in found:
        customers = found["wc_customer_lookup"].rows
        frames["customers"] = customers.select(
            "customer_id", "created_at", "country", email_hash("email")
        )
    return reader.prepared(frames).shop(settings)


_IS_REFUND = pl.col("parent_id") != "0"


def _rows(stats: Export, lines: pl.DataFrame) -> pl.DataFrame:
    """Return orders and refunds with their moment and the worth of their lines."""
    worth = lines.group_by("order_id").agg(goods=pl.col("net").sum())
    is_known = stats.rows.get_column("date_created_gmt").null_count() == 0
    moment = pl.col("date_created_gmt").dt.replace_time_zone("UTC")
    return stats.rows.join(worth, on="order_id", how="left").with_columns(
        pl.col("goods", "tax_amount", "shipping_amount").fill_null(0.0),
        moment=moment if is_known else pl.col("date_created"),
    )


def _orders(rows: pl.DataFrame) -> pl.DataFrame:
    customer = pl.col("customer_id")
    return rows.select(
        *("order_id", "tax_amount", "shipping_amount"),
        ordered_at="moment",
        status=worded("status", STATUSES),
        customer_id=pl.when(customer != "0").then(customer),
        fees_amount=cents(pl.col("net_total") - pl.col("goods")),
        duties_amount=pl.lit(0.0),
    )


def _lines(lines: pl.DataFrame) -> pl.DataFrame:
    discount = pl.col("discount_amount").fill_null(0.0)
    gross, is_sold = pl.col("net") + discount, pl.col("quantity") != 0
    variation = pl.col("variation_id")
    return lines.select(
        *("order_line_id", "order_id", "product_id", "quantity", "tax_amount"),
        variation_id=pl.when(variation != "0").then(variation),
        unit_price=pl.when(is_sold).then(gross / pl.col("quantity")).otherwise(gross),
        discount_amount=discount,
    )


def _returns(rows: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of refunds, and of each refund what is not in its lines."""
    refunds = rows.filter(_IS_REFUND).join(
        rows.select(parent_id="order_id", parent_status="status"), on="parent_id", how="left"
    )
    is_cancelled = worded("parent_status", STATUSES) == "cancelled"
    cancelled = pl.when(is_cancelled).then(pl.lit("cancellation"))
    refunds = refunds.with_columns(
        kind=pl.coalesce(cancelled, pl.lit("return")),
        rest=pl.coalesce(cancelled, pl.lit("refund_only")),
    )
    goods = lines.join(
        refunds.select("order_id", "parent_id", "moment", "kind"), on="order_id"
    ).select(
        return_id=pl.format("line {}", "order_line_id"),
        order_id="parent_id",
        returned_at="moment",
        kind="kind",
        quantity=-pl.col("quantity"),
        refund_amount=-pl.col("net"),
        refund_shipping=pl.lit(0.0),
        refund_tax=pl.lit(0.0),
    )
    rest = refunds.select(
        return_id=pl.format("refund {}", "order_id"),
        order_id="parent_id",
        returned_at="moment",
        kind="rest",
        quantity=pl.lit(0.0),
        refund_amount=cents(pl.col("goods") - pl.col("net_total")),
        refund_shipping=-pl.col("shipping_amount"),
        refund_tax=-pl.col("tax_amount"),
    )
    return pl.concat([goods, rest])

"""The words of Shopify, in its exports and its API."""

from __future__ import annotations

import polars as pl

from funnelkit.sources.reading import worded

__all__ = ["CHANNELS", "FINANCIAL", "order_status"]

FINANCIAL = {
    **dict.fromkeys(("pending", "authorized", "partially_paid", "unpaid", "expired"), "pending"),
    **dict.fromkeys(("paid", "partially_refunded", "refunded"), "paid"),
    "voided": "voided",
}
CHANNELS = {
    "web": "online",
    **dict.fromkeys(("pos", "iphone", "android"), "pos"),
    "shopify_draft_order": "phone",
    **dict.fromkeys(("amazon", "ebay", "walmart", "etsy", "google", "facebook"), "marketplace"),
    **dict.fromkeys(("instagram", "tiktok"), "marketplace"),
}


def order_status(is_test: pl.Expr) -> pl.Expr:
    """Return the status of an order, by what is known of its payment and its parcels."""
    paid = worded("financial_status", FINANCIAL)
    is_fulfilled = (paid == "paid") & (pl.col("fulfillment_status") == "fulfilled")
    return (
        pl.when(is_test)
        .then(pl.lit("test"))
        .when(pl.col("cancelled_at").is_not_null())
        .then(pl.lit("cancelled"))
        .when(is_fulfilled)
        .then(pl.lit("fulfilled"))
        .otherwise(paid)
    )

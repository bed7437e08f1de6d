"""What the works of the benchmark ask, and what of the data they share."""

from collections.abc import Mapping

import make_data
import numpy as np
import polars as pl

ZONE = "Europe/Warsaw"
OF_SESSIONS = (
    "sessions",
    "bounce_rate",
    "orders_per_session",
    "average_order_value",
    "revenue_per_session",
)
OF_VISITORS = (*OF_SESSIONS, "unique_visitors", "revenue_per_visitor")
OF_CUSTOMERS = (
    "new_customers",
    "repeat_purchase_rate",
    "customer_retention_rate",
    "customer_churn_rate",
)
EVERY = (
    "sessions",
    "unique_visitors",
    "engaged_sessions",
    "engagement_rate",
    "bounce_rate",
    "session_conversion_rate",
    "orders_per_session",
    "orders",
    "gross_sales",
    "discounts",
    "average_order_value",
    "revenue_per_visitor",
    "revenue_per_session",
    "customers",
    "new_customers",
    "purchase_frequency",
    "repeat_purchase_rate",
    "customer_retention_rate",
    "customer_churn_rate",
)
TEN = (
    "sessions",
    "unique_visitors",
    "engagement_rate",
    "bounce_rate",
    "orders_per_session",
    "orders",
    "gross_sales",
    "average_order_value",
    "revenue_per_visitor",
    "revenue_per_session",
)
FUNNEL = ("session_conversion_rate", "add_to_cart_rate")
NOT_COUNTED = ("cancelled", "voided", "draft", "test", "deleted")


def in_utc(files: Mapping[str, str]) -> dict[str, pl.LazyFrame]:
    """Give the tables with their times as instants, as a shop in a zone has them."""
    clocks = {"sessions": "started_at", "orders": "ordered_at"}
    return {
        name: pl.scan_parquet(path).with_columns(pl.col(clocks[name]).dt.replace_time_zone("UTC"))
        for name, path in files.items()
    }


def small_frames() -> dict[str, pl.DataFrame]:
    rng = np.random.default_rng(20_230_102)
    sessions = make_data.make_sessions(rng, 1_000)
    return {"sessions": sessions, "orders": make_data.make_orders(rng, sessions, 1_000)}

"""What chance picks in each table: whose rows are not independent of one another."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ROWS", "UNITS"]

UNITS: Mapping[str, tuple[str, ...]] = {
    "sessions": ("visitor_id",),
    "events": ("visitor_id",),
    "carts": ("visitor_id", "customer_id"),
    "orders": ("customer_key", "visitor_id"),
    "order_lines": ("customer_key", "visitor_id"),
    "returns": ("customer_key", "visitor_id"),
    "shipments": ("customer_key", "visitor_id"),
    "customers": ("customer_id",),
    "surveys": ("respondent",),
    "email_sends": ("recipient_id",),
    "ad_views": ("viewer_id",),
}
"""By table, whose rows they are: the coarsest first."""

ROWS: Mapping[str, str] = {
    "sessions": "session_id",
    "events": "event_id",
    "carts": "cart_id",
    "orders": "order_id",
    "order_lines": "order_id",
    "returns": "order_id",
    "shipments": "order_id",
    "surveys": "response_id",
    "email_sends": "message_id",
    "ad_views": "view_id",
}
"""By table, what stands for itself where nobody is named, as the order of a guest does."""

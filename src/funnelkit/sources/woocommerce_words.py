"""The words of WooCommerce, in its tables and its exports."""

from __future__ import annotations

__all__ = ["STATUSES"]

_WORDS = {
    **dict.fromkeys(("pending", "on-hold"), "pending"),
    **dict.fromkeys(("processing", "refunded"), "paid"),
    "completed": "fulfilled",
    "cancelled": "cancelled",
    "failed": "voided",
    "checkout-draft": "draft",
    "trash": "deleted",
}
STATUSES = {prefix + word: status for prefix in ("wc-", "") for word, status in _WORDS.items()}

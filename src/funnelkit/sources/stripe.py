"""Stripe: the export of payments (CSV).

How to get it: Payments, Export, columns "All". Several files: pass their folder.

| column | made of |
| --- | --- |
| `orders.order_id`, `ordered_at` | `id`; `Created date (UTC)` |
| `orders.status` | `Status`: failed payments are voided; `Mode` of a test is a test |
| `orders.customer_id`, `email_hash` | `Customer ID`, `Customer Email` |
| `orders.payment_fee`, `currency` | `Fee`, `Currency` |
| `orders.paid_amount` | `Amount`, which no KPI reads |
| `returns.returned_at`, `refunded_amount` | `Refunded date (UTC)`, `Amount Refunded` |

What it cannot give: amounts of goods. `Amount` is what was paid, with tax and shipping and after
discounts. Where you charge neither, say that it is the price of the goods: `rename={"orders":
{"paid_amount": "gross_amount"}, "returns": {"refunded_amount": "refund_amount"}}`.

Traps: a payment that failed is a row too; the fee is in the currency of the account; of several
refunds of one payment there is one date.
"""

from __future__ import annotations

from typing import Unpack

import polars as pl

from funnelkit.data.sources import Source
from funnelkit.shop.description import Topic
from funnelkit.shop.settings import Settings
from funnelkit.shop.shop import Shop
from funnelkit.sources.reading import (
    Kind,
    Layout,
    Reader,
    email_hash,
    with_currency,
    worded,
)

__all__ = ["LAYOUT", "stripe"]

LAYOUT = Layout(
    name="a Stripe export of payments",
    required={
        "id": ("order_id", Kind.TEXT),
        "Created date (UTC)": ("created_at", Kind.LOCAL),
        "Amount": ("amount", Kind.GROUPED),
        "Amount Refunded": ("refunded", Kind.GROUPED),
        "Currency": ("currency", Kind.TEXT),
        "Status": ("status", Kind.TEXT),
    },
    optional={
        "Refunded date (UTC)": ("refunded_at", Kind.LOCAL),
        "Fee": ("fee", Kind.GROUPED),
        "Mode": ("mode", Kind.TEXT),
        "Customer ID": ("customer_id", Kind.TEXT),
        "Customer Email": ("email", Kind.TEXT),
    },
    filled=("id", "Created date (UTC)", "Amount", "Currency", "Status"),
)
STATUSES = {
    **dict.fromkeys(("paid", "succeeded", "refunded", "partially refunded"), "paid"),
    **dict.fromkeys(("disputed", "dispute lost", "dispute won"), "paid"),
    **dict.fromkeys(("pending", "uncaptured", "requires_capture", "incomplete"), "pending"),
    **dict.fromkeys(("failed", "blocked"), "voided"),
    **dict.fromkeys(("canceled", "cancelled"), "cancelled"),
}
MODES = {"live": "live", "test": "test"}
_PAID = "Amount has tax and shipping in it: if it has neither, rename paid_amount to gross_amount"
_PAID_BACK = "Amount Refunded has them too: rename refunded_amount to refund_amount"


def stripe(payments: Source, **settings: Unpack[Settings]) -> Shop:
    """Return the shop in a Stripe export of payments.

    Args:
        payments: The file, a folder or glob of files, or a frame of it.
        settings: As for `Shop`.

    Raises:
        ContractError: Lists every fault of the export.
    """
    reader = Reader()
    export = reader.read(payments, LAYOUT)
    reader.faults.extend(export.other_words("status", STATUSES))
    reader.faults.extend(export.other_words("mode", MODES))
    undated = (pl.col("refunded") > 0) & pl.col("refunded_at").is_null()
    remedy = "export the column Refunded date (UTC)"
    reader.faults.extend(export.issue("refunded", undated, "was refunded without a date", remedy))
    if "paid_amount" not in settings.get("rename", {}).get("orders", {}):
        reader.note(Topic.MISSING, "order_lines", _PAID)
        reader.note(Topic.MISSING, "returns.refund_amount", _PAID_BACK)
    reader.note(Topic.ASSUMED, "orders.discount_amount", "0: Amount is after discounts")
    currency = pl.col("currency").str.strip_chars().str.to_uppercase()
    rows = export.rows.with_columns(currency=currency)
    frames = {"orders": _orders(rows), "returns": _returns(rows)}
    return reader.prepared(frames).shop(with_currency(settings, rows["currency"]))


def _orders(rows: pl.DataFrame) -> pl.DataFrame:
    is_test = worded("mode", MODES) == "test"
    return rows.select(
        *("order_id", "customer_id", "currency", email_hash("email")),
        ordered_at=pl.col("created_at").dt.replace_time_zone("UTC"),
        status=pl.when(is_test).then(pl.lit("test")).otherwise(worded("status", STATUSES)),
        paid_amount="amount",
        discount_amount=pl.lit(0.0),
        payment_fee="fee",
    )


def _returns(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("refunded") > 0).select(
        "order_id",
        return_id="order_id",
        returned_at=pl.col("refunded_at").dt.replace_time_zone("UTC"),
        refunded_amount="refunded",
        kind=pl.lit("refund_only"),
    )

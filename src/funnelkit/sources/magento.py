"""Magento, Adobe Commerce: the sales tables of its database.

How to get it: export the tables `sales_order`, `sales_order_item`, `sales_creditmemo` and, for
returned units, `sales_creditmemo_item` as CSV files with a header into one folder.

| column | made of |
| --- | --- |
| `orders.order_id`, `ordered_at` | `entity_id`, `created_at`, which is in UTC |
| `orders.status` | `state`: closed orders, whose money went back, stay |
| `orders.customer_id`, `email_hash` | `customer_id`, `customer_email` |
| `orders.shipping_amount` | `base_shipping_amount` less its discount and what of it is cancelled |
| `orders.tax_amount` | `base_tax_amount` less `base_tax_canceled` |
| `orders.currency` | `base_currency_code` |
| `order_lines` | items without a parent: the children of a product are parts of it |
| `order_lines.quantity` | `qty_ordered` less `qty_canceled`, unless all of the order is cancelled |
| `order_lines.unit_price` | `base_row_total` per unit, which is without tax |
| `order_lines.discount_amount` | `base_discount_amount` of the item and its children, without tax |
| `order_lines.unit_cost` | `base_cost` of the item, otherwise of its children |
| `order_lines.line_type` | a gift card by `product_type` |
| `returns` | credit memos that are not cancelled, with their items |
| `returns.refund_amount` | goods less discounts, and adjustments; shipping and tax are apart |

What it cannot give: sessions, duties and other fees, which are taken as 0; and, without
`sales_creditmemo_item`, the units returned.

Traps: `base_…` is in the currency of the shop, other amounts in that of the customer. A discount
is below zero in orders and credit memos, and above zero in items; where it was taken off prices
with tax, `base_discount_tax_compensation_amount` is the tax in it. A configurable product and its
variant are two items of one thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

import polars as pl

from funnelkit.shop.description import Topic
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
    with_currency,
    worded,
)

__all__ = ["LAYOUTS", "magento"]

_NULLS = ("NULL", "\\N")
_DISCOUNT = {
    "base_discount_amount": ("discount", Kind.NUMBER),
    "base_discount_tax_compensation_amount": ("discount_tax", Kind.NUMBER),
}
LAYOUTS = {
    "sales_order": Layout(
        name="the table sales_order of Magento",
        required={
            "entity_id": ("order_id", Kind.TEXT),
            "state": ("state", Kind.TEXT),
            "created_at": ("created_at", Kind.LOCAL),
            "base_currency_code": ("currency", Kind.TEXT),
            "base_shipping_amount": ("shipping", Kind.NUMBER),
            "base_tax_amount": ("tax_amount", Kind.NUMBER),
        },
        optional={
            "customer_id": ("customer_id", Kind.TEXT),
            "customer_email": ("email", Kind.TEXT),
            "base_shipping_canceled": ("shipping_cancelled", Kind.NUMBER),
            "base_tax_canceled": ("tax_cancelled", Kind.NUMBER),
            "store_id": ("store_id", Kind.TEXT),
            "coupon_code": ("discount_code", Kind.TEXT),
            "base_shipping_discount_amount": ("shipping_discount", Kind.NUMBER),
            "base_shipping_discount_tax_compensation_amnt": ("shipping_discount_tax", Kind.NUMBER),
        },
        filled=("entity_id", "state", "created_at", "base_currency_code"),
        nulls=_NULLS,
    ),
    "sales_order_item": Layout(
        name="the table sales_order_item of Magento",
        required={
            "item_id": ("item_id", Kind.TEXT),
            "order_id": ("order_id", Kind.TEXT),
            "parent_item_id": ("parent_item_id", Kind.TEXT),
            "product_id": ("product_id", Kind.TEXT),
            "product_type": ("product_type", Kind.TEXT),
            "qty_ordered": ("quantity", Kind.NUMBER),
            "base_row_total": ("row_total", Kind.NUMBER),
            **_DISCOUNT,
        },
        optional={
            "qty_canceled": ("cancelled", Kind.NUMBER),
            "sku": ("sku", Kind.TEXT),
            "name": ("product_name", Kind.TEXT),
            "base_cost": ("cost", Kind.NUMBER),
        },
        filled=("item_id", "order_id", "qty_ordered"),
        nulls=_NULLS,
    ),
    "sales_creditmemo": Layout(
        name="the table sales_creditmemo of Magento",
        required={
            "entity_id": ("memo_id", Kind.TEXT),
            "order_id": ("order_id", Kind.TEXT),
            "created_at": ("created_at", Kind.LOCAL),
            "base_subtotal": ("subtotal", Kind.NUMBER),
            "base_shipping_amount": ("refund_shipping", Kind.NUMBER),
            "base_tax_amount": ("refund_tax", Kind.NUMBER),
            **_DISCOUNT,
        },
        optional={
            "state": ("state", Kind.TEXT),
            "base_adjustment_positive": ("more", Kind.NUMBER),
            "base_adjustment_negative": ("less", Kind.NUMBER),
        },
        filled=("entity_id", "order_id", "created_at", "base_subtotal"),
        nulls=_NULLS,
    ),
    "sales_creditmemo_item": Layout(
        name="the table sales_creditmemo_item of Magento",
        required={
            "entity_id": ("return_id", Kind.TEXT),
            "parent_id": ("memo_id", Kind.TEXT),
            "order_item_id": ("item_id", Kind.TEXT),
            "qty": ("quantity", Kind.NUMBER),
            "base_row_total": ("row_total", Kind.NUMBER),
            **_DISCOUNT,
        },
        filled=("entity_id", "parent_id", "order_item_id", "qty"),
        nulls=_NULLS,
    ),
}
STATES = {
    **dict.fromkeys(("new", "pending_payment", "holded", "payment_review"), "pending"),
    **dict.fromkeys(("processing", "closed"), "paid"),
    "complete": "fulfilled",
    "canceled": "cancelled",
}
_CANCELLED_MEMO = "3"
_MEMO_STATES = {state: state for state in ("1", "2", _CANCELLED_MEMO)}


def magento(files: Tables, **settings: Unpack[Settings]) -> Shop:
    """Return the shop in the sales tables of Magento.

    Args:
        files: The folder of the files, or the tables by name.
        settings: As for `Shop`.

    Raises:
        ContractError: Lists every fault of the files.
    """
    reader = Reader()
    found = reader.read_tables(files, LAYOUTS, optional=("sales_creditmemo_item",))
    reader.settle()
    orders = found["sales_order"]
    _check(reader, found)
    items = _with_top(found["sales_order_item"].rows, orders.rows)
    memos = _memos(found["sales_creditmemo"].rows)
    back = found.get("sales_creditmemo_item")
    returns = _returns(memos, None if back is None else _items_back(back.rows, items))
    if back is None:
        reader.note(Topic.MISSING, "returns.quantity", "it is in sales_creditmemo_item")
    reader.note(Topic.ASSUMED, "orders.duties_amount, orders.fees_amount", "0: Magento has none")
    frames = {"orders": _orders(orders.rows), "order_lines": _lines(items), "returns": returns}
    return reader.prepared(frames).shop(with_currency(settings, orders.rows["currency"]))


def _check(reader: Reader, found: Mapping[str, Export]) -> None:
    """Collect what is wrong with tables that can be read."""
    items, memos = found["sales_order_item"], found["sales_creditmemo"]
    reader.faults.extend(found["sales_order"].other_words("state", STATES))
    reader.faults.extend(memos.other_words("state", _MEMO_STATES))
    remedy = "export the table again, whole, as Magento has it"
    is_top = pl.col("parent_item_id").is_null()
    is_item = pl.col("parent_item_id").is_in(pl.col("item_id").implode())
    faults = {
        "quantity": {"is not above zero": pl.col("quantity") <= 0},
        "cancelled": {"is not within qty_ordered": ~pl.col("cancelled").is_between(0, "quantity")},
        "row_total": {"is the price of an item": is_top & pl.col("row_total").is_null()},
        "parent_item_id": {"is no item of the table": ~is_item},
    }
    reader.faults.extend(items.issues(faults, remedy))
    faults = {
        "subtotal": {"is below zero, and would add to sales": pl.col("subtotal") < 0},
        "discount": {"is above zero, and would be paid back": pl.col("discount") > 0},
    }
    reader.faults.extend(memos.issues(faults, remedy))
    if back := found.get("sales_creditmemo_item"):
        again = {"is there twice": ~pl.col("return_id").is_first_distinct()}
        reader.faults.extend(back.issues({"return_id": again}, remedy))


_NET_DISCOUNT = pl.col("discount").fill_null(0.0) - pl.col("discount_tax").fill_null(0.0)


_IS_CANCELLED = worded("state", STATES) == "cancelled"


def _in_utc(name: str) -> pl.Expr:
    return pl.col(name).dt.replace_time_zone("UTC")


def _with_top(items: pl.DataFrame, orders: pl.DataFrame) -> pl.DataFrame:
    """Return items with the one that each is part of, or itself, and the share not cancelled.

    Of orders that are cancelled as a whole, all is left.
    """
    whole = orders.filter(_IS_CANCELLED).get_column("order_id")
    cancelled = pl.when(~pl.col("order_id").is_in(whole.implode())).then("cancelled").fill_null(0.0)
    return items.with_columns(
        kept=1 - cancelled / pl.col("quantity"),
        top=pl.coalesce("parent_item_id", "item_id"),
        is_top=pl.col("parent_item_id").is_null(),
    )


def _orders(orders: pl.DataFrame) -> pl.DataFrame:
    parts = pl.col("shipping", "shipping_discount", "shipping_discount_tax", "tax_amount")
    off = pl.col("shipping_discount") - pl.col("shipping_discount_tax")
    customer, gone = pl.col("customer_id"), pl.col("shipping_cancelled", "tax_cancelled")
    shipped = 1 - (pl.col("shipping_cancelled") / pl.col("shipping")).fill_nan(0.0)
    left = pl.when(~_IS_CANCELLED).then(gone).fill_null(0.0)
    return orders.with_columns(parts.fill_null(0.0), left).select(
        *("order_id", "currency", "store_id", "discount_code"),
        email_hash("email"),
        ordered_at=_in_utc("created_at"),
        status=worded("state", STATES),
        customer_id=pl.when(customer != "0").then(customer),
        tax_amount=pl.col("tax_amount") - pl.col("tax_cancelled"),
        shipping_amount=(pl.col("shipping") - off) * shipped,
        duties_amount=pl.lit(0.0),
        fees_amount=pl.lit(0.0),
    )


def _lines(items: pl.DataFrame) -> pl.DataFrame:
    kept, quantity = pl.col("kept"), pl.col("quantity")
    cost = pl.col("cost") * quantity * kept
    of_parts = cost.filter(~pl.col("is_top"))
    parts = items.group_by("top").agg(
        off=(_NET_DISCOUNT * kept).sum(),
        parts_cost=pl.when(of_parts.count() > 0).then(of_parts.sum()),
    )
    is_card = pl.col("product_type") == "giftcard"
    return (
        items.filter(pl.col("is_top") & (kept > 0))
        .join(parts, on="top", how="left")
        .select(
            *("order_id", "product_id", "sku", "product_name"),
            order_line_id="item_id",
            quantity=quantity * kept,
            unit_price=pl.col("row_total") / quantity,
            discount_amount=cents(pl.col("off")),
            unit_cost=pl.coalesce(
                pl.when(pl.col("cost") != 0).then("cost"), pl.col("parts_cost") / (quantity * kept)
            ),
            line_type=pl.when(is_card).then(pl.lit("gift_card")).otherwise(pl.lit("product")),
        )
    )


def _memos(memos: pl.DataFrame) -> pl.DataFrame:
    """Return credit memos that are not cancelled, with the goods that they pay back."""
    parts = pl.col("subtotal", "discount", "discount_tax", "more", "less")
    more = pl.col("refund_shipping", "refund_tax")
    goods = pl.col("subtotal") + pl.col("discount") + pl.col("discount_tax")
    is_valid = worded("state", _MEMO_STATES).ne_missing(_CANCELLED_MEMO)
    return (
        memos.filter(is_valid)
        .with_columns(parts.fill_null(0.0), more.fill_null(0.0))
        .select(
            *("memo_id", "order_id", "refund_shipping", "refund_tax"),
            returned_at=_in_utc("created_at"),
            total=goods + pl.col("more") - pl.col("less"),
        )
    )


def _items_back(back: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Return what was returned of each item without a parent, by credit memo."""
    joined = back.join(items.select("item_id", "top", "is_top"), on="item_id", how="left")
    joined = joined.with_columns(
        pl.col("top").fill_null(pl.col("item_id")), pl.col("is_top").fill_null(value=True)
    )
    is_top = pl.col("is_top")
    return joined.group_by("memo_id", "top", maintain_order=True).agg(
        return_id=pl.format("item {}", pl.col("return_id").first()),
        quantity=pl.col("quantity").filter(is_top).sum(),
        refund_amount=pl.col("row_total").filter(is_top).sum() - _NET_DISCOUNT.sum(),
    )


def _returns(memos: pl.DataFrame, items: pl.DataFrame | None) -> pl.DataFrame:
    """Return the items of credit memos, and of each memo what is not in its items."""
    goods = pl.lit(0.0) if items is None else pl.col("goods").fill_null(0.0)
    if items is not None:
        sums = items.group_by("memo_id").agg(goods=pl.col("refund_amount").sum())
        memos = memos.join(sums, on="memo_id", how="left")
    rest = memos.select(
        *("order_id", "returned_at", "refund_shipping", "refund_tax"),
        return_id=pl.format("memo {}", "memo_id"),
        refund_amount=(pl.col("total") - goods).round(6),
        kind=pl.lit("refund_only"),
    )
    if items is None:
        return rest.with_columns(kind=pl.lit("return"))
    lines = items.join(memos.select("memo_id", "order_id", "returned_at"), on="memo_id").select(
        *("order_id", "returned_at"),
        refund_shipping=pl.lit(0.0),
        refund_tax=pl.lit(0.0),
        return_id="return_id",
        refund_amount=pl.col("refund_amount").round(6),
        kind=pl.lit("return"),
        order_line_id="top",
        quantity="quantity",
    )
    return pl.concat([lines, rest.with_columns(quantity=pl.lit(0.0))], how="diagonal")

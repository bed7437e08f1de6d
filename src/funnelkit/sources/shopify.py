"""Shopify: the orders export of the admin (CSV).

How to get it: Orders, Export, "Plain CSV file". Large shops get several files: pass their folder.

| column | made of |
| --- | --- |
| `orders.order_id` | `Name`: an order spans rows, and the first has the fields of the order |
| `orders.ordered_at` | `Created at`, with its offset |
| `orders.status` | `Cancelled at`, `Financial Status`, `Fulfillment Status`; "Bogus" is a test |
| `orders.email_hash` | `Email`, otherwise `Phone`, in lower case, hashed |
| `orders.sales_channel` | `Source` |
| `orders.discount_amount` | quantity × price of the lines, less `Subtotal` |
| `orders.shipping_amount`, `tax_amount` | `Shipping`, `Taxes` |
| `orders.duties_amount`, `fees_amount` | `Duties`; 0 |
| `orders.currency`, `discount_code` | `Currency`, `Discount Code` |
| `orders.country` | `Shipping Country`, otherwise `Billing Country` |
| `order_lines.product_id`, `product_name` | `Lineitem sku`, otherwise its name; `Lineitem name` |
| `order_lines.quantity`, `unit_price` | `Lineitem quantity`, `Lineitem price` |
| `order_lines.discount_amount` | `Lineitem discount` |
| `order_lines.line_type` | a gift card by its name, if it is neither shipped nor taxable |

What it cannot give: the dates of refunds, and thereby `returns`: net sales, total sales, profit
and return rates. Where nothing was refunded, there are no returns. Accounts, sessions and costs
are not in it.

Traps:

- Prices and `Subtotal` include tax in some shops, and no column says so. `Total` shows it, order by
  order: it is subtotal and shipping, either with the taxes on top or without. Included tax is taken
  out of taxable lines and shipping in proportion to their prices.
- `Discount Amount` also contains free shipping; it is not read.
- A discount may be on the order or on a line; the lines get their share of the former.
"""

from __future__ import annotations

from typing import Unpack

import polars as pl

from funnelkit.data.sources import Source
from funnelkit.errors import DataIssue
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
from funnelkit.sources.shopify_words import CHANNELS, FINANCIAL, order_status

__all__ = ["LAYOUT", "shopify"]

LAYOUT = Layout(
    name="a Shopify orders export",
    required={
        "Name": ("order_id", Kind.TEXT),
        "Financial Status": ("financial_status", Kind.TEXT),
        "Currency": ("currency", Kind.TEXT),
        "Subtotal": ("subtotal", Kind.NUMBER),
        "Shipping": ("shipping_amount", Kind.NUMBER),
        "Taxes": ("tax_amount", Kind.NUMBER),
        "Total": ("total", Kind.NUMBER),
        "Created at": ("ordered_at", Kind.INSTANT),
        "Lineitem quantity": ("quantity", Kind.NUMBER),
        "Lineitem name": ("line_name", Kind.TEXT),
        "Lineitem price": ("unit_price", Kind.NUMBER),
    },
    optional={
        "Email": ("email", Kind.TEXT),
        "Phone": ("phone", Kind.TEXT),
        "Fulfillment Status": ("fulfillment_status", Kind.TEXT),
        "Discount Code": ("discount_code", Kind.TEXT),
        "Lineitem sku": ("sku", Kind.TEXT),
        "Lineitem discount": ("line_discount", Kind.NUMBER),
        "Lineitem requires shipping": ("is_shipped", Kind.FLAG),
        "Lineitem taxable": ("is_taxable", Kind.FLAG),
        "Shipping Country": ("shipping_country", Kind.TEXT),
        "Billing Country": ("billing_country", Kind.TEXT),
        "Cancelled at": ("cancelled_at", Kind.INSTANT),
        "Payment Method": ("payment_method", Kind.TEXT),
        "Refunded Amount": ("refunded", Kind.NUMBER),
        "Source": ("source", Kind.TEXT),
        "Duties": ("duties_amount", Kind.NUMBER),
    },
    filled=("Name",),
)

GIFT_CARD = r"(?i)gift ?card|geschenkgutschein|carte[- ]cadeau|tarjeta regalo|karta podarunkowa"


def shopify(orders: Source, **settings: Unpack[Settings]) -> Shop:
    """Return the shop in a Shopify orders export.

    Args:
        orders: The file, a folder or glob of files, or a frame of it.
        settings: As for `Shop`. `prices_include_tax` is found in the export, and
            needed only where its totals do not show it.

    Raises:
        ContractError: Lists every fault of the export.
    """
    stated = settings.pop("prices_include_tax", None)
    reader = Reader()
    export = reader.read(orders, LAYOUT)
    _check(reader, export)
    rows = export.rows.lazy().with_columns(
        pl.col("line_discount", "duties_amount").fill_null(0.0),
        order_number=_IS_HEAD.cum_sum(),
        is_gift_card=_is_gift_card(export.rows["line_name"]),
    )
    has_line = rows.filter(pl.col("quantity").is_not_null()).with_row_index("order_line_id")
    of_lines = has_line.select("order_line_id", "order_id", "order_number", *_OF_LINES)
    lines, heads = pl.collect_all([of_lines, rows.filter(_IS_HEAD).drop(_OF_LINES)])
    heads = _with_sums(heads, lines)
    reader.faults.extend(_above_lines(heads, export.place))
    heads = _with_tax(reader, export.place, heads, stated)
    _note(reader, export, heads, lines)
    frames = {"orders": _orders(heads).collect(), "order_lines": _lines(lines, heads).collect()}
    empty = () if _may_have_refunds(export) else ("returns",)
    return reader.prepared(frames, empty=empty).shop(with_currency(settings, heads["currency"]))


_IS_HEAD = pl.col("subtotal").is_not_null() | pl.col("financial_status").is_not_null()
"""The first row of an order, which has the fields of the order."""

_OF_LINES = (
    *("quantity", "unit_price", "line_discount", "line_name", "sku"),
    *("is_shipped", "is_taxable", "is_gift_card"),
)
_OF_ORDERS = ("currency", "subtotal", "shipping_amount", "tax_amount", "total", "ordered_at")


def _check(reader: Reader, export: Export) -> None:
    """Raise if rows that can be read do not make orders."""
    reader.settle()
    of_head = pl.when(_IS_HEAD).then(pl.col("order_id"))
    is_below = pl.col("order_id") == of_head.forward_fill()
    is_unknown = worded("financial_status", FINANCIAL).is_null()
    has_line, cut = pl.col("quantity").is_not_null(), "export it whole, and as Shopify writes it"
    faults = {
        "order_id": {
            "is in it twice": _IS_HEAD & ~of_head.is_first_distinct(),
            "is not below the row with the fields of its order": ~is_below.fill_null(value=False),
        },
        "financial_status": {f"is none of {', '.join(FINANCIAL)}": _IS_HEAD & is_unknown},
        "unit_price": {_NO_VALUE: has_line & pl.col("unit_price").is_null()},
        **{name: {_NO_VALUE: _IS_HEAD & pl.col(name).is_null()} for name in _OF_ORDERS},
    }
    reader.faults.extend(export.issues(faults, cut))
    reader.settle()


_NO_VALUE = "is no value, and the row needs one"


def _is_gift_card(names: pl.Series) -> pl.Expr:
    """Return whether a line is a gift card: its name says so, and nothing contradicts it."""
    cards = names.unique().drop_nulls()
    named = cards.filter(cards.str.contains(GIFT_CARD))
    is_named = pl.col("line_name").is_in(named.implode()).fill_null(value=False)
    is_goods = pl.col("is_shipped").fill_null(value=False) | pl.col("is_taxable").fill_null(
        value=False
    )
    return is_named & ~is_goods


def _with_sums(heads: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Return orders with the price of their lines, of all and of those without tax."""
    worth = pl.col("quantity") * pl.col("unit_price")
    is_untaxed = ~pl.col("is_taxable").fill_null(value=True)
    sums = (
        lines.set_sorted("order_number")
        .group_by("order_number", maintain_order=True)
        .agg(
            gross=worth.sum(),
            untaxed_gross=worth.filter(is_untaxed).sum(),
            untaxed_net=(worth - pl.col("line_discount")).filter(is_untaxed).sum(),
        )
    )
    # what is known to be sorted is joined without a hash table
    left, right = (frame.set_sorted("order_number") for frame in (heads, sums))
    joined = left.join(right, on="order_number", how="left", maintain_order="left")
    return joined.with_columns(pl.col("gross", "untaxed_gross", "untaxed_net").fill_null(0.0))


def _above_lines(heads: pl.DataFrame, place: str) -> list[DataIssue]:
    """Return the fault that orders cost more than their lines, as after an edit; or none."""
    found = heads.filter(pl.col("subtotal") - pl.col("gross") > CENT)
    if found.is_empty():
        return []
    name, subtotal, gross = found.select("order_id", "subtotal", "gross").row(0)
    problem = f"{subtotal} of order {name} is above {gross:.2f}, the price of its lines"
    more = f", and in {found.height - 1:,} more orders" if found.height > 1 else ""
    return [DataIssue(place, "Subtotal", problem + more, "correct the order, or remove its rows")]


def _with_tax(
    reader: Reader,
    place: str,
    heads: pl.DataFrame,
    stated: bool | None,  # noqa: FBT001
) -> pl.DataFrame:
    """Return orders with `base`, what tax is part of, and `part`, how much of that is not tax."""
    net = pl.col("subtotal") + pl.col("shipping_amount") + pl.col("duties_amount")
    rest = pl.col("total") - net
    is_taxed = pl.col("tax_amount") > CENT
    is_added, is_included = (rest - pl.col("tax_amount")).abs() < CENT, rest.abs() < CENT
    shown = pl.when(is_taxed & is_added).then(0).when(is_taxed & is_included).then(1)
    heads = heads.with_columns(includes=shown if stated is None else pl.lit(int(stated)))
    kinds = heads.get_column("includes").drop_nulls().unique().to_list()
    unclear = heads.filter(is_taxed & pl.col("includes").is_null())
    if unclear.height and len(kinds) != 1:
        reader.faults.append(_unclear(unclear, place))
        reader.settle()
    if unclear.height:
        text = f"{bool(kinds[0])}, as for all others, for {unclear.height:,} orders whose total"
        reader.note(Topic.ASSUMED, "prices_include_tax", f"{text} does not show it")
    if 1 in kinds:
        reader.note(Topic.ASSUMED, "Taxes", _SPREAD)
    base = pl.col("subtotal") + pl.col("shipping_amount") - pl.col("untaxed_net")
    is_inside = is_taxed & (pl.col("includes").fill_null(kinds[0] if kinds else 0) == 1)
    part = pl.when(is_inside & (base > 0)).then(1 - pl.col("tax_amount") / base).otherwise(1.0)
    return heads.with_columns(base=base, part=part)


_SPREAD = (
    "those included in prices are spread over the taxable goods and the shipping of the order, in "
    "proportion to their prices"
)


def _unclear(orders: pl.DataFrame, place: str) -> DataIssue:
    name, total = orders.get_column("order_id")[0], orders.get_column("total")[0]
    problem = f"{total} of order {name} is neither subtotal and shipping, nor these and taxes"
    return DataIssue(place, "Total", problem, "state prices_include_tax=True, or False")


def _note(reader: Reader, export: Export, heads: pl.DataFrame, lines: pl.DataFrame) -> None:
    """Note what was assumed of values, and what the export cannot give."""
    if _may_have_refunds(export):
        text = "Refunded Amount has no date: bind returns, or read the orders as JSON"
        reader.note(Topic.MISSING, "returns", text)
    if cards := lines.get_column("is_gift_card").sum():
        reader.note(Topic.ASSUMED, "Lineitem name", f"{cards:,} lines are gift cards by their name")
    if tests := heads.filter(_IS_TEST).height:
        reader.note(
            Topic.ASSUMED, "Payment Method", f"{tests:,} orders of a bogus gateway are tests"
        )
    others = heads.filter(worded("source", CHANNELS).is_null()).get_column("source").drop_nulls()
    if others.len():
        words = ", ".join(others.unique().sort().head(5))
        text = f"{others.len():,} orders are of no known sales channel: {words}"
        reader.note(Topic.ASSUMED, "Source", text)


def _may_have_refunds(export: Export) -> bool:
    if "refunded" not in export.present:
        return True
    return bool((export.rows.get_column("refunded") > 0).any())


_IS_TEST = pl.col("payment_method").str.contains("(?i)bogus").fill_null(value=False)


def _orders(heads: pl.DataFrame) -> pl.LazyFrame:
    part, untaxed = pl.col("part"), pl.col("untaxed_gross")
    gross = (pl.col("gross") - untaxed) * part + untaxed
    goods_tax = (1 - part) * (pl.col("base") - pl.col("shipping_amount"))
    return heads.lazy().select(
        *("order_id", "ordered_at", "currency", "tax_amount", "duties_amount", "discount_code"),
        email_hash("email", "phone"),
        status=order_status(_IS_TEST),
        sales_channel=worded("source", CHANNELS),
        country=pl.coalesce("shipping_country", "billing_country"),
        discount_amount=cents(gross - pl.col("subtotal") + goods_tax),
        shipping_amount=pl.col("shipping_amount") * part,
        fees_amount=pl.lit(0.0),
    )


def _lines(lines: pl.DataFrame, heads: pl.DataFrame) -> pl.LazyFrame:
    parts = heads.get_column("part").gather(lines.get_column("order_number") - 1)
    part = pl.when(pl.col("is_taxable").fill_null(value=True)).then(pl.col("part")).otherwise(1.0)
    return (
        lines.lazy()
        .with_columns(part=parts)
        .select(
            *("order_line_id", "order_id", "quantity"),
            product_id=pl.coalesce("sku", "line_name"),
            product_name="line_name",
            unit_price=pl.col("unit_price") * part,
            discount_amount=pl.col("line_discount") * part,
            line_type=pl.when("is_gift_card")
            .then(pl.lit("gift_card"))
            .otherwise(pl.lit("product")),
        )
    )

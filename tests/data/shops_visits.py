"""Real clickstreams bound to the canonical tables, their events under the names of GA4."""

import polars as pl

from data import shops

CLICKS = {
    "home": "page_view",
    "catalog": "page_view",
    "promo_page": "page_view",
    "account_page": "page_view",
    "review_page": "page_view",
    "compare": "page_view",
    "product_view": "view_item",
    "shipping_details": "begin_checkout",
    "payment_details": "add_payment_info",
}
"""What GA4 calls the events of the clickstream; the others keep their names."""

CONTENT = ["review_page", "compare"]
"""The events of the clickstream by which content is read."""

GOALS = ["wishlist_add", "purchase"]
"""The events of the clickstream that are goals."""

PAGES = {
    "/the-original-mr-fuzzy": "view_item",
    "/cart": "add_to_cart",
    "/shipping": "begin_checkout",
    "/billing": "add_payment_info",
    "/thank-you-for-your-order": "purchase",
}
"""What a page of the toy store says has happened; the others are page views and no more."""

BEAR = 1
"""The only product that the toy store sold in the months of the page views."""


def clickstream() -> shops.Tables:
    """A clickstream in which users come back: each purchase an order, of unknown value.

    A visitor's cart lives until it is bought, over visits: it begins with the first product that
    is put in after the purchase before, and was last touched by the last step before its own.
    """
    rows = shops.read("retentioneering_ecom_events").with_row_index("event_id")
    bought = pl.col("event") == "purchase"
    rows = rows.sort("user_id", "timestamp", bought, "event_id").with_columns(
        order_id=pl.when(bought).then(pl.format("order of {}", "session_id")),
        turn=(bought.cum_sum() - bought.cast(pl.UInt32)).over("user_id"),
    )
    events = rows.select(
        "event_id",
        "session_id",
        "order_id",
        visitor_id="user_id",
        event_name=pl.col("event").replace(CLICKS),
        occurred_at="timestamp",
        is_key_event=pl.col("event").is_in(GOALS),
        is_content=pl.col("event").is_in(CONTENT),
    )
    sessions = (
        rows.group_by("session_id", maintain_order=True)
        .agg(
            visitor_id=pl.col("user_id").first(),
            started_at=pl.col("timestamp").min(),
            channel=pl.col("acquisition_channel").first(),
            device=pl.col("platform").first(),
        )
        .sort("session_id")
    )
    orders = rows.filter(bought).select(
        "order_id",
        "session_id",
        customer_id="user_id",
        ordered_at="timestamp",
    )
    return {"sessions": sessions, "events": events, "orders": orders, "carts": _carts(rows)}


def _carts(rows: pl.DataFrame) -> pl.DataFrame:
    """Give the carts that are filled, one for each user and purchase, or lack of it."""
    event = pl.col("event")
    added = pl.col("timestamp").filter(event == "add_to_cart")
    steps = ["add_to_cart", "cart", "shipping_details", "payment_details"]
    checkouts = pl.col("timestamp").filter(
        (event == "shipping_details") & (pl.col("timestamp") >= added.min())
    )
    return (
        rows.group_by("user_id", "turn", maintain_order=True)
        .agg(
            created_at=added.min(),
            items=added.len().cast(pl.Int64),
            checkout_started_at=checkouts.min(),
            last_activity_at=pl.col("timestamp").filter(event.is_in(steps)).max(),
            order_id=pl.col("order_id").drop_nulls().first(),
        )
        .filter(pl.col("items") > 0)
        .select(
            pl.exclude("user_id", "turn"),
            cart_id=pl.format("{} {}", "user_id", "turn"),
            visitor_id="user_id",
        )
    )


def maven_events() -> shops.Tables:
    """The toy store's first page views as events, and one cart for each visit that filled one.

    A product page, the cart, shipping, billing and thank-you pages are the steps of the funnel.
    A cart holds one bear, the only product of those months, at the one price that it ever had.
    """
    tables = shops.maven_part()
    ids = tables["orders"].select("session_id", "order_id")
    views = (
        shops.read("maven_toystore_pageviews_part")
        .rename({"website_session_id": "session_id", "pageview_url": "page"})
        .join(ids, on="session_id", how="left", maintain_order="left")
    )
    name = pl.col("page").replace_strict(PAGES, default="page_view")
    is_purchase = name == "purchase"
    price = tables["order_lines"].filter(pl.col("product_id") == BEAR)["unit_price"].unique().item()
    events = views.select(
        "session_id",
        event_id="website_pageview_id",
        visitor_id="session_id",
        event_name=name,
        occurred_at="created_at",
        product_id=pl.when(name != "page_view").then(pl.lit(BEAR)),
        quantity=pl.when(name == "add_to_cart").then(pl.lit(1)),
        value=pl.when(is_purchase).then(pl.lit(price)),
        order_id=pl.when(is_purchase).then("order_id"),
    )
    carts = (
        views.filter(pl.col("page").is_in(["/cart", "/shipping"]))
        .group_by("session_id", maintain_order=True)
        .agg(
            created_at=pl.col("created_at").filter(pl.col("page") == "/cart").min(),
            checkout_started_at=pl.col("created_at").filter(pl.col("page") == "/shipping").min(),
            order_id=pl.col("order_id").first(),
        )
        .with_columns(cart_id="session_id", visitor_id="session_id", items=1, value=pl.lit(price))
    )
    return {**tables, "events": events, "carts": carts}

"""Canonical tables of visits: sessions, events, carts, searches."""

from __future__ import annotations

from funnelkit.formula.table import Table
from funnelkit.formula.values import Category, Duration, Flag, Key, Money, Quantity, Time
from funnelkit.units import (
    CART,
    CUSTOMER,
    EVENT,
    ITEM,
    MILLISECOND,
    ORDER,
    PAGE,
    PRODUCT,
    QUERY,
    SESSION,
    VISITOR,
)

__all__ = ["CONTENT_EVENTS", "Carts", "Events", "SearchInterest", "Sessions"]

CONTENT_EVENTS = (
    "scroll_90",
    "scroll",
    "video_start",
    "video_complete",
    "file_download",
    "blog_read",
    "heatmap_click",
)
"""The events by which content is used."""


class Sessions(
    Table,
    table="sessions",
    key="session_id",
    time="started_at",
    row_unit=SESSION,
    parents={"customer_id": "customers"},
):
    """One visit to the shop."""

    session_id = Key("The visit.", SESSION)
    visitor_id = Key("The browser or device that visits; not a person.", VISITOR)
    started_at = Time("When the visit began; it belongs to that period whole.")
    customer_id = Key("The customer, where the visitor signed in.", CUSTOMER)
    ended_at = Time("When the last activity of the visit took place.")
    duration_s = Duration("Length of the visit.")
    engaged_s = Duration("How long the shop was in the foreground.")
    page_views = Quantity("Pages viewed.", PAGE)
    source = Category("Where the visit came from.")
    medium = Category("By what kind of link.")
    campaign = Category("By which campaign.")
    channel = Category("The channel that the visit is credited to.")
    device = Category("Kind of device.")
    country = Category("Country of the visitor.")
    is_bot = Flag("The visit was made by a machine.")
    has_key_event = Flag("A goal was reached in the visit.")
    has_product_view = Flag("A product page was seen in the visit.")
    has_add_to_cart = Flag("Something was put into a cart in the visit.")
    has_checkout = Flag("A checkout was begun in the visit.")
    has_purchase = Flag("An order that counts was placed in the visit.")
    has_content_interaction = Flag("Content was used: scrolled through, watched, downloaded, read.")
    is_engaged = Flag("Longer than 10 s in the foreground, or a goal reached, or two pages seen.")
    is_bounce = Flag("Not engaged.")
    is_counted = Flag("It counts: it is not known to be a bot's.")
    session_number = Quantity("1 for the visitor's first visit that counts, 2 for the next, …")
    is_first_session = Flag(
        "It is its visitor's first visit that counts.", unique_within="visitor_id"
    )
    first_seen_at = Time("When its visitor was first seen.")


class Events(
    Table,
    table="events",
    key="event_id",
    time="occurred_at",
    row_unit=EVENT,
    parents={
        "session_id": "sessions",
        "order_id": "orders",
        "cart_id": "carts",
        "product_id": "products",
    },
):
    """One event of the clickstream, under the names that GA4 uses."""

    event_id = Key("The event.", EVENT)
    visitor_id = Key("Who caused it.", VISITOR)
    event_name = Category(
        "What happened: page_view, view_item, add_to_cart, purchase, …",
        values=(
            *("page_view", "view_item", "add_to_cart", "begin_checkout", "purchase"),
            *("offer_shown", "offer_accepted", *CONTENT_EVENTS),
        ),
        synonyms={  # the names that Segment's specification gives the same events
            "page viewed": "page_view",
            "product viewed": "view_item",
            "product added": "add_to_cart",
            "checkout started": "begin_checkout",
            "order completed": "purchase",
        },
        is_open=True,
    )
    occurred_at = Time("When it happened.")
    session_id = Key("The visit that it belongs to.", SESSION)
    cart_id = Key("The cart that it touches.", CART)
    order_id = Key("The order that it places.", ORDER)
    product_id = Key("The product that it is about.", PRODUCT)
    quantity = Quantity("How many units of it.", ITEM)
    value = Money("What it is worth, as the tag reports it.")
    offer_id = Key("The offer that is shown or accepted.")
    offer_type = Category(
        "upsell, cross_sell, …",
        values=("upsell", "cross_sell"),
        synonyms={  # spellings of one word
            "up-sell": "upsell",
            "up_sell": "upsell",
            "cross-sell": "cross_sell",
        },
        is_open=True,
    )
    load_ms = Quantity("How long the page took to load.", MILLISECOND)
    visitor_product = Key("The visitor with the product.")
    is_key_event = Flag("It is a goal.")
    is_content = Flag("Content is used: scrolled through, watched, downloaded, read.")
    is_counted = Flag("It counts: it is not known to be a bot's.")


class Carts(
    Table,
    table="carts",
    key="cart_id",
    time="created_at",
    row_unit=CART,
    parents={"session_id": "sessions", "customer_id": "customers"},
):
    """One cart."""

    cart_id = Key("The cart.", CART)
    created_at = Time("When the first item went in.")
    visitor_id = Key("Whose cart it is.", VISITOR)
    customer_id = Key("The customer, where known.", CUSTOMER)
    session_id = Key("The visit in which it was begun.", SESSION)
    items = Quantity("Units in it at the end.", ITEM)
    value = Money("Value of the items.")
    currency = Category("Currency of the amounts.")
    fx_rate = Quantity("The value of one unit of the currency in the shop's currency.")
    order_id = Key("The order that it became.", ORDER)
    checkout_started_at = Time("When its checkout was begun.")
    last_activity_at = Time("When it was last touched.")
    ordered_at = Time("When it became an order.")
    is_abandoned = Flag("It was left for a day or longer, whether or not it was bought later.")
    is_recovered = Flag("It was left, and bought within the thirty days after.")
    age_s = Duration("Time from its first item to the moment up to which data is known.")
    is_converted = Flag("It became an order.")


class SearchInterest(Table, table="search_interest", key="date", time="date"):
    """How often a fixed set of brands was searched for on one day."""

    date = Time("The day.")
    brand_queries = Quantity("Searches for the shop's brand.", QUERY)
    category_queries = Quantity(
        "Searches for all brands of the category, including the shop's.", QUERY
    )

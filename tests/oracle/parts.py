"""Dimensions of the shops of `shops_more`, and how to take the part that has one value of each.

What is numbered or first over the whole history is worked out before a part is taken.
"""

from oracle.shops import part_by, part_by_channel, part_by_channel_of_cart, part_by_sales_channel
from oracle.test_oracle import Key
from oracle.words import Tables
from oracle.words_funnel import numbers_of_orders
from oracle.words_visits import visit_numbers

CHANNELS = ("email", "paid", None)


def numbered(tables: Tables) -> Tables:
    """Write into visits and orders what their numbers are in the whole shop."""
    numbers = visit_numbers(tables)
    of_orders = numbers_of_orders(tables) if "orders" in tables else []
    visits = [
        {**row, "session_number": numbers.get(row["session_id"])}
        for row in tables.get("sessions", ())
    ]
    orders = [
        {**row, "session_number": number, "previous_session_number": before}
        for row, (_, number, before) in zip(tables.get("orders", ()), of_orders, strict=True)
    ]
    return {**tables, "sessions": visits, **({"orders": orders} if "orders" in tables else {})}


def by_channel(tables: Tables, channel: str | None) -> Tables:
    """Give the visits of a channel, and the orders placed in them."""
    return part_by_channel(numbered({"orders": [], **tables}), channel)


def by_channel_of_event(tables: Tables, channel: str | None) -> Tables:
    """Give the visits of a channel and what happened in them; without one, what is in none."""
    channels = {row["session_id"]: row["channel"] for row in tables["sessions"]}
    return {
        **tables,
        "sessions": [row for row in tables["sessions"] if row["channel"] == channel],
        "events": [row for row in tables["events"] if channels.get(row["session_id"]) == channel],
    }


def by_sales_channel(tables: Tables, channel: str | None) -> Tables:
    """Give the orders of a sales channel in the shop as it is."""
    return part_by_sales_channel(numbered(tables), channel)


def by_message(tables: Tables, message: str | None) -> Tables:
    """Give the sends of a message in the shop as it is."""
    sends = [row for row in tables["email_sends"] if row["message_id"] == message]
    return {**tables, "email_sends": sends}


CHANNEL = Key("channel", by_channel, CHANNELS, ("session_id",))
CHANNEL_OF_EVENT = Key("channel", by_channel_of_event, CHANNELS)
CHANNEL_OF_CART = Key("channel", part_by_channel_of_cart, CHANNELS)
SALES_CHANNEL = Key(
    "sales_channel", by_sales_channel, ("online", "pos", "phone", None), ("sales_channel",)
)
PLATFORM = Key("platform", part_by("platform"), ("google", "meta"))
VIEWED_CAMPAIGN = Key("campaign_id", part_by("campaign_id"), ("a1", "a2", "a9", None))
STORE = Key("store", part_by("store"), ("north", "south", None))
MESSAGE = Key("message_id", by_message, ("m1", "m2", "m3"))

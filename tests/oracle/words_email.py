"""Plain-Python second opinion on the KPIs of e-mail.

A send enters by the time it was sent, with all that ever came of it. Opens, clicks and the like
are counted once for a message and its recipient, and only of those that were delivered: what
bounced was not read, and a rate of the delivered is a share of them.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import timedelta
from typing import Any

from oracle.words import (
    Period,
    Row,
    Tables,
    Value,
    all_orders,
    inside,
    is_true,
    ratio,
    table,
    total,
)

CLICK_WINDOW = timedelta(days=5)


def sends(tables: Tables, period: Period) -> list[Row]:
    """Pick the messages sent in the period, each to one recipient."""
    return [row for row in table(tables, "email_sends") if inside(row.get("sent_at"), period)]


def delivered(tables: Tables, period: Period) -> list[Row]:
    """Pick the sends that did not bounce."""
    return [row for row in sends(tables, period) if row.get("bounce_type") is None]


def distinct_sends(rows: Iterable[Row]) -> int:
    """Count the different pairs of message and recipient, both of which are known."""
    pairs = {(row.get("message_id"), row.get("recipient_id")) for row in rows}
    return len([pair for pair in pairs if None not in pair])


def sends_with(tables: Tables, period: Period, column: str) -> int:
    """Count the different delivered sends of which something is known to have come."""
    return distinct_sends(row for row in delivered(tables, period) if row.get(column) is not None)


def emails_sent(tables: Tables, period: Period) -> int:
    """Number of sends, delivered or not (a building block, not a KPI)."""
    return len(sends(tables, period))


def emails_delivered(tables: Tables, period: Period) -> int:
    """Number of sends that did not bounce."""
    return len(delivered(tables, period))


def email_delivery_rate(tables: Tables, period: Period) -> float | None:
    """Share of the sends that did not bounce."""
    return ratio(emails_delivered(tables, period), emails_sent(tables, period))


def email_bounce_rate(
    tables: Tables, period: Period, *, kinds: Collection[str] = ("hard", "soft")
) -> float | None:
    """Share of the sends that bounced."""
    bounced = [row for row in sends(tables, period) if row.get("bounce_type") in kinds]
    return ratio(len(bounced), emails_sent(tables, period))


def email_bounce_rate_hard(tables: Tables, period: Period) -> float | None:
    """Share of the sends that can never be delivered."""
    return email_bounce_rate(tables, period, kinds=("hard",))


def email_bounce_rate_soft(tables: Tables, period: Period) -> float | None:
    """Share of the sends that could not be delivered for now."""
    return email_bounce_rate(tables, period, kinds=("soft",))


def is_opened(row: Row, *, exclude_machine_opens: bool) -> bool:
    """Tell whether a send was opened; an open not known to be a machine's is a person's."""
    is_machine = exclude_machine_opens and is_true(row.get("is_machine_open"))
    return row.get("first_opened_at") is not None and not is_machine


def unique_opens(tables: Tables, period: Period, *, exclude_machine_opens: bool = False) -> int:
    """Number of different delivered sends that were opened; a click alone is no open here."""
    return distinct_sends(
        row
        for row in delivered(tables, period)
        if is_opened(row, exclude_machine_opens=exclude_machine_opens)
    )


def email_open_rate(
    tables: Tables, period: Period, *, exclude_machine_opens: bool = False
) -> float | None:
    """Unique opens per e-mail delivered, machines' opens among them."""
    opens = unique_opens(tables, period, exclude_machine_opens=exclude_machine_opens)
    return ratio(opens, emails_delivered(tables, period))


def email_open_rate_without_machines(tables: Tables, period: Period) -> float | None:
    """Unique opens by people per e-mail delivered."""
    return email_open_rate(tables, period, exclude_machine_opens=True)


def email_open_rate_of_sent(tables: Tables, period: Period) -> float | None:
    """Unique opens per send."""
    return ratio(unique_opens(tables, period), emails_sent(tables, period))


def email_open_rate_of_recipients(tables: Tables, period: Period) -> float | None:
    """Different people who opened what was delivered per different person sent to."""
    rows = delivered(tables, period)
    opened = [row for row in rows if is_opened(row, exclude_machine_opens=False)]
    return ratio(len(recipients(opened)), len(recipients(sends(tables, period))))


def recipients(rows: Iterable[Row]) -> set[Any]:
    """Collect the known recipients."""
    return {row.get("recipient_id") for row in rows} - {None}


def email_click_rate(tables: Tables, period: Period) -> float | None:
    """Unique clicks per e-mail delivered."""
    clicks = sends_with(tables, period, "first_clicked_at")
    return ratio(clicks, emails_delivered(tables, period))


def email_click_to_open_rate(
    tables: Tables, period: Period, *, exclude_machine_opens: bool = False
) -> float | None:
    """Unique clicks per unique open; what was clicked was opened, by a person."""
    opened = [
        row
        for row in delivered(tables, period)
        if row.get("first_clicked_at") is not None
        or is_opened(row, exclude_machine_opens=exclude_machine_opens)
    ]
    return ratio(sends_with(tables, period, "first_clicked_at"), distinct_sends(opened))


def email_click_to_open_rate_without_machines(tables: Tables, period: Period) -> float | None:
    """Unique clicks per unique open by people."""
    return email_click_to_open_rate(tables, period, exclude_machine_opens=True)


def email_unsubscribe_rate(tables: Tables, period: Period) -> float | None:
    """Sends that made their recipient unsubscribe per e-mail delivered."""
    left = sends_with(tables, period, "unsubscribed_at")
    return ratio(left, emails_delivered(tables, period))


def email_complaint_rate(tables: Tables, period: Period) -> float | None:
    """Sends reported as spam per e-mail delivered."""
    complaints = sends_with(tables, period, "complained_at")
    return ratio(complaints, emails_delivered(tables, period))


def email_conversion_rate(
    tables: Tables, period: Period, *, window: timedelta = CLICK_WINDOW
) -> float | None:
    """Different recipients who ordered in the window after a click, per e-mail delivered.

    The send names the order; it must be a counted one, placed at the click or later, the last
    moment of the window included. An order that is not in the data has no time, and no part.
    """
    placed = {o.order_id: o.ordered_at for o in all_orders(tables) if o.is_counted}
    buyers: list[Row] = []
    for row in delivered(tables, period):
        clicked, ordered = row.get("first_clicked_at"), placed.get(row.get("order_id"))
        if row.get("order_id") is None or clicked is None or ordered is None:
            continue
        if clicked <= ordered <= clicked + window:
            buyers.append(row)
    return ratio(len(recipients(buyers)), emails_delivered(tables, period))


def is_attributed(tables: Tables) -> Callable[[Row], bool]:
    """Tell which sends name an order that is not known to be uncounted."""
    is_counted = {order.order_id: order.is_counted for order in all_orders(tables)}
    return lambda row: row.get("order_id") is not None and is_counted.get(row["order_id"], True)


def email_conversion_rate_as_attributed(tables: Tables, period: Period) -> float | None:
    """Different recipients with an order named by a send, whenever placed, per e-mail delivered.

    The sender's tool has applied its own window.
    """
    holds = is_attributed(tables)
    buyers = recipients(row for row in delivered(tables, period) if holds(row))
    return ratio(len(buyers), emails_delivered(tables, period))


def email_conversion_rate_orders(tables: Tables, period: Period) -> float | None:
    """Different orders named by delivered sends per different recipient who got a message."""
    holds, rows = is_attributed(tables), delivered(tables, period)
    orders = {row["order_id"] for row in rows if holds(row)}
    return ratio(len(orders), len(recipients(rows)))


def revenue_per_recipient(tables: Tables, period: Period) -> float | None:
    """Revenue attributed to the delivered sends, taken as it is, per e-mail delivered."""
    revenue = total(row.get("attributed_revenue") for row in delivered(tables, period))
    return ratio(revenue, emails_delivered(tables, period))


EMAIL_ORACLES: dict[str, Callable[[Tables, Period], Value]] = {
    **{
        kpi.__name__: kpi
        for kpi in (
            emails_delivered,
            email_delivery_rate,
            email_bounce_rate,
            email_open_rate,
            email_click_rate,
            email_click_to_open_rate,
            email_unsubscribe_rate,
            email_complaint_rate,
            email_conversion_rate,
            revenue_per_recipient,
        )
    },
    "email_bounce_rate.hard": email_bounce_rate_hard,
    "email_bounce_rate.soft": email_bounce_rate_soft,
    "email_open_rate.without_machines": email_open_rate_without_machines,
    "email_open_rate.of_sent": email_open_rate_of_sent,
    "email_open_rate.of_recipients": email_open_rate_of_recipients,
    "email_click_to_open_rate.without_machines": email_click_to_open_rate_without_machines,
    "email_conversion_rate.as_attributed": email_conversion_rate_as_attributed,
    "email_conversion_rate.orders": email_conversion_rate_orders,
}

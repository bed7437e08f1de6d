"""Events and visits with all that is derived about them, and what averages them.

A column that is there is taken as it is, its nulls too.
"""

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oracle.words import (
    Number,
    Period,
    Row,
    Tables,
    Value,
    all_orders,
    has_column,
    inside,
    is_true,
    ratio,
    table,
    total,
)

ChannelRule = tuple[Callable[[Row], bool], str]


@dataclass(frozen=True)
class Visit:
    """One visit by a human with everything that is derived about it."""

    session_id: Any
    visitor_id: Any
    started_at: datetime | None
    first_seen_at: datetime | None
    duration_s: Value
    page_views: Value
    channel: Any
    has_product_view: bool
    has_add_to_cart: bool
    has_checkout: bool
    has_purchase: bool
    has_key_event: bool
    is_engaged: bool
    event_names: frozenset[Any]


# --- events --------------------------------------------------------------------------------------


def has_events(tables: Tables) -> bool:
    """Tell whether there are events, and what they are called; a table without rows says none."""
    rows = tables.get("events")
    return rows is not None and (not rows or has_column(rows, "event_name"))


def human_events(tables: Tables, period: Period | None = None) -> list[Row]:
    """Pick the events not known to be of a bot's visit; those that occurred in the period, if any.

    An event without a visit, or of a visit that is not in the data, stays.
    """
    bots = {
        row.get("session_id") for row in table(tables, "sessions") if is_true(row.get("is_bot"))
    }
    return [
        row
        for row in table(tables, "events")
        if (row.get("session_id") is None or row["session_id"] not in bots)
        and (period is None or inside(row.get("occurred_at"), period))
    ]


def events_called(tables: Tables, period: Period, names: Collection[str]) -> list[Row]:
    """Pick the human events of these names that occurred in the period."""
    return [row for row in human_events(tables, period) if row.get("event_name") in names]


def is_key_event(tables: Tables) -> Callable[[Row], bool]:
    """Tell key events: by their own column, else purchases are."""
    if has_column(table(tables, "events"), "is_key_event"):
        return lambda row: is_true(row.get("is_key_event"))
    return lambda row: row.get("event_name") == "purchase"


def events_by_session(tables: Tables) -> dict[Any, list[Row]]:
    """Group the events of the whole history by their visit; those without one are dropped."""
    groups: dict[Any, list[Row]] = {}
    for row in table(tables, "events"):
        if row.get("session_id") is not None:
            groups.setdefault(row["session_id"], []).append(row)
    return groups


# --- visits --------------------------------------------------------------------------------------


def channel_of(row: Row, rules: Sequence[ChannelRule] = ()) -> str:
    """Name the channel by the first rule that holds; without any origin it is direct."""
    if all(row.get(name) is None for name in ("source", "medium", "campaign")):
        return "Direct"
    return next((channel for holds, channel in rules if holds(row)), "Unassigned")


def first_seen(rows: Iterable[Row]) -> dict[Any, datetime]:
    """Give the first moment of each known visitor among these visits."""
    seen: dict[Any, datetime] = {}
    for row in rows:
        visitor, moment = row.get("visitor_id"), row.get("started_at")
        if visitor is not None and moment is not None:
            seen[visitor] = min(moment, seen.get(visitor, moment))
    return seen


def visit_numbers(tables: Tables) -> dict[Any, int]:
    """Number the human visits of each known visitor 1, 2, 3… by their start, then id.

    Visits of unknown start get no number.
    """
    rows = table(tables, "sessions")
    if has_column(rows, "session_number"):
        numbers = {row["session_id"]: row["session_number"] for row in rows}
        return {visit: number for visit, number in numbers.items() if number is not None}
    of_visitor: dict[Any, list[tuple[datetime, Any]]] = {}
    for row in rows:
        visitor, moment = row.get("visitor_id"), row.get("started_at")
        if not is_true(row.get("is_bot")) and visitor is not None and moment is not None:
            of_visitor.setdefault(visitor, []).append((moment, row.get("session_id")))
    return {
        visit: number
        for own in of_visitor.values()
        for number, (_, visit) in enumerate(sorted(own), start=1)
    }


def buying_sessions(tables: Tables) -> set[Any]:
    """Give the visits with a counted order; where orders name no visits, with a purchase event.

    The purchase event stands in for the whole table, not for a single visit: a visit whose order
    was cancelled has a purchase event and did not convert.
    """
    rows = tables.get("orders")
    if rows is not None and (not rows or has_column(rows, "session_id")):
        found = {order.session_id for order in all_orders(tables) if order.is_counted}
    else:
        events = table(tables, "events")
        found = {row.get("session_id") for row in events if row.get("event_name") == "purchase"}
    return found - {None}


def duration(row: Row, events: list[Row], *, has_end: bool) -> Value:
    """Give the seconds from a visit's start to its end, which is that of its last event."""
    started = row.get("started_at")
    if has_end:
        ended = row.get("ended_at")
    else:
        moments = [event.get("occurred_at") for event in events]
        ended = max((moment for moment in moments if moment is not None), default=None)
    return None if started is None or ended is None else (ended - started).total_seconds()


def engaged(seconds: Value, views: Value, *, has_key_event: bool, min_seconds: Number) -> bool:
    """Tell whether a visit was long, or had a key event, or several views."""
    stayed = seconds is not None and seconds > min_seconds
    browsed = views is not None and views >= 2
    return stayed or has_key_event or browsed


def human_visits(
    tables: Tables, *, min_seconds: Number = 10, rules: Sequence[ChannelRule] = ()
) -> list[Visit]:
    """Read the visits of the whole history that are not known to be a bot's.

    A column that is there is taken as it is. Else: flags look at all events of the visit,
    whenever they occurred; a visitor is first seen in a visit that is not a bot's; a key event is
    one among the events or, where there are no events, a purchase.
    """
    rows = [row for row in table(tables, "sessions") if not is_true(row.get("is_bot"))]
    supplied = {name for row in rows for name in row}
    events_of, known_events = events_by_session(tables), has_events(tables)
    is_key, buying, seen = is_key_event(tables), buying_sessions(tables), first_seen(rows)

    def flag(row: Row, name: str, otherwise: bool) -> bool:
        return is_true(row.get(name)) if name in supplied else otherwise

    result: list[Visit] = []
    for row in rows:
        events = events_of.get(row.get("session_id"), [])
        names = frozenset(event.get("event_name") for event in events)
        counted_views = len([e for e in events if e.get("event_name") == "page_view"])
        views = counted_views if known_events else None
        if "page_views" in supplied:
            views = row.get("page_views")
        has_purchase = flag(row, "has_purchase", row.get("session_id") in buying)
        key_event = any(is_key(event) for event in events) if known_events else has_purchase
        has_key = flag(row, "has_key_event", key_event)
        lively = engaged(
            row.get("engaged_s"), views, has_key_event=has_key, min_seconds=min_seconds
        )
        result.append(
            Visit(
                session_id=row.get("session_id"),
                visitor_id=row.get("visitor_id"),
                started_at=row.get("started_at"),
                first_seen_at=(
                    row.get("first_seen_at")
                    if "first_seen_at" in supplied
                    else seen.get(row.get("visitor_id"))
                ),
                duration_s=(
                    row.get("duration_s")
                    if "duration_s" in supplied
                    else duration(row, events, has_end="ended_at" in supplied)
                ),
                page_views=views,
                channel=row.get("channel") if "channel" in supplied else channel_of(row, rules),
                has_product_view=flag(row, "has_product_view", "view_item" in names),
                has_add_to_cart=flag(row, "has_add_to_cart", "add_to_cart" in names),
                has_checkout=flag(row, "has_checkout", "begin_checkout" in names),
                has_purchase=has_purchase,
                has_key_event=has_key,
                is_engaged=flag(row, "is_engaged", lively),
                event_names=names,
            )
        )
    return result


def visits_in(tables: Tables, period: Period, **options: Any) -> list[Visit]:
    """Pick the human visits begun in the period."""
    return [v for v in human_visits(tables, **options) if inside(v.started_at, period)]


def distinct_visits(visits: Iterable[Visit]) -> int:
    """Count the different visits of known id."""
    return len({visit.session_id for visit in visits} - {None})


def distinct_visitors(visits: Iterable[Visit]) -> int:
    """Count the different known visitors."""
    return len({visit.visitor_id for visit in visits} - {None})


def share_of_visits(
    tables: Tables, period: Period, condition: Callable[[Visit], bool]
) -> float | None:
    """Share of the human visits of which a condition holds."""
    visits = visits_in(tables, period)
    return ratio(distinct_visits(v for v in visits if condition(v)), distinct_visits(visits))


def quantile(values: Iterable[Value], share: float) -> float | None:
    """Give a quantile of the known values, on the straight line between the two next to it."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    place = share * (len(known) - 1)
    low, high = known[math.floor(place)], known[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))


def mean(values: Iterable[Value]) -> float | None:
    """Give the mean of the known values."""
    known = [value for value in values if value is not None]
    return ratio(total(known), len(known))

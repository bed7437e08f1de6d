"""Small shops with more tables and columns: events, e-mail, viewers, searches, products, charges.

They are the shops of `shops`, and as rich in what goes wrong: nulls, ties in time, visits and
orders that are named but not there, events without a visit, amounts below zero. A column that is
absent is absent from all rows of its table.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from hypothesis import strategies as st
from polars._typing import PolarsDataType

from oracle import shops as plain
from oracle.shops import DAYS, MOMENTS
from oracle.words import Row, Tables

_TIME = pl.Datetime("us")
_MORE: Mapping[str, Mapping[str, PolarsDataType]] = {
    "sessions": {
        "ended_at": _TIME,
        "duration_s": pl.Float64(),
        "has_product_view": pl.Boolean(),
        "has_add_to_cart": pl.Boolean(),
        "has_checkout": pl.Boolean(),
        "first_seen_at": _TIME,
    },
    "events": {
        "visitor_id": pl.String(),
        "event_name": pl.String(),
        "session_id": pl.String(),
        "product_id": pl.String(),
        "quantity": pl.Int64(),
        "value": pl.Float64(),
        "cart_id": pl.Int64(),
        "order_id": pl.String(),
        "offer_id": pl.String(),
        "offer_type": pl.String(),
        "load_ms": pl.Int64(),
        "is_key_event": pl.Boolean(),
    },
    "orders": {
        "visitor_id": pl.String(),
        "shipping_amount": pl.Float64(),
        "tax_amount": pl.Float64(),
        "duties_amount": pl.Float64(),
        "fees_amount": pl.Float64(),
    },
    "order_lines": {
        "product_id": pl.String(),
        "is_upsell": pl.Boolean(),
        "is_cross_sell": pl.Boolean(),
    },
    "returns": {"refund_shipping": pl.Float64(), "refund_tax": pl.Float64()},
    "carts": {
        "visitor_id": pl.String(),
        "value": pl.Float64(),
        "checkout_started_at": _TIME,
        "last_activity_at": _TIME,
        "abandoned_at": _TIME,
    },
    "campaign_performance": {
        "is_paid": pl.Boolean(),
        "reach": pl.Int64(),
        "engagements": pl.Int64(),
        "followers": pl.Int64(),
        "conversions": pl.Float64(),
    },
    "surveys": {"brand_recalled": pl.Boolean(), "weight": pl.Float64()},
    "email_sends": {
        "message_id": pl.String(),
        "recipient_id": pl.String(),
        "sent_at": _TIME,
        "bounce_type": pl.String(),
        "first_opened_at": _TIME,
        "first_clicked_at": _TIME,
        "unsubscribed_at": _TIME,
        "complained_at": _TIME,
        "is_machine_open": pl.Boolean(),
        "order_id": pl.String(),
        "attributed_revenue": pl.Float64(),
    },
    "products": {"product_id": pl.String(), "category": pl.String()},
    "ad_views": {"viewer_id": pl.String(), "campaign_id": pl.String(), "viewed_at": _TIME},
    "search_interest": {
        "date": pl.Date(),
        "brand_queries": pl.Int64(),
        "category_queries": pl.Int64(),
    },
}
SCHEMAS: Mapping[str, Mapping[str, PolarsDataType]] = {
    name: {**plain.SCHEMAS.get(name, {}), **_MORE.get(name, {})}
    for name in dict.fromkeys((*plain.SCHEMAS, *_MORE))
}

FILLED: Mapping[str, tuple[str, ...]] = {
    "surveys": ("weight",),
    "returns": ("refund_shipping", "refund_tax"),
    "email_sends": ("is_machine_open",),
}
"""By table, the columns that may be absent because a default fills them."""

FROM_EVENTS: Mapping[str, tuple[str, ...]] = {
    "sessions": ("ended_at", "has_product_view", "has_add_to_cart", "has_checkout"),
    "carts": ("checkout_started_at", "last_activity_at"),
}
"""By table, the columns that may be absent where there are events."""

DERIVED: Mapping[str, tuple[str, ...]] = {
    "sessions": ("first_seen_at", "duration_s"),
    "orders": ("visitor_id",),
    "events": ("is_key_event",),
    "carts": ("abandoned_at",),
}
"""By table, the columns that few shops supply: at most one of them is there."""

THEMES = (
    ("view_item", "view_item", "add_to_cart", "purchase"),
    ("offer_shown", "offer_shown", "offer_accepted"),
    ("page_view", "page_view", "scroll_90", "video_start", "purchase"),
    ("view_item", "add_to_cart", "begin_checkout", "purchase", "page_view", "search", None),
)
"""What happens in a shop: few kinds of events, so that they meet."""

DELAYS = tuple(dt.timedelta(hours=hours) for hours in (0, 1, 24, 25, 72, -1))
LONG_AFTER = dt.datetime(2024, 7, 1)


def frames(tables: Tables) -> dict[str, pl.DataFrame]:
    """Give the frames that hold the rows; a table without rows has all columns but derived ones."""
    return {
        name: pl.DataFrame(rows, schema=_schema(name, rows), orient="row")
        for name, rows in tables.items()
    }


def _schema(name: str, rows: Sequence[Row]) -> dict[str, PolarsDataType]:
    schema = SCHEMAS[name]
    if rows:
        return {column: schema[column] for column in rows[0]}
    derived = (*plain.DERIVED.get(name, ()), *DERIVED.get(name, ()))
    return {column: kind for column, kind in schema.items() if column not in derived}


# --- Rows ----------------------------------------------------------------------------------------

_signed = st.sampled_from((1.0, 2.5, 10.0, 0.0, -0.25, -5.0, None, float("nan")))
_money = st.sampled_from((1.0, 0.25, 2.5, 10.0, 0.0, None))
_counts = st.sampled_from((1, 0, 2, 3, 10, None))
_flags = st.sampled_from((True, False, None))
_visitors = st.sampled_from(("v1", "v2", "v3", "v4", None))
_products = st.sampled_from(("p1", "p1", "p2", "p2", "p3", "p9", None))
_lengths = st.sampled_from((0.0, 10.0, 90.5, 86_400.0, None, float("nan")))


def _ids(tables: Tables, name: str, key: str) -> tuple[Any, ...]:
    return tuple(row[key] for row in tables.get(name, ()))


def _known(ids: Sequence[Any], stranger: Any) -> st.SearchStrategy[Any]:
    """Give one of the ids, mostly; else an id that no row has, or none."""
    return st.sampled_from((*ids, *ids, stranger, None))


def _moments(tables: Tables) -> tuple[dt.datetime, ...]:
    """Give the times that the rows already have, and a day after each: many will be equal."""
    names = ("started_at", "ordered_at", "created_at", "returned_at")
    found = {row.get(name) for rows in tables.values() for row in rows for name in names} - {None}
    day = dt.timedelta(days=1)
    return tuple(sorted({*found, *(moment + day for moment in found), *MOMENTS[::5]}))


def _columns(name: str, tables: Tables) -> dict[str, st.SearchStrategy[Any]]:
    """Say what is in the columns that a table of `shops` gets on top."""
    times = st.sampled_from((*_moments(tables), None))
    match name:
        case "sessions":
            return {
                "duration_s": _lengths,
                "has_product_view": _flags,
                "has_add_to_cart": _flags,
                "has_checkout": _flags,
                "first_seen_at": times,
            }
        case "orders":
            return {
                "visitor_id": _visitors,
                **dict.fromkeys(("shipping_amount", "tax_amount"), _signed),
                **dict.fromkeys(("duties_amount", "fees_amount"), _signed),
            }
        case "order_lines":
            return {"product_id": _products, "is_upsell": _flags, "is_cross_sell": _flags}
        case "returns":
            return dict.fromkeys(("refund_shipping", "refund_tax"), _signed)
        case "carts":
            return {
                "visitor_id": _visitors,
                "value": _money,
                "checkout_started_at": times,
                "last_activity_at": times,
                "abandoned_at": times,
            }
        case "campaign_performance":
            return {
                "is_paid": _flags,
                **dict.fromkeys(("reach", "engagements", "followers"), _counts),
                "conversions": st.sampled_from((1.0, 0.0, 0.5, 3.0, None)),
            }
        case "surveys":
            return {"brand_recalled": _flags, "weight": st.sampled_from((1.0, 0.5, 2.0, None))}
        case _:
            return {}


@st.composite
def _extended(draw: st.DrawFn, name: str, tables: Tables) -> list[Row]:
    """Give the rows of a table of `shops` with its columns on top."""
    columns = st.fixed_dictionaries(_columns(name, tables))
    rows = [{**row, **draw(columns)} for row in tables[name]]
    for row in rows:
        if name == "sessions":
            seconds, started = draw(st.sampled_from((0, 30, 90_000, None))), row["started_at"]
            known = seconds is not None and started is not None
            row["ended_at"] = started + dt.timedelta(seconds=seconds) if known else None
        elif name == "surveys" and draw(st.booleans()):
            row.update(
                survey_type=draw(st.sampled_from(("brand_unaided", "brand_aided"))), score=None
            )
    if draw(st.booleans()):
        _follow(
            name, rows, tables, draw(st.lists(st.sampled_from(DELAYS), min_size=10, max_size=10))
        )
    amounts = {"orders": "gross_amount", "returns": "refund_amount"}
    if name in amounts and rows and amounts[name] in rows[0] and draw(st.booleans()):
        rows[0][amounts[name]] = -5.0
    return rows


def _follow(name: str, rows: list[Row], tables: Tables, delays: Sequence[dt.timedelta]) -> None:
    """Let orders follow the visits that they name, and carts precede the orders that they name."""
    parents = {"orders": ("sessions", "session_id", "started_at", "ordered_at", 1)}
    parents["carts"] = ("orders", "order_id", "ordered_at", "created_at", -1)
    if name not in parents:
        return
    parent, key, time, own, sign = parents[name]
    times = {row[key]: row[time] for row in tables.get(parent, ())}
    for row, delay in zip(rows, delays, strict=False):
        if times.get(row.get(key)) is not None:
            row[own] = times[row[key]] + sign * delay


@st.composite
def _event_rows(draw: st.DrawFn, tables: Tables) -> list[Row]:
    visitor_of = {row["session_id"]: row["visitor_id"] for row in tables.get("sessions", ())}
    theme = draw(st.sampled_from(THEMES))
    times = draw(st.lists(st.sampled_from(_moments(tables)), min_size=1, max_size=5))
    products = draw(st.sampled_from((("p1",), ("p1", "p2"), ("p1", "p2", "p3", "p9", None))))
    visitors = draw(st.sampled_from((("v1",), ("v1", "v2"), ("v1", "v2", "v4", None))))
    columns = st.fixed_dictionaries(
        {
            "occurred_at": st.sampled_from((*times, *times, None)),
            "visitor_id": st.sampled_from(visitors),
            "event_name": st.sampled_from(theme),
            "session_id": _known(tuple(visitor_of), "s99"),
            "product_id": st.sampled_from(products),
            "quantity": _counts,
            "value": _signed,
            "cart_id": _known(_ids(tables, "carts", "cart_id"), 99),
            "order_id": _known(_ids(tables, "orders", "order_id"), "o99"),
            "offer_id": st.sampled_from(("f1", "f1", "f2", None)),
            "offer_type": st.sampled_from(("upsell", "upsell", "cross_sell", None)),
            "load_ms": st.sampled_from((0, 120, 800, 800, 2500, None)),
            "is_key_event": _flags,
        }
    )
    least = draw(st.sampled_from((8, 4, 0)))
    numbers = draw(st.lists(st.integers(1, 20), unique=True, min_size=least, max_size=14))
    rows = [{"event_id": number, **draw(columns)} for number in numbers]
    for row in rows:
        if row["session_id"] in visitor_of and draw(st.sampled_from((True, True, True, False))):
            row["visitor_id"] = visitor_of[row["session_id"]]
    if rows and draw(st.booleans()):
        rows[-1]["occurred_at"] = LONG_AFTER
    bought: set[object] = set()
    for row in rows:
        if row["event_name"] == "purchase":
            row["order_id"] = None if row["order_id"] in bought else row["order_id"]
            bought.add(row["order_id"])
    return rows


@st.composite
def _email_rows(draw: st.DrawFn, tables: Tables) -> list[Row]:
    placed = [row["ordered_at"] for row in tables.get("orders", ()) if row["ordered_at"]]
    some = draw(st.lists(st.sampled_from(_moments(tables)), min_size=1, max_size=3))
    moments = (*some, *placed[:3])
    sometimes = st.sampled_from((*moments, *[None] * len(moments)))
    keys = st.tuples(st.sampled_from(("m1", "m2", "m3")), st.sampled_from(("r1", "r2", "r3", "r4")))
    columns = st.fixed_dictionaries(
        {
            "sent_at": st.sampled_from((*moments, None)),
            "bounce_type": st.sampled_from((None, None, None, "hard", "soft")),
            **dict.fromkeys(("first_opened_at", "first_clicked_at"), sometimes),
            **dict.fromkeys(("unsubscribed_at", "complained_at"), sometimes),
            "is_machine_open": _flags,
            "order_id": _known(_ids(tables, "orders", "order_id"), "o99"),
            "attributed_revenue": _signed,
        }
    )
    found = draw(st.lists(keys, unique=True, max_size=8))
    return [{"message_id": m, "recipient_id": r, **draw(columns)} for m, r in found]


@st.composite
def _viewer_rows(draw: st.DrawFn, tables: Tables) -> list[Row]:
    row = st.fixed_dictionaries(
        {
            "viewer_id": st.sampled_from(("w1", "w2", "w3", None)),
            "campaign_id": st.sampled_from(("a1", "a2", "a9", None)),
            "viewed_at": st.sampled_from((*_moments(tables), None)),
        }
    )
    return draw(st.lists(row, max_size=8))


@st.composite
def _search_rows(draw: st.DrawFn) -> list[Row]:
    days = draw(st.lists(st.sampled_from(DAYS), unique=True, max_size=5))
    queries = st.sampled_from((10, 0, 3, 250, None))
    return [
        {"date": day, "brand_queries": draw(queries), "category_queries": draw(queries)}
        for day in days
    ]


@st.composite
def _product_rows(draw: st.DrawFn) -> list[Row]:
    ids = draw(st.lists(st.sampled_from(("p1", "p2", "p3", "p4")), unique=True))
    categories = st.sampled_from(("shoes", "hats", None))
    return [{"product_id": number, "category": draw(categories)} for number in ids]


def _new_rows(name: str, tables: Tables) -> st.SearchStrategy[list[Row]]:
    match name:
        case "events":
            return _event_rows(tables)
        case "email_sends":
            return _email_rows(tables)
        case "ad_views":
            return _viewer_rows(tables)
        case "search_interest":
            return _search_rows()
        case "products":
            return _product_rows()
        case _:
            raise ValueError(name)


@st.composite
def shops_more(
    draw: st.DrawFn,
    names: Sequence[str],
    *,
    keep: Sequence[str] = (),
    drop: Mapping[str, Sequence[str]] | None = None,
) -> Tables:
    """Give the rows of a shop.

    Args:
        draw: How the strategy draws.
        names: The tables that it has.
        keep: Columns that are never absent.
        drop: By table, columns that are always absent.
    """
    old = [name for name in names if name in plain.SCHEMAS and name != "events"]
    base = draw(plain.shops(old, keep=keep))
    result: Tables = {}
    for name in names:
        is_old = name in base
        rows = draw(_extended(name, base) if is_old else _new_rows(name, base))
        if is_old:
            base[name] = rows
        absent = draw(_absent(name, keep, has_events="events" in names))
        absent |= set((drop or {}).get(name, ()))
        result[name] = [
            {column: value for column, value in row.items() if column not in absent} for row in rows
        ]
    return result


@st.composite
def _absent(draw: st.DrawFn, name: str, keep: Sequence[str], *, has_events: bool) -> set[str]:
    """Choose the columns of a table that are absent, such that every KPI can still be told."""
    derived = DERIVED.get(name, ())
    supplied = draw(st.sampled_from((None, None, None, *derived))) if derived else None
    filled = (*FILLED.get(name, ()), *(FROM_EVENTS.get(name, ()) if has_events else ()))
    absent = draw(st.sets(st.sampled_from(filled))) if filled else set()
    return (absent | {column for column in derived if column != supplied}) - set(keep)

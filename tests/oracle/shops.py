"""Small shops, rich in what goes wrong: as plain rows, and as the frames that hold these rows.

Times lie from January to April 2024, many of them on the edge of a day or a month and many
equal. A column that is absent is absent from all rows of its table.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
from hypothesis import strategies as st
from polars._typing import PolarsDataType

from oracle.words import Row, Tables, all_orders, as_of

MONTHS = tuple(dt.datetime(2024, month, 1) for month in range(1, 6))
"""The first moments of January to April 2024, and of the month after."""

_MICROSECOND = dt.timedelta(microseconds=1)
MOMENTS = tuple(
    moment
    for first, after in zip(MONTHS, MONTHS[1:], strict=False)
    for moment in (
        first,
        first + dt.timedelta(hours=12),
        first + dt.timedelta(days=1),
        first + dt.timedelta(days=14, hours=9, minutes=30),
        after - dt.timedelta(hours=12),
        after - _MICROSECOND,
    )
)
DAYS = tuple(sorted({moment.date() for moment in MOMENTS}))

_TIME = pl.Datetime("us")
SCHEMAS: Mapping[str, Mapping[str, PolarsDataType]] = {
    "sessions": {
        "session_id": pl.String(),
        "visitor_id": pl.String(),
        "started_at": _TIME,
        "engaged_s": pl.Float64(),
        "page_views": pl.Int64(),
        "channel": pl.String(),
        "is_bot": pl.Boolean(),
        "has_key_event": pl.Boolean(),
        "has_purchase": pl.Boolean(),
        "is_engaged": pl.Boolean(),
    },
    "events": {"event_id": pl.Int64(), "occurred_at": _TIME},
    "orders": {
        "order_id": pl.String(),
        "ordered_at": _TIME,
        "status": pl.String(),
        "customer_id": pl.Int64(),
        "email_hash": pl.String(),
        "customer_key": pl.String(),
        "session_id": pl.String(),
        "cart_id": pl.Int64(),
        "sales_channel": pl.String(),
        "is_online": pl.Boolean(),
        "gross_amount": pl.Float64(),
        "discount_amount": pl.Float64(),
        "is_counted": pl.Boolean(),
        "order_number": pl.Int64(),
        "market": pl.String(),
    },
    "order_lines": {
        "order_line_id": pl.Int64(),
        "order_id": pl.String(),
        "quantity": pl.Int64(),
        "unit_price": pl.Float64(),
        "discount_amount": pl.Float64(),
        "unit_cost": pl.Float64(),
        "line_type": pl.String(),
    },
    "returns": {
        "return_id": pl.String(),
        "order_id": pl.String(),
        "order_line_id": pl.Int64(),
        "returned_at": _TIME,
        "quantity": pl.Int64(),
        "refund_amount": pl.Float64(),
        "kind": pl.String(),
        "is_restocked": pl.Boolean(),
    },
    "carts": {
        "cart_id": pl.Int64(),
        "created_at": _TIME,
        "session_id": pl.String(),
        "items": pl.Int64(),
        "order_id": pl.String(),
        "is_converted": pl.Boolean(),
    },
    "campaign_performance": {
        "date": pl.Date(),
        "platform": pl.String(),
        "campaign_id": pl.String(),
        "impressions": pl.Int64(),
        "clicks": pl.Int64(),
        "spend": pl.Float64(),
        "conversion_value": pl.Float64(),
        "market": pl.String(),
    },
    "marketing_costs": {
        "cost_id": pl.String(),
        "period_start": pl.Date(),
        "period_end": pl.Date(),
        "amount": pl.Float64(),
        "purpose": pl.String(),
        "market": pl.String(),
    },
    "surveys": {
        "response_id": pl.String(),
        "survey_type": pl.String(),
        "responded_at": _TIME,
        "customer_id": pl.Int64(),
        "score": pl.Int64(),
        "store": pl.String(),
    },
}

FILLED: Mapping[str, tuple[str, ...]] = {
    "sessions": ("is_bot", "has_key_event", "has_purchase", "engaged_s", "page_views"),
    "orders": ("email_hash", "sales_channel", "session_id", "gross_amount", "discount_amount"),
    "order_lines": ("discount_amount", "line_type"),
    "returns": ("kind", "is_restocked"),
    "carts": ("items", "order_id"),
}
"""By table, the columns that may be absent because a default or a rule fills them."""

DERIVED: Mapping[str, tuple[str, ...]] = {
    "sessions": ("is_engaged",),
    "orders": ("customer_key", "is_online", "is_counted", "order_number"),
    "carts": ("is_converted",),
}
"""By table, the columns that few shops supply: at most one of them is there."""


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
    return {column: kind for column, kind in schema.items() if column not in DERIVED.get(name, ())}


# --- Rows ----------------------------------------------------------------------------------------

_money = st.sampled_from((0.0, 0.25, 1.0, 2.5, 10.0, 99.75, None, float("nan")))
_some_money = st.sampled_from((1.0, 0.0, 0.25, 2.5, 10.0, 99.75))
_counts = st.sampled_from((1, 0, 2, 3, 10, None))
_flags = st.sampled_from((True, False, None))
_customers = st.sampled_from((1, 2, 3, None))
_hashes = st.sampled_from(("e1", "e2", None))
_markets = st.sampled_from(("PL", "DE", None))

_STATUSES = ("paid", "fulfilled", "pending", "paid", "fulfilled", "pending", "paid")
_DEAD = ("cancelled", "voided", "draft", "test", "deleted")


@st.composite
def _ids(draw: st.DrawFn, prefix: str, most: int) -> list[str]:
    """Give unique ids, in no order."""
    numbers = draw(st.lists(st.integers(1, most + 3), unique=True, max_size=most))
    return [f"{prefix}{number}" for number in numbers]


def _known(ids: Sequence[Any], stranger: Any) -> st.SearchStrategy[Any]:
    """Give one of the ids, mostly; else an id that no row has, or none."""
    return st.sampled_from((*ids, *ids, stranger, None))


def _rows(
    key: str, ids: Sequence[Any], columns: Mapping[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[list[Row]]:
    row = st.fixed_dictionaries(dict(columns))
    return st.tuples(*(row for _ in ids)).map(
        lambda rows: [{key: number, **row} for number, row in zip(ids, rows, strict=True)]
    )


@st.composite
def _ad_rows(draw: st.DrawFn) -> list[Row]:
    platforms = draw(st.sampled_from((("google",), ("google", "meta"))))
    keys = st.tuples(
        st.sampled_from(DAYS), st.sampled_from(platforms), st.sampled_from(("a1", "a2"))
    )
    columns = st.fixed_dictionaries(
        {
            "impressions": st.sampled_from((100, 0, 1, 3, None)),
            "clicks": _counts,
            "spend": _money,
            "conversion_value": _money,
            "market": _markets,
        }
    )
    found = draw(st.lists(st.tuples(keys, columns), unique_by=lambda pair: pair[0], max_size=8))
    names = ("date", "platform", "campaign_id")
    return [{**dict(zip(names, key, strict=True)), **row} for key, row in found]


@st.composite
def _cost_rows(draw: st.DrawFn) -> list[Row]:
    rows: list[Row] = []
    for number in draw(_ids("m", 4)):
        first = draw(st.sampled_from((*DAYS, None)))
        length = draw(st.sampled_from((0, 1, 30, 45)))
        rows.append(
            {
                "cost_id": number,
                "period_start": first,
                "period_end": (first or DAYS[0]) + dt.timedelta(days=length),
                "amount": draw(_money),
                "purpose": draw(
                    st.sampled_from(("acquisition", "acquisition", "retention", "brand", None))
                ),
                "market": draw(_markets),
            }
        )
    return rows


@st.composite
def _survey_rows(draw: st.DrawFn, times: st.SearchStrategy[dt.datetime | None]) -> list[Row]:
    scores = {"nps": (0, 6, 7, 8, 9, 10, None), "csat": (1, 2, 3, 4, 5, None)}
    kinds = draw(st.sampled_from((("nps", "csat"), ("nps", "csat", "brand_aided", None))))
    rows: list[Row] = []
    for number in draw(_ids("r", 8)):
        kind = draw(st.sampled_from(kinds))
        rows.append(
            {
                "response_id": number,
                "survey_type": kind,
                "responded_at": draw(times),
                "customer_id": draw(_customers),
                "score": draw(st.sampled_from(scores.get(kind, (7, None)))),
                "store": draw(st.sampled_from(("north", "south", None))),
            }
        )
    return rows


def _order_columns(
    times: st.SearchStrategy[dt.datetime | None],
    sessions: Sequence[str],
    carts: Sequence[int],
    *,
    has_dead: bool,
) -> dict[str, st.SearchStrategy[Any]]:
    return {
        "ordered_at": times,
        "status": st.sampled_from((*_STATUSES, *(_DEAD if has_dead else ()))),
        "customer_id": _customers,
        "email_hash": _hashes,
        "customer_key": st.sampled_from(("k1", "k2", "k3", None)),
        "session_id": _known(sessions, "s99"),
        "cart_id": _known(carts, 99),
        "sales_channel": st.sampled_from(("online", "pos", "phone", None)),
        "is_online": _flags,
        "gross_amount": _money,
        "discount_amount": st.sampled_from((0.0, 0.25, 1.0, None)),
        "is_counted": _flags,
        "order_number": st.sampled_from((1, 2, 3, None)),
        "market": _markets,
    }


@st.composite
def _everything(draw: st.DrawFn) -> Callable[[str], st.SearchStrategy[list[Row]]]:
    """Settle the ids and times that tables share; give what draws the rows of a table."""
    moments = draw(st.lists(st.sampled_from(MOMENTS), min_size=2, max_size=8))
    times = st.sampled_from((*moments, None))
    sessions = draw(_ids("s", 8))
    orders = draw(_ids("o", 10))
    carts = [int(name[1:]) for name in draw(_ids("k", 5))]
    lines = [int(name[1:]) for name in draw(_ids("l", 10))]
    costs_are_known, has_dead = draw(st.booleans()), draw(st.booleans())
    known_line = st.sampled_from((*lines, *(() if lines else (1,))))
    any_line = _known(lines, 99)

    def rows(name: str) -> st.SearchStrategy[list[Row]]:
        match name:
            case "sessions":
                columns = {
                    "visitor_id": st.sampled_from(("v1", "v2", "v3", None)),
                    "started_at": times,
                    "engaged_s": st.sampled_from((0.0, 10.0, 10.5, 60.0, None, float("nan"))),
                    "page_views": st.sampled_from((1, 0, 2, 5, None)),
                    "channel": st.sampled_from(("email", "paid", None)),
                    "is_bot": st.sampled_from((False, False, True, None)),
                    "has_key_event": _flags,
                    "has_purchase": _flags,
                    "is_engaged": _flags,
                }
                return _rows("session_id", sessions, columns)
            case "events":
                return _rows("event_id", [1], {"occurred_at": times})
            case "orders":
                columns = _order_columns(times, sessions, carts, has_dead=has_dead)
                return _rows("order_id", orders, columns)
            case "order_lines":
                columns = {
                    "order_id": _known(orders, "o99"),
                    "quantity": st.sampled_from((1, 0, 2, 3)) if costs_are_known else _counts,
                    "unit_price": _money,
                    "discount_amount": st.sampled_from((0.0, 0.25, 1.0, None)),
                    "unit_cost": _some_money if costs_are_known else _money,
                    "line_type": st.sampled_from(("product", "product", "gift_card", "fee", None)),
                }
                return _rows("order_line_id", lines, columns)
            case "returns":
                kinds = ("return", "refund_only", "chargeback", "cancellation", None)
                columns = {
                    "order_id": _known(orders, "o99"),
                    "order_line_id": known_line if costs_are_known else any_line,
                    "returned_at": times,
                    "quantity": st.sampled_from((1, 0, 2)) if costs_are_known else _counts,
                    "refund_amount": _money,
                    "kind": st.sampled_from(kinds),
                    "is_restocked": _flags,
                }
                return _ids("t", 6).flatmap(lambda ids: _rows("return_id", ids, columns))
            case "carts":
                columns = {
                    "created_at": times,
                    "session_id": _known(sessions, "s99"),
                    "items": _counts,
                    "order_id": _known(orders, "o99"),
                    "is_converted": _flags,
                }
                return _rows("cart_id", carts, columns)
            case "campaign_performance":
                return _ad_rows()
            case "marketing_costs":
                return _cost_rows()
            case "surveys":
                return _survey_rows(times)
            case _:
                raise ValueError(name)

    return rows


@st.composite
def shops(draw: st.DrawFn, names: Sequence[str], *, keep: Sequence[str] = ()) -> Tables:
    """Give the rows of a shop.

    Args:
        draw: How the strategy draws.
        names: The tables that it has.
        keep: Columns that are never absent.
    """
    rows = draw(_everything())
    absent = {name: draw(_absent(name, keep)) for name in names}
    if "session_id" in absent.get("orders", ()):
        absent["sessions"] = absent.get("sessions", set()) - {"has_purchase"}
    return {
        name: [
            {column: value for column, value in row.items() if column not in absent[name]}
            for row in draw(rows(name))
        ]
        for name in names
    }


@st.composite
def _absent(draw: st.DrawFn, name: str, keep: Sequence[str]) -> set[str]:
    """Choose the columns of a table that are absent, such that every KPI can still be told."""
    derived = DERIVED.get(name, ())
    supplied = draw(st.sampled_from((None, None, None, *derived))) if derived else None
    filled = FILLED.get(name, ())
    absent = draw(st.sets(st.sampled_from(filled))) if filled else set()
    absent -= set(keep)
    if {"engaged_s", "page_views"} <= absent:
        absent -= {"page_views"}
    if {"sales_channel", "session_id"} <= absent:
        absent -= {"session_id"}
    return absent | {column for column in derived if column != supplied}


# --- Parts of a shop -----------------------------------------------------------------------------


def part_by_sales_channel(tables: Tables, channel: str | None) -> Tables:
    """Give the part of a shop whose orders came by a channel; returns go with their order."""
    return _part_of_orders(tables, "sales_channel", channel)


def part_by_market(tables: Tables, market: str | None) -> Tables:
    """Give the part of a shop that belongs to a market: orders, with their returns, and costs."""
    part = _part_of_orders(tables, "market", market)
    for name in ("campaign_performance", "marketing_costs"):
        part[name] = [row for row in tables.get(name, []) if row["market"] == market]
    return part


def part_by_channel(tables: Tables, channel: str | None) -> Tables:
    """Give the visits of a channel, and the orders that were placed in one of them."""
    channels = {row["session_id"]: row["channel"] for row in tables["sessions"]}
    return {
        **tables,
        "sessions": [row for row in tables["sessions"] if row["channel"] == channel],
        "orders": [
            row for row in tables["orders"] if channels.get(row.get("session_id")) == channel
        ],
    }


def part_by_channel_of_cart(tables: Tables, channel: str | None) -> Tables:
    """Give the carts begun in visits of a channel, in the same shop at the same moment."""
    channels = {row["session_id"]: row["channel"] for row in tables["sessions"]}
    return {
        **tables,
        "carts": [row for row in tables["carts"] if channels.get(row["session_id"]) == channel],
        "events": [{"event_id": 0, "occurred_at": as_of(tables)}],
    }


def part_by(column: str) -> Callable[[Tables, str | None], Tables]:
    """Give what keeps, in every table, the rows that have a value in their own column."""

    def part(tables: Tables, value: str | None) -> Tables:
        return {
            name: [row for row in rows if row[column] == value] for name, rows in tables.items()
        }

    return part


def _part_of_orders(tables: Tables, column: str, value: str | None) -> Tables:
    numbers = [order.order_number for order in all_orders(tables)]
    orders = [
        {**row, "order_number": number}
        for row, number in zip(tables["orders"], numbers, strict=True)
    ]
    values = {row["order_id"]: row[column] for row in orders}
    return {
        **tables,
        "orders": [row for row in orders if row[column] == value],
        "returns": [
            row for row in tables.get("returns", []) if values.get(row["order_id"]) == value
        ],
    }

"""Small shops with stock, parcels, fees and campaigns, rich in what goes wrong.

These are the shops of `oracle.shops` with more columns and tables. The tables that are asked for
share their ids: lines and snapshots are of the same products, parcels of the same orders.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from hypothesis import strategies as st
from polars._typing import PolarsDataType

from oracle.shops import DAYS, DERIVED, MOMENTS, SCHEMAS, shops
from oracle.words import Row, Tables, all_orders, as_of
from oracle.words_customers import orders_of_customers
from oracle.words_profit import first_orders

_TIME = pl.Datetime("us")

MORE_COLUMNS: Mapping[str, Mapping[str, PolarsDataType]] = {
    "orders": {
        "payment_fee": pl.Float64(),
        "fulfilment_cost": pl.Float64(),
        "shipping_amount": pl.Float64(),
        "attributed_channel": pl.String(),
        "attributed_campaign": pl.String(),
        "first_order_at": _TIME,
        "previous_ordered_at": _TIME,
    },
    "order_lines": {"product_id": pl.String()},
    "returns": {"handling_cost": pl.Float64()},
    "campaign_performance": {"conversions": pl.Float64(), "is_paid": pl.Boolean()},
    "marketing_costs": {"is_variable": pl.Boolean()},
    "surveys": {"scale_max": pl.Int64()},
    "products": {
        "product_id": pl.String(),
        "category": pl.String(),
        "list_price": pl.Float64(),
        "unit_cost": pl.Float64(),
        "lead_time_days": pl.Float64(),
        "lead_time_sd": pl.Float64(),
        "safety_stock": pl.Float64(),
        "is_active": pl.Boolean(),
        "is_tracked": pl.Boolean(),
    },
    "inventory_snapshots": {
        "snapshot_date": pl.Date(),
        "product_id": pl.String(),
        "location_id": pl.String(),
        "on_hand_units": pl.Int64(),
        "unit_cost": pl.Float64(),
        "committed_units": pl.Int64(),
        "incoming_units": pl.Int64(),
    },
    "shipments": {
        "shipment_id": pl.String(),
        "order_id": pl.String(),
        "shipped_at": _TIME,
        "delivered_at": _TIME,
        "promised_at": _TIME,
        "shipping_cost": pl.Float64(),
        "units_shipped": pl.Int64(),
        "has_item_error": pl.Boolean(),
        "is_damaged": pl.Boolean(),
        "documents_ok": pl.Boolean(),
    },
    "receipts": {"product_id": pl.String(), "received_at": _TIME, "units": pl.Int64()},
}
"""By table, the columns that the shops of `oracle.shops` lack."""

OPERATIONS: Mapping[str, Mapping[str, PolarsDataType]] = {
    name: {**SCHEMAS.get(name, {}), **MORE_COLUMNS.get(name, {})}
    for name in {**SCHEMAS, **MORE_COLUMNS}
}
"""The columns of all tables."""

OPTIONAL: Mapping[str, tuple[str, ...]] = {
    **DERIVED,
    "orders": (*DERIVED["orders"], "first_order_at", "previous_ordered_at"),
    "products": ("safety_stock",),
}
"""By table, the columns that an empty table missing_for, because a rule would fill them."""


def operation_frames(tables: Tables) -> dict[str, pl.DataFrame]:
    """Give the frames that hold the rows; a table without rows has all columns but derived ones."""
    return {
        name: pl.DataFrame(rows, schema=_schema(name, rows), orient="row")
        for name, rows in tables.items()
    }


def _schema(name: str, rows: Sequence[Row]) -> dict[str, PolarsDataType]:
    schema = OPERATIONS[name]
    if rows:
        return {column: schema[column] for column in rows[0]}
    return {column: kind for column, kind in schema.items() if column not in OPTIONAL.get(name, ())}


# --- Rows ----------------------------------------------------------------------------------------

_money = st.sampled_from((0.0, 0.25, 1.0, 2.5, 10.0, None, float("nan")))
_some_money = st.sampled_from((0.25, 1.0, 2.5, 10.0))
_counts = st.sampled_from((1, 0, 2, 3, 10, None))
_flags = st.sampled_from((True, False, None))
_mostly = st.sampled_from((True, True, True, False, None))
_places = st.sampled_from(("north", "south"))
_PRODUCTS = ("p1", "p2", "p3")
_products = st.sampled_from((*_PRODUCTS, *_PRODUCTS, "p99", None))
_WAITS = tuple(
    dt.timedelta(days=number)
    for number in (0, 0.5, 1, 1, 3, 14, 45)  # the last mostly falls out of the month, or of all
)

_ORDER_COLUMNS = {
    "payment_fee": _money,
    "fulfilment_cost": _money,
    "shipping_amount": _money,
    "attributed_channel": st.sampled_from(("Paid Search", "paid_social", "email", None)),
    "attributed_campaign": st.sampled_from(("a1", "a2", "newsletter", None)),
}
_ADDED: Mapping[str, Mapping[str, st.SearchStrategy[Any]]] = {
    "orders": _ORDER_COLUMNS,
    "order_lines": {"product_id": _products},
    "returns": {"handling_cost": _money},
    "campaign_performance": {
        "conversions": st.sampled_from((0.0, 1.0, 2.5, None)),
        "is_paid": _mostly,
    },
    "marketing_costs": {"is_variable": _flags},
}
_SCALES = {"nps": (10, None), "csat": (5, None)}


@st.composite
def _with_columns(draw: st.DrawFn, name: str, rows: Sequence[Row]) -> list[Row]:
    added = dict(_ADDED.get(name, {}))
    if name == "campaign_performance" and draw(st.booleans()):
        del added["is_paid"]
    if name == "surveys":
        return [
            {**row, "scale_max": draw(st.sampled_from(_SCALES.get(row["survey_type"], (None,))))}
            for row in rows
        ]
    return [{**row, **draw(st.fixed_dictionaries(added))} for row in rows]


@st.composite
def _product_rows(draw: st.DrawFn, *, costs_are_known: bool) -> list[Row]:
    ids = draw(st.lists(st.sampled_from(_PRODUCTS), unique=True))
    columns = {
        "category": st.sampled_from(("shoes", "hats", None)),
        "list_price": _some_money if costs_are_known else _money,
        "unit_cost": _some_money if costs_are_known else _money,
        "lead_time_days": st.sampled_from((4.0, 0.0, 1.0, 9.0, None)),
        "lead_time_sd": st.sampled_from((0.0, 1.0, 2.5, None)),
        "is_active": _mostly,
        "is_tracked": _mostly,
    }
    absent = draw(st.sets(st.sampled_from(("is_active", "is_tracked")), max_size=1))
    columns = {name: column for name, column in columns.items() if name not in absent}
    if draw(st.sampled_from((False, False, False, True))):
        columns["safety_stock"] = st.sampled_from((0.0, 5.0, None))
    return [{"product_id": product, **draw(st.fixed_dictionaries(columns))} for product in ids]


@st.composite
def _snapshot_rows(draw: st.DrawFn, *, costs_are_known: bool) -> list[Row]:
    """Give snapshots with gaps: not of every place on a day, and not on every day."""
    dates = draw(st.lists(st.sampled_from(DAYS), min_size=1, max_size=4, unique=True))
    keys = st.tuples(st.sampled_from(dates), st.sampled_from((*_PRODUCTS, "p99")), _places)
    columns = {
        "on_hand_units": st.sampled_from((5, 0, 1, 20, -3, -1, None)),
        "committed_units": st.sampled_from((0, 1, 5, None)),
        "incoming_units": st.sampled_from((0, 1, 20, None)),
        "unit_cost": _some_money if costs_are_known else _money,
    }
    if draw(st.booleans()):
        del columns["unit_cost"]
    names = ("snapshot_date", "product_id", "location_id")
    return [
        {**dict(zip(names, key, strict=True)), **draw(st.fixed_dictionaries(columns))}
        for key in draw(st.lists(keys, unique=True, max_size=10))
    ]


_CLOCKED = tuple(moment for moment in MOMENTS if moment.time() != dt.time())
"""The moments that are no midnights: deadlines that are all midnights are refused."""


@st.composite
def _parcel_rows(draw: st.DrawFn, orders: Sequence[Row]) -> list[Row]:
    """Give parcels, most of them after their order and some at one moment with another."""
    placed = {row["order_id"]: row["ordered_at"] for row in orders}
    promises = {order: draw(st.sampled_from((*_CLOCKED, None))) for order in placed}
    some = list(placed)[:3]
    numbers = draw(st.lists(st.integers(1, 12), unique=True, max_size=9))
    rows: list[Row] = []
    for number in numbers:
        order = draw(st.sampled_from((*some, *some, *placed, "o99", None)))
        ordered = placed.get(order)
        shipped = draw(_after(ordered or draw(st.sampled_from((*MOMENTS, None)))))
        promised = promises.get(order) or draw(st.sampled_from((MOMENTS[3], MOMENTS[7], None)))
        rows.append(
            {
                "shipment_id": f"d{number}",
                "order_id": order,
                "shipped_at": shipped,
                "delivered_at": draw(_after(shipped)),
                "promised_at": draw(st.sampled_from((promised, promised, promised, None))),
                "shipping_cost": draw(_money),
                "units_shipped": draw(_counts),
                "has_item_error": draw(st.sampled_from((False, False, True, None))),
                "is_damaged": draw(st.sampled_from((False, False, True, None))),
                "documents_ok": draw(_mostly),
            }
        )
    return rows


def _after(moment: dt.datetime | None) -> st.SearchStrategy[dt.datetime | None]:
    """Give a moment not before another, or none; none after none."""
    if moment is None:
        return st.none()
    return st.sampled_from((*(moment + wait for wait in _WAITS), None))


_receipt_rows = st.lists(
    st.fixed_dictionaries(
        {
            "product_id": _products,
            "received_at": st.sampled_from((*MOMENTS, None)),
            "units": _counts,
        }
    ),
    max_size=5,
)


@st.composite
def operation_shops(draw: st.DrawFn, names: Sequence[str], *, keep: Sequence[str] = ()) -> Tables:
    """Give the rows of a shop.

    Order numbers are never supplied, because they would contradict the times of first orders.
    Lines lack their costs only where products have them.

    Args:
        draw: How the strategy draws.
        names: The tables that it has.
        keep: Columns that are never absent.
    """
    plain = [name for name in names if name in SCHEMAS]
    tables = draw(shops(plain, keep=keep))
    for name, rows in tables.items():
        tables[name] = draw(_with_columns(name, rows))
    for row in tables.get("orders", []):
        row.pop("order_number", None)
    if "products" in names and draw(st.booleans()):
        for row in tables.get("order_lines", []):
            row.pop("unit_cost", None)
    costs_are_known = draw(st.booleans())
    for name in names:
        if name == "products":
            tables[name] = draw(_product_rows(costs_are_known=costs_are_known))
        elif name == "inventory_snapshots":
            tables[name] = draw(_snapshot_rows(costs_are_known=costs_are_known))
        elif name == "shipments":
            tables[name] = draw(_parcel_rows(tables.get("orders", [])))
        elif name == "receipts":
            tables[name] = draw(_receipt_rows)
    return tables


# --- Parts of a shop -----------------------------------------------------------------------------


def part_of_orders(tables: Tables, column: str, value: str | None) -> Tables:
    """Give the part of a shop whose orders have a value; returns and parcels go with their order.

    First, previous and next orders and order numbers stay those of the whole history, and so does
    the moment up to which anything is known.
    """
    firsts = first_orders(tables)
    neighbours = [
        pair
        for own in orders_of_customers(tables).values()
        for pair in zip(own, own[1:], strict=False)
    ]
    before = {later.order_id: earlier.ordered_at for earlier, later in neighbours}
    after = {earlier.order_id: later.ordered_at for earlier, later in neighbours}
    orders = [
        {
            **row,
            "order_number": order.order_number,
            "first_order_at": firsts.get(order.customer_key) if order.is_counted else None,
            "previous_ordered_at": before.get(order.order_id),
            "next_ordered_at": after.get(order.order_id),
        }
        for row, order in zip(tables["orders"], all_orders(tables), strict=True)
    ]
    values = {row["order_id"]: row[column] for row in orders}
    followers = {
        name: [row for row in tables[name] if values.get(row["order_id"]) == value]
        for name in ("returns", "shipments")
        if name in tables
    }
    return {
        **tables,
        **followers,
        "orders": [row for row in orders if row[column] == value],
        "events": [{"event_id": 0, "occurred_at": as_of(tables)}],
    }


def part_of_stock(tables: Tables, column: str, value: str | None) -> Tables:
    """Give the snapshots that have a value, as of one product or one location."""
    kept = [row for row in tables["inventory_snapshots"] if row[column] == value]
    return {**tables, "inventory_snapshots": kept}

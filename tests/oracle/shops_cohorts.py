"""What is done to shops for cohorts: stretched over a year, put in order."""

import datetime as dt
from typing import Any

from oracle.words import Row, Tables

STRETCHED = {1: 3, 2: 4, 3: 8, 4: 10}
"""The months of four quarters: the edges of January and February are those of two of them."""


def later(moment: Any) -> Any:
    """Move a moment or a day of the first months into four quarters; all else stays."""
    if not isinstance(moment, dt.date):
        return moment
    past, month = divmod(STRETCHED.get(moment.month, moment.month + 6) - 1, 12)
    if moment.month not in STRETCHED:
        moment = moment.replace(day=min(moment.day, 28))
    return moment.replace(year=moment.year + past, month=month + 1)


def over_quarters(tables: Tables) -> Tables:
    """Stretch a shop over a year, so that quarters are over, and some months have no orders."""
    return {
        name: [{column: later(value) for column, value in row.items()} for row in rows]
        for name, rows in tables.items()
    }


def in_order(tables: Tables) -> Tables:
    """Leave out what is sent back or shipped before it is ordered."""
    placed = {row["order_id"]: row["ordered_at"] or dt.datetime.max for row in tables["orders"]}

    def follows(row: Row, column: str) -> bool:
        order, moment = row["order_id"], row[column]
        return order not in placed or moment is None or placed[order] <= moment

    return {
        **tables,
        "returns": [row for row in tables["returns"] if follows(row, "returned_at")],
        "shipments": [row for row in tables["shipments"] if follows(row, "shipped_at")],
    }

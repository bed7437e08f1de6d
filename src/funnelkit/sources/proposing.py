"""A mapping for unknown files: which table each may be, by the names and types of its columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import polars as pl

from funnelkit.data.binding import wanted_type
from funnelkit.data.sources import FILE_TYPES, open_source
from funnelkit.errors import DataError, shortened
from funnelkit.formula.table import Table
from funnelkit.formula.values import Column, Key, Time
from funnelkit.schema.tables import TABLES
from funnelkit.shop.settings import MAPPING

__all__ = ["propose"]

SURE, POSSIBLE = 0.86, 0.6
"""How alike names are that are proposed, and those that are shown as a remark."""

WORDS: Mapping[str, str] = {
    "price": "unit_price",
    "qty": "quantity",
    "discount": "discount_amount",
    "shipping": "shipping_amount",
    "tax": "tax_amount",
    "vat": "tax_amount",
    "sku": "product_id",
    "user_id": "customer_id",
    "client_id": "customer_id",
}
"""Words of other systems: by each, the column that it is."""

DOUBTFUL: Mapping[str, str] = {
    **dict.fromkeys(("amount", "subtotal", "total", "total_amount", "value"), "gross_amount"),
    "cost": "unit_cost",
    "state": "status",
    "account_id": "customer_id",
}
"""Words that may mean something else, such as an amount with tax."""


@dataclass(frozen=True, slots=True)
class _Match:
    """A column of a file, the column of a table that it may be, and how alike their names are."""

    found: str
    column: str
    likeness: float


def propose(folder: str | Path) -> str:
    """Return a mapping of the files of a folder, as TOML to be edited.

    A file is proposed for the table that most of its columns are like. What is not sure is a
    remark that has to be uncommented.

    Args:
        folder: The folder.

    Raises:
        DataError: It has no file that can be bound.
    """
    place = Path(folder)
    files = sorted(place.iterdir()) if place.is_dir() else []
    known = [file for file in files if file.suffix.lower() in FILE_TYPES]
    if not known:
        raise DataError(f"{shortened(str(place))!r} has no file that can be bound")
    schemas = {file.name: _schema(file) for file in known}
    chosen: dict[str, list[type[Table]]] = {}
    for name, schema in schemas.items():
        taken = {tables[0] for tables in chosen.values() if tables}
        chosen[name] = [table for table in _tables(schema) if table not in taken]
    lines = [
        f"# A proposal for {MAPPING}: look at every line. Lines that begin with # are not sure.",
        'time_zone = "UTC"  # that of the shop',
        "",
        "[files]",
        *(_file(name, tables) for name, tables in chosen.items()),
    ]
    for name, tables in chosen.items():
        if tables:
            lines += ["", *_renames(tables[0], schemas[name])]
    return "\n".join(lines)


def _schema(file: Path) -> Mapping[str, pl.DataType]:
    try:
        return open_source(file, lambda _: None).schema
    except DataError:
        return {}


def _tables(schema: Mapping[str, pl.DataType]) -> list[type[Table]]:
    """Return the tables that a file may be, the likeliest first: those with a key or a time."""
    scores = {
        table: sum(match.likeness for match in _matches(table, schema)) for table in TABLES.values()
    }
    likely = [table for table in scores if _has_anchor(table, schema) and scores[table] > 1]
    return sorted(likely, key=lambda table: -scores[table])


def _has_anchor(table: type[Table], schema: Mapping[str, pl.DataType]) -> bool:
    found = {match.column for match in _matches(table, schema)}
    return table.key[0] in found or table.time in found


def _matches(table: type[Table], schema: Mapping[str, pl.DataType]) -> list[_Match]:
    """Return the likeliest column for each of a file, and each column once."""
    pairs = sorted(_pairs(table, schema), key=lambda match: -match.likeness)
    taken: set[str] = set()
    chosen: list[_Match] = []
    for match in pairs:
        if match.likeness >= POSSIBLE and not {f"in {match.found}", match.column} & taken:
            taken |= {f"in {match.found}", match.column}
            chosen.append(match)
    return chosen


def _pairs(table: type[Table], schema: Mapping[str, pl.DataType]) -> Iterator[_Match]:
    for found, kind in schema.items():
        for name, column in table.columns.items():
            if not isinstance(wanted_type(column, kind), str):
                yield _Match(found, name, _likeness(_plain(found), column, table))


def _likeness(found: str, column: Column, table: type[Table]) -> float:
    """Return how alike a name is to that of a column, from 0 to 1."""
    one = table.table.rstrip("s")
    if found == column.name:
        return 1.0
    if WORDS.get(found) == column.name:
        return 0.9
    if DOUBTFUL.get(found) == column.name:
        return 0.8
    if isinstance(column, Key) and table.key == (column.name,) and found in ("id", f"{one}_no"):
        return 0.9
    if isinstance(column, Time) and column.name == table.time and found in _TIMES:
        return 0.9
    return SequenceMatcher(None, found, column.name).ratio()


_TIMES = ("created_at", "created", "date", "timestamp", "time", "datetime", "day")


def _plain(name: str) -> str:
    """Return a name in lower case with underscores: orderId and Order ID are order_id."""
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"[^a-z0-9]+", "_", parts.lower()).strip("_")


def _file(name: str, tables: list[type[Table]]) -> str:
    if not tables:
        return f"# {name}: like no table; its columns have other names or types"
    others = ", or ".join(table.table for table in tables[1:3])
    return f"{tables[0].table} = {_quoted(name)}" + (f"  # or {others}" if others else "")


def _renames(table: type[Table], schema: Mapping[str, pl.DataType]) -> Iterator[str]:
    yield f"[rename.{table.table}]"
    found = {match.found: match for match in _matches(table, schema)}
    for name, kind in schema.items():
        match = found.get(name)
        if match is None:
            yield f"# {_quoted(name)} is of no column; it can be used in by= and where= ({kind})"
        elif match.column != name:
            mark = "" if match.likeness >= SURE else "# "
            meaning = table.columns[match.column].description
            yield f"{mark}{_quoted(name)} = {_quoted(match.column)}  # {meaning}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)

"""Which columns hold no number below zero: what they add up to cannot cancel out."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from funnelkit.data.shop_data import ShopData
from funnelkit.data.value_types import ValueType, value_type_of_dtype
from funnelkit.formula.values import Column
from funnelkit.planning.kinds import kind_of
from funnelkit.planning.relations import Agg, AggOp, Aggregate, Col, Kind, Scan
from funnelkit.verification.violation import Read

__all__ = ["learn_signs"]


def learn_signs(data: ShopData, columns: Iterable[tuple[str, str]], read: Read) -> bool:
    """Learn whether columns of numbers hold none below zero; whether there was one to look at.

    Args:
        data: The data of the shop.
        columns: Columns, each with its table.
        read: Reads relations.
    """
    unseen = dict[str, list[Column]]()
    for table, name in sorted(columns):
        column = data.column(table, name)
        if column not in data.seen_non_negative and _is_fraction(data.type_of(column)):
            unseen.setdefault(table, []).append(column)
    if not unseen:
        return False
    found = read([_lowest(data, table, numbers) for table, numbers in unseen.items()])
    for numbers, lowest in zip(unseen.values(), found, strict=True):
        row = lowest.row(0, named=True)
        values = {column: row[column.name] for column in numbers}
        data.seen_non_negative |= {c: low is None or low >= 0 for c, low in values.items()}
    return True


def _is_fraction(kind: pl.DataType | None) -> bool:
    """Return whether a column holds numbers that need not be whole."""
    if kind is None or kind.is_integer():
        return False
    return value_type_of_dtype(kind) is ValueType.NUMBER


def _lowest(data: ShopData, table: str, columns: Iterable[Column]) -> Aggregate:
    scanned: list[tuple[str, Kind]] = [(c.name, kind_of(data, c)) for c in columns]
    lowest = tuple((name, Agg(AggOp.MIN, Col(name))) for name, _ in scanned)
    return Aggregate(Scan(table, tuple(scanned)), (), lowest)

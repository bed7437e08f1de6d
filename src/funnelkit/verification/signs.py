"""Which columns hold no number below zero: what they add up to cannot cancel out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from funnelkit.data.shop_data import ShopData
from funnelkit.data.value_types import ValueType, value_type_of_dtype
from funnelkit.formula.values import Column
from funnelkit.planning.kinds import kind_of
from funnelkit.planning.relations import Agg, AggOp, Aggregate, Col, Kind, Rel, Scan

__all__ = ["lowest", "settle_signs", "unseen_signs"]


def unseen_signs(data: ShopData, columns: Iterable[tuple[str, str]]) -> dict[str, list[Column]]:
    """Return, for each table, the columns of fractions of which no sign was learnt yet.

    Args:
        data: The data of the shop.
        columns: Columns, each with its table.
    """
    unseen = dict[str, list[Column]]()
    for table, name in sorted(columns):
        column = data.column(table, name)
        if column not in data.seen_non_negative and _is_fraction(data.type_of(column)):
            unseen.setdefault(table, []).append(column)
    return unseen


def lowest(data: ShopData, unseen: Mapping[str, Iterable[Column]]) -> list[Rel]:
    """Return the relations of the lowest values of columns, one for each table."""
    return [_lowest(data, table, columns) for table, columns in unseen.items()]


def settle_signs(
    data: ShopData, unseen: Mapping[str, Iterable[Column]], found: Sequence[pl.DataFrame]
) -> None:
    """Learn of columns whether they hold no value below zero, from the lowest that was found."""
    for columns, frame in zip(unseen.values(), found, strict=True):
        values = frame.row(0, named=True)
        data.seen_non_negative |= {
            column: (value := values[column.name]) is None or value >= 0 for column in columns
        }


def _is_fraction(kind: pl.DataType | None) -> bool:
    """Return whether a column holds numbers that need not be whole."""
    if kind is None or kind.is_integer():
        return False
    return value_type_of_dtype(kind) is ValueType.NUMBER


def _lowest(data: ShopData, table: str, columns: Iterable[Column]) -> Aggregate:
    scanned: list[tuple[str, Kind]] = [(c.name, kind_of(data, c)) for c in columns]
    lowest = tuple((name, Agg(AggOp.MIN, Col(name))) for name, _ in scanned)
    return Aggregate(Scan(table, tuple(scanned)), (), lowest)

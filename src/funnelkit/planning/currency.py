"""Guards: folds that show whether amounts would be added that are not of one currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from funnelkit.data.shop_data import ShopData
from funnelkit.formula.formulas import (
    Count,
    CountDistinct,
    Max,
    Mean,
    Min,
    PolarsExpr,
    Quantile,
    StdDev,
    Sum,
)
from funnelkit.formula.values import Column, Dimension, Lookup, Money
from funnelkit.formula.walk import end_of
from funnelkit.planning.dimensions import can_reach, conjunction, resolve_dimension
from funnelkit.planning.plan import Fold, Step, fold_columns

__all__ = [
    "CURRENCY_ENDS",
    "HIGHEST_CURRENCY",
    "LOWEST_CURRENCY",
    "NO_CURRENCY",
    "UNKNOWN_RATES",
    "guard_folds",
    "guard_steps",
    "is_plain",
]

CURRENCY_ENDS = LOWEST_CURRENCY, HIGHEST_CURRENCY = "#lowest currency", "#highest currency"
UNKNOWN_RATES, NO_CURRENCY = "#unknown rates", "#no currency"
_PLAIN = (Sum, Count, CountDistinct, Mean, Min, Max, Quantile, StdDev)


def is_plain(folds: Sequence[Fold]) -> bool:
    """Say whether folds are made of the rows of their table, each by itself."""
    return all(isinstance(f.aggregate, _PLAIN) and f.aggregate.of is None for f in folds)


def guard_folds(data: ShopData, table: str, folds: Sequence[Fold]) -> tuple[Fold, ...]:
    """Give the guards of a step that folds amounts; none where it folds no amounts.

    Args:
        data: The data of the shop.
        table: The table that is folded.
        folds: What is folded.
    """
    read = (leaf for fold in folds for leaf in fold_columns(fold))
    if not (data.guards and any(isinstance(_declared(data, leaf), Money) for leaf in read)):
        return ()
    rows = data.known[table]
    if rate := data.rate(table):
        unknown = Count(rows, where=rate.is_null())
        return (Fold(UNKNOWN_RATES, unknown, unknown),)
    if not can_reach(data, table, data.schema.currency_column):
        return ()
    currency = resolve_dimension(data, table, Dimension(data.schema.currency_column))
    low, high = Min(currency), Max(currency)
    found = [Fold(LOWEST_CURRENCY, low, low), Fold(HIGHEST_CURRENCY, high, high)]
    if isinstance(currency, Column):
        exclusions_of = Count(rows, where=currency.is_null())
        found.append(Fold(NO_CURRENCY, exclusions_of, exclusions_of))
    return tuple(found)


def guard_steps(data: ShopData, steps: Sequence[Step]) -> tuple[Step, ...]:
    """Give steps of guards alone, for steps whose folds are not made of rows one by one."""
    found: dict[Step, None] = {}
    for step in steps:
        if step.first_of is not None or is_plain(step.folds):
            continue
        if guards := guard_folds(data, step.table, step.folds):
            wheres = {
                fold.aggregate.of.where
                for fold in step.folds
                if not isinstance(fold.aggregate, PolarsExpr) and fold.aggregate.of
            }
            where = conjunction((step.where, *wheres))
            found[replace(step, folds=guards, where=where, to_date=False)] = None
    return tuple(found)


def _declared(data: ShopData, item: Column | Lookup) -> Column:
    """Give the column that an item ends in, with the kind that its table declares."""
    column = end_of(item)
    return data.known[column.table].columns.get(column.name, column)

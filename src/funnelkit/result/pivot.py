"""Tables of periods and groups: periods down and groups across, a table per metric."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from funnelkit.result.display import IS_OPEN, IS_TOTAL, ShownColumn, TableView, key_text
from funnelkit.result.rollup import PERIOD_NAME
from funnelkit.units import Unit

__all__ = ["pivoted"]

MOST_TABLES, MOST_ACROSS = 6, 12
ACROSS = "#across"


@dataclass(frozen=True, slots=True)
class _Across:
    """A column of a pivot: the values of a metric in one group, or in one period."""

    name: str
    title: str
    unit: Unit


def pivoted(sheet: TableView) -> list[TableView]:
    """Return a table per metric, with periods down and groups across.

    Where there are many groups and few periods, groups go down. A table that has not both
    periods and groups, many of both, or many metrics stays as it is.
    """
    by = list(sheet.keys[1:])
    if sheet.keys[:1] != (PERIOD_NAME,) or not by or len(sheet.metrics) > MOST_TABLES:
        return [sheet]
    groups = sheet.frame.select(*by, IS_TOTAL).unique().sort(IS_TOTAL, *by, nulls_last=True)
    periods = sheet.frame.select(PERIOD_NAME, IS_OPEN).unique().sort(PERIOD_NAME, nulls_last=True)
    if groups.height < 2 or periods.height < 2:
        return [sheet]
    if groups.height <= MOST_ACROSS:
        return [_groups_across(sheet, groups, metric) for metric in sheet.metrics]
    if periods.height <= MOST_ACROSS:
        return [_periods_across(sheet, periods, metric) for metric in sheet.metrics]
    return [sheet]


def _groups_across(sheet: TableView, groups: pl.DataFrame, metric: ShownColumn) -> TableView:
    rows = groups.with_columns(_numbers(groups.height))
    joined = sheet.frame.join(rows, on=groups.columns, how="left", nulls_equal=True)
    wide = _wide(joined, [PERIOD_NAME, IS_OPEN], metric, groups.height)
    labels = [_group_text(row) for row in groups.rows()]
    frame = wide.with_columns(pl.lit(value=False).alias(IS_TOTAL)).sort(
        PERIOD_NAME, nulls_last=True
    )
    return _view(sheet, frame, (PERIOD_NAME,), metric, labels)


def _periods_across(sheet: TableView, periods: pl.DataFrame, metric: ShownColumn) -> TableView:
    rows = periods.with_columns(_numbers(periods.height))
    joined = sheet.frame.join(rows, on=periods.columns, how="left", nulls_equal=True)
    by = list(sheet.keys[1:])
    wide = _wide(joined, [*by, IS_TOTAL], metric, periods.height)
    labels = [key_text(period, is_open=is_open) for period, is_open in periods.rows()]
    is_open = pl.lit(periods.get_column(IS_OPEN).any()).alias(IS_OPEN)
    frame = wide.with_columns(is_open).sort(IS_TOTAL, *by, nulls_last=True)
    return _view(sheet, frame, tuple(by), metric, labels)


def _numbers(count: int) -> pl.Series:
    return pl.Series(ACROSS, [f"{ACROSS} {number}" for number in range(count)], dtype=pl.String)


def _wide(joined: pl.DataFrame, index: list[str], metric: ShownColumn, count: int) -> pl.DataFrame:
    wide = joined.pivot(ACROSS, index=index, values=metric.name)
    return wide.select(*index, *_numbers(count))


def _view(
    sheet: TableView,
    frame: pl.DataFrame,
    keys: tuple[str, ...],
    metric: ShownColumn,
    labels: list[str],
) -> TableView:
    columns = [
        _Across(name, label, metric.unit)
        for name, label in zip(_numbers(len(labels)), labels, strict=True)
    ]
    return TableView(
        frame=frame,
        keys=keys,
        metrics=tuple(columns),
        currency=sheet.currency,
        caption=f"{metric.name} by {', '.join(sheet.keys[1:])}",
        labels=tuple(labels),
    )


def _group_text(row: tuple[object, ...]) -> str:
    *values, is_total = row
    if is_total:
        return "total"
    return " · ".join(map(key_text, values))

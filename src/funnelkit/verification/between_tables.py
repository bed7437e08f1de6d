"""Rows of one table against another: keys that point nowhere, totals that are too large."""

from __future__ import annotations

from collections.abc import Iterator

from funnelkit.data.findings import PARENT_BOUND
from funnelkit.data.schema import TotalAboveCheck, WithoutRowsCheck
from funnelkit.data.shop_data import ShopData
from funnelkit.formula.values import Column
from funnelkit.planning.lowering import lowering_of
from funnelkit.planning.prepared import Tables
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Col,
    Exists,
    Filter,
    LeftJoin,
    Op,
    Rel,
    call,
    is_known,
    negate,
)
from funnelkit.verification.violation import Read, Violation, counted

__all__ = ["orphans", "totals_above", "without_rows"]


def orphans(data: ShopData, table: str, read: Read) -> Iterator[Violation]:
    """Yield the keys that point to no row of their parent."""
    child = data.tables[table]
    for key, parent in child.table.parents.items():
        target = data.tables[parent].supplied_key if parent in data.tables else ()
        if key not in child.columns or len(target) != 1:
            continue
        tables = Tables(lowering_of(data))
        rows = tables.prepare(table, [data.column(table, key)])
        rows = Filter(rows, is_known(Col(key)))
        parents = tables.prepare(parent, [data.column(parent, *target)])
        lost = _not_among(rows, parents, (key, *target))
        count, _ = counted(lost, [key], read)
        if count:
            _, sample = counted(Aggregate(lost, (key,), ()), [key], read)
            yield Violation(table, key, PARENT_BOUND.about(parent=parent), count, sample)


def _not_among(rows: Rel, others: Rel, on: tuple[str, str]) -> Rel:
    """Return the rows whose key no row of another relation has."""
    return Filter(Exists(rows, others, on, "is_there"), negate(Col("is_there")))


def without_rows(data: ShopData, promise: WithoutRowsCheck, read: Read) -> Iterator[Violation]:
    """Yield the rows that no row of a finer table points to."""
    key, pointing = promise.key, promise.pointing
    if not all(map(data.is_supplied, (key, pointing))):
        return
    if data.is_supplied(promise.unless_supplied):
        return
    tables = Tables(lowering_of(data))
    rows, others = tables.prepare(key.table, [key]), tables.prepare(pointing.table, [pointing])
    count, sample = counted(_not_among(rows, others, (key.name, pointing.name)), [key.name], read)
    if count:
        yield Violation(key.table, key.name, promise.finding, count, sample)


def totals_above(data: ShopData, promise: TotalAboveCheck, read: Read) -> Iterator[Violation]:
    """Yield the keys of which the total of one table is above that of another."""
    sides = promise.value, promise.limit
    if not all(map(data.is_supplied, sides)):
        return
    tables = [data.tables[side.table].columns for side in sides]
    key = next((name for name in promise.keys if all(name in columns for columns in tables)), None)
    if key is None:
        return
    part, limit = (_total(data, side, key, f"total_{n}") for n, side in enumerate(sides))
    both = LeftJoin(part, limit, ((key, key),), (("total_1", "total_1"),))
    above = Filter(both, call(Op.GT, Col("total_0"), Col("total_1")))
    count, sample = counted(above, [key, "total_0", "total_1"], read)
    if count:
        finding = promise.finding.about(key=key)
        yield Violation(promise.value.table, promise.value.name, finding, count, sample)


def _total(data: ShopData, value: Column, key: str, name: str) -> Rel:
    lowering = lowering_of(data)
    rows = Tables(lowering).prepare(value.table, [value, data.column(value.table, key)])
    return Aggregate(rows, (key,), ((name, Agg(AggOp.SUM, lowering.number(value))),))

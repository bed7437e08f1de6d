"""What breaks the promises that whole days are dates, not the midnights that they begin with."""

from __future__ import annotations

from collections.abc import Iterator

from funnelkit.data.promise_kinds import DayCheck, DeadlineCheck
from funnelkit.data.shop_data import ShopData
from funnelkit.data.value_types import TIMES, ValueType, value_type
from funnelkit.formula.values import Column
from funnelkit.planning.lowering import Lowering, lowering_of
from funnelkit.planning.prepared import Tables
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Lit,
    Op,
    Rel,
    Scalar,
    call,
    filtered,
    negate,
)
from funnelkit.verification.violation import Read, Violation, counted

__all__ = ["deadlines", "utc_midnights"]


def utc_midnights(data: ShopData, promise: DayCheck, read: Read) -> Iterator[Violation]:
    """Yield the days that are all midnights of UTC, where the shop's zone has another day then."""
    column = promise.column
    if not data.is_supplied(column) or value_type(data, column) is not ValueType.INSTANT:
        return
    lowering = lowering_of(data)
    rows = Tables(lowering).prepare(column.table, [column])
    in_utc, local = _in_utc(lowering, column), lowering.local(column)
    is_elsewhere = negate(call(Op.EQ, call(Op.TO_DAY, in_utc), call(Op.TO_DAY, local)))
    known, midnights, elsewhere = _counts(
        read, rows, lowering.known(column), _is_midnight(in_utc), is_elsewhere
    )
    if elsewhere and midnights == known:
        yield _violation(lowering, promise, rows, read)


def deadlines(data: ShopData, promise: DeadlineCheck, read: Read) -> Iterator[Violation]:
    """Yield the deadlines that are all midnights, where what has to keep them has a time of day."""
    column, beside = promise.column, promise.beside
    if not data.is_supplied(column) or data.missing_for(beside):
        return
    moments = TIMES - {ValueType.DAY}
    if not {value_type(data, column), value_type(data, beside)} <= moments:
        return
    lowering = lowering_of(data)
    rows = Tables(lowering).prepare(column.table, [column, beside])
    local = lowering.local(column)
    is_instant = value_type(data, column) is ValueType.INSTANT
    in_utc = _in_utc(lowering, column) if is_instant else local
    known, clocked, *midnights = _counts(
        read,
        rows,
        lowering.known(column),
        negate(_is_midnight(lowering.local(beside))),
        _is_midnight(local),
        _is_midnight(in_utc),
    )
    if known and clocked and known in midnights:
        yield _violation(lowering, promise, rows, read)


def _in_utc(lowering: Lowering, instant: Column) -> Scalar:
    return call(Op.LOCAL_TIME, lowering.value(instant), Lit("UTC", "str"))


def _is_midnight(local: Scalar) -> Scalar:
    return call(Op.EQ, call(Op.MIDNIGHT, call(Op.TO_DAY, local)), local)


def _counts(read: Read, rows: Rel, *conditions: Scalar) -> list[int]:
    """Return in how many rows each condition holds."""
    folds = tuple((f"n{at}", Agg(AggOp.ROWS, None, one)) for at, one in enumerate(conditions))
    (found,) = read([Aggregate(rows, (), folds)])
    return [int(found[name].item()) for name, _ in folds]


def _violation(
    lowering: Lowering, promise: DayCheck | DeadlineCheck, rows: Rel, read: Read
) -> Violation:
    column = promise.column
    known = filtered(rows, lowering.known(column))
    return Violation(
        column.table, column.name, promise.finding, *counted(known, [column.name], read)
    )

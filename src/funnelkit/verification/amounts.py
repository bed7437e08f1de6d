"""What breaks the promises about amounts: their signs, their sums, their rates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from funnelkit.data.promise_kinds import (
    AboveCheck,
    OwnRateCheck,
    SignCheck,
    TotalCheck,
)
from funnelkit.data.shop_data import ShopData
from funnelkit.formula.values import Column, Predicate
from funnelkit.formula.walk import leaves
from funnelkit.planning.kinds import kind_of
from funnelkit.planning.lowering import TRUE, ZERO, lowering_of
from funnelkit.planning.prepared import Tables
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Col,
    Filter,
    Kind,
    LeftJoin,
    Lit,
    Op,
    Scalar,
    Scan,
    call,
    conjunction,
    filtered,
    negate,
)
from funnelkit.verification.violation import Read, Violation, counted

__all__ = ["above", "columns_in", "of_lines", "own_rates", "signs"]


def of_lines(data: ShopData, promise: TotalCheck, read: Read) -> Iterator[Violation]:
    """Yield the amounts that are not the sum of the finer rows that make them up."""
    column, kinds = promise.column, columns_in(promise.inside)
    has_kinds = all(map(data.is_supplied, kinds))
    wanted = [promise.key, *promise.value, *(kinds if has_kinds else ())]
    if not all(map(data.is_supplied, (column, *wanted))):
        return
    table = data.known[column.table]
    lowering = lowering_of(data)
    tables, key = Tables(lowering), table.get(table.key[0])
    if not data.is_supplied(key):
        return
    worth = call(Op.MULTIPLY, *map(lowering.number, promise.value))
    inside = lowering.predicate(promise.inside) if has_kinds else None
    outside = lowering.predicate(promise.outside) if has_kinds else negate(TRUE)
    parts = {
        "inside": Agg(AggOp.SUM, worth, inside),
        "outside": Agg(AggOp.SUM, worth, outside),
        "lines": Agg(AggOp.COUNT, worth, inside),
    }
    lines = filtered(tables.prepare(promise.key.table, wanted), lowering.known(promise.key))
    by_key = Aggregate(lines, (promise.key.name,), tuple(parts.items()))
    rows = tables.prepare(column.table, [key, column])
    both = LeftJoin(
        rows, by_key, ((key.name, promise.key.name),), tuple((name, name) for name in parts)
    )
    amount, sides = lowering.number(column), (Col("inside"), Col("outside"))
    within = [(promise.within, _is_sum(amount, *sides), "outside")] if has_kinds else []
    for finding, is_odd, side in (*within, (promise.total, _is_far(amount, *sides), "inside")):
        count, sample = counted(Filter(both, is_odd), (key.name, column.name, side), read)
        if count:
            yield Violation(column.table, column.name, finding, count, sample)


def above(data: ShopData, promise: AboveCheck, read: Read) -> Iterator[Violation]:
    """Yield the amounts above those of the rows that they point to, in one currency as paid."""
    column, limit, currency = promise.column, promise.limit, data.schema.currency_column
    key = data.key_of(limit.table)
    if not all(map(data.is_supplied, (column, promise.key, limit, key))):
        return
    bound = data.tables[column.table]
    own = [name for name in bound.table.key if name in bound.columns]
    names, take = [*own, promise.key.name, column.name], [("limit", limit.name)]
    is_above = call(Op.GT, call(Op.TO_FLOAT, Col(column.name)), call(Op.TO_FLOAT, Col("limit")))
    if data.has_currency(column.table) and data.has_currency(limit.table):
        names, take = [*names, currency], [*take, ("limit_currency", currency)]
        is_above = call(Op.AND, call(Op.EQ, Col(currency), Col("limit_currency")), is_above)
    rows = _as_supplied(data, column.table, names)
    others = _as_supplied(data, limit.table, [key.name, *(name for _, name in take)])
    both = LeftJoin(rows, others, ((promise.key.name, key.name),), tuple(take))
    count, sample = counted(Filter(both, is_above), [*own, column.name, "limit"], read)
    if count:
        yield Violation(column.table, column.name, promise.finding, count, sample)


def _as_supplied(data: ShopData, table: str, names: Iterable[str]) -> Scan:
    """Return columns of a table as they were supplied: amounts are not converted."""
    columns = {name: data.column(table, name) for name in names}
    kinds: list[tuple[str, Kind]] = [(name, kind_of(data, one)) for name, one in columns.items()]
    return Scan(table, tuple(kinds))


CLEAR = 10
"""How many times as many amounts must be below zero as above to be of the wrong sign."""


def signs(data: ShopData, promise: SignCheck, read: Read) -> Iterator[Violation]:
    """Yield the amounts that are below zero in ten times as many rows as above."""
    column = promise.column
    if not data.is_supplied(column):
        return
    rows = _as_supplied(data, column.table, [column.name])
    amount = call(Op.TO_FLOAT, Col(column.name))
    sides = {"below": call(Op.LT, amount, ZERO), "above": call(Op.GT, amount, ZERO)}
    folds = tuple((name, Agg(AggOp.ROWS, None, side)) for name, side in sides.items())
    below, above = read([Aggregate(rows, (), folds)])[0].select("below", "above").row(0)
    if below >= CLEAR * max(above, 1):
        count, sample = counted(Filter(rows, sides["below"]), [column.name], read)
        yield Violation(column.table, column.name, promise.finding, count, sample)


def own_rates(data: ShopData, promise: OwnRateCheck, read: Read) -> Iterator[Violation]:
    """Yield the rates of the shop's own currency that are not 1."""
    column, currency = promise.column, promise.currency
    if not (data.currency and data.is_supplied(column) and data.is_supplied(currency)):
        return
    lowering = lowering_of(data)
    rows = Tables(lowering).prepare(column.table, [column, currency])
    is_own = call(Op.EQ, lowering.value(currency), Lit(data.currency, "str"))
    odd = Filter(rows, call(Op.AND, is_own, lowering.predicate(column.ne(1))))
    count, sample = counted(odd, [currency.name, column.name], read)
    if count:
        yield Violation(column.table, column.name, promise.finding, count, sample)


def _is_sum(amount: Scalar, inside: Scalar, outside: Scalar) -> Scalar:
    """Return whether an amount is the sum of two, to the cent, and neither of them is zero."""
    cent = Lit(0.005, "float")
    rest = call(Op.SUBTRACT, amount, call(Op.ADD, inside, outside))
    near = call(Op.LT, rest, cent), call(Op.GT, rest, Lit(-0.005, "float"))
    some = (call(Op.GT, part, ZERO) for part in (inside, outside))
    return conjunction(*near, *some) or ZERO


def _is_far(amount: Scalar, inside: Scalar, outside: Scalar) -> Scalar:
    """Return whether an amount is not a sum, by more than roundings, nor that of all lines."""
    rest = call(Op.SUBTRACT, amount, inside)
    slack = call(Op.ADD, call(Op.MULTIPLY, inside, Lit(0.01, "float")), Lit(0.05, "float"))
    low = call(Op.SUBTRACT, ZERO, slack)
    is_far = call(Op.OR, call(Op.GT, rest, slack), call(Op.LT, rest, low))
    has_lines = call(Op.GT, call(Op.TO_FLOAT, Col("lines")), ZERO)
    others = call(Op.COALESCE, outside, ZERO)
    is_whole = _is_sum(amount, inside, others)
    return conjunction(is_far, has_lines, negate(is_whole)) or ZERO


def columns_in(predicate: Predicate) -> tuple[Column, ...]:
    """Return the columns that a condition reads."""
    return tuple(leaf for leaf in leaves(predicate) if isinstance(leaf, Column))

"""Guards: folds that show whether amounts that meet are of one currency."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from funnelkit.calendar.grain import Span
from funnelkit.data.shop_data import ShopData
from funnelkit.errors import ContractError, DataIssue
from funnelkit.formula.derived import FromChildren, dependencies
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
from funnelkit.formula.operators import Operator
from funnelkit.formula.properties import parts_of
from funnelkit.formula.values import (
    Column,
    Comparison,
    Dimension,
    IsBetween,
    IsNull,
    Literal,
    Lookup,
    Money,
    Operation,
    Predicate,
    Value,
)
from funnelkit.formula.walk import children, conjuncts, end_of, leaves
from funnelkit.planning.dimensions import conjunction, ending_in, nearest, path_name, with_leaves
from funnelkit.planning.plan import Fold, Guard, Shows, Step
from funnelkit.units import MONEY

__all__ = ["guard_steps", "is_money", "with_guards"]

_PLAIN = (Sum, Count, CountDistinct, Mean, Min, Max, Quantile, StdDev)


@dataclass(frozen=True, slots=True)
class _CurrencyOf:
    """Where the currency of an amount stands.

    Attributes:
        currency: The column of the currency; None for the shop's own.
        rate: The column of the rate at which it is converted to that.
    """

    currency: Column | Lookup | None = None
    rate: Column | Lookup | None = None

    def stands_beyond(self, key: Column) -> bool:
        """Return whether it stands in the row that a key points to, or nowhere."""
        stands = self.rate or self.currency
        return stands is None or (isinstance(stands, Lookup) and stands.key == key)


def is_money(native: PolarsExpr) -> bool:
    """Return whether a Polars expression gives an amount, or one per something."""
    return MONEY.powers[0] in native.unit.powers


def with_guards(data: ShopData, step: Step) -> Step:
    """Return a step with the guards of its amounts; a step that needs its own has them apart."""
    if not _is_guarded_within(data, step):
        return step
    return replace(step, folds=(*step.folds, *_guards(data, step)))


def guard_steps(data: ShopData, steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return steps of guards alone, for steps whose own rows do not show every amount.

    They are those whose folds are not made of rows one by one, those whose rows
    an amount decides on, as a row that it keeps out was compared as well, and those
    with an amount that is added up from rows of a finer table.
    """
    found: dict[Step, None] = {}
    for step in steps:
        if not data.guards or not (amounts := dict.fromkeys(_amounts_of(data, step))):
            continue
        wheres = [step.where, *dict.fromkeys(map(_inner_where, step.folds))]
        parts = (part for where in wheres for part in conjuncts(where))
        kept = conjunction(part for part in parts if not _reads_amounts(data, part))
        apart = step.first_of is None and not _is_guarded_within(data, step)
        if guards := _guards(data, step) if apart else ():
            own = replace(step, folds=guards, where=kept, to_date=False, entity_key=())
            found[own] = None
        origins = (origin for amount in amounts for origin in _origins(data, amount))
        found |= dict.fromkeys(_finer_steps(data, replace(step, where=kept), origins))
    return tuple(found)


def _finer_steps(data: ShopData, step: Step, origins: Iterable[Column | Lookup]) -> Iterator[Step]:
    """Yield steps of guards over the finer rows that amounts of a step are added up from.

    Rows whose currency is that of the row to which they are added need none.
    """
    for origin in origins:
        rule = None if data.is_supplied(end_of(origin)) else data.rule(end_of(origin))
        if isinstance(rule, FromChildren):
            key, parts = rule.key, parts_of(rule.aggregate)
            amounts = (amount for part in parts for amount in _amounts_in(data, part))
            finer = (_currency_of(data, one) for a in amounts for one in _origins(data, a))
            apart = [kind for kind in dict.fromkeys(finer) if not kind.stands_beyond(key)]
            guards = (_guard(data, key.table, kind, at) for at, kind in enumerate(apart))
            if folds := tuple(fold for some in guards for fold in some):
                yield _of_finer(data, step, rule, folds, _way(origin))


def _way(item: Column | Lookup) -> tuple[Column, ...]:
    """Return the keys that lead to the row that an item is of."""
    return (item.key, *_way(item.value)) if isinstance(item, Lookup) else ()


def _of_row(data: ShopData, item: Column | Lookup, way: Sequence[Column]) -> Column | Lookup | None:
    """Return what an item is of the row that keys lead to; None where it is of no such row."""
    for key in way:
        rule = data.rule(item) if isinstance(item, Column) else None
        found = rule if isinstance(rule, Lookup) and not data.is_supplied(end_of(item)) else item
        if not isinstance(found, Lookup) or found.key != key:
            return None
        item = found.value
    return item


def _of_finer(
    data: ShopData,
    step: Step,
    rule: FromChildren,
    folds: tuple[Fold, ...],
    way: Sequence[Column],
) -> Step:
    """Return a step over the finer rows that are added up into rows that a step reads.

    Conditions and groups that are not of those rows are left out: more rows are looked at.
    """

    def leaf(node: Column | Lookup | Dimension) -> Lookup:
        return Lookup(rule.key, cast("Column | Lookup", of_row(cast("Column | Lookup", node))))

    def of_row(item: Column | Lookup) -> Column | Lookup | None:
        return _of_row(data, item, way)

    def is_of_row(node: Value | Predicate) -> bool:
        return all(of_row(item) is not None for item in leaves(node))

    clock = data.clock_of(step.table)
    after = None if step.span.start is None else clock >= step.span.start
    before = None if step.span.end is None else clock < step.span.end
    parts = (*conjuncts(step.where), *(part for part in (after, before) if part is not None))
    where = conjunction(part for part in parts if is_of_row(part))
    entered = None if where is None else with_leaves(data, where, leaf)
    groups = [group for group in step.groups if is_of_row(group.value)]
    is_divided = any(group.is_period for group in groups)
    return Step(
        rule.key.table,
        folds,
        tuple(replace(group, value=leaf(group.value)) for group in groups),
        conjunction((entered, rule.aggregate.where)),
        step.calendar if is_divided else step.calendar.whole,
        Span(),
    )


def _is_guarded_within(data: ShopData, step: Step) -> bool:
    is_plain = all(isinstance(f.aggregate, _PLAIN) and f.aggregate.of is None for f in step.folds)
    return is_plain and not _reads_amounts(data, step.where)


def _inner_where(fold: Fold) -> Predicate | None:
    of = None if isinstance(fold.aggregate, PolarsExpr) else fold.aggregate.of
    return None if of is None else of.where


def _guards(data: ShopData, step: Step) -> tuple[Fold, ...]:
    """Return the guards of the amounts of a step; none where it reads no amounts."""
    if not data.guards:
        return ()
    amounts = dict.fromkeys(_amounts_of(data, step))
    origins = (origin for amount in amounts for origin in _origins(data, amount))
    kinds = dict.fromkeys(_currency_of(data, origin) for origin in origins)
    folds = (_guard(data, step.table, kind, number) for number, kind in enumerate(kinds))
    return tuple(fold for some in folds for fold in some)


def _guard(data: ShopData, table: str, kind: _CurrencyOf, number: int) -> Iterator[Fold]:
    rows, aggregates = data.known[table], dict[Shows, Count | Min | Max]()
    if kind.rate is not None:
        unrated = Count(rows, where=kind.rate.is_null())
        aggregates |= {Shows.CONVERTED: Count(rows), Shows.UNRATED: unrated}
    elif kind.currency is not None:
        aggregates |= {Shows.LOWEST: Min(kind.currency), Shows.HIGHEST: Max(kind.currency)}
        if isinstance(kind.currency, Column) and data.is_supplied(kind.currency):
            aggregates[Shows.UNNAMED] = Count(rows, where=kind.currency.is_null())
    elif _has_currencies(data):
        aggregates[Shows.OWN] = Count(rows)
    stands = kind.rate or kind.currency
    owner = table if stands is None else end_of(stands).table
    for shows, aggregate in aggregates.items():
        yield Fold(f"{shows} {number}", aggregate, aggregate, guard=Guard(shows, owner))


def _has_currencies(data: ShopData) -> bool:
    """Return whether amounts of some table may be in another currency than the shop's."""
    tables = (name for name, bound in data.tables.items() if bound.rows != 0)
    return any(data.has_currency(name) or data.rate(name) is not None for name in tables)


def _amounts_of(data: ShopData, step: Step) -> Iterator[Column | Lookup]:
    """Return the amounts that a step folds, compares or groups by."""
    for fold in step.folds:
        if isinstance(fold.aggregate, PolarsExpr):
            columns = fold.reads
            is_amount = is_money(fold.aggregate)
            yield from (c for c in columns if is_amount or _is_amount(data, c))
        else:
            for part in parts_of(fold.aggregate):
                yield from _amounts_in(data, part)
    for group in step.groups:
        yield from _amounts_in(data, group.value)
    if step.where is not None:
        yield from _amounts_in(data, step.where)


def _amounts_in(data: ShopData, node: Value | Predicate) -> Iterator[Column | Lookup]:
    """Return the amounts in a value or condition that would differ in another currency."""
    if isinstance(node, Column | Lookup):
        yield from (node,) if _is_amount(data, node) else ()
    elif not (isinstance(node, IsNull) or _holds_in_any_currency(data, node)):
        for child in children(node):
            yield from _amounts_in(data, child)


def _reads_amounts(data: ShopData, where: Predicate | None) -> bool:
    return where is not None and next(_amounts_in(data, where), None) is not None


def _is_amount(data: ShopData, item: Column | Lookup) -> bool:
    return isinstance(data.declared(end_of(item)), Money)


def _holds_in_any_currency(data: ShopData, node: Value | Predicate) -> bool:
    """Return whether amounts of one row are compared with 0, or with one another."""
    match node:
        case Comparison(_, left, right):
            sides: tuple[Value, ...] = (left, right)
        case IsBetween(value, low, high):
            sides = (value, low, high)
        case _:
            return False
    amounts = [end_of(leaf) for side in sides for leaf in leaves(side) if _is_amount(data, leaf)]
    powers = {_power(data, side) for side in sides if not _is_zero(side)}
    kinds = {(amount.table, data.is_cost(amount)) for amount in amounts}
    return len(powers) <= 1 and None not in powers and len(kinds) <= 1


def _is_zero(value: Value) -> bool:
    return isinstance(value, Literal) and value.value == 0


def _power(data: ShopData, value: Value) -> int | None:
    """Return the power of money that a value is of; None where it is of none."""
    match value:
        case Column() | Lookup():
            return int(_is_amount(data, value))
        case Operation(operator, left, right):
            one, two = _power(data, left), _power(data, right)
            if one is None or two is None:
                return None
            match operator:
                case Operator.MULTIPLY:
                    return one + two
                case Operator.DIVIDE:
                    return one - two
                case _:
                    return one if one == two else None
        case _:
            return None if any(_is_amount(data, leaf) for leaf in leaves(value)) else 0


def _origins(data: ShopData, item: Column | Lookup) -> Iterator[Column | Lookup]:
    """Return the amounts that an amount is made of, as they were supplied."""
    column = data.declared(end_of(item))
    rule = None if data.is_supplied(column) else data.rule(column)
    if rule is None or isinstance(rule, FromChildren):
        yield ending_in(item, column)
        return
    for leaf in dependencies(rule):
        if _is_amount(data, leaf):
            yield from _origins(data, ending_in(item, leaf))


def _currency_of(data: ShopData, item: Column | Lookup) -> _CurrencyOf:
    """Return the currency of an amount: of its own table, else of the nearest parent's.

    Raises:
        ContractError: Two parents are equally near.
    """
    column, name = end_of(item), data.schema.currency_column
    if data.is_cost(column):
        return _CurrencyOf()
    if rate := data.rate(column.table):
        return _CurrencyOf(rate=ending_in(item, rate))
    found = nearest(data, column.table, name)
    if len(found) > 1:
        problem = (
            f"could be {' or '.join(map(path_name, found))}: the currency of {column} is unknown"
        )
        remedy = f"supply a column {name} in {column.table}, or leave out all of these but one"
        raise ContractError([DataIssue(column.table, name, problem, remedy)])
    return _CurrencyOf(currency=ending_in(item, found[0])) if found else _CurrencyOf()

"""Canonical tables as lazy frames, with the derived columns that are wanted and no others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from funnelkit.calendar.zones import localised
from funnelkit.data.shop_data import ShopData
from funnelkit.data.value_types import ValueType, value_type
from funnelkit.engines.polars.expressions import Compiler, column_name
from funnelkit.errors import ContractError, DataIssue, DefinitionError, MissingInputError
from funnelkit.formula.derived import (
    RATE_DAYS,
    Default,
    Everywhere,
    FirstOver,
    FromChildren,
    NextOver,
    NumberOver,
    PeriodOf,
    PreviousOver,
    RateOn,
    Rule,
    dependencies,
)
from funnelkit.formula.formulas import Count, Sum
from funnelkit.formula.values import Column, Lookup, Money, Predicate, PredicateNode
from funnelkit.formula.walk import leaves

__all__ = ["TablePreparer"]

_PARENT, _DAY = "#parent", "#day"


@dataclass(slots=True)
class TablePreparer:
    """Prepares the tables of one shop; remembers which it has used."""

    data: ShopData
    compiler: Compiler
    collect: Callable[[pl.LazyFrame], pl.DataFrame]
    used: set[str] = field(default_factory=set)

    def prepare(
        self, table: str, wants: Iterable[Column | Lookup], *, prorate: bool = False
    ) -> pl.LazyFrame:
        """Give a table with every wanted column and lookup in it.

        Args:
            table: The table.
            wants: Columns of it, and lookups that start in it.
            prorate: Whether a row that covers several days becomes a row per day.
        """
        self.used.add(table)
        frame = self.data.tables[table].frame
        items, done = self._ordered(table, wants), set[str]()
        amounts = [
            item for item in items if isinstance(item, Money) and self.data.is_supplied(item)
        ]
        if amounts and (rate := self.data.rate(table)):
            frame = self._add(frame, self._ordered(table, [rate]), done)
            frame = frame.with_columns(pl.col(a.name) * pl.col(rate.name) for a in amounts)
        frame = self._add(frame, items, done)
        return self._prorated(frame, table) if prorate else frame

    def _add(
        self, frame: pl.LazyFrame, items: list[Column | Lookup], done: set[str]
    ) -> pl.LazyFrame:
        """Add what is not in a frame yet, each after what it rests on."""
        lookups = [item for item in items if isinstance(item, Lookup)]
        for item in items:
            if column_name(item) in done:
                continue
            if isinstance(item, Lookup):
                same = [other for other in lookups if _way(other) == _way(item)]
                frame = self._look_up(frame, item.key, same)
                done |= {column_name(other) for other in same}
            elif not self.data.is_supplied(item):
                frame = self._derive(frame, item)
                done.add(item.name)
        return frame

    def _ordered(self, table: str, wants: Iterable[Column | Lookup]) -> list[Column | Lookup]:
        """Give what is wanted and what it rests on, each after what it rests on."""
        order: dict[Column | Lookup, None] = {}

        def visit(item: Column | Lookup) -> None:
            if item in order:
                return
            for needed in self._needs(item):
                if _table(needed) == table:
                    visit(needed)
            order[item] = None

        for item in wants:
            visit(item)
        return list(order)

    def _needs(self, item: Column | Lookup) -> tuple[Column | Lookup, ...]:
        if isinstance(item, Lookup):
            return (item.key,)
        if self.data.is_supplied(item):
            return ()
        rule = self._rule(item)
        if isinstance(rule, FromChildren | Everywhere):
            owner = self.data.known[item.table]
            return (owner.get(owner.key[0]),)
        return dependencies(rule)

    def _rule(self, column: Column) -> Rule:
        rule = self.data.rule(column)
        if rule is None:
            raise MissingInputError({str(column): ("the question",)})
        return rule

    def _look_up(self, frame: pl.LazyFrame, key: Column, lookups: list[Lookup]) -> pl.LazyFrame:
        """Add columns of the parent that a key points to; never more than one row each."""
        parent = self.data.known[_table(lookups[0].value)]
        target = parent.get(parent.key[0])
        self._check_types(key, target)
        wants = [lookup.value for lookup in lookups]
        source = self.prepare(parent.table, [target, *wants])
        looked_up = source.select(
            self.compiler.value(target).alias(_PARENT),
            *(pl.col(column_name(item.value)).alias(column_name(item)) for item in lookups),
        )
        if self._is_smaller(key, parent.table):
            pointed = self._values(key, self.data.tables[key.table].frame)
            looked_up = looked_up.filter(pl.col(_PARENT).is_in(pointed))
        return frame.join(looked_up, left_on=column_name(key), right_on=_PARENT, how="left")

    def _check_types(self, key: Column, target: Column) -> None:
        one, two = self.data.type_of(key), self.data.type_of(target)
        if one is not None and two is not None and one != two:
            problem = f"is {one}, and {target} that it points to is {two}"
            raise ContractError([DataIssue(key.table, key.name, problem, "cast one to the other")])

    def _values(self, key: Column, children: pl.LazyFrame) -> pl.Expr:
        """Read the keys that rows of a finer table point to, to look for in the coarser one.

        A filter by few keys, pushed into the scan, is cheaper than a join with all.
        """
        keys = children.select(key.name).filter(pl.col(key.name).is_not_null())
        return pl.lit(self.collect(keys).to_series().unique()).implode()

    def _is_smaller(self, key: Column, parent: str) -> bool:
        """Whether few rows of the parent are pointed to: a left join hashes all it is given."""
        child, other = self.data.size(key.table), self.data.size(parent)
        if child is None or other is None or not self.data.is_supplied(key):
            return False
        return 2 * child < other

    def _derive(self, frame: pl.LazyFrame, column: Column) -> pl.LazyFrame:
        rule, name = self._rule(column), column.name
        match rule:
            case Default(value):
                return frame.with_columns(pl.lit(value).alias(name))
            case FromChildren():
                return self._from_children(frame, column, rule)
            case Everywhere(key, predicate):
                children = self.prepare(key.table, [key, *leaves(predicate)])
                holds = self.compiler.predicate(predicate).fill_null(value=False)
                folded = children.group_by(pl.col(key.name).alias(_PARENT)).agg(
                    holds.all().alias(name)
                )
                joined = self._join_children(frame, column, folded)
                return joined.with_columns(pl.col(name).fill_null(value=False))
            case NumberOver(key, order, where):
                enters = self._enters(where, key, order[0])
                return _numbered(_in_order(frame, key, order), name, key, enters)
            case FirstOver(key, value, where):
                known = self.compiler.predicate(where) & pl.col(key.name).is_not_null()
                earliest = pl.col(value.name).min().alias(name)
                first = frame.filter(known).group_by(key.name).agg(earliest)
                return frame.join(first, on=key.name, how="left")
            case PreviousOver(key, value, order, where):
                enters = self._enters(where, key, order[0])
                return _preceded(_in_order(frame, key, order), name, key, value, enters)
            case NextOver(key, value, order, where):
                turned = _in_order(frame, key, order).reverse()
                enters = self._enters(where, key, order[0])
                return _preceded(turned, name, key, value, enters).reverse()
            case RateOn():
                return self._rated(frame, name, rule)
            case PeriodOf(time):
                problem = f"{column} is the period in which {time} lies: rows are grouped by it"
                raise DefinitionError(problem, f"compare {time} itself")
            case PredicateNode():
                return frame.with_columns(self.compiler.predicate(rule).alias(name))
            case _:
                return frame.with_columns(self.compiler.value(rule).alias(name))

    def _rated(self, frame: pl.LazyFrame, name: str, rule: RateOn) -> pl.LazyFrame:
        """Add the rate of the row's currency on its day; the shop's own is worth one."""
        clock, currency, _ = rule.rates
        on, of, worth = (pl.col(column.name) for column in rule.rates)
        days = pl.date_ranges(on, on + dt.timedelta(days=RATE_DAYS))
        local = self.compiler.local(clock).cast(pl.Date)
        rates = self.prepare(clock.table, rule.rates).sort(on).with_columns(local)
        held = rates.with_columns(days.alias(_DAY)).explode(_DAY).sort(on, maintain_order=True)
        grid = held.unique([currency.name, _DAY], keep="last", maintain_order=True)
        money = column_name(rule.currency)
        rated = frame.with_columns(self.compiler.local(rule.day).cast(pl.Date).alias(_DAY)).join(
            grid.select(of.alias(_PARENT), _DAY, worth.alias(name)),
            left_on=[money, _DAY],
            right_on=[_PARENT, _DAY],
            how="left",
        )
        is_own = pl.col(money) == self.data.currency
        return rated.with_columns(pl.when(is_own).then(1.0).otherwise(pl.col(name)).alias(name))

    def _enters(self, where: Predicate, key: Column, clock: Column) -> pl.Expr:
        has_both = pl.col(key.name).is_not_null() & pl.col(clock.name).is_not_null()
        return (self.compiler.predicate(where) & has_both).fill_null(value=False)

    def _from_children(
        self, frame: pl.LazyFrame, column: Column, rule: FromChildren
    ) -> pl.LazyFrame:
        wants = [column for column in dependencies(rule) if _table(column) == rule.key.table]
        children = self.prepare(rule.key.table, wants).filter(pl.col(rule.key.name).is_not_null())
        if rule.says_any and self._is_smaller(rule.key, column.table):
            where = rule.aggregate.where
            counted = children if where is None else children.filter(self.compiler.predicate(where))
            own = pl.col(self.data.known[column.table].key[0])
            is_any = own.is_in(self._values(rule.key, counted)).fill_null(value=False)
            return frame.with_columns(is_any.alias(column.name))
        fold = self.compiler.aggregate(rule.aggregate)
        if rule.everywhere is not None:
            holds = self.compiler.predicate(rule.everywhere).fill_null(value=False)
            fold = pl.when(holds.all()).then(fold)
        folded = children.group_by(pl.col(rule.key.name).alias(_PARENT)).agg(
            fold.alias(column.name)
        )
        joined = self._join_children(frame, column, folded)
        found = pl.col(column.name)
        if isinstance(rule.aggregate, Sum | Count) and rule.everywhere is None:
            found = found.fill_null(0)
        if rule.above is not None:
            found = found > rule.above
        return joined.with_columns(found)

    def _join_children(
        self, frame: pl.LazyFrame, column: Column, folded: pl.LazyFrame
    ) -> pl.LazyFrame:
        key = self.data.known[column.table].key[0]
        return frame.join(folded, left_on=key, right_on=_PARENT, how="left")

    def _prorated(self, frame: pl.LazyFrame, name: str) -> pl.LazyFrame:
        """Turn a row that covers several days into one row per day, its amounts shared out."""
        table = self.data.known[name]
        if table.prorate is None:
            return frame
        first, last, amounts = table.prorate.first, table.prorate.last, table.prorate.amounts
        begin, end = (self.compiler.local(table.get(name)).cast(pl.Date) for name in (first, last))
        days = pl.date_ranges(begin, end)
        shares = [pl.col(amount) / days.list.len() for amount in amounts]
        kept = frame.filter(pl.col(last) >= pl.col(first))
        shared = kept.with_columns(*shares, days.alias(first)).explode(first)
        return shared.with_columns(self._as_bound(table.get(first)))

    def _as_bound(self, clock: Column) -> pl.Expr:
        """Give a day that has taken the place of a time the type that the time has."""
        day = pl.col(clock.name)
        if value_type(self.data, clock) is ValueType.DAY:
            return day
        local = day.cast(pl.Datetime("us"))
        if value_type(self.data, clock) is ValueType.LOCAL:
            return local
        zone = self.data.calendar.time_zone
        return localised(local, zone).dt.convert_time_zone("UTC")


def _way(item: Lookup) -> tuple[Column, str]:
    """Give the key by which a lookup goes, and the table that it goes to."""
    return item.key, _table(item.value)


def _table(item: Column | Lookup) -> str:
    return item.key.table if isinstance(item, Lookup) else item.table


def _in_order(frame: pl.LazyFrame, key: Column, order: Sequence[Column]) -> pl.LazyFrame:
    """Sort rows by their key, and within it by time."""
    return frame.sort(key.name, *(part.name for part in order))


def _numbered(ordered: pl.LazyFrame, name: str, key: Column, enters: pl.Expr) -> pl.LazyFrame:
    """Number the rows that enter from 1 within their key; rows are sorted by key and time."""
    owner, one = pl.col(key.name), enters.cast(pl.Int64)
    is_new = owner.ne_missing(owner.shift(1))
    before = pl.when(is_new).then(one.cum_sum() - one).forward_fill().fill_null(0)
    return ordered.with_columns(pl.when(enters).then(one.cum_sum() - before).alias(name))


def _preceded(
    ordered: pl.LazyFrame, name: str, key: Column, value: Column, enters: pl.Expr
) -> pl.LazyFrame:
    """Give each row that enters the value of the one before it; rows are sorted as above."""
    owner, known = pl.col(key.name), enters & pl.col(value.name).is_not_null()
    last_owner = pl.when(known).then(owner).forward_fill().shift(1)
    last = pl.when(known).then(pl.col(value.name)).forward_fill().shift(1)
    return ordered.with_columns(pl.when(enters & (last_owner == owner)).then(last).alias(name))

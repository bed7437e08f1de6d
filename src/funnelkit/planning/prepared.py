"""Tables as relations, with the derived columns that are wanted and no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from funnelkit.calendar.grain import Span
from funnelkit.data.shop_data import ShopData
from funnelkit.data.value_types import ValueType, value_type
from funnelkit.errors import (
    ContractError,
    DataIssue,
    DefinitionError,
    MissingInputError,
)
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
from funnelkit.formula.operators import Relation
from funnelkit.formula.values import (
    Category,
    Column,
    Comparison,
    Literal,
    Lookup,
    Predicate,
    PredicateNode,
)
from funnelkit.planning.kinds import kind_of, literal
from funnelkit.planning.lowering import FALSE, TRUE, ZERO, Folded, Lowering
from funnelkit.planning.magnitude import settled_aggregate
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Col,
    EachDay,
    Exists,
    Filter,
    Kind,
    LeftJoin,
    Lit,
    Named,
    Op,
    Over,
    OverOp,
    Rel,
    Scalar,
    Scan,
    Select,
    call,
    columns_of,
    conjunction,
    extend,
    filtered,
    when,
    whole,
)
from funnelkit.planning.traversal import mapped_scalar

__all__ = ["Tables", "aggregated"]

Item = Column | Lookup


@dataclass(slots=True)
class Tables:
    """Prepares the tables of one shop; what several steps need is prepared once.

    Attributes:
        lowering: How the values of rows are written.
        prepared: What was prepared.
    """

    lowering: Lowering
    prepared: dict[tuple[str, frozenset[Item], bool], Rel] = field(
        default_factory=dict[tuple[str, frozenset[Item], bool], Rel]
    )

    def prepare(self, table: str, wants: Iterable[Item], *, prorate: bool = False) -> Rel:
        """Return a table with every wanted column and lookup in it.

        Args:
            table: The table.
            wants: Columns of it, and lookups that start in it.
            prorate: Whether a row that covers several days becomes a row per day.
        """
        items = self._ordered(table, [*wants, *(self._days(table) if prorate else ())])
        place = (table, frozenset(items), prorate)
        if place not in self.prepared:
            rel = self._prepare(table, items, prorate=prorate)
            # counted last: the same table may have been prepared for one that this rests on
            number = sum(known == table for known, _, _ in self.prepared)
            is_plain = isinstance(rel, Scan)
            name = self.lowering.names.of((table, number), f"{table}_prepared")
            self.prepared[place] = rel if is_plain else Named(name, rel)
        return self.prepared[place]

    def _days(self, table: str) -> list[Column]:
        declared = self.lowering.data.known[table]
        return (
            [] if declared.prorate is None else [*map(declared.get, declared.prorate.columns[:2])]
        )

    def _prepare(self, table: str, items: list[Item], *, prorate: bool) -> Rel:
        data, done = self.lowering.data, set[Item]()
        supplied = [i for i in items if isinstance(i, Column) and data.is_supplied(i)]
        rates = {i.name: rate for i in supplied if (rate := data.rate_of(i)) is not None}
        rate = next(iter(rates.values()), None)
        first = [] if rate is None else self._ordered(table, [rate])
        rel: Rel = self._scan(table, [*first, *items])
        if rate is not None:
            rel = self._add(rel, first, done)
            worth = self.lowering.number(rate)
            amounts = (i for i in supplied if i.name in rates)
            paid = {a.name: call(Op.MULTIPLY, self.lowering.number(a), worth) for a in amounts}
            rel = extend(rel, **paid)
        rel = self._add(rel, items, done)
        return self._prorated(rel, table) if prorate else rel

    def _scan(self, table: str, items: Iterable[Item]) -> Scan:
        bound = self.lowering.data.tables[table].columns
        read = dict.fromkeys(i.name for i in items if isinstance(i, Column) and i.name in bound)
        # a relation without columns would not know how many rows it has
        names = list(read) or list(bound)[:1]
        return Scan(table, tuple((name, self._kind(table, name)) for name in names))

    def _kind(self, table: str, name: str) -> Kind:
        return kind_of(self.lowering.data, self.lowering.data.column(table, name))

    def _add(self, rel: Rel, items: list[Item], done: set[Item]) -> Rel:
        """Add what is not in a relation yet, each after what it rests on."""
        for item in items:
            if item in done:
                continue
            if isinstance(item, Lookup):
                lookups = (o for o in items if isinstance(o, Lookup) and o not in done)
                same = [other for other in lookups if _way(other) == _way(item)]
                rel = self._look_up(rel, item.key, same)
                done |= set(same)
            elif not self.lowering.data.is_supplied(item):
                columns = [item, *self._folded_with(item, items)]
                rel = self._derive(rel, columns)
                done |= set(columns)
        return rel

    def _folded_with(self, column: Column, items: Iterable[Item]) -> list[Column]:
        """Return the other columns that fold the same rows of a finer table: in the same step.

        They rest on nothing else of their own table.
        """
        key = _fold_key(self._rule(column))
        if key is None:
            return []
        is_supplied = self.lowering.data.is_supplied
        derived = [i for i in items if isinstance(i, Column) and i != column and not is_supplied(i)]
        return [other for other in derived if _fold_key(self._rule(other)) == key]

    def _ordered(self, table: str, wants: Iterable[Item]) -> list[Item]:
        """Return what is wanted and what it rests on, each after what it rests on."""
        order: dict[Item, None] = {}

        def visit(item: Item) -> None:
            if item in order:
                return
            for needed in self._needs(item):
                if _table(needed) == table:
                    visit(needed)
            order[item] = None

        for item in wants:
            visit(item)
        return list(order)

    def _needs(self, item: Item) -> tuple[Item, ...]:
        if isinstance(item, Lookup):
            return (item.key,)
        if self.lowering.data.is_supplied(item):
            return ()
        rule = self._rule(item)
        if isinstance(rule, FromChildren | Everywhere):
            return (self.lowering.data.key_of(item.table),)
        return dependencies(rule)

    def _rule(self, column: Column) -> Rule:
        rule = self.lowering.data.rule(column)
        if rule is None:
            raise MissingInputError({str(column): ("the question",)})
        if isinstance(rule, Everywhere) and _holds_nowhere(self.lowering.data, rule.predicate):
            return Default(value=False, absent=())  # most shops have no gift cards to look for
        return rule

    def _look_up(self, rel: Rel, key: Column, lookups: list[Lookup]) -> Rel:
        """Add columns of the parent that a key points to."""
        target = self.lowering.data.key_of(_table(lookups[0].value))
        self._check_types(key, target)
        source = self._parents(target, [lookup.value for lookup in lookups])
        name = self.lowering.name
        take = tuple((name(item), name(item.value)) for item in lookups)
        return LeftJoin(rel, source, ((name(key), name(target)),), take)

    def _parents(self, target: Column, wants: Sequence[Item]) -> Rel:
        """Return the rows of a parent with its key and what is wanted of it.

        An order, session, event or cart that follows a given moment does not count, and no more
        is known of it. A customer or a product is what the data says, whenever it was added.
        """
        data, lowering = self.lowering.data, self.lowering
        clock = data.clock_of(target.table)
        before = self._known_before(clock) if clock in data.schema.clocks else None
        if before is None:
            return self.prepare(target.table, [target, *wants])
        rows, counted = self.prepare(target.table, [target, clock, *wants]), data.clocks()[clock]
        return extend(
            rows,
            **{
                lowering.name(item): call(Op.AND, lowering.value(item), before)
                if item == counted
                else when(before, lowering.value(item))
                for item in wants
                if item != target
            },
        )

    def _known_before(self, clock: Column) -> Scalar | None:
        """Return the condition that a row does not follow a given moment, if one was given.

        What has no time of its own is there as long as the row that it belongs to.
        """
        is_supplied = self.lowering.data.is_supplied(clock)
        before = self.lowering.before_as_of(clock) if is_supplied else None
        return before and call(Op.OR, call(Op.IS_NULL, self.lowering.value(clock)), before)

    def _check_types(self, key: Column, target: Column) -> None:
        one, two = self.lowering.data.type_of(key), self.lowering.data.type_of(target)
        if one is not None and two is not None and one != two:
            problem = f"is {one}, and {target} that it points to is {two}"
            raise ContractError([DataIssue(key.table, key.name, problem, "cast one to the other")])

    def _derive(self, rel: Rel, columns: Sequence[Column]) -> Rel:
        """Add a column, and with it those that `_folded_with` names."""
        column = columns[0]
        rule = self._rule(column)
        match rule:
            case FromChildren() if rule.says_any:
                return self._points_here(rel, column, rule)
            case FromChildren() | Everywhere():
                return self._of_children(rel, columns)
            case RateOn():
                return self._rated(rel, column.name, rule)
            case PeriodOf(time):
                problem = f"{column} is the period in which {time} lies: rows are grouped by it"
                raise DefinitionError(problem, f"compare {time} itself")
            case Default(value):
                new: Scalar = literal(value)
            case NumberOver(key, order, where):
                enters = self._enters(where, key, order[0])
                window = Over(OverOp.ROW_NUMBER, None, (self._col(key), enters), self._cols(order))
                new = when(enters, window)
            case FirstOver(key, value, where):
                before = self.lowering.before_as_of(value)
                enters = conjunction(self.lowering.predicate(where), before) or TRUE
                window = Over(OverOp.MIN, when(enters, self._col(value)), (self._col(key),))
                new = when(self.lowering.known(key), window)
            case PreviousOver(key, value, order, where) | NextOver(key, value, order, where):
                op = OverOp.PREVIOUS if isinstance(rule, PreviousOver) else OverOp.NEXT
                enters = self._enters(where, key, order[0])
                owner = (self._col(key), enters)
                new = when(enters, Over(op, self._col(value), owner, self._cols(order)))
            case PredicateNode():
                new = self.lowering.predicate(rule)
            case _:
                new = self.lowering.value(rule)
        return extend(rel, **{column.name: new})

    def _col(self, column: Column) -> Col:
        return self.lowering.column(column)

    def _cols(self, columns: Sequence[Column]) -> tuple[Scalar, ...]:
        return tuple(map(self._col, columns))

    def _enters(self, where: Predicate, key: Column, clock: Column) -> Scalar:
        """Return the condition that a row takes part in a window; never null."""
        known = (self.lowering.known(key), self.lowering.within(clock, Span()))
        return call(
            Op.COALESCE, conjunction(self.lowering.predicate(where), *known) or FALSE, FALSE
        )

    def _points_here(self, rel: Rel, column: Column, rule: FromChildren) -> Rel:
        """Add whether rows of a finer table point here."""
        where = self.lowering.condition(rule.aggregate.where)
        children = self._children(rule.key, _of_finer(rule), where)
        name = self.lowering.name
        on = (name(self.lowering.data.key_of(column.table)), name(rule.key))
        return Exists(rel, children, on, column.name)

    def _of_children(self, rel: Rel, columns: Sequence[Column]) -> Rel:
        """Add aggregates of the rows of a finer table that point here."""
        rules = {column.name: self._rule(column) for column in columns}
        folded = {n: r for n, r in rules.items() if isinstance(r, FromChildren | Everywhere)}
        key = next(iter(folded.values())).key
        wants = dict.fromkeys(item for rule in folded.values() for item in _of_finer(rule))
        children = self._children(key, wants)
        name = self.lowering.name
        folds = [self._fold(column, folded[column.name]) for column in columns]
        on = (name(self.lowering.data.key_of(columns[0].table)), name(key))
        taken = tuple((each, each) for each in folded)
        joined = LeftJoin(rel, aggregated(children, (name(key),), folds), (on,), taken)
        found = {each: _where_none(Col(each), rule) for each, rule in folded.items()}
        return extend(joined, **{n: value for n, value in found.items() if value != Col(n)})

    def _children(self, key: Column, wants: Iterable[Item], where: Scalar | None = None) -> Rel:
        """Return the rows of a finer table that have a key, and do not follow a given moment."""
        data, known = self.lowering.data, [self.lowering.known(key), where]
        clock = data.clock_of(key.table)
        if clock not in data.schema.planned_clocks and (before := self._known_before(clock)):
            wants = [*wants, clock]
            known.append(before)
        return filtered(self.prepare(key.table, wants), conjunction(*known))

    def _fold(self, column: Column, rule: FromChildren | Everywhere) -> Folded:
        name = column.name
        if isinstance(rule, Everywhere):
            return Folded(name, {name: self._all(rule.predicate)}, Col(name))
        fold = settled_aggregate(self.lowering, rule.aggregate, name)
        if rule.everywhere is None:
            return fold
        holds = self.lowering.names.of((column, "holds"), f"{name}_holds")
        folds = {**fold.folds, holds: self._all(rule.everywhere)}
        return Folded(fold.name, folds, when(Col(holds), fold.last))

    def _all(self, predicate: Predicate) -> Agg:
        return Agg(AggOp.ALL, self.lowering.predicate(predicate))

    def _rated(self, rel: Rel, name: str, rule: RateOn) -> Rel:
        """Add the rate of the row's currency on its day; the shop's own is worth one.

        A rate holds for a few days: of those that hold on a day the latest is taken.
        """
        clock, currency, worth = rule.rates
        day, rank = (self.lowering.names.of((rule, part), part) for part in ("day", "rank"))
        first = self.lowering.day(clock)
        last = call(Op.SHIFT_DAYS, first, whole(RATE_DAYS))
        known = filtered(self.prepare(clock.table, rule.rates), self.lowering.before_as_of(clock))
        days = EachDay(known, day, first, last)
        latest = Over(
            OverOp.ROW_NUMBER, None, (self._col(currency), Col(day)), (self._col(clock),),
            is_descending=True,
        )  # fmt: skip
        held = Filter(extend(days, **{rank: latest}), call(Op.EQ, Col(rank), whole(1)))
        money = self.lowering.name(rule.currency)
        dated = extend(rel, **{day: self.lowering.day(rule.day)})
        on = ((money, currency.name), (day, day))
        joined = LeftJoin(dated, held, on, ((name, worth.name),))
        is_own = call(Op.EQ, Col(money), Lit(self.lowering.data.currency, "str"))
        found = call(Op.TO_FLOAT, Col(name))
        rated = when(is_own, Lit(1.0, "float"), otherwise=found)
        kept = ((c, Col(c)) for c in columns_of(rel) if c != name)
        return Select(joined, (*kept, (name, rated)))

    def _prorated(self, rel: Rel, table: str) -> Rel:
        """Return one row per day for a row that covers several days, its amounts prorated."""
        declared = self.lowering.data.known[table]
        if declared.prorate is None:
            return rel
        first, last = declared.prorate.first, declared.prorate.last
        amounts = declared.prorate.amounts
        begin, end = (self.lowering.day(declared.get(name)) for name in (first, last))
        is_ordered = call(Op.GE, Col(last), Col(first))
        length = call(Op.TO_FLOAT, call(Op.DAYS_BETWEEN, begin, end))
        length = call(Op.ADD, length, Lit(1.0, "float"))
        shares = {
            name: call(Op.DIVIDE, call(Op.TO_FLOAT, Col(name)), length)
            for name in amounts
            if name in columns_of(rel)
        }
        day = self.lowering.names.of((table, "each day"), "day")
        days = EachDay(extend(Filter(rel, is_ordered), **shares), day, begin, end)
        clock = self._as_bound(declared.get(first), Col(day))
        return Select(days, tuple((c, clock if c == first else Col(c)) for c in columns_of(rel)))

    def _as_bound(self, clock: Column, day: Scalar) -> Scalar:
        """Return a day that takes the place of a time as a time of its kind."""
        sort = value_type(self.lowering.data, clock)
        if sort is ValueType.DAY:
            return day
        local = call(Op.MIDNIGHT, day)
        return local if sort is ValueType.LOCAL else self.lowering.first_instant(local)


def aggregated(rows: Rel, keys: Sequence[str], folds: Sequence[Folded]) -> Rel:
    """Return rows aggregated by keys, and what is made of the aggregates."""
    columns: dict[Agg, str] = {}
    for fold in folds:
        for name, agg in fold.folds.items():
            columns.setdefault(agg, name)
    found = Aggregate(rows, tuple(keys), tuple((name, agg) for agg, name in columns.items()))
    last = tuple((fold.name, _of_columns(fold, columns)) for fold in folds)
    if all(scalar == Col(name) for name, scalar in last):
        return found
    return Select(found, (*((key, Col(key)) for key in keys), *last))


def _of_columns(fold: Folded, columns: Mapping[Agg, str]) -> Scalar:
    """Return the value of a fold, of the columns that its aggregates are in."""
    places = {name: columns[agg] for name, agg in fold.folds.items()}

    def change(scalar: Scalar) -> Scalar:
        return Col(places.get(scalar.name, scalar.name)) if isinstance(scalar, Col) else scalar

    is_moved = any(place != name for name, place in places.items())
    return mapped_scalar(fold.last, change) if is_moved else fold.last


def _way(item: Lookup) -> tuple[Column, str]:
    """Return the key by which a lookup goes, and the table that it goes to."""
    return item.key, _table(item.value)


def _table(item: Item) -> str:
    return item.key.table if isinstance(item, Lookup) else item.table


def _holds_nowhere(data: ShopData, predicate: Predicate) -> bool:
    """Return whether a column is compared with a word that it was found not to hold.

    It must be found to hold words of its vocabulary alone: what else it holds is an error of
    the numbers that rest on it.
    """
    match predicate:
        case Comparison(Relation.EQ, Category() as column, Literal(word)):
            seen = data.seen_words.get(column)
            if seen is None or column.is_open or column.table not in data.seen:
                return False
            return word not in seen.meant.values() and not seen.others(column.values)
        case _:
            return False


def _fold_key(rule: Rule) -> Column | None:
    """Return the key of the finer table whose rows a rule folds, if it does."""
    match rule:
        case FromChildren() if rule.says_any:
            return None
        case FromChildren(key) | Everywhere(key):
            return key
        case _:
            return None


def _of_finer(rule: FromChildren | Everywhere) -> list[Item]:
    """Return what a fold of a finer table reads of it."""
    return [item for item in dependencies(rule) if _table(item) == rule.key.table]


def _where_none(found: Scalar, rule: FromChildren | Everywhere) -> Scalar:
    """Return a fold of the rows that point here, with what it is where none does."""
    if isinstance(rule, Everywhere):
        return call(Op.COALESCE, found, FALSE)
    if isinstance(rule.aggregate, Sum | Count) and rule.everywhere is None:
        found = call(Op.COALESCE, found, ZERO if isinstance(rule.aggregate, Sum) else whole(0))
    return found if rule.above is None else call(Op.GT, found, whole(rule.above))

"""Hints: what a definition may mean that its author does not, read from the formula alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain

from funnelkit.arguments import check_kind
from funnelkit.catalog import BUILT_IN
from funnelkit.catalog.default import registry
from funnelkit.formula.derived import Everywhere, FromChildren, dependencies
from funnelkit.formula.formulas import (
    Aggregate,
    Applied,
    Arithmetic,
    Count,
    CountDistinct,
    Formula,
    Mean,
    PeriodDays,
    Reference,
    Sum,
    measured,
    source_of,
)
from funnelkit.formula.operators import Operator
from funnelkit.formula.properties import additivity, aggregates, natives, parts_of
from funnelkit.formula.table import Rows, Table
from funnelkit.formula.values import (
    Category,
    Column,
    If,
    Lookup,
    Operation,
    PerKeyColumn,
    Predicate,
    Value,
    unit_of,
)
from funnelkit.formula.walk import children, end_of, leaves, nodes_in
from funnelkit.metrics.metric import Metric
from funnelkit.schema.policies import POLICIES
from funnelkit.schema.tables import known_tables
from funnelkit.schema.totals import TOTALS
from funnelkit.schema.traffic import Sessions
from funnelkit.testing.inputs import RULES_OF, check_declared
from funnelkit.units import CUSTOMER, FOLLOWER, RECIPIENT, VISITOR

__all__ = ["Hint", "hints"]

PEOPLE = (CUSTOMER, FOLLOWER, RECIPIENT, VISITOR)
"""The units of those who come back: two counts may hold the same one."""

COUNTED = "is_counted"
"""The flag by which a table says which of its rows count."""

DECIDING = {
    Sessions.is_bot,
    *(
        leaf
        for policy in POLICIES.values()
        for condition in (policy.counted_orders, policy.counted_returns)
        for leaf in leaves(condition)
        if isinstance(leaf, Category)
    ),
}
"""The columns that decide which rows count: a condition on one is about just that."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A part of a formula that may mean something else than intended.

    Attributes:
        name: The kind: stock, people, counted, rate or repeated.
        part: The part of the formula, as text.
        text: What it does, and what is usual instead.
    """

    name: str
    part: str
    text: str

    def __str__(self) -> str:
        return f"{self.part} {self.text}"


@dataclass(frozen=True, slots=True)
class _Definition:
    """A formula whose names are looked up, and the tables that it may read."""

    formula: Formula
    tables: Mapping[str, type[Table]]

    @property
    def folds(self) -> Iterator[tuple[Aggregate, type[Table]]]:
        """Every aggregate, with the table that it reads."""
        return ((fold, self.tables[source_of(fold)]) for fold in aggregates(self.formula))


def hints(metric: Metric, *, tables: Iterable[type[Table]] = ()) -> list[Hint]:
    """Return the parts of a metric that may mean something else than intended.

    A hint is advice: a metric that has one may be right. Nothing is evaluated; hints
    follow from the formula and from the declarations of the tables.

    Args:
        metric: The metric; names in its formula are looked up in the default registry.
        tables: Declarations of the tables it reads beyond the canonical ones.

    Returns:
        The hints, each once: stocks that are added over time, counts of people that are
        added, rows that do not count, rates that are added or averaged, and amounts of a
        parent that are added once per row.

    Raises:
        DefinitionError: It reads a table that is not declared.

    Examples:
        >>> import funnelkit as fk
        >>> from funnelkit.testing import hints
        >>> placed = fk.Metric(name="placed", formula="sum(orders.gross_amount) / count(orders)")
        >>> for hint in hints(placed):
        ...     print(hint.name, "in", hint.part)
        counted in sum(orders.gross_amount)
        counted in count(orders)
    """
    check_kind("metric", metric, (Metric,), "look it up: fk.registry()['aov']")
    resolved, known = metric.resolved(registry()), known_tables(tables)
    check_declared(resolved, known)
    definition = _Definition(resolved.formula, known)
    kinds = (_stocks, _people, _uncounted, _uncounted_natives, _rates, _repeated)
    return list(dict.fromkeys(chain.from_iterable(kind(definition) for kind in kinds)))


def _stocks(definition: _Definition) -> Iterator[Hint]:
    """Yield the sums of what there is at a time, over several times."""
    states = {
        fold: (table, columns)
        for fold, table in definition.folds
        if table.entity_key and (columns := [*_states_added(fold, table)])
    }
    tables = {table for table, _ in states.values()}

    def grows(node: Formula) -> bool:
        return node in states or any(_grows(node, table) for table in tables)

    if _power(definition.formula, grows):
        for fold, (table, (column, *_)) in states.items():
            text = (
                f"adds {column} over {table.time}, so that a stock is counted again each time; "
                f"use closing_balance({column}), or the mean of the sums per {table.time}. The "
                f"sum is right only where a row holds what happened since the row before"
            )
            yield Hint("stock", str(fold), text)


def _states_added(fold: Aggregate, table: type[Table]) -> Iterator[Column]:
    """Yield the columns that a fold adds over time, unless they are known to be flows."""
    flows = () if table.prorate is None else table.prorate.amounts
    for inner in _added_over_time(fold, table):
        for column in _columns_added(inner):
            is_flow = column in _flows() or column.name in flows
            if not is_flow and column.unit not in PEOPLE:
                yield column


def _added_over_time(fold: Aggregate, table: type[Table]) -> Iterator[Aggregate]:
    """Yield a fold, or those of its `PerKey`, where it adds rows of several times."""
    if fold.of is None:
        yield from (fold,) if _adds(fold) else ()
    elif not _is_of_time(fold.of.key, table):
        yield from (inner for _, inner in fold.of.columns if _adds(inner))
    elif isinstance(fold, Sum):
        yield from (inner for _, inner in fold.of.columns)


def _adds(fold: Aggregate) -> bool:
    return isinstance(fold, Sum) and not isinstance(fold.require_single, Rows)


def _columns_added(fold: Aggregate) -> Iterator[Column]:
    """Yield the columns of its own table whose values a fold adds."""
    value = None if isinstance(fold, Count | CountDistinct) else measured(fold)
    if value is not None:
        yield from (item for item in _amounts(value) if isinstance(item, Column))


def _amounts(value: Value | Predicate) -> Iterator[Column | Lookup]:
    """Yield the columns and lookups that a value is computed from, without its conditions."""
    match value:
        case Column() | Lookup():
            yield value
        case If(_, then, otherwise):
            yield from _amounts(then)
            yield from _amounts(otherwise)
        case _:
            for child in children(value):
                yield from _amounts(child)


@cache
def _flows() -> frozenset[Column]:
    """Return the columns that built-in metrics, or totals in their place, add over time."""
    built_in = (fold for metric in BUILT_IN.values() for fold in aggregates(metric.formula))
    folds = chain(built_in, TOTALS.values())
    sums = (fold for fold in folds if fold.of is None and _adds(fold))
    return frozenset(column for fold in sums for column in _columns_added(fold))


def _is_of_time(value: object, table: type[Table]) -> bool:
    """Return whether a value is the time of a table, or a column derived from it."""
    return isinstance(value, Column) and table.get(table.time) in _origins(value)


def _origins(leaf: Column | Lookup) -> set[Column | Lookup]:
    """Return a column with all that it may be derived from, but for rows of finer tables."""
    found, ahead = set[Column | Lookup](), [leaf]
    while ahead:
        item = ahead.pop()
        if item not in found:
            found.add(item)
            rules = RULES_OF.get(item, ()) if isinstance(item, Column) else ()
            own = [rule for rule in rules if not isinstance(rule, FromChildren | Everywhere)]
            ahead += [read for rule in own for read in dependencies(rule)]
    return found


def _grows(node: Formula, table: type[Table]) -> bool:
    """Return whether a formula counts the times of a table, or the rows at all of them."""
    match node:
        case PeriodDays():
            return True
        case CountDistinct(value):
            return source_of(node) == table.table and _is_of_time(value, table)
        case Count():
            is_by_time = node.of is None or _is_of_time(node.of.key, table)
            return source_of(node) == table.table and is_by_time
        case _:
            return False


def _power(formula: Formula, grows: Callable[[Formula], bool]) -> int:
    """Return the power with which a formula grows; 0 for a sum divided by the number of rows."""
    match formula:
        case Reference() | Applied():
            return _power(formula.formula, grows)
        case Arithmetic(operator, left, right):
            one, two = _power(left, grows), _power(right, grows)
            if operator.binds == 1:
                return max(one, two, key=abs)
            return one + two if operator is Operator.MULTIPLY else one - two
        case _:
            return int(grows(formula))


_AGAIN = (
    "adds counts of people, so that whoever is in several is counted again; use count_distinct "
    "over the rows, or require_single, which adds nothing to the value of one row"
)


def _people(definition: _Definition) -> Iterator[Hint]:
    """Yield the sums of counts of people, of whom one may be in several."""
    sums = {fold: table for fold, table in definition.folds if _adds_people(fold)}

    def grows(node: Formula) -> bool:
        if isinstance(node, Count) and node.of is None:
            return definition.tables[source_of(node)] in sums.values()
        return node in sums

    if _power(definition.formula, grows):
        for fold in sums:
            yield Hint("people", str(fold), _AGAIN)


def _adds_people(fold: Aggregate) -> bool:
    inner = () if fold.of is None else tuple(column for _, column in fold.of.columns)
    sums = [one for one in (fold, *inner) if isinstance(one, Sum) and _adds(one)]
    return any(unit_of(one.value) in PEOPLE and not _adds_rows(one) for one in sums)


def _adds_rows(fold: Sum) -> bool:
    """Return whether a sum is over a `PerKey`, of counts in which nobody is twice."""
    if fold.of is None:
        return False
    named = {node.name for node in nodes_in(fold.value) if isinstance(node, PerKeyColumn)}
    counts = [inner for name, inner in fold.of.columns if name in named]
    return all(
        isinstance(inner, Count | CountDistinct) and additivity(inner).over_keys for inner in counts
    )


def _uncounted(definition: _Definition) -> Iterator[Hint]:
    """Yield the folds of rows of which some do not count, without a condition on that."""
    for fold, table in definition.folds:
        if COUNTED in table.columns and not _is_decided(fold):
            yield _counted(str(fold), table)


def _uncounted_natives(definition: _Definition) -> Iterator[Hint]:
    """Yield the Polars expressions that do not read what says which rows count."""
    for native in natives(definition.formula):
        table = definition.tables[native.table]
        names = native.expression.meta.root_names()
        read = [table.columns[name] for name in names if name in table.columns]
        if COUNTED in table.columns and not any(map(_decides, read)):
            yield _counted(str(native), table)


def _counted(part: str, table: type[Table]) -> Hint:
    flag = table.columns[COUNTED]
    text = f"includes rows that do not count; the condition is {flag}: {flag.description}"
    return Hint("counted", part, text)


def _is_decided(fold: Aggregate) -> bool:
    """Return whether a fold, or every one of its `PerKey`, asks which rows count."""
    if fold.of is None:
        return any(_decides(leaf) for part in parts_of(fold) for leaf in leaves(part))
    conditions = (fold.of.key, *(() if fold.of.where is None else (fold.of.where,)))
    if any(_decides(leaf) for part in conditions for leaf in leaves(part)):
        return True
    inner = [column for _, column in fold.of.columns]
    return bool(inner) and all(map(_is_decided, inner))


def _decides(leaf: Column | Lookup) -> bool:
    """Return whether a column says which rows count, or is derived from one that does."""
    columns = map(end_of, _origins(leaf))
    return any(column.name == COUNTED or column in DECIDING for column in columns)


def _rates(definition: _Definition) -> Iterator[Hint]:
    """Yield the sums and means of rates."""
    for fold, _ in definition.folds:
        inner = () if fold.of is None else tuple(column for _, column in fold.of.columns)
        for one in (fold, *inner):
            if isinstance(one, Sum | Mean) and _is_rate(one.value):
                text = (
                    "gives the rate of every row the same weight; divide one sum by another, or "
                    "multiply the rate by what it is per"
                )
                yield Hint("rate", str(one), text)


def _is_rate(value: Value) -> bool:
    match value:
        case Operation(Operator.DIVIDE, _, right):
            return not unit_of(right).is_plain
        case Column() | Lookup() | PerKeyColumn():
            return any(power < 0 for _, power in unit_of(value).powers)
        case _:
            return False


def _repeated(definition: _Definition) -> Iterator[Hint]:
    """Yield the sums of what is looked up in a parent table, once for each row."""
    for fold, table in definition.folds:
        if isinstance(fold, Sum) and fold.of is None and not _is_rate(fold.value):
            read = list(_amounts(fold.value))
            parents = sorted({end_of(item).table for item in read if isinstance(item, Lookup)})
            if parents and not any(isinstance(item, Column) for item in read):
                text = (
                    f"adds a value of {parents[0]} once for every row of {table.table} that points "
                    f"to it; where several do, fold {parents[0]} instead"
                )
                yield Hint("repeated", str(fold), text)

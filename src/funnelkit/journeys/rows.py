"""The rows of a table as what entities did and when, read from a shop or from a frame."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from funnelkit.arguments import check_key_names
from funnelkit.calendar.calendar import Calendar, Moment
from funnelkit.calendar.grain import INSTANT, ONE_DAY, Span
from funnelkit.data.shop_data import ShopData
from funnelkit.data.sources import Source
from funnelkit.data.value_types import ValueType, value_type
from funnelkit.errors import MissingInputError
from funnelkit.evaluation.arguments import ask
from funnelkit.formula.formulas import Count
from funnelkit.formula.values import Column, Dimension, Flag, Lookup, Predicate
from funnelkit.formula.walk import end_of, leaves
from funnelkit.planning.dimensions import can_reach, resolve_dimension, resolve_predicate
from funnelkit.planning.lowering import Lowering, lowering_of
from funnelkit.planning.missing import missing_hints
from funnelkit.planning.periods import period_of
from funnelkit.planning.plan import Fold, Question, Step
from funnelkit.planning.prepared import Tables
from funnelkit.planning.relations import Lit, Op, Scalar, Select, call, conjunction, filtered
from funnelkit.planning.spelling import spellings
from funnelkit.planning.vocabulary import reworded
from funnelkit.shop.shop import Shop

__all__ = [
    "AT",
    "ENTITY",
    "GROUP",
    "KEPT",
    "MICROSECONDS",
    "Item",
    "Moments",
    "Reader",
    "bound",
    "check_names",
    "grouped",
    "key_name",
    "order_within_instants",
    "reader_of",
]

ENTITY, AT, KEY = "#entity", "#at", "#key "
"""The columns of who did something, when, and of the keys by which it is grouped."""

KEPT, LOOKED_AT = "#kept", "#looked at "
"""The column of which rows a filter keeps, and how those begin that hold what it looks at."""

GROUP = "#group"
"""The column of the number of a group: of the keys of a row together."""

MICROSECONDS = 1_000_000
"""How many of the units of times a second has."""

Item = Column | Lookup


def bound(source: Shop | Source, table: str) -> Shop:
    """Return a shop: the given one, or one with a frame bound as a table.

    Args:
        source: The shop or the frame.
        table: The table that the frame is.

    Raises:
        ContractError: The frame cannot be bound; names every problem.
    """
    return source if isinstance(source, Shop) else Shop.bind({table: source})


def key_name(name: str) -> str:
    """Return the column that holds a key."""
    return f"{KEY}{name}"


@dataclass(frozen=True, slots=True)
class Moments:
    """What entities did and when, one row each.

    Rows that name no entity or time are left out, and so are those that are not before the
    as-of moment, where that was given: nothing is known of it and what follows.

    Attributes:
        frame: Who, when (an instant), and what was asked of each row.
        excluded: Why rows of the table are left out, and how many.
    """

    frame: pl.DataFrame
    excluded: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the rows of one table that enter a question.

    Attributes:
        shop: The shop.
        table: The table.
        dimension: Whose rows they are.
        entity: The column that holds it, or where it is looked up.
        question: The keys, the condition, the calendar and the range.
        tables: The prepared tables.
    """

    shop: Shop
    table: str
    dimension: Dimension
    entity: Item
    question: Question
    tables: Tables

    @property
    def data(self) -> ShopData:
        """The shop's data."""
        return self.shop.data

    @property
    def lowering(self) -> Lowering:
        """How the values of rows are written."""
        return self.tables.lowering

    @property
    def name(self) -> str:
        """The column of a result that holds whose rows they are."""
        return self.dimension.name

    @property
    def clock(self) -> Column:
        """The time of a row."""
        return self.data.clock_of(self.table)

    @property
    def calendar(self) -> Calendar:
        """How time is divided."""
        return self.question.calendar

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the keys, the period first."""
        period = ("period",) if self.calendar.has_periods else ()
        return (*period, *(dimension.name for dimension in self.question.by))

    def item(self, name: str | Dimension) -> Item:
        """Return a column of the table or of one of its parents.

        Raises:
            UnknownNameError: It cannot be reached.
        """
        dimension = name if isinstance(name, Dimension) else Dimension(name)
        return resolve_dimension(self.data, self.table, dimension)

    def predicate(self, predicate: Predicate) -> Predicate:
        """Return a condition on rows of the table, checked.

        Raises:
            FunnelkitError: It names what there is not, or compares what cannot be.
        """
        found = resolve_predicate(self.data, self.table, predicate)
        self.shop.runner.learn_words(end_of(leaf) for leaf in leaves(found))
        return found

    def looked_at(self, condition: Predicate) -> dict[str, Scalar]:
        """Return what a condition looks at, as columns; see `order_within_instants`."""
        items = dict.fromkeys(leaves(condition))
        return {f"{LOOKED_AT}{n}": self.lowering.value(item) for n, item in enumerate(items)}

    @property
    def is_day(self) -> bool:
        """Whether rows are dated by the day: days are then 24 hours apart, as in UTC."""
        return value_type(self.data, self.clock) is ValueType.DAY

    @property
    def now(self) -> dt.datetime | None:
        """The instant up to which the data is known, as rows are dated."""
        as_of = self.shop.runner.as_of()
        return None if as_of is None else self.dated(as_of)

    @property
    def _tick(self) -> dt.timedelta:
        return ONE_DAY if self.is_day else INSTANT

    @property
    def last(self) -> dt.datetime | None:
        """The last instant, or day, of which the data is known, as rows are dated.

        An as-of moment that was given is the first of which it is not.
        """
        now = self.now
        return now if now is None or self.data.given_as_of is None else now - self._tick

    def last_closed(self, window: dt.timedelta, *, has_end: bool = True) -> dt.datetime | None:
        """Return the last instant, or day, at which a window has begun of which all is known.

        Args:
            window: How long it is.
            has_end: Whether its very end belongs to it.
        """
        reach = window if has_end else window - INSTANT
        return self.last and self.last - reach // self._tick * self._tick

    def dated(self, instant: dt.datetime) -> dt.datetime:
        """Return an instant as rows are dated."""
        return self.calendar.shown(instant).replace(tzinfo=dt.UTC) if self.is_day else instant

    def shown(self, at: pl.Expr) -> pl.Expr:
        """Return the times of rows in the shop's zone, or their days."""
        return at.dt.date() if self.is_day else at.dt.convert_time_zone(self.calendar.time_zone)

    def local(self, microseconds: pl.Expr) -> pl.Expr:
        """Return the times of rows from microseconds since 1970."""
        return self.shown(microseconds.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))

    @property
    def _moment(self) -> Scalar:
        if not self.is_day:
            return self.lowering.instant(self.clock)
        midnight = call(Op.MIDNIGHT, self.lowering.value(self.clock))
        return call(Op.FIRST_INSTANT, midnight, Lit("UTC", "str"))

    def read(
        self,
        columns: Mapping[str, Scalar],
        *,
        wants: Iterable[Item] = (),
        only: Scalar | None = None,
    ) -> Moments:
        """Read the rows that count, after the checks that a KPI of them makes.

        Args:
            columns: What is read of each row besides entity, time and keys, by name.
            wants: The columns and lookups that this rests on.
            only: Which rows are read, of the columns that are read.

        Raises:
            ContractError: The data breaks a promise; names every one.
        """
        enters, where = self._enters, self._where
        groups = {d.name: self.item(d) for d in self.question.by}
        read = [leaf for one in (enters, where) if one is not None for leaf in leaves(one)]
        items = [self.entity, self.clock, *groups.values(), *wants, *read]
        uncounted = self._verify(items, enters, where)
        rows = self.tables.prepare(self.table, items)
        conditions = [self.lowering.condition(one) for one in (enters, where)]
        rows = filtered(rows, conjunction(*conditions))
        named = {
            ENTITY: self.lowering.value(self.entity),
            AT: self._moment,
            **{key_name(name): self._key(item) for name, item in groups.items()},
            **columns,
        }
        period = key_name("period")
        if self.calendar.has_periods:
            named[period] = period_of(self.lowering, self.clock, self.calendar)
        rows = filtered(Select(rows, tuple(named.items())), only)
        found = self.shop.runner.read([rows])[0]
        if self.calendar.has_hours:
            found = found.with_columns(pl.col(period).cast(self.calendar.label_type))
        return self._known(found, uncounted)

    def _key(self, item: Item) -> Scalar:
        return reworded(self.lowering.value(item), spellings(self.data, [end_of(item)]))

    @property
    def _enters(self) -> Flag | None:
        """The flag of the rows that count, where the table has one."""
        flag = self.data.known[self.table].columns.get("is_counted")
        return flag if isinstance(flag, Flag) else None

    @property
    def _where(self) -> Predicate | None:
        where = self.question.where
        return None if where is None else self.predicate(where)

    def _verify(self, items: Sequence[Item], enters: Flag | None, where: Predicate | None) -> int:
        """Check what the rows rest on, and return how many of them do not count."""
        table = self.data.known[self.table]
        folds = [Count(table, where=None if enters is None else ~enters)]
        folds += [Count(item) for item in dict.fromkeys(items) if item != enters]
        named = tuple(Fold(f"n{number}", one, one) for number, one in enumerate(folds))
        step = Step(self.table, named, (), where, self.calendar.whole, Span())
        found = self.shop.runner.fold([step])[0]
        return 0 if enters is None else int(found.item(0, "n0"))

    def _known(self, found: pl.DataFrame, uncounted: int) -> Moments:
        """Return the rows that have an entity and a known time; the others are counted."""
        unowned, untimed = (found.get_column(name).null_count() for name in (ENTITY, AT))
        if unowned or untimed:
            found = found.drop_nulls([ENTITY, AT])
        known, until = found, self.data.given_as_of
        if until is not None:
            if self.is_day:
                until = dt.datetime.combine(self.calendar.first_day(until), dt.time(), dt.UTC)
            known = found.filter(pl.col(AT) < pl.lit(until))
        excluded = {
            f"without {_name(self.entity)}": unowned,
            f"without {_name(self.clock)}": untimed,
            f"not {self.table}.is_counted": uncounted,
            "not before the as-of moment": found.height - known.height,
        }
        return Moments(known, {why: rows for why, rows in excluded.items() if rows})


def reader_of(  # noqa: PLR0913  # the question, every part of it by keyword
    source: Shop | Source,
    table: str,
    entity: str | Dimension,
    *,
    by: str | Dimension | Sequence[str | Dimension] = (),
    every: str | Sequence[Moment] | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    where: Predicate | str | None = None,
) -> Reader:
    """Return what reads the rows of a table.

    Args:
        source: The shop, or a frame that is the table.
        table: The table.
        entity: The column that names whose rows they are.
        by: As for `evaluate`.
        every: As for `evaluate`.
        start: As for `evaluate`.
        end: As for `evaluate`.
        where: As for `evaluate`.

    Raises:
        MissingInputError: The table is not bound, or whose its rows are, when they are or
            which of them count is not known.
        FunnelkitError: As for `evaluate`.
    """
    shop = bound(source, table)
    question = ask(shop, by=by, every=every, start=start, end=end, where=where)
    dimension = entity if isinstance(entity, Dimension) else Dimension(entity)
    _check_inputs(shop.data, table, dimension)
    item = resolve_dimension(shop.data, table, dimension)
    tables = Tables(lowering_of(shop.data, as_of=shop.runner.as_of))
    return Reader(shop, table, dimension, item, question, tables)


def _check_inputs(data: ShopData, table: str, entity: Dimension) -> None:
    """Check that a shop has what every question about rows takes: whose, when, and which count."""
    if table not in data.tables:
        raise MissingInputError({table: ("the question",)})
    declared = data.known[table].columns
    wanted = [declared.get(data.known[table].time), declared.get("is_counted")]
    if table not in dict(entity.columns) and not can_reach(data, table, entity.name):
        wanted.append(declared.get(entity.name))
    instead: dict[str, list[str]] = {}
    for column in wanted:
        for name in () if column is None else data.missing_for(column):
            instead.setdefault(name, []).extend([str(column)] * (name != str(column)))
    if instead:
        missing = dict.fromkeys(sorted(instead), ("the question",))
        supplied = {name: columns for name, columns in instead.items() if columns}
        raise MissingInputError(missing, missing_hints(data, missing, supplied))


def check_names(reader: Reader, taken: Iterable[str]) -> None:
    """Check that no key has the name of another column of the result.

    Raises:
        DefinitionError: One has; names it.
    """
    check_key_names((dimension.name for dimension in reader.question.by), {*taken, "period"})


def grouped(rows: pl.DataFrame, keys: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Number the groups of rows in order of their keys.

    Args:
        rows: The rows, with a column per key.
        keys: The names of the keys.

    Returns:
        The rows with their `#group` in place of the keys, and the keys of each group.
    """
    if not keys:
        return rows.with_columns(pl.lit(0, pl.Int64).alias(GROUP)), pl.DataFrame(
            {GROUP: [0]}, schema={GROUP: pl.Int64}
        )
    names = [key_name(key) for key in keys]
    groups = rows.select(names).unique().sort(names, nulls_last=True).with_row_index(GROUP)
    groups = groups.with_columns(pl.col(GROUP).cast(pl.Int64))
    numbered = rows.join(groups, on=names, how="left", nulls_equal=True, maintain_order="none")
    return numbered.drop(names), groups


def order_within_instants(columns: Sequence[str]) -> list[str]:
    """Return the columns by which rows of one instant are in order.

    It does not depend on which of them a filter keeps, only on what it looks at: so filters
    that exclude each other share what follows.

    Args:
        columns: The columns of the rows.
    """
    looked_at = [name for name in columns if name.startswith(LOOKED_AT)]
    return [*looked_at, *(name for name in columns if name not in {*looked_at, ENTITY, AT, KEPT})]


def _name(item: Item) -> str:
    return end_of(item).name

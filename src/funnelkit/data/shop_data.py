"""The data of one shop: bound tables, and which columns are derived by which rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Container, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar, cast

import polars as pl

from funnelkit.calendar.calendar import Calendar
from funnelkit.data.binding import key_type_faults, with_key_types
from funnelkit.data.bound_table import BoundTable
from funnelkit.data.schema import Schema
from funnelkit.errors import ContractError, DataIssue
from funnelkit.formula.derived import Default, Everywhere, FromChildren, Rule, dependencies
from funnelkit.formula.formulas import Aggregate, ClosingBalance, Formula, source_of
from funnelkit.formula.properties import inputs
from funnelkit.formula.table import Table
from funnelkit.formula.values import Category, Column, Flag, Literal, Lookup, Money, Scalar, Time

__all__ = ["Assumption", "ShopData", "TableStats", "Words"]

_T = TypeVar("_T")

_binding = Lock()
"""Held while the tables of a shop are bound anew."""

MOST_DERIVED = 256
"""How many results of `ShopData.derived` a shop keeps: the newest."""


@dataclass(frozen=True, slots=True)
class TableStats:
    """What was learnt of a table when its keys were verified.

    Attributes:
        rows: The number of rows.
        earliest: The instant of the first row, where rows have times.
        latest: The instant of the last row.
        untimed: The number of rows without a time; None where that was not looked at.
    """

    rows: int
    earliest: dt.datetime | None
    latest: dt.datetime | None
    untimed: int | None


@dataclass(frozen=True, slots=True)
class Assumption:
    """What is taken for granted of a column that was not supplied, or of a whole table.

    Attributes:
        table: The table.
        column: The column; empty where the whole table is taken to have no rows.
        value: The value that the column is taken to have.
    """

    table: str
    column: str = ""
    value: Scalar = 0

    def __str__(self) -> str:
        if not self.column:
            return f"{self.table} has no rows"
        return f"{self.table}.{self.column} is {Literal(self.value)}"


@dataclass(frozen=True, slots=True)
class Words:
    """What a column that has a vocabulary was found to hold.

    Attributes:
        rows: By text, in how many rows it is.
        meant: By text: the word that it stands for; where any word will do, the most
            frequent spelling of it if it stands for none, and None if it is blank.
    """

    rows: Mapping[str, int]
    meant: Mapping[str, str | None]

    @classmethod
    def of(cls, column: Category, rows: Mapping[str, int]) -> Words:
        """Return what the texts of a column stand for."""
        meant: dict[str, str | None] = {**column.meanings(rows)}
        if not column.is_open:
            return cls(rows, meant)
        spellings: dict[str, str] = {}
        others = (text for text, word in meant.items() if word not in column.values)
        for text in sorted(others, key=lambda text: (-rows[text], text)):
            spelling = spellings.setdefault(text.strip().lower(), text.strip())
            meant[text] = spelling or None
        return cls(rows, meant)

    def word(self, text: str) -> str:
        """Return how a text is spelled among them, if it is; else the text itself."""
        same = text.strip().lower()
        words = (word for word in self.meant.values() if word and word.strip().lower() == same)
        return next(words, text)

    @property
    def changed(self) -> dict[str, str | None]:
        """The texts that are written otherwise than the words that they stand for."""
        return {text: word for text, word in self.meant.items() if text != word}

    @property
    def is_one_to_one(self) -> bool:
        """Whether each text stands for a word, and no other text for the same."""
        words = set(self.meant.values())
        return None not in words and len(words) == len(self.meant)

    def others(self, values: Container[str]) -> dict[str, int]:
        """Return the texts that stand for no word of a vocabulary, and how many rows each has."""
        meant = self.meant.items()
        strange = (text for text, word in meant if word is not None and word not in values)
        return {text: self.rows[text] for text in strange}


@dataclass(frozen=True, slots=True)
class _Derived:
    """What follows from things, which are kept so that no others take their identity."""

    result: object
    things: tuple[object, ...]


@dataclass(slots=True, kw_only=True)
class ShopData:
    """What is known about a shop's data before reading it, and what reading it has shown.

    Attributes:
        tables: The bound tables, by name.
        schema: What is known of the kind of business: every table that could be bound,
            and how columns that were not supplied are derived.
        calendar: The shop's zone, week and year.
        currency: The code of the shop's currency.
        guards: Whether broken promises raise an error.
        given_as_of: The instant up to which the data is known, where it was given.
        seen: What was learnt of the tables that were read.
        seen_words: What was found in the columns whose words were looked at.
        seen_non_negative: Of columns of numbers: whether no value was found below zero.
        seen_promises: The places of the promises of the schema that were found to be kept.
        seen_as_of: The latest instant that was found in the data.
        found_rules: The rules that were looked up, cached; bindings never change.
        found_missing: What columns were found to lack.
        found_assumed: What columns were found to take for granted.
        found_counted: The tables of which rows were found to be counted for columns.
        found_derived: What follows from questions, see `derived`.
    """

    tables: dict[str, BoundTable]
    schema: Schema
    calendar: Calendar
    currency: str
    guards: bool
    given_as_of: dt.datetime | None
    seen: dict[str, TableStats] = field(default_factory=dict)
    seen_words: dict[Category, Words] = field(default_factory=dict[Category, Words])
    seen_non_negative: dict[Column, bool] = field(default_factory=dict[Column, bool])
    seen_promises: set[int] = field(default_factory=set[int])
    seen_as_of: dt.datetime | None = None
    found_rules: dict[Column, Rule | None] = field(default_factory=dict)
    found_missing: dict[Column | Lookup, frozenset[str]] = field(default_factory=dict)
    found_assumed: dict[Column | Lookup, tuple[Assumption, ...]] = field(default_factory=dict)
    found_counted: dict[Column, frozenset[str]] = field(default_factory=dict)
    found_derived: dict[Hashable, _Derived] = field(default_factory=dict[Hashable, _Derived])

    @property
    def known(self) -> Mapping[str, type[Table]]:
        """Every table that could be bound, by name."""
        return self.schema.tables

    def is_supplied(self, column: Column) -> bool:
        """Return whether a column was supplied directly."""
        bound = self.tables.get(column.table)
        return bound is not None and column.name in bound.columns

    def rate(self, table: str) -> Column | None:
        """Return the column of a table's exchange rates, where amounts are to be converted.

        A rate of another currency than the one that the table supplies is none.
        """
        column = self.known[table].columns.get(self.schema.rate_column)
        if column is None or self.missing_for(column):
            return None
        rule = None if self.is_supplied(column) else self.rule(column)
        if rule is None or not self.has_currency(table):
            return column
        own = self.column(table, self.schema.currency_column)
        return column if own in dependencies(rule) else None

    def has_currency(self, table: str) -> bool:
        """Return whether the currency of a table's amounts was supplied with them."""
        return self.schema.currency_column in self.tables[table].columns

    def is_cost(self, column: Column) -> bool:
        """Return whether an amount is in the shop's currency, whatever that of the row is."""
        declares = self.schema.currency_column in self.known[column.table].columns
        return column in self.schema.costs and (declares or not self.has_currency(column.table))

    def rate_of(self, column: Column) -> Column | None:
        """Return the column of the rates at which a supplied column is converted, if it is."""
        declared = self.declared(column)
        if not isinstance(declared, Money) or self.is_cost(declared):
            return None
        return self.rate(column.table)

    def declared(self, column: Column) -> Column:
        """Return a column as its table declares it, where it does."""
        return self.known[column.table].columns.get(column.name, column)

    def total_of(self, fold: Aggregate) -> Aggregate:
        """Return the total that stands for a fold of a table that is not bound, else the fold."""
        if source_of(fold) in self.tables:
            return fold
        total = self.schema.totals.get(fold)
        return fold if total is None or source_of(total) not in self.tables else total

    def refresh(self, changed_in: Callable[[Mapping[str, BoundTable]], Sequence[str]]) -> None:
        """Bind again the tables that have changed, and discard what was cached about them.

        Args:
            changed_in: Returns the tables whose sources have changed.

        Raises:
            ContractError: One of them can no longer be bound.
        """
        if changed_in(self.tables):
            with _binding:
                self._bind_anew(changed_in(self.tables))

    def _bind_anew(self, changed: Sequence[str]) -> None:
        """Swap whole mappings: whoever reads meanwhile sees the old ones or the new."""
        tables, faults = dict(self.tables), list[DataIssue]()
        for name in changed:
            tables[name] = tables[name].bound_anew(faults)
        if faults:
            raise ContractError(faults)
        if changed:
            tables = with_key_types(tables)
            if faults := key_type_faults(tables):
                raise ContractError(faults)
            self.tables = tables
            self.seen = {name: seen for name, seen in self.seen.items() if name not in changed}
            seen_words = self.seen_words.items()
            self.seen_words = {c: seen for c, seen in seen_words if c.table not in changed}
            signs = self.seen_non_negative.items()
            self.seen_non_negative = {c: seen for c, seen in signs if c.table not in changed}
            self.seen_promises = set()
            self.seen_as_of = None
            self.found_rules, self.found_missing, self.found_assumed = {}, {}, {}
            self.found_counted, self.found_derived = {}, {}

    def derived(
        self,
        text: str,
        things: Sequence[object],
        make: Callable[[], _T],
        *,
        is_kept: Callable[[], bool] = lambda: True,
    ) -> _T:
        """Return what follows from things and from what is known, which is made once.

        Whoever asks again waits only for the data, of which nothing is kept. It is made anew
        where more was learnt of the tables since, and after they were bound anew.

        Args:
            text: What is asked, in words that mean nothing else.
            things: What it is asked of; the same objects when it is asked again.
            make: Makes it; nobody changes it.
            is_kept: Whether no rows are in what was made.
        """
        things = (self.tables, *things)
        kept, learnt = self.found_derived, self._learnt()
        place = (learnt, tuple(map(id, things)), text)
        found = kept.get(place)
        if found is not None:
            return cast("_T", found.result)
        made = make()
        # it may rest on what was learnt while it was made
        if self._learnt() == learnt and is_kept():
            for oldest in list(kept)[: max(len(kept) + 1 - MOST_DERIVED, 0)]:
                kept.pop(oldest, None)
            kept[place] = _Derived(made, things)
        return made

    def _learnt(self) -> Hashable:
        """Return how much was learnt of the tables, as they are bound now: it only grows."""
        sizes = (len(self.seen), len(self.seen_words), len(self.seen_non_negative))
        return (*sizes, self.seen_as_of)

    def clocks(self) -> dict[Column, Flag | None]:
        """Return the times up to which data is known, each with the flag of the rows that count.

        There is none where all rows do, and where it cannot be told.
        """
        clocks = self.schema.clocks.items()
        return {
            clock: None if flag is None or self.missing_for(flag) else flag
            for clock, flag in clocks
        }

    def unread_words(self) -> list[Category]:
        """Return the supplied columns of words, and whose words are not known yet."""
        return [
            column
            for bound in self.tables.values()
            for column in bound.table.columns.values()
            if isinstance(column, Category)
            and (column.values or column.is_open)
            and column not in self.seen_words
            and isinstance(self.type_of(column), pl.String)
        ]

    def settle_words(self, found: Mapping[Category, Mapping[str, int]]) -> None:
        """Read texts as the words that they stand for from now on.

        Args:
            found: By column: its texts, and in how many rows each is.
        """
        with _binding:
            words = {column: Words.of(column, rows) for column, rows in found.items()}
            self.seen_words = {**words, **self.seen_words}

    def type_of(self, column: Column) -> pl.DataType | None:
        """Return the type of a column that was supplied."""
        bound = self.tables.get(column.table)
        return None if bound is None else bound.columns.get(column.name)

    def has_times(self, table: str) -> bool:
        """Return whether every row of a table is known to have a time."""
        seen = self.seen.get(table)
        return seen is not None and seen.untimed == 0

    def size(self, table: str) -> int | None:
        """Return the number of rows of a table if it is known without reading it."""
        seen = self.seen.get(table)
        return self.tables[table].rows if seen is None else seen.rows

    def extent(self, column: Column) -> tuple[dt.datetime, dt.datetime] | None:
        """Return the first and last instant of the times that assign rows to periods, if known."""
        rule = None if self.is_supplied(column) else self.rule(column)
        while isinstance(rule, Lookup):
            rule = rule.value
        clock = rule if isinstance(rule, Column) else column
        seen = self.seen.get(clock.table)
        if seen is None or clock.name != self.known[clock.table].time:
            return None
        return (seen.earliest, seen.latest) if seen.earliest and seen.latest else None

    def rule(self, column: Column) -> Rule | None:
        """Return the rule that derives a column, or None if no rule applies."""
        known = self.found_rules
        if column not in known:
            known[column] = self._rule(column, frozenset())
        return known[column]

    def missing_for(self, column: Column | Lookup) -> frozenset[str]:
        """Return what is missing for a column or lookup: tables and columns, by name."""
        known = self.found_missing
        if column not in known:
            known[column] = self._missing_for(column, frozenset())
        return known[column]

    def placed_by(self, fold: Aggregate) -> tuple[Column, ...]:
        """Return the columns by which a closing balance finds its rows: when, and of what."""
        if not isinstance(fold, ClosingBalance):
            return ()
        table = self.known[source_of(fold)]
        return tuple(map(table.get, (table.time, *(table.entity_key * fold.carry_forward))))

    def counted_for(self, formula: Formula) -> frozenset[str]:
        """Return the tables whose rows are counted to derive a column that a formula reads.

        Of a session, whether it has a purchase is derived from the orders. Tables of what
        follows something else, such as returns, are not waited for.

        Args:
            formula: The formula.
        """
        columns = (
            self.column(table, name)
            for table, names in inputs(formula, as_read=self.total_of).items()
            if table in self.tables
            for name in names
        )
        known, found = self.found_counted, set[str]()
        for column in columns:
            if column not in known:
                known[column] = self._counted_for(column, frozenset())
            found |= known[column]
        return frozenset(found) - {clock.table for clock in self.schema.late_clocks}

    def key_of(self, table: str) -> Column:
        """Return the column by which rows of a table are found from others."""
        declared = self.known[table]
        return declared.get(declared.key[0])

    def clock_of(self, table: str) -> Column:
        """Return the column by which rows of a table enter a period."""
        declared = self.known[table]
        return declared.get(declared.time)

    def column(self, table: str, name: str) -> Column:
        """Return a column of a bound table: a declared one, or an undeclared one of the frame."""
        declared = self.known[table].columns.get(name)
        if declared is not None:
            return declared
        is_time = isinstance(self.tables[table].columns.get(name), pl.Date | pl.Datetime)
        return (Time if is_time else Category)(table=table, name=name, is_declared=False)

    def _rule(self, column: Column, seen: frozenset[Column]) -> Rule | None:
        for rule in self.schema.rules.get(column, ()):
            if isinstance(rule, Default):
                if not any(self.is_supplied(other) for other in rule.absent):
                    return rule
            elif not self._lacking(column, rule, seen):
                return rule
        return None

    def _counted_for(self, column: Column | Lookup, seen: frozenset[Column]) -> frozenset[str]:
        if isinstance(column, Lookup):
            parts = (column.key, column.value)
            return frozenset[str]().union(*(self._counted_for(part, seen) for part in parts))
        rule = None if column in seen or self.is_supplied(column) else self.rule(column)
        if rule is None:
            return frozenset()
        own = {rule.key.table} if isinstance(rule, FromChildren) else set[str]()
        read = (self._counted_for(other, seen | {column}) for other in dependencies(rule))
        return frozenset(own).union(*read)

    def _missing_for(self, column: Column | Lookup, seen: frozenset[Column]) -> frozenset[str]:
        if isinstance(column, Lookup):
            inner = column.value.key if isinstance(column.value, Lookup) else column.value
            parts = (column.key, self.key_of(inner.table), column.value)
            return frozenset[str]().union(*(self._missing_for(part, seen) for part in parts))
        if column.table not in self.tables:
            return frozenset({column.table})
        if self.is_supplied(column):
            return frozenset()
        own = frozenset({f"{column.table}.{column.name}"})
        if column in seen or column not in self.schema.rules:
            return own
        if self._rule(column, seen) is not None:
            return frozenset()
        wanted = [rule for rule in self.schema.rules[column] if not isinstance(rule, Default)]
        lacking = [self._lacking(column, rule, seen) for rule in wanted]
        return min(lacking, key=len, default=own) or own

    def _lacking(self, column: Column, rule: Rule, seen: frozenset[Column]) -> frozenset[str]:
        """Return what is missing for a rule: what it reads, and the key that rows point to."""
        points_here = isinstance(rule, FromChildren | Everywhere)
        wanted = (*dependencies(rule), *((self.key_of(column.table),) if points_here else ()))
        found = (self._missing_for(other, seen | {column}) for other in wanted)
        return frozenset[str]().union(*found)

"""What a kind of business knows about its data, as one value: the kernel knows no more.

A schema names the tables, how columns derive from one another, and what must hold of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from funnelkit.data.findings import Finding, Severity
from funnelkit.data.promise_kinds import Promise
from funnelkit.formula.derived import Rule
from funnelkit.formula.formulas import Aggregate
from funnelkit.formula.table import Table
from funnelkit.formula.values import Category, Column, Flag, Predicate, Time
from funnelkit.units import NUMBER, Unit

__all__ = [
    "Check",
    "Items",
    "Schema",
    "Severity",
    "TotalAboveCheck",
    "WithoutRowsCheck",
    "WordsCheck",
]


@dataclass(frozen=True, slots=True)
class Check:
    """A promise about single rows of a table, that numbers rest on.

    Attributes:
        column: The column to which a violation is attributed.
        broken: Which rows break it.
        finding: What is promised, and what is wrong with such a row.
        unless_supplied: A column whose presence makes the promise unnecessary.
        is_derived: Whether it holds of columns that are derived as well.
    """

    column: Column
    broken: Predicate
    finding: Finding
    unless_supplied: Column | None = None
    is_derived: bool = False


@dataclass(frozen=True, slots=True)
class WordsCheck:
    """A promise that a column holds words of its vocabulary: no others, if that is closed.

    Attributes:
        column: The column.
        otherwise: What may be done besides mapping other words.
        unless_supplied: A column whose presence makes the promise unnecessary.
    """

    column: Category
    otherwise: str = "or make it null where nothing is known"
    unless_supplied: Column | None = None

    @property
    def finding(self) -> Finding:
        """What is promised, and what is wrong with other words."""
        words, name = ", ".join(self.column.values), self.column.name
        example = f"pl.col({name!r}).cast(pl.String).replace({{'…': {self.column.values[0]!r}}})"
        remedy = f"map it, as in {example}, {self.otherwise}"
        if self.column.is_open:
            problem = f"holds none of the words that KPIs read: {words}"
            return Finding("holds words that KPIs read", problem, remedy, Severity.WARNING)
        return Finding("is a known word", f"is not a known word: they are {words}", remedy)

    @property
    def near(self) -> Finding | None:
        """What is odd about a word that is nearly one of an open vocabulary."""
        if not self.column.is_open:
            return None
        return Finding(
            "is no misspelt word that KPIs read",
            "is nearly a word that KPIs read, but is not read as one",
            f"map it, if it is meant: pl.col({self.column.name!r}).replace({{words!r}})",
            Severity.WARNING,
        )

    @property
    def merged(self) -> Finding | None:
        """What is odd about several names of one word: they may be meant to be told apart."""
        if not self.column.is_open or not self.column.synonyms:
            return None
        return Finding(
            "has one name for a word",
            "has several names for one word, which are read as one",
            f"to tell them apart, rename one: pl.col({self.column.name!r}).replace({{words!r}})",
            Severity.WARNING,
        )


@dataclass(frozen=True, slots=True)
class WithoutRowsCheck:
    """A promise that some row of a finer table points to every row of a table.

    Attributes:
        key: The key of the table.
        pointing: The column of the finer table that points to it.
        unless_supplied: A column whose presence makes the promise unnecessary.
        finding: What is promised, and what is wrong with a row that nothing points to.
    """

    key: Column
    pointing: Column
    unless_supplied: Column
    finding: Finding


@dataclass(frozen=True, slots=True)
class TotalAboveCheck:
    """A promise that a total of one table is not above the total of another, key by key.

    Attributes:
        value: What is added up, and must stay below.
        limit: What it is compared with.
        keys: The names of the columns by which both may be added up; the first
            that both tables supply is used.
        finding: What is promised, and what is wrong with a key whose total is above.
    """

    value: Column
    limit: Column
    keys: tuple[str, ...]
    finding: Finding


@dataclass(frozen=True, slots=True)
class Items:
    """How the rows of a table are made of rows of a finer one, as orders are of their lines.

    Attributes:
        key: The column of the finer table that points to the row.
        where: Which rows of the finer table are items.
        amounts: By amount of the table: that of an item, of which it is the sum.
    """

    key: Column
    where: Predicate
    amounts: Mapping[Column, Column]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The tables of a business, how their columns derive, and what must hold of them.

    Attributes:
        tables: Every table that can be bound, by name.
        rules: How columns that were not supplied are derived: the first rule
            whose inputs are there.
        clocks: The times whose latest is the moment up to which the data is known, and
            which of their rows count.
        checks: Promises about single rows.
        table_checks: Promises about whole tables.
        late_clocks: The times that are null as long as something has not happened yet.
        planned_clocks: The times of what is promised before: their rows are there earlier.
        promises: Promises about keys, and about rows that belong together.
        vocabularies: By column with a closed vocabulary: the promise that it holds no other words.
        unread_words: Columns with an open vocabulary of which no metric reads a word.
        currency_column: The name of the column that holds the currency of a row's amounts.
        rate_column: The name of the column that holds what that currency is worth.
        costs: Amounts in the shop's currency, whatever that of the row is.
        cohort_key: The name of the dimension whose groups are cohorts.
        cohort_owner: The entity that belongs to a cohort, as the unit of its table.
        hints: By missing column: what would do instead.
        items: By table: the items that its rows are made of.
        totals: By fold: the total that stands for it where its table is not bound.
    """

    tables: Mapping[str, type[Table]]
    rules: Mapping[Column, tuple[Rule, ...]] = field(default_factory=dict[Column, tuple[Rule, ...]])
    clocks: Mapping[Time, Flag | None] = field(default_factory=dict[Time, "Flag | None"])
    checks: tuple[Check, ...] = ()
    table_checks: tuple[WithoutRowsCheck | TotalAboveCheck, ...] = ()
    late_clocks: frozenset[Column] = frozenset()
    planned_clocks: frozenset[Column] = frozenset()
    promises: tuple[Promise, ...] = ()
    vocabularies: Mapping[Category, WordsCheck] = field(default_factory=dict[Category, WordsCheck])
    unread_words: frozenset[Column] = frozenset()
    currency_column: str = "currency"
    rate_column: str = "fx_rate"
    costs: frozenset[Column] = frozenset()
    cohort_key: str = "cohort"
    cohort_owner: Unit = NUMBER
    hints: Mapping[str, str] = field(default_factory=dict[str, str])
    items: Mapping[str, Items] = field(default_factory=dict[str, Items])
    totals: Mapping[Aggregate, Aggregate] = field(default_factory=dict[Aggregate, Aggregate])

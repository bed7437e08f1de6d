"""The promises that data must keep, as relations: what breaks them, and a few rows that do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import polars as pl

from funnelkit.calendar.calendar import UTC_EPOCH
from funnelkit.calendar.grain import ONE_DAY
from funnelkit.data.bound_table import BoundTable
from funnelkit.data.findings import (
    COLUMN_NAMED,
    CURRENCY_NAMED,
    KEY_KNOWN,
    KEY_SUPPLIED,
    KEY_UNIQUE,
    KEY_WHOLE,
    MONEY_PRECISE,
    TIME_KNOWN,
    TIME_PAST,
    TIME_WRITTEN,
    Finding,
    Severity,
)
from funnelkit.data.schema import Check, WithoutRowsCheck
from funnelkit.data.shop_data import ShopData, TableStats
from funnelkit.errors import ContractError, DataIssue
from funnelkit.formula.table import Table
from funnelkit.formula.values import Column, Flag, Lookup, Money
from funnelkit.formula.vocabulary import folded
from funnelkit.formula.walk import leaves
from funnelkit.planning.kinds import kind_of
from funnelkit.planning.lowering import TRUE, lowering_of
from funnelkit.planning.prepared import Tables
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Col,
    Filter,
    Head,
    Kind,
    Lit,
    Op,
    Rel,
    call,
    conjunction,
    filtered,
    is_known,
    whole,
)
from funnelkit.verification.between_tables import orphans, totals_above, without_rows
from funnelkit.verification.broken_promises import broken_promises
from funnelkit.verification.currencies import currencies
from funnelkit.verification.violation import FEW, ROWS, Read, Violation, counted, only, sample_of
from funnelkit.verification.words import foreign_words, merged_words, near_words, unknown_words

__all__ = ["Overview", "Passes", "all_violations", "check", "far_times"]


@dataclass(frozen=True, slots=True)
class Overview:
    """What a pass over a table shows.

    Attributes:
        table: The table.
        stats: How many rows it has, and from when to when.
        broken: How many rows break each promise about single rows.
        null_keys: How many rows have no key.
        double_keys: How many rows repeat a key.
    """

    table: str
    stats: TableStats
    broken: Mapping[Check, int]
    null_keys: int
    double_keys: int


@dataclass(frozen=True, slots=True)
class Passes:
    """The passes over tables that show whether they keep the promises about rows and keys.

    Attributes:
        data: The data of the shop.
        keys: The tables, each with its key where the promises about it are looked at.
        severities: Which promises are looked at.
        relations: What is to be read.
    """

    data: ShopData
    keys: Mapping[str, Sequence[str]]
    severities: frozenset[Severity]
    relations: Sequence[Rel]

    @classmethod
    def of(cls, data: ShopData, tables: Iterable[str], severities: Iterable[Severity]) -> Passes:
        """Return the passes over tables.

        Args:
            data: The data of the shop.
            tables: The tables.
            severities: Which promises are looked at.
        """
        wanted, together = frozenset(severities), Tables(lowering_of(data))
        keys = {
            name: data.tables[name].supplied_key if Severity.ERROR in wanted else ()
            for name in tables
        }
        passes = [_pass(together, name, wanted) for name in keys]
        keyed = [_keys(data, name, key) for name, key in keys.items() if key]
        return cls(data, keys, wanted, [*passes, *keyed])

    def overviews(self, found: Iterable[pl.DataFrame]) -> list[Overview]:
        """Return what each table shows.

        Args:
            found: The rows of the relations, in their order.
        """
        answers = (frame.row(0, named=True) for frame in found)
        of_rows = list(islice(answers, len(self.keys)))
        return [
            _overview(self.data, name, self.severities, counts | (next(answers) if key else {}))
            for (name, key), counts in zip(self.keys.items(), of_rows, strict=True)
        ]


def check(data: ShopData, found: Iterable[Overview], read: Read) -> None:
    """Check that tables keep every promise that numbers rest on.

    Args:
        data: The data of the shop.
        found: What passes over the tables showed.
        read: Reads a few of the rows that break a promise.

    Raises:
        ContractError: They do not; names every broken promise.
    """
    violations = [violation for one in found for violation in _violations(data, one, read)]
    if violations:
        raise ContractError([violation.issue for violation in violations])


def all_violations(data: ShopData, read: Read) -> list[Violation]:
    """Return everything that is wrong or odd in the bound tables.

    Args:
        data: The data of the shop.
        read: Reads relations.
    """
    found = [*unknown_words(data), *foreign_words(data), *near_words(data)]
    found += merged_words(data)
    found += broken_promises(data, read)
    passes = Passes.of(data, data.tables, Severity)
    for one in passes.overviews(read(passes.relations)):
        found += _violations(data, one, read)
        found += _untimed(data, one, read)
        found += _at_zero(data, one, read)
        found += _half_keyed(data, one, read)
        found += _imprecise(data, one)
        found += _read_otherwise(data.tables[one.table])
        found += orphans(data, one.table, read)
        found += currencies(data, one.table, read)
        found += _other_currency(data, one)
        found += _misnamed(data, one)
    for promise in data.schema.table_checks:
        if isinstance(promise, WithoutRowsCheck):
            found += without_rows(data, promise, read)
        else:
            found += totals_above(data, promise, read)
    return found


def far_times(data: ShopData, read: Read) -> list[DataIssue]:
    """Return an issue for every column of times so far away that the next day has no date."""
    problem = "holds times of the year 1 or before, or of the year 9999 or after"
    return [
        DataIssue(name, column, problem, "make them null or mend them")
        for name, bound in data.tables.items()
        for column, kind in bound.columns.items()
        if isinstance(kind, pl.Date | pl.Datetime) and read([_far(data, name, column)])[0].item()
    ]


def _far(data: ShopData, table: str, name: str) -> Rel:
    """Count the rows of which a time is far away."""
    column = data.column(table, name)
    kind = kind_of(data, column)
    low, high = (Lit(_moment(year, kind), kind) for year in (2, 9999))
    is_far = call(Op.OR, call(Op.LT, Col(name), low), call(Op.GE, Col(name), high))
    return Aggregate(
        Tables(lowering_of(data)).prepare(table, [column]),
        (),
        (("row_count", Agg(AggOp.ROWS, None, is_far)),),
    )


def _moment(year: int, kind: Kind) -> dt.date:
    """Return the beginning of a year as a time of a kind."""
    if kind == "day":
        return dt.date(year, 1, 1)
    return dt.datetime(year, 1, 1, tzinfo=dt.UTC if kind == "instant" else None)


def _checks(data: ShopData, table: str, severities: frozenset[Severity]) -> tuple[Check, ...]:
    """Return the promises about single rows of a table that can be looked at."""
    return tuple(
        promise
        for promise in data.schema.checks
        if promise.column.table == table
        and promise.finding.severity in severities
        and all(map(partial(_is_shown, data, promise), leaves(promise.broken)))
        and not _is_needless(data, promise)
    )


def _is_shown(data: ShopData, promise: Check, item: Column | Lookup) -> bool:
    """Return whether a column was supplied; one of another table, with the key that leads there."""
    if isinstance(item, Lookup):
        is_found = data.is_supplied(item.key) and not data.missing_for(item)
        return is_found and _is_shown(data, promise, item.value)
    return data.is_supplied(item) or (promise.is_derived and not data.missing_for(item))


def _is_needless(data: ShopData, promise: Check) -> bool:
    """Return whether a column was supplied that makes a promise unnecessary."""
    return promise.unless_supplied is not None and data.is_supplied(promise.unless_supplied)


def _pass(tables: Tables, table: str, severities: frozenset[Severity]) -> Rel:
    """Count the rows, those with a time and those that break a promise; find the ends of time."""
    lowering, data = tables.lowering, tables.lowering.data
    declared = data.known[table]
    checks, clock = _checks(data, table, severities), declared.get(declared.time)
    columns = [leaf for promise in checks for leaf in leaves(promise.broken)]
    folds = {"row_count": ROWS}
    if data.is_supplied(clock):
        columns, moment = [clock, *columns], lowering.instant(clock)
        folds |= {
            "timed": Agg(AggOp.COUNT, moment),
            "earliest": Agg(AggOp.MIN, moment),
            "latest": Agg(AggOp.MAX, moment),
        }
    for number, promise in enumerate(checks):
        folds[f"broken_{number}"] = Agg(AggOp.ROWS, None, lowering.predicate(promise.broken))
    return Aggregate(tables.prepare(table, columns), (), tuple(folds.items()))


def _keys(data: ShopData, table: str, key: Sequence[str]) -> Rel:
    """Count the rows that have a key, and the different keys."""
    if len(key) == 1:
        rows = Tables(lowering_of(data)).prepare(table, [data.column(table, *key)])
        folds = (
            ("keyed", Agg(AggOp.COUNT, Col(*key))),
            ("keys", Agg(AggOp.COUNT_DISTINCT, Col(*key))),
        )
        return Aggregate(rows, (), folds)
    total = Agg(AggOp.SUM, call(Op.TO_FLOAT, Col("row_count")))
    return Aggregate(_by_key(data, table, key), (), (("keyed", total), ("keys", ROWS)))


def _by_key(data: ShopData, table: str, key: Sequence[str]) -> Rel:
    """Count the rows of each key, of those that are known whole."""
    rows = Tables(lowering_of(data)).prepare(table, [data.column(table, name) for name in key])
    known = conjunction(*(is_known(Col(name)) for name in key))
    return Aggregate(Filter(rows, known or TRUE), tuple(key), (("row_count", ROWS),))


def _overview(
    data: ShopData, table: str, severities: frozenset[Severity], counts: Mapping[str, Any]
) -> Overview:
    rows, timed = counts["row_count"], counts.get("timed")
    stats = TableStats(
        rows=rows,
        earliest=counts.get("earliest"),
        latest=counts.get("latest"),
        untimed=None if timed is None else rows - timed,
    )
    broken = {
        promise: counts[f"broken_{number}"]
        for number, promise in enumerate(_checks(data, table, severities))
    }
    keyed, keys = int(counts.get("keyed", rows) or 0), counts.get("keys")
    return Overview(table, stats, broken, rows - keyed, 0 if keys is None else keyed - keys)


def _violations(data: ShopData, overview: Overview, read: Read) -> Iterator[Violation]:
    """Yield the promises about rows and keys that a table breaks, with a few of the rows."""
    table, key = overview.table, data.tables[overview.table].supplied_key
    if overview.null_keys:
        yield Violation(table, ", ".join(key), KEY_KNOWN, overview.null_keys, "")
    if overview.double_keys:
        sample = sample_of(read([_repeated(data, table, key)])[0].select(key))
        yield Violation(table, ", ".join(key), KEY_UNIQUE, overview.double_keys, sample)
    for promise, rows in overview.broken.items():
        if rows:
            sample = sample_of(read([_breaking(data, promise, key)])[0])
            yield Violation(table, promise.column.name, promise.finding, rows, sample)
    yield from _ahead(data, overview, read)


def _ahead(data: ShopData, overview: Overview, read: Read) -> Iterator[Violation]:
    """Yield the times after today of the rows that tell up to when the data is known."""
    table, latest = data.known[overview.table], overview.stats.latest
    clock, tomorrow = table.get(table.time), dt.datetime.now(dt.UTC) + ONE_DAY
    flags = data.clocks()
    if clock in flags and not data.given_as_of and latest and latest > tomorrow:
        yield from _odd_times(data, table, (Op.GT, tomorrow, flags[clock]), TIME_PAST, read)


def _at_zero(data: ShopData, overview: Overview, read: Read) -> Iterator[Violation]:
    """Yield the times at which computers begin to count, as unknown ones are often written."""
    table, earliest = data.known[overview.table], overview.stats.earliest
    clock, second_day = table.get(table.time), UTC_EPOCH + ONE_DAY
    if clock in data.schema.clocks and earliest and earliest < second_day:
        yield from _odd_times(data, table, (Op.LT, second_day, None), TIME_WRITTEN, read)


def _odd_times(
    data: ShopData,
    table: type[Table],
    odd: tuple[Op, dt.datetime, Flag | None],
    finding: Finding,
    read: Read,
) -> Iterator[Violation]:
    """Yield the rows whose time compares with a limit, of those with a flag, if there are any."""
    clock, lowering, (op, limit, flag) = table.get(table.time), lowering_of(data), odd
    shown = [data.column(table.table, name) for name in data.tables[table.table].supplied_key]
    wanted = [clock, *shown, *(() if flag is None else (flag,))]
    rows = Tables(lowering).prepare(table.table, wanted)
    is_odd = call(op, lowering.instant(clock), Lit(limit, "instant"))
    found = filtered(rows, conjunction(is_odd, lowering.condition(flag)))
    names = [column.name for column in (*shown, clock)]
    count, sample = counted(found, list(dict.fromkeys(names)), read)
    if count:
        yield Violation(table.table, clock.name, finding, count, sample)


def _repeated(data: ShopData, table: str, key: Sequence[str]) -> Rel:
    """Return the keys that are repeated most often."""
    repeated = Filter(_by_key(data, table, key), call(Op.GT, Col("row_count"), whole(1)))
    return Head(repeated, (Col("row_count"), *map(Col, key)), FEW, is_descending=True)


def _breaking(data: ShopData, promise: Check, key: Sequence[str]) -> Rel:
    """Return a few rows that break a promise: their keys, and what it is about."""
    lowering, table = lowering_of(data), promise.column.table
    columns, read = [data.column(table, name) for name in key], [*leaves(promise.broken)]
    rows = Tables(lowering).prepare(table, [*columns, *read])
    broken = Filter(rows, lowering.predicate(promise.broken))
    columns += [leaf for leaf in read if isinstance(leaf, Column)]
    names = tuple(dict.fromkeys(column.name for column in columns))
    return Head(only(broken, names), tuple(map(Col, names)), FEW)


def _untimed(data: ShopData, overview: Overview, read: Read) -> Iterator[Violation]:
    """Yield the rows without a time, in a table whose rows have one as a rule."""
    table, rows = data.known[overview.table], overview.stats.untimed
    clock = table.get(table.time)
    if not rows or clock in data.schema.late_clocks:
        return
    shown = [data.column(table.table, name) for name in data.tables[table.table].supplied_key]
    prepared = Tables(lowering_of(data)).prepare(table.table, [clock, *shown])
    untimed = Filter(prepared, call(Op.IS_NULL, Col(clock.name)))
    _, sample = counted(untimed, [column.name for column in shown] or [clock.name], read)
    yield Violation(table.table, clock.name, TIME_KNOWN, rows, sample)


def _half_keyed(data: ShopData, overview: Overview, read: Read) -> Iterator[Violation]:
    """Yield the key that was not supplied whole, and what it repeats as far as it was."""
    table, bound = overview.table, data.tables[overview.table]
    key = [name for name in bound.table.key if name in bound.columns]
    missing = ", ".join(name for name in bound.table.key if name not in key)
    if not missing:
        return
    if not key:
        if overview.stats.rows:
            yield Violation(table, missing, KEY_SUPPLIED, overview.stats.rows, "")
        return
    (found,) = read([_repeated(data, table, key)])
    if found.height:
        finding = KEY_WHOLE.about(key=", ".join(key))
        (counts,) = read([_keys(data, table, key)])
        keyed, keys = counts.select("keyed", "keys").row(0)
        rows = int((keyed or 0) - keys)
        yield Violation(table, missing, finding, rows, sample_of(found.select(key)))


def _read_otherwise(bound: BoundTable) -> Iterator[Violation]:
    """Yield the values of a table that are not read as they are."""
    for one in bound.read_otherwise():
        sample = ", ".join(map(repr, one.sample))
        yield Violation(bound.table.table, one.column, one.finding, one.rows, sample)


def _imprecise(data: ShopData, overview: Overview) -> Iterator[Violation]:
    """Yield the amounts of a table that were supplied with too few digits."""
    bound, rows = data.tables[overview.table], overview.stats.rows
    for name, kind in bound.columns.items():
        is_amount = isinstance(bound.table.columns.get(name), Money)
        if rows and is_amount and isinstance(kind, pl.Float32):
            yield Violation(overview.table, name, MONEY_PRECISE, rows, "")


def _other_currency(data: ShopData, overview: Overview) -> Iterator[Violation]:
    """Yield a column that is called much like that of the currency, where that is not supplied."""
    bound, currency = data.tables[overview.table], data.schema.currency_column
    if currency in bound.columns or currency not in bound.table.columns or not overview.stats.rows:
        return
    others = (name for name in bound.columns if name not in bound.table.columns)
    for name in others:
        if currency in name.lower() and isinstance(bound.columns[name], pl.String):
            finding = CURRENCY_NAMED.about(table=overview.table, other=name, currency=currency)
            yield Violation(overview.table, currency, finding, overview.stats.rows, repr(name))


def _misnamed(data: ShopData, overview: Overview) -> Iterator[Violation]:
    """Yield the columns that were not supplied under their names, but under ones like them."""
    bound = data.tables[overview.table]
    lacking = {folded(name): name for name in bound.table.columns if name not in bound.columns}
    for other in bound.columns if overview.stats.rows else ():
        name = lacking.get(folded(other))
        if other not in bound.table.columns and name not in {None, data.schema.currency_column}:
            finding = COLUMN_NAMED.about(table=overview.table, other=other, column=name)
            yield Violation(overview.table, str(name), finding, overview.stats.rows, repr(other))

"""What breaks the promises about keys, and about several rows that belong together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial, reduce
from itertools import chain
from typing import assert_never

import polars as pl

from funnelkit.data.findings import Finding, Severity
from funnelkit.data.promise_kinds import (
    AboveCheck,
    DailyCheck,
    DayCheck,
    DeadlineCheck,
    OnceCheck,
    OneOwnerCheck,
    OwnRateCheck,
    Promise,
    ScaleCheck,
    SignCheck,
    SpellingCheck,
    SpreadsheetCheck,
    StandInCheck,
    TotalCheck,
)
from funnelkit.data.shop_data import ShopData
from funnelkit.errors import ContractError
from funnelkit.formula.formulas import PolarsExpr
from funnelkit.formula.properties import columns_of
from funnelkit.formula.values import Column, IsNull, Lower, Not, Predicate
from funnelkit.formula.vocabulary import folded
from funnelkit.formula.walk import conjuncts, leaves
from funnelkit.planning.lowering import lowering_of
from funnelkit.planning.plan import Fold, Step
from funnelkit.planning.prepared import Tables
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Col,
    Filter,
    Head,
    Lit,
    Op,
    Rel,
    call,
    conjunction,
    extend,
    filtered,
    whole,
)
from funnelkit.verification.amounts import above, columns_in, of_lines, own_rates, signs
from funnelkit.verification.days import deadlines, utc_midnights
from funnelkit.verification.violation import FEW, ROWS, Read, Violation, counted

__all__ = ["broken_promises", "check_promises"]


def check_promises(
    data: ShopData, steps: Sequence[Step], columns: set[tuple[str, str]], read: Read
) -> None:
    """Check the promises about the columns that numbers rest on, once per promise.

    Args:
        data: The data of the shop.
        steps: What is asked.
        columns: What numbers rest on: columns, each with its table.
        read: Reads relations.

    Raises:
        ContractError: A number rests on a broken one; names all of them.
    """
    fresh = {
        number: promise
        for number, promise in enumerate(data.schema.promises)
        if number not in data.seen_promises and data.is_supplied(promise.column)
    }
    due = {number: one for number, one in fresh.items() if _is_due(one, steps, columns)}
    found = [one for promise in due.values() for one in _violations(data, promise, read)]
    if issues := [one.issue for one in found if one.finding.severity is Severity.ERROR]:
        raise ContractError(issues)
    data.seen_promises |= set(due)


def broken_promises(data: ShopData, read: Read) -> Iterator[Violation]:
    """Yield what breaks a promise, or looks as if it did."""
    for promise in data.schema.promises:
        yield from _violations(data, promise, read)
        if isinstance(promise, StandInCheck):
            yield from _frequent(data, promise, read)
        if isinstance(promise, SpellingCheck):
            yield from _addresses(data, promise, read)


def _is_due(promise: Promise, steps: Iterable[Step], columns: set[tuple[str, str]]) -> bool:
    """Return whether numbers rest on a promise."""
    if isinstance(promise, DailyCheck):
        return any(table == promise.column.table for table, _ in columns)
    if isinstance(promise, ScaleCheck):
        return any(_is_on_scale(promise, step, fold) for step in steps for fold in step.folds)
    wanted = {(column.table, column.name) for column in _read_with(promise)}
    return bool(wanted) and wanted <= columns


def _is_on_scale(promise: ScaleCheck, step: Step, fold: Fold) -> bool:
    """Return whether a fold takes values to be on the scale of a promise, not only to be there."""
    if isinstance(fold.aggregate, PolarsExpr):
        return False
    inner, conditions = fold.aggregate.of, [step.where, fold.aggregate.where]
    conditions += [] if inner is None else [inner.where]
    parts = [part for where in conditions for part in conjuncts(where)]
    tested = {leaf for part in parts for leaf in leaves(part)}
    weighed = {leaf for part in parts if not _is_null_test(part) for leaf in leaves(part)}
    weighed |= set(fold.reads) - tested
    if inner is not None:
        weighed |= {leaf for _, each in inner.columns for leaf in columns_of(each)}
    return promise.kind in parts and promise.value in weighed and promise.column not in weighed


def _is_null_test(predicate: Predicate) -> bool:
    return isinstance(predicate.predicate if isinstance(predicate, Not) else predicate, IsNull)


def _read_with(promise: Promise) -> tuple[Column, ...]:
    """Return the columns that a number reads where it rests on a promise; none of an oddity."""
    match promise:
        case StandInCheck() | SpellingCheck() | SpreadsheetCheck() | SignCheck() | OwnRateCheck():
            return (promise.column,)
        case DayCheck() | DeadlineCheck():
            is_error = promise.finding.severity is Severity.ERROR
            return (promise.column,) if is_error else ()
        case OnceCheck():
            return (promise.read_with,)
        case OneOwnerCheck() | TotalCheck() | AboveCheck():
            return ()
        case DailyCheck() | ScaleCheck():
            return ()
        case _:
            assert_never(promise)


def _violations(data: ShopData, promise: Promise, read: Read) -> Iterator[Violation]:
    match promise:
        case StandInCheck():
            return _stand_ins(data, promise, read)
        case SpellingCheck():
            return _spellings(data, promise, read)
        case SpreadsheetCheck():
            return _by_spreadsheets(data, promise, read)
        case OneOwnerCheck():
            return _owners(data, promise, read)
        case OnceCheck():
            return _doubles(data, promise, read)
        case TotalCheck():
            return of_lines(data, promise, read)
        case AboveCheck():
            return above(data, promise, read)
        case SignCheck():
            return signs(data, promise, read)
        case OwnRateCheck():
            return own_rates(data, promise, read)
        case DayCheck():
            return utc_midnights(data, promise, read)
        case DeadlineCheck():
            return deadlines(data, promise, read)
        case DailyCheck():
            return _several_a_day(data, promise, read)
        case ScaleCheck():
            return _off_scale(data, promise, read)
        case _:
            assert_never(promise)


def _stand_ins(data: ShopData, promise: StandInCheck, read: Read) -> Iterator[Violation]:
    """Yield the words of a key that name nobody, and numbers that hold far too many rows."""
    column = promise.column
    if not data.is_supplied(column):
        return
    broken: Predicate = (
        column.is_in([*_spelt(promise.words), *map(str, (*promise.never, *promise.numbers))])
        if isinstance(data.type_of(column), pl.String)
        else column.is_in((*promise.never, *promise.numbers))
    )
    (counts,) = read([_by_key(data, column, broken)])
    rows: dict[object, int] = dict(counts.sort("row_count", column.name, descending=True).rows())
    nobody = _folded(promise)
    words = {key: many for key, many in rows.items() if folded(str(key)) in nobody}
    numbers = {key: many for key, many in rows.items() if key not in words}
    if words:
        yield _nobody(column, words, promise.word)
    if not numbers:
        return
    (totals,) = read([_totals(data, column)])
    known, keys = totals.row(0)
    others, most = max(keys - len(rows), 1), max(numbers.values())
    usual = (known - sum(rows.values())) / others
    if most > 1 and most >= promise.doubtful * usual:
        is_sure = most >= promise.enough and most >= promise.times * usual
        yield _nobody(column, numbers, promise.number if is_sure else promise.frequent)


def _folded(promise: StandInCheck) -> set[str]:
    """Return what names nobody, folded."""
    return {*map(folded, promise.words), *map(str, promise.never)}


def _spelt(words: Iterable[str]) -> list[str]:
    """Return words as they are usually written; folding the case of every key takes longer."""
    ways = (str, str.lower, str.upper, str.capitalize, str.title)
    cased = (way(word) for word in words for way in ways)
    joined = (mark.join(word.split(" ")) for word in cased for mark in (" ", "-", "_", ""))
    return list(dict.fromkeys(joined))


def _nobody(column: Column, found: dict[object, int], finding: Finding) -> Violation:
    return _shown(column, list(found.items()), finding.about(keys=list(found)))


def _shown(column: Column, found: Sequence[tuple[object, int]], finding: Finding) -> Violation:
    sample = ", ".join(f"{key!r} ({rows:,})" for key, rows in found[:FEW])
    rows = sum(rows for _, rows in found)
    return Violation(column.table, column.name, finding, rows, sample)


def _frequent(data: ShopData, promise: StandInCheck, read: Read) -> Iterator[Violation]:
    """Yield the key that is in implausibly many rows, where there is one."""
    column = promise.column
    if not data.is_supplied(column) or data.known[column.table].key == (column.name,):
        return
    most = Head(_by_key(data, column), (Col("row_count"), Col(column.name)), 2, is_descending=True)
    rows: list[tuple[object, int]] = read([most])[0].rows()
    nobody = _folded(promise) | set(map(str, promise.numbers))
    if len(rows) < 2 or folded(str(rows[0][0])) in nobody:
        return
    (key, first), (_, second) = rows
    if first >= promise.enough and first >= promise.times * second:
        yield _nobody(column, {key: first}, promise.frequent)


def _by_key(data: ShopData, column: Column, where: Predicate | None = None) -> Rel:
    """Return in how many rows each value of a column is."""
    lowering = lowering_of(data)
    wanted = () if where is None else columns_in(where)
    rows = Tables(lowering).prepare(column.table, [column, *wanted])
    kept = conjunction(lowering.known(column), lowering.condition(where))
    return Aggregate(filtered(rows, kept), (column.name,), (("row_count", ROWS),))


def _totals(data: ShopData, column: Column) -> Rel:
    rows = Tables(lowering_of(data)).prepare(column.table, [column])
    value = Col(column.name)
    folds = ("known", Agg(AggOp.COUNT, value)), ("keys", Agg(AggOp.COUNT_DISTINCT, value))
    return Aggregate(rows, (), folds)


def _spellings(data: ShopData, promise: SpellingCheck, read: Read) -> Iterator[Violation]:
    """Yield the keys that are written in several ways."""
    column = promise.column
    if not isinstance(data.type_of(column), pl.String):
        return
    lowering, name = lowering_of(data), column.name
    is_held = call(Op.CONTAINS, Col(name), Lit(promise.holds, "str")) if promise.holds else None
    keys = Tables(lowering).prepare(column.table, [column])
    keys = filtered(keys, conjunction(lowering.known(column), is_held))
    capitals = Filter(keys, lowering.predicate(~Lower(column).eq(column)))
    if read([Head(capitals, (Col(name),), 1)])[0].is_empty():
        return
    small = lowering.names.of((column, "small"), f"{name}_small")
    each = Aggregate(keys, (name,), (("row_count", ROWS),))
    alike = extend(each, **{small: lowering.value(Lower(column))})
    folds = (
        ("spellings", ROWS),
        ("row_count", Agg(AggOp.SUM, call(Op.TO_FLOAT, Col("row_count")))),
        ("first", Agg(AggOp.MIN, Col(name))),
        ("last", Agg(AggOp.MAX, Col(name))),
    )
    several = call(Op.GT, Col("spellings"), whole(1))
    found = Filter(Aggregate(alike, (small,), folds), several)
    yield from _told(read, found, column, promise.cases, shown=("first", "last"))


def _addresses(data: ShopData, promise: SpellingCheck, read: Read) -> Iterator[Violation]:
    """Yield the keys that are addresses themselves."""
    column = promise.column
    finding = promise.address
    if finding is None or not isinstance(data.type_of(column), pl.String):
        return
    keys = Tables(lowering_of(data)).prepare(column.table, [column])
    found = Filter(keys, call(Op.CONTAINS, Col(column.name), Lit("@", "str")))
    rows, sample = counted(found, [column.name], read)
    if rows:
        yield Violation(column.table, column.name, finding, rows, sample)


def _by_spreadsheets(data: ShopData, promise: SpreadsheetCheck, read: Read) -> Iterator[Violation]:
    """Yield the keys that are numbers as a spreadsheet writes them."""
    column = promise.column
    if not isinstance(data.type_of(column), pl.String):
        return
    key = Col(column.name)
    marks = [call(Op.CONTAINS, key, Lit(mark, "str")) for mark in ("E+", "e+", ".0", ",0")]
    has_zero = call(Op.AND, call(Op.GE, key, Lit("0", "str")), call(Op.LT, key, Lit("1", "str")))
    rows = Tables(lowering_of(data)).prepare(column.table, [column])
    is_odd = reduce(partial(call, Op.OR), marks, has_zero)
    found = Aggregate(Filter(rows, is_odd), (column.name,), (("row_count", ROWS),))
    counts: dict[str, int] = dict(read([found])[0].sort(column.name).rows())
    for finding, shape in ((promise.rounded, _ROUNDED), (promise.decimal, _DECIMAL)):
        if odd := [(text, rows) for text, rows in counts.items() if shape.fullmatch(text)]:
            yield _shown(column, odd, finding)
    short = {text.lstrip("0"): text for text in counts if _PADDED.fullmatch(text)}
    some = list(short)[:MANY]
    if some and (both := dict(read([_by_key(data, column, column.is_in(some))])[0].rows())):
        pairs = (((short[text], counts[short[text]]), (text, both[text])) for text in sorted(both))
        yield _shown(column, list(chain.from_iterable(pairs)), promise.zeros)


_ROUNDED = re.compile(r"\d([.,]\d+)?[eE]\+\d+")
_DECIMAL = re.compile(r"\d+[.,]0{1,2}")
_PADDED = re.compile(r"0+[1-9]\d*")
MANY = 10_000
"""How many keys with zeros before them are looked for without."""


def _owners(data: ShopData, promise: OneOwnerCheck, read: Read) -> Iterator[Violation]:
    """Yield the keys whose rows are of several owners."""
    column, owner = promise.column, promise.owner
    if not data.is_supplied(column) or data.missing_for(owner):
        return
    lowering = lowering_of(data)
    rows = Tables(lowering).prepare(column.table, [column, owner])
    folds = ("owners", Agg(AggOp.COUNT_DISTINCT, Col(owner.name))), ("row_count", ROWS)
    by_key = Aggregate(filtered(rows, lowering.known(column)), (column.name,), folds)
    found = Filter(by_key, call(Op.GT, Col("owners"), whole(1)))
    yield from _told(read, found, column, promise.finding)


def _doubles(data: ShopData, promise: OnceCheck, read: Read) -> Iterator[Violation]:
    """Yield the keys of which there are several rows of a kind."""
    column, wanted = promise.column, columns_in(promise.where)
    if not data.is_supplied(column) or any(map(data.missing_for, wanted)):
        return
    lowering = lowering_of(data)
    rows = Tables(lowering).prepare(column.table, [column, *wanted])
    kept = conjunction(lowering.known(column), lowering.predicate(promise.where))
    by_key = Aggregate(filtered(rows, kept), (column.name,), (("row_count", ROWS),))
    found = Filter(by_key, call(Op.GT, Col("row_count"), whole(1)))
    yield from _told(read, found, column, promise.finding)


def _several_a_day(data: ShopData, promise: DailyCheck, read: Read) -> Iterator[Violation]:
    """Yield the entities of which there are several rows on a day."""
    clock = promise.column
    if not isinstance(data.type_of(clock), pl.Datetime):
        return
    table = data.known[clock.table]
    owner = [column for name in table.entity_key if data.is_supplied(column := table.get(name))]
    lowering = lowering_of(data)
    rows = Tables(lowering).prepare(clock.table, [clock, *owner])
    day = lowering.names.of((clock, "day"), f"{clock.name}_day")
    dated = extend(filtered(rows, lowering.known(clock)), **{day: lowering.day(clock)})
    names = (day, *(column.name for column in owner))
    by_day = Aggregate(dated, names, (("row_count", ROWS),))
    found = Filter(by_day, call(Op.GT, Col("row_count"), whole(1)))
    yield from _told(read, found, clock, promise.finding, shown=names)


def _off_scale(data: ShopData, promise: ScaleCheck, read: Read) -> Iterator[Violation]:
    """Yield the scales that are not the one that folds take for granted."""
    column, wanted = promise.column, columns_in(promise.broken)
    if not all(map(data.is_supplied, wanted)):
        return
    found = _by_key(data, column, promise.broken)
    yield from _told(read, found, column, promise.finding)


def _told(
    read: Read, found: Rel, column: Column, finding: Finding, *, shown: tuple[str, ...] = ()
) -> Iterator[Violation]:
    """Yield what is wrong with keys, the number of their rows, and a few of them."""
    names = shown or (column.name,)
    rows = Agg(AggOp.SUM, call(Op.TO_FLOAT, Col("row_count")))
    total = Aggregate(found, (), (("row_count", rows),))
    counted, few = read([total, Head(found, tuple(map(Col, names)), FEW)])
    if many := counted.item():
        sample = ", ".join(" and ".join(map(repr, row)) for row in few.select(names).rows())
        yield Violation(column.table, column.name, finding, int(many), sample)

"""Words that a formula or filter compares a column with, as the column's vocabulary has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from funnelkit.data.schema import WordsCheck
from funnelkit.data.shop_data import ShopData
from funnelkit.errors import DefinitionError, nearest, shortened
from funnelkit.formula.constants import Scalar as Constant
from funnelkit.formula.operators import Relation
from funnelkit.formula.values import Category, Coalesce, Column, If, IsIn, Literal, Lookup, Value
from funnelkit.formula.walk import end_of
from funnelkit.planning.relations import Col, Lit, Op, Rel, Scalar, Scan, call, extend, when
from funnelkit.planning.traversal import columns_read, with_scans

__all__ = ["WRITTEN", "as_held", "in_words", "promise_of", "spelled", "with_words"]

WRITTEN = (
    "write numbers plain, words in quotes, days as date('2024-12-31'), "
    "and lengths of time as hours(48) or days(2); the time between two is elapsed(start, end)"
)
"""How values of each kind are written."""


def promise_of(data: ShopData, column: Category) -> WordsCheck | None:
    """Return the promise that a column holds words of its vocabulary alone, if it must."""
    promise = data.schema.vocabularies.get(column)
    other = None if promise is None else promise.unless_supplied
    return None if other is not None and data.is_supplied(other) else promise


def in_words(data: ShopData, *sides: Value) -> tuple[Value, ...]:
    """Return values that are compared, their constants as the words that they stand for.

    Raises:
        DefinitionError: A column with a closed vocabulary is compared with another word.
    """
    column = next((found for side in sides for found in _categories(data, side)), None)
    if column is None:
        return sides
    texts = [_text(side) for side in sides]
    meant = column.meanings(text for text in texts if text is not None)
    return tuple(
        side if text is None else Literal(_checked(data, column, text, meant[text]))
        for side, text in zip(sides, texts, strict=True)
    )


def _text(side: Value) -> str | None:
    return side.value if isinstance(side, Literal) and isinstance(side.value, str) else None


def _categories(data: ShopData, value: Value) -> Iterator[Category]:
    """Yield the columns with a vocabulary that a value may be taken from."""
    match value:
        case Column() | Lookup():
            end = end_of(value)
            if isinstance(end, Category) and end.values:
                yield end
            elif isinstance(end, Category) and (words := _derived_words(data, end)):
                yield replace(end, values=words)
        case Coalesce(values):
            for one in values:
                yield from _categories(data, one)
        case If(_, then, otherwise):
            yield from _categories(data, then)
            yield from _categories(data, otherwise)
        case _:
            return


def as_held(data: ShopData, relation: Relation, left: Value, right: Value) -> IsIn | None:
    """Return which spellings of a text a value is compared with; None where that is no matter."""
    for value, other in ((left, right), (right, left)):
        text = _text(other)
        if text is not None and relation in {Relation.EQ, Relation.NE}:
            texts = spelled(data, value, [text])
            return None if texts == [text] else IsIn(value, tuple(texts))
    return None


def spelled(data: ShopData, value: Value, constants: Iterable[Constant]) -> list[Constant]:
    """Return constants; instead of a text, each spelling of it that a column was found to hold.

    Texts are compared without case and blanks around them. Which there are is learnt of the
    columns that conditions compare with texts: these are remembered.
    """
    columns = list(_with_any_text(data, value))
    found = list[Constant]()
    for constant in constants:
        same = _spellings(data, columns, constant) if isinstance(constant, str) else []
        found += same or [constant]
    return list(dict.fromkeys(found))


def _spellings(data: ShopData, columns: Iterable[Category], text: str) -> list[str]:
    texts = set[str]()
    for column in columns:
        seen = data.seen_words.get(column)
        if seen is not None:
            texts |= {word for word in seen.meant.values() if word is not None}
        elif text not in column.values:
            data.compared_texts.add(column)
    wanted = text.strip().lower()
    return sorted(word for word in texts if word.strip().lower() == wanted)


def _with_any_text(data: ShopData, value: Value) -> Iterator[Category]:
    """Yield the supplied columns that a value may be taken from, and that may hold any text."""
    match value:
        case Column() | Lookup():
            end = end_of(value)
            if isinstance(end, Category) and (end.is_open or not end.values):
                yield from (end,) if data.is_supplied(end) else ()
        case Coalesce(values):
            for one in values:
                yield from _with_any_text(data, one)
        case If(_, then, otherwise):
            yield from _with_any_text(data, then)
            yield from _with_any_text(data, otherwise)
        case _:
            return


def _derived_words(data: ShopData, column: Category) -> tuple[str, ...]:
    """Return the words from which a rule chooses that of a column, where it is such a rule."""
    rule, found = None if data.is_supplied(column) else data.rule(column), list[Value]()
    while isinstance(rule, If):
        found.append(rule.then)
        rule = rule.otherwise
    found += [rule] if found and isinstance(rule, Literal) else []
    return tuple(dict.fromkeys(word for word in map(_text, found) if word is not None))


def _checked(data: ShopData, column: Category, text: str, word: str) -> str:
    """Return the word that a text stands for, unless the column cannot hold it."""
    if word in column.values or not data.guards or promise_of(data, column) is None:
        return word
    texts = column.meanings((*column.values, *column.synonyms))
    close = [texts[text] for text in nearest(word.strip().lower(), texts)] or column.values
    raise DefinitionError(
        f"{column} is compared with {shortened(repr(text))}, which is not a word that it holds",
        f"use {' or '.join(map(repr, dict.fromkeys(close)))}",
    )


def with_words(data: ShopData, relations: Iterable[Rel]) -> list[Rel]:
    """Return relations in which texts are read as the words that they were found to stand for."""
    changed = {
        (column.table, column.name): words.changed
        for column, words in data.seen_words.items()
        if words.changed
    }

    if not changed:
        return list(relations)

    def read(scan: Scan) -> Rel:
        columns = ((name, changed.get((scan.table, name))) for name, _ in scan.columns)
        return extend(scan, **{name: _meant(Col(name), words) for name, words in columns if words})

    return [
        rel if changed.keys().isdisjoint(columns_read([rel])) else with_scans(rel, read)
        for rel in relations
    ]


def _meant(text: Scalar, changed: Mapping[str, str | None]) -> Scalar:
    """Return the word that a text stands for."""
    found = text
    for word in sorted(set(changed.values()), key=str):
        texts = (Lit(one, "str") for one, meant in sorted(changed.items()) if meant == word)
        found = when(call(Op.IN, text, *texts), Lit(word, "str"), otherwise=found)
    return found

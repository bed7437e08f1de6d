"""Words that a formula or filter compares a column with, as the column's vocabulary has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from funnelkit.data.schema import WordsCheck
from funnelkit.data.shop_data import ShopData, Words
from funnelkit.errors import DefinitionError, nearest, shortened
from funnelkit.formula.values import Category, Coalesce, Column, If, Literal, Lookup, Value
from funnelkit.formula.walk import end_of
from funnelkit.planning.relations import (
    Answer,
    Col,
    Lit,
    Named,
    Op,
    Rel,
    Scalar,
    Scan,
    Select,
    call,
    columns_of,
    extend,
    when,
)
from funnelkit.planning.traversal import columns_read, columns_used, source_of, walk, with_scans

__all__ = [
    "WRITTEN",
    "answers_in_words",
    "in_words",
    "meanings",
    "promise_of",
    "reworded",
    "with_words",
]

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
    meant = meanings(data, column, (text for text in texts if text is not None))
    return tuple(
        side if text is None else Literal(_checked(data, column, text, meant[text]))
        for side, text in zip(sides, texts, strict=True)
    )


def meanings(data: ShopData, column: Category, texts: Iterable[str]) -> dict[str, str]:
    """Return the word that each text stands for: of the vocabulary, else as the column has it."""
    found, seen = column.meanings(texts), data.seen_words.get(column)
    if seen is None or not column.is_open:
        return found
    return {t: word if word in column.values else seen.word(t) for t, word in found.items()}


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
            elif isinstance(end, Category) and end.is_open:
                yield end
        case Coalesce(values):
            for one in values:
                yield from _categories(data, one)
        case If(_, then, otherwise):
            yield from _categories(data, then)
            yield from _categories(data, otherwise)
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
    changed = _changed(data)
    return [_read_in_words(rel, changed) for rel in relations]


def answers_in_words(
    data: ShopData, answers: Iterable[Answer], *, is_lasting: bool = False
) -> list[Named]:
    """Return the relations of answers as `with_words` does, their keys spelled as they are to be.

    What is only grouped by is read as it is, and its words are spelled group by group.

    Args:
        data: The shop's data.
        answers: The answers.
        is_lasting: Whether the tables may have other texts later on.
    """
    changed = _changed(data)
    return [_answer_in_words(answer, changed, is_lasting=is_lasting) for answer in answers]


Changed = Mapping[tuple[str, str], Words]
"""By table and column: the words of columns of which some text is not the word itself."""


def _changed(data: ShopData) -> Changed:
    seen = data.seen_words.items()
    return {(column.table, column.name): words for column, words in seen if words.changed}


def _read_in_words(rel: Rel, changed: Changed) -> Rel:
    """Return a relation in which the texts of its tables are words."""

    def read(scan: Scan) -> Rel:
        columns = ((name, changed.get((scan.table, name))) for name, _ in scan.columns)
        return extend(
            scan, **{name: reworded(Col(name), words.changed) for name, words in columns if words}
        )

    return rel if changed.keys().isdisjoint(columns_read([rel])) else with_scans(rel, read)


def _answer_in_words(answer: Answer, changed: Changed, *, is_lasting: bool) -> Named:
    carried = {} if is_lasting else _carried_keys(answer, changed)
    early = {column: words for column, words in changed.items() if column not in carried.values()}
    rel = _read_in_words(answer.relation.input, early)
    spelled = dict[str, Mapping[str, str | None]]()
    for key, texts in answer.spellings:
        spelled[key] = dict(texts)
    for key, column in carried.items():
        words, meant = spelled.get(key, {}), changed[column].meant.items()
        spelled[key] = {text: words.get(word or "", word) for text, word in meant}
    named = {name: reworded(Col(name), spelled.get(name, {})) for name in columns_of(rel)}
    if any(value != Col(name) for name, value in named.items()):
        rel = Select(rel, tuple(named.items()))
    return replace(answer.relation, input=rel)


def _carried_keys(answer: Answer, changed: Changed) -> dict[str, tuple[str, str]]:
    """Return the keys that may be put into words in the end, each with its column.

    Nothing is made of the column but that key, and no two of its texts stand for one word.
    """
    scans = (rel for rel in walk(answer.relation) if isinstance(rel, Scan))
    scanned = Counter(column for scan in scans for column in columns_read([scan]))
    sources = {key: source_of(answer.relation, key) for key in answer.keys}
    used = columns_used(answer.relation)
    return {
        key: column
        for key, column in sources.items()
        if column in changed
        and column is not None
        and column not in used
        and scanned[column] == 1
        and changed[column].is_one_to_one
    }


def reworded(text: Scalar, changed: Mapping[str, str | None]) -> Scalar:
    """Return a text, or what it is changed to where it is one of some."""
    found, others = text, {one: word for one, word in changed.items() if one != word}
    for word in sorted(set(others.values()), key=str):
        texts = (Lit(one, "str") for one, meant in sorted(others.items()) if meant == word)
        found = when(call(Op.IN, text, *texts), Lit(word, "str"), otherwise=found)
    return found

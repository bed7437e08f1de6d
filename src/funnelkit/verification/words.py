"""The words of columns that have a vocabulary: which there are, and which of them are unknown."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from difflib import get_close_matches

from funnelkit.data.findings import Finding
from funnelkit.data.schema import WordsCheck
from funnelkit.data.shop_data import ShopData
from funnelkit.errors import ContractError
from funnelkit.formula.values import Category
from funnelkit.formula.vocabulary import dictionary, folded
from funnelkit.planning.lowering import lowering_of
from funnelkit.planning.prepared import Tables
from funnelkit.planning.relations import Agg, AggOp, Aggregate, Rel
from funnelkit.planning.vocabulary import promise_of
from funnelkit.verification.violation import Violation

__all__ = [
    "check_words",
    "foreign_words",
    "merged_words",
    "near_words",
    "unknown_words",
    "word_counts",
]

MOST = 10
"""How many unknown words are named."""

COMPARED = 200
"""How many unknown words are compared with known ones: those in most rows."""

ALIKE = 0.85
"""From which share of equal letters on two words are nearly the same."""


def word_counts(data: ShopData, column: Category) -> Rel:
    """Return the texts of a column, and in how many rows each is."""
    rows = Tables(lowering_of(data)).prepare(column.table, [column])
    return Aggregate(rows, (column.name,), (("row_count", Agg(AggOp.ROWS)),))


def check_words(data: ShopData, columns: Container[tuple[str, str]]) -> None:
    """Check that the columns that numbers rest on hold words of their vocabularies alone.

    Args:
        data: The data of the shop, with the words of those columns.
        columns: What numbers rest on: columns, each with its table.

    Raises:
        ContractError: They do not; names every such column, its words and how to map them.
    """
    broken = unknown_words(data)
    if issues := [one.issue for one in broken if (one.table, one.column) in columns]:
        raise ContractError(issues)


def unknown_words(data: ShopData) -> Iterator[Violation]:
    """Yield the columns, of those whose words are known, that hold words of no vocabulary."""
    for column, seen in data.seen_words.items():
        promise = promise_of(data, column)
        if promise is not None and (unknown := seen.others(column.values)):
            yield _violation(column, promise.finding, unknown)


def foreign_words(data: ShopData) -> Iterator[Violation]:
    """Yield the columns with an open vocabulary that hold not one word of it."""
    for column, seen in data.seen_words.items():
        unknown = seen.others(column.values)
        is_read = column.is_open and column.values and column not in data.schema.unread_words
        if is_read and unknown and len(unknown) == len(seen.rows):
            yield _violation(column, WordsCheck(column).finding, unknown)


def near_words(data: ShopData) -> Iterator[Violation]:
    """Yield the columns with an open vocabulary that hold words that are nearly of it."""
    for column, seen in data.seen_words.items():
        finding = WordsCheck(column).near
        if finding is None or column in data.schema.unread_words:
            continue
        unknown = _most_frequent(seen.others(column.values), COMPARED)
        known = dictionary(column.values, column.synonyms)
        near = {text: known[word] for text in unknown for word in _nearest(text, known)}
        if near:
            told = finding.about(words=near)
            yield _violation(column, told, {text: unknown[text] for text in near})


def merged_words(data: ShopData) -> Iterator[Violation]:
    """Yield the columns in which several names, and not only spellings, are read as one word."""
    for column, seen in data.seen_words.items():
        finding = WordsCheck(column).merged
        names: dict[str | None, set[str]] = {}
        for text, word in seen.meant.items():
            names.setdefault(word, set()).add(folded(text))
        several = {word for word, some in names.items() if word and len(some) > 1}
        if finding is not None and several:
            texts = {text: seen.rows[text] for text, word in seen.meant.items() if word in several}
            renamed = {
                text: "…"
                for text in sorted(texts)
                if folded(text) != folded(seen.meant[text] or "")
            }
            yield _violation(column, finding.about(words=renamed), texts)


def _nearest(text: str, known: Iterable[str]) -> list[str]:
    """Return the word that a text is nearly, if any: with other digits it is another name."""
    text = folded(text)
    alike = get_close_matches(text, [*known], n=1, cutoff=ALIKE)
    return [word for word in alike if re.findall(r"\d", word) == re.findall(r"\d", text)]


def _violation(column: Category, finding: Finding, unknown: Mapping[str, int]) -> Violation:
    most = _most_frequent(unknown, MOST)
    sample = ", ".join(f"{word!r} ({many:,})" for word, many in most.items())
    return Violation(column.table, column.name, finding, sum(unknown.values()), sample)


def _most_frequent(texts: Mapping[str, int], most: int) -> dict[str, int]:
    return dict(sorted(texts.items(), key=lambda item: (-item[1], item[0]))[:most])

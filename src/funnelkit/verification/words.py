"""The words of columns that have a vocabulary: which there are, and which of them are unknown."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from funnelkit.data.schema import WordsCheck
from funnelkit.data.shop_data import ShopData
from funnelkit.errors import ContractError
from funnelkit.formula.values import Category
from funnelkit.planning.derive import lowering_of
from funnelkit.planning.prepared import Tables
from funnelkit.planning.relations import Agg, AggOp, Aggregate, Rel
from funnelkit.planning.vocabulary import promise_of
from funnelkit.verification.violation import Violation

__all__ = ["check_words", "foreign_words", "unknown_words", "word_counts"]

MOST = 10
"""How many unknown words are named."""


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
            yield _violation(promise, unknown)


def foreign_words(data: ShopData) -> Iterator[Violation]:
    """Yield the columns with an open vocabulary that hold not one word of it."""
    for column, seen in data.seen_words.items():
        unknown = seen.others(column.values)
        if column.is_open and unknown and len(unknown) == len(seen.rows):
            yield _violation(WordsCheck(column), unknown)


def _violation(promise: WordsCheck, unknown: Mapping[str, int]) -> Violation:
    column, rows = promise.column, sum(unknown.values())
    most = sorted(unknown.items(), key=lambda item: (-item[1], item[0]))[:MOST]
    sample = ", ".join(f"{word!r} ({many:,})" for word, many in most)
    return Violation(column.table, column.name, promise.finding, rows, sample)

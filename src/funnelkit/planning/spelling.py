"""Keys as the data writes them: words of an open vocabulary, where it writes them in one way."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from funnelkit.data.shop_data import ShopData
from funnelkit.formula.values import Column
from funnelkit.formula.walk import end_of
from funnelkit.planning.plan import Group
from funnelkit.planning.relations import Lit, Op, Scalar, call, when

__all__ = ["as_written", "spellings", "spellings_of_groups"]


def spellings(data: ShopData, columns: Container[Column]) -> dict[str, str]:
    """Return how columns with an open vocabulary write its words, where in one way, and another.

    Args:
        data: The shop's data.
        columns: The columns of one key.
    """
    texts: dict[str, set[str]] = {}
    for column, words in data.seen_words.items():
        if column.is_open and column in columns:
            for text, word in words.meant.items():
                texts.setdefault(word or "", set()).add(text.strip())
    ways = ((word, *found) for word, found in texts.items() if word and len(found) == 1)
    return {word: text for word, text in ways if word != text}


def spellings_of_groups(data: ShopData, groups: Sequence[Group]) -> dict[Group, dict[str, str]]:
    """Return how the words of each group are written; a key of several tables alike in all.

    A word that is derived in one of the tables is written as the rule writes it.
    """
    columns = {group: end_of(group.value) for group in groups}
    derived = {group.name for group, column in columns.items() if not data.is_supplied(column)}
    return {
        group: spellings(data, [columns[other] for other in groups if other.name == group.name])
        for group, column in columns.items()
        if column in data.seen_words and group.name not in derived
    }


def as_written(word: Scalar, texts: Mapping[str, str]) -> Scalar:
    """Return a word as the data writes it."""
    found = word
    for one, text in sorted(texts.items()):
        found = when(call(Op.EQ, word, Lit(one, "str")), Lit(text, "str"), otherwise=found)
    return found

"""Keys as the data writes them: one spelling of each word, in all tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence

from funnelkit.data.shop_data import ShopData
from funnelkit.formula.values import Column
from funnelkit.formula.walk import end_of
from funnelkit.planning.plan import Group

__all__ = ["spellings", "spellings_of_groups"]


def spellings(data: ShopData, columns: Container[Column]) -> dict[str, str]:
    """Return how words of columns are written, where the word itself is not.

    A word is written as the data writes it, if in one way; else as its vocabulary does, or, of
    none, as most rows do.

    Args:
        data: The shop's data.
        columns: The columns of one key, of one table or several.
    """
    rows: dict[str, Counter[str]] = {}
    words: dict[str, set[str]] = {}
    known = set[str]()
    for column, seen in data.seen_words.items():
        if not column.is_open or column not in columns:
            continue
        for text, word in seen.meant.items():
            if word is not None:
                rows.setdefault(word.lower(), Counter())[text.strip()] += seen.rows[text]
                words.setdefault(word.lower(), set()).add(word)
                known |= {word} & {*column.values}
    found: dict[str, str] = {}
    for same, texts in rows.items():
        of_vocabulary = sorted(words[same] & known) if len(texts) > 1 else []
        shown = (*of_vocabulary, *sorted(texts, key=lambda text: (-texts[text], text)))[0]
        found |= {word: shown for word in words[same] if word != shown}
    return found


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

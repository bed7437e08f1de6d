"""Vocabularies: which words a column holds, however they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import cast

from funnelkit.errors import DefinitionError

__all__ = ["check_vocabulary", "dictionary", "folded"]


_BETWEEN_WORDS = re.compile(r"(?<=[^\W_])[\s_-]+(?=[^\W\d_])|(?<=[^\W\d_])[\s_-]+(?=[^\W_])")
"""What parts the words of a name, beside a letter: a hyphen between digits is a part of them."""


def folded(text: str) -> str:
    """Return a text without what does not matter: case, blanks around it, what parts its words."""
    return _BETWEEN_WORDS.sub("", text.strip()).lower()


def dictionary(values: tuple[str, ...], synonyms: Mapping[str, str]) -> dict[str, str]:
    """Return the word of a vocabulary that each folded text stands for."""
    words = {folded(word): word for word in values}
    return {folded(other): word for other, word in synonyms.items()} | words


def check_vocabulary(values: object, synonyms: object, *, is_open: object) -> None:
    """Check that a vocabulary consists of words, and that every text stands for one at most.

    Raises:
        DefinitionError: It does not; names everything that is wrong.
    """
    if wrong := list(_faults(values, synonyms, is_open)):
        remedy = "write Category(values=('new', 'used'), synonyms={'second hand': 'used'})"
        raise DefinitionError("; ".join(wrong), remedy)


def _faults(values: object, synonyms: object, is_open: object) -> Iterator[str]:
    if not isinstance(values, tuple):
        yield f"values = {values!r} is not a tuple of words"
        return
    if not isinstance(synonyms, Mapping):
        yield f"synonyms = {synonyms!r} does not map words to words"
        return
    if not isinstance(is_open, bool):
        yield f"is_open = {is_open!r} is not True or False"
    words = cast("tuple[object, ...]", values)
    same = cast("Mapping[object, object]", synonyms)
    texts = [*words, *same]
    yield from (f"{text!r} is not a word" for text in texts if not _is_word(text))
    stray = (word for word in same.values() if word not in words)
    yield from (f"{word!r} is not among the values" for word in stray)
    meant: dict[str, set[object]] = {}
    for text, word in (*((word, word) for word in words), *same.items()):
        if isinstance(text, str):
            meant.setdefault(folded(text), set()).add(word)
    yield from (f"{name!r} stands for two words" for name, of in meant.items() if len(of) > 1)


def _is_word(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip())

"""How the parameters of a metric are written in its name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from funnelkit.arguments import is_whole
from funnelkit.errors import DefinitionError, shortened

__all__ = ["word_of", "words_of"]


def word_of(number: float) -> str:
    """Return a number as part of a name: 0.5 becomes 0p5."""
    return f"{number:g}".replace(".", "p").replace("+", "").replace("-", "m")


def words_of(name: str, things: Sequence[str | int]) -> str:
    """Return ids or names as part of a name: "Paid Search" becomes paid_search.

    Raises:
        DefinitionError: It is no list of texts or whole numbers, or an empty one.
    """
    if not (isinstance(things, list | tuple) and things and all(map(_is_id, things))):
        problem = f"{name}={shortened(repr(things))} is not a list of ids or names"
        raise DefinitionError(problem, "pass a list with at least one entry")
    return "_".join(map(_word_of_id, things))


def _is_id(thing: object) -> bool:
    return is_whole(thing) or (isinstance(thing, str) and thing != "")


def _word_of_id(thing: str | int) -> str:
    """Return an id as part of a name; where it has no Latin letter or digit, by code points."""
    text = str(thing).lower()
    word = re.sub(r"[^a-z0-9]+", "_", text).strip("_")
    return word or "_".join(f"u{ord(letter):x}" for letter in text)

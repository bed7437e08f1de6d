"""How the parameters of a metric are written in its name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from funnelkit.errors import DefinitionError

__all__ = ["word_of", "words_of"]


def word_of(number: float) -> str:
    """Return a number as part of a name: 0.5 becomes 0p5."""
    return f"{number:g}".replace(".", "p").replace("+", "").replace("-", "m")


def words_of(name: str, things: Sequence[str | int]) -> str:
    """Return ids or names as part of a name: "Paid Search" becomes paid_search.

    Raises:
        DefinitionError: The list is empty, or is a single text instead of a list.
    """
    if isinstance(things, str) or not things:
        raise DefinitionError(f"{name}={things!r}", "pass a list with at least one entry")
    return "_".join(re.sub(r"[^a-z0-9]+", "_", str(one).lower()).strip("_") for one in things)

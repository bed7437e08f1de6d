"""How the parameters of a metric are written in its name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from funnelkit.errors import DefinitionError

__all__ = ["check_above", "word_of", "words_of"]


def check_above(name: str, number: float, least: float) -> float:
    """Return a parameter after checking that it is above a number.

    Raises:
        DefinitionError: It is not, or no number at all.
    """
    if not number > least:
        raise DefinitionError(f"{name}={number!r} is not above {least:g}", "use a larger number")
    return number


def word_of(number: float) -> str:
    """Write a number as part of a name: 0.5 is 0p5."""
    return f"{number:g}".replace(".", "p").replace("+", "").replace("-", "m")


def words_of(name: str, things: Sequence[str | int]) -> str:
    """Write ids or names as part of a name: those of "Paid Search" are paid_search.

    Raises:
        DefinitionError: There are none, or one is given bare instead of in a list.
    """
    if isinstance(things, str) or not things:
        raise DefinitionError(f"{name}={things!r}", "pass a list with at least one")
    return "_".join(re.sub(r"[^a-z0-9]+", "_", str(one).lower()).strip("_") for one in things)

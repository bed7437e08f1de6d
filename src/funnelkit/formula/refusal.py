"""How a text is refused that is no formula."""

from __future__ import annotations

import ast
from typing import NoReturn

from funnelkit.errors import DefinitionError

__all__ = ["quoted", "refuse"]


def refuse(node: ast.expr, problem: str, remedy: str) -> NoReturn:
    """Refuse a part of a text: what it is, and at which column it stands.

    Raises:
        DefinitionError: Always.
    """
    raise DefinitionError(f"{quoted(_source(node))} {problem}", remedy, node.col_offset)


def _source(node: ast.expr) -> str:
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError):
        return "the expression"


def quoted(text: str) -> str:
    """Give a text in quotes, cut short where it is long."""
    return repr(text if len(text) <= 60 else text[:57] + "…")

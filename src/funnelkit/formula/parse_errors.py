"""Errors for text that is not a valid formula."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import NoReturn

from funnelkit.errors import DefinitionError, UnknownNameError

__all__ = ["quoted", "refuse", "refuse_arguments", "refuse_condition", "refuse_name"]


def refuse(node: ast.expr, problem: str, remedy: str) -> NoReturn:
    """Raise an error about a part of a text, with its column.

    Raises:
        DefinitionError: Always.
    """
    raise DefinitionError(f"{quoted(_source(node))} {problem}", remedy, node.col_offset)


def refuse_condition(node: ast.expr) -> NoReturn:
    """Raise an error about a part of a text that is not true or false of a row.

    Raises:
        DefinitionError: Always.
    """
    match node:
        case ast.Compare(ops=[ast.Is() | ast.IsNot(), *_]):
            remedy = "write is_null(x), or not is_null(x)"
        case ast.Compare(ops=[_, _, *_]):
            remedy = "write between(x, low, high), or join two comparisons with and"
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr()) | ast.UnaryOp(op=ast.Invert()):
            remedy = "join conditions with and, or, not"
        case _:
            remedy = "compare it, or use a flag"
    refuse(node, "is not true or false", remedy)


def refuse_arguments(node: ast.expr, name: str) -> NoReturn:
    """Raise an error about a call with too many, too few or unknown arguments.

    Raises:
        DefinitionError: Always.
    """
    refuse(node, f"gives {name} the wrong arguments", f"see {name} in the reference")


def refuse_name(
    node: ast.expr, kind: str, name: str, known: Iterable[str], *, remedy: str = ""
) -> NoReturn:
    """Raise an error about an unknown name.

    Raises:
        DefinitionError: Always.
    """
    error = UnknownNameError(kind, name, list(known))
    raise DefinitionError(str(error), remedy, node.col_offset)


def _source(node: ast.expr) -> str:
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError):
        return "the expression"


def quoted(text: str) -> str:
    """Return a text in quotes, shortened where it is long."""
    return repr(text if len(text) <= 60 else text[:57] + "…")

"""The modules of the package, and the trees of their code."""

import ast
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src" / "funnelkit"
MODULES = sorted(SOURCE.rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    """Give the tree of a module's code."""
    return ast.parse(path.read_text())


def short(path: Path) -> str:
    """Give the name of a module's file, from the package on."""
    return str(path.relative_to(SOURCE))

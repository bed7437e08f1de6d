"""The sizes of modules and functions, with the few exceptions written down."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "funnelkit"
MODULES = sorted(SOURCE.rglob("*.py"))

LONG_MODULES = {
    "formula/formulas.py": 770,  # the aggregates and formulas are one recursive type
    "formula/values.py": 700,  # so are the values and predicates
}
LONG_FUNCTIONS = {
    "shop/shop.py:__init__": 45,  # each setting is accepted, checked and used by name
    "metrics/metric.py:__init__": 60,  # the fields of a definition, each by name
}


def short(path):
    return str(path.relative_to(SOURCE))


def length(function):
    """Lines of a function without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= docstring.end_lineno - docstring.lineno + 1
    return lines


def functions(path, node=None, *, private=True):
    """Every function of a module; without the private ones, those of private classes neither."""
    for child in ast.iter_child_nodes(node or ast.parse(path.read_text())):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            if child.name.startswith("_") and not private:
                continue
            if isinstance(child, ast.FunctionDef):
                yield child
        yield from functions(path, child, private=private)


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_a_module_is_short(path):
    most = LONG_MODULES.get(short(path), 800 if "catalog" in path.parts else 500)
    assert len(path.read_text().splitlines()) <= most


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_a_function_is_short(path):
    long = {
        f"{short(path)}:{function.name}": length(function)
        for function in functions(path)
        if length(function) > LONG_FUNCTIONS.get(f"{short(path)}:{function.name}", 40)
    }
    assert long == {}


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_what_has_a_default_is_given_by_keyword(path):
    """Save where a call reads better without."""
    allowed = {"Shift", "against", "column", "main", "metrics", "rollup", "when"}
    positional = [
        function.name
        for function in functions(path, private=False)
        if function.args.defaults and function.name not in allowed
    ]
    assert positional == []

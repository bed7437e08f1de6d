"""The sizes of modules and functions, with the few exceptions written down."""

import ast

from modules import MODULES, short, tree_of

LONG_MODULES = {
    "formula/formulas.py": 770,  # the aggregates and formulas are one recursive type
    "formula/values.py": 700,  # so are the values and predicates
}
LONG_FUNCTIONS = {
    "shop/shop.py:__init__": 45,  # each setting is accepted, checked and used by name
    "metrics/metric.py:__init__": 60,  # the fields of a definition, each by name
}


def length(function):
    """Lines of a function without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= docstring.end_lineno - docstring.lineno + 1
    return lines


def functions(path, node=None, *, private=True):
    """Every function of a module; without the private ones, those of private classes neither."""
    for child in ast.iter_child_nodes(node or tree_of(path)):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            if child.name.startswith("_") and not private:
                continue
            if isinstance(child, ast.FunctionDef):
                yield child
        yield from functions(path, child, private=private)


def most_lines(path):
    return LONG_MODULES.get(short(path), 800 if "catalog" in path.parts else 500)


def test_a_module_is_short():
    lines = {path: len(path.read_text().splitlines()) for path in MODULES}
    assert {short(path): found for path, found in lines.items() if found > most_lines(path)} == {}


def test_a_function_is_short():
    lengths = {
        f"{short(path)}:{function.name}": length(function)
        for path in MODULES
        for function in functions(path)
    }
    assert {name: n for name, n in lengths.items() if n > LONG_FUNCTIONS.get(name, 40)} == {}


def test_what_has_a_default_is_given_by_keyword():
    """Save where a call reads better without."""
    allowed = {"Shift", "against", "column", "main", "metrics", "rollup", "when"}
    positional = [
        f"{short(path)}:{function.name}"
        for path in MODULES
        for function in functions(path, private=False)
        if function.args.defaults and function.name not in allowed
    ]
    assert positional == []

"""README and docs: every Python block runs, and the output shown is the output."""

import ast
import doctest
import importlib
import pkgutil
import re
import tomllib
from inspect import isfunction
from pathlib import Path

import pytest

import funnelkit
import funnelkit as fk

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"```python\n(.*?)```(?:\s*```text\n(.*?)```)?", re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_python_block_runs_and_shows_what_it_prints(page, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    names: dict[str, object] = {}
    for code, shown in BLOCK.findall(page.read_text()):
        exec(compile(code, str(page), "exec"), names)
        printed = capsys.readouterr().out
        if shown:
            assert strip(printed) == strip(shown)


def strip(text):
    return [line.rstrip() for line in text.strip().splitlines()]


SOURCES = {
    info.name: Path(info.module_finder.find_spec(info.name).origin).read_text()
    for info in pkgutil.walk_packages(funnelkit.__path__, "funnelkit.")
}
LINES = {
    name: len(found)
    for name, text in SOURCES.items()
    if (found := re.findall(r"^ *>>> ", text, re.MULTILINE))
}
"""How many lines of examples a module has, for those that have any."""


@pytest.mark.parametrize("name", LINES)
def test_every_docstring_example_runs(name):
    """An example that doctest does not find would never run, and counts as one that fails."""
    assert doctest.testmod(importlib.import_module(name)) == (0, LINES[name])


def docstrings_of(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield getattr(node, "name", "module"), ast.get_docstring(node) or ""


def without_examples(text):
    """What has the heading of examples in its docstring, and none below it."""
    return [
        name
        for name, words in docstrings_of(text)
        if re.search(r"^Examples?:\n(?!    >>> )", words + "\n", re.MULTILINE)
    ]


@pytest.mark.parametrize("name", [name for name, text in SOURCES.items() if "Example" in text])
def test_what_promises_examples_has_them(name):
    assert without_examples(SOURCES[name]) == []


def test_a_promise_without_an_example_is_seen():
    empty = 'def f():\n    """Return 1.\n\n    Examples:\n    """\n'
    assert without_examples(empty) == ["f"]
    assert without_examples(empty.replace("Examples:\n", "Examples:\n        >>> f()\n")) == []


def test_every_kpi_with_parameters_shows_how_it_is_made():
    makers = {name: getattr(fk.catalog, name) for name in fk.catalog.__all__}
    functions = {name: made for name, made in makers.items() if isfunction(made)}
    assert len(functions) > 10
    assert [name for name, made in functions.items() if ">>> " not in made.__doc__] == []


def test_the_readme_and_the_ci_script_run_the_same_test_command():
    line = "python3 -m venv .venv && .venv/bin/pip install -q '.[dev]' && .venv/bin/pytest -q"
    assert line in (ROOT / "README.md").read_text()
    assert line in (ROOT / ".ci" / "run").read_text()


def test_the_mutants_are_of_modules_and_tests_that_exist():
    told = tomllib.loads((ROOT / "tests/mutants/cosmic-ray.toml").read_text())["cosmic-ray"]
    tests = [word for word in told["test-command"].split() if word.startswith("tests/")]
    assert tests
    assert not [path for path in (*told["module-path"], *tests) if not (ROOT / path).exists()]

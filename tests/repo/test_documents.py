"""README and docs: every Python block runs, and the output shown is the output."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import funnelkit

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


MODULES = [info.name for info in pkgutil.walk_packages(funnelkit.__path__, "funnelkit.")]


@pytest.mark.parametrize("name", MODULES)
def test_every_docstring_example_runs(name):
    results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0


def test_the_readme_and_the_ci_script_run_the_same_test_command():
    line = "python3 -m venv .venv && .venv/bin/pip install -q '.[dev]' && .venv/bin/pytest -q"
    assert line in (ROOT / "README.md").read_text()
    assert line in (ROOT / ".ci" / "run").read_text()

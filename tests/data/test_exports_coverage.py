"""How many KPIs have a number on exports that was reached by two roads."""

import re
from collections.abc import Callable, Iterator
from importlib import import_module
from inspect import isfunction
from pathlib import Path

import polars as pl

import funnelkit as fk
from data.agreement import KEYS

HERE = Path(__file__).parent

AT_LEAST = 70
"""Of the KPIs of the catalogue."""


def expectations() -> Iterator[Callable[[], pl.DataFrame]]:
    """Give every public function of the modules that hold expected numbers."""
    for path in sorted(HERE.glob("expected*.py")):
        module = import_module(f"data.{path.stem}")
        for name, value in vars(module).items():
            is_own = isfunction(value) and value.__module__ == module.__name__
            if is_own and not name.startswith("_"):
                yield value


def test_at_least_seventy_kpis_have_a_number_in_sql() -> None:
    """A name with a dot is a variant of a KPI, and counts for nothing here."""
    columns = {column for function in expectations() for column in function().columns}
    metrics = columns - KEYS
    assert metrics <= set(fk.registry())
    kpis = {name for name in metrics if "." not in name}
    assert len(kpis) >= AT_LEAST


def test_every_expected_number_is_compared() -> None:
    tests = "\n".join(path.read_text("utf-8") for path in HERE.glob("test_*.py"))
    called = set(re.findall(r"\bexpected\w*\.(\w+)", tests))
    assert {function.__name__ for function in expectations()} <= called

"""Figures in the documents are those of the package; extras are what something imports."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

import funnelkit as fk
from funnelkit.schema.tables import TABLES
from funnelkit.testing.laws import LAWS
from modules import MODULES, tree_of

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
WORDS = {"eight": 8, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20}
REAL = "KPIs are computed from public data sets"
"""That figure is of the KPIs that real data reaches, not of the catalogue."""

NAMED = [metric for metric in fk.registry().values() if not metric.variant_of]
BLOCKS = [metric for metric in NAMED if "building_block" in metric.tags]
KPIS = [metric for metric in NAMED if metric not in BLOCKS]
VARIANTS = [metric for metric in fk.registry().values() if metric.variant_of]
FIGURES = {
    rf"(\d+|\w+) KPIs\b(?! {REAL.removeprefix('KPIs ')})": len(KPIS),
    r"(\d+|\w+) competing definitions": len(VARIANTS),
    r"(\d+|\w+) building blocks": len(BLOCKS),
    r"(\d+|\w+) canonical tables": len(TABLES),
    r"(\d+|\w+) (?:such )?laws\b": len(LAWS),
}


def figures_of(text, pattern):
    """The numbers that a text gives of something, in figures or words."""
    found = (word.lower() for word in re.findall(pattern, " ".join(text.split())))
    return [int(word) if word.isdigit() else WORDS[word] for word in found if known(word)]


def known(word):
    return word.isdigit() or word in WORDS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_figure_in_a_document_is_that_of_the_package(page):
    for pattern, number in FIGURES.items():
        assert set(figures_of(page.read_text(), pattern)) <= {number}, pattern


def test_the_readme_says_how_many_kpis_there_are():
    text = (ROOT / "README.md").read_text()
    kpis, definitions, blocks, *_ = FIGURES
    assert figures_of(text, kpis) == [len(KPIS)]
    assert figures_of(text, definitions) == [len(VARIANTS)]
    assert figures_of(text, blocks) == [len(BLOCKS)]


def test_a_figure_that_is_wrong_is_seen():
    kpis, _, _, tables, _ = FIGURES
    assert figures_of("all 7\nKPIs, Nineteen canonical tables", kpis) == [7]
    assert figures_of("all 7\nKPIs, Nineteen canonical tables", tables) == [19]


SPARK = ROOT / "src/funnelkit/engines/sql/spark_connection.py"
COMPARISON = ROOT / "src/funnelkit/sampling/comparison.py"
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


PLOT = ROOT / "src/funnelkit/charts/spec.py"
READ_BY_NAME = {"pyspark", "pyarrow", "tea_tasting", "altair", "vl_convert_python"}
"""What is imported by its name at run time, and what that needs to send and return tables."""


def test_every_extra_of_the_package_is_imported_by_something():
    imported = {
        name.partition(".")[0]
        for path in [*MODULES, *(ROOT / "docs").glob("*.py")]
        for node in ast.walk(tree_of(path))
        for name in imports_of(node)
    }
    for extra in set(EXTRAS) - {"dev", "docs"}:
        wanted = {re.split(r"[\[<>=]", item)[0].replace("-", "_") for item in EXTRAS[extra]}
        assert wanted <= imported | READ_BY_NAME, extra
    assert 'import_module("pyspark.sql.pandas.types")' in SPARK.read_text()
    assert 'import_module("tea_tasting")' in COMPARISON.read_text()
    assert 'import_module("altair")' in PLOT.read_text()
    assert '"vl_convert"' in PLOT.read_text()


def imports_of(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []

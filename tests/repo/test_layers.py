"""The direction of imports: a module uses only what lies below it."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "funnelkit"

AREAS = (
    "awareness",
    "traffic",
    "engagement",
    "email",
    "funnel",
    "carts",
    "journeys",
    "sales",
    "offers",
    "returns",
    "profit",
    "marketing",
    "customers",
    "loyalty",
    "cohorts",
    "segments",
    "inventory",
    "replenishment",
    "fulfilment",
)
LAYERS = (
    "testing",
    "testing.checking",
    "testing.laws",
    "testing.strategies",
    "testing.structure",
    "testing.inputs",
    "__init__",
    "api",
    "cli",
    "demo_shop",
    "demo_tables",
    "reconciliation",
    "evaluation",
    "shop",
    "result",
    "rollup",
    "show",
    "align|currencies",
    "engines.polars",
    "engines.prepare|engines.runs|engines.verify",
    "engines.expressions",
    "engines.base",
    "engines",
    "planning",
    "coverage|refusals",
    "guards",
    "steps",
    "lowered",
    "resolve",
    "kinds",
    "data",
    "binding",
    "settings",
    "presets|metric_files|plugins",
    "registries",
    "catalog",
    "|".join(f"catalog.{area}" for area in AREAS),
    "catalog.parameters",
    "metric",
    "derivations|checks",
    "channels",
    "tables",
    "stock",
    "rules",
    "formula.typeset",
    "formula.depth",
    "formula.parsing",
    "formula.refusal",
    "formula.properties",
    "formula.formulas",
    "formula.arguments",
    "formula.table",
    "formula.values",
    "formula",
    "calendar",
    "fiscal|zones",
    "sources",
    "units",
    "errors",
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names.split("|")}
MODULES = sorted(SOURCE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = list(path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def imports_of(tree: ast.AST) -> list[str]:
    """Every import anywhere in a module: hidden in functions or behind TYPE_CHECKING too."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [name for name in inner if name.removeprefix("funnelkit.") in RANK]
            found += modules or [node.module or ""]
    return [name.removeprefix("funnelkit.") for name in found if name.startswith("funnelkit.")]


def broken_imports(name: str, tree: ast.AST) -> list[str]:
    return [other for other in imports_of(tree) if other in RANK and RANK[other] <= RANK[name]]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_only_from_below(path):
    name = name_of(path)
    assert name in RANK, f"give {name} a place in LAYERS"
    assert broken_imports(name, ast.parse(path.read_text())) == []


def test_the_walk_sees_an_import_hidden_in_a_function():
    hidden = ast.parse("def f():\n    from funnelkit.evaluation import evaluate\n")
    assert broken_imports("shop", hidden) == ["evaluation"]


def test_the_walk_sees_an_import_sideways_in_the_catalogue():
    sideways = ast.parse("from funnelkit.catalog import sales")
    assert broken_imports("catalog.profit", sideways) == ["catalog.sales"]


def test_no_module_has_a_name_that_says_nothing():
    assert not {"utils", "common", "helpers", "types"} & {path.stem for path in MODULES}

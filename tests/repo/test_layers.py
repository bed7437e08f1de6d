"""The direction of imports: a module uses only what lies below it."""

import ast
from functools import cache
from pathlib import Path

import pytest

from modules import MODULES, SOURCE, tree_of

PACKAGES = (
    "testing",
    "__init__",
    "api",
    "cli",
    "terminal",
    "reporting",
    "analysis",
    "goals",
    "journeys",
    "sampling",
    "evaluation",
    "demo_shop",
    "sources",
    "shop",
    "exchange",
    "engines",
    "result",
    "charts",
    "catalog",
    "verification",
    "planning",
    "metrics",
    "schema",
    "data",
    "formula",
    "calendar",
    "units",
    "arguments",
    "errors",
)
"""From top to bottom."""

KERNEL = ("formula", "data", "planning", "verification", "engines", "result", "calendar")
"""The packages that know nothing of what a shop is: the schema is handed to them as a value."""

RANK = {name: rank for rank, name in enumerate(PACKAGES)}
SIBLINGS = ("analysis", "catalog", "sources")
"""Packages whose modules know nothing of one another, save those that collect them."""

COLLECTORS = {
    *("catalog", "catalog.default", "catalog.plugins", "catalog.presets"),
    *("sources", "sources.detecting"),
}
SHARED = {
    "catalog.parameters",
    *("sources.opening", "sources.reading", "sources.objects", "sources.reports"),
    *("sources.shopify_words", "sources.woocommerce_words"),
}


def name_of(path: Path) -> str:
    parts = list(path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in MODULES}


def package_of(name: str) -> str:
    return name.partition(".")[0]


def imports_of(tree: ast.AST) -> list[str]:
    """Every import anywhere in a module: hidden in functions or behind TYPE_CHECKING too."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [name for name in inner if name.removeprefix("funnelkit.") in NAMES]
            found += modules or [node.module or ""]
    return [name.removeprefix("funnelkit.") for name in found if name.startswith("funnelkit.")]


def broken_imports(name: str, tree: ast.AST) -> list[str]:
    package, others = package_of(name), imports_of(tree)
    upward = [other for other in others if RANK[package_of(other)] < RANK[package]]
    if package not in SIBLINGS or name in COLLECTORS:
        return upward
    sideways = [o for o in others if package_of(o) == package and o not in SHARED]
    return upward + sideways


def test_every_package_has_a_place():
    assert {package_of(name_of(path)) for path in MODULES} <= set(PACKAGES)


def test_a_module_imports_only_from_packages_below():
    broken = {name_of(path): broken_imports(name_of(path), tree_of(path)) for path in MODULES}
    assert {name: others for name, others in broken.items() if others} == {}


@cache
def graph() -> dict[str, set[str]]:
    return {name_of(path): {o for o in imports_of(tree_of(path)) if o in NAMES} for path in MODULES}


def cycle_in(imports: dict[str, set[str]]) -> set[str]:
    """The modules that are left when those that import nothing of the rest are taken away."""
    left = dict(imports)
    while done := [name for name, others in left.items() if not others & left.keys() - {name}]:
        left = {name: others for name, others in left.items() if name not in done}
    return set(left)


def test_no_modules_import_each_other_in_a_circle():
    assert cycle_in(graph()) == set()


def test_a_circle_is_seen():
    assert cycle_in({"a": {"b"}, "b": {"a"}, "c": {"a"}, "d": set()}) == {"a", "b", "c"}


@pytest.mark.parametrize("package", KERNEL)
def test_the_kernel_imports_nothing_of_the_schema_of_a_shop(package):
    for path in (SOURCE / package).rglob("*.py"):
        others = imports_of(tree_of(path))
        assert "schema" not in set(map(package_of, others)), path


def test_the_walk_sees_an_import_hidden_in_a_function():
    hidden = ast.parse("def f():\n    from funnelkit.evaluation.evaluate import evaluate\n")
    assert broken_imports("shop.shop", hidden) == ["evaluation.evaluate"]


def test_the_walk_sees_an_import_sideways_in_the_catalogue():
    sideways = ast.parse("from funnelkit.catalog import sales")
    assert broken_imports("catalog.profit", sideways) == ["catalog.sales"]


def floors_of(imports: dict[str, set[str]]) -> dict[str, int]:
    """The floor of each package: one above all that it imports; the face hands names on."""
    below: dict[str, set[str]] = {}
    for name, others in imports.items():
        own = below.setdefault(package_of(name), set())
        own |= {package_of(other) for other in others} - {package_of(name)}
    floors: dict[str, int] = {}
    for package in reversed([name for name in PACKAGES if name != "__init__"]):
        floors[package] = 1 + max((floors[other] for other in below[package]), default=0)
    return floors


def test_the_packages_stand_on_at_most_thirteen_floors():
    assert max(floors_of(graph()).values()) <= 13


def test_no_module_has_a_name_that_says_nothing():
    assert not {"utils", "common", "helpers", "types"} & {path.stem for path in MODULES}

"""Which definition gave a number can be proved, and a changed one is told in the changelog."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import funnelkit as fk

ROOT = Path(__file__).resolve().parents[2]
RELEASED = json.loads(Path(__file__).with_name("released.json").read_text())
"""Name and fingerprint of every definition of the last release; none has been released yet."""

CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")


def untold(released, current, changelog):
    """Name the definitions that are not what was released, of which the changelog is silent."""
    section = re.search(r"### Definitions changed\n(.*?)(\n##|\Z)", changelog, re.DOTALL)
    told = "" if section is None else section.group(1)
    return [
        name
        for name, fingerprint in released.items()
        if current.get(name) != fingerprint and f"`{name}`" not in told
    ]


def test_a_definition_that_is_not_what_was_released_is_told_in_the_changelog():
    current = {metric.name: metric.fingerprint for metric in fk.registry().values()}
    assert untold(RELEASED, current, CHANGELOG) == []


def test_the_definitions_of_a_release_are_kept_from_the_first_on():
    """Without them, the test above has nothing to compare."""
    has_release = re.search(r"^## \[?\d", CHANGELOG, re.MULTILINE) is not None
    assert (len(RELEASED) > 0) == has_release


def test_a_definition_of_the_registry_that_changes_after_a_release_is_noticed():
    """Against a made-up release that had every definition of today, one of them another."""
    current = {metric.name: metric.fingerprint for metric in fk.registry().values()}
    assert untold(current, current, CHANGELOG) == []
    metric = fk.registry()["orders"]
    changed = replace(metric, formula=fk.Count(fk.Orders)).fingerprint
    assert untold(current, current | {"orders": changed}, CHANGELOG) == ["orders"]
    told = CHANGELOG.replace(
        "### Definitions changed\n", "### Definitions changed\n- `orders`\n", 1
    )
    assert untold(current, current | {"orders": changed}, told) == []


@pytest.mark.parametrize(
    ("changelog", "found"),
    [
        ("## Unreleased\n\n### Added\n\n- `aov`\n", ["aov"]),
        ("### Definitions changed\n\n- None.\n\n### Added\n\n- `aov`\n", ["aov"]),
        ("### Definitions changed\n\n- `aov`: without returns.\n", []),
    ],
)
def test_a_changed_definition_without_a_line_is_noticed(changelog, found):
    assert untold({"aov": "1", "orders": "2"}, {"aov": "9", "orders": "2"}, changelog) == found
    assert untold({"aov": "1"}, {}, changelog) == found


def test_a_fingerprint_is_the_same_in_another_process():
    code = "import funnelkit as fk; print(*[m.fingerprint for m in fk.registry().values()])"
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.split() == [metric.fingerprint for metric in fk.registry().values()]


def test_a_fingerprint_tells_the_formula_the_unit_and_the_metrics_inside():
    def made(**fields):
        return fk.Metric(**{"name": "x", "formula": "count(orders) / count(sessions)", **fields})

    plain = made().fingerprint
    assert made(title="Another title", description="words").fingerprint == plain
    assert made(unit=(fk.ORDER / fk.SESSION).percent).fingerprint != plain
    assert made(formula="count(orders) / count(carts)").fingerprint != plain
    inner = [fk.Metric(name="y", formula=f"count({table})") for table in ("orders", "carts")]
    outer = [fk.Metric(name="x", formula=y * 2).fingerprint for y in inner]
    assert outer[0] != outer[1]

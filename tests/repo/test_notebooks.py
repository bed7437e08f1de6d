"""The notebooks of the docs: their code runs, and what they show is what it shows."""

import importlib
import json
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
PICTURE = "image/svg+xml"


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_runs_and_shows_what_it_gives(file, monkeypatch):
    """A chart is compared by the fingerprint of its rows."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.syspath_prepend(DOCS)
    notebook = json.loads(file.read_text(encoding="utf-8"))
    ran = list(importlib.import_module("run_notebooks").outputs_of(notebook))
    assert len(ran) > 5
    for number, (cell, outputs, chart) in enumerate(ran, 1):
        shown = [dict(output) for output in cell["outputs"]]
        pictures = [
            output["data"].pop(PICTURE) for output in shown if PICTURE in output.get("data", ())
        ]
        assert shown == outputs, f"cell {number} of {file.name}: python docs/run_notebooks.py"
        assert len(pictures) == (chart is not None)


def test_every_notebook_has_a_page_in_the_navigation():
    navigation = (DOCS.parent / "mkdocs.yml").read_text()
    assert len(NOTEBOOKS) == 3
    for file in NOTEBOOKS:
        assert f"notebooks/{file.stem}.md" in navigation
        assert re.fullmatch(r"\{\{ notebook \}\}\n", file.with_suffix(".md").read_text())

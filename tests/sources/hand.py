"""Samples of exports, and how the numbers of a shop are compared with numbers made by hand."""

from pathlib import Path

import pytest

import funnelkit as fk

SAMPLES = Path(__file__).parent / "samples"


def assert_values(shop, expected, **question):
    """Check that metrics of a whole shop have the values that were computed by hand."""
    row = fk.evaluate(shop, list(expected), **question).frame.row(0, named=True)
    wrong = {
        name: (row[name], value)
        for name, value in expected.items()
        if row[name] != pytest.approx(value, abs=1e-9)
    }
    assert wrong == {}, "found, and by hand"


def notes_of(shop, topic):
    """Return what a shop says on a topic, by subject."""
    said: dict[str, str] = {}
    for note in shop.describe().notes:
        if note.topic == topic:
            said[note.subject] = "; ".join(filter(None, (said.get(note.subject), note.text)))
    return said

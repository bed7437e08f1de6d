"""The words of docstrings and messages are plain technical English."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "funnelkit"

OTHER_VERBS = re.compile(r"(Give|Gives|Say|Says|Tell|Tells|Refuse|Ask) ")
ODD_PHRASES = ("one's own", "is told in", "the asked", "is no valid", "of the user's")


def docstrings(path):
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield getattr(node, "name", path.name), text


def odd(text):
    return OTHER_VERBS.match(text) or any(phrase in text for phrase in ODD_PHRASES)


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: p.name)
def test_docstrings_are_in_the_imperative_and_in_the_terms_of_the_field(path):
    assert [name for name, text in docstrings(path) if odd(text)] == []


def test_odd_words_are_found():
    assert odd("Give the rows.")
    assert odd("Return the asked metrics.")
    assert not odd("Return the given rows.")

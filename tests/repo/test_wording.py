"""The words of docstrings and messages are plain technical English."""

import ast
import re

from modules import MODULES, short, tree_of

OTHER_VERBS = re.compile(r"(Give|Gives|Say|Says|Tell|Tells|Refuse|Ask) ")
ODD_PHRASES = ("one's own", "is told in", "the asked", "is no valid", "of the user's")


def docstrings(path):
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for node in ast.walk(tree_of(path)):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield getattr(node, "name", path.name), text


def odd(text):
    return OTHER_VERBS.match(text) or any(phrase in text for phrase in ODD_PHRASES)


def test_docstrings_are_in_the_imperative_and_in_the_terms_of_the_field():
    found = [(path, name) for path in MODULES for name, text in docstrings(path) if odd(text)]
    assert [f"{short(path)}:{name}" for path, name in found] == []


def test_odd_words_are_found():
    assert odd("Give the rows.")
    assert odd("Return the asked metrics.")
    assert not odd("Return the given rows.")

"""What a plan, a formula or a result is made of cannot be changed once it is made."""

import ast

from modules import MODULES, tree_of

MUTABLE = {
    *("Names", "NeededFolds", "Relations", "ShopData", "TablePreparer", "Tables", "TomlFile"),
}
"""What collects while it works."""


def dataclasses_of(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ClassDef):
            for made in node.decorator_list:
                if isinstance(made, ast.Call) and ast.unparse(made.func) == "dataclass":
                    yield node.name, {word.arg: ast.unparse(word.value) for word in made.keywords}


def test_every_dataclass_is_slotted_and_all_but_a_few_are_frozen():
    found = [each for path in MODULES for each in dataclasses_of(path)]
    assert len(found) > 90
    assert [name for name, words in found if words.get("slots") != "True"] == []
    assert {name for name, words in found if words.get("frozen") != "True"} <= MUTABLE

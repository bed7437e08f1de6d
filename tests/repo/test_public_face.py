"""What the package shows the world."""

import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

import funnelkit as fk
from funnelkit import errors

ROOT = Path(__file__).resolve().parents[2]


def test_every_public_name_exists_and_is_documented_on_the_reference_pages():
    pages = "\n".join(p.read_text() for p in (ROOT / "docs" / "reference").glob("*.md"))
    assert len(fk.__all__) == len(set(fk.__all__))
    for name in fk.__all__:
        assert hasattr(fk, name)
        assert re.search(rf"\b{name}\b", pages), f"{name} is missing from docs/reference"


def test_importing_it_imports_no_extra():
    code = (
        "import sys, funnelkit; "
        "print([m for m in ('duckdb','sqlglot','pyspark','hypothesis','altair','pyarrow','pandas')"
        " if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


EXAMPLES = [
    errors.DefinitionError("x is y", "do z", 3),
    errors.UnitError("a + b", "money", "order"),
    errors.UnknownNameError("metric", "avo", ["aov", "cr"]),
    errors.DataError("it is empty", "fill it"),
    errors.MissingInputError({"orders": ["aov"]}, {"orders": "hint"}),
    errors.ContractError([errors.DataIssue("orders", "order_id", "repeats", "remove it")]),
    errors.UnsupportedError("median", "not here"),
    errors.MissingPackageError("hypothesis", "testing"),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_is_ours_and_a_builtin_and_survives_pickling(error):
    builtins = (ValueError, LookupError, NotImplementedError, ImportError)
    assert isinstance(error, fk.FunnelkitError)
    assert isinstance(error, builtins)
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))


def test_every_error_class_has_an_example_above():
    classes = {c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, Exception)}
    unseen = classes - {type(error) for error in EXAMPLES}
    assert {error for error in unseen if not issubclass(error, Warning)} == {errors.FunnelkitError}


def test_no_message_says_please():
    for path in (ROOT / "src").rglob("*.py"):
        assert "please" not in path.read_text().lower(), path


def test_an_unknown_name_comes_with_the_nearest_ones():
    with pytest.raises(fk.UnknownNameError, match="did you mean 'nps'") as caught:
        fk.describe("nsp")
    assert caught.value.nearest == ("nps",)

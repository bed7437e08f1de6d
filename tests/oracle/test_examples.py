"""Every worked example, computed by the library and by the plain-Python oracle of its words."""

from numbers import Real
from typing import Any

import pytest

from oracle import examples_of_operations, examples_of_selling
from oracle.examples import Example, of_library, of_words

EXAMPLES = [*examples_of_selling.EXAMPLES, *examples_of_operations.EXAMPLES]
ASKED = [
    pytest.param(example, name, id=f"{example}: {name}")
    for example in EXAMPLES
    for name in example.expected
]


def close(expected: Any) -> Any:
    """Give what equals a value, but for the last digits of its sums."""
    if isinstance(expected, dict):
        return {key: close(value) for key, value in expected.items()}
    return pytest.approx(expected, rel=1e-9, abs=1e-9) if isinstance(expected, Real) else expected


@pytest.mark.parametrize(("example", "name"), ASKED)
@pytest.mark.parametrize("road", [of_library, of_words])
def test_a_kpi_of_an_example_has_the_value_that_is_said(road, example: Example, name: str):
    assert road(name, example) == close(example.expected[name])

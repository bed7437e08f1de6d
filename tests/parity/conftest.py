"""What the questions of the catalogue take: looking back beyond the first rows is no fault."""

import warnings
from collections.abc import Iterator

import pytest

from funnelkit.errors import TruncatedHistoryWarning


@pytest.fixture
def _no_warnings_of_history() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncatedHistoryWarning)
        yield

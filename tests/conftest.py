"""What every test gets: the default registry as it was."""

import pytest

from funnelkit.catalog.default import _default


@pytest.fixture(autouse=True)
def default_registry():
    """Give the registry back as it was, whatever a test registers."""
    before = _default.value
    yield
    _default.value = before

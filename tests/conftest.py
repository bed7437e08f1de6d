"""What every test gets: a profile that says how many examples are drawn, and the default registry.

HYPOTHESIS_PROFILE names the profile: `quick` (the default) and `deep` draw the same
examples at every run; `explore` draws others at every run, and is run by hand.
"""

import os

import pytest
from hypothesis import settings

from funnelkit.catalog.default import _default

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "quick")
PARTS = {"quick": 0.1, "deep": 1.0, "explore": 10.0}
"""How much of its examples a law gets."""

FEWEST = 3
WHOLE = "are_found"
"""What shows that drawn shops have every kind of trouble draws until it is found."""

for name in PARTS:
    is_random = name == "explore"
    settings.register_profile(name, derandomize=not is_random, database=None, deadline=None)
if PROFILE in PARTS:
    settings.load_profile(PROFILE)


def pytest_collection_modifyitems(items):
    """Give every law the part of its examples that the profile says."""
    for item in items:
        test = getattr(item.obj, "__func__", item.obj)
        own = getattr(test, "_hypothesis_internal_use_settings", None)
        if own is None or PROFILE not in PARTS or WHOLE in item.name:
            continue
        number = max(FEWEST, round(own.max_examples * PARTS[PROFILE]))
        test._hypothesis_internal_use_settings = settings(own, max_examples=number)


@pytest.fixture(autouse=True)
def default_registry():
    """Give the registry back as it was, whatever a test registers."""
    before = _default.value
    yield
    _default.value = before

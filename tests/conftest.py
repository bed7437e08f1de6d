"""What every test gets: as many examples as the profile says, and the default registry."""

import gc

import pytest
from hypothesis import Phase, settings

from effort import PARTS, PROFILE, part
from funnelkit.catalog.default import _default

PHASES = (Phase.explicit, Phase.generate, Phase.shrink)
"""Without the one that explains a failure, which takes longest where a failure is wanted."""

WHOLE = "are_found"
"""What shows that drawn shops have every kind of trouble draws until it is found."""

gc.disable()  # until all tests are collected: nothing of what is read is let go

for name in PARTS:
    is_random = name == "explore"
    phases = settings().phases if is_random else PHASES
    settings.register_profile(
        name, derandomize=not is_random, database=None, deadline=None, phases=phases
    )
if PROFILE in PARTS:
    settings.load_profile(PROFILE)


def pytest_collection_modifyitems(items):
    """Give every law the part of its examples that the profile says."""
    for item in items:
        test = getattr(item.obj, "__func__", item.obj)
        own = getattr(test, "_hypothesis_internal_use_settings", None)
        if own is None or PROFILE not in PARTS or WHOLE in item.name:
            continue
        test._hypothesis_internal_use_settings = settings(own, max_examples=part(own.max_examples))


def pytest_collection_finish():
    """Look for garbage now and then, among what tests make: what was collected stays."""
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


@pytest.fixture(autouse=True)
def default_registry():
    """Give the registry back as it was, whatever a test registers."""
    before = _default.value
    yield
    _default.value = before

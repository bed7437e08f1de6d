"""A pytest plug-in for mutants: few examples, no shrinking, and nothing that only takes long."""

import os

from hypothesis import Phase, settings

PART, FEWEST = 20, 3
SLOW = (
    "are_found",  # that drawn shops have every kind of trouble: says nothing of the kernel
    "deep_and_long",
    "every_zone",
    "installed_package",
    "many_threads",
    "million",
    "read_from_before",  # needs more examples than it gets here
)

settings.register_profile(
    "mutants",
    phases=(Phase.explicit, Phase.generate),
    database=None,
    deadline=None,
    derandomize=True,
)
settings.load_profile("mutants")
os.environ["HYPOTHESIS_PROFILE"] = "mutants"


def pytest_collection_modifyitems(config, items):
    """Leave out slow tests, and give every law a part of its examples."""
    slow = [item for item in items if any(word in item.name for word in SLOW)]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]
    for item in items:
        test = getattr(item.obj, "__func__", item.obj)
        own = getattr(test, "_hypothesis_internal_use_settings", None)
        if own is not None:
            few = settings(own, max_examples=max(FEWEST, own.max_examples // PART))
            test._hypothesis_internal_use_settings = few

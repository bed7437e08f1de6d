"""How much a run does: the profile that HYPOTHESIS_PROFILE names.

`quick` (the default) and `deep` draw the same examples at every run; `explore` draws others at
every run, and is run by hand.
"""

import os

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "quick")
PARTS = {"quick": 0.06, "deep": 0.2, "explore": 10.0}
"""How much of its examples a law gets."""

FEWEST = 2


def part(examples: int) -> int:
    """Give the number of examples that are drawn of so many."""
    return max(FEWEST, round(examples * PARTS.get(PROFILE, 1.0)))

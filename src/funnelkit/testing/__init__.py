"""Test custom metrics the way built-in ones are tested; requires the extra `testing`.

`check_metric(metric)` runs every law that applies over generated shops and
reports each that is broken, with the smallest shop that shows it.
`metric_laws(registry)` gives the same as parameters for pytest. `hints(metric)`
reads the definition for what no law can find: sums and averages that are computed
as written and usually mean something else. The strategies make frames, shops,
formulas and questions from the declarations of tables.
"""

from __future__ import annotations

from funnelkit.errors import MissingPackageError

try:
    import hypothesis as _  # noqa: F401  # the extra that everything below needs
except ImportError:
    raise MissingPackageError("hypothesis", "testing") from None

from funnelkit.testing.checking import LawsBrokenError, check_law, check_metric, metric_laws
from funnelkit.testing.hints import Hint, hints
from funnelkit.testing.laws import LAWS, Law, LawBrokenError
from funnelkit.testing.strategies import (
    formulas,
    frames,
    metrics,
    predicates,
    questions,
    shop_frames,
    shops,
)
from funnelkit.testing.trial import Trial

__all__ = [
    "LAWS",
    "Hint",
    "Law",
    "LawBrokenError",
    "LawsBrokenError",
    "Trial",
    "check_law",
    "check_metric",
    "formulas",
    "frames",
    "hints",
    "metric_laws",
    "metrics",
    "predicates",
    "questions",
    "shop_frames",
    "shops",
]

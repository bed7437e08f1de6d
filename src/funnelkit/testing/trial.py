"""A metric on a drawn shop: what it is asked, what it answers, where two answers differ."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from funnelkit.evaluation.evaluate import evaluate as evaluate_shop
from funnelkit.formula.formulas import QuantileBucket
from funnelkit.formula.table import Table
from funnelkit.metrics.metric import Metric
from funnelkit.result.result import Result
from funnelkit.schema.tables import known_tables
from funnelkit.shop.shop import Shop
from funnelkit.testing import structure
from funnelkit.testing.strategies import GROUP, Frames, bind

__all__ = ["Evaluate", "Place", "Trial", "Values", "differs", "near", "values_of"]

Place = tuple[object, ...]
Values = dict[Place, float | None]
Evaluate = Callable[..., Result]


@dataclass(frozen=True, slots=True)
class Trial:
    """A metric on a drawn shop.

    Attributes:
        metric: The metric.
        frames: The frames of the shop.
        tables: Declarations beyond the canonical ones.
        evaluate: How a shop is evaluated: `fk.evaluate`, or an engine under test.
        seed: What shuffles and cuts are drawn from.
    """

    metric: Metric
    frames: Frames
    tables: tuple[type[Table], ...] = ()
    evaluate: Evaluate = field(default=evaluate_shop)
    seed: int = 0
    _bound: list[Shop] = field(default_factory=list, init=False, repr=False, compare=False)
    _results: dict[str, Result] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def question(self) -> dict[str, object]:
        """The simplest question that the metric answers."""
        needs = self.metric.compares_periods or structure.has_length(self.metric)
        every = {"every": "1mo"} if needs or self.metric.required_dimension == "cohort" else {}
        return {**every, **({"by": self.by} if self.by else {})}

    @property
    def by(self) -> list[str]:
        """The keys of the simplest question."""
        if not self.metric.required_dimension and structure.has(self.metric, QuantileBucket):
            return [GROUP]
        return [self.metric.required_dimension] if self.metric.required_dimension else []

    @property
    def groups(self) -> list[str]:
        """The keys of the simplest question, and one more."""
        return [*self.by, GROUP]

    @property
    def declared(self) -> dict[str, type[Table]]:
        """The tables that there are, by name."""
        return known_tables(self.tables)

    def result(self, *, of: Frames | None = None, **question: object) -> Result:
        """Return the result of the metric for the frames of the case, or for others.

        Several laws ask the same of the frames of the case; each question is evaluated once.
        """
        asked = {**self.question, **question}
        if of is not None:
            return self._evaluated(self.bind(of), asked)
        key = repr(sorted(asked.items()))
        if key not in self._results:
            self._results[key] = self._evaluated(self.shop, asked)
        return self._results[key]

    @property
    def shop(self) -> Shop:
        """The shop of the frames of the case, bound once."""
        if not self._bound:
            self._bound.append(self.bind(self.frames))
        return self._bound[0]

    def bind(self, frames: Frames) -> Shop:
        """Bind frames."""
        return bind(frames, self.tables)

    def _evaluated(self, shop: Shop, question: dict[str, object]) -> Result:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.evaluate(shop, self.metric, **question)

    def values(self, *, of: Frames | None = None, **question: object) -> Values:
        """Return the values by period and keys, without totals."""
        return values_of(self.result(of=of, **question), self.metric)


def values_of(result: Result, metric: Metric) -> Values:
    """Return a metric's values by period and keys, without totals."""
    frame = result.frame
    if "is_total" in frame.columns:
        frame = frame.filter(~pl.col("is_total"))
    values = frame.get_column(metric.name).to_list()
    keys = frame.select(result.keys).rows() if result.keys else [()] * frame.height
    return dict(zip(keys, values, strict=True))


def near(one: float | None, two: float | None) -> bool:
    """Return whether two values are equal up to floating-point error."""
    if one is None or two is None:
        return one is two
    return math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-6)


def differs(one: Values, two: Values, names: tuple[str, str]) -> str | None:
    """Return where two answers differ; a group that one lacks counts as empty there."""
    for key in dict.fromkeys((*one, *two)):
        left, right = one.get(key), two.get(key)
        is_missing = key not in one or key not in two
        if not near(left, right) and not (is_missing and not left and not right):
            place = f" at {key}" if key else ""
            return f"{names[0]} it is {left}{place}, {names[1]} {right}"
    return None

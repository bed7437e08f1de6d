"""Metrics over ranges of time that may overlap and have gaps between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from funnelkit.calendar.calendar import Calendar
from funnelkit.calendar.spans import Stretch, boundaries, layers
from funnelkit.evaluation.evaluate import evaluate
from funnelkit.formula.values import Dimension, Predicate
from funnelkit.metrics.metric import Metric
from funnelkit.result.result import Result
from funnelkit.shop.shop import Shop

__all__ = ["STRETCH", "Measured", "measure"]

STRETCH = "#stretch"
"""The place of a row's range among those that were requested."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The values of metrics over ranges.

    Attributes:
        frame: As `Result.tidy`, with the place of the range in place of the period.
        currency: The code of the currency of amounts.
    """

    frame: pl.DataFrame
    currency: str


def measure(
    shop: Shop,
    metrics: Sequence[Metric],
    stretches: Sequence[Stretch],
    *,
    by: Sequence[Dimension] = (),
    where: Predicate | None = None,
) -> Measured:
    """Evaluate metrics over ranges: once for all that do not overlap.

    Args:
        shop: The shop.
        metrics: The metrics.
        stretches: The ranges, at least one, each once.
        by: As for `evaluate`.
        where: As for `evaluate`.

    Raises:
        FunnelkitError: As for `evaluate`.
    """
    places = {one: place for place, one in enumerate(stretches)}
    found, currency = list[pl.DataFrame](), ""
    for layer in layers(stretches, shop.data.calendar.instant):
        result = evaluate(shop, metrics, by=by, every=boundaries(layer), where=where)
        found.append(_numbered(result, layer, [places[one] for one in layer]))
        currency = currency or result.currency
    return Measured(pl.concat(found), currency)


def _numbered(result: Result, layer: Sequence[Stretch], places: Sequence[int]) -> pl.DataFrame:
    """Return the rows of the ranges, without those of the gaps between them."""
    calendar: Calendar = result.plan.question.calendar
    labels = calendar.labels([one.start for one in layer]).alias("period")
    numbers = pl.Series(STRETCH, places, dtype=pl.Int64)
    kept = result.tidy().join(pl.DataFrame([labels, numbers]), on="period", how="inner")
    return kept.drop("period")

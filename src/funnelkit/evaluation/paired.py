"""Metrics over pairs of ranges: the value of the one, and the reference of the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import cast

import polars as pl

from funnelkit.calendar.counterparts import Pair
from funnelkit.calendar.spans import Stretch
from funnelkit.errors import DefinitionError
from funnelkit.evaluation.evaluate import evaluate
from funnelkit.evaluation.over_stretches import STRETCH, Measured, measure
from funnelkit.formula.accumulation import MetricKind
from funnelkit.formula.reason import Reason
from funnelkit.formula.values import Dimension, Or, Predicate, Scalar
from funnelkit.metrics.metric import Metric
from funnelkit.planning.plan import Question
from funnelkit.shop.shop import Shop

__all__ = ["FIRST", "HAS_REFERENCE", "HAS_VALUE", "PAIR", "PairQuestion", "measure_pairs"]

PAIR = "#pair"
"""The place of a row's pair."""

HAS_VALUE, HAS_REFERENCE = "#value", "#reference"
"""Whether there are rows of the group; null where there are none."""

FIRST = "#first"
"""When the first of the ranges begins in which the group has a value other than 0."""

MOST_SEGMENTS = 200
"""How many groups are set against the rest: each is one more evaluation."""

SILENT = [str(Reason.NO_ROWS), str(Reason.EMPTY_DENOMINATOR)]
"""Why a day has no value where nothing happened on it."""


@dataclass(frozen=True, slots=True)
class PairQuestion:
    """What is measured.

    Attributes:
        shop: The shop.
        metrics: The metrics.
        question: The keys and the condition on rows.
        is_rest: Whether the reference of a group is that of all other groups.
        is_daily: Whether the days of a range are added up, each with its partner.
    """

    shop: Shop
    metrics: Sequence[Metric]
    question: Question
    is_rest: bool = False
    is_daily: bool = False

    @property
    def groups(self) -> list[str]:
        """The names of the keys."""
        return [dimension.name for dimension in self.question.by]

    @property
    def keys(self) -> list[str]:
        """The columns that make a row."""
        return [PAIR, "metric", *self.groups]

    def measure(self, stretches: Sequence[Stretch]) -> Measured:
        """Return the values of the groups over ranges."""
        by, where = self.question.by, self.question.where
        return measure(self.shop, self.metrics, stretches, by=by, where=where)

    def nothing(self) -> Measured:
        """Return the columns of the values, without rows."""
        by, where = self.question.by, self.question.where
        result = evaluate(self.shop, self.metrics, by=by, where=where)
        rows = result.tidy().clear().with_columns(pl.lit(0, pl.Int64).alias(STRETCH))
        return Measured(rows, result.currency)


def measure_pairs(asked: PairQuestion, pairs: Sequence[Pair]) -> Measured:
    """Return `value` and `reference` of each metric, pair and group.

    Args:
        asked: What is measured.
        pairs: The ranges.

    Raises:
        DefinitionError: There are too many groups to set each against the rest.
        FunnelkitError: As for `evaluate`.
    """
    sides = [[pair.values for pair in pairs], [pair.references for pair in pairs]]
    stretches = sorted({one for side in sides for parts in side for one in parts})
    measured = asked.measure(stretches) if stretches else asked.nothing()
    links = [_links(side, stretches) for side in sides]
    values = _side(asked, measured.frame, links[0])
    against = _rest(asked, values, stretches) if asked.is_rest else measured.frame
    rows = _joined(
        asked, len(pairs), {"value": values, "reference": _side(asked, against, links[1])}
    )
    starts = pl.Series(FIRST, [one.start for one in stretches], dtype=pl.Datetime("us"))
    places = pl.DataFrame([pl.Series(STRETCH, range(len(stretches)), dtype=pl.Int64), starts])
    seen = measured.frame.filter(pl.col("value") != 0).join(places, on=STRETCH)
    first = seen.group_by(asked.keys[1:]).agg(pl.col(FIRST).min())
    return Measured(
        rows.join(first, on=asked.keys[1:], how="left", nulls_equal=True), measured.currency
    )


def _links(side: Sequence[Sequence[Stretch]], stretches: Sequence[Stretch]) -> pl.DataFrame:
    """Return which ranges make up which pair."""
    places = {one: place for place, one in enumerate(stretches)}
    rows = [(pair, places[one]) for pair, parts in enumerate(side) for one in parts]
    return pl.DataFrame(rows, schema={PAIR: pl.Int64, STRETCH: pl.Int64}, orient="row")


def _side(asked: PairQuestion, measured: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Return a number for each metric, pair and group: of days, what they add up to."""
    linked = links.join(measured, on=STRETCH)
    if not asked.is_daily:
        return linked.select(*asked.keys, pl.col("value").alias("number"))
    flows = [metric.name for metric in asked.metrics if metric.kind is MetricKind.FLOW]
    is_flow = pl.col("metric").is_in(flows)
    above = pl.when(is_flow).then("value").otherwise("numerator")
    is_silent = pl.col("reason").is_in(SILENT).fill_null(value=False)
    sums = linked.group_by(asked.keys, maintain_order=True).agg(
        above.sum().alias("above"),
        pl.col("denominator").sum(),
        (above.is_null() & ~is_silent).any().alias("is_unknown"),
    )
    ratio = pl.when(pl.col("denominator") != 0).then(pl.col("above") / pl.col("denominator"))
    number = pl.when(is_flow).then("above").otherwise(ratio)
    return sums.select(*asked.keys, pl.when(~pl.col("is_unknown")).then(number).alias("number"))


def _rest(asked: PairQuestion, values: pl.DataFrame, stretches: Sequence[Stretch]) -> pl.DataFrame:
    """Return the values of everything outside of each group, recomputed."""
    segments = values.select(asked.groups).unique(maintain_order=True)
    if segments.height > MOST_SEGMENTS:
        problem = f"by={asked.groups} gives {segments.height:,} groups, each against the rest"
        raise DefinitionError(problem, f"choose at most {MOST_SEGMENTS} with where=")
    found, where = list[pl.DataFrame](), asked.question.where
    for segment in segments.iter_rows():
        outside = reduce(Or, map(_differs, asked.question.by, segment))
        condition = outside if where is None else where & outside
        rest = measure(asked.shop, asked.metrics, stretches, where=condition).frame
        named = [
            pl.lit(value, dtype=segments.schema[name]).alias(name)
            for name, value in zip(asked.groups, segment, strict=True)
        ]
        found.append(rest.with_columns(named))
    return pl.concat(found) if found else asked.measure(stretches).frame


def _differs(dimension: Dimension, value: object) -> Predicate:
    """Return the condition that a dimension has another value."""
    if value is None:
        return dimension.is_not_null()
    return dimension.ne(cast("Scalar", value)) | dimension.is_null()


def _joined(asked: PairQuestion, pairs: int, sides: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return a row per metric, pair and group, with both numbers and whether each is there."""
    if asked.groups:
        rows = pl.concat(sides.values()).select(asked.keys).unique()
    else:
        names = [(at, metric.name) for at in range(pairs) for metric in asked.metrics]
        rows = pl.DataFrame(names, schema={PAIR: pl.Int64, "metric": pl.String}, orient="row")
    for (name, side), mark in zip(sides.items(), (HAS_VALUE, HAS_REFERENCE), strict=True):
        marked = side.rename({"number": name}).with_columns(pl.lit(value=True).alias(mark))
        rows = rows.join(marked, on=asked.keys, how="left", nulls_equal=True)
    return rows

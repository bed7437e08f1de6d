"""The difference of two numbers, and what may be said of it."""

from __future__ import annotations

from enum import StrEnum

import polars as pl

__all__ = ["ComparisonReason", "with_difference"]


class ComparisonReason(StrEnum):
    """Why a part of a comparison is null, or what it leaves out."""

    NO_COUNTERPART = "no_counterpart"
    INCOMPLETE_REFERENCE = "incomplete_reference"
    INCOMPLETE_PERIOD = "incomplete_period"
    NO_VALUE = "no_value"
    NO_REFERENCE = "no_reference"
    INTERVAL_SCALE = "interval_scale"
    ZERO_REFERENCE = "zero_reference"
    NEGATIVE_REFERENCE = "negative_reference"
    NOT_FINITE = "not_finite"
    UNPAIRED_DAYS = "unpaired_days"

    def about(self, number: pl.Expr) -> pl.Expr:
        """Return the reason as it is written of a number of days."""
        return pl.format("{}_{}", pl.lit(str(self)), number)


def with_difference(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with their `change`, `relative`, `verdict` and `reason`.

    Args:
        rows: `value` and `reference`; `why`, the reason why the two are not compared;
            `is_interval`, whether the unit is a scale without ratios; `direction`, 1 where more
            is better, -1 where less is, 0 where neither; `unpaired`, the days left out.
    """
    value, reference, change = (pl.col(name) for name in ("value", "reference", "change"))
    is_compared = pl.col("why").is_null()
    share = pl.when(~pl.col("is_interval") & (reference > 0)).then(change / reference)
    better = change * pl.col("direction")
    worded = (
        pl.when(pl.col("direction") == 0)
        .then(None)
        .when(better > 0)
        .then(pl.lit("better"))
        .when(better < 0)
        .then(pl.lit("worse"))
        .when(better == 0)
        .then(pl.lit("same"))
    )
    return (
        rows.with_columns(change=pl.when(is_compared).then(value - reference))
        .with_columns(relative=pl.when(share.is_finite()).then(share))
        .with_columns(
            verdict=worded.cast(pl.Enum(["better", "worse", "same"])),
            reason=pl.coalesce(pl.col("why"), _reason()),
        )
    )


def _reason() -> pl.Expr:
    """Return why there is no change, or no relative one, of what is compared."""
    reference, why = pl.col("reference"), ComparisonReason
    unpaired = pl.when(pl.col("unpaired") > 0).then(why.UNPAIRED_DAYS.about(pl.col("unpaired")))
    return (
        pl.when(pl.col("value").is_null())
        .then(pl.lit(str(why.NO_VALUE)))
        .when(reference.is_null())
        .then(pl.lit(str(why.NO_REFERENCE)))
        .when("is_interval")
        .then(pl.lit(str(why.INTERVAL_SCALE)))
        .when(reference == 0)
        .then(pl.lit(str(why.ZERO_REFERENCE)))
        .when(reference < 0)
        .then(pl.lit(str(why.NEGATIVE_REFERENCE)))
        .when(pl.col("relative").is_null())
        .then(pl.lit(str(why.NOT_FINITE)))
        .otherwise(unpaired)
    )

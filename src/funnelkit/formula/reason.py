"""Why a value is null, or may still change: one list for the whole library."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Reason"]


class Reason(StrEnum):
    """Why a value is null, or may still change.

    | reason | the value is null because |
    | --- | --- |
    | `no_rows` | the fold found no rows, or no values |
    | `empty_denominator` | it divides by 0 |
    | `not_positive` | `positive_or_null(…)` met a value of 0 or below |
    | `negative` | `sqrt(…)` met a value below 0 |
    | `not_finite` | it is too large for a number |
    | `not_reached` | `periods_to_break_even(…)` has not come to 0 yet |
    | `missing_values` | a sum with `skip_nulls=False` met a row without the value |
    | `several_rows_of_TABLE` | a sum that requires a single row met several |
    | `mixed_COLUMN` | a sum that requires a single value of a column met several |
    | `no_DIMENSION` | the metric is a number of each value of a dimension, and this row has none |
    | `compares_periods` | it is a total over the whole range of a metric that compares periods |
    | `of_each_DIMENSION` | it is a total of a metric that is a number of each group |

    `incomplete_period` stands beside a value that is not null: its period is not over, or
    lies in part outside the range, so the value may still change.
    """

    NO_ROWS = "no_rows"
    EMPTY_DENOMINATOR = "empty_denominator"
    NOT_POSITIVE = "not_positive"
    NEGATIVE = "negative"
    NOT_FINITE = "not_finite"
    NOT_REACHED = "not_reached"
    MISSING_VALUES = "missing_values"
    SEVERAL_ROWS_OF = "several_rows_of"
    MIXED = "mixed"
    NO = "no"
    COMPARES_PERIODS = "compares_periods"
    OF_EACH = "of_each"
    INCOMPLETE_PERIOD = "incomplete_period"

    def about(self, name: object) -> str:
        """Return the reason as it is written of a table, a column or a dimension."""
        return f"{self}_{name}"

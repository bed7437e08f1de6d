"""Results: a wide frame, its long form, and views for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

import polars as pl

from funnelkit.align import compute, period_years, reason_of, roll_up
from funnelkit.engines.base import PERIOD, group_column
from funnelkit.errors import UnknownNameError, UnsupportedError
from funnelkit.formula.properties import additivity, is_count
from funnelkit.lowered import has_period_length, leaves_of
from funnelkit.metric import Metric
from funnelkit.steps import LoweredMetric, Plan

__all__ = ["Result"]

MOST_ROWS = 30


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """The values of metrics, one row per period and group.

    Attributes:
        frame: The wide frame: `period` (where the question has periods; a Date,
            or a Datetime in the shop's zone for hours), the keys, and one
            column per metric: Int64 for counts, Float64 for everything else.
            Sorted by period and keys, null last.
        plan: How it was computed.
        currency: The code of the currency of amounts.
        as_of: The instant up to which the data was known, in UTC.
        folded: The folded numbers behind the values.
    """

    frame: pl.DataFrame
    plan: Plan
    currency: str
    as_of: dt.datetime | None
    folded: pl.DataFrame

    @classmethod
    def from_leaves(
        cls, plan: Plan, folded: pl.DataFrame, currency: str, as_of: dt.datetime | None
    ) -> Result:
        """Compute the values of every metric from aligned folds.

        Args:
            plan: The plan that was carried out.
            folded: One row per group, a column per leaf.
            currency: The code of the currency of amounts.
            as_of: The instant up to which the data was known.
        """
        years = period_years(plan.question)
        values = [_value(lowered, years) for lowered in plan.metrics]
        frame = folded.select(*_named_keys(plan), *values)
        return cls(frame, plan, currency, as_of, folded)

    @property
    def keys(self) -> tuple[str, ...]:
        """The key columns of the frame, the period first."""
        period = ("period",) if self.plan.question.calendar.has_periods else ()
        return (*period, *(dimension.name for dimension in self.plan.question.by))

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics, in the order they were asked."""
        return tuple(lowered.metric for lowered in self.plan.metrics)

    def explain(self) -> str:
        """Say how it was computed: each source, what was folded, and the arithmetic."""
        return str(self.plan)

    def tidy(self) -> pl.DataFrame:
        """Give the long form: one row per metric, period and group.

        Returns:
            A frame with `metric`, the period and keys, `value`, `numerator`,
            `denominator` and `n` (null where the metric is no ratio; n is the
            denominator where that is a count, or the value where that is one),
            `unit`, and `reason`: why the value is null (`empty_denominator`,
            `no_rows`, `missing_values`, `mixed_…`), or `incomplete_period`
            where it may still change.
        """
        years = period_years(self.plan.question)
        parts = [self._tidy_one(lowered, years) for lowered in self.plan.metrics]
        return pl.concat(parts)

    def rollup(self, by: str | Sequence[str] = ()) -> Result:
        """Go to coarser keys without reading the data again.

        Args:
            by: The keys to keep, among them `"period"`.

        Raises:
            UnknownNameError: There is no such key.
            UnsupportedError: A metric rests on a fold that does not add up over
                the keys that go; names the metric and the fold.
        """
        kept = [by] if isinstance(by, str) else list(by)
        for name in kept:
            if name not in self.keys:
                raise UnknownNameError("key of the result", name, self.keys)
        gone = [name for name in self.keys if name not in kept]
        if not gone:
            return self
        for lowered in self.plan.metrics:
            _check_adds_up(self.plan, lowered, gone)
        question = self.plan.question
        calendar = question.calendar if "period" in kept else question.calendar.whole
        dimensions = tuple(d for d in question.by if d.name in kept)
        coarser = replace(self.plan, question=replace(question, by=dimensions, calendar=calendar))
        rolled = roll_up(coarser, self.folded, [_key_column(name) for name in kept])
        return Result.from_leaves(coarser, rolled, self.currency, self.as_of)

    def with_totals(self, whole: Result | None) -> Result:
        """Add the rows of a result with fewer keys, marked by a column `is_total`."""
        parts = [self.frame.with_columns(pl.lit(value=False).alias("is_total"))]
        if whole is not None:
            parts.append(whole.frame.with_columns(pl.lit(value=True).alias("is_total")))
        both = pl.concat(parts, how="diagonal").select(
            *self.keys, "is_total", *(metric.name for metric in self.metrics)
        )
        order = [name for name in self.keys if name == "period"]
        others = [name for name in self.keys if name != "period"]
        rows = both.sort([*order, "is_total", *others], nulls_last=True)
        return replace(self, frame=rows)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Give the frame to whatever speaks Arrow."""
        return self.frame.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        head, rows = self._cells(MOST_ROWS)
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if number < len(head) - len(self.metrics) else cell.rjust(width)
                for number, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in (head, ["─" * width for width in widths], *rows)
        ]
        return "\n".join([*lines, *self._notes(len(rows))])

    def _repr_html_(self) -> str:
        head, rows = self._cells(MOST_ROWS)
        cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        first = len(head) - len(self.metrics)
        body = "".join(
            "<tr>"
            + "".join(
                f"<td>{escape(cell)}</td>"
                if number < first
                else f'<td style="text-align:right">{escape(cell)}</td>'
                for number, cell in enumerate(row)
            )
            + "</tr>"
            for row in rows
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self._notes(len(rows)))
        return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>{notes}"

    def _cells(self, most: int) -> tuple[list[str], list[list[str]]]:
        """Give the head and the first rows, every cell as people write it."""
        units = {metric.name: metric.unit for metric in self.metrics}
        shown = self.frame.head(most)
        has_totals = "is_total" in shown.columns
        open_periods = self._incomplete(shown)
        rows: list[list[str]] = []
        for row, is_open in zip(shown.iter_rows(named=True), open_periods, strict=True):
            is_total = bool(row.pop("is_total", None))
            rows.append(
                [
                    units[name].format(value, currency=self.currency)
                    if name in units
                    else self._key_cell(name, value, is_open=is_open, is_total=is_total)
                    for name, value in row.items()
                ]
            )
        head = [name for name in shown.columns if not (has_totals and name == "is_total")]
        return head, rows

    def _key_cell(self, name: str, value: object, *, is_open: bool, is_total: bool) -> str:
        if name != "period":
            return (
                "total" if is_total and value is None else "(null)" if value is None else str(value)
            )
        if value is None:
            return "total"
        text = f"{value:%Y-%m-%d %H:%M %Z}" if isinstance(value, dt.datetime) else str(value)
        return f"{text} *" if is_open else text

    def _notes(self, shown: int) -> list[str]:
        notes = [f"… {self.frame.height - shown:,} more rows"] if self.frame.height > shown else []
        if self._incomplete(self.frame.head(shown)).any():
            notes.append("* incomplete period: its values may still change")
        return notes

    def _incomplete(self, frame: pl.DataFrame) -> pl.Series:
        if "period" not in frame.columns:
            return pl.repeat(value=False, n=frame.height, eager=True)
        is_open = self._is_open(pl.col("period")).fill_null(value=False).alias("#open")
        return frame.with_columns(is_open).get_column("#open")

    def _is_open(self, period: pl.Expr) -> pl.Expr:
        """Say of which periods the data, or the range asked for, does not cover the whole."""
        question = self.plan.question
        calendar, span = question.calendar, question.span
        end = calendar.moved(period, 1)
        is_hour = calendar.has_hours
        is_open = pl.lit(value=False)
        instants = [None if m is None else calendar.instant(m) for m in (span.start, span.end)]
        for limit in (self.as_of, instants[1]):
            if limit is not None:
                last = limit if is_hour else calendar.shown(limit)
                is_open = is_open | (_moment(end, is_hour=is_hour) > pl.lit(last))
        if instants[0] is not None:
            first = instants[0] if is_hour else calendar.shown(instants[0])
            is_open = is_open | (_moment(period, is_hour=is_hour) < pl.lit(first))
        return is_open

    def _reason(self, value: pl.Expr, why_null: pl.Expr) -> pl.Expr:
        if not self.plan.question.calendar.has_periods:
            return pl.when(value.is_null()).then(why_null)
        is_open = self._is_open(pl.col(PERIOD))
        marked = pl.when(is_open).then(pl.lit("incomplete_period"))
        return pl.when(value.is_null()).then(why_null).otherwise(marked)

    def _tidy_one(self, lowered: LoweredMetric, years: pl.Expr) -> pl.DataFrame:
        value = _value(lowered, years).cast(pl.Float64)
        missing = pl.lit(None, dtype=pl.Float64)
        above, below = (
            (missing, missing)
            if lowered.ratio is None
            else (compute(side, years).cast(pl.Float64) for side in lowered.ratio)
        )
        counted = (
            below if lowered.counts[1] else value if is_count(lowered.metric.formula) else missing
        )
        reason = self._reason(value, reason_of(lowered.value, years))
        return self.folded.select(
            pl.lit(lowered.metric.name).alias("metric"),
            *_named_keys(self.plan),
            value.alias("value"),
            above.alias("numerator"),
            below.alias("denominator"),
            counted.alias("n"),
            pl.lit(str(lowered.metric.unit)).alias("unit"),
            reason.alias("reason"),
        )


def _moment(label: pl.Expr, *, is_hour: bool) -> pl.Expr:
    """Give the start of a period to compare: hours as instants, days as local time."""
    return label.dt.convert_time_zone("UTC") if is_hour else label.cast(pl.Datetime("us"))


def _named_keys(plan: Plan) -> list[pl.Expr]:
    period = [pl.col(PERIOD).alias("period")] if plan.question.calendar.has_periods else []
    groups = [pl.col(group_column(d.name)).alias(d.name) for d in plan.question.by]
    return [*period, *groups]


def _key_column(name: str) -> str:
    return PERIOD if name == "period" else group_column(name)


def _value(lowered: LoweredMetric, years: pl.Expr) -> pl.Expr:
    """Give a metric's value: whole where it counts, never NaN or infinite."""
    value = compute(lowered.value, years)
    if is_count(lowered.metric.formula):
        return value.cast(pl.Int64).alias(lowered.metric.name)
    number = value.cast(pl.Float64)
    return pl.when(number.is_finite()).then(number).alias(lowered.metric.name)


def _check_adds_up(plan: Plan, lowered: LoweredMetric, gone: Sequence[str]) -> None:
    span = plan.question.span
    if "period" in gone and has_period_length(lowered.value) and not (span.start and span.end):
        raise UnsupportedError(
            f"{lowered.metric.name} cannot be rolled up over period",
            "it depends on the length of the range; evaluate again with start= and end=",
        )
    folds = {fold.name: (fold.asked, step) for step in plan.steps for fold in step.folds}
    groups = [name for name in gone if name != "period"]
    sides = lowered.ratio or ()
    for leaf in {leaf for part in (lowered.value, *sides) for leaf in leaves_of(part)}:
        aggregate, step = folds[leaf.name]
        adds = additivity(aggregate)
        is_past = bool(leaf.shift or step.to_date)
        stops = [] if adds.over_keys else groups
        if "period" in gone and (is_past or not adds.over_time):
            stops = ["period", *stops]
        if stops:
            what = (
                "is not of the period alone"
                if is_past and stops == ["period"]
                else "does not add up"
            )
            raise UnsupportedError(
                f"{lowered.metric.name} cannot be rolled up over {', '.join(stops)}",
                f"{aggregate} {what}; evaluate again with fewer keys",
            )

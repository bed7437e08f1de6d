"""Results: a wide frame, its long form, and views for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

import polars as pl

from funnelkit.arguments import check_key_names, check_most, check_names
from funnelkit.charts.spec import Chart, Spec, to_chart
from funnelkit.errors import UnknownNameError
from funnelkit.formula.properties import is_count
from funnelkit.formula.reason import Reason
from funnelkit.metrics.card import Card
from funnelkit.metrics.listing import MOST_ROWS
from funnelkit.metrics.metric import Metric
from funnelkit.planning.plan import PERIOD, Plan, PlannedMetric, group_column
from funnelkit.result.align import Aligned, roll_up
from funnelkit.result.arithmetic import Arithmetic, Computed
from funnelkit.result.currencies import Currencies
from funnelkit.result.display import (
    IS_OPEN,
    IS_TOTAL,
    TableView,
    to_html,
    to_text,
)
from funnelkit.result.picture import chosen_metrics, picture_of
from funnelkit.result.pivot import pivoted
from funnelkit.result.rollup import PERIOD_NAME, check_adds_up

__all__ = ["Result", "values_of"]

TIDY = ("metric", "value", "numerator", "denominator", "n", "unit", "reason")
"""The columns of the long form beside the keys."""

NOTHING = pl.lit(None, dtype=pl.Float64)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Result:
    """The values of metrics, one row per period and group.

    Two results are equal if they have the same plan and the same values.

    Attributes:
        plan: How it was computed.
        currency: The code of the currency of amounts.
        as_of: The instant up to which the data was known, in UTC.
        since: By metric, the day from which the tables that it reads have rows, as local time;
            None where they have none. Without periods it is empty.
        total: The result whose rows are the totals, where there are totals.
        has_totals: Whether totals were requested.
        exclusions: If requested, what each metric excludes over the whole range:
            `metric`, `table`, `reason`, `rows`, `of` how many, `share`; and what it
            assumes of columns that were not supplied, with null instead of rows.
    """

    plan: Plan
    currency: str
    as_of: dt.datetime | None
    since: Mapping[str, dt.datetime | None]
    total: Result | None
    has_totals: bool
    _aligned: Aligned
    _currencies: Currencies
    _frame: pl.DataFrame
    exclusions: pl.DataFrame | None = None

    @classmethod
    def from_leaves(
        cls,
        plan: Plan,
        aligned: Aligned,
        currencies: Currencies,
        as_of: dt.datetime | None,
        since: Mapping[str, dt.datetime | None],
    ) -> Result:
        """Compute the values of every metric from aligned folds.

        Args:
            plan: The plan that was carried out.
            aligned: The aligned folds.
            currencies: The currencies of the amounts.
            as_of: The instant up to which the data was known.
            since: By metric, the day from which it is known.

        Raises:
            ContractError: Amounts of different currencies meet.
        """
        currency = currencies.one_for(plan)
        frame = values_of(plan, aligned.frame)
        return cls(plan, currency, as_of, since, None, False, aligned, currencies, frame)

    @property
    def frame(self) -> pl.DataFrame:
        """The wide frame: `period` and the keys, then a column per metric.

        `period` is present where the question has periods: a Date, or a Datetime
        in the shop's zone for hours. Counts are Int64, everything else Float64.
        Sorted by period and keys, null last. With totals a column `is_total`
        marks their rows. Each access returns a separate frame, without copying
        the data: changing it does not change the result.
        """
        return self._frame.clone()

    @property
    def keys(self) -> tuple[str, ...]:
        """The key columns of the frame, the period first."""
        period = (PERIOD_NAME,) if self.plan.question.calendar.has_periods else ()
        return (*period, *(dimension.name for dimension in self.plan.question.by))

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics, in the requested order."""
        return tuple(lowered.metric for lowered in self.plan.metrics)

    def plot(self, *, metrics: str | Sequence[str] | None = None) -> Chart:
        """Return the picture that answers the question, as an altair chart that can be changed.

        Time becomes a line, dashed where periods are open; groups become sorted bars; groups
        over time become a line each, or a panel each where there are many. Several metrics
        stand one below the other. Totals are left out.

        Args:
            metrics: Which metrics of the result are shown; by default all of them.

        Raises:
            MissingPackageError: altair is not installed.
            UnknownNameError: The result has no metric of that name.
            DefinitionError: There are too many metrics for one picture.
        """
        return to_chart(self.picture(metrics=metrics))

    def picture(self, *, metrics: str | Sequence[str] | None = None) -> Spec:
        """Return the picture of `plot` as a Vega-Lite specification, without altair."""
        until = ""
        if self.as_of is not None:
            until = f"{self.plan.question.calendar.shown(self.as_of):%Y-%m-%d}"
        return picture_of(self._sheet(), chosen_metrics(self.metrics, metrics), until)

    def explain(self) -> str:
        """Return how it was computed: each source, what was folded, and the arithmetic."""
        return str(self.plan)

    def card(self, metric: str) -> Card:
        """Return a metric's card, with what this result takes for granted.

        Args:
            metric: The name of a metric of the result.

        Raises:
            UnknownNameError: It has no such metric.
        """
        for planned in self.plan.metrics:
            if metric in {planned.metric.name, *planned.metric.aliases}:
                return Card(
                    planned.metric, tuple(map(str, self.plan.assumed.get(planned.metric.name, ())))
                )
        names = [each.name for each in self.metrics]
        raise UnknownNameError("metric of the result", metric, names)

    def tidy(self) -> pl.DataFrame:
        """Return the long form: one row per metric, period and group.

        Returns:
            A frame with `metric`, the period and keys, `is_total` where totals
            were requested, `value`, `numerator` and `denominator` (null where
            the metric is not a ratio), `n`, `unit` and `reason`. The rows of a
            metric are those of `frame`, in its order.

            `n` is how many things the value rests on: what the denominator of a
            ratio, or the value itself, counts or adds up one by one, such as
            sessions or items; for any other fold, how many values entered. It
            is null where no one number tells it: a difference of two sums.

            `reason` is why the value is null, or `incomplete_period` where it may still
            change: see `Reason`.

        Raises:
            DefinitionError: A key has the name of one of these columns.
        """
        check_key_names(self.keys, TIDY)
        parts = [self._tidy_one(lowered) for lowered in self.plan.metrics]
        if self.has_totals:
            totals = None if self.total is None else self.total.tidy()
            both = zip(self.metrics, parts, strict=True)
            parts = [self._with_total_of(metric, rows, totals) for metric, rows in both]
        return pl.concat(parts)

    def rollup(self, by: str | Sequence[str] = ()) -> Result:
        """Return the result for coarser keys without reading the data again.

        Totals are kept as long as their groups are.

        Args:
            by: The keys to keep, among them `"period"`.

        Raises:
            DefinitionError: The keys are not names.
            UnknownNameError: There is no such key.
            UnsupportedError: A metric uses a fold that does not add up over
                the removed keys; names the metric and the fold.
            ContractError: Amounts of groups of different currencies would be added.
        """
        asked = check_names("by", by)
        for name in asked:
            if name not in self.keys:
                raise UnknownNameError("key of the result", name, self.keys)
        groups = [name for name in dict.fromkeys(asked) if name != PERIOD_NAME]
        kept = [*([PERIOD_NAME] if PERIOD_NAME in asked else []), *groups]
        if kept == list(self.keys):
            return self
        gone = [name for name in self.keys if name not in kept]
        for lowered in self.plan.metrics:
            check_adds_up(self.plan, lowered, gone)
        return self._rolled(kept)

    def _rolled(self, kept: Sequence[str]) -> Result:
        question = self.plan.question
        of_name = {dimension.name: dimension for dimension in question.by}
        dimensions = tuple(of_name[name] for name in kept if name != PERIOD_NAME)
        calendar = question.calendar if PERIOD_NAME in kept else question.calendar.whole
        coarser = replace(self.plan, question=replace(question, by=dimensions, calendar=calendar))
        keys = [_key_column(name) for name in kept]
        rolled = roll_up(coarser, self._aligned, keys)
        result = Result.from_leaves(coarser, rolled, self._currencies, self.as_of, self.since)
        if not (self.has_totals and dimensions):
            return result
        total = self.total
        if total is not None:
            total = total.rollup([name for name in total.keys if name in kept])
        return result.with_totals(total)

    def with_totals(self, whole: Result | None) -> Result:
        """Add the rows of a result with fewer keys, marked by a column `is_total`.

        A result without keys is its own total and gets no additional row.
        """
        if not self.keys:
            whole = None
        parts = [self._frame.with_columns(pl.lit(value=False).alias(IS_TOTAL))]
        if whole is not None:
            parts.append(whole.frame.with_columns(pl.lit(value=True).alias(IS_TOTAL)))
        both = pl.concat(parts, how="diagonal").select(
            *self.keys, IS_TOTAL, *(metric.name for metric in self.metrics)
        )
        return replace(self, _frame=self._sorted(both), total=whole, has_totals=True)

    def with_exclusions(self, exclusions: pl.DataFrame) -> Result:
        """Add what the numbers leave out."""
        return replace(self, exclusions=exclusions)

    def _sorted(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Sort rows and totals: the total of a period comes after its groups."""
        periods = [name for name in self.keys if name == PERIOD_NAME]
        return rows.sort([*periods, IS_TOTAL, *self.keys[len(periods) :]], nulls_last=True)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            return NotImplemented
        one, two = (
            (result.plan, result.currency, result.as_of, result.has_totals, result.total)
            for result in (self, other)
        )
        return one == two and self._frame.equals(other._frame)

    __hash__ = None  # type: ignore[assignment]  # it holds a frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the frame as an Arrow stream."""
        return self._frame.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return self.to_text(rows=MOST_ROWS)

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self._notes())
        return "".join(map(to_html, pivoted(self._sheet()))) + notes

    def to_text(self, *, rows: int | None = None) -> str:
        """Return the result as people read it, with all of its rows.

        With groups and periods there is a table per metric, periods down and groups across.

        Args:
            rows: How many rows of a table are shown at most; None for all.

        Raises:
            DefinitionError: It is not a whole number above zero.
        """
        check_most("rows", rows)
        tables = [to_text(sheet, rows=rows) for sheet in pivoted(self._sheet())]
        return "\n".join(["\n\n".join(tables), *self._notes()])

    def _notes(self) -> list[str]:
        """Return what the numbers exclude, one line per reason."""
        if self.exclusions is None:
            return []
        places, counted = ["table", "reason", "rows", "of"], pl.col("rows").is_not_null()
        told = self.exclusions.filter(counted).group_by(places, maintain_order=True).agg("metric")
        lines = [
            f"{table} excluded, {reason}: {rows:,} of {of:,} ({', '.join(metrics)})"
            for table, reason, rows, of, metrics in told.rows()
        ]
        lines += [f"assumed: {text} ({names})" for text, names in self.plan.assumptions().items()]
        return ["", *lines] if lines else ["", "no exclusions are known"]

    def _sheet(self) -> TableView:
        is_open, is_total = pl.lit(value=False), pl.lit(value=False)
        if PERIOD_NAME in self.keys:
            is_open = self._is_open(pl.col(PERIOD_NAME)).fill_null(value=False)
        if self.has_totals:
            is_total = pl.col(IS_TOTAL)
        frame = self._frame.with_columns(is_open.alias(IS_OPEN), is_total.alias(IS_TOTAL))
        return TableView(frame=frame, keys=self.keys, metrics=self.metrics, currency=self.currency)

    def _is_open(self, period: pl.Expr) -> pl.Expr:
        """Return whether the data, or the requested range, covers only part of each period."""
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
        why_null = pl.coalesce(why_null, pl.lit(str(Reason.NOT_FINITE)))
        if not self.plan.question.calendar.has_periods:
            return pl.when(value.is_null()).then(why_null)
        is_open = self._is_open(pl.col(PERIOD))
        marked = pl.when(is_open).then(pl.lit(str(Reason.INCOMPLETE_PERIOD)))
        return pl.when(value.is_null()).then(why_null).otherwise(marked)

    def _tidy_one(self, lowered: PlannedMetric) -> pl.DataFrame:
        arithmetic = Arithmetic(self.plan, self._aligned.frame)
        computed = arithmetic.compute(lowered.value)
        value = _finite(_value_of(lowered, computed))
        above, below = (
            (NOTHING, NOTHING)
            if lowered.ratio is None
            else (_finite(arithmetic.compute(side).value) for side in lowered.ratio)
        )
        columns = [
            pl.lit(lowered.metric.name).alias("metric"),
            *_named_keys(self.plan),
            value.alias("value"),
            above.alias("numerator"),
            below.alias("denominator"),
            _sample_size(lowered, arithmetic).alias("n"),
            pl.lit(str(lowered.metric.unit)).alias("unit"),
            self._reason(value, _why_null(lowered, computed)).alias("reason"),
        ]
        return arithmetic.select(columns).collect(engine="in-memory")

    def _with_total_of(
        self, metric: Metric, rows: pl.DataFrame, totals: pl.DataFrame | None
    ) -> pl.DataFrame:
        """Add the totals to the long form of a metric, as they are in the frame."""
        parts = [rows.with_columns(pl.lit(value=False).alias(IS_TOTAL))]
        if self.total is not None and totals is not None:
            total = totals.filter(pl.col("metric") == metric.name)
            if metric not in self.total.metrics:
                of_each = Reason.OF_EACH.about(metric.required_dimension or "group")
                reason = str(Reason.COMPARES_PERIODS) if metric.compares_periods else of_each
                why = {"unit": str(metric.unit), "reason": reason}
                total = pl.DataFrame({"metric": metric.name, **why})
            parts.append(total.with_columns(pl.lit(value=True).alias(IS_TOTAL)))
        names = [name for name in rows.columns if name not in {"metric", *self.keys}]
        both = pl.concat(parts, how="diagonal").select("metric", *self.keys, IS_TOTAL, *names)
        return self._sorted(both)


def values_of(plan: Plan, folds: pl.DataFrame, *, others: Sequence[str] = ()) -> pl.DataFrame:
    """Return the keys and the metrics of a plan.

    Args:
        plan: The plan.
        folds: The keys and a column per leaf.
        others: Columns that are kept beside.
    """
    arithmetic = Arithmetic(plan, folds)
    values = [_value_of(each, arithmetic.compute(each.value)) for each in plan.metrics]
    rows = arithmetic.select([*_named_keys(plan), *map(pl.col, others), *values])
    names = [m.metric.name for m in plan.metrics if not is_count(m.metric.formula)]
    return rows.with_columns(_finite(pl.col(names))).collect(
        engine="in-memory", optimizations=pl.QueryOptFlags.none()
    )


def _moment(label: pl.Expr, *, is_hour: bool) -> pl.Expr:
    """Return the start of a period for comparison: hours as instants, days as local time."""
    return label.dt.convert_time_zone("UTC") if is_hour else label.cast(pl.Datetime("us"))


def _named_keys(plan: Plan) -> list[pl.Expr]:
    period = [pl.col(PERIOD).alias(PERIOD_NAME)] if plan.question.calendar.has_periods else []
    groups = [pl.col(group_column(d.name)).alias(d.name) for d in plan.question.by]
    return [*period, *groups]


def _key_column(name: str) -> str:
    return PERIOD if name == PERIOD_NAME else group_column(name)


def _value_of(lowered: PlannedMetric, computed: Computed) -> pl.Expr:
    """Return a metric's value, whole where it counts; it may be NaN or infinite elsewhere.

    A metric that is a number of each value of a dimension has none where that is null.
    """
    value = computed.value
    if owner := lowered.metric.required_dimension:
        value = pl.when(pl.col(group_column(owner)).is_not_null()).then(value)
    if is_count(lowered.metric.formula):
        value = value.cast(pl.Int64)
    elif not computed.is_float:
        value = value.cast(pl.Float64)
    return value.alias(lowered.metric.name)


def _why_null(lowered: PlannedMetric, computed: Computed) -> pl.Expr:
    """Return why the value of a metric is null, where it is."""
    owner, reason = lowered.metric.required_dimension, computed.reason()
    if not owner:
        return reason
    has_owner = pl.col(group_column(owner)).is_not_null()
    return pl.when(has_owner).then(reason).otherwise(pl.lit(Reason.NO.about(owner)))


def _sample_size(lowered: PlannedMetric, arithmetic: Arithmetic) -> pl.Expr:
    """Return the sample size that a value rests on, where that is known."""
    if lowered.n is None:
        return NOTHING
    number = arithmetic.compute(lowered.n).value.cast(pl.Float64)
    return pl.when(number >= 0).then(number)


def _finite(value: pl.Expr) -> pl.Expr:
    """Return a number, and null where it is NaN or infinite."""
    number = value.cast(pl.Float64)
    return pl.when(number.is_finite()).then(number)

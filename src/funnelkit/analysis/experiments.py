"""Experiments: whether a variant did it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from types import NoneType
from typing import Any

import polars as pl

from funnelkit.arguments import check_kind, check_none, not_between
from funnelkit.calendar.calendar import Moment
from funnelkit.calendar.grain import INSTANT, Grain
from funnelkit.data.sources import Source
from funnelkit.errors import DefinitionError, MissingPackageError
from funnelkit.evaluation.arguments import Asked as Metrics
from funnelkit.formula.values import Dimension, Predicate
from funnelkit.metrics.metric import Metric
from funnelkit.result.view import Figure, Shown, View
from funnelkit.sampling.assignment import SampleRatio, read_assignment
from funnelkit.sampling.comparison import Comparison, always_valid
from funnelkit.sampling.design import SEEN, Design
from funnelkit.sampling.unit_table import question_of, unit_table
from funnelkit.shop.shop import Shop
from funnelkit.units import NUMBER, RATIO

__all__ = ["Experiment", "experiment", "unit_sides"]

ONE_LOOK = "valid for one look, at the end that was planned"
SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "metric": pl.String,
    "variant": pl.String,
    **dict.fromkeys(("value", "reference", "difference", "low", "high", "se"), pl.Float64),
    **dict.fromkeys(("lift", "lift_low", "lift_high", "lift_se"), pl.Float64),
    **dict.fromkeys(("p_value", "p_adjusted", "level"), pl.Float64),
    **dict.fromkeys(("units", "reference_units"), pl.Int64),
    **dict.fromkeys(("unit", "reason"), pl.String),
}


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Experiment(View):
    """What the variants of an experiment did to metrics, beside the control.

    Attributes:
        sentence: What was compared.
        sample_ratio: Whether the variants have as many units as planned; look here first.
        control: The variant that the others are compared with.
        notes: What else must be known to read it.
        currency: The code of the currency of amounts.
        by_variant: tea-tasting's own result of each variant against the control.
    """

    sentence: str
    sample_ratio: SampleRatio
    control: str
    notes: tuple[str, ...]
    currency: str
    by_variant: Mapping[str, Any]
    _frame: pl.DataFrame
    _metrics: tuple[Metric, ...]

    @property
    def frame(self) -> pl.DataFrame:
        """One row per metric and variant.

        `value`: the metric of the variant; of a sum or count, its mean per assigned unit.
        `reference`: the same of the control. `difference`, with its interval `low` to `high`
        at `level`, and its standard error `se`. `lift`: the difference over the reference,
        with its interval on the scale of logarithms (`lift_low` to `lift_high`), and
        `lift_se`, the standard error on the linear scale, as GrowthBook has it. `p_value`:
        how likely a difference at least as large is if the variant does nothing.
        `p_adjusted`: the same, for having looked at several: the first metric is the one
        that decides, and is adjusted for several variants alone; the others are adjusted
        together, by the false discovery rate. `units` and `reference_units`: how many were
        assigned.

        `reason` is why there is no test: `no_variation` (all units alike, also once
        what they did before is taken out) or `no_value` (a denominator of 0); or what stands
        beside one: `few_units` (fewer than 20 in a variant).
        """
        return self._frame.clone()

    def always_valid(self, *, tuning: int = 5000) -> pl.DataFrame:
        """Return intervals that hold at every look, so that a test may be stopped at any.

        They are asymptotic confidence sequences (Waudby-Smith and others 2021), which are
        wider than those of one look.

        Args:
            tuning: How many units, of both variants, they are narrowest for.

        Returns:
            A frame with `metric`, `variant`, `difference`, `low`, `high`, `p_value`, `level`.

        Raises:
            DefinitionError: `tuning` is not a number of units.
        """
        check_kind("tuning", tuning, (int,), "write tuning=5000")
        if tuning < 1:
            raise DefinitionError(f"tuning={tuning!r} is not a number of units", "write 5000")
        names = ("metric", "variant", "difference", "low", "high", "p_value", "level")
        rows = [always_valid(row, tuning) for row in self._frame.iter_rows(named=True)]
        return pl.DataFrame(rows, schema={name: SCHEMA[name] for name in names})

    def _shown(self) -> Shown:
        shown = ("value", "reference", "lift", "lift_low", "lift_high")
        keys = ["metric", "variant", *shown, "p_value", "p_adjusted", "reason"]
        keys = keys if self._frame.get_column("reason").count() else keys[:-1]
        several = self._frame.height > 1
        return Shown(
            frame=pl.concat([self._in_words(metric) for metric in self._metrics]),
            figures=[Figure("units", NUMBER)],
            keys=keys if several else [key for key in keys if key != "p_adjusted"],
            heading=[self.sample_ratio.note],
            notes=[self.sentence, *self.notes],
            currency=self.currency,
        )

    def _in_words(self, metric: Metric) -> pl.DataFrame:
        """Return the rows of a metric with its numbers as text."""
        unit = metric.unit
        if metric.ratio is None and metric.unit.is_count:
            unit = NUMBER
        units = {"value": unit, "reference": unit, "p_value": NUMBER, "p_adjusted": NUMBER}
        rows = self._frame.filter(pl.col("metric") == metric.name)
        texts = [
            pl.Series(
                name,
                [
                    ""
                    if value is None
                    else units.get(name, RATIO).format(value, currency=self.currency)
                    for value in rows.get_column(name)
                ],
                dtype=pl.String,
            )
            for name in (*units, "lift", "lift_low", "lift_high")
        ]
        return rows.with_columns(*texts, pl.col("reason").fill_null(""))


def unit_sides(  # noqa: PLR0913  # the question, every part of it by keyword
    shop: Shop,
    metrics: Metrics,
    *,
    unit: str | Dimension,
    start: Moment | None = None,
    end: Moment | None = None,
    where: Predicate | str | None = None,
) -> pl.DataFrame:
    """Return what each unit adds to metrics, for a library of statistics.

    Args:
        shop: The shop.
        metrics: As for `evaluate`: sums, counts, means, and ratios of such.
        unit: What there is a row for, such as `"visitor_id"`. Rows that name none are left out.
        start: As for `evaluate`.
        end: As for `evaluate`.
        where: As for `evaluate`.

    Returns:
        One row per unit, with `num_` and the name of each metric, and `den_` and the name of
        each ratio or mean.

    Raises:
        DefinitionError: A metric is not made of sums over units.
        DataError: The units do not add up to the whole.
        FunnelkitError: As for `evaluate`.

    Examples:
        >>> import funnelkit as fk
        >>> fk.unit_sides(fk.demo(), "session_conversion_rate", unit="visitor_id").columns
        ['visitor_id', 'num_session_conversion_rate', 'den_session_conversion_rate']
    """
    asked, group, named = question_of(shop, metrics, unit=unit, start=start, end=end, where=where)
    return unit_table(asked, group, named).sort(named.name)


def experiment(  # noqa: PLR0913  # the question, every part of it by keyword
    shop: Shop,
    metrics: Metrics,
    *,
    assignment: Source,
    unit: str | Dimension,
    control: object,
    start: Moment,
    end: Moment,
    variant: str = "variant",
    where: Predicate | str | None = None,
    exposed_at: str | None = None,
    covariates_from: str | None = None,
    shares: Mapping[object, float] | None = None,
    level: float = 0.95,
) -> Experiment:
    """Compare the variants of an experiment by metrics.

    The metrics are evaluated per unit; every unit that was assigned counts, with 0 where it
    was never seen. The tests are those of tea-tasting.

    Args:
        shop: The shop.
        metrics: The metric that decides, or several of which the first does.
        assignment: A frame with one row per unit: the unit, and its variant.
        unit: What was assigned, such as `"visitor_id"`.
        control: The variant that the others are compared with.
        start: The first moment of the experiment.
        end: The first moment after it.
        variant: The column of the variant.
        where: As for `evaluate`.
        exposed_at: The column of the assignment since whose time rows of a unit count.
        covariates_from: How far back before `start`, or before the exposure, units are looked
            at to take out what they did before (CUPED), such as `"4w"`.
        shares: The planned share of each variant; equal by default.
        level: How often intervals hold the true difference.

    Raises:
        MissingPackageError: tea-tasting is not installed.
        DefinitionError: An argument is not valid, or a metric is not made of sums over units.
        DataError: The assignment is broken, or no unit of it was ever seen.
        FunnelkitError: As for `evaluate`.
    """
    if find_spec("tea_tasting") is None:
        raise MissingPackageError("tea-tasting", "experiments")
    asked, group, named = question_of(shop, metrics, unit=unit, start=start, end=end, where=where)
    _check(variant, exposed_at, level)
    span, back = _range(shop, start, end), _back(covariates_from)
    assigned = read_assignment(
        assignment,
        unit=named.name,
        variant=variant,
        control=control,
        exposed_at=exposed_at,
        shares=shares,
    )
    design = Design(asked, group, named, assigned, span, back)
    is_cut = exposed_at is not None
    sentence = _sentence(design, covariates_from, in_time=is_cut)
    units, others = design.units(in_time=is_cut)
    words = (sentence, *_of_end(design), *_of_units(units, others))
    return _compared(design, units, level, words)


def _check(variant: object, exposed_at: object, level: object) -> None:
    """Check arguments that are of experiments alone."""
    check_kind("variant", variant, (str,), "name the column: variant='variant'")
    check_kind("exposed_at", exposed_at, (str, NoneType), "name a column of the assignment")
    check_none([not_between("level", level, 0, 1)], remedy="write level=0.95")


def _back(covariates_from: object) -> dt.timedelta | None:
    """Return how far back units are looked at."""
    if covariates_from is None:
        return None
    remedy = "write covariates_from='4w'"
    check_kind("covariates_from", covariates_from, (str,), remedy)
    days = Grain.parse(str(covariates_from), name="covariates_from").days
    if not days:
        raise DefinitionError(
            f"covariates_from={covariates_from!r} is not in days or weeks", remedy
        )
    return dt.timedelta(days=days)


def _range(shop: Shop, start: Moment, end: Moment) -> tuple[dt.datetime, dt.datetime]:
    """Return the range of an experiment, as local time."""
    span = shop.data.calendar.span(start, end)
    if span.start is None or span.end is None:
        raise DefinitionError("an experiment has a start and an end", "give start= and end=")
    return span.start, span.end


def _compared(
    design: Design, units: pl.DataFrame, level: float, words: Sequence[str]
) -> Experiment:
    """Return the comparison of each variant with the control."""
    tests = Comparison(design.group, units, level, has_before=design.back is not None)
    control = design.assigned.control
    results = {name: tests.result(control, name) for name in design.assigned.variants}
    adjusted = tests.adjusted(results)
    rows = [
        {
            **tests.row(sides, control, name, results[name]),
            "p_adjusted": adjusted.get((name, sides.metric.name)),
        }
        for sides in design.group
        for name in design.assigned.variants
    ]
    values = design.asked.evaluate(sides.metric for sides in design.group)
    return Experiment(
        sentence=words[0],
        sample_ratio=design.assigned.ratio,
        control=control,
        notes=(*words[1:], *_of_metrics(design, tests)),
        currency=values.currency,
        by_variant=results,
        _frame=pl.DataFrame(rows, schema=SCHEMA),
        _metrics=values.metrics,
    )


def _of_end(design: Design) -> Iterator[str]:
    """Return whether the data ends before the experiment does."""
    shop, (_, end) = design.asked.shop, design.span
    as_of = shop.runner.as_of()
    if as_of is None:
        return
    last = shop.data.calendar.shown(as_of)
    is_given = shop.data.given_as_of is not None  # without one, its day is known whole
    if last < end if is_given else last.date() < (end - INSTANT).date():
        yield f"NOT OVER: the data ends on {last:%Y-%m-%d}, before the experiment does"


def _of_units(units: pl.DataFrame, others: int) -> Iterator[str]:
    """Return what must be known of the units."""
    unseen = units.height - int(units.get_column(SEEN).sum())
    yield f"{unseen:,} of {units.height:,} assigned units were never seen, and count as 0"
    if others:
        yield f"units that were seen but not assigned do not enter: {others:,}"


def _of_metrics(design: Design, tests: Comparison) -> Iterator[str]:
    """Return what must be known of the metrics."""
    if any(sides.below is None for sides in design.group):
        yield "sums and counts are means per assigned unit"
    if unexplained := ", ".join(tests.unexplained):
        yield f"nothing was there before to explain {unexplained}"
    first, *others = (sides.metric.name for sides in design.group)
    if others:
        yield f"{first} decides; p_adjusted of the others allows for looking at several"


def _sentence(design: Design, covariates_from: str | None, *, in_time: bool) -> str:
    """Return the sentence that states what was compared."""
    sizes, control = design.assigned.ratio.observed, design.assigned.control
    others = ", ".join(f"{name!r} ({sizes[name]:,})" for name in design.assigned.variants)
    start, end = design.span
    since = ", rows since the exposure" if in_time else ""
    before = f", less what the {covariates_from} before explain" if covariates_from else ""
    return (
        f"{others} against the control {control!r} ({sizes[control]:,}) by {design.unit.name}, "
        f"from {start:%Y-%m-%d} to {end:%Y-%m-%d}{since}{before}; {ONE_LOOK}"
    )

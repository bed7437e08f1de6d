"""Conversion from one event to another, with every choice of the rule stated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from funnelkit.arguments import check_choices, check_key_names
from funnelkit.calendar.calendar import Moment
from funnelkit.charts.bars import bars, number
from funnelkit.charts.lines import lines
from funnelkit.charts.spec import Measure, Spec
from funnelkit.data.sources import Source
from funnelkit.errors import DefinitionError, UnsupportedError
from funnelkit.evaluation.arguments import ask
from funnelkit.formula.values import Dimension, Predicate
from funnelkit.formula.walk import leaves
from funnelkit.journeys.lengths import Length, check_length, length_text
from funnelkit.journeys.ratios import ratio
from funnelkit.journeys.rows import (
    AT,
    ENTITY,
    KEPT,
    Moments,
    Reader,
    check_names,
    key_name,
    order_within_instants,
    reader_of,
)
from funnelkit.journeys.steps import Step, check_events, step_of
from funnelkit.planning.relations import Col, Op, call, conjunction
from funnelkit.result.picture import group_names
from funnelkit.result.rollup import PERIOD_NAME
from funnelkit.result.view import Figure, Plotted, Shown, excluded_notes
from funnelkit.shop.shop import Shop
from funnelkit.units import NUMBER, RATIO, SECOND

__all__ = ["Conversion", "conversion"]

Unit = Literal["entity", "start", "finish"]
Attribution = Literal["first", "last", "every"]
Closed = Literal["right", "left", "both", "none"]

FIGURES = (
    Figure("base", NUMBER),
    Figure("converted", NUMBER),
    Figure("rate", RATIO),
    Figure("incomplete", NUMBER),
    Figure("median_s", SECOND),
)
UNITS: Mapping[str, str] = {
    "entity": "each {entity} with a {start} counts once, and is converted if one of them is "
    "credited with a {finish}",
    "start": "each {start} counts, and is converted if it is credited with a {finish}",
    "finish": "each {finish} that is credited to a {start} counts, divided by the {start} events",
}
ATTRIBUTIONS: Mapping[str, str] = {
    "first": "credited to the first {start} in reach",
    "last": "credited to the last {start} in reach",
    "every": "credited to every {start} in reach",
}
CLOSED: Mapping[str, str] = {
    "right": "later than the {start} and at most {within} after it",
    "left": "at the {start} or less than {within} after it",
    "both": "at the {start} or at most {within} after it",
    "none": "later than the {start} and less than {within} after it",
}
IS_START, IS_FINISH, START, BEGUN = "#is start", "#is finish", "#start", "#begun"


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Conversion(Plotted):
    """How many starts lead to a finish.

    Attributes:
        rule: What is counted, in a sentence.
        keys: The key columns of the frames, the period first.
        as_of: The instant up to which the data was known.
        excluded: Why events are left out, and how many.
    """

    rule: str
    keys: tuple[str, ...]
    as_of: dt.datetime | None
    excluded: Mapping[str, int]
    _frame: pl.DataFrame
    _starts: pl.DataFrame

    @property
    def frame(self) -> pl.DataFrame:
        """One row per period and group of the starts.

        `base` (entities or starts), `converted` (entities, starts or finishes, by the unit),
        `rate` (their ratio; null without a base), `incomplete` (how many of the base are not
        converted, and still may be: the window of a start is open) and `median_s`, the
        seconds from a start to the first finish that is credited to it.
        """
        return self._frame.clone()

    @property
    def starts(self) -> pl.DataFrame:
        """One row per start: the entity, the keys, `start`, `finish`, `finishes`, `is_incomplete`.

        `finish` is the first that is credited to it, `finishes` how many are; where every
        start in reach is credited, only whether there is one is known.
        """
        return self._starts.clone()

    def picture(self) -> Spec:
        """Return the rate over time or by group, as a Vega-Lite specification; see `plot`."""
        rate = Measure(title="Conversion rate", unit=RATIO, source=self.rule)
        by = [key for key in self.keys if key != PERIOD_NAME]
        is_open = (pl.col("incomplete") > 0).alias("is_open")
        frame = self._frame.select(*self.keys, pl.col("rate").alias("value"), is_open)
        frame = group_names(frame, by) if by else frame
        if PERIOD_NAME in self.keys:
            return lines(frame, rate)
        return bars(frame, rate) if by else number(frame.get_column("value").item(), rate)

    def _shown(self) -> Shown:
        notes = [self.rule, *excluded_notes(self.excluded)]
        return Shown(frame=self._frame, figures=FIGURES, keys=self.keys, notes=notes)


def conversion(  # noqa: PLR0913  # the question, every part of it by keyword
    source: Shop | Source,
    start: Step,
    finish: Step,
    *,
    within: Length,
    unit: Unit = "entity",
    attribution: Attribution = "first",
    closed: Closed = "right",
    entity: str | Dimension = "visitor_id",
    by: str | Dimension | Sequence[str | Dimension] = (),
    every: str | Sequence[Moment] | None = None,
    where: Predicate | str | None = None,
) -> Conversion:
    """Measure how many starts lead to a finish of the same entity within a window.

    A start is *in reach* of a finish if the time between them lies in the window. Each
    finish is credited to the first or the last start in reach, or to every one. Only then
    are starts filtered and grouped: a finish that belongs to a start that is filtered out
    is never handed to another one. Of starts at one instant it is credited to one, by the
    order of what the filter looks at and of the keys.

    Args:
        source: The shop, or a frame of events with canonical columns.
        start: The name of an event, or a name and a condition on events.
        finish: The same.
        within: The length of the window: a number and s, m, h, d or w, where a day is
            24 hours, or a timedelta.
        unit: What is counted: entities of all that have a start; starts of all starts; or
            finishes that are credited, per start (that ratio can exceed 1).
        attribution: To which start in reach a finish is credited.
        closed: Which ends of the window belong to it. The left end is the start itself:
            unless that is closed, a finish at the very instant of a start is not one of it.
        entity: The column of whose starts and finishes belong together.
        by: Dimensions of the start; an entity counts in every group in which it has one.
        every: The length of periods, or their boundaries; a start belongs to its own, and does
            not count outside of them.
        where: Which starts count, over dimensions, after finishes are credited.

    Returns:
        The conversion.

    Raises:
        UnknownNameError: A name is not an event of the data.
        DefinitionError: An argument is not valid.
        UnsupportedError: An event is both start and finish, and a finish may be at the
            instant of its start.

    Examples:
        >>> import funnelkit as fk
        >>> found = fk.conversion(fk.demo(), "view_item", "purchase", within="7d")
        >>> found.frame.columns
        ['base', 'converted', 'rate', 'incomplete', 'median_s']
    """
    window = check_length("within", within)
    _check_choices(unit, attribution, closed)
    reader = reader_of(source, "events", entity, by=by, every=every)
    kept = ask(reader.shop, where=where).where
    taken = {"start", "finish", "finishes", "is_incomplete"}
    check_key_names([reader.name], {*taken, "period"}, argument="entity")
    check_names(reader, {reader.name, *taken, *(figure.name for figure in FIGURES)})
    named = [step_of(reader, step) for step in (start, finish)]
    rule = _Rule(named[0][0], named[1][0], window, unit, attribution, closed)
    conditions = [condition for _, condition in named]
    moments = _read(reader, conditions, kept)
    check_events(reader, conditions)
    credited = _credited(moments.frame, rule)
    starts = _starts(reader, credited, rule)
    return Conversion(
        rule=rule.sentence(reader.name),
        keys=reader.keys,
        as_of=reader.shop.runner.as_of(),
        excluded=moments.excluded,
        _frame=_frame(starts, reader, rule),
        _starts=starts,
    )


@dataclass(frozen=True, slots=True)
class _Rule:
    start: str
    finish: str
    window: dt.timedelta
    unit: Unit
    attribution: Attribution
    closed: Closed

    @property
    def has_start(self) -> bool:
        """Whether a finish may be at the instant of its start."""
        return self.closed in {"left", "both"}

    @property
    def has_end(self) -> bool:
        """Whether a finish may be at the very end of the window."""
        return self.closed in {"right", "both"}

    def is_in_reach(self, start: pl.Expr, finish: pl.Expr) -> pl.Expr:
        """Return whether a finish lies in the window of a start."""
        elapsed, zero = finish - start, dt.timedelta()
        begun = elapsed >= zero if self.has_start else elapsed > zero
        return begun & (elapsed <= self.window if self.has_end else elapsed < self.window)

    def sentence(self, entity: str) -> str:
        """Return what is counted."""
        named = {"start": self.start, "finish": self.finish, "entity": entity}
        when = CLOSED[self.closed].format(within=length_text(self.window), **named)
        credit = ATTRIBUTIONS[self.attribution].format(**named)
        counted = UNITS[self.unit].format(**named)
        return f"A {self.finish} of the same {entity}, {when}, is {credit}; {counted}."


def _check_choices(unit: Unit, attribution: Attribution, closed: Closed) -> None:
    """Check the choices, all at once."""
    check_choices(
        ("unit", unit, UNITS),
        ("attribution", attribution, ATTRIBUTIONS),
        ("closed", closed, CLOSED),
    )
    if unit == "finish" and attribution == "every":
        problem = "unit='finish' counts each finish once, and attribution='every' credits several"
        raise DefinitionError(problem, "credit the 'first' or the 'last', or count starts")


def _read(reader: Reader, conditions: Sequence[Predicate], kept: Predicate | None) -> Moments:
    """Read starts and finishes, and which starts are kept."""
    lowering = reader.lowering
    wants = [leaf for condition in conditions for leaf in leaves(condition)]
    start, finish = map(lowering.predicate, conditions)
    columns = {IS_START: start, IS_FINISH: finish}
    condition = None if kept is None else reader.predicate(kept)
    within = lowering.within(reader.clock, reader.question.span)
    if condition is not None:
        columns |= reader.looked_at(condition)
        wants += leaves(condition)
    if (enters := conjunction(lowering.condition(condition), within)) is not None:
        columns[KEPT] = enters
    return reader.read(columns, wants=wants, only=call(Op.OR, Col(IS_START), Col(IS_FINISH)))


def _credited(rows: pl.DataFrame, rule: _Rule) -> pl.DataFrame:
    """Return the starts with the first finish that is credited, and how many are."""
    keys = [name for name in rows.columns if name not in {IS_START, IS_FINISH}]
    if rule.has_start and rows.select((pl.col(IS_START) & pl.col(IS_FINISH)).any()).item():
        problem = f"{rule.start} and {rule.finish} share events, and closed={rule.closed!r}"
        raise UnsupportedError(problem, "an event would finish itself: use 'right' or 'none'")
    starts = rows.filter(IS_START).select(keys).sort(AT, ENTITY, *order_within_instants(keys))
    starts = starts.with_row_index(START)
    starts = starts.with_columns(pl.col(AT).alias(BEGUN))
    finishes = rows.filter(IS_FINISH).select(ENTITY, AT).sort(AT)
    if rule.attribution == "every":
        known = starts.select(ENTITY, START, AT, BEGUN)
        its = finishes.with_columns(finish=AT)
        pairs = _matched(known, its, "forward", is_exact=rule.has_start)
    else:
        pairs = _one_each(starts, finishes, rule)
    pairs = pairs.filter(rule.is_in_reach(pl.col(BEGUN), pl.col("finish")))
    found = pairs.group_by(START).agg(pl.col("finish").min(), finishes=pl.len().cast(pl.Int64))
    counted = starts.join(found, on=START, how="left").drop(AT, START)
    return counted.with_columns(pl.col("finishes").fill_null(0))


def _one_each(starts: pl.DataFrame, finishes: pl.DataFrame, rule: _Rule) -> pl.DataFrame:
    """Return the finishes, each with the one start that it is credited to."""
    known = starts.select(ENTITY, START, AT, BEGUN)
    its = finishes.with_columns(finish=AT)
    if rule.attribution == "last":
        return _matched(its, known, "backward", is_exact=rule.has_start)
    its = its.with_columns(pl.col(AT) - rule.window)
    return _matched(its, known, "forward", is_exact=rule.has_end)


def _matched(
    left: pl.DataFrame,
    right: pl.DataFrame,
    strategy: Literal["forward", "backward"],
    *,
    is_exact: bool,
) -> pl.DataFrame:
    """Return rows with the nearest one of the same entity; both are sorted by time."""
    return left.join_asof(
        right,
        on=AT,
        by=ENTITY,
        strategy=strategy,
        allow_exact_matches=is_exact,
        check_sortedness=False,
    )


def _starts(reader: Reader, credited: pl.DataFrame, rule: _Rule) -> pl.DataFrame:
    """Return the starts that are kept, as they are shown."""
    closed = reader.last_closed(rule.window, has_end=rule.has_end)
    opened = pl.lit(value=False) if closed is None else pl.col(BEGUN) > closed
    kept = credited.filter(KEPT) if KEPT in credited.columns else credited
    return kept.select(
        pl.col(ENTITY).alias(reader.name),
        *(pl.col(key_name(key)).alias(key) for key in reader.keys),
        reader.shown(pl.col(BEGUN)).alias("start"),
        reader.shown(pl.col("finish")),
        "finishes",
        (opened & (pl.col("finishes") == 0)).alias("is_incomplete"),
    ).sort(reader.name, "start", *reader.keys)


def _frame(starts: pl.DataFrame, reader: Reader, rule: _Rule) -> pl.DataFrame:
    """Return one row per group."""
    keys = list(reader.keys)
    elapsed = (pl.col("finish") - pl.col("start")).dt.total_microseconds().median() / 1e6
    rows = starts
    median = _folded(starts, keys, [elapsed.alias("median_s")])
    if rule.unit == "entity":
        rows = starts.group_by(reader.name, *keys).agg(
            pl.col("finishes").sum(), pl.col("is_incomplete").any()
        )
    is_converted = pl.col("finishes") > 0
    converted = pl.col("finishes") if rule.unit == "finish" else is_converted
    found = _folded(
        rows,
        keys,
        [
            pl.len().cast(pl.Int64).alias("base"),
            converted.sum().cast(pl.Int64).alias("converted"),
            (pl.col("is_incomplete") & ~is_converted).sum().cast(pl.Int64).alias("incomplete"),
        ],
    )
    if keys:
        joined = found.join(median, on=keys, how="left", nulls_equal=True)
    else:
        joined = found.hstack(median)
    rate = ratio(pl.col("converted"), pl.col("base")).alias("rate")
    names = [figure.name for figure in FIGURES]
    return joined.with_columns(rate).select(*keys, *names).sort(keys or names[:1], nulls_last=True)


def _folded(rows: pl.DataFrame, keys: Sequence[str], folds: Sequence[pl.Expr]) -> pl.DataFrame:
    """Return folds of rows by keys; one row where there are none."""
    return rows.group_by(keys).agg(folds) if keys else rows.select(folds)

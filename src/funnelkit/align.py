"""From the answers of the steps to one row per group, and arithmetic on the row.

This happens once, on small frames, whatever engine gave the answers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

import polars as pl

from funnelkit.calendar import Calendar, Span
from funnelkit.engines.base import PERIOD, group_column
from funnelkit.errors import ContractError, DataError, Fault
from funnelkit.fiscal import FIRST_YEAR, LAST_YEAR
from funnelkit.formula.formulas import (
    Abs,
    Constant,
    Count,
    CountDistinct,
    CountRetained,
    Positive,
    Share,
    Sqrt,
    Sum,
    Tile,
    Until,
)
from funnelkit.formula.values import Operator
from funnelkit.guards import CURRENCY_ENDS, LOWEST_CURRENCY
from funnelkit.lowered import (
    Leaf,
    Length,
    Lowered,
    Operated,
    Turned,
    TurnedBy,
    Unless,
    leaves_of,
)
from funnelkit.steps import Fold, Plan, Question, Step

__all__ = [
    "Aligned",
    "Context",
    "align",
    "compute",
    "context_of",
    "leaf_column",
    "reason_of",
    "roll_up",
]


AGE = "#age"
"""How many periods a row lies after that of its cohort."""


def leaf_column(leaf: Leaf) -> str:
    """Give the column of an aligned frame that holds a leaf."""
    return f"{leaf.name}@{leaf.shift}" + ("~" if leaf.like_for_like else "")


@dataclass(frozen=True, slots=True)
class Aligned:
    """The answers of all steps, brought to the same groups.

    Attributes:
        frame: The period (if any), the keys, a column per leaf and, by step, the
            lowest and highest currency of its amounts: one row per group.
        periods: Every period of the answer, whichever group has rows in it;
            without columns where the question has no periods.
    """

    frame: pl.DataFrame
    periods: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Part:
    """Leaves of one step in one period: the keys, and a column per leaf."""

    frame: pl.DataFrame
    zeros: tuple[str, ...] = ()


def align(plan: Plan, answers: Sequence[pl.DataFrame]) -> Aligned:
    """Bring the answers to the same groups; one that a source lacks is empty there.

    Args:
        plan: The plan that was carried out.
        answers: The answer to each of its steps, then to each of its parts.
    """
    groups = [group_column(dimension.name) for dimension in plan.question.by]
    has_periods = plan.question.calendar.has_periods
    keys = [*([PERIOD] if has_periods else []), *groups]
    everything = _same_types(answers, groups)
    answers = everything[: len(plan.steps)]
    known = [answer.select(PERIOD) for answer in answers if PERIOD in answer.columns]
    periods = _range(plan.question, known) if has_periods else pl.DataFrame()
    parts = [*_parts(plan, everything, groups, known), *_currencies(answers, keys)]
    if not keys:
        frames = [part.frame for part in parts]
        frame = pl.concat(frames, how="horizontal") if frames else pl.DataFrame()
    else:
        frames = [*answers, *(part.frame for part in parts)]
        rows = _spine([frame.lazy().select(keys) for frame in frames], periods, groups)
        for part in parts:
            rows = rows.join(part.frame.lazy(), on=keys, how="left", nulls_equal=True)
        frame = rows.sort(keys, nulls_last=True).collect(engine="in-memory")
    zeros = [pl.col(name).fill_null(0) for part in parts for name in part.zeros]
    return Aligned(_with_age(plan, frame.with_columns(zeros)), periods)


def _with_age(plan: Plan, frame: pl.DataFrame) -> pl.DataFrame:
    """Add how many periods a row lies after that of its cohort; null before it, or without one."""
    cohorts = [g.name for step in plan.steps for g in step.groups if g.is_period]
    if not cohorts:
        return frame
    if frame.is_empty():
        return frame.with_columns(pl.lit(None, dtype=pl.Int64).alias(AGE))
    cohort = group_column(cohorts[0])
    labels = pl.concat([frame[PERIOD], frame[cohort].rename(PERIOD)])
    starts = plan.question.calendar.starts(labels.min(), labels.max())
    numbers = pl.int_range(starts.len(), eager=True)
    age, own = (
        pl.col(key).replace_strict(starts, numbers, default=None) for key in (PERIOD, cohort)
    )
    return frame.with_columns(pl.when(age >= own).then(age - own).alias(AGE))


def _parts(
    plan: Plan,
    answers: Sequence[pl.DataFrame],
    groups: list[str],
    known: Sequence[pl.DataFrame],
) -> Iterator[_Part]:
    calendar = plan.question.calendar
    keys = [*([PERIOD] if calendar.has_periods else []), *groups]
    wanted = sorted({leaf for m in plan.metrics for leaf in m.leaves}, key=leaf_column)
    for step, answer in zip(plan.steps, answers, strict=False):
        is_grown = step.to_date and calendar.has_periods
        grown = _grow(plan.question, step, answer, groups, known) if is_grown else answer
        folds = {fold.name: fold for fold in step.folds}
        own = [leaf for leaf in wanted if leaf.name in folds]
        for shift, is_alike in sorted({(leaf.shift, leaf.like_for_like) for leaf in own}):
            leaves = [leaf for leaf in own if (leaf.shift, leaf.like_for_like) == (shift, is_alike)]
            frame = grown.select(*keys, *(pl.col(n.name).alias(leaf_column(n)) for n in leaves))
            if shift:
                frame = frame.with_columns(calendar.moved(pl.col(PERIOD), shift))
            if is_alike:
                frame = _like_for_like(plan, answers[len(plan.steps) :], leaves, frame)
            zeros = tuple(leaf_column(leaf) for leaf in leaves if _is_counted(folds[leaf.name]))
            yield _Part(frame, zeros)


def _currencies(answers: Sequence[pl.DataFrame], keys: Sequence[str]) -> Iterator[_Part]:
    for number, answer in enumerate(answers):
        if keys and LOWEST_CURRENCY in answer.columns:
            ends = [pl.col(end).alias(f"{end} {number}") for end in CURRENCY_ENDS]
            yield _Part(answer.select(*keys, *ends))


def _like_for_like(
    plan: Plan, parts: Sequence[pl.DataFrame], leaves: Sequence[Leaf], frame: pl.DataFrame
) -> pl.DataFrame:
    """Set the open period against the same part of the earlier one."""
    calendar, (leaf, *_) = plan.question.calendar, leaves
    for part, answer in zip(plan.parts, parts, strict=True):
        if part.shift == leaf.shift and leaf.name in answer.columns:
            own = answer.rename({each.name: leaf_column(each) for each in leaves})
            own = own.select(frame.columns)
            moved = own.with_columns(calendar.moved(pl.col(PERIOD), leaf.shift))
            whole = frame.filter(pl.col(PERIOD) != calendar.label(part.now).item())
            return pl.concat([whole, moved])
    return frame


def _same_types(answers: Sequence[pl.DataFrame], groups: list[str]) -> list[pl.DataFrame]:
    """Check that a key has one type in every source, so that equal keys meet."""
    for group in groups:
        types = {answer.schema[group] for answer in answers if answer.height}
        if len(types) > 1:
            name = group.removeprefix(group_column(""))
            problem = f"is {' and '.join(sorted(map(str, types)))} in different tables"
            raise ContractError([Fault("by", name, problem, "cast the columns to one type")])
    filled = [answer for answer in answers if answer.height] or answers[:1]
    common = {group: answer.schema[group] for answer in filled for group in groups}
    return [
        answer.cast(
            {g: common[g] for g in groups if common.get(g, answer.schema[g]) != answer.schema[g]}
        )
        for answer in answers
    ]


def _spine(keys: Sequence[pl.LazyFrame], periods: pl.DataFrame, groups: list[str]) -> pl.LazyFrame:
    """Give the rows of the result: every group that some source knows.

    Without keys every period between the first and the last has a row.
    """
    if not periods.columns:
        return pl.concat(keys).unique()
    if not groups:
        return periods.lazy()
    return pl.concat(keys).unique().join(periods.lazy(), on=PERIOD, how="semi")


def roll_up(plan: Plan, aligned: Aligned, keys: Sequence[str]) -> Aligned:
    """Add aligned folds up to fewer keys; the caller has checked that they add up.

    Args:
        plan: The plan of the coarser question.
        aligned: Aligned folds.
        keys: The key columns that stay.
    """
    frame, periods = aligned.frame, aligned.periods if PERIOD in keys else pl.DataFrame()
    counted = set(_counted(plan))
    leaves = [name for name in frame.columns if not name.startswith("#")]
    totals = {
        name: pl.col(name).sum()
        if name.split("@")[0] in counted
        else pl.when(pl.col(name).count() > 0).then(pl.col(name).sum())
        for name in leaves
    }
    for name in frame.columns:
        if name.startswith(CURRENCY_ENDS):
            is_low = name.startswith(LOWEST_CURRENCY)
            totals[name] = pl.col(name).min() if is_low else pl.col(name).max()
    if not keys:
        return Aligned(frame.select(**totals), periods)
    rolled = frame.group_by(keys).agg(**totals).sort(keys, nulls_last=True)
    if list(keys) != [PERIOD]:
        return Aligned(rolled, periods)
    zeros = [pl.col(name).fill_null(0) for name in leaves if name.split("@")[0] in counted]
    spread = periods.join(rolled, on=PERIOD, how="left").with_columns(zeros).sort(PERIOD)
    return Aligned(spread, periods)


def _counted(plan: Plan) -> Iterator[str]:
    """Give the names of the folds that are 0 where there is nothing."""
    return (fold.name for step in plan.steps for fold in step.folds if _is_counted(fold))


def _is_counted(fold: Fold) -> bool:
    return isinstance(fold.aggregate, Sum | Count | CountDistinct | CountRetained)


def _range(question: Question, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Give every period from the first to the last that has rows, within the range.

    Rows from before the range, read to look back on, make it begin at its start.
    """
    calendar = question.calendar
    labels = pl.concat([frame.get_column(PERIOD) for frame in frames]).unique()
    if labels.null_count():
        raise DataError(
            f"rows lie outside {FIRST_YEAR} to {LAST_YEAR}, where fiscal years are not known",
            "correct their times, or leave them out with start= and end=",
        )
    low = labels.min()
    if question.span.start is not None:
        first = _label(question)
        inside = labels.filter(labels >= first)
        low = first.item() if inside.len() < labels.len() else inside.min()
        labels = inside
    if labels.len() == 0:
        return labels.to_frame()
    high = labels.max()
    return calendar.starts(low, high).alias(PERIOD).to_frame()


def _label(question: Question) -> pl.Series:
    """Give the label of the first period of the range, as a series of one."""
    calendar, start = question.calendar, question.span.start
    if start is None:
        raise AssertionError(question)
    return calendar.label(calendar.floor(start))


def _grow(
    question: Question,
    step: Step,
    answer: pl.DataFrame,
    groups: list[str],
    known: Sequence[pl.DataFrame],
) -> pl.DataFrame:
    """Turn what each period adds into totals to date.

    They stand in every period from a group's first one to the last that any
    source knows.
    """
    if answer.height == 0:
        return answer
    folds = [fold.name for fold in step.folds if not fold.name.startswith("#")]
    periods = _range(replace(question, span=Span()), known)
    grid = periods if not groups else periods.join(answer.select(groups).unique(), how="cross")
    keys = [PERIOD, *groups]
    filled = grid.join(answer, on=keys, how="left", nulls_equal=True).sort(PERIOD)
    running = [pl.col(name).fill_null(0).cum_sum() for name in folds]
    began = pl.any_horizontal(pl.col(name).is_not_null() for name in folds).cum_sum() > 0
    if groups:
        running = [total.over(groups) for total in running]
        began = began.over(groups)
    return filled.with_columns(*running, began.alias("#began")).filter("#began").drop("#began")


@dataclass(frozen=True, slots=True)
class Context:
    """What arithmetic needs to know besides the leaves.

    Attributes:
        question: The question.
        groups: The key columns besides the period.
        counted: The folds that are 0 where there is nothing.
    """

    question: Question
    groups: tuple[str, ...]
    counted: frozenset[str]

    def over_groups(self, folded: pl.Expr) -> pl.Expr:
        """Give what is folded of all groups of the same period."""
        return folded.over(PERIOD) if self.question.calendar.has_periods else folded


def compute(lowered: Lowered, asked: Context) -> pl.Expr:
    """Give the arithmetic of a lowered formula as an expression on aligned leaves."""
    match lowered:
        case Leaf():
            return pl.col(leaf_column(lowered))
        case Constant(value):
            return pl.lit(value)
        case Length(shift):
            return _period_days(asked.question, shift)
        case Unless(value, count, above, _):
            return pl.when(pl.col(leaf_column(count)) <= above).then(compute(value, asked))
        case Turned(Tile() as by, value):
            return _turned(by, pl.when(_has_any(value, asked)).then(compute(value, asked)), asked)
        case Turned(by, value):
            return _turned(by, compute(value, asked), asked)
        case Operated(operator, left, right):
            one, two = compute(left, asked), compute(right, asked)
            match operator:
                case Operator.ADD:
                    return one + two
                case Operator.SUBTRACT:
                    return one - two
                case Operator.MULTIPLY:
                    return one * two
                case Operator.DIVIDE:
                    return pl.when(two != 0).then(one / two)
                case _:
                    assert_never(operator)
        case _:
            assert_never(lowered)


def reason_of(lowered: Lowered, asked: Context) -> pl.Expr:
    """Give the reason why a value is null, as a word; null where it is not."""
    match lowered:
        case Leaf():
            return pl.when(pl.col(leaf_column(lowered)).is_null()).then(pl.lit("no_rows"))
        case Constant() | Length():
            return pl.lit(None, dtype=pl.String)
        case Unless(value, count, above, reason):
            is_over = pl.col(leaf_column(count)) > above
            return pl.when(is_over).then(pl.lit(reason)).otherwise(reason_of(value, asked))
        case Turned(Tile(), value):
            is_there = pl.when(_has_any(value, asked))
            return is_there.then(reason_of(value, asked)).otherwise(pl.lit("no_rows"))
        case Turned(by, value):
            why = _why_not_turned(by, compute(value, asked), asked)
            return pl.coalesce(why, reason_of(value, asked))
        case Operated(operator, left, right):
            inner = pl.coalesce(reason_of(left, asked), reason_of(right, asked))
            if operator is not Operator.DIVIDE:
                return inner
            is_empty = compute(right, asked) == 0
            return pl.when(is_empty).then(pl.lit("empty_denominator")).otherwise(inner)
        case _:
            assert_never(lowered)


def _has_any(lowered: Lowered, asked: Context) -> pl.Expr:
    """Say whether a fold of a formula has found anything: what counts 0 may not be there at all."""
    found = [
        pl.col(leaf_column(leaf)) != 0
        if leaf.name in asked.counted
        else pl.col(leaf_column(leaf)).is_not_null()
        for leaf in leaves_of(lowered)
    ]
    return pl.any_horizontal(found) if found else pl.lit(value=True)


def _turned(by: TurnedBy, value: pl.Expr, asked: Context) -> pl.Expr:
    """Give what a formula makes of the value of another."""
    match by:
        case Positive():
            return pl.when(value > 0).then(value)
        case Abs():
            return value.abs()
        case Sqrt():
            return pl.when(value >= 0).then(value.sqrt())
        case Share():
            whole = asked.over_groups(value.sum())
            return pl.when(whole != 0).then(value / whole)
        case Tile(_, parts, dense=is_dense):
            value = value.cast(pl.Float64).round_sig_figs(12)  # sums of the same amounts are equal
            below = asked.over_groups(value.rank("dense" if is_dense else "min")) - 1
            ranked = value.drop_nulls().n_unique() if is_dense else value.count()
            return 1 + (parts * below.cast(pl.Int64)) // asked.over_groups(ranked)
        case Until():
            first = pl.when(value >= 0).then(pl.col(AGE)).min().over(asked.groups)
            return pl.when(pl.col(AGE) >= first).then(first)
        case _:
            assert_never(by)


def _why_not_turned(by: TurnedBy, value: pl.Expr, asked: Context) -> pl.Expr:
    """Give the reason why nothing could be made of a value; null where something was."""
    match by:
        case Positive():
            return pl.when(value <= 0).then(pl.lit("not_positive"))
        case Sqrt():
            return pl.when(value < 0).then(pl.lit("negative"))
        case Share():
            is_nothing = asked.over_groups(value.sum()) == 0
            return pl.when(is_nothing).then(pl.lit("empty_denominator"))
        case Until():
            is_early = _turned(by, value, asked).is_null() & value.is_not_null()
            return pl.when(is_early).then(pl.lit("not_reached"))
        case Abs() | Tile():
            return pl.lit(None, dtype=pl.String)
        case _:
            assert_never(by)


def context_of(plan: Plan) -> Context:
    """Give what the arithmetic of a plan needs to know besides the leaves."""
    groups = tuple(group_column(dimension.name) for dimension in plan.question.by)
    return Context(plan.question, groups, frozenset(_counted(plan)))


def _period_days(question: Question, shift: int) -> pl.Expr:
    """Give the length of a period in days: the present one, cut to the range, or an earlier one."""
    calendar, span = question.calendar, question.span
    if not calendar.has_periods:
        if span.start is None or span.end is None:
            return pl.lit(None, dtype=pl.Float64)
        return pl.lit((span.end - span.start).total_seconds() / 86_400)
    start, end = (calendar.moved(pl.col(PERIOD), number - shift) for number in (0, 1))
    sort = calendar.label_type if calendar.has_hours else pl.Datetime("us")
    begun, ended = start.cast(sort), end.cast(sort)
    if not shift and span.start is not None:
        begun = pl.max_horizontal(begun, _moment(calendar, span.start, sort))
    if not shift and span.end is not None:
        ended = pl.min_horizontal(ended, _moment(calendar, span.end, sort))
    return (ended - begun).dt.total_microseconds() / 86_400e6


def _moment(calendar: Calendar, local: dt.datetime, sort: pl.DataType) -> pl.Expr:
    """Give an end of the range as labels are: an instant where they have hours."""
    return pl.lit(calendar.instant(local) if calendar.has_hours else local).cast(sort)

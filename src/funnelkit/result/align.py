"""From the answers of the steps to one row per group, and arithmetic on the row.

This happens once, on small frames, whatever engine gave the answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Literal

import polars as pl

from funnelkit.calendar.fiscal import FIRST_YEAR, LAST_YEAR
from funnelkit.calendar.grain import INSTANT
from funnelkit.errors import ContractError, DataError, DataIssue
from funnelkit.planning.expression import FoldRef
from funnelkit.planning.plan import PERIOD, UNITS, Plan, Question, group_column
from funnelkit.result.arithmetic import counted_folds, is_counted, leaf_column
from funnelkit.result.transforms import AGE

__all__ = ["Aligned", "align", "as_leaves", "in_total", "range_ends", "roll_up"]

SMALL = 100_000
"""Below this many groups the in-memory engine is faster than the streaming one."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """The answers of all steps, brought to the same groups.

    Attributes:
        frame: The period (if any), the keys and a column per leaf: one row per group.
        periods: Every period of the answer, whichever group has rows in it;
            without columns where the question has no periods.
        folds: The column of each leaf.
    """

    frame: pl.DataFrame
    periods: pl.DataFrame
    folds: Mapping[FoldRef, str]


@dataclass(frozen=True, slots=True)
class _Part:
    """Leaves of one step in one period: the keys, and a column per leaf.

    Attributes:
        frame: The rows.
        leaves: The leaves.
        zeros: The columns that are 0 where there are no rows.
    """

    frame: pl.LazyFrame
    leaves: tuple[FoldRef, ...]
    zeros: tuple[str, ...]


def align(plan: Plan, answers: Sequence[pl.DataFrame], *, is_sorted: bool = True) -> Aligned:
    """Bring the answers to the same groups; one that a source lacks is empty there.

    Args:
        plan: The plan that was carried out.
        answers: The answer to each of its steps, then to each of its parts.
        is_sorted: Whether the rows are sorted by period and keys, however many there are.
    """
    names = {group_column(dimension.name): dimension.name for dimension in plan.question.by}
    groups, has_periods = list(names), plan.question.calendar.has_periods
    keys = _keys(plan.question)
    everything = _same_types(answers, names)
    answers = everything[: len(plan.steps)]
    known = _labels(answers) if has_periods else pl.Series()
    periods = _range(plan.question, known) if has_periods else pl.DataFrame()
    parts = [*_parts(plan, everything, groups, known)]
    is_small = sum(answer.height for answer in answers) < SMALL
    if not keys:
        rows = (
            pl.concat([part.frame for part in parts], how="horizontal") if parts else pl.LazyFrame()
        )
    else:
        rows = _met([part.frame for part in parts], periods, keys)
        rows = rows.sort(keys, nulls_last=True) if is_sorted or is_small else rows
    zeros = [pl.col(name).fill_null(0) for part in parts for name in part.zeros]
    rows = rows.with_columns(zeros)
    aligned = rows.collect(
        engine="in-memory" if is_small else "streaming", optimizations=pl.QueryOptFlags.none()
    )
    folds = {leaf: leaf_column(leaf) for part in parts for leaf in part.leaves}
    return Aligned(_with_age(plan, aligned), periods, folds)


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
    known: pl.Series,
) -> Iterator[_Part]:
    """Yield the leaves of each step by period, and every group that a step has rows of."""
    calendar = plan.question.calendar
    keys = _keys(plan.question)
    wanted = sorted({leaf for m in plan.metrics for leaf in m.leaves}, key=leaf_column)
    for step, answer in zip(plan.steps, answers, strict=False):
        folds = {fold.name: fold for fold in step.folds}
        own = [leaf for leaf in wanted if leaf.name in folds]
        names = list(dict.fromkeys(leaf.name for leaf in own))
        grown = _grow(plan.question, names, answer, groups, known) if step.is_grown else answer
        for shift, is_alike in sorted({(leaf.shift, leaf.like_for_like) for leaf in own}):
            leaves = [leaf for leaf in own if (leaf.shift, leaf.like_for_like) == (shift, is_alike)]
            named = (pl.col(leaf.name).alias(leaf_column(leaf)) for leaf in leaves)
            frame = grown.lazy().select(*keys, *named)
            if shift:
                frame = frame.with_columns(calendar.moved(pl.col(PERIOD), shift))
            if is_alike:
                frame = _like_for_like(plan, answers[len(plan.steps) :], leaves, frame, keys)
            zeros = tuple(leaf_column(leaf) for leaf in leaves if is_counted(folds[leaf.name]))
            yield _Part(frame, tuple(leaves), zeros)
        if keys and (step.is_grown or all(leaf.shift for leaf in own)):
            yield _Part(answer.lazy().select(keys), (), ())  # its groups have rows all the same


def _like_for_like(
    plan: Plan,
    parts: Sequence[pl.DataFrame],
    leaves: Sequence[FoldRef],
    frame: pl.LazyFrame,
    keys: Sequence[str],
) -> pl.LazyFrame:
    """Set the open period against the same part of the earlier one."""
    calendar, (leaf, *_) = plan.question.calendar, leaves
    for part, answer in zip(plan.parts, parts, strict=True):
        if part.shift == leaf.shift and leaf.name in answer.columns:
            own = answer.lazy().rename({each.name: leaf_column(each) for each in leaves})
            own = own.select(*keys, *map(leaf_column, leaves))
            moved = own.with_columns(calendar.moved(pl.col(PERIOD), leaf.shift))
            whole = frame.filter(pl.col(PERIOD) != calendar.label(part.now).item())
            return pl.concat([whole, moved])
    return frame


def _same_types(answers: Sequence[pl.DataFrame], groups: Mapping[str, str]) -> list[pl.DataFrame]:
    """Check that a key has one type in every source, so that equal keys meet."""
    for group, name in groups.items():
        types = {answer.schema[group] for answer in answers if answer.height}
        if len(types) > 1:
            problem = f"is {' and '.join(sorted(map(str, types)))} in different tables"
            raise ContractError([DataIssue("by", name, problem, "cast the columns to one type")])
    filled = [answer for answer in answers if answer.height] or answers[:1]
    common = {group: answer.schema[group] for answer in filled for group in groups}
    return [_with_types(answer, common) for answer in answers]


def _with_types(answer: pl.DataFrame, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    if all(answer.schema[name] == kind for name, kind in types.items()):
        return answer
    return answer.with_columns(pl.col(name).cast(kind) for name, kind in types.items())


def _met(frames: Sequence[pl.LazyFrame], periods: pl.DataFrame, keys: list[str]) -> pl.LazyFrame:
    """Return the rows of the result: every group that occurs in some frame.

    Without groups every period between the first and the last has a row.
    """
    if keys == [PERIOD]:
        return reduce(partial(_joined, keys=keys, how="left"), frames, periods.lazy())
    rows = reduce(partial(_joined, keys=keys, how="full"), frames)
    if not periods.columns:
        return rows
    shown = periods.get_column(PERIOD)
    return rows.filter(pl.col(PERIOD).is_between(pl.lit(shown.min()), pl.lit(shown.max())))


def _joined(
    left: pl.LazyFrame, right: pl.LazyFrame, *, keys: list[str], how: Literal["left", "full"]
) -> pl.LazyFrame:
    return left.join(right, on=keys, how=how, nulls_equal=True, coalesce=True)


def roll_up(plan: Plan, aligned: Aligned, keys: Sequence[str]) -> Aligned:
    """Add aligned folds up to fewer keys; the caller has checked that they add up.

    Args:
        plan: The plan of the coarser question.
        aligned: Aligned folds.
        keys: The key columns that stay.
    """
    frame, periods = aligned.frame, aligned.periods if PERIOD in keys else pl.DataFrame()
    counted = set(counted_folds(plan))
    zeros = [name for leaf, name in aligned.folds.items() if leaf.name in counted]
    totals: dict[str, pl.Expr] = {
        name: pl.when(pl.col(name).count() > 0).then(pl.col(name).sum())
        for name in aligned.folds.values()
    }
    totals |= {name: pl.col(name).sum() for name in zeros}
    if not keys:
        return replace(aligned, frame=frame.select(**totals), periods=periods)
    rolled = frame.group_by(keys).agg(**totals).sort(keys, nulls_last=True)
    if list(keys) == [PERIOD]:
        filled = [pl.col(name).fill_null(0) for name in zeros]
        rolled = periods.join(rolled, on=PERIOD, how="left").with_columns(filled).sort(PERIOD)
    return replace(aligned, frame=rolled, periods=periods)


def in_total(plan: Plan, units: pl.DataFrame) -> pl.DataFrame:
    """Return the answer to a plan of counts, from the counts of its one step for each unit."""
    (step,), keys = plan.steps, _keys(plan.question)
    counts = [(pl.col(fold.name) * pl.col(UNITS)).sum() for fold in step.folds]
    return units.group_by(keys).agg(counts) if keys else units.select(counts)


def as_leaves(plan: Plan, units: pl.DataFrame) -> pl.DataFrame:
    """Return the counts for each unit in the columns that arithmetic reads."""
    (step,) = plan.steps
    return units.rename({fold.name: leaf_column(FoldRef(fold.name)) for fold in step.folds})


def _keys(question: Question) -> list[str]:
    """Return the columns of the keys of an answer, the period first."""
    periods = [PERIOD] if question.calendar.has_periods else []
    return [*periods, *(group_column(dimension.name) for dimension in question.by)]


def _range(question: Question, labels: pl.Series) -> pl.DataFrame:
    """Return every period from the first to the last one with rows, within the range.

    Rows from before the range, read to look back on, make it begin at its start. A range
    of which start and end are given is shown whole, as far as the data is known.
    """
    if question.span.start is not None:
        first = _label(question)
        inside = labels.filter(labels >= first)
        is_earlier = inside.len() < labels.len()
        labels = pl.concat([inside, *range_ends(question)])
        labels = pl.concat([labels, first]) if labels.len() and is_earlier else labels
    return _every(question, labels)


def _labels(answers: Sequence[pl.DataFrame]) -> pl.Series:
    """Return the periods that answers have rows in."""
    labels = pl.concat([each.get_column(PERIOD) for each in answers if PERIOD in each.columns])
    if labels.null_count():
        raise DataError(
            f"rows lie outside {FIRST_YEAR} to {LAST_YEAR}, where fiscal years are not known",
            "correct their times, or leave them out with start= and end=",
        )
    return labels


def _every(question: Question, labels: pl.Series) -> pl.DataFrame:
    """Return every period from the first to the last of some."""
    if labels.len() == 0:
        return labels.to_frame()
    return question.calendar.starts(labels.min(), labels.max()).alias(PERIOD).to_frame()


def range_ends(question: Question) -> list[pl.Series]:
    """Return the first and the last period of a range that is given whole, as far as it is known.

    The labels of the two, each a series of one; none where nothing is known of the range.
    """
    calendar, span, as_of = question.calendar, question.span, question.as_of
    if span.start is None or span.end is None or as_of is None:
        return []
    last = min(span.end, calendar.shown(as_of)) - INSTANT
    if last < span.start:
        return []
    return [calendar.label(calendar.floor(moment)) for moment in (span.start, last)]


def _label(question: Question) -> pl.Series:
    """Return the label of the first period of the range, as a series of one."""
    calendar, start = question.calendar, question.span.start
    if start is None:
        raise AssertionError(question)
    return calendar.label(calendar.floor(start))


def _grow(
    question: Question,
    folds: Sequence[str],
    answer: pl.DataFrame,
    groups: list[str],
    known: pl.Series,
) -> pl.DataFrame:
    """Return totals to date of what each period adds.

    They stand in every period from a group's first one to the last that any
    source knows, or that is shown.
    """
    if answer.height == 0:
        return answer
    periods = _every(question, pl.concat([known, *range_ends(question)]))
    grid = periods if not groups else periods.join(answer.select(groups).unique(), how="cross")
    keys = [PERIOD, *groups]
    filled = grid.join(answer, on=keys, how="left", nulls_equal=True).sort(PERIOD)
    running = [pl.col(name).fill_null(0).cum_sum() for name in folds]
    began = pl.any_horizontal(pl.col(name).is_not_null() for name in folds).cum_sum() > 0
    if groups:
        running = [total.over(groups) for total in running]
        began = began.over(groups)
    return filled.with_columns(*running, began.alias("#began")).filter("#began").drop("#began")

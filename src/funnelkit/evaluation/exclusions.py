"""What a number excludes: rows that do not count, and rows without the requested value.

All of it follows from the formula: the conditions of what a ratio divides by,
or of every fold where it is no ratio, and the columns that are folded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import polars as pl

from funnelkit.data.shop_data import ShopData
from funnelkit.engines.runner import Runner
from funnelkit.evaluation.execute import answer
from funnelkit.formula.derived import FromChildren
from funnelkit.formula.formulas import (
    Aggregate,
    Count,
    Sum,
    measured,
    source_of,
)
from funnelkit.formula.properties import aggregates
from funnelkit.formula.values import (
    Category,
    Column,
    Flag,
    IsNull,
    Key,
    Lookup,
    Not,
    Operation,
    Predicate,
    PredicateNode,
    Time,
)
from funnelkit.formula.walk import conjuncts, leaves
from funnelkit.metrics.metric import Metric
from funnelkit.planning.dimensions import Leaf, conjunction, with_leaves
from funnelkit.planning.plan import Plan, PlannedMetric
from funnelkit.planning.planner import make_plan

__all__ = ["Exclusion", "count_exclusions", "exclusions_of"]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A reason for which rows of a table may be left out.

    Attributes:
        table: The table.
        reason: What does not hold, or which column has no value.
        of: Which rows are looked at; None for all.
        kept: Which of them stay.
    """

    table: str
    reason: str
    of: Predicate | None
    kept: Predicate


def exclusions_of(metric: Metric) -> tuple[Exclusion, ...]:
    """Return the distinct reasons for which a metric excludes rows."""
    ratio = metric.ratio
    counted = metric.formula if ratio is None else ratio[1]
    found = [gap for fold in aggregates(counted) for gap in _outside(fold)]
    found += [gap for fold in aggregates(metric.formula) for gap in _without_value(fold)]
    return tuple(dict.fromkeys(found))


def _of_unknown_kind(data: ShopData, metric: Metric) -> Iterator[Exclusion]:
    """Return the columns that do not say whether a row enters a numerator it is divided by."""
    ratio = metric.ratio
    counted = () if ratio is None else aggregates(ratio[1])
    for fold in aggregates(metric.formula) if counted else ():
        before: Predicate | None = None
        for part in () if fold in counted else _conditions(fold):
            kinds = _kinds(data, part)
            after = part | ~part if before is None else before & (part | ~part)
            if kinds:
                reason = f"no {' or '.join(map(str, kinds))}"
                yield Exclusion(source_of(fold), reason, before, after)
            before = part if before is None else before & part


def _kinds(data: ShopData, part: Predicate) -> tuple[Column, ...]:
    """Return the supplied columns that say of which kind a row is; none where others say it too."""
    rule = data.rule(part) if isinstance(part, Flag) and not data.is_supplied(part) else part
    if not isinstance(rule, PredicateNode):
        return ()
    found = [leaf for leaf in leaves(rule) if not isinstance(leaf, Time | Key)]
    kinds = tuple(leaf for leaf in found if isinstance(leaf, Category | Flag))
    is_told = len(kinds) == len(found) and all(map(data.is_supplied, kinds))
    return tuple(dict.fromkeys(kinds)) if is_told else ()


def _outside(fold: Aggregate) -> Iterator[Exclusion]:
    """Return the conditions of a fold, each applied to the rows that satisfy the previous ones."""
    before: Predicate | None = None
    for part in _conditions(fold):
        match part:
            case Not(IsNull(Column() | Lookup() as column)):
                reason = f"no {column}"
            case _:
                reason = f"not {part}"
        after = part if before is None else before & part
        yield Exclusion(source_of(fold), reason, before, after)
        before = after


def _without_value(fold: Aggregate) -> Iterator[Exclusion]:
    """Return the columns that are folded, restricted to the rows that are included."""
    value = measured(fold) if fold.of is None else fold.of.key
    before = conjunction(_conditions(fold))
    for column in () if value is None else leaves(value):
        known = column.is_not_null()
        after = known if before is None else before & known
        yield Exclusion(source_of(fold), f"no {column}", before, after)


def _without_part(data: ShopData, metric: Metric) -> Iterator[Exclusion]:
    """Yield the supplied columns of which columns that are folded are made, where a null is 0."""
    for fold in aggregates(metric.formula):
        value = measured(fold) if fold.of is None else None
        before = conjunction(_conditions(fold))
        for column in () if value is None else leaves(value):
            yield from _parts(data, column, before)


def _parts(
    data: ShopData, column: Column | Lookup, before: Predicate | None
) -> Iterator[Exclusion]:
    """Yield the supplied columns of which a derived column is a sum or a product."""
    if isinstance(column, Lookup) or data.is_supplied(column):
        return
    match data.rule(column):
        case FromChildren(key, Sum(value, where=where)):
            entered = None if before is None else with_leaves(data, before, _through(key))
            rows, parts = conjunction((where, entered)), leaves(value)
        case Operation() as value:
            rows, parts = before, leaves(value)
        case _:
            return
    for part in parts:
        if isinstance(part, Column) and data.is_supplied(part):
            known = part.is_not_null()
            kept = known if rows is None else rows & known
            yield Exclusion(part.table, f"no {part}", rows, kept)
        yield from _parts(data, part, rows)


def _through(key: Column) -> Leaf:
    """Return what reads the columns of a row from the rows that point to it."""
    return lambda node: Lookup(key, cast("Column | Lookup", node))


def _conditions(fold: Aggregate) -> tuple[Predicate, ...]:
    return conjuncts(fold.where if fold.of is None else fold.of.where)


def count_exclusions(runner: Runner, made: Plan) -> pl.DataFrame:
    """Count the rows that metrics leave out, by reason, in the whole range."""
    data = runner.data
    found = [(low.metric.name, gap) for low in made.metrics for gap in exclusions_of(low.metric)]
    for low in made.metrics:
        gaps = (
            *_of_unknown_kind(data, low.metric),
            *_without_part(data, low.metric),
            *_without_key(made, low),
        )
        found += [(low.metric.name, gap) for gap in gaps]
    found = [pair for pair in found if pair[1].table in data.tables]
    found = [pair for pair in found if not data.known[pair[1].table].prorate]
    counts: dict[Count, Metric] = {}

    def count_of(gap: Exclusion, where: Predicate | None) -> str:
        rows = Count(data.known[gap.table], where=where)
        return counts.setdefault(rows, Metric(name=f"c{len(counts)}", formula=rows)).name

    pairs = [(count_of(gap, gap.of), count_of(gap, gap.kept)) for _, gap in found]
    question = replace(made.question, by=(), calendar=made.question.calendar.whole)
    values: dict[str, int] = {}
    if counts:
        asked = make_plan(data, list(counts.values()), question)
        values = answer(runner, asked).frame.row(0, named=True)
    rows = [
        (name, gap.table, gap.reason, values[of] - values[kept], values[of])
        for (name, gap), (of, kept) in zip(found, pairs, strict=True)
    ]
    counted = pl.DataFrame(rows, schema=_COLUMNS, orient="row").filter(pl.col("rows") > 0)
    share = (pl.col("rows") / pl.col("of")).alias("share")
    return pl.concat([counted, _assumed(made)]).unique(maintain_order=True).with_columns(share)


def _assumed(made: Plan) -> pl.DataFrame:
    """Return what metrics take for granted, of which no rows can be counted."""
    rows = [
        (metric, one.table, f"assumed: {one}", None, None)
        for metric, assumed in made.assumed.items()
        for one in assumed
    ]
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row")


_COLUMNS = {
    "metric": pl.String(),
    "table": pl.String(),
    "reason": pl.String(),
    "rows": pl.Int64(),
    "of": pl.Int64(),
}


def _without_key(made: Plan, low: PlannedMetric) -> Iterator[Exclusion]:
    """Return the keys that a metric is grouped by: rows without a key form a separate group."""
    for step in made.steps:
        for group in step.groups if low.rests_on(step) else ():
            yield Exclusion(step.table, f"no {group.name}", None, group.value.is_not_null())

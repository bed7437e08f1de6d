"""What a number leaves out: rows that do not count, and rows without the value that is asked.

All of it follows from the formula: the conditions of what a ratio divides by,
or of every fold where it is no ratio, and the columns that are folded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from funnelkit.formula.formulas import Aggregate, measured, source_of
from funnelkit.formula.properties import aggregates, conjuncts, leaves
from funnelkit.formula.values import Column, IsNull, Lookup, Not, Predicate
from funnelkit.metric import Metric
from funnelkit.resolve import joined

__all__ = ["Gap", "gaps"]


@dataclass(frozen=True, slots=True)
class Gap:
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


def gaps(metric: Metric) -> tuple[Gap, ...]:
    """Give the reasons for which a metric leaves rows out, each once."""
    ratio = metric.ratio
    counted = metric.formula if ratio is None else ratio[1]
    found = [gap for fold in aggregates(counted) for gap in _outside(fold)]
    found += [gap for fold in aggregates(metric.formula) for gap in _without_value(fold)]
    return tuple(dict.fromkeys(found))


def _outside(fold: Aggregate) -> Iterator[Gap]:
    """Give the conditions of a fold, each on the rows that satisfy those before it."""
    before: Predicate | None = None
    for part in _conditions(fold):
        match part:
            case Not(IsNull(Column() | Lookup() as column)):
                reason = f"no {column}"
            case _:
                reason = f"not {part}"
        after = part if before is None else before & part
        yield Gap(source_of(fold), reason, before, after)
        before = after


def _without_value(fold: Aggregate) -> Iterator[Gap]:
    """Give the columns that are folded, of the rows that enter."""
    value = measured(fold) if fold.of is None else fold.of.key
    before = joined(_conditions(fold))
    for column in () if value is None else leaves(value):
        known = column.is_not_null()
        after = known if before is None else before & known
        yield Gap(source_of(fold), f"no {column}", before, after)


def _conditions(fold: Aggregate) -> tuple[Predicate, ...]:
    return conjuncts(fold.where if fold.of is None else fold.of.where)

"""What is asked of an engine, and what is made of its answers: steps and plans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import reduce
from html import escape

from funnelkit.calendar.calendar import Calendar
from funnelkit.calendar.grain import Span
from funnelkit.data.shop_data import Assumption
from funnelkit.formula.formulas import Aggregate, Count, CountDistinct, PolarsExpr
from funnelkit.formula.properties import columns_of
from funnelkit.formula.values import Column, Dimension, Lookup, Or, Predicate
from funnelkit.formula.walk import conjuncts, leaves
from funnelkit.metrics.metric import Metric
from funnelkit.planning.dimensions import conjunction
from funnelkit.planning.expression import Expression, FoldRef, leaves_of, show

__all__ = [
    "IS_NAMED",
    "PERIOD",
    "UNITS",
    "Fold",
    "Group",
    "Guard",
    "PartialPeriodStep",
    "Plan",
    "PlannedMetric",
    "Question",
    "Shows",
    "Step",
    "columns_read_by",
    "group_column",
    "split_where",
]


PERIOD = "#period"
"""The column of an answer that holds the period."""

IS_NAMED, UNITS = "#is named", "#units"
"""The columns of whether a row is of units that are named, and of how many it is."""


def group_column(name: str) -> str:
    """Return the column of an answer that holds a key."""
    return f"#by {name}"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked besides the metrics.

    Attributes:
        by: The dimensions to group by.
        where: What rows must satisfy, over dimensions.
        calendar: How time is divided.
        span: The range of time.
        as_of: The instant that `as_of()` stands for, where the answer depends on
            it and an engine has been asked for it.
        unit: If given, rows are folded by this dimension too, and the units that have
            the same in all folds are counted.
    """

    by: tuple[Dimension, ...]
    where: Predicate | None
    calendar: Calendar
    span: Span
    as_of: dt.datetime | None = None
    unit: Dimension | None = None

    @property
    def has_time(self) -> bool:
        """Whether rows enter by their time."""
        return self.calendar.has_periods or self.span != Span()


@dataclass(frozen=True, slots=True)
class Group:
    """A key to group by.

    Attributes:
        name: Its name in the result.
        value: What it is on one table.
        is_period: Whether the key is not the time itself but the period in which it lies.
    """

    name: str
    value: Column | Lookup
    is_period: bool = False


class Shows(StrEnum):
    """What a guard shows of the currency of amounts."""

    LOWEST = "lowest currency"
    HIGHEST = "highest currency"
    UNNAMED = "rows without a currency"
    OWN = "rows in the shop's currency"
    CONVERTED = "rows that are converted"
    UNRATED = "rows without a rate"


@dataclass(frozen=True, slots=True)
class Guard:
    """What a fold is for that no metric asks for.

    Attributes:
        shows: What it shows.
        table: The table in which the currency or the rate stands.
    """

    shows: Shows
    table: str


@dataclass(frozen=True, slots=True)
class Fold:
    """One aggregate of a step.

    Attributes:
        name: The name of its column in the answer.
        aggregate: What is folded, of the rows that enter the step.
        asked: The aggregate with all its conditions, those of the step among them.
        is_unique: Whether it counts different values of which none occurs twice.
        guard: What it shows of the currency of amounts, where that is all that it is for.
        is_magnitude: Whether the absolute values of what is added are added instead.
        reads: The columns and lookups that it reads.
    """

    name: str
    aggregate: Aggregate | PolarsExpr
    asked: Aggregate | PolarsExpr
    is_unique: bool = False
    guard: Guard | None = None
    is_magnitude: bool = False
    reads: tuple[Column | Lookup, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reads", columns_read_by(self.aggregate))


@dataclass(frozen=True, slots=True)
class Step:
    """One question to an engine: fold this source by these keys with these aggregates.

    Attributes:
        table: The table that is read.
        folds: What is folded. A rollup, a count of retained values, or folds to
            date share a step only with their like.
        groups: The keys, besides the period.
        where: Which rows enter.
        calendar: How time is divided.
        span: The range that is read; the whole history before its end if to date.
        to_date: Whether the answer is what each period adds to the history.
        is_prorated: Whether a row that covers several days enters day by day, with
            its share.
        entity_key: For a stock, the key columns that name the thing that is counted.
        first_of: If given, of the rows that satisfy `where` only the first in
            time of each value of this column enters, in the whole history.
        as_of: The instant that `as_of()` stands for; without it the engine looks
            for the latest in the data.
        unit: If given, rows are folded by this key too, and the answer has a row for all
            units that have the same in all folds, with their number.
    """

    table: str
    folds: tuple[Fold, ...]
    groups: tuple[Group, ...]
    where: Predicate | None
    calendar: Calendar
    span: Span
    to_date: bool = False
    is_prorated: bool = False
    entity_key: tuple[str, ...] = ()
    first_of: Column | None = None
    as_of: dt.datetime | None = None
    unit: Group | None = None

    @property
    def is_grown(self) -> bool:
        """Whether the answer is added up from period to period."""
        return self.to_date and self.calendar.has_periods

    @property
    def reads(self) -> tuple[Column | Lookup, ...]:
        """The columns and lookups that the folds, the keys and the filter read."""
        found = [leaf for fold in self.folds for leaf in fold.reads]
        found += [group.value for group in (*self.groups, *([self.unit] if self.unit else []))]
        found += [] if self.where is None else leaves(self.where)
        found += [] if self.first_of is None else [self.first_of]
        return tuple(dict.fromkeys(found))

    def __str__(self) -> str:
        keys = [*(["period"] if self.calendar.has_periods else []), *(g.name for g in self.groups)]
        reads = sorted(map(str, self.reads))
        lines = [f"fold {self.table} by {', '.join(keys) or 'nothing'}"]
        if self.to_date:
            lines[0] += " to date"
        if self.unit is not None:
            lines[0] += f", for each {self.unit.name}"
        if self.where is not None:
            lines.append(f"  where {self.where}")
        if self.first_of is not None:
            lines.append(f"  only the first row in time of each {self.first_of}")
        if self.span.start or self.span.end:
            begin, end = self.span.start or "the beginning", self.span.end or "the end"
            lines.append(f"  from {begin} to {end}")
        lines.append(f"  reads {', '.join(reads) or 'its rows'}")
        told = (fold for fold in self.folds if not fold.is_magnitude)
        return "\n".join([*lines, *(f"  {fold.name} = {fold.aggregate}" for fold in told)])


@dataclass(frozen=True, slots=True)
class PlannedMetric:
    """A metric as arithmetic on leaves.

    Attributes:
        metric: The metric.
        value: Its value.
        ratio: Its numerator and denominator, where it is a ratio.
        n: How many things the value rests on, where that is known.
        leaves: The leaves that its value, its sides and its n are made of.
    """

    metric: Metric
    value: Expression
    ratio: tuple[Expression, Expression] | None
    n: Expression | None
    leaves: tuple[FoldRef, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = (self.value, *(self.ratio or ()), *(() if self.n is None else (self.n,)))
        found = dict.fromkeys(leaf for part in parts for leaf in leaves_of(part))
        object.__setattr__(self, "leaves", tuple(found))

    def rests_on(self, step: Step) -> bool:
        """Return whether a fold of a step enters it."""
        names = {leaf.name for leaf in self.leaves}
        return any(fold.name in names for fold in step.folds)


@dataclass(frozen=True, slots=True)
class PartialPeriodStep:
    """A step over the first part of an earlier period, to set an open period against.

    Attributes:
        step: The step, its range cut to the part.
        shift: How many periods earlier it is.
        now: The start of the open period, as local time.
    """

    step: Step
    shift: int
    now: dt.datetime


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """How a question will be answered.

    Attributes:
        question: The question.
        metrics: The metrics, lowered, in the order they were asked.
        steps: What each source is asked, once.
        parts: What is asked of earlier periods again, like for like.
        guards: What shows, beside the steps, whether amounts may be added and compared.
        assumed: What metrics take for granted of columns that were not supplied, by name.
    """

    question: Question
    metrics: tuple[PlannedMetric, ...]
    steps: tuple[Step, ...]
    parts: tuple[PartialPeriodStep, ...] = ()
    guards: tuple[Step, ...] = ()
    assumed: Mapping[str, tuple[Assumption, ...]] = field(
        default_factory=dict[str, tuple[Assumption, ...]]
    )

    @property
    def only_counts(self) -> bool:
        """Whether rows of one table, or their units, are counted, and nothing else is done."""
        if len(self.steps) != 1 or self.guards:
            return False
        (step,) = self.steps
        is_plain = step.first_of is None and not step.to_date
        return is_plain and all(_is_count(fold, step.unit) for fold in step.folds)

    def without_unit(self) -> Plan:
        """Return the plan of all units together."""
        steps = tuple(replace(step, unit=None) for step in self.steps)
        return replace(self, question=replace(self.question, unit=None), steps=steps)

    def parted(self, names: Container[str]) -> tuple[Plan, Plan]:
        """Return the plan for the metrics that have none of some names, and for the others."""
        named = tuple(one for one in self.metrics if one.metric.name in names)
        others = tuple(one for one in self.metrics if one.metric.name not in names)
        return replace(self, metrics=others), replace(self, metrics=named)

    def assumptions(self) -> dict[str, str]:
        """Return what is taken for granted, and for which metrics."""
        users: dict[str, list[str]] = {}
        for metric, assumed in self.assumed.items():
            for one in assumed:
                users.setdefault(str(one), []).append(metric)
        return {text: ", ".join(names) for text, names in users.items()}

    def __str__(self) -> str:
        steps = [*self.steps, *(part.step for part in self.parts), *self.guards]
        lines = [f"{_many(len(steps), 'step')} for {_many(len(self.metrics), 'metric')}"]
        lines += [f"{number}. {step}" for number, step in enumerate(steps, 1)]
        lines += [f"{m.metric.name} = {show(m.value)}" for m in self.metrics]
        lines += [f"{text}: assumed for {names}" for text, names in self.assumptions().items()]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f'<pre class="funnelkit" style="white-space:pre-wrap">{escape(str(self))}</pre>'


def _is_count(fold: Fold, unit: Group | None) -> bool:
    """Return whether rows are counted, or units."""
    match fold.aggregate:
        case Count(of=None):
            return True
        case CountDistinct(value, of=None):
            return fold.is_unique or (unit is not None and value == unit.value)
        case _:
            return False


def columns_read_by(aggregate: Aggregate | PolarsExpr) -> tuple[Column | Lookup, ...]:
    """Return the columns and lookups that an aggregate reads."""
    if isinstance(aggregate, PolarsExpr):
        names = aggregate.expression.meta.root_names()
        return tuple(Column(table=aggregate.table, name=name) for name in names)
    return tuple(columns_of(aggregate))


def split_where(folds: Sequence[Fold]) -> tuple[list[Fold], Predicate | None]:
    """Filter a step once by what all its folds want; keep a row that no fold wants out.

    A row outside every condition must change nothing, not even which groups
    there are.
    """
    if any(isinstance(fold.aggregate, PolarsExpr) or fold.aggregate.of for fold in folds):
        return list(folds), None
    parts = [conjuncts(_where(fold)) for fold in folds]
    shared = tuple(part for part in parts[0] if all(part in other for other in parts[1:]))
    kept = [conjunction(part for part in own if part not in shared) for own in parts]
    rest = [own for own in kept if own is not None]
    if len(folds) == 1:
        return [_with_where(folds[0], None)], conjunction((*shared, *rest))
    either = reduce(Or, dict.fromkeys(rest)) if len(rest) == len(kept) else None
    return (
        [_with_where(fold, own) for fold, own in zip(folds, kept, strict=True)],
        conjunction((*shared, either)),
    )


def _where(fold: Fold) -> Predicate | None:
    return None if isinstance(fold.aggregate, PolarsExpr) else fold.aggregate.where


def _with_where(fold: Fold, where: Predicate | None) -> Fold:
    if isinstance(fold.aggregate, PolarsExpr) or fold.aggregate.where is where:
        return fold
    return replace(fold, aggregate=replace(fold.aggregate, where=where))


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

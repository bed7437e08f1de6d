"""Funnels: how many get from step to step, and how long it takes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from funnelkit.arguments import check_choices, check_key_names, check_kind
from funnelkit.calendar.calendar import UTC_EPOCH, Moment
from funnelkit.calendar.grain import INSTANT, Span
from funnelkit.charts.spec import Measure, Spec
from funnelkit.charts.stages import stages
from funnelkit.data.sources import Source
from funnelkit.errors import DefinitionError, UnsupportedError
from funnelkit.formula.operators import Relation
from funnelkit.formula.values import (
    Column,
    Comparison,
    Dimension,
    Literal,
    Predicate,
)
from funnelkit.formula.walk import leaves
from funnelkit.journeys.lengths import Length, check_length, length_text
from funnelkit.journeys.levels import LATEST, LEVEL, Order, StepTable, Ties, levels_of
from funnelkit.journeys.ratios import ratio
from funnelkit.journeys.rows import (
    ENTITY,
    GROUP,
    MICROSECONDS,
    Moments,
    Reader,
    check_names,
    grouped,
    key_name,
    reader_of,
)
from funnelkit.journeys.steps import check_events, step_of
from funnelkit.journeys.timeline import LABEL, Flags, timeline_of
from funnelkit.planning.lowering import FALSE
from funnelkit.planning.relations import Col, Op, Scalar, call, conjunction, when, whole
from funnelkit.result.picture import group_names
from funnelkit.result.view import Figure, Plotted, Shown, excluded_notes
from funnelkit.shop.shop import Shop
from funnelkit.units import RATIO, SECOND, VISITOR

__all__ = ["Funnel", "Steps", "funnel"]

Steps = Sequence[str | tuple[str, Predicate | str]] | Mapping[str, Predicate | str]
"""Event names, or names with conditions on events."""

MOST_STEPS = 30
KIND, MASK = "#kind", "#mask"
INTEGERS = {"#mask": pl.Int64(), "#kind": pl.Int64()}
NOTHING = pl.lit(None, pl.Int64)

FIGURES = (
    Figure("entities", VISITOR),
    Figure("step_rate", RATIO),
    Figure("overall_rate", RATIO),
    Figure("drop_off", VISITOR),
    Figure("incomplete", VISITOR),
    Figure("median_from_previous_s", SECOND),
    Figure("p90_from_previous_s", SECOND),
    Figure("median_from_first_s", SECOND),
    Figure("p90_from_first_s", SECOND),
)
SHOWN = tuple(figure for figure in FIGURES if not figure.name.startswith("p90"))
ORDERS: Mapping[Order, str] = {
    "ordered": "in this order, with anything in between",
    "strict": "in this order, with nothing in between",
    "any": "in any order",
}
TIES: Mapping[Ties, str] = {
    "chain": "steps at the same instant count in their order",
    "increase": "each step is later than the one before",
}


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Funnel(Plotted):
    """How many entities get how far through steps.

    Attributes:
        steps: The names of the steps.
        entity: The column whose values get through them.
        rule: What is counted, in a sentence.
        keys: The key columns of the frames, the period first.
        as_of: The instant up to which the data was known.
        excluded: Why events are left out, and how many.
    """

    steps: tuple[str, ...]
    entity: str
    rule: str
    keys: tuple[str, ...]
    as_of: dt.datetime | None
    excluded: Mapping[str, int]
    _frame: pl.DataFrame
    _entities: pl.DataFrame

    @property
    def frame(self) -> pl.DataFrame:
        """One row per period, group and step.

        `period` and the keys, `step` (from 1), `name`, `entities` that reached it,
        `step_rate` (of those of the step before), `overall_rate` (of those of the first
        step), `drop_off` (how many reached the step before, and not this one),
        `incomplete` (how many got no farther, and still may: their window is open), and
        seconds: `median_from_previous_s`, `p90_from_previous_s`, `median_from_first_s`
        and `p90_from_first_s`, of those who reached the step.
        """
        return self._frame.clone()

    @property
    def entities(self) -> pl.DataFrame:
        """One row per entity that took the first step.

        The entity, the keys, `level` (how many steps it took), `start`, `step_1`,
        `step_2`, … (when it took them, in the shop's zone), and `is_incomplete`: it did
        not take them all, and the window of one of its starts is open; nobody is where there
        is no window.
        """
        return self._entities.clone()

    def levels(self) -> pl.DataFrame:
        """Return how many entities got exactly so far.

        Returns:
            A frame with `period` and the keys, `level`, `name` (of the last step they
            took) and `entities`.
        """
        entities = pl.col("entities")
        after = entities.shift(-1, fill_value=0)
        after = after.over(self.keys) if self.keys else after
        stopped = entities - after
        return self._frame.select(*self.keys, pl.col("step").alias("level"), "name", stopped)

    def picture(self) -> Spec:
        """Return a bar per step, as a Vega-Lite specification; see `plot`."""
        frame = group_names(self._frame, self.keys) if self.keys else self._frame
        return stages(frame, Measure(title=" → ".join(self.steps), unit=VISITOR, source=self.rule))

    def _shown(self) -> Shown:
        notes = [self.rule, *excluded_notes(self.excluded)]
        return Shown(
            frame=self._frame, figures=SHOWN, keys=(*self.keys, "step", "name"), notes=notes
        )


def funnel(  # noqa: PLR0913  # the question, every part of it by keyword
    source: Shop | Source,
    steps: Steps,
    *,
    entity: str | Dimension = "visitor_id",
    within: Length | None = None,
    order: Order = "ordered",
    ties: Ties = "chain",
    by: str | Dimension | Sequence[str | Dimension] = (),
    every: str | Sequence[Moment] | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    where: Predicate | str | None = None,
) -> Funnel:
    """Count how many entities get how far through steps.

    An entity reaches step *k* if it has *k* different events, one for each of the first
    *k* steps, of which each follows the one before and the last lies at most `within`
    after the first. So one event serves one step; a step that is named twice needs two
    events; an entity may start again, and the start that leads farthest counts. Of the
    chains that lead equally far it is the one that is there first, and of these the one
    that starts last; each step is the first event that can follow the one before. Where
    several events of one instant can be the first step, it is the one whose keys come first.

    Which event follows another is a matter of `order` and `ties`:

    - `"ordered"`: a later one, whatever lies in between.
    - `"strict"`: the very next one of the entity. Events of one instant are put in the order
      of the steps that they are, and what is no step after them; those of the same steps in
      the order of their keys. Of chains that lead equally far it is the first in this order.
    - `"any"`: the first *k* steps may be taken in any order. The window begins with the
      earliest of them. An event may then not be of two steps; of several that can be a step it
      is the latest. Range, period and keys are those of the first step, which others may precede.

    With `ties="chain"` an event also follows one at the same instant; with `"increase"`
    it has to be later.

    Events count that are not known to come from a bot; those without an entity or a time
    are left out, and counted in `Funnel.excluded`.

    Args:
        source: The shop, or a frame of events with canonical columns.
        steps: Names of events, or pairs of a name and a condition on events, as a predicate
            or its text; a mapping from names to conditions is the same.
        entity: The column whose values go through the steps: a column of events, or one
            of a parent.
        within: How long the steps may take: a number and s, m, h, d or w, where a day
            is 24 hours, or a timedelta. The end is included. None for any time.
        order: Which events may lie between steps.
        ties: Whether a step may be at the same instant as the one before.
        by: Dimensions of the event that is the first step.
        every: The length of periods; an entity belongs to that of its first step.
        start: The first moment of the range in which the first step lies; later steps
            may lie after it.
        end: The first moment after it.
        where: Which events enter, over dimensions.

    Returns:
        The funnel.

    Raises:
        UnknownNameError: A step is an event that the data does not have, or a condition that
            looks for such events alone; lists all of them.
        DefinitionError: An argument is not valid.
        MissingInputError: Columns are missing.
        UnsupportedError: Steps share events, and are to be taken in any order.

    Examples:
        >>> import funnelkit as fk
        >>> found = fk.funnel(fk.demo(), ["view_item", "add_to_cart", "purchase"], within="7d")
        >>> found.frame.columns[:5]
        ['step', 'name', 'entities', 'step_rate', 'overall_rate']
    """
    window = None if within is None else check_length("within", within)
    _check_choices(order, ties)
    reader = reader_of(
        source, "events", entity, by=by, every=every, start=start, end=end, where=where
    )
    named = _conditions(reader, steps)
    asked = _Asked(reader, tuple(name for name, _ in named), window, order, ties)
    _check_columns(asked)
    conditions = [condition for _, condition in named]
    moments = _read(asked, conditions)
    check_events(reader, conditions)
    found = _entities(asked, moments)
    return Funnel(
        steps=asked.names,
        entity=reader.name,
        rule=_rule(asked),
        keys=reader.keys,
        as_of=reader.shop.runner.as_of(),
        excluded=moments.excluded,
        _frame=_frame(asked, found),
        _entities=found,
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of events.

    Attributes:
        reader: What reads them.
        names: The names of the steps.
        window: How long they may take.
        order: Which events may lie between steps.
        ties: Whether a step may be at the same instant as the one before.
    """

    reader: Reader
    names: tuple[str, ...]
    window: dt.timedelta | None
    order: Order
    ties: Ties

    @property
    def taken(self) -> list[str]:
        """The columns that hold when steps were taken."""
        return [f"step_{number}" for number in range(1, len(self.names) + 1)]

    @property
    def has_places(self) -> bool:
        """Whether an event outside the range has the place of a first step at its instant.

        It is none, and yet stands between the steps of that instant: the condition 1 says so.
        """
        return self.order == "strict" and self.reader.question.span != Span()


def _check_choices(order: Order, ties: Ties) -> None:
    check_choices(("order", order, ORDERS), ("ties", ties, TIES))
    if order == "any" and ties == "increase":
        problem = "ties='increase' wants each step later than the one before"
        raise DefinitionError(problem, "leave it out: with order='any' no step is before another")


def _conditions(reader: Reader, steps: Steps) -> list[tuple[str, Predicate]]:
    """Return the names of the steps with the conditions on events that they are."""
    check_kind("steps", steps, (Sequence, Mapping), "pass a list of names, or a mapping")
    given = list(steps.items()) if isinstance(steps, Mapping) else list(steps)
    if isinstance(steps, str) or not 1 <= len(given) <= MOST_STEPS:
        raise DefinitionError(f"steps={steps!r} is not a list of steps", f"pass 1 to {MOST_STEPS}")
    return [step_of(reader, step) for step in given]


def _check_columns(asked: _Asked) -> None:
    """Check that neither a key nor the entity has the name of another column of the result."""
    taken = {"level", "start", "is_incomplete", *asked.taken}
    check_key_names([asked.reader.name], {*taken, "period"}, argument="entity")
    figures = {"step", "name", *(figure.name for figure in FIGURES)}
    check_names(asked.reader, {asked.reader.name, *taken, *figures})


def _read(asked: _Asked, conditions: Sequence[Predicate]) -> Moments:
    """Read the events that are steps; where nothing may lie between, all events."""
    reader, lowering = asked.reader, asked.reader.lowering
    wants = [leaf for condition in conditions for leaf in leaves(condition)]
    scalars = [lowering.predicate(condition) for condition in conditions]
    span = reader.question.span
    if span != Span():
        begins = conjunction(scalars[0], lowering.within(reader.clock, span)) or scalars[0]
        scalars = [begins, *scalars[0 if asked.has_places else 1 :]]
    columns: dict[str, Scalar]
    if len(set(conditions)) == len(conditions) and all(map(_is_name, conditions)):
        columns = {KIND: _number_of(scalars)}
        is_step: Scalar = call(Op.LT, Col(KIND), whole(len(scalars)))
    else:
        columns = {f"{KIND} {number}": scalar for number, scalar in enumerate(scalars)}
        is_step = FALSE
        for name in columns:
            is_step = call(Op.OR, is_step, Col(name))
    return reader.read(columns, wants=wants, only=None if asked.order == "strict" else is_step)


def _is_name(condition: Predicate) -> bool:
    """Return whether a step is an event by name: two such steps share no event."""
    match condition:
        case Comparison(Relation.EQ, Column(name="event_name"), Literal()):
            return True
        case _:
            return False


def _number_of(scalars: Sequence[Scalar]) -> Scalar:
    """Return the number of the step that an event is; how many there are of another event."""
    found: Scalar = whole(len(scalars))
    for number, scalar in reversed(list(enumerate(scalars))):
        found = when(scalar, whole(number), otherwise=found)
    return found


def _kinds(rows: pl.DataFrame, asked: _Asked) -> tuple[pl.DataFrame, Flags]:
    """Number what events are of, in the order of their first step; and say of which steps."""
    count = len(asked.names) + asked.has_places
    conditions = [0, *range(1 + asked.has_places, count)]
    if KIND in rows.columns:
        return rows, np.eye(count, count + 1, dtype=np.bool_)[conditions]
    flags = [f"{KIND} {number}" for number in range(count)]
    bits = (
        pl.col(flag).fill_null(value=False).cast(pl.Int64) * 2**n for n, flag in enumerate(flags)
    )
    rows = rows.select(pl.exclude(flags), pl.sum_horizontal(bits).alias(MASK))
    masks = rows.get_column(MASK).unique().to_list()
    masks.sort(key=lambda mask: (mask & -mask or 1 << count, mask))
    numbered = pl.DataFrame({MASK: masks, KIND: range(len(masks))}, schema_overrides=INTEGERS)
    kinds = np.array([[bool(mask >> n & 1) for mask in masks] for n in conditions], np.bool_)
    return rows.join(numbered, on=MASK, how="left"), kinds.reshape(len(conditions), len(masks))


def _entities(asked: _Asked, moments: Moments) -> pl.DataFrame:
    """Return the entities that took the first step."""
    reader, count = asked.reader, len(asked.names)
    rows, groups = grouped(moments.frame, reader.keys)
    rows, kinds = _kinds(rows, asked)
    table = StepTable(kinds=kinds, groups=groups.height, order=asked.order, ties=asked.ties)
    if asked.order == "any" and table.shares:
        problem = "steps in any order of which an event may be two"
        raise UnsupportedError(problem, "give conditions that exclude each other, or an order")
    label = pl.col(KIND) if table.groups == 1 else pl.col(KIND) * table.groups + pl.col(GROUP)
    labels = kinds.shape[1] * table.groups
    timeline = timeline_of(rows.with_columns(label.alias(LABEL)), labels, within=asked.window)
    found = levels_of(timeline, table)
    times = dict(zip(asked.taken, map(str, range(count)), strict=True))
    taken = {name: reader.local(pl.col(column)) for name, column in times.items()}
    first = pl.min_horizontal(*times.values()) if asked.order == "any" else pl.col("0")
    if reader.keys:
        found = found.join(groups, on=GROUP, how="left", maintain_order="left")
    return found.select(
        pl.col(ENTITY).alias(reader.name),
        *(pl.col(key_name(key)).alias(key) for key in reader.keys),
        pl.col(LEVEL).alias("level"),
        reader.local(first).alias("start"),
        *(taken[name].alias(name) for name in asked.taken),
        _is_incomplete(asked).alias("is_incomplete"),
    )


def _is_incomplete(asked: _Asked) -> pl.Expr:
    """Return whether an entity may still get farther from a start that it has made."""
    closed = None if asked.window is None else asked.reader.last_closed(asked.window)
    if closed is None:
        return pl.lit(value=False)
    is_open = pl.col(LATEST) > (closed - UTC_EPOCH) // INSTANT
    return (pl.col(LEVEL) < len(asked.names)) & is_open


def _frame(asked: _Asked, entities: pl.DataFrame) -> pl.DataFrame:
    """Return one row per group and step."""
    keys = list(asked.reader.keys)
    of_step = {number: _figures(asked, number) for number, _ in enumerate(asked.names, 1)}
    found = {
        f"{number} {name}": figure
        for number, figures in of_step.items()
        for name, figure in figures.items()
    }
    together = entities.group_by(keys).agg(**found) if keys else entities.select(**found)
    count, previous = pl.col("entities"), pl.col("#previous")
    return (
        pl.concat(
            together.select(
                *keys,
                *(pl.col(f"{number} {name}").alias(name) for name in figures),
                step=pl.lit(number, pl.Int64),
                name=pl.lit(asked.names[number - 1]),
            )
            for number, figures in of_step.items()
        )
        .sort(*keys, "step", nulls_last=True)
        .with_columns(
            step_rate=ratio(count, previous),
            overall_rate=ratio(count, pl.col("#all")),
            drop_off=previous - count,
        )
        .select(*keys, "step", "name", *(figure.name for figure in FIGURES))
    )


def _figures(asked: _Asked, number: int) -> dict[str, pl.Expr]:
    """Return what is found of the entities of a group at a step."""
    level, taken = pl.col("level"), pl.col(f"step_{number}")
    reached = (level >= number).sum().cast(pl.Int64)
    before = (level >= number - 1).sum().cast(pl.Int64) if number > 1 else NOTHING
    previous = None if asked.order == "any" else pl.col(f"step_{number - 1}")
    begun = pl.col("start" if asked.order == "any" else "step_1")
    since = {"previous": previous, "first": begun}
    stopped = (level == number) & pl.col("is_incomplete")
    return {
        "entities": reached,
        "#previous": before,
        "#all": (level >= 1).sum(),
        "incomplete": stopped.sum().cast(pl.Int64),
        **{
            f"{label}_from_{of}_s": _quantile(taken, then if number > 1 else None, q)
            for of, then in since.items()
            for label, q in (("median", 0.5), ("p90", 0.9))
        },
    }


def _quantile(taken: pl.Expr, begun: pl.Expr | None, q: float) -> pl.Expr:
    """Return a quantile of the seconds between two times."""
    if begun is None:
        return pl.lit(None, pl.Float64)
    elapsed = (taken - begun).dt.total_microseconds().drop_nulls()
    return elapsed.quantile(q, interpolation="linear") / MICROSECONDS


def _rule(asked: _Asked) -> str:
    """Return the sentence that states what is counted."""
    window = "however long that takes"
    if asked.window is not None:
        begin = "first of them" if asked.order == "any" else "first step"
        window = f"within {length_text(asked.window)} of the {begin}, the end included"
    ties = "" if asked.order == "any" else f"; {TIES[asked.ties]}"
    return (
        f"Counted is each {asked.reader.name} that takes the steps {ORDERS[asked.order]}, {window}"
        f"{ties}; one event serves one step, and of several starts the best counts."
    )

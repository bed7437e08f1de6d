"""Paths: what visitors do on their way to a purchase, and after a cart that they left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType

import polars as pl

from funnelkit.arguments import check_kind, is_whole
from funnelkit.charts.bars import bars
from funnelkit.charts.spec import Measure, Spec
from funnelkit.data.sources import Source
from funnelkit.errors import DefinitionError, shortened
from funnelkit.formula.values import Dimension, Predicate
from funnelkit.journeys.ratios import ratio
from funnelkit.journeys.rows import AT, ENTITY, Reader, reader_of
from funnelkit.journeys.steps import check_events, event_name_of, step_of
from funnelkit.result.view import Figure, Plotted, Shown, excluded_notes
from funnelkit.shop.shop import Shop
from funnelkit.units import NUMBER, RATIO

__all__ = ["Paths", "paths"]

START, END, NAME, CHAPTER, PATH = "(start)", "(end)", "#name", "#chapter", "path"
MOST_STEPS = 20


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Paths(Plotted):
    """How often visitors take which paths.

    Attributes:
        rule: What a path is, in a sentence.
        excluded: Why events are left out, and how many.
    """

    rule: str
    excluded: Mapping[str, int]
    _paths: pl.DataFrame

    @property
    def frame(self) -> pl.DataFrame:
        """One row per link of the paths, as a Sankey diagram draws them.

        `step` (1 for the first link), `source`, `target` and `paths`, how many take it.
        """
        nodes = (
            self._paths.with_row_index("#path")
            .explode(PATH)
            .with_columns(
                pl.int_range(1, pl.len() + 1).over("#path").cast(pl.Int64).alias("step"),
                pl.col(PATH).shift(-1).over("#path").alias("target"),
            )
        )
        links = nodes.drop_nulls("target").group_by("step", pl.col(PATH).alias("source"), "target")
        return links.agg(pl.col("paths").sum()).sort(
            "step", "paths", "source", "target", descending=[False, True, False, False]
        )

    @property
    def paths(self) -> pl.DataFrame:
        """One row per path, the most frequent first: `path`, a list, `paths` and `share`."""
        return self._paths.clone()

    def picture(self) -> Spec:
        """Return the most frequent paths as bars, as a Vega-Lite specification; see `plot`."""
        name = pl.col(PATH).list.join(" › ").alias("group")
        rows = self._paths.select(name, pl.col("paths").alias("value"))
        return bars(rows, Measure(title="Paths", unit=NUMBER, source=self.rule))

    def _shown(self) -> Shown:
        frame = self._paths.with_columns(pl.col(PATH).list.join(" > "))
        figures = (Figure("paths", NUMBER), Figure("share", RATIO))
        notes = [self.rule, *excluded_notes(self.excluded)]
        return Shown(frame=frame, figures=figures, keys=[PATH], notes=notes)


def paths(  # noqa: PLR0913  # the question, every part of it by keyword
    source: Shop | Source,
    *,
    to: str = "purchase",
    after: str | None = None,
    steps: int = 4,
    entity: str | Dimension = "visitor_id",
    where: Predicate | str | None = None,
) -> Paths:
    """Count the paths to an event, or those that never come to it.

    Events of an entity are put in order of time, those of one instant by name with `to` last, and
    an event that repeats the one right before is folded into it, save `to`: each ends a chapter.
    Events that the vocabulary knows go by its names: `view_item` for `Product Viewed`.

    - Without `after`: each chapter that ends gives a path, its last `steps` events and `to`;
      `(start)` stands before it if there are fewer.
    - With `after`: the chapter that does not end gives a path, from its last `after` on; `(end)`
      stands behind it if fewer than `steps` follow. With `after="add_to_cart"`: what is done
      when a cart was left.

    Args:
        source: The shop, or a frame of events with canonical columns.
        to: The event to which paths lead, or do not.
        after: The event with which paths begin that never come to it.
        steps: How many events a path has besides that one, at most.
        entity: The column whose paths they are, such as `"session_id"`.
        where: Which events enter, over dimensions.

    Raises:
        UnknownNameError: A name is not an event of the data.
        DefinitionError: An argument is not valid: the number of steps is not from 1 to 20, or
            paths that begin with an event are not to come to the same one.

    Examples:
        >>> import funnelkit as fk
        >>> fk.paths(fk.demo(), steps=2).frame.columns
        ['step', 'source', 'target', 'paths']
    """
    _check_arguments(to, after, steps)
    reader = reader_of(source, "events", entity, where=where)
    goal, *others = (step_of(reader, name)[1] for name in (to, after) if name is not None)
    name = event_name_of(reader)
    if after is not None and name.word(after) == name.word(to):
        problem = f"to={to!r} and after={after!r} are the same event"
        raise DefinitionError(problem, "a path begins with one event, and does not come to another")
    lowered = {NAME: reader.lowering.value(name), "#goal": reader.lowering.predicate(goal)}
    if others:
        lowered["#after"] = reader.lowering.predicate(others[0])
    moments = reader.read(lowered, wants=[name])
    check_events(reader, [goal, *others])
    rows, excluded = moments.frame.drop_nulls(NAME), dict(moments.excluded)
    if nameless := moments.frame.height - rows.height:
        excluded[f"without {name.name}"] = nameless
    chapters = _chapters(rows)
    found = _after(chapters, steps) if others else _to(chapters, steps)
    return Paths(rule=_rule(reader, to, after, steps), excluded=excluded, _paths=_counted(found))


def _check_arguments(to: object, after: object, steps: object) -> None:
    check_kind("to", to, (str,), "name an event: to='purchase'")
    check_kind("after", after, (str, NoneType), "name an event: after='add_to_cart'")
    remedy = f"pass 1 to {MOST_STEPS}"
    if not (is_whole(steps) and 1 <= steps <= MOST_STEPS):
        raise DefinitionError(f"steps={shortened(repr(steps))} is not a number of steps", remedy)


def _chapters(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the events in order, loops folded, with the chapter that each is in."""
    is_goal = pl.col("#goal").fill_null(value=False)
    ordered = rows.with_columns(is_goal).sort(ENTITY, AT, "#goal", NAME)
    is_repeat = (pl.col(NAME) == pl.col(NAME).shift(1)) & (
        pl.col(ENTITY) == pl.col(ENTITY).shift(1)
    )
    folded = ordered.filter(pl.col("#goal") | ~is_repeat.fill_null(value=False))
    before = pl.col("#goal").cast(pl.Int64).cum_sum() - pl.col("#goal").cast(pl.Int64)
    return folded.with_columns(before.over(ENTITY).alias(CHAPTER))


def _to(chapters: pl.DataFrame, steps: int) -> pl.DataFrame:
    """Return the last events of each chapter that ends."""
    found = chapters.group_by(ENTITY, CHAPTER, maintain_order=True).agg(
        pl.col("#goal").last(), pl.col(NAME).tail(steps + 1).alias(PATH)
    )
    begun = pl.concat_list(pl.lit(START), PATH)
    is_short = pl.col(PATH).list.len() <= steps
    return found.filter("#goal").select(pl.when(is_short).then(begun).otherwise(PATH).alias(PATH))


def _after(chapters: pl.DataFrame, steps: int) -> pl.DataFrame:
    """Return the events from the last start on, of chapters that do not end."""
    place = pl.col("#place")
    begun = pl.when("#after").then(place).max().over(ENTITY, CHAPTER)
    is_open = ~pl.col("#goal").any().over(ENTITY, CHAPTER)
    kept = chapters.with_row_index("#place").filter(is_open & (place >= begun))
    found = kept.group_by(ENTITY, maintain_order=True).agg(pl.col(NAME).head(steps + 1).alias(PATH))
    ended = pl.concat_list(PATH, pl.lit(END))
    is_short = pl.col(PATH).list.len() <= steps
    return found.select(pl.when(is_short).then(ended).otherwise(PATH).alias(PATH))


def _counted(found: pl.DataFrame) -> pl.DataFrame:
    """Return how often each path is taken, the most frequent first."""
    count = pl.col("paths")
    rows = found.group_by(PATH).agg(pl.len().cast(pl.Int64).alias("paths"))
    ordered = rows.sort(count, pl.col(PATH).list.join("\x1f"), descending=[True, False])
    return ordered.with_columns(ratio(count, count.sum()).alias("share"))


def _rule(reader: Reader, to: str, after: str | None, steps: int) -> str:
    """Return the sentence that states what a path is."""
    if after is None:
        what = f"the last {steps} events of a {reader.name} before each {to}, after any earlier one"
    else:
        what = f"a last {after} that no {to} follows, and the next {steps} events"
    return f"A path is {what}; an event that repeats the one right before counts once."

"""Sessions made of events: by inactivity, and at midnight or a new campaign if wanted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from funnelkit.arguments import check_flags, check_key_names
from funnelkit.data.shop_data import Words
from funnelkit.data.sources import Source
from funnelkit.errors import MissingInputError
from funnelkit.formula.values import Category, Dimension
from funnelkit.journeys.lengths import Length, check_length, length_text
from funnelkit.journeys.rows import (
    AT,
    ENTITY,
    GROUP,
    MICROSECONDS,
    Reader,
    grouped,
    key_name,
    reader_of,
)
from funnelkit.journeys.timeline import LABEL, Block, Codes, Flags, Timeline, timeline_of
from funnelkit.planning.dimensions import can_reach
from funnelkit.result.view import Figure, Shown, View, excluded_notes
from funnelkit.schema.traffic import Sessions
from funnelkit.shop.shop import Shop
from funnelkit.units import SECOND

__all__ = ["Sessionized", "sessionize"]

CAMPAIGN = (Sessions.source, Sessions.medium, Sessions.campaign)
ID = "session_id"
TRAITS = (*(column.name for column in CAMPAIGN), "channel", "device", "country")
"""The columns of a session that are those of its first event, where events have them."""


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Sessionized(View):
    """Sessions made of events.

    Attributes:
        entity: The column whose sessions they are.
        rule: What a session is, in a sentence.
        excluded: Why events are left out, and how many.
    """

    entity: str
    rule: str
    excluded: Mapping[str, int]
    _frame: pl.DataFrame
    _reader: Reader

    @property
    def frame(self) -> pl.DataFrame:
        """One row per session, sorted by entity and start, to be bound as `sessions`.

        `session_id`, the entity, `started_at`, `ended_at` (the last event), `duration_s`,
        and, as far as events have them, `source`, `medium`, `campaign`, `channel`,
        `device` and `country` of its first event. A session keeps its id, which is made
        of the entity and the start, as long as it keeps its first event.
        """
        return self._frame.clone()

    def events(self) -> pl.DataFrame:
        """Return the events that are in a session, with its `session_id`, to be bound as `events`.

        The columns are those that were supplied, in no particular order of rows.
        """
        reader = self._reader
        supplied = reader.data.tables["events"].columns
        columns = [reader.data.column("events", name) for name in supplied if name != ID]
        read = reader.read({c.name: reader.lowering.value(c) for c in columns}, wants=columns)
        begun = {ENTITY: self.entity, AT: "started_at"}
        known = self._frame.select(ID, **{name: pl.col(column) for name, column in begun.items()})
        known = known.with_columns(pl.col(AT).cast(read.frame.schema[AT])).sort(AT)
        rows = read.frame.sort(AT).join_asof(known, on=AT, by=ENTITY, check_sortedness=False)
        return rows.drop(ENTITY, AT)

    def _shown(self) -> Shown:
        figures = (Figure("duration_s", SECOND),)
        keys = [name for name in self._frame.columns if name != "duration_s"]
        notes = [self.rule, *excluded_notes(self.excluded)]
        return Shown(frame=self._frame, figures=figures, keys=keys, notes=notes)


def sessionize(
    source: Shop | Source,
    *,
    gap: Length = "30m",
    entity: str | Dimension = "visitor_id",
    at_midnight: bool = False,
    on_campaign: bool = False,
) -> Sessionized:
    """Make sessions of events.

    A session is as many successive events of an entity as follow one another at a
    distance of `gap` or less; what comes later than that begins a new one. Events of the
    same instant are in the same session.

    Args:
        source: The shop, or a frame of events with canonical columns, in any order.
        gap: The longest inactivity within a session: a number and s, m, h, d or w, or a
            timedelta.
        entity: The column of events whose sessions are made.
        at_midnight: Whether an event on another day of the shop's zone begins a session.
        on_campaign: Whether an event begins a session that names another `source`,
            `medium` or `campaign` than the session has, or one where it has none. What is
            null or blank in an event is not named, and ends no session; words are read as
            those of sessions are, so that `Google` and `google` are one source. Of several
            that are named at one instant, a session has the last in their order.

    Returns:
        The sessions. Bound together with their events, `fk.Shop(sessions=found.frame,
        events=found.events())`, they give every KPI of sessions.

    Raises:
        DefinitionError: An argument is not valid: the gap is not a length of time.
        MissingInputError: Columns are missing.

    Examples:
        >>> import datetime as dt
        >>> import polars as pl
        >>> import funnelkit as fk
        >>> minutes = [dt.datetime(2024, 5, 1, 12, minute) for minute in (0, 20, 55)]
        >>> events = pl.DataFrame({"visitor_id": 1, "occurred_at": minutes})
        >>> fk.sessionize(events).frame["duration_s"].to_list()
        [1200.0, 0.0]
    """
    length = check_length("gap", gap)
    check_flags(at_midnight=at_midnight, on_campaign=on_campaign)
    reader = reader_of(source, "events", entity)
    columns = (ID, "started_at", "ended_at", "duration_s")
    check_key_names([reader.name], columns, argument="entity")
    names = (name for name in TRAITS if name != reader.name)
    traits = [name for name in names if can_reach(reader.data, "events", name)]
    if on_campaign and not any(column.name in traits for column in CAMPAIGN):
        raise MissingInputError({f"events.{c.name}": ("on_campaign",) for c in CAMPAIGN})
    by = tuple(map(Dimension, traits))
    reader = replace(reader, question=replace(reader.question, by=by))
    moments = reader.read({})
    rows, groups = grouped(moments.frame, traits)
    timeline = timeline_of(rows.rename({GROUP: LABEL}), groups.height, within=length)
    cut = _Cut(
        timeline.window,
        reader.calendar.time_zone if at_midnight else "",
        _campaigns(groups, traits) if on_campaign else None,
    )
    frame = _sessions(timeline, cut, reader, groups.select(GROUP, *map(key_name, traits)))
    return Sessionized(
        entity=reader.name,
        rule=_rule(reader.name, length, cut),
        excluded=moments.excluded,
        _frame=frame,
        _reader=reader_of(source, "events", entity),
    )


def _campaigns(groups: pl.DataFrame, traits: list[str]) -> Codes:
    """Return by column the number of what each group names; 0 where that is nothing."""
    ordered = groups.sort(GROUP)
    columns = [column for column in CAMPAIGN if column.name in traits]
    return np.stack([_named(ordered.get_column(key_name(c.name)), c) for c in columns])


def _named(texts: pl.Series, column: Category) -> Codes:
    """Return the number of what each text names, as a column of sessions reads it."""
    texts = texts.cast(pl.String).str.strip_chars().replace("", None)
    rows = dict(texts.drop_nulls().value_counts().rows())
    return (
        texts.replace(Words.of(column, rows).meant)
        .rank("dense")
        .cast(pl.Int64)
        .fill_null(0)
        .to_numpy()
    )


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where sessions end.

    Attributes:
        gap: After so many microseconds without an event.
        zone: At midnight of this zone, where that matters.
        campaigns: By column, the number of what each label names, where that matters.
    """

    gap: int
    zone: str
    campaigns: Codes | None

    def begins(self, block: Block) -> Flags:
        """Return which rows begin a session; the entities of a block are farther apart."""
        since = np.diff(block.moments, prepend=-1 - self.gap // block.unit - 1)
        begins = since > self.gap // block.unit
        if self.zone:
            begins |= (since > 0) & self._is_other_day(block)
        if self.campaigns is not None:
            named = self.campaigns[:, block.labels]
            begins = _with_campaigns(begins, named, np.flatnonzero(since > 0))
        return begins

    def _is_other_day(self, block: Block) -> Flags:
        times = pl.Series(block.times_of(block.codes)).cast(pl.Datetime("us", "UTC"))
        days = times.dt.convert_time_zone(self.zone).dt.date().to_physical().to_numpy()
        return np.not_equal(np.diff(days, prepend=days[0]), 0)


def _with_campaigns(begins: Flags, named: Codes, firsts: Codes) -> Flags:
    """Return which rows begin a session where another campaign does too.

    Args:
        begins: Which rows begin one anyway.
        named: By column, the number of what each row names; 0 where that is nothing.
        firsts: The first row of each instant.
    """
    places, is_named = np.arange(len(begins)), named > 0
    instants = np.repeat(firsts, np.diff(firsts, append=len(begins)))
    begun = _latest(begins)[instants]
    before = np.maximum.accumulate(np.where(is_named, places, -1), axis=1)
    before = np.where(instants > 0, before[:, instants - 1], -1)
    is_other = (before < begun) | (np.take_along_axis(named, before, axis=1) != named)
    others = np.logical_or.reduceat((is_named & is_other).any(axis=0), firsts)
    begins = begins.copy()
    begins[firsts[others]] = True
    named_since = np.minimum.reduceat(np.where(is_named, before, len(begins)).min(axis=0), firsts)
    is_open = ~begins[firsts] & (named_since < instants[before.max(axis=0)[firsts]])
    _follow(begins, firsts[is_open], named_since[is_open])
    return begins


def _follow(begins: Flags, firsts: Codes, since: Codes) -> None:
    """Begin a session at instants that name what a session before the present one had.

    Args:
        begins: Which rows begin one; is added to.
        firsts: The first row of each instant.
        since: From which row on everything that it names has been named.
    """
    last = -1
    for first, low, known in zip(firsts, since, _latest(begins)[firsts], strict=True):
        if low < max(last, known):
            begins[first], last = True, first


def _latest(flags: Flags) -> Codes:
    """Return for each row the last one up to it that is flagged; -1 where none is."""
    return np.maximum.accumulate(np.where(flags, np.arange(len(flags)), -1))


def _sessions(timeline: Timeline, cut: _Cut, reader: Reader, groups: pl.DataFrame) -> pl.DataFrame:
    """Return one row per session."""
    columns = timeline.each(lambda block: _of_block(block, cut))
    owners, begun, ended, labels = columns or [np.empty(0, np.int64)] * 4
    frame = pl.DataFrame(
        {ENTITY: timeline.owners.named(owners), AT: begun, "ended": ended, GROUP: labels}
    )
    traits = [name.removeprefix(key_name("")) for name in groups.columns[1:]]
    if traits:
        frame = frame.join(groups, on=GROUP, how="left", maintain_order="left")
    return frame.select(
        pl.format("{}-{}", ENTITY, AT).alias(ID),
        pl.col(ENTITY).alias(reader.name),
        reader.local(pl.col(AT)).alias("started_at"),
        reader.local(pl.col("ended")).alias("ended_at"),
        ((pl.col("ended") - pl.col(AT)) / MICROSECONDS).alias("duration_s"),
        *(pl.col(key_name(name)).alias(name) for name in traits),
    )


def _of_block(block: Block, cut: _Cut) -> tuple[Codes, Codes, Codes, Codes]:
    """Return the entity, the first and the last moment and the label of each session."""
    first = np.flatnonzero(cut.begins(block))
    last = np.append(first[1:], len(block.codes)) - 1
    begun, ended = block.codes[first], block.codes[last]
    times = block.times_of(begun), block.times_of(ended)
    return block.entities_of(begun), *times, block.labels_of(begun)


def _rule(entity: str, gap: dt.timedelta, cut: _Cut) -> str:
    """Return the sentence that states what a session is."""
    ends = [f"an event more than {length_text(gap)} after the one before"]
    if cut.zone:
        ends.append(f"another day in {cut.zone}")
    if cut.campaigns is not None:
        ends.append("another campaign")
    return (
        f"A session is successive events of one {entity}; a new one begins with {', '.join(ends)}."
    )

"""The values of metrics in windows: one evaluation serves many windows and many metrics."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

import polars as pl

from funnelkit.calendar.grain import ONE_DAY
from funnelkit.evaluation.evaluate import evaluate, plan
from funnelkit.evaluation.history import looks_back
from funnelkit.formula.accumulation import ADDS_UP, MetricKind, kind_of
from funnelkit.formula.formulas import Sum
from funnelkit.formula.properties import aggregates
from funnelkit.formula.reason import Reason
from funnelkit.formula.values import Predicate
from funnelkit.goals.windows import Window
from funnelkit.metrics.metric import Metric
from funnelkit.shop.shop import Shop

__all__ = [
    "ANY_LENGTH",
    "Key",
    "Measured",
    "Reading",
    "Request",
    "Subject",
    "adds_up",
    "history_begins",
    "measure",
]

ANY_LENGTH = "1y"
"""A length of periods, for what depends on how long they are."""

Key = tuple[object, ...]
Names = tuple[str, ...]
Rows = tuple[str, Predicate | None, Names]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured: a metric of some rows.

    Attributes:
        metric: The metric.
        where: Which rows enter.
        keys: The dimensions whose one value is meant, with that value.
    """

    metric: Metric
    where: Predicate | None = None
    keys: tuple[tuple[str, object], ...] = ()

    @property
    def names(self) -> Names:
        """The names of its dimensions."""
        return tuple(name for name, _ in self.keys)

    @property
    def key(self) -> Key:
        """The values of its dimensions."""
        return tuple(value for _, value in self.keys)

    @property
    def rows(self) -> Rows:
        """Which metric of which rows it is, whatever the values of its dimensions."""
        return self.metric.name, self.where, self.names

    def __str__(self) -> str:
        parts = [f"{name} {value}" for name, value in self.keys]
        parts += [] if self.where is None else [f"where {self.where}"]
        return f"{self.metric.name} ({', '.join(parts)})" if parts else self.metric.name


@dataclass(frozen=True, slots=True)
class Request:
    """Windows in which a subject is to be measured."""

    subject: Subject
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of a subject in a window.

    Attributes:
        value: The value.
        numerator: The numerator of a ratio.
        denominator: Its denominator.
        reason: Why the value is null.
        least: The smallest value of a day, of what adds up.
    """

    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    reason: str | None = None
    least: float | None = None


Row = tuple[float | None, float | None, float | None, str | None]
COLUMNS = ("value", "numerator", "denominator", "reason")
EMPTY: Row = (0.0, 0.0, 0.0, None)
NOTHING: Row = (0.0, None, None, None)
NO_ROWS: Row = (None, None, None, str(Reason.NO_ROWS))


def adds_up(metric: Metric) -> bool:
    """Return whether a metric, or both sides of the ratio that it is, adds up over days."""
    single = (fold for fold in aggregates(metric.formula) if isinstance(fold, Sum))
    if any(fold.require_single is not None for fold in single):
        return False
    if metric.kind is MetricKind.FLOW:
        return True
    sides = metric.ratio or ()
    return bool(sides) and all(kind_of(side) is MetricKind.FLOW for side in sides)


class _Table:
    """The values of metrics by window, or by day, of the same rows.

    Attributes:
        rows: The rows of each metric and key.
    """

    def __init__(self, frame: pl.DataFrame, names: Names) -> None:
        self.frame, self.names = frame, names
        parts = frame.partition_by("metric", *names, as_dict=True)
        self.rows = {(str(name), tuple(key)): rows for (name, *key), rows in parts.items()}
        self.by_period: dict[tuple[str, Key], dict[dt.date, Row]] = {}

    def periods(self, subject: Subject) -> Mapping[dt.date, Row]:
        """Return the rows of a subject by period."""
        place = (subject.metric.name, subject.key)
        if place not in self.by_period:
            rows = self.rows.get(place)
            found = [] if rows is None else rows.select("period", *COLUMNS).rows()
            self.by_period[place] = {day: tuple(row) for day, *row in found}
        return self.by_period[place]

    def keys(self, metric: Metric, first: dt.date, end: dt.date) -> set[Key]:
        """Return the keys with anything in some periods."""
        is_there = pl.coalesce("denominator", "value").fill_null(1) != 0
        in_time = (pl.col("period") >= first) & (pl.col("period") < end)
        own = self.frame.filter((pl.col("metric") == metric.name) & in_time & is_there)
        return set(own.select(self.names).unique().rows())


class Measured:
    """What was measured."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._daily: dict[Rows, _Table] = {}
        self._whole: dict[tuple[Rows, Window], _Table] = {}
        self._keys: dict[Rows, set[Key]] = {}

    def add(self, rows: Rows, windows: Sequence[Window], table: _Table) -> None:
        """Add the values of windows, or of days where there are none."""
        if not windows:
            self._daily[rows] = table
        self._whole |= {(rows, window): table for window in windows}

    def reading(self, subject: Subject, window: Window) -> Reading:
        """Return the value of a subject in a window."""
        rows = self._table(subject, window).periods(subject)
        if subject.rows in self._daily:
            return _added(subject.metric, rows, window)
        nothing = NOTHING if subject.metric.kind in ADDS_UP else NO_ROWS
        row = rows.get(window.start, nothing)
        if row[0] is None or row[3] != Reason.INCOMPLETE_PERIOD:
            return Reading(*row)
        return Reading(*row[:3])

    def days(self, subject: Subject, window: Window) -> list[float]:
        """Return the values of the days of a window, of what adds up."""
        rows = self._table(subject, window).periods(subject)
        days = (rows.get(window.start + at * ONE_DAY, EMPTY) for at in range(window.days))
        return [row[0] or 0.0 for row in days]

    def keys(self, subject: Subject, window: Window) -> set[Key]:
        """Return the values of the dimensions of a subject that have anything in a window."""
        table = self._table(subject, window)
        end = window.end if subject.rows in self._daily else window.start + ONE_DAY
        return table.keys(subject.metric, window.start, end)

    def known_keys(self, subject: Subject, window: Window) -> set[Key]:
        """Return the values of the dimensions of a subject that there are at all.

        All of the data is read for them where what was measured has not the subject's own.
        """
        rows = self._table(subject, window).rows
        keys = {key for name, key in rows if name == subject.metric.name}
        if subject.key in keys:
            return keys
        if subject.rows not in self._keys:
            result = evaluate(
                self._shop,
                subject.metric,
                by=subject.names,
                every=ANY_LENGTH,
                where=subject.where,
            )
            self._keys[subject.rows] = set(result.frame.select(subject.names).rows())
        return self._keys[subject.rows]

    def _table(self, subject: Subject, window: Window) -> _Table:
        daily = self._daily.get(subject.rows)
        return self._whole[subject.rows, window] if daily is None else daily


def _added(metric: Metric, rows: Mapping[dt.date, Row], window: Window) -> Reading:
    """Return the value of a window whose days add up: a day without rows has 0."""
    days = [rows.get(window.start + at * ONE_DAY, EMPTY) for at in range(window.days)]
    if metric.kind is MetricKind.FLOW:
        values = [row[0] for row in days if row[0] is not None]
        if len(values) < len(days):
            return Reading(reason=_why([row for row in days if row[0] is None]))
        return Reading(fsum(values), least=min(values, default=None))
    above, below = ([row[side] for row in days if row[side] is not None] for side in (1, 2))
    if min(len(above), len(below)) < len(days):
        return Reading(reason=_why([row for row in days if None in {row[1], row[2]}]))
    numerator, denominator = fsum(above), fsum(below)  # type: ignore[arg-type]
    if not denominator:
        return Reading(None, numerator, denominator, str(Reason.EMPTY_DENOMINATOR))
    return Reading(numerator / denominator, numerator, denominator)


def _why(rows: Iterable[Row]) -> str:
    return next((row[3] for row in rows if row[3]), str(Reason.MISSING_VALUES))


def history_begins(shop: Shop, metric: Metric) -> dt.date | None:
    """Return the first day on which an earlier window may begin.

    What looks back on what customers did before needs something to look back on.
    """
    days = shop.complete_days(metric=metric)
    if days is None:
        return None
    is_later = looks_back(shop.data, plan(shop, metric, every=ANY_LENGTH))
    return days[0] + ONE_DAY if is_later else days[0]


def measure(shop: Shop, requests: Iterable[Request]) -> Measured:
    """Measure subjects in windows; subjects with the same rows and dimensions share evaluations.

    What adds up over days is evaluated once by day. Anything else is evaluated for lists of
    windows that do not overlap: as few of them as the windows allow. What looks back on what
    came before is evaluated apart, as its windows begin later.

    Args:
        shop: The shop.
        requests: What is to be measured, and when.

    Raises:
        FunnelkitError: As for `evaluate`.
    """
    groups: dict[tuple[Predicate | None, Names, bool, bool], list[Request]] = {}
    for request in requests:
        subject, metric = request.subject, request.subject.metric
        has_history = looks_back(shop.data, plan(shop, metric, every=ANY_LENGTH))
        place = (subject.where, subject.names, adds_up(metric), has_history)
        groups.setdefault(place, []).append(request)
    measured = Measured(shop)
    for (where, names, is_daily, _), group in groups.items():
        metrics = list(dict.fromkeys(request.subject.metric for request in group))
        windows = sorted({window for request in group for window in request.windows})
        for chain in [windows] if is_daily else _chains(windows):
            ends = (chain[0].start, max(window.end for window in chain))
            every = "1d" if is_daily else _boundaries(chain)
            result = evaluate(
                shop, metrics, by=names, every=every, start=ends[0], end=ends[1], where=where
            )
            table = _Table(result.tidy(), names)
            for metric in metrics:
                measured.add((metric.name, where, names), [] if is_daily else chain, table)
    return measured


def _chains(windows: Sequence[Window]) -> Iterator[list[Window]]:
    """Return windows in as few lists as possible in which none overlap."""
    chains = list[list[Window]]()
    for window in windows:
        free = [chain for chain in chains if chain[-1].end <= window.start]
        if free:
            max(free, key=lambda chain: chain[-1].end).append(window)
        else:
            chains.append([window])
    yield from chains


def _boundaries(chain: Sequence[Window]) -> list[dt.date]:
    return sorted({day for window in chain for day in (window.start, window.end)})

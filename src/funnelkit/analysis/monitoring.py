"""Monitoring: what of trends and goals needs an answer now."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

import polars as pl
from polars._typing import PolarsDataType

from funnelkit.arguments import check_key_names
from funnelkit.calendar.calendar import Calendar, Moment
from funnelkit.catalog.default import registry
from funnelkit.errors import DefinitionError, shortened
from funnelkit.metrics.metric import Metric
from funnelkit.result.view import Shown, View
from funnelkit.result.watched import Watched
from funnelkit.units import NUMBER, Unit

__all__ = ["Deviations", "deviations"]

FALSE_SIGNALS = 0.0065
"""How many signals a stable chart has per period: 2,500 simulated charts of 52 periods each."""

TREND = (
    *("metric", "period", "value", "expected", "z", "outside", "signal", "verdict"),
    *("onset", "detected"),
)
GOALS = (
    *("goal", "metric", "start", "deadline", "through", "target", "low_target", "high_target"),
    *("actual", "planned", "status", "rule"),
)
GOALS_HEAD = ("goal", "metric", "owner", "objective", "stage")
"""The columns of a frame of goals that come before those of the dimensions."""

MOST_SENTENCES, LEAST_TENTH = 20, 0.1


class What(StrEnum):
    """What needs an answer."""

    MISSED = "missed"
    EXCEEDED = "exceeded"
    OFF_TRACK = "off_track"
    OUTSIDE = "outside"
    RUN = "run"
    NEAR = "near"


SCHEMA: Mapping[str, PolarsDataType] = {
    "when": pl.Date(),
    "metric": pl.String(),
    "what": pl.Enum(What),
    "value": pl.Float64(),
    "expected": pl.Float64(),
    "verdict": pl.Enum(["better", "worse"]),
    **dict.fromkeys(("owner", "evidence", "id", "unit"), pl.String()),
}
NEEDS_ANSWER = {What.MISSED, What.EXCEEDED, What.OFF_TRACK}
Row = Mapping[str, object]
Label = dt.date | dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deviation:
    """What one row of the answer is."""

    when: Label
    metric: str
    keys: Mapping[str, str | None]
    what: What
    value: float | None
    expected: float | None
    verdict: str | None
    owner: str | None
    evidence: str
    id: str
    unit: str


@dataclass(frozen=True, slots=True)
class _Source:
    """A frame to look at, with what is known of its metrics."""

    frame: pl.DataFrame
    metrics: Mapping[str, Metric]
    currency: str
    since: dt.datetime | None

    @property
    def is_trend(self) -> bool:
        return set(TREND) <= set(self.frame.columns)

    @property
    def keys(self) -> list[str]:
        """The columns of the groups: between the period and the value, or before `where`."""
        names = self.frame.columns
        if self.is_trend:
            return names[names.index("period") + 1 : names.index("value")]
        end = "where" if "where" in names else "start"
        kept = [name for name in names[: names.index(end)] if name not in GOALS_HEAD]
        return [*kept, "where"] if "where" in names else kept

    def identity(self, name: str) -> str:
        """Return what names a definition: its fingerprint, where the metric is known."""
        return self.metrics[name].fingerprint if name in self.metrics else name

    def unit(self, name: str) -> Unit:
        return self.metrics[name].unit if name in self.metrics else NUMBER

    def text(self, name: str, value: object) -> str:
        return self.unit(name).format(cast("float | None", value), currency=self.currency)

    def subject(self, row: Row) -> str:
        """Return the metric and the group of a row, as a person reads it."""
        groups = [f"{name} = {row[name]}" for name in self.keys if name != "where"]
        if "where" in self.keys and row["where"]:
            groups.append(str(row["where"]))
        return str(row["metric"]) + (f" ({', '.join(groups)})" if groups else "")

    def groups(self, row: Row) -> dict[str, str | None]:
        return {name: None if row[name] is None else str(row[name]) for name in self.keys}

    def hash(self, row: Row, what: What, *about: object) -> str:
        """Return the same text for the same deviation, however often it is found."""
        parts = [self.identity(str(row["metric"])), self.groups(row), what, *map(str, about)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Deviations(View):
    """What needs an answer now.

    Attributes:
        looked_at: How many charts of trends were looked at.
        goals: How many goals were looked at.
        since: From when on, in local time, if that was given.
        by_chance: How many signals so many charts and periods have about, if nothing has
            changed anywhere.
    """

    looked_at: int
    goals: int
    since: dt.datetime | None
    by_chance: float
    _frame: pl.DataFrame
    _keys: tuple[str, ...]

    @property
    def frame(self) -> pl.DataFrame:
        """One row per deviation, the newest first.

        `when`: of a trend the period in which it could first be seen, of a goal the first day
        not known; `metric` and the keys as text, `where` of a goal among them; `what`:
        `missed`, `exceeded` (a ceiling, before the deadline) or `off_track` of goals,
        `outside`, `run` or `near` of trends; `value` then, and what was `expected`: of a goal
        off track what was planned by then, of a missed one the target; `verdict`, null for a
        neutral metric; `owner` of the goal; `evidence`, one sentence; `id`, the same as long
        as the deviation lasts; `unit`.
        """
        return self._frame.clone()

    def _shown(self) -> Shown:
        frame = self._frame
        sentences = frame.get_column("evidence").to_list()
        notes = [*sentences[:MOST_SENTENCES], ""]
        if frame.height > MOST_SENTENCES:
            notes = [*notes[:-1], f"… {frame.height - MOST_SENTENCES} more in .frame", ""]
        if not sentences:
            notes = ["nothing needs an answer"]
        words = [pl.col(name).cast(pl.String).fill_null("") for name in ("verdict", "owner")]
        return Shown(
            frame=frame.with_columns(*words, pl.col("when").cast(pl.String)),
            figures=[],
            keys=["when", "what", "metric", *self._known_keys(), "verdict", "owner", "id"],
            notes=[*notes, self._chance()],
        )

    def _known_keys(self) -> list[str]:
        texts = self._frame.select(pl.col(self._keys).fill_null(""))
        return [name for name in self._keys if (texts.get_column(name) != "").any()]

    def _chance(self) -> str:
        charts = "1 chart" if self.looked_at == 1 else f"{self.looked_at} charts"
        goals = "1 goal" if self.goals == 1 else f"{self.goals} goals"
        since = "" if self.since is None else f" since {_short(self.since)}"
        looked = f"looked at {charts} and {goals}{since}"
        if not self.looked_at:
            return looked
        places = 1 if self.by_chance >= LEAST_TENTH else 2
        return f"{looked}; by chance alone about {self.by_chance:.{places}f} signals"


def deviations(
    *sources: Watched | pl.DataFrame, since: Moment | None = None, both: bool = False
) -> Deviations:
    """Find what of trends and goals needs an answer: signals for the worse, goals off track.

    Args:
        sources: Results of `fk.trend` and `fk.track`, or their frames; of a frame the metrics are
            looked up in the registry.
        since: Leave out what could be seen before: signals that a period before it showed, and
            goals of which no day from then on is known.
        both: Also return signals for the better, and those of neutral metrics.

    Raises:
        DefinitionError: A source is neither of the two, or `since` is not valid.

    Examples:
        >>> import funnelkit as fk
        >>> weeks = fk.evaluate(fk.demo(), "session_conversion_rate", every="1w")
        >>> found = fk.deviations(fk.trend(weeks), since="2024-10-01")
        >>> found.frame.select("when", "what").row(0)
        (datetime.date(2024, 10, 14), 'outside')
    """
    _check(sources)
    read = [_source(each, since) for each in sources]
    found = [each for source in read for each in _found(source)]
    kept = [each for each in found if both or each.verdict == "worse"]
    keys = list(dict.fromkeys(key for source in read for key in source.keys))
    check_key_names(keys, SCHEMA)
    charts, looks = zip(*map(_looks, read), strict=True)
    return Deviations(
        looked_at=sum(charts),
        goals=sum(source.frame.height for source in read if not source.is_trend),
        since=next((source.since for source in read), None),
        by_chance=sum(looks) * FALSE_SIGNALS * (1 if both else 0.5),
        _frame=_frame(kept, keys, [source.frame for source in read]),
        _keys=tuple(keys),
    )


def _check(sources: Sequence[object]) -> None:
    """Check that every source has the columns of a trend or of goals."""
    faults = [] if sources else ["there is nothing to look at"]
    for place, source in enumerate(sources, 1):
        if not isinstance(source, pl.DataFrame | Watched):
            faults.append(f"source {place} is a {type(source).__name__}: {shortened(repr(source))}")
            continue
        frame = source if isinstance(source, pl.DataFrame) else source.frame
        names = set(frame.columns)
        if not (set(TREND) <= names or set(GOALS) <= names):
            faults.append(f"source {place} has the columns {', '.join(frame.columns)}")
    if faults:
        raise DefinitionError("; ".join(faults), "give results of fk.trend and fk.track")


def _source(source: Watched | pl.DataFrame, since: Moment | None) -> _Source:
    if isinstance(source, pl.DataFrame):
        frame, currency, known = source, "", registry()
        names = frame.get_column("metric").unique()
        metrics = {name: known[name] for name in names if name in known}
    else:
        frame, currency = source.frame, source.currency
        metrics = {metric.name: metric for metric in source.metrics}
    column = frame.schema["period" if "period" in frame.columns else "through"]
    zone = column.time_zone if isinstance(column, pl.Datetime) else None
    local = Calendar(time_zone=zone or "UTC").local(since, "since")
    return _Source(frame, metrics, currency, local)


def _looks(source: _Source) -> tuple[int, int]:
    """Return how many charts there are to look at, and how many of their periods."""
    if not source.is_trend:
        return 0, 0
    judged = source.frame.filter(pl.col("expected").is_not_null())
    starts = judged.get_column("period").to_list()
    periods = sum(source.since is None or _local(each) >= source.since for each in starts)
    return judged.select("metric", *source.keys).n_unique(), periods


def _local(label: Label) -> dt.datetime:
    """Return a label of a period as local time."""
    if isinstance(label, dt.datetime):
        return label.replace(tzinfo=None)
    return dt.datetime.combine(label, dt.time())


def _found(source: _Source) -> Iterator[_Deviation]:
    return _of_trend(source) if source.is_trend else _of_goals(source)


def _of_trend(source: _Source) -> Iterator[_Deviation]:
    """Return each signal once, as it was when it could first be seen.

    What lies near a limit only because of a value outside is no signal of its own.
    """
    frame, groups = source.frame, ["metric", *source.keys]
    marked = frame.filter(pl.col("signal").is_not_null())
    episode = [*groups, "signal", "onset", "detected", "verdict"]
    last = marked.group_by(episode, maintain_order=True).agg(last=pl.col("period").max())
    then = frame.select(*groups, "period", "value", "expected", "z", "outside")
    seen = last.join(
        then,
        left_on=[*groups, "detected"],
        right_on=[*groups, "period"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    echo = (pl.col("signal") == What.NEAR) & pl.col("outside")
    last_known = pl.max_horizontal("last", "detected").alias("last")
    for row in seen.filter(~echo).with_columns(last_known).iter_rows(named=True):
        if source.since is None or _local(row["detected"]) >= source.since:
            yield _signal(source, row)


def _signal(source: _Source, row: dict[str, object]) -> _Deviation:
    what, name = What(str(row["signal"])), str(row["metric"])
    return _Deviation(
        when=cast(Label, row["detected"]),
        metric=name,
        keys=source.groups(row),
        what=what,
        value=cast("float | None", row["value"]),
        expected=cast("float | None", row["expected"]),
        verdict=cast("str | None", row["verdict"]),
        owner=None,
        evidence=_signal_sentence(source, row, what),
        id=source.hash(row, what, cast(Label, row["onset"]).isoformat()),
        unit=str(source.unit(name)),
    )


def _signal_sentence(source: _Source, row: Row, what: What) -> str:
    name, subject = str(row["metric"]), source.subject(row)
    value, expected = cast(float, row["value"]), cast(float, row["expected"])
    side = "above" if value > expected else "below"
    usual = source.text(name, expected)
    match what:
        case What.OUTSIDE:
            far = "" if row["z"] is None else f"{abs(cast(float, row['z'])):.1f} sigma "
            shown = source.text(name, value)
            return f"{subject}: {shown} in the period of {row['detected']}, {far}{side} {usual}"
        case What.RUN:
            span = f"from {row['onset']} to {row['last']}"
            return f"{subject}: {side} {usual} in every period {span}"
        case _:
            span = f"from {row['onset']} to {row['last']}"
            return f"{subject}: far {side} {usual} in several periods {span}"


def _of_goals(source: _Source) -> Iterator[_Deviation]:
    """Return the goals that were missed, or will be if nothing changes."""
    for row in source.frame.iter_rows(named=True):
        status, through = str(row["status"]), row["through"]
        if status not in NEEDS_ANSWER or through is None:
            continue
        if source.since is None or _local(through) > source.since:
            is_exceeded = str(row["rule"]) == What.EXCEEDED
            yield _goal(source, row, What.EXCEEDED if is_exceeded else What(status))


def _goal(source: _Source, row: dict[str, object], what: What) -> _Deviation:
    name = str(row["metric"])
    planned = row["planned"] if what is What.OFF_TRACK else None
    expected = _aimed(row) if planned is None else cast(float, planned)
    return _Deviation(
        when=cast(Label, row["through"]),
        metric=name,
        keys=source.groups(row),
        what=what,
        value=cast("float | None", row["actual"]),
        expected=expected,
        verdict="worse",
        owner=cast("str | None", row.get("owner")) or None,
        evidence=_goal_sentence(source, row, what),
        id=source.hash(row, what, row["goal"], row["start"], row["deadline"]),
        unit=str(source.unit(name)),
    )


def _aimed(row: Row) -> float | None:
    """Return the target of a goal, or the end of its band that is nearer to the value."""
    if row["target"] is not None:
        return cast(float, row["target"])
    low, high = cast("float | None", row["low_target"]), cast("float | None", row["high_target"])
    actual = cast("float | None", row["actual"])
    return low if None not in {low, actual} and cast(float, actual) < cast(float, low) else high


def _goal_sentence(source: _Source, row: Row, what: What) -> str:
    """Return how a goal stands, in one sentence."""
    name = str(row["metric"])

    def text(column: str) -> str:
        return source.text(name, row[column])

    aim = text("target")
    if row["target"] is None:
        aim = f"{text('low_target')} to {text('high_target')}"
    span = f"from {row['start']} until {row['through']}"
    bound = {"up": "at least ", "down": "at most "}.get(str(row.get("better")), "")
    head = f"{row['goal']}: {source.subject(row)} was {text('actual')} {span}"
    parts = [head, f"target {bound}{aim}"]
    if what is What.OFF_TRACK:
        parts[1] += f" by {row['deadline']}"
        parts += [f"planned by then {text('planned')}"] if row["planned"] is not None else []
        if row.get("projection") is not None:
            parts.append(f"on course for {text('projection')}")
        if row.get("windows"):
            parts.append(f"{row['sufficed']} of {row['windows']} earlier windows would suffice")
    return ", ".join(parts)


def _frame(
    found: Sequence[_Deviation], keys: Sequence[str], frames: Sequence[pl.DataFrame]
) -> pl.DataFrame:
    """Return the rows, the newest first."""
    periods = [f.schema["period"] for f in frames if "period" in f.columns]
    hours = [dtype for dtype in periods if isinstance(dtype, pl.Datetime)]
    when = hours[0] if hours else pl.Date()
    rows = [
        {
            **{name: each.keys.get(name) for name in keys},
            **{name: getattr(each, name) for name in SCHEMA},
            "when": _as_label(each.when, when),
        }
        for each in found
    ]
    types = {**SCHEMA, "when": when, **dict.fromkeys(keys, pl.String())}
    names = ["when", "metric", *keys, *(name for name in SCHEMA if name not in {"when", "metric"})]
    frame = pl.DataFrame(rows, schema=types).select(names)
    return frame.sort("when", "metric", descending=[True, False], maintain_order=True)


def _short(local: dt.datetime) -> str:
    return str(local).removesuffix(" 00:00:00")


def _as_label(label: Label, dtype: pl.DataType) -> Label:
    if isinstance(label, dt.datetime) or not isinstance(dtype, pl.Datetime):
        return label
    midnight, zone = dt.datetime.combine(label, dt.time()), dtype.time_zone
    return midnight if zone is None else Calendar(time_zone=zone).instant(midnight)

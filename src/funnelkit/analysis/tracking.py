"""Tracking: whether goals will be reached."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import polars as pl
from polars._typing import PolarsDataType

from funnelkit.arguments import check_kind, check_names
from funnelkit.charts.bullets import bullets
from funnelkit.charts.spec import Spec
from funnelkit.errors import DefinitionError, UnknownNameError, nearest, some
from funnelkit.formula.accumulation import MetricKind
from funnelkit.goals.assess import Assessed, assess
from funnelkit.goals.goal import Goal
from funnelkit.goals.outlook import FEWEST_FOR_INTERVAL, GoalReason
from funnelkit.goals.rollup import check_adds_up, together
from funnelkit.goals.shown import bullet_of, in_unit, target_text
from funnelkit.goals.status import Status, StatusRule, StatusRules, worst
from funnelkit.goals.table import goals_of_table
from funnelkit.goals.target import Better
from funnelkit.metrics.metric import Metric, Stage
from funnelkit.result.view import Figure, Plotted, Shown
from funnelkit.shop.shop import Shop
from funnelkit.units import RATIO

__all__ = ["Progress", "track"]

USUAL = StatusRules()
STATUS, STAGE = pl.Enum(Status), pl.Enum(Stage)
FLOATS = (
    *("baseline", "target", "low_target", "high_target", "actual"),
    *("numerator", "denominator", "denominator_rest", "attainment", "progress", "planned"),
    *("pace", "achieved", "required", "projection", "low", "high", "level"),
)
HEAD: Mapping[str, PolarsDataType] = {
    **dict.fromkeys(("goal", "metric", "owner", "objective"), pl.String()),
    "stage": STAGE,
}
TAIL: Mapping[str, PolarsDataType] = {
    "where": pl.String(),
    **dict.fromkeys(("start", "deadline", "through"), pl.Date()),
    "elapsed": pl.Float64(),
    "kind": pl.Enum(MetricKind),
    "better": pl.Enum(Better),
    **dict.fromkeys(FLOATS, pl.Float64()),
    **dict.fromkeys(("sufficed", "windows"), pl.Int64()),
    "exhausted": pl.Date(),
    "status": STATUS,
    "rule": pl.Enum(StatusRule),
    "reason": pl.String(),
    "unit": pl.String(),
}
GROUPS = ("owner", "objective", "stage", "where", "start", "deadline")
"""What goals can be rolled up by, beside their dimensions."""

WORDS = (
    f"status: with {FEWEST_FOR_INTERVAL} or more earlier windows of the same length, by the share "
    "of them whose rest would suffice; with fewer, by the pace. .frame names the rule."
)
MOST_NOTES = 8
Row = dict[str, object]


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Progress(Plotted):
    """How goals stand, one row per goal; read as one table by stage of the funnel.

    Attributes:
        goals: The goals.
        currency: The code of the currency of amounts.
        known_until: The first day of which the data does not tell everything.
    """

    goals: tuple[Goal, ...]
    currency: str
    known_until: dt.date
    _assessed: tuple[Assessed, ...]

    @property
    def frame(self) -> pl.DataFrame:
        """One row per goal, in the order given.

        - `goal`, `metric`, `owner`, `objective`, `stage`, a column per dimension, `where`.
        - `start`, `deadline`: the first day that counts and the first that does not.
          `through`: the first day not known, at most the deadline. `elapsed`: the share of
          the window's days, weighed as planned, that is over.
        - `kind`: how the metric accumulates. `better`: `up`, `down`, or `inside` a band.
        - `baseline`, `target`, for a band `low_target` and `high_target`.
        - `actual`: the value from `start` to `through`, recomputed, never a mean of days;
          of a ratio with `numerator` and `denominator`.
        - `attainment`: actual by target. `progress`: the share of the way from the baseline to
          the target; of a sum or count the attainment; of a band the share of complete months
          (weeks, days) that lie in it.
        - `planned`: what the plan wants by now. `pace`: actual by planned; of a level with a
          baseline progress by elapsed.
        - `achieved`, `required`: of a sum or count, per planned day so far and per planned day
          left; of a ratio, its value so far and what it must be in the rest, which is taken
          to have `denominator_rest`.
        - `projection`: the value at the deadline if the rest goes as in the earlier windows;
          a share `level` of intervals `low` to `high` holds it. `sufficed`: in how many of
          the earlier `windows` the rest would have sufficed.
        - `exhausted`: the day on which a ceiling was used up, or will be at the pace so far.
        - `status`, see `Status`; `rule`, which rule decided it, see `StatusRule`.
        - `reason`: why something is null, or is to be read with care: see `Reason` and
          `GoalReason`. What does not apply to the kind of metric is null without a reason.
        """
        return _frame([*map(_row, self._assessed)], self._keys())

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of the goals."""
        return tuple(dict.fromkeys(goal.metric for goal in self.goals))

    def objectives(self) -> pl.DataFrame:
        """Return how each objective stands: as its worst goal.

        Returns:
            A frame with `objective`, `goals` (how many), `status`, and `worst`, the name of
            the first goal that stands so; goals without an objective are left out.
        """
        rows = list[tuple[object, ...]]()
        for name in dict.fromkeys(goal.objective for goal in self.goals if goal.objective):
            own = [each for each in self._assessed if each.goal.objective == name]
            status = worst(each.standing.status for each in own)
            decisive = next(e for e in own if (e.standing.status or Status.NO_DATA) == status)
            rows.append((name, len(own), status, decisive.goal.name))
        schema: dict[str, PolarsDataType] = {
            "objective": pl.String(),
            "goals": pl.Int64(),
            "status": STATUS,
            "worst": pl.String(),
        }
        return pl.DataFrame(rows, schema=schema, orient="row")

    def rollup(self, by: str | Sequence[str] = ()) -> pl.DataFrame:
        """Return goals of the same metric together.

        Targets of sums and counts add up, those of ratios are weighed by their planned
        denominators.

        Args:
            by: What to keep apart: dimensions, `owner`, `objective`, `stage`, `where`,
                `start`, `deadline`.

        Returns:
            A frame with `metric`, a column per name, `goals` (how many), `start`, `deadline`,
            `target`, `actual`, `attainment`, `planned`, `pace`, `status` (the worst),
            `reason` and `unit`.

        Raises:
            DefinitionError: The columns are not names.
            UnknownNameError: There is no such column.
            UnsupportedError: Goals have no common target, or may count the same rows.
        """
        names = check_names("by", by)
        keys = self._keys()
        for name in names:
            if name not in {*GROUPS, *keys}:
                raise UnknownNameError("column of goals", name, [*GROUPS, *keys])
        groups: dict[tuple[object, ...], list[Assessed]] = {}
        for each in self._assessed:
            row = _row(each)
            place = (each.goal.metric, each.goal.better, *(row.get(name) for name in names))
            groups.setdefault(place, []).append(each)
        check_adds_up(list(groups.values()))
        rows = [_rolled(group, names) for group in groups.values()]
        wanted = ["metric", *names, "goals", *_ROLLED]
        types = {**HEAD, **TAIL, "goals": pl.Int64()}
        return _typed(rows, list(dict.fromkeys(wanted)), types)

    @property
    def uncovered(self) -> pl.DataFrame:
        """The values of dimensions that have something in a goal's window, and no goal.

        Columns: `metric`, a column per dimension, `where`, `start`, `through`, `actual`, `unit`.
        """
        rows = list[Row]()
        for each in self._assessed:
            row, dimensions = _row(each), each.goal.subject.names
            for key, reading in each.uncovered.items():
                keys = dict(zip(dimensions, key, strict=True))
                rows.append({**row, **keys, "actual": reading.value})
        names = ["metric", *self._keys(), "where", "start", "through", "actual", "unit"]
        return _typed(rows, names, {**HEAD, **TAIL}).unique(maintain_order=True)

    @property
    def conflicts(self) -> pl.DataFrame:
        """The pairs of goals of one metric, of the same rows and days, whose targets differ.

        Columns: `metric`, `start`, `deadline`, `goal` and `other`, `target` and `other_target`.
        """
        pairs = [
            (one.metric.name, one.start, one.deadline, one.name, two.name, one.aimed, two.aimed)
            for one, two in combinations(self.goals, 2)
            if (one.subject, one.window) == (two.subject, two.window) and one.aimed != two.aimed
        ]
        texts = ("goal", "other", "target", "other_target")
        schema: dict[str, PolarsDataType] = {
            "metric": pl.String(),
            "start": pl.Date(),
            "deadline": pl.Date(),
            **dict.fromkeys(texts, pl.String()),
        }
        return pl.DataFrame(pairs, schema=schema, orient="row")

    def _keys(self) -> list[str]:
        return list(dict.fromkeys(name for goal in self.goals for name in goal.subject.names))

    def picture(self) -> Spec:
        """Return a bullet per goal, as a Vega-Lite specification; see `plot`."""
        goals = [bullet_of(each, self.currency) for each in self._assessed]
        return bullets(goals, [f"known before {self.known_until}"])

    def _shown(self) -> Shown:
        order = {stage: place for place, stage in enumerate(Stage)}
        last = len(order)
        rows = sorted(
            self._assessed,
            key=lambda each: (
                order.get(each.goal.metric.stage, last) if each.goal.metric.stage else last
            ),
        )
        texts = [_texts(each, self.currency) for each in rows]
        for above, below in reversed(list(pairwise(texts))):
            if above["stage"] == below["stage"]:
                below["stage"] = ""
        keys = ["stage", "goal", "until", "actual", "target", "projection", "status"]
        schema: dict[str, PolarsDataType] = dict.fromkeys(keys, pl.String())
        frame = pl.DataFrame(texts, schema={**schema, "progress": pl.Float64()})
        return Shown(
            frame=frame,
            figures=[Figure("progress", RATIO)],
            keys=keys,
            notes=list(self._notes()),
        )

    def _notes(self) -> Iterator[str]:
        """Return what a reader is to know beyond the table."""
        counts = [
            f"{count} {str(status).replace('_', ' ')}"
            for status in Status
            if (count := sum(each.standing.status is status for each in self._assessed))
        ]
        yield f"known before {self.known_until}; {', '.join(counts)}"
        told = [note for each in self._assessed if (note := _note(each, self.currency))]
        yield from told[:MOST_NOTES]
        if len(told) > MOST_NOTES:
            yield f"and {len(told) - MOST_NOTES} more that are not on track"
        if count := self.uncovered.height:
            yield f"values of dimensions without a goal: {count}, see .uncovered"
        if count := self.conflicts.height:
            yield f"pairs of goals that contradict each other: {count}, see .conflicts"
        yield WORDS


_ROLLED = (
    *("start", "deadline", "target", "actual", "attainment", "planned", "pace"),
    *("status", "reason", "unit"),
)


def track(
    shop: Shop,
    goals: Goal | Iterable[Goal] | pl.DataFrame,
    *,
    every: str | None = None,
    rules: StatusRules = USUAL,
) -> Progress:
    """Measure how goals stand, and whether they will be reached.

    Only complete days count. Goals on the same tables share evaluations.

    Args:
        shop: The shop.
        goals: Goals, or a targets table: a frame with the columns `metric` and `target`,
            `start` and `deadline` or `period`, and as wanted `low`, `high`, `lift`,
            `baseline`, `where`, `better`, `owner`, `objective`, `supports`, `name` and
            `planned_denominator`. Any other column is a dimension, and the row is the
            goal of its value; null stands for all values.
        every: The length of the periods of a targets table with a column `period`.
        rules: From where on a goal is on track, or at risk.

    Raises:
        DefinitionError: A targets table is not valid, or a target changes a baseline that is 0
            or less; lists every problem.
        DataError: It is not known up to when the data reaches, or inputs are missing.
        FunnelkitError: As for `evaluate`.

    Examples:
        >>> import funnelkit as fk
        >>> goal = fk.Goal(metric="orders", target=100, start="2024-12-01", deadline="2025-01-01")
        >>> fk.track(fk.demo(), goal).frame.select("actual", "status").row(0)
        (127.0, 'met')
    """
    check_kind("shop", shop, (Shop,), "bind the frames: fk.Shop(orders=…)")
    check_kind("rules", rules, (StatusRules,), "pass fk.StatusRules(on_track=0.8)")
    chosen = _goals(shop, goals, every)
    assessed, known_until = assess(shop, chosen, rules)
    return Progress(
        goals=chosen,
        currency=shop.data.currency,
        known_until=known_until,
        _assessed=tuple(assessed),
    )


def _goals(
    shop: Shop, goals: Goal | Iterable[Goal] | pl.DataFrame, every: str | None
) -> tuple[Goal, ...]:
    if isinstance(goals, pl.DataFrame):
        chosen = goals_of_table(goals, shop.data.calendar, every=every)
    elif every is not None:
        raise DefinitionError(
            f"every={every!r} is for a targets table with a column period",
            "write start= and deadline= of each goal",
        )
    elif isinstance(goals, Goal):
        chosen = (goals,)
    else:
        check_kind("goals", goals, (Iterable,), "pass fk.Goal objects, or a frame of targets")
        chosen = tuple(goals)
    for item in chosen:
        check_kind("a goal", item, (Goal,), "pass fk.Goal objects, or a frame of targets")
    if not chosen:
        raise DefinitionError("there are no goals to track", "pass at least one")
    taken = {*HEAD, *TAIL}
    clash = sorted({n for goal in chosen for n in goal.subject.names if n in taken})
    if clash:
        remedy = f"rename it: fk.Dimension('my_{clash[0]}', …), or use where="
        raise DefinitionError(f"the dimension {clash[0]} has the name of a column", remedy)
    return chosen


def _row(each: Assessed) -> Row:
    """Return the row of a goal."""
    goal, case, stands = each.goal, each.case, each.standing
    aim, ahead = case.aim, stands.ahead
    is_band = goal.better is Better.INSIDE
    return {
        "goal": goal.name,
        "metric": goal.metric.name,
        "owner": goal.owner,
        "objective": goal.objective,
        "stage": goal.metric.stage,
        **dict(goal.keys),
        "where": None if goal.where is None else str(goal.where),
        "start": goal.start,
        "deadline": goal.deadline,
        "through": each.through,
        "elapsed": case.gone / case.days,
        "kind": case.kind,
        "better": goal.better,
        "baseline": case.baseline,
        "target": case.target,
        "low_target": aim.low if aim and is_band else None,
        "high_target": aim.high if aim and is_band else None,
        "actual": each.reading.value,
        "numerator": each.reading.numerator,
        "denominator": each.reading.denominator,
        **{name: getattr(stands, name) for name in _OF_STANDING},
        **{name: getattr(ahead, name) for name in _OF_OUTLOOK},
        "exhausted": each.exhausted,
        "reason": ", ".join(stands.reasons) or None,
        "unit": str(goal.metric.unit),
    }


_OF_STANDING = (
    *("denominator_rest", "attainment", "progress", "planned", "pace", "achieved", "required"),
    *("status", "rule"),
)
_OF_OUTLOOK = ("projection", "low", "high", "level", "sufficed", "windows")


def _frame(rows: Sequence[Row], keys: Sequence[str]) -> pl.DataFrame:
    return _typed(rows, [*HEAD, *keys, *TAIL], {**HEAD, **TAIL})


def _typed(
    rows: Sequence[Row], names: Sequence[str], types: Mapping[str, PolarsDataType]
) -> pl.DataFrame:
    """Return rows as a frame; dimensions are of the type of their values, or text."""
    columns = list[pl.Series]()
    for name in names:
        values = [row.get(name) for row in rows]
        kinds = {type(value) for value in values if value is not None}
        if name in types:
            columns.append(pl.Series(name, values, dtype=types[name]))
        elif len(kinds) <= 1:
            columns.append(pl.Series(name, values, dtype=None if kinds else pl.String()))
        else:
            texts = [None if value is None else str(value) for value in values]
            columns.append(pl.Series(name, texts, dtype=pl.String))
    return pl.DataFrame(columns)


def _rolled(group: Sequence[Assessed], names: Sequence[str]) -> Row:
    """Return the row of goals of one metric together."""
    first = group[0]
    whole, metric = together(group), first.goal.metric
    target, value = whole.target, whole.value
    has_share = first.case.grows or first.goal.better is Better.UP
    is_share = target is not None and value is not None and target > 0 and has_share
    own = _row(first)
    return {
        "metric": metric.name,
        "start": min(each.goal.start for each in group),
        "deadline": max(each.goal.deadline for each in group),
        **{name: own.get(name) for name in names},
        "goals": len(group),
        "target": target,
        "actual": value,
        "attainment": _share(value, target) if is_share else None,
        "planned": whole.planned,
        "pace": _share(value, whole.planned),
        "status": whole.status,
        "reason": whole.reason,
        "unit": str(metric.unit),
    }


def _share(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole is not None and whole > 0 else None


def _texts(each: Assessed, currency: str) -> dict[str, object]:
    """Return the cells of a goal, with its numbers in the unit of its metric."""
    goal, stands = each.goal, each.standing
    return {
        "stage": str(goal.metric.stage or ""),
        "goal": goal.name.removesuffix(f" before {goal.deadline}"),
        "until": str(goal.deadline),
        "actual": in_unit(goal.metric, each.reading.value, currency),
        "target": target_text(each, currency),
        "projection": in_unit(goal.metric, stands.ahead.projection, currency),
        "status": str(stands.status or "–").replace("_", " "),
        "progress": stands.attainment if stands.progress is None else stands.progress,
    }


def _note(each: Assessed, currency: str) -> str:
    """Return in a sentence why a goal that is not on track stands as it does."""
    goal, stands = each.goal, each.standing
    if stands.status in {Status.MET, Status.ON_TRACK, Status.NOT_STARTED}:
        return ""
    if each.reading.reason == GoalReason.NO_SUCH_KEY:
        return f"{goal.name}: {_no_such_key(each)}"
    if stands.status is Status.NO_DATA:
        return f"{goal.name}: {', '.join(stands.reasons) or 'no value'}"
    parts = list[str]()
    ahead = stands.ahead
    if stands.rule is StatusRule.EARLIER_WINDOWS:
        parts.append(
            f"the rest of {ahead.sufficed} of {ahead.windows} earlier windows would suffice"
        )
    if stands.required is not None and stands.achieved is not None:
        needed, so_far = (
            in_unit(goal.metric, value, currency) for value in (stands.required, stands.achieved)
        )
        when = "a day for the rest" if each.case.kind is MetricKind.FLOW else "in the rest"
        parts.append(f"{needed} {when}, {so_far} so far")
    return f"{goal.name}: {'; '.join(parts)}" if parts else ""


def _no_such_key(each: Assessed) -> str:
    """Return which value of a dimension the data does not have, and which it has."""
    names, wanted = each.goal.subject.names, each.goal.subject.key
    known = {", ".join(map(str, key)): None for key in sorted(each.known_keys, key=str)}
    text = ", ".join(map(str, wanted))
    likely = [key for key in known if key.casefold() == text.casefold()] or nearest(text, known)
    found = f"did you mean {' or '.join(likely)}?" if likely else f"it has {some([*known])}"
    return f"the data has no {', '.join(names)} {text}; {found}"

"""How a goal stands: ordered rules of which the first that applies decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from funnelkit.arguments import is_finite
from funnelkit.errors import DefinitionError
from funnelkit.formula.accumulation import MetricKind
from funnelkit.goals.outlook import FEWEST_FOR_INTERVAL, Case, Outlook
from funnelkit.goals.target import Aim, Better, reaches

__all__ = ["Decision", "Status", "StatusRule", "StatusRules", "decide", "path", "worst"]


class Status(StrEnum):
    """How a goal stands, the worst first."""

    MISSED = "missed"
    OFF_TRACK = "off_track"
    AT_RISK = "at_risk"
    NO_DATA = "no_data"
    NOT_STARTED = "not_started"
    ON_TRACK = "on_track"
    MET = "met"


class StatusRule(StrEnum):
    """Which rule decided the status, in the order in which they are tried.

    | rule | applies when | status |
    | --- | --- | --- |
    | `not_started` | no complete day of the window is known | `not_started` |
    | `no_data` | the value, or the target, is null | `no_data` |
    | `deadline` | the window is over | `met` or `missed` |
    | `reached` | what cannot fall has reached its target | `met` |
    | `exceeded` | what cannot fall has exceeded its ceiling | `missed` |
    | `earlier_windows` | there are 9 or more earlier windows | by the share that would suffice |
    | `pace` | a sum or count of rows | by the value to what is planned by now |
    | `path` | a level or stock | by the target, and by the straight path to it |
    | `upper_bound` | a distinct count | by the straight line, which it stays below |
    """

    NOT_STARTED = "not_started"
    NO_DATA = "no_data"
    DEADLINE = "deadline"
    REACHED = "reached"
    EXCEEDED = "exceeded"
    EARLIER_WINDOWS = "earlier_windows"
    PACE = "pace"
    PATH = "path"
    UPPER_BOUND = "upper_bound"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRules:
    """From where on a goal is on track, or at risk.

    Attributes:
        on_track: The smallest share of earlier windows whose rest would suffice.
        at_risk: The same, below which it is off track.
        pace_on_track: The smallest pace, without earlier windows; a ceiling allows its inverse.
        pace_at_risk: The same, below which it is off track.
    """

    on_track: float = 0.5
    at_risk: float = 0.1
    pace_on_track: float = 1.0
    pace_at_risk: float = 0.9

    def __post_init__(self) -> None:
        if faults := list(self._faults()):
            raise DefinitionError(f"StatusRules: {'; '.join(faults)}", "see fk.StatusRules")

    def _faults(self) -> Iterator[str]:
        for low, high, most in (("at_risk", "on_track", 1), ("pace_at_risk", "pace_on_track", inf)):
            pair = {name: getattr(self, name) for name in (low, high)}
            wrong = [name for name, value in pair.items() if not _is_share(value, most)]
            range_ = "above 0" if most == inf else "above 0 and at most 1"
            yield from (f"{name}={pair[name]!r} is not a number {range_}" for name in wrong)
            if not wrong and pair[low] > pair[high]:
                yield f"{low}={pair[low]!r} lies above {high}={pair[high]!r}"


def _is_share(value: object, most: float) -> bool:
    return is_finite(value) and 0 < value <= most


Decision = tuple[Status | None, StatusRule]


def decide(case: Case, ahead: Outlook, rules: StatusRules) -> Decision:
    """Return how a goal stands, and which rule decided it.

    Args:
        case: The goal in numbers.
        ahead: Where it will end.
        rules: The thresholds.
    """
    value, aim = case.value, case.aim
    if case.gone <= 0:
        return Status.NOT_STARTED, StatusRule.NOT_STARTED
    if value is None or aim is None:
        return Status.NO_DATA, StatusRule.NO_DATA
    if case.is_over:
        return Status.MET if aim.is_met_by(value) else Status.MISSED, StatusRule.DEADLINE
    if case.grows and not case.can_fall:
        if aim.better is Better.UP and aim.is_met_by(value):
            return Status.MET, StatusRule.REACHED
        if aim.better is Better.DOWN and not aim.is_met_by(value):
            return Status.MISSED, StatusRule.EXCEEDED
    if ahead.windows and ahead.sufficed is not None and ahead.windows >= FEWEST_FOR_INTERVAL:
        share = ahead.sufficed / ahead.windows
        return _graded(share, rules.on_track, rules.at_risk), StatusRule.EARLIER_WINDOWS
    match case.kind:
        case MetricKind.FLOW:
            return _by_pace(case, aim, value, rules), StatusRule.PACE
        case MetricKind.DISTINCT:
            return _by_upper_bound(case, aim), StatusRule.UPPER_BOUND
        case _:
            return _by_path(case, aim, value), StatusRule.PATH


def _graded(value: float, on_track: float, at_risk: float) -> Status:
    if reaches(value, on_track):
        return Status.ON_TRACK
    return Status.AT_RISK if reaches(value, at_risk) else Status.OFF_TRACK


def path(case: Case) -> float | None:
    """Return what is planned by now: of the target, or on the way to it from the baseline."""
    target = case.target
    if target is None or case.kind is MetricKind.DISTINCT:
        return None
    start = 0.0 if case.kind is MetricKind.FLOW else case.baseline
    return None if start is None else start + (target - start) * case.gone / case.days


def _by_pace(case: Case, aim: Aim, value: float, rules: StatusRules) -> Status:
    planned = path(case)
    if planned is None or planned <= 0:  # nothing can be a share of it
        is_good = planned is not None and aim.is_as_good(value, planned)
        return Status.ON_TRACK if is_good else Status.OFF_TRACK
    pace, sign = value / planned, 1
    on_track, at_risk = rules.pace_on_track, rules.pace_at_risk
    if aim.better is Better.DOWN:
        sign, on_track, at_risk = -1, 1 / on_track, 1 / at_risk
    return _graded(sign * pace, sign * on_track, sign * at_risk)


def _by_path(case: Case, aim: Aim, value: float) -> Status:
    if aim.is_met_by(value):
        return Status.ON_TRACK
    planned = path(case)
    if planned is None or aim.is_as_good(value, planned):
        return Status.AT_RISK
    return Status.OFF_TRACK


def _by_upper_bound(case: Case, aim: Aim) -> Status | None:
    most = case.pace_value
    is_met = most is not None and aim.is_met_by(most)
    if aim.better is Better.UP:
        return None if is_met else Status.OFF_TRACK
    return Status.ON_TRACK if is_met else None


_ORDER: Sequence[Status] = tuple(Status)


def worst(statuses: Iterable[Status | None]) -> Status | None:
    """Return the worst of several; what is not known counts as no data."""
    known = [status or Status.NO_DATA for status in statuses]
    return min(known, key=_ORDER.index, default=None)

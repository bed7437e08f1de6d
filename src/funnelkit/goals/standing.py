"""The figures of a goal: what is planned, reached, required and to be expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from funnelkit.formula.accumulation import MetricKind
from funnelkit.goals.outlook import Case, GoalReason, Outlook, outlook
from funnelkit.goals.status import Status, StatusRule, StatusRules, decide, path
from funnelkit.goals.target import Better

__all__ = ["Standing", "standing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a goal stands.

    Attributes:
        attainment: The value by the target.
        progress: The share of the way from the baseline to the target; of a band, the share of
            complete parts of the window that lie in it.
        planned: What is planned by now.
        pace: The value by what is planned by now; of a level, the progress by the time gone.
        achieved: What was reached per planned day; of a level, its value.
        required: What is needed per planned day left; of a ratio, in the rest of the window.
        denominator_rest: The denominator of the rest of the window that this assumes.
        ahead: Where it will end.
        status: How it stands.
        rule: Which rule decided that.
        reasons: Why something is null.
    """

    attainment: float | None
    progress: float | None
    planned: float | None
    pace: float | None
    achieved: float | None
    required: float | None
    denominator_rest: float | None
    ahead: Outlook
    status: Status | None
    rule: StatusRule
    reasons: tuple[str, ...]


def standing(
    case: Case, *, rules: StatusRules, inside: float | None = None, reasons: Sequence[str] = ()
) -> Standing:
    """Return how a goal stands.

    Args:
        case: The goal in numbers.
        rules: The thresholds of the status.
        inside: The share of complete parts of the window that lie in a band.
        reasons: Why the value, or the target, is null, or to be read with care.
    """
    ahead = outlook(case)
    status, rule = decide(case, ahead, rules)
    found = [*reasons, *ahead.reasons]
    if case.value is None or case.target is None:
        figures = _Figures(progress=inside)
    else:
        figures = _figures(case, case.value, case.target, found)
    is_started = case.gone > 0
    achieved = _achieved(case) if is_started else None
    return Standing(
        attainment=figures.attainment,
        progress=figures.progress,
        planned=path(case) if is_started else None,
        pace=figures.pace,
        achieved=achieved,
        required=figures.required,
        denominator_rest=figures.denominator_rest,
        ahead=ahead,
        status=status,
        rule=rule,
        reasons=tuple(dict.fromkeys(map(str, found))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figures:
    """What a value means for a target."""

    attainment: float | None = None
    progress: float | None = None
    pace: float | None = None
    required: float | None = None
    denominator_rest: float | None = None


def _figures(case: Case, value: float, target: float, reasons: list[str]) -> _Figures:
    is_up = case.aim is not None and case.aim.better is Better.UP
    attainment = value / target if target > 0 and (case.grows or is_up) else None
    if case.grows:
        progress = attainment
        planned = path(case)
        pace = value / planned if planned is not None and planned > 0 else None
        if not target:
            reasons.append(GoalReason.TARGET_IS_BASELINE)
    else:
        progress = _progress(case, value, target, reasons)
        pace = None if progress is None else progress / (case.gone / case.days)
    if case.is_over:
        return _Figures(attainment=attainment, progress=progress, pace=pace)
    if case.kind is MetricKind.FLOW:
        required = max(target - value, 0.0) / case.left
        return _Figures(attainment=attainment, progress=progress, pace=pace, required=required)
    required_ratio, rest = _required_of_ratio(case, target, reasons)
    return _Figures(
        attainment=attainment,
        progress=progress,
        pace=pace,
        required=required_ratio,
        denominator_rest=rest,
    )


def _progress(case: Case, value: float, target: float, reasons: list[str]) -> float | None:
    if case.baseline is None:
        reasons.append(GoalReason.NO_BASELINE)
        return None
    if target == case.baseline:
        reasons.append(GoalReason.TARGET_IS_BASELINE)
        return None
    if case.aim is not None and case.aim.is_met_by(case.baseline):
        reasons.append(GoalReason.BASELINE_MEETS_TARGET)  # to fall would be to progress
        return None
    return (value - case.baseline) / (target - case.baseline)


def _achieved(case: Case) -> float | None:
    if case.value is None or case.kind is MetricKind.DISTINCT:
        return None
    return case.value / case.gone if case.kind is MetricKind.FLOW else case.value


def _required_of_ratio(
    case: Case, target: float, reasons: list[str]
) -> tuple[float | None, float | None]:
    """Return what a ratio must be in the rest of the window, and the denominator assumed there."""
    above, below = case.numerator, case.denominator
    if case.kind is not MetricKind.LEVEL or above is None or below is None:
        return None, None
    rest = below / case.gone * case.left
    if case.planned_denominator is not None:
        rest = case.planned_denominator - below
    if rest <= 0:
        return None, None
    required = (target * (below + rest) - above) / rest
    low, high = case.bounds
    is_up = case.aim is not None and case.aim.better is Better.UP
    if low is not None and required < low:
        return (low, rest) if is_up else _out_of_reach(rest, reasons)
    if high is not None and required > high:
        return _out_of_reach(rest, reasons) if is_up else (high, rest)
    return required, rest


def _out_of_reach(rest: float, reasons: list[str]) -> tuple[None, float]:
    reasons.append(GoalReason.OUT_OF_REACH)
    return None, rest

"""Where a goal will end: projected from its own earlier windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from funnelkit.formula.accumulation import MetricKind
from funnelkit.goals.target import Aim

__all__ = ["FEWEST", "FEWEST_FOR_INTERVAL", "Case", "Earlier", "GoalReason", "Outlook", "outlook"]

FEWEST, FEWEST_FOR_INTERVAL = 3, 9
"""The fewest earlier windows that give a projection, and that give an interval with it."""

TAIL = 10
"""One in so many earlier windows is left out at each end of the interval."""


class GoalReason(StrEnum):
    """Why something of a goal is null, or to be read with care.

    | reason | meaning |
    | --- | --- |
    | `little_history` | there are too few earlier windows |
    | `nothing_yet` | the value is still 0, from which nothing can be projected |
    | `N_windows_left_out` | earlier windows without a value, or with 0, at the same time |
    | `no_baseline` | without a baseline there is no path and no progress |
    | `target_is_baseline` | there is nothing to progress through |
    | `baseline_meets_target` | the baseline is better than the target: there is no way to it |
    | `baseline_not_covered` | the data does not cover the days of the baseline |
    | `out_of_reach` | the rest would have to lie outside the bounds of the metric |
    | `no_such_key` | the data has no such value of a dimension |
    | `starts_before_data` | the first days of the window are not known |
    """

    LITTLE_HISTORY = "little_history"
    NOTHING_YET = "nothing_yet"
    WINDOWS_LEFT_OUT = "windows_left_out"
    NO_BASELINE = "no_baseline"
    BASELINE_NOT_COVERED = "baseline_not_covered"
    BASELINE_MEETS_TARGET = "baseline_meets_target"
    TARGET_IS_BASELINE = "target_is_baseline"
    OUT_OF_REACH = "out_of_reach"
    NO_SUCH_KEY = "no_such_key"
    STARTS_BEFORE_DATA = "starts_before_data"


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier window of the same length.

    Attributes:
        so_far: Its value after the same share of its days.
        final: Its value at its end.
        gone: Its planned days by then.
        left: Its planned days after that.
    """

    so_far: float | None
    final: float | None
    gone: float
    left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is known of a goal in numbers.

    Attributes:
        kind: How the metric accumulates.
        aim: What meets the goal; None where that rests on a baseline that is null.
        value: The value so far.
        gone: The planned days that are over.
        days: The planned days of the window.
        numerator: The numerator of the value, of a ratio both sides of which add up.
        denominator: Its denominator.
        planned_denominator: The denominator that is expected of the whole window.
        baseline: The baseline.
        bounds: The smallest and largest possible value.
        can_fall: Whether a sum or count can become smaller.
        is_over: Whether the window is over.
        earlier: The earlier windows.
    """

    kind: MetricKind
    aim: Aim | None
    value: float | None
    gone: float
    days: float
    numerator: float | None = None
    denominator: float | None = None
    planned_denominator: float | None = None
    baseline: float | None = None
    bounds: tuple[float | None, float | None] = (None, None)
    can_fall: bool = True
    is_over: bool = False
    earlier: tuple[Earlier, ...] = ()

    @property
    def grows(self) -> bool:
        """Whether its value is built up from 0 in the window."""
        return self.kind in {MetricKind.FLOW, MetricKind.DISTINCT}

    @property
    def left(self) -> float:
        """The planned days that are left."""
        return self.days - self.gone

    @property
    def target(self) -> float | None:
        """The single value that is to be reached, where there is one."""
        return None if self.aim is None else self.aim.target

    @property
    def pace_value(self) -> float | None:
        """The value at the deadline if the rest is like what is over."""
        return None if self.value is None else self.value / self.gone * self.days


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where a goal will end, if the rest goes as in earlier windows.

    Attributes:
        projection: The value at the deadline: the median of what the earlier windows give.
        low: The lower end of the interval.
        high: The upper end of the interval.
        level: How large a share of such intervals holds the value.
        sufficed: In how many earlier windows the rest would have sufficed.
        windows: How many earlier windows there are.
        reasons: Why something is null.
    """

    projection: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    sufficed: int | None = None
    windows: int | None = None
    reasons: tuple[str, ...] = ()


def outlook(case: Case) -> Outlook:
    """Return where a goal will end; nothing where its window is over or it has no value."""
    value, aim = case.value, case.aim
    if value is None or aim is None or case.is_over:
        return Outlook()
    if case.grows and value <= 0:
        return Outlook(reasons=(GoalReason.NOTHING_YET,))
    ends = sorted(_ends(case, value))
    count, left_out = len(ends), len(case.earlier) - len(ends)
    reasons = [f"{left_out}_{GoalReason.WINDOWS_LEFT_OUT}"] if left_out else []
    if count < FEWEST_FOR_INTERVAL:
        reasons.append(GoalReason.LITTLE_HISTORY)
    point = median(ends) if count >= FEWEST else _without_history(case)
    sufficed = sum(map(aim.is_met_by, ends))
    if count < FEWEST_FOR_INTERVAL:
        return Outlook(point, sufficed=sufficed, windows=count, reasons=tuple(reasons))
    rank = (count + 1) // TAIL
    level = (count + 1 - 2 * rank) / (count + 1)
    low, high = ends[rank - 1], ends[-rank]
    return Outlook(point, low, high, level, sufficed, count, tuple(reasons))


def _ends(case: Case, value: float) -> Sequence[float]:
    """Return the value at the deadline by each earlier window that has one."""
    pairs = [
        (each, each.so_far, each.final)
        for each in case.earlier
        if each.so_far is not None and each.final is not None
    ]
    if not case.grows:
        return [_within(value + final - so_far, case.bounds) for _, so_far, final in pairs]
    rate = value / case.gone
    return [
        value + case.left * rate * ((final - so_far) / each.left) / (so_far / each.gone)
        for each, so_far, final in pairs
        if so_far > 0
    ]


def _within(value: float, bounds: tuple[float | None, float | None]) -> float:
    low, high = bounds
    value = value if low is None else max(value, low)
    return value if high is None else min(value, high)


def _without_history(case: Case) -> float | None:
    match case.kind:
        case MetricKind.FLOW:
            return case.pace_value
        case MetricKind.DISTINCT:
            return None
        case _:
            return case.value

"""Goals measured on a shop: what each has reached, and how it stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from funnelkit.calendar.grain import ONE_DAY
from funnelkit.errors import DataError, DefinitionError
from funnelkit.evaluation.evaluate import plan
from funnelkit.formula.accumulation import MetricKind
from funnelkit.formula.formulas import Arithmetic, Constant, Formula
from funnelkit.formula.operators import Operator
from funnelkit.formula.properties import walk
from funnelkit.goals.goal import Goal
from funnelkit.goals.measure import (
    ANY_LENGTH,
    Key,
    Measured,
    Reading,
    Request,
    Subject,
    adds_up,
    history_begins,
    measure,
)
from funnelkit.goals.outlook import Case, Earlier, GoalReason
from funnelkit.goals.standing import Standing, standing
from funnelkit.goals.status import StatusRules
from funnelkit.goals.target import Aim, Better
from funnelkit.goals.windows import Window, earlier_windows, parts_of
from funnelkit.metrics.metric import Metric
from funnelkit.shop.shop import Shop

__all__ = ["Assessed", "assess"]

NOT_STARTED = Reading()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """A goal and how it stands.

    Attributes:
        goal: The goal.
        through: The first day of the window that is not known, at most the deadline.
        reading: What was measured so far.
        case: The goal in numbers.
        standing: How it stands.
        exhausted: The day on which a ceiling is used up, at the pace so far.
        known_keys: The values of its dimensions that there are.
        uncovered: Those of them that have something in the window and no goal.
    """

    goal: Goal
    through: dt.date
    reading: Reading
    case: Case
    standing: Standing
    exhausted: dt.date | None
    known_keys: frozenset[Key]
    uncovered: dict[Key, Reading]


@dataclass(frozen=True, slots=True)
class _Open:
    """A goal with the windows in which it is to be measured."""

    goal: Goal
    through: dt.date
    is_late: bool
    is_base_known: bool
    earlier: Sequence[Window]

    @property
    def so_far(self) -> Window:
        return self.goal.window.until(max(self.through, self.goal.start))

    @property
    def is_started(self) -> bool:
        return self.through > self.goal.start

    @property
    def is_over(self) -> bool:
        return self.through >= self.goal.deadline

    @property
    def base(self) -> Window | None:
        return self.goal.base if self.is_base_known else None

    @property
    def cuts(self) -> list[Window]:
        """The first parts of the earlier windows, each of the share that is over."""
        gone, days = self.so_far.days, self.goal.window.days
        return [window.share(gone, days) for window in self.earlier]

    @property
    def parts(self) -> list[Window]:
        """The complete parts of the window, of a goal that is a band."""
        if self.goal.better is not Better.INSIDE:
            return []
        return [part for part in parts_of(self.goal.window) if part.end <= self.through]

    @property
    def request(self) -> Request:
        base = [] if self.base is None else [self.base]
        own = [self.so_far, *self.earlier, *self.cuts, *self.parts] if self.is_started else []
        return Request(self.goal.subject, tuple(dict.fromkeys([*base, *own])))


def assess(shop: Shop, goals: Sequence[Goal], rules: StatusRules) -> tuple[list[Assessed], dt.date]:
    """Return goals measured on a shop, and the first day that is not known whole.

    Args:
        shop: The shop.
        goals: The goals.
        rules: The thresholds of their status.

    Raises:
        DataError: It is not known up to when the data reaches, or inputs are missing.
        DefinitionError: A target is in another currency than the shop's amounts, or changes a
            baseline that is 0 or less.
        FunnelkitError: As for `evaluate`.
    """
    own = shop.data.currency
    if faults := [fault for goal in goals if (fault := goal.currency_fault(own))]:
        raise DefinitionError("; ".join(faults))
    plan(shop, list(dict.fromkeys(goal.metric for goal in goals)), every=ANY_LENGTH)
    first, last = _known(shop)
    opened = list(_opened(shop, goals, first, last))
    measured = measure(shop, [each.request for each in opened if each.request.windows])
    faults = list[str]()
    aims = [_aim(each, measured, faults) for each in opened]
    if faults:
        raise DefinitionError("; ".join(faults), "write the target as a value")
    targets = {(each.goal.subject, each.so_far) for each in opened}
    assessed = [
        _assessed(each, aim, measured, rules, targets)
        for each, aim in zip(opened, aims, strict=True)
    ]
    return assessed, last + ONE_DAY


def _known(shop: Shop) -> tuple[dt.date, dt.date]:
    known = shop.complete_days()
    if known is None and shop.data.given_as_of is not None:
        problem = "no session, event or order of a whole day lies before the given as_of="
        raise DataError(problem, "bind one of these tables, or pass a later moment")
    if known is None:
        problem = "it is not known up to when the data reaches: no session, event or order is bound"
        raise DataError(problem, "bind one of these tables, or pass fk.Shop(as_of=…)")
    return known


def _opened(shop: Shop, goals: Sequence[Goal], first: dt.date, last: dt.date) -> Iterator[_Open]:
    """Return the goals with the windows of each that the data covers."""
    begins, history = dict[Metric, dt.date](), dict[Metric, dt.date]()
    for metric in dict.fromkeys(goal.metric for goal in goals):
        begins[metric], _ = shop.complete_days(metric=metric) or (first, last)
        history[metric] = history_begins(shop, metric) or first
    for goal in goals:
        through, begin = min(goal.deadline, last + ONE_DAY), begins[goal.metric]
        earlier: Sequence[Window] = ()
        if goal.start < through < goal.deadline:
            earlier = earlier_windows(shop.data.calendar, goal.window, history[goal.metric])
        base = goal.base
        covers = base is None or (begin <= base.start and base.end <= last + ONE_DAY)
        yield _Open(goal, through, goal.start < begin, covers, earlier)


def _aim(each: _Open, measured: Measured, faults: list[str]) -> Aim | None:
    try:
        return each.goal.aim(baseline=_baseline(each, measured).value)
    except DefinitionError as error:
        faults.append(str(error))
        return None


def _baseline(each: _Open, measured: Measured) -> Reading:
    given = each.goal.baseline
    if isinstance(given, int | float):
        return Reading(float(given))
    if each.base is not None:
        return measured.reading(each.goal.subject, each.base)
    return Reading(reason=None if given is None else str(GoalReason.BASELINE_NOT_COVERED))


def _assessed(
    each: _Open,
    aim: Aim | None,
    measured: Measured,
    rules: StatusRules,
    targets: set[tuple[Subject, Window]],
) -> Assessed:
    goal, subject = each.goal, each.goal.subject
    baseline = _baseline(each, measured)
    reading, keys, uncovered = NOT_STARTED, frozenset[Key](), dict[Key, Reading]()
    if each.is_started:
        reading = measured.reading(subject, each.so_far)
        if subject.keys:
            keys = frozenset(measured.known_keys(subject, each.so_far))
            uncovered = _uncovered(each, measured, targets)
        if subject.keys and subject.key not in keys:
            reading = Reading(reason=str(GoalReason.NO_SUCH_KEY))
    case = _case(each, aim, reading, baseline.value, measured)
    reasons = [reading.reason, baseline.reason]
    reasons += [GoalReason.STARTS_BEFORE_DATA] if each.is_late else []
    stands = standing(
        case, rules=rules, inside=_inside(each, aim, measured), reasons=[r for r in reasons if r]
    )
    return Assessed(
        goal=goal,
        through=each.through,
        reading=reading,
        case=case,
        standing=stands,
        exhausted=_exhausted(each, case, measured),
        known_keys=keys,
        uncovered=uncovered,
    )


def _case(
    each: _Open, aim: Aim | None, reading: Reading, baseline: float | None, measured: Measured
) -> Case:
    goal = each.goal
    gone, days = goal.schedule.gone(each.through), float(goal.window.days)
    has_sides = adds_up(goal.metric)  # else they say nothing of those of the rest
    return Case(
        kind=goal.metric.kind,
        aim=aim,
        value=reading.value,
        gone=gone,
        days=days,
        numerator=reading.numerator if has_sides else None,
        denominator=reading.denominator if has_sides else None,
        planned_denominator=goal.planned_denominator,
        baseline=baseline,
        bounds=goal.metric.bounds,
        can_fall=_subtracts(goal.metric.formula) or (reading.least or 0) < 0,
        is_over=each.is_over,
        earlier=tuple(_earlier(each, gone, days, measured)),
    )


def _earlier(each: _Open, gone: float, days: float, measured: Measured) -> Iterator[Earlier]:
    """Return the values of the earlier windows; a plan weighs their days as those of the goal."""
    subject, is_even = each.goal.subject, each.goal.plan == "even"
    for window, cut in zip(each.earlier, each.cuts, strict=True):
        so_far, final = (measured.reading(subject, one).value for one in (cut, window))
        own = float(cut.days) if is_even else gone
        yield Earlier(so_far, final, own, (window.days if is_even else days) - own)


def _subtracts(formula: Formula) -> bool:
    """Return whether a sum or count is made smaller by something."""
    return any(
        (isinstance(node, Arithmetic) and node.operator is Operator.SUBTRACT)
        or (isinstance(node, Constant) and node.value < 0)
        for node in walk(formula)
    )


def _inside(each: _Open, aim: Aim | None, measured: Measured) -> float | None:
    """Return the share of the complete parts of the window whose value lies in a band."""
    if aim is None or not each.parts:
        return None
    values = [measured.reading(each.goal.subject, part).value for part in each.parts]
    return sum(value is not None and aim.is_met_by(value) for value in values) / len(values)


def _exhausted(each: _Open, case: Case, measured: Measured) -> dt.date | None:
    """Return the day on which a ceiling was used up, or will be at the pace so far."""
    ceiling, value = case.target, case.value
    is_ceiling = case.kind is MetricKind.FLOW and each.goal.better is Better.DOWN
    if not is_ceiling or ceiling is None or value is None or value <= 0 or ceiling <= 0:
        return None
    if case.aim is not None and not case.aim.is_met_by(value):
        totals = accumulate(measured.days(each.goal.subject, each.so_far))
        used_up = next((at for at, total in enumerate(totals) if total > ceiling), None)
        return None if used_up is None else each.goal.start + used_up * ONE_DAY
    gone = ceiling / (value / case.gone)
    return each.goal.schedule.day(gone) if gone < case.days else None


def _uncovered(
    each: _Open, measured: Measured, targets: set[tuple[Subject, Window]]
) -> dict[Key, Reading]:
    """Return the values of the dimensions that have something in the window and no goal."""
    subject = each.goal.subject
    others = {
        replace(subject, keys=tuple(zip(subject.names, key, strict=True))): key
        for key in measured.keys(subject, each.so_far)
    }
    return {
        key: measured.reading(other, each.so_far)
        for other, key in others.items()
        if (other, each.so_far) not in targets
    }

"""Evidence of whether a goal is specific, measurable, achievable, relevant and time-bound."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl
from polars._typing import PolarsDataType

from funnelkit.calendar.grain import ONE_DAY
from funnelkit.errors import UnknownNameError
from funnelkit.evaluation.evaluate import plan
from funnelkit.formula.formulas import Formula
from funnelkit.formula.properties import references
from funnelkit.goals.measure import (
    ANY_LENGTH,
    Measured,
    Reading,
    Request,
    Subject,
    history_begins,
    measure,
)
from funnelkit.goals.target import Aim, Better
from funnelkit.goals.windows import Window, earlier_windows
from funnelkit.metrics.metric import Metric
from funnelkit.result.limits import FEWEST, WIDTH, process_limits
from funnelkit.shop.shop import Shop

__all__ = ["Claim", "smart"]

CRITERIA = ("specific", "measurable", "achievable", "relevant", "time_bound")
SATURDAY = 5

Found = tuple[bool | None, str]
"""Whether a criterion holds, and what shows it."""


class Aims(Protocol):
    """Returns what meets a goal, for a baseline."""

    def __call__(self, *, baseline: float | None = None) -> Aim | None:
        """Return what meets the goal; None if that rests on a baseline that is null."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The parts of a goal for which there is evidence.

    Attributes:
        subject: What is measured.
        window: The days that count.
        base: The days from which the baseline is read.
        aim: Returns what meets the goal, for a baseline.
        better: Which side of the target is better.
        owner: Who answers for it.
        objective: What it serves.
        supports: The metric that it is to move.
    """

    subject: Subject
    window: Window
    base: Window | None
    aim: Aims
    better: Better
    owner: str
    objective: str
    supports: Metric | None


def smart(shop: Shop, claim: Claim) -> pl.DataFrame:
    """Return a row per criterion: whether it holds, and what shows it."""
    specific = _specific(shop, claim)
    days = shop.complete_days()
    missing = sorted(shop.missing(claim.subject.metric))
    if missing or specific.problem or days is None:
        why = f"not bound: {', '.join(missing)}" if missing else specific.problem
        shown: list[Found] = [(False, why or "no day is known whole"), (None, "not measurable")]
    else:
        shown = list(_measured(shop, claim, days))
    found = [(specific.holds, specific.text), *shown, _relevant(claim), _timely(claim, days)]
    rows = [(name, *each) for name, each in zip(CRITERIA, found, strict=True)]
    schema: dict[str, PolarsDataType] = {
        "criterion": pl.Enum(CRITERIA),
        "holds": pl.Boolean(),
        "evidence": pl.String(),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


@dataclass(frozen=True, slots=True)
class _Specific:
    """Whether it is said what is measured, and whether the data can be divided so."""

    holds: bool
    text: str
    problem: str


def _specific(shop: Shop, claim: Claim) -> _Specific:
    metric, problem = claim.subject.metric, ""
    if not shop.missing(metric):
        try:
            by, where = claim.subject.names, claim.subject.where
            plan(shop, metric, by=by, where=where, every=ANY_LENGTH)
        except UnknownNameError as error:
            problem = str(error)
    owner = f"owner {claim.owner}" if claim.owner else "no owner"
    sides = {Better.INSIDE: "inside the band", Better.UP: "up is better"}
    parts = [
        f"{claim.subject}, definition {metric.fingerprint}",
        sides.get(claim.better, "down is better"),
        owner,
        *([problem] if problem else []),
    ]
    return _Specific(bool(claim.owner) and not problem, "; ".join(parts), problem)


def _measured(shop: Shop, claim: Claim, days: tuple[dt.date, dt.date]) -> tuple[Found, Found]:
    """Return the evidence of the criteria that the data shows."""
    first, last = days
    begins = history_begins(shop, claim.subject.metric) or first
    windows = [
        window
        for window in earlier_windows(shop.data.calendar, claim.window, begins)
        if window.end <= last + ONE_DAY
    ]
    base = claim.base
    covered, _ = shop.complete_days(metric=claim.subject.metric) or days
    if base is not None and (base.start < covered or base.end > last + ONE_DAY):
        base = None
    wanted = [*windows, *([base] if base else [])]
    if not wanted:
        known = f"known from {first} to {last}"
        return (None, f"no window of this length is {known}"), (None, "no earlier window is known")
    measured = measure(shop, [Request(claim.subject, tuple(wanted))])
    baseline = measured.reading(claim.subject, base).value if base else None
    readings = [(window, measured.reading(claim.subject, window)) for window in windows]
    if not readings:
        return (None, "no earlier window is known"), (None, "no earlier window is known")
    measurable = _measurable(claim, readings[-1], measured, days)
    return measurable, _achievable(
        claim, [reading for _, reading in readings], claim.aim(baseline=baseline)
    )


def _measurable(
    claim: Claim,
    newest: tuple[Window, Reading],
    measured: Measured,
    days: tuple[dt.date, dt.date],
) -> Found:
    window, reading = newest
    subject = claim.subject
    if subject.keys and subject.key not in measured.known_keys(subject, window):
        return False, f"the data has no {', '.join(f'{n} {v}' for n, v in subject.keys)}"
    known = f"days known: {days[0]} to {days[1]}"
    if reading.value is None:
        return False, f"null in {window}: {reading.reason}; {known}"
    size = "" if reading.denominator is None else f" of {reading.denominator:,.0f}"
    return True, f"{_shown(reading.value)}{size} in {window}; {known}"


def _achievable(claim: Claim, readings: Sequence[Reading], aim: Aim | None) -> Found:
    """Return in how many earlier windows the target was reached, and whether by chance."""
    values = [reading.value for reading in readings]
    known = [value for value in values if value is not None]
    if aim is None or not known:
        return None, "no earlier window has a value" if aim else "the baseline is not known"
    reached = sum(map(aim.is_met_by, known))
    text = f"reached in {reached} of {len(known)} earlier windows"
    if aim.target is None:
        return reached > 0, text
    best = min(known) if claim.better is Better.DOWN else max(known)
    return reached > 0, f"{text}; best {_shown(best)}{_assurance(aim, values)}"


def _assurance(aim: Aim, values: Sequence[float | None]) -> str:
    """Return whether the process as it is reaches a target always, never or by chance."""
    limits = process_limits(values, [1.0] * len(values))
    target = aim.target
    if limits is None or limits.points < FEWEST or target is None:
        return ""
    reach = WIDTH * limits.sigma(1)
    lower, upper = limits.centre - reach, limits.centre + reach
    between = f"{_shown(lower)} to {_shown(upper)}"
    if lower <= target <= upper:
        return f"; {_shown(target)} lies inside {between}, so it comes and goes by chance"
    always = (target < lower) == (aim.better is Better.UP)
    side = "below" if target < lower else "above"
    verdict = "is always reached" if always else "is not reached by the process as it is"
    return f"; {_shown(target)} lies {side} {between}, so it {verdict}"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _relevant(claim: Claim) -> Found:
    if not claim.objective:
        return False, "no objective is stated"
    stated = f"objective {claim.objective!r}"
    metric, supports = claim.subject.metric, claim.supports
    if supports is None:
        return None, f"{stated}; supports= names no metric that it is to move"
    path = _path(supports, metric.name)
    if path is not None:
        is_part = len(path) == 1 and str(claim.subject) != metric.name
        return True, f"{stated}; {'a part of ' * is_part}{' ← '.join(path)}"
    belief = f"not in the formula of {supports.name}: the link is a belief"
    is_near = metric.stage is not None and metric.stage == supports.stage
    return is_near, f"{stated}; {belief}" + (f"; both are of {metric.stage}" if is_near else "")


def _path(metric: Metric, name: str) -> tuple[str, ...] | None:
    """Return the metrics from one down to another that its formula names, directly or not."""
    paths: list[tuple[tuple[str, ...], Formula]] = [((metric.name,), metric.formula)]
    while paths:
        trail, formula = paths.pop(0)
        if trail[-1] == name:
            return trail
        paths += [((*trail, each.name), each.formula) for each in references(formula)]
    return None


def _timely(claim: Claim, days: tuple[dt.date, dt.date] | None) -> Found:
    if days is None:
        return None, "it is not known up to when the data reaches"
    today = days[1] + ONE_DAY
    if claim.window.end <= today:
        return False, f"the deadline {claim.window.end} is over; the data is known before {today}"
    first = max(today, claim.window.start)
    left = [first + at * ONE_DAY for at in range((claim.window.end - first).days)]
    working = sum(day.weekday() < SATURDAY for day in left)
    return (
        True,
        f"{len(left)} days left before {claim.window.end}, {working} of them Monday to Friday",
    )

"""Goals: a metric, what it is to reach, and by when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from funnelkit.calendar.calendar import Moment
from funnelkit.errors import DefinitionError
from funnelkit.formula.accumulation import MetricKind
from funnelkit.formula.properties import is_of_each_group
from funnelkit.formula.values import Predicate
from funnelkit.goals.evidence import Claim, smart
from funnelkit.goals.measure import Subject
from funnelkit.goals.reader import Reader
from funnelkit.goals.target import Aim, Better, Lift
from funnelkit.goals.windows import Plan, Window, parts_of
from funnelkit.metrics.metric import Direction, Metric
from funnelkit.shop.shop import Shop
from funnelkit.units import Display

__all__ = ["Goal"]

CURRENCY = "currency"
"""The dimension whose value is the currency of amounts."""

MISSING = {
    "metric": "it is not specific: metric= is missing, which is what is measured",
    "target": "it is not measurable: target= is missing",
    "start": "it is not time-bound: start= is missing, the first day that counts",
    "deadline": "it is not time-bound: deadline= is missing, the first day that does not count",
}
"""What makes a goal specific, measurable and time-bound, and what is wrong without it."""


@dataclass(frozen=True, slots=True, kw_only=True, init=False, repr=False)
class Goal:
    """A goal: what a metric is to reach, and by when.

    Attributes:
        metric: What is measured: a metric, its name or an alias.
        target: The value to be reached, a band of values, or a change of the baseline.
        start: The first day that counts.
        deadline: The first day that does not.
        baseline: The value before, or the range of days that it is read from.
        where: Which rows enter, as a predicate or its text.
        keys: The dimensions of which one value is meant, with that value.
        better: Which side of the target is better; only for a metric that does not say so.
        plan: The weights of the months of the window, of its weeks or of its days.
        owner: Who answers for it.
        objective: What it serves, in words; goals of one objective are looked at together.
        supports: The metric that it is to move.
        planned_denominator: The denominator that is expected of the whole window, of a ratio;
            above 0.
        currency: The code of the currency of the target, which must be that of the shop; by
            default it is taken to be.
        name: What it is called; by default made of the metric, the rows and the deadline.

    A value that equals the target meets it, and both ends of a band belong to it.

    Raises:
        DefinitionError: It lacks what makes it specific, measurable or time-bound, or
            contradicts itself; names everything that is wrong.
        UnknownNameError: There is no such metric.

    Examples:
        >>> goal = Goal(metric="orders", target=500, start="2024-12-01", deadline="2025-01-01")
        >>> goal
        Goal(orders before 2025-01-01: at least 500 from 2024-12-01)
    """

    metric: Metric
    target: float | tuple[float, float] | Lift
    start: dt.date
    deadline: dt.date
    baseline: float | tuple[dt.date, dt.date] | None
    where: Predicate | None
    keys: tuple[tuple[str, object], ...]
    better: Better
    plan: tuple[float, ...] | Literal["even"]
    owner: str
    objective: str
    supports: Metric | None
    planned_denominator: float | None
    currency: str
    name: str

    def __init__(  # noqa: PLR0913  # the parts of a goal, each by keyword
        self,
        *,
        metric: Metric | str | None = None,
        target: float | tuple[float, float] | Lift | None = None,
        start: Moment | None = None,
        deadline: Moment | None = None,
        baseline: float | tuple[Moment, Moment] | None = None,
        where: Predicate | str | None = None,
        keys: Mapping[str, object] | None = None,
        better: Direction | str | None = None,
        plan: Sequence[float] | Literal["even"] = "even",
        owner: str = "",
        objective: str = "",
        supports: Metric | str | None = None,
        planned_denominator: float | None = None,
        currency: str = "",
        name: str = "",
    ) -> None:
        given: dict[str, object] = dict(locals())  # its parts, as listed above, and no more
        del given["self"]
        read = Reader(name or (metric if isinstance(metric, str) else str(metric or "a goal")))
        read.faults += [fault for part, fault in MISSING.items() if given[part] is None]
        direction = read.better(given.pop("better"))
        parts = read.parts(given)
        for part, value in parts.items():
            object.__setattr__(self, part, value)
        if parts["metric"] is not None:
            read.faults += self._metric_faults(direction)
        if self._is_readable(given):
            object.__setattr__(self, "better", self._side(direction))
            read.faults += self._faults()
        read.check()
        if not name:
            object.__setattr__(self, "name", f"{self.subject} before {self.deadline}")

    def _is_readable(self, given: Mapping[str, object]) -> bool:
        """Return whether the parts that others are compared with could be read."""
        return all(getattr(self, part) is not None for part in MISSING) and (
            self.baseline is not None or given["baseline"] is None
        )

    def __repr__(self) -> str:
        return f"Goal({self.name}: {self.aimed} from {self.start})"

    @property
    def aimed(self) -> str:
        """What is to be reached, in words."""
        match self.target:
            case Lift(share):
                return f"{share:+.2%} on the baseline"
            case (low, high):
                return f"{_shown(low)} to {_shown(high)}"
            case target:
                return f"{'at most' if self.better is Better.DOWN else 'at least'} {_shown(target)}"

    @property
    def subject(self) -> Subject:
        """What is measured, of which rows."""
        return Subject(self.metric, self.where, self.keys)

    @property
    def window(self) -> Window:
        """The days that count."""
        return Window(self.start, self.deadline)

    @property
    def base(self) -> Window | None:
        """The days from which the baseline is read, where it is not given."""
        return Window(*self.baseline) if isinstance(self.baseline, tuple) else None

    @property
    def schedule(self) -> Plan:
        """How the target is spread over the days."""
        return Plan(self.window, () if self.plan == "even" else self.plan)

    def aim(self, *, baseline: float | None = None) -> Aim | None:
        """Return what meets the goal; None if that rests on a baseline that is null.

        Args:
            baseline: The baseline, where it is read from the data.

        Raises:
            DefinitionError: It changes a baseline that is 0 or less.
        """
        match self.target:
            case (low, high):
                return Aim(Better.INSIDE, float(low), float(high))
            case Lift():
                known = self.baseline if isinstance(self.baseline, int | float) else baseline
                if known is None:
                    return None
                if fault := self._lift_fault(self.target, known):
                    raise DefinitionError(f"{self.name}: {fault}")
                return Aim.at(self.better, self.target.of(known))
            case target:
                return Aim.at(self.better, target)

    def check(self, shop: Shop) -> pl.DataFrame:
        """Return the evidence of whether it is specific, measurable, achievable, relevant, timely.

        Args:
            shop: The shop.

        Returns:
            A frame of five rows with columns `criterion`, `holds` (null where that is not
            known) and `evidence`.

        Raises:
            DefinitionError: The target is in another currency than the shop's amounts.
            FunnelkitError: As for `evaluate`.
        """
        if fault := self.currency_fault(shop.data.currency):
            raise DefinitionError(fault)
        claim = Claim(
            subject=self.subject,
            window=self.window,
            base=self.base,
            aim=self.aim,
            better=self.better,
            owner=self.owner,
            objective=self.objective,
            supports=self.supports,
        )
        return smart(shop, claim)

    def currency_fault(self, own: str) -> str | None:
        """Return why the target cannot be set against the amounts of a shop.

        Args:
            own: The code of the shop's currency; empty where it is unknown.
        """
        stated = self.currency.upper()
        known = own.upper() or str(dict(self.keys).get(CURRENCY, "")).upper()
        if stated in {"", known}:
            return None
        if not known:
            return (
                f"{self.name}: the target is in {stated}, and it is not known in which currency "
                "the amounts of the shop are: pass fk.Shop(currency=…)"
            )
        return f"{self.name}: the target is in {stated}, and the amounts are in {known}: convert it"

    def _side(self, direction: Direction | None) -> Better:
        if isinstance(self.target, tuple):
            return Better.INSIDE
        own = self.metric.direction
        chosen = direction if direction is not None and own is Direction.NEUTRAL else own
        return Better.DOWN if chosen is Direction.DOWN else Better.UP

    def _faults(self) -> Iterator[str]:
        """Return what is wrong with parts that are each what they should be."""
        if self.deadline <= self.start:
            yield f"deadline={self.deadline} is not after start={self.start}"
            return
        yield from self._target_faults()
        yield from self._plan_faults()

    def _metric_faults(self, direction: Direction | None) -> Iterator[str]:
        metric = self.metric
        if metric.required_dimension or is_of_each_group(metric.formula):
            yield f"{metric.name} is a number of each group, not one number: a goal needs one"
        if metric.compares_periods:
            yield (
                f"{metric.name} compares periods: set the goal on what it compares, "
                "with target=fk.Lift(0.15) and a baseline"
            )
        if self.currency and ("money", 1) not in metric.unit.powers:
            yield f"currency={self.currency!r}, but {metric.name} is no amount of money"
        own, is_band = metric.direction, isinstance(self.target, tuple)
        if direction is None and own is Direction.NEUTRAL and not is_band:
            yield (
                f"it is not specific: for {metric.name} neither direction is better; "
                "write better='up' or better='down', or a band of values"
            )
        if direction is not None and own not in {Direction.NEUTRAL, direction}:
            yield f"better={str(direction)!r}, but for {metric.name} {own} is better"

    def _target_faults(self) -> Iterator[str]:
        match self.target:
            case Lift() as lift:
                yield from self._lift_faults(lift)
            case (low, high):
                if self.metric.kind in {MetricKind.FLOW, MetricKind.DISTINCT}:
                    yield (
                        f"target={self.target!r} is a band, and {self.metric.name} adds up to its "
                        "value: write two goals, one for each end"
                    )
                if low > high:
                    yield f"target={self.target!r}: the lower end comes first"
                yield from (fault for end in self.target if (fault := self._bound_fault(end)))
            case target:
                if fault := self._bound_fault(target):
                    yield fault

    def _bound_fault(self, target: float) -> str | None:
        """Return what is wrong with a target that the metric cannot have, with the likely slip."""
        if self._is_possible(target):
            return None
        low, high = ("…" if end is None else f"{end:g}" for end in self.metric.bounds)
        fault = (
            f"the target {target:g} of {self.metric.name} lies outside its bounds {low} to {high}"
        )
        is_share = self.metric.unit.display is Display.PERCENT
        if is_share and self._is_possible(target / 100):
            fault += f": ratios are fractions, write {target / 100:g}"
        return fault

    def _is_possible(self, value: float) -> bool:
        low, high = self.metric.bounds
        return (low is None or value >= low) and (high is None or value <= high)

    def _lift_faults(self, lift: Lift) -> Iterator[str]:
        if self.baseline is None:
            yield "it is not measurable: a lift needs baseline=, a value or a range of days"
        if lift.share and (lift.share > 0) != (self.better is Better.UP):
            name = self.metric.name
            yield f"Lift({lift.share:g}) makes {name} worse: there {self.better} is better"
        grows = self.metric.kind in {MetricKind.FLOW, MetricKind.DISTINCT}
        if self.base and grows and not self.base.is_as_long_as(self.window):
            yield (
                f"the baseline {self.base} is of {self.base.days} days, and the goal of "
                f"{self.window.days}: {self.metric.name} adds up over days, so give as many months"
            )
        if isinstance(self.baseline, int | float) and (
            fault := self._lift_fault(lift, self.baseline)
        ):
            yield fault

    def _lift_fault(self, lift: Lift, baseline: float) -> str | None:
        if baseline <= 0:
            return f"Lift({lift.share:g}) of the baseline {baseline:g}: nothing is a share of that"
        return self._bound_fault(lift.of(baseline))

    def _plan_faults(self) -> Iterator[str]:
        if self.base and self.base.days <= 0:
            yield f"the baseline ends before it begins: {self.base}"
        if self.plan == "even" or parts_of(self.window, count=len(self.plan)):
            return
        parts = parts_of(self.window)
        length = "month" if self.window.months else "week" if self.window.days % 7 == 0 else "day"
        yield f"{len(self.plan)} weights for {len(parts)} {length}{'s' * (len(parts) > 1)}"


def _shown(value: float) -> str:
    return f"{value:,.10g}"

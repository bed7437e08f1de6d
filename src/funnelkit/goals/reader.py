"""The parts of goals as they are given: from Python, a file or a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from funnelkit.arguments import is_finite
from funnelkit.catalog.default import registry
from funnelkit.errors import DefinitionError, UnknownNameError, shortened
from funnelkit.formula.parsing import parse_predicate
from funnelkit.formula.values import Predicate, PredicateNode
from funnelkit.goals.target import Lift
from funnelkit.metrics.metric import Direction, Metric
from funnelkit.metrics.registry import find_metric

__all__ = ["Reader"]


class Reader:
    """Reads the parts of a goal, each as what it is given as, and collects what is wrong.

    Attributes:
        who: What the parts belong to, as it is called in messages.
        faults: What is wrong.
        unknown: The names that are unknown.
    """

    def __init__(self, who: str) -> None:
        self.who = who
        self.faults = list[str]()
        self.unknown = list[UnknownNameError]()

    def check(self) -> None:
        """Raise if anything is wrong."""
        if not self.faults and len(self.unknown) == 1:
            raise self.unknown[0]
        if faults := [*map(str, self.unknown), *self.faults]:
            raise DefinitionError(f"{self.who}: {'; '.join(faults)}")

    def parts(self, given: Mapping[str, object]) -> dict[str, object]:
        """Return the parts of a goal, save for the side that is better, as it holds them."""
        read = {
            **dict.fromkeys(("metric", "supports"), self.metric),
            **dict.fromkeys(("start", "deadline"), self.day),
            **dict.fromkeys(("owner", "objective", "currency", "name"), self.text),
            "planned_denominator": self.amount,
        }
        found: dict[str, object] = {part: how(part, given[part]) for part, how in read.items()}
        return {
            **found,
            "target": self.target(given["target"]),
            "baseline": self.baseline(given["baseline"]),
            "where": self.where(given["where"]),
            "keys": self.keys(given["keys"]),
            "plan": self.plan(given["plan"]),
        }

    def metric(self, part: str, given: object) -> Metric | None:
        """Return a metric, looked up in the registry in force."""
        if given is None:
            return None
        if not isinstance(given, str | Metric):
            self._fault(part, given, "is not a metric or its name")
            return None
        try:
            return find_metric(registry(), given)
        except UnknownNameError as error:
            self.unknown.append(error)
            return None

    def number(self, part: str, given: object) -> float | None:
        """Return a finite number."""
        if given is None or is_finite(given):
            return given
        self._fault(part, given, "is not a finite number")
        return None

    def amount(self, part: str, given: object) -> float | None:
        """Return a number above 0."""
        if given is None or (is_finite(given) and given > 0):
            return given
        self._fault(part, given, "is not a number above 0")
        return None

    def target(self, given: object) -> object:
        """Return a number, a band or a lift."""
        if isinstance(given, tuple | list):
            ends = tuple(cast("Sequence[object]", given))
            if len(ends) == 2 and all(map(is_finite, ends)):
                return ends
            self._fault("target", ends, "is not a band: give two numbers, the lower first")
            return None
        return given if isinstance(given, Lift) else self.number("target", given)

    def day(self, part: str, given: object) -> dt.date | None:
        """Return a day; times of day are refused, as a goal counts whole days."""
        if given is None:
            return None
        moment = given
        if isinstance(given, str):
            try:
                moment = dt.datetime.fromisoformat(given)
            except ValueError:
                self._fault(part, given, "is not a day: write 2024-12-31")
                return None
        if isinstance(moment, dt.datetime):
            if moment.time() == dt.time() and moment.tzinfo is None:
                return moment.date()
            self._fault(part, given, "is a time of day: a goal counts whole days of the shop")
            return None
        if isinstance(moment, dt.date):
            return moment
        self._fault(part, given, "is not a day: write '2024-12-31'")
        return None

    def baseline(self, given: object) -> object:
        """Return a number or a range of days."""
        if isinstance(given, tuple | list):
            ends = list(cast("Sequence[object]", given))
            if len(ends) == 2:
                days = [self.day("baseline", end) for end in ends]
                return None if None in days else tuple(days)
            self._fault("baseline", ends, "is not a range: give its first day and the day after")
            return None
        return self.number("baseline", given)

    def where(self, given: object) -> Predicate | None:
        """Return a predicate."""
        if isinstance(given, str):
            try:
                return parse_predicate(given)
            except DefinitionError as error:
                self.faults.append(f"where: {error}")
                return None
        if given is None or isinstance(given, PredicateNode):
            return cast("Predicate | None", given)
        self._fault("where", given, "is not a predicate: write where=\"country == 'PL'\"")
        return None

    def keys(self, given: object) -> tuple[tuple[str, object], ...]:
        """Return dimensions and their values, sorted by name."""
        if given is None:
            return ()
        pairs = _named(given)
        if pairs is None:
            self._fault("keys", given, "is not a mapping: write keys={'country': 'PL'}")
            return ()
        return tuple(sorted(pairs.items()))

    def better(self, given: object) -> Direction | None:
        """Return a direction."""
        if given is None:
            return None
        if str(given) in {Direction.UP, Direction.DOWN}:
            return Direction(str(given))
        self._fault("better", given, "is not 'up' or 'down'")
        return None

    def plan(self, given: object) -> object:
        """Return the weights of a plan, or that it is even."""
        if given == "even":
            return given
        weights = list(cast("Iterable[object]", given)) if _is_list(given) else []
        numbers = [weight for weight in weights if is_finite(weight)]
        if weights and len(numbers) == len(weights) and min(numbers) > 0:
            return tuple(map(float, numbers))
        self._fault("plan", given, "is not 'even' or a list of weights above 0")
        return "even"

    def text(self, part: str, given: object) -> str:
        """Return a text."""
        if isinstance(given, str):
            return given
        self._fault(part, given, "is not a text")
        return ""

    def _fault(self, part: str, given: object, what: str) -> None:
        shown = str(given) if isinstance(given, dt.date) else repr(given)
        self.faults.append(f"{part}={shortened(shown)} {what}")


def _is_list(given: object) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, str)


def _named(given: object) -> Mapping[str, object] | None:
    pairs = cast("Mapping[object, object]", given) if isinstance(given, Mapping) else {0: 0}
    is_named = all(isinstance(name, str) for name in pairs)
    return cast("Mapping[str, object]", pairs) if is_named else None

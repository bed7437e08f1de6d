"""What a goal aims at: a value, a band, or a value relative to a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from funnelkit.arguments import is_finite
from funnelkit.errors import DefinitionError

__all__ = ["Aim", "Better", "Lift", "reaches"]

TOLERANCE = 1e-9
"""How far, relative to a bar, a value may lie from it by rounding alone."""


class Better(StrEnum):
    """On which side of its target a goal is met; equality meets it."""

    UP = "up"
    DOWN = "down"
    INSIDE = "inside"


def reaches(value: float, bar: float) -> bool:
    """Return whether a value is at least a bar, but for rounding."""
    return value >= bar - TOLERANCE * abs(bar)


@dataclass(frozen=True, slots=True)
class Lift:
    """A target relative to the baseline: `Lift(0.15)` is 15 % more, `Lift(-0.2)` 20 % less.

    Attributes:
        share: By which share of the baseline the target lies above it.

    Examples:
        >>> Lift(0.15).of(200)
        230.0
    """

    share: float

    def __post_init__(self) -> None:
        if not is_finite(self.share) or self.share <= -1:
            raise DefinitionError(
                f"Lift({self.share!r}) is not a share above -1", "write fk.Lift(0.15) for 15 % more"
            )

    def of(self, baseline: float) -> float:
        """Return the target for a baseline."""
        return baseline + baseline * self.share


@dataclass(frozen=True, slots=True)
class Aim:
    """Which values meet a goal: those from `low` to `high`, both included.

    Attributes:
        better: The side of the target on which it is met.
        low: The smallest value that meets it; None for no bound.
        high: The largest value that meets it; None for no bound.
    """

    better: Better
    low: float | None
    high: float | None

    @classmethod
    def at(cls, better: Better, target: float) -> Aim:
        """Return the aim at a single value."""
        if better is Better.DOWN:
            return cls(better, None, float(target))
        return cls(better, float(target), None)

    @property
    def target(self) -> float | None:
        """The single value that is to be reached; None for a band."""
        if self.better is Better.INSIDE:
            return None
        return self.high if self.better is Better.DOWN else self.low

    def is_met_by(self, value: float) -> bool:
        """Return whether a value meets the goal."""
        is_high_enough = self.low is None or reaches(value, self.low)
        return is_high_enough and (self.high is None or reaches(-value, -self.high))

    def is_as_good(self, value: float, bar: float) -> bool:
        """Return whether a value is at least as good as another."""
        sign = -1 if self.better is Better.DOWN else 1
        return reaches(sign * value, sign * bar)

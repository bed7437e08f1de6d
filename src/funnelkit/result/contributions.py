"""How much each factor of a formula, or each segment of a ratio, adds to a change.

Shapley's decomposition is the mean over all orders in which the factors can change one after
another; Das Gupta's is the same. The logarithmic one is LMDI-I (Ang 2005).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import factorial, fsum, log

from funnelkit.errors import DefinitionError
from funnelkit.formula.formulas import Arithmetic, Constant, Formula
from funnelkit.formula.operators import Operator

__all__ = [
    "MOST_FACTORS",
    "Effect",
    "Sides",
    "factors_of",
    "logarithmic",
    "mix_and_rate",
    "powers_of",
    "shapley",
    "size_at",
    "value_at",
]

MOST_FACTORS = 10
"""The formula is computed for every subset of the factors: 1,024 times for ten."""

Numbers = Mapping[str, float]


def factors_of(formula: Formula) -> dict[str, Formula]:
    """Return what arithmetic a formula does on, by name, in reading order, each once."""
    match formula:
        case Arithmetic(_, left, right):
            return {**factors_of(left), **factors_of(right)}
        case Constant():
            return {}
        case _:
            return {str(formula): formula}


def value_at(formula: Formula, numbers: Numbers) -> float | None:
    """Return the value of a formula, or None where it divides by 0.

    Args:
        formula: Arithmetic on factors.
        numbers: The value of each factor, by name.
    """
    match formula:
        case Constant(value):
            return value
        case Arithmetic(operator, left, right):
            one, two = value_at(left, numbers), value_at(right, numbers)
            return None if one is None or two is None else _applied(operator, one, two)
        case _:
            return numbers[str(formula)]


def _applied(operator: Operator, one: float, two: float) -> float | None:
    match operator:
        case Operator.ADD:
            return one + two
        case Operator.SUBTRACT:
            return one - two
        case Operator.MULTIPLY:
            return one * two
        case Operator.DIVIDE:
            return one / two if two else None


def size_at(formula: Formula, numbers: Numbers) -> float:
    """Return how large the parts of a formula are that are added up: what errors are measured by.

    Args:
        formula: Arithmetic on factors.
        numbers: The value of each factor, by name.
    """
    if isinstance(formula, Arithmetic) and formula.operator.binds == 1:
        return size_at(formula.left, numbers) + size_at(formula.right, numbers)
    if isinstance(formula, Arithmetic):
        one, two = size_at(formula.left, numbers), abs(value_at(formula.right, numbers) or 0.0)
        if formula.operator is Operator.MULTIPLY:
            return one * size_at(formula.right, numbers)
        return one / two if two else 0.0
    return abs(value_at(formula, numbers) or 0.0)


def shapley(formula: Formula, before: Numbers, after: Numbers) -> dict[str, float]:
    """Return what each factor contributes to the change: the mean over all orders of swapping them.

    Args:
        formula: Arithmetic on factors, any.
        before: The value of each factor before.
        after: The value of each factor after.

    Raises:
        DefinitionError: The formula divides by 0 where some factors are as before and others
            as after; names them.
    """
    names = list(before)
    count, values = len(names), list[float]()
    for chosen in range(2**count):
        point = {
            name: (after if chosen >> place & 1 else before)[name]
            for place, name in enumerate(names)
        }
        value = value_at(formula, point)
        if value is None:
            told = ", ".join(f"{name} = {number:,.6g}" for name, number in point.items())
            raise DefinitionError(f"{formula} divides by 0 at {told}", "choose other factors")
        values.append(value)
    weights = [factorial(n) * factorial(count - n - 1) / factorial(count) for n in range(count)]
    return {
        name: fsum(
            weights[chosen.bit_count()] * (values[chosen | 1 << place] - values[chosen])
            for chosen in range(2**count)
            if not chosen >> place & 1
        )
        for place, name in enumerate(names)
    }


def powers_of(formula: Formula) -> dict[str, int] | None:
    """Return the exponent of each factor of a product, or None where anything is added."""
    match formula:
        case Constant(value):
            return {} if value > 0 else None
        case Arithmetic(operator, left, right):
            one, two = powers_of(left), powers_of(right)
            if operator.binds == 1 or one is None or two is None:
                return None
            sign = 1 if operator is Operator.MULTIPLY else -1
            return {name: one.get(name, 0) + sign * two.get(name, 0) for name in {**one, **two}}
        case _:
            return {str(formula): 1}


def logarithmic(
    powers: Mapping[str, int], before: Numbers, after: Numbers, values: tuple[float, float]
) -> dict[str, float]:
    """Return what each factor of a product contributes to the change, by LMDI-I.

    Args:
        powers: The exponent of each factor.
        before: The value of each factor before, above 0.
        after: The value of each factor after, above 0.
        values: The product before and after, above 0.
    """
    one, two = values
    mean = one if one == two else (two - one) / log(two / one)
    return {name: mean * power * log(after[name] / before[name]) for name, power in powers.items()}


@dataclass(frozen=True, slots=True)
class Sides:
    """The sides of a ratio of one segment.

    Attributes:
        numerator: What is above.
        denominator: What is below; 0 where the segment is not there.
    """

    numerator: float
    denominator: float

    @property
    def rate(self) -> float | None:
        """The ratio."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class Effect:
    """A part of a change.

    Attributes:
        kind: `rate`, `mix`, `new` or `lost`.
        segment: The place of the segment.
        before: The rate, or the share, before.
        after: The rate, or the share, after.
        contribution: How much of the change it is.
    """

    kind: str
    segment: int
    before: float | None
    after: float | None
    contribution: float


def mix_and_rate(before: Sequence[Sides], after: Sequence[Sides]) -> list[Effect]:
    """Return how much of the change of a ratio is due to the rates and to the shares of segments.

    The rate counts with the mean share, the share with how far the mean rate of the segment
    lies from the mean rate of all (Kitagawa 1955, with the overall rate taken off). A segment
    of one period only is all mix. The shares are of the denominator.

    Args:
        before: The sides of each segment before; their denominators do not add up to 0.
        after: The sides of each segment after, in the same order.
    """
    totals = [_total(before), _total(after)]
    overall = sum(total.numerator / total.denominator for total in totals) / 2
    effects = list[Effect]()
    for place, pair in enumerate(zip(before, after, strict=True)):
        effects += _effects(place, pair, totals, overall)
    return effects


def _total(sides: Sequence[Sides]) -> Sides:
    return Sides(fsum(s.numerator for s in sides), fsum(s.denominator for s in sides))


def _effects(
    place: int, pair: tuple[Sides, Sides], totals: Sequence[Sides], overall: float
) -> Iterator[Effect]:
    share, later = (
        side.denominator / total.denominator for side, total in zip(pair, totals, strict=True)
    )
    gained, (one, two) = later - share, (sides.rate for sides in pair)
    if one is not None and two is not None:
        yield Effect("rate", place, one, two, (share + later) / 2 * (two - one))
        yield Effect("mix", place, share, later, gained * ((one + two) / 2 - overall))
        return
    parts = [side.numerator / total.denominator for side, total in zip(pair, totals, strict=True)]
    kind = "new" if two is not None else "lost" if one is not None else "rate"
    if kind == "rate" and not any(parts):
        return
    yield Effect(kind, place, share, later, parts[1] - parts[0] - overall * gained)

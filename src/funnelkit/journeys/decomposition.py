"""A change of a metric divided among the factors of a formula, or among segments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import fsum

from funnelkit.catalog.default import registry
from funnelkit.errors import DataError, DefinitionError, UnitError
from funnelkit.formula.formulas import (
    Arithmetic,
    Constant,
    Formula,
    PeriodDays,
    Reference,
    as_formula,
)
from funnelkit.formula.properties import names_in, replace_names, unit_of_formula
from funnelkit.journeys.change import AFTER, BEFORE, Change, Point, Usual
from funnelkit.journeys.pairing import metric_faults
from funnelkit.metrics.metric import Metric
from funnelkit.metrics.registry import find_metric
from funnelkit.result.contributions import (
    MOST_FACTORS,
    factors_of,
    logarithmic,
    powers_of,
    shapley,
    size_at,
    value_at,
)
from funnelkit.schema.tables import parse
from funnelkit.units import Unit

__all__ = ["EXACT", "Contribution", "Decomposed", "Method", "by_factors", "formula_of", "gap_of"]

EXACT = 1e-9
"""The largest gap between a formula and its metric, by the size of what is added up."""

REAL_BASES = frozenset({"money", "second"})
"""The units that must agree: a rate per session times sessions is a count of anything."""


class Method(StrEnum):
    """How a change is divided among factors."""

    SHAPLEY = "shapley"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Contribution:
    """A part of a change.

    Attributes:
        kind: What it is of: `factor`, `segment`, `rate`, `mix`, `new`, `lost`, `overlap`.
        name: The factor or segment; None for the segment whose key is null.
        before: The value of the factor or segment before.
        after: The value after.
        contribution: How much of the change it is.
        unit: The unit of `before` and `after`.
        reason: Why one of these is None, or how many segments it is of.
    """

    kind: str
    name: str | None
    before: float | None
    after: float | None
    contribution: float
    unit: Unit
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decomposed:
    """A change and its parts.

    Attributes:
        before: The value before.
        after: The value after.
        rows: The parts.
        check: The largest gap between what adds up and what it adds up to, relative.
        usual: What the metric varies by itself, where that is known.
        currency: The code of the currency of amounts.
    """

    before: float
    after: float
    rows: tuple[Contribution, ...]
    check: float
    usual: Usual | None
    currency: str


def formula_of(metric: Metric, factors: str | Formula | Metric | None) -> Formula:
    """Return the formula whose factors explain a metric, with its names looked up.

    Args:
        metric: The metric.
        factors: The formula; by default the metric's own.

    Raises:
        FunnelkitError: It cannot be read, or names what there is not.
    """
    if factors is None:
        formula = metric.formula
        while isinstance(formula, Reference):
            formula = formula.formula
        return formula
    node = parse(factors) if isinstance(factors, str) else as_formula(factors)
    found = {name: find_metric(registry(), name).to_formula() for name in names_in(node)}
    return replace_names(node, found)


def factor_faults(metric: Metric, formula: Formula, method: Method) -> Iterator[str]:
    """Return why a formula cannot explain a metric, apart from the data.

    Args:
        metric: The metric.
        formula: The formula.
        method: How its change is divided.
    """
    names = list(factors_of(formula))
    if not names or names == [str(formula)]:
        yield f"{metric.name} has no factors: give them as factors=, or segments as by="
    if len(names) > MOST_FACTORS:
        yield f"{len(names)} factors are more than {MOST_FACTORS}: combine some of them"
    if method is Method.LOG and powers_of(formula) is None:
        yield f"method='log' is for products and quotients, not for {formula}: use 'shapley'"
    try:
        unit = unit_of_formula(_plain(formula))
    except UnitError as error:
        yield str(error)
        return
    if not unit.fits(_real(metric.unit)):
        yield f"{metric.name} is in {metric.unit}, and {formula} is not"


def _plain(formula: Formula) -> Formula:
    """Return a formula whose factors have the units that must agree."""
    match formula:
        case Constant():
            return formula
        case Arithmetic(operator, left, right):
            return Arithmetic(operator, _plain(left), _plain(right))
        case _:
            return Reference(str(formula), formula, _real(unit_of_formula(formula)))


def _real(unit: Unit) -> Unit:
    return Unit(tuple(power for power in unit.powers if power[0] in REAL_BASES))


def by_factors(
    change: Change, formula: Formula, method: Method, faults: Sequence[str]
) -> Decomposed:
    """Divide a change among the factors of a formula.

    Args:
        change: The change.
        formula: The formula.
        method: How.
        faults: What is already known to be wrong.

    Raises:
        DefinitionError: Something is wrong with the question; names everything.
        DataError: A value that is needed is null.
    """
    nodes = factors_of(formula)
    metrics = {
        name: _as_metric(name, node, place)
        for place, (name, node) in enumerate(nodes.items())
        if not isinstance(node, PeriodDays)
    }
    own = (change.metric.name, change.metric.formula)
    others = [metric for metric in metrics.values() if (metric.name, metric.formula) != own]
    faults = [*faults, *factor_faults(change.metric, formula, method), *metric_faults(others)]
    if faults:
        raise DefinitionError("; ".join(faults))
    asked = [change.metric, *others]
    values = change.measure(asked, change.earlier(change.known()))
    totals = values.both()
    days = (Point(float(change.before.days)), Point(float(change.after.days)))
    ends = {name: values.ends(metrics[name]) if name in metrics else days for name in nodes}
    before, after = _numbers({name: (one.value, two.value) for name, (one, two) in ends.items()})
    check = _identity(change.metric, formula, (before, after), totals)
    parts = _divided(formula, method, before, after, totals)
    rows = tuple(_row(name, nodes[name], ends[name], part) for name, part in parts.items())
    check = max(check, gap_of(fsum(parts.values()), totals[1] - totals[0], max(map(abs, totals))))
    return Decomposed(
        before=totals[0],
        after=totals[1],
        rows=rows,
        check=check,
        usual=values.usual(),
        currency=values.currency,
    )


def _row(name: str, node: Formula, ends: tuple[Point, Point], part: float) -> Contribution:
    before, after = ends
    reason = before.reason if before.value is None else None
    reason = after.reason if after.value is None else reason
    return Contribution(
        "factor", name, before.value, after.value, part, unit_of_formula(node), reason
    )


def _as_metric(name: str, node: Formula, place: int) -> Metric:
    if isinstance(node, Reference):
        return Metric(name=name, formula=node.formula, unit=node.unit)
    return Metric(name=f"factor_{place + 1}", formula=node)


def _numbers(
    known: Mapping[str, tuple[float | None, float | None]],
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the factors before and after; one that is null has its value of the other range.

    Raises:
        DataError: A factor is null in both; names all such.
    """
    lacking = [name for name, pair in known.items() if pair == (None, None)]
    if lacking:
        raise DataError(f"{', '.join(lacking)}: null before and after", "choose other factors")
    before, after = dict[str, float](), dict[str, float]()
    for name, (one, two) in known.items():
        before[name] = one if one is not None else two or 0.0
        after[name] = two if two is not None else one or 0.0
    return before, after


def _identity(
    metric: Metric,
    formula: Formula,
    numbers: tuple[Mapping[str, float], Mapping[str, float]],
    totals: tuple[float, float],
) -> float:
    """Return the largest gap between a formula and its metric.

    Raises:
        DefinitionError: The formula does not give the metric, before or after.
    """
    faults, gaps = list[str](), list[float]()
    for end, point, total in zip((BEFORE, AFTER), numbers, totals, strict=True):
        value = value_at(formula, point)
        if value is None:
            faults.append(f"{formula} divides by 0 in {end!r}")
            continue
        gaps.append(gap_of(value, total, size_at(formula, point)))
        if gaps[-1] > EXACT:
            one, two = (metric.unit.format(number) for number in (value, total))
            gap = f" (gap {abs(value - total) / abs(total) * 100:.1f} %)" if total else ""
            faults.append(f"{formula} is {one}, {metric.name} is {two} in {end!r}{gap}")
    if faults:
        raise DefinitionError(
            "; ".join(faults), "add the factor that is missing, such as '- returns_value'"
        )
    return max(gaps)


def gap_of(one: float, two: float, size: float) -> float:
    """Return the difference of two numbers by the size of what they are added up from."""
    largest = max(size, abs(one), abs(two))
    return abs(one - two) / largest if largest else 0.0


def _divided(
    formula: Formula,
    method: Method,
    before: Mapping[str, float],
    after: Mapping[str, float],
    totals: tuple[float, float],
) -> dict[str, float]:
    if method is Method.SHAPLEY:
        return shapley(formula, before, after)
    numbers = {
        **{(n, BEFORE): x for n, x in before.items()},
        **{(n, AFTER): x for n, x in after.items()},
    }
    wrong = [
        f"{name} is {number:,.6g} {end}" for (name, end), number in numbers.items() if number <= 0
    ]
    wrong += [f"the value is {t:,.6g}" for t in totals if t <= 0]
    if wrong:
        problem = f"method='log' takes factors above 0, and {', '.join(wrong)}"
        raise DefinitionError(problem, "use method='shapley'")
    return logarithmic(powers_of(formula) or {}, before, after, totals)

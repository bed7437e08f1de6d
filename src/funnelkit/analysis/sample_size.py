"""How many units an experiment takes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist
from sys import float_info

from funnelkit.arguments import check_kind, check_none, is_finite, not_between
from funnelkit.calendar.calendar import Moment
from funnelkit.errors import DataError, DefinitionError
from funnelkit.formula.values import Dimension, Predicate
from funnelkit.metrics.metric import Metric
from funnelkit.sampling.moments import Moments, moments_over, quantile_of_normal
from funnelkit.sampling.unit_table import columns_of, question_of, unit_table
from funnelkit.shop.shop import Shop

__all__ = ["SampleSize", "sample_size"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSize:
    """How many units it takes to see a lift of a metric.

    Attributes:
        metric: The name of the metric.
        unit: What the units are.
        value: The metric as it is; of a sum or count, its mean per unit.
        lift: The relative change that is to be seen.
        power: How often it is seen if it is there.
        level: How often no change is seen where there is none.
        per_variant: How many units each of two variants takes.
        seen: How many units the shop had in the range.
    """

    metric: str
    unit: str
    value: float
    lift: float
    power: float
    level: float
    per_variant: int
    seen: int

    @property
    def total(self) -> int:
        """How many units both variants take."""
        return 2 * self.per_variant

    def __str__(self) -> str:
        sizes = f"{self.per_variant:,} per variant, {self.total:,} in all by {self.unit}"
        change = f"{100 * self.lift:+g} % from {self.value:.4g}"
        return (
            f"{self.metric}: {sizes}, to see {change} in {100 * self.power:g} % of tests; "
            f"the range has {self.seen:,}"
        )


def sample_size(  # noqa: PLR0913  # the question, every part of it by keyword
    shop: Shop,
    metric: str | Metric,
    *,
    unit: str | Dimension,
    lift: float,
    power: float = 0.8,
    level: float = 0.95,
    start: Moment | None = None,
    end: Moment | None = None,
    where: Predicate | str | None = None,
) -> SampleSize:
    """Return how many units it takes to see a lift, by how much the shop's own units vary.

    Args:
        shop: The shop.
        metric: The metric that will decide.
        unit: What will be assigned, such as `"visitor_id"`.
        lift: The smallest relative change that matters: 0.05 for 5 %; above −100 %, and not 0.
        power: How often it is to be seen if it is there; more often than by chance alone.
        level: How often no change is to be seen where there is none.
        start: As for `evaluate`; take a range as long as the experiment will be.
        end: As for `evaluate`.
        where: As for `evaluate`.

    Raises:
        DefinitionError: An argument is not valid, or the metric is not made of sums over units.
        DataError: There is no value to be lifted, or all units are alike.
        FunnelkitError: As for `evaluate`.

    Examples:
        >>> import funnelkit as fk
        >>> may = {"start": "2024-05-01", "end": "2024-06-01"}
        >>> fk.sample_size(
        ...     fk.demo(), "session_conversion_rate", unit="visitor_id", lift=0.1, **may
        ... ).per_variant
        21727
    """
    check_kind("metric", metric, (str, Metric), "name one metric")
    _check(lift, power, level)
    asked, (sides,), named = question_of(shop, metric, unit=unit, start=start, end=end, where=where)
    units = unit_table(asked, [sides], named)
    moments = moments_over(units, columns_of(sides))
    name = sides.metric.name
    if moments.units < 2 or moments.below == 0 or moments.ratio * moments.ratio_variance == 0:
        raise DataError(
            f"{name} is 0, or the same for all of {moments.units:,} units: nothing says how much "
            "it varies",
            "take a range in which units differ",
        )
    return SampleSize(
        metric=name,
        unit=named.name,
        value=moments.ratio,
        lift=lift,
        power=power,
        level=level,
        per_variant=_per_variant(sides.metric, moments, lift, _reach(power, level)),
        seen=moments.units,
    )


def _check(lift: float, power: float, level: float) -> None:
    """Check the numbers that describe a test."""
    faults = [not_between("power", power, 0, 1), not_between("level", level, 0, 1)]
    if not (is_finite(lift) and lift > -1 and lift):
        faults.append(f"lift={lift!r} is not a change")
    if not any(faults) and _reach(power, level) <= 0:
        faults.append(
            f"power={power!r} is not above {(1 - level) / 2:g}, which level={level!r} sees of no "
            "change"
        )
    check_none(faults, remedy="write lift=0.05, power=0.8, level=0.95")


def _reach(power: float, level: float) -> float:
    """Return how many standard errors of a difference the change must be away from 0."""
    return quantile_of_normal(level) + NormalDist().inv_cdf(power)


def _per_variant(metric: Metric, moments: Moments, lift: float, reach: float) -> int:
    """Return how many units each variant takes; at least 2, of which one can vary.

    Raises:
        DefinitionError: The metric cannot be lifted so, or no number is as large.
    """
    lifted, most = moments.ratio * (1 + lift), metric.bounds[1]
    if most is not None and lifted > most:
        raise DefinitionError(
            f"lift={lift!r} takes {metric.name} from {moments.ratio:.4g} to {lifted:.4g}, above "
            f"{most:g}, the most that it can be",
            "write a smaller lift",
        )
    errors = sqrt(2 * moments.ratio_variance) * reach / abs(moments.ratio) / abs(lift)
    if not errors < sqrt(float_info.max):
        raise DefinitionError(f"lift={lift!r} is too small to be seen", "write lift=0.05")
    return max(ceil(errors * errors), 2)

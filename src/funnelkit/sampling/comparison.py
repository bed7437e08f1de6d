"""Tests of one variant against another, handed to tea-tasting as moments over units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from math import exp, isfinite, log1p, sqrt
from typing import Any

import numpy as np
import polars as pl

from funnelkit.sampling.assignment import VARIANT
from funnelkit.sampling.design import BEFORE
from funnelkit.sampling.moments import FEWEST, Moments, moments_over
from funnelkit.sampling.sides import Sides
from funnelkit.sampling.unit_table import columns_of

__all__ = ["Comparison", "always_valid"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The tests of tea-tasting on what units did.

    Attributes:
        group: The metrics.
        units: One row per unit.
        level: How often intervals hold.
        has_before: Whether what units did before is taken out.
    """

    group: Sequence[Sides]
    units: pl.DataFrame
    level: float
    has_before: bool

    @property
    def tea_tasting(self) -> Any:
        """The module of tea-tasting, which is not installed by default."""
        return import_module("tea_tasting")

    @property
    def unexplained(self) -> list[str]:
        """The metrics of which there is nothing before, though that was to be taken out."""
        lacking = (sides for sides in self.group if not self._has_before(sides))
        return [sides.metric.name for sides in lacking] if self.has_before else []

    def result(self, control: str, variant: str) -> Any:
        """Return tea-tasting's result of a variant, of the metrics that can be tested."""
        pair = (control, variant)
        sides = [each for each in self.group if self._reason(each, pair) in {None, "few_units"}]
        if not sides:
            return {}
        metrics = {each.metric.name: self._test(each) for each in sides}
        names = [name for each in sides for name in self._columns(each)]
        data = {name: self._aggregates(name, names) for name in pair}
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.tea_tasting.Experiment(metrics).analyze(data, control)

    def _columns(self, sides: Sides) -> list[str]:
        own = columns_of(sides)
        return [*own, *(f"{BEFORE}{name}" for name in own if self._has_before(sides))]

    def _has_before(self, sides: Sides) -> bool:
        """Return whether units of every variant did something before."""
        if not self.has_before:
            return False
        names = [f"{BEFORE}{name}" for name in columns_of(sides)]
        sums = self.units.group_by(VARIANT).agg(pl.col(names).abs().sum())
        return bool(sums.select(pl.all_horizontal(pl.col(names) > 0).all()).item())

    def _test(self, sides: Sides) -> Any:
        own, both = columns_of(sides), self._columns(sides)
        before = both[len(own) :]
        return self.tea_tasting.RatioOfMeans(
            own[0],
            own[1] if len(own) > 1 else None,
            before[0] if before else None,
            before[1] if len(before) > 1 else None,
            confidence_level=self.level,
        )

    def _aggregates(self, variant: str, names: Sequence[str]) -> Any:
        """Return the moments of a variant's units, as tea-tasting takes them."""
        rows = self.units.filter(pl.col(VARIANT) == variant).select(names)
        found = np.atleast_2d(np.cov(rows.to_numpy(), rowvar=False, ddof=1))
        means = rows.mean().row(0, named=True)
        module = import_module("tea_tasting.aggr")
        pairs = [(i, j) for i in range(len(names)) for j in range(i)]
        return module.Aggregates(
            count_=rows.height,
            mean_=means,
            var_={name: float(found[i, i]) for i, name in enumerate(names)},
            cov_={(names[i], names[j]): float(found[i, j]) for i, j in pairs},
        )

    def _moments(self, sides: Sides, variant: str) -> Moments:
        rows = self.units.filter(pl.col(VARIANT) == variant)
        return moments_over(rows, columns_of(sides))

    def _reason(self, sides: Sides, pair: Sequence[str]) -> str | None:
        """Return why two variants cannot be compared, or what stands beside a comparison."""
        both = [self._moments(sides, name) for name in pair]
        if any(each.below == 0 for each in both):
            return "no_value"
        if any(each.units < 2 for each in both) or not any(e.ratio_variance for e in both):
            return "no_variation"
        return "few_units" if any(each.units < FEWEST for each in both) else None

    def row(
        self, sides: Sides, control: str, variant: str, result: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the row of a metric and a variant."""
        theirs, own = self._moments(sides, control), self._moments(sides, variant)
        row: dict[str, Any] = {
            "metric": sides.metric.name,
            "variant": variant,
            "level": self.level,
            "units": own.units,
            "reference_units": theirs.units,
            "unit": str(sides.metric.unit),
            "reason": self._reason(sides, (control, variant)),
        }
        if (found := result.get(sides.metric.name)) is not None:
            row |= _finite(
                _numbers(found._asdict(), own, theirs, is_plain=not self._has_before(sides))
            )
            return row | ({"reason": "no_variation"} if row["p_value"] is None else {})
        if own.below and theirs.below:
            row |= {"value": own.ratio, "reference": theirs.ratio}
            row["difference"] = own.ratio - theirs.ratio
        return row

    def adjusted(self, results: Mapping[str, Any]) -> dict[tuple[str, str], float]:
        """Return the p-values adjusted for several comparisons, by variant and metric."""
        first, *others = (sides.metric.name for sides in self.group)
        found = dict[tuple[str, str], float]()
        for names in ({first}, set(others)):
            tested = {
                variant: type(r)({n: one for n, one in r.items() if isfinite(one.pvalue)})
                for variant, r in results.items()
            }
            kept = {variant: r for variant, r in tested.items() if names & set(r)}
            if not kept:
                continue
            for variant, result in self.tea_tasting.adjust_fdr(kept, names).items():
                found |= {(variant, name): one["pvalue_adj"] for name, one in result.items()}
        return found


def _numbers(
    found: Mapping[str, float], own: Moments, theirs: Moments, *, is_plain: bool
) -> dict[str, float | None]:
    """Return the numbers of a comparison.

    Args:
        found: Those of tea-tasting.
        own: The moments of the variant.
        theirs: The moments of the control.
        is_plain: Whether nothing is taken out of them.
    """
    value, reference, difference = found["treatment"], found["control"], found["effect_size"]
    se = sqrt(own.ratio_se**2 + theirs.ratio_se**2) if is_plain else None
    if found["statistic"]:
        se = difference / found["statistic"]
    is_relative, has_logarithm = reference > 0, reference > 0 and value > 0
    return {
        "value": value,
        "reference": reference,
        "difference": difference,
        "low": found["effect_size_ci_lower"],
        "high": found["effect_size_ci_upper"],
        "se": se,
        "lift": found["rel_effect_size"] if is_relative else None,
        "lift_low": found["rel_effect_size_ci_lower"] if has_logarithm else None,
        "lift_high": found["rel_effect_size_ci_upper"] if has_logarithm else None,
        "lift_se": _linear_se(own, theirs) if is_plain and is_relative else None,
        "p_value": found["pvalue"],
    }


def _linear_se(own: Moments, theirs: Moments) -> float:
    """Return the standard error of a lift by the delta method."""
    of_own = own.ratio_se / theirs.ratio
    return sqrt(of_own**2 + (theirs.ratio_se * own.ratio / theirs.ratio**2) ** 2)


def _finite(numbers: Mapping[str, float | None]) -> dict[str, float | None]:
    return {
        name: None if value is None or not isfinite(value) else float(value)
        for name, value in numbers.items()
    }


def always_valid(row: Mapping[str, Any], tuning: int) -> dict[str, Any]:
    """Return the interval of a confidence sequence, and the p-value that goes with it.

    Args:
        row: A comparison: `difference`, `se`, `units`, `reference_units`, `level`.
        tuning: How many units it is narrowest for.
    """
    kept = {name: row[name] for name in ("metric", "variant", "difference", "level")}
    if row["difference"] is None or not row["se"]:
        return {**kept, "low": None, "high": None, "p_value": None}
    log_alpha, units = log1p(-row["level"]), row["units"] + row["reference_units"]
    growth = (log1p(-2 * log_alpha) - 2 * log_alpha) * units / tuning
    half = row["se"] * sqrt(2 * (growth + 1) / growth * (log1p(growth) / 2 - log_alpha))
    z = row["difference"] / row["se"]
    evidence = growth * z * z / (2 * (growth + 1)) - log1p(growth) / 2
    p_value = 1.0 if evidence <= 0 else exp(-evidence)
    low, high = row["difference"] - half, row["difference"] + half
    return {**kept, "low": low, "high": high, "p_value": p_value}

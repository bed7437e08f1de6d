"""Drivers: what a change is made of, by the factors of a formula or by segments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from types import NoneType

import polars as pl

from funnelkit.arguments import check_kind, not_chosen, not_whole
from funnelkit.calendar.calendar import Calendar, Moment
from funnelkit.calendar.spans import Stretch
from funnelkit.charts.spec import Spec
from funnelkit.charts.waterfall import waterfall_chart
from funnelkit.errors import DefinitionError
from funnelkit.evaluation.arguments import ask, representable, requested_metrics
from funnelkit.formula.accumulation import MetricKind
from funnelkit.formula.formulas import Formula, FormulaNode
from funnelkit.formula.values import Dimension, Predicate
from funnelkit.journeys.change import AFTER, BEFORE, Change, stretch_of
from funnelkit.journeys.decomposition import (
    Contribution,
    Decomposed,
    Method,
    by_factors,
    formula_of,
)
from funnelkit.journeys.pairing import metric_faults
from funnelkit.journeys.segments import by_segments
from funnelkit.metrics.metric import Direction, Metric
from funnelkit.result.display import key_text
from funnelkit.result.limits import FEWEST
from funnelkit.result.picture import measure_of
from funnelkit.result.view import Plotted, Shown, as_points, as_text, flush_right
from funnelkit.result.waterfall import waterfall
from funnelkit.shop.shop import Shop
from funnelkit.units import RATIO, Display

__all__ = ["Drivers", "drivers"]

TOP = 20
NO_CHANGE = "no_change"
SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "kind": pl.Enum(["factor", "segment", "rate", "mix", "new", "lost", "overlap"]),
    "name": pl.String,
    **dict.fromkeys(("before", "after", "contribution", "share"), pl.Float64),
    **dict.fromkeys(("unit", "reason"), pl.String),
}
RULES: Mapping[Method, str] = {
    Method.SHAPLEY: (
        "Contributions are means over all orders in which the factors can change one after "
        "another (Shapley)."
    ),
    Method.LOG: "Contributions are by logarithmic means (LMDI-I).",
}
MIX_RULE = (
    "rate: how the ratio of the segment changed, at its mean share. mix: how its share changed, "
    "by how far its ratio lies from that of all. new, lost: both, of a segment of one period."
)
SEGMENT_RULE = "Each segment contributes its own change."
OVERLAP_RULE = " overlap: what is counted in several segments, and once in the whole."
CAUTION = "They add up to the change; they say what moved, not why."


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Drivers(Plotted):
    """What a change of a metric is made of.

    Attributes:
        before: The value before.
        after: The value after.
        check: The largest gap between what adds up and what it adds up to, relative.
        within_limits: Whether both values lie within what the metric varies by itself; None
            where fewer than 6 earlier periods of the same length are known.
        rule: How contributions are computed, and what the limits say, in sentences.
        currency: The code of the currency of amounts.
    """

    before: float
    after: float
    check: float
    within_limits: bool | None
    rule: tuple[str, ...]
    currency: str
    _metric: Metric
    _rows: tuple[Contribution, ...]

    @property
    def change(self) -> float:
        """How much the metric changed."""
        return self.after - self.before

    @property
    def frame(self) -> pl.DataFrame:
        """One row per contribution; they add up to `change`.

        `kind` is `factor`, `segment`, `rate`, `mix`, `new`, `lost` or `overlap`; `name` the
        factor, or the value of the dimension, null where that is null, or `other`. `before` and
        `after` are the values of the factor or segment, of a mix the shares. `contribution` is
        in the unit of the metric, which is `unit`; `share` is contribution / change, null with
        the reason `no_change` where that is 0. `reason` is otherwise why `before` or `after` is
        null, or how many segments are in `other`: `23_segments`.
        """
        change = self.change
        rows = [
            {
                "kind": row.kind,
                "name": row.name,
                "before": row.before,
                "after": row.after,
                "contribution": row.contribution,
                "share": row.contribution / change if change else None,
                "unit": str(self._metric.unit),
                "reason": row.reason or (None if change else NO_CHANGE),
            }
            for row in self._rows
        ]
        return pl.DataFrame(rows, schema=SCHEMA)

    def picture(self) -> Spec:
        """Return the waterfall from before to after, as a Vega-Lite specification; see `plot`."""
        measure = measure_of(self._metric, currency=self.currency)
        steps = [row.contribution for row in self._rows]
        reached = list(accumulate(steps, initial=self.before))
        labels = [measure.text(self.before), *self._contributions(), measure.text(self.after)]
        effects = [_effect(self._metric.direction, step) for step in steps]
        rows = {
            "name": [BEFORE, *map(_name, self._rows), AFTER],
            "start": [0.0, *reached[:-1], 0.0],
            "end": [*reached, self.after],
            "label": labels,
            "effect": ["value", *effects, "value"],
        }
        return waterfall_chart(pl.DataFrame(rows, strict=False), measure)

    def _shown(self) -> Shown:
        unit, none = self._metric.unit, pl.Series([""])
        ends = [as_text(pl.Series([end]), unit, currency=self.currency) for end in self._ends]
        own = self.frame
        columns = {
            "kind": pl.concat([none, own.get_column("kind").cast(pl.String), none]),
            "name": pl.Series(["before", *[row.name for row in self._rows], "after"]),
            "before": pl.concat([none, self._numbers("before"), none]),
            "after": pl.concat([none, self._numbers("after"), none]),
            "contribution": pl.concat([ends[0], self._contributions(), ends[1]]),
            "share": pl.concat([none, as_text(own.get_column("share"), RATIO), none]),
            "waterfall": waterfall(self.before, [row.contribution for row in self._rows]),
        }
        frame = flush_right(pl.DataFrame(columns), ["before", "after", "contribution", "share"])
        keys, notes = list(columns), [*self.rule, CAUTION]
        return Shown(frame=frame, figures=[], keys=keys, notes=notes, currency=self.currency)

    @property
    def _ends(self) -> tuple[float, float]:
        return self.before, self.after

    def _numbers(self, side: str) -> pl.Series:
        """Return what each row is of, before or after, as text in its own unit."""
        texts = [
            row.unit.format(row.before if side == "before" else row.after, currency=self.currency)
            for row in self._rows
        ]
        return pl.Series(side, texts, dtype=pl.String)

    def _contributions(self) -> pl.Series:
        numbers = pl.Series([row.contribution for row in self._rows], dtype=pl.Float64)
        if self._metric.unit.display is Display.PERCENT:
            return as_points(numbers)
        return as_text(numbers, self._metric.unit, currency=self.currency, is_signed=True)


def _name(row: Contribution) -> str:
    """Return what a contribution is of, as a picture names it."""
    name = key_text(row.name)
    return name if row.kind in {"factor", "segment"} else f"{name} · {row.kind}"


def _effect(direction: Direction, step: float) -> str:
    """Return whether a step is for the better, where the metric has a direction."""
    if direction is Direction.NEUTRAL:
        return "more" if step > 0 else "less"
    return "better" if (step > 0) is (direction is Direction.UP) else "worse"


def drivers(  # noqa: PLR0913  # the question, every part of it by keyword
    shop: Shop,
    metric: str | Metric,
    *,
    before: Moment | tuple[Moment, Moment],
    after: Moment | tuple[Moment, Moment],
    every: str | None = None,
    factors: str | Formula | Metric | None = None,
    by: str | Dimension | None = None,
    method: str = "shapley",
    where: Predicate | str | None = None,
    top: int = TOP,
) -> Drivers:
    """Divide the change of a metric among its factors, or among segments.

    Without `by`, the factors are those of a formula, by default the metrics that the metric's
    own formula names. With `by`, a ratio is divided into mix and rate, a flow or a distinct
    count into the changes of segments.

    Args:
        shop: The shop.
        metric: The metric.
        before: A range, such as `("2024-07-01", "2024-10-01")`, or with `every` the label of a
            period.
        after: The same.
        every: The length of the periods that labels stand for.
        factors: A formula that gives the metric, whose metrics are the factors:
            `"sessions * session_conversion_rate * average_order_value - returns_value"`.
        by: A dimension.
        method: `"shapley"`, or `"log"` for products of positive factors.
        where: As for `evaluate`.
        top: How many segments are shown; the others are `other`.

    Raises:
        DefinitionError: The question contradicts itself, or the formula does not give the
            metric; names all that is wrong.
        DataError: A value that is needed is null.
        FunnelkitError: As for `evaluate`.

    Examples:
        >>> import funnelkit as fk
        >>> found = fk.drivers(
        ...     fk.demo(), "net_sales", before="2024-07-01", after="2024-10-01", every="1q"
        ... )
        >>> found.frame.get_column("name").to_list()
        ['gross_sales', 'discounts', 'returns_value']
    """
    chosen = requested_metrics([metric])[0]
    question = ask(shop, by=() if by is None else by, every=every, where=where)
    ranges = _ranges(question.calendar, before, after, _argument_faults(factors, by, method, top))
    change = Change(shop, chosen, question, *ranges)
    is_labelled = not any(isinstance(given, tuple | list) for given in (before, after))
    faults = [*metric_faults([chosen]), *change.faults(is_labelled=is_labelled)]
    if by is None:
        found = by_factors(change, formula_of(chosen, factors), Method(method), faults)
    else:
        found = by_segments(change, top, faults)
    return Drivers(
        before=found.before,
        after=found.after,
        check=found.check,
        within_limits=None if found.usual is None else not found.usual.outside,
        rule=(_limits(chosen, found), _rule(chosen, method, is_segmented=by is not None)),
        currency=found.currency,
        _metric=chosen,
        _rows=found.rows,
    )


def _ranges(
    calendar: Calendar,
    before: Moment | tuple[Moment, Moment],
    after: Moment | tuple[Moment, Moment],
    faults: Iterable[str],
) -> tuple[Stretch, Stretch]:
    """Return the two ranges.

    Raises:
        DefinitionError: One is not a range, or something is already known to be wrong.
    """
    told, found = list(faults), list[Stretch]()
    for given, name in ((before, BEFORE), (after, AFTER)):
        try:
            with representable():
                found.append(stretch_of(calendar, given, name))
        except DefinitionError as error:
            told.append(str(error))
    if told:
        raise DefinitionError("; ".join(told))
    return found[0], found[1]


def _argument_faults(factors: object, by: object, method: object, top: object) -> Iterator[str]:
    """Check what the arguments are, and return what contradicts itself.

    Raises:
        DefinitionError: One is of another kind.
    """
    check_kind("factors", factors, (str, FormulaNode, NoneType), "write a formula: 'a * b - c'")
    check_kind("by", by, (str, Dimension, NoneType), "name one column: by='country'")
    if factors is not None and by is not None:
        yield "factors= and by= are two questions: ask them one after the other"
    if fault := not_chosen("method", method, Method):
        yield fault
    elif method == Method.LOG and by is not None:
        yield "method='log' is for factors, not for segments"
    if fault := not_whole("top", top, 1):
        yield fault


def _rule(metric: Metric, method: str, *, is_segmented: bool) -> str:
    if not is_segmented:
        return RULES[Method(method)]
    if metric.kind is MetricKind.DISTINCT:
        return SEGMENT_RULE + OVERLAP_RULE
    return SEGMENT_RULE if metric.kind is not MetricKind.LEVEL else MIX_RULE


def _limits(metric: Metric, found: Decomposed) -> str:
    """Return what the earlier periods say of the change."""
    usual = found.usual
    if usual is None:
        return (
            f"Fewer than {FEWEST} earlier periods as long are known: whether the change is more "
            "than what the metric varies by itself cannot be said."
        )
    low, high = metric.bounds
    lower = usual.lower if low is None else max(usual.lower, low)
    upper = usual.upper if high is None else min(usual.upper, high)
    limits = " to ".join(metric.unit.format(x, currency=found.currency) for x in (lower, upper))
    extent = f"what {metric.name} varies by itself ({limits}, {usual.points} earlier periods)"
    match usual.outside:
        case ():
            return f"Both values lie within {extent}: the change may be noise."
        case (end,):
            return f"The value {end} lies outside of {extent}."
        case _:
            return f"Both values lie outside of {extent}."

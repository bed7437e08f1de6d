"""A change of a metric divided among segments: their own changes, or mix and rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum

from funnelkit.errors import DataError, DefinitionError, shortened
from funnelkit.evaluation.over_stretches import STRETCH, measure
from funnelkit.evaluation.paired import SILENT
from funnelkit.formula.accumulation import ADDS_UP, MetricKind, kind_of
from funnelkit.formula.formulas import Formula
from funnelkit.formula.properties import additivity
from funnelkit.journeys.change import AFTER, BEFORE, Change
from funnelkit.journeys.decomposition import EXACT, Contribution, Decomposed, gap_of
from funnelkit.metrics.metric import Metric
from funnelkit.result.contributions import Effect, Sides, mix_and_rate
from funnelkit.units import RATIO

__all__ = ["by_segments"]

OTHER = "other"
Pair = tuple[float, float]


def segment_faults(metric: Metric) -> Iterator[str]:
    """Return why the change of a metric is not divided among segments.

    Args:
        metric: The metric.
    """
    if _is_total(metric):
        return
    if metric.ratio is None:
        yield f"{metric.name} is neither a total nor a ratio of totals: give factors="
        return
    for side, name in zip(metric.ratio, ("numerator", "denominator"), strict=True):
        if not _adds_up(side):
            yield (
                f"the {name} of {metric.name}, {shortened(side)}, does not add up over segments: "
                "choose a ratio of sums or counts of rows"
            )


def _is_total(metric: Metric) -> bool:
    return metric.kind in ADDS_UP or metric.additivity.over_keys


def _adds_up(side: Formula) -> bool:
    return kind_of(side) is MetricKind.FLOW or additivity(side).over_keys


@dataclass(frozen=True, slots=True)
class _Segments:
    """What was read of each segment, before and after, in order of the keys."""

    names: list[str | None]
    before: list[Sides]
    after: list[Sides]

    @property
    def pairs(self) -> list[tuple[Sides, Sides]]:
        return list(zip(self.before, self.after, strict=True))


def by_segments(change: Change, top: int, faults: Sequence[str]) -> Decomposed:
    """Divide a change among the segments of a dimension.

    Args:
        change: The change; its question has the dimension.
        top: How many segments are told apart.
        faults: What is already known to be wrong.

    Raises:
        DefinitionError: Something is wrong with the question; names everything.
        DataError: A value that is needed is null.
    """
    metric = change.metric
    if faults := [*faults, *segment_faults(metric)]:
        raise DefinitionError("; ".join(faults))
    values = change.measure([metric], change.earlier(change.known()))
    totals = values.both()
    segments = _read(change)
    if _is_total(metric):
        rows = _own_changes(metric, segments, totals, top)
    else:
        rows = list(_effects(metric, segments, top))
    check = _checked(metric, segments, totals)
    parts = fsum(row.contribution for row in rows)
    return Decomposed(
        before=totals[0],
        after=totals[1],
        rows=tuple(rows),
        check=max(check, gap_of(parts, totals[1] - totals[0], max(map(abs, totals)))),
        usual=values.usual(),
        currency=values.currency,
    )


def _read(change: Change) -> _Segments:
    """Return the numbers of each segment; a total has a denominator of 1.

    Raises:
        DataError: A number is null; names all segments.
    """
    metric, question = change.metric, change.question
    stretches = [change.before, change.after]
    found = measure(change.shop, [metric], stretches, by=question.by, where=question.where).frame
    key = question.by[0].name
    read = ("value", "numerator", "denominator", "reason")
    sides = dict[object, dict[int, Sides]]()
    lacking = list[str]()
    for name, place, value, above, below, reason in found.select(key, STRETCH, *read).iter_rows():
        pair = (value, 1.0) if _is_total(metric) else (above, below)
        if None in pair and reason not in SILENT:
            lacking.append(f"{name} in {(BEFORE, AFTER)[place]!r} ({reason})")
        sides.setdefault(name, {})[place] = Sides(pair[0] or 0.0, pair[1] or 0.0)
    if lacking:
        raise DataError(
            f"{metric.name} is null for {', '.join(lacking)}", "leave them out by where="
        )
    nothing = Sides(0.0, 0.0)
    return _Segments(
        [None if name is None else str(name) for name in sides],
        [each.get(0, nothing) for each in sides.values()],
        [each.get(1, nothing) for each in sides.values()],
    )


def _checked(metric: Metric, segments: _Segments, totals: Pair) -> float:
    """Return the largest gap between the segments together and the whole.

    Raises:
        DefinitionError: They do not make the whole.
    """
    if metric.kind is MetricKind.DISTINCT:
        return 0.0
    gaps = list[float]()
    for sides, total in zip((segments.before, segments.after), totals, strict=True):
        own, size = _summed(sides), fsum(abs(side.numerator) for side in sides)
        below = 1.0 if _is_total(metric) else own.denominator
        gaps.append(gap_of(own.numerator / below, total, size / abs(below)))
    if max(gaps) > EXACT:
        problem = f"the segments of {metric.name} do not add up to the whole"
        raise DefinitionError(problem, "choose a dimension of which each row has one value")
    return max(gaps)


def _own_changes(metric: Metric, segments: _Segments, totals: Pair, top: int) -> list[Contribution]:
    """Return the changes of segments, the largest first, and what they overlap."""

    def row(kind: str, name: str | None, pair: Pair, reason: str | None = None) -> Contribution:
        return Contribution(kind, name, *pair, pair[1] - pair[0], metric.unit, reason)

    pairs = [(one.numerator, two.numerator) for one, two in segments.pairs]
    order = sorted(range(len(pairs)), key=lambda at: -abs(pairs[at][1] - pairs[at][0]))
    rows = [row("segment", segments.names[at], pairs[at]) for at in order[:top]]
    if rest := [pairs[at] for at in order[top:]]:
        summed = (fsum(one for one, _ in rest), fsum(two for _, two in rest))
        rows.append(row("segment", OTHER, summed, _folded(rest)))
    if metric.kind is MetricKind.DISTINCT:
        sums = [fsum(pair[side] for pair in pairs) for side in (0, 1)]
        rows.append(row("overlap", "overlap", (totals[0] - sums[0], totals[1] - sums[1])))
    return rows


def _folded(rest: Sequence[object]) -> str:
    return f"{len(rest)}_segments"


def _effects(metric: Metric, segments: _Segments, top: int) -> Iterator[Contribution]:
    """Return mix and rate of segments, those that contribute most first."""
    of_segment: dict[int, list[Effect]] = {}
    for effect in mix_and_rate(segments.before, segments.after):
        of_segment.setdefault(effect.segment, []).append(effect)
    order = sorted(of_segment, key=lambda at: -abs(fsum(e.contribution for e in of_segment[at])))
    for at in order[:top]:
        for effect in of_segment[at]:
            yield _row(metric, effect, segments.names[at])
    if rest := order[top:]:
        yield from _other(metric, segments, rest, [e for at in rest for e in of_segment[at]])


def _row(metric: Metric, effect: Effect, name: str | None) -> Contribution:
    is_rate = effect.kind == "rate" and effect.before is not None
    unit = metric.unit if is_rate else RATIO
    return Contribution(effect.kind, name, effect.before, effect.after, effect.contribution, unit)


def _other(
    metric: Metric, segments: _Segments, places: Sequence[int], effects: Sequence[Effect]
) -> Iterator[Contribution]:
    """Return mix and rate of many segments: sums of theirs, not those of the segments as one."""
    wholes = [_summed(sides) for sides in (segments.before, segments.after)]
    before, after = (
        _summed([sides[at] for at in places]) for sides in (segments.before, segments.after)
    )
    share, later = (
        own.denominator / whole.denominator
        for own, whole in zip((before, after), wholes, strict=True)
    )
    rate, mix = (
        fsum(e.contribution for e in effects if (e.kind == "rate") is is_rate)
        for is_rate in (True, False)
    )
    reason = _folded(places)
    yield Contribution("rate", OTHER, before.rate, after.rate, rate, metric.unit, reason)
    yield Contribution("mix", OTHER, share, later, mix, RATIO, reason)


def _summed(sides: Sequence[Sides]) -> Sides:
    return Sides(fsum(s.numerator for s in sides), fsum(s.denominator for s in sides))

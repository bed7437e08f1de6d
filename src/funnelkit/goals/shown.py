"""How a goal is shown: its numbers in words, and as a bullet of a picture."""

from __future__ import annotations

from collections.abc import Mapping

from funnelkit.charts.bullets import Bullet
from funnelkit.goals.assess import Assessed
from funnelkit.goals.status import Status
from funnelkit.goals.target import Better
from funnelkit.metrics.metric import Metric
from funnelkit.result.picture import measure_of

__all__ = ["bullet_of", "in_unit", "target_text"]

EFFECTS: Mapping[Status, str] = {
    **dict.fromkeys((Status.MET, Status.ON_TRACK), "better"),
    **dict.fromkeys((Status.MISSED, Status.OFF_TRACK, Status.AT_RISK), "worse"),
}


def in_unit(metric: Metric, value: float | None, currency: str) -> str:
    """Return a number in the unit of a metric."""
    return "–" if value is None else metric.unit.format(value, currency=currency)


def target_text(each: Assessed, currency: str) -> str:
    """Return from where on, or between what, a goal is met."""
    aim, metric = each.case.aim, each.goal.metric
    if aim is None:
        return "–"
    low, high = (in_unit(metric, end, currency) for end in (aim.low, aim.high))
    match aim.better:
        case Better.UP:
            return f"≥ {low}"
        case Better.DOWN:
            return f"≤ {high}"
        case Better.INSIDE:
            return f"{low} to {high}"


def bullet_of(each: Assessed, currency: str) -> Bullet:
    """Return a goal as a picture shows it."""
    goal, stands, name = each.goal, each.standing, each.goal.name
    metric, aim, ahead = goal.metric, each.case.aim, each.standing.ahead
    actual = in_unit(metric, each.reading.value, currency)
    said = f"{actual} of {target_text(each, currency)} until {goal.deadline}"
    if ahead.projection is not None:
        said += f"; projection {in_unit(metric, ahead.projection, currency)}"
    if name == f"{metric.name} before {goal.deadline}":
        name = metric.title
    is_band = aim is not None and goal.better is Better.INSIDE
    return Bullet(
        name=name,
        said=f"{str(stands.status or '–').replace('_', ' ')}: {said}",
        measure=measure_of(metric, currency=currency),
        effect="" if stands.status is None else EFFECTS.get(stands.status, ""),
        numbers={
            "actual": each.reading.value,
            "target": each.case.target,
            "low_target": aim.low if aim and is_band else None,
            "high_target": aim.high if aim and is_band else None,
            "planned": stands.planned,
            "projection": ahead.projection,
            "low": ahead.low,
            "high": ahead.high,
        },
    )

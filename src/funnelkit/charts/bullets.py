"""Bullets: a value beside its target, what is planned by now, and where it will end."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from funnelkit.charts.spec import (
    BETTER,
    FAINT,
    GREY,
    WIDTH,
    WORSE,
    Measure,
    Spec,
    field,
    has_zero,
    records,
    titled,
    tooltip,
)

__all__ = ["Bullet", "bullets"]

MOST, HEIGHT, MARGIN = 12, 34, 0.1
KEY = (
    "bar or point: actual · black line, or grey field: target · dashed line: planned by now · "
    "diamond: projection, with its interval"
)
EFFECTS = {"better": BETTER, "worse": WORSE}
NUMBERS = ("actual", "target", "low_target", "high_target", "planned", "projection", "low", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullet:
    """A goal as a picture shows it.

    Attributes:
        name: The name of the goal.
        said: How it stands, in words.
        measure: What its numbers are.
        effect: `better`, `worse`, or neither, which chooses the colour.
        numbers: What is known of `actual`, `target` or `low_target` and `high_target`,
            `planned`, `projection`, `low` and `high`.
    """

    name: str
    said: str
    measure: Measure
    effect: str
    numbers: dict[str, float | None]


def bullets(goals: list[Bullet], words: list[str]) -> Spec:
    """Return a bullet per goal, one below the other, each on a scale of its own.

    Args:
        goals: The goals.
        words: What stands below the title.
    """
    told = [KEY, *words]
    if len(goals) > MOST:
        told.append(f"the first {MOST} of {len(goals)} goals")
    spec = {"vconcat": [_bullet(each) for each in goals[:MOST]], "spacing": 18}
    return titled(spec, "Goals", told)


def _bullet(goal: Bullet) -> Spec:
    row = {name: goal.numbers.get(name) for name in NUMBERS}
    values = pl.Series(list(row.values()), dtype=pl.Float64)
    known = values.drop_nulls()
    is_from_zero = known.n_unique() < 2 or has_zero(known)
    scale: Spec = {"zero": True}
    if not is_from_zero:
        low, high = min(known), max(known)
        scale = {"domain": [low - (high - low) * MARGIN, high + (high - low) * MARGIN]}
    data = pl.DataFrame([{**row, "zero": 0.0, "goal": goal.name, "said": goal.said}])
    axis = {**goal.measure.axis(values), "title": None, "tickCount": 6}
    present = {name for name, value in row.items() if value is not None}
    layers = _layers(goal, {"axis": axis, "scale": scale}, present, has_bar=is_from_zero)
    size = {"width": WIDTH, "height": HEIGHT, "data": records(data)}
    titles = {"text": goal.name, "subtitle": goal.said, "fontSize": 13, "offset": 6}
    return {"title": titles, **size, "layer": layers}


def _layers(goal: Bullet, x: Spec, present: set[str], *, has_bar: bool) -> list[Spec]:
    said = tooltip(goal="goal", said="how it stands")
    colour = EFFECTS.get(goal.effect, GREY)
    bar = {"type": "bar", "color": colour, "size": 12}
    point = {"type": "point", "filled": True, "color": colour, "size": 140, "opacity": 1}
    tick = {"type": "tick", "thickness": 3, "size": 28, "color": "black", "opacity": 1}
    dashed = {"type": "rule", "strokeDash": [3, 2], "color": "black", "strokeWidth": 1.5}
    diamond = {"type": "point", "shape": "diamond", "size": 90, "color": "black", "fill": "white"}
    between = {"type": "rule", "color": "black"}
    zone = {"type": "bar", "color": FAINT, "size": 28}
    drawn: list[tuple[str, Spec, Spec]] = [
        ("low_target", zone, {"x2": {"field": "high_target"}}),
        ("actual", bar, {"x2": {"field": "zero"}}) if has_bar else ("actual", point, {}),
        ("target", tick, {}),
        ("planned", dashed, {}),
        ("low", between, {"x2": {"field": "high"}}),
        ("projection", diamond, {"opacity": {"value": 1}}),
    ]
    return [
        {"mark": mark, "encoding": {"x": field(name, "quantitative", **x), **more, "tooltip": said}}
        for name, mark, more in drawn
        if name in present
    ]

"""Values beside published points."""

from __future__ import annotations

import polars as pl

from funnelkit.charts.bars import LONGEST_NAME
from funnelkit.charts.spec import (
    GREY,
    WIDTH,
    Measure,
    Spec,
    field,
    has_zero,
    records,
    standing,
    titled,
    tooltip,
)

__all__ = ["beside_published"]

STEP, MOST = 72, 20
TILTED: Spec = {"angle": 35, "align": "left", "dy": 12, "dx": 8}
"""So that the names of points close to each other are legible."""


def beside_published(values: pl.DataFrame, points: pl.DataFrame, measure: Measure) -> Spec:
    """Return a row per value: the published points as named ticks, the value as a point.

    Args:
        values: One row per value: `group`, `value` and `standing` (`better`, `worse`, `same` or
            null).
        points: One row per published point of each group: `group`, `point` and `value`.
        measure: What the values are.
    """
    groups = values.get_column("group").unique(maintain_order=True).to_list()
    words = ["ticks: what was published; labelled point: the value", *measure.words]
    if len(groups) > MOST:
        words.append(f"the first {MOST} of {len(groups)}")
    own = values.with_columns(pl.col("standing").cast(pl.String).fill_null("value"))
    rows = pl.concat([points, own], how="diagonal")
    rows = rows.filter(pl.col("group").is_in(groups[:MOST]))
    rows = rows.with_columns(measure.texts(rows.get_column("value")))
    height = STEP if rows.is_empty() else {"step": STEP}
    size = {"width": WIDTH - 120, "height": height, "data": records(rows)}
    return titled({**size, "layer": _layers(rows, measure)}, measure.title, words)


def _layers(rows: pl.DataFrame, measure: Measure) -> list[Spec]:
    numbers = rows.get_column("value")
    y = field("group", "nominal", sort=None, title=None, axis={"labelLimit": LONGEST_NAME})
    scale = {"axis": measure.axis(numbers), "scale": {"zero": has_zero(numbers)}}
    x = field("value", "quantitative", **scale)
    published = {"transform": [{"filter": "datum.point !== null"}]}
    own = {"transform": [{"filter": "datum.point === null"}]}
    tick = {
        **published,
        "mark": {"type": "tick", "color": GREY, "thickness": 2, "size": 16, "opacity": 1},
        "encoding": {"y": y, "x": x, "tooltip": tooltip(point="published", label=measure.title)},
    }
    name: Spec = {
        **published,
        "mark": {"type": "text", "fontSize": 9, "color": GREY, **TILTED},
        "encoding": {"y": y, "x": x, "text": field("point", "nominal")},
    }
    point: Spec = {
        **own,
        "mark": {"type": "point", "filled": True, "size": 120, "opacity": 1},
        "encoding": {
            "y": y,
            "x": x,
            **standing("standing", rows.get_column("standing")),
            "tooltip": tooltip(group="benchmark", label=measure.title, standing="standing"),
        },
    }
    text = {
        **own,
        "mark": {"type": "text", "dy": -14, "color": "black"},
        "encoding": {"y": y, "x": x, "text": field("label", "nominal")},
    }
    return [tick, name, point, text]

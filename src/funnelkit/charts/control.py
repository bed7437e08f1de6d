"""Control charts: values over time with their limits, and what stands out."""

from __future__ import annotations

import polars as pl

from funnelkit.charts.spec import (
    BETTER,
    FAINT,
    GREY,
    HEIGHT,
    WIDTH,
    WORSE,
    Measure,
    Spec,
    field,
    in_panels,
    of_first_groups,
    records,
    time_axis,
    titled,
    tooltip,
)

__all__ = ["control_chart"]

SIDE = "datum.value < datum.expected ? 16 : -14"
"""The side of a point on which its word stands: away from the centre."""
KINDS = {
    "better": (BETTER, "triangle-up"),
    "worse": (WORSE, "triangle-down"),
    "marked": ("black", "diamond"),
}
"""What a marked value is, its colour and its shape."""


def control_chart(frame: pl.DataFrame, measure: Measure) -> Spec:
    """Return values over time in the band of their limits; marked ones have a shape and a word.

    Args:
        frame: One row per period and group: `period`, `value`, `expected`, `lower`, `upper`,
            `signal` (null where nothing stands out), `verdict` (`better`, `worse` or null);
            `group` where there are groups.
        measure: What the values are.
    """
    kind = pl.coalesce("verdict", pl.lit("marked"))
    rows = frame.with_columns(
        pl.when(pl.col("signal").is_not_null()).then(kind).alias("mark"),
        measure.texts(frame.get_column("value")),
    )
    numbers = ("value", "lower", "upper")
    values = pl.concat([rows.get_column(name).cast(pl.Float64) for name in numbers])
    layers = _layers(measure, values, rows)
    words = ["band: what it does by itself; marked: more than that", *measure.words]
    if "group" not in rows.columns:
        size = {"width": WIDTH, "height": HEIGHT, "data": records(rows)}
        return titled({**size, **layers}, measure.title, words)
    rows, groups = of_first_groups(rows, words)
    return titled(in_panels(layers, records(rows), groups), measure.title, words)


def _layers(measure: Measure, values: pl.Series, rows: pl.DataFrame) -> Spec:
    is_small = "group" in rows.columns
    x = field("period", "temporal", **time_axis(rows.get_column("period"), is_small=is_small))
    scale = {"scale": {"zero": False}, "axis": measure.axis(values)}
    y, expected = (field(name, "quantitative", **scale) for name in ("value", "expected"))
    lower, upper = field("lower", "quantitative", **scale), {"field": "upper"}
    band = {
        "mark": {"type": "area", "color": FAINT, "opacity": 0.6, "interpolate": "step"},
        "encoding": {"x": x, "y": lower, "y2": upper},
    }
    centre = {
        "mark": {"type": "line", "color": GREY, "strokeDash": [6, 3], "strokeWidth": 1},
        "encoding": {"x": x, "y": expected},
    }
    line = {
        "mark": {"type": "line", "color": GREY, "strokeWidth": 1.5, "point": {"color": GREY}},
        "encoding": {"x": x, "y": y},
    }
    return {"layer": [band, centre, line, *_marks(measure, x, y, rows)]}


def _marks(measure: Measure, x: Spec, y: Spec, rows: pl.DataFrame) -> list[Spec]:
    present = [kind for kind in KINDS if rows.get_column("mark").eq(kind).any()]
    colours = {"domain": present, "range": [KINDS[kind][0] for kind in present]}
    shapes = {"domain": present, "range": [KINDS[kind][1] for kind in present]}
    legend = {"title": None}
    said = tooltip(period="period", label=measure.title, signal="signal", mark="verdict")
    marked = {"transform": [{"filter": "datum.mark !== null"}]}
    points = {
        **marked,
        "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1},
        "encoding": {
            "x": x,
            "y": y,
            "color": field("mark", "nominal", scale=colours, legend=legend),
            "shape": field("mark", "nominal", scale=shapes, legend=legend),
            "tooltip": said,
        },
    }
    outside = {
        "transform": [{"filter": "datum.signal === 'outside'"}],
        "mark": {"type": "text", "dy": {"expr": SIDE}, "color": "black"},
        "encoding": {"x": x, "y": y, "text": field("label", "nominal")},
    }
    return [points, outside]

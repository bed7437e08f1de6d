"""Waterfalls: what lies between a value before and a value after."""

from __future__ import annotations

import json

import polars as pl

from funnelkit.charts.spec import (
    BETTER,
    GREY,
    LEGEND,
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

__all__ = ["waterfall_chart"]

STEP, MARGIN = 26, 0.06
COLOURS = {"value": GREY, "better": BETTER, "worse": WORSE, "more": "#009E73", "less": "#CC79A7"}
"""What a bar is, and its colour."""


def waterfall_chart(frame: pl.DataFrame, measure: Measure) -> Spec:
    """Return a bar per step from where the one before ended, its signed text beside it.

    Args:
        frame: One row per bar, in order: `name`, `start` and `end`, `label`, and `effect`:
            `value` for the ends, and for steps `better`, `worse`, or of a metric that has no
            direction `more` and `less`.
        measure: What the ends are.
    """
    words = list(measure.words)
    ends = pl.concat([frame.get_column("end"), frame.get_column("start").slice(1, len(frame) - 2)])
    scale: Spec = {"zero": True}
    if not has_zero(ends):
        low, high = min(ends), max(ends)
        scale = {"domain": [low - (high - low) * MARGIN, high + (high - low) * MARGIN]}
        words.insert(0, "the axis does not begin at 0")
    rows = frame.with_row_index("place").with_columns(
        pl.max_horizontal("start", "end").alias("right"),
        pl.col("end").shift(1).alias("from"),
        (pl.col("place").cast(pl.Int64) - 1).alias("above"),
    )
    size = {"width": WIDTH - 120, "height": {"step": STEP}, "data": records(rows)}
    return titled({**size, **_layers(rows, measure, ends, scale)}, measure.title, words)


def _layers(rows: pl.DataFrame, measure: Measure, ends: pl.Series, scale: Spec) -> Spec:
    names = json.dumps(rows.get_column("name").to_list(), ensure_ascii=False)
    y = field("place", "ordinal", title=None, axis={"labelExpr": f"{names}[datum.value]"})
    x = {"axis": measure.axis(ends), "scale": scale}
    present = [each for each in COLOURS if rows.get_column("effect").eq(each).any()]
    colours = {"domain": present, "range": [COLOURS[each] for each in present]}
    bar = {
        "mark": {"type": "bar", "clip": True, "height": {"band": 0.7}},
        "encoding": {
            "y": y,
            "x": field("start", "quantitative", **x),
            "x2": {"field": "end"},
            "color": field("effect", "nominal", scale=colours, legend=LEGEND),
            "tooltip": tooltip(name="part", label=measure.title, effect="effect"),
        },
    }
    text = {
        "mark": {"type": "text", "align": "left", "dx": 5, "color": "black"},
        "encoding": {
            "y": y,
            "x": field("right", "quantitative", **x),
            "text": field("label", "nominal"),
        },
    }
    return {"layer": [bar, text]}

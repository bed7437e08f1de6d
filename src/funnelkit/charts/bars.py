"""Bars of groups, sorted; and a single number."""

from __future__ import annotations

import polars as pl

from funnelkit.charts.spec import BLUE, GREY, WIDTH, Measure, Spec, field, records, titled, tooltip

__all__ = ["bars", "number"]

MOST_BARS, STEP, LONGEST_NAME = 30, 24, 420


def bars(frame: pl.DataFrame, measure: Measure) -> Spec:
    """Return a bar per group, the largest first, with its value beside it.

    Args:
        frame: One row per group: `group` and `value`.
        measure: What the values are.
    """
    ranked = frame.sort("value", descending=True, nulls_last=True, maintain_order=True)
    rows, words = ranked.head(MOST_BARS), list(measure.words)
    if rows.height < ranked.height:
        words.append(f"the largest {rows.height} of {ranked.height} groups")
    values = rows.get_column("value")
    rows = rows.with_columns(measure.texts(values), at=pl.col("value").fill_null(0))
    names = {"sort": rows.get_column("group").to_list(), "axis": {"labelLimit": LONGEST_NAME}}
    y = field("group", "nominal", title=None, **names)
    x = field("value", "quantitative", axis=measure.axis(values))
    beside = field("at", "quantitative", axis=measure.axis(values))
    text = {
        "mark": {"type": "text", "align": "left", "dx": 5, "color": "black"},
        "encoding": {"y": y, "x": beside, "text": field("label", "nominal")},
    }
    bar = {
        "mark": {"type": "bar", "color": BLUE},
        "encoding": {"y": y, "x": x, "tooltip": tooltip(group="group", label=measure.title)},
    }
    size = {"width": WIDTH - 120, "height": {"step": STEP}, "data": records(rows)}
    return titled({**size, "layer": [bar, text]}, measure.title, words)


def number(value: float | None, measure: Measure) -> Spec:
    """Return a single value, large."""
    rows = pl.DataFrame({"value": [value], "label": [measure.text(value)]})
    mark = {"type": "text", "fontSize": 40, "align": "left", "x": 0, "color": BLUE}
    if value is None:
        mark["color"] = GREY
    encoding = {"text": field("label", "nominal")}
    spec = {"width": WIDTH, "height": 60, "data": records(rows), "mark": mark, "encoding": encoding}
    return titled(spec, measure.title, measure.words)

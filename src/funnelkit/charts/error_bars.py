"""Error bars: values with the interval around each."""

from __future__ import annotations

import polars as pl

from funnelkit.charts.bars import LONGEST_NAME, MOST_BARS, STEP
from funnelkit.charts.spec import BLUE, WIDTH, Measure, Spec, field, records, titled, tooltip

__all__ = ["error_bars"]


def error_bars(frame: pl.DataFrame, measure: Measure) -> Spec:
    """Return a point per group in its interval, the largest first, with its numbers beside it.

    Args:
        frame: One row per group: `group`, `value`, `lower` and `upper`, null without interval.
        measure: What the values are.
    """
    ranked = frame.sort("value", descending=True, nulls_last=True, maintain_order=True)
    rows, words = ranked.head(MOST_BARS), list(measure.words)
    if rows.height < ranked.height:
        words.append(f"the largest {rows.height} of {ranked.height} groups")
    columns = rows.select("value", "lower", "upper").cast(pl.Float64).rows()
    labels = [_said(measure, *row) for row in columns]
    rows = rows.with_columns(
        pl.Series("label", labels, dtype=pl.String),
        pl.coalesce("upper", "value").alias("right"),
    )
    values = pl.Series([each for row in columns for each in row], dtype=pl.Float64)
    size = {"width": WIDTH - 180, "height": {"step": STEP}, "data": records(rows)}
    return titled({**size, **_layers(rows, measure, values)}, measure.title, words)


def _said(measure: Measure, value: float | None, lower: float | None, upper: float | None) -> str:
    """Return a value, and from where to where its interval reaches."""
    if lower is None or upper is None:
        return f"{measure.text(value)} (no interval)"
    return f"{measure.text(value)} ({measure.text(lower)} to {measure.text(upper)})"


def _layers(rows: pl.DataFrame, measure: Measure, values: pl.Series) -> Spec:
    names = {"sort": rows.get_column("group").to_list(), "axis": {"labelLimit": LONGEST_NAME}}
    y = field("group", "nominal", title=None, **names)
    scale = {"axis": measure.axis(values), "scale": {"zero": False}}
    at, lower, right = (
        field(name, "quantitative", **scale) for name in ("value", "lower", "right")
    )
    said = tooltip(group="group", label=measure.title)
    reach = {
        "mark": {"type": "rule", "color": BLUE, "strokeWidth": 2},
        "encoding": {"y": y, "x": lower, "x2": {"field": "upper"}, "tooltip": said},
    }
    ends = [
        {
            "mark": {"type": "tick", "color": BLUE, "size": 10, "thickness": 2},
            "encoding": {"y": y, "x": field(name, "quantitative", **scale)},
        }
        for name in ("lower", "upper")
    ]
    point = {
        "mark": {"type": "point", "filled": True, "color": BLUE, "size": 80, "opacity": 1},
        "encoding": {"y": y, "x": at, "tooltip": said},
    }
    text = {
        "mark": {"type": "text", "align": "left", "dx": 8, "color": "black"},
        "encoding": {"y": y, "x": right, "text": field("label", "nominal")},
    }
    return {"layer": [reach, *ends, point, text]}

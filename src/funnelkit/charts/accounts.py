"""Accounts of growth: what was won stacked above zero, what was lost below it."""

from __future__ import annotations

import polars as pl

from funnelkit.charts.spec import (
    LEGEND,
    PALETTE,
    WIDTH,
    WORSE,
    Measure,
    Spec,
    field,
    records,
    time_axis,
    titled,
    tooltip,
)

__all__ = ["stacked_accounts"]

HEIGHT, WIDEST = 300, 60
ABOVE = {"retained": "#BFBFBF", "new": PALETTE[0], "resurrected": PALETTE[2]}
"""What stands above zero, from the axis up, and its colour."""
BELOW = {"churned": WORSE}


def stacked_accounts(frame: pl.DataFrame, measure: Measure) -> Spec:
    """Return a stack per period of the customers won, kept and lost, and their net as a line.

    Args:
        frame: One row per period: `period`, `retained`, `new`, `resurrected`, `churned`, `net`
            and `is_incomplete`.
        measure: What is counted.
    """
    parts = [*ABOVE, *BELOW]
    rows = frame.unpivot(parts, index=["period", "net", "is_incomplete"], variable_name="part")
    count = pl.col("value")
    rows = rows.with_columns(
        measure.texts(rows.get_column("value")),
        measure.texts(rows.get_column("net")).alias("net_label"),
        pl.when(pl.col("part").is_in([*BELOW])).then(-count).otherwise(count).alias("value"),
    ).sort("period", maintain_order=True)
    over = pl.col("value").cum_sum().over("period", pl.col("value") < 0)
    rows = rows.with_columns((over - pl.col("value")).alias("from"), over.alias("to"))
    rows = rows.with_columns(((pl.col("from") + pl.col("to")) / 2).alias("middle"))
    words = ["from zero up: retained, new, resurrected; below: churned; white: net", *measure.words]
    if frame.get_column("is_incomplete").any():
        words.insert(0, "faint: incomplete periods, whose values may still change")
    size = {"width": WIDTH, "height": HEIGHT, "data": records(rows)}
    return titled({**size, "layer": _layers(rows, measure)}, measure.title, words)


def _layers(rows: pl.DataFrame, measure: Measure) -> list[Spec]:
    count = max(rows.get_column("period").n_unique(), 1)
    axis = {**measure.axis(rows.get_column("to")), "title": measure.title}
    x = field("period", "temporal", **time_axis(rows.get_column("period")))
    x["scale"] = {"padding": WIDTH / count / 2}
    start, net = (field(name, "quantitative", axis=axis) for name in ("from", "net"))
    colours = {**ABOVE, **BELOW}
    scale = {"domain": list(colours), "range": list(colours.values())}
    faint = {"condition": {"test": "datum.is_incomplete", "value": 0.5}, "value": 1}
    bar = {
        "mark": {"type": "bar", "size": min(WIDEST, 0.7 * WIDTH / (count + 1))},
        "encoding": {
            "x": x,
            "y": start,
            "y2": {"field": "to"},
            "color": field("part", "nominal", scale=scale, legend=LEGEND),
            "opacity": faint,
            "tooltip": tooltip(period="period", part="part", label=measure.title),
        },
    }
    line = {"mark": {"type": "line", "color": "black"}, "encoding": {"x": x, "y": net}}
    shape = {"type": "point", "shape": "diamond", "fill": "white", "color": "black", "opacity": 1}
    said = tooltip(period="period", net_label="net")
    point = {"mark": {**shape, "size": 60}, "encoding": {"x": x, "y": net, "tooltip": said}}
    return [bar, line, point]

"""The steps of a funnel as bars, with those who drop off."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from funnelkit.charts.spec import (
    BLUE,
    FAINT,
    WIDTH,
    Measure,
    Spec,
    field,
    in_panels,
    records,
    titled,
    tooltip,
)
from funnelkit.units import RATIO

__all__ = ["stages"]

STEP, COLUMNS = 44, 2


def stages(frame: pl.DataFrame, measure: Measure) -> Spec:
    """Return a bar per step; a faint part shows who reached the step before and not this one.

    Args:
        frame: One row per group and step: `step`, `name`, `entities`, `drop_off`,
            `overall_rate`, `step_rate`; `group` where there are groups.
        measure: What is counted.
    """
    dropped = pl.col("drop_off").fill_null(0)
    rows = frame.with_columns(
        (pl.col("entities") + dropped).alias("before"),
        pl.format("{} {}", "step", "name").alias("stage"),
        pl.Series("label", [_said(measure, row) for row in frame.iter_rows(named=True)]),
    )
    order = rows.get_column("stage").unique(maintain_order=True).to_list()
    words = ["faint: those who reached the step before, and not this one", *measure.words]
    layers = _layers(rows, measure, order)
    if "group" in rows.columns:
        groups = rows.get_column("group").unique(maintain_order=True).to_list()
        spec = in_panels(layers, records(rows), groups, columns=COLUMNS)
        spec["spec"] |= {"width": WIDTH // 2 - 80, "height": {"step": STEP}}
        return titled(spec, measure.title, words)
    size = {"width": WIDTH - 60, "height": {"step": STEP}, "data": records(rows)}
    return titled({**size, **layers}, measure.title, words)


def _said(measure: Measure, row: dict[str, float | None]) -> str:
    """Return how many reach a step, of all and of those before, and how many do not."""
    said = f"{measure.text(row['entities'])} · {RATIO.format(row['overall_rate'])}"
    if row["drop_off"] is None:
        return said
    lost = None if row["step_rate"] is None else 1 - row["step_rate"]
    return f"{said} · −{measure.text(row['drop_off'])} ({RATIO.format(lost)})"


def _layers(rows: pl.DataFrame, measure: Measure, order: Sequence[str]) -> Spec:
    most = rows.get_column("before")
    y = field("stage", "nominal", sort=list(order), title=None)
    axis = {"axis": {**measure.axis(most), "title": None}}
    reached = field("entities", "quantitative", **axis)
    before = field("before", "quantitative", **axis)
    size = {"size": STEP // 2 - 4, "yOffset": 8}
    lost = {
        "mark": {"type": "bar", "color": FAINT, **size},
        "encoding": {"y": y, "x": before},
    }
    bar = {
        "mark": {"type": "bar", "color": BLUE, **size},
        "encoding": {"y": y, "x": reached, "tooltip": tooltip(stage="step", label=measure.title)},
    }
    text = {
        "mark": {"type": "text", "align": "left", "yOffset": -10, "color": "black"},
        "encoding": {"y": y, "x": {"value": 2}, "text": field("label", "nominal")},
    }
    return {"layer": [lost, bar, text]}

"""Survival curves: the share of journeys that take longer."""

from __future__ import annotations

import polars as pl

from funnelkit.charts.spec import (
    BLUE,
    HEIGHT,
    PALETTE,
    WIDTH,
    Measure,
    Spec,
    field,
    records,
    titled,
)

__all__ = ["survival_curve"]

FINEST = 400
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [10, 4], [4, 1])


def survival_curve(frame: pl.DataFrame, measure: Measure, length: Measure) -> Spec:
    """Return steps down from 100 %: the share that takes longer.

    Args:
        frame: In order of `duration`: `duration`, `survival`, `at_risk`; `group` where there
            are groups.
        measure: What the curve shows.
        length: What the durations are.
    """
    groups = list[str]()
    if "group" in frame.columns:
        groups = frame.get_column("group").unique(maintain_order=True).to_list()
    words = list(measure.words)
    if len(groups) > len(PALETTE):
        words.append(f"the first {len(PALETTE)} of {len(groups)} groups")
        groups = groups[: len(PALETTE)]
        frame = frame.filter(pl.col("group").is_in(groups))
    kept = _steps(frame)
    start = pl.DataFrame({"duration": [0.0], "survival": [1.0]})
    if groups:
        start = start.join(pl.DataFrame({"group": groups}), how="cross")
    kept = kept.with_columns(pl.col("duration").cast(pl.Float64))
    rows = pl.concat([start, kept], how="diagonal")
    spec = _curve(length, rows, groups)
    size = {"width": WIDTH, "height": HEIGHT, "data": records(rows)}
    return titled({**size, **spec}, measure.title, words)


def _steps(frame: pl.DataFrame) -> pl.DataFrame:
    """Return where the curve has gone down by what can be seen, and its end."""
    level = (pl.col("survival") * FINEST).ceil()
    is_seen = level != level.shift(1, fill_value=FINEST)
    longest = pl.col("duration").max()
    if "group" in frame.columns:
        is_seen, longest = is_seen.over("group"), longest.over("group")
    return frame.filter(is_seen | (pl.col("duration") == longest))


def _curve(length: Measure, rows: pl.DataFrame, groups: list[str]) -> Spec:
    colour: Spec = {"color": {"value": BLUE}}
    if groups:
        legend = {"title": None}
        colours = {"domain": groups, "range": list(PALETTE[: len(groups)])}
        dashes = {"domain": groups, "range": list(DASHES[: len(groups)])}
        colour = {
            "color": field("group", "nominal", scale=colours, legend=legend),
            "strokeDash": field("group", "nominal", scale=dashes, legend=legend),
        }
    axis = length.axis(rows.get_column("duration"))
    share = {"format": "%", "title": "not over yet"}
    return {
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
        "encoding": {
            "x": field("duration", "quantitative", axis=axis),
            "y": field("survival", "quantitative", axis=share, scale={"domain": [0, 1]}),
            **colour,
        },
    }

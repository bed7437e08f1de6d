"""Lines over time: one per group, or a panel per group where there are many."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from funnelkit.charts.spec import (
    BLUE,
    COLUMNS,
    HEIGHT,
    MOST_PANELS,
    PALETTE,
    SHAPES,
    WIDTH,
    Measure,
    Spec,
    field,
    has_zero,
    in_panels,
    records,
    time_axis,
    titled,
    tooltip,
)

__all__ = ["lines"]

FEW_GROUPS, FEW_BANDS, MOST_POINTS, MANY_PERIODS = 6, 3, 60, 90
POINT, DOT = 45, 6


def lines(frame: pl.DataFrame, measure: Measure) -> Spec:
    """Return a line over time, dashed where periods are open.

    Args:
        frame: One row per period and group: `period`, `value`, `is_open`; `group` where there
            are groups; `lower` and `upper` where there is a band around the value.
        measure: What the values are.
    """
    rows, groups, words = frame, list[str](), list(measure.words)
    if "group" in frame.columns:
        groups = frame.get_column("group").unique(maintain_order=True).to_list()
    if len(groups) > MOST_PANELS:
        rows, kept = _largest(frame, groups)
        words.append(f"the largest {len(kept)} of {len(groups)} groups")
        groups = kept
    if rows.get_column("is_open").any():
        words.insert(0, "dashed: incomplete periods, whose values may still change")
    if groups:
        rows = _with_every_period(rows, groups)
    data = records(_marked(rows, measure))
    periods = rows.get_column("period").n_unique()
    most = FEW_BANDS if "lower" in rows.columns else FEW_GROUPS
    if len(groups) > most or (len(groups) > 1 and periods > MANY_PERIODS):
        columns = COLUMNS if len(groups) > most else 1
        layers = _layers(
            rows, measure, has_points=periods <= MOST_POINTS // columns, columns=columns
        )
        return titled(in_panels(layers, data, groups, columns=columns), measure.title, words)
    layers = _layers(rows, measure, has_points=periods <= MOST_POINTS, groups=groups)
    size = {"width": WIDTH, "height": HEIGHT, "data": data}
    return titled({**size, **layers}, measure.title, words)


def _with_every_period(frame: pl.DataFrame, groups: Sequence[str]) -> pl.DataFrame:
    """Add a row without a value where a group has none, so that no line is drawn across it."""
    periods = frame.select("period", "is_open").unique().sort("period")
    names = pl.DataFrame({"group": groups}, schema={"group": pl.String})
    grid = periods.join(names, how="cross", maintain_order="left_right")
    return grid.join(
        frame.drop("is_open"), on=["period", "group"], how="left", maintain_order="left"
    )


def _largest(frame: pl.DataFrame, groups: Sequence[str]) -> tuple[pl.DataFrame, list[str]]:
    size = pl.col("value").abs().sum().alias("size")
    ranked = frame.group_by("group", maintain_order=True).agg(size)
    top = set(ranked.sort("size", descending=True, maintain_order=True)["group"][:MOST_PANELS])
    kept = [group for group in groups if group in top]
    return frame.filter(pl.col("group").is_in(kept)), kept


def _marked(frame: pl.DataFrame, measure: Measure) -> pl.DataFrame:
    """Add the text of each value, and which complete periods come before an open one."""
    before = pl.col("is_open").shift(-1, fill_value=False)
    if "group" in frame.columns:
        before = before.over("group")
    texts = measure.texts(frame.get_column("value"))
    return frame.with_columns(texts, (before | pl.col("is_open")).alias("is_dashed"))


def _layers(
    rows: pl.DataFrame,
    measure: Measure,
    *,
    has_points: bool,
    groups: Sequence[str] = (),
    columns: int = 1,
) -> Spec:
    limits = [name for name in ("lower", "upper") if name in rows.columns]
    values = pl.concat([rows.get_column(name).cast(pl.Float64) for name in ("value", *limits)])
    axis = time_axis(rows.get_column("period"), is_small=columns > 1)
    x = field("period", "temporal", **axis)
    y = field(
        "value",
        "quantitative",
        axis=measure.axis(values),
        scale={"zero": measure.is_duration or has_zero(values)},
    )
    colour, shape = _of_groups(groups)
    line = {"x": x, "y": y, **colour}
    complete = {
        "transform": [{"filter": "!datum.is_open"}],
        "mark": {"type": "line", "strokeWidth": 2},
        "encoding": line,
    }
    dashed = {
        "transform": [{"filter": "datum.is_dashed"}],
        "mark": {"type": "line", "strokeWidth": 2, "strokeDash": [4, 4]},
        "encoding": line,
    }
    said = tooltip(period="period", **({"group": "group"} if groups else {}), label=measure.title)
    size = POINT if has_points else DOT
    points = {
        "mark": {"type": "point", "filled": True, "size": size, "opacity": 1},
        "encoding": {**line, **shape, "tooltip": said},
    }
    band = [_band(x, colour)] if limits else []
    return {"layer": [*band, complete, dashed, points]}


def _band(x: Spec, colour: Spec) -> Spec:
    low, high = field("lower", "quantitative"), {"field": "upper"}
    mark = {"type": "area", "opacity": 0.2}
    return {"mark": mark, "encoding": {"x": x, "y": low, "y2": high, **colour}}


def _of_groups(groups: Sequence[str]) -> tuple[Spec, Spec]:
    """Return the colours and the shapes that tell groups apart, in one legend."""
    if not groups:
        return {"color": {"value": BLUE}}, {}
    names = list(groups)
    legend = {"title": None}
    colours = {"domain": names, "range": list(PALETTE[: len(names)])}
    shapes = {"domain": names, "range": list(SHAPES[: len(names)])}
    return (
        {"color": field("group", "nominal", scale=colours, legend=legend)},
        {"shape": field("group", "nominal", scale=shapes, legend=legend)},
    )

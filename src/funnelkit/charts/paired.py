"""Values beside what they are compared with: dumbbells, and over time two lines."""

from __future__ import annotations

import polars as pl

from funnelkit.charts.bars import LONGEST_NAME, MOST_BARS, STEP
from funnelkit.charts.spec import (
    BLUE,
    COLUMNS,
    GREY,
    HEIGHT,
    LEGEND,
    WIDTH,
    Measure,
    Spec,
    field,
    has_zero,
    in_panels,
    of_first_groups,
    records,
    standing,
    time_axis,
    titled,
    tooltip,
)

__all__ = ["dumbbells", "two_lines"]

SIDES = {"value": (BLUE, "circle"), "reference": (GREY, "square")}


def dumbbells(frame: pl.DataFrame, measure: Measure) -> Spec:
    """Return for each group its value joined to its reference, its number and change beside it.

    Args:
        frame: One row per group: `group`, `value`, `reference`, `verdict` (`better`, `worse`,
            `same` or null) and `change`, the text beside it.
        measure: What the values are.
    """
    ranked = frame.sort("value", descending=True, nulls_last=True, maintain_order=True)
    rows, words = ranked.head(MOST_BARS), ["hollow: the reference", *measure.words]
    if rows.height < ranked.height:
        words.append(f"the largest {rows.height} of {ranked.height} groups")
    rows = rows.with_columns(
        pl.col("verdict").cast(pl.String).fill_null("value"),
        pl.format("{} ({})", measure.texts(rows.get_column("value")), "change").alias("label"),
        measure.texts(rows.get_column("reference")).alias("reference_label"),
        pl.max_horizontal("value", "reference").alias("right"),
    )
    size = {"width": WIDTH - 120, "height": {"step": STEP}, "data": records(rows)}
    return titled({**size, "layer": _dumbbell(rows, measure)}, measure.title, words)


def _dumbbell(rows: pl.DataFrame, measure: Measure) -> list[Spec]:
    values = _numbers(rows)
    names = {"sort": rows.get_column("group").to_list(), "axis": {"labelLimit": LONGEST_NAME}}
    y = field("group", "nominal", title=None, **names)
    scale = {"axis": measure.axis(values), "scale": {"zero": has_zero(values)}}
    value, reference, right = (
        field(name, "quantitative", **scale) for name in ("value", "reference", "right")
    )
    said = tooltip(group="group", label=measure.title, reference_label="reference", change="change")
    return [
        {
            "mark": {"type": "rule", "color": GREY, "strokeWidth": 2},
            "encoding": {"y": y, "x": reference, "x2": {"field": "value"}},
        },
        {
            "mark": {"type": "point", "color": GREY, "fill": "white", "size": 70, "opacity": 1},
            "encoding": {"y": y, "x": reference, "tooltip": said},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1},
            "encoding": {
                "y": y,
                "x": value,
                **standing("verdict", rows.get_column("verdict")),
                "tooltip": said,
            },
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 10, "color": "black"},
            "encoding": {"y": y, "x": right, "text": field("label", "nominal")},
        },
    ]


def two_lines(frame: pl.DataFrame, measure: Measure) -> Spec:
    """Return values over time with a line of their references, a panel per group.

    Args:
        frame: One row per period and group: `period`, `value`, `reference` and `change`, the
            text of their relative change; `group` where there are groups.
        measure: What the values are.
    """
    keys = [name for name in ("group", "period", "change") if name in frame.columns]
    both = ["value", "reference"]
    rows = frame.unpivot(both, index=keys, variable_name="side", value_name="#value")
    rows = rows.rename({"#value": "value"})
    words = list(measure.words)
    if "group" not in rows.columns:
        layers = _lines(rows, measure, is_small=False)
        size = {"width": WIDTH, "height": HEIGHT, "data": records(_texted(rows, measure))}
        return titled({**size, **layers}, measure.title, words)
    rows, groups = of_first_groups(rows, words)
    layers, data = _lines(rows, measure, is_small=True), records(_texted(rows, measure))
    return titled(in_panels(layers, data, groups, columns=COLUMNS), measure.title, words)


def _texted(rows: pl.DataFrame, measure: Measure) -> pl.DataFrame:
    return rows.with_columns(measure.texts(rows.get_column("value")))


def _lines(rows: pl.DataFrame, measure: Measure, *, is_small: bool) -> Spec:
    values = rows.get_column("value").cast(pl.Float64)
    names = list(SIDES)
    colours, shapes = (
        {"domain": names, "range": [SIDES[name][place] for name in names]} for place in (0, 1)
    )
    x = field("period", "temporal", **time_axis(rows.get_column("period"), is_small=is_small))
    scale = {"axis": measure.axis(values), "scale": {"zero": has_zero(values)}}
    y = field("value", "quantitative", **scale)
    colour = field("side", "nominal", scale=colours, legend=LEGEND)
    said = tooltip(period="period", side="which", label=measure.title, change="change")
    point = {"type": "point", "filled": True, "size": 25 if is_small else 45, "opacity": 1}
    shape = field("side", "nominal", scale=shapes, legend=LEGEND)
    drawn: Spec = {"x": x, "y": y, "color": colour}
    line = {"mark": {"type": "line", "strokeWidth": 2}, "encoding": drawn}
    marks = {**drawn, "shape": shape, "tooltip": said}
    return {"layer": [line, {"mark": point, "encoding": marks}]}


def _numbers(rows: pl.DataFrame) -> pl.Series:
    return pl.concat([rows.get_column(name).cast(pl.Float64) for name in ("value", "reference")])

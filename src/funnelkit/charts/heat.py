"""Heat maps: a cell per row and column, its value as colour and as text."""

from __future__ import annotations

import polars as pl

from funnelkit.charts.spec import GREY, Measure, Spec, field, in_panels, records, titled, tooltip
from funnelkit.metrics.metric import Direction
from funnelkit.units import Display

__all__ = ["heat_map"]

CELL_WIDTH, CELL_HEIGHT, NOTHING, DARK = 42, 20, 1e-9, 0.72


def heat_map(frame: pl.DataFrame, measure: Measure, *, rows: str, columns: str) -> Spec:
    """Return a heat map; the darker, the larger.

    Args:
        frame: One row per cell: `row`, `column`, `value`; `is_open` where it may still change;
            `is_reference` where it is left out of the colours, as it is of another size, such as
            what is sold in the period of the first order; `group` where there are groups.
        measure: What the values are.
        rows: What the rows are.
        columns: What the columns are.
    """
    values = frame.filter(~pl.col("is_reference")).get_column("value")
    low, high = _ends(values)
    is_dark = (pl.col("value") - low) / ((high - low) or 1.0) > DARK
    texts = [_short(measure, value) for value in frame.get_column("value")]
    cells = frame.with_columns(
        measure.texts(frame.get_column("value")),
        pl.Series("short", texts, dtype=pl.String) + _star(frame),
        (is_dark & ~pl.col("is_reference")).fill_null(value=False).alias("is_dark"),
    )
    words = ["* may still change", *measure.words] if cells["is_open"].any() else measure.words
    layers = _layers(measure, (low, high), rows, columns)
    size = {"width": {"step": CELL_WIDTH}, "height": {"step": CELL_HEIGHT}}
    if "group" in cells.columns:
        groups = cells.get_column("group").unique(maintain_order=True).to_list()
        spec = in_panels(layers, records(cells), groups, columns=1)
        spec["spec"] |= size
        return titled(spec, measure.heading, words)
    return titled({**size, "data": records(cells), **layers}, measure.heading, words)


def _star(frame: pl.DataFrame) -> pl.Series:
    marks = ["*" if is_open else "" for is_open in frame.get_column("is_open")]
    return pl.Series(marks, dtype=pl.String)


def _ends(values: pl.Series) -> tuple[float, float]:
    known = [float(value) for value in values.drop_nulls()]
    return min(known, default=0.0), max(known, default=0.0)


def _short(measure: Measure, value: float | None) -> str:
    """Return a value as text that fits into a cell."""
    if value is None:
        return ""
    if measure.unit.display is Display.PERCENT:
        return f"{value:.1%}" if 0 < abs(value) < 0.0995 else f"{value:.0%}"
    if abs(value) < NOTHING:
        return "0"
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _layers(measure: Measure, ends: tuple[float, float], rows: str, columns: str) -> Spec:
    y = field("row", "ordinal", title=rows, sort=None)
    x = field("column", "ordinal", title=columns, axis={"labelAngle": 0, "orient": "top"})
    scale = {"scheme": "blues", "domain": list(ends), "clamp": True}
    legend = {"title": None, "format": measure.axis(pl.Series(ends)).get("format", ",f")}
    if measure.direction is Direction.DOWN:
        scale["scheme"] = "oranges"
    colour = field("value", "quantitative", scale=scale, legend=legend)
    plain = {"condition": {"test": "datum.is_reference", "value": "#F2F2F2"}, **colour}
    said = tooltip(row=rows, column=columns, label=measure.title)
    rect = {"mark": "rect", "encoding": {"x": x, "y": y, "color": plain, "tooltip": said}}
    faint = {"test": "datum.is_reference", "value": GREY}
    white = {"test": "datum.is_dark", "value": "white"}
    text = {
        "mark": {"type": "text", "fontSize": 10},
        "encoding": {
            "x": x,
            "y": y,
            "text": field("short", "nominal"),
            "color": {"condition": [faint, white], "value": "black"},
        },
    }
    return {"layer": [rect, text]}

"""What all pictures share: data, words, axes and colours of a Vega-Lite specification.

A specification is built without altair; altair checks it, shows it and saves it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from math import ceil, log10
from textwrap import wrap
from typing import Any, Protocol

import polars as pl

from funnelkit.errors import DefinitionError, MissingPackageError
from funnelkit.metrics.metric import Direction
from funnelkit.units import DAY_S, HOUR_S, MINUTE_S, Display, Unit

__all__ = [
    "BETTER",
    "BLUE",
    "COLUMNS",
    "FAINT",
    "GREY",
    "HEIGHT",
    "LEGEND",
    "MOST_PANELS",
    "PALETTE",
    "SHAPES",
    "WIDTH",
    "WORSE",
    "Chart",
    "Measure",
    "Spec",
    "below_each_other",
    "check_format",
    "field",
    "has_zero",
    "in_panels",
    "of_first_groups",
    "records",
    "save_chart",
    "standing",
    "time_axis",
    "titled",
    "to_chart",
    "tooltip",
]

Spec = dict[str, Any]

BLUE, ORANGE, GREY, FAINT = "#0072B2", "#D55E00", "#595959", "#D9D9D9"
BETTER, WORSE = BLUE, ORANGE
PALETTE = (BLUE, ORANGE, "#009E73", "#CC79A7", "#8C6D00", "#56B4E9")
"""Colours that people with the common colour blindnesses tell apart (Okabe and Ito)."""
STANDINGS = {
    "better": (BETTER, "triangle-up"),
    "worse": (WORSE, "triangle-down"),
    "same": (GREY, "square"),
    "value": (BLUE, "circle"),
}
"""How a value stands to what it is held against, its colour and its shape."""
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
WIDTH, HEIGHT, PANEL_WIDTH, PANEL_HEIGHT, COLUMNS = 620, 260, 200, 120, 3
MOST_PANELS = 24
FORMATS = {"html": False, "json": False, "svg": True, "png": True, "pdf": True}
"""The formats of a chart, and whether each needs vl-convert beside altair."""
THOUSANDS, LONGEST_LINE = 10_000, 110
LONG_DAYS, FEW_DAYS = 120, 4
LEGEND: Mapping[str, object] = {"title": None, "orient": "top", "offset": 4}
"""A legend above, where texts stand beside the marks."""
WORDS: Mapping[Direction, str] = {
    Direction.UP: "higher is better ↑",
    Direction.DOWN: "lower is better ↓",
    Direction.NEUTRAL: "",
}
CONFIG: Spec = {
    "view": {"stroke": None},
    "axis": {"gridColor": "#E8E8E8", "labelLimit": 260, "titleFontWeight": "normal"},
    "title": {
        "anchor": "start",
        "fontSize": 15,
        "offset": 12,
        "subtitleColor": GREY,
        "subtitleFontSize": 12,
    },
    "header": {"labelFontSize": 12, "labelLimit": 200, "titleFontWeight": "normal"},
    "legend": {"labelLimit": 240, "symbolSize": 80},
}


class Chart(Protocol):
    """A chart of altair, with all the methods that altair gives it."""

    def to_dict(self) -> Spec:
        """Return the specification."""
        ...

    def __getattr__(self, name: str, /) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What the numbers of a picture are.

    Attributes:
        title: The display name.
        unit: Their unit.
        currency: The code of the currency of amounts.
        direction: Which way is better.
        source: Where they come from.
    """

    title: str
    unit: Unit
    currency: str = ""
    direction: Direction = Direction.NEUTRAL
    source: str = ""

    @property
    def heading(self) -> str:
        """The title of an axis: the name, and the unit where its values do not show it."""
        if self.unit.display is not Display.NUMBER or self.unit.is_count or self.is_duration:
            return self.title
        unit = "" if self.unit.is_plain else str(self.unit).replace("money", self.currency)
        return f"{self.title} ({unit.removeprefix('1')})" if unit.strip("1") else self.title

    @property
    def is_duration(self) -> bool:
        """Whether values are seconds."""
        return self.unit.powers == (("second", 1),)

    @property
    def words(self) -> list[str]:
        """What stands below the title: which way is better, and the source."""
        return [text for text in (WORDS[self.direction], self.source) if text]

    def text(self, value: float | None) -> str:
        """Return a value as the tables show it."""
        return self.unit.format(value, currency=self.currency)

    def texts(self, values: pl.Series) -> pl.Series:
        """Return values as the tables show them."""
        return pl.Series("label", [self.text(value) for value in values], dtype=pl.String)

    def axis(self, values: pl.Series) -> Spec:
        """Return the axis on which values lie: as many digits as their size needs."""
        size = max((abs(value) for value in values if value is not None), default=0.0)
        axis: Spec = {"title": self.heading}
        if self.is_duration:
            return {**axis, **_clock(size)}
        if self.unit.display is Display.PERCENT:
            return {**axis, "format": "%"}
        if size >= THOUSANDS:
            return {**axis, "format": "~s", "labelExpr": "replace(datum.label, 'G', 'B')"}
        return {**axis, "format": ",f"}


def _clock(most: float) -> Spec:
    """Return the ticks of an axis of seconds in the unit that fits."""
    names = ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min"), (1, "s"))
    length, name = next((pair for pair in names if most >= 2 * pair[0]), (1, "s"))
    ticks = [number * length for number in _round_numbers(most / length)]
    return {"values": ticks, "labelExpr": f"format(datum.value / {length}, '~r') + ' {name}'"}


def _round_numbers(most: float) -> list[float]:
    """Return up to six round numbers from 0 that reach as far as `most`."""
    if most <= 0:
        return [0.0]
    power = 10.0 ** ceil(log10(most / 5) - 1)
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= most / 5)
    return [round(step * number, 12) for number in range(int(most / step) + 1)]


def has_zero(values: pl.Series) -> bool:
    """Return whether 0 belongs on the axis: the values do not lie close together far from it."""
    known = values.drop_nulls().to_list()
    low, high = min(known, default=0.0), max(known, default=0.0)
    return low <= 0 or high - low >= low / 4


def field(name: str, kind: str, **more: object) -> Spec:
    """Return the encoding of a column."""
    return {"field": name, "type": kind, **more}


def standing(name: str, found: pl.Series) -> Spec:
    """Return the colour and the shape that tell how values stand, by a column of it."""
    kinds = [kind for kind in STANDINGS if found.eq(kind).any()]
    colours, shapes = (
        {"domain": kinds, "range": [STANDINGS[kind][place] for kind in kinds]} for place in (0, 1)
    )
    return {
        "color": field(name, "nominal", scale=colours, legend=LEGEND),
        "shape": field(name, "nominal", scale=shapes, legend=LEGEND),
    }


def time_axis(periods: pl.Series, *, is_small: bool = False) -> Spec:
    """Return the axis of time: each label with its year, or its hour where there are few days."""
    known = periods.drop_nulls().cast(pl.Datetime("us")).to_list()
    days = (max(known) - min(known)).days if known else 0
    written = "%b %Y" if days >= LONG_DAYS else "%-d %b %Y" if days >= FEW_DAYS else "%-d %b %H:%M"
    axis: Spec = {"format": written, "labelOverlap": True, "tickCount": 3 if is_small else 8}
    return {"title": None, "axis": axis}


def tooltip(**titles: str) -> list[Spec]:
    """Return what is said of a mark under the pointer: columns and their titles."""
    kinds = {"period": "temporal"}
    return [field(name, kinds.get(name, "nominal"), title=text) for name, text in titles.items()]


def records(frame: pl.DataFrame) -> Spec:
    """Return rows as the data of a picture: times as local time, without a zone."""
    rows = [
        {name: _plain(value) for name, value in row.items()} for row in frame.iter_rows(named=True)
    ]
    return {"values": rows}


def _plain(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat()
    if isinstance(value, dt.date):
        return f"{value.isoformat()}T00:00:00"
    return value


def titled(spec: Spec, title: str, words: Sequence[str]) -> Spec:
    """Return a specification with a title, and lines below it."""
    lines = [line for text in words for line in wrap(text, LONGEST_LINE)]
    return {"title": {"text": title, "subtitle": lines}, **spec}


def of_first_groups(rows: pl.DataFrame, words: list[str]) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows of as many groups as have room, and these; say so in the words if not all."""
    groups = rows.get_column("group").unique(maintain_order=True).to_list()
    if len(groups) <= MOST_PANELS:
        return rows, groups
    words.append(f"the first {MOST_PANELS} of {len(groups)} groups")
    kept = groups[:MOST_PANELS]
    return rows.filter(pl.col("group").is_in(kept)), kept


def in_panels(layers: Spec, data: Spec, groups: Sequence[str], *, columns: int = COLUMNS) -> Spec:
    """Return small multiples: the same picture for each group."""
    size = {"width": PANEL_WIDTH if columns > 1 else WIDTH, "height": PANEL_HEIGHT}
    header = {"title": None, "header": {"labelFontWeight": "bold"}, "sort": list(groups)}
    facet = field("group", "nominal", **header)
    return {"data": data, "facet": facet, "columns": columns, "spec": {**size, **layers}}


def below_each_other(specs: Sequence[Spec]) -> Spec:
    """Return pictures one below the other; a single one as it is."""
    if len(specs) == 1:
        return specs[0]
    alone = {"color": "independent", "shape": "independent"}
    return {"vconcat": list(specs), "resolve": {"scale": alone}, "spacing": 30}


def to_chart(spec: Spec) -> Chart:
    """Return the chart of altair that a specification describes.

    Raises:
        MissingPackageError: altair is not installed.
    """
    if find_spec("altair") is None:
        raise MissingPackageError("altair", "plot")
    altair: Any = import_module("altair")
    rows = dict[str, object]()
    named = _named(spec, rows)
    chart: Any = altair.Chart.from_dict({"config": CONFIG, **named})
    chart.datasets = rows  # not before: it would check each row against the schema
    made: Chart = chart
    return made


def check_format(path: str) -> None:
    """Check that a chart can be written in the format of a file's name.

    Raises:
        DefinitionError: The format is not known.
        MissingPackageError: altair is not installed, or for a picture vl-convert.
    """
    kind = path.rpartition(".")[2].lower()
    if kind not in FORMATS:
        problem = f"a chart cannot be written as {path!r}"
        raise DefinitionError(problem, f"name a file that ends in .{', .'.join(FORMATS)}")
    for package, module, is_needed in (
        ("altair", "altair", True),
        ("vl-convert-python", "vl_convert", FORMATS[kind]),
    ):
        if is_needed and find_spec(module) is None:
            raise MissingPackageError(package, "plot")


def save_chart(spec: Spec, path: str) -> None:
    """Write the chart that a specification describes: its format is that of the file's name.

    Raises:
        DefinitionError: The file cannot be written, or as `check_format`.
        MissingPackageError: As `check_format`.
    """
    check_format(path)
    chart: Any = to_chart(spec)
    try:
        chart.save(path)
    except OSError as error:
        problem = f"{path!r} cannot be written: {error.strerror}"
        raise DefinitionError(problem, "name a file in a folder that exists") from None


def _named(spec: Spec, rows: dict[str, object]) -> Spec:
    """Return a specification that refers to its rows by name, and gather them."""
    named = dict(spec)
    if "vconcat" in spec:
        named["vconcat"] = [_named(each, rows) for each in spec["vconcat"]]
    elif "data" in spec:
        name = f"rows{len(rows) or ''}"
        rows[name] = spec["data"]["values"]
        named["data"] = {"name": name}
    return named

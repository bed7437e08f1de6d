"""How the results of analyses are read: a table, notes below it, and a picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import cast

import polars as pl

from funnelkit.charts.spec import Chart, Spec, to_chart
from funnelkit.metrics.listing import MOST_ROWS
from funnelkit.result.display import IS_OPEN, IS_TOTAL, TableView, to_html, to_text
from funnelkit.units import RATIO, Unit

__all__ = [
    "Figure",
    "Plotted",
    "Shown",
    "View",
    "as_points",
    "as_text",
    "excluded_notes",
    "flush_right",
]


@dataclass(frozen=True, slots=True)
class Figure:
    """A column of numbers of a result.

    Attributes:
        name: The column.
        unit: The unit of its values.
    """

    name: str
    unit: Unit

    @property
    def title(self) -> str:
        """The display name."""
        return self.name.removesuffix("_s").replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A frame as people read it.

    Attributes:
        frame: The rows; where it has a column `IS_OPEN`, periods of which that is true are marked.
        figures: The columns of numbers; the other columns that are shown are keys.
        keys: These other columns.
        notes: What stands below.
        heading: What must be read first, above.
        currency: The code of the currency of amounts.
        caption: What stands above.
        labels: The heads of the figures, where these are not their names.
        absent: What is shown where there is no value.
        turns: Whether a wide table may be shown with a line per figure.
    """

    frame: pl.DataFrame
    figures: Sequence[Figure]
    keys: Sequence[str]
    notes: Sequence[str]
    heading: Sequence[str] = ()
    currency: str = ""
    caption: str = ""
    labels: Sequence[str] = ()
    absent: str = "–"
    turns: bool = True

    def text(self, *, rows: int | None = MOST_ROWS) -> str:
        """Return it for a terminal, at most so many rows."""
        above = [*self.heading, ""] if self.heading else []
        return "\n".join([*above, to_text(self._view(), rows=rows), "", *self.notes])

    def html(self) -> str:
        """Return it for a notebook."""
        above, below = (
            "".join(f"<p>{escape(line)}</p>" for line in lines)
            for lines in (self.heading, self.notes)
        )
        return above + to_html(self._view()) + below

    def _view(self) -> TableView:
        marks = (
            pl.lit(value=False).alias(name)
            for name in (IS_OPEN, IS_TOTAL)
            if name not in self.frame.columns
        )
        figures = tuple(f for f in self.figures if f.name in self.frame.columns)
        frame = self.frame.with_columns(*marks)
        return TableView(
            frame=frame,
            keys=tuple(self.keys),
            metrics=figures,
            currency=self.currency,
            caption=self.caption,
            labels=tuple(self.labels),
            absent=self.absent,
            turns=self.turns,
        )


class View(ABC):
    """A result that is read as a table, in a terminal and in a notebook."""

    __slots__ = ()

    def __repr__(self) -> str:
        return self._shown().text()

    def _repr_html_(self) -> str:
        return self._shown().html()

    def to_text(self, *, rows: int | None = None) -> str:
        """Return the table as text with all of its rows, or with so many at most."""
        return self._shown().text(rows=rows)

    @abstractmethod
    def _shown(self) -> Shown:
        """Return the result as people read it."""


class Plotted(View):
    """A result that is also read as a picture."""

    __slots__ = ()

    def plot(self) -> Chart:
        """Return the picture as an altair chart, which can be changed.

        Raises:
            MissingPackageError: altair is not installed.
        """
        return to_chart(self.picture())

    @abstractmethod
    def picture(self) -> Spec:
        """Return the picture of `plot` as a Vega-Lite specification, without altair."""


def excluded_notes(excluded: Mapping[str, int]) -> list[str]:
    """Return lines that state which rows are left out."""
    return [f"rows excluded, {why}: {rows:,}" for why, rows in excluded.items()]


def as_text(
    numbers: pl.Series, unit: Unit, *, currency: str = "", is_signed: bool = False
) -> pl.Series:
    """Return numbers as text in their unit.

    Args:
        numbers: The numbers.
        unit: Their unit.
        currency: The code of the currency of amounts.
        is_signed: Whether a plus stands before those above 0.
    """
    texts = [
        ("+" if is_signed and number is not None and number > 0 and text[:1] != "+" else "") + text
        for number in numbers
        for text in [unit.format(number, currency=currency)]
    ]
    return pl.Series(numbers.name, texts, dtype=pl.String)


def as_points(shares: pl.Series) -> pl.Series:
    """Return differences of fractions as text in percentage points."""
    return as_text(shares, RATIO, is_signed=True).str.replace("%", "pp", literal=True)


def flush_right(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return a frame with columns of text set flush right."""
    widths = {name: frame.get_column(name).str.len_chars().max() for name in names}
    padded = [pl.col(name).str.pad_start(cast("int", widths[name] or 0)) for name in names]
    return frame.with_columns(padded)

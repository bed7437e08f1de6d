"""How the results of analyses are read: a table, notes below it, and a picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import polars as pl

from funnelkit.charts.spec import Chart, Spec, to_chart
from funnelkit.result.display import IS_OPEN, IS_TOTAL, MOST_ROWS, TableView, to_html, to_text
from funnelkit.units import Unit

__all__ = ["Figure", "Plotted", "Shown", "View", "excluded_notes"]


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
        frame: The rows.
        figures: The columns of numbers; the other columns that are shown are keys.
        keys: These other columns.
        notes: What stands below.
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
    currency: str = ""
    caption: str = ""
    labels: Sequence[str] = ()
    absent: str = "–"
    turns: bool = True

    def text(self, *, rows: int | None = MOST_ROWS) -> str:
        """Return it for a terminal, at most so many rows."""
        return "\n".join([to_text(self._view(), rows=rows), "", *self.notes])

    def html(self) -> str:
        """Return it for a notebook."""
        return to_html(self._view()) + "".join(f"<p>{escape(note)}</p>" for note in self.notes)

    def _view(self) -> TableView:
        marks = (pl.lit(value=False).alias(name) for name in (IS_OPEN, IS_TOTAL))
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

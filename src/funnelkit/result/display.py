"""Results as people read them: a table in a terminal, or in a notebook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Protocol
from unicodedata import east_asian_width

import polars as pl

from funnelkit.metrics.listing import MOST_ROWS, terminal_width
from funnelkit.units import Unit

__all__ = ["IS_OPEN", "IS_TOTAL", "ShownColumn", "TableView", "key_text", "to_html", "to_text"]

IS_OPEN, IS_TOTAL = "#open", "is_total"
MOST_COLUMNS, LONGEST_KEY = 12, 40
FEW_METRICS = 10
MOST_FOLDED = 5_000
"""How many cells a table in a notebook may have to be folded below its ends."""
GAP = "…"
STYLE = "overflow-x:auto;font-variant-numeric:tabular-nums"
REGION = f'class="funnelkit" role="region" tabindex="0" style="{STYLE}"'
NAMED_AFTER = 3
"""How many metrics name a table that has no caption."""


class ShownColumn(Protocol):
    """A column of numbers: a metric, or a figure of an analysis."""

    @property
    def name(self) -> str:
        """The column."""
        ...

    @property
    def title(self) -> str:
        """The display name."""
        ...

    @property
    def unit(self) -> Unit:
        """The unit by which its values are shown."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """What there is to show of a result.

    Attributes:
        frame: The rows: the keys, a column per metric, whether the period is
            open, and whether the row is a total.
        keys: The names of the keys, the period first.
        metrics: The metrics, in order.
        currency: The code of the currency of amounts.
        caption: What stands above the table.
        labels: The heads of the metrics, where these are not their names.
        absent: What is shown where there is no value.
        turns: Whether a wide table may be shown with a line per metric.
    """

    frame: pl.DataFrame
    keys: tuple[str, ...]
    metrics: tuple[ShownColumn, ...]
    currency: str
    caption: str = ""
    labels: tuple[str, ...] = ()
    absent: str = "–"
    turns: bool = True


@dataclass(frozen=True, slots=True)
class _Table:
    """Lines of cells: how many lines are the head, and how many cells of a line are keys."""

    lines: list[tuple[str, ...]]
    head: int
    keys: int

    def transposed(self) -> _Table:
        return _Table(list(zip(*self.lines, strict=True)), self.keys, self.head)


def to_text(sheet: TableView, *, rows: int | None = MOST_ROWS) -> str:
    """Return a table as text for a terminal.

    A table that is too wide is shown with a line per metric if it has more metrics
    than rows; a table that is still too wide continues below.

    Args:
        sheet: What there is to show.
        rows: How many rows are shown at most; None for all.
    """
    names = sheet.labels or [metric.name for metric in sheet.metrics]
    width = terminal_width()
    shown = sheet.frame.height if rows is None else min(sheet.frame.height, rows)
    table = _table(sheet, [_printable(name) for name in names], _printable, shown)
    is_wide = sum(_widths(table)) + 2 * len(_widths(table)) - 2 > width
    if is_wide and sheet.turns and len(names) >= shown:
        shown = shown if rows is None else min(sheet.frame.height, MOST_COLUMNS)
        table = _table(sheet, names, _printable, shown).transposed()
    blocks = ["\n".join(_lines(block)) for block in _blocks(table, width)]
    notes = "\n".join(_notes(sheet, shown))
    title = f"{sheet.caption}\n" if sheet.caption else ""
    return title + "\n\n".join(blocks) + (f"\n{notes}" if notes else "")


def to_html(sheet: TableView) -> str:
    """Return a table as HTML: titles in the header, names as tooltips.

    It sets no colours, so that it is readable on light and dark pages. Rows that are left out
    of a long table are folded away below it, unless there are very many.
    """
    shown = min(sheet.frame.height, MOST_ROWS)
    is_long = len(sheet.metrics) > FEW_METRICS and len(sheet.metrics) >= shown
    if is_turned := sheet.turns and is_long:
        shown = min(sheet.frame.height, MOST_COLUMNS)
    cells = sheet.frame.height * (len(sheet.keys) + len(sheet.metrics))
    is_folded = shown < sheet.frame.height and cells <= MOST_FOLDED
    notes = list(_notes(sheet, shown, with_remedy=not is_folded))
    below = "".join(f"<p>{escape(note)}</p>" for note in notes)
    if is_folded:
        whole = _html_table(sheet, sheet.frame.height, is_turned=is_turned)
        below += f"<details><summary>All {sheet.frame.height:,} rows</summary>{whole}</details>"
    titles = ", ".join(metric.title for metric in sheet.metrics[:NAMED_AFTER])
    label = escape(_printable(sheet.caption or titles or "table"))
    table = _html_table(sheet, shown, is_turned=is_turned)
    return f'<div {REGION} aria-label="{label}">{table}{below}</div>'


def _html_table(sheet: TableView, shown: int, *, is_turned: bool) -> str:
    """Return the first and the last rows as a table, each cell with what heads it."""
    labels = [
        f'<span title="{escape(metric.name)}">{escape(metric.title)}</span>'
        for metric in sheet.metrics
    ]
    if sheet.labels:
        labels = [escape(_printable(label)) for label in sheet.labels]
    table = _table(sheet, labels, lambda text: escape(_printable(text)), shown)
    table = table.transposed() if is_turned else table
    rows = [
        "<tr>"
        + "".join(
            _cell(cell, is_head=number < table.head, is_key=place < table.keys)
            for place, cell in enumerate(line)
        )
        + "</tr>"
        for number, line in enumerate(table.lines)
    ]
    head, body = "".join(rows[: table.head]), "".join(rows[table.head :])
    return (
        '<table style="white-space:nowrap">'
        + (
            f'<caption style="text-align:left">{escape(sheet.caption)}</caption>'
            if sheet.caption
            else ""
        )
        + (f"<thead>{head}</thead>" if head else "")
        + (f"<tbody>{body}</tbody>" if body else "")
        + "</table>"
    )


def _cell(cell: str, *, is_head: bool, is_key: bool) -> str:
    look = "text-align:left;padding-right:1em" if is_key else "text-align:right;padding-left:1em"
    if is_head:
        return f'<th scope="col" style="{look}">{cell}</th>'
    if is_key and cell.strip():
        return f'<th scope="row" style="{look};font-weight:normal">{cell}</th>'
    return f'<td style="{look}">{cell}</td>'


def _table(
    sheet: TableView, labels: Sequence[str], clean: Callable[[str], str], most: int
) -> _Table:
    """Return the first and the last rows, with every cell formatted."""
    frame, most = sheet.frame, min(most, sheet.frame.height)
    first = (most + 1) // 2 if most < frame.height else most
    rows = list(_rows(sheet, frame.head(first), clean))
    if most < frame.height:
        rows.append((GAP,) * (len(sheet.keys) + len(labels)))
        rows += _rows(sheet, frame.tail(most - first), clean)
    head = (*map(clean, sheet.keys), *labels)
    return _Table([head, *rows], 1, len(sheet.keys))


def _rows(
    sheet: TableView, frame: pl.DataFrame, clean: Callable[[str], str]
) -> Iterator[tuple[str, ...]]:
    currency = sheet.currency
    for row in frame.iter_rows(named=True):
        keys = [
            key_text(row[name], is_open=name == "period" and row[IS_OPEN], is_total=row[IS_TOTAL])
            for name in sheet.keys
        ]
        values = [
            sheet.absent if row[m.name] is None else m.unit.format(row[m.name], currency=currency)
            for m in sheet.metrics
        ]
        yield (*map(clean, keys), *map(clean, values))


def key_text(value: object, *, is_open: bool = False, is_total: bool = False) -> str:
    """Return the value of a key as text; a period that is open is marked."""
    if value is None:
        return "total" if is_total else "(null)"
    text = f"{value:%Y-%m-%d %H:%M %Z}" if isinstance(value, dt.datetime) else str(value)
    return f"{text} *" if is_open else text


def _notes(sheet: TableView, shown: int, *, with_remedy: bool = True) -> Iterator[str]:
    total = sheet.frame.height
    if not total:
        yield "no rows"
    if shown < total:
        remedy = "; print(result.to_text()) shows them" if with_remedy else ""
        yield f"{GAP} {total - shown:,} of {total:,} rows are not shown{remedy}"
    first = (shown + 1) // 2
    ends = pl.concat([sheet.frame.head(first), sheet.frame.tail(shown - first)])
    if ends.get_column(IS_OPEN).any():
        yield "* incomplete period: its values may still change"


def _printable(text: str) -> str:
    """Return a text on one line, shortened."""
    line = "".join(character if character.isprintable() else "�" for character in text)
    return line if len(line) <= LONGEST_KEY else line[: LONGEST_KEY - 1] + GAP


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _widths(table: _Table) -> list[int]:
    return [max(map(_width, column)) for column in zip(*table.lines, strict=True)]


def _blocks(table: _Table, width: int) -> Iterator[_Table]:
    """Cut a table that is too wide into several with the same keys."""
    widths = _widths(table)
    kept = list(range(table.keys))
    room = width - sum(widths[: table.keys]) - 2 * table.keys
    left, chosen = room, list[int]()
    for number in range(table.keys, len(widths)):
        if chosen and widths[number] > left:
            yield _only(table, [*kept, *chosen])
            left, chosen = room, []
        chosen.append(number)
        left -= widths[number] + 2
    yield _only(table, [*kept, *chosen])


def _only(table: _Table, places: Sequence[int]) -> _Table:
    lines = [tuple(line[place] for place in places) for line in table.lines]
    return _Table(lines, table.head, table.keys)


def _lines(table: _Table) -> Iterator[str]:
    widths = _widths(table)
    rule = "  ".join("─" * width for width in widths)
    for number, line in enumerate(table.lines):
        if number and number == table.head:
            yield rule
        yield "  ".join(
            cell + " " * (width - _width(cell))
            if place < table.keys
            else " " * (width - _width(cell)) + cell
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
    if table.lines and len(table.lines) == table.head:
        yield rule

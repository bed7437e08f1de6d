"""Metrics as a table: name, meaning, unit and stage, in a terminal and in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from shutil import get_terminal_size

from funnelkit.metrics.metric import Metric
from funnelkit.units import Display, Unit

__all__ = ["MOST_ROWS", "listing_html", "listing_text", "terminal_width"]

MOST_ROWS, FEWEST, GAP = 36, 20, "…"
HEADS = ("name", "meaning", "unit", "stage")
UNITS = {Display.PERCENT: "%", Display.MULTIPLE: "×", Display.SCORE: "score"}
SEARCH = (
    "const text=this.value.toLowerCase(),view=this.closest('.funnelkit');let shown=0;"
    "view.querySelectorAll('tbody tr').forEach(row=>{"
    "row.hidden=!row.textContent.toLowerCase().includes(text);shown+=!row.hidden});"
    "view.querySelector('output').textContent=shown+' metrics'"
)
"""What the search box of a notebook does; without it the table is complete."""
BOX = "background:transparent;color:inherit;border:1px solid currentColor;font:inherit"
LOOK = 'style="text-align:left;vertical-align:top;padding-right:1em"'
FRAME = "max-height:30em;overflow:auto"


def terminal_width() -> int:
    """Return how many letters a line of the terminal has; 120 where it does not say."""
    return get_terminal_size((120, 0)).columns


def listing_text(metrics: Sequence[Metric], *, rows: int | None) -> str:
    """Return metrics as a table for a terminal, at most so many."""
    shown = list(metrics if rows is None else metrics[:rows])
    if not shown:
        return _summary(metrics)
    cells = [HEADS, *map(_cells, shown)]
    name, _, unit, stage = (max(map(len, column)) for column in zip(*cells, strict=True))
    room = terminal_width() - name - unit - stage - 6
    sizes = (name, max(FEWEST, room), unit, stage)
    rule = tuple("─" * size for size in sizes)
    lines = [_line(row, sizes) for row in (HEADS, rule, *cells[1:])]
    return "\n".join([_summary(metrics), *lines, *_rest(len(metrics) - len(shown))])


def listing_html(metrics: Sequence[Metric]) -> str:
    """Return metrics as a table for a notebook, with a box that searches it."""
    head = "".join(f'<th scope="col" {LOOK}>{name}</th>' for name in HEADS)
    return (
        f'<div class="funnelkit"><label>Search <input type="search" style="{BOX}" '
        f'oninput="{escape(SEARCH)}"></label> <output>{_summary(metrics)}</output>'
        f'<div role="region" aria-label="metrics" tabindex="0" style="{FRAME}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(map(_row, metrics))}</tbody>"
        "</table></div></div>"
    )


def _summary(metrics: Sequence[Metric]) -> str:
    variants = sum(1 for metric in metrics if metric.variant_of)
    also = f", {variants} of them competing definitions" if variants else ""
    return f"{len(metrics)} metric{'' if len(metrics) == 1 else 's'}{also}"


def _rest(count: int) -> list[str]:
    if not count:
        return []
    more = "find(stage=…, text=…) narrows them, print(fk.registry().to_text()) shows all"
    return [f"{GAP} {count} more: {more}"]


def _cells(metric: Metric) -> tuple[str, str, str, str]:
    return metric.name, metric.description, _unit(metric.unit), metric.stage or ""


def _unit(unit: Unit) -> str:
    if unit.display in UNITS:
        return UNITS[unit.display]
    return "number" if unit.is_plain else str(unit)


def _line(row: Sequence[str], sizes: Sequence[int]) -> str:
    cut = [
        text if len(text) <= size else text[: size - 1] + GAP
        for text, size in zip(row, sizes, strict=True)
    ]
    return "  ".join(text.ljust(size) for text, size in zip(cut, sizes, strict=True)).rstrip()


def _row(metric: Metric) -> str:
    name, *others = map(escape, _cells(metric))
    also = f"<br><small>{escape(', '.join(metric.aliases))}</small>" if metric.aliases else ""
    cells = "".join(f"<td {LOOK}>{text}</td>" for text in others)
    return f'<tr><th scope="row" {LOOK}>{name}{also}</th>{cells}</tr>'

"""A shop as people read it: its settings, and a line per table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from funnelkit.data.bound_table import BoundTable
from funnelkit.metrics.listing import terminal_width

__all__ = ["summary_html", "summary_text"]

FEWEST = 30
HEADS = ("table", "rows", "columns")
NEXT = "describe() says what was recognised, metrics() what can be computed, check() what is wrong"


def summary_text(settings: str, tables: Mapping[str, BoundTable]) -> str:
    """Return the settings and the tables for a terminal."""
    if not tables:
        return settings
    cells = [(name, _rows(bound), "") for name, bound in tables.items()]
    name, rows = (max(len(line[place]) for line in (HEADS, *cells)) for place in (0, 1))
    room = max(FEWEST, terminal_width() - name - rows - 4)
    lines = [HEADS, ("─" * name, "─" * rows, "─" * min(room, 40))]
    lines += [
        (table, count, _fitted(list(bound.columns), room))
        for (table, count, _), bound in zip(cells, tables.values(), strict=True)
    ]
    table = [f"{one:<{name}}  {two:>{rows}}  {three}" for one, two, three in lines]
    return "\n".join([settings, *table, NEXT])


WORDS = "text-align:left;white-space:normal;overflow-wrap:anywhere"


def summary_html(settings: str, tables: Mapping[str, BoundTable]) -> str:
    """Return the settings and the tables for a notebook."""
    left, right = 'style="text-align:left"', 'style="text-align:right"'
    names = {name: escape(", ".join(bound.columns)) for name, bound in tables.items()}
    head = "".join(f'<th scope="col" {left}>{text}</th>' for text in HEADS)
    rows = "".join(
        f'<tr><th scope="row" {left}>{escape(name)}</th><td {right}>{_rows(bound)}</td>'
        f'<td style="{WORDS}">{names[name]}</td></tr>'
        for name, bound in tables.items()
    )
    return (
        f'<table class="funnelkit"><caption {left}>{escape(settings)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><p>{NEXT}</p>"
    )


def _rows(bound: BoundTable) -> str:
    return "" if bound.rows is None else f"{bound.rows:,}"


def _fitted(names: Sequence[str], room: int) -> str:
    """Return as many names as fit, and how many there are more."""
    for count in range(len(names), 0, -1):
        more = f" and {len(names) - count} more" if count < len(names) else ""
        if len(text := ", ".join(names[:count]) + more) <= room:
            return text
    return f"{len(names)} columns"

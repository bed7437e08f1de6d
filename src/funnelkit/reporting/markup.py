"""The parts of a page: text that is escaped, tables, and small pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

__all__ = [
    "BAR",
    "Html",
    "bar",
    "element",
    "in_box",
    "joined",
    "paragraph",
    "sparkline",
    "table",
    "text",
]

WIDTH, HEIGHT, EDGE = 160.0, 36.0, 3.0


class Html(str):
    """Text that is HTML already; any other text is escaped."""

    __slots__ = ()


BAR = Html('<span class="unseen">as a bar</span>')
"""The head of a column of bars: read aloud, not seen."""


def text(value: str) -> Html:
    """Return text with what HTML would read as its own escaped."""
    return value if isinstance(value, Html) else Html(escape(value))


def joined(parts: Iterable[str]) -> Html:
    """Return parts one after another."""
    return Html("".join(map(text, parts)))


def element(name: str, content: str, *, kind: str = "") -> Html:
    """Return an element with a content."""
    attribute = f' class="{kind}"' if kind else ""
    return Html(f"<{name}{attribute}>{text(content)}</{name}>")


def paragraph(content: str, *, kind: str = "") -> Html:
    """Return a paragraph."""
    return element("p", content, kind=kind)


def in_box(content: Html, label: str) -> Html:
    """Return what may be wider than the page in a box in which it scrolls."""
    return Html(
        f'<div class="box" role="region" tabindex="0" aria-label="{escape(label)}">{content}</div>'
    )


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Html:
    """Return a table whose first column heads its rows.

    Args:
        caption: What stands above.
        heads: The heads of the columns.
        rows: Their cells; the first one heads the row.
    """
    head = joined(Html(f'<th scope="col">{text(name)}</th>') for name in heads)
    body = joined(map(_row, rows))
    caption_html = element("caption", element("span", caption))
    parts = f"{caption_html}<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return in_box(Html(f"<table>{parts}</table>"), caption)


def _row(cells: Sequence[str]) -> Html:
    first = Html(f'<th scope="row">{text(cells[0])}</th>')
    return element("tr", joined([first, *(element("td", cell) for cell in cells[1:])]))


def bar(start: float, end: float, *, kind: str = "") -> Html:
    """Return a bar from one share of the width to another."""
    low, high = sorted((min(max(start, 0.0), 1.0) * 100, min(max(end, 0.0), 1.0) * 100))
    mark = f'<rect x="{low:.1f}" y="0" width="{max(high - low, 0.5):.1f}" height="10"'
    return Html(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'{mark} class="{kind or "fill"}"/></svg>'
    )


def sparkline(values: Sequence[float | None], label: str) -> Html:
    """Return a small line of values with its last one marked; gaps stay gaps.

    Args:
        values: The values, in order of time.
        label: What it shows, for those who do not see it.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return Html("")
    low, high = min(known), max(known)
    size = (high - low) or 1.0
    step = (WIDTH - 2 * EDGE) / max(len(values) - 1, 1)
    places = [
        None
        if value is None
        else (EDGE + place * step, HEIGHT - EDGE - (value - low) / size * (HEIGHT - 2 * EDGE))
        for place, value in enumerate(values)
    ]
    runs = [list(run) for is_known, run in groupby(places, bool) if is_known]
    lines = "".join(
        f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in filter(None, run))}"/>'
        for run in runs
    )
    x, y = next(place for place in reversed(places) if place is not None)
    return Html(
        f'<svg class="spark" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" preserveAspectRatio="none" '
        f'role="img" aria-label="{escape(label)}">{lines}'
        f'<path d="M{x:.1f} {y:.1f}h0"/></svg>'
    )

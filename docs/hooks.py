"""Fills pages from the registry and the tables, so that no fact is written twice."""

from __future__ import annotations

from itertools import groupby

from funnelkit import registry
from funnelkit.derivations import POLICIES, RULES
from funnelkit.metric import Area, Card, Metric
from funnelkit.tables import TABLES


def on_page_markdown(markdown: str, **_: object) -> str:
    """Replace the placeholders of a page."""
    for mark, make in (
        ("{{ kpis }}", kpis),
        ("{{ tables }}", tables),
        ("{{ policies }}", policies),
    ):
        if mark in markdown:
            markdown = markdown.replace(mark, make())
    return markdown


def kpis() -> str:
    """Give a card for every KPI, by area."""
    metrics = sorted(registry().values(), key=lambda metric: list(Area).index(metric.area))
    parts = []
    for area, members in groupby(metrics, key=lambda metric: metric.area):
        parts.append(f"## {area.capitalize()}\n")
        parts += [card(metric) for metric in members]
    return "\n".join(parts)


def card(metric: Metric) -> str:
    """Give one KPI as a heading and a table."""
    rows = [
        f"| {head} | {cell(head, text)} |" for head, text in Card(metric).rows() if head != "latex"
    ]
    head = [f"### {metric.title}", "", f"| name | `{metric.name}` |", "| --- | --- |"]
    return "\n".join([*head, *rows, ""])


def cell(head: str, text: str) -> str:
    """Give a table cell: formulas as code, everything else as it is."""
    safe = text.replace("|", "\\|")
    return f"`{safe}`" if head in {"formula", "definition", "needs"} else safe


def tables() -> str:
    """Give the dictionary of the canonical tables."""
    parts = []
    for table in TABLES.values():
        parts += [f"## {table.table}\n", f"{table.__doc__}\n"]
        parts += ["| column | kind | holds | derived when absent |", "| --- | --- | --- | --- |"]
        for name, column in table.columns.items():
            mark = " 🔑" if name in table.key else ""
            derived = "yes" if column in RULES or name == "is_counted" else ""
            kind = type(column).__name__.lower()
            parts.append(f"| `{name}`{mark} | {kind} | {column.words} | {derived} |")
        parts.append("")
    return "\n".join(parts)


def policies() -> str:
    """Give the order policies and what they count."""
    rows = [f"| `{name}` | `{policy.orders}` |" for name, policy in POLICIES.items()]
    return "\n".join(["| policy | an order counts where |", "| --- | --- |", *rows])

"""Fills pages from the registry and the tables, so that no fact is written twice."""

from __future__ import annotations

from functools import partial

from funnelkit import registry
from funnelkit.derivations import POLICIES, RULES
from funnelkit.metric import AidaStage, Area, Card, Metric, Stage
from funnelkit.tables import TABLES


def on_page_markdown(markdown: str, **_: object) -> str:
    """Replace the placeholders of a page."""
    makers = {
        "{{ stages }}": stages,
        "{{ inputs }}": inputs,
        "{{ tables }}": tables,
        "{{ policies }}": policies,
        **{f"{{{{ kpis of {area} }}}}": partial(kpis, area) for area in Area},
    }
    for mark, make in makers.items():
        if mark in markdown:
            markdown = markdown.replace(mark, make())
    return markdown


def kpis(area: Area) -> str:
    """Give a card for every KPI of an area, each before its variants."""
    return "\n".join(card(metric) for metric in registry().find(area=area).values())


def stages() -> str:
    """Give every KPI by its stage in both funnels, with a link to its card."""
    known = [metric for metric in registry().values() if not metric.variant_of]
    parts: list[str] = []
    for name, stages in (("stage", Stage), ("aida", AidaStage)):
        rows = [
            f"| {stage} | {', '.join(link(m) for m in known if getattr(m, name) == stage)} |"
            for stage in stages
        ]
        title = "Purchase funnel" if name == "stage" else "AIDA"
        parts += [f"### {title}\n", "| stage | KPIs |", "| --- | --- |", *rows, ""]
    return "\n".join(parts)


def link(metric: Metric) -> str:
    """Give a link to the card of a KPI."""
    return f"[{metric.name}](kpis/{metric.area}.md#{slug(metric)})"


def slug(metric: Metric) -> str:
    """Give the anchor of a card."""
    return metric.name.replace(".", "-")


def inputs() -> str:
    """Give every table and column that KPIs read, with how many and which."""
    readers: dict[str, list[Metric]] = {}
    for metric in registry().values():
        for table, columns in metric.inputs.items():
            for column in columns:
                readers.setdefault(f"{table}.{column}", []).append(metric)
    rows = []
    for name, metrics in sorted(readers.items()):
        kpis = [metric for metric in metrics if not metric.variant_of]
        more = f" and {len(kpis) - 6} more" if len(kpis) > 6 else ""
        named = ", ".join(f"`{metric.name}`" for metric in kpis[:6]) or "variants alone"
        rows.append(f"| `{name}` | {len(metrics)} | {named}{more} |")
    return "\n".join(["| column | read by | KPIs |", "| --- | --- | --- |", *rows])


def card(metric: Metric) -> str:
    """Give one KPI as a heading and a table."""
    rows = [
        f"| {head} | {cell(head, text)} |" for head, text in Card(metric).rows() if head != "latex"
    ]
    level = "###" if metric.variant_of else "##"
    title = f"{level} {metric.title} {{: #{slug(metric)} }}"
    head = [title, "", f"| name | `{metric.name}` |", "| --- | --- |"]
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

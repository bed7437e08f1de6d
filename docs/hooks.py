"""Fills pages from the registry and the tables, so that no fact is written twice."""

from __future__ import annotations

import warnings
from functools import partial

from latex2mathml.converter import convert

from funnelkit import DefinitionError, TruncatedHistoryWarning, demo, evaluate, registry
from funnelkit.formula.values import Category, Column
from funnelkit.metrics.card import Card
from funnelkit.metrics.metric import AidaStage, Area, Metric, Stage
from funnelkit.schema.derivations import RULES
from funnelkit.schema.policies import POLICIES
from funnelkit.schema.tables import TABLES


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
    """Return a card for every KPI of an area, each before its variants."""
    return "\n".join(card(metric) for metric in registry().find(area=area).values())


def stages() -> str:
    """Return every KPI by its stage in both funnels, with a link to its card."""
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
    """Return a link to the card of a KPI."""
    return f"[{metric.name}](kpis/{metric.area}.md#{slug(metric)})"


def slug(metric: Metric) -> str:
    """Return the anchor of a card."""
    return metric.name.replace(".", "-")


def inputs() -> str:
    """Return every table and column that KPIs read, with those KPIs and their number."""
    readers: dict[str, list[Metric]] = {}
    for metric in registry().values():
        for table, columns in metric.inputs.items():
            for column in columns:
                readers.setdefault(f"{table}.{column}", []).append(metric)
    rows = []
    for name, metrics in sorted(readers.items()):
        kpis = [metric for metric in metrics if not metric.variant_of]
        more = f" and {len(kpis) - 6} more" if len(kpis) > 6 else ""
        named = ", ".join(f"`{metric.name}`" for metric in kpis[:6]) or "variants only"
        rows.append(f"| `{name}` | {len(metrics)} | {named}{more} |")
    return "\n".join(["| column | read by | KPIs |", "| --- | --- | --- |", *rows])


def card(metric: Metric) -> str:
    """Return one KPI as a heading and a table."""
    told = (
        ("typeset" if head == "latex" else head, cell(head, text))
        for head, text in Card(metric).rows()
    )
    rows = [f"| {head} | {text} |" for head, text in told]
    rows.append(f"| for example | {example(metric)} |")
    level = "###" if metric.variant_of else "##"
    title = f"{level} {metric.title} {{: #{slug(metric)} }}"
    head = [title, "", f"| name | `{metric.name}` |", "| --- | --- |"]
    return "\n".join([*head, *rows, ""])


QUESTIONS: tuple[dict[str, object], ...] = (
    {},
    {"every": "1q"},
    {"start": "2024-01-01", "end": "2025-01-01"},
    {"by": "platform"},
    {"by": ["platform", "campaign_id"], "every": "1d"},
)
"""Arguments tried for the example of a KPI: the first that give a number are shown."""


def example(metric: Metric) -> str:
    """Return an evaluation of a KPI over the demo shop, with the last value of its result."""
    for question in QUESTIONS:
        asked = {
            **question,
            **({"by": metric.required_dimension} if metric.required_dimension else {}),
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TruncatedHistoryWarning)
            try:
                result = evaluate(demo(), metric, **asked)
            except DefinitionError:
                continue
        rows = result.frame.drop_nulls(metric.name)
        if rows.height:
            told = "".join(f", {name}={value!r}" for name, value in asked.items())
            value = metric.unit.format(rows.item(-1, metric.name), currency=result.currency)
            place = ", ".join(str(rows.item(-1, key)) for key in result.keys)
            return f'`fk.evaluate(fk.demo(), "{metric.name}"{told})` gives {value}' + (
                f" at {place}" if place else ""
            )
    raise AssertionError(metric.name)


def cell(head: str, text: str) -> str:
    """Return a table cell: formulas as code, everything else unchanged."""
    if head == "latex":
        return convert(text).replace("|", "&#124;")
    safe = text.replace("|", "\\|")
    return f"`{safe}`" if head in {"formula", "definition", "needs"} else safe


def tables() -> str:
    """Return the dictionary of the canonical tables."""
    parts = []
    for table in TABLES.values():
        parts += [f"## {table.table}\n", f"{table.__doc__}\n"]
        parts += ["| column | kind | holds | derived when absent |", "| --- | --- | --- | --- |"]
        for name, column in table.columns.items():
            mark = " 🔑" if name in table.key else ""
            derived = "yes" if column in RULES or name == "is_counted" else ""
            kind = type(column).__name__.lower()
            holds = f"{column.description}{words(column)}"
            parts.append(f"| `{name}`{mark} | {kind} | {holds} | {derived} |")
        parts.append("")
    return "\n".join(parts)


def words(column: Column) -> str:
    """Return which words a column holds, and how else they may be written."""
    if not isinstance(column, Category) or not column.values:
        return ""
    told = f" Words: {', '.join(f'`{word}`' for word in column.values)}"
    told += ", and others" if column.is_open else ""
    same = ", ".join(f"`{other}` for `{word}`" for other, word in column.synonyms.items())
    return f"{told}; also {same}." if same else f"{told}."


def policies() -> str:
    """Return the order policies and the orders they count."""
    rows = [f"| `{name}` | `{policy.counted_orders}` |" for name, policy in POLICIES.items()]
    return "\n".join(["| policy | an order counts where |", "| --- | --- |", *rows])

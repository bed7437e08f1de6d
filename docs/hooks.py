"""Fills pages from the registry and the tables, so that no fact is written twice."""

from __future__ import annotations

import json
import re
import warnings
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import polars as pl
from latex2mathml.converter import convert
from mkdocs.structure.pages import Page

from funnelkit import (
    ContractError,
    DefinitionError,
    Shop,
    TruncatedHistoryWarning,
    demo,
    evaluate,
    registry,
)
from funnelkit.data.findings import EVERY_TABLE, Finding, Severity
from funnelkit.data.promise_kinds import (
    AboveCheck,
    DailyCheck,
    DayCheck,
    DeadlineCheck,
    OnceCheck,
    OneOwnerCheck,
    OwnRateCheck,
    Promise,
    ScaleCheck,
    SignCheck,
    SpellingCheck,
    SpreadsheetCheck,
    StandInCheck,
    TotalCheck,
)
from funnelkit.data.schema import Check, TotalAboveCheck, WithoutRowsCheck, WordsCheck
from funnelkit.engines.supports import FEATURES, SUPPORTS, Feature, Support
from funnelkit.formula.table import Table
from funnelkit.formula.values import Category, Column
from funnelkit.metrics.card import Card
from funnelkit.metrics.metric import AidaStage, Area, Metric, Stage
from funnelkit.schema.derivations import RULES
from funnelkit.schema.policies import POLICIES
from funnelkit.schema.shop_schema import shop_schema
from funnelkit.schema.tables import TABLES

NOTEBOOK = "{{ notebook }}"


def on_page_markdown(markdown: str, *, page: Page | None = None, **_: object) -> str:
    """Replace the placeholders of a page."""
    if page is not None and NOTEBOOK in markdown:
        file = Path(page.file.abs_src_path or "").with_suffix(".ipynb")
        markdown = markdown.replace(NOTEBOOK, notebook(file))
    makers = {
        "{{ index }}": index,
        "{{ aida }}": aida,
        "{{ inputs }}": inputs,
        "{{ tables }}": tables,
        "{{ policies }}": policies,
        "{{ kinds }}": kinds,
        "{{ checks of every table }}": checks_of_every_table,
        "{{ checks }}": checks,
        "{{ nobody }}": nobody,
        "{{ engines }}": engines,
        **{f"{{{{ kpis of {area} }}}}": partial(kpis, area) for area in Area},
    }
    for mark, make in makers.items():
        if mark in markdown:
            markdown = markdown.replace(mark, make())
    return KPI.sub(lambda found: link(registry()[found[1]]), markdown)


KPI = re.compile(r"\{\{ (\w+) \}\}")
"""The name of a KPI where a page of the reference links to its card."""


def kpis(area: Area) -> str:
    """Return a card for every KPI of an area, each before its variants."""
    return "\n".join(card(metric) for metric in registry().find(area=area).values())


def index() -> str:
    """Return every KPI with one sentence on what it means, by its stage in the purchase funnel."""
    known = [metric for metric in registry().values() if not metric.variant_of]
    parts = ['<div class="kpi-search" markdown="0"></div>\n']
    for stage in Stage:
        rows = [f"| {name(m)} | {m.description} | {shown(m)} |" for m in known if m.stage == stage]
        head = ["| KPI | what it means | unit |", "| --- | --- | --- |"]
        parts += [f"### {stage.capitalize()}\n", *boxed("kpi index", [*head, *rows])]
    return "\n".join(parts)


def aida() -> str:
    """Return the KPIs of each stage of AIDA."""
    known = [metric for metric in registry().values() if not metric.variant_of]
    rows = [
        f"| {stage} | {', '.join(link(m) for m in known if m.aida == stage)} |"
        for stage in AidaStage
    ]
    return "\n".join(["| stage | KPIs |", "| --- | --- |", *rows])


def name(metric: Metric) -> str:
    """Return the title of a KPI as a link to its card, and its name and short names."""
    names = ", ".join(f"`{each}`" for each in (metric.name, *metric.aliases) if each.isidentifier())
    return f"[{metric.title}](kpis/{metric.area}.md#{slug(metric)})<br>{names}"


def shown(metric: Metric) -> str:
    """Return the unit of a KPI in words, and which way is better."""
    better = {"up": "higher is better", "down": "lower is better"}
    told = str(metric.unit if str(metric.unit) != "1" else metric.unit.display).replace(
        "/", " per "
    )
    return "<br>".join(filter(None, (told, better.get(str(metric.direction)))))


def boxed(kind: str, lines: list[str]) -> list[str]:
    """Return lines of Markdown in a box of a kind."""
    return [f'<div class="{kind}" markdown="1">\n', *lines, "\n</div>\n"]


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


FIRST = ("formula", "meaning", "includes", "excludes", "null when", "caveats")
"""What stands on a card; the rest is folded."""


def card(metric: Metric) -> str:
    """Return one KPI as a heading, a table, and a folded one with the details."""
    told = dict(Card(metric).rows())
    names = metric.aliases
    told["aliases"] = ", ".join(f"`{alias}`" for alias in names if alias.isidentifier())
    told["in Polish"] = ", ".join(alias for alias in names if not alias.isidentifier())
    level = "###" if metric.variant_of else "##"
    title = f"{level} {metric.title} {{: #{slug(metric)} }}"
    first = {head: told.pop(head, "") for head in FIRST}
    example_of = [f"| for example | {example(metric)} |"]
    head = [f"| name | `{metric.name}` |", "| --- | --- |"]
    folded = ["| detail | |", "| --- | --- |", *rows_of(told)]
    details = ['??? note "Details"\n', *(f"    {line}" for line in folded), ""]
    return "\n".join(
        [title, "", *boxed("kpi card", [*head, *rows_of(first), *example_of, "", *details])]
    )


def rows_of(told: dict[str, str]) -> list[str]:
    """Return the lines of a card that say something."""
    return [
        f"| {'typeset' if head == 'latex' else head} | {cell(head, text)} |"
        for head, text in told.items()
        if text
    ]


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
    return f"`{safe}`" if head in {"formula", "in full", "definition", "needs"} else safe


def tables() -> str:
    """Return the dictionary of the canonical tables."""
    parts = []
    for table in TABLES.values():
        parts += [f"## {table.table}\n", f"{table.__doc__}\n"]
        parts += ["| column | kind | description | derived when absent |"]
        parts += ["| --- | --- | --- | --- |"]
        for name, column in table.columns.items():
            mark = " 🔑" if name in table.key else ""
            derived = "yes" if column in RULES or name == "is_counted" else ""
            kind = type(column).__name__.lower()
            holds = f"{column.description}{words(column)}"
            parts.append(f"| `{name}`{mark} | {kind} | {holds} | {derived} |")
        parts.append("")
    return "\n".join(parts)


def words(column: Column) -> str:
    """Return the values of a column and their synonyms."""
    if not isinstance(column, Category) or not column.values:
        return ""
    told = f" Values: {', '.join(f'`{word}`' for word in column.values)}"
    told += ", and others" if column.is_open else ""
    same = ", ".join(f"`{other}` for `{word}`" for other, word in column.synonyms.items())
    return f"{told}; also {same}." if same else f"{told}."


def policies() -> str:
    """Return the order policies and the orders they count."""
    rows = [f"| `{name}` | `{policy.counted_orders}` |" for name, policy in POLICIES.items()]
    return "\n".join(["| policy | an order is counted if |", "| --- | --- |", *rows])


SCHEMA = shop_schema(POLICIES["default"])
TYPES: tuple[pl.DataType, ...] = (
    *(pl.String(), pl.Categorical(), pl.Int64(), pl.UInt64(), pl.Float64(), pl.Decimal()),
    *(pl.Boolean(), pl.Date(), pl.Datetime(), pl.Duration()),
)
WHOLE, IT = "read the table", "read it"
MEETING = "add or compare amounts in several currencies"
HEAD = ("| column | promise | what breaks it | what happens |", "| --- | --- | --- | --- |")

Declared = WordsCheck | Check | WithoutRowsCheck | TotalAboveCheck | Promise
Row = tuple[str, Finding, str]
"""A column, a promise about it, and what happens where it is broken."""


def kinds() -> str:
    """Return which types a column of each kind may have, as binding accepts them."""
    found: dict[tuple[str, ...], list[str]] = {}
    for column in {type(c): c for t in TABLES.values() for c in t.columns.values()}.values():
        types = tuple(type(kind).__name__ for kind in TYPES if is_bound(column, kind))
        found.setdefault(types, []).append(type(column).__name__.lower())
    rows = [f"| {', '.join(names)} | {code(*types)} |" for types, names in found.items()]
    return "\n".join(["| kind of column | Polars types |", "| --- | --- |", *rows])


def is_bound(column: Column, kind: pl.DataType) -> bool:
    """Return whether a column may be bound with a type."""
    try:
        Shop.bind({column.table: pl.DataFrame(schema={column.name: kind})})
    except ContractError:
        return False
    return True


def checks_of_every_table() -> str:
    """Return what holds of columns by what they are."""
    names = {
        "key": "the rest",
        "parent": "that table",
        "table": "…",
        "other": "currency_code",
        "column": "…",
    }
    rows: list[Row] = [
        (place, finding.about(**names, currency=SCHEMA.currency_column), happens)
        for place, findings in EVERY_TABLE.items()
        for finding in findings
        for happens in (effect(finding, MEETING if place == "the currency" else WHOLE),)
    ]
    return "\n".join([*HEAD, *check_rows(rows)])


def checks() -> str:
    """Return the promises about each canonical table, and what happens where they are broken."""
    parts = []
    for table in TABLES.values():
        parts += [f"## {table.table}\n", f"{shape(table)}\n"]
        if rows := list(promised(table)):
            parts += [*HEAD, *check_rows(rows), ""]
    return "\n".join(parts)


def shape(table: type[Table]) -> str:
    """Return the columns of a table about which every table makes promises."""
    late = ", which may be null" if table.get(table.time) in SCHEMA.late_clocks else ""
    told = [f"Key: {code(*table.key)}", f"time: {code(table.time)}{late}"]
    if table.parents:
        told.append(f"keys of other tables: {code(*table.parents)}")
    if SCHEMA.currency_column in table.columns and SCHEMA.currency_column not in table.key:
        told.append(f"currency: {code(SCHEMA.currency_column)}")
    return f"{'; '.join(told)}."


def promised(table: type[Table]) -> Iterator[Row]:
    """Yield what is declared of a table."""
    open_words = (
        WordsCheck(column)
        for column in table.columns.values()
        if isinstance(column, Category) and column.is_open and column.values
        if column not in SCHEMA.unread_words
    )
    declared = (
        *(promise for column, promise in SCHEMA.vocabularies.items()),
        *open_words,
        *SCHEMA.checks,
        *SCHEMA.table_checks,
        *SCHEMA.promises,
    )
    for one in declared:
        column = one.value if isinstance(one, TotalAboveCheck) else key_or_column(one)
        if column.table == table.table:
            yield from ((code(column.name), *told) for told in told_of(one))


def key_or_column(one: Declared) -> Column:
    """Return the column to which a broken promise is attributed."""
    match one:
        case WithoutRowsCheck():
            return one.key
        case TotalAboveCheck():
            return one.value
        case _:
            return one.column


def told_of(one: Declared) -> Iterator[tuple[Finding, str]]:
    """Yield the findings of a promise, each with what happens."""
    match one:
        case StandInCheck():
            yield one.word, effect(one.word, IT)
            if TABLES[one.column.table].key != (one.column.name,):
                yield one.number, f"{effect(one.number, IT)}, from {one.enough} rows on"
                yield one.frequent, effect(one.frequent, IT)
        case SpellingCheck():
            yield one.cases, effect(one.cases, IT)
            if one.address is not None:
                yield one.address, effect(one.address, IT)
        case SpreadsheetCheck():
            for finding in (one.rounded, one.decimal, one.zeros):
                yield finding, effect(finding, IT)
        case TotalCheck():
            yield one.within, effect(one.within, IT)
            yield one.total, effect(one.total, IT)
        case OnceCheck():
            yield one.finding, effect(one.finding, f"read {code(one.read_with.name)}")
        case ScaleCheck():
            columns = f"{code(one.value.name)} without {code(one.column.name)}"
            yield one.finding, effect(one.finding, f"read {columns}")
        case TotalAboveCheck():
            finding = one.finding.about(key=" or ".join(one.keys))
            yield finding, effect(finding, IT)
        case Check() | WithoutRowsCheck() | DailyCheck():
            yield one.finding, effect(one.finding, WHOLE) + unless(one)
        case AboveCheck() | SignCheck() | OwnRateCheck() | DayCheck() | DeadlineCheck():
            yield one.finding, effect(one.finding, IT)
        case WordsCheck() | OneOwnerCheck():
            yield one.finding, effect(one.finding, IT) + unless(one)
            for odd in (one.near, one.merged) if isinstance(one, WordsCheck) else ():
                if odd is not None:
                    yield odd, effect(odd, IT)


def effect(finding: Finding, read: str) -> str:
    """Return what happens if a promise is broken."""
    if finding.severity is Severity.WARNING:
        return "warning"
    return f"error in numbers that {read}"


def unless(one: Declared) -> str:
    """Return the column whose presence waives a promise."""
    other = getattr(one, "unless_supplied", None)
    return f", unless {code(other.name)} is supplied" if other is not None else ""


def check_rows(rows: list[Row]) -> list[str]:
    """Return rows of a page, errors first, those of one promise about several columns as one."""
    columns: dict[tuple[str, str, str], list[str]] = {}
    for column, finding, happens in sorted(rows, key=lambda row: row[1].severity):
        columns.setdefault((finding.promise, finding.problem, happens), []).append(column)
    return [f"| {', '.join(names)} | {' | '.join(told)} |" for told, names in columns.items()]


def nobody() -> str:
    """Return the placeholder words and numbers, and when a key occurs in too many rows."""
    found = [promise for promise in SCHEMA.promises if isinstance(promise, StandInCheck)]
    one, few = max(found, key=lambda each: each.enough), min(found, key=lambda each: each.enough)
    numbers = code(*map(str, one.numbers))
    of_few = code(*(str(each.column) for each in found if each.enough == few.enough))
    return (
        "| key | what happens |\n| --- | --- |\n"
        "| empty, or blanks alone | read as null, and a warning |\n"
        "| with blanks around it | read without them, and a warning |\n"
        f"| {code(*map(str, one.never))}, or one of the words below, in any case,"
        " joined by blanks, hyphens, underscores or nothing |"
        f" {effect(one.word, IT)} |\n"
        f"| {numbers}, in {one.doubtful} times as many rows as other keys on average | warning |\n"
        f"| {numbers}, in {one.times} times as many rows, and in {one.enough} or more |"
        f" {effect(one.number, IT)} |\n"
        f"| {numbers} in {of_few}, in {few.times} times as many rows | {effect(few.number, IT)} |\n"
        f"| any other, in {one.times} times as many rows as the next, and in {one.enough} or more |"
        " warning |\n\n"
        f"The words are {code(*one.words)}. They are errors, not read as null, because nobody"
        " but you knows that no customer is called so; the error has the expression that makes them"
        " null."
    )


def code(*names: str) -> str:
    """Return names as code."""
    return ", ".join(f"`{name}`" for name in names)


def engines() -> str:
    """Return what each engine and dialect can do, a table for each group of features."""
    titles = [support.title for support in SUPPORTS.values()]
    head = [f"| | {' | '.join(titles)} |", f"| --- |{' --- |' * len(titles)}"]
    parts: list[str] = []
    for group in dict.fromkeys(feature.group for feature in FEATURES):
        rows = [
            f"| {feature.name} | {' | '.join(can(s, feature) for s in SUPPORTS.values())} |"
            for feature in FEATURES
            if feature.group == group
        ]
        parts += [f"## {group.capitalize()}s", "", *head, *rows, ""]
    reasons = {f: why for s in SUPPORTS.values() for f, why in s.lacks.items()}
    parts += [f"- {feature}: {why}." for feature, why in reasons.items()]
    return "\n".join(parts)


def can(support: Support, feature: Feature) -> str:
    """Return whether an engine can do something."""
    if feature in support.lacks:
        return "no"
    return "yes" if support.is_run else "written"


def notebook(file: Path) -> str:
    """Return a notebook as a page: its texts, its code, and what that shows."""
    parts = [f"[Download the notebook]({file.name}), which runs in Jupyter and in marimo."]
    for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        parts += map(_output, cell.get("outputs", []))
    title, *rest = parts[1].split("\n", 1)
    return "\n\n".join([title, parts[0], *rest, *parts[2:]])


def _output(output: dict[str, Any]) -> str:
    """Return what a cell shows: a picture, a table, or text."""
    data = output.get("data", {})
    if svg := data.get("image/svg+xml"):
        name = escape(data["text/plain"].partition(": chart ")[0])
        source = b64encode(svg.encode()).decode()
        return f'<img alt="{name}" src="data:image/svg+xml;base64,{source}">'
    if html := data.get("text/html"):
        return f'<div class="shown">{html}</div>'.replace("\n", " ")
    return f"```text\n{output.get('text') or data['text/plain']}\n```".replace("\n\n```", "\n```")

"""The page of what is checked has every declared promise, and no other."""

import importlib.util
import re
from pathlib import Path

import pytest

from funnelkit.data import findings
from funnelkit.data.findings import EVERY_TABLE, Finding
from funnelkit.data.schema import WordsCheck
from funnelkit.formula.values import Category
from funnelkit.schema.policies import POLICIES
from funnelkit.schema.shop_schema import shop_schema

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
HOOKS = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(HOOKS)

SCHEMA = shop_schema(POLICIES["default"])
PAGE = HOOKS.on_page_markdown((ROOT / "docs" / "reference" / "what-is-checked.md").read_text())
ROW = re.compile(r"^\| (.+) \| (.+) \| (.+) \| ((?:error|warning).*) \|$", re.MULTILINE)
SECTION = re.compile(r"^## (.+)\n((?:(?!## ).*\n?)*)", re.MULTILINE)


def on(page):
    """The promises on a page: where, of which column, what holds, what breaks it, how bad it is."""
    return {
        (title, column.strip("`"), promise, problem, re.split(r"[ ,]", happens)[0])
        for title, text in SECTION.findall(page)
        for columns, promise, problem, happens in ROW.findall(text)
        for column in columns.split(", ")
    }


def declared():
    """Everything that the schema declares and every table must keep, by where it should stand."""
    words = [
        WordsCheck(column)
        for table in SCHEMA.tables.values()
        for column in table.columns.values()
        if isinstance(column, Category) and column.values
        if column not in SCHEMA.unread_words
    ]
    found = set()
    for one in (*words, *SCHEMA.checks, *SCHEMA.table_checks, *SCHEMA.promises):
        names = ("column", "key", "value")
        column = next(getattr(one, name) for name in names if hasattr(one, name))
        is_key = SCHEMA.tables[column.table].key == (column.name,)
        for name in dir(one):
            finding = getattr(one, name)
            is_impossible = is_key and name in {"number", "frequent"}
            if isinstance(finding, Finding) and not is_impossible:
                found.add((column.table, column.name, *told(finding)))
    places = ((place, finding) for place, some in EVERY_TABLE.items() for finding in some)
    return found | {("In every table", place, *told(finding)) for place, finding in places}


def told(finding):
    names = {"key": "the rest", "parent": "that table", "other": "currency_code", "column": "…"}
    about = finding
    if "{" in finding.problem:
        key = "order_line_id or order_id" if "sold" in finding.problem else "the rest"
        about = finding.about(**{**names, "key": key}, table="", currency="currency")
    return finding.promise, about.problem, str(finding.severity)


def test_the_page_has_every_promise_and_no_other():
    assert len(declared()) > 80
    assert on(PAGE) == declared()


def test_what_every_table_must_keep_is_declared_of_some_columns():
    known = {one for one in vars(findings).values() if isinstance(one, Finding)}
    assert known == {finding for some in EVERY_TABLE.values() for finding in some}


@pytest.mark.parametrize("promise", sorted({row[3] for row in declared()}))
def test_a_promise_that_is_not_on_the_page_is_seen(promise):
    lines = [line for line in PAGE.splitlines() if f"| {promise} |" not in line]
    assert on("\n".join(lines)) < declared()


def test_no_placeholder_is_left_on_the_page():
    assert "{{" not in PAGE
    assert "{" not in re.sub(r"`[^`]*`", "", PAGE)


@pytest.mark.parametrize("table", SCHEMA.tables)
def test_every_table_says_its_key(table):
    (text,) = (text for title, text in SECTION.findall(PAGE) if title == table)
    assert f"Key: {', '.join(f'`{name}`' for name in SCHEMA.tables[table].key)}; time: " in text

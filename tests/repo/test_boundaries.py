"""An engine translates: nothing of a shop stands in it, and it stays small."""

import re
from pathlib import Path

import funnelkit as fk
from funnelkit.schema.policies import POLICIES
from funnelkit.schema.shop_schema import shop_schema

ENGINES = Path(fk.__file__).parent / "engines"
REWRITES = {"alike.py", "ordered.py", "packed.py", "sorted_units.py"}
"""What makes the Polars engine faster, and changes no number."""

COMMON = {
    "date", "day", "items", "key", "kind", "position", "quantity", "rate", "source", "value"
}  # fmt: skip
"""Names of columns that are words of any trade."""


def words_of(text):
    return set(re.findall(r"[a-z_]+", text))


def test_no_engine_knows_a_table_or_a_column_of_a_shop():
    tables = shop_schema(POLICIES["default"]).tables
    names = {name for table in tables.values() for name in (table.table, *table.columns)}
    assert len(names) > 100
    for path in ENGINES.rglob("*.py"):
        code = re.sub(r'"""(.|\n)*?"""|#.*', "", path.read_text())
        assert sorted(words_of(code) & (names - COMMON)) == [], path


def test_the_engine_for_polars_is_a_translator():
    files = [path for path in (ENGINES / "polars").glob("*.py") if path.name not in REWRITES]
    assert sum(len(path.read_text().splitlines()) for path in files) <= 700

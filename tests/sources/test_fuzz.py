"""Exports that are damaged: a number, or an error of funnelkit, and never anything else."""

from contextlib import suppress
from itertools import chain

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk
from sources.hand import SAMPLES

EXPORTS = {
    "shopify_orders.csv": fk.sources.shopify,
    "shopify_orders.json": fk.sources.shopify_json,
}
"""By sample: what reads it."""

ODD = ("", " ", "1.234,56", "1,234.50", "12,5", "1 234", "--", "NaN", "inf", "null", "0", "-1", "½")
WORDS = ("2024-13-45", "01.02.2024", "true", "Total", "1e400", "\ufeff", '"', "ź", "9" * 30)


def answers(read):
    """Ask for everything that a shop can give, by month: a result or an error of funnelkit."""
    with suppress(fk.FunnelkitError):
        shop = read()
        ready = shop.metrics().filter("is_ready").get_column("metric").head(12)
        for metric in ready:
            with suppress(fk.FunnelkitError):
                fk.evaluate(shop, metric, every="1mo")


@pytest.mark.parametrize("name", [name for name in EXPORTS if name.endswith(".csv")])
@settings(max_examples=12)
@given(data=st.data())
def test_a_table_with_other_columns_or_values(name, data):
    frame = pl.read_csv(SAMPLES / name, infer_schema=False)
    names = data.draw(st.permutations(frame.columns))
    frame = frame.select(names)
    for column in data.draw(st.lists(st.sampled_from(names), max_size=3, unique=True)):
        match data.draw(st.sampled_from(("drop", "rename", "odd", "null"))):
            case "drop":
                frame = frame.drop(column)
            case "rename":
                frame = frame.rename({column: column.upper() + "_"})
            case "odd":
                odd = data.draw(st.sampled_from((*ODD, *WORDS)))
                row = data.draw(st.integers(0, frame.height - 1))
                is_it = pl.int_range(pl.len()) == row
                frame = frame.with_columns(
                    pl.when(is_it).then(pl.lit(odd)).otherwise(pl.col(column)).alias(column)
                )
            case _:
                frame = frame.with_columns(pl.lit(None, pl.String).alias(column))
    answers(lambda: EXPORTS[name](frame))


@pytest.mark.parametrize("name", EXPORTS)
def test_a_file_that_breaks_off_anywhere(name, tmp_path):
    whole = (SAMPLES / name).read_bytes()
    path = tmp_path / name
    for at in chain(range(0, 40, 13), range(40, len(whole), len(whole) // 6)):
        path.write_bytes(whole[:at])
        answers(lambda: EXPORTS[name](path))


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("content", [b"", b"\n", b"a,b\n1,2\n", b"\xff\xfe\x00", b"\x89PNG", b"[]"])
def test_a_file_of_something_else(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    answers(lambda: EXPORTS[name](path))

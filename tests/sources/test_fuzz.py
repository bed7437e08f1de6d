"""Exports that are damaged: a number, or an error of funnelkit, and never anything else."""

import json
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
    "stripe_payments.csv": fk.sources.stripe,
    "mailchimp_campaigns.csv": fk.sources.mailchimp,
    "woocommerce_orders.csv": fk.sources.woocommerce_orders,
    "shopify_orders.json": fk.sources.shopify_json,
    "segment_events.jsonl": fk.sources.segment,
    "klaviyo_events.json": fk.sources.klaviyo,
    "ga4_events.jsonl": fk.sources.ga4_bigquery,
}
"""By sample: what reads it."""

REPORTS = {
    "ga4_report.csv": fk.sources.ga4_report,
    "google_ads.csv": fk.sources.google_ads,
    "meta_ads.csv": fk.sources.meta_ads,
    "tiktok_ads.csv": fk.sources.tiktok_ads,
}
FOLDERS = {
    "woocommerce": fk.sources.woocommerce,
    "magento": fk.sources.magento,
    "olist": fk.sources.olist,
}

ODD = ("", " ", "1.234,56", "1,234.50", "12,5", "1 234", "--", "NaN", "inf", "null", "0", "-1", "½")
WORDS = ("2024-13-45", "01.02.2024", "true", "Total", "1e400", "\ufeff", '"', "ź", "9" * 30)


def answers(read):
    """Ask for everything that a shop can give, by month: a result or an error of funnelkit."""
    with suppress(fk.FunnelkitError):
        shop = read()
        ready = shop.metrics().filter("is_ready").get_column("metric").head(6)
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


@pytest.mark.parametrize("name", [*EXPORTS, *REPORTS])
def test_a_file_that_breaks_off_anywhere(name, tmp_path):
    read = {**EXPORTS, **REPORTS}[name]
    whole = (SAMPLES / name).read_bytes()
    path = tmp_path / name
    for at in chain(range(0, 40, 13), range(40, len(whole), len(whole) // 6)):
        path.write_bytes(whole[:at])
        answers(lambda: read(path))


@pytest.mark.parametrize("name", REPORTS)
@settings(max_examples=10)
@given(data=st.data())
def test_a_report_with_other_words(name, data, tmp_path_factory):
    lines = (SAMPLES / name).read_text().splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    cells = lines[at].split(",")
    place = data.draw(st.integers(0, len(cells) - 1))
    cells[place] = data.draw(st.sampled_from((*ODD, *WORDS)))
    lines[at] = ",".join(cells)
    for _ in range(data.draw(st.integers(0, 2))):
        lines.pop(data.draw(st.integers(0, len(lines) - 1)))
    path = tmp_path_factory.mktemp("report") / name
    path.write_text("\n".join(lines))
    answers(lambda: REPORTS[name](path))


@pytest.mark.parametrize("name", FOLDERS)
@settings(max_examples=10)
@given(data=st.data())
def test_tables_with_other_columns_or_values(name, data):
    tables = {
        path.stem.removeprefix("wp_").removeprefix("olist_"): pl.read_csv(path, infer_schema=False)
        for path in (SAMPLES / name).iterdir()
    }
    table = data.draw(st.sampled_from(sorted(tables)))
    frame = tables[table]
    column = data.draw(st.sampled_from(frame.columns))
    odd = data.draw(st.sampled_from((None, *ODD, *WORDS)))
    row = data.draw(st.integers(0, frame.height - 1))
    value = pl.when(pl.int_range(pl.len()) == row).then(pl.lit(odd, pl.String))
    tables[table] = frame.with_columns(value.otherwise(pl.col(column)).alias(column))
    if data.draw(st.booleans()):
        tables[table] = tables[table].drop(data.draw(st.sampled_from(frame.columns)))
    if data.draw(st.integers(0, 9)) == 9:
        del tables[table]
    answers(lambda: FOLDERS[name](tables))


def edited(value, data):
    """Return JSON with one of its values replaced, or left out."""
    if isinstance(value, dict) and value:
        key = data.draw(st.sampled_from(sorted(value)))
        if data.draw(st.integers(0, 5)) == 5:
            return {name: each for name, each in value.items() if name != key}
        return {**value, key: edited(value[key], data)}
    if isinstance(value, list) and value:
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], edited(value[at], data), *value[at + 1 :]]
    return data.draw(st.sampled_from((None, 7, -1.5, True, [], {}, [1], {"a": 1}, *ODD, *WORDS)))


@pytest.mark.parametrize("name", [name for name in EXPORTS if ".json" in name])
@settings(max_examples=12)
@given(data=st.data())
def test_objects_with_other_values(name, data, tmp_path_factory):
    text = (SAMPLES / name).read_text()
    path = tmp_path_factory.mktemp("objects") / name
    if name.endswith("l"):
        lines = text.splitlines()
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at] = json.dumps(edited(json.loads(lines[at]), data))
        path.write_text("\n".join(lines))
    else:
        path.write_text(json.dumps(edited(json.loads(text), data)))
    answers(lambda: EXPORTS[name](path))


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("content", [b"", b"\n", b"a,b\n1,2\n", b"\xff\xfe\x00", b"\x89PNG", b"[]"])
def test_a_file_of_something_else(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    answers(lambda: EXPORTS[name](path))

"""What a shop says of its data, and its tables as frames."""

import datetime as dt

import duckdb
import polars as pl
import pytest

import funnelkit as fk

ORDERS = pl.DataFrame(
    {
        "order_id": [1],
        "ordered_at": [dt.datetime(2024, 5, 1)],
        "status": ["paid"],
        "gross_amount": [10.0],
        "discount_amount": [0.0],
        "country": ["<PL>"],
    }
)


def texts(shop, topic):
    return {note.subject: note.text for note in shop.describe().notes if note.topic == topic}


def test_a_description_has_what_is_known_by_topic():
    shop = fk.Shop(orders=ORDERS, assume_empty=["returns"])
    assert texts(shop, "recognised")["orders"].startswith("order_id, ordered_at, status")
    assert texts(shop, "ignored")["orders"].startswith("country")
    assert texts(shop, "assumed")["returns"] == "returns has no rows"
    assert texts(shop, "missing")["surveys"].startswith("needed by unaided_brand_awareness")


def test_it_is_readable_in_a_terminal_and_in_a_notebook():
    found = fk.Shop(orders=ORDERS, rename={"orders": {"country": "<b>"}}).describe()
    assert repr(found).splitlines()[:2] == [
        "recognised",
        "  orders: order_id, ordered_at, status, gross_amount, discount_amount",
    ]
    assert "&lt;b&gt;: no KPI" in found._repr_html_()
    assert "<b>" not in found._repr_html_()
    assert found.frame.columns == ["topic", "subject", "text"]


def test_frames_are_canonical_and_lazy_and_bind_again():
    shop = fk.Shop(orders=ORDERS.rename({"order_id": "id"}), rename={"orders": {"id": "order_id"}})
    assert shop.frames["orders"].collect_schema().names()[0] == "order_id"
    again = fk.Shop(**shop.frames)
    assert fk.evaluate(again, "orders").frame.item() == 1


def test_a_database_gives_no_frames():
    shop = fk.Shop.on(fk.DuckDB(duckdb.connect()), orders=ORDERS)
    with pytest.raises(fk.UnsupportedError, match="stays there"):
        shop.frames  # noqa: B018

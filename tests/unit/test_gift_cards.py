"""Orders of gift cards alone are no sales; where no line is a gift card, none is looked for."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk
from funnelkit.planning.traversal import tables_of

DAY = dt.datetime(2024, 5, 1, 12)
ORDERS = pl.DataFrame({"order_id": [1, 2, 3], "ordered_at": DAY, "status": "paid"})


def lines(*types):
    numbers = range(1, len(types) + 1)
    return pl.DataFrame(
        {
            "order_line_id": numbers,
            "order_id": numbers,
            "quantity": 1,
            "unit_price": 10.0,
            "line_type": pl.Series(types, dtype=pl.String),
        }
    )


def orders_of(shop):
    return fk.evaluate(shop, "orders").frame.item()


def read_for_orders(shop):
    answers = shop.runner.answers(fk.plan(shop, "orders").steps)
    return tables_of([answer.relation for answer in answers])


@pytest.fixture(params=["polars", "duckdb"])
def bound(request):
    if request.param == "polars":
        return fk.Shop
    database = fk.DuckDB(pytest.importorskip("duckdb").connect())
    return lambda **frames: fk.Shop.on(database, **frames)


@pytest.mark.parametrize("types", [("product", "Product", None), ("fee", "product", "product")])
def test_lines_without_gift_cards_are_read_once_and_not_for_later_questions(bound, types):
    shop = bound(orders=ORDERS, order_lines=lines(*types))
    assert read_for_orders(shop) == ["orders", "order_lines"]
    assert (orders_of(shop), read_for_orders(shop), orders_of(shop)) == (3, ["orders"], 3)
    assert "order_lines" in fk.to_sql(shop, "orders", dialect="duckdb")


@pytest.mark.parametrize("word", ["gift_card", "Gift Card", " giftCard "])
def test_an_order_of_gift_cards_alone_is_left_out_however_they_are_written(bound, word):
    shop = bound(orders=ORDERS, order_lines=lines("product", word, word))
    assert [orders_of(shop) for _ in range(2)] == [1, 1]
    assert "order_lines" in read_for_orders(shop)


def test_a_word_that_is_unknown_stays_an_error_and_is_no_gift_card_without_guards():
    frames = {"orders": ORDERS, "order_lines": lines("product", "voucherr", "product")}
    for _ in range(2):
        with pytest.raises(fk.ContractError, match="voucherr"):
            orders_of(fk.Shop(**frames))
    shop = fk.Shop(**frames, guards=False)
    assert [orders_of(shop) for _ in range(2)] == [3, 3]


def test_gift_cards_of_a_file_that_changes_are_found(tmp_path):
    files = {name: tmp_path / f"{name}.parquet" for name in ("orders", "order_lines")}
    ORDERS.write_parquet(files["orders"])
    lines("product", "product", "product").write_parquet(files["order_lines"])
    shop = fk.Shop.bind(files)
    assert orders_of(shop) == 3
    for types, counted in [(("fee", "gift_card", "product"), 2), (("fee", "fee", "product"), 3)]:
        lines(*types).write_parquet(files["order_lines"])
        shop.refresh()
        assert [orders_of(shop) for _ in range(2)] == [counted, counted]

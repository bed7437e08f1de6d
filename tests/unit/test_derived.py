"""What follows from a question is derived once, and anew where anything else is known."""

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest

import funnelkit as fk
from funnelkit.data.shop_data import MOST_DERIVED, TableStats
from small_frames import of, orders_of

MANY = {"every": "1mo", "by": "country"}
NOTED = {"customer_id": [1, 2, 3], "country": ["PL", "DE", "DE"], "is_new": [True, False, True]}


def shop_of(**columns):
    return fk.Shop(orders=orders_of(**(NOTED | columns)))


def is_number(shop, number):
    return fk.evaluate(shop, "orders", where=f"number == {number}").frame.item()


def test_a_question_that_is_asked_again_is_planned_once():
    shop = shop_of()
    fk.evaluate(shop, ["orders", "average_order_value"], **MANY)
    one, two = (fk.plan(shop, ["orders", "average_order_value"], **MANY) for _ in range(2))
    assert one is two
    assert one is not fk.plan(shop, ["orders", "average_order_value"], every="1mo")


def test_the_plan_of_a_metric_is_not_that_of_an_equal_one():
    shop = shop_of()
    one, two = (of(f"sum(orders.gross_amount) * {factor}") for factor in ("1", "1.0"))
    assert one == two
    for metric in (one, two):
        assert fk.plan(shop, metric).metrics[0].metric is metric


def test_a_flag_is_not_a_number_though_both_are_equal():
    shop = shop_of(number=[1, 1, 2])
    assert is_number(shop, 1) == 2
    with pytest.raises(fk.FunnelkitError):
        is_number(shop, "true")
    assert is_number(shop, "1.0") == 2


def test_the_second_hour_of_two_alike_is_another_start():
    zone = dt.timezone(dt.timedelta(hours=1))
    times = [dt.datetime(2024, 10, 27, hour, 30, tzinfo=dt.UTC) for hour in (0, 1)]
    orders = orders_of(customer_id=[1, 2], ordered_at=times)
    shop = fk.Shop(orders=orders, time_zone="Europe/Warsaw")
    second = dt.datetime(2024, 10, 27, 2, 0, tzinfo=zone)
    first = second.astimezone(dt.timezone(dt.timedelta(hours=2))) - dt.timedelta(hours=1)
    counts = [
        fk.evaluate(shop, "orders", every="1h", start=start).frame["orders"].sum()
        for start in (first, second)
    ]
    assert counts == [2, 1]


def test_more_columns_of_a_file_are_seen(tmp_path):
    path = tmp_path / "orders.parquet"
    orders_of(customer_id=[1]).write_parquet(path)
    shop = fk.Shop.scan(tmp_path)
    with pytest.raises(fk.UnknownNameError):
        fk.evaluate(shop, "orders", by="country")
    orders_of(**NOTED).write_parquet(path)
    assert fk.evaluate(shop, "orders", by="country").frame["orders"].to_list() == [2, 1]
    assert fk.evaluate(shop, "orders").frame.item() == 3


def test_no_rows_are_kept():
    """Keys that are looked up are read to write a query: they are read anew each time."""
    sessions = pl.DataFrame({"session_id": range(10), "started_at": dt.datetime(2024, 1, 1)})
    orders = orders_of(customer_id=[1, 2], session_id=[3, 4])
    shop = fk.Shop(sessions=sessions, orders=orders)
    for _ in range(2):
        assert fk.evaluate(shop, "session_conversion_rate").frame.item() == 0.2
    kept = shop.data.found_derived
    *_, read = (one.result for (*_, text), one in kept.items() if text == "readable")
    written = [one.things for (*_, text), one in kept.items() if text == "queries"]
    assert all(read[0] is not relation for things in written for relation in things)


def test_what_is_written_for_a_database_does_not_rest_on_what_was_seen():
    pytest.importorskip("sqlglot")
    fresh, used = shop_of(), shop_of()
    for _ in range(2):
        fk.evaluate(used, ["orders", "gross_sales"], **MANY)
    assert fk.to_sql(used, ["orders", "gross_sales"], **MANY) == fk.to_sql(
        fresh, ["orders", "gross_sales"], **MANY
    )


def test_what_rests_on_what_was_learnt_meanwhile_is_not_kept_for_who_has_not_learnt_it():
    data, thing = shop_of().data, object()

    def learn():
        data.seen["orders"] = TableStats(3, None, None, 0)
        return "learnt"

    assert data.derived("of", [thing], learn) == "learnt"
    assert replace(data, seen={}).derived("of", [thing], lambda: "anew") == "anew"


def test_only_the_newest_are_kept():
    shop = shop_of()
    for days in range(MOST_DERIVED):
        fk.evaluate(shop, "orders", start=dt.date(2000, 1, 1) + dt.timedelta(days))
    assert len(shop.data.found_derived) == MOST_DERIVED

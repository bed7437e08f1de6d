"""A shop that many threads ask, over files that change meanwhile."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import funnelkit as fk
from funnelkit.data.shop_data import TableStats
from small_frames import orders_of


class Vanishing(dict[str, TableStats]):
    """A mapping whose entry goes away between the look and the reading."""

    def __contains__(self, name):
        return True


def test_what_was_learnt_may_go_away_while_it_is_looked_at():
    data = fk.Shop(orders=orders_of()).data
    data.seen = Vanishing()
    assert data.size("orders") == 1
    assert not data.has_times("orders")


def write(path, rows):
    fresh = path.with_suffix(".new")
    orders_of(customer_id=list(range(rows))).write_parquet(fresh)
    os.utime(fresh, ns=(rows * 10**12, rows * 10**12))
    fresh.replace(path)


def test_threads_ask_a_shop_while_its_files_change(tmp_path):
    path = tmp_path / "orders.parquet"
    write(path, 1)
    shop, stop = fk.Shop.scan(tmp_path), threading.Event()

    def ask(_):
        found = set()
        while not stop.is_set():
            try:
                found.add(fk.evaluate(shop, "orders").frame.item())
            except fk.DataError:  # the file went away while it was read
                continue
        return found

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask, number) for number in range(4)]
        for rows in range(2, 30):
            write(path, rows)
        stop.set()
        found = set().union(*(future.result() for future in asked))
    assert found <= set(range(1, 30))
    assert fk.evaluate(shop, "orders").frame.item() == 29


def test_a_file_that_can_no_longer_be_bound_is_told_until_it_is_mended(tmp_path):
    path = tmp_path / "orders.parquet"
    write(path, 1)
    shop = fk.Shop.scan(tmp_path)
    assert fk.evaluate(shop, "orders").frame.item() == 1
    path.write_bytes(b"no parquet")
    for _ in range(2):
        with pytest.raises(fk.ContractError):
            fk.evaluate(shop, "orders")
    write(path, 3)
    assert fk.evaluate(shop, "orders").frame.item() == 3

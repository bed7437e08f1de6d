"""The works of the benchmark, as funnelkit is asked them."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path

import duckdb
import polars as pl
from questions import (
    EVERY,
    FUNNEL,
    OF_CUSTOMERS,
    OF_SESSIONS,
    OF_VISITORS,
    TEN,
    ZONE,
    in_utc,
    small_frames,
)

import funnelkit as fk

Asked = Sequence[str | fk.Metric]
Frames = Mapping[str, str | pl.DataFrame | pl.LazyFrame]
FIFTY = 50


def work(name: str, folder: Path) -> Callable[[], pl.DataFrame]:
    """Give a work on a shop of its own, whose keys its first evaluation verifies."""
    files = {table: str(folder / f"{table}.parquet") for table in ("sessions", "orders")}
    match name:
        case "A":
            return asked(files, OF_SESSIONS)
        case "A unguarded":
            return asked(files, OF_SESSIONS, guards=False)
        case "B":
            return asked(files, OF_VISITORS)
        case "B unguarded":
            return asked(files, OF_VISITORS, guards=False)
        case "C":
            return asked(in_utc(files), OF_SESSIONS, time_zone=ZONE)
        case "D":
            return asked(files, every_metric(files))
        case "E":
            return asked(small_frames(), TEN, by=("channel",), every="1mo")
        case "H":
            orders = {"orders": str(folder / "customer_orders.parquet")}
            return asked(orders, OF_CUSTOMERS, by=(), every="1mo")
        case "I":
            return asked(files, FUNNEL, by=("channel",))
        case "V":
            return partial(standard_errors, fk.Shop.bind(files))
        case _:
            raise KeyError(name)


def values(folder: Path) -> Callable[[], pl.DataFrame]:
    """Give the values of work V without their intervals."""
    files = {table: str(folder / f"{table}.parquet") for table in ("sessions", "orders")}
    return partial(answer, fk.Shop.bind(files), FUNNEL, ("channel",), None)


def on_duckdb(name: str, folder: Path) -> Callable[[], pl.DataFrame]:
    """Give a work on the same files, computed by DuckDB."""
    files = {table: folder / f"{table}.parquet" for table in ("sessions", "orders")}
    database = fk.DuckDB(duckdb.connect())
    match name:
        case "A" | "B":
            metrics = OF_SESSIONS if name == "A" else OF_VISITORS
            shop, question = fk.Shop.on(database, **files), (("channel", "device"), "1w")
        case "H":
            shop = fk.Shop.on(database, orders=folder / "customer_orders.parquet")
            metrics, question = OF_CUSTOMERS, ((), "1mo")
        case "I":
            shop = fk.Shop.on(database, **files)
            metrics, question = FUNNEL, (("channel",), "1w")
        case _:
            raise KeyError(name)
    return partial(answer, shop, metrics, *question)


def text() -> Callable[[], object]:
    """Give the planning and the text of fifty metrics as one statement."""
    shop, names = fk.demo(), [metric.name for metric in fk.registry().values()]
    question = {"by": "channel", "every": "1w"}
    ready = [name for name in names if is_writable(shop, name, question)][:FIFTY]
    return partial(fk.to_sql, shop, ready, **question)


def is_writable(shop: fk.Shop, name: str, question: Mapping[str, str]) -> bool:
    try:
        fk.to_sql(shop, name, **question)
    except fk.FunnelkitError:
        return False
    return True


def asked(
    frames: Frames,
    metrics: Asked,
    *,
    by: Sequence[str] = ("channel", "device"),
    every: str = "1w",
    **settings: object,
) -> Callable[[], pl.DataFrame]:
    shop = fk.Shop.bind(frames, **settings)
    return partial(answer, shop, metrics, by, every)


def answer(shop: fk.Shop, metrics: Asked, by: Sequence[str], every: str | None) -> pl.DataFrame:
    return fk.evaluate(shop, metrics, by=by, every=every).frame


def standard_errors(shop: fk.Shop) -> pl.DataFrame:
    found = fk.intervals(shop, FUNNEL, by="channel", unit="visitor_id").frame
    return found.select("metric", "channel", "value", "se").sort("metric", "channel")


def planning() -> Callable[[], object]:
    """Give the planning of work E alone, of another question each time."""
    return anew(partial(fk.plan, fk.Shop.bind(small_frames()), TEN, by=("channel",), every="1mo"))


def another() -> Callable[[], object]:
    """Give work E of another question each time, of which nothing was derived before."""
    shop = fk.Shop.bind(small_frames())
    return anew(partial(fk.evaluate, shop, TEN, by=("channel",), every="1mo"))


def anew(ask: Callable[..., object]) -> Callable[[], object]:
    """Give a question from another day before the data each time, with the same answer."""
    days = map(dt.timedelta, count())
    return lambda: ask(start=dt.date(1990, 1, 1) + next(days))


def every_metric(files: Frames) -> Asked:
    """Give the metrics of the two tables that are written by hand as well, all of them at once."""
    ready = fk.Shop.bind(files).metrics().filter("is_ready")["metric"].to_list()
    if lacking := sorted({*EVERY} - {*ready}):
        raise SystemExit(f"work D asks for what the files cannot give: {', '.join(lacking)}")
    return EVERY

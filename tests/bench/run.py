"""Time funnelkit beside hand-written Polars and DuckDB, on the files of `make_data.py`.

python run.py FOLDER [--runs N]

Work A: sessions, bounce rate, orders per session, average order value and revenue per session,
by week, channel and device; an order has the channel and device of the session that it was
placed in. The three answers are compared before anything is timed, and the runs are
interleaved, so that a busy moment of the machine meets all three.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import duckdb
import polars as pl
from polars.testing import assert_frame_equal

import funnelkit as fk

METRICS = (
    "sessions",
    "bounce_rate",
    "orders_per_session",
    "average_order_value",
    "revenue_per_session",
)
KEYS = ("period", "channel", "device")
NOT_COUNTED = ("cancelled", "voided", "draft", "test", "deleted")

Work = Callable[[], pl.DataFrame]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time funnelkit, Polars and DuckDB.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=7, help="how many runs of each, at least 5")
    options = parser.parse_args()
    sources = {name: str(options.folder / f"{name}.parquet") for name in ("sessions", "orders")}
    with duckdb.connect() as connection:
        for name, path in sources.items():
            connection.read_parquet(path).create_view(name)
        compare(sources, connection, max(5, options.runs))


def compare(sources: dict[str, str], connection: duckdb.DuckDBPyConnection, runs: int) -> None:
    shop = fk.Shop.bind(sources)
    first, _ = timed(lambda: with_funnelkit(shop))
    works: dict[str, Work] = {
        "funnelkit": lambda: with_funnelkit(shop),
        "Polars by hand": lambda: with_polars(sources),
        "DuckDB": lambda: with_duckdb(connection),
    }
    check_agreement({name: work() for name, work in works.items()})
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            seconds[name].append(timed(work))
    report(seconds, first)


def with_funnelkit(shop: fk.Shop) -> pl.DataFrame:
    return fk.evaluate(shop, METRICS, by=["channel", "device"], every="1w").frame


def with_polars(sources: dict[str, str]) -> pl.DataFrame:
    """Fold each table alone, align the small results, divide.

    The sessions that orders point to are picked by a semi-join: a left join alone would build
    its hash table of all sessions.
    """
    sessions = pl.scan_parquet(sources["sessions"])
    orders = pl.scan_parquet(sources["orders"]).filter(~pl.col("status").is_in(NOT_COUNTED))
    engaged = (pl.col("engaged_s") > 10) | pl.col("has_key_event") | (pl.col("page_views") >= 2)
    visits = (
        sessions.filter(~pl.col("is_bot"))
        .group_by(pl.col("started_at").dt.truncate("1w").alias("period"), "channel", "device")
        .agg(pl.len().alias("visits"), engaged.sum().alias("engaged"))
    )
    placed_in = sessions.select("session_id", "channel", "device").join(
        orders.select("session_id"), on="session_id", how="semi"
    )
    is_online = (pl.col("sales_channel") == "online") | pl.col("session_id").is_not_null()
    value = pl.col("gross_amount") - pl.col("discount_amount")
    sales = (
        orders.join(placed_in, on="session_id", how="left")
        .group_by(pl.col("ordered_at").dt.truncate("1w").alias("period"), "channel", "device")
        .agg(
            pl.len().alias("orders"),
            is_online.sum().alias("online_orders"),
            value.sum().alias("value"),
            value.filter(is_online).sum().alias("online_value"),
        )
    )
    folded = pl.collect_all([visits, sales], engine="streaming")
    both = folded[0].join(folded[1], on=KEYS, how="full", coalesce=True, nulls_equal=True)
    filled = both.with_columns(pl.exclude(KEYS).fill_null(0))
    visits_seen = pl.when(pl.col("visits") > 0).then("visits")
    orders_seen = pl.when(pl.col("orders") > 0).then("orders")
    return filled.select(
        pl.col("period").cast(pl.Date),
        "channel",
        "device",
        pl.col("visits").cast(pl.Int64).alias("sessions"),
        (1 - pl.col("engaged") / visits_seen).alias("bounce_rate"),
        (pl.col("online_orders") / visits_seen).alias("orders_per_session"),
        (pl.col("value") / orders_seen).alias("average_order_value"),
        (pl.col("online_value") / visits_seen).alias("revenue_per_session"),
    ).sort(KEYS, nulls_last=True)


def with_duckdb(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    return connection.sql(
        f"""
        WITH visits AS (
            SELECT
                date_trunc('week', started_at) AS period, channel, device,
                count(*) AS visits,
                count(*) FILTER (WHERE engaged_s > 10 OR has_key_event OR page_views >= 2)
                    AS engaged
            FROM sessions
            WHERE NOT is_bot
            GROUP BY ALL
        ),
        sales AS (
            SELECT
                date_trunc('week', ordered_at) AS period, channel, device,
                count(*) AS orders,
                count(*) FILTER (WHERE is_online) AS online_orders,
                sum(value) AS value,
                sum(value) FILTER (WHERE is_online) AS online_value
            FROM (
                SELECT
                    ordered_at, session_id, gross_amount - discount_amount AS value,
                    sales_channel = 'online' OR session_id IS NOT NULL AS is_online
                FROM orders
                WHERE status NOT IN {NOT_COUNTED}
            ) LEFT JOIN sessions USING (session_id)
            GROUP BY ALL
        ),
        aligned AS (
            SELECT
                period, channel, device,
                coalesce(visits, 0) AS visits,
                coalesce(engaged, 0) AS engaged,
                coalesce(orders, 0) AS orders,
                coalesce(online_orders, 0) AS online_orders,
                coalesce(value, 0) AS value,
                coalesce(online_value, 0) AS online_value
            FROM (
                SELECT
                    period, channel, device,
                    sum(visits) AS visits, sum(engaged) AS engaged, sum(orders) AS orders,
                    sum(online_orders) AS online_orders, sum(value) AS value,
                    sum(online_value) AS online_value
                FROM (FROM visits UNION ALL BY NAME FROM sales)
                GROUP BY ALL
            )
        )
        SELECT
            CAST(period AS DATE) AS period, channel, device,
            CAST(visits AS BIGINT) AS sessions,
            1 - engaged / nullif(visits, 0) AS bounce_rate,
            online_orders / nullif(visits, 0) AS orders_per_session,
            value / nullif(orders, 0) AS average_order_value,
            online_value / nullif(visits, 0) AS revenue_per_session
        FROM aligned
        ORDER BY period, channel NULLS LAST, device NULLS LAST
        """
    ).pl()


def check_agreement(frames: dict[str, pl.DataFrame]) -> None:
    """Stop unless all frames hold the same rows, their values the same to 1e-9."""
    (name, own), *others = frames.items()
    for other, frame in others:
        try:
            assert_frame_equal(own, frame, rel_tol=1e-9, abs_tol=1e-12)
        except AssertionError as error:
            raise SystemExit(f"{name} and {other} disagree: {error}") from None
    print(f"{' = '.join(frames)}: {own.height:,} rows agree to 1e-9\n")


def timed(work: Work) -> tuple[float, float]:
    """Give the seconds that passed, and those that the CPUs of the process worked."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def report(seconds: dict[str, list[tuple[float, float]]], first: float) -> None:
    """Print medians, and by which factor funnelkit's medians are larger."""
    print(f"{'':16}{'seconds':>9}{'least':>9}{'most':>9}{'CPU s':>9}{'funnelkit /':>14}{'CPU':>7}")
    own, own_cpu = map(statistics.median, zip(*seconds["funnelkit"], strict=True))
    for name, runs in seconds.items():
        walls, cpus = zip(*runs, strict=True)
        wall, cpu = statistics.median(walls), statistics.median(cpus)
        cells = "".join(f"{value:9.3f}" for value in (wall, min(walls), max(walls), cpu))
        print(f"{name:16}{cells}{own / wall:14.2f}{own_cpu / cpu:7.2f}")
    print(f"\nfirst evaluation by funnelkit, which verifies the keys: {first:.3f} s")
    print(f"medians of {len(seconds['funnelkit'])} runs in turn on {os.cpu_count()} CPUs")
    packages = (fk.__name__, pl.__name__, duckdb.__name__)
    versions = [f"{package} {metadata.version(package)}" for package in packages]
    print(", ".join([f"Python {platform.python_version()}", *versions]))


if __name__ == "__main__":
    main()

"""Measure funnels, sessions and cohorts beside ClickHouse and hand-written DuckDB.

python journeys.py [--rows 10000000] [--runs N] [--clickhouse PYTHON]

    fun  4 steps within 7 days, of as many events of a twelfth as many visitors
    ses  sessions by 30 minutes of inactivity, with start, end and number of events
    coh  retention by month of a fifth as many orders of a twentieth as many customers
    lin  the funnel of a tenth of the visitors against that of all
    mem  what the funnel takes beyond the events, in times of the columns that it reads

The data is made here. ClickHouse runs in the process of another interpreter that has `chdb`
installed; without one the funnel is not compared. The machine's other work meets all of them:
runs are in turn, and a ratio is one of medians.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from measure import HEAD, Row, Sample, compared, interleaved, sample

import funnelkit as fk

STEPS = ("view_item", "add_to_cart", "begin_checkout", "purchase")
SHARES = (0.55, 0.25, 0.12, 0.08)
START, DAY_US = 1_704_067_200_000_000, 86_400_000_000
TARGETS = {"fun": 0.6, "ses": 0.7, "coh": 1.0, "lin": 11.0, "mem": 3.0}
SESSIONS = """
    WITH marked AS (
        SELECT visitor_id, occurred_at, occurred_at - lag(occurred_at) OVER own > INTERVAL 30 MINUTE
            OR lag(occurred_at) OVER own IS NULL AS is_new
        FROM events WINDOW own AS (PARTITION BY visitor_id ORDER BY occurred_at)
    ), numbered AS (
        SELECT *, sum(is_new::INT) OVER (PARTITION BY visitor_id ORDER BY occurred_at) AS number
        FROM marked
    )
    SELECT visitor_id, min(occurred_at) AS started_at, max(occurred_at) AS ended_at
    FROM numbered GROUP BY visitor_id, number ORDER BY visitor_id, started_at
"""
COHORTS = """
    WITH firsts AS (
        SELECT customer_id, date_trunc('month', min(ordered_at)) AS cohort FROM orders GROUP BY ALL
    )
    SELECT cohort::DATE AS cohort,
        date_diff('month', cohort, date_trunc('month', ordered_at)) AS age,
        count(DISTINCT customer_id) AS customers, count(*) AS orders
    FROM orders JOIN firsts USING (customer_id) GROUP BY ALL ORDER BY ALL
"""
CLICKHOUSE = """
import json, sys, time
from chdb import session
s = session.Session()
s.query("CREATE DATABASE d ENGINE = Atomic")
s.query("CREATE TABLE d.e ENGINE = Memory AS SELECT assumeNotNull(visitor_id) AS visitor_id, "
        "assumeNotNull(occurred_at) AS occurred_at, event_name FROM file('{path}')")
names = ", ".join("event_name = '%s'" % name for name in {steps})
query = ("SELECT level, count() FROM (SELECT windowFunnel(604800000000)(toUInt64("
         "toUnixTimestamp64Micro(occurred_at)), " + names + ") AS level FROM d.e "
         "GROUP BY visitor_id) GROUP BY level ORDER BY level")
for _ in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    rows = [line.split(",") for line in str(s.query(query, "CSV")).split()]
    print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu, rows]), flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the analyses of journeys.")
    parser.add_argument("--rows", type=int, default=10_000_000, help="how many events")
    parser.add_argument("--runs", type=int, default=7, help="how many runs of each")
    parser.add_argument("--clickhouse", help="an interpreter that has chdb")
    parser.add_argument("--peak", type=Path, help="print the memory of the funnel of a file")
    options = parser.parse_args()
    if options.peak:
        print(json.dumps(peak(options.peak)))
        return
    events = made_events(options.rows)
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        events.write_parquet(path)
        print(memory(path), flush=True)
        if options.clickhouse:
            print(funnels(events, path, options.clickhouse, options.runs), flush=True)
    print(linear(events, options.runs), flush=True)
    print(sessions(events, options.runs), flush=True)
    print(cohorts(options.rows, options.runs), flush=True)


def made_events(rows: int) -> pl.DataFrame:
    draw = np.random.default_rng(7)
    times = START + draw.integers(0, 30 * DAY_US // 1_000, rows) * 1_000
    names = pl.Series(STEPS).gather(pl.Series(draw.choice(4, rows, p=SHARES)))
    visitors = draw.integers(0, rows // 12, rows)
    at = pl.Series(times).cast(pl.Datetime("us"))
    return pl.DataFrame({"visitor_id": visitors, "occurred_at": at, "event_name": names})


def asked(shop: fk.Shop) -> list[int]:
    return fk.funnel(shop, STEPS, within="7d").frame["entities"].to_list()


def funnels(events: pl.DataFrame, path: Path, interpreter: str, runs: int) -> Row:
    shop = fk.Shop(events=events)
    code = CLICKHOUSE.format(path=path, steps=list(STEPS))
    other = subprocess.Popen(
        [interpreter, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    own, taken, counts = [], [], asked(shop)
    for _ in range(runs + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        asked(shop)
        own.append((time.perf_counter() - wall, time.process_time() - cpu))
        other.stdin.write("go\n")
        other.stdin.flush()
        *pair, rows = json.loads(other.stdout.readline())
        taken.append(tuple(pair))
    other.stdin.close()
    other.wait()
    level = {int(level): int(count) for level, count in rows}
    told = [sum(c for at, c in level.items() if at >= step) for step in range(1, 5)]
    if told != counts:
        raise SystemExit(f"funnel: funnelkit {counts} and ClickHouse {told} disagree")
    samples = sample(own[1:]), sample(taken[1:])
    return compared("fun", "windowFunnel of ClickHouse", *samples, TARGETS["fun"])


def linear(events: pl.DataFrame, runs: int) -> Row:
    tenth = events.filter(pl.col("visitor_id") % 10 == 0)
    shops = {"all": fk.Shop(events=events), "tenth": fk.Shop(events=tenth)}
    works: dict[str, Callable[[], object]] = {n: lambda s=s: asked(s) for n, s in shops.items()}
    for work in works.values():
        work()
    found: dict[str, Sample] = interleaved(works, runs)
    return compared("lin", "a tenth of the visitors", found["all"], found["tenth"], TARGETS["lin"])


def sessions(events: pl.DataFrame, runs: int) -> Row:
    shop, connection = fk.Shop(events=events), duckdb.connect()
    connection.register("frame", events)
    connection.execute("CREATE TABLE events AS SELECT * FROM frame")
    works = {
        "funnelkit": lambda: fk.sessionize(shop).frame,
        "DuckDB": lambda: connection.sql(SESSIONS).pl(),
    }
    own, other = works["funnelkit"](), works["DuckDB"]()
    if own.height != other.height or own["duration_s"].sum() != (
        (other["ended_at"] - other["started_at"]).dt.total_microseconds().sum() / 1e6
    ):
        raise SystemExit("sessionize: funnelkit and DuckDB disagree")
    found = interleaved(works, runs)
    pair = found["funnelkit"], found["DuckDB"]
    return compared("ses", "lag and sum of DuckDB", *pair, TARGETS["ses"])


def cohorts(rows: int, runs: int) -> Row:
    draw, count = np.random.default_rng(8), rows // 5
    customers = draw.integers(0, rows // 20, count)
    at = pl.Series(START + draw.integers(0, 365, count) * DAY_US).cast(pl.Datetime("us"))
    known = {"order_id": np.arange(count), "customer_id": customers, "ordered_at": at}
    orders = pl.DataFrame(known)
    shop, connection = fk.Shop(orders=orders, order_policy="all"), duckdb.connect()
    connection.register("frame", orders)
    connection.execute("CREATE TABLE orders AS SELECT * FROM frame")
    works = {
        "funnelkit": lambda: fk.cohorts(shop).frame,
        "DuckDB": lambda: connection.sql(COHORTS).pl(),
    }
    own = works["funnelkit"]().select("cohort", "age", "customers", "orders")
    if own.rows() != works["DuckDB"]().rows():
        raise SystemExit("cohorts: funnelkit and DuckDB disagree")
    found = interleaved(works, runs)
    pair = found["funnelkit"], found["DuckDB"]
    return compared("coh", "SQL of DuckDB, retention alone", *pair, TARGETS["coh"])


def memory(path: Path) -> Row:
    command = [sys.executable, __file__, "--peak", str(path)]
    found = [json.loads(subprocess.check_output(command)) for _ in range(3)]
    taken, columns = (statistics.median(one[place] for one in found) for place in (0, 1))
    return Row(
        work="mem",
        against="the columns that are read",
        own=f"{taken / 2**20:.0f} MiB",
        other=f"{columns / 2**20:.0f} MiB",
        ratio=taken / columns,
        target=TARGETS["mem"],
    )


def peak(path: Path) -> tuple[int, int]:
    """Give how much the peak of this process grows by a funnel, and the size of the events."""
    events = pl.read_parquet(path)
    shop = fk.Shop(events=events)
    asked(fk.Shop(events=events.head(1_000)))
    unit = 1 if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    asked(shop)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return after - before, int(events.estimated_size())


if __name__ == "__main__":
    main()

"""Ask the same questions of more rows than memory holds, of Polars and of DuckDB.

python beyond_memory.py FOLDER [--sessions 20000000,200000000] [--gib 4]

Writes each number of sessions, and their orders, as folders of Parquet files of ten million
rows; then answers in processes of their own that the kernel holds to so much memory, and
compares the answers. Needs Linux and the right to make control groups.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import make_data
import numpy as np
import polars as pl
from polars.testing import assert_frame_equal

import funnelkit as fk

PART = 10_000_000
ENGINES = ("polars", "duckdb")
METRICS = ("sessions", "bounce_rate", "orders_per_session", "average_order_value")
QUESTION = {"by": ("channel", "device"), "every": "1w"}
GROUPS = Path("/sys/fs/cgroup")


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sessions", default="20000000,200000000", help="how many, by commas")
    parser.add_argument("--gib", type=float, default=4.0, help="how much memory a process has")
    parser.add_argument("--answer", choices=ENGINES, help="answer from FOLDER, and say how")
    options = parser.parse_args()
    if options.answer:
        answer(options.folder, options.answer)
        return
    for sessions in map(int, options.sessions.split(",")):
        folder = options.folder / str(sessions)
        write(folder, sessions)
        for engine in ENGINES:
            print(f"{sessions:>13,} {engine:8}", held(folder, engine, options.gib), flush=True)
        if not all((folder / f"{engine}.parquet").exists() for engine in ENGINES):
            continue
        one, two = (pl.read_parquet(folder / f"{engine}.parquet") for engine in ENGINES)
        assert_frame_equal(one, two, rel_tol=1e-9)
        print(f"{sessions:>13,} both engines give the same {one.height:,} rows")


def write(folder: Path, sessions: int) -> None:
    """Write a shop in parts, each of its own years of visitors and sessions."""
    for number in range(max(1, sessions // PART)):
        part = folder / "sessions" / f"{number:04}.parquet"
        if part.exists():
            continue
        for kind in ("sessions", "orders"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
        rows = min(PART, sessions)
        rng, first = np.random.default_rng(number), number * PART
        visits = make_data.make_sessions(rng, rows).with_columns(
            pl.col("session_id", "visitor_id") + first
        )
        orders = make_data.make_orders(rng, visits, int(rows * make_data.ORDERS_PER_SESSION))
        orders = orders.with_columns(pl.col("order_id") + first)
        orders.write_parquet(folder / "orders" / part.name)
        visits.write_parquet(part, row_group_size=make_data.ROW_GROUP)


def held(folder: Path, engine: str, gib: float) -> str:
    """Return how long an answer took, and its peak of memory, in a process held to some."""
    (folder / f"{engine}.parquet").unlink(missing_ok=True)
    group = control_group(int(gib * 2**30))
    command = [sys.executable, __file__, str(folder), "--answer", engine]
    script = f'echo $$ > {group}/cgroup.procs && exec "$@"'
    ask = ["sh", "-c", script, "sh", *command]
    done = subprocess.run(ask, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"failed ({done.returncode}): {done.stderr.strip()[-300:]}"
    found = json.loads(done.stdout.splitlines()[-1])
    return f"{found['seconds']:8.1f} s, peak {found['peak_mib']:,.0f} MiB of {gib:g} GiB"


def control_group(limit: int) -> Path:
    """Return a control group, of either version, whose processes share so much memory."""
    is_new = (GROUPS / "cgroup.controllers").exists()
    group = (GROUPS if is_new else GROUPS / "memory") / "funnelkit_bench"
    group.mkdir(exist_ok=True)
    file = "memory.max" if is_new else "memory.limit_in_bytes"
    (group / file).write_text(str(limit))
    return group


def answer(folder: Path, engine: str) -> None:
    started = time.perf_counter()
    tables = {name: folder / name / "*.parquet" for name in ("sessions", "orders")}
    if engine == "polars":
        shop = fk.Shop.bind(tables, time_zone="UTC", currency="USD")
    else:
        shop = fk.Shop.on(fk.DuckDB(duckdb.connect()), **tables, time_zone="UTC", currency="USD")
    result = fk.evaluate(shop, METRICS, **QUESTION)
    seconds = time.perf_counter() - started
    result.frame.write_parquet(folder / f"{engine}.parquet")
    peak = int(
        next(
            line.split()[1]
            for line in Path("/proc/self/status").read_text().splitlines()
            if line.startswith("VmHWM")
        )
    )
    print(json.dumps({"seconds": seconds, "peak_mib": peak / 1024}))


if __name__ == "__main__":
    main()

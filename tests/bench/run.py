"""Measure funnelkit beside hand-written Polars and DuckDB, on the files of `make_data.py`.

python run.py FOLDER [--works A,B,I] [--runs N]

    A  sessions, bounce rate, orders per session, average order value and revenue per session,
       by week, channel and device
    B  the same, with unique visitors and revenue per visitor
    C  as A, of instants, in a zone with daylight saving
    D  nineteen metrics of sessions, orders and customers, by week, channel and device
    E  ten metrics of frames of 1,000 rows in memory, by month and channel; and planning alone
    F  the import, in fresh processes
    G  the peak memory of A and B, in fresh processes
    H  new customers, repeat purchase, retention and churn by month, of as many orders
    I  conversion of sessions, with purchases found in the orders, and add-to-cart rate,
       by week and channel
    L  A on all sessions against A on a tenth
    V  standard errors of the two rates of I by channel, of visitors
    S  planning and writing fifty metrics by week and channel as one statement of SQL

A, B, H and I are asked of funnelkit on DuckDB as well, against the same SQL by hand.
The answers of a work are compared before anything is timed. A ratio is of medians of runs in
turn; `least` is the ratio of the fastest runs, `CPU` that of CPU times. Where a work verifies
keys, its first evaluation by funnelkit is told beside the others.
"""

import argparse
import os
import platform
import statistics
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import measure
import processes
import with_duckdb
import with_funnelkit
import with_polars
from measure import Row, Sample, Work

TARGETS: Mapping[str, Mapping[str, float]] = {
    "A": {"Polars by hand": 1.10, "DuckDB": 1.10},
    "B": {"Polars by hand": 1.05, "DuckDB": 0.65},
    "C": {"Polars by hand": 0.40, "DuckDB": 0.30},
    "D": {"Polars by hand": 1.5},
    "E": {"Polars by hand": 2.5},
    "H": {"Polars by hand": 1.10, "DuckDB": 0.8},
    "I": {"Polars by hand": 1.10, "DuckDB": 1.0},
    "V": {"Polars by hand": 1.0},
}
LETTERS = "FGABCDEHILSV"
"""In this order: a large process would pass its own peak of memory on to those it starts."""
LEAST_RUNS = 5
SHORT = 20
PLANNING_SECONDS = 0.002
TEXT_SECONDS = 0.1
ON_DUCKDB = dict.fromkeys("ABHI", 1.10)
"""How many times the time of SQL by hand funnelkit may take on DuckDB."""

GROWTH = 11.0
WITH_INTERVALS = 2.5
"""How many times the time of values alone they may take with their intervals."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure funnelkit, Polars and DuckDB.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--works", default=LETTERS, help="which works, such as A,B,I")
    parser.add_argument("--runs", type=int, default=7, help="how many runs of each, at least 5")
    options = parser.parse_args()
    chosen = set(options.works.upper()) - {",", " "}
    if unknown := chosen - set(LETTERS):
        parser.error(f"there is no work {', '.join(sorted(unknown))}; choose of {LETTERS}")
    runs = max(LEAST_RUNS, options.runs)
    rows: list[Row] = []
    print(measure.HEAD, flush=True)
    for work in LETTERS:
        if work in chosen:
            found = measured(work, options.folder, runs)
            print(*found, sep="\n", flush=True)
            rows += found
    report(rows, runs)


def measured(work: str, folder: Path, runs: int) -> list[Row]:
    match work:
        case "F":
            return processes.imports(runs)
        case "G":
            return processes.memory(folder, runs)
        case "L":
            return linearity(folder, runs)
        case "S":
            return [limited("S", "the limit of text", with_funnelkit.text(), TEXT_SECONDS, runs)]
        case "E":
            return [*contest(work, folder, runs, repeat=SHORT), *not_asked_before(runs)]
        case "V":
            return [*contest(work, folder, runs), beside_values(folder, runs)]
        case _:
            return contest(work, folder, runs)


def contest(work: str, folder: Path, runs: int, *, repeat: int = 1) -> list[Row]:
    """Measure one work of all engines that have a target in it."""
    engines = {"Polars by hand": with_polars, "DuckDB": with_duckdb}
    works = {"funnelkit": with_funnelkit.work(work, folder)}
    works |= {name: engines[name].work(work, folder) for name in TARGETS[work]}
    if work in ON_DUCKDB:
        works["funnelkit on DuckDB"] = with_funnelkit.on_duckdb(work, folder)
    first, _ = measure.timed(works["funnelkit"])
    measure.check_agreement(work, {name: do() for name, do in works.items()})
    samples = measure.interleaved(works, runs, repeat=repeat)
    own = samples["funnelkit"]
    rows = [
        measure.compared(work, name, own, samples[name], target)
        for name, target in TARGETS[work].items()
    ]
    if work in ON_DUCKDB:
        on, by_hand = samples["funnelkit on DuckDB"], samples["DuckDB"]
        rows.append(measure.compared(work, "DuckDB, on DuckDB", on, by_hand, ON_DUCKDB[work]))
    once = Row(work=work, against="(first evaluation, verifies keys)", own=measure.seconds(first))
    return [*rows, once]


def beside_values(folder: Path, runs: int) -> Row:
    """Measure values with their intervals against the values alone."""
    works: dict[str, Work] = {
        "intervals": with_funnelkit.work("V", folder),
        "values": with_funnelkit.values(folder),
    }
    for work in works.values():
        work()
    samples = measure.interleaved(works, runs)
    own, values = samples["intervals"], samples["values"]
    return measure.compared("V", "the values alone", own, values, WITH_INTERVALS)


def not_asked_before(runs: int) -> list[Row]:
    """Measure work E of another question each time, and the planning of it alone."""
    another = measure.interleaved({"own": with_funnelkit.another()}, runs, repeat=SHORT)["own"]
    wall = measure.seconds(statistics.median(another.walls))
    plan = with_funnelkit.planning()
    return [
        Row(work="E", against="(another question each time)", own=wall),
        limited("E", "the limit of planning alone", plan, PLANNING_SECONDS, runs),
    ]


def limited(letter: str, limit: str, work: Work, most: float, runs: int) -> Row:
    """Measure a short work against the time that it may take."""
    own = measure.interleaved({"own": work}, runs, repeat=SHORT)["own"]
    return measure.compared(letter, limit, own, Sample((most,), (most,)), 1.0)


def linearity(folder: Path, runs: int) -> list[Row]:
    works: dict[str, Work] = {
        "all": with_funnelkit.work("A", folder),
        "tenth": with_funnelkit.work("A", folder / "tenth"),
    }
    for work in works.values():
        work()
    samples = measure.interleaved(works, runs)
    return [measure.compared("L", "A on a tenth", samples["all"], samples["tenth"], GROWTH)]


def report(rows: list[Row], runs: int) -> None:
    print(f"\nmedians of {runs} runs in turn on {os.cpu_count()} CPUs")
    versions = [f"{name} {metadata.version(name)}" for name in ("funnelkit", "polars", "duckdb")]
    print(", ".join([f"Python {platform.python_version()}", *versions]))
    if missed := sum(row.is_missed for row in rows):
        print(f"{missed} of {sum(row.target is not None for row in rows)} targets missed")


if __name__ == "__main__":
    main()

"""Works that need fresh processes: how long imports take, how much memory a work needs.

python processes.py ENGINE WORK FOLDER

does one work once and prints the most memory that the process held, in bytes.
"""

import resource
import statistics
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from measure import Row, Sample, compared, sample

ENGINES = {
    "funnelkit": "with_funnelkit",
    "Polars by hand": "with_polars",
    "DuckDB": "with_duckdb",
}
MEMORY_TARGETS = {"Polars by hand": 1.15, "DuckDB": 1.0}
TIMED_IMPORT = """
import time
wall, cpu = time.perf_counter(), time.process_time()
import {}
print(time.perf_counter() - wall, time.process_time() - cpu)
"""
UNIT = 1 if sys.platform == "darwin" else 1024


def main() -> None:
    engine, work, folder = sys.argv[1:]
    import_module(engine).work(work, Path(folder))()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT)


def imports(runs: int) -> list[Row]:
    """Time the two imports; the first of each only warms the disk's cache."""
    packages = ("funnelkit", "polars")
    taken: dict[str, list[tuple[float, float]]] = {package: [] for package in packages}
    for _ in range(runs + 1):
        for package in packages:
            wall, cpu = printed("-c", TIMED_IMPORT.format(package)).split()
            taken[package].append((float(wall), float(cpu)))
    samples: dict[str, Sample] = {name: sample(pairs[1:]) for name, pairs in taken.items()}
    return [compared("F", "import polars", samples["funnelkit"], samples["polars"], 1.15)]


def memory(folder: Path, runs: int) -> list[Row]:
    """Compare the peaks of A and B; funnelkit verifies the keys, unless it is unguarded."""
    rows: list[Row] = []
    for work in ("A", "B"):
        tasks = {name: (module, work) for name, module in ENGINES.items()}
        tasks["unguarded"] = ("with_funnelkit", f"{work} unguarded")
        peaks: dict[str, list[int]] = {name: [] for name in tasks}
        for _ in range(runs):
            for name, (module, task) in tasks.items():
                peaks[name].append(int(printed(__file__, module, task, str(folder))))
        median = {name: statistics.median(found) for name, found in peaks.items()}
        for own, words in {"funnelkit": "", "unguarded": ", keys not verified"}.items():
            for other, target in MEMORY_TARGETS.items():
                rows.append(
                    Row(
                        work=f"G {work}",
                        against=f"{other}{words}",
                        own=mebibytes(median[own]),
                        other=mebibytes(median[other]),
                        ratio=median[own] / median[other],
                        least=min(peaks[own]) / min(peaks[other]),
                        target=target if own == "funnelkit" else None,
                    )
                )
    return rows


def printed(*arguments: str) -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def mebibytes(size: float) -> str:
    return f"{size / 2**20:,.0f} MiB"


if __name__ == "__main__":
    main()

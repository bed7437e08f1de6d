"""How long the demo shop's steps take by the Polars engine, and through the relational plan."""

import sys
import time
import warnings
from collections.abc import Callable, Sequence
from statistics import median

import polars as pl

import funnelkit as fk
from funnelkit.planning.derive import to_relations
from funnelkit.planning.plan import Step
from parity.answers import by_engine, by_plan, steps_of


def seconds(run: Callable[[], object], *, times: int = 5) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return median(found)


def enlarged(shop: fk.Shop, times: int) -> fk.Shop:
    """The frames of a shop so many times over, with keys of their own."""
    frames = {}
    for name, bound in shop.data.tables.items():
        frame = bound.frame.collect()
        keys = [c for c, t in frame.schema.items() if t == pl.Int64 and c.endswith("_id")]
        whole = pl.int_range(times).alias("copy").cast(pl.Int64)
        copies = frame.join(pl.select(whole), how="cross")
        frames[name] = copies.with_columns(pl.col(c) * times + pl.col("copy") for c in keys).drop(
            "copy"
        )
    return fk.Shop.bind(frames, time_zone="Europe/Warsaw", currency="PLN", guards=False)


def measure(shop: fk.Shop, steps: Sequence[Step]) -> tuple[float, float, float]:
    data = shop.data
    by_engine(data, steps)
    return (
        seconds(lambda: by_engine(data, steps)),
        seconds(lambda: by_plan(data, steps)),
        seconds(lambda: to_relations(data, steps)),
    )


def main() -> None:
    warnings.simplefilter("ignore")
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    shop = fk.demo() if times == 1 else enlarged(fk.demo(), times)
    question = {"every": "1mo"}
    steps = steps_of(shop, question)
    engine, plan, written = measure(shop, steps)
    print(
        f"{len(steps)} steps together: engine {engine:.3f} s, plan {plan:.3f} s, "
        f"of it {written:.3f} s to write"
    )
    rows = [(*measure(shop, [step])[:2], step) for step in steps]
    rows.sort(key=lambda row: row[1] - row[0], reverse=True)
    slower = sum(plan > 1.5 * engine for engine, plan, _ in rows)
    total = [sum(column) for column in zip(*(row[:2] for row in rows), strict=True)]
    print(
        f"one by one: engine {total[0]:.2f} s, plan {total[1]:.2f} s; {slower} half as slow again"
    )
    for engine, plan, step in rows[:12]:
        print(f"{engine * 1e3:7.1f} ms {plan * 1e3:7.1f} ms  {' '.join(str(step).split())[:150]}")


if __name__ == "__main__":
    main()

"""How works are timed and compared, and how a comparison is shown."""

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl
from polars.testing import assert_frame_equal

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Sample:
    """What the runs of one work took.

    Attributes:
        walls: The seconds that passed in each run.
        cpus: The seconds that the CPUs of the process worked in each run.
    """

    walls: tuple[float, ...]
    cpus: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        work: The letter of the work.
        against: What funnelkit is compared with.
        own: What funnelkit took, with its unit.
        other: What the other took; empty where funnelkit stands alone.
        ratio: The ratio of the medians.
        least: The ratio of the least of the runs.
        cpu: The ratio of the medians of CPU time.
        target: What the ratio should not exceed.
    """

    work: str
    against: str
    own: str
    other: str = ""
    ratio: float | None = None
    least: float | None = None
    cpu: float | None = None
    target: float | None = None

    def __str__(self) -> str:
        shown = "".join(
            f"{'' if value is None else f'{value:.2f}':>8}"
            for value in (self.ratio, self.least, self.cpu)
        )
        target = "" if self.target is None else f"≤ {self.target:.2f}"
        mark = "  missed" if self.is_missed else ""
        line = f"{self.work:6}{self.against:36}{self.own:>11}{self.other:>11}{shown}{target:>9}"
        return f"{line}{mark}".rstrip()

    @property
    def is_missed(self) -> bool:
        return self.ratio is not None and self.target is not None and self.ratio > self.target


HEAD = (
    f"{'work':6}{'funnelkit against':36}{'funnelkit':>11}{'other':>11}"
    f"{'ratio':>8}{'least':>8}{'CPU':>8}{'target':>9}"
)


def check_agreement(work: str, frames: Mapping[str, pl.DataFrame]) -> None:
    """Stop unless all frames hold the same rows, their values the same to 1e-9."""
    (name, own), *others = frames.items()
    for other, frame in others:
        try:
            assert_frame_equal(own, frame, rel_tol=1e-9, abs_tol=1e-12)
        except AssertionError as error:
            raise SystemExit(f"{work}: {name} and {other} disagree: {error}") from None
    print(f"{work}: {' = '.join(frames)}, {own.height:,} rows", file=sys.stderr, flush=True)


def interleaved(works: Mapping[str, Work], runs: int, *, repeat: int = 1) -> dict[str, Sample]:
    """Run the works in turn, so that a busy moment of the machine meets all of them.

    Args:
        works: The works, by name.
        runs: How many runs of each.
        repeat: How often a work is done in one run, if it is too short to time.
    """
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            taken[name].append(timed(work, repeat))
    return {name: sample(pairs) for name, pairs in taken.items()}


def sample(pairs: list[tuple[float, float]]) -> Sample:
    walls, cpus = zip(*pairs, strict=True)
    return Sample(walls, cpus)


def timed(work: Work, repeat: int = 1) -> tuple[float, float]:
    """Give the seconds that passed, and those that the CPUs worked, for doing a work once."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeat):
        work()
    return (time.perf_counter() - wall) / repeat, (time.process_time() - cpu) / repeat


def compared(work: str, against: str, own: Sample, other: Sample, target: float | None) -> Row:
    """Give the row of two samples: how many times the other funnelkit takes."""
    wall, other_wall = statistics.median(own.walls), statistics.median(other.walls)
    return Row(
        work=work,
        against=against,
        own=seconds(wall),
        other=seconds(other_wall),
        ratio=wall / other_wall,
        least=min(own.walls) / min(other.walls),
        cpu=statistics.median(own.cpus) / statistics.median(other.cpus),
        target=target,
    )


def seconds(value: float) -> str:
    return f"{value:.3f} s" if value >= 0.1 else f"{value * 1000:.2f} ms"

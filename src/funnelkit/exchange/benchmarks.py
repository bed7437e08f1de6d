"""Benchmarks: published figures of a metric, each tied to a definition and a source."""

from __future__ import annotations

import datetime as dt
import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal, cast, get_args

import polars as pl

from funnelkit.arguments import check_kind, is_finite, is_number, not_chosen, not_whole
from funnelkit.catalog.default import registry
from funnelkit.errors import DataError, DefinitionError, UnknownNameError
from funnelkit.metrics.metric import AidaStage, Metric, Stage
from funnelkit.result.view import Shown, View
from funnelkit.units import NUMBER, Display, Unit

__all__ = [
    "OWN_DATA",
    "Benchmark",
    "Benchmarks",
    "Match",
    "benchmarks",
    "last_day_of",
    "load_benchmarks",
    "misfits",
    "percentile",
]

Match = Literal["same", "close", "differs"]
OWN_DATA = "own data"
"""The publisher of a benchmark that was made from a shop's own results: it has no address."""

POINT = re.compile(r"average|median|good|poor|p[1-9][0-9]?")
NEEDED = ("name", "metric", "point", "value", "publisher", "published")
COLUMNS = (
    *("name", "metric", "match", "point", "value", "currency", "definition", "population", "n"),
    *("geography", "industry", "period_start", "period_end", "published", "publisher", "url"),
    "caution",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """Figures that a metric can be held against, and where they are from.

    Attributes:
        name: A name of its own, such as `"littledata-2019-add-to-cart"`.
        metric: The definition that it is comparable with: `"email_open_rate.of_recipients"`.
        points: The published figures, in the unit of the metric, so shares as fractions:
            `"average"`, `"median"`, `"p1"` to `"p99"`, and the thresholds `"good"` and `"poor"`.
        match: How well its definition fits: `"same"`, `"close"`, or `"differs"`.
        definition: The publisher's definition, in our words.
        publisher: Who published it.
        url: Where; own data has none.
        published: When: a year, a month or a day.
        period: The first and the last day that the figures are about, where that is known.
        geography: Where the shops are.
        industry: What the shops sell.
        population: Whose figures they are.
        n: How many shops, or periods, they rest on.
        currency: The code of the currency of amounts.
        caution: What to keep in mind.
        values: Of own data, the values themselves, in order.
        fingerprint: Of own data, that of the metric; of others it is the registry's.

    Raises:
        DefinitionError: A field is not valid; names every problem.
    """

    name: str
    metric: str
    points: Mapping[str, float]
    match: Match
    definition: str
    publisher: str
    url: str
    published: str
    period: tuple[str, str] | None = None
    geography: str = ""
    industry: str = ""
    population: str = ""
    n: int | None = None
    currency: str = ""
    caution: str = ""
    values: tuple[float, ...] = ()
    fingerprint: str = ""

    def __post_init__(self) -> None:
        if faults := list(_other_kinds(self)) or list(_faults(self)):
            raise DefinitionError(f"benchmark {self.name!r}: {'; '.join(faults)}")
        object.__setattr__(self, "points", dict(self.points))

    @property
    def last_day(self) -> dt.date:
        """The last day that it speaks of: of its period, or when it was published."""
        text = self.published if self.period is None else self.period[1]
        return last_day_of(text) or dt.date.max


TEXTS = (
    *("name", "metric", "match", "definition", "publisher", "url", "published", "geography"),
    *("industry", "population", "currency", "caution", "fingerprint"),
)


def _other_kinds(benchmark: Benchmark) -> Iterator[str]:
    """Return which fields are of another kind, before anything is read from them."""
    for field in TEXTS:
        if not isinstance(given := cast(object, getattr(benchmark, field)), str):
            yield f"{field}={given!r} is not a text"
    points, period = cast(object, benchmark.points), cast(object, benchmark.period)
    if not isinstance(points, Mapping):
        yield f"points={points!r} are not by name: write {{'average': 0.05}}"
    else:
        for point, value in cast(Mapping[object, object], points).items():
            if not isinstance(point, str) or not is_number(value):
                yield f"{point}={value!r} is not a number"
    is_pair = isinstance(period, tuple | list) and len(cast(Sequence[object], period)) == 2
    if period is not None and not is_pair:
        yield f"period={period!r} is not a first and a last day"
    if benchmark.n is not None:
        yield from filter(None, [not_whole("n", benchmark.n, 1)])


def _faults(benchmark: Benchmark) -> Iterator[str]:
    """Return what is wrong with a benchmark by itself."""
    for field in ("name", "metric", "publisher"):
        if not getattr(benchmark, field):
            yield f"{field} is empty"
    is_own = benchmark.publisher == OWN_DATA
    if not is_own and not re.match(r"https?://\S+\.\S+", benchmark.url):
        yield f"url={benchmark.url!r} is not an address: give where it was published"
    yield from filter(None, [not_chosen("match", benchmark.match, get_args(Match))])
    if not benchmark.points:
        yield "it has no points"
    for point, value in benchmark.points.items():
        if not POINT.fullmatch(point):
            yield f"{point!r} is not a point: use average, median, p1 to p99, good or poor"
        elif not is_finite(value):
            yield f"{point}={value!r} is not a finite number"
    yield from _disordered(benchmark.points)
    dates = {"published": benchmark.published}
    if benchmark.period is not None:
        dates |= dict(zip(("period_start", "period_end"), benchmark.period, strict=True))
    for field, text in dates.items():
        if not isinstance(cast(object, text), str) or last_day_of(text) is None:
            yield f"{field}={text!r} is not a date: write 2024, 2024-10 or 2024-10-31"


def _disordered(points: Mapping[str, float]) -> Iterator[str]:
    """Return the quantiles that are below a smaller one."""
    ranks = {point: rank for point in points if (rank := percentile(point)) is not None}
    for low, high in pairwise(sorted(ranks, key=ranks.__getitem__)):
        if points[low] > points[high]:
            yield f"{low}={points[low]:g} is above {high}={points[high]:g}"


def percentile(point: str) -> int | None:
    """Return which percentile a point is, if it is one."""
    if point == "median":
        return 50
    return int(point[1:]) if POINT.fullmatch(point) and point[1:].isdecimal() else None


def last_day_of(text: str) -> dt.date | None:
    """Return the last day of a year, a month or a day in ISO form; None for any other text."""
    found = re.fullmatch(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", text)
    if found is None:
        return None
    year, month = int(found[1]), int(found[2] or 12)
    try:
        return dt.date(year, month, int(found[3] or monthrange(year, month)[1]))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Benchmarks(View, Mapping[str, Benchmark]):
    """Benchmarks by name.

    Raises:
        DefinitionError: Two have the same name.

    Examples:
        >>> import funnelkit as fk
        >>> fk.benchmarks()["littledata-2019-add-to-cart"].points["p80"]
        0.09
    """

    _each: tuple[Benchmark, ...]

    def __post_init__(self) -> None:
        names = [each.name for each in self._each]
        if doubles := sorted({name for name in names if names.count(name) > 1}):
            raise DefinitionError(f"several benchmarks are named {', '.join(doubles)}")

    def __getitem__(self, name: str) -> Benchmark:
        for each in self._each:
            if each.name == name:
                return each
        raise UnknownBenchmarkError("benchmark", name, list(self))

    def __iter__(self) -> Iterator[str]:
        return (each.name for each in self._each)

    def __len__(self) -> int:
        return len(self._each)

    def find(
        self,
        *,
        metric: Metric | str | None = None,
        industry: str | None = None,
        stage: Stage | AidaStage | str | None = None,
    ) -> Benchmarks:
        """Return the benchmarks that satisfy every condition.

        Args:
            metric: A metric, or its name or alias; of a KPI its other definitions count too.
            industry: Words in the industry; case does not matter.
            stage: A stage of either funnel.

        Raises:
            UnknownNameError: There is no such metric.
            DefinitionError: There is no such stage.
        """
        known = registry()
        name = None if metric is None else _metric_name(metric)
        staged = known if stage is None else known.find(stage=stage)
        return Benchmarks(
            tuple(
                each
                for each in self._each
                if (name is None or name in {each.metric, each.metric.partition(".")[0]})
                and (industry is None or industry.casefold() in each.industry.casefold())
                and (stage is None or each.metric in staged)
            )
        )

    def to_frame(self) -> pl.DataFrame:
        """Return one row per point, with the columns that `load_benchmarks` reads."""
        rows = [
            {
                **{name: getattr(each, name) for name in COLUMNS if hasattr(each, name)},
                "point": point,
                "value": float(value),
                "period_start": "" if each.period is None else each.period[0],
                "period_end": "" if each.period is None else each.period[1],
            }
            for each in self._each
            for point, value in each.points.items()
        ]
        types = {**dict.fromkeys(COLUMNS, pl.String), "value": pl.Float64, "n": pl.Int64}
        return pl.DataFrame(rows, schema=types)

    def _shown(self) -> Shown:
        known = registry()
        units = {name: known[name].unit for name in known}
        rows = [
            {
                "name": each.name,
                "metric": each.metric,
                "points": _points_text(each, units.get(each.metric, NUMBER)),
                "match": each.match,
                "publisher": each.publisher,
                "published": each.published,
            }
            for each in self._each
        ]
        keys = ["name", "metric", "points", "match", "publisher", "published"]
        return Shown(
            frame=pl.DataFrame(rows, schema=dict.fromkeys(keys, pl.String)),
            figures=[],
            keys=keys,
            notes=["`.to_frame()` has the population, the address and what to keep in mind"],
        )


def _points_text(benchmark: Benchmark, unit: Unit) -> str:
    return ", ".join(
        f"{point} {unit.format(value, currency=benchmark.currency)}"
        for point, value in benchmark.points.items()
    )


class UnknownBenchmarkError(UnknownNameError, KeyError):
    """As `UnknownNameError`; what a mapping lacks is a KeyError as well."""


def _metric_name(metric: Metric | str) -> str:
    return metric.name if isinstance(metric, Metric) else registry()[metric].name


def benchmarks() -> Benchmarks:
    """Return the published benchmarks that come with the library.

    Each names the definition of the catalogue that it is comparable with, the publisher, the
    address and the date. They are figures of other shops, of their time.

    Examples:
        >>> import funnelkit as fk
        >>> list(fk.benchmarks().find(metric="add_to_cart_rate"))
        ['littledata-2019-add-to-cart']
    """
    rows = _texts(_read(Path(__file__).with_name("benchmarks.csv")))
    parts = rows.partition_by("name", maintain_order=True)
    return Benchmarks(tuple(_benchmark(part.to_dicts()) for part in parts))


def load_benchmarks(source: str | Path | pl.DataFrame) -> Benchmarks:
    """Read benchmarks from a CSV file or a frame.

    Args:
        source: One row per point, with the columns of `Benchmarks.to_frame`: `name`, `metric`,
            `point`, `value`, `publisher` and `published` are needed. The rows of a name are one
            benchmark.

    Raises:
        DefinitionError: The rows are not benchmarks, or do not fit the metrics that they name;
            lists every problem.
        DataError: The file cannot be read.

    Examples:
        >>> import funnelkit as fk
        >>> mine = fk.benchmarks().find(metric="click_through_rate").to_frame()
        >>> list(fk.load_benchmarks(mine))
        ['wordstream-2020-search-ctr']
    """
    check_kind("source", source, (str, Path, pl.DataFrame), "give a CSV file or a frame")
    frame = source if isinstance(source, pl.DataFrame) else _read(Path(source))
    if lacking := [name for name in NEEDED if name not in frame.columns]:
        raise DefinitionError(
            f"benchmarks lack the columns {', '.join(lacking)}", f"columns: {', '.join(COLUMNS)}"
        )
    faults, found = list[str](), list[Benchmark]()
    for rows in _texts(frame).partition_by("name", maintain_order=True):
        try:
            benchmark = _benchmark(rows.to_dicts())
        except DefinitionError as error:
            faults.append(str(error))
        else:
            found.append(benchmark)
            faults += misfits(benchmark)
    if faults:
        raise DefinitionError("; ".join(faults))
    return Benchmarks(tuple(found))


def _read(file: Path) -> pl.DataFrame:
    try:
        return pl.read_csv(file, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{file} cannot be read as CSV: {why}") from None


def _texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the columns as trimmed text, with what stands for one that is absent or empty."""
    if unknown := [name for name in frame.columns if name not in COLUMNS]:
        raise DefinitionError(
            f"benchmarks have no columns {', '.join(map(repr, unknown))}",
            f"columns: {', '.join(COLUMNS)}",
        )
    given = frame.select(pl.all().cast(pl.String).str.strip_chars().fill_null(""))
    absent = [pl.lit("").alias(name) for name in COLUMNS if name not in frame.columns]
    match = pl.col("match").replace("", "close")
    return given.with_columns(absent).with_columns(match)


def _benchmark(rows: list[dict[str, str]]) -> Benchmark:
    """Return the benchmark that rows of one name are."""
    first = rows[0]
    faults = [
        f"{name} is both {first[name]!r} and {row[name]!r}"
        for row in rows[1:]
        for name in COLUMNS
        if name not in {"point", "value"} and row[name] != first[name]
    ]
    points = dict[str, float]()
    for row in rows:
        point, value = row["point"].casefold(), _number(row["value"])
        if point in points:
            faults.append(f"{point} is given twice")
        elif value is None:
            faults.append(f"{point}={row['value']!r} is not a number")
        else:
            points[point] = value
    number = _number(first["n"])
    if first["n"] and (number is None or number != int(number)):
        faults.append(f"n={first['n']!r} is not a whole number")
    if faults:
        raise DefinitionError(f"benchmark {first['name']!r}: {'; '.join(faults)}")
    has_period = first["period_start"] or first["period_end"]
    return Benchmark(
        name=first["name"],
        metric=first["metric"],
        points=points,
        match=cast(Match, first["match"].casefold()),
        definition=first["definition"],
        publisher=first["publisher"],
        url=first["url"],
        published=first["published"],
        geography=first["geography"],
        industry=first["industry"],
        population=first["population"],
        caution=first["caution"],
        period=(first["period_start"], first["period_end"]) if has_period else None,
        n=None if number is None else int(number),
        currency=first["currency"].upper(),
    )


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if is_finite(value) else None


def misfits(benchmark: Benchmark) -> list[str]:
    """Return how a benchmark does not fit the metric that it names."""
    if benchmark.fingerprint:
        return []
    where = f"benchmark {benchmark.name!r}"
    try:
        metric = registry()[benchmark.metric]
    except UnknownNameError as error:
        return [f"{where}: {error}"]
    faults = [
        f"{where}: {fault}"
        for point, value in benchmark.points.items()
        if (fault := _beyond(metric, point, value))
    ]
    if ("money", 1) in metric.unit.powers and not benchmark.currency:
        faults.append(f"{where}: {metric.name} is an amount: give its currency")
    return faults


def _beyond(metric: Metric, point: str, value: float) -> str:
    """Return how a point lies outside the bounds of its metric, if it does."""
    low, high = metric.bounds

    def fits(number: float) -> bool:
        return (low is None or number >= low) and (high is None or number <= high)

    if fits(value):
        return ""
    text = f"{point}={value:g} lies outside the bounds of {metric.name}, {low} to {high}"
    if metric.unit.display is Display.PERCENT and fits(value / 100):
        text += f": shares are fractions, write {value / 100:g}"
    return text

"""Sources of frames: Polars, Arrow-compatible objects, files and globs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import polars as pl

from funnelkit.data.text_columns import typed, typed_records
from funnelkit.data.text_files import SAMPLE, check_json_lines, check_lines, check_text, is_uneven
from funnelkit.errors import DataError, shortened
from funnelkit.formula.values import Column, Time

__all__ = ["FILE_TYPES", "Opened", "Source", "Stamp", "SupportsArrow", "open_source", "stamp_of"]


@runtime_checkable
class SupportsArrow(Protocol):
    """Anything with the Arrow PyCapsule interface: pandas, pyarrow, DuckDB relations."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the stream of record batches."""
        ...


Source = pl.DataFrame | pl.LazyFrame | SupportsArrow | str | Path


Stamp = tuple[tuple[str, int, int], ...]
"""Name, size and modification time of files."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A source that was opened.

    Attributes:
        frame: Its rows, lazy.
        schema: The names and types of its columns.
        rows: The number of rows, where it is known without reading.
        texts: The same rows as a file without types has them; without columns
            where the source has types.
        stamp: The files that it reads, as they were.
    """

    frame: pl.LazyFrame
    schema: pl.Schema
    rows: int | None = None
    texts: pl.LazyFrame = field(default_factory=pl.LazyFrame)
    stamp: Stamp = ()

    @property
    def is_text(self) -> bool:
        """Whether the types of its columns were found in texts."""
        return bool(self.texts.collect_schema())


Kinds = Callable[[str], Column | None]
"""How a column of a source is declared, by its name."""


SEPARATORS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".ndjson", ".jsonl")
TYPED: dict[str, Callable[[str], pl.LazyFrame]] = {
    ".parquet": pl.scan_parquet,
    ".ipc": pl.scan_ipc,
    ".arrow": pl.scan_ipc,
    ".feather": pl.scan_ipc,
}
FILE_TYPES = (".parquet", *SEPARATORS, *JSON_LINES, ".ipc", ".arrow", ".feather")
"""The extensions of files that can be bound."""


def open_source(source: Source, kind_of: Kinds) -> Opened:
    """Open a source lazily and read its schema; a text file is read once to find its types.

    Args:
        source: A frame, an Arrow-compatible object, a path or a glob.
        kind_of: How a column of that name is declared; None for others.

    Raises:
        DataError: It cannot be opened, or is not a supported source.
    """
    try:
        stamp = stamp_of(source)
        match source:
            case pl.LazyFrame():
                opened = Opened(source, source.collect_schema())
            case pl.DataFrame():
                opened = Opened(source.lazy(), source.schema, source.height)
            case str() | Path():
                opened = _open_file(source, kind_of)
            case _:
                eager = _from_arrow(source)
                opened = Opened(eager.lazy(), eager.schema, eager.height)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        remedy = (
            "check that it is complete and matches its file extension" if _is_path(source) else ""
        )
        raise DataError(f"{_place(source)} cannot be read ({_reason(error)})", remedy) from None
    if not opened.schema:
        raise DataError(f"{_place(source)} has no columns")
    return replace(opened, stamp=stamp)


def _open_file(given: str | Path, kind_of: Kinds) -> Opened:
    path, suffix = Path(given), Path(given).suffix.lower()
    if "://" in str(given):
        remedy = "open it lazily and pass the frame: pl.scan_parquet(…)"
        raise DataError(f"{_place(given)} is a URL, not a file", remedy)
    if suffix not in FILE_TYPES:
        raise DataError(
            f"{_place(given)} is not a supported file",
            "use a file or glob ending in " + ", ".join(FILE_TYPES),
        )
    found = _files(path)
    if not found:
        raise DataError(f"there is no file {_place(given)}")
    for file in found:
        if file.stat().st_size == 0:
            raise DataError(f"{_place(file)} is empty")
        if suffix not in TYPED:
            check_text(file, _place(file))
    if suffix in SEPARATORS:
        return _open_separated(given, SEPARATORS[suffix], found, kind_of)
    if suffix in JSON_LINES:
        try:
            return _open_json_lines(found, kind_of)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            for file in found:
                check_json_lines(file, _place(file))
            raise
    frame = TYPED[suffix](_literal(path))
    return Opened(frame, frame.collect_schema())


def _open_separated(
    given: str | Path, separator: str, files: Sequence[Path], kind_of: Kinds
) -> Opened:
    for file in files:
        check_lines(file, _place(file), separator)
        if file.stat().st_size > SAMPLE and is_uneven(file, separator):
            check_lines(file, _place(file), separator, whole=True)
    texts = pl.scan_csv(_literal(Path(given)), separator=separator, infer_schema=False)
    declared = {name: kind_of(name) for name in texts.collect_schema()}
    frame, texts = typed_records(texts, declared, _place(given))
    return Opened(frame, frame.collect_schema(), texts=texts)


def _open_json_lines(files: Sequence[Path], kind_of: Kinds) -> Opened:
    """Open files of which every line may have other keys: all of them are looked at."""
    parts = [_json_lines(file) for file in sorted(files)]
    frame = pl.concat(parts, how="diagonal_relaxed") if len(parts) > 1 else parts[0]
    times = {
        name: kind
        for name, found in frame.collect_schema().items()
        if isinstance(found, pl.String) and isinstance(kind := kind_of(name), Time)
    }
    frame = typed(frame, times) if times else frame
    return Opened(frame, frame.collect_schema())


def _json_lines(file: Path) -> pl.LazyFrame:
    path = _literal(file)
    schema = pl.scan_ndjson(path, infer_schema_length=None).collect_schema()
    return pl.scan_ndjson(path, schema=schema)


def stamp_of(source: object) -> Stamp:
    """Return name, size and modification time of each file of a source; empty for a frame.

    Of a lazy frame, the files that its plan names. Of more than two files, Polars names the
    first: all in its folder are looked at.
    """
    match source:
        case str() | Path():
            files = _files(Path(source))
        case pl.LazyFrame():
            files = _scanned(source)
        case _:
            files = []
    stats = [(file, file.stat()) for file in files if file.exists()]
    return tuple((str(file), stat.st_size, stat.st_mtime_ns) for file, stat in stats)


def _scanned(frame: pl.LazyFrame) -> list[Path]:
    try:
        plan = frame.explain(optimized=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return []
    files: set[Path] = set()
    for first, *others in (
        n.split(", ") for n in re.findall(r"SCAN \[(.*)\]$", plan, re.MULTILINE)
    ):
        files |= {Path(first), *map(Path, others)}
        if any(re.fullmatch(r"\.\.\. \d+ other sources", other) for other in others):
            files |= set(Path(first).parent.glob(f"*{Path(first).suffix}"))
    return sorted(file for file in files if file.is_file())


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return [file for file in path.rglob("*") if file.is_file()]
    if path.exists():
        return [path]
    anchor = Path(path.anchor) if path.is_absolute() else Path()
    pattern = str(path.relative_to(anchor))
    if not any(mark in pattern for mark in "*?["):
        return []
    try:
        return [file for file in anchor.glob(pattern) if file.is_file()]
    except ValueError as error:
        raise DataError(f"{_place(path)} is not a valid glob ({_reason(error)})") from None


def _literal(path: Path) -> str:
    """Return a path for Polars: brackets in the name of an existing file are escaped."""
    return re.sub(r"([\[\]*?])", r"[\1]", str(path)) if path.exists() else str(path)


def _from_arrow(source: object) -> pl.DataFrame:
    if isinstance(source, pl.Series) or not isinstance(source, SupportsArrow):
        raise DataError(
            f"a {type(source).__name__} is not a table",
            "pass a Polars frame (or pl.DataFrame(…) of it), a pandas or pyarrow table, or a path",
        )
    try:
        return pl.DataFrame(source)
    except (pl.exceptions.PolarsError, ImportError, TypeError, ValueError) as error:
        raise DataError(f"{_place(source)} cannot be read ({_reason(error)})") from None


def _is_path(source: object) -> bool:
    return isinstance(source, str | Path)


def _place(source: object) -> str:
    return repr(shortened(source, most=200)) if _is_path(source) else f"the {type(source).__name__}"


def _reason(error: BaseException) -> str:
    text = ", ".join(map(str, error.args)) if not isinstance(error, OSError) else str(error)
    return shortened((text.splitlines() or [type(error).__name__])[0], most=160)

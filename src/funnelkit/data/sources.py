"""Sources of frames: Polars, Arrow-compatible objects, files and globs."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import polars as pl

from funnelkit.errors import DataError, shortened

__all__ = ["FILE_TYPES", "Source", "Stamp", "SupportsArrow", "open_source", "stamp_of"]


@runtime_checkable
class SupportsArrow(Protocol):
    """Anything with the Arrow PyCapsule interface: pandas, pyarrow, DuckDB relations."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the stream of record batches."""
        ...


Source = pl.DataFrame | pl.LazyFrame | SupportsArrow | str | Path


SAMPLE = 1 << 16
"""How many bytes of a text file are checked before it is read."""


def _scan_csv(path: str, separator: str = ",") -> pl.LazyFrame:
    scan = pl.scan_csv(path, separator=separator, try_parse_dates=True, infer_schema_length=10_000)
    # where only some columns are read, Polars drops excess fields of a row: 1,234.50 becomes 1
    return scan.map_batches(_unchanged, slice_pushdown=True, streamable=True)


def _scan_tsv(path: str) -> pl.LazyFrame:
    return _scan_csv(path, "\t")


def _unchanged(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


FILE_TYPES: dict[str, Callable[[str], pl.LazyFrame]] = {
    ".parquet": pl.scan_parquet,
    ".csv": _scan_csv,
    ".tsv": _scan_tsv,
    ".ndjson": pl.scan_ndjson,
    ".jsonl": pl.scan_ndjson,
    ".ipc": pl.scan_ipc,
    ".arrow": pl.scan_ipc,
    ".feather": pl.scan_ipc,
}
_SEPARATED = (".csv", ".tsv")
_TEXTS = (*_SEPARATED, ".ndjson", ".jsonl")


def open_source(source: Source) -> tuple[pl.LazyFrame, pl.Schema, int | None]:
    """Open a source lazily and read its schema.

    Args:
        source: A frame, an Arrow-compatible object, a path or a glob.

    Returns:
        The lazy frame, its schema, and the number of rows where that is known.

    Raises:
        DataError: It cannot be opened, or is not a supported source.
    """
    rows: int | None = None
    try:
        match source:
            case pl.LazyFrame():
                frame = source
            case pl.DataFrame():
                frame, rows = source.lazy(), source.height
            case str() | Path():
                frame = _open_file(source)
            case _:
                eager = _from_arrow(source)
                frame, rows = eager.lazy(), eager.height
        schema = frame.collect_schema()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        remedy = (
            "check that it is complete and matches its file extension" if _is_path(source) else ""
        )
        raise DataError(f"{_place(source)} cannot be read ({_reason(error)})", remedy) from None
    if not schema:
        raise DataError(f"{_place(source)} has no columns")
    return frame, schema, rows


def _open_file(given: str | Path) -> pl.LazyFrame:
    path, suffix = Path(given), Path(given).suffix.lower()
    if "://" in str(given):
        remedy = "open it lazily and pass the frame: pl.scan_parquet(…)"
        raise DataError(f"{_place(given)} is a URL, not a file", remedy)
    scan = FILE_TYPES.get(suffix)
    if scan is None:
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
        if suffix in _TEXTS:
            _check_text(file)
    frame = scan(_literal(path))
    return _checked_header(given, frame) if suffix in _SEPARATED else frame


Stamp = tuple[tuple[str, int, int], ...]
"""Name, size and modification time of files."""


def stamp_of(source: object) -> Stamp:
    """Return name, size and modification time of each file of a source; empty for a frame."""
    if not _is_path(source):
        return ()
    stats = [(file, file.stat()) for file in _files(Path(str(source))) if file.exists()]
    return tuple((str(file), stat.st_size, stat.st_mtime_ns) for file, stat in stats)


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


def _check_text(file: Path) -> None:
    """Raise if a file does not begin with UTF-8 text."""
    with file.open("rb") as opened:
        start = opened.read(SAMPLE)
    if b"\0" in start:
        raise DataError(
            f"{_place(file)} is not UTF-8 text: it has a zero byte at {start.index(0):,}",
            "correct the file extension, or save it as UTF-8",
        )
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{_place(file)} is not UTF-8 text: "
            f"it has byte 0x{start[error.start]:02x} at {error.start:,}",
            "save it as UTF-8, or read it yourself: pl.read_csv(…, encoding='windows-1252')",
        ) from None


def _checked_header(given: str | Path, frame: pl.LazyFrame) -> pl.LazyFrame:
    """Raise if a header is clearly wrong; without rows, the types are unknown."""
    schema = frame.collect_schema()
    names = schema.names()
    if len(names) == 1 and (mark := re.search("[;\t,]", names[0])):
        raise DataError(
            f"{_place(given)} has one column, {shortened(names[0])!r}",
            f"read it yourself: pl.read_csv(…, separator={mark.group()!r})",
        )
    for name in names:
        twice = re.fullmatch(r"(.*)_duplicated_\d+", name, re.DOTALL)
        if twice and twice.group(1) in schema:
            raise DataError(f"{_place(given)} has two columns {twice.group(1)!r}", "rename one")
    if set(schema.dtypes()) == {pl.String()} and frame.head(1).collect().is_empty():
        return pl.LazyFrame(schema=dict.fromkeys(names, pl.Null))
    return frame


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

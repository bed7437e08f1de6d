"""Where frames come from: Polars, anything that speaks Arrow, files and globs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import polars as pl

from funnelkit.errors import DataError

__all__ = ["FILE_TYPES", "Source", "SupportsArrow", "open_source"]


@runtime_checkable
class SupportsArrow(Protocol):
    """Anything with the Arrow PyCapsule interface: pandas, pyarrow, DuckDB relations."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Give the stream of record batches."""
        ...


Source = pl.DataFrame | pl.LazyFrame | SupportsArrow | str | Path


def _scan_csv(path: Path) -> pl.LazyFrame:
    return pl.scan_csv(path, try_parse_dates=True)


def _scan_tsv(path: Path) -> pl.LazyFrame:
    return pl.scan_csv(path, try_parse_dates=True, separator="\t")


FILE_TYPES: dict[str, Callable[[Path], pl.LazyFrame]] = {
    ".parquet": pl.scan_parquet,
    ".csv": _scan_csv,
    ".tsv": _scan_tsv,
    ".ndjson": pl.scan_ndjson,
    ".jsonl": pl.scan_ndjson,
    ".ipc": pl.scan_ipc,
    ".arrow": pl.scan_ipc,
    ".feather": pl.scan_ipc,
}


def open_source(name: str, source: Source) -> tuple[pl.LazyFrame, pl.Schema, int | None]:
    """Open a source lazily and read its schema.

    Args:
        name: The table that it is bound to, for messages.
        source: A frame, something that speaks Arrow, a path or a glob.

    Returns:
        The lazy frame, its schema, and the number of rows where that is known.

    Raises:
        DataError: It cannot be opened, or is none of these.
    """
    rows: int | None = None
    match source:
        case pl.LazyFrame():
            frame = source
        case pl.DataFrame():
            frame, rows = source.lazy(), source.height
        case str() | Path():
            frame = _open_file(name, Path(source))
        case _:
            eager = _from_arrow(name, source)
            frame, rows = eager.lazy(), eager.height
    try:
        schema = frame.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{name}: {_place(source)} cannot be read ({_reason(error)})") from None
    if not schema:
        raise DataError(f"{name}: {_place(source)} has no columns")
    return frame, schema, rows


def _open_file(name: str, path: Path) -> pl.LazyFrame:
    scan = FILE_TYPES.get(path.suffix.lower())
    if scan is None:
        raise DataError(
            f"{name}: {str(path)!r} is no file that can be read",
            "use a file or glob ending in " + ", ".join(FILE_TYPES),
        )
    found = _files(path)
    if not found:
        raise DataError(f"{name}: there is no file {str(path)!r}")
    if any(file.is_file() and file.stat().st_size == 0 for file in found):
        raise DataError(f"{name}: {str(path)!r} is empty")
    return scan(path)


def _files(path: Path) -> list[Path]:
    if path.exists():
        return [path]
    anchor = Path(path.anchor) if path.is_absolute() else Path()
    pattern = str(path.relative_to(anchor))
    return list(anchor.glob(pattern)) if any(mark in pattern for mark in "*?[") else []


def _from_arrow(name: str, source: object) -> pl.DataFrame:
    if not isinstance(source, SupportsArrow):
        raise DataError(
            f"{name}: a {type(source).__name__} is no table",
            "give a Polars frame, a pandas or pyarrow table, or a path",
        )
    try:
        return pl.DataFrame(source)
    except (pl.exceptions.PolarsError, ImportError, TypeError, ValueError) as error:
        raise DataError(
            f"{name}: the {type(source).__name__} cannot be read ({_reason(error)})"
        ) from None


def _place(source: Source) -> str:
    return repr(str(source)) if isinstance(source, str | Path) else f"the {type(source).__name__}"


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]

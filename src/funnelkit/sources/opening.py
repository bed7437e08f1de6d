"""Files of exports: which they are, whether they are whole, and their rows as texts."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from funnelkit.data.sources import Source
from funnelkit.data.text_files import check_lines, check_text
from funnelkit.errors import ContractError, DataError, DataIssue, shortened

__all__ = ["Opened", "files_by_table", "files_of", "opened", "place_of"]


def place_of(source: Source) -> str:
    """Return what a source is called in messages: the name of a file, or the type of a frame."""
    return Path(source).name if isinstance(source, str | Path) else f"the {type(source).__name__}"


def files_by_table(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """Return the file of each table: its name ends with that of the table.

    Raises:
        ContractError: A table has several files.
    """
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    known = [file for file in files if file.suffix.lower() in (".csv", ".parquet")]
    found = {name: [f for f in known if f.stem.lower().endswith(name)] for name in names}
    remedy = "leave one of them in the folder, or put them together"
    faults = [
        DataIssue(
            place_of(folder), "", f"has {name} in {' and '.join(f.name for f in its)}", remedy
        )
        for name, its in found.items()
        if len(its) > 1
    ]
    if faults:
        raise ContractError(faults)
    return {name: its[0] for name, its in found.items() if its}


@dataclass(frozen=True, slots=True)
class Opened:
    """The rows of a source, lazily.

    Attributes:
        rows: The rows; of text files, texts.
        typed: The same, of text files, with columns of the types that were asked for. Collecting
            it fails where a text is no such value.
    """

    rows: pl.LazyFrame
    typed: pl.LazyFrame | None = None


def opened(
    source: Source, nulls: Sequence[str], place: str, types: Mapping[str, pl.DataType]
) -> Opened:
    """Return the rows of a source.

    Args:
        source: A frame, or a file, or a folder or glob of files.
        nulls: Texts of files that stand for no value.
        place: What it is called in messages.
        types: Columns of text files that are first tried to be read as these types.

    Raises:
        DataError: A file is lacking, empty or no table, or ends within a row.
    """
    match source:
        case pl.LazyFrame():
            return Opened(source)
        case pl.DataFrame():
            return Opened(source.lazy())
        case str() | Path():
            return _opened_files(files_of(Path(source), "*.csv"), nulls, place, types)
        case _:
            return Opened(pl.DataFrame(source).lazy())


def files_of(path: Path, pattern: str) -> list[Path]:
    """Return the files of a path, a folder or a glob.

    Args:
        path: The path.
        pattern: Which files of a folder are meant.

    Raises:
        DataError: There is none.
    """
    if path.is_dir():
        found = sorted(path.glob(pattern))
    elif path.exists():
        found = [path]
    else:
        found = sorted(path.parent.glob(path.name)) if path.name else []
    if not found:
        raise DataError(f"there is no file {shortened(str(path), most=200)!r}")
    return found


def _opened_files(
    files: Sequence[Path], nulls: Sequence[str], place: str, types: Mapping[str, pl.DataType]
) -> Opened:
    if files[0].suffix.lower() == ".parquet":
        return Opened(pl.scan_parquet(list(files)))
    for file in files:
        if file.stat().st_size == 0:
            raise DataError(f"{place} is empty")
        check_text(file, repr(file.name))
        _check_end(file)
        check_lines(file, repr(file.name), ",")
    return Opened(_scanned(files, nulls, {}), _scanned(files, nulls, types))


def _scanned(
    files: Sequence[Path], nulls: Sequence[str], types: Mapping[str, pl.DataType]
) -> pl.LazyFrame:
    known = ["", *nulls]
    parts = [
        pl.scan_csv(file, infer_schema=False, schema_overrides=types, null_values=known)
        for file in files
    ]
    return pl.concat(parts, how="diagonal") if len(parts) > 1 else parts[0]


TAIL = 1 << 16


def _check_end(file: Path) -> None:
    """Raise if the last line has fewer fields than the header, as in a download that broke off."""
    with file.open("rb") as opened:
        head = opened.readline(TAIL)
        opened.seek(max(0, file.stat().st_size - TAIL))
        tail = opened.read()
    if tail.endswith(b"\n") or b"\n" not in tail:
        return
    last = tail.rsplit(b"\n", 1)[1]
    columns, fields = _width(head), _width(last)
    if fields < columns:
        raise DataError(
            f"{file.name!r} ends within a row: its last line has {fields} fields of {columns}, "
            f"{shortened(last.decode('utf-8', 'replace'))!r}",
            "download it again",
        )


def _width(line: bytes) -> int:
    """Return how many fields a line has."""
    return sum(len(row) for row in csv.reader([line.decode("utf-8", "replace")]))

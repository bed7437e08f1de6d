"""Text files as they are before they are read: their encoding, their first lines."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from io import StringIO
from pathlib import Path

from funnelkit.errors import DataError, shortened

__all__ = ["check_lines", "check_text"]

SAMPLE = 1 << 16
"""How many bytes of a text file are checked before it is read."""


def check_text(file: Path, place: str) -> None:
    """Raise if a file does not begin with UTF-8 text."""
    with file.open("rb") as opened:
        start = opened.read(SAMPLE)
    if b"\0" in start:
        raise DataError(
            f"{place} is not UTF-8 text: it has a zero byte at {start.index(0):,}",
            "correct the file extension, or save it as UTF-8",
        )
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{place} is not UTF-8 text: it has byte 0x{start[error.start]:02x} at {error.start:,}",
            "save it as UTF-8, or read it yourself: pl.read_csv(…, encoding='windows-1252')",
        ) from None


def check_lines(file: Path, place: str, separator: str) -> None:
    """Raise if the first lines of a separated file are not a header and rows of as many fields."""
    with file.open("rb") as opened:
        start = opened.read(SAMPLE)
    text = codecs.getincrementaldecoder("utf-8-sig")().decode(start)
    try:
        lines = list(csv.reader(StringIO(text, newline=""), delimiter=separator))
    except csv.Error:
        return
    if len(start) == SAMPLE:
        lines.pop()
    filled = [(number, line) for number, line in enumerate(lines, 1) if any(map(str.strip, line))]
    if filled:
        (_, header), *rows = filled
        _check_separator(header, rows, place)
        _check_header(header, rows, place)
        _check_widths(header, rows, place, separator)


Rows = list[tuple[int, list[str]]]


def _check_separator(header: list[str], rows: Rows, place: str) -> None:
    other = re.search("[;\t,|]", header[0])
    if len(header) > 1 or not other:
        return
    mark, lines = other.group(), [",".join(row) for _, row in rows]
    if lines and not any(line.count(mark) == header[0].count(mark) for line in lines):
        return
    has_commas = mark == ";" and any(re.search(r"\d,\d", line) for line in lines)
    more = ", decimal_comma=True" if has_commas else ""
    raise DataError(
        f"{place} has one column, {shortened(header[0])!r}",
        f"read it yourself: pl.read_csv(…, separator={mark!r}{more})",
    )


def _check_header(header: list[str], rows: Rows, place: str) -> None:
    names = [name for name in header if name.strip()]
    wider = ((at, row) for at, row in rows if len(list(filter(None, row))) >= 2 * len(names))
    at, real = next(wider, (0, [""]))
    if all(map(_is_name, real)):
        first = shortened(names[0])
        way = "comment_prefix='#'" if first.startswith("#") else f"skip_rows={at - 1}"
        raise DataError(
            f"{place} has lines before its header, such as {first!r}",
            f"remove them, or read it yourself: pl.read_csv(…, {way})",
        )
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise DataError(f"{place} has two columns {twice[0]!r}", "rename one")


def _is_name(text: str) -> bool:
    return bool(re.search(r"[^\W\d]", text))


def _check_widths(header: list[str], rows: Rows, place: str, separator: str) -> None:
    for number, row in rows:
        if len(row) > len(header):
            raise DataError(
                f"{place} has {len(row)} fields in line {number:,}, and {len(header)} columns: "
                f"{shortened(separator.join(row))!r}",
                "quote values that hold the separator, as in '\"1,234.50\"'",
            )

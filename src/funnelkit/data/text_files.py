"""Text files as they are before they are read: their encoding, their first lines."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections import Counter
from io import StringIO
from pathlib import Path

import polars as pl

from funnelkit.data.text_columns import REMARK, TOTAL_ROW
from funnelkit.errors import DataError, shortened

__all__ = ["SAMPLE", "check_json_lines", "check_lines", "check_text", "is_uneven"]

SAMPLE = 1 << 16
"""How many bytes of a text file are checked before it is read."""


def check_text(file: Path, place: str) -> None:
    """Raise if a file does not begin with UTF-8 text."""
    with file.open("rb") as opened:
        start = opened.read(SAMPLE)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(
            f"{place} is UTF-16 text, as some spreadsheets write it",
            "save it as UTF-8, or read it yourself: pl.read_csv(…, encoding='utf-16')",
        )
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


def is_uneven(file: Path, separator: str) -> bool:
    """Return whether a line seems to have more or fewer fields than the first one.

    Quoted fields are left out where they begin and end in one line, so that a file that is
    even is known to be so at little cost.
    """
    mark = "\x1f"
    lines = pl.scan_csv(
        file, has_header=False, separator=mark, quote_char=None, infer_schema=False,
        new_columns=["line"], truncate_ragged_lines=True, glob=False, encoding="utf8-lossy",
    )  # fmt: skip
    line = pl.col("line")
    bare = pl.when(line.str.contains('"', literal=True)).then(line.str.replace_all('"[^"]*"', ""))
    marks = pl.coalesce(bare, line).str.count_matches(separator, literal=True)
    filled = lines.filter(line.str.strip_chars() != "")
    found = filled.select(least=marks.min(), most=marks.max()).collect(engine="streaming")
    return bool(found.item(0, "least") != found.item(0, "most"))


def check_lines(file: Path, place: str, separator: str, *, whole: bool = False) -> None:
    """Raise if the lines of a separated file are not a header and rows of as many fields.

    Args:
        file: The file.
        place: The file, for errors.
        separator: What parts the fields.
        whole: Whether all of its lines are looked at, and not only the first.
    """
    with file.open("rb") as opened:
        start = opened.read() if whole else opened.read(SAMPLE)
    text = codecs.getincrementaldecoder("utf-8-sig")("replace").decode(start)
    _check_first_line(text, place)
    try:
        lines = list(csv.reader(StringIO(text, newline=""), delimiter=separator))
    except csv.Error:
        return
    if len(start) == SAMPLE and not whole:
        lines.pop()
    filled = [(number, line) for number, line in enumerate(lines, 1) if any(map(str.strip, line))]
    if filled:
        (_, header), *rows = filled
        _check_separator(header, rows, place)
        _check_header(header, rows, place)
        _check_widths(header, rows, place, separator)


def check_json_lines(file: Path, place: str) -> None:
    """Raise if a file does not have one JSON object in every line; names the first other line."""
    start, *_ = (line for line in file.read_text("utf-8", "replace").splitlines() if line.strip())
    if start.startswith("\ufeff"):
        raise DataError(
            f"{place} begins with a byte order mark",
            "save it without, or read it yourself: "
            "pl.read_ndjson(Path(…).read_text('utf-8-sig').encode())",
        )
    if start.lstrip().startswith("["):
        raise DataError(
            f"{place} is one JSON array, not an object in every line",
            "read it yourself: pl.read_json(…)",
        )
    with file.open(encoding="utf-8", errors="replace") as opened:
        for number, line in enumerate(opened, 1):
            if problem := _json_fault(line):
                told = f"{place} has {problem[0]} in line {number:,}: {shortened(line.strip())!r}"
                raise DataError(told, problem[1])


def _json_fault(line: str) -> tuple[str, str] | None:
    """Return what is wrong with a line of JSON, and what to do."""
    constants: list[str] = []
    found: object
    try:
        found = json.loads(line, parse_constant=constants.append) if line.strip() else {}
    except json.JSONDecodeError:
        return "no JSON object", "write every object in one line of its own, whole"
    if constants:
        return f"{constants[0]}, which is no JSON,", "write null instead"
    if not isinstance(found, dict):
        return "no JSON object", "write every row as an object, with the names of its columns"
    return None


def _check_first_line(text: str, place: str) -> None:
    if "\r" in text and "\n" not in text:
        raise DataError(
            f"{place} ends its lines with a carriage return alone, as old spreadsheets do",
            "save it with line feeds, or read it yourself: pl.read_csv(…, eol_char='\\r')",
        )
    first, _, rest = text.partition("\n")
    if found := re.fullmatch(r'"?sep=(\\t|.)"?\s*', first, re.IGNORECASE):
        mark, more = found.group(1), _decimal_comma(found.group(1), rest.splitlines())
        raise DataError(
            f"{place} begins with the line {first.strip()!r}, which is meant for spreadsheets",
            f"read it yourself: pl.read_csv(…, skip_rows=1, separator={mark!r}{more})",
        )


def _decimal_comma(separator: str, lines: list[str]) -> str:
    has_commas = separator == ";" and any(re.search(r"\d,\d", line) for line in lines)
    return ", decimal_comma=True" if has_commas else ""


Rows = list[tuple[int, list[str]]]


def _check_separator(header: list[str], rows: Rows, place: str) -> None:
    other = re.search("[;\t,|]", header[0])
    if len(header) > 1 or not other:
        return
    mark, lines = other.group(), [",".join(row) for _, row in rows]
    if lines and not any(line.count(mark) == header[0].count(mark) for line in lines):
        return
    more = _decimal_comma(mark, lines)
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
        if len(row) < len(header) and not _is_told_later(row):
            raise DataError(
                f"{place} has {len(row)} fields in line {number:,}, and {len(header)} columns: "
                f"{shortened(separator.join(row))!r}",
                "complete the line: it may have been cut off",
            )


def _is_told_later(row: list[str]) -> bool:
    """Return whether a short line is known to be no row: a comment, or a total."""
    is_remark = len(row) == 1 and re.search(REMARK, row[0])
    return bool(is_remark or re.search(TOTAL_ROW, row[0]))

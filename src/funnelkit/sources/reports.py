"""Reports as platforms write them: preambles, totals, separators, encodings; campaigns by day."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import polars as pl

from funnelkit.data.sources import Source
from funnelkit.errors import DataError, DataIssue
from funnelkit.shop.description import Topic
from funnelkit.shop.settings import Settings
from funnelkit.shop.shop import Shop
from funnelkit.sources.opening import files_of, place_of
from funnelkit.sources.reading import Export, Kind, Layout, Prepared, Reader, with_currency

__all__ = ["campaigns", "read_report", "shop_of_report", "spellings", "without_total"]

_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CODE = re.compile(r"\((\w{3})\)$")
_TOTAL = ("total", "grand total", "totals")


def read_report(
    reader: Reader, source: Source, layout: Layout, *, names: Mapping[str, str] | None = None
) -> Export:
    """Return the rows of a report; faults are collected.

    Lines above the header, comments and totals are left out, and noted.

    Args:
        reader: What collects faults and notes.
        source: The file, or a frame of it.
        layout: Its columns.
        names: Other names of columns, as regular expressions: by each, the one in the layout.
    """
    place = place_of(source)
    known = spellings(layout, names or {})
    if not isinstance(source, str | Path):
        frame = source.collect() if isinstance(source, pl.LazyFrame) else pl.DataFrame(source)
        renamed = _renamed(frame.columns, known)
        frame = _with_code(frame.rename(renamed), layout, renamed)
        return _with_headers(reader.typed(frame.lazy(), layout, place), layout, renamed)
    try:
        files = files_of(Path(source), "*.csv")
        tables = [_table(file, layout, known) for file in files]
    except (DataError, OSError) as error:
        problem = error.problem if isinstance(error, DataError) else f"cannot be read ({error})"
        remedy = getattr(error, "remedy", "") or "download the report again, as CSV"
        reader.faults.append(DataIssue(place, "", problem, remedy))
        return reader.typed(
            pl.LazyFrame(schema=dict.fromkeys(layout.required, pl.String)), layout, place
        )
    if left := sum(table.others for table in tables):
        reader.note(Topic.IGNORED, place, f"{left:,} lines above the header, totals and comments")
    frame = pl.concat([table.rows for table in tables], how="diagonal")
    lines: list[int | str] = [*tables[0].lines]
    if len(tables) > 1:
        named = zip(files, tables, strict=True)
        lines = [f"{line:,} of {file.name!r}" for file, table in named for line in table.lines]
    reader.faults.extend(_repeated(frame, layout, place, lines))
    export = reader.typed(frame.lazy(), layout, place, lines=lines)
    return _with_headers(export, layout, tables[0].renamed)


def spellings(layout: Layout, names: Mapping[str, str]) -> dict[str, str]:
    """Return how headers are written, as regular expressions: by each, the name in the layout."""
    return {**{re.escape(name): name for name in layout.fields}, **names}


def _repeated(
    frame: pl.DataFrame, layout: Layout, place: str, lines: Sequence[int | str]
) -> list[DataIssue]:
    """Return the fault that rows with an amount are there twice, as in files that overlap."""
    kinds = {name: layout.fields[name][1] for name in frame.columns if name in layout.fields}
    amounts = [pl.col(n).str.contains("[1-9]") for n, kind in kinds.items() if kind is Kind.GROUPED]
    rows = frame.select(cells=pl.struct(pl.all()), some=pl.any_horizontal(pl.lit(False), *amounts))
    rows = rows.with_row_index("at").filter("some")
    again = rows.with_columns(first=pl.col("at").first().over("cells")).filter(
        pl.col("at") != pl.col("first")
    )
    if again.is_empty():
        return []
    at, first = again.select("at", "first").row(0)
    more = f", and in {again.height - 1:,} more rows" if again.height > 1 else ""
    problem = f"row {lines[at]} is row {lines[first]} again{more}, and both would be added"
    remedy = "export periods that do not overlap, with every column that tells rows apart"
    return [DataIssue(place, "", problem, remedy)]


def _with_code(frame: pl.DataFrame, layout: Layout, renamed: Mapping[str, str]) -> pl.DataFrame:
    """Return rows with the currency that a header names, unless they have their own."""
    names = [name for name, (to, _) in layout.fields.items() if to == "currency"]
    codes = [found.group(1).upper() for found in map(_CODE.search, renamed) if found]
    if not codes or names[0] in frame.columns:
        return frame
    return frame.with_columns(pl.lit(codes[0]).alias(names[0]))


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows of one file, their lines, the number of other lines, and how it was renamed."""

    rows: pl.DataFrame
    lines: Sequence[int]
    others: int
    renamed: Mapping[str, str]


def _with_headers(export: Export, layout: Layout, renamed: Mapping[str, str]) -> Export:
    own = {layout.fields[name][0]: header for header, name in renamed.items()}
    return replace(export, headers={**export.headers, **own})


def _renamed(found: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """Return what is renamed: the first of the other names, where the name itself is not there."""
    renamed: dict[str, str] = {}
    for other, name in names.items():
        for header in found:
            is_free = name not in found and name not in renamed.values()
            if is_free and re.fullmatch(other, header.strip(), re.IGNORECASE):
                renamed[header] = name
    return renamed


def _table(file: Path, layout: Layout, names: Mapping[str, str]) -> _Table:
    """Return the rows of a report."""
    text = _decoded(file)
    tables = [_rows(text, separator) for separator in ",\t;"]
    rows, at = max(
        ((rows, _header(rows, layout, names)) for rows in tables),
        key=lambda found: _score(found[0], found[1], layout, names),
    )
    if not rows:
        raise DataError(f"{file.name!r} is empty")
    header = [name.strip() for name in rows[at][1]]
    renamed = _renamed(header, names)
    columns = [renamed.get(name, name) for name in header]
    if twice := {name for name in columns if name and columns.count(name) > 1}:
        raise DataError(f"{file.name!r} has two columns {min(twice)!r}", "remove one")
    body = _body(file, rows[at + 1 :], rows[at][1], _places(columns, layout, "date"))
    kept = [place for place, name in enumerate(columns) if name]
    data = {columns[place]: [row[place] for _, row in body] for place in kept}
    frame = pl.DataFrame(data, schema=dict.fromkeys(data, pl.String()))
    frame = _with_code(frame, layout, renamed)
    others = sum(any(row) for _, row in rows) - len(body) - 1
    return _Table(frame, [line for line, _ in body], others, renamed)


def _places(columns: Sequence[str], layout: Layout, target: str) -> list[int]:
    """Return where the columns are that are read as a column."""
    fields = layout.fields
    return [at for at, name in enumerate(columns) if name in fields and fields[name][0] == target]


def _body(
    file: Path, rows: Sequence[tuple[int, list[str]]], header: Sequence[str], days: Sequence[int]
) -> list[tuple[int, list[str]]]:
    """Return the rows below a header, with their lines, up to a comment or another table.

    Args:
        file: The file.
        rows: The rows.
        header: The header, which may be there again.
        days: Where in a row the day is.

    Raises:
        DataError: A row has more or fewer fields than the header.
    """
    body: list[tuple[int, list[str]]] = []
    is_after_blank = False
    for line, row in rows:
        is_blank, is_comment = not any(row), _is_comment(row)
        is_other = is_after_blank and len(row) != len(header)
        if body and not is_blank and (is_comment or (is_other and not _is_total(row, days))):
            break
        is_after_blank = is_blank
        if is_blank or is_comment or row == header or _is_total(row, days):
            continue
        if len(row) < len(header) or any(row[len(header) :]):
            problem = f"row {line:,} of {file.name!r} has {len(row)} fields of {len(header)}"
            raise DataError(problem, "write numbers that have commas in quotation marks")
        body.append((line, row))
    return body


def _is_comment(row: Sequence[str]) -> bool:
    return any(row) and row[0].startswith("#") and not any(row[1:])


def _decoded(file: Path) -> str:
    data = file.read_bytes()
    encoding = "utf-16" if data.startswith(_MARKS) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"{file.name!r} is not UTF-8 text ({error.reason})") from None


def _rows(text: str, separator: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator)
    try:
        return [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise DataError(f"cannot be read as CSV ({error})") from None


def _header(rows: Sequence[tuple[int, list[str]]], layout: Layout, names: Mapping[str, str]) -> int:
    """Return which of the rows names the most columns; the first of them."""
    scores = [_score(rows, at, layout, names) for at in range(min(len(rows), 50))]
    return scores.index(max(scores)) if scores else 0


def _score(
    rows: Sequence[tuple[int, list[str]]], at: int, layout: Layout, names: Mapping[str, str]
) -> int:
    if not rows:
        return 0
    cells = [cell for cell in rows[at][1] if cell]
    renamed = _renamed(cells, names)
    return len({renamed.get(cell, cell) for cell in cells} & layout.fields.keys())


def _is_total(row: Sequence[str], days: Sequence[int]) -> bool:
    """Return whether a row adds up others: it is called so, and has no day."""
    if any(row[at][:1].isdigit() for at in days if at < len(row)):
        return False
    cells = [cell.lower() for cell in row if cell]
    is_named = cells[0].startswith(("total:", "total of ", "total -"))
    return is_named or cells[0] in _TOTAL or "grand total" in cells


AMOUNTS = ("impressions", "clicks", "spend", "conversions", "conversion_value")


def shop_of_report(
    report: Source, layout: Layout, *, names: Mapping[str, str], platform: str, settings: Settings
) -> Shop:
    """Return the shop in a report of campaigns by day that has a column of the currency.

    Args:
        report: The file, a folder or glob of files, or a frame of it.
        layout: Its columns.
        names: Other names of these columns, as for `read_report`.
        platform: The advertising platform.
        settings: As for `Shop`.

    Raises:
        ContractError: Lists every fault of the report.
    """
    reader = Reader()
    export = read_report(reader, report, layout, names=names)
    currency = export.rows.get_column("currency")
    return campaigns(reader, export, platform).shop(with_currency(settings, currency))


def campaigns(reader: Reader, export: Export, platform: str) -> Prepared:
    """Return the table of campaigns by day: rows of ads, devices or groups are added up.

    Args:
        reader: What read the report.
        export: Its rows, with the columns of the table; `campaign_name` is its campaign.
        platform: The advertising platform.
    """
    reader.settle()
    rows = without_total(reader, export, "campaign_name", "spend")
    dated = pl.col("campaign_name").is_not_null() & pl.col("date").is_null()
    remedy = "export the report by day"
    reader.faults.extend(export.issue("date", dated, "is the day of a campaign", remedy))
    remedy = "export it in English, with a point before decimals"
    for name in filter(export.present.__contains__, ("impressions", "clicks", "reach")):
        bad = pl.col(name) != pl.col(name).floor()
        reader.faults.extend(export.issue(name, bad, "is not a whole number", remedy))
    keys, campaign = ("date", "campaign_id"), pl.col("campaign_name")
    if "campaign_id" in export.present:
        rounded = pl.col("campaign_id").str.contains(_ROUNDED)
        remedy = "download it again: a spreadsheet has rounded the ids"
        reader.faults.extend(export.issue("campaign_id", rounded, "is no id", remedy))
        campaign = pl.coalesce("campaign_id", campaign)
    rows = rows.with_columns(campaign_id=campaign)
    amounts = [name for name in AMOUNTS if name in export.present]
    words = [name for name in ("campaign_name", "currency") if name in export.present]
    summed = rows.group_by(keys, maintain_order=True).agg(
        *(pl.when(pl.col(n).count() > 0).then(pl.col(n).sum()).alias(n) for n in amounts),
        *(pl.col(name).first() for name in words),
        *([_REACH] if "reach" in export.present else []),
    )
    if summed.height < rows.height:
        text = f"{rows.height:,} rows are added up to {summed.height:,} of a campaign on a day"
        reader.note(Topic.ASSUMED, export.place, text)
    if "currency" in words and rows.get_column("currency").n_unique() > 1:
        bad = pl.col("currency").n_unique().over("date", campaign) > 1
        problem = "is one of several of a campaign on a day"
        reader.faults.extend(export.issue("currency", bad, problem, "export each currency apart"))
    frame = summed.with_columns(platform=pl.lit(platform), is_paid=pl.lit(value=True))
    return reader.prepared({"campaign_performance": frame})


_ROUNDED = r"(?i)^\d([.,]\d+)?E\+\d+$"
_REACH = pl.when(pl.len() == 1).then(pl.col("reach").first()).alias("reach")


def without_total(reader: Reader, export: Export, key: str, amount: str) -> pl.DataFrame:
    """Return the rows that have a key; one that has none must be the total of the others.

    Args:
        reader: What read the report.
        export: Its rows.
        key: The column that every row but the total has.
        amount: What is added up.
    """
    is_total = pl.col(key).is_null()
    rows, totals = export.rows.filter(~is_total), export.rows.filter(is_total)
    added, total = (float(frame.get_column(amount).sum()) for frame in (rows, totals))
    name = export.headers.get(key, key)
    if totals.height and abs(added - total) > 0.005 * max(abs(added), 1):
        problem = f"has no {name}, and is not the total of the others, {added:,.2f}"
        reader.faults.extend(export.issue(amount, is_total, problem, f"export it with {name}"))
    elif totals.height:
        reader.note(Topic.IGNORED, export.place, f"a row without {name}, the total of the others")
    return rows

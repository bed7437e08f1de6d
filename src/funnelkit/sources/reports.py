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
from funnelkit.sources.reading import Export, Layout, Prepared, Reader, with_currency

__all__ = ["campaigns", "read_report", "shop_of_report", "without_total"]

_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
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
    if not isinstance(source, str | Path):
        frame = source.collect() if isinstance(source, pl.LazyFrame) else pl.DataFrame(source)
        renamed = _renamed(frame.columns, names or {})
        export = reader.typed(frame.rename(renamed).lazy(), layout, place)
        return _with_headers(export, layout, renamed)
    try:
        files = files_of(Path(source), "*.csv")
        tables = [_table(file, layout, names or {}) for file in files]
    except (DataError, OSError) as error:
        problem = error.problem if isinstance(error, DataError) else f"cannot be read ({error})"
        reader.faults.append(DataIssue(place, "", problem, "download the report again, as CSV"))
        return reader.typed(
            pl.LazyFrame(schema=dict.fromkeys(layout.required, pl.String)), layout, place
        )
    if left := sum(table.others for table in tables):
        reader.note(Topic.IGNORED, place, f"{left:,} lines above the header, totals and comments")
    frame = pl.concat([table.rows for table in tables], how="diagonal")
    lines = tables[0].lines if len(tables) == 1 else None
    export = reader.typed(frame.lazy(), layout, place, lines=lines)
    return _with_headers(export, layout, tables[0].renamed)


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
            if is_free and re.fullmatch(other, header):
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
    body: list[tuple[int, list[str]]] = []
    for line, row in rows[at + 1 :]:
        if body and (not any(row) or row[0].startswith("#")):
            break
        if any(row) and not _is_total(row) and row != rows[at][1]:
            body.append((line, [*row, *[""] * len(columns)][: len(columns)]))
    kept = [place for place, name in enumerate(columns) if name]
    data = {columns[place]: [row[place] for _, row in body] for place in kept}
    frame = pl.DataFrame(data, schema=dict.fromkeys(data, pl.String()))
    others = sum(any(row) for _, row in rows) - len(body) - 1
    return _Table(frame, [line for line, _ in body], others, renamed)


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
    cells = set(filter(None, rows[at][1]))
    others = sum(any(re.fullmatch(other, cell) for other in names) for cell in cells)
    return others + len(cells & layout.fields.keys())


def _is_total(row: Sequence[str]) -> bool:
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
    keys = ("date", "campaign_id")
    id_or_name = "campaign_id" if "campaign_id" in export.present else "campaign_name"
    rows = rows.with_columns(campaign_id=pl.col(id_or_name))
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
        bad = pl.col("currency").n_unique().over("date", pl.col(id_or_name)) > 1
        problem = "is one of several of a campaign on a day"
        reader.faults.extend(export.issue("currency", bad, problem, "export each currency apart"))
    frame = summed.with_columns(platform=pl.lit(platform), is_paid=pl.lit(value=True))
    return reader.prepared({"campaign_performance": frame})


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

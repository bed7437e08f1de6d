"""JSON of several formats: objects in files, and the values at their paths."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import polars as pl

from funnelkit.data.text_files import check_text
from funnelkit.errors import DataError, DataIssue
from funnelkit.sources.opening import files_of, place_of
from funnelkit.sources.reading import Layout, Reader

__all__ = ["flat", "parts_of", "read_objects"]


def read_objects(reader: Reader, path: str | Path, key: str) -> list[dict[str, Any]]:
    """Return the objects in JSON files; faults are collected.

    Args:
        reader: What collects faults.
        path: A file, or a folder or glob of files: a list, a list under a key, or one
            object a line.
        key: The key.
    """
    try:
        return _records_of(path, key)
    except DataError as error:
        reader.faults.append(DataIssue(place_of(path), "", error.problem, error.remedy))
    except OSError as error:
        reader.faults.append(DataIssue(place_of(path), "", f"cannot be read ({error})"))
    return []


def _records_of(path: str | Path, key: str) -> list[dict[str, Any]]:
    """Return the objects in JSON files: a list, a list under a key, or one object a line.

    Raises:
        DataError: There is no file, or one of them cannot be read.
    """
    found: list[Any] = []
    for file in files_of(Path(path), "*.json*"):
        check_text(file, repr(file.name))
        try:
            found += _objects(file.read_text("utf-8-sig"), key)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            problem = f"{file.name!r} cannot be read as JSON ({error})"
            raise DataError(problem, "check that it is complete") from None
        if not all(isinstance(each, dict) for each in found):
            raise DataError(f"{file.name!r} is not a list of objects", f"nor has it {key!r}")
    return found


def _objects(text: str, key: str) -> list[Any]:
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        if "Extra data" not in error.msg:
            raise
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(whole, dict):
        whole = cast("dict[str, Any]", whole).get(key, [whole])
    return parts_of(whole) or [whole]


def parts_of(value: Any) -> list[Any]:
    """Return the items of a list; none of anything else."""
    return [*cast("Iterable[Any]", value)] if isinstance(value, list) else []


def flat(records: Sequence[Mapping[str, Any]], layout: Layout) -> pl.LazyFrame:
    """Return the values at the paths of a layout as texts; a path that no record has is absent.

    Args:
        records: The objects.
        layout: Its columns are paths, such as "customer.id"; "tax_lines[].price" is a sum.
    """
    columns = {path: [_at(record, path.split(".")) for record in records] for path in layout.fields}
    present = {path for path, texts in columns.items() if path in layout.required or any(texts)}
    return pl.LazyFrame(
        {path: texts for path, texts in columns.items() if path in present},
        schema=dict.fromkeys(sorted(present), pl.String()),
    )


def _at(value: Any, path: Sequence[str]) -> str | None:
    for number, part in enumerate(path):
        if not isinstance(value, Mapping):
            return None
        value = cast("Mapping[str, Any]", value).get(part.removesuffix("[]"))
        if part.endswith("[]"):
            return _total([_at(each, path[number + 1 :]) for each in parts_of(value)])
    return None if value is None else str(value)


def _total(texts: Sequence[str | None]) -> str | None:
    """Return the sum of numbers as text; one that is no number is returned instead."""
    total = 0.0
    for text in texts:
        try:
            total += float(text or 0)
        except ValueError:
            return text
    return str(total)

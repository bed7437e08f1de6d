"""Metrics in TOML: all problems are reported at once; what is written can be read back."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from types import new_class
from typing import cast

from funnelkit.arguments import check_kind
from funnelkit.catalog.default import registry
from funnelkit.errors import DefinitionError, UnknownNameError
from funnelkit.exchange.toml_file import SECTIONS, Entry, TomlFile, read_toml
from funnelkit.formula.functions import KINDS
from funnelkit.formula.parsing import parse_formula
from funnelkit.formula.properties import natives
from funnelkit.formula.table import Proration, Table
from funnelkit.formula.values import Category, Column
from funnelkit.metrics.metric import Metric, field_faults, title_of
from funnelkit.metrics.registry import Registry
from funnelkit.schema.tables import TABLES
from funnelkit.units import Unit

__all__ = ["dump_metrics", "load_metrics"]

_FIELDS = {item.name: item for item in fields(Metric) if item.name != "name"}
_TABLE_FIELDS = ("key", "time", "row_unit", "description", "parents", "prorate", "columns")
_RESERVED = frozenset(name for name in dir(Table)) | {*Table.__annotations__}
_PRORATE_FIELDS = ("first", "last", "amounts")
_COLUMN_FIELDS = ("kind", "unit", "description", "values", "synonyms", "is_open")
_WORD_FIELDS = ("values", "synonyms", "is_open")


def load_metrics(path: str | Path) -> Registry:
    """Read metrics, and declarations of tables, from a TOML file.

    Formulas are texts; they may name metrics of the file and of the default
    registry, and columns of the canonical tables and of the tables of the file.

    Args:
        path: The file.

    Returns:
        The metrics; its `tables` are the declared ones, to be passed to `fk.Shop`.

    Raises:
        DefinitionError: The file cannot be read, or definitions are invalid; lists
            every problem with its line.
    """
    file = read_toml(path, SECTIONS)
    tables = dict(_tables(file, file.section("tables")))
    known = {**TABLES, **tables}
    metrics = list(_metrics(file, file.section("metrics"), known))
    file.check()
    own = tuple(tables.values())
    try:
        return Registry(metrics, origin=file.name, among=registry(), tables=own)
    except (DefinitionError, UnknownNameError) as error:
        raise DefinitionError(f"{file.name}: {error}") from None


def _tables(file: TomlFile, section: Mapping[str, Entry]) -> Iterator[tuple[str, type[Table]]]:
    for name, entry in section.items():
        before = len(file.faults)
        if name in TABLES:
            file.fault("tables", name, "", "is a canonical table; rename yours")
        for field_name, what in _header_faults(entry):
            file.fault("tables", name, field_name, what)
        for known in [item for item in entry if item not in _TABLE_FIELDS]:
            file.fault("tables", name, known, f"{known} is not a field: {', '.join(_TABLE_FIELDS)}")
        columns = dict(_columns(file, name, entry.get("columns", {})))
        if len(file.faults) > before:
            continue
        body: dict[str, object] = {"__doc__": str(entry.get("description", "")), **columns}
        keys = entry.get("key", "")
        header: dict[str, object] = {
            "table": name,
            "key": tuple(cast("list[str]", keys)) if isinstance(keys, list) else keys,
            "time": entry.get("time", ""),
            "parents": entry.get("parents"),
            "prorate": _proration(entry.get("prorate")),
        }
        try:
            if "row_unit" in entry:
                header["row_unit"] = Unit.parse(str(entry["row_unit"]))
            made = new_class(_class_name(name), (Table,), header, partial(_fill, body))
        except DefinitionError as error:
            file.fault("tables", name, "", str(error))
        else:
            yield name, cast("type[Table]", made)


def _header_faults(entry: Entry) -> Iterator[tuple[str, str]]:
    """Report the values in a table's header that have the wrong type."""
    key, parents = entry.get("key"), entry.get("parents", {})
    if not (isinstance(key, str) or _are_texts(key)):
        yield "key", f"key = {key!r} is not a column or a list of columns"
    if not isinstance(entry.get("time"), str):
        yield "time", f"time = {entry.get('time')!r} is not a column"
    values = list(cast("Entry", parents).values()) if isinstance(parents, dict) else None
    if values and not _are_texts(values):
        values = None
    if values is None and parents != {}:
        yield "parents", f"parents = {parents!r} does not map columns to tables"
    prorate = entry.get("prorate")
    if prorate is not None and _proration(prorate) is None:
        remedy = "write { first = 'first_day', last = 'last_day', amounts = ['amount'] }"
        yield "prorate", f"prorate = {prorate!r}; {remedy}"


def _are_texts(thing: object) -> bool:
    items = cast("list[object]", thing) if isinstance(thing, list) else []
    return bool(items) and all(isinstance(item, str) for item in items)


def _proration(given: object) -> Proration | None:
    parts = cast("dict[str, object]", given) if isinstance(given, dict) else {}
    if set(parts) != {"first", "last", "amounts"}:
        return None
    if not (_are_texts([parts["first"], parts["last"]]) and _are_texts(parts["amounts"])):
        return None
    amounts = tuple(cast("list[str]", parts["amounts"]))
    return Proration(first=str(parts["first"]), last=str(parts["last"]), amounts=amounts)


def _class_name(table: str) -> str:
    return table.title().replace("_", "")


def _fill(body: Mapping[str, object], namespace: dict[str, object]) -> None:
    namespace.update(body)


def _columns(file: TomlFile, table: str, given: object) -> Iterator[tuple[str, Column]]:
    if not isinstance(given, dict) or not given:
        file.fault("tables", table, "columns", "has no columns: name = {kind = 'money'}")
        return
    for name, entry in cast("dict[str, object]", given).items():
        column = cast("Entry", entry) if isinstance(entry, dict) else {"kind": entry}
        kind = column.get("kind") if isinstance(column.get("kind"), str) else None
        if name in _RESERVED or not name.isidentifier():
            file.fault("tables", table, name, f"{name!r} is not a valid column name")
            continue
        unknown = [key for key in column if key not in _COLUMN_FIELDS]
        if kind not in KINDS or unknown:
            what = f"{name} is of kind {kind!r}; use one of {', '.join(KINDS)}"
            what = (
                f"{name} has no field {unknown[0]}; use {', '.join(_COLUMN_FIELDS)}"
                if unknown
                else what
            )
            file.fault("tables", table, name, what)
            continue
        description = str(column.get("description", ""))
        try:
            made = _with_words(KINDS[str(kind)](description), column)
            if "unit" in column:
                made = replace(made, unit=Unit.parse(str(column["unit"])))
        except DefinitionError as error:
            file.fault("tables", table, name, str(error))
        else:
            yield name, made


def _with_words(made: Column, entry: Entry) -> Column:
    """Return a column with the vocabulary that an entry gives it.

    Raises:
        DefinitionError: It is not one, or the column is of another kind.
    """
    words = {name: entry[name] for name in _WORD_FIELDS if name in entry}
    if not words:
        return made
    if not isinstance(made, Category):
        kind = type(made).__name__.lower()
        raise DefinitionError(f"a {kind} holds no words", "declare it as a category")
    if isinstance(words.get("values"), list):
        words["values"] = tuple(cast("list[object]", words["values"]))
    return replace(made, **words)  # type: ignore[arg-type]  # a column checks its words


def _metrics(
    file: TomlFile, section: Mapping[str, Entry], tables: Mapping[str, type[Table]]
) -> Iterator[Metric]:
    for name, entry in section.items():
        before = len(file.faults)
        given: dict[str, object] = {}
        if "formula" not in entry:
            file.fault("metrics", name, "", "has no formula")
        for key, value in entry.items():
            try:
                given[key] = _value(key, value, tables)
            except DefinitionError as error:
                file.fault("metrics", name, key, str(error))
        plain = {key: value for key, value in given.items() if key != "formula"}
        for key, what in field_faults(plain):
            file.fault("metrics", name, key, what)
        if len(file.faults) > before:
            continue
        try:
            yield Metric(name=name, **given)  # type: ignore[arg-type]  # each value is checked
        except DefinitionError as error:
            file.fault("metrics", name, "", str(error))


def _value(key: str, value: object, tables: Mapping[str, type[Table]]) -> object:
    """Read one field of a metric.

    Raises:
        DefinitionError: There is no such field, or its value has the wrong type.
    """
    if key not in _FIELDS:
        raise DefinitionError(str(UnknownNameError("field", key, [*_FIELDS])))
    if isinstance(value, list):
        items = cast("list[object]", value)
        if key == "bounds" and len(items) == 2:
            low, high = items
            return (None if low == -math.inf else low, None if high == math.inf else high)
        return tuple(items)
    if key in {"formula", "unit"}:
        if not isinstance(value, str):
            raise DefinitionError(f"{key} = {value!r} is not a text")
        return parse_formula(value, tables) if key == "formula" else Unit.parse(value)
    return value


def dump_metrics(
    metrics: Iterable[Metric],
    *,
    path: str | Path | None = None,
    tables: Sequence[type[Table]] = (),
) -> str:
    """Return metrics as TOML that `load_metrics` reads back.

    Args:
        metrics: The metrics, such as `fk.registry().values()`.
        path: The file to write as well, if any.
        tables: Declarations of the tables they read beyond the canonical ones.

    Returns:
        The text.

    Raises:
        DefinitionError: A formula contains a Polars expression, which has no text form.
    """
    chosen = list(metrics)
    for item in chosen:
        check_kind("a metric", item, (Metric,), "pass fk.Metric objects: fk.registry().values()")
    parts = [*map(_table_text, tables), *map(_metric_text, chosen)]
    text = "\n".join(parts)
    if path is not None:
        Path(path).write_text(text, "utf-8")
    return text


def _metric_text(metric: Metric) -> str:
    lines = [f"[metrics.{_word(metric.name)}]"]
    for name, known in _FIELDS.items():
        value, default = getattr(metric, name), known.default
        if name == "formula":
            value = _formula_text(metric)
        elif name == "unit":
            value = metric.unit.label
        elif value == default or (name == "title" and value == title_of(metric.name)):
            continue
        lines.append(f"{name} = {_toml(value)}")
    return "\n".join([*lines, ""])


def _formula_text(metric: Metric) -> str:
    if any(natives(metric.formula)):
        raise DefinitionError(f"{metric.name} holds a Polars expression", "no text can tell it")
    return str(metric.formula)


def _table_text(table: type[Table]) -> str:
    key = table.key[0] if len(table.key) == 1 else list(table.key)
    lines = [f"[tables.{_word(table.table)}]", f"key = {_toml(key)}", f"time = {_toml(table.time)}"]
    lines.append(f"row_unit = {_toml(str(table.row_unit))}")
    if table.__doc__:
        lines.append(f"description = {_toml(table.__doc__)}")
    if prorate := table.prorate:
        pairs = (f"{name} = {_toml(getattr(prorate, name))}" for name in _PRORATE_FIELDS)
        lines.append(f"prorate = {{ {', '.join(pairs)} }}")
    if table.parents:
        pairs = (f"{_word(name)} = {_toml(parent)}" for name, parent in table.parents.items())
        lines.append(f"parents = {{ {', '.join(pairs)} }}")
    lines += ["", f"[tables.{_word(table.table)}.columns]"]
    for name, column in table.columns.items():
        parts = [f"kind = {_toml(type(column).__name__.lower())}"]
        if column.unit != type(column)().unit:
            parts.append(f"unit = {_toml(column.unit.label)}")
        if column.description:
            parts.append(f"description = {_toml(column.description)}")
        parts += _words_text(column)
        lines.append(f"{_word(name)} = {{ {', '.join(parts)} }}")
    return "\n".join([*lines, ""])


def _words_text(column: Column) -> Iterator[str]:
    if not isinstance(column, Category):
        return
    if column.values:
        yield f"values = {_toml(column.values)}"
    if column.synonyms:
        pairs = (f"{_word(text)} = {_toml(word)}" for text, word in column.synonyms.items())
        yield f"synonyms = {{ {', '.join(pairs)} }}"
    if column.is_open:
        yield "is_open = true"


def _word(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _toml(value: object) -> str:
    """Return a value as TOML text; strings are written as in JSON, which TOML reads alike."""
    match value:
        case str():
            return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
        case None:
            return "inf"
        case int() | float():
            return repr(value)
        case _:
            items = list(cast("Sequence[object]", value))
            if items and items[0] is None:
                return f"[-inf, {_toml(items[1])}]"
            return f"[{', '.join(map(_toml, items))}]"

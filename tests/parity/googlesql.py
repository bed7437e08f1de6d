"""GoogleSQL, the language of BigQuery: its reference engine, as a connection to its own tables.

It comes with the package zetasql, and takes minutes to start.
"""

import datetime as dt
import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

import polars as pl
import pytest

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
FIELDS = (("year", 26), ("month", 22), ("day", 17), ("hour", 12), ("minute", 6), ("second", 0))
"""Where the parts of a time without a zone are in a number."""


class GoogleSql:
    """A connection of the Python Database API to the tables that were put in it."""

    def __init__(self) -> None:
        messages = "zetasql.wasi._pb2.zetasql"
        self.types = import_module(f"{messages}.public.type_pb2")
        self.service = import_module(f"{messages}.local_service.local_service_pb2")
        self.table = import_module(f"{messages}.public.simple_table_pb2").SimpleTableProto
        self.value = import_module(f"{messages}.public.value_pb2").ValueProto
        self.client = import_module("zetasql.core").ZetaSqlLocalService().wasm_client
        options = import_module(f"{messages}.proto.options_pb2")
        self.language = self.client.call_grpc_func(
            "ZetaSqlLocalService_GetLanguageOptions",
            self.service.LanguageOptionsRequest(maximum_features=True),
            options.LanguageOptionsProto,
        )
        # as BigQuery has it
        public = import_module(f"{messages}.public.options_pb2")
        self.language.product_mode = public.PRODUCT_EXTERNAL
        self.tables: dict[str, tuple[Any, Any]] = {}
        self.description: list[tuple[str]] = []
        self.rows: list[tuple[Any, ...]] = []

    def load(self, name: str, frame: pl.DataFrame) -> None:
        table, content = self.table(name=name), self.service.TableContent()
        kinds = [kind_of(dtype) for dtype in frame.dtypes]
        for column, kind in zip(frame.columns, kinds, strict=True):
            number = getattr(self.types, f"TYPE_{kind}")
            table.column.add(name=column).type.type_kind = number
        content.table_data.SetInParent()
        for row in frame.rows():
            cells = [self._cell(*each) for each in zip(row, kinds, strict=True)]
            content.table_data.row.add(cell=cells)
        self.tables[name] = table, content

    def _cell(self, value: Any, kind: str) -> Any:
        cell = self.value()
        match value, kind:
            case None, _:
                pass
            case _, "DATE":
                cell.date_value = (value - EPOCH.date()).days
            case _, "DATETIME":
                bits = sum(getattr(value, name) << place for name, place in FIELDS)
                cell.datetime_value.bit_field_datetime_seconds = bits
                cell.datetime_value.nanos = value.microsecond * 1000
            case _, "TIMESTAMP":
                passed = (value - EPOCH) // dt.timedelta(microseconds=1)
                cell.timestamp_value.seconds = passed // 10**6
                cell.timestamp_value.nanos = passed % 10**6 * 1000
            case _:
                setattr(cell, f"{kind.lower()}_value", value)
        return cell

    def cursor(self) -> "GoogleSql":
        return self

    def execute(self, statement: str) -> None:
        if "INFORMATION_SCHEMA" in statement:
            (table,) = (t for t, _ in self.tables.values() if f"'{t.name}'" in statement)
            kind = self.types.TypeKind
            named = [(c.name, kind.Name(c.type.type_kind)[len("TYPE_") :]) for c in table.column]
            self.rows = [(name, "FLOAT64" if k == "DOUBLE" else k) for name, k in named]
            return
        request = self.service.EvaluateQueryRequest(sql=statement)
        request.options.language_options.CopyFrom(self.language)
        request.options.default_timezone = "Asia/Kolkata"
        options = request.simple_catalog.builtin_function_options
        options.language_options.CopyFrom(self.language)
        for name, (table, content) in self.tables.items():
            if re.search(rf"\b{name}\b", statement):
                request.simple_catalog.table.add().CopyFrom(table)
                request.table_content[name].CopyFrom(content)
        method, answer = "ZetaSqlLocalService_EvaluateQuery", self.service.EvaluateQueryResponse
        found = self.client.call_grpc_func(method, request, answer)
        self.description = [(column.name,) for column in found.prepared.columns]
        self.rows = [tuple(map(read, row.cell)) for row in found.content.table_data.row]

    def fetchall(self) -> Sequence[Any]:
        return self.rows

    def close(self) -> None:
        self.rows = []

    def rollback(self) -> None:
        raise NotImplementedError


def kind_of(dtype: pl.DataType) -> str:
    match dtype:
        case pl.Datetime():
            return "DATETIME" if dtype.time_zone is None else "TIMESTAMP"
        case pl.Date():
            return "DATE"
        case pl.Boolean():
            return "BOOL"
        case pl.String():
            return "STRING"
        case _:
            return "INT64" if dtype.is_integer() else "DOUBLE"


def read(cell: Any) -> Any:
    name = cell.WhichOneof("value")
    value = None if name is None else getattr(cell, name)
    match name:
        case "date_value":
            return EPOCH.date() + dt.timedelta(days=value)
        case "datetime_value":
            rest, parts = value.bit_field_datetime_seconds, []
            for _, place in FIELDS:
                parts.append(rest >> place)
                rest &= (1 << place) - 1
            return dt.datetime(*parts, value.nanos // 1000)
        case "timestamp_value":
            return EPOCH + dt.timedelta(seconds=value.seconds, microseconds=value.nanos // 1000)
        case _:
            return value


@cache
def googlesql() -> GoogleSql:
    pytest.importorskip("zetasql", reason="zetasql is not installed")
    return GoogleSql()

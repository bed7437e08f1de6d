"""The types of columns by the words of databases, as sqlglot reads them in each dialect."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import polars as pl
from sqlglot import exp
from sqlglot.errors import SqlglotError

from funnelkit.engines.sql.connection import Found
from funnelkit.planning.relations import Kind

__all__ = ["found_column"]

D = exp.DType

_LOCAL, _INSTANT = pl.Datetime("us"), pl.Datetime("us", "UTC")
_DECIMAL, _TOO_LONG = pl.Decimal(38, 9), pl.Int128()

DTYPES: Mapping[exp.DType, pl.DataType] = {
    D.TINYINT: pl.Int8(),
    D.SMALLINT: pl.Int16(),
    D.INT: pl.Int32(),
    D.BIGINT: pl.Int64(),
    D.INT128: _TOO_LONG,
    D.INT256: _TOO_LONG,
    D.UTINYINT: pl.UInt8(),
    D.USMALLINT: pl.UInt16(),
    D.UINT: pl.UInt32(),
    D.UBIGINT: pl.UInt64(),
    D.UINT128: _TOO_LONG,
    D.UINT256: _TOO_LONG,
    D.FLOAT: pl.Float32(),
    D.DOUBLE: pl.Float64(),
    D.DECFLOAT: pl.Float64(),
    D.DECIMAL: _DECIMAL,
    D.BIGDECIMAL: _DECIMAL,
    D.TEXT: pl.String(),
    D.VARCHAR: pl.String(),
    D.CHAR: pl.String(),
    D.BPCHAR: pl.String(),
    D.NAME: pl.String(),
    D.ENUM: pl.String(),
    D.ENUM8: pl.String(),
    D.ENUM16: pl.String(),
    D.UUID: pl.String(),
    D.BOOLEAN: pl.Boolean(),
    D.DATE: pl.Date(),
    D.DATE32: pl.Date(),
    D.TIME: pl.Time(),
    D.TIME_NS: pl.Time(),
    D.INTERVAL: pl.Duration("us"),
    D.TIMESTAMP: _LOCAL,
    D.TIMESTAMPNTZ: _LOCAL,
    D.TIMESTAMP_S: _LOCAL,
    D.TIMESTAMP_MS: _LOCAL,
    D.TIMESTAMP_NS: _LOCAL,
    D.TIMESTAMPTZ: _INSTANT,
    D.TIMESTAMPLTZ: _INSTANT,
    # of ClickHouse: every time is an instant, whatever zone it is shown in
    D.DATETIME: _INSTANT,
    D.DATETIME64: _INSTANT,
    D.NULL: pl.Null(),
    D.NOTHING: pl.Null(),
    D.UNKNOWN: pl.Null(),
}
"""The types of values in Polars; values of all other types are only compared with each other."""

OF_DIALECTS: Mapping[tuple[str, exp.DType], pl.DataType] = {
    # it may be NaN there
    ("postgres", D.DECIMAL): pl.Float64(),
    # its seconds are not asked for there
    **{(name, D.INTERVAL): pl.Binary() for name in ("bigquery", "redshift", "snowflake", "trino")},
}
"""The types that are another in one dialect."""

EXACT: Mapping[exp.DType, Kind] = {
    D.BIGINT: "int",
    D.DOUBLE: "float",
    D.TEXT: "str",
    D.VARCHAR: "str",
    D.BOOLEAN: "bool",
    D.DATE: "day",
    D.DATE32: "day",
    D.TIMESTAMP: "local",
    D.TIMESTAMPNTZ: "local",
    D.TIMESTAMPTZ: "instant",
}
"""The kinds as which values need no cast."""

INEXACT = frozenset({("clickhouse", D.DATE), ("trino", D.TIMESTAMP), ("trino", D.TIMESTAMPTZ)})
"""What needs a cast in one dialect: days from 1970 on, and times in thousandths of a second."""

ODD: Mapping[str, exp.DType] = {
    '"null"': D.NULL,
    "void": D.NULL,
    "timestamptz_ns": D.TIMESTAMPLTZ,
}
"""Words that sqlglot does not know."""


def found_column(name: str, kind: str, dialect: str) -> Found:
    """Return a column that a database reports, with its type as the database writes it."""
    sort, is_plain = _sort(kind, dialect)
    if sort is None:
        return Found(name, kind, pl.Binary(), None)
    dtype = OF_DIALECTS.get((dialect, sort), DTYPES.get(sort, pl.Binary()))
    is_exact = is_plain and (dialect, sort) not in INEXACT
    return Found(name, kind, dtype, EXACT.get(sort) if is_exact else None)


@cache
def _sort(kind: str, dialect: str) -> tuple[exp.DType | None, bool]:
    """Return what a type is, if that is known, and whether its values are kept as those of it."""
    try:
        found = exp.DataType.build(kind, dialect=dialect)
    except SqlglotError:
        return ODD.get(kind.strip().lower()), True
    match found.this:
        case D.LOWCARDINALITY:
            return _sort(found.expressions[0].sql(dialect), dialect)[0], False
        case D.DECIMAL if dialect == "snowflake":
            # whole numbers have no other type there
            digits = [digit.name for digit in found.expressions]
            return (D.BIGINT, False) if digits[1:] in ([], ["0"]) else (D.DECIMAL, True)
        case exp.Interval():
            return D.INTERVAL, True
        case exp.DType() as sort:
            return sort, True
        case _:
            return None, True

"""The types of columns by the words of databases: one table for each dialect of SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from funnelkit.engines.sql.connection import Found
from funnelkit.planning.relations import Kind

__all__ = ["TYPES", "Types"]

_PARAMETERS = re.compile(r"\s*\(.*\)", re.DOTALL)

_LOCAL, _INSTANT = pl.Datetime("us"), pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True)
class Types:
    """The types of a dialect.

    Attributes:
        dtypes: The types of values in Polars, by the words of the dialect without parameters;
            values of all other types are only compared with each other.
        exact: The kinds as which values need no cast, by the words.
    """

    dtypes: Mapping[str, pl.DataType]
    exact: Mapping[str, Kind]

    def found(self, name: str, kind: str) -> Found:
        """Return a column that a database reports, with its type as the database writes it."""
        word = _word(kind)
        return Found(name, kind, self.dtypes.get(word, pl.Binary()), self.exact.get(word))


def _word(kind: str) -> str:
    """Return the word of a type, without parameters."""
    word = kind.strip().lower()
    # an interval says of what
    return "interval" if word.startswith("interval ") else _PARAMETERS.sub("", word)


DUCKDB = Types(
    {
        "tinyint": pl.Int8(),
        "smallint": pl.Int16(),
        "integer": pl.Int32(),
        "bigint": pl.Int64(),
        "hugeint": pl.Int128(),
        "utinyint": pl.UInt8(),
        "usmallint": pl.UInt16(),
        "uinteger": pl.UInt32(),
        "ubigint": pl.UInt64(),
        "uhugeint": pl.UInt128(),
        "float": pl.Float32(),
        "double": pl.Float64(),
        "decimal": pl.Decimal(38, 9),
        "varchar": pl.String(),
        "enum": pl.String(),
        "uuid": pl.String(),
        "boolean": pl.Boolean(),
        "date": pl.Date(),
        "time": pl.Time(),
        "time_ns": pl.Time(),
        "interval": pl.Duration("us"),
        "timestamp": _LOCAL,
        "timestamp_s": _LOCAL,
        "timestamp_ms": _LOCAL,
        "timestamp_ns": _LOCAL,
        "timestamp with time zone": _INSTANT,
        "timestamptz_ns": _INSTANT,
        '"null"': pl.Null(),
    },
    {
        "bigint": "int",
        "double": "float",
        "varchar": "str",
        "boolean": "bool",
        "date": "day",
        "timestamp": "local",
        "timestamp with time zone": "instant",
    },
)
SPARK = Types(
    {
        "tinyint": pl.Int8(),
        "smallint": pl.Int16(),
        "int": pl.Int32(),
        "bigint": pl.Int64(),
        "float": pl.Float32(),
        "double": pl.Float64(),
        "decimal": pl.Decimal(38, 9),
        "string": pl.String(),
        "varchar": pl.String(),
        "char": pl.String(),
        "boolean": pl.Boolean(),
        "date": pl.Date(),
        "time": pl.Time(),
        "interval": pl.Duration("us"),
        "timestamp_ntz": _LOCAL,
        "timestamp": _INSTANT,
        "void": pl.Null(),
    },
    {
        "bigint": "int",
        "double": "float",
        "string": "str",
        "boolean": "bool",
        "date": "day",
        "timestamp_ntz": "local",
        "timestamp": "instant",
    },
)
POSTGRES = Types(
    {
        "smallint": pl.Int16(),
        "integer": pl.Int32(),
        "bigint": pl.Int64(),
        "real": pl.Float32(),
        "double precision": pl.Float64(),
        "numeric": pl.Float64(),
        "text": pl.String(),
        "character varying": pl.String(),
        "character": pl.String(),
        "bpchar": pl.String(),
        "name": pl.String(),
        "enum": pl.String(),
        "uuid": pl.String(),
        "boolean": pl.Boolean(),
        "date": pl.Date(),
        "time without time zone": pl.Time(),
        "interval": pl.Duration("us"),
        "timestamp without time zone": _LOCAL,
        "timestamp with time zone": _INSTANT,
    },
    {
        "bigint": "int",
        "double precision": "float",
        "text": "str",
        "character varying": "str",
        "boolean": "bool",
        "date": "day",
        "timestamp without time zone": "local",
        "timestamp with time zone": "instant",
    },
)

TYPES: Mapping[str, Types] = {
    "duckdb": DUCKDB,
    "postgres": POSTGRES,
    "spark": SPARK,
}
"""The types of the dialects of which tables can be read."""

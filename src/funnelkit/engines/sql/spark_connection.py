"""A session of Spark, classic or Spark Connect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from threading import RLock
from typing import Any, cast

import polars as pl
from sqlglot import exp

from funnelkit.data.sources import SupportsArrow
from funnelkit.engines.sql.connection import (
    Found,
    answering,
    binding,
    named_table,
    registered,
)
from funnelkit.engines.sql.dialects import text
from funnelkit.engines.sql.names import quoted_table
from funnelkit.errors import DataError, UnsupportedError
from funnelkit.planning.relations import Kind

__all__ = ["SparkConnection"]

_DTYPES: Mapping[str, pl.DataType] = {
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
    "timestamp_ntz": pl.Datetime("us"),
    "timestamp": pl.Datetime("us", "UTC"),
    "void": pl.Null(),
}
"""The types of values by the types of Spark; all others are only compared with each other."""

_EXACT: Mapping[str, Kind] = {
    "bigint": "int",
    "double": "float",
    "string": "str",
    "boolean": "bool",
    "date": "day",
    "timestamp_ntz": "local",
    "timestamp": "instant",
}
"""The types that need no cast."""

ESCAPED = "spark.sql.parser.escapedStringLiterals"
"""The setting by which a backslash in a text is not what it is by default."""


@dataclass(frozen=True, slots=True)
class SparkConnection:
    """A session that statements use one after the other; see `Connection`.

    Attributes:
        session: The session.
        lock: Held while a statement runs.
    """

    session: Any
    lock: RLock = field(default_factory=RLock)

    @classmethod
    def of(cls, session: Any) -> SparkConnection:
        """Return a session that was given.

        Raises:
            UnsupportedError: A setting of it changes how texts are read.
        """
        connection = cls(session)
        with answering(connection.dialect):
            is_escaped = session.conf.get(ESCAPED, "false") == "true"
        if is_escaped:
            raise UnsupportedError(
                f"{ESCAPED}=true", "a backslash would not be one; set it to false"
            )
        return connection

    @property
    def dialect(self) -> str:
        """The dialect of its statements."""
        return "spark"

    def run(self, query: exp.Select) -> pl.DataFrame:
        """Return the rows of a statement; see `Connection.run`."""
        with self.lock, answering(self.dialect):
            return pl.DataFrame(self.session.sql(text(query, self.dialect)).toArrow())

    def place(self, name: str, source: object) -> exp.Table:
        """Return where a source is; a frame becomes a temporary view.

        Raises:
            DataError: It is none of what can be bound.
        """
        if isinstance(source, str):
            return named_table(source, self.dialect)
        place = registered(name)
        with self.lock, answering(self.dialect):
            self._frame(source).createTempView(place)
        return quoted_table(place)

    def _frame(self, source: object) -> Any:
        if hasattr(source, "createTempView"):
            return source
        frame = source.collect() if isinstance(source, pl.LazyFrame) else source
        if isinstance(frame, SupportsArrow):
            return self._sent(_plain(pl.DataFrame(frame)))
        raise DataError(
            f"a {type(source).__name__} is not a table",
            "pass the name of a table, a DataFrame of the session, or a frame",
        )

    def _sent(self, frame: pl.DataFrame) -> Any:
        """Return a frame as a DataFrame, in which times without a zone stay without one."""
        types: Any = import_module("pyspark.sql.types")
        table = cast("Any", frame).to_arrow()
        schema = self.session.createDataFrame(table.slice(0, 0)).schema
        for column in schema.fields:
            dtype = frame.schema[column.name]
            if isinstance(dtype, pl.Datetime) and dtype.time_zone is None:
                column.dataType = types.TimestampNTZType()
        return self.session.createDataFrame(table, schema)

    def columns(self, place: exp.Table) -> list[Found]:
        """Return the columns of a table; see `Connection.columns`."""
        query = exp.select("*").from_(place).limit(0)
        with self.lock, binding(self.dialect):
            fields = self.session.sql(text(query, self.dialect)).schema.fields
        return [_found(one.name, one.dataType.simpleString()) for one in fields]

    def names(self) -> list[str]:
        """Return the names of the tables and views of the current schema."""
        with self.lock, answering(self.dialect):
            return sorted(table.name for table in self.session.catalog.listTables())


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with types that Spark has."""
    return frame.with_columns(
        pl.selectors.by_dtype(pl.UInt8, pl.UInt16, pl.UInt32).cast(pl.Int64),
        pl.selectors.by_dtype(pl.Categorical, pl.Enum).cast(pl.String),
    )


def _found(name: str, kind: str) -> Found:
    word = kind.split("(", maxsplit=1)[0].split(" ", maxsplit=1)[0]
    return Found(name, kind, _DTYPES.get(word, pl.Binary()), _EXACT.get(kind))

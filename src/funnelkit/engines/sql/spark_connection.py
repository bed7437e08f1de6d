"""A session of Spark, classic or Spark Connect."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from threading import RLock
from typing import Any, cast

import polars as pl
from sqlglot import exp

from funnelkit.data.sources import SupportsArrow
from funnelkit.engines.sql.column_types import found_column
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

__all__ = ["SparkConnection"]

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
            UnsupportedError: It is not one of Spark itself, or a setting of it changes how texts
                are read.
            DataError: It does not answer.
        """
        connection = cls(session)
        with answering(connection.dialect):
            is_escaped = session.conf.get(ESCAPED, "false") == "true"
            found = str(session.sql("SELECT VERSION()").head()[0])
        if found.partition(".")[0] != str(session.version).partition(".")[0]:
            raise UnsupportedError(
                f"a session of Spark {session.version} that is answered by version {found}",
                "what only speaks as Spark does, as Sail, has other times and quantiles",
            )
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
        types: Any = import_module("pyspark.sql.pandas.types")
        table = cast("Any", frame).to_arrow()
        schema = types.from_arrow_schema(table.schema, prefer_timestamp_ntz=True)
        return self.session.createDataFrame(table, schema)

    def columns(self, place: exp.Table) -> list[Found]:
        """Return the columns of a table; see `Connection.columns`."""
        query = exp.select("*").from_(place).limit(0)
        with self.lock, binding(self.dialect):
            fields = self.session.sql(text(query, self.dialect)).schema.fields
        return [found_column(one.name, one.dataType.simpleString(), self.dialect) for one in fields]

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

"""Spark as a place where the tables of a shop are: `fk.Spark`."""

from __future__ import annotations

from typing import Any

from funnelkit.engines.sql.database import SqlDatabase, check_packages

__all__ = ["Spark"]


class Spark(SqlDatabase):
    """Tables of Spark: `fk.Shop.on(fk.Spark(session), orders="catalog.schema.table")`.

    A table is given by its name, as a DataFrame of the session, or as any other frame.
    Statements only read; nothing but aggregated rows, and a few rows that show what is
    wrong with the data, leaves Spark. DataFrames and frames become temporary views of the
    session under names of their own.

    Args:
        session: A `SparkSession`, classic or of Spark Connect.

    Raises:
        MissingPackageError: PySpark or sqlglot is not installed.
        UnsupportedError: The session is not one of Spark itself, or a setting of it changes
            how texts are read.
        DataError: The session does not answer.
    """

    def __init__(self, session: Any) -> None:
        check_packages("pyspark", extra="spark")
        from funnelkit.engines.sql.spark_connection import (  # noqa: PLC0415  # an extra
            SparkConnection,
        )

        self._connection = SparkConnection.of(session)

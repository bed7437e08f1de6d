"""Queries straight over the files of data, those of the real exports or made ones."""

import os
from pathlib import Path

import duckdb
import polars as pl

REAL: Path = Path(
    os.environ.get("FUNNELKIT_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data"
)
"""Folder of the real exports; the environment variable FUNNELKIT_DATA overrides it."""


class _Folder:
    """The folder that is read: a fixture sets it."""

    path: Path = REAL


READ = _Folder()


def file_of(name: str) -> Path:
    """Give the path of a file of data."""
    return READ.path / f"{name}.parquet"


def query(sql: str, *files: str) -> pl.DataFrame:
    """Run a query in which each file is a view under its own name."""
    with duckdb.connect() as connection:
        for name in files:
            connection.read_parquet(str(file_of(name))).create_view(name)
        frame: pl.DataFrame = connection.sql(sql).pl()
    return frame


def keys(by: tuple[str, ...], alias: str = "") -> str:
    """Give the keys as the first columns of a SELECT, each with the alias of its relation."""
    return "".join(f"{alias}{key}, " for key in by)


def same_keys(by: tuple[str, ...], one: str, two: str) -> str:
    """Give the condition that two relations have the same keys; a key that is null is a key."""
    pairs = [f"{one}.{key} IS NOT DISTINCT FROM {two}.{key}" for key in by]
    return " AND ".join(pairs) or "true"

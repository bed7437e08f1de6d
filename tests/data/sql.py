"""Queries straight over the raw files."""

import os
from pathlib import Path

import duckdb
import polars as pl

DATA: Path = Path(
    os.environ.get("FUNNELKIT_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data"
)
"""Folder of the parquet files; the environment variable FUNNELKIT_DATA overrides it."""


def query(sql: str, *files: str) -> pl.DataFrame:
    """Run a query in which each raw file is a view under its own name."""
    with duckdb.connect() as connection:
        for name in files:
            connection.read_parquet(str(DATA / f"{name}.parquet")).create_view(name)
        frame: pl.DataFrame = connection.sql(sql).pl()
    return frame


def keys(by: tuple[str, ...], alias: str = "") -> str:
    """Give the keys as the first columns of a SELECT, each with the alias of its relation."""
    return "".join(f"{alias}{key}, " for key in by)

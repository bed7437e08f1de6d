"""Databases that tests start for themselves; tests are skipped where they are not installed."""

import atexit
import os
import shutil
import subprocess
import tempfile
import warnings
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest

DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian keeps the programs of PostgreSQL, by version."""


def program(name: str) -> str | None:
    beside = sorted(DEBIAN.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(beside[-1]) if beside else shutil.which(name)


def as_somebody() -> list[str]:
    """What makes a command run as a user who is not root, as whom PostgreSQL does not run."""
    if os.getuid() != 0:
        return []
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


@cache
def postgres():
    """A connection to a server of its own, with settings that no number may depend on."""
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
    if program("initdb") is None or program("pg_ctl") is None:
        pytest.skip("PostgreSQL is not installed")
    if as_somebody() and shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no setpriv")
    return psycopg.connect(**address(), autocommit=True)


@cache
def address() -> dict[str, str]:
    """Start a server that listens on a socket in a folder of its own; return how it is reached."""
    folder = Path(tempfile.mkdtemp(prefix="funnelkit_pg_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if as_somebody():
        shutil.chown(folder, "nobody", "nogroup")
    data, log = folder / "data", folder / "log"
    made = [program("initdb"), "-D", data, "-U", "funnelkit", "-A", "trust", "-E", "UTF8"]
    # texts in the order of a language, and a zone of its own: no number may depend on either
    language = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
    _run(*made, *language, "--no-sync")
    options = (
        f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off "
        "-c timezone=Asia/Kolkata -c datestyle=iso,dmy -c jit=off"
    )
    control = [program("pg_ctl"), "-D", data, "-l", log]
    _run(*control, "-o", options, "-w", "start")
    atexit.register(_run, *control, "-m", "immediate", "stop")
    return {"host": str(folder), "user": "funnelkit", "dbname": "postgres"}


def load(connection, name: str, frame: pl.DataFrame, *, kind: str = "TABLE") -> None:
    """Make a table of a frame in PostgreSQL."""
    columns = [f"{quoted(name)} {_type(dtype)}" for name, dtype in frame.schema.items()]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
        cursor.execute(f"CREATE {kind} {quoted(name)} ({', '.join(columns)})")
        with cursor.copy(f"COPY {quoted(name)} FROM STDIN") as copy:
            for row in frame.rows():
                copy.write_row(row)
        cursor.execute(f"ANALYZE {quoted(name)}")


def _type(dtype: pl.DataType) -> str:
    is_instant = isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
    return NAMES[dtype.base_type()] + (" with time zone" if is_instant else "")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


NAMES = {
    pl.Boolean: "boolean",
    pl.Int8: "smallint",
    pl.Int16: "smallint",
    pl.Int32: "integer",
    pl.Int64: "bigint",
    pl.UInt8: "smallint",
    pl.UInt16: "integer",
    pl.UInt32: "bigint",
    pl.Float32: "real",
    pl.Float64: "double precision",
    pl.String: "text",
    pl.Categorical: "text",
    pl.Enum: "text",
    pl.Date: "date",
    pl.Duration: "interval",
    pl.Datetime: "timestamp",
    pl.Null: "text",
}
"""The types of PostgreSQL by those of Polars."""


def connect(**options):
    """Another connection to the server."""
    import psycopg

    postgres()
    return psycopg.connect(**{**address(), **options})


def _run(*command: object) -> None:
    subprocess.run(
        [*as_somebody(), *map(str, command)], check=True, cwd="/", stdout=subprocess.DEVNULL
    )


@cache
def clickhouse():
    """A connection to ClickHouse within this process, with a zone that no number may depend on."""
    driver = pytest.importorskip("chdb.dbapi", reason="chdb is not installed")
    connection = driver.connect()
    atexit.register(connection.close)
    connection.cursor().execute("SET session_timezone = 'Asia/Kolkata'")
    return connection


def load_clickhouse(connection, name: str, frame: pl.DataFrame) -> None:
    """Make a table of a frame in ClickHouse."""
    cursor = connection.cursor()
    place = backquoted(name)
    cursor.execute(f"DROP TABLE IF EXISTS {place}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        frame.write_parquet(file)
        columns = ", ".join(_column(frame[column]) for column in frame.columns)
        rows = f"SELECT {columns} FROM file('{file}', Parquet)"
        cursor.execute(f"CREATE TABLE {place} ENGINE = Memory AS {rows}")
    cursor.close()


def _column(values: pl.Series) -> str:
    """A column as tables of ClickHouse have it: it holds nulls only where it must."""
    name = backquoted(values.name)
    found = f"assumeNotNull({name})" if len(values) and not values.null_count() else name
    if isinstance(values.dtype, pl.Datetime):
        found = (
            f"CAST({found} AS {'DateTime64(6)' if found != name else 'Nullable(DateTime64(6))'})"
        )
    return f"{found} AS {name}"


def backquoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def is_connect() -> bool:
    return "SPARK_REMOTE" in os.environ


@cache
def spark():
    """A session of Spark on this machine, with settings that no number may depend on.

    It is one of Spark Connect where SPARK_REMOTE says so.
    """
    if find_spec("pyspark") is None:
        pytest.skip("PySpark is not installed")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed")
    if is_connect() and find_spec("grpc") is None:
        pytest.skip("Spark Connect is not installed")
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.memory": "2g",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "OFF",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "America/New_York",
        "spark.sql.warehouse.dir": tempfile.mkdtemp(prefix="funnelkit_spark_"),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
    }
    builder = SparkSession.builder
    if not is_connect():
        builder = builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    with warnings.catch_warnings():
        # of pandas, which is not used, and of settings that the server already has
        warnings.simplefilter("ignore")
        session = builder.getOrCreate()
    atexit.register(session.stop)
    return session

"""A shop: frames bound to the canonical tables.

Binding looks at schemas only. All problems are reported at once. Which columns
are derived, and by which rule, is decided here and carried out by an engine.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

import polars as pl
from polars._typing import PolarsDataType

from funnelkit.arguments import check_kind, check_names
from funnelkit.calendar.calendar import Calendar, Moment
from funnelkit.calendar.fiscal import RetailCalendar
from funnelkit.catalog.default import registry
from funnelkit.data.binding import BoundFrame, bind_empty, key_type_faults, with_key_types
from funnelkit.data.bound_table import BoundTable
from funnelkit.data.shop_data import Assumption, ShopData
from funnelkit.data.sources import FILE_TYPES, Source
from funnelkit.engines.base import Database
from funnelkit.engines.polars.frames import Frames
from funnelkit.engines.runner import Runner
from funnelkit.errors import (
    ContractError,
    DataError,
    DataIssue,
    DefinitionError,
    UnknownNameError,
    UnsupportedError,
    some,
)
from funnelkit.formula.derived import Default
from funnelkit.formula.formulas import source_of
from funnelkit.formula.properties import aggregates, columns_of, inputs, natives
from funnelkit.formula.table import Table
from funnelkit.metrics.metric import Metric
from funnelkit.schema.policies import POLICIES, OrderPolicy
from funnelkit.schema.shop_schema import shop_schema
from funnelkit.schema.tables import known_tables
from funnelkit.schema.taxes import WITH_TAX
from funnelkit.shop.check_report import CheckReport, reported
from funnelkit.shop.description import Description, Note, Topic, described
from funnelkit.shop.settings import (
    MAPPING,
    Settings,
    check_settings,
    is_kind,
    read_files,
    read_settings,
)
from funnelkit.shop.summary import summary_html, summary_text

__all__ = ["Shop"]


class Shop:
    """Frames bound to the canonical tables.

    Args:
        settings: See `Settings`.
        frames: By table name: a Polars frame, anything with the Arrow PyCapsule
            interface, or a path or glob.

    Raises:
        UnknownNameError: A table, policy or zone does not exist.
        ContractError: Sources cannot be read, renamed columns do not exist, or
            columns have types that cannot hold what they should.
        DefinitionError: A setting has the wrong type.

    Examples:
        >>> import datetime as dt
        >>> import polars as pl
        >>> orders = pl.DataFrame({
        ...     "id": [1, 2], "ordered_at": [dt.date(2024, 5, 1)] * 2,
        ...     "status": ["paid", "cancelled"], "gross_amount": [50.0, 70.0],
        ...     "discount_amount": [0.0, 0.0],
        ... })
        >>> shop = Shop(orders=orders, rename={"orders": {"id": "order_id"}})
        >>> sorted(shop.tables)
        ['orders']
    """

    def __init__(  # noqa: PLR0913  # the settings, each by keyword
        self,
        *,
        rename: Mapping[str, Mapping[str, str]] | None = None,
        time_zone: str = "UTC",
        currency: str = "",
        order_policy: str | OrderPolicy = "default",
        assume_empty: Sequence[str] = (),
        as_of: Moment | None = None,
        week_start: str = "monday",
        fiscal_year: str | RetailCalendar = "01-01",
        prices_include_tax: bool = False,
        guards: bool = True,
        tables: Sequence[type[Table]] = (),
        engine: Database | None = None,
        **frames: Source,
    ) -> None:
        rename = {} if rename is None else rename
        check_settings(
            rename=rename,
            time_zone=time_zone,
            currency=currency,
            order_policy=order_policy,
            assume_empty=assume_empty,
            as_of=as_of,
            fiscal_year=fiscal_year,
            prices_include_tax=prices_include_tax,
            guards=guards,
            tables=tables,
            engine=engine,
        )
        calendar = Calendar(time_zone=time_zone, week_start=week_start, fiscal_year=fiscal_year)
        self.order_policy, self._database = _policy(order_policy), engine or Frames()
        schema = shop_schema(self.order_policy, tables=tables, with_tax=prices_include_tax)
        if prices_include_tax:
            rename = _with_tax(self._database, schema.tables, frames, rename)
        self.data = ShopData(
            tables=_bound(self._database, schema.tables, frames, rename, assume_empty),
            schema=schema,
            calendar=calendar,
            currency=currency,
            guards=guards,
            given_as_of=calendar.moment(as_of, "as_of"),
        )
        self.notes: tuple[Note, ...] = ()

    @property
    def tables(self) -> Mapping[str, BoundTable]:
        """The bound tables, by name."""
        return self.data.tables

    @property
    def frames(self) -> Mapping[str, pl.LazyFrame]:
        """The bound tables as lazy frames with canonical names and types, by name.

        Raises:
            UnsupportedError: A table is in a database.
        """
        frames = {n: b.frame for n, b in self.tables.items() if isinstance(b, BoundFrame)}
        if len(frames) < len(self.tables):
            raise UnsupportedError("frames of a shop on a database", "the data stays there")
        return frames

    @property
    def runner(self) -> Runner:
        """What carries out plans on the bound tables."""
        return Runner(self.data, self._database.engine(self.data))

    def refresh(self) -> None:
        """Bind again the tables whose files or rows have changed; every question does that first.

        Raises:
            ContractError: One of them can no longer be bound.
        """
        self.data.refresh(self._database.changed)

    @classmethod
    def on(cls, engine: Database, /, **everything: Any) -> Shop:
        """Bind tables where they are: metrics are computed there, and the data stays.

        Args:
            engine: Where the tables are, such as `fk.DuckDB(connection)`.
            everything: The settings, as for `Shop`, and the tables: for each its name in
                the database, a relation of the connection, a frame, or the `Path` of files.

        Raises:
            FunnelkitError: As for `Shop`.
        """
        check_kind("engine", engine, (Database,), "connect first: fk.DuckDB(connection)")
        return cls(**everything, engine=engine)

    @classmethod
    def scan(cls, folder: str | Path, **settings: Unpack[Settings]) -> Shop:
        """Bind every file in a folder that is named after a table: `orders.parquet`.

        A `funnelkit.toml` in the folder gives settings, and under `files` the names of other
        files by table; the settings passed here win.

        Args:
            folder: The folder.
            settings: As for `Shop`.

        Raises:
            DataError: The folder does not exist, or has no file to bind.
        """
        if not is_kind(folder, str, Path):
            raise DataError(f"a {type(folder).__name__} is not a folder", "pass its path")
        path = Path(folder)
        if not path.is_dir():
            raise DataError(f"there is no folder {str(path)!r}")
        merged: Settings = {**read_settings(path / MAPPING), **settings}
        names = known_tables(merged.get("tables", ()))
        frames: dict[str, Source] = {n: path / f for n, f in read_files(path / MAPPING).items()}
        for file in sorted(path.iterdir()):
            if file in frames.values():
                continue
            if file.suffix.lower() in FILE_TYPES and file.stem in names:
                if file.stem in frames:
                    raise DataError(f"{str(path)!r} has two files for {file.stem}", "keep one")
                frames[file.stem] = file
        if not frames:
            raise DataError(
                f"{str(path)!r} has no file named after a table",
                "name files " + ", ".join(f"{name}.parquet" for name in list(names)[:3]) + ", …",
            )
        return cls.bind(frames, **merged)

    @classmethod
    def bind(cls, frames: Mapping[str, Source], **settings: Unpack[Settings]) -> Shop:
        """Bind frames given as a mapping by table name.

        Args:
            frames: The frames, by table.
            settings: As for `Shop`.

        Raises:
            FunnelkitError: As for `Shop`; or the frames are not by name.
        """
        check_kind("frames", frames, (Mapping,), "name their tables: {'orders': frame}")
        check_names("table", frames)
        everything: dict[str, Any] = {**settings, **frames}
        return cls(**everything)

    def __repr__(self) -> str:
        return summary_text(self._settings, self.tables)

    def _repr_html_(self) -> str:
        return summary_html(self._settings, self.tables)

    @property
    def _settings(self) -> str:
        currency = f", {self.data.currency}" if self.data.currency else ""
        policy = f"order policy {self.order_policy.name!r}"
        return f"Shop in {self.data.calendar.time_zone}{currency}, {policy}"

    def metrics(self, metrics: Mapping[str, Metric] | None = None) -> pl.DataFrame:
        """Return what can be computed from the bound tables, and what the rest needs.

        Args:
            metrics: The metrics to look at; those of the default registry by default.

        Returns:
            A frame with columns `metric`, `title`, `is_ready` and `missing`, a
            list of tables and columns; the ready ones first.
        """
        chosen = registry() if metrics is None else metrics
        rows = [
            {
                "metric": metric.name,
                "title": metric.title,
                "missing": sorted(self.missing(metric)),
            }
            for metric in chosen.values()
        ]
        schema: dict[str, PolarsDataType] = {
            "metric": pl.String(),
            "title": pl.String(),
            "missing": pl.List(pl.String()),
        }
        frame = pl.DataFrame(rows, schema=schema)
        ready = (pl.col("missing").list.len() == 0).alias("is_ready")
        return frame.select("metric", "title", ready, "missing").sort(
            "is_ready", descending=True, maintain_order=True
        )

    def describe(self) -> Description:
        """Return what was recognised, ignored and assumed, and what is missing for which KPIs."""
        return described((*self.notes, *_of_tables(self.data), *_of_missing(self.metrics())))

    def add_notes(self, notes: Sequence[Note]) -> None:
        """Add to what `describe` returns; what is said to be missing is also said in errors."""
        self.notes += tuple(notes)
        missing = {note.subject: note.text for note in notes if note.topic is Topic.MISSING}
        self.data.schema = replace(self.data.schema, hints={**self.data.schema.hints, **missing})

    def check(self) -> CheckReport:
        """Return the errors and warnings that reading all of the data shows, the worst first.

        Errors prevent numbers from being computed; warnings do not.

        Returns:
            A frame with columns `table`, `check`, `severity`, `rows`, `sample`, the keys and
            values of a few of the rows, and `remedy`, what to do; empty where nothing was found.
        """
        return reported(self.runner.violations())

    def complete_days(
        self, *, metric: str | Metric | None = None
    ) -> tuple[dt.date, dt.date] | None:
        """Return the first and the last day that the data is known to cover whole.

        The first is the day of the first session, event, order or cart, or of the first row of
        `daily_sessions`; of a shop without these, of the first row of any table. The last is the
        day before the as-of time where that was given, else the last day on which any of them
        happened. The day of a first row counts as whole.

        Args:
            metric: A metric, or its name: then the first day is the first on which every
                table that it reads, or derives columns from, has begun. Tables of what follows
                something else, such as returns, are not waited for.

        Returns:
            Both days, in the shop's zone; None where no day is known whole.
        """
        self.refresh()
        as_of, clocks = self.runner.as_of(), {clock.table for clock in self.data.schema.clocks}
        started = self._started(clocks) or self._started(self.tables)
        if as_of is None or not started:
            return None
        first, last = min(started), self.data.calendar.shown(as_of).date()
        if self.data.given_as_of is not None:
            last -= dt.timedelta(days=1)
        if first.date() > last:
            return None
        if metric is not None:
            formula = _found(metric).formula
            read = {*inputs(formula, as_read=self.data.total_of), *self.data.counted_for(formula)}
            first = max(self._started(sorted(read)), default=first)
        return first.date(), last

    def _started(self, names: Iterable[str]) -> list[dt.datetime]:
        """Return the times of the first rows of tables whose rows wait for nothing else."""
        waiting = {clock.table for clock in self.data.schema.late_clocks}
        found = [
            self.runner.earliest(name)
            for name in names
            if name in self.tables
            and name not in waiting
            and not self.tables[name].is_assumed_empty
        ]
        return [start for start in found if start is not None]

    def missing(self, metric: str | Metric) -> frozenset[str]:
        """Return the tables and columns that a metric is missing, by name.

        Args:
            metric: The metric, or its name in the default registry.
        """
        data, formula = self.data, _found(metric).formula
        folds = [data.total_of(fold) for fold in aggregates(formula)]
        read = [one for fold in folds for one in (*columns_of(fold), *data.placed_by(fold))]
        tables = {*map(source_of, folds), *(native.table for native in natives(formula))}
        for native in natives(formula):
            names = native.expression.meta.root_names() if native.table in self.tables else ()
            read += [data.column(native.table, name) for name in names]
        return frozenset(tables - self.tables.keys()).union(*map(data.missing_for, read))


def _found(metric: str | Metric) -> Metric:
    return registry()[metric] if isinstance(metric, str) else metric


def _of_tables(data: ShopData) -> Iterator[Note]:
    """Yield what was bound to each table, and what is assumed of it."""
    for name, bound in data.tables.items():
        if bound.is_assumed_empty:
            yield Note(Topic.ASSUMED, name, str(Assumption(name)))
            continue
        own = [column for column in bound.columns if column in bound.table.columns]
        yield Note(Topic.RECOGNISED, name, ", ".join(own))
        if others := [column for column in bound.columns if column not in own]:
            text = f"{', '.join(others)}: no KPI reads them; use them in by= and where="
            yield Note(Topic.IGNORED, name, text)
        for column in bound.table.columns.values():
            rule = None if data.is_supplied(column) else data.rule(column)
            if isinstance(rule, Default):
                text = str(Assumption(name, column.name, rule.value))
                yield Note(Topic.ASSUMED, name, text)


def _of_missing(metrics: pl.DataFrame) -> Iterator[Note]:
    """Yield what is missing, with the metrics that need it."""
    unready = metrics.filter(
        ~pl.col("is_ready") & ~pl.col("metric").str.contains(".", literal=True)
    )
    grouped = unready.group_by("missing", maintain_order=True).agg("metric")
    for names, wanted in grouped.rows():
        yield Note(Topic.MISSING, ", ".join(names), f"needed by {some(wanted, most=6)}")


def _check_names(
    known: Mapping[str, type[Table]],
    frames: Mapping[str, object],
    rename: Mapping[str, Mapping[str, str]],
    assume_empty: Sequence[str],
) -> None:
    for name in frames:
        if name not in known:
            names = [*known, *Settings.__annotations__]
            raise UnknownNameError("table or setting", name, names)
    for name in (*rename, *assume_empty):
        if name not in known:
            raise UnknownNameError("table", name, list(known))
    if both := sorted(set(frames) & set(assume_empty)):
        raise DefinitionError(f"{both[0]} is bound and assumed empty", "do one of the two")


def _bound(
    database: Database,
    known: Mapping[str, type[Table]],
    frames: Mapping[str, object],
    rename: Mapping[str, Mapping[str, str]],
    assume_empty: Sequence[str],
) -> dict[str, BoundTable]:
    _check_names(known, frames, rename, assume_empty)
    faults: list[DataIssue] = []
    bound = with_key_types(database.bind(known, frames, rename, faults))
    for name in assume_empty:
        bound[name] = bind_empty(known[name], bound)
    faults += key_type_faults(bound)
    if faults:
        raise ContractError(faults)
    return bound


def _with_tax(
    database: Database,
    known: Mapping[str, type[Table]],
    frames: Mapping[str, object],
    rename: Mapping[str, Mapping[str, str]],
) -> dict[str, Mapping[str, str]]:
    """Return how columns are renamed so that amounts are read as amounts with tax."""
    names = {(amount.table, amount.name): taxed.name for amount, taxed in WITH_TAX.items()}
    tables = {name: frames[name] for name, _ in names if name in frames}
    merged = dict(rename)
    for name, bound in database.bind(known, tables, rename, []).items():
        old = {new: old for old, new in rename.get(name, {}).items()}
        taxed = {
            old.get(column, column): names[name, column]
            for column in bound.columns
            if (name, column) in names
        }
        merged[name] = {**rename.get(name, {}), **taxed}
    return merged


def _policy(given: str | OrderPolicy) -> OrderPolicy:
    if isinstance(given, OrderPolicy):
        return given
    if given not in POLICIES:
        raise UnknownNameError("order policy", given, list(POLICIES))
    return POLICIES[given]

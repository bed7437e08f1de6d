"""A shop: the user's frames bound to the canonical tables.

Binding looks at schemas only. Every fault is reported at once. Which columns
are derived, and by which rule, is decided here and carried out by an engine.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack, cast

import polars as pl
from polars._typing import PolarsDataType
from typing_extensions import TypedDict

from funnelkit.binding import Bound, bind_empty, bind_frame, key_type_faults
from funnelkit.calendar import Calendar, Moment
from funnelkit.catalog import BUILT_IN
from funnelkit.derivations import POLICIES, RULES, OrderPolicy, policy_rules
from funnelkit.errors import (
    ContractError,
    DataError,
    DefinitionError,
    Fault,
    UnknownNameError,
    shortened,
)
from funnelkit.fiscal import WeekYear
from funnelkit.formula.properties import inputs
from funnelkit.formula.table import Table
from funnelkit.formula.values import Category, Column, Lookup, Time
from funnelkit.metric import Metric
from funnelkit.rules import Default, Rule, dependencies
from funnelkit.sources import FILE_TYPES, Source
from funnelkit.tables import TABLES

__all__ = ["Seen", "Settings", "Shop"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was learnt of a table when its keys were verified.

    Attributes:
        rows: The number of rows.
        earliest: The instant of the first row, where rows have times.
        latest: The instant of the last row.
    """

    rows: int
    earliest: dt.datetime | None
    latest: dt.datetime | None


class Settings(TypedDict, total=False):
    """What a shop is told besides its frames.

    Attributes:
        rename: By table: the column as it is called, and the canonical name.
        time_zone: The zone whose clock decides; naive times are read in it.
        currency: The code of the currency of all amounts, for display.
        order_policy: Which orders count: "default", "shopify", "captured", "all".
        assume_empty: Tables that are truly empty: no returns, no other costs.
        as_of: The moment up to which the data is known; by default the latest
            time of any session, event, order or cart.
        week_start: The first day of the week.
        fiscal_year: When the year begins, for months, quarters and years: month
            and day as "04-01", or a `WeekYear` of whole weeks.
        guards: Whether broken promises of the data raise an error.
        tables: Declarations of tables beyond the canonical ones.
    """

    rename: Mapping[str, Mapping[str, str]]
    time_zone: str
    currency: str
    order_policy: str | OrderPolicy
    assume_empty: Sequence[str]
    as_of: Moment | None
    week_start: str
    fiscal_year: str | WeekYear
    guards: bool
    tables: Sequence[type[Table]]


class Shop:
    """The user's frames, bound to the canonical tables.

    Args:
        settings: See `Settings`.
        frames: By table name: a Polars frame, anything with the Arrow PyCapsule
            interface, or a path or glob.

    Raises:
        UnknownNameError: A table, policy or zone does not exist.
        ContractError: Sources cannot be read, renamed columns do not exist, or
            columns have types that cannot hold what they should.
        DefinitionError: A setting is of the wrong kind.

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
        fiscal_year: str | WeekYear = "01-01",
        guards: bool = True,
        tables: Sequence[type[Table]] = (),
        **frames: Source,
    ) -> None:
        rename = {} if rename is None else rename
        _check_settings(
            rename=rename,
            time_zone=time_zone,
            currency=currency,
            order_policy=order_policy,
            assume_empty=assume_empty,
            as_of=as_of,
            fiscal_year=fiscal_year,
            guards=guards,
            tables=tables,
        )
        self.calendar = Calendar(
            time_zone=time_zone, week_start=week_start, fiscal_year=fiscal_year
        )
        self.currency = currency
        self.policy = _policy(order_policy)
        self.guards = guards
        self.known = {**TABLES, **{table.table: table for table in tables}}
        self.rules: Mapping[Column, tuple[Rule, ...]] = {**RULES, **policy_rules(self.policy)}
        self.given_as_of = self.calendar.moment(as_of, "as_of")
        self.seen: dict[str, Seen] = {}
        self.seen_as_of: dt.datetime | None = None
        self.tables = self._bind(frames, rename, assume_empty)

    @classmethod
    def scan(cls, folder: str | Path, **settings: Unpack[Settings]) -> Shop:
        """Bind every file of a folder that is named like a table: `orders.parquet`.

        A `funnelkit.toml` in the folder gives settings; the ones passed here win.

        Args:
            folder: The folder.
            settings: As for `Shop`.

        Raises:
            DataError: There is no such folder, or nothing in it to bind.
        """
        if not _is_kind(folder, str, Path):
            raise DataError(f"a {type(folder).__name__} is no folder", "give its path")
        path = Path(folder)
        if not path.is_dir():
            raise DataError(f"there is no folder {str(path)!r}")
        merged: Settings = {**_read_settings(path / "funnelkit.toml"), **settings}
        names = {**TABLES, **{table.table: table for table in merged.get("tables", ())}}
        frames: dict[str, Source] = {}
        for file in sorted(path.iterdir()):
            if file.suffix.lower() in FILE_TYPES and file.stem in names:
                if file.stem in frames:
                    raise DataError(f"{str(path)!r} has two files for {file.stem}", "keep one")
                frames[file.stem] = file
        if not frames:
            raise DataError(
                f"{str(path)!r} has no file named like a table",
                "name files " + ", ".join(f"{name}.parquet" for name in list(names)[:3]) + ", …",
            )
        return cls.bind(frames, **merged)

    @classmethod
    def bind(cls, frames: Mapping[str, Source], **settings: Unpack[Settings]) -> Shop:
        """Bind frames given as a mapping by table name.

        Args:
            frames: The frames, by table.
            settings: As for `Shop`.
        """
        everything: dict[str, Any] = {**settings, **frames}
        return cls(**everything)

    def __repr__(self) -> str:
        lines = [f"Shop in {self.calendar.time_zone}, order policy {self.policy.name!r}"]
        for name, bound in self.tables.items():
            rows = "" if bound.rows is None else f" ({bound.rows:,} rows)"
            lines.append(f"  {name}{rows}: {', '.join(bound.columns)}")
        return "\n".join(lines)

    def supplies(self, column: Column) -> bool:
        """Say whether a column was supplied as it is."""
        bound = self.tables.get(column.table)
        return bound is not None and column.name in bound.columns

    def rate(self, table: str) -> Column | None:
        """Give the column of a table's exchange rates, where amounts are to be converted."""
        column = self.known[table].columns.get("fx_rate")
        return None if column is None or self.lacks(column) else column

    def size(self, table: str) -> int | None:
        """Give the number of rows of a table, where it is known without reading."""
        return self.seen[table].rows if table in self.seen else self.tables[table].rows

    def extent(self, column: Column) -> tuple[dt.datetime, dt.datetime] | None:
        """Give the first and last instant of the times by which rows enter a period, if known."""
        rule = None if self.supplies(column) else self.rule(column)
        while isinstance(rule, Lookup):
            rule = rule.value
        clock = rule if isinstance(rule, Column) else column
        seen = self.seen.get(clock.table)
        if seen is None or clock.name != self.known[clock.table].time:
            return None
        return (seen.earliest, seen.latest) if seen.earliest and seen.latest else None

    def rule(self, column: Column) -> Rule | None:
        """Give the rule that derives a column; None where there is none that can."""
        return self._rule(column, frozenset())

    def lacks(self, column: Column | Lookup) -> frozenset[str]:
        """Give what is missing for a column or lookup: tables and columns, by name."""
        return self._lacks(column, frozenset())

    def metrics(self, metrics: Mapping[str, Metric] | None = None) -> pl.DataFrame:
        """List what can be computed from the bound tables, and what the rest would need.

        Args:
            metrics: The metrics to look at; the built-in ones by default.

        Returns:
            A frame with columns `metric`, `title`, `is_ready` and `missing`, a
            list of tables and columns; the ready ones first.
        """
        chosen = BUILT_IN if metrics is None else metrics
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

    def missing(self, metric: Metric) -> frozenset[str]:
        """Give the tables and columns that a metric still wants, by name."""
        found: set[str] = set()
        for table, names in inputs(metric.formula).items():
            if table not in self.tables:
                found.add(table)
                continue
            for name in names:
                found |= self.lacks(self.column(table, name))
        return frozenset(found)

    def column(self, table: str, name: str) -> Column:
        """Give a column of a bound table: a declared one, or an extra one of the frame."""
        declared = self.known[table].columns.get(name)
        if declared is not None:
            return declared
        is_time = isinstance(self.tables[table].columns.get(name), pl.Date | pl.Datetime)
        return (Time if is_time else Category)(table=table, name=name, is_declared=False)

    def _rule(self, column: Column, seen: frozenset[Column]) -> Rule | None:
        for rule in self.rules.get(column, ()):
            if isinstance(rule, Default):
                if not any(self.supplies(other) for other in rule.absent):
                    return rule
            elif not self._lacking(rule, seen | {column}):
                return rule
        return None

    def _lacks(self, column: Column | Lookup, seen: frozenset[Column]) -> frozenset[str]:
        if isinstance(column, Lookup):
            return self._lacks(column.key, seen) | self._lacks(column.value, seen)
        if column.table not in self.tables:
            return frozenset({column.table})
        if self.supplies(column):
            return frozenset()
        own = frozenset({f"{column.table}.{column.name}"})
        if column in seen or column not in self.rules:
            return own
        if self._rule(column, seen) is not None:
            return frozenset()
        wanted = [rule for rule in self.rules[column] if not isinstance(rule, Default)]
        lacking = self._lacking(wanted[0], seen | {column}) if wanted else frozenset[str]()
        return lacking or own

    def _lacking(self, rule: Rule, seen: frozenset[Column]) -> frozenset[str]:
        found = (self._lacks(column, seen) for column in dependencies(rule))
        return frozenset[str]().union(*found)

    def _bind(
        self,
        frames: Mapping[str, Source],
        rename: Mapping[str, Mapping[str, str]],
        assume_empty: Sequence[str],
    ) -> dict[str, Bound]:
        for name in frames:
            if name not in self.known:
                known = [*self.known, *Settings.__annotations__]
                raise UnknownNameError("table or setting", name, known)
        for name in (*rename, *assume_empty):
            if name not in self.known:
                raise UnknownNameError("table", name, list(self.known))
        if both := sorted(set(frames) & set(assume_empty)):
            raise DefinitionError(f"{both[0]} is bound and assumed empty", "do one of the two")
        faults: list[Fault] = []
        bound = {
            name: bind_frame(self.known[name], source, rename.get(name, {}), faults)
            for name, source in frames.items()
        }
        for name in assume_empty:
            bound[name] = bind_empty(self.known[name], bound)
        faults += key_type_faults(bound)
        if faults:
            raise ContractError(faults)
        return bound


def _policy(given: str | OrderPolicy) -> OrderPolicy:
    if isinstance(given, OrderPolicy):
        return given
    if given not in POLICIES:
        raise UnknownNameError("order policy", given, list(POLICIES))
    return POLICIES[given]


def _read_settings(path: Path) -> Settings:
    if not path.exists():
        return {}
    allowed = set(Settings.__annotations__) - {"tables", "guards"}
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{path.name} cannot be read: {error}") from None
    for name in given:
        if name not in allowed:
            raise UnknownNameError(f"setting in {path.name}", name, sorted(allowed))
    if wrong := [name for name, value in given.items() if not _is_setting(name, value)]:
        raise DefinitionError(
            f"{path.name} has settings of the wrong kind: {', '.join(wrong)}",
            "rename is a table per table, assume_empty a list of names, the rest are texts",
        )
    return given  # type: ignore[return-value]  # its names are checked, its values by Shop


def _check_settings(**given: object) -> None:
    if wrong := [name for name, value in given.items() if not _is_setting(name, value)]:
        raise DefinitionError(
            "settings of the wrong kind: "
            + ", ".join(f"{name}={shortened(repr(given[name]))}" for name in wrong),
            "rename maps tables to mappings of columns, assume_empty and tables are lists, "
            "guards is true or false, the rest are texts",
        )


def _is_setting(name: str, value: object) -> bool:
    match name:
        case "rename":
            return all(
                isinstance(part, str) or _holds_texts(part) for part in _members(value, Mapping)
            )
        case "assume_empty":
            return all(_is_kind(item, str) for item in _members(value, Sequence))
        case "tables":
            return all(
                isinstance(item, type) and issubclass(item, Table)
                for item in _members(value, Sequence)
            )
        case "as_of":
            return value is None or isinstance(value, str | dt.date)
        case "guards":
            return isinstance(value, bool)
        case "order_policy":
            return isinstance(value, str | OrderPolicy)
        case "fiscal_year":
            return isinstance(value, str | WeekYear)
        case _:
            return isinstance(value, str)


def _is_kind(value: object, *kinds: type) -> bool:
    return isinstance(value, kinds)


def _holds_texts(value: object) -> bool:
    return all(_is_kind(item, str) for item in _members(value, Mapping))


def _members(value: object, kind: type) -> list[object]:
    """Give the members of a sequence, the names and values of a mapping; of others, None."""
    if not isinstance(value, kind) or isinstance(value, str):
        return [None]
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value)
        return [*items, *items.values()]
    return list(cast("Sequence[object]", value))

"""The settings of a shop, from code or from a file."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from typing_extensions import TypedDict

from funnelkit.calendar.calendar import Moment
from funnelkit.calendar.fiscal import RetailCalendar
from funnelkit.engines.base import Database
from funnelkit.errors import DefinitionError, UnknownNameError, shortened
from funnelkit.formula.table import Table
from funnelkit.schema.policies import OrderPolicy

__all__ = ["MAPPING", "Settings", "check_settings", "is_kind", "read_files", "read_settings"]

MAPPING = "funnelkit.toml"
"""The file of a folder that holds its settings, and which file is which table."""


class Settings(TypedDict, total=False):
    """The settings of a shop.

    Attributes:
        rename: By table: the name of a column in the frame, and its canonical name.
        time_zone: The time zone of the shop; times without a zone are read in it.
        currency: The code of the currency of all amounts, for display.
        order_policy: Which orders count: "default", "shopify", "captured", "all".
        assume_empty: Tables that are truly empty: no returns, no other costs.
        as_of: The moment before which rows count; later ones are left out. By default the latest
            time of any session, event, order or cart.
        week_start: The first day of the week.
        fiscal_year: When the year begins, for months, quarters and years: month
            and day as "04-01", or a `RetailCalendar` of whole weeks.
        prices_include_tax: Whether the amounts of orders, lines and returns include tax; it
            is taken out by the tax of the line, otherwise by that of the order.
        guards: Whether failed checks of the data raise an error.
        tables: Declarations of tables beyond the canonical ones.
        engine: Where the tables are, or what reads the files, if not Polars: see `Shop.on`.
    """

    rename: Mapping[str, Mapping[str, str]]
    time_zone: str
    currency: str
    order_policy: str | OrderPolicy
    assume_empty: Sequence[str]
    as_of: Moment | None
    week_start: str
    fiscal_year: str | RetailCalendar
    prices_include_tax: bool
    guards: bool
    tables: Sequence[type[Table]]
    engine: Database | None


def read_settings(path: Path) -> Settings:
    """Return the settings in a file; empty where there is no file.

    Raises:
        DefinitionError: It cannot be read, or a setting has the wrong type.
        UnknownNameError: A setting is unknown.
    """
    given = _read(path)
    given.pop(FILES, None)
    allowed = set(Settings.__annotations__) - {"tables", "guards", "engine"}
    for name in given:
        if name not in allowed:
            raise UnknownNameError(f"setting in {path.name}", name, sorted(allowed))
    if wrong := [name for name, value in given.items() if not _is_setting(name, value)]:
        raise DefinitionError(
            f"{path.name} has settings of the wrong type: {', '.join(wrong)}",
            "rename is a table per table, assume_empty a list of names, "
            "prices_include_tax true or false, the rest are texts",
        )
    return given  # type: ignore[return-value]  # its names are checked, its values by Shop


def read_files(path: Path) -> dict[str, str]:
    """Return which file is which table, as a file of settings says: names of files by table.

    Raises:
        DefinitionError: It cannot be read, or `files` is not a table of texts.
    """
    files: object = _read(path).get(FILES, {})
    if not _holds_texts(files):
        problem = f"{path.name} has files that are not names: {shortened(repr(files))}"
        raise DefinitionError(problem, 'write them as in orders = "export.csv"')
    return cast("dict[str, str]", files)


FILES = "files"


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{path.name} cannot be read: {error}") from None


def check_settings(**given: object) -> None:
    """Raise if settings have the wrong type.

    Raises:
        DefinitionError: Lists all such settings.
    """
    if wrong := [name for name, value in given.items() if not _is_setting(name, value)]:
        raise DefinitionError(
            "settings of the wrong type: "
            + ", ".join(f"{name}={shortened(repr(given[name]))}" for name in wrong),
            "rename maps tables to mappings of columns, assume_empty and tables are lists, "
            "guards and prices_include_tax are true or false, engine is fk.DuckDB(…), "
            "the rest are texts",
        )


def _is_setting(name: str, value: object) -> bool:
    match name:
        case "rename":
            return all(
                isinstance(part, str) or _holds_texts(part) for part in _members(value, Mapping)
            )
        case "assume_empty":
            return all(is_kind(item, str) for item in _members(value, Sequence))
        case "tables":
            return all(
                isinstance(item, type) and issubclass(item, Table)
                for item in _members(value, Sequence)
            )
        case "as_of":
            return value is None or isinstance(value, str | dt.date)
        case "engine":
            return value is None or isinstance(value, Database)
        case "guards" | "prices_include_tax":
            return isinstance(value, bool)
        case "order_policy":
            return isinstance(value, str | OrderPolicy)
        case "fiscal_year":
            return isinstance(value, str | RetailCalendar)
        case _:
            return isinstance(value, str)


def is_kind(value: object, *kinds: type) -> bool:
    """Return whether a value is of one of the types at run time, whatever its annotation."""
    return isinstance(value, kinds)


def _holds_texts(value: object) -> bool:
    return all(is_kind(item, str) for item in _members(value, Mapping))


def _members(value: object, kind: type) -> list[object]:
    """Return the members of a sequence, or the keys and values of a mapping; else `[None]`."""
    if not isinstance(value, kind) or isinstance(value, str):
        return [None]
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value)
        return [*items, *items.values()]
    return list(cast("Sequence[object]", value))

"""Binding one frame to one table: names and types are checked, all problems reported at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from funnelkit.data.sources import Source, Stamp, open_source, stamp_of
from funnelkit.errors import DataError, DataIssue, nearest
from funnelkit.formula.table import Table
from funnelkit.formula.values import (
    Category,
    Column,
    Duration,
    Flag,
    Key,
    Lookup,
    Money,
    Quantity,
    Score,
    Time,
)
from funnelkit.formula.walk import end_of

__all__ = [
    "BoundTable",
    "bind_empty",
    "bind_frame",
    "key_type_faults",
    "kind_faults",
    "with_key_types",
]


@dataclass(frozen=True, slots=True)
class BoundTable:
    """One frame bound to one table.

    Attributes:
        table: The table's declaration.
        frame: The frame with canonical names and types, lazy.
        columns: The supplied columns, by canonical name, with their types.
        rows: The number of rows, where it is known without reading.
        floats: The supplied columns that may hold non-finite numbers.
        source: What was given to be bound.
        rename: How its columns were renamed.
        stamp: The files that it was bound to, as they were then.
        untyped: The columns that came without a type, all of them null.
    """

    table: type[Table]
    frame: pl.LazyFrame
    columns: Mapping[str, pl.DataType]
    rows: int | None
    floats: pl.LazyFrame = field(default_factory=pl.LazyFrame)
    source: Source = field(default_factory=pl.LazyFrame)
    rename: Mapping[str, str] = field(default_factory=dict[str, str])
    stamp: Stamp = ()
    untyped: frozenset[str] = frozenset()

    def has_changed(self) -> bool:
        """Return whether the bound files have changed since."""
        return self.stamp != stamp_of(self.source)


def bind_frame(
    table: type[Table], source: Source, rename: Mapping[str, str], faults: list[DataIssue]
) -> BoundTable:
    """Bind one frame to a table; problems are added to `faults`."""
    try:
        frame, schema, rows = open_source(source)
    except DataError as error:
        faults.append(DataIssue(table.table, "", error.problem, error.remedy))
        return BoundTable(table, pl.LazyFrame(), {}, 0)
    if wrong := _rename_faults(table.table, schema, rename):
        faults += wrong
        return BoundTable(table, frame, {}, rows)
    columns: dict[str, pl.DataType] = {}
    expressions: list[pl.Expr] = []
    for old, found in schema.items():
        new = rename.get(old, old)
        target = _wanted_type(table.columns.get(new), found)
        if isinstance(target, str):
            kind = type(table.columns[new]).__name__.lower()
            problem = f"expected {kind}, found {found}" + (f" in {old!r}" if old != new else "")
            faults.append(DataIssue(table.table, new, problem, target))
            continue
        columns[new] = target
        expressions.append(_canonical(pl.col(old), found, target).alias(new))
    odd = [pl.col(old).alias(rename.get(old, old)) for old, t in schema.items() if t.is_float()]
    return BoundTable(
        table,
        frame.select(expressions),
        columns,
        rows,
        frame.select(odd),
        source,
        rename,
        stamp_of(source),
        frozenset(rename.get(old, old) for old, t in schema.items() if isinstance(t, pl.Null)),
    )


def _rename_faults(table: str, schema: pl.Schema, rename: Mapping[str, str]) -> list[DataIssue]:
    faults: list[DataIssue] = []
    after = Counter(rename.get(name, name) for name in schema)
    for old, new in rename.items():
        if old not in schema:
            close = ", ".join(nearest(old, schema.names()))
            remedy = f"the frame has {close or ', '.join(schema.names())}"
            faults.append(DataIssue(table, old, "is renamed but does not exist", remedy))
        elif after[new] > 1:
            problem = f"would be a second column, renamed from {old!r}"
            faults.append(DataIssue(table, new, problem, "drop or rename the other one"))
    return faults


_WORDS = (pl.String, pl.Categorical, pl.Enum)
_TOO_WIDE = (pl.UInt64, pl.Int128, pl.UInt128)


def _wanted_type(column: Column | None, found: pl.DataType) -> pl.DataType | str:
    """Return the type of a column, or the remedy for one that cannot be used."""
    if isinstance(found, pl.Null):
        return _null_type(column)
    match column:
        case Key():
            if found.is_integer() and not isinstance(found, _TOO_WIDE):
                return pl.Int64()
            if isinstance(found, _WORDS):
                return pl.String()
            return "cast it to a string or an integer: pl.col(…).cast(pl.Int64)"
        case Category():
            return _category_type(found)
        case Money() | Quantity() | Score():
            if found.is_integer() or found.is_float():
                return found
            return pl.Float64() if found.is_decimal() else "cast it: pl.col(…).cast(pl.Float64)"
        case Duration():
            if found.is_numeric() or isinstance(found, pl.Duration):
                return pl.Float64()
            return "convert it to seconds: pl.col(…).dt.total_seconds()"
        case Flag():
            is_flag = isinstance(found, pl.Boolean)
            return found if is_flag else "cast it: pl.col(…).cast(pl.Boolean)"
        case Time():
            if isinstance(found, pl.Date):
                return found
            if isinstance(found, pl.Datetime):
                return pl.Datetime("us", "UTC" if found.time_zone else None)
            return "parse it: pl.col(…).str.to_datetime()"
        case _ if isinstance(found, pl.Duration):
            return pl.Float64()
        case _:
            return pl.String() if isinstance(found, _WORDS) else found


def _category_type(found: pl.DataType) -> pl.DataType | str:
    if isinstance(found, _WORDS):
        return pl.String()
    if found.is_integer():
        return pl.Int64()
    if isinstance(found, pl.Boolean | pl.Date):
        return found
    return "cast it to a string: pl.col(…).cast(pl.String)"


def _null_type(column: Column | None) -> pl.DataType:
    match column:
        case Money() | Quantity() | Score() | Duration():
            return pl.Float64()
        case Flag():
            return pl.Boolean()
        case Time():
            return pl.Datetime("us")
        case _:
            return pl.String()


def _canonical(expr: pl.Expr, found: pl.DataType, target: pl.DataType) -> pl.Expr:
    """Cast to the target; numbers that are not finite become null."""
    if isinstance(found, pl.Duration):
        return expr.dt.total_microseconds() / 1e6
    if isinstance(found, pl.Datetime) and found.time_zone:
        expr = expr.dt.convert_time_zone("UTC")
    cast = expr if found == target else expr.cast(target)
    if found.is_float():
        return pl.when(cast.is_finite()).then(cast)
    return cast


def bind_empty(table: type[Table], bound: Mapping[str, BoundTable]) -> BoundTable:
    """Bind no rows to a table, with keys of the types that the other tables have."""
    columns = {
        name: next(
            (b.columns[name] for b in bound.values() if name in b.columns), _null_type(column)
        )
        for name, column in table.columns.items()
    }
    return BoundTable(table, pl.LazyFrame(schema=columns), columns, 0)


def kind_faults(
    bound: Mapping[str, BoundTable], read: Iterable[Column | Lookup]
) -> list[DataIssue]:
    """Return an issue for every undeclared column whose type is not what a formula declares."""
    faults: dict[DataIssue, None] = {}
    for item in read:
        column = end_of(item)
        found = bound[column.table].columns.get(column.name)
        if column.is_declared or isinstance(column, Category) or found is None:
            continue
        if isinstance(remedy := _wanted_type(column, found), str):
            kind = type(column).__name__.lower()
            problem = f"expected {kind}, found {found}"
            faults[DataIssue(column.table, column.name, problem, remedy)] = None
    return list(faults)


def with_key_types(bound: Mapping[str, BoundTable]) -> dict[str, BoundTable]:
    """Set the type of keys without one to that of the key they refer to, or of the same name."""
    settled: dict[str, BoundTable] = {}
    for name, table in bound.items():
        keys = {
            column: kind for column in table.untyped if (kind := _key_type(bound, table, column))
        }
        frame = table.frame.with_columns(pl.col(c).cast(kind) for c, kind in keys.items())
        columns = {**table.columns, **keys}
        settled[name] = replace(table, frame=frame, columns=columns) if keys else table
    return settled


def _key_type(bound: Mapping[str, BoundTable], table: BoundTable, name: str) -> pl.DataType | None:
    """Return the type of a key in another table; None for other columns and unknown keys."""
    if not isinstance(table.table.columns.get(name), Key):
        return None
    parent = bound.get(table.table.parents.get(name, ""))
    places = [(other, name) for other in bound.values()]
    if parent is not None:
        places.insert(0, (parent, parent.table.key[0]))
    for other, column in places:
        is_key = isinstance(other.table.columns.get(column), Key)
        if is_key and column in other.columns and column not in other.untyped:
            return other.columns[column]
    return None


def key_type_faults(bound: Mapping[str, BoundTable]) -> list[DataIssue]:
    """Return an issue for every key whose type differs from that of the key it refers to."""
    faults: list[DataIssue] = []
    for name, child in bound.items():
        for key, parent_name in child.table.parents.items():
            parent = bound.get(parent_name)
            if parent is None or key not in child.columns or len(parent.table.key) != 1:
                continue
            other = parent.columns.get(parent.table.key[0])
            if other is not None and other != child.columns[key]:
                problem = (
                    f"is {child.columns[key]}, but {parent_name}.{parent.table.key[0]} is {other}"
                )
                faults.append(DataIssue(name, key, problem, "cast one of them so that they match"))
    return faults

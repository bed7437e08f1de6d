"""Binding one frame to one table: names and types are checked, all problems reported at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import polars as pl

from funnelkit.data.advice import advice, odd_values
from funnelkit.data.bound_table import BoundTable, ReadOtherwise
from funnelkit.data.findings import NUMBER_FINITE, TEXT_PADDED, TEXT_WRITTEN, Finding
from funnelkit.data.sources import Opened, Source, Stamp, open_source, stamp_of
from funnelkit.errors import DataError, DataIssue, nearest, shortened
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
    "TEXT_TYPES",
    "BoundFrame",
    "bind_empty",
    "bind_frame",
    "key_type_faults",
    "kind_faults",
    "rename_faults",
    "wanted_type",
    "with_key_types",
]


FEW = 3
"""How many values show what is wrong with a column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundFrame(BoundTable):
    """A frame or files bound to a table.

    Attributes:
        frame: The frame with canonical names and types, lazy.
        floats: The supplied columns that may hold non-finite numbers.
        source: What was given to be bound.
        stamp: The files that it was bound to, as they were then.
        key_texts: The keys that were supplied as words, as they were.
    """

    frame: pl.LazyFrame
    floats: pl.LazyFrame = field(default_factory=pl.LazyFrame)
    source: Source = field(default_factory=pl.LazyFrame)
    stamp: Stamp = ()
    key_texts: pl.LazyFrame = field(default_factory=pl.LazyFrame)

    def has_changed(self) -> bool:
        """Return whether the bound files have changed since."""
        return self.stamp != stamp_of(self.source)

    def bound_anew(self, faults: list[DataIssue]) -> BoundTable:
        """Bind the same files again; a lazy frame over them is a problem."""
        if isinstance(self.source, pl.LazyFrame):
            faults.append(_changed(self))
            return self
        return bind_frame(self.table, self.source, self.rename, faults)

    def read_otherwise(self) -> Iterator[ReadOtherwise]:
        """Yield the values that were not read as they are, column by column."""
        yield from _read_otherwise(self.floats, ~pl.all().is_finite(), NUMBER_FINITE)
        yield from _read_otherwise(self.key_texts, _is_blank(pl.all()), TEXT_WRITTEN)
        yield from _read_otherwise(self.key_texts, _is_padded(pl.all()), TEXT_PADDED)

    def type_fault(self, column: Column, remedy: str) -> DataIssue:
        """Return the issue that a column is of the wrong type, with one of its values."""
        return _type_fault(column, column.name, self.frame, remedy)

    def cast_to_text(self, name: str) -> str:
        """Return the expression that reads a column as words."""
        return f"pl.col({name!r}).cast(pl.String)"

    def word_in(self, name: str) -> str | None:
        """Return a word of a key that is not written as a number is."""
        number = pl.col(name).cast(pl.Int64, strict=False).cast(pl.String)
        odd = self.frame.select(name).filter(number.ne_missing(pl.col(name))).drop_nulls().head(1)
        try:
            word = odd.collect()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
            return None
        return str(word.item()) if word.height else None

    def with_types(self, kinds: Mapping[str, pl.DataType]) -> Self:
        """Return the table with some of its columns cast."""
        frame = self.frame.with_columns(pl.col(name).cast(kind) for name, kind in kinds.items())
        return replace(self, frame=frame, columns={**self.columns, **kinds})


def bind_frame(
    table: type[Table], source: Source, rename: Mapping[str, str], faults: list[DataIssue]
) -> BoundFrame:
    """Bind one frame to a table; problems are added to `faults`."""
    try:
        opened = open_source(source, lambda name: table.columns.get(rename.get(name, name)))
    except DataError as error:
        faults.append(DataIssue(table.table, "", error.problem, error.remedy))
        return BoundFrame(table=table, columns={}, rows=0, frame=pl.LazyFrame())
    frame, schema, rows = opened.frame, opened.schema, opened.rows
    if wrong := rename_faults(table.table, schema, rename):
        faults += wrong
        return BoundFrame(table=table, columns={}, rows=rows, frame=frame)
    columns: dict[str, pl.DataType] = {}
    expressions: list[pl.Expr] = []
    for old, found in schema.items():
        new = rename.get(old, old)
        column = table.columns.get(new)
        target = wanted_type(column, found)
        if isinstance(target, str):
            place = f" in {old!r}" if old != new else ""
            faults.append(_type_fault(table.columns[new], old, frame, target, place))
            continue
        columns[new] = target
        expressions.append(_canonical(pl.col(old), found, target, column).alias(new))
    odd = [pl.col(old).alias(rename.get(old, old)) for old, t in schema.items() if t.is_float()]
    bound = BoundFrame(
        table=table,
        frame=frame.select(expressions),
        columns=columns,
        rows=rows,
        floats=frame.select(odd),
        source=source,
        rename=rename,
        stamp=opened.stamp,
        untyped=frozenset(rename.get(o, o) for o, t in schema.items() if isinstance(t, pl.Null)),
    )
    return _with_key_texts(bound, opened)


def _with_key_texts(bound: BoundFrame, opened: Opened) -> BoundFrame:
    """Remember which keys were supplied as texts, and how they were written."""
    raw = opened.texts if opened.is_text else opened.frame
    keys = {
        old: new
        for old in opened.schema
        if isinstance(bound.table.columns.get(new := bound.rename.get(old, old)), Key)
    }
    words = [
        pl.col(old).cast(pl.String).alias(keys[old])
        for old, found in raw.collect_schema().items()
        if old in keys and isinstance(found, TEXT_TYPES)
    ]
    loose = (new for old, new in keys.items() if opened.is_text and opened.schema[old].is_integer())
    return replace(bound, loose=frozenset(loose), key_texts=raw.select(words))


def _type_fault(
    column: Column, name: str, frame: pl.LazyFrame, otherwise: str, place: str = ""
) -> DataIssue:
    """Return an issue with a column of the wrong type: one of its values, and what to do."""
    found = frame.collect_schema()[name]
    try:
        values = odd_values(frame, name, column)
        where = _row_of(frame, name, values)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        values, where = [], ""
    problem = f"expected {type(column).__name__.lower()}, found {found}{place}"
    if values and isinstance(values[0], str | int | float):
        problem += f", such as {shortened(repr(values[0]))}{where}"
    return DataIssue(column.table, column.name, problem, advice(column, found, values, otherwise))


def _row_of(frame: pl.LazyFrame, name: str, values: Sequence[object]) -> str:
    """Return in which row a text is first, as words; nothing of another value."""
    if not values or not isinstance(values[0], str):
        return ""
    rows = frame.select(value=pl.col(name).cast(pl.String)).with_row_index("row", offset=1)
    return f" in row {rows.filter(value=values[0]).head(1).collect().item(0, 'row'):,}"


def rename_faults(table: str, schema: pl.Schema, rename: Mapping[str, str]) -> list[DataIssue]:
    """Return an issue for every column that cannot be renamed as wanted."""
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


TEXT_TYPES = (pl.String, pl.Categorical, pl.Enum)
"""The types of texts in Polars."""

_TOO_WIDE = (pl.Int128, pl.UInt128)


def wanted_type(column: Column | None, found: pl.DataType) -> pl.DataType | str:
    """Return the type as which a column is read, or the remedy for one that cannot be used."""
    if isinstance(found, pl.Null):
        return _null_type(column)
    match column:
        case Key():
            if found.is_integer() and not isinstance(found, _TOO_WIDE):
                return pl.Int64()
            if isinstance(found, TEXT_TYPES):
                return pl.String()
            if found.is_integer():
                return "its numbers are too long: cast it to a string, pl.col(…).cast(pl.String)"
            return "cast it to a string or an integer: pl.col(…).cast(pl.Int64)"
        case Category():
            return _category_type(column, found)
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
            return pl.String() if isinstance(found, TEXT_TYPES) else found


def _category_type(column: Category, found: pl.DataType) -> pl.DataType | str:
    """Return the type of a category: text where it has a vocabulary, so that codes are no words."""
    if isinstance(found, TEXT_TYPES):
        return pl.String()
    if found.is_integer() or isinstance(found, pl.Boolean | pl.Date):
        return pl.String() if column.values else pl.Int64() if found.is_integer() else found
    if isinstance(found, pl.Object):
        return "it holds Python objects: build it as pl.Series(values, dtype=pl.String)"
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


def _canonical(
    expr: pl.Expr, found: pl.DataType, target: pl.DataType, column: Column | None
) -> pl.Expr:
    """Cast to the target; numbers that are not finite and blank keys become null.

    Keys are read without the blanks around them.
    """
    if isinstance(found, pl.Duration):
        return expr.dt.total_microseconds() / 1e6
    if isinstance(found, pl.Datetime) and found.time_zone:
        expr = expr.dt.convert_time_zone("UTC")
    cast = expr if found == target else expr.cast(target)
    if found.is_float():
        return pl.when(cast.is_finite()).then(cast)
    if isinstance(column, Key) and isinstance(target, pl.String):
        bare = cast.str.strip_chars()
        return pl.when(bare != "").then(bare)
    return cast


def _is_blank(text: pl.Expr) -> pl.Expr:
    return text.str.strip_chars() == ""


def _is_padded(text: pl.Expr) -> pl.Expr:
    return ~_is_blank(text) & (text.str.strip_chars() != text)


def bind_empty(table: type[Table], bound: Mapping[str, BoundTable]) -> BoundFrame:
    """Bind no rows to a table, with keys of the types that the other tables have."""
    columns = {
        name: next(
            (b.columns[name] for b in bound.values() if name in b.columns), _null_type(column)
        )
        for name, column in table.columns.items()
    }
    frame = pl.LazyFrame(schema=columns)
    return BoundFrame(table=table, columns=columns, rows=0, frame=frame, is_assumed_empty=True)


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
        if isinstance(remedy := wanted_type(column, found), str):
            faults[bound[column.table].type_fault(column, remedy)] = None
    return list(faults)


def with_key_types(bound: Mapping[str, BoundTable]) -> dict[str, BoundTable]:
    """Set the type of keys without one, and of numbers in files whose like are words elsewhere."""
    settled = dict(bound)
    while keys := _words_among_numbers(settled):
        for name, columns in keys.items():
            settled[name] = settled[name].with_types(dict.fromkeys(columns, pl.String()))
    for name, table in settled.items():
        found = {column: _key_type(settled, table, column) for column in table.untyped}
        if kinds := {key: kind for key, kind in found.items() if kind}:
            settled[name] = table.with_types(kinds)
    return settled


def _words_among_numbers(bound: Mapping[str, BoundTable]) -> dict[str, list[str]]:
    """Return the keys that are numbers in a file, and words in a file that they are joined with.

    Numbers that a frame holds stay: words in a file beside them are reported.
    """
    found: dict[str, list[str]] = {}
    for name, table in bound.items():
        columns = [
            key
            for key in table.loose
            if table.columns[key].is_integer()
            and any(
                isinstance(other.columns[column], pl.String)
                for other, column in _joined(bound, table, key)
            )
        ]
        if columns:
            found[name] = columns
    return found


def _joined(
    bound: Mapping[str, BoundTable], table: BoundTable, name: str
) -> Iterator[tuple[BoundTable, str]]:
    """Return the supplied keys that a key may be joined with: its parent's first, then others."""
    parent = bound.get(table.table.parents.get(name, ""))
    places = [(other, name) for other in bound.values()]
    if parent is not None:
        places.insert(0, (parent, parent.table.key[0]))
    if table.table.key == (name,):
        places += [
            (child, key)
            for child in bound.values()
            for key, above in child.table.parents.items()
            if above == table.table.table
        ]
    for other, column in places:
        is_key = isinstance(other.table.columns.get(column), Key)
        if is_key and column in other.columns and column not in other.untyped:
            yield other, column


def _key_type(bound: Mapping[str, BoundTable], table: BoundTable, name: str) -> pl.DataType | None:
    """Return the type of a key in another table; None for other columns and unknown keys."""
    if not isinstance(table.table.columns.get(name), Key):
        return None
    return next((other.columns[column] for other, column in _joined(bound, table, name)), None)


def key_type_faults(bound: Mapping[str, BoundTable]) -> list[DataIssue]:
    """Return an issue for every key whose type differs from that of the key it refers to."""
    faults: list[DataIssue] = []
    for name, child in bound.items():
        for key, parent_name in child.table.parents.items():
            parent = bound.get(parent_name)
            if parent is None or key not in child.columns or len(parent.table.key) != 1:
                continue
            target = parent.table.key[0]
            other = parent.columns.get(target)
            if other is not None and other != child.columns[key]:
                place = f"{parent_name}.{target}"
                problem = (
                    f"is {_described(child, key)}, but {place} is {_described(parent, target)}"
                )
                is_word = isinstance(child.columns[key], pl.String)
                numbers, column = (parent, target) if is_word else (child, key)
                remedy = (
                    "cast one of them so that they match: the numbers of "
                    f"{numbers.table.table}.{column} to words, {numbers.cast_to_text(column)}"
                )
                faults.append(DataIssue(name, key, problem, remedy))
    return faults


def _described(table: BoundTable, key: str) -> str:
    """Return the type of a key, and a word of it that is not written as a number is."""
    kind = table.columns[key]
    word = table.word_in(key) if isinstance(kind, pl.String) else None
    return str(kind) if word is None else f"{kind}, such as {word!r}"


def _changed(table: BoundFrame) -> DataIssue:
    """Return the issue that a lazy frame reads a file that is not as it was when it was bound."""
    now = stamp_of(table.source)
    file = next((name for name, *seen in table.stamp if (name, *seen) not in now), "its file")
    problem = f"{file!r} has changed, or is gone, since the LazyFrame over it was bound"
    remedy = "bind it anew: fk.Shop(…); or pass its path, which is read again where it changes"
    return DataIssue(table.table.table, "", problem, remedy)


def _read_otherwise(
    frame: pl.LazyFrame, is_odd: pl.Expr, finding: Finding
) -> Iterator[ReadOtherwise]:
    if not frame.collect_schema():
        return
    counts = frame.select(is_odd.sum()).collect(engine="streaming").row(0, named=True)
    for column, rows in counts.items():
        if rows:
            few = frame.select(column).filter(is_odd).head(FEW).collect()
            yield ReadOtherwise(column, finding, rows, tuple(few.to_series()))

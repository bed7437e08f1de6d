"""Tables of a database that are bound: their columns as the relational plan reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
from sqlglot import exp

from funnelkit.data.binding import rename_faults, wanted_type
from funnelkit.data.bound_table import BoundTable, ReadOtherwise
from funnelkit.data.findings import NUMBER_FINITE, TEXT_PADDED, TEXT_WRITTEN, Finding
from funnelkit.data.shop_data import ShopData
from funnelkit.data.sources import Stamp, stamp_of
from funnelkit.engines.sql.connection import Connection, Found
from funnelkit.engines.sql.names import aliased, quoted, quoted_column, quoted_table
from funnelkit.engines.sql.nodes import IsFinite, SecondsOf, UtcInstant
from funnelkit.engines.sql.operations import cast
from funnelkit.errors import DataError, DataIssue
from funnelkit.formula.table import Table
from funnelkit.formula.values import Category, Column, Duration, Flag, Key, Time
from funnelkit.planning.kinds import kind_of_dtype
from funnelkit.planning.relations import Scan

__all__ = ["SqlTable", "bind_table", "changed_in", "source_of"]

Sql = exp.Expr

_SPACES = (*range(9, 14), *range(28, 33), 133, 160, 5760, *range(8192, 8203), 8232, 8233)
BLANK = "".join(map(chr, (*_SPACES, 8239, 8287, 12288)))
"""The characters of which a text consists that says nothing."""

FEW = 3
"""How many values show what is wrong with a column."""

_TOO_WIDE = (pl.UInt64, pl.Int128, pl.UInt128)
"""Numbers that whole numbers of the plan cannot hold."""

ALIAS = "t"

State = tuple[int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlTable(BoundTable):
    """A table of a database, bound to a table.

    Attributes:
        connection: How it is read.
        place: Where it is.
        found: Its columns.
        state: The number of its rows, and the first and last of each of its times in
            microseconds since 1970, as they were when it was bound: what was learnt of it
            holds as long as they are the same.
        state_query: What reads its state, in columns that are named after it.
        files: The files that it is, if any: they are looked at instead of its state.
        stamp: The files, as they were.
    """

    connection: Connection
    place: exp.Table
    found: Sequence[Found]
    state: State = ()
    state_query: exp.Subquery | None = None
    files: Path | None = None
    stamp: Stamp = ()

    def bound_anew(self, faults: list[DataIssue]) -> BoundTable:
        """Bind the same table again; problems are added to `faults`."""
        bound = bind_table(self.table, self.connection, self.place, self.rename, faults)
        return bound if self.files is None else bound.of_files(self.files)

    def of_files(self, files: Path) -> SqlTable:
        """Return the table of which it is known that it consists of files, as they are now."""
        return replace(self, files=files, stamp=stamp_of(files))

    def read_otherwise(self) -> Iterator[ReadOtherwise]:
        """Yield the values that are not read as they are: numbers, blank keys, then padded ones."""
        odd: dict[Finding, list[tuple[str, Found, Sql]]] = {}
        for name, column in self._raw().items():
            for finding, condition in self._oddities(name, column):
                odd.setdefault(finding, []).append((name, column, condition))
        for finding in (NUMBER_FINITE, TEXT_WRITTEN, TEXT_PADDED):
            for name, column, condition in odd.get(finding, []):
                count = self._select(exp.Count(this=exp.Star()), condition)
                if number := self.connection.run(count).item():
                    few = self._select(quoted_column(column.name, ALIAS), condition).limit(FEW)
                    sample = tuple(self.connection.run(few).to_series())
                    yield ReadOtherwise(name, finding, number, sample)

    def type_fault(self, column: Column, remedy: str) -> DataIssue:
        """Return the issue that a column that was supplied is of the wrong type."""
        del remedy
        return _type_fault(column, self._raw()[column.name], self.connection.dialect)

    def cast_to_text(self, name: str) -> str:
        """Return the SQL that reads a column as words."""
        kind = _type_name("VARCHAR", self.connection.dialect)
        return f"CAST({self._raw()[name].name} AS {kind})"

    def read(self, scan: Scan, alias: str) -> tuple[Sql, Mapping[str, Sql]]:
        """Return what is selected from, and what each column of a scan is there."""
        raw = self._raw()
        columns = {name: self._column(name, raw[name], alias) for name, _ in scan.columns}
        return self._source(alias), columns

    def _raw(self) -> dict[str, Found]:
        """Return its columns as they are, by canonical name."""
        return {self.rename.get(column.name, column.name): column for column in self.found}

    def _source(self, alias: str) -> exp.Table:
        place = self.place.copy()
        place.set("alias", exp.TableAlias(this=quoted(alias)))
        return place

    def _select(self, column: Sql, where: Sql) -> exp.Select:
        rows = exp.Select(expressions=[exp.alias_(column, "c")])
        return rows.from_(self._source(ALIAS)).where(where)

    def _column(self, name: str, found: Found, alias: str) -> Sql:
        """Return a column as the plan reads it: null where it is not finite, or a blank key.

        Keys are read without the blanks around them.
        """
        raw = quoted_column(found.name, alias)
        if isinstance(found.dtype, pl.Duration):
            return SecondsOf(this=raw)
        kind = kind_of_dtype(self.columns[name])
        value = raw if found.exact == kind else cast(raw, kind)
        if found.dtype.is_float():
            return exp.Case(ifs=[exp.If(this=IsFinite(this=raw), true=value)])
        if self._is_text_key(name, found):
            bare = _bare(raw)
            return exp.Case(ifs=[exp.If(this=exp.Not(this=exp.paren(_is_empty(bare))), true=bare)])
        return value

    def _oddities(self, name: str, found: Found) -> Iterator[tuple[Finding, Sql]]:
        """Yield the conditions that a value is not read as it is, each with what it is."""
        raw = quoted_column(found.name, ALIAS)
        if found.dtype.is_float():
            yield NUMBER_FINITE, exp.Not(this=IsFinite(this=raw))
        elif self._is_text_key(name, found):
            empty = _is_empty(_bare(raw))
            yield TEXT_WRITTEN, empty
            is_padded = exp.NEQ(this=_bare(raw), expression=cast(raw, "str"))
            yield TEXT_PADDED, exp.and_(exp.Not(this=exp.paren(empty.copy())), is_padded)

    def _is_text_key(self, name: str, found: Found) -> bool:
        return isinstance(self.table.columns.get(name), Key) and isinstance(found.dtype, pl.String)


def _bare(text: Sql) -> Sql:
    """Return a text without the blanks around it."""
    return exp.Trim(this=cast(text.copy(), "str"), expression=exp.Literal.string(BLANK))


def _is_empty(text: Sql) -> Sql:
    return exp.EQ(this=text.copy(), expression=exp.Literal.string(""))


def bind_table(
    table: type[Table],
    connection: Connection,
    place: exp.Table,
    rename: Mapping[str, str],
    faults: list[DataIssue],
) -> SqlTable:
    """Bind the columns of a table of a database; problems are added to `faults`."""
    bound = SqlTable(
        table=table, columns={}, rows=None, rename=rename,
        connection=connection, place=place, found=[],
    )  # fmt: skip
    try:
        found = connection.columns(place)
    except DataError as error:
        faults.append(DataIssue(table.table, "", error.problem, error.remedy))
        return bound
    schema = pl.Schema({column.name: column.dtype for column in found})
    if wrong := rename_faults(table.table, schema, rename):
        faults += wrong
        return bound
    columns: dict[str, pl.DataType] = {}
    for column in found:
        new = rename.get(column.name, column.name)
        target = wanted_type(table.columns.get(new), column.dtype)
        if isinstance(target, str):
            faults.append(_type_fault(table.columns[new], column, connection.dialect))
        else:
            columns[new] = pl.Float64() if isinstance(target, _TOO_WIDE) else target
    untyped = (rename.get(c.name, c.name) for c in found if isinstance(c.dtype, pl.Null))
    bound = replace(bound, columns=columns, found=found, untyped=frozenset(untyped))
    bound = replace(bound, state_query=_state_query(bound))
    return replace(bound, state=_states(connection, [bound])[table.table])


def source_of(data: ShopData, scan: Scan, alias: str) -> tuple[Sql, Mapping[str, Sql]]:
    """Return what a table is selected from, and what each column of a scan is there.

    One that is assumed empty has no rows; one that is bound to a frame has its own name.
    """
    bound = data.tables[scan.table]
    if isinstance(bound, SqlTable):
        return bound.read(scan, alias)
    columns = {name: quoted_column(name, alias) for name, _ in scan.columns}
    place = quoted(alias)
    if not bound.is_assumed_empty:
        table = quoted_table(scan.table)
        table.set("alias", exp.TableAlias(this=place))
        return table, columns
    named = (aliased(cast(exp.Null(), kind), name) for name, kind in scan.columns)
    nothing = exp.select(*named, copy=False).where(exp.false(), copy=False)
    return nothing.subquery(place, copy=False), columns


def changed_in(connection: Connection, tables: Mapping[str, BoundTable]) -> list[str]:
    """Return the tables that have changed: their files, the number of rows, or an end of time.

    Raises:
        DataError: One of them cannot be read.
    """
    bound = {name: table for name, table in tables.items() if isinstance(table, SqlTable)}
    read = {name: table for name, table in bound.items() if table.files is None}
    states = _states(connection, read.values()) if read else {}
    return [
        name
        for name, table in bound.items()
        if (states[name] != table.state if name in read else stamp_of(table.files) != table.stamp)
    ]


def _states(connection: Connection, tables: Iterable[SqlTable]) -> dict[str, State]:
    """Return the present states of tables, by name; they are read together."""
    queries = {table.table.table: table.state_query for table in tables}
    first, *others = (query.copy() for query in queries.values() if query is not None)
    joins = [exp.Join(this=other, kind="CROSS") for other in others]
    query = exp.Select(expressions=[exp.Star()], joins=joins).from_(first)
    found = connection.run(query).row(0, named=True)
    return {
        name: tuple(end for column, end in found.items() if column.startswith(f"{name}."))
        for name in queries
    }


def _state_query(table: SqlTable) -> exp.Subquery:
    times = [c for c in table.found if isinstance(c.dtype, pl.Date | pl.Datetime)]
    ends = [
        exp.UnixMicros(this=_instant(fold(this=quoted_column(time.name, "")), time.dtype))
        for time in times
        for fold in (exp.Min, exp.Max)
    ]
    name, columns = table.table.table, (exp.Count(this=exp.Star()), *ends)
    named = [aliased(column, f"{name}.{place}") for place, column in enumerate(columns)]
    return exp.Select(expressions=named).from_(table.place).subquery(quoted(name))


def _instant(time: Sql, dtype: pl.DataType) -> Sql:
    """Return a time as an instant; one without a zone as if it were of UTC."""
    is_instant = isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
    return cast(time, "instant") if is_instant else UtcInstant(this=cast(time, "local"))


def _type_fault(column: Column, found: Found, dialect: str) -> DataIssue:
    place = f" in {found.name!r}" if found.name != column.name else ""
    problem = f"expected {type(column).__name__.lower()}, found {found.type}{place}"
    wanted = _type_name(_wanted(column), dialect)
    remedy = f"cast it in a view or a query, and bind that: CAST(… AS {wanted})"
    return DataIssue(column.table, column.name, problem, remedy)


def _type_name(name: str, dialect: str) -> str:
    """Return what a type is called in a dialect."""
    return name if dialect == "duckdb" else exp.DataType.build(name).sql(dialect)


def _wanted(column: Column) -> str:
    match column:
        case Key() | Category():
            return "VARCHAR"
        case Flag():
            return "BOOLEAN"
        case Time():
            return "TIMESTAMP"
        case Duration():
            return "INTERVAL"
        case _:
            return "DOUBLE"

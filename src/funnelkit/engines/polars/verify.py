"""The promises that data must keep: refused where a number rests on them, or listed in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from funnelkit.data.schema import Check, Severity, TotalAboveCheck, WithoutRowsCheck
from funnelkit.data.shop_data import ShopData
from funnelkit.engines.polars.translate import scalar
from funnelkit.errors import DataIssue
from funnelkit.formula.values import Column
from funnelkit.formula.walk import leaves
from funnelkit.planning.derive import lowering_of

__all__ = ["TableChecks", "Violation", "all_findings"]

FEW = 3
Collect = Callable[[pl.LazyFrame], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise, and what shows it.

    Attributes:
        table: The table.
        column: The column, or several.
        problem: What is wrong with a row.
        remedy: What to do about it.
        severity: Whether numbers are refused because of it.
        rows: How many rows break it.
        sample: A few of them.
    """

    table: str
    column: str
    problem: str
    remedy: str
    severity: Severity
    rows: int
    sample: str

    @property
    def fault(self) -> DataIssue:
        """The finding as a fault of an error."""
        such = f", such as {self.sample}" if self.sample else ""
        problem = f"{self.problem}, in {self.rows:,} rows{such}"
        return DataIssue(self.table, self.column, problem, self.remedy)


@dataclass(frozen=True, slots=True)
class TableChecks:
    """The promises of one table, as one query and what it shows.

    Attributes:
        data: The data of the shop.
        table: The table's name.
        key: Its key, where it was supplied.
        checks: The promises about its rows that can be looked at.
    """

    data: ShopData
    table: str
    key: tuple[str, ...]
    checks: tuple[Check, ...]

    @classmethod
    def of(cls, data: ShopData, table: str, severities: Iterable[Severity]) -> TableChecks:
        """Collect what a table promises.

        Args:
            data: The data of the shop.
            table: The table's name.
            severities: Which promises.
        """
        bound, wanted = data.tables[table], set(severities)
        key = bound.table.key if all(name in bound.columns for name in bound.table.key) else ()
        checks = tuple(
            check
            for check in data.schema.checks
            if check.column.table == table
            and check.severity in wanted
            and all(isinstance(c, Column) and data.is_supplied(c) for c in leaves(check.broken))
            and not (check.unless_supplied and data.is_supplied(check.unless_supplied))
        )
        return cls(data, table, key if Severity.ERROR in wanted else (), checks)

    def query(self) -> pl.LazyFrame:
        """Count the rows, those that break each promise, and find the first and last time."""
        lowering, bound = lowering_of(self.data), self.data.tables[self.table]
        clock = bound.table.get(bound.table.time)
        moment = scalar(lowering.instant(clock)) if self.data.is_supplied(clock) else None
        counts = [
            scalar(lowering.predicate(check.broken)).sum().cast(pl.Int64).alias(f"check {number}")
            for number, check in enumerate(self.checks)
        ]
        if self.key:
            has_all = pl.all_horizontal(pl.col(name).is_not_null() for name in self.key)
            counts.append((~has_all).sum().cast(pl.Int64).alias("null keys"))
        return bound.frame.select(
            pl.len().cast(pl.Int64).alias("rows"),
            *(() if moment is None else _times(moment)),
            *counts,
        )

    def double_keys(self, collect: Collect) -> int:
        """Count the rows that repeat a key.

        Sorting whole numbers takes a third of the memory that a hash table of
        them takes, and no time where they come in order.
        """
        if not self.key:
            return 0
        first, *others = self.key
        keys = self.data.tables[self.table].frame.select(self.key).drop_nulls()
        if others or not self.data.tables[self.table].columns[first].is_integer():
            kinds = pl.struct(self.key).n_unique().cast(pl.Int64)
            return int(collect(keys.select(pl.len().cast(pl.Int64) - kinds)).item())
        values = collect(keys).to_series()
        ordered = values if values.is_sorted() else values.sort()
        return int((ordered == ordered.shift(1)).sum())

    def findings(self, counts: Mapping[str, int], double_keys: int) -> Iterator[Violation]:
        """Give what the answer of the query shows, with samples."""
        key, frame = ", ".join(self.key), self.data.tables[self.table].frame
        if rows := counts.get("null keys"):
            problem, remedy = "is null, and identifies the row", "drop those rows or give them ids"
            yield Violation(self.table, key, problem, remedy, Severity.ERROR, rows, "")
        if double_keys:
            repeated = frame.group_by(self.key).len().filter(pl.col("len") > 1)
            few = repeated.sort("len", *self.key, descending=True).head(FEW).collect()
            sample = _sample(few.drop("len"))
            problem = "is not unique: a key is repeated"
            remedy = "remove the repeated rows, or they would be counted twice"
            yield Violation(self.table, key, problem, remedy, Severity.ERROR, double_keys, sample)
        lowering = lowering_of(self.data)
        for number, check in enumerate(self.checks):
            if rows := counts[f"check {number}"]:
                names = list(dict.fromkeys([*self.key, *map(lowering.name, leaves(check.broken))]))
                broken = (
                    frame.filter(scalar(lowering.predicate(check.broken))).select(names).head(FEW)
                )
                yield Violation(
                    self.table,
                    check.column.name,
                    check.problem,
                    check.remedy,
                    check.severity,
                    rows,
                    _sample(broken.collect()),
                )


def _streamed(query: pl.LazyFrame) -> pl.DataFrame:
    return query.collect(engine="streaming")


def _times(moment: pl.Expr) -> tuple[pl.Expr, ...]:
    untimed = moment.null_count().cast(pl.Int64).alias("untimed")
    return moment.min().alias("earliest"), moment.max().alias("latest"), untimed


def all_findings(data: ShopData) -> list[Violation]:
    """Look at everything that can be wrong or odd in the bound tables."""
    found: list[Violation] = []
    for name in data.tables:
        promises = TableChecks.of(data, name, Severity)
        counts = _streamed(promises.query()).row(0, named=True)
        found += promises.findings(counts, promises.double_keys(_streamed))
        found += _not_finite(data, name)
        found += _orphans(data, name)
        found += _currencies(data, name)
    return [*found, *_broken_table_checks(data)]


def _not_finite(data: ShopData, name: str) -> Iterator[Violation]:
    floats = data.tables[name].floats
    counts = _streamed(floats.select((~pl.all().is_finite()).sum()))
    for column in counts.columns:
        if rows := int(counts.get_column(column).sum()):
            broken = floats.select(column).filter(~pl.col(column).is_finite()).head(FEW).collect()
            problem, remedy = "is NaN or infinite, and read as null", "look where it comes from"
            yield Violation(name, column, problem, remedy, Severity.WARNING, rows, _sample(broken))


def _orphans(data: ShopData, name: str) -> Iterator[Violation]:
    child = data.tables[name]
    for key, parent_name in child.table.parents.items():
        parent = data.tables.get(parent_name)
        if parent is None or key not in child.columns or len(parent.table.key) != 1:
            continue
        (target,) = parent.table.key
        if target not in parent.columns:
            continue
        pointing = child.frame.select(key).filter(pl.col(key).is_not_null())
        known = parent.frame.select(target)
        lost = _streamed(pointing.join(known, left_on=key, right_on=target, how="anti"))
        if lost.height:
            problem, remedy = f"points to no row of {parent_name}", f"supply the {parent_name} too"
            sample = _sample(lost.unique().sort(key).head(FEW))
            yield Violation(name, key, problem, remedy, Severity.WARNING, lost.height, sample)


def _broken_table_checks(data: ShopData) -> Iterator[Violation]:
    for check in data.schema.table_checks:
        found = (
            _without_rows(data, check)
            if isinstance(check, WithoutRowsCheck)
            else _total_above(data, check)
        )
        yield from found


def _without_rows(data: ShopData, check: WithoutRowsCheck) -> Iterator[Violation]:
    """Find the rows that no row of a finer table points to."""
    key, pointing = check.key, check.pointing
    if pointing.table not in data.tables or data.is_supplied(check.unless_supplied):
        return
    if not (data.is_supplied(key) and data.is_supplied(pointing)):
        return
    known = data.tables[pointing.table].frame.select(pointing.name)
    rows = data.tables[key.table].frame.select(key.name)
    bare = _streamed(rows.join(known, left_on=key.name, right_on=pointing.name, how="anti"))
    if bare.height:
        sample = _sample(bare.sort(key.name).head(FEW))
        severity = Severity.WARNING
        yield Violation(
            key.table, key.name, check.problem, check.remedy, severity, bare.height, sample
        )


def _currencies(data: ShopData, name: str) -> Iterator[Violation]:
    bound = data.tables[name]
    currency = data.schema.currency_column
    if currency not in bound.columns or data.rate(name) or currency in bound.table.key:
        return
    kinds = bound.frame.group_by(currency).len().sort("len", descending=True)
    found = _streamed(kinds.filter(pl.col(currency).is_not_null()))
    if found.height > 1:
        rows = int(found.get_column("len").slice(1).sum())
        problem, remedy = "is mixed, and there are no rates", "bind exchange_rates, or fx_rate"
        sample = ", ".join(found.get_column(currency).head(FEW))
        yield Violation(name, currency, problem, remedy, Severity.ERROR, rows, sample)


def _total_above(data: ShopData, check: TotalAboveCheck) -> Iterator[Violation]:
    """Find the keys of which the total of one table is above that of another."""
    sides = check.value, check.limit
    if not all(map(data.is_supplied, sides)):
        return
    supplied = (name for name in check.keys if all(_supplies(data, s.table, name) for s in sides))
    key = next(supplied, None)
    if key is None:
        return
    part, whole = (
        data.tables[side.table].frame.group_by(key).agg(pl.col(side.name).sum().alias(side.table))
        for side in sides
    )
    both = part.join(whole, on=key).filter(pl.col(sides[0].table) > pl.col(sides[1].table))
    over = _streamed(both.sort(key))
    if over.height:
        problem, sample = check.problem.format(key=key), _sample(over.head(FEW))
        args = (problem, check.remedy, Severity.WARNING, over.height, sample)
        yield Violation(check.value.table, check.value.name, *args)


def _supplies(data: ShopData, table: str, name: str) -> bool:
    return name in data.tables[table].columns


def _sample(few: pl.DataFrame) -> str:
    return ", ".join(_written(row) for row in few.rows())


def _written(row: Sequence[object]) -> str:
    return ", ".join(map(repr, row)) if len(row) == 1 else str(tuple(row))

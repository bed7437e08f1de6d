"""The promises that data must keep: refused where a number rests on them, or listed in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from funnelkit.derivations import CHECKS, POLICIES, Check, Severity
from funnelkit.engines.expressions import Compiler, column_name
from funnelkit.errors import Fault
from funnelkit.formula.properties import leaves
from funnelkit.formula.values import Column
from funnelkit.shop import Shop
from funnelkit.tables import Orders

__all__ = ["Finding", "Promises"]

FEW = 3
_KEY_REMEDIES = {
    "null keys": "drop those rows or give them ids",
    "double keys": "remove the repeated rows, or they would be counted twice",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken promise, and what shows it.

    Attributes:
        fault: The table, the column, what is wrong and what to do.
        severity: Whether numbers are refused because of it.
        rows: How many rows break it.
        sample: A few of them.
    """

    fault: Fault
    severity: Severity
    rows: int
    sample: str


@dataclass(frozen=True, slots=True)
class Promises:
    """The promises of one table, as one query and what it shows.

    Attributes:
        shop: The shop.
        table: The table's name.
        key: Its key, where it was supplied.
        checks: The promises about its rows that can be looked at.
    """

    shop: Shop
    table: str
    key: tuple[str, ...]
    checks: tuple[Check, ...]

    @classmethod
    def of(cls, shop: Shop, table: str, severities: Iterable[Severity]) -> Promises:
        """Collect what a table promises.

        Args:
            shop: The shop.
            table: The table's name.
            severities: Which promises.
        """
        bound, wanted = shop.tables[table], set(severities)
        key = bound.table.key if all(name in bound.columns for name in bound.table.key) else ()
        checks = tuple(
            check
            for check in CHECKS
            if check.column.table == table
            and check.severity in wanted
            and all(isinstance(c, Column) and shop.supplies(c) for c in leaves(check.broken))
            and not (check.column == Orders.status and _knows_status(shop))
        )
        return cls(shop, table, key if Severity.ERROR in wanted else (), checks)

    def query(self) -> pl.LazyFrame:
        """Count the rows, those that break each promise, and find the first and last time."""
        compiler, bound = Compiler(self.shop), self.shop.tables[self.table]
        clock = bound.table.get(bound.table.time)
        moment = compiler.instant(clock) if self.shop.supplies(clock) else pl.lit(None)
        counts = [
            compiler.predicate(check.broken).sum().cast(pl.Int64).alias(f"check {number}")
            for number, check in enumerate(self.checks)
        ]
        if self.key:
            first, *others = self.key
            key = pl.struct(self.key) if others else pl.col(first)
            has_all = pl.all_horizontal(pl.col(name).is_not_null() for name in self.key)
            known, kinds = has_all.sum().cast(pl.Int64), key.filter(has_all).n_unique()
            counts += [
                (~has_all).sum().cast(pl.Int64).alias("null keys"),
                (known - kinds.cast(pl.Int64)).alias("double keys"),
            ]
        return bound.frame.select(
            pl.len().cast(pl.Int64).alias("rows"),
            moment.min().alias("earliest"),
            moment.max().alias("latest"),
            *counts,
        )

    def findings(self, counts: dict[str, int]) -> Iterator[Finding]:
        """Give what the answer of the query shows, with samples."""
        key, frame = ", ".join(self.key), self.shop.tables[self.table].frame
        if rows := counts.get("null keys"):
            problem = f"is null in {rows:,} rows; it identifies the row"
            fault = Fault(self.table, key, problem, _KEY_REMEDIES["null keys"])
            yield Finding(fault, Severity.ERROR, rows, "")
        if rows := counts.get("double keys"):
            repeated = frame.group_by(self.key).len().filter(pl.col("len") > 1)
            few = repeated.sort("len", *self.key, descending=True).head(FEW).collect()
            sample = ", ".join(_written(row) for row in few.drop("len").rows())
            problem = f"is not unique: {rows:,} rows repeat a key, such as {sample}"
            fault = Fault(self.table, key, problem, _KEY_REMEDIES["double keys"])
            yield Finding(fault, Severity.ERROR, rows, sample)
        compiler = Compiler(self.shop)
        for number, check in enumerate(self.checks):
            if rows := counts[f"check {number}"]:
                names = list(dict.fromkeys([*self.key, *map(column_name, leaves(check.broken))]))
                broken = frame.filter(compiler.predicate(check.broken)).select(names).head(FEW)
                sample = ", ".join(_written(row) for row in broken.collect().rows())
                problem = f"{check.problem}, in {rows:,} rows, such as {sample}"
                fault = Fault(self.table, check.column.name, problem, check.remedy)
                yield Finding(fault, check.severity, rows, sample)


def _written(row: Sequence[object]) -> str:
    return ", ".join(map(repr, row)) if len(row) == 1 else str(tuple(row))


def _knows_status(shop: Shop) -> bool:
    """Whether it needs no status of the canonical words to know which orders count."""
    is_asked = Orders.status in leaves(shop.policy.orders)
    return not is_asked or shop.supplies(Orders.is_counted) or shop.policy not in POLICIES.values()

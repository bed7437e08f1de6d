"""What a fold lacks, and what would do instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from funnelkit.data.shop_data import ShopData
from funnelkit.errors import nearest
from funnelkit.formula.formulas import (
    PolarsExpr,
    source_of,
)
from funnelkit.planning.plan import Fold, Question

__all__ = ["enters_by_time", "missing_hints", "missing_inputs", "table_of"]


def enters_by_time(data: ShopData, question: Question, table: str) -> bool:
    """Whether rows of a table enter by their time: in a range, or before a given moment."""
    clock = data.clock_of(table)
    return question.has_time or (data.given_as_of is not None and not data.missing_for(clock))


def missing_inputs(data: ShopData, fold: Fold, *, has_time: bool) -> frozenset[str]:
    """Return the names of the tables and columns that a fold needs and the shop lacks.

    Args:
        data: The data of the shop.
        fold: The fold.
        has_time: Whether rows enter by their time.
    """
    table = table_of(fold)
    if table not in data.tables:
        return frozenset({table})
    wanted = fold.reads
    if not isinstance(fold.aggregate, PolarsExpr):
        wanted += data.placed_by(fold.aggregate)
    if has_time:
        declared = data.known[table]
        days = declared.prorate.columns[:2] if declared.prorate else ()
        wanted += tuple(declared.get(name) for name in (declared.time, *days))
    return frozenset[str]().union(*map(data.missing_for, wanted))


def table_of(fold: Fold) -> str:
    """Return the name of the table that a fold reads."""
    return (
        fold.aggregate.table
        if isinstance(fold.aggregate, PolarsExpr)
        else source_of(fold.aggregate)
    )


def missing_hints(
    data: ShopData, missing: Iterable[str], instead: Mapping[str, Iterable[str]]
) -> dict[str, str]:
    """Return what would do instead of what is missing, and what there is that looks like it."""
    hints = {name: f"or supply {', '.join(columns)}" for name, columns in instead.items()}
    for name in missing:
        if name in data.schema.hints:
            hints[name] = data.schema.hints[name]
            continue
        table, _, column = name.partition(".")
        if column and (close := nearest(column, data.tables[table].columns)):
            found = f"{table} has {', '.join(close)}"
            hints[name] = "; ".join(filter(None, (hints.get(name, ""), found)))
    return hints

"""Units counted by what they have counted, as relations ask for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Col,
    Named,
    Over,
    Rel,
    Scalar,
    Select,
    columns_of,
    conjunction,
    is_known,
)
from funnelkit.planning.traversal import parts_of

__all__ = ["Alike"]


@dataclass(frozen=True, slots=True)
class Alike:
    """Rows counted by keys and unit, and the units counted that have the same.

    Attributes:
        rows: The rows.
        keys: The keys besides the unit.
        unit: The column of the unit.
        wheres: Conditions of rows.
        counts: The columns of counts, each with the place of the condition of the rows that are
            counted; None for all.
        made: The columns by which units are alike: the keys, and what is made of the counts.
        is_named: The column that is to hold whether units are named.
        number: The column that is to hold how many units there are.
    """

    rows: Rel
    keys: tuple[str, ...]
    unit: str
    wheres: tuple[Scalar, ...]
    counts: tuple[tuple[str, int | None], ...]
    made: tuple[tuple[str, Scalar], ...]
    is_named: str
    number: str

    @classmethod
    def of(cls, rel: Aggregate) -> Alike | None:
        """Return what a relation asks, where it asks that."""
        match rel:
            case Aggregate(
                Select(Named(_, each), (*same, (is_named, known))),
                keys,
                ((number, Agg(AggOp.ROWS, None, None)),),
            ) if same == _as_they_are(keys[:-1]) and keys[-1] == is_named:
                folded = each.input if isinstance(each, Select) else each
                made = each.named if isinstance(each, Select) else _as_they_are(columns_of(each))
            case _:
                return None
        match folded:
            case Aggregate(rows, (*own, unit), folds) if known == is_known(Col(unit)):
                of_counts = tuple((name, value) for name, value in made if name != unit)
            case _:
                return None
        is_plain = all(agg.op in {AggOp.ROWS, AggOp.COUNT} for _, agg in folds)
        is_alike = all(_is_of_counts(value, unit) for _, value in of_counts)
        if not (is_plain and is_alike and (unit, Col(unit)) in made):
            return None
        kept = [(name, _kept(agg)) for name, agg in folds]
        wheres = [where for where in dict.fromkeys(where for _, where in kept) if where is not None]
        counts = ((name, None if where is None else wheres.index(where)) for name, where in kept)
        return cls(
            rows, tuple(own), unit, tuple(wheres), tuple(counts), of_counts, is_named, number
        )


def _as_they_are(names: Iterable[str]) -> list[tuple[str, Scalar]]:
    return [(name, Col(name)) for name in names]


def _is_of_counts(value: Scalar, unit: str) -> bool:
    """Return whether a value is made of one row, without the unit."""
    is_other = isinstance(value, Over) or value == Col(unit)
    return not is_other and all(_is_of_counts(part, unit) for part in parts_of(value))


def _kept(agg: Agg) -> Scalar | None:
    """Return the condition of the rows that an aggregate counts; None for all."""
    return conjunction(agg.where, None if agg.arg is None else is_known(agg.arg))

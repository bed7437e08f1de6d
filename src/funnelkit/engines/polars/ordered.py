"""Lazy frames whose order is known, and windows over rows in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from funnelkit.planning.relations import Call, Col, Over, OverOp, Scalar, Select, columns_of
from funnelkit.planning.traversal import mapped_scalar

__all__ = ["Ordered", "with_windows"]

Written = Callable[[Scalar], pl.Expr]


@dataclass(frozen=True, slots=True)
class Ordered:
    """A lazy frame, and the columns by which its rows are sorted, null first."""

    frame: pl.LazyFrame
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Order:
    """What the windows of one pass share: the rows of an owner follow one another, in order."""

    partition: tuple[Scalar, ...]
    order: tuple[Scalar, ...]
    is_descending: bool


def with_windows(
    source: Ordered, select: Select, written: Written
) -> tuple[Ordered, tuple[tuple[str, Scalar], ...]]:
    """Add the ordered windows of a selection as columns, and refer to them.

    Rows are sorted once per order, and not where they are sorted already; a window is
    then a look at the rows before or after, which costs a fraction of grouping them.

    Args:
        source: The rows.
        select: What is selected of them.
        written: Writes a scalar.

    Returns:
        The rows with further columns, and the selection with those in place of windows.
    """
    ordered = list(_ordered_windows(scalar for _, scalar in select.named))
    if not ordered:
        return source, select.named
    names = _Names(set(columns_of(select.input)) | {name for name, _ in select.named})
    columns: dict[Over, str] = {}
    passes: dict[_Order, list[Over]] = {}
    for window in ordered:
        place = _Order(window.partition, window.order, window.is_descending)
        passes.setdefault(place, []).append(window)
        columns[window] = names.fresh()
    for place, windows in passes.items():
        new = {columns[window]: window for window in windows}
        source = _added(source, place, new, names, written)

    def change(scalar: Scalar) -> Scalar:
        return Col(columns[scalar]) if isinstance(scalar, Over) and scalar in columns else scalar

    named = tuple((name, mapped_scalar(scalar, change)) for name, scalar in select.named)
    return source, named


class _Names:
    """Names for columns unlike all others."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken

    def fresh(self) -> str:
        name = f"window {len(self.taken)}"
        while name in self.taken:
            name += "'"
        self.taken.add(name)
        return name


def _ordered_windows(scalars: Iterable[Scalar]) -> Iterator[Over]:
    """Yield each ordered window once."""
    seen: set[Over] = set()
    for scalar in scalars:
        match scalar:
            case Over(order=(_, *_)) if scalar not in seen:
                seen.add(scalar)
                yield scalar
            case Call(args=args):
                found = [window for window in _ordered_windows(args) if window not in seen]
                seen.update(found)
                yield from found
            case _:
                pass


def _added(
    source: Ordered,
    place: _Order,
    windows: Mapping[str, Over],
    names: _Names,
    written: Written,
) -> Ordered:
    """Add windows that share an order."""
    owner, source = _as_columns(source, place.partition, names, written)
    order, source = _as_columns(source, place.order, names, written)
    source = _sorted(source, owner, order, is_descending=place.is_descending)
    number, start = pl.int_range(pl.len(), dtype=pl.Int64), names.fresh()
    is_new = [pl.col(name).ne_missing(pl.col(name).shift(1)) for name in owner]
    first = pl.when(pl.any_horizontal(number == 0, *is_new)).then(number).forward_fill()
    frame = source.frame.with_columns(first.alias(start))
    new = (
        (name, window, _value(window, written), pl.col(start)) for name, window in windows.items()
    )
    made = [
        (
            _whole_sum(value, first)
            if window.op is OverOp.SUM and _is_whole(frame, value)
            else _window(window.op, value, first)
        ).alias(name)
        for name, window, value, first in new
    ]
    return Ordered(frame.with_columns(made), source.by)


def _value(window: Over, written: Written) -> pl.Expr:
    return pl.int_range(pl.len(), dtype=pl.Int64) if window.arg is None else written(window.arg)


def _is_whole(frame: pl.LazyFrame, value: pl.Expr) -> bool:
    return frame.select(value.alias("value")).collect_schema()["value"].is_integer()


def _whole_sum(value: pl.Expr, start: pl.Expr) -> pl.Expr:
    """Return a sum of whole numbers: of all rows so far, less that before the owner.

    Whole numbers lose nothing by that, and it takes a fraction of summing each owner.
    """
    number, known = pl.int_range(pl.len(), dtype=pl.Int64), value.fill_null(0)
    total = known.cum_sum()
    before = pl.when(number == start).then(total - known).forward_fill()
    last = pl.when(value.is_not_null()).then(start).forward_fill()
    return pl.when(last == start).then(total - before)


def _as_columns(
    source: Ordered, scalars: Sequence[Scalar], names: _Names, written: Written
) -> tuple[list[str], Ordered]:
    """Return scalars as columns of a frame."""
    found = {s: s.name if isinstance(s, Col) else names.fresh() for s in scalars}
    new = [written(s).alias(name) for s, name in found.items() if not isinstance(s, Col)]
    frame = source.frame.with_columns(new) if new else source.frame
    return list(found.values()), Ordered(frame, source.by)


def _sorted(
    source: Ordered, owner: Sequence[str], order: Sequence[str], *, is_descending: bool
) -> Ordered:
    by = (*owner, *order)
    if not is_descending and source.by[: len(by)] == by:
        return source
    last = [*(False for _ in owner), *(is_descending for _ in order)]
    frame = source.frame.sort(by, descending=last, nulls_last=last)
    return Ordered(frame, tuple(owner) if is_descending else by)


def _window(op: OverOp, value: pl.Expr, start: pl.Expr) -> pl.Expr:
    """Return a window over rows that are sorted by owner; `start` is where the owner begins."""
    match op:
        case OverOp.ROW_NUMBER:
            return value - start + 1
        case OverOp.PREVIOUS:
            owner = pl.when(value.is_not_null()).then(start).forward_fill().shift(1)
            return pl.when(owner == start).then(value.forward_fill().shift(1))
        case OverOp.NEXT:
            owner = pl.when(value.is_not_null()).then(start).backward_fill().shift(-1)
            return pl.when(owner == start).then(value.backward_fill().shift(-1))
        case OverOp.SUM:
            return value.cum_sum().forward_fill().over(start)
        case OverOp.MIN:
            return value.cum_min().forward_fill().over(start)
        case OverOp.MAX:
            return value.cum_max().forward_fill().over(start)

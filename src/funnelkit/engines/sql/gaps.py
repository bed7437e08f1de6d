"""The nearest value that is not null, for databases whose windows do not pass over nulls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from funnelkit.planning.relations import (
    Call,
    Col,
    Op,
    Over,
    OverOp,
    Scalar,
    Select,
    call,
    columns_of,
    extend,
    when,
    whole,
)
from funnelkit.planning.traversal import mapped_scalar, parts_of

__all__ = ["windows_of", "without_gaps"]

NEAREST = frozenset({OverOp.PREVIOUS, OverOp.NEXT})


def without_gaps(rel: Select) -> Select:
    """Return a relation in which no row between two has a null where the nearest is looked for.

    A value fills the rows that follow it, up to the next value: those rows have in common how
    many values there were so far. Then the nearest value is that of the row beside.
    """
    found = dict.fromkeys(
        window for _, value in rel.named for window in windows_of(value) if window.op in NEAREST
    )
    taken = {name.lower() for name in columns_of(rel.input)}
    free = (name for number in count(1) if (name := f"filled_{number}") not in taken)
    below, filled = rel.input, dict[Scalar, Scalar]()
    for window, name in zip(found, free, strict=False):
        below = extend(below, **{name: _number(window)})
        both = (*window.partition, Col(name))
        below = extend(below, **{name: Over(OverOp.MAX, window.arg, both)})
        filled[window] = replace(window, arg=Col(name))
    named = ((name, mapped_scalar(s, lambda part: filled.get(part, part))) for name, s in rel.named)
    return Select(below, tuple(named)) if found else rel


def _number(window: Over) -> Over:
    """Return how many values there are up to a row, in the direction that is looked in."""
    if window.arg is None:
        raise AssertionError(window)
    is_value = when(call(Op.IS_NULL, window.arg), whole(0), otherwise=whole(1))
    is_back = window.is_descending != (window.op is OverOp.NEXT)
    return Over(OverOp.SUM, is_value, window.partition, window.order, is_descending=is_back)


def windows_of(value: Scalar) -> Iterator[Over]:
    """Yield the windows of a value."""
    match value:
        case Over():
            yield value
        case Call():
            for part in parts_of(value):
                yield from windows_of(part)
        case _:
            return

"""A time zone written as constants, for engines whose zones differ, or that have none.

Between two changes of its clock a zone is a constant distance ahead of UTC. Over the
range that the data spans, its times are therefore shifts by seconds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from funnelkit.calendar.zones import offsets
from funnelkit.planning.relations import (
    Agg,
    Aggregate,
    Call,
    Col,
    EachDay,
    Filter,
    LeftJoin,
    Lit,
    Named,
    Op,
    Over,
    Rel,
    Scalar,
    Scan,
    Select,
    call,
    piecewise,
    whole,
)

__all__ = ["mapped", "with_offsets"]

Change = Callable[[Scalar], Scalar]
UTC = Lit("UTC", "str")
NULL = Lit(None, "local")


def with_offsets(rel: Rel, low: dt.datetime, high: dt.datetime) -> Rel:
    """Return a relation that needs no zone but UTC, for times of a range.

    Args:
        rel: The relation.
        low: The first instant; every time before is taken to have its distance from UTC.
        high: The last instant.
    """

    def change(scalar: Scalar) -> Scalar:
        match scalar:
            case Call(Op.LOCAL_TIME, (instant, Lit(str(zone)))) if zone != "UTC":
                return _shown(call(Op.LOCAL_TIME, instant, UTC), _changes(zone, low, high))
            case Call(Op.FIRST_INSTANT | Op.LAST_INSTANT as op, (local, Lit(str(zone)))):
                if zone == "UTC":
                    return scalar
                read = _first if op is Op.FIRST_INSTANT else _last
                return call(Op.FIRST_INSTANT, read(local, _changes(zone, low, high)), UTC)
            case _:
                return scalar

    return mapped(rel, change)


def mapped(rel: Rel, change: Change) -> Rel:
    """Return a relation with every scalar changed, the innermost first."""

    def below(inner: Rel) -> Rel:
        return mapped(inner, change)

    match rel:
        case Scan():
            return rel
        case Select(inner, named):
            return Select(below(inner), tuple((n, _scalar(s, change)) for n, s in named))
        case Filter(inner, where):
            return Filter(below(inner), _scalar(where, change))
        case LeftJoin(left, right):
            return replace(rel, left=below(left), right=below(right))
        case Aggregate(inner, keys, folds):
            return Aggregate(below(inner), keys, tuple((n, _agg(a, change)) for n, a in folds))
        case EachDay(inner, name, first, last):
            return EachDay(below(inner), name, _scalar(first, change), _scalar(last, change))
        case Named(name, inner, note):
            return Named(name, below(inner), note)


def _scalar(scalar: Scalar, change: Change) -> Scalar:
    match scalar:
        case Col() | Lit():
            return change(scalar)
        case Call(op, args):
            return change(Call(op, tuple(_scalar(arg, change) for arg in args)))
        case Over():
            arg = None if scalar.arg is None else _scalar(scalar.arg, change)
            partition = tuple(_scalar(part, change) for part in scalar.partition)
            order = tuple(_scalar(part, change) for part in scalar.order)
            return change(replace(scalar, arg=arg, partition=partition, order=order))


def _agg(agg: Agg, change: Change) -> Agg:
    arg = None if agg.arg is None else _scalar(agg.arg, change)
    return replace(agg, arg=arg, where=None if agg.where is None else _scalar(agg.where, change))


Changes = list[tuple[dt.datetime, dt.timedelta, dt.timedelta]]
"""When a clock is changed, as UTC's clock shows it, and how far ahead it is before and after."""


def _changes(zone: str, low: dt.datetime, high: dt.datetime) -> tuple[dt.timedelta, Changes]:
    """Return how far ahead of UTC a clock is at first, and how it is changed."""
    (_, first), *others = offsets(zone, low, high)
    found, before = Changes(), first
    for since, after in others:
        found.append((since.replace(tzinfo=None), before, after))
        before = after
    return first, found


def _shown(utc: Scalar, changes: tuple[dt.timedelta, Changes]) -> Scalar:
    """Return what the clock shows when that of UTC shows a time."""
    first, found = changes
    pieces = [(Lit(since, "local"), _shifted(utc, after)) for since, _, after in found]
    return piecewise(utc, pieces, _shifted(utc, first))


def _first(local: Scalar, changes: tuple[dt.timedelta, Changes]) -> Scalar:
    """Return what UTC's clock shows at a local time: the first of two, in a gap as before it."""
    first, found = changes
    pieces = [
        (Lit(since + max(before, after), "local"), _shifted(local, -after))
        for since, before, after in found
    ]
    return piecewise(local, pieces, _shifted(local, -first))


def _last(local: Scalar, changes: tuple[dt.timedelta, Changes]) -> Scalar:
    """Return what UTC's clock shows at a local time: the second of two, in a gap nothing."""
    first, found = changes
    pieces: list[tuple[Lit, Scalar]] = []
    for since, before, after in found:
        if after > before:
            pieces.append((Lit(since + before, "local"), NULL))
        pieces.append((Lit(since + after, "local"), _shifted(local, -after)))
    return piecewise(local, pieces, _shifted(local, -first))


def _shifted(local: Scalar, by: dt.timedelta) -> Scalar:
    seconds = int(by.total_seconds())
    return call(Op.SHIFT_SECONDS, local, whole(seconds)) if seconds else local

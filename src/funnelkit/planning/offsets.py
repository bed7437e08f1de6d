"""A time zone written as constants, for engines whose zones differ, or that have none.

Between two changes of its clock a zone is a constant distance ahead of UTC. Over the
range that the data spans, its times are therefore shifts by seconds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from funnelkit.calendar.zones import Change, changes, offsets
from funnelkit.planning.relations import Call, Lit, Op, Rel, Scalar, call, piecewise, whole
from funnelkit.planning.traversal import mapped

__all__ = ["shown_by", "with_offsets"]

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
                return shown_by(instant, offsets(zone, low, high))
            case Call(Op.FIRST_INSTANT | Op.LAST_INSTANT as op, (local, Lit(str(zone)))):
                if zone == "UTC":
                    return scalar
                read = _first if op is Op.FIRST_INSTANT else _last
                return call(Op.FIRST_INSTANT, read(local, _changes(zone, low, high)), UTC)
            case _:
                return scalar

    return mapped(rel, change)


def _changes(
    zone: str, low: dt.datetime, high: dt.datetime
) -> tuple[dt.timedelta, Sequence[Change]]:
    """Return how far ahead of UTC a clock is at first, and how it is changed."""
    ahead = offsets(zone, low, high)
    return ahead[0][1], changes(ahead)


def shown_by(instant: Scalar, ahead: Sequence[tuple[dt.datetime, dt.timedelta]]) -> Scalar:
    """Return what a clock shows at an instant.

    Args:
        instant: The instant.
        ahead: From when on the clock is how far ahead of UTC.
    """
    utc = call(Op.LOCAL_TIME, instant, UTC)
    (_, first), *others = ahead
    pieces = [
        (Lit(since.replace(tzinfo=None), "local"), whole(_seconds(by))) for since, by in others
    ]
    seconds = piecewise(utc, pieces, whole(_seconds(first)))
    return utc if seconds == whole(0) else call(Op.SHIFT_SECONDS, utc, seconds)


def _first(local: Scalar, changed: tuple[dt.timedelta, Sequence[Change]]) -> Scalar:
    """Return what UTC's clock shows at a local time: the first of two, in a gap as before it."""
    first, found = changed
    pieces = [
        (Lit(since + max(before, after), "local"), _shifted(local, -after))
        for since, before, after in found
    ]
    return piecewise(local, pieces, _shifted(local, -first))


def _last(local: Scalar, changed: tuple[dt.timedelta, Sequence[Change]]) -> Scalar:
    """Return what UTC's clock shows at a local time: the second of two, in a gap nothing."""
    first, found = changed
    pieces: list[tuple[Lit, Scalar]] = []
    for since, before, after in found:
        if after > before:
            pieces.append((Lit(since + before, "local"), NULL))
        pieces.append((Lit(since + after, "local"), _shifted(local, -after)))
    return piecewise(local, pieces, _shifted(local, -first))


def _shifted(local: Scalar, by: dt.timedelta) -> Scalar:
    return call(Op.SHIFT_SECONDS, local, whole(_seconds(by))) if by else local


def _seconds(by: dt.timedelta) -> int:
    return int(by.total_seconds())

"""Time zones: which there are, what their clocks show, and when those are changed."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import polars as pl

from funnelkit.calendar.grain import INSTANT, ONE_DAY
from funnelkit.errors import UnknownNameError

__all__ = ["Change", "Offsets", "changes", "check_zone", "localised", "offsets", "skipped_starts"]

Offsets = tuple[tuple[dt.datetime, dt.timedelta], ...]
"""How far a clock is ahead of UTC, and from which instant on, in order."""
Change = tuple[dt.datetime, dt.timedelta, dt.timedelta]
"""When a clock is changed, as UTC's clock shows it, and how far ahead it is before and after."""
NAMES_OF_NO_PLACE = {"localtime", "posixrules", "Factory"}


@lru_cache(maxsize=64)
def check_zone(name: str) -> str:
    """Return the name of a time zone after checking that both Python and Polars know it.

    Raises:
        UnknownNameError: There is no such zone.
    """
    try:
        ZoneInfo(name)
        pl.Series([0], dtype=pl.Datetime("us", "UTC")).dt.convert_time_zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, pl.exceptions.ComputeError):
        known = sorted(available_timezones() - NAMES_OF_NO_PLACE)
        raise UnknownNameError("time zone", name, known) from None
    return name


def localised(local: pl.Expr, zone: str) -> pl.Expr:
    """Return the instant of a local time.

    A local time that the clock shows twice is the first of the two; one that it
    skips is read as if the clock had not been changed yet.
    """
    if zone == "UTC":
        return local.dt.replace_time_zone("UTC")
    known = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    before = (local - ONE_DAY).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return pl.coalesce(known, before + ONE_DAY)


@lru_cache(maxsize=64)
def offsets(zone: str, low: dt.datetime, high: dt.datetime) -> Offsets:
    """Return the offsets of a zone's clock from UTC and when each begins.

    Every change is found by halving the days between which it differs.

    Args:
        zone: The zone.
        low: The first instant; the first entry holds for everything before.
        high: The last instant.
    """
    if zone == "UTC":
        return ((low, dt.timedelta()),)
    clock = ZoneInfo(zone)

    def ahead(instant: dt.datetime) -> dt.timedelta:
        return instant.astimezone(clock).utcoffset() or dt.timedelta()

    found = [(low, ahead(low))]
    day = low
    while day < high:
        after = min(day + ONE_DAY, high)
        if ahead(after) != found[-1][1]:
            before, change = day, after
            while change - before > INSTANT:
                middle = before + (change - before) // 2
                before, change = (
                    (middle, change) if ahead(middle) == found[-1][1] else (before, middle)
                )
            found.append((change, ahead(change)))
            after = change
        day = after
    return tuple(found)


def changes(ahead: Offsets) -> list[Change]:
    """Return when a clock is changed, and how far it is ahead before and after."""
    return [
        (since.replace(tzinfo=None), before, after)
        for (_, before), (since, after) in pairwise(ahead)
    ]


def skipped_starts(ahead: Offsets, hours: int) -> tuple[tuple[dt.datetime, dt.datetime], ...]:
    """Return the starts of periods of hours that a clock skips, and when it is changed there.

    Only those of which it does not skip the end: the period starts with the change.

    Args:
        ahead: The offsets of the clock.
        hours: How many hours a period has.
    """
    found: list[tuple[dt.datetime, dt.datetime]] = []
    for since, before, after in changes(ahead):
        skipped, resumed = since + before, since + after
        hour = resumed.hour - resumed.hour % hours
        start = resumed.replace(hour=hour, minute=0, second=0, microsecond=0)
        if skipped < start < resumed:
            found.append((start, since.replace(tzinfo=dt.UTC)))
    return tuple(found)

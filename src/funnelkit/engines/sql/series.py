"""Every period from the first to the last, silent ones as well."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlglot import exp

from funnelkit.calendar.calendar import Calendar
from funnelkit.engines.sql.names import aliased, quoted, quoted_column, quoted_table
from funnelkit.engines.sql.nodes import EachDate
from funnelkit.engines.sql.parts import PERIOD, PERIODS, later_label

__all__ = ["Series", "common_table", "series_of"]

Sql = exp.Expr
Series = Callable[[str, Sql | None], exp.Query]
"""Returns every period, as the CTE of a name, if given from a period on."""
SPAN, LAST = "span", "last"


def series_of(calendar: Calendar, *, has_series: bool) -> Series:
    """Return what writes every period from the first to the last.

    Args:
        calendar: The periods.
        has_series: Whether the dialect makes rows of a series of days; else each period is
            found from the one before.
    """
    return partial(_unnested if has_series else _counted_up, calendar)


def common_table(name: str, query: exp.Query) -> exp.CTE:
    """Return a query as a CTE; the columns of one that reads itself are named."""
    columns = [PERIOD, LAST] if isinstance(query, exp.Union) and not query.args["distinct"] else []
    alias = exp.TableAlias(this=quoted(name), columns=[quoted(column) for column in columns])
    return exp.CTE(this=query, alias=alias)


def _unnested(calendar: Calendar, _: str, earliest: Sql | None) -> exp.Select:
    """Return every period from the first to the last, or from a given one on."""
    names = exp.TableAlias(this=quoted("each"), columns=[quoted(PERIOD)])
    start, end = (quoted_column(name, SPAN) for name in ("first", LAST))
    days = EachDate(start=start, end=end, step=_length(calendar), alias=names)
    # of no table, as the row of a series of days has no name in every dialect
    label = aliased(quoted_column(PERIOD, ""), PERIOD)
    unnested = exp.Join(this=days, kind="CROSS")
    return exp.Select(expressions=[label], joins=[unnested]).from_(_span(earliest), copy=False)


def _counted_up(calendar: Calendar, name: str, earliest: Sql | None) -> exp.Query:
    """Return every period from the first to the last, each from the one before, by recursion."""
    first, last = (quoted_column(end, SPAN) for end in ("first", LAST))
    begin = exp.Select(expressions=[aliased(first, PERIOD), aliased(last, LAST)])
    begin = begin.from_(_span(earliest), copy=False)
    following = later_label(quoted_column(PERIOD, name), 1, calendar)
    end = quoted_column(LAST, name)
    more = exp.Select(expressions=[aliased(following, PERIOD), aliased(end, LAST)])
    more = more.from_(quoted_table(name), copy=False)
    more = more.where(exp.LTE(this=following.copy(), expression=end.copy()), copy=False)
    return exp.union(begin, more, distinct=False, copy=False)


def _span(earliest: Sql | None) -> exp.Subquery:
    """Return the first and the last period that is shown, if given not before one."""
    low, high = (fold(this=quoted_column(PERIOD, PERIODS)) for fold in (exp.Min, exp.Max))
    first = (
        low
        if earliest is None
        else exp.Greatest(this=low, expressions=[earliest], ignore_nulls=True)
    )
    named = [aliased(first, "first"), aliased(high, LAST)]
    ends = exp.Select(expressions=named).from_(quoted_table(PERIODS), copy=False)
    return ends.subquery(quoted(SPAN), copy=False)


def _length(calendar: Calendar) -> exp.Interval:
    every = calendar.every
    if every is None or not (every.months or every.days):
        raise AssertionError(calendar)
    unit, count = ("MONTH", every.months) if every.months else ("DAY", every.days)
    return exp.Interval(this=exp.Literal.string(str(count)), unit=exp.var(unit))

"""Totals that stand for folds of rows, where only reports of totals are bound."""

from __future__ import annotations

from collections.abc import Mapping

from funnelkit.formula.formulas import Aggregate, Count, CountDistinct, Sum
from funnelkit.schema.sales import Orders
from funnelkit.schema.traffic import DailySessions, Sessions

__all__ = ["TOTALS"]

TOTALS: Mapping[Aggregate, Aggregate] = {
    Count(Sessions, where=Sessions.is_counted): Sum(DailySessions.sessions),
    Count(Sessions, where=Sessions.is_counted & Sessions.has_purchase): Sum(
        DailySessions.converted_sessions
    ),
    Count(Sessions, where=Sessions.is_counted & Sessions.is_engaged): Sum(
        DailySessions.engaged_sessions
    ),
    Sum(Sessions.page_views, where=Sessions.is_counted): Sum(DailySessions.page_views),
    CountDistinct(Sessions.visitor_id, where=Sessions.is_counted): Sum(
        DailySessions.visitors, require_single=DailySessions
    ),
    Count(Orders, where=Orders.is_counted & Orders.is_online): Sum(DailySessions.orders),
}
"""By fold: the total that stands for it; distinct visitors of several rows are not added."""

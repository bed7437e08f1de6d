"""Journeys: the time and the number of sessions up to an order."""

from __future__ import annotations

from dataclasses import replace

from funnelkit.formula.formulas import Mean, Median, Quantile
from funnelkit.formula.values import Coalesce, Elapsed, If, IsTrue, Literal, Lookup
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.sales import Orders
from funnelkit.schema.traffic import Sessions
from funnelkit.units import NUMBER, SECOND

__all__ = [
    "purchase_journey_duration",
    "purchase_journey_duration_mean",
    "purchase_journey_duration_p90",
    "sessions_to_purchase",
    "time_to_first_purchase",
    "time_to_first_purchase_mean",
]

_KPI_TREE = "KPI Tree: time to purchase (third party)"
_KAUSHIK = "Kaushik: days & visits to purchase (archived) (third party)"

_IN_VISIT = Elapsed(Lookup(Orders.session_id, Sessions.started_at), Orders.ordered_at)
_IS_IN_VISIT = (
    Orders.is_counted & IsTrue(Lookup(Orders.session_id, Sessions.is_counted)) & (_IN_VISIT >= 0)
)

purchase_journey_duration = Metric(
    name="purchase_journey_duration",
    title="Purchase journey duration",
    aliases=("time_to_complete_purchase",),
    formula=Median(_IN_VISIT, where=_IS_IN_VISIT),
    unit=SECOND,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.FUNNEL,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Median time from the start of a session to an order placed in it.",
    includes="The seconds from the start of the session to each of its counted orders, in the "
    "period of the order.",
    excludes="Bots; orders without a session; orders dated before the start of their session, "
    "which are clock errors.",
    null_when="No order has a session.",
    see_also=("session_conversion_rate", "purchase_journey_duration.p90"),
    caveats="It covers buyers only: a checkout that is too long for most people still looks quick. "
    "Do not average the medians of days or channels: compute the median of the whole instead.",
    alternatives=(
        "purchase_journey_duration.mean: the mean, which a few long sessions pull up.",
        "time_to_first_purchase: from the visitor's first session, over several sessions.",
    ),
    references=(_KPI_TREE, _KAUSHIK),
    tags=("funnel", "duration"),
)

purchase_journey_duration_p90 = replace(
    purchase_journey_duration,
    name="purchase_journey_duration.p90",
    title="Purchase journey duration, 90th percentile",
    aliases=(),
    formula=Quantile(_IN_VISIT, 0.9, where=_IS_IN_VISIT),
    description="Time from the start of a session to an order in it that nine of ten orders do "
    "not exceed.",
    see_also=("purchase_journey_duration",),
    caveats="With few orders it is close to the longest of them.",
    alternatives=("purchase_journey_duration: the median.",),
)

purchase_journey_duration_mean = replace(
    purchase_journey_duration,
    name="purchase_journey_duration.mean",
    title="Purchase journey duration, mean",
    aliases=(),
    formula=Mean(_IN_VISIT, where=_IS_IN_VISIT),
    description="Mean time from the start of a session to an order placed in it.",
    see_also=("purchase_journey_duration",),
    caveats="A few sessions left open all day dominate it.",
    alternatives=("purchase_journey_duration: the median.",),
)

_SINCE_SEEN = Elapsed(Lookup(Orders.session_id, Sessions.first_seen_at), Orders.ordered_at)
_IS_FIRST = (
    Orders.is_counted
    & Orders.is_first_order
    & IsTrue(Lookup(Orders.session_id, Sessions.is_counted))
    & (_SINCE_SEEN >= 0)
)

time_to_first_purchase = Metric(
    name="time_to_first_purchase",
    title="Time to first purchase",
    aliases=("days_to_purchase",),
    formula=Median(_SINCE_SEEN, where=_IS_FIRST),
    unit=SECOND,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.FUNNEL,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Median time from a visitor's first session to the customer's first order.",
    includes="The seconds from the visitor's first session to the customer's first counted "
    "order, in the period of that order.",
    excludes="Visitors who have not bought; guests; orders without a session; orders dated "
    "before the visitor's first session, which are clock errors.",
    null_when="No first order has a session.",
    see_also=("new_customers", "sessions_to_purchase", "visitor_conversion_rate"),
    caveats="It covers buyers only, so read it with the visitor conversion rate: people who take "
    "long to decide are missing, most of all in a short history. A new device makes the journey "
    "look short.",
    alternatives=("time_to_first_purchase.mean: the mean over buyers, as KPI Tree defines it.",),
    references=(_KPI_TREE, _KAUSHIK),
    tags=("customers", "duration"),
)

time_to_first_purchase_mean = replace(
    time_to_first_purchase,
    name="time_to_first_purchase.mean",
    title="Time to first purchase, mean",
    aliases=(),
    formula=Mean(_SINCE_SEEN, where=_IS_FIRST),
    description="Mean time from a visitor's first session to the customer's first order.",
    see_also=("time_to_first_purchase",),
    caveats="A few customers who took a year dominate it.",
    alternatives=("time_to_first_purchase: the median.",),
    references=(_KPI_TREE,),
)

_VISITS = Orders.session_number - Coalesce(Orders.previous_session_number, 0)

sessions_to_purchase = Metric(
    name="sessions_to_purchase",
    title="Sessions to purchase",
    aliases=("visits_to_purchase",),
    formula=Median(If(_VISITS < 1, Literal(1), _VISITS), where=Orders.is_counted),
    unit=NUMBER,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.FUNNEL,
    direction=Direction.DOWN,
    bounds=(1, None),
    description="Median number of sessions up to an order.",
    includes="The visitor's sessions after the one with the previous order, or from the visitor's "
    "first session if there is none, up to and including the one with this order, in the period of "
    "this order. A second order in the same session counts as 1.",
    excludes="Bots; orders without a session; sessions without a visitor id.",
    null_when="No order has a session.",
    see_also=("time_to_first_purchase", "session_conversion_rate"),
    caveats="Someone who decides on a phone and buys on a computer counts as two visitors, so the "
    "number is too low. Sessions before the start of the history are missing.",
    references=(_KAUSHIK,),
    tags=("funnel",),
)

"""Journeys: how long it takes, and how many visits, until somebody buys."""

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
    description="How long it takes from entering the shop to the order: half take longer.",
    includes="The seconds from the start of the visit to each of its orders that count, in the "
    "period of the order.",
    excludes="Bots; orders without a visit; orders before the start of their visit, whose "
    "clocks are wrong.",
    null_when="No order has a visit.",
    see_also=("session_conversion_rate", "purchase_journey_duration.p90"),
    caveats="Only buyers are seen: a checkout that is too long for most looks quick. Averaging "
    "the medians of days or channels: ask for the whole instead.",
    alternatives=(
        "purchase_journey_duration.mean: the mean, which a few long visits pull up.",
        "time_to_first_purchase: from being first seen, over several visits.",
    ),
    references=(_KPI_TREE, _KAUSHIK),
    tags=("funnel", "duration"),
)

purchase_journey_duration_p90 = replace(
    purchase_journey_duration,
    name="purchase_journey_duration.p90",
    title="Purchase journey duration, nine of ten",
    aliases=(),
    formula=Quantile(_IN_VISIT, 0.9, where=_IS_IN_VISIT),
    description="Within how long of entering the shop nine of ten orders are placed.",
    see_also=("purchase_journey_duration",),
    caveats="Reading it from a few orders: it is then the longest of them.",
    alternatives=("purchase_journey_duration: the median.",),
)

purchase_journey_duration_mean = replace(
    purchase_journey_duration,
    name="purchase_journey_duration.mean",
    title="Purchase journey duration, mean",
    aliases=(),
    formula=Mean(_IN_VISIT, where=_IS_IN_VISIT),
    description="How long it takes on average from entering the shop to the order.",
    see_also=("purchase_journey_duration",),
    caveats="A few visits left open over the day decide it.",
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
    description="How long new customers knew the shop before their first order: half longer.",
    includes="The seconds from the first visit of the visitor to the customer's first order that "
    "counts, in the period of that order.",
    excludes="Whoever has not bought; guests; orders without a visit; orders before the "
    "visitor was first seen, whose clocks are wrong.",
    null_when="No first order has a visit.",
    see_also=("new_customers", "sessions_to_purchase", "visitor_conversion_rate"),
    caveats="Only buyers are seen, so read it with the share who bought: slow deciders are "
    "missing, most of all in a short history. A new device makes the journey look short.",
    alternatives=("time_to_first_purchase.mean: the mean over buyers, as KPI Tree has it.",),
    references=(_KPI_TREE, _KAUSHIK),
    tags=("customers", "duration"),
)

time_to_first_purchase_mean = replace(
    time_to_first_purchase,
    name="time_to_first_purchase.mean",
    title="Time to first purchase, mean",
    aliases=(),
    formula=Mean(_SINCE_SEEN, where=_IS_FIRST),
    description="How long new customers knew the shop on average before their first order.",
    see_also=("time_to_first_purchase",),
    caveats="A few who took a year decide it.",
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
    description="How many visits an order takes: half take more.",
    includes="The visitor's visits after the one with the order before, or from the first visit "
    "of all, up to and with the one in which the order was placed, in the period of the order. "
    "The second order of a visit took one.",
    excludes="Bots; orders without a visit; visits without a visitor id.",
    null_when="No order has a visit.",
    see_also=("time_to_first_purchase", "session_conversion_rate"),
    caveats="Whoever decides on the phone and buys on the computer is two visitors, so the count "
    "is too low. A history that starts late hides the visits before it.",
    references=(_KAUSHIK,),
    tags=("funnel",),
)

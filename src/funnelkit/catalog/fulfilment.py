"""Fulfilment: how fast, how rightly and at what cost orders reach their customers."""

from __future__ import annotations

from funnelkit.formula.formulas import (
    Count,
    CountDistinct,
    Median,
    Name,
    PositiveOrNull,
    Quantile,
    Sum,
)
from funnelkit.formula.values import AsOf, Elapsed, If, IsTrue, Lookup
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.operations import Shipments
from funnelkit.schema.sales import Orders
from funnelkit.units import MONEY, ORDER, RATIO, SECOND

__all__ = [
    "delivery_time",
    "fill_rate",
    "fulfilment_time",
    "fulfilment_time_complete",
    "fulfilment_time_orders_waiting",
    "fulfilment_time_p90",
    "on_time_delivery_rate",
    "order_accuracy_rate",
    "order_cycle_time",
    "otif_rate",
    "perfect_order_rate",
    "perfect_order_rate_product",
    "shipping_cost_per_order",
    "shipping_cost_ratio",
    "shipping_cost_ratio_by_shipping_day",
]

_TO_FIRST_PARCEL = Elapsed(Orders.ordered_at, Orders.first_shipped_at)
_IS_DUE = Orders.is_counted & (Elapsed(Orders.promised_at, AsOf()) >= 0)
_IS_DELIVERED = Orders.is_counted & Orders.delivered_at.is_not_null()
_IS_SHIPPED = (
    IsTrue(Lookup(Shipments.order_id, Orders.is_counted)) & Shipments.shipped_at.is_not_null()
)
_IS_FIRST = _IS_SHIPPED & Shipments.is_first_parcel
_DELIVERED = Count(Orders, where=_IS_DELIVERED)

_TIMES = ("OR-wiki, 'RS1 Order Cycle Time, RS12 Deliver Cycle Time' (primary)",)
_SCOR_TIME = "'SCOR order fulfilment cycle time' (third party)"

fill_rate = Metric(
    name="fill_rate",
    title="Fill rate",
    aliases=("unit_fill_rate",),
    formula=Sum(
        If(Orders.first_shipped_units > Orders.units, Orders.units, Orders.first_shipped_units),
        where=Orders.is_counted,
    )
    / Sum(Orders.units, where=Orders.is_counted),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Which share of the units that were ordered left at once.",
    includes="Units in the parcels that left first, at most those ordered, over units ordered, of "
    "the orders placed in the period. Parcels that left at the same moment left together.",
    excludes="Units that followed later; what an order got too much; cancelled orders. A unit "
    "cancelled in an order that stands still counts as ordered.",
    null_when="No units were ordered.",
    see_also=("otif_rate", "stockout_rate"),
    caveats="Reading it of the last days: an order that waits is not filled yet. Setting a fill "
    "rate of units against one of lines or orders. A parcel whose units are not known holds none, "
    "and too much of one article fills the place of another.",
    alternatives=("of lines, of orders: the share of these that left whole.",),
    references=("'OTIF order/line level' (third party)",),
    tags=("fulfilment", "ratio"),
)

fulfilment_time = Metric(
    name="fulfilment_time",
    title="Fulfilment time",
    aliases=("order_fulfilment_time", "order_to_ship_time", "click_to_ship"),
    formula=Median(_TO_FIRST_PARCEL, where=Orders.is_counted),
    unit=SECOND,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.OPERATIONS,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="How long an order waits for its first parcel to leave.",
    includes="Median time from order to first parcel, of the orders placed in the period. Every "
    "hour counts, at night and at weekends too.",
    excludes="Orders of which nothing has left: see fulfilment_time.orders_waiting.",
    null_when="No parcel of any order has left.",
    see_also=("order_cycle_time", "delivery_time"),
    caveats="Reading it of the last days, of which only the fast orders have left; pre-orders, "
    "which wait because they should.",
    alternatives=(
        "fulfilment_time.p90: within what nine of ten orders left.",
        "fulfilment_time.complete: until the last parcel left.",
    ),
    references=(*_TIMES, _SCOR_TIME),
    tags=("fulfilment", "duration", "median"),
)

fulfilment_time_p90 = Metric(
    name="fulfilment_time.p90",
    title="Fulfilment time, nine of ten orders",
    formula=Quantile(_TO_FIRST_PARCEL, 0.9, where=Orders.is_counted),
    unit=SECOND,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.OPERATIONS,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Within what time the first parcels of nine of ten orders left.",
    includes="The ninth decile of the time from order to first parcel, of the orders placed in the "
    "period.",
    excludes="Orders of which nothing has left.",
    null_when="No parcel of any order has left.",
    see_also=("fulfilment_time",),
    caveats="Reading it of few orders: it is the slowest of ten.",
    alternatives=("fulfilment_time: the order in the middle.",),
    references=_TIMES,
    tags=("fulfilment", "duration", "variant"),
)

fulfilment_time_complete = Metric(
    name="fulfilment_time.complete",
    title="Fulfilment time, last parcel",
    formula=Median(Elapsed(Orders.ordered_at, Orders.last_shipped_at), where=Orders.is_counted),
    unit=SECOND,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.OPERATIONS,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="How long an order waits until all of its parcels have left.",
    includes="Median time from order to last parcel, of the orders placed in the period.",
    excludes="Orders of which a parcel waits, or that have none.",
    null_when="No order has left whole.",
    see_also=("fulfilment_time", "fill_rate"),
    caveats="A part that has no parcel yet is not seen to wait.",
    alternatives=("fulfilment_time: until the first parcel left.",),
    references=_TIMES,
    tags=("fulfilment", "duration", "median", "variant"),
)

fulfilment_time_orders_waiting = Metric(
    name="fulfilment_time.orders_waiting",
    title="Orders waiting",
    aliases=("orders_waiting", "unshipped_orders"),
    formula=Count(Orders, where=Orders.is_counted & Orders.first_shipped_at.is_null()),
    unit=ORDER,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.OPERATIONS,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Of how many orders nothing has left so far.",
    includes="Orders placed in the period of which no parcel has left.",
    excludes="Orders that left in part.",
    null_when="Never: no orders are 0.",
    see_also=("fulfilment_time",),
    caveats="Orders that are never shipped, such as those fetched in a store, wait for ever.",
    alternatives=("The backlog of a day: orders that waited then, whatever left since.",),
    references=_TIMES,
    tags=("fulfilment", "count", "variant"),
)

delivery_time = Metric(
    name="delivery_time",
    title="Delivery time",
    aliases=("ship_to_deliver_time", "transit_time"),
    formula=Median(
        Elapsed(Shipments.shipped_at, Shipments.delivered_at), where=Shipments.is_counted
    ),
    unit=SECOND,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.OPERATIONS,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="How long a parcel is under way.",
    includes="Median time from leaving to arriving, of the parcels that left in the period.",
    excludes="Parcels of which the carrier reports no arrival; those of orders that do not count.",
    null_when="No parcel that left has arrived.",
    see_also=("fulfilment_time", "order_cycle_time"),
    caveats="Reading it of the last days, of which only the fast parcels have arrived. Missing "
    "scans of one carrier hide its slow parcels.",
    alternatives=("order_cycle_time: from the order on, as the customer waits.",),
    references=_TIMES,
    tags=("fulfilment", "duration", "median"),
)

order_cycle_time = Metric(
    name="order_cycle_time",
    title="Order cycle time",
    aliases=("order_fulfilment_cycle_time", "click_to_door"),
    formula=Median(Elapsed(Orders.ordered_at, Orders.delivered_at), where=Orders.is_counted),
    unit=SECOND,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.OPERATIONS,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="How long a customer waits for an order.",
    includes="Median time from order to the arrival of its last parcel, of the orders placed in "
    "the period.",
    excludes="Orders of which a parcel has not arrived, or that have none.",
    null_when="No order has arrived whole.",
    see_also=("fulfilment_time", "delivery_time"),
    caveats="Reading it of the last weeks, of which only the fast orders have arrived; adding the "
    "medians of its parts, which do not add up.",
    alternatives=("SCOR: the mean, in calendar days, of the orders delivered in the period.",),
    references=(*_TIMES, _SCOR_TIME),
    tags=("fulfilment", "duration", "median"),
)

on_time_delivery_rate = Metric(
    name="on_time_delivery_rate",
    title="On-time delivery rate",
    aliases=("on_time_rate",),
    formula=Count(Orders, where=_IS_DUE & Orders.is_on_time) / Count(Orders, where=_IS_DUE),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Which share of the orders that were due had arrived by then.",
    includes="Orders of which the last parcel arrived by the promise, over orders of which the "
    "promise has passed. What is late and still under way is a miss.",
    excludes="Orders without a promise, and those that are not due yet, arrived or not.",
    null_when="No order is due.",
    see_also=("otif_rate", "order_cycle_time"),
    caveats="Dividing by the orders that arrived: the late ones under way drop out. Orders belong "
    "to the period in which they were placed, not to that for which they were promised.",
    alternatives=("by due date: the orders promised for the period, whenever they were placed.",),
    references=("OR-wiki, 'DP1 Perfect Order Ratio' (primary)",),
    tags=("fulfilment", "promise", "ratio"),
)

otif_rate = Metric(
    name="otif_rate",
    title="On time in full",
    aliases=("otif", "on_time_in_full_rate", "difot"),
    formula=Count(Orders, where=_IS_DUE & Orders.is_on_time & Orders.is_in_full)
    / Count(Orders, where=_IS_DUE),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Which share of the orders that were due had arrived by then, nothing missing.",
    includes="Orders of which the last parcel arrived by the promise and all units were shipped, "
    "over orders of which the promise has passed.",
    excludes="Orders without a promise, and those that are not due yet, arrived or not.",
    null_when="No order is due.",
    see_also=("on_time_delivery_rate", "fill_rate", "perfect_order_rate"),
    caveats="Multiplying the on-time rate by the fill rate: late orders are often the short ones "
    "too. Orders belong to the period in which they were placed. Parcels of unknown content hold "
    "nothing.",
    alternatives=(
        "by line: one short line spares the others.",
        "by due date: the orders promised for the period, whenever they were placed.",
    ),
    references=(
        "'OTIF order/line level' (third party)",
        "'OTIF calculator' (third party)",
    ),
    tags=("fulfilment", "promise", "ratio"),
)

order_accuracy_rate = Metric(
    name="order_accuracy_rate",
    title="Order accuracy rate",
    aliases=("order_accuracy", "pick_accuracy"),
    formula=CountDistinct(
        Shipments.order_id,
        where=_IS_FIRST & ~IsTrue(Lookup(Shipments.order_id, Orders.has_item_error)),
    )
    / CountDistinct(Shipments.order_id, where=_IS_FIRST),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Which share of the orders that left held what was ordered.",
    includes="Orders of which no parcel is known to hold anything wrong, missing or too much, over "
    "orders of which the first parcel left in the period.",
    excludes="Lateness and damage, which make an order imperfect, not inaccurate; orders that "
    "wait.",
    null_when="No order left.",
    see_also=("perfect_order_rate", "return_rate"),
    caveats="Trusting the last weeks: errors are known when customers report them, and until then "
    "an order is right.",
    alternatives=("of lines or units picked: one error spares the rest of the order.",),
    references=("'Order accuracy' (third party)",),
    tags=("fulfilment", "ratio"),
)

perfect_order_rate = Metric(
    name="perfect_order_rate",
    title="Perfect order rate",
    aliases=("por", "perfect_order_fulfilment"),
    formula=Count(Orders, where=_IS_DELIVERED & Orders.is_perfect) / _DELIVERED,
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Which share of the orders that arrived was on time, in full, undamaged and with "
    "the right papers.",
    includes="Orders that arrived on time, in full, undamaged and with the right papers, over "
    "orders of which every parcel arrived; of the orders placed in the period.",
    excludes="Orders of which a parcel has not arrived, or that have none. A wrong article in a "
    "parcel is not seen: order_accuracy_rate shows it. Units that the customer cancelled need not "
    "be shipped.",
    null_when="No order has arrived whole.",
    see_also=("otif_rate", "order_accuracy_rate"),
    caveats="Multiplying four rates: one order may fail twice. An order without a promise is not "
    "on time, and papers that are not known to be right are not. Damage that is not known is "
    "none. Orders belong to the period in which they were placed, and what is still under way is "
    "no failure yet.",
    alternatives=(
        "perfect_order_rate.product: the four shares multiplied, as APQC has it.",
        "by delivery date: the orders that arrived in the period.",
    ),
    references=(
        "'SCOR perfect order fulfilment text' (third party)",
        "OR-wiki, 'DP1 Perfect Order Ratio' (primary)",
        "APQC, 'Perfect order performance' (primary)",
    ),
    tags=("fulfilment", "promise", "ratio"),
)

perfect_order_rate_product = Metric(
    name="perfect_order_rate.product",
    title="Perfect order rate, product of four shares",
    formula=(Count(Orders, where=_IS_DELIVERED & Orders.is_on_time) / _DELIVERED)
    * (Count(Orders, where=_IS_DELIVERED & Orders.is_in_full) / _DELIVERED)
    * (Count(Orders, where=_IS_DELIVERED & ~Orders.is_damaged) / _DELIVERED)
    * (Count(Orders, where=_IS_DELIVERED & Orders.has_documents) / _DELIVERED),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="What share of orders would be perfect if one fault had nothing to do with "
    "another.",
    includes="The shares of delivered orders that were on time, in full, undamaged and with the "
    "right papers, multiplied; of the orders placed in the period.",
    excludes="Orders of which a parcel has not arrived, or that have none.",
    null_when="No order has arrived whole.",
    see_also=("perfect_order_rate",),
    caveats="Reading it as the share of perfect orders: an order that fails twice is punished "
    "twice. It is here to set against others' numbers.",
    alternatives=("perfect_order_rate: order by order.",),
    references=("APQC, 'Perfect order performance' (primary)",),
    tags=("fulfilment", "promise", "ratio", "variant"),
)

shipping_cost_per_order = Metric(
    name="shipping_cost_per_order",
    title="Shipping cost per order",
    formula=Sum(Shipments.shipping_cost, where=Shipments.is_counted)
    / CountDistinct(Shipments.order_id, where=Shipments.is_counted),
    unit=MONEY / ORDER,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.OPERATIONS,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="What the carrier takes for an order.",
    includes="Cost of the parcels that left in the period over the orders they belong to.",
    excludes="Packaging and labour; what customers pay for shipping, which is revenue; parcels "
    "of orders that do not count.",
    null_when="No parcel of a known order left.",
    see_also=("contribution_margin", "average_order_value"),
    caveats="Dividing by parcels where orders are split. A parcel whose cost is not known costs "
    "nothing here, and an order whose parcels left in two months is one in both.",
    alternatives=("with packaging and labour: add the fulfilment cost of the orders.",),
    references=(
        "'Shipping cost per order' (third party)",
        "whiplash.com, 'Shipping cost per order' (third party)",
    ),
    tags=("fulfilment", "money", "ratio"),
)

shipping_cost_ratio = Metric(
    name="shipping_cost_ratio",
    title="Shipping cost ratio",
    aliases=("shipping_cost_percent",),
    formula=Sum(Orders.shipping_cost, where=Orders.is_counted) / PositiveOrNull(Name("net_sales")),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.OPERATIONS,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="What the carriers take of each unit of net sales.",
    includes="Cost of all parcels of the orders placed in the period, whenever they leave, over "
    "the net sales of the period.",
    excludes="Packaging and labour; what customers pay for shipping; orders that do not count.",
    null_when="Net sales are zero or negative.",
    see_also=("shipping_cost_per_order", "contribution_margin_ratio"),
    caveats="Setting the parcels of one month against the sales of another: both go by the day of "
    "the order. Orders not shipped yet have no cost so far.",
    alternatives=("shipping_cost_ratio.by_shipping_day: the parcels that left in the period.",),
    references=("'Shipping cost %' (third party)",),
    tags=("fulfilment", "money", "ratio"),
)

shipping_cost_ratio_by_shipping_day = Metric(
    name="shipping_cost_ratio.by_shipping_day",
    title="Shipping cost ratio, by day of shipping",
    formula=Sum(Shipments.shipping_cost, where=Shipments.is_counted)
    / PositiveOrNull(Name("net_sales")),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.OPERATIONS,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="What the carriers take of each unit of net sales.",
    includes="Cost of the parcels that left in the period over the net sales booked in it.",
    excludes="Packaging and labour; what customers pay for shipping; parcels of orders that do "
    "not count.",
    null_when="Net sales are zero or negative.",
    see_also=("shipping_cost_per_order", "contribution_margin_ratio"),
    caveats="Reading it by the day: parcels are of the orders of the days before.",
    alternatives=("by order: the cost of all parcels of the orders of the period.",),
    references=("'Shipping cost %' (third party)",),
    tags=("fulfilment", "money", "ratio", "variant"),
)

"""Fulfilment: how fast, how accurately and at what cost orders reach customers."""

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
_IS_DUE = Orders.is_counted & (Orders.promised_at < AsOf())
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
    description="Share of the units ordered that were in the first shipment of their order.",
    includes="Units in the first shipment, at most the units ordered, divided by units ordered, "
    "for orders placed in the period. Parcels shipped at the same moment count as one shipment.",
    excludes="Units shipped later; units in excess of the order; cancelled orders. A unit "
    "cancelled from an order that is not itself cancelled counts as ordered.",
    null_when="No units were ordered.",
    see_also=("otif_rate", "stockout_rate"),
    caveats="Do not read it for the most recent days: an order that is still waiting has not been "
    "filled yet. Do not compare a unit fill rate with one of lines or orders. A parcel with "
    "unknown contents counts as empty, and a surplus of one item can mask a shortage of another.",
    alternatives=("line or order fill rate: the share of lines, or of orders, shipped complete.",),
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
    description="Median time from the order to the shipment of its first parcel.",
    includes="Orders placed in the period with at least one parcel shipped. Every hour counts, "
    "including nights and weekends.",
    excludes="Orders with nothing shipped yet: see fulfilment_time.orders_waiting.",
    null_when="No parcel of any order has been shipped.",
    see_also=("order_cycle_time", "delivery_time"),
    caveats="Do not read it for the most recent days, for which only the fast orders have been "
    "shipped. Pre-orders wait by design.",
    alternatives=(
        "fulfilment_time.p90: the time within which nine out of ten orders were shipped.",
        "fulfilment_time.complete: until the last parcel was shipped.",
    ),
    references=(*_TIMES, _SCOR_TIME),
    tags=("fulfilment", "duration", "median"),
)

fulfilment_time_p90 = Metric(
    name="fulfilment_time.p90",
    title="Fulfilment time, 90th percentile",
    formula=Quantile(_TO_FIRST_PARCEL, 0.9, where=Orders.is_counted),
    unit=SECOND,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.OPERATIONS,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Time from the order to the shipment of its first parcel that nine out of ten "
    "orders do not exceed.",
    includes="The 90th percentile of the time from order to first parcel, for orders placed in "
    "the period.",
    excludes="Orders with nothing shipped yet.",
    null_when="No parcel of any order has been shipped.",
    see_also=("fulfilment_time",),
    caveats="With few orders it is close to the slowest of them.",
    alternatives=("fulfilment_time: the median.",),
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
    description="Median time from the order to the shipment of its last parcel.",
    includes="Orders placed in the period with every parcel shipped.",
    excludes="Orders with a parcel that has not been shipped, and orders without a parcel.",
    null_when="No order has been shipped completely.",
    see_also=("fulfilment_time", "fill_rate"),
    caveats="A part of an order for which no parcel exists yet is not recognised as waiting.",
    alternatives=("fulfilment_time: until the first parcel was shipped.",),
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
    description="Number of orders with nothing shipped yet.",
    includes="Orders placed in the period with no parcel shipped.",
    excludes="Partially shipped orders.",
    null_when="Never; it is 0 if no order is waiting.",
    see_also=("fulfilment_time",),
    caveats="Orders that are never shipped, such as those collected in store, remain in the count "
    "permanently.",
    alternatives=(
        "the backlog of a given day: orders waiting then, whatever has been shipped since.",
    ),
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
    description="Median time from the shipment of a parcel to its delivery.",
    includes="Parcels shipped in the period that have been delivered.",
    excludes="Parcels for which the carrier reports no delivery; parcels of orders that are not "
    "counted.",
    null_when="No parcel shipped has been delivered.",
    see_also=("fulfilment_time", "order_cycle_time"),
    caveats="Do not read it for the most recent days, for which only the fast parcels have been "
    "delivered. If a carrier's scans are missing, its slow parcels are hidden.",
    alternatives=(
        "order_cycle_time: from the order to the delivery, the wait as the customer sees it.",
    ),
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
    description="Median time from the order to the delivery of its last parcel.",
    includes="Orders placed in the period with every parcel delivered.",
    excludes="Orders with a parcel that has not been delivered, and orders without a parcel.",
    null_when="No order has been delivered completely.",
    see_also=("fulfilment_time", "delivery_time"),
    caveats="Do not read it for the most recent weeks, for which only the fast orders have been "
    "delivered. Do not sum the medians of its stages: medians do not add up.",
    alternatives=("SCOR: the mean, in calendar days, for orders delivered in the period.",),
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
    description="Share of the orders due that were delivered by the promised date.",
    includes="Orders whose last parcel was delivered by the promised date, divided by orders "
    "whose promised date has passed. A late order still in transit counts as missed.",
    excludes="Orders without a promised date, and orders that are not yet due, delivered or not: a "
    "date passes with the end of its day.",
    null_when="No order is due.",
    see_also=("otif_rate", "order_cycle_time"),
    caveats="Do not divide by the orders delivered: late orders still in transit would drop out. "
    "Orders belong to the period in which they were placed, not to the one for which they were "
    "promised.",
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
    description="Share of the orders due that were delivered by the promised date and shipped in "
    "full.",
    includes="Orders whose last parcel was delivered by the promised date and whose units, less "
    "those cancelled, were all shipped, divided by orders whose promised date has passed.",
    excludes="Orders without a promised date, and orders that are not yet due, delivered or not: a "
    "date passes with the end of its day.",
    null_when="No order is due.",
    see_also=("on_time_delivery_rate", "fill_rate", "perfect_order_rate"),
    caveats="Do not multiply the on-time rate by the fill rate: late orders are often incomplete "
    "as well. Orders belong to the period in which they were placed. Parcels with unknown contents "
    "count as empty.",
    alternatives=(
        "by line: a short line does not fail the other lines of its order.",
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
    description="Share of the orders shipped that contained what was ordered.",
    includes="Orders without a parcel known to contain a wrong, missing or surplus item, divided "
    "by orders whose first parcel was shipped in the period.",
    excludes="Lateness and damage, which make an order imperfect but not inaccurate; orders that "
    "have not been shipped.",
    null_when="No order was shipped.",
    see_also=("perfect_order_rate", "return_rate"),
    caveats="Do not rely on the most recent weeks: an order counts as accurate until the customer "
    "reports an error.",
    alternatives=("by line or unit picked: one error does not fail the rest of the order.",),
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
    description="Share of the orders delivered that were on time, in full, undamaged and "
    "correctly documented.",
    includes="Orders that meet all four conditions, divided by orders with every parcel delivered; "
    "both for orders placed in the period.",
    excludes="Orders with a parcel that has not been delivered, and orders without a parcel. Wrong "
    "items are not considered: see order_accuracy_rate. Units that the customer cancelled need not "
    "be shipped.",
    null_when="No order has been delivered completely.",
    see_also=("otif_rate", "order_accuracy_rate"),
    caveats="Do not multiply the four rates: one order may fail in two respects. An order without "
    "a promised date does not count as on time, and documents not known to be correct count as "
    "incorrect. Damage that was not recorded counts as no damage. Orders belong to the period in "
    "which they were placed, and orders still in transit are not failures yet.",
    alternatives=(
        "perfect_order_rate.product: the four shares multiplied, as APQC defines it.",
        "by delivery date: the orders delivered in the period.",
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
    description="Share of orders that would be perfect if the four kinds of failure were "
    "independent.",
    includes="The product of the shares of delivered orders that were on time, in full, "
    "undamaged and correctly documented, for orders placed in the period.",
    excludes="Orders with a parcel that has not been delivered, and orders without a parcel.",
    null_when="No order has been delivered completely.",
    see_also=("perfect_order_rate",),
    caveats="Do not read it as the share of perfect orders: an order that fails in two respects is "
    "penalised twice. Use it for comparison with figures computed this way.",
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
    description="Carrier cost per order shipped.",
    includes="Shipping cost of the parcels shipped in the period, divided by the number of orders "
    "they belong to.",
    excludes="Packaging and labour; shipping charged to customers, which is revenue; parcels of "
    "orders that are not counted.",
    null_when="No parcel with an order id was shipped.",
    see_also=("contribution_margin", "average_order_value"),
    caveats="Do not divide by parcels where orders are split. A parcel of unknown cost adds no "
    "cost, and an order whose parcels were shipped in two different months counts in both.",
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
    description="Carrier cost as a share of net sales.",
    includes="Shipping cost of all parcels of the orders placed in the period, whenever they are "
    "shipped, divided by the net sales of the period.",
    excludes="Packaging and labour; shipping charged to customers; orders that are not counted.",
    null_when="Net sales are zero or negative.",
    see_also=("shipping_cost_per_order", "contribution_margin_ratio"),
    caveats="Do not compare one month's parcels with another month's sales: here the cost is "
    "dated by the order. Orders that have not been shipped have no cost yet.",
    alternatives=("shipping_cost_ratio.by_shipping_day: the parcels shipped in the period.",),
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
    description="Carrier cost of the parcels shipped, as a share of net sales.",
    includes="Shipping cost of the parcels shipped in the period, divided by the net sales of the "
    "period.",
    excludes="Packaging and labour; shipping charged to customers; parcels of orders that are "
    "not counted.",
    null_when="Net sales are zero or negative.",
    see_also=("shipping_cost_per_order", "contribution_margin_ratio"),
    caveats="Do not read it by day: parcels belong to orders of earlier days.",
    alternatives=(
        "shipping_cost_ratio: the cost of all parcels of the orders placed in the period.",
    ),
    references=("'Shipping cost %' (third party)",),
    tags=("fulfilment", "money", "ratio", "variant"),
)

"""Sales and basket: orders, their value and their size."""

from __future__ import annotations

from funnelkit.formula.formulas import (
    Abs,
    Count,
    CountDistinct,
    Median,
    Name,
    PositiveOrNull,
    Shift,
    Sum,
)
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.sales import OrderLines, Orders, Returns
from funnelkit.schema.traffic import Events
from funnelkit.units import CUSTOMER, EVENT, ITEM, MONEY, ORDER, RATIO, SESSION, VISITOR

__all__ = [
    "average_order_value",
    "average_order_value_purchase_events",
    "average_order_value_total_sales",
    "average_order_value_without_free",
    "average_order_value_without_returned",
    "average_revenue_per_customer",
    "average_revenue_per_user",
    "average_unit_retail",
    "cancellation_rate",
    "cancellation_rate_placed",
    "discount_rate",
    "discounts",
    "gross_sales",
    "median_order_value",
    "net_sales",
    "orders",
    "returns_value",
    "returns_value_by_order_date",
    "revenue_per_session",
    "revenue_per_visitor",
    "sales_growth_rate",
    "total_sales",
    "total_sales_with_refunded_charges",
    "units_per_transaction",
    "units_per_transaction_net",
    "units_sold",
    "units_sold_net",
]

_SHOPIFY_TERMS = "Shopify's sales report terms, as listed by Meltano (third party)"
_ONLINE = Orders.is_counted & Orders.is_online
_ONLINE_SALES = Sum(Orders.gross_amount, where=_ONLINE) - Sum(Orders.discount_amount, where=_ONLINE)

orders = Metric(
    name="orders",
    title="Orders",
    aliases=("transactions", "number_of_orders", "liczba zamówień miesięcznie"),
    formula=Count(Orders, where=Orders.is_counted),
    unit=ORDER,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    bounds=(0, None),
    description="Number of orders placed.",
    includes="Orders counted under the order policy, at the time of the order. By default, "
    "refunded and free orders are included.",
    excludes="By default, test, draft, deleted, cancelled and voided orders, and orders that "
    "contain only gift cards.",
    null_when="Never; it is 0 if there are no orders.",
    see_also=("average_order_value", "units_per_transaction"),
    caveats="Do not compare it with a tool that follows another policy: Shopify's reports include "
    "cancelled, pending and unpaid orders; BigCommerce counts captured orders only.",
    alternatives=("order policies 'shopify' and 'captured' of the shop.",),
    references=(_SHOPIFY_TERMS, "BigCommerce, Ecommerce Analytics reports (vendor)"),
    tags=("sales", "count"),
)

units_sold = Metric(
    name="units_sold",
    title="Units sold",
    aliases=("items_sold",),
    formula=Sum(OrderLines.quantity, where=OrderLines.is_counted),
    unit=ITEM,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    bounds=(0, None),
    description="Number of units ordered.",
    includes="Quantities of the product lines of counted orders, at the time of the order.",
    excludes="Gift cards and fees. Units returned later are not deducted.",
    null_when="Never; it is 0 if no units were sold.",
    see_also=("units_per_transaction",),
    caveats="Do not count lines instead of units.",
    alternatives=("units_sold.net: less the units returned.",),
    references=(_SHOPIFY_TERMS,),
    tags=("sales", "count"),
)

gross_sales = Metric(
    name="gross_sales",
    title="Gross sales",
    formula=Sum(Orders.gross_amount, where=Orders.is_counted),
    unit=MONEY,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    bounds=(0, None),
    description="Value of goods sold at prices before discounts and returns.",
    includes="Price times quantity of the goods in counted orders, at the time of the order.",
    excludes="Tax, shipping, fees; gift cards, which are a liability until they are redeemed.",
    null_when="Never; it is 0 if there are no sales.",
    see_also=("net_sales", "discounts"),
    caveats="If prices include tax, deduct the tax first.",
    references=(_SHOPIFY_TERMS,),
    tags=("sales", "money"),
)

discounts = Metric(
    name="discounts",
    title="Discounts",
    formula=Sum(Orders.discount_amount, where=Orders.is_counted),
    unit=MONEY,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.NEUTRAL,
    bounds=(0, None),
    description="Amount deducted from the price of goods.",
    includes="Line-level and order-level discounts, as a positive amount.",
    excludes="Markdowns: a lower list price is not a discount.",
    null_when="Never; it is 0 if there are no discounts.",
    see_also=("gross_sales",),
    caveats="Do not store them as negative amounts and subtract them again.",
    references=(_SHOPIFY_TERMS, "Polar, Shopify terms and definitions (third party)"),
    tags=("sales", "money"),
)

returns_value = Metric(
    name="returns_value",
    title="Returns",
    aliases=("returned_sales_value",),
    formula=Sum(Returns.refund_amount, where=Returns.is_counted),
    unit=MONEY,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Value of goods refunded.",
    includes="Value of goods refunded, on the day of the return, as a positive amount.",
    excludes="Refunded shipping and tax; cancellations and returns of orders that are not "
    "counted, whose sales were never included.",
    null_when="Never; it is 0 if there are no returns.",
    see_also=("net_sales",),
    caveats="Do not date returns by the order in one report and by the return in another.",
    alternatives=("Geckoboard dates a return by its order.",),
    references=(_SHOPIFY_TERMS, "Geckoboard, Shopify metrics (third party)"),
    tags=("sales", "money"),
)

net_sales = Metric(
    name="net_sales",
    title="Net sales",
    aliases=("net_revenue", "revenue"),
    formula="gross_sales - discounts - returns_value",
    unit=MONEY,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    description="Gross sales less discounts and returns: revenue, in the sense of this catalogue.",
    includes="Gross sales and discounts, at the time of the order; returns, at the time of the "
    "return.",
    excludes="Tax, shipping, fees, gift cards.",
    null_when="Never; it is 0 if there are no sales.",
    see_also=("gross_sales", "returns_value", "gross_margin"),
    caveats="Do not remove a cancelled order and subtract its refund as well. A period with more "
    "returns than sales is correctly negative.",
    alternatives=("total_sales: with shipping, tax and fees.",),
    references=(_SHOPIFY_TERMS, "Peel, 'Revenue' (third party)"),
    tags=("sales", "money"),
)

average_order_value = Metric(
    name="average_order_value",
    title="Average order value",
    aliases=("aov", "average_ticket", "atv", "średnia wartość zamówienia"),
    formula="(gross_sales - discounts) / orders",
    unit=MONEY / ORDER,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    bounds=(0, None),
    description="Gross sales less discounts, divided by orders.",
    includes="Both are dated by the order, so that a past month does not change when goods are "
    "returned; free orders are included.",
    excludes="Tax, shipping, gift cards. Returns are not deducted from sales or from orders.",
    null_when="There are no orders.",
    see_also=("orders", "units_per_transaction", "session_conversion_rate"),
    caveats="Do not average the averages of days or customers. Do not subtract returns from the "
    "numerator only. It says nothing about profit.",
    alternatives=(
        "Shopify before 2023: total sales divided by orders.",
        "BigCommerce: revenue divided by orders that were not returned.",
        "GA4: value of purchase events per purchase, often with tax and shipping.",
    ),
    references=(
        "Shopify changelog, 'Your average order value now has a new definition', 2023 (vendor)",
        "BigCommerce, Ecommerce Analytics reports (vendor)",
    ),
    tags=("sales", "money", "ratio"),
)

units_per_transaction = Metric(
    name="units_per_transaction",
    title="Units per transaction",
    aliases=("upt", "items_per_order", "basket_size"),
    formula="units_sold / orders",
    unit=ITEM / ORDER,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    bounds=(0, None),
    description="Units sold divided by orders.",
    includes="Both are dated by the order.",
    excludes="Gift cards and fees. Returned units are not deducted.",
    null_when="There are no orders.",
    see_also=("average_order_value",),
    caveats="Do not invert the ratio. A value below 1 indicates missing lines.",
    alternatives=(
        "units_per_transaction.net: less returned units, as Shopify and Polar define it.",
    ),
    references=("Lifesight, 'Units per transaction' (third party)",),
    tags=("sales", "ratio"),
)

revenue_per_visitor = Metric(
    name="revenue_per_visitor",
    title="Revenue per visitor",
    aliases=("rpv", "przychód na gościa"),
    formula=_ONLINE_SALES / Name("unique_visitors"),
    unit=MONEY / VISITOR,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    bounds=(0, None),
    description="Online sales after discounts divided by unique visitors.",
    includes="Gross sales less discounts of online orders, and all unique visitors.",
    excludes="Orders from other channels, bots, returns.",
    null_when="There are no visitors.",
    see_also=("visitor_conversion_rate", "average_order_value"),
    caveats="It is conversion rate times order value only if the rate is orders per visitor. Do "
    "not sum daily visitors.",
    alternatives=(
        "revenue_per_session: per session.",
        "conversion rate × average order value: with online orders per visitor as the rate.",
        "net of returns: refunds fall on different days from the sessions.",
    ),
    references=("Omniconvert, 'Revenue per visitor' (third party)",),
    tags=("sales", "ratio"),
)

revenue_per_session = Metric(
    name="revenue_per_session",
    title="Revenue per session",
    aliases=("rps", "revenue_per_visit"),
    formula=_ONLINE_SALES / Name("sessions"),
    unit=MONEY / SESSION,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    bounds=(0, None),
    description="Online sales after discounts divided by sessions.",
    includes="Gross sales less discounts of online orders, and all sessions. If all orders are "
    "online, it is exactly orders per session times average order value.",
    excludes="Orders from other channels, bots, returns.",
    null_when="There are no sessions.",
    see_also=("orders_per_session", "average_order_value"),
    caveats="Do not multiply the session conversion rate by order value: it ignores further orders "
    "in a session.",
    references=("Hiconversion, 'Revenue per visit' (third party)",),
    tags=("sales", "ratio"),
)

_CHARGES = (
    Sum(Orders.shipping_amount, where=Orders.is_counted)
    + Sum(Orders.tax_amount, where=Orders.is_counted)
    + Sum(Orders.duties_amount, where=Orders.is_counted)
    + Sum(Orders.fees_amount, where=Orders.is_counted)
)
_REFUNDED_CHARGES = Sum(Returns.refund_shipping, where=Returns.is_counted) + Sum(
    Returns.refund_tax, where=Returns.is_counted
)
_ORDER_VALUE = Orders.gross_amount - Orders.discount_amount
_NOT_FREE = Orders.is_counted & ((_ORDER_VALUE > 0) | _ORDER_VALUE.is_null())
_PURCHASES = Events.is_counted & Events.event_name.eq("purchase")
_GA4 = "GA4 Data API, metric descriptions (vendor text, public copy)"

total_sales = Metric(
    name="total_sales",
    title="Total sales",
    aliases=("całkowita sprzedaż",),
    formula=Name("net_sales") + _CHARGES - _REFUNDED_CHARGES,
    unit=MONEY,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    description="Net sales plus shipping, taxes, duties and fees charged to customers.",
    includes="Charges on counted orders, at the time of the order, less refunded shipping and "
    "tax, at the time of the return.",
    excludes="Gift cards; refunds of duties and fees, which are not deducted.",
    null_when="Never; it is 0 if there are no sales.",
    see_also=("net_sales",),
    caveats="Do not mistake it for revenue: the tax is owed to the state. Unknown charges are "
    "skipped, so a column with gaps makes it too low.",
    alternatives=(
        "total_sales.with_refunded_charges: refunded shipping and tax are not deducted.",
        "GA4 total revenue adds subscriptions and advertising, and is what the tag sends.",
    ),
    references=(
        "Shopify, 'Organization analytics (total sales formula)' (vendor)",
        _SHOPIFY_TERMS,
        _GA4,
    ),
    tags=("sales", "money"),
)

total_sales_with_refunded_charges = Metric(
    name="total_sales.with_refunded_charges",
    title="Total sales, before refunded charges",
    formula=Name("net_sales") + _CHARGES,
    unit=MONEY,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    description="Net sales plus shipping, taxes, duties and fees charged, before refunds of "
    "these charges.",
    includes="Net sales, and the charges on counted orders at the time of the order.",
    excludes="Gift cards. Refunded shipping and tax are not deducted.",
    null_when="Never; it is 0 if there are no sales.",
    see_also=("total_sales",),
    caveats="Do not reconcile it with cash: refunded shipping and tax are still included.",
    alternatives=("total_sales: less refunded shipping and tax.",),
    references=("Shopify, 'Organization analytics (total sales formula)' (vendor)",),
    tags=("sales", "money", "variant"),
)

units_sold_net = Metric(
    name="units_sold.net",
    title="Net units sold",
    aliases=("net_units", "net_quantity"),
    formula=Name("units_sold") - Sum(Returns.quantity, where=Returns.goods_returned),
    unit=ITEM,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    description="Units sold less units returned.",
    includes="Units sold, at the time of the order, and units returned, at the time of the return.",
    excludes="Gift cards and fees.",
    null_when="Never; it is 0 if no units were sold or returned.",
    see_also=("units_sold", "return_rate"),
    caveats="Do not read it per product over a short period: returned units were sold earlier.",
    alternatives=("units_sold: returned units are not deducted.",),
    references=("Polar, Shopify terms and definitions (third party)",),
    tags=("sales", "count", "variant"),
)

returns_value_by_order_date = Metric(
    name="returns_value.by_order_date",
    title="Returns by order date",
    formula=Sum(Orders.returned_amount, where=Orders.is_counted),
    unit=MONEY,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.DOWN,
    description="Value of goods refunded, dated by the order.",
    includes="Value of goods refunded at any time, for orders placed in the period.",
    excludes="Returns without a known order; refunded shipping and tax.",
    null_when="Never; it is 0 if there are no returns.",
    see_also=("returns_value", "value_return_rate"),
    caveats="Do not compare a recent period with an older one: its returns are still coming in, "
    "and the value of a past month keeps growing.",
    alternatives=("returns_value: on the day of the return.",),
    references=("How Geckoboard calculates your Shopify metrics (third party)",),
    tags=("sales", "money", "variant"),
)

average_order_value_total_sales = Metric(
    name="average_order_value.total_sales",
    title="Average order value, on total sales",
    formula="total_sales / orders",
    unit=MONEY / ORDER,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    description="Total sales divided by orders.",
    includes="Goods, shipping, tax and fees, less the returns of the period, divided by orders "
    "placed in it.",
    excludes="Gift cards.",
    null_when="There are no orders.",
    see_also=("average_order_value", "total_sales"),
    caveats="Returns are deducted from the numerator, but their orders stay in the denominator: "
    "the value of a month depends on returns of earlier orders.",
    alternatives=("average_order_value: goods only, at the time of the order.",),
    references=("Shopify, 'Overview dashboard', older text (vendor)",),
    tags=("sales", "money", "ratio", "variant"),
)

average_order_value_without_returned = Metric(
    name="average_order_value.without_returned",
    title="Average order value, excluding returned orders",
    formula=Name("net_sales")
    / PositiveOrNull(Name("orders") - CountDistinct(Returns.order_id, where=Returns.is_counted)),
    unit=MONEY / ORDER,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    description="Net sales divided by orders without a return.",
    includes="Net sales divided by orders less the distinct orders with a return, each dated by "
    "its own day.",
    excludes="Tax, shipping, gift cards.",
    null_when="At least as many orders were returned as were placed.",
    see_also=("average_order_value", "order_return_rate"),
    caveats="An order with one returned unit leaves the denominator, while the part that was "
    "kept stays in the numerator.",
    alternatives=("average_order_value: returns are deducted neither from sales nor from orders.",),
    references=("BigCommerce, Ecommerce Analytics reports (vendor)",),
    tags=("sales", "money", "ratio", "variant"),
)

average_order_value_purchase_events = Metric(
    name="average_order_value.purchase_events",
    title="Average value of purchase events",
    formula=Sum(Events.value, where=_PURCHASES) / Count(Events, where=_PURCHASES),
    unit=MONEY / EVENT,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    description="Value of purchase events divided by purchase events.",
    includes="Events and values as the tag sent them.",
    excludes="Bots; purchases that no tag reported, such as those in other channels.",
    null_when="There are no purchase events.",
    see_also=("average_order_value",),
    caveats="The value often includes tax and shipping; reloading a page sends it twice; cancelled "
    "orders remain included.",
    alternatives=("average_order_value: from the orders themselves.",),
    references=(_GA4,),
    tags=("sales", "money", "ratio", "variant"),
)

average_order_value_without_free = Metric(
    name="average_order_value.without_free",
    title="Average order value, excluding free orders",
    formula=(
        Sum(Orders.gross_amount, where=_NOT_FREE) - Sum(Orders.discount_amount, where=_NOT_FREE)
    )
    / Count(Orders, where=_NOT_FREE),
    unit=MONEY / ORDER,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    bounds=(0, None),
    description="Gross sales less discounts divided by orders, for orders with a value above 0.",
    includes="Both are dated by the order. An order of unknown value does not count as free.",
    excludes="Free orders, such as samples and replacements; tax, shipping, gift cards; returns.",
    null_when="All orders are free, or there are no orders.",
    see_also=("average_order_value", "median_order_value"),
    caveats="Do not multiply it by the number of all orders.",
    alternatives=("average_order_value: free orders are included.",),
    references=("'Is my average order value calculation incorrect?' (third party)",),
    tags=("sales", "money", "ratio", "variant"),
)

median_order_value = Metric(
    name="median_order_value",
    title="Median order value",
    aliases=("mov",),
    formula=Median(_ORDER_VALUE, where=Orders.is_counted),
    unit=MONEY,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    bounds=(0, None),
    description="Median of gross sales less discounts per order.",
    includes="Goods less discounts of each counted order; free orders are included.",
    excludes="Tax, shipping, gift cards; returns; orders of unknown value.",
    null_when="There are no orders of known value.",
    see_also=("average_order_value",),
    caveats="Do not multiply it by orders to get sales: that holds for the mean only. If it is "
    "far below the mean, a few large orders dominate the mean.",
    references=("Adobe, create metrics: median, quartiles (vendor)",),
    tags=("sales", "money", "quantile"),
)

units_per_transaction_net = Metric(
    name="units_per_transaction.net",
    title="Net units per transaction",
    formula=(Name("units_sold") - Sum(Returns.quantity, where=Returns.goods_returned))
    / Name("orders"),
    unit=ITEM / ORDER,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    description="Units sold less units returned, divided by orders.",
    includes="Each is dated by its own event: units sold and orders by the order, units returned "
    "by the return.",
    excludes="Gift cards and fees.",
    null_when="There are no orders.",
    see_also=("units_per_transaction",),
    caveats="Do not multiply it by the average unit retail: the order value is based on gross "
    "units.",
    alternatives=("units_per_transaction: returned units are not deducted.",),
    references=("Polar, Shopify terms and definitions (third party)",),
    tags=("sales", "ratio", "variant"),
)

average_unit_retail = Metric(
    name="average_unit_retail",
    title="Average unit retail",
    aliases=("aur", "average_selling_price"),
    formula="(gross_sales - discounts) / units_sold",
    unit=MONEY / ITEM,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.NEUTRAL,
    bounds=(0, None),
    description="Gross sales less discounts, divided by units sold.",
    includes="Both are dated by the order. Multiplied by units per transaction, it is exactly the "
    "average order value.",
    excludes="Tax, shipping, gift cards; returns.",
    null_when="No units were sold.",
    see_also=("units_per_transaction", "average_order_value"),
    caveats="Do not average the prices of products: a product that sells once would weigh as "
    "much as one that sells a thousand times.",
    references=("BigCommerce, Ecommerce Analytics glossary (vendor)",),
    tags=("sales", "money", "ratio"),
)

discount_rate = Metric(
    name="discount_rate",
    title="Discount rate",
    formula="discounts / gross_sales",
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.NEUTRAL,
    bounds=(0, 1),
    description="Discounts divided by gross sales.",
    includes="Both are dated by the order.",
    excludes="Markdowns; free shipping.",
    null_when="There are no gross sales.",
    see_also=("discounts", "gross_margin"),
    caveats="It is not the share of orders with a discount code.",
    references=("Field usage (convention)",),
    tags=("sales", "ratio"),
)

average_revenue_per_user = Metric(
    name="average_revenue_per_user",
    title="Average revenue per user",
    aliases=("arpu",),
    formula="net_sales / unique_visitors",
    unit=MONEY / VISITOR,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    description="Net sales divided by unique visitors.",
    includes="Net sales of every channel, and unique visitors of the online shop.",
    excludes="Tax, shipping, gift cards; bots.",
    null_when="There are no visitors.",
    see_also=("revenue_per_visitor", "average_revenue_per_customer"),
    caveats="In a shop with other channels, their sales are in the numerator and their customers "
    "are not in the denominator. Revenue per visitor is limited to online orders.",
    alternatives=("GA4 divides total revenue, including advertising, by active users.",),
    references=(_GA4, "AdMob user metrics card, ARPU and ARPPU (vendor)"),
    tags=("sales", "money", "ratio"),
)

average_revenue_per_customer = Metric(
    name="average_revenue_per_customer",
    title="Average revenue per customer",
    aliases=("arpc", "arppu", "average_revenue_per_paying_user"),
    formula="identified_net_sales / customers",
    unit=MONEY / CUSTOMER,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    description="Net sales of known customers divided by customers.",
    includes="Net sales after the refunds of the period, including those of earlier orders, and "
    "the customers who bought in it.",
    excludes="Guests without an account or e-mail address, from both numerator and denominator; "
    "returns whose order is not in the history.",
    null_when="There are no customers.",
    see_also=("customers", "purchase_frequency", "average_order_value"),
    caveats="Do not compare periods of different length: it grows with the period. Do not leave "
    "guests' sales in the numerator.",
    alternatives=("GA4: purchase revenue divided by active users who purchased.",),
    references=(_GA4, "AdMob user metrics card, ARPU and ARPPU (vendor)"),
    tags=("sales", "money", "ratio"),
)

cancellation_rate = Metric(
    name="cancellation_rate",
    title="Cancellation rate",
    formula=Count(Orders, where=Orders.status.eq("cancelled"))
    / Count(Orders, where=Orders.status.ne("test")),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.DOWN,
    bounds=(0, 1),
    description="Share of orders that were cancelled.",
    includes="Cancelled orders divided by all orders except tests, at the time of the order. The "
    "order policy does not apply, as it would leave out cancelled orders.",
    excludes="Test orders; orders of unknown status. Voided orders do not count as cancelled.",
    null_when="There are no orders.",
    see_also=("orders", "order_return_rate"),
    caveats="Do not divide by counted orders: cancelled ones are not among them.",
    alternatives=(
        "cancellation_rate.placed: without drafts and deleted orders, which were never placed.",
    ),
    references=(
        "Field usage (convention)",
        "By the Numbers, reporting methodology vs Shopify (third party)",
    ),
    tags=("sales", "ratio"),
)

cancellation_rate_placed = Metric(
    name="cancellation_rate.placed",
    title="Cancellation rate of placed orders",
    formula=Count(Orders, where=Orders.status.eq("cancelled"))
    / Count(Orders, where=~Orders.status.is_in(["test", "draft", "deleted"])),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.DOWN,
    bounds=(0, 1),
    description="Share of the orders placed that were cancelled.",
    includes="Cancelled orders divided by all orders except tests, drafts and deleted ones.",
    excludes="Orders of unknown status.",
    null_when="There are no orders.",
    see_also=("cancellation_rate",),
    caveats="If a shop deletes cancelled orders, they are missing from both numerator and "
    "denominator.",
    alternatives=("cancellation_rate: drafts and deleted orders stay in the denominator.",),
    references=("Field usage (convention)",),
    tags=("sales", "ratio", "variant"),
)

_SALES_BEFORE = Shift(Name("net_sales"), like_for_like=True)

sales_growth_rate = Metric(
    name="sales_growth_rate",
    title="Sales growth rate",
    aliases=("sales_growth", "revenue_growth"),
    formula=(Name("net_sales") - _SALES_BEFORE) / Abs(_SALES_BEFORE),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    description="Change in net sales from the previous period, divided by the absolute value of "
    "the previous period's.",
    includes="A period that is still open is compared with the same part of the previous period.",
    excludes="Everything that net sales exclude: taxes, shipping, gift cards.",
    null_when="There were no net sales in the previous period.",
    see_also=("net_sales", "orders", "average_order_value"),
    caveats="Do not compare half a month with a whole one. Months differ in their number of "
    "weekends.",
    alternatives=("year on year: shift by 12 months, or 52 weeks.",),
    references=("Peel Insights, Revenue (third party)",),
    tags=("sales", "growth"),
)

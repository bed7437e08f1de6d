"""Sales and basket: how many orders, and how much they hold."""

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
    description="How many orders were placed.",
    includes="Orders that count under the order policy, when they were placed. By default refunded "
    "and free orders stay.",
    excludes="By default: test, draft, deleted, cancelled and voided orders, and orders of "
    "nothing but gift cards.",
    null_when="Never: no orders are 0.",
    see_also=("average_order_value", "units_per_transaction"),
    caveats="Comparing with a tool under another policy: Shopify's reports keep cancelled, "
    "pending and unpaid orders, BigCommerce counts captured ones only.",
    alternatives=("order policies 'shopify' and 'captured' of the shop",),
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
    description="How many units were ordered.",
    includes="Quantities of the product lines of orders that count, when they were placed.",
    excludes="Gift cards and fees; units that came back later are not deducted.",
    null_when="Never: no units are 0.",
    see_also=("units_per_transaction",),
    caveats="Counting lines instead of units.",
    alternatives=("net units: less the units returned",),
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
    description="What was sold, at prices before any deduction.",
    includes="Price times quantity of the goods in orders that count, when they were placed.",
    excludes="Tax, shipping, fees; gift cards, which are a debt until they are used.",
    null_when="Never: no sales are 0.",
    see_also=("net_sales", "discounts"),
    caveats="Price lists that include tax: take the tax out first.",
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
    description="What was deducted from the price of goods.",
    includes="Line discounts and their share of order discounts, as a positive amount.",
    excludes="Marked-down prices: a lower list price is not a discount.",
    null_when="Never: no discounts are 0.",
    see_also=("gross_sales",),
    caveats="Storing them negative and subtracting them again.",
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
    description="The value of goods that were refunded.",
    includes="Value of goods refunded, on the day of the return, as a positive amount.",
    excludes="Refunded shipping and tax; cancellations and returns of orders that do not "
    "count, whose sale was never added.",
    null_when="Never: no returns are 0.",
    see_also=("net_sales",),
    caveats="Dating returns back to the order in one report and not in the other.",
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
    description="What the goods brought in: what this catalogue calls revenue.",
    includes="Gross sales less discounts, when ordered, less returns, when returned.",
    excludes="Tax, shipping, fees, gift cards.",
    null_when="Never.",
    see_also=("gross_sales", "returns_value", "gross_margin"),
    caveats="Removing a cancelled order and subtracting its refund as well. A period with more "
    "returns than sales is negative, and rightly so.",
    alternatives=("total sales: with shipping, tax and fees",),
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
    description="What an order is worth when it is placed.",
    includes="Gross sales less discounts over orders, both at the time of the order, so that a "
    "past month does not move when goods come back.",
    excludes="Tax, shipping, gift cards; returns, on both sides. Free orders stay.",
    null_when="There are no orders.",
    see_also=("orders", "units_per_transaction", "session_conversion_rate"),
    caveats="Averaging the averages of days or customers; subtracting returns from the "
    "numerator and not from the denominator. It says nothing about profit.",
    alternatives=(
        "Shopify before 2023: total sales over orders.",
        "BigCommerce: revenue over orders that were not returned.",
        "GA4: the value of the purchase event per purchase, often with tax and shipping.",
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
    description="How many units an order holds.",
    includes="Units sold over orders, both at the time of the order.",
    excludes="Gift cards and fees; returned units are not deducted.",
    null_when="There are no orders.",
    see_also=("average_order_value",),
    caveats="Dividing the wrong way round. Below 1 is a sign of missing lines.",
    alternatives=("units_per_transaction.net: less returned units, as Shopify and Polar have it.",),
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
    description="What a visitor brings in.",
    includes="Gross sales less discounts of online orders, over unique visitors.",
    excludes="Orders from other channels, bots, returns.",
    null_when="There are no visitors.",
    see_also=("visitor_conversion_rate", "average_order_value"),
    caveats="Taking it for conversion rate times order value: so it is only where the rate is "
    "orders per visitor. Adding up the days' visitors.",
    alternatives=(
        "revenue_per_session: of each visit.",
        "Conversion rate × average order value: online orders of each visitor.",
        "Net of returns: refunds fall on other days than the visits.",
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
    description="What a visit brings in.",
    includes="Gross sales less discounts of online orders, over visits; where all orders are "
    "online it is orders per session times average order value, exactly.",
    excludes="Orders from other channels, bots, returns.",
    null_when="There are no visits.",
    see_also=("orders_per_session", "average_order_value"),
    caveats="Multiplying the session conversion rate by order value: visits with two orders "
    "would lose one.",
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
    description="What customers paid in all: the goods and everything charged on top.",
    includes="Net sales with shipping, taxes, duties and fees of orders that count, when ordered, "
    "less the shipping and tax given back, when returned.",
    excludes="Gift cards; duties and fees that were given back.",
    null_when="Never: no sales are 0.",
    see_also=("net_sales",),
    caveats="Mistaking it for revenue: the tax belongs to the state. An unknown charge is skipped, "
    "so a column that is half empty reads low.",
    alternatives=(
        "total_sales.with_refunded_charges: refunded shipping and tax are not taken off.",
        "GA4's total revenue adds subscriptions and advertising, and is what the tag sends.",
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
    title="Total sales, refunded charges kept",
    formula=Name("net_sales") + _CHARGES,
    unit=MONEY,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    description="What customers were charged in all, less the goods that came back.",
    includes="Net sales with shipping, taxes, duties and fees of orders that count.",
    excludes="Gift cards; shipping and tax that were given back stay in.",
    null_when="Never: no sales are 0.",
    see_also=("total_sales",),
    caveats="Reconciling it with cash: what was refunded of shipping and tax is still in it.",
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
    description="How many units were ordered, less those that came back.",
    includes="Units sold, when ordered, less units returned, when returned.",
    excludes="Gift cards and fees.",
    null_when="Never: no units are 0.",
    see_also=("units_sold", "return_rate"),
    caveats="Reading it per product over a short period: what comes back was sold before it.",
    alternatives=("units_sold: nothing is taken off.",),
    references=("Polar, Shopify terms and definitions (third party)",),
    tags=("sales", "count", "variant"),
)

returns_value_by_order_date = Metric(
    name="returns_value.by_order_date",
    title="Returns by date of the order",
    formula=Sum(Orders.returned_amount, where=Orders.is_counted),
    unit=MONEY,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.DOWN,
    description="What was refunded of the goods that were ordered in the period.",
    includes="Value of goods refunded at any time, on the day of the order.",
    excludes="Returns whose order is not known; refunded shipping and tax.",
    null_when="Never: no returns are 0.",
    see_also=("returns_value", "value_return_rate"),
    caveats="Comparing a young period with an old one: its returns are still coming in, and the "
    "number of a past month goes on growing.",
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
    description="What customers paid in all, per order.",
    includes="Total sales over orders: with shipping, tax and fees, less returns of the period.",
    excludes="Gift cards.",
    null_when="There are no orders.",
    see_also=("average_order_value", "total_sales"),
    caveats="Returns are deducted from the numerator and their orders stay in the denominator: the "
    "value of a past month moves with the returns of this one.",
    alternatives=("average_order_value: the goods alone, at the time of the order.",),
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
    description="What an order brings in, among orders without returns.",
    includes="Net sales over orders less the distinct orders with a return, each when it happened.",
    excludes="Tax, shipping, gift cards.",
    null_when="As many orders came back as were placed, or more.",
    see_also=("average_order_value", "order_return_rate"),
    caveats="An order of which one unit came back leaves the denominator, and what was kept of it "
    "stays in the numerator.",
    alternatives=("average_order_value: no returns on either side.",),
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
    description="What a purchase is worth according to the tag.",
    includes="Value of purchase events over purchase events, as the tag sent them.",
    excludes="Bots; purchases that no tag reported, as in other channels.",
    null_when="There are no purchase events.",
    see_also=("average_order_value",),
    caveats="Its value often holds tax and shipping; a reloaded page sends it twice; "
    "cancelled orders stay.",
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
    description="What an order is worth when it is placed, among orders that cost anything.",
    includes="Gross sales less discounts over orders, of orders worth more than nothing. An "
    "order of unknown value is not free.",
    excludes="Free orders: samples, replacements; tax, shipping, gift cards; returns.",
    null_when="There are no orders that cost anything.",
    see_also=("average_order_value", "median_order_value"),
    caveats="Multiplying it by the number of all orders.",
    alternatives=("average_order_value: free orders stay.",),
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
    description="The median value of an order: half are worth more, half less.",
    includes="Goods less discounts of each order that counts; free orders stay.",
    excludes="Tax, shipping, gift cards; returns; orders whose value is not known.",
    null_when="There are no orders whose value is known.",
    see_also=("average_order_value",),
    caveats="Multiplying it by orders to get sales: that holds only for the mean. Far below the "
    "mean, a few large orders make the mean.",
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
    description="How many units an order holds, less those that came back.",
    includes="Units sold less units returned, each when it happened, over orders.",
    excludes="Gift cards and fees.",
    null_when="There are no orders.",
    see_also=("units_per_transaction",),
    caveats="Multiplying it by the average unit retail: the order value needs gross units instead.",
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
    description="What a unit sells for, after discounts.",
    includes="Gross sales less discounts over units sold, at the time of the order. Times units "
    "per transaction it is the average order value, exactly.",
    excludes="Tax, shipping, gift cards; returns.",
    null_when="No units were sold.",
    see_also=("units_per_transaction", "average_order_value"),
    caveats="Averaging the prices of products: a product that sells once would weigh as much as "
    "one that sells a thousand times.",
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
    description="Which share of the price of goods was given away.",
    includes="Discounts over gross sales, both at the time of the order.",
    excludes="Marked-down prices; free shipping.",
    null_when="There are no gross sales.",
    see_also=("discounts", "gross_margin"),
    caveats="Taking it for the share of orders with a code.",
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
    description="What all sales amount to per visitor.",
    includes="Net sales of every channel over unique visitors of the online shop.",
    excludes="Tax, shipping, gift cards; bots.",
    null_when="There are no visitors.",
    see_also=("revenue_per_visitor", "average_revenue_per_customer"),
    caveats="A shop with other channels: their sales are in the numerator, their customers not "
    "in the denominator. Revenue per visitor keeps to online orders.",
    alternatives=("GA4 divides total revenue, advertising included, by active users.",),
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
    description="What a customer who bought in the period brought in, less what came back.",
    includes="Net sales of known customers, less refunds in the period, also of earlier orders, "
    "over the customers who bought.",
    excludes="Guests without account and e-mail, on both sides; returns whose order is not in "
    "the history.",
    null_when="There are no customers.",
    see_also=("customers", "purchase_frequency", "average_order_value"),
    caveats="Comparing periods of different length: it grows with the window. Leaving guests' "
    "money in the numerator.",
    alternatives=("GA4: purchase revenue over active users who purchased.",),
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
    description="Which share of orders was cancelled.",
    includes="Cancelled orders over all orders except tests, by the time of the order. The order "
    "policy does not apply: cancelled ones would not count.",
    excludes="Test orders; orders whose status is not known. Voided ones are not cancelled.",
    null_when="There are no orders.",
    see_also=("orders", "order_return_rate"),
    caveats="Dividing by the orders that count: cancelled ones are not among them.",
    alternatives=("cancellation_rate.placed: drafts and deleted orders were never placed.",),
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
    description="Which share of the orders that customers placed was cancelled.",
    includes="Cancelled orders over all but tests, drafts and deleted ones.",
    excludes="Orders whose status is not known.",
    null_when="There are no orders.",
    see_also=("cancellation_rate",),
    caveats="A shop that deletes cancelled orders: they are gone from both sides.",
    alternatives=("cancellation_rate: drafts and deleted orders stay in the base.",),
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
    description="By how much net sales grew compared with the period before.",
    includes="Net sales of the period less those of the one before, over the size of those before. "
    "A period that is still open is compared with the same part of the earlier one.",
    excludes="What net sales exclude: taxes, shipping, gift cards.",
    null_when="There were no net sales in the period before.",
    see_also=("net_sales", "orders", "average_order_value"),
    caveats="Half a month against a whole one; months with different numbers of weekends.",
    alternatives=("Against the same period of the year before: shift by 12 months, or 52 weeks.",),
    references=("Peel Insights, Revenue (third party)",),
    tags=("sales", "growth"),
)

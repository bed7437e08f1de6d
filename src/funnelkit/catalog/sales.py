"""Sales and basket: how many orders, and how much they hold."""

from __future__ import annotations

from funnelkit.formula.formulas import Count, Name, Sum
from funnelkit.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.tables import OrderLines, Orders, Returns
from funnelkit.units import ITEM, MONEY, ORDER, SESSION, VISITOR

__all__ = [
    "average_order_value",
    "discounts",
    "gross_sales",
    "net_sales",
    "orders",
    "returns_value",
    "revenue_per_session",
    "revenue_per_visitor",
    "units_per_transaction",
    "units_sold",
]

_SHOPIFY_TERMS = "Shopify's sales report terms, as listed by Meltano (third party)"
_ONLINE = Orders.is_counted & Orders.is_online
_ONLINE_SALES = Sum(Orders.gross_amount, where=_ONLINE) - Sum(Orders.discount_amount, where=_ONLINE)

orders = Metric(
    name="orders",
    title="Orders",
    aliases=("transactions", "number_of_orders"),
    formula=Count(Orders, where=Orders.is_counted),
    unit=ORDER,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    better=Direction.UP,
    bounds=(0, None),
    description="How many orders were placed.",
    counts="Orders that count under the order policy, when they were placed. By default refunded "
    "and free orders stay.",
    leaves_out="By default: test, draft, deleted, cancelled and voided orders, and orders of "
    "nothing but gift cards.",
    null_when="Never: no orders are 0.",
    read_with=("average_order_value", "units_per_transaction"),
    caveats="Comparing with a tool under another policy: Shopify's reports keep cancelled, "
    "pending and unpaid orders, BigCommerce counts captured ones only.",
    competing=("order policies 'shopify' and 'captured' of the shop",),
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
    better=Direction.UP,
    bounds=(0, None),
    description="How many units were ordered.",
    counts="Quantities of the product lines of orders that count, when they were placed.",
    leaves_out="Gift cards and fees; units that came back later are not taken off.",
    null_when="Never: no units are 0.",
    read_with=("units_per_transaction",),
    caveats="Counting lines instead of units.",
    competing=("net units: less the units returned",),
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
    better=Direction.UP,
    bounds=(0, None),
    description="What was sold, at the prices before anything is taken off.",
    counts="Price times quantity of the goods in orders that count, when they were placed.",
    leaves_out="Tax, shipping, fees; gift cards, which are a debt until they are used.",
    null_when="Never: no sales are 0.",
    read_with=("net_sales", "discounts"),
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
    better=Direction.NEUTRAL,
    bounds=(0, None),
    description="What was taken off the price of goods.",
    counts="Line discounts and their share of order discounts, as a positive amount.",
    leaves_out="Marked-down prices: a lower list price is no discount.",
    null_when="Never: no discounts are 0.",
    read_with=("gross_sales",),
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
    better=Direction.DOWN,
    bounds=(0, None),
    description="What goods were refunded.",
    counts="Value of goods refunded, on the day of the return, as a positive amount.",
    leaves_out="Refunded shipping and tax; cancellations and returns of orders that do not "
    "count, whose sale was never added.",
    null_when="Never: no returns are 0.",
    read_with=("net_sales",),
    caveats="Dating returns back to the order in one report and not in the other.",
    competing=("Geckoboard dates a return by its order.",),
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
    better=Direction.UP,
    description="What the goods brought in: what this catalogue calls revenue.",
    counts="Gross sales less discounts, when ordered, less returns, when returned.",
    leaves_out="Tax, shipping, fees, gift cards.",
    null_when="Never.",
    read_with=("gross_sales", "returns_value", "gross_margin"),
    caveats="Removing a cancelled order and subtracting its refund as well. A period with more "
    "returns than sales is negative, and rightly so.",
    competing=("total sales: with shipping, tax and fees",),
    references=(_SHOPIFY_TERMS, "Peel, 'Revenue' (third party)"),
    tags=("sales", "money"),
)

average_order_value = Metric(
    name="average_order_value",
    title="Average order value",
    aliases=("aov", "average_ticket", "atv"),
    formula="(gross_sales - discounts) / orders",
    unit=MONEY / ORDER,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    better=Direction.UP,
    bounds=(0, None),
    description="What an order is worth when it is placed.",
    counts="Gross sales less discounts over orders, both at the time of the order, so that a "
    "past month does not move when goods come back.",
    leaves_out="Tax, shipping, gift cards; returns, on both sides. Free orders stay.",
    null_when="There are no orders.",
    read_with=("orders", "units_per_transaction", "session_conversion_rate"),
    caveats="Averaging the averages of days or customers; subtracting returns above the line "
    "and not below it. It says nothing about profit.",
    competing=(
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
    better=Direction.UP,
    bounds=(0, None),
    description="How many units an order holds.",
    counts="Units sold over orders, both at the time of the order.",
    leaves_out="Gift cards and fees; returned units are not taken off.",
    null_when="There are no orders.",
    read_with=("average_order_value",),
    caveats="Dividing the wrong way round. Below 1 is a sign of missing lines.",
    competing=("Shopify and Polar: net quantity over orders.",),
    references=("Lifesight, 'Units per transaction' (third party)",),
    tags=("sales", "ratio"),
)

revenue_per_visitor = Metric(
    name="revenue_per_visitor",
    title="Revenue per visitor",
    aliases=("rpv",),
    formula=_ONLINE_SALES / Name("unique_visitors"),
    unit=MONEY / VISITOR,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    better=Direction.UP,
    bounds=(0, None),
    description="What a visitor brings in.",
    counts="Gross sales less discounts of online orders, over unique visitors.",
    leaves_out="Orders from other channels, bots, returns.",
    null_when="There are no visitors.",
    read_with=("session_conversion_rate", "average_order_value"),
    caveats="Multiplying conversion rate and order value: that holds only for orders per "
    "visitor. Adding up the days' visitors.",
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
    better=Direction.UP,
    bounds=(0, None),
    description="What a visit brings in.",
    counts="Gross sales less discounts of online orders, over visits; where all orders are "
    "online it is orders per session times average order value, exactly.",
    leaves_out="Orders from other channels, bots, returns.",
    null_when="There are no visits.",
    read_with=("orders_per_session", "average_order_value"),
    caveats="Multiplying the session conversion rate by order value: visits with two orders "
    "would lose one.",
    references=("Hiconversion, 'Revenue per visit' (third party)",),
    tags=("sales", "ratio"),
)

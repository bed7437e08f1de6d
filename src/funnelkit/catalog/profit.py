"""Profit: margins, and the efficiency of acquisition."""

from __future__ import annotations

from funnelkit.formula.formulas import Name, PositiveOrNull, Sum
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.marketing import CampaignPerformance, MarketingCosts
from funnelkit.schema.operations import Shipments
from funnelkit.schema.sales import OrderLines, Orders, Returns
from funnelkit.units import CUSTOMER, MONEY, MULTIPLE, ORDER, RATIO

__all__ = [
    "contribution_margin",
    "contribution_margin_after_marketing",
    "contribution_margin_ratio",
    "cost_of_goods_sold",
    "customer_acquisition_cost",
    "gross_margin",
    "gross_profit",
    "gross_profit_per_order",
    "return_on_ad_spend",
]

cost_of_goods_sold = Metric(
    name="cost_of_goods_sold",
    title="Cost of goods sold",
    aliases=("cogs",),
    formula=Sum(
        OrderLines.quantity * OrderLines.unit_cost,
        where=OrderLines.is_counted,
        skip_nulls=False,
    )
    - Sum(Returns.restocked_cost, where=Returns.is_counted, skip_nulls=False),
    unit=MONEY,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.DOWN,
    description="Cost to the shop of the goods sold, less that of returned goods put back into "
    "stock.",
    includes="Quantity times unit cost of the lines of counted orders, less the cost of returned "
    "goods that were restocked.",
    excludes="Shipping, fees and handling. Returned goods that were not restocked remain a cost.",
    null_when="The cost of any line in the group is not known: a line without a cost would look "
    "like pure profit.",
    see_also=("gross_profit", "gross_margin"),
    caveats="Do not use today's cost for last year's sales. Do not skip lines without a cost.",
    alternatives=("Shopify leaves lines without a cost out of margin, cost and sales alike.",),
    references=("ShopifyQL, sales schema (vendor)",),
    tags=("profit", "money"),
)

gross_profit = Metric(
    name="gross_profit",
    title="Gross profit",
    aliases=("contribution_margin_1", "cm1", "zysk brutto"),
    formula="net_sales - cost_of_goods_sold",
    unit=MONEY,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.UP,
    description="Net sales less cost of goods sold.",
    includes="Net sales and the cost of goods sold of the period.",
    excludes="Shipping costs, fees, marketing, overheads; tax and shipping charged to customers.",
    null_when="The cost of an item sold is not known.",
    see_also=("gross_margin", "net_sales"),
    caveats="Do not start from total sales: tax would become profit.",
    references=("Dema, contribution margin 1 to 3 (third party)",),
    tags=("profit", "money"),
)

gross_margin = Metric(
    name="gross_margin",
    title="Gross margin",
    aliases=("gross_profit_margin", "gross_margin_rate"),
    formula=Name("gross_profit") / PositiveOrNull(Name("net_sales")),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.UP,
    bounds=(None, None),
    description="Gross profit divided by net sales.",
    includes="The gross profit and the net sales of the period.",
    excludes="Everything that gross profit excludes.",
    null_when="Net sales are zero or negative, or the cost of an item sold is not known.",
    see_also=("gross_profit", "average_order_value"),
    caveats="Do not confuse it with markup, which is profit divided by cost.",
    references=("wernerstrauch.com, 'CM1' (third party)",),
    tags=("profit", "ratio"),
)

return_on_ad_spend = Metric(
    name="return_on_ad_spend",
    title="Return on ad spend",
    aliases=("roas",),
    formula=Sum(CampaignPerformance.conversion_value, require_single=CampaignPerformance.platform)
    / Sum(CampaignPerformance.spend),
    unit=MULTIPLE,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.UP,
    bounds=(0, None),
    description="Sales that the ad platform claims, divided by ad spend.",
    includes="Conversion value divided by spend, as one platform reports them.",
    excludes="Sales that no platform claims; every marketing cost other than media.",
    null_when="There was no spend, or the rows of the group come from several platforms, each of "
    "which may claim the same sale, so that their values are never added. Group by platform.",
    see_also=("ad_spend", "customer_acquisition_cost"),
    caveats="Do not sum over platforms. Do not read it as profit. Do not rely on the most recent "
    "days, whose conversions are still coming in.",
    alternatives=(
        "Google Ads shows it as a percentage.",
        "marketing_efficiency_ratio: the shop's net sales divided by all marketing cost.",
    ),
    references=(
        "Google Ads help, 'About Target ROAS bidding' (vendor)",
        "GA4 Data API, metric descriptions (vendor text, public copy)",
    ),
    tags=("marketing", "ratio", "attributed"),
)

customer_acquisition_cost = Metric(
    name="customer_acquisition_cost",
    title="Customer acquisition cost",
    aliases=("cac", "blended_cac"),
    formula=(
        Name("ad_spend")
        + Sum(MarketingCosts.amount, where=MarketingCosts.purpose.eq("acquisition"))
    )
    / Name("new_customers"),
    unit=MONEY / CUSTOMER,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Acquisition cost divided by new customers.",
    includes="Ad spend plus other acquisition costs, spread over the days they cover, divided by "
    "customers who ordered for the first time ever: blended and fully loaded.",
    excludes="Cost of customer retention and of brand marketing; discounts given to acquire "
    "customers.",
    null_when="There are no new customers.",
    see_also=("clv_cac_ratio", "new_customers"),
    caveats="Do not divide by all customers. A history that is cut off makes returning customers "
    "look new. Spend may precede the order it leads to.",
    alternatives=(
        "customer_acquisition_cost.media: ad spend divided by new customers.",
        "paid_cac: ad spend divided by the new customers attributed to paid channels.",
    ),
    references=(
        "Roasberry, 'What is blended CAC' (third party)",
        "Metricuno, blended and paid CAC (third party)",
    ),
    tags=("marketing", "money", "ratio"),
)

gross_profit_per_order = Metric(
    name="gross_profit_per_order",
    title="Gross profit per order",
    formula="gross_profit / orders",
    unit=MONEY / ORDER,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.UP,
    description="Gross profit divided by orders.",
    includes="The gross profit of the period, from which returns are deducted when they occur, "
    "and the orders placed in it.",
    excludes="Everything that gross profit excludes.",
    null_when="There are no orders, or the cost of an item sold is not known.",
    see_also=("gross_profit", "average_order_value"),
    caveats="Average order value says nothing about profit; do not infer one from the other.",
    references=("'CM2' (third party)",),
    tags=("profit", "money", "ratio"),
)

contribution_margin = Metric(
    name="contribution_margin",
    title="Contribution margin",
    aliases=("contribution_margin_2", "cm2"),
    formula=Name("gross_profit")
    - Sum(Shipments.shipping_cost, where=Shipments.is_counted)
    - Sum(Orders.fulfilment_cost, where=Orders.is_counted)
    - Sum(Orders.payment_fee, where=Orders.is_counted)
    - Sum(Returns.handling_cost, where=Returns.is_counted)
    + Sum(Orders.shipping_amount, where=Orders.is_counted),
    unit=MONEY,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.UP,
    description="Gross profit plus shipping charged to customers, less the variable costs of "
    "delivering orders.",
    includes="The variable costs are carrier cost, fulfilment cost (picking and packing), "
    "payment fees and return handling; each amount is dated by its own day.",
    excludes="Marketing and overheads; tax. Refunded shipping is not deducted.",
    null_when="The cost of an item sold is not known. Other unknown amounts are skipped.",
    see_also=("gross_profit", "contribution_margin_after_marketing"),
    caveats="Do not deduct shipping cost without adding the shipping charged to customers. Do "
    "not compare it with a source that deducts marketing.",
    alternatives=(
        "contribution_margin_after_marketing: less variable marketing costs, known as CM3.",
        "some sources call gross profit (CM1) the contribution margin.",
    ),
    references=(
        "Dema, contribution margin 1 to 3 (third party)",
        "'Contribution margin' (third party)",
        "'CM2' (third party)",
    ),
    tags=("profit", "money"),
)

contribution_margin_after_marketing = Metric(
    name="contribution_margin_after_marketing",
    title="Contribution margin after marketing",
    aliases=("contribution_margin_3", "cm3"),
    formula=Name("contribution_margin")
    - Name("ad_spend")
    - Sum(MarketingCosts.amount, where=MarketingCosts.is_variable),
    unit=MONEY,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.UP,
    description="Contribution margin less ad spend and variable marketing costs.",
    includes="Marketing costs flagged as variable, spread over the days they cover.",
    excludes="Fixed marketing costs and overheads.",
    null_when="The cost of an item sold is not known.",
    see_also=("contribution_margin", "marketing_efficiency_ratio"),
    caveats="Flag every variable cost: one that is not flagged is left out.",
    references=("Dema, contribution margin 1 to 3 (third party)",),
    tags=("profit", "marketing", "money"),
)

contribution_margin_ratio = Metric(
    name="contribution_margin_ratio",
    title="Contribution margin ratio",
    formula=Name("contribution_margin") / PositiveOrNull(Name("net_sales")),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.UP,
    description="Contribution margin divided by net sales.",
    includes="The contribution margin and the net sales of the period.",
    excludes="Everything that the contribution margin excludes.",
    null_when="Net sales are zero or negative, or the cost of an item sold is not known.",
    see_also=("contribution_margin", "return_on_ad_spend"),
    caveats="Its inverse is the break-even return on ad spend, as long as additional sales have "
    "the same margin. It can exceed 1 where shipping charged to customers exceeds all the costs.",
    references=("'Contribution margin' (third party)",),
    tags=("profit", "ratio"),
)

"""Profit, and what marketing brings for what it costs."""

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
    description="What the goods that were sold had cost the shop.",
    includes="Quantity times unit cost of the lines of orders that count, less the cost of "
    "returned goods that went back to stock.",
    excludes="Shipping, fees, handling; returned goods that were not restocked stay a cost.",
    null_when="The cost of a single line in the group is not known: a line without cost would "
    "look like pure profit.",
    see_also=("gross_profit", "gross_margin"),
    caveats="Taking today's cost for last year's sales; passing over lines without cost.",
    alternatives=("Shopify leaves lines without cost out of its margin, cost and sales alike.",),
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
    description="What is left of net sales after the goods are paid.",
    includes="Net sales less the cost of goods sold.",
    excludes="Shipping, fees, marketing, overheads; tax and shipping charged to customers.",
    null_when="A cost is not known.",
    see_also=("gross_margin", "net_sales"),
    caveats="Starting from total sales: tax would become profit.",
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
    description="Which share of net sales is profit after the goods are paid.",
    includes="Gross profit over net sales.",
    excludes="Everything that gross profit excludes.",
    null_when="Net sales are zero or negative, or a cost is not known.",
    see_also=("gross_profit", "average_order_value"),
    caveats="Taking the markup (profit over cost) for the margin.",
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
    description="What a platform claims to have sold for each unit of money spent on it.",
    includes="Conversion value over spend, as one platform reports them.",
    excludes="Sales that no platform claims, and every cost but media.",
    null_when="Nothing was spent, or the rows of the group come from several platforms: each "
    "claims the same sale, so their values are never added. Group by platform.",
    see_also=("ad_spend", "customer_acquisition_cost"),
    caveats="Adding platforms; reading it as profit; trusting the last days, whose conversions "
    "are still coming in.",
    alternatives=(
        "Google Ads shows it as a percentage.",
        "marketing efficiency ratio: the shop's own net sales over all marketing cost.",
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
    description="What it costs to win a customer.",
    includes="Ad spend and the other costs of acquisition (spread over their days), over customers "
    "who ordered for the first time ever: blended and fully loaded.",
    excludes="Cost of keeping customers and of the brand; discounts given to win them.",
    null_when="There are no new customers.",
    see_also=("clv_cac_ratio", "new_customers"),
    caveats="Dividing by all customers; counting a returning customer as new because the history "
    "is cut off; spend that comes before the order it wins.",
    alternatives=(
        "media only: ad spend over new customers.",
        "paid: spend over new customers that paid media won, by some attribution.",
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
    description="What an order leaves after the goods are paid.",
    includes="Gross profit over orders; returns are taken off when they come in.",
    excludes="Everything that gross profit excludes.",
    null_when="There are no orders, or a cost is not known.",
    see_also=("gross_profit", "average_order_value"),
    caveats="Reading profit off the average order value, which says nothing about it.",
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
    description="What is left of sales after the goods are paid and delivered.",
    includes="Gross profit less carriers, picking and packing, payment fees and the handling of "
    "returns, plus what customers paid for shipping; each amount on its own day.",
    excludes="Marketing and overheads; tax. Refunded shipping is not taken off.",
    null_when="A cost of goods is not known. Other amounts that are not known are passed over.",
    see_also=("gross_profit", "contribution_margin_after_marketing"),
    caveats="Taking off what shipping costs without adding what customers pay for it; comparing "
    "with a source that has marketing inside.",
    alternatives=(
        "contribution_margin_after_marketing: less ads and variable marketing, as CM3.",
        "Some sources call gross profit, CM1, the contribution margin.",
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
    description="What is left of sales after goods, delivery and marketing are paid.",
    includes="Contribution margin less ad spend and the marketing costs that rise with sales, "
    "spread over their days.",
    excludes="Fixed marketing costs and overheads.",
    null_when="A cost of goods is not known.",
    see_also=("contribution_margin", "marketing_efficiency_ratio"),
    caveats="Leaving costs unflagged: one that is not known to be variable stays out.",
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
    description="Which share of net sales is left after the goods are paid and delivered.",
    includes="Contribution margin over net sales.",
    excludes="Everything that the contribution margin excludes.",
    null_when="Net sales are zero or negative, or a cost of goods is not known.",
    see_also=("contribution_margin", "return_on_ad_spend"),
    caveats="Its inverse is the return on ad spend at which an ad breaks even, as long as further "
    "sales have the same margin. It can exceed 1 where customers pay more for shipping than "
    "everything else costs.",
    references=("'Contribution margin' (third party)",),
    tags=("profit", "ratio"),
)

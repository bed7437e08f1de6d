"""Marketing: what it brings for what it costs, and what a customer costs to win."""

from __future__ import annotations

from collections.abc import Sequence

from funnelkit.catalog.parameters import words_of
from funnelkit.formula.formulas import (
    Arithmetic,
    CountDistinct,
    Cumulative,
    Formula,
    Name,
    PeriodDays,
    PositiveOrNull,
    Sum,
)
from funnelkit.formula.values import Lookup
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.marketing import CampaignPerformance, MarketingCosts
from funnelkit.schema.sales import OrderLines, Orders, Returns
from funnelkit.units import CUSTOMER, MONEY, MULTIPLE, NUMBER, ORDER, RATIO

__all__ = [
    "PAID_CHANNELS",
    "advertising_cost_of_sales",
    "advertising_cost_of_sales_total",
    "cac_payback_period_quotient",
    "cost_per_acquisition",
    "customer_acquisition_cost_media",
    "customer_acquisition_cost_with_discounts",
    "marketing_efficiency_ratio",
    "marketing_efficiency_ratio_media_only",
    "marketing_roi",
    "marketing_roi_revenue",
    "paid_cac",
    "paid_cac_of",
    "return_on_ad_spend_order_attributed",
    "return_on_ad_spend_order_attributed_of",
]

PAID_CHANNELS = (
    "Paid Search",
    "Paid Shopping",
    "Paid Social",
    "Paid Video",
    "Paid Other",
    "Display",
    "Audio",
    "Cross-network",
    "paid_search",
    "paid_shopping",
    "paid_social",
    "paid_video",
    "paid_other",
    "display",
    "audio",
    "cross_network",
)
"""The channels that ads lead through, as GA4's default channel group spells them, and in snake
case; affiliates are paid by commission, which is no ad spend."""

_ALL_COSTS = Name("ad_spend") + Sum(MarketingCosts.amount)
_GROUPING = "Google Analytics help, 'Default channel grouping' (vendor)"
_BLENDED_AND_PAID = "Metricuno, blended and paid CAC (third party)"
_DICTIONARY = "'Published metric dictionary' (third party)"
_ROI_REFERENCES = (
    "'Marketing ROI (profit vs revenue basis)' (third party)",
    "'How to calculate marketing ROI' (third party)",
)

_CREDITED = Orders.is_counted & Orders.attributed_campaign.is_not_null()
_CREDITED_LINE = (
    OrderLines.is_counted & Lookup(OrderLines.order_id, Orders.attributed_campaign).is_not_null()
)
_CREDITED_RETURN = (
    Returns.is_counted & Lookup(Returns.order_id, Orders.attributed_campaign).is_not_null()
)
_CREDITED_PROFIT = (
    Sum(Orders.gross_amount, where=_CREDITED)
    - Sum(Orders.discount_amount, where=_CREDITED)
    - Sum(Returns.refund_amount, where=_CREDITED_RETURN)
    - Sum(OrderLines.quantity * OrderLines.unit_cost, where=_CREDITED_LINE, skip_nulls=False)
    + Sum(Returns.restocked_cost, where=_CREDITED_RETURN, skip_nulls=False)
)


def _sold_by(channels: Sequence[str]) -> Arithmetic:
    """Return the sales that the shop itself attributes to channels, by order time."""
    credited = Orders.is_counted & Orders.attributed_channel.is_in(channels)
    return Sum(Orders.gross_amount, where=credited) - Sum(Orders.discount_amount, where=credited)


def _cost_per_customer_of(channels: Sequence[str]) -> Formula:
    is_won = Orders.is_counted & Orders.is_first_order & Orders.attributed_channel.is_in(channels)
    return Name("ad_spend") / CountDistinct(Orders.customer_key, where=is_won)


marketing_efficiency_ratio = Metric(
    name="marketing_efficiency_ratio",
    title="Marketing efficiency ratio",
    aliases=("mer", "blended_roas"),
    formula=Name("net_sales") / _ALL_COSTS,
    unit=MULTIPLE,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.UP,
    description="How much the shop sells for each unit of money that marketing costs.",
    includes="All net sales, whoever brought them, over ad spend and every other cost of marketing "
    "(spread over its days).",
    excludes="Attribution: nothing is credited to anybody.",
    null_when="Marketing cost nothing.",
    see_also=("return_on_ad_spend", "contribution_margin_after_marketing"),
    caveats="Comparing with a source that divides by ad spend alone; crediting marketing with "
    "sales that would have come anyway.",
    alternatives=("marketing_efficiency_ratio.media_only: over ad spend alone.",),
    references=("'MER (all marketing)' (third party)", "'MER (ad spend)' (third party)"),
    tags=("marketing", "ratio"),
)

marketing_efficiency_ratio_media_only = Metric(
    name="marketing_efficiency_ratio.media_only",
    title="Media efficiency ratio",
    formula="net_sales / ad_spend",
    unit=MULTIPLE,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.UP,
    description="How much the shop sells for each unit of money spent on ads.",
    includes="All net sales, whoever brought them, over ad spend.",
    excludes="Agencies, salaries, tools and creative work.",
    null_when="Nothing was spent on ads.",
    see_also=("marketing_efficiency_ratio", "return_on_ad_spend"),
    caveats="It rises when cost moves from media to an agency.",
    alternatives=("marketing_efficiency_ratio: over all cost of marketing.",),
    references=("'MER (ad spend)' (third party)",),
    tags=("marketing", "ratio", "variant"),
)


def return_on_ad_spend_order_attributed_of(*, channels: Sequence[str]) -> Metric:
    """Return the return on ad spend by the shop's own attribution, for custom channel names.

    Args:
        channels: The channels that ads lead through.

    Raises:
        DefinitionError: There are no channels.

    Examples:
        >>> return_on_ad_spend_order_attributed_of(channels=["cpc"]).name
        'return_on_ad_spend.order_attributed.of_cpc'
    """
    name = f"return_on_ad_spend.order_attributed.of_{words_of('channels', channels)}"
    return _order_attributed(name, channels)


def _order_attributed(name: str, channels: Sequence[str]) -> Metric:
    return Metric(
        name=name,
        title="Return on ad spend, order-attributed",
        formula=_sold_by(channels) / Name("ad_spend"),
        unit=MULTIPLE,
        stage=Stage.CONVERSION,
        aida=AidaStage.ACTION,
        area=Area.PROFIT,
        direction=Direction.UP,
        description="What the shop itself credits to ads for each unit of money spent on them.",
        includes="Gross sales less discounts, when ordered, of orders credited to a paid channel, "
        "over ad spend. An order is credited once, so platforms may be added.",
        excludes="Orders credited to other channels or to none; returns, tax, shipping.",
        null_when="Nothing was spent.",
        see_also=("return_on_ad_spend", "marketing_efficiency_ratio"),
        caveats="Setting it beside what platforms claim: they see other orders. Channels under "
        "names of your own: fk.catalog.return_on_ad_spend_order_attributed(channels=…).",
        alternatives=("return_on_ad_spend: as the platform reports it.",),
        references=("GA4 Data API, metric descriptions (vendor text, public copy)", _GROUPING),
        tags=("marketing", "ratio", "attributed", "variant"),
    )


return_on_ad_spend_order_attributed = _order_attributed(
    "return_on_ad_spend.order_attributed", PAID_CHANNELS
)

advertising_cost_of_sales = Metric(
    name="advertising_cost_of_sales",
    title="Advertising cost of sales",
    aliases=("acos",),
    formula=Name("ad_spend")
    / Sum(CampaignPerformance.conversion_value, require_single=CampaignPerformance.platform),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="How much of what a platform claims to have sold went to its ads.",
    includes="Spend over conversion value, as one platform reports them: one over the return on ad "
    "spend.",
    excludes="Sales that no platform claims, and every cost but media.",
    null_when="Nothing was sold, or the rows come from several platforms: each claims the same "
    "sale. Group by platform.",
    see_also=("return_on_ad_spend", "gross_margin"),
    caveats="Averaging it over campaigns: the mean of shares is not the share of the sums, nor "
    "one over the mean of returns.",
    alternatives=("advertising_cost_of_sales.total: over all net sales of the shop.",),
    references=(_DICTIONARY,),
    tags=("marketing", "ratio", "attributed"),
)

advertising_cost_of_sales_total = Metric(
    name="advertising_cost_of_sales.total",
    title="Total advertising cost of sales",
    aliases=("tacos", "total_acos"),
    formula=Name("ad_spend") / PositiveOrNull(Name("net_sales")),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="How much of all net sales went to ads.",
    includes="Ad spend over net sales, whoever brought them.",
    excludes="Every cost of marketing but media.",
    null_when="Net sales are zero or negative.",
    see_also=("advertising_cost_of_sales", "marketing_efficiency_ratio.media_only"),
    caveats="Comparing it with the share of one platform's sales.",
    alternatives=("advertising_cost_of_sales: over the sales that a platform claims.",),
    references=(_DICTIONARY,),
    tags=("marketing", "ratio", "variant"),
)

marketing_roi = Metric(
    name="marketing_roi",
    title="Marketing return on investment",
    aliases=("romi", "roi", "return_on_marketing_investment"),
    formula=(_CREDITED_PROFIT - _ALL_COSTS) / _ALL_COSTS,
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.UP,
    description="What marketing earns beyond its cost, for each unit of money that it costs.",
    includes="Gross profit of the orders that the shop credits to a campaign, less ad spend and "
    "every other cost of marketing, over that cost.",
    excludes="Orders credited to no campaign; shipping, fees and handling.",
    null_when="Marketing cost nothing, or a cost of goods is not known.",
    see_also=("contribution_margin_after_marketing", "marketing_efficiency_ratio"),
    caveats="Revenue instead of profit: that is the return on ad spend less one. Counting media "
    "alone as cost. It rests on the attribution of orders.",
    alternatives=("marketing_roi.revenue: on revenue and media alone.",),
    references=_ROI_REFERENCES,
    tags=("marketing", "ratio", "attributed"),
)

marketing_roi_revenue = Metric(
    name="marketing_roi.revenue",
    title="Marketing return on investment, on revenue",
    formula=(_sold_by(PAID_CHANNELS) - Name("ad_spend")) / Name("ad_spend"),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.UP,
    description="What ads sell beyond their cost, for each unit of money spent on them.",
    includes="Gross sales less discounts of orders credited to a paid channel, less ad spend, over "
    "ad spend: the return on ad spend less one.",
    excludes="The cost of the goods; every cost of marketing but media.",
    null_when="Nothing was spent on ads.",
    see_also=("marketing_roi", "return_on_ad_spend.order_attributed"),
    caveats="Calling it profit: at a margin of 40 % an ad that returns 2 loses money.",
    alternatives=("marketing_roi: on profit and all cost of marketing.",),
    references=_ROI_REFERENCES,
    tags=("marketing", "ratio", "attributed", "variant"),
)

cost_per_acquisition = Metric(
    name="cost_per_acquisition",
    title="Cost per acquisition",
    aliases=("cpa", "cost_per_conversion", "cost_per_order", "cpo"),
    formula=Name("ad_spend")
    / Sum(CampaignPerformance.conversions, require_single=CampaignPerformance.platform),
    unit=MONEY / ORDER,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.PROFIT,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="What a conversion costs, as a platform counts conversions.",
    includes="Spend over conversions of any kind, as one platform reports them.",
    excludes="Conversions that no platform claims, and every cost but media.",
    null_when="There are no conversions, or the rows come from several platforms: each claims "
    "the same order. Group by platform.",
    see_also=("customer_acquisition_cost", "return_on_ad_spend"),
    caveats="Taking it for the cost of a customer: those who buy again are conversions, too.",
    alternatives=("customer_acquisition_cost: of customers who never bought before.",),
    references=(
        "GA4 Data API, metric descriptions (vendor text, public copy)",
        "Google Ads terms with worked examples (third party)",
    ),
    tags=("marketing", "money", "ratio", "attributed"),
)

customer_acquisition_cost_media = Metric(
    name="customer_acquisition_cost.media",
    title="Customer acquisition cost, media only",
    formula="ad_spend / new_customers",
    unit=MONEY / CUSTOMER,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="What is spent on ads for each customer that is won.",
    includes="Ad spend over customers who ordered for the first time ever, whoever brought them.",
    excludes="Every cost of winning customers but media.",
    null_when="There are no new customers.",
    see_also=("customer_acquisition_cost", "paid_cac"),
    caveats="Setting it against lifetime value: it flatters.",
    alternatives=("customer_acquisition_cost: with the other costs of acquisition.",),
    references=(_BLENDED_AND_PAID,),
    tags=("marketing", "money", "ratio", "variant"),
)

customer_acquisition_cost_with_discounts = Metric(
    name="customer_acquisition_cost.with_discounts",
    title="Customer acquisition cost with discounts",
    formula=(
        Name("ad_spend")
        + Sum(MarketingCosts.amount, where=MarketingCosts.purpose.eq("acquisition"))
        + Sum(Orders.discount_amount, where=Orders.is_counted & Orders.is_first_order)
    )
    / Name("new_customers"),
    unit=MONEY / CUSTOMER,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="What it costs to win a customer, the offers that won them included.",
    includes="Ad spend, the other costs of acquisition and the discounts on first orders, over "
    "customers who ordered for the first time ever.",
    excludes="Cost of keeping customers and of the brand; free shipping.",
    null_when="There are no new customers.",
    see_also=("customer_acquisition_cost", "discount_rate"),
    caveats="A lifetime value on net sales has the discount taken off already: it would be "
    "counted twice.",
    alternatives=("customer_acquisition_cost: without discounts.",),
    references=(_BLENDED_AND_PAID, "Field usage (convention)"),
    tags=("marketing", "money", "ratio", "variant"),
)


def paid_cac_of(*, channels: Sequence[str]) -> Metric:
    """Return the paid acquisition cost for custom channel names.

    Args:
        channels: The channels that ads lead through.

    Raises:
        DefinitionError: There are no channels.

    Examples:
        >>> paid_cac_of(channels=["cpc", "Paid Social"]).name
        'paid_cac.of_cpc_paid_social'
    """
    return _paid_cac(f"paid_cac.of_{words_of('channels', channels)}", channels, ())


def _paid_cac(name: str, channels: Sequence[str], aliases: tuple[str, ...]) -> Metric:
    return Metric(
        name=name,
        title="Paid customer acquisition cost",
        aliases=aliases,
        formula=_cost_per_customer_of(channels),
        unit=MONEY / CUSTOMER,
        stage=Stage.CONVERSION,
        aida=AidaStage.ACTION,
        area=Area.PROFIT,
        direction=Direction.DOWN,
        bounds=(0, None),
        description="What is spent on ads for each customer that ads won.",
        includes="Ad spend over new customers whose first order is credited to a paid channel.",
        excludes="New customers of other channels; every cost but media.",
        null_when="No new customer is credited to a paid channel.",
        see_also=("customer_acquisition_cost", "return_on_ad_spend.order_attributed"),
        caveats="Expecting it above the blended cost: it excludes customers and costs. Channels "
        "under names of your own: fk.catalog.paid_cac(channels=…).",
        alternatives=("customer_acquisition_cost: all cost of acquisition, all new customers.",),
        references=(_BLENDED_AND_PAID, _GROUPING),
        tags=("marketing", "money", "ratio", "attributed"),
    )


paid_cac = _paid_cac("paid_cac", PAID_CHANNELS, ("paid_customer_acquisition_cost",))

cac_payback_period_quotient = Metric(
    name="cac_payback_period.quotient",
    title="CAC payback period, as a quotient",
    formula=Name("customer_acquisition_cost")
    / PositiveOrNull(
        Name("identified_contribution_margin")
        / Cumulative(Name("customers"))
        / (12 * PeriodDays() / 365)
    ),
    unit=NUMBER,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="After how many months a customer has paid for being won, at a constant margin.",
    includes="Acquisition cost over the contribution margin per month and customer won so far, "
    "active or not; a month is a twelfth of 365 days.",
    excludes="Guests; overheads.",
    null_when="There are no new customers, customers bring in nothing or less, or a cost of "
    "goods is not known.",
    see_also=("customer_acquisition_cost", "contribution_margin"),
    caveats="Customers bring in most at first, so the quotient overstates how long it takes. "
    "Dividing by the margin per active customer understates it: those who left are gone.",
    alternatives=(
        "cac_payback_period: the period in which those who were won have brought in their cost.",
        "one cohort's margin instead of that of all customers so far.",
    ),
    references=("'CAC payback' (third party)", "Payback period calculator (third party)"),
    tags=("marketing", "customers", "duration"),
)

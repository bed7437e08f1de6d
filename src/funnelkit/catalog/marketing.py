"""Marketing: the return on its cost, and the cost of acquiring a customer."""

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

_PAID = (
    *("Paid Search", "Paid Shopping", "Paid Social", "Paid Video", "Paid Other", "Display"),
    *("Audio", "Cross-network"),
)
PAID_CHANNELS = (*_PAID, *(words_of("channel", [channel]) for channel in _PAID))
"""The paid channels, as GA4's default channel group spells them and in snake case; affiliates
are paid by commission, which is not ad spend."""

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
    """Return the sales that the shop attributes to channels, by order time."""
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
    description="Net sales divided by total marketing cost.",
    includes="All net sales, whatever their source, and ad spend plus all other marketing costs, "
    "which are spread over the days they cover.",
    excludes="Nothing; no sale is attributed to a channel.",
    null_when="There was no marketing cost.",
    see_also=("return_on_ad_spend", "contribution_margin_after_marketing"),
    caveats="Do not compare it with a source that divides by ad spend alone. Do not credit "
    "marketing with sales that would have happened anyway.",
    alternatives=("marketing_efficiency_ratio.media_only: divided by ad spend alone.",),
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
    description="Net sales divided by ad spend.",
    includes="All net sales, whatever their source, and ad spend.",
    excludes="Agencies, salaries, tools and creative work.",
    null_when="There was no ad spend.",
    see_also=("marketing_efficiency_ratio", "return_on_ad_spend"),
    caveats="It rises when spend shifts from media to an agency.",
    alternatives=("marketing_efficiency_ratio: divided by all marketing cost.",),
    references=("'MER (ad spend)' (third party)",),
    tags=("marketing", "ratio", "variant"),
)


def return_on_ad_spend_order_attributed_of(*, channels: Sequence[str]) -> Metric:
    """Return the return on ad spend by the shop's own attribution, for custom channel names.

    Args:
        channels: The paid channels.

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
        description="Sales that the shop attributes to ads, divided by ad spend.",
        includes="Gross sales less discounts, at the time of the order, of orders attributed to "
        "a paid channel, divided by ad spend. Each order is attributed once, so platforms may be "
        "added up.",
        excludes="Orders attributed to other channels or to no channel; returns, tax, shipping.",
        null_when="There was no ad spend.",
        see_also=("return_on_ad_spend", "marketing_efficiency_ratio"),
        caveats="Do not compare it with what platforms claim: they attribute different orders. For "
        "custom channel names: fk.catalog.return_on_ad_spend_order_attributed(channels=…).",
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
    description="Ad spend divided by the sales that the ad platform claims.",
    includes="Spend divided by conversion value, as one platform reports them: the inverse of "
    "return on ad spend.",
    excludes="Sales that no platform claims; every marketing cost other than media.",
    null_when="The platform claims no sales, or the rows come from several platforms, each of "
    "which may claim the same sale. Group by platform.",
    see_also=("return_on_ad_spend", "gross_margin"),
    caveats="Do not average it over campaigns: the mean of ratios is not the ratio of sums.",
    alternatives=("advertising_cost_of_sales.total: divided by all net sales of the shop.",),
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
    description="Ad spend divided by net sales.",
    includes="Ad spend and all net sales, whatever their source.",
    excludes="Every marketing cost other than media.",
    null_when="Net sales are zero or negative.",
    see_also=("advertising_cost_of_sales", "marketing_efficiency_ratio.media_only"),
    caveats="Do not compare it with the advertising cost of sales of one platform.",
    alternatives=("advertising_cost_of_sales: divided by the sales that a platform claims.",),
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
    description="Attributed gross profit less marketing cost, divided by marketing cost.",
    includes="The gross profit of the orders that the shop attributes to a campaign, and ad "
    "spend plus all other marketing costs.",
    excludes="Orders not attributed to a campaign; shipping, fees and handling.",
    null_when="There was no marketing cost, or the cost of an item sold is not known.",
    see_also=("contribution_margin_after_marketing", "marketing_efficiency_ratio"),
    caveats="Do not use revenue instead of profit: that gives the return on ad spend less 1. Do "
    "not count media alone as cost. The result depends on how orders are attributed.",
    alternatives=("marketing_roi.revenue: based on revenue and media alone.",),
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
    description="Attributed sales less ad spend, divided by ad spend.",
    includes="Gross sales less discounts of orders attributed to a paid channel: the "
    "order-attributed return on ad spend less 1.",
    excludes="Cost of goods; every marketing cost other than media.",
    null_when="There was no ad spend.",
    see_also=("marketing_roi", "return_on_ad_spend.order_attributed"),
    caveats="Do not call it profit: at a margin of 40 %, an ad with a return on ad spend of 2 "
    "loses money.",
    alternatives=("marketing_roi: based on profit and all marketing cost.",),
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
    description="Ad spend divided by the conversions that the ad platform claims.",
    includes="Spend divided by conversions of any kind, as one platform reports them.",
    excludes="Conversions that no platform claims; every marketing cost other than media.",
    null_when="There are no conversions, or the rows come from several platforms, each of which "
    "may claim the same order. Group by platform.",
    see_also=("customer_acquisition_cost", "return_on_ad_spend"),
    caveats="Do not take it for the cost of a new customer: repeat orders are conversions too.",
    alternatives=("customer_acquisition_cost: per customer who had never ordered before.",),
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
    description="Ad spend divided by new customers.",
    includes="Ad spend, and customers who ordered for the first time ever, whatever their source.",
    excludes="Every acquisition cost other than media.",
    null_when="There are no new customers.",
    see_also=("customer_acquisition_cost", "paid_cac"),
    caveats="Do not compare it with lifetime value: it understates the cost.",
    alternatives=("customer_acquisition_cost: with the other acquisition costs.",),
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
    description="Acquisition cost, including discounts on first orders, divided by new customers.",
    includes="Ad spend, other acquisition costs and discounts on first orders, divided by "
    "customers who ordered for the first time ever.",
    excludes="Cost of customer retention and of brand marketing; free shipping.",
    null_when="There are no new customers.",
    see_also=("customer_acquisition_cost", "discount_rate"),
    caveats="Do not compare it with a lifetime value based on net sales, from which the "
    "discounts are already deducted: they would count twice.",
    alternatives=("customer_acquisition_cost: without discounts.",),
    references=(_BLENDED_AND_PAID, "Field usage (convention)"),
    tags=("marketing", "money", "ratio", "variant"),
)


def paid_cac_of(*, channels: Sequence[str]) -> Metric:
    """Return the paid acquisition cost for custom channel names.

    Args:
        channels: The paid channels.

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
        description="Ad spend divided by the new customers acquired through ads.",
        includes="Ad spend, and new customers whose first order is attributed to a paid channel.",
        excludes="New customers of other channels; every acquisition cost other than media.",
        null_when="No new customer is attributed to a paid channel.",
        see_also=("customer_acquisition_cost", "return_on_ad_spend.order_attributed"),
        caveats="It need not exceed the blended cost: it leaves out both customers and costs. "
        "For custom channel names: fk.catalog.paid_cac(channels=…).",
        alternatives=("customer_acquisition_cost: all acquisition costs, all new customers.",),
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
    description="Customer acquisition cost divided by the monthly contribution margin per "
    "customer.",
    includes="The monthly margin per customer is based on every customer acquired so far, active "
    "or not; a month is a twelfth of 365 days.",
    excludes="Guests; overheads.",
    null_when="There are no new customers, the margin of customers is zero or negative, or the "
    "cost of an item sold is not known.",
    see_also=("customer_acquisition_cost", "contribution_margin"),
    caveats="Customers contribute most at first, so the quotient overstates the payback period. "
    "Dividing by the margin per active customer would understate it, as it leaves out those who "
    "left.",
    alternatives=(
        "cac_payback_period: the number of periods until a cohort has earned back its cost.",
        "with the margin of one cohort instead of that of all customers so far.",
    ),
    references=("'CAC payback' (third party)", "Payback period calculator (third party)"),
    tags=("marketing", "customers", "duration"),
)

"""Customers: retention, churn, lifetime value and satisfaction."""

from __future__ import annotations

from math import expm1, log1p

from funnelkit.arguments import check_none, not_above, not_chosen
from funnelkit.catalog.parameters import word_of
from funnelkit.errors import DefinitionError
from funnelkit.formula.formulas import (
    Arithmetic,
    ClosingBalance,
    Count,
    CountDistinct,
    CountRetained,
    Cumulative,
    Name,
    PeriodDays,
    PerKey,
    Shift,
    Sum,
)
from funnelkit.formula.values import Coalesce, Lookup, Predicate
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.customers import Surveys
from funnelkit.schema.operations import Shipments
from funnelkit.schema.sales import OrderLines, Orders, Returns
from funnelkit.units import CUSTOMER, MONEY, MULTIPLE, ORDER, RATIO, SCORE

__all__ = [
    "clv_cac_ratio",
    "customer_churn_rate",
    "customer_lifetime_revenue",
    "customer_lifetime_value",
    "customer_lifetime_value_discounted",
    "customer_lifetime_value_discounted_at",
    "customer_lifetime_value_over",
    "customer_lifetime_value_revenue",
    "customer_retention_rate",
    "customer_satisfaction_score",
    "customer_satisfaction_score_all_answers",
    "customer_satisfaction_score_any_scale",
    "customers",
    "identified_contribution_margin",
    "identified_gross_profit",
    "identified_net_sales",
    "net_promoter_score",
    "net_promoter_score_all_answers",
    "new_customers",
    "purchase_frequency",
    "repeat_purchase_rate",
]

_IDENTIFIED = Orders.is_counted & Orders.customer_key.is_not_null()
_IDENTIFIED_LINE = OrderLines.is_counted & OrderLines.customer_key.is_not_null()
_IDENTIFIED_RETURN = Returns.is_counted & Returns.customer_key.is_not_null()

_IDENTIFIED_PARCEL = (
    Shipments.is_counted & Lookup(Shipments.order_id, Orders.customer_key).is_not_null()
)

_IDENTIFIED_SALES = (
    Sum(Orders.gross_amount, where=_IDENTIFIED)
    - Sum(Orders.discount_amount, where=_IDENTIFIED)
    - Sum(Returns.refund_amount, where=_IDENTIFIED_RETURN)
)
_IDENTIFIED_COST = Sum(
    OrderLines.quantity * OrderLines.unit_cost, where=_IDENTIFIED_LINE, skip_nulls=False
) - Sum(Returns.restocked_cost, where=_IDENTIFIED_RETURN, skip_nulls=False)

_BUYERS = PerKey(Orders.customer_key, where=Orders.is_counted, orders=Count(Orders))

customers = Metric(
    name="customers",
    title="Customers",
    aliases=("active_customers", "purchasing_customers"),
    formula=CountDistinct(Orders.customer_key, where=Orders.is_counted),
    unit=CUSTOMER,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, None),
    description="Number of distinct customers who bought.",
    includes="Customers with at least one counted order, each once per period, identified by "
    "account, otherwise by e-mail address.",
    excludes="Guests without either; accounts that never ordered.",
    null_when="Never; it is 0 if nobody bought.",
    see_also=("new_customers", "purchase_frequency"),
    caveats="Do not sum months to get the year: someone who bought in two of them would count "
    "twice.",
    references=("Adobe Commerce Intelligence, basic analytics (vendor)",),
    tags=("customers", "distinct"),
)

new_customers = Metric(
    name="new_customers",
    title="New customers",
    aliases=("acquired_customers", "first_time_customers"),
    formula=CountDistinct(Orders.customer_key, where=Orders.is_counted & Orders.is_first_order),
    unit=CUSTOMER,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, None),
    description="Number of customers who bought for the first time ever.",
    includes="Customers whose first counted order in the whole history supplied falls in the "
    "period. This happens once per customer, so periods can be summed.",
    excludes="Guests. An order that is not counted, such as a cancelled first order, does not make "
    "anyone a customer.",
    null_when="Never; it is 0 if nobody bought for the first time.",
    see_also=("customers", "customer_acquisition_cost"),
    caveats="If the history starts within the range, every customer looks new; a warning says so.",
    references=(
        "Adobe Commerce Intelligence, basic analytics (vendor)",
        "ShopifyQL, customers schema (vendor)",
    ),
    tags=("customers", "count"),
)

identified_net_sales = Metric(
    name="identified_net_sales",
    title="Net sales of known customers",
    formula=_IDENTIFIED_SALES,
    unit=MONEY,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    description="Net sales of known customers.",
    includes="Gross sales less discounts less returns, for orders with a customer.",
    excludes="Guests; returns whose order is not in the history.",
    null_when="Never; it is 0 if there are no sales.",
    see_also=("net_sales", "customers"),
    caveats="Do not divide all net sales by known customers: guests' sales would be credited to "
    "them.",
    references=("GA4 Data API, metric descriptions (vendor text, public copy)",),
    tags=("building_block", "customers", "money"),
)

identified_gross_profit = Metric(
    name="identified_gross_profit",
    title="Gross profit of known customers",
    formula=Name("identified_net_sales") - _IDENTIFIED_COST,
    unit=MONEY,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    description="Gross profit of known customers.",
    includes="Net sales of known customers less the cost of the goods they bought, except returned "
    "goods put back into stock.",
    excludes="Guests.",
    null_when="The cost of an item sold is not known.",
    see_also=("gross_profit", "customer_lifetime_value"),
    caveats="As for gross profit, a line without a cost must not look like pure profit.",
    references=("Dema, contribution margin 1 to 3 (third party)",),
    tags=("building_block", "customers", "money"),
)

identified_contribution_margin = Metric(
    name="identified_contribution_margin",
    title="Contribution margin of known customers",
    formula=Name("identified_gross_profit")
    - Sum(Shipments.shipping_cost, where=_IDENTIFIED_PARCEL)
    - Sum(Orders.fulfilment_cost, where=_IDENTIFIED)
    - Sum(Orders.payment_fee, where=_IDENTIFIED)
    - Sum(Returns.handling_cost, where=_IDENTIFIED_RETURN)
    + Sum(Orders.shipping_amount, where=_IDENTIFIED),
    unit=MONEY,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    description="Contribution margin of known customers.",
    includes="Gross profit of known customers plus the shipping they paid, less the variable "
    "costs of delivering their orders; each amount is dated by its own day.",
    excludes="Guests; parcels and returns whose order is not in the history; marketing.",
    null_when="The cost of an item sold is not known.",
    see_also=("contribution_margin", "identified_gross_profit"),
    caveats="The same as for the contribution margin.",
    references=("Dema, contribution margin 1 to 3 (third party)",),
    tags=("building_block", "customers", "money"),
)

purchase_frequency = Metric(
    name="purchase_frequency",
    title="Purchase frequency",
    aliases=("orders_per_customer",),
    formula=Count(Orders, where=_IDENTIFIED) / Name("customers"),
    unit=ORDER / CUSTOMER,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(1, None),
    description="Orders of known customers divided by customers.",
    includes="Counted orders of the period and the customers who placed them.",
    excludes="Orders of guests, from both numerator and denominator.",
    null_when="There are no customers.",
    see_also=("repeat_purchase_rate", "average_order_value"),
    caveats="Do not compare periods of different length: it grows with the period.",
    references=("free-biz-tools, purchase frequency (third party)",),
    tags=("customers", "ratio"),
)

repeat_purchase_rate = Metric(
    name="repeat_purchase_rate",
    title="Repeat purchase rate",
    aliases=("rpr", "repeat_customer_rate"),
    formula=Cumulative(Count(_BUYERS, where=_BUYERS["orders"] >= 2)) / Cumulative(Count(_BUYERS)),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of all customers so far who have ordered at least twice.",
    includes="Customers with two or more counted orders from the beginning of the history to the "
    "end of the period, divided by customers with at least one. Grouped by channel, only orders in "
    "that channel count.",
    excludes="Guests.",
    null_when="Nobody has ordered yet.",
    see_also=("customer_retention_rate", "purchase_frequency"),
    caveats="Do not compare shops of different age: it rises with age and falls with fast growth, "
    "as recent customers have had no time to come back.",
    alternatives=(
        "two orders within the period (ecommerceDB).",
        "a second order within N days of the first, for customers observed that long.",
    ),
    references=(
        "Glew, 'Calculate repeat purchase rate' (third party)",
        "ecommerceDB, 'Repeat customer rate' (third party)",
    ),
    tags=("customers", "loyalty", "ratio"),
)

customer_retention_rate = Metric(
    name="customer_retention_rate",
    title="Customer retention rate",
    aliases=("crr", "retention", "retention_rate", "wskaźnik retencji klientów"),
    formula=CountRetained(Orders.customer_key, where=Orders.is_counted) / Shift(Name("customers")),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of the previous period's customers who bought again in this period.",
    includes="Customers active in both periods, divided by customers active in the previous one; "
    "active means at least one counted order.",
    excludes="Guests; customers who are new or who return after a gap, as they were not there to "
    "be retained.",
    null_when="Nobody bought in the previous period, or there is none, as for the first period.",
    see_also=("customer_churn_rate", "repeat_purchase_rate"),
    caveats="The textbook formula (E − N) / S is inflated by customers who return after a gap, and "
    "can even exceed 1. The length of the period determines the level.",
    alternatives=(
        "accounting: customers at the end less new ones, divided by customers at the start.",
        "repeat_purchase_rate: customers who ever came back.",
    ),
    references=(
        "HubSpot glossary, 'Retention rate' (vendor)",
        "J. Hsu, 'Accounting for user growth', excerpt (third party)",
    ),
    tags=("customers", "loyalty", "ratio"),
)

customer_churn_rate = Metric(
    name="customer_churn_rate",
    title="Customer churn rate",
    aliases=("churn", "churn_rate", "attrition_rate", "lapse_rate"),
    formula="1 - customer_retention_rate",
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.DOWN,
    bounds=(0, 1),
    description="Share of the previous period's customers who did not buy in this period.",
    includes="Exactly 1 less the customer retention rate, for the same customers and periods.",
    excludes="Guests; new customers, who cannot leave a period they were not in.",
    null_when="Nobody bought in the previous period, or there is none, as for the first period.",
    see_also=("customer_retention_rate", "customer_lifetime_value"),
    caveats="Without a contract, nobody can be observed leaving: it measures inactivity for one "
    "period, and the period must suit how often customers buy. Over twelve months it is 1 − (1 − "
    "c)^12, not 12 c.",
    references=(
        "Affinsy, churn in ecommerce (third party)",
        "ReturnLogic, churn without a contract (third party)",
    ),
    tags=("customers", "loyalty", "ratio"),
)

customer_lifetime_revenue = Metric(
    name="customer_lifetime_revenue",
    title="Customer lifetime revenue",
    aliases=("historic_clv", "lifetime_revenue"),
    formula=Cumulative(Name("identified_net_sales")) / Cumulative(Name("customers")),
    unit=MONEY / CUSTOMER,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    description="Net sales to date per customer to date.",
    includes="Net sales of known customers from the beginning of the history to the end of the "
    "period, divided by all customers up to then.",
    excludes="Guests, from both numerator and denominator.",
    null_when="Nobody has ordered yet.",
    see_also=("customer_lifetime_value",),
    caveats="Do not read it as a forecast: it mixes recent and long-standing customers.",
    references=(
        "Klaviyo, predictive analytics schema (third-party copy)",
        "Adobe Commerce Intelligence, basic analytics (vendor)",
    ),
    tags=("customers", "value"),
)

_CLV_REFERENCES = (
    "Fader and Hardie on the geometric lifespan; constant churn is assumed (research)",
    "churnmiser, CLV on Shopify (third party)",
)

customer_lifetime_value = Metric(
    name="customer_lifetime_value",
    title="Customer lifetime value",
    aliases=("clv", "ltv", "cltv", "wartość życia klienta"),
    formula="identified_gross_profit / customers / customer_churn_rate",
    unit=MONEY / CUSTOMER,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    description="Gross profit per customer and period, divided by the churn rate.",
    includes="Gross profit of known customers per active customer, divided by the churn rate of "
    "the period: the expected lifespan is 1 / churn rate, in periods, measured from the data.",
    excludes="Guests, from both numerator and denominator; marketing, shipping and handling; "
    "discounting.",
    null_when="Nobody churned, nobody bought in the previous period, or the cost of an item sold "
    "is not known.",
    see_also=("customer_churn_rate", "clv_cac_ratio", "customer_lifetime_revenue"),
    caveats="Do not use revenue instead of profit, a guessed lifespan, or a period that does not "
    "suit how often customers buy. With a very small churn rate, the value becomes implausibly "
    "large.",
    alternatives=(
        "fk.catalog.customer_lifetime_value(lifespan_years=…): with a stated lifespan.",
        "customer_lifetime_revenue: net sales so far.",
        "customer_lifetime_value.revenue: on net sales, as most blogs define it.",
    ),
    period_hint="or use fk.catalog.customer_lifetime_value(lifespan_years=…, basis=…, "
    "discount_rate=…) for a stated lifespan, or customer_lifetime_revenue for net sales so far",
    references=_CLV_REFERENCES,
    tags=("customers", "value"),
)


def _check_lifetime(lifespan_years: float, basis: str, discount_rate: float) -> None:
    faults = [
        not_above("lifespan_years", lifespan_years, 0),
        not_above("discount_rate", discount_rate, -1),
        not_chosen("basis", basis, ("gross_profit", "revenue")),
    ]
    check_none(faults, remedy="write lifespan_years=3, and discount_rate=0.1 for 10 %")


def _present_years(lifespan_years: float, discount_rate: float) -> float:
    """Return the present value of one unit of money a year, exactly for small rates too."""
    try:
        return -expm1(-lifespan_years * log1p(discount_rate)) / discount_rate
    except OverflowError:
        problem = f"discount_rate={discount_rate} is too low for {lifespan_years:g} years"
        raise DefinitionError(problem, "write 0.1 for 10 %") from None


def customer_lifetime_value_over(
    *, lifespan_years: float, basis: str = "gross_profit", discount_rate: float = 0.0
) -> Metric:
    """Return customer lifetime value over a stated lifespan.

    Value per customer and year times the lifespan; with a discount rate, times the
    present value of one unit of money a year over the lifespan.

    Args:
        lifespan_years: The lifespan of a customer, in years.
        basis: "gross_profit", or "revenue" for net sales.
        discount_rate: The discount rate per year: 0.1 for 10 %.

    Raises:
        DefinitionError: A parameter is out of range or unknown.

    Examples:
        >>> customer_lifetime_value_over(lifespan_years=3).name
        'customer_lifetime_value.over_3_years'
    """
    _check_lifetime(lifespan_years, basis, discount_rate)
    years = _present_years(lifespan_years, discount_rate) if discount_rate else lifespan_years
    is_revenue = basis == "revenue"
    earned = Name("identified_net_sales" if is_revenue else "identified_gross_profit")
    left_out = (
        "cost of goods, and every other cost" if is_revenue else "marketing, shipping, handling"
    )
    unknown = "" if is_revenue else ", or the cost of an item sold is not known"
    words = [f"over_{word_of(lifespan_years)}_years", *(["revenue"] if is_revenue else [])]
    words += [f"at_{word_of(discount_rate)}"] if discount_rate else []
    return Metric(
        name="customer_lifetime_value." + "_".join(words),
        title=f"Customer lifetime value over {lifespan_years:g} years",
        formula=earned / Name("customers") / (PeriodDays() / 365) * years,
        unit=MONEY / CUSTOMER,
        stage=Stage.RETENTION,
        aida=AidaStage.ACTION,
        area=Area.CUSTOMERS,
        direction=Direction.UP,
        description="Value per customer and year times a stated lifespan.",
        includes=f"{'Net sales' if is_revenue else 'Gross profit'} of known customers per "
        f"customer and year, over {lifespan_years:g} years, discounted at {discount_rate:.0%} "
        "a year.",
        excludes=f"Guests, from both numerator and denominator; {left_out}.",
        null_when=f"There are no customers{unknown}.",
        see_also=("customer_lifetime_value",),
        caveats="The lifespan determines the value, and it is an assumption.",
        references=_CLV_REFERENCES,
        tags=("customers", "value"),
    )


customer_lifetime_value_revenue = Metric(
    name="customer_lifetime_value.revenue",
    title="Customer lifetime value on revenue",
    formula="identified_net_sales / customers / customer_churn_rate",
    unit=MONEY / CUSTOMER,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    description="Net sales per customer and period, divided by the churn rate.",
    includes="Net sales of known customers per active customer, divided by the churn rate of the "
    "period.",
    excludes="Guests; cost of goods and every other cost.",
    null_when="Nobody churned, or nobody bought in the previous period.",
    see_also=("customer_lifetime_value", "customer_lifetime_revenue"),
    caveats="Do not compare it with acquisition cost: it is revenue, not profit.",
    alternatives=("customer_lifetime_value: on gross profit.",),
    period_hint="its lifespan comes from the churn between periods",
    references=_CLV_REFERENCES,
    tags=("customers", "value", "variant"),
)

_DISCOUNT_RATE = 0.1


def _discounted(discount_rate: float) -> Arithmetic:
    kept = Name("customer_retention_rate")
    earned = Name("identified_gross_profit") / Name("customers")
    return earned * kept / (1 + discount_rate - kept)


def customer_lifetime_value_discounted_at(*, discount_rate: float) -> Metric:
    """Return customer lifetime value with later profit discounted at a rate per period.

    With profit per customer m, retention rate r and discount rate d: m · r / (1 + d − r).

    Args:
        discount_rate: The discount rate per period: 0.1 for 10 %.

    Raises:
        DefinitionError: The rate is not above zero.

    Examples:
        >>> customer_lifetime_value_discounted_at(discount_rate=0.02).name
        'customer_lifetime_value.discounted_at_0p02'
    """
    check_none([not_above("discount_rate", discount_rate, 0)], remedy="write 0.1 for 10 %")
    name = f"customer_lifetime_value.discounted_at_{word_of(discount_rate)}"
    return _discounted_value(name, discount_rate)


def _discounted_value(name: str, discount_rate: float) -> Metric:
    return Metric(
        name=name,
        title=f"Customer lifetime value, discounted at {discount_rate:.0%} a period",
        formula=_discounted(discount_rate),
        unit=MONEY / CUSTOMER,
        stage=Stage.RETENTION,
        aida=AidaStage.ACTION,
        area=Area.CUSTOMERS,
        direction=Direction.UP,
        description="Expected gross profit per customer from the next period on, discounted per "
        "period.",
        includes="Gross profit of known customers per active customer, at the retention rate of "
        f"the period, discounted at {discount_rate:.0%} per period.",
        excludes="The profit of this period; guests; marketing, shipping and handling.",
        null_when="Nobody bought in the previous period, or the cost of an item sold is not known.",
        see_also=("customer_lifetime_value", "customer_retention_rate"),
        caveats="The rate is per period of the question: a yearly rate is far too high by month. "
        "For another rate: fk.catalog.customer_lifetime_value_discounted(discount_rate=…).",
        alternatives=("customer_lifetime_value: not discounted, this period included.",),
        period_hint="its retention is between periods",
        references=_CLV_REFERENCES,
        tags=("customers", "value", "variant"),
    )


customer_lifetime_value_discounted = _discounted_value(
    "customer_lifetime_value.discounted", _DISCOUNT_RATE
)

clv_cac_ratio = Metric(
    name="clv_cac_ratio",
    title="CLV to CAC ratio",
    aliases=("ltv_cac_ratio", "ltv_to_cac"),
    formula="customer_lifetime_value / customer_acquisition_cost",
    unit=MULTIPLE,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    description="Customer lifetime value divided by customer acquisition cost.",
    includes="Lifetime value based on gross profit and fully loaded acquisition cost, unrounded.",
    excludes="Everything that its two parts exclude.",
    null_when="Either part is null, or the acquisition cost is 0.",
    see_also=("customer_lifetime_value", "customer_acquisition_cost"),
    caveats="Do not divide revenue by media cost: 3 to 1 becomes 1.2 to 1 when both are counted "
    "in full. Do not round the cost first.",
    period_hint="its lifetime value takes the lifespan from the churn between periods",
    references=("Metricuno, blended and paid CAC (third party)", "malicksarr.com (third party)"),
    tags=("customers", "value", "ratio"),
)


def _latest(kind: str) -> PerKey:
    """Return each respondent's latest answer to a kind of survey."""
    return PerKey(
        Surveys.respondent,
        where=Surveys.survey_type.eq(kind) & Surveys.score.is_not_null(),
        score=ClosingBalance(Surveys.score),
    )


def _answers(kind: str, where: Predicate | None = None) -> Count:
    return Count(_latest(kind), where=where)


_NPS_SCORE = _latest("nps")["score"]
_CSAT_SCORE = _latest("csat")["score"]

net_promoter_score = Metric(
    name="net_promoter_score",
    title="Net Promoter Score",
    aliases=("nps",),
    formula=100
    * (_answers("nps", _NPS_SCORE >= 9) - _answers("nps", _NPS_SCORE <= 6))
    / _answers("nps"),
    unit=SCORE,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(-100, 100),
    description="Share of promoters less share of detractors, times 100.",
    includes="Answers of 9 and 10 less answers of 0 to 6, divided by all answers from 0 to 10, "
    "times 100. Of several answers of a customer in a period, the latest counts.",
    excludes="Skipped questions; a customer's earlier answers in the period. Answers of 7 and 8 "
    "stay in the denominator.",
    null_when="There are no answers.",
    see_also=("customer_satisfaction_score", "customer_retention_rate"),
    caveats="Do not round the two shares before subtracting, average the scores of stores, use a "
    "scale that starts at 1, start the detractors at 1, or end them below 6.",
    alternatives=("net_promoter_score.all_answers: every answer, however many a customer gave.",),
    references=("Bain & Company, 'Measuring your Net Promoter Score' (primary)",),
    tags=("survey", "loyalty"),
)

customer_satisfaction_score = Metric(
    name="customer_satisfaction_score",
    title="Customer satisfaction score",
    aliases=("csat",),
    formula=_answers("csat", _CSAT_SCORE >= 4) / _answers("csat"),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of customers who are satisfied: answers of 4 or 5 on a five-point scale.",
    includes="Answers of 4 and 5 divided by all answers (top-two-box). Of several answers of a "
    "customer in a period, the latest counts.",
    excludes="Skipped questions.",
    null_when="There are no answers.",
    see_also=("net_promoter_score",),
    caveats="Do not show the mean score as a percentage. Do not count a 3 as satisfied.",
    alternatives=("mean score: a different measure.",),
    references=("Delighted, 'How is CSAT calculated?' (vendor)", "Kicue, CSAT (third party)"),
    tags=("survey", "ratio"),
)

_ANSWERED_NPS = Surveys.survey_type.eq("nps") & Surveys.score.is_not_null()
_ANSWERED_CSAT = Surveys.survey_type.eq("csat") & Surveys.score.is_not_null()

net_promoter_score_all_answers = Metric(
    name="net_promoter_score.all_answers",
    title="Net Promoter Score of all answers",
    formula=100
    * (
        Count(Surveys, where=_ANSWERED_NPS & (Surveys.score >= 9))
        - Count(Surveys, where=_ANSWERED_NPS & (Surveys.score <= 6))
    )
    / Count(Surveys, where=_ANSWERED_NPS),
    unit=SCORE,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(-100, 100),
    description="Share of promoting answers less share of detracting answers, times 100.",
    includes="Answers of 9 and 10 less answers of 0 to 6, divided by all answers, times 100. "
    "Several answers of one customer all count.",
    excludes="Skipped questions.",
    null_when="There are no answers.",
    see_also=("net_promoter_score",),
    caveats="A customer surveyed after each order counts once for each answer.",
    alternatives=("net_promoter_score: the latest answer of each customer.",),
    references=("'NPS formula, worked' (third party)",),
    tags=("survey", "loyalty", "variant"),
)

customer_satisfaction_score_all_answers = Metric(
    name="customer_satisfaction_score.all_answers",
    title="Customer satisfaction score of all answers",
    formula=Count(Surveys, where=_ANSWERED_CSAT & (Surveys.score >= 4))
    / Count(Surveys, where=_ANSWERED_CSAT),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of answers of 4 or 5 on a five-point scale.",
    includes="Answers of 4 and 5 divided by all answers; several answers of one customer all "
    "count.",
    excludes="Skipped questions.",
    null_when="There are no answers.",
    see_also=("customer_satisfaction_score",),
    caveats="It applies to a five-point scale only: 4 out of 7 is not satisfied.",
    alternatives=("customer_satisfaction_score: the latest answer of each customer.",),
    references=("Delighted, 'How is CSAT calculated?' (vendor)",),
    tags=("survey", "ratio", "variant"),
)

customer_satisfaction_score_any_scale = Metric(
    name="customer_satisfaction_score.any_scale",
    title="Customer satisfaction score on any scale",
    aliases=("top_2_box",),
    formula=Count(
        Surveys, where=_ANSWERED_CSAT & (Surveys.score >= Coalesce(Surveys.scale_max, 5) - 1)
    )
    / Count(Surveys, where=_ANSWERED_CSAT),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of answers that give one of the two highest scores on their scale "
    "(top-two-box).",
    includes="Answers with the highest score or the one below it, divided by all answers; a scale "
    "without a stated maximum ends at 5. Several answers of one customer all count.",
    excludes="Skipped questions.",
    null_when="There are no answers.",
    see_also=("customer_satisfaction_score",),
    caveats="Two of five points are a larger part of the scale than two of ten: shares on "
    "different scales are not comparable.",
    alternatives=("customer_satisfaction_score: answers of 4 and 5 on a five-point scale.",),
    references=("'CSAT: top-2-box, not the mean' (third party)",),
    tags=("survey", "ratio", "variant"),
)

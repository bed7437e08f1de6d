"""Customers: who comes back, who leaves, what they are worth, what they say."""

from __future__ import annotations

from funnelkit.catalog.parameters import check_above, word_of
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
    description="How many different customers bought.",
    includes="Customers with at least one order that counts, each once in a period, known by "
    "account or else by e-mail.",
    excludes="Guests without either; accounts that never ordered.",
    null_when="Never: no customers are 0.",
    see_also=("new_customers", "purchase_frequency"),
    caveats="Adding months to get the year: whoever bought twice would count twice.",
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
    description="How many customers bought for the first time ever.",
    includes="Customers whose first order that counts, in the whole history supplied, lies in the "
    "period. It happens once, so periods add up.",
    excludes="Guests; a cancelled first order wins nobody.",
    null_when="Never: no new customers are 0.",
    see_also=("customers", "customer_acquisition_cost"),
    caveats="A history that starts inside the range: everybody looks new. A warning says so.",
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
    description="The part of net sales from known customers.",
    includes="Gross sales less discounts less returns, of orders with a customer.",
    excludes="Guests; returns whose order is not in the history.",
    null_when="Never: no sales are 0.",
    see_also=("net_sales", "customers"),
    caveats="Dividing all net sales by known customers: guests' money would become theirs.",
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
    description="The part of gross profit from known customers.",
    includes="Net sales of known customers less the cost of what they bought and kept.",
    excludes="Guests.",
    null_when="A cost is not known.",
    see_also=("gross_profit", "customer_lifetime_value"),
    caveats="As for gross profit: a line without cost is no profit.",
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
    description="Which part of the contribution margin is known customers'.",
    includes="Gross profit of known customers less what it took to deliver to them, plus what they "
    "paid for shipping; each amount on its own day.",
    excludes="Guests; parcels and returns whose order is not in the history; marketing.",
    null_when="A cost of goods is not known.",
    see_also=("contribution_margin", "identified_gross_profit"),
    caveats="As for the contribution margin.",
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
    description="How often a customer orders within the period.",
    includes="Orders of known customers over customers.",
    excludes="Orders of guests, on both sides.",
    null_when="There are no customers.",
    see_also=("repeat_purchase_rate", "average_order_value"),
    caveats="Comparing periods of different length: it grows with the window.",
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
    description="Which share of all customers so far came back for a second order.",
    includes="Customers with two or more orders that count, from the beginning of the history to "
    "the end of the period, over customers with at least one. By channel: twice in the channel.",
    excludes="Guests.",
    null_when="Nobody has ordered yet.",
    see_also=("customer_retention_rate", "purchase_frequency"),
    caveats="Comparing shops of different age: it rises with age and falls with fast growth, as "
    "young customers have had no time to come back.",
    alternatives=(
        "two orders within the window (ecommerceDB).",
        "a second order within N days of the first, of those observed that long.",
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
    description="Which share of the customers of the period before bought again in this one.",
    includes="Customers active in both periods, over customers active in the one before; active is "
    "at least one order that counts.",
    excludes="Guests; customers who are new, or who return after a gap: they were not there to "
    "be retained.",
    null_when="Nobody bought in the period before, as in the first one.",
    see_also=("customer_churn_rate", "repeat_purchase_rate"),
    caveats="The textbook (E − N) / S: customers who return after a gap inflate it, even above "
    "1. The length of the period decides the level.",
    alternatives=(
        "accounting: customers at the end less new ones, over customers at the start.",
        "repeat purchase rate: customers who ever came back.",
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
    description="Which share of the customers of the period before did not buy in this one.",
    includes="Exactly one less the retention rate: same customers, same periods.",
    excludes="Guests; new customers, who cannot leave a period they were not in.",
    null_when="Nobody bought in the period before, as in the first one.",
    see_also=("customer_retention_rate", "customer_lifetime_value"),
    caveats="Without a contract nobody is seen to leave: it is inactivity for one period, and "
    "the period must fit the rhythm of buying. Twelve months are 1 − (1 − c)^12, not 12 c.",
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
    description="What a customer has brought in so far, on average.",
    includes="Net sales of known customers from the beginning of the history to the end of the "
    "period, over all customers so far.",
    excludes="Guests, on both sides.",
    null_when="Nobody has ordered yet.",
    see_also=("customer_lifetime_value",),
    caveats="Reading it as a forecast: it mixes customers of every age.",
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
    description="What a customer will bring in profit, if customers go on leaving as they do.",
    includes="Gross profit of known customers per active customer and period, divided by that "
    "period's churn rate: the lifespan is 1 / churn periods, taken from the data.",
    excludes="Guests, on both sides; marketing, shipping and handling; discounting.",
    null_when="Nobody left, nobody bought in the period before, or a cost is not known.",
    see_also=("customer_churn_rate", "clv_cac_ratio", "customer_lifetime_revenue"),
    caveats="Revenue instead of profit; a lifespan that somebody guessed; a period that does not "
    "fit the rhythm of buying; tiny churn, which makes it explode.",
    alternatives=(
        "fk.catalog.customer_lifetime_value(lifespan_years=…): with a stated lifespan.",
        "customer_lifetime_revenue: what was brought in so far.",
        "revenue basis, as most blogs have it: without the margin.",
    ),
    period_hint="or use fk.catalog.customer_lifetime_value(lifespan_years=…, basis=…, "
    "discount_rate=…) for a stated lifespan, or customer_lifetime_revenue for what was brought "
    "in so far",
    references=_CLV_REFERENCES,
    tags=("customers", "value"),
)


def customer_lifetime_value_over(
    *, lifespan_years: float, basis: str = "gross_profit", discount_rate: float = 0.0
) -> Metric:
    """Return customer lifetime value over a stated lifespan.

    Value per customer and year, times the lifespan; discounted, times the value
    of one unit of money a year for so long.

    Args:
        lifespan_years: How long a customer stays, in years.
        basis: "gross_profit", or "revenue" for net sales.
        discount_rate: By which a year's delay lessens value: 0.1 for 10 % a year.

    Raises:
        DefinitionError: A parameter has no meaning.

    Examples:
        >>> customer_lifetime_value_over(lifespan_years=3).name
        'customer_lifetime_value.over_3_years'
    """
    if not lifespan_years > 0:
        raise DefinitionError(f"lifespan_years={lifespan_years} is not above 0", "state the years")
    if not discount_rate > -1:
        raise DefinitionError(
            f"discount_rate={discount_rate} is not above -1", "write 0.1 for 10 %"
        )
    if basis not in {"gross_profit", "revenue"}:
        raise DefinitionError(f"basis={basis!r}", "use 'gross_profit' or 'revenue'")
    years = lifespan_years
    if discount_rate:
        years = (1 - (1 + discount_rate) ** -lifespan_years) / discount_rate
    earned = Name("identified_net_sales" if basis == "revenue" else "identified_gross_profit")
    words = [f"over_{lifespan_years:g}_years", *(["revenue"] if basis == "revenue" else [])]
    words += [f"at_{discount_rate:g}"] if discount_rate else []
    return Metric(
        name="customer_lifetime_value." + "_".join(words).replace(".", "p").replace("-", "m"),
        title=f"Customer lifetime value over {lifespan_years:g} years",
        formula=earned / Name("customers") / (PeriodDays() / 365) * years,
        unit=MONEY / CUSTOMER,
        stage=Stage.RETENTION,
        aida=AidaStage.ACTION,
        area=Area.CUSTOMERS,
        direction=Direction.UP,
        description="What a customer brings in over a lifespan that is stated, not measured.",
        includes=f"{'Net sales' if basis == 'revenue' else 'Gross profit'} of known customers per "
        f"customer and year, for {lifespan_years:g} years at {discount_rate:.0%} a year.",
        excludes="Guests, on both sides; marketing, shipping and handling.",
        null_when="There are no customers, or a cost is not known.",
        see_also=("customer_lifetime_value",),
        caveats="The lifespan decides the value, and nobody has measured it.",
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
    description="What a customer will spend, if customers go on leaving as they do.",
    includes="Net sales of known customers per active customer and period, divided by that "
    "period's churn rate.",
    excludes="Guests; the cost of the goods, and every other cost.",
    null_when="Nobody left, or nobody bought in the period before.",
    see_also=("customer_lifetime_value", "customer_lifetime_revenue"),
    caveats="Setting it against what winning a customer costs: it is revenue, not profit.",
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

    Profit per customer m, retention r and the rate d give m · r / (1 + d − r).

    Args:
        discount_rate: By which a period's delay lessens value: 0.1 for 10 % a period.

    Raises:
        DefinitionError: The rate is not above zero.

    Examples:
        >>> customer_lifetime_value_discounted_at(discount_rate=0.02).name
        'customer_lifetime_value.discounted_at_0p02'
    """
    rate = check_above("discount_rate", discount_rate, 0)
    return _discounted_value(f"customer_lifetime_value.discounted_at_{word_of(rate)}", rate)


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
        description="What a customer will still bring in profit, later profit being worth less.",
        includes="Gross profit of known customers per active customer, from the next period on, if "
        f"they go on staying as they do; a period's delay takes off {discount_rate:.0%}.",
        excludes="The profit of this period; guests; marketing, shipping and handling.",
        null_when="Nobody bought in the period before, or a cost is not known.",
        see_also=("customer_lifetime_value", "customer_retention_rate"),
        caveats="The rate is per period of the question: a yearly one asked by month is far too "
        "high. fk.catalog.customer_lifetime_value_discounted(discount_rate=…) takes another.",
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
    description="What a customer brings in, for each unit of money spent to win one.",
    includes="Lifetime value on profit over fully loaded acquisition cost, unrounded.",
    excludes="What its two parts leave out.",
    null_when="Either part is null, or acquisition cost nothing.",
    see_also=("customer_lifetime_value", "customer_acquisition_cost"),
    caveats="Revenue above the line and media cost below it: 3 to 1 becomes 1.2 to 1 when both "
    "are counted in full. Rounding the cost first.",
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
    description="Whether customers would recommend the shop more than they would warn of it.",
    includes="Answers of 9 and 10 less answers of 0 to 6, over all answers from 0 to 10, times "
    "100. Of several answers of one customer in a period the latest counts.",
    excludes="Skipped questions; a customer's earlier answers of the period. Answers of 7 and 8 "
    "stay in the denominator.",
    null_when="There are no answers.",
    see_also=("customer_satisfaction_score", "customer_retention_rate"),
    caveats="Rounding the two shares before subtracting; averaging the scores of stores; a scale "
    "from 1; beginning the detractors at 1 or ending them below 6.",
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
    description="Which share of customers is satisfied.",
    includes="Answers of 4 and 5 over all answers on a scale of five: the two best of five. Of "
    "several answers of one customer in a period the latest counts.",
    excludes="Skipped questions.",
    null_when="There are no answers.",
    see_also=("net_promoter_score",),
    caveats="Showing the mean mark as a percentage; counting a 3 as satisfied.",
    alternatives=("mean score: another number altogether",),
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
    description="Whether answers recommend the shop more than they warn of it.",
    includes="Answers of 9 and 10 less answers of 0 to 6, over all answers, times 100. Several of "
    "one customer all count.",
    excludes="Skipped questions.",
    null_when="There are no answers.",
    see_also=("net_promoter_score",),
    caveats="A customer who is surveyed after each order weighs as much as the orders.",
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
    description="Which share of answers is of satisfied customers.",
    includes="Answers of 4 and 5 over all answers on a scale of five; several of one customer all "
    "count.",
    excludes="Skipped questions.",
    null_when="There are no answers.",
    see_also=("customer_satisfaction_score",),
    caveats="Another scale than five: 4 of 7 is not satisfied.",
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
    description="Which share of answers gives one of the two best marks of its scale.",
    includes="Answers of the highest mark or the one below it over all answers; a scale that is "
    "not stated ends at 5. Several of one customer all count.",
    excludes="Skipped questions.",
    null_when="There are no answers.",
    see_also=("customer_satisfaction_score",),
    caveats="Two of five marks are more of the scale than two of ten: shares on different scales "
    "do not compare.",
    alternatives=("customer_satisfaction_score: 4 and 5, whatever the scale.",),
    references=("'CSAT: top-2-box, not the mean' (third party)",),
    tags=("survey", "ratio", "variant"),
)

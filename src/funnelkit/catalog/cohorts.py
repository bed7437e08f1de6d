"""Cohorts: how customers acquired in the same period behave afterwards."""

from __future__ import annotations

from funnelkit.formula.formulas import CountDistinct, Cumulative, Name, PeriodsToBreakEven, Sum
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.marketing import MarketingCosts
from funnelkit.schema.sales import Orders
from funnelkit.units import CUSTOMER, MONEY, NUMBER, RATIO

__all__ = [
    "cac_payback_period",
    "cohort_cumulative_value",
    "cohort_cumulative_value_contribution_margin",
    "cohort_cumulative_value_revenue",
    "cohort_retention",
    "cohort_retention_on_or_after",
    "cohort_retention_repurchased",
]

_SIZE = Cumulative(Name("new_customers"))
_LAST_ORDERS = CountDistinct(
    Orders.customer_key, where=Orders.is_counted & Orders.next_ordered_at.is_null()
)
_SECOND_ORDERS = CountDistinct(
    Orders.customer_key, where=Orders.is_counted & Orders.order_number.eq(2)
)
_WON_IN = (
    "A cohort consists of the customers whose first counted order in the whole history falls in "
    "one period; its size does not change when customers leave. Periods are calendar periods; the "
    "first is that of the first order."
)
_AMPLITUDE = "Amplitude, 'How time works in retention analysis' (vendor)"
_MIXPANEL = "Mixpanel, 'Advanced retention: on, on or after' (vendor)"

cohort_retention = Metric(
    name="cohort_retention",
    title="Cohort retention",
    aliases=("retention_matrix", "retention_curve", "cohort_retention_rate"),
    formula=Name("customers") / _SIZE,
    required_dimension="cohort",
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of the customers acquired in one period who buy in each later period.",
    includes="Customers of the cohort who buy in the period, divided by the size of the cohort. "
    f"{_WON_IN}",
    excludes="Guests.",
    null_when="The cohort is empty.",
    see_also=("customer_retention_rate", "repeat_purchase_rate", "cohort_cumulative_value"),
    caveats="Do not read the last period, which is still open, as a decline. Do not average "
    "cohorts of different size without weights.",
    alternatives=(
        "cohort_retention.on_or_after: customers who buy in the period or later count as retained.",
        "cohort_retention.repurchased: customers who have bought again by then.",
        "rolling 30-day windows from each customer's first order (Amplitude, Mixpanel).",
    ),
    references=(_AMPLITUDE, _MIXPANEL, "GA4 Data API, cohort reports (vendor text, public copy)"),
    tags=("customers", "cohort", "ratio"),
)

cohort_retention_on_or_after = Metric(
    name="cohort_retention.on_or_after",
    title="Cohort retention, on or after",
    formula=1 - (Cumulative(_LAST_ORDERS) - _LAST_ORDERS) / _SIZE,
    required_dimension="cohort",
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of a cohort that buys in the period or later.",
    includes="Customers of the cohort who buy in the period or later, divided by the size of "
    f"the cohort. {_WON_IN}",
    excludes="Guests.",
    null_when="The cohort is empty.",
    see_also=("cohort_retention",),
    caveats="It falls towards the end of the data whatever customers do, as their later orders "
    "are not known yet.",
    alternatives=("cohort_retention: customers who buy in the period itself.",),
    references=(_MIXPANEL,),
    tags=("customers", "cohort", "ratio", "variant"),
)

cohort_retention_repurchased = Metric(
    name="cohort_retention.repurchased",
    title="Cohort retention, repurchased to date",
    formula=Cumulative(_SECOND_ORDERS) / _SIZE,
    required_dimension="cohort",
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of a cohort that has ordered at least twice by the end of the period.",
    includes="Customers of the cohort with two or more orders so far, divided by the size of "
    f"the cohort. {_WON_IN}",
    excludes="Guests.",
    null_when="The cohort is empty.",
    see_also=("cohort_retention", "repeat_purchase_rate"),
    caveats="Do not call it retention without qualification: it can only rise.",
    alternatives=("cohort_retention: customers who buy in the period itself.",),
    references=("Adobe Commerce, 'Repeat Order Probability report' (vendor)",),
    tags=("customers", "cohort", "ratio", "variant"),
)


def _value(name: str, basis: str, what: str, excludes: str) -> Metric:
    variant = name.partition(".")[2]
    return Metric(
        name=name,
        title=f"Cohort cumulative value{f', {what}' if variant else ''}",
        aliases=() if variant else ("cohort_ltv", "ltv_to_date"),
        formula=Cumulative(Name(basis)) / _SIZE,
        required_dimension="cohort",
        unit=MONEY / CUSTOMER,
        stage=Stage.RETENTION,
        aida=AidaStage.ACTION,
        area=Area.CUSTOMERS,
        direction=Direction.UP,
        description=f"Cumulative {what} of a cohort divided by its size.",
        includes=f"The {what} of all orders of the cohort up to the end of the period, divided "
        f"by the size of the cohort. {_WON_IN}",
        excludes=f"Guests; {excludes}.",
        null_when="The cohort is empty, or the cost of an item sold is not known."
        if basis != "net_sales"
        else "The cohort is empty.",
        see_also=("cohort_retention", "customer_lifetime_value", "customer_acquisition_cost"),
        caveats="Do not divide by the customers who are still active: those who have left count as "
        "well. Do not compare cohorts at different ages.",
        alternatives=(
            "cohort_cumulative_value: gross profit.",
            "cohort_cumulative_value.revenue: net sales.",
            "cohort_cumulative_value.contribution_margin: after shipping, fees and handling.",
        ),
        references=(
            "Adobe Commerce, 'Basic analytics' (vendor)",
            "Gross-margin LTV and payback (third party)",
        ),
        tags=("customers", "cohort", "money", *(("variant",) if variant else ())),
    )


cohort_cumulative_value = _value(
    "cohort_cumulative_value", "gross_profit", "gross profit", "shipping, fees and marketing"
)
cohort_cumulative_value_revenue = _value(
    "cohort_cumulative_value.revenue", "net_sales", "net sales", "every cost"
)
cohort_cumulative_value_contribution_margin = _value(
    "cohort_cumulative_value.contribution_margin",
    "contribution_margin",
    "contribution margin",
    "marketing and overheads",
)

cac_payback_period = Metric(
    name="cac_payback_period",
    title="CAC payback period",
    aliases=("cac_payback", "months_to_recover_cac"),
    formula=PeriodsToBreakEven(
        (
            Name("contribution_margin")
            - Name("ad_spend")
            - Sum(MarketingCosts.amount, where=MarketingCosts.purpose.eq("acquisition"))
        )
        / Name("new_customers")
    ),
    required_dimension="cohort",
    unit=NUMBER,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.PROFIT,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Number of periods until a cohort has earned back its acquisition cost.",
    includes="Periods after the first until the cumulative contribution margin of the cohort is "
    "no longer below the acquisition cost of its first period; with every='1mo', months. "
    f"{_WON_IN}",
    excludes="Guests; overheads; cost of customer retention.",
    null_when="The cohort is empty or has not earned back its cost yet, or the cost of an item "
    "sold is not known.",
    see_also=("customer_acquisition_cost", "cohort_cumulative_value.contribution_margin"),
    caveats="Do not average it over the cohorts that have paid back: it leaves out the slow ones.",
    alternatives=(
        "cac_payback_period.quotient: acquisition cost divided by a constant monthly margin.",
    ),
    references=("'CAC payback' (third party)", "Payback period calculator (third party)"),
    tags=("marketing", "customers", "cohort", "duration"),
)

"""Segments: customers by how lately, how often and for how much they bought."""

from __future__ import annotations

from funnelkit.formula.formulas import Count, Formula, Min, Name, PositiveOrNull, QuantileBucket
from funnelkit.formula.values import AsOf, Elapsed
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.sales import Orders
from funnelkit.units import NUMBER

__all__ = [
    "frequency_score",
    "monetary_score",
    "recency_score",
    "rfm_score",
    "rfm_score_dense",
]

FIFTHS = 5
_IS_KNOWN = Orders.is_counted & Orders.customer_key.is_not_null()
_ORDERS = Count(Orders, where=_IS_KNOWN)
_RECENCY = Min(Elapsed(Orders.ordered_at, AsOf()), where=_IS_KNOWN)
_HAS_ORDERS = _ORDERS / _ORDERS
"""1 for whoever ordered in the range, null for whoever did not."""
_SOURCES = (
    "Ascent360, 'Understanding RFM' (vendor)",
    "Patch Retention, 'What is RFM', with other cuts (vendor)",
)


def _recency() -> Formula:
    return QuantileBucket(-1 * _RECENCY, FIFTHS)


def _frequency(*, dense: bool = False) -> Formula:
    return QuantileBucket(PositiveOrNull(_ORDERS), FIFTHS, dense=dense)


def _monetary() -> Formula:
    return QuantileBucket(Name("identified_net_sales") * _HAS_ORDERS, FIFTHS)


def _score(name: str, title: str, formula: Formula, what: str, caveats: str) -> Metric:
    return Metric(
        name=name,
        title=title,
        formula=formula,
        required_dimension="customer_key",
        unit=NUMBER,
        stage=Stage.RETENTION,
        aida=AidaStage.ACTION,
        area=Area.CUSTOMERS,
        direction=Direction.UP,
        bounds=(1, FIFTHS),
        description=f"In which fifth of all customers one falls by {what}; 5 is the best.",
        includes="Customers with a counted order in the range, by the share of them below: with "
        "two fifths below, the score is 3. Customers of the same value get the same score.",
        excludes="Guests; customers without an order in the range.",
        null_when="It is no customer of the range.",
        see_also=("rfm_score",),
        caveats=caveats,
        references=_SOURCES,
        tags=("building_block", "customers", "segments", "score"),
    )


recency_score = _score(
    "recency_score",
    "Recency score",
    _recency(),
    "how lately they bought",
    "Time runs from the last order to the as-of moment of the data, not to the end of a range.",
)
frequency_score = _score(
    "frequency_score",
    "Frequency score",
    _frequency(),
    "how many orders they placed",
    "Where more than a fifth of the customers bought once, the lowest scores stay empty but for "
    "1: see rfm_score.dense. All orders count here, in models of lifetime only the repeated ones.",
)
monetary_score = _score(
    "monetary_score",
    "Monetary score",
    _monetary(),
    "their net sales",
    "It rises with frequency: they are not independent.",
)

rfm_score = Metric(
    name="rfm_score",
    title="RFM score",
    aliases=("rfm", "recency_frequency_monetary"),
    formula=100 * Name("recency_score") + 10 * Name("frequency_score") + Name("monetary_score"),
    required_dimension="customer_key",
    unit=NUMBER,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(111, 555),
    description="How lately, how often and for how much a customer bought, as three digits from "
    "1 to 5: 555 is among the best fifth in all three.",
    includes="In recency, the number of orders and net sales: 1, and another 1 for each fifth of "
    "the customers that is below. The same value, the same score.",
    excludes="Guests; customers without an order in the range.",
    null_when="It is no customer of the range.",
    see_also=("customer_lifetime_revenue", "repeat_purchase_rate"),
    caveats="Comparing scores of two dates: they rank a customer among those of the day. Doing "
    "arithmetic with them: they are three digits, not a number.",
    alternatives=(
        "rfm_score.dense: frequency by its different values, as most customers buy once.",
        "Cuts fixed by hand, or other weights.",
    ),
    references=_SOURCES,
    tags=("customers", "segments", "score"),
)

rfm_score_dense = Metric(
    name="rfm_score.dense",
    title="RFM score, frequency by its different values",
    formula=100 * Name("recency_score") + 10 * _frequency(dense=True) + Name("monetary_score"),
    required_dimension="customer_key",
    unit=NUMBER,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(111, 555),
    description="The RFM score with a finer second digit where most customers bought once.",
    includes="As rfm_score; the second digit cuts the different numbers of orders into fifths, "
    "each counted once, however many customers have it.",
    excludes="Guests; customers without an order in the range.",
    null_when="It is no customer of the range.",
    see_also=("rfm_score",),
    caveats="A fifth of the different values is no fifth of the customers.",
    alternatives=("rfm_score: fifths of the customers.",),
    references=_SOURCES,
    tags=("customers", "segments", "score", "variant"),
)

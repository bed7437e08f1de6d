"""Segments: customers by recency, frequency and monetary value."""

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
"""1 for a customer with an order in the range, otherwise null."""
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
        description=f"Quintile of customers into which a customer falls by {what}; 5 is the best.",
        includes="Customers with a counted order in the range, scored by the share of customers "
        "ranked below them: with two fifths below, the score is 3. Customers with the same value "
        "get the same score.",
        excludes="Guests; customers without an order in the range.",
        null_when="The customer has no counted order in the range.",
        see_also=("rfm_score",),
        caveats=caveats,
        references=_SOURCES,
        tags=("building_block", "customers", "segments", "score"),
    )


recency_score = _score(
    "recency_score",
    "Recency score",
    _recency(),
    "the time since their last order",
    "The time runs from the last order to the as-of time of the data, not to the end of a range.",
)
frequency_score = _score(
    "frequency_score",
    "Frequency score",
    _frequency(),
    "their number of orders",
    "Where more than a fifth of the customers bought once, some low scores other than 1 are not "
    "assigned: see rfm_score.dense. Every order counts, unlike in lifetime models, which count "
    "repeat orders only.",
)
monetary_score = _score(
    "monetary_score",
    "Monetary score",
    _monetary(),
    "their net sales",
    "It rises with frequency: the two scores are not independent.",
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
    description="Recency, frequency and monetary score of a customer, as three digits from 1 to "
    "5; 555 is the best.",
    includes="Each digit is 1 plus 1 for each full fifth of the customers ranked below, by "
    "recency of the last order, number of orders and net sales. Customers with the same value "
    "get the same digit.",
    excludes="Guests; customers without an order in the range.",
    null_when="The customer has no counted order in the range.",
    see_also=("customer_lifetime_revenue", "repeat_purchase_rate"),
    caveats="Do not compare scores of two dates: each ranks a customer among those of its date. "
    "Do not calculate with them: they are three digits, not a number.",
    alternatives=(
        "rfm_score.dense: frequency by distinct numbers of orders, as most customers buy once.",
        "fixed cut-offs, or other weights.",
    ),
    references=_SOURCES,
    tags=("customers", "segments", "score"),
)

rfm_score_dense = Metric(
    name="rfm_score.dense",
    title="RFM score, frequency by distinct values",
    formula=100 * Name("recency_score") + 10 * _frequency(dense=True) + Name("monetary_score"),
    required_dimension="customer_key",
    unit=NUMBER,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.CUSTOMERS,
    direction=Direction.UP,
    bounds=(111, 555),
    description="RFM score with a frequency digit that still separates customers where most "
    "bought once.",
    includes="As rfm_score, but the second digit divides the distinct numbers of orders into "
    "fifths, however many customers have each number.",
    excludes="Guests; customers without an order in the range.",
    null_when="The customer has no counted order in the range.",
    see_also=("rfm_score",),
    caveats="A fifth of the distinct values is not a fifth of the customers.",
    alternatives=("rfm_score: fifths of the customers.",),
    references=_SOURCES,
    tags=("customers", "segments", "score", "variant"),
)

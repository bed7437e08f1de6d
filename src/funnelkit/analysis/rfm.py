"""Customers scored by recency, frequency and monetary value, and put into named segments."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from funnelkit.calendar.calendar import Moment
from funnelkit.evaluation.evaluate import evaluate
from funnelkit.formula.formulas import Min
from funnelkit.formula.values import AsOf, Elapsed
from funnelkit.journeys.ratios import ratio
from funnelkit.metrics.metric import Metric
from funnelkit.result.view import Figure, Shown, View
from funnelkit.schema.sales import Orders
from funnelkit.shop.shop import Shop
from funnelkit.units import CUSTOMER, MONEY, RATIO

__all__ = ["Rfm", "rfm"]

RECENCY = Metric(
    name="recency_s",
    formula=Min(
        Elapsed(Orders.ordered_at, AsOf()),
        where=Orders.is_counted & Orders.customer_key.is_not_null(),
    ),
    description="Time since the customer's last order.",
)
ASKED = {
    "orders": "orders",
    "identified_net_sales": "revenue",
    "recency_score": "recency_score",
    "frequency_score": "frequency_score",
    "monetary_score": "monetary_score",
    "rfm_score": "rfm_score",
}
SEGMENTS = (
    ("champions", (5,), (4, 5)),
    ("loyal", (3, 4), (4, 5)),
    ("potential_loyalists", (4, 5), (2, 3)),
    ("new_customers", (5,), (1,)),
    ("promising", (4,), (1,)),
    ("need_attention", (3,), (3,)),
    ("about_to_sleep", (3,), (1, 2)),
    ("cannot_lose", (1, 2), (5,)),
    ("at_risk", (1, 2), (3, 4)),
    ("hibernating", (1, 2), (1, 2)),
)
"""Which recency and frequency scores make a segment: each pair of them is in exactly one."""

FIGURES = (
    Figure("customers", CUSTOMER),
    Figure("share", RATIO),
    Figure("revenue", MONEY),
    Figure("revenue_share", RATIO),
)
RULE = (
    "Each score is 1 plus 1 for each full fifth of the customers who are below; customers with the "
    "same value share a score. Segments are by the scores of recency and frequency."
)


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Rfm(View):
    """Customers with their scores and segments.

    Attributes:
        rule: How scores and segments are made.
        currency: The code of the currency of amounts.
    """

    rule: str
    currency: str
    _frame: pl.DataFrame

    @property
    def frame(self) -> pl.DataFrame:
        """One row per customer with a counted order.

        `customer_key`, `recency_s` (seconds from the last order of the range to the as-of
        moment), `orders`, `revenue`,
        `recency_score`, `frequency_score`, `monetary_score` (1 to 5, 5 is the best), `rfm_score`
        (the three digits) and `segment`.
        """
        return self._frame.clone()

    def segments(self) -> pl.DataFrame:
        """Return how many customers and how much revenue each segment has, the best first.

        Returns:
            A frame with `segment`, `customers`, `share`, `revenue` and `revenue_share`; the
            shares are of all customers with an order, and of their revenue.
        """
        names = pl.DataFrame({"segment": [name for name, _, _ in SEGMENTS]})
        found = self._frame.group_by("segment").agg(
            pl.len().cast(pl.Int64).alias("customers"), pl.col("revenue").sum()
        )
        rows = names.join(found, on="segment", how="left", maintain_order="left")
        counts = pl.col("customers", "revenue").fill_null(0)
        rows = rows.with_columns(counts)
        return rows.with_columns(
            ratio(pl.col("customers"), pl.col("customers").sum()).alias("share"),
            ratio(pl.col("revenue"), pl.col("revenue").sum()).alias("revenue_share"),
        ).select("segment", *(figure.name for figure in FIGURES))

    def _shown(self) -> Shown:
        return Shown(
            frame=self.segments(),
            figures=FIGURES,
            keys=["segment"],
            notes=[self.rule],
            currency=self.currency,
        )


def rfm(shop: Shop, *, start: Moment | None = None, end: Moment | None = None) -> Rfm:
    """Score customers by recency, frequency and monetary value, and put them into segments.

    The scores are those of `recency_score`, `frequency_score` and `monetary_score` of the
    catalogue: fifths of the customers, the best 5. Where more than a fifth bought once, all of
    them have frequency 1, and some low scores are not given.

    | segment | recency score | frequency score |
    | --- | --- | --- |
    | `champions` | 5 | 4 or 5 |
    | `loyal` | 3 or 4 | 4 or 5 |
    | `potential_loyalists` | 4 or 5 | 2 or 3 |
    | `new_customers` | 5 | 1 |
    | `promising` | 4 | 1 |
    | `need_attention` | 3 | 3 |
    | `about_to_sleep` | 3 | 1 or 2 |
    | `cannot_lose` | 1 or 2 | 5 |
    | `at_risk` | 1 or 2 | 3 or 4 |
    | `hibernating` | 1 or 2 | 1 or 2 |

    Args:
        shop: The shop.
        start: The first moment of the range in which orders count.
        end: The first moment after it.

    Raises:
        DefinitionError: The range is not valid.
        MissingInputError: The shop lacks what `identified_net_sales` takes.
        ContractError: The data breaks a promise.

    Examples:
        >>> import funnelkit as fk
        >>> fk.rfm(fk.demo()).frame.columns[:4]
        ['customer_key', 'recency_s', 'orders', 'revenue']
    """
    result = evaluate(shop, [RECENCY, *ASKED], by="customer_key", start=start, end=end)
    rows = result.frame.filter(pl.col("rfm_score").is_not_null()).rename(ASKED)
    frame = rows.with_columns(_segment()).sort("customer_key")
    return Rfm(rule=RULE, currency=result.currency, _frame=frame)


def _segment() -> pl.Expr:
    """Return the segment of a pair of scores."""
    found: pl.Expr = pl.lit(None, pl.String)
    for name, recency, frequency in SEGMENTS:
        its = pl.col("recency_score").is_in(recency) & pl.col("frequency_score").is_in(frequency)
        found = pl.when(its).then(pl.lit(name)).otherwise(found)
    return found.alias("segment")

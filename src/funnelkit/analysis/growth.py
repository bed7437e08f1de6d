"""Growth accounting: where the customers of a period come from, and where the others went."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from funnelkit.arguments import check_kind
from funnelkit.calendar.calendar import Moment
from funnelkit.calendar.grain import INSTANT
from funnelkit.charts.accounts import stacked_accounts
from funnelkit.charts.spec import Measure, Spec
from funnelkit.evaluation.evaluate import evaluate
from funnelkit.evaluation.history import known_until
from funnelkit.formula.formulas import CountRetained, Name, Shift
from funnelkit.formula.reason import Reason
from funnelkit.journeys.ratios import ratio
from funnelkit.metrics.metric import Metric
from funnelkit.planning.plan import Question
from funnelkit.result.display import IS_OPEN
from funnelkit.result.result import Result
from funnelkit.result.view import Figure, Plotted, Shown
from funnelkit.schema.sales import Orders
from funnelkit.shop.shop import Shop
from funnelkit.units import CUSTOMER, MULTIPLE

__all__ = ["Growth", "growth"]

RETAINED = Metric(
    name="growth_retained",
    formula=CountRetained(Orders.customer_key, where=Orders.is_counted),
    description="Customers who bought in the period and in the one before.",
)
BEFORE = Metric(
    name="growth_before",
    formula=Shift(Name("customers"), 1),
    description="Customers who bought in the period before.",
)
FIGURES = (
    *(
        Figure(name, CUSTOMER)
        for name in ("active", "new", "retained", "resurrected", "churned", "net")
    ),
    Figure("quick_ratio", MULTIPLE),
)
RULE = (
    "Of those active in a period, new had their first order in it, retained were active in the "
    "period before, resurrected were not; churned were active in the period before only."
)


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Growth(Plotted):
    """Where the customers of each period come from, and where the others went.

    Attributes:
        rule: What is counted, in sentences.
    """

    rule: str
    _frame: pl.DataFrame

    @property
    def frame(self) -> pl.DataFrame:
        """One row per period up to the last that is known, also where nobody bought.

        `active` = `new` + `retained` + `resurrected`; those active before are `retained` +
        `churned`; so `net`, by how many `active` grew, is `new` + `resurrected` - `churned`.
        `quick_ratio` is what was won, `new` + `resurrected`, divided by what was lost,
        `churned`; null where nothing was. `is_incomplete`: the period is not over.
        """
        return self._frame.clone()

    def picture(self) -> Spec:
        """Return who came, stayed and went, as a Vega-Lite specification; see `plot`."""
        measure = Measure(title="Customers", unit=CUSTOMER, source=self.rule)
        return stacked_accounts(self._frame, measure)

    def _shown(self) -> Shown:
        frame = self._frame.rename({"is_incomplete": IS_OPEN})
        return Shown(frame=frame, figures=FIGURES, keys=["period"], notes=[self.rule])


def growth(
    shop: Shop,
    *,
    every: str | Sequence[Moment] = "1mo",
    start: Moment | None = None,
    end: Moment | None = None,
) -> Growth:
    """Account for the growth of the customers who buy.

    A customer is active in a period with a counted order in it. The counts are those of
    `customers` and `new_customers` of the catalogue; guests are left out.

    Args:
        shop: The shop.
        every: The length of periods, or their boundaries.
        start: The first moment of the range, which is that of a period.
        end: The first moment after it.

    Raises:
        MissingInputError: The shop has no orders, or no customers, or it is not known which
            orders count.
        DefinitionError: An argument is not valid.
        ContractError: The data breaks a promise.

    Examples:
        >>> import funnelkit as fk
        >>> fk.growth(fk.demo(), every="1y").frame["churned"].to_list()
        [0, 74, 473]
    """
    check_kind("every", every, (str, Sequence), "growth is from period to period: every='1mo'")
    # with orders there is a row for a period in which guests alone buy
    asked: list[str | Metric] = ["orders", "customers", "new_customers", RETAINED, BEFORE]
    result = evaluate(shop, asked, every=every, start=start, end=end)
    question, until = result.plan.question, known_until(shop.data, result.plan)
    if result.frame.is_empty() and until is not None and question.span.start is not None:
        known = question.calendar.shown(until)
        if end is None and question.span.start < known:  # a range with an end is told whole
            result = evaluate(shop, asked, every=every, start=start, end=known)
    return Growth(rule=RULE, _frame=_accounted(_every_period(result, until)))


def _every_period(result: Result, until: dt.datetime | None) -> pl.DataFrame:
    """Return the counts of every period up to the last that is known, with nobody as 0."""
    tidy = result.tidy().filter(pl.col("metric") == "customers")
    is_open = (pl.col("reason") == str(Reason.INCOMPLETE_PERIOD)).fill_null(value=False)
    opened = tidy.select("period", is_open.alias("is_incomplete"))
    rows = result.frame.join(opened, on="period", how="left")
    if rows.is_empty() or until is None:
        return rows
    periods, known = rows.get_column("period"), result.plan.question.calendar.shown(until)
    last, is_over = _last(result.plan.question, periods.max(), known)
    every = result.plan.question.calendar.starts(periods.min(), last)
    is_last = (pl.col("period") == last) & pl.lit(not is_over)
    return (
        every.alias("period")
        .to_frame()
        .join(rows, on="period", how="left")
        .sort("period")
        .with_columns(pl.col("is_incomplete").fill_null(is_last))
    )


def _last(question: Question, last: object, known: dt.datetime) -> tuple[object, bool]:
    """Return the last period of the range that is known, and whether it is over.

    Args:
        question: The periods and the range.
        last: The last period with data.
        known: The local time up to which the data is known.
    """
    calendar, end = question.calendar, question.span.end
    seen = known if end is None else min(known, end)
    label = calendar.label(calendar.floor(seen - INSTANT))
    found = pl.concat([label, pl.Series([last], dtype=label.dtype)]).max()
    after = pl.select(calendar.moved(pl.lit(found, label.dtype), 1)).item()
    return found, after is None or calendar.begins(after) <= seen


def _accounted(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the accounts of each period."""
    active = pl.col("customers").fill_null(0)
    before = pl.coalesce(pl.col(BEFORE.name).cast(pl.Int64), active.shift(), 0)
    known = rows.select(
        "period",
        active.alias("active"),
        pl.col("new_customers").fill_null(0).alias("new"),
        pl.col(RETAINED.name).fill_null(0).cast(pl.Int64).alias("retained"),
        before.alias("before"),
        pl.col("is_incomplete").fill_null(value=False),
    )
    resurrected = pl.col("active") - pl.col("new") - pl.col("retained")
    won = pl.col("new") + pl.col("resurrected")
    return (
        known.with_columns(
            resurrected.alias("resurrected"),
            (pl.col("before") - pl.col("retained")).alias("churned"),
            (pl.col("active") - pl.col("before")).alias("net"),
        )
        .with_columns(ratio(won, pl.col("churned")).alias("quick_ratio"))
        .select("period", *(figure.name for figure in FIGURES), "is_incomplete")
    )

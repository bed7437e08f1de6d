"""How long journeys take, where some are not over: quantiles and survival curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from funnelkit.arguments import check_choices, check_kind
from funnelkit.charts.spec import Measure, Spec
from funnelkit.charts.survival import survival_curve
from funnelkit.errors import DefinitionError
from funnelkit.evaluation.arguments import ask
from funnelkit.formula.values import Dimension, Predicate
from funnelkit.formula.walk import leaves
from funnelkit.journeys.ratios import ratio
from funnelkit.journeys.rows import (
    AT,
    ENTITY,
    KEPT,
    Moments,
    Reader,
    check_names,
    key_name,
    order_within_instants,
    reader_of,
)
from funnelkit.planning.lowering import TRUE
from funnelkit.result.picture import group_names
from funnelkit.result.view import Figure, Plotted, Shown, excluded_notes
from funnelkit.shop.shop import Shop
from funnelkit.units import RATIO, SECOND, SESSION, Unit

__all__ = ["Durations", "durations"]

Journey = Literal["session_to_order", "first_visit_to_order", "sessions_to_order", "order_to_order"]
END, LENGTH = "#end", "duration"
NEVER, EARLIER = "without an order", "order before the start"

RULES: Mapping[Journey, str] = {
    "session_to_order": "Seconds from the start of a session to its first counted order; sessions "
    "without one are left out.",
    "first_visit_to_order": "Seconds from the first session of a visitor to their first counted "
    "order; who has none yet is censored at the as-of moment.",
    "sessions_to_order": "Sessions of a visitor up to their first counted order, that of the order "
    "included; who has none yet is censored with all of their sessions.",
    "order_to_order": "Seconds from each counted order of a customer to the next; who has none "
    "yet is censored at the as-of moment.",
}
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Durations(Plotted):
    """How long journeys take, those that are not over included.

    Attributes:
        rule: What is measured, in a sentence.
        keys: The key columns.
        unit: What durations are counted in: seconds or sessions.
        excluded: Why rows are left out, and how many.
    """

    rule: str
    keys: tuple[str, ...]
    unit: Unit
    excluded: Mapping[str, int]
    _frame: pl.DataFrame

    @property
    def frame(self) -> pl.DataFrame:
        """One row per journey: whose it is, the keys, `start`, `duration` and `is_censored`.

        A censored journey was not over after so long.
        """
        return self._frame.clone()

    def survival(self) -> pl.DataFrame:
        """Return the Kaplan-Meier estimate: the share of journeys that take longer.

        Returns:
            A frame with the keys, `duration`, `at_risk` (journeys that took at least so
            long), `finished` and `censored` (of these, at exactly this duration) and `survival`.
        """
        ended, all_ = (~pl.col("is_censored")).sum().cast(pl.Int64), pl.len().cast(pl.Int64)
        counts = self._frame.group_by(*self.keys, LENGTH).agg(
            ended.alias("finished"), (all_ - ended).alias("censored")
        )
        rows = counts.sort(*self.keys, LENGTH, nulls_last=True)
        gone = pl.col("finished") + pl.col("censored")
        rows = rows.with_columns(self._over(gone.cum_sum(reverse=True)).alias("at_risk"))
        stays = 1 - ratio(pl.col("finished"), pl.col("at_risk"))
        survival = self._over(stays.cum_prod()).alias("survival")
        names = (LENGTH, "at_risk", "finished", "censored")
        return rows.with_columns(survival).select(*self.keys, *names, "survival")

    def quantiles(self) -> pl.DataFrame:
        """Return quantiles of all journeys, and of those that are over.

        Returns:
            A frame with the keys, `quantile`, `duration` (the shortest after which that share
            of all journeys is over, by the survival curve; null where it never is) and
            `of_finished`, which leaves those out that are not over and so is too short.
        """
        curve = self.survival()
        return pl.concat(self._quantile(curve, q) for q in QUANTILES).sort(
            *self.keys, "quantile", nulls_last=True
        )

    def _quantile(self, curve: pl.DataFrame, q: float) -> pl.DataFrame:
        is_over = pl.col("survival") <= 1 - q + TOLERANCE
        reached = pl.col(LENGTH).filter(is_over).min().alias("duration")
        finished = pl.col(LENGTH).filter(~pl.col("is_censored"))
        own = finished.quantile(q, interpolation="linear").alias("of_finished")
        if not self.keys:
            row = curve.select(reached).hstack(self._frame.select(own))
        else:
            found = self._frame.group_by(self.keys).agg(own)
            row = curve.group_by(self.keys).agg(reached)
            row = row.join(found, on=self.keys, nulls_equal=True)
        return row.select(*self.keys, pl.lit(q).alias("quantile"), "duration", "of_finished")

    def _over(self, value: pl.Expr) -> pl.Expr:
        return value.over(self.keys) if self.keys else value

    def picture(self) -> Spec:
        """Return the survival curve, as a Vega-Lite specification; see `plot`."""
        curve = self.survival()
        curve = group_names(curve, self.keys) if self.keys else curve
        share = Measure(title="Share that takes longer", unit=RATIO, source=self.rule)
        length = Measure(title="Sessions" if self.unit == SESSION else "Duration", unit=self.unit)
        return survival_curve(curve, share, length)

    def _shown(self) -> Shown:
        censored = int(self._frame.get_column("is_censored").sum())
        notes = [self.rule, f"{censored:,} of {self._frame.height:,} journeys are not over"]
        return Shown(
            frame=self.quantiles(),
            figures=(Figure("duration", self.unit), Figure("of_finished", self.unit)),
            keys=[*self.keys, "quantile"],
            notes=[*notes, *excluded_notes(self.excluded)],
        )


TOLERANCE = 1e-12
"""What rounding may leave of a product of shares."""


def durations(
    shop: Shop,
    journey: Journey,
    *,
    by: str | Dimension | Sequence[str | Dimension] = (),
    where: Predicate | str | None = None,
) -> Durations:
    """Measure how long journeys take, those that are not over included.

    - `"session_to_order"`: from the start of a session to its first order.
    - `"first_visit_to_order"`: from a visitor's first session to their first order.
    - `"sessions_to_order"`: how many sessions a visitor needs for the first order.
    - `"order_to_order"`: from each order of a customer to the next.

    A visitor or customer whose order has not come yet is *censored*: it took at least until the
    as-of moment. Leaving them out would make journeys look short.

    Args:
        shop: The shop.
        journey: One of the above.
        by: Dimensions of the session or order with which the journey begins.
        where: Which journeys enter, over dimensions of that session or order; what comes
            after it need not match. `"order_number == 1"`: from the first order to the second.

    Raises:
        DefinitionError: An argument is not valid.
        MissingInputError: Tables or columns are missing.
        ContractError: The data breaks a promise.

    Examples:
        >>> import funnelkit as fk
        >>> found = fk.durations(fk.demo(), "sessions_to_order")
        >>> found.survival().columns
        ['duration', 'at_risk', 'finished', 'censored', 'survival']
    """
    check_kind("shop", shop, (Shop,), "bind the frames: fk.Shop(orders=…, sessions=…)")
    check_choices(("journey", journey, RULES))
    table = "orders" if journey == "order_to_order" else "sessions"
    owner = {"order_to_order": "customer_key", "session_to_order": "session_id"}
    reader = reader_of(shop, table, owner.get(journey, "visitor_id"), by=by)
    check_names(reader, {reader.name, "start", LENGTH, "is_censored"})
    rows, excluded = MEASURED[journey](reader, _begun(reader, ask(shop, where=where).where))
    return Durations(
        rule=RULES[journey],
        keys=reader.keys,
        unit=SESSION if journey == "sessions_to_order" else SECOND,
        excluded={why: count for why, count in excluded.items() if count},
        _frame=_shown_rows(reader, rows),
    )


Measured = tuple[pl.DataFrame, Mapping[str, int]]
"""Journeys with their `duration` and `is_censored`, and what is left out."""


def _begun(reader: Reader, where: Predicate | None) -> Moments:
    """Return the sessions or orders of which some begin journeys: those that are kept."""
    if where is None:
        return reader.read({KEPT: TRUE})
    condition = reader.predicate(where)
    columns = {KEPT: reader.lowering.predicate(condition), **reader.looked_at(condition)}
    return reader.read(columns, wants=leaves(condition))


def _first(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the first row of each entity, by time and then by keys."""
    ordered = rows.sort(AT, *order_within_instants(rows.columns), nulls_last=True)
    return ordered.unique(ENTITY, keep="first", maintain_order=True)


def _orders(reader: Reader, owner: str) -> pl.DataFrame:
    """Return when the first order of each entity was."""
    other = reader_of(reader.shop, "orders", owner)
    if other.is_day != reader.is_day:
        problem = f"{reader.clock} and {other.clock}: one is a day and the other a time"
        raise DefinitionError(problem, "bind both as times, or both as days")
    orders = other.read({}).frame
    return orders.group_by(ENTITY).agg(pl.col(AT).min().alias(END))


def _session_to_order(reader: Reader, sessions: Moments) -> Measured:
    own = sessions.frame.filter(KEPT)
    joined = own.join(_orders(reader, "session_id"), on=ENTITY, how="left")
    rows = joined.drop_nulls(END)
    excluded = {**sessions.excluded, NEVER: joined.height - rows.height}
    return _until_now(reader, rows, excluded)


def _first_visit_to_order(reader: Reader, sessions: Moments) -> Measured:
    own = _first(sessions.frame).filter(KEPT)
    joined = own.join(_orders(reader, "visitor_id"), on=ENTITY, how="left")
    return _until_now(reader, joined, sessions.excluded)


def _sessions_to_order(reader: Reader, sessions: Moments) -> Measured:
    joined = sessions.frame.join(_orders(reader, "visitor_id"), on=ENTITY, how="left")
    is_before = pl.col(END).is_null() | (pl.col(AT) <= pl.col(END))
    counts = joined.group_by(ENTITY).agg(is_before.sum().cast(pl.Float64).alias(LENGTH))
    known = _first(joined).filter(KEPT).join(counts, on=ENTITY)
    rows = known.filter(pl.col(LENGTH) > 0).with_columns(pl.col(END).is_null().alias("is_censored"))
    return rows, {**sessions.excluded, EARLIER: known.height - rows.height}


def _order_to_order(reader: Reader, orders: Moments) -> Measured:
    names = order_within_instants(orders.frame.columns)
    ordered = orders.frame.sort(ENTITY, AT, *names, nulls_last=True)
    following = ordered.with_columns(pl.col(AT).shift(-1).over(ENTITY).alias(END))
    return _until_now(reader, following.filter(KEPT), orders.excluded)


def _until_now(reader: Reader, rows: pl.DataFrame, excluded: Mapping[str, int]) -> Measured:
    """Return journeys from a time to another; those without another are censored now."""
    as_of = reader.last if reader.is_day else reader.now
    censored = pl.col(END).is_null().alias("is_censored")
    known = rows.with_columns(censored, pl.col(END).fill_null(pl.lit(as_of))).with_columns(
        _elapsed()
    )
    kept = known.filter(pl.col(LENGTH) >= 0)
    return kept, {**excluded, EARLIER: known.height - kept.height}


def _elapsed() -> pl.Expr:
    return ((pl.col(END) - pl.col(AT)).dt.total_microseconds() / 1e6).alias(LENGTH)


MEASURED: Mapping[Journey, Callable[[Reader, Moments], Measured]] = {
    "session_to_order": _session_to_order,
    "first_visit_to_order": _first_visit_to_order,
    "sessions_to_order": _sessions_to_order,
    "order_to_order": _order_to_order,
}


def _shown_rows(reader: Reader, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        pl.col(ENTITY).alias(reader.name),
        *(pl.col(key_name(key)).alias(key) for key in reader.keys),
        reader.shown(pl.col(AT)).alias("start"),
        LENGTH,
        "is_censored",
    ).sort(reader.name, "start", LENGTH)

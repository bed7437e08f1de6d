"""Cohorts of customers: what those who were won in one period do afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl

from funnelkit.arguments import check_choices, check_kind
from funnelkit.calendar.calendar import UTC_EPOCH, Calendar
from funnelkit.calendar.grain import INSTANT
from funnelkit.charts.heat import heat_map
from funnelkit.charts.spec import Chart, Measure, Spec, to_chart
from funnelkit.errors import DefinitionError, UnknownNameError
from funnelkit.formula.values import Dimension
from funnelkit.journeys.lifetimes import Lifetimes, lifetimes_of
from funnelkit.journeys.purchases import AMOUNT, MARGIN, REVENUE, known_until, orders_of
from funnelkit.journeys.ratios import ratio
from funnelkit.journeys.rows import (
    AT,
    ENTITY,
    GROUP,
    Reader,
    check_names,
    grouped,
    key_name,
)
from funnelkit.journeys.timeline import LABEL, Codes, timeline_of
from funnelkit.metrics.listing import terminal_width
from funnelkit.result.picture import group_names
from funnelkit.result.view import Figure, Shown, View, excluded_notes
from funnelkit.shop.shop import Shop
from funnelkit.units import CUSTOMER, MONEY, NUMBER, ORDER, RATIO, Unit

__all__ = ["Cohorts", "cohorts"]

Periods = Literal["calendar", "rolling"]

MEASURES: Mapping[str, Unit] = {
    "retention": RATIO,
    "on_or_after": RATIO,
    "repurchased": RATIO,
    "orders": ORDER,
    "orders_per_customer": NUMBER,
    "revenue": MONEY,
    "revenue_per_customer": MONEY / CUSTOMER,
    "margin": MONEY,
    "margin_per_customer": MONEY / CUSTOMER,
}
LEFT, KEY_WIDTH, AGE_WIDTH = 8, 12, 10
"""How wide the columns of a triangle are."""
TOTALS = ("orders", "revenue", "margin")
AGE, SIZE, OPEN, FIRST, SEEN = "age", "size", "is_incomplete", "#first", "#seen"
COLUMNS = (AGE, SIZE, "observed", "customers")
UNFINISHED = "The last period is not over: the last value of each cohort may still change."
RULES: Mapping[Periods, str] = {
    "calendar": "Age 0 is the calendar period of the first order",
    "rolling": "Age 0 are the first {every} from the first order; a customer enters an age once "
    "it is over",
}


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Cohorts(View):
    """What customers who were won in one period do afterwards.

    Attributes:
        keys: The key columns: the cohort and the acquisition dimensions.
        rule: What is counted, in a sentence.
        as_of: The instant up to which the data is known.
        excluded: Why orders are left out, and how many.
        currency: The code of the currency of amounts.
    """

    keys: tuple[str, ...]
    rule: str
    as_of: dt.datetime | None
    excluded: Mapping[str, int]
    currency: str
    _frame: pl.DataFrame

    @property
    def frame(self) -> pl.DataFrame:
        """One row per cohort and age: those ages that have begun.

        `cohort` (the start of the period of the first order), the acquisition dimensions,
        `age` (periods since), `size` (all customers of the cohort), `observed` (those of them
        who can be seen at that age: the divisor of every rate), `customers` (of these, who
        ordered at that age), `retention`, `on_or_after` (who ordered at that age or later),
        `repurchased` (who had ordered again by then), `orders`, `revenue` and `margin`, the same
        per observed customer, and `is_incomplete`: the period is not over.
        """
        return self._frame.clone()

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that the shop's data gives."""
        return tuple(name for name in MEASURES if name in self._frame.columns)

    def triangle(self, *, measure: str = "retention") -> pl.DataFrame:
        """Return one row per cohort, and a column per age; null where its time has not come.

        Args:
            measure: One of `measures`.

        Raises:
            UnknownNameError: There is no such measure.
        """
        self._check(measure)
        wide = self._frame.pivot("age", index=[*self.keys, SIZE], values=measure)
        return wide.sort(self.keys, nulls_last=True)

    def average(self, *, measure: str = "retention") -> pl.DataFrame:
        """Return the mean of a measure by age, weighted by the customers who can be seen.

        Each age has its own cohorts: those for which it is over.

        Args:
            measure: One of `measures` that is a share, or per customer.

        Returns:
            A frame with `age`, the measure, and how many `customers` it rests on.

        Raises:
            UnknownNameError: There is no such measure.
            DefinitionError: It is a total.
        """
        self._check(measure)
        if measure in TOTALS:
            raise DefinitionError(f"{measure} is a total", f"average {measure}_per_customer")
        is_over = ~pl.col(OPEN) | (pl.col("observed") < pl.col(SIZE))
        complete = self._frame.filter(is_over, pl.col(measure).is_not_null())
        weight = pl.col("observed")
        return (
            complete.group_by(AGE)
            .agg((pl.col(measure) * weight).sum().alias("#sum"), weight.sum().alias("customers"))
            .sort(AGE)
            .select(AGE, ratio(pl.col("#sum"), pl.col("customers")).alias(measure), "customers")
        )

    def plot(self, *, measure: str = "retention") -> Chart:
        """Return a heat map of a measure by cohort and age, as an altair chart.

        Age 0 is left out of the colours, save for `repurchased`: everybody orders then.

        Args:
            measure: One of `measures`.

        Raises:
            MissingPackageError: altair is not installed.
            UnknownNameError: There is no such measure.
        """
        return to_chart(self.picture(measure=measure))

    def picture(self, *, measure: str = "retention") -> Spec:
        """Return the heat map of `plot` as a Vega-Lite specification, without altair."""
        self._check(measure)
        is_first = (pl.col(AGE) == 0) & pl.lit(measure != "repurchased")
        keys = [key for key in self.keys if key != "cohort"]
        cells = self._frame.select(
            *keys,
            pl.col("cohort").cast(pl.String).alias("row"),
            pl.col(AGE).alias("column"),
            pl.col(measure).alias("value"),
            pl.col(OPEN).alias("is_open"),
            is_first.alias("is_reference"),
        )
        title = f"{measure.replace('_', ' ').capitalize()} by cohort"
        told = Measure(
            title=title, unit=MEASURES[measure], currency=self.currency, source=self.rule
        )
        cells = group_names(cells, keys) if keys else cells
        return heat_map(cells, told, rows="first order in", columns="periods since the first order")

    def _check(self, measure: str) -> None:
        check_kind("measure", measure, (str,), "name one of measures: measure='retention'")
        if measure not in self.measures:
            raise UnknownNameError("measure of the cohorts", measure, self.measures)

    def __repr__(self) -> str:
        shown = self._shown()
        room = terminal_width()
        most = max(1, (room - LEFT - KEY_WIDTH * len(self.keys)) // AGE_WIDTH)
        if len(shown.figures) - 1 <= most:
            return shown.text()
        kept, ages = shown.figures[: most + 1], len(shown.figures) - 1
        note = f"ages {most} to {ages - 1} are not shown; triangle() has them, plot() shows them"
        return replace(shown, figures=kept, notes=[note, *shown.notes]).text()

    def _shown(self) -> Shown:
        wide = self.triangle()
        ages = [name for name in wide.columns if name not in {*self.keys, SIZE}]
        is_unfinished = pl.col(OPEN) & (pl.col("observed") == pl.col(SIZE))
        open_ = [UNFINISHED] if self._frame.select(is_unfinished.any()).item() else []
        return Shown(
            frame=wide,
            figures=[Figure(SIZE, CUSTOMER), *(Figure(age, RATIO) for age in ages)],
            keys=self.keys,
            notes=[*open_, self.rule, *excluded_notes(self.excluded)],
            caption="retention by age",
            absent="",
            turns=False,
        )


def cohorts(
    shop: Shop,
    *,
    every: str = "1mo",
    periods: Periods = "calendar",
    by: str | Dimension | Sequence[str | Dimension] = (),
) -> Cohorts:
    """Follow the customers who were won in the same period.

    A cohort consists of the customers whose first counted order in the whole history lies in
    one period. Its size never changes. Orders without a customer are left out, and counted
    in `Cohorts.excluded`.

    Revenue is what `identified_net_sales` adds up, margin what `identified_gross_profit` does:
    a return counts when it is made. Either is there if the shop has what that KPI takes.

    Args:
        shop: The shop.
        every: The length of periods; where they roll, a number of days or weeks.
        periods: `"calendar"`: age 1 is the calendar period after that of the first order.
            `"rolling"`: age is counted from each customer's own first order, and customers
            enter an age once it is over for them.
        by: Dimensions of the first order.

    Raises:
        DefinitionError: An argument is not valid.
        MissingInputError: The shop has no orders, or no customers, or it is not known which
            orders count.
        ContractError: The data breaks a promise.

    Examples:
        >>> import funnelkit as fk
        >>> found = fk.cohorts(fk.demo(), every="1q")
        >>> found.triangle().columns
        ['cohort', 'size', '0', '1', '2', '3', '4', '5', '6', '7', '8']
    """
    check_choices(("periods", periods, RULES))
    reader, moments = orders_of(shop, by=by, every=every)
    length = _length(reader.calendar, periods)
    check_names(reader, {"cohort", OPEN, *MEASURES, *COLUMNS})
    keys = ["cohort", *(d.name for d in reader.question.by)]
    until = known_until(shop)
    starts = _starts(reader.calendar, moments.frame, until)
    clock = _Clock(reader, length, until, starts)
    won = _won(moments.frame, clock)
    cells = won.cells()
    if flows := [flow for flow in (REVENUE, MARGIN) if flow.is_ready(shop)]:
        customers = won.customers()
        for flow in flows:
            amounts = flow.read(shop, every=every, is_day=None if length is None else reader.is_day)
            rows = clock.aged(amounts, customers)
            cells = _with_amounts(cells, rows, flow.name, keys)
    cells = cells.with_columns(clock.is_open().alias(OPEN)).sort(*keys, AGE, nulls_last=True)
    return Cohorts(
        keys=tuple(keys),
        rule=_rule(reader, periods, every),
        as_of=until,
        excluded=moments.excluded,
        currency=shop.data.currency,
        _frame=cells.select(*keys, *COLUMNS, *(m for m in MEASURES if m in cells.columns), OPEN),
    )


def _length(calendar: Calendar, periods: Periods) -> dt.timedelta | None:
    """Return how long a period is that rolls; None of a calendar period."""
    if calendar.every is None or calendar.has_hours:
        raise DefinitionError("cohorts are of days or longer periods", "give every='1mo'")
    if periods == "calendar":
        return None
    if not calendar.every.days:
        problem = f"every={calendar.every} is not of the same length for every customer"
        raise DefinitionError(problem, "periods that roll are of days or weeks: every='30d'")
    return dt.timedelta(days=calendar.every.days)


def _starts(calendar: Calendar, orders: pl.DataFrame, until: dt.datetime | None) -> pl.Series:
    """Return the start of every period up to the one that is not over."""
    labels = orders.get_column(key_name("period"))
    if labels.is_empty() or until is None:
        return labels.clear()
    last = calendar.label(calendar.floor(calendar.shown(until - INSTANT))).item()
    return calendar.starts(labels.min(), max(labels.max(), last))


@dataclass(frozen=True, slots=True)
class _Clock:
    """How old customers are at a time.

    Attributes:
        reader: What reads the orders.
        length: How long a period is, where each customer has their own; else None.
        until: The instant up to which the data is known.
        starts: The periods of the calendar.
    """

    reader: Reader
    length: dt.timedelta | None
    until: dt.datetime | None
    starts: pl.Series

    def number(self, label: pl.Expr) -> pl.Expr:
        """Return the number of a period of the calendar."""
        return pl.lit(self.starts).search_sorted(label).cast(pl.Int64)

    def age(self) -> pl.Expr:
        """Return how many periods after the first order a row is."""
        if self.length is not None:
            return self._periods(pl.col(AT) - pl.col(FIRST))
        return self.number(pl.col(key_name("period"))) - self.number(pl.col("cohort"))

    def seen(self, first: Codes, period: Codes) -> Codes:
        """Return the last age at which customers can be seen.

        Args:
            first: When their first orders were, in microseconds since 1970.
            period: The numbers of the periods of these orders.
        """
        if self.length is None:
            return len(self.starts) - 1 - period
        now = UTC_EPOCH if self.until is None else self.reader.dated(self.until)
        return (_microseconds(now - UTC_EPOCH) - first) // _microseconds(self.length) - 1

    def _periods(self, elapsed: pl.Expr) -> pl.Expr:
        return elapsed.dt.total_microseconds() // _microseconds(self.length or INSTANT)

    def is_open(self) -> pl.Expr:
        """Return whether not all customers of a cohort have an age behind them."""
        if self.length is not None:
            return pl.col("observed") < pl.col(SIZE)
        if self.starts.is_empty() or self.until is None:
            return pl.lit(value=False)
        calendar, until = self.reader.calendar, self.reader.calendar.shown(self.until)
        ends = pl.select(calendar.moved(pl.lit(self.starts), 1)).to_series()
        over = int((ends.cast(pl.Datetime("us")) <= until).sum())
        return self.number(pl.col("cohort")) + pl.col(AGE) >= over

    def aged(self, rows: pl.DataFrame, customers: pl.DataFrame) -> pl.DataFrame:
        """Return rows of customers at an age at which these can be seen, with their cohort."""
        names = [name for name in rows.columns if name in {ENTITY, AT, AMOUNT, key_name("period")}]
        known = rows.select(names).join(customers, on=ENTITY)
        return known.with_columns(self.age().alias(AGE)).filter(pl.col(AGE) >= 0)


def _microseconds(length: dt.timedelta) -> int:
    return length // INSTANT


def _won(orders: pl.DataFrame, clock: _Clock) -> _Won:
    """Return the customers by the period and the keys of their first orders."""
    by = [dimension.name for dimension in clock.reader.question.by]
    rows, groups = grouped(orders, by)
    label = clock.number(pl.col(key_name("period"))) * groups.height + pl.col(GROUP)
    rows = rows.select(ENTITY, AT, label.alias(LABEL))
    labels = max(len(clock.starts), 1) * groups.height
    timeline = timeline_of(rows, labels, within=dt.timedelta())
    length = None if clock.length is None else _microseconds(clock.length)
    lives = lifetimes_of(timeline, groups=groups.height, length=length)
    return _Won(clock, lives, groups, clock.seen(lives.first, lives.label // groups.height))


@dataclass(frozen=True, slots=True)
class _Won:
    """The customers, each with the orders of a lifetime.

    Attributes:
        clock: How old they are at a time.
        lives: What they do; a label is `period * groups + group`.
        groups: The keys of each group.
        seen: Until which age each can be seen.
    """

    clock: _Clock
    lives: Lifetimes
    groups: pl.DataFrame
    seen: Codes

    def customers(self) -> pl.DataFrame:
        """Return one row per customer: their cohort, and until which age they can be seen."""
        first = pl.Series(self.lives.first).cast(pl.Datetime("us", "UTC"))
        rows = pl.DataFrame({ENTITY: self.lives.owners, FIRST: first, SEEN: self.seen})
        return rows.hstack(self._keys(self.lives.label))

    def cells(self) -> pl.DataFrame:
        """Return one row per cohort and age, with what customers do at it."""
        lives, seen = self.lives, self.seen
        labels = np.unique(lives.label)
        cohort = np.searchsorted(labels, lives.label)
        table = _Table(len(labels), max(int(seen.max(initial=-1)) + 1, 0))
        ages, second = lives.ages, lives.second
        is_known, is_again = seen >= 0, (second >= 0) & (second <= seen)
        its = np.repeat(np.arange(len(seen)), lives.count)
        is_seen = ages <= seen[its]
        at = cohort[its[is_seen]], ages[is_seen]
        observed = table.counts(cohort[is_known], seen[is_known])
        last = np.minimum(lives.last, seen)
        later = table.counts(cohort[is_known], last[is_known])
        again = table.counts(cohort[is_again], second[is_again])
        gone = table.counts(cohort[is_again], seen[is_again] + 1)
        counts = {
            "observed": observed[:, ::-1].cumsum(axis=1)[:, ::-1],
            "on_or_after": later[:, ::-1].cumsum(axis=1)[:, ::-1],
            "again": (again - gone).cumsum(axis=1),
            "customers": table.counts(*at),
            "orders": table.counts(*at, lives.rows[is_seen]),
        }
        where = np.nonzero(counts["observed"])
        size = np.bincount(cohort, minlength=len(labels))
        found = {SIZE: size[where[0]], **{name: count[where] for name, count in counts.items()}}
        return _rates(self._keys(labels[where[0]]).hstack(pl.DataFrame({AGE: where[1], **found})))

    def _keys(self, labels: Codes) -> pl.DataFrame:
        """Return the cohort and the keys of labels."""
        period, group = np.divmod(labels, self.groups.height)
        cohort = self.clock.starts.gather(pl.Series(period)).alias("cohort")
        keys = self.groups.drop(GROUP)[pl.Series(group)]
        names = {name: name.removeprefix(key_name("")) for name in keys.columns}
        return keys.rename(names).insert_column(0, cohort)


@dataclass(frozen=True, slots=True)
class _Table:
    """Counts by cohort and age.

    Attributes:
        cohorts: How many cohorts there are.
        ages: How many ages.
    """

    cohorts: int
    ages: int

    def counts(self, cohort: Codes, age: Codes, weight: Codes | None = None) -> Codes:
        """Return the table of how many rows, or of what weight, are of a cohort and an age."""
        width = self.ages + 1  # what is gone at the last age is so at one more
        found = np.bincount(cohort * width + age, weight, self.cohorts * width)
        return found.astype(np.int64).reshape(self.cohorts, width)[:, : self.ages]


def _rates(cells: pl.DataFrame) -> pl.DataFrame:
    """Return counts also as shares of those who can be seen."""
    below = pl.col("observed")
    return cells.with_columns(
        ratio(pl.col("customers"), below).alias("retention"),
        ratio(pl.col("on_or_after"), below).alias("on_or_after"),
        ratio(pl.col("again"), below).alias("repurchased"),
        ratio(pl.col("orders"), below).alias("orders_per_customer"),
    )


def _joined(cells: pl.DataFrame, found: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    return cells.join(found, on=[*keys, AGE], how="left", nulls_equal=True)


def _with_amounts(
    cells: pl.DataFrame, rows: pl.DataFrame, name: str, keys: Sequence[str]
) -> pl.DataFrame:
    """Add the sum of amounts, null where one of them is not known."""
    amount = pl.col(AMOUNT)
    total = pl.when(~amount.is_null().any()).then(amount.sum()).alias(name)
    added = (
        rows.filter(pl.col(AGE) <= pl.col(SEEN))
        .group_by(*keys, AGE)
        .agg(total, pl.lit(value=True).alias("#is there"))
    )
    cells = _joined(cells, added, keys)
    found = pl.when(pl.col("#is there").is_null()).then(0.0).otherwise(pl.col(name)).alias(name)
    per = ratio(pl.col(name), pl.col("observed")).alias(f"{name}_per_customer")
    return cells.with_columns(found).with_columns(per).drop("#is there")


def _rule(reader: Reader, periods: Periods, every: str) -> str:
    """Return the sentence that states what is counted."""
    return (
        f"A cohort is the customers whose first counted order lies in one period of {every} in "
        f"{reader.calendar.time_zone}. {RULES[periods].format(every=every)}."
    )

"""The works of the benchmark as a Polars expert writes them by hand.

Each fact is folded alone, with the streaming engine where the tables are files; the small
results are aligned and divided afterwards. Of forms that give the same answer the fastest that
was found stands here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path
from typing import TypeVar

import polars as pl
from questions import (
    EVERY,
    FUNNEL,
    NOT_COUNTED,
    OF_CUSTOMERS,
    OF_SESSIONS,
    OF_VISITORS,
    TEN,
    ZONE,
    in_utc,
    small_frames,
)

BY_GROUP = ("channel", "device")

IS_ENGAGED = (pl.col("engaged_s") > 10) | pl.col("has_key_event") | (pl.col("page_views") >= 2)
IS_ONLINE = (pl.col("sales_channel") == "online") | pl.col("session_id").is_not_null()
VALUE = pl.col("gross_amount") - pl.col("discount_amount")
VISITS = (pl.len().alias("visits"), IS_ENGAGED.sum().alias("engaged"))
VISITORS = pl.col("visitor_id").n_unique().alias("visitors")
SALES = (
    pl.len().alias("orders"),
    IS_ONLINE.sum().alias("online_orders"),
    VALUE.sum().alias("value"),
    VALUE.filter(IS_ONLINE).sum().alias("online_value"),
)
GROSS = pl.col("gross_amount").sum().alias("gross")
DISCOUNTS = pl.col("discount_amount").sum().alias("discounts")

Tables = Mapping[str, pl.LazyFrame]
Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


def over(numerator: str, denominator: str) -> pl.Expr:
    return pl.col(numerator) / pl.when(pl.col(denominator) > 0).then(denominator)


def counted(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int64)


RATES = {
    "sessions": counted("visits"),
    "unique_visitors": counted("visitors"),
    "engaged_sessions": counted("engaged"),
    "engagement_rate": over("engaged", "visits"),
    "bounce_rate": 1 - over("engaged", "visits"),
    "session_conversion_rate": over("converted", "visits"),
    "add_to_cart_rate": over("with_cart", "visits"),
    "orders_per_session": over("online_orders", "visits"),
    "orders": counted("orders"),
    "gross_sales": pl.col("gross"),
    "discounts": pl.col("discounts"),
    "average_order_value": over("value", "orders"),
    "revenue_per_visitor": over("online_value", "visitors"),
    "revenue_per_session": over("online_value", "visits"),
    "customers": counted("customers"),
    "new_customers": counted("new"),
    "purchase_frequency": over("identified", "customers"),
    "repeat_purchase_rate": over("repeating", "buyers"),
    "customer_retention_rate": over("retained", "before"),
    "customer_churn_rate": 1 - over("retained", "before"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """How the answer is grouped."""

    by: tuple[str, ...] = BY_GROUP
    every: str = "1w"
    zone: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        return ("period", *self.by)

    def period(self, clock: str) -> pl.Expr:
        """Give the period of an instant; the zone's clock is read once, before truncating."""
        time = pl.col(clock)
        if self.zone:
            time = time.dt.convert_time_zone(self.zone).dt.replace_time_zone(None)
        return time.dt.truncate(self.every).alias("period")


def work(name: str, folder: Path) -> Callable[[], pl.DataFrame]:
    """Give a work; files are opened anew in every run."""
    files = {table: str(folder / f"{table}.parquet") for table in ("sessions", "orders")}
    match name:
        case "A":
            return lambda: of_sessions(scanned(files), Question(), OF_SESSIONS)
        case "B":
            return lambda: of_sessions(scanned(files), Question(), OF_VISITORS)
        case "C":
            return lambda: of_sessions(in_utc(files), Question(zone=ZONE), OF_SESSIONS)
        case "D":
            return lambda: every_metric(scanned(files), Question())
        case "E":
            return partial(ten_metrics, small_frames(), Question(by=("channel",), every="1mo"))
        case "H":
            return lambda: of_customers(pl.scan_parquet(folder / "customer_orders.parquet"))
        case "I":
            return lambda: of_funnel(scanned(files), Question(by=("channel",)))
        case "V":
            return lambda: standard_errors(scanned(files))
        case _:
            raise KeyError(name)


def scanned(files: dict[str, str]) -> Tables:
    return {name: pl.scan_parquet(path) for name, path in files.items()}


def of_sessions(tables: Tables, question: Question, metrics: Sequence[str]) -> pl.DataFrame:
    folds = [*VISITS, VISITORS] if "unique_visitors" in metrics else [*VISITS]
    orders = counted_orders(tables["orders"]).collect(engine="streaming")
    sales = placed(orders, tables["sessions"], question).group_by(question.keys).agg(SALES)
    visits = visits_of(tables["sessions"], question, folds)
    folded = pl.collect_all([visits, sales], engine="streaming")
    return divided(aligned(folded, question), question, metrics)


def ten_metrics(frames: Mapping[str, pl.DataFrame], question: Question) -> pl.DataFrame:
    """Fold eagerly: frames so small are folded before a lazy query is even optimised."""
    visits = visits_of(frames["sessions"], question, [*VISITS, VISITORS])
    placed_in = frames["sessions"].select("session_id", *question.by)
    orders = counted_orders(frames["orders"]).join(placed_in, on="session_id", how="left")
    keys = (question.period("ordered_at"), *question.by)
    sales = orders.group_by(keys).agg(*SALES, GROSS)
    return divided(aligned([visits, sales], question), question, TEN)


def of_funnel(tables: Tables, question: Question) -> pl.DataFrame:
    orders = counted_orders(tables["orders"]).select("session_id").collect(engine="streaming")
    with_cart = pl.col("has_add_to_cart").sum().alias("with_cart")
    folds = [pl.len().alias("visits"), with_cart, converted(orders)]
    folded = visits_of(tables["sessions"], question, folds).collect(engine="streaming")
    return divided(folded, question, FUNNEL)


def standard_errors(tables: Tables) -> pl.DataFrame:
    """Fold visits to visitors, and these to the moments of each rate: the delta method."""
    orders = counted_orders(tables["orders"]).select("session_id").collect(engine="streaming")
    with_cart = pl.col("has_add_to_cart").sum().alias("with_cart")
    visits = tables["sessions"].filter(~pl.col("is_bot"))
    folds = (pl.len().alias("visits"), with_cart, converted(orders))
    units = visits.group_by("channel", "visitor_id").agg(folds).collect(engine="streaming")
    named = zip(FUNNEL, ("converted", "with_cart"), strict=True)
    found = (
        of_units(units, above).insert_column(0, pl.lit(m).alias("metric")) for m, above in named
    )
    return pl.concat(found).sort("metric", "channel")


def of_units(units: pl.DataFrame, above: str) -> pl.DataFrame:
    rate = pl.col(above).sum() / pl.col("visits").sum()
    spread = (pl.col(above) - rate * pl.col("visits")).pow(2).sum()
    se = (spread * pl.len() / (pl.len() - 1)).sqrt() / pl.col("visits").sum()
    return units.group_by("channel").agg(rate.alias("value"), se.alias("se"))


def visits_of(sessions: Frame, question: Question, folds: Sequence[pl.Expr]) -> Frame:
    visits = sessions.filter(~pl.col("is_bot"))
    return visits.group_by(question.period("started_at"), *question.by).agg(folds)


def counted_orders(orders: Frame) -> Frame:
    return orders.filter(~pl.col("status").is_in(NOT_COUNTED))


def is_pointed_to(orders: pl.DataFrame) -> pl.Expr:
    """Say whether orders point to a session: faster than a semi-join, as they are few."""
    return pl.col("session_id").is_in(orders["session_id"].drop_nulls().unique().implode())


def converted(orders: pl.DataFrame) -> pl.Expr:
    return is_pointed_to(orders).sum().alias("converted")


def placed(orders: pl.DataFrame, sessions: pl.LazyFrame, question: Question) -> pl.LazyFrame:
    """Give orders with their period and the keys of the session that each was placed in.

    Only the sessions that orders point to are read: the join would hash all of them.
    """
    placed_in = sessions.filter(is_pointed_to(orders)).select("session_id", *question.by)
    located = orders.lazy().join(placed_in, on="session_id", how="left")
    return located.with_columns(question.period("ordered_at"))


def aligned(folded: Sequence[pl.DataFrame], question: Question) -> pl.DataFrame:
    """Bring small results to the same groups; a group that one lacks is 0 there."""
    joined = reduce(
        lambda one, two: one.join(
            two, on=question.keys, how="full", coalesce=True, nulls_equal=True
        ),
        folded,
    )
    return joined.with_columns(pl.exclude(question.keys).fill_null(0))


def divided(rows: pl.DataFrame, question: Question, metrics: Sequence[str]) -> pl.DataFrame:
    return rows.select(
        pl.col("period").cast(pl.Date),
        *question.by,
        *(RATES[name].alias(name) for name in metrics),
    ).sort(question.keys, nulls_last=True)


def every_metric(tables: Tables, question: Question) -> pl.DataFrame:
    """Read each table once per grain; what looks at customers is folded from the few orders."""
    counted = counted_orders(tables["orders"]).collect(engine="streaming")
    folds = [*VISITS, VISITORS, converted(counted)]
    queries = [
        visits_of(tables["sessions"], question, folds),
        placed(counted, tables["sessions"], question),
    ]
    visits, orders = pl.collect_all(queries, engine="streaming")
    known = orders.lazy().filter(pl.col("customer_id").is_not_null())
    first = known.sort("ordered_at", "order_id").unique("customer_id", keep="first")
    sums = (
        *SALES,
        GROSS,
        DISCOUNTS,
        pl.col("customer_id").drop_nulls().n_unique().alias("customers"),
        pl.col("customer_id").count().alias("identified"),
    )
    keys = question.keys
    sales, new, retained, steps = pl.collect_all(
        [
            orders.lazy().group_by(keys).agg(sums),
            first.group_by(keys).agg(pl.len().alias("new")),
            retained_of(known.select(*keys, "customer_id").unique(), question),
            buyers_of(known, question),
        ]
    )
    before = sales.select(later(question), *question.by, pl.col("customers").alias("before"))
    periods = pl.concat([visits["period"], sales["period"]])
    so_far = to_date(steps, periods, question)
    rows = aligned([visits, sales, new, retained, before, so_far], question)
    inside = rows.filter(pl.col("period") <= periods.max())
    return divided(inside, question, EVERY)


def later(question: Question) -> pl.Expr:
    return pl.col("period").dt.offset_by(question.every)


def retained_of(active: pl.LazyFrame, question: Question) -> pl.LazyFrame:
    """Count the customers of each group who were in it the period before as well."""
    before = active.with_columns(later(question))
    both = active.join(before, on=[*question.keys, "customer_id"], how="semi", nulls_equal=True)
    return both.group_by(question.keys).agg(pl.len().alias("retained"))


def buyers_of(known: pl.LazyFrame, question: Question) -> pl.LazyFrame:
    """Count first and second orders: whose numbers are 1 and 2 among their customer's in a group.

    Sorting by time alone and counting per customer is faster than sorting by customer and time.
    """
    number = pl.col("customer_id").cum_count().over(*question.by, "customer_id")
    numbered = known.sort("ordered_at").select(*question.keys, number.alias("number"))
    return numbered.group_by(question.keys).agg(
        (pl.col("number") == 1).sum().alias("buyers"),
        (pl.col("number") == 2).sum().alias("repeating"),
    )


def to_date(steps: pl.DataFrame, periods: pl.Series, question: Question) -> pl.DataFrame:
    """Add up what each period adds, in every period from a group's first to the last."""
    every = pl.select(
        pl.datetime_range(periods.min(), periods.max(), question.every).alias("period")
    )
    grid = every.join(steps.select(question.by).unique(), how="cross")
    filled = grid.join(steps, on=question.keys, how="left", nulls_equal=True).sort("period")
    totals = pl.col("buyers", "repeating").fill_null(0).cum_sum().over(question.by)
    return filled.with_columns(totals).filter(pl.col("buyers") > 0)


def of_customers(orders: pl.LazyFrame) -> pl.DataFrame:
    """Number the orders for who is new and who repeats; pair customer-months for who stays."""
    question = Question(by=(), every="1mo")
    known = counted_orders(orders).filter(pl.col("customer_id").is_not_null())
    month = question.period("ordered_at").cast(pl.Date)
    active = known.select("customer_id", month).unique().collect(engine="streaming").lazy()
    queries = [
        active.group_by("period").agg(pl.len().alias("customers")),
        retained_of(active, question),
        buyers_of(known.select("customer_id", "ordered_at", month), question),
    ]
    customers, retained, numbered = pl.collect_all(queries, engine="streaming")
    before = customers.select(later(question), pl.col("customers").alias("before"))
    rows = aligned([customers, retained, numbered, before], question).sort("period")
    inside = rows.filter(pl.col("period") <= customers["period"].max())
    so_far = inside.with_columns(
        pl.col("buyers").alias("new"), pl.col("buyers", "repeating").cum_sum()
    )
    return divided(so_far, question, OF_CUSTOMERS)

"""How one worked example is put to the library and to the plain-Python oracle of its words."""

import datetime as dt
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

import funnelkit as fk
from oracle.words import ORACLES, Period, Row, Tables, ratio, sessions
from oracle.words_carts import CART_ORACLES
from oracle.words_customers import (
    CUSTOMER_ORACLES,
    lifetime_value_over,
    repeat_order_probability,
    repeat_purchase_rate_nd,
)
from oracle.words_email import EMAIL_ORACLES, email_conversion_rate
from oracle.words_fulfilment import FULFILMENT_ORACLES
from oracle.words_funnel import FUNNEL_ORACLES, goal_conversion_rate
from oracle.words_inventory import INVENTORY_ORACLES
from oracle.words_profit import PROFIT_ORACLES, paid_cac
from oracle.words_replenishment import REPLENISHMENT_ORACLES
from oracle.words_sales import (
    SALES_ORACLES,
    attach_rate_of_products,
    cross_sell_rate_of_product,
    return_rate,
)
from oracle.words_traffic import TRAFFIC_ORACLES, engaged_sessions, traffic_source_share

Oracle = Callable[[Tables, Period], Any]

DAY = dt.datetime(2024, 3, 5, 10)
HOUR, ONE_DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
DAY_S = 86_400
MARCH = Period(dt.datetime(2024, 3, 1), dt.datetime(2024, 4, 1))


@dataclass(frozen=True, slots=True)
class Example:
    """Small tables, what is asked of them, and the value that each KPI must have.

    Attributes:
        source: Its id in the catalogue of definitions, where it was published (W, N for a number
            published wrong, R for rows) or warned of (M); empty for a case made here.
        says: What it shows.
        tables: The rows; a table that is not among them is empty.
        expected: The values by KPI: one, or by the key that the KPI is asked by.
        period: What is asked about.
    """

    source: str
    says: str
    tables: Tables
    expected: Mapping[str, Any]
    period: Period = MARCH

    def __str__(self) -> str:
        return f"{self.source} {self.says}".strip()


# --- The two roads -------------------------------------------------------------------------------

PARAMETRISED: list[tuple[fk.Metric, Oracle]] = [
    (
        fk.catalog.goal_conversion_rate(event="sign_up"),
        partial(goal_conversion_rate, goals=("sign_up",)),
    ),
    (
        fk.catalog.engagement_rate(seconds=30),
        lambda t, p: ratio(engaged_sessions(t, p, min_seconds=30), sessions(t, p)),
    ),
    (
        fk.catalog.email_conversion_rate(days=6),
        partial(email_conversion_rate, window=6 * ONE_DAY),
    ),
    (
        fk.catalog.attach_rate(primary=["p1"], attached=["p2"]),
        attach_rate_of_products,
    ),
    (fk.catalog.cross_sell_rate(products=["p1"]), cross_sell_rate_of_product),
    (
        fk.catalog.cross_sell_rate(products=["p2"]),
        partial(cross_sell_rate_of_product, products={"p2"}),
    ),
    (fk.catalog.return_rate(days=1), partial(return_rate, window=ONE_DAY)),
    (
        fk.catalog.customer_lifetime_value(lifespan_years=2.5, basis="revenue"),
        partial(lifetime_value_over, years=2.5, basis="revenue"),
    ),
    (
        fk.catalog.customer_lifetime_value(lifespan_years=3),
        partial(lifetime_value_over, years=3),
    ),
    (
        fk.catalog.repeat_purchase_rate(days=10),
        partial(repeat_purchase_rate_nd, window_days=10),
    ),
    (
        fk.catalog.repeat_purchase_rate(days=7),
        partial(repeat_purchase_rate_nd, window_days=7),
    ),
    (fk.catalog.repeat_order_probability(orders=2), partial(repeat_order_probability, n=2)),
    (
        fk.catalog.paid_cac(channels=["email", "Paid Search"]),
        partial(paid_cac, paid_channels={"email", "Paid Search"}),
    ),
]
METRICS = {**fk.registry(), **{metric.name: metric for metric, _ in PARAMETRISED}}

IN_DAYS = (
    "days_between_orders",
    "days_between_orders.mean",
    "fulfilment_time",
    "fulfilment_time.complete",
    "delivery_time",
    "order_cycle_time",
)
"""KPIs that the words give in days, and the library in seconds."""


def of_channels(tables: Tables, period: Period) -> dict[Any, Any]:
    channels = {row.get("channel") for row in tables["sessions"]}
    return {one: traffic_source_share(tables, period, channels={one}) for one in channels}


OF_WORDS: dict[str, Oracle] = {
    **ORACLES,
    **TRAFFIC_ORACLES,
    **EMAIL_ORACLES,
    **FUNNEL_ORACLES,
    **CART_ORACLES,
    **SALES_ORACLES,
    **PROFIT_ORACLES,
    **CUSTOMER_ORACLES,
    **INVENTORY_ORACLES,
    **FULFILMENT_ORACLES,
    **REPLENISHMENT_ORACLES,
    **{metric.name: oracle for metric, oracle in PARAMETRISED},
    "traffic_source_share": of_channels,
}
BY = {
    **dict.fromkeys(REPLENISHMENT_ORACLES, "product_id"),
    "traffic_source_share": "channel",
}
"""The key by which a KPI is asked that is of each value of it."""


def of_words(name: str, example: Example) -> Any:
    """Give what the oracle makes of an example: a value, or values by key."""
    found = OF_WORDS[name](example.tables, example.period)
    return found * DAY_S if name in IN_DAYS and found is not None else found


def of_library(name: str, example: Example) -> Any:
    """Give what the library makes of an example: a value, or values by key."""
    metric = METRICS[name].resolved(fk.registry())
    span = {"start": example.period.start, "end": example.period.end}
    if metric.compares_periods:
        frame = answer(metric, example, every="1mo", **span)
        return frame.filter(period=example.period.start.date())[name].item()
    if name in BY:
        return dict(answer(metric, example, by=BY[name], **span).iter_rows())
    return answer(metric, example, **span).item()


def answer(metric: fk.Metric, example: Example, **question: Any) -> pl.DataFrame:
    """Ask a shop that may be younger than the range asked for."""
    frames = {
        name: pl.DataFrame(filled(rows), infer_schema_length=None)
        for name, rows in example.tables.items()
        if rows
    }
    shop = fk.Shop.bind(frames, assume_empty=[n for n in metric.inputs if n not in frames])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fk.TruncatedHistoryWarning)
        return fk.evaluate(shop, metric, **question).frame


def filled(rows: list[Row]) -> list[Row]:
    """Give rows that all have the columns which any of them has."""
    columns = dict.fromkeys(column for row in rows for column in row)
    return [{**columns, **row} for row in rows]


# --- Rows ----------------------------------------------------------------------------------------


def many(count: int, **columns: Any) -> list[Row]:
    """Give so many rows; what is called is called with the number, from 1."""
    return [
        {name: value(number) if callable(value) else value for name, value in columns.items()}
        for number in range(1, count + 1)
    ]


def same(number: int) -> int:
    return number


def visits(count: int, **columns: Any) -> list[Row]:
    """Give visits, each of a visitor of its own."""
    return many(count, session_id=same, visitor_id=same, started_at=DAY, **columns)


def event(name: str, session: Any = 1, **columns: Any) -> Row:
    """Give an event of a visit, by the visitor of the same number."""
    plain = {"event_name": name, "occurred_at": DAY, "session_id": session, "visitor_id": session}
    return {**plain, **columns}


def later(at: dt.datetime = DAY + 60 * ONE_DAY) -> list[Row]:
    """Give a visit long after, so that all that happened has had its time."""
    return [{"started_at": at}]


def order(number: Any = 1, at: dt.datetime = DAY, gross: float | None = 10.0, **more: Any) -> Row:
    """Give a paid order of a customer of its own."""
    plain = {
        "order_id": number,
        "ordered_at": at,
        "status": "paid",
        "customer_id": number,
        "gross_amount": gross,
        "discount_amount": 0.0,
    }
    return {**plain, **more}


def orders(*placed: tuple[dt.datetime, Any], gross: float = 0.0, **more: Any) -> list[Row]:
    """Give paid orders by their times and customers."""
    return [
        order(number, at, gross, customer_id=who, **more)
        for number, (at, who) in enumerate(placed, start=1)
    ]


def line(number: Any, product: Any = "p1", quantity: int | None = 1, **columns: Any) -> Row:
    """Give a line of an order."""
    plain = {"order_id": number, "product_id": product, "quantity": quantity, "unit_price": 10.0}
    return {**plain, **columns}


def returned(number: Any, quantity: int = 1, amount: float = 10.0, **columns: Any) -> Row:
    """Give a return of an order."""
    plain = {
        "order_id": number,
        "returned_at": DAY + ONE_DAY,
        "kind": "return",
        "quantity": quantity,
        "refund_amount": amount,
    }
    return {**plain, **columns}


def ad(**columns: Any) -> Row:
    """Give what a platform says of a campaign on a day."""
    return {"date": DAY.date(), "platform": "meta", **columns}


def fee(amount: float, first: dt.datetime, last: dt.datetime, **more: Any) -> Row:
    """Give a cost of marketing that falls on days."""
    return {"period_start": first.date(), "period_end": last.date(), "amount": amount, **more}


def send(number: Any, **columns: Any) -> Row:
    """Give a message to a recipient of its own."""
    plain = {"message_id": "m", "recipient_id": number, "sent_at": DAY, "bounce_type": None}
    return {**plain, **columns}


def stock(units: int | None, at: dt.datetime = DAY, product: str = "p1", **more: Any) -> Row:
    """Give what a place had of a product on a day, each unit worth 1."""
    plain = {
        "snapshot_date": at.date(),
        "product_id": product,
        "location_id": "north",
        "on_hand_units": units,
        "unit_cost": 1.0,
    }
    return {**plain, **more}


def parcel(number: int, order_id: Any = 1, **more: Any) -> Row:
    return {"shipment_id": number, "order_id": order_id, "shipped_at": DAY, **more}


def answers(kind: str, *scores: int | None, **columns: Any) -> list[Row]:
    """Give answers to a survey, each of a customer of its own."""
    return [
        {
            "response_id": number,
            "survey_type": kind,
            "responded_at": DAY,
            "customer_id": number,
            "score": score,
            **columns,
        }
        for number, score in enumerate(scores)
    ]


def day(month: int, number: int, hour: int = 0, minute: int = 0) -> dt.datetime:
    return dt.datetime(2024, month, number, hour, minute)

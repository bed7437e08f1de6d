"""Plain-Python second opinion on the KPIs of funnelkit, written from their definitions in words.

Nothing here is meant to be fast. Every KPI is a function of the tables and one period; tables are
lists of dictionaries holding the whole history. A key absent from all rows is a missing column,
None (or NaN) is a null.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]
Number = float | int
Value = float | int | None

NOT_COUNTED_STATUSES = {"cancelled", "voided", "draft", "test", "deleted"}
CART_GRACE = timedelta(hours=24)


@dataclass(frozen=True)
class Period:
    """A half-open stretch of time [start, end), with the one it is compared to, if any."""

    start: datetime
    end: datetime
    previous: "Period | None" = None


@dataclass
class Order:
    """One order with everything that is derived about it."""

    order_id: Any
    ordered_at: datetime | None
    is_counted: bool
    customer_key: Any
    gross: Value
    discount: Value
    is_online: bool
    session_id: Any
    cart_id: Any
    lines: list[Row]
    order_number: int | None = None


@dataclass
class Session:
    """One session by a human with everything that is derived about it."""

    session_id: Any
    visitor_id: Any
    has_purchase: bool
    is_engaged: bool


# --- nulls, columns, arithmetic ------------------------------------------------------------------


def clean(value: Any) -> Any:
    """Give the value back, with NaN turned into a null."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def table(tables: Tables, name: str) -> list[Row]:
    """Copy the rows of a table with NaN read as null; an absent table has no rows."""
    return [{key: clean(value) for key, value in row.items()} for row in tables.get(name) or []]


def has_column(rows: list[Row], name: str) -> bool:
    """Tell whether at least one row carries the column."""
    return any(name in row for row in rows)


def is_true(value: Any) -> bool:
    """Tell whether a condition is known to hold; a null one is not."""
    return value is not None and bool(value)


def total(values: Iterable[Value]) -> Number:
    """Add up the values that are not null; 0 when there are none."""
    result: Number = 0
    for value in values:
        if value is not None:
            result += value
    return result


def strict_total(values: Iterable[Value]) -> Value:
    """Add up the values, but give None as soon as one of them is null."""
    result: Number = 0
    for value in values:
        if value is None:
            return None
        result += value
    return result


def times(left: Value, right: Value) -> Value:
    """Multiply; None if either side is None."""
    return None if left is None or right is None else left * right


def minus(left: Value, right: Value) -> Value:
    """Subtract; None if either side is None."""
    return None if left is None or right is None else left - right


def ratio(numerator: Value, denominator: Value) -> float | None:
    """Divide; None if either side is None or the denominator is 0."""
    if numerator is None or denominator is None or denominator == 0:
        return None
    return numerator / denominator


def inside(moment: datetime | None, period: Period) -> bool:
    """Tell whether the moment lies in [start, end); a null moment lies nowhere."""
    return moment is not None and period.start <= moment < period.end


def before_end(moment: datetime | None, period: Period) -> bool:
    """Tell whether the moment lies in the history up to (not including) the period's end."""
    return moment is not None and moment < period.end


def midnight(day: date | None) -> datetime | None:
    """Turn a calendar day into the moment it begins."""
    return None if day is None else datetime(day.year, day.month, day.day)


# --- orders and their lines ----------------------------------------------------------------------


def is_product_line(line: Row) -> bool:
    """Tell whether the line sells a product; a line without a type does."""
    return line.get("line_type") in (None, "product")


def lines_by_order(tables: Tables) -> dict[Any, list[Row]]:
    """Group the order lines under the id of their order; lines without an order id are dropped."""
    groups: dict[Any, list[Row]] = {}
    for line in table(tables, "order_lines"):
        if line.get("order_id") is not None:
            groups.setdefault(line["order_id"], []).append(line)
    return groups


def counts_by_default_policy(order: Row, lines: list[Row]) -> bool:
    """Apply the default policy: a live status, and not purely a gift card purchase."""
    status = order.get("status")
    if status is None or status in NOT_COUNTED_STATUSES:
        return False
    only_gift_cards = len(lines) > 0 and all(line.get("line_type") == "gift_card" for line in lines)
    return not only_gift_cards


def all_orders(tables: Tables) -> list[Order]:
    """Read every order of the history and work out its derived columns, unless supplied."""
    rows = table(tables, "orders")
    lines_of = lines_by_order(tables)
    supplied = {
        name: has_column(rows, name)
        for name in (
            "is_counted",
            "customer_key",
            "gross_amount",
            "discount_amount",
            "is_online",
            "order_number",
        )
    }
    orders: list[Order] = []
    for row in rows:
        lines = lines_of.get(row.get("order_id"), [])
        products = [line for line in lines if is_product_line(line)]

        if supplied["is_counted"]:
            is_counted = is_true(row.get("is_counted"))
        else:
            is_counted = counts_by_default_policy(row, lines)

        if supplied["customer_key"]:
            customer_key = row.get("customer_key")
        elif row.get("customer_id") is not None:
            customer_key = row["customer_id"]
        else:
            customer_key = row.get("email_hash")

        if supplied["gross_amount"]:
            gross = row.get("gross_amount")
        else:
            gross = total(times(line.get("quantity"), line.get("unit_price")) for line in products)

        if supplied["discount_amount"]:
            discount = row.get("discount_amount")
        else:
            discount = total(line.get("discount_amount") for line in products)

        if supplied["is_online"]:
            is_online = is_true(row.get("is_online"))
        else:
            is_online = row.get("sales_channel") == "online" or row.get("session_id") is not None

        orders.append(
            Order(
                order_id=row.get("order_id"),
                ordered_at=row.get("ordered_at"),
                is_counted=is_counted,
                customer_key=customer_key,
                gross=gross,
                discount=discount,
                is_online=is_online,
                session_id=row.get("session_id"),
                cart_id=row.get("cart_id"),
                lines=lines,
                order_number=row.get("order_number"),
            )
        )
    if not supplied["order_number"]:
        number_orders(orders)
    return orders


def number_orders(orders: list[Order]) -> None:
    """Number each customer's counted orders 1, 2, 3… by time, then id.

    Guests' orders, uncounted orders and orders of unknown time get no number.
    """
    by_customer: dict[Any, list[Order]] = {}
    for order in orders:
        if order.is_counted and order.customer_key is not None and order.ordered_at is not None:
            by_customer.setdefault(order.customer_key, []).append(order)
    for own in by_customer.values():
        own.sort(key=lambda order: (order.ordered_at, order.order_id))
        for number, order in enumerate(own, start=1):
            order.order_number = number


def counted_orders(tables: Tables, period: Period) -> list[Order]:
    """Pick the counted orders placed in the period."""
    return [o for o in all_orders(tables) if o.is_counted and inside(o.ordered_at, period)]


def counted_orders_to_date(tables: Tables, period: Period) -> list[Order]:
    """Pick the counted orders of the whole history before the period's end."""
    return [o for o in all_orders(tables) if o.is_counted and before_end(o.ordered_at, period)]


def identified(orders_: list[Order]) -> list[Order]:
    """Keep the orders whose customer is known."""
    return [order for order in orders_ if order.customer_key is not None]


def customer_keys(orders_: list[Order]) -> set[Any]:
    """Collect the known customers behind the orders."""
    return {order.customer_key for order in identified(orders_)}


def revenue_before_returns(orders_: list[Order]) -> Number:
    """Gross amounts less discounts, each summed on its own."""
    return total(o.gross for o in orders_) - total(o.discount for o in orders_)


def cost_of_lines(orders_: list[Order]) -> Value:
    """Cost of all product lines of the orders; None if the cost of one is unknown."""
    return strict_total(
        times(line.get("quantity"), line.get("unit_cost"))
        for order in orders_
        for line in order.lines
        if is_product_line(line)
    )


# --- returns -------------------------------------------------------------------------------------


def counted_returns(tables: Tables) -> list[Row]:
    """Pick, from the whole history, real returns of goods that are not of an uncounted order."""
    goods = {
        line["order_line_id"]: is_product_line(line)
        for line in table(tables, "order_lines")
        if line.get("order_line_id") is not None
    }
    counted_by_id = {o.order_id: o.is_counted for o in all_orders(tables) if o.order_id is not None}
    kept: list[Row] = []
    for row in table(tables, "returns"):
        if row.get("kind") == "cancellation" or not goods.get(row.get("order_line_id"), True):
            continue
        if counted_by_id.get(row.get("order_id"), True):
            kept.append(row)
    return kept


def goods_returned(returns: list[Row]) -> list[Row]:
    """Keep the returns with which goods came back, and not the money alone."""
    return [row for row in returns if row.get("kind") != "refund_only"]


def counted_returns_in(tables: Tables, period: Period) -> list[Row]:
    """Pick the counted returns that came in during the period."""
    return [row for row in counted_returns(tables) if inside(row.get("returned_at"), period)]


def of_identified_orders(tables: Tables, returns: list[Row]) -> list[Row]:
    """Keep the returns whose order is a known, counted order with a known customer."""
    known = {
        order.order_id
        for order in identified(all_orders(tables))
        if order.is_counted and order.order_id is not None
    }
    return [row for row in returns if row.get("order_id") in known]


def cost_of_restocked(tables: Tables, returns: list[Row]) -> Value:
    """Cost of the goods put back on the shelf; None if the cost of one is unknown."""
    unit_cost_of = {
        line["order_line_id"]: line.get("unit_cost")
        for line in table(tables, "order_lines")
        if line.get("order_line_id") is not None
    }
    return strict_total(
        times(row.get("quantity"), unit_cost_of.get(row.get("order_line_id")))
        for row in returns
        if is_true(row.get("is_restocked"))
    )


# --- sessions ------------------------------------------------------------------------------------


def human_sessions(tables: Tables, period: Period) -> list[Session]:
    """Pick the non-bot sessions begun in the period, with their derived columns."""
    rows = table(tables, "sessions")
    purchase_supplied = has_column(rows, "has_purchase")
    key_event_supplied = has_column(rows, "has_key_event")
    engaged_supplied = has_column(rows, "is_engaged")
    buying_sessions = {
        order.session_id
        for order in all_orders(tables)
        if order.is_counted and order.session_id is not None
    }
    result: list[Session] = []
    for row in rows:
        if is_true(row.get("is_bot")) or not inside(row.get("started_at"), period):
            continue

        if purchase_supplied:
            has_purchase = is_true(row.get("has_purchase"))
        else:
            has_purchase = row.get("session_id") in buying_sessions

        if key_event_supplied:
            has_key_event = is_true(row.get("has_key_event"))
        else:
            has_key_event = has_purchase

        if engaged_supplied:
            is_engaged = is_true(row.get("is_engaged"))
        else:
            # An "or" is known to be true exactly when one of its sides is known to be true.
            seconds, views = row.get("engaged_s"), row.get("page_views")
            stayed = seconds is not None and seconds > 10
            browsed = views is not None and views >= 2
            is_engaged = stayed or has_key_event or browsed

        result.append(
            Session(
                session_id=row.get("session_id"),
                visitor_id=row.get("visitor_id"),
                has_purchase=has_purchase,
                is_engaged=is_engaged,
            )
        )
    return result


def distinct_sessions(sessions_: Iterable[Session]) -> int:
    """Count the different session ids, not counting a null one."""
    return len({s.session_id for s in sessions_ if s.session_id is not None})


# --- KPIs: traffic -------------------------------------------------------------------------------


def sessions(tables: Tables, period: Period) -> int:
    """Number of visits by humans that began in the period."""
    return distinct_sessions(human_sessions(tables, period))


def unique_visitors(tables: Tables, period: Period) -> int:
    """Number of different known visitors behind the human visits."""
    visitors = {s.visitor_id for s in human_sessions(tables, period)}
    return len(visitors - {None})


def engagement_rate(tables: Tables, period: Period) -> float | None:
    """Share of human visits that were engaged."""
    engaged = [s for s in human_sessions(tables, period) if s.is_engaged]
    return ratio(distinct_sessions(engaged), sessions(tables, period))


def bounce_rate(tables: Tables, period: Period) -> float | None:
    """Share of human visits that were not engaged."""
    return minus(1, engagement_rate(tables, period))


def session_conversion_rate(tables: Tables, period: Period) -> float | None:
    """Share of human visits with a purchase."""
    buying = [s for s in human_sessions(tables, period) if s.has_purchase]
    return ratio(distinct_sessions(buying), sessions(tables, period))


def orders_per_session(tables: Tables, period: Period) -> float | None:
    """Counted online orders per human visit."""
    online = [o for o in counted_orders(tables, period) if o.is_online]
    return ratio(len(online), sessions(tables, period))


# --- KPIs: sales ---------------------------------------------------------------------------------


def orders(tables: Tables, period: Period) -> int:
    """Number of counted orders placed in the period."""
    return len(counted_orders(tables, period))


def units_sold(tables: Tables, period: Period) -> Number:
    """Pieces on the product lines of the counted orders."""
    return total(
        line.get("quantity")
        for order in counted_orders(tables, period)
        for line in order.lines
        if is_product_line(line)
    )


def gross_sales(tables: Tables, period: Period) -> Number:
    """Gross amounts of the counted orders, added up."""
    return total(order.gross for order in counted_orders(tables, period))


def discounts(tables: Tables, period: Period) -> Number:
    """Discounts granted on the counted orders, added up."""
    return total(order.discount for order in counted_orders(tables, period))


def returns_value(tables: Tables, period: Period) -> Number:
    """Money refunded for the counted returns that came in during the period."""
    return total(row.get("refund_amount") for row in counted_returns_in(tables, period))


def net_sales(tables: Tables, period: Period) -> Number:
    """Gross sales less discounts and less returns."""
    return gross_sales(tables, period) - discounts(tables, period) - returns_value(tables, period)


def cost_of_goods_sold(tables: Tables, period: Period) -> Value:
    """Cost of what was sold less cost of what was restocked; None if any cost is unknown."""
    return minus(
        cost_of_lines(counted_orders(tables, period)),
        cost_of_restocked(tables, counted_returns_in(tables, period)),
    )


def gross_profit(tables: Tables, period: Period) -> Value:
    """Net sales less the cost of the goods."""
    return minus(net_sales(tables, period), cost_of_goods_sold(tables, period))


def gross_margin(tables: Tables, period: Period) -> float | None:
    """Gross profit as a share of net sales, which must be above zero."""
    net = net_sales(tables, period)
    if net <= 0:
        return None
    return ratio(gross_profit(tables, period), net)


def average_order_value(tables: Tables, period: Period) -> float | None:
    """Sales after discounts per counted order."""
    value = gross_sales(tables, period) - discounts(tables, period)
    return ratio(value, orders(tables, period))


def units_per_transaction(tables: Tables, period: Period) -> float | None:
    """Pieces sold per counted order."""
    return ratio(units_sold(tables, period), orders(tables, period))


def online_revenue(tables: Tables, period: Period) -> Number:
    """Sales after discounts of the counted online orders (a building block, not a KPI)."""
    return revenue_before_returns([o for o in counted_orders(tables, period) if o.is_online])


def revenue_per_visitor(tables: Tables, period: Period) -> float | None:
    """Online sales after discounts per known visitor."""
    return ratio(online_revenue(tables, period), unique_visitors(tables, period))


def revenue_per_session(tables: Tables, period: Period) -> float | None:
    """Online sales after discounts per human visit."""
    return ratio(online_revenue(tables, period), sessions(tables, period))


# --- KPIs: advertising ---------------------------------------------------------------------------


def campaign_rows(tables: Tables, period: Period) -> list[Row]:
    """Pick the campaign rows whose day begins in the period."""
    rows = table(tables, "campaign_performance")
    return [row for row in rows if inside(midnight(row.get("date")), period)]


def ad_spend(tables: Tables, period: Period) -> Number:
    """Money spent on campaigns."""
    return total(row.get("spend") for row in campaign_rows(tables, period))


def click_through_rate(tables: Tables, period: Period) -> float | None:
    """Clicks per impression over all campaigns."""
    rows = campaign_rows(tables, period)
    clicks = total(row.get("clicks") for row in rows)
    return ratio(clicks, total(row.get("impressions") for row in rows))


def return_on_ad_spend(tables: Tables, period: Period) -> float | None:
    """Conversion value per unit of spend; None if several platforms report conversion value."""
    rows = campaign_rows(tables, period)
    reporting = [row for row in rows if row.get("conversion_value") is not None]
    platforms = {row.get("platform") for row in reporting} - {None}
    if len(platforms) > 1:
        return None
    value = total(row["conversion_value"] for row in reporting)
    return ratio(value, total(row.get("spend") for row in rows))


# --- KPIs: customers -----------------------------------------------------------------------------


def customers(tables: Tables, period: Period) -> int:
    """Number of different known customers with a counted order in the period."""
    return len(customer_keys(counted_orders(tables, period)))


def new_customers(tables: Tables, period: Period) -> int:
    """Number of customers whose very first counted order falls in the period."""
    firsts = [o for o in counted_orders(tables, period) if o.order_number == 1]
    return len(customer_keys(firsts))


def repeat_purchase_rate(tables: Tables, period: Period) -> float | None:
    """Share of all customers up to the period's end who ordered at least twice."""
    order_count: dict[Any, int] = {}
    for order in identified(counted_orders_to_date(tables, period)):
        order_count[order.customer_key] = order_count.get(order.customer_key, 0) + 1
    repeaters = [key for key, count in order_count.items() if count >= 2]
    return ratio(len(repeaters), len(order_count))


def purchase_frequency(tables: Tables, period: Period) -> float | None:
    """Counted orders of known customers per known customer."""
    known = identified(counted_orders(tables, period))
    return ratio(len(known), customers(tables, period))


def customer_retention_rate(tables: Tables, period: Period) -> float | None:
    """Share of the previous period's customers who ordered again in this one."""
    if period.previous is None:
        return None
    then = customer_keys(counted_orders(tables, period.previous))
    now = customer_keys(counted_orders(tables, period))
    return ratio(len(then & now), len(then))


def customer_churn_rate(tables: Tables, period: Period) -> float | None:
    """Share of the previous period's customers who did not order in this one."""
    return minus(1, customer_retention_rate(tables, period))


def identified_gross_profit(tables: Tables, period: Period) -> Value:
    """Gross profit on known customers' orders in the period (a building block, not a KPI)."""
    known = identified(counted_orders(tables, period))
    returned = of_identified_orders(tables, counted_returns_in(tables, period))
    refunds = total(row.get("refund_amount") for row in returned)
    cost = minus(cost_of_lines(known), cost_of_restocked(tables, returned))
    return minus(revenue_before_returns(known) - refunds, cost)


def customer_lifetime_value(tables: Tables, period: Period) -> float | None:
    """Gross profit per known customer, divided by the churn rate."""
    per_customer = ratio(identified_gross_profit(tables, period), customers(tables, period))
    return ratio(per_customer, customer_churn_rate(tables, period))


def customer_lifetime_revenue(tables: Tables, period: Period) -> float | None:
    """Net sales to known customers up to the period's end, per customer so far."""
    known = identified(counted_orders_to_date(tables, period))
    so_far = [r for r in counted_returns(tables) if before_end(r.get("returned_at"), period)]
    refunds = total(r.get("refund_amount") for r in of_identified_orders(tables, so_far))
    return ratio(revenue_before_returns(known) - refunds, len(customer_keys(known)))


def acquisition_costs(tables: Tables, period: Period) -> Number:
    """Acquisition costs falling on the period's days, each spread evenly (not a KPI itself)."""
    result: Number = 0
    for row in table(tables, "marketing_costs"):
        first, last = midnight(row.get("period_start")), midnight(row.get("period_end"))
        amount = row.get("amount")
        if row.get("purpose") != "acquisition":
            continue
        if first is None or last is None or amount is None or last < first:
            continue
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        days_inside = [day for day in days if inside(day, period)]
        result += amount * len(days_inside) / len(days)
    return result


def customer_acquisition_cost(tables: Tables, period: Period) -> float | None:
    """Campaign spend plus other acquisition costs, per new customer."""
    cost = ad_spend(tables, period) + acquisition_costs(tables, period)
    return ratio(cost, new_customers(tables, period))


def clv_cac_ratio(tables: Tables, period: Period) -> float | None:
    """What a customer is worth relative to what winning one costs."""
    return ratio(customer_lifetime_value(tables, period), customer_acquisition_cost(tables, period))


# --- KPIs: carts ---------------------------------------------------------------------------------


def as_of(tables: Tables) -> datetime | None:
    """The latest moment of sessions, events, orders and carts that count; None if there is none."""
    bots = {row["session_id"] for row in table(tables, "sessions") if row.get("is_bot")}
    moments = [row.get("created_at") for row in table(tables, "carts")]
    moments += [order.ordered_at for order in all_orders(tables) if order.is_counted]
    for name, column in (("sessions", "started_at"), ("events", "occurred_at")):
        kept = [row for row in table(tables, name) if row.get("session_id") not in bots]
        moments += [row.get(column) for row in kept]
    return max((moment for moment in moments if moment is not None), default=None)


def cart_abandonment_rate(tables: Tables, period: Period) -> float | None:
    """Share of filled carts, at least a day old, that did not become an order."""
    now = as_of(tables)
    if now is None:
        return None
    rows = table(tables, "carts")
    items_known = has_column(rows, "items")
    converted_supplied = has_column(rows, "is_converted")
    order_id_supplied = has_column(rows, "order_id")
    ordered_carts = {
        order.cart_id
        for order in all_orders(tables)
        if order.is_counted and order.cart_id is not None
    }
    void = {order.order_id for order in all_orders(tables) if not order.is_counted}
    carts = 0
    converted = 0
    for row in rows:
        created = row.get("created_at")
        if not inside(created, period) or created + CART_GRACE > now:
            continue
        items = row.get("items")
        if items_known and (items is None or items <= 0):
            continue
        carts += 1
        if converted_supplied:
            is_converted = is_true(row.get("is_converted"))
        elif order_id_supplied:
            is_converted = row.get("order_id") not in {None, *void}
        else:
            is_converted = row.get("cart_id") in ordered_carts
        if is_converted:
            converted += 1
    return minus(1, ratio(converted, carts))


# --- KPIs: surveys -------------------------------------------------------------------------------


def latest_scores(tables: Tables, period: Period, survey_type: str) -> list[Number]:
    """The last score each respondent gave in the period to this kind of survey."""
    latest: dict[Any, Row] = {}
    for row in table(tables, "surveys"):
        if row.get("survey_type") != survey_type or row.get("score") is None:
            continue
        if not inside(row.get("responded_at"), period):
            continue
        if row.get("customer_id") is not None:
            respondent = ("customer", row["customer_id"])
        else:
            respondent = ("response", row.get("response_id"))
        rival = latest.get(respondent)
        if rival is None or _answer_order(row) > _answer_order(rival):
            latest[respondent] = row
    return [row["score"] for row in latest.values()]


def _answer_order(row: Row) -> tuple[Any, Any]:
    """Sort key of an answer: its time, then its id."""
    return (row["responded_at"], row.get("response_id"))


def net_promoter_score(tables: Tables, period: Period) -> float | None:
    """Promoters (9 and up) less detractors (6 and down), per hundred respondents."""
    scores = latest_scores(tables, period, "nps")
    promoters = len([score for score in scores if score >= 9])
    detractors = len([score for score in scores if score <= 6])
    return ratio(100 * (promoters - detractors), len(scores))


def customer_satisfaction_score(tables: Tables, period: Period) -> float | None:
    """Share of respondents who gave 4 or 5 out of 5."""
    scores = latest_scores(tables, period, "csat")
    return ratio(len([score for score in scores if score >= 4]), len(scores))


ORACLES: dict[str, Callable[[Tables, Period], float | int | None]] = {
    kpi.__name__: kpi
    for kpi in (
        sessions,
        unique_visitors,
        engagement_rate,
        bounce_rate,
        orders,
        session_conversion_rate,
        orders_per_session,
        units_sold,
        gross_sales,
        discounts,
        returns_value,
        net_sales,
        cost_of_goods_sold,
        gross_profit,
        gross_margin,
        average_order_value,
        units_per_transaction,
        revenue_per_visitor,
        revenue_per_session,
        ad_spend,
        click_through_rate,
        return_on_ad_spend,
        customers,
        new_customers,
        repeat_purchase_rate,
        purchase_frequency,
        customer_retention_rate,
        customer_churn_rate,
        customer_lifetime_value,
        customer_lifetime_revenue,
        customer_acquisition_cost,
        clv_cac_ratio,
        cart_abandonment_rate,
        net_promoter_score,
        customer_satisfaction_score,
    )
}

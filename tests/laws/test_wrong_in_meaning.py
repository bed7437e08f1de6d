"""Metrics that are wrong in meaning: a check of the definition, a law or a hint finds each."""

import polars as pl
import pytest

import funnelkit as fk
from funnelkit import testing
from funnelkit.testing.checking import check_law
from funnelkit.testing.laws import LAWS, LawBrokenError

LAW = {law.name: law for law in LAWS}
SHARE = {"bounds": (0, 1)}


class Balances(fk.Table, table="balances", key=("day", "card_id"), time="day"):
    day = fk.Time("The day.")
    card_id = fk.Key("The gift card.")
    balance = fk.Money("What is left on the card at the end of the day.")


class DailySales(
    fk.Table,
    table="daily_sales",
    key=("day", "store"),
    time="day",
    prorate=fk.Proration(first="day", last="day", amounts=("sales",)),
):
    day = fk.Time("The day.")
    store = fk.Category("The store.")
    sales = fk.Money("What was sold on the day.")


TABLES = (Balances, DailySales)


def metric(formula, **words):
    return fk.Metric(name="metric", formula=formula, tables=TABLES, **words)


def found_in(formula):
    return [hint.name for hint in testing.hints(metric(formula), tables=TABLES)]


# --- Wrong in meaning ----------------------------------------------------------------------------

ITEMS = "sum(order_lines.quantity, where=order_lines.is_counted)"
SALES = "sum(orders.gross_amount, where=orders.is_counted)"
ORDERS = "count(orders, where=orders.is_counted)"
REFUNDS = "sum(returns.refund_amount, where=returns.is_counted)"
COST = "lookup(order_lines.product_id, products.unit_cost)"
STOCK = "sum(inventory_snapshots.on_hand_units)"
VISITORS = "count_distinct(sessions.visitor_id)"
VISITS = "count(sessions, where=sessions.is_counted"

BY_A_HINT = {
    "stock on hand, added over the days": (STOCK, "stock"),
    "turnover on that": (f"{ITEMS} / {STOCK}", "stock"),
    "stock per product, of which each has many days": (
        f"{STOCK} / count_distinct(inventory_snapshots.product_id)",
        "stock",
    ),
    "mean stock of products, each added over its days": (
        f"mean(v, of=per_key(inventory_snapshots.product_id, v={STOCK}))",
        "stock",
    ),
    "stock by day, and the days added": (
        f"sum(v, of=per_key(inventory_snapshots.day, v={STOCK}))",
        "stock",
    ),
    "gift card balances, added over the days": ("sum(balances.balance)", "stock"),
    "stock at the end, and the stocks of all days": (
        "closing_balance(balances.balance) + sum(balances.balance)",
        "stock",
    ),
    "followers, added over campaigns and days": ("sum(campaign_performance.followers)", "people"),
    "frequency on a named bound": ("impressions / reach.upper_bound", "people"),
    "people reached, added over campaigns and days": ("sum(campaign_performance.reach)", "people"),
    "frequency on that": (
        "sum(campaign_performance.impressions) / sum(campaign_performance.reach)",
        "people",
    ),
    "people reached on a day, added over campaigns": (
        "mean(v, of=per_key(campaign_performance.date, v=sum(campaign_performance.reach)))",
        "people",
    ),
    "visitors of each channel, added": (
        f"sum(n, of=per_key(sessions.channel, n={VISITORS}, where=sessions.is_counted))",
        "people",
    ),
    "orders per visit, cancelled ones too": (f"count(orders) / {VISITS})", "counted"),
    "return rate of all orders": (
        "count_distinct(returns.order_id, where=returns.is_counted) / count(orders)",
        "counted",
    ),
    "units of orders in whatever status": (
        "sum(order_lines.quantity, where=order_lines.line_type == 'product')",
        "counted",
    ),
    "customers with two orders, one of them a test": (
        "count(per_key(orders.customer_key, n=count(orders)), where=n >= 2)",
        "counted",
    ),
    "largest customer, the amounts without the condition of the count": (
        f"max(v, of=per_key(orders.customer_key, n={ORDERS}, v=sum(orders.gross_amount)))",
        "counted",
    ),
    "customers, those of cancelled orders too": ("count(per_key(orders.customer_key))", "counted"),
    "orders with a return that counts, whether they count or not": (
        "count(orders, where=orders.has_return)",
        "counted",
    ),
    "orders of first visits, bots left out and cancelled orders not": (
        "count(orders, where=orders.session_number == 1)",
        "counted",
    ),
    "discount rate, a small order weighing as much as a large one": (
        "mean(orders.discount_amount / orders.gross_amount, where=orders.is_counted)",
        "rate",
    ),
    "price per unit, a line of one weighing as much as a line of ten": (
        "mean(order_lines.unit_price, where=order_lines.is_counted)",
        "rate",
    ),
    "prices, added": ("sum(order_lines.unit_price, where=order_lines.is_counted)", "rate"),
    "costs of one unit, once for every line": (
        f"sum({COST}, where=order_lines.is_counted)",
        "rate",
    ),
    "shipping, once for every line of an order": (
        "sum(lookup(order_lines.order_id, orders.shipping_amount), where=order_lines.is_counted)",
        "repeated",
    ),
}


@pytest.mark.parametrize("name", BY_A_HINT)
def test_a_hint_finds_what_is_wrong_in_meaning(name):
    formula, kind = BY_A_HINT[name]
    assert set(found_in(formula)) == {kind}


def test_a_value_of_all_orders_has_a_hint_for_its_numerator_and_its_denominator():
    assert found_in("sum(orders.gross_amount) / count(orders)") == ["counted", "counted"]


def test_a_polars_expression_is_asked_whether_it_reads_what_counts():
    spent = fk.PolarsExpr("orders", pl.col("gross_amount").sum(), unit=fk.MONEY)
    (hint,) = testing.hints(metric(spent))
    assert (hint.name, hint.part) == ("counted", str(spent))


BY_A_LAW = {
    "buyers, with all guests as one more": (
        metric(
            fk.PolarsExpr("orders", pl.col("customer_id").filter(pl.col("is_counted")).n_unique())
        ),
        "null values",
        "with rows whose customer_id is null",
    ),
    "share of sales that is kept, refunds added and not subtracted": (
        metric(f"({SALES} + {REFUNDS}) / {SALES}", **SHARE),
        "bounds",
        "outside 0 to 1",
    ),
    "conversion of visits with a product view, bought without one too": (
        metric(
            f"{VISITS} and sessions.has_purchase) / {VISITS} and sessions.has_product_view)",
            **SHARE,
        ),
        "bounds",
        "outside 0 to 1",
    ),
    "share of lines among orders": (
        metric(
            f"count(order_lines, where=order_lines.is_counted) / {ORDERS}",
            **SHARE,
        ),
        "bounds",
        "outside 0 to 1",
    ),
    "share that the smallest order has of the smallest orders": (
        metric(fk.ShareOfTotal(fk.Min(fk.Orders.gross_amount, where=fk.Orders.is_counted))),
        "totals",
        "does not add up",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_A_LAW)
def test_a_law_finds_what_is_wrong_in_meaning(name):
    wrong, law, found = BY_A_LAW[name]
    assert testing.hints(wrong) == []
    with pytest.raises(LawBrokenError, match=found):
        check_law(wrong, LAW[law], examples=100)


BY_THE_METRIC = {
    "orders per visit as a share": (
        f"{ORDERS} / {VISITS})",
        fk.UnitError,
    ),
    "order value in percent": (f"{SALES} / {ORDERS}", fk.UnitError),
    "mean of the means of customers": (
        "mean(v, of=per_key(orders.customer_key, v=mean(orders.gross_amount)))",
        fk.DefinitionError,
    ),
}


@pytest.mark.parametrize("name", BY_THE_METRIC)
def test_a_metric_refuses_what_is_wrong_in_meaning(name):
    formula, error = BY_THE_METRIC[name]
    with pytest.raises(error):
        metric(formula, unit=fk.RATIO)


# --- Right in meaning ----------------------------------------------------------------------------

RIGHT = (
    "sum(daily_sessions.sessions)",
    "sum(daily_sessions.converted_sessions) / sum(daily_sessions.sessions)",
    "closing_balance(inventory_snapshots.on_hand_units)",
    "closing_balance(balances.balance)",
    f"{STOCK} / count_distinct(inventory_snapshots.day)",
    f"{STOCK} / count_distinct(inventory_snapshots.snapshot_date)",
    f"{STOCK} / period_days()",
    f"{STOCK} / count(inventory_snapshots)",
    "sum(balances.balance) / count(per_key(balances.day))",
    f"{ITEMS} / ({STOCK} / period_days())",
    f"sum(inventory_snapshots.on_hand_units, where=inventory_snapshots.is_offered) / {STOCK}",
    f"mean(v, of=per_key(inventory_snapshots.day, v={STOCK}))",
    "max(v, of=per_key(inventory_snapshots.product_id, v=max(inventory_snapshots.on_hand_units)))",
    "sum(daily_sales.sales)",
    "sum(campaign_performance.spend) / sum(campaign_performance.clicks)",
    "sum(campaign_performance.conversions, require_single=campaign_performance.platform)",
    "sum(if_else(inventory_snapshots.on_hand_units < 0, 1, 0))",
    "sum(campaign_performance.reach, require_single=campaign_performance)",
    "sum(campaign_performance.reach) / count(campaign_performance)",
    "max(campaign_performance.reach)",
    "sum(n, of=per_key(customers.country, n=count(customers)))",
    "sum(n, of=per_key(customers.country, n=count_distinct(customers.customer_id)))",
    "count(orders, where=orders.is_first_order)",
    "count(orders, where=orders.status == 'cancelled')",
    "count(per_key(orders.customer_key, n=count(orders), where=orders.is_counted), where=n >= 2)",
    "max(v, of=per_key(orders.customer_key, v=sum(orders.gross_amount, where=orders.is_counted)))",
    "count(returns, where=returns.kind == 'chargeback')",
    "sum(returns.quantity, where=returns.goods_returned)",
    "count(shipments, where=is_true(lookup(shipments.order_id, orders.is_counted)))",
    "count(sessions, where=sessions.is_bot)",
    "count(carts)",
    "sum(order_lines.quantity * order_lines.unit_price, where=order_lines.is_counted)",
    f"sum(order_lines.quantity * {COST}, where=order_lines.is_counted)",
    "mean(sessions.duration_s / 60, where=sessions.is_counted)",
    "sum(orders.gross_amount / orders.fx_rate, where=orders.is_counted)",
    "max(order_lines.unit_price, where=order_lines.is_counted)",
    "gross_sales / orders",
    "net_sales / count(per_key(orders.customer_key, where=orders.is_counted))",
)


@pytest.mark.parametrize("formula", RIGHT)
def test_what_is_right_in_meaning_has_no_hint(formula):
    assert found_in(formula) == []


def test_a_polars_expression_that_reads_what_counts_has_no_hint():
    spent = pl.col("gross_amount").filter(pl.col("is_counted")).sum()
    assert found_in(fk.PolarsExpr("orders", spent)) == []
    assert found_in(fk.PolarsExpr("carts", pl.col("value").sum())) == []


SAME = "all lines of a product have the same, and it is asked by product"
JUSTIFIED = {
    "sum(campaign_performance.reach, skip_nulls=False)": "it is named as an upper bound",
    "mean(lookup(order_lines.product_id, products.lead_time_days))": SAME,
    "mean(lookup(order_lines.product_id, products.lead_time_sd))": SAME,
    "mean(lookup(order_lines.product_id, products.safety_stock))": SAME,
}
"""The parts of built-in metrics that have a hint, with the reason why each is right."""


def test_built_in_metrics_have_no_hints_but_those_that_are_justified():
    hinted = {m.name: testing.hints(m) for m in fk.registry().values()}
    assert {hint.part for found in hinted.values() for hint in found} == set(JUSTIFIED)
    by_product = {name for name, found in hinted.items() if any(h.name == "counted" for h in found)}
    assert {fk.registry()[name].required_dimension for name in by_product} == {"product_id"}


# --- What a hint says ----------------------------------------------------------------------------


def test_a_hint_gives_the_part_and_what_is_usual_instead():
    (hint,) = testing.hints(metric("2 * sum(balances.balance)"), tables=TABLES)
    assert hint.part == "sum(balances.balance)"
    assert str(hint) == f"{hint.part} {hint.text}"
    assert "use closing_balance(balances.balance), or the mean of the sums per day" in hint.text


def test_a_part_that_stands_twice_has_one_hint():
    assert found_in("count(orders) / (2 * count(orders))") == ["counted"]


def test_a_hint_needs_a_metric():
    with pytest.raises(fk.DefinitionError, match="look it up"):
        testing.hints("orders")


def test_a_table_that_is_not_declared_is_an_error():
    with pytest.raises(fk.DefinitionError, match="reads the table 'balances', which is not known"):
        testing.hints(metric("sum(balances.balance)"))


def test_the_column_whose_sum_is_a_stock_is_named():
    (hint,) = testing.hints(
        metric("sum(if_else(balances.balance < 0, 0, balances.balance))"), tables=TABLES
    )
    assert "adds balances.balance over day" in hint.text

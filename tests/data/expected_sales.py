"""Expected numbers of sales, returns and profit: the generated shop and the toy store.

Conventions are those of `expected`.
"""

from typing import Literal

import polars as pl

from data.sql import keys, query

# --- The generated shop --------------------------------------------------------------------

_SHOP = """
WITH contents AS (
    SELECT order_id, sum(quantity) AS units, sum(quantity * cost) AS cost
    FROM dbtie_order_items JOIN dbtie_products USING (product_id)
    GROUP BY order_id
),
returned AS (
    SELECT order_id, sum(return_quantity) AS units, sum(refund_amount) AS refund
    FROM dbtie_returns
    WHERE return_status IN ('approved', 'processed')
    GROUP BY order_id
),
placed AS (
    SELECT
        orders.order_id,
        CAST(order_date AS TIMESTAMP) AS ordered_at,
        orders.customer_id,
        country,
        orders.status,
        orders.status <> 'cancelled' AS counts,
        subtotal AS gross,
        discount_amount AS discount,
        subtotal - discount_amount AS amount,
        shipping_cost + tax_amount AS charges,
        coalesce(contents.units, 0) AS units,
        coalesce(contents.cost, 0) AS cost,
        returned.order_id IS NOT NULL AS goods_returned,
        coalesce(returned.units, 0) AS units_back,
        coalesce(returned.refund, 0) AS refunded,
        CAST(order_date AS TIMESTAMP) <= INTERVAL (-30) DAY + greatest(
            (SELECT max(CAST(order_date AS TIMESTAMP)) FROM dbtie_orders),
            (SELECT max(CAST(session_date AS TIMESTAMP)) FROM dbtie_website_sessions)
        ) AS is_mature
    FROM dbtie_orders AS orders
    LEFT JOIN dbtie_customers USING (customer_id)
    LEFT JOIN contents USING (order_id)
    LEFT JOIN returned USING (order_id)
),
orders AS (
    SELECT *, CAST(date_trunc('month', ordered_at) AS DATE) AS period FROM placed
),
returns AS (
    SELECT
        CAST(date_trunc('month', CAST(return_date AS DATE)) AS DATE) AS period,
        country,
        order_id,
        return_quantity AS units,
        refund_amount AS refund
    FROM dbtie_returns JOIN placed USING (order_id)
    WHERE return_status IN ('approved', 'processed') AND counts
)
"""

_SHOP_FILES = (
    "dbtie_orders",
    "dbtie_order_items",
    "dbtie_products",
    "dbtie_customers",
    "dbtie_returns",
    "dbtie_website_sessions",
)

ByShop = Literal["period", "country"]


def dbtie_orders(*by: ByShop) -> pl.DataFrame:
    """Orders when they were placed: what they hold, what they are worth, which were cancelled."""
    return query(
        f"""
        {_SHOP}
        SELECT
            {keys(by)}
            count(*) FILTER (WHERE counts) AS orders,
            CAST(coalesce(sum(units) FILTER (WHERE counts), 0) AS BIGINT) AS units_sold,
            sum(units) FILTER (WHERE counts) / nullif(count(*) FILTER (WHERE counts), 0)
                AS units_per_transaction,
            sum(amount) FILTER (WHERE counts) / nullif(sum(units) FILTER (WHERE counts), 0)
                AS average_unit_retail,
            sum(discount) FILTER (WHERE counts) / nullif(sum(gross) FILTER (WHERE counts), 0)
                AS discount_rate,
            median(amount) FILTER (WHERE counts) AS median_order_value,
            sum(amount) FILTER (WHERE counts AND amount > 0)
                / nullif(count(*) FILTER (WHERE counts AND amount > 0), 0)
                AS "average_order_value.without_free",
            count(*) FILTER (WHERE status = 'cancelled') / count(*) AS cancellation_rate,
            count(*) FILTER (WHERE status = 'cancelled') / count(*) AS "cancellation_rate.placed",
            coalesce(sum(refunded) FILTER (WHERE counts), 0) AS "returns_value.by_order_date"
        FROM orders
        GROUP BY ALL
        ORDER BY ALL
        """,
        *_SHOP_FILES,
    )


def dbtie_returns(*by: ByShop) -> pl.DataFrame:
    """What came back at any time, of orders that were thirty days old when the data ended."""
    return query(
        f"""
        {_SHOP}
        SELECT
            {keys(by)}
            sum(units_back) / nullif(sum(units), 0) AS return_rate,
            count(*) FILTER (WHERE goods_returned) / count(*) AS order_return_rate,
            sum(refunded) / nullif(sum(amount), 0) AS value_return_rate,
            sum(refunded) / nullif(sum(gross), 0) AS "value_return_rate.gross"
        FROM orders
        WHERE counts AND is_mature
        GROUP BY ALL
        ORDER BY ALL
        """,
        *_SHOP_FILES,
    )


_SHOP_FACTS = """
facts AS (
    SELECT
        period, country, customer_id, order_id, NULL AS returned_id,
        units, gross, amount, charges, cost, 0 AS units_back, 0.0 AS refund
    FROM orders WHERE counts
    UNION ALL
    SELECT period, country, NULL, NULL, order_id, 0, 0.0, 0.0, 0.0, 0.0, units, refund FROM returns
)
"""


def dbtie_revenue(*by: ByShop) -> pl.DataFrame:
    """Sales less returns, each when it happened, with and without what the customer pays else.

    The charges are shipping and tax. No return tells of shipping or tax given back.
    """
    return query(
        f"""
        {_SHOP}, {_SHOP_FACTS}
        SELECT
            {keys(by)}
            sum(amount) - sum(refund) + sum(charges) AS total_sales,
            sum(amount) - sum(refund) + sum(charges) AS "total_sales.with_refunded_charges",
            (sum(amount) - sum(refund) + sum(charges)) / nullif(count(order_id), 0)
                AS "average_order_value.total_sales",
            (sum(amount) - sum(refund)) / nullif(count(DISTINCT customer_id), 0)
                AS average_revenue_per_customer,
            CAST(sum(units) - sum(units_back) AS BIGINT) AS "units_sold.net",
            (sum(units) - sum(units_back)) / nullif(count(order_id), 0)
                AS "units_per_transaction.net",
            sum(units_back) / nullif(sum(units), 0) AS "return_rate.flow",
            count(DISTINCT returned_id) / nullif(count(order_id), 0) AS "order_return_rate.flow",
            sum(refund) / nullif(sum(amount), 0) AS "value_return_rate.flow"
        FROM facts
        GROUP BY ALL
        ORDER BY ALL
        """,
        *_SHOP_FILES,
    )


def dbtie_profit(*by: ByShop) -> pl.DataFrame:
    """Net sales less the cost of all goods sold: nothing that comes back is sold again."""
    return query(
        f"""
        {_SHOP}, {_SHOP_FACTS},
        sums AS (
            SELECT
                {keys(by)}
                count(order_id) AS orders,
                sum(amount) - sum(refund) AS net,
                sum(cost) AS cost
            FROM facts
            GROUP BY ALL
        )
        SELECT
            {keys(by)}
            cost AS cost_of_goods_sold,
            net - cost AS gross_profit,
            (net - cost) / nullif(orders, 0) AS gross_profit_per_order,
            CASE WHEN net > 0 THEN (net - cost) / net END AS gross_margin
        FROM sums
        ORDER BY ALL
        """,
        *_SHOP_FILES,
    )


def dbtie_lifetime_value_monthly() -> pl.DataFrame:
    """Profit of a customer of the month, divided by the month's churn.

    Churn is the share of the buyers of the month before who do not buy in this one.
    """
    return query(
        f"""
        {_SHOP}, {_SHOP_FACTS},
        active AS (SELECT DISTINCT period, customer_id FROM orders WHERE counts),
        churn AS (
            SELECT
                CAST(before.period + INTERVAL 1 MONTH AS DATE) AS period,
                1 - count(again.customer_id) / count(*) AS churn
            FROM active AS before
            LEFT JOIN active AS again
                ON again.customer_id = before.customer_id
                AND again.period = before.period + INTERVAL 1 MONTH
            GROUP BY before.period
        ),
        months AS (
            SELECT
                period,
                count(DISTINCT customer_id) AS customers,
                sum(amount) - sum(refund) - sum(cost) AS profit
            FROM facts GROUP BY period
        )
        SELECT
            period,
            profit / nullif(customers, 0) / nullif(churn, 0) AS customer_lifetime_value
        FROM months LEFT JOIN churn USING (period)
        ORDER BY period
        """,
        *_SHOP_FILES,
    )


# --- The toy store -------------------------------------------------------------------------

_TOYS = """
WITH lines AS (
    SELECT
        order_id,
        count(*) AS units,
        count(*) FILTER (WHERE is_primary_item = 1) AS first_units,
        count(*) FILTER (WHERE is_primary_item = 0) AS added_units,
        sum(price_usd) AS gross,
        sum(cogs_usd) AS cost
    FROM maven_toystore_order_items
    GROUP BY order_id
),
returned AS (
    SELECT order_id, count(*) AS units_back, sum(refund_amount_usd) AS refunded
    FROM maven_toystore_refunds
    GROUP BY order_id
),
orders AS (
    SELECT
        *,
        CAST(date_trunc('month', created_at) AS DATE) AS period,
        created_at <= (SELECT max(created_at) FROM maven_toystore_orders) - INTERVAL 30 DAY
            AS is_mature
    FROM maven_toystore_orders
    JOIN lines USING (order_id)
    LEFT JOIN returned USING (order_id)
)
"""

_TOY_FILES = ("maven_toystore_orders", "maven_toystore_order_items", "maven_toystore_refunds")


def maven_baskets(*by: Literal["period"]) -> pl.DataFrame:
    """Orders with a second product beside the first, and what came back of mature orders."""
    return query(
        f"""
        {_TOYS}
        SELECT
            {keys(by)}
            count(*) FILTER (WHERE added_units > 0) / count(*) AS cross_sell_rate,
            count(*) FILTER (WHERE added_units > 0 AND first_units > 0)
                / nullif(count(*) FILTER (WHERE first_units > 0), 0) AS attach_rate,
            sum(added_units) FILTER (WHERE first_units > 0)
                / nullif(sum(first_units) FILTER (WHERE first_units > 0), 0)
                AS "attach_rate.units",
            median(gross) AS median_order_value,
            sum(gross) / sum(units) AS average_unit_retail,
            coalesce(sum(units_back) FILTER (WHERE is_mature), 0)
                / nullif(sum(units) FILTER (WHERE is_mature), 0) AS return_rate,
            count(units_back) FILTER (WHERE is_mature)
                / nullif(count(*) FILTER (WHERE is_mature), 0) AS order_return_rate,
            coalesce(sum(refunded) FILTER (WHERE is_mature), 0)
                / nullif(sum(gross) FILTER (WHERE is_mature), 0) AS value_return_rate
        FROM orders
        GROUP BY ALL
        ORDER BY ALL
        """,
        *_TOY_FILES,
    )


_TOY_MONTHS = """
facts AS (
    SELECT period, user_id, gross, cost, 0.0 AS refund FROM orders
    UNION ALL
    SELECT
        CAST(date_trunc('month', refunds.created_at) AS DATE),
        NULL, 0.0, 0.0, refund_amount_usd
    FROM maven_toystore_refunds AS refunds JOIN orders USING (order_id)
),
months AS (
    SELECT
        period,
        count(DISTINCT user_id) AS customers,
        sum(gross) - sum(refund) AS net,
        sum(gross) - sum(refund) - sum(cost) AS profit
    FROM facts GROUP BY period
),
kept AS (
    SELECT months.period, count(DISTINCT again.user_id) / nullif(before.n, 0) AS rate
    FROM months
    LEFT JOIN (SELECT period, count(DISTINCT user_id) AS n FROM orders GROUP BY period)
        AS before ON before.period = months.period - INTERVAL 1 MONTH
    LEFT JOIN orders AS again ON again.period = months.period AND again.user_id IN (
        SELECT user_id FROM orders AS old
        WHERE old.period = months.period - INTERVAL 1 MONTH
    )
    GROUP BY months.period, before.n
)
"""


def maven_lifetime_value_monthly() -> pl.DataFrame:
    """Profit of a customer of the month, for as long as customers last at the month's churn.

    Churn is the share of the buyers of the month before who do not buy again; a lifetime is one
    over that. `discounted` takes ten percent off for each month of waiting, and leaves this
    month's profit out: kept customers, over one and a tenth less those kept, times their profit.
    """
    return query(
        f"""
        {_TOYS},
        {_TOY_MONTHS}
        SELECT
            period,
            profit / nullif(customers, 0) / nullif(1 - rate, 0) AS customer_lifetime_value,
            net / nullif(customers, 0) / nullif(1 - rate, 0) AS "customer_lifetime_value.revenue",
            profit / nullif(customers, 0) * rate / (1.1 - rate)
                AS "customer_lifetime_value.discounted"
        FROM months JOIN kept USING (period)
        ORDER BY period
        """,
        *_TOY_FILES,
    )

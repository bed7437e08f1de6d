"""The works of the benchmark as SQL for DuckDB, over the same files."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
from questions import NOT_COUNTED, ZONE

TABLES = ("sessions", "orders", "customer_orders")


def work(name: str, folder: Path) -> Callable[[], pl.DataFrame]:
    """Give a work, over views of the files."""
    connection = duckdb.connect()
    for table in TABLES:
        connection.read_parquet(str(folder / f"{table}.parquet")).create_view(table)
    query = {
        "A": of_sessions("{}"),
        "B": of_sessions("{}", visitors=True),
        "C": of_sessions(f"{{}} AT TIME ZONE 'UTC' AT TIME ZONE '{ZONE}'"),
        "H": OF_CUSTOMERS,
        "I": OF_FUNNEL,
    }[name]
    return lambda: connection.sql(query).pl()


def of_sessions(time: str, *, visitors: bool = False) -> str:
    """Give the query of A, B or C; `time` says how the clock of the zone is read."""
    return OF_SESSIONS.format(
        started_at=time.format("started_at"),
        ordered_at=time.format("ordered_at"),
        visitors="count(DISTINCT visitor_id)" if visitors else "0",
        of_visitors=OF_VISITORS if visitors else "",
        not_counted=NOT_COUNTED,
    )


OF_VISITORS = """,
        visitors::BIGINT AS unique_visitors,
        online_value / nullif(visitors, 0) AS revenue_per_visitor"""

OF_SESSIONS = """
    WITH visits AS (
        SELECT
            date_trunc('week', {started_at}) AS period, channel, device,
            count(*) AS visits,
            count(*) FILTER (WHERE engaged_s > 10 OR has_key_event OR page_views >= 2)
                AS engaged,
            {visitors} AS visitors
        FROM sessions
        WHERE NOT is_bot
        GROUP BY ALL
    ),
    sales AS (
        SELECT
            date_trunc('week', {ordered_at}) AS period, channel, device,
            count(*) AS orders,
            count(*) FILTER (WHERE is_online) AS online_orders,
            sum(value) AS value,
            sum(value) FILTER (WHERE is_online) AS online_value
        FROM (
            SELECT
                ordered_at, session_id, gross_amount - discount_amount AS value,
                sales_channel = 'online' OR session_id IS NOT NULL AS is_online
            FROM orders
            WHERE status NOT IN {not_counted}
        ) LEFT JOIN sessions USING (session_id)
        GROUP BY ALL
    ),
    aligned AS (
        SELECT
            period, channel, device,
            coalesce(sum(visits), 0) AS visits, coalesce(sum(engaged), 0) AS engaged,
            coalesce(sum(visitors), 0) AS visitors, coalesce(sum(orders), 0) AS orders,
            coalesce(sum(online_orders), 0) AS online_orders,
            coalesce(sum(value), 0) AS value, coalesce(sum(online_value), 0) AS online_value
        FROM (FROM visits UNION ALL BY NAME FROM sales)
        GROUP BY ALL
    )
    SELECT
        period::DATE AS period, channel, device,
        visits::BIGINT AS sessions,
        1 - engaged / nullif(visits, 0) AS bounce_rate,
        online_orders / nullif(visits, 0) AS orders_per_session,
        value / nullif(orders, 0) AS average_order_value,
        online_value / nullif(visits, 0) AS revenue_per_session{of_visitors}
    FROM aligned
    ORDER BY period, channel NULLS LAST, device NULLS LAST
    """

OF_FUNNEL = f"""
    SELECT
        date_trunc('week', started_at)::DATE AS period, channel,
        count(*) FILTER (WHERE session_id IN (
            SELECT session_id
            FROM orders
            WHERE status NOT IN {NOT_COUNTED} AND session_id IS NOT NULL
        )) / count(*) AS session_conversion_rate,
        count(*) FILTER (WHERE has_add_to_cart) / count(*) AS add_to_cart_rate
    FROM sessions
    WHERE NOT is_bot
    GROUP BY ALL
    ORDER BY period, channel NULLS LAST
"""

OF_CUSTOMERS = f"""
    WITH known AS (
        SELECT
            customer_id, order_id, ordered_at,
            date_trunc('month', ordered_at)::DATE AS period
        FROM customer_orders
        WHERE status NOT IN {NOT_COUNTED} AND customer_id IS NOT NULL
    ),
    numbered AS (
        SELECT
            period,
            row_number() OVER (PARTITION BY customer_id ORDER BY ordered_at, order_id) AS number
        FROM known
    ),
    bought AS (
        SELECT
            period,
            count(*) FILTER (WHERE number = 1) AS new,
            count(*) FILTER (WHERE number = 2) AS repeating
        FROM numbered
        GROUP BY period
    ),
    active AS (SELECT DISTINCT customer_id, period FROM known),
    customers AS (SELECT period, count(*) AS customers FROM active GROUP BY period),
    retained AS (
        SELECT period, count(*) AS retained
        FROM active SEMI JOIN (
            SELECT customer_id, (period + INTERVAL 1 MONTH)::DATE AS period FROM active
        ) AS before USING (customer_id, period)
        GROUP BY period
    ),
    rates AS (
        SELECT
            period, new,
            sum(repeating) OVER (ORDER BY period) / sum(new) OVER (ORDER BY period) AS repeat_rate,
            coalesce(retained, 0) / lag(customers) OVER (ORDER BY period) AS retention_rate
        FROM bought JOIN customers USING (period) LEFT JOIN retained USING (period)
    )
    SELECT
        period,
        new AS new_customers,
        repeat_rate AS repeat_purchase_rate,
        retention_rate AS customer_retention_rate,
        1 - retention_rate AS customer_churn_rate
    FROM rates
    ORDER BY period
"""

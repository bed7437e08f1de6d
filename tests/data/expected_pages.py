"""Expected numbers of visits with sales: the toy store's pages, and the generated shop.

Conventions are those of `expected`. A visit to the toy store is its own visitor, for the page
views do not tell who came.
"""

from typing import Literal

import polars as pl

from data.sql import keys, query

# --- Pages of the toy store ----------------------------------------------------------------

_PAGES = """
WITH visits AS (
    SELECT
        website_session_id AS session_id,
        CAST(date_trunc('month', min(created_at)) AS DATE) AS period,
        min(created_at) AS started_at,
        count(*) AS pages,
        epoch(max(created_at)) - epoch(min(created_at)) AS seconds,
        bool_or(pageview_url = '/the-original-mr-fuzzy') AS has_product,
        min(created_at) FILTER (WHERE pageview_url = '/cart') AS filled_at,
        bool_or(pageview_url = '/shipping') AS has_checkout
    FROM maven_toystore_pageviews_part
    GROUP BY website_session_id
),
sold AS (
    SELECT
        order_id,
        website_session_id AS session_id,
        CAST(date_trunc('month', orders.created_at) AS DATE) AS period,
        epoch(orders.created_at) - epoch(started_at) AS journey,
        gross
    FROM maven_toystore_orders AS orders
    JOIN visits ON session_id = website_session_id
    JOIN (
        SELECT order_id, sum(price_usd) AS gross
        FROM maven_toystore_order_items
        GROUP BY order_id
    ) USING (order_id)
)
"""

_FILES = (
    "maven_toystore_pageviews_part",
    "maven_toystore_orders",
    "maven_toystore_order_items",
    "maven_toystore_refunds",
)


def maven_funnel(*by: Literal["period"]) -> pl.DataFrame:
    """Visits that reach a product, the cart, shipping and an order; their pages and length."""
    return query(
        f"""
        {_PAGES},
        steps AS (
            SELECT *, filled_at IS NOT NULL AS has_cart,
                session_id IN (SELECT session_id FROM sold) AS has_order
            FROM visits
        )
        SELECT
            {keys(by)}
            CAST(sum(pages) AS BIGINT) AS page_views,
            sum(pages) / count(*) AS pages_per_session,
            avg(seconds) AS average_session_duration,
            count(*) FILTER (WHERE pages = 1) / count(*) AS "bounce_rate.single_page",
            count(*) FILTER (WHERE has_product) / count(*) AS product_view_rate,
            count(*) FILTER (WHERE has_cart) / count(*) AS add_to_cart_rate,
            count(*) FILTER (WHERE has_checkout) / count(*) AS reached_checkout_rate,
            count(*) FILTER (WHERE has_cart AND has_checkout)
                / nullif(count(*) FILTER (WHERE has_cart), 0) AS cart_to_checkout_rate,
            count(*) FILTER (WHERE has_product AND has_checkout)
                / nullif(count(*) FILTER (WHERE has_product), 0) AS product_page_to_checkout_rate,
            count(*) FILTER (WHERE has_checkout AND has_order)
                / nullif(count(*) FILTER (WHERE has_checkout), 0) AS checkout_completion_rate,
            count(*) FILTER (WHERE has_order) / count(*) AS visitor_conversion_rate
        FROM steps
        GROUP BY ALL
        ORDER BY ALL
        """,
        *_FILES,
    )


def maven_products(*by: Literal["period"]) -> pl.DataFrame:
    """Visitors who saw the bear, and of them those who put it into the cart, or bought it.

    Both happen within the period. The value of a purchase is the price of its one bear.
    """
    return query(
        f"""
        WITH events AS (
            SELECT
                CAST(date_trunc('month', created_at) AS DATE) AS period,
                website_session_id AS visitor,
                pageview_url AS page,
                (SELECT DISTINCT price_usd FROM maven_toystore_order_items WHERE product_id = 1)
                    AS price
            FROM maven_toystore_pageviews_part
        ),
        visitors AS (
            SELECT
                {keys(by)}
                visitor,
                count(*) FILTER (WHERE page = '/the-original-mr-fuzzy') AS views,
                count(*) FILTER (WHERE page = '/cart') AS carts,
                count(*) FILTER (WHERE page = '/thank-you-for-your-order') AS sales,
                sum(price) FILTER (WHERE page = '/thank-you-for-your-order') AS value
            FROM events
            GROUP BY ALL
        )
        SELECT
            {keys(by)}
            count(*) FILTER (WHERE views > 0 AND carts > 0) / count(*) FILTER (WHERE views > 0)
                AS cart_to_view_rate,
            sum(carts) / sum(views) AS "cart_to_view_rate.quantities",
            count(*) FILTER (WHERE views > 0 AND sales > 0) / count(*) FILTER (WHERE views > 0)
                AS purchase_to_view_rate,
            sum(value) / nullif(sum(sales), 0) AS "average_order_value.purchase_events"
        FROM visitors
        GROUP BY ALL
        ORDER BY ALL
        """,
        *_FILES,
    )


def maven_carts(*by: Literal["period"]) -> pl.DataFrame:
    """Carts of visits that were not bought although they had a day, or an hour, for it.

    The data ends with the last order of these visits or, if later, their last page view.
    """
    return query(
        f"""
        {_PAGES},
        carts AS (
            SELECT
                CAST(date_trunc('month', filled_at) AS DATE) AS period,
                has_checkout,
                session_id IN (SELECT session_id FROM sold) AS is_bought,
                (SELECT max(created_at) FROM maven_toystore_pageviews_part) - filled_at AS age,
                (SELECT DISTINCT price_usd FROM maven_toystore_order_items WHERE product_id = 1)
                    AS price
            FROM visits
            WHERE filled_at IS NOT NULL
        ),
        aged AS (SELECT *, age >= INTERVAL 24 HOUR AS is_day_old FROM carts)
        SELECT
            {keys(by)}
            count(*) FILTER (WHERE is_day_old AND NOT is_bought)
                / nullif(count(*) FILTER (WHERE is_day_old), 0) AS cart_abandonment_rate,
            count(*) FILTER (WHERE age >= INTERVAL 1 HOUR AND NOT is_bought)
                / nullif(count(*) FILTER (WHERE age >= INTERVAL 1 HOUR), 0)
                AS "cart_abandonment_rate.one_hour",
            count(*) FILTER (WHERE is_day_old AND has_checkout AND NOT is_bought)
                / nullif(count(*) FILTER (WHERE is_day_old AND has_checkout), 0)
                AS checkout_abandonment_rate,
            coalesce(sum(price) FILTER (WHERE is_day_old AND NOT is_bought), 0)
                AS abandoned_cart_value,
            coalesce(sum(price) FILTER (WHERE is_day_old AND NOT is_bought), 0)
                AS "abandoned_cart_value.visitors"
        FROM aged
        GROUP BY ALL
        ORDER BY ALL
        """,
        *_FILES,
    )


def maven_visitor_value(*by: Literal["period"]) -> pl.DataFrame:
    """What a visitor brings in; orders by their own month, refunds by theirs."""
    return query(
        f"""
        {_PAGES},
        facts AS (
            SELECT period, 1 AS visits, 0.0 AS gross, 0.0 AS refund, NULL AS journey FROM visits
            UNION ALL
            SELECT period, 0, gross, 0.0, journey FROM sold
            UNION ALL
            SELECT
                CAST(date_trunc('month', created_at) AS DATE), 0, 0.0, refund_amount_usd, NULL
            FROM maven_toystore_refunds
            WHERE order_id IN (SELECT order_id FROM sold)
        )
        SELECT
            {keys(by)}
            sum(gross) / nullif(sum(visits), 0) AS revenue_per_visitor,
            (sum(gross) - sum(refund)) / nullif(sum(visits), 0) AS average_revenue_per_user,
            median(journey) AS purchase_journey_duration,
            avg(journey) AS "purchase_journey_duration.mean"
        FROM facts
        GROUP BY ALL
        ORDER BY ALL
        """,
        *_FILES,
    )


# --- Visits to the generated shop ----------------------------------------------------------

_VISITS = """
WITH visits AS (
    SELECT
        CAST(date_trunc('month', CAST(session_date AS TIMESTAMP)) AS DATE) AS period,
        source AS channel,
        device_type AS device,
        coalesce(CAST(customer_id AS VARCHAR), session_id) AS visitor_id,
        row_number() OVER (
            PARTITION BY coalesce(CAST(customer_id AS VARCHAR), session_id)
            ORDER BY CAST(session_date AS TIMESTAMP), session_id
        ) AS nth,
        page_views,
        session_duration_seconds AS seconds,
        is_bounce,
        converted
    FROM dbtie_website_sessions
)
"""


def dbtie_visits(*by: Literal["period", "channel", "device"]) -> pl.DataFrame:
    """Pages and length of visits, and how many were engaged: those that did not bounce."""
    return query(
        f"""
        {_VISITS}
        SELECT
            {keys(by)}
            CAST(sum(page_views) AS BIGINT) AS page_views,
            sum(page_views) / count(*) AS pages_per_session,
            avg(seconds) AS average_session_duration,
            median(seconds) AS "average_session_duration.median",
            count(*) FILTER (WHERE page_views = 1) / count(*) AS "bounce_rate.single_page",
            count(*) FILTER (WHERE NOT is_bounce) AS engaged_sessions,
            count(*) FILTER (WHERE NOT is_bounce) / count(*) AS engagement_rate,
            count(DISTINCT visitor_id) FILTER (WHERE nth = 1) / count(DISTINCT visitor_id)
                AS new_visitor_rate,
            count(DISTINCT visitor_id) FILTER (WHERE converted) / count(DISTINCT visitor_id)
                AS visitor_conversion_rate
        FROM visits
        GROUP BY ALL
        ORDER BY ALL
        """,
        "dbtie_website_sessions",
    )


def dbtie_traffic_sources(*by: Literal["period"]) -> pl.DataFrame:
    """The visits of each source over those of all sources in the same period."""
    window = f"PARTITION BY {', '.join(by)}" if by else ""
    return query(
        f"""
        {_VISITS}
        SELECT
            {keys((*by, "channel"))}
            count(*) / sum(count(*)) OVER ({window}) AS traffic_source_share
        FROM visits
        GROUP BY {keys((*by, "channel")).rstrip(", ")}
        ORDER BY ALL
        """,
        "dbtie_website_sessions",
    )


def dbtie_visitor_value(*by: Literal["period"]) -> pl.DataFrame:
    """What a visit and a visitor bring in; orders and approved returns by their own month."""
    return query(
        f"""
        {_VISITS},
        facts AS (
            SELECT period, visitor_id, 1 AS visits, 0 AS orders, 0.0 AS net, 0.0 AS refund
            FROM visits
            UNION ALL
            SELECT
                CAST(date_trunc('month', CAST(order_date AS TIMESTAMP)) AS DATE),
                NULL, 0, 1, subtotal - discount_amount, 0.0
            FROM dbtie_orders
            WHERE status <> 'cancelled'
            UNION ALL
            SELECT
                CAST(date_trunc('month', CAST(return_date AS DATE)) AS DATE),
                NULL, 0, 0, 0.0, refund_amount
            FROM dbtie_returns JOIN dbtie_orders AS orders USING (order_id)
            WHERE return_status IN ('approved', 'processed') AND orders.status <> 'cancelled'
        )
        SELECT
            {keys(by)}
            sum(orders) / nullif(sum(visits), 0) AS orders_per_session,
            sum(net) / nullif(sum(visits), 0) AS revenue_per_session,
            sum(net) / nullif(count(DISTINCT visitor_id), 0) AS revenue_per_visitor,
            (sum(net) - sum(refund)) / nullif(count(DISTINCT visitor_id), 0)
                AS average_revenue_per_user
        FROM facts
        GROUP BY ALL
        ORDER BY ALL
        """,
        "dbtie_website_sessions",
        "dbtie_orders",
        "dbtie_returns",
    )

"""Expected numbers of visits: two clickstreams and the visits of the generated shop.

Conventions are those of `expected`. Times are seconds, and shares fractions.
"""

from typing import Literal

import polars as pl

from data.sql import keys, query

# --- The clickstream -----------------------------------------------------------------------

_CLICKS = """
WITH clicks AS (
    SELECT
        *,
        event IN ('home', 'catalog', 'promo_page', 'account_page', 'review_page', 'compare')
            AS is_page,
        event IN ('review_page', 'compare') AS is_content,
        event IN ('wishlist_add', 'purchase') AS is_goal,
        acquisition_channel AS channel,
        platform AS device
    FROM retentioneering_ecom_events
),
visits AS (
    SELECT
        session_id,
        user_id,
        channel,
        device,
        min(timestamp) AS started_at,
        CAST(date_trunc('month', min(timestamp)) AS DATE) AS period,
        epoch(max(timestamp)) - epoch(min(timestamp)) AS seconds,
        count(*) FILTER (WHERE is_page) AS pages,
        bool_or(is_goal) AS has_goal,
        bool_or(is_content) AS has_content,
        bool_or(event = 'product_view') AS has_product,
        bool_or(event = 'add_to_cart') AS has_cart,
        bool_or(event = 'shipping_details') AS has_checkout,
        bool_or(event = 'purchase') AS has_order,
        min(timestamp) FILTER (WHERE event = 'purchase') AS ordered_at,
        row_number() OVER (PARTITION BY user_id ORDER BY min(timestamp)) AS nth
    FROM clicks
    GROUP BY session_id, user_id, channel, device
)
"""

ByClicks = Literal["period", "channel", "device"]


def clickstream_visits(*by: ByClicks) -> pl.DataFrame:
    """Visits, their visitors, pages and length, and how many were engaged.

    A visit is engaged that reached a goal or saw two pages; nothing tells for how long the shop
    was in the foreground. A visitor is new where the first visit of all lies.
    """
    return query(
        f"""
        {_CLICKS}
        SELECT
            {keys(by)}
            count(*) AS sessions,
            count(DISTINCT user_id) AS unique_visitors,
            count(*) FILTER (WHERE nth = 1) / count(DISTINCT user_id) AS new_visitor_rate,
            CAST(sum(pages) AS BIGINT) AS page_views,
            sum(pages) / count(*) AS pages_per_session,
            count(*) FILTER (WHERE has_goal OR pages >= 2) AS engaged_sessions,
            count(*) FILTER (WHERE has_goal OR pages >= 2) / count(*) AS engagement_rate,
            count(*) FILTER (WHERE NOT has_goal AND pages < 2) / count(*) AS bounce_rate,
            count(*) FILTER (WHERE pages = 1) / count(*) AS "bounce_rate.single_page",
            avg(seconds) AS average_session_duration,
            median(seconds) AS "average_session_duration.median",
            count(*) FILTER (WHERE has_content) / count(*) AS content_interaction_rate,
            count(*) FILTER (WHERE has_goal) / count(*) AS goal_conversion_rate,
            count(DISTINCT user_id) FILTER (WHERE has_goal) / count(DISTINCT user_id)
                AS "goal_conversion_rate.visitors"
        FROM visits
        GROUP BY ALL
        ORDER BY ALL
        """,
        "retentioneering_ecom_events",
    )


def clickstream_funnel(*by: ByClicks) -> pl.DataFrame:
    """Shares of visits that reach a step: product, cart, checkout, order; and of those before."""
    return query(
        f"""
        {_CLICKS}
        SELECT
            {keys(by)}
            count(*) FILTER (WHERE has_product) / count(*) AS product_view_rate,
            count(*) FILTER (WHERE has_cart) / count(*) AS add_to_cart_rate,
            count(*) FILTER (WHERE has_checkout) / count(*) AS reached_checkout_rate,
            count(*) FILTER (WHERE has_cart AND has_checkout)
                / nullif(count(*) FILTER (WHERE has_cart), 0) AS cart_to_checkout_rate,
            count(*) FILTER (WHERE has_product AND has_checkout)
                / nullif(count(*) FILTER (WHERE has_product), 0) AS product_page_to_checkout_rate,
            count(*) FILTER (WHERE has_checkout AND has_order)
                / nullif(count(*) FILTER (WHERE has_checkout), 0) AS checkout_completion_rate,
            count(*) FILTER (WHERE has_checkout AND NOT has_order)
                / nullif(count(*) FILTER (WHERE has_checkout), 0)
                AS "checkout_abandonment_rate.sessions",
            count(*) FILTER (WHERE has_cart AND NOT has_order)
                / nullif(count(*) FILTER (WHERE has_cart), 0) AS "cart_abandonment_rate.sessions",
            count(*) FILTER (WHERE has_order) / count(*) AS session_conversion_rate,
            count(DISTINCT user_id) FILTER (WHERE has_order) / count(DISTINCT user_id)
                AS visitor_conversion_rate
        FROM visits
        GROUP BY ALL
        ORDER BY ALL
        """,
        "retentioneering_ecom_events",
    )


def clickstream_traffic_sources(*by: Literal["period"]) -> pl.DataFrame:
    """The visits of each channel over those of all channels in the same period."""
    window = f"PARTITION BY {', '.join(by)}" if by else ""
    return query(
        f"""
        {_CLICKS}
        SELECT
            {keys((*by, "channel"))}
            count(*) / sum(count(*)) OVER ({window}) AS traffic_source_share
        FROM visits
        GROUP BY {keys((*by, "channel")).rstrip(", ")}
        ORDER BY ALL
        """,
        "retentioneering_ecom_events",
    )


def clickstream_events(*by: ByClicks) -> pl.DataFrame:
    """Events when they happened; goals and orders over the visits that began meanwhile."""
    return query(
        f"""
        {_CLICKS},
        facts AS (
            SELECT period, channel, device,
                1 AS visit, 0 AS page, 0 AS content, 0 AS goal, 0 AS sale
            FROM visits
            UNION ALL
            SELECT
                CAST(date_trunc('month', timestamp) AS DATE),
                channel,
                device,
                0,
                CAST(is_page AS INTEGER),
                CAST(is_content AS INTEGER),
                CAST(is_goal AS INTEGER),
                CAST(event = 'purchase' AS INTEGER)
            FROM clicks
        )
        SELECT
            {keys(by)}
            CAST(sum(page) AS BIGINT) AS "page_views.events",
            CAST(sum(content) AS BIGINT) AS content_interactions,
            sum(goal) / nullif(sum(visit), 0) AS "goal_conversion_rate.goals",
            sum(sale) / nullif(sum(visit), 0) AS orders_per_session
        FROM facts
        GROUP BY ALL
        ORDER BY ALL
        """,
        "retentioneering_ecom_events",
    )


def clickstream_purchases(*by: ByClicks) -> pl.DataFrame:
    """How long it takes to buy, of the orders placed in the period.

    The journey runs from the start of the visit; the time to the first purchase from the first
    visit of all to the first order. Visits to a purchase are those after the visit of the order
    before, with its own; no visit of the clickstream has two orders.
    """
    return query(
        f"""
        {_CLICKS},
        numbered AS (
            SELECT *, min(started_at) OVER (PARTITION BY user_id) AS first_seen_at FROM visits
        ),
        bought AS (
            SELECT
                * EXCLUDE (period),
                CAST(date_trunc('month', ordered_at) AS DATE) AS period,
                epoch(ordered_at) - epoch(started_at) AS journey,
                nth - lag(nth, 1, 0) OVER (PARTITION BY user_id ORDER BY nth) AS visits,
                CASE
                    WHEN row_number() OVER (PARTITION BY user_id ORDER BY nth) = 1
                    THEN epoch(ordered_at) - epoch(first_seen_at)
                END AS since_first_seen
            FROM numbered
            WHERE has_order
        )
        SELECT
            {keys(by)}
            count(*) AS orders,
            count(DISTINCT user_id) AS customers,
            median(journey) AS purchase_journey_duration,
            quantile_cont(journey, 0.9) AS "purchase_journey_duration.p90",
            avg(journey) AS "purchase_journey_duration.mean",
            median(since_first_seen) AS time_to_first_purchase,
            avg(since_first_seen) AS "time_to_first_purchase.mean",
            median(visits) AS sessions_to_purchase
        FROM bought
        GROUP BY ALL
        ORDER BY ALL
        """,
        "retentioneering_ecom_events",
    )


def clickstream_carts(*by: Literal["period"]) -> pl.DataFrame:
    """Carts that were left, of those begun in the period, and how many of them came back.

    A visitor's cart lives until it is bought. It must have had a day, or an hour, by the last
    event of all; to be recovered it must have been left for a day and have had thirty more.
    """
    return query(
        f"""
        WITH steps AS (
            SELECT clicks.user_id, clicks.timestamp, clicks.event, count(sales.timestamp) AS turn
            FROM retentioneering_ecom_events AS clicks
            LEFT JOIN retentioneering_ecom_events AS sales
                ON sales.user_id = clicks.user_id
                AND sales.event = 'purchase'
                AND sales.timestamp < clicks.timestamp
            GROUP BY ALL
        ),
        added AS (
            SELECT user_id, turn, min(timestamp) AS created_at
            FROM steps WHERE event = 'add_to_cart' GROUP BY ALL
        ),
        carts AS (
            SELECT
                created_at,
                CAST(date_trunc('month', created_at) AS DATE) AS period,
                max(timestamp) FILTER (
                    WHERE event IN ('add_to_cart', 'cart', 'shipping_details', 'payment_details')
                ) AS touched_at,
                bool_or(event = 'shipping_details' AND timestamp >= created_at) AS has_checkout,
                max(timestamp) FILTER (WHERE event = 'purchase') AS ordered_at,
                (SELECT max(timestamp) FROM retentioneering_ecom_events) AS now
            FROM added JOIN steps USING (user_id, turn)
            GROUP BY user_id, turn, created_at
        )
        SELECT {keys(by)} {_CART_RATES}
        FROM carts
        GROUP BY ALL
        ORDER BY ALL
        """,
        "retentioneering_ecom_events",
    )


_CART_RATES = """
    count(*) FILTER (WHERE now - created_at >= INTERVAL 24 HOUR AND ordered_at IS NULL)
        / nullif(count(*) FILTER (WHERE now - created_at >= INTERVAL 24 HOUR), 0)
        AS cart_abandonment_rate,
    count(*) FILTER (WHERE now - created_at >= INTERVAL 1 HOUR AND ordered_at IS NULL)
        / nullif(count(*) FILTER (WHERE now - created_at >= INTERVAL 1 HOUR), 0)
        AS "cart_abandonment_rate.one_hour",
    count(*) FILTER (
        WHERE has_checkout AND now - created_at >= INTERVAL 24 HOUR AND ordered_at IS NULL
    ) / nullif(
        count(*) FILTER (WHERE has_checkout AND now - created_at >= INTERVAL 24 HOUR), 0
    ) AS checkout_abandonment_rate,
    count(*) FILTER (
        WHERE now - touched_at >= INTERVAL 31 DAY
        AND ordered_at - touched_at BETWEEN INTERVAL 1 DAY AND INTERVAL 31 DAY
    ) / nullif(
        count(*) FILTER (
            WHERE now - touched_at >= INTERVAL 31 DAY
            AND coalesce(ordered_at, now) - touched_at >= INTERVAL 1 DAY
        ), 0
    ) AS cart_recovery_rate
"""

"""Expected KPI numbers, computed by SQL straight over the raw files.

The queries follow the KPIs' definitions in words and share nothing with the bound tables, so a
number that agrees has been reached by two roads. Where a function takes `by`, its keys become
the leading columns of the result, and no key means one row for everything. `period` is the
first day of a calendar month. Rates are fractions; a zero denominator gives null.
"""

from typing import Literal

import polars as pl

from data.sql import keys, query

# --- Online Retail -------------------------------------------------------------------------

_ONLINE_RETAIL = """
WITH invoices AS (
    SELECT
        InvoiceNo AS order_id,
        CAST(date_trunc('month', min(InvoiceDate)) AS DATE) AS period,
        max(CustomerID) AS customer_id,
        min(Country) AS country,
        sum(Quantity * UnitPrice) AS gross
    FROM online_retail_uci
    WHERE InvoiceNo NOT LIKE 'C%'
    GROUP BY InvoiceNo
),
refunds AS (
    SELECT
        CAST(date_trunc('month', InvoiceDate) AS DATE) AS period,
        Country AS country,
        -Quantity * UnitPrice AS refund
    FROM online_retail_uci
    WHERE InvoiceNo LIKE 'C%'
),
facts AS (
    SELECT period, country, customer_id, 1 AS orders, gross, 0.0 AS refund FROM invoices
    UNION ALL
    SELECT period, country, NULL, 0, 0.0, refund FROM refunds
)
"""

_ONLINE_RETAIL_SALES = """
        CAST(sum(orders) AS BIGINT) AS orders,
        sum(gross) AS gross_sales,
        sum(refund) AS returns_value,
        sum(gross) - sum(refund) AS net_sales,
        sum(gross) / nullif(sum(orders), 0) AS average_order_value,
        count(DISTINCT customer_id) AS customers
"""


def online_retail_total() -> pl.DataFrame:
    """Sales and repeat purchase rate of the whole range, in one row."""
    return query(
        f"""
        {_ONLINE_RETAIL},
        buyers AS (
            SELECT customer_id, count(*) AS n
            FROM invoices
            WHERE customer_id IS NOT NULL
            GROUP BY customer_id
        )
        SELECT
            {_ONLINE_RETAIL_SALES},
            (SELECT count(*) FILTER (WHERE n >= 2) / nullif(count(*), 0) FROM buyers)
                AS repeat_purchase_rate
        FROM facts
        """,
        "online_retail_uci",
    )


def online_retail_by_country() -> pl.DataFrame:
    """Sales by country, and the share of its buyers with two orders or more in it."""
    return query(
        f"""
        {_ONLINE_RETAIL},
        sales AS (
            SELECT country, {_ONLINE_RETAIL_SALES} FROM facts GROUP BY country
        ),
        buyers AS (
            SELECT country, customer_id, count(*) AS n
            FROM invoices
            WHERE customer_id IS NOT NULL
            GROUP BY country, customer_id
        ),
        repeats AS (
            SELECT
                country,
                count(*) FILTER (WHERE n >= 2) / nullif(count(*), 0) AS repeat_purchase_rate
            FROM buyers
            GROUP BY country
        )
        SELECT sales.*, repeat_purchase_rate
        FROM sales LEFT JOIN repeats ON sales.country IS NOT DISTINCT FROM repeats.country
        ORDER BY country
        """,
        "online_retail_uci",
    )


_ONLINE_RETAIL_MONTHS = """
buyers_to_date AS (
    SELECT sales.period, customer_id, count(*) AS n
    FROM sales JOIN invoices ON invoices.period <= sales.period
    WHERE customer_id IS NOT NULL
    GROUP BY sales.period, customer_id
),
repeats AS (
    SELECT
        period,
        count(*) FILTER (WHERE n >= 2) / nullif(count(*), 0) AS repeat_purchase_rate
    FROM buyers_to_date
    GROUP BY period
),
active AS (
    SELECT DISTINCT period, customer_id FROM invoices WHERE customer_id IS NOT NULL
),
first_months AS (
    SELECT customer_id, min(period) AS period FROM active GROUP BY customer_id
),
new AS (
    SELECT period, count(*) AS new_customers FROM first_months GROUP BY period
),
retention AS (
    SELECT
        CAST(before.period + INTERVAL 1 MONTH AS DATE) AS period,
        count(again.customer_id) / count(*) AS retained
    FROM active AS before
    LEFT JOIN active AS again
        ON again.customer_id = before.customer_id
        AND again.period = before.period + INTERVAL 1 MONTH
    GROUP BY before.period
)
"""


def online_retail_monthly() -> pl.DataFrame:
    """Sales, repeat purchase rate to date, new customers, retention and churn by month."""
    return query(
        f"""
        {_ONLINE_RETAIL},
        sales AS (
            SELECT period, {_ONLINE_RETAIL_SALES} FROM facts GROUP BY period
        ),
        {_ONLINE_RETAIL_MONTHS}
        SELECT
            sales.*,
            repeat_purchase_rate,
            coalesce(new_customers, 0) AS new_customers,
            retained AS customer_retention_rate,
            1 - retained AS customer_churn_rate
        FROM sales
        LEFT JOIN repeats USING (period)
        LEFT JOIN new USING (period)
        LEFT JOIN retention USING (period)
        ORDER BY period
        """,
        "online_retail_uci",
    )


# --- Maven toy store -----------------------------------------------------------------------


_MAVEN_VISITS = """
WITH viewed AS (
    SELECT website_session_id, count(*) AS views
    FROM maven_toystore_pageviews_part
    GROUP BY website_session_id
),
bought AS (
    SELECT
        website_session_id,
        count(DISTINCT order_id) AS orders,
        sum(items.price_usd) AS gross
    FROM maven_toystore_orders AS orders
    JOIN maven_toystore_order_items AS items USING (order_id)
    GROUP BY website_session_id
),
refunded AS (
    SELECT website_session_id, sum(refund_amount_usd) AS refund
    FROM maven_toystore_orders JOIN maven_toystore_refunds USING (order_id)
    GROUP BY website_session_id
),
visits AS (
    SELECT
        views,
        coalesce(orders, 0) AS orders,
        coalesce(gross, 0) AS gross,
        coalesce(refund, 0) AS refund
    FROM viewed
    LEFT JOIN bought USING (website_session_id)
    LEFT JOIN refunded USING (website_session_id)
)
"""


def maven_part() -> pl.DataFrame:
    """Session KPIs of the sessions whose page views are there, in one row.

    `bounce_rate` counts a session as engaged with two page views or an order;
    `bounce_rate.single_page` looks at page views only. Revenue is gross sales, there being no
    discounts; refunds are not taken off.
    """
    return query(
        f"""
        {_MAVEN_VISITS}
        SELECT
            count(*) AS sessions,
            count(*) FILTER (WHERE orders > 0) / count(*) AS session_conversion_rate,
            count(*) FILTER (WHERE views = 1) / count(*) AS "bounce_rate.single_page",
            1 - count(*) FILTER (WHERE views >= 2 OR orders > 0) / count(*) AS bounce_rate,
            sum(orders) / count(*) AS orders_per_session,
            sum(gross) / count(*) AS revenue_per_session,
            CAST(sum(orders) AS BIGINT) AS orders,
            sum(gross) AS gross_sales,
            sum(refund) AS returns_value
        FROM visits
        """,
        "maven_toystore_pageviews_part",
        "maven_toystore_orders",
        "maven_toystore_order_items",
        "maven_toystore_refunds",
    )


_MAVEN_MONTHS = """
WITH lines AS (
    SELECT
        order_id,
        count(*) AS units,
        sum(price_usd) AS gross,
        sum(cogs_usd) AS cost
    FROM maven_toystore_order_items
    GROUP BY order_id
),
facts AS (
    SELECT created_at AS happened_at, 1 AS orders, units, gross, cost, 0.0 AS refund
    FROM maven_toystore_orders JOIN lines USING (order_id)
    UNION ALL
    SELECT created_at, 0, 0, 0.0, 0.0, refund_amount_usd FROM maven_toystore_refunds
),
months AS (
    SELECT
        CAST(date_trunc('month', happened_at) AS DATE) AS period,
        CAST(sum(orders) AS BIGINT) AS orders,
        CAST(sum(units) AS BIGINT) AS units_sold,
        sum(gross) AS gross_sales,
        sum(refund) AS returns_value,
        sum(gross) - sum(refund) AS net_sales,
        sum(cost) AS cost_of_goods_sold
    FROM facts
    GROUP BY ALL
)
"""


def maven_monthly() -> pl.DataFrame:
    """Sales, units and margin of the whole history by month; refunds by their own date.

    Gross profit is net sales less the cost of all goods sold: refunded goods come back to no
    shelf, so their cost stays. Gross margin is gross profit over net sales.
    """
    return query(
        f"""
        {_MAVEN_MONTHS}
        SELECT
            period,
            orders,
            gross_sales / nullif(orders, 0) AS average_order_value,
            units_sold,
            units_sold / nullif(orders, 0) AS units_per_transaction,
            gross_sales,
            returns_value,
            net_sales,
            cost_of_goods_sold,
            net_sales - cost_of_goods_sold AS gross_profit,
            (net_sales - cost_of_goods_sold) / nullif(net_sales, 0) AS gross_margin
        FROM months
        ORDER BY period
        """,
        "maven_toystore_orders",
        "maven_toystore_order_items",
        "maven_toystore_refunds",
    )


# --- The generated shop --------------------------------------------------------------------


def dbtie_sessions(*by: Literal["period", "channel"]) -> pl.DataFrame:
    """Sessions, conversion, bounces and visitors, with the flags as the shop supplies them."""
    return query(
        f"""
        WITH visits AS (
            SELECT
                CAST(date_trunc('month', CAST(session_date AS TIMESTAMP)) AS DATE) AS period,
                source AS channel,
                coalesce(CAST(customer_id AS VARCHAR), session_id) AS visitor_id,
                converted,
                is_bounce
            FROM dbtie_website_sessions
        )
        SELECT
            {keys(by)}
            count(*) AS sessions,
            count(*) FILTER (WHERE converted) / count(*) AS session_conversion_rate,
            count(*) FILTER (WHERE is_bounce) / count(*) AS bounce_rate,
            count(DISTINCT visitor_id) AS unique_visitors
        FROM visits
        GROUP BY ALL
        ORDER BY ALL
        """,
        "dbtie_website_sessions",
    )


_DBTIE_SALES = """
WITH placed AS (
    SELECT orders.*, customers.country, orders.status <> 'cancelled' AS counts
    FROM dbtie_orders AS orders
    LEFT JOIN dbtie_customers AS customers USING (customer_id)
),
facts AS (
    SELECT
        CAST(order_date AS TIMESTAMP) AS happened_at,
        country,
        customer_id,
        1 AS orders,
        subtotal AS gross,
        discount_amount AS discount,
        0.0 AS refund
    FROM placed
    WHERE counts
    UNION ALL
    SELECT CAST(return_date AS TIMESTAMP), country, NULL, 0, 0.0, 0.0, refund_amount
    FROM dbtie_returns AS returns JOIN placed USING (order_id)
    WHERE return_status IN ('approved', 'processed') AND counts
),
dated AS (
    SELECT *, CAST(date_trunc('month', happened_at) AS DATE) AS period FROM facts
)
"""


def dbtie_sales(*by: Literal["period", "country"]) -> pl.DataFrame:
    """Orders that were not cancelled, their sales, and their returns by return date.

    The country is that of the order's customer. Average order value is taken after discounts.
    """
    return query(
        f"""
        {_DBTIE_SALES}
        SELECT
            {keys(by)}
            CAST(sum(orders) AS BIGINT) AS orders,
            sum(gross) AS gross_sales,
            sum(discount) AS discounts,
            (sum(gross) - sum(discount)) / nullif(sum(orders), 0) AS average_order_value,
            sum(refund) AS returns_value,
            sum(gross) - sum(discount) - sum(refund) AS net_sales,
            count(DISTINCT customer_id) AS customers
        FROM dated
        GROUP BY ALL
        ORDER BY ALL
        """,
        "dbtie_orders",
        "dbtie_customers",
        "dbtie_returns",
    )


def dbtie_satisfaction(*by: Literal["period"]) -> pl.DataFrame:
    """Share of customers whose latest rating (of the month, when monthly) is 4 or 5."""
    return query(
        f"""
        WITH reviews AS (
            SELECT
                CAST(date_trunc('month', CAST(review_date AS DATE)) AS DATE) AS period,
                CAST(review_date AS DATE) AS day,
                review_id,
                customer_id,
                rating
            FROM dbtie_reviews
        ),
        latest AS (
            SELECT *
            FROM reviews
            QUALIFY 1 = row_number() OVER (
                PARTITION BY {keys(by)} customer_id ORDER BY day DESC, review_id DESC
            )
        )
        SELECT
            {keys(by)}
            count(*) FILTER (WHERE rating >= 4) / count(*) AS customer_satisfaction_score
        FROM latest
        GROUP BY ALL
        ORDER BY ALL
        """,
        "dbtie_reviews",
    )


def dbtie_campaigns(*by: Literal["period", "platform"]) -> pl.DataFrame:
    """Click-through rate and ad spend, a campaign counted in the month of its start."""
    return query(
        f"""
        WITH campaigns AS (
            SELECT
                CAST(date_trunc('month', CAST(start_date AS DATE)) AS DATE) AS period,
                channel AS platform,
                actual_impressions,
                clicks,
                budget
            FROM dbtie_marketing_campaigns
        )
        SELECT
            {keys(by)}
            sum(clicks) / nullif(sum(actual_impressions), 0) AS click_through_rate,
            sum(budget) AS ad_spend
        FROM campaigns
        GROUP BY ALL
        ORDER BY ALL
        """,
        "dbtie_marketing_campaigns",
    )


# --- Facebook ads --------------------------------------------------------------------------


def facebook_ads(*by: Literal["age", "gender"]) -> pl.DataFrame:
    """Click-through rate, ad spend and return on it, a sale taken as worth 100."""
    return query(
        f"""
        SELECT
            {keys(by)}
            sum(Clicks) / nullif(sum(Impressions), 0) AS click_through_rate,
            sum(Spent) AS ad_spend,
            100.0 * sum(Approved_Conversion) / nullif(sum(Spent), 0) AS return_on_ad_spend
        FROM facebook_ads_kag_conversion
        GROUP BY ALL
        ORDER BY ALL
        """,
        "facebook_ads_kag_conversion",
    )


# --- NPS survey ----------------------------------------------------------------------------


def nps_survey(*by: Literal["period", "market"]) -> pl.DataFrame:
    """Net promoter score, from -100 to 100."""
    return query(
        f"""
        WITH answers AS (
            SELECT
                make_date(
                    2000 + CAST(right(survey_date, 2) AS BIGINT),
                    CAST(split_part(survey_date, '/', 2) AS BIGINT),
                    1
                ) AS period,
                market,
                rating
            FROM nps_bank_survey
        )
        SELECT
            {keys(by)}
            100.0
                * (count(*) FILTER (WHERE rating >= 9) - count(*) FILTER (WHERE rating <= 6))
                / count(*) AS net_promoter_score
        FROM answers
        GROUP BY ALL
        ORDER BY ALL
        """,
        "nps_bank_survey",
    )

"""Expected numbers of advertising, acquisition and e-mail. Conventions are those of `expected`."""

from typing import Literal

import polars as pl

from data import expected_sales
from data.sql import keys, query

# --- Advertising ---------------------------------------------------------------------------

_ADS = """
    CAST(sum(impressions) AS BIGINT) AS impressions,
    1000.0 * sum(spend) / nullif(sum(impressions), 0) AS cost_per_mille,
    sum(spend) / nullif(sum(clicks), 0) AS cost_per_click,
    sum(clicks) / nullif(sum(impressions), 0) AS click_through_rate
"""

_CONVERSIONS = """
    sum(conversions) / nullif(sum(clicks), 0) AS ad_conversion_rate,
    sum(spend) / nullif(sum(conversions), 0) AS cost_per_acquisition
"""

_VALUES = """
    sum(value) / nullif(sum(spend), 0) AS return_on_ad_spend,
    sum(spend) / nullif(sum(value), 0) AS advertising_cost_of_sales
"""


def facebook_costs(*by: Literal["age", "gender"]) -> pl.DataFrame:
    """What a thousand impressions, a click and a sale cost; a sale is taken as worth 100."""
    return query(
        f"""
        WITH ads AS (
            SELECT
                *,
                Spent AS spend,
                Approved_Conversion AS conversions,
                100.0 * Approved_Conversion AS value
            FROM facebook_ads_kag_conversion
        )
        SELECT {keys(by)} {_ADS}, {_CONVERSIONS}, {_VALUES}
        FROM ads
        GROUP BY ALL
        ORDER BY ALL
        """,
        "facebook_ads_kag_conversion",
    )


def ad_report(*by: Literal["period", "platform"]) -> pl.DataFrame:
    """Costs and conversions of three platforms, which all claim the same orders.

    Over several platforms neither conversions nor their value are known.
    """
    claimed = [_CONVERSIONS, _VALUES] if "platform" in by else []
    return query(
        f"""
        WITH ads AS (
            SELECT
                *,
                CAST(date_trunc('month', date_day) AS DATE) AS period,
                conversions_value AS value
            FROM pymc_fivetran_ad_report
        )
        SELECT {keys(by)} {", ".join([_ADS, *claimed])}
        FROM ads
        GROUP BY ALL
        ORDER BY ALL
        """,
        "pymc_fivetran_ad_report",
    )


def dbtie_ads(*by: Literal["period", "platform"]) -> pl.DataFrame:
    """Costs and conversions of campaigns, in the month of their start, with those cancelled."""
    claimed = [_CONVERSIONS] if "platform" in by else []
    return query(
        f"""
        WITH ads AS (
            SELECT
                *,
                CAST(date_trunc('month', CAST(start_date AS DATE)) AS DATE) AS period,
                channel AS platform,
                actual_impressions AS impressions,
                budget AS spend
            FROM dbtie_marketing_campaigns
        )
        SELECT {keys(by)} {", ".join([_ADS, *claimed])}
        FROM ads
        GROUP BY ALL
        ORDER BY ALL
        """,
        "dbtie_marketing_campaigns",
    )


# --- Marketing as a whole ------------------------------------------------------------------


def media_mix(*by: Literal["period"]) -> pl.DataFrame:
    """Revenue over what marketing cost: ads in the month of the week's Monday, the rest by day."""
    return query(
        f"""
        WITH facts AS (
            SELECT
                DATE AS day, revenue, facebook_S + search_S AS ads, 0.0 AS others
            FROM robyn_simulated_weekly
            UNION ALL
            SELECT DATE + CAST(i AS INTEGER), 0.0, 0.0, (tv_S + ooh_S + print_S) / 7
            FROM robyn_simulated_weekly, range(7) AS days (i)
        ),
        dated AS (SELECT *, CAST(date_trunc('month', day) AS DATE) AS period FROM facts)
        SELECT
            {keys(by)}
            sum(ads) AS ad_spend,
            sum(revenue) / nullif(sum(ads) + sum(others), 0) AS marketing_efficiency_ratio,
            sum(revenue) / nullif(sum(ads), 0) AS "marketing_efficiency_ratio.media_only",
            sum(ads) / nullif(sum(revenue), 0) AS "advertising_cost_of_sales.total"
        FROM dated
        GROUP BY ALL
        ORDER BY ALL
        """,
        "robyn_simulated_weekly",
    )


_ACQUISITION = """
WITH numbered AS (
    SELECT
        *,
        CAST(order_date AS TIMESTAMP) AS ordered_at,
        row_number() OVER (
            PARTITION BY customer_id ORDER BY CAST(order_date AS TIMESTAMP), order_id
        ) AS nth
    FROM dbtie_orders
    WHERE status <> 'cancelled'
),
campaigns AS (
    SELECT
        CAST(start_date AS DATE) AS first_day,
        date_diff('day', CAST(start_date AS DATE), CAST(end_date AS DATE)) + 1 AS days,
        budget,
        campaign_type AS kind
    FROM dbtie_marketing_campaigns
),
facts AS (
    SELECT
        CAST(ordered_at AS DATE) AS day,
        CAST(nth = 1 AS INTEGER) AS won,
        CASE WHEN nth = 1 THEN discount_amount ELSE 0 END AS discount,
        subtotal - discount_amount AS net,
        0.0 AS ads,
        0.0 AS acquisition,
        0.0 AS others
    FROM numbered
    UNION ALL
    SELECT CAST(return_date AS DATE), 0, 0.0, -refund_amount, 0.0, 0.0, 0.0
    FROM dbtie_returns JOIN numbered USING (order_id)
    WHERE return_status IN ('approved', 'processed')
    UNION ALL
    SELECT first_day, 0, 0.0, 0.0, budget, 0.0, 0.0
    FROM campaigns WHERE kind IN ('search', 'social_media', 'display')
    UNION ALL
    SELECT
        CAST(unnest(range(first_day, first_day + CAST(days AS INTEGER), INTERVAL 1 DAY)) AS DATE),
        0,
        0.0,
        0.0,
        0.0,
        CASE WHEN kind IN ('affiliate', 'influencer') THEN budget / days ELSE 0 END,
        budget / days
    FROM campaigns WHERE kind IN ('affiliate', 'influencer', 'email')
)
"""


def dbtie_acquisition(*by: Literal["period"]) -> pl.DataFrame:
    """What a new customer costs, by media alone, with all that wins customers, with discounts.

    Ads cost on the day on which their campaign begins, affiliates, influencers and e-mail on every
    day of theirs; e-mail wins nobody. Sales less returns over all of it is the efficiency.
    """
    return query(
        f"""
        {_ACQUISITION},
        dated AS (SELECT *, CAST(date_trunc('month', day) AS DATE) AS period FROM facts)
        SELECT
            {keys(by)}
            CAST(sum(won) AS BIGINT) AS new_customers,
            (sum(ads) + sum(acquisition)) / nullif(sum(won), 0) AS customer_acquisition_cost,
            sum(ads) / nullif(sum(won), 0) AS "customer_acquisition_cost.media",
            (sum(ads) + sum(acquisition) + sum(discount)) / nullif(sum(won), 0)
                AS "customer_acquisition_cost.with_discounts",
            sum(net) / nullif(sum(ads) + sum(others), 0) AS marketing_efficiency_ratio
        FROM dated
        GROUP BY ALL
        ORDER BY ALL
        """,
        "dbtie_orders",
        "dbtie_returns",
        "dbtie_marketing_campaigns",
    )


def dbtie_value_over_cost_monthly() -> pl.DataFrame:
    """The lifetime value of a customer of the month over what a new one cost, if anything."""
    value, cost = expected_sales.dbtie_lifetime_value_monthly(), dbtie_acquisition("period")
    both = value.join(cost, on="period", how="left", maintain_order="left")
    cost_of_one = pl.col("customer_acquisition_cost")
    ratio = pl.when(cost_of_one > 0).then(pl.col("customer_lifetime_value") / cost_of_one)
    return both.select("period", clv_cac_ratio=ratio)


_MARGIN = """
costs AS (
    SELECT order_id, sum(quantity * cost) AS cost
    FROM dbtie_order_items JOIN dbtie_products USING (product_id)
    GROUP BY order_id
),
margins AS (
    SELECT
        CAST(ordered_at AS DATE) AS day,
        subtotal - discount_amount AS net,
        shipping_cost - coalesce(cost, 0) AS rest,
        0.0 AS marketing
    FROM numbered LEFT JOIN costs USING (order_id)
    UNION ALL
    SELECT CAST(return_date AS DATE), -refund_amount, -processing_fee, 0.0
    FROM dbtie_returns JOIN numbered USING (order_id)
    WHERE return_status IN ('approved', 'processed')
    UNION ALL
    SELECT first_day, 0.0, 0.0, budget
    FROM campaigns WHERE kind IN ('search', 'social_media', 'display')
    UNION ALL
    SELECT
        CAST(unnest(range(first_day, first_day + CAST(days AS INTEGER), INTERVAL 1 DAY)) AS DATE),
        0.0,
        0.0,
        budget / days
    FROM campaigns WHERE kind = 'affiliate'
)
"""


def dbtie_contribution(*by: Literal["period"]) -> pl.DataFrame:
    """Net sales and shipping paid, less goods and the handling of returns; then less marketing.

    Of marketing the ads and the affiliates are taken off, whose cost rises with sales. What
    carriers, payment and packing cost is not known.
    """
    return query(
        f"""
        {_ACQUISITION}, {_MARGIN},
        dated AS (SELECT *, CAST(date_trunc('month', day) AS DATE) AS period FROM margins)
        SELECT
            {keys(by)}
            sum(net) + sum(rest) AS contribution_margin,
            sum(net) + sum(rest) - sum(marketing) AS contribution_margin_after_marketing,
            CASE WHEN sum(net) > 0 THEN (sum(net) + sum(rest)) / sum(net) END
                AS contribution_margin_ratio
        FROM dated
        GROUP BY ALL
        ORDER BY ALL
        """,
        "dbtie_orders",
        "dbtie_order_items",
        "dbtie_products",
        "dbtie_returns",
        "dbtie_marketing_campaigns",
    )


# --- E-mail --------------------------------------------------------------------------------


def hillstrom_emails(*by: Literal["message_id", "zip_code"]) -> pl.DataFrame:
    """Visits, buyers and what they spend over e-mails; those who got none stay out."""
    return query(
        f"""
        WITH emails AS (
            SELECT *, segment AS message_id FROM hillstrom_email WHERE segment <> 'No E-Mail'
        )
        SELECT
            {keys(by)}
            count(*) AS emails_delivered,
            sum(visit) / count(*) AS email_click_rate,
            sum(conversion) / count(*) AS email_conversion_rate,
            sum(conversion) / count(*) AS "email_conversion_rate.as_attributed",
            sum(conversion) / count(*) AS "email_conversion_rate.orders",
            sum(spend) / count(*) AS revenue_per_recipient
        FROM emails
        GROUP BY ALL
        ORDER BY ALL
        """,
        "hillstrom_email",
    )

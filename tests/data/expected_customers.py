"""Expected numbers of customers: who is new, who comes back, and how soon.

Two histories of purchases: Online Retail over two years, and CDNOW. Conventions are those of
`expected`; times are seconds. Purchases without a customer enter nothing.
"""

from typing import Literal

import polars as pl

from data.sql import keys, query, same_keys

_TWO_YEARS = """
WITH rows AS (
    SELECT * FROM online_retail_ii_2009_2010 WHERE InvoiceDate < TIMESTAMP '2010-12-01'
    UNION ALL BY NAME
    SELECT * FROM online_retail_uci
),
purchases AS (
    SELECT
        InvoiceNo AS order_id,
        min(InvoiceDate) AS ordered_at,
        max(CustomerID) AS customer_id,
        min(Country) AS country,
        sum(Quantity) AS units,
        sum(Quantity * UnitPrice) AS amount
    FROM rows
    WHERE InvoiceNo NOT LIKE 'C%'
    GROUP BY InvoiceNo
),
refunds AS (
    SELECT
        InvoiceDate AS returned_at, CustomerID AS customer_id, -Quantity * UnitPrice AS refund
    FROM rows
    WHERE InvoiceNo LIKE 'C%'
)
"""

_TWO_YEARS_FILES = ("online_retail_ii_2009_2010", "online_retail_uci")

_CDNOW = """
WITH purchases AS (
    SELECT
        row_number() OVER () AS order_id,
        CAST(date AS TIMESTAMP) AS ordered_at,
        customer_id,
        amount
    FROM cdnow_master_transactions
),
refunds AS (
    SELECT TIMESTAMP '1997-01-01' AS returned_at, 1 AS customer_id, 0.0 AS refund WHERE false
)
"""

_NUMBERED = """
orders AS (
    SELECT
        *,
        CAST(date_trunc('month', ordered_at) AS DATE) AS period,
        row_number() OVER in_turn AS nth,
        epoch(ordered_at) - epoch(lag(ordered_at) OVER in_turn) AS gap,
        epoch(lead(ordered_at) OVER in_turn) - epoch(ordered_at) AS wait,
        CAST(ordered_at AS DATE) > CAST(first_value(ordered_at) OVER in_turn AS DATE)
            AS is_later_day,
        (SELECT max(ordered_at) FROM purchases) - ordered_at >= INTERVAL 90 DAY AS is_mature
    FROM purchases
    WHERE customer_id IS NOT NULL
    WINDOW in_turn AS (PARTITION BY customer_id ORDER BY ordered_at, order_id)
)
"""


def two_years_buyers(*by: Literal["period", "country"]) -> pl.DataFrame:
    """The buyers of Online Retail; see `_buyers`."""
    return _buyers(_TWO_YEARS, by, *_TWO_YEARS_FILES)


def cdnow_buyers(*by: Literal["period"]) -> pl.DataFrame:
    """The buyers of CDNOW; see `_buyers`."""
    return _buyers(_CDNOW, by, "cdnow_master_transactions")


def _buyers(history: str, by: tuple[str, ...], *files: str) -> pl.DataFrame:
    """How many bought, who of them for the first time ever, how often, and how soon again.

    Within 90 days: of the customers won while 90 days were still to come, those whose second
    order came in them. Where guests alone have bought there are no customers.
    """
    return query(
        f"""
        {history}, {_NUMBERED},
        buyers AS (
            SELECT
                {keys(by)}
                customer_id,
                count(*) AS orders,
                bool_or(nth = 1) AS is_new,
                bool_or(nth > 1) AS is_repeat,
                bool_or(nth = 1 AND is_mature) AS is_mature,
                bool_or(nth = 1 AND is_mature AND wait <= 90 * 86400) AS is_back
            FROM orders
            GROUP BY ALL
        ),
        gaps AS (
            SELECT {keys(by)} median(gap) AS typical_gap, avg(gap) AS mean_gap
            FROM orders GROUP BY ALL
        ),
        groups AS (
            SELECT DISTINCT {keys(by)} 'all' AS whole
            FROM (SELECT *, CAST(date_trunc('month', ordered_at) AS DATE) AS period FROM purchases)
        )
        SELECT {keys(by, "groups.")} {_BUYERS}
        FROM groups
        LEFT JOIN buyers ON {same_keys(by, "groups", "buyers")}
        LEFT JOIN gaps ON {same_keys(by, "groups", "gaps")}
        GROUP BY ALL
        ORDER BY ALL
        """,
        *files,
    )


_BUYERS = """
    count(customer_id) AS customers,
    count(*) FILTER (WHERE is_new) AS new_customers,
    count(*) FILTER (WHERE is_new) / nullif(count(customer_id), 0) AS new_customer_rate,
    count(*) FILTER (WHERE NOT is_new) / nullif(count(customer_id), 0) AS returning_customer_rate,
    count(*) FILTER (WHERE is_repeat) / nullif(count(customer_id), 0)
        AS "returning_customer_rate.any_repeat",
    sum(orders) / nullif(count(customer_id), 0) AS purchase_frequency,
    count(*) FILTER (WHERE orders >= 2) / nullif(count(customer_id), 0)
        AS "repeat_purchase_rate.in_window",
    count(*) FILTER (WHERE is_back) / nullif(count(*) FILTER (WHERE is_mature), 0)
        AS repeat_purchase_rate_nd,
    any_value(typical_gap) AS days_between_orders,
    any_value(mean_gap) AS "days_between_orders.mean"
"""


def two_years_comings_and_goings_monthly() -> pl.DataFrame:
    """The base of Online Retail from month to month; see `_comings_and_goings`."""
    return _comings_and_goings(_TWO_YEARS, *_TWO_YEARS_FILES)


def cdnow_comings_and_goings_monthly() -> pl.DataFrame:
    """The base of CDNOW from month to month; see `_comings_and_goings`."""
    return _comings_and_goings(_CDNOW, "cdnow_master_transactions")


_BASE = """
active AS (
    SELECT period, customer_id, bool_or(nth = 1) AS is_new FROM orders GROUP BY ALL
),
months AS (
    SELECT period, count(*) AS n, count(*) FILTER (WHERE is_new) AS new
    FROM active GROUP BY period
),
kept AS (
    SELECT later.period, count(*) AS kept
    FROM active AS later JOIN active AS earlier
        ON earlier.customer_id = later.customer_id
        AND earlier.period = later.period - INTERVAL 1 MONTH
    GROUP BY later.period
),
base AS (
    SELECT
        months.period, months.n, months.new, coalesce(kept, 0) AS kept,
        coalesce(before.n, 0) AS n_before
    FROM months
    LEFT JOIN kept USING (period)
    LEFT JOIN months AS before ON before.period = months.period - INTERVAL 1 MONTH
)
"""


def _comings_and_goings(history: str, *files: str) -> pl.DataFrame:
    """Customers of a month set against those of the month before: kept, lost, won, won back."""
    return query(
        f"""
        {history}, {_NUMBERED},
        {_BASE}
        SELECT
            period,
            kept AS retained_customers,
            n - new - kept AS resurrected_customers,
            n_before - kept AS churned_customers,
            (n - kept) / nullif(n_before - kept, 0) AS growth_quick_ratio,
            kept / nullif(n_before, 0) AS customer_retention_rate,
            1 - kept / nullif(n_before, 0) AS customer_churn_rate,
            (n - new) / nullif(n_before, 0) AS "customer_retention_rate.accounting",
            1 - (n - new) / nullif(n_before, 0) AS "customer_churn_rate.accounting"
        FROM base
        ORDER BY period
        """,
        *files,
    )


def two_years_to_date_monthly() -> pl.DataFrame:
    """The customers of Online Retail so far, at the end of each month; see `_to_date`."""
    return _to_date(_TWO_YEARS, *_TWO_YEARS_FILES)


def cdnow_to_date_monthly() -> pl.DataFrame:
    """The customers of CDNOW so far, at the end of each month; see `_to_date`."""
    return _to_date(_CDNOW, "cdnow_master_transactions")


_MONTHS_TO_DATE = """
later_days AS (
    SELECT min(period) AS period FROM orders WHERE is_later_day GROUP BY customer_id
),
facts AS (
    SELECT
        period, customer_id, CAST(nth = 1 AS INTEGER) AS first,
        CAST(nth = 2 AS INTEGER) AS second, 0 AS later_day, amount
    FROM orders
    UNION ALL
    SELECT period, NULL, 0, 0, 1, 0.0 FROM later_days
    UNION ALL
    SELECT
        CAST(date_trunc('month', returned_at) AS DATE), NULL, 0, 0, 0, -refund
    FROM refunds
    WHERE customer_id IS NOT NULL
),
months AS (
    SELECT
        period, count(DISTINCT customer_id) AS customers, sum(amount) AS net,
        sum(sum(first)) OVER (ORDER BY period) AS firsts,
        sum(sum(second)) OVER (ORDER BY period) AS seconds,
        sum(sum(later_day)) OVER (ORDER BY period) AS later_days,
        sum(sum(amount)) OVER (ORDER BY period) AS net_to_date
    FROM facts GROUP BY period
)
"""


def _to_date(history: str, *files: str) -> pl.DataFrame:
    """Who has ordered twice by the end of the month, also on another day, and what all brought.

    Refunds are those of known customers, in the month in which they were given.
    """
    return query(
        f"""
        {history}, {_NUMBERED},
        {_MONTHS_TO_DATE}
        SELECT
            period,
            seconds / firsts AS repeat_purchase_rate,
            seconds / firsts AS repeat_order_probability,
            later_days / firsts AS "repeat_purchase_rate.by_days",
            net_to_date / firsts AS customer_lifetime_revenue,
            net / nullif(customers, 0) AS average_revenue_per_customer
        FROM months
        ORDER BY period
        """,
        *files,
    )


_GROWTH = """
facts AS (
    SELECT ordered_at AS happened_at, amount AS net, units FROM purchases
    UNION ALL
    SELECT returned_at, -refund, 0 FROM refunds
),
days AS (
    SELECT
        CAST(date_trunc('month', happened_at) AS DATE) AS period,
        day(happened_at) AS day,
        sum(net) AS net
    FROM facts GROUP BY ALL
),
ends AS (
    SELECT
        CAST(date_trunc('month', max(ordered_at)) AS DATE) AS open_period,
        day(max(ordered_at)) AS last_day
    FROM purchases
),
months AS (
    SELECT period, sum(net) AS net, sum(net) FILTER (WHERE day <= last_day) AS net_so_far
    FROM days, ends GROUP BY period
)
"""


def two_years_growth_monthly() -> pl.DataFrame:
    """Net sales against those of the month before, guests included.

    The last month is open: it is set against as many days of the month before. A refund of those
    days counts when it was given.
    """
    return query(
        f"""
        {_TWO_YEARS},
        {_GROWTH}
        SELECT
            now.period,
            CASE
                WHEN now.period = open_period
                THEN (now.net - before.net_so_far) / nullif(abs(before.net_so_far), 0)
                ELSE (now.net - before.net) / nullif(abs(before.net), 0)
            END AS sales_growth_rate
        FROM months AS now
        CROSS JOIN ends
        LEFT JOIN months AS before ON before.period = now.period - INTERVAL 1 MONTH
        ORDER BY now.period
        """,
        *_TWO_YEARS_FILES,
    )


def two_years_invoices(*by: Literal["period", "country"]) -> pl.DataFrame:
    """What is in an invoice, guests included; some are worth nothing, or less."""
    return query(
        f"""
        {_TWO_YEARS},
        orders AS (
            SELECT *, CAST(date_trunc('month', ordered_at) AS DATE) AS period FROM purchases
        )
        SELECT
            {keys(by)}
            median(amount) AS median_order_value,
            sum(amount) / sum(units) AS average_unit_retail,
            CAST(sum(units) AS BIGINT) AS units_sold,
            sum(amount) FILTER (WHERE amount > 0) / count(*) FILTER (WHERE amount > 0)
                AS "average_order_value.without_free"
        FROM orders
        GROUP BY ALL
        ORDER BY ALL
        """,
        *_TWO_YEARS_FILES,
    )

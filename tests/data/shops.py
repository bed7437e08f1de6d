"""Data sets bound to the canonical tables: real exports, or made ones of the same form.

Each function reads one data set and returns its tables by canonical name. Nothing is cleaned
beyond what the binding needs: odd rows of an export stay as they are.
"""

import datetime as dt

import polars as pl

from data.sql import file_of

Tables = dict[str, pl.DataFrame]


def online_retail() -> Tables:
    """Online Retail (UCI 352): invoices as orders, cancelled invoices (C...) as returns."""
    return _invoices(read("online_retail_uci"))


def online_retail_two_years() -> Tables:
    """Online Retail I and II (UCI 502, 352) as one history; the days that both hold enter once.

    A cancelled invoice is an order of its own in the export, but it tells whose money it gives
    back.
    """
    earlier = read("online_retail_ii_2009_2010").filter(pl.col("InvoiceDate") < SECOND_FILE)
    return _invoices(pl.concat([earlier, read("online_retail_uci")], how="vertical_relaxed"))


SECOND_FILE = dt.datetime(2010, 12, 1)
"""When the second file begins."""


def _invoices(rows: pl.DataFrame) -> Tables:
    rows = rows.with_row_index("order_line_id", offset=1)
    rows = rows.with_columns(pl.col("order_line_id").cast(pl.Int64))
    is_return = pl.col("InvoiceNo").str.starts_with("C")
    sold = rows.filter(~is_return)

    orders = sold.group_by(pl.col("InvoiceNo").alias("order_id"), maintain_order=True).agg(
        ordered_at=pl.col("InvoiceDate").min(),
        customer_id=pl.col("CustomerID").max(),
        country=pl.col("Country").first(),
    )
    order_lines = sold.select(
        "order_line_id",
        order_id="InvoiceNo",
        product_id="StockCode",
        quantity="Quantity",
        unit_price="UnitPrice",
    )
    returns = rows.filter(is_return).select(
        return_id="order_line_id",
        order_id="InvoiceNo",
        returned_at="InvoiceDate",
        kind=pl.lit("return"),
        quantity=-pl.col("Quantity"),
        refund_amount=-pl.col("Quantity") * pl.col("UnitPrice"),
        country="Country",
        customer_key="CustomerID",
    )
    return {"orders": orders, "order_lines": order_lines, "returns": returns}


def cdnow() -> Tables:
    """CDNOW: every row a purchase of some discs on one day, by one of the cohort of early 1997."""
    rows = read("cdnow_master_transactions").with_row_index("order_id")
    orders = rows.select(
        "order_id",
        "customer_id",
        ordered_at=pl.col("date").cast(pl.Datetime("us")),
        gross_amount="amount",
        discount_amount=pl.lit(0.0),
    )
    return {"orders": orders}


def maven() -> Tables:
    """Maven toy store: all orders, lines and refunds; sessions of the first page views only."""
    sessions = (
        read("maven_toystore_pageviews_part")
        .group_by("website_session_id")
        .agg(started_at=pl.col("created_at").min(), page_views=pl.len().cast(pl.Int64))
        .sort("website_session_id")
        .select(
            "started_at",
            "page_views",
            session_id="website_session_id",
            visitor_id="website_session_id",
        )
    )
    orders = read("maven_toystore_orders").select(
        "order_id",
        ordered_at="created_at",
        customer_id="user_id",
        session_id="website_session_id",
    )
    return {"sessions": sessions, "orders": orders, **_maven_lines()}


def _maven_lines() -> Tables:
    order_lines = read("maven_toystore_order_items").select(
        "order_id",
        "product_id",
        order_line_id="order_item_id",
        quantity=pl.lit(1, pl.Int64),
        unit_price="price_usd",
        unit_cost="cogs_usd",
        is_cross_sell=pl.col("is_primary_item") == 0,
    )
    returns = read("maven_toystore_refunds").select(
        "order_id",
        return_id="order_item_refund_id",
        order_line_id="order_item_id",
        returned_at="created_at",
        kind=pl.lit("return"),
        quantity=pl.lit(1, pl.Int64),
        refund_amount="refund_amount_usd",
        is_restocked=pl.lit(False),
    )
    return {"order_lines": order_lines, "returns": returns}


def maven_part() -> Tables:
    """Maven toy store cut to the orders of the sessions whose page views are there."""
    tables = maven()
    orders = tables["orders"].join(tables["sessions"], on="session_id", how="semi")
    return {
        "sessions": tables["sessions"],
        "orders": orders,
        "order_lines": tables["order_lines"].join(orders, on="order_id", how="semi"),
        "returns": tables["returns"].join(orders, on="order_id", how="semi"),
    }


def facebook() -> Tables:
    """Facebook ads (KAG): one row per ad, a sale taken as worth 100."""
    ads = read("facebook_ads_kag_conversion").select(
        "age",
        "gender",
        date=pl.date(2017, 8, 17),
        platform=pl.lit("facebook"),
        campaign_id="ad_id",
        impressions="Impressions",
        clicks="Clicks",
        spend="Spent",
        conversions="Approved_Conversion",
        conversion_value=100.0 * pl.col("Approved_Conversion"),
    )
    return {"campaign_performance": ads}


def ad_report() -> Tables:
    """A report over three platforms: one row for each ad and day, its ads taken as campaigns."""
    ads = read("pymc_fivetran_ad_report").select(
        "platform",
        "impressions",
        "clicks",
        "spend",
        "conversions",
        date="date_day",
        campaign_id="ad_id",
        conversion_value="conversions_value",
    )
    return {"campaign_performance": ads}


def media_mix() -> Tables:
    """Robyn's weeks: the revenue of a week is one order of its Monday, and nothing comes back.

    What Facebook and search cost is ad spend of that Monday. Television, posters and print, which
    no platform reports, are other costs of marketing, and cover the seven days.
    """
    weeks = read("robyn_simulated_weekly")
    orders = weeks.select(
        order_id=pl.col("DATE").cast(pl.String),
        ordered_at=pl.col("DATE").cast(pl.Datetime("us")),
        gross_amount="revenue",
        discount_amount=pl.lit(0.0),
    )
    spend = {"facebook_S": "facebook", "search_S": "search"}
    media = weeks.unpivot(spend, index="DATE", variable_name="platform", value_name="spend")
    others = weeks.unpivot(["tv_S", "ooh_S", "print_S"], index="DATE", value_name="amount")
    return {
        "orders": orders,
        "campaign_performance": media.select(
            pl.col("platform").replace(spend),
            "spend",
            date="DATE",
            campaign_id=pl.lit("all"),
        ),
        "marketing_costs": others.select(
            "amount",
            cost_id=pl.format("{} {}", "variable", "DATE"),
            period_start="DATE",
            period_end=pl.col("DATE").dt.offset_by("6d"),
        ),
    }


def hillstrom() -> Tables:
    """Hillstrom's e-mail test: who got an e-mail, visited in the two weeks after, and bought.

    A visit is taken as a click and a purchase as an order credited to the e-mail; the export
    has no dates, so all of it happens on the day of sending, and it knows of no bounce.
    """
    sent_at = pl.lit(dt.datetime(2008, 3, 20))
    people = (
        read("hillstrom_email")
        .with_row_index("recipient_id")
        .with_columns(pl.col("recipient_id").cast(pl.Int64))
        .filter(pl.col("segment") != "No E-Mail")
    )
    sends = people.select(
        "recipient_id",
        "zip_code",
        "history_segment",
        message_id="segment",
        sent_at=sent_at,
        bounce_type=pl.lit(None, pl.String),
        first_clicked_at=pl.when(pl.col("visit") == 1).then(sent_at),
        order_id=pl.when(pl.col("conversion") == 1).then("recipient_id"),
        attributed_revenue="spend",
    )
    orders = people.filter(pl.col("conversion") == 1).select(
        order_id="recipient_id",
        customer_id="recipient_id",
        ordered_at=sent_at,
        gross_amount="spend",
        discount_amount=pl.lit(0.0),
    )
    return {"email_sends": sends, "orders": orders}


def nps() -> Tables:
    """A bank's NPS survey: each response its own respondent, dates as d/m/yy or dd/mm/yyyy."""
    text = pl.col("survey_date")
    has_century = text.str.contains(r"/\d{4}$")
    short = pl.when(~has_century).then(text).str.to_date("%d/%m/%y")
    full = pl.when(has_century).then(text).str.to_date("%d/%m/%Y")
    surveys = read("nps_bank_survey").select(
        "market",
        response_id="id",
        survey_type=pl.lit("nps"),
        responded_at=pl.coalesce(short, full).cast(pl.Datetime("us")),
        customer_id=pl.lit(None, pl.Int64),
        score="rating",
    )
    return {"surveys": surveys}


def read(name: str) -> pl.DataFrame:
    """Read one file whole."""
    return pl.read_parquet(file_of(name))

"""The generated shop bound to the canonical tables."""

import polars as pl

from data.shops import Tables, read

STATUSES = {"completed": "fulfilled", "shipped": "fulfilled", "refunded": "fulfilled"}
"""The canonical words for those of the export; a refunded order stays an order."""


def dbtie() -> Tables:
    """A generated shop with sessions, orders, customers, returns, reviews and campaigns.

    It sells online alone, charges neither duties nor fees, refunds goods and nothing else, and
    puts nothing back to stock. What payment and packing cost is not in the export.
    """
    return {
        "sessions": _sessions(),
        "customers": _customers(),
        "orders": _orders(),
        "order_lines": _order_lines(),
        "returns": _returns(),
        "surveys": _surveys(),
        "campaign_performance": _campaign_performance(),
    }


def dbtie_with_costs() -> Tables:
    """The generated shop, its campaigns divided by their kind.

    Search, social and display campaigns are ads. Affiliates and influencers win customers too,
    but no platform reports them; e-mail keeps those that there are. The cost of both covers the
    days of the campaign, and that of affiliates rises with sales.
    """
    kinds = {"affiliate": "acquisition", "influencer": "acquisition", "email": "retention"}
    tables = dbtie()
    campaigns = read("dbtie_marketing_campaigns")
    others = campaigns.filter(pl.col("campaign_type").is_in(kinds))
    costs = others.select(
        cost_id="campaign_id",
        period_start=_day("start_date"),
        period_end=_day("end_date"),
        amount="budget",
        purpose=pl.col("campaign_type").replace(kinds),
        is_variable=pl.col("campaign_type") == "affiliate",
    )
    ads = tables["campaign_performance"].join(others, on="campaign_id", how="anti")
    return {**tables, "campaign_performance": ads, "marketing_costs": costs}


def _sessions() -> pl.DataFrame:
    return read("dbtie_website_sessions").select(
        "session_id",
        "customer_id",
        "page_views",
        "is_bounce",
        visitor_id=pl.coalesce(pl.col("customer_id").cast(pl.String), "session_id"),
        started_at=_time("session_date"),
        device="device_type",
        channel="source",
        duration_s="session_duration_seconds",
        has_purchase="converted",
    )


def _customers() -> pl.DataFrame:
    return read("dbtie_customers").select("customer_id", "country", segment="customer_segment")


def _orders() -> pl.DataFrame:
    return read("dbtie_orders").select(
        "order_id",
        "customer_id",
        pl.col("status").replace(STATUSES),
        "discount_amount",
        "tax_amount",
        "currency",
        ordered_at=_time("order_date"),
        sales_channel=pl.lit("online"),
        gross_amount="subtotal",
        shipping_amount="shipping_cost",
        duties_amount=pl.lit(0.0),
        fees_amount=pl.lit(0.0),
        payment_fee=pl.lit(None, pl.Float64),
        fulfilment_cost=pl.lit(None, pl.Float64),
    )


def _order_lines() -> pl.DataFrame:
    costs = read("dbtie_products").select("product_id", unit_cost="cost")
    return (
        read("dbtie_order_items")
        .select(
            "order_id",
            "product_id",
            "quantity",
            "unit_price",
            "discount_amount",
            order_line_id="order_item_id",
        )
        .join(costs, on="product_id", how="left", maintain_order="left")
    )


def _returns() -> pl.DataFrame:
    return (
        read("dbtie_returns")
        .filter(pl.col("return_status").is_in(["approved", "processed"]))
        .select(
            "return_id",
            "order_id",
            "refund_amount",
            order_line_id="order_item_id",
            returned_at=_day("return_date").cast(pl.Datetime("us")),
            kind=pl.lit("return"),
            quantity="return_quantity",
            refund_shipping=pl.lit(0.0),
            refund_tax=pl.lit(0.0),
            handling_cost="processing_fee",
            is_restocked=pl.lit(False),
        )
    )


def _surveys() -> pl.DataFrame:
    return read("dbtie_reviews").select(
        "customer_id",
        response_id="review_id",
        survey_type=pl.lit("csat"),
        responded_at=_day("review_date").cast(pl.Datetime("us")),
        score="rating",
    )


def _campaign_performance() -> pl.DataFrame:
    return read("dbtie_marketing_campaigns").select(
        "campaign_id",
        "clicks",
        "conversions",
        date=_day("start_date"),
        platform="channel",
        impressions="actual_impressions",
        spend="budget",
    )


def _time(column: str) -> pl.Expr:
    return pl.col(column).str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us")


def _day(column: str) -> pl.Expr:
    return pl.col(column).str.to_date("%Y-%m-%d")

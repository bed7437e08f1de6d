"""Made data in the form of the real exports, small, and as untidy as they are.

Guests and unnamed countries, cancelled invoices and orders, gifts and corrections below zero, more
given back than was paid, visits of unknown origin, dates in two notations, rows at the edges of
months. The files have the columns that are read, and are the same at every run.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

Row = dict[str, Any]

SECOND, MINUTE, DAY = (dt.timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "days"))


def write(folder: Path) -> Path:
    """Write every file into a folder, and give it back."""
    for make in MAKERS:
        for name, rows in make(Random(make.__name__)).items():
            frame = pl.DataFrame(rows, infer_schema_length=None)
            frame.write_parquet(folder / f"{name}.parquet")
    return folder


def moments(draw: Random, first: dt.datetime, last: dt.datetime, count: int) -> list[dt.datetime]:
    """Give moments in order, no two of them the same, some at the very edges of months."""
    minutes = int((last - first) / MINUTE)
    found = {first + number * MINUTE for number in draw.sample(range(minutes), count)}
    for moment in sorted(found)[:: max(1, count // 12)]:
        edge = (moment.replace(day=1) + 32 * DAY).replace(day=1, hour=0, minute=0)
        found |= {edge, edge - MINUTE} if edge < last else set()
    return sorted(found)


def money(draw: Random, most: float) -> float:
    return round(draw.uniform(0.05, most), 2)


# --- Invoices ------------------------------------------------------------------------------------

COUNTRIES = {
    **dict.fromkeys(range(60), "United Kingdom"),
    **dict.fromkeys(range(60, 75), "France"),
    **dict.fromkeys(range(75, 80)),
}
"""By customer; in Norway guests alone buy, and in Spain something is only ever given back."""


def invoices(draw: Random) -> dict[str, list[Row]]:
    """Two files of invoices that overlap by some days."""
    first, last = dt.datetime(2009, 12, 1, 7, 45), dt.datetime(2011, 12, 9, 12, 50)
    rows = [
        row
        for number, at in enumerate(moments(draw, first, last, 700))
        for row in _invoice(draw, 489_434 + number, at)
    ]
    cut, overlap = dt.datetime(2010, 12, 1), dt.datetime(2010, 12, 9)
    return {
        "online_retail_ii_2009_2010": [row for row in rows if row["InvoiceDate"] < overlap],
        "online_retail_uci": [row for row in rows if row["InvoiceDate"] >= cut],
    }


def _invoice(draw: Random, number: int, at: dt.datetime) -> Iterator[Row]:
    """Give the lines of an invoice, or of a cancelled one."""
    customer = draw.choice([*range(80), *[None] * 25])
    country = COUNTRIES[customer] if customer is not None else draw.choice(("France", "Norway"))
    kind = draw.choices(("sale", "C", "correction", "gift"), (80, 14, 3, 3))[0]
    if kind == "C" and customer is None:
        country = "Spain"
    for _ in range(draw.randint(1, 4)):
        units = draw.randint(1, 12) * (-1 if kind in {"C", "correction"} else 1)
        price = 0.0 if kind in {"gift", "correction"} else money(draw, 15)
        yield {
            "InvoiceNo": f"{'C' if kind == 'C' else ''}{number}",
            "StockCode": draw.choice(("85123A", "22423", "POST", "gift_0001_20")),
            "Quantity": units,
            "InvoiceDate": at,
            "UnitPrice": price,
            "CustomerID": customer,
            "Country": country,
        }


def discs(draw: Random) -> dict[str, list[Row]]:
    """Purchases of a cohort, some of nothing, several on a day."""
    first = dt.date(1997, 1, 1)
    rows = []
    for customer in range(1, 90):
        day = first + draw.randint(0, 80) * DAY
        for _ in range(draw.choice((1, 1, 1, 2, 3, 6, 12))):
            rows.append(
                {
                    "customer_id": customer,
                    "date": day,
                    "amount": draw.choice((0.0, money(draw, 80), money(draw, 80))),
                }
            )
            day += draw.choice((0, 1, 20, 89, 90, 91)) * DAY
    return {"cdnow_master_transactions": [row for row in rows if row["date"].year < 1999]}


# --- The toy store -------------------------------------------------------------------------------

PATHS = (
    ("/home",),
    ("/home", "/products"),
    ("/lander-1", "/products", "/the-original-mr-fuzzy"),
    ("/home", "/products", "/the-original-mr-fuzzy", "/cart"),
    ("/the-original-mr-fuzzy", "/cart", "/the-original-mr-fuzzy", "/cart", "/shipping"),
    ("/home", "/products", "/the-original-mr-fuzzy", "/cart", "/shipping", "/billing"),
)
BOUGHT = (*PATHS[-1], "/thank-you-for-your-order")
PRICES = {1: (49.99, 19.49), 2: (59.99, 22.49), 3: (14.99, 5.5)}


def toys(draw: Random) -> dict[str, list[Row]]:
    """Page views of four months, orders of a year, and refunds until after the last of these."""
    views: list[Row] = []
    orders: list[Row] = []
    first = dt.datetime(2012, 3, 19, 8)
    starts = moments(draw, first, dt.datetime(2012, 7, 1), 420)
    later = moments(draw, dt.datetime(2012, 7, 2), dt.datetime(2013, 2, 20), 160)
    for visit, at in enumerate(starts, start=1):
        path = BOUGHT if draw.random() < 0.15 else draw.choice(PATHS)
        for page in path:
            views.append({"website_session_id": visit, "created_at": at, "pageview_url": page})
            at += draw.randint(5, 900) * SECOND  # noqa: PLW2901
        if path is BOUGHT:
            orders.append(_toy_order(draw, len(orders), views[-1]["created_at"], visit))
    orders += [_toy_order(draw, len(orders) + n, at, 10_000 + n) for n, at in enumerate(later)]
    views = sorted(views, key=lambda row: row["created_at"])
    items = [item for order in orders for item in _toys_of(draw, order)]
    items = [{**item, "order_item_id": number} for number, item in enumerate(items, start=1)]
    return {
        "maven_toystore_pageviews_part": [
            {**row, "website_pageview_id": number} for number, row in enumerate(views, start=1)
        ],
        "maven_toystore_orders": orders,
        "maven_toystore_order_items": items,
        "maven_toystore_refunds": _toys_back(draw, items),
    }


def _toy_order(draw: Random, number: int, at: dt.datetime, visit: int) -> Row:
    user = draw.randint(1, 120)
    return {
        "order_id": number + 1,
        "created_at": at,
        "website_session_id": visit,
        "user_id": user,
    }


def _toys_of(draw: Random, order: Row) -> Iterator[Row]:
    """Give the toys of an order; until the page views end there is the bear alone."""
    is_early = order["website_session_id"] < 10_000
    products = [1] if is_early else draw.choice(([1], [2], [1, 3], [2, 3], [1, 2, 3]))
    for place, product in enumerate(products):
        price, cost = PRICES[product]
        yield {
            "order_id": order["order_id"],
            "created_at": order["created_at"],
            "product_id": product,
            "is_primary_item": int(place == 0),
            "price_usd": price,
            "cogs_usd": cost,
        }


def _toys_back(draw: Random, items: Sequence[Row]) -> list[Row]:
    """Give what came back: in part, in whole, and for more than it cost."""
    rows = [
        {
            "created_at": item["created_at"] + draw.randint(1, 70) * DAY,
            "order_item_id": item["order_item_id"],
            "order_id": item["order_id"],
            "refund_amount_usd": item["price_usd"] * draw.choice((1, 1, 0.5, 1.1)),
        }
        for item in items
        if draw.random() < 0.12
    ]
    return [{**row, "order_item_refund_id": number} for number, row in enumerate(rows, start=1)]


# --- The generated shop --------------------------------------------------------------------------

TIME, DATE = "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"


def shop(draw: Random) -> dict[str, list[Row]]:
    """A shop with visits, orders, returns, reviews and campaigns of two years."""
    first, last = dt.datetime(2022, 1, 1), dt.datetime(2023, 12, 31, 23, 59)
    customers = [
        {
            "customer_id": n,
            "country": "IS" if n in {58, 59} else draw.choice(("DE", "PL", None)),
            "customer_segment": "new",
        }
        for n in range(1, 91)
    ]
    orders = [_order(draw, n, at) for n, at in enumerate(moments(draw, first, last, 500), start=1)]
    items = [item for order in orders for item in _items(draw, order)]
    items = [{**item, "order_item_id": number} for number, item in enumerate(items, start=1)]
    returns = [_return(draw, item, orders) for item in items if draw.random() < 0.2]
    days = moments(draw, first, last, 120)
    return {
        "dbtie_customers": customers,
        "dbtie_products": [
            {"product_id": n, "cost": draw.choice((0.0, money(draw, 30)))} for n in range(1, 13)
        ],
        "dbtie_orders": orders,
        "dbtie_order_items": items,
        "dbtie_returns": [
            {**row, "return_id": number} for number, row in enumerate(returns, start=1)
        ],
        "dbtie_reviews": _reviews(draw, moments(draw, first, last, 260)),
        "dbtie_website_sessions": _visits(draw, moments(draw, first, last, 900)),
        "dbtie_marketing_campaigns": [
            _campaign(draw, number, day) for number, day in enumerate(days, start=1)
        ],
    }


def _order(draw: Random, number: int, at: dt.datetime) -> Row:
    """Give an order; some are cancelled, refunded or free, and some customers are not on file."""
    subtotal = draw.choice((0.0, *(money(draw, 300) for _ in range(9))))
    return {
        "order_id": number,
        "customer_id": draw.randint(1, 95),
        "order_date": at.strftime(TIME),
        "status": draw.choice(
            ("completed", "completed", "shipped", "pending", "cancelled", "refunded")
        ),
        "subtotal": subtotal,
        "tax_amount": round(subtotal * 0.19, 2),
        "shipping_cost": draw.choice((0.0, 4.99)),
        "discount_amount": draw.choice((0.0, round(subtotal / 10, 2), subtotal)),
        "currency": "USD",
    }


def _items(draw: Random, order: Row) -> Iterator[Row]:
    """Give the lines of an order; of some there are none."""
    for _ in range(draw.randint(0, 3)):
        yield {
            "order_id": order["order_id"],
            "product_id": draw.randint(1, 12),
            "quantity": draw.randint(1, 5),
            "unit_price": money(draw, 80),
            "discount_amount": 0.0,
        }


def _return(draw: Random, item: Row, orders: Sequence[Row]) -> Row:
    """Give what came back, at times for more than was paid, and at times not granted."""
    placed = dt.datetime.strptime(orders[item["order_id"] - 1]["order_date"], TIME)
    return {
        "order_id": item["order_id"],
        "order_item_id": item["order_item_id"],
        "return_date": (placed + draw.randint(1, 60) * DAY).strftime(DATE),
        "return_quantity": draw.randint(1, item["quantity"]),
        "refund_amount": money(draw, 200),
        "return_status": draw.choice(("approved", "processed", "pending", "rejected")),
        "processing_fee": money(draw, 5),
    }


def _reviews(draw: Random, times: Sequence[dt.datetime]) -> list[Row]:
    return [
        {
            "review_id": number,
            "customer_id": draw.randint(1, 60),
            "rating": draw.choice((1, 2, 3, 4, 5, 5)),
            "review_date": at.strftime(DATE),
        }
        for number, at in enumerate(times, start=1)
    ]


def _visits(draw: Random, times: Sequence[dt.datetime]) -> list[Row]:
    """Give visits of known and unknown customers, some of unknown source."""
    return [
        {
            "session_id": f"s{number:05}",
            "customer_id": draw.choice((None, None, draw.randint(1, 60))),
            "session_date": at.strftime(TIME),
            "device_type": draw.choice(("mobile", "desktop", "tablet", None)),
            "source": draw.choice(("organic", "email", "paid_search", "direct", None)),
            "page_views": pages,
            "session_duration_seconds": draw.choice((0, draw.randint(1, 4000))),
            "is_bounce": pages == 1,
            "converted": pages > 3 and draw.random() < 0.4,
        }
        for number, at in enumerate(times)
        for pages in [draw.choice((1, 1, 2, 3, 5, 9))]
    ]


def _campaign(draw: Random, number: int, at: dt.datetime) -> Row:
    """Give a campaign, across the ends of months; some were neither seen nor paid for."""
    seen = draw.choice((0, draw.randint(500, 90_000)))
    return {
        "campaign_id": number,
        "campaign_type": draw.choice(
            ("search", "social_media", "display", "affiliate", "influencer", "email")
        ),
        "channel": draw.choice(("google", "meta", "tiktok")),
        "start_date": at.strftime(DATE),
        "end_date": (at + draw.randint(0, 75) * DAY).strftime(DATE),
        "budget": draw.choice((0.0, money(draw, 5000), money(draw, 5000))),
        "actual_impressions": seen,
        "clicks": seen // draw.randint(20, 90),
        "conversions": seen // draw.randint(900, 4000),
    }


# --- The clickstream -----------------------------------------------------------------------------

STEPS = (
    ("home",),
    ("catalog", "product_view", "wishlist_add"),
    ("home", "catalog", "product_view", "add_to_cart"),
    ("product_view", "add_to_cart", "cart", "shipping_details"),
    ("promo_page", "review_page", "compare"),
    ("cart", "shipping_details", "payment_details", "purchase"),
    ("product_view", "add_to_cart", "cart", "shipping_details", "payment_details", "purchase"),
)


def clicks(draw: Random) -> dict[str, list[Row]]:
    """Visits of users who come back; no user does two things at once, or buys twice in a visit."""
    first, last = dt.datetime(2023, 11, 20), dt.datetime(2024, 4, 20)
    rows = []
    for number, start in enumerate(moments(draw, first, last, 420)):
        user = f"u{draw.randint(1, 110)}"
        channel, device = (
            draw.choice(("organic", "email", "ads", None)),
            draw.choice(("ios", "web", None)),
        )
        at = start
        for step in draw.choice(STEPS):
            at += draw.randint(1, 50) * SECOND
            rows.append(
                {
                    "user_id": user,
                    "session_id": f"v{number:04}",
                    "event": step,
                    "timestamp": at,
                    "platform": device,
                    "acquisition_channel": channel,
                }
            )
    return {"retentioneering_ecom_events": rows}


# --- Marketing and surveys -----------------------------------------------------------------------


def advertising(draw: Random) -> dict[str, list[Row]]:
    """Ads of one platform by age and gender, and of three by day; weeks of a mix of media."""
    return {
        "facebook_ads_kag_conversion": [
            {
                "ad_id": number,
                "age": draw.choice(("30-34", "35-39", None)),
                "gender": draw.choice(("M", "F")),
                "Impressions": draw.choice((0, draw.randint(100, 90_000))),
                "Clicks": draw.randint(0, 40),
                "Spent": draw.choice((0.0, money(draw, 60))),
                "Approved_Conversion": draw.choice((0, 0, 1, 3)),
            }
            for number in range(120)
        ],
        "pymc_fivetran_ad_report": [
            {
                "date_day": dt.date(2024, 1, 25) + day * DAY,
                "platform": platform,
                "ad_id": f"{platform}-{ad}",
                "clicks": draw.randint(0, 30),
                "impressions": draw.choice((0, draw.randint(10, 900))),
                "spend": draw.choice((0.0, money(draw, 20))),
                "conversions": draw.randint(0, 3),
                "conversions_value": draw.choice((0.0, money(draw, 90))),
            }
            for day in range(14)
            for platform in ("google_ads", "facebook_ads", "pinterest_ads")
            for ad in ("a", "b")
        ],
        "robyn_simulated_weekly": [
            {
                "DATE": dt.date(2023, 1, 2) + 7 * week * DAY,
                "revenue": money(draw, 90_000),
                **{
                    f"{medium}_S": draw.choice((0.0, money(draw, 3000)))
                    for medium in ("tv", "ooh", "print", "facebook", "search")
                },
            }
            for week in range(60)
        ],
    }


def people(draw: Random) -> dict[str, list[Row]]:
    """Recipients of e-mails, and answers to a survey whose dates are written in two ways."""
    sent = []
    for _ in range(500):
        visit = int(draw.random() < 0.3)
        bought = visit * int(draw.random() < 0.3)
        sent.append(
            {
                "segment": draw.choice(("Mens E-Mail", "Womens E-Mail", "No E-Mail")),
                "zip_code": draw.choice(("Rural", "Urban", None)),
                "history_segment": "1) $0 - $100",
                "visit": visit,
                "conversion": bought,
                "spend": money(draw, 200) * bought,
            }
        )
    days = [dt.date(2021, 1, 1) + draw.randint(0, 400) * DAY for _ in range(400)]
    answers = [
        {
            "id": number,
            "market": draw.choice(("US", "UK", None)),
            "survey_date": f"{day:%d/%m/%y}" if draw.random() < 0.5 else f"{day:%d/%m/%Y}",
            "rating": draw.randint(0, 10),
        }
        for number, day in enumerate(days)
    ]
    return {"hillstrom_email": sent, "nps_bank_survey": answers}


MAKERS: tuple[Callable[[Random], dict[str, list[Row]]], ...] = (
    invoices,
    discs,
    toys,
    shop,
    clicks,
    advertising,
    people,
)

"""Worked examples of profit, customers, surveys, stock and delivery."""

import datetime as dt
from typing import Any

import pytest

from oracle.examples import (
    DAY_S,
    Example,
    answers,
    day,
    fee,
    order,
    orders,
)
from oracle.examples import ad as ad_of
from oracle.examples import line as line_of
from oracle.examples import parcel as parcel_of
from oracle.examples import returned as returned_of
from oracle.examples import stock as stock_of
from oracle.words import Period, Row, Tables

near = pytest.approx
NEW_YEAR = dt.datetime(2024, 1, 1)
MIDYEAR = dt.datetime(2023, 6, 1)
YEAR = Period(dt.datetime(2023, 1, 1), NEW_YEAR)
DECEMBER = Period(dt.datetime(2023, 12, 1), NEW_YEAR)
JANUARY = Period(NEW_YEAR, day(2, 1), DECEMBER)
FEBRUARY = Period(day(2, 1), day(3, 1), JANUARY)
MARCH = Period(day(3, 1), day(4, 1), FEBRUARY)
NO_COSTS = {"payment_fee": 0.0, "fulfilment_cost": 0.0, "shipping_amount": 0.0}


def line(number: int, quantity: int | None = 1, cost: float | None = 0.0, **more: Any) -> Row:
    """Give the line of an order, of a price that does not matter."""
    return line_of(number, quantity=quantity, unit_price=0.0, unit_cost=cost, **more)


def ads(spend: float, at: dt.datetime = NEW_YEAR, **more: Any) -> Row:
    return ad_of(date=at.date(), campaign_id="a1", spend=spend, **more)


def stock(units: int | None, at: dt.datetime = NEW_YEAR, **more: Any) -> Row:
    return stock_of(units, at, **more)


def parcel(number: int, order_id: Any = 1, at: dt.datetime | None = NEW_YEAR, **more: Any) -> Row:
    return parcel_of(number, order_id, shipped_at=at, **more)


def refund(amount: float, number: Any = 1, at: dt.datetime = NEW_YEAR, **more: Any) -> Row:
    return returned_of(number, amount=amount, returned_at=at, **more)


def due(number: int, *, late: bool = False, units: int = 1, **more: Any) -> Row:
    """Give the one parcel of an order, promised for the tenth of January."""
    plain = {
        "delivered_at": day(1, 11) if late else day(1, 10),
        "promised_at": day(1, 10),
        "units_shipped": units,
        "has_item_error": False,
        "is_damaged": False,
        "documents_ok": True,
    }
    return parcel(number, number, day(1, 2), **{**plain, **more})


def delivered(*rows: Row, known: dt.datetime | None = None, **tables: list[Row]) -> Tables:
    """Give the shop of orders of one unit with these parcels, the n-th of the n-th order."""
    numbers = range(1, len(rows) + 1)
    return {
        "orders": [order(number, day(1, 1)) for number in numbers],
        "order_lines": [line(number) for number in numbers],
        "shipments": list(rows),
        "events": [{"occurred_at": known or day(1, 11)}],
        **tables,
    }


def in_january(says: str, tables: Tables, expected: dict[str, Any], source: str = "") -> Example:
    return Example(source, says, tables, expected, JANUARY)


PLATFORMS = [
    ads(1.0, conversions=1.0, conversion_value=4.0),
    ads(1.0, platform="google", conversions=1.0, conversion_value=4.0),
]
CONTRIBUTION = {
    "order_lines": [line(1, cost=39.0)],
    "returns": [refund(0.0, handling_cost=7.2)],
    "shipments": [parcel(1, shipping_cost=3.17)],
}
TWO_DAYS: Tables = {
    "orders": orders((day(1, 1, 9), 1), (day(1, 2, 9), 1)),
    "order_lines": [line(1, 10), line(2, 14)],
    "products": [{"product_id": "p1", "lead_time_days": 9.0, "lead_time_sd": 0.0}],
}
SAFE = 1.644854 * 8**0.5 * 3
"""Of 10 and 14 the sample's deviation is the root of 8; 19 in 20 is z = 1.6449; √9 days is 3."""

PARTLY_SHIPPED = {
    "orders": orders((day(1, 1), 1), (day(1, 1), 1), (day(1, 1), 1)),
    "order_lines": [line(1, 4), line(2, 2), line(3, 2)],
    "shipments": [
        parcel(1, 1, day(1, 2), units_shipped=1),
        parcel(2, 1, day(1, 2), units_shipped=1),
        parcel(3, 1, day(1, 3), units_shipped=2),
        parcel(4, 2, day(1, 2), units_shipped=5),
        parcel(5, 3, None, units_shipped=2),
    ],
}


def two_parcels(last: dt.datetime | None) -> Tables:
    """Give an order of two parcels, of which the second arrives when it is said."""
    times = {"promised_at": day(1, 10), "units_shipped": 1}
    return {
        "orders": orders((day(1, 1), 1)),
        "order_lines": [line(1, 2)],
        "events": [{"occurred_at": day(1, 11)}],
        "shipments": [
            parcel(1, 1, day(1, 2), delivered_at=day(1, 4), **times),
            parcel(2, 1, day(1, 2), delivered_at=last, **times),
        ],
    }


def promised(known: dt.datetime) -> Tables:
    """Give four parcels: without a promise, promised for February, late, and in time."""
    return delivered(
        due(1, promised_at=None),
        due(2, promised_at=day(2, 1)),
        due(3, late=True),
        due(4),
        known=known,
    )


SNAPSHOTS = [
    stock(5, day(1, 1)),
    stock(7, day(1, 2)),
    stock(-2, day(1, 1), product="p2", unit_cost=9.0),
    stock(4, day(1, 1), location_id="south", unit_cost=0.0),
    stock(99, day(2, 1)),
]
OUT_OF_STOCK = [
    stock(0, day(1, 1)),
    stock(3, day(1, 1), location_id="south"),
    stock(0, day(1, 2)),
    stock(None, day(1, 3)),
    stock(0, day(1, 2), product="p2"),
    stock(0, day(1, 2), product="p9"),
]
COMEBACK = orders(
    *((day(month, 1), who) for month, who in ((1, 1), (2, 2), (3, 1), (3, 2), (3, 3)))
)
GAPS = orders(
    *(
        (at, who)
        for at, who in (
            (day(1, 30), 1),
            (day(2, 1), 1),
            (day(2, 2), 1),
            (day(2, 5), 1),
            (day(2, 5), 2),
        )
    )
)
GAPS = [{**row, "status": "cancelled"} if row["order_id"] == 3 else row for row in GAPS]
CHURN = orders((day(1, 1), 1), (day(1, 1), 2), (day(2, 1), 1), (day(2, 20), 3))
THREE_ORDERS = orders(*((day(1, n), who) for n, who in enumerate((1, 1, 1, 2, 2, 3), start=1)))
OBSERVED = orders((day(1, 1), 1), (day(1, 11), 1), (day(1, 5), 2), (day(1, 12), 3))
REPLIES = [
    {**row, "responded_at": at, "customer_id": 1}
    for row, at in zip(answers("nps", 0, 9), (day(1, 1), day(1, 2)), strict=True)
]

EXAMPLES = [
    # --- Advertising and its cost ---
    in_january(
        "100 spent on 2 conversions",
        {
            "campaign_performance": [
                ads(60.0, conversions=2.0),
                {**ads(40.0, conversions=None), "campaign_id": "a2"},
            ]
        },
        {"cost_per_acquisition": 50},
        "W13",
    ),
    in_january(
        "sales of 10 for 2 spent",
        {
            "orders": orders((NEW_YEAR, 1), gross=10.0, attributed_channel="Display"),
            "campaign_performance": [ads(2.0, conversion_value=10.0)],
        },
        {
            "return_on_ad_spend": 5,
            "return_on_ad_spend.order_attributed": 5,
            "marketing_roi.revenue": 4,
            "advertising_cost_of_sales": 0.2,
        },
        "W21",
    ),
    in_january(
        "sales of 500,000 on marketing of 100,000, half of a fee being of the year before",
        {
            "orders": orders((NEW_YEAR, 1), gross=500_000.0),
            "campaign_performance": [ads(80_000.0)],
            "marketing_costs": [fee(40_000.0, dt.datetime(2023, 12, 1), day(1, 31))],
        },
        {
            "marketing_efficiency_ratio": 5,
            "marketing_efficiency_ratio.media_only": 6.25,
            "advertising_cost_of_sales.total": 0.16,
        },
        "W23",
    ),
    in_january(
        "12,000 for 600 new customers",
        {
            "orders": orders(*((NEW_YEAR, n) for n in range(600))),
            "campaign_performance": [ads(9_000.0)],
            "marketing_costs": [fee(3_000.0, day(1, 1), day(1, 31), purpose="acquisition")],
        },
        {"customer_acquisition_cost": 20, "customer_acquisition_cost.media": 15},
        "W25",
    ),
    in_january(
        "310,000 for 4,800 new customers",
        {
            "orders": orders(*((NEW_YEAR, n) for n in range(4_800))),
            "campaign_performance": [ads(310_000.0)],
        },
        {"customer_acquisition_cost": near(64.58, abs=0.01)},
        "W27",
    ),
    Example(
        "W29",
        "a lifetime value of 220 over an acquisition cost that is not rounded",
        # Of two customers one comes back, beside 4,800 new ones: churn is a half, so that a
        # profit of 110 per customer is a lifetime value of 220.
        {
            "orders": orders(
                (day(1, 10), 1),
                (day(1, 10), 2),
                (day(2, 10), 1),
                *((day(2, 10), n) for n in range(3, 4803)),
                gross=110.0,
            )[:2]
            + [
                order(n, day(2, 10), 110.0, customer_id=who)
                for n, who in enumerate((1, *range(3, 4803)), start=3)
            ],
            "order_lines": [line(3)],
            "campaign_performance": [ads(310_000.0, day(2, 10))],
        },
        {
            "customer_lifetime_value": 220,
            "customer_acquisition_cost": near(64.58, abs=0.01),
            "clv_cac_ratio": near(3.41, abs=0.005),
        },
        FEBRUARY,
    ),
    Example(
        "W31",
        "120 to win who brings 20 a month",
        {
            "orders": orders(
                *((dt.datetime(2023, n, 1), 1) for n in range(1, 13)), gross=20.0, **NO_COSTS
            ),
            "campaign_performance": [ads(120.0, dt.datetime(2023, 1, 1))],
        },
        {"cac_payback_period.quotient": 6},
        YEAR,
    ),
    Example(
        "N6",
        "acquisition cost is not shared with those who were there",
        {
            "orders": orders((day(1, 1), 1), (day(2, 1), 1), (day(2, 1), 2)),
            "campaign_performance": [ads(10.0, day(2, 1)), ads(4.0, day(1, 30))],
        },
        {"customer_acquisition_cost": 10},
        FEBRUARY,
    ),
    in_january(
        "what two platforms claim is never added",
        {"campaign_performance": PLATFORMS},
        {"cost_per_acquisition": None, "advertising_cost_of_sales": None, "ad_spend": 2},
        "M16",
    ),
    in_january(
        "of two platforms one alone claims conversions",
        {"campaign_performance": [PLATFORMS[0], {**PLATFORMS[1], "conversions": None}]},
        {"cost_per_acquisition": 2},
    ),
    in_january(
        "return on marketing is of profit and on all cost",
        {
            "orders": [
                order(1, NEW_YEAR, 100.0, attributed_campaign="newsletter"),
                order(2, NEW_YEAR, 900.0, attributed_campaign=None),
            ],
            "order_lines": [line(1, cost=40.0), line(2, cost=None)],
            "campaign_performance": [ads(10.0)],
            "marketing_costs": [fee(10.0, day(1, 1), day(1, 1), purpose="brand")],
        },
        {"marketing_roi": 2, "gross_profit_per_order": None},
        "M17",
    ),
    in_january(
        "customers won by ads first ordered by a paid channel",
        {
            "orders": [
                order(1, NEW_YEAR, customer_id=1, attributed_channel="Paid Search"),
                order(2, NEW_YEAR, customer_id=2, attributed_channel="email"),
                order(3, NEW_YEAR, customer_id=None, attributed_channel="paid_social"),
                order(4, day(1, 2), customer_id=2, attributed_channel="cross_network"),
            ],
            "campaign_performance": [ads(8.0)],
        },
        {"paid_cac": 8, "paid_cac.of_email_paid_search": 4},
    ),
    in_january(
        "discounts on first orders may be part of the acquisition cost",
        {
            "orders": [
                order(n, day(1, n), customer_id=who, discount_amount=discount)
                for n, (who, discount) in enumerate(((1, 3.0), (1, 50.0), (2, None)), start=1)
            ],
            "campaign_performance": [ads(5.0)],
        },
        {"customer_acquisition_cost.with_discounts": 4},
    ),
    # --- Profit ---
    in_january(
        "contribution of a sale of 99",
        {
            "orders": [
                order(1, NEW_YEAR, 99.0, payment_fee=2.0, fulfilment_cost=5.5, shipping_amount=0.0)
            ],
            **CONTRIBUTION,
        },
        {"contribution_margin": near(42.13), "contribution_margin_ratio": near(0.4256, abs=5e-5)},
        "W43",
    ),
    in_january(
        "contribution of a sale of 99 with shipping of 4 paid by the customer",
        {
            "orders": [
                order(1, NEW_YEAR, 99.0, payment_fee=2.0, fulfilment_cost=5.5, shipping_amount=4.0)
            ],
            **CONTRIBUTION,
        },
        {"contribution_margin": near(46.13)},
        "W43",
    ),
    in_january(
        "a share of sales below zero is null and an efficiency is not",
        {
            "orders": orders((NEW_YEAR, 1), **NO_COSTS),
            "returns": [refund(5.0, handling_cost=0.0)],
            "campaign_performance": [ads(2.0)],
            "shipments": [parcel(1, shipping_cost=1.0)],
        },
        {
            "contribution_margin_ratio": None,
            "advertising_cost_of_sales.total": None,
            "shipping_cost_ratio": None,
            "marketing_efficiency_ratio": -2.5,
        },
    ),
    in_january(
        "a line without cost is no profit",
        {
            "orders": [order(n, NEW_YEAR, 100.0) for n in (1, 2)],
            "order_lines": [line(1, cost=60.0), line(2, cost=None)],
        },
        {"cost_of_goods_sold": None, "gross_profit": None, "gross_margin": None},
        "M28",
    ),
    in_january(
        "a line without cost is passed over where it does not count",
        {
            "orders": [order(1, NEW_YEAR, 100.0), order(2, NEW_YEAR, 100.0, status="test")],
            "order_lines": [line(1, cost=60.0), line(2, cost=None)],
        },
        {"cost_of_goods_sold": 60, "gross_margin": 0.4},
        "M28",
    ),
    in_january(
        "costs are looked up where lines have no such column",
        {
            "orders": orders((NEW_YEAR, 1), gross=10.0),
            "order_lines": [line_of(1, quantity=2)],
            "products": [{"product_id": "p1", "unit_cost": 3.0}],
        },
        {"gross_profit_per_order": 4},
        "M28",
    ),
    in_january(
        "a cost that is not among the products is unknown",
        {
            "orders": orders((NEW_YEAR, 1), gross=10.0),
            "order_lines": [line_of(1, quantity=2)],
            "products": [{"product_id": "p9", "unit_cost": 3.0}],
        },
        {"gross_profit_per_order": None},
        "M28",
    ),
    in_january(
        "variable marketing alone is taken off the contribution",
        {
            "orders": orders((NEW_YEAR, 1), gross=50.0, **NO_COSTS),
            "campaign_performance": [ads(5.0)],
            "marketing_costs": [
                fee(8.0, day(1, 31), day(2, 1), is_variable=True),
                fee(9.0, day(1, 1), day(1, 1), is_variable=None),
            ],
        },
        {"contribution_margin_after_marketing": 41},
    ),
    in_january(
        "parcels of uncounted orders cost nothing and of unknown ones do",
        {
            "orders": [order(1, NEW_YEAR, status="cancelled", **NO_COSTS)],
            "shipments": [
                parcel(1, 1, shipping_cost=1.0),
                parcel(2, 9, shipping_cost=2.0),
                parcel(3, None, shipping_cost=4.0),
                parcel(4, 9, None, shipping_cost=8.0),
            ],
        },
        {"contribution_margin": -6, "shipping_cost_per_order": 6},
    ),
    # --- Customers ---
    *(
        Example(
            source,
            says,
            {
                "orders": [order(n, MIDYEAR, gross, customer_id=1) for n in range(1, count + 1)],
                "order_lines": [line(n, cost=cost) for n in range(1, count + 1)],
            },
            {name: value},
            YEAR,
        )
        for source, says, count, gross, cost, name, value in (
            (
                "W45",
                "lifetime value on revenue for two and a half years",
                3,
                75.0,
                0.0,
                "customer_lifetime_value.over_2p5_years_revenue",
                562.5,
            ),
            (
                "W47",
                "lifetime value on profit for three years",
                2,
                60.0,
                24.0,
                "customer_lifetime_value.over_3_years",
                216,
            ),
        )
    ),
    in_january(
        "historic lifetime value is what was brought in so far",
        {
            "orders": [
                order(n, NEW_YEAR, gross, customer_id=1) for n, gross in ((1, 50.0), (2, 43.87))
            ]
        },
        {"customer_lifetime_revenue": 93.87, "average_order_value": near(46.94, abs=0.0051)},
        "W49",
    ),
    Example(
        "W51",
        "500 of 2,000 buyers come back",
        {
            "orders": orders(
                *((NEW_YEAR, n) for n in range(500)), *((day(2, 1), n) for n in range(2_000))
            )
        },
        {"returning_customer_rate": 0.25, "new_customer_rate": 0.75},
        FEBRUARY,
    ),
    in_january(
        "600 orders of 240 customers",
        {"orders": orders(*((NEW_YEAR, n % 240) for n in range(600)))},
        {"purchase_frequency": 2.5},
        "W53",
    ),
    Example(
        "W55",
        "500 buyers of whom 150 are new",
        {
            "orders": orders(
                *((day(1, 5), n) for n in range(350)), *((day(2, 5), n) for n in range(500))
            )
        },
        {"customers": 500, "new_customers": 150},
        FEBRUARY,
    ),
    Example(
        "N5",
        "active customers are new, retained and resurrected ones",
        {"orders": COMEBACK},
        {
            "new_customers": 1,
            "retained_customers": 1,
            "resurrected_customers": 1,
            "customers": 3,
            "customer_retention_rate": 1,
        },
        MARCH,
    ),
    in_january(
        "a first and a second order in one month make a customer new and repeating",
        {"orders": orders((day(1, 5), 1), (day(1, 9), 1), (day(1, 9), None), (day(1, 9), 2))},
        {
            "returning_customer_rate": 0,
            "returning_customer_rate.any_repeat": 0.5,
            "repeat_purchase_rate.in_window": 0.5,
            "repeat_purchase_rate.by_days": 0.5,
            "new_customer_rate": 1,
        },
    ),
    in_january(
        "two orders of one day may be one shopping trip",
        {"orders": orders((day(1, 5, 9), 1), (day(1, 5, 18), 1))},
        {"repeat_purchase_rate": 1, "repeat_purchase_rate.by_days": 0},
    ),
    in_january(
        "only those observed for the whole window count",
        {"orders": OBSERVED},
        {
            "repeat_purchase_rate_nd.within_10_days": 1,
            "repeat_purchase_rate_nd.within_7_days": 0,
            "repeat_purchase_rate_nd": None,
        },
        "M12",
    ),
    in_january(
        "the chance of a third order is of those with two",
        {"orders": THREE_ORDERS},
        {"repeat_order_probability.after_2_orders": 0.5, "repeat_order_probability": near(2 / 3)},
    ),
    Example(
        "",
        "gaps reach back before the period and skip uncounted orders",
        {"orders": GAPS},
        {"days_between_orders": 3 * DAY_S},
        FEBRUARY,
    ),
    Example(
        "",
        "of gaps of two, one and four days the middle one is two",
        {"orders": [*GAPS, order(9, day(2, 6), customer_id=1)]},
        {"days_between_orders": 2 * DAY_S, "days_between_orders.mean": near(7 / 3 * DAY_S)},
        FEBRUARY,
    ),
    in_january("a single order has no gap", {"orders": GAPS}, {"days_between_orders": None}),
    Example(
        "",
        "who has not ordered so far is churned in an open period",
        {"orders": CHURN},
        {
            "churned_customers": 1,
            "growth_quick_ratio": 1,
            "customer_churn_rate": 0.5,
            "customer_retention_rate": 0.5,
        },
        FEBRUARY,
    ),
    Example(
        "",
        "lifetime value of revenue and with interest",
        {
            "orders": [
                order(n, at, customer_id=who)
                for n, (at, who) in enumerate(
                    ((day(1, 1), 1), (day(1, 1), 2), (day(2, 1), 1)), start=1
                )
            ],
            "order_lines": [line(n) for n in (1, 2, 3)],
        },
        {
            "customer_lifetime_value.revenue": 20,
            "customer_lifetime_value.discounted": near(10 * 0.5 / 0.6),
        },
        FEBRUARY,
    ),
    # --- Surveys ---
    *(
        in_january(
            says,
            {"surveys": [{**row, "responded_at": NEW_YEAR} for row in answers("nps", *scores)]},
            {"net_promoter_score": score},
            source,
        )
        for source, says, scores, score in (
            ("W57", "30 of 100 promote and 20 detract", [9] * 30 + [8] * 50 + [6] * 20, 10),
            ("N3", "an answer of 6 is a detractor", (6, 7, 7, 7), -25),
            ("N4", "an answer of 0 is a detractor", (0, 7, 7, 7), -25),
            ("M18", "shares are not rounded", range(11), 100 * (2 - 7) / 11),
        )
    ),
    in_january(
        "30 of 50 answers are 4 or 5",
        {
            "surveys": [
                {**row, "responded_at": NEW_YEAR, "scale_max": None}
                for row in answers("csat", *[5] * 10, *[4] * 20, *[3] * 10, *[2] * 5, *[1] * 5)
            ]
        },
        {
            "customer_satisfaction_score": 0.6,
            "customer_satisfaction_score.all_answers": 0.6,
            "customer_satisfaction_score.any_scale": 0.6,
        },
        "W59",
    ),
    in_january(
        "a 3 is not satisfied, and what was not answered is no answer",
        {
            "surveys": [
                {**row, "responded_at": NEW_YEAR} for row in answers("csat", 5, 4, 3, 3, None)
            ]
        },
        {"customer_satisfaction_score": 0.5},
        "M19",
    ),
    in_january(
        "a customer may answer twice or once",
        {"surveys": REPLIES},
        {"net_promoter_score": 100, "net_promoter_score.all_answers": 0},
    ),
    # --- Stock ---
    Example(
        "W61",
        "stock is turned over 8.35 times",
        {
            "orders": orders((MIDYEAR, 1)),
            "order_lines": [line(1, cost=4_016_851.0)],
            "inventory_snapshots": [stock(481_060, MIDYEAR)],
        },
        {"inventory_turnover": near(8.35, abs=1e-6)},
        YEAR,
    ),
    Example(
        "W63",
        "stock of five days",
        {
            "orders": orders((MIDYEAR, 1)),
            "order_lines": [line(1, cost=481_060.0 * 73)],
            "inventory_snapshots": [stock(481_060, MIDYEAR)],
        },
        {"inventory_turnover": 73, "days_inventory_outstanding": 5},
        YEAR,
    ),
    in_january(
        "650 of 1,000 received are sold",
        {
            "orders": orders((NEW_YEAR, 1)),
            "order_lines": [line(1, 650)],
            "receipts": [{"product_id": "p1", "received_at": NEW_YEAR, "units": 1_000}],
            "inventory_snapshots": [stock(350)],
        },
        {"sell_through_rate.received": 0.65, "sell_through_rate": 0.65},
        "W65",
    ),
    Example(
        "W67",
        "safety stock of nine days, from the orders of two",
        TWO_DAYS,
        {"safety_stock": {"p1": near(SAFE, rel=1e-6)}, "daily_demand": 12},
        Period(day(1, 1), day(1, 3)),
    ),
    in_january(
        "reorder at ten days of 40 and 200",
        {
            "orders": orders(*((day(1, n), 1) for n in range(1, 32))),
            "order_lines": [line(n, 40) for n in range(1, 32)],
            "products": [{"product_id": "p1", "lead_time_days": 10.0, "safety_stock": 200.0}],
        },
        {"reorder_point.own_safety_stock": {"p1": 600}},
        "W69",
    ),
    Example(
        "W71",
        "margin of 240,000 on thirteen snapshots",
        {
            "orders": orders((MIDYEAR, 1), gross=500_000.0),
            "order_lines": [line(1, cost=260_000.0)],
            "inventory_snapshots": [
                stock(100_000 + 5_000 * (n - 6), YEAR.start + dt.timedelta(days=28 * n))
                for n in range(13)
            ],
        },
        {"gross_margin_return_on_inventory": 2.4, "gross_margin": 0.48},
        YEAR,
    ),
    in_january(
        "unit turnover of 180,000 on 30,000",
        {
            "orders": orders((NEW_YEAR, 1)),
            "order_lines": [line(1, 180_000)],
            "inventory_snapshots": [stock(30_000)],
        },
        {"inventory_turnover.units": 6},
        "N13",
    ),
    in_january(
        "stock is the latest of each place and is never added over days",
        {"inventory_snapshots": SNAPSHOTS},
        {"stock_on_hand": 9, "inventory_value": 7},
        "M23",
    ),
    in_january(
        "the mean stock is of the days with a snapshot",
        {
            "orders": orders((NEW_YEAR, 1)),
            "order_lines": [line(1, cost=60.0)],
            "inventory_snapshots": [
                stock(10, day(1, 1)),
                stock(20, day(1, 1), product="p2"),
                stock(30, day(1, 9)),
                stock(90, day(2, 1)),
            ],
        },
        {
            "inventory_turnover": 2,
            "inventory_turnover.annual": near(2 * 365 / 31),
            "days_inventory_outstanding": 15.5,
        },
        "M22",
    ),
    in_january(
        "turnover at retail is of sales and list prices",
        {
            "orders": orders((NEW_YEAR, 1), gross=100.0),
            "products": [{"product_id": "p1", "list_price": 4.0}],
            "inventory_snapshots": [stock(5), stock(9, product="p9")],
        },
        {"inventory_turnover.retail": 5},
    ),
    in_january(
        "stock lasts at the pace of days with stock",
        {
            "orders": orders((day(1, 1), 1)),
            "order_lines": [line(1, 6)],
            "inventory_snapshots": [stock(6, day(1, 1)), stock(0, day(1, 2)), stock(8, day(1, 3))],
        },
        {"days_of_stock_remaining": near(8 / (6 / (31 * 2 / 3)))},
        "M24",
    ),
    *(
        in_january(
            f"units that came back are not sold through, with {units} on hand",
            {
                "orders": orders((day(1, 1), 1)),
                "order_lines": [line(1, 6)],
                "returns": [refund(0.0, at=day(1, 2), quantity=2)],
                "inventory_snapshots": [stock(units)],
            },
            {"sell_through_rate": share},
        )
        for units, share in ((4, 0.5), (-3, 1))
    ),
    in_january(
        "a product is out of stock when it is nowhere",
        {
            "products": [
                {"product_id": "p1", "is_active": True},
                {"product_id": "p2", "is_active": None},
            ],
            "inventory_snapshots": OUT_OF_STOCK,
        },
        {"stockout_rate": 0.5, "stockout_rate.places": near(2 / 3)},
    ),
    # --- Delivery ---
    in_january(
        "orders on time and in full are not two rates multiplied",
        delivered(*(due(n, late=n <= 8, units=0 if n <= 12 else 1) for n in range(1, 121))),
        {"otif_rate": 0.9, "on_time_delivery_rate": near(112 / 120), "fill_rate": 0.9},
        "W73",
    ),
    in_january(
        "perfect orders one by one and multiplied",
        delivered(
            *(
                due(
                    n,
                    late=n <= 2,
                    units=0 if n <= 3 else 1,
                    is_damaged=n == 100,
                    documents_ok=n > 18,
                )
                for n in range(1, 101)
            )
        ),
        {"perfect_order_rate.product": near(0.7717, abs=5e-5), "perfect_order_rate": 0.81},
        "W75",
    ),
    in_january(
        "18,000 for 3,000 orders in more parcels",
        {"shipments": [parcel(n, n % 3_000, shipping_cost=4.5) for n in range(4_000)]},
        {"shipping_cost_per_order": 6},
        "W77",
    ),
    in_january(
        "damage and lateness leave an order accurate",
        delivered(due(1, late=True, is_damaged=True), due(2, has_item_error=True)),
        {"order_accuracy_rate": 0.5, "perfect_order_rate": 0.5},
        "N12",
    ),
    in_january(
        "papers not known to be right are not perfect",
        delivered(due(1, documents_ok=None), due(2, is_damaged=None)),
        {"perfect_order_rate": 0.5},
    ),
    in_january(
        "what leaves first fills an order at most",
        PARTLY_SHIPPED,
        {
            "fill_rate": 0.5,
            "fulfilment_time": DAY_S,
            "fulfilment_time.complete": 1.5 * DAY_S,
            "fulfilment_time.orders_waiting": 1,
        },
    ),
    in_january(
        "an order of which a parcel is on its way has not arrived",
        two_parcels(None),
        {"order_cycle_time": None, "on_time_delivery_rate": 0, "delivery_time": 2 * DAY_S},
    ),
    in_january(
        "an order has arrived with its last parcel",
        two_parcels(day(1, 9)),
        {"order_cycle_time": 8 * DAY_S, "otif_rate": 1},
    ),
    in_january(
        "two units that have not left are missing",
        delivered(due(1), order_lines=[line(1, 3)]),
        {"otif_rate": 0},
    ),
    *(
        in_january(
            f"an order is due once its promise has passed, as of {known:%d %B}",
            promised(known),
            {"on_time_delivery_rate": share},
        )
        for known, share in ((day(1, 10), None), (day(1, 11), 0.5), (day(2, 2), near(2 / 3)))
    ),
    in_january(
        "shipping falls on the day of the order",
        {
            "orders": orders((day(1, 31), 1), (day(2, 1), 1), gross=10.0),
            "shipments": [
                parcel(1, 1, day(2, 1), shipping_cost=2.0),
                parcel(2, 1, None, shipping_cost=1.0),
            ],
        },
        {"shipping_cost_ratio": 0.3},
    ),
    Example(
        "",
        "shipping may fall on the day of the parcel",
        {
            "orders": orders((day(1, 31), 1), (day(2, 1), 1), gross=10.0),
            "shipments": [
                parcel(1, 1, day(2, 1), shipping_cost=2.0),
                parcel(2, 1, None, shipping_cost=1.0),
            ],
        },
        {"shipping_cost_ratio": 0, "shipping_cost_ratio.by_shipping_day": 0.2},
        FEBRUARY,
    ),
]

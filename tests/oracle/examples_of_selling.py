"""Worked examples of traffic, e-mail, the funnel, carts and sales."""

import datetime as dt

import pytest

from oracle.examples import (
    DAY,
    HOUR,
    MARCH,
    ONE_DAY,
    Example,
    ad,
    event,
    later,
    line,
    many,
    order,
    returned,
    same,
    send,
    visits,
)
from oracle.words import Period, Row

near = pytest.approx
FEBRUARY = Period(dt.datetime(2024, 2, 1), MARCH.start)
AFTER_FEBRUARY = Period(MARCH.start, MARCH.end, FEBRUARY)


def with_each(rows: list[Row], **columns: list[object]) -> list[Row]:
    """Give the rows with a value each in some columns."""
    values = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [{**row, **more} for row, more in zip(rows, values, strict=True)]


def bounced(hard: int, soft: int, all_: int) -> list[Row]:
    kinds = ["hard"] * hard + ["soft"] * soft + [None] * (all_ - hard - soft)
    return [send(number, bounce_type=kind) for number, kind in enumerate(kinds)]


def steps(seen: dict[int, str]) -> list[Row]:
    """Give what happened in visits, an hour between any two events of one."""
    return [
        event(name, number, occurred_at=DAY + place * HOUR)
        for number, names in seen.items()
        for place, name in enumerate(names.split())
    ]


GOALS = [
    *(event("purchase", number) for number in (*range(1, 21), *range(1, 11))),
    *(event("sign_up", number) for number in range(21, 46)),
    *(event("file_download", number) for number in range(46, 51)),
]
FIVE_SENDS = [
    send(1, first_opened_at=DAY, first_clicked_at=DAY, unsubscribed_at=DAY),
    send(2, first_opened_at=DAY, is_machine_open=True),
    send(3, first_clicked_at=DAY, complained_at=DAY),
    send(4),
    send(5, bounce_type="soft", first_opened_at=DAY, first_clicked_at=DAY, complained_at=DAY),
]
CLICKS = [
    send(1, first_clicked_at=DAY, order_id=1, attributed_revenue=8.0),
    send(1, message_id="n", first_clicked_at=DAY, order_id=2, attributed_revenue=-2.0),
    send(2, first_clicked_at=DAY - HOUR, order_id=3),
    send(3, first_clicked_at=DAY, order_id=4),
]
CHARGES = {"shipping_amount": 4.0, "tax_amount": 2.0, "duties_amount": 1.0, "fees_amount": None}
CARTS = [
    {"cart_id": 1, "created_at": DAY, "items": 1, "value": 5.0, "order_id": None},
    {"cart_id": 2, "created_at": DAY, "items": 0, "value": 7.0, "order_id": None},
    {"cart_id": 3, "created_at": DAY, "items": 2, "value": 9.0, "order_id": 1},
    {"cart_id": 4, "created_at": DAY + 2 * ONE_DAY, "items": 2, "value": 11.0, "order_id": None},
]
JOURNEYS = {
    "sessions": [
        {"session_id": n, "visitor_id": "v", "started_at": DAY + hours * HOUR}
        for n, hours in ((1, 0), (2, 1), (3, 2), (4, 5))
    ],
    "orders": [
        order(n, DAY + hours * HOUR, session_id=session, customer_id="c")
        for n, session, hours in ((1, 2, 2), (2, 2, 3), (3, 4, 6), (4, 4, 4))
    ],
}
AMOUNTS = ((100.0, 10.0), (0.0, 0.0), (30.0, None), (None, 5.0))
BASKETS = [
    line(1, is_upsell=True, is_cross_sell=None),
    line(1, "p1", is_upsell=True),
    line(2, "p1", 2),
    line(2, "p2", 3, is_cross_sell=True),
    line(3, None),
    line(4, "p2", line_type="gift_card"),
    line(4),
]
KNOWN_BASKETS = [
    {**row, "is_cross_sell": False} if place in {2, 6} else row for place, row in enumerate(BASKETS)
]
EARLY, LATE = dt.datetime(2024, 3, 1), dt.datetime(2024, 3, 20)

EXAMPLES = [
    # --- Traffic and engagement ---
    Example(
        "W1",
        "693 of 1,810 visits are engaged",
        {"sessions": visits(1810, page_views=lambda n: 2 if n <= 693 else 1)},
        {
            "engaged_sessions": 693,
            "engagement_rate": near(0.383, abs=0.0005),
            "bounce_rate": near(1 - 0.383, abs=0.0005),
        },
    ),
    Example(
        "M5",
        "ten seconds are not longer than ten seconds",
        {"sessions": with_each(visits(2, page_views=1), engaged_s=[10.0, 10.001])},
        {"engagement_rate": 0.5, "bounce_rate": 0.5},
    ),
    Example(
        "",
        "the threshold of engagement is not engaged",
        {"sessions": visits(1, engaged_s=30.0, page_views=1, has_key_event=False)},
        {"engagement_rate": 1, "engagement_rate.over_30_seconds": 0},
    ),
    Example(
        "",
        "a visitor seen before is not new",
        {
            "sessions": [
                *visits(3),
                {"session_id": 8, "visitor_id": 1, "started_at": DAY - 40 * ONE_DAY},
            ]
        },
        {"new_visitor_rate": near(2 / 3)},
    ),
    Example(
        "",
        "a visitor seen before as a bot is new",
        {
            "sessions": [
                *visits(3),
                {
                    "session_id": 8,
                    "visitor_id": 1,
                    "started_at": DAY - 40 * ONE_DAY,
                    "is_bot": True,
                },
            ]
        },
        {"new_visitor_rate": 1},
    ),
    Example(
        "",
        "the shares of the sources are whole",
        {"sessions": with_each(visits(4), channel=["a", "a", "b", None])},
        {"traffic_source_share": {"a": 0.5, "b": 0.25, None: 0.25}},
    ),
    Example(
        "",
        "what bots do is dropped and what has no visit stays",
        {
            "sessions": [*visits(2), {"session_id": 3, "started_at": DAY, "is_bot": True}],
            "events": [
                *(event("page_view", n, load_ms=100 * n) for n in (1, 1, 3)),
                event("page_view", None, load_ms=900),
                *(event("scroll_90", n) for n in (1, 3, 1)),
            ],
        },
        {
            "page_views": 2,
            "page_views.events": 3,
            "pages_per_session": 1,
            "page_load_time": 500,
            "content_interactions": 2,
            "content_interaction_rate": 0.5,
        },
    ),
    Example(
        "",
        "a visit of unknown length is left out of the mean, one of unknown pages is not of one",
        {
            "sessions": with_each(
                visits(4), duration_s=[0.0, 30.0, 90.0, None], page_views=[1, 1, 2, None]
            )
        },
        {
            "average_session_duration": 40,
            "average_session_duration.median": 30,
            "bounce_rate.single_page": 0.5,
        },
    ),
    Example(
        "",
        "a visit lasts until it ends",
        {"sessions": visits(1, ended_at=DAY + HOUR)},
        {"average_session_duration": 3600},
    ),
    Example(
        "",
        "a visit without an end lasts until its last event",
        {
            "sessions": visits(1),
            "events": [event("search", occurred_at=DAY + n * HOUR) for n in (2, 1)],
        },
        {"average_session_duration": 7200},
    ),
    # --- Advertising and awareness ---
    Example(
        "W9",
        "5 clicks on 100 impressions",
        {"campaign_performance": [ad(clicks=5, impressions=100)]},
        {"click_through_rate": 0.05},
    ),
    Example(
        "W11",
        "10 for 5 clicks",
        {"campaign_performance": [ad(spend=10.0, clicks=5)]},
        {"cost_per_click": 2},
    ),
    Example(
        "W15",
        "social engagement of 340 by a reach of 8,500",
        {"campaign_performance": [ad(engagements=340, reach=8500)]},
        {"social_engagement_rate": 0.04},
    ),
    Example(
        "W17",
        "social engagement by impressions, of two campaigns",
        {
            "campaign_performance": [
                ad(engagements=400, impressions=1000, campaign_id="a"),
                ad(engagements=20, impressions=20_000, campaign_id="b"),
            ]
        },
        {"social_engagement_rate.by_impressions": 0.02},
    ),
    Example(
        "",
        "the reach of several campaigns is bounded",
        {
            "campaign_performance": [
                ad(reach=30, impressions=50, campaign_id="a"),
                ad(reach=20, impressions=50, campaign_id="b"),
            ],
            "ad_views": [{"viewer_id": n, "viewed_at": DAY} for n in (1, 1, 2, None)],
        },
        {"reach": 2, "reach.upper_bound": 50, "reach.lower_bound": 30},
    ),
    Example(
        "",
        "rows of unknown spend and impressions cost nothing",
        {
            "campaign_performance": [
                ad(spend=3.0, impressions=1500, campaign_id="a"),
                ad(spend=None, impressions=None, campaign_id="b"),
            ]
        },
        {"cost_per_mille": 2},
    ),
    Example(
        "",
        "a cost without impressions has no price of a thousand",
        {"campaign_performance": [ad(spend=3.0, impressions=0)]},
        {"cost_per_mille": None},
    ),
    Example(
        "",
        "the share of search is of all searches of the category",
        {
            "search_interest": [
                {"date": dt.date(2024, 3, n), "brand_queries": brand, "category_queries": 10}
                for n, brand in ((5, 1), (6, None), (7, 8))
            ]
        },
        {"share_of_search": 0.3},
    ),
    Example(
        "",
        "of four asked, one with double weight recalls the brand",
        {
            "surveys": [
                {
                    "survey_type": "brand_unaided",
                    "responded_at": DAY,
                    "brand_recalled": recalled,
                    "weight": weight,
                }
                for recalled, weight in ((True, 2.0), (False, 1.0), (None, None), (False, 1.0))
            ]
        },
        {
            "unaided_brand_awareness": 0.4,
            "unaided_brand_awareness.unweighted": 0.25,
            "aided_brand_awareness": None,
        },
    ),
    Example(
        "",
        "rows without conversions are of no second platform",
        {
            "campaign_performance": [
                ad(conversions=3.0, clicks=2),
                ad(conversions=None, clicks=2, platform="google"),
            ]
        },
        {"ad_conversion_rate": 0.75},
    ),
    Example(
        "M16",
        "conversions that two platforms claim are never added",
        {
            "campaign_performance": [
                ad(conversions=3.0, clicks=2),
                ad(conversions=1.0, clicks=2, platform="google"),
            ]
        },
        {"ad_conversion_rate": None},
    ),
    # --- E-mail ---
    Example(
        "W19",
        "2,379 of 76,506 messages bounced, 310 of them hard",
        {"email_sends": bounced(310, 2069, 76_506)},
        {
            "email_bounce_rate": near(0.0311, abs=1e-4),
            "email_bounce_rate.hard": near(0.00405, abs=5e-6),
            "email_bounce_rate.soft": near(0.02704, abs=5e-6),
            "email_delivery_rate": near(1 - 2379 / 76_506),
        },
    ),
    Example(
        "N7",
        "the open rate of a day is no mean of those of its campaigns",
        {
            "email_sends": [
                send(0, first_opened_at=DAY),
                *(send(n, message_id="n", first_opened_at=None) for n in range(9)),
            ]
        },
        {"email_open_rate": 0.1},
    ),
    Example(
        "",
        "a click tells of an opening, and a machine may open",
        {"email_sends": FIVE_SENDS},
        {
            "emails_delivered": 4,
            "email_open_rate": 0.5,
            "email_open_rate.without_machines": 0.25,
            "email_open_rate.of_sent": 0.4,
            "email_click_rate": 0.5,
            "email_click_to_open_rate": near(2 / 3),
            "email_click_to_open_rate.without_machines": 1,
            "email_unsubscribe_rate": 0.25,
            "email_complaint_rate": 0.25,
        },
    ),
    Example(
        "",
        "a recipient who ordered within days of a click counts once",
        {
            "email_sends": CLICKS,
            "orders": [
                *(order(n, DAY + 5 * ONE_DAY) for n in (1, 2, 3)),
                order(4, status="cancelled"),
            ],
        },
        {
            "email_conversion_rate": 0.25,
            "email_conversion_rate.within_6_days": 0.5,
            "email_conversion_rate.as_attributed": 0.5,
            "email_conversion_rate.orders": 1,
            "revenue_per_recipient": 1.5,
        },
    ),
    # --- Funnel ---
    Example(
        "W3",
        "50 of 1,000 visits reach the goal",
        {"sessions": visits(1000), "events": [event("purchase", n) for n in range(1, 51)]},
        {"goal_conversion_rate": 0.05},
    ),
    Example(
        "W5",
        "a visit with several goals counts once",
        {"sessions": visits(1000), "events": GOALS},
        {
            "goal_conversion_rate": 0.02,
            "goal_conversion_rate.of_sign_up": 0.025,
            "goal_conversion_rate.goals": 0.03,
        },
    ),
    Example(
        "R1",
        "one of two visits of one visitor reaches the goal twice",
        {
            "sessions": [{**row, "visitor_id": "u"} for row in visits(2)],
            "events": [event("purchase"), event("purchase")],
        },
        {
            "goal_conversion_rate": 0.5,
            "goal_conversion_rate.visitors": 1,
            "goal_conversion_rate.goals": 1,
        },
    ),
    Example(
        "W7",
        "520 orders were placed in 221 of 8,998 visits",
        {
            "sessions": visits(8998),
            "orders": [order(n, session_id=n % 221 + 1) for n in range(520)],
        },
        {
            "session_conversion_rate": near(0.0246, abs=5e-5),
            "session_conversion_rate.orders": near(0.0578, abs=5e-5),
            "orders_per_session": near(0.0578, abs=5e-5),
        },
    ),
    *(
        Example(
            "W35",
            f"a conversion rate of {rate} with orders of {value}",
            {
                "sessions": visits(5_000),
                "orders": [order(n, gross=value, session_id=n) for n in range(1, bought + 1)],
            },
            {
                "session_conversion_rate": rate,
                "average_order_value": value,
                "revenue_per_visitor": per_visitor,
                "revenue_per_session": per_visitor,
            },
        )
        for rate, bought, value, per_visitor in ((0.02, 100, 80.0, 1.6), (0.025, 125, 55.0, 1.375))
    ),
    Example(
        "N2",
        "152 conversions in 1,310 visits",
        {"sessions": visits(1310, has_purchase=lambda n: n <= 152)},
        {"session_conversion_rate": near(0.116, abs=0.0005)},
    ),
    Example(
        "M4",
        "orders of the shop floor and cancelled ones convert nobody",
        {
            "sessions": visits(4),
            "orders": [
                order(1, session_id=1),
                order(2, session_id=1),
                order(3, session_id=None),
                order(4, session_id=2, status="cancelled"),
            ],
            "events": [event("purchase", 2, order_id=4)],
        },
        {
            "visitor_conversion_rate": 0.25,
            "visitor_conversion_rate.by_order": 0.25,
            "session_conversion_rate.all_orders": 0.75,
        },
    ),
    Example(
        "M4",
        "orders by phone and over the counter are of no visit",
        {
            "sessions": visits(4),
            "orders": [
                order(n, session_id=session, sales_channel=channel)
                for n, (session, channel) in enumerate(
                    (
                        *((1, "online"), (1, "online"), (2, "online")),
                        *((None, "pos"), (None, "pos"), (None, "phone")),
                    )
                )
            ],
        },
        {
            "orders": 6,
            "session_conversion_rate": 0.5,
            "orders_per_session": 0.75,
            "revenue_per_session": 7.5,
            "revenue_per_visitor": 7.5,
        },
    ),
    Example(
        "",
        "without orders, purchases tell which visitors bought",
        {
            "sessions": visits(4),
            "events": [event("purchase", 2, order_id=4), event("purchase", 3, order_id=3)],
        },
        {"visitor_conversion_rate": 0.5, "visitor_conversion_rate.by_order": 0},
    ),
    Example(
        "M9",
        "the steps of a closed funnel are subsets",
        {
            "sessions": visits(8),
            "events": steps(
                {
                    1: "view_item add_to_cart begin_checkout purchase",
                    2: "view_item add_to_cart",
                    3: "begin_checkout",
                    4: "view_item",
                    5: "begin_checkout view_item",
                }
            ),
        },
        {
            "product_view_rate": 0.5,
            "add_to_cart_rate": 0.25,
            "reached_checkout_rate": 0.375,
            "cart_to_checkout_rate": 0.5,
            "product_page_to_checkout_rate": 0.5,
            "checkout_completion_rate": near(1 / 3),
            "checkout_abandonment_rate.sessions": near(2 / 3),
            "cart_abandonment_rate.sessions": 0.5,
        },
    ),
    Example(
        "",
        "products are paired with their visitor",
        {
            "events": [
                event("view_item", 1, product_id="p1"),
                event("view_item", 1, product_id="p1"),
                event("view_item", 1, product_id="p2"),
                event("view_item", 2, product_id="p1"),
                event("view_item", None, product_id="p1"),
                event("add_to_cart", 1, product_id="p1", quantity=3),
                event("add_to_cart", 2, product_id="p2", quantity=None),
                event("purchase", 1, product_id="p2", order_id=1),
                event("purchase", 2, product_id="p1", order_id=2),
            ],
            "orders": [order(1), order(2, status="cancelled")],
        },
        {
            "cart_to_view_rate": near(1 / 3),
            "cart_to_view_rate.quantities": near(3 / 5),
            "purchase_to_view_rate": near(1 / 3),
        },
    ),
    Example(
        "",
        "a journey to an order begins with the first visit since the order before",
        JOURNEYS,
        {
            "purchase_journey_duration": 3600,
            "purchase_journey_duration.mean": near(4800),
            "purchase_journey_duration.p90": near(6480),
            "time_to_first_purchase": 7200,
            "sessions_to_purchase": 1.5,
        },
    ),
    # --- Carts ---
    Example(
        "W33",
        "2,500 of 3,150 carts are abandoned",
        {
            "carts": many(
                3150,
                cart_id=same,
                created_at=DAY,
                items=1,
                order_id=lambda n: n if n < 651 else None,
            ),
            "sessions": later(),
        },
        {"cart_abandonment_rate": near(0.794, abs=0.0005)},
    ),
    Example(
        "M8",
        "carts that are open, empty or recovered",
        {
            "carts": CARTS,
            "orders": [order(1, DAY + 2 * ONE_DAY)],
            "events": [
                {
                    "event_name": "begin_checkout",
                    "occurred_at": CARTS[n - 1]["created_at"],
                    "cart_id": n,
                }
                for n in (1, 2, 3, 3, 4)
            ],
            "sessions": later(DAY + 2 * ONE_DAY + HOUR),
        },
        {
            "cart_abandonment_rate": 0.5,
            "cart_abandonment_rate.one_hour": near(2 / 3),
            "checkout_abandonment_rate": near(2 / 3),
            "abandoned_cart_value": 5,
            "cart_recovery_rate": None,
        },
    ),
    Example(
        "",
        "of the carts a visitor left, the latest is worth something",
        {
            "carts": many(
                4,
                cart_id=same,
                created_at=lambda n: DAY - n * HOUR,
                value=float,
                visitor_id=lambda n: "v" if n < 3 else None,
                order_id=None,
            ),
            "sessions": later(),
        },
        {"abandoned_cart_value": 10, "abandoned_cart_value.visitors": 8},
    ),
    # --- Offers ---
    Example(
        "W37",
        "250 of 500 offers are taken",
        {
            "events": [
                *(event("offer_shown", n, offer_type="upsell") for n in range(500)),
                *(event("offer_accepted", n, offer_type="upsell") for n in range(250)),
                event("offer_shown", 1, offer_type="cross_sell"),
                event("offer_shown", 1, offer_type=None),
            ]
        },
        {"upsell_rate": 0.5},
    ),
    Example("", "without offers none is taken", {"orders": [order()]}, {"upsell_rate": None}),
    Example(
        "",
        "one of two offers to buy across is taken",
        {
            "events": [
                event(f"offer_{name}", offer_type="cross_sell")
                for name in ("shown", "shown", "accepted")
            ]
        },
        {"cross_sell_rate.offers": 0.5},
    ),
    Example(
        "N9",
        "168 of 1,200 orders have the attached product",
        {
            "orders": [order(n) for n in range(1300)],
            "order_lines": [
                *(line(n) for n in range(1200)),
                *(line(n, "p2") for n in range(168)),
            ],
        },
        {
            "attach_rate.of_p2_to_p1": 0.14,
            "cross_sell_rate.of_p1": 0.14,
            "cross_sell_rate.of_p2": 1,
        },
    ),
    Example(
        "",
        "a line not known to be sold across leaves the attached share unknown",
        {"orders": [order(n) for n in range(1, 5)], "order_lines": BASKETS},
        {
            "upsell_rate.orders": 0.25,
            "cross_sell_rate": 0.25,
            "cross_sell_rate.of_p1": near(1 / 3),
            "attach_rate": None,
            "attach_rate.units": None,
        },
    ),
    Example(
        "",
        "known lines give the attached share",
        {"orders": [order(n) for n in range(1, 5)], "order_lines": KNOWN_BASKETS},
        {"attach_rate": 0.5, "attach_rate.units": 1},
    ),
    Example(
        "",
        "a gift card or a fee is not attached, and nothing is attached to it",
        {
            "orders": [order(n) for n in range(1, 4)],
            "order_lines": [
                line(1, is_cross_sell=False),
                line(1, "card", line_type="gift_card", is_cross_sell=True),
                line(2, "wrapping", line_type="fee", is_cross_sell=False),
                line(2, is_cross_sell=True),
                line(3, is_cross_sell=False),
                line(3, "p2", is_cross_sell=True),
            ],
        },
        {"attach_rate": 0.5, "attach_rate.units": 0.5, "cross_sell_rate": 1},
    ),
    # --- Sales ---
    Example(
        "N1",
        "100 units in 400 orders",
        {
            "orders": [order(n) for n in range(400)],
            "order_lines": [line(n) for n in range(100)],
        },
        {"units_per_transaction": 0.25},
    ),
    Example(
        "N1",
        "99 units stay of 100 in 400 orders",
        {
            "orders": [order(n) for n in range(400)],
            "order_lines": [line(n) for n in range(100)],
            "returns": [returned(1)],
        },
        {"units_per_transaction": 0.25, "units_per_transaction.net": 99 / 400},
    ),
    Example(
        "",
        "total sales have the charges of counted orders less what was given back",
        {
            "orders": [order(1, **CHARGES), order(2, **CHARGES, status="cancelled")],
            "returns": [returned(1, amount=3.0, refund_shipping=0.5, refund_tax=None)],
        },
        {
            "total_sales": 13.5,
            "total_sales.with_refunded_charges": 14,
            "average_order_value.total_sales": 13.5,
        },
    ),
    Example(
        "",
        "order values by their competing definitions",
        {
            "orders": [
                order(n, gross=gross, discount_amount=discount)
                for n, (gross, discount) in enumerate(AMOUNTS, start=1)
            ],
            "events": [event("purchase", 1, value=7.0), event("purchase", 2, value=None)],
            "returns": [returned(1, amount=15.0)],
        },
        {
            "average_order_value": 115 / 4,
            "median_order_value": 45,
            "average_order_value.without_free": near(115 / 3),
            "average_order_value.without_returned": near(100 / 3),
            "average_order_value.purchase_events": 3.5,
            "discount_rate": 15 / 130,
        },
    ),
    Example(
        "M6",
        "order value keeps free orders and returned ones",
        {
            "orders": [order(1, gross=100.0), order(2, gross=0.0)],
            "returns": [returned(1, amount=100.0)],
        },
        {"average_order_value": 50, "net_sales": 0},
    ),
    Example(
        "M6",
        "order value leaves gift cards out on both sides",
        {
            "orders": [{"order_id": n, "ordered_at": DAY, "status": "paid"} for n in (1, 2, 3)],
            "order_lines": [
                line(n, unit_price=price, line_type=kind)
                for n, price, kind in (
                    (1, 20.0, "product"),
                    (2, 500.0, "gift_card"),
                    (3, 30.0, "product"),
                    (3, 50.0, "gift_card"),
                )
            ],
        },
        {"orders": 2, "average_order_value": 25},
    ),
    Example(
        "M6",
        "order value is not the mean of the customers' order values",
        {
            "orders": [
                order(n, gross=gross, customer_id=customer)
                for n, gross, customer in ((1, 10.0, 1), (2, 10.0, 1), (3, 10.0, 1), (4, 50.0, 2))
            ]
        },
        {"average_order_value": 20},
    ),
    *(
        Example(
            "M7",
            f"a cancelled order is not taken off twice, by a row of kind {kind}",
            {
                "orders": [order(1, gross=50.0), order(2, gross=70.0, status="cancelled")],
                "returns": [returned(2, amount=70.0, kind=kind)],
            },
            {"returns_value": 0, "net_sales": 50},
        )
        for kind in ("cancellation", "return", None)
    ),
    Example(
        "",
        "revenue per user is of all, and per customer of the known",
        {
            "sessions": visits(4),
            "orders": [order(1), order(2), order(3, customer_id=None)],
            "returns": [returned(1, amount=2.0), returned(3, amount=4.0), returned(9, amount=1.0)],
        },
        {
            "average_revenue_per_user": (30 - 7) / 4,
            "average_revenue_per_customer": (20 - 2) / 2,
        },
    ),
    Example(
        "M29",
        "sales grow from a loss",
        {
            "orders": [order()],
            "returns": [returned(9, amount=4.0, returned_at=dt.datetime(2024, 2, 5))],
        },
        {"sales_growth_rate": 3.5},
        AFTER_FEBRUARY,
    ),
    Example(
        "M29",
        "sales do not grow from nothing",
        {"orders": [order()]},
        {"sales_growth_rate": None},
        AFTER_FEBRUARY,
    ),
    # --- Returns and cancellations ---
    Example(
        "W39",
        "14,400 of 120,000 units came back",
        {
            "orders": [order(1, gross=4_560_000.0)],
            "order_lines": [line(1, quantity=120_000)],
            "returns": [returned(1, 14_400, 598_000.0)],
            "sessions": later(),
        },
        {
            "return_rate": 0.12,
            "value_return_rate.gross": near(0.131, abs=0.0005),
            "value_return_rate": near(0.131, abs=0.0005),
        },
    ),
    Example(
        "M27",
        "returns are of the same orders, and these had their time",
        {
            "orders": [order(1, EARLY), order(2, EARLY), order(3)],
            "order_lines": [line(1, quantity=3), line(2), line(3)],
            "returns": [
                returned(1, returned_at=LATE + 90 * ONE_DAY),
                returned(1, returned_at=None),
                returned(3, returned_at=LATE),
                returned(9, returned_at=LATE),
                returned(2, kind="cancellation"),
            ],
            "sessions": later(EARLY + dt.timedelta(days=30)),
        },
        {
            "return_rate": 0.5,
            "return_rate.after_1_days": 0.6,
            "order_return_rate": 0.5,
            "value_return_rate": 1,
            "return_rate.flow": 0.4,
            "order_return_rate.flow": near(2 / 3),
            "value_return_rate.flow": near(2 / 3),
            "returns_value.by_order_date": 30,
            "units_sold.net": 3,
        },
    ),
    Example(
        "",
        "cancelled orders are a share of all but test orders",
        {
            "orders": [
                order(n, status=status)
                for n, status in enumerate(
                    ("cancelled", "paid", "draft", "voided", "test", "deleted")
                )
            ]
        },
        {"cancellation_rate": near(1 / 5), "cancellation_rate.placed": near(1 / 3)},
    ),
]

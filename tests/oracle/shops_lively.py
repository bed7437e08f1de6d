"""Shops in which people come, look, click and buy, where those of `shops_more` have a few of all.

A rate of a rare thing is told of nobody in a shop of three visits. Here visitors come back, put
things into carts and leave them, and messages are read; one value in twelve is null. A shop is
told by its seed alone, so it is found again but not made smaller.
"""

import datetime as dt
from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import note
from hypothesis import strategies as st

from oracle.shops import MOMENTS, MONTHS
from oracle.shops_more import LONG_AFTER
from oracle.words import Row, Tables

_HOUR = dt.timedelta(hours=1)
_FUNNEL = ("page_view", "view_item", "add_to_cart", "begin_checkout", "purchase")
_STEPS = {"has_product_view": 1, "has_add_to_cart": 2, "has_checkout": 3, "has_purchase": 4}
_STATUSES = ("paid", "fulfilled", "pending", "paid", "fulfilled", "cancelled")


class _Dice:
    """Draws from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def one(self, *values: Any) -> Any:
        """Give one of the values."""
        return self.random.choice(values)

    def maybe(self, *values: Any) -> Any:
        """Give one of the values, or sometimes none."""
        return None if self.random.random() < 1 / 12 else self.one(*values)

    def moment(self) -> dt.datetime:
        """Give a time from January to April 2024, half of them on an edge."""
        hours = self.random.randrange((MONTHS[-1] - MONTHS[0]) // _HOUR)
        return self.one(self.one(*MOMENTS), MONTHS[0] + hours * _HOUR)


def _sessions(dice: _Dice, *, says_steps: bool) -> list[Row]:
    rows: list[Row] = []
    for number in range(24):
        started = dice.maybe(dice.moment())
        depth = dice.one(0, 1, 2, 3, 4, 4)
        steps = {flag: dice.maybe(depth >= step) for flag, step in _STEPS.items()}
        rows.append(
            {
                "session_id": f"s{number}",
                "visitor_id": dice.maybe("v1", "v2", "v3", "v4", "v5"),
                "started_at": started,
                "ended_at": started and started + dice.one(0, 1, 5, 26) * _HOUR,
                "engaged_s": dice.maybe(0.0, 10.0, 10.5, 60.0),
                "page_views": dice.maybe(1, 1, 0, 2, 5),
                "channel": dice.maybe("email", "paid"),
                "is_bot": dice.maybe(False, False, False, False, True),
                **(steps if says_steps else {}),
            }
        )
    return rows


def _events(dice: _Dice, sessions: Sequence[Row]) -> list[Row]:
    rows: list[Row] = []
    strangers = ({"session_id": "s99", "visitor_id": "v1"}, {"session_id": None})
    for visit in (*sessions, *sessions, *strangers * 2):
        depth, at = dice.one(1, 2, 3, 4, 5), visit.get("started_at") or dice.moment()
        names = (*_FUNNEL[:depth], dice.one("scroll", "blog_read", "scroll_90", "search"))
        product = dice.maybe("p1", "p2", "p3")
        rows += [
            {
                "event_id": 100 * len(rows) + place,
                "visitor_id": visit.get("visitor_id"),
                "event_name": dice.maybe(name),
                "occurred_at": at + place * _HOUR,
                "session_id": visit["session_id"],
                "product_id": product,
                "quantity": dice.maybe(1, 2, 3),
                "order_id": dice.maybe(*[f"o{n}" for n in range(16)])
                if name == "purchase"
                else None,
                "cart_id": dice.maybe(*range(16)),
                "load_ms": dice.maybe(0, 120, 800, 2500),
            }
            for place, name in enumerate(names)
        ]
    for row in rows[: dice.one(0, 1)]:
        row["occurred_at"] = LONG_AFTER
    return rows


def _orders(dice: _Dice, sessions: Sequence[Row]) -> list[Row]:
    rows: list[Row] = []
    for number in range(16):
        visit = dice.one(*sessions, {"session_id": "s99"}, {"session_id": None})
        started = visit.get("started_at") or dice.moment()
        rows.append(
            {
                "order_id": f"o{number}",
                "ordered_at": dice.maybe(started + dice.one(0, 0.5, 1, 5, 26, 26, -1) * _HOUR),
                "status": dice.one(*_STATUSES),
                "customer_id": dice.maybe(*range(1, 9)),
                "email_hash": dice.one("e1", None),
                "session_id": visit["session_id"],
                "cart_id": dice.maybe(*range(16)),
                "sales_channel": dice.maybe("online", "pos", "phone"),
            }
        )
    return rows


def _carts(dice: _Dice, sessions: Sequence[Row], orders: Sequence[Row]) -> list[Row]:
    """Give carts that were touched at the edges of being left and of being too late."""
    rows: list[Row] = []
    for number in range(24):
        order = dice.one(*orders, *[{"order_id": None}] * len(orders))
        bought = order.get("ordered_at")
        touched = (bought or dice.moment()) - dice.one(0, 23, 24, 24, 25, 300, 744, 745) * _HOUR
        created = touched - dice.one(0, 0, 1, 48) * _HOUR
        rows.append(
            {
                "cart_id": number,
                "created_at": dice.maybe(created),
                "visitor_id": dice.maybe("v1", "v2", "v3"),
                "session_id": dice.maybe(*[visit["session_id"] for visit in sessions]),
                "items": dice.maybe(0, 1, 2, 3),
                "value": dice.maybe(0.25, 2.5, 10.0),
                "order_id": order["order_id"],
                "checkout_started_at": dice.one(touched, None),
                "last_activity_at": dice.maybe(touched),
            }
        )
    return rows


def _campaigns(dice: _Dice) -> list[Row]:
    days = sorted({dice.moment().date() for _ in range(5)})
    return [
        {
            "date": day,
            "platform": platform,
            "campaign_id": campaign,
            "is_paid": dice.maybe(True, False),
            "impressions": dice.maybe(0, 1, 3, 100),
            "clicks": dice.maybe(0, 1, 2),
            "spend": dice.maybe(0.0, 0.25, 10.0),
            "reach": dice.maybe(1, 2, 50),
            "engagements": dice.maybe(0, 1, 3),
            "conversions": dice.maybe(0.0, 0.5, 2.0),
        }
        for day in days
        for platform in dice.one(("google", "meta"), ("google", "meta"), ("google",))
        for campaign in ("a1", "a2")
    ]


def _surveys(dice: _Dice) -> list[Row]:
    return [
        {
            "response_id": f"r{number}",
            "survey_type": dice.maybe("brand_unaided", "brand_aided", "nps"),
            "responded_at": dice.maybe(dice.moment()),
            "brand_recalled": dice.maybe(True, False),
            "weight": dice.maybe(0.5, 1.0, 2.0),
            "store": dice.maybe("north", "south"),
        }
        for number in range(24)
    ]


def _sends(dice: _Dice, orders: Sequence[Row]) -> list[Row]:
    rows: list[Row] = []
    for number in range(30):
        order, sent = dice.one(*orders, {"order_id": "o99"}), dice.maybe(dice.moment())
        bought = order.get("ordered_at") or dice.moment()
        clicked = bought - dice.one(0, 1, 119, 120, 121, -1) * _HOUR
        buys = dice.one(True, False)
        rows.append(
            {
                "message_id": f"m{number % 3 + 1}",
                "recipient_id": f"r{number // 3}",
                "sent_at": sent,
                "bounce_type": dice.one(None, None, None, None, "hard", "soft"),
                "first_opened_at": dice.one(clicked, None),
                "first_clicked_at": dice.one(clicked, None),
                "unsubscribed_at": dice.one(clicked, None, None, None),
                "complained_at": dice.one(clicked, None, None, None),
                "is_machine_open": dice.maybe(True, False),
                "order_id": order["order_id"] if buys else None,
                "attributed_revenue": dice.maybe(-5.0, 2.5, 10.0) if buys else None,
            }
        )
    return rows


def _viewers(dice: _Dice) -> list[Row]:
    return [
        {
            "viewer_id": dice.maybe("w1", "w2", "w3", "w4"),
            "campaign_id": dice.maybe("a1", "a2", "a9"),
            "viewed_at": dice.maybe(dice.moment()),
        }
        for _ in range(20)
    ]


def _searches(dice: _Dice) -> list[Row]:
    return [
        {
            "date": day,
            "brand_queries": dice.maybe(0, 3, 10),
            "category_queries": dice.maybe(0, 10, 250),
        }
        for day in sorted({dice.moment().date() for _ in range(8)})
    ]


def lively_shop(seed: int) -> Tables:
    """Give all tables of the shop with this number."""
    dice = _Dice(seed)
    sessions = _sessions(dice, says_steps=dice.one(True, False))
    orders = _orders(dice, sessions)
    return {
        "sessions": sessions,
        "events": _events(dice, sessions),
        "orders": orders,
        "order_lines": [],
        "carts": _carts(dice, sessions, orders),
        "campaign_performance": _campaigns(dice),
        "surveys": _surveys(dice),
        "email_sends": _sends(dice, orders),
        "ad_views": _viewers(dice),
        "search_interest": _searches(dice),
    }


@st.composite
def lively_shops(draw: st.DrawFn, names: Sequence[str]) -> Tables:
    """Give lively shops with those of their tables that are named.

    A failing test notes the number of its shop, because the rows are too many to be read.
    """
    seed = draw(st.integers(0, 2**32 - 1))
    note(f"lively_shop({seed})")
    return {name: rows for name, rows in lively_shop(seed).items() if name in names}

"""Shops in which much happens, where those of `oracle.shops_operations` have a few rows of all.

Rates of retention, payback and perfect orders are told of nobody in a shop of three orders. Here
customers come back, stock runs out and parcels are late; one value in twelve is null. A shop is
told by its seed alone, so it is found again but not made smaller.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from hypothesis import note
from hypothesis import strategies as st

from oracle.shops import MOMENTS, MONTHS
from oracle.words import Row, Tables

_HOUR = dt.timedelta(hours=1)
_PRODUCTS = ("p1", "p2", "p3", "p4")
_MONEY = (0.25, 1.0, 2.5, 4.0, 10.0)
_GOOD = (True,) * 6 + (False,)
_BAD = (False,) * 6 + (True,)


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


def _orders(dice: _Dice) -> list[Row]:
    return [
        {
            "order_id": f"o{number}",
            "ordered_at": dice.maybe(dice.moment()),
            "status": dice.one("paid", "fulfilled", "pending", "paid", "fulfilled", "cancelled"),
            "customer_id": dice.maybe(1, 2, 3, 4, 5, 6),
            "email_hash": dice.one("e1", None),
            "sales_channel": dice.maybe("online", "pos"),
            "gross_amount": dice.maybe(10.0, 20.0, 40.0, 99.75),
            "discount_amount": dice.maybe(0.0, 0.25, 1.0),
            "market": dice.maybe("PL", "DE"),
            "payment_fee": dice.maybe(0.0, 0.25, 0.5),
            "fulfilment_cost": dice.maybe(0.5, 1.0),
            "shipping_amount": dice.maybe(0.0, 2.5),
            "attributed_channel": dice.maybe("Paid Search", "paid_social", "email"),
            "attributed_campaign": dice.maybe("a1", "a2", "newsletter", None),
        }
        for number in range(40)
    ]


def _lines(dice: _Dice) -> list[Row]:
    missing = dice.one((), (None,))
    return [
        {
            "order_line_id": number,
            "order_id": dice.maybe(f"o{number}", f"o{number % 40}", "o99"),
            "product_id": dice.maybe(*_PRODUCTS),
            "quantity": dice.one(1, 1, 2, 3, *missing),
            "unit_price": dice.maybe(10.0, 20.0),
            "discount_amount": dice.maybe(0.0, 0.25),
            "unit_cost": dice.one(*_MONEY, *_MONEY, *missing),
            "line_type": dice.maybe("product", "product", "product", "gift_card", "fee"),
        }
        for number in range(50)
    ]


def _returns(dice: _Dice) -> list[Row]:
    return [
        {
            "return_id": f"t{number}",
            "order_id": dice.maybe(f"o{dice.random.randrange(40)}", "o99"),
            "order_line_id": dice.random.randrange(50),
            "returned_at": dice.maybe(dice.moment()),
            "quantity": dice.one(1, 1, 0),
            "refund_amount": dice.maybe(*_MONEY),
            "kind": dice.maybe("return", "refund_only", "cancellation", "chargeback"),
            "is_restocked": dice.maybe(False, False, True),
            "handling_cost": dice.maybe(0.25, 1.0),
        }
        for number in range(10)
    ]


def _campaigns(dice: _Dice) -> list[Row]:
    platforms = dice.one(("google",), ("google",), ("google", "meta"))
    price = dice.one(1, 1, 40)  # dear enough, now and then, that customers take months to pay back
    return [
        {
            "date": day.date(),
            "platform": platform,
            "campaign_id": campaign,
            "impressions": dice.maybe(100, 300),
            "clicks": dice.maybe(1, 3, 10),
            "spend": dice.maybe(*(price * amount for amount in _MONEY)),
            "conversion_value": dice.maybe(10.0, 40.0),
            "market": dice.maybe("PL", "DE"),
            "conversions": dice.maybe(0.0, 1.0, 2.5),
            "is_paid": campaign == "a1" or dice.maybe(True, False),
        }
        for day in dict.fromkeys(moment.replace(hour=0) for moment in MOMENTS[::2])
        for platform in platforms
        for campaign in ("a1", "a2")
    ]


def _costs(dice: _Dice) -> list[Row]:
    rows: list[Row] = []
    for number in range(6):
        first = dice.moment().date()
        last = first + dt.timedelta(days=dice.one(0, 1, 30, 45))
        rows.append(
            {
                "cost_id": f"m{number}",
                "period_start": first,
                "period_end": last,
                "amount": dice.maybe(*_MONEY),
                "purpose": dice.maybe("acquisition", "acquisition", "retention", "brand"),
                "market": dice.maybe("PL", "DE"),
                "is_variable": dice.maybe(True, False),
            }
        )
    return rows


def _surveys(dice: _Dice) -> list[Row]:
    return [
        {
            "response_id": f"r{number}",
            "survey_type": kind,
            "responded_at": dice.maybe(dice.moment()),
            "customer_id": dice.maybe(1, 2, 3),
            "score": dice.maybe(*scores),
            "store": dice.maybe("north", "south"),
            "scale_max": dice.maybe(max(scores)),
        }
        for number in range(20)
        for kind, scores in [dice.one(("nps", (0, 6, 7, 9, 10)), ("csat", (1, 3, 4, 5)))]
    ]


def _products(dice: _Dice) -> list[Row]:
    return [
        {
            "product_id": product,
            "category": dice.maybe("shoes", "hats"),
            "list_price": dice.maybe(10.0, 20.0),
            "unit_cost": dice.maybe(*_MONEY),
            "lead_time_days": dice.maybe(0.0, 1.0, 4.0, 9.0),
            "lead_time_sd": dice.maybe(0.0, 1.0, 2.5),
            "is_active": dice.maybe(*_GOOD),
            "is_tracked": dice.maybe(*_GOOD),
        }
        for product in dice.random.sample(_PRODUCTS, 3)
    ]


def _snapshots(dice: _Dice) -> list[Row]:
    """Give stock on some days of each month, now and then without one place of a product."""
    firsts = [month + day * dt.timedelta(days=1) for month in MONTHS[:-1] for day in (0, 1, 14, 27)]
    return [
        {
            "snapshot_date": day.date(),
            "product_id": product,
            "location_id": location,
            "on_hand_units": dice.maybe(0, 0, -1, 1, 3, 5, 20),
            "unit_cost": dice.maybe(*_MONEY),
            "committed_units": dice.maybe(0, 1, 5),
            "incoming_units": dice.maybe(0, 1, 20),
        }
        for day in firsts
        for product in _PRODUCTS
        for location in ("north", "south")
        if dice.random.random() < 2 / 3
    ]


def _shipments(dice: _Dice, orders: Sequence[Row]) -> list[Row]:
    """Give mostly one parcel per order, sometimes two, none, or one that is still on its way."""
    rows: list[Row] = []
    for order in (*orders, *orders[::4], {"order_id": "o99"}, {"order_id": None}):
        placed = order.get("ordered_at") or dice.moment()
        shipped = placed + dice.one(0, 12, 24, 24, 72) * _HOUR
        arrived = shipped + dice.one(0, 24, 48, 336) * _HOUR
        if dice.random.random() < 1 / 8:
            continue
        rows.append(
            {
                "shipment_id": f"d{len(rows)}",
                "order_id": order["order_id"],
                "shipped_at": dice.one(*[shipped] * 9, None),
                "delivered_at": dice.one(*[arrived] * 9, None),
                "promised_at": dice.maybe(placed + 120 * _HOUR, placed + 120 * _HOUR, arrived),
                "shipping_cost": dice.maybe(0.25, 1.0, 2.5),
                "units_shipped": dice.maybe(1, 1, 2, 3, 3),
                "has_item_error": dice.maybe(*_BAD),
                "is_damaged": dice.maybe(*_BAD),
                "documents_ok": dice.maybe(*_GOOD),
            }
        )
    return rows


def _receipts(dice: _Dice) -> list[Row]:
    return [
        {
            "product_id": dice.maybe(*_PRODUCTS),
            "received_at": dice.maybe(dice.moment()),
            "units": dice.maybe(1, 5, 20),
        }
        for _ in range(8)
    ]


_MAKERS: dict[str, Callable[[_Dice], list[Row]]] = {
    "orders": _orders,
    "order_lines": _lines,
    "returns": _returns,
    "campaign_performance": _campaigns,
    "marketing_costs": _costs,
    "surveys": _surveys,
    "products": _products,
    "inventory_snapshots": _snapshots,
    "receipts": _receipts,
}


def busy_shop(seed: int) -> Tables:
    """Give all tables of the shop with this number, save visits, events and carts."""
    dice = _Dice(seed)
    tables = {name: make(dice) for name, make in _MAKERS.items()}
    tables["shipments"] = _shipments(dice, tables["orders"])
    return tables


@st.composite
def busy_shops(draw: st.DrawFn, names: Sequence[str] | None = None) -> Tables:
    """Give busy shops with those of their tables that are named, or with all.

    A failing test notes the number of its shop, because the rows are too many to be read.
    """
    seed = draw(st.integers(0, 2**32 - 1))
    note(f"busy_shop({seed})")
    tables = busy_shop(seed)
    return {name: rows for name, rows in tables.items() if names is None or name in names}

"""Several items of one event: a table of items beside the events."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk

DAY = dt.datetime(2024, 5, 1)


class EventItems(
    fk.Table,
    table="event_items",
    key=("event_id", "position"),
    time="occurred_at",
    parents={"event_id": "events", "product_id": "products"},
):
    """One row per item of an event."""

    event_id = fk.Key("The event.", fk.EVENT)
    position = fk.Quantity("Its place in the list.")
    occurred_at = fk.Time("When the event occurred.")
    product_id = fk.Key("The product.", fk.PRODUCT)
    quantity = fk.Quantity("How many.")
    price = fk.Money("The price of one.")


NAME = fk.Lookup(EventItems.event_id, fk.Events.event_name)
ADDED, BOUGHT = NAME.eq("add_to_cart"), NAME.eq("purchase")
UNITS = fk.Metric(name="units_added", formula=fk.Sum(EventItems.quantity, where=ADDED))
EVENTS = fk.Metric(
    name="events_with_it", formula=fk.CountDistinct(EventItems.event_id, where=ADDED)
)
REVENUE = fk.Metric(
    name="item_revenue",
    formula=fk.Sum(EventItems.quantity * EventItems.price, where=BOUGHT),
    unit=fk.MONEY,
)


@pytest.fixture(name="shop")
def shop_of_items():
    """A cart of two bags and a belt, one of a belt, and a purchase of a bag and two belts."""
    events = {
        "event_id": [1, 2, 3],
        "event_name": ["add_to_cart", "ADD_TO_CART", "purchase"],
        "occurred_at": [DAY] * 3,
    }
    items = {
        "event_id": [1, 1, 2, 3, 3],
        "position": [1, 2, 1, 1, 2],
        "occurred_at": [DAY] * 5,
        "product_id": ["b", "t", "t", "b", "t"],
        "quantity": [2, 1, 1, 1, 2],
        "price": [30.0, 10.0, 10.0, 30.0, 10.0],
    }
    products = {"product_id": ["b", "t"], "category": ["bags", "belts"]}
    return fk.Shop(
        events=pl.DataFrame(events),
        event_items=pl.DataFrame(items),
        products=pl.DataFrame(products),
        tables=[EventItems],
    )


def test_items_are_folded_by_category_and_an_event_counts_in_each_that_it_has(shop):
    found = fk.evaluate(shop, [UNITS, EVENTS, REVENUE], by="category").frame
    assert found.rows() == [("bags", 2, 1, 30.0), ("belts", 2, 2, 20.0)]
    whole = fk.evaluate(shop, [UNITS, EVENTS, REVENUE]).frame
    assert whole.rows() == [(4, 2, 50.0)]


def test_events_of_categories_do_not_add_up(shop):
    result = fk.evaluate(shop, EVENTS, by="category")
    with pytest.raises(fk.UnsupportedError, match="events_with_it"):
        result.rollup()

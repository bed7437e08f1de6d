"""The moment up to which the data is known is part of what an engine is asked."""

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import funnelkit as fk
from funnelkit.demo_shop.shop import demo_frames
from parity.shops import some_of
from small_frames import NOON, of, orders_of

SINCE = fk.Min(fk.Elapsed(fk.Orders.ordered_at, fk.AsOf()))
OLD = fk.Count(fk.Orders, where=fk.Elapsed(fk.Orders.ordered_at, fk.AsOf()) >= dt.timedelta(days=1))


def fresh():
    return fk.Shop(orders=orders_of(ordered_at=[NOON, NOON + dt.timedelta(days=3)]))


@pytest.mark.parametrize(("formula", "expected"), [(SINCE, 0.0), (OLD, 1)])
def test_an_engine_of_a_fresh_shop_answers_what_evaluate_does(formula, expected):
    shop = fresh()
    (answer,) = shop.runner.fold(fk.plan(shop, of(formula)).steps)
    assert answer.row(0)[0] == expected
    assert fk.evaluate(fresh(), of(formula)).frame.item() == expected


def test_a_derived_column_that_rests_on_the_moment_is_known_to_an_engine():
    frames = {
        "carts": orders_of(
            cart_id=[1, 2],
            created_at=[NOON, NOON + dt.timedelta(days=3)],
        ).select("cart_id", "created_at")
    }
    shop = fk.Shop.bind(frames)
    asked = of(fk.Max(fk.Carts.age_s))
    (answer,) = shop.runner.fold(fk.plan(shop, asked).steps)
    assert answer.row(0)[0] == 3 * 86_400
    assert fk.evaluate(fk.Shop.bind(frames), asked).frame.item() == 3 * 86_400


def test_the_moment_of_a_step_is_the_one_that_counts():
    shop = fresh()
    (step,) = fk.plan(shop, of(OLD)).steps
    later = replace(step, as_of=dt.datetime(2024, 6, 1, tzinfo=dt.UTC))
    runner = shop.runner
    assert runner.fold([later])[0].row(0)[0] == 2
    assert runner.fold([step])[0].row(0)[0] == 1


def test_evaluation_says_the_moment_in_every_step():
    result = fk.evaluate(fresh(), of(OLD))
    assert {step.as_of for step in result.plan.steps} == {
        (NOON + dt.timedelta(days=3)).replace(tzinfo=dt.UTC)
    }


def test_what_follows_a_given_moment_changes_no_number_of_the_catalogue():
    """Rows that are not before it may as well be absent, and so may what points to an order."""
    moment, frames = dt.datetime(2024, 9, 16, 12), some_of(demo_frames())
    clocks = {name: table.time for name, table in fk.Shop.bind(frames).data.known.items()}
    cut = {
        name: frame.filter(pl.col(clocks[name]).cast(pl.Datetime("us")) < moment)
        for name, frame in frames.items()
        if clocks[name] in frame.columns
    }
    for name in ("order_lines", "shipments"):  # parcels are there before they are shipped
        cut[name] = frames[name].join(cut["orders"], on="order_id", how="semi")
    assert cut.keys() == frames.keys()
    shops = [fk.Shop.bind(each, currency="PLN", as_of=moment) for each in (frames, cut)]
    metrics = fk.registry().find(required_dimension="")
    asked = {"every": "1q", "start": "2024-01-01", "end": "2025-01-01"}
    one, two = (fk.evaluate(shop, metrics, **asked).frame for shop in shops)
    assert_frame_equal(one, two)


def test_what_points_to_a_row_after_a_given_moment_is_not_there():
    """The second order of a customer and the return of the first are made after it."""
    later = NOON + dt.timedelta(days=9)
    orders = orders_of(ordered_at=[NOON, later], customer_id=[1, 1], session_id=[1, 2])
    returns = pl.DataFrame(
        {"return_id": [1], "order_id": [1], "returned_at": [later], "refund_amount": [1.0]}
    )
    sessions = pl.DataFrame({"session_id": [1, 2, 3], "started_at": [NOON, NOON, later]})
    until = fk.Shop(orders=orders, returns=returns, sessions=sessions, as_of=later)
    after = fk.Shop(orders=orders, returns=returns, sessions=sessions)
    asked = {
        "orders": of(fk.Count(fk.Orders)),
        "followed": of(fk.Count(fk.Orders.next_ordered_at)),
        "sessions": of(fk.Count(fk.Sessions)),
        "returned": of(fk.Count(fk.Orders, where=fk.Orders.has_return)),
        "purchases": of(fk.Count(fk.Sessions, where=fk.Sessions.has_purchase)),
    }
    found = [[fk.evaluate(s, one).frame.item() for one in asked.values()] for s in (until, after)]
    assert found == [[1, 0, 2, 0, 1], [2, 1, 3, 1, 2]]


def test_a_parcel_that_is_shipped_after_a_given_moment_was_promised_before():
    days = [NOON + dt.timedelta(days=number) for number in range(10)]
    parcels = {"shipped_at": [days[8]], "delivered_at": [days[9]], "promised_at": [days[2]]}
    shipments = pl.DataFrame({"shipment_id": [1], "order_id": [1], **parcels})
    shop = fk.Shop(orders=orders_of(ordered_at=[NOON]), shipments=shipments, as_of=days[5])
    assert fk.evaluate(shop, "on_time_delivery_rate").frame.item() == 0.0
    assert fk.evaluate(shop, of(fk.Count(fk.Shipments))).frame.item() == 0


@pytest.mark.parametrize("asked", [{}, {"start": "2024-01-01", "end": "2025-01-01"}])
def test_of_a_cost_of_several_days_those_before_a_given_moment_count(asked):
    days = {"period_start": [dt.date(2024, 9, 1)], "period_end": [dt.date(2024, 9, 30)]}
    costs = pl.DataFrame({"cost_id": [1], **days, "amount": [3000.0]})
    shop = fk.Shop(marketing_costs=costs, as_of="2024-09-16")
    spent = of(fk.Sum(fk.MarketingCosts.amount))
    assert fk.evaluate(shop, spent, **asked).frame.item() == 1500.0


@pytest.mark.parametrize("is_named_by_cart", [True, False])
def test_an_order_after_a_given_moment_converts_no_cart_before(is_named_by_cart):
    """Of three carts of a day, one was ordered in time, one after the moment and one never."""
    later = NOON + dt.timedelta(days=2)
    orders = orders_of(ordered_at=[NOON, later], session_id=[1, 2])
    carts = pl.DataFrame(
        {"cart_id": [1, 2, 3], "created_at": [NOON] * 3, "last_activity_at": [NOON] * 3}
    )
    if is_named_by_cart:
        carts = carts.with_columns(order_id=pl.Series([1, 2, None]))
    else:
        orders = orders.with_columns(cart_id=pl.Series([1, 2]))
    asked = [
        fk.Count(fk.Carts, where=fk.Carts.is_converted),
        fk.Count(fk.Carts, where=fk.Carts.is_abandoned),
        fk.Count(fk.Carts.ordered_at),
        fk.Count(fk.Carts, where=fk.Carts.is_recovered),
    ]
    found = [
        [
            fk.evaluate(fk.Shop(orders=orders, carts=carts, as_of=at), of(one)).frame.item()
            for one in asked
        ]
        for at in (NOON + dt.timedelta(hours=12), later, later + dt.timedelta(hours=1))
    ]
    assert found == [[1, 0, 1, 0], [1, 2, 1, 0], [2, 2, 2, 1]]


def test_an_order_after_a_given_moment_is_not_attributed_to_an_email_before():
    later = NOON + dt.timedelta(days=2)
    sends = {"message_id": [1, 2], "recipient_id": [1, 2], "order_id": [1, 2]}
    times = dict.fromkeys(("sent_at", "first_clicked_at"), [NOON - dt.timedelta(hours=1)] * 2)
    frames = {
        "orders": orders_of(ordered_at=[NOON, later]),
        "email_sends": pl.DataFrame({**sends, **times, "bounce_type": [None, None]}),
    }
    asked = ["email_conversion_rate", "email_conversion_rate.as_attributed"]
    until, after = (fk.Shop.bind(frames, as_of=at) for at in (later, later + dt.timedelta(days=1)))
    assert fk.evaluate(until, asked).frame.row(0) == (0.5, 0.5)
    assert fk.evaluate(after, asked).frame.row(0) == (1.0, 1.0)


def test_a_customer_that_is_added_after_a_given_moment_is_known_of_an_order_before():
    customers = pl.DataFrame(
        {"customer_id": [1], "created_at": [NOON + dt.timedelta(days=9)], "segment": ["vip"]}
    )
    orders = orders_of(ordered_at=[NOON], customer_id=[1])
    shop = fk.Shop(orders=orders, customers=customers, as_of=NOON + dt.timedelta(days=1))
    found = fk.evaluate(shop, of(fk.Count(fk.Orders)), by="segment").frame
    assert found.rows() == [("vip", 1)]


def known_orders_and_events(times, as_of, zone):
    """How many of the rows of two tables are known: as a KPI counts them, and as a funnel does."""
    numbers = list(range(1, len(times) + 1))
    events = {"event_id": numbers, "visitor_id": numbers, "event_name": ["view_item"] * len(times)}
    shop = fk.Shop(
        orders=orders_of(ordered_at=times),
        events=pl.DataFrame({**events, "occurred_at": times}),
        time_zone=zone,
        as_of=as_of,
    )
    entered = fk.funnel(shop, ["view_item", "view_item"]).frame.item(0, "entities")
    return fk.evaluate(shop, of(fk.Count(fk.Orders))).frame.item(), entered


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (dt.datetime(2024, 10, 27, 2, 30), 1),
        (dt.datetime(2024, 10, 27, 2, 30, fold=1), 2),
        ("2024-10-27T02:30+02:00", 1),
        ("2024-10-27T02:10+01:00", 2),
        ("2024-10-27T03:10", 3),
    ],
)
def test_in_the_hour_that_a_clock_shows_twice_local_times_are_those_of_the_first(as_of, expected):
    times = [dt.datetime(2024, 10, 27, *at) for at in ((2, 15), (2, 45), (3, 0), (3, 15))]
    found = known_orders_and_events(times, as_of, "Europe/Warsaw")
    assert found == (expected, expected)


@pytest.mark.parametrize(
    ("zone", "as_of", "expected"),
    [
        ("Europe/Warsaw", "2024-09-08", 1),
        ("Europe/Warsaw", "2024-09-08T12:00", 2),
        ("Europe/Warsaw", "2024-09-07T22:00Z", 1),
        ("America/Santiago", "2024-09-08", 1),  # its first hour is skipped there
        ("America/Santiago", "2024-09-08T01:30", 2),
    ],
)
def test_a_day_is_known_that_begins_before_a_given_moment(zone, as_of, expected):
    days = [dt.date(2024, 9, day) for day in (7, 8, 9)]
    assert known_orders_and_events(days, as_of, zone) == (expected, expected)


@pytest.mark.parametrize("as_of", ["0001-01-01T00:00+14:00", "1899-12-31", dt.date.max])
def test_a_moment_at_which_nothing_was_sold_is_refused(as_of):
    with pytest.raises(fk.DefinitionError, match="lies outside of the years 1900 to 2199; pass"):
        fk.Shop(orders=orders_of(ordered_at=[NOON]), as_of=as_of)


def test_the_first_order_of_a_customer_is_unknown_until_it_is_placed():
    """A cancelled order before the moment begins no cohort, nor does the counted one after it."""
    at = [NOON, NOON + dt.timedelta(days=40)]
    orders = orders_of(ordered_at=at, customer_id=[1, 1], status=["cancelled", "paid"])
    asked = {"metrics": of(fk.Count(fk.Orders)), "by": "cohort", "every": "1mo"}
    until = fk.Shop(orders=orders, as_of=at[1])
    after = fk.Shop(orders=orders, as_of=at[1] + dt.timedelta(days=1))
    assert fk.evaluate(until, **asked).frame.rows() == [(dt.date(2024, 5, 1), None, 1)]
    assert (
        fk.evaluate(after, **asked).frame.get_column("cohort").to_list()
        == [dt.date(2024, 6, 1)] * 2
    )


def test_a_rate_that_is_fixed_after_a_given_moment_converts_no_order_before():
    fixed = [NOON - dt.timedelta(hours=2), NOON + dt.timedelta(hours=2)]
    rates = pl.DataFrame({"date": fixed, "currency": ["EUR"] * 2, "rate": [4.0, 5.0]})
    orders = orders_of(ordered_at=[NOON], currency=["EUR"])
    asked = of(fk.Sum(fk.Orders.gross_amount))
    found = [
        fk.evaluate(
            fk.Shop(orders=orders, exchange_rates=rates, currency="PLN", as_of=at), asked
        ).frame.item()
        for at in (fixed[1], fixed[1] + dt.timedelta(hours=1))
    ]
    assert found == [400.0, 500.0]

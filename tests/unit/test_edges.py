"""Edges of definitions that sampled shops rarely meet."""

import datetime as dt

import polars as pl

import funnelkit as fk

NOON = dt.datetime(2024, 5, 1, 12)


def value(shop, name, **question):
    return fk.evaluate(shop, name, **question).frame.get_column(fk.registry()[name].name).to_list()


def test_a_cart_of_exactly_24_hours_is_old_enough():
    carts = pl.DataFrame({"cart_id": [1], "created_at": [NOON], "order_id": [None]})
    day = dt.timedelta(days=1)
    assert value(fk.Shop(carts=carts, as_of=NOON + day), "cart_abandonment_rate") == [1.0]
    younger = fk.Shop(carts=carts, as_of=NOON + day - dt.timedelta(seconds=1))
    assert value(younger, "cart_abandonment_rate") == [None]


def test_a_cart_that_is_recovered_is_not_abandoned():
    carts = pl.DataFrame({"cart_id": [1, 2], "created_at": [NOON] * 2, "order_id": [None, 7]})
    shop = fk.Shop(carts=carts, as_of="2024-05-10")
    assert value(shop, "cart_abandonment_rate") == [0.5]


def test_of_two_answers_at_one_moment_the_larger_id_counts():
    answers = pl.DataFrame(
        {
            "response_id": [2, 1],
            "survey_type": ["nps"] * 2,
            "responded_at": [NOON] * 2,
            "customer_id": ["a", "a"],
            "score": [10, 0],
        }
    )
    for frame in (answers, answers.reverse()):
        assert value(fk.Shop(surveys=frame), "nps") == [100.0]


def test_answers_without_a_customer_count_each_for_itself():
    answers = pl.DataFrame(
        {
            "response_id": [1, 2, 3],
            "survey_type": ["nps"] * 3,
            "responded_at": [NOON] * 3,
            "customer_id": [None, None, 1],
            "score": [10, 9, 0],
        }
    )
    assert value(fk.Shop(surveys=answers), "nps") == [100 / 3]


def test_a_visit_of_exactly_10_seconds_is_not_engaged():
    visits = pl.DataFrame(
        {
            "session_id": [1, 2],
            "started_at": [NOON] * 2,
            "engaged_s": [10.0, 10.1],
            "page_views": [1, 1],
        }
    )
    assert value(fk.Shop(sessions=visits), "engagement_rate") == [0.5]


def test_a_visit_of_two_pages_is_engaged():
    visits = pl.DataFrame({"session_id": [1, 2], "started_at": [NOON] * 2, "page_views": [2, 1]})
    assert value(fk.Shop(sessions=visits), "bounce_rate") == [0.5]


def test_an_order_of_gift_cards_alone_does_not_count_and_a_mixed_one_counts_its_goods():
    orders = pl.DataFrame({"order_id": [1, 2, 3], "ordered_at": [NOON] * 3, "status": ["paid"] * 3})
    lines = pl.DataFrame(
        {
            "order_line_id": [1, 2, 3],
            "order_id": [1, 2, 2],
            "quantity": [1, 1, 2],
            "unit_price": [50.0, 50.0, 10.0],
            "line_type": ["gift_card", "gift_card", "product"],
        }
    )
    shop = fk.Shop(orders=orders, order_lines=lines)
    found = fk.evaluate(shop, ["orders", "gross_sales", "units_sold"]).frame.row(0)
    assert found == (2, 20.0, 2.0)


def test_a_cost_is_spread_over_its_days_the_last_one_included():
    shop = fk.Shop(
        marketing_costs=pl.DataFrame(
            {
                "cost_id": [1],
                "period_start": [dt.date(2024, 1, 30)],
                "period_end": [dt.date(2024, 2, 2)],
                "amount": [100.0],
                "purpose": ["acquisition"],
            }
        )
    )
    cost = fk.Metric(name="cost", formula=fk.Sum(fk.MarketingCosts.amount))
    months = fk.evaluate(shop, cost, every="1mo").frame.get_column("cost").to_list()
    assert months == [50.0, 50.0]
    assert fk.evaluate(shop, cost, start="2024-02-02").frame.item() == 25.0
    assert fk.evaluate(shop, cost).frame.item() == 100.0


def test_a_purchase_is_known_from_events_where_there_are_no_orders():
    visits = pl.DataFrame({"session_id": [1, 2], "started_at": [NOON] * 2})
    events = pl.DataFrame(
        {
            "event_id": [1, 2, 3],
            "session_id": [1, 1, 2],
            "event_name": ["page_view", "purchase", "page_view"],
            "occurred_at": [NOON] * 3,
        }
    )
    shop = fk.Shop(sessions=visits, events=events)
    assert value(shop, "cr") == [0.5]
    assert value(shop, "bounce_rate") == [0.5]
    steps = fk.evaluate(shop, "sessions", by="has_purchase").frame
    assert steps.rows() == [(False, 1), (True, 1)]


def test_the_visitor_of_an_order_is_that_of_its_visit():
    visits = pl.DataFrame(
        {"session_id": [1, 2], "visitor_id": ["v", "w"], "started_at": [NOON] * 2}
    )
    orders = pl.DataFrame(
        {
            "order_id": [1, 2],
            "ordered_at": [NOON] * 2,
            "status": ["paid"] * 2,
            "session_id": [2, 9],
        }
    )
    shop = fk.Shop(orders=orders, sessions=visits)
    assert fk.evaluate(shop, "orders", by="visitor_id").frame.rows() == [("w", 1), (None, 1)]


def test_days_since_the_order_before_come_from_the_whole_history():
    orders = pl.DataFrame(
        {
            "order_id": [1, 2, 3, 4],
            "ordered_at": [dt.datetime(2024, month, 1) for month in (1, 2, 2, 4)],
            "status": ["paid", "cancelled", "paid", "paid"],
            "customer_id": ["a", "a", "b", "a"],
        }
    )
    gap = fk.Metric(
        name="gap",
        formula=fk.Median(fk.Elapsed(fk.Orders.previous_ordered_at, fk.Orders.ordered_at)),
    )
    shop = fk.Shop(orders=orders)
    assert fk.evaluate(shop, gap).frame.item() == 91 * 86_400
    first = fk.evaluate(shop, "orders", by="order_number").frame
    assert first.rows() == [(1, 2), (2, 1)]


def test_customers_without_a_channel_are_retained_in_the_group_without_a_channel():
    orders = pl.DataFrame(
        {
            "order_id": [1, 2, 3],
            "ordered_at": [dt.datetime(2024, month, 1) for month in (1, 2, 2)],
            "status": ["paid"] * 3,
            "customer_id": ["a", "a", "b"],
            "channel": [None, None, "paid"],
        }
    )
    months = fk.evaluate(fk.Shop(orders=orders), "retention", by="channel", every="1mo").frame
    february = months.filter(pl.col("period") == dt.date(2024, 2, 1))
    assert february.select("channel", "customer_retention_rate").rows() == [
        ("paid", None),
        (None, 1.0),
    ]


def test_a_ratio_of_a_ratio_without_a_denominator_is_null_and_not_zero():
    orders = pl.DataFrame(
        {"order_id": [1], "ordered_at": [NOON], "status": ["cancelled"], "gross_amount": [5.0]}
    )
    ticket = fk.Sum(fk.Orders.gross_amount) / fk.Count(fk.Orders, where=fk.Orders.is_counted)
    inverse = fk.Metric(name="inverse", formula=fk.Count(fk.Orders) / ticket)
    assert fk.evaluate(fk.Shop(orders=orders), inverse).frame.item() is None

"""The plain-Python oracles themselves: worked examples, decisions, and laws that any KPI keeps."""

import datetime as dt
from typing import Any

import pytest

from oracle.words import ORACLES, Period, Row, Value
from oracle.words_carts import CART_ORACLES, cart_abandonment_rate_after, cart_recovery_rate
from oracle.words_email import EMAIL_ORACLES, email_conversion_rate
from oracle.words_funnel import FUNNEL_ORACLES, goal_conversion_rate
from oracle.words_sales import (
    SALES_ORACLES,
    attach_rate_of_products,
    cross_sell_rate_of_product,
    return_rate,
)
from oracle.words_traffic import TRAFFIC_ORACLES, engaged_sessions, traffic_source_share
from oracle.words_visits import channel_of, quantile

ALL = {
    **ORACLES,
    **TRAFFIC_ORACLES,
    **EMAIL_ORACLES,
    **FUNNEL_ORACLES,
    **CART_ORACLES,
    **SALES_ORACLES,
}
DAY = dt.datetime(2024, 3, 5, 10)
HOUR, ONE_DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
MARCH = Period(dt.datetime(2024, 3, 1), dt.datetime(2024, 4, 1))
EVER = Period(dt.datetime.min, dt.datetime.max)


def ask(name: str, period: Period = MARCH, **tables: list[Row]) -> Value:
    """Give the value of a KPI of some tables."""
    return ALL[name](tables, period)


def many(count: int, **columns: Any) -> list[Row]:
    """Give so many rows that are numbered from 1; what is called is called with the number."""
    return [
        {name: value(number) if callable(value) else value for name, value in columns.items()}
        for number in range(1, count + 1)
    ]


def same(number: int) -> int:
    return number


def visits(count: int, **columns: Any) -> list[Row]:
    """Give visits, each of a visitor of its own."""
    return many(count, session_id=same, visitor_id=same, started_at=DAY, **columns)


def event(name: str, session: Any = 1, **columns: Any) -> Row:
    """Give an event of a visit, by the visitor of the same number."""
    plain = {"event_name": name, "occurred_at": DAY, "session_id": session, "visitor_id": session}
    return {**plain, **columns}


def order(number: Any = 1, **columns: Any) -> Row:
    """Give a paid order of 10 of a customer of its own."""
    plain = {
        "order_id": number,
        "ordered_at": DAY,
        "status": "paid",
        "customer_id": number,
        "gross_amount": 10.0,
        "discount_amount": 0.0,
    }
    return {**plain, **columns}


def line(number: Any, product: Any = "p1", quantity: int | None = 1, **columns: Any) -> Row:
    """Give a line of an order."""
    return {
        "order_id": number,
        "product_id": product,
        "quantity": quantity,
        "unit_price": 10.0,
        **columns,
    }


def returned(number: Any, quantity: int = 1, amount: float = 10.0, **columns: Any) -> Row:
    """Give a return of an order."""
    plain = {"returned_at": DAY + ONE_DAY, "kind": "return"}
    return {
        **plain,
        "order_id": number,
        "quantity": quantity,
        "refund_amount": amount,
        **columns,
    }


def ad(**columns: Any) -> Row:
    return {"date": DAY.date(), "platform": "meta", **columns}


def send(number: Any, **columns: Any) -> Row:
    """Give a message to a recipient of its own."""
    return {"message_id": "m", "recipient_id": number, "sent_at": DAY, **columns}


LATER = [{"started_at": DAY + dt.timedelta(days=60)}]
"""A visit long after, so that all that happened has had its time."""


# --- Worked examples -----------------------------------------------------------------------------


def test_w1_engaged_sessions_are_what_the_engagement_rate_counts():
    rows = [{**row, "page_views": 2 if row["session_id"] <= 693 else 1} for row in visits(1810)]
    assert ask("engaged_sessions", sessions=rows) == 693
    assert ask("engagement_rate", sessions=rows) == pytest.approx(0.383, abs=0.0005)


def test_w3_and_w5_a_visit_with_several_goals_counts_once():
    events = [event("purchase", n) for n in range(1, 51)]
    assert ask("goal_conversion_rate", sessions=visits(1000), events=events) == 0.05
    named = [event("purchase", n) for n in (*range(1, 21), *range(1, 11))]
    named += [event("sign_up", n) for n in range(21, 46)]
    named += [event("file_download", n) for n in range(46, 51)]
    tables = {"sessions": visits(1000), "events": named}
    goals = ("purchase", "sign_up", "file_download")
    assert goal_conversion_rate(tables, MARCH, goals=goals) == 0.05
    assert goal_conversion_rate(tables, MARCH) == 0.02
    assert ALL["goal_conversion_rate.goals"](tables, MARCH) == 0.03


def test_r1_one_of_two_visits_of_one_visitor_reaches_the_goal_twice():
    sessions = [{**row, "visitor_id": "u"} for row in visits(2)]
    tables = {"sessions": sessions, "events": [event("purchase"), event("purchase")]}
    assert ask("goal_conversion_rate", **tables) == 0.5
    assert ask("goal_conversion_rate.visitors", **tables) == 1
    assert ask("goal_conversion_rate.goals", **tables) == 1


def test_w7_bigcommerce_counts_orders_where_shopify_counts_visits():
    orders = [order(n, session_id=n % 221 + 1) for n in range(520)]
    tables = {"sessions": visits(8998), "orders": orders}
    assert ask("session_conversion_rate", **tables) == pytest.approx(0.0246, abs=5e-5)
    assert ask("session_conversion_rate.orders", **tables) == pytest.approx(0.0578, abs=5e-5)


def test_w11_10_for_5_clicks():
    assert ask("cost_per_click", campaign_performance=[ad(spend=10.0, clicks=5)]) == 2


def test_w15_and_w17_social_engagement_by_reach_and_by_impressions():
    by_reach = [ad(engagements=340, reach=8500)]
    assert ask("social_engagement_rate", campaign_performance=by_reach) == 0.04
    shown = [ad(engagements=400, impressions=1000), ad(engagements=20, impressions=20_000)]
    name = "social_engagement_rate.by_impressions"
    assert ask(name, campaign_performance=shown) == 0.02
    assert ask("social_engagement_rate", campaign_performance=shown) is None


def test_w19_bounces_over_sends_hard_and_soft_apart():
    kinds = ["hard"] * 310 + ["soft"] * 2069 + [None] * (76_506 - 2379)
    sends = [send(n, bounce_type=kind) for n, kind in enumerate(kinds)]
    assert ask("email_bounce_rate", email_sends=sends) == pytest.approx(0.0311, abs=1e-4)
    assert ask("email_bounce_rate.hard", email_sends=sends) == pytest.approx(0.00405, abs=5e-6)
    assert ask("email_bounce_rate.soft", email_sends=sends) == pytest.approx(0.02704, abs=5e-6)
    assert ask("email_delivery_rate", email_sends=sends) == pytest.approx(1 - 2379 / 76_506)


def test_w33_2500_abandoned_carts_of_3150():
    carts = many(3150, cart_id=same, created_at=DAY, items=1, order_id=lambda n: (n < 651) or None)
    tables = {"carts": carts, "sessions": LATER}
    assert cart_abandonment_rate_after(tables, MARCH) == pytest.approx(0.794, abs=0.0005)


def test_w37_250_of_500_offers_are_taken():
    shown = [event("offer_shown", n, offer_type="upsell") for n in range(500)]
    taken = [event("offer_accepted", n, offer_type="upsell") for n in range(250)]
    other = [event("offer_shown", 1, offer_type="cross_sell"), event("offer_shown", 1)]
    assert ask("upsell_rate", events=[*shown, *taken, *other]) == 0.5
    assert ask("upsell_rate", orders=[order()]) is None


def test_w39_and_w41_returns_of_pieces_and_of_money():
    tables = {
        "orders": [order(1, gross_amount=4_560_000.0)],
        "order_lines": [line(1, quantity=120_000)],
        "returns": [returned(1, 14_400, 598_000.0)],
        "sessions": LATER,
    }
    assert ask("return_rate", **tables) == 0.12
    assert ask("value_return_rate.gross", **tables) == pytest.approx(0.131, abs=0.0005)
    assert ask("value_return_rate", **tables) == pytest.approx(0.131, abs=0.0005)


def test_n1_100_pieces_in_400_orders():
    tables = {
        "orders": [order(n) for n in range(400)],
        "order_lines": [line(n) for n in range(100)],
    }
    assert ask("units_per_transaction", **tables) == 0.25
    assert ask("units_per_transaction.net", **tables, returns=[returned(1)]) == 99 / 400


def test_n7_the_days_open_rate_is_no_mean_of_campaigns():
    first = [send(n, first_opened_at=DAY) for n in range(1)]
    second = [send(n, message_id="n", first_opened_at=None) for n in range(9)]
    assert ask("email_open_rate", email_sends=[*first, *second]) == 0.1


def test_n9_168_of_1200_orders_have_the_attached_product():
    lines = [line(n) for n in range(1200)] + [line(n, "p2") for n in range(168)]
    tables = {"orders": [order(n) for n in range(1300)], "order_lines": lines}
    assert attach_rate_of_products(tables, MARCH) == 0.14
    assert ask("attach_rate.of_products", **tables) == 0.14
    assert cross_sell_rate_of_product(tables, MARCH) == 0.14
    assert cross_sell_rate_of_product(tables, MARCH, products={"p2"}) == 1


# --- Decisions: traffic --------------------------------------------------------------------------


def test_reach_is_refused_over_several_rows_but_bounded():
    rows = [ad(reach=30, impressions=50), ad(reach=20, impressions=50)]
    assert ask("reach", campaign_performance=rows) is None
    assert ask("reach.upper_bound", campaign_performance=rows) == 50
    assert ask("reach.lower_bound", campaign_performance=rows) == 30
    assert ask("ad_frequency", campaign_performance=rows) is None
    assert ask("ad_frequency", campaign_performance=rows[1:]) == 2.5
    log = [{"viewer_id": n, "viewed_at": DAY} for n in (1, 1, 2, None)]
    assert ask("reach", campaign_performance=rows, ad_views=log) == 2


def test_media_costs_and_searches():
    rows = [ad(spend=3.0, impressions=1500), ad(spend=None, impressions=None)]
    assert ask("cost_per_mille", campaign_performance=rows) == 2
    assert ask("cost_per_mille", campaign_performance=[ad(spend=3.0, impressions=0)]) is None
    days = [{"date": DAY.date(), "brand_queries": b, "category_queries": 10} for b in (1, None, 8)]
    assert ask("share_of_search", search_interest=days) == 0.3


def test_of_four_asked_one_with_double_weight_recalls_the_brand():
    answers = [
        {"survey_type": "brand_unaided", "responded_at": DAY, "brand_recalled": b, "weight": w}
        for b, w in ((True, 2.0), (False, 1.0), (None, None), (False, 1.0))
    ]
    assert ask("unaided_brand_awareness", surveys=answers) == 0.4
    assert ask("unaided_brand_awareness.unweighted", surveys=answers) == 0.25
    assert ask("aided_brand_awareness", surveys=answers) is None


def test_a_visitor_seen_before_is_not_new_unless_as_a_bot():
    rows = [*visits(3), {"session_id": 8, "visitor_id": 1, "started_at": DAY - 40 * ONE_DAY}]
    assert ask("new_visitor_rate", sessions=rows) == pytest.approx(2 / 3)
    assert ask("new_visitor_rate", sessions=[*rows[:3], {**rows[3], "is_bot": True}]) == 1


def test_the_shares_of_the_sources_are_whole():
    rows = [{**row, "channel": c} for row, c in zip(visits(4), "aab", strict=False)]
    tables = {"sessions": [*rows, {**visits(4)[3], "channel": None}]}
    found = [traffic_source_share(tables, MARCH, channels={c}) for c in ("a", "b", None)]
    assert found == [0.5, 0.25, 0.25]
    rules = [(lambda row: row.get("medium") == "cpc", "Paid")]
    origins: list[Row] = [{"medium": "cpc"}, {"medium": "mail"}, {}]
    assert [channel_of(row, rules) for row in origins] == ["Paid", "Unassigned", "Direct"]


def test_what_bots_do_is_dropped_and_what_has_no_visit_stays():
    sessions = [*visits(2), {"session_id": 3, "started_at": DAY, "is_bot": True}]
    events = [event("page_view", n, load_ms=100 * n) for n in (1, 1, 3)]
    events += [event("page_view", None, load_ms=900), event("scroll_90", 1), event("scroll_90", 3)]
    tables = {"sessions": sessions, "events": [*events, event("scroll_90", 1)]}
    assert ask("page_views", **tables) == 2
    assert ask("page_views.events", **tables) == 3
    assert ask("pages_per_session", **tables) == 1
    assert ask("page_load_time", **tables) == 500
    assert ask("content_interactions", **tables) == 2
    assert ask("content_interaction_rate", **tables) == 0.5


def test_lengths_of_visits_and_single_pages():
    rows = [{**v, "duration_s": d} for v, d in zip(visits(4), (0.0, 30.0, 90.0), strict=False)]
    rows = [{**row, "page_views": n} for row, n in zip(rows, (1, 1, 2), strict=True)]
    rows.append({**visits(4)[3], "duration_s": None, "page_views": None})
    assert ask("average_session_duration", sessions=rows) == 40
    assert ask("average_session_duration.median", sessions=rows) == 30
    assert ask("bounce_rate.single_page", sessions=rows) == 0.5
    ended = [{**visits(1)[0], "ended_at": DAY + HOUR}]
    assert ask("average_session_duration", sessions=ended) == 3600
    events = [event("search", occurred_at=DAY + n * HOUR) for n in (2, 1)]
    assert ask("average_session_duration", sessions=visits(1), events=events) == 7200


def test_the_threshold_of_engagement_is_not_engaged():
    tables = {"sessions": visits(1, engaged_s=30.0)}
    assert engaged_sessions(tables, MARCH) == 1
    assert engaged_sessions(tables, MARCH, min_seconds=30) == 0


def test_the_quantile_lies_on_the_line_between_its_neighbours():
    assert quantile([4, None, 1, 2, 3], 0.75) == 3.25
    assert quantile([None], 0.5) is None


# --- Decisions: e-mail ---------------------------------------------------------------------------


def test_opens_with_and_without_machines_and_clicks_that_imply_opens():
    sends = [
        send(1, first_opened_at=DAY, first_clicked_at=DAY, unsubscribed_at=DAY),
        send(2, first_opened_at=DAY, is_machine_open=True),
        send(3, first_clicked_at=DAY, complained_at=DAY),
        send(4),
        send(5, bounce_type="soft", first_opened_at=DAY, first_clicked_at=DAY, complained_at=DAY),
    ]
    assert ask("emails_delivered", email_sends=sends) == 4
    assert ask("email_open_rate", email_sends=sends) == 0.5
    assert ask("email_open_rate.without_machines", email_sends=sends) == 0.25
    assert ask("email_open_rate.of_sent", email_sends=sends) == 0.4
    assert ask("email_click_rate", email_sends=sends) == 0.5
    assert ask("email_click_to_open_rate", email_sends=sends) == pytest.approx(2 / 3)
    assert ask("email_click_to_open_rate.without_machines", email_sends=sends) == 1
    assert ask("email_unsubscribe_rate", email_sends=sends) == 0.25
    assert ask("email_complaint_rate", email_sends=sends) == 0.25


def test_a_recipient_who_ordered_within_days_of_a_click_counts_once():
    at, other = DAY + 5 * ONE_DAY, {"first_clicked_at": DAY - HOUR}
    sends = [
        send(1, first_clicked_at=DAY, order_id=1, attributed_revenue=8.0),
        send(1, message_id="n", first_clicked_at=DAY, order_id=2, attributed_revenue=-2.0),
        send(2, **other, order_id=3),
        send(3, first_clicked_at=DAY, order_id=4),
    ]
    orders = [order(n, ordered_at=at) for n in (1, 2, 3)] + [order(4, status="cancelled")]
    tables = {"email_sends": sends, "orders": orders}
    assert email_conversion_rate(tables, MARCH) == 0.25
    assert email_conversion_rate(tables, MARCH, window=6 * ONE_DAY) == 0.5
    assert ask("email_conversion_rate.as_attributed", **tables) == 0.5
    assert ask("email_conversion_rate.orders", **tables) == 1
    assert ask("revenue_per_recipient", **tables) == 1.5


# --- Decisions: funnel ---------------------------------------------------------------------------


def test_m4_orders_of_the_shop_floor_and_cancelled_ones_convert_nobody():
    orders = [
        order(1, session_id=1),
        order(2, session_id=1),
        order(3),
        order(4, session_id=2, status="cancelled"),
    ]
    events = [event("purchase", 2, order_id=4), event("purchase", 3, order_id=3)]
    tables = {"sessions": visits(4), "orders": orders, "events": events}
    assert ask("visitor_conversion_rate", **tables) == 0.25
    assert ask("visitor_conversion_rate.by_order", **tables) == 0.5
    assert ask("session_conversion_rate.all_orders", **tables) == 0.75
    assert ask("visitor_conversion_rate", sessions=visits(4), events=events) == 0.5
    assert ask("visitor_conversion_rate.by_order", sessions=visits(4), events=events) == 0


def test_m9_the_steps_of_a_closed_funnel_are_subsets():
    seen = {1: "view_item add_to_cart begin_checkout purchase", 2: "view_item add_to_cart"}
    seen |= {3: "begin_checkout", 4: "view_item", 5: "begin_checkout view_item"}
    events = [
        event(name, n, occurred_at=DAY + place * HOUR)
        for n, names in seen.items()
        for place, name in enumerate(names.split())
    ]
    tables = {"sessions": visits(8), "events": events}
    expected = {
        "product_view_rate": 0.5,
        "add_to_cart_rate": 0.25,
        "reached_checkout_rate": 0.375,
        "cart_to_checkout_rate": 0.5,
        "product_page_to_checkout_rate": 0.5,
        "product_page_to_checkout_rate.in_order": 0.25,
        "checkout_completion_rate": 1 / 3,
        "checkout_abandonment_rate.sessions": 2 / 3,
        "cart_abandonment_rate.sessions": 0.5,
    }
    assert {name: ask(name, **tables) for name in expected} == pytest.approx(expected)


def test_products_are_paired_with_their_visitor():
    events = [
        event("view_item", 1, product_id="p1"),
        event("view_item", 1, product_id="p1"),
        event("view_item", 1, product_id="p2"),
        event("view_item", 2, product_id="p1"),
        event("view_item", None, product_id="p1"),
        event("add_to_cart", 1, product_id="p1", quantity=3),
        event("add_to_cart", 2, product_id="p2", quantity=None),
        event("purchase", 1, product_id="p2", order_id=1),
        event("purchase", 2, product_id="p1", order_id=2),
    ]
    tables = {"events": events, "orders": [order(1), order(2, status="cancelled")]}
    assert ask("cart_to_view_rate", **tables) == pytest.approx(1 / 3)
    assert ask("cart_to_view_rate.quantities", **tables) == pytest.approx(3 / 5)
    assert ask("purchase_to_view_rate", **tables) == pytest.approx(1 / 3)


def test_conversions_that_two_platforms_claim_are_never_added():
    rows = [ad(conversions=3.0, clicks=2), ad(conversions=None, clicks=2, platform="google")]
    assert ask("ad_conversion_rate", campaign_performance=rows) == 0.75
    both = [rows[0], {**rows[1], "conversions": 1.0}]
    assert ask("ad_conversion_rate", campaign_performance=both) is None


def test_how_long_it_takes_to_buy():
    sessions = [
        {"session_id": n, "visitor_id": "v", "started_at": DAY + hours * HOUR}
        for n, hours in ((1, 0), (2, 1), (3, 2), (4, 5))
    ]
    placed = {1: (2, 2), 2: (2, 3), 3: (4, 6), 4: (4, 4)}
    orders = [
        order(n, session_id=session, ordered_at=DAY + hours * HOUR, customer_id="c")
        for n, (session, hours) in placed.items()
    ]
    tables = {"sessions": sessions, "orders": orders}
    assert ask("purchase_journey_duration", **tables) == 3600
    assert ask("purchase_journey_duration.mean", **tables) == pytest.approx(4800)
    assert ask("purchase_journey_duration.p90", **tables) == pytest.approx(6480)
    assert ask("time_to_first_purchase", **tables) == 7200
    counts = [2, 1, 2, 1]
    assert ask("sessions_to_purchase", **tables) == quantile(counts, 0.5)
    assert ask("sessions_to_purchase", sessions=sessions, orders=orders[:1]) == 2


# --- Decisions: carts ----------------------------------------------------------------------------


def test_m8_carts_that_are_open_or_empty_or_recovered():
    carts = [
        {"cart_id": 1, "created_at": DAY, "items": 1, "value": 5.0, "order_id": None},
        {"cart_id": 2, "created_at": DAY, "items": 0, "value": 7.0, "order_id": None},
        {"cart_id": 3, "created_at": DAY, "items": 2, "value": 9.0, "order_id": 1},
        {"cart_id": 4, "created_at": DAY + 2 * ONE_DAY, "items": 2, "value": 11.0},
    ]
    events = [
        {"event_name": "begin_checkout", "occurred_at": carts[n - 1]["created_at"], "cart_id": n}
        for n in (1, 2, 3, 3, 4)
    ]
    tables = {
        "carts": carts,
        "orders": [order(1, ordered_at=DAY + 2 * ONE_DAY)],
        "events": events,
        "sessions": [{"started_at": DAY + 2 * ONE_DAY + HOUR}],
    }
    assert cart_abandonment_rate_after(tables, MARCH) == 0.5
    assert ask("cart_abandonment_rate.one_hour", **tables) == pytest.approx(2 / 3)
    assert ask("checkout_abandonment_rate", **tables) == pytest.approx(2 / 3)
    assert ask("abandoned_cart_value", **tables) == 5
    assert cart_recovery_rate(tables, MARCH, window=ONE_DAY) == 0.5
    assert cart_recovery_rate(tables, MARCH, window=HOUR) == 0
    assert cart_recovery_rate(tables, MARCH) is None


def test_of_the_carts_a_visitor_left_the_latest_is_worth_something():
    carts = many(
        4,
        cart_id=same,
        created_at=lambda n: DAY - n * HOUR,
        value=float,
        visitor_id=lambda n: "v" if n < 3 else None,
    )
    tables = {"carts": carts, "sessions": LATER}
    assert ask("abandoned_cart_value", **tables) == 10
    assert ask("abandoned_cart_value.visitors", **tables) == 8


# --- Decisions: sales ----------------------------------------------------------------------------


def test_total_sales_have_the_charges_of_counted_orders_less_what_was_given_back():
    charges = {"shipping_amount": 4.0, "tax_amount": 2.0, "duties_amount": 1.0, "fees_amount": None}
    tables = {
        "orders": [order(1, **charges), order(2, **charges, status="cancelled")],
        "returns": [returned(1, amount=3.0, refund_shipping=0.5, refund_tax=None)],
    }
    assert ask("total_sales", **tables) == 13.5
    assert ask("total_sales.with_refunded_charges", **tables) == 14
    assert ask("average_order_value.total_sales", **tables) == 13.5


def test_order_values_by_their_competing_definitions():
    amounts = ((100.0, 10.0), (0.0, 0.0), (30.0, None), (None, 5.0))
    orders = [
        order(n, gross_amount=g, discount_amount=d) for n, (g, d) in enumerate(amounts, start=1)
    ]
    events = [event("purchase", 1, value=7.0), event("purchase", 2, value=None)]
    tables = {"orders": orders, "events": events, "returns": [returned(1, amount=15.0)]}
    assert ask("average_order_value", **tables) == 115 / 4
    assert ask("median_order_value", **tables) == 45
    assert ask("average_order_value.without_free", **tables) == pytest.approx(115 / 3)
    assert ask("average_order_value.without_returned", **tables) == pytest.approx(100 / 3)
    assert ask("average_order_value.purchase_events", **tables) == 3.5
    assert ask("discount_rate", **tables) == 15 / 130


def test_revenue_per_user_is_of_all_and_per_customer_of_the_known():
    tables = {
        "sessions": visits(4),
        "orders": [order(1), order(2), order(3, customer_id=None)],
        "returns": [returned(1, amount=2.0), returned(3, amount=4.0), returned(9, amount=1.0)],
    }
    assert ask("average_revenue_per_user", **tables) == (30 - 7) / 4
    assert ask("average_revenue_per_customer", **tables) == (20 - 2) / 2


def test_m29_growth_from_a_loss_and_from_nothing():
    february = Period(dt.datetime(2024, 2, 1), MARCH.start)
    march = Period(MARCH.start, MARCH.end, february)
    loss = returned(9, amount=4.0, returned_at=dt.datetime(2024, 2, 5))
    assert ask("sales_growth_rate", march, orders=[order()], returns=[loss]) == 3.5
    assert ask("sales_growth_rate", march, orders=[order()]) is None
    assert ask("sales_growth_rate", MARCH, orders=[order()], returns=[loss]) is None


def test_m27_returns_are_of_the_same_orders_and_these_had_their_time():
    early, late = dt.datetime(2024, 3, 1), dt.datetime(2024, 3, 20)
    tables = {
        "orders": [order(1, ordered_at=early), order(2, ordered_at=early), order(3)],
        "order_lines": [line(1, quantity=3), line(2), line(3)],
        "returns": [
            returned(1, returned_at=late + 90 * ONE_DAY),
            returned(1, returned_at=None),
            returned(3, returned_at=late),
            returned(9, returned_at=late),
            returned(2, kind="cancellation"),
        ],
        "sessions": [{"started_at": early + dt.timedelta(days=30)}],
    }
    assert ask("return_rate", **tables) == 0.5
    assert return_rate(tables, MARCH, window=ONE_DAY) == 0.6
    assert ask("order_return_rate", **tables) == 0.5
    assert ask("value_return_rate", **tables) == 1
    assert ask("return_rate.flow", **tables) == 0.4
    assert ask("order_return_rate.flow", **tables) == pytest.approx(2 / 3)
    assert ask("value_return_rate.flow", **tables) == pytest.approx(2 / 3)
    assert ask("returns_value.by_order_date", **tables) == 30
    assert ask("units_sold.net", **tables) == 3


def test_baskets_with_upsell_and_cross_sell_lines():
    lines = [
        line(1, is_upsell=True, is_cross_sell=None),
        line(1, "p1", is_upsell=True),
        line(2, "p1", 2),
        line(2, "p2", 3, is_cross_sell=True),
        line(3, None),
        line(4, "p2", line_type="gift_card"),
        line(4),
    ]
    tables = {"orders": [order(n) for n in range(1, 5)], "order_lines": lines}
    assert ask("upsell_rate.orders", **tables) == 0.25
    assert ask("cross_sell_rate", **tables) == 0.25
    assert ask("cross_sell_rate.product", **tables) == pytest.approx(1 / 3)
    assert ask("attach_rate", **tables) is None
    assert ask("attach_rate.units", **tables) is None
    lines[2]["is_cross_sell"] = lines[6]["is_cross_sell"] = False
    assert ask("attach_rate", **tables) == 0.5
    assert ask("attach_rate.units", **tables) == 1
    offers = [event(f"offer_{e}", offer_type="cross_sell") for e in ("shown", "shown", "accepted")]
    assert ask("cross_sell_rate.offers", events=offers) == 0.5


def test_cancelled_orders_are_a_share_of_all_but_test_orders():
    statuses = ["cancelled", "paid", "draft", "voided", "test", None, "deleted"]
    orders = [order(n, status=status) for n, status in enumerate(statuses)]
    assert ask("cancellation_rate", orders=orders) == 0.2
    assert ask("cancellation_rate.placed", orders=orders) == pytest.approx(1 / 3)

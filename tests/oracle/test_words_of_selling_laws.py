"""Laws that the plain-Python oracles keep on every shop."""

import datetime as dt
import math
from collections.abc import Mapping

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oracle.shops import MOMENTS, MONTHS
from oracle.shops_more import SCHEMAS, frames, shops_more
from oracle.words import ORACLES, Period, Tables, Value, is_true, minus, ratio, times
from oracle.words_carts import CART_ORACLES, cart_abandonment_rate_after
from oracle.words_email import EMAIL_ORACLES
from oracle.words_funnel import FUNNEL_ORACLES
from oracle.words_sales import SALES_ORACLES
from oracle.words_traffic import TRAFFIC_ORACLES, traffic_source_share

MORE = {**TRAFFIC_ORACLES, **EMAIL_ORACLES, **FUNNEL_ORACLES, **CART_ORACLES, **SALES_ORACLES}
ALL = {**ORACLES, **MORE}
NAMES = tuple(SCHEMAS)
SPANS = tuple(
    Period(start, end, Period(MONTHS[0], start))
    for start, end in ((MONTHS[1], MONTHS[2]), (MONTHS[1], MONTHS[4]), (MOMENTS[3], MOMENTS[16]))
)
EVER = Period(dt.datetime.min, dt.datetime.max)

CATALOGUE = [
    "impressions",
    "reach",
    "ad_frequency",
    "sessions",
    "unique_visitors",
    "new_visitor_rate",
    "page_views",
    "traffic_source_share",
    "social_engagements",
    "social_engagement_rate",
    "unaided_brand_awareness",
    "aided_brand_awareness",
    "share_of_search",
    "ad_spend",
    "cost_per_mille",
    "click_through_rate",
    "cost_per_click",
    "engaged_sessions",
    "engagement_rate",
    "bounce_rate",
    "pages_per_session",
    "average_session_duration",
    "content_interactions",
    "content_interaction_rate",
    "product_view_rate",
    "page_load_time",
    "emails_delivered",
    "email_delivery_rate",
    "email_bounce_rate",
    "email_open_rate",
    "email_click_rate",
    "email_click_to_open_rate",
    "email_unsubscribe_rate",
    "email_complaint_rate",
    "email_conversion_rate",
    "revenue_per_recipient",
    "session_conversion_rate",
    "visitor_conversion_rate",
    "orders_per_session",
    "goal_conversion_rate",
    "ad_conversion_rate",
    "cart_to_view_rate",
    "purchase_to_view_rate",
    "add_to_cart_rate",
    "reached_checkout_rate",
    "cart_to_checkout_rate",
    "product_page_to_checkout_rate",
    "checkout_completion_rate",
    "checkout_abandonment_rate",
    "cart_abandonment_rate",
    "abandoned_cart_value",
    "cart_recovery_rate",
    "purchase_journey_duration",
    "time_to_first_purchase",
    "sessions_to_purchase",
    "orders",
    "units_sold",
    "gross_sales",
    "discounts",
    "returns_value",
    "net_sales",
    "total_sales",
    "average_order_value",
    "median_order_value",
    "units_per_transaction",
    "average_unit_retail",
    "discount_rate",
    "revenue_per_visitor",
    "revenue_per_session",
    "average_revenue_per_user",
    "average_revenue_per_customer",
    "sales_growth_rate",
    "upsell_rate",
    "cross_sell_rate",
    "attach_rate",
    "return_rate",
    "order_return_rate",
    "value_return_rate",
    "cancellation_rate",
]

SUMS = [
    "impressions",
    "page_views",
    "social_engagements",
    "engaged_sessions",
    "content_interactions",
    "emails_delivered",
    "abandoned_cart_value",
    "total_sales",
]

SHARES = [
    "new_visitor_rate",
    "traffic_source_share",
    "unaided_brand_awareness",
    "aided_brand_awareness",
    "bounce_rate.single_page",
    "content_interaction_rate",
    "product_view_rate",
    "email_delivery_rate",
    "email_bounce_rate",
    "email_bounce_rate.hard",
    "email_open_rate",
    "email_open_rate.without_machines",
    "email_open_rate.of_recipients",
    "email_open_rate.of_sent",
    "email_click_rate",
    "email_click_to_open_rate",
    "email_click_to_open_rate.without_machines",
    "email_unsubscribe_rate",
    "email_complaint_rate",
    "email_conversion_rate",
    "email_conversion_rate.as_attributed",
    "visitor_conversion_rate",
    "goal_conversion_rate",
    "goal_conversion_rate.visitors",
    "cart_to_view_rate",
    "purchase_to_view_rate",
    "add_to_cart_rate",
    "reached_checkout_rate",
    "cart_to_checkout_rate",
    "product_page_to_checkout_rate",
    "product_page_to_checkout_rate.in_order",
    "checkout_completion_rate",
    "checkout_abandonment_rate",
    "cart_abandonment_rate.one_hour",
    "cart_abandonment_rate.sessions",
    "cart_recovery_rate",
    "upsell_rate.orders",
    "cross_sell_rate",
    "cross_sell_rate.product",
    "attach_rate",
    "attach_rate.of_products",
    "order_return_rate",
    "cancellation_rate",
    "cancellation_rate.placed",
]

UNHURRIED = settings(
    deadline=None,
    max_examples=12,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
spans = st.sampled_from(SPANS)


def agree(left: Value, right: Value) -> bool:
    """Say whether two values are equal, to the last digits of their sums."""
    if left is None or right is None:
        return left is right
    return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)


def values(tables: Tables, span: Period) -> Mapping[str, Value]:
    return {name: kpi(tables, span) for name, kpi in MORE.items()}


def differing(left: Mapping[str, Value], right: Mapping[str, Value]) -> list[str]:
    return [name for name, value in left.items() if not agree(value, right[name])]


def test_every_kpi_of_the_areas_has_an_oracle():
    assert len(CATALOGUE) == 79
    assert set(CATALOGUE) <= set(ALL)
    assert {name.split(".")[0] for name in MORE} <= set(CATALOGUE)


def test_where_nothing_happened_sums_are_0_and_all_else_is_null():
    found = {name: kpi({}, EVER) for name, kpi in MORE.items()}
    sums = {name for name, value in found.items() if value == 0}
    assert sums == {
        *SUMS,
        "page_views.events",
        "reach.upper_bound",
        "abandoned_cart_value.visitors",
        "total_sales.with_refunded_charges",
        "units_sold.net",
        "returns_value.by_order_date",
    }
    assert {value for name, value in found.items() if name not in sums} == {None}


@UNHURRIED
@given(tables=shops_more(NAMES), span=spans)
def test_every_value_is_null_or_finite_and_every_share_lies_between_0_and_1(
    tables: Tables, span: Period
):
    frames(tables)
    found = values(tables, span)
    assert [name for name, value in found.items() if value and not math.isfinite(value)] == []
    shares = {name: found[name] for name in SHARES}
    assert [name for name, v in shares.items() if v is not None and not 0 <= v <= 1] == []


@UNHURRIED
@given(tables=shops_more(NAMES), span=spans, random=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(tables: Tables, span: Period, random):
    shuffled = {name: random.sample(rows, len(rows)) for name, rows in tables.items()}
    assert differing(values(tables, span), values(shuffled, span)) == []


@UNHURRIED
@given(tables=shops_more(NAMES), span=spans)
def test_bots_change_nothing_about_traffic(tables: Tables, span: Period):
    bots = {row["session_id"] for row in tables["sessions"] if is_true(row.get("is_bot"))}
    humans = {
        **tables,
        "sessions": [row for row in tables["sessions"] if row["session_id"] not in bots],
        "events": [row for row in tables["events"] if row["session_id"] not in bots],
    }
    kpis = TRAFFIC_ORACLES.values()
    assert all(agree(kpi(tables, span), kpi(humans, span)) for kpi in kpis)


@UNHURRIED
@given(tables=shops_more(NAMES), columns=st.sampled_from(("events", "email_sends")), span=spans)
def test_rows_of_unknown_time_change_nothing(tables: Tables, columns: str, span: Period):
    time = {"events": "occurred_at", "email_sends": "sent_at"}[columns]
    known = {**tables, columns: [row for row in tables[columns] if row[time] is not None]}
    names = EMAIL_ORACLES if columns == "email_sends" else ("content_interactions", "upsell_rate")
    assert all(agree(ALL[name](tables, span), ALL[name](known, span)) for name in names)


@UNHURRIED
@given(tables=shops_more(NAMES), cut=st.sampled_from(MOMENTS))
def test_sums_of_two_stretches_are_the_sum_of_both(tables: Tables, cut: dt.datetime):
    early, late = Period(MONTHS[0], cut), Period(cut, MONTHS[-1])
    both = Period(MONTHS[0], MONTHS[-1])
    for name in SUMS:
        kpi = MORE[name]
        first, second, total = kpi(tables, early), kpi(tables, late), kpi(tables, both)
        assert first is not None
        assert second is not None
        assert agree(total, first + second), name


@UNHURRIED
@given(tables=shops_more(NAMES), span=spans)
def test_shares_of_channels_add_up_to_all(tables: Tables, span: Period):
    visits = ORACLES["sessions"](tables, span)
    found = [traffic_source_share(tables, span, channels={c}) for c in ("email", "paid", None)]
    assert found == [None] * 3 if visits == 0 else agree(sum(v or 0 for v in found), 1)


@UNHURRIED
@given(tables=shops_more(NAMES), span=spans)
def test_kpis_that_are_made_of_others_agree_with_them(tables: Tables, span: Period):
    found = {name: kpi(tables, span) for name, kpi in ALL.items()}
    pieces = times(found["units_per_transaction"], found["average_unit_retail"])
    assert pieces is None or agree(pieces, found["average_order_value"])
    delivered = minus(1, found["email_delivery_rate"])
    assert agree(found["email_bounce_rate"], delivered)
    parts = (found["email_bounce_rate.hard"], found["email_bounce_rate.soft"])
    assert found["email_bounce_rate"] is None or agree(sum(parts), found["email_bounce_rate"])
    left = minus(1, found["checkout_completion_rate"])
    assert agree(found["checkout_abandonment_rate.sessions"], left)
    assert agree(cart_abandonment_rate_after(tables, span), found["cart_abandonment_rate"])
    views = times(found["pages_per_session"], found["sessions"])
    assert views is None or agree(views, found["page_views"])
    per_user = times(found["average_revenue_per_user"], found["unique_visitors"])
    assert per_user is None or agree(per_user, found["net_sales"])


@UNHURRIED
@given(tables=shops_more([name for name in NAMES if name != "events"]), span=spans)
def test_engaged_visits_are_those_of_the_engagement_rate(tables: Tables, span: Period):
    engaged, visits = MORE["engaged_sessions"](tables, span), ORACLES["sessions"](tables, span)
    assert agree(ratio(engaged, visits), ORACLES["engagement_rate"](tables, span))

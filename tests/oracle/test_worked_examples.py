"""Published worked examples, run on the rows they tell of, and published mistakes not repeated.

The ids are those of the catalogue of definitions: W for worked examples, R for cases given as
rows, X for the page of a check, N for numbers published wrong, M for mistakes easily made.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest

import funnelkit as fk

DAY = dt.datetime(2024, 3, 5, 10)
SPAN = {"start": dt.date(2023, 1, 1), "end": dt.date(2024, 1, 1)}
"""A year of 365 days."""

SCALARS = (str, bool, int, float, dt.date)


def table(count: int, **columns: Any) -> pl.DataFrame:
    """Give a frame of so many rows; a column is a list, or one value for all rows."""
    return pl.DataFrame(
        {
            name: [value] * count if value is None or isinstance(value, SCALARS) else list(value)
            for name, value in columns.items()
        },
        strict=False,
    )


def sessions(count: int, **columns: Any) -> pl.DataFrame:
    """Give visits, each of a visitor of its own, that are not engaged and buy nothing."""
    plain = {
        "session_id": range(1, count + 1),
        "visitor_id": range(1, count + 1),
        "started_at": DAY,
        "page_views": 1,
        "has_purchase": False,
    }
    return table(count, **{**plain, **columns})


def orders(count: int, **columns: Any) -> pl.DataFrame:
    """Give paid orders of goods for 10, each of a customer of its own."""
    plain = {
        "order_id": range(1, count + 1),
        "ordered_at": DAY,
        "status": "paid",
        "customer_id": range(1, count + 1),
        "gross_amount": 10.0,
        "discount_amount": 0.0,
    }
    return table(count, **{**plain, **columns})


def order_lines(count: int, **columns: Any) -> pl.DataFrame:
    """Give lines of one unit each, the n-th of the n-th order."""
    plain = {
        "order_line_id": range(1, count + 1),
        "order_id": range(1, count + 1),
        "quantity": 1,
        "unit_price": 10.0,
        "unit_cost": 0.0,
    }
    return table(count, **{**plain, **columns})


def returns(count: int, **columns: Any) -> pl.DataFrame:
    """Give refunds of 10, the n-th of the n-th order."""
    plain = {
        "return_id": range(1, count + 1),
        "order_id": range(1, count + 1),
        "returned_at": DAY,
        "refund_amount": 10.0,
        "kind": "return",
    }
    return table(count, **{**plain, **columns})


def campaigns(count: int, **columns: Any) -> pl.DataFrame:
    """Give campaigns of one platform on one day."""
    plain = {
        "date": DAY.date(),
        "platform": "google",
        "campaign_id": range(1, count + 1),
        "impressions": 0,
        "clicks": 0,
        "spend": 0.0,
    }
    return table(count, **{**plain, **columns})


def surveys(kind: str, scores: Sequence[int | None], **columns: Any) -> pl.DataFrame:
    """Give the answers of as many people."""
    plain = {
        "response_id": range(1, len(scores) + 1),
        "survey_type": kind,
        "responded_at": DAY,
        "customer_id": range(1, len(scores) + 1),
        "score": scores,
    }
    return table(len(scores), **{**plain, **columns})


def value(shop: fk.Shop, metric: str | fk.Metric, **question: Any) -> float | None:
    """Give the one value that answers a question."""
    frame = fk.evaluate(shop, metric, **question).frame
    return frame.get_column(metric if isinstance(metric, str) else metric.name).item()


def by_key(shop: fk.Shop, metric: str, key: str, **question: Any) -> Mapping[Any, Any]:
    """Give the values of a metric by the values of a key."""
    frame = fk.evaluate(shop, metric, by=key, **question).frame
    return dict(frame.select(key, metric).iter_rows())


def by_month(shop: fk.Shop, metric: str, **question: Any) -> Mapping[int, Any]:
    """Give the values of a metric by the number of the month."""
    frame = fk.evaluate(shop, metric, every="1mo", **question).frame
    return {period.month: found for period, found in frame.select("period", metric).iter_rows()}


# --- Worked examples -----------------------------------------------------------------------------


def test_w1_engagement_rate_of_693_in_1810_sessions():
    views = [2] * 693 + [1] * 1117
    shop = fk.Shop(sessions=sessions(1810, page_views=views))
    assert value(shop, "engagement_rate") == pytest.approx(0.383, abs=0.0005)
    assert value(shop, "bounce_rate") == pytest.approx(1 - 0.383, abs=0.0005)


def test_w7_221_converting_sessions_with_520_orders_in_8998():
    shop = fk.Shop(
        sessions=sessions(8998).drop("has_purchase"),
        orders=orders(520, session_id=[number % 221 + 1 for number in range(520)]),
    )
    assert value(shop, "session_conversion_rate") == pytest.approx(0.0246, abs=5e-5)
    assert value(shop, "orders_per_session") == pytest.approx(0.0578, abs=5e-5)


def test_w9_5_clicks_on_100_impressions():
    shop = fk.Shop(campaign_performance=campaigns(1, clicks=5, impressions=100))
    assert value(shop, "click_through_rate") == 0.05


@pytest.mark.parametrize(("sold", "spent", "expected"), [(10.0, 2.0, 5.0), (4000.0, 1000.0, 4.0)])
def test_w21_return_on_ad_spend_is_no_percentage(sold: float, spent: float, expected: float):
    shop = fk.Shop(campaign_performance=campaigns(1, conversion_value=sold, spend=spent))
    assert value(shop, "return_on_ad_spend") == expected


@pytest.mark.parametrize(
    ("spent", "won", "expected", "tolerance"),
    [
        pytest.param(12_000.0, 600, 20, 0, id="W25"),
        pytest.param(310_000.0, 4_800, 64.58, 0.01, id="W27"),
    ],
)
def test_w25_and_w27_acquisition_cost(spent: float, won: int, expected: float, tolerance: float):
    shop = fk.Shop(
        campaign_performance=campaigns(1, spend=spent),
        orders=orders(won),
        assume_empty=["marketing_costs"],
    )
    assert value(shop, "customer_acquisition_cost") == pytest.approx(expected, abs=tolerance)


def test_w29_lifetime_value_of_220_over_an_acquisition_cost_that_is_not_rounded():
    # Of two customers one comes back, beside 4,800 new ones: churn is a half, so that a profit
    # of 110 per customer is a lifetime value of 220.
    before, now = dt.datetime(2024, 1, 10), dt.datetime(2024, 2, 10)
    shop = fk.Shop(
        orders=orders(
            4803,
            ordered_at=[before, before, *[now] * 4801],
            customer_id=[1, 2, 1, *range(3, 4803)],
        ).drop("gross_amount", "discount_amount"),
        order_lines=order_lines(1, order_id=3, unit_price=110.0 * 4801),
        campaign_performance=campaigns(1, date=now.date(), spend=310_000.0),
        assume_empty=["returns", "marketing_costs"],
    )
    assert by_month(shop, "customer_lifetime_value")[2] == pytest.approx(220)
    assert by_month(shop, "customer_acquisition_cost")[2] == pytest.approx(64.58, abs=0.01)
    assert by_month(shop, "clv_cac_ratio")[2] == pytest.approx(3.41, abs=0.005)


def test_w33_2500_abandoned_carts_and_650_orders():
    shop = fk.Shop(
        carts=table(
            3150,
            cart_id=range(3150),
            created_at=DAY,
            items=1,
            order_id=[*range(650), *[None] * 2500],
        ),
        as_of=DAY + dt.timedelta(days=7),
    )
    assert value(shop, "cart_abandonment_rate") == pytest.approx(0.794, abs=0.0005)


@pytest.mark.parametrize(
    ("rate", "order_value", "expected"), [(0.02, 80.0, 1.6), (0.025, 55.0, 1.375)]
)
def test_w35_a_higher_conversion_rate_with_less_revenue_per_visitor(
    rate: float, order_value: float, expected: float
):
    buyers = round(50_000 * rate)
    shop = fk.Shop(
        sessions=sessions(50_000).drop("has_purchase"),
        orders=orders(buyers, session_id=range(1, buyers + 1), gross_amount=order_value),
    )
    assert value(shop, "session_conversion_rate") == rate
    assert value(shop, "average_order_value") == order_value
    assert value(shop, "revenue_per_visitor") == pytest.approx(expected, abs=1e-9)
    assert value(shop, "revenue_per_session") == pytest.approx(expected, abs=1e-9)


def test_w45_lifetime_value_on_revenue_for_two_and_a_half_years():
    shop = fk.Shop(
        orders=orders(3, ordered_at=dt.datetime(2023, 6, 1), customer_id=1, gross_amount=75.0),
        assume_empty=["returns"],
    )
    metric = fk.catalog.customer_lifetime_value(lifespan_years=2.5, basis="revenue")
    assert value(shop, metric, **SPAN) == 562.5


def test_w47_lifetime_value_on_profit_for_three_years():
    shop = fk.Shop(
        orders=orders(2, ordered_at=dt.datetime(2023, 6, 1), customer_id=1, gross_amount=60.0),
        order_lines=order_lines(2, unit_price=60.0, unit_cost=24.0),
        assume_empty=["returns"],
    )
    metric = fk.catalog.customer_lifetime_value(lifespan_years=3)
    assert value(shop, metric, **SPAN) == pytest.approx(216, abs=1e-9)


def test_w49_historic_lifetime_value_is_what_was_brought_in_so_far():
    shop = fk.Shop(
        orders=orders(2, customer_id=1, gross_amount=[50.0, 43.87]), assume_empty=["returns"]
    )
    assert value(shop, "customer_lifetime_revenue") == pytest.approx(93.87, abs=1e-9)
    assert value(shop, "average_order_value") == pytest.approx(46.94, abs=0.0051)


def test_w53_600_orders_of_240_customers():
    shop = fk.Shop(orders=orders(600, customer_id=[number % 240 for number in range(600)]))
    assert value(shop, "purchase_frequency") == 2.5


def test_w55_500_buyers_of_whom_150_are_new():
    before = dt.datetime(2024, 1, 5)
    shop = fk.Shop(
        orders=orders(
            850, ordered_at=[before] * 350 + [DAY] * 500, customer_id=[*range(350), *range(500)]
        )
    )
    question = {"start": dt.date(2024, 2, 1), "end": dt.date(2024, 4, 1)}
    assert value(shop, "customers", **question) == 500
    assert value(shop, "new_customers", **question) == 150


def test_w57_30_percent_promoters_and_20_percent_detractors():
    shop = fk.Shop(surveys=surveys("nps", [9] * 30 + [8] * 50 + [6] * 20))
    assert value(shop, "net_promoter_score") == 10


def test_w59_30_of_50_answers_are_4_or_5():
    scores = [5] * 10 + [4] * 20 + [3] * 10 + [2] * 5 + [1] * 5
    shop = fk.Shop(surveys=surveys("csat", scores))
    assert value(shop, "customer_satisfaction_score") == 0.6


# --- Cases given as rows -------------------------------------------------------------------------


def test_r2_visits_and_orders_of_a_customer_do_not_multiply():
    shop = fk.Shop(
        sessions=sessions(8, customer_id=[1, 1, 2, 2, 3, 3, 3, 3]),
        orders=orders(4, customer_id=[1, 1, 2, 3], gross_amount=[25.0, 50.0, 75.0, 100.0]),
    )
    asked = ["sessions", "customers", "gross_sales"]
    assert fk.evaluate(shop, asked).frame.row(0) == (8, 3, 250.0)
    assert fk.evaluate(shop, asked, by="customer_id").frame.rows() == [
        (1, 2, 1, 75.0),
        (2, 2, 1, 75.0),
        (3, 4, 1, 100.0),
    ]


def test_r3_an_order_with_two_lines_counts_its_amount_once():
    shop = fk.Shop(
        orders=orders(2, customer_id=[11, 12], gross_amount=[1.0, 10.0]),
        order_lines=order_lines(
            3, order_id=[1, 2, 2], product_id=["apple", "apple", "orange"], quantity=[1, 2, 1]
        ),
        customers=table(2, customer_id=[11, 12], state=["Alabama", "Alaska"]),
    )
    asked = ["orders", "gross_sales", "units_sold"]
    assert fk.evaluate(shop, asked, by="state").frame.rows() == [
        ("Alabama", 1, 1.0, 1.0),
        ("Alaska", 1, 10.0, 3.0),
    ]


def test_x89_pooled_groups_add_their_counts_though_each_group_says_the_opposite():
    groups = {
        ("control", "desktop"): (270, 900),
        ("control", "mobile"): (5, 100),
        ("variant", "desktop"): (35, 100),
        ("variant", "mobile"): (90, 900),
    }
    rows = [
        (arm, device, number < bought)
        for (arm, device), (bought, visits) in groups.items()
        for number in range(visits)
    ]
    arms, devices, purchases = zip(*rows, strict=True)
    shop = fk.Shop(sessions=sessions(2000, arm=arms, device=devices, has_purchase=purchases))
    result = fk.evaluate(shop, "session_conversion_rate", by=["arm", "device"])
    assert result.frame.rows() == [
        ("control", "desktop", 0.3),
        ("control", "mobile", 0.05),
        ("variant", "desktop", 0.35),
        ("variant", "mobile", 0.1),
    ]
    pooled = [("control", 0.275), ("variant", 0.125)]
    assert result.rollup("arm").frame.rows() == pooled
    assert fk.evaluate(shop, "session_conversion_rate", by="arm").frame.rows() == pooled


# --- Numbers published wrong ---------------------------------------------------------------------


def test_n1_units_per_transaction_is_not_transactions_per_unit():
    shop = fk.Shop(orders=orders(400), order_lines=order_lines(100))
    assert value(shop, "units_per_transaction") == 0.25


def test_n2_152_conversions_in_1310_visits():
    shop = fk.Shop(sessions=sessions(1310, has_purchase=[True] * 152 + [False] * 1158))
    assert value(shop, "session_conversion_rate") == pytest.approx(0.116, abs=0.0005)


def test_n3_an_answer_of_6_is_a_detractor():
    shop = fk.Shop(surveys=surveys("nps", [6, 7, 7, 7]))
    assert value(shop, "net_promoter_score") == -25


def test_n4_an_answer_of_0_is_a_detractor():
    shop = fk.Shop(surveys=surveys("nps", [0, 7, 7, 7]))
    assert value(shop, "net_promoter_score") == -25


def test_n5_active_customers_are_new_retained_and_resurrected_ones():
    shop = comeback_shop()
    result = fk.evaluate(
        shop, ["customers", "new_customers", "customer_retention_rate"], every="1mo"
    )
    retained = dict(
        result.tidy()
        .filter(pl.col("metric") == "customer_retention_rate")
        .select(pl.col("period").dt.month(), "numerator")
        .iter_rows()
    )
    active = {row[0].month: row[1:3] for row in result.frame.iter_rows()}
    goods_returned = {1: 0, 2: 0, 3: 1}
    for month, (customers, new) in active.items():
        assert customers == new + (retained[month] or 0) + goods_returned[month]


def test_n6_acquisition_cost_is_not_shared_with_customers_who_were_there_before():
    before = dt.datetime(2024, 1, 5)
    shop = fk.Shop(
        orders=orders(5, ordered_at=[before, before, DAY, DAY, DAY], customer_id=[1, 2, 1, 2, 3]),
        campaign_performance=campaigns(1, spend=90.0),
        assume_empty=["marketing_costs"],
    )
    question = {"start": dt.date(2024, 3, 1), "end": dt.date(2024, 4, 1)}
    assert value(shop, "customer_acquisition_cost", **question) == 90


# --- Mistakes easily made ------------------------------------------------------------------------


def test_m1_lines_and_returns_and_visits_leave_the_orders_amount_alone():
    shop = fk.Shop(
        sessions=sessions(2),
        orders=orders(1, gross_amount=100.0, discount_amount=5.0, session_id=1),
        order_lines=order_lines(3, order_id=1, unit_cost=10.0),
        returns=returns(2, order_id=1),
    )
    expected = {
        "orders": 1,
        "gross_sales": 100.0,
        "discounts": 5.0,
        "returns_value": 20.0,
        "net_sales": 75.0,
        "units_sold": 3.0,
        "cost_of_goods_sold": 30.0,
        "gross_profit": 45.0,
        "average_order_value": 95.0,
        "revenue_per_session": 47.5,
    }
    assert fk.evaluate(shop, list(expected)).frame.row(0, named=True) == expected


def test_m2_a_total_is_the_ratio_of_the_sums_and_not_the_mean_of_the_ratios():
    shop = fk.Shop(
        campaign_performance=campaigns(
            2, campaign_id=["a", "b"], clicks=[1, 10], impressions=[10, 1000]
        )
    )
    asked = fk.evaluate(shop, "click_through_rate", by="campaign_id", totals=True)
    values = {row["campaign_id"]: row["click_through_rate"] for row in asked.frame.to_dicts()}
    assert values == {"a": 0.1, "b": 0.01, None: 11 / 1010}
    grouped = fk.evaluate(shop, "click_through_rate", by="campaign_id")
    assert grouped.rollup().frame.item() == 11 / 1010


def test_m2_the_month_is_not_the_mean_of_its_days():
    days = [dt.datetime(2024, 3, 1), *[dt.datetime(2024, 3, 2)] * 9]
    shop = fk.Shop(sessions=sessions(10, started_at=days, has_purchase=[True] + [False] * 9))
    daily = fk.evaluate(shop, "session_conversion_rate", every="1d")
    assert daily.frame.get_column("session_conversion_rate").to_list() == [1.0, 0.0]
    assert daily.rollup().frame.item() == 0.1
    assert by_month(shop, "session_conversion_rate") == {3: 0.1}


@pytest.mark.parametrize(("metric", "parts"), [("unique_visitors", [2, 2]), ("customers", [2, 2])])
def test_m3_distinct_counts_of_days_are_not_added_up(metric: str, parts: list[int]):
    days = [dt.datetime(2024, 3, 1)] * 2 + [dt.datetime(2024, 3, 2)] * 2
    people = [1, 2, 2, 3]
    shop = fk.Shop(
        sessions=sessions(4, started_at=days, visitor_id=people),
        orders=orders(4, ordered_at=days, customer_id=people),
    )
    daily = fk.evaluate(shop, metric, every="1d")
    assert daily.frame.get_column(metric).to_list() == parts
    with pytest.raises(fk.UnsupportedError, match=metric):
        daily.rollup()
    assert by_month(shop, metric) == {3: 3}


def test_m3_new_customers_of_days_may_be_added_up():
    days = [dt.datetime(2024, 3, 1)] * 2 + [dt.datetime(2024, 3, 2)] * 2
    shop = fk.Shop(orders=orders(4, ordered_at=days, customer_id=[1, 2, 2, 3]))
    daily = fk.evaluate(shop, "new_customers", every="1d")
    assert daily.frame.get_column("new_customers").to_list() == [2, 1]
    assert daily.rollup().frame.item() == 3


def test_m4_orders_of_the_shop_floor_convert_no_visit():
    shop = fk.Shop(
        sessions=sessions(4).drop("has_purchase"),
        orders=orders(
            6,
            session_id=[1, 1, 2, None, None, None],
            sales_channel=["online", "online", "online", "pos", "pos", "phone"],
        ),
    )
    expected = {
        "orders": 6,
        "session_conversion_rate": 0.5,
        "orders_per_session": 0.75,
        "revenue_per_session": 7.5,
        "revenue_per_visitor": 7.5,
    }
    assert fk.evaluate(shop, list(expected)).frame.row(0, named=True) == expected


def test_m5_ten_seconds_are_not_longer_than_ten_seconds():
    shop = fk.Shop(sessions=sessions(2, engaged_s=[10.0, 10.001]))
    assert value(shop, "engagement_rate") == 0.5
    assert value(shop, "bounce_rate") == 0.5


def test_m6_order_value_keeps_free_orders_and_returned_ones():
    shop = fk.Shop(
        orders=orders(2, gross_amount=[100.0, 0.0]), returns=returns(1, refund_amount=100.0)
    )
    assert value(shop, "average_order_value") == 50
    assert value(shop, "net_sales") == 0


def test_m6_order_value_leaves_gift_cards_out_on_both_sides():
    shop = fk.Shop(
        orders=orders(3).drop("gross_amount", "discount_amount"),
        order_lines=order_lines(
            4,
            order_id=[1, 2, 3, 3],
            unit_price=[20.0, 500.0, 30.0, 50.0],
            line_type=["product", "gift_card", "product", "gift_card"],
        ),
    )
    assert value(shop, "orders") == 2
    assert value(shop, "average_order_value") == 25


def test_m6_order_value_is_not_the_mean_of_the_customers_order_values():
    shop = fk.Shop(
        orders=orders(4, customer_id=[1, 1, 1, 2], gross_amount=[10.0, 10.0, 10.0, 50.0])
    )
    assert value(shop, "average_order_value") == 20


@pytest.mark.parametrize("kind", ["cancellation", "return", None])
def test_m7_a_cancelled_order_is_not_taken_off_twice(kind: str | None):
    shop = fk.Shop(
        orders=orders(2, status=["paid", "cancelled"], gross_amount=[50.0, 70.0]),
        returns=returns(1, order_id=2, refund_amount=70.0, kind=kind),
    )
    assert value(shop, "returns_value") == 0
    assert value(shop, "net_sales") == 50


def test_m7_where_cancelled_orders_stay_their_cancellation_is_a_return_on_its_day():
    shop = fk.Shop(
        orders=orders(1, status="cancelled", ordered_at=dt.datetime(2024, 1, 31)),
        returns=returns(1, kind="cancellation", returned_at=dt.datetime(2024, 2, 1)),
        order_policy="shopify",
    )
    assert by_month(shop, "net_sales") == {1: 10.0, 2: -10.0}


def test_m7_a_return_belongs_to_its_own_month():
    shop = fk.Shop(
        orders=orders(1, ordered_at=dt.datetime(2024, 1, 31), gross_amount=100.0),
        returns=returns(1, returned_at=dt.datetime(2024, 2, 1), refund_amount=40.0),
    )
    assert by_month(shop, "net_sales") == {1: 100.0, 2: -40.0}
    assert by_month(shop, "average_order_value") == {1: 100.0}


def test_m8_open_and_emptied_carts_are_not_abandoned_and_recovered_ones_are_no_more():
    now = DAY + dt.timedelta(days=3)
    day = dt.timedelta(days=1)
    carts = table(
        6,
        cart_id=range(6),
        created_at=[DAY, DAY, now - day, now - day + dt.timedelta(seconds=1), now, DAY],
        items=[1, 2, 1, 1, 1, 0],
        order_id=[None, 1, None, None, 2, None],
    )
    shop = fk.Shop(carts=carts, as_of=now)
    assert value(shop, "cart_abandonment_rate") == pytest.approx(2 / 3)


def test_m8_the_data_is_known_up_to_the_latest_of_all_tables():
    carts = table(1, cart_id=1, created_at=DAY, order_id=None)
    late = orders(1, ordered_at=DAY + dt.timedelta(days=1))
    assert value(fk.Shop(carts=carts), "cart_abandonment_rate") is None
    assert value(fk.Shop(carts=carts, orders=late), "cart_abandonment_rate") == 1


def test_m8_the_data_is_known_up_to_the_latest_cart_where_that_is_the_latest():
    later = DAY + dt.timedelta(days=1)
    shop = fk.Shop(carts=table(2, cart_id=[1, 2], created_at=[DAY, later], order_id=[None, 1]))
    assert value(shop, "cart_abandonment_rate") == 1


def test_m8_a_cancelled_order_does_not_convert_its_cart():
    shop = fk.Shop(
        carts=table(2, cart_id=[1, 2], created_at=DAY),
        orders=orders(2, cart_id=[1, 2], status=["cancelled", "paid"]),
        as_of=DAY + dt.timedelta(days=7),
    )
    assert value(shop, "cart_abandonment_rate") == 0.5


def comeback_shop() -> fk.Shop:
    """Give a shop to which 1 comes back after a month's pause, and in which 3 is new at last."""
    months = [dt.datetime(2024, month, 5) for month in (1, 1, 2, 3, 3, 3)]
    return fk.Shop(orders=orders(6, ordered_at=months, customer_id=[1, 2, 2, 1, 2, 3]))


def test_m10_customers_who_come_back_after_a_gap_are_not_retained():
    # The textbook's (3 at the end - 1 new) / 1 at the start would be 2.
    rates = by_month(comeback_shop(), "customer_retention_rate")
    assert rates[2] == 0.5
    assert rates[3] == 1


def test_m10_coming_back_ever_is_another_rate_than_coming_back_next_month():
    asked = ["repeat_purchase_rate", "customer_retention_rate"]
    assert fk.evaluate(comeback_shop(), asked, every="1mo").frame.rows() == [
        (dt.date(2024, 1, 1), 0.0, None),
        (dt.date(2024, 2, 1), 0.5, 0.5),
        (dt.date(2024, 3, 1), 2 / 3, 1.0),
    ]


def test_m11_new_customers_cannot_leave_a_month_they_were_not_in():
    months = [dt.datetime(2024, month, 5) for month in (1, 1, 2, 2, 2)]
    shop = fk.Shop(orders=orders(5, ordered_at=months, customer_id=[1, 2, 1, 3, 4]))
    assert by_month(shop, "customer_churn_rate")[2] == 0.5


def test_m13_lifetime_value_is_profit_unless_revenue_is_asked_for():
    shop = fk.Shop(
        orders=orders(1, ordered_at=dt.datetime(2023, 6, 1), gross_amount=100.0),
        order_lines=order_lines(1, unit_price=100.0, unit_cost=80.0),
        assume_empty=["returns"],
    )
    profit = fk.catalog.customer_lifetime_value(lifespan_years=1)
    revenue = fk.catalog.customer_lifetime_value(lifespan_years=1, basis="revenue")
    assert value(shop, profit, **SPAN) == pytest.approx(20)
    assert value(shop, revenue, **SPAN) == pytest.approx(100)


def test_m15_a_first_order_before_the_range_is_still_the_first():
    shop = fk.Shop(
        orders=orders(
            3,
            ordered_at=[dt.datetime(2023, 12, 31, 23), DAY, DAY],
            customer_id=[1, 1, 2],
        )
    )
    question = {"start": dt.date(2024, 1, 1), "end": dt.date(2025, 1, 1)}
    assert value(shop, "new_customers", **question) == 1


def test_m15_a_history_that_starts_inside_the_range_gives_a_warning():
    shop = fk.Shop(orders=orders(2))
    with pytest.warns(fk.TruncatedHistoryWarning, match="2024-03-05"):
        value(shop, "new_customers", start=dt.date(2024, 1, 1), end=dt.date(2025, 1, 1))


def test_m15_guests_and_cancelled_first_orders_win_nobody():
    shop = fk.Shop(
        orders=orders(
            4,
            ordered_at=[dt.datetime(2024, 1, 5), *[dt.datetime(2024, 2, 5)] * 3],
            status=["cancelled", "paid", "paid", "paid"],
            customer_id=[1, 1, None, None],
        )
    )
    assert fk.evaluate(shop, ["orders", "new_customers"], every="1mo").frame.rows() == [
        (dt.date(2024, 2, 1), 3, 1)
    ]


def test_m15_one_person_with_account_and_e_mail_is_one_customer():
    shop = fk.Shop(orders=orders(3, customer_id=["c", None, None], email_hash=["e", "e", "f"]))
    assert value(shop, "customers") == 3
    by_mail = fk.Shop(orders=orders(3, email_hash=["e", "e", "f"]).drop("customer_id"))
    assert value(by_mail, "customers") == 2


def test_m16_sales_that_two_platforms_claim_are_never_added():
    shop = fk.Shop(
        campaign_performance=campaigns(
            2, platform=["google", "meta"], conversion_value=[20.0, 30.0], spend=[10.0, 10.0]
        )
    )
    result = fk.evaluate(shop, "return_on_ad_spend")
    assert result.frame.item() is None
    assert result.tidy().get_column("reason").item() == "mixed_platform"
    assert by_key(shop, "return_on_ad_spend", "platform") == {"google": 2.0, "meta": 3.0}
    totals = by_key(shop, "return_on_ad_spend", "platform", totals=True)
    assert totals == {"google": 2.0, "meta": 3.0, None: None}
    assert value(shop, "ad_spend") == 20


def test_m18_shares_are_not_rounded_and_passives_stay_below_the_line():
    shop = fk.Shop(surveys=surveys("nps", list(range(11))))
    assert value(shop, "net_promoter_score") == pytest.approx(100 * (2 - 7) / 11)


def test_m18_scores_of_stores_are_pooled_and_not_averaged():
    scores = [10, *[0] * 9]
    shop = fk.Shop(surveys=surveys("nps", scores, store=["north", *["south"] * 9]))
    assert by_key(shop, "net_promoter_score", "store", totals=True) == {
        "north": 100.0,
        "south": -100.0,
        None: -80.0,
    }


@pytest.mark.parametrize(("kind", "score"), [("nps", 11), ("nps", -1), ("csat", 0), ("csat", 6)])
def test_m18_an_answer_off_the_scale_is_an_error(kind: str, score: int):
    metric = {"nps": "net_promoter_score", "csat": "customer_satisfaction_score"}[kind]
    with pytest.raises(fk.ContractError, match="score"):
        value(fk.Shop(surveys=surveys(kind, [5, score])), metric)


def test_m18_the_latest_of_several_answers_counts():
    days = [dt.datetime(2024, 3, 2), dt.datetime(2024, 3, 1), dt.datetime(2024, 3, 1)]
    answers = surveys("nps", [10, 0, 7], responded_at=days, customer_id=[1, 1, 2])
    assert value(fk.Shop(surveys=answers), "net_promoter_score") == 50


def test_m18_of_two_answers_at_one_moment_the_one_with_the_later_id_counts():
    answers = surveys("nps", [10, 0], response_id=[2, 1], customer_id=1)
    assert value(fk.Shop(surveys=answers), "net_promoter_score") == 100


def test_m19_a_3_is_not_satisfied_and_the_mean_mark_is_no_share():
    shop = fk.Shop(surveys=surveys("csat", [5, 4, 3, 3, None]))
    assert value(shop, "customer_satisfaction_score") == 0.5


def test_m28_a_line_without_cost_is_no_profit():
    shop = fk.Shop(
        orders=orders(2, gross_amount=100.0),
        order_lines=order_lines(2, unit_price=100.0, unit_cost=[60.0, None]),
        assume_empty=["returns"],
    )
    result = fk.evaluate(shop, ["cost_of_goods_sold", "gross_profit", "gross_margin"])
    assert result.frame.row(0) == (None, None, None)
    assert set(result.tidy().get_column("reason")) == {"missing_values"}


def test_m28_a_line_without_cost_is_passed_over_where_it_does_not_count():
    shop = fk.Shop(
        orders=orders(2, gross_amount=100.0, status=["paid", "test"]),
        order_lines=order_lines(2, unit_price=100.0, unit_cost=[60.0, None]),
        assume_empty=["returns"],
    )
    assert value(shop, "cost_of_goods_sold") == 60


def test_m28_margin_is_not_markup():
    shop = fk.Shop(
        orders=orders(1, gross_amount=100.0),
        order_lines=order_lines(1, unit_price=100.0, unit_cost=60.0),
        assume_empty=["returns"],
    )
    assert value(shop, "gross_margin") == 0.4


def test_m32_visits_without_a_channel_are_a_group_of_their_own():
    shop = fk.Shop(sessions=sessions(3, channel=["email", None, None]))
    assert by_key(shop, "sessions", "channel") == {"email": 1, None: 2}


def test_m34_the_shops_clock_decides_which_month_it_is():
    late = dt.datetime(2024, 1, 31, 23, 30, tzinfo=dt.UTC)
    shop = fk.Shop(orders=orders(1, ordered_at=late), time_zone="Europe/Warsaw")
    assert by_month(shop, "orders") == {2: 1}

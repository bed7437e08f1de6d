"""Published mistakes that are not repeated, on the rows that would show them.

The ids are those of the catalogue of definitions: R for cases given as rows, X for the page of a
check, M for mistakes easily made. Those of which one value tells are in the table of examples.
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


def test_m28_a_line_without_cost_is_the_reason_for_no_profit():
    shop = fk.Shop(
        orders=orders(2, gross_amount=100.0),
        order_lines=order_lines(2, unit_price=100.0, unit_cost=[60.0, None]),
        assume_empty=["returns"],
    )
    result = fk.evaluate(shop, ["cost_of_goods_sold", "gross_profit", "gross_margin"])
    assert set(result.tidy().get_column("reason")) == {"missing_values"}


def test_m32_visits_without_a_channel_are_a_group_of_their_own():
    shop = fk.Shop(sessions=sessions(3, channel=["email", None, None]))
    assert by_key(shop, "sessions", "channel") == {"email": 1, None: 2}


def test_m34_the_shops_clock_decides_which_month_it_is():
    late = dt.datetime(2024, 1, 31, 23, 30, tzinfo=dt.UTC)
    shop = fk.Shop(orders=orders(1, ordered_at=late), time_zone="Europe/Warsaw")
    assert by_month(shop, "orders") == {2: 1}

"""The plain-Python KPIs of profit, customers, stock and delivery, tested themselves.

Published worked examples on the rows they tell of, cases where definitions differ, and laws on
shops of every kind. Nothing here asks the library: a mistake of the second opinion shows alone.
The ids are those of the catalogue of definitions.
"""

import datetime as dt
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oracle import words
from oracle.shops import MONTHS, SCHEMAS
from oracle.shops_busy import busy_shops
from oracle.shops_operations import (
    MORE_COLUMNS,
    operation_frames,
    operation_shops,
    part_of_orders,
    part_of_stock,
)
from oracle.words import (
    ORACLES,
    Period,
    Row,
    Tables,
    counted_orders_to_date,
    customer_keys,
    identified,
    identified_gross_profit,
    inside,
    strict_total,
)
from oracle.words_cohorts import (
    TABLE_ORACLES,
    cohort_cumulative_value,
    cohort_retention_rolling,
    marks,
)
from oracle.words_customers import (
    CUSTOMER_ORACLES,
    annual_churn_rate,
    churn_by_inactivity,
    lifetime_value_over,
    quantile,
    repeat_order_probability,
    repeat_purchase_rate_nd,
)
from oracle.words_fulfilment import FULFILMENT_ORACLES
from oracle.words_inventory import (
    INVENTORY_ORACLES,
    PRODUCT_ORACLES,
    days_of_stock_remaining,
    reorder_formula,
    safety_formula,
    safety_stock,
)
from oracle.words_profit import (
    PROFIT_ORACLES,
    acquisition_cost,
    ledger,
    paid_cac,
    with_known_costs,
)

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

ALL = {
    **ORACLES,
    **PROFIT_ORACLES,
    **CUSTOMER_ORACLES,
    **INVENTORY_ORACLES,
    **FULFILMENT_ORACLES,
    **TABLE_ORACLES,
    **PRODUCT_ORACLES,
}
JAN, FEB, MAR, APR = (Period(*ends) for ends in zip(MONTHS, MONTHS[1:], strict=False))
YEAR = Period(dt.datetime(2023, 1, 1), dt.datetime(2024, 1, 1))


def day(month: int, number: int, hour: int = 0, minute: int = 0) -> dt.datetime:
    return dt.datetime(2024, month, number, hour, minute)


def after(before: Period, now: Period) -> Period:
    """Give a period with the one before it."""
    return Period(now.start, now.end, before)


def order(number: int, at: dt.datetime, customer: Any = None, gross: float = 0.0, **more: Any):
    """Give a paid order."""
    return {
        "order_id": f"o{number}",
        "ordered_at": at,
        "status": "paid",
        "customer_id": customer,
        "gross_amount": gross,
        "discount_amount": 0.0,
        **more,
    }


def orders(*placed: tuple[dt.datetime, Any], gross: float = 0.0, **more: Any) -> list[Row]:
    """Give paid orders by their times and customers."""
    return [order(n, at, who, gross, **more) for n, (at, who) in enumerate(placed, start=1)]


def line(number: int, quantity: int = 1, cost: float | None = 0.0, **more: Any) -> Row:
    """Give the line of the order of that number."""
    return {
        "order_line_id": number,
        "order_id": f"o{number}",
        "quantity": quantity,
        "unit_price": 0.0,
        "unit_cost": cost,
        **more,
    }


def ads(spend: float, at: dt.datetime = MONTHS[0], **more: Any) -> Row:
    return {"date": at.date(), "platform": "google", "campaign_id": "a1", "spend": spend, **more}


def fee(amount: float, first: dt.datetime, last: dt.datetime, **more: Any) -> Row:
    return {"period_start": first.date(), "period_end": last.date(), "amount": amount, **more}


def stock(units: int | None, at: dt.datetime = MONTHS[0], product: str = "p1", **more: Any) -> Row:
    return {
        "snapshot_date": at.date(),
        "product_id": product,
        "location_id": "north",
        "on_hand_units": units,
        "unit_cost": 1.0,
        **more,
    }


def parcel(number: int, order_id: str | None = "o1", **more: Any) -> Row:
    return {"shipment_id": f"d{number}", "order_id": order_id, **more}


def ask(name: str, period: Period = JAN, **tables: list[Row]) -> Any:
    return ALL[name](tables, period)


near = pytest.approx


# --- Worked examples -----------------------------------------------------------------------------


def test_w13_100_spent_on_2_conversions():
    rows = [ads(60.0, conversions=2.0), ads(40.0, conversions=None)]
    assert ask("cost_per_acquisition", campaign_performance=rows) == 50


def test_w21_sales_of_10_per_2_spent():
    placed = orders((MONTHS[0], 1), gross=10.0, attributed_channel="Display")
    tables = {"orders": placed, "campaign_performance": [ads(2.0, conversion_value=10.0)]}
    assert ask("return_on_ad_spend.order_attributed", **tables) == 5
    assert ask("marketing_roi.revenue", **tables) == 4
    assert ask("advertising_cost_of_sales", **tables) == 0.2


def test_w23_sales_of_500_000_on_marketing_of_100_000():
    tables = {
        "orders": orders((MONTHS[0], 1), gross=500_000.0),
        "campaign_performance": [ads(80_000.0)],
        "marketing_costs": [fee(40_000.0, dt.datetime(2023, 12, 1), dt.datetime(2024, 1, 31))],
    }
    assert ask("marketing_efficiency_ratio", **tables) == 5
    assert ask("marketing_efficiency_ratio.media_only", **tables) == 6.25
    assert ask("advertising_cost_of_sales.total", **tables) == 0.16


def test_w25_12_000_for_600_new_customers():
    tables = {
        "orders": orders(*((MONTHS[0], n) for n in range(600))),
        "campaign_performance": [ads(9_000.0)],
        "marketing_costs": [fee(3_000.0, day(1, 1), day(1, 31), purpose="acquisition")],
    }
    assert ask("customer_acquisition_cost", **tables) == 20
    assert ask("customer_acquisition_cost.media", **tables) == 15


def test_w31_120_to_win_who_brings_20_a_month():
    tables = {
        "orders": orders(*((dt.datetime(2023, n, 1), 1) for n in range(1, 13)), gross=20.0),
        "campaign_performance": [ads(120.0, dt.datetime(2023, 1, 1))],
    }
    assert ask("cac_payback_period.quotient", YEAR, **tables) == near(6)
    assert ask("cac_payback_period", YEAR, **tables) == 5


def test_w43_contribution_of_a_sale_of_99():
    tables = {
        "orders": [order(1, MONTHS[0], 1, 99.0, payment_fee=2.0, fulfilment_cost=5.5)],
        "order_lines": [line(1, cost=39.0)],
        "returns": [
            {"order_id": "o1", "returned_at": MONTHS[0], "refund_amount": 0.0, "handling_cost": 7.2}
        ],
        "shipments": [parcel(1, shipped_at=MONTHS[0], shipping_cost=3.17)],
    }
    assert ask("contribution_margin", **tables) == near(42.13, abs=1e-9)
    assert ask("contribution_margin_ratio", **tables) == near(0.4256, abs=5e-5)
    tables["orders"][0]["shipping_amount"] = 4.0
    assert ask("contribution_margin", **tables) == near(46.13, abs=1e-9)


def test_w45_and_w47_lifetime_value_over_a_given_lifespan():
    three = {"orders": orders(*[(dt.datetime(2023, 6, 1), 1)] * 3, gross=75.0)}
    assert lifetime_value_over(three, YEAR, years=2.5, basis="revenue") == 562.5
    two = {
        "orders": orders(*[(dt.datetime(2023, 6, 1), 1)] * 2, gross=60.0),
        "order_lines": [line(1, cost=24.0), line(2, cost=24.0)],
    }
    assert lifetime_value_over(two, YEAR, years=3) == near(216, abs=1e-9)


def test_w51_500_of_2_000_buyers_come_back():
    before = [(MONTHS[0], number) for number in range(500)]
    placed = orders(*before, *((MONTHS[1], number) for number in range(2_000)))
    assert ask("returning_customer_rate", FEB, orders=placed) == 0.25
    assert ask("new_customer_rate", FEB, orders=placed) == 0.75


def test_w59_satisfaction_of_fifty_answers():
    scores = [5] * 10 + [4] * 20 + [3] * 10 + [2] * 5 + [1] * 5
    rows = [{"survey_type": "csat", "responded_at": MONTHS[0], "score": score} for score in scores]
    for variant in ("all_answers", "any_scale"):
        assert ask(f"customer_satisfaction_score.{variant}", surveys=rows) == 0.6
    assert ask("customer_satisfaction_score.mean", surveys=rows) == 3.5


def test_w61_and_w63_turnover_and_days_of_stock():
    tables = {
        "orders": orders((dt.datetime(2023, 6, 1), 1)),
        "order_lines": [line(1, cost=4_016_851.0)],
        "inventory_snapshots": [stock(481_060, dt.datetime(2023, 6, 1))],
    }
    assert ask("inventory_turnover", YEAR, **tables) == near(8.35, abs=1e-6)
    tables["order_lines"] = [line(1, cost=481_060.0 * 73)]
    assert ask("inventory_turnover", YEAR, **tables) == near(73)
    assert ask("days_inventory_outstanding", YEAR, **tables) == near(5)


def test_w65_650_of_1_000_received_are_sold():
    tables = {
        "orders": orders((MONTHS[0], 1)),
        "order_lines": [line(1, 650)],
        "receipts": [{"product_id": "p1", "received_at": MONTHS[0], "units": 1_000}],
        "inventory_snapshots": [stock(350)],
    }
    assert ask("sell_through_rate.received", **tables) == 0.65
    assert ask("sell_through_rate", **tables) == 0.65
    assert ask("sell_through_rate.beginning", FEB, **tables) == 0


@pytest.mark.parametrize(("deviation", "z", "expected"), [(40, 1.65, 198), (40, 4.13, 495.6)])
def test_w67_safety_stock_of_nine_days(deviation: float, z: float, expected: float):
    assert safety_formula(z, deviation, 9) == near(expected, abs=1e-9)


def test_w67_safety_stock_from_the_orders_of_two_days():
    period = Period(day(1, 1), day(1, 3))
    tables = {
        "orders": orders((day(1, 1, 9), 1), (day(1, 2, 9), 1)),
        "order_lines": [line(1, 10, product_id="p1"), line(2, 14, product_id="p1")],
        "products": [{"product_id": "p1", "lead_time_days": 9.0, "lead_time_sd": 0.0}],
    }
    # Of 10 and 14 the sample's deviation is the root of 8; 19 in 20 is z = 1.6449.
    assert ask("safety_stock", period, **tables) == {"p1": near(1.644854 * 8**0.5 * 3, rel=1e-6)}
    assert safety_stock(tables, period, service_level=0.5) == {"p1": near(0)}
    same = ask("safety_stock", period, **tables)
    assert ask("safety_stock.late_supply", period, **tables) == {"p1": near(same["p1"])}
    assert ask("safety_stock.heuristic", period, **tables) == {"p1": 18}
    assert ask("reorder_point", period, **tables) == {"p1": near(12 * 9 + same["p1"])}


def test_w69_reorder_point_of_40_a_day():
    assert reorder_formula(40, 10, 200) == 600
    tables = {
        "orders": orders(*((day(1, number), 1) for number in range(1, 32))),
        "order_lines": [line(number, 40, product_id="p1") for number in range(1, 32)],
        "products": [{"product_id": "p1", "lead_time_days": 10.0, "safety_stock": 200.0}],
        "inventory_snapshots": [stock(590, committed_units=10, incoming_units=20)],
    }
    assert ask("reorder_point", **tables) == {"p1": 600}
    assert ask("reorder_point.share_below", **tables) == 0
    tables["inventory_snapshots"][0]["committed_units"] = 11
    assert ask("reorder_point.share_below", **tables) == 1


def test_w71_margin_of_240_000_on_thirteen_snapshots():
    dates = [dt.datetime(2023, 1, 1) + dt.timedelta(days=28 * number) for number in range(13)]
    tables = {
        "orders": orders((dt.datetime(2023, 6, 1), 1), gross=500_000.0),
        "order_lines": [line(1, cost=260_000.0)],
        "inventory_snapshots": [
            stock(100_000 + 5_000 * (number - 6), at) for number, at in enumerate(dates)
        ],
    }
    assert ask("gross_margin_return_on_inventory", YEAR, **tables) == near(2.4, abs=1e-9)
    assert ask("gross_margin", YEAR, **tables) * 5 == near(2.4, abs=1e-9)


def due(number: int, *, late: bool = False, units: int = 1, **more: Any) -> Row:
    """Give the one parcel of an order, promised for the tenth of January."""
    arrived = day(1, 11) if late else day(1, 10)
    return parcel(
        number,
        f"o{number}",
        shipped_at=day(1, 2),
        delivered_at=arrived,
        promised_at=day(1, 10),
        units_shipped=units,
        **{"has_item_error": False, "is_damaged": False, "documents_ok": True, **more},
    )


def delivered(*rows: Row) -> Tables:
    """Give the shop of orders of one unit with these parcels, the n-th of the n-th order."""
    numbers = range(1, len(rows) + 1)
    return {
        "orders": [order(number, day(1, 1), number) for number in numbers],
        "order_lines": [line(number) for number in numbers],
        "shipments": list(rows),
        "events": [{"occurred_at": day(1, 10)}],
    }


def test_w73_and_n8_orders_on_time_and_in_full_are_not_two_rates_multiplied():
    rows = [due(n, late=n <= 8, units=0 if n <= 12 else 1) for n in range(1, 121)]
    tables = delivered(*rows)
    assert ask("otif_rate", **tables) == 0.9
    assert ask("on_time_delivery_rate", **tables) == near(112 / 120)
    assert ask("fill_rate", **tables) == 0.9
    assert ask("otif_rate", **tables) != near(112 / 120 * 0.9)


def test_w75_and_m25_perfect_orders_one_by_one_and_multiplied():
    rows = [
        due(
            n,
            late=n <= 2,
            units=0 if n <= 3 else 1,
            is_damaged=n == 100,
            documents_ok=n > 18,
        )
        for n in range(1, 101)
    ]
    tables = delivered(*rows)
    assert ask("perfect_order_rate.product", **tables) == near(0.7717, abs=5e-5)
    assert ask("perfect_order_rate", **tables) == 0.81


def test_w77_18_000_for_3_000_orders_in_more_parcels():
    rows = [
        parcel(n, f"o{n % 3_000}", shipped_at=MONTHS[0], shipping_cost=4.5) for n in range(4_000)
    ]
    assert ask("shipping_cost_per_order", shipments=rows) == 6


def test_r5_windows_of_a_day_and_of_a_week_from_the_full_hour():
    placed = orders(
        (dt.datetime(2023, 12, 1, 17, 59), 1),
        (dt.datetime(2023, 12, 2, 17, 0), 1),
        (dt.datetime(2023, 12, 8, 17, 0), 1),
        (dt.datetime(2023, 12, 20), 2),
    )
    period = Period(dt.datetime(2023, 12, 1), dt.datetime(2023, 12, 2))
    cohort = dt.date(2023, 12, 1)
    daily = cohort_retention_rolling({"orders": placed}, period, window=dt.timedelta(days=1))
    assert [daily[cohort, number] for number in (0, 1, 2, 7)] == [1, 1, 0, 1]
    weekly = cohort_retention_rolling({"orders": placed}, period, window=dt.timedelta(days=7))
    assert [weekly[cohort, number] for number in (0, 1, 2)] == [1, 1, None]


def test_n5_active_customers_are_new_retained_and_resurrected_ones():
    placed = orders((day(1, 1), 1), (day(2, 1), 2), (day(3, 1), 1), (day(3, 1), 2), (day(3, 1), 3))
    march = after(FEB, MAR)
    names = ("new_customers", "retained_customers", "resurrected_customers", "customers")
    assert [ask(name, march, orders=placed) for name in names] == [1, 1, 1, 3]
    assert ask("customer_retention_rate.accounting", march, orders=placed) == 2
    assert ask("customer_retention_rate", march, orders=placed) == 1


def test_n6_acquisition_cost_is_not_shared_with_those_who_were_there():
    placed = orders((day(1, 1), 1), (day(2, 1), 1), (day(2, 1), 2))
    spent = {"orders": placed, "campaign_performance": [ads(10.0, day(2, 1)), ads(4.0, day(1, 30))]}
    assert acquisition_cost(spent, FEB) == 10
    assert acquisition_cost(spent, FEB, lag=dt.timedelta(days=29)) == 4


def test_n12_damage_and_lateness_leave_an_order_accurate():
    tables = delivered(due(1, late=True, is_damaged=True), due(2, has_item_error=True))
    assert ask("order_accuracy_rate", **tables) == 0.5
    assert ask("perfect_order_rate", **tables) == 0.5


def test_n13_unit_turnover_of_180_000_on_30_000():
    tables = {
        "orders": orders((MONTHS[0], 1)),
        "order_lines": [line(1, 180_000)],
        "inventory_snapshots": [stock(30_000)],
    }
    assert ask("inventory_turnover.units", **tables) == 6


# --- Profit and marketing ------------------------------------------------------------------------


def test_a_share_of_sales_below_zero_is_none_and_an_efficiency_is_not():
    tables = {
        "orders": orders((MONTHS[0], 1)),
        "returns": [{"order_id": "o1", "returned_at": MONTHS[0], "refund_amount": 5.0}],
        "campaign_performance": [ads(2.0)],
        "shipments": [parcel(1, shipped_at=MONTHS[0], shipping_cost=1.0)],
    }
    for name in (
        "contribution_margin_ratio",
        "advertising_cost_of_sales.total",
        "shipping_cost_ratio",
    ):
        assert ask(name, **tables) is None
    assert ask("marketing_efficiency_ratio", **tables) == -2.5


def test_m16_what_two_platforms_claim_is_never_added():
    rows = [
        ads(1.0, conversions=1.0, conversion_value=4.0),
        ads(1.0, platform="meta", conversions=1.0, conversion_value=4.0),
    ]
    assert ask("cost_per_acquisition", campaign_performance=rows) is None
    assert ask("advertising_cost_of_sales", campaign_performance=rows) is None
    rows[1]["conversions"] = None
    assert ask("cost_per_acquisition", campaign_performance=rows) == 2


def test_m17_return_on_marketing_is_of_profit_and_on_all_cost():
    placed = [
        order(1, MONTHS[0], 1, 100.0, attributed_campaign="newsletter"),
        order(2, MONTHS[0], 2, 900.0, attributed_campaign=None),
    ]
    tables = {
        "orders": placed,
        "order_lines": [line(1, cost=40.0), line(2, cost=None)],
        "campaign_performance": [ads(10.0)],
        "marketing_costs": [fee(10.0, day(1, 1), day(1, 1), purpose="brand")],
    }
    assert ask("marketing_roi", **tables) == 2
    assert ask("gross_profit_per_order", **tables) is None


def test_m28_costs_are_looked_up_where_lines_have_no_such_column():
    sold = line(1, 2, product_id="p1")
    del sold["unit_cost"]
    tables = {
        "orders": orders((MONTHS[0], 1), gross=10.0),
        "order_lines": [sold],
        "products": [{"product_id": "p1", "unit_cost": 3.0}],
    }
    assert ask("gross_profit_per_order", **tables) == 4
    tables["products"] = []
    assert ask("gross_profit_per_order", **tables) is None


def test_customers_won_by_ads_first_ordered_by_a_paid_channel():
    placed = [
        order(1, MONTHS[0], 1, attributed_channel="Paid Search"),
        order(2, MONTHS[0], 2, attributed_channel="email"),
        order(3, MONTHS[0], None, attributed_channel="paid_social"),
        order(4, day(1, 2), 2, attributed_channel="cross_network"),
    ]
    tables = {"orders": placed, "campaign_performance": [ads(8.0)]}
    assert ask("paid_cac", **tables) == 8
    assert PROFIT_ORACLES["paid_cac"](tables, FEB) is None
    assert paid_cac(tables, JAN, {"email", "Paid Search"}) == 4
    assert paid_cac(tables, JAN, {"Email"}) is None


def test_discounts_on_first_orders_may_be_part_of_the_acquisition_cost():
    placed = orders((day(1, 1), 1), (day(1, 2), 1), (day(1, 3), 2))
    for row, discount in zip(placed, (3.0, 50.0, None), strict=True):
        row["discount_amount"] = discount
    tables = {"orders": placed, "campaign_performance": [ads(5.0)]}
    assert ask("customer_acquisition_cost.with_discounts", **tables) == 4


def test_variable_marketing_alone_is_taken_off_the_contribution():
    tables = {
        "orders": orders((MONTHS[0], 1), gross=50.0),
        "campaign_performance": [ads(5.0)],
        "marketing_costs": [
            fee(8.0, day(1, 31), day(2, 1), is_variable=True),
            fee(9.0, day(1, 1), day(1, 1), is_variable=None),
        ],
    }
    assert ask("contribution_margin_after_marketing", **tables) == 41


def test_parcels_of_uncounted_orders_cost_nothing_and_of_unknown_ones_do():
    tables = {
        "orders": [order(1, MONTHS[0], 1, status="cancelled")],
        "shipments": [
            parcel(1, "o1", shipped_at=MONTHS[0], shipping_cost=1.0),
            parcel(2, "o9", shipped_at=MONTHS[0], shipping_cost=2.0),
            parcel(3, None, shipped_at=MONTHS[0], shipping_cost=4.0),
            parcel(4, "o9", shipped_at=None, shipping_cost=8.0),
        ],
    }
    assert ask("contribution_margin", **tables) == -6
    assert ask("shipping_cost_per_order", **tables) == 6


def test_payback_comes_with_the_first_whole_month_that_covers_the_cost():
    placed = orders((day(1, 5), 1), (day(1, 9), 2), (day(2, 5), 1), (day(4, 9), 2), gross=10.0)
    tables = {"orders": placed, "campaign_performance": [ads(40.0)]}
    assert ask("cac_payback_period", **tables) is None  # April, which covers it, is not over
    tables["events"] = [{"occurred_at": day(4, 30)}]
    assert ask("cac_payback_period", **tables) == 3
    tables["campaign_performance"] = [ads(30.0)]
    assert ask("cac_payback_period", **tables) == 1
    tables["campaign_performance"] = [ads(20.0)]
    assert ask("cac_payback_period", **tables) == 0
    tables["order_lines"] = [line(3, cost=None)]
    assert ask("cac_payback_period", **tables) == 0
    tables["campaign_performance"] = [ads(30.0)]
    assert ask("cac_payback_period", **tables) is None


# --- Customers -----------------------------------------------------------------------------------


def test_a_first_and_a_second_order_in_one_month_make_a_customer_new_and_repeating():
    placed = orders((day(1, 5), 1), (day(1, 9), 1), (day(1, 9), None), (day(1, 9), 2))
    values = {
        "returning_customer_rate": 0,
        "returning_customer_rate.any_repeat": 0.5,
        "repeat_purchase_rate.in_window": 0.5,
        "repeat_purchase_rate.by_days": 0.5,
        "new_customer_rate": 1,
    }
    assert {name: ask(name, orders=placed) for name in values} == values


def test_two_orders_of_one_day_may_be_one_shopping_trip():
    placed = orders((day(1, 5, 9), 1), (day(1, 5, 18), 1))
    assert ask("repeat_purchase_rate", orders=placed) == 1
    assert ask("repeat_purchase_rate.by_days", orders=placed) == 0


def test_m12_only_those_observed_for_the_whole_window_count():
    placed = orders((day(1, 1), 1), (day(1, 11), 1), (day(1, 5), 2), (day(1, 12), 3))
    tables = {"orders": placed}
    assert repeat_purchase_rate_nd(tables, JAN, window_days=10) == 1
    assert repeat_purchase_rate_nd(tables, JAN, window_days=7) == 0
    assert repeat_purchase_rate_nd(tables, JAN) is None


def test_the_chance_of_a_third_order_is_of_those_with_two():
    placed = orders(*((day(1, n), who) for n, who in enumerate((1, 1, 1, 2, 2, 3), start=1)))
    assert repeat_order_probability({"orders": placed}, JAN, n=2) == 0.5
    assert ask("repeat_order_probability", orders=placed) == near(2 / 3)


def test_gaps_reach_back_before_the_period_and_skip_uncounted_orders():
    placed = orders((day(1, 30), 1), (day(2, 1), 1), (day(2, 2), 1), (day(2, 5), 1), (day(2, 5), 2))
    placed[2]["status"] = "cancelled"
    assert ask("days_between_orders", FEB, orders=placed) == 3
    placed.append(order(9, day(2, 6), 1))
    assert ask("days_between_orders", FEB, orders=placed) == 2
    assert ask("days_between_orders.mean", FEB, orders=placed) == near(7 / 3)
    assert ask("days_between_orders", orders=placed) is None


def test_who_is_silent_for_longer_than_the_window_has_lapsed():
    placed = orders((day(1, 22), 1), (day(1, 30), 2), (day(2, 20), 2))
    tables = {"orders": placed}
    assert churn_by_inactivity(tables, FEB, window_days=10) == 0.5
    assert churn_by_inactivity(tables, FEB, window_days=9) == 1
    # The one gap is of 21 days, and the order of 20 February is 9.99… days old.
    assert ask("customer_churn_rate.inactivity", FEB, **tables) == 0.5
    assert ask("customer_retention_rate.trailing", FEB, **tables) == 1


def test_m11_a_monthly_churn_is_compounded():
    placed = orders((day(1, 1), 1), (day(1, 1), 2), (day(2, 1), 1))
    february = after(JAN, FEB)
    assert ask("customer_churn_rate.annual", february, orders=placed) == 1 - 0.5**12
    assert annual_churn_rate({"orders": placed}, february, periods_per_year=2) == 0.75


def test_who_has_not_ordered_so_far_is_churned_in_an_open_period():
    placed = orders((day(1, 1), 1), (day(1, 1), 2), (day(2, 1), 1), (day(2, 20), 3))
    february = after(JAN, FEB)
    assert ask("churned_customers", february, orders=placed) == 1
    assert ask("growth_quick_ratio", february, orders=placed) == 1


def test_cohorts_by_calendar_month():
    placed = orders((day(1, 31), 1), (day(1, 1), 2), (day(2, 1), 1), (day(3, 1), 2), (day(4, 2), 9))
    whole = Period(MONTHS[0], MONTHS[-1])
    jan, apr = dt.date(2024, 1, 1), dt.date(2024, 4, 1)
    assert ask("cohort_retention", whole, orders=placed) == {
        (jan, 0): 1,
        (jan, 1): 0.5,
        (jan, 2): 0.5,
        (jan, 3): None,
        (apr, 0): None,
    }
    later = ask("cohort_retention.on_or_after", JAN, orders=placed)
    assert list(later.values()) == [1, 1, 0.5, None]
    assert ask("cohort_retention.mean", whole, orders=placed) == {0: 1, 1: 0.5, 2: 0.5, 3: None}


def test_m13_the_value_of_a_cohort_is_of_all_who_were_won():
    placed = orders((day(1, 1), 1), (day(1, 1), 2), (day(2, 1), 1), gross=10.0)
    tables = {
        "orders": placed,
        "order_lines": [line(1, cost=4.0), line(2, cost=4.0), line(3, cost=None)],
        "returns": [
            {"order_id": "o1", "returned_at": day(2, 3), "refund_amount": 6.0, "order_line_id": 1}
        ],
        "events": [{"occurred_at": day(3, 31)}],
    }
    jan = dt.date(2024, 1, 1)
    revenue = cohort_cumulative_value(tables, JAN, basis="revenue")
    assert revenue == {(jan, 0): 10, (jan, 1): 12, (jan, 2): 12}
    assert ask("cohort_cumulative_value", **tables) == {(jan, 0): 6, (jan, 1): None, (jan, 2): None}


def test_lifetime_value_of_revenue_and_with_interest():
    placed = orders((day(1, 1), 1), (day(1, 1), 2), (day(2, 1), 1), gross=10.0)
    february = after(JAN, FEB)
    assert ask("customer_lifetime_value.revenue", february, orders=placed) == 20
    discounted = ask("customer_lifetime_value.discounted", february, orders=placed)
    assert discounted == near(10 * 0.5 / 0.6)


def test_m30_equal_values_get_equal_marks():
    assert marks(dict(enumerate((1, 1, 1, 1, 9)))) == {0: 1, 1: 1, 2: 1, 3: 1, 4: 5}
    assert sorted(marks(dict(enumerate(range(10)))).values()) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_the_best_customer_is_the_latest_the_most_frequent_and_the_highest_paying():
    placed = [
        *(order(n, day(1, n), n, gross=float(n)) for n in range(1, 5)),
        *(order(n, day(1, n), 5, gross=9.0) for n in range(5, 7)),
        order(7, day(1, 20), None, gross=99.0),
        order(8, day(2, 1), 1, gross=99.0),
    ]
    assert ask("rfm_score", orders=placed) == {1: 111, 2: 212, 3: 313, 4: 414, 5: 555}


def test_the_two_highest_marks_are_those_of_the_scale():
    rows = [
        {"survey_type": "csat", "responded_at": MONTHS[0], "score": score, "scale_max": scale}
        for score, scale in ((6, 7), (5, 7), (4, None), (3, 5))
    ]
    assert ask("customer_satisfaction_score.any_scale", surveys=rows) == 0.5


def test_a_customer_may_answer_twice_or_once():
    rows = [
        {
            "survey_type": "nps",
            "responded_at": at,
            "customer_id": 1,
            "score": score,
            "response_id": n,
        }
        for n, (at, score) in enumerate(((day(1, 1), 0), (day(1, 2), 9)))
    ]
    assert ask("net_promoter_score", surveys=rows) == 100
    assert ask("net_promoter_score.all_answers", surveys=rows) == 0


def test_quantiles_lie_on_a_line_between_neighbours():
    assert quantile([3, 1], 0.5) == 2
    assert quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 0.9) == 10
    assert quantile([], 0.9) is None


# --- Stock ---------------------------------------------------------------------------------------


def test_m23_stock_is_the_latest_of_each_place_and_never_added_over_days():
    rows = [
        stock(5, day(1, 1)),
        stock(7, day(1, 2)),
        stock(None, day(1, 3)),
        stock(-2, day(1, 1), product="p2", unit_cost=9.0),
        stock(4, day(1, 1), location_id="south", unit_cost=None),
        stock(99, day(2, 1)),
    ]
    assert ask("stock_on_hand", inventory_snapshots=rows) == 9
    assert ask("inventory_value", inventory_snapshots=rows) == 7
    assert ask("stock_on_hand", YEAR, inventory_snapshots=rows) is None


def test_m22_the_mean_stock_is_of_the_days_with_a_snapshot():
    tables = {
        "orders": orders((MONTHS[0], 1)),
        "order_lines": [line(1, cost=60.0)],
        "inventory_snapshots": [
            stock(10, day(1, 1)),
            stock(20, day(1, 1), product="p2"),
            stock(30, day(1, 9)),
            stock(90, day(2, 1)),
        ],
    }
    assert ask("inventory_turnover", **tables) == 2
    assert ask("inventory_turnover.annual", **tables) == near(2 * 365 / 31)
    assert ask("days_inventory_outstanding", **tables) == 15.5


def test_turnover_at_retail_is_of_sales_and_list_prices():
    tables = {
        "orders": orders((MONTHS[0], 1), gross=100.0),
        "products": [{"product_id": "p1", "list_price": 4.0}],
        "inventory_snapshots": [stock(5), stock(9, product="p9")],
    }
    assert ask("inventory_turnover.retail", **tables) == 5


def test_m24_stock_lasts_at_the_pace_of_days_with_stock():
    tables = {
        "orders": orders((day(1, 1), 1)),
        "order_lines": [line(1, 6)],
        "inventory_snapshots": [stock(6, day(1, 1)), stock(0, day(1, 2)), stock(8, day(1, 3))],
    }
    assert ask("days_of_stock_remaining", **tables) == near(8 / (6 / (31 * 2 / 3)))
    assert days_of_stock_remaining(tables, JAN, lookback_days=29) is None
    assert ask("days_of_stock_remaining", FEB, **tables) is None


def test_units_that_came_back_are_not_sold_through():
    tables = {
        "orders": orders((day(1, 1), 1)),
        "order_lines": [line(1, 6)],
        "returns": [{"order_id": "o1", "returned_at": day(1, 2), "quantity": 2}],
        "inventory_snapshots": [stock(4)],
    }
    assert ask("sell_through_rate", **tables) == 0.5
    tables["inventory_snapshots"] = [stock(-3)]
    assert ask("sell_through_rate", **tables) == 1


def test_a_product_is_out_of_stock_when_it_is_nowhere():
    tables = {
        "products": [
            {"product_id": "p1", "is_active": True},
            {"product_id": "p2", "is_active": None},
        ],
        "inventory_snapshots": [
            stock(0, day(1, 1)),
            stock(3, day(1, 1), location_id="south"),
            stock(0, day(1, 2)),
            stock(None, day(1, 3)),
            stock(0, day(1, 2), product="p2"),
            stock(0, day(1, 2), product="p9"),
        ],
    }
    assert ask("stockout_rate", **tables) == 0.5
    assert ask("stockout_rate.places", **tables) == near(2 / 3)
    assert ask("stockout_rate.at_end", **tables) == 0
    del tables["products"]
    assert ask("stockout_rate", **tables) == 0.75


def test_a_day_without_stock_and_sales_shows_no_demand():
    tables = {
        "orders": orders((day(1, 1), 1)),
        "order_lines": [line(1, 6, product_id="p1")],
        "products": [{"product_id": "p1", "lead_time_days": 2.0, "safety_stock": 0.0}],
        "inventory_snapshots": [stock(0, day(1, 1)), stock(0, day(1, 2)), stock(1, day(1, 3))],
    }
    assert ask("reorder_point", Period(day(1, 1), day(1, 4)), **tables) == {"p1": 6}


# --- Delivery ------------------------------------------------------------------------------------


def test_what_leaves_first_fills_an_order_at_most():
    tables = {
        "orders": orders((day(1, 1), 1), (day(1, 1), 1), (day(1, 1), 1)),
        "order_lines": [line(1, 4), line(2, 2), line(3, 2)],
        "shipments": [
            parcel(1, shipped_at=day(1, 2), units_shipped=1),
            parcel(2, shipped_at=day(1, 2), units_shipped=1),
            parcel(3, shipped_at=day(1, 3), units_shipped=2),
            parcel(4, "o2", shipped_at=day(1, 2), units_shipped=5),
            parcel(5, "o3", shipped_at=None, units_shipped=2),
        ],
    }
    assert ask("fill_rate", **tables) == 0.5
    assert ask("fulfilment_time", **tables) == 1
    assert ask("fulfilment_time.complete", **tables) == 1.5
    assert ask("fulfilment_time.orders_waiting", **tables) == 1


def test_an_order_has_arrived_with_its_last_parcel():
    times = {"shipped_at": day(1, 2), "promised_at": day(1, 10), "units_shipped": 1}
    tables = {
        "orders": orders((day(1, 1), 1)),
        "order_lines": [line(1, 2)],
        "events": [{"occurred_at": day(1, 10)}],
        "shipments": [
            parcel(1, delivered_at=day(1, 4), **times),
            parcel(2, delivered_at=None, **times),
        ],
    }
    assert ask("order_cycle_time", **tables) is None
    assert ask("on_time_delivery_rate", **tables) == 0
    assert ask("perfect_order_rate", **tables) is None
    assert ask("delivery_time", **tables) == 2
    tables["shipments"][1]["delivered_at"] = day(1, 9)
    assert ask("order_cycle_time", **tables) == 8
    assert ask("otif_rate", **tables) == 1
    assert ask("order_cycle_time.mean_by_delivery", FEB, **tables) is None


def test_what_the_customer_cancelled_is_not_missing():
    tables = delivered(due(1))
    tables["order_lines"] = [line(1, 3)]
    assert ask("otif_rate", **tables) == 0
    tables["returns"] = [{"order_id": "o1", "kind": "cancellation", "quantity": 2}]
    assert ask("otif_rate", **tables) == 1


def test_orders_due_are_those_promised_for_the_period_and_counted():
    tables = delivered(due(1), due(2), due(3), due(4))
    tables["shipments"][0]["promised_at"] = None
    tables["shipments"][1]["promised_at"] = day(2, 1)
    tables["orders"][2]["status"] = "cancelled"
    assert ask("on_time_delivery_rate.by_due_date", **tables) == 1
    assert ask("on_time_delivery_rate.by_due_date", FEB, **tables) == 1
    assert ask("on_time_delivery_rate.by_due_date", MAR, **tables) is None


def test_an_order_is_due_once_its_promise_has_passed():
    tables = delivered(due(1), due(2), due(3, late=True), due(4))
    tables["shipments"][0]["promised_at"] = None
    tables["shipments"][1]["promised_at"] = day(2, 1)
    assert ask("on_time_delivery_rate", **tables) == 0.5
    assert ask("on_time_delivery_rate", FEB, **tables) is None
    tables["events"] = [{"occurred_at": day(2, 1)}]
    assert ask("on_time_delivery_rate", **tables) == near(2 / 3)
    tables["events"] = [{"occurred_at": day(1, 9)}]
    assert ask("on_time_delivery_rate", **tables) is None


def test_papers_not_known_to_be_right_are_not_perfect():
    tables = delivered(due(1, documents_ok=None), due(2, is_damaged=None))
    assert ask("perfect_order_rate", **tables) == 0.5


def test_shipping_falls_on_the_day_of_the_order_or_of_the_parcel():
    tables = {
        "orders": orders((day(1, 31), 1), (day(2, 1), 1), gross=10.0),
        "shipments": [
            parcel(1, shipped_at=day(2, 1), shipping_cost=2.0),
            parcel(2, shipped_at=None, shipping_cost=1.0),
        ],
    }
    assert ask("shipping_cost_ratio", **tables) == 0.3
    assert ask("shipping_cost_ratio", FEB, **tables) == 0
    assert ask("shipping_cost_ratio.by_shipping_day", FEB, **tables) == 0.2


# --- Laws on shops of every kind -----------------------------------------------------------------

TABLES = tuple({**SCHEMAS, **MORE_COLUMNS})
SHARES = {
    "new_customer_rate",
    "returning_customer_rate",
    "returning_customer_rate.any_repeat",
    "repeat_purchase_rate.in_window",
    "repeat_purchase_rate.by_days",
    "repeat_purchase_rate_nd",
    "repeat_order_probability",
    "customer_retention_rate.trailing",
    "customer_churn_rate.inactivity",
    "customer_churn_rate.annual",
    "customer_satisfaction_score.all_answers",
    "customer_satisfaction_score.any_scale",
    "stockout_rate",
    "stockout_rate.places",
    "stockout_rate.at_end",
    "reorder_point.share_below",
    "fill_rate",
    "on_time_delivery_rate",
    "on_time_delivery_rate.by_due_date",
    "otif_rate",
    "otif_rate.by_due_date",
    "order_accuracy_rate",
    "perfect_order_rate",
    "perfect_order_rate.by_delivery",
    "perfect_order_rate.product",
}
NEVER_NEGATIVE = {
    *SHARES,
    "advertising_cost_of_sales",
    "advertising_cost_of_sales.total",
    "cac_payback_period",
    "churned_customers",
    "cost_per_acquisition",
    "customer_acquisition_cost.media",
    "days_between_orders",
    "days_of_stock_remaining",
    "delivery_time",
    "fulfilment_time",
    "growth_quick_ratio",
    "inventory_value",
    "order_cycle_time",
    "paid_cac",
    "resurrected_customers",
    "retained_customers",
    "shipping_cost_per_order",
    "shipping_cost_ratio",
}
thorough = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
any_shop = st.one_of(operation_shops(TABLES), busy_shops())
a_month = st.sampled_from(
    (
        after(Period(dt.datetime(2023, 12, 1), MONTHS[0]), JAN),
        after(JAN, FEB),
        after(FEB, MAR),
        after(MAR, APR),
    )
)


def values_of(tables: Tables, period: Period) -> dict[str, Any]:
    """Give every value of one number."""
    singles = {**ORACLES, **PROFIT_ORACLES, **CUSTOMER_ORACLES}
    singles |= {**INVENTORY_ORACLES, **FULFILMENT_ORACLES}
    return {name: kpi(tables, period) for name, kpi in singles.items()}


def test_names_are_of_one_oracle_each():
    assert len(ALL) == sum(
        len(those)
        for those in (
            ORACLES,
            PROFIT_ORACLES,
            CUSTOMER_ORACLES,
            INVENTORY_ORACLES,
            FULFILMENT_ORACLES,
            TABLE_ORACLES,
            PRODUCT_ORACLES,
        )
    )


def test_a_shop_in_which_nothing_ever_happened():
    nothing = {name: value for name, value in values_of({}, after(JAN, FEB)).items() if value}
    assert nothing == {}
    tables = {**TABLE_ORACLES, **PRODUCT_ORACLES}
    assert {name for name, kpi in tables.items() if kpi({}, FEB) != {}} == set()


@thorough
@given(tables=any_shop, period=a_month)
def test_every_value_is_within_its_bounds(tables: Tables, period: Period):
    values = {name: v for name, v in values_of(tables, period).items() if v is not None}
    assert {n: v for n, v in values.items() if not math.isfinite(v)} == {}
    assert {n: v for n, v in values.items() if n in NEVER_NEGATIVE and v < 0} == {}
    assert {n: v for n, v in values.items() if n in SHARES and v > 1 + 1e-9} == {}
    for name in ("cohort_retention", "cohort_retention.on_or_after", "cohort_retention.rolling"):
        cells = TABLE_ORACLES[name](tables, period).values()
        assert all(cell is None or 0 <= cell <= 1 for cell in cells)
    scores = TABLE_ORACLES["rfm_score"](tables, period).values()
    assert all({int(mark) for mark in str(score)} <= {1, 2, 3, 4, 5} for score in scores)


@thorough
@given(tables=any_shop, period=a_month)
def test_identities_of_growth_and_delivery_hold(tables: Tables, period: Period):
    values = values_of(tables, period)
    if values["customers"]:
        assert values["new_customer_rate"] + values["returning_customer_rate"] == near(1)
    parts = ("new_customers", "retained_customers", "resurrected_customers")
    assert values["customers"] == sum(values[name] for name in parts)
    before = ORACLES["customers"](tables, period.previous)
    assert values["churned_customers"] == before - values["retained_customers"]
    assert values["repeat_order_probability"] == values["repeat_purchase_rate"]
    for dating in ("", ".by_due_date"):
        if values[f"otif_rate{dating}"] is not None:
            assert values[f"otif_rate{dating}"] <= values[f"on_time_delivery_rate{dating}"]


@thorough
@given(tables=any_shop, period=a_month, data=st.data())
def test_the_order_of_rows_changes_nothing(tables: Tables, period: Period, data: st.DataObject):
    shuffled = {name: data.draw(st.permutations(rows)) for name, rows in tables.items()}
    found, expected = values_of(shuffled, period), values_of(tables, period)
    assert found == {name: near(v) if isinstance(v, float) else v for name, v in expected.items()}
    for name, kpi in {**TABLE_ORACLES, **PRODUCT_ORACLES}.items():
        assert kpi(shuffled, period) == near(kpi(tables, period)), name


@thorough
@given(tables=any_shop, period=a_month)
def test_what_customers_brought_in_is_the_same_by_entry_and_by_sum(tables: Tables, period: Period):
    tables = with_known_costs(tables)
    found = [amount for _, at, amount in ledger(tables, "gross_profit") if inside(at, period)]
    assert strict_total(found) == near(identified_gross_profit(tables, period))
    placed = identified(counted_orders_to_date(tables, period))
    revenue = [amount for _, at, amount in ledger(tables, "revenue") if at < period.end]
    if placed:
        mean = ORACLES["customer_lifetime_revenue"](tables, period)
        assert strict_total(revenue) == near(mean * len(customer_keys(placed)))


@thorough
@given(tables=any_shop, period=a_month)
def test_the_contribution_of_two_halves_of_a_month_adds_up(tables: Tables, period: Period):
    middle = period.start + dt.timedelta(days=14)
    halves = (Period(period.start, middle), Period(middle, period.end))
    for name in ("contribution_margin", "contribution_margin_after_marketing"):
        parts = strict_total(PROFIT_ORACLES[name](tables, half) for half in halves)
        assert parts == near(PROFIT_ORACLES[name](tables, period)), name


@thorough
@given(tables=any_shop, period=a_month)
def test_the_parts_of_a_shop_make_up_the_whole(tables: Tables, period: Period):
    markets = [part_of_orders(tables, "market", market) for market in ("PL", "DE", None)]
    for name in ("contribution_margin", "new_customers"):
        kpi = ALL[name]
        assert strict_total(kpi(part, period) for part in markets) == near(kpi(tables, period))
    for part in markets:
        values = values_of(part, period)
        if values["customers"]:
            assert values["new_customer_rate"] + values["returning_customer_rate"] == near(1)
    rows = tables["inventory_snapshots"]
    places = [part_of_stock(tables, "location_id", place) for place in ("north", "south")]
    for name in ("stock_on_hand", "inventory_value"):
        found = [value for part in places if (value := ALL[name](part, period)) is not None]
        assert (sum(found) if found else None) == near(ALL[name](tables, period)), rows


@thorough
@given(tables=any_shop)
def test_the_frames_hold_the_rows(tables: Tables):
    frames = operation_frames(tables)
    assert {name: frame.height for name, frame in frames.items()} == {
        name: len(rows) for name, rows in tables.items()
    }
    assert words.as_of({name: frame.to_dicts() for name, frame in frames.items()}) == words.as_of(
        tables
    )

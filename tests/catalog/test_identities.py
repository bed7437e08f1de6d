"""Identities between KPIs, month by month, on the demo shop."""

import pytest

import funnelkit as fk


def months(*names):
    frame = fk.evaluate(fk.demo(), list(names), every="1mo").frame
    rows = [row for row in frame.select(names).rows() if None not in row]
    assert len(rows) >= 10
    return rows


def test_bounce_rate_and_engagement_rate_make_one():
    assert all(sum(row) == pytest.approx(1) for row in months("bounce_rate", "engagement_rate"))


def test_order_value_is_units_per_order_times_price_per_unit():
    names = ("average_order_value", "units_per_transaction", "average_unit_retail")
    assert all(aov == pytest.approx(upt * aur) for aov, upt, aur in months(*names))


def test_revenue_per_visit_is_orders_per_visit_times_order_value():
    names = ("revenue_per_session", "orders_per_session", "average_order_value")
    assert all(rps == pytest.approx(rate * aov) for rps, rate, aov in months(*names))


def test_new_and_returning_customers_make_one():
    rows = months("new_customer_rate", "returning_customer_rate")
    assert all(sum(row) == pytest.approx(1) for row in rows)


def test_churn_is_what_retention_leaves():
    rows = months("customer_churn_rate", "customer_retention_rate")
    assert all(sum(row) == pytest.approx(1) for row in rows)


def test_active_customers_are_those_before_with_the_new_and_the_lost():
    names = ("customers", "new_customers", "resurrected_customers", "churned_customers")
    rows = months(*names)
    for (before, *_), (now, new, back, gone) in zip(rows, rows[1:], strict=False):
        assert now == before + new + back - gone


def test_cost_of_sales_is_the_inverse_of_marketing_efficiency():
    rows = months("advertising_cost_of_sales.total", "marketing_efficiency_ratio.media_only")
    assert all(cost * efficiency == pytest.approx(1) for cost, efficiency in rows)


def test_on_time_in_full_is_at_most_on_time():
    assert all(otif <= on_time for otif, on_time in months("otif_rate", "on_time_delivery_rate"))


def test_visitors_of_months_are_not_the_visitors_of_the_year():
    whole = fk.evaluate(fk.demo(), "unique_visitors").frame.item()
    assert whole < sum(row[0] for row in months("unique_visitors"))

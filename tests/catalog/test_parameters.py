"""KPIs with parameters: their names, and the parameters that they refuse."""

import datetime as dt
import math

import polars as pl
import pytest

import funnelkit as fk
from funnelkit.catalog.customers import customer_lifetime_value_discounted_at
from funnelkit.catalog.loyalty import repeat_order_probability_after, repeat_purchase_rate_within
from funnelkit.catalog.marketing import paid_cac_of, return_on_ad_spend_order_attributed_of
from funnelkit.catalog.offers import attach_rate_of, cross_sell_rate_of
from funnelkit.catalog.returns import return_rate_over


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (return_rate_over(days=14), "return_rate.after_14_days"),
        (return_rate_over(days=0.5, of="value"), "value_return_rate.after_0p5_days"),
        (return_rate_over(days=60, of="orders"), "order_return_rate.after_60_days"),
        (repeat_purchase_rate_within(days=365), "repeat_purchase_rate_nd.within_365_days"),
        (repeat_order_probability_after(orders=2), "repeat_order_probability.after_2_orders"),
        (attach_rate_of(primary=[7], attached=["A-1", "b"]), "attach_rate.of_a_1_b_to_7"),
        (cross_sell_rate_of(products=["Phone 5"]), "cross_sell_rate.of_phone_5"),
        (paid_cac_of(channels=["cpc"]), "paid_cac.of_cpc"),
        (
            return_on_ad_spend_order_attributed_of(channels=["cpc"]),
            "return_on_ad_spend.order_attributed.of_cpc",
        ),
        (
            customer_lifetime_value_discounted_at(discount_rate=1e-5),
            "customer_lifetime_value.discounted_at_1em05",
        ),
    ],
    ids=str,
)
def test_parameters_are_in_the_name(metric, name):
    assert metric.name == name
    assert fk.Metric(name=name, formula=str(metric.formula)).formula == metric.formula


@pytest.mark.parametrize(
    ("make", "parameters"),
    [
        (return_rate_over, {"days": 0}),
        (return_rate_over, {"days": math.nan}),
        (return_rate_over, {"days": 30, "of": "money"}),
        (repeat_purchase_rate_within, {"days": -1}),
        (repeat_order_probability_after, {"orders": 0}),
        (repeat_order_probability_after, {"orders": 1.5}),
        (attach_rate_of, {"primary": [], "attached": ["a"]}),
        (attach_rate_of, {"primary": ["a"], "attached": "b"}),
        (cross_sell_rate_of, {"products": ()}),
        (paid_cac_of, {"channels": "cpc"}),
        (return_on_ad_spend_order_attributed_of, {"channels": []}),
        (customer_lifetime_value_discounted_at, {"discount_rate": 0}),
    ],
)
def test_parameters_without_meaning_are_refused(make, parameters):
    with pytest.raises(fk.DefinitionError):
        make(**parameters)


def test_a_visit_is_engaged_over_a_time_of_ones_own():
    day = dt.datetime(2024, 5, 1)
    sessions = pl.DataFrame(
        {
            "session_id": [1, 2, 3, 4],
            "started_at": [day] * 4,
            "engaged_s": [31.0, 30.0, 5.0, 5.0],
            "page_views": [1, 1, 2, 1],
            "has_key_event": [False] * 4,
        }
    )
    shop = fk.Shop(sessions=sessions)
    assert fk.evaluate(shop, fk.catalog.engagement_rate(seconds=30)).frame.item() == 0.5
    assert fk.evaluate(shop, "engagement_rate").frame.item() == 0.75
    with pytest.raises(fk.DefinitionError, match="seconds=0"):
        fk.catalog.engagement_rate(seconds=0)

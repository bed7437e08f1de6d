"""KPIs with parameters: their names, and the parameters that they refuse."""

import datetime as dt
import math
from functools import partial

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
        (fk.catalog.cart_abandonment_rate(hours=1e-5), "cart_abandonment_rate.after_1em05_hours"),
        (
            fk.catalog.email_conversion_rate(days=0.5),
            "email_conversion_rate.within_0p5_days",
        ),
        (
            fk.catalog.customer_lifetime_value(lifespan_years=2.5, discount_rate=-0.1),
            "customer_lifetime_value.over_2p5_years_at_m0p1",
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


NO_NUMBERS = [True, math.inf, -math.inf, math.nan, "7", -1, None, [1], 10**400]
NO_IDS = [True, 7, 0.5, math.nan, None, "a", {"a"}, [], [None], [True], [0.5], [""], [["a"]]]


@pytest.mark.parametrize(
    ("make", "parameter"),
    [
        (fk.catalog.cart_abandonment_rate, "hours"),
        (fk.catalog.customer_lifetime_value, "lifespan_years"),
        (partial(fk.catalog.customer_lifetime_value, lifespan_years=3), "discount_rate"),
        (fk.catalog.customer_lifetime_value_discounted, "discount_rate"),
        (fk.catalog.email_conversion_rate, "days"),
        (fk.catalog.engagement_rate, "seconds"),
        (fk.catalog.repeat_order_probability, "orders"),
        (fk.catalog.repeat_purchase_rate, "days"),
        (fk.catalog.return_rate, "days"),
        (fk.catalog.safety_stock, "service_level"),
    ],
)
def test_a_parameter_that_is_no_number_in_range_is_refused_by_its_name(make, parameter):
    for value in NO_NUMBERS:
        if (parameter, value) != ("orders", 10**400):
            with pytest.raises(fk.DefinitionError, match=f"^{parameter}="):
                make(**{parameter: value})


@pytest.mark.parametrize(
    ("make", "parameter"),
    [
        (partial(fk.catalog.attach_rate, attached=["a"]), "primary"),
        (partial(fk.catalog.attach_rate, primary=["a"]), "attached"),
        (fk.catalog.cross_sell_rate, "products"),
        (fk.catalog.paid_cac, "channels"),
        (fk.catalog.return_on_ad_spend_order_attributed, "channels"),
    ],
)
def test_a_parameter_that_is_no_list_of_ids_is_refused_by_its_name(make, parameter):
    for value in NO_IDS:
        with pytest.raises(fk.DefinitionError, match=f"^{parameter}="):
            make(**{parameter: value})


@pytest.mark.parametrize("event", [True, 7, math.nan, None, ["sign_up"], ""])
def test_a_goal_that_is_no_text_is_refused(event):
    with pytest.raises(fk.DefinitionError, match=r"^event"):
        fk.catalog.goal_conversion_rate(event=event)


def test_a_lifespan_is_worth_what_its_years_are_worth():
    def years(**of):
        return float(str(fk.catalog.customer_lifetime_value(**of).formula).rpartition("* ")[2])

    assert years(lifespan_years=3, discount_rate=0.1) == pytest.approx(
        sum(math.exp(-year * math.log(1.1)) for year in (1, 2, 3)), rel=1e-12
    )
    assert years(lifespan_years=3, discount_rate=1e-17) == pytest.approx(3, rel=1e-12)
    with pytest.raises(fk.DefinitionError, match=r"discount_rate=-0\.9 is too low"):
        fk.catalog.customer_lifetime_value(lifespan_years=1000, discount_rate=-0.9)


def test_ids_without_latin_letters_have_names_of_their_own():
    one, other = (fk.catalog.paid_cac(channels=[channel]) for channel in ("検索", "広告"))
    assert one.name == "paid_cac.of_u691c_u7d22"
    assert one.name != other.name


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

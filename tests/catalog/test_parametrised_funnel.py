"""KPIs of the funnel with parameters: with the catalogue's value they are the catalogue's KPI."""

import pytest

import funnelkit as fk
from funnelkit.catalog.carts import cart_abandonment_rate_after
from funnelkit.catalog.email import email_conversion_rate_within
from funnelkit.catalog.funnel import step_conversion_rate


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (cart_abandonment_rate_after(hours=24), "cart_abandonment_rate"),
        (cart_abandonment_rate_after(hours=1), "cart_abandonment_rate.one_hour"),
        (email_conversion_rate_within(days=5), "email_conversion_rate"),
        (
            step_conversion_rate(start=fk.Sessions.has_add_to_cart, to=fk.Sessions.has_checkout),
            "cart_to_checkout_rate",
        ),
        (
            step_conversion_rate(start=fk.Sessions.has_checkout, to=fk.Sessions.has_purchase),
            "checkout_completion_rate",
        ),
    ],
    ids=str,
)
def test_a_kpi_made_with_the_usual_parameter_is_that_of_the_catalogue(made, name):
    assert str(made.formula) == str(fk.registry()[name].formula)


def test_a_longer_time_leaves_out_more_carts():
    shop = fk.demo()
    short, long = (cart_abandonment_rate_after(hours=hours) for hours in (1, 24 * 300))
    values = fk.evaluate(shop, [short, long]).frame.row(0)
    assert values[0] is not None
    assert values[0] != values[1]


def test_parameters_without_a_meaning_are_refused():
    with pytest.raises(fk.DefinitionError, match="hours=0 is not a number above 0"):
        cart_abandonment_rate_after(hours=0)
    with pytest.raises(fk.DefinitionError, match="days=-1 is not a number above 0"):
        email_conversion_rate_within(days=-1)
    with pytest.raises(fk.DefinitionError, match="no flag of a visit"):
        step_conversion_rate(start=fk.Sessions.has_checkout, to=fk.Orders.is_counted)
    with pytest.raises(fk.DefinitionError, match="no flag of a visit"):
        step_conversion_rate(start="has_checkout", to=fk.Sessions.has_purchase)

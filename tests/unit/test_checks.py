"""Arguments are refused in one wording, whatever is handed over."""

import pytest

import funnelkit as fk
from funnelkit.checks import not_above, not_between, not_chosen, not_whole

STRANGE = (None, "0.5", True, [], float("nan"), object)


@pytest.mark.parametrize("value", [*STRANGE, 0, 1, -0.1, float("inf")])
def test_what_is_not_between_two_numbers_is_told(value):
    assert not_between("level", value, 0, 1).endswith(" is not between 0 and 1")
    assert not not_between("level", 0.5, 0, 1)


@pytest.mark.parametrize("value", [*STRANGE, 0, -3, float("inf"), 10**400])
def test_what_is_not_a_number_above_another_is_told(value):
    assert not_above("days", value, 0).endswith(" is not a number above 0")
    assert not not_above("days", 0.5, 0)


@pytest.mark.parametrize("value", [*STRANGE, 1.0, 0, -3])
def test_what_is_not_a_whole_number_is_told(value):
    assert not_whole("top", value, 1).endswith(" is not a whole number of 1 or more")
    assert not not_whole("top", 1, 1)


@pytest.mark.parametrize("value", [*STRANGE, "", "Log", ["log"]])
def test_what_is_not_among_its_choices_is_told(value):
    assert not_chosen("method", value, ("log", "log", "other")).endswith(
        " is not one of 'log', 'other'"
    )
    assert not not_chosen("method", "log", ("log", "other"))


@pytest.mark.parametrize("value", ["30", True, float("inf"), float("nan"), 0])
def test_parameters_of_metrics_are_numbers(value):
    for made in (
        lambda: fk.catalog.customer_lifetime_value(lifespan_years=value),
        lambda: fk.catalog.repeat_order_probability(orders=value),
        lambda: fk.catalog.safety_stock(service_level=value),
    ):
        with pytest.raises(fk.DefinitionError, match="is not"):
            made()

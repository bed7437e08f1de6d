"""How numbers of a unit are written for people."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnelkit import units
from funnelkit.errors import DefinitionError
from funnelkit.units import (
    CUSTOMER,
    IMPRESSION,
    MONEY,
    MULTIPLE,
    NUMBER,
    ORDER,
    RATIO,
    SCORE,
    SECOND,
    SESSION,
    Unit,
)


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (MONEY, 656.964, "656.96 PLN"),
        (MONEY, -1234567.5, "-1,234,567.50 PLN"),
        (MONEY, 0.0, "0.00 PLN"),
        (MONEY, -0.0, "0.00 PLN"),
        (MONEY / ORDER, 0.05, "0.05 PLN"),
        (MONEY / IMPRESSION, 0.00123, "0.0012 PLN"),
        (MONEY, 1e-9, "1.00e-09 PLN"),
        (MONEY, 123456789012.3, "123,456,789,012.30 PLN"),
        (MONEY, 1e20, "1.00e+20 PLN"),
        (MONEY, -1e300, "-1.00e+300 PLN"),
        (ORDER / MONEY, 0.25, "0.2500"),
        (RATIO, 0.0246, "2.46 %"),
        (RATIO, -0.5, "-50.00 %"),
        (RATIO, 0.00001234, "0.0012 %"),
        (RATIO, 0.99995, "99.995 %"),
        (RATIO, 0.99994, "99.99 %"),
        (RATIO, -0.99997, "-99.997 %"),
        (RATIO, 1 - 1e-12, "99.99999999 %"),
        (RATIO, 1.0, "100.00 %"),
        (RATIO, 123.456, "12,345.60 %"),
        (RATIO, 1.5e307, "1.50e+307×"),
        (MULTIPLE, 4.1234, "4.12×"),
        (SCORE, 12.96, "+13.0"),
        (SCORE, -100.0, "-100.0"),
        (SCORE, 1e27, "1.00e+27"),
        (SCORE, -0.01, "0.0"),
        (SESSION, 2881, "2,881"),
        (CUSTOMER, -3, "-3"),
        (ORDER, 2.5, "2.50"),
        (ORDER, 0.5, "0.5000"),
        (ORDER, 2.0, "2"),
        (ORDER, -7.0, "-7"),
        (ORDER, 10**15, "1.00e+15"),
        (ORDER / SESSION, 0.0489123, "0.0489"),
        (ORDER / SESSION, 0.0000489, "0.000049"),
        (NUMBER, 12.3456, "12.35"),
        (SECOND, 0.0, "0.00 s"),
        (SECOND, 0.25, "0.25 s"),
        (SECOND, 12.5, "12.5 s"),
        (SECOND, 59.96, "1 min"),
        (SECOND, 190, "3 min 10 s"),
        (SECOND, -190, "-3 min 10 s"),
        (SECOND, 3599.7, "1 h"),
        (SECOND, 7500, "2 h 5 min"),
        (SECOND, 86_399, "1 d"),
        (SECOND / ORDER, 2 * 86_400 + 4 * 3600 + 100, "2 d 4 h"),
        (SECOND, 400 * 86_400, "400 d"),
        (SECOND, 1e20, "1.16e+15 d"),
        (ORDER / SECOND, 0.5, "0.5000"),
    ],
)
def test_a_number_is_written_as_people_write_it(unit, value, text):
    assert unit.format(value, currency="PLN") == text


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (1234.56, "JPY", "1,235 JPY"),
        (-0.2, "JPY", "-0.20 JPY"),
        (-0.0, "KRW", "0 KRW"),
        (12.3456, "KWD", "12.346 KWD"),
        (12.3456, "TND", "12.346 TND"),
        (12.3456, "CLF", "12.3456 CLF"),
        (12.3456, "HUF", "12.35 HUF"),
        (12.3456, "", "12.35"),
    ],
)
def test_money_has_the_decimal_places_of_its_currency(value, currency, text):
    assert MONEY.format(value, currency=currency) == text


@given(st.floats(-1, 1) | st.floats(-15, -3).map(lambda power: 1 - 10**power))
def test_only_a_whole_is_shown_as_100_percent_and_only_nothing_as_0(share):
    shown = float(RATIO.format(share).removesuffix(" %")) / 100
    assert (abs(shown) == 1) == (abs(share) == 1)
    assert (shown == 0) == (share == 0)
    assert shown == pytest.approx(share, abs=5.1e-5)


def test_money_of_no_known_currency_is_a_number():
    assert (MONEY / ORDER).format(12.0) == "12.00"


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_a_value_that_does_not_exist_is_a_dash(value):
    assert {unit.format(value, currency="PLN") for unit in (MONEY, RATIO, SECOND, ORDER)} == {"–"}


EVERY = [getattr(units, name) for name in units.__all__ if name.isupper()]


@given(st.sampled_from([*EVERY, MONEY / ORDER, SECOND / SESSION]), st.floats(allow_nan=False))
def test_a_number_is_short_signed_and_not_0_unless_it_is(unit, value):
    text = unit.format(value, currency="PLN")
    assert len(text) <= 30
    if math.isfinite(value) and unit is not SCORE:
        is_zero = not any(digit in text for digit in "123456789")
        assert is_zero == (value == 0)
        assert text.startswith("-") == (value < 0)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("1", NUMBER),
        ("order", ORDER),
        ("money/order", MONEY / ORDER),
        ("1/order", NUMBER / ORDER),
        ("money·second", MONEY * SECOND),
        ("money^2", MONEY * MONEY),
        ("money/order^2·second", MONEY / (ORDER * ORDER * SECOND)),
        ("order/order", NUMBER),
        ("1 as percent", RATIO),
        ("1 as multiple", MULTIPLE),
        ("1 as score", SCORE),
        ("order/session as percent", (ORDER / SESSION).percent),
        ("parcel_of_mine", Unit((("parcel_of_mine", 1),))),
    ],
)
def test_a_unit_is_read_from_its_text(text, unit):
    assert Unit.parse(text) == unit
    assert Unit.parse(unit.label) == unit


@pytest.mark.parametrize(
    "text", ["?", "money/order/day", "money^x", "money^-1", "2money", "money as euros", "a b"]
)
def test_what_is_no_unit_is_refused(text):
    with pytest.raises(DefinitionError, match=r"is not a unit|is no display"):
        Unit.parse(text)


def test_units_multiply_cancel_and_fit():
    assert str(MONEY * MONEY / ORDER) == "money^2/order"
    assert str(NUMBER / (ORDER * SECOND)) == "1/order·second"
    assert (MONEY / ORDER) * ORDER == MONEY
    assert MONEY / MONEY == NUMBER
    assert (MONEY * MONEY / (ORDER * ORDER)).root == MONEY / ORDER
    assert (ORDER / ORDER).fits(RATIO)
    assert not (MONEY / ORDER).fits(MONEY)
    assert not ORDER.fits(SESSION)
    with pytest.raises(DefinitionError, match="the square root of money/order is not a unit"):
        _ = (MONEY / ORDER).root

"""Process limits against published charts, and the three rules."""

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnelkit.result.limits import process_limits, signals

PAGE_382 = [5045, 4350, 4350, 3975, 4290, 4430, 4485, 4285]
PAGE_382 += [3980, 3925, 3645, 3760, 3300, 3685, 3463, 5200]
SMOKING = [21.3, 20.2, 20.9, 21.0, 18.8, 19.6, 18.7, 18.6, 18.1, 18.9, 19.2, 18.2, 17.3, 19.0]
COMPLAINTS = [(426, 90000), (543, 110000), (428, 90000), (67, 40000), (303, 60000)]
COMPLAINTS += [(481, 70000), (304, 90000), (718, 120000), (681, 150000), (1030, 210000)]
COMPLAINTS += [(704, 190000), (1062, 250000), (1085, 220000), (1311, 210000), (1309, 230000)]
COMPLAINTS += [(1342, 220000), (1740, 310000), (1468, 330000), (1364, 320000), (1824, 330000)]


def distances_of(values, weights=None, **options):
    weights = weights or [1.0] * len(values)
    limits = process_limits(values, weights, **options)
    return limits, [
        None if value is None else (value - limits.centre) / limits.sigma(weight)
        for value, weight in zip(values, weights, strict=True)
    ]


def test_equal_denominators_give_the_chart_of_moving_ranges():
    limits = process_limits([12, 14, 11, 15, 13], [1] * 5)
    assert limits.centre - 3 * limits.sigma(1) == pytest.approx(5.688627865014748, abs=1e-9)
    assert limits.centre + 3 * limits.sigma(1) == pytest.approx(20.311372134985252, abs=1e-9)


def test_wheelers_accounts_are_outside_once():
    limits, distances = distances_of(PAGE_382)
    assert limits.centre == 4135.5
    assert limits.centre + 3 * limits.sigma(1) == pytest.approx(5081.813, abs=1e-3)
    assert [at for at, mark in enumerate(signals(distances).outside) if mark] == [15]


def test_eight_in_a_row_flag_the_whole_run():
    _, distances = distances_of(SMOKING)
    assert [at for at, mark in enumerate(signals(distances).run) if mark] == list(range(6, 14))


def test_taylors_complaints_vary_by_themselves():
    values = [above / below for above, below in COMPLAINTS]
    weights = [float(below) for _, below in COMPLAINTS]
    limits, distances = distances_of(values, weights)
    assert limits.centre == pytest.approx(0.004997252747252747, abs=1e-12)
    assert limits.unit_sigma == pytest.approx(0.3943722935518914, abs=1e-9)
    assert not any(signals(distances).outside)


def test_three_of_four_near_a_limit_are_flagged():
    assert signals([0.1, 2.0, 1.0, 1.8, 1.6, -0.2]).near == [False, True, False, True, True, False]
    assert not any(signals([2.0, 1.5, 1.8, -2.0]).near)


def test_a_gap_ends_what_is_successive():
    assert process_limits([1.0, None, 9.0], [1.0] * 3) is None
    assert process_limits([1.0, 2.0, None, 90.0, 91.0], [1.0] * 5).unit_sigma == pytest.approx(
        process_limits([1.0, 2.0], [1.0] * 2).unit_sigma
    )
    assert not any(signals([1.0] * 4 + [None] + [1.0] * 4).run)
    assert not any(signals([2.0, 2.0, None, 2.0]).near)


def test_a_value_on_the_line_ends_a_run():
    assert not any(signals([1.0] * 7 + [0.0] + [1.0] * 7).run)


def test_exactly_three_sigma_is_within_the_limits():
    assert signals([3.0, -3.0, 3.1, -inf]).outside == [False, False, True, True]


def test_medians_resist_one_enormous_value():
    calm = [10.0, 11.0, 9.0, 10.0, 12.0, 9.0, 11.0, 10.0]
    plain, robust = (process_limits([*calm, 900.0], [1.0] * 9, robust=r) for r in (False, True))
    assert plain.centre > 100
    assert robust.centre == 10.0
    assert robust.sigma(1) < 3


def test_equal_values_have_no_variation():
    assert process_limits([0.1] * 7, [3.0] * 7) == process_limits([0.1] * 7, [1.0] * 7)
    assert process_limits([0.1] * 7, [3.0] * 7).unit_sigma == 0


VALUES = st.lists(st.integers(-50, 50), min_size=6, max_size=15)


@settings(max_examples=20)
@given(VALUES, st.integers(1, 9), st.integers(-99, 99))
def test_scaling_and_shifting_values_moves_the_limits_with_them(values, scale, shift):
    one = process_limits(values, [1.0] * len(values))
    two = process_limits([shift + scale * value for value in values], [1.0] * len(values))
    assert two.centre == pytest.approx(shift + scale * one.centre, abs=1e-9)
    assert two.unit_sigma == pytest.approx(scale * one.unit_sigma, abs=1e-9)


@settings(max_examples=20)
@given(VALUES, st.integers(2, 99), st.booleans())
def test_scaling_denominators_changes_no_limit(values, scale, robust):
    weights = [float(1 + place % 3) for place in range(len(values))]
    one = process_limits(values, weights, robust=robust)
    two = process_limits(values, [scale * weight for weight in weights], robust=robust)
    assert two.centre == pytest.approx(one.centre, abs=1e-9)
    assert two.sigma(scale * 2.0) == pytest.approx(one.sigma(2.0), abs=1e-9)

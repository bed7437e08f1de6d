"""Process limits against published charts, and the three rules."""

from math import inf
from random import Random
from statistics import mean, median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnelkit.result.limits import Rule, process_limits, signals

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


def marked(distances, rule):
    return [at for at, mark in enumerate(signals(distances).marks(rule)) if mark]


def test_equal_denominators_give_the_chart_of_moving_ranges():
    limits = process_limits([12, 14, 11, 15, 13], [1] * 5)
    assert limits.centre - 3 * limits.sigma(1) == pytest.approx(5.688627865014748, abs=1e-9)
    assert limits.centre + 3 * limits.sigma(1) == pytest.approx(20.311372134985252, abs=1e-9)


def test_wheelers_accounts_are_outside_once():
    limits, distances = distances_of(PAGE_382)
    assert limits.centre == 4135.5
    assert limits.centre + 3 * limits.sigma(1) == pytest.approx(5081.813, abs=1e-3)
    assert marked(distances, Rule.OUTSIDE) == [15]


def test_eight_in_a_row_flag_the_whole_run():
    _, distances = distances_of(SMOKING)
    assert marked(distances, Rule.RUN) == list(range(6, 14))


def test_taylors_complaints_vary_by_themselves():
    values = [above / below for above, below in COMPLAINTS]
    weights = [float(below) for _, below in COMPLAINTS]
    limits, distances = distances_of(values, weights)
    assert limits.centre == pytest.approx(0.004997252747252747, abs=1e-12)
    assert limits.unit_sigma == pytest.approx(0.3943722935518914, abs=1e-9)
    assert marked(distances, Rule.OUTSIDE) == []
    first, last = (3 * limits.sigma(weight) for weight in (weights[0], weights[-1]))
    assert limits.centre - first == pytest.approx(0.001053529811733833, abs=1e-9)
    assert limits.centre + last == pytest.approx(0.007056794880314316, abs=1e-9)


PEAK_FLOW = [120, 140, 100, 150, 260, 150, 100, 120, 300, 300, 275, 300, 140, 170, 150, 150, 190]
PUBLISHED = [
    pytest.param(PAGE_382, 3188.72, 5082.28, id="trend.xmr.wheeler_p382"),
    pytest.param([*PEAK_FLOW, 180], 43.80, 322.31, id="trend.xmr.peak_flow"),
    pytest.param([1, 2, 1, 2, 10] + [1, 2] * 6 + [1], -3.06, 6.95, id="trend.screening"),
]


@pytest.mark.parametrize(("values", "lower", "upper"), PUBLISHED)
def test_published_limits_differ_by_the_rounded_constant_alone(values, lower, upper):
    limits, _ = distances_of(values)
    width = 3 * limits.sigma(1) * 2.660 / 2.658680776358274
    assert limits.centre - width == pytest.approx(lower, abs=0.006)
    assert limits.centre + width == pytest.approx(upper, abs=0.006)


def test_equal_samples_give_laneys_chart_of_proportions():
    limits, _ = distances_of([each / 50 for each in (2, 3, 1, 4, 2)], [50.0] * 5)
    assert limits.centre + 3 * limits.sigma(50) == pytest.approx(0.15434723105433096, abs=1e-9)


def test_medians_give_wheelers_chart_of_medians():
    values = [5.4, 7.5, 9.6, 7.4, 7.5, 8.1, 6.0]
    limits, _ = distances_of(values, robust=True)
    ranges = [abs(b - a) for a, b in zip(values, values[1:], strict=False)]
    assert median(ranges) == pytest.approx(2.1)
    assert limits.centre == median(values)
    assert 3 * limits.sigma(1) == pytest.approx(3.145 * 2.1, abs=1e-12)


def test_one_stable_chart_in_four_has_a_mark():
    random = Random(4)
    charts = [distances_of([random.gauss(0, 1) for _ in range(52)])[1] for _ in range(500)]
    found = [signals(each).episodes for each in charts]
    share = {rule: mean(any(e.rule is rule for e in each) for each in found) for rule in Rule}
    wanted = {Rule.OUTSIDE: 0.134, Rule.RUN: 0.126, Rule.NEAR: 0.074}
    assert share == pytest.approx(wanted, abs=0.03)
    assert mean(map(bool, found)) == pytest.approx(0.279, abs=0.03)


def test_three_rules_find_nearly_twice_as_many_shifts_as_one():
    random, stable, found = Random(4), 24, []
    for _ in range(300):
        values = [random.gauss(0 if at < stable else 1.5, 1) for at in range(stable + 8)]
        limits = process_limits(values[:stable], [1.0] * stable)
        new = signals([(value - limits.centre) / limits.sigma(1) for value in values]).episodes
        found.append({each.rule for each in new if each.detected >= stable})
    assert mean(Rule.OUTSIDE in rules for rules in found) == pytest.approx(0.45, abs=0.05)
    assert mean(map(bool, found)) == pytest.approx(0.85, abs=0.05)


def test_a_run_is_detected_at_its_eighth_value_and_begins_at_its_first():
    (run,) = signals([-1.0, *[1.0] * 11, -1.0]).episodes
    assert (run.places[0], run.detected, run.places[-1]) == (1, 8, 11)


def test_values_near_a_limit_are_one_episode_while_they_are_near_each_other():
    one, two = signals([2.0, 2.0, 0.5, 2.0, 2.0, 0.0, 0.0, 0.0, 2.0, 2.0, 2.0]).episodes
    assert (one.places, one.detected) == ((0, 1, 3, 4), 3)
    assert (two.places, two.detected) == ((8, 9, 10), 10)


def test_three_of_four_near_a_limit_are_flagged():
    assert signals([0.1, 2.0, 1.0, 1.8, 1.6, -0.2]).marks(Rule.NEAR) == [
        False,
        True,
        False,
        True,
        True,
        False,
    ]
    assert marked([2.0, 1.5, 1.8, -2.0], Rule.NEAR) == []


def test_a_gap_ends_what_is_successive():
    assert process_limits([1.0, None, 9.0], [1.0] * 3) is None
    assert process_limits([1.0, 2.0, None, 90.0, 91.0], [1.0] * 5).unit_sigma == pytest.approx(
        process_limits([1.0, 2.0], [1.0] * 2).unit_sigma
    )
    assert marked([1.0] * 4 + [None] + [1.0] * 4, Rule.RUN) == []
    assert marked([2.0, 2.0, None, 2.0], Rule.NEAR) == []


def test_a_value_on_the_line_ends_a_run():
    assert marked([1.0] * 7 + [0.0] + [1.0] * 7, Rule.RUN) == []


def test_exactly_three_sigma_is_within_the_limits():
    assert marked([3.0, -3.0, 3.1, -inf], Rule.OUTSIDE) == [2, 3]


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


@settings(max_examples=20)
@given(VALUES, st.integers(1, 9))
def test_equal_denominators_are_the_plain_chart_of_moving_ranges(values, weight):
    ranges = [abs(after - before) for before, after in zip(values, values[1:], strict=False)]
    centre, width = sum(values) / len(values), 3 * mean(ranges) / 1.1283791670955126
    limits = process_limits(values, [float(weight)] * len(values))
    found = (limits.centre, 3 * limits.sigma(weight))
    assert found == pytest.approx((centre, width), rel=1e-12, abs=1e-12)


@settings(max_examples=20)
@given(VALUES)
def test_the_order_of_values_moves_the_width_and_not_the_centre(values):
    one = process_limits(values, [1.0] * len(values))
    two = process_limits(sorted(values), [1.0] * len(values))
    assert two.centre == pytest.approx(one.centre, abs=1e-9)
    assert two.unit_sigma <= one.unit_sigma + 1e-9


DISTANCES = st.lists(st.none() | st.integers(-8, 8).map(lambda n: n / 2), max_size=30)


@settings(max_examples=25)
@given(DISTANCES, st.integers(1, 9), st.sampled_from([1, -1]))
def test_marks_move_with_the_values_and_are_the_same_on_both_sides(distances, count, side):
    moved = [None] * count + [None if each is None else side * each for each in distances]
    for rule in Rule:
        assert marked(moved, rule) == [at + count for at in marked(distances, rule)]

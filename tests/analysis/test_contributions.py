"""Published and hand-computed decompositions, and what holds of every one."""

from itertools import permutations
from math import exp, log

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.result.contributions import (
    Sides,
    factors_of,
    logarithmic,
    mix_and_rate,
    powers_of,
    shapley,
    value_at,
)

REVENUE = ([10_000, 0.025, 80], [12_000, 0.022, 85])


def named(numbers):
    return dict(zip("abcdefghij", numbers, strict=False))


def product(count):
    return fk.parse(" * ".join("abcdefghij"[:count]))


def shares_of(before, after, formula=None):
    formula = product(len(before)) if formula is None else fk.parse(formula)
    return list(shapley(formula, named(before), named(after)).values())


def logs_of(before, after):
    formula = product(len(before))
    values = tuple(value_at(formula, named(numbers)) for numbers in (before, after))
    return list(logarithmic(powers_of(formula), named(before), named(after), values).values())


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (*REVENUE, [3875, -2725, 1290]),
        # Das Gupta 1993, as recomputed in the README of DasGuptR
        ([10930, 0.717892], [16591, 0.825974], [4369.913, 1487.262]),
        (
            [51.78746, 0.45919, 0.52638],
            [84.90502, 0.75756, 0.51065],
            [10.4340333, 10.5608476, -0.6670084],
        ),
        (
            [0.58, 0.76, 0.84, 0.66, 16.573],
            [0.72, 0.97, 0.97, 0.56, 16.158],
            [1.0909785, 1.2298438, 0.7278399, -0.8398707, -0.1290187],
        ),
        ([0, 2, 3], [10, 4, 3], [90, 30, 0]),
    ],
)
def test_shapley_of_a_product(before, after, expected):
    assert shares_of(before, after) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("formula", "before", "after", "expected"),
    [
        ("a - b", [19.4, 10.8], [23.7, 9.5], [4.3, 1.3]),
        ("a - b", [100, 120], [130, 110], [30, 10]),
        ("a / b", [1, 4], [1.5, 8], [3 / 32, -5 / 32]),
        ("a * a", [2], [3], [5]),
    ],
)
def test_shapley_of_any_formula(formula, before, after, expected):
    assert shares_of(before, after, formula) == pytest.approx(expected)


def test_a_formula_that_divides_by_zero_in_a_mixed_world_is_refused():
    with pytest.raises(fk.DefinitionError, match=r"a / \(b - c\) divides by 0 at a = 1, b = 3"):
        shares_of([1, 2, 3], [1, 3, 4], "a / (b - c)")


def test_the_logarithmic_one_leaves_the_others_where_a_factor_is_split():
    expected = [3864.596909610928, -2709.632701527196, 1285.0357919162627]
    assert logs_of(*REVENUE) == pytest.approx(expected)
    coarse = ([10_000, 2.0], [12_000, 1.87])
    assert logs_of(*coarse)[0] == pytest.approx(expected[0])
    assert shares_of(*coarse)[0] == pytest.approx(3870)


@pytest.mark.parametrize(
    ("before", "after", "expected", "ratios"),
    [
        (
            [[4, 5, 3], [5, 6, 4]],
            [[8, 2, 4], [5, 7, 5]],
            [42.96021466512526, -34.31902656447438, 50.358811899349135],
            [1.2292845720892265, 0.8479702478523782, 1.2737739122298064],
        ),
        (
            [[8, 2, 4], [5, 7, 5]],
            [[10, 1, 5], [6, 8, 6]],
            [54.01064233562087, -9.021284671241755, 54.01064233562087],
            [1.2081402233292473, 0.9689115026173486, 1.2081402233292473],
        ),
    ],
)
def test_published_logarithmic_decompositions_of_two_segments(before, after, expected, ratios):
    effects = [logs_of(*pair) for pair in zip(before, after, strict=True)]
    found = [sum(column) for column in zip(*effects, strict=True)]
    assert found == pytest.approx(expected, abs=1e-8)
    one, two = (sum(a * b * c for a, b, c in rows) for rows in (before, after))
    mean = (two - one) / log(two / one)
    assert [exp(effect / mean) for effect in found] == pytest.approx(ratios)


def totals(effects, kind):
    return sum(effect.contribution for effect in effects if effect.kind == kind)


def test_mix_and_rate_of_households_are_the_published_ones():
    share_before = [12.9, 10.9, 9.5, 8.0, 7.8, 8.4, 8.6, 7.8, 7.0, 5.9, 4.7, 3.6, 4.9]
    share_after = [10.1, 11.2, 11.6, 10.9, 9.4, 7.7, 6.3, 6.0, 6.3, 5.9, 5.1, 4.0, 5.5]
    rate_before = [1.9, 25.8, 45.7, 49.6, 51.2, 51.6, 51.8, 54.9, 58.7, 60.4, 62.8, 66.6, 66.8]
    rate_after = [2.2, 24.3, 45.8, 52.5, 56.1, 55.6, 56.0, 57.4, 57.2, 61.2, 63.9, 68.6, 72.2]
    before, after = (
        [Sides(share * rate, share) for share, rate in zip(shares, rates, strict=True)]
        for shares, rates in ((share_before, rate_before), (share_after, rate_after))
    )
    effects = mix_and_rate(before, after)
    assert totals(effects, "mix") == pytest.approx(1.2269, abs=5e-4)
    assert totals(effects, "rate") == pytest.approx(1.7403, abs=5e-4)


def test_every_device_does_better_and_the_shop_does_worse():
    before, after = [Sides(60, 6000), Sides(160, 4000)], [Sides(132, 12000), Sides(168, 4000)]
    effects = mix_and_rate(before, after)
    found = [(e.kind, e.segment, pytest.approx(e.contribution)) for e in effects]
    assert found == [
        ("rate", 0, 0.0006749999999999995),
        ("mix", 0, -0.00148125),
        ("rate", 1, 0.0006500000000000006),
        ("mix", 1, -0.003093750000000001),
    ]
    assert sum(e.contribution for e in effects) == pytest.approx(300 / 16000 - 0.022)


def test_a_segment_of_one_period_is_all_mix():
    effects = mix_and_rate([Sides(10, 100), Sides(9, 30)], [Sides(12, 100), Sides(0, 0)])
    assert [e.kind for e in effects] == ["rate", "mix", "lost"]
    # the mean overall rate is 0.133: a share of 3/13 at a rate of 0.3 is lost
    overall = (19 / 130 + 12 / 100) / 2
    assert effects[2].contribution == pytest.approx(-30 / 130 * (0.3 - overall))


NUMBER = st.floats(-50, 50).map(lambda number: round(number, 3))
FORMULAS = ("a * b * c - d", "(a + b) * c + d", "a - b - c - d", "a * a * b + c * d")
POINTS = st.tuples(*[st.lists(NUMBER, min_size=4, max_size=4)] * 2)


@settings(max_examples=40)
@given(st.sampled_from(FORMULAS), POINTS)
def test_shapley_is_the_mean_over_all_orders(formula, points):
    before, after = map(named, points)
    node = fk.parse(formula)
    expected = dict.fromkeys(before, 0.0)
    for order in permutations(before):
        point = dict(before)
        for name in order:
            last = value_at(node, point)
            point[name] = after[name]
            expected[name] += (value_at(node, point) - last) / 24
    found = shapley(node, before, after)
    assert found == pytest.approx(expected, abs=1e-6)
    change = value_at(node, after) - value_at(node, before)
    assert sum(found.values()) == pytest.approx(change, abs=1e-6)
    back = shapley(node, after, before)
    assert [-value for value in back.values()] == pytest.approx(list(found.values()), abs=1e-6)
    still = shapley(node, before, {**after, "a": before["a"]})
    assert still["a"] == 0


@settings(max_examples=30)
@given(POINTS)
def test_the_order_of_factors_is_immaterial_and_a_sum_is_the_sum(points):
    before, after = map(named, points)
    one = shapley(fk.parse("a * b - c * d"), before, after)
    turned = {name: before[name] for name in "dbca"}
    assert shapley(fk.parse("b * a - d * c"), turned, after) == pytest.approx(one, abs=1e-9)
    parts = [shapley(fk.parse(text), before, after) for text in ("a * b", "0 - c * d")]
    summed = {name: parts[0][name] + parts[1][name] for name in one}
    assert summed == pytest.approx(one, abs=1e-6)


SIDES = st.tuples(st.integers(0, 50), st.integers(0, 90)).map(lambda pair: Sides(*pair))
SEGMENTS = st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=5)


@settings(max_examples=40)
@given(SEGMENTS)
def test_mix_and_rate_add_up_to_the_change_and_turn_with_time(segments):
    before, after = (list(side) for side in zip(*segments, strict=True))
    assume(all(sum(s.denominator for s in side) for side in (before, after)))
    effects = mix_and_rate(before, after)
    one, two = (
        sum(s.numerator for s in side) / sum(s.denominator for s in side)
        for side in (before, after)
    )
    assert sum(e.contribution for e in effects) == pytest.approx(two - one, abs=1e-9)
    back = [-e.contribution for e in mix_and_rate(after, before)]
    assert back == pytest.approx([e.contribution for e in effects], abs=1e-9)
    if len(segments) == 1:
        assert totals(effects, "mix") == pytest.approx(0)


@settings(max_examples=20)
@given(SEGMENTS, st.integers(1, 3))
def test_segments_with_the_same_rates_may_be_merged(segments, times):
    before, after = (list(side) for side in zip(*segments, strict=True))
    assume(all(s.denominator for side in (before, after) for s in side))
    scaled = [Sides(s.numerator * times, s.denominator * times) for s in (before[0], after[0])]
    merged = [
        Sides(s.numerator * (times + 1), s.denominator * (times + 1)) for s in (before[0], after[0])
    ]
    apart = mix_and_rate([*before, scaled[0]], [*after, scaled[1]])
    joined = mix_and_rate([merged[0], *before[1:]], [merged[1], *after[1:]])
    for kind in ("rate", "mix"):
        own = [e.contribution for e in apart if e.kind == kind and e.segment in {0, len(before)}]
        whole = [e.contribution for e in joined if e.kind == kind and e.segment == 0]
        assert sum(own) == pytest.approx(sum(whole), abs=1e-9)


def test_a_factor_that_is_written_twice_is_one():
    assert list(factors_of(fk.parse("orders * (orders + 2) / sessions"))) == ["orders", "sessions"]
    assert powers_of(fk.parse("a * a / b")) == {"a": 2, "b": -1}
    assert powers_of(fk.parse("a * b - c")) is None

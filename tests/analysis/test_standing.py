"""How a goal stands, in numbers alone: worked examples, published ones, and the rules in order."""

import datetime as dt
from statistics import median

import pytest

import funnelkit as fk
from funnelkit.formula.accumulation import MetricKind
from funnelkit.goals.outlook import Case, Earlier, outlook
from funnelkit.goals.standing import standing
from funnelkit.goals.status import worst
from funnelkit.goals.target import Aim, Better
from funnelkit.goals.windows import Plan, Window

UP, DOWN = Better.UP, Better.DOWN
FLOW, DISTINCT, LEVEL = MetricKind.FLOW, MetricKind.DISTINCT, MetricKind.LEVEL
RESTS = [0.84, 0.92, 0.95, 0.97, 0.98, 1.02, 1.07, 1.08, 1.14, 1.15, 1.26]
"""What a day of the rest brought in earlier windows, by what a day before it did."""
DRIFTS = [-0.006, -0.004, -0.003, -0.001, 0.0, 0.001, 0.002, 0.002, 0.003, 0.005, 0.008]


def stands(kind, value, target, *, better=Better.UP, gone=1.0, days=1.0, rules=None, **more):
    case = Case(kind=kind, aim=Aim.at(better, target), value=value, gone=gone, days=days, **more)
    return standing(case, rules=rules or fk.StatusRules())


def rests(gone=10, left=20, shares=RESTS):
    """Earlier windows that had 10 a day before, and so much of it in the rest."""
    return tuple(
        Earlier(10.0 * gone, 10.0 * gone + 10.0 * share * left, gone, left) for share in shares
    )


def test_the_pace_of_a_sum_is_that_of_the_published_quarters():
    to_date = [220_000.0, 480_000.0, 710_000.0, 968_000.0]
    found = [
        stands(FLOW, value, 1e6, gone=quarter, days=4.0, is_over=quarter == 4)
        for quarter, value in enumerate(to_date, 1)
    ]
    assert [each.pace for each in found] == pytest.approx([0.88, 0.96, 0.946666667, 0.968])
    assert [each.attainment for each in found] == pytest.approx([0.22, 0.48, 0.71, 0.968])
    sums = [220.0, 460.0, 660.0, 890.0]
    paces = [
        stands(FLOW, value, 1000, gone=quarter, days=4.0, is_over=quarter == 4).pace
        for quarter, value in enumerate(sums, 1)
    ]
    assert paces == pytest.approx([0.88, 0.92, 0.88, 0.89])


def test_a_level_progresses_from_its_baseline_whichever_way_is_better():
    falling = stands(LEVEL, 420.0, 400, better=Better.DOWN, baseline=500.0, is_over=True)
    assert falling.progress == pytest.approx(0.8)
    assert falling.attainment is None
    rising = stands(LEVEL, 90.0, 100, baseline=200 / 3)
    assert (rising.progress, rising.attainment) == pytest.approx((0.7, 0.9))


@pytest.mark.parametrize(
    ("baseline", "target", "actual", "progress"),
    [(0.02, 0.025, 0.019, -0.2), (0.02, 0.025, 0.03, 2.0), (0.025, 0.025, 0.026, None)],
)
def test_progress_is_not_clipped_and_is_null_without_a_way_to_go(
    baseline, target, actual, progress
):
    found = stands(LEVEL, actual, target, baseline=baseline, gone=5, days=10)
    assert found.progress == (None if progress is None else pytest.approx(progress))
    assert ("target_is_baseline" in found.reasons) is (progress is None)


def test_a_fall_from_a_baseline_that_meets_the_target_is_no_progress():
    found = stands(LEVEL, 0.02, 0.025, baseline=0.03, gone=5, days=10)
    assert (found.progress, found.pace, found.status) == (None, None, "off_track")
    assert "baseline_meets_target" in found.reasons


def test_a_ceiling_of_0_that_is_exceeded_has_no_progress():
    found = stands(FLOW, 3.0, 0, better=Better.DOWN, can_fall=False, gone=5, days=10)
    assert (found.progress, found.status, found.rule) == (None, "missed", "exceeded")
    assert "target_is_baseline" in found.reasons


def test_the_plan_of_a_year_weighs_its_months():
    weights = [70, 65, 80, 75, 78, 72, 70, 68, 82, 90, 150, 200]
    plan = Plan(Window(dt.date(2025, 1, 1), dt.date(2026, 1, 1)), tuple(map(float, weights)))
    gone = plan.gone(dt.date(2025, 10, 1))
    found = stands(FLOW, 760.0, 1300, gone=gone, days=365.0)
    assert (found.planned, found.pace) == pytest.approx((780.0, 0.9743589743589743))
    assert found.ahead.projection == pytest.approx(1266.6666666666667)
    assert found.required / (1300 / 365) == pytest.approx(1.0384615384615385)
    even = stands(FLOW, 760.0, 1300, gone=273.0, days=365.0)
    assert (even.planned, even.pace) == pytest.approx((972.3287671232877, 0.781628627782474))


def test_a_published_share_of_the_year_is_planned_for_its_period():
    window = Window(dt.date(2025, 1, 1), dt.date(2025, 3, 1))
    plan = Plan(window, (0.06, 0.94))
    gone = plan.gone(dt.date(2025, 2, 1))
    found = stands(FLOW, 1.0, 642_573.9130434783, gone=gone, days=float(window.days))
    assert found.planned == pytest.approx(38_554.434782608696)


def test_a_published_pace_is_projected_without_earlier_windows():
    assert stands(FLOW, 40_000.0, 1e6, gone=10, days=30.0).ahead.projection == 120_000
    found = stands(FLOW, 96_000.0, 260_000, gone=12, days=30.0)
    assert (found.achieved, found.ahead.projection) == (8000, 240_000)
    assert found.ahead.reasons == ("little_history",)


def test_a_ratio_is_not_divided_by_the_time_that_is_over():
    found = stands(
        LEVEL, 0.023, 0.025, baseline=0.02, gone=50, days=90.0,
        numerator=2300.0, denominator=100_000.0, bounds=(0, 1),
    )  # fmt: skip
    assert found.progress == pytest.approx(0.6)
    assert (found.required, found.denominator_rest) == pytest.approx((0.0275, 80_000))
    assert found.ahead.projection == 0.023
    planned = stands(
        LEVEL, 0.023, 0.025, gone=80, days=90.0,
        numerator=2300.0, denominator=100_000.0, planned_denominator=180_000.0,
    )  # fmt: skip
    assert planned.required == pytest.approx(0.0275)


def test_what_the_rest_of_a_ratio_cannot_be_is_not_required():
    sides = {"numerator": 10.0, "denominator": 100.0, "gone": 9.0, "days": 10.0, "bounds": (0, 1)}
    above = stands(LEVEL, 0.1, 0.5, **sides)
    assert above.required is None
    assert "out_of_reach" in above.reasons
    assert stands(LEVEL, 0.1, 0.05, **sides).required == 0
    assert stands(LEVEL, 0.1, 0.95, better=Better.DOWN, **sides).required == 1
    below = stands(LEVEL, 0.1, 0.05, better=Better.DOWN, **sides)
    assert (below.required, "out_of_reach" in below.reasons) == (None, True)


def test_a_ceiling_that_is_used_too_fast_is_off_track():
    found = stands(FLOW, 46_000.0, 100_000, better=Better.DOWN, can_fall=False, gone=12, days=30.0)
    assert (found.planned, found.pace) == pytest.approx((40_000, 1.15))
    assert (found.ahead.projection, found.required) == pytest.approx((115_000, 3000))
    assert (found.status, found.rule) == ("off_track", "pace")
    full = stands(FLOW, 100.0, 100, better=DOWN, can_fall=False, gone=12, days=30.0)
    assert (full.status, full.rule) == ("off_track", "pace")


def test_a_distinct_count_is_not_projected_along_a_straight_line():
    earlier = (Earlier(5800.0, 12_300.0, 10, 20),)
    found = stands(DISTINCT, 6000.0, 13_000, gone=10, days=30.0, earlier=earlier * 3)
    assert found.ahead.projection == pytest.approx(12_724.137931034482)
    few = stands(DISTINCT, 6000.0, 13_000, gone=10, days=30.0, earlier=earlier)
    assert few.ahead.projection is None
    assert (few.planned, few.pace, few.required) == (None, None, None)


@pytest.mark.parametrize(
    ("target", "sufficed", "status"), [(1200, 6, "on_track"), (1260, 4, "at_risk")]
)
def test_a_goal_stands_as_its_earlier_windows_would_end(target, sufficed, status):
    found = stands(FLOW, 400.0, target, gone=10, days=30.0, earlier=rests())
    assert (found.ahead.sufficed, found.ahead.windows) == (sufficed, 11)
    assert (found.status, found.rule) == (status, "earlier_windows")
    assert (found.ahead.projection, found.ahead.low, found.ahead.high) == pytest.approx(
        (400 + 800 * median(RESTS), 400 + 800 * 0.84, 400 + 800 * 1.26)
    )
    assert found.ahead.level == pytest.approx(10 / 12)


def test_a_level_is_projected_by_differences():
    earlier = tuple(Earlier(0.04, 0.04 + drift, 10, 20) for drift in DRIFTS)
    found = stands(LEVEL, 0.0458, 0.0475, gone=10, days=30.0, earlier=earlier, bounds=(0, 1))
    ahead = found.ahead
    ends = (ahead.projection, ahead.low, ahead.high, ahead.level)
    assert ends == pytest.approx((0.0468, 0.0398, 0.0538, 10 / 12))
    assert (ahead.sufficed, ahead.windows, found.status) == (5, 11, "at_risk")
    near_1 = stands(LEVEL, 0.999, 0.9, gone=10, days=30.0, earlier=earlier, bounds=(0, 1))
    assert near_1.ahead.high == 1


def test_windows_without_a_value_are_left_out_and_counted():
    nothing = [(0.0, 50.0), (None, None), (-5.0, 50.0)]
    earlier = (*rests(), *(Earlier(by, final, 10, 20) for by, final in nothing))
    found = stands(FLOW, 400.0, 1200, gone=10, days=30.0, earlier=earlier)
    assert found.ahead.windows == 11
    assert found.reasons == ("3_windows_left_out",)


def test_from_nothing_nothing_is_projected():
    found = stands(FLOW, 0.0, 1200, gone=10, days=30.0, earlier=rests())
    assert (found.ahead.projection, found.reasons) == (None, ("nothing_yet",))
    assert (found.status, found.rule) == ("off_track", "pace")


def test_the_target_of_what_cannot_fall_is_met_once_it_is_reached():
    met = stands(FLOW, 1030.0, 1000, gone=25, days=30.0, can_fall=False)
    assert (met.status, met.rule, met.required) == ("met", "reached", 0)
    falls = stands(FLOW, 1030.0, 1000, gone=25, days=30.0)
    assert (falls.status, falls.rule) == ("on_track", "pace")


def test_equality_meets_a_goal_from_both_sides():
    for better in (Better.UP, Better.DOWN):
        assert stands(LEVEL, 0.1 + 0.2, 0.3, better=better, is_over=True).status == "met"
    band = Case(kind=LEVEL, aim=Aim(Better.INSIDE, 237.5, 262.5), value=237.5, gone=1, days=1.0)
    assert band.aim.is_met_by(262.5)
    assert not band.aim.is_met_by(262.6)


PATHS = [
    (0.026, 0.02, "on_track"),
    (0.023, 0.02, "at_risk"),
    (0.021, 0.02, "off_track"),
    (0.021, None, "at_risk"),
]


@pytest.mark.parametrize(("value", "baseline", "status"), PATHS)
def test_a_level_without_earlier_windows_stands_by_the_way_to_its_target(value, baseline, status):
    found = stands(LEVEL, value, 0.025, baseline=baseline, gone=5, days=10.0)
    assert (found.status, found.rule) == (status, "path")


def test_a_distinct_count_without_earlier_windows_stands_by_its_upper_bound():
    found = [
        stands(DISTINCT, 40.0, target, better=better, gone=10, days=30.0, can_fall=False)
        for target, better in [(130, UP), (110, UP), (130, DOWN), (110, DOWN)]
    ]
    assert [each.status for each in found] == ["off_track", None, "on_track", None]
    assert {each.rule for each in found} == {"upper_bound"}
    assert {each.reasons for each in found} == {("little_history",)}


def test_thresholds_are_the_only_knob():
    rules = fk.StatusRules(on_track=0.3)
    found = stands(FLOW, 400.0, 1260, gone=10, days=30.0, earlier=rests(), rules=rules)
    assert found.status == "on_track"
    wrong = r"on_track=2 is not a number above 0 and at most 1; pace_at_risk=1\.1 lies above"
    with pytest.raises(fk.DefinitionError, match=wrong):
        fk.StatusRules(on_track=2, pace_at_risk=1.1)


def test_an_objective_is_as_its_worst_goal():
    assert worst(map(fk.Status, ["met", "on_track", "at_risk", "on_track"])) == "at_risk"
    assert worst([fk.Status.ON_TRACK, None]) == "no_data"
    order = ["missed", "off_track", "at_risk", "no_data", "not_started", "on_track", "met"]
    assert list(fk.Status) == order


def test_nothing_is_projected_of_a_window_that_is_over():
    case = Case(kind=FLOW, aim=Aim.at(Better.UP, 9), value=8.0, gone=9, days=9.0, is_over=True)
    assert outlook(case).projection is None
    assert standing(case, rules=fk.StatusRules()).required is None

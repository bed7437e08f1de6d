"""Worked and published cases, asked of the public functions on frames."""

import json
from itertools import starmap

import pytest

from analysis.worked_changes import OF_CHANGES
from analysis.worked_goals import OF_GOALS, Rounded
from data.sql import REAL

ASKED = {**OF_GOALS, **OF_CHANGES}
NOT_ASKED = {
    "goal.coverage.simulation": "simulated in the laws of goals",
    "goal.coverage.online_retail": "on the months of an export, in the tests of data",
    "goal.forecast.demo": "of an earlier demo shop",
    "drivers.demo.net_sales": "of an earlier demo shop",
    "drivers.pvm.book": "the three terms of accountants are not offered",
    "trend.iprime.reduces": "five values have no limits; asked of the limits themselves",
    "trend.laney.hand": "five values have no limits; asked of the limits themselves",
    "trend.false_alarms": "simulated in the tests of the limits",
}
"""Why a case is not asked of the public functions."""

FILE = REAL.parent / "oracles" / "analysis.json"
"""All cases with their inputs and what is expected of them, where they are at hand."""

EXACT = 1e-9
GIVEN = {each["id"]: each for each in json.loads(FILE.read_text())} if FILE.is_file() else {}
RESTS = [0.84, 0.92, 0.95, 0.97, 0.98, 1.02, 1.07, 1.08, 1.14, 1.15, 1.26]
REVENUE = {"before": [10_000, 0.025, 80], "after": [12_000, 0.022, 85]}
JANUARY = {"span_inclusive": ["2023-01-01", "2023-01-31"], "to": "previous_period"}
YEAR_BEFORE = {"to": "previous_year"}

CASES = {
    "goal.flow.cumulative_quarters": (
        {"actual_to_date": [220_000, 480_000, 710_000, 968_000], "target": 1_000_000},
        {"pace": [0.88, 0.96, 0.946666666667, 0.968], "attainment": [0.22, 0.48, 0.71, 0.968]},
    ),
    "goal.flow.seasonal_plan": (
        {
            "weights": [70, 65, 80, 75, 78, 72, 70, 68, 82, 90, 150, 200],
            "target": 1300,
            "actual_to_september": 760,
        },
        {
            "planned": 780,
            "pace": 760 / 780,
            "projection": 760 / 0.6,
            "linear_would_say": {"planned": 1300 * 273 / 365},
        },
    ),
    "goal.level.ratio": (
        {
            "numerator": 2300,
            "denominator": 100_000,
            "denominator_expected_of_window": 180_000,
            "baseline": 0.02,
            "target": 0.025,
        },
        {"actual": 0.023, "progress": 0.6, "required_of_rest": 0.0275},
    ),
    "goal.distinct.linear_trap": (
        {
            "days": 30,
            "elapsed_days": 10,
            "actual": 6000,
            "earlier_window": {"at_same_elapsed": 5800, "final": 12_300},
        },
        {"projection": 6000 * 12_300 / 5800},
    ),
    "goal.status.at_risk": (
        {
            "target": 1260,
            "elapsed_days": 10,
            "days_left": 20,
            "actual": 400,
            "g_of_earlier_windows": RESTS,
        },
        {"sufficed": 4, "windows": 11, "status": "at_risk"},
    ),
    "goal.lift": (
        [
            {"baseline": 200, "lift": 0.15},
            {"baseline": 0, "lift": 0.15},
            {"better": "down", "baseline": 50, "lift": -0.2},
        ],
        [230, "refused: baseline 0", 40],
    ),
    "goal.rollup.worst": (
        {"statuses": ["met", "on_track", "at_risk", "on_track"]},
        {"status": "at_risk"},
    ),
    "bench.verdict.quantiles": (
        {
            "benchmark": {"quantiles": {".1": 0.017, ".2": 0.023, ".8": 0.09}, "average": 0.052},
            "value": 0.05,
        },
        {"between": [".2", ".8"], "average_ratio": 0.05 / 0.052},
    ),
    "compare.change": (
        [(120, 100), (0, 100), (100, 0), (50, -100), (None, 100), (100, None)],
        [
            {"change": 20, "relative": 0.2, "reason": None},
            {"change": -100, "relative": -1, "reason": None},
            {"change": 100, "relative": None, "reason": "zero_reference"},
            {"change": 150, "relative": None, "reason": "negative_reference"},
            {"change": None, "relative": None, "reason": "no_value"},
            {"change": None, "relative": None, "reason": "no_reference"},
        ],
    ),
    "compare.leap.day": (
        {"span_inclusive": ["2024-02-29", "2024-02-29"], **YEAR_BEFORE},
        {"reference_inclusive": ["2023-02-28", "2023-02-28"], "days": 1, "reference_days": 1},
    ),
    "compare.leap.ytd": (
        {"span_inclusive": ["2024-01-01", "2024-03-01"], **YEAR_BEFORE},
        {"reference_inclusive": ["2023-01-01", "2023-03-02"], "reference_days": 61},
    ),
    "compare.weekday.prev.month": (
        {**JANUARY, "align": "weekday"},
        {"reference_inclusive": ["2022-11-27", "2022-12-27"], "days_back": 35},
    ),
    "drivers.revenue.shapley": (REVENUE, {"contributions": [3875, -2725, 1290], "change": 2440}),
    "drivers.revenue.lmdi": (
        REVENUE,
        {"contributions": [3864.59690961, -2709.63270153, 1285.03579192]},
    ),
    "drivers.shapley.zero": (
        {"before": [0, 2, 3], "after": [10, 4, 3]},
        {"contributions": [90, 30, 0]},
    ),
    "drivers.shapley.negative": (
        {"formula": "revenue - cost", "before": [100, 120], "after": [130, 110]},
        {"contributions": [30, 10], "before": -20, "after": 20},
    ),
    "drivers.mixrate.simpson": (
        {
            "before": {"mobile": [60, 6000], "desktop": [160, 4000]},
            "after": {"mobile": [132, 12_000], "desktop": [168, 4000]},
        },
        {
            "change": -0.00325,
            "rate": {"desktop": 0.00065, "mobile": 0.000675},
            "mix": {"desktop": -0.00309375, "mobile": -0.00148125},
        },
    ),
    "drivers.distinct.overlap": (
        {
            "before": {"web": 700, "app": 500, "all": 1000},
            "after": {"web": 800, "app": 700, "all": 1150},
        },
        {"contributions": {"web": 100, "app": 200, "overlap": -150}, "change": 150},
    ),
    "trend.rule2.smoking": (
        {
            "values": [
                *(21.3, 20.2, 20.9, 21.0, 18.8, 19.6, 18.7),
                *(18.6, 18.1, 18.9, 19.2, 18.2, 17.3, 19.0),
            ]
        },
        {"centre": 269.8 / 14, "flagged": [6, 7, 8, 9, 10, 11, 12, 13]},
    ),
}
"""What is given and what is expected, of the cases that tell most."""


def check(found, expected, tolerance=EXACT):
    """Check what was found, and as much of it as is expected."""
    match found, expected:
        case dict(), dict():
            assert found.keys() & expected.keys()
            for name in found.keys() & expected.keys():
                check(found[name], expected[name], tolerance)
        case list(), str():
            assert found
            assert all(part in expected for part in found)
        case (list() | tuple(), list() | tuple()):
            assert len(found) == len(expected)
            list(starmap(check, [(*p, tolerance) for p in zip(found, expected, strict=True)]))
        case Rounded(), _:
            assert found == round(expected, found.places)
        case float() | int(), _:
            near = max(tolerance, EXACT)
            assert found == pytest.approx(expected, rel=near, abs=near)
        case _:
            assert found == expected


@pytest.mark.parametrize("name", CASES)
def test_a_worked_case(name):
    given, expected = CASES[name]
    check(ASKED[name](given), expected)


@pytest.mark.skipif(not GIVEN, reason="the cases are not at hand")
@pytest.mark.parametrize("name", ASKED)
def test_a_case_of_the_file(name):
    case = GIVEN[name]
    check(ASKED[name](case["input"]), case["expected"], case["tolerance"])


@pytest.mark.skipif(not GIVEN, reason="the cases are not at hand")
def test_every_case_of_goals_comparisons_drivers_and_trends_is_asked_or_said_why_not():
    names = {name for name, case in GIVEN.items() if case["part"] in "ABCDEJ"}
    assert names <= {*ASKED, *NOT_ASKED}

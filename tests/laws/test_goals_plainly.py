"""Goals on drawn shops stand as plain Python says."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk
from analysis.facts import shop_of
from laws.plain_goals import DAY, FORMULAS, Asked, month_later, stands

FIRST = dt.date(2023, 1, 1)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 420),
        st.integers(0, 9).map(float),
        st.integers(0, 5).map(float),
        st.integers(1, 9),
    ),
    min_size=5,
    max_size=120,
)


@st.composite
def asked(draw):
    rows = [{"at": FIRST + day * DAY, "a": a, "b": b, "who": who} for day, a, b, who in draw(ROWS)]
    until = FIRST + draw(st.integers(380, 430)) * DAY
    start = until - draw(st.integers(-2, 40)) * DAY
    deadline = start + draw(st.sampled_from([2, 7, 30])) * DAY
    if draw(st.booleans()):
        start = start.replace(day=1)
        deadline = month_later(start, draw(st.sampled_from([1, 3])))
    kind = draw(st.sampled_from([*FORMULAS]))
    targets = {"ratio": st.sampled_from([0.5, 1.5, 2.0]), "distinct": st.integers(1, 9)}
    baseline = draw(st.sampled_from([None, 1.0, 3.0])) if kind == "ratio" else None
    return Asked(
        rows,
        kind,
        draw(st.sampled_from(["up", "down"])),
        draw(targets.get(kind, st.integers(1, 60))),
        start,
        deadline,
        until,
        baseline,
    )


@settings(max_examples=25, deadline=None)
@given(asked())
def test_a_goal_stands_as_plain_python_says(asked):
    metric = fk.Metric(name="asked", formula=FORMULAS[asked.kind], direction=asked.better)
    goal = fk.Goal(
        metric=metric,
        target=asked.target,
        start=asked.start,
        deadline=asked.deadline,
        baseline=asked.baseline,
    )
    row = fk.track(shop_of(asked.rows, asked.until), goal).frame.row(0, named=True)
    expected = stands(asked)
    for name, number in expected.items():
        found = row[name]
        assert found == (pytest.approx(number) if isinstance(number, float) else number), name

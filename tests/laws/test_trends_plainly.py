"""Which values enter a trend: none from before the data begins, and 0 where it is silent."""

import datetime as dt

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk
from analysis.facts import DAY, shop_of

MONDAY = dt.date(2024, 1, 1)
ROWS = st.lists(
    st.tuples(st.integers(0, 90), st.integers(0, 3), st.integers(0, 2), st.sampled_from("xyz")),
    min_size=1,
    max_size=25,
)
FORMULAS = {
    "flow": "sum(facts.a)",
    "distinct": "count_distinct(facts.who)",
    "ratio": "sum(facts.a) / sum(facts.b)",
}


def value(rows, kind, start):
    own = [row for row in rows if start <= row["at"] < start + 7 * DAY]
    if kind == "distinct":
        return float(len({row["who"] for row in own}))
    above, below = (sum(row[letter] for row in own) for letter in "ab")
    return above if kind == "flow" else above / below if below else None


def entering(rows, own, kind, until, *, is_whole):
    """The values of the weeks of some rows that are known whole, by their Mondays."""
    first = min(row["at"] for row in rows)
    week, known, has_begun = MONDAY, dict[dt.date, float](), is_whole
    while week + 7 * DAY <= until:
        number = value(own, kind, week)
        has_begun = has_begun or number != 0
        if week >= first and has_begun and number is not None:
            known[week] = number
        week += 7 * DAY
    return known


@settings(max_examples=15, deadline=None)
@given(ROWS, st.integers(0, 20), st.sampled_from([*FORMULAS]), st.booleans())
def test_the_weeks_that_enter_are_those_that_are_known_whole(drawn, more, kind, is_wide):
    rows = [
        {"at": MONDAY + day * DAY, "a": float(a), "b": float(b), "who": a, "segment": segment}
        for day, a, b, segment in drawn
    ]
    until = max(row["at"] for row in rows) + more * DAY
    asked = [fk.Metric(name="asked", formula=FORMULAS[kind])]
    asked += [fk.Metric(name="rows", formula="count(facts)")] if is_wide else []
    for by in ((), "segment"):
        result = fk.evaluate(shop_of(rows, until), asked, by=by, every="1w")
        frame = fk.trend(result).frame.filter(metric="asked")
        for name in {row["segment"] for row in rows} if by else [None]:
            own = [row for row in rows if name in {None, row["segment"]}]
            found = frame.filter(segment=name) if by else frame
            enters = found.drop_nulls("value").filter(
                pl.col("reason").ne_missing("incomplete_period")
            )
            is_whole = name is None or kind == "ratio"
            expected = entering(rows, own, kind, until, is_whole=is_whole)
            if any(expected.values()):
                assert dict(enters.select("period", "value").iter_rows()) == expected

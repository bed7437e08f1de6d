"""Conversions against every pair in plain Python, and the choices of the rule."""

import datetime as dt
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk

EPOCH = dt.datetime(2024, 3, 30, 22, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
SEEDS = st.integers(0, 10_000)
UNITS = st.sampled_from(["entity", "start", "finish"])
ATTRIBUTIONS = st.sampled_from(["first", "last", "every"])
CLOSED = st.sampled_from(["right", "left", "both", "none"])
CHOICES = st.tuples(UNITS, ATTRIBUTIONS, CLOSED)


S, F = ("s", "event_name == 's'"), ("f", "event_name == 'f'")


def frame(rows):
    schema = ["visitor_id", "time", "event_name", "channel"]
    moment = pl.lit(EPOCH) + pl.col("time") * MICROSECOND
    return pl.DataFrame(rows, schema, orient="row").with_columns(moment.alias("occurred_at"))


def drawn(seed):
    draw = Random(seed)
    rows = [
        (entity, draw.randrange(8), draw.choice("sfx"), draw.choice("pq"))
        for entity in range(12)
        for _ in range(draw.randint(0, 7))
    ]
    draw.shuffle(rows)
    return rows


def is_in(elapsed, within, closed):
    after = elapsed >= 0 if closed in {"left", "both"} else elapsed > 0
    return after and (elapsed <= within if closed in {"right", "both"} else elapsed < within)


def plainly(rows, within, *, unit, attribution, closed, channels):
    """The base and the converted, by looking at every pair of a start and a finish."""
    rows = sorted(rows)
    starts = [row for row in enumerate(rows) if row[1][2] == "s"]
    credited = {number: 0 for number, _ in starts}
    for who, time, name, _ in rows:
        own = [n for n, s in starts if s[0] == who and is_in(time - s[1], within, closed)]
        if name == "f" and own:
            times = [rows[n][1] for n in own]
            ends = {"first": min, "last": max}
            if attribution == "every":
                chosen = own
            else:
                at = ends[attribution](times)
                same = [n for n in own if rows[n][1] == at]
                chosen = [same[0] if attribution == "first" else same[-1]]
            for number in chosen:
                credited[number] += 1
    kept = {number: row for number, row in starts if row[3] in channels}
    if unit == "entity":
        owners = {row[0] for row in kept.values()}
        return len(owners), len({row[0] for number, row in kept.items() if credited[number]})
    if unit == "start":
        return len(kept), sum(credited[number] > 0 for number in kept)
    return len(kept), sum(credited[number] for number in kept)


@settings(max_examples=300)
@given(SEEDS, CHOICES, st.integers(1, 4), st.sampled_from(["p", "pq"]))
def test_a_conversion_is_what_looking_at_every_pair_gives(seed, choices, within, channels):
    unit, attribution, closed = choices
    if unit == "finish" and attribution == "every":
        attribution = "last"
    rows = drawn(seed)
    rule = {"unit": unit, "attribution": attribution, "closed": closed}
    where = None if channels == "pq" else "channel == 'p'"
    found = fk.conversion(frame(rows), S, F, within=within * MICROSECOND, where=where,
                          by="channel", **rule).frame  # fmt: skip
    told = [
        plainly(rows, within, channels=channel, **rule)
        for channel in channels
        if any(row[2:] == ("s", channel) for row in rows)
    ]
    assert found.select("base", "converted").rows() == told


@settings(max_examples=40)
@given(SEEDS, st.integers(1, 4))
def test_a_conversion_and_a_funnel_of_two_steps_never_disagree(seed, within):
    events = frame(drawn(seed))
    for closed, ties in (("right", "increase"), ("both", "chain")):
        one = fk.conversion(events, "s", "f", within=within * MICROSECOND, closed=closed)
        two = fk.funnel(events, ["s", "f"], within=within * MICROSECOND, ties=ties)
        assert list(one.frame.select("base", "converted").row(0)) == two.frame["entities"].to_list()


def visit(*events):
    return frame([(1, time, name, channel) for time, name, channel in events])


TWO = visit((0, "s", "p"), (2, "s", "q"), (3, "f", "q"), (4, "f", "q"))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, {"p": (1, 1), "q": (1, 0)}),
        ({"attribution": "last"}, {"p": (1, 0), "q": (1, 1)}),
        ({"attribution": "every"}, {"p": (1, 1), "q": (1, 1)}),
        ({"attribution": "last", "unit": "finish"}, {"p": (1, 0), "q": (1, 2)}),
    ],
)
def test_a_filter_on_the_start_never_hands_a_finish_to_another_start(rule, expected):
    for channel, (base, converted) in expected.items():
        found = fk.conversion(TWO, "s", "f", within="1s", where=f"channel == '{channel}'", **rule)
        assert found.frame.select("base", "converted").row(0) == (base, converted)


@pytest.mark.parametrize("attribution", ["first", "last"])
def test_of_starts_at_one_instant_the_filter_does_not_choose(attribution):
    """Filters that exclude each other share the finishes."""
    events = visit((0, "s", "p"), (0, "s", "q"), (0, "s", None), (5, "f", "q"), (6, "f", "p"))
    ask = {"within": "1d", "unit": "finish", "attribution": attribution}
    filters = ["channel == 'p'", "channel == 'q'", "is_null(channel)"]
    for by in ((), "event_name"):
        told = [fk.conversion(events, S, F, where=w, by=by, **ask).frame for w in filters]
        assert sum(frame["converted"].sum() for frame in told) == 2


def test_a_start_outside_the_boundaries_of_periods_does_not_count():
    day = dt.timedelta(days=1) // MICROSECOND
    events = visit((0, "s", "p"), (1, "f", "p"), (day, "s", "p"), (3 * day, "s", "p"))
    days = [dt.date(2024, 3, 31), dt.date(2024, 4, 1), dt.date(2024, 4, 2)]
    found = fk.conversion(events, S, F, within="2d", every=days, unit="start").frame
    assert found.select("period", "base", "converted").rows() == [(days[0], 1, 0)]
    steps = fk.funnel(events, [S, F], within="2d", every=days).frame
    assert steps.select("period", "entities").rows() == [(days[0], 1), (days[0], 0)]


def test_an_order_that_follows_an_order_is_not_its_own_finish():
    events = visit((0, "s", "p"), (3, "s", "p"))
    found = fk.conversion(events, "s", "s", within="1s", unit="start")
    assert found.frame.select("base", "converted").row(0) == (2, 1)
    with pytest.raises(fk.UnsupportedError, match="would finish itself"):
        fk.conversion(events, "s", "s", within="1s", closed="both")


def test_the_rule_is_stated_in_a_sentence():
    found = fk.conversion(TWO, "s", "f", within="7d", unit="start", attribution="last")
    assert found.rule == (
        "A f of the same visitor_id, later than the s and at most 7 days after it, is credited to "
        "the last s in reach; each s counts, and is converted if it is credited with a f."
    )
    assert found.rule in repr(found)
    assert "rate" in found._repr_html_().lower()


def test_a_start_whose_window_is_open_is_marked():
    events = visit((-1, "f", "p"), (0, "s", "p"), (9, "x", "p"))
    found = fk.conversion(events, S, F, within=9 * MICROSECOND)
    assert found.frame["incomplete"].item() == 0
    found = fk.conversion(events, S, F, within=10 * MICROSECOND)
    assert found.frame["incomplete"].item() == 1
    assert found.starts["is_incomplete"].to_list() == [True]


def test_every_choice_that_is_none_is_refused_at_once():
    with pytest.raises(fk.DefinitionError, match=r"unit='x'.*attribution='y'.*closed='z'"):
        fk.conversion(TWO, "s", "f", within="1d", unit="x", attribution="y", closed="z")
    with pytest.raises(fk.DefinitionError, match="counts each finish once"):
        fk.conversion(TWO, "s", "f", within="1d", unit="finish", attribution="every")
    with pytest.raises(fk.DefinitionError, match="not above zero"):
        fk.conversion(TWO, "s", "f", within="0d")
    with pytest.raises(fk.UnknownNameError, match="'st'"):
        fk.conversion(TWO, "st", "f", within="1d")


def test_no_starts_have_no_rate():
    found = fk.conversion(TWO, S, F, within="1d", where="channel == 'none'")
    assert found.frame.row(0) == (0, 0, None, 0, None)


def test_a_start_at_the_open_end_of_the_window_does_not_hide_the_first_in_reach():
    events = visit((0, "s", "p"), (1, "s", "q"), (3, "f", "q"))
    for closed, channel in (("right", "p"), ("none", "q")):
        found = fk.conversion(events, S, F, within=3 * MICROSECOND, closed=closed, by="channel")
        assert found.frame.filter(converted=1)["channel"].to_list() == [channel]

"""Paths against a plain loop over the events of each visitor."""

import datetime as dt
from collections import Counter
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk

FIRST = dt.datetime(2024, 1, 1)
MINUTE = dt.timedelta(minutes=1)


def drawn(seed):
    draw = Random(seed)
    names = ["view_item", "add_to_cart", "purchase", "search"]
    rows = [
        (who, FIRST + draw.randrange(12) * MINUTE, draw.choice(names))
        for who in range(10)
        for _ in range(draw.randint(1, 9))
    ]
    draw.shuffle(rows)
    return frame([*rows, (99, FIRST, "purchase"), (99, FIRST, "add_to_cart")])


def frame(rows):
    return pl.DataFrame(rows, ["visitor_id", "occurred_at", "event_name"], orient="row")


def chapters(events):
    """The chapters of each visitor, loops folded, and whether each ends."""
    own = {}
    for who, _, name in sorted(
        events.rows(), key=lambda row: (row[1], row[2] == "purchase", row[2])
    ):
        its = own.setdefault(who, [[]])
        before = its[-1][-1] if its[-1] else (its[-2][-1] if len(its) > 1 else None)
        if name == "purchase" or name != before:
            its[-1].append(name)
        if name == "purchase":
            its.append([])
    return own


def plain_to(events, steps):
    found = Counter()
    for its in chapters(events).values():
        for chapter in its[:-1]:
            path = chapter[-steps - 1 :]
            found[(*(["(start)"] if len(path) <= steps else []), *path)] += 1
    return found


def plain_after(events, steps):
    found = Counter()
    for its in chapters(events).values():
        last = its[-1]
        if "add_to_cart" in last:
            place = len(last) - 1 - last[::-1].index("add_to_cart")
            path = last[place : place + steps + 1]
            found[(*path, *(["(end)"] if len(path) <= steps else []))] += 1
    return found


def told(found):
    return {tuple(path): count for path, count in found.paths.select("path", "paths").rows()}


@settings(max_examples=150)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_paths_are_what_a_loop_over_events_gives(seed, steps):
    events = drawn(seed)
    assert told(fk.paths(events, steps=steps)) == plain_to(events, steps)
    left = fk.paths(events, after="add_to_cart", steps=steps)
    assert told(left) == plain_after(events, steps)
    assert fk.paths(events.reverse(), steps=steps).paths.equals(fk.paths(events, steps=steps).paths)


def test_links_carry_as_many_paths_as_pass():
    found = fk.paths(drawn(3), steps=3)
    total = found.paths["paths"].sum()
    last = found.frame.filter(pl.col("target") == "purchase")["paths"].sum()
    assert last == total
    assert found.frame.filter(pl.col("step") == 1)["paths"].sum() == total
    assert found.paths["share"].sum() == pytest.approx(1.0)


def test_paths_can_be_read_and_bad_questions_are_refused():
    events = drawn(3)
    found = fk.paths(events, after="add_to_cart")
    assert found.rule in repr(found)
    assert "(end)" in found._repr_html_()
    for steps in (0, 21, 1.5, "4", None, True):
        with pytest.raises(fk.DefinitionError, match="1 to 20"):
            fk.paths(events, steps=steps)
    for bad in ({"to": None}, {"to": ("a", "event_name == 'purchase'")}, {"after": 5}):
        with pytest.raises(fk.DefinitionError, match="name an event"):
            fk.paths(events, **bad)
    with pytest.raises(fk.DefinitionError, match="are the same event"):
        fk.paths(events, to="purchase", after="Order Completed")
    with pytest.raises(fk.UnknownNameError, match="'purchse'"):
        fk.paths(events, to="purchse")
    with pytest.raises(fk.MissingInputError, match="event_name"):
        fk.paths(events.drop("event_name"))
    assert fk.paths(events.clear()).frame.is_empty()


def test_events_without_a_name_are_counted_and_told():
    rows = [(1, FIRST, name) for name in ("view_item", "purchase", None, "  ")]
    events = pl.DataFrame(rows, ["visitor_id", "occurred_at", "event_name"], orient="row")
    found = fk.paths(events)
    assert found.paths["path"].to_list() == [["(start)", "view_item", "purchase"]]
    assert found.excluded == {"without event_name": 2}

"""Funnels against every chain in plain Python, and the laws of funnels."""

import datetime as dt
from random import Random
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import funnelkit as fk
from analysis.chains import best_chain
from funnelkit.journeys import timeline

EPOCH = dt.datetime(2024, 3, 30, 22, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
SEEDS = st.integers(0, 10_000)
ORDERS = st.sampled_from(["ordered", "strict", "any"])
WITHIN = st.sampled_from([None, 1, 2, 5])
TIES = st.sampled_from(["chain", "increase"])
RANGES = st.sampled_from([(0, 6), (0, 2), (1, 4), (3, 6)])


def drawn(seed, names="abcx", *, entities=25, most=7, times=6):
    """Events of a few entities, many of them at the same instant, in any order."""
    draw = Random(seed)
    rows = [
        (entity, draw.randrange(times), draw.choice(names), draw.choice("pq"))
        for entity in range(entities)
        for _ in range(draw.randint(0, most))
    ]
    draw.shuffle(rows)
    return frame(rows)


def frame(rows):
    schema = ["visitor_id", "time", "event_name", "channel"]
    moment = pl.lit(EPOCH) + pl.col("time") * MICROSECOND
    return pl.DataFrame(rows, schema, orient="row").with_columns(
        moment.alias("occurred_at"), pl.col("visitor_id").cast(pl.Int64)
    )


def ask(events, steps, within, *, between=(0, 6), **arguments):
    length = None if within is None else within * MICROSECOND
    if between != (0, 6):
        start, end = (EPOCH + time * MICROSECOND for time in between)
        arguments |= {"start": start, "end": end}
    return fk.funnel(events, steps, within=length, **arguments)


def found_by_entity(result):
    """Level, times in microseconds after the epoch and key by entity."""
    names = [f"step_{number}" for number in range(1, len(result.steps) + 1)]
    found = {}
    for row in result.entities.iter_rows(named=True):
        times = [row[name] for name in names if row[name] is not None]
        taken = tuple((time - EPOCH) // MICROSECOND for time in times)
        found[row["visitor_id"]] = (row["level"], taken, row["channel"])
    return found


def expected_by_entity(events, meaning, steps, within, *, between=(0, 6), **rule):
    """The same by looking at every chain; `meaning` holds of each event what steps it is."""
    own = {}
    columns = ["visitor_id", "time", "event_name", rule.pop("by")]
    for entity, time, name, key in events.select(columns).iter_rows():
        own.setdefault(entity, []).append((time, meaning(name), key))
    rule["begins"] = range(*between).__contains__
    best = {who: best_chain(its, steps, within, **rule) for who, its in own.items()}
    return {who: found for who, found in best.items() if found[0]}


@settings(max_examples=150)
@given(SEEDS, ORDERS, TIES, WITHIN, RANGES)
@example(1, "ordered", "chain", None, (0, 6))  # first steps of two keys at one instant
@example(2, "ordered", "increase", None, (0, 6))
def test_a_funnel_is_what_looking_at_every_chain_gives(seed, order, ties, within, between):
    if order == "any":
        ties = "chain"
    events = drawn(seed)
    rule = {"order": order, "ties": ties, "between": between, "by": "channel"}
    found = ask(events, list("abc"), within, **rule)
    assert found_by_entity(found) == expected_by_entity(
        events, lambda name: name, list("abc"), within, **rule
    )


@settings(max_examples=150)
@given(SEEDS, st.sampled_from(["ordered", "strict"]), TIES, WITHIN, RANGES)
def test_steps_that_share_events_use_each_event_once(seed, order, ties, within, between):
    events = drawn(seed, "abdex")
    rule = {"order": order, "ties": ties, "between": between, "by": "channel"}
    steps = {"1": "event_name in ('a', 'd')", "2": "event_name in ('b', 'd', 'e')",
             "3": "event_name in ('a', 'b', 'e')"}  # fmt: skip
    meaning = {"a": "13", "b": "23", "d": "12", "e": "23", "x": ""}
    found = ask(events, steps, within, **rule)
    assert found_by_entity(found) == expected_by_entity(
        events, meaning.__getitem__, list("123"), within, **rule
    )


@settings(max_examples=100)
@given(SEEDS, st.sampled_from(["ordered", "strict"]), TIES, WITHIN, RANGES)
def test_a_step_that_is_named_twice_needs_two_events(seed, order, ties, within, between):
    events, steps = drawn(seed, "ab"), list("aab")
    rule = {"order": order, "ties": ties, "between": between, "by": "channel"}
    found = ask(events, steps, within, **rule)
    assert found_by_entity(found) == expected_by_entity(
        events, lambda name: name, steps, within, **rule
    )


@settings(max_examples=60)
@given(SEEDS, ORDERS, WITHIN)
def test_the_order_of_rows_and_unrelated_events_change_nothing(seed, order, within):
    events = drawn(seed, "abc")
    one = ask(events, list("abc"), within, order=order)
    two = ask(events.reverse(), list("abc"), within, order=order)
    assert one.entities.equals(two.entities)
    assert one.frame.equals(two.frame)
    if order != "strict":
        more = pl.concat([events, drawn(seed + 1, "xy")])
        three = ask(more, list("abc"), within, order=order)
        assert one.entities.drop("is_incomplete").equals(three.entities.drop("is_incomplete"))


def levels(result):
    return dict(result.entities.select("visitor_id", "level").iter_rows())


def are_below(one, two):
    return all(level <= two.get(who, 0) for who, level in one.items())


@settings(max_examples=60)
@given(SEEDS, TIES)
def test_levels_grow_with_the_window_and_from_strict_to_any_order(seed, ties):
    events, steps = drawn(seed), list("abc")
    windows = [levels(ask(events, steps, within, ties=ties)) for within in (1, 2, 5, None)]
    assert all(map(are_below, windows, windows[1:]))
    orders = [ask(events, steps, 2, order=o, ties=ties) for o in ("strict", "ordered")]
    orders.append(ask(events, steps, 2, order="any"))
    assert all(map(are_below, map(levels, orders), map(levels, orders[1:])))
    later = levels(ask(events, steps, 2, ties="increase"))
    assert are_below(later, levels(ask(events, steps, 2, ties="chain")))


@settings(max_examples=60)
@given(SEEDS, ORDERS, WITHIN)
def test_a_funnel_never_widens_and_its_first_steps_are_a_funnel(seed, order, within):
    events = drawn(seed)
    whole = ask(events, list("abc"), within, order=order)
    counts = whole.frame["entities"].to_list()
    assert counts == sorted(counts, reverse=True)
    shorter = ask(events, list("ab"), within, order=order).frame["entities"].to_list()
    if order != "strict":
        assert shorter == counts[:2]
    assert whole.levels()["entities"].sum() == counts[0] == whole.entities.height


@settings(max_examples=40)
@given(SEEDS, ORDERS, WITHIN)
def test_entities_in_parts_add_up_and_time_may_be_shifted(seed, order, within):
    events, steps = drawn(seed), list("abc")
    whole = ask(events, steps, within, order=order).frame["entities"].to_list()
    parts = [events.filter(pl.col("visitor_id") % 2 == rest) for rest in (0, 1)]
    told = [ask(part, steps, within, order=order).frame["entities"].to_list() for part in parts]
    assert [one + two for one, two in zip(*told, strict=True)] == whole
    later = events.with_columns(pl.col("occurred_at") + dt.timedelta(days=400, microseconds=3))
    assert ask(later, steps, within, order=order).frame["entities"].to_list() == whole


@settings(max_examples=40)
@given(SEEDS, WITHIN)
def test_keys_and_periods_are_those_of_the_first_step_and_add_up(seed, within):
    events = drawn(seed, times=12).with_columns(pl.col("occurred_at") + pl.duration(hours="time"))
    steps = list("abc")
    whole = ask(events, steps, within and within * 3_600_000_000)
    parts = ask(events, steps, within and within * 3_600_000_000, by="channel", every="1d")
    added = parts.frame.group_by("step").agg(pl.col("entities").sum()).sort("step")
    assert added["entities"].to_list() == whole.frame["entities"].to_list()
    own = events.filter(pl.col("event_name") == "a").select("visitor_id", "occurred_at", "channel")
    first = parts.entities.with_columns(pl.col("start").dt.convert_time_zone("UTC"))
    joined = first.join(
        own, left_on=["visitor_id", "start", "channel"], right_on=own.columns, how="semi"
    )
    assert joined.height == first.height
    assert (first["period"] == first["start"].dt.date()).all()


@settings(max_examples=20)
@given(SEEDS, ORDERS, TIES, st.booleans())
def test_entities_may_be_words_and_rows_too_many_to_pack(seed, order, ties, is_far):
    """Entities and times that do not fit into one integer are sorted by columns."""
    with patch.object(timeline, "ROWS_OF_BLOCK", 16):  # several blocks, side by side
        check_wide(seed, order, ties, is_far=is_far)


def check_wide(seed, order, ties, *, is_far):
    ties = "chain" if order == "any" else ties
    events, steps = drawn(seed), list("abc")
    plain = ask(events, steps, 2, order=order, ties=ties)
    words = events.with_columns(pl.format("v{}", "visitor_id").alias("visitor_id"))
    worded = ask(words, steps, 2, order=order, ties=ties)
    assert worded.frame.equals(plain.frame)
    far = events.with_columns(pl.col("visitor_id") * (2**50 if is_far else 2**40) - 2**55)
    odd = frame([(0, 0, "x", "p")]).with_columns(
        occurred_at=pl.lit(dt.datetime(1700, 1, 1, tzinfo=dt.UTC)), visitor_id=pl.lit(7, pl.Int64)
    )
    wide = ask(pl.concat([far, odd]), steps, 2, order=order, ties=ties)
    assert wide.frame.drop("incomplete").equals(plain.frame.drop("incomplete"))


@pytest.mark.parametrize("other", [-(2**63) + 1, 5, 2**63 - 1])
def test_entities_may_be_the_lowest_and_the_highest_number(other):
    low = -(2**63)
    events = frame([(low, 1, "a", "p"), (low, 2, "b", "p"), (other, 2, "a", "p")])
    found = ask(events, list("ab"), None).entities
    assert found.select("visitor_id", "level").rows() == [(low, 2), (other, 1)]


STEPS = ["view_item", "add_to_cart", "purchase"]
MINUTE = dt.timedelta(minutes=1)


def visit(*events):
    """Events of one visitor: minutes and names."""
    rows = [(1, EPOCH + minute * MINUTE, name) for minute, name in events]
    return pl.DataFrame(rows, ["visitor_id", "occurred_at", "event_name"], orient="row")


def test_the_window_is_closed_at_its_end_to_the_microsecond():
    events = visit((0, "view_item"), (10, "purchase"))
    exact = dt.timedelta(minutes=10)
    for within, counts in ((exact, [1, 1]), (exact - MICROSECOND, [1, 0])):
        found = fk.funnel(events, ["view_item", "purchase"], within=within)
        assert found.frame["entities"].to_list() == counts


def test_times_rates_and_the_drop_off_of_a_small_funnel():
    events = visit((0, "view_item"), (2, "add_to_cart"), (3, "add_to_cart"), (9, "purchase"))
    other = visit((5, "view_item")).with_columns(visitor_id=pl.lit(2, pl.Int64))
    found = fk.funnel(pl.concat([events, other]), STEPS, within="1h").frame
    assert found["entities"].to_list() == [2, 1, 1]
    assert found["step_rate"].to_list() == [None, 0.5, 1.0]
    assert found["overall_rate"].to_list() == [1.0, 0.5, 0.5]
    assert found["drop_off"].to_list() == [None, 1, 0]
    assert found["median_from_previous_s"].to_list() == [None, 120.0, 420.0]
    assert found["median_from_first_s"].to_list() == [None, 120.0, 540.0]


@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
def test_a_funnel_may_have_thirty_steps(order):
    names = [f"step {number}" for number in range(30)]
    whole = [(1, time, name, "p") for time, name in enumerate(names)]
    half = [(2, time, name, "q") for time, name in enumerate(names[:15])]
    backwards = [(3, -time, name, "p") for time, name in enumerate(names)]
    never = [(0, time, name, "q") for time, name in enumerate([*names[1:9], *names[1:4]])]
    found = ask(frame(never + whole + half + backwards), names, None, order=order).entities
    assert found["level"].to_list() == [30, 15, 30 if order == "any" else 1]


def test_an_entity_may_start_again_and_the_best_start_counts():
    events = visit((0, "view_item"), (1, "add_to_cart"), (60, "view_item"), (65, "add_to_cart"),
                   (70, "purchase"))  # fmt: skip
    row = fk.funnel(events, STEPS, within="15m").entities.row(0, named=True)
    assert (row["level"], row["start"]) == (3, EPOCH + 60 * MINUTE)


def test_an_entity_whose_window_is_open_is_marked():
    events = visit((0, "view_item"), (50, "view_item"), (60, "scroll"))
    asked = [fk.funnel(events, STEPS, within=within) for within in ("9m", "10m", "11m")]
    assert [found.entities["is_incomplete"].item() for found in asked] == [False, False, True]
    assert asked[2].frame["incomplete"].to_list() == [1, 0, 0]


@pytest.mark.parametrize("is_day", [False, True])
def test_a_window_is_open_while_its_last_instant_is_not_known(is_day):
    """A given as-of moment is not known, the latest time of the data is."""
    noon = dt.datetime(2024, 5, 1, 0 if is_day else 12)
    rows = [(1, noon, "view_item"), (2, noon + dt.timedelta(days=2), "add_to_cart")]
    events = pl.DataFrame(rows, ["visitor_id", "occurred_at", "event_name"], orient="row")
    if is_day:
        events = events.with_columns(pl.col("occurred_at").dt.date())
    at = "2024-05-03" if is_day else "2024-05-03T12:00"
    for as_of, marks in ((None, [False, False, True]), (at, [False, True, True])):
        shop = fk.Shop(events=events, as_of=as_of)
        for within, mark in zip(("1d", "2d", "3d"), marks, strict=True):
            found = fk.funnel(shop, STEPS[:2], within=within).entities
            starts = fk.conversion(shop, *STEPS[:2], within=within).starts
            assert [one["is_incomplete"].item() for one in (found, starts)] == [mark, mark]
        open_end = fk.conversion(shop, *STEPS[:2], within="3d" if is_day else "2d", closed="none")
        assert open_end.starts["is_incomplete"].item() is (is_day and marks[1])


def test_rows_without_a_visitor_or_a_time_are_counted_and_told():
    events = visit((0, "view_item"), (1, "view_item"), (2, "view_item"))
    events = events.with_columns(
        visitor_id=pl.Series([None, 1, 1]), occurred_at=pl.Series([EPOCH, None, EPOCH])
    )
    found = fk.funnel(events, STEPS)
    assert found.excluded == {"without visitor_id": 1, "without occurred_at": 1}
    assert "rows excluded, without visitor_id: 1" in repr(found)
    assert found.frame["entities"].to_list() == [1, 0, 0]


def test_no_events_give_a_funnel_of_nobody():
    events = visit((0, "view_item")).clear()
    found = fk.funnel(events, STEPS, within="1h")
    assert found.frame["entities"].to_list() == [0, 0, 0]
    assert found.frame["step_rate"].to_list() == [None, None, None]
    assert fk.funnel(events, STEPS, by="event_name").frame.is_empty()


def test_unknown_steps_are_refused_all_at_once_with_the_nearest_names():
    with pytest.raises(
        fk.UnknownNameError, match=r"(?s)'view_itm'.*view_item.*'purchse'.*purchase"
    ):
        fk.funnel(visit((0, "view_item")), ["view_itm", "purchse"])


def test_events_with_which_conditions_compare_are_checked_like_steps():
    """One of several need not have happened, nor what an event is not to be."""
    events = visit((0, "view_item"))
    for condition in (
        "event_name == 'view_itm'",
        "event_name in ('view_itm', 'view_itms')",
        "visitor_id == 1 and (event_name == 'view_itm' or 'view_itms' == event_name)",
    ):
        with pytest.raises(fk.UnknownNameError, match=r"'view_itm'; did you mean 'view_item'"):
            fk.funnel(events, {"looked": condition})
        with pytest.raises(fk.UnknownNameError, match="'view_itm'"):
            fk.conversion(events, ("looked", condition), "purchase", within="1d")
    for condition in (
        "event_name != 'view_itm'",
        "not (event_name == 'view_itm')",
        "event_name in ('Product Viewed', 'view_itm')",
    ):
        assert fk.funnel(events, {"looked": condition}).frame["entities"].to_list() == [1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"within": "0m"}, "not above zero"),
        ({"within": "-7d"}, "not above zero"),
        ({"within": "7 days"}, "not a length of time"),
        ({"order": "odd"}, "order='odd' is not one of 'ordered', 'strict', 'any'"),
        ({"order": "odd", "ties": []}, "(?s)order='odd'.*ties=.. is not one of 'chain'"),
        ({"order": "any", "ties": "increase"}, "no step is before another"),
        ({"by": fk.Dimension("level", events="event_name")}, "by='level' is also the name"),
    ],
)
def test_an_argument_that_is_not_valid_is_refused(arguments, message):
    with pytest.raises(fk.DefinitionError, match=message):
        fk.funnel(visit((0, "view_item")), ["view_item"], **arguments)


def test_steps_that_are_none_are_refused():
    events = visit((0, "view_item"))
    for steps in ("view_item", [], [3], [("a", "b", "c")], [("big", 3)]):
        with pytest.raises(fk.DefinitionError):
            fk.funnel(events, steps)
    with pytest.raises(fk.UnknownNameError, match="event_nme"):
        fk.funnel(events, {"a": "event_nme == 'x'"})
    with pytest.raises(fk.MissingInputError, match=r"events.event_name"):
        fk.funnel(events.drop("event_name"), ["view_item"])
    with pytest.raises(fk.UnsupportedError, match="any order"):
        fk.funnel(visit((0, "view_item")), ["view_item", "view_item"], order="any")


def test_a_shop_gives_its_zone_its_words_and_its_renames():
    events = visit((0, "Product Viewed"), (5, "Product Added"), (90, "Order Completed"))
    events = events.rename({"visitor_id": "user"})
    shop = fk.Shop(events=events, rename={"events": {"user": "visitor_id"}},
                   time_zone="Europe/Warsaw")  # fmt: skip
    found = fk.funnel(shop, STEPS, every="1d", within="1h")
    assert found.frame["entities"].to_list() == [1, 1, 0]
    assert found.frame["period"][0] == dt.date(2024, 3, 30)
    assert found.entities["start"].dtype == pl.Datetime("us", "Europe/Warsaw")
    assert found.entities["start"][0].hour == 23


def test_the_range_is_that_of_the_first_step():
    events = visit((0, "view_item"), (200, "purchase"), (300, "view_item"))
    found = fk.funnel(events, ["view_item", "purchase"], end="2024-03-31")
    assert found.frame["entities"].to_list() == [1, 1]
    later = fk.funnel(events, ["view_item", "purchase"], start="2024-03-31")
    assert later.frame["entities"].to_list() == [1, 0]


def test_a_first_step_outside_the_range_still_lies_between_steps():
    events = frame([(1, 1, "a", "p"), (1, 4, "a", "p"), (1, 4, "b", "p")])
    for between, levels in (((0, 2), 1), ((0, 5), 2)):
        found = ask(events, list("ab"), None, order="strict", between=between)
        assert found.entities["level"].to_list() == [levels]


def test_a_step_may_be_of_several_kinds_of_events_of_which_none_is_of_two_steps():
    """An event that is of both steps lies before the range, and is only the second there."""
    events = frame([(1, 0, "a", "p"), (1, 2, "b", "p"), (1, 2, "c", "p")])
    steps = {"1": "event_name in ('a', 'b')", "2": "event_name in ('a', 'c')"}
    for between in ((0, 6), (2, 6)):
        found = ask(events, steps, None, order="strict", between=between)
        assert found.entities["level"].to_list() == [2]


def test_the_rule_is_stated_in_a_sentence_and_the_table_is_readable():
    found = fk.funnel(visit((0, "view_item")), STEPS, within="7d")
    assert found.rule.startswith("Counted is each visitor_id that takes the steps in this order")
    assert "within 7 days of the first step, the end included" in found.rule
    assert found.rule in repr(found)
    assert "view_item" in found._repr_html_()
    assert found.frame.columns[:4] == ["step", "name", "entities", "step_rate"]


def test_days_are_24_hours_apart_where_events_are_dated_by_the_day():
    """Also over the night in which the clock of the shop is set back."""
    days = [dt.date(2024, 10, 26), dt.date(2024, 10, 28)]
    events = pl.DataFrame(
        {"visitor_id": 1, "occurred_at": days, "event_name": ["view_item", "purchase"]}
    )
    shop = fk.Shop(events=events, time_zone="Europe/Warsaw")
    for within, counts in (("2d", [1, 1]), ("47h", [1, 0])):
        found = fk.funnel(shop, ["view_item", "purchase"], within=within)
        assert found.frame["entities"].to_list() == counts
    assert found.entities["start"].to_list() == [days[0]]
    assert found.entities["is_incomplete"].to_list() == [False]
    assert fk.conversion(shop, "view_item", "purchase", within="2d").frame["converted"].item() == 1
    sessions = fk.sessionize(shop, gap="2d")
    assert sessions.frame.select("started_at", "ended_at").row(0) == tuple(days)
    assert sessions.events()["session_id"].n_unique() == 1

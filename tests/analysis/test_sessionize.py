"""Sessions against a plain loop over events, and sessions as the shop's."""

import datetime as dt
from itertools import groupby
from random import Random
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk

EPOCH = dt.datetime(2024, 3, 30, 22, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
WARSAW = ZoneInfo("Europe/Warsaw")
SEEDS = st.integers(0, 10_000)
CAMPAIGN = ("source", "campaign")


def drawn(seed):
    draw = Random(seed)
    rows = [
        (
            who,
            EPOCH + draw.randrange(300) * MINUTE,
            *(draw.choice([None, None, "ads", "mail"]) for _ in CAMPAIGN),
        )
        for who in range(10)
        for _ in range(draw.randint(0, 12))
    ]
    draw.shuffle(rows)
    schema = {
        "visitor_id": pl.Int64,
        "occurred_at": pl.Datetime("us", "UTC"),
        **dict.fromkeys(CAMPAIGN, pl.String),
    }
    return pl.DataFrame(rows, schema, orient="row")


def plainly(events, gap, *, at_midnight, on_campaign):
    """The first and the last moment of each session, by a loop over the instants."""
    found, last = [], {}
    ordered = events.sort("visitor_id", "occurred_at", *CAMPAIGN, nulls_last=True).iter_rows()
    for (who, at), rows in groupby(ordered, key=lambda row: row[:2]):
        named = [pair for row in rows for pair in zip(CAMPAIGN, row[2:], strict=True) if pair[1]]
        before = last.get(who)
        if before is None or begins(before, at, named, gap, at_midnight, on_campaign):
            before = last[who] = {"who": who, "begun": at, "has": {}}
            found.append(before)
        before["ended"] = at
        before["has"].update(named)
    return [(one["who"], one["begun"], one["ended"]) for one in found]


def begins(before, at, named, gap, at_midnight, on_campaign):  # noqa: PLR0917
    if at - before["ended"] > gap:
        return True
    days = [moment.astimezone(WARSAW).date() for moment in (at, before["ended"])]
    is_other = any(before["has"].get(column) != value for column, value in named)
    return (at_midnight and days[0] != days[1]) or (on_campaign and is_other)


@settings(max_examples=200)
@given(SEEDS, st.sampled_from([1, 20, 30]), st.booleans(), st.booleans())
def test_sessions_are_what_a_loop_over_events_gives(seed, gap, at_midnight, on_campaign):
    events, length = drawn(seed), gap * MINUTE
    shop = fk.Shop(events=events, time_zone="Europe/Warsaw")
    options = {"at_midnight": at_midnight, "on_campaign": on_campaign}
    found = fk.sessionize(shop, gap=length, **options)
    rows = found.frame.select("visitor_id", "started_at", "ended_at").rows()
    assert rows == plainly(events, length, **options)
    assert found.frame["session_id"].is_unique().all()
    assert found.events().height == events.height


@settings(max_examples=40)
@given(SEEDS)
def test_ids_stay_when_rows_move_or_later_events_come(seed):
    events = drawn(seed)
    whole = fk.sessionize(events)
    assert fk.sessionize(events.reverse()).frame.equals(whole.frame)
    early = fk.sessionize(events.filter(pl.col("occurred_at") < EPOCH + 100 * MINUTE)).frame
    assert set(early["session_id"]) <= set(whole.frame["session_id"])


@settings(max_examples=30)
@given(SEEDS)
def test_a_longer_gap_makes_no_more_sessions_and_every_event_is_in_its_own(seed):
    events = drawn(seed)
    counts = [fk.sessionize(events, gap=f"{gap}m").frame.height for gap in (1, 10, 30, 300)]
    assert counts == sorted(counts, reverse=True)
    found = fk.sessionize(events, gap="10m")
    joined = found.events().join(found.frame, on="session_id", how="left")
    at = joined["occurred_at"].dt.convert_time_zone("UTC")
    assert (at.is_between(joined["started_at"], joined["ended_at"])).all()
    assert joined["visitor_id"].equals(joined["visitor_id_right"], check_names=False)


def test_an_event_at_exactly_the_gap_is_still_in_the_session():
    times = [EPOCH, EPOCH + 30 * MINUTE, EPOCH + 60 * MINUTE + dt.timedelta(microseconds=1)]
    found = fk.sessionize(pl.DataFrame({"visitor_id": "v", "occurred_at": times})).frame
    assert found["duration_s"].to_list() == [1800.0, 0.0]
    assert found["session_id"][0].startswith("v-17118")


def test_what_an_event_does_not_name_ends_no_session():
    named = [("x", "ads"), ("x", None), (None, None), (None, "ads"), (None, "mail"), ("x", None)]
    events = pl.DataFrame(
        [(1, EPOCH + number * MINUTE, *pair) for number, pair in enumerate(named)],
        ["visitor_id", "occurred_at", *CAMPAIGN],
        orient="row",
    )
    found = fk.sessionize(events, on_campaign=True).frame
    assert found["duration_s"].to_list() == [180.0, 0.0, 0.0]


def test_campaigns_are_compared_as_sessions_read_them():
    """A blank names nothing, and spellings of one source are one."""
    named = [("Google", "spring"), ("google ", ""), (" ", "spring"), ("", "Spring")]
    events = pl.DataFrame(
        [(1, EPOCH + number * MINUTE, *pair) for number, pair in enumerate(named)],
        ["visitor_id", "occurred_at", *CAMPAIGN],
        orient="row",
    )
    found = fk.sessionize(events, on_campaign=True).frame
    assert found["duration_s"].to_list() == [120.0, 0.0]


def test_spellings_of_a_source_that_no_vocabulary_has_are_one():
    events = pl.DataFrame(
        [(1, EPOCH + number * MINUTE, name) for number, name in enumerate(["MyDSP", "mydsp "])],
        ["visitor_id", "occurred_at", "source"],
        orient="row",
    )
    assert fk.sessionize(events, on_campaign=True).frame["duration_s"].to_list() == [60.0]


def test_a_session_has_the_campaign_of_its_first_event_and_serves_as_the_shop_s():
    events = pl.DataFrame(
        {
            "visitor_id": [1, 1, 1, 2],
            "occurred_at": [EPOCH, EPOCH + MINUTE, EPOCH + 90 * MINUTE, EPOCH],
            "event_name": ["page_view", "add_to_cart", "page_view", "page_view"],
            "campaign": ["ads", None, None, "mail"],
        }
    )
    found = fk.sessionize(events)
    assert found.frame["campaign"].to_list() == ["ads", None, "mail"]
    shop = fk.Shop(sessions=found.frame, events=found.events())
    asked = fk.evaluate(shop, ["sessions", "unique_visitors", "add_to_cart_rate"]).frame
    assert asked.row(0) == (3, 2, pytest.approx(1 / 3))


def test_bad_questions_and_no_events():
    events = pl.DataFrame({"visitor_id": [1], "occurred_at": [EPOCH]})
    with pytest.raises(fk.DefinitionError, match="gap="):
        fk.sessionize(events, gap="half an hour")
    with pytest.raises(fk.DefinitionError, match="at_midnight='Europe/Warsaw' is not True"):
        fk.sessionize(events, at_midnight="Europe/Warsaw")
    with pytest.raises(fk.MissingInputError, match="on_campaign"):
        fk.sessionize(events, on_campaign=True)
    with pytest.raises(fk.UnknownNameError, match="user"):
        fk.sessionize(events, entity="user")
    assert fk.sessionize(events.clear()).frame.height == 0
    found = fk.sessionize(events.with_columns(visitor_id=pl.lit(None, pl.Int64)))
    assert (found.frame.height, found.excluded) == (0, {"without visitor_id": 1})


def test_an_entity_that_is_a_trait_of_sessions_is_named_once():
    events = pl.DataFrame({"device": ["a"], "occurred_at": [EPOCH], "country": ["PL"]})
    found = fk.sessionize(events, entity="device").frame
    assert found.columns[1:] == ["device", "started_at", "ended_at", "duration_s", "country"]


def test_the_rule_is_stated():
    found = fk.sessionize(fk.demo(), at_midnight=True)
    assert found.rule == (
        "A session is successive events of one visitor_id; a new one begins with an event more "
        "than 30 minutes after the one before, another day in Europe/Warsaw."
    )
    assert found.rule in repr(found)
    assert "session_id" in found._repr_html_()

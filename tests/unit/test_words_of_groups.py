"""Groups of words: spellings of one word are one group, and one spelling costs nothing."""

from collections import Counter

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.engines.polars.engine import PolarsEngine
from funnelkit.planning.vocabulary import answers_in_words
from small_frames import NOON, orders_of

TEXTS = ["sms", "SMS", " sms ", "Email", "email", "", " ", None, "Foo", "foo", "bar"]


def counts_of(texts, **question):
    shop = fk.Shop(orders=orders_of(attributed_channel=texts))
    return dict(fk.evaluate(shop, "orders", by="attributed_channel", **question).frame.rows())


@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=8))
@example(["sms", "email", "foo"])
@example(["sms", "SMS", "sms"])
@example(["sms", "", None])
@example(["Foo", "foo", "foo", "bar"])
def test_spellings_of_one_word_are_one_group(texts):
    found = counts_of(texts)
    expected = Counter((text or "").strip().lower() or None for text in texts)
    assert {key and key.lower(): count for key, count in found.items()} == expected
    for same in expected:
        written = {text.strip() for text in texts if text and text.strip().lower() == same}
        if len(written) == 1:
            assert written <= found.keys()


@pytest.mark.parametrize("where", ["attributed_channel == 'SMS'", "attributed_channel == 'sms'"])
def test_a_condition_on_the_key_finds_each_spelling(where):
    assert counts_of(["sms", "email", "sms"], where=where) == {"sms": 2}
    assert counts_of(["sms", "SMS", "email"], where=where) == {"SMS": 2}


def query_of(shop, **question):
    steps = fk.plan(shop, "orders", **question).steps
    relations = answers_in_words(shop.data, shop.runner.answers(steps))
    return PolarsEngine(shop.data).queries(relations)[0].explain()


def test_words_that_are_only_grouped_by_are_read_as_they_are():
    shop = fk.Shop(orders=orders_of(attributed_channel=["sms", "email", "sms"]))
    fk.evaluate(shop, "orders", by="attributed_channel")
    assert "SMS" not in query_of(shop, by="attributed_channel")
    assert "SMS" in query_of(shop, by="attributed_channel", where="attributed_channel == 'sms'")


def looked_up(texts, session_ids):
    """A shop whose orders have the channel of their session."""
    sessions = pl.DataFrame(
        {"session_id": range(len(texts)), "channel": texts, "started_at": [NOON] * len(texts)},
        schema_overrides={"channel": pl.String},
    )
    orders = orders_of(session_id=pl.Series(session_ids, dtype=pl.Int64))
    return fk.Shop(orders=orders, sessions=sessions)


@given(
    st.lists(st.sampled_from(TEXTS), min_size=1, max_size=6),
    st.lists(st.none() | st.integers(0, 7), min_size=1, max_size=8),
)
@example(["sms", "email"], [0, 1, 1, None, 7])
@example(["sms", ""], [0, 1, None])
def test_spellings_that_are_looked_up_are_one_group(texts, session_ids):
    found = fk.evaluate(looked_up(texts, session_ids), "orders", by="channel").frame
    known = dict(enumerate(texts))
    channels = [(known.get(number) or "").strip().lower() or None for number in session_ids]
    assert {key and key.lower(): count for key, count in found.rows()} == Counter(channels)


def test_words_that_are_looked_up_and_only_grouped_by_are_read_as_they_are():
    shop = looked_up(["sms", "email"], [0, 1, None])
    fk.evaluate(shop, "orders", by="channel")
    assert "SMS" not in query_of(shop, by="channel")
    assert "SMS" in query_of(shop, by="channel", where="channel == 'sms'")

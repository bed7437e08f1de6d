"""Journeys of tables in a database, and beside the step rates of the catalogue."""

import datetime as dt
from itertools import pairwise
from random import Random

import duckdb
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import funnelkit as fk
from funnelkit.demo_shop.shop import demo_frames

FIRST = dt.datetime(2024, 5, 1, 9)
MINUTE = dt.timedelta(minutes=1)
FLAGS = {
    "view_item": fk.Sessions.has_product_view,
    "add_to_cart": fk.Sessions.has_add_to_cart,
    "begin_checkout": fk.Sessions.has_checkout,
}


def drawn(seed, as_of=None):
    """Sessions with events in any order; some sessions have none, some events no session."""
    draw = Random(seed)
    rows = [
        (draw.choice([*range(30), None]), FIRST + draw.randrange(60) * MINUTE, name)
        for _ in range(80)
        for name in [draw.choice([*FLAGS, "purchase", "scroll"])]
    ]
    events = pl.DataFrame(rows, ["session_id", "occurred_at", "event_name"], orient="row")
    sessions = pl.DataFrame({"session_id": range(35), "started_at": FIRST, "is_bot": False})
    is_bot = pl.col("session_id") % 7 == 0
    sessions = sessions.with_columns(is_bot.alias("is_bot"))
    return fk.Shop(events=events, sessions=sessions, as_of=as_of)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.none() | st.integers(20, 70))
@example(1, 30)
def test_step_rates_are_funnels_of_sessions_in_any_order(seed, minutes):
    shop = drawn(seed, None if minutes is None else FIRST + minutes * MINUTE)
    for start, to in pairwise(FLAGS):
        rate = fk.catalog.step_conversion_rate(start=FLAGS[start], to=FLAGS[to])
        found = fk.funnel(shop, [start, to], entity="session_id", order="any").frame
        told = fk.evaluate(shop, rate).tidy().row(0, named=True)
        assert found["entities"].to_list() == [told["denominator"], told["numerator"]]
        assert found["step_rate"][1] == told["value"]
    names = ["cart_to_checkout_rate", "product_page_to_checkout_rate"]
    pairs = [("add_to_cart", "begin_checkout"), ("view_item", "begin_checkout")]
    for name, pair in zip(names, pairs, strict=True):
        found = fk.funnel(shop, pair, entity="session_id", order="any").frame
        assert found["step_rate"][1] == fk.evaluate(shop, name).frame.item()


@pytest.fixture(scope="module")
def shops():
    frames, connection = demo_frames(), duckdb.connect()
    for name, frame in frames.items():
        connection.register("frame", frame)
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM frame")
    settings = {"time_zone": "Europe/Warsaw", "currency": "PLN"}
    tables = {name: name for name in frames}
    return fk.Shop(**frames, **settings), fk.Shop.on(fk.DuckDB(connection), **tables, **settings)


STEPS = ("view_item", "add_to_cart", "purchase")
ANALYSES = {
    "funnel": lambda s: fk.funnel(s, STEPS, within="7d", by="channel", every="1q").frame,
    "strict": lambda s: fk.funnel(s, STEPS, order="strict").entities,
    "conversion": lambda s: fk.conversion(s, STEPS[0], STEPS[2], within="7d", by="device").frame,
    "sessionize": lambda s: fk.sessionize(s).frame,
    "cohorts": lambda s: fk.cohorts(s, by="channel").frame,
    "rolling": lambda s: fk.cohorts(s, every="30d", periods="rolling").frame,
    "growth": lambda s: fk.growth(s).frame,
    "rfm": lambda s: fk.rfm(s).frame,
    "durations": lambda s: fk.durations(s, "first_visit_to_order").survival(),
    "paths": lambda s: fk.paths(s).frame,
    "shares": lambda s: fk.intervals(s, SHARES, by="channel", every="1mo").frame,
    "sizes": lambda s: fk.intervals(s, ["sessions", "revenue_per_session"], by="device").frame,
    "guests": lambda s: fk.intervals(s, ["orders", "unique_visitors"], every="1q").frame,
}
SHARES = ["session_conversion_rate", "bounce_rate", "unique_visitors"]


@pytest.mark.parametrize("name", ANALYSES)
def test_tables_in_a_database_give_the_same(shops, name):
    one, two = (ANALYSES[name](shop) for shop in shops)
    assert one.height > 0
    assert_frame_equal(one, two, check_dtypes=False, check_row_order=False)


@pytest.mark.parametrize(
    "every", ["2h", "1d", ["2024-10-26T20:00", "2024-10-27T02:30", "2024-10-28"]]
)
def test_periods_are_labelled_as_those_of_kpis(every):
    """Also where the clock is set back: hours are those of the shop's zone."""
    hours = [dt.datetime(2024, 10, 26, 20) + dt.timedelta(hours=hour) for hour in range(9)]
    events = pl.DataFrame({"event_id": range(9), "occurred_at": hours}).with_columns(
        pl.lit("view_item").alias("event_name"), pl.col("event_id").alias("visitor_id")
    )
    shop = fk.Shop(events=events, time_zone="Europe/Warsaw")
    views = fk.Metric(name="views", formula="count(events)", description="Views.", direction="up")
    told = fk.evaluate(shop, views, every=every).frame.filter(pl.col("views") > 0)
    funnel = fk.funnel(shop, ["view_item"], every=every).frame
    starts = fk.conversion(shop, "view_item", "view_item", within="1h", every=every).frame
    assert_frame_equal(funnel.select("period", views="entities"), told)
    assert_frame_equal(starts.select("period", views="base"), told)


CUT = dt.datetime(2024, 5, 3)
NOT_BEFORE = "not before the as-of moment"


def known_later(*, is_day=False, until=None, key=pl.Int64):
    """A shop whose rows go on after the as-of moment, or end there."""
    at = [FIRST, FIRST + MINUTE, CUT - MINUTE, CUT, CUT + MINUTE, CUT + 4 * MINUTE]
    at = [*at, CUT + dt.timedelta(days=40)]
    rows = pl.DataFrame({"at": at, "who": 1}).with_row_index("id").cast({"id": key, "who": key})
    rows = rows.with_columns(pl.col("at").dt.date()) if is_day else rows
    rows = rows.filter(pl.col("at") < (until.date() if is_day else until)) if until else rows
    names = pl.Series([*STEPS, *STEPS, STEPS[0]])
    events = rows.select("at", visitor_id="who", event_name=names.head(rows.height))
    return fk.Shop(
        events=events.rename({"at": "occurred_at"}),
        sessions=rows.select(session_id="id", visitor_id="who", started_at="at"),
        orders=rows.select(
            order_id="id",
            customer_id="who",
            visitor_id="who",
            ordered_at="at",
            gross_amount=pl.lit(10.0),
            discount_amount=pl.lit(0.0),
        ),
        order_policy="all",
        assume_empty=["returns"],
        as_of=CUT,
    )


KNOWN = {
    "funnel": lambda s: fk.funnel(s, STEPS, within="7d", every="1mo"),
    "strict": lambda s: fk.funnel(s, STEPS, order="strict"),
    "conversion": lambda s: fk.conversion(s, STEPS[0], STEPS[2], within="7d"),
    "sessionize": fk.sessionize,
    "cohorts": fk.cohorts,
    "rolling": lambda s: fk.cohorts(s, every="30d", periods="rolling"),
    "order_to_order": lambda s: fk.durations(s, "order_to_order"),
    "first_visit_to_order": lambda s: fk.durations(s, "first_visit_to_order"),
    "sessions_to_order": lambda s: fk.durations(s, "sessions_to_order"),
    "paths": fk.paths,
}


@pytest.mark.parametrize("is_day", [False, True])
@pytest.mark.parametrize("name", KNOWN)
def test_rows_that_are_not_before_a_given_as_of_moment_are_not_known(name, is_day):
    found, wanted = (KNOWN[name](known_later(is_day=is_day, until=until)) for until in (None, CUT))
    assert_frame_equal(found.frame, wanted.frame)
    assert found.excluded.keys() - wanted.excluded.keys() == {NOT_BEFORE}


WIDTHS = [pl.Int8, pl.UInt32, pl.UInt64]


@pytest.mark.parametrize("name", KNOWN)
def test_keys_are_whole_numbers_of_any_width(name):
    wanted = KNOWN[name](known_later()).frame
    for width in WIDTHS:
        assert_frame_equal(KNOWN[name](known_later(key=width)).frame, wanted)


@pytest.mark.parametrize("name", ["funnel", "strict", "conversion", "sessionize", "paths"])
def test_an_entity_of_ones_own_may_be_any_whole_number(name):
    """As a hash is one of 64 bits without a sign."""
    ask = {
        "funnel": lambda s: fk.funnel(s, STEPS, within="7d", entity="who").entities,
        "strict": lambda s: fk.funnel(s, STEPS, order="strict", entity="who").entities,
        "conversion": lambda s: (
            fk.conversion(s, STEPS[0], STEPS[2], within="7d", entity="who").frame
        ),
        "sessionize": lambda s: fk.sessionize(s, entity="who").frame.drop("session_id"),
        "paths": lambda s: fk.paths(s, entity="who").frame,
    }[name]
    who = pl.Series([2**64 - 1, 2**63, 2**64 - 1, 2**63, 2**64 - 1, 5, None], dtype=pl.UInt64)
    names = [*STEPS, *STEPS, STEPS[0]]
    times = [FIRST + n * MINUTE for n in range(7)]
    events = pl.DataFrame({"who": who, "occurred_at": times, "event_name": names})
    small = {2**64 - 1: 3, 2**63: 2, 5: 1}
    wanted = ask(events.with_columns(pl.col("who").replace_strict(small, return_dtype=pl.UInt64)))
    found = ask(events)
    if "who" in wanted.columns:
        back = {few: many for many, few in small.items()}
        wanted = wanted.with_columns(pl.col("who").replace_strict(back, return_dtype=pl.UInt64))
    assert_frame_equal(found, wanted)


def test_every_result_is_a_table_in_a_notebook_and_text_in_a_terminal():
    shop = fk.demo()
    results = [
        fk.funnel(shop, ["view_item", "purchase"], within="7d"),
        fk.conversion(shop, "view_item", "purchase", within="7d"),
        fk.sessionize(shop, gap="30m"),
        fk.cohorts(shop, every="1q"),
        fk.growth(shop, every="1q"),
        fk.rfm(shop),
        fk.durations(shop, "order_to_order"),
        fk.paths(shop),
    ]
    for result in results:
        assert "<table" in result._repr_html_(), type(result)
        assert "<" not in repr(result).replace("<=", ""), type(result)


ORDERS = pl.DataFrame(
    {"order_id": [1, 2], "customer_id": [1, 1], "ordered_at": [FIRST, FIRST + MINUTE]}
)


@pytest.mark.parametrize("name", ["rolling", "growth", "between orders"])
def test_orders_of_which_it_is_not_known_which_count_are_not_counted(name):
    """As for a KPI of orders: without a status or a policy, cancelled ones may be among them."""
    ask = {**ANALYSES, "between orders": lambda s: fk.durations(s, "order_to_order")}[name]
    with pytest.raises(fk.MissingInputError, match=r"orders\.status.*order_policy='all'"):
        ask(fk.Shop(orders=ORDERS))
    ask(fk.Shop(orders=ORDERS, order_policy="all"))


def test_all_that_rows_lack_is_named_at_once():
    with pytest.raises(fk.MissingInputError) as error:
        fk.cohorts(fk.Shop(orders=ORDERS.select("order_id")))
    assert list(error.value.missing) == ["orders.customer_id", "orders.ordered_at", "orders.status"]
    events = pl.DataFrame({"occurred_at": [FIRST], "event_name": ["purchase"]})
    with pytest.raises(fk.MissingInputError, match=r"events\.visitor_id"):
        fk.funnel(events, ["purchase"])


@pytest.mark.parametrize(
    ("name", "ask"),
    [
        ("step_1", lambda e: fk.funnel(e, ["purchase"], entity="step_1")),
        ("finish", lambda e: fk.conversion(e, *STEPS[:2], within="1d", entity="finish")),
        ("session_id", lambda e: fk.sessionize(e, entity="session_id")),
    ],
)
def test_an_entity_with_the_name_of_a_column_of_the_result_is_refused(name, ask):
    events = pl.DataFrame({name: [1], "occurred_at": [FIRST], "event_name": ["purchase"]})
    with pytest.raises(fk.DefinitionError, match=rf"entity='{name}' is also.*my_{name}"):
        ask(events)

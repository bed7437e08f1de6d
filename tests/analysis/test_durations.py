"""Durations and survival curves against plain loops."""

import datetime as dt
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk

SEEDS = st.integers(0, 10_000)
FIRST = dt.datetime(2024, 1, 1)
HOUR = dt.timedelta(hours=1)
UNTIL = FIRST + 50 * HOUR


def drawn(seed):
    draw = Random(seed)
    visits = [(who, draw.randrange(40), draw.choice("pq")) for who in range(12)
              for _ in range(draw.randint(1, 4))]  # fmt: skip
    sessions = pl.DataFrame(visits, ["visitor_id", "hour", "channel"], orient="row").select(
        "visitor_id", "channel", started_at=pl.lit(FIRST) + pl.col("hour") * HOUR
    ).with_row_index("session_id")  # fmt: skip
    bought = [
        (number, session, who, who % 5, start + draw.randrange(9) * HOUR)
        for number, (session, who, start) in enumerate(
            sessions.select("session_id", "visitor_id", "started_at").rows()
        )
        if draw.random() < 0.4
    ]
    schema = ["order_id", "session_id", "visitor_id", "customer_id", "ordered_at"]
    types = {"order_id": pl.Int64, "session_id": pl.UInt32, "visitor_id": pl.Int64,
             "customer_id": pl.Int64, "ordered_at": pl.Datetime("us")}  # fmt: skip
    orders = pl.DataFrame(bought, schema, orient="row", schema_overrides=types)
    return sessions, orders.with_columns(status=pl.lit("paid"))


def shop_of(sessions, orders):
    return fk.Shop(sessions=sessions, orders=orders, as_of=UNTIL, order_policy="all")


def told(found):
    names = ["duration", "is_censored"]
    return sorted(found.frame.select(names).rows())


def seconds(elapsed):
    return elapsed.total_seconds()


def plain_first_visits(sessions, orders):
    found = []
    for (who,), visits in sessions.group_by("visitor_id"):
        first = visits["started_at"].min()
        own = orders.filter(pl.col("visitor_id") == who)["ordered_at"].min()
        found.append((seconds((own or UNTIL) - first), own is None))
    return sorted(found)


def plain_sessions(sessions, orders):
    found = []
    for (who,), visits in sessions.group_by("visitor_id"):
        own = orders.filter(pl.col("visitor_id") == who)["ordered_at"].min()
        times = visits["started_at"].to_list()
        found.append((float(sum(own is None or time <= own for time in times)), own is None))
    return sorted(found)


def plain_orders(_, orders):
    found = []
    for _, its in orders.group_by("customer_id"):
        times = sorted(its["ordered_at"])
        ends = [*times[1:], None]
        found += [(seconds((e or UNTIL) - t), e is None) for t, e in zip(times, ends, strict=True)]
    return sorted(found)


def plain_in_session(sessions, orders):
    starts = dict(sessions.select("session_id", "started_at").rows())
    rows = orders.select("session_id", "ordered_at").rows()
    return sorted((seconds(time - starts[session]), False) for session, time in rows)


@settings(max_examples=60)
@given(SEEDS)
def test_durations_are_what_plain_loops_give(seed):
    data = drawn(seed)
    shop = shop_of(*data)
    for journey, plainly in (
        ("first_visit_to_order", plain_first_visits),
        ("sessions_to_order", plain_sessions),
        ("order_to_order", plain_orders),
        ("session_to_order", plain_in_session),
    ):
        assert told(fk.durations(shop, journey)) == plainly(*data), journey


def plain_survival(rows):
    """Kaplan and Meier's product, duration by duration."""
    curve, stays = {}, 1.0
    for length in sorted({length for length, _ in rows}):
        at_risk = sum(other >= length for other, _ in rows)
        over = sum(other == length and not censored for other, censored in rows)
        stays *= 1 - over / at_risk
        curve[length] = (at_risk, stays)
    return curve


@settings(max_examples=60)
@given(SEEDS)
def test_the_survival_curve_is_the_product_of_kaplan_and_meier(seed):
    found = fk.durations(shop_of(*drawn(seed)), "first_visit_to_order", by="channel")
    for (channel,), rows in found.frame.group_by("channel"):
        own = found.survival().filter(pl.col("channel") == channel)
        plain = plain_survival(rows.select("duration", "is_censored").rows())
        assert own["duration"].to_list() == list(plain)
        assert own["at_risk"].to_list() == [at_risk for at_risk, _ in plain.values()]
        assert own["survival"].to_list() == pytest.approx([stays for _, stays in plain.values()])
        half = [length for length, (_, stays) in plain.items() if stays <= 0.5 + 1e-9]
        median = found.quantiles().filter(pl.col("channel") == channel, pl.col("quantile") == 0.5)
        assert median["duration"].item() == (min(half) if half else None)


JOURNEYS = ["session_to_order", "first_visit_to_order", "sessions_to_order", "order_to_order"]


@pytest.mark.parametrize("journey", JOURNEYS)
def test_a_filter_keeps_the_journeys_that_begin_so_as_a_key_does(journey):
    """What comes after the beginning need not match, and no later visit is made the first."""
    sessions, orders = drawn(7)
    shop = shop_of(sessions, orders.join(sessions.select("session_id", "channel"), "session_id"))
    kept = fk.durations(shop, journey, where="channel == 'p'").frame
    by = fk.durations(shop, journey, by="channel").frame.filter(pl.col("channel") == "p")
    assert kept.equals(by.drop("channel"))


def test_the_second_order_follows_the_first():
    times = [FIRST, FIRST + 3 * HOUR, FIRST + 9 * HOUR]
    orders = pl.DataFrame({"order_id": [1, 2, 3], "customer_id": 1, "ordered_at": times})
    shop = fk.Shop(orders=orders, order_policy="all")
    found = fk.durations(shop, "order_to_order", where="order_number == 1").frame
    assert found.select("duration", "is_censored").rows() == [(10_800.0, False)]


def test_of_visits_at_one_instant_the_filter_does_not_choose_the_first():
    visits = [(number, 1, FIRST, channel) for number, channel in enumerate(["p", "q", None])]
    names = ["session_id", "visitor_id", "started_at", "channel"]
    sessions = pl.DataFrame(visits, names, orient="row")
    shop = shop_of(sessions, drawn(1)[1].clear())
    filters = ["channel == 'p'", "channel == 'q'", "is_null(channel)"]
    told = [fk.durations(shop, "first_visit_to_order", where=one).frame for one in filters]
    assert sum(frame.height for frame in told) == 1


def test_without_censoring_the_curve_is_the_share_that_takes_longer():
    found = fk.durations(shop_of(*drawn(5)), "session_to_order")
    lengths = found.frame["duration"]
    shares = [(lengths > length).mean() for length in found.survival()["duration"]]
    assert found.survival()["survival"].to_list() == pytest.approx(shares)
    assert found.excluded["without an order"] > 0


def test_leaving_the_unfinished_out_makes_journeys_look_short():
    found = fk.durations(fk.demo(), "first_visit_to_order")
    quantiles = found.quantiles()
    assert quantiles["duration"].is_null().any()
    assert quantiles["of_finished"].null_count() == 0
    assert "journeys are not over" in repr(found)
    assert "quantile" in found._repr_html_()


def test_bad_questions_and_nobody():
    shop = shop_of(*drawn(1))
    with pytest.raises(fk.DefinitionError, match="order_to_order"):
        fk.durations(shop, "visit_to_death")
    with pytest.raises(fk.DefinitionError, match="bind the frames"):
        fk.durations(drawn(1)[0], "order_to_order")
    with pytest.raises(fk.MissingInputError):
        fk.durations(fk.Shop(sessions=drawn(1)[0]), "first_visit_to_order")
    sessions, orders = drawn(1)
    nobody = fk.durations(shop_of(sessions.clear(), orders.clear()), "order_to_order")
    assert nobody.frame.is_empty()
    assert nobody.quantiles()["duration"].null_count() == 5


def test_a_day_and_a_time_are_not_compared():
    sessions, orders = drawn(1)
    shop = shop_of(sessions, orders.with_columns(pl.col("ordered_at").dt.date()))
    with pytest.raises(fk.DefinitionError, match="one is a day and the other a time"):
        fk.durations(shop, "first_visit_to_order")


def test_a_day_that_is_not_known_censors_no_journey():
    days = [dt.date(2024, 5, day) for day in (1, 3)]
    orders = pl.DataFrame({"order_id": [1, 2], "customer_id": [1, 2], "ordered_at": days})
    for as_of, wanted in ((None, [2, 0]), ("2024-05-04", [2, 0]), ("2024-05-06", [4, 2])):
        shop = fk.Shop(orders=orders, order_policy="all", as_of=as_of)
        found = fk.durations(shop, "order_to_order").frame["duration"]
        assert (found / 86_400).to_list() == wanted


def test_orders_after_the_as_of_moment_end_no_journey():
    times = [dt.datetime(2024, 5, day) for day in (1, 3, 20)]
    orders = pl.DataFrame({"order_id": [1, 2, 3], "customer_id": 1, "ordered_at": times})
    shop = fk.Shop(orders=orders, order_policy="all", as_of="2024-05-10")
    found = fk.durations(shop, "order_to_order")
    assert found.frame["duration"].to_list() == [2 * 86_400.0, 7 * 86_400.0]
    assert found.frame["is_censored"].to_list() == [False, True]
    assert found.excluded == {"not before the as-of moment": 1}

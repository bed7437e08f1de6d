"""Intervals: published cases, plain Python on small frames, and what has none."""

import datetime as dt
from dataclasses import replace
from math import nextafter, sqrt
from statistics import NormalDist, median

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import funnelkit as fk
from funnelkit.demo_shop.shop import demo_frames
from funnelkit.engines.polars import translate
from funnelkit.engines.polars.sorted_units import count_alike
from funnelkit.evaluation.arguments import ask
from funnelkit.evaluation.evaluate import plan_question
from funnelkit.sampling.interval import of_quantile, of_ratio, of_share, of_total
from funnelkit.sampling.moments import ABOVE, BELOW, moments_over, wilson

NOON = dt.datetime(2024, 5, 1, 12)
Z = NormalDist().inv_cdf(0.975)
CAMPAIGNS = pl.DataFrame(
    {
        "date": [NOON.date()],
        "platform": ["a"],
        "campaign_id": [1],
        "impressions": [9],
        "clicks": [1],
    }
)
TEN_VISITORS = [(3, 3), (0, 2), (0, 5), (0, 1), (1, 2), (0, 4), (6, 6), (1, 1), (0, 3), (0, 3)]
VISITS = st.lists(
    st.integers(1, 4).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=20,
    max_size=30,
)


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def moments(pairs):
    units = pl.DataFrame(pairs, schema={ABOVE: pl.Float64, BELOW: pl.Float64}, orient="row")
    return moments_over(units, (ABOVE, BELOW))


def visits(pairs, **columns):
    """A shop whose visitors have so many sessions with a purchase, of so many."""
    rows = [(v, i < bought) for v, (bought, n) in enumerate(pairs) for i in range(n)]
    sessions = pl.DataFrame(
        {
            "session_id": range(len(rows)),
            "visitor_id": [visitor for visitor, _ in rows],
            "started_at": [NOON] * len(rows),
            "has_purchase": [bought for _, bought in rows],
            **columns,
        }
    )
    return fk.Shop(sessions=sessions)


def orders(customers, amounts, **columns):
    rows = len(amounts)
    frame = pl.DataFrame(
        {
            "order_id": range(rows),
            "customer_id": customers,
            "ordered_at": [NOON] * rows,
            "is_counted": [True] * rows,
            "gross_amount": amounts,
            "discount_amount": [0.0] * rows,
            **columns,
        }
    )
    return fk.Shop(orders=frame, currency="EUR", assume_empty=["returns"])


def row_of(shop, metric, **question):
    return fk.intervals(shop, metric, **question).frame.row(0, named=True)


@pytest.mark.parametrize(
    ("hits", "size", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_a_share_of_independent_rows_has_the_interval_that_newcombe_published(
    hits, size, low, high
):
    assert wilson(hits / size, size, Z) == pytest.approx((low, high), abs=5e-5)


def test_the_spread_between_visitors_widens_a_conversion_rate():
    found = of_share(moments(TEN_VISITORS), Z)
    assert found.se == close(0.1830019451649528)
    assert found.effective_n == close(6.934136151388545)
    assert (found.low, found.high) == close((0.12257351390653298, 0.7058254767297842))
    assert found.design_effect == close(4.326422115895803)
    normal = of_ratio(moments(TEN_VISITORS), (None, None), Z)
    assert (normal.low, normal.high) == close((0.007989445042585419, 0.7253438882907479))


def test_the_number_of_customers_is_random_too():
    assert of_total(moments([(10, 0), (20, 0), (30, 0)]), 60, (0, None), Z).se == close(
        37.416573867739416
    )
    assert of_total(moments([(1, 0)] * 3 + [(5, 0)]), 8, (0, None), Z).se == close(
        5.291502622129181
    )


def test_a_median_lies_between_quantiles_as_far_apart_as_its_customers_let_them():
    values = {
        "a": [10, 12, 50],
        "b": [20],
        "c": [15, 16],
        "d": [40, 45],
        "e": [30],
        "f": [22, 18],
        "g": [60],
        "h": [25, 27, 29],
        "i": [35],
        "j": [14],
    }
    rows = [(unit, float(value)) for unit, own in values.items() for value in own]
    frame = pl.DataFrame(rows, schema=["unit", "value"], orient="row")
    share, found = of_quantile(frame, 25.0, 0.5, Z)
    assert (share.ratio, share.ratio_se) == close((0.5294117647058824, 0.1343107416656022))
    assert (found.low, found.high) == close((15.788092537576905, 36.05953731211548))


def test_a_median_of_a_shop_is_folded_to_its_customers():
    customers, amounts = [n // 3 for n in range(66)], [float(n * 7 % 41) for n in range(66)]
    found = row_of(orders(customers, amounts), "median_order_value")
    rows = pl.DataFrame({"unit": customers, "value": amounts})
    expected = of_quantile(rows, median(amounts), 0.5, Z)[1]
    assert [found[name] for name in ("value", "low", "high", "se")] == close(
        [median(amounts), expected.low, expected.high, expected.se]
    )
    assert (found["units"], found["method"]) == (22, "quantile")


def test_a_day_may_be_the_unit():
    counts = [n % 5 + 1 for n in range(31)]
    days = [NOON + dt.timedelta(days=day) for day, count in enumerate(counts) for _ in range(count)]
    customers = list(range(len(days)))
    shop = orders(customers, [1.0] * len(days), ordered_at=days)
    found = row_of(shop, "orders", unit="day", every="1mo")
    assert (found["units"], found["se"]) == (31, close(sqrt(sum(n * n for n in counts))))


def test_with_one_row_per_unit_the_effective_size_is_one_less():
    found = row_of(visits([(1, 1)] * 9 + [(0, 1)] * 31), "session_conversion_rate")
    assert found["effective_n"] == close(39)
    assert found["se"] == close(0.06686668711812967)
    assert (found["low"], found["high"]) == close((0.12220763524372599, 0.37710913429543835))
    assert (found["method"], found["unit_of"], found["units"]) == ("wilson", "visitor_id", 40)


def test_nps_is_a_mean_of_one_nought_and_minus_one():
    scores = [10] * 60 + [7] * 20 + [3] * 20
    surveys = pl.DataFrame(
        {
            "response_id": range(100),
            "customer_id": range(100),
            "responded_at": [NOON] * 100,
            "survey_type": ["nps"] * 100,
            "score": scores,
        }
    )
    found = row_of(fk.Shop(surveys=surveys), "nps")
    assert (found["value"], found["se"]) == close((40.0, 8.040302522073697))
    assert (found["method"], found["unit_of"]) == ("delta", "respondent")


def test_each_visitor_adds_one_to_a_count_of_visitors():
    found = row_of(visits([(0, 1)] * 900), "unique_visitors")
    assert (found["value"], found["se"], found["method"]) == (900, close(30), "distinct")


def plain(pairs):
    """The interval of a share written out: the delta method, then Wilson."""
    n, x, y = len(pairs), sum(a for a, _ in pairs), sum(b for _, b in pairs)
    r = x / y
    if r in {0, 1}:
        size = n
    else:
        rest = sum((a - r * b) ** 2 for a, b in pairs)
        size = r * (1 - r) / (rest / (n - 1) * n / y**2) if rest else None
    if size is None:
        return r, r
    centre = (r + Z**2 / 2 / size) / (1 + Z**2 / size)
    half = Z / (1 + Z**2 / size) * sqrt(r * (1 - r) / size + Z**2 / 4 / size**2)
    return min(r, centre - half), max(r, centre + half)


@given(VISITS)
@example([(1, 2)] * 20)
@example([(0, 1)] * 20)
@settings(max_examples=15)
def test_a_conversion_rate_has_the_interval_of_its_words(pairs):
    found = row_of(visits(pairs), "session_conversion_rate")
    assert (found["low"], found["high"]) == pytest.approx(plain(pairs), rel=1e-7, abs=1e-9)
    assert found["low"] <= found["value"] <= found["high"]
    wider = row_of(visits(pairs), "session_conversion_rate", level=0.99)
    assert wider["low"] <= found["low"]
    assert wider["high"] >= found["high"]


@given(VISITS)
@settings(max_examples=10)
def test_rows_doubled_within_units_say_nothing_new_and_units_doubled_do(pairs):
    once = row_of(visits(pairs), "session_conversion_rate")
    rows = row_of(visits([(2 * a, 2 * b) for a, b in pairs]), "session_conversion_rate")
    assert rows["se"] == pytest.approx(once["se"], rel=1e-9, abs=1e-15)
    units = row_of(visits(pairs * 4), "session_conversion_rate")
    n = len(pairs)
    factor = sqrt((n - 1) / (4 * n - 1))
    assert units["se"] == pytest.approx(once["se"] * factor, rel=1e-9, abs=1e-15)
    total = [row_of(visits(each), "sessions")["se"] for each in (pairs, pairs * 4)]
    assert total[1] == close(2 * total[0])


def test_the_spread_is_that_of_shops_drawn_again():
    rng = np.random.default_rng(3)
    count = rng.geometric(0.25, 300)
    pairs = np.column_stack([rng.binomial(count, rng.beta(0.4, 4, 300)), count])
    drawn = pairs[rng.integers(0, 300, (2000, 300))].sum(axis=1)
    se = row_of(visits(pairs.tolist()), "session_conversion_rate")["se"]
    assert se == pytest.approx((drawn[:, 0] / drawn[:, 1]).std(), rel=0.1)


@pytest.mark.slow
def test_every_kpi_has_an_interval_around_its_value_or_says_why_not():
    shop, year = fk.demo(), {"start": "2024-01-01", "end": "2025-01-01"}
    asked, refused = list[fk.Metric](), list[str]()
    for metric in {m.name: m for m in fk.registry().values()}.values():
        if metric.required_dimension or metric.compares_periods:
            continue
        try:
            fk.intervals(shop, metric, **year)
        except fk.DefinitionError as error:
            refused.append(str(error))
        else:
            asked.append(metric)
    assert not [text for text in refused if "name nobody" not in text]
    frame = fk.intervals(shop, asked, **year).frame
    assert frame["method"].count() > 100
    has_one = pl.col("low").is_not_null()
    inside = (pl.col("low") <= pl.col("value")) & (pl.col("value") <= pl.col("high"))
    assert frame.filter(has_one & ~inside).is_empty()
    assert frame.filter(~has_one & pl.col("reason").is_null()).is_empty()
    numbers = frame.select(pl.col(pl.Float64)).fill_null(0)
    assert numbers.select(pl.all_horizontal(pl.all().is_finite()).all()).item()


def test_money_in_cents_has_a_hundred_times_the_spread():
    customers, amounts = [n // 2 for n in range(60)], [float(n % 7) for n in range(60)]
    one = row_of(orders(customers, amounts), "aov")
    cents = row_of(orders(customers, [100 * amount for amount in amounts]), "aov")
    assert [cents[name] for name in ("value", "se", "low")] == close(
        [100 * one[name] for name in ("value", "se", "low")]
    )


def test_what_is_added_to_every_order_is_not_spread():
    customers, amounts = [n * n % 23 for n in range(80)], [float(n % 7) for n in range(80)]
    customers += [100 + n for n in range(20)]
    amounts += [3.0] * 20
    one = row_of(orders(customers, amounts), "aov")
    for more in (1e3, 1e6, 1e9):
        large = row_of(orders(customers, [more + amount for amount in amounts]), "aov")
        assert large["se"] == pytest.approx(one["se"], rel=1e-6)


def test_an_interval_is_the_same_whatever_else_is_asked():
    asked = ["cart_to_checkout_rate", "session_conversion_rate"]
    shop = visits(
        TEN_VISITORS * 3,
        has_add_to_cart=[i % 3 == 0 for i in range(90)],
        has_checkout=[i % 6 == 0 for i in range(90)],
    )
    both = fk.intervals(shop, asked).frame
    alone = [fk.intervals(shop, each).frame for each in asked]
    assert both.equals(pl.concat(alone))


@pytest.mark.parametrize("by", [(), "channel", ["device", "channel"]])
@pytest.mark.parametrize("every", [None, "1mo"])
def test_an_interval_is_the_same_however_units_are_counted(monkeypatch, by, every):
    """By grouping, and by sorting; and where some rows name no visitor, or no channel."""
    frames = demo_frames()
    sessions = (
        frames["sessions"]
        .with_row_index()
        .with_columns(
            visitor_id=pl.when(pl.col("index") % 9 > 0).then("visitor_id"),
            channel=pl.when(pl.col("index") % 7 > 0).then("channel"),
        )
    )
    shops = [fk.Shop(sessions=sessions.drop("index"), orders=frames["orders"]) for _ in range(2)]
    asked = ["session_conversion_rate", "bounce_rate", "unique_visitors", "sessions"]
    grouped = fk.intervals(shops[0], asked, by=by, every=every).frame
    calls = []
    monkeypatch.setattr(translate, "PACKED_FROM", 1)
    monkeypatch.setattr(
        translate, "count_alike", lambda *a: calls.append(count_alike(*a)) or calls[-1]
    )
    counted = fk.intervals(shops[1], asked, by=by, every=every).frame
    assert [each is None for each in calls] == [False]
    assert_frame_equal(counted, grouped, rel_tol=1e-12)
    values = fk.evaluate(shops[0], asked, by=by, every=every).tidy()
    assert counted.select("metric", "value", "unit").equals(
        values.select("metric", "value", "unit")
    )


@pytest.mark.parametrize(
    ("formula", "is_counted"),
    [
        ("count(sessions)", True),
        ("count_distinct(sessions.visitor_id)", True),
        ("count_distinct(sessions.session_id)", True),
        ("count_distinct(sessions.channel)", False),
        ("sum(sessions.page_views)", False),
        ("count(orders) / count(sessions)", False),
    ],
)
def test_only_rows_and_units_are_counted_for_each_unit(formula, is_counted):
    asked = fk.Metric(name="asked", formula=formula, description="Asked.", direction="up")
    shop = fk.demo()
    question = replace(ask(shop), unit=fk.Dimension("visitor_id"))
    assert plan_question(shop, [asked], question).only_counts is is_counted


@pytest.mark.parametrize("name", ["sessions", "session_conversion_rate", "unique_visitors"])
@pytest.mark.parametrize("rows", [1, 100_000])
def test_a_group_that_is_a_unit_is_one_unit(monkeypatch, name, rows):
    monkeypatch.setattr(translate, "PACKED_FROM", rows)
    shop = visits([(1, 2), (1, 1)])
    found = fk.intervals(shop, name, by="visitor_id").frame
    assert found["visitor_id"].to_list() == [0, 1]
    assert found.select("units", "reason").rows() == [(1, "few_units")] * 2


def test_days_outside_of_all_periods_are_no_units():
    days = [NOON + dt.timedelta(days=day) for day in range(40)]
    sessions = pl.DataFrame({"session_id": range(40), "visitor_id": range(40), "started_at": days})
    shop = fk.Shop(sessions=sessions)
    every = [dt.date(2024, 5, 6), dt.date(2024, 6, 1), dt.date(2024, 6, 5)]
    found = fk.intervals(shop, "sessions", every=every, unit="day").frame
    assert found.select("period", "value", "units").rows() == [
        (every[0], 26.0, 26),
        (every[1], 4.0, 4),
    ]
    late = [dt.date(2024, 8, 1), dt.date(2024, 9, 1)]
    assert fk.intervals(shop, "sessions", every=late, unit="day").frame.is_empty()


@pytest.mark.parametrize("name", ["#units", "#is named", "#above sum", "#lowest"])
def test_a_key_named_like_a_column_in_between_is_refused(name):
    shop = visits(TEN_VISITORS * 3, **{name: ["x"] * 90})
    with pytest.raises(fk.DefinitionError, match=f"by='{name}' is also the name of a column"):
        fk.intervals(shop, "session_conversion_rate", by=name)


def test_what_days_need_is_needed_by_the_metric_that_was_asked():
    sessions = pl.DataFrame({"session_id": [1], "visitor_id": [1], "has_purchase": [True]})
    with pytest.raises(fk.MissingInputError) as caught:
        fk.intervals(fk.Shop(sessions=sessions), "session_conversion_rate", unit="day")
    assert "needed by session_conversion_rate" in str(caught.value)


def test_guests_are_units_of_their_own():
    known = row_of(orders(list(range(40)), [float(n) for n in range(40)]), "gross_sales")
    guests = row_of(
        orders([None] * 20 + list(range(20)), [float(n) for n in range(40)]), "gross_sales"
    )
    assert guests == known
    assert known["se"] == close(sqrt(sum(n * n for n in range(40))))


def test_rows_that_name_nobody_and_have_no_key_end_an_interval_above_five_percent():
    def found(nameless):
        frame = pl.DataFrame(
            {
                "visitor_id": [None] * nameless + list(range(100 - nameless)),
                "started_at": [NOON] * 100,
            }
        )
        return row_of(fk.Shop(sessions=frame), "sessions")

    assert (found(5)["reason"], found(5)["without_unit"]) == (None, close(0.05))
    assert found(5)["se"] == close(sqrt(95) * 100 / 95)
    assert (found(6)["reason"], found(6)["low"]) == ("rows_without_unit", None)


def test_a_value_beyond_its_bounds_is_not_the_end_of_its_interval():
    amounts = [-10.0 - n % 3 for n in range(30)]
    row = row_of(orders(list(range(30)), amounts), "gross_sales")
    half = NormalDist().inv_cdf(0.975) * sqrt(sum(amount**2 for amount in amounts))
    assert (row["low"], row["high"]) == close((sum(amounts) - half, sum(amounts) + half))


@pytest.mark.parametrize("level", [1e-17, nextafter(1, 0)])
def test_the_lowest_and_the_highest_level_have_intervals(level):
    shop = orders([n % 40 for n in range(80)], [10.0 + n for n in range(80)])
    for name in ("median_order_value", "gross_sales"):
        row = row_of(shop, name, level=level)
        assert row["low"] <= row["value"] <= row["high"]


def test_fewer_than_twenty_units_have_no_interval():
    found = row_of(visits([(1, 1)] * 9 + [(0, 1)] * 10), "session_conversion_rate")
    assert (found["reason"], found["units"], found["low"]) == ("few_units", 19, None)


def test_what_is_not_covered_is_null_with_the_reason():
    shop = orders(list(range(30)), [1.0] * 30)
    largest = fk.Metric(name="largest", formula=fk.Max(fk.Orders.gross_amount))
    frame = fk.intervals(shop, [largest, "repeat_purchase_rate"]).frame
    assert frame["reason"].to_list() == ["not_covered"] * 2
    assert frame["value"].to_list() == [1.0, 0.0]


def test_each_period_and_group_is_folded_anew():
    pairs = [(n % 2, 2) for n in range(50)]
    shop = visits(pairs, device=["mobile" if n % 4 < 2 else "desktop" for n in range(100)])
    frame = fk.intervals(shop, "session_conversion_rate", by="device", every="1mo").frame
    assert frame["units"].to_list() == [25, 25]
    apart = [
        fk.intervals(shop, "session_conversion_rate", where=f"device == '{d}'").frame
        for d in ("desktop", "mobile")
    ]
    assert frame.select("low", "high").equals(pl.concat(apart).select("low", "high"))


def test_units_that_share_what_is_counted_do_not_add_up():
    buyers = fk.Metric(name="buyers", formula=fk.Count(fk.PerKey(fk.Orders.customer_key)))
    shop = orders([n // 2 for n in range(60)], [1.0] * 60)
    assert row_of(shop, buyers)["se"] == close(sqrt(30))
    with pytest.raises(fk.DataError, match="units add up to 60, the whole is 30"):
        fk.intervals(shop, buyers, unit="order_id")


def test_tables_that_name_nobody_and_arguments_that_are_wrong_are_refused():
    with pytest.raises(fk.DefinitionError, match="campaign_performance name nobody"):
        fk.intervals(fk.Shop(campaign_performance=CAMPAIGNS), "click_through_rate")
    shop = visits([(1, 1)])
    for wrong, why in [
        ({"level": 95}, "not between 0 and 1"),
        ({"level": "high"}, "level='high' is not between 0 and 1"),
        ({"unit": "visitor_id", "by": "visitor_id"}, "also in by"),
        ({"by": fk.Dimension("units", sessions="visitor_id")}, "name of a column"),
        ({"unit": "day", "every": "1h"}, "longer than a period"),
    ]:
        with pytest.raises(fk.DefinitionError, match=why):
            fk.intervals(shop, "sessions", **wrong)
    with pytest.raises(fk.UnknownNameError, match="did you mean 'visitor_id'"):
        fk.intervals(shop, "sessions", unit="vistor_id")


def test_it_reads_with_plus_and_minus():
    text = repr(fk.intervals(visits([(1, 1)] * 9 + [(0, 1)] * 31), "session_conversion_rate"))
    assert "22.50 %  12.75 %  12.22 %  37.71 %" in text
    assert "95 % of such intervals hold the true value" in text

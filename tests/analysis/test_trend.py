"""Trends: which periods stand out, and what is said where that cannot be known."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk

MONDAY = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
WEEKDAYS = [100, 80, 90, 95, 120, 160, 155]
WEEKDAYS += [104, 84, 90, 99, 124, 164, 151]
WEEKDAYS += [96, 76, 96, 91, 122, 156, 163]
RELATIVES = [0.869205298013245, 0.695364238410596, 0.7996688741721855, 0.8257450331125827]
RELATIVES += [1.060430463576159, 1.390728476821192, 1.3588576158940397]
SERIES = st.lists(st.integers(1, 9), min_size=12, max_size=20)


def daily(counts, metrics="orders", every="1d", **options):
    """Evaluate a shop with so many orders on each day, from a Monday."""
    days = [day for day, count in enumerate(counts) for _ in range(count)]
    orders = {"ordered_at": [MONDAY + dt.timedelta(days=day) for day in days]}
    return evaluated(orders, len(counts), metrics, every=every, **options)


def evaluated(orders, days, metrics, **options):
    """Evaluate a shop with these columns of orders, known for so many days from a Monday."""
    count = len(orders["ordered_at"])
    frame = pl.DataFrame(
        {"order_id": range(count), "customer_id": range(count), "is_counted": [True] * count}
        | orders,
        schema_overrides={"ordered_at": pl.Datetime("us", "UTC")},
    )
    end = MONDAY.replace(hour=0) + dt.timedelta(days=days)
    shop = fk.Shop(orders=frame, currency="PLN", as_of=end)
    return fk.evaluate(shop, metrics, **options)


def by_country(counts, **options):
    """Evaluate orders of each day by country."""
    rows = [
        (MONDAY + dt.timedelta(days=day), country)
        for country, own in counts.items()
        for day, count in enumerate(own)
        for _ in range(count)
    ]
    orders = {"ordered_at": [at for at, _ in rows], "country": [name for _, name in rows]}
    days = max(map(len, counts.values()))
    return evaluated(orders, days, "orders", every="1d", by="country", **options)


def test_a_week_is_taken_out_before_days_are_judged():
    frame = fk.trend(daily(WEEKDAYS), season="weekday").frame
    centre = 115.04761904761905
    assert frame["expected"].to_list() == pytest.approx([each * centre for each in RELATIVES * 3])
    assert frame["lower"][0] == pytest.approx(90.66755738072223)
    assert frame["upper"][0] == pytest.approx(109.33244261927776)
    plain = fk.trend(daily(WEEKDAYS)).frame
    assert plain["lower"][0] == pytest.approx(56.423707928919114)


def test_fewer_than_six_periods_have_no_limits():
    frame = fk.trend(daily([3, 4, 5, 4, 3])).frame
    assert frame["reason"].unique().to_list() == ["few_periods"]
    assert frame["expected"].null_count() == 5


def test_twelve_periods_make_limits_firm():
    assert set(fk.trend(daily([3, 4] * 5)).frame["limits"]) == {"provisional"}
    assert set(fk.trend(daily([3, 4] * 6)).frame["limits"]) == {"firm"}


def test_equal_values_leave_every_other_value_outside():
    span = ("2024-01-01", "2024-01-08")
    frame = fk.trend(daily([4] * 7 + [5]), baseline=span).frame
    assert frame["outside"].to_list() == [False] * 7 + [True]
    assert frame["verdict"][7] == "better"
    assert set(frame["reason"]) == {"no_variation"}
    assert frame["z"].null_count() == 8


def test_new_limits_hold_after_a_break():
    frame = fk.trend(daily([2, 3] * 4 + [8, 9] * 4), breaks=["2024-01-09"]).frame
    assert frame["phase"].to_list() == [0] * 8 + [1] * 8
    assert frame["expected"].unique().sort().to_list() == [2.5, 8.5]
    assert frame["signal"].null_count() == 16


def test_a_count_that_is_mostly_zero_wants_longer_periods():
    frame = fk.trend(daily([1, 0, 0, 1, 0, 0, 1, 0, 0, 1])).frame
    assert frame.height == 10
    assert set(frame["reason"]) == {"mostly_zero"}


def test_too_few_whole_weeks_have_no_season():
    frame = fk.trend(daily(WEEKDAYS[:20]), season="weekday").frame
    assert set(frame["reason"]) == {"few_cycles"}


@pytest.mark.parametrize(
    ("target", "answer"),
    [(40, "consistent_fail"), (1, "consistent_pass"), (8, "inconsistent")],
)
def test_a_target_is_judged_by_what_the_process_does(target, answer):
    frame = fk.trend(daily([7, 8, 9, 8] * 4), target=target).frame
    assert set(frame["assurance"]) == {answer}


def test_every_fault_is_named_at_once():
    result = daily([3] * 8, ["orders", "customers"], every="1w")
    with pytest.raises(fk.DefinitionError) as caught:
        fk.trend(
            result,
            season="weekday",
            baseline=("2024-01-01", "2024-01-02"),
            breaks=["2024-01-03"],
            target=1,
        )
    for word in ("not 1w", "breaks=", "the result has 2"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"season": ["weekday"]}, "season is a list"),
        ({"target": "5"}, "target is a str"),
        ({"breaks": "2024-01-03"}, "breaks is a str"),
        ({"baseline": ("2024-01-01",)}, "has 1 moments"),
        ({"baseline": "2024-01-01"}, "baseline is a str"),
        ({"baseline": (None, "2024-01-03")}, "baseline is a NoneType: None"),
    ],
    ids=str,
)
def test_an_argument_of_another_kind_is_refused_in_words(arguments, told):
    with pytest.raises(fk.DefinitionError, match=told):
        fk.trend(daily([3] * 8), **arguments)


def test_every_moment_that_cannot_be_read_is_named_at_once():
    with pytest.raises(fk.DefinitionError) as caught:
        fk.trend(daily([3] * 8), baseline=("soon", 5), breaks=["later"], season="month")
    for word in ("'soon' is not", "baseline is an int: 5", "'later' is not", "season='month'"):
        assert word in str(caught.value)
    with pytest.raises(fk.DefinitionError) as caught:
        fk.trend(daily([3] * 8), season=7, target="5")
    assert "season is an int" in str(caught.value)
    assert "target is a str" in str(caught.value)


def test_what_is_no_result_is_refused_in_words():
    with pytest.raises(fk.DefinitionError, match="result is a Shop"):
        fk.trend(fk.demo())


def test_a_limit_that_cannot_be_reached_is_none_and_says_so():
    frame = fk.trend(daily([1, 9] * 6)).frame
    assert frame["lower"].null_count() == 12
    assert frame["upper"].null_count() == 0
    assert set(frame["reason"]) == {"at_bound"}


def test_a_result_without_periods_has_no_trend():
    with pytest.raises(fk.DefinitionError, match="no periods"):
        fk.trend(fk.evaluate(fk.demo(), "orders"))


def test_an_empty_range_has_no_rows():
    result = fk.evaluate(fk.demo(), "orders", every="1w", start="1999-01-01", end="1999-02-01")
    assert fk.trend(result).frame["expected"].null_count() == fk.trend(result).frame.height


def test_it_is_read_in_a_terminal_and_in_a_notebook():
    weeks = fk.evaluate(fk.demo(), ["orders", "average_order_value"], every="1w")
    found = fk.trend(weeks)
    expected = found.frame.filter(pl.col("metric") == "average_order_value")["expected"][1]
    assert expected == pytest.approx(623, abs=1)
    assert f"{expected:.2f} PLN" in repr(found)
    assert "<table " in found._repr_html_()
    assert "2 charts" in repr(found)


@settings(max_examples=8)
@given(SERIES)
def test_later_values_do_not_move_a_frozen_baseline(counts):
    span = ("2024-01-01", "2024-01-11")
    one, two = (
        fk.trend(daily(each), baseline=span).frame.head(len(counts))
        for each in (counts, [*counts, 40, 1])
    )
    assert one["expected"].equals(two["expected"])
    assert one["upper"].equals(two["upper"])


@settings(max_examples=8)
@given(SERIES)
def test_an_incomplete_period_changes_nothing(counts):
    days = daily([*counts, 30], end="2024-03-01")
    cut = dt.datetime(2024, 1, 1, 18) + dt.timedelta(days=len(counts))
    opened = fk.trend(daily([*counts, 30], end=cut)).frame
    assert opened["reason"][-1] == "incomplete_period"
    assert opened["expected"][-1] is None
    whole = fk.trend(daily(counts)).frame
    assert opened.head(len(counts))["expected"].equals(whole["expected"])
    assert not fk.trend(days).frame["expected"].equals(opened["expected"])


def test_hours_are_judged_by_their_place_in_the_week():
    hours = [hour % 168 // 24 + 1 + (hour % 24 == 12) for hour in range(5 * 168)]
    hours[700] = 40
    moments = [
        MONDAY.replace(hour=0) + dt.timedelta(hours=hour)
        for hour, count in enumerate(hours)
        for _ in range(count)
    ]
    result = evaluated({"ordered_at": moments}, 35, "orders", every="1h")
    span = ("2024-01-01", "2024-01-29")
    frame = fk.trend(result, season="hour_of_week", baseline=span).frame
    assert frame["expected"].to_list() == pytest.approx([*hours[:168]] * 5)
    assert frame.filter("outside")["value"].to_list() == [40]
    short = fk.trend(result, season="hour_of_week", baseline=("2024-01-01", "2024-01-28")).frame
    assert set(short["reason"]) == {"few_cycles"}


def test_each_group_has_limits_of_its_own():
    frame = fk.trend(by_country({"DE": [2, 3] * 8, "PL": [20, 30] * 8, "SE": [0] * 13 + [4] * 3}))
    expected = frame.frame.group_by("country").agg(pl.col("expected").mean()).sort("country")
    assert expected["expected"].to_list() == [2.5, 25, None]
    assert set(frame.frame.filter(country="SE")["reason"]) == {"no_rows", "few_periods"}
    assert frame.charts == 3


def test_a_group_is_judged_from_its_first_row_and_a_silent_day_then_is_a_zero():
    frame = fk.trend(by_country({"DE": [3] * 20, "PL": [0] * 6 + [5, 6] * 6 + [0, 0]})).frame
    late = frame.filter(country="PL")
    assert late["value"].to_list() == [None] * 6 + [5, 6] * 6 + [0, 0]
    assert late["reason"].to_list()[:6] == ["no_rows"] * 6
    assert late["outside"].to_list() == [False] * 18 + [True] * 2


def test_a_period_whose_denominator_is_not_positive_has_no_weight():
    metric = fk.Metric(
        name="margin", formula=fk.Sum(fk.Orders.gross_amount) / fk.Sum(fk.Orders.tax_amount)
    )
    given = [1.0, 2.0] * 4 + [-1.0] + [2.0]
    orders = {
        "ordered_at": [MONDAY + dt.timedelta(days=day) for day in range(10)],
        "gross_amount": [10.0] * 10,
        "tax_amount": given,
    }
    frame = fk.trend(evaluated(orders, 10, metric, every="1d")).frame
    assert frame["reason"].to_list() == [None] * 8 + ["no_weight"] + [None]
    assert frame["expected"][0] == pytest.approx(90 / 14)


def test_a_run_names_its_first_period_and_the_eighth_that_shows_it():
    span = ("2024-01-01", "2024-01-13")
    frame = fk.trend(daily([4, 6] * 6 + [6] * 10), baseline=span, robust=True).frame
    run = frame.filter(pl.col("signal") == "run")
    assert run["onset"].unique().to_list() == [dt.date(2024, 1, 12)]
    assert run["detected"].unique().to_list() == [dt.date(2024, 1, 19)]
    assert run.height == 11
    assert frame.filter(pl.col("signal").is_null())["onset"].null_count() == 11


def test_a_signal_after_a_break_names_its_own_periods():
    frame = fk.trend(daily([2, 3] * 4 + [8, 9] * 6 + [40]), breaks=["2024-01-09"]).frame
    (marked,) = frame.filter("outside").iter_rows(named=True)
    day = dt.date(2024, 1, 21)
    assert (marked["period"], marked["onset"], marked["detected"]) == (day, day, day)


@settings(max_examples=8)
@given(SERIES)
def test_days_without_a_season_have_the_same_centre_with_one(counts):
    week = [*counts[:7]]
    flat = [sum(week)] * 28
    one, two = (fk.trend(daily(flat), season=season).frame for season in (None, "weekday"))
    assert two["expected"].to_list() == pytest.approx(one["expected"].to_list(), rel=1e-12)
    mixed = fk.trend(daily(week * 4), season="weekday").frame
    assert mixed["expected"].mean() == pytest.approx(sum(week) / 7)


@settings(max_examples=8)
@given(SERIES, st.integers(2, 9))
def test_counting_each_order_several_times_changes_no_mark(counts, times):
    one, two = (fk.trend(daily(each)).frame for each in (counts, [times * n for n in counts]))
    assert two["expected"].to_list() == pytest.approx([times * n for n in one["expected"]])
    assert two.select("onset", "detected").equals(one.select("onset", "detected"))


SUNDAY = dt.date(2024, 6, 30)


def opened_late(first, *, until=SUNDAY, last=SUNDAY, every="1w", metrics="orders", **options):
    """Evaluate a shop with a visit on every day from the first of January, and orders from later.

    Args:
        first: The day of the first orders, of which there are two on a day.
        until: The last day with an order.
        last: The last day with a visit.
        every: The length of periods.
        metrics: What is evaluated.
    """
    days, sold = (
        [start + dt.timedelta(days=day) for day in range((end - start).days + 1)]
        for start, end in ((MONDAY.date(), last), (first, until))
    )
    sessions = pl.DataFrame({"session_id": range(len(days)), "started_at": days})
    bought = sessions.join(pl.DataFrame({"started_at": sold}), on="started_at").to_series()
    orders = pl.DataFrame(
        {
            "order_id": range(2 * len(sold)),
            "ordered_at": sold * 2,
            "is_counted": [True] * 2 * len(sold),
            "session_id": [*bought, *bought],
        }
    )
    sessions = sessions.with_columns(country=pl.lit("PL"), visitor_id="session_id")
    shop = fk.Shop(orders=orders.with_columns(country=pl.lit("PL")), sessions=sessions)
    return fk.evaluate(shop, metrics, every=every, **options)


LATE = dt.date(2024, 3, 7)
"""A Thursday."""


@pytest.mark.parametrize("options", [{}, {"by": "country"}, {"totals": True}], ids=str)
def test_weeks_before_the_first_order_are_not_weeks_without_orders(options):
    together = opened_late(LATE, metrics=["orders", "sessions"], **options)
    frame = fk.trend(together).frame.filter(metric="orders")
    assert frame["value"].to_list() == [*[None] * 9, 8, *[14] * 16]
    assert (
        frame["reason"].to_list() == [*["no_rows"] * 9, "incomplete_period"] + ["no_variation"] * 16
    )
    assert set(frame["expected"]) == {None, 14}
    assert frame["signal"].null_count() == 26
    alone = fk.trend(opened_late(LATE, **options)).frame
    assert frame.tail(17)["expected"].equals(alone["expected"])
    assert fk.trend(together).frame.filter(metric="sessions")["expected"].to_list() == [7] * 26


def test_a_share_of_visits_that_buy_is_not_known_before_the_first_order():
    result = opened_late(LATE, metrics="session_conversion_rate")
    assert result.frame["session_conversion_rate"][:9].to_list() == [0] * 9
    frame = fk.trend(result).frame
    assert frame["value"].to_list()[:9] == [None] * 9
    assert frame["denominator"].to_list()[:9] == [None] * 9
    assert set(frame["expected"]) == {None, 1}
    assert frame["signal"].null_count() == 26


def test_a_group_begins_with_its_first_order_whatever_else_was_asked():
    counts = {"DE": [3] * 20, "PL": [0] * 3 + [None, None, 0] + [5, 6] * 7}
    lines = {"ordered_at": list[dt.datetime](), "country": list[str](), "is_counted": list[bool]()}
    for country, own in counts.items():
        for day, count in enumerate(own):
            for number in range(0 if count is None else max(count, 1)):
                lines["ordered_at"].append(MONDAY + dt.timedelta(days=day))
                lines["country"].append(country)
                lines["is_counted"].append(number < count)
    every = fk.Metric(name="placed", formula="count(orders)")
    counted = fk.Metric(name="counted", formula="count(orders, where=orders.is_counted)")
    for metrics in ([counted], [counted, every]):
        result = evaluated(lines, 20, metrics, every="1d", by="country")
        late = fk.trend(result).frame.filter(metric="counted", country="PL").tail(14)
        assert set(late["expected"]) == {5.5}


@pytest.mark.parametrize("options", [{}, {"by": "country"}], ids=str)
def test_orders_that_stop_while_visits_go_on_are_outside(options):
    stopped = dt.date(2024, 6, 16)
    result = opened_late(MONDAY.date() + dt.timedelta(1), until=stopped, **options)
    assert result.frame["period"].max() == dt.date(2024, 6, 10)
    trend = fk.trend(result, baseline=("2024-01-08", "2024-06-17"))
    last = trend.frame.tail(2)
    assert last["period"].to_list() == [dt.date(2024, 6, 17), dt.date(2024, 6, 24)]
    assert last["value"].to_list() == [0, 0]
    assert last["signal"].to_list() == ["outside", "outside"]
    assert fk.deviations(trend, since="2024-06-17").frame.height == 1


def test_a_silent_period_that_is_not_over_is_not_judged():
    stopped, open_day = dt.date(2024, 6, 16), dt.date(2024, 6, 26)
    result = opened_late(MONDAY.date(), until=stopped, last=open_day, metrics=["orders"])
    assert fk.trend(result).frame["period"].max() == dt.date(2024, 6, 17)
    both = opened_late(
        MONDAY.date(), until=stopped, last=open_day, metrics=["orders", "sessions"], by="country"
    )
    last = fk.trend(both).frame.filter(metric="orders").row(-1, named=True)
    assert (last["period"], last["reason"]) == (dt.date(2024, 6, 24), "incomplete_period")
    assert last["signal"] is None


def test_periods_with_given_boundaries_end_with_the_last():
    edges = ["2024-01-01", "2024-01-20", "2024-02-01", "2024-05-01"]
    frame = fk.trend(opened_late(MONDAY.date(), every=edges)).frame
    assert frame["period"].to_list() == [dt.date(2024, *day) for day in [(1, 1), (1, 20), (2, 1)]]


def test_customers_are_charted_by_their_segment():
    weeks = fk.evaluate(fk.demo(), "orders", by="segment", every="1mo")
    assert fk.trend(weeks).charts == 4


def named(name, every="1d"):
    """Orders by a dimension of some name."""
    orders = {"ordered_at": [MONDAY] * 2, "country": ["PL", "DE"]}
    return evaluated(orders, 1, "orders", by=fk.Dimension(name, orders="country"), every=every)


@pytest.mark.parametrize(
    ("name", "ask"),
    [
        ("unit", fk.Result.tidy),
        ("n", fk.trend),
        ("limits", fk.trend),
        ("value", fk.against),
        ("stage", fk.against),
        ("owner", lambda result: fk.deviations(fk.trend(result))),
    ],
)
def test_a_key_with_the_name_of_a_column_is_refused_in_words(name, ask):
    with pytest.raises(fk.DefinitionError) as caught:
        ask(named(name))
    assert f"by='{name}' is also the name of a column" in str(caught.value)
    assert f"fk.Dimension('my_{name}', table='{name}')" in str(caught.value)


def test_a_growth_over_a_period_within_which_the_data_begins_is_none():
    result = opened_late(dt.date(2024, 1, 20), metrics=[GROWTH, "orders"], every="1mo")
    assert result.frame["growth"][:3].to_list() == [None, 58 / 24, 62 / 58]
    reasons = fk.trend(result).frame.group_by("metric", maintain_order=True).agg("reason")
    growth, orders = (each[:3] for each in reasons["reason"].to_list())
    assert growth == ["empty_denominator", "incomplete_period", "few_periods"]
    assert orders == ["incomplete_period", "few_periods", "few_periods"]


GROWTH = fk.Metric(name="growth", formula="count(orders) / shift(count(orders), 1)")

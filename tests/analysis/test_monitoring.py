"""Deviations: what of trends and goals needs an answer, each once, with evidence."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk
from analysis.test_trend import MONDAY, by_country, daily, evaluated

CALM = [5, 6] * 8
GOAL_HEAD = ("goal", "metric", "owner", "objective")
BASE = ("2024-01-01", "2024-01-17")


def watched(counts, **options):
    return fk.trend(daily(counts), baseline=BASE, **options)


def goals(**changes):
    """A frame of goals as `fk.track` gives one, with a row per value of each change."""
    usual = {
        "goal": "spring",
        "metric": "orders",
        "owner": "CRM",
        "objective": "",
        "where": "",
        "start": dt.date(2024, 3, 1),
        "deadline": dt.date(2024, 6, 1),
        "through": dt.date(2024, 4, 1),
        "target": 900.0,
        "low_target": None,
        "high_target": None,
        "actual": 200.0,
        "planned": 300.0,
        "projection": 610.0,
        "sufficed": 0,
        "windows": 11,
        "better": "up",
        "status": "off_track",
        "rule": "earlier_windows",
    }
    floats = ("target", "low_target", "high_target", "actual", "planned", "projection")
    count = max(map(len, changes.values()), default=1)
    frame = pl.DataFrame({name: [value] * count for name, value in usual.items()} | changes)
    return frame.with_columns(pl.col(floats).cast(pl.Float64))


def test_a_value_outside_for_the_worse_is_found_and_one_for_the_better_on_request():
    trend = watched([*CALM, 1, 5, 12])
    (row,) = fk.deviations(trend).frame.iter_rows(named=True)
    assert (row["what"], row["verdict"], row["metric"]) == ("outside", "worse", "orders")
    assert (row["when"], row["value"], row["expected"]) == (dt.date(2024, 1, 17), 1, 5.5)
    assert row["evidence"] == ("orders: 1 in the period of 2024-01-17, 5.1 sigma below 5.50")
    both = fk.deviations(trend, both=True).frame
    assert both["verdict"].to_list() == ["better", "worse"]
    assert both["when"].is_sorted(descending=True)


def test_what_is_near_a_limit_only_by_a_value_outside_is_not_told_apart():
    frame = fk.deviations(watched([*CALM, 3, 3, 1])).frame
    assert frame["what"].to_list() == ["outside"]
    alone = fk.deviations(watched([*CALM, 3, 3, 3])).frame
    assert alone["what"].to_list() == ["near"]
    assert "from 2024-01-17 to 2024-01-19" in alone["evidence"][0]


def test_a_run_is_one_deviation_with_one_id_however_long_it_lasts():
    found = [fk.deviations(watched([*CALM, *[5] * more])).frame for more in (8, 9, 14)]
    assert [each["what"].to_list() for each in found] == [["run"]] * 3
    assert len({each["id"][0] for each in found}) == 1
    assert {each["when"][0] for each in found} == {dt.date(2024, 1, 24)}
    assert "from 2024-01-17 to 2024-01-30" in found[2]["evidence"][0]
    assert fk.deviations(watched([*CALM, *[5] * 7])).frame.is_empty()


def test_what_could_be_seen_before_is_left_out():
    trend = watched([*CALM, 1, 5, 1])
    assert fk.deviations(trend).frame.height == 2
    late = fk.deviations(trend, since="2024-01-18").frame
    assert late["when"].to_list() == [dt.date(2024, 1, 19)]
    ended = goals(through=[dt.date(2024, 4, 1), dt.date(2024, 4, 2)])
    assert fk.deviations(ended, since="2024-04-01").frame["when"].to_list() == [dt.date(2024, 4, 2)]


def test_another_metric_or_group_or_first_period_has_another_id():
    one = fk.deviations(fk.trend(by_country({"DE": [*CALM, 1], "PL": [*CALM, 1]}), baseline=BASE))
    assert one.frame["country"].to_list() == ["DE", "PL"]
    other = fk.deviations(watched([*CALM, 1]), watched([*CALM, 5, 1])).frame
    assert len({*one.frame["id"], *other["id"]}) == 4
    again = fk.deviations(watched([*CALM, 1]).frame).frame
    assert again["id"][0] in set(other["id"])


def test_the_id_follows_the_definition_and_not_the_name():
    doubled = fk.Metric(name="orders", formula="2 * count(orders)", direction="up")
    ids = [
        fk.deviations(fk.trend(daily([*CALM, 1], metric), baseline=BASE)).frame["id"][0]
        for metric in ("orders", doubled)
    ]
    assert len(set(ids)) == 2


def test_goals_that_are_missed_exceeded_or_off_track_need_an_answer():
    frame = goals(
        status=["missed", "missed", "off_track", "at_risk", "on_track", "met", "no_data", None],
        rule=["deadline", "exceeded", *["pace"] * 6],
    )
    found = fk.deviations(frame)
    assert found.frame["what"].to_list() == ["missed", "exceeded", "off_track"]
    assert found.frame["expected"].to_list() == [900, 900, 300]
    assert set(found.frame["verdict"]) == {"worse"}
    assert set(found.frame["owner"]) == {"CRM"}
    assert found.frame["evidence"][2] == (
        "spring: orders was 200 from 2024-03-01 until 2024-04-01, target at least 900 "
        "by 2024-06-01, planned by then 300, on course for 610, "
        "0 of 11 earlier windows would suffice"
    )
    assert (found.goals, found.looked_at) == (8, 0)


def test_progress_of_goals_is_read_as_it_is():
    goal = fk.Goal(
        metric="gross_sales", target=90_000, start="2024-12-01", deadline="2025-01-01", owner="CRM"
    )
    progress = fk.track(fk.demo(), goal)
    (row,) = fk.deviations(progress).frame.iter_rows(named=True)
    assert (row["what"], row["owner"], row["expected"]) == ("missed", "CRM", 90_000)
    assert "target at least 90,000.00 PLN" in row["evidence"]
    assert fk.deviations(progress.frame).frame["id"][0] == row["id"]


def test_a_goal_keeps_its_id_from_day_to_day_and_two_goals_have_two():
    days = goals(through=[dt.date(2024, 4, 1), dt.date(2024, 4, 9)], actual=[200.0, 220.0])
    assert fk.deviations(days).frame["id"].n_unique() == 1
    two = goals(goal=["spring", "stretch"])
    assert fk.deviations(two).frame["id"].n_unique() == 2


def test_a_band_is_missed_at_its_nearer_end():
    frame = goals(
        target=[None, None],
        low_target=[10.0] * 2,
        high_target=[20.0] * 2,
        actual=[4.0, 31.0],
        planned=[None, None],
        better=["inside"] * 2,
    )
    assert fk.deviations(frame).frame["expected"].to_list() == [10, 20]
    assert "target 10 to 20" in fk.deviations(frame).frame["evidence"][0]


def test_trends_and_goals_of_other_keys_come_together():
    keyed = (
        goals()
        .with_columns(pl.lit("DE").alias("country"))
        .select(
            "goal",
            "metric",
            "owner",
            "objective",
            "country",
            pl.all().exclude("country", *GOAL_HEAD),
        )
    )
    hours = evaluated({"ordered_at": [MONDAY] * 9}, 2, "orders", every="1h")
    found = fk.deviations(watched([*CALM, 1]), keyed, fk.trend(hours), both=True).frame
    assert found["country"].to_list() == ["DE", None]
    assert found.schema["when"] == pl.Datetime("us", "UTC")
    assert found["when"].to_list() == [
        dt.datetime(2024, 4, 1, tzinfo=dt.UTC),
        dt.datetime(2024, 1, 17, tzinfo=dt.UTC),
    ]


def test_it_says_how_much_it_looked_at_and_what_chance_alone_gives():
    found = fk.deviations(fk.trend(by_country({"DE": CALM, "PL": CALM, "SE": CALM[:5]})))
    assert found.looked_at == 2
    assert found.by_chance == pytest.approx(2 * 16 * 0.0065 / 2)
    assert found.frame.is_empty()
    assert "nothing needs an answer" in repr(found)
    assert "looked at 2 charts and 0 goals; by chance alone about 0.1 signals" in repr(found)


def test_it_is_read_in_a_terminal_and_in_a_notebook():
    found = fk.deviations(watched([*CALM, 1]), goals())
    assert "5.1 sigma below 5.50" in repr(found)
    assert "earlier windows would suffice" in found._repr_html_()
    assert found.frame["id"][0] in repr(found)


def test_what_is_neither_a_trend_nor_goals_is_refused_in_words():
    with pytest.raises(fk.DefinitionError, match="1 is a int: 5; source 2 has the columns a"):
        fk.deviations(5, pl.DataFrame({"a": [1]}))
    with pytest.raises(fk.DefinitionError, match="nothing to look at"):
        fk.deviations()
    with pytest.raises(fk.DefinitionError, match="since='soon'"):
        fk.deviations(watched(CALM), since="soon")

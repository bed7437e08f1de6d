"""Goals as they are written: what is refused, and all that is wrong at once."""

import datetime as dt
import pickle
from decimal import Decimal

import polars as pl
import pytest

import funnelkit as fk
from funnelkit.calendar.calendar import Calendar
from funnelkit.goals.table import goals_of_table
from funnelkit.goals.windows import Window, earlier_windows, parts_of

DECEMBER = {"start": "2024-12-01", "deadline": "2025-01-01"}


def goal(metric="orders", target=100, **more):
    return fk.Goal(metric=metric, target=target, **{**DECEMBER, **more})


def test_a_goal_that_lacks_what_makes_it_smart_is_refused_with_which():
    with pytest.raises(fk.DefinitionError) as caught:
        fk.Goal(owner="CRM")
    for word in ("not specific: metric=", "not measurable: target=", "not time-bound: start="):
        assert word in str(caught.value)
    with pytest.raises(fk.DefinitionError, match="not time-bound: deadline="):
        fk.Goal(metric="orders", target=1, start="2024-12-01")
    with pytest.raises(fk.DefinitionError, match="not specific: for ad_spend neither direction"):
        goal("ad_spend", 5000)
    with pytest.raises(fk.DefinitionError, match="metric=7 is not a metric"):
        fk.Goal(metric=7)
    with pytest.raises(fk.DefinitionError, match="neither direction is better"):
        fk.Goal(metric="ad_spend")
    with pytest.raises(fk.DefinitionError, match="not measurable: a lift needs baseline="):
        goal(target=fk.Lift(0.1))


def test_a_target_outside_the_bounds_is_refused_with_the_likely_slip():
    with pytest.raises(
        fk.DefinitionError, match=r"bounds 0 to 1: ratios are fractions, write 0\.0"
    ):
        goal("session_conversion_rate", 2.5)
    with pytest.raises(
        fk.DefinitionError, match=r"the target -1 of orders lies outside its bounds"
    ):
        goal(target=-1)


REFUSED = [
    ({"metric": "rfm_score"}, "a number of each group"),
    ({"metric": "sales_growth_rate", "target": 0.1}, "compares periods"),
    ({"target": (1, 2)}, "write two goals, one for each end"),
    ({"metric": "session_conversion_rate", "target": (0.2, 0.1)}, "the lower end comes first"),
    ({"better": "down"}, "for orders up is better"),
    ({"better": "sideways"}, "is not 'up' or 'down'"),
    ({"deadline": "2024-12-01"}, "is not after start"),
    ({"start": "2024-12-01T10:00"}, "a goal counts whole days"),
    ({"start": dt.datetime(2024, 12, 1, tzinfo=dt.UTC)}, "a goal counts whole days"),
    ({"start": "tomorrow"}, "is not a day: write 2024-12-31"),
    ({"target": float("nan")}, "is not a finite number"),
    ({"target": True}, "is not a finite number"),
    ({"target": fk.Lift(0.1), "baseline": 0}, "Lift(0.1) of the baseline 0"),
    ({"target": fk.Lift(0.1), "baseline": -50}, "Lift(0.1) of the baseline -50"),
    ({"target": fk.Lift(-0.1), "baseline": 50}, "makes orders worse"),
    ({"metric": "cart_abandonment_rate", "target": fk.Lift(0.1), "baseline": 0.5}, "worse"),
    ({"metric": "session_conversion_rate", "target": fk.Lift(1), "baseline": 0.6}, "bounds 0 to 1"),
    ({"target": fk.Lift(0.1), "baseline": ("2024-09-01", "2024-12-01")}, "of 91 days"),
    ({"baseline": ("2024-12-01", "2024-11-01")}, "ends before it begins"),
    ({"plan": [1] * 12}, "12 weights for 1 month"),
    ({"plan": [1, -1]}, "is not 'even' or a list of weights above 0"),
    ({"where": "country =="}, "where:"),
    ({"keys": ["country"]}, "is not a mapping"),
    ({"owner": 7}, "owner=7 is not a text"),
]


@pytest.mark.parametrize(("parts", "message"), REFUSED, ids=lambda each: str(each)[:40])
def test_a_goal_that_contradicts_itself_is_refused(parts, message):
    with pytest.raises(fk.DefinitionError) as caught:
        goal(**parts)
    assert message in str(caught.value)


def test_everything_wrong_is_said_at_once():
    with pytest.raises(fk.DefinitionError) as caught:
        goal("nonsense", "many", start="x", plan="odd")
    assert all(w in str(caught.value) for w in ("nonsense", "'many'", "start='x'", "plan='odd'"))
    with pytest.raises(fk.UnknownNameError, match="did you mean 'orders'"):
        goal("ordrs")


def test_a_goal_reads_what_it_is_given():
    one = goal("aov", 80, baseline=(dt.date(2023, 12, 1), "2024-01-01"), where="country == 'PL'")
    assert one.metric.name == "average_order_value"
    assert (one.start, one.deadline) == (dt.date(2024, 12, 1), dt.date(2025, 1, 1))
    assert one.name == "average_order_value (where country == 'PL') before 2025-01-01"
    assert pickle.loads(pickle.dumps(one)) == one
    assert str(goal(target=fk.Lift(0.15), baseline=90)) == (
        "Goal(orders before 2025-01-01: +15.00% on the baseline from 2024-12-01)"
    )
    assert str(goal("ad_spend", 9, better="down")).count("at most 9")
    assert goal(keys={"device": "mobile", "country": "PL"}).subject.names == ("country", "device")


def test_a_lift_is_of_the_baseline():
    assert goal(target=fk.Lift(0.15), baseline=200).aim().low == 230
    assert goal("cart_abandonment_rate", fk.Lift(-0.2), baseline=0.5).aim().high == 0.4
    with pytest.raises(fk.DefinitionError, match=r"Lift\(-1\)"):
        fk.Lift(-1)


def test_a_goal_in_toml_is_the_goal_in_python(tmp_path):
    path = tmp_path / "goals.toml"
    path.write_text(
        """
        [metrics.double_orders]
        formula = "2 * orders"
        direction = "up"

        [goals.december]
        metric = "double_orders"
        lift = 0.15
        baseline = [2023-12-01, "2024-01-01"]
        start = 2024-12-01
        deadline = "2025-01-01"
        keys = { country = "PL" }
        plan = [1.0]
        owner = "CRM"

        [goals.calm]
        metric = "session_conversion_rate"
        target = [0.01, 0.02]
        start = 2024-12-01
        deadline = 2025-01-01
        """
    )
    first, second = fk.load_goals(path)
    metric = fk.load_metrics(path)["double_orders"]
    span = ("2023-12-01", "2024-01-01")
    more = {"baseline": span, "plan": [1], "keys": {"country": "PL"}, "owner": "CRM"}
    assert first == goal(metric, fk.Lift(0.15), name="december", **more)
    assert second.target == (0.01, 0.02)


def test_every_problem_of_a_file_of_goals_has_its_line(tmp_path):
    path = tmp_path / "goals.toml"
    path.write_text(
        "[goals.a]\nmetric = 'orders'\ntarget = 5\nlift = 1\nstart = 2024-12-01\n"
        "deadline = 2025-01-01\n[goals.b]\nmetrik = 'orders'\n[goals.c]\nmetric = 'orders'\n"
        "[aims.d]\n"
    )
    with pytest.raises(fk.DefinitionError) as caught:
        fk.load_goals(path)
    text = str(caught.value)
    assert text.startswith("goals.toml has 4 problems")
    for line in (
        "line 1: goals.a: it has a target and a lift",
        "line 8: goals.b: there is no field named 'metrik'; did you mean 'metric'",
        "line 9: goals.c: it is not measurable",
        "line 1: there is no section 'aims'",
    ):
        assert line in text
    path.write_text("[metrics.m]\nformula = '2 * orders'\n")
    with pytest.raises(fk.DefinitionError, match="has no goals"):
        fk.load_goals(path)


CALENDAR = Calendar(time_zone="UTC")


def test_a_row_of_a_targets_table_is_a_goal():
    table = pl.DataFrame(
        {
            "metric": ["orders", "average_order_value", "session_conversion_rate"],
            "period": [dt.date(2024, 1, 1), dt.date(2024, 4, 1), dt.date(2024, 1, 1)],
            "target": [Decimal(500), Decimal("80.5"), None],
            "low": [None, None, 0.01],
            "high": [None, None, 0.02],
            "country": ["PL", None, "CZ"],
        }
    )
    first, second, third = goals_of_table(table, CALENDAR, every="1q")
    assert first.keys == (("country", "PL"),)
    assert (second.keys, second.target, second.deadline) == ((), 80.5, dt.date(2024, 7, 1))
    assert third.target == (0.01, 0.02)


def test_every_row_of_a_targets_table_that_is_wrong_is_named():
    days = {"start": ["2024-01-01"] * 4, "deadline": ["2024-02-01"] * 4}
    table = pl.DataFrame(
        {"metric": ["orders", "ordrs", "orders", None], "target": [1.0, 1.0, 2.0, 3.0], **days}
    )
    with pytest.raises(fk.DefinitionError) as caught:
        goals_of_table(table, CALENDAR)
    text = str(caught.value)
    assert "row 2: there is no metric named 'ordrs'" in text
    assert "rows 1 and 3 are both of orders in 2024-01-01 to 2024-02-01: keep one" in text
    assert "row 4: a goal: it is not specific" in text
    with pytest.raises(fk.DefinitionError, match="the column targt is not a part of a goal"):
        goals_of_table(pl.DataFrame({"metric": ["orders"], "targt": [1]}), CALENDAR)
    wrong = pl.DataFrame({"metric": ["orders"], "target": [1], "period": ["2024-01-02"]})
    with pytest.raises(fk.DefinitionError, match=r"needs every=, such as every='1mo'"):
        goals_of_table(wrong, CALENDAR)
    with pytest.raises(fk.DefinitionError, match="period=2024-01-02 is not the start of a period"):
        goals_of_table(wrong, CALENDAR, every="1mo")


def test_earlier_windows_of_whole_months_are_months_of_the_calendar():
    first = dt.date(2023, 1, 1)
    march = Window(dt.date(2024, 3, 1), dt.date(2024, 4, 1))
    found = earlier_windows(CALENDAR, march, first)
    assert [window.days for window in found[-3:]] == [31, 31, 29]
    assert len(found) == 14
    assert [window.share(15, 31).days for window in found[-2:]] == [15, 14]
    ten = Window(dt.date(2024, 3, 5), dt.date(2024, 3, 15))
    found = earlier_windows(CALENDAR, ten, dt.date(2024, 2, 4))
    assert [window.start.day for window in found] == [4, 14, 24]


def test_earlier_windows_follow_the_fiscal_months_of_the_shop():
    weeks = Calendar(time_zone="UTC", fiscal_year=fk.RetailCalendar())
    start, end = (day.date() for day in fk.RetailCalendar().starts(1)[1490:1492])
    before = earlier_windows(weeks, Window(start, end), start - dt.timedelta(days=80))
    assert len(before) == 2
    assert {window.days for window in before} == {28, 35}
    assert before[-1].end == start


def test_a_window_has_the_parts_that_a_plan_weighs():
    quarter = Window(dt.date(2024, 1, 1), dt.date(2024, 4, 1))
    assert [part.days for part in parts_of(quarter)] == [31, 29, 31]
    assert len(parts_of(quarter, count=13)) == 13
    assert len(parts_of(quarter, count=91)) == 91
    assert parts_of(quarter, count=12) == []

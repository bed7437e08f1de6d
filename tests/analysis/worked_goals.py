"""Worked cases of goals, asked of `fk.track`: what each says, in the words of the case."""

import datetime as dt
import re
from itertools import pairwise

import funnelkit as fk
from analysis.facts import (
    DAY,
    DEADLINE,
    PEOPLE,
    START,
    VALUE,
    metric,
    ratio,
    shop_of,
)


def tracked(rows, as_of, measured=VALUE, **goal):
    goal = {"metric": measured, "start": START, "deadline": DEADLINE, **goal}
    return fk.track(shop_of(rows, as_of), fk.Goal(**goal)).frame.row(0, named=True)


def year(numbers, as_of, **goal):
    """Track a goal of 2025, of so much on the first day of each of so many equal parts of it."""
    step = 12 // len(numbers) if len(numbers) < 12 else 1
    rows = [
        {"at": dt.date(2025, 1 + place * step, 1), "a": number}
        for place, number in enumerate(numbers)
    ]
    return tracked(rows, as_of, start="2025-01-01", deadline="2026-01-01", **goal)


def quarters(values, target):
    ends = [dt.date(2025, 4, 1), dt.date(2025, 7, 1), dt.date(2025, 10, 1), dt.date(2026, 1, 1)]
    return [year(values, end, target=target, plan=[1.0] * 12) for end in ends]


def cumulative_quarters(given):
    values = [two - one for one, two in pairwise([0, *given["actual_to_date"]])]
    found = quarters(values, given["target"])
    return {name: [row[name] for row in found] for name in ("pace", "attainment")}


def window_quarters(given):
    found = quarters(given["per_quarter"], 4 * given["target_per_quarter"])
    return {"pace": [row["pace"] for row in found]}


def level_to_minimize(given):
    aim = {"baseline": given["baseline"], "target": given["target"]}
    rows = [{"at": START, "a": given["actual"], "b": 1}]
    return {"progress": tracked(rows, DEADLINE, ratio(direction="down"), **aim)["progress"]}


def band(given):
    aim, width = given["target"], given["target"] * given["tolerance"]
    values = [aim] * given["months_inside"] + [2 * aim] * (given["months"] - given["months_inside"])
    rows = [{"at": dt.date(2025, month, 1), "a": v, "b": 1} for month, v in enumerate(values, 1)]
    span = {"start": "2025-01-01", "deadline": "2026-01-01", "target": (aim - width, aim + width)}
    row = tracked(rows, "2026-01-01", ratio(), **span)
    return {"low": row["low_target"], "high": row["high_target"], "progress": row["progress"]}


def seasonal_plan(given):
    values, target = [given["actual_to_september"]], given["target"]
    row = year(values, "2025-10-01", target=target, plan=given["weights"])
    linear = year(values, "2025-10-01", target=target)
    names = ("planned", "pace", "projection")
    return {
        **{name: row[name] for name in names},
        "required_of_rest_weight": row["required"] / (target / 365),
        "linear_would_say": {name: linear[name] for name in names},
    }


def level_of_a_ratio(given):
    share = given["denominator"] / given["denominator_expected_of_window"]
    rows = [{"at": START, "a": given["numerator"], "b": given["denominator"]}]
    aim = {"baseline": given["baseline"], "target": given["target"]}
    row = tracked(rows, START + 50 * DAY, ratio(), deadline=START + round(50 / share) * DAY, **aim)
    return {
        "actual": row["actual"],
        "progress": row["progress"],
        "required_of_rest": row["required"],
        "projection_at_same_rate": row["projection"],
    }


def in_window(given, measured=VALUE, **goal):
    """Track a goal of 30 days, of which so many are over, that has its value from the first."""
    gone = given["elapsed_days"] * DAY
    return tracked([{"at": START, "a": given["actual"]}], START + gone, measured, **goal)


def cap(given):
    row = in_window(given, metric("sum(facts.a)", direction="down"), target=given["target"])
    return {
        "planned": row["planned"],
        "pace": row["pace"],
        "projection": row["projection"],
        "allowed_per_day_left": row["required"],
        "status_without_history": row["status"],
    }


def published_pace(given):
    rows = [in_window(each, target=each.get("target", 1)) for each in given]
    first, second = rows
    return [
        {"achieved_per_day": first["achieved"], "projection": first["projection"]},
        {
            "achieved_per_day": second["achieved"],
            "projection": second["projection"],
            "projection_over_target": second["projection"] / given[1]["target"],
        },
    ]


def published_weights(given):
    share = given["share_of_period"]
    span = {"start": "2025-01-01", "deadline": "2025-03-01", "plan": [share, 1 - share]}
    rows, target = [{"at": dt.date(2025, 1, 1), "a": 1.0}], given["annual_target"]
    row = tracked(rows, "2025-02-01", target=target, **span)
    return {"annual": row["target"], "period": row["planned"]}


def distinct(given):
    """Track people: with one for each hundred of the case."""
    earlier, gone = given["earlier_window"], given["elapsed_days"]
    counts = [(earlier["at_same_elapsed"], earlier["final"])] * 3 + [(given["actual"], 0)]
    rows = list[dict[str, object]]()
    for place, numbers in enumerate(counts):
        by_then, final = (number // 100 for number in numbers)
        first = START + (place - 3) * given["days"] * DAY
        rows += [
            {"at": first + (0 if who < by_then else gone) * DAY, "who": who}
            for who in range(max(by_then, final))
        ]
    row = tracked(rows, START + gone * DAY, PEOPLE, target=given["actual"])
    return {"projection": 100 * row["projection"]}


def with_rests(given):
    """Track a goal whose earlier windows had 10 a day at first and so much of it in the rest."""
    gone, left = given["elapsed_days"], given["days_left"]
    rows = [{"at": START, "a": given["actual"]}]
    for place, rest in enumerate(given["g_of_earlier_windows"], 1):
        first = START - place * (gone + left) * DAY
        rows += [{"at": first, "a": 10 * gone}, {"at": first + gone * DAY, "a": 10 * rest * left}]
    row = tracked(rows, START + gone * DAY, target=given["target"])
    share = row["sufficed"] / row["windows"]
    return {name: row[name] for name in ("sufficed", "windows", "status")} | {"share": share}


def level_by_differences(given):
    rows = [{"at": START, "a": given["actual"], "b": 1}]
    for place, later in enumerate(given["final_minus_at_of_earlier_windows"], 1):
        first = START - place * 30 * DAY
        rows += [
            {"at": first, "a": 0.04, "b": 1},
            {"at": first + 10 * DAY, "a": 0.04 + 2 * later, "b": 1},
        ]
    row = tracked(rows, START + 10 * DAY, ratio(bounds=(0, 1)), target=given["target"])
    names = ("projection", "low", "high", "level", "sufficed", "windows", "status")
    return {name: row[name] for name in names}


def rolled_up(given):
    months = [dt.date(2025, month, 1) for month in range(1, len(given["targets"]) + 2)]
    goals = [
        fk.Goal(metric=VALUE, target=target, start=start, deadline=end)
        for target, (start, end) in zip(given["targets"], pairwise(months), strict=True)
    ]
    progress = fk.track(shop_of([{"at": months[0], "a": 1.0}], "2025-12-01"), goals)
    return {"target": progress.rollup()["target"].item()}


def objective_of(given):
    """The status of an objective whose goals stand so, with 10 a day known for ten days."""
    targets = {"met": 50, "on_track": 300, "at_risk": 320, "off_track": 900}
    rows = [{"at": START + day * DAY, "a": 10.0} for day in range(10)]
    goals = [
        fk.Goal(metric=VALUE, target=targets[status], objective="x", start=START, deadline=DEADLINE)
        for status in given["statuses"]
    ]
    progress = fk.track(shop_of(rows, START + 10 * DAY), goals)
    assert progress.frame["status"].to_list() == given["statuses"]
    return {"status": progress.objectives()["status"].item()}


def progress_of(given):
    return [
        tracked(
            [{"at": START, "a": each["actual"], "b": 1}],
            START + DAY,
            ratio(direction=each.get("better", "up")),
            target=each["target"],
            baseline=each["baseline"],
        )["progress"]
        for each in given
    ]


def lifts(given):
    return [_lifted(each) for each in given]


def _lifted(given):
    measured, base = ratio(direction=given.get("better", "up")), given["baseline"]
    rows = [{"at": START, "a": 1, "b": 1}]
    try:
        row = tracked(rows, DEADLINE, measured, target=fk.Lift(given["lift"]), baseline=base)
    except fk.DefinitionError as error:
        return f"refused: {re.search('baseline [-0-9]+', str(error))[0]}"
    return row["target"]


def done(given):
    row = in_window({**given, "elapsed_days": 30 - given["days_left"]}, target=given["target"])
    return {"required_per_day": row["required"], "status": row["status"]}


def partial_day(given):
    span = {"start": given["start"], "deadline": given["deadline"], "target": 1}
    days = dt.date.fromisoformat(given["deadline"]) - dt.date.fromisoformat(given["start"])
    row = tracked([{"at": dt.date(2024, 3, 1), "a": 1}], given["as_of"], **span)
    elapsed = row["elapsed"] * days.days
    return {"through": str(row["through"]), "elapsed_days": elapsed, "days": days.days}


def achievable(given):
    windows = given["earlier_windows"]
    rows = [
        {"at": START - place * 30 * DAY, "a": share, "b": 1}
        for place, share in enumerate(reversed(windows), 1)
    ]
    goal = fk.Goal(metric=ratio(), target=given["target"], start=START, deadline=DEADLINE)
    told = goal.check(shop_of(rows, START)).filter(criterion="achievable")["evidence"].item()
    reached, count = map(int, re.search(r"reached in (\d+) of (\d+)", told).groups())
    best, _, lower, upper = map(float, re.findall(r"0\.\d+", told))
    assurance = "inconsistent" if "comes and goes by chance" in told else told
    found = {"best": best, "assurance": assurance, "reached": reached, "windows": count}
    return found | {"lower": Rounded(lower, 4), "upper": Rounded(upper, 4)}


class Rounded(float):
    """A number that is shown with so many places."""

    def __new__(cls, number, places):
        made = super().__new__(cls, number)
        made.places = places
        return made


OF_GOALS = {
    "goal.flow.cumulative_quarters": cumulative_quarters,
    "goal.flow.window_quarters": window_quarters,
    "goal.level.minimize": level_to_minimize,
    "goal.band.constant": band,
    "goal.flow.seasonal_plan": seasonal_plan,
    "goal.level.ratio": level_of_a_ratio,
    "goal.flow.cap": cap,
    "goal.flow.published_pace": published_pace,
    "goal.flow.published_weights": published_weights,
    "goal.distinct.linear_trap": distinct,
    "goal.status.on_track": with_rests,
    "goal.status.at_risk": with_rests,
    "goal.forecast.level": level_by_differences,
    "goal.rollup.flow": rolled_up,
    "goal.rollup.worst": objective_of,
    "goal.progress.edge": progress_of,
    "goal.lift": lifts,
    "goal.required.done": done,
    "goal.timebound.partial_day": partial_day,
    "goal.achievable": achievable,
}
"""What is asked for each case, by its name."""

"""How a goal stands, worked out in plain Python from the words of the docs, row by row."""

import datetime as dt
from dataclasses import dataclass
from math import floor
from statistics import median

DAY = dt.timedelta(days=1)
GROWING = ("flow", "net", "distinct")
FORMULAS = {
    "flow": "sum(facts.a)",
    "net": "sum(facts.a) - sum(facts.b)",
    "distinct": "count_distinct(facts.who)",
    "ratio": "sum(facts.a) / sum(facts.b)",
}


@dataclass
class Asked:
    """A goal: how its metric is computed, its aim, its days, and what is known."""

    rows: list
    kind: str
    better: str
    target: float
    start: dt.date
    deadline: dt.date
    until: dt.date
    baseline: float | None = None

    def value(self, start, end):
        own = [row for row in self.rows if start <= row["at"] < end]
        above, below = (sum(row[letter] for row in own) for letter in "ab")
        match self.kind:
            case "flow":
                return above
            case "net":
                return above - below
            case "distinct":
                return len({row["who"] for row in own})
            case _:
                return above / below if below else None

    def is_met(self, value, bar):
        near = 1e-9 * abs(bar)
        return value >= bar - near if self.better == "up" else value <= bar + near


def month_later(day, count):
    months = day.year * 12 + day.month - 1 + count
    return dt.date(months // 12, months % 12 + 1, day.day)


def windows_before(asked):
    """The windows of the same length, back to back, that the rows cover."""
    first, end, months = min(row["at"] for row in asked.rows), asked.start, 0
    if asked.start.day == asked.deadline.day == 1:
        years = asked.deadline.year - asked.start.year
        months = 12 * years + asked.deadline.month - asked.start.month
    while True:
        start = month_later(end, -months) if months else end - (asked.deadline - asked.start)
        if start < first:
            return
        yield start, end
        end = start


def ends_of(asked, value, gone, days):
    """The value at the deadline if the rest goes as in each earlier window."""
    for start, end in windows_before(asked):
        length = (end - start).days
        cut = min(max(floor(length * gone / days + 0.5), 1), length - 1)
        by_then, final = asked.value(start, start + cut * DAY), asked.value(start, end)
        if asked.kind not in GROWING and None not in {by_then, final}:
            yield value + final - by_then
        elif asked.kind in GROWING and by_then > 0:
            rest = ((final - by_then) / (length - cut)) / (by_then / cut)
            yield value + (days - gone) * value / gone * rest


def stands(asked):
    """The figures of a goal, by the names of the columns."""
    through = min(asked.deadline, asked.until)
    days, gone = (asked.deadline - asked.start).days, (through - asked.start).days
    if gone <= 0:
        return {"status": "not_started", "rule": "not_started", "actual": None}
    value = asked.value(asked.start, through)
    if value is None:
        return {"status": "no_data", "rule": "no_data", "actual": None}
    found = {"actual": value, "elapsed": gone / days, "planned": planned_of(asked, gone / days)}
    if gone == days:
        status = "met" if asked.is_met(value, asked.target) else "missed"
        return {**found, "status": status, "rule": "deadline", "projection": None}
    has_none = asked.kind in GROWING and value <= 0
    ends = [] if has_none else sorted(ends_of(asked, value, gone, days))
    count, rank = len(ends), (len(ends) + 1) // 10
    point = {"ratio": value, "distinct": None}.get(asked.kind, value / gone * days)
    found |= {
        "projection": None if has_none else median(ends) if count >= 3 else point,
        "windows": None if has_none else count,
        "low": ends[rank - 1] if count >= 9 else None,
        "high": ends[-rank] if count >= 9 else None,
    }
    status, rule = status_of(asked, value, value / gone * days, ends, found["planned"])
    return {**found, "status": status, "rule": rule}


def planned_of(asked, elapsed):
    if asked.kind == "distinct":
        return None
    if asked.kind in GROWING:
        return asked.target * elapsed
    if asked.baseline is None:
        return None
    return asked.baseline + (asked.target - asked.baseline) * elapsed


def graded(share, best, good):
    near = 1e-9
    return (
        "on_track" if share >= best - near else "at_risk" if share >= good - near else "off_track"
    )


def status_of(asked, value, line, ends, planned):
    """The status and the rule of an open goal with a value."""
    is_met, is_up = asked.is_met(value, asked.target), asked.better == "up"
    if asked.kind in {"flow", "distinct"} and is_met is is_up:
        return ("met", "reached") if is_up else ("missed", "exceeded")
    if len(ends) >= 9:
        sufficed = sum(asked.is_met(end, asked.target) for end in ends)
        return graded(sufficed / len(ends), 0.5, 0.1), "earlier_windows"
    if asked.kind in {"flow", "net"}:
        pace = value / planned
        return (graded(pace, 1, 0.9) if is_up else graded(-pace, -1, -1 / 0.9)), "pace"
    if asked.kind == "distinct":
        is_sure = asked.is_met(line, asked.target) is not is_up
        return (("off_track" if is_up else "on_track") if is_sure else None), "upper_bound"
    if is_met:
        return "on_track", "path"
    is_behind = planned is not None and not asked.is_met(value, planned)
    return ("off_track" if is_behind else "at_risk"), "path"

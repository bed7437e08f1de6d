"""Worked cases of benchmarks, comparisons, drivers and trends: what each says, in its words."""

import datetime as dt
import re
from math import exp, log, sqrt

import polars as pl
import pytest

import funnelkit as fk
from analysis.facts import (
    APRIL,
    DAY,
    LETTERS,
    MARCH,
    MEAN_RANGE,
    PEOPLE,
    START,
    VALUE,
    metric,
    ratio,
    shop_of,
)


def of_sessions(name, share=0.0):
    """A metric of 100 sessions, of which a share has something put into a cart."""
    day, places = dt.date(2025, 3, 1), range(100)
    sessions = {"session_id": places, "started_at": [day] * 100, "has_purchase": [False] * 100}
    carts = pl.Series("has_add_to_cart", [place < 100 * share for place in places])
    shop = fk.Shop(sessions=pl.DataFrame(sessions).with_columns(carts), as_of="2025-03-02")
    return fk.evaluate(shop, name, start="2025-03-01", end="2025-03-02")


def benchmark_of(name, points):
    return fk.Benchmark(
        name="published",
        metric=name,
        points=points,
        match="same",
        definition="as ours",
        publisher="a publisher",
        url="https://example.com",
        published="2024-10",
    )


def between_quantiles(given):
    points = {f"p{round(100 * float(at))}": x for at, x in given["benchmark"]["quantiles"].items()}
    points["average"] = given["benchmark"]["average"]
    found = fk.against(
        of_sessions("add_to_cart_rate", given["value"]), benchmark_of("add_to_cart_rate", points)
    )
    row = found.frame.row(0, named=True)
    ends = [f"{int(row[side][1:]) / 100:g}".removeprefix("0") for side in ("below", "above")]
    return {"between": ends, "average_ratio": row["ratio"]}


def other_definition(given):
    assert given["benchmark"]["metric"] == "session_conversion_rate"
    other = benchmark_of("session_conversion_rate.orders", {"average": 0.02})
    row = fk.against(of_sessions("session_conversion_rate"), other).frame.row(0, named=True)
    return {
        "comparable": row["comparable"],
        "distance": row["difference"],
        "reason": row["reason"],
    }


def changed(value, reference):
    """Compare a ratio of one day with that of the day before."""
    days = {START: reference, START + DAY: value}
    rows = [{"at": START - DAY, "a": 1, "b": 1}]
    rows += [{"at": day, "a": x, "b": 1} for day, x in days.items() if x is not None]
    shop = shop_of(rows, START + 2 * DAY)
    found = fk.compare(shop, ratio(), start=START + DAY, end=START + 2 * DAY)
    return found.frame.select("change", "relative", "reason").row(0, named=True)


def changes(given):
    return [changed(*pair) for pair in given]


def rates(given):
    before, after = given["published"].values()
    found = changed(after, before)
    return {"change": found["change"], "relative_from_rounded": found["relative"]}


def points(given):
    found = changed(given["value"], given["reference"])
    return {"change": found["change"], "relative": found["relative"]}


KNOWN = [{"at": dt.date(2017, 1, 1), "a": 1.0}]
UNTIL = dt.date(2026, 1, 1)


def counterpart(given):
    """The days that a range is compared with, the last included."""
    first, last = map(dt.date.fromisoformat, given["span_inclusive"])
    found = fk.compare(
        shop_of(KNOWN, UNTIL),
        VALUE,
        start=first,
        end=last + DAY,
        to=given["to"],
        align=given.get("align", "date"),
        per_day=True,
    ).frame.row(0, named=True)
    span = [str(found["reference_start"]), str(found["reference_end"] - DAY)]
    days = {name: found[name] for name in ("days", "reference_days")}
    back = (found["start"] - found["reference_start"]).days
    return {"reference_inclusive": span, **days, "days_back": back}


def counterpart_days(given):
    return counterpart(given)["reference_inclusive"]


def week_53(given):
    weeks = [dt.date.fromisoformat(text[-11:-1]) for text in given["weeks"]]
    span = {"start": weeks[0], "end": weeks[1] + 7 * DAY, "to": given["to"], "every": "1w"}
    shop = shop_of(KNOWN, UNTIL)
    by_number, by_day = (
        fk.compare(shop, VALUE, **span, align=align).frame["reference_start"].to_list()
        for align in (given["align"], "weekday")
    )
    return {
        "2020-W53": by_number[0],
        "2021-W01 by number": str(by_number[1]),
        "2021-W01 minus 364 days": str(by_day[1]),
    }


def open_and_long(given):
    first = dt.date.fromisoformat(f"{given['month']}-01")
    shop = shop_of([{"at": dt.date(2024, 2, 1)}], first + given["complete_days"] * DAY)
    found = fk.compare(shop, VALUE, every="1mo", start=first, to=given["to"]).frame
    return found.select("days", "reference_days").row(0, named=True)


def stub(given):
    """The week of which the data tells the end only is no reference."""
    thursday, monday = dt.date(2025, 3, 6), dt.date(2025, 3, 10)
    rows = [
        {"at": thursday, "a": given["week"]},
        {"at": monday, "a": given["week_before"]},
    ]
    found = fk.compare(shop_of(rows, monday + 7 * DAY), VALUE, every="1w").frame
    assert found["reason"].to_list() == ["incomplete_reference"] * 2
    return {"expected": found["relative"][1]}


def driven(before, after, formula, measured=None, **options):
    """The contributions of sums of one row of March and one of April."""
    ends = ((dt.date(2025, 3, 1), before), (dt.date(2025, 4, 1), after))
    rows = [{"at": at, **dict(zip(LETTERS, numbers, strict=False))} for at, numbers in ends]
    text, whole = (
        re.sub(r"\b([a-e])\b", r"sum(facts.\1)", each) for each in (formula, measured or formula)
    )
    found = fk.drivers(
        shop_of(rows, "2025-05-01"),
        metric(whole),
        before=MARCH,
        after=APRIL,
        factors=text,
        **options,
    )
    return {
        "before": found.before,
        "after": found.after,
        "change": found.change,
        "contributions": found.frame["contribution"].to_list(),
    }


def product(count):
    return " * ".join(LETTERS[:count])


def by_shapley(given):
    """Drivers of a product, or of a difference where the case says so."""
    formula = given.get("formula", "product")
    text = "a - b" if " - " in formula else product(len(given["before"]))
    return driven(given["before"], given["after"], text)


def by_logarithms(given):
    """Drivers of products by segment, added up, with their multiplicative twins."""
    pairs = [(given["before"], given["after"])]
    if isinstance(given["before"][0], list):
        pairs = list(zip(given["before"], given["after"], strict=True))
    found = [driven(*pair, product(3), method="log") for pair in pairs]
    before, after = (sum(each[end] for each in found) for end in ("before", "after"))
    effects = [sum(each) for each in zip(*(f["contributions"] for f in found), strict=True)]
    mean = (after - before) / log(after / before)
    return {
        "contributions": effects,
        "change": after - before,
        "multiplicative": [exp(effect / mean) for effect in effects],
    } | ({} if len(pairs) > 1 else {"log_mean": mean, "before": before, "after": after})


def refined(given):
    ends = {"before": given["before"], "after": given["after"]}
    coarse = {end: [x[0], x[1] * x[2]] for end, x in ends.items()}
    found = {
        f"{short}_{name}": driven(*numbers.values(), product(len(numbers["before"])), method=how)
        for short, how in (("shapley", "shapley"), ("log", "log"))
        for name, numbers in (("coarse", coarse), ("fine", ends))
    }
    return {"sessions": {name: each["contributions"][0] for name, each in found.items()}}


def identity(given):
    """What is said where three factors give 1,940 of 2,000."""
    numbers, formula = [10, 20, 9.7, 60], product(len(given["factors"]))
    with pytest.raises(fk.DefinitionError) as caught:
        driven(numbers, numbers, formula, f"{formula} + d")
    return re.findall(r"1,940\.0|2,000\.0|in 'before' \(gap 3\.0 %\)", str(caught.value))[:3]


def segments(before, after, measured, **options):
    """Drivers by segment: rows of March and April, by the name of the segment."""
    rows = [
        {"at": at, "segment": name, **numbers}
        for at, side in ((dt.date(2025, 3, 1), before), (dt.date(2025, 4, 1), after))
        for name, own in side.items()
        for numbers in own
    ]
    shop = shop_of(rows, "2025-05-01")
    return fk.drivers(shop, measured, before=MARCH, after=APRIL, by="segment", **options)


def named(found, kind):
    rows = found.frame.filter(kind=kind)
    return dict(rows.select("name", "contribution").iter_rows())


def households(given):
    sides = [
        {
            str(place): [{"a": share * rate, "b": share}]
            for place, (share, rate) in enumerate(zip(shares, own, strict=True))
        }
        for shares, own in (
            (given["share_before"], given["rate_before"]),
            (given["share_after"], given["rate_after"]),
        )
    ]
    found = segments(*sides, ratio())
    sums = {kind: sum(named(found, kind).values()) for kind in ("mix", "rate")}
    return {**sums, "change": found.change}


def simpson(given):
    before, after = (
        {name: [{"a": above, "b": below}] for name, (above, below) in given[end].items()}
        for end in ("before", "after")
    )
    found = segments(before, after, ratio())
    rate, mix = named(found, "rate"), named(found, "mix")
    ends = {"before": found.before, "after": found.after, "change": found.change}
    sums = {"rate_total": sum(rate.values()), "mix_total": sum(mix.values())}
    return {**ends, "rate": rate, "mix": mix, **sums}


def of_flow(given):
    before, after = (
        {name: [{"a": value}] for name, value in given[end].items()} for end in ("before", "after")
    )
    found = segments(before, after, VALUE)
    shares = dict(found.frame.select("name", "share").iter_rows())
    return {"contributions": named(found, "segment"), "change": found.change, "share": shares}


def overlap(given):
    """People of the web from the first on, and of the app up to the last."""
    before, after = (
        {
            "web": [{"who": who} for who in range(each["web"])],
            "app": [{"who": who} for who in range(each["all"] - each["app"], each["all"])],
        }
        for each in (given["before"], given["after"])
    )
    found = segments(before, after, PEOPLE)
    return {
        "contributions": {**named(found, "segment"), **named(found, "overlap")},
        "change": found.change,
    }


def charted(values, weights=None, **options):
    """The chart of the values of days, from a Monday."""
    first = dt.date(2025, 3, 3)
    weights = weights or [1] * len(values)
    rows = [
        {"at": first + place * DAY, "a": value, "b": weight}
        for place, (value, weight) in enumerate(zip(values, weights, strict=True))
    ]
    result = fk.evaluate(
        shop_of(rows, first + len(values) * DAY), ratio() if weights else VALUE, every="1d"
    )
    return fk.trend(result, **options).frame


def marked(frame, rule):
    return frame.with_row_index("place").filter(rule)["place"].to_list()


def moving_ranges(given):
    """The chart with the constants that books round."""
    frame = charted(given["values"])
    centre, spread = frame["expected"][0], frame["sigma"][0] * MEAN_RANGE
    return {
        "centre": centre,
        "mean_range": spread,
        "lower": centre - 2.66 * spread,
        "upper": centre + 2.66 * spread,
        "outside": marked(frame, "outside"),
    }


def run_of_eight(given):
    frame = charted(given["values"])
    return {"centre": frame["expected"][0], "flagged": marked(frame, "run")}


def complaints(given):
    above, below = zip(*given["numerator_denominator"], strict=True)
    frame = charted(above, below)
    limits = frame.select("lower", "upper")
    return {
        "centre": frame["expected"][0],
        "sigma_per_unit": frame["sigma"][0] * sqrt(below[0]),
        "first_limits": list(limits.row(0)),
        "last_limits": list(limits.row(-1)),
        "outside": marked(frame, "outside"),
    }


def of_weekdays(given):
    values = [value for week in given["three_whole_weeks_from_monday"] for value in week]
    frame, plain = charted(values, season="weekday"), charted(values)
    centre = frame["expected"].mean()
    relatives = [expected / centre for expected in frame["expected"][:7]]
    limits = [list(each.select("lower", "upper").row(0)) for each in (frame, plain)]
    return {
        "relatives": relatives,
        "centre": centre,
        "sigma": frame["sigma"][0] / relatives[0],
        "limits_of_first_monday": limits[0],
        "without_relatives": {"sigma": plain["sigma"][0], "limits": limits[1]},
    }


def unscreened(given):
    found = moving_ranges(given)
    return {"unscreened": [found["lower"], found["upper"]]}


OF_CHANGES = {
    "bench.verdict.quantiles": between_quantiles,
    "bench.definition": other_definition,
    "bench.relative_trap": rates,
    "compare.prev.mtd": counterpart_days,
    "compare.prev.month": counterpart_days,
    "compare.yoy.month": counterpart_days,
    "compare.yoy.ytd": counterpart_days,
    "compare.leap.day": counterpart,
    "compare.leap.after": counterpart,
    "compare.leap.ytd": counterpart,
    "compare.weekday.ytd": counterpart,
    "compare.weekday.prev.month": counterpart,
    "compare.weekday.month": counterpart,
    "compare.weekday.tuesday": counterpart,
    "compare.week53": week_53,
    "compare.change": changes,
    "compare.pp": points,
    "compare.open_period_long": open_and_long,
    "compare.partial_stub": stub,
    "drivers.revenue.shapley": by_shapley,
    "drivers.revenue.lmdi": by_logarithms,
    "drivers.dasgupta.2factors": by_shapley,
    "drivers.dasgupta.3factors": by_shapley,
    "drivers.dasgupta.5factors": by_shapley,
    "drivers.dasgupta.difference": by_shapley,
    "drivers.mixrate.households": households,
    "drivers.mixrate.simpson": simpson,
    "drivers.flow.segments": of_flow,
    "drivers.distinct.overlap": overlap,
    "drivers.lmdi.1973": by_logarithms,
    "drivers.lmdi.1974": by_logarithms,
    "drivers.shapley.zero": by_shapley,
    "drivers.shapley.negative": by_shapley,
    "drivers.identity.refused": identity,
    "drivers.refinement": refined,
    "trend.xmr.wheeler_p382": moving_ranges,
    "trend.xmr.peak_flow": moving_ranges,
    "trend.rule2.smoking": run_of_eight,
    "trend.ratio.taylor_complaints": complaints,
    "trend.weekday": of_weekdays,
    "trend.screening": unscreened,
}
"""What is asked for each case, by its name."""

"""The sections of a report: each returns the HTML of what one analysis found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import ceil
from types import MappingProxyType
from typing import Any, Protocol

import polars as pl

from funnelkit.analysis.cohorts import cohorts
from funnelkit.analysis.drivers import Drivers, drivers
from funnelkit.analysis.funnel import Funnel, funnel
from funnelkit.analysis.monitoring import deviations
from funnelkit.analysis.trend import trend
from funnelkit.calendar.calendar import Moment
from funnelkit.calendar.grain import Grain
from funnelkit.catalog.default import registry
from funnelkit.errors import DataError, FunnelkitError, UnknownNameError
from funnelkit.goals.goal import Goal
from funnelkit.metrics.metric import Metric
from funnelkit.reporting.headline import headline
from funnelkit.reporting.markup import BAR, Html, bar, element, joined, paragraph, table
from funnelkit.reporting.question import NOTHING, ReportQuestion
from funnelkit.reporting.words import period_word, range_words
from funnelkit.result.view import as_text
from funnelkit.shop.shop import Shop
from funnelkit.units import CUSTOMER, MONEY, RATIO, SECOND, VISITOR, Unit

__all__ = ["REPORT_SECTIONS", "ReportSection"]

WHAT_CHANGED, SEGMENT = "net_sales", "channel"
STEPS = ("view_item", "add_to_cart", "begin_checkout", "purchase")
WITHIN = "7d"
RECENT = 6
MOST_COHORTS, MOST_AGES, SHADES = 12, 12, 5
FACTORS = (
    "sessions * session_conversion_rate * average_order_value - returns_value",
    "sessions * orders_per_session * average_order_value - returns_value",
    "orders * average_order_value - returns_value",
    None,
)
"""What net sales are made of: the first formula that gives them in this shop is used."""


class ReportSection(Protocol):
    """A section of a report: a function of the shop and the question that returns HTML.

    It escapes what it was given as text (`html.escape`), and begins its own headings with `h3`.
    A `FunnelkitError` that it raises stands in its place in the report.
    """

    def __call__(self, shop: Shop, question: ReportQuestion, /) -> str:
        """Return the section as HTML, without its heading; empty to leave it out."""
        ...


def goals(shop: Shop, question: ReportQuestion) -> str:
    """Return how goals stand; nothing where there are none."""
    found = question.progress
    if found is None:
        if "goals" in question.left_out:
            raise DataError(question.left_out["goals"])
        return ""
    pairs = zip(found.goals, found.frame.iter_rows(named=True), strict=True)
    rows = [_goal(goal, row, shop.data.currency) for goal, row in pairs]
    heads = ("goal", "status", "actual", "target", "projection", "until")
    return table(f"Known before {found.known_until}", heads, rows)


def _goal(goal: Goal, row: Mapping[str, Any], currency: str) -> list[str]:
    def said(name: str) -> str:
        number = row[name]
        return "–" if number is None else goal.metric.unit.format(number, currency=currency)

    sign = {"up": "≥ ", "down": "≤ "}.get(str(row["better"]), "")
    target = f"{sign}{said('target')}"
    if row["target"] is None:
        target = f"{said('low_target')} to {said('high_target')}"
    status = str(row["status"] or "–").replace("_", " ")
    is_named = goal.name != f"{goal.subject} before {goal.deadline}"
    name = goal.name if is_named else _titled(goal.name, goal.metric.name)
    return [name, status, said("actual"), target, said("projection"), str(goal.deadline)]


def purchase_funnel(shop: Shop, question: ReportQuestion) -> str:
    """Return how many visitors of the last complete period reach each step to a purchase.

    Where no metric tells which period that is, they are those of the whole range.
    """
    start, end = question.last if question.periods else (question.start, question.end)
    found = _funnel(shop, STEPS, start, end)
    most = max(found.frame.item(0, "entities"), 1)
    rows = [_step(row, most) for row in found.frame.iter_rows(named=True)]
    heads = ("step", "visitors", BAR, "of step before", "of first step", "lost", "median time")
    said = table(f"First step {range_words(start, end)}".rstrip(), heads, rows)
    return joined([said, paragraph(found.rule, kind="note")])


def _funnel(shop: Shop, steps: Sequence[str], start: Moment | None, end: Moment | None) -> Funnel:
    """Return the funnel of those of the steps that are events of the data."""
    try:
        return funnel(shop, steps, within=WITHIN, start=start, end=end)
    except UnknownNameError as error:
        known = [step for step in steps if step in error.known]
        if len(known) < 2 or len(known) == len(steps):
            raise
        return _funnel(shop, known, start, end)


def _step(row: Mapping[str, Any], most: int) -> list[str]:
    is_first = row["step"] == 1
    return [
        f"{row['step']} {row['name'].replace('_', ' ')}",
        VISITOR.format(row["entities"]),
        bar(0, row["entities"] / most),
        "–" if is_first else _number(RATIO, row["step_rate"]),
        _number(RATIO, row["overall_rate"]),
        _number(VISITOR, row["drop_off"]),
        "–" if is_first else _number(SECOND, row["median_from_previous_s"]),
    ]


def _number(unit: Unit, number: float | None, *, currency: str = "") -> str:
    return "–" if number is None else unit.format(number, currency=currency)


def signals(shop: Shop, question: ReportQuestion) -> str:
    """Return in which recent periods a metric did more than it does by itself."""
    del shop
    since = min(question.last[0], *question.periods[-RECENT:])
    found = deviations(*map(trend, question.results), since=since, both=True)
    looked = paragraph(
        f"{found.looked_at} charts were looked at; by chance alone about {found.by_chance:.1f} "
        "signals are found. Sigma is how much a metric usually varies by itself.",
        kind="note",
    )
    if found.frame.is_empty():
        return joined([paragraph(f"Nothing stands out since {since}."), looked])
    rows = [
        [str(row["when"]), _titled(row["evidence"], row["metric"]), str(row["verdict"] or "–")]
        for row in found.frame.iter_rows(named=True)
    ]
    heads = ("seen", "what", "verdict")
    return joined([_words(table(f"Signals since {since}", heads, rows)), looked])


def _titled(sentence: str, name: str) -> str:
    """Return a sentence with the title of a metric in place of its name."""
    found = registry()
    return sentence.replace(name, found[name].title, 1) if name in found else sentence


def _words(found: Html) -> Html:
    """Return a table whose cells are words."""
    return element("div", found, kind="words")


def what_drove(shop: Shop, question: ReportQuestion) -> str:
    """Return what the change of net sales to the period before is made of."""
    if lacking := sorted(shop.missing(WHAT_CHANGED)):
        raise DataError(f"needs {', '.join(lacking)}")
    if len(question.periods) < 2:
        raise DataError("needs two complete periods")
    by_formula = _by_formula(shop, question)
    parts = [_drivers(by_formula, "factors", registry(), shop.data.currency)]
    with suppress(FunnelkitError):
        found = _asked(shop, question, by=SEGMENT)
        parts.append(_drivers(found, SEGMENT, {}, shop.data.currency))
    parts.append(paragraph(_titled(by_formula.rule[0], WHAT_CHANGED), kind="note"))
    return joined(parts)


def _by_formula(shop: Shop, question: ReportQuestion) -> Drivers:
    """Return the drivers by the first formula that gives net sales in this shop."""
    for factors in FACTORS[:-1]:
        with suppress(FunnelkitError):
            return _asked(shop, question, factors=factors)
    return _asked(shop, question, factors=FACTORS[-1])


def _asked(
    shop: Shop, question: ReportQuestion, *, factors: str | None = None, by: str | None = None
) -> Drivers:
    before, after = question.periods[-2:]
    return drivers(
        shop,
        WHAT_CHANGED,
        before=before,
        after=after,
        every=question.every,
        factors=factors,
        by=by,
    )


def _drivers(found: Drivers, by: str, named: Mapping[str, Metric], currency: str) -> Html:
    """Return what a change is made of as a table, with a bar for each part."""
    most = max((abs(each) for each in found.frame.get_column("contribution")), default=0) or 1
    rows = list[list[str]]()
    for row in found.frame.iter_rows(named=True):
        name, part = str(row["name"]), row["contribution"]
        unit = named[name].unit if name in named else MONEY
        ends = [_number(unit, row[end], currency=currency) for end in ("before", "after")]
        said = as_text(pl.Series([part]), MONEY, currency=currency, is_signed=True).item()
        shown = bar(0.5, 0.5 + part / most / 2, kind="better" if part > 0 else "worse")
        title = named[name].title if name in named else name
        rows.append([title, said, shown, *ends])
    ends = [MONEY.format(end, currency=currency) for end in (found.before, found.after)]
    heads = ("part", "contribution", BAR, "before", "after")
    caption = f"By {by}: net sales from {ends[0]} to {ends[1]}"
    return table(caption, heads, rows)


def customer_cohorts(shop: Shop, question: ReportQuestion) -> str:
    """Return which share of the customers won in a period order again in those after."""
    every = question.every if Grain.parse(question.every).months else "1mo"
    found = cohorts(shop, every=every)
    wide = found.triangle().tail(MOST_COHORTS)
    ages = [name for name in wide.columns if name not in {"cohort", "size"}][:MOST_AGES]
    if wide.is_empty():
        raise DataError("no customer is known")
    kept = [age for age in ages if age != "0" and wide.get_column(age).count()]
    later = [each for age in kept for each in wide.get_column(age) if each is not None]
    most = max(later, default=0) or 1
    rows = [
        [
            str(row["cohort"]),
            CUSTOMER.format(row["size"]),
            *(_shade(row[age], most) for age in kept),
        ]
        for row in wide.iter_rows(named=True)
    ]
    period = period_word(every)
    caption = (
        f"Who orders again: a row per {period} of the first order, a column per {period} since"
    )
    said = table(caption, ("cohort", "customers", *kept), rows)
    return joined([element("div", said, kind="heat"), paragraph(found.rule, kind="note")])


def _shade(share: float | None, most: float) -> Html:
    """Return a share on a ground that is the stronger the larger it is."""
    if share is None:
        return Html("")
    shade = min(SHADES, ceil(share / most * SHADES))
    return element("span", f"{share * 100:.1f}\N{NO-BREAK SPACE}%", kind=f"h{shade}")


def faults(shop: Shop, question: ReportQuestion) -> str:
    """Return what is wrong with the data, the worst first."""
    del question
    rows = [
        [
            row["severity"],
            f"{row['table']}{'' if row['check'].startswith(' ') else '.'}{row['check']}",
            f"{row['rows']:,}",
            row["sample"],
            row["remedy"],
        ]
        for row in shop.check().rows(named=True)
    ]
    if not rows:
        return paragraph("No errors or warnings.")
    heads = ("severity", "where", "rows", "such as", "what to do")
    return _words(table("Errors prevent numbers, warnings do not", heads, rows))


def definitions(shop: Shop, question: ReportQuestion) -> str:
    """Return the definitions used, each with its fingerprint."""
    del shop
    if not question.metrics:
        raise DataError(NOTHING)
    told = "The same fingerprint is the same definition: name, spelled-out formula and unit."
    entries = element("div", joined(map(_definition, question.metrics)), kind="entries")
    return joined([paragraph(told, kind="soft"), entries])


def _definition(metric: Metric) -> Html:
    """Return what a metric means, how it is computed, and its fingerprint."""
    fingerprint = f"{metric.name} · {metric.fingerprint} · version {metric.version}"
    lines = [
        element("h3", metric.title),
        paragraph(metric.description),
        element("p", element("code", str(metric.formula))),
        element("p", element("code", fingerprint), kind="soft"),
    ]
    return element("div", joined(lines), kind="entry")


REPORT_SECTIONS: Mapping[str, ReportSection] = MappingProxyType(
    {
        "Headline": headline,
        "Goals": goals,
        "Purchase funnel": purchase_funnel,
        "Signals": signals,
        "What drove the change of net sales": what_drove,
        "Cohorts": customer_cohorts,
        "What is wrong with the data": faults,
        "Definitions used": definitions,
    }
)
"""The sections of a report by their headings, in order; build your own mapping to change them."""

"""Arguments are refused in one wording, whatever is handed over."""

import datetime as dt
from dataclasses import replace
from functools import partial

import polars as pl
import pytest

import funnelkit as fk
from funnelkit.arguments import not_above, not_between, not_chosen, not_whole

STRANGE = (None, "0.5", True, [], float("nan"), object)


@pytest.mark.parametrize("value", [*STRANGE, 0, 1, -0.1, float("inf")])
def test_what_is_not_between_two_numbers_is_told(value):
    assert not_between("level", value, 0, 1).endswith(" is not between 0 and 1")
    assert not not_between("level", 0.5, 0, 1)


@pytest.mark.parametrize("value", [*STRANGE, 0, -3, float("inf"), 10**400])
def test_what_is_not_a_number_above_another_is_told(value):
    assert not_above("days", value, 0).endswith(" is not a number above 0")
    assert not not_above("days", 0.5, 0)


@pytest.mark.parametrize("value", [*STRANGE, 1.0, 0, -3])
def test_what_is_not_a_whole_number_is_told(value):
    assert not_whole("top", value, 1).endswith(" is not a whole number of 1 or more")
    assert not not_whole("top", 1, 1)


@pytest.mark.parametrize("value", [*STRANGE, "", "Log", ["log"]])
def test_what_is_not_among_its_choices_is_told(value):
    assert not_chosen("method", value, ("log", "log", "other")).endswith(
        " is not one of 'log', 'other'"
    )
    assert not not_chosen("method", "log", ("log", "other"))


@pytest.mark.parametrize("value", ["30", True, float("inf"), float("nan"), 0])
def test_parameters_of_metrics_are_numbers(value):
    for made in (
        lambda: fk.catalog.customer_lifetime_value(lifespan_years=value),
        lambda: fk.catalog.repeat_order_probability(orders=value),
        lambda: fk.catalog.safety_stock(service_level=value),
    ):
        with pytest.raises(fk.DefinitionError, match="is not"):
            made()


NO_FLAGS = (None, 1, 0, "no", [], float("nan"))
NO_NAMES = (None, True, 7, float("nan"), [1], [None], object())
DAYS = {"start": "2024-05-01", "deadline": "2024-06-01"}


@pytest.fixture(scope="module")
def weeks():
    return fk.evaluate(fk.demo(), "add_to_cart_rate", every="1w")


def test_what_is_no_flag_is_refused_by_its_name(weeks):
    events = pl.DataFrame({"visitor_id": [1], "occurred_at": [dt.datetime(2024, 5, 1)]})
    for name, made in (
        *((name, partial(fk.evaluate, fk.demo(), "orders")) for name in ("totals", "exclusions")),
        ("progress", partial(fk.evaluate, fk.demo(), "orders")),
        ("robust", partial(fk.trend, weeks)),
        ("at_midnight", partial(fk.sessionize, events)),
        ("is_nearest", fk.RetailCalendar),
    ):
        for value in NO_FLAGS:
            with pytest.raises(fk.DefinitionError, match=f"^{name}=.* is not True or False"):
                made(**{name: value})


def test_what_are_no_names_are_refused(weeks):
    progress = fk.track(fk.demo(), fk.Goal(metric="orders", target=100, **DAYS))
    for value in NO_NAMES:
        for made in (
            weeks.rollup,
            progress.rollup,
            lambda given: fk.own_benchmark(weeks, points=given),
        ):
            with pytest.raises(fk.DefinitionError, match=r"^(by|points)"):
                made(value)


@pytest.mark.parametrize("value", [True, 0, -1, 0.0, "7", [1], float("nan"), float("inf")])
def test_a_planned_denominator_is_above_zero(value):
    with pytest.raises(fk.DefinitionError, match=r"planned_denominator=.* is not a number above 0"):
        fk.Goal(metric="aov", target=100, planned_denominator=value, **DAYS)


@pytest.mark.parametrize("value", [True, 0, -1, 1.5, "7", [1], float("nan")])
def test_a_benchmark_is_of_a_whole_number(value):
    with pytest.raises(fk.DefinitionError, match="is not a whole number of 1 or more"):
        replace(next(iter(fk.benchmarks().values())), n=value)


@pytest.mark.parametrize("rows", [True, 0, -1, 1.5, "7", [1], float("nan")])
def test_rows_that_are_shown_are_a_whole_number(weeks, rows):
    for table in (weeks, fk.registry()):
        with pytest.raises(fk.DefinitionError, match=r"rows=.* is not a whole number of 1 or more"):
            table.to_text(rows=rows)


@pytest.mark.parametrize("lift", [True, 0, -1, -2, "7", None, 10**400, float("nan")])
def test_a_lift_is_a_change_that_leaves_something(lift):
    with pytest.raises(fk.DefinitionError, match="lift="):
        fk.sample_size(fk.demo(), "session_conversion_rate", unit="visitor_id", lift=lift)


@pytest.mark.parametrize(
    "parts",
    [
        *({"pattern": value} for value in (None, 7, "454", [4, 5], (5, 5, 3), (4.0, "5", 4))),
        *({"last_month": value} for value in (True, 0, 13, 1.5, "1", None, [1])),
        *({"last_weekday": value} for value in (None, 6, "Sat", ["saturday"])),
    ],
    ids=str,
)
def test_a_retail_calendar_of_no_weeks_is_refused(parts):
    with pytest.raises(fk.DefinitionError, match=next(iter(parts))):
        fk.RetailCalendar(**parts)


def test_what_are_no_goals_is_refused(tmp_path):
    for goals in (True, 7, None):
        with pytest.raises(fk.DefinitionError, match=r"^goals is"):
            fk.report(fk.demo(), path=tmp_path / "report.html", goals=goals)

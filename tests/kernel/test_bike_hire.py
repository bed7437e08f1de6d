"""The kernel over a schema that is no shop: formulas, plans, the engine, results."""

import datetime as dt

import polars as pl
import pytest

from funnelkit.errors import ContractError, DefinitionError, MissingInputError, UnknownNameError
from funnelkit.formula.formulas import (
    Count,
    CountDistinct,
    CountRetained,
    Cumulative,
    Formula,
    Max,
    Mean,
    Median,
    PerKey,
    ShareOfTotal,
    Shift,
    Sum,
)
from funnelkit.formula.parsing import parse_formula
from funnelkit.formula.values import Dimension, Lookup
from funnelkit.metrics.metric import Metric
from kernel.bike_hire import (
    KM,
    RIDE,
    RIDE_ROWS,
    RIDER_ROWS,
    SCHEMA,
    Riders,
    Rides,
    ask,
    day,
    hire,
    plan,
    runner_of,
)
from parity.answers import assert_same_answers, by_engine, by_plan

JAN, FEB, MAR, APR = (dt.date(2024, month, 1) for month in (1, 2, 3, 4))
COUNTED = Count(Rides, where=Rides.counts)


def of(formula: Formula, name: str = "m") -> Metric:
    return Metric(name=name, formula=formula)


RIDES = of(COUNTED, "rides")
TAKINGS = of(Sum(Rides.fare, where=Rides.counts), "takings")
RIDERS = of(CountDistinct(Rides.rider_id, where=Rides.counts), "riders")
PRICE = of(TAKINGS / Sum(Rides.length, where=Rides.counts), "price")


def by_month(metric: Metric, **question: object) -> dict[dt.date, object]:
    frame = ask(hire(), metric, every="1mo", **question).frame
    return dict(frame.select("period", metric.name).rows())


# --- Formulas ------------------------------------------------------------------------------------


def test_units_and_additivity_follow_from_the_formula():
    assert str(PRICE.unit) == "money/km"
    assert str(of(RIDES / RIDERS).unit) == "ride/rider"
    assert Rides.length.unit == KM
    assert RIDES.unit == RIDE
    assert (RIDES.additivity.over_time, RIDES.additivity.over_keys) == (True, True)
    assert (RIDERS.additivity.over_time, RIDERS.additivity.over_keys) == (False, False)


@pytest.mark.parametrize("metric", [RIDES, TAKINGS, RIDERS])
def test_the_text_of_a_formula_is_read_back(metric):
    assert parse_formula(str(metric.formula), SCHEMA.tables) == metric.formula


def test_a_formula_names_the_tables_of_its_schema_alone():
    with pytest.raises(DefinitionError, match="no table named 'orders'"):
        parse_formula("count(orders)", SCHEMA.tables)


# --- Numbers -------------------------------------------------------------------------------------


def test_folds_of_a_range():
    names = [RIDES, TAKINGS, RIDERS, PRICE]
    assert ask(hire(), *names).frame.rows() == [(7, 23.0, 4, 23 / 29)]
    assert ask(hire(), *names, start=day(2, 1, 0)).frame.rows() == [(4, 13.0, 3, 13 / 18)]


def test_months_have_a_row_each_though_nothing_happens_in_one():
    assert by_month(RIDES) == {JAN: 3, FEB: 3, MAR: 0, APR: 1}
    assert by_month(PRICE) == {JAN: 10 / 11, FEB: 11 / 13, MAR: None, APR: 0.4}
    assert by_month(of(Shift(COUNTED))) == {JAN: 0, FEB: 3, MAR: 3, APR: 0}
    assert by_month(of(Cumulative(COUNTED))) == {JAN: 3, FEB: 6, MAR: 6, APR: 7}
    retained = CountRetained(Rides.rider_id, where=Rides.counts)
    assert by_month(of(retained)) == {JAN: 0, FEB: 1, MAR: 0, APR: 0}


def test_the_clock_of_the_business_decides_the_month():
    frame = ask(hire(zone="Europe/Warsaw"), RIDES, every="1mo").frame
    assert frame["rides"].to_list() == [3, 3, 0, 1]
    utc = RIDE_ROWS.with_columns(pl.col("started_at").dt.replace_time_zone("UTC"))
    moved = ask(hire(utc, zone="Europe/Warsaw"), RIDES, every="1mo").frame
    assert moved["rides"].to_list() == [2, 4, 0, 1]


def test_what_is_of_a_rider_is_looked_up():
    found = ask(hire(), RIDES, TAKINGS, by=["home"]).frame
    assert set(found.rows()) == {("north", 3, 12.0), ("south", 1, 2.0), (None, 3, 9.0)}
    south = ask(hire(), RIDES, where=Dimension("home").eq("south")).frame
    assert south.item() == 1


def test_derived_columns_follow_the_rules_of_the_schema():
    first = of(Count(Rides, where=Rides.counts & Rides.number.eq(1)))
    assert by_month(first) == {JAN: 2, FEB: 1, MAR: 0, APR: 1}
    ridden = of(Count(Riders, where=Riders.has_ridden))
    assert ask(hire(), ridden).frame.item() == 3
    from_home = Count(Rides, where=Lookup(Rides.rider_id, Riders.home).eq("north"))
    assert ask(hire(), of(from_home)).frame.item() == 3
    supplied = hire(RIDE_ROWS.with_columns(counts=True))
    assert ask(supplied, RIDES).frame.item() == 8
    untold = hire(RIDE_ROWS.drop("is_trial"))
    assert ask(untold, RIDES).frame.item() == 8


def test_per_key_folds_and_shares_of_the_total():
    per_rider = PerKey(Rides.rider_id, lengths=Sum(Rides.length, where=Rides.counts))
    assert ask(hire(), of(Max(per_rider["lengths"]))).frame.item() == 13.0
    assert ask(hire(), of(Mean(per_rider["lengths"]))).frame.item() == pytest.approx(21 / 4)
    assert ask(hire(), of(Median(Rides.length))).frame.item() == 4.5
    share = ask(hire(), of(ShareOfTotal(COUNTED)), by=["home"]).frame
    assert dict(share.rows()) == {"north": 3 / 7, "south": 1 / 7, None: 3 / 7}


def test_cohorts_are_of_whoever_the_schema_says():
    rate = RIDERS / CountDistinct(Rides.rider_id, where=Rides.counts)
    asked = Metric(name="m", formula=rate, required_dimension="wave")
    with pytest.raises(DefinitionError, match="by='wave'"):
        ask(hire(), asked, every="1mo")
    found = ask(hire(), RIDERS, by=["wave"], every="1mo").frame
    assert (FEB, JAN, 1) in found.rows()
    several = r"m cannot be divided by coin: one rider may have several of rides\.coin"
    with pytest.raises(DefinitionError, match=several):
        ask(hire(RIDE_ROWS.with_columns(coin=pl.lit("a"))), asked, by=["wave", "coin"], every="1mo")


# --- Plans and engines ---------------------------------------------------------------------------


def test_a_plan_reads_each_table_once_and_names_none_of_a_shop():
    made = plan(hire(), RIDES, TAKINGS, PRICE, by=["home"], every="1mo")
    assert [step.table for step in made.steps] == ["rides"]
    words = ("order", "customer", "session")
    assert not any(word in str(made) for word in words)


@pytest.mark.parametrize(
    "question", [{}, {"by": ["home"]}, {"every": "1mo"}, {"by": ["home"], "every": "1w"}]
)
def test_the_relations_of_a_plan_mean_in_plain_python_what_the_engine_gives(question):
    data = hire()
    steps = list(plan(data, RIDES, TAKINGS, RIDERS, **question).steps)
    for one, two in zip(by_engine(data, steps), by_plan(data, steps), strict=True):
        assert one.height > 0
        assert_same_answers(one, two)


# --- Faults --------------------------------------------------------------------------------------


def test_a_check_of_the_schema_keeps_a_number_from_being_given():
    broken = RIDE_ROWS.with_columns(length=-pl.col("length"))
    with pytest.raises(ContractError, match=r"(?s)rides\.length: is below nothing.*read the meter"):
        ask(hire(broken), PRICE)
    assert ask(hire(broken, guards=False), RIDES).frame.item() == 7
    data = hire(broken)
    found = runner_of(data).violations()
    assert {(each.table, each.column, each.rows, str(each.finding.severity)) for each in found} == {
        ("rides", "length", 8, "error"),
        ("rides", "rider_id", 1, "warning"),
    }


def test_a_repeated_key_is_noticed_in_both_tables():
    with pytest.raises(ContractError, match=r"rides\.ride_id: is not unique"):
        ask(hire(pl.concat([RIDE_ROWS, RIDE_ROWS[:1]])), RIDES)
    with pytest.raises(ContractError, match=r"riders\.rider_id: is not unique"):
        ask(hire(riders=pl.concat([RIDER_ROWS, RIDER_ROWS[:1]])), RIDES, by=["home"])


def test_what_is_missing_is_named_with_the_hint_of_the_schema():
    with pytest.raises(MissingInputError, match=r"rides\.fare: needed by takings \(or hire bikes"):
        ask(hire(RIDE_ROWS.drop("fare")), TAKINGS)
    with pytest.raises(UnknownNameError, match="no dimension of rides named 'colour'"):
        ask(hire(), RIDES, by=["colour"])


def test_amounts_in_two_coins_are_not_added():
    coins = RIDE_ROWS.with_columns(coin=pl.Series(["a", "b"] * 4))
    with pytest.raises(ContractError, match=r"rides\.coin: holds a and b, whose amounts would be"):
        ask(hire(coins), TAKINGS)
    apart = ask(hire(coins), TAKINGS, by=["coin"]).frame
    assert dict(apart.rows()) == {"a": 15.0, "b": 8.0}


# --- Results -------------------------------------------------------------------------------------


def test_a_result_is_rolled_up_told_and_marked_where_it_may_change():
    result = ask(hire(), RIDES, TAKINGS, PRICE, by=["home"], every="1mo")
    months = result.rollup("period").frame
    assert months["rides"].to_list() == [3, 3, 0, 1]
    assert result.rollup().frame.rows() == [(7, 23.0, 23 / 29)]
    tidy = ask(hire(), PRICE, every="1mo").tidy()
    assert tidy["reason"].to_list() == [None, None, "empty_denominator", "incomplete_period"]
    assert ask(hire(), PRICE, every="1mo").as_of == dt.datetime(2024, 4, 2, tzinfo=dt.UTC)
    assert "rides" in result.explain()

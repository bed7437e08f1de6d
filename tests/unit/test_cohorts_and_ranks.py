"""Cohorts, ranks, roots and lengths by hand, on shops of a few rows."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk
from small_frames import of, orders_of, value, values

AMOUNT = fk.Sum(fk.Orders.gross_amount)


def tiles(amounts, parts=5, *, dense=False, **question):
    """The tile of each customer by the sum of amounts, in the order of customers."""
    shop = fk.Shop(orders=orders_of(customer_id=list(amounts), gross_amount=list(amounts.values())))
    return values(shop, fk.QuantileBucket(AMOUNT, parts, dense=dense), by="customer_id", **question)


def test_a_tile_is_told_by_the_share_of_groups_below():
    assert tiles({1: 10.0, 2: 20.0, 3: 30.0, 4: 40.0, 5: 50.0}) == [1, 2, 3, 4, 5]
    assert tiles({1: 10.0, 2: 20.0, 3: 30.0, 4: 40.0}, 2) == [1, 1, 2, 2]
    assert tiles({1: 10.0, 2: 20.0, 3: 30.0}) == [1, 2, 4]
    assert tiles({1: 7.0}) == [1]


def test_equal_values_share_a_tile():
    amounts = {1: 10.0, 2: 10.0, 3: 10.0, 4: 20.0, 5: 30.0}
    assert tiles(amounts) == [1, 1, 1, 4, 5]
    assert tiles(amounts, dense=True) == [1, 1, 1, 2, 4]


def test_a_group_without_a_value_has_no_tile_and_counts_for_none():
    orders = orders_of(customer_id=[1, 2, 3], gross_amount=[10.0, -5.0, 30.0])
    formula = fk.QuantileBucket(fk.PositiveOrNull(AMOUNT), 2)
    assert values(fk.Shop(orders=orders), formula, by="customer_id") == [1, None, 2]


def test_ranks_are_those_of_the_period():
    may, june = dt.datetime(2024, 5, 2), dt.datetime(2024, 6, 2)
    orders = orders_of(
        customer_id=[1, 2, 1, 2],
        ordered_at=[may, may, june, june],
        gross_amount=[1.0, 2.0, 4.0, 3.0],
    )
    found = values(
        fk.Shop(orders=orders), fk.QuantileBucket(AMOUNT, 2), by="customer_id", every="1mo"
    )
    assert found == [1, 2, 2, 1]


@pytest.mark.parametrize(
    ("by", "told"),
    [((), "ranks groups, and the question has none"), (["customer_id", "status"], "of one key")],
)
def test_ranks_need_one_key(by, told):
    with pytest.raises(fk.DefinitionError, match=told):
        value(fk.Shop(orders=orders_of()), fk.QuantileBucket(AMOUNT, 5), by=by)


@pytest.mark.parametrize("parts", [1, 0, -3, 2.5, True])
def test_fewer_than_two_parts_are_no_division(parts):
    with pytest.raises(fk.DefinitionError, match="is not a valid number of parts"):
        fk.QuantileBucket(AMOUNT, parts)


def test_a_root_is_of_a_square_and_of_nothing_below_zero():
    shop = fk.Shop(orders=orders_of(gross_amount=[9.0]))
    assert value(shop, fk.Sqrt(AMOUNT * AMOUNT)) == 9.0
    assert value(shop, fk.Sqrt(-1 * AMOUNT * AMOUNT)) is None
    assert str(fk.Metric(name="x", formula=fk.Sqrt(AMOUNT * AMOUNT)).unit) == "money"
    with pytest.raises(fk.DefinitionError, match="the square root of money is not a unit"):
        fk.Metric(name="x", formula=fk.Sqrt(AMOUNT))
    negative = fk.Metric(name="x", formula=fk.Sqrt(-1 * AMOUNT * AMOUNT))
    assert fk.evaluate(shop, negative).tidy()["reason"].item() == "negative"


def test_the_days_of_a_period_are_cut_to_the_range():
    shop = fk.Shop(orders=orders_of(ordered_at=[dt.datetime(2024, 2, 10), dt.datetime(2024, 3, 3)]))
    formula = fk.Count(fk.Orders) / fk.PeriodDays()
    asked = fk.Metric(name="asked", formula=formula, unit=fk.ORDER)
    rates = fk.evaluate(shop, asked, every="1mo", start="2024-02-20", end="2024-03-11").frame
    assert rates["asked"].to_list() == [0, pytest.approx(1 / 10)]
    whole = fk.evaluate(shop, asked, start="2024-02-01", end="2024-03-12").frame
    assert whole["asked"].item() == pytest.approx(2 / 40)


WON = {  # customer: the months in which it buys
    1: [1, 2, 4],
    2: [1],
    3: [2, 4],
}


def cohort_shop(**columns):
    bought = [(customer, month) for customer, months in WON.items() for month in months]
    return orders_of(
        customer_id=[customer for customer, _ in bought],
        ordered_at=[dt.datetime(2024, month, 9) for _, month in bought],
        gross_amount=[10.0] * len(bought),
        **columns,
    )


def by_cohort(shop, name, **question):
    result = fk.evaluate(shop, name, by="cohort", every="1mo", **question)
    cells = result.frame.select("period", "cohort", fk.registry()[name].name).rows()
    return {(period.month, cohort.month): number for period, cohort, number in cells}


def test_a_cohort_keeps_its_size_and_a_silent_month_is_a_zero():
    shop = fk.Shop(orders=cohort_shop(), as_of="2024-04-30")
    assert by_cohort(shop, "cohort_retention") == {
        (1, 1): 1.0,
        (2, 1): 0.5,
        (3, 1): 0.0,
        (4, 1): 0.5,
        (2, 2): 1.0,
        (3, 2): 0.0,
        (4, 2): 1.0,
    }
    assert by_cohort(shop, "cohort_retention.repurchased")[4, 1] == 0.5
    assert by_cohort(shop, "cohort_retention.on_or_after")[3, 1] == 0.5


def test_payback_counts_periods_from_that_of_the_cohort():
    ads = pl.DataFrame(
        {"date": [dt.date(2024, 1, 3)], "platform": ["x"], "campaign_id": ["1"], "spend": [25.0]}
    )
    nothing = {name: [0.0] * 6 for name in ("payment_fee", "fulfilment_cost", "shipping_amount")}
    shop = fk.Shop(
        orders=cohort_shop(**nothing),
        campaign_performance=ads,
        assume_empty=("returns", "shipments", "marketing_costs", "order_lines", "products"),
    )
    found = by_cohort(shop, "cac_payback_period")
    assert [found[month, 1] for month in (1, 2, 3, 4)] == [None, 1, 1, 1]
    assert [found[month, 2] for month in (2, 3, 4)] == [0, 0, 0]
    tidy = fk.evaluate(shop, "cac_payback_period", by="cohort", every="1mo").tidy()
    first = tidy.filter(pl.col("period") == dt.date(2024, 1, 1))
    assert first["reason"].to_list() == ["not_reached"]


def test_a_later_cohort_is_not_told_of_what_comes():
    orders = orders_of(
        customer_id=[1, 2, 2, 3],
        ordered_at=[dt.datetime(2024, month, 5) for month in (1, 3, 5, 5)],
        gross_amount=[10.0, 10.0, 10.0, 30.0],
    )
    shop, twice = fk.Shop(orders=orders), fk.PeriodsToBreakEven(AMOUNT - 15)
    found = values(shop, twice, by="cohort", every="1mo")
    assert found == [None, None, None, None, None, None, None, 2, 0]


def test_periods_are_counted_on_any_calendar():
    hours = [dt.datetime(2024, 1, 5, hour) for hour in (1, 3, 6)]
    orders = orders_of(customer_id=[1, 2, 2], ordered_at=hours, gross_amount=[10.0, 10.0, 10.0])
    shop, twice = fk.Shop(orders=orders), fk.PeriodsToBreakEven(AMOUNT - 15)
    assert [v for v in values(shop, twice, by="cohort", every="1h") if v is not None] == [3]
    empty = fk.Shop(orders=orders.clear())
    assert values(empty, twice, by="cohort", every="1mo") == []


def test_the_length_of_an_earlier_period_is_its_own():
    months = [dt.datetime(2024, month, 5) for month in (1, 2, 3)]
    shop = fk.Shop(orders=orders_of(ordered_at=months, gross_amount=[31.0, 29.0, 31.0]))
    assert values(shop, fk.Shift(AMOUNT / fk.PeriodDays(), 1), every="1mo") == [0.0, 1.0, 1.0]
    assert values(shop, fk.Shift(AMOUNT / fk.PeriodDays(), 2), every="1mo") == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(("day", "hours"), [("2024-03-31", [2.0, 3.0]), ("2024-10-27", [4.0, 3.0])])
def test_the_length_of_earlier_hours_is_their_own_where_the_clock_moves(day, hours):
    times = [dt.datetime.fromisoformat(f"{day}T0{hour}:30") for hour in (0, 4)]
    shop = fk.Shop(orders=orders_of(ordered_at=times), time_zone="Europe/Warsaw")
    length, one = fk.PeriodDays() * 24, AMOUNT / AMOUNT
    assert values(shop, length * one, every="3h") == hours
    assert values(shop, fk.Shift(length, 1) * one, every="3h") == [3.0, hours[0]]


@pytest.mark.parametrize(
    "formula",
    [
        fk.Cumulative(AMOUNT / fk.PeriodDays()),
        fk.PeriodsToBreakEven(AMOUNT / fk.PeriodDays()),
        fk.Shift(AMOUNT / fk.PeriodDays(), 1, like_for_like=True),
    ],
)
def test_what_is_no_whole_period_has_no_length(formula):
    with pytest.raises(fk.DefinitionError, match="take it outside of"):
        values(fk.Shop(orders=orders_of()), formula, by="cohort", every="1mo")


def test_what_is_told_for_good_is_not_asked_of_an_earlier_period():
    earlier = fk.Shift(fk.PeriodsToBreakEven(AMOUNT - 15), 1)
    with pytest.raises(fk.DefinitionError, match=r"drop shift\(\)"):
        values(fk.Shop(orders=orders_of()), earlier, by="cohort", every="1mo")


@pytest.mark.parametrize(
    "inner",
    [fk.ShareOfTotal(AMOUNT), fk.QuantileBucket(AMOUNT, 2), fk.PeriodsToBreakEven(AMOUNT - 15)],
)
def test_periods_of_a_group_are_not_counted_by_what_others_have(inner):
    with pytest.raises(fk.DefinitionError, match=r"leave out share_of_total\(\)"):
        values(
            fk.Shop(orders=orders_of()), fk.PeriodsToBreakEven(inner - 1), by="cohort", every="1mo"
        )


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ({"by": "cohort"}, "give periods: every='1mo'"),
        ({"every": "1mo"}, "is a number of each cohort"),
        ({"by": "cohort", "every": "1mo", "start": "2024-02-01"}, "leave out start="),
    ],
)
def test_a_cohort_needs_periods_its_key_and_the_whole_history(question, told):
    with pytest.raises(fk.DefinitionError, match=told):
        fk.evaluate(fk.demo(), "cac_payback_period", **question)


def test_periods_are_counted_from_a_cohort_only():
    until = fk.Metric(name="until", formula=fk.PeriodsToBreakEven(fk.Cumulative(AMOUNT) - AMOUNT))
    with pytest.raises(fk.DefinitionError, match="group by the derived one"):
        fk.evaluate(fk.Shop(orders=orders_of()), until, by="status", every="1mo")


def test_a_cohort_of_ones_own_is_kept():
    mine = orders_of(cohort=["spring", "spring", None])
    assert values(fk.Shop(orders=mine), fk.Count(fk.Orders), by="cohort") == [2, 1]
    days = orders_of(cohort=[dt.date(2024, 1, 1), dt.date(2024, 1, 1), dt.date(2024, 2, 1)])
    assert values(fk.Shop(orders=days), fk.Count(fk.Orders), by="cohort") == [2, 1]


def test_a_cohort_is_grouped_by_and_not_compared():
    with pytest.raises(fk.DefinitionError, match="rows are grouped by it"):
        fk.evaluate(fk.demo(), "orders", where="cohort >= date('2024-02-01')")


def test_amounts_that_are_the_same_to_the_cent_share_a_tile():
    orders = orders_of(customer_id=[1, 1, 2, 3], gross_amount=[19.99, 9.95, 29.94, 50.0])
    assert values(fk.Shop(orders=orders), fk.QuantileBucket(AMOUNT, 5), by="customer_id") == [
        1,
        1,
        4,
    ]


@pytest.mark.parametrize("name", ["rfm_score", "frequency_score"])
def test_a_number_of_each_customer_is_not_rolled_up_or_added(name):
    orders = orders_of(customer_id=[1, 2])
    shop = fk.Shop(orders=orders, assume_empty=("returns",))
    result = fk.evaluate(shop, [name, "orders"], by="customer_key")
    with pytest.raises(fk.UnsupportedError, match=f"{name} cannot be rolled up"):
        result.rollup()
    whole = fk.evaluate(shop, [name, "orders"], by="customer_key", totals=True)
    total = whole.frame.filter("is_total")
    assert total.select("orders", name).row(0) == (2, None)
    reasons = whole.tidy().filter("is_total", metric=name)["reason"].to_list()
    assert reasons == ["of_each_customer_key"]


def test_stock_that_moved_is_not_counted_in_two_places():
    days = [dt.date(2024, 1, 15), dt.date(2024, 1, 31)]
    rows = {"snapshot_date": days, "product_id": [1, 1], "location_id": ["x", "x"]}
    stock = pl.DataFrame({**rows, "on_hand_units": [10, 8], "zone": ["a", "b"]})
    shop = fk.Shop(inventory_snapshots=stock)
    with pytest.raises(fk.UnsupportedError, match="cannot be rolled up over zone"):
        fk.evaluate(shop, "stock_on_hand", by="zone").rollup()
    assert fk.evaluate(shop, "stock_on_hand", by="location_id").rollup().frame.item() == 8


def test_a_cohort_of_ones_own_may_not_meet_a_derived_one():
    orders = orders_of(cohort=["spring"])
    ads = {"date": [dt.date(2024, 5, 1)], "platform": ["x"], "campaign_id": ["1"], "spend": [2.0]}
    shop = fk.Shop(orders=orders, campaign_performance=pl.DataFrame(ads))
    with pytest.raises(fk.DefinitionError, match="supplied in one table and derived in another"):
        fk.evaluate(shop, ["orders", "ad_spend"], by="cohort", every="1mo")


def test_ranks_do_not_depend_on_what_is_asked_beside_them():
    orders = orders_of(customer_id=[1, 2, 1, 3, 2, 1])
    sessions = pl.DataFrame(
        {
            "session_id": [1, 2, 3, 4],
            "visitor_id": ["a", "b", "c", "d"],
            "customer_id": [9, 8, 7, 1],
            "started_at": [dt.datetime(2024, 5, 1)] * 4,
        }
    )
    shop = fk.Shop(orders=orders, sessions=sessions)
    ranks = of(fk.QuantileBucket(fk.Count(fk.Orders), 3), "ranks")
    alone = fk.evaluate(shop, ranks, by="customer_id").frame.rows()
    assert alone == [(1, 3), (2, 2), (3, 1)]
    beside = fk.evaluate(shop, [ranks, "sessions"], by="customer_id")
    rows = beside.frame.select("customer_id", "ranks").rows()
    assert rows == [*alone, (7, None), (8, None), (9, None)]
    unranked = beside.tidy().filter((pl.col("metric") == "ranks") & (pl.col("customer_id") > 3))
    assert unranked["reason"].unique().to_list() == ["no_rows"]


def test_a_rank_of_0_seconds_is_a_rank():
    orders = orders_of(customer_id=[1, 2], ordered_at=[dt.datetime(2024, 5, 1)] * 2)
    since = fk.Min(fk.Elapsed(fk.Orders.ordered_at, fk.Orders.ordered_at))
    assert values(fk.Shop(orders=orders), fk.QuantileBucket(since, 2), by="customer_id") == [1, 1]


def test_the_length_of_an_earlier_period_is_not_rolled_up():
    shop = fk.Shop(orders=cohort_shop())
    rate = of(fk.Count(fk.Orders) / fk.Shift(fk.PeriodDays()))
    result = fk.evaluate(shop, rate, every="1mo", start="2024-01-01", end="2024-05-01")
    with pytest.raises(fk.UnsupportedError, match="it compares periods; evaluate again"):
        result.rollup()


@pytest.mark.parametrize(
    "every", ["6h", ["2024-01-01T00:00", "2024-01-01T06:00", "2024-01-01T12:00"]]
)
def test_hours_are_cut_to_the_range_as_days_are(every):
    times = [dt.datetime(2024, 1, 1, hour) for hour in (4, 7)]
    shop = fk.Shop(orders=orders_of(ordered_at=times), time_zone="Europe/Warsaw")
    hourly = fk.PeriodDays() * 24 * (AMOUNT / AMOUNT)
    question = {"start": "2024-01-01T03:00", "end": "2024-01-01T10:00"}
    assert values(shop, hourly, every=every, **question) == [3.0, 4.0]


def test_totals_leave_out_what_is_of_each_group_or_reads_nothing():
    shop = fk.Shop(orders=cohort_shop(), assume_empty=("returns",))
    days, ranks = of(fk.PeriodDays(), "days"), of(fk.QuantileBucket(AMOUNT, 2), "ranks")
    until = of(fk.PeriodsToBreakEven(AMOUNT - 15), "until")
    asked = fk.evaluate(
        shop, [days, "frequency_score"], by="customer_key", every="1mo", totals=True
    )
    assert asked.frame.height
    ranked = fk.evaluate(shop, [ranks, "orders"], by="customer_id", totals=True)
    assert ranked.frame.filter("is_total").select("ranks", "orders").rows() == [(None, 6)]
    reasons = ranked.tidy().filter((pl.col("metric") == "ranks") & pl.col("is_total"))["reason"]
    assert reasons.to_list() == ["of_each_group"]
    told = fk.evaluate(shop, [until, "orders"], by="cohort", every="1mo", totals=True)
    assert told.frame.filter("is_total")["until"].null_count() > 0

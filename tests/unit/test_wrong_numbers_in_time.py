"""The right number or a refusal, where it depends on when: periods, zones, clocks, open periods."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk
from funnelkit import Count, Orders, Sum
from small_frames import NOON, of, orders_of, value, values

GROSS = Sum(Orders.gross_amount)
WARSAW = "Europe/Warsaw"
GAP = fk.Elapsed(Orders.previous_ordered_at, Orders.ordered_at)
GAP_DAYS = GAP / 86_400


def at(*moments, zone="UTC"):
    """A series of moments, written as the clock of a zone shows them, with the zone."""
    return pl.Series(moments).str.to_datetime(time_unit="us").dt.replace_time_zone(zone)


@pytest.mark.parametrize(
    ("holds", "rows"),
    [
        (GAP_DAYS <= 30, 0),
        (GAP_DAYS > 30, 1),
        (GAP_DAYS.eq(30), 0),
        (GAP_DAYS.is_between(30, 30.5), 0),
    ],
    ids=["le", "gt", "eq", "between"],
)
def test_a_length_of_time_that_is_divided_is_compared_as_a_number(holds, rows):
    later = NOON + dt.timedelta(days=30, hours=21)
    shop = fk.Shop(orders=orders_of(ordered_at=[NOON, later]))
    assert value(shop, Count(Orders, where=holds)) == rows


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("elapsed(previous_ordered_at, ordered_at) / 86400 <= 30", 0),
        ("elapsed(previous_ordered_at, ordered_at) / 86400 > 30", 1),
        ("elapsed(previous_ordered_at, ordered_at) / 86400 == 30", 0),
    ],
)
def test_a_length_of_time_that_is_divided_is_compared_as_a_number_in_text(where, rows):
    later = NOON + dt.timedelta(days=30, hours=21)
    shop = fk.Shop(orders=orders_of(ordered_at=[NOON, later]))
    assert value(shop, Count(Orders), where=where) == rows


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("elapsed(previous_ordered_at, ordered_at) <= hours(48)", 1),
        ("elapsed(previous_ordered_at, ordered_at) < days(2)", 0),
        ("elapsed(previous_ordered_at, ordered_at) - minutes(30) > hours(47.5)", 0),
        ("elapsed(previous_ordered_at, ordered_at) in [seconds(172800), days(9)]", 1),
        ("between(elapsed(previous_ordered_at, ordered_at), 0, days(2))", 1),
        ("elapsed(previous_ordered_at, ordered_at) > 0", 1),
    ],
)
def test_a_length_of_time_is_compared_with_a_length_that_names_its_unit(where, rows):
    shop = fk.Shop(orders=orders_of(ordered_at=[NOON, NOON + dt.timedelta(hours=48)]))
    assert value(shop, Count(Orders), where=where) == rows


@pytest.mark.parametrize(
    "where",
    [
        "elapsed(previous_ordered_at, ordered_at) <= 48",
        "48 >= elapsed(previous_ordered_at, ordered_at)",
        "elapsed(previous_ordered_at, ordered_at) in [48, 49]",
        "between(elapsed(previous_ordered_at, ordered_at), 0, 48)",
        "coalesce(elapsed(previous_ordered_at, ordered_at), 48) == 0",
        "elapsed(previous_ordered_at, ordered_at) - 48 <= 0",
    ],
)
def test_a_number_without_a_unit_is_no_length_of_time(where):
    """Hours were meant and seconds were taken: 48 hours are 172,800 seconds."""
    shop = fk.Shop(orders=orders_of(ordered_at=[NOON, NOON + dt.timedelta(hours=48)]))
    with pytest.raises(fk.DefinitionError, match=r"has no unit.*write days\(48\), hours\(48\)"):
        fk.evaluate(shop, "orders", where=where)


def test_a_length_of_time_is_no_amount():
    with pytest.raises(fk.UnitError, match="money and second do not fit"):
        Count(Orders, where=Orders.gross_amount > dt.timedelta(days=1))


def test_what_waited_longest_by_customer_is_a_length_of_time():
    per = fk.PerKey(Orders.customer_key, wait=fk.Max(GAP))
    shop = fk.Shop(orders=orders_of(ordered_at=[NOON, NOON + dt.timedelta(hours=48)]))
    assert value(shop, Count(per, where=per["wait"] >= dt.timedelta(hours=48))) == 1
    with pytest.raises(fk.DefinitionError, match="has no unit"):
        Count(per, where=per["wait"] >= 48)


@pytest.mark.parametrize("every", ["3y", "4y"])
def test_no_order_is_lost_where_a_period_of_years_begins_before_the_range(every):
    shop = fk.Shop(orders=orders_of(ordered_at=[dt.datetime(2017, 5, 1)]))
    found = fk.evaluate(shop, "orders", every=every, start="2017-01-01").frame
    assert found.get_column("orders").sum() == 1


@pytest.fixture
def path(tmp_path):
    return tmp_path / "orders.parquet"


def by_month(shop):
    return fk.evaluate(shop, "orders", every="1mo").frame.rows()


@pytest.mark.parametrize(
    "january",
    [["2024-01-10T12:00", "2024-01-11T12:00"], ["2024-01-10T12:00"]],
    ids=["as_many_rows", "more_rows"],
)
def test_a_file_written_anew_between_two_questions_gives_the_numbers_of_the_new_one(path, january):
    orders_of(ordered_at=at(*january)).write_parquet(path)
    shop = fk.Shop(orders=path, time_zone=WARSAW)
    assert by_month(shop) == [(dt.date(2024, 1, 1), len(january))]
    orders_of(ordered_at=at("2024-06-30T22:30", "2024-07-05T12:00")).write_parquet(path)
    in_july = [(dt.date(2024, 7, 1), 2)]
    assert by_month(fk.Shop(orders=path, time_zone=WARSAW)) == in_july
    assert by_month(shop) == in_july


def test_a_file_written_anew_with_a_repeated_key_is_refused(path):
    orders_of(order_id=[1, 2]).write_parquet(path)
    shop = fk.Shop(orders=path)
    assert value(shop, Count(Orders)) == 2
    orders_of(order_id=[1, 1]).write_parquet(path)
    with pytest.raises(fk.ContractError, match="not unique"):
        value(shop, Count(Orders))


def converted(rates):
    """What one order of 100 EUR at noon on 1 May is worth in a shop in Warsaw."""
    euro = orders_of(currency=["EUR"])
    shop = fk.Shop(orders=euro, exchange_rates=rates, currency="PLN", time_zone=WARSAW)
    return value(shop, GROSS)


def test_a_rate_dated_at_a_midnight_with_a_zone_is_of_the_day_that_begins_there():
    days = at("2024-05-01", "2024-05-02", zone=WARSAW)
    rates = pl.DataFrame({"date": days, "currency": ["EUR"] * 2, "rate": [4.0, 5.0]})
    assert converted(rates) == 400.0


def test_of_two_rates_of_one_day_the_later_wins_whatever_the_order_of_rows():
    times = [dt.datetime(2024, 5, 1, hour) for hour in (8, 16)]
    rates = pl.DataFrame({"date": times, "currency": ["EUR"] * 2, "rate": [4.0, 5.0]})
    assert (converted(rates), converted(rates.reverse())) == (500.0, 500.0)


@pytest.fixture
def january_cost():
    cost = pl.DataFrame(
        {
            "cost_id": [1],
            "period_start": at("2024-01-01", zone=WARSAW),
            "period_end": at("2024-01-31", zone=WARSAW),
            "amount": [310.0],
        }
    )
    return fk.Shop(marketing_costs=cost, time_zone=WARSAW)


def test_a_cost_whose_days_have_a_zone_is_spread_over_the_days_that_the_clock_shows(january_cost):
    cost = Sum(fk.MarketingCosts.amount)
    found = value(january_cost, cost, start="2024-01-01", end="2024-02-01")
    assert found == pytest.approx(310.0)


def test_a_cost_whose_days_have_a_zone_is_divided_into_months(january_cost):
    frame = fk.evaluate(january_cost, of(Sum(fk.MarketingCosts.amount)), every="1mo").frame
    assert frame.get_column("period").to_list() == [dt.date(2024, 1, 1)]
    assert frame.get_column("asked").to_list() == pytest.approx([310.0])


@pytest.fixture
def first_known():
    """The first known of two times."""
    return fk.Coalesce(Orders.column("shipped_at", fk.Time), Orders.column("paid_at", fk.Time))


def all_at(moment):
    """A shop in Warsaw with an order of which all happened at one moment."""
    orders = orders_of(ordered_at=moment, shipped_at=moment, paid_at=moment)
    return fk.Shop(orders=orders, time_zone=WARSAW)


def test_the_first_known_of_two_times_with_a_zone_is_the_same_instant(first_known):
    shop = all_at(at("2024-05-01T10:00"))
    assert value(shop, Sum(fk.Elapsed(first_known, Orders.ordered_at))) == 0.0


def test_the_first_known_of_two_times_with_a_zone_is_of_the_day_that_the_shop_has_then(
    first_known,
):
    shop = all_at(at("2024-04-30T22:30"))
    assert value(shop, Count(Orders, where=first_known >= dt.date(2024, 5, 1))) == 1


def test_lines_whose_time_is_the_whole_day_of_their_order_have_no_hours():
    days = orders_of(ordered_at=[dt.date(2024, 5, 1)])
    lines = pl.DataFrame({"order_line_id": [1], "order_id": [1], "quantity": [2]})
    shop = fk.Shop(orders=days, order_lines=lines)
    with pytest.raises(fk.DefinitionError, match="whole days"):
        values(shop, Count(Orders), every="1h")
    with pytest.raises(fk.DefinitionError, match="whole days"):
        values(shop, Sum(fk.OrderLines.quantity), every="1h")


@pytest.mark.parametrize(
    "formula",
    [
        fk.Mean(fk.MarketingCosts.amount),
        fk.Max(fk.MarketingCosts.amount),
        fk.PolarsExpr("marketing_costs", pl.col("amount").max(), fk.MONEY),
    ],
    ids=["mean", "max", "native"],
)
def test_a_cost_over_days_of_two_months_is_added_up_by_month_and_nothing_else(formula):
    cost = pl.DataFrame(
        {
            "cost_id": [1],
            "period_start": [dt.date(2024, 1, 30)],
            "period_end": [dt.date(2024, 2, 2)],
            "amount": [100.0],
        }
    )
    shop = fk.Shop(marketing_costs=cost)
    assert value(shop, formula) == 100.0
    with pytest.raises(fk.DefinitionError, match="marketing_costs"):
        values(shop, formula, every="1mo")


def daily(first, last):
    """An order of 100 at noon of every day from one day to another."""
    days = pl.datetime_range(first, last, "1d", eager=True) + dt.timedelta(hours=12)
    return orders_of(ordered_at=days)


APRIL, MAY, JUNE = (dt.datetime(2024, month, 1) for month in (4, 5, 6))


def test_a_sum_is_divided_by_itself_like_for_like_in_an_open_period():
    orders = daily(APRIL, MAY + dt.timedelta(days=9))
    growth = GROSS / fk.Shift(GROSS, like_for_like=True)
    assert values(fk.Shop(orders=orders), growth, every="1mo") == [None, 1.0]

"""Where a day meets a moment, both are compared as days of the shop's zone."""

import datetime as dt
from operator import eq, ge, gt, le, lt, ne

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funnelkit as fk
from small_frames import orders_of, value

DAY = dt.date(2024, 5, 3)
MORNING, EVENING = dt.datetime(2024, 5, 3, 8), dt.datetime(2024, 5, 3, 23, 59)


def parcels(**columns):
    made = {
        "shipment_id": [1, 2],
        "order_id": [1, 2],
        "shipped_at": [dt.datetime(2024, 5, 2, 9)] * 2,
        "delivered_at": [MORNING, EVENING],
        "promised_at": [DAY] * 2,
        "units_shipped": [1, 1],
    }
    return pl.DataFrame({**made, **columns})


def shop_of(shipments, **settings):
    orders = orders_of(order_id=[1, 2], ordered_at=[dt.datetime(2024, 5, 1, 22)] * 2)
    return fk.Shop(orders=orders, shipments=shipments, as_of="2024-06-01", **settings)


def test_a_promised_day_ends_with_the_day():
    late = parcels(delivered_at=[EVENING, dt.datetime(2024, 5, 4, 0, 1)])
    assert fk.evaluate(shop_of(parcels()), "on_time_delivery_rate").frame.item() == 1.0
    assert fk.evaluate(shop_of(late), "on_time_delivery_rate").frame.item() == 0.5


@pytest.mark.parametrize(
    ("as_of", "share"),
    [("2024-05-03T20:00", None), ("2024-05-04", 0.5), ("2024-05-04T00:01", 0.5)],
)
def test_what_is_promised_for_a_day_is_not_late_before_the_day_has_ended(as_of, share):
    orders = orders_of(order_id=[1, 2], ordered_at=[dt.datetime(2024, 5, 1, 22)] * 2)
    shipments = parcels(delivered_at=[MORNING, None])
    shop = fk.Shop(orders=orders, shipments=shipments, as_of=as_of)
    assert fk.evaluate(shop, "on_time_delivery_rate").frame.item() == share


MIDNIGHT = dt.datetime(2024, 5, 3)


@pytest.mark.parametrize(
    "promised",
    [MIDNIGHT, MIDNIGHT.replace(tzinfo=dt.UTC), dt.datetime(2024, 5, 2, 22, tzinfo=dt.UTC)],
)
def test_a_promised_day_that_is_written_as_a_midnight_is_refused(promised):
    """As other libraries write days: a parcel of the same day would be late."""
    shop = shop_of(parcels(promised_at=[promised] * 2), time_zone="Europe/Warsaw")
    with pytest.raises(fk.ContractError, match=r"promised_at: is a midnight in every row"):
        fk.evaluate(shop, "on_time_delivery_rate")
    assert "error" in shop.check()["severity"]


def test_midnights_that_meet_midnights_are_compared_as_the_days_that_they_are():
    arrived = [MIDNIGHT, MIDNIGHT + dt.timedelta(days=1)]
    days = parcels(promised_at=[MIDNIGHT] * 2, delivered_at=arrived)
    assert fk.evaluate(shop_of(days), "on_time_delivery_rate").frame.item() == 0.5
    some = parcels(promised_at=[MIDNIGHT, EVENING])
    assert fk.evaluate(shop_of(some), "on_time_delivery_rate").frame.item() == 0.5


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Warsaw"])
@pytest.mark.parametrize("in_database", [False, True])
def test_days_that_are_written_as_midnights_of_utc_stay_days_or_are_refused(zone, in_database):
    """In New York the midnight of UTC that begins 3 May is in the evening of 2 May."""
    spend = pl.DataFrame({"date": [DAY], "platform": ["meta"], "campaign_id": [1], "spend": [7.0]})
    spend = spend.with_columns(pl.col("date").cast(pl.Datetime("us", "UTC")))
    if in_database:
        database = duckdb.connect()
        database.register("spend", spend)
        shop = fk.Shop.on(fk.DuckDB(database), campaign_performance="spend", time_zone=zone)
    else:
        shop = fk.Shop(campaign_performance=spend, time_zone=zone)
    if zone == "Europe/Warsaw":
        assert fk.evaluate(shop, "ad_spend", every="1d").frame.rows() == [(DAY, 7.0)]
        return
    with pytest.raises(fk.ContractError, match=r"date: is midnight in UTC in every row"):
        fk.evaluate(shop, "ad_spend", every="1d")


def test_orders_at_midnights_of_utc_are_told():
    orders = orders_of(order_id=[1], ordered_at=[MIDNIGHT.replace(tzinfo=dt.UTC)])
    (found,) = fk.Shop(orders=orders, time_zone="America/New_York").check().rows(named=True)
    assert found["severity"] == "warning"
    assert found["check"].startswith("ordered_at is midnight in UTC in every row")


def test_the_day_is_that_of_the_zone_of_the_shop():
    night = pl.Series([dt.datetime(2024, 5, 3, 22, 30)] * 2, dtype=pl.Datetime("us", "UTC"))
    shipments = parcels(delivered_at=night)
    for zone, share in (("UTC", 1.0), ("Europe/Warsaw", 0.0), ("America/New_York", 1.0)):
        shop = shop_of(shipments, time_zone=zone)
        assert fk.evaluate(shop, "on_time_delivery_rate").frame.item() == share


def test_what_passes_between_a_day_and_a_moment_is_in_whole_days():
    shop = shop_of(parcels())
    passed = fk.Elapsed(fk.Shipments.promised_at, fk.Shipments.delivered_at)
    assert value(shop, fk.Max(passed)) == 0
    waited = fk.Elapsed(fk.Shipments.shipped_at, fk.Shipments.promised_at)
    assert value(shop, fk.Max(waited)) == 86_400
    days = parcels(delivered_at=[DAY, DAY + dt.timedelta(days=1)])
    assert value(shop_of(days), fk.Sum(passed)) == 86_400


def test_days_are_whole_where_the_clock_is_changed():
    days = parcels(promised_at=[dt.date(2024, 3, 30)] * 2, delivered_at=[dt.date(2024, 4, 1)] * 2)
    passed = fk.Elapsed(fk.Shipments.promised_at, fk.Shipments.delivered_at)
    shop = shop_of(days, time_zone="Europe/Warsaw")
    assert value(shop, fk.Max(passed)) == 2 * 86_400


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("ordered_at == date('2024-05-03')", 2),
        ("ordered_at != date('2024-05-03')", 2),
        ("ordered_at <= date('2024-05-03')", 3),
        ("ordered_at < date('2024-05-03')", 1),
        ("ordered_at > date('2024-05-03')", 1),
        ("ordered_at >= date('2024-05-03')", 3),
        ("between(ordered_at, date('2024-05-02'), date('2024-05-03'))", 3),
        ("ordered_at in [date('2024-05-03'), date('2024-05-04T00:00')]", 3),
        ("ordered_at >= date('2024-05-03T12:00')", 2),
    ],
)
def test_a_day_in_a_filter_is_the_whole_day(where, count):
    moments = [dt.datetime(2024, 5, 2, 23, 59), MORNING, EVENING, dt.datetime(2024, 5, 4)]
    shop = fk.Shop(orders=orders_of(ordered_at=moments))
    assert fk.evaluate(shop, "orders", where=where).frame.item() == count


TIMES = st.datetimes(dt.datetime(2024, 3, 28), dt.datetime(2024, 4, 2))
COMPARED = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


@given(
    moments=st.lists(TIMES, min_size=1, max_size=6),
    day=st.dates(dt.date(2024, 3, 28), dt.date(2024, 4, 2)),
    relation=st.sampled_from(list(COMPARED)),
)
def test_comparing_a_moment_with_a_day_is_comparing_its_day(moments, day, relation):
    """Also of instants, in a zone where a clock is changed."""
    instants = pl.Series(moments, dtype=pl.Datetime("us", "UTC"))
    shown = instants.dt.convert_time_zone("Europe/Warsaw").dt.date().to_list()
    shop = fk.Shop(orders=orders_of(ordered_at=instants), time_zone="Europe/Warsaw")
    where = f"ordered_at {relation} date('{day}')"
    expected = sum(COMPARED[relation](one, day) for one in shown)
    assert fk.evaluate(shop, "orders", where=where).frame.item() == expected


def test_a_moment_with_a_zone_is_an_instant_in_the_hour_that_the_clock_shows_twice():
    hours = [dt.datetime(2024, 10, 27, hour, 30, tzinfo=dt.UTC) for hour in (0, 1)]
    one = dt.datetime(2024, 10, 27, 1, tzinfo=dt.UTC)
    orders = orders_of(ordered_at=pl.Series(hours, dtype=pl.Datetime("us", "UTC")))
    shop = fk.Shop(orders=orders, time_zone="Europe/Warsaw")
    for where in (
        fk.Dimension("ordered_at") >= one,
        fk.Dimension("ordered_at").is_in([hours[1]]),
        "ordered_at >= date('2024-10-27T01:00Z')",
    ):
        assert fk.evaluate(shop, "orders", where=where).frame.item() == 1
    first = one - dt.timedelta(hours=1)
    assert fk.evaluate(shop, "orders", start=first, end=one).frame.item() == 1
    assert fk.evaluate(shop, "orders", start=one).frame.item() == 1
    with pytest.raises(fk.DefinitionError, match="is not after"):
        fk.evaluate(shop, "orders", start=one, end=first)


def test_times_are_not_subtracted_as_numbers():
    late = fk.Max(fk.Shipments.delivered_at - fk.Shipments.shipped_at)
    with pytest.raises(fk.DefinitionError, match=r"and no number; write elapsed"):
        value(shop_of(parcels()), late)


def test_only_rows_that_count_move_the_as_of_time():
    may = dt.datetime(2024, 5, 4, 12)
    times = [dt.datetime(2024, 4, 3), dt.datetime(2024, 4, 20), may, dt.datetime(2024, 8, 1)]
    for status in ("draft", "test", "cancelled", "voided", "deleted"):
        orders = orders_of(ordered_at=times, status=["paid", "paid", "paid", status])
        result = fk.evaluate(fk.Shop(orders=orders), "orders", every="1mo")
        assert result.tidy()["reason"].to_list() == [None, "incomplete_period"]
        assert result.as_of == dt.datetime(2024, 5, 5, tzinfo=dt.UTC)
    visits = pl.DataFrame(
        {
            "session_id": [1, 2],
            "started_at": [may, dt.datetime(2024, 9, 1)],
            "is_bot": [False, True],
        }
    )
    tidy = fk.evaluate(fk.Shop(sessions=visits), "sessions", every="1mo").tidy()
    assert tidy["reason"].to_list()[0] == "incomplete_period"

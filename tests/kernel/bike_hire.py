"""A business that is no shop: bikes are hired by riders. Two tables, and what is known of them.

Nothing of `funnelkit.schema` is used: a schema is a value that the kernel is handed.
"""

import datetime as dt
from collections.abc import Sequence

import polars as pl

from funnelkit.calendar.calendar import Calendar
from funnelkit.data.binding import bind_frame, with_key_types
from funnelkit.data.findings import Finding
from funnelkit.data.schema import Check, Schema
from funnelkit.data.shop_data import ShopData
from funnelkit.engines.polars.engine import PolarsEngine
from funnelkit.engines.runner import Runner
from funnelkit.errors import DataIssue
from funnelkit.evaluation.execute import answer
from funnelkit.formula.derived import Default, FirstOver, FromChildren, NumberOver, PeriodOf
from funnelkit.formula.formulas import Count
from funnelkit.formula.table import Table, rows_of
from funnelkit.formula.values import (
    Category,
    Dimension,
    Flag,
    Key,
    Lookup,
    Money,
    Predicate,
    Quantity,
    Time,
)
from funnelkit.metrics.metric import Metric
from funnelkit.planning.plan import Plan, Question
from funnelkit.planning.planner import make_plan
from funnelkit.result.result import Result
from funnelkit.units import Unit

RIDER, RIDE, KM = Unit.parse("rider"), Unit.parse("ride"), Unit.parse("km")


class Riders(Table, table="riders", key="rider_id", time="joined_at", row_unit=RIDER):
    """People with the app."""

    rider_id = Key(unit=RIDER)
    joined_at = Time()
    home = Category()
    has_ridden = Flag()
    first_ride_at = Time()


class Rides(
    Table,
    table="rides",
    key="ride_id",
    time="started_at",
    row_unit=RIDE,
    parents={"rider_id": "riders"},
):
    """Bikes taken out."""

    ride_id = Key(unit=RIDE)
    rider_id = Key(unit=RIDER)
    started_at = Time()
    length = Quantity(unit=KM)
    fare = Money()
    is_trial = Flag()
    counts = Flag()
    number = Quantity()
    wave = Category()
    coin = Category()


SCHEMA = Schema(
    tables={"riders": Riders, "rides": Rides},
    rules={
        Rides.counts: (~Rides.is_trial, Default(value=True, absent=(Rides.is_trial,))),
        Rides.number: (
            NumberOver(Rides.rider_id, (Rides.started_at, Rides.ride_id), Rides.counts),
        ),
        Riders.has_ridden: (FromChildren(Rides.rider_id, Count(rows_of(Rides)), above=0),),
        Riders.first_ride_at: (FirstOver(Rides.rider_id, Rides.started_at, Rides.counts),),
        Rides.wave: (PeriodOf(Lookup(Rides.rider_id, Riders.joined_at)),),
    },
    clocks={Rides.started_at: Rides.counts},
    checks=(
        Check(
            Rides.length,
            Rides.length < 0,
            Finding("is a length", "is below nothing", "read the meter again"),
        ),
    ),
    currency_column="coin",
    cohort_key="wave",
    cohort_owner=RIDER,
    hints={"rides.fare": "or hire bikes out for nothing"},
)


def day(month: int, number: int, hour: int = 12) -> dt.datetime:
    return dt.datetime(2024, month, number, hour)


RIDER_ROWS = pl.DataFrame(
    {
        "rider_id": ["ann", "bob", "cem", "dee"],
        "joined_at": [day(1, 2), day(1, 20), day(2, 1), day(2, 20)],
        "home": ["north", "south", None, "south"],
    }
)
RIDE_ROWS = pl.DataFrame(
    [
        (1, "ann", day(1, 5), 4.0, 3.0, False),
        (2, "ann", day(1, 9), 6.0, 5.0, False),
        (3, "bob", day(1, 31, 23), 1.0, 2.0, False),
        (4, "bob", day(2, 3), 9.0, None, True),
        (5, "ann", day(2, 3), 3.0, 4.0, False),
        (6, "cem", day(2, 7), 2.0, 1.0, False),
        (7, None, day(2, 29), 8.0, 6.0, False),
        (8, "zoe", day(4, 1), 5.0, 2.0, False),
    ],
    schema=["ride_id", "rider_id", "started_at", "length", "fare", "is_trial"],
    orient="row",
)
"""One is a trial, one is of nobody, one of a rider who is not on file; in March there is none."""


def hire(
    rides: pl.DataFrame = RIDE_ROWS,
    riders: pl.DataFrame = RIDER_ROWS,
    *,
    zone: str = "UTC",
    guards: bool = True,
) -> ShopData:
    """Bind the tables to the schema."""
    faults: list[DataIssue] = []
    bound = {
        "riders": bind_frame(Riders, riders, {}, faults),
        "rides": bind_frame(Rides, rides, {}, faults),
    }
    assert faults == []
    return ShopData(
        tables=with_key_types(bound),
        schema=SCHEMA,
        calendar=Calendar(time_zone=zone),
        currency="",
        guards=guards,
        given_as_of=None,
    )


def plan(
    data: ShopData,
    *metrics: Metric,
    by: Sequence[str] = (),
    every: str | None = None,
    where: Predicate | None = None,
    start: dt.datetime | None = None,
) -> Plan:
    """Plan a question."""
    calendar, span = data.calendar.divided(every, start, None)
    return make_plan(data, metrics, Question(tuple(map(Dimension, by)), where, calendar, span))


def runner_of(data: ShopData) -> Runner:
    """Return what carries out plans."""
    return Runner(data, PolarsEngine(data))


def ask(data: ShopData, *metrics: Metric, **question: object) -> Result:
    """Plan a question, and carry the plan out."""
    return answer(runner_of(data), plan(data, *metrics, **question))  # type: ignore[arg-type]

"""The catalogue gives on DuckDB what it gives on frames: values, reasons, sizes and currencies."""

import datetime as dt
from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from polars.testing import assert_frame_equal
from sqlglot import exp

import funnelkit as fk
from funnelkit.demo_shop.shop import demo_frames
from funnelkit.engines.polars import translate as by_polars
from funnelkit.engines.sql import operations, translate
from funnelkit.evaluation.evaluate import plan
from funnelkit.planning.lowering import lowering_of
from funnelkit.planning.prepared import Tables
from funnelkit.planning.relations import AggOp, Named, Op
from funnelkit.testing.strategies import GROUP, shop_frames
from parity.both import with_settings
from parity.shops import as_instants, some_of, with_currencies, with_nulls
from strategies import worlds

METRICS = tuple(fk.registry().values())
RETAIL = {"fiscal_year": fk.RetailCalendar()}
TIMES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no periods": ({}, {}),
    "weeks": ({"every": "1w"}, {"week_start": "sunday"}),
    "months in a zone": ({"every": "1mo"}, {"time_zone": "America/St_Johns"}),
    "2 hours": ({"every": "2h", "start": "2024-03-29", "end": "2024-04-08"}, {}),
    "fiscal quarters": ({"every": "1q"}, RETAIL),
}
WARSAW = {"time_zone": "Europe/Warsaw", "currency": "PLN"}


def questions(*keys: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every way to divide time, without a key, by the first key, and by all; with its settings."""
    return [
        ({**time, "by": by}, {**WARSAW, **options})
        for by, (time, options) in product(((), keys[:1], keys), TIMES.values())
    ]


OF_DRAWN, OF_SHOPS = questions(GROUP, "customer_key"), questions("channel", "country")
lawful = settings(
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


pytestmark = pytest.mark.usefixtures("_no_warnings_of_history")


@cache
def database() -> fk.DuckDB:
    """A database with settings of its own, which no number may depend on."""
    return fk.DuckDB(with_settings(duckdb.connect()))


def both(frames: Any, **settings: Any) -> tuple[fk.Shop, fk.Shop]:
    return fk.Shop.bind(frames, **settings), fk.Shop.on(database(), **frames, **settings)


def outcome(shop: fk.Shop, metrics: Any, question: Any) -> fk.Result | str:
    try:
        return fk.evaluate(shop, metrics, **question)
    except fk.FunnelkitError as error:
        return f"{type(error).__name__}: {error}"


def answerable(shop: fk.Shop, question: Any) -> list[fk.Metric]:
    """The metrics that the question can be asked of."""
    found = []
    for metric in METRICS:
        try:
            plan(shop, metric, **question)
        except fk.FunnelkitError:
            continue
        found.append(metric)
    return found


def assert_same(shops: tuple[fk.Shop, fk.Shop], metrics: Any, question: Any) -> None:
    one, two = (outcome(shop, metrics, question) for shop in shops)
    if isinstance(one, str) or isinstance(two, str):
        assert one == two
        return
    assert_frame_equal(one.tidy(), two.tidy(), rel_tol=1e-9, abs_tol=1e-9)
    assert (one.currency, one.as_of) == (two.currency, two.as_of)


def test_relations_of_two_plans_may_name_two_things_alike():
    """What is checked before a fold is planned apart from what the fold reads."""
    noon = dt.datetime(2024, 3, 1, 12)
    orders = {"order_id": [1, 2], "customer_id": [1, 2], "ordered_at": [noon] * 2}
    orders |= {"status": ["paid", "cancelled"]}
    for shop in both({"orders": pl.DataFrame(orders)}):
        plans = [Tables(lowering_of(shop.data)) for _ in range(2)]
        wanted = [fk.Orders.is_counted, fk.Orders.is_first_order]
        named = [
            tables.prepare("orders", [fk.Orders.order_id, column])
            for tables, column in zip(plans, wanted, strict=True)
        ]
        assert isinstance(named[0], Named)
        assert isinstance(named[1], Named)
        assert named[0].name == named[1].name
        found = [frame.sort("order_id") for frame in shop.runner.read([*named, named[0]])]
        assert found[0]["is_counted"].to_list() == [True, False]
        assert "is_first_order" in found[1].columns
        assert_frame_equal(found[0], found[2])


def assert_alike(shops: tuple[fk.Shop, fk.Shop], question: Any) -> None:
    """Ask everything together; one by one where one of them is refused."""
    metrics = answerable(shops[0], question)
    assert metrics
    is_refused = isinstance(outcome(shops[0], metrics, question), str)
    for some in ([metric] for metric in metrics) if is_refused else [metrics]:
        assert_same(shops, some, question)


@pytest.mark.slow
@pytest.mark.parametrize("asked", OF_DRAWN, ids=str)
@settings(lawful, max_examples=60)
@given(frames=shop_frames(METRICS))
def test_the_catalogue_over_any_shop_is_answered_alike(asked, frames):
    question, options = asked
    assert_alike(both(frames, **options), question)


@pytest.mark.slow
@pytest.mark.parametrize("asked", OF_SHOPS, ids=str)
@settings(lawful, max_examples=60)
@given(world=worlds(most=5, is_huge=False, is_near=True))
def test_the_catalogue_over_any_shop_of_odd_times_is_answered_alike(asked, world):
    question, options = asked
    shops = both(world.tables, **{**options, **world.settings})
    for metric in answerable(shops[0], question):
        assert_same(shops, metric, question)


CHANGES = {
    "as it is": lambda frames: frames,
    "instants": as_instants,
    "nulls": with_nulls,
    "currencies": with_currencies,
}


def test_the_catalogue_over_some_of_the_demo_shop_is_answered_alike():
    shops = both(some_of(demo_frames()), **WARSAW)
    assert_alike(shops, {"every": "1mo", "by": "channel"})
    assert_frame_equal(shops[0].check(), shops[1].check())


@pytest.mark.slow
@pytest.mark.parametrize("asked", OF_SHOPS, ids=str)
@pytest.mark.parametrize("change", CHANGES)
def test_the_catalogue_over_the_demo_shop_is_answered_alike(change, asked):
    question, options = asked
    frames = CHANGES[change](demo_frames())
    assert_alike(both(frames, **options, guards=change != "nulls"), question)


AT = dt.datetime(2024, 3, 1)
ORDERS = pl.DataFrame(
    {
        "order_id": [1, 2, 3, 4, 5],
        "ordered_at": [AT, AT - dt.timedelta(1), AT, AT + dt.timedelta(31), AT],
        "status": ["paid", "paid", "paid", "paid", "Paid"],
        "customer_id": [1, 1, None, 2, None],
        "country": ["PL", "DE", None, "FR", None],
        "gross_amount": [10.0, 20.0, 7.0, None, 1.0],
        "discount_amount": [0.0, None, 1.0, 0.0, 0.0],
    }
)
LARGEST = fk.Metric(name="largest", formula=fk.Max(fk.Orders.gross_amount))
FEW = [LARGEST, "aov", "orders", "customers", "new_customers", "discount_rate"]
FAULTS = {
    "bounds leave out their start": (operations.BINARY, Op.GE, operations.BINARY[Op.GT]),
    "bounds take in their end": (operations.BINARY, Op.LT, operations.BINARY[Op.LE]),
    "a maximum of nothing is 0": (
        operations.FOLDS,
        AggOp.MAX,
        lambda this: or_zero(exp.Max(this=this)),
    ),
    "a null is nothing": (operations.UNARY, Op.IS_NULL, lambda _: exp.false()),
    "the last row comes first": (
        vars(translate),
        "_ordered",
        lambda values, is_descending: ordered(values, is_descending=not is_descending),
    ),
    "frames: bounds leave out their start": (by_polars.BINARY, Op.GE, by_polars.BINARY[Op.GT]),
    "frames: nulls are counted": (by_polars.AGGREGATES, AggOp.COUNT, lambda kept: kept.len()),
    "frames: a maximum of nothing is 0": (
        by_polars.AGGREGATES,
        AggOp.MAX,
        lambda kept: kept.max().fill_null(0),
    ),
}
ordered = translate._ordered


def or_zero(value: exp.Expr) -> exp.Expr:
    return exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])


def assert_few_alike(both: Callable[..., tuple[fk.Shop, fk.Shop]] = both) -> None:
    shops = both({"orders": ORDERS}, time_zone="Europe/Warsaw", currency="PLN")
    for question in (
        {"start": "2024-03-01", "end": "2024-04-01"},
        {"every": "1mo", "by": "country"},
    ):
        for metric in FEW:
            assert_same(shops, metric, question)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_either_engine_is_found(fault, monkeypatch):
    assert_few_alike()
    table, name, wrong = FAULTS[fault]
    monkeypatch.setitem(table, name, wrong)
    with pytest.raises(AssertionError):
        assert_few_alike()

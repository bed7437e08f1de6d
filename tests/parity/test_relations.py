"""Every step is answered alike by the Polars engine and by the relational plan in plain Python."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.evaluation.evaluate import plan
from funnelkit.planning.derive import to_relations
from funnelkit.planning.offsets import with_offsets
from funnelkit.planning.plan import Step
from funnelkit.planning.relations import AggOp, Named, Op, OverOp
from funnelkit.planning.traversal import walk
from parity.answers import assert_same_answers, by_engine, by_plan, steps_of
from parity.shops import shops
from strategies import ORDERS, SESSIONS, aggregates, worlds

QUESTIONS: dict[str, dict[str, Any]] = {
    "the whole range": {},
    "months": {"every": "1mo"},
    "weeks by country": {"every": "1w", "by": "country"},
    "two weeks from a start": {"every": "2w", "start": "2024-03-05", "end": "2024-10-01"},
    "quarters of some rows": {"every": "1q", "where": "country != 'PL'"},
    "boundaries": {"every": ["2024-01-10", "2024-03-31", "2024-06-01", "2024-11-15"]},
    "boundaries in a day": {
        "every": ["2024-03-31T01:00", "2024-03-31T04:00", "2024-06-01", "2024-10-27T02:30"]
    },
    "six hours": {"every": "6h", "start": "2024-10-25", "end": "2024-10-29"},
    "hours, one twice": {"every": "1h", "start": "2024-10-26T20:00", "end": "2024-10-27T09:00"},
    "cohorts": {"by": "cohort", "every": "1mo"},
    "customers": {"by": "customer_key"},
    "channels": {"by": "channel"},
}
QUICKLY = ("weeks by country",)
ASKED = [
    pytest.param(question, id=name, marks=() if name in QUICKLY else pytest.mark.slow)
    for name, question in QUESTIONS.items()
]
ELSEWHERE = ("months", "weeks by country", "boundaries in a day", "cohorts")
SPRING = {"every": "3h", "start": "2024-03-30", "end": "2024-04-09"}


pytestmark = pytest.mark.usefixtures("_no_warnings_of_history")


def assert_all_alike(shop: fk.Shop, steps: Sequence[Step]) -> None:
    """Answer steps together by both."""
    wanted, found = by_engine(shop.data, steps), by_plan(shop.data, steps)
    for step, one, two in zip(steps, wanted, found, strict=True):
        try:
            assert_same_answers(one, two)
        except AssertionError as error:
            raise AssertionError(f"{step}\n{error}") from None


@pytest.mark.parametrize("question", ASKED)
def test_every_metric_of_the_demo_shop_is_answered_alike(question):
    shop = shops()["demo"]
    steps = steps_of(shop, question)
    assert len(steps) > 100
    assert_all_alike(shop, steps)


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_every_metric_of_the_whole_demo_shop_is_answered_alike(question):
    shop = fk.demo()
    assert_all_alike(shop, steps_of(shop, question))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in shops() if name != "demo"])
@pytest.mark.parametrize("question", [*(QUESTIONS[name] for name in ELSEWHERE), SPRING])
def test_shops_of_other_zones_years_and_currencies_are_answered_alike(name, question):
    shop = shops()[name]
    steps = steps_of(shop, question)
    assert len(steps) > 120
    assert_all_alike(shop, steps)


ALL_TIMES = dt.datetime(2023, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["instants", "retail year", "fiscal year"])
@pytest.mark.parametrize("question", [QUESTIONS["hours, one twice"], SPRING, QUESTIONS["months"]])
def test_zones_as_constants_change_no_number(name, question):
    shop = shops()[name]
    steps = steps_of(shop, question)[::3]
    by_engine(shop.data, steps)
    one = by_plan(shop.data, steps)
    two = by_plan(shop.data, steps, rewrite=lambda rel: with_offsets(rel, *ALL_TIMES))
    for before, after in zip(one, two, strict=True):
        assert_same_answers(before, after)


few = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
GRAINS = st.sampled_from([None, "1h", "6h", "1d", "3d", "1w", "2w", "1mo", "1q", "1y"])
KEYS = st.sampled_from([(), ("channel",), ("country", "channel")])
SETTINGS = st.sampled_from(
    [{}, {"fiscal_year": "04-06"}, {"fiscal_year": fk.RetailCalendar()}, {"week_start": "sunday"}]
)


def assert_alike(shop: fk.Shop, metric: Any, **question: Any) -> None:
    try:
        steps = plan(shop, metric, **question).steps
        by_engine(shop.data, steps)
    except fk.FunnelkitError:
        return
    assert_all_alike(shop, steps)


FOLDS = ["sum", "strict_sum", "within", "count", "count_value", "distinct", "retained", "mean"]
FOLDS += ["min", "max", "quantile", "std_dev", "last", "rollup"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", FOLDS)
@few
@given(
    world=worlds(
        "sessions", "orders", least=3, most=8, is_huge=False, is_near=True, kinds="naive aware date"
    ),
    data=st.data(),
    question=st.fixed_dictionaries({"by": KEYS, "every": GRAINS}),
    options=SETTINGS,
)
def test_every_fold_over_any_shop_is_answered_alike(kind, world, data, question, options):
    pool = data.draw(st.sampled_from([ORDERS, SESSIONS]))
    metric = fk.Metric(name="m", formula=data.draw(aggregates(pool, kinds=[kind])))
    assert_alike(world.shop(**options), metric, **question)


@few
@given(
    world=worlds("sessions", "orders", least=4, most=9, is_huge=False, is_near=True, days=90),
    fold=aggregates(ORDERS, kinds=["growing_rollup", "distinct", "count"]),
    retained=aggregates(ORDERS, kinds=["retained"]),
    question=st.fixed_dictionaries({"by": KEYS, "every": GRAINS.filter(bool)}),
    options=SETTINGS,
)
def test_histories_over_any_shop_are_answered_alike(world, fold, retained, question, options):
    shop = world.shop(**options)
    for formula in (fk.Cumulative(fold), retained):
        assert_alike(shop, fk.Metric(name="m", formula=formula), **question)


@pytest.mark.slow
@settings(few, max_examples=8)
@given(world=worlds(most=5, is_huge=False), every=GRAINS, options=SETTINGS)
def test_the_catalogue_over_any_shop_is_answered_alike(world, every, options):
    shop = world.shop(**options)
    assert_alike(shop, _answerable(shop, every), every=every)


def _answerable(shop: fk.Shop, every: str | None) -> list[str]:
    found = []
    for name in fk.registry():
        try:
            plan(shop, name, every=every)
        except fk.FunnelkitError:
            continue
        found.append(name)
    return found


def test_retention_costs_the_same_however_far_it_looks_back():
    data, sizes = shops()["demo"].data, set()
    for count in (2, 3, 9):
        retained = fk.Metric(
            name="m", formula=fk.CountRetained(fk.Orders.customer_key, periods=count)
        )
        steps = plan(shops()["demo"], retained, every="1w").steps
        assert_alike(shops()["demo"], retained, every="1w")
        sizes.add(len(repr(to_relations(data, steps)[0].relation)))
    assert max(sizes) - min(sizes) < 10


def test_whole_numbers_do_not_overflow():
    many = pl.Series([2_000_000_000, 2_000_000_000], dtype=pl.Int32)
    lines = pl.DataFrame({"order_id": [1, 1], "quantity": many, "unit_price": many})
    orders = pl.DataFrame({"order_id": [1], "ordered_at": ["2024-01-05"]})
    orders = orders.with_columns(pl.col("ordered_at").str.to_datetime())
    shop = fk.Shop(orders=orders, order_lines=lines, order_policy="all")
    total = fk.Metric(name="m", formula=fk.Sum(fk.OrderLines.quantity * fk.OrderLines.unit_price))
    steps = plan(shop, total).steps
    found = by_engine(shop.data, steps)[0]
    assert found[steps[0].folds[0].name].to_list() == [8e18]
    assert_alike(shop, total)


def test_a_plan_names_no_column_as_a_table_does():
    shop = shops()["demo"]
    bound = {name.lower() for table in shop.data.tables.values() for name in table.columns}
    for answer in to_relations(shop.data, steps_of(shop, QUESTIONS["weeks by country"])):
        made = [*answer.keys, *answer.folds, answer.period or "period"]
        assert not bound & {name.lower() for name in made}
        assert all(name.isidentifier() for name in made)
        names = [rel.name for rel in walk(answer.relation) if isinstance(rel, Named)]
        assert all(name.isidentifier() for name in names)


@pytest.mark.parametrize("name", ["the whole range", "cohorts"])
def test_a_name_is_of_one_relation(name):
    shop, named = shops()["demo"], {}
    for answer in to_relations(shop.data, steps_of(shop, QUESTIONS[name])):
        for rel in walk(answer.relation):
            assert not isinstance(rel, Named) or named.setdefault(rel.name, rel) == rel


def test_a_table_prepared_for_another_of_its_kind_is_not_taken_for_it():
    units = fk.Metric(name="a", formula=fk.Sum(fk.Orders.first_shipped_units))
    first = fk.Lookup(fk.Shipments.order_id, fk.Orders.first_shipped_at)
    parcels = fk.Count(fk.Shipments, where=fk.Shipments.shipped_at.eq(first))
    metrics = units, fk.Metric(name="b", formula=parcels)
    found = fk.evaluate(fk.demo(), metrics).frame.row(0)
    assert found == tuple(fk.evaluate(fk.demo(), metric).frame.item() for metric in metrics)


def test_every_operation_is_documented_and_can_be_translated():
    from funnelkit.engines.polars import translate

    tables = (translate.UNARY, translate.BINARY, translate.MANY, translate.CONSTANT)
    known = {op for table in (*tables, translate.AMONG) for op in table}
    assert known == set(Op)
    assert {*translate.AGGREGATES, AggOp.ROWS, AggOp.QUANTILE, AggOp.CUSTOM} == set(AggOp)
    ordered = {OverOp.ROW_NUMBER, OverOp.PREVIOUS, OverOp.NEXT}
    assert {*translate.WINDOWS, *ordered} == set(OverOp)
    for operations in (Op, OverOp, AggOp):
        assert all(str(op) in (operations.__doc__ or "") for op in operations)

"""Laws of how metrics accumulate over time: what `Metric.kind` promises of periods."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.formula.accumulation import MetricKind
from laws.plainly import same
from strategies import ORDERS, SESSIONS, aggregates, worlds

lawful = settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
FOLDS = ("sum", "count", "count_value", "distinct", "rollup")
WORLDS = worlds("sessions", "orders", most=6, is_huge=False)
COUNTED = fk.Count(fk.Orders)
NEW = fk.Count(fk.Orders.customer_key, where=fk.Orders.is_first_order)
BUYERS = fk.CountDistinct(fk.Orders.customer_key)
UNITS = fk.Sum(fk.OrderLines.quantity)
STOCK = fk.ClosingBalance(fk.InventorySnapshots.on_hand_units)
ACTIVE = fk.PerKey(fk.Orders.customer_key, n=COUNTED)


@st.composite
def accumulating(draw):
    fold = draw(aggregates(draw(st.sampled_from([ORDERS, SESSIONS])), kinds=FOLDS))
    match draw(st.integers(0, 3)):
        case 0:
            return 3 * fold / 4
        case 1:
            return fold + fold
        case 2:
            return fk.Metric(name="inner", formula=fold)
        case _:
            return fold


def keeps(kind, shop, metric, every):
    """Return whether the periods and the whole of a metric are as its kind promises."""
    periods = fk.evaluate(shop, metric, every=every).frame["m"].drop_nulls().to_list()
    whole = fk.evaluate(shop, metric).frame["m"].item() or 0
    largest = max(map(abs, [1, whole, *periods]))
    if kind is MetricKind.FLOW:
        return same(sum(periods), whole, largest)
    return max(periods, default=0) <= whole + 1e-9 <= sum(periods) + 2e-9


@lawful
@given(WORLDS, accumulating(), st.sampled_from(["1d", "1w", "1mo"]))
def test_a_flow_adds_up_and_a_distinct_count_lies_between_its_largest_part_and_their_sum(
    world, formula, every
):
    metric = fk.Metric(name="m", formula=formula)
    shop = world.shop()
    is_sum = fk.evaluate(shop, metric, every=every).frame["m"].dtype.is_float()
    if metric.kind is MetricKind.FLOW or (metric.kind is MetricKind.DISTINCT and not is_sum):
        assert keeps(metric.kind, shop, metric, every)


def test_the_wrong_kind_is_seen():
    orders = pl.DataFrame(
        {
            "order_id": [1, 2],
            "ordered_at": [dt.datetime(2024, 3, 1), dt.datetime(2024, 3, 2)],
            "customer_id": ["anna", "anna"],
        }
    )
    shop = fk.Shop(orders=orders)
    buyers = fk.Metric(name="m", formula=BUYERS)
    assert keeps(MetricKind.DISTINCT, shop, buyers, "1d")
    assert not keeps(MetricKind.FLOW, shop, buyers, "1d")
    assert not keeps(MetricKind.DISTINCT, shop, fk.Metric(name="m", formula=-1 * COUNTED), "1d")


@pytest.mark.parametrize(
    ("formula", "kind"),
    [
        (COUNTED, "flow"),
        (COUNTED - fk.Count(fk.Orders, where=fk.Orders.is_counted), "flow"),
        (2 * COUNTED / 3, "flow"),
        (fk.Sum(fk.Orders.gross_amount, skip_nulls=False), "flow"),
        (fk.CountDistinct(fk.Orders.order_id), "flow"),
        (BUYERS, "distinct"),
        (BUYERS - NEW, "distinct"),
        (2 * BUYERS, "distinct"),
        (fk.Count(ACTIVE), "distinct"),
        (fk.Sum(ACTIVE["n"]), "distinct"),
        (fk.CountRetained(fk.Orders.customer_key), "distinct"),
        (STOCK, "stock"),
        (STOCK / 2, "stock"),
        (fk.Cumulative(COUNTED), "stock"),
        (STOCK - UNITS, "level"),
        (fk.Sum(ACTIVE["n"]) / COUNTED + 1, "level"),
        (2 / COUNTED, "level"),
        (COUNTED / fk.PeriodDays(), "level"),
        (COUNTED * BUYERS, "level"),
        (fk.Abs(COUNTED), "level"),
        (fk.Shift(COUNTED), "level"),
        (fk.Mean(fk.Orders.gross_amount), "level"),
        (fk.PolarsExpr("orders", pl.len()), "level"),
    ],
    ids=str,
)
def test_the_kind_follows_from_the_formula(formula, kind):
    metric = fk.Metric(name="m", formula=formula)
    assert metric.kind == kind
    assert fk.Metric(name="outer", formula=1 * metric).kind == kind

"""The law pack: every built-in metric keeps every law, and every law can be broken."""

from dataclasses import replace
from itertools import combinations_with_replacement

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit import testing
from funnelkit.formula.properties import walk
from funnelkit.testing import laws as law_pack
from funnelkit.testing.checking import LawsBrokenError, check_law, check_metric
from funnelkit.testing.laws import LAWS, LawBrokenError

METRICS = list(fk.registry().values())
LAW = {law.name: law for law in LAWS}
EXAMPLES = 2
UNBOUND = {"value_return_rate", "value_return_rate.gross", "value_return_rate.flow"}
"""Refunds above what was paid are possible in a drawn shop, and no check of one table sees them."""


def met(metric):
    """Give the pairs of kinds of nodes that meet in a formula."""
    kinds = {type(node).__name__ for node in walk(metric.formula)}
    return set(combinations_with_replacement(sorted(kinds), 2))


def covering(metrics):
    """Give the names of few metrics in which all pairs meet that meet in any."""
    left, chosen = set().union(*map(met, metrics)), set()
    while left:
        best = max(metrics, key=lambda metric: len(met(metric) & left))
        chosen.add(best.name)
        left -= met(best)
    return chosen


EVERY_TIME = covering(METRICS)


@pytest.mark.parametrize(
    "metric",
    [
        pytest.param(m, id=m.name, marks=() if m.name in EVERY_TIME else pytest.mark.slow)
        for m in METRICS
    ],
)
def test_every_built_in_metric_keeps_every_law(metric):
    """Few metrics that have every pair of nodes are asked every time, the others in a deep run."""
    loose = replace(metric, bounds=(None, None)) if metric.name in UNBOUND else metric
    check_metric(loose, examples=EXAMPLES)


def test_parameters_for_pytest_are_pairs_that_apply():
    pairs = testing.metric_laws([fk.registry()["orders"], fk.registry()["rfm_score"]])
    names = {(metric.name, law.name) for metric, law in pairs}
    assert ("orders", "totals") in names
    assert ("rfm_score", "totals") not in names
    assert len(pairs) < 2 * len(LAWS)


# --- Teeth: for each law a fault that it catches -------------------------------------------------


def bent(bend):
    """An engine whose answer is bent: its frame is what `bend` makes of it."""

    def evaluate(shop, metric, **question):
        result = fk.evaluate(shop, metric, **question)
        return replace(result, _frame=bend(result.frame, metric.name, question))

    return evaluate


def asking(metric):
    """An engine that computes something else than it is asked."""

    def evaluate(shop, asked, **question):
        return fk.evaluate(shop, replace(metric, name=asked.name), **question)

    return evaluate


def of_first_chunk(shop, metric, **question):
    cut = {}
    for name, bound in shop.tables.items():
        frame = bound.frame.collect()
        cut[name] = frame[: frame.get_column(frame.columns[0]).get_chunks()[0].len()]
    return fk.evaluate(fk.Shop.bind(cut), metric, **question)


def unguarded(shop, metric, **question):
    frames = {name: bound.frame for name, bound in shop.tables.items()}
    return fk.evaluate(fk.Shop.bind(frames, guards=False), metric, **question)


def plus_one(frame, name, _):
    return frame.with_columns(pl.col(name) + 1)


def zero_for_null(frame, name, _):
    return frame.with_columns(pl.col(name).fill_null(0))


def doubled_by_group(frame, name, question):
    return frame.with_columns(pl.col(name) * 2) if question.get("by") else frame


def mean_of_groups(frame, name, question):
    if not question.get("totals"):
        return frame
    mean = frame.filter(~pl.col("is_total")).get_column(name).mean()
    total = pl.when("is_total").then(pl.lit(mean).cast(frame.schema[name])).otherwise(name)
    return frame.with_columns(total.alias(name))


def without_null_group(frame, _, question):
    return frame.drop_nulls("drawn_group") if "drawn_group" in question.get("by", ()) else frame


def first_month_lost(frame, name, question):
    if question.get("every") != "1mo" or not frame.height:
        return frame
    first = pl.int_range(pl.len()) == 0
    return frame.with_columns(pl.when(first).then(0).otherwise(name).alias(name))


def rolling_up_to_means(shop, metric, **question):
    """An engine whose results are rolled up by averaging."""
    result = fk.evaluate(shop, metric, **question)
    rolled = type("Averaging", (fk.Result,), {"__slots__": (), "rollup": _average})
    made = object.__new__(rolled)
    for name in fk.Result.__dataclass_fields__:
        object.__setattr__(made, name, getattr(result, name))
    return made


def _average(result, by):
    keys = list(by)
    name = result.metrics[0].name
    frame = result.frame
    mean = pl.col(name).mean()
    found = frame.group_by(keys).agg(mean) if keys else frame.select(mean)
    plan = replace(result.plan, question=replace(result.plan.question, by=()))
    return replace(result, plan=plan, total=None, has_totals=False, _frame=found)


ORDERS = fk.registry()["orders"]
SALES = fk.registry()["gross_sales"]
SHARE = fk.registry()["goal_conversion_rate"]
FIRST = fk.Metric(name="first", formula=fk.PolarsExpr("orders", pl.col("gross_amount").first()))

WITH_NULL = fk.PolarsExpr("orders", pl.col("customer_id").n_unique() / pl.len())

FAULTS = {
    "row order": (FIRST, fk.evaluate),
    "partition": (ORDERS, of_first_chunk),
    "outside rows": (ORDERS, asking(fk.Metric(name="all", formula="count(orders)"))),
    "double rows": (ORDERS, unguarded),
    "scaled money": (SALES, bent(plus_one)),
    "bounds": (replace(SHARE, bounds=(0, 0.5)), fk.evaluate),
    "nothing": (SHARE, bent(zero_for_null)),
    "between": (SHARE, bent(doubled_by_group)),
    "totals": (ORDERS, bent(mean_of_groups)),
    "additivity": (ORDERS, bent(doubled_by_group)),
    "rollup": (ORDERS, rolling_up_to_means),
    "null keys": (ORDERS, bent(without_null_group)),
    "periods": (ORDERS, bent(first_month_lost)),
    "null values": (fk.Metric(name="buyers", formula=WITH_NULL), fk.evaluate),
    "engines": (ORDERS, bent(plus_one)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_law_catches_a_planted_fault_and_shows_a_small_shop(name):
    metric, evaluate = FAULTS[name]
    with pytest.raises(LawBrokenError) as caught:
        check_law(metric, LAW[name], evaluate=evaluate, examples=100)
    error = caught.value
    assert (error.law, error.metric) == (name, metric.name)
    assert sum(frame.height for frame in error.frames.values()) <= 4
    assert str(error).startswith(f"{metric.name} breaks {name!r}: {LAW[name].says}")


COUNTS_OF_NULL = (
    pl.col("customer_id").n_unique(),
    pl.col("customer_id").alias("buyer").n_unique(),
    pl.col("customer_id").unique().len(),
    pl.col("customer_id").filter(pl.col("cart_id").is_null()).n_unique().alias("buyers"),
    pl.col("customer_id").fill_null(0).n_unique(),
    1 - pl.col("status").n_unique() / pl.len(),
    pl.struct("customer_id", "status").n_unique(),
)
NO_COUNTS_OF_NULL = (
    pl.len(),
    pl.col("customer_id").len(),
    pl.col("order_id").n_unique(),
    pl.col("customer_id").drop_nulls().n_unique(),
    pl.col("customer_id").unique().count(),
    pl.col("customer_id").null_count(),
    pl.col("customer_id").is_null().mean(),
    pl.col("customer_id").is_null().any().cast(pl.Int64),
    pl.col("gross_amount").filter(pl.col("customer_id").is_null()).quantile(0.9),
    pl.col("gross_amount").fill_null(0).max(),
)


@pytest.mark.parametrize("expression", COUNTS_OF_NULL, ids=str)
def test_a_distinct_count_that_counts_null_is_caught(expression):
    metric = fk.Metric(name="buyers", formula=fk.PolarsExpr("orders", expression))
    with pytest.raises(LawBrokenError, match=r"with rows whose (customer_id|status) is null"):
        check_law(metric, LAW["null values"])


@pytest.mark.parametrize("expression", NO_COUNTS_OF_NULL, ids=str)
def test_no_other_expression_is_taken_for_a_count_of_null(expression):
    metric = fk.Metric(name="buyers", formula=fk.PolarsExpr("orders", expression))
    check_law(metric, LAW["null values"], examples=10)


def test_a_count_of_null_is_seen_where_every_shop_has_one():
    rows = {"order_id": [1, 2], "customer_id": [1, None]}
    buyers = fk.Metric(name="buyers", formula=fk.PolarsExpr("orders", COUNTS_OF_NULL[0]))
    trial = testing.Trial(buyers, {"orders": pl.DataFrame(rows)})
    assert "is 1, and 2 with rows" in LAW["null values"].check(trial)


def test_every_law_about_numbers_has_a_planted_fault():
    assert set(FAULTS) == {law.name for law in LAWS if law.needs_data}


def test_a_text_that_is_read_as_something_else_is_caught(monkeypatch):
    monkeypatch.setattr(law_pack, "parse_formula", lambda *_: fk.Count(fk.Orders))
    with pytest.raises(LawBrokenError, match="is read as"):
        check_law(ORDERS, LAW["text"])


def test_a_copy_that_differs_is_caught(monkeypatch):
    monkeypatch.setattr(law_pack.pickle, "loads", lambda _: SALES)
    with pytest.raises(LawBrokenError, match="not the same metric"):
        check_law(ORDERS, LAW["pickling"])


@pytest.mark.slow
def test_every_broken_law_is_reported_at_once():
    with pytest.raises(LawsBrokenError) as caught:
        check_metric(ORDERS, evaluate=bent(plus_one), examples=20)
    assert {"nothing", "additivity"} <= {error.law for error in caught.value.broken}
    assert "orders breaks" in str(caught.value)
    assert "on the shop" in str(caught.value)


def test_a_metric_that_cannot_be_asked_is_reported_with_its_error():
    def refuse(*_, **__):
        raise fk.DefinitionError("it cannot be")

    with pytest.raises(LawBrokenError, match="it cannot be evaluated: it cannot be"):
        check_law(ORDERS, LAW["row order"], evaluate=refuse)


# --- Strategies ----------------------------------------------------------------------------------

QUICK = settings(deadline=None, max_examples=30, database=None, derandomize=True)


@pytest.mark.slow
def test_drawn_shops_give_most_metrics_a_number():
    """A law over nothing but nulls and zeros would hold whatever the formula says."""

    def has_number(metric, draws):
        found = []

        @settings(QUICK, max_examples=draws)
        @given(frames=testing.shop_frames(metric))
        def look(frames):
            found.append(any(testing.Trial(metric, frames).values().values()))

        look()
        return any(found)

    silent = [m for m in METRICS if not has_number(m, 4)]
    silent = [m.name for m in silent if not has_number(m, 12)]
    assert len(silent) <= len(METRICS) // 10, silent


@pytest.mark.filterwarnings("ignore::funnelkit.errors.TruncatedHistoryWarning")
@QUICK
@given(metric=testing.metrics(fk.Orders), data=st.data())
def test_drawn_metrics_can_be_asked_of_drawn_shops(metric, data):
    shop, question = data.draw(testing.shops(metric)), data.draw(testing.questions())
    frame = fk.evaluate(shop, metric, **question).frame
    assert frame.columns == [*(["period"] if "every" in question else []), metric.name]
    assert frame.height == 1 or "every" in question


@QUICK
@given(frame=testing.frames(fk.OrderLines, columns=[fk.OrderLines.quantity]))
def test_drawn_frames_have_a_key_that_is_unique(frame):
    assert {"order_line_id", "ordered_at", "quantity", "drawn_group"} == set(frame.columns)
    assert frame["order_line_id"].n_unique() == frame.height

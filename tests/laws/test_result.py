"""Laws of results: rolled up, with totals, in the long form."""

import datetime as dt
import itertools
import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.errors import UnsupportedError
from funnelkit.formula.formulas import Cumulative, Mean, PeriodDays, Shift
from funnelkit.formula.properties import additivity, aggregates
from laws.plainly import same
from laws.test_semantics import BY_CHANNEL, CATALOGUE, DENSE, GRAINS, ask, lawful, metric_of
from strategies import ORDERS, SESSIONS, formulas, worlds

ADDED = ("sum", "strict_sum", "count", "count_value", "mean")
BY = ("channel", "country")
SUBSETS = [
    kept for n in range(4) for kept in itertools.permutations(("period", "channel", "country"), n)
]
few = settings(lawful, max_examples=25)


def rows_of(result: fk.Result) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    names = [metric.name for metric in result.metrics]
    keys = [*result.keys, *(["is_total"] if result.has_totals else [])]
    found = result.frame.select(
        pl.struct(keys).alias("k") if keys else pl.lit(0).alias("k"), *names
    )
    return {str(key): values for key, *values in found.iter_rows()}


def assert_recomputed(rolled: fk.Result, again: fk.Result, finest: fk.Result) -> None:
    """Assert that two results are equal but for rounding, relative to what was added."""
    assert rolled.keys == again.keys
    assert rolled.frame.schema == again.frame.schema
    sizes = [abs(v) for m in finest.metrics for v in finest.frame[m.name] if v and math.isfinite(v)]
    largest = max(sizes, default=1.0)
    one, two = rows_of(rolled), rows_of(again)
    assert list(one) == list(two)
    for key, values in one.items():
        for value, wanted in zip(values, two[key], strict=True):
            assert same(value, wanted, largest), (key, value, wanted)


def rolled_up(result: fk.Result, kept: tuple[str, ...]) -> fk.Result | str:
    try:
        return result.rollup(kept)
    except UnsupportedError as error:
        return str(error)


def real_reasons(metric: fk.Metric, gone: set[str], *, has_span: bool) -> bool:
    """Whether some fold of a metric does not add up over keys that go."""
    for fold in aggregates(metric.formula):
        adds = additivity(fold)
        is_mean = isinstance(fold, Mean) and fold.of is None
        is_strict = isinstance(fold, fk.Sum) and not (
            fold.skip_nulls or fold.of or fold.require_single
        )
        if is_mean or is_strict:
            continue
        if gone - {"period"} and not adds.over_keys:
            return True
        if "period" in gone and not adds.over_time:
            return True
    return "period" in gone and looks_beyond(metric.formula, has_span=has_span)


def looks_beyond(formula: Any, *, has_span: bool) -> bool:
    """Whether a formula reads another period, the history, or a length that is not known."""
    if isinstance(formula, Shift | Cumulative) or (
        isinstance(formula, PeriodDays) and not has_span
    ):
        return True
    parts = [getattr(formula, name, None) for name in ("formula", "left", "right")]
    return any(looks_beyond(part, has_span=has_span) for part in parts if part is not None)


def assert_rollups(world: Any, metric: fk.Metric, kept: tuple[str, ...], **span: Any) -> None:
    shop = world.shop()
    result = ask(shop, metric, by=BY, every="1mo", **span)
    gone = set(result.keys) - set(kept)
    rolled = rolled_up(result, kept)
    if isinstance(rolled, str):
        assert rolled.startswith(f"{metric.name} cannot be rolled up over ")
        assert real_reasons(metric, gone, has_span=bool(span)), rolled
        return
    assert not real_reasons(metric, gone, has_span=bool(span))
    groups = [name for name in kept if name != "period"]
    every = "1mo" if "period" in kept else None
    assert_recomputed(rolled, ask(shop, metric, by=groups, every=every, **span), result)


# --- rollups -------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", BY_CHANNEL, ids=str)
@settings(lawful, max_examples=6)
@given(
    world=worlds("sessions", "orders", "order_lines", "returns", "carts", is_huge=False),
    kept=st.sampled_from(SUBSETS),
)
def test_a_rollup_of_the_catalogue_is_a_recomputation_or_refused_for_a_reason(metric, world, kept):
    assert_rollups(world, metric, kept)


@settings(lawful, max_examples=120)
@given(
    worlds("sessions", "orders", most=5, is_huge=False),
    formulas(ORDERS, SESSIONS, depth=2),
    st.sampled_from(SUBSETS),
)
def test_a_rollup_of_any_formula_is_a_recomputation_or_refused_for_a_reason(world, formula, kept):
    note(f"{formula}, {kept}")
    assert_rollups(world, metric_of(formula), kept)


@lawful
@given(
    DENSE,
    formulas(ORDERS, SESSIONS, depth=1, kinds=ADDED, has_periods=False),
    st.sampled_from(SUBSETS),
    st.dates(dt.date(2023, 11, 1), dt.date(2024, 4, 1)),
    st.integers(1, 100),
)
def test_a_rollup_within_a_range_is_a_recomputation(world, formula, kept, start, days):
    end = start + dt.timedelta(days=days)
    note(f"{formula}, {kept}, {start}, {end}")
    per_year = metric_of(formula / fk.PeriodDays())
    assert_rollups(world, per_year, kept, start=start, end=end)


@few
@given(worlds("sessions", "orders", most=6, is_huge=False), st.sampled_from(SUBSETS))
def test_totals_stay_in_a_rollup_as_long_as_a_group_stays(world, kept):
    shop, metrics = world.shop(), ["orders", "average_order_value", "gross_sales"]
    result = ask(shop, metrics, by=BY, every="1mo", totals=True)
    rolled = result.rollup(kept)
    groups = [name for name in kept if name != "period"]
    every = "1mo" if "period" in kept else None
    again = ask(shop, metrics, by=groups, every=every, totals=bool(groups))
    assert_recomputed(rolled, again, result)


# --- the long form -------------------------------------------------------------------------------


def assert_tidy_is_the_frame(result: fk.Result) -> None:
    """Assert that the long form has the values of the frame, in order, and why they are null."""
    tidy, frame = result.tidy(), result.frame
    keys = [*result.keys, *(["is_total"] if result.has_totals else [])]
    for metric in result.metrics:
        rows = tidy.filter(pl.col("metric") == metric.name)
        assert rows.select(keys).equals(frame.select(keys))
        assert rows["value"].to_list() == frame[metric.name].cast(pl.Float64).to_list()
    assert tidy.height == frame.height * len(result.metrics)
    for value, reason, n in tidy.select("value", "reason", "n").iter_rows():
        if value is None:
            assert reason not in {None, "incomplete_period"}
        else:
            assert reason in {None, "incomplete_period"}
        assert n is None or n >= 0


@settings(lawful, max_examples=60)
@given(
    worlds("sessions", "orders", most=5),
    formulas(ORDERS, SESSIONS, depth=2),
    st.sampled_from([(), ("channel",), ("channel", "country")]),
    st.sampled_from(["1mo", "1q"]),
    st.booleans(),
    st.sampled_from([1.0, 1e300, 1e308]),
)
def test_tidy_is_the_frame_with_reasons_for_its_nulls(world, formula, by, every, totals, factor):  # noqa: PLR0917
    def stretched(_: str, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(pl.col(pl.Float64) * factor)

    note(str(formula))
    metrics = [metric_of(formula), metric_of(fk.Count(fk.Orders), "n_orders")]
    assert_tidy_is_the_frame(
        ask(world.mapped(stretched), metrics, by=by, every=every, totals=totals)
    )


@few
@given(worlds(), GRAINS, st.booleans())
def test_tidy_of_the_catalogue_is_the_frame_with_reasons_for_its_nulls(world, every, totals):
    assert_tidy_is_the_frame(ask(world, CATALOGUE, every=every, totals=totals))


@lawful
@given(DENSE)
def test_n_is_how_many_things_a_value_rests_on(world):
    tip = fk.Orders.column("tip", fk.Money)
    asked = {
        "rows": fk.Count(fk.Orders),
        "ratio": fk.Sum(tip) / fk.Count(fk.Orders),
        "tips": fk.Count(tip),
        "mean": fk.Mean(tip),
        "total": fk.Sum(tip),
        "fewer": fk.Count(fk.Orders) - fk.Count(fk.Orders, where=tip.is_null()),
    }
    metrics = [metric_of(formula, name) for name, formula in asked.items()]
    tidy = ask(world, metrics, by="channel").tidy()
    frame = {key: rows["n"].to_list() for (key,), rows in tidy.group_by("metric")}
    assert frame["rows"] == frame["ratio"]
    assert frame["tips"] == frame["mean"]
    assert frame["total"] == frame["tips"]
    assert set(frame["fewer"]) <= {None}

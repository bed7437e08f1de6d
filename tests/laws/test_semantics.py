"""Laws of evaluation: what every number means, whatever the shop and the question."""

import datetime as dt
import math
import random
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, example, find, given, note, settings
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.errors import TruncatedHistoryWarning, UnsupportedError
from funnelkit.formula.properties import is_count
from laws.plainly import UTC, Almanac, Cell, Plain, same
from strategies import (
    MONEY_COLUMNS,
    ORDERS,
    SESSIONS,
    STABLE,
    ZONES,
    Pool,
    World,
    aggregates,
    clock_changes,
    formulas,
    shapes,
    worlds,
)

lawful = settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
few = settings(lawful, max_examples=20)
finding = settings(lawful, max_examples=3000, phases=[Phase.generate])

CORE = (
    "sessions",
    "unique_visitors",
    "ad_spend",
    "click_through_rate",
    "engaged_sessions",
    "engagement_rate",
    "bounce_rate",
    "session_conversion_rate",
    "orders_per_session",
    "cart_abandonment_rate",
    "orders",
    "units_sold",
    "gross_sales",
    "discounts",
    "returns_value",
    "net_sales",
    "average_order_value",
    "units_per_transaction",
    "revenue_per_visitor",
    "revenue_per_session",
    "cost_of_goods_sold",
    "gross_profit",
    "gross_margin",
    "return_on_ad_spend",
    "customer_acquisition_cost",
    "customers",
    "new_customers",
    "identified_net_sales",
    "identified_gross_profit",
    "purchase_frequency",
    "repeat_purchase_rate",
    "customer_retention_rate",
    "customer_churn_rate",
    "customer_lifetime_revenue",
    "customer_lifetime_value",
    "clv_cac_ratio",
    "net_promoter_score",
    "customer_satisfaction_score",
)
"""KPIs of every kind of fold, that the worlds of these laws can be asked for."""

CATALOGUE = tuple(fk.registry()[name] for name in CORE)
WITHOUT_PERIODS = tuple(metric for metric in CATALOGUE if not metric.compares_periods)
OF_VISITS = {"sessions", "orders", "order_lines", "returns", "carts"}
BY_CHANNEL = tuple(metric for metric in CATALOGUE if set(metric.inputs) <= OF_VISITS)
GRAINS = st.sampled_from(["1d", "1w", "1mo", "1q", "1y"])
KEYS = st.sampled_from([(), ("channel",), ("country",), ("channel", "country")])
CHANNEL_OF = {"orders": fk.Lookup(fk.Orders.session_id, fk.Sessions.channel)}


def metric_of(formula: Any, name: str = "m") -> fk.Metric:
    return fk.Metric(name=name, formula=formula)


def ask(world: World | fk.Shop, metrics: Any, **question: Any) -> fk.Result:
    """Evaluate; whether a warning is due is the business of tests of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncatedHistoryWarning)
        return fk.evaluate(
            world if isinstance(world, fk.Shop) else world.shop(), metrics, **question
        )


def table_of(result: fk.Result, name: str = "m") -> dict[tuple[Any, ...], float | None]:
    """Give a metric's values by period and keys; hours as instants, which alone are distinct."""
    rows = zip(*(result.frame[key] for key in result.keys), strict=True) if result.keys else [()]
    values = result.frame[name].to_list()
    return {tuple(map(_instant, row)): value for row, value in zip(rows, values, strict=True)}


def _instant(label: Any) -> Any:
    return label.astimezone(UTC) if isinstance(label, dt.datetime) else label


def assert_same_frames(one: pl.DataFrame, two: pl.DataFrame) -> None:
    """Assert that two frames are equal but for rounding of their numbers."""
    assert one.schema == two.schema
    assert one.height == two.height
    largest = 1.0
    for name, dtype in one.schema.items():
        if dtype.is_float():
            largest = max(largest, pl.concat([one[name], two[name]]).abs().max() or 0)
    for name in one.columns:
        for left, right in zip(one[name].to_list(), two[name].to_list(), strict=True):
            if isinstance(left, float) or isinstance(right, float):
                assert same(left, right, largest * 1e-3), name
            else:
                assert left == right, name


def group_of(plain: Plain, by: Sequence[str]) -> Any:
    """Give a function from a table's row to its keys."""

    def keys(table: str, row: dict[str, Any]) -> tuple[Any, ...]:
        if by and table == "orders":
            row = plain.parent(row, fk.Orders.session_id) or {}
        return tuple(row.get(name) for name in by)

    return keys


def assert_plain(world: World, formula: Any, by: tuple[str, ...], **question: Any) -> int:
    """Assert that every value of a result is what plain Python makes of it."""
    metric = metric_of(formula)
    note(f"{formula}, by={by}, {question}")
    result = ask(world, metric, by=by, **question)
    zone = world.zone
    plain = Plain(
        world, Almanac(zone, question.get("every"), world.settings.get("week_start", "monday"))
    )
    known = group_of(plain, by)
    for keys, value in table_of(result).items():
        label, group = (keys[0], keys[1:]) if question.get("every") else (None, keys)
        at = Cell(plain, label, group, known, question.get("start"), question.get("end"))
        wanted = plain.value(formula, at)
        assert same(value, wanted, plain.largest), f"{keys}: {value} for {wanted}"
    return result.frame.height


# --- 1. folds and nulls --------------------------------------------------------------------------


@settings(lawful, max_examples=150)
@given(
    worlds("sessions", "orders", most=5, is_huge=False),
    formulas(ORDERS, SESSIONS, depth=1, kinds=STABLE, has_periods=False),
    KEYS,
)
def test_formulas_mean_what_plain_python_makes_of_them(world, formula, by):
    assert_plain(world, formula, by)


@pytest.mark.parametrize("every", ["1h", "1d", "1w", "1mo", "1q"])
@settings(lawful, max_examples=100)
@given(
    data=st.data(),
    formula=shapes(),
    by=st.sampled_from([(), ("channel",), ("channel", "country")]),
)
def test_shapes_of_shapes_mean_what_plain_python_makes_of_them(every, data, formula, by):
    kinds, days = ("naive aware", 1) if every == "1h" else ("naive aware far date", 90)
    near = worlds(
        "sessions", "orders", least=3, most=9, is_huge=False, kinds=kinds, is_near=True, days=days
    )
    assert_plain(data.draw(near), formula, by, every=every)


@settings(lawful, max_examples=60)
@given(
    world=worlds("sessions", "orders", least=3, is_huge=False, is_near=True, days=60),
    formula=shapes(compares=False),
    lengths=st.tuples(st.integers(-20, 20), st.integers(10, 60)),
)
def test_shapes_within_a_range_mean_what_plain_python_makes_of_them(world, formula, lengths):
    first = world.tables["orders"]["ordered_at"].cast(pl.Date).min() or dt.date(2024, 1, 5)
    start = dt.datetime.combine(first, dt.time()) + dt.timedelta(days=lengths[0])
    end = start + dt.timedelta(days=lengths[1])
    asked = fk.Count(fk.Orders) / fk.PeriodDays() * formula
    assert_plain(world, asked, (), every="1mo", start=start, end=end)


EVERY_FOLD = ("sum", "strict_sum", "within", "count", "count_value", "distinct", "mean", "min")
EVERY_FOLD = (*EVERY_FOLD, "max", "quantile", "std_dev", "last", "rollup")


@pytest.mark.parametrize("kind", EVERY_FOLD)
@settings(lawful, max_examples=30)
@given(
    world=worlds("sessions", "orders", least=3, most=8, is_huge=False),
    pool=st.sampled_from([ORDERS, SESSIONS]),
    by=KEYS,
    data=st.data(),
)
def test_every_fold_means_what_plain_python_makes_of_it(kind, world, pool, by, data):
    assert_plain(world, data.draw(aggregates(pool, kinds=[kind])), by)


DENSE = worlds("sessions", "orders", least=3, most=9, is_huge=False, is_near=True, days=90)
"""Shops of which the moments lie within a few months, so that customers come back in most."""


INNER = ("sum", "strict_sum", "within", "count", "count_value", "distinct", "mean", "min", "max")


@pytest.mark.parametrize("kind", [*INNER, "quantile", "std_dev", "last"])
@settings(lawful, max_examples=25)
@given(world=DENSE, data=st.data(), by=st.sampled_from([(), ("channel",)]))
def test_every_fold_inside_a_rollup_means_what_plain_python_makes_of_it(kind, world, data, by):
    keys = st.sampled_from([fk.Orders.customer_id, fk.Orders.session_id])
    rollup = fk.PerKey(data.draw(keys), a=data.draw(aggregates(ORDERS, kinds=[kind])))
    outer = [fk.Sum(rollup["a"], skip_nulls=False)]
    outer += [] if kind == "mean" else [fk.Mean(rollup["a"])]
    outer += [fk.Count(rollup, where=rollup["a"].is_null()), fk.Max(rollup["a"])]
    assert_plain(world, data.draw(st.sampled_from(outer)), by)


@settings(lawful, max_examples=100)
@given(
    worlds("sessions", "orders", most=5, is_huge=False),
    formulas(ORDERS, SESSIONS, depth=2, kinds=STABLE),
    st.sampled_from([(), ("channel",)]),
    GRAINS,
)
def test_formulas_mean_the_same_in_every_period(world, formula, by, every):
    assert_plain(world, formula, by, every=every)


@lawful
@given(
    DENSE,
    st.sampled_from([fk.Orders.customer_id, fk.Orders.customer_key, fk.Orders.session_id]),
    st.sampled_from([None, fk.Orders.is_counted]),
    st.integers(1, 3),
    st.sampled_from([(), ("channel",)]),
    st.sampled_from(["1w", "1mo"]),
)
def test_who_is_retained_was_there_in_both_periods(world, key, where, periods, by, every):  # noqa: PLR0917
    assert_plain(world, fk.CountRetained(key, where=where, periods=periods), by, every=every)


@lawful
@given(DENSE, aggregates(ORDERS, kinds=["growing_rollup"]), st.sampled_from([(), ("channel",)]))
@example(
    World({}),
    fk.Sum(
        fk.PerKey(fk.Orders.customer_id, a=fk.Min(fk.Orders.column("tip", fk.Money)))["a"],
    ),
    (),
)
def test_folds_of_rollups_grow_with_the_history(world, fold, by):
    if not world.tables:
        months = [dt.datetime(2024, month, 5) for month in (1, 2, 3, 4)]
        tips = pl.Series([3.0, 2.0, 5.0, None])
        world = World({"orders": orders_at(months, customer_id=7).with_columns(tip=tips)})
    assert_plain(world, fk.Cumulative(fold), by, every="1mo")


TIP = fk.Orders.column("tip", fk.Money)
SKIPPING = {
    "sum": fk.Sum(TIP),
    "mean": fk.Mean(TIP),
    "min": fk.Min(TIP),
    "max": fk.Max(TIP),
    "median": fk.Median(TIP),
    "spread": fk.StdDev(TIP),
    "given": fk.Count(TIP),
    "distinct": fk.CountDistinct(TIP),
    "stock": fk.Mean(
        fk.PerKey(fk.Orders.order_id, v=fk.ClosingBalance(TIP))["v"],
    ),
}
FOLDS = [metric_of(formula, name) for name, formula in SKIPPING.items()]
ROWS = metric_of(fk.Count(fk.Orders), "rows")


@lawful
@given(worlds("orders"), st.sampled_from([None, "1mo"]))
def test_folds_skip_nulls(world, every):
    with_all = ask(world, [*FOLDS, ROWS], every=every).frame
    given_only = world.tables["orders"].filter(pl.col("tip").is_finite())
    without = ask(world.having(orders=given_only), [*FOLDS, ROWS], every=every).frame
    if every:
        with_all = with_all.join(without.select("period"), on="period", how="semi")
        if not with_all.height:
            return
    assert_same_frames(with_all.drop("rows"), without.drop("rows"))
    if every is None:
        timed = world.tables["orders"].drop_nulls("ordered_at").height
        assert with_all["rows"].item() == timed


@few
@given(worlds())
def test_nan_is_read_as_null(world):
    def nulled(_: str, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(pl.col(pl.Float64).fill_nan(None))

    def nan(_: str, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(pl.col(pl.Float64).fill_null(math.nan))

    one, two = (ask(world.mapped(how), CATALOGUE, every="1mo") for how in (nulled, nan))
    assert_same_frames(one.frame, two.frame)


# --- 2. no rows ----------------------------------------------------------------------------------

NONE_OF = fk.Orders.order_id.is_null()
ZERO = {
    "sum": fk.Sum(TIP, where=NONE_OF),
    "strict": fk.Sum(TIP, where=NONE_OF, skip_nulls=False),
    "within": fk.Sum(TIP, where=NONE_OF, require_single=fk.Orders.status),
    "rows": fk.Count(fk.Orders, where=NONE_OF),
    "given": fk.Count(TIP, where=NONE_OF),
    "distinct": fk.CountDistinct(fk.Orders.customer_id, where=NONE_OF),
    "owners": fk.Count(fk.PerKey(fk.Orders.customer_id, where=NONE_OF)),
}
NULL = {
    "mean": fk.Mean(TIP, where=NONE_OF),
    "min": fk.Min(TIP, where=NONE_OF),
    "max": fk.Max(TIP, where=NONE_OF),
    "quantile": fk.Quantile(TIP, 0.3, where=NONE_OF),
    "spread": fk.StdDev(TIP, where=NONE_OF),
    "last": fk.ClosingBalance(TIP, where=NONE_OF),
    "ratio": fk.Sum(TIP, where=NONE_OF) / fk.Count(fk.Orders, where=NONE_OF),
}
EVERYWHERE = metric_of(fk.Count(fk.Sessions), "everywhere")


@pytest.mark.parametrize("every", [None, "1mo"])
@pytest.mark.parametrize("by", [(), ("channel",)])
@pytest.mark.parametrize("has_rows", [False, True])
@pytest.mark.parametrize("name", [*ZERO, *NULL])
def test_no_rows_are_0_for_sums_and_counts_and_null_for_the_rest(name, has_rows, by, every):
    world = SMALL if has_rows else SMALL.having(orders=SMALL.tables["orders"].clear())
    metric = metric_of({**ZERO, **NULL}[name])
    values = ask(world, [metric, EVERYWHERE], by=by, every=every).frame["m"].to_list()
    assert values
    assert set(values) == ({0} if name in ZERO else {None})


@lawful
@given(worlds("sessions", "orders"), st.sampled_from([None, "1mo"]))
def test_a_group_that_one_source_lacks_is_empty_there_and_not_missing(world, every):
    one, two = metric_of(fk.Count(fk.Orders), "bought"), metric_of(fk.Count(fk.Sessions), "came")
    together = ask(world, [one, two], by="channel", every=every)
    apart = [table_of(ask(world, m, by="channel", every=every), m.name) for m in (one, two)]
    assert set(table_of(together, "bought")) == {key for found in apart for key in found}
    for metric, found in zip((one, two), apart, strict=True):
        for key, value in table_of(together, metric.name).items():
            assert value == found.get(key, 0)


@lawful
@given(worlds("sessions", "orders"), GRAINS)
def test_every_period_from_the_first_to_the_last_has_a_row(world, every):
    result = ask(world, metric_of(fk.Count(fk.Orders)), every=every)
    almanac = Almanac(world.zone, every)
    periods = [key[0] for key in table_of(result)]
    for one, two in zip(periods, periods[1:], strict=False):
        assert almanac.after(one) == two


# --- 3. null, not NaN ----------------------------------------------------------------------------


OVERFLOWING = (
    fk.Sum(TIP * TIP),
    fk.Sum(TIP) * fk.Sum(TIP),
    fk.StdDev(TIP),
    fk.Max(TIP) / fk.Min(TIP),
)
FACTORS = st.sampled_from([1.0, 1e150, 1e200, 1e300, 1e304, math.inf, -math.inf, math.nan])


@settings(lawful, max_examples=80)
@given(
    worlds("sessions", "orders", most=4),
    formulas(ORDERS, SESSIONS, depth=2) | st.sampled_from(OVERFLOWING),
    FACTORS,
)
def test_no_result_is_ever_nan_or_infinite(world, formula, factor):
    def stretched(_: str, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(pl.col(pl.Float64) * factor)

    metric = metric_of(formula)
    note(str(formula))
    every = "1mo" if metric.compares_periods else None
    result = ask(world.mapped(stretched), metric, by="channel", every=every)
    tidy = result.tidy().select("value", "numerator", "denominator", "n")
    for series in (result.frame["m"], *tidy):
        assert all(value is None or math.isfinite(value) for value in series)


@few
@given(worlds(), FACTORS)
def test_no_metric_is_ever_nan_or_infinite(world, factor):
    def stretched(_: str, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(pl.col(pl.Float64) * factor)

    result = ask(world.mapped(stretched), CATALOGUE, every="1q")
    for metric in CATALOGUE:
        assert all(v is None or math.isfinite(v) for v in result.frame[metric.name])


@settings(lawful, max_examples=80)
@given(worlds("sessions", "orders", most=4, is_huge=False), st.data())
def test_dividing_by_zero_or_null_gives_null(world, data):
    kinds = ["sum", "count", "mean", "max", "distinct"]
    above, below = (data.draw(aggregates(ORDERS, kinds=kinds)) for _ in range(2))
    metrics = [metric_of(above, "above"), metric_of(below, "below"), metric_of(above / below)]
    frame = ask(world, metrics, by="channel").frame
    for one, two, ratio in frame.select("above", "below", "m").iter_rows():
        is_defined = one is not None and two is not None and two != 0
        assert (ratio is not None) == is_defined
        assert not is_defined or math.isclose(ratio, one / two, rel_tol=1e-9)
    inside = metric_of(fk.Count(TIP / (TIP - TIP)))
    assert ask(world, inside).frame["m"].item() == 0


@settings(lawful, max_examples=60)
@given(
    worlds("sessions", "orders", most=4),
    formulas(ORDERS, SESSIONS, depth=2),
    st.sampled_from([(), ("channel",)]),
)
def test_a_null_says_why(world, formula, by):
    note(str(formula))
    tidy = ask(world, metric_of(formula), by=by, every="1q").tidy()
    for value, reason in tidy.select("value", "reason").iter_rows():
        assert value is not None or reason not in {None, "incomplete_period"}
        assert value is None or reason in {None, "incomplete_period"}


@few
@given(worlds())
def test_every_null_of_the_catalogue_says_why(world):
    tidy = ask(world, CATALOGUE, every="1mo").tidy()
    assert tidy.filter(pl.col("value").is_null())["reason"].null_count() == 0
    assert set(tidy.filter(pl.col("value").is_not_null())["reason"]) <= {None, "incomplete_period"}


# --- 4. fractions --------------------------------------------------------------------------------

BOUNDED = (
    "engagement_rate",
    "bounce_rate",
    "session_conversion_rate",
    "cart_abandonment_rate",
    "repeat_purchase_rate",
    "customer_retention_rate",
    "customer_churn_rate",
    "net_promoter_score",
    "customer_satisfaction_score",
    "purchase_frequency",
    "orders",
    "customers",
    "sessions",
)


@few
@given(worlds())
def test_values_stay_within_their_bounds(world):
    frame = ask(world, BOUNDED, every="1mo").frame
    for name in BOUNDED:
        low, high = fk.registry()[name].bounds
        for value in frame[name].drop_nulls():
            assert low is None or value >= low
            assert high is None or value <= high


# --- 5. totals and rollups -----------------------------------------------------------------------


@few
@given(worlds(*sorted(OF_VISITS)), st.sampled_from([None, "1mo"]))
def test_totals_are_computed_and_not_averaged(world, every):
    chosen = [m for m in BY_CHANNEL if every or not m.compares_periods]
    shop = world.shop()
    result = ask(shop, chosen, by="channel", every=every, totals=True).frame
    groups = result.filter(~pl.col("is_total")).drop("is_total")
    total = result.filter("is_total").drop("is_total", "channel")
    assert_same_frames(groups, ask(shop, chosen, by="channel", every=every).frame)
    assert_same_frames(total, ask(shop, chosen, every=every).frame)


@few
@given(worlds())
def test_the_total_of_all_periods_is_that_of_the_whole_range(world):
    shop = world.shop()
    result = ask(shop, CATALOGUE, every="1mo", totals=True).frame
    total = result.filter("is_total").select([metric.name for metric in WITHOUT_PERIODS])
    assert_same_frames(total, ask(shop, WITHOUT_PERIODS).frame)


def test_totals_of_a_metric_that_compares_periods_are_left_out_or_refused_by_name():
    metric = metric_of(fk.Shift(fk.Count(fk.Orders)))
    try:
        frame = ask(SMALL, metric, every="1mo", totals=True).frame
    except fk.FunnelkitError as error:
        refused = str(error)
    else:
        refused = "m "
        assert frame.drop("is_total").equals(ask(SMALL, metric, every="1mo").frame)
    assert refused.startswith("m ")


@settings(lawful, max_examples=80)
@given(
    worlds("sessions", "orders", most=5),
    formulas(ORDERS, SESSIONS, depth=2),
    st.sampled_from([None, "1mo"]),
    st.sampled_from([(), ("channel",), ("country",), ("channel", "country")]),
    st.booleans(),
)
def test_a_rollup_is_a_recomputation_or_is_refused(world, formula, every, kept, has_period):
    metric = metric_of(formula)
    if metric.compares_periods and every is None:
        every = "1mo"
    keeps_period = bool(every) and has_period
    note(f"{formula}, {every}, {kept}, {keeps_period}")
    shop = world.shop()
    result = ask(shop, metric, by=["channel", "country"], every=every)
    try:
        rolled = result.rollup(by=[*(["period"] if keeps_period else []), *kept])
    except UnsupportedError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert refused.startswith("m ")
        return
    if not keeps_period and metric.compares_periods:
        pytest.fail("an earlier period was added up")
    again = ask(shop, metric, by=kept, every="1mo" if keeps_period else None)
    assert rolled.frame.schema == again.frame.schema
    assert rolled.keys == again.keys
    wanted = table_of(again)
    for key, value in table_of(rolled).items():
        assert same(value, wanted[key], _largest(table_of(result))), key


@few
@given(worlds(*sorted(OF_VISITS)))
def test_ratios_are_ratios_of_sums_at_every_level(world):
    ratios = ["average_order_value", "units_per_transaction", "revenue_per_session", "net_sales"]
    shop = world.shop()
    result = ask(shop, ratios, by=["channel", "country"], every="1mo")
    for kept in ([], ["channel"], ["country"], ["period"], ["period", "channel"]):
        rolled = result.rollup(by=kept)
        by = [name for name in kept if name != "period"]
        again = ask(shop, ratios, by=by, every="1mo" if "period" in kept else None)
        assert_same_frames(rolled.frame, again.frame)


@lawful
@given(worlds("sessions", "orders"))
def test_what_adds_up_can_be_rolled_up(world):
    chosen = ["orders", "new_customers", "gross_sales", "sessions"]
    shop = world.shop()
    assert all(fk.registry()[name].additivity.over_keys for name in chosen)
    result = ask(shop, chosen, by="channel", every="1mo")
    assert_same_frames(result.rollup(by="channel").frame, ask(shop, chosen, by="channel").frame)
    assert_same_frames(result.rollup(by="period").frame, ask(shop, chosen, every="1mo").frame)


@settings(lawful, max_examples=60)
@given(worlds("sessions", "orders", most=5), formulas(ORDERS, SESSIONS), KEYS)
def test_a_rollup_to_the_same_keys_changes_nothing(world, formula, by):
    note(str(formula))
    result = ask(world, metric_of(formula), by=by, every="1mo")
    again = result.rollup(by=result.keys)
    assert again.frame.equals(result.frame)
    assert again.tidy().equals(result.tidy())


@pytest.mark.parametrize(
    "formula",
    [
        fk.CountDistinct(fk.Orders.customer_key),
        fk.Count(fk.Orders) / fk.CountDistinct(fk.Orders.customer_key),
        fk.Median(TIP),
        fk.Min(TIP),
        fk.StdDev(TIP),
        fk.CountRetained(fk.Orders.customer_key),
        fk.Count(fk.PerKey(fk.Orders.customer_key)),
        fk.Sum(TIP, require_single=fk.Orders.status),
        fk.Cumulative(fk.CountDistinct(fk.Orders.customer_key)),
        fk.Shift(fk.CountDistinct(fk.Orders.customer_key)),
    ],
    ids=str,
)
def test_distinct_counts_and_their_like_are_never_added(formula):
    result = ask(SMALL, metric_of(formula), by="channel", every="1mo")
    for kept in ([], ["channel"], ["period"]):
        with pytest.raises(UnsupportedError, match=r"^m "):
            result.rollup(by=kept)


@pytest.mark.parametrize("formula", [fk.Shift(fk.Count(fk.Orders)), fk.Cumulative(fk.Sum(TIP))])
def test_earlier_and_running_values_are_rolled_up_over_groups_alone(formula):
    result = ask(SMALL, metric_of(formula), by="channel", every="1mo")
    again = ask(SMALL, metric_of(formula), every="1mo")
    assert table_of(result.rollup(by="period")) == table_of(again)
    with pytest.raises(UnsupportedError, match=r"^m "):
        result.rollup(by="channel")


def test_a_value_that_depends_on_the_length_of_the_period_is_not_rolled_up_over_it():
    metric = metric_of(fk.Sum(TIP) / fk.PeriodDays())
    result = ask(SMALL, metric, by="channel", every="1mo")
    with pytest.raises(fk.FunnelkitError, match="m "):
        result.rollup(by="channel")


# --- 6. the null key -----------------------------------------------------------------------------


@lawful
@given(worlds("sessions", "orders"), st.sampled_from([None, "1mo"]))
def test_a_null_key_is_a_group_of_its_own(world, every):
    ratio = metric_of(fk.Count(fk.Orders) / fk.Count(fk.Sessions))
    parts = [metric_of(fk.Count(fk.Orders), "bought"), metric_of(fk.Count(fk.Sessions), "came")]
    plain = Plain(world, Almanac(world.zone, every))
    channel = group_of(plain, ["channel"])
    frame = ask(world, [ratio, *parts], by="channel", every=every).frame
    nulls = frame.filter(pl.col("channel").is_null())
    for name, table, clock in (
        ("bought", "orders", "ordered_at"),
        ("came", "sessions", "started_at"),
    ):
        rows = [row for row in plain.tables[table] if row[clock] and channel(table, row) == (None,)]
        assert nulls[name].sum() == len(rows)
    keys = ["period", "channel"] if every else ["channel"]
    assert frame.select(keys).is_duplicated().sum() == 0
    for one, two, value in frame.select("bought", "came", "m").iter_rows():
        assert value == (one / two if two else None)


def test_a_null_key_aligns_with_null():
    frame = ask(SMALL, ["orders", "sessions", "orders_per_session"], by="channel").frame
    assert frame.filter(pl.col("channel").is_null()).rows() == [(None, 1, 1, 1.0)]


# --- 7. keys below a rollup ----------------------------------------------------------------------


@settings(lawful, max_examples=60)
@given(worlds("sessions", "orders"), st.sampled_from([(), ("channel",), ("channel", "country")]))
def test_keys_are_pushed_below_a_rollup(world, by):
    result = ask(world, "repeat_purchase_rate", by=by)
    plain = Plain(world, Almanac(world.zone))
    keys = group_of(plain, by)
    counts: dict[tuple[Any, ...], dict[Any, int]] = {}
    for row in plain.tables["orders"]:
        if row["is_counted"] and row["customer_key"] is not None and row["ordered_at"] is not None:
            own = counts.setdefault(keys("orders", row), {})
            own[row["customer_key"]] = own.get(row["customer_key"], 0) + 1
    for key, value in table_of(result, "repeat_purchase_rate").items():
        found = list(counts.get(key, {}).values())
        twice = sum(number >= 2 for number in found)
        assert value == (twice / len(found) if found else None)


def test_twice_in_one_channel_is_not_once_in_each_of_two():
    channels = [1, 2], [1, 1]
    rates = []
    for session_of in channels:
        orders = (
            SMALL.tables["orders"]
            .head(2)
            .with_columns(
                session_id=pl.Series(session_of), customer_id=pl.lit(7), status=pl.lit("paid")
            )
        )
        result = ask(SMALL.having(orders=orders), "repeat_purchase_rate", by="channel")
        rates.append(table_of(result, "repeat_purchase_rate"))
    assert rates == [{("paid",): 0.0, (None,): 0.0}, {("paid",): 1.0}]


# --- 8. periods ----------------------------------------------------------------------------------

COUNTS = metric_of(fk.Count(fk.Orders))
TIMED = "naive aware far"
WEEKS = st.sampled_from(["monday", "sunday", "saturday", "wednesday"])


def assert_periods(world: World, every: str) -> None:
    """Assert that rows fall into the periods that `zoneinfo` puts them in, gaps shown as 0."""
    almanac = Almanac(world.zone, every, world.settings.get("week_start", "monday"))
    moments = world.tables["orders"]["ordered_at"].drop_nulls().to_list()
    wanted: dict[dt.date, int] = {}
    for moment in moments:
        wanted[almanac.period(moment)] = wanted.get(almanac.period(moment), 0) + 1
    if wanted:
        at, last = min(wanted), max(wanted)
        while at < last:
            at = almanac.after(at)
            wanted.setdefault(at, 0)
    result = ask(world, COUNTS, every=every)
    found = {key[0]: value for key, value in table_of(result).items()}
    assert found == wanted
    assert list(found) == sorted(found)


@settings(lawful, max_examples=120)
@given(worlds("orders", least=1), GRAINS, WEEKS)
def test_a_row_enters_the_period_that_the_clock_of_the_zone_shows(world, every, week_start):
    assert_periods(World(world.tables, {**world.settings, "week_start": week_start}), every)


@settings(lawful, max_examples=120)
@given(
    worlds("orders", least=1, is_near=True, days=1, kinds=TIMED), st.sampled_from(["1h", "hour"])
)
def test_a_row_enters_the_hour_that_the_clock_of_the_zone_shows(world, every):
    assert_periods(world, every)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("kind", ["naive", "aware"])
@pytest.mark.parametrize("every", ["1h", "1d"])
def test_no_row_is_lost_when_the_clock_is_changed(zone, kind, every):
    for change in clock_changes(zone) or [dt.datetime(2024, 3, 1, tzinfo=UTC)]:
        moments = [change + dt.timedelta(minutes=15 * step - 180) for step in range(25)]
        if kind == "naive":
            first = moments[0].astimezone(ZoneInfo(zone)).replace(tzinfo=None)
            moments = [first + dt.timedelta(minutes=15 * step) for step in range(25)]
        world = World({"orders": orders_at(moments)}, {"time_zone": zone})
        assert_periods(world, every)


@pytest.mark.parametrize("zone", ["Pacific/Apia", "America/Caracas", "Asia/Pyongyang"])
@pytest.mark.parametrize("kind", ["naive", "aware"])
def test_no_row_is_lost_when_a_zone_changes_its_mind(zone, kind):
    """Apia skipped a whole day in 2011; Caracas and Pyongyang moved by half an hour."""
    for change in clock_changes(zone, 2007, 2018):
        moments = [change + dt.timedelta(minutes=20 * step - 120) for step in range(13)]
        if kind == "naive":
            first = moments[0].astimezone(ZoneInfo(zone)).replace(tzinfo=None)
            moments = [first + dt.timedelta(minutes=20 * step) for step in range(13)]
        world = World({"orders": orders_at(moments)}, {"time_zone": zone})
        for every in ("1h", "1d"):
            found = ask(world, COUNTS, every=every).frame
            assert found["m"].sum() == len(moments)
            assert found["period"].null_count() == 0


@settings(lawful, max_examples=120)
@given(worlds("orders", least=1), st.data())
def test_the_range_is_half_open(world, data):
    almanac = Almanac(world.zone)
    moments = world.tables["orders"]["ordered_at"].drop_nulls().to_list()
    if not moments:
        return
    edges = [almanac.wall(moment) for moment in moments]
    edge = st.sampled_from(edges) | st.sampled_from(edges).map(_next_minute)
    start, end = data.draw(edge), data.draw(edge)
    is_aware = data.draw(st.booleans())
    if is_aware:
        zone = ZoneInfo(world.zone)
        start, end = (almanac.instant(moment).astimezone(zone) for moment in (start, end))
    has_start, has_end = data.draw(st.booleans()), data.draw(st.booleans())
    if has_start and has_end and almanac.wall(start) >= almanac.wall(end):
        return
    question = {**({"start": start} if has_start else {}), **({"end": end} if has_end else {})}
    note(str(question))
    kept = [
        moment
        for moment in moments
        if not (has_start and _is_before(almanac, moment, start))
        and not (has_end and not _is_before(almanac, moment, end))
    ]
    for said in (question, {name: moment.isoformat() for name, moment in question.items()}):
        assert ask(world, COUNTS, **said).frame["m"].item() == len(kept)


def _next_minute(moment: dt.datetime) -> dt.datetime:
    return moment + dt.timedelta(minutes=1)


def _is_before(almanac: Almanac, moment: dt.date, edge: dt.datetime) -> bool:
    if isinstance(moment, dt.datetime) and moment.tzinfo is not None:
        return moment < almanac.instant(edge)
    return almanac.wall(moment) < almanac.wall(edge)


@lawful
@given(worlds("orders", least=1), GRAINS)
def test_the_periods_of_a_split_range_are_those_of_the_whole(world, every):
    almanac = Almanac(world.zone, every)
    periods = [key[0] for key in table_of(ask(world, COUNTS, every=every))]
    for middle in periods[1:3]:
        before = ask(world, COUNTS, end=middle).frame["m"].item()
        after = ask(world, COUNTS, start=middle).frame["m"].item()
        assert before + after == ask(world, COUNTS).frame["m"].item()
        inside = ask(world, COUNTS, start=middle, end=almanac.after(middle)).frame["m"].item()
        assert inside == table_of(ask(world, COUNTS, every=every))[(middle,)]


@few
@given(worlds(*sorted(OF_VISITS), least=1), st.sampled_from(["1w", "1mo"]), st.data())
def test_a_range_shows_its_periods_as_the_whole_does(world, every, data):
    shop = world.shop()
    whole = ask(shop, BY_CHANNEL, every=every).frame
    periods = whole["period"].to_list()
    if not periods:
        return
    start, end = data.draw(st.sampled_from(periods)), data.draw(st.sampled_from(periods))
    if start >= end:
        return
    part = ask(shop, BY_CHANNEL, every=every, start=start, end=end).frame
    assert all(start <= period < end for period in part["period"])
    same_periods = whole.join(part.select("period"), on="period", how="semi")
    assert_same_frames(part, same_periods)


# --- 9. first orders -----------------------------------------------------------------------------


@lawful
@given(worlds("orders", least=1), GRAINS)
def test_a_first_order_is_the_first_of_the_whole_history(world, every):
    result = table_of(ask(world, "new_customers", every=every), "new_customers")
    plain = Plain(world, Almanac(world.zone, every))
    wanted: dict[dt.date, set[Any]] = {}
    for row in plain.tables["orders"]:
        if row["is_first_order"]:
            period = plain.almanac.period(row["ordered_at"])
            wanted.setdefault(period, set()).add(row["customer_key"])
    assert {k[0]: v for k, v in result.items() if v} == {k: len(v) for k, v in wanted.items()}
    for period in [key[0] for key in result][-2:]:
        later = table_of(ask(world, "new_customers", every=every, start=period), "new_customers")
        for key, value in later.items():
            assert value == result[key]


@lawful
@given(worlds("orders"))
def test_numbers_of_orders_run_from_1_in_order_of_time(world):
    plain = Plain(world, Almanac(world.zone))
    numbers = sorted(r["order_number"] for r in plain.tables["orders"] if r["order_number"])
    metrics = [
        metric_of(fk.Sum(fk.Orders.order_number), "sum"),
        metric_of(fk.Count(fk.Orders.order_number), "numbered"),
        metric_of(fk.Max(fk.Orders.order_number), "max"),
        metric_of(fk.Count(fk.Orders.previous_ordered_at), "again"),
        metric_of(fk.CountDistinct(fk.Orders.first_order_at), "firsts"),
        metric_of(
            fk.Sum(
                fk.Elapsed(fk.Orders.first_order_at, fk.Orders.ordered_at),
                where=fk.Orders.is_counted,
            ),
            "since",
        ),
        metric_of(
            fk.Count(fk.Orders, where=fk.Orders.previous_ordered_at > fk.Orders.ordered_at), "late"
        ),
    ]
    found = ask(world, metrics).frame.row(0, named=True)
    assert (found["sum"], found["numbered"]) == (sum(numbers), len(numbers))
    assert found["max"] == (numbers[-1] if numbers else None)
    assert found["again"] == sum(number > 1 for number in numbers)
    firsts = {
        r["customer_key"]: r["ordered_at"] for r in plain.tables["orders"] if r["is_first_order"]
    }
    assert found["firsts"] == len(set(firsts.values()))
    since = [
        plain.almanac.instant(row["ordered_at"])
        - plain.almanac.instant(firsts[row["customer_key"]])
        for row in plain.tables["orders"]
        if row["order_number"]
    ]
    assert found["since"] == sum(since, dt.timedelta()).total_seconds()
    assert found["late"] == 0


@pytest.mark.parametrize("name", ["new_customers", "customer_lifetime_revenue"])
def test_a_history_that_starts_inside_the_range_is_warned_of(name):
    shop = SMALL.having(returns=SMALL_RETURNS).shop()
    first = dt.datetime(2024, 1, 31, 12)
    with pytest.warns(TruncatedHistoryWarning, match="2024-01-31"):
        fk.evaluate(shop, name, start=first)
    with pytest.warns(TruncatedHistoryWarning):
        fk.evaluate(shop, name, start=first - dt.timedelta(days=40), every="1mo")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fk.evaluate(shop, name, start=first + dt.timedelta(minutes=1))
        fk.evaluate(shop, name)
        fk.evaluate(shop, "orders", start=dt.date(2023, 1, 1))


def test_a_first_order_before_the_range_makes_no_new_customer():
    orders = orders_at([dt.datetime(2024, 1, 1), dt.datetime(2024, 3, 1)], customer_id=7)
    shop = fk.Shop(orders=orders)
    assert fk.evaluate(shop, "new_customers", start="2024-02-01").frame.item() == 0
    assert fk.evaluate(shop, "new_customers").frame.item() == 1


# --- 10. what changes nothing --------------------------------------------------------------------


@few
@given(worlds(), st.integers(0, 9), st.sampled_from([None, "1mo"]))
def test_the_order_of_rows_changes_nothing(world, seed, every):
    def shuffled(name: str, frame: pl.DataFrame) -> pl.DataFrame:
        order = list(range(frame.height))
        random.Random(f"{name}{seed}").shuffle(order)
        return frame[order]

    chosen = CATALOGUE if every else WITHOUT_PERIODS
    one, two = ask(world, chosen, every=every), ask(world.mapped(shuffled), chosen, every=every)
    assert_same_frames(one.frame, two.frame)


@lawful
@given(
    worlds("sessions", "orders", most=5, is_huge=False), formulas(ORDERS, SESSIONS), st.booleans()
)
def test_the_order_of_rows_changes_no_formula(world, formula, is_split):
    note(str(formula))

    def turned(_: str, frame: pl.DataFrame) -> pl.DataFrame:
        half = frame.height // 2
        return pl.concat([frame[half:], frame[:half]], rechunk=False) if is_split else frame[::-1]

    metric = metric_of(formula)
    question = {"every": "1mo"} if metric.compares_periods else {"by": "channel"}
    one, two = ask(world, metric, **question), ask(world.mapped(turned), metric, **question)
    assert_same_frames(one.frame, two.frame)


@few
@given(worlds(), st.data())
def test_splitting_frames_and_joining_them_again_changes_nothing(world, data):
    cuts = {name: data.draw(st.integers(0, frame.height)) for name, frame in world.tables.items()}
    is_lazy = data.draw(st.booleans())

    def split(name: str, frame: pl.DataFrame) -> pl.DataFrame:
        parts = [frame[: cuts[name]], frame[cuts[name] :]]
        if is_lazy:
            return pl.concat([part.lazy() for part in parts])
        return pl.concat(parts, rechunk=False)

    one, two = ask(world, CATALOGUE, every="1q"), ask(world.mapped(split), CATALOGUE, every="1q")
    assert_same_frames(one.frame, two.frame)


OUTSIDE = {
    "sessions": {"is_bot": True, "engaged_s": 1e6, "page_views": 50, "has_key_event": True},
    "orders": {"status": "cancelled", "gross_amount": 1e6, "discount_amount": 1e5, "tip": 1e6},
    "order_lines": {"quantity": 7, "unit_price": 1e4, "line_type": "product", "unit_cost": 1.0},
    "returns": {"kind": "cancellation", "refund_amount": 1e6, "quantity": 3},
    "surveys": {"survey_type": "brand_aided", "score": 1},
    "marketing_costs": {},
}
MOMENT = dt.datetime(2024, 2, 10, 12)


def outsiders(world: World, name: str, data: st.DataObject) -> pl.DataFrame:
    """Give rows like those of a table that no metric of the catalogue wants."""
    frame = world.tables[name]
    if name not in OUTSIDE or name == "marketing_costs":
        return frame.clear()
    number = data.draw(st.integers(0, 3))
    keys = {"sessions": "session_id", "orders": "order_id", "order_lines": "order_line_id"}
    key = {**keys, "returns": "return_id", "surveys": "response_id"}[name]
    ids = pl.Series(range(1000, 1000 + number)).cast(frame.schema[key])
    clock = {"sessions": "started_at", "orders": "ordered_at", "returns": "returned_at"}
    clock["surveys"] = "responded_at"
    extra = {key: ids}
    if name in clock:
        hours = [dt.timedelta(days=31 * data.draw(st.integers(-9, 9))) for _ in range(number)]
        moments = pl.Series([MOMENT + delta for delta in hours], dtype=pl.Datetime("us"))
        wanted = frame.schema[clock[name]]
        if isinstance(wanted, pl.Datetime) and wanted.time_zone:
            moments = moments.dt.replace_time_zone(wanted.time_zone)
        extra[clock[name]] = moments.cast(wanted)
    blank = pl.DataFrame({c: pl.Series([None] * number, dtype=t) for c, t in frame.schema.items()})
    for column in ("customer_id", "visitor_id", "session_id", "order_id"):
        if column in frame.columns and column != key and name != "order_lines":
            extra[column] = pl.Series(["1"] * number, dtype=pl.String).cast(frame.schema[column])
    if name == "order_lines":
        extra["order_id"] = pl.Series(["1000"] * number, dtype=pl.String).cast(
            frame.schema["order_id"]
        )
    constants = {
        column: pl.Series([value] * number).cast(frame.schema[column])
        for column, value in OUTSIDE[name].items()
        if column in frame.columns
    }
    return blank.with_columns(**constants).with_columns(**extra)


@settings(few, max_examples=30)
@given(worlds(), st.data(), st.sampled_from([None, "1mo"]))
def test_rows_outside_every_condition_change_nothing(world, data, every):
    more = world.mapped(lambda name, frame: pl.concat([frame, outsiders(world, name, data)]))
    if not (more.tables["orders"]["order_id"].cast(pl.String) == "1000").any():
        more = more.having(order_lines=world.tables["order_lines"])
    chosen = CATALOGUE if every else WITHOUT_PERIODS
    as_of = dt.datetime(2025, 6, 1)
    one = ask(world.shop(as_of=as_of), chosen, every=every)
    two = ask(more.shop(as_of=as_of), chosen, every=every)
    assert_same_frames(one.frame, two.frame)
    assert_same_frames(one.tidy(), two.tidy())


PLAIN_ORDERS = Pool(
    fk.Orders,
    numbers=(fk.Orders.gross_amount, TIP),
    words=(fk.Orders.status,),
    flags=(fk.Orders.column("is_gift", fk.Flag),),
    times=(fk.Orders.column("paid_at", fk.Time),),
    keys=(fk.Orders.customer_id,),
    has_as_of=False,
)


@lawful
@given(worlds("sessions", "orders", most=4), st.data(), st.sampled_from([(), ("channel",)]))
def test_rows_outside_the_condition_of_a_fold_change_nothing(world, data, by):
    kinds = ["sum", "strict_sum", "within", "count", "distinct", "mean", "max", "retained", "last"]
    word = fk.Orders.column("note", fk.Category)
    where = word.is_null() | word.ne("outside")
    fold = data.draw(aggregates(PLAIN_ORDERS, kinds=kinds))
    inside = where if fold.where is None else fold.where & where
    metric = metric_of(replace(fold, where=inside))
    note(str(metric.formula))
    is_stock = isinstance(fold, fk.ClosingBalance)  # the last moment is that of every row
    delta = data.draw(st.sampled_from(["-1d"] if is_stock else ["-1d", "1d", "33d", "-400d"]))
    orders = world.tables["orders"]
    more = orders.with_columns(
        note=pl.lit("outside"),
        order_id=(pl.col("order_id").cast(pl.Int64) + 1000).cast(orders.schema["order_id"]),
        ordered_at=pl.col("ordered_at").dt.offset_by(delta),
    )
    one = ask(world, metric, by=by, every="1mo")
    two = ask(world.having(orders=pl.concat([orders, more])), metric, by=by, every="1mo")
    assert_same_frames(one.frame, two.frame)


@few
@given(worlds(), st.sampled_from([0.25, 2.0, 1024.0]), st.sampled_from([None, "1mo"]))
def test_scaling_money_scales_money_and_leaves_ratios_alone(world, factor, every):
    def scaled(name: str, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(pl.col(column) * factor for column in MONEY_COLUMNS.get(name, ()))

    chosen = CATALOGUE if every else WITHOUT_PERIODS
    one, two = ask(world, chosen, every=every).frame, ask(world.mapped(scaled), chosen, every=every)
    for metric in chosen:
        power = dict(metric.unit.powers).get("money", 0)
        values = one[metric.name].to_list()
        largest = max((abs(value) for value in values if value is not None), default=1)
        for before, after in zip(values, two.frame[metric.name].to_list(), strict=True):
            wanted = None if before is None else before * factor**power
            assert same(after, wanted, largest * factor**power * 1e-3), metric.name


@few
@given(worlds(*sorted(OF_VISITS)), st.sampled_from([None, "1mo"]), st.sampled_from(["paid", None]))
def test_a_condition_on_a_key_keeps_what_the_key_would_show(world, every, channel):
    chosen = [m for m in BY_CHANNEL if every or not m.compares_periods]
    shop = world.shop(as_of="2025-06-01")
    said = "channel == 'paid'" if channel else fk.Dimension("channel").is_null()
    alone = ask(shop, chosen, by="channel", where=said, every=every).frame
    groups = ask(shop, chosen, by="channel", every=every).frame
    kept = groups.filter(pl.col("channel").eq_missing(pl.lit(channel)))
    if every and alone.height:  # running totals go on for as long as anything happens anywhere
        kept = kept.filter(pl.col("period") <= alone["period"].max())
    assert_same_frames(alone, kept)


# --- 12. types -----------------------------------------------------------------------------------


@settings(lawful, max_examples=60)
@given(worlds("sessions", "orders", most=4), formulas(ORDERS, SESSIONS), KEYS)
def test_counts_are_whole_and_everything_else_is_float(world, formula, by):
    note(str(formula))
    metric = metric_of(formula)
    result = ask(world, metric, by=by, every="1mo")
    assert result.frame.schema["m"] == (pl.Int64 if is_count(formula) else pl.Float64)
    assert result.frame.schema["period"] == pl.Date
    numbers = result.tidy().schema
    assert {numbers[name] for name in ("value", "numerator", "denominator", "n")} == {pl.Float64}


@few
@given(worlds())
def test_the_catalogue_counts_in_whole_numbers_and_measures_in_floats(world):
    schema = ask(world, CATALOGUE, every="1mo").frame.schema
    for metric in CATALOGUE:
        assert schema[metric.name] == (pl.Int64 if is_count(metric.formula) else pl.Float64)
    assert schema["orders"] == schema["new_customers"] == pl.Int64
    assert schema["gross_sales"] == schema["units_sold"] == pl.Float64


@few
@given(worlds())
def test_decimals_are_read_as_the_numbers_they_are(world):
    def exact(name: str, frame: pl.DataFrame) -> pl.DataFrame:
        columns = MONEY_COLUMNS.get(name, ())
        return frame.with_columns(
            pl.col(column).fill_nan(None).cast(pl.Decimal(20, 2)) for column in columns
        )

    one, two = ask(world, CATALOGUE, every="1mo"), ask(world.mapped(exact), CATALOGUE, every="1mo")
    assert one.frame.equals(two.frame)


@pytest.mark.parametrize("dtype", [pl.Decimal(20, 2), pl.Int8, pl.UInt16, pl.Float32, pl.Int64])
def test_numbers_of_any_type_are_read(dtype):
    numbers = pl.Series([1, 100, None, 27]).cast(dtype)
    orders = orders_at([MOMENT] * 4).with_columns(
        gross_amount=numbers, discount_amount=numbers, tip=numbers
    )
    for column in (fk.Orders.gross_amount, TIP):
        formulas_of = [
            fk.Sum(column),
            fk.Sum(column * column),
            fk.Sum(column - 1.5),
            fk.Min(column),
        ]
        formulas_of += [
            fk.Mean(column),
            fk.Max(column),
            fk.Median(column),
            fk.CountDistinct(column),
        ]
        formulas_of += [fk.Count(fk.Orders, where=column > 26.5)]
        metrics = [metric_of(f, f"m{n}") for n, f in enumerate(formulas_of)]
        found = ask(World({"orders": orders}), metrics).frame.row(0)
        assert found == (128.0, 10730.0, 123.5, 1.0, 128 / 3, 100.0, 27.0, 3, 2)


@pytest.mark.parametrize("fold", [fk.Min, fk.Max])
@pytest.mark.parametrize("column", [fk.Orders.ordered_at, fk.Orders.order_id, fk.Orders.email_hash])
def test_a_metric_of_a_moment_or_an_id_is_refused_with_its_name(fold, column):
    orders = orders_at([MOMENT, MOMENT]).with_columns(email_hash=pl.lit("a"))
    with pytest.raises(fk.FunnelkitError):
        ask(World({"orders": orders}), metric_of(fold(column)))


# --- 13. open periods ----------------------------------------------------------------------------


@settings(lawful, max_examples=80)
@given(worlds("sessions", "orders", least=1), GRAINS, st.booleans())
def test_a_period_that_is_still_open_is_marked(world, every, has_end):
    almanac = Almanac(world.zone, every)
    plain = Plain(world, almanac)
    if plain.as_of is None:
        return
    known = plain.as_of.astimezone(almanac.info).date()
    end = known + dt.timedelta(days=3) if has_end else None
    tidy = ask(world, [COUNTS, metric_of(fk.Mean(TIP), "mean")], every=every, end=end).tidy()
    for period, value, reason in tidy.select("period", "value", "reason").iter_rows():
        ends = almanac.after(period)
        if value is None:
            assert reason not in {None, "incomplete_period"}
        elif ends <= known:
            assert reason is None
        elif ends > known + dt.timedelta(days=1):
            assert reason == "incomplete_period"


@settings(lawful, max_examples=60)
@given(worlds("sessions", "orders", least=1, is_near=True, days=0, kinds=TIMED))
def test_an_hour_that_is_still_open_is_marked(world):
    almanac = Almanac(world.zone, "1h")
    known = Plain(world, almanac).as_of
    tidy = ask(world, COUNTS, every="1h").tidy()
    for period, reason in tidy.select("period", "reason").iter_rows():
        is_open = known is not None and almanac.after(period.astimezone(UTC)) > known
        assert reason == ("incomplete_period" if is_open else None), period


def test_each_of_two_hours_of_one_name_is_open_until_it_ends():
    """In Warsaw on 27 October 2024 the clock shows 2:00 to 3:00 twice."""
    first = dt.datetime(2024, 10, 27, 0, tzinfo=UTC)
    for minutes, wanted in ((20, ["incomplete_period"]), (80, [None, "incomplete_period"])):
        moments = [first, first + dt.timedelta(minutes=minutes)]
        world = World({"orders": orders_at(moments)}, {"time_zone": "Europe/Warsaw"})
        assert ask(world, COUNTS, every="1h").tidy()["reason"].to_list() == wanted


@lawful
@given(worlds("orders", least=1), GRAINS)
def test_a_period_that_the_range_cuts_is_marked(world, every):
    almanac = Almanac(world.zone, every)
    shop = world.shop(as_of="2026-01-01")
    periods = [key[0] for key in table_of(ask(shop, COUNTS, every=every))]
    if not periods or every == "1d":
        return
    day = dt.timedelta(days=1)
    cut = ask(
        shop, COUNTS, every=every, start=periods[0] + day, end=almanac.after(periods[-1]) - day
    )
    for period, reason in cut.tidy().select("period", "reason").iter_rows():
        is_cut = period in {periods[0], periods[-1]}
        assert reason == ("incomplete_period" if is_cut else None)


def test_a_month_whose_last_day_has_not_ended_is_open():
    orders = orders_at([dt.datetime(2024, 3, 5)])
    shop = fk.Shop(orders=orders, as_of="2024-03-31T10:00")
    assert ask(shop, COUNTS, every="1mo").tidy()["reason"].to_list() == ["incomplete_period"]
    over = fk.Shop(orders=orders, as_of="2024-04-01T00:00")
    assert ask(over, COUNTS, every="1mo").tidy()["reason"].to_list() == [None]


def test_the_moment_up_to_which_data_is_known_is_the_same_with_and_without_periods():
    orders = orders_at([dt.datetime(2024, 3, 5), dt.datetime(2024, 3, 9)])
    metric = metric_of(fk.Sum(fk.Elapsed(fk.Orders.ordered_at, fk.AsOf())))
    assert ask(fk.Shop(orders=orders), metric, every="1y").frame["m"].to_list() == [4 * 86_400]
    assert ask(fk.Shop(orders=orders), metric).frame["m"].to_list() == [4 * 86_400]


# --- periods and earlier periods -----------------------------------------------------------------


@few
@given(worlds(), st.sampled_from(["1d", "1w", "1mo", "1q"]))
def test_additive_metrics_by_period_add_up_to_the_whole(world, every):
    additive = [metric for metric in CATALOGUE if metric.additivity.over_time]
    assert {"orders", "sessions", "gross_sales", "ad_spend"} <= {m.name for m in additive}
    shop = world.shop()
    periods, whole = ask(shop, additive, every=every).frame, ask(shop, additive).frame
    for metric in additive:
        values = periods[metric.name].to_list()
        largest = max((abs(value) for value in values), default=1)
        assert same(sum(values), whole[metric.name].item(), largest)


@settings(lawful, max_examples=80)
@given(
    DENSE,
    formulas(ORDERS, SESSIONS, depth=1, kinds=STABLE),
    st.integers(1, 3),
    st.sampled_from(["1w", "1mo", "1q"]),
    st.sampled_from([(), ("channel",)]),
    st.data(),
)
def test_an_earlier_period_is_relabelled_across_gaps_and_from_before_the_start(  # noqa: PLR0917
    world, formula, periods, every, by, data
):
    almanac = Almanac(world.zone, every)
    here, then = metric_of(formula, "here"), metric_of(fk.Shift(formula, periods), "then")
    shop = world.shop()
    anchor = metric_of(fk.Count(fk.Orders) + 0 * fk.CountDistinct(fk.Orders.order_id), "rows")
    whole = ask(shop, [here, then, anchor], by=by, every=every)
    values = table_of(whole, "here")
    note(f"{formula}, {values}")
    shown = sorted({key[0] for key in values})
    if not shown:
        return
    start = data.draw(st.none() | st.sampled_from(shown))
    asked = ask(shop, [here, then, anchor], by=by, every=every, start=start)
    for key, value in table_of(asked, "then").items():
        earlier = (almanac.before(key[0], periods), *key[1:])
        if earlier in values:
            assert same(value, values[earlier], _largest(values)), key


def _largest(values: dict[Any, float | None]) -> float:
    return max((abs(value) for value in values.values() if value is not None), default=1.0)


def test_an_earlier_period_of_an_earlier_period_is_earlier_still():
    orders = orders_at([dt.datetime(2024, month, 5) for month in (1, 1, 2, 4)])
    counted = fk.Count(fk.Orders)
    metrics = [metric_of(fk.Shift(fk.Shift(counted, 2)), "twice"), metric_of(counted)]
    metrics.append(metric_of(fk.Shift(counted, 3), "thrice"))
    frame = ask(World({"orders": orders}), metrics, every="1mo", start="2024-04-01").frame
    assert frame.rows() == [(dt.date(2024, 4, 1), 2, 1, 2)]


@lawful
@given(DENSE, st.integers(1, 2), st.sampled_from(["1w", "1mo"]), st.data())
def test_an_earlier_period_is_shown_within_the_range_alone(world, periods, every, data):
    almanac = Almanac(world.zone, every)
    shown = [key[0] for key in table_of(ask(world, COUNTS, every=every))]
    if len(shown) < 2:
        return
    start, end = sorted(data.draw(st.permutations(shown))[:2])
    metrics = [metric_of(fk.Shift(fk.Count(fk.Orders), periods))]
    for chosen in (metrics, [*metrics, metric_of(fk.Count(fk.Orders), "now")]):
        result = ask(world, chosen, every=every, start=start, end=end)
        counts = {key[0]: v for key, v in table_of(ask(world, COUNTS, every=every)).items()}
        for (period,), value in table_of(result).items():
            assert start <= period < end
            assert value == counts.get(almanac.before(period, periods), 0)


@pytest.mark.parametrize("zone", ["Europe/Warsaw", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_the_hour_before_is_the_hour_before_when_the_clock_is_changed(zone):
    almanac = Almanac(zone, "1h")
    for change in clock_changes(zone) or [dt.datetime(2024, 3, 1, tzinfo=UTC)]:
        moments = [change + dt.timedelta(minutes=15 * step - 240) for step in range(33)]
        world = World({"orders": orders_at(moments)}, {"time_zone": zone})
        then = metric_of(fk.Shift(fk.Count(fk.Orders)), "then")
        result = ask(world, [COUNTS, then], every="1h")
        counts = table_of(result)
        for (period,), value in table_of(result, "then").items():
            assert value == counts.get((almanac.before(period),), 0)


@settings(lawful, max_examples=60)
@given(
    worlds("sessions", "orders", least=1, most=5, kinds="naive aware"),
    formulas(ORDERS, SESSIONS, depth=1, kinds=STABLE[:5], has_periods=False),
    st.sampled_from(["1w", "1mo", "1q"]),
    st.sampled_from([(), ("channel",)]),
)
@example(
    World(
        {
            "sessions": pl.DataFrame(
                {
                    "session_id": [1, 2],
                    "started_at": [dt.datetime(2024, 1, 1), dt.datetime(2024, 5, 1)],
                    "channel": ["paid", "paid"],
                }
            ),
            "orders": pl.DataFrame(
                {
                    "order_id": [1],
                    "ordered_at": [dt.datetime(2024, 1, 2)],
                    "status": ["paid"],
                    "session_id": [1],
                    "customer_id": [7],
                }
            ),
        }
    ),
    fk.Count(fk.Orders),
    "1mo",
    (),
)
def test_a_running_value_is_that_of_a_range_that_ends_with_the_period(world, formula, every, by):
    almanac = Almanac(world.zone, every)
    running = [
        metric_of(fk.Cumulative(formula)),
        fk.registry()["repeat_purchase_rate"],
        metric_of(fk.Cumulative(fk.CountDistinct(fk.Orders.customer_key)), "buyers"),
        metric_of(fk.Count(fk.Sessions), "visits"),
    ]
    note(str(formula))
    shop = world.shop(as_of="2026-01-01")
    result = ask(shop, running, by=by, every=every)
    ends = {key[0]: almanac.after(key[0]) for key in table_of(result)}
    names = ["m", "repeat_purchase_rate", "buyers"]
    for period, end in list(ends.items())[-4:]:
        until = ask(shop, running[:3], by=by, end=end)
        for name in names:
            wanted = table_of(until, name)
            for key, value in table_of(result, name).items():
                if key[0] == period and key[1:] in wanted:
                    assert same(value, wanted[key[1:]], _largest(wanted)), (name, key)


def test_a_running_count_does_not_fall_when_nothing_happens():
    orders = orders_at([dt.datetime(2024, 1, 5), dt.datetime(2024, 2, 5)])
    sessions = pl.DataFrame(
        {
            "session_id": [1, 2, 3],
            "started_at": [dt.datetime(2024, month, 5) for month in (1, 3, 6)],
            "channel": ["paid", "paid", "email"],
        }
    )
    running = metric_of(fk.Cumulative(fk.Count(fk.Orders)))
    visits = metric_of(fk.Count(fk.Sessions), "visits")
    world = World({"orders": orders, "sessions": sessions})
    found = ask(world, [running, visits], every="1mo").frame["m"].to_list()
    assert found == [1, 2, 2, 2, 2, 2]


def test_a_running_distinct_count_of_a_rollup_is_right_or_refused():
    orders = orders_at([dt.datetime(2024, 1, 5), dt.datetime(2024, 2, 5)], customer_id=7)
    orders = orders.with_columns(gross_amount=pl.Series([1.0, 2.0]))
    rollup = fk.PerKey(fk.Orders.customer_id, gross_amount=fk.Sum(fk.Orders.gross_amount))
    distinct = fk.CountDistinct(rollup["gross_amount"])
    try:
        frame = ask(
            World({"orders": orders}), metric_of(fk.Cumulative(distinct)), every="1mo"
        ).frame
    except fk.DataError:
        raise
    except fk.FunnelkitError:
        return
    assert frame["m"].to_list() == [1, 1]


def test_a_rollup_of_a_rollup_is_right_or_refused():
    orders = orders_at([MOMENT] * 3, customer_id=7).with_columns(session_id=pl.Series([1, 1, 2]))
    try:
        visits = fk.Count(fk.PerKey(fk.Orders.session_id))
        buyers = fk.PerKey(fk.Orders.customer_id, visits=visits)
        found = ask(World({"orders": orders}), metric_of(fk.Max(buyers["visits"])))
    except fk.DataError:
        raise
    except fk.FunnelkitError:
        return
    assert found.frame["m"].to_list() == [2.0]


def test_time_between_orders_is_exact_when_the_clock_is_changed():
    moments = [dt.datetime(2024, 3, 30, 12, tzinfo=UTC), dt.datetime(2024, 4, 1, 12, tzinfo=UTC)]
    buyers = fk.PerKey(
        fk.Orders.customer_id, first=fk.Min(fk.Orders.ordered_at), last=fk.Max(fk.Orders.ordered_at)
    )
    metric = metric_of(fk.Mean(fk.Elapsed(buyers["first"], buyers["last"])))
    orders = orders_at(moments, customer_id=7)
    for zone in ("UTC", "Europe/Warsaw", "Asia/Kathmandu"):
        assert ask(fk.Shop(orders=orders, time_zone=zone), metric).frame["m"].item() == 2 * 86_400


# --- these laws can fail -------------------------------------------------------------------------


@pytest.mark.slow
def test_shops_are_found_in_which_the_mean_of_groups_is_not_the_total():
    def differs(world: World) -> bool:
        groups = ask(world, "average_order_value", by="channel").frame["average_order_value"].mean()
        total = ask(world, "average_order_value").frame["average_order_value"].item()
        return None not in (groups, total) and not same(groups, total, abs(total))

    find(worlds("sessions", "orders", is_huge=False), differs, settings=finding)


@pytest.mark.slow
def test_shops_are_found_in_which_the_zone_decides_the_period():
    def differs(world: World) -> bool:
        abroad = World(world.tables, {"time_zone": "America/Los_Angeles"})
        return table_of(ask(world, COUNTS, every="1mo")) != table_of(
            ask(abroad, COUNTS, every="1mo")
        )

    find(worlds("orders", kinds="aware", zones=["Asia/Kolkata"]), differs, settings=finding)


@pytest.mark.slow
def test_shops_are_found_in_which_the_whole_history_decides_who_is_new():
    def differs(world: World) -> bool:
        orders = world.tables["orders"].drop_nulls("ordered_at").sort("ordered_at")
        if orders.height < 2:
            return False
        start = Almanac(world.zone).wall(orders["ordered_at"][1])
        short = world.having(orders=orders[1:])
        counts = [ask(w, "new_customers", start=start).frame.item() for w in (world, short)]
        return counts[0] < counts[1]

    find(worlds("orders"), differs, settings=finding)


TROUBLES = {
    "ties in time": lambda w: w.tables["orders"]["ordered_at"].is_duplicated().any(),
    "NaN": lambda w: w.tables["orders"]["gross_amount"].is_nan().any(),
    "negative amounts": lambda w: (w.tables["orders"]["gross_amount"].fill_nan(0) < 0).any(),
    "huge amounts": lambda w: (w.tables["orders"]["tip"].fill_nan(0).abs() > 1e9).any(),
    "null times": lambda w: w.tables["orders"]["ordered_at"].null_count() > 1,
    "one row": lambda w: w.tables["orders"].height == 1,
    "no rows": lambda w: w.tables["orders"].height == 0 and w.tables["sessions"].height > 2,
    "null keys": lambda w: w.tables["sessions"]["channel"].null_count() > 1,
    "orphans": lambda w: (w.tables["orders"]["session_id"].cast(pl.String) == "99").any(),
    "repeated keys": lambda w: w.tables["orders"]["customer_id"].drop_nulls().is_duplicated().any(),
    "ids that are words": lambda w: w.tables["orders"]["order_id"].dtype == pl.String,
    "whole days": lambda w: w.tables["orders"]["ordered_at"].dtype == pl.Date,
}


@pytest.mark.slow
@pytest.mark.parametrize("trouble", TROUBLES)
def test_shops_are_found_with_every_kind_of_trouble(trouble):
    assert find(worlds("sessions", "orders"), TROUBLES[trouble], settings=finding)


# --- frames --------------------------------------------------------------------------------------


def orders_at(moments: list[dt.datetime], customer_id: int | None = None) -> pl.DataFrame:
    """Give paid orders at some moments."""
    return pl.DataFrame(
        {
            "order_id": range(1, len(moments) + 1),
            "ordered_at": moments,
            "status": ["paid"] * len(moments),
            "customer_id": pl.Series([customer_id] * len(moments), dtype=pl.Int64),
        }
    )


SMALL_DAY = dt.datetime(2024, 1, 31, 12)
SMALL = World(
    {
        "sessions": pl.DataFrame(
            {
                "session_id": [1, 2],
                "started_at": [SMALL_DAY, SMALL_DAY],
                "channel": ["paid", None],
                "is_bot": [False, False],
            }
        ),
        "orders": pl.DataFrame(
            {
                "order_id": [1, 2, 3],
                "ordered_at": [SMALL_DAY + dt.timedelta(days=day) for day in (0, 1, 40)],
                "status": ["paid", "paid", "cancelled"],
                "customer_id": [7, 7, 8],
                "session_id": [1, 2, 2],
                "sales_channel": ["online", "online", None],
                "gross_amount": [4.0, None, 2.0],
                "discount_amount": [0.0, 0.0, 0.0],
                "tip": [1.0, 3.0, None],
            }
        ),
    }
)
SMALL_RETURNS = pl.DataFrame(
    {"return_id": [1], "order_id": [1], "returned_at": [SMALL_DAY], "refund_amount": [0.5]}
)

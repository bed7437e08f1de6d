"""Laws of currencies: rates convert as one does by hand; a rollup adds no two currencies."""

from functools import cache
from typing import Any

import polars as pl
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import funnelkit as fk
from funnelkit.errors import ContractError, UnsupportedError
from funnelkit.formula.properties import inputs
from funnelkit.formula.values import Money
from funnelkit.schema.tables import TABLES
from strategies import SCHEMAS, World, to_frame, worlds

lawful = settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
WORTH = {"PLN": 1.0, "EUR": 4.0, "USD": 0.5}
"""Powers of two: converting rounds nothing."""
PAID = {
    "orders": ("gross_amount", "discount_amount"),
    "order_lines": ("unit_price", "discount_amount"),
    "returns": ("refund_amount",),
    "carts": ("value",),
    "campaign_performance": ("spend", "conversion_value"),
    "marketing_costs": ("amount",),
}
"""What is in the currency of its row; the costs of goods are not among it."""
KEPT = ((), ("sales_channel",), ("period",))
PRICED = ("orders", "carts", "campaign_performance", "marketing_costs")


@st.composite
def traded(draw: Any, *, currencies: tuple[str, ...] = tuple(WORTH)) -> World:
    """Shops of which each row is in some currency; refunds in their own, or their order's."""
    world: World = draw(worlds(is_huge=False, zones=["UTC"], least=1, most=4))
    priced = (*PRICED, *(["returns"] if draw(st.booleans()) else []))

    def paid(name: str, frame: pl.DataFrame) -> pl.DataFrame:
        size = frame.height
        drawn = st.lists(st.sampled_from(currencies), min_size=size, max_size=size)
        codes = pl.Series(draw(drawn), dtype=pl.String) if name in priced else None
        return frame if codes is None else frame.with_columns(currency=codes)

    return world.mapped(paid)


def rated(world: World) -> World:
    """The same with what each currency is worth beside it."""
    worth = pl.col("currency").replace_strict(WORTH, return_dtype=pl.Float64)
    return world.mapped(
        lambda _, frame: frame.with_columns(fx_rate=worth) if "currency" in frame else frame
    )


def converted(world: World) -> World:
    """The same with every amount converted by hand, in the currency of the shop."""
    rates = rated(world).tables
    of_orders = rates["orders"].select("order_id", "fx_rate").drop_nulls()

    def by_hand(name: str, frame: pl.DataFrame) -> pl.DataFrame:
        if name not in PAID:
            return frame
        beside = rates[name]
        if "fx_rate" not in beside:
            beside = frame.join(of_orders, on="order_id", how="left", maintain_order="left")
        amounts = [pl.col(column) * pl.col("fx_rate").fill_null(1.0) for column in PAID[name]]
        return beside.with_columns(amounts).drop("currency", "fx_rate", strict=False)

    return world.mapped(by_hand)


@cache
def kpis(*, has_periods: bool) -> tuple[fk.Metric, ...]:
    """Every KPI that reads amounts and that the drawn shops can answer."""
    frames = {name: to_frame(name, [], pl.Int64, pl.Datetime("us")) for name in SCHEMAS}
    ready = fk.Shop(**frames).metrics().filter("is_ready")["metric"]
    chosen = (metric for metric in map(fk.registry().__getitem__, ready) if reads_amounts(metric))
    return tuple(m for m in chosen if has_periods or not m.compares_periods)


def reads_amounts(metric: fk.Metric) -> bool:
    read = [
        TABLES[t].columns.get(name) for t, names in inputs(metric.formula).items() for name in names
    ]
    return not metric.required_dimension and any(isinstance(column, Money) for column in read)


def answer(world: World, metric: fk.Metric, **question: Any) -> pl.DataFrame | str:
    try:
        return fk.evaluate(world.shop(currency="PLN"), metric, **question).frame
    except ContractError as error:
        return str(error)


def test_the_law_is_asked_of_the_kpis_of_money():
    names = {metric.name for metric in kpis(has_periods=True)}
    assert names >= {
        "net_sales",
        "gross_profit",
        "ad_spend",
        "customer_lifetime_value",
        "returns_value",
    }
    assert len(names) > 40


@lawful
@given(traded(), st.sampled_from([None, "1mo"]), st.data())
def test_binding_rates_gives_what_converting_the_frames_by_hand_gives(world, every, data):
    by_hand, bound = converted(world), rated(world)
    for _ in range(6):
        metric = data.draw(st.sampled_from(kpis(has_periods=every is not None)))
        wanted, found = (answer(one, metric, every=every) for one in (by_hand, bound))
        if isinstance(found, str) and "fx_rate: is null" in found:
            event("an order that does not exist has no rate")
            continue
        event("compared")
        assert not isinstance(wanted, str)
        assert not isinstance(found, str), found
        assert_frame_equal(found, wanted, check_exact=False)


@lawful
@given(traded(), st.floats(-100, 10_000).map(round))
def test_a_condition_on_amounts_compares_what_was_converted(world, limit):
    where = fk.Orders.gross_amount > limit
    for formula in (fk.Count(fk.Orders), fk.Sum(fk.Orders.gross_amount)):
        metric = fk.Metric(name="asked", formula=formula)
        by_hand, bound = (
            answer(one, metric, where=where) for one in (converted(world), rated(world))
        )
        assert_frame_equal(bound, by_hand)


@lawful
@given(
    traded(currencies=("EUR", "USD")),
    st.sampled_from([(), ("sales_channel",), ("period",)]),
    st.data(),
)
def test_a_rollup_over_currencies_is_what_evaluating_gives_or_the_same_refusal(world, kept, data):
    metric = data.draw(st.sampled_from(kpis(has_periods=False)))
    shop, every = world.shop(), "1mo" if "period" in kept else None
    groups = [name for name in kept if name != "period"]
    try:
        fine = fk.evaluate(shop, metric, by=["currency", *groups], every=every)
    except (fk.FunnelkitError, UnsupportedError):
        event("not by currency")
        return
    try:
        rolled: Any = fine.rollup(kept).frame
    except UnsupportedError:
        event("does not add up")
        return
    except ContractError as error:
        rolled = str(error)
    try:
        again: Any = fk.evaluate(shop, metric, by=groups, every=every).frame
    except ContractError as error:
        again = str(error)
    event("refused" if isinstance(again, str) else "added")
    if isinstance(again, str) or isinstance(rolled, str):
        assert rolled == again
    else:
        assert_frame_equal(rolled, again, check_exact=False)

"""Inventory and fulfilment against the plain-Python functions of their words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import funnelkit as fk
from oracle.comparing import Area, Kpi, Oracle, Span
from oracle.shops_busy import busy_shops
from oracle.shops_operations import operation_frames, operation_shops, part_of_orders
from oracle.test_oracle import Key, any_range, few, more, whole_months
from oracle.words import Period, Tables, Value, all_orders
from oracle.words_fulfilment import FULFILMENT_ORACLES
from oracle.words_inventory import INVENTORY_ORACLES, cost_value, snapshots

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

STOCK = ("orders", "order_lines", "returns", "products", "inventory_snapshots", "receipts")
PARCELS = ("orders", "order_lines", "shipments", "returns")
DAY_S = 86_400
OF_TIME = ("fulfilment_time", "delivery_time", "order_cycle_time")
LOOKING_BACK = ("stock_on_hand", "inventory_value", "sell_through_rate", "days_of_stock_remaining")
OF_ORDERS = {
    "inventory_turnover.retail",
    "gross_margin_return_on_inventory",
    "gross_margin_return_on_inventory.annual",
}
"""KPIs of net sales, which no product has a part of."""


def in_seconds(kpi: Oracle) -> Oracle:
    """Give a duration in seconds instead of days."""

    def found(tables: Tables, period: Period) -> Value:
        days = kpi(tables, period)
        return None if days is None else days * DAY_S

    return found


def part_of_product(tables: Tables, product: str | None) -> Tables:
    """Give what was sold, sent back, kept and received of a product; orders count as ever."""
    counted = [order.is_counted for order in all_orders(tables)]
    products = {row["order_line_id"]: row["product_id"] for row in tables["order_lines"]}
    parts = {
        name: [row for row in tables[name] if row["product_id"] == product]
        for name in ("order_lines", "inventory_snapshots", "receipts")
    }
    return {
        **tables,
        **parts,
        "orders": [
            {**row, "is_counted": is_counted}
            for row, is_counted in zip(tables["orders"], counted, strict=True)
        ],
        "returns": [
            row for row in tables["returns"] if products.get(row["order_line_id"]) == product
        ],
    }


def part_of_channel(tables: Tables, channel: str | None) -> Tables:
    """Give the orders of a channel and their parcels."""
    return part_of_orders(tables, "attributed_channel", channel)


OF_PRODUCTS = Key("product_id", part_of_product, ("p1", "p2", "p3", "p4", "p99", None))
OF_CHANNELS = Key(
    "attributed_channel", part_of_channel, ("Paid Search", "paid_social", "email", None)
)


def kpi(name: str, oracle: Oracle, key: Key) -> Kpi:
    """Give the metric of a name with its function."""
    is_time = name.startswith(OF_TIME) and not name.endswith("orders_waiting")
    return Kpi(
        metric=fk.registry()[name],
        oracle=in_seconds(oracle) if is_time else oracle,
        key=key,
        looks_back=name.startswith(LOOKING_BACK),
    )


INVENTORY = Area(
    kpis={name: kpi(name, oracle, OF_PRODUCTS) for name, oracle in INVENTORY_ORACLES.items()},
    frames=operation_frames,
)
FULFILMENT = Area(
    kpis={name: kpi(name, oracle, OF_CHANNELS) for name, oracle in FULFILMENT_ORACLES.items()},
    frames=operation_frames,
)
KPIS = [*INVENTORY.kpis, *FULFILMENT.kpis]
BY_KEY = [name for name in KPIS if name not in OF_ORDERS]
OF_RANGES = [*INVENTORY.of_ranges, *FULFILMENT.of_ranges]


def area_of(name: str) -> Area:
    return INVENTORY if name in INVENTORY.kpis else FULFILMENT


def shops_of(name: str) -> st.SearchStrategy[Tables]:
    """Give shops with the tables of a KPI.

    A stock of which the last count is not known is read as none, so its shops have known ones.
    """
    if name in FULFILMENT.kpis:
        return any_parcels
    return any_stock.map(of_known_stock) if name.startswith(LOOKING_BACK) else any_stock


def of_known_stock(tables: Tables) -> Tables:
    """Leave out the snapshots of unknown units or cost."""
    rows = zip(tables["inventory_snapshots"], snapshots(tables), strict=True)
    known = [row for row, costed in rows if cost_value(costed) is not None]
    return {**tables, "inventory_snapshots": known}


def any_shop(tables: tuple[str, ...]) -> st.SearchStrategy[Tables]:
    return st.one_of(operation_shops(tables), busy_shops(tables))


def without_cancellations(tables: Tables) -> Tables:
    """Leave out cancelled units, which `orders.is_in_full` does not take off those ordered."""
    kept = [row for row in tables["returns"] if row.get("kind") != "cancellation"]
    return {**tables, "returns": kept}


any_stock = any_shop(STOCK)
any_parcels = any_shop(PARCELS).map(without_cancellations)


def test_every_oracle_of_operations_has_a_metric():
    assert {*INVENTORY_ORACLES, *FULFILMENT_ORACLES} <= set(fk.registry())


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in OF_RANGES if name in BY_KEY])
@few
@given(data=st.data(), span=any_range)
def test_a_kpi_by_key_of_a_range_is_what_its_words_say(name: str, data: st.DataObject, span: Span):
    area_of(name).check_range_by_key(name, data.draw(shops_of(name)), span)


@pytest.mark.slow
@pytest.mark.parametrize("name", KPIS)
@few
@given(data=st.data(), span=whole_months())
def test_a_kpi_by_month_is_what_its_words_say(name: str, data: st.DataObject, span: Span):
    area_of(name).check_months(name, data.draw(shops_of(name)), span)


@pytest.mark.parametrize("name", BY_KEY)
@few
@given(data=st.data(), span=whole_months())
def test_a_kpi_by_key_and_month_is_what_its_words_say(name: str, data: st.DataObject, span: Span):
    area_of(name).check_months_by_key(name, data.draw(shops_of(name)), span)


@more
@given(tables=any_stock, span=any_range)
def test_kpis_of_inventory_asked_together_are_what_their_words_say(tables: Tables, span: Span):
    INVENTORY.check_together(of_known_stock(tables), span)


@more
@given(tables=any_parcels, span=any_range)
def test_kpis_of_fulfilment_asked_together_are_what_their_words_say(tables: Tables, span: Span):
    FULFILMENT.check_together(tables, span)

"""The schema of a shop, made of the canonical tables, an order policy and custom tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from funnelkit.data.schema import Items, Schema, WordsCheck
from funnelkit.formula.table import Table
from funnelkit.formula.values import Category
from funnelkit.formula.walk import leaves
from funnelkit.schema.checks import CHECKS, TABLE_CHECKS
from funnelkit.schema.customers import Customers
from funnelkit.schema.derivations import CLOCKS, IS_PRODUCT, LATE_CLOCKS, PLANNED_CLOCKS, RULES
from funnelkit.schema.operations import InventorySnapshots, Products, Shipments
from funnelkit.schema.policies import POLICIES, OrderPolicy, policy_rules
from funnelkit.schema.promises import PROMISES
from funnelkit.schema.sales import OrderLines, Orders, Returns
from funnelkit.schema.tables import known_tables
from funnelkit.schema.taxes import TAX_CHECKS, TAX_RULES
from funnelkit.schema.totals import TOTALS
from funnelkit.schema.traffic import DailySessions, Sessions
from funnelkit.units import CUSTOMER

__all__ = ["shop_schema"]

_COSTS = frozenset(
    {
        Orders.payment_fee,
        Orders.fulfilment_cost,
        Orders.shipping_cost,
        OrderLines.unit_cost,
        Returns.handling_cost,
        Returns.restocked_cost,
        Products.unit_cost,
        InventorySnapshots.unit_cost,
        InventorySnapshots.inventory_value,
        Shipments.shipping_cost,
    }
)
"""Costs paid by the shop: in its own currency, whatever currency the customer paid in."""
_ITEMS = {
    "orders": Items(
        key=OrderLines.order_id,
        where=IS_PRODUCT,
        amounts={
            Orders.gross_amount: OrderLines.gross_amount,
            Orders.discount_amount: OrderLines.allocated_discount,
        },
    )
}
_HINTS = {
    "orders.status": "or supply orders.is_counted, or bind with order_policy='all'",
    "inventory_snapshots.location_id": "of one location alone: pl.lit('one').alias('location_id')",
}


def shop_schema(
    policy: OrderPolicy, *, tables: Iterable[type[Table]] = (), with_tax: bool = False
) -> Schema:
    """Return the schema of a shop.

    Args:
        policy: Which orders count.
        tables: Declarations of tables beyond the canonical ones.
        with_tax: Whether amounts were supplied with tax in them.
    """
    is_own = policy not in POLICIES.values()
    needs_status = not is_own and Orders.status in leaves(policy.counted_orders)
    checks = (
        replace(check, unless_supplied=Orders.is_counted)
        if check.column == Orders.status
        else replace(check, is_derived=is_own)
        if check.column == Orders.is_counted
        else check
        for check in CHECKS
        if needs_status or check.column != Orders.status
    )
    known = known_tables(tables)
    vocabularies = _vocabularies(known)
    if not needs_status:
        del vocabularies[Orders.status]
    return Schema(
        tables=known,
        rules={**RULES, **(TAX_RULES if with_tax else {}), **policy_rules(policy)},
        clocks=CLOCKS,
        checks=(*checks, *(TAX_CHECKS if with_tax else ())),
        table_checks=TABLE_CHECKS,
        costs=_COSTS,
        promises=PROMISES,
        late_clocks=LATE_CLOCKS,
        planned_clocks=PLANNED_CLOCKS,
        vocabularies=vocabularies,
        unread_words=_UNREAD_WORDS,
        cohort_owner=CUSTOMER,
        hints=_HINTS,
        items=_ITEMS,
        totals=TOTALS,
    )


_UNREAD_WORDS = frozenset({Sessions.channel, DailySessions.channel, Customers.acquisition_channel})
"""The columns with a vocabulary of which no KPI reads a word: they are grouped by."""


def _vocabularies(known: Mapping[str, type[Table]]) -> dict[Category, WordsCheck]:
    """Return the promises of the columns that declare which words they hold."""
    declared = (column for table in known.values() for column in table.columns.values())
    return {
        column: WordsCheck(column, _HINTS[str(column)], Orders.is_counted)
        if column == Orders.status
        else WordsCheck(column)
        for column in declared
        if isinstance(column, Category) and column.values and not column.is_open
    }

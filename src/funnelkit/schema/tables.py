"""The canonical tables of a shop.

Amounts exclude tax. Only the columns that the requested metrics need have
to be supplied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from funnelkit.arguments import check_kind
from funnelkit.formula.formulas import Formula
from funnelkit.formula.parsing import parse_formula
from funnelkit.formula.table import Table, declared_tables
from funnelkit.schema.customers import Customers, Surveys
from funnelkit.schema.marketing import AdViews, CampaignPerformance, EmailSends, MarketingCosts
from funnelkit.schema.operations import InventorySnapshots, Products, Receipts, Shipments
from funnelkit.schema.sales import ExchangeRates, OrderLines, Orders, Returns
from funnelkit.schema.traffic import Carts, DailySessions, Events, SearchInterest, Sessions

__all__ = ["TABLES", "known_tables", "parse"]


TABLES: Mapping[str, type[Table]] = {
    table.table: table
    for table in (
        Sessions,
        DailySessions,
        Events,
        Orders,
        OrderLines,
        Returns,
        Customers,
        Carts,
        CampaignPerformance,
        MarketingCosts,
        Surveys,
        EmailSends,
        Products,
        InventorySnapshots,
        Shipments,
        Receipts,
        SearchInterest,
        AdViews,
        ExchangeRates,
    )
}


def known_tables(own: Iterable[type[Table]]) -> dict[str, type[Table]]:
    """Return the canonical tables and further ones, by name."""
    return {**TABLES, **{table.table: table for table in own}}


def parse(text: str, *, tables: Sequence[type[Table]] = ()) -> Formula:
    """Read a formula from its text form; nothing is evaluated.

    Args:
        text: The formula: `"sum(orders.gross_amount) / count(orders)"`.
        tables: Declarations that go before others of the same name.

    Raises:
        DefinitionError: The text is not a formula; gives the column.

    Examples:
        >>> str(parse("count(orders, where = orders.is_counted)"))
        'count(orders, where=orders.is_counted)'
    """
    check_kind("text", text, (str,), "write it in quotes")
    return parse_formula(text, declared_tables(tables))

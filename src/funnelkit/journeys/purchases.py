"""The orders of known customers, and the amounts that belong to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from funnelkit.arguments import check_kind
from funnelkit.calendar.calendar import Moment
from funnelkit.errors import DefinitionError
from funnelkit.evaluation.evaluate import evaluate
from funnelkit.formula.values import Coalesce, Dimension, Value
from funnelkit.formula.walk import leaves
from funnelkit.journeys.rows import Moments, Reader, reader_of
from funnelkit.schema.sales import OrderLines, Orders, Returns
from funnelkit.shop.shop import Shop

__all__ = [
    "AMOUNT",
    "CUSTOMER",
    "MARGIN",
    "REVENUE",
    "Flows",
    "known_until",
    "orders_of",
]

CUSTOMER, AMOUNT = "customer_key", "#amount"

# a sum of sales skips what is null; a cost that is not known leaves that of its group open
_NET_SALES: tuple[tuple[str, Value], ...] = (
    ("orders", Coalesce(Orders.gross_amount, 0) - Coalesce(Orders.discount_amount, 0)),
    ("returns", 0 - Coalesce(Returns.refund_amount, 0)),
)
_COST: tuple[tuple[str, Value], ...] = (
    ("order_lines", 0 - OrderLines.quantity * OrderLines.unit_cost),
    ("returns", Returns.restocked_cost + 0),
)


@dataclass(frozen=True, slots=True)
class Flows:
    """An amount of known customers as rows, each at its own time, like a KPI of the catalogue.

    Attributes:
        name: What it is called.
        metric: The KPI that adds the same rows up.
        parts: By table, the value of a row.
    """

    name: str
    metric: str
    parts: tuple[tuple[str, Value], ...]

    def is_ready(self, shop: Shop) -> bool:
        """Return whether the shop has what it takes."""
        return not shop.missing(self.metric)

    def read(
        self,
        shop: Shop,
        *,
        every: str | Sequence[Moment] | None = None,
        is_day: bool | None = None,
    ) -> pl.DataFrame:
        """Return the rows: customer, time, amount and period.

        The KPI is evaluated first, which checks that the amounts may be added up.

        Args:
            shop: The shop.
            every: The length of periods.
            is_day: Whether rows are to be dated by the day; None where that does not matter.

        Raises:
            ContractError: The amounts are in several currencies, or break another promise.
            DefinitionError: Rows of one table are dated by the day, those of another by time.
        """
        evaluate(shop, self.metric)
        found = list[pl.DataFrame]()
        for table, value in self.parts:
            reader = reader_of(shop, table, CUSTOMER, every=every)
            part = reader.read({AMOUNT: reader.lowering.number(value)}, wants=leaves(value)).frame
            if part.height and is_day is not None and reader.is_day is not is_day:
                problem = f"{self.name} is of orders and {table}: one has days and the other times"
                raise DefinitionError(problem, "bind both as times, or both as days")
            found.append(part)
        return pl.concat([part for part in found if part.height] or found[:1])


REVENUE = Flows("revenue", "identified_net_sales", _NET_SALES)
MARGIN = Flows("margin", "identified_gross_profit", (*_NET_SALES, *_COST))


def orders_of(
    shop: Shop,
    *,
    by: str | Dimension | Sequence[str | Dimension] = (),
    every: str | Sequence[Moment] | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
) -> tuple[Reader, Moments]:
    """Return the counted orders of known customers, and what read them.

    Args:
        shop: The shop.
        by: Dimensions of an order.
        every: The length of periods.
        start: As for `evaluate`; the range is not applied.
        end: The same.

    Raises:
        FunnelkitError: As for `evaluate`.
    """
    check_kind("shop", shop, (Shop,), "bind the frames: fk.Shop(orders=…)")
    reader = reader_of(shop, "orders", CUSTOMER, by=by, every=every, start=start, end=end)
    return reader, reader.read({})


def known_until(shop: Shop) -> dt.datetime | None:
    """Return the instant up to which the data is known.

    Where it was not given, a day on which anything happened is taken as known whole, as in
    `evaluate`.
    """
    as_of, calendar = shop.runner.as_of(), shop.data.calendar
    if as_of is None or shop.data.given_as_of is not None:
        return as_of
    day = dt.datetime.combine(calendar.shown(as_of), dt.time())
    return calendar.instant(day + dt.timedelta(days=1))

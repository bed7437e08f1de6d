"""What is wrong with the currencies of the rows of a table."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from funnelkit.data.findings import (
    CURRENCY_KNOWN,
    CURRENCY_OWN,
    CURRENCY_RATED,
    CURRENCY_SINGLE,
    CURRENCY_SPELT,
)
from funnelkit.data.shop_data import ShopData
from funnelkit.formula.values import Column
from funnelkit.formula.vocabulary import folded
from funnelkit.planning.lowering import lowering_of
from funnelkit.planning.prepared import Tables
from funnelkit.planning.relations import Aggregate, Col, Filter, Head, Op, call
from funnelkit.verification.violation import FEW, ROWS, Read, Violation, counted

__all__ = ["currencies"]

MANY = 1_000


def currencies(data: ShopData, table: str, read: Read) -> Iterator[Violation]:
    """Yield the currencies of a table, where there are several and no rates, or none in a row."""
    bound, currency = data.tables[table], data.schema.currency_column
    if currency not in bound.columns or currency in bound.table.key:
        return
    if rate := data.rate(table):
        yield from _unrated(data, rate, read)
        return
    rows = Tables(lowering_of(data)).prepare(table, [data.column(table, currency)])
    by_currency = Aggregate(rows, (currency,), (("row_count", ROWS),))
    order = Col("row_count"), Col(currency)
    (each,) = read([Head(by_currency, order, MANY, is_descending=True)])
    found = each.drop_nulls(currency)
    if found.height and found.height < each.height:
        unknown = int(each.filter(pl.col(currency).is_null()).get_column("row_count").item())
        yield Violation(table, currency, CURRENCY_KNOWN, unknown, "")
    codes = found.get_column(currency).cast(pl.String).to_list()
    counts = [int(count) for count in found.get_column("row_count")]
    sample = ", ".join(one if one.strip() == one != "" else repr(one) for one in codes[:FEW])
    own = data.currency or "".join(codes[:1])
    if len({*map(folded, codes), folded(own)}) < len({*codes, own}):
        finding = CURRENCY_SPELT.about(currency=currency)
        yield Violation(table, currency, finding, sum(counts), sample)
    elif len(codes) > 1:
        yield Violation(table, currency, CURRENCY_SINGLE, sum(counts[1:]), sample)
    elif codes and codes != [own]:
        yield Violation(table, currency, CURRENCY_OWN, sum(counts), sample)


def _unrated(data: ShopData, rate: Column, read: Read) -> Iterator[Violation]:
    """Yield the currencies of a table that have no rate where its rows need one."""
    currency = data.column(rate.table, data.schema.currency_column)
    rows = Tables(lowering_of(data)).prepare(rate.table, [currency, rate])
    unrated = Filter(rows, call(Op.IS_NULL, Col(rate.name)))
    count, _ = counted(unrated, [currency.name], read)
    if count:
        _, sample = counted(Aggregate(unrated, (currency.name,), ()), [currency.name], read)
        yield Violation(rate.table, currency.name, CURRENCY_RATED, count, sample)

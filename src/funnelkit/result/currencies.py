"""The currency guard: amounts in different currencies are never added."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from funnelkit.data.schema import Schema
from funnelkit.errors import ContractError, DataIssue
from funnelkit.planning.currency import (
    CURRENCY_ENDS,
    HIGHEST_CURRENCY,
    LOWEST_CURRENCY,
    NO_CURRENCY,
    UNKNOWN_RATES,
)
from funnelkit.planning.plan import Plan, group_column

__all__ = ["check_currencies"]


def check_currencies(plan: Plan, answers: Sequence[pl.DataFrame], own: str, schema: Schema) -> bool:
    """Raise if amounts are in several currencies, in an unnamed one, or without a rate.

    Args:
        plan: The plan that was carried out.
        answers: The answer to each of its steps.
        own: The code of the shop's currency; empty where it is unknown.
        schema: What the columns of currencies and rates are called.

    Returns:
        Whether all amounts are in the shop's currency; groups may differ.

    Raises:
        ContractError: A group holds amounts of more than one currency, or the
            currency or rate of a row is not known.
    """
    groups = [group_column(dimension.name) for dimension in plan.question.by]
    is_key = group_column(schema.currency_column) in groups
    faults: list[DataIssue] = []
    spans: list[pl.DataFrame] = []
    for step, answer in zip(plan.steps, answers, strict=False):
        if UNKNOWN_RATES in answer.columns and (rows := answer.get_column(UNKNOWN_RATES).sum()):
            problem = f"is null in {rows:,} rows whose amounts would be left out"
            remedy = "supply the rate of their currency on that day or in the week before"
            faults.append(DataIssue(step.table, schema.rate_column, problem, remedy))
        if LOWEST_CURRENCY in answer.columns:
            span = _currency_span(answer, groups)
            if span.filter(pl.col(NO_CURRENCY) > 0, pl.col(LOWEST_CURRENCY).is_not_null()).height:
                problem = "is null in rows whose amounts would be added to those of others"
                faults.append(
                    DataIssue(
                        step.table, schema.currency_column, problem, "fill it, or filter by it"
                    )
                )
            spans.append(span.with_columns(pl.lit(step.table).alias("#table")))
    for tables, low, high in _mixed(spans, groups):
        problem = f"holds {low} and {high}, whose amounts would be added"
        remedy = "convert them to one currency, or group or filter by currency"
        faults.append(DataIssue(tables, schema.currency_column, problem, remedy))
    if own and not is_key and not faults:
        faults += _foreign(spans, own, schema)
    if faults:
        raise ContractError(faults)
    return not (is_key and spans)


def _foreign(spans: Sequence[pl.DataFrame], own: str, schema: Schema) -> Iterator[DataIssue]:
    """Return an issue for every table whose amounts are not in the shop's currency."""
    for span in spans:
        other = span.filter(pl.col(LOWEST_CURRENCY) != own)
        if other.height:
            table, found = other.select("#table", LOWEST_CURRENCY).row(0)
            problem = f"is {found}, and the shop's is {own}"
            remedy = "bind exchange_rates, or pass the currency of the data: fk.Shop(currency=…)"
            yield DataIssue(table, schema.currency_column, problem, remedy)


def _currency_span(answer: pl.DataFrame, groups: Sequence[str]) -> pl.DataFrame:
    """Return the lowest and highest currency of each group, over all periods."""
    exclusions_of = pl.col(NO_CURRENCY).sum() if NO_CURRENCY in answer.columns else pl.lit(0)
    low, high = pl.col(LOWEST_CURRENCY).min(), pl.col(HIGHEST_CURRENCY).max()
    ends = [low, high, exclusions_of.alias(NO_CURRENCY)]
    return answer.group_by(groups).agg(ends) if groups else answer.select(ends)


def _mixed(
    spans: Sequence[pl.DataFrame], groups: Sequence[str]
) -> Iterator[tuple[str, object, object]]:
    """Return the tables, and two currencies, of amounts that would be added in one group."""
    if not spans:
        return
    every = pl.concat(spans, how="vertical_relaxed")
    ends = [
        pl.col("#table").unique().sort().str.join(" and "),
        pl.col(LOWEST_CURRENCY).min(),
        pl.col(HIGHEST_CURRENCY).max(),
    ]
    met = every.group_by(groups).agg(ends) if groups else every.select(ends)
    mixed = met.filter(pl.col(LOWEST_CURRENCY) != pl.col(HIGHEST_CURRENCY))
    if mixed.height:
        tables, low, high = mixed.select("#table", *CURRENCY_ENDS).row(0)
        yield str(tables), low, high

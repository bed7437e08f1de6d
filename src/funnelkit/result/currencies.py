"""The currency guard: amounts in different currencies are never added or compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from funnelkit.data.findings import CURRENCY_OWN, CURRENCY_SPELT
from funnelkit.data.schema import Schema
from funnelkit.errors import ContractError, DataIssue, rows_text
from funnelkit.formula.formulas import QuantileBucket, ShareOfTotal
from funnelkit.formula.properties import unit_of_formula
from funnelkit.formula.vocabulary import folded
from funnelkit.planning.expression import Transformed, leaves_of, walk
from funnelkit.planning.plan import Guard, Plan, PlannedMetric, Shows, Step, group_column
from funnelkit.units import Unit

__all__ = ["Currencies"]

_LOW, _HIGH, _NULLS, _OWN, _RATED = "#low", "#high", "#nulls", "#own", "#rated"
_TABLE, _STEP = "#table", "#step"
_NOTHING = {
    _LOW: pl.lit(None, dtype=pl.String),
    _HIGH: pl.lit(None, dtype=pl.String),
    _NULLS: pl.lit(0, dtype=pl.Int64),
    _OWN: pl.lit(value=False),
    _RATED: pl.lit(value=False),
}
_TOGETHER = (
    pl.col(_TABLE).filter(pl.col(_LOW).is_not_null()).unique().sort().str.join(" and "),
    pl.col(_LOW).min(),
    pl.col(_HIGH).max(),
    pl.col(_OWN).any(),
    pl.col(_RATED).any(),
)


@dataclass(frozen=True, slots=True)
class Currencies:
    """The currencies of the amounts of each group, over all periods.

    Attributes:
        spans: The keys and, by step, the lowest and highest currency of amounts, and
            whether they are in the shop's own or were converted to it.
        own: The code of the shop's currency; empty where it is unknown.
        name: What the column of a currency is called.
    """

    spans: pl.DataFrame
    own: str
    name: str

    @classmethod
    def of(
        cls, plan: Plan, answers: Sequence[pl.DataFrame], own: str, schema: Schema
    ) -> Currencies:
        """Read what the guards of a plan have found.

        Args:
            plan: The plan that was carried out.
            answers: The answer to each of its steps, then to each of its guards.
            own: The code of the shop's currency; empty where it is unknown.
            schema: What the columns of currencies and rates are called.

        Raises:
            ContractError: An amount has no rate.
        """
        pairs = list(zip((*plan.steps, *plan.guards), answers, strict=True))
        if faults := dict.fromkeys(fault for pair in pairs for fault in _unrated(*pair, schema)):
            raise ContractError(list(faults))
        groups = _groups(plan)
        spans = [
            span.with_columns(pl.lit(number, pl.Int64).alias(_STEP))
            for number, pair in enumerate(pairs)
            for span in _spans(*pair, groups)
        ]
        every = _in_each_group(spans, groups) if spans else pl.DataFrame()
        return cls(every, own, schema.currency_column)

    def one_for(self, plan: Plan) -> str:
        """Return the code of the currency of all amounts; empty where groups may differ.

        Args:
            plan: The plan, with the keys that were asked or fewer of them.

        Raises:
            ContractError: Amounts of different currencies, or of an unnamed one, meet.
        """
        if self.spans.is_empty():
            return self.own
        groups = _groups(plan)
        is_key = group_column(self.name) in groups
        faults = [*self._unnamed(groups), *self._mixed(self.spans, groups)]
        faults += [] if is_key or faults else self._foreign()
        faults += [] if faults else self._across(plan)
        if faults:
            raise ContractError(faults)
        return "" if is_key and self.spans[_LOW].count() else self.own

    def _unnamed(self, groups: Sequence[str]) -> Iterator[DataIssue]:
        """Return an issue for every table some of whose amounts have no currency."""
        each = (pl.col(_LOW).min(), pl.col(_NULLS).sum())
        met = self.spans.group_by(*groups, _STEP, _TABLE).agg(each)
        found = met.filter(pl.col(_NULLS) > 0, pl.col(_LOW).is_not_null())
        problem = "is null in rows whose amounts would be added to those of others"
        for table in found[_TABLE].unique().sort():
            yield DataIssue(table, self.name, problem, "fill it, or filter by it")

    def _mixed(self, spans: pl.DataFrame, groups: Sequence[str]) -> Iterator[DataIssue]:
        """Return an issue for amounts that would be added in one group."""
        met = spans.group_by(groups).agg(_TOGETHER) if groups else spans.select(_TOGETHER)
        mixed = met.filter(pl.col(_LOW) != pl.col(_HIGH))
        if mixed.height:
            tables, low, high = mixed.select(_TABLE, _LOW, _HIGH).row(0)
            problem = f"holds {_named(low)} and {_named(high)}, whose amounts would be added"
            yield DataIssue(tables, self.name, problem, self._remedy(low, high, _SEVERAL))
            return
        beside = met.filter(pl.col(_OWN) | pl.col(_RATED), pl.col(_LOW) != self.own)
        is_one = beside[_LOW].n_unique() == 1 and not (self.own or beside[_RATED].any())
        if beside.height and not is_one:
            tables, low = beside.select(_TABLE, _LOW).row(0)
            own = f", {self.own}," if self.own else ""
            problem = f"is {low}, and amounts in the shop's currency{own} would be added"
            yield DataIssue(tables, self.name, problem, self._remedy(low, self.own, _REMEDY))

    def _foreign(self) -> Iterator[DataIssue]:
        """Return an issue for every table whose amounts are not in the shop's currency."""
        other = self.spans.filter(pl.col(_LOW) != self.own) if self.own else self.spans.clear()
        for table, found in other.group_by(_TABLE).agg(pl.col(_LOW).min()).sort(_TABLE).rows():
            problem = f"is {found}, and the shop's is {self.own}"
            yield DataIssue(table, self.name, problem, self._remedy(found, self.own, _REMEDY))

    def _across(self, plan: Plan) -> Iterator[DataIssue]:
        """Return an issue for metrics that set groups of different currencies side by side."""
        for lowered in plan.metrics:
            if numbers := _set_apart(plan, lowered):
                spans = self.spans.filter(pl.col(_STEP).is_in(numbers))
                for issue in self._mixed(spans, ()):
                    name = lowered.metric.name
                    problem = f"{issue.problem} or compared: {name} sets the groups side by side"
                    remedy = "convert them to one currency, or filter by one"
                    yield replace(issue, problem=problem, remedy=remedy)

    def _remedy(self, one: str, other: str, otherwise: str) -> str:
        """Return what to do where two codes meet: they may be one, written in two ways."""
        return (
            CURRENCY_SPELT.about(currency=self.name).remedy
            if folded(one) == folded(other)
            else otherwise
        )


_SEVERAL = "convert them to one currency, or group or filter by currency"
_REMEDY = CURRENCY_OWN.remedy


def _named(currency: str) -> str:
    """Return a currency as a message names it: one with blanks in quotes."""
    return currency if currency and currency == currency.strip() else f"the text {currency!r}"


def _groups(plan: Plan) -> list[str]:
    return [group_column(dimension.name) for dimension in plan.question.by]


def _unrated(step: Step, answer: pl.DataFrame, schema: Schema) -> Iterator[DataIssue]:
    """Return an issue for every rate that is unknown in rows of a step."""
    for name, guard in _guards(step):
        if guard.shows is Shows.UNRATED and (rows := answer[name].sum()):
            problem = f"is null in {rows_text(int(rows))} whose amounts would be left out"
            remedy = "supply the rate of their currency on that day or in the week before"
            yield DataIssue(guard.table, schema.rate_column, problem, remedy)


def _spans(step: Step, answer: pl.DataFrame, groups: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Return what each guard of a step found of each group, over all periods."""
    groups = [group for group in groups if group in answer.columns]
    for name, guard in _guards(step):
        if guard.shows in _FOUND:
            found = _FOUND[guard.shows](pl.col(name))
            span = answer.group_by(groups).agg(found) if groups else answer.select(found)
            rest = {name: value for name, value in _NOTHING.items() if name not in span.columns}
            table = pl.lit(guard.table).alias(_TABLE)
            yield span.with_columns(table, **rest).select(*groups, *_NOTHING, _TABLE)


def _in_each_group(spans: Sequence[pl.DataFrame], groups: Sequence[str]) -> pl.DataFrame:
    """Return what was found of each group; without a key, it holds for all values of that."""
    whole = [span for span in spans if set(groups) <= set(span.columns)]
    known = pl.concat(whole, how="vertical_relaxed")
    for span in spans:
        if missing := [group for group in groups if group not in span.columns]:
            shared = [group for group in groups if group not in missing]
            keys = known.select(groups).unique()
            each = (
                span.join(keys, on=shared, nulls_equal=True)
                if shared
                else span.join(keys, how="cross")
            )
            whole.append(each.select(known.columns))
    return pl.concat(whole, how="vertical_relaxed")


_FOUND: Mapping[Shows, Callable[[pl.Expr], pl.Expr]] = {
    Shows.LOWEST: lambda currency: currency.min().cast(pl.String).alias(_LOW),
    Shows.HIGHEST: lambda currency: currency.max().cast(pl.String).alias(_HIGH),
    Shows.UNNAMED: lambda rows: rows.sum().cast(pl.Int64).alias(_NULLS),
    Shows.OWN: lambda rows: (rows.sum() > 0).alias(_OWN),
    Shows.CONVERTED: lambda rows: (rows.sum() > 0).alias(_RATED),
}
"""What the column of a guard shows of a group."""


def _guards(step: Step) -> Iterator[tuple[str, Guard]]:
    return ((fold.name, fold.guard) for fold in step.folds if fold.guard is not None)


def _set_apart(plan: Plan, lowered: PlannedMetric) -> list[int]:
    """Return the numbers of the steps whose amounts a metric compares from group to group."""
    kinds = ShareOfTotal | QuantileBucket
    turned = (node for node in walk(lowered.value) if isinstance(node, Transformed))
    amounts = [
        node
        for node in turned
        if isinstance(node.by, kinds) and _is_money(unit_of_formula(node.by.formula))
    ]
    names = {leaf.name for node in amounts for leaf in leaves_of(node)}
    steps = (*plan.steps, *plan.guards)
    tables = {s.table for s in plan.steps if any(fold.name in names for fold in s.folds)}
    return [number for number, step in enumerate(steps) if step.table in tables]


def _is_money(unit: Unit) -> bool:
    return any(base == "money" for base, _ in unit.powers)

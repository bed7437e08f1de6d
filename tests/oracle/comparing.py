"""How metrics of an area are compared with the plain-Python functions of their words."""

import datetime as dt
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

import funnelkit as fk
from funnelkit.formula.latex import expand
from oracle.shops import MONTHS
from oracle.test_oracle import Key, agree, months
from oracle.words import Period, Tables, Value

Oracle = Callable[[Tables, Period], Value]
Span = dict[str, dt.datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """A metric, the function that was written from its words, and the key that it is told by.

    A KPI that looks back has a value in a month without rows, from the months before it.
    """

    metric: fk.Metric
    oracle: Oracle
    key: Key
    looks_back: bool = False

    def of(self, span: Span) -> Span:
        """Give a range that the KPI can be told of: lengths of periods are whole seconds."""
        if "period_days()" not in expand(self.metric.formula):
            return span
        return {name: moment.replace(microsecond=0) for name, moment in span.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """KPIs that are told of the same shops."""

    kpis: Mapping[str, Kpi]
    frames: Callable[[Tables], dict[str, pl.DataFrame]]
    of_ranges: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        names = (name for name, kpi in self.kpis.items() if not kpi.metric.compares_periods)
        object.__setattr__(self, "of_ranges", tuple(names))

    def ask(self, tables: Tables, *names: str, **question: Any) -> list[dict[str, Any]]:
        """Ask a shop that may be younger than the range asked for."""
        metrics = [self.kpis[name].metric for name in names]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fk.TruncatedHistoryWarning)
            return fk.evaluate(
                fk.Shop.bind(self.frames(tables)), metrics, **question
            ).frame.to_dicts()

    def check_range_by_key(self, name: str, tables: Tables, span: Span) -> None:
        """Compare the values of a range by the KPI's key."""
        kpi = self.kpis[name]
        rows = self.ask(tables, name, by=kpi.key.name, **span)
        values = {row[kpi.key.name]: row[kpi.metric.name] for row in rows}
        assert len(values) == len(rows)
        assert set(values) <= set(kpi.key.values)
        for group in kpi.key.values:
            expected = kpi.oracle(kpi.key.part(tables, group), Period(**span))
            assert agree(values.get(group, _of_nothing(kpi)), expected), (group, values, expected)

    def check_months(self, name: str, tables: Tables, span: Span) -> None:
        """Compare the values of the months of a range."""
        kpi = self.kpis[name]
        span = kpi.of(span)
        rows = self.ask(tables, name, every="1mo", **span)
        values = {row["period"]: row[kpi.metric.name] for row in rows}
        periods = {period.start.date(): period for period in months(**span)}
        assert len(values) == len(rows)
        assert set(values) <= set(periods)
        for month, period in periods.items():
            if not (kpi.looks_back and month > max(values, default=dt.date.min)):
                value, expected = values.get(month, _of_nothing(kpi)), kpi.oracle(tables, period)
                assert agree(value, expected), (month, value, expected)

    def check_months_by_key(self, name: str, tables: Tables, span: Span) -> None:
        """Compare the values of the months of a range by the KPI's key."""
        kpi = self.kpis[name]
        span = kpi.of(span)
        rows = self.ask(tables, name, by=kpi.key.name, every="1mo", **span)
        values = {(row["period"], row[kpi.key.name]): row[kpi.metric.name] for row in rows}
        periods = {period.start.date(): period for period in months(**span)}
        assert len(values) == len(rows)
        assert set(values) <= {(month, group) for month in periods for group in kpi.key.values}
        last = max((month for month, _ in values), default=dt.date.min)
        for group in kpi.key.values:
            part = kpi.key.part(tables, group)
            for month, period in periods.items():
                if not (kpi.looks_back and month > last):
                    value = values.get((month, group), _of_nothing(kpi))
                    expected = kpi.oracle(part, period)
                    assert agree(value, expected), (month, group, value, expected)

    def check_together(self, tables: Tables, span: Span) -> None:
        """Compare the values of a range of all KPIs of which it has one."""
        (row,) = self.ask(tables, *self.of_ranges, **span)
        expected = {n: self.kpis[n].oracle(tables, Period(**span)) for n in self.of_ranges}
        found = {name: row[self.kpis[name].metric.name] for name in self.of_ranges}
        assert [(n, found[n], v) for n, v in expected.items() if not agree(found[n], v)] == []


def _of_nothing(kpi: Kpi) -> Value:
    """Give the value of a KPI where nothing ever happened."""
    return kpi.oracle({}, Period(*MONTHS[1:3], Period(*MONTHS[:2])))

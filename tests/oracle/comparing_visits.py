"""How a KPI is compared with its oracle: over a range, by month, by a key, by both.

As `test_oracle` does for the first KPIs, on shops of `shops_more` and `shops_lively`.
"""

import datetime as dt
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

import funnelkit as fk
from oracle.shops_lively import lively_shops
from oracle.shops_more import frames, shops_more
from oracle.test_oracle import Key, agree, any_range, months, whole_months
from oracle.words import Period, Tables, Value

Oracle = Callable[[Tables, Period], Value]

SOURCES: Mapping[str, tuple[str, ...]] = {
    "sessions": ("events", "orders", "order_lines"),
    "orders": ("order_lines",),
    "carts": ("sessions", "events", "orders", "order_lines"),
    "events": ("sessions",),
}
"""What else a table draws on for its derived columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A KPI with its oracle and the shops on which the two are compared.

    Attributes:
        name: The KPI.
        oracle: What its words say.
        key: The dimension to ask it by, if there is one.
        keep: Columns that the shops always have.
        more: Tables that they have although the KPI names no column of theirs.
        without: Tables that they never have.
        drop: By table, columns that they never have.
    """

    name: str
    oracle: Oracle
    key: Key | None = None
    keep: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    drop: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it reads, and those that their derived columns rest on."""
        read = [*fk.registry()[self.name].inputs, *self.more]
        more = [other for table in read for other in SOURCES.get(table, ())]
        return tuple(name for name in dict.fromkeys([*read, *more]) if name not in self.without)

    def shop(self, data: st.DataObject, *, by_key: bool = False) -> Tables:
        """Draw a shop in which it can be told, by its key if asked for."""
        keep = (*self.keep, *(self.key.keep if by_key and self.key else ()))
        plain = shops_more(self.tables, keep=keep, drop=self.drop)
        return data.draw(plain | lively_shops(self.tables), "tables")


def ask(tables: Tables, name: str, **question: Any) -> list[dict[str, Any]]:
    """Ask a shop that may be younger than the range asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fk.TruncatedHistoryWarning)
        return fk.evaluate(fk.Shop.bind(frames(tables)), name, **question).frame.to_dicts()


def compare_over_a_range(kpi: Subject, data: st.DataObject) -> None:
    """Compare over any range."""
    tables, span = kpi.shop(data), data.draw(any_range, "span")
    (row,) = ask(tables, kpi.name, **span)
    expected = kpi.oracle(tables, Period(**span))
    assert agree(row[kpi.name], expected), (row[kpi.name], expected)


def compare_by_month(kpi: Subject, data: st.DataObject) -> None:
    """Compare in every month; one without a row is one in which nothing happened."""
    tables, span = kpi.shop(data), data.draw(whole_months(), "span")
    rows = ask(tables, kpi.name, every="1mo", **span)
    values = {row["period"]: row[kpi.name] for row in rows}
    periods = months_of(span)
    assert len(values) == len(rows)
    assert set(values) <= set(periods)
    for month, period in periods.items():
        value, expected = values.get(month, nothing(kpi)), kpi.oracle(tables, period)
        assert agree(value, expected), (month, value, expected)


def compare_by_key(kpi: Subject, data: st.DataObject) -> None:
    """Compare over any range with the part of the shop that has one value of the key."""
    assert kpi.key is not None
    tables, span = kpi.shop(data, by_key=True), data.draw(any_range, "span")
    rows = ask(tables, kpi.name, by=kpi.key.name, **span)
    values = {row[kpi.key.name]: row[kpi.name] for row in rows}
    assert len(values) == len(rows)
    assert set(values) <= set(kpi.key.values)
    for group in kpi.key.values:
        value = values.get(group, nothing(kpi))
        expected = kpi.oracle(kpi.key.part(tables, group), Period(**span))
        assert agree(value, expected), (group, value, expected)


def compare_by_key_and_month(kpi: Subject, data: st.DataObject) -> None:
    """Compare in every month with the part of the shop that has one value of the key."""
    assert kpi.key is not None
    tables, span = kpi.shop(data, by_key=True), data.draw(whole_months(), "span")
    rows = ask(tables, kpi.name, by=kpi.key.name, every="1mo", **span)
    values = {(row["period"], row[kpi.key.name]): row[kpi.name] for row in rows}
    periods = months_of(span)
    assert len(values) == len(rows)
    assert set(values) <= {(month, group) for month in periods for group in kpi.key.values}
    for group in kpi.key.values:
        part = kpi.key.part(tables, group)
        for month, period in periods.items():
            value = values.get((month, group), nothing(kpi))
            expected = kpi.oracle(part, period)
            assert agree(value, expected), (month, group, value, expected)


def nothing(kpi: Subject) -> Value:
    """Give the value of a KPI where nothing ever happened."""
    empty: Tables = {name: [] for name in kpi.tables}
    return kpi.oracle(empty, Period(dt.datetime.min, dt.datetime.max))


def months_of(span: Mapping[str, dt.datetime]) -> dict[dt.date, Period]:
    """Give the months of a range by their first day."""
    return {period.start.date(): period for period in months(**span)}

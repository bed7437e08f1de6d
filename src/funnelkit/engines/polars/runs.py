"""In which periods each value of a key occurs: what retention and first sights are counted from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from funnelkit.calendar.calendar import Calendar
from funnelkit.planning.plan import PERIOD

__all__ = ["KEY", "ActivePeriods", "read_runs"]

KEY = "#key"
NEAR = 4
"""Up to how many periods back looking at the rows before is the faster way."""
_ROWS, _ORDINAL, _IS_SAME, _CODE = "#rows", "#ordinal", "#is same", "#code"

Collect = Callable[[pl.LazyFrame], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class ActivePeriods:
    """One row per group, value of the key and period in which it occurs, in this order.

    Attributes:
        frame: The rows: the groups, the key, the period, how many rows it stands
            for, the period's ordinal, and whether group and key are those of
            the row before.
    """

    frame: pl.DataFrame

    def is_first(self) -> pl.Expr:
        """Say whether the key occurs for the first time in its group."""
        return ~pl.col(_IS_SAME)

    def is_retained(self, periods: int) -> pl.Expr:
        """Say whether the key occurred so many periods earlier as well.

        A few rows back that is seen directly; further back, the run of so many
        periods earlier is looked up, which costs the same however far it is.
        """
        if periods > NEAR:
            return pl.lit(self._is_later(periods))
        found = pl.lit(value=False)
        is_same = pl.lit(value=True)
        for back in range(1, periods + 1):
            is_same = is_same & pl.col(_IS_SAME).shift(back - 1, fill_value=False)
            gap = pl.col(_ORDINAL) - pl.col(_ORDINAL).shift(back, fill_value=-1)
            found = found | (is_same & (gap == periods))
        return found

    def _is_later(self, periods: int) -> pl.Series:
        """Say of each run whether it is so many periods after another of its key."""
        owner = (~pl.col(_IS_SAME)).cast(pl.Int64).cum_sum()
        width = pl.col(_ORDINAL).max() + periods + 1  # so that no two keys come within reach
        code = self.frame.select((owner * width + pl.col(_ORDINAL)).alias(_CODE)).to_series()
        return code.is_in((code + periods).implode())

    def rows_to_date(self) -> pl.Expr:
        """Give how many rows the key has had in its group so far."""
        total = pl.col(_ROWS).cum_sum()
        before = pl.when(~pl.col(_IS_SAME)).then(total - pl.col(_ROWS)).forward_fill()
        return total - before

    def change(self, holds: pl.Expr) -> pl.Expr:
        """Give 1 where a condition on a key begins to hold, -1 where it ends, else 0."""
        now = holds.cast(pl.Int64)
        return now - pl.when(pl.col(_IS_SAME)).then(now.shift(1)).otherwise(0)


def read_runs(
    rows: pl.LazyFrame, groups: Sequence[str], calendar: Calendar, collect: Collect
) -> ActivePeriods:
    """Read in which periods each value of a key occurs.

    Args:
        rows: Rows with the groups, the key and the period; none without the key.
        groups: The columns to group by.
        calendar: How time is divided.
        collect: How to carry out a query over many rows.
    """
    found = None if groups else _packed(rows, collect)
    if found is None:
        owner = [*groups, KEY]
        counts = rows.group_by(*owner, PERIOD).agg(pl.len().cast(pl.Int64).alias(_ROWS))
        found = collect(counts).sort(*owner, PERIOD)
        same = [pl.col(name).eq_missing(pl.col(name).shift(1)) for name in owner]
        is_same = pl.all_horizontal(same) & (pl.int_range(pl.len()) > 0)
        found = found.with_columns(is_same.alias(_IS_SAME))
    labels = found.get_column(PERIOD).cast(calendar.label_type)
    starts = calendar.starts(labels.min(), labels.max()) if len(labels) else labels
    ordinal = starts.search_sorted(labels).cast(pl.Int64).alias(_ORDINAL)
    return ActivePeriods(found.with_columns(labels.alias(PERIOD), ordinal))


def _packed(rows: pl.LazyFrame, collect: Collect) -> pl.DataFrame | None:
    """Sort whole-number keys and days packed into one number: several times as fast.

    None where they are no whole numbers, or do not fit.
    """
    schema = rows.select(KEY, PERIOD).collect_schema()
    label = schema[PERIOD]
    has_zone = isinstance(label, pl.Datetime) and label.time_zone is not None
    if has_zone or not schema[KEY].is_integer():
        return None
    day = pl.col(PERIOD).cast(pl.Date).to_physical().cast(pl.Int64)
    read = collect(rows.select(pl.col(KEY).cast(pl.Int64), day.alias(PERIOD)))
    ends = read.select(
        low=pl.col(KEY).min(), high=pl.col(KEY).max(), day=pl.col(PERIOD).min(),
        last=pl.col(PERIOD).max(),
    ).row(0, named=True)  # fmt: skip
    if ends["low"] is None:
        return None
    days = ends["last"] - ends["day"] + 1
    if (ends["high"] - ends["low"] + 1) * days >= 2**63:
        return None
    code = (pl.col(KEY) - ends["low"]) * days + (pl.col(PERIOD) - ends["day"])
    runs = read.select(code.alias(_CODE)).to_series().sort().rle().struct.unnest()
    key = pl.col("value") // days
    return runs.select(
        key.alias(KEY),
        (pl.col("value") % days + ends["day"]).cast(pl.Int32).cast(pl.Date).alias(PERIOD),
        pl.col("len").cast(pl.Int64).alias(_ROWS),
        (key == key.shift(1, fill_value=-1)).alias(_IS_SAME),
    )

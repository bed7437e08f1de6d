"""The kinds of columns, for those who prefer `fk.columns.Money` to `fk.Money`."""

from funnelkit.formula.values import (
    Category,
    Duration,
    Flag,
    Key,
    Money,
    Quantity,
    Score,
    Time,
)

__all__ = ["Category", "Duration", "Flag", "Key", "Money", "Quantity", "Score", "Time"]

"""How the values of a formula accumulate over time."""

from __future__ import annotations

from enum import StrEnum

from funnelkit.formula.formulas import (
    Arithmetic,
    ClosingBalance,
    Constant,
    Count,
    CountDistinct,
    CountRetained,
    Cumulative,
    Formula,
    Reference,
    Sum,
)
from funnelkit.formula.operators import Operator
from funnelkit.formula.properties import additivity
from funnelkit.formula.table import Rows

__all__ = ["ADDS_UP", "MetricKind", "kind_of"]


class MetricKind(StrEnum):
    """How a metric accumulates over time.

    | kind | of | over time |
    | --- | --- | --- |
    | `flow` | sums and counts of rows, added, subtracted, scaled | adds up |
    | `distinct` | counts of different values, also with flows added | grows, ever slower |
    | `stock` | closing balances, and what is cumulative | is that of the last day |
    | `level` | everything else: ratios, means, quantiles | has no sum |

    It differs from the additivity: gross profit is a flow, although a missing cost makes a
    value null, and so adding up values is not always possible.
    """

    FLOW = "flow"
    DISTINCT = "distinct"
    STOCK = "stock"
    LEVEL = "level"


ADDS_UP = frozenset({MetricKind.FLOW, MetricKind.DISTINCT})
"""The kinds that are larger of a longer range, and 0 of one without rows."""


def kind_of(formula: Formula) -> MetricKind:
    """Return how the values of a formula accumulate over time."""
    return _kind(formula) or MetricKind.LEVEL


def _kind(formula: Formula) -> MetricKind | None:
    """Return the kind of a formula; None for a constant."""
    match formula:
        case Constant():
            return None
        case Reference():
            return _kind(formula.formula)
        case Cumulative() | ClosingBalance():
            return MetricKind.STOCK
        case Arithmetic(operator, left, right):
            return _kind_of_arithmetic(operator, _kind(left), _kind(right))
        case Sum() if isinstance(formula.require_single, Rows):
            return MetricKind.LEVEL
        case Sum() | Count():
            return MetricKind.FLOW if formula.of is None else MetricKind.DISTINCT
        case CountDistinct():
            return MetricKind.FLOW if additivity(formula).over_time else MetricKind.DISTINCT
        case CountRetained():
            return MetricKind.DISTINCT
        case _:
            return MetricKind.LEVEL


def _kind_of_arithmetic(
    operator: Operator, left: MetricKind | None, right: MetricKind | None
) -> MetricKind | None:
    if operator.binds == 1:
        return _kind_of_sum(left, right)
    if right is None:
        return left
    return right if left is None and operator is Operator.MULTIPLY else MetricKind.LEVEL


def _kind_of_sum(left: MetricKind | None, right: MetricKind | None) -> MetricKind | None:
    if left == right:
        return left
    grows = {MetricKind.FLOW, MetricKind.DISTINCT}
    return MetricKind.DISTINCT if {left, right} == grows else MetricKind.LEVEL

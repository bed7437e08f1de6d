"""Returns: the share of orders, units and value that comes back."""

from __future__ import annotations

from funnelkit.arguments import check_none, not_above
from funnelkit.catalog.parameters import word_of
from funnelkit.errors import DefinitionError
from funnelkit.formula.constants import length_of
from funnelkit.formula.formulas import Count, CountDistinct, Formula, Name, Sum
from funnelkit.formula.values import AsOf, Elapsed, Predicate
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.sales import Orders, Returns
from funnelkit.units import RATIO

__all__ = [
    "order_return_rate",
    "order_return_rate_flow",
    "return_rate",
    "return_rate_flow",
    "return_rate_over",
    "value_return_rate",
    "value_return_rate_flow",
    "value_return_rate_gross",
]

_WINDOW = 30
_SOURCE = ("'Return rate formula, three rates' (third party)",)
_FLOW_CAVEATS = (
    "Do not read it as a share: the returns belong to earlier sales. It lags behind when sales "
    "grow, and can exceed 1 when they shrink."
)


def _is_mature(days: float) -> Predicate:
    """Return the condition that an order is counted and its return window has passed."""
    return Orders.is_counted & (Elapsed(Orders.ordered_at, AsOf()) >= length_of("days", days))


def _formula(of: str, days: float) -> Formula:
    cohort = _is_mature(days)
    match of:
        case "units":
            return Sum(Orders.returned_units, where=cohort) / Sum(Orders.units, where=cohort)
        case "orders":
            return Count(Orders, where=cohort & Orders.has_return) / Count(Orders, where=cohort)
        case "value":
            sold = Sum(Orders.gross_amount, where=cohort)
            kept = sold - Sum(Orders.discount_amount, where=cohort)
            return Sum(Orders.returned_amount, where=cohort) / kept
        case _:
            raise DefinitionError(f"of={of!r}", "use 'units', 'orders' or 'value'")


def return_rate_over(*, days: float, of: str = "units") -> Metric:
    """Return the return rate for a return window other than thirty days.

    Args:
        days: Minimum age of the orders included.
        of: "units", "orders" or "value": the quantity whose share is computed.

    Raises:
        DefinitionError: A parameter is out of range or unknown.

    Examples:
        >>> return_rate_over(days=14).name
        'return_rate.after_14_days'
    """
    check_none([not_above("days", days, 0)])
    formula = _formula(of, days)
    base = {"units": return_rate, "orders": order_return_rate, "value": value_return_rate}[of]
    return Metric(
        name=f"{base.name}.after_{word_of(days)}_days",
        title=f"{base.title} after {days:g} days",
        formula=formula,
        unit=RATIO,
        stage=base.stage,
        aida=base.aida,
        area=base.area,
        direction=base.direction,
        bounds=base.bounds,
        description=base.description,
        includes=f"As {base.name}, for orders placed at least {days:g} days ago.",
        excludes=base.excludes,
        null_when=base.null_when,
        see_also=(base.name,),
        caveats=base.caveats,
        references=base.references,
        tags=(*base.tags, "variant"),
    )


return_rate = Metric(
    name="return_rate",
    title="Return rate",
    aliases=("unit_return_rate",),
    formula=_formula("units", _WINDOW),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.DOWN,
    bounds=(0, 1),
    description="Share of the units ordered that were returned.",
    includes="Units returned at any time divided by units ordered, for orders placed in the period "
    "that are at least 30 days old.",
    excludes="More recent orders, whose goods can still be returned; cancellations; gift cards.",
    null_when="No order is old enough, or none contains units.",
    see_also=("order_return_rate", "value_return_rate"),
    caveats="Do not divide this month's returns by this month's sales: they belong to different "
    "orders. For a return window longer than 30 days: fk.catalog.return_rate(days=…).",
    alternatives=(
        "return_rate.flow: returns of the period divided by sales of the period.",
        "order_return_rate, value_return_rate: shares of orders and of value.",
    ),
    references=_SOURCE,
    tags=("returns", "cohort", "ratio"),
)

order_return_rate = Metric(
    name="order_return_rate",
    title="Order return rate",
    formula=_formula("orders", _WINDOW),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.DOWN,
    bounds=(0, 1),
    description="Share of orders with a return.",
    includes="Orders with at least one return at any time divided by orders, for orders placed in "
    "the period that are at least 30 days old.",
    excludes="More recent orders; cancellations.",
    null_when="No order is old enough.",
    see_also=("return_rate", "value_return_rate"),
    caveats="Do not compare it with the share of units: one returned unit flags the whole order, "
    "so this is usually the highest of the three rates.",
    alternatives=(
        "order_return_rate.flow: orders returned in the period divided by orders placed in it.",
    ),
    references=_SOURCE,
    tags=("returns", "cohort", "ratio"),
)

value_return_rate = Metric(
    name="value_return_rate",
    title="Return rate by value",
    aliases=("refund_rate", "returned_value_rate"),
    formula=_formula("value", _WINDOW),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.DOWN,
    bounds=(0, 1),
    description="Share of the value of goods ordered that was refunded.",
    includes="Value refunded at any time divided by gross sales less discounts, for orders placed "
    "in the period that are at least 30 days old.",
    excludes="More recent orders; cancellations; refunded shipping and tax.",
    null_when="No order is old enough, or they have no value.",
    see_also=("return_rate", "returns_value"),
    caveats="Do not divide refunds, which are after discounts, by prices before discounts.",
    alternatives=(
        "value_return_rate.gross: divided by gross sales, as most sources define it.",
        "value_return_rate.flow: refunds of the period divided by sales of the period.",
    ),
    references=_SOURCE,
    tags=("returns", "cohort", "ratio", "money"),
)

value_return_rate_gross = Metric(
    name="value_return_rate.gross",
    title="Return rate by value, of gross sales",
    formula=Sum(Orders.returned_amount, where=_is_mature(_WINDOW))
    / Sum(Orders.gross_amount, where=_is_mature(_WINDOW)),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.DOWN,
    bounds=(0, 1),
    description="Share of gross sales that was refunded.",
    includes="Value refunded at any time divided by gross sales, for orders placed in the period "
    "that are at least 30 days old.",
    excludes="More recent orders; cancellations; refunded shipping and tax.",
    null_when="No order is old enough, or they have no value.",
    see_also=("value_return_rate",),
    caveats="The deeper the discounts, the lower it is: with discounts it cannot reach 1.",
    alternatives=("value_return_rate: divided by sales after discounts.",),
    references=_SOURCE,
    tags=("returns", "cohort", "ratio", "money", "variant"),
)

return_rate_flow = Metric(
    name="return_rate.flow",
    title="Return rate, flow",
    formula=Sum(Returns.quantity, where=Returns.goods_returned) / Name("units_sold"),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Units returned in the period divided by units sold in it.",
    includes="Units returned, at the time of the return, divided by units sold, at the time of "
    "the order.",
    excludes="Cancellations; gift cards.",
    null_when="No units were sold.",
    see_also=("return_rate",),
    caveats=_FLOW_CAVEATS,
    alternatives=("return_rate: of the same orders, once their return window has passed.",),
    references=_SOURCE,
    tags=("returns", "ratio", "variant"),
)

order_return_rate_flow = Metric(
    name="order_return_rate.flow",
    title="Order return rate, flow",
    formula=CountDistinct(Returns.order_id, where=Returns.is_counted) / Name("orders"),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Orders with a return in the period divided by orders placed in it.",
    includes="Distinct orders with a return in the period, divided by orders placed in the period.",
    excludes="Cancellations; returns without an order id.",
    null_when="There are no orders.",
    see_also=("order_return_rate",),
    caveats=_FLOW_CAVEATS,
    alternatives=("order_return_rate: of the same orders, once their return window has passed.",),
    references=_SOURCE,
    tags=("returns", "ratio", "variant"),
)

value_return_rate_flow = Metric(
    name="value_return_rate.flow",
    title="Return rate by value, flow",
    formula="returns_value / (gross_sales - discounts)",
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Value refunded in the period divided by sales after discounts in it.",
    includes="Returns, at the time of the return, divided by gross sales less discounts, at the "
    "time of the order.",
    excludes="Cancellations; refunded shipping and tax.",
    null_when="Nothing was sold.",
    see_also=("value_return_rate", "returns_value"),
    caveats=_FLOW_CAVEATS,
    alternatives=("value_return_rate: of the same orders, once their return window has passed.",),
    references=_SOURCE,
    tags=("returns", "ratio", "money", "variant"),
)

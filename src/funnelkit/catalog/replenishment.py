"""Replenishment: how much safety stock to keep, and when to reorder."""

from __future__ import annotations

from statistics import NormalDist

from funnelkit.arguments import check_none, not_between
from funnelkit.catalog.parameters import word_of
from funnelkit.formula.formulas import (
    Formula,
    Max,
    Mean,
    Name,
    PeriodDays,
    PerKey,
    PositiveOrNull,
    Sqrt,
    Sum,
)
from funnelkit.formula.values import Lookup
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.operations import Products
from funnelkit.schema.sales import OrderLines
from funnelkit.units import ITEM

__all__ = [
    "daily_demand",
    "reorder_point",
    "reorder_point_in_stock_days",
    "reorder_point_own_safety_stock",
    "safety_stock",
    "safety_stock_at",
    "safety_stock_in_stock_days",
    "safety_stock_largest_day",
    "safety_stock_varying_lead_time",
]

SERVICE_LEVEL = 0.95
_PER_DAY = PerKey(OrderLines.day, where=OrderLines.is_counted, units=Sum(OrderLines.quantity))
_UNITS = Sum(_PER_DAY["units"])
_SQUARES = Sum(_PER_DAY["units"] * _PER_DAY["units"])
_DAYS = PeriodDays()
_DAYS_IN_STOCK = Name("in_stock_rate")
_LEAD_TIME = Mean(Lookup(OrderLines.product_id, Products.lead_time_days))
_LEAD_TIME_SD = Mean(Lookup(OrderLines.product_id, Products.lead_time_sd))
_BY_PRODUCT = "It is not additive over products: use by='product_id'."
_SAFETY_SOURCES = (
    "'Safety stock calculator, high service level' (third party)",
    "Field usage (convention)",
)
_ORDER_SOURCES = (
    "'Reorder point, high daily demand' (third party)",
    "'Reorder point calculator' (third party)",
)


def _variance(days: Formula) -> Formula:
    """Return the sample variance of the units sold per day over a number of days."""
    return (days * _SQUARES - _UNITS * _UNITS) / (days * PositiveOrNull(days - 1))


def _z(service_level: float) -> float:
    # at 0.5 the safety stock is 0
    check_none([not_between("service_level", service_level, 0.5, 1)], remedy="0.95 is usual")
    return NormalDist().inv_cdf(service_level)


def safety_stock_at(*, service_level: float) -> Metric:
    """Return the safety stock for a given share of order cycles without a stockout.

    Args:
        service_level: The share of order cycles, above 0.5 and below 1.

    Raises:
        DefinitionError: It is not between 0.5 and 1.

    Examples:
        >>> safety_stock_at(service_level=0.99).name
        'safety_stock.at_99_percent'
    """
    z = _z(service_level)
    percent = word_of(round(100 * service_level, 6))
    return _safety(
        f"safety_stock.at_{percent}_percent",
        f"Safety stock at {100 * service_level:g} %",
        z * Sqrt(_variance(_DAYS) * _LEAD_TIME),
        f"{z:.3f} standard deviations of the units sold per day, times the square "
        f"root of the lead time in days: sufficient in {100 * service_level:g} % of order cycles.",
    )


def _safety(name: str, title: str, formula: Formula, includes: str) -> Metric:
    is_variant = "." in name
    return Metric(
        name=name,
        title=title,
        aliases=() if is_variant else ("buffer_stock",),
        formula=formula,
        required_dimension="product_id",
        unit=ITEM,
        stage=Stage.CONVERSION,
        aida=AidaStage.DECISION,
        area=Area.OPERATIONS,
        direction=Direction.NEUTRAL,
        bounds=(0, None),
        description="Units of a product to hold against above-average demand.",
        includes=f"{includes} Days without a sale count as 0.",
        excludes="Orders that are not counted; products without a sale in the range.",
        null_when="The lead time, or a standard deviation in the formula, is not known (that of "
        "daily sales takes two days or more), or more was sold than the days in stock can explain.",
        see_also=("reorder_point", "stockout_rate", "days_of_stock_remaining"),
        caveats="Do not begin the range before the product was on sale: those days are not days "
        "without demand. Do not round it: round up the quantity ordered instead. "
        f"{_BY_PRODUCT}",
        alternatives=tuple(
            f"{other}: {what}"
            for other, what in (
                ("safety_stock", "constant lead time, service level of 95 %."),
                ("safety_stock.varying_lead_time", "the lead time varies as well."),
                ("safety_stock.in_stock_days", "only days on which the product was in stock."),
                (
                    "safety_stock.largest_day",
                    "the peak day instead of a service level.",
                ),
            )
            if other != name
        ),
        references=_SAFETY_SOURCES,
        tags=("inventory", "items", *(("variant",) if is_variant else ())),
    )


_Z = _z(SERVICE_LEVEL)

daily_demand = Metric(
    name="daily_demand",
    title="Daily demand",
    aliases=("average_daily_demand", "units_per_day"),
    formula=Name("units_sold") / _DAYS,
    unit=ITEM,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    bounds=(0, None),
    description="Units sold divided by the number of days.",
    includes="The units sold in the range and all days of the range, including those without a "
    "sale.",
    excludes="Orders that are not counted; gift cards; demand that could not be met for lack of "
    "stock.",
    null_when="Never; the question must have a start and an end, or periods.",
    see_also=("units_sold", "reorder_point"),
    caveats="It understates demand while the product was out of stock.",
    references=("Field usage (convention)",),
    tags=("building_block", "inventory", "items"),
)

safety_stock = _safety(
    "safety_stock",
    "Safety stock",
    _Z * Sqrt(_variance(_DAYS) * _LEAD_TIME),
    f"{_Z:.3f} standard deviations of the units sold per day, times the square root of the lead "
    "time in days: sufficient in 95 % of order cycles.",
)

safety_stock_varying_lead_time = _safety(
    "safety_stock.varying_lead_time",
    "Safety stock, varying lead time",
    _Z
    * Sqrt(
        _variance(_DAYS) * _LEAD_TIME
        + Name("daily_demand") * Name("daily_demand") * _LEAD_TIME_SD * _LEAD_TIME_SD
    ),
    f"{_Z:.3f} times the square root of this sum: the variance of the units sold per day times the "
    "lead time in days, plus the square of the daily demand times the variance of the lead time.",
)

safety_stock_in_stock_days = _safety(
    "safety_stock.in_stock_days",
    "Safety stock, by days in stock",
    _Z * Sqrt(_variance(_DAYS * _DAYS_IN_STOCK) * _LEAD_TIME),
    "As safety_stock, for the days on which the product was in stock: the days of the range times "
    "the in-stock rate.",
)

safety_stock_largest_day = _safety(
    "safety_stock.largest_day",
    "Safety stock, by the peak day",
    (Max(_PER_DAY["units"]) - Name("daily_demand")) * _LEAD_TIME,
    "The largest number of units sold on one day less the daily demand, times the lead time in "
    "days.",
)


def _reorder(name: str, title: str, daily: Formula, safety: Formula, includes: str) -> Metric:
    is_variant = "." in name
    return Metric(
        name=name,
        title=title,
        aliases=() if is_variant else ("rop", "reorder_level"),
        formula=daily * _LEAD_TIME + safety,
        required_dimension="product_id",
        unit=ITEM,
        stage=Stage.CONVERSION,
        aida=AidaStage.DECISION,
        area=Area.OPERATIONS,
        direction=Direction.NEUTRAL,
        bounds=(0, None),
        description="Stock level at which to reorder a product: demand over the lead time plus "
        "safety stock.",
        includes=includes,
        excludes="Orders that are not counted; products without a sale in the range.",
        null_when="The lead time or the safety stock is not known.",
        see_also=("safety_stock", "stock_on_hand", "daily_demand"),
        caveats="Do not compare it with stock on hand alone: add units on order and subtract units "
        f"committed to customers. {_BY_PRODUCT}",
        alternatives=(
            "reorder_point.in_stock_days: demand per in-stock day.",
            "reorder_point.own_safety_stock: with the safety stock stored in products.",
            "average lead time for demand, longest lead time for safety: two measures in one sum.",
        ),
        references=_ORDER_SOURCES,
        tags=("inventory", "items", *(("variant",) if is_variant else ())),
    )


reorder_point = _reorder(
    "reorder_point",
    "Reorder point",
    Name("daily_demand"),
    Name("safety_stock"),
    "Daily demand times the lead time in days, plus the safety stock.",
)

reorder_point_in_stock_days = _reorder(
    "reorder_point.in_stock_days",
    "Reorder point, by days in stock",
    Name("daily_demand") / _DAYS_IN_STOCK,
    Name("safety_stock.in_stock_days"),
    "Units sold per day in stock times the lead time in days, plus the safety stock by days in "
    "stock.",
)

reorder_point_own_safety_stock = _reorder(
    "reorder_point.own_safety_stock",
    "Reorder point, with the stored safety stock",
    Name("daily_demand"),
    Mean(Lookup(OrderLines.product_id, Products.safety_stock)),
    "Daily demand times the lead time in days, plus products.safety_stock.",
)

"""Inventory: what is in stock, what it is worth, how fast it sells, and when it runs out."""

from __future__ import annotations

from funnelkit.formula.formulas import (
    Abs,
    ClosingBalance,
    Count,
    Formula,
    Mean,
    Name,
    PeriodDays,
    PerKey,
    PositiveOrNull,
    Shift,
    Sum,
)
from funnelkit.formula.values import If, Literal, Value
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.operations import InventorySnapshots, Receipts
from funnelkit.units import ITEM, MONEY, MULTIPLE, NUMBER, RATIO

__all__ = [
    "days_inventory_outstanding",
    "days_of_stock_remaining",
    "gross_margin_return_on_inventory",
    "gross_margin_return_on_inventory_annual",
    "in_stock_rate",
    "inventory_turnover",
    "inventory_turnover_annual",
    "inventory_turnover_retail",
    "inventory_turnover_units",
    "inventory_value",
    "sell_through_rate",
    "sell_through_rate_beginning",
    "sell_through_rate_received",
    "stock_on_hand",
    "stockout_rate",
    "stockout_rate_places",
]

_UNITS = InventorySnapshots.on_hand_units
_IS_COUNTED = _UNITS.is_not_null()


def _mean_over_days(value: Value) -> Formula:
    """Return the mean, over the days with a snapshot, of a value summed over the day."""
    is_known = _IS_COUNTED & value.is_not_null()
    days = PerKey(InventorySnapshots.day, where=is_known, value=Sum(value))
    return Mean(days["value"])


_STOCK_OR_NONE = (Name("stock_on_hand") + Abs(Name("stock_on_hand"))) / 2  # 0 where it is below
_MEAN_VALUE = _mean_over_days(InventorySnapshots.inventory_value)
_MEAN_RETAIL = _mean_over_days(InventorySnapshots.retail_value)
_MEAN_UNITS = _mean_over_days(If(_UNITS < 0, Literal(0), _UNITS))
_DAYS = PerKey(InventorySnapshots.day, where=_IS_COUNTED, units=Sum(_UNITS))
_OFFERED = PerKey(
    InventorySnapshots.product_day,
    where=InventorySnapshots.is_offered & _IS_COUNTED,
    units=Sum(_UNITS),
)
_MEAN_NOTE = (
    "The mean is over the days with a snapshot: a day on which only some locations were counted "
    "pulls it down."
)

stock_on_hand = Metric(
    name="stock_on_hand",
    title="Stock on hand",
    aliases=("stock_level", "inventory_units"),
    formula=ClosingBalance(_UNITS),
    unit=ITEM,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.NEUTRAL,
    description="Number of units in stock at the end of the period.",
    includes="Units of every product at every location, as of its latest count before the end of "
    "the period; a location without a later count keeps its last one.",
    excludes="Counts without a known quantity; units in transit. Units committed to orders are "
    "included.",
    null_when="Nothing has been counted yet.",
    see_also=("inventory_value", "stockout_rate"),
    caveats="Do not sum the counts of several days: stock adds up over products and locations, "
    "never over time. A negative number means that more was sold than was in stock.",
    alternatives=(
        "available stock: less units committed to orders, as in Shopify's month-end report.",
    ),
    references=("Shopify, 'Inventory reports' (vendor)",),
    tags=("inventory", "stock", "count"),
)

inventory_value = Metric(
    name="inventory_value",
    title="Inventory value",
    aliases=("inventory_value_at_cost", "stock_value"),
    formula=ClosingBalance(InventorySnapshots.inventory_value),
    unit=MONEY,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.NEUTRAL,
    bounds=(0, None),
    description="Value at cost of the stock at the end of the period.",
    includes="Units times unit cost of every product at every location, as of its latest count "
    "before the end of the period; negative stock is valued at 0.",
    excludes="Counts without a known quantity or cost.",
    null_when="Nothing with a known cost has been counted yet.",
    see_also=("stock_on_hand", "inventory_turnover"),
    caveats="Do not sum the values of several days. Do not compare stock at list prices with goods "
    "at cost.",
    alternatives=("at retail: valued at list prices, as the retail method of turnover requires.",),
    references=("'Inventory turnover: retail, cost or unit?' (third party)",),
    tags=("inventory", "stock", "money"),
)

inventory_turnover = Metric(
    name="inventory_turnover",
    title="Inventory turnover",
    aliases=("stock_turn", "inventory_turns"),
    formula=Name("cost_of_goods_sold") / _MEAN_VALUE,
    unit=MULTIPLE,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    description="Cost of goods sold divided by the average inventory value at cost.",
    includes="The cost of goods sold in the period and the mean, over its snapshot days, of the "
    "stock at cost.",
    excludes="Stock of unknown cost; days without a snapshot.",
    null_when="The stock has no value or was never counted, or the cost of an item sold is not "
    "known.",
    see_also=("days_inventory_outstanding", "inventory_value"),
    caveats="Do not divide sales by stock at cost, do not take two year-end values for the "
    "average, and do not compare monthly with yearly turns. It is negative if more was "
    f"restocked than sold. {_MEAN_NOTE}",
    alternatives=(
        "inventory_turnover.annual: annualised.",
        "inventory_turnover.retail: net sales and stock at list prices.",
        "inventory_turnover.units: units sold and units in stock.",
    ),
    references=(
        "'Inventory turnover: retail, cost or unit?' (third party)",
        "OR-wiki, 'AE12 Days of Inventory' (primary)",
        "'GMROI with 13-month average' (third party)",
    ),
    tags=("inventory", "ratio"),
)

inventory_turnover_annual = Metric(
    name="inventory_turnover.annual",
    title="Inventory turnover, per year",
    formula=Name("inventory_turnover") / (PeriodDays() / 365),
    unit=MULTIPLE,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    description="Inventory turnover annualised to 365 days.",
    includes="Inventory turnover divided by the length of the period in years of 365 days.",
    excludes="Everything that inventory turnover excludes.",
    null_when="Inventory turnover is null, or the range has no start or no end.",
    see_also=("inventory_turnover", "days_inventory_outstanding"),
    caveats="Annualising December projects its seasonal peak onto the whole year.",
    alternatives=("inventory_turnover: for the period as it is.",),
    references=("'Inventory turnover: retail, cost or unit?' (third party)",),
    tags=("inventory", "ratio", "variant"),
)

inventory_turnover_retail = Metric(
    name="inventory_turnover.retail",
    title="Inventory turnover at retail",
    formula=Name("net_sales") / _MEAN_RETAIL,
    unit=MULTIPLE,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    description="Net sales divided by the average inventory value at list prices.",
    includes="The net sales of the period and the mean, over its snapshot days, of the stock at "
    "list prices.",
    excludes="Stock without a known list price; days without a snapshot.",
    null_when="The stock has no value or was never counted.",
    see_also=("inventory_turnover",),
    caveats="Sales are after discounts and list prices before them: the deeper the discounts, "
    f"the slower the turnover appears. {_MEAN_NOTE}",
    alternatives=("inventory_turnover: both at cost.",),
    references=("'Inventory turnover: retail, cost or unit?' (third party)",),
    tags=("inventory", "ratio", "variant"),
)

inventory_turnover_units = Metric(
    name="inventory_turnover.units",
    title="Inventory turnover in units",
    formula=Name("units_sold") / _MEAN_UNITS,
    unit=MULTIPLE,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    bounds=(0, None),
    description="Units sold divided by the average number of units in stock.",
    includes="The units sold in the period and the mean number of units over its snapshot days; "
    "negative stock counts as 0.",
    excludes="Returns; days without a snapshot.",
    null_when="There was no stock, or it was never counted.",
    see_also=("inventory_turnover",),
    caveats=f"Cheap goods that sell fast hide expensive goods that do not. {_MEAN_NOTE}",
    alternatives=("inventory_turnover: weights goods by their cost.",),
    references=("'Inventory turnover: retail, cost or unit?' (third party)",),
    tags=("inventory", "ratio", "variant"),
)

days_inventory_outstanding = Metric(
    name="days_inventory_outstanding",
    title="Days inventory outstanding",
    aliases=(
        "dio",
        "dsi",
        "days_sales_of_inventory",
        "days_of_inventory",
        "inventory_days_of_supply",
    ),
    formula=_MEAN_VALUE / Name("cost_of_goods_sold") * PeriodDays(),
    unit=NUMBER,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.DOWN,
    description="Average inventory value at cost, expressed in days of cost of goods sold.",
    includes="The mean value of the stock at cost over the snapshot days, divided by the cost of "
    "goods sold in the period, times the days of the period.",
    excludes="Stock of unknown cost; days without a snapshot.",
    null_when="Nothing was sold, the stock was never counted, or the cost of an item sold is not "
    "known.",
    see_also=("inventory_turnover", "days_of_stock_remaining"),
    caveats="It equals the days of the period divided by the turnover only if both use the same "
    f"average stock. It is negative if more was restocked than sold. {_MEAN_NOTE}",
    alternatives=(
        "SCOR: stock divided by a 365th of the year's cost of goods sold, whatever the period.",
    ),
    references=(
        "OR-wiki, 'AE12 Days of Inventory' (primary)",
        "pcor.com, 'Inventory days' (third party)",
        "'SCOR cash-to-cash definition' (third party)",
    ),
    tags=("inventory", "duration", "days"),
)

in_stock_rate = Metric(
    name="in_stock_rate",
    title="In-stock rate",
    aliases=("availability",),
    formula=Count(_DAYS, where=_DAYS["units"] > 0) / Count(_DAYS),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of snapshot days on which there was stock.",
    includes="Snapshot days on which the locations of the group together had more than 0 units, "
    "divided by all snapshot days.",
    excludes="Days without a snapshot; counts without a known quantity.",
    null_when="Nothing was counted in the period.",
    see_also=("stockout_rate", "days_of_stock_remaining"),
    caveats="Do not compute it over all products together: something is always in stock. Group by "
    "product.",
    alternatives=("1 − stockout_rate: product by product, on every day.",),
    references=("Field usage (convention)",),
    tags=("building_block", "inventory", "ratio"),
)

days_of_stock_remaining = Metric(
    name="days_of_stock_remaining",
    title="Days of stock remaining",
    aliases=("stock_cover", "days_of_cover", "stock_runway"),
    formula=_STOCK_OR_NONE / (Name("units_sold") / (Name("in_stock_rate") * PeriodDays())),
    unit=NUMBER,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.NEUTRAL,
    bounds=(0, None),
    description="Stock at the end of the period divided by the units sold per in-stock day.",
    includes="In-stock days are the days of the period times the share of snapshot days on which "
    "the locations of the group together had stock. Negative stock lasts 0 days.",
    excludes="Days without stock, on which nobody could buy; units in transit.",
    null_when="Nothing was sold, nothing was counted in the period, or there was no stock on any "
    "day.",
    see_also=("stock_on_hand", "stockout_rate"),
    caveats="Do not compute it over all products together: a product that never sells hides one "
    "that is nearly sold out. Do not use the sales pace of a past season. If the period is still "
    "open, its sales so far are divided by all its days: end the range at the last day with data.",
    alternatives=(
        "per calendar day: days without stock lower the pace, so the stock seems to last longer.",
    ),
    references=(
        "Klar, 'Inventory report' (vendor)",
        "SHOPLINE, 'Inventory reports' (vendor)",
    ),
    tags=("inventory", "stock", "duration", "days"),
)

sell_through_rate = Metric(
    name="sell_through_rate",
    title="Sell-through rate",
    aliases=("str",),
    formula=Name("units_sold.net") / PositiveOrNull(Name("units_sold.net") + _STOCK_OR_NONE),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    bounds=(None, 1),
    description="Share of the units available for sale that were sold.",
    includes="Net units sold in the period, divided by these plus the stock at its end; negative "
    "stock counts as 0.",
    excludes="Cancellations; gift cards; units that left the stock in other ways.",
    null_when="There was nothing to sell, or nothing was ever counted.",
    see_also=("stock_on_hand", "inventory_turnover"),
    caveats="Do not compare it with a source that divides by units received. It is negative if "
    "more was returned than sold.",
    alternatives=(
        "sell_through_rate.received: divided by the units received in the period.",
        "sell_through_rate.beginning: divided by the stock at the beginning.",
    ),
    references=(
        "Replogic, 'Sell-through' (third party)",
        "Report Toaster, 'Sell-through' (third party)",
    ),
    tags=("inventory", "ratio"),
)

sell_through_rate_received = Metric(
    name="sell_through_rate.received",
    title="Sell-through rate, of units received",
    formula=Name("units_sold.net") / PositiveOrNull(Sum(Receipts.units)),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    description="Net units sold divided by units received.",
    includes="Units sold less units returned, and units received, all in the period.",
    excludes="Stock of earlier periods; cancellations.",
    null_when="Nothing was received.",
    see_also=("sell_through_rate",),
    caveats="Do not read it as a share: it exceeds 1 when older stock is sold.",
    alternatives=("sell_through_rate: divided by units sold plus remaining stock.",),
    references=("'Sell-through over received' (third party)",),
    tags=("inventory", "ratio", "variant"),
)

sell_through_rate_beginning = Metric(
    name="sell_through_rate.beginning",
    title="Sell-through rate, of the opening stock",
    formula=Name("units_sold.net") / PositiveOrNull(Shift(Name("stock_on_hand"))),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    description="Net units sold divided by the stock at the beginning of the period.",
    includes="Units sold less units returned in the period; the stock is that at the end of the "
    "period before.",
    excludes="Units received in the period; cancellations.",
    null_when="There was no stock at the beginning, or nothing had been counted by then.",
    see_also=("sell_through_rate",),
    caveats="Do not read it as a share: it exceeds 1 when goods are received and sold within the "
    "period.",
    alternatives=("sell_through_rate: divided by units sold plus remaining stock.",),
    period_hint="sell_through_rate",
    references=("'Sell-through over received' (third party)",),
    tags=("inventory", "ratio", "variant"),
)

stockout_rate = Metric(
    name="stockout_rate",
    title="Stockout rate",
    aliases=("out_of_stock_rate",),
    formula=Count(_OFFERED, where=_OFFERED["units"] <= 0) / Count(_OFFERED),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.DOWN,
    bounds=(0, 1),
    description="Share of product-days on which a product for sale was out of stock at every "
    "location.",
    includes="Products without stock at any location, divided by products counted; both added up "
    "over the snapshot days.",
    excludes="Products that are not for sale or not tracked; days on which a product was not "
    "counted.",
    null_when="No product for sale was counted.",
    see_also=("stock_on_hand", "days_of_stock_remaining"),
    caveats="Do not drop products from the snapshots when they sell out. Grouped by location, a "
    "product counts as out of stock where it is missing, even if another location has it.",
    alternatives=(
        "stockout_rate.places: each location separately.",
        "at one moment: the share of products without stock at the end.",
        "by demand: unmet demand divided by demand, which is rarely observed.",
    ),
    references=(
        "'Out-of-stock rate: time- and demand-based' (third party)",
        "'Stockout rate, SKU share' (third party)",
    ),
    tags=("inventory", "stock", "ratio"),
)

stockout_rate_places = Metric(
    name="stockout_rate.places",
    title="Stockout rate by location",
    formula=Count(_UNITS, where=InventorySnapshots.is_offered & (_UNITS <= 0))
    / Count(_UNITS, where=InventorySnapshots.is_offered),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.DOWN,
    bounds=(0, 1),
    description="Share of product snapshots at a location that show no stock.",
    includes="Snapshots of 0 units or fewer divided by all snapshots, for every product at every "
    "location.",
    excludes="Products that are not for sale or not tracked; counts without a known quantity.",
    null_when="No product for sale was counted.",
    see_also=("stockout_rate",),
    caveats="Do not read it as lost sales: an online order can be served from any location.",
    alternatives=("stockout_rate: a product is out of stock if no location has it.",),
    references=("'Out-of-stock rate: time- and demand-based' (third party)",),
    tags=("inventory", "stock", "ratio", "variant"),
)

gross_margin_return_on_inventory = Metric(
    name="gross_margin_return_on_inventory",
    title="Gross margin return on inventory",
    aliases=("gmroi", "gross_margin_return_on_investment"),
    formula=Name("gross_profit") / _MEAN_VALUE,
    unit=MULTIPLE,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    description="Gross profit divided by the average inventory value at cost.",
    includes="The gross profit of the period and the mean, over its snapshot days, of the stock "
    "at cost.",
    excludes="Stock of unknown cost; days without a snapshot; the cost of holding stock.",
    null_when="The stock has no value or was never counted, or the cost of an item sold is not "
    "known.",
    see_also=("inventory_turnover", "gross_margin"),
    caveats="Do not multiply gross margin by inventory turnover, which is based on cost: it "
    f"equals gross margin times net sales divided by stock at cost. {_MEAN_NOTE}",
    alternatives=("gross_margin_return_on_inventory.annual: annualised.",),
    references=(
        "'GMROI with 13-month average' (third party)",
        "'GMROI for apparel' (third party)",
    ),
    tags=("inventory", "profit", "ratio"),
)

gross_margin_return_on_inventory_annual = Metric(
    name="gross_margin_return_on_inventory.annual",
    title="Gross margin return on inventory, per year",
    formula=Name("gross_margin_return_on_inventory") / (PeriodDays() / 365),
    unit=MULTIPLE,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    description="Gross margin return on inventory annualised to 365 days.",
    includes="Gross margin return on inventory divided by the length of the period in years of "
    "365 days.",
    excludes="Everything that gross margin return on inventory excludes.",
    null_when="Gross margin return on inventory is null, or the range has no start or no end.",
    see_also=("gross_margin_return_on_inventory", "inventory_turnover"),
    caveats="Annualising December projects its seasonal peak onto the whole year.",
    alternatives=("gross_margin_return_on_inventory: for the period as it is.",),
    references=("'GMROI with 13-month average' (third party)",),
    tags=("inventory", "profit", "ratio", "variant"),
)

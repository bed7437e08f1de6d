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
    """Return the mean, over the days with a snapshot, of a value added up over the day."""
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
    "The mean is over the days with a snapshot: a day on which only some places were counted "
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
    description="How many units are in stock.",
    includes="Units of every product in every place at its latest count before the end of the "
    "period; a place that was not counted since keeps what it had.",
    excludes="Counts of unknown result. Units promised to orders stay in, units under way stay "
    "out.",
    null_when="Nothing was counted so far.",
    see_also=("inventory_value", "stockout_rate"),
    caveats="Adding the counts of several days: a stock adds up over products and places, never "
    "over time. Below zero means that more was sold than there was.",
    alternatives=(
        "available: less the units promised; Shopify's month-end report leaves these out.",
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
    description="What the stock had cost the shop.",
    includes="Units times unit cost of every product in every place at its latest count before the "
    "end of the period; a stock below zero is worth nothing.",
    excludes="Counts of unknown units or cost.",
    null_when="Nothing of known cost was counted so far.",
    see_also=("stock_on_hand", "inventory_turnover"),
    caveats="Adding the values of several days; setting stock at list prices against goods at "
    "cost.",
    alternatives=("at retail: at list prices, as the retail method of turnover needs it.",),
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
    description="How many times the stock was sold in the period.",
    includes="Cost of goods sold in the period over the mean value of the stock at cost.",
    excludes="Stock of unknown cost; days without a snapshot.",
    null_when="The stock is worth nothing or was never counted, or a cost of goods is not known.",
    see_also=("days_inventory_outstanding", "inventory_value"),
    caveats="Dividing sales by a stock at cost; taking the stock of two year-ends for the mean; "
    "setting the turns of a month against those of a year. Below zero where more went back to "
    f"stock than was sold. {_MEAN_NOTE}",
    alternatives=(
        "inventory_turnover.annual: brought to a year.",
        "inventory_turnover.retail: net sales over stock at list prices.",
        "inventory_turnover.units: units over units.",
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
    description="How many times a year the stock is sold at the pace of the period.",
    includes="Inventory turnover over the length of the period in years of 365 days.",
    excludes="Everything that inventory turnover excludes.",
    null_when="There is no inventory turnover, or the range has no start or no end.",
    see_also=("inventory_turnover", "days_inventory_outstanding"),
    caveats="Bringing December to a year: the season comes along.",
    alternatives=("inventory_turnover: of the period as it is.",),
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
    description="How many times the stock was sold, both at prices to customers.",
    includes="Net sales of the period over the mean value of the stock at list prices.",
    excludes="Stock of unknown list price; days without a snapshot.",
    null_when="The stock is worth nothing or was never counted.",
    see_also=("inventory_turnover",),
    caveats="Sales are after discounts and list prices before them: the more is discounted, the "
    f"slower it looks. {_MEAN_NOTE}",
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
    description="How many times the stock was sold, counted in units.",
    includes="Units sold in the period over mean units in stock; stock below zero counts as 0.",
    excludes="Returns; days without a snapshot.",
    null_when="There was no stock, or it was never counted.",
    see_also=("inventory_turnover",),
    caveats=f"Cheap goods that sell fast hide dear ones that do not. {_MEAN_NOTE}",
    alternatives=("inventory_turnover: weighs goods by their cost.",),
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
    description="How many days the goods lie before they are sold.",
    includes="Mean value of the stock at cost, in days of the cost of goods sold in the period.",
    excludes="Stock of unknown cost; days without a snapshot.",
    null_when="Nothing was sold, the stock was never counted, or a cost of goods is not known.",
    see_also=("inventory_turnover", "days_of_stock_remaining"),
    caveats="Setting it against a turnover with another mean: only with the same one is it the "
    "days of the period over the turns. Below zero where more went back to stock than was sold. "
    f"{_MEAN_NOTE}",
    alternatives=("SCOR: stock over a 365th of a year's cost of goods, whatever the period.",),
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
    description="On which share of days there was something in stock.",
    includes="Snapshot days on which the places of the group had some, over snapshot days.",
    excludes="Days without a snapshot; places whose units are not known.",
    null_when="Nothing was counted in the period.",
    see_also=("stockout_rate", "days_of_stock_remaining"),
    caveats="Asking it of all products together: something is always in stock.",
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
    description="How many days the stock lasts at the pace of the period.",
    includes="Stock at the end over the units sold per day in stock; a stock below zero lasts no "
    "day. Days in stock are the days of the period times the share of snapshot days on which all "
    "places of the group together had some.",
    excludes="Days without stock, on which nobody could buy; units under way.",
    null_when="Nothing was sold, nothing was counted in the period, or on no day was there stock.",
    see_also=("stock_on_hand", "stockout_rate"),
    caveats="Asking it of all products together: one that never sells hides one that is nearly "
    "gone. Taking the pace of a season that is over. In a period that is still open the units of "
    "some days are set against all its days: give the range its end.",
    alternatives=(
        "per calendar day: days without stock lower the pace, and the stock lasts longer.",
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
    description="Which share of what there was to sell was sold.",
    includes="Units sold less units returned in the period, over these and the stock at its end; a "
    "stock below zero counts as none.",
    excludes="Cancellations; gift cards; units that left the stock otherwise.",
    null_when="There was nothing to sell, or nothing was ever counted.",
    see_also=("stock_on_hand", "inventory_turnover"),
    caveats="Setting it against a source that divides by what was received. Below zero where more "
    "came back than was sold.",
    alternatives=(
        "sell_through_rate.received: over the units received in the period.",
        "sell_through_rate.beginning: over the stock at the beginning.",
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
    description="How many units were sold for each that was received.",
    includes="Units sold less units returned over units received, all in the period.",
    excludes="The stock of earlier periods; cancellations.",
    null_when="Nothing was received.",
    see_also=("sell_through_rate",),
    caveats="Reading it as a share: it exceeds 1 where older stock is sold.",
    alternatives=("sell_through_rate: of these and of the stock that is left.",),
    references=("'Sell-through over received' (third party)",),
    tags=("inventory", "ratio", "variant"),
)

sell_through_rate_beginning = Metric(
    name="sell_through_rate.beginning",
    title="Sell-through rate, of the stock at the beginning",
    formula=Name("units_sold.net") / PositiveOrNull(Shift(Name("stock_on_hand"))),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.UP,
    description="How many units were sold for each that was in stock at the beginning.",
    includes="Units sold less units returned in the period, over the stock at the end of the "
    "period before.",
    excludes="Units received in the period; cancellations.",
    null_when="There was no stock at the beginning, or nothing was counted by then.",
    see_also=("sell_through_rate",),
    caveats="Reading it as a share: it exceeds 1 where goods came in and were sold.",
    alternatives=("sell_through_rate: of these and of the stock that is left.",),
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
    description="How often a product that is for sale cannot be had.",
    includes="Products without stock in any place, over products, both added up over the days with "
    "a snapshot.",
    excludes="Products that are not for sale or not tracked; days on which a product was not "
    "counted.",
    null_when="No product that is for sale was counted.",
    see_also=("stock_on_hand", "days_of_stock_remaining"),
    caveats="Leaving products out of the snapshots when they run out. By place, a product that is "
    "out of stock here and in stock there counts here.",
    alternatives=(
        "stockout_rate.places: each place for itself.",
        "at one moment: the share of products without stock at the end.",
        "by demand: unmet demand over demand, which is seldom observed.",
    ),
    references=(
        "'Out-of-stock rate: time- and demand-based' (third party)",
        "'Stockout rate, SKU share' (third party)",
    ),
    tags=("inventory", "stock", "ratio"),
)

stockout_rate_places = Metric(
    name="stockout_rate.places",
    title="Stockout rate of places",
    formula=Count(_UNITS, where=InventorySnapshots.is_offered & (_UNITS <= 0))
    / Count(_UNITS, where=InventorySnapshots.is_offered),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.OPERATIONS,
    direction=Direction.DOWN,
    bounds=(0, 1),
    description="How often a place is out of a product that is for sale.",
    includes="Snapshots without stock over snapshots, of every product in every place.",
    excludes="Products that are not for sale or not tracked; counts of unknown result.",
    null_when="No product that is for sale was counted.",
    see_also=("stockout_rate",),
    caveats="Reading it as lost sales: an online order is served from any place.",
    alternatives=("stockout_rate: out of stock is what no place has.",),
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
    description="What the stock earned for each unit of money that lay in it.",
    includes="Gross profit of the period over the mean value of the stock at cost.",
    excludes="Stock of unknown cost; days without a snapshot; the cost of keeping stock.",
    null_when="The stock is worth nothing or was never counted, or a cost of goods is not known.",
    see_also=("inventory_turnover", "gross_margin"),
    caveats="Multiplying gross margin by the turnover, which is of cost: it is the margin times "
    f"net sales over the stock at cost. {_MEAN_NOTE}",
    alternatives=("gross_margin_return_on_inventory.annual: brought to a year.",),
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
    description="What the stock earns in a year, at the pace of the period, for each unit of "
    "money that lies in it.",
    includes="Gross margin return on inventory over the length of the period in years of 365 days.",
    excludes="Everything that gross margin return on inventory excludes.",
    null_when="There is no gross margin return on inventory, or the range has no start or no end.",
    see_also=("gross_margin_return_on_inventory", "inventory_turnover"),
    caveats="Bringing December to a year: the season comes along.",
    alternatives=("gross_margin_return_on_inventory: of the period as it is.",),
    references=("'GMROI with 13-month average' (third party)",),
    tags=("inventory", "profit", "ratio", "variant"),
)

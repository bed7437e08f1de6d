"""Offers: upselling, cross-selling and attached products."""

from __future__ import annotations

from collections.abc import Sequence

from funnelkit.catalog.parameters import words_of
from funnelkit.formula.formulas import Arithmetic, Count, Name, PerKey, Sum
from funnelkit.formula.values import Predicate
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.sales import OrderLines, Orders
from funnelkit.schema.traffic import Events
from funnelkit.units import RATIO

__all__ = [
    "attach_rate",
    "attach_rate_of",
    "attach_rate_units",
    "cross_sell_rate",
    "cross_sell_rate_of",
    "cross_sell_rate_offers",
    "upsell_rate",
    "upsell_rate_orders",
]

Ids = Sequence[str | int]

_RATES = "'Upsell & cross-sell rates' (third party)"
_CONTENTSQUARE = "Contentsquare, cross-sell metrics (vendor)"
_ATTACHMENT = "'Cross sell / attachment rate', which contains an error (third party)"
_SOLD_ACROSS = OrderLines.is_cross_sell
_NOT_ACROSS = ~OrderLines.is_cross_sell


def _take_rate(kind: str) -> Arithmetic:
    is_of_kind = Events.is_counted & Events.offer_type.eq(kind)
    accepted = Count(Events, where=is_of_kind & Events.event_name.eq("offer_accepted"))
    return accepted / Count(Events, where=is_of_kind & Events.event_name.eq("offer_shown"))


def _baskets(primary: Predicate, attached: Predicate) -> PerKey:
    """Return one row per order: lines and units of the primary and of the attached products."""
    return PerKey(
        OrderLines.order_id,
        where=OrderLines.is_counted,
        primary=Count(OrderLines, where=primary),
        attached=Count(OrderLines, where=attached),
        primary_units=Sum(OrderLines.quantity, where=primary),
        attached_units=Sum(OrderLines.quantity, where=attached),
    )


def _share_of_baskets(baskets: PerKey) -> Arithmetic:
    has_primary = baskets["primary"] >= 1
    both = Count(baskets, where=has_primary & (baskets["attached"] >= 1))
    return both / Count(baskets, where=has_primary)


def _share_of_units(baskets: PerKey) -> Arithmetic:
    has_primary = baskets["primary"] >= 1
    attached = Sum(baskets["attached_units"], where=has_primary)
    return attached / Sum(baskets["primary_units"], where=has_primary)


upsell_rate = Metric(
    name="upsell_rate",
    title="Upsell rate",
    aliases=("upsell_take_rate",),
    formula=_take_rate("upsell"),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    bounds=(0, None),
    description="Upsell offers accepted divided by upsell offers shown.",
    includes="Acceptances and displays, each in the period in which it occurred.",
    excludes="Bots; offers of unknown type.",
    null_when="No upsell offer was shown.",
    see_also=("upsell_rate.orders", "average_order_value"),
    caveats="Do not confuse it with the share of orders with an upsell. An offer shown before "
    "midnight and accepted after it can push a day above 1.",
    alternatives=("upsell_rate.orders: orders with an upsold line divided by all orders.",),
    references=(_RATES,),
    tags=("offers", "ratio"),
)

upsell_rate_orders = Metric(
    name="upsell_rate.orders",
    title="Upsell rate of orders",
    formula=Count(Orders, where=Orders.is_counted & Orders.has_upsell) / Name("orders"),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of orders with an upsell.",
    includes="Orders with at least one line flagged as upsell, divided by orders.",
    excludes="Lines without a record of how they were sold.",
    null_when="There are no orders.",
    see_also=("upsell_rate", "average_order_value"),
    caveats="It does not measure how well an offer works: it falls when fewer offers are shown.",
    alternatives=("upsell_rate: offers accepted divided by offers shown.",),
    references=(_RATES,),
    tags=("offers", "ratio", "variant"),
)

cross_sell_rate = Metric(
    name="cross_sell_rate",
    title="Cross-sell rate",
    formula=Count(Orders, where=Orders.is_counted & Orders.has_cross_sell) / Name("orders"),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of orders with a cross-sell.",
    includes="Orders with at least one line flagged as cross-sell, divided by orders.",
    excludes="Lines without a record of how they were sold.",
    null_when="There are no orders.",
    see_also=("attach_rate", "units_per_transaction"),
    caveats="Not every second product is a cross-sell: that is the co-purchase rate of a "
    "product, fk.catalog.cross_sell_rate(products=…).",
    alternatives=(
        "cross_sell_rate.offers: cross-sell offers accepted divided by those shown.",
        "fk.catalog.cross_sell_rate(products=…): co-purchases, as Contentsquare defines it.",
    ),
    references=(_RATES, _CONTENTSQUARE),
    tags=("offers", "ratio"),
)

cross_sell_rate_offers = Metric(
    name="cross_sell_rate.offers",
    title="Cross-sell rate of offers",
    aliases=("cross_sell_take_rate",),
    formula=_take_rate("cross_sell"),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    bounds=(0, None),
    description="Cross-sell offers accepted divided by cross-sell offers shown.",
    includes="Acceptances and displays, each in the period in which it occurred.",
    excludes="Bots; offers of unknown type.",
    null_when="No cross-sell offer was shown.",
    see_also=("cross_sell_rate",),
    caveats="Do not confuse it with the share of orders with a cross-sell.",
    alternatives=("cross_sell_rate: orders with a cross-sold line divided by orders.",),
    references=(_RATES,),
    tags=("offers", "ratio", "variant"),
)

attach_rate = Metric(
    name="attach_rate",
    title="Attach rate",
    aliases=("attachment_rate",),
    formula=Count(Orders, where=Orders.is_counted & Orders.has_primary & Orders.has_attached)
    / Count(Orders, where=Orders.is_counted & Orders.has_primary),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of orders with a primary product that also contain a cross-sold one.",
    includes="Orders with both a cross-sold product and one that was not cross-sold, divided by "
    "orders with a product that was not cross-sold.",
    excludes="Orders of cross-sold products only; gift cards and fees; lines without a record of "
    "how they were sold.",
    null_when="No order has a product that was not cross-sold.",
    see_also=("cross_sell_rate", "attach_rate.units"),
    caveats="Do not divide units by orders. For given products: "
    "fk.catalog.attach_rate(primary=…, attached=…).",
    alternatives=(
        "attach_rate.units: attached units divided by primary units; it can exceed 1.",
        "fk.catalog.attach_rate(primary=…, attached=…): by products, not by how they were sold.",
    ),
    references=(_ATTACHMENT,),
    tags=("offers", "ratio"),
)

attach_rate_units = Metric(
    name="attach_rate.units",
    title="Attach rate of units",
    formula=_share_of_units(_baskets(_NOT_ACROSS, _SOLD_ACROSS)),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    bounds=(0, None),
    description="Cross-sold units divided by primary units.",
    includes="Units of cross-sold lines divided by units of the other lines, in orders that "
    "contain any of the latter.",
    excludes="Gift cards and fees; lines without a record of how they were sold.",
    null_when="There are no units that were not cross-sold.",
    see_also=("attach_rate",),
    caveats="Do not read it as a share: three cases for one phone give 3.",
    alternatives=("attach_rate: by orders, so at most 1.",),
    references=(_ATTACHMENT,),
    tags=("offers", "ratio", "variant"),
)


def attach_rate_of(*, primary: Ids, attached: Ids) -> Metric:
    """Return the attach rate of some products to others.

    Args:
        primary: The primary products.
        attached: The products attached to them.

    Raises:
        DefinitionError: No products are given.

    Examples:
        >>> attach_rate_of(primary=["phone"], attached=["case", "charger"]).name
        'attach_rate.of_case_charger_to_phone'
    """
    name = f"{words_of('attached', attached)}_to_{words_of('primary', primary)}"
    baskets = _baskets(OrderLines.product_id.is_in(primary), OrderLines.product_id.is_in(attached))
    return Metric(
        name=f"attach_rate.of_{name}",
        title=f"Attach rate of {', '.join(map(str, attached))}",
        formula=_share_of_baskets(baskets),
        unit=RATIO,
        stage=Stage.CONVERSION,
        aida=AidaStage.ACTION,
        area=Area.SALES,
        direction=Direction.UP,
        bounds=(0, 1),
        description="Share of orders with a primary product that also contain an attached one.",
        includes="Counted orders with one of the primary products and one of the attached, "
        "divided by counted orders with one of the primary.",
        excludes="Gift cards and fees.",
        null_when="No order contains a primary product.",
        see_also=("attach_rate", "cross_sell_rate"),
        caveats="A product in both lists is attached to itself. Grouped by a property of lines, "
        "such as the category, both must be in the same group.",
        references=(_ATTACHMENT,),
        tags=("offers", "ratio"),
    )


def cross_sell_rate_of(*, products: Ids) -> Metric:
    """Return the co-purchase rate of products: the share of their orders with another product.

    Args:
        products: The products.

    Raises:
        DefinitionError: No products are given.

    Examples:
        >>> cross_sell_rate_of(products=["phone"]).name
        'cross_sell_rate.of_phone'
    """
    name = f"cross_sell_rate.of_{words_of('products', products)}"
    is_one = OrderLines.product_id.is_in(products)
    return Metric(
        name=name,
        title=f"Cross-sell rate of {', '.join(map(str, products))}",
        formula=_share_of_baskets(_baskets(is_one, ~is_one)),
        unit=RATIO,
        stage=Stage.CONVERSION,
        aida=AidaStage.ACTION,
        area=Area.SALES,
        direction=Direction.UP,
        bounds=(0, 1),
        description="Share of orders with one of the products that also contain another product.",
        includes="Counted orders with one of the products and another product, divided by "
        "counted orders with one of the products.",
        excludes="Gift cards and fees; lines with an unknown product.",
        null_when="No order contains one of the products.",
        see_also=("cross_sell_rate",),
        caveats="It is not the effect of an offer: customers also combine products on their own.",
        references=(_CONTENTSQUARE,),
        tags=("offers", "ratio"),
    )

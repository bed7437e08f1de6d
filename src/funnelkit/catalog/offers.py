"""Offers: whether customers take the dearer product, or a further one."""

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
    description="How often an offer of a more expensive product is accepted.",
    includes="Upsell offers accepted over upsell offers shown, each when it happened.",
    excludes="Bots; offers whose kind is not known.",
    null_when="No upsell offer was shown.",
    see_also=("upsell_rate.orders", "average_order_value"),
    caveats="Confusing it with the share of orders with an upsell. An offer shown before "
    "midnight and accepted after it can push a day above 1.",
    alternatives=("upsell_rate.orders: orders with an upsold line over all orders.",),
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
    description="Which share of orders holds an upsell.",
    includes="Orders with at least one line flagged as upsell over orders.",
    excludes="Lines without a record of how they were sold.",
    null_when="There are no orders.",
    see_also=("upsell_rate", "average_order_value"),
    caveats="Reading it as how well an offer works: it falls when fewer offers are shown.",
    alternatives=("upsell_rate: offers accepted over offers shown.",),
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
    description="Which share of orders holds a cross-sell.",
    includes="Orders with at least one line flagged as cross-sell over orders.",
    excludes="Lines without a record of how they were sold.",
    null_when="There are no orders.",
    see_also=("attach_rate", "units_per_transaction"),
    caveats="Calling every second product a cross-sell: that is the co-purchase rate of a "
    "product, fk.catalog.cross_sell_rate(products=…).",
    alternatives=(
        "cross_sell_rate.offers: cross-sell offers accepted over those shown.",
        "fk.catalog.cross_sell_rate(products=…), as Contentsquare has it: other products with it.",
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
    description="How often an offer of an additional product is accepted.",
    includes="Cross-sell offers accepted over cross-sell offers shown, each when it happened.",
    excludes="Bots; offers whose kind is not known.",
    null_when="No cross-sell offer was shown.",
    see_also=("cross_sell_rate",),
    caveats="Confusing it with the share of orders.",
    alternatives=("cross_sell_rate: orders with a cross-sold line over orders.",),
    references=(_RATES,),
    tags=("offers", "ratio", "variant"),
)

attach_rate = Metric(
    name="attach_rate",
    title="Attach rate",
    aliases=("attachment_rate",),
    formula=Count(Orders, where=Orders.is_counted & Orders.has_primary & Orders.has_cross_sell)
    / Count(Orders, where=Orders.is_counted & Orders.has_primary),
    unit=RATIO,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.SALES,
    direction=Direction.UP,
    bounds=(0, 1),
    description="How often something goes along with what the customer came for.",
    includes="Orders with a line that was sold across and one that was not, over orders with one "
    "that was not.",
    excludes="Orders of cross-sold lines alone; lines of which nobody noted how they were sold.",
    null_when="No order has a line that was not sold across.",
    see_also=("cross_sell_rate", "attach_rate.units"),
    caveats="Units above the line and orders below it. For given products: "
    "fk.catalog.attach_rate(primary=…, attached=…).",
    alternatives=(
        "attach_rate.units: attached units over primary units; it can exceed 1.",
        "fk.catalog.attach_rate(primary=…, attached=…): by products instead of how they were sold.",
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
    description="How many units go along with each unit that the customer came for.",
    includes="Units of cross-sold lines over units of the other lines, in orders that have any of "
    "the latter.",
    excludes="Gift cards and fees; lines of which nobody noted how they were sold.",
    null_when="There are no units that were not sold across.",
    see_also=("attach_rate",),
    caveats="Reading it as a share: three cases for one phone are 3.",
    alternatives=("attach_rate: orders, so at most 1.",),
    references=(_ATTACHMENT,),
    tags=("offers", "ratio", "variant"),
)


def attach_rate_of(*, primary: Ids, attached: Ids) -> Metric:
    """Return the attach rate of some products to others.

    Args:
        primary: The products that the customer comes for.
        attached: The products that go with them.

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
        description="How often some products go along with others.",
        includes="Orders that count with one of the primary products and one of the attached, over "
        "orders with one of the primary.",
        excludes="Gift cards and fees.",
        null_when="No order holds a primary product.",
        see_also=("attach_rate", "cross_sell_rate"),
        caveats="A product on both sides is attached to itself. By a property of lines, such as "
        "the category, both must lie in the same group.",
        references=(_ATTACHMENT,),
        tags=("offers", "ratio"),
    )


def cross_sell_rate_of(*, products: Ids) -> Metric:
    """Return the co-purchase rate of products: how often another product is bought with them.

    Args:
        products: The products.

    Raises:
        DefinitionError: No products are given.

    Examples:
        >>> cross_sell_rate_of(products=["phone"]).name
        'cross_sell_rate.of_phone'
    """
    is_one = OrderLines.product_id.is_in(products)
    return Metric(
        name=f"cross_sell_rate.of_{words_of('products', products)}",
        title=f"Cross-sell rate of {', '.join(map(str, products))}",
        formula=_share_of_baskets(_baskets(is_one, ~is_one)),
        unit=RATIO,
        stage=Stage.CONVERSION,
        aida=AidaStage.ACTION,
        area=Area.SALES,
        direction=Direction.UP,
        bounds=(0, 1),
        description="How often some products are bought together with any other.",
        includes="Orders that count with one of the products and another product, over orders with "
        "one of them.",
        excludes="Gift cards and fees; lines whose product is not known.",
        null_when="No order holds one of the products.",
        see_also=("cross_sell_rate",),
        caveats="Calling it the work of an offer: customers combine products by themselves.",
        references=(_CONTENTSQUARE,),
        tags=("offers", "ratio"),
    )

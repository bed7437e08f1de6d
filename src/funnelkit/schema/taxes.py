"""Prices that include tax: how amounts without tax are derived from them."""

from __future__ import annotations

from collections.abc import Mapping

from funnelkit.data.findings import Finding
from funnelkit.data.schema import Check
from funnelkit.formula.derived import Default, FromChildren, Rule
from funnelkit.formula.formulas import Sum
from funnelkit.formula.values import Coalesce, Column, If, Literal, Lookup, Money, Value
from funnelkit.schema.derivations import IS_PRODUCT, RULES
from funnelkit.schema.sales import OrderLines, Orders, Returns

__all__ = ["TAX_CHECKS", "TAX_RULES", "WITH_TAX"]

WITH_TAX: Mapping[Column, Column] = {
    Orders.gross_amount: Orders.gross_with_tax,
    Orders.discount_amount: Orders.discount_with_tax,
    Orders.shipping_amount: Orders.shipping_with_tax,
    OrderLines.unit_price: OrderLines.unit_price_with_tax,
    OrderLines.gross_amount: OrderLines.gross_with_tax,
    OrderLines.discount_amount: OrderLines.discount_with_tax,
    Returns.refund_amount: Returns.refund_with_tax,
    Returns.refund_shipping: Returns.refund_shipping_with_tax,
}
"""As what an amount is read that was supplied with tax in it."""


def _share(tax: Money, paid: Value) -> Value:
    """Return the share of what was paid that is not tax; all of it where nothing was paid."""
    return If(paid.eq(0), Literal(1.0), 1 - tax / paid)


def _of_lines(amount: Money) -> FromChildren:
    return FromChildren(OrderLines.order_id, Sum(amount, where=IS_PRODUCT))


_PAID_GOODS = Orders.gross_with_tax - Coalesce(Orders.discount_with_tax, 0.0)
_PAID = _PAID_GOODS + Coalesce(Orders.shipping_with_tax, 0.0)
_PAID_LINE = OrderLines.gross_with_tax - Coalesce(OrderLines.discount_with_tax, 0.0)
_PAID_BACK = Returns.refund_with_tax + Coalesce(Returns.refund_shipping_with_tax, 0.0)
_TAX_SHARE = 1 - Lookup(Returns.order_id, Orders.net_share)

_NET: Mapping[Column, tuple[Rule, ...]] = {
    amount: (with_tax * share, *RULES.get(amount, ()))
    for amount, with_tax, share in (
        (Orders.discount_amount, Orders.discount_with_tax, Orders.net_share),
        (Orders.shipping_amount, Orders.shipping_with_tax, Orders.net_share),
        (OrderLines.unit_price, OrderLines.unit_price_with_tax, OrderLines.net_share),
        (OrderLines.gross_amount, OrderLines.gross_with_tax, OrderLines.net_share),
        (OrderLines.discount_amount, OrderLines.discount_with_tax, OrderLines.net_share),
        (Returns.refund_amount, Returns.refund_with_tax, Returns.net_share),
        (Returns.refund_shipping, Returns.refund_shipping_with_tax, Returns.net_share),
    )
}

TAX_RULES: Mapping[Column, tuple[Rule, ...]] = {
    **_NET,
    Orders.gross_amount: (*RULES[Orders.gross_amount], Orders.gross_with_tax * Orders.net_share),
    Orders.gross_with_tax: (_of_lines(OrderLines.gross_with_tax),),
    Orders.discount_with_tax: (_of_lines(OrderLines.discount_with_tax),),
    Orders.net_share: (_share(Orders.tax_amount, _PAID), _share(Orders.tax_amount, _PAID_GOODS)),
    OrderLines.gross_with_tax: (OrderLines.quantity * OrderLines.unit_price_with_tax,),
    OrderLines.discount_with_tax: (Default(value=0.0, absent=(OrderLines.discount_with_tax,)),),
    OrderLines.net_share: (
        _share(OrderLines.tax_amount, _PAID_LINE),
        If(IS_PRODUCT, Lookup(OrderLines.order_id, Orders.net_share), Literal(1.0)),
    ),
    Returns.refund_tax: (_PAID_BACK * _TAX_SHARE, Returns.refund_with_tax * _TAX_SHARE),
    Returns.net_share: (
        _share(Returns.refund_tax, _PAID_BACK),
        _share(Returns.refund_tax, Returns.refund_with_tax),
    ),
}
"""How amounts follow from amounts with tax: the tax is that of the line, else that of the order."""

_TAXES = (Orders.tax_amount, OrderLines.tax_amount, Returns.refund_tax)
_TAXED: tuple[tuple[Money, Value, Column | None], ...] = (
    (Orders.tax_amount, _PAID, None),
    (Orders.tax_amount, _PAID_GOODS, Orders.shipping_with_tax),
    (OrderLines.tax_amount, _PAID_LINE, None),
    (Returns.refund_tax, _PAID_BACK, None),
    (Returns.refund_tax, 1.0 * Returns.refund_with_tax, Returns.refund_shipping_with_tax),
)
"""Taxes, each with the price that includes it, and what makes that another price."""

TAX_CHECKS = (
    *(
        Check(
            tax,
            tax.is_null(),
            Finding(
                "is known, where prices include tax",
                "is null, so it is unknown how much of the price is tax",
                "fill it: 0 where nothing is taxed",
            ),
        )
        for tax in _TAXES
    ),
    *(
        Check(
            tax,
            (price > 0) & ((tax < 0) | (tax > price)),
            Finding(
                "lies within the price, where prices include tax",
                "is not a part of the price that includes it",
                "supply the tax in the price, as an amount above zero",
            ),
            unless_supplied=more,
            is_derived=True,
        )
        for tax, price, more in _TAXED
    ),
    Check(
        Returns.refund_with_tax,
        Returns.refund_with_tax.is_not_null() & Returns.net_share.is_null(),
        Finding(
            "holds a known share of tax",
            "holds an unknown share of tax, and would count as 0",
            "supply refund_tax, or the orders that were refunded",
        ),
        is_derived=True,
    ),
)
"""What must hold of taxes where prices include them."""

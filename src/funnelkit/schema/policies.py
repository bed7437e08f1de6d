"""Order policies: which orders count, and with them which returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from funnelkit.formula.derived import (
    Rule,
)
from funnelkit.formula.values import (
    Column,
    IsTrue,
    Lookup,
    Predicate,
)
from funnelkit.schema.sales import Orders, Returns

__all__ = ["POLICIES", "OrderPolicy", "policy_rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPolicy:
    """Which orders count, and with them which returns.

    Attributes:
        name: What the policy is called in results.
        counted_orders: Which orders count.
        counted_returns: Which kinds of returns undo a counted sale.
    """

    name: str
    counted_orders: Predicate
    counted_returns: Predicate


_IS_CANCELLATION = Returns.kind.eq("cancellation")


_ANY_RETURN = Returns.return_id.is_not_null()


POLICIES: Mapping[str, OrderPolicy] = {
    policy.name: policy
    for policy in (
        OrderPolicy(
            name="default",
            counted_orders=~Orders.status.is_in(["cancelled", "voided", "draft", "test", "deleted"])
            & ~Orders.is_gift_card_only,
            counted_returns=~_IS_CANCELLATION,
        ),
        OrderPolicy(
            name="shopify",
            counted_orders=~Orders.status.is_in(["draft", "test", "deleted"])
            & ~Orders.is_gift_card_only,
            counted_returns=_ANY_RETURN,
        ),
        OrderPolicy(
            name="captured",
            counted_orders=Orders.status.is_in(["paid", "fulfilled"]) & ~Orders.is_gift_card_only,
            counted_returns=~_IS_CANCELLATION,
        ),
        OrderPolicy(
            name="all", counted_orders=Orders.order_id.is_not_null(), counted_returns=_ANY_RETURN
        ),
    )
}


def policy_rules(policy: OrderPolicy) -> Mapping[Column, tuple[Rule, ...]]:
    """Return the rules of the columns that depend on an order policy."""
    is_of_counted = IsTrue(Lookup(Returns.order_id, Orders.is_counted))
    belongs = is_of_counted | Lookup(Returns.order_id, Orders.order_id).is_null()
    return {
        Orders.is_counted: (policy.counted_orders,),
        Returns.is_counted: (
            (policy.counted_returns | Returns.kind.is_null()) & belongs & Returns.is_of_product,
        ),
    }
